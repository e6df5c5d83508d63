/**
 * kill -9 of the hub, of PostgreSQL, and of both, under load: no message and no instance that was acknowledged is lost,
 * none is there twice, and what is there has the bytes that were sent.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { send } from '../../adapters/dicom/index.ts';
import { createHl7Sender } from '../../adapters/hl7v2/index.ts';
import { writeDataSet } from '../../mappings/dicom/write.ts';
import { dataFolder, serverPid, startHub, type HubProcess } from '../support/hub.ts';

const TOKEN = 'chaos-administrator-token';
const SENDERS = 6;
const MODALITIES = 2;
const SECONDARY_CAPTURE = '1.2.840.10008.5.1.4.1.1.7';
const EXPLICIT_LE = '1.2.840.10008.1.2.1';

let folder: Awaited<ReturnType<typeof dataFolder>>;
let hub: HubProcess;
let mllpPort = 0;
let httpPort = 0;
let dimsePort = 0;
const acknowledged = new Set<string>();
/** SOP Instance UID -> the data set that was answered "success". */
const stored = new Map<string, Buffer>();
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
    HUB_DIMSE_PORT: String(dimsePort),
  });
  await hub.up(90_000);
  mllpPort = Number(/hl7v2 on \S+:(\d+)/.exec(hub.said())?.[1]);
  dimsePort = Number(/dicom on \S+:(\d+)/.exec(hub.said())?.[1]);
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

const goes = (stop: AbortSignal): boolean => !stop.aborted;

/** Sends until told to stop; a message without an answer is sent again under the same id, as a real sender does. */
async function load(n: number, stop: AbortSignal): Promise<void> {
  const sender = createHl7Sender({ host: '127.0.0.1', port: mllpPort, answerMs: 5_000, connectMs: 60_000 });
  for (let i = 0; !stop.aborted; i++) {
    const id = `S${String(n)}-${String(i)}`;
    sent += 1;
    for (let done = false; !done && goes(stop);) {
      const answer = await sender.send(message(id, i % 40));
      if (answer.ok && answer.value.code === 'AA') {
        acknowledged.add(id);
        done = true;
      } else await pause(50);
    }
  }
  await sender.close();
}

const studyOf = (n: number): string => `2.25.77${String(n)}`;

function image(n: number, i: number): { uid: string; dataSet: Buffer } {
  const uid = `${studyOf(n)}.1.${String(i)}`;
  const attributes = {
    SOPClassUID: SECONDARY_CAPTURE,
    SOPInstanceUID: uid,
    StudyInstanceUID: studyOf(n),
    SeriesInstanceUID: `${studyOf(n)}.1`,
    Modality: 'OT',
    PatientName: 'CHAOS',
    PatientID: `C${String(n)}`,
    Rows: 64,
    Columns: 128,
    BitsAllocated: 8,
    PixelData: randomBytes(8_192),
  };
  return { uid, dataSet: writeDataSet(attributes, { explicit: true }) };
}

/** A modality: one association per few images, and the very same image again until it is taken. */
async function modality(n: number, stop: AbortSignal): Promise<void> {
  for (let i = 1; !stop.aborted; i++) {
    const { uid, dataSet } = image(n, i);
    const file = {
      sopClass: SECONDARY_CAPTURE,
      sopUid: uid,
      transferSyntax: EXPLICIT_LE,
      dataSet: () => Promise.resolve(Readable.from([dataSet])),
    };
    while (goes(stop)) {
      const node = { aeTitle: 'HUTONG', host: '127.0.0.1', port: dimsePort };
      const sent = await send({ node, callingAe: 'H1PACS', limits: { responseMs: 5_000 } }, [file]);
      if (sent.ok && sent.value[0]?.status === 0) {
        stored.set(uid, dataSet);
        break;
      }
      await pause(100);
    }
  }
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
  const loads = [
    ...Array.from({ length: SENDERS }, (_, n) => load(n, stop.signal)),
    ...Array.from({ length: MODALITIES }, (_, n) => modality(n, stop.signal)),
  ];
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
    await kill();
    // The hub is of use again: acknowledgements go on, of messages and of images.
    const [messages, images] = [acknowledged.size, stored.size];
    const resumed = (): boolean => acknowledged.size > messages + SENDERS && stored.size > images + MODALITIES;
    for (let waited = 0; !resumed() && waited < 300; waited++) await pause(100);
    assert.ok(resumed(), `no acknowledgement after the restart; the hub said:\n${hub.said().slice(-2_000)}`);
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
  for (let n = 0; n < MODALITIES; n++) await holds(n);
});

/** The study has every acknowledged image exactly once, each with the bytes that were sent. */
async function holds(n: number): Promise<void> {
  const study = `/dicomweb/studies/${studyOf(n)}`;
  const listed: string[] = [];
  for (let more = true; more;) {
    const page = await api<Record<string, { Value?: string[] }>[]>(
      `${study}/instances?limit=100&offset=${String(listed.length)}`,
    );
    listed.push(...page.map((entry) => entry['00080018']?.Value?.[0] ?? ''));
    more = page.length === 100;
  }
  assert.equal(new Set(listed).size, listed.length, 'an image stands in the index twice');
  const mine = [...stored].filter(([uid]) => uid.startsWith(`${studyOf(n)}.`));
  assert.ok(mine.length > 3);
  for (const [uid, dataSet] of mine) {
    assert.ok(listed.includes(uid), 'an acknowledged image is not in the index');
    const answer = await fetch(`http://127.0.0.1:${String(httpPort)}${study}/series/${studyOf(n)}.1/instances/${uid}`, {
      headers: { Authorization: `Bearer ${TOKEN}`, Accept: 'multipart/related; type="application/dicom"' },
    });
    assert.equal(answer.status, 200);
    assert.ok(
      Buffer.from(await answer.arrayBuffer()).includes(dataSet),
      'the stored bytes are not those that were sent',
    );
  }
}

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
