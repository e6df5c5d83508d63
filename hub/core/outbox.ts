/** News of the index that others act on: written with the decision, worked off later, safe to work off twice. */
import type { StudyLocated } from './ports.ts';
import type { ExamView, ManifestView } from './view.ts';

export interface OutboxEvent {
  readonly id: string;
  readonly topic: 'settle' | 'publish' | 'list' | 'tell-links';
  /**
   * settle, list: the study UID. publish: the exam id, of today or before it was united with another. tell-links: a person
   * and who is told of its numbers.
   */
  readonly key: string;
  /** When it was first written: how long it has been waited for. */
  readonly since: Date;
}

/** Exams as their documents are made of them. */
export interface PublishableExams {
  /** By any id it ever had, with the instances of its complete studies; null: unknown, or no patient owns it yet. */
  exam(examId: string): Promise<ExamView | null>;
}

/** `done`, or when to look again. */
export type OutboxOutcome = { readonly done: true } | { readonly done: false; readonly againAt: Date };

export interface Outbox {
  /** Open events that are due, oldest first, each with the time since when it is. */
  due(limit: number): Promise<readonly { readonly id: string; readonly dueAt: string }[]>;
  /**
   * Works one event off; false: gone, not due, or in other hands. A rejection leaves it open, later. The event's row is
   * not locked meanwhile: who has more news of the same key writes it there at once, and the event stays open.
   */
  work(id: string, handle: (event: OutboxEvent) => Promise<OutboxOutcome>): Promise<boolean>;
}

export interface StudySettling {
  /**
   * Marks the study complete when no image came for the quiet time (or all declared ones are there).
   * `null`: no such study, or no image of it is here.
   */
  settle(studyUid: string): Promise<{ readonly located: StudyLocated } | { readonly againAt: Date } | null>;
  /** Puts the manifest beside the study and renders it, unless the study has other images, or others keep them, by now. */
  saveManifest(located: StudyLocated, manifest: ManifestView): Promise<boolean>;
}
