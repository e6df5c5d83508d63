/** What the use cases and faces need from the outside, as interfaces; store, archive and adapters implement them. */
import type { Readable } from 'node:stream';
import type { HubId, SiteId, Uid } from './identifier.ts';
import type { Finding, Problem, Result } from './problem.ts';
import type { InstanceRecord, PatientRef } from './record.ts';
import type { ExamView, InstanceView, ListedSeries, PersonView, SeriesView, StudyView } from './view.ts';

/**
 * Bytes by key: files under a folder, or an S3-compatible bucket. Keys are `[a-z0-9/._-]`, made by the hub, never
 * from outside text. An object is immutable: the same key is written once.
 */
export interface ObjectStore {
  /** Opens a writer; nothing is visible under `key` until `commit` resolves, and then it is durable (fsync). */
  write(key: string): Promise<ObjectWriter>;
  /**
   * As `write`, under a key that the store draws at random: `folder`, a name, `suffix`. Nobody knows the key before
   * `commit` resolves, which lets a store keep names ready and wait for the bytes alone.
   */
  writeFresh(folder: string, suffix: string): Promise<FreshObject>;
  /** Reads bytes [start, end) (whole object when absent); rejects when there is none. */
  read(key: string, range?: { readonly start: number; readonly end?: number }): Promise<Readable>;
  /** Whole object or range as one buffer: for headers and small objects; refuses above 64 MiB. */
  readAll(key: string, range?: { readonly start: number; readonly end?: number }): Promise<Buffer>;
  /**
   * Reads from `start` into the caller's own memory until it is full or the object ends, and tells how many bytes: for
   * senders that reuse their buffers. Absent where the store gains nothing by it.
   */
  readInto?(key: string, into: Uint8Array, start: number): Promise<number>;
  /**
   * Keys of fresh objects that a process before this one committed and never called filed: its last moments. To be asked
   * before the first `writeFresh`; absent where the store lists nothing.
   */
  unfiled?(): AsyncIterable<string>;
  /** Keys of whole objects directly in `folder`, in no order; none where there is no such folder. */
  list(folder: string): AsyncIterable<string>;
  size(key: string): Promise<number | null>;
  remove(key: string): Promise<void>;
  check(): Promise<void>;
}

export interface FreshObject {
  readonly key: string;
  readonly writer: ObjectWriter;
  /** The store finds a committed object again after a crash (`unfiled`), until it is filed. */
  readonly listed: boolean;
  /**
   * SHA-256, hex, of the committed object from that byte to its end, taken while the process does other things. null where
   * the store did not keep the bytes: the caller has seen them too. Once, after `commit` and before `filed`.
   */
  readonly digest?: (from: number) => Promise<string | null>;
  /** After `commit`: nobody will ask for the digest, so that the store need not keep the bytes. */
  readonly undigested?: () => void;
  /** Something durable names the object now, or it was removed. */
  readonly filed: () => void;
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
  /** As `ObjectStore.readInto`; null where these bytes can only be had by `open`. */
  readInto?(located: InstanceLocated, into: Uint8Array, start: number): Promise<number | null>;
  /** Whether the bytes are at hand and whole, without reading them; null where only `open` can tell. */
  whole?(located: InstanceLocated): Promise<boolean | null>;
}

/** Studies that a hospital keeps, fetched from its own archive when someone with the right asks. */
export interface StudyRecall {
  /**
   * The whole study. Its records name no object of the centre (`object` is empty): `digest` names the bytes, and an image
   * source opens them. Nobody has compared their patient with the index yet: that is the caller's duty.
   */
  fetch(site: SiteId, studyUid: Uid): Promise<Result<readonly InstanceRecord[]>>;
}

/** What the hospital that keeps a study says it holds of it: enough to name every instance, not to describe its bytes. */
export interface StudyListing {
  /** Whom it names as the patient; empty where that was compared before. */
  readonly patients: readonly PatientRef[];
  readonly series: readonly ListedSeries[];
}

export interface StudyInventory {
  /** Whether the site names anybody who could be asked. */
  lists(site: SiteId): boolean;
  /** All of the study as it is now; `not-found` where the hospital has no image of it (yet). */
  list(site: SiteId, studyUid: Uid): Promise<Result<StudyListing>>;
}

/** Structured log. Fields never carry patient data: ids of the hub, counts, codes, durations. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  child(fields: object): Log;
}

/** Takes one DICOM instance as a stream, from C-STORE or STOW-RS; `flow/receive-instance.ts` implements it. */
export interface InstanceSink {
  begin(arrival: InstanceArrival): Promise<InstanceIntake>;
  /** Keeps that an instance was refused before it was begun, with the first of its bytes. Never rejects. */
  refuse(arrival: InstanceArrival, head: Uint8Array, why: Problem): Promise<void>;
  /** The sender ended an association: what it sent is applied without waiting for more. Never throws. */
  paused(sender: Pick<InstanceArrival, 'site' | 'sender'>): void;
}

export interface InstanceArrival {
  readonly channel: 'dicom' | 'dicomweb';
  readonly site: SiteId;
  /** Calling AE title, or the client's name. */
  readonly sender: string;
  readonly peer: string;
  /** A reader's own about a study of this patient: its header is believed in nothing else (core/record.ts, noteAbout). */
  readonly noteOf?: PatientRef;
  /** Announced by C-STORE-RQ; absent for STOW, where the file meta information tells. */
  readonly announced?: {
    readonly sopClass: Uid;
    readonly sopUid: Uid;
    readonly transferSyntax: Uid;
    readonly callingAe: string;
  };
}

/**
 * `write` takes data set bytes when `announced` was given (the sink writes the Part-10 head itself), else the bytes of
 * a whole Part-10 file. `finish` resolves only when the bytes are durable and the
 * journal names them, or is sure to after any crash.
 */
export interface InstanceIntake {
  write(chunk: Uint8Array): Promise<void>;
  finish(): Promise<StoreOutcome>;
  abort(reason: string): Promise<void>;
}

export type StoreOutcome =
  | {
      readonly ok: true;
      readonly duplicate: boolean;
      readonly sopClass: Uid;
      readonly sopUid: Uid;
      readonly studyUid: Uid;
      readonly findings: readonly Finding[];
    }
  | { readonly ok: false; readonly problem: Problem; readonly sopClass?: Uid; readonly sopUid?: Uid };

/**
 * Wakes workers. May lose or repeat a job: every handler is idempotent and a sweep over the tables finds what the queue
 * forgot. `key` de-duplicates jobs that wait.
 */
export interface Queue {
  offer(topic: Topic, key: string, payload: Readonly<Record<string, string>>, delayMs?: number): Promise<void>;
  /** One handler per topic and process. A rejected handler is retried with backoff, then kept as failed. */
  work(
    topic: Topic,
    concurrency: number,
    handler: (payload: Readonly<Record<string, string>>) => Promise<void>,
  ): Promise<void>;
  counts(
    topic: Topic,
  ): Promise<{ readonly waiting: number; readonly active: number; readonly delayed: number; readonly failed: number }>;
  close(): Promise<void>;
}

export type Topic = 'ingest' | 'outbox';
