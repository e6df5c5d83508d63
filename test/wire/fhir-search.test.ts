/** FHIR search over HTTP on a real database: every way of asking, paging, includes, and what /metadata claims. */
import { Client } from 'fhir-kit-client';
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { freshDatabase, type FreshDatabase } from '../support/database.ts';
import {
  derive,
  examResources,
  examView,
  namedExam,
  openStore,
  patientView,
  personResources,
  personView,
  READER,
  save,
  serveFhir,
  siteResources,
  studyView,
  type Served,
} from '../support/fhir.ts';
import { bundle, found, linked, named, refused, type BundleLike, type Resource } from '../support/fhir-client.ts';
import { faultsOf } from '../support/fhir-validation.ts';

let fresh: FreshDatabase;
let served: Served;
const person = personView();
const exam = examView();
const study = `ImagingStudy/${exam.studies[0]?.studyId ?? ''}`;
const order = `ServiceRequest/${exam.orders[0]?.orderId ?? ''}`;
const report = `DiagnosticReport/${exam.report?.reportId ?? ''}`;
const subject = `Patient/${person.personId}`;
const crowd = derive.id('person', 'crowd');

before(async () => {
  fresh = await freshDatabase();
  await save(fresh.database, [...siteResources(), ...personResources(person), ...examResources(exam)]);
  const other = patientView({
    localId: 'P2',
    residentId: null,
    identifiers: [],
    birthDate: '1975-06',
    sex: 'female',
    phone: '139',
    names: [{ text: '欧阳小<&"明', representation: 'ideographic' }],
  });
  await save(fresh.database, personResources(personView({ personId: crowd, records: [other] })));
  for (let n = 0; n < 7; n++) {
    const made = namedExam(`c${String(n)}`, crowd);
    const studies = [
      studyView({ ...made.studies[0], fields: { startedAt: `2024-0${String(n + 1)}-01T00:00:00.000Z` } }),
    ];
    await save(fresh.database, examResources({ ...made, studies }));
  }
  served = await serveFhir(openStore(fresh.database));
});
after(async () => {
  await served.close();
  await fresh.drop();
});
beforeEach(() => {
  served.caller = READER;
  served.auditBroken = false;
  served.audited.length = 0;
});

test('finds by each way of asking', async () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['ImagingStudy?patient.identifier=urn:oid:2.16.156.10011.1.3|210102198003151239', [study]],
    ['ImagingStudy?subject:Patient.identifier=210102198003151239', [study]],
    ['ImagingStudy?identifier=urn:dicom:uid|urn:oid:1.2.3', [study]],
    ['ImagingStudy?identifier=ACC1', [study]],
    ['ImagingStudy?identifier=urn:oid:2.999.156.1.1.9|&patient.name=张三', [study]],
    ['ImagingStudy?identifier=|ACC1', []],
    ['ImagingStudy?identifier=OLD1,NONE', [study]],
    [`ImagingStudy?patient=${subject}&modality=CT`, [study]],
    [`ImagingStudy?patient=${person.personId}&modality=MR,CT`, [study]],
    [`ImagingStudy?patient=${person.personId}&modality=MR`, []],
    [`ImagingStudy?subject:Patient=${person.personId}&modality:not=MR`, [study]],
    ['ImagingStudy?patient.name=zhang&patient.birthdate=1980', [study]],
    ['ImagingStudy?started=2024-11-22&instance=1.2.3.1.2', [study]],
    ['ImagingStudy?series=urn:oid:1.2.3.1&dicom-class=urn:oid:1.2.840.10008.5.1.4.1.1.2', [study]],
    ['ImagingStudy?started=gt2024-11-21&started=lt2024-11-23', [study]],
    ['ImagingStudy?started=ge2024-11-22T09:05:00%2B08:00&started=le2024-11-22T09:05:00%2B08:00', [study]],
    ['ImagingStudy?started=sa2024-11-22', []],
    ['ImagingStudy?started=eb2025&started=sa2024-10', [study]],
    [`ImagingStudy?basedon=${order}`, [study]],
    [`ImagingStudy?patient=${subject}&endpoint:missing=true`, []],
    [`ImagingStudy?patient=${subject}&started:missing=false`, [study]],
    ['Patient?identifier:of-type=http://terminology.hl7.org/CodeSystem/v2-0203|NI|210102198003151239', [subject]],
    ['Patient?name=ZHANG', [subject]],
    ['Patient?family=张&given=三', [subject]],
    ['Patient?name:exact=张三', [subject]],
    ['Patient?name:exact=张', [subject]],
    ['Patient?name:exact=zhang', []],
    ['Patient?name:contains=阳小', [`Patient/${crowd}`]],
    ['Patient?birthdate=1975-06&gender=female', [`Patient/${crowd}`]],
    ['Patient?birthdate=ge1980-03-15&gender=http://hl7.org/fhir/administrative-gender|male', [subject]],
    ['Patient?phone=13800000000', [subject]],
    [`Patient?_id=${person.personId},nobody`, [subject]],
    ['Patient?_has:DiagnosticReport:patient:conclusion=R91&_has:ImagingStudy:patient:identifier=ACC1', [subject]],
    [`Patient?_lastUpdated=gt2020&_id=${person.personId}`, [subject]],
    ['Patient?_lastUpdated=lt2020', []],
    [`ServiceRequest?patient=${subject}&priority=urgent&intent=order&status=completed`, [order]],
    ['ServiceRequest?identifier=PL1&authored=2024-11-22', [order]],
    ['ServiceRequest?patient.identifier=210102198003151239&occurrence=2024-11&code=CT001', [order]],
    [`DiagnosticReport?based-on.identifier=PL1&status=final`, [report]],
    [`DiagnosticReport?patient=${subject}&issued=2024-11-22&category=RAD`, [report]],
    ['Organization?name=省第一&identifier=47005172621010211A1001', ['Organization/h1']],
    ['Organization?name:contains=第三', ['Organization/h3']],
    [`Patient?identifier=${'x'.repeat(400)}`, []],
    ['Patient?name=100%25', []],
  ];
  for (const [path, expected] of cases) {
    assert.deepEqual(await found(served, `/${path}`), expected, path);
  }
});

