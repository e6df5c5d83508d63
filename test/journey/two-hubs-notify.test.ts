/**
 * Two whole hubs, one of them in the place of a hospital that runs its own domain: the other subscribes at its broker, is
 * told of a new document at an address that it gave out for this alone, and asks the registry at once.
 */
import assert from 'node:assert/strict';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { after, before, test } from 'node:test';
import { dataFolder, startHub } from '../support/hub.ts';
import type { HubProcess } from '../support/hub.ts';

const TOKEN = 'a-token-of-the-test-0123456789abcdef';
/** The authority of h3's patient ids at the one hub is the affinity domain of the other. */
const AUTHORITY = '2.999.156.1.3';
let folder: Awaited<ReturnType<typeof dataFolder>>;
let far: HubProcess;
let near: HubProcess;
let client: { readonly id: string; readonly token: string };
let person = '';

async function call(hub: HubProcess, path: string, body?: object): Promise<unknown> {
  const answer = await fetch(`${hub.address()}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { Authorization: `Bearer ${TOKEN}`, 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  assert.ok(answer.ok, text);
  return JSON.parse(text) as unknown;
}

async function until<T>(what: string, ask: () => Promise<T | null>): Promise<T> {
  for (let tries = 0; tries < 400; tries++) {
    const found = await ask();
    if (found !== null) return found;
    await pause(150);
  }
  throw new Error(`not seen: ${what}\n${near.said().slice(-3_000)}\n${far.said().slice(-3_000)}`);
}

interface Line {
  readonly operation: string;
  readonly outcome: string;
  readonly callerId: string;
}
async function audited(hub: HubProcess, query: string): Promise<readonly Line[]> {
  return ((await call(hub, `/api/v1/audit?limit=200&${query}`)) as { items: Line[] }).items;
}
const asked = async (): Promise<number> =>
  (await audited(far, `callerId=${client.id}`)).filter(({ operation }) => operation === 'ITI-18').length;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

before(async () => {
  folder = await dataFolder();
  far = startHub(join(folder.dir, 'far'), [], {
    HUB_ADMIN_TOKEN: TOKEN,
    HUB_AFFINITY_DOMAIN_OID: AUTHORITY,
    HUB_SUBSCRIBER_HOSTS: '127.0.0.1',
  });
  await far.up(240_000);
  client = (await call(far, '/api/v1/clients', { name: 'province', role: 'query-platform' })) as typeof client;
  await call(far, '/api/v1/sites/h1/registrations', {
    patientId: 'N1',
    name: '李小梅',
    sex: '2',
    eventTime: '2026-03-03 08:00:00',
  });
  person = await until('the person', async () => {
    const answer = await fetch(`${far.address()}/fhir/Patient/_search`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${TOKEN}`, 'Content-Type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ identifier: 'urn:oid:2.999.156.1.1|N1' }),
    });
    return ((await answer.json()) as { entry?: { resource: { id: string } }[] }).entry?.[0]?.resource.id ?? null;
  });
  const sites = join(folder.dir, 'sites');
  await cp('adapters/sites', sites, { recursive: true });
  const profile = join(sites, 'h3', 'site.yaml');
  const xds =
    `\nxds:\n  registry: ${far.address()}/xds/registry\n  repository: { url: '${far.address()}/xds/repository', oid: 2.999.156.3 }\n` +
    `  subscription: ${far.address()}/xds/subscription\n  token: ${client.token}\n  poll: { perMinute: 1200, everyMinutes: 240 }\n`;
  await writeFile(profile, (await readFile(profile, 'utf8')).replace(/\n {2}imageSource: .*/, '') + xds);
  const port = String(await freePort());
  near = startHub(join(folder.dir, 'near'), [], {
    HUB_ADMIN_TOKEN: TOKEN,
    HUB_SITES_DIR: sites,
    HUB_HTTP_PORT: port,
    HUB_PUBLIC_URL: `http://127.0.0.1:${port}`,
  });
  await near.up(240_000);
});
after(async () => {
  for (const hub of [near, far]) {
    hub.signal('SIGTERM');
    assert.equal(await hub.ended(), 0);
  }
  await folder.remove();
});

test('a document that the one registers makes the other ask for it', async () => {
  await call(near, '/api/v1/sites/h3/registrations', {
    patientId: person,
    name: '李小梅',
    sex: '2',
    eventTime: '2026-03-03 08:00:00',
  });
  await until('the subscription', async () => {
    const made = await audited(far, `callerId=${client.id}`);
    return made.some(({ operation, outcome }) => operation === 'ITI-52' && outcome === 'success') ? true : null;
  });
  await until('the first turn', async () => ((await asked()) > 0 ? true : null));
  const before = await asked();
  const exam = { patientId: 'N1', accessionNumber: 'NA1', modality: 'CT', procedureCode: 'CT001' };
  await call(far, '/api/v1/sites/h1/orders', { ...exam, eventTime: '2026-03-03 08:10:00' });
  await call(far, '/api/v1/sites/h1/reports', {
    patientId: 'N1',
    accessionNumber: 'NA1',
    reportNumber: 'NR1',
    reporter: '李医生',
    auditor: '王主任',
    impression: '未见异常。',
    findings: '双肺清晰。',
    status: 'F',
    auditedAt: '2026-03-03 10:00:00',
  });
  const heard = await until('the notification', async () => {
    const lines = await audited(near, 'action=feed');
    return lines.find(({ operation, callerId }) => operation === 'ITI-53' && callerId === 'broker:h3') ?? null;
  });
  assert.equal(heard.outcome, 'success');
  await until('another turn', async () => ((await asked()) > before ? true : null));
  // Both sides of the hub's own call are on record, and the address that it gave out is on neither.
  assert.ok((await audited(near, 'callerId=system')).some(({ operation }) => operation === 'ITI-52'));
  const words = [near.said(), far.said(), JSON.stringify([await audited(near, ''), await audited(far, '')])];
  assert.ok(words.every((text) => !text.includes('notify/h3.')));
});
