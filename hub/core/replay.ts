/** What applying messages anew would change, and applying many of them: retries of what waits, replays of what stands. */
import type { Caller } from './access.ts';
import type { ClaimedEntry } from './ingest.ts';
import type { StandingMapping } from './code-mapping.ts';
import type { HubId } from './identifier.ts';
import type { JournalFilter, Page, PageRequest } from './operation.ts';
import type { Finding, Problem, Result } from './problem.ts';
import type { CanonicalRecord } from './record.ts';
import type { ExamState } from './exam.ts';
import type { PatientState } from './patient.ts';
import type { Slice } from './slice.ts';
import type { VisitState } from './visit.ts';

/** One field that would be another: `value`s as the index keeps them, undefined where there is none. */
export interface Change {
  readonly subject: 'patient' | 'exam';
  readonly id: HubId;
  /** `sex`, `visit V1/place`, `order P1/procedure`, `report R1/status`, `study 1.2.3/bodyPart`. */
  readonly field: string;
  readonly before: unknown;
  readonly after: unknown;
}

export interface Previewed {
  readonly journalId: string;
  /** Whose message it is; null: of an unregistered sender. */
  readonly site: string | null;
  readonly outcome: 'unchanged' | 'changed' | 'review';
  readonly problem: Problem | null;
  readonly findings: readonly Finding[];
  readonly changes: readonly Change[];
}

/** A change of mapping that is tried and not made. */
export type MappingChange = { readonly add: StandingMapping } | { readonly without: string };

export interface PreviewStore {
  entries(journalIds: readonly string[]): Promise<readonly ClaimedEntry[]>;
  /** What the records touch, as it stands; nothing is locked. */
  slice(records: readonly CanonicalRecord[]): Promise<Slice>;
  mappings(): Promise<readonly StandingMapping[]>;
}

/** Which entries: by filter, by their ids, those that met a code that no table mapped, or those read with a mapping. */
export type WorkScope =
  | { readonly kind: 'filter'; readonly filter: Omit<JournalFilter, 'state'> }
  /** `site`: of these, that hospital's alone. */
  | { readonly kind: 'entries'; readonly journalIds: readonly string[]; readonly site?: string }
  | { readonly kind: 'code'; readonly site: string; readonly table: string; readonly code: string }
  | { readonly kind: 'mapping'; readonly site: string; readonly mappingId: string };

export interface JournalWork {
  readonly workId: string;
  readonly kind: 'retry' | 'replay';
  readonly scope: WorkScope;
  readonly site: string | null;
  readonly state: 'running' | 'done' | 'cancelled';
  readonly reason: string;
  readonly startedAt: string;
  readonly startedBy: string;
  readonly endedAt: string | null;
  readonly total: number;
  /** total = left + skipped + waiting + applied + review + refused. */
  readonly left: number;
  /** In another state than was asked for when their turn came, or gone. */
  readonly skipped: number;
  readonly waiting: number;
  readonly applied: number;
  readonly review: number;
  readonly refused: number;
}

export const MAX_WORK = 20_000;

export interface JournalWorkDesk {
  /** `limit-exceeded` above MAX_WORK, `not-found` where nothing is concerned. */
  start(
    kind: JournalWork['kind'],
    scope: WorkScope,
    by: { readonly caller: Caller; readonly reason: string },
  ): Promise<Result<JournalWork>>;
  /** Newest first. */
  list(filter: { readonly site?: string }, page: PageRequest): Promise<Page<JournalWork>>;
  work(workId: string): Promise<JournalWork | null>;
  /** What is put back already is applied all the same. */
  cancel(workId: string): Promise<Result<JournalWork>>;
  /** How many a scope names, and the newest of them. */
  concerned(
    kind: JournalWork['kind'],
    scope: WorkScope,
    most: number,
  ): Promise<{ total: number; newest: readonly string[] }>;
  /** Puts the next few back to work; false: nothing to do now. */
  step(): Promise<boolean>;
}

/** Every field that differs between two slices, in a fixed order. */
export function changesBetween(before: Slice, after: Slice): Change[] {
  const changes: Change[] = [];
  for (const [id, state] of after.patients)
    compare('patient', id, patientFacts(before.patients.get(id)), patientFacts(state), changes);
  for (const [id, visit] of after.visits) {
    const facts = ({ ref, facts: told }: VisitState): Facts => new Map(registers(`visit ${ref.value}/`, told));
    const was = before.visits.get(id);
    compare('patient', visit.recordId, was === undefined ? new Map() : facts(was), facts(visit), changes);
  }
  for (const [id, exam] of after.exams) {
    // An exam that was several is compared with the one of them that keeps its id.
    compare('exam', id, examFacts(before.exams.get(id)), examFacts(exam), changes);
  }
  return changes;
}

type Facts = ReadonlyMap<string, unknown>;

function compare(subject: Change['subject'], id: HubId, before: Facts, after: Facts, into: Change[]): void {
  for (const field of [...new Set([...before.keys(), ...after.keys()])].sort()) {
    const [was, is] = [before.get(field), after.get(field)];
    if (plain(was) !== plain(is)) into.push({ subject, id, field, before: was, after: is });
  }
}

/** The database keeps the members of an object in an order of its own. */
const plain = (value: unknown): string | undefined =>
  JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );

const registers = (prefix: string, facts: PatientState['facts'] | undefined): [string, unknown][] =>
  Object.entries(facts ?? {}).map(([field, [, value]]) => [prefix + field, value]);

const patientFacts = (state: PatientState | undefined): Facts =>
  new Map<string, unknown>([
    ...registers('', state?.facts),
    ...(state?.mergedInto ? [['merged', state.mergedInto] as const] : []),
  ]);

function examFacts(exam: ExamState | undefined): Facts {
  if (exam === undefined) return new Map();
  const orders = exam.orders.flatMap(({ facts }, at) => registers(`order ${String(at + 1)}/`, facts));
  const studies = Object.values(exam.studies).flatMap((facts, at) => registers(`study ${String(at + 1)}/`, facts));
  const reports = exam.reports.flatMap(({ number, status, content }, at) =>
    Object.entries({ number, status, ...content }).map(([field, value]): [string, unknown] => [
      `report ${String(at + 1)}/${field}`,
      value,
    ]),
  );
  return new Map<string, unknown>([...orders, ...studies, ...reports]);
}
