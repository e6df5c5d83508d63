/** What hospitals say of two numbers, through PostgreSQL: merges, links, moves, their end, and what cannot be meant. */
import assert from 'node:assert/strict';
import { before, beforeEach, test } from 'node:test';
import { siteId } from '../../hub/core/identifier.ts';
import type { CanonicalRecord } from '../../hub/core/record.ts';
import { exam, patientOf, personHub, recordId, registration, type PersonHub } from '../support/person-hub.ts';
import { registered as stored } from '../support/stored.ts';

let hub: PersonHub;
before(async () => {
  hub = await personHub();
});
beforeEach(() => hub.wipe());

const at = (minute: number): string => `2026-03-02T08:${String(minute).padStart(2, '0')}:00.000Z`;
const merge = (survivor: string, victim: string, minute: number): CanonicalRecord => ({
  kind: 'merge',
  site: siteId('h1'),
  at: at(minute),
  survivor: patientOf('h1', survivor),
  victim: patientOf('h1', victim),
});
const link = (one: string, other: string, linked: boolean, minute: number): CanonicalRecord => ({
  kind: 'link',
  site: siteId('h1'),
  at: at(minute),
  one: patientOf('h1', one),
  other: patientOf('h1', other),
  linked,
});
const move = (moved: string, to: string, minute: number): CanonicalRecord => ({
  kind: 'move',
  site: siteId('h1'),
  at: at(minute),
  moved: patientOf('h1', moved),
  to: patientOf('h1', to),
});

const PERSONS = { A: { name: '甲一' }, B: { name: '乙二' }, C: { name: '丙三' } } as const;
async function registered(): Promise<void> {
  for (const [value, told] of Object.entries(PERSONS)) await hub.send(registration('h1', value, told));
}
const together = async (x: string, y: string): Promise<boolean> =>
  (await hub.personOf(recordId('h1', x))) === (await hub.personOf(recordId('h1', y)));

async function refused(record: CanonicalRecord): Promise<{ code: string; text: string }> {
  await hub.send(record);
  const { rows } = await hub.database.pool.query<{ problem: { code: string; text: string } }>(
    `select problem from review where kind = 'message' order by opened_at desc, id limit 1`,
  );
  assert.ok(rows[0], 'it waits in review');
  await hub.database.pool.query(`delete from review where kind = 'message'`);
  return rows[0].problem;
}

test('merges chain; a circle, a self-merge, a reversal and a merge across issuers are refused with a reason', async () => {
  await registered();
  await hub.send(merge('B', 'A', 1), merge('C', 'B', 2));
  assert.ok((await together('A', 'B')) && (await together('B', 'C')));
  assert.equal((await refused(merge('A', 'C', 3))).code, 'conflict');
  assert.match((await refused(merge('A', 'B', 4))).text, /the other way round|another one/);
  assert.match((await refused(merge('A', 'A', 5))).text, /itself/);
  const across = { ...merge('A', 'X', 6), victim: { authority: '2.999.1.1', value: 'X' } } as CanonicalRecord;
  assert.match((await refused(across)).text, /issuers/);
});

test('an unlink ends a merge; each exam goes where it belongs, those that came meanwhile too', async () => {
  await registered();
  await hub.send(exam('h1', 'A', 'A1'), exam('h1', 'B', 'B1'), merge('B', 'A', 1));
  await hub.send(exam('h1', 'A', 'A2'), exam('h1', 'B', 'B2'), registration('h2', 'Z', PERSONS.B, 9));
  assert.ok(await together('A', 'B'));
  await hub.send(link('A', 'B', false, 20));
  assert.equal(await together('A', 'B'), false);
  const { rows } = await hub.database.pool.query<{ person: string; exams: string[] }>(
    `select p.person_id as person, array_agg(e.accession order by 1) as exams from exam e join patient_record p using (record_id) group by 1`,
  );
  assert.deepEqual(rows.map((row) => [...row.exams].sort().join(' ')).sort(), ['A1 A2', 'B1 B2']);
});

test('words of a hospital join in any order: an old merge that comes after its unlink is history', async () => {
  const told: CanonicalRecord[] = [merge('B', 'A', 1), link('A', 'B', false, 20), link('B', 'C', true, 5)];
  for (const order of [told, [...told].reverse()]) {
    await hub.wipe();
    await registered();
    await hub.send(...order);
    assert.equal(await together('A', 'B'), false);
    assert.equal(await together('B', 'C'), true, 'a link without a merge');
  }
});

test('a merge after an unlink joins again, in whatever order the two arrive', async () => {
  const told = [link('A', 'B', false, 5), merge('B', 'A', 20)] as const;
  for (const order of [told, [...told].reverse()]) {
    await hub.wipe();
    await registered();
    await hub.send(...order);
    assert.equal(await together('A', 'B'), true);
  }
  await hub.send(link('A', 'B', false, 30));
  assert.equal(await together('A', 'B'), false);
});

test('of two words of one second about the same numbers the later arrival stands, and what was said at another time does not move', async () => {
  const same = registration('h1', 'A', { ...PERSONS.A, phone: '13800000001' }, 30);
  const corrected = registration('h1', 'A', { ...PERSONS.A, phone: '13800000002' }, 30);
  const ended = merge('B', 'A', 20);
  const parted = link('A', 'B', false, 20);
  for (const [words, joined, phone] of [
    [[ended, parted, same, corrected], false, '13800000002'],
    [[parted, ended, corrected, same], true, '13800000001'],
    [[parted, ended, corrected, same, registration('h1', 'A', { phone: '13800000003' }, 29)], true, '13800000001'],
  ] as const) {
    await hub.wipe();
    await registered();
    for (const word of words) await hub.send(word);
    assert.equal(await together('A', 'B'), joined);
    assert.equal((await stored(hub.database.pool, recordId('h1', 'A')))?.phone, phone);
  }
});

test('a number that was filed under the wrong patient is moved to the right one', async () => {
  await registered();
  await hub.send(merge('B', 'A', 1), move('A', 'C', 9));
  assert.deepEqual([await together('A', 'C'), await together('A', 'B')], [true, false]);
  assert.match((await refused(move('C', 'A', 12))).text, /follows this very number/);
});
