/**
 * Metadata update (ITI TF-2 §3.57.4.1.3): new versions of entries and folders, changes of status, and associations
 * between what is registered. The operations of one message stand or fall together.
 */
import type {
  ApprovalStatus,
  DocumentAssociation,
  EntryId,
  RegistryErrorCode,
  RegistryObject,
  RegistryProblem,
  Submission,
  SubmissionSet,
} from './document.ts';
import { checkAssociation, checkPatients, link, registryError, sceneOf, submissionSetOf } from './document-register.ts';
import type { Around, Circumstances, Decided, Scene } from './document-register.ts';
import { metadataError } from './document-rules.ts';

const UPDATE_SLOTS: ReadonlySet<string> = new Set(['PreviousVersion', 'AssociationPropagation']);

/** Logical ids whose versions the decision needs. */
export const updatedLogicalIds = (submission: Submission): EntryId[] =>
  submission.objects.filter((one) => one.kind !== 'submission-set').map(({ lid }) => lid);

/** Registered ids that the operations change: whoever sent the message must be allowed to change them. */
export function changedIds(submission: Submission, around: Around): EntryId[] {
  const current = updatedLogicalIds(submission).flatMap((lid) => newest(around, lid)?.id ?? []);
  const status = submission.associations.filter(({ type }) => type === 'UpdateAvailabilityStatus');
  return [...current, ...status.map(({ target }) => target)];
}

interface Work {
  readonly submission: Submission;
  readonly around: Around;
  readonly scene: Scene;
  readonly set: SubmissionSet;
  readonly under: Circumstances;
  readonly objects: RegistryObject[];
  readonly associations: DocumentAssociation[];
  readonly status: Map<EntryId, ApprovalStatus>;
  readonly touched: Set<EntryId>;
  /** Ids of the associations of the message, and of those that an operation of its submission set is about. */
  readonly own: ReadonlySet<EntryId>;
  readonly submitted: ReadonlySet<EntryId>;
}

export function decideUpdate(submission: Submission, around: Around, under: Circumstances): Decided {
  const set = submissionSetOf(submission);
  if (!set) return { ok: false, problems: [metadataError('XDSSubmissionSet', 'There is no submission set.')] };
  const stored = new Set([...around.objects, ...around.associations].map(({ id }) => id));
  const problems: RegistryProblem[] =
    under.trusted || around.known.has(set.patientId)
      ? []
      : checkPatients({ objects: [], associations: [] }, around, set, false);
  for (const { id } of [...submission.objects, ...submission.associations])
    if (stored.has(id))
      problems.push(
        registryError('XDSMetadataIdentifierError', id, 'The registry already has an object with this id.'),
      );
  if (around.objects.some((one) => one.uniqueId === set.uniqueId))
    problems.push(registryError('XDSDuplicateUniqueIdInRegistry', set.id, 'The uniqueId is registered already.'));
  const work: Work = {
    submission,
    around,
    scene: sceneOf(submission, around, set),
    set,
    under,
    objects: [{ ...set, lid: set.id, version: 1, status: 'approved' }],
    associations: [],
    status: new Map(),
    touched: new Set(),
    own: new Set(submission.associations.map(({ id }) => id)),
    submitted: new Set(
      submission.associations
        .filter(({ source, type }) => source === set.id && (type === 'SubmitAssociation' || type === 'HasMember'))
        .map(({ target }) => target),
    ),
  };
  const steps = submission.associations.map((one) => operate(one, work));
  problems.push(...steps.flatMap((step) => step ?? []));
  const members = new Set(submission.associations.filter((one) => one.source === set.id).map(({ target }) => target));
  for (const one of submission.objects)
    if (one.kind !== 'submission-set' && !members.has(one.id))
      problems.push(registryError('XDSMetadataUpdateError', one.id, 'The submission set has no HasMember to it.'));
  if (problems.length === 0 && work.objects.length + work.associations.length + work.status.size === 1)
    problems.push(registryError('XDSMetadataUpdateError', set.id, 'The message asks for no operation.'));
  if (problems.length > 0) return { ok: false, problems: problems.slice(0, 100) };
  const { objects, associations, status, touched } = work;
  const insert = { objects, associations };
  return { ok: true, changes: { insert, status, touched: [...touched], at: under.at, patientId: set.patientId } };
}

