/** Registry objects for tests: plausible ones, and arbitrary ones for property tests. */
import fc from 'fast-check';
import type {
  DocumentAssociation,
  DocumentCode,
  DocumentEntry,
  EntryId,
  Folder,
  PatientCx,
  RegistryObject,
  SubmissionSet,
} from '../../hub/core/document.ts';
import type { Oid } from '../../hub/core/identifier.ts';

export const id = (text: string): EntryId => text as EntryId;
export const cx = (local: string, oid = '2.999.156.1'): PatientCx => `${local}^^^&${oid}&ISO` as PatientCx;
export const code = (value: string, scheme = '2.999.5', display = value): DocumentCode => ({
  code: value,
  scheme,
  display: [{ text: display }],
});

const base = (name: string, patientId: PatientCx, uniqueId: string) => ({
  id: id(name),
  lid: id(name),
  version: 1,
  status: 'approved' as const,
  patientId,
  uniqueId,
  title: [{ text: name }],
  comments: [],
  extra: [],
  limited: false,
});

export const documentEntry = (
  name: string,
  patientId: PatientCx,
  uniqueId: string,
  more: Partial<DocumentEntry> = {},
): DocumentEntry => ({
  ...base(name, patientId, uniqueId),
  kind: 'document',
  entryType: 'stable',
  mimeType: 'text/plain',
  authors: [{ person: '^Wang^Fang', institutions: ['H1'], roles: [], specialties: [], telecoms: [] }],
  classCode: code('IMAGES'),
  typeCode: code('18748-4', '2.16.840.1.113883.6.1'),
  formatCode: code('urn:ihe:iti:xds:2017:mimeTypeSufficient', '1.3.6.1.4.1.19376.1.2.3'),
  facilityType: code('HOSP'),
  practiceSetting: code('RAD'),
  confidentiality: [code('N', '2.16.840.1.113883.5.25')],
  eventCodes: [],
  creationTime: '20260102030405',
  languageCode: 'zh-CN',
  sourcePatientId: 'P1^^^&2.999.156.1.1&ISO',
  sourcePatientInfo: [],
  referenceIds: [],
  repositoryUniqueId: '2.999.156.3' as Oid,
  hash: 'da39a3ee5e6b4b0d3255bfef95601890afd80709',
  size: 0,
  availability: 'online',
  ...more,
});

export const submissionSet = (
  name: string,
  patientId: PatientCx,
  uniqueId: string,
  more: Partial<SubmissionSet> = {},
): SubmissionSet => ({
  ...base(name, patientId, uniqueId),
  kind: 'submission-set',
  authors: [],
  contentType: code('SUBMIT'),
  sourceId: '2.999.156.9',
  submissionTime: '20260102030405',
  intendedRecipients: [],
  ...more,
});

export const folder = (name: string, patientId: PatientCx, uniqueId: string, more: Partial<Folder> = {}): Folder => ({
  ...base(name, patientId, uniqueId),
  kind: 'folder',
  codes: [code('CASE')],
  lastUpdateTime: '20260102030405',
  ...more,
});

export const association = (
  name: string,
  type: DocumentAssociation['type'],
  source: string,
  target: string,
  more: Partial<DocumentAssociation> = {},
): DocumentAssociation => ({
  id: id(name),
  type,
  source: id(source),
  target: id(target),
  status: 'approved',
  extra: [],
  ...more,
});

/** Text that survives XML 1.0 and a trim: what a sender can mean. */
const word = (maxLength: number): fc.Arbitrary<string> =>
  fc
    .string({ unit: 'binary', minLength: 1, maxLength })
    .map((text) => text.replace(/[\u0000-\u001f\ufffe\uffff]|[\ud800-\udfff]/gu, '').trim())
    .filter((text) => text !== '');
