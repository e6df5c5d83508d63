/**
 * One reader a stored query, by the UUID that names it: which parameters it takes, which it must have, and what they
 * become (ITI TF-2 §3.18.4.1.2.3.7, §3.51.4.1.2.3; XDS Metadata Update §3.18.4.1.2.3.5.1.2). Parameters that a query does not know are passed over.
 */
import type { AndOr, CodeToken, DocumentCriteria, FolderCriteria } from '../../hub/core/document-ports.ts';
import type { ApprovalStatus, DocumentEntry, PatientCx } from '../../hub/core/document.ts';
import { ASSOCIATIONS, ENTRY_TYPES, STATUSES } from './ebrim-names.ts';
import type { Parameters } from './stored-query-parameters.ts';
import type { ContentFilter, ObjectKey, QueryDoor, StoredQuery, UpdateView } from './stored-query.ts';
import { parseCode, parseEntryId, parsePatientCx } from './stored-query-value.ts';

const DOC = '$XDSDocumentEntry';
const SET = '$XDSSubmissionSet';
const FOLDER = '$XDSFolder';

/** By URN, as core names them; values that the profile does not know match nothing and are left out of the list. */
function named<Name extends string>(values: readonly string[], urns: Readonly<Record<Name, string>>): Name[] {
  const names = Object.keys(urns) as Name[];
  return values.flatMap((value) => names.find((name) => urns[name] === value) ?? []);
}

const CODE = 'a code as code^^scheme';

const REQUIRED = { required: true };

const status = (p: Parameters, name: string): ApprovalStatus[] => named(p.many(name, REQUIRED), STATUSES);

const entryTypes = (p: Parameters): DocumentEntry['entryType'][] =>
  p.has(`${DOC}Type`) ? named(p.many(`${DOC}Type`), ENTRY_TYPES) : ['stable'];

/** An absent criterion is absent, never undefined. */
export const field = <Key extends string, T>(key: Key, value: T | undefined): Partial<Record<Key, T>> =>
  (value === undefined ? {} : { [key]: value }) as Partial<Record<Key, T>>;

export function codes(p: Parameters, name: string): readonly CodeToken[] | undefined {
  const values = p.many(name);
  return values.length === 0 ? undefined : p.parsed(name, values, parseCode, CODE);
}

export function andOrCodes(p: Parameters, name: string): AndOr<CodeToken> | undefined {
  const groups = p.andOr(name);
  return groups.length === 0 ? undefined : groups.map((group) => p.parsed(name, group, parseCode, CODE));
}

const patients = (p: Parameters, name: string, values: readonly string[]): readonly PatientCx[] =>
  p.parsed(name, values, parsePatientCx, 'a patient id as id^^^&oid&ISO');

function onePatient(p: Parameters, name: string): readonly PatientCx[] {
  const value = p.one(name, REQUIRED);
  return value === undefined ? [] : patients(p, name, [value]);
}

function view(p: Parameters): UpdateView {
  const level = p.one('$MetadataLevel') ?? '1';
  if (level !== '1' && level !== '2') p.note('XDSRegistryError', 'The $MetadataLevel is 1 or 2.', '$MetadataLevel');
  const name = '$XDSAssociationStatus';
  return {
    metadataLevel: level === '2' ? 2 : 1,
    associationStatus: p.has(name) ? named(p.many(name), STATUSES) : ['approved'],
  };
}

const content = (p: Parameters): ContentFilter => ({
  entryTypes: entryTypes(p),
  ...field('formatCode', codes(p, `${DOC}FormatCode`)),
  ...field('confidentiality', andOrCodes(p, `${DOC}ConfidentialityCode`)),
});

function documentCriteria(p: Parameters, patientIds: readonly PatientCx[]): DocumentCriteria {
  const authors = p.many(`${DOC}AuthorPerson`);
  return {
    patientIds,
    status: status(p, `${DOC}Status`),
    ...content(p),
    ...field('classCode', codes(p, `${DOC}ClassCode`)),
    ...field('typeCode', codes(p, `${DOC}TypeCode`)),
    ...field('facilityType', codes(p, `${DOC}HealthcareFacilityTypeCode`)),
    ...field('practiceSetting', codes(p, `${DOC}PracticeSettingCode`)),
    ...field('eventCodes', andOrCodes(p, `${DOC}EventCodeList`)),
    ...(authors.length === 0 ? {} : { authorPerson: authors }),
    ...field('creationTime', p.range(`${DOC}CreationTime`)),
    ...field('serviceStartTime', p.range(`${DOC}ServiceStartTime`)),
    ...field('serviceStopTime', p.range(`${DOC}ServiceStopTime`)),
  };
}

