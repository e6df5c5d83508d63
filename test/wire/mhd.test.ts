/** MHD over HTTP on a real registry: documents are provided, found, listed and retrieved. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import type { DocumentReference, List } from 'fhir/r4.js';
import type { FhirBody } from '../../hub/core/fhir.ts';
import { siteId } from '../../hub/core/identifier.ts';
import { listKindOf } from '../../mappings/fhir/mhd-list.ts';
import { profileFaults } from '../../mappings/fhir/mhd-rules.ts';
import { LIST_TYPES, MHD_EXTENSIONS } from '../../mappings/fhir/mhd-terms.ts';
import { bundle, linked, refused, type BundleLike } from '../support/fhir-client.ts';
import { faultsOf } from '../support/fhir-validation.ts';
import { READER, type Served } from '../support/fhir.ts';
import { FEED, matched, openMhd, other, person, subject, uid, type MhdHub } from '../support/mhd-hub.ts';
import { as, provideBundle } from '../support/mhd.ts';

let hub: MhdHub;
let served: Served;
before(async () => {
  hub = await openMhd();
  served = hub.served;
});
after(() => hub.close());
beforeEach(() => {
  served.caller = READER;
  served.audited.length = 0;
});

test('a document that was provided is found by every parameter of ITI-67, by GET and by POST', async () => {
  const [, document = ''] = await hub.provided({ documents: [{ uid: uid(), words: 'one' }] });
  const id = document.replace('DocumentReference/', '');
  assert.equal(served.audited.at(-1)?.action, 'feed');
  assert.deepEqual(served.audited.at(-1)?.persons, [person.personId]);
  const base = `patient=${person.personId}&status=current`;
  const [only] = (await bundle(served, `/DocumentReference?_id=${id}`)).entry;
  const body = as<DocumentReference>(only?.resource);
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
    `${base}&language=zh-CN`,
    `${base}&description:missing=true&_sort=-date`,
  ]) {
    const answer = await bundle(served, `/DocumentReference?${query}`);
    assert.ok(matched(answer).includes(id), query);
    const form = await fetch(`${served.base}/DocumentReference/_search`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: query,
    });
    assert.deepEqual(matched((await form.json()) as BundleLike), matched(answer), query);
  }
  for (const query of [
    `patient=${other.personId}&status=current`,
    `${base}&patient=${other.personId}`,
    `patient.identifier=urn:oid:2.999.156.1.1%7CNOBODY&status=current`,
    `patient=${person.personId}&status=superseded`,
    `${base}&author.family=Kildare`,
    `${base}&language=en`,
    `${base}&type=http://snomed.info/sct%7C18748-4`,
    `${base}&creation=lt2024-03-01`,
    `${base}&period=gt2024-02-03`,
    `${base}&security-label:not=N`,
    `${base}&event=MR`,
  ])
    assert.ok(!matched(await bundle(served, `/DocumentReference?${query}`)).includes(id), query);
});

test('a document has its bytes at its URL, in its own type or as a Binary; else 406, 404', async () => {
  const [, document = ''] = await hub.provided({ documents: [{ uid: uid(), words: 'bytes of 张三' }] });
  const body = await served.json<DocumentReference>(`/${document}`);
  assert.deepEqual(faultsOf(as<FhirBody>(body)), [], 'valid by the profile that it names');
  const url = body.content[0]?.attachment.url ?? '';
  assert.ok(url.startsWith(`${served.base}/Binary/`), 'the whole URL (ITI-67)');
  const raw = await fetch(url);
  assert.equal(raw.headers.get('content-type'), 'text/plain');
  assert.equal(await raw.text(), 'bytes of 张三');
  assert.deepEqual(served.audited.at(-1)?.persons, [person.personId]);
  assert.equal((await fetch(url, { headers: { accept: 'text/*, application/pdf;q=0.5' } })).status, 200);
  assert.equal(await refused(await fetch(url, { headers: { accept: 'application/pdf' } }), 406), 'not-supported');
  const binary = (await (await fetch(url, { headers: { accept: 'application/fhir+json' } })).json()) as {
    data: string;
  };
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
      extension: [
        {
          url: MHD_EXTENSIONS.designationType,
          valueCodeableConcept: { coding: [{ system: 'http://snomed.info/sct', code: '225728007' }] },
        },
      ],
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
  const [, before = '', , where = ''] = await hub.provided({
    documents: [{ uid: old, words: 'old' }],
    extra: [folderOf(first, 'POST')],
  });
  const [set = '', now = '', , patched = ''] = await hub.provided({
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
  const related = await bundle(
    served,
    `/DocumentReference?patient=${person.personId}&status=current&relatesto=${before}`,
  );
  assert.deepEqual(matched(related), [now.replace('DocumentReference/', '')]);
  const list = await served.json<List>(`/${where}`);
  assert.deepEqual(faultsOf(list as FhirBody), []);
  assert.deepEqual(
    list.entry?.map(({ item }) => item.reference).sort(),
    [before, now].sort(),
    'the new one entered the folder',
  );
  // By PUT a third enters the folder that is there.
  const [, third = '', , same = ''] = await hub.provided({
    documents: [{ uid: uid(), words: 'third' }],
    extra: [folderOf(first, 'PUT')],
  });
  assert.equal(same, where);
  assert.equal((await served.json<List>(`/${where}`)).entry?.length, 3);
  assert.ok((await served.json<List>(`/${set}`)).entry?.some(({ item }) => item.reference === now));
  assert.notEqual(third, now);
});

test('a hospital replaces its own documents, by whichever of its clients, and none of another', async () => {
  const [, before = ''] = await hub.provided({ documents: [{ uid: uid(), words: 'first' }] });
  const replace = async (caller: Partial<typeof FEED>): Promise<Response> => {
    served.caller = { ...FEED, ...caller };
    const relatesTo = [{ code: 'replaces' as const, target: { reference: before } }];
    const bundle = provideBundle({ subject, setId: uid(), documents: [{ uid: uid(), words: 'next', relatesTo }] });
    const headers = { 'content-type': 'application/fhir+json' };
    const response = await fetch(served.base, { method: 'POST', headers, body: JSON.stringify(bundle) });
    served.caller = READER;
    return response;
  };
  const status = async () => (await served.json<DocumentReference>(`/${before}`)).status;
  const other = await replace({ site: siteId('h2') });
  assert.match(await other.text(), /XDSRegistryError/);
  assert.deepEqual([other.status, await status()], [422, 'current']);
  const own = await replace({ id: 'another client of h1' });
  assert.deepEqual([own.status, await status()], [200, 'superseded'], await own.text());
});

test('lists are found by every parameter of ITI-66, and only with a patient and a status', async () => {
  const setId = uid();
  const [set = ''] = await hub.provided({ setId, documents: [{ uid: uid(), words: 'listed' }] });
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
    assert.ok(matched(answer).includes(id), query);
    for (const { resource } of answer.entry) {
      assert.deepEqual(faultsOf(resource as FhirBody), [], query);
      const kind = listKindOf(as<List>(resource)) === 'folder' ? 'folder' : 'submission-set';
      assert.deepEqual(profileFaults(resource as FhirBody, kind, 'Comprehensive', 'List'), [], query);
    }
  }
  for (const query of [
    `${base}&code=folder`,
    `${base}&source.family=Welby`,
    `${base}&sourceId=urn:oid:1.2.3.5`,
    `patient=${other.personId}&status=current`,
  ])
    assert.ok(!matched(await bundle(served, `/List?${query}`)).includes(id), query);
  for (const query of ['', 'status=current', `patient=${person.personId}`, 'code=submissionset'])
    assert.equal(await refused(await served.get(`/List?${query}`), 400), 'required', query);
});

test('pages of a result stand still while documents come in', async () => {
  for (let n = 0; n < 5; n++)
    await hub.provided({
      subject: `Patient/${other.personId}`,
      documents: [{ uid: uid(), words: `page ${String(n)}` }],
    });
  const query = `/DocumentReference?patient=${other.personId}&status=current&_count=2&_sort=_id`;
  const whole = matched(await bundle(served, `${query}&_count=100`));
  let page = await bundle(served, query);
  assert.equal(page.total, 5);
  const seen = matched(page);
  await hub.provided({ subject: `Patient/${other.personId}`, documents: [{ uid: uid(), words: 'late' }] });
  for (let path = linked(served, page, 'next'); path !== undefined; path = linked(served, page, 'next')) {
    page = await bundle(served, path);
    seen.push(...matched(page));
  }
  assert.deepEqual(seen, whole);
});

test('an exam document that the registry has too is shown once, with the links of the exam', async () => {
  const [first] = (await bundle(served, `/DocumentReference?patient=${person.personId}&contenttype=application/pdf`))
    .entry;
  const own = as<DocumentReference>(first?.resource);
  const master = own.masterIdentifier?.value?.replace('urn:oid:', '') ?? '';
  const count = (await bundle(served, `/DocumentReference?patient=${person.personId}&_count=200`)).total ?? 0;
  const [, document = ''] = await hub.provided({ documents: [{ uid: master, words: 'the same report' }] });
  const after = await bundle(served, `/DocumentReference?patient=${person.personId}&_count=200`);
  assert.equal(after.total, count);
  const [one, ...more] = after.entry
    .map(({ resource }) => as<DocumentReference>(resource))
    .filter(({ masterIdentifier }) => masterIdentifier?.value === `urn:oid:${master}`);
  assert.deepEqual([`DocumentReference/${one?.id ?? ''}`, more.length], [document, 0]);
  const report = own.context?.related?.[0]?.reference ?? '';
  assert.match(report, /^DiagnosticReport\//);
  assert.ok(one?.context?.related?.some(({ reference }) => reference === report));
  assert.deepEqual(matched(await bundle(served, `/DocumentReference?identifier=urn:oid:${master}`)), [one?.id]);
  const included = await bundle(served, `/DocumentReference?_id=${one?.id ?? ''}&_include=DocumentReference:related`);
  assert.ok(included.entry.some(({ resource }) => `DiagnosticReport/${resource?.id ?? ''}` === report));
});

test('a search that shows several patients is one record for each, with the query and what was shown of whom (BALP)', async () => {
  const found = await bundle(served, `/Patient?_id=${person.personId},${other.personId}`);
  assert.equal(found.entry.length, 2);
  const told = served.audited.map(({ action, persons, objects }) => [action, persons, objects]);
  assert.deepEqual(
    told.sort(),
    [person, other].map(({ personId }) => ['search', [personId], [`Patient/${personId}`]]).sort(),
  );
  const queries = new Set(served.audited.map(({ detail }) => detail?.query?.content));
  assert.equal(queries.size, 1);
  assert.ok(
    Buffer.from([...queries][0] ?? '', 'base64')
      .toString()
      .includes(other.personId),
  );
  served.audited.length = 0;
  await bundle(served, '/Patient?identifier=urn:oid:2.999%7CNOBODY');
  assert.deepEqual(
    served.audited.map(({ persons }) => persons),
    [[]],
    'nobody found is one record too',
  );
});
