/** Whose turn it is to be asked about, and which manifest stands, on PostgreSQL. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, beforeEach, test } from 'node:test';
import type { HubId } from '../../hub/core/identifier.ts';
import { siteId } from '../../hub/core/identifier.ts';
import { createHospitalShelf } from '../../hub/store/hospital.ts';
import { freshDatabase } from '../support/database.ts';

const H3 = siteId('h3');
let fresh: Awaited<ReturnType<typeof freshDatabase>>;
let now = new Date('2026-03-03T08:00:00Z');
const shelf = () => createHospitalShelf({ database: fresh.database, clock: () => now });
const later = (minutes: number): Date => new Date(now.getTime() + minutes * 60_000);

before(async () => {
  fresh = await freshDatabase();
});
after(() => fresh.drop());
beforeEach(async () => {
  now = new Date('2026-03-03T08:00:00Z');
  await fresh.database.pool.query('truncate patient_record, hospital_patient, hospital_cursor, hospital_manifest');
});

async function register(local: string, site = 'h3', mergedInto: string | null = null, at = now): Promise<HubId> {
  const id = randomUUID() as string as HubId;
  await fresh.database.pool.query(
    `insert into patient_record (record_id, site, authority, local_id, person_id, facts, merged_into, created_at)
     values ($1, $2, '2.999.156.1.3', $3, $1, '{}', $4, $5)`,
    [id, site, local, mergedInto, at],
  );
  return id;
}
const taken = async (limit = 10, before = later(-60)): Promise<string[]> =>
  (await shelf().takeDue(H3, before, limit)).map(({ localId }) => localId);

test('every registration of the site has its turn once, then rests; who was put back is next', async () => {
  await register('A');
  const b = await register('B');
  await register('C', 'h1');
  assert.deepEqual((await taken()).sort(), ['A', 'B']);
  assert.deepEqual(await taken(), []);
  await shelf().putBack(b);
  assert.deepEqual(await taken(), ['B']);
  now = later(61);
  assert.deepEqual((await taken()).sort(), ['A', 'B']);
});

test('who came later is seen, also where the transaction was late; who was merged away is not asked about', async () => {
  const a = await register('A');
  assert.deepEqual(await taken(), ['A']);
  now = later(5);
  await register('slow', 'h3', null, later(-6));
  await register('B', 'h3', a);
  assert.deepEqual(await taken(), ['slow']);
});

test('of whom the hospital tells has the next turn, before those who never had one', async () => {
  await register('A');
  assert.deepEqual(await taken(), ['A']);
  await register('A', 'h1');
  for (let at = 0; at < 5; at++) await register(`new${String(at)}`);
  assert.equal((await taken(1)).length, 1);
  assert.equal((await shelf().wake(H3, '2.999.156.1.3', ['A', 'nobody'])).length, 1);
  assert.deepEqual(await shelf().wake(H3, '2.999.156.1.4', ['A']), []);
  assert.deepEqual(await taken(1), ['A']);
  assert.equal((await taken()).length, 4);
  assert.deepEqual(await taken(), []);
});

test('two processes never take the same patient', async () => {
  for (let at = 0; at < 40; at++) await register(`P${String(at)}`);
  const takes = await Promise.all(Array.from({ length: 20 }, () => taken(2)));
  const all = takes.flat();
  assert.equal(new Set(all).size, all.length);
});

test('the latest manifest that stands is the one; what the registry no longer tells of is none', async () => {
  const recordId = await register('A');
  const file = (documentUid: string, madeAt: string, studyUids = ['1.2.3']): Promise<void> =>
    shelf().file({ site: H3, documentUid, recordId, studyUids, object: `o/${documentUid}`, madeAt });
  await file('1', '2026-03-01T00:00:00Z');
  await file('2', '2026-03-02T00:00:00Z');
  await file('bad', '2026-03-03T00:00:00Z', []);
  assert.deepEqual([...(await shelf().known(H3, ['1', '2', 'bad', 'x']))].sort(), ['1', '2', 'bad']);
  assert.equal(await shelf().manifestOf(H3, '1.2.3'), 'o/2');
  await shelf().standing(H3, recordId, ['1']);
  assert.equal(await shelf().manifestOf(H3, '1.2.3'), 'o/1');
  await shelf().standing(H3, recordId, []);
  assert.equal(await shelf().manifestOf(H3, '1.2.3'), null);
  await shelf().standing(H3, recordId, ['1', '2']);
  assert.equal(await shelf().manifestOf(H3, '1.2.3'), 'o/2');
  assert.equal(await shelf().manifestOf(siteId('h1'), '1.2.3'), null);
});