const referenceIds = (p: Parameters): { referenceIds: AndOr<string> } => ({
  referenceIds: p.andOr(`${DOC}ReferenceIdList`, REQUIRED),
});

function folderCriteria(p: Parameters, patientIds: readonly PatientCx[]): FolderCriteria {
  return {
    patientIds,
    status: status(p, `${FOLDER}Status`),
    ...field('lastUpdateTime', p.range(`${FOLDER}LastUpdateTime`)),
    ...field('codes', andOrCodes(p, `${FOLDER}CodeList`)),
  };
}

/** ITI TF-2 §3.51.4.1.2.3.1: without a patient, something else must narrow the answer. */
function narrowed(p: Parameters, names: readonly string[]): void {
  if (!names.some((name) => p.has(name)))
    p.note('XDSStoredQueryMissingParam', `One of ${names.join(', ')} is required.`);
}

/** Exactly one way of naming the object: none is missing, more than one is too many (ITI TF-2 §3.18.4.1.2.3.7.5). */
function objectKey(p: Parameters, stem: string, of: { readonly many: boolean; readonly logical?: boolean }): ObjectKey {
  const names = [`${stem}EntryUUID`, `${stem}UniqueId`, ...(of.logical === true ? [`${stem}LogicalID`] : [])];
  const given = names.filter((name) => p.has(name));
  const [name = ''] = given;
  if (given.length === 0) p.note('XDSStoredQueryMissingParam', `One of ${names.join(', ')} is required.`);
  if (given.length > 1) p.note('XDSStoredQueryParamNumber', `Only one of ${given.join(', ')} may be given.`);
  const single = of.many ? undefined : p.one(name);
  const values = of.many ? p.many(name) : single === undefined ? [] : [single];
  if (name === `${stem}UniqueId`) return { by: 'unique-id', uniqueIds: values };
  return { by: name === `${stem}LogicalID` ? 'logical-id' : 'id', ids: entryIds(values) };
}

const entryIds = (values: readonly string[]): NonNullable<ReturnType<typeof parseEntryId>>[] => [
  ...new Set(values.flatMap((value) => parseEntryId(value) ?? [])),
];

const MANY = { many: true, logical: true };
const ONE = { many: false };

interface Reader {
  readonly door: QueryDoor;
  readonly read: (p: Parameters) => StoredQuery;
}

const stored = (uuid: string, read: Reader['read']): [string, Reader] => [
  `urn:uuid:${uuid}`,
  { door: 'stored-query', read },
];
const multiPatient = (uuid: string, read: Reader['read']): [string, Reader] => [
  `urn:uuid:${uuid}`,
  { door: 'multi-patient', read },
];