/** One association of the message: those of the submission set ask for something, others come along with one that does. */
function operate(one: DocumentAssociation, work: Work): RegistryProblem[] | null {
  const { set } = work;
  const fail = (code: RegistryErrorCode, context: string): RegistryProblem[] => [registryError(code, one.id, context)];
  if (one.source !== set.id)
    return work.submitted.has(one.id)
      ? submitAssociation(one, work)
      : fail('XDSMetadataUpdateOperationError', 'No operation is about it.');
  if (one.type === 'UpdateAvailabilityStatus') return updateStatus(one, work, fail);
  const inMessage = work.own.has(one.target);
  if (one.type === 'SubmitAssociation' || (one.type === 'HasMember' && inMessage)) {
    if (!inMessage) return fail('XDSMetadataUpdateOperationError', 'The association is not in the message.');
    work.associations.push({ ...one, type: 'HasMember' });
    return null;
  }
  if (one.type !== 'HasMember') return fail('XDSMetadataUpdateOperationError', 'The operation is not known.');
  return updateObject(one, work, fail);
}

const TWICE = 'Another operation of the message changes the same object.';

type Fail = (code: RegistryErrorCode, context: string) => RegistryProblem[];

const slotOf = (one: DocumentAssociation, name: string): string | undefined =>
  one.extra.find((slot) => slot.name === name)?.values[0];

const newest = (around: Around, lid: EntryId): RegistryObject | undefined =>
  around.objects.filter((one) => one.lid === lid).sort((a, b) => b.version - a.version)[0];

function updateObject(one: DocumentAssociation, work: Work, fail: Fail): RegistryProblem[] | null {
  const made = work.submission.objects.find(({ id }) => id === one.target);
  if (!made || made.kind === 'submission-set')
    return fail('XDSMetadataUpdateOperationError', 'The new version is not in the message.');
  if (made.lid === made.id) return fail('XDSMetadataIdentifierError', 'The logical id of what is updated is missing.');
  const current = newest(work.around, made.lid);
  if (!current) return fail('XDSMetadataIdentifierError', 'There is no object with this logical id.');
  if (slotOf(one, 'PreviousVersion') !== String(current.version))
    return fail('XDSMetadataVersionError', 'PreviousVersion is not the version that stands.');
  if (current.status === 'deprecated')
    return fail('XDSMetadataUpdateOperationError', 'The version that stands is deprecated.');
  if (
    made.kind !== current.kind ||
    (made.kind === 'document' && current.kind === 'document' && made.entryType !== current.entryType)
  )
    return fail('XDSObjectTypeError', 'The objectType differs from that of the version that stands.');
  if (current.patientId !== work.set.patientId && made.patientId === current.patientId)
    return fail('XDSPatientIDReconciliationError', 'The submission set is of another patient.');
  const fixed =
    made.kind === 'document'
      ? (['patientId', 'uniqueId', 'hash', 'size', 'repositoryUniqueId'] as const)
      : (['patientId', 'uniqueId'] as const);
  const changed = fixed.find((name) => Reflect.get(made, name) !== Reflect.get(current, name));
  if (changed !== undefined) return fail('UnmodifiableMetadataError', `${changed} cannot be changed.`);
  if (work.status.has(current.id)) return fail('XDSMetadataUpdateOperationError', TWICE);
  const extra = one.extra.filter(({ name }) => !UPDATE_SLOTS.has(name));
  work.associations.push({ ...one, extra, submissionSetStatus: 'Original' });
  work.objects.push({
    ...made,
    version: current.version + 1,
    status: 'approved',
    ...(made.kind === 'folder' ? { lastUpdateTime: work.under.at } : {}),
  });
  work.status.set(current.id, 'deprecated');
  if (slotOf(one, 'AssociationPropagation')?.toLowerCase() !== 'no') propagate(current.id, made.id, work);
  return null;
}

