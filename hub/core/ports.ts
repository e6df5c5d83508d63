/** What the use cases and faces need from the outside, as interfaces; store, archive and adapters implement them. */
import type { Readable } from 'node:stream';
import type { HubId, Uid } from './identifier.ts';
import type { ExamView, InstanceView, PersonView, SeriesView, StudyView } from './view.ts';

/**
 * Bytes by key: files under a folder, or an S3-compatible bucket. Keys are `[a-z0-9/._-]`, made by the hub, never
 * from outside text. An object is immutable: the same key is written once.
 */
export interface ObjectStore {
  /** Opens a writer; nothing is visible under `key` until `commit` resolves, and then it is durable (fsync). */
  write(key: string): Promise<ObjectWriter>;
  /** Reads bytes [start, end) (whole object when absent); rejects when there is none. */
  read(key: string, range?: { readonly start: number; readonly end?: number }): Promise<Readable>;
  /** Whole object or range as one buffer: for headers and small objects; refuses above 64 MiB. */
  readAll(key: string, range?: { readonly start: number; readonly end?: number }): Promise<Buffer>;
  size(key: string): Promise<number | null>;
  remove(key: string): Promise<void>;
  check(): Promise<void>;
}

export interface ObjectWriter {
  /** Resolves when the chunk was taken; callers await it (back-pressure). The chunk may be reused afterwards. */
  write(chunk: Uint8Array): Promise<void>;
  commit(): Promise<{ readonly size: number }>;
  abort(): Promise<void>;
}

/** Reads of the master index. Every list is bounded by its `limit`. Audit and access are the caller's duty. */
export interface IndexReader {
  person(personId: string): Promise<PersonView | null>;
  /** Follows `replacedBy`. */
  exam(examId: string): Promise<ExamView | null>;
  examOfStudy(studyUid: string): Promise<ExamView | null>;
  /** The study with all series; instances where asked. null: unknown or voided and not `includeVoided`. */
  study(studyUid: string, options?: { readonly instances?: boolean }): Promise<StudyLocated | null>;
  series(studyUid: string, seriesUid: string): Promise<SeriesLocated | null>;
  instance(studyUid: string, seriesUid: string | null, sopUid: string): Promise<InstanceLocated | null>;
}

export interface StudyLocated {
  readonly exam: ExamView;
  readonly study: StudyView;
  readonly personId: HubId;
}
export interface SeriesLocated extends StudyLocated {
  readonly series: SeriesView;
}
export interface InstanceLocated extends SeriesLocated {
  readonly instance: InstanceView;
}

/** QIDO-RS and C-FIND ask the same questions. Text has DICOM wildcards `*` and `?`; dates are YYYYMMDD or ranges. */
export interface DicomQuery {
  readonly level: 'PATIENT' | 'STUDY' | 'SERIES' | 'IMAGE';
  /** Matching keys by DICOM keyword; an empty value is universal matching and is not given here. UID lists are arrays. */
  readonly match: Readonly<Record<string, string | readonly string[]>>;
  readonly fuzzy: boolean;
  readonly limit: number;
  readonly offset: number;
}

/**
 * One match: all attributes the index holds at the level and above, by DICOM keyword, multi-values as arrays; PN as the
 * DICOM string `alphabetic=ideographic=phonetic`. Faces pick what was asked.
 */
export interface DicomMatch {
  readonly attributes: Readonly<Record<string, string | number | readonly string[]>>;
  readonly personId: HubId;
  readonly studyUid: Uid | null;
}

export interface DicomIndex {
  find(query: DicomQuery): Promise<readonly DicomMatch[]>;
}

/** Where a study's images come from, whoever keeps them. Bytes are the Part-10 file exactly as stored at the source. */
export interface ImageSource {
  /** Opens the instance; `transferSyntax` tells how its data set is encoded. */
  open(located: InstanceLocated, range?: { readonly start: number; readonly end?: number }): Promise<Readable>;
}