export const READERS: ReadonlyMap<string, Reader> = new Map([
  stored('14d4debf-8f97-4251-9a74-a90016b0af0d', (p) => ({
    name: 'FindDocuments',
    view: view(p),
    criteria: documentCriteria(p, onePatient(p, `${DOC}PatientId`)),
  })),
  stored('12941a89-e02e-4be5-967c-ce4bfc8fe492', (p) => ({
    name: 'FindDocumentsByReferenceId',
    view: view(p),
    criteria: { ...documentCriteria(p, onePatient(p, `${DOC}PatientId`)), ...referenceIds(p) },
  })),
  stored('f26abbcb-ac74-4422-8a30-edb644bbc1a9', (p) => ({
    name: 'FindSubmissionSets',
    view: view(p),
    criteria: submissionSetCriteria(p),
  })),
  stored('958f3006-baad-4929-a4de-ff1114824431', (p) => ({
    name: 'FindFolders',
    view: view(p),
    criteria: folderCriteria(p, onePatient(p, `${FOLDER}PatientId`)),
  })),
  stored('10b545ea-725c-446d-9b95-8aeb444eddf3', getAll),
  stored('5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4', (p) => ({
    name: 'GetDocuments',
    view: view(p),
    key: objectKey(p, DOC, MANY),
  })),
  stored('5737b14c-8a1a-4539-b659-e03a34a5e1e4', (p) => ({
    name: 'GetFolders',
    view: view(p),
    key: objectKey(p, FOLDER, MANY),
  })),
  stored('a7ae438b-4bc2-4642-93e9-be891f7bb155', (p) => ({
    name: 'GetAssociations',
    view: view(p),
    ids: entryIds(p.many('$uuid', REQUIRED)),
  })),
  stored('bab9529a-4a10-40b3-a01f-f68a615d247a', (p) => ({
    name: 'GetDocumentsAndAssociations',
    view: view(p),
    key: objectKey(p, DOC, { many: true }),
  })),
  stored('51224314-5390-4169-9b91-b1980040715a', (p) => ({
    name: 'GetSubmissionSets',
    view: view(p),
    ids: entryIds(p.many('$uuid', REQUIRED)),
  })),
  stored('e8e3cb2c-e39c-46b9-99e4-c12f57260b83', (p) => ({
    name: 'GetSubmissionSetAndContents',
    view: view(p),
    key: objectKey(p, SET, ONE),
    content: content(p),
  })),
  stored('b909a503-523d-4517-8acf-8e5834dfc4c7', (p) => ({
    name: 'GetFolderAndContents',
    view: view(p),
    key: objectKey(p, FOLDER, ONE),
    content: content(p),
  })),
  stored('10cae35a-c7f9-4cf5-b61e-fc3278ffb578', (p) => ({
    name: 'GetFoldersForDocument',
    view: view(p),
    key: objectKey(p, DOC, ONE),
  })),
  stored('d90e5407-b356-4d91-a89f-873917b4b0e6', (p) => ({
    name: 'GetRelatedDocuments',
    view: view(p),
    key: objectKey(p, DOC, ONE),
    associationTypes: named(p.many('$AssociationTypes', REQUIRED), ASSOCIATIONS),
    entryTypes: entryTypes(p),
  })),
  multiPatient('3d1bdb10-39a2-11de-89c2-2f44d94eaa9f', (p) => {
    narrowed(p, [`${DOC}PatientId`, `${DOC}ClassCode`, `${DOC}EventCodeList`, `${DOC}HealthcareFacilityTypeCode`]);
    return {
      name: 'FindDocumentsForMultiplePatients',
      view: view(p),
      criteria: documentCriteria(p, manyPatients(p, DOC)),
    };
  }),
  multiPatient('1191642d-86c4-42d8-b784-f95445f9f0d5', (p) => ({
    name: 'FindDocumentsByReferenceIdForMultiplePatients',
    view: view(p),
    criteria: { ...documentCriteria(p, manyPatients(p, DOC)), ...referenceIds(p) },
  })),
  multiPatient('50d3f5ac-39a2-11de-a1ca-b366239e58df', (p) => {
    narrowed(p, [`${FOLDER}PatientId`, `${FOLDER}CodeList`]);
    return {
      name: 'FindFoldersForMultiplePatients',
      view: view(p),
      criteria: folderCriteria(p, manyPatients(p, FOLDER)),
    };
  }),
]);

const manyPatients = (p: Parameters, stem: string): readonly PatientCx[] =>
  patients(p, `${stem}PatientId`, p.many(`${stem}PatientId`));

function submissionSetCriteria(p: Parameters): Extract<StoredQuery, { name: 'FindSubmissionSets' }>['criteria'] {
  const sourceIds = p.many(`${SET}SourceId`);
  const authorPerson = p.one(`${SET}AuthorPerson`);
  return {
    patientIds: onePatient(p, `${SET}PatientId`),
    status: status(p, `${SET}Status`),
    ...(sourceIds.length === 0 ? {} : { sourceIds }),
    ...(authorPerson === undefined ? {} : { authorPerson }),
    ...field('contentTypes', codes(p, `${SET}ContentType`)),
    ...field('submissionTime', p.range(`${SET}SubmissionTime`)),
  };
}

function getAll(p: Parameters): StoredQuery {
  const [patientId = '' as PatientCx] = onePatient(p, '$patientId');
  return {
    name: 'GetAll',
    view: view(p),
    patientId,
    documentStatus: status(p, `${DOC}Status`),
    submissionSetStatus: status(p, `${SET}Status`),
    folderStatus: status(p, `${FOLDER}Status`),
    content: content(p),
  };
}
