/** The index's side of ingest: one transaction claims, locks, loads, writes, projects and settles. */
import type { ProjectedResource } from '../core/fhir.ts';
import type { Slice } from '../core/slice.ts';
import type { Derivation, HubId } from '../core/identifier.ts';
import type { Claim, ClaimedEntry, IngestStore, Outcome, Settlement } from '../core/ingest.ts';
import type { Matching } from '../core/match/matcher.ts';
import type { PatientState } from '../core/patient.ts';
import { problem, type Finding } from '../core/problem.ts';
import { ownPerson } from '../core/person.ts';
import type { ExamView, PersonView } from '../core/view.ts';
import { announceRecords, followPersons } from './affinity-patients.ts';
import { standingMappings } from './code-mapping.ts';
import { claimEntries, postpone, settle } from './claim.ts';
import { vaultOf, type Connection, type Database } from './database.ts';
import { saveResources, type OwnedResource, type SavedProvenance } from './fhir.ts';
import { announceLinks } from './link-notice.ts';
import { linkPersons, matchPersons, type Linked } from './person-link.ts';
import { announceExams } from './publication.ts';
import { ownersOf, reclaimed, showingOtherwise } from './resident-owner.ts';
import { saveExams, saveIndexes, savePatients, type SaveContext } from './save.ts';
import { saveInstances, saveStudies } from './save-study.ts';
import { loadSlice } from './slice.ts';
import { examViews, personViews } from './view.ts';
import { saveVisits } from './visit.ts';

export interface Projection {
  person(view: PersonView): readonly ProjectedResource[];
  exam(view: ExamView): readonly ProjectedResource[];
}

export interface IndexWriterDeps extends Omit<SaveContext, 'now'> {
  readonly database: Database;
  readonly clock: () => Date;
  readonly projection: Projection;
  readonly matching: Matching;
  /** Under which persons are known to the document registry; absent where there is none. */
  readonly affinityDomainOid?: string;
  /** Who is told when a person's numbers change. */
  readonly linkSubscribers?: readonly string[];
}

export function createIndexWriter(deps: IndexWriterDeps): IngestStore {
  const { database, clock, derive } = deps;
  const standing = standingMappings();
  const reviewId = (journalId: string): HubId => derive.id('review', journalId);
  return {
    async claim(limit, work) {
      return database.transaction(async (connection) => {
        // A crash may lose this commit: the entry then still waits in `pending`, and applying it again ends the same.
        await connection.query('set local synchronous_commit = off');
        const now = clock();
        const { entries, broken, unread } = await claimEntries(connection, now, limit);
        await settle(connection, broken.map(unopened), now, reviewId);
        if (unread.length > 0) await postpone(connection, unread, now, KEYS_READ_MS);
        if (entries.length === 0) return broken.length + unread.length > 0;
        const claim: Claim = {
          entries,
          mappings: await standing(connection),
          load: async (records) => (await loadSlice(connection, records, derive)).slice,
          save: async (outcome) => {
            const cut = await saveSlice(connection, outcome, entries, { ...deps, now });
            await settle(connection, tellCuts(outcome, cut), now, reviewId);
          },
        };
        await work(claim);
        return true;
      });
    },
    postpone: (entries, delayMs) => postpone(database.pool, entries, clock(), delayMs),
    giveUp: (entry, problem) => {
      const settled: Settlement = { entry, state: 'review', problem, findings: [] };
      return settle(database.pool, [settled], clock(), reviewId);
    },
  };
}

/** As often as a process reads the table of data keys (security/keyring.ts). */
const KEYS_READ_MS = 10_000;

/** What was bent in the database is not applied, and not dropped. */
const unopened = (entry: ClaimedEntry): Settlement => ({
  entry,
  state: 'review',
  problem: problem(
    'internal',
    'bytes',
    'The message was changed where it lies, or its key is not here; it cannot be read.',
  ),
  findings: [],
});

const CUT: Finding = {
  code: 'candidates-cut',
  where: 'person',
  text: 'More registrations share a key with this one than were compared; it may be one of theirs.',
};

/** What matching left out is told with the messages that asked for it: never a silent cut. */
function tellCuts({ settled, touchedBy }: Outcome, cut: readonly HubId[]): readonly Settlement[] {
  if (cut.length === 0) return settled;
  const told = new Set(cut.flatMap((id) => touchedBy.get(id) ?? []));
  return settled.map((one) => (told.has(one.entry.journalId) ? { ...one, findings: [...one.findings, CUT] } : one));
}

/** Writes the difference of two slices; gives the registrations whose candidates were cut off. */
async function saveSlice(
  connection: Connection,
  { before, after, touchedBy }: Outcome,
  entries: readonly ClaimedEntry[],
  context: IndexWriterDeps & SaveContext,
): Promise<readonly HubId[]> {
  const patients = [...after.patients.values()].filter((state) => before.patients.get(state.recordId) !== state);
  const exams = [...after.exams.values()].filter((exam) => before.exams.get(exam.examId) !== exam);
  await saveVisits(connection, before.visits, after.visits, context.now);
  if (patients.length === 0 && exams.length === 0) return [];
  const linked = patients.length === 0 ? NOBODY : await registerPersons(connection, patients, before, context);
  await saveExams(connection, before, after, exams, context);
  await announceNumbers(connection, linked, context);
  const arrivals = after.arrivals;
  await saveInstances(connection, after, arrivals, context.now);
  await saveStudies(connection, exams, arrivals, context);
  const followers = await examsOf(connection, identified(patients, before));
  const examIds = [...new Set([...exams.map((exam) => exam.examId), ...followers])];
  await saveIndexes(connection, examIds, context);
  const told = provenanceOf(entries, touchedBy, context);
  await project(connection, linked.persons, examIds, [...after.retired.keys()], told, context);
  // Exams of registrations that changed persons stay as they are; only their documents may name another patient now.
  const moved = await examsOf(connection, linked.relinked);
  await announceExams(connection, [...examIds, ...moved, ...after.retired.keys()], context.now);
  return linked.cut;
}

