/**
 * The audit of real processes: two of them write at once and are killed in the middle, the chain stays whole; every face
 * leaves its record; `audit-verify` says with its exit code whether somebody bent it, and where.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { AuditEntry } from '../../hub/core/client.ts';
import { chainCase, newKeys } from '../support/audit-chain.ts';
import { freshDatabase, type FreshDatabase } from '../support/database.ts';
import { TEST_MASTER_KEY } from '../support/keyring.ts';
import { dataFolder, startHub, type HubProcess } from '../support/hub.ts';

const TOKEN = 'audit-administrator-token';
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
let folder: Awaited<ReturnType<typeof dataFolder>>;
let fresh: FreshDatabase;
const running: HubProcess[] = [];

before(async () => {
  folder = await dataFolder();
  fresh = await freshDatabase({ max: 4 });
});
after(async () => {
  for (const hub of running) hub.signal('SIGKILL');
  await folder.remove();
});

const env = (): Record<string, string> => ({
  ...{ HUB_ADMIN_TOKEN: TOKEN, DATABASE_URL: fresh.url, HUB_AUDIT_ANCHOR_SECONDS: '10', HUB_HEALTH_PORT: '0' },
});

async function raise(roles: readonly string[]): Promise<HubProcess> {
  const hub = startHub(folder.dir, roles, env());
  running.push(hub);
  await hub.up(120_000);
  return hub;
}
const kill = async (hub: HubProcess): Promise<void> => {
  hub.signal('SIGKILL');
  await hub.ended();
};

async function verify(args: readonly string[] = []): Promise<{ code: number | null; said: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'hub/main.ts', 'audit-verify', ...args], {
    cwd: ROOT,
    env: { ...process.env, ...env(), HUB_DATA_DIR: folder.dir, HUB_MASTER_KEY: TEST_MASTER_KEY },
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, said };
}

const ask = (hub: HubProcess, path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(hub.address() + path, {
    ...init,
    headers: { Authorization: `Bearer ${TOKEN}`, ...Object.fromEntries(new Headers(init.headers)) },
  });

test('two processes killed in the middle of writing leave a chain that holds', async () => {
  const [api, rest] = [await raise(['api']), await raise(['worker', 'listen'])];
  for (let round = 0; round < 3; round += 1) {
    const reads = Array.from({ length: 200 }, () => ask(api, '/fhir/Patient?identifier=nobody').catch(() => null));
    await pause(150 + 100 * round);
    if (round === 2) await Promise.all([kill(api), kill(rest)]);
    await Promise.allSettled(reads);
  }
  const { code, said } = await verify();
  assert.equal(code, 0, said);
  assert.match(said, /records, \d+ anchors, up to anchor \d+: in order/);
});

test('every face leaves a record of who, what, whence', async () => {
  const hub = await raise([]);
  const port = Number(/hl7v2 on \S+:(\d+)/.exec(hub.said())?.[1]);
  const from = new Date().toISOString();
  for (const path of [
    ...['/fhir/Patient?identifier=nobody', '/fhir/ImagingStudy/x', '/fhir/AuditEvent?_count=1', '/api/v1/journal'],
    ...[
      '/dicomweb/studies?PatientID=nobody',
      '/dicomweb/studies/1.2.3',
      '/wado?requestType=WADO&studyUID=1.2.3&seriesUID=1.2.4&objectUID=1.2.5',
    ],
  ])
    await (await ask(hub, path)).arrayBuffer();
  const soap = `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://www.w3.org/2005/08/addressing"><s:Header><a:Action>urn:ihe:iti:2007:RegistryStoredQuery</a:Action><a:MessageID>urn:uuid:1</a:MessageID></s:Header><s:Body><AdhocQueryRequest xmlns="urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0"/></s:Body></s:Envelope>`;
  const envelope = { method: 'POST', body: soap, headers: { 'Content-Type': 'application/soap+xml' } };
  await (await ask(hub, '/xds/registry', envelope)).text();
  await (await fetch(`${hub.address()}/xds/registry`, envelope)).text();
  await (
    await fetch(`${hub.address()}/fhir/Patient`, { headers: { Authorization: 'Bearer wrong-token-wrong-token' } })
  ).text();
  await mllp(port, 'MSH|^~\\&|X|Y|HUB|HUB|20261126||ADT^A01|1|P|2.5\r');
  await pause(1_000);
  const listed = (await (await ask(hub, `/api/v1/audit?from=${from}&limit=200`)).json()) as { items: AuditEntry[] };
  const seen = new Set(listed.items.map(({ face, action, outcome }) => `${face} ${action} ${outcome}`));
  for (const wanted of [
    ...[
      'fhir search success',
      'fhir read failure',
      'fhir refuse refused',
      'rest read success',
      'dicomweb search success',
    ],
    ...['hl7v2 refuse refused'],
  ])
    assert.ok(seen.has(wanted), `${wanted}: ${[...seen].join(', ')}`);
  for (const face of ['fhir', 'dicomweb', 'xds', 'rest', 'hl7v2'])
    assert.ok(
      listed.items.some((item) => item.face === face),
      `${face}: ${[...seen].join(', ')}`,
    );
  for (const { operation, peer } of listed.items) assert.ok(operation !== '' && peer !== '', operation);
  const text = await (await ask(hub, '/metrics')).text();
  assert.match(text, /hub_audit\{what="written"\} [1-9]/);
  assert.match(text, /hub_audit\{what="open_flags"\} 0/);
  hub.signal('SIGTERM');
  assert.equal(await hub.ended(), 0);
});

test('the command finds what was bent and ends with 1; what it cannot tell ends with 2', async () => {
  const whole = await verify(['--json']);
  assert.equal(whole.code, 0, whole.said);
  const { upToAnchor, records } = JSON.parse(whole.said.split('\n').find((line) => line.startsWith('{')) ?? '{}') as {
    upToAnchor: number;
    records: number;
  };
  assert.ok(upToAnchor > 0 && records > 100);
  assert.equal((await verify(['--since', String(upToAnchor)])).code, 0);
  assert.equal((await verify(['--month', 'november'])).code, 2);
  const { rows } = await fresh.database.pool.query<{ id: string }>(
    'select id::text from audit order by at, id limit 1 offset 40',
  );
  const id = rows[0]?.id ?? '';
  await chainCase(fresh.database, { keys: newKeys().keys }).bend(`update audit set peer = '10.9.9.9' where id = ${id}`);
  const bent = await verify();
  assert.equal(bent.code, 1, bent.said);
  assert.match(bent.said, new RegExp(`^altered +20\\S+Z, id ${id}, lane \\d+, seq \\d+: `, 'm'));
});

function mllp(port: number, message: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`\x0b${message}\x1c\r`));
    socket.once('data', () => socket.end());
    socket.once('close', () => resolve());
    socket.once('error', reject);
    socket.setTimeout(10_000, () => socket.destroy());
  });
}
