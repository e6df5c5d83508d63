/** An instance that was answered before its journal row is journalled once, whatever dies in between. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { SealedObjectStore } from '../../hub/archive/object-store-sealed.ts';
import { sealedFiles } from '../support/data-keys.ts';
import type { Journal } from '../../hub/core/envelope.ts';
import { siteId, type Uid } from '../../hub/core/identifier.ts';
import type { StoreOutcome } from '../../hub/core/ports.ts';
import { Filing } from '../../hub/flow/file-instances.ts';
import { createInstanceSink, type ReceiveOptions } from '../../hub/flow/receive-instance.ts';
import { recoverInstances } from '../../hub/flow/recover-instances.ts';
import { vaultOf, type Database } from '../../hub/store/database.ts';
import { createJournal } from '../../hub/store/journal.ts';
import { EXPLICIT_LE } from '../../mappings/dicom/uids.ts';
import { writeDataSet } from '../../mappings/dicom/write.ts';
import { freshDatabase, quiet } from '../support/database.ts';
import { dicomSite, sitesOf } from '../support/dimse-hub.ts';
import { bytesOf, type SealedBytesRow } from '../../hub/store/journal-entry.ts';

const CT = '1.2.840.10008.5.1.4.1.1.2' as Uid;
const sites = sitesOf(dicomSite('h1', 'H1PACS'));
let database: Database;
let journal: Journal;
let root = '';

before(async () => {
  ({ database } = await freshDatabase());
  journal = createJournal({ database, clock: () => new Date(), log: quiet, arrived: () => undefined });
  root = await mkdtemp(join(tmpdir(), 'hutong-recover-'));
});
after(() => rm(root, { recursive: true, force: true }));

const dataSet = (uid: string, rows = 2): Buffer =>
  writeDataSet({
    SOPClassUID: CT,
    SOPInstanceUID: uid,
    StudyInstanceUID: '2.25.70',
    SeriesInstanceUID: '2.25.71',
    PatientID: 'P1',
    Modality: 'CT',
    Rows: rows,
    Columns: 2,
  });

function hub(owner: string, of: Journal): ReceiveOptions & { readonly objects: SealedObjectStore } {
  const objects = sealedFiles(root, owner);
  const filing = new Filing({ journal: of, objects, log: quiet });
  return { objects, intake: of, sites, filing, log: quiet, clock: () => new Date() };
}

async function store(options: ReceiveOptions, uid: string, bytes = dataSet(uid)): Promise<StoreOutcome> {
  const announced = { sopClass: CT, sopUid: uid as Uid, transferSyntax: EXPLICIT_LE, callingAe: 'H1PACS' };
  const arrival = { channel: 'dicom', site: siteId('h1'), sender: 'H1PACS', peer: '127.0.0.1', announced } as const;
  const intake = await createInstanceSink(options).begin(arrival);
  await intake.write(bytes);
  return intake.finish();
}

/** Names are reserved after the first object of a day. */
async function reserved(options: ReceiveOptions, uid: string): Promise<void> {
  await store(options, uid);
  const day = new Date().toISOString().slice(0, 10).replaceAll('-', '/');
  for (let tries = 0; tries < 200; tries++) {
    if ((await readdir(join(root, 'dicom', day))).length > 64) break;
    await pause(10);
  }
  await pause(300);
}

const rows = async (uid: string): Promise<readonly { object: string; bytes: Buffer; digest: Buffer }[]> => {
  const found = await database.pool.query<SealedBytesRow & { object: string }>(
    'select * from journal where control_id = $1 order by id',
    [uid],
  );
  const { fields } = vaultOf(database.pool);
  return found.rows.map((row) => ({ object: row.object, digest: row.digest, bytes: bytesOf(fields, row) }));
};