const NOBODY: Linked = { persons: [], relinked: [], cut: [] };

export interface AnnounceContext {
  readonly derive: Derivation;
  readonly projection: Projection;
  readonly affinityDomainOid?: string;
  readonly linkSubscribers?: readonly string[];
  readonly now: Date;
}

const announceNumbers = (connection: Connection, linked: Linked, context: AnnounceContext): Promise<void> =>
  announceLinks(
    connection,
    { persons: linked.persons, moved: linked.relinked.length > 0 },
    context.linkSubscribers ?? [],
    context.now,
  );

/** What a decision about persons alone changes for readers: the persons, their ids and whose documents are whose. */
export async function announceLinked(connection: Connection, linked: Linked, context: AnnounceContext): Promise<void> {
  if (context.affinityDomainOid !== undefined)
    await followPersons(connection, linked.persons, context.affinityDomainOid);
  await announceNumbers(connection, linked, context);
  const told = (): SavedProvenance => ({ journalIds: [], site: '', at: context.now.toISOString() });
  await project(connection, linked.persons, [], [], told, context);
  await announceExams(connection, await examsOf(connection, linked.relinked), context.now);
}

/** Registrations are compared and locked, written, and linked, in this order (see matchPersons). */
async function registerPersons(
  connection: Connection,
  patients: readonly PatientState[],
  before: Slice,
  context: IndexWriterDeps & SaveContext,
): Promise<Linked> {
  const matched = await matchPersons(connection, patients, before.patients, context);
  const numbers = reclaimed(patients, before.patients, vaultOf(connection));
  const owners = await ownersOf(connection, numbers);
  await savePatients(connection, patients, context);
  const decided = await linkPersons(connection, patients, before.patients, matched, context);
  const shown = await showingOtherwise(connection, numbers, owners);
  const linked: Linked = {
    persons: [...new Set([...decided.persons, ...shown.map((one) => one.personId)])],
    relinked: [...new Set([...decided.relinked, ...shown.map((one) => one.recordId)])],
    cut: decided.cut,
  };
  if (context.affinityDomainOid === undefined) return linked;
  // With the decision itself: documents follow their person, and ids stand or are merged away, exactly as it says.
  if (linked.relinked.length > 0) await followPersons(connection, linked.persons, context.affinityDomainOid);
  const recordIds = patients.map((state) => state.recordId);
  await announceRecords(connection, recordIds, context.affinityDomainOid);
  return linked;
}

/** What made a person or an exam as it is now: the entries that touched it or the registrations under it. */
export type Told = (ids: readonly string[]) => SavedProvenance;

function provenanceOf(
  entries: readonly ClaimedEntry[],
  touchedBy: ReadonlyMap<string, readonly string[]>,
  context: { now: Date },
): Told {
  const byId = new Map(entries.map((entry) => [entry.journalId, entry]));
  return (ids) => {
    const journalIds = [...new Set(ids.flatMap((id) => touchedBy.get(id) ?? []))];
    const last = byId.get(journalIds.at(-1) ?? '');
    return { journalIds, site: last?.site ?? '', at: last?.receivedAt ?? context.now.toISOString() };
  };
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
  told: Told,
  context: { derive: Derivation; projection: Projection },
): Promise<void> {
  const persons = await personViews(connection, personIds);
  const exams = await examViews(connection, examIds, { derive: context.derive, instances: 'complete' });
  const resources: OwnedResource[] = [];
  for (const view of persons) resources.push(...own(`person|${view.personId}`, context.projection.person(view)));
  for (const view of exams) {
    // Resources name the registration's own person; who that is now is found when they are read (store/fhir-subject.ts).
    const personId = ownPerson(view.recordId, context.derive);
    resources.push(...own(`exam|${view.examId}`, context.projection.exam({ ...view, personId })));
    // Rendering many exams takes a while: senders are answered meanwhile.
    await new Promise((resolve) => setImmediate(resolve));
  }
  const owners = [...personIds.map((id) => `person|${id}`), ...[...examIds, ...retired].map((id) => `exam|${id}`)];
  if (owners.length === 0) return;
  const behind = new Map<string, readonly string[]>([
    ...persons.map((view) => [`person|${view.personId}`, view.records.map((one) => one.recordId)] as const),
    ...exams.map((view) => [`exam|${view.examId}`, [view.recordId, view.examId]] as const),
  ]);
  await saveResources(connection, owners, resources, (owner) =>
    told(behind.get(owner) ?? [owner.replace('exam|', '')]),
  );
}

const own = (owner: string, resources: readonly ProjectedResource[]): OwnedResource[] =>
  resources.map((resource) => ({ ...resource, owner }));
