/**
 * Reads of the document registry on a real database: each hot question is answered through its index however it is
 * planned, and what criteria find is what they mean, compared with a reading of them in plain code.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import fc from 'fast-check';
import type { DocumentCriteria, DtmRange } from '../../hub/core/document-ports.ts';
import type { DocumentCode, DocumentEntry, PatientCx } from '../../hub/core/document.ts';
import {
  associationStatement,
  createDocumentReader,
  documentStatement,
  folderStatement,
  idStatement,
  sharedIdStatement,
  submissionSetStatement,
  uniqueIdStatement,
} from '../../hub/store/document-query.ts';
import { createStoredQuery, QUERY_LIMITS } from '../../hub/flow/stored-query.ts';
import type { NamedStatement } from '../../hub/store/document-query.ts';
import { freshDatabase } from '../support/database.ts';
import { code, cx, documentEntry } from '../support/documents.ts';
import { file } from '../support/registry-peer.ts';
import { growPersons, growRegistry, patientOf, personOf } from '../support/registry-rows.ts';

let fresh: Awaited<ReturnType<typeof freshDatabase>>;
before(async () => {
  fresh = await freshDatabase({ clear: true });
  await growRegistry(fresh.database.pool, 1, 5_000);
  await growPersons(fresh.database.pool, 1, 5_000);
  const tables = 'registry_object, document_association, affinity_patient, patient_record, person';
  await fresh.database.pool.query(`vacuum analyze ${tables}`);
});

const base: DocumentCriteria = { patientIds: [], status: ['approved'], entryTypes: ['stable'] };
const P = patientOf(70) as PatientCx;
const uuid = '00000000-0000-4000-8000-000000000001';
const study = '1.2.77.3^^^^urn:ihe:iti:xds:2016:studyInstanceUID';
const token = (value: string, scheme = '2.999.5') => ({ code: value, scheme });

// prettier-ignore
const PLANS: readonly (readonly [what: string, statement: NamedStatement, index: string])[] = [
  ['FindDocuments', documentStatement({ ...base, patientIds: [P] }, 100), 'registry_object_by_patient'],
  ['FindDocuments with all criteria', documentStatement({ ...base, patientIds: [P], classCode: [token('IMAGES')], typeCode: [token('18748-4', '2.16.840.1.113883.6.1')], formatCode: [token('x')],
    facilityType: [token('FACILITY7')], practiceSetting: [token('RAD')], confidentiality: [[token('N')]], eventCodes: [[token('CT', '1.2.840.10008.2.6.1')]],
    authorPerson: ['%'], creationTime: { from: '2016', to: '2027' }, serviceStartTime: { from: '2016' }, serviceStopTime: { to: '2027' } }, 100), 'registry_object_by_patient'],
  ['FindDocumentsByReferenceId', documentStatement({ ...base, patientIds: [P], referenceIds: [[study]] }, 100), 'registry_object_by_patient'],
  ['documents of two patients', documentStatement({ ...base, patientIds: [P, cx('X')] }, 100), 'registry_object_by_patient'],
  ['all patients by reference id', documentStatement({ ...base, referenceIds: [[study]] }, 100), 'registry_object_by_reference'],
  ['all patients by event code', documentStatement({ ...base, eventCodes: [[token('REGION7', '2.16.840.1.113883.6.96')]] }, 100), 'registry_object_by_event'],
  ['all patients by facility', documentStatement({ ...base, facilityType: [token('FACILITY7')] }, 100), 'registry_object_by_facility'],
  ['all patients by a rare class', documentStatement({ ...base, classCode: [token('RARE')] }, 100), 'registry_object_by_class'],
  ['FindSubmissionSets', submissionSetStatement({ patientIds: [P], status: ['approved'] }, 100), 'registry_object_by_patient'],
  ['FindFolders', folderStatement({ patientIds: [P], status: ['approved'] }, 100), 'registry_object_by_patient'],
  ['folders of all patients by code', folderStatement({ patientIds: [], status: ['approved'], codes: [[token('CASE70')]] }, 100), 'registry_object_by_event'],
  ['GetDocuments by id', idStatement('id', [uuid]), 'registry_object_by_id'],
  ['GetDocuments by logical id', idStatement('lid', [uuid]), 'registry_object_by_lid'],
  ['GetDocuments by unique id', uniqueIdStatement('document', ['2.999.70.1']), 'registry_object_by_unique_id'],
  ['the person behind ids', sharedIdStatement([P, cx('X')]), 'person_pkey'],
  ['associations by id', associationStatement('id', [uuid], 100), 'document_association_by_id'],
  ['associations by source', associationStatement('source', [uuid], 100), 'document_association_by_source'],
  ['associations by target', associationStatement('target', [uuid], 100), 'document_association_by_target'],
];

interface Plan {
  readonly 'Node Type': string;
  readonly 'Index Name'?: string;
  readonly 'Relation Name'?: string;
  readonly Plans?: readonly Plan[];
}
const nodes = (plan: Plan): readonly Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodes)];

function check(rows: readonly { 'QUERY PLAN': readonly { Plan: Plan }[] }[], index: string): void {
  const plan = rows.flatMap((row) => row['QUERY PLAN'].flatMap((one) => nodes(one.Plan)));
  const used = plan.flatMap((node) => node['Index Name'] ?? []);
  // The primary key begins with the patient too, and costs the same where filters leave few rows.
  const same = index === 'registry_object_by_patient' ? [index, 'registry_object_pkey'] : [index];
  // What resolves the ids of a patient, before the search begins.
  const resolving = /^(affinity_patient|patient_record_(pkey|by_person$)|person_pkey$)/;
  assert.ok(
    used.some((one) => same.includes(one)),
    `${used.join(', ')}; ${plan.map((node) => node['Node Type']).join(', ')}`,
  );
  assert.ok(
    used.every((one) => same.includes(one) || resolving.test(one)),
    used.join(', '),
  );
  const scanned = plan.filter((node) => node['Node Type'] === 'Seq Scan').map((node) => node['Relation Name']);
  assert.deepEqual(scanned, []);
}

for (const [what, { text, values }, index] of PLANS) {
  test(`${what} goes by ${index}, planned for its values`, async () => {
    check((await fresh.database.pool.query(`explain (format json) ${text}`, values)).rows as never, index);
  });
  // What is asked of all patients is planned each time; the others are named, and may be planned once after five runs.
  if (!what.includes('all patients'))
    test(`${what} goes by ${index}, planned once for all values`, async () => {
      check((await fresh.database.pool.query(`explain (generic_plan, format json) ${text}`)).rows as never, index);
    });
}

test('a merged patient has no documents, the survivor has them all under its own id', async () => {
  const { pool } = fresh.database;
  const [survivor, subsumed] = [patientOf(1) as PatientCx, patientOf(2) as PatientCx];
  await pool.query('update affinity_patient set merged_into = $2, survivor = $2 where patient_id = $1', [
    subsumed,
    survivor,
  ]);
  const reader = createDocumentReader(fresh.database);
  assert.deepEqual(await reader.findDocuments({ ...base, patientIds: [subsumed] }, 100), []);
  const found = await reader.findDocuments({ ...base, patientIds: [survivor] }, 100);
  assert.deepEqual([found.length, new Set(found.map(({ patientId }) => patientId))], [18, new Set([survivor])]);
  const [old] = await reader.byUniqueId('document', ['2.999.2.0']);
  assert.equal(old?.patientId, survivor);
});

test('ids of one person find the documents of all of them, under the id that was asked about, and of nobody else', async () => {
  const { pool } = fresh.database;
  const reader = createDocumentReader(fresh.database);
  const [outside, second, other] = [31, 32, 33].map(patientOf) as [PatientCx, PatientCx, PatientCx];
  const issued = cx(await personOf(pool, 31));
  await file(fresh.database, [documentEntry('urn:uuid:00000000-0000-4000-8000-00000000a001', issued, '2.999.9999.1')]);
  const unlinked = await pool.query<{ person_id: string }>('select person_id from patient_record where local_id = $1', [
    'B32',
  ]);
  const find = async (...patientIds: PatientCx[]): Promise<[number, ...PatientCx[]]> => {
    const found = await reader.findDocuments({ ...base, patientIds }, 100);
    return [found.length, ...new Set(found.map(({ patientId }) => patientId))];
  };
  assert.deepEqual(await find(outside), [10, outside]);
  assert.deepEqual(await find(issued), [10, issued]);
  assert.deepEqual((await find(issued, outside)).slice(0, 1), [10]);
  assert.deepEqual(await find(other), [9, other]);
  await pool.query('update patient_record set person_id = $1 where local_id = $2', [issued.slice(0, 36), 'B32']);
  for (const id of [outside, second, issued]) assert.deepEqual(await find(id), [19, id]);
  assert.deepEqual(new Set(await find(second, other)), new Set([28, second, other]));
  assert.deepEqual((await reader.findSubmissionSets({ patientIds: [second], status: ['approved'] }, 10)).length, 0);
  assert.deepEqual(
    await reader.sharedIds([outside, second, issued, cx('nobody')]),
    new Map([outside, second, issued].map((id) => [id, issued])),
  );
  // A merge of ids ends one; taking the link back, and every id has its own again.
  await pool.query('update affinity_patient set merged_into = $2, survivor = $2 where patient_id = $1', [
    second,
    outside,
  ]);
  assert.deepEqual([await find(second), await find(issued)], [[0], [19, issued]]);
  await pool.query('update affinity_patient set merged_into = null, survivor = null where patient_id = $1', [second]);
  await pool.query('update patient_record set person_id = $1 where local_id = $2', [
    unlinked.rows[0]?.person_id,
    'B32',
  ]);
  assert.deepEqual(
    [await find(second), await find(issued)],
    [
      [9, second],
      [10, issued],
    ],
  );
});

test('what is read by id is one patient where its ids are of one person, and refused where they are not', async () => {
  const { pool } = fresh.database;
  const ask = createStoredQuery({ reader: createDocumentReader(fresh.database), limits: QUERY_LIMITS });
  const view = { metadataLevel: 1, associationStatus: ['approved'] } as const;
  const [outside, other] = [patientOf(41) as PatientCx, patientOf(42) as PatientCx];
  const issued = cx(await personOf(pool, 41));
  const entry = documentEntry('urn:uuid:00000000-0000-4000-8000-00000000a002', issued, '2.999.9999.2');
  await file(fresh.database, [entry]);
  const get = async (...uniqueIds: string[]) => {
    const query = { name: 'GetDocuments', key: { by: 'unique-id', uniqueIds }, view } as const;
    const { objects, problems } = await ask({ query, returnType: 'LeafClass' });
    return problems.map(({ code: wrong }) => wrong as string).concat(objects.map(({ patientId }) => patientId));
  };
  assert.deepEqual(await get('2.999.41.0'), [outside]);
  assert.deepEqual(await get('2.999.41.0', '2.999.9999.2'), [issued, issued]);
  assert.deepEqual(await get('2.999.41.0', '2.999.42.0'), ['XDSResultNotSinglePatient']);
  assert.deepEqual(await get('2.999.42.0', '2.999.9999.2'), ['XDSResultNotSinglePatient']);
  assert.deepEqual(await get('2.999.42.0'), [other]);
});

test('one more than the limit tells that there are more', async () => {
  const reader = createDocumentReader(fresh.database);
  assert.equal((await reader.findDocuments({ ...base, patientIds: [P] }, 5)).length, 6);
  const [set] = await reader.findSubmissionSets({ patientIds: [P], status: ['approved'] }, 5);
  assert.equal((await reader.associations({ sources: set ? [set.id] : [] }, 5)).length, 6);
  assert.equal((await reader.associations({ sources: set ? [set.id] : [] })).length, 10);
  assert.deepEqual(await reader.associations({}), []);
  assert.deepEqual(await reader.findDocuments(base, 5), [], 'nothing that narrows the search finds nothing');
});

const CODES = ['A', 'B', 'C', 'D'].map((value) => code(value));
const DTMS = ['2005', '200501', '20050101', '2005010100', '20050102030405', '2006', '200606'];
const AUTHORS = ['^Li^Lei', '50%_x', "O'Brien", 'back\\slash'];

test('criteria find what they mean', async () => {
  const dtm = fc.constantFrom(...DTMS);
  const someCodes = fc.subarray(CODES);
  const entry = fc.record({
    classCode: fc.constantFrom(...CODES),
    eventCodes: someCodes,
    confidentiality: someCodes,
    referenceIds: fc.subarray(['r1', 'r2', 'r3']),
    authors: fc
      .subarray(AUTHORS)
      .map((all) => all.map((person) => ({ person, institutions: [], roles: [], specialties: [], telecoms: [] }))),
    status: fc.constantFrom('approved' as const, 'deprecated' as const),
    entryType: fc.constantFrom('stable' as const, 'on-demand' as const),
    creationTime: dtm,
  });
  const range = fc.record({ from: dtm, to: dtm }, { requiredKeys: [] });
  const andOr = fc.array(fc.subarray(CODES, { minLength: 1 }), { minLength: 1, maxLength: 2 });
  const asked = fc.record(
    {
      status: fc.subarray(['approved' as const, 'deprecated' as const]),
      entryTypes: fc.subarray(['stable' as const, 'on-demand' as const]),
      classCode: fc.subarray(CODES, { minLength: 1 }),
      eventCodes: andOr,
      confidentiality: andOr,
      referenceIds: fc.array(fc.subarray(['r1', 'r2', 'r3'], { minLength: 1 }), { minLength: 1, maxLength: 2 }),
      authorPerson: fc.array(fc.constantFrom('%', '%Li%', '50%', '50\\%_x', "_'%", "O'Brien", '%\\slash', '%\\'), {
        minLength: 1,
        maxLength: 2,
      }),
      creationTime: range,
    },
    { requiredKeys: ['status', 'entryTypes'] },
  );
  const reader = createDocumentReader(fresh.database);
  let run = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(entry, { minLength: 1, maxLength: 8 }),
      fc.array(asked, { minLength: 4, maxLength: 4 }),
      async (entries, questions) => {
        run += 1;
        const patientId = cx(`R${String(run)}`);
        const documents = entries.map((more, n) =>
          documentEntry(
            `urn:uuid:${String(run).padStart(8, '0')}-0000-4000-8000-${String(n).padStart(12, '0')}`,
            patientId,
            `9.${String(run)}.${String(n)}`,
            more,
          ),
        );
        await file(fresh.database, documents);
        for (const question of questions) {
          const criteria: DocumentCriteria = { ...question, patientIds: [patientId] };
          const found = (await reader.findDocuments(criteria, 100)).map(({ id }) => id).sort();
          assert.deepEqual(
            found,
            documents
              .filter((one) => meets(one, criteria))
              .map(({ id }) => id)
              .sort(),
          );
          const { classCode, eventCodes, referenceIds } = criteria;
          if (!classCode && !eventCodes && !referenceIds) continue;
          // Without the patient another index leads, to the same documents among others.
          const wide = (await reader.findDocuments({ ...criteria, patientIds: [] }, 10_000)).filter(
            (one) => one.patientId === patientId,
          );
          assert.deepEqual(wide.map(({ id }) => id).sort(), found);
        }
      },
    ),
    { numRuns: 60 },
  );
});

const has = (codes: readonly DocumentCode[], wanted: readonly { code: string; scheme: string }[]): boolean =>
  codes.some((one) => wanted.some((other) => other.code === one.code && other.scheme === one.scheme));

/** Each DTM as the moment at which it begins. */
const at = (dtm: string): string =>
  [dtm.slice(0, 4), dtm.slice(4, 6) || '01', dtm.slice(6, 8) || '01', dtm.slice(8).padEnd(6, '0')].join('');
