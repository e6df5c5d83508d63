/** MHD over HTTP on a real registry: documents are provided, found, listed and retrieved; refusals store nothing. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import type { Binary, Bundle, DocumentReference, List, OperationOutcome } from 'fhir/r4.js';
import type { FhirBody } from '../../hub/core/fhir.ts';
import { siteId } from '../../hub/core/identifier.ts';
import { listKindOf } from '../../mappings/fhir/mhd-list.ts';
import { profileFaults } from '../../mappings/fhir/mhd-rules.ts';
import { MHD_EXTENSIONS, LIST_TYPES } from '../../mappings/fhir/mhd-terms.ts';
import { toXml } from '../../mappings/fhir/xml.ts';
import { index } from '../support/affinity.ts';
import { freshDatabase, type FreshDatabase } from '../support/database.ts';
import { bundle, linked, refused, type BundleLike } from '../support/fhir-client.ts';
import { faultsOf } from '../support/fhir-validation.ts';
import {
  derive,
  examResources,
  examView,
  OBJECTS,
  openStore,
  patientView,
  personResources,
  personView,
  READER,
  save,
  serveFhir,
  siteResources,
  type Served,
} from '../support/fhir.ts';
import { useGuides } from '../support/ihe-guides.ts';
import { provideBundle, type Given } from '../support/mhd.ts';

let fresh: FreshDatabase;
let served: Served;
const person = personView();
const other = personView({
  personId: derive.id('person', '2'),
  records: [patientView({ localId: 'P2', residentId: null, identifiers: [] })],
});
const subject = `Patient/${person.personId}`;
const exam = examView();
const FEED = { ...READER, id: 'feed', role: 'hospital-feed' as const, site: siteId('h1') };

before(async () => {
  useGuides();
  fresh = await freshDatabase();
  await save(fresh.database, [
    ...siteResources(),
    ...personResources(person),
    ...personResources(other),
    ...examResources(exam),
  ]);
  await index(fresh.database, [person.personId, other.personId]);
  served = await serveFhir(openStore(fresh.database));
});
after(async () => {
  await served.close();
  await fresh.drop();
});
beforeEach(() => {
  served.caller = READER;
  served.audited.length = 0;
});

async function post(body: unknown, type = 'application/fhir+json'): Promise<Response> {
  served.caller = FEED;
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(served.base, { method: 'POST', headers: { 'content-type': type }, body: text });
  served.caller = READER;
  return response;
}

let next = 0;
const uid = (): string => `1.2.999.${String((next += 1))}`;

async function provided(given: Partial<Given> & Pick<Given, 'documents'>): Promise<string[]> {
  const response = await post(provideBundle({ subject, setId: uid(), ...given }));
  const body = (await response.json()) as Bundle;
  assert.equal(response.status, 200, JSON.stringify(body));
  return (body.entry ?? []).map((entry) => entry.response?.location ?? '');
}

async function fault(response: Response, status: number): Promise<readonly [code: string, element: string]> {
  const body = (await response.json()) as OperationOutcome;
  assert.equal(response.status, status, JSON.stringify(body));
  assert.deepEqual(faultsOf(body as FhirBody), []);
  const [issue] = body.issue;
  return [issue?.details?.text ?? issue?.code ?? '', issue?.expression?.[0] ?? ''];
}

const rows = async (): Promise<unknown> =>
  (await fresh.database.pool.query('select count(*) from registry_object union all select count(*) from repository_document')).rows;

const ids = ({ entry }: BundleLike): string[] =>
  entry.filter((one) => one.search?.mode === 'match').map((one) => one.resource?.id ?? '');

test('a document that was provided is found by every parameter of ITI-67, by GET and by POST', async () => {
  const [, document = ''] = await provided({ documents: [{ uid: uid(), words: 'one' }] });
  const id = document.replace('DocumentReference/', '');
  assert.equal(served.audited.at(-1)?.action, 'feed');
  assert.deepEqual(served.audited.at(-1)?.persons, [person.personId]);
  const base = `patient=${person.personId}&status=current`;
  const [only] = (await bundle(served, `/DocumentReference?_id=${id}`)).entry;
  const body = only?.resource as unknown as DocumentReference;
  for (const query of [
    base,
    `patient=${subject}&status=current`,
    `patient.identifier=urn:oid:2.999.156.1.1%7CP1&status=current`,
    `patient.identifier=urn:oid:2.999.156.1%7C${person.personId}&status=current,superseded`,
    `${base}&author.family=welby&author.given=Marc`,
    `${base}&author.family:exact=Welby`,
    `${base}&category=http://loinc.org%7C18726-0`,
    `${base}&category=urn:oid:2.16.840.1.113883.6.1%7C18726-0`,
    `${base}&type=18748-4`,
    `${base}&creation=2024-03-01`,
    `${base}&creation=ge2024-03-01T00:00:00Z&creation=lt2024-03-02T00:00:00Z`,
    `${base}&date=2024-03-02T00:00:00Z`,
    `${base}&date=gt2024-03-01&date=le2024-03-03`,
    `${base}&event=http://dicom.nema.org/resources/ontology/DCM%7CCT`,
    `${base}&facility=82242000`,
    `${base}&setting=http://snomed.info/sct%7C394914008`,
    `${base}&security-label=N`,
    `${base}&format=urn:ihe:iti:xds-sd:text:2008`,
    `${base}&period=ge2024-02-02&period=le2024-02-10`,
    `${base}&period=ap2024-02-02`,
    `${base}&related:identifier=urn:dicom:uid%7Curn:oid:1.2.840.99.1`,
    `${base}&study-instance-uid=urn:oid:1.2.840.99.1`,
    `${base}&identifier=${encodeURIComponent(`urn:ietf:rfc:3986|${body.masterIdentifier?.value ?? ''}`)}`,
    `identifier=${encodeURIComponent(body.masterIdentifier?.value ?? '')}`,
    `identifier=urn:uuid:${id}`,
    `${base}&contenttype=text/plain`,
    `${base}&description:missing=true&_sort=-date`,
  ]) {
    const answer = await bundle(served, `/DocumentReference?${query}`);
    assert.ok(ids(answer).includes(id), query);
    const form = await fetch(`${served.base}/DocumentReference/_search`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: query,
    });
    assert.deepEqual(ids((await form.json()) as BundleLike), ids(answer), query);
  }
  for (const query of [
    `patient=${other.personId}&status=current`,
    `${base}&patient=${other.personId}`,
    `patient.identifier=urn:oid:2.999.156.1.1%7CNOBODY&status=current`,
    `patient=${person.personId}&status=superseded`,
    `${base}&author.family=Kildare`,
    `${base}&type=http://snomed.info/sct%7C18748-4`,
    `${base}&creation=lt2024-03-01`,
    `${base}&period=gt2024-02-03`,
    `${base}&security-label:not=N`,
    `${base}&event=MR`,
  ])
    assert.ok(!ids(await bundle(served, `/DocumentReference?${query}`)).includes(id), query);
});

test('a document has its bytes at its URL, in its own type or as a Binary; else 406, 404', async () => {
  const [, document = ''] = await provided({ documents: [{ uid: uid(), words: 'bytes of 张三' }] });
  const body = await served.json<DocumentReference>(`/${document}`);
  assert.deepEqual(faultsOf(body as unknown as FhirBody), [], 'valid by the profile that it names');
  const url = body.content[0]?.attachment.url ?? '';
  assert.ok(url.startsWith(`${served.base}/Binary/`), 'the whole URL (ITI-67)');
  const raw = await fetch(url);
  assert.equal(raw.headers.get('content-type'), 'text/plain');
  assert.equal(await raw.text(), 'bytes of 张三');
  assert.deepEqual(served.audited.at(-1)?.persons, [person.personId]);
  assert.equal((await fetch(url, { headers: { accept: 'text/*, application/pdf;q=0.5' } })).status, 200);
  assert.equal(await refused(await fetch(url, { headers: { accept: 'application/pdf' } }), 406), 'not-supported');
  const binary = (await (await fetch(url, { headers: { accept: 'application/fhir+json' } })).json()) as { data: string };
  assert.equal(Buffer.from(binary.data, 'base64').toString(), 'bytes of 张三');
  const xml = await (await fetch(url, { headers: { accept: 'application/fhir+xml' } })).text();
  assert.match(xml, /^<\?xml .*<Binary xmlns="http:\/\/hl7.org\/fhir">/);
  assert.equal(await refused(await served.get('/Binary/00000000-0000-4000-8000-00000000dead'), 404), 'not-found');
  served.auditBroken = true;
  assert.equal((await fetch(url)).status, 500, 'nothing is shown that is not recorded');
  served.auditBroken = false;
});

test('a replacement supersedes, and both say so; folders keep their documents', async () => {
  const old = uid();
  const folder = 'urn:uuid:00000000-0000-4000-8000-0000000000f1';
  const folderId = uid();
  const folderOf = (item: string, method: 'POST' | 'PUT') => ({
    fullUrl: folder,
    resource: {
      resourceType: 'List' as const,
      extension: [{ url: MHD_EXTENSIONS.designationType, valueCodeableConcept: { coding: [{ system: 'http://snomed.info/sct', code: '225728007' }] } }],
      identifier: [{ use: 'usual' as const, system: 'urn:ietf:rfc:3986', value: `urn:oid:${folderId}` }],
      status: 'current' as const,
      mode: 'working' as const,
      title: 'case',
      code: { coding: [{ system: LIST_TYPES, code: 'folder' }] },
      subject: { reference: subject },
      entry: [{ item: { reference: item } }],
    },
    request: { method, url: 'List' },
  });
  const first = 'urn:uuid:00000000-0000-4000-8000-000000000001';
  const [, before = '', , where = ''] = await provided({ documents: [{ uid: old, words: 'old' }], extra: [folderOf(first, 'POST')] });
  const [set = '', now = '', , patched = ''] = await provided({
    documents: [{ uid: uid(), words: 'new', relatesTo: [{ code: 'replaces', target: { reference: before } }] }],
    extra: [
      {
        fullUrl: 'urn:uuid:00000000-0000-4000-8000-0000000000f2',
        resource: {
          resourceType: 'Parameters',
          parameter: [
            {
              name: 'operation',
              part: [
                { name: 'type', valueCode: 'replace' },
                { name: 'path', valueString: 'DocumentReference.status' },
                { name: 'value', valueCode: 'superseded' },
              ],
            },
          ],
        } as FhirBody,
        request: { method: 'PATCH', url: before },
      },
    ],
  });
  assert.equal(patched, before);
  assert.equal((await served.json<DocumentReference>(`/${before}`)).status, 'superseded');
  const body = await served.json<DocumentReference>(`/${now}`);
  assert.deepEqual(body.relatesTo, [{ code: 'replaces', target: { reference: before } }]);
  const related = await bundle(served, `/DocumentReference?patient=${person.personId}&status=current&relatesto=${before}`);
  assert.deepEqual(ids(related), [now.replace('DocumentReference/', '')]);
  const list = await served.json<List>(`/${where}`);
  assert.deepEqual(faultsOf(list as FhirBody), []);
  assert.deepEqual(list.entry?.map(({ item }) => item.reference).sort(), [before, now].sort(), 'the new one entered the folder');
  // By PUT a third enters the folder that is there.
  const [, third = '', , same = ''] = await provided({ documents: [{ uid: uid(), words: 'third' }], extra: [folderOf(first, 'PUT')] });
  assert.equal(same, where);
  assert.equal((await served.json<List>(`/${where}`)).entry?.length, 3);
  assert.ok((await served.json<List>(`/${set}`)).entry?.some(({ item }) => item.reference === now));
  assert.notEqual(third, now);
});

test('lists are found by every parameter of ITI-66, and only with a patient and a status', async () => {
  const setId = uid();
  const [set = ''] = await provided({ setId, documents: [{ uid: uid(), words: 'listed' }] });
  const id = set.replace('List/', '');
  const base = `patient=${person.personId}&status=current`;
  for (const query of [
    `${base}&code=submissionset`,
    `${base}&code=${encodeURIComponent(`${LIST_TYPES}|submissionset`)}`,
    `patient.identifier=urn:oid:2.999.156.1.1%7CP1&status=current&code=submissionset`,
    `${base}&date=ge2024-03-02&date=lt2024-03-03`,
    `${base}&designationType=http://snomed.info/sct%7C225728007`,
    `${base}&source.family=Kild&source.given=james`,
    `${base}&sourceId=urn:oid:1.2.3.4`,
    `${base}&identifier=urn:oid:${setId}`,
    `identifier=urn:ietf:rfc:3986%7Curn:oid:${setId}`,
    `_id=${id}`,
  ]) {
    const answer = await bundle(served, `/List?${query}`);
    assert.ok(ids(answer).includes(id), query);
    for (const { resource } of answer.entry) {
      assert.deepEqual(faultsOf(resource as FhirBody), [], query);
      const kind = listKindOf(resource as unknown as List) === 'folder' ? 'folder' : 'submission-set';
      assert.deepEqual(profileFaults(resource as FhirBody, kind, 'Comprehensive', 'List'), [], query);
    }
  }
  for (const query of [`${base}&code=folder`, `${base}&source.family=Welby`, `${base}&sourceId=urn:oid:1.2.3.5`, `patient=${other.personId}&status=current`])
    assert.ok(!ids(await bundle(served, `/List?${query}`)).includes(id), query);
  for (const query of ['', 'status=current', `patient=${person.personId}`, 'code=submissionset'])
    assert.equal(await refused(await served.get(`/List?${query}`), 400), 'required', query);
});

test('pages of a result stand still while documents come in', async () => {
  for (let n = 0; n < 5; n++) await provided({ subject: `Patient/${other.personId}`, documents: [{ uid: uid(), words: `page ${String(n)}` }] });
  const query = `/DocumentReference?patient=${other.personId}&status=current&_count=2&_sort=_id`;
  const whole = ids(await bundle(served, `${query}&_count=100`));
  let page = await bundle(served, query);
  assert.equal(page.total, 5);
  const seen = ids(page);
  await provided({ subject: `Patient/${other.personId}`, documents: [{ uid: uid(), words: 'late' }] });
  for (let path = linked(served, page, 'next'); path !== undefined; path = linked(served, page, 'next')) {
    page = await bundle(served, path);
    seen.push(...ids(page));
  }
  assert.deepEqual(seen, whole);
});

test('an exam document that the registry has too is shown once, with the links of the exam', async () => {
  const own = (await bundle(served, `/DocumentReference?patient=${person.personId}&contenttype=application/pdf`)).entry[0]
    ?.resource as unknown as DocumentReference;
  const master = own.masterIdentifier?.value?.replace('urn:oid:', '') ?? '';
  const count = (await bundle(served, `/DocumentReference?patient=${person.personId}&_count=200`)).total ?? 0;
  const [, document = ''] = await provided({ documents: [{ uid: master, words: 'the same report' }] });
  const after = await bundle(served, `/DocumentReference?patient=${person.personId}&_count=200`);
  assert.equal(after.total, count);
  const [one, ...more] = after.entry
    .map(({ resource }) => resource as unknown as DocumentReference)
    .filter(({ masterIdentifier }) => masterIdentifier?.value === `urn:oid:${master}`);
  assert.deepEqual([`DocumentReference/${one?.id ?? ''}`, more.length], [document, 0]);
  const report = own.context?.related?.[0]?.reference ?? '';
  assert.match(report, /^DiagnosticReport\//);
  assert.ok(one?.context?.related?.some(({ reference }) => reference === report));
  assert.deepEqual(ids(await bundle(served, `/DocumentReference?identifier=urn:oid:${master}`)), [one?.id]);
  const included = await bundle(served, `/DocumentReference?_id=${one?.id ?? ''}&_include=DocumentReference:related`);
  assert.ok(included.entry.some(({ resource }) => `DiagnosticReport/${resource?.id ?? ''}` === report));
});

test('each rule broken is refused by its name at its element, and stores nothing', async () => {
  const stored = await rows();
  const kept = OBJECTS.size;
  const good = (): Bundle => provideBundle({ subject, setId: uid(), documents: [{ uid: uid(), words: 'x' }] });
  const with_ = (change: (bundle: Bundle, document: DocumentReference, set: List) => void): Bundle => {
    const made = good();
    change(made, made.entry?.[1]?.resource as DocumentReference, made.entry?.[0]?.resource as List);
    return made;
  };
  const at = 'Bundle.entry[1].resource';
  for (const [what, body, status, code, element] of [
    ['no profile', with_((b) => delete b.meta), 400, 'structure', 'Bundle.meta.profile'],
    ['a batch', with_((b) => (b.type = 'batch')), 400, 'structure', 'Bundle.type'],
    ['no set', with_((b) => b.entry?.shift()), 422, 'XDSRepositoryMetadataError', 'Bundle.entry'],
    ['two sets', with_((b) => b.entry?.push({ ...b.entry[0], fullUrl: 'urn:uuid:00000000-0000-4000-8000-0000000000aa' } as never)), 422, 'XDSRepositoryMetadataError', 'Bundle.entry'],
    ['another type', with_((b) => b.entry?.push({ resource: { resourceType: 'Observation' } as never, request: { method: 'POST', url: 'Observation' } })), 400, 'structure', 'Bundle.entry[3].resource'],
    ['a delete', with_((b) => b.entry?.[1]?.request && (b.entry[1].request.method = 'DELETE')), 400, 'structure', 'Bundle.entry[1]'],
    ['no master identifier', with_((_b, d) => delete d.masterIdentifier), 422, 'XDSRepositoryMetadataError', `${at}.masterIdentifier`],
    ['no security label', with_((_b, d) => delete d.securityLabel), 422, 'XDSRepositoryMetadataError', `${at}.securityLabel`],
    ['docStatus', with_((_b, d) => (d.docStatus = 'final')), 422, 'XDSRepositoryMetadataError', `${at}.docStatus`],
    ['an author not contained', with_((_b, d) => (d.author = [{ reference: 'Practitioner/1' }])), 422, 'XDSRepositoryMetadataError', `${at}.author`],
    ['superseded at birth', with_((_b, d) => (d.status = 'superseded')), 422, 'XDSRepositoryMetadataError', `${at}.status`],
    ['a wrong hash', with_((_b, d) => d.content[0] && (d.content[0].attachment.hash = Buffer.alloc(20).toString('base64'))), 422, 'XDSNonIdenticalHash', `${at}.content[0].attachment.hash`],
    ['no hash at all', with_((_b, d) => d.content[0] && (d.content[0].attachment.hash = 'aGVsbG8=')), 422, 'XDSRepositoryMetadataError', `${at}.content[0].attachment.hash`],
    ['a wrong size', with_((_b, d) => d.content[0] && (d.content[0].attachment.size = 2)), 422, 'XDSNonIdenticalSize', `${at}.content[0].attachment.size`],
    ['another content type', with_((_b, d) => d.content[0] && (d.content[0].attachment.contentType = 'text/xml')), 422, 'XDSRepositoryMetadataError', `${at}.content[0].attachment.contentType`],
    ['no bytes in the bundle', with_((b) => b.entry?.pop()), 422, 'XDSMissingDocument', `${at}.content[0].attachment.url`],
    ['bytes elsewhere', with_((_b, d) => d.content[0] && (d.content[0].attachment.url = 'http://169.254.169.254/x')), 422, 'XDSMissingDocument', `${at}.content[0].attachment.url`],
    ['bytes that nobody describes', with_((b) => b.entry?.push({ fullUrl: 'urn:uuid:00000000-0000-4000-8000-0000000000bb', resource: { resourceType: 'Binary', contentType: 'text/plain' } as Binary, request: { method: 'POST', url: 'Binary' } })), 422, 'XDSMissingDocumentMetadata', 'Bundle.entry[3].resource'],
    ['a document outside the set', with_((_b, _d, s) => delete s.entry), 422, 'XDSRepositoryMetadataError', at],
    ['an unknown patient', with_((_b, d) => (d.subject = { reference: 'Patient/00000000-0000-4000-8000-000000000000' })), 422, 'XDSUnknownPatientId', `${at}.subject`],
    ['a patient elsewhere', with_((_b, d) => (d.subject = { reference: 'https://elsewhere.example/fhir/Patient/1' })), 422, 'XDSUnknownPatientId', `${at}.subject`],
    ['two patients', with_((_b, d) => (d.subject = { reference: `Patient/${other.personId}` })), 422, 'XDSPatientIdDoesNotMatch', 'Bundle'],
    ['a relation to nothing', with_((_b, d) => (d.relatesTo = [{ code: 'appends', target: { reference: 'DocumentReference/none' } }])), 422, 'UnresolvedReferenceException', `${at}.relatesTo[0].target`],
    ['a relation to nothing here', with_((_b, d) => (d.relatesTo = [{ code: 'replaces', target: { reference: 'DocumentReference/00000000-0000-4000-8000-00000000dead' } }])), 422, 'XDSRegistryMetadataError', 'Bundle'],
    ['a set id that is there', with_((_b, _d, s) => s.identifier?.[0] && (s.identifier[0].value = 'urn:oid:1.2.999.1')), 409, 'XDSDuplicateUniqueIdInRegistry', 'Bundle.entry[0].resource'],
    ['a source that is no OID', with_((_b, _d, s) => s.extension?.[1] && (s.extension[1].valueIdentifier = { value: 'me' })), 422, 'XDSRegistryMetadataError', `Bundle.entry[0].resource.extension('${MHD_EXTENSIONS.sourceId}')`],
    ['an unknown element', with_((b) => ((b as { secret?: string }).secret = 'x')), 400, 'structure', 'Bundle.secret'],
    ['a date that is none', with_((_b, d) => (d.date = '2024-13-01T00:00:00Z')), 400, 'structure', `${at}.date`],
  ] as const) {
    assert.deepEqual(await fault(await post(body), status), [code, element], what);
    // An element that R4 does not know cannot be written as XML by us.
    if (what === 'an unknown element') continue;
    const xml = await post(toXml(body as FhirBody), 'application/fhir+xml');
    assert.equal((await fault(xml, status))[0], code, `${what}, as XML`);
  }
  assert.deepEqual(await rows(), stored);
  assert.equal(OBJECTS.size, kept, 'no bytes are left behind');
});

test('what is no bundle at all is refused, and the face goes on', async () => {
  const deep = `{"resourceType":"Bundle","type":"transaction","extension":${'[{"url":"x","extension":'.repeat(5000)}[]${'}]'.repeat(5000)}}`;
  for (const [body, type, status] of [
    ['{', 'application/fhir+json', 400],
    ['null', 'application/fhir+json', 400],
    ['[1]', 'application/json', 400],
    ['"x"', 'application/fhir+json', 400],
    [deep, 'application/fhir+json', 400],
    ['{"resourceType":"Bundle","type":"transaction","__proto__":{"a":1}}', 'application/fhir+json', 400],
    ['{}', 'text/plain', 415],
    ['<Bundle xmlns="http://hl7.org/fhir">', 'application/fhir+xml', 400],
    ['<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><Bundle xmlns="http://hl7.org/fhir"/>', 'application/fhir+xml', 400],
    ['<Bundle/>', 'application/fhir+xml', 400],
    [`<Bundle xmlns="http://hl7.org/fhir">${'<entry>'.repeat(80)}${'</entry>'.repeat(80)}</Bundle>`, 'application/fhir+xml', 400],
    [JSON.stringify({ resourceType: 'Bundle', type: 'transaction', id: 'x'.repeat(33 << 20) }), 'application/fhir+json', 413],
  ] as const) {
    const response = await post(body, type);
    assert.equal(response.status, status, body.slice(0, 60));
    assert.equal(((await response.json()) as OperationOutcome).resourceType, 'OperationOutcome');
  }
  assert.equal((await served.get('/metadata')).status, 200);
});

test('who may not send is refused before the body is read; who sends may not read', async () => {
  const body = JSON.stringify(provideBundle({ subject, setId: uid(), documents: [{ uid: uid(), words: 'x' }] }));
  const send = (): Promise<Response> => fetch(served.base, { method: 'POST', headers: { 'content-type': 'application/fhir+json' }, body });
  assert.equal(await refused(await send(), 403), 'forbidden');
  assert.deepEqual([served.audited.at(-1)?.action, served.audited.at(-1)?.outcome], ['refuse', 'refused']);
  served.caller = null;
  assert.equal(await refused(await send(), 401), 'login');
  served.caller = FEED;
  assert.equal(await refused(await served.get(`/DocumentReference?patient=${person.personId}&status=current`), 403), 'forbidden');
  served.caller = { ...READER, role: 'administrator' };
  assert.equal((await send()).status, 200);
});
