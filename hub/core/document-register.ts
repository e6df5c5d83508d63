/**
 * Whether a submission may be registered, and what it changes (ITI TF-2 §3.42.4.1.3, TF-3 §4.2.2 and §4.2.3.4): its
 * metadata is well-formed already and its ids are real; here it meets what the registry holds. Pure: the same for every
 * way in, and for tests without a database.
 */
import type {
  ApprovalStatus,
  DocumentAssociation,
  DocumentEntry,
  EntryId,
  PatientCx,
  RegistryErrorCode,
  RegistryObject,
  RegistryProblem,
  Submission,
  SubmissionSet,
} from './document.ts';
import { metadataError } from './document-rules.ts';

/** What the registry holds around a submission. */
export interface Around {
  /** Objects that the submission names, whose uniqueId or id it uses, and those that hang on what it replaces. */
  readonly objects: readonly RegistryObject[];
  /** Associations with one of the named or replaced objects as source or target, and associations named as target. */
  readonly associations: readonly DocumentAssociation[];
  readonly known: ReadonlySet<PatientCx>;
  /** Documents that the repository holds under the unique ids of the submission: they outlive their entries (ITI-62). */
  readonly filed?: readonly Filed[];
}

interface Filed {
  readonly uniqueId: string;
  readonly hash: string;
  readonly size: number;
}

export interface RegistryChanges {
  readonly insert: Submission;
  readonly status: ReadonlyMap<EntryId, ApprovalStatus>;
  /** Folders whose lastUpdateTime becomes `at`, 14 digits. */
  readonly touched: readonly EntryId[];
  readonly at: string;
  /** The key of what is inserted. */
  readonly patientId: PatientCx;
}

export type Decided =
  | { readonly ok: true; readonly changes: RegistryChanges }
  | { readonly ok: false; readonly problems: readonly RegistryProblem[] };

export interface Circumstances {
  /** The hub's own submissions may speak of patients that no feed announced. */
  readonly trusted: boolean;
  /** DTM of 14 digits, UTC. */
  readonly at: string;
  readonly draw: () => EntryId;
}

const REPLACING: ReadonlySet<string> = new Set(['RPLC', 'XFRM_RPLC']);
/** What falls with the document on which it hangs. */
const DEPENDENT: ReadonlySet<string> = new Set(['APND', 'XFRM']);

export const registryError = (code: RegistryErrorCode, location: string, context: string): RegistryProblem => ({
  code,
  severity: 'error',
  context,
  location,
});

export const submissionSetOf = (submission: Submission): SubmissionSet | undefined =>
  submission.objects.find((one) => one.kind === 'submission-set');

/** Ids that the registry is asked for before the decision. */
export function namedIds(submission: Submission): EntryId[] {
  const own = [...submission.objects, ...submission.associations].map(({ id }) => id);
  return [...new Set([...own, ...submission.associations.flatMap(({ source, target }) => [source, target])])];
}

/** Documents that the submission replaces: what is around them is needed as well. */
export const replacedIds = (submission: Submission): EntryId[] =>
  submission.associations.filter(({ type }) => REPLACING.has(type)).map(({ target }) => target);

export function decideRegistration(submission: Submission, around: Around, under: Circumstances): Decided {
  const set = submissionSetOf(submission);
  if (!set) return { ok: false, problems: [metadataError('XDSSubmissionSet', 'There is no submission set.')] };
  const scene = sceneOf(submission, around, set);
  const problems = [
    ...checkPatients(submission, around, set, under.trusted),
    ...checkUnique(submission, around),
    ...submission.associations.flatMap((one) => checkAssociation(one, scene)),
    ...checkMembership(submission, set),
    ...checkReplacedOnce(submission),
  ];
  if (problems.length > 0) return { ok: false, problems: problems.slice(0, 100) };
  return { ok: true, changes: changesOf(submission, around, set, under) };
}

export interface Scene {
  readonly set: SubmissionSet;
  readonly own: ReadonlyMap<EntryId, RegistryObject>;
  readonly ownAssociations: ReadonlyMap<EntryId, DocumentAssociation>;
  readonly stored: ReadonlyMap<EntryId, RegistryObject>;
  readonly storedAssociations: ReadonlyMap<EntryId, DocumentAssociation>;
}

export const sceneOf = (submission: Submission, around: Around, set: SubmissionSet): Scene => ({
  set,
  own: new Map(submission.objects.map((one) => [one.id, one])),
  ownAssociations: new Map(submission.associations.map((one) => [one.id, one])),
  stored: new Map(around.objects.map((one) => [one.id, one])),
  storedAssociations: new Map(around.associations.map((one) => [one.id, one])),
});

export function checkPatients(
  submission: Submission,
  around: Around,
  set: SubmissionSet,
  trusted: boolean,
): RegistryProblem[] {
  if (!trusted && !around.known.has(set.patientId))
    return [
      registryError('XDSUnknownPatientId', 'XDSSubmissionSet.patientId', 'No feed has announced this patient id.'),
    ];
  return submission.objects
    .filter((one) => one.patientId !== set.patientId)
    .map((one) =>
      registryError('XDSPatientIdDoesNotMatch', one.id, 'The patient is not the patient of the submission set.'),
    );
}

