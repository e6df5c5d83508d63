/** Attacks of a hospital's feed on identity: chains and circles, numbers of others, look-alikes by the thousand. */
import assert from 'node:assert/strict';
import { before, beforeEach, test } from 'node:test';
import { residentCheck, siteId, type HubId } from '../../hub/core/identifier.ts';
import { DEFAULT_RULES } from '../../hub/core/match/rules.ts';
import type { MergeRecord } from '../../hub/core/record.ts';
import { growBounded } from '../../hub/store/component.ts';
import {
  exam,
  OPERATOR,
  patientOf,
  personHub,
  recordId,
  registration,
  type PersonHub,
  type Told,
} from '../support/person-hub.ts';

let hub: PersonHub;
before(async () => {
  hub = await personHub();
});
beforeEach(() => hub.wipe());

const numbered = (first17: string): string => first17 + residentCheck(first17);
const NUMBER = numbered('21010219800315122');
const merge = (survivor: string, victim: string, at: number): MergeRecord => ({
  kind: 'merge',
  site: siteId('h1'),
  at: `2026-03-01T12:00:${String(at).padStart(2, '0')}.000Z`,
  survivor: patientOf('h1', survivor),
  victim: patientOf('h1', victim),
});

test('a circle is refused however long the chain of merges is', async () => {
  const told: Told = { name: '张晓梅', sex: 'female', birthDate: '1980-03-15' };
  for (let n = 0; n <= 24; n++) await hub.accept(registration('h1', `N${String(n)}`, told));
  await hub.ingest.drain();
  for (let n = 0; n < 24; n++) await hub.send(merge(`N${String(n + 1)}`, `N${String(n)}`, n));
  await hub.send(merge('N0', 'N24', 40));
  const { rows } = await hub.database.pool.query<{ n: number }>(
    'select count(*)::int as n from patient_record where merged_into is null',
  );
  assert.equal(rows[0]?.n, 1, 'somebody stands');
});

/** The Patient resources that show this number. */
const shownBy = async (): Promise<readonly string[]> =>
  hub.fhir.search({
    type: 'Patient',
    criteria: [
      { kind: 'tokens', any: [`identifier=urn:oid:2.16.156.10011.1.3|${NUMBER}`], negate: false, selective: true },
    ],
    sort: [],
    limit: 10,
  });

test('a number whose first claimant is corrected is shown by whom it belongs to from then on', async () => {
  // The clerk typed the neighbour's number; the neighbour came later.
  await hub.send(registration('h1', 'WRONG', { name: '李四', birthDate: '1981-06-07', residentId: NUMBER }));
  await hub.send(registration('h2', 'RIGHT', { name: '张晓梅', birthDate: '1980-03-15', residentId: NUMBER }));
  const right = await hub.personOf(recordId('h2', 'RIGHT'));
  assert.notEqual(right, await hub.personOf(recordId('h1', 'WRONG')));
  assert.deepEqual(await shownBy(), [await hub.personOf(recordId('h1', 'WRONG'))]);
  await hub.send(registration('h1', 'WRONG', { residentId: numbered('21010219810607131') }, 5));
  assert.deepEqual(await shownBy(), [right]);
});

test('a number that nobody’s birth date agreed with finds its owner once one does', async () => {
  await hub.send(registration('h1', 'A', { name: '李四', birthDate: '1955-06-07', residentId: NUMBER }));
  assert.deepEqual(await shownBy(), []);
  await hub.send(registration('h2', 'B', { name: '王五', birthDate: '1980-03-15', residentId: NUMBER }));
  assert.deepEqual(await shownBy(), [await hub.personOf(recordId('h2', 'B'))]);
});

