/**
 * What the hub's own part touches of OHIF 3.13, typed as far as it is used. Its modules are reached through the loader of
 * its bundles: their numbers are those of the pinned build (../pin.ts), and a test opens the page.
 */
import type * as ReactModule from 'react';

export type React = typeof ReactModule;
export type Element = ReactModule.ReactElement;

const REACT = 86326;
const I18N = 26104;

interface I18n {
  addResourceBundle(language: string, namespace: string, words: object, deep: boolean, overwrite: boolean): void;
}

interface Loader {
  (id: typeof REACT): React;
  (id: typeof I18N): { readonly A: I18n };
}

declare global {
  interface Window {
    rspackChunk?: unknown[];
    config?: object;
    cornerstone?: { readonly cache: { getCacheSize(): number } };
  }
}

let loader: Loader | null = null;

/** Asks the loader of the bundles to hand itself over when it starts; nothing runs before that. */
export function awaitLoader(): void {
  window.rspackChunk ??= [];
  window.rspackChunk.push([['hutong'], {}, (given: Loader) => void (loader = given)]);
}

const loaded = (): Loader => {
  if (loader === null) throw new Error('the bundles have not started');
  return loader;
};

export const react = (): React => loaded()(REACT);
export const i18n = (): I18n => loaded()(I18N).A;

export interface Instance {
  readonly StudyInstanceUID?: string;
  readonly SeriesInstanceUID?: string;
  readonly SOPInstanceUID?: string;
  readonly SOPClassUID?: string;
  readonly ViewPosition?: string;
  readonly ImageLaterality?: string;
  readonly Laterality?: string;
}

export interface DisplaySet {
  readonly StudyInstanceUID: string;
  readonly images?: readonly Instance[];
  readonly instances?: readonly Instance[];
}

export interface Study {
  readonly studyInstanceUid: string;
}

export interface DataSource {
  readonly query: {
    readonly studies: { search: (parameters: Record<string, unknown>) => Promise<readonly Study[]> };
  };
  readonly store: { dicom: (dataset: unknown, request?: XMLHttpRequest, dictionary?: unknown) => Promise<void> };
}

export interface Services {
  readonly services: {
    readonly userAuthenticationService: {
      setServiceImplementation(made: { getAuthorizationHeader: () => Record<string, string> }): void;
    };
    readonly hangingProtocolService: {
      addCustomAttribute(id: string, name: string, read: (set: DisplaySet) => string): void;
    };
    readonly uiNotificationService: { show(told: { title: string; message: string; type: string }): void };
    readonly viewportGridService: {
      getActiveViewportId(): string | null;
      getState(): { readonly viewports: ReadonlyMap<string, { readonly displaySetInstanceUIDs?: readonly string[] }> };
    };
    readonly displaySetService: { getDisplaySetByUID(id: string): DisplaySet | undefined };
    readonly cornerstoneViewportService: {
      getCornerstoneViewport(id: string): { getCurrentImageId?(): string | undefined } | null;
    };
  };
}

export interface Extensions {
  getModuleEntry(id: string): {
    createDataSource: (configuration: object, services: Services, extensions: Extensions) => DataSource;
  };
}

export interface Given {
  readonly servicesManager: Services;
  readonly extensionManager: Extensions;
}
