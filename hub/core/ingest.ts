/** What the ingest asks of the store: claim a patient's waiting entries, load what they touch, save the outcome, at once. */
import type { JournalEntry } from './envelope.ts';
import type { StandingMapping } from './code-mapping.ts';
import type { StoredDocument } from './exam.ts';
import type { Slice } from './slice.ts';
import type { Finding, Problem } from './problem.ts';
import type { CanonicalRecord } from './record.ts';

export interface ClaimedEntry extends JournalEntry {
  /** SHA-256 of the content, hex. */
  readonly digestHex: string;
  /** An operator looked at the doubt and told the hub to apply it all the same. */
  readonly forced: boolean;
  /** It was decided before: it was in review and is tried again, or it stands and is read anew. */
  readonly again: 'retry' | 'replay' | null;
}

export interface Settlement {
  readonly entry: ClaimedEntry;
  readonly state: 'applied' | 'refused' | 'review';
  readonly problem?: Problem;
  readonly findings: readonly Finding[];
  /** Mappings made by people that the entry was read with. */
  readonly mappings?: readonly string[];
}

export interface Claim {
  readonly entries: readonly ClaimedEntry[];
  /** Mappings made by people, as they stand in this transaction; the same array while they are the same. */
  readonly mappings: readonly StandingMapping[];
  /** Locks and loads what the records touch. Once per claim. */
  load(records: readonly CanonicalRecord[]): Promise<Slice>;
  /** Writes what changed between the two slices and ends the entries; part of the claim's transaction. */
  save(outcome: Outcome): Promise<void>;
}

export interface Outcome {
  readonly before: Slice;
  readonly after: Slice;
  readonly settled: readonly Settlement[];
  /** Which entries changed each registration and exam, for their provenance: hub id -> journal ids. */
  readonly touchedBy: ReadonlyMap<string, readonly string[]>;
}

export interface IngestStore {
  /** Runs `work` on the oldest claimable keys in one transaction; false: nothing waits. A rejection rolls all of it back. */
  claim(limit: number, work: (claim: Claim) => Promise<void>): Promise<boolean>;
  /** After a failure: the keys wait and each head is then tried alone. */
  postpone(entries: readonly ClaimedEntry[], delayMs: number): Promise<void>;
  /** Gives an entry up to a person, outside any claim. */
  giveUp(entry: ClaimedEntry, problem: Problem): Promise<void>;
}

/** Keeps the documents of reports, by content. */
export interface DocumentStore {
  put(contentType: string, bytes: Uint8Array): Promise<StoredDocument>;
}