/** ITI TF-2 §3.42.4.1.3.3: a document may come twice if it is the same to the byte; sets and folders may not. */
function checkUnique(submission: Submission, around: Around): RegistryProblem[] {
  const problems: RegistryProblem[] = [];
  const ids = new Set<string>([...around.objects, ...around.associations].map(({ id }) => id));
  for (const { id } of [...submission.objects, ...submission.associations])
    if (ids.has(id)) problems.push(metadataError(id, 'The registry already has an object with this id.'));
  const stored = new Map<string, RegistryObject[]>();
  for (const one of around.objects) stored.set(one.uniqueId, [...(stored.get(one.uniqueId) ?? []), one]);
  const filed = new Map((around.filed ?? []).map((one) => [one.uniqueId, one]));
  for (const own of submission.objects) {
    const others = stored.get(own.uniqueId) ?? [];
    if (others.some((other) => own.kind !== 'document' || other.kind !== 'document'))
      problems.push(registryError('XDSDuplicateUniqueIdInRegistry', own.id, 'The uniqueId is registered already.'));
    else if (own.kind === 'document')
      problems.push(
        ...checkContent(own, [...documentsOf({ objects: others, associations: [] }), filed.get(own.uniqueId)]),
      );
  }
  return problems;
}

/** One unique id is one content, for ever: whoever asks for it must not get another's. */
function checkContent(
  own: DocumentEntry,
  others: readonly (Pick<DocumentEntry, 'hash' | 'size'> | undefined)[],
): RegistryProblem[] {
  const here = others.filter((other) => other !== undefined);
  if (here.some(({ hash }) => hash !== own.hash))
    return [registryError('XDSNonIdenticalHash', own.id, 'The document is here with another hash.')];
  if (here.some(({ size }) => size !== own.size))
    return [registryError('XDSNonIdenticalSize', own.id, 'The document is here with another size.')];
  return [];
}

/** One association against its two ends; empty: it may stand. */
export function checkAssociation(one: DocumentAssociation, scene: Scene): RegistryProblem[] {
  const wrong = (context: string): RegistryProblem[] => [metadataError(one.id, `${one.type}: ${context}`)];
  if (one.source === one.target) return wrong('source and target are the same.');
  const unknown = [one.source, one.target].some(
    (id) =>
      !scene.own.has(id) &&
      !scene.stored.has(id) &&
      !scene.ownAssociations.has(id) &&
      !scene.storedAssociations.has(id),
  );
  if (unknown) return wrong('source or target is neither in the message nor in the registry.');
  if (one.documentation && one.type === 'HasMember') return wrong('it takes no documentation.');
  if (one.type === 'HasMember') return checkMember(one, scene, wrong);
  if (one.type === 'UpdateAvailabilityStatus' || one.type === 'SubmitAssociation')
    return wrong('it belongs to metadata update.');
  return checkRelation(one, scene, wrong);
}

type Wrong = (context: string) => RegistryProblem[];

const mismatch = (id: EntryId): RegistryProblem[] => [
  registryError('XDSPatientIdDoesNotMatch', id, 'The association joins different patients.'),
];

function checkMember(one: DocumentAssociation, scene: Scene, wrong: Wrong): RegistryProblem[] {
  const source = scene.own.get(one.source) ?? scene.stored.get(one.source);
  const target = scene.own.get(one.target) ?? scene.stored.get(one.target);
  if (source?.kind === 'submission-set') {
    if (source.id !== scene.set.id) return wrong('the source is not the submission set of the message.');
    if (target?.kind === 'submission-set') return wrong('a submission set is no member of another.');
    if (target?.kind === 'folder' && target.patientId !== scene.set.patientId) return mismatch(one.id);
    if (target?.kind !== 'document') return [];
    const reference = one.submissionSetStatus === 'Reference';
    if (one.submissionSetStatus === undefined) return wrong('SubmissionSetStatus is required.');
    if (reference === scene.own.has(target.id))
      return wrong('Original is for documents of the message, Reference for those of the registry.');
    return [];
  }
  if (source?.kind !== 'folder') return wrong('only submission sets and folders have members.');
  if (target?.kind !== 'document') return wrong('only documents are members of a folder.');
  if (source.patientId !== target.patientId || source.patientId !== scene.set.patientId) return mismatch(one.id);
  if (source.status === 'deprecated') return wrong('the folder is deprecated.');
  return [];
}

function checkRelation(one: DocumentAssociation, scene: Scene, wrong: Wrong): RegistryProblem[] {
  const source = scene.own.get(one.source);
  const target = scene.own.get(one.target) ?? scene.stored.get(one.target);
  const inside = scene.own.has(one.target);
  if (source?.kind !== 'document') return wrong('the source must be a document of the message.');
  if (target?.kind !== 'document' && !(one.type === 'signs' && target?.kind === 'submission-set'))
    return wrong('the target must be a document.');
  if (inside && (REPLACING.has(one.type) || one.type === 'IsSnapshotOf'))
    return wrong('the target must be in the registry.');
  if (target.patientId !== source.patientId) return mismatch(one.id);
  if (one.type === 'signs') return [];
  if (target.status === 'deprecated')
    return [registryError('XDSRegistryDeprecatedDocumentError', one.id, `${one.type}: the target is deprecated.`)];
  if (one.type === 'IsSnapshotOf' && !(source.entryType === 'stable' && isOnDemand(target)))
    return wrong('a stable document is the snapshot of an on-demand one.');
  return [];
}

