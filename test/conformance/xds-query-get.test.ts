/**
 * The stored queries that name objects or follow associations, over real HTTP and PostgreSQL: rows 4-13 of WIRE §5, the
 * rule of the single patient (XDSResultNotSinglePatient), and what only metadata level 2 shows.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { DocumentEntry } from '../../hub/core/document.ts';
import { freshDatabase } from '../support/database.ts';
import { association, code, cx, documentEntry, folder, id, submissionSet } from '../support/documents.ts';
import { file, serveRegistry } from '../support/registry-peer.ts';
import type { AskedSlot, RegistryPeer } from '../support/registry-peer.ts';

const u = (n: number): string => `urn:uuid:00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const of = (...numbers: number[]): string[] => numbers.map(u).sort();
const P1 = cx('P1');
const P2 = cx('P2');
const QUERIES = {
  GetAll: '10b545ea-725c-446d-9b95-8aeb444eddf3',
  GetDocuments: '5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4',
  GetFolders: '5737b14c-8a1a-4539-b659-e03a34a5e1e4',
  GetAssociations: 'a7ae438b-4bc2-4642-93e9-be891f7bb155',
  GetDocumentsAndAssociations: 'bab9529a-4a10-40b3-a01f-f68a615d247a',
  GetSubmissionSets: '51224314-5390-4169-9b91-b1980040715a',
  GetSubmissionSetAndContents: 'e8e3cb2c-e39c-46b9-99e4-c12f57260b83',
  GetFolderAndContents: 'b909a503-523d-4517-8acf-8e5834dfc4c7',
  GetFoldersForDocument: '10cae35a-c7f9-4cf5-b61e-fc3278ffb578',
  GetRelatedDocuments: 'd90e5407-b356-4d91-a89f-873917b4b0e6',
} as const;
const STATUS = 'urn:oasis:names:tc:ebxml-regrep:StatusType:';
const APPROVED = `('${STATUS}Approved')`;
const BOTH = `('${STATUS}Approved','${STATUS}Deprecated')`;
const ON_DEMAND = "('urn:uuid:34268e47-fdf5-41a6-ba33-82133c465248')";
const HAS_MEMBER = 'urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember';
const RPLC = 'urn:ihe:iti:2007:AssociationType:RPLC';
const CONF = '2.16.840.1.113883.5.25';
const D = '$XDSDocumentEntry';

const entry = (n: number, more: Partial<DocumentEntry> = {}): DocumentEntry =>
  documentEntry(u(n), more.patientId ?? P1, `1.2.3.${String(n)}`, more);

/**
 * P1: set 11 brought documents 1 and 2 and folder 21, and put document 1 into it (membership 45 of folder, 46 of set); set 12
 * brought 3, which replaced 1, and an on-demand entry 4. P2 has document 5, which set 13 of P1 refers to.
 */
let peer: RegistryPeer;
before(async () => {
  const fresh = await freshDatabase();
  await file(
    fresh.database,
    [
      entry(1, { status: 'deprecated' }),
      entry(2, { formatCode: code('PDF'), confidentiality: [code('R', CONF)] }),
      entry(3),
      entry(4, { entryType: 'on-demand' }),
      entry(5, { patientId: P2 }),
      entry(6, { availability: 'offline' }),
      entry(7, { lid: id(u(7)), status: 'deprecated', version: 1 }),
      entry(8, { lid: id(u(7)), version: 2 }),
      // The same document again: the same unique id is no error where hash and size agree.
      { ...entry(9, { status: 'deprecated' }), uniqueId: '1.2.3.5', patientId: P2 },
      submissionSet(u(11), P1, '1.2.3.11'),
      submissionSet(u(12), P1, '1.2.3.12'),
      submissionSet(u(13), P1, '1.2.3.13'),
      submissionSet(u(14), P2, '1.2.3.14'),
      folder(u(21), P1, '1.2.3.21'),
      folder(u(22), P1, '1.2.3.22', { status: 'deprecated' }),
      folder(u(23), P2, '1.2.3.23'),
    ],
    [
      association(u(41), 'HasMember', u(11), u(1), { submissionSetStatus: 'Original' }),
      association(u(42), 'HasMember', u(11), u(2), { submissionSetStatus: 'Original' }),
      association(u(43), 'HasMember', u(11), u(21)),
      association(u(45), 'HasMember', u(21), u(1)),
      association(u(46), 'HasMember', u(11), u(45)),
      association(u(47), 'HasMember', u(12), u(3), { submissionSetStatus: 'Original' }),
      association(u(48), 'RPLC', u(3), u(1)),
      association(u(49), 'HasMember', u(21), u(3)),
      association(u(50), 'HasMember', u(12), u(4), { submissionSetStatus: 'Original' }),
      association(u(51), 'IsSnapshotOf', u(3), u(4)),
      association(u(52), 'HasMember', u(13), u(5), { submissionSetStatus: 'Reference' }),
      association(u(53), 'APND', u(2), u(3), { status: 'deprecated' }),
    ],
  );
  peer = await serveRegistry(fresh.database);
});
after(() => peer.close());

