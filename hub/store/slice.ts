/**
 * Loads the slice of the index that a batch of records touches, under locks, and writes back what changed. The slice is
 * a few rows: the registrations that the records name, and the exams that their keys reach.
 */
import { keysOf, type ExamState } from '../core/exam.ts';
import type { Derivation, HubId, SiteId } from '../core/identifier.ts';
import type { PatientState } from '../core/patient.ts';
import type { CanonicalRecord } from '../core/record.ts';
import { recordIdsOf, visitIdsOf, type Slice } from '../core/slice.ts';
import type { Sealer } from '../core/sealing.ts';
import { vaultOf, type Connection } from './database.ts';
import { openExam, openFacts, type StoredExam } from './sealed-facts.ts';
import { loadVisits } from './visit.ts';

export interface Loaded {
  readonly slice: Slice;
  /** What each loaded thing was, to write only what changed. */
  readonly personOf: ReadonlyMap<HubId, HubId>;
}

export interface PatientRow {
  record_id: HubId;
  site: SiteId;
  authority: string;
  local_id: string;
  person_id: HubId;
  facts: PatientState['facts'];
  merged_into: HubId | null;
}

export interface ExamRow {
  exam_id: HubId;
  facts: StoredExam;
}

/** What the records name: their registrations and exam keys, both scoped to the site. */
export function touched(
  records: readonly CanonicalRecord[],
  derive: Derivation,
): { patients: HubId[]; keys: string[] } {
  const patients = new Set<HubId>();
  const keys = new Set<string>();
  for (const record of records) {
    for (const id of recordIdsOf(record, derive)) patients.add(id);
    if ('keys' in record) for (const key of keysOf(record.keys)) keys.add(`${record.site}|${key}`);
  }
  return { patients: [...patients].sort(), keys: [...keys].sort() };
}

/**
 * Locks first, in one global order, then reads: two workers whose records touch the same exam or registration run one
 * after the other. Locks end with the transaction. A deadlock over keys found later is PostgreSQL's to break: transient.
 */
export async function loadSlice(
  connection: Connection,
  records: readonly CanonicalRecord[],
  derive: Derivation,
  how: 'locked' | 'as-it-stands' = 'locked',
): Promise<Loaded> {
  const { patients, keys } = touched(records, derive);
  if (how === 'locked') await lockRecords(connection, [...patients, ...keys]);
  const exams = await loadExams(connection, keys);
  const wanted = [...new Set([...patients, ...exams.filter((exam) => exam.placed).map((exam) => exam.recordId)])];
  const rows = await loadPatients(connection, wanted);
  // A visit is named with its patient, whose lock is held.
  const visits = await loadVisits(connection, [...new Set(records.flatMap((record) => visitIdsOf(record, derive)))]);
  return {
    slice: {
      patients: new Map(rows.map((row) => [row.record_id, patientState(vaultOf(connection).fields, row)])),
      visits: new Map(visits.map((visit) => [visit.visitId, visit])),
      exams: new Map(exams.map((exam) => [exam.examId, exam])),
      retired: new Map(),
      arrivals: [],
    },
    personOf: new Map(rows.map((row) => [row.record_id, row.person_id])),
  };
}

/** Registrations by their id and exams by their keys: who holds them, writes them. */
export async function lockRecords(connection: Connection, names: readonly string[]): Promise<void> {
  await connection.query({
    name: 'slice-lock',
    text: `select pg_advisory_xact_lock(k) from (select hashtextextended(name, 7) as k from unnest($1::text[]) name order by 1) ordered`,
    values: [names],
  });
}

/** Exams by key, and by the keys of those exams, until nothing new is reached (uniting is rare: one extra round trip). */
async function loadExams(connection: Connection, keys: readonly string[]): Promise<ExamState[]> {
  const { fields } = vaultOf(connection);
  const found = new Map<HubId, ExamState>();
  let ask: readonly string[] = keys;
  for (let round = 0; round < 8 && ask.length > 0; round++) {
    const result = await connection.query<ExamRow>({
      name: 'slice-exams',
      text: `select e.exam_id, e.facts from exam e where (e.record_id, e.exam_id) in (
               select k.record_id, k.exam_id from exam_key k
               join unnest($1::text[], $2::text[], $3::text[]) as a(site, kind, value)
                 on k.site = a.site and k.kind = a.kind and k.value = a.value)`,
      values: splitKeys(ask),
    });
    const known = new Set([...ask, ...[...found.values()].flatMap(fullKeys)]);
    const fresh = result.rows.filter((row) => !found.has(row.exam_id));
    const states = fresh.map((row) => examState(fields, row));
    for (const state of states) found.set(state.examId, state);
    ask = states.flatMap(fullKeys).filter((key) => !known.has(key));
  }
  return [...found.values()];
}

const fullKeys = (exam: ExamState): string[] => exam.keys.map((key) => `${exam.site}|${key}`);

/** `site|kind|value` -> three arrays. Only the value may hold a bar. */
export function splitKeys(keys: readonly string[]): [string[], string[], string[]] {
  const columns: [string[], string[], string[]] = [[], [], []];
  for (const key of keys) {
    const [site = '', kind = ''] = key.split('|', 2);
    columns[0].push(site);
    columns[1].push(kind);
    columns[2].push(key.slice(site.length + kind.length + 2));
  }
  return columns;
}

export const PATIENT_COLUMNS = 'record_id, site, authority, local_id, person_id, facts, merged_into';

/** The registrations and, along the hospital's merges, their survivors. */
async function loadPatients(connection: Connection, ids: readonly HubId[]): Promise<PatientRow[]> {
  if (ids.length === 0) return [];
  const result = await connection.query<PatientRow>({
    name: 'slice-patients',
    text: `with recursive chain as (
             select ${PATIENT_COLUMNS}, 0 as depth from patient_record where record_id = any ($1::uuid[])
             union
             select p.record_id, p.site, p.authority, p.local_id, p.person_id, p.facts, p.merged_into, chain.depth + 1
             from patient_record p join chain on p.record_id = chain.merged_into where chain.depth < 16)
           select distinct on (record_id) ${PATIENT_COLUMNS} from chain`,
    values: [ids],
  });
  return result.rows;
}

export const examState = (fields: Sealer, row: ExamRow): ExamState => ({
  examId: row.exam_id,
  ...openExam(fields, row.facts, row.exam_id),
});

export function patientState(fields: Sealer, row: PatientRow): PatientState {
  return {
    recordId: row.record_id,
    site: row.site,
    authority: row.authority,
    localId: row.local_id,
    facts: openFacts(fields, row.facts, row.record_id),
    mergedInto: row.merged_into,
  };
}
