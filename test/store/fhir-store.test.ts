/** The FHIR projection in PostgreSQL: versions, removals, owners, searches, and the plans of the hot queries. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Criterion, FhirStore } from '../../hub/core/fhir.ts';
import { saveResources } from '../../hub/store/fhir.ts';
import { after as afterPrefix, searchStatement } from '../../hub/store/fhir-query.ts';
import { provenanceStatement } from '../../hub/store/fhir-provenance.ts';
import { provenanceId } from '../../mappings/fhir/provenance.ts';
import { freshDatabase, type FreshDatabase } from '../support/database.ts';
import {
  derive,
  examResources,
  examView,
  namedExam,
  openProjection,
  orderView,
  patientView,
  personResources,
  personView,
  PROVENANCE,
  save,
  siteResources,
} from '../support/fhir.ts';

let fresh: FreshDatabase;
let store: FhirStore;

before(async () => {
  fresh = await freshDatabase();
  store = openProjection(fresh.database);
});
after(() => fresh.drop());

const newest = async (type: string, id: string): Promise<number> => (await store.read(type, id))?.version ?? 0;
const token = (...any: string[]): Criterion => ({ kind: 'tokens', any, negate: false, selective: true });
const ids = (type: string, ...criteria: Criterion[]): Promise<readonly string[]> =>
  store.search({ type, criteria, sort: [], limit: 100 });

test('what does not change gets no version; what changes gets the next; what is no longer made is removed', async () => {
  const exam = namedExam('v', derive.id('person', 'v'));
  const order = orderView({ orderId: exam.orders[0]?.orderId ?? derive.id('x'), keys: { placer: 'PLv' } });
  const { id } = { id: order.orderId };
  await save(fresh.database, examResources(exam));
  await save(fresh.database, examResources(exam));
  assert.equal(await newest('ServiceRequest', id), 1);
  await save(fresh.database, examResources({ ...exam, orders: [{ ...order, status: 'cancelled' }] }));
  assert.equal(await newest('ServiceRequest', id), 2);
  await save(fresh.database, examResources({ ...exam, orders: [] }));
  const removed = await store.read('ServiceRequest', id);
  assert.equal(removed?.version, 3);
  assert.equal(removed.body, null);
  assert.deepEqual(await ids('ServiceRequest', token('identifier=PLv')), []);
  assert.deepEqual(
    (await store.history({ type: 'ServiceRequest', id }, { limit: 10 })).map((one) => [one.version, one.body === null]),
    [
      [3, true],
      [2, false],
      [1, false],
    ],
  );
  await save(fresh.database, examResources({ ...exam, orders: [order] }));
  assert.equal(await newest('ServiceRequest', id), 4, 'it comes back as the next version');
});

test('a resource that moves to another owner is not removed with its first owner', async () => {
  const exam = namedExam('m', derive.id('person', 'm'));
  const resources = examResources(exam);
  await save(fresh.database, resources);
  const moved = resources.map((resource) => ({ ...resource, owner: 'exam:other' }));
  await save(fresh.database, moved, [resources[0]?.owner ?? '', 'exam:other']);
  for (const { type, id } of moved) assert.notEqual((await store.read(type, id))?.body, null);
  await save(fresh.database, [], [resources[0]?.owner ?? '']);
  for (const { type, id } of moved) assert.notEqual((await store.read(type, id))?.body, null);
});

test('a transaction that rolls back leaves nothing', async () => {
  const resources = examResources(namedExam('r', derive.id('person', 'r')));
  await assert.rejects(
    fresh.database.transaction(async (connection) => {
      await saveResources(connection, ['exam:r'], resources, PROVENANCE);
      throw new Error('no');
    }),
  );
  assert.equal(await store.read(resources[0]?.type ?? '', resources[0]?.id ?? ''), null);
});

test('many transactions on the same resources at once: versions without a gap, one state at the end', async () => {
  const person = derive.id('person', 'c');
  const make = (n: number) =>
    personResources(personView({ personId: person, records: [patientView({ phone: `1380000${String(1000 + n)}` })] }));
  await Promise.all(Array.from({ length: 12 }, (_, n) => save(fresh.database, make(n))));
  const history = await store.history({ type: 'Patient', id: person }, { limit: 50 });
  assert.deepEqual(
    history.map((one) => one.version),
    Array.from({ length: 12 }, (_, n) => 12 - n),
  );
  const phone = (history[0]?.body as { telecom?: { value: string }[] }).telecom?.[0]?.value ?? '';
  assert.deepEqual(await ids('Patient', token(`phone=${phone}`)), [person]);
});

test('names: prefix, exact, contains; a changed name is not found by the old one', async () => {
  const person = derive.id('person', 'n');
  const named = (text: string) =>
    personResources(
      personView({ personId: person, records: [patientView({ names: [{ text, representation: 'ideographic' }] })] }),
    );
  const by = (mode: 'prefix' | 'exact' | 'contains', norm: string, exact = norm): Promise<readonly string[]> =>
    ids('Patient', {
      kind: 'string',
      params: ['name'],
      mode,
      any: [{ norm, exact, grams: Array.from(norm).map((one) => `~${one}`) }],
    });
  await save(fresh.database, named('𠮷田䶮'));
  assert.deepEqual(await by('prefix', '𠮷'), [person]);
  assert.deepEqual(await by('contains', '田䶮'), [person]);
  assert.deepEqual(await by('exact', '𠮷田䶮'), [person]);
  assert.deepEqual(await by('exact', '𠮷田'), []);
  await save(fresh.database, named('欧阳修'));
  assert.deepEqual(await by('prefix', '𠮷'), []);
  assert.deepEqual(await by('contains', '田䶮'), []);
  assert.deepEqual(await by('contains', '阳'), [person]);
});

test('the bound of a prefix search is after all that begin with it', () => {
  for (const [prefix, bound] of [
    ['a', 'b'],
    ['张', '弡'],
    ['a\u{10ffff}', 'b'],
    ['\ud7ff', '\ue000'],
  ] as const)
    assert.equal(afterPrefix(prefix), bound);
});

test('Provenance is found by target, version, patient, agent and time', async () => {
  await save(fresh.database, personResources(personView()));
  await save(fresh.database, personResources(personView({ records: [patientView({ phone: '2' })] })));
  const id = derive.id('person', '1');
  const of = (version: number): string => provenanceId('Patient', id, version);
  assert.deepEqual([...(await ids('Provenance', token(`target=Patient/${id}`)))].sort(), [of(1), of(2)]);
  assert.deepEqual(await ids('Provenance', token(`target=Patient/${id}/_history/2`)), [of(2)]);
  assert.equal((await ids('Provenance', token(`patient=Patient/${id}`), token('agent=Organization/h1'))).length, 2);
  assert.equal((await ids('Provenance', token(`patient=Patient/${id}`), token('agent=Organization/h3'))).length, 0);
  const read = await store.read('Provenance', of(2));
  assert.equal(read?.version, 1);
  const { target, entity } = (read.body ?? {}) as {
    target?: { reference: string }[];
    entity?: { what: { identifier: { value: string } } }[];
  };
  assert.equal(target?.[0]?.reference, `Patient/${id}/_history/2`);
  assert.equal(entity?.[0]?.what.identifier.value, '1001');
  assert.equal((await store.fetch('Provenance', [of(2), of(1), of(9), 'junk'])).length, 2);
});

test('pages are for their caller, until they expire', async () => {
  const pages = { callerId: 'a', type: 'Patient', ids: ['1', '2'], state: '{}' };
  const handle = await store.savePages(pages);
  assert.deepEqual(await store.pages(handle, 'a'), pages);
  assert.equal(await store.pages(handle, 'b'), null);
  await fresh.database.pool.query(`update fhir_page set expires_at = now() - interval '1 second'`);
  assert.equal(await store.pages(handle, 'a'), null);
  await store.savePages(pages);
  const { rows } = await fresh.database.pool.query<{ count: string }>('select count(*) from fhir_page');
  assert.equal(rows[0]?.count, '1', 'what expired goes when something new comes');
});

test('hot queries use the index that is made for them', async () => {
  const batch = Array.from({ length: 300 }, (_, n) => namedExam(`x${String(n)}`, derive.id('person', `x${String(n)}`)));
  await save(fresh.database, [...siteResources(), ...batch.flatMap(examResources), ...examResources(examView())]);
  await save(
    fresh.database,
    batch.flatMap((exam, n) =>
      personResources(
        personView({
          personId: exam.personId,
          records: [
            patientView({
              localId: `P${String(n)}`,
              names: [{ text: `人${String(n)}`, representation: 'ideographic' }],
            }),
          ],
        }),
      ),
    ),
  );
  await fresh.database.pool.query('vacuum analyze');
  const range = { low: '2024-11-01T00:00:00.000Z', high: '2024-11-01T00:00:00.001Z' };
  const cases: readonly (readonly [string, string, Criterion[]])[] = [
    ['Patient', 'fhir_resource_patient_tokens_idx', [token('identifier=urn:oid:2.999.156.1.1|P7')]],
    ['ImagingStudy', 'fhir_resource_imaging_study_tokens_idx', [token(`patient=Patient/${batch[7]?.personId ?? ''}`)]],
    ['DiagnosticReport', 'fhir_resource_diagnostic_report_tokens_idx', [token('identifier=ACCx7')]],
    [
      'Patient',
      'fhir_text_patient_param_norm_id_idx',
      [{ kind: 'string', params: ['name'], mode: 'prefix', any: [{ norm: '人7', exact: '人7', grams: [] }] }],
    ],
    [
      'Patient',
      'fhir_resource_patient_tokens_idx',
      [
        {
          kind: 'string',
          params: ['name'],
          mode: 'contains',
          any: [{ norm: '人77', exact: '人77', grams: ['~人7', '~77'] }],
        },
      ],
    ],
    ['ImagingStudy', 'fhir_imaging_study_started', [{ kind: 'date', column: 'date1', any: [{ prefix: 'eq', range }] }]],
    [
      'ServiceRequest',
      'fhir_resource_service_request_pkey',
      [{ kind: 'ids', any: [batch[3]?.orders[0]?.orderId ?? ''] }],
    ],
  ];
  await fresh.database.transaction(async (connection) => {
    // On few rows a scan is cheapest; the question is whether the index can answer at all.
    await connection.query('set local enable_seqscan = off');
    for (const [type, index, criteria] of cases) {
      const { text, values } = searchStatement({ type, criteria, sort: [], limit: 21 });
      const { rows } = await connection.query<{ 'QUERY PLAN': string }>(`explain ${text}`, [...values]);
      const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
      assert.match(plan, new RegExp(`\\b${index}\\b`), `${type} ${JSON.stringify(criteria)}\n${plan}`);
      assert.ok(!plan.includes('Seq Scan on fhir_resource'), plan);
    }
    const target = token(`target=ImagingStudy/${batch[3]?.studies[0]?.studyId ?? ''}`);
    const { text, values } = provenanceStatement({ type: 'Provenance', criteria: [target], sort: [], limit: 21 });
    const { rows } = await connection.query<{ 'QUERY PLAN': string }>(`explain ${text}`, [...values]);
    assert.match(JSON.stringify(rows), /fhir_version_imaging_study_pkey/);
  });
});