test('a registration that arrives while a rematch begins is compared under both rules', async () => {
  const told: Told = { name: '张晓梅', sex: 'female', birthDate: '1980-03-15', residentId: NUMBER };
  await hub.send(registration('h1', 'A', told));
  // Holds the arrival where it waits for the key of its phone, which the other has not and which is locked first.
  const { rows: phones } = await hub.database.pool.query<{ phone: string; lock: number }>(
    `select p::text as phone, (hashtextextended('ph|' || p, 21) & 2047)::int as lock from generate_series(13812300000, 13812320000) p
     order by 2, 1 limit 1`,
  );
  const { phone = '', lock = 0 } = phones[0] ?? {};
  await hub.accept(registration('h2', 'B', { ...told, phone }));
  const holder = await hub.database.pool.connect();
  await holder.query('begin');
  await holder.query('select pg_advisory_xact_lock(22, $1::int)', [lock]);
  const arriving = hub.ingest.drain();
  const waits = async (): Promise<boolean> =>
    (await hub.database.pool.query(`select from pg_locks where locktype = 'advisory' and not granted`)).rowCount !== 0;
  while (!(await waits())) await new Promise((resolve) => setTimeout(resolve, 5));
  const starting = hub.rematch.start({ version: 'next-1', thresholds: { link: 11, review: 3 } }, OPERATOR);
  await starting;
  const passing = hub.work.step();
  await Promise.race([passing, new Promise((resolve) => setTimeout(resolve, 1000))]);
  await holder.query('rollback');
  holder.release();
  const [started] = await Promise.all([starting, arriving, passing]);
  assert.ok(started.ok);
  while ((await hub.rematch.latest())?.state !== 'compared') await hub.work.step();
  assert.ok((await hub.rematch.activate(started.value.rematchId, OPERATOR)).ok);
  while ((await hub.rematch.latest())?.state !== 'done') await hub.work.step();
  assert.equal((await hub.partition()).length, 1);
});

test('an id of an earlier release leads to the person of today after further merges', async () => {
  await hub.send(registration('h1', 'A', { name: '李雷', birthDate: '1975-01-02' }));
  await hub.send(registration('h2', 'B', { name: '张晓梅', birthDate: '1980-03-15', residentId: NUMBER }));
  const former = '11111111-1111-8111-8111-111111111111';
  await hub.database.pool.query(`insert into person (person_id) values ('${former}')`);
  await hub.database.pool.query(`update patient_record set person_id = '${former}' where record_id = $1`, [
    recordId('h2', 'B'),
  ]);
  await hub.send(registration('h3', 'C', { name: '张晓梅', birthDate: '1980-03-15', residentId: NUMBER }));
  const b = await hub.personOf(recordId('h2', 'B'));
  assert.notEqual(b, former);
  const a = await hub.personOf(recordId('h1', 'A'));
  assert.ok((await hub.desk.merge(a, b, { caller: OPERATOR, reason: 'x' })).ok);
  const file = await hub.desk.person(former);
  assert.equal(file?.personId, a);
  assert.ok(file.formerIds.includes(former as HubId));
  await hub.send(exam('h2', 'B', 'B1'));
  const orders = await hub.fhir.search({
    type: 'ServiceRequest',
    criteria: [{ kind: 'tokens', any: [`patient=Patient/${former}`], negate: false, selective: true }],
    sort: [],
    limit: 10,
  });
  assert.equal(orders.length, 1);
});

const LOOKS: Told = { name: '张晓梅', sex: 'female', birthDate: '1980-03-15', phone: '13812345678' };
const openDoubts = async (): Promise<number> => (await hub.reviews.forecast(3)).openNow;

test('hundreds of look-alikes under one number are one question, and an arrival among them reads no more than a person can be', async () => {
  for (let n = 0; n < 320; n++) await hub.accept(registration('h1', `L${String(n)}`, { ...LOOKS, residentId: NUMBER }));
  await hub.ingest.drain();
  await hub.send(registration('h2', 'ONE', { ...LOOKS, residentId: NUMBER }));
  assert.ok((await openDoubts()) <= 5, String(await openDoubts()));
  const id = recordId('h2', 'ONE');
  const { records, beyond } = await growBounded(hub.database.pool, [id], DEFAULT_RULES.version);
  assert.deepEqual([records.length, beyond.length], [0, 1]);
  // Somebody else is registered and linked as ever.
  const other: Told = { name: '李雷', birthDate: '1975-01-02', residentId: numbered('21010219750102311') };
  await hub.send(registration('h1', 'X', other), registration('h2', 'Y', other));
  assert.equal(await hub.personOf(recordId('h1', 'X')), await hub.personOf(recordId('h2', 'Y')));
});

test('a crowd of look-alikes without a number does not flood the queue', async () => {
  for (let n = 0; n < 60; n++) await hub.send(registration('h1', `L${String(n)}`, LOOKS));
  // Each two of the first twenty-one, before they were a crowd: 210, however many follow.
  const doubts = await openDoubts();
  assert.ok(doubts < 220, String(doubts));
  assert.equal((await hub.partition()).length, 60);
});
