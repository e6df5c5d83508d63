/** The index's side of ingest: one transaction claims, locks, loads, writes, projects and settles. */
import type { ProjectedResource } from '../core/fhir.ts';
import type { Slice } from '../core/fold.ts';
import type { Derivation, HubId } from '../core/identifier.ts';
import type { Claim, ClaimedEntry, IngestStore, Settlement } from '../core/ingest.ts';
import type { PatientState } from '../core/patient.ts';
import type { ExamView, PersonView } from '../core/view.ts';
import { claimEntries, postpone, settle } from './claim.ts';
import type { Connection, Database } from './database.ts';
import { saveResources } from './fhir.ts';
import { linkPersons } from './person-link.ts';
import { saveExams, saveIndexes, savePatients, type SaveContext } from './save.ts';
import { saveInstances, saveStudies } from './save-study.ts';
import { loadSlice } from './slice.ts';
import { examViews, personViews } from './view.ts';

export interface Projection {
  person(view: PersonView): readonly ProjectedResource[];
  exam(view: ExamView): readonly ProjectedResource[];
}

export interface IndexWriterDeps extends Omit<SaveContext, 'now'> {
  readonly database: Database;
  readonly clock: () => Date;
  readonly projection: Projection;
  /** Called after a commit that left news in the outbox. */
  readonly announced: () => void;
}

export function createIndexWriter(deps: IndexWriterDeps): IngestStore {
  const { database, clock, derive } = deps;
  const reviewId = (journalId: string): HubId => derive.id('review', journalId);
  return {
    async claim(limit, work) {
      let news = false;
      const claimed = await database.transaction(async (connection) => {
        // A crash may lose this commit: the entry then still waits in `pending`, and applying it again ends the same.
        await connection.query('set local synchronous_commit = off');
        const now = clock();
        const entries = await claimEntries(connection, now, limit);
        if (entries.length === 0) return false;
        const claim: Claim = {
          entries,
          load: async (records) => (await loadSlice(connection, records, derive)).slice,
          save: async (before, after, settled) => {
            news = await saveSlice(connection, before, after, entries, { ...deps, now });
            await settle(connection, settled, now, reviewId);
          },
        };
        await work(claim);
        return true;
      });
      if (news) deps.announced();
      return claimed;
    },
    postpone: (entry, delayMs) => postpone(database.pool, entry, clock(), delayMs),
    giveUp: (entry, problem) => {
      const settled: Settlement = { entry, state: 'review', problem, findings: [] };
      return settle(database.pool, [settled], clock(), reviewId);
    },
  };
}

/** Writes the difference of two slices; true when the outbox has news. */
async function saveSlice(
  connection: Connection,
  before: Slice,
  after: Slice,
  entries: readonly ClaimedEntry[],
  context: IndexWriterDeps & SaveContext,
): Promise<boolean> {
  const patients = [...after.patients.values()].filter((state) => before.patients.get(state.recordId) !== state);
  const exams = [...after.exams.values()].filter((exam) => before.exams.get(exam.examId) !== exam);
  if (patients.length === 0 && exams.length === 0) return false;
  await savePatients(connection, patients, context);
  const linked =
    patients.length === 0
      ? { persons: [], relinked: [] }
      : await linkPersons(connection, patients, before.patients, context);
  await saveExams(connection, before, after, exams, context);
  const arrivals = after.arrivals;
  await saveInstances(connection, after, arrivals, context.now);
  await saveStudies(connection, exams, arrivals, context);
  const followers = await examsOf(connection, [...linked.relinked, ...identified(patients, before)]);
  const examIds = [...new Set([...exams.map((exam) => exam.examId), ...followers])];
  await saveIndexes(connection, examIds, context);
  await project(connection, linked.persons, examIds, [...after.retired.keys()], entries, context);
  return arrivals.length > 0;
}

/** Registrations whose identifiers changed: the provincial index of their exams is made of them. */
function identified(patients: readonly PatientState[], before: Slice): HubId[] {
  return patients
    .filter(
      (state) => before.patients.has(state.recordId) && before.patients.get(state.recordId)?.facts !== state.facts,
    )
    .map((state) => state.recordId);
}

async function examsOf(connection: Connection, recordIds: readonly HubId[]): Promise<HubId[]> {
  if (recordIds.length === 0) return [];
  const result = await connection.query<{ exam_id: HubId }>({
    name: 'exams-of-records',
    text: 'select exam_id from exam where record_id = any ($1::uuid[])',
    values: [recordIds],
  });
  return result.rows.map((row) => row.exam_id);
}

/** Renders what changed as resources, in the same transaction: a reader never sees half of a message. */
export async function project(
  connection: Connection,
  personIds: readonly HubId[],
  examIds: readonly HubId[],
  retired: readonly HubId[],
  entries: readonly Pick<ClaimedEntry, 'journalId' | 'site' | 'receivedAt'>[],
  context: { derive: Derivation; projection: Projection; now: Date },
): Promise<void> {
  const persons = await personViews(connection, personIds);
  const exams = await examViews(connection, examIds, { derive: context.derive, instances: 'complete' });
  const resources = [
    ...persons.flatMap((view) => own(`person|${view.personId}`, context.projection.person(view))),
    ...exams.flatMap((view) => own(`exam|${view.examId}`, context.projection.exam(view))),
  ];
  const owners = [...personIds.map((id) => `person|${id}`), ...[...examIds, ...retired].map((id) => `exam|${id}`)];
  if (owners.length === 0) return;
  await saveResources(connection, owners, resources, {
    journalIds: entries.map((entry) => entry.journalId),
    site: entries[0]?.site ?? '',
    at: entries[0]?.receivedAt ?? context.now.toISOString(),
  });
}

const own = (owner: string, resources: readonly ProjectedResource[]): (ProjectedResource & { owner: string })[] =>
  resources.map((resource) => ({ ...resource, owner }));