const texts = fc.array(
  fc.oneof(fc.record({ text: word(40) }), fc.record({ language: fc.constantFrom('zh-CN', 'en'), text: word(40) })),
  { maxLength: 2 },
);
const codes: fc.Arbitrary<DocumentCode> = fc.record({ code: word(20), scheme: word(20), display: texts });
const words = fc.array(word(30), { maxLength: 3 });
const uuid = fc.uuid().map((text) => id(`urn:uuid:${text}`));
const extra = fc
  .array(fc.record({ name: fc.stringMatching(/^urn:[a-z]{1,9}$/), values: words }), { maxLength: 2 })
  .map((slots) => slots.filter((slot, at) => slots.findIndex((other) => other.name === slot.name) === at));
const status = fc.constantFrom('approved' as const, 'deprecated' as const);
const common = {
  id: uuid,
  lid: uuid,
  version: fc.integer({ min: 1, max: 99 }),
  status,
  patientId: word(9).map((text) => cx(text.replace(/[\^&]/g, '').trim())),
  uniqueId: word(64),
  title: texts,
  comments: texts,
  extra,
  limited: fc.boolean(),
};
const authors = fc.array(
  fc.record(
    { person: word(20), institutions: words, roles: words, specialties: words, telecoms: words },
    { requiredKeys: ['institutions', 'roles', 'specialties', 'telecoms'] },
  ),
  { maxLength: 2 },
);
const dtm = fc.stringMatching(/^\d{4}(\d\d){0,5}$/);

const documents: fc.Arbitrary<DocumentEntry> = fc.record(
  {
    ...common,
    kind: fc.constant('document' as const),
    entryType: fc.constantFrom('stable' as const, 'on-demand' as const),
    mimeType: word(30),
    authors,
    classCode: codes,
    typeCode: codes,
    formatCode: codes,
    facilityType: codes,
    practiceSetting: codes,
    confidentiality: fc.array(codes, { maxLength: 3 }),
    eventCodes: fc.array(codes, { maxLength: 3 }),
    creationTime: dtm,
    serviceStartTime: dtm,
    serviceStopTime: dtm,
    languageCode: word(9),
    legalAuthenticator: word(30),
    sourcePatientId: word(30),
    sourcePatientInfo: words,
    referenceIds: words,
    repositoryUniqueId: fc.constant('2.999.156.3' as Oid),
    hash: fc.stringMatching(/^[0-9a-f]{40}$/),
    size: fc.nat(),
    uri: fc.webUrl(),
    availability: fc.constantFrom('online' as const, 'offline' as const),
  },
  {
    requiredKeys: [
      'id',
      'lid',
      'version',
      'status',
      'patientId',
      'uniqueId',
      'title',
      'comments',
      'extra',
      'limited',
      'kind',
      'entryType',
      'mimeType',
      'authors',
      'confidentiality',
      'eventCodes',
      'sourcePatientInfo',
      'referenceIds',
      'availability',
    ],
  },
);

const sets: fc.Arbitrary<SubmissionSet> = fc.record({
  ...common,
  kind: fc.constant('submission-set' as const),
  authors,
  contentType: codes,
  sourceId: word(30),
  submissionTime: dtm,
  intendedRecipients: words,
});

const folders: fc.Arbitrary<Folder> = fc.record({
  ...common,
  kind: fc.constant('folder' as const),
  codes: fc.array(codes, { maxLength: 3 }),
  lastUpdateTime: fc.stringMatching(/^\d{14}$/),
});

export const anyObject: fc.Arbitrary<RegistryObject> = fc.oneof(documents, sets, folders);

export const anyAssociation: fc.Arbitrary<DocumentAssociation> = fc.record(
  {
    id: uuid,
    type: fc.constantFrom('HasMember' as const, 'RPLC' as const, 'XFRM_RPLC' as const, 'IsSnapshotOf' as const),
    source: uuid,
    target: uuid,
    status,
    submissionSetStatus: fc.constantFrom('Original' as const, 'Reference' as const),
    documentation: codes,
    extra,
  },
  { requiredKeys: ['id', 'type', 'source', 'target', 'status', 'extra'] },
);
