/**
 * The Imaging Document Source (IHE RAD TF-3 §4.68): what the index says of an exam becomes documents of the affinity
 * domain without anybody's work. It makes the registry agree with the exam as it stands now, so it may run at any time, in
 * any order and any number of times; the outbox calls it after each decision that may matter.
 */
import type { DocumentEntry, PatientCx, Registered, RegistryProblem, Submission } from '../core/document.ts';
import type { AffinityPatients, DocumentRegistry } from '../core/document-ports.ts';
import type { HubId } from '../core/identifier.ts';
import type { DocumentStore } from '../core/ingest.ts';
import type { PublishableExams } from '../core/outbox.ts';
import type { Log, ObjectStore } from '../core/ports.ts';
import type { ExamView, ListedSeries } from '../core/view.ts';
import { TYPE } from '../../mappings/codes/document.ts';
import { dtm } from '../../mappings/xds/document-fields.ts';
import { imagingDocuments, slotsOf } from '../../mappings/xds/imaging-documents.ts';
import type {
  DocumentContext,
  ImagingDocument,
  ImagingDocuments,
  Listings,
  Slot,
} from '../../mappings/xds/imaging-documents.ts';
import { entryIdOf, metadataUpdate, planPublication, registration, withdrawal } from './publication-plan.ts';
import type { KeptDocument, Plan, SetContext, Standing } from './publication-plan.ts';
import type { OwnSubmission, RecordSubmission } from './record-call.ts';

export interface PublishDeps {
  readonly exams: PublishableExams;
  readonly registry: Pick<DocumentRegistry, 'byLogicalId' | 'register' | 'update'>;
  readonly patients: Pick<AffinityPatients, 'idsOf' | 'personsOf'>;
  readonly documents: DocumentStore;
  readonly objects: Pick<ObjectStore, 'readAll'>;
  readonly record: RecordSubmission;
  readonly context: DocumentContext;
  readonly clock: () => Date;
  readonly log: Log;
}

/** Makes the registry agree with this exam; `examId` may be one that it had before it was united with another. */
export type PublishDocuments = (examId: HubId) => Promise<void>;

const NOTHING: ImagingDocuments = { documents: [], waiting: [] };

export function createPublishDocuments(deps: PublishDeps): PublishDocuments {
  return async (examId) => {
    const exam = await deps.exams.exam(examId);
    // No patient owns it yet, so nothing of it was ever published; its patient's message will ask again.
    if (exam === null) return;
    const patientId = (await deps.patients.idsOf([exam.personId])).get(exam.personId);
    if (patientId === undefined) throw new Error('a person of the index has no affinity-domain id');
    const { documents, waiting } =
      exam.examId === examId ? imagingDocuments(exam, deps.context, await listingsOf(exam, deps.objects)) : NOTHING;
    const kept = await keepAll(documents, deps.documents);
    const standing = await readStanding(examId, slotsOf(exam), deps);
    const plan = planPublication(examId, patientId, kept, waiting, standing, deps.context.derive);
    await carryOut(examId, exam, patientId, plan, deps);
  };
}

async function listingsOf(exam: ExamView, objects: PublishDeps['objects']): Promise<Listings> {
  const listings = new Map<string, readonly ListedSeries[]>();
  for (const { studyUid, listing } of exam.manifests)
    // Written by flow/list-kept-study.ts and by nobody else.
    if (listing !== undefined)
      listings.set(studyUid, JSON.parse((await objects.readAll(listing)).toString('utf8')) as ListedSeries[]);
  return listings;
}

async function keepAll(documents: readonly ImagingDocument[], store: DocumentStore): Promise<KeptDocument[]> {
  const kept: KeptDocument[] = [];
  for (const document of documents) {
    const { content } = document;
    if (content.kind === 'kept') kept.push({ document, ...content });
    else kept.push({ document, ...(await store.put(document.entry.mimeType, content.bytes)) });
  }
  return kept;
}

/** Entry ids that are asked for at once in each slot: few reports are revised more often. */
const BATCH = 4;

