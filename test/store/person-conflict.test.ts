/** What a decision could not know: numbers that conflict after somebody joined, and registrations that hung on who leaves. */
import assert from 'node:assert/strict';
import { before, beforeEach, test } from 'node:test';
import { residentCheck, siteId, type HubId } from '../../hub/core/identifier.ts';
import type { Deciding } from '../../hub/core/identity.ts';
import type { ReviewItem } from '../../hub/core/operation.ts';
import type { CanonicalRecord } from '../../hub/core/record.ts';
import {
  exam,
  OPERATOR,
  patientOf,
  personHub,
  recordId,
  registration,
  SECOND,
  type PersonHub,
  type Told,
} from '../support/person-hub.ts';

let hub: PersonHub;
before(async () => {
  hub = await personHub();
});
beforeEach(() => hub.wipe());

const numbered = (first17: string): string => first17 + residentCheck(first17);
const by = (caller = OPERATOR as Deciding['caller']): Deciding => ({ caller, reason: '家属确认' });
const FIRST: Told = { name: '李雷', birthDate: '1975-01-02', residentId: numbered('21010219750102311') };
const OTHER: Told = { name: '王芳', birthDate: '1990-07-08' };
const THEIRS: Told = { ...OTHER, residentId: numbered('21010219900708122') };
const [a, b, c] = [recordId('h1', 'A'), recordId('h2', 'B'), recordId('h3', 'C')];

const open = async (): Promise<readonly ReviewItem[]> =>
  (await hub.reviews.list({ kind: 'identity', order: 'urgent' }, { limit: 10 })).items;
const inside = async (): Promise<readonly ReviewItem[]> => (await open()).filter((item) => item.persons.length === 1);
const together = async (x: HubId, y: HubId): Promise<boolean> => (await hub.personOf(x)) === (await hub.personOf(y));
const merge = async (x: HubId, y: HubId): Promise<void> => {
  assert.ok((await hub.desk.merge(await hub.personOf(x), await hub.personOf(y), by())).ok);
};

/** A with its number, B without one; one operator joins them; then B's number comes. */
async function conflictAfterMerge(): Promise<ReviewItem> {
  await hub.send(registration('h1', 'A', FIRST), registration('h2', 'B', OTHER));
  await merge(a, b);
  assert.deepEqual(await open(), []);
  await hub.send(registration('h2', 'B', THEIRS, 5));
  const [item, ...more] = await open();
  assert.ok(item !== undefined && more.length === 0, 'somebody is asked, once');
  assert.deepEqual(
    [item.veto, item.records.toSorted(), item.persons.length],
    ['resident-id-conflict', [a, b].toSorted(), 1],
  );
  assert.equal(item.problem.code, 'identity-doubt');
  assert.ok(await together(a, b), 'as a person ruled, until a person decides');
  return item;
}

test('a number that conflicts after a merge is a question inside the person, which two people answer once', async () => {
  const { reviewId } = await conflictAfterMerge();
  const first = await hub.reviews.decide(reviewId, 'same', by());
  assert.equal(first.ok ? first.value.state : first.problem.code, 'open');
  const alone = await hub.reviews.decide(reviewId, 'same', by());
  assert.equal(alone.ok ? 'done' : alone.problem.code, 'conflict');
  const second = await hub.reviews.decide(reviewId, 'same', by(SECOND));
  assert.equal(second.ok ? second.value.state : second.problem.code, 'resolved');
  await hub.send(registration('h2', 'B', { ...THEIRS, phone: '13812345678' }, 9), registration('h3', 'C', THEIRS, 9));
  assert.deepEqual([await open(), (await hub.partition()).length], [[], 1], 'and more of either number follow');
  // Another number is another question; the first answer is remembered through it.
  await hub.send(registration('h2', 'B', { residentId: numbered('21010219900708142') }, 13));
  const [again, ...more] = await inside();
  assert.ok(again !== undefined && more.length === 0);
  assert.notEqual(again.reviewId, reviewId);
  await hub.reviews.decide(again.reviewId, 'same', by());
  assert.ok((await hub.reviews.decide(again.reviewId, 'same', by(SECOND))).ok);
  await hub.send(registration('h2', 'B', THEIRS, 20));
  assert.deepEqual([await open(), (await hub.partition()).length], [[], 1]);
});

test('one operator parts what conflicts since, and may take that back', async () => {
  const { reviewId } = await conflictAfterMerge();
  await hub.send(exam('h2', 'B', 'B1'));
  const parted = await hub.reviews.decide(reviewId, 'not-same', by());
  assert.equal(parted.ok ? parted.value.state : parted.problem.code, 'resolved');
  assert.ok(!(await together(a, b)));
  assert.deepEqual(await open(), []);
  const person = await hub.personOf(b);
  const [decision] = (await hub.desk.person(person))?.decisions ?? [];
  assert.equal(decision?.kind, 'not-same');
  assert.ok((await hub.desk.undo(person, decision.decisionId, by())).ok);
  assert.ok(await together(a, b));
  assert.equal((await open()).length, 1, 'and is asked again');
});

test('it is the first question of the queue, nobody waves it away, and it closes when the number is corrected', async () => {
  await hub.send(registration('h4', 'X', { ...FIRST, name: '赵铁柱', residentId: numbered('21010219750102331') }));
  await hub.send(
    registration('h5', 'Y', { name: '赵铁柱', birthDate: '1975-01-02' }),
    exam('h5', 'Y', 'Y1', new Date().toISOString()),
  );
  const { reviewId } = await conflictAfterMergeBeside();
  const dismissed = await hub.reviews.dismiss(reviewId, OPERATOR, 'x');
  assert.equal(dismissed.ok ? 'done' : dismissed.problem.code, 'conflict');
  await hub.send(registration('h2', 'B', { ...OTHER, residentId: FIRST.residentId ?? '' }, 9));
  assert.ok((await open()).every((item) => item.reviewId !== reviewId));
});