interface Case {
  readonly row: number;
  readonly query: keyof typeof QUERIES;
  readonly what: string;
  readonly slots: readonly AskedSlot[];
  readonly finds: readonly number[];
}
const all = (...more: AskedSlot[]): AskedSlot[] => [
  ['$patientId', `'${P1}'`],
  ['$XDSDocumentEntryStatus', BOTH],
  ['$XDSSubmissionSetStatus', APPROVED],
  ['$XDSFolderStatus', APPROVED],
  ...more,
];
const uuids = (...numbers: number[]): string => `(${numbers.map((n) => `'${u(n)}'`).join(',')})`;

// prettier-ignore
const CASES: readonly Case[] = [
  { row: 4, query: 'GetAll', what: 'stable documents, sets, folders, and the associations among them', slots: all(),
    finds: [1, 2, 3, 8, 11, 12, 13, 21, 41, 42, 43, 45, 46, 47, 48, 49] },
  { row: 4, query: 'GetAll', what: 'approved documents only', slots: [all()[0]!, ['$XDSDocumentEntryStatus', APPROVED], ...all().slice(2)],
    finds: [2, 3, 8, 11, 12, 13, 21, 42, 43, 47, 49] },
  { row: 4, query: 'GetAll', what: 'on-demand documents', slots: all([`${D}Type`, ON_DEMAND]), finds: [4, 11, 12, 13, 21, 43, 50] },
  { row: 4, query: 'GetAll', what: 'by format', slots: all([`${D}FormatCode`, "('PDF^^2.999.5')"]), finds: [2, 11, 12, 13, 21, 42, 43] },
  { row: 4, query: 'GetAll', what: 'by confidentiality', slots: all([`${D}ConfidentialityCode`, `('R^^${CONF}')`]), finds: [2, 11, 12, 13, 21, 42, 43] },
  { row: 5, query: 'GetDocuments', what: 'by id, approved or not', slots: [[`${D}EntryUUID`, uuids(1, 3, 99)]], finds: [1, 3] },
  { row: 5, query: 'GetDocuments', what: 'by ids in capitals, in several Values', slots: [[`${D}EntryUUID`, `('${u(1).toUpperCase().replace('URN:UUID', 'urn:uuid')}')`, uuids(2)]], finds: [1, 2] },
  { row: 5, query: 'GetDocuments', what: 'by unique id', slots: [[`${D}UniqueId`, "('1.2.3.2','1.2.3.99')"]], finds: [2] },
  { row: 5, query: 'GetDocuments', what: 'by a unique id that two entries have', slots: [[`${D}UniqueId`, "('1.2.3.5')"]], finds: [5, 9] },
  { row: 5, query: 'GetDocuments', what: 'the id of a folder is none of a document', slots: [[`${D}EntryUUID`, uuids(21)]], finds: [] },
  { row: 5, query: 'GetDocuments', what: 'what is no UUID names nothing', slots: [[`${D}EntryUUID`, "('Document01')"]], finds: [] },
  { row: 5, query: 'GetDocuments', what: 'by logical id, level 1: the latest version', slots: [[`${D}LogicalID`, uuids(7)]], finds: [8] },
  { row: 5, query: 'GetDocuments', what: 'by logical id, level 2: every version', slots: [[`${D}LogicalID`, uuids(7)], ['$MetadataLevel', '2']], finds: [7, 8] },
  { row: 5, query: 'GetDocuments', what: 'an offline document at level 1', slots: [[`${D}EntryUUID`, uuids(6)]], finds: [] },
  { row: 5, query: 'GetDocuments', what: 'an offline document at level 2', slots: [[`${D}EntryUUID`, uuids(6)], ['$MetadataLevel', '2']], finds: [6] },
  { row: 6, query: 'GetFolders', what: 'by id', slots: [['$XDSFolderEntryUUID', uuids(21)]], finds: [21] },
  { row: 6, query: 'GetFolders', what: 'by unique id', slots: [['$XDSFolderUniqueId', "('1.2.3.21')"]], finds: [21] },
  { row: 6, query: 'GetFolders', what: 'a deprecated folder at level 2', slots: [['$XDSFolderEntryUUID', uuids(22)], ['$MetadataLevel', '2']], finds: [22] },
  { row: 7, query: 'GetAssociations', what: 'from and to objects', slots: [['$uuid', uuids(1, 21)]], finds: [41, 43, 45, 48, 49] },
  { row: 7, query: 'GetAssociations', what: 'to an association', slots: [['$uuid', uuids(45)]], finds: [46] },
  { row: 7, query: 'GetAssociations', what: 'deprecated ones at level 2', slots: [['$uuid', uuids(2)], ['$MetadataLevel', '2'], ['$XDSAssociationStatus', BOTH]], finds: [42, 53] },
  { row: 8, query: 'GetDocumentsAndAssociations', what: 'by id', slots: [[`${D}EntryUUID`, uuids(3)]], finds: [3, 47, 48, 49, 51] },
  { row: 8, query: 'GetDocumentsAndAssociations', what: 'by unique id', slots: [[`${D}UniqueId`, "('1.2.3.2')"]], finds: [2, 42] },
  { row: 9, query: 'GetSubmissionSets', what: 'of a document and a folder', slots: [['$uuid', uuids(3, 21)]], finds: [11, 12, 43, 47] },
  { row: 9, query: 'GetSubmissionSets', what: 'of nothing', slots: [['$uuid', uuids(99)]], finds: [] },
  { row: 10, query: 'GetSubmissionSetAndContents', what: 'by id', slots: [['$XDSSubmissionSetEntryUUID', `'${u(11)}'`]],
    finds: [1, 2, 11, 21, 41, 42, 43, 45, 46] },
  { row: 10, query: 'GetSubmissionSetAndContents', what: 'by unique id and format: what is left out takes its memberships with it',
    slots: [['$XDSSubmissionSetUniqueId', "'1.2.3.11'"], [`${D}FormatCode`, "('PDF^^2.999.5')"]], finds: [2, 11, 21, 42, 43] },
  { row: 10, query: 'GetSubmissionSetAndContents', what: 'on-demand entries only where asked for', slots: [['$XDSSubmissionSetEntryUUID', `'${u(12)}'`]], finds: [3, 12, 47] },
  { row: 10, query: 'GetSubmissionSetAndContents', what: 'on-demand entries', slots: [['$XDSSubmissionSetEntryUUID', `'${u(12)}'`], [`${D}Type`, ON_DEMAND]], finds: [4, 12, 50] },
  { row: 11, query: 'GetFolderAndContents', what: 'by id', slots: [['$XDSFolderEntryUUID', `'${u(21)}'`]], finds: [1, 3, 21, 45, 49] },
  { row: 11, query: 'GetFolderAndContents', what: 'by unique id and confidentiality', slots: [['$XDSFolderUniqueId', "'1.2.3.21'"], [`${D}ConfidentialityCode`, `('R^^${CONF}')`]], finds: [21] },
  { row: 12, query: 'GetFoldersForDocument', what: 'by id', slots: [[`${D}EntryUUID`, `'${u(1)}'`]], finds: [21] },
  { row: 12, query: 'GetFoldersForDocument', what: 'by unique id', slots: [[`${D}UniqueId`, "'1.2.3.3'"]], finds: [21] },
  { row: 12, query: 'GetFoldersForDocument', what: 'a document in no folder', slots: [[`${D}EntryUUID`, `'${u(2)}'`]], finds: [] },
  { row: 13, query: 'GetRelatedDocuments', what: 'by id and type', slots: [[`${D}EntryUUID`, `'${u(1)}'`], ['$AssociationTypes', `('${RPLC}')`]], finds: [1, 3, 48] },
  { row: 13, query: 'GetRelatedDocuments', what: 'by unique id, memberships are no relations', slots: [[`${D}UniqueId`, "'1.2.3.1'"], ['$AssociationTypes', `('${RPLC}','${HAS_MEMBER}')`]], finds: [1, 3, 48] },
  { row: 13, query: 'GetRelatedDocuments', what: 'no relation of that type', slots: [[`${D}EntryUUID`, `'${u(1)}'`], ['$AssociationTypes', "('urn:ihe:iti:2007:AssociationType:XFRM')"]], finds: [] },
  { row: 13, query: 'GetRelatedDocuments', what: 'the on-demand entry of a snapshot', slots: [[`${D}EntryUUID`, `'${u(3)}'`], ['$AssociationTypes', "('urn:ihe:iti:2010:AssociationType:IsSnapshotOf')"], [`${D}Type`, ON_DEMAND]], finds: [3, 4, 51] },
];