/** What the registry holds in each slot. Ids follow from their number, so a slot's last entry is where the next is missing. */
async function readStanding(examId: HubId, slots: readonly Slot[], deps: PublishDeps): Promise<Standing[]> {
  const { derive } = deps.context;
  const found = new Map<Slot, { generations: number; approved: DocumentEntry[] }>();
  let open = slots;
  for (let from = 0; open.length > 0; from += BATCH) {
    const wanted = open.flatMap((slot) =>
      Array.from({ length: BATCH }, (_, at) => ({
        slot,
        generation: from + at,
        id: entryIdOf(examId, slot, from + at, derive),
      })),
    );
    const objects = await deps.registry.byLogicalId(wanted.map(({ id }) => id));
    const entries = objects.filter((object) => object.kind === 'document');
    const more = new Set<Slot>();
    for (const { slot, generation, id } of wanted) {
      const versions = entries.filter((entry) => entry.lid === id);
      if (versions.length === 0) continue;
      const at = found.get(slot) ?? { generations: 0, approved: [] };
      found.set(slot, {
        generations: generation + 1,
        approved: [...at.approved, ...versions.filter(({ status }) => status === 'approved')],
      });
      // One that somebody removed leaves a hole (ITI-62): only a whole batch of none is the end.
      more.add(slot);
    }
    open = open.filter((slot) => more.has(slot));
  }
  return slots.map((slot) => ({ slot, ...(found.get(slot) ?? { generations: 0, approved: [] }) }));
}

const HUB = { sender: 'hub', anybodys: true } as const;

async function carryOut(
  examId: HubId,
  exam: ExamView,
  patientId: PatientCx,
  plan: Plan,
  deps: PublishDeps,
): Promise<void> {
  const { registry, log } = deps;
  const context = setContext(exam, deps);
  // First out, then in: a document that is missing for a moment does less harm than one under the wrong person.
  for (const [patient, entries] of plan.withdrawals) {
    const submission = withdrawal(patient, entries, context);
    await recorded(deps, 'ITI-57', patient, submission, () => registry.update(submission, HUB));
  }
  if (plan.updates.length > 0) {
    const submission = metadataUpdate(patientId, plan.updates, context);
    await recorded(deps, 'ITI-57', patientId, submission, () => registry.update(submission, HUB));
  }
  if (plan.additions.length > 0) {
    const documents = plan.additions.map(({ bytes }) => bytes);
    const submission = registration(patientId, plan.additions, context);
    await recorded(deps, 'ITI-41', patientId, submission, () =>
      registry.register(submission, { ...HUB, documents, trusted: true }),
    );
  }
  const withdrawn = [...plan.withdrawals.values()].reduce((sum, { length }) => sum + length, 0);
  const [registered, updated] = [plan.additions.length, plan.updates.length];
  if (withdrawn + registered + updated > 0)
    log.info({ examId, registered, updated, withdrawn }, 'documents of an exam published');
}

/**
 * In the audit before it is done, and once more where it was refused. The outbox tries again: what was refused because
 * another worker was faster is then found done.
 */
async function recorded(
  { record, patients }: PublishDeps,
  transaction: OwnSubmission['transaction'],
  patientId: PatientCx,
  submission: Submission,
  act: () => Promise<Registered>,
): Promise<void> {
  const own = { transaction, submission, persons: [...(await patients.personsOf([patientId])).values()] };
  await record(own);
  const registered = await act();
  if (registered.ok) return;
  const codes = codesOf(registered.problems);
  await record(own, codes);
  throw new Error(`the registry refused: ${codes}`);
}

const codesOf = (problems: readonly RegistryProblem[]): string =>
  [...new Set(problems.map(({ code, location }) => (location === undefined ? code : `${code} at ${location}`)))]
    .slice(0, 5)
    .join(', ');

function setContext(exam: ExamView, { context, clock }: PublishDeps): SetContext {
  const site = context.site(exam.site);
  return {
    derive: context.derive,
    sourceId: context.repositoryOid,
    submissionTime: dtm(clock().toISOString()),
    authors: [{ institutions: [site?.name ?? exam.site], roles: [], specialties: [], telecoms: [] }],
    contentType: TYPE.imagingStudy,
    title: '影像文档',
  };
}
