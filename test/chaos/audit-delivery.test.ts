/**
 * The hub as a process with a repository of audit records that is away at first: clinical answers do not wait, readiness
 * is unharmed, kill -9 loses no record, and everything the hub's own store has arrives once the repository is back.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { dataFolder, startHub, type HubProcess } from '../support/hub.ts';
import { certificates, syslogServer, withoutOpenssl } from '../support/syslog-peer.ts';
import type { Certificates, Pair } from '../support/syslog-peer.ts';

const TOKEN = 'audit-administrator-token';
const skip = withoutOpenssl();
let folder: Awaited<ReturnType<typeof dataFolder>>;
let made: Certificates;
let pair: Pair;
let own: Pair;
let hub: HubProcess | null = null;
let port = 0;

before(async () => {
  folder = await dataFolder();
  made = certificates();
  if (skip !== false) return;
  pair = made.pair('repository');
  own = made.pair('hub');
  const probe = await syslogServer(pair);
  port = probe.port;
  await probe.close();
});
after(async () => {
  hub?.signal('SIGKILL');
  await folder.remove();
  made.remove();
});

async function raise(): Promise<HubProcess> {
  const started = startHub(folder.dir, [], {
    HUB_ADMIN_TOKEN: TOKEN,
    HUB_ATNA_SYSLOG: `tls://127.0.0.1:${String(port)}`,
    HUB_ATNA_CA: pair.files.cert,
    HUB_ATNA_CERT: own.files.cert,
    HUB_ATNA_KEY: own.files.key,
  });
  hub = started;
  await started.up(90_000);
  return started;
}

const get = (path: string): Promise<Response> =>
  fetch(`${hub?.address() ?? ''}${path}`, { headers: { Authorization: `Bearer ${TOKEN}` } });
const waiting = async (): Promise<number> => {
  const text = await (await get('/metrics')).text();
  return Number(/^hub_audit_delivery\{what="waiting"\} (\d+)/m.exec(text)?.[1] ?? -1);
};
const reads = (count: number): Promise<Response[]> =>
  Promise.all(Array.from({ length: count }, () => get('/fhir/Patient?identifier=nobody')));

test('records survive kill -9 and reach the repository when it is there', { skip }, async () => {
  await raise();
  const began = Date.now();
  for (const answer of await reads(40)) assert.equal(answer.status, 200);
  assert.ok(Date.now() - began < 10_000, 'nobody waits for the repository');
  assert.equal((await get('/readyz')).status, 200);
  assert.ok((await waiting()) >= 40);
  hub?.signal('SIGKILL');
  await hub?.ended();

  const server = await syslogServer(pair, { port, clientCa: own.cert });
  await raise();
  await reads(20);
  // In the middle of delivering: what was on its way may come again, none may be missing.
  await pause(300);
  hub?.signal('SIGKILL');
  await hub?.ended();
  await raise();
  await reads(10);
  for (const end = Date.now() + 30_000; (await waiting()) !== 0;) {
    assert.ok(Date.now() < end);
    await pause(100);
  }
  assert.deepEqual(server.wrong, []);

  // Searches of patients by this test: each is a record of the store and a message of the repository.
  const listed = (await (await get('/api/v1/audit?face=fhir&limit=200')).json()) as { items: { id: string }[] };
  const ids = listed.items.map(({ id }) => Number(id)).sort((a, b) => a - b);
  assert.equal(ids.length, 70);
  const queries = server.received.filter(({ xml }) => xml.includes('csd-code="ITI-78"'));
  assert.deepEqual(
    [...new Set(queries.map(({ sequenceId }) => sequenceId))].sort((a, b) => a - b),
    ids,
  );
  const starts = server.received.filter(({ xml }) => xml.includes('csd-code="110120"'));
  assert.equal(new Set(starts.map(({ sequenceId }) => sequenceId)).size, 3, 'each start of the hub');
  assert.doesNotMatch(hub?.said() ?? '', /identifier=nobody/, 'the query is in no log');

  hub?.signal('SIGTERM');
  assert.equal(await hub?.ended(), 0);
  await server.close();
});

test('a certificate that cannot be used stops the start and is named', { skip }, async () => {
  for (const [change, variable] of [
    [{ HUB_ATNA_CA: '/nowhere/ca.pem' }, 'HUB_ATNA_CA'],
    [{ HUB_ATNA_CERT: pair.files.cert, HUB_ATNA_KEY: own.files.key }, 'HUB_ATNA_CERT'],
  ] as const) {
    const started = startHub(folder.dir, [], {
      HUB_ADMIN_TOKEN: TOKEN,
      HUB_ATNA_SYSLOG: `tls://127.0.0.1:${String(port)}`,
      ...change,
    });
    assert.equal(await started.ended(90_000), 1);
    assert.match(started.said(), new RegExp(`^hutong: ${variable} takes `, 'm'));
  }
});
