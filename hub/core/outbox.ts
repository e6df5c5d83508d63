/** News of the index that others act on: written with the decision, worked off later, safe to work off twice. */
import type { StudyLocated } from './ports.ts';
import type { ManifestView } from './view.ts';

export interface OutboxEvent {
  readonly id: string;
  readonly topic: 'settle';
  /** settle: the study UID. */
  readonly key: string;
}

/** `done`, or when to look again. */
export type OutboxOutcome = { readonly done: true } | { readonly done: false; readonly againAt: Date };

export interface Outbox {
  /** Ids of open events that are due, oldest first. */
  due(limit: number): Promise<readonly string[]>;
  /** Works one event off under its row's lock; false: gone, not due, or in other hands. A rejection leaves it open, later. */
  work(id: string, handle: (event: OutboxEvent) => Promise<OutboxOutcome>): Promise<boolean>;
}

export interface StudySettling {
  /**
   * Marks the study complete when no image came for the quiet time (or all declared ones are there).
   * `null`: no such study, or no image of it is here.
   */
  settle(studyUid: string): Promise<{ readonly located: StudyLocated } | { readonly againAt: Date } | null>;
  /** Puts the manifest beside the study and renders it, unless the study has changed since `instanceCount` was read. */
  saveManifest(located: StudyLocated, manifest: ManifestView): Promise<boolean>;
}