test('includes: forwards, backwards, iterated, each once', async () => {
  const forwards = await bundle(
    served,
    `/DiagnosticReport?_id=${exam.report?.reportId ?? ''}&_include=DiagnosticReport:*`,
  );
  assert.deepEqual(named(forwards.entry).sort(), [report, 'Organization/h1', subject, order].sort());
  assert.deepEqual(
    forwards.entry.map(({ search }) => search?.mode),
    ['match', 'include', 'include', 'include'],
  );
  assert.equal(forwards.total, 1);
  const backwards = `/Patient?_id=${person.personId}&_revinclude=ImagingStudy:patient&_include:iterate=ImagingStudy:endpoint&_include:iterate=Endpoint:organization`;
  const all = named((await bundle(served, backwards)).entry);
  assert.deepEqual(all.map((one) => one.split('/')[0]).sort(), ['Endpoint', 'ImagingStudy', 'Organization', 'Patient']);
  const provenance = await bundle(served, `/Patient?_id=${person.personId}&_revinclude=Provenance:target`);
  assert.equal(provenance.entry[1]?.resource?.resourceType, 'Provenance');
  const history = await found(served, `/Provenance?target=${study}`);
  assert.equal(history.length, 1);
  assert.equal((await served.get(`/${history[0] ?? ''}`)).status, 200);
});

test('pages stay as they were while data arrives, and belong to their caller', async () => {
  const first = await bundle(served, `/ImagingStudy?patient=Patient/${crowd}&_sort=started&_count=3`);
  assert.equal(first.total, 7);
  const late = namedExam('late', crowd);
  await save(fresh.database, examResources(late));
  const second = await bundle(served, linked(served, first, 'next') ?? '');
  const third = await bundle(served, linked(served, second, 'next') ?? '');
  const all = [first, second, third].flatMap((page) => named(page.entry));
  assert.equal(all.length, 7);
  assert.equal(new Set(all).size, 7);
  assert.equal(linked(served, third, 'next'), undefined);
  assert.deepEqual(named((await bundle(served, linked(served, third, 'previous') ?? '')).entry), named(second.entry));
  assert.deepEqual(named((await bundle(served, linked(served, third, 'first') ?? '')).entry), named(first.entry));
  served.caller = { ...READER, id: 'someone else' };
  assert.equal(await refused(await served.get(linked(served, first, 'next') ?? ''), 410), 'expired');
  served.caller = READER;
  assert.equal(
    await refused(await served.get('/ImagingStudy?_page=00000000000000000000000000000000.3'), 410),
    'expired',
  );
  await save(
    fresh.database,
    [],
    examResources(late).map((resource) => resource.owner),
  );
});

