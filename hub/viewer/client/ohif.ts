/**
 * What the hub's own part touches of OHIF 3.13, typed as far as it is used. Its modules are reached through the loader of
 * its bundles: their numbers are those of the pinned build (../pin.ts), and a test opens the page.
 */
import type * as ReactModule from 'react';
import type { Decoding } from './native-frame.ts';

export type React = typeof ReactModule;
export type Element = ReactModule.ReactElement;

const REACT = 86326;
const I18N = 26104;
/** @cornerstonejs/metadata; `wx` are its providers, `bf` adds one for a type. */
const METADATA = 52446;
/** What the workers of @cornerstonejs/dicom-image-loader run; `p` decodes a frame. */
const DECODER = 85336;

/** What the page of a study loads when it is first shown: its mode, panels and viewports, each a script of its own. */
const OF_A_STUDY = [
  89, 100, 781, 899, 1206, 2623, 3500, 3760, 5406, 5448, 5910, 6495, 6749, 7248, 7463, 8478, 9068, 9116, 9383, 9415,
];

interface I18n {
  addResourceBundle(language: string, namespace: string, words: object, deep: boolean, overwrite: boolean): void;
}

interface Loader {
  (id: typeof REACT): React;
  (id: typeof I18N): { readonly A: I18n };
  (id: typeof METADATA): { readonly wx: { readonly bf: AddProvider } };
  (id: typeof DECODER): { readonly p: (...task: readonly unknown[]) => Promise<unknown> };
  /** Loads a script of the build by its number, once. */
  e(id: number): Promise<unknown>;
}

declare global {
  interface Window {
    rspackChunk?: unknown[];
    config?: object;
    cornerstone?: Cornerstone;
  }
}

interface Metadata {
  readonly rows?: number;
  readonly columns?: number;
  readonly samplesPerPixel?: number;
  readonly bitsAllocated?: number;
}

type Provider = (query: string, data: unknown, options: unknown) => unknown;
type AddProvider = (
  type: string,
  provider: (next: Provider, ...asked: Parameters<Provider>) => unknown,
  options: { priority: number; isDefault: boolean },
) => void;

/** As the loader hands a frame to a worker. */
export interface DecodeTask extends Decoding {
  readonly transferSyntax: string;
  readonly pixelData: Uint8Array<ArrayBuffer>;
  readonly decodeConfig: unknown;
}

/** @cornerstonejs/core 4, as OHIF hands it out. */
export interface Cornerstone {
  getWebWorkerManager(): {
    executeTask: (worker: string, method: string, task: unknown, ...more: readonly unknown[]) => Promise<unknown>;
  };
  getConfiguration(): { readonly rendering: object };
  setConfiguration(settings: object): void;
  readonly cache: {
    getCacheSize(): number;
    getMaxCacheSize(): number;
    getImageLoadObject(imageId: string): unknown;
    removeImageLoadObject(imageId: string): void;
  };
  readonly imageLoader: {
    loadAndCacheImage(imageId: string, options: object): Promise<unknown>;
    createAndCacheLocalImage(imageId: string, image: object): unknown;
  };
  readonly utilities: {
    readonly genericMetadataProvider: { add(imageId: string, told: { type: string; metadata: object }): void };
  };
  readonly imageLoadPoolManager: { readonly maxNumRequests: { prefetch: number }; startGrabbing(): void };
  readonly metaData: {
    get(type: 'imagePixelModule', imageId: string): Metadata | undefined;
  };
}

export interface RenderingEngine {
  enableElement(viewport: { viewportId: string; element: HTMLDivElement; type: 'stack' }): void;
  disableElement(viewportId: string): void;
  getViewport(viewportId: string): { setStack(imageIds: readonly string[]): Promise<unknown> } | undefined;
  renderViewport(viewportId: string): void;
}

export interface StackViewport {
  readonly type: string;
  getImageIds(): readonly string[];
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

/** So that showing a study loads nothing more. */
export const loadForStudy = (): Promise<unknown> => Promise.all(OF_A_STUDY.map((id) => loaded().e(id)));

/** `provider` answers for a type of metadata, or passes the question on. */
export const addProvider: AddProvider = (...given) => loaded()(METADATA).wx.bf(...given);

/** By the code that a worker would run, in this thread. */
export const decodeFrame = ({
  imageFrame,
  transferSyntax,
  pixelData,
  decodeConfig,
  options,
}: DecodeTask): Promise<unknown> => loaded()(DECODER).p(imageFrame, transferSyntax, pixelData, decodeConfig, options);

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
  readonly retrieve: {
    getGetThumbnailSrc: (...asked: readonly unknown[]) => ((options: unknown) => Promise<string | null>) | null;
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
      getRenderingEngine(): RenderingEngine | null;
      getCornerstoneViewport(
        id: string,
      ): (Partial<StackViewport> & { getCurrentImageId?(): string | undefined }) | null;
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
