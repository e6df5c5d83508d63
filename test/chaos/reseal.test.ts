/**
 * Sealing anew killed with -9 again and again, by real processes beside a running hub: rows, objects and data keys. Started
 * once more it ends; nothing is lost, and nothing is left that only a key which is gone can open.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { writePart10 } from '../../mappings/dicom/write.ts';
import { freshDatabase, type FreshDatabase } from '../support/database.ts';
import { multipart } from '../support/dicomweb-hub.ts';
import { dataFolder, startHub, type HubProcess } from '../support/hub.ts';
import { openTestKeys, TEST_MASTER_KEY } from '../support/keyring.ts';

const TOKEN = 'a-token-of-the-test-0123456789abcdef';
const NEW_MASTER_KEY = Buffer.alloc(32, 9).toString('base64');
const STUDY = '2.25.6001';
const [PATIENTS, IMAGES] = [40, 24];
let fresh: FreshDatabase;
let folder: Awaited<ReturnType<typeof dataFolder>>;
let hub: HubProcess;

const start = async (env: Record<string, string> = {}): Promise<void> => {
  hub = startHub(folder.dir, [], { HUB_ADMIN_TOKEN: TOKEN, DATABASE_URL: fresh.url, ...env });
  await hub.up(120_000);
};
const stop = async (): Promise<void> => {
  hub.signal('SIGTERM');
  await hub.ended(60_000);
};
before(async () => {
  fresh = await freshDatabase();
  folder = await dataFolder();
  await start({ HUB_OBJECT_CIPHER: 'none' });
});
after(async () => {
  await stop();
  await folder.remove();
});

const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(`${hub.address()}${path}`, {
    ...init,
    headers: { Authorization: `Bearer ${TOKEN}`, Accept: 'application/json', ...(init.headers as object | undefined) },
  });
const phoneOf = (n: number): string => `139${String(10_000_000 + n)}`;
const image = (n: number): Buffer =>
  writePart10({
    ...{ SOPClassUID: '1.2.840.10008.5.1.4.1.1.7', SOPInstanceUID: `${STUDY}.1.${String(n)}`, StudyInstanceUID: STUDY },
    ...{ SeriesInstanceUID: `${STUDY}.1`, PatientID: 'K1', Modality: 'OT', InstanceNumber: n, Rows: 300, Columns: 300 },
    ...{ SamplesPerPixel: 1, PhotometricInterpretation: 'MONOCHROME2', BitsAllocated: 8, BitsStored: 8, HighBit: 7 },
    ...{ PixelRepresentation: 0, PixelData: { vr: 'OB', value: Buffer.alloc(90_000, n) } },
  });

/** `npm run keys -- name`; killed as soon as `moment` says so. Gives the exit code, null where it was killed. */
async function keys(
  name: string,
  env: Record<string, string>,
  moment?: () => Promise<boolean>,
): Promise<number | null> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'hub/main.ts', 'keys', name], {
    env: { ...process.env, HUB_DATA_DIR: folder.dir, DATABASE_URL: fresh.url, HUB_MASTER_KEY: TEST_MASTER_KEY, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (part: Buffer) => (said += part.toString()));
  const ended = once(child, 'close') as Promise<[number | null]>;
  while (moment !== undefined && child.exitCode === null && child.signalCode === null)
    if (await moment()) child.kill('SIGKILL');
    else await pause(2);
  const [code] = await ended;
  if (moment === undefined) assert.equal(code, 0, said);
  return code;
}

async function everythingIsThere(): Promise<void> {
  for (let n = 0; n < PATIENTS; n += 5) {
    const { total } = (await (await ask(`/fhir/Patient?phone=${phoneOf(n)}&_total=accurate`)).json()) as {
      total: number;
    };
    assert.equal(total, 1, phoneOf(n));
  }
  for (let n = 1; n <= IMAGES; n += 1) {
    const answer = await ask(`/dicomweb/studies/${STUDY}/series/${STUDY}.1/instances/${STUDY}.1.${String(n)}`, {
      headers: { Accept: 'application/dicom; transfer-syntax=*' },
    });
    const bytes = Buffer.from(await answer.arrayBuffer());
    assert.ok(
      answer.status === 200 && bytes.includes(Buffer.alloc(90_000, n)),
      `image ${String(n)}: ${String(answer.status)}`,
    );
  }
}

/** A data key that seals at once, as a rotation of long ago. */
async function rotate(env: Record<string, string> = {}): Promise<number> {
  await fresh.database.pool.query(`update data_key set current_from = current_from - interval '1 hour'`);
  const opened = await openTestKeys(fresh.url, env);
  await opened.ring.rotate(-60_000);
  const { keys: all } = opened.ring.status();
  await opened.close();
  return all.at(-1)?.id ?? 0;
}