for (const { row, query, what, slots, finds } of CASES)
  test(`WIRE 5.${String(row)} ${query}: ${what}`, async () => {
    const full = await peer.ask(QUERIES[query], slots);
    assert.deepEqual([full.status, full.errors], ['Success', []]);
    assert.deepEqual([...full.ids].sort(), of(...finds));
    const references = await peer.ask(QUERIES[query], slots, { returnType: 'ObjectRef' });
    assert.deepEqual(references.ids, full.ids);
    assert.ok(references.objects.every(({ name }) => name === 'ObjectRef'));
  });

const SPANNING: readonly (readonly [keyof typeof QUERIES, AskedSlot])[] = [
  ['GetDocuments', [`${D}EntryUUID`, uuids(3, 5)]],
  ['GetDocumentsAndAssociations', [`${D}EntryUUID`, uuids(3, 5)]],
  ['GetFolders', ['$XDSFolderEntryUUID', uuids(21, 23)]],
  // Set 13 of P1 refers to a document of P2.
  ['GetSubmissionSetAndContents', ['$XDSSubmissionSetEntryUUID', `'${u(13)}'`]],
];
for (const [query, slot] of SPANNING)
  test(`WIRE 5: ${query} over two patients gives references, and no objects`, async () => {
    const full = await peer.ask(QUERIES[query], [slot]);
    assert.deepEqual([full.status, full.errors, full.ids], ['Failure', ['XDSResultNotSinglePatient'], []]);
    const references = await peer.ask(QUERIES[query], [slot], { returnType: 'ObjectRef' });
    assert.equal(references.status, 'Success');
    assert.ok(references.ids.length >= 2);
  });

