/**
 * The searching stored queries over real HTTP and PostgreSQL: rows 1-3, 14 and the multi-patient ones of WIRE §5, with
 * the coding of values, AND and OR, LIKE, the edges of times, and every error of their parameters.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { DocumentEntry } from '../../hub/core/document.ts';
import { freshDatabase } from '../support/database.ts';
import { code, cx, documentEntry, folder, submissionSet } from '../support/documents.ts';
import { file, HOME, serveRegistry } from '../support/registry-peer.ts';
import type { AskedSlot, RegistryPeer } from '../support/registry-peer.ts';

const u = (n: number): string => `urn:uuid:00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const P1 = cx('P1');
const P2 = cx('P2');
const MANY = cx('MANY');
const FIND = '14d4debf-8f97-4251-9a74-a90016b0af0d';
const FIND_SETS = 'f26abbcb-ac74-4422-8a30-edb644bbc1a9';
const FIND_FOLDERS = '958f3006-baad-4929-a4de-ff1114824431';
const BY_REFERENCE = '12941a89-e02e-4be5-967c-ce4bfc8fe492';
const MPQ = '3d1bdb10-39a2-11de-89c2-2f44d94eaa9f';
const MPQ_FOLDERS = '50d3f5ac-39a2-11de-a1ca-b366239e58df';
const MPQ_REFERENCE = '1191642d-86c4-42d8-b784-f95445f9f0d5';
const APPROVED = "('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')";
const BOTH =
  "('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved','urn:oasis:names:tc:ebxml-regrep:StatusType:Deprecated')";
const DCM = '1.2.840.10008.2.6.1';
const CONF = '2.16.840.1.113883.5.25';
const study = '1.2.3^^^^urn:ihe:iti:xds:2016:studyInstanceUID';
const accession = 'A1^^^&2.999.7&ISO^urn:ihe:iti:xds:2013:accession';

const entry = (n: number, more: Partial<DocumentEntry> = {}): DocumentEntry =>
  documentEntry(u(n), more.patientId ?? P1, `1.2.3.${String(n)}`, more);
const author = (person: string) => ({ person, institutions: [], roles: [], specialties: [], telecoms: [] });

let peer: RegistryPeer;
let fresh: Awaited<ReturnType<typeof freshDatabase>>;

before(async () => {
  fresh = await freshDatabase();
  await file(fresh.database, [
    entry(1, {
      creationTime: '20050101',
      classCode: code('IMG'),
      eventCodes: [code('CT', DCM), code('CHEST', DCM)],
      authors: [author("^O'Brien^Sanfeng"), author('100%_sure')],
      referenceIds: [study, accession],
      serviceStartTime: '200412311200',
    }),
    entry(2, {
      creationTime: '20060315120000',
      eventCodes: [code('CT', DCM), code('HEAD', DCM)],
      authors: [author('^Li^Lei')],
      confidentiality: [code('N', CONF), code('R', CONF)],
      serviceStopTime: '2006',
    }),
    entry(3, { creationTime: '2007', eventCodes: [code('MR', DCM)], authors: [], status: 'deprecated' }),
    entry(4, { entryType: 'on-demand', authors: [author('back\\slash')], practiceSetting: code('CARD') }),
    entry(5, { patientId: P2, eventCodes: [code('CT', DCM)], referenceIds: [study], facilityType: code('CLINIC') }),
    submissionSet(u(11), P1, '1.2.3.11', { authors: [author('^Wang^Fang')], submissionTime: '20260102030405' }),
    submissionSet(u(12), P1, '1.2.3.12', { sourceId: '2.999.8', contentType: code('OTHER'), submissionTime: '2025' }),
    folder(u(21), P1, '1.2.3.21', { codes: [code('CASE'), code('TUMOR')], lastUpdateTime: '20260102030405' }),
    folder(u(22), P1, '1.2.3.22', { codes: [code('CASE')], lastUpdateTime: '20250102030405' }),
    folder(u(23), P2, '1.2.3.23', { codes: [code('CASE')] }),
    ...Array.from({ length: 2_001 }, (_, n) => entry(10_000 + n, { patientId: MANY, classCode: code('BULK') })),
  ]);
  peer = await serveRegistry(fresh.database);
});
after(() => peer.close());

const doc = (...more: AskedSlot[]): AskedSlot[] => [
  ['$XDSDocumentEntryPatientId', `'${P1}'`],
  ['$XDSDocumentEntryStatus', APPROVED],
  ...more,
];
const of = (...numbers: number[]): string[] => numbers.map(u);
const sorted = (ids: readonly string[]): string[] => [...ids].sort();

interface Case {
  readonly what: string;
  readonly query: string;
  readonly slots: readonly AskedSlot[];
  readonly finds: readonly number[];
  readonly mpq?: boolean;
}

const find = (what: string, more: readonly AskedSlot[], finds: readonly number[]): Case => ({
  what: `WIRE 5.1 FindDocuments: ${what}`,
  query: FIND,
  slots: doc(...more),
  finds,
});
const D = '$XDSDocumentEntry';

// prettier-ignore
const CASES: readonly Case[] = [
  find('the stable and approved documents of the patient, where nothing else is asked', [], [1, 2]),
  { what: 'WIRE 5.1 FindDocuments: an unknown patient has none', query: FIND,
    slots: [[`${D}PatientId`, "'NOBODY^^^&2.999.156.1&ISO'"], [`${D}Status`, APPROVED]], finds: [] },
  { what: 'WIRE 5.1 FindDocuments: blanks and a namespace in the patient id', query: FIND,
    slots: [[`${D}PatientId`, "'P1^^^XX&2.999.156.1&ISO '"], [`${D}Status`, APPROVED]], finds: [1, 2] },
  { what: 'WIRE 5.1 FindDocuments: several status in one Value', query: FIND,
    slots: [[`${D}PatientId`, `'${P1}'`], [`${D}Status`, BOTH]], finds: [1, 2, 3] },
  { what: 'WIRE 5.1 FindDocuments: several status in several Values', query: FIND,
    slots: [[`${D}PatientId`, `'${P1}'`], [`${D}Status`, APPROVED, "('urn:oasis:names:tc:ebxml-regrep:StatusType:Deprecated')"]], finds: [1, 2, 3] },
  { what: 'WIRE 5.1 FindDocuments: a status that there is not', query: FIND,
    slots: [[`${D}PatientId`, `'${P1}'`], [`${D}Status`, "('urn:oasis:names:tc:ebxml-regrep:StatusType:Submitted')"]], finds: [] },
  find('on-demand entries where they are asked for', [[`${D}Type`, "('urn:uuid:34268e47-fdf5-41a6-ba33-82133c465248')"]], [4]),
  find('both types', [[`${D}Type`, "('urn:uuid:34268e47-fdf5-41a6-ba33-82133c465248','urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1')"]], [1, 2, 4]),
  find('class code', [[`${D}ClassCode`, "('IMG^^2.999.5')"]], [1]),
  find('a code of another scheme', [[`${D}ClassCode`, "('IMG^^2.999.6')"]], []),
  find('type code, any of two', [[`${D}TypeCode`, "('x^^y','18748-4^^2.16.840.1.113883.6.1')"]], [1, 2]),
  find('format code', [[`${D}FormatCode`, "('urn:ihe:iti:xds:2017:mimeTypeSufficient^^1.3.6.1.4.1.19376.1.2.3')"]], [1, 2]),
  find('practice setting', [[`${D}PracticeSettingCode`, "('CARD^^2.999.5')"]], []),
  find('facility type', [[`${D}HealthcareFacilityTypeCode`, "('HOSP^^2.999.5')"]], [1, 2]),
  find('event codes of one Slot: any', [[`${D}EventCodeList`, `('CHEST^^${DCM}','HEAD^^${DCM}')`]], [1, 2]),
  find('event codes of one Slot in several Values: any', [[`${D}EventCodeList`, `('CHEST^^${DCM}')`, `('HEAD^^${DCM}')`]], [1, 2]),
  find('event codes of two Slots: both', [[`${D}EventCodeList`, `('CT^^${DCM}')`], [`${D}EventCodeList`, `('HEAD^^${DCM}','MR^^${DCM}')`]], [2]),
  find('event codes that no document has together', [[`${D}EventCodeList`, `('CHEST^^${DCM}')`], [`${D}EventCodeList`, `('HEAD^^${DCM}')`]], []),
  find('confidentiality codes of two Slots', [[`${D}ConfidentialityCode`, `('N^^${CONF}')`], [`${D}ConfidentialityCode`, `('R^^${CONF}')`]], [2]),
  find('created on the left edge', [[`${D}CreationTimeFrom`, '20060315120000'], [`${D}CreationTimeTo`, '20060315120001']], [2]),
  find('created on the right edge', [[`${D}CreationTimeFrom`, '2005'], [`${D}CreationTimeTo`, '20060315120000']], [1]),
  find('times of different precision', [[`${D}CreationTimeFrom`, '20050101000000'], [`${D}CreationTimeTo`, '200501010001']], [1]),
  find('a quoted time', [[`${D}CreationTimeFrom`, "'2006'"]], [2]),
  find('service start', [[`${D}ServiceStartTimeFrom`, '20041231'], [`${D}ServiceStartTimeTo`, '2005']], [1]),
  find('service stop', [[`${D}ServiceStopTimeFrom`, '2006'], [`${D}ServiceStopTimeTo`, '2007']], [2]),
  find('an author with a quote', [[`${D}AuthorPerson`, "('%O''Brien%')"]], [1]),
  find('an author by LIKE with a single character', [[`${D}AuthorPerson`, "('^L_^Lei')"]], [2]),
  find('an author by LIKE is matched whole', [[`${D}AuthorPerson`, "('Lei')"]], []),
  find('any of two authors', [[`${D}AuthorPerson`, "('%Lei','%sure')"]], [1, 2]),
  find('a backslash in a pattern stands for itself', [[`${D}AuthorPerson`, "('back\\slash')"], [`${D}Type`, "('urn:uuid:34268e47-fdf5-41a6-ba33-82133c465248')"]], [4]),
  find('a pattern that ends in a backslash', [[`${D}AuthorPerson`, "('back%\\')"]], []),
  find('a parameter that the query does not know is ignored, whatever is in it', [['$XDSNobodyKnows', "('x"]], [1, 2]),
  find('a list that is empty asks for nothing', [[`${D}ClassCode`, '()']], [1, 2]),
  { what: 'WIRE 5.2 FindSubmissionSets', query: FIND_SETS,
    slots: [['$XDSSubmissionSetPatientId', `'${P1}'`], ['$XDSSubmissionSetStatus', APPROVED]], finds: [11, 12] },
  { what: 'WIRE 5.2 FindSubmissionSets: source', query: FIND_SETS,
    slots: [['$XDSSubmissionSetPatientId', `'${P1}'`], ['$XDSSubmissionSetStatus', APPROVED], ['$XDSSubmissionSetSourceId', "('2.999.8','2.999.99')"]], finds: [12] },
  { what: 'WIRE 5.2 FindSubmissionSets: time, author and content type', query: FIND_SETS,
    slots: [['$XDSSubmissionSetPatientId', `'${P1}'`], ['$XDSSubmissionSetStatus', APPROVED], ['$XDSSubmissionSetSubmissionTimeFrom', '2026'],
      ['$XDSSubmissionSetSubmissionTimeTo', '20260102030406'], ['$XDSSubmissionSetAuthorPerson', "'%Fang'"], ['$XDSSubmissionSetContentType', "('SUBMIT^^2.999.5')"]], finds: [11] },
  { what: 'WIRE 5.3 FindFolders', query: FIND_FOLDERS,
    slots: [['$XDSFolderPatientId', `'${P1}'`], ['$XDSFolderStatus', APPROVED]], finds: [21, 22] },
  { what: 'WIRE 5.3 FindFolders: codes of two Slots', query: FIND_FOLDERS,
    slots: [['$XDSFolderPatientId', `'${P1}'`], ['$XDSFolderStatus', APPROVED], ['$XDSFolderCodeList', "('CASE^^2.999.5')"], ['$XDSFolderCodeList', "('TUMOR^^2.999.5')"]], finds: [21] },
  { what: 'WIRE 5.3 FindFolders: last update', query: FIND_FOLDERS,
    slots: [['$XDSFolderPatientId', `'${P1}'`], ['$XDSFolderStatus', APPROVED], ['$XDSFolderLastUpdateTimeTo', '20260102030405']], finds: [22] },
  { what: 'WIRE 5.14 FindDocumentsByReferenceId: any of one Slot', query: BY_REFERENCE, slots: doc([`${D}ReferenceIdList`, `('${study}','nothing')`]), finds: [1] },
  { what: 'WIRE 5.14 FindDocumentsByReferenceId: both of two Slots', query: BY_REFERENCE, slots: doc([`${D}ReferenceIdList`, `('${study}')`], [`${D}ReferenceIdList`, `('${accession}')`]), finds: [1] },
  { what: 'WIRE 5.14 FindDocumentsByReferenceId: not both', query: BY_REFERENCE, slots: doc([`${D}ReferenceIdList`, `('${study}')`], [`${D}ReferenceIdList`, "('nothing')"]), finds: [] },
  { what: 'WIRE 5.15 FindDocumentsForMultiplePatients: two patients', query: MPQ, mpq: true,
    slots: [[`${D}PatientId`, `('${P1}','${P2}')`], [`${D}Status`, APPROVED]], finds: [1, 2, 5] },
  { what: 'WIRE 5.15 FindDocumentsForMultiplePatients: all patients by class', query: MPQ, mpq: true,
    slots: [[`${D}Status`, APPROVED], [`${D}ClassCode`, "('IMG^^2.999.5')"]], finds: [1] },
  { what: 'WIRE 5.15 FindDocumentsForMultiplePatients: all patients by event codes', query: MPQ, mpq: true,
    slots: [[`${D}Status`, APPROVED], [`${D}EventCodeList`, `('CT^^${DCM}')`]], finds: [1, 2, 5] },
  { what: 'WIRE 5.15 FindDocumentsForMultiplePatients: all patients by facility and class', query: MPQ, mpq: true,
    slots: [[`${D}Status`, APPROVED], [`${D}HealthcareFacilityTypeCode`, "('CLINIC^^2.999.5')"], [`${D}ClassCode`, "('IMAGES^^2.999.5')"]], finds: [5] },
  { what: 'WIRE 5.16 FindFoldersForMultiplePatients: all patients by code', query: MPQ_FOLDERS, mpq: true,
    slots: [['$XDSFolderStatus', APPROVED], ['$XDSFolderCodeList', "('CASE^^2.999.5')"]], finds: [21, 22, 23] },
  { what: 'WIRE 5.16 FindFoldersForMultiplePatients: two patients', query: MPQ_FOLDERS, mpq: true,
    slots: [['$XDSFolderStatus', APPROVED], ['$XDSFolderPatientId', `('${P2}','NOBODY^^^&1.2&ISO')`]], finds: [23] },
  { what: 'WIRE 5.17 FindDocumentsByReferenceIdForMultiplePatients', query: MPQ_REFERENCE, mpq: true,
    slots: [[`${D}Status`, APPROVED], [`${D}ReferenceIdList`, `('${study}')`]], finds: [1, 5] },
];

for (const { what, query, slots, finds, mpq } of CASES)
  test(what, async () => {
    const transaction = mpq === true ? 'ITI-51' : 'ITI-18';
    const full = await peer.ask(query, slots, { transaction });
    assert.deepEqual([full.status, full.errors], ['Success', []]);
    assert.deepEqual(sorted(full.ids), of(...finds));
    assert.ok(full.objects.every(({ name }) => name === 'ExtrinsicObject' || name === 'RegistryPackage'));
    const references = await peer.ask(query, slots, { transaction, returnType: 'ObjectRef' });
    assert.deepEqual(references.ids, full.ids);
    assert.ok(references.objects.every(({ name }) => name === 'ObjectRef'));
    for (const { attributes } of [...full.objects, ...references.objects]) assert.equal(attributes.get('home'), HOME);
  });

// prettier-ignore
const REFUSED: readonly (readonly [what: string, query: string, slots: readonly AskedSlot[], code: string, mpq?: boolean])[] = [
  ['an unknown query', '00000000-0000-4000-8000-000000000000', doc(), 'XDSUnknownStoredQuery'],
  ['a multi-patient query asked by ITI-18', MPQ, doc(), 'XDSUnknownStoredQuery'],
  ['a query of one patient asked by ITI-51', FIND, doc(), 'XDSUnknownStoredQuery', true],
  ['no patient', FIND, [[`${D}Status`, APPROVED]], 'XDSStoredQueryMissingParam'],
  ['an empty patient Slot', FIND, [[`${D}PatientId`], [`${D}Status`, APPROVED]], 'XDSStoredQueryMissingParam'],
  ['no status', FIND, [[`${D}PatientId`, `'${P1}'`]], 'XDSStoredQueryMissingParam'],
  ['two patients', FIND, [[`${D}PatientId`, `('${P1}','${P2}')`], [`${D}Status`, APPROVED]], 'XDSStoredQueryParamNumber'],
  ['two patients in two Values', FIND, [[`${D}PatientId`, `'${P1}'`, `'${P2}'`], [`${D}Status`, APPROVED]], 'XDSStoredQueryParamNumber'],
  ['two patients in two Slots', FIND, [[`${D}PatientId`, `'${P1}'`], [`${D}PatientId`, `'${P2}'`], [`${D}Status`, APPROVED]], 'XDSStoredQueryParamNumber'],
  ['two times', FIND, doc([`${D}CreationTimeFrom`, '(2005,2006)']), 'XDSStoredQueryParamNumber'],
  ['a repeated Slot where AND is not defined', FIND, doc([`${D}ClassCode`, "('a^^b')"], [`${D}ClassCode`, "('c^^d')"]), 'XDSStoredQueryParamNumber'],
  ['a patient id that is no CX', FIND, [[`${D}PatientId`, "'P1'"], [`${D}Status`, APPROVED]], 'XDSRegistryError'],
  ['an unquoted string', FIND, [[`${D}PatientId`, P1], [`${D}Status`, APPROVED]], 'XDSRegistryError'],
  ['an unclosed list', FIND, doc([`${D}ClassCode`, "('a^^b'"]), 'XDSRegistryError'],
  ['a code without its scheme', FIND, doc([`${D}ClassCode`, "('a')"]), 'XDSRegistryError'],
  ['a time that is none', FIND, doc([`${D}CreationTimeFrom`, '20051301']), 'XDSRegistryError'],
  ['a metadata level that there is not', FIND, doc(['$MetadataLevel', '3']), 'XDSRegistryError'],
  ['more results than an answer may have', FIND, [[`${D}PatientId`, `'${MANY}'`], [`${D}Status`, APPROVED]], 'XDSTooManyResults'],
  ['no submission set patient', FIND_SETS, [['$XDSSubmissionSetStatus', APPROVED]], 'XDSStoredQueryMissingParam'],
  ['two patterns for the author of a submission set', FIND_SETS,
    [['$XDSSubmissionSetPatientId', `'${P1}'`], ['$XDSSubmissionSetStatus', APPROVED], ['$XDSSubmissionSetAuthorPerson', "('a','b')"]], 'XDSStoredQueryParamNumber'],
  ['no folder status', FIND_FOLDERS, [['$XDSFolderPatientId', `'${P1}'`]], 'XDSStoredQueryMissingParam'],
  ['no reference id', BY_REFERENCE, doc(), 'XDSStoredQueryMissingParam'],
  ['nothing that narrows a multi-patient query', MPQ, [[`${D}Status`, APPROVED], [`${D}TypeCode`, "('a^^b')"]], 'XDSStoredQueryMissingParam', true],
  ['no status in a multi-patient query', MPQ, [[`${D}ClassCode`, "('a^^b')"]], 'XDSStoredQueryMissingParam', true],
  ['nothing that narrows a multi-patient query of folders', MPQ_FOLDERS, [['$XDSFolderStatus', APPROVED]], 'XDSStoredQueryMissingParam', true],
  ['no reference id for multiple patients', MPQ_REFERENCE, [[`${D}Status`, APPROVED], [`${D}PatientId`, `('${P1}')`]], 'XDSStoredQueryMissingParam', true],
  ['more results of a multi-patient query than an answer may have', MPQ, [[`${D}Status`, APPROVED], [`${D}ClassCode`, "('BULK^^2.999.5')"]], 'XDSTooManyResults', true],
];

for (const [what, query, slots, expected, mpq] of REFUSED)
  test(`WIRE 5: ${what} is ${expected}`, async () => {
    const answer = await peer.ask(query, slots, { transaction: mpq === true ? 'ITI-51' : 'ITI-18', invalid: true });
    assert.equal(answer.status, 'Failure');
    assert.deepEqual(new Set(answer.errors), new Set([expected]));
    assert.deepEqual(new Set(answer.severities), new Set(['Error']));
    assert.deepEqual(answer.ids, []);
    assert.ok(!answer.text.includes('P1'), 'an error text quotes no patient');
  });

test('WIRE 5: the references of many documents are given where the documents are too many', async () => {
  const answer = await peer.ask(
    FIND,
    [
      [`${D}PatientId`, `'${MANY}'`],
      [`${D}Status`, APPROVED],
    ],
    { returnType: 'ObjectRef' },
  );
  assert.deepEqual([answer.status, answer.ids.length], ['Success', 2_001]);
});

test('WIRE 5: every missing parameter is told at once', async () => {
  const answer = await peer.ask(FIND, []);
  assert.deepEqual(answer.errors, ['XDSStoredQueryMissingParam', 'XDSStoredQueryMissingParam']);
});

test('WIRE 5: LeafClass is the whole object', async () => {
  const answer = await peer.ask(FIND, doc([`${D}ClassCode`, "('IMG^^2.999.5')"]));
  const [document] = answer.objects;
  assert.equal(document?.attributes.get('status'), 'urn:oasis:names:tc:ebxml-regrep:StatusType:Approved');
  assert.equal(document.attributes.get('lid'), u(1));
  const slots = document.children.filter(({ name }) => name === 'Slot').map(({ attributes }) => attributes.get('name'));
  for (const slot of ['creationTime', 'hash', 'size', 'languageCode', 'repositoryUniqueId', 'sourcePatientId'])
    assert.ok(slots.includes(slot), slot);
  assert.ok(
    document.children.some(({ name, attributes }) => name === 'VersionInfo' && attributes.get('versionName') === '1'),
  );
});

test('WIRE 5: another community is none of this registry', async () => {
  const answer = await peer.ask(FIND, doc(), { home: 'urn:oid:1.2.3' });
  assert.deepEqual([answer.status, answer.errors, answer.ids], ['Failure', ['XDSUnknownCommunity'], []]);
  assert.deepEqual((await peer.ask(FIND, doc(), { home: HOME })).ids.length, 2);
});

for (const returnType of ['RegistryObject', 'LeafClassWithRepositoryItem'])
  test(`WIRE 5: the return type ${returnType} is refused`, async () => {
    const answer = await peer.ask(FIND, doc(), { returnType });
    assert.deepEqual([answer.status, answer.errors], ['Failure', ['XDSRegistryError']]);
  });

test('WIRE 9: a query is audited with the persons whose documents it asks for, whatever comes of it', async () => {
  peer.audits.length = 0;
  await peer.ask(FIND, doc());
  await peer.ask(FIND, []);
  assert.deepEqual(
    peer.audits.map(({ action, outcome, operation, persons, objects, reason }) => ({
      action,
      outcome,
      operation,
      persons,
      objects,
      reason,
    })),
    [
      {
        action: 'search',
        outcome: 'success',
        operation: 'ITI-18',
        persons: ['person of P1'],
        objects: ['FindDocuments'],
        reason: undefined,
      },
      {
        action: 'search',
        outcome: 'failure',
        operation: 'ITI-18',
        persons: [],
        objects: [],
        reason: 'XDSStoredQueryMissingParam',
      },
    ],
  );
});
