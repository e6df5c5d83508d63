/** A hospital registers a patient and provides a document by FHIR; a reader finds, lists and retrieves it: one whole hub. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { Bundle, DocumentReference, Parameters } from 'fhir/r4.js';
import type { HubProcess } from '../support/hub.ts';
import { dataFolder, startHub } from '../support/hub.ts';
import { as, provideBundle } from '../support/mhd.ts';

const TOKEN = 'a-token-of-the-test-0123456789abcdef';
let hub: HubProcess;
let folder: Awaited<ReturnType<typeof dataFolder>>;
before(async () => {
  folder = await dataFolder();
  hub = startHub(folder.dir, [], { HUB_ADMIN_TOKEN: TOKEN });
  await hub.up();
});
after(async () => {
  hub.signal('SIGTERM');
  await hub.ended();
  await folder.remove();
});

const ask = (path: string, body?: object, token = TOKEN, type = 'application/json'): Promise<Response> =>
  fetch(path.startsWith('http') ? path : `${hub.address()}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': type },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });

async function patient(): Promise<string> {
  const made = await ask('/api/v1/sites/h2/registrations', {
    patientId: 'M1',
    name: '钱多多',
    sex: '2',
    birthDate: '1991-04-05',
    eventTime: '2026-03-03 08:00:00',
  });
  assert.equal(made.status, 202, await made.text());
  for (let tries = 0; tries < 200; tries++) {
    const found = as<Bundle>(await (await ask('/fhir/Patient?identifier=urn:oid:2.999.156.1.2|M1')).json());
    const id = found.entry?.[0]?.resource?.id;
    if (id !== undefined) return id;
    await pause(50);
  }
  throw new Error('the patient was not indexed');
}

test('a feed provides, a platform reads', async () => {
  const id = await patient();
  const token = async (role: string, more: object): Promise<string> => {
    const answer = (await (await ask('/api/v1/clients', { name: role, role, ...more })).json()) as { token: string };
    return answer.token;
  };
  const feed = await token('hospital-feed', { site: 'h2' });
  const reader = await token('query-platform', {});
  const bundle = provideBundle({
    subject: `Patient/${id}`,
    setId: '1.2.999.1',
    documents: [{ uid: '1.2.999.2', words: '小结' }],
  });
  const taken = await ask('/fhir', bundle, feed, 'application/fhir+json');
  assert.equal(taken.status, 200, await taken.clone().text());
  assert.equal((await ask('/fhir', bundle, reader, 'application/fhir+json')).status, 403);
  const query = `/fhir/DocumentReference?patient.identifier=urn:oid:2.999.156.1.2|M1&status=current`;
  assert.equal((await ask(query, undefined, feed)).status, 403);
  const found = as<Bundle>(await (await ask(query, undefined, reader)).json());
  assert.equal(found.total, 1);
  const document = as<DocumentReference>(found.entry?.[0]?.resource);
  const bytes = await ask(document.content[0]?.attachment.url ?? '', undefined, reader);
  assert.equal(await bytes.text(), '小结');
  const pix = as<Parameters>(
    await (await ask('/fhir/Patient/$ihe-pix?sourceIdentifier=urn:oid:2.999.156.1.2|M1', undefined, reader)).json(),
  );
  assert.ok(
    pix.parameter?.some(
      ({ valueIdentifier }) => valueIdentifier?.system === 'urn:oid:2.999.156.1' && valueIdentifier.value === id,
    ),
  );
  assert.equal((await ask('/fhir', { ...bundle, type: 'batch' }, feed, 'application/fhir+json')).status, 400);
  assert.ok(!hub.said().includes('小结') && !hub.said().includes('钱多多'), 'no patient data in the log');
});