const inside = (dtm: string | undefined, range: DtmRange | undefined): boolean =>
  range === undefined ||
  (dtm !== undefined &&
    !(range.from !== undefined && at(dtm) < at(range.from)) &&
    !(range.to !== undefined && at(dtm) >= at(range.to)));

/** SQL LIKE without an escape character. */
const matches = (text: string, pattern: string): boolean =>
  new RegExp(
    `^${pattern
      .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
      .replaceAll('%', '.*')
      .replaceAll('_', '.')}$`,
    's',
  ).test(text);

function meets(one: DocumentEntry, criteria: DocumentCriteria): boolean {
  const { classCode, eventCodes = [], confidentiality = [], referenceIds = [], authorPerson } = criteria;
  return (
    criteria.status.includes(one.status) &&
    criteria.entryTypes.includes(one.entryType) &&
    (classCode === undefined || has(one.classCode ? [one.classCode] : [], classCode)) &&
    eventCodes.every((group) => has(one.eventCodes, group)) &&
    confidentiality.every((group) => has(one.confidentiality, group)) &&
    referenceIds.every((group) => group.some((id) => one.referenceIds.includes(id))) &&
    (authorPerson === undefined ||
      one.authors.some(({ person = '' }) => authorPerson.some((pattern) => matches(person, pattern)))) &&
    inside(one.creationTime, criteria.creationTime)
  );
}