test('documents of the exam are found by when it was done', async () => {
  const whose = `patient=${person.personId}`;
  const all = await bundle(served, `/DocumentReference?${whose}&_sort=period`);
  const [first] = all.entry;
  const { start } = (first?.resource?.['context'] as { period: { start: string } }).period;
  const on = await bundle(served, `/DocumentReference?${whose}&_sort=period&period=ge${start.slice(0, 10)}`);
  assert.deepEqual(named(on.entry), named(all.entry));
  const identifier = (first?.resource?.['masterIdentifier'] as { value: string }).value;
  assert.equal((await bundle(served, `/DocumentReference?identifier=${identifier}&period=ge1999`)).total, 1);
  assert.equal((await bundle(served, `/DocumentReference?identifier=${identifier}&period=lt1999`)).total, 0);
  assert.equal((await bundle(served, `/DocumentReference?${whose}&period=lt1999`)).total, 0);
  assert.equal((await bundle(served, `/DocumentReference?${whose}&period:missing=true`)).total, 0);
});

test('sorts, counts, summaries and elements', async () => {
  const started = async (sort: string): Promise<unknown[]> =>
    (await bundle(served, `/ImagingStudy?patient=Patient/${crowd}&_sort=${sort}`)).entry.map(
      ({ resource }) => resource?.['started'],
    );
  const up = await started('started');
  assert.deepEqual(up, [...up].sort());
  assert.deepEqual(await started('-started'), [...up].reverse());
  assert.deepEqual(await started('-started,_id'), [...up].reverse());
  assert.equal((await bundle(served, `/ImagingStudy?patient=${crowd}&_summary=count`)).total, 7);
  assert.equal((await bundle(served, `/ImagingStudy?patient=${crowd}&_count=0`)).entry.length, 0);
  assert.equal((await bundle(served, `/ImagingStudy?patient=${crowd}&_total=none`)).total, undefined);
  const [summary] = (await bundle(served, `/ImagingStudy?_id=${exam.studies[0]?.studyId ?? ''}&_summary=true`)).entry;
  assert.equal(summary?.resource?.['extension'], undefined);
  assert.equal((summary?.resource?.['meta'] as { tag: { code: string }[] }).tag[0]?.code, 'SUBSETTED');
  const elements = await served.json<Resource>(`/${study}?_elements=started`);
  assert.deepEqual(Object.keys(elements), ['resourceType', 'id', 'meta', 'status', 'subject', 'started']);
  const names = (await bundle(served, '/Patient?_sort=name')).entry.length;
  assert.equal(names, 2);
});

test('unknown and malformed questions', async () => {
  const lenient = await bundle(served, `/Patient?_id=${person.personId}&colour=red`);
  assert.equal(lenient.total, 1);
  assert.equal(lenient.entry.at(-1)?.search?.mode, 'outcome');
  assert.ok(!(linked(served, lenient, 'self') ?? '').includes('colour'));
  const strict = await served.get('/Patient?colour=red', { Prefer: 'handling=strict' });
  assert.equal(await refused(strict, 400), 'not-supported');
  // What would narrow the search is not left out of it unless the caller says so.
  for (const name of ['_text', '_content', '_filter', '_tag:not']) {
    assert.equal(await refused(await served.get(`/Patient?${name}=a`), 400), 'not-supported');
    const best = await served.json<BundleLike>(`/Patient?_id=${crowd}&${name}=a`, { Prefer: 'handling=lenient' });
    assert.equal(best.entry.at(-1)?.search?.mode, 'outcome');
  }
  for (const path of [
    '/DocumentReference?period=2024',
    '/DocumentReference?_sort=-period&status=current',
    '/DocumentReference?period=2024&patient:missing=true',
    '/Patient?birthdate=yesterday',
    '/Patient?name=%00',
    '/Patient?patient.identifier=a%00b&identifier=%00',
    '/Patient?birthdate=2024-02-30',
    '/Patient?name:fuzzy=x',
    '/Patient?name.family=x',
    '/Patient?_sort=gender',
    '/Patient?_count=-1',
    '/Patient?identifier=|',
    '/Patient?active:missing=maybe',
    '/Patient?_include=Patient:nothing',
    '/ImagingStudy?patient=a/b/c',
    `/ImagingStudy?${'patient.link.'.repeat(5)}identifier=1`,
    `/Patient?identifier=${'a,'.repeat(500)}a`,
    `/Patient?${Array.from({ length: 60 }, () => 'name=a').join('&')}`,
    '/Patient/_history?_count=x',
    '/Patient/_history?_before=x',
  ])
    await refused(await served.get(path), 400);
  for (const path of [
    '/Patient/nobody',
    '/Patient/nobody/_history',
    `/${subject}/_history/9`,
    '/Observation',
    '/x/y/z',
  ])
    await refused(await served.get(path), 404);
  await refused(await served.get(`/Patient?name=${'a'.repeat(10_000)}`), 414);
});

