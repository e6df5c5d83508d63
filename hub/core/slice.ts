/** The slice of the index that an entry touches: what the fold begins from and ends in. */
import type { ExamState, StoredDocument } from './exam.ts';
import type { Derivation, HubId, SiteId } from './identifier.ts';
import type { PatientState } from './patient.ts';
import type { Finding, Result } from './problem.ts';
import type { CanonicalRecord, InstanceRecord, PatientRef } from './record.ts';
import { visitIdOf, type VisitState } from './visit.ts';

export interface Slice {
  readonly patients: ReadonlyMap<HubId, PatientState>;
  readonly visits: ReadonlyMap<HubId, VisitState>;
  readonly exams: ReadonlyMap<HubId, ExamState>;
  /** Exams that were found to be another one: old id -> id of today. */
  readonly retired: ReadonlyMap<HubId, HubId>;
  /** Instances to file, in order of arrival, each with the exam that holds it and its journal id. */
  readonly arrivals: readonly Arrival[];
}

export interface Arrival {
  readonly record: InstanceRecord;
  readonly journalId: string;
}

export const EMPTY: Slice = {
  patients: new Map(),
  visits: new Map(),
  exams: new Map(),
  retired: new Map(),
  arrivals: [],
};

/** One record of a journal entry, with what the fold needs to know of that entry. */
export interface Input {
  readonly record: CanonicalRecord;
  readonly journalId: string;
  /** Orders it among what was said at the same time. */
  readonly tie: string;
  readonly forced: boolean;
  /** The entry was applied before and is read anew. */
  readonly again?: boolean;
  /** Where the report's document lies, when the record brings one. */
  readonly stored?: StoredDocument;
}

export type Folded = Result<{ readonly slice: Slice; readonly findings: readonly Finding[] }>;

export const recordIdOf = (site: SiteId, ref: PatientRef, derive: Derivation): HubId =>
  derive.id('patient', site, ref.authority, ref.value);

/** The registrations that a record names: those of its site, but of a link those of whose numbers they are. */
export function recordIdsOf(record: CanonicalRecord, derive: Derivation): readonly HubId[] {
  const owners: readonly SiteId[] = record.kind === 'link' ? (record.owners ?? []) : [];
  return refsOf(record).map((ref, at) => recordIdOf(owners[at] ?? record.site, ref, derive));
}

/** The visits that a record names. */
export const visitIdsOf = (record: CanonicalRecord, derive: Derivation): readonly HubId[] =>
  record.kind === 'visit' ? [visitIdOf(recordIdOf(record.site, record.patient, derive), record.visit, derive)] : [];

/** Every number that a record names. */
export function refsOf(record: CanonicalRecord): readonly PatientRef[] {
  switch (record.kind) {
    case 'merge':
      return [record.survivor, record.victim];
    case 'move':
      return [record.to, record.moved];
    case 'link':
      return [record.one, record.other];
    default:
      return record.patient === null ? [] : [record.patient];
  }
}

export const blank = (recordId: HubId, site: SiteId, ref: PatientRef): PatientState => ({
  recordId,
  site,
  authority: ref.authority,
  localId: ref.value,
  facts: {},
  mergedInto: null,
});

export const withPatient = (slice: Slice, state: PatientState): Slice => ({
  ...slice,
  patients: new Map(slice.patients).set(state.recordId, state),
});

/** The registration that stands for this one after the hospital's merges. */
export function canonical(slice: Slice, recordId: HubId): HubId {
  let at = recordId;
  for (let step = 0; step < 16; step++) {
    const next = slice.patients.get(at)?.mergedInto ?? null;
    if (next === null) return at;
    at = next;
  }
  return at;
}
