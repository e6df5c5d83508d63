/** ITI-68 of documents that a hospital's own repository keeps: fetched by ITI-43 as they come; and versions by ITI-57. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, beforeEach, test } from 'node:test';
import type { Bundle, DocumentReference } from 'fhir/r4.js';
import { createRemoteRepositories, openHospitals } from '../../adapters/xds/index.ts';
import type { Hospitals } from '../../adapters/xds/index.ts';
import type { DocumentEntry } from '../../hub/core/document.ts';
import type { Oid } from '../../hub/core/identifier.ts';
import { writeRetrieveAnswer } from '../../mappings/xds/cross-retrieve.ts';
import { index } from '../support/affinity.ts';
import { freshDatabase, type FreshDatabase } from '../support/database.ts';
import { association, cx, documentEntry, submissionSet } from '../support/documents.ts';
import { refused } from '../support/fhir-client.ts';
import { faultsOf } from '../support/fhir-validation.ts';
import { openStore, personResources, personView, READER, save, serveFhir, type Served } from '../support/fhir.ts';
import { useGuides } from '../support/ihe-guides.ts';
import { file } from '../support/registry-peer.ts';
import { siteProfile } from '../support/site.ts';
import { scripted, soap, type Listening, type PeerRequest } from '../support/xds-community.ts';

const THEIRS = '2.999.156.9.3';
const person = personView();
const PATIENT = cx(person.personId);
const u = (n: number): string => `urn:uuid:00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const at = (n: number): string => u(n).slice('urn:uuid:'.length);
const WORDS = '外院小结 '.repeat(40_000);
const entry = (n: number, more: Partial<DocumentEntry> = {}): DocumentEntry =>
  documentEntry(u(n), PATIENT, `1.2.9.${String(n)}`, {
    repositoryUniqueId: THEIRS as Oid,
    size: Buffer.byteLength(WORDS),
    hash: createHash('sha1').update(WORDS).digest('hex'),
    ...more,
  });
const LYING = 2;
const ABSENT = 3;
const NOBODYS = 4;
const UNSTATED = 5;

let fresh: FreshDatabase;
let served: Served;
let repository: Listening;
let hospitals: Hospitals;
const seen: PeerRequest[] = [];

before(async () => {
  useGuides();
  fresh = await freshDatabase();
  await save(fresh.database, personResources(person));
  await index(fresh.database, [person.personId]);
  const { hash: _hash, size: _size, ...unstated } = entry(UNSTATED);
  const first = documentEntry(u(11), PATIENT, '1.2.9.11', { status: 'deprecated', title: [{ text: 'first' }] });
  const second = { ...first, id: u(12) as DocumentEntry['id'], version: 2, status: 'approved' as const };
  await file(
    fresh.database,
    [
      entry(1),
      entry(LYING, { hash: '0'.repeat(40) }),
      entry(ABSENT),
      entry(NOBODYS, { repositoryUniqueId: '2.999.1' as Oid }),
      unstated,
      first,
      { ...second, title: [{ text: 'second' }] },
      submissionSet(u(21), PATIENT, '1.2.9.21', { submissionTime: '20260102030405' }),
      submissionSet(u(22), PATIENT, '1.2.9.22', { submissionTime: '20260202030405' }),
    ],
    [association(u(31), 'HasMember', u(21), u(11)), association(u(32), 'HasMember', u(22), u(12))],
  );
  repository = await scripted((request, response) => {
    seen.push(request);
    const uid = /DocumentUniqueId>([^<]*)</.exec(request.envelope.toString())?.[1] ?? '';
    if (uid === `1.2.9.${String(ABSENT)}`) {
      const error = { code: 'XDSDocumentUniqueIdError', severity: 'error' as const, context: 'gone', location: '' };
      response
        .setHeader('Content-Type', 'application/soap+xml')
        .end(soap(request, writeRetrieveAnswer('failure', [error], [])));
      return;
    }
    const given = { homeCommunityId: null, repositoryUniqueId: THEIRS, documentUniqueId: uid, mimeType: 'text/plain' };
    const envelope = soap(request, writeRetrieveAnswer('success', [], [{ given, contentId: 'd@h' }]));
    response
      .setHeader('Content-Type', 'multipart/related; type="application/xop+xml"; start="<r>"; boundary=b')
      .end(`--b\r\nContent-ID: <r>\r\n\r\n${envelope}\r\n--b\r\nContent-ID: <d@h>\r\n\r\n${WORDS}\r\n--b--\r\n`);
  });
  const xds = {
    registry: repository.url,
    repository: { oid: THEIRS, url: repository.url },
    timeoutMs: 2_000,
    patientIdAuthority: THEIRS,
    poll: { perMinute: 1, everyMinutes: 1 },
  };
  const site = siteProfile('h3', { xds });
  const of = () => site;
  hospitals = openHospitals({ all: [site], byId: of, byHl7Sender: of, byAeTitle: of });
  const { store, domain } = openStore(fresh.database);
  served = await serveFhir({ store, domain: { ...domain, elsewhere: createRemoteRepositories(hospitals) } });
});
after(async () => {
  await served.close();
  hospitals.close();
  await repository.close();
  await fresh.drop();
});
beforeEach(() => {
  served.caller = READER;
  served.audited.length = 0;
  seen.length = 0;
});
const told = (): unknown[] =>
  served.audited.map(({ operation, outcome, detail }) => [operation, outcome, detail?.initiated ?? false]);

test('it is given as its repository gives it; the call and the read are both recorded, of the same person', async () => {
  const answer = await served.get(`/Binary/${at(1)}`);
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('content-type'), 'text/plain');
  assert.equal(answer.headers.get('content-length'), String(Buffer.byteLength(WORDS)));
  assert.equal(await answer.text(), WORDS);
  assert.equal(seen.length, 1);
  assert.deepEqual(told(), [
    ['ITI-43', 'success', true],
    [`GET /fhir/Binary/${at(1)}`, 'success', false],
  ]);
  for (const { persons, callerId } of served.audited)
    assert.deepEqual([persons, callerId], [[person.personId], READER.id]);
  assert.deepEqual(served.audited[0]?.detail?.documents, [{ uniqueId: '1.2.9.1', repository: THEIRS }]);
});

test('as a Binary resource, and without what the registry does not say', async () => {
  const body = await served.json<{ data: string }>(`/Binary/${at(UNSTATED)}`, { accept: 'application/fhir+json' });
  assert.equal(Buffer.from(body.data, 'base64').toString(), WORDS);
  const plain = await served.get(`/Binary/${at(UNSTATED)}`);
  assert.equal(plain.headers.get('content-length'), null);
  assert.equal(await plain.text(), WORDS);
});

test('who may not read, or would not take it, makes nobody ask the hospital', async () => {
  served.caller = { ...READER, role: 'hospital-feed' };
  assert.equal((await served.get(`/Binary/${at(1)}`)).status, 403);
  served.caller = READER;
  assert.equal(
    await refused(await served.get(`/Binary/${at(1)}`, { accept: 'application/pdf' }), 406),
    'not-supported',
  );
  const head = await fetch(`${served.base}/Binary/${at(1)}`, { method: 'HEAD' });
  assert.deepEqual([head.status, head.headers.get('content-type')], [200, 'text/plain']);
  served.auditBroken = true;
  assert.equal((await served.get(`/Binary/${at(1)}`)).status, 500, 'no call that is not recorded');
  served.auditBroken = false;
  assert.equal(seen.length, 0);
});

test('other bytes than the registry tells of never arrive whole, and the audit says so', async () => {
  const answer = await served.get(`/Binary/${at(LYING)}`);
  await assert.rejects(answer.text());
  assert.equal(
    await refused(await served.get(`/Binary/${at(LYING)}`, { accept: 'application/fhir+json' }), 502),
    'transient',
  );
  assert.ok(served.audited.some(({ outcome, reason }) => outcome === 'failure' && reason?.includes('other bytes')));
});

test('what its repository has no more, or nobody known keeps, is not found; a hospital that is away is 502', async () => {
  assert.equal(await refused(await served.get(`/Binary/${at(ABSENT)}`), 404), 'not-found');
  assert.deepEqual(told().at(-1), [`GET /fhir/Binary/${at(ABSENT)}`, 'failure', false]);
  assert.equal(await refused(await served.get(`/Binary/${at(NOBODYS)}`), 404), 'not-found');
  await repository.close();
  assert.equal(await refused(await served.get(`/Binary/${at(1)}`), 502), 'transient');
});

test('the history of a document has the versions that the registry has (ITI-57), each under the id asked for', async () => {
  const now = await served.json<Bundle>(`/DocumentReference/${at(12)}/_history`);
  assert.equal(now.total, 2);
  const shown = (now.entry ?? []).map(({ resource, request }) => {
    const body = resource as DocumentReference;
    assert.deepEqual(faultsOf(body), []);
    return [request?.method, body.id, body.meta?.versionId, body.status, body.content[0]?.attachment.title];
  });
  assert.deepEqual(shown, [
    ['PUT', at(12), '2', 'current', 'second'],
    ['POST', at(12), '1', 'superseded', 'first'],
  ]);
  const one = await served.json<DocumentReference>(`/DocumentReference/${at(12)}/_history/1`);
  assert.deepEqual([one.id, one.content[0]?.attachment.title], [at(12), 'first']);
  const before = await served.json<Bundle>(`/DocumentReference/${at(11)}/_history`);
  assert.deepEqual([before.total, before.entry?.length], [1, 1]);
  const paged = await served.json<Bundle>(`/DocumentReference/${at(12)}/_history?_count=1`);
  const next = paged.link?.find(({ relation }) => relation === 'next')?.url ?? '';
  const rest = (await (await fetch(next)).json()) as Bundle;
  assert.equal(rest.entry?.[0]?.resource?.meta?.versionId, '1');
  const since = await served.json<Bundle>(`/DocumentReference/${at(12)}/_history?_since=2026-02-01`);
  assert.equal(since.total, 1);
  assert.equal((await served.get(`/DocumentReference/${at(12)}/_history/3`)).status, 404);
});