test('the statement of capabilities tells no lie', async () => {
  interface Statement {
    rest: {
      resource: {
        type: string;
        interaction: { code: string }[];
        searchInclude?: string[];
        searchRevInclude?: string[];
        searchParam?: { name: string; type: string; definition?: string }[];
      }[];
    }[];
  }
  const statement = await served.json<Statement & Resource>('/metadata');
  assert.deepEqual(faultsOf(statement), []);
  const samples: Record<string, string> = {
    token: 'a',
    string: 'a',
    uri: 'urn:a',
    reference: 'Patient/a',
    date: '2024',
  };
  let asked = 0;
  for (const { type, searchParam, searchInclude, searchRevInclude } of statement.rest[0]?.resource ?? []) {
    // A face of its own, for other callers: fhir-audit-event.test.ts asks it for each parameter of the statement.
    // So are consents: consent-fhir.test.ts.
    if (type === 'AuditEvent' || type === 'Consent') continue;
    const questions = [
      ...(searchParam ?? []).flatMap(({ name, type: kind }) => [
        `${name}=${samples[kind] ?? ''}`,
        ...(name.startsWith('_') ? [] : [`${name}:missing=true`]),
        ...(kind === 'token' && !name.startsWith('_') ? [`${name}:not=a`] : []),
        ...(kind === 'string' ? [`${name}:exact=a`, `${name}:contains=a`] : []),
        ...(kind === 'date' ? [`_sort=${name}`, `${name}=ap2024`, `${name}=ne2024`] : []),
      ]),
      ...(searchInclude ?? []).map((include) => `_include=${include}`),
      ...(searchRevInclude ?? []).map((include) => `_revinclude=${include}`),
    ];
    for (const question of questions) {
      // ITI-66: lists are asked for by patient and status.
      const ofOne = type === 'List' || question.includes('period');
      const whose = ofOne ? `patient=${person.personId}&status=current&` : '';
      const response = await served.get(`/${type}?${whose}${question}`, { Prefer: 'handling=strict' });
      assert.equal(response.status, 200, `${type}?${question}`);
      asked += 1;
    }
    // The chains that MHD writes as parameters, and those of RAD MADO, are defined by text alone.
    const worded = /\.|^(study-instance-uid|accession-number)$/;
    for (const { definition, name } of searchParam ?? [])
      assert.ok(definition ?? worded.test(name), `${type}.${name} has its definition`);
  }
  assert.ok(asked > 200, String(asked));
});

test('fhir-kit-client reads, searches and pages', async () => {
  const client = new Client({ baseUrl: served.base });
  const read = await client.read({ resourceType: 'Patient', id: person.personId });
  assert.equal(read.resourceType, 'Patient');
  const first = await client.search({
    resourceType: 'ImagingStudy',
    searchParams: { patient: `Patient/${crowd}`, _count: '4' },
  });
  const next = await client.nextPage({ bundle: first as never });
  assert.equal((next?.['entry'] as unknown[]).length, 3);
  const statement = await client.capabilityStatement();
  assert.equal(statement.resourceType, 'CapabilityStatement');
  await assert.rejects(
    client.read({ resourceType: 'Patient', id: 'nobody' }),
    (error: { response?: { status?: number } }) => error.response?.status === 404,
  );
});