const isOnDemand = (object: RegistryObject): boolean => object.kind === 'document' && object.entryType === 'on-demand';

/** ITI TF-3 §4.2.1.4: whatever comes hangs on the submission set, and so does each new membership in a folder. */
export function checkMembership(submission: Submission, set: SubmissionSet): RegistryProblem[] {
  const members = new Map<EntryId, number>();
  for (const one of submission.associations)
    if (one.type === 'HasMember' && one.source === set.id) members.set(one.target, (members.get(one.target) ?? 0) + 1);
  const loose = [
    ...submission.objects.filter((one) => one.kind !== 'submission-set'),
    ...submission.associations.filter((one) => one.type === 'HasMember' && one.source !== set.id),
  ].filter(({ id }) => !members.has(id));
  const twice = [...members].filter(([, count]) => count > 1);
  return [
    ...loose.map(({ id }) => metadataError(id, 'The submission set has no HasMember to it.')),
    ...twice.map(([id]) => metadataError(id, 'The submission set has it as a member twice.')),
  ];
}

function checkReplacedOnce(submission: Submission): RegistryProblem[] {
  const replaced = replacedIds(submission);
  return replaced
    .filter((id, at) => replaced.indexOf(id) !== at)
    .map((id) => metadataError(id, 'Two documents of the message replace the same one.'));
}

function changesOf(submission: Submission, around: Around, set: SubmissionSet, under: Circumstances): RegistryChanges {
  const replaced = replacedIds(submission);
  const status = new Map<EntryId, ApprovalStatus>(
    [...replaced, ...dependants(replaced, around)].map((id) => [id, 'deprecated'] as const),
  );
  const carried = carriedMemberships(submission, around, set, under.draw);
  const associations = [...submission.associations, ...carried].map((one): DocumentAssociation => ({
    ...one,
    status: 'approved',
  }));
  const folders = new Set(around.objects.filter((one) => one.kind === 'folder').map(({ id }) => id));
  const touched = associations
    .filter((one) => one.type === 'HasMember' && folders.has(one.source))
    .map(({ source }) => source);
  const objects = submission.objects.map((one): RegistryObject => ({
    ...one,
    lid: one.id,
    version: 1,
    status: 'approved',
    ...(one.kind === 'folder' ? { lastUpdateTime: under.at } : {}),
  }));
  return {
    insert: { objects, associations },
    status,
    touched: [...new Set(touched)],
    at: under.at,
    patientId: set.patientId,
  };
}

/** Addenda and transformations of what falls, and theirs (ITI TF-3 §4.2.2.2.3). */
export function dependants(fallen: readonly EntryId[], around: Around): EntryId[] {
  const found = new Set<EntryId>(fallen);
  const sources = new Map<EntryId, EntryId[]>();
  for (const one of around.associations)
    if (DEPENDENT.has(one.type)) sources.set(one.target, [...(sources.get(one.target) ?? []), one.source]);
  const left = [...fallen];
  for (let next = left.pop(); next !== undefined; next = left.pop())
    for (const source of sources.get(next) ?? []) {
      if (found.has(source)) continue;
      found.add(source);
      left.push(source);
    }
  return [...found].filter((id) => !fallen.includes(id));
}

/** The new document enters every folder in which the replaced one is (ITI TF-2 §3.42.4.1.3.3.3). */
function carriedMemberships(
  submission: Submission,
  around: Around,
  set: SubmissionSet,
  draw: () => EntryId,
): DocumentAssociation[] {
  const carried: DocumentAssociation[] = [];
  const standing = new Set(
    around.objects.filter((one) => one.kind === 'folder' && one.status === 'approved').map(({ id }) => id),
  );
  const has = new Set(submission.associations.map(({ source, target }) => `${source} ${target}`));
  for (const { source, target, type } of submission.associations) {
    if (!REPLACING.has(type)) continue;
    for (const member of around.associations) {
      if (member.type !== 'HasMember' || member.target !== target || !standing.has(member.source)) continue;
      const pair = `${member.source} ${source}`;
      if (member.status !== 'approved' || has.has(pair)) continue;
      has.add(pair);
      const made = link('HasMember', member.source, source, draw);
      carried.push(made, link('HasMember', set.id, made.id, draw));
    }
  }
  return carried;
}

export const link = (
  type: DocumentAssociation['type'],
  source: EntryId,
  target: EntryId,
  draw: () => EntryId,
): DocumentAssociation => ({ id: draw(), type, source, target, status: 'approved', extra: [] });

/** The document entries of a submission. */
export const documentsOf = (submission: Submission): DocumentEntry[] =>
  submission.objects.filter((one) => one.kind === 'document');