test('what was answered and not journalled is journalled by the next start, as it would have been, once', async () => {
  const alive = hub('a-listen', journal);
  await reserved(alive, '2.25.700');
  await store(alive, '2.25.701');
  await alive.filing.settled();
  const [ordinary] = await rows('2.25.701');
  assert.ok(ordinary);

  // A hub whose journal takes nothing any more: it answers all the same, and is killed.
  let lost = false;
  const losing: Journal = {
    ...journal,
    accept: (envelope, kept) => (lost ? new Promise(() => undefined) : journal.accept(envelope, kept)),
  };
  const dying = hub('b-listen', losing);
  await reserved(dying, '2.25.703');
  lost = true;
  const answered = await store(dying, '2.25.704');
  assert.ok(answered.ok);
  assert.deepEqual(await rows('2.25.704'), []);

  const next = hub('b-listen', journal);
  assert.ok((await recoverInstances(next)) >= 1);
  const [row, ...more] = await rows('2.25.704');
  assert.ok(row && more.length === 0);
  const stored = dataSet('2.25.704');
  assert.ok((await next.objects.readAll(row.object)).subarray(-stored.length).equals(stored));
  const record = JSON.parse(row.bytes.toString()) as { instance: object; at: string };
  const expected = JSON.parse(ordinary.bytes.toString()) as { instance: object };
  assert.deepEqual(Object.keys(record.instance).sort(), Object.keys(expected.instance).sort());

  assert.equal(await recoverInstances(hub('b-listen', journal)), 0);
  const again = await store(next, '2.25.704');
  assert.ok(again.ok && again.duplicate);
  assert.equal((await rows('2.25.704')).length, 1);
  const other = await store(next, '2.25.704', dataSet('2.25.704', 4));
  assert.ok(!other.ok && other.problem.code === 'control-id-reused');
  for (const each of [alive, next, dying]) await each.objects.close();
});

test('what was answered is kept with its reason where its site is no more', async () => {
  let lost = false;
  const losing: Journal = {
    ...journal,
    accept: (envelope, kept) => (lost ? new Promise(() => undefined) : journal.accept(envelope, kept)),
  };
  const dying = hub('e-listen', losing);
  await reserved(dying, '2.25.740');
  lost = true;
  assert.ok((await store(dying, '2.25.741')).ok);
  const next = { ...hub('e-listen', journal), sites: sitesOf(dicomSite('h2', 'H2MOD')) };
  assert.equal(await recoverInstances(next), 0);
  const { rows: kept } = await database.pool.query<{ object: string; state: string; code: string }>(
    `select j.object, s.state, s.problem->>'code' as code from journal j join settlement s on s.journal_id = j.id
     where j.control_id = '2.25.741'`,
  );
  assert.deepEqual([kept.length, kept[0]?.state, kept[0]?.code], [1, 'refused', 'unknown-sender']);
  assert.ok((await next.objects.size(kept[0]?.object ?? '')) !== null);
  for (const each of [next, dying]) await each.objects.close();
});

test('the same instance twice at once is one, and other bytes of its UID are refused before anybody is told otherwise', async () => {
  const one = hub('c-listen', journal);
  await reserved(one, '2.25.720');
  const [first, second, third] = await Promise.all([
    store(one, '2.25.721'),
    store(one, '2.25.721'),
    store(one, '2.25.721', dataSet('2.25.721', 4)),
  ]);
  assert.deepEqual([first.ok, second.ok, third.ok].filter(Boolean).length, 2);
  await one.filing.settled();
  assert.equal(
    (await rows('2.25.721')).filter(({ digest }) => digest.length > 0).length,
    2,
    'accepted, and kept as refused',
  );
  await one.objects.close();
});

test('while the journal does not answer nothing is called stored; what was taken over is tried until it is journalled', async () => {
  let away = false;
  const flaky: Journal = {
    ...journal,
    seen: (envelope) => (away ? Promise.reject(new Error('away')) : journal.seen(envelope)),
    accept: (envelope, kept) => (away ? Promise.reject(new Error('away')) : journal.accept(envelope, kept)),
  };
  const one = hub('d-listen', flaky);
  await reserved(one, '2.25.730');
  const ticket = await one.filing.ticket({
    site: siteId('h1'),
    channel: 'dicom',
    sender: 'H1PACS',
    controlId: '2.25.731',
  });
  assert.ok(ticket);
  ticket.release();
  away = true;
  const refused = await store(one, '2.25.732');
  assert.ok(!refused.ok);
  away = false;
  assert.ok((await store(one, '2.25.733')).ok);
  away = true;
  await pause(120);
  away = false;
  await one.filing.settled();
  assert.equal((await rows('2.25.733')).length, 1);
  await one.objects.close();
});