/** What speaks of the old version speaks of the new one too (ITI TF-2 §3.57.4.1.3.3.1.3), but for how it came. */
function propagate(old: EntryId, made: EntryId, work: Work): void {
  const sets = new Set(work.around.objects.filter((one) => one.kind === 'submission-set').map(({ id }) => id));
  for (const one of work.around.associations) {
    if (one.status !== 'approved' || (one.source !== old && one.target !== old) || sets.has(one.source)) continue;
    const copy: DocumentAssociation = {
      ...one,
      id: work.under.draw(),
      source: one.source === old ? made : one.source,
      target: one.target === old ? made : one.target,
    };
    work.associations.push(copy, link('HasMember', work.set.id, copy.id, work.under.draw));
  }
}

function updateStatus(one: DocumentAssociation, work: Work, fail: Fail): RegistryProblem[] | null {
  const { around, set } = work;
  const object = around.objects.find(({ id }) => id === one.target);
  const association = around.associations.find(({ id }) => id === one.target);
  const target = object ?? association;
  if (!target) return fail('UnresolvedReferenceException', 'There is no such object.');
  if (object?.kind === 'submission-set')
    return fail('XDSMetadataUpdateOperationError', 'The status of a submission set does not change.');
  // An association is theirs whose its source is.
  const owner = object ?? around.objects.find(({ id }) => id === association?.source);
  if (owner && owner.patientId !== set.patientId)
    return fail('XDSPatientIDReconciliationError', 'The submission set is of another patient.');
  if (object && newest(around, object.lid)?.id !== object.id)
    return fail('XDSMetadataVersionError', 'It is not the version that stands.');
  const [from, to] = [statusIn(one, 'OriginalStatus'), statusIn(one, 'NewStatus')];
  if (from === null || to === null)
    return fail('XDSMetadataUpdateOperationError', 'OriginalStatus and NewStatus must be Approved or Deprecated.');
  if (target.status !== from) return fail('XDSMetadataUpdateOperationError', 'The status is not OriginalStatus.');
  if (work.status.has(one.target)) return fail('XDSMetadataUpdateOperationError', TWICE);
  work.status.set(one.target, to);
  return null;
}

/** The URN of ebRIM, by its last word: the rest is the mapping's. */
function statusIn(one: DocumentAssociation, name: string): ApprovalStatus | null {
  const word = /^urn:oasis:names:tc:ebxml-regrep:StatusType:(Approved|Deprecated)$/.exec(slotOf(one, name) ?? '')?.[1];
  return word === undefined ? null : word === 'Approved' ? 'approved' : 'deprecated';
}

/** An association between registered objects (ITI TF-2 §3.57.4.1.3.3.5); it deprecates nothing. */
function submitAssociation(one: DocumentAssociation, work: Work): RegistryProblem[] | null {
  const { stored } = work.scene;
  const [source, target] = [stored.get(one.source), stored.get(one.target)];
  const fail = (code: RegistryErrorCode, context: string): RegistryProblem[] => [registryError(code, one.id, context)];
  if (!source || !target) return fail('UnresolvedReferenceException', 'Source or target is not registered.');
  if (source.patientId !== work.set.patientId)
    return fail('XDSPatientIDReconciliationError', 'The submission set is of another patient.');
  if (source.status !== 'approved' || target.status !== 'approved')
    return fail('XDSMetadataUpdateOperationError', 'Source or target is deprecated.');
  // The rules of registration take sources of the message: there, a registered one stands for it.
  const scene: Scene = { ...work.scene, own: new Map([[source.id, source]]) };
  const problems = checkAssociation(one, scene);
  if (problems.length > 0) return problems;
  work.associations.push({ ...one, status: 'approved' });
  if (source.kind === 'folder') work.touched.add(source.id);
  return null;
}
