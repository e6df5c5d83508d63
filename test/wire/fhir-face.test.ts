/** The FHIR face over HTTP on a real database: read, search, paging, history, formats, refusals and the audit. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, beforeEach, test } from 'node:test';
import { Client } from 'fhir-kit-client';
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

interface Resource {
  readonly resourceType: string;
  readonly id: string;
  readonly [field: string]: unknown;
}
interface Entry {
  readonly fullUrl: string;
  readonly resource: Resource;
  readonly search: { readonly mode: string };
  readonly request: { readonly method: string };
}
interface BundleLike {
  readonly resourceType: string;
  readonly total?: number;
  readonly link: readonly { readonly relation: string; readonly url: string }[];
  readonly entry: readonly Entry[];
}

async function bundle(path: string): Promise<BundleLike> {
  const body: unknown = await served.json(path);
  const found = body as BundleLike;
  assert.equal(found.resourceType, 'Bundle', JSON.stringify(body).slice(0, 400));
  assert.deepEqual(faultsOf(found), [], path);
  for (const { resource } of found.entry ?? []) if (resource) assert.deepEqual(faultsOf(resource), [], path);
  return { ...found, entry: found.entry ?? [] };
}
const named = (entries: readonly Entry[]): string[] =>
  entries.map(({ resource }) => `${resource.resourceType}/${resource.id}`);
const found = async (path: string): Promise<string[]> =>
  named((await bundle(path)).entry.filter((entry) => entry.search.mode !== 'outcome')).sort();
const linked = (from: BundleLike, relation: string): string | undefined =>
  from.link.find((link) => link.relation === relation)?.url.replace(served.base, '');

async function refused(response: Response, status: number): Promise<string> {
  const body = (await response.json()) as { resourceType: string; issue: { code: string; diagnostics: string }[] };
  assert.equal(response.status, status, JSON.stringify(body));
  assert.equal(body.resourceType, 'OperationOutcome');
  assert.deepEqual(faultsOf(body), []);
  return body.issue[0]?.code ?? '';
}

test('reads with version, conditions and HEAD', async () => {
  const response = await served.get(`/${subject}`);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('etag'), 'W/"1"');
  assert.equal(response.headers.get('content-type'), 'application/fhir+json; charset=utf-8');
  const body = (await response.json()) as Resource & { identifier: { system: string; value: string }[] };
  assert.deepEqual(faultsOf(body), []);
  assert.deepEqual(
    body.identifier.map(({ system, value }) => `${system}|${value}`),
    ['urn:oid:2.16.156.10011.1.3|210102198003151239', 'urn:oid:2.999.156.1.1|P1'],
  );
  const modified = response.headers.get('last-modified') ?? '';
  assert.equal((await served.get(`/${subject}`, { 'If-None-Match': 'W/"1"' })).status, 304);
  assert.equal((await served.get(`/${subject}`, { 'If-None-Match': 'W/"2"' })).status, 200);
  assert.equal((await served.get(`/${subject}`, { 'If-Modified-Since': modified })).status, 304);
  assert.equal((await served.get(`/${subject}/_history/1`)).status, 200);
  const head = await fetch(`${served.base}/${subject}`, { method: 'HEAD' });
  assert.equal(head.status, 200);
  assert.equal(await head.text(), '');
});

test('every read and search is audited before it is answered, without values', async () => {
  await served.get(`/${study}`);
  await served.get('/Patient?name=张三&identifier=210102198003151239');
  assert.deepEqual(
    served.audited.map(({ action, outcome, persons }) => [action, outcome, persons]),
    [
      ['read', 'success', [person.personId]],
      ['search', 'success', [person.personId]],
    ],
  );
  assert.deepEqual(served.audited[0]?.objects, [study]);
  assert.equal(served.audited[1]?.operation, 'GET /fhir/Patient?name&identifier');
  served.auditBroken = true;
  const response = await served.get(`/${subject}`);
  assert.equal(await refused(response, 500), 'exception');
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
    ['Patient?name:exact=张', []],
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
  for (const [path, expected] of cases) assert.deepEqual(await found(`/${path}`), expected, path);
});

test('documents: found, described, and their bytes read', async () => {
  const documents = (await bundle(`/DocumentReference?patient=${subject}`)).entry.map(({ resource }) => resource);
  assert.equal(documents.length, 2);
  for (const [type, bytes] of [
    ['application/pdf', '%PDF-1.4 the report'],
    ['application/dicom', 'DICM'],
  ] as const) {
    const [document] = (await bundle(`/DocumentReference?patient=${subject}&contenttype=${type}`)).entry;
    const { content } = document?.resource as unknown as { content: { attachment: { url: string; size: number } }[] };
    const url = content[0]?.attachment.url ?? '';
    assert.match(url, /^Binary\//);
    const raw = await served.get(`/${url}`);
    assert.equal(raw.headers.get('content-type'), type);
    assert.equal(await raw.text(), bytes);
    assert.deepEqual(served.audited.at(-1)?.persons, [person.personId]);
    const resource = (await served.json(`/${url}`, { Accept: 'application/fhir+json' })) as unknown as Resource;
    assert.deepEqual(faultsOf(resource), []);
    assert.equal(Buffer.from(String(resource['data']), 'base64').toString(), bytes);
  }
});

test('includes: forwards, backwards, iterated, each once', async () => {
  const forwards = await bundle(`/DiagnosticReport?_id=${exam.report?.reportId ?? ''}&_include=DiagnosticReport:*`);
  assert.deepEqual(named(forwards.entry).sort(), [report, 'Organization/h1', subject, order].sort());
  assert.deepEqual(
    forwards.entry.map(({ search }) => search.mode),
    ['match', 'include', 'include', 'include'],
  );
  assert.equal(forwards.total, 1);
  const backwards = `/Patient?_id=${person.personId}&_revinclude=ImagingStudy:patient&_include:iterate=ImagingStudy:endpoint&_include:iterate=Endpoint:organization`;
  const all = named((await bundle(backwards)).entry);
  assert.deepEqual(all.map((one) => one.split('/')[0]).sort(), ['Endpoint', 'ImagingStudy', 'Organization', 'Patient']);
  const provenance = await bundle(`/Patient?_id=${person.personId}&_revinclude=Provenance:target`);
  assert.equal(provenance.entry[1]?.resource.resourceType, 'Provenance');
  const history = await found(`/Provenance?target=${study}`);
  assert.equal(history.length, 1);
  assert.equal((await served.get(`/${history[0] ?? ''}`)).status, 200);
});

test('pages stay as they were while data arrives, and belong to their caller', async () => {
  const first = await bundle(`/ImagingStudy?patient=Patient/${crowd}&_sort=started&_count=3`);
  assert.equal(first.total, 7);
  const late = namedExam('late', crowd);
  await save(fresh.database, examResources(late));
  const second = await bundle(linked(first, 'next') ?? '');
  const third = await bundle(linked(second, 'next') ?? '');
  const all = [first, second, third].flatMap((page) => named(page.entry));
  assert.equal(all.length, 7);
  assert.equal(new Set(all).size, 7);
  assert.equal(linked(third, 'next'), undefined);
  assert.deepEqual(named((await bundle(linked(third, 'previous') ?? '')).entry), named(second.entry));
  assert.deepEqual(named((await bundle(linked(third, 'first') ?? '')).entry), named(first.entry));
  served.caller = { ...READER, id: 'someone else' };
  assert.equal(await refused(await served.get(linked(first, 'next') ?? ''), 410), 'expired');
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

test('sorts, counts, summaries and elements', async () => {
  const started = async (sort: string): Promise<unknown[]> =>
    (await bundle(`/ImagingStudy?patient=Patient/${crowd}&_sort=${sort}`)).entry.map(
      ({ resource }) => resource['started'],
    );
  const up = await started('started');
  assert.deepEqual(up, [...up].sort());
  assert.deepEqual(await started('-started'), [...up].reverse());
  assert.deepEqual(await started('-started,_id'), [...up].reverse());
  assert.equal((await bundle(`/ImagingStudy?patient=${crowd}&_summary=count`)).total, 7);
  assert.equal((await bundle(`/ImagingStudy?patient=${crowd}&_count=0`)).entry.length, 0);
  assert.equal((await bundle(`/ImagingStudy?patient=${crowd}&_total=none`)).total, undefined);
  const [summary] = (await bundle(`/ImagingStudy?_id=${exam.studies[0]?.studyId ?? ''}&_summary=true`)).entry;
  assert.equal(summary?.resource['extension'], undefined);
  assert.equal((summary?.resource['meta'] as { tag: { code: string }[] }).tag[0]?.code, 'SUBSETTED');
  const elements = (await served.json(`/${study}?_elements=started`)) as Record<string, unknown>;
  assert.deepEqual(Object.keys(elements), ['resourceType', 'id', 'meta', 'status', 'subject', 'started']);
  const names = (await bundle('/Patient?_sort=name')).entry.length;
  assert.equal(names, 2);
});

test('unknown and malformed questions', async () => {
  const lenient = await bundle(`/Patient?_id=${person.personId}&colour=red`);
  assert.equal(lenient.total, 1);
  assert.equal(lenient.entry.at(-1)?.search.mode, 'outcome');
  assert.ok(!(linked(lenient, 'self') ?? '').includes('colour'));
  const strict = await served.get('/Patient?colour=red', { Prefer: 'handling=strict' });
  assert.equal(await refused(strict, 400), 'not-supported');
  for (const path of [
    '/Patient?birthdate=yesterday',
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
  await refused(await served.get(`/Patient?name=${'a'.repeat(20_000)}`), 414);
});

test('a form asks what a URL asks; writes are refused', async () => {
  const form = await fetch(`${served.base}/ImagingStudy/_search?modality=CT`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ 'patient.identifier': '210102198003151239' }),
  });
  assert.deepEqual(named(((await form.json()) as BundleLike).entry), [study]);
  const wrong = await fetch(`${served.base}/Patient/_search`, {
    method: 'POST',
    body: '{}',
    headers: { 'content-type': 'text/x' },
  });
  await refused(wrong, 415);
  for (const [method, path] of [
    ['POST', '/Patient'],
    ['PUT', `/${subject}`],
    ['DELETE', `/${subject}`],
    ['PATCH', `/${subject}`],
    ['POST', ''],
  ] as const) {
    const response = await fetch(`${served.base}${path}`, { method });
    await refused(response, 405);
    assert.notEqual(response.headers.get('allow'), null);
  }
});

test('history of an instance, a type and the system, paged without a gap', async () => {
  await save(fresh.database, personResources({ ...person, records: [patientView({ phone: '137' })] }));
  const instance = await bundle(`/${subject}/_history`);
  assert.equal(instance.total, 2);
  assert.deepEqual(
    instance.entry.map(({ request }) => request.method),
    ['PUT', 'POST'],
  );
  assert.deepEqual((await bundle(`/${subject}/_history?_count=1`)).entry.length, 1);
  for (const scope of ['', '/ImagingStudy']) {
    const seen: string[] = [];
    let next: string | undefined = `${scope}/_history?_count=5`;
    for (let pages = 0; next !== undefined && pages < 50; pages++) {
      const page: BundleLike = await bundle(next);
      seen.push(
        ...page.entry.map(
          (entry) =>
            `${entry.fullUrl} ${String((entry.resource?.['meta'] as { versionId?: string } | undefined)?.versionId ?? pages)}`,
        ),
      );
      next = linked(page, 'next');
    }
    assert.equal(new Set(seen).size, seen.length);
    assert.ok(seen.length >= 8);
  }
  assert.deepEqual((await bundle('/_history?_since=2999')).entry, []);
});

test('what was removed is gone, and its history stays', async () => {
  const gone = namedExam('gone', crowd);
  await save(fresh.database, examResources(gone));
  await save(
    fresh.database,
    [],
    examResources(gone).map((resource) => resource.owner),
  );
  const path = `/ImagingStudy/${gone.studies[0]?.studyId ?? ''}`;
  assert.equal(await refused(await served.get(path), 410), 'deleted');
  assert.equal(await refused(await served.get(`${path}/_history/2`), 410), 'deleted');
  assert.equal((await served.get(`${path}/_history/1`)).status, 200);
  assert.equal((await bundle(`${path}/_history`)).entry[0]?.request.method, 'DELETE');
});

test('formats: JSON, XML and what is neither', async () => {
  for (const accept of [
    'application/fhir+xml',
    'text/xml',
    'application/fhir+xml;fhirVersion=4.0, application/json;q=0.5',
  ]) {
    const response = await served.get(`/${report}`, { Accept: accept });
    assert.equal(response.headers.get('content-type'), 'application/fhir+xml; charset=utf-8');
    assert.match(await response.text(), /^<\?xml version="1.0" encoding="UTF-8"\?><DiagnosticReport xmlns=/);
  }
  for (const query of ['_format=xml', '_format=application/fhir%2Bxml', '_format=application/fhir+xml'])
    assert.match(await (await served.get(`/${subject}?${query}`)).text(), /^<\?xml/);
  for (const accept of ['application/pdf', 'application/fhir+json;fhirVersion=3.0', 'image/*'])
    await refused(await served.get(`/${subject}`, { Accept: accept }), 406);
  const xml = await (await served.get(`/Patient?_id=${crowd}&_format=xml`)).text();
  assert.ok(xml.includes('欧阳小&lt;&amp;&quot;明'));
  const count = execFileSync('xmllint', ['--xpath', "count(//*[local-name()='Patient'])", '-'], { input: xml });
  assert.equal(count.toString().trim(), '1');
});

test('closed by default; only /metadata is open', async () => {
  served.caller = null;
  const response = await served.get(`/${subject}`);
  assert.match(response.headers.get('www-authenticate') ?? '', /^Bearer/);
  assert.equal(await refused(response, 401), 'login');
  assert.equal((await served.get('/metadata')).status, 200);
  assert.equal(served.audited.at(-1)?.action, 'refuse');
  served.caller = { ...READER, role: 'hospital-feed' };
  for (const path of [`/${subject}`, '/Patient?name=a', '/_history', '/Binary/1'])
    assert.equal(await refused(await served.get(path), 403), 'forbidden');
  assert.deepEqual(
    served.audited.map(({ outcome }) => outcome),
    Array(5).fill('refused'),
  );
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
  const statement = (await served.json('/metadata')) as unknown as Statement;
  assert.deepEqual(faultsOf(statement as unknown as Resource), []);
  const samples: Record<string, string> = {
    token: 'a',
    string: 'a',
    uri: 'urn:a',
    reference: 'Patient/a',
    date: '2024',
  };
  let asked = 0;
  for (const { type, searchParam, searchInclude, searchRevInclude } of statement.rest[0]?.resource ?? []) {
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
      const response = await served.get(`/${type}?${question}`, { Prefer: 'handling=strict' });
      assert.equal(response.status, 200, `${type}?${question}`);
      asked += 1;
    }
    for (const { definition, name } of searchParam ?? []) assert.ok(definition, `${type}.${name} has its definition`);
  }
  assert.ok(asked > 200, String(asked));
});

test('fhir-kit-client reads, searches and pages', async () => {
  const client = new Client({ baseUrl: served.base });
  const read = (await client.read({ resourceType: 'Patient', id: person.personId })) as unknown as Resource;
  assert.equal(read.resourceType, 'Patient');
  const first = await client.search({
    resourceType: 'ImagingStudy',
    searchParams: { patient: `Patient/${crowd}`, _count: '4' },
  });
  const next = await client.nextPage({ bundle: first as never });
  assert.equal((next as unknown as BundleLike).entry.length, 3);
  const statement = (await client.capabilityStatement()) as unknown as Resource;
  assert.equal(statement.resourceType, 'CapabilityStatement');
  await assert.rejects(client.read({ resourceType: 'Patient', id: 'nobody' }), { response: { status: 404 } } as never);
});