async function conflictAfterMergeBeside(): Promise<ReviewItem> {
  const others = (await open()).length;
  assert.ok(others > 0);
  await hub.send(registration('h1', 'A', FIRST), registration('h2', 'B', OTHER));
  await merge(a, b);
  await hub.send(registration('h2', 'B', THEIRS, 5));
  const items = await open();
  assert.equal(items[0]?.persons.length, 1);
  assert.ok(items.length > others && items.slice(1).every((item) => item.persons.length === 2));
  const page = await hub.reviews.list({ kind: 'identity', order: 'urgent' }, { limit: 1 });
  const next = await hub.reviews.list({ kind: 'identity', order: 'urgent' }, { limit: 1, after: page.next ?? '' });
  assert.equal(next.items[0]?.reviewId, items[1]?.reviewId, 'pages go on behind it');
  return items[0];
}

test('nobody else of a number that came after the decision is drawn into it', async () => {
  await conflictAfterMerge();
  await hub.send(registration('h3', 'C', THEIRS, 7));
  assert.ok(!(await together(a, c)), 'A is not said to be of that number by two people');
  assert.ok((await hub.reviews.decide((await inside())[0]?.reviewId ?? '', 'not-same', by())).ok);
  assert.deepEqual([await together(b, c), await together(a, b)], [true, false]);
});

test('who was of the number that the decision knew stays, and parts with it', async () => {
  const { residentId: _none, ...unnumbered } = FIRST;
  const phone = '13812345678';
  await hub.send(registration('h1', 'A', { ...unnumbered, phone }), registration('h3', 'C', { ...FIRST, phone }));
  await hub.send(registration('h4', 'D', { ...FIRST, phone }), registration('h2', 'B', OTHER));
  if (!(await together(a, c))) await merge(a, c);
  await merge(a, b);
  await hub.send(registration('h2', 'B', THEIRS, 5));
  assert.equal((await hub.partition()).length, 1, 'nobody leaves because a number came');
  const [item, ...more] = await inside();
  assert.ok(item !== undefined && more.length === 0);
  assert.deepEqual(item.records.toSorted(), [b, c].toSorted(), 'the oldest two that carry the numbers');
  const parted = await hub.reviews.decide(item.reviewId, 'not-same', by());
  assert.ok(parted.ok, JSON.stringify(parted));
  assert.deepEqual([await together(c, recordId('h4', 'D')), await together(b, c)], [true, false]);
});

/** One hospital's own merge: `victim` leads to `survivor`. */
const merged = (survivor: string, victim: string): CanonicalRecord => ({
  kind: 'merge',
  site: siteId('h1'),
  at: '2026-03-01T10:00:00.000Z',
  survivor: patientOf('h1', survivor),
  victim: patientOf('h1', victim),
});

test('a hospital’s own merge across conflicting resident IDs is a question inside the person, whatever came first', async () => {
  const same = { name: '李雷', birthDate: '1975-01-02' };
  const theirs = { ...same, residentId: numbered('21010219750102371') };
  const stay = registration('h1', 'A', FIRST);
  const leave = registration('h1', 'M', theirs);
  const m = recordId('h1', 'M');
  for (const order of [
    [stay, leave, merged('A', 'M')],
    [
      registration('h1', 'A', same),
      registration('h1', 'M', same),
      merged('A', 'M'),
      registration('h1', 'A', FIRST, 5),
      registration('h1', 'M', theirs, 6),
    ],
  ]) {
    await hub.wipe();
    await hub.send(registration('h2', 'B', FIRST), registration('h3', 'C', theirs));
    await hub.send(...order);
    assert.ok(await together(a, m), 'the hospital’s word stands until a person decides');
    const [item, ...more] = await inside();
    assert.ok(item !== undefined && more.length === 0, 'somebody is asked, once');
    assert.equal(item.veto, 'resident-id-conflict');
    assert.deepEqual(
      [await together(a, b), await together(m, c)],
      [true, false],
      'those of the survivor’s number stay',
    );
    await hub.reviews.decide(item.reviewId, 'same', by());
    assert.equal((await inside()).length, 1, 'one clerk more is not enough');
    assert.ok((await hub.reviews.decide(item.reviewId, 'same', by(SECOND))).ok);
    assert.deepEqual(
      [await inside(), (await hub.partition()).length],
      [[], 1],
      'two people confirm it for both numbers',
    );
  }
});

test('a split leaves the two sides that were asked for, or is refused with what would come apart too', async () => {
  await hub.send(registration('h1', 'A', { name: '李雷', birthDate: '1975-01-02' }));
  await hub.send(registration('h2', 'B', OTHER));
  await hub.send(registration('h3', 'C', { name: '赵铁柱', birthDate: '1931-12-01' }));
  await merge(b, c);
  await merge(a, b);
  const person = await hub.personOf(a);
  const refused = await hub.desk.split(person, [b], by());
  assert.equal(refused.ok ? 'done' : refused.problem.code, 'conflict');
  assert.match(refused.ok ? '' : JSON.stringify(refused.problem), new RegExp(c));
  assert.equal((await hub.partition()).length, 1, 'nothing of it stands');
  const done = await hub.desk.split(person, [b, c], by());
  assert.ok(done.ok, JSON.stringify(done));
  assert.deepEqual(await hub.partition(), [[a], [b, c].toSorted()].toSorted());
});