test('rows and images are there', async () => {
  const lines = Array.from({ length: PATIENTS }, (_, n) =>
    JSON.stringify({
      patientId: `K${String(n)}`,
      name: `测${String.fromCodePoint(0x4e00 + n)}`,
      sex: '1',
      phone: phoneOf(n),
    }),
  );
  for (const line of lines) {
    const answer = await ask('/api/v1/sites/h1/registrations', {
      ...{ method: 'POST', body: line },
      headers: { 'Content-Type': 'application/json' },
    });
    assert.equal(answer.status, 202, await answer.text());
  }
  const { body, type } = multipart(Array.from({ length: IMAGES }, (_, at) => image(at + 1)));
  const headers = { 'Content-Type': type, 'X-Site': 'h1' };
  const stored = await ask('/dicomweb/studies', { method: 'POST', headers, body: new Uint8Array(body) });
  assert.equal(stored.status, 200, await stored.text());
  for (let tries = 0; ; tries += 1) {
    const { pending } = (await (await ask('/api/v1/journal/counters')).json()) as { pending: number };
    if (pending === 0) break;
    assert.ok(tries < 600);
    await pause(200);
  }
  await everythingIsThere();
});

test('reseal, killed in every stage, seals every row by the new key', async () => {
  const target = await rotate();
  const done = async (): Promise<string> => {
    const { rows } = await fresh.database.pool.query<{ parts: string }>(
      `select coalesce(string_agg(part || ' ' || passed || ' ' || coalesce(done_at::text, ''), ',' order by part), '') as parts
       from reseal where target = $1`,
      [target],
    );
    return rows[0]?.parts ?? '';
  };
  let kills = 0;
  for (let ended = false; !ended;) {
    const before_ = await done();
    const code = await keys('reseal', {}, async () => (await done()) !== before_);
    if (code === null) kills += 1;
    ended = code === 0;
    assert.ok(code === 0 || code === null, `ended with ${String(code)}`);
    if (kills >= 3) {
      await keys('reseal', {});
      ended = true;
    }
  }
  assert.ok(kills >= 2, `it was killed ${String(kills)} times`);
  await everythingIsThere();
});

const objects = async (suffix: string): Promise<number> =>
  (await readdir(join(folder.dir, 'objects'), { recursive: true })).filter((name) => name.endsWith(suffix)).length;
async function age(): Promise<void> {
  const entries = await readdir(join(folder.dir, 'objects'), { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((each) => each.isFile()))
    await utimes(join(entry.parentPath, entry.name), 0, 0).catch(() => undefined); // a reserved name, given up meanwhile
}

test('reseal-objects, killed again and again, leaves every image whole, in clear or sealed, and ends', async () => {
  const env = { HUB_OBJECT_CIPHER: 'aes-256-gcm' };
  await age();
  let kills = 0;
  for (const share of [0.2, 0.7]) {
    const code = await keys('reseal-objects', env, async () => (await objects('.dcm.sealed')) >= share * IMAGES);
    if (code === null) kills += 1;
    await everythingIsThere();
    await age();
  }
  assert.ok(kills >= 1, `it was killed ${String(kills)} times`);
  await keys('reseal-objects', env);
  await everythingIsThere();
});

test('rewrap, killed, leaves every data key under one of both master keys; then under the new one alone, and old data keys may go', async () => {
  const both = { HUB_MASTER_KEY: NEW_MASTER_KEY, HUB_OLD_MASTER_KEY: TEST_MASTER_KEY };
  for (let n = 0; n < 30; n += 1) await rotate();
  const wrappers = async (): Promise<number> =>
    (await fresh.database.pool.query('select distinct wrapped_by from data_key')).rowCount ?? 0;
  const code = await keys('rewrap', both, async () => (await wrappers()) === 2);
  assert.ok(code === null || code === 0);
  await keys('rewrap', both);
  assert.equal(await wrappers(), 1);
  await stop();
  await keys('reseal', { HUB_MASTER_KEY: NEW_MASTER_KEY });
  await age();
  await keys('reseal-objects', { HUB_MASTER_KEY: NEW_MASTER_KEY, HUB_OBJECT_CIPHER: 'aes-256-gcm' });
  // Nothing needs another key now, records of the audit and versions of consents apart.
  await fresh.database.pool.query('delete from data_key where id < (select max(id) from data_key)');
  await start({ HUB_MASTER_KEY: NEW_MASTER_KEY, HUB_CLEAR_OBJECTS: 'refuse' });
  await everythingIsThere();
});
