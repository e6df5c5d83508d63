/** The FHIR face over HTTP on a real database: read, history, documents, formats, refusals and the audit. */
import { execFileSync } from 'node:child_process';
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
import { bundle, linked, named, refused, type BundleLike, type Resource } from '../support/fhir-client.ts';
import { faultsOf } from '../support/fhir-validation.ts';

let fresh: FreshDatabase;
let served: Served;
const person = personView();
const exam = examView();
const study = `ImagingStudy/${exam.studies[0]?.studyId ?? ''}`;
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

test('documents: found, described, and their bytes read', async () => {
  const documents = (await bundle(served, `/DocumentReference?patient=${subject}`)).entry.map(
    ({ resource }) => resource,
  );
  assert.equal(documents.length, 2);
  for (const [type, bytes] of [
    ['application/pdf', '%PDF-1.4 the report'],
    ['application/dicom', 'DICM'],
  ] as const) {
    const [document] = (await bundle(served, `/DocumentReference?patient=${subject}&contenttype=${type}`)).entry;
    const { content } = (document?.resource ?? {}) as { content?: { attachment: { url: string } }[] };
    const url = content?.[0]?.attachment.url ?? '';
    assert.match(url, /^Binary\//);
    const raw = await served.get(`/${url}`);
    assert.equal(raw.headers.get('content-type'), type);
    assert.equal(await raw.text(), bytes);
    assert.deepEqual(served.audited.at(-1)?.persons, [person.personId]);
    const resource = await served.json<Resource>(`/${url}`, { Accept: 'application/fhir+json' });
    assert.deepEqual(faultsOf(resource), []);
    assert.equal(Buffer.from(String(resource['data']), 'base64').toString(), bytes);
  }
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
    ['PUT', ''],
  ] as const) {
    const response = await fetch(`${served.base}${path}`, { method });
    await refused(response, 405);
    assert.notEqual(response.headers.get('allow'), null);
  }
});

test('history of an instance, a type and the system, paged without a gap', async () => {
  await save(fresh.database, personResources({ ...person, records: [patientView({ phone: '137' })] }));
  const instance = await bundle(served, `/${subject}/_history`);
  assert.equal(instance.total, 2);
  assert.deepEqual(
    instance.entry.map(({ request }) => request?.method),
    ['PUT', 'POST'],
  );
  assert.deepEqual((await bundle(served, `/${subject}/_history?_count=1`)).entry.length, 1);
  for (const scope of ['', '/ImagingStudy']) {
    const seen: string[] = [];
    let next: string | undefined = `${scope}/_history?_count=5`;
    for (let pages = 0; next !== undefined && pages < 50; pages++) {
      const page: BundleLike = await bundle(served, next);
      seen.push(
        ...page.entry.map(
          (entry) =>
            `${entry.fullUrl} ${String((entry.resource?.['meta'] as { versionId?: string } | undefined)?.versionId ?? pages)}`,
        ),
      );
      next = linked(served, page, 'next');
    }
    assert.equal(new Set(seen).size, seen.length);
    assert.ok(seen.length >= 8);
  }
  assert.deepEqual((await bundle(served, '/_history?_since=2999')).entry, []);
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
  assert.equal((await bundle(served, `${path}/_history`)).entry[0]?.request?.method, 'DELETE');
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