const MISSING: readonly (readonly [keyof typeof QUERIES, ...AskedSlot[]])[] = [
  ['GetAll', ['$patientId', `'${P1}'`], ['$XDSDocumentEntryStatus', APPROVED], ['$XDSSubmissionSetStatus', APPROVED]],
  [
    'GetAll',
    ['$XDSDocumentEntryStatus', APPROVED],
    ['$XDSSubmissionSetStatus', APPROVED],
    ['$XDSFolderStatus', APPROVED],
  ],
  ['GetDocuments'],
  ['GetFolders'],
  ['GetAssociations'],
  ['GetDocumentsAndAssociations'],
  ['GetSubmissionSets'],
  ['GetSubmissionSetAndContents'],
  ['GetFolderAndContents'],
  ['GetFoldersForDocument'],
  ['GetRelatedDocuments', [`${D}EntryUUID`, `'${u(1)}'`]],
  ['GetRelatedDocuments', ['$AssociationTypes', `('${RPLC}')`]],
];
for (const [query, ...slots] of MISSING)
  test(`WIRE 5: ${query} with ${String(slots.length)} parameters lacks one`, async () => {
    const answer = await peer.ask(QUERIES[query], slots);
    assert.deepEqual([answer.status, answer.errors], ['Failure', ['XDSStoredQueryMissingParam']]);
  });

const TOO_MANY: readonly (readonly [keyof typeof QUERIES, ...AskedSlot[]])[] = [
  ['GetDocuments', [`${D}EntryUUID`, uuids(1)], [`${D}UniqueId`, "('1.2.3.1')"]],
  ['GetDocuments', [`${D}EntryUUID`, uuids(1)], [`${D}LogicalID`, uuids(1)]],
  ['GetFolders', ['$XDSFolderEntryUUID', uuids(21)], ['$XDSFolderUniqueId', "('1')"]],
  ['GetSubmissionSetAndContents', ['$XDSSubmissionSetEntryUUID', uuids(11, 12)]],
  ['GetFolderAndContents', ['$XDSFolderEntryUUID', uuids(21, 23)]],
  ['GetFoldersForDocument', [`${D}EntryUUID`, uuids(1, 2)]],
  ['GetRelatedDocuments', [`${D}EntryUUID`, uuids(1, 2)], ['$AssociationTypes', `('${RPLC}')`]],
  ['GetAssociations', ['$uuid', uuids(1)], ['$uuid', uuids(2)]],
];
for (const [query, ...slots] of TOO_MANY)
  test(`WIRE 5: ${query} with ${slots.map(([name]) => name).join(' and ')} has too many values`, async () => {
    const answer = await peer.ask(QUERIES[query], slots);
    assert.deepEqual([answer.status, answer.errors], ['Failure', ['XDSStoredQueryParamNumber']]);
  });
