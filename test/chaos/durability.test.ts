/**
 * kill -9 of the hub, of PostgreSQL, and of both, under load: nothing that was acknowledged is lost, and nothing is
 * there twice.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { createHl7Sender } from '../../adapters/hl7v2/index.ts';
import { dataFolder, serverPid, startHub, type HubProcess } from '../support/hub.ts';

const TOKEN = 'chaos-administrator-token';
const SENDERS = 6;

let folder: Awaited<ReturnType<typeof dataFolder>>;
let hub: HubProcess;
let mllpPort = 0;
let httpPort = 0;
const acknowledged = new Set<string>();
let sent = 0;

before(async () => {
  folder = await dataFolder();
});
after(async () => {
  hub.signal('SIGKILL');
  await folder.remove();
});

/** Ports are chosen at the first start and kept, so that senders find the hub again. */
async function raise(): Promise<void> {
  hub = startHub(folder.dir, [], {
    HUB_ADMIN_TOKEN: TOKEN,
    HUB_LOG_LEVEL: 'warn',
    HUB_MLLP_PORT: String(mllpPort),
    HUB_HTTP_PORT: String(httpPort),
  });
  await hub.up(90_000);
  mllpPort = Number(/hl7v2 on \S+:(\d+)/.exec(hub.said())?.[1]);
  httpPort = Number(new URL(hub.address()).port);
}

function message(id: string, patient: number): Buffer {
  const text = [
    `MSH|^~\\&|RIS|H1|HUTONG|P|20260301080100||ADT^A04^ADT_A01|${id}|P|2.5.1||||||UNICODE UTF-8`,
    'EVN|A04|20260301080100',
    `PID|1||K${String(patient)}^^^&2.999.156.1.1&ISO^PI||张三||19800315|M`,
    'PV1|1|O',
  ].join('\r');
  return Buffer.from(`${text}\r`);
}

/** Sends until told to stop; a message without an answer is sent again under the same id, as a real sender does. */
async function load(n: number, stop: AbortSignal): Promise<void> {
  const sender = createHl7Sender({ host: '127.0.0.1', port: mllpPort, answerMs: 5_000, connectMs: 60_000 });
  for (let i = 0; !stop.aborted; i++) {
    const id = `S${String(n)}-${String(i)}`;
    sent += 1;
    for (let done = false; !done && !stop.aborted;) {
      const answer = await sender.send(message(id, i % 40));
      if (answer.ok && answer.value.code === 'AA') {
        acknowledged.add(id);
        done = true;
      } else await pause(50);
    }
  }
  await sender.close();
}

async function api<T>(path: string): Promise<T> {
  const response = await fetch(`http://127.0.0.1:${String(httpPort)}${path}`, {
    headers: { Authorization: `Bearer ${TOKEN}` },
  });
  assert.equal(response.status, 200, `${path} answered ${String(response.status)}`);
  return (await response.json()) as T;
}

interface Counters {
  received: number;
  applied: number;
  refused: number;
  review: number;
  pending: number;
}

test('kill -9 under load loses nothing acknowledged and doubles nothing', { timeout: 240_000 }, async () => {
  await raise();
  const stop = new AbortController();
  const loads = Array.from({ length: SENDERS }, (_, n) => load(n, stop.signal));
  const kills: readonly (() => Promise<void>)[] = [
    async () => {
      hub.signal('SIGKILL');
      await hub.ended();
      await raise();
    },
    async () => {
      const server = await serverPid(folder.dir);
      assert.ok(server !== null);
      process.kill(server, 'SIGKILL');
      await pause(3_000);
    },
    async () => {
      const server = await serverPid(folder.dir);
      assert.ok(server !== null);
      process.kill(server, 'SIGKILL');
      hub.signal('SIGKILL');
      await hub.ended();
      await raise();
    },
  ];
  for (const kill of kills) {
    await pause(1_500);
    const already = acknowledged.size;
    await kill();
    // The hub is of use again: acknowledgements go on.
    for (let waited = 0; acknowledged.size <= already + SENDERS && waited < 300; waited++) await pause(100);
    assert.ok(acknowledged.size > already, 'no acknowledgement after the restart');
  }
  stop.abort();
  await Promise.all(loads);
  let counters = await api<Counters>('/api/v1/journal/counters');
  for (let waited = 0; counters.pending > 0 && waited < 300; waited++) {
    await pause(100);
    counters = await api<Counters>('/api/v1/journal/counters');
  }
  assert.equal(counters.received, counters.applied + counters.refused + counters.review + counters.pending);
  assert.equal(counters.pending, 0);
  assert.equal(counters.refused + counters.review, 0);
  const seen = await journalIds();
  const ids = new Set(seen);
  assert.equal(seen.length, ids.size, 'a message stands in the journal twice');
  const lost = [...acknowledged].filter((id) => !ids.has(id));
  assert.deepEqual(lost, []);
  assert.ok(acknowledged.size > 100 && sent >= acknowledged.size);
});

async function journalIds(): Promise<string[]> {
  const all: string[] = [];
  for (let after = ''; ;) {
    const page = await api<{ items: { controlId: string }[]; next: string | null }>(
      `/api/v1/journal?limit=200${after}`,
    );
    all.push(...page.items.map((item) => item.controlId));
    if (page.next === null) return all;
    after = `&after=${encodeURIComponent(page.next)}`;
  }
}
