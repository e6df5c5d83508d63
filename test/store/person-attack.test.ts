/** Attacks on the life of a person: what a hospital, two operators or a busy hour could do to mix, lose or stop. */
import assert from 'node:assert/strict';
import { before, beforeEach, test } from 'node:test';
import { residentCheck } from '../../hub/core/identifier.ts';
import type { Deciding } from '../../hub/core/identity.ts';
import {
  OPERATOR,
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
const ZHANG: Told = {
  name: '张晓梅',
  sex: 'female',
  birthDate: '1980-03-15',
  phone: '13812345678',
  residentId: numbered('21010219800315122'),
};
const { residentId: _number, ...WITHOUT } = ZHANG;
const by = (more: Partial<Deciding> = {}): Deciding => ({ caller: OPERATOR, reason: '家属确认', ...more });

test('a request id that is used for something else is refused', async () => {
  await hub.send(registration('h1', 'A', { name: '李雷', birthDate: '1975-01-02' }));
  await hub.send(registration('h2', 'B', { name: '王芳', birthDate: '1990-07-08' }));
  await hub.send(registration('h3', 'C', { name: '赵铁柱', birthDate: '1931-12-01' }));
  const [a, b, c] = await Promise.all(
    (['h1 A', 'h2 B', 'h3 C'] as const).map((one) => hub.personOf(recordId(one.slice(0, 2), one.slice(3)))),
  );
  const asked = by({ requestId: 'r-1' });
  const first = await hub.desk.merge(a ?? '', b ?? '', asked);
  assert.ok(first.ok);
  for (const other of [
    await hub.desk.merge(a ?? '', c ?? '', asked),
    await hub.desk.split(a ?? '', [recordId('h2', 'B')], asked),
    await hub.desk.undo(a ?? '', first.value.decision.decisionId, asked),
  ])
    assert.equal(other.ok ? 'done' : other.problem.code, 'conflict');
  const again = await hub.desk.merge(a ?? '', b ?? '', asked);
  assert.equal(again.ok ? again.value.decision.decisionId : again.problem.code, first.value.decision.decisionId);
});

test('the same request at once is one decision, never a fault', async () => {
  await hub.send(registration('h1', 'A', { name: '李雷', birthDate: '1975-01-02' }));
  await hub.send(registration('h2', 'B', { name: '王芳', birthDate: '1990-07-08' }));
  const [a, b] = [await hub.personOf(recordId('h1', 'A')), await hub.personOf(recordId('h2', 'B'))];
  const asked = by({ requestId: 'r-1' });
  const all = await Promise.all([1, 2, 3, 4].map(() => hub.desk.merge(a, b, asked)));
  assert.deepEqual(
    [...new Set(all.map((one) => (one.ok ? one.value.decision.decisionId : one.problem.code)))].length,
    1,
  );
});

test('one operator never joins conflicting resident IDs through a doubt about registrations without one', async () => {
  await hub.send(registration('h1', 'A', ZHANG));
  await hub.send(registration('h2', 'A2', WITHOUT));
  // Of the other person's number, and born another day: far from A, near enough to A2 for somebody to look.
  const other = numbered('21010219801122311');
  await hub.send(
    registration('h3', 'B', {
      name: '张晓梅',
      sex: 'female',
      birthDate: '1980-11-22',
      residentId: other,
      phone: '13812345678',
    }),
  );
  const [a, b] = [recordId('h1', 'A'), recordId('h3', 'B')];
  assert.equal((await hub.partition()).length, 2);
  const { items } = await hub.reviews.list({ kind: 'identity' }, { limit: 10 });
  for (const item of items) {
    const decided = await hub.reviews.decide(item.reviewId, 'same', by());
    assert.notEqual(decided.ok ? decided.value.state : 'refused', 'resolved');
  }
  assert.notEqual(await hub.personOf(a), await hub.personOf(b));
  assert.ok(items.length > 0, 'there is a doubt to decide');
});

test('a ruling about a registration without a number does not join conflicting numbers that come later', async () => {
  await hub.send(
    registration('h2', 'A2', WITHOUT),
    registration('h3', 'B', { name: '李雷', birthDate: '1975-01-02', residentId: numbered('21010219750102311') }),
  );
  const merged = await hub.desk.merge(
    await hub.personOf(recordId('h2', 'A2')),
    await hub.personOf(recordId('h3', 'B')),
    by(),
  );
  assert.ok(merged.ok);
  await hub.send(registration('h1', 'A', ZHANG));
  assert.notEqual(await hub.personOf(recordId('h1', 'A')), await hub.personOf(recordId('h3', 'B')));
  assert.equal((await hub.reviews.list({ kind: 'identity' }, { limit: 10 })).items.length, 1, 'somebody is asked');
});

test('two people may join conflicting numbers, and more of either number follow', async () => {
  const other = numbered('21010219800315142');
  await hub.send(registration('h1', 'A', ZHANG), registration('h2', 'B', { ...ZHANG, residentId: other }));
  const [item] = (await hub.reviews.list({ kind: 'identity' }, { limit: 10 })).items;
  await hub.reviews.decide(item?.reviewId ?? '', 'same', by());
  assert.ok((await hub.reviews.decide(item?.reviewId ?? '', 'same', by({ caller: SECOND }))).ok);
  await hub.send(registration('h3', 'A3', ZHANG), registration('h4', 'B4', { ...ZHANG, residentId: other }));
  assert.equal((await hub.partition()).length, 1);
});

test('a doubt is decided while a hospital corrects what is doubted: neither waits for the other in a circle', async () => {
  for (let round = 0; round < 12; round++) {
    await hub.send(registration('h1', `A${String(round)}`, { ...WITHOUT, birthDate: `19${String(60 + round)}-03-15` }));
    await hub.send(registration('h2', `B${String(round)}`, { ...WITHOUT, birthDate: `19${String(60 + round)}-03-15` }));
  }
  const { items } = await hub.reviews.list({ kind: 'identity' }, { limit: 100 });
  assert.ok(items.length >= 12, String(items.length));
  const others = items.map(async (item, at) => {
    await hub.accept(registration('h2', `B${String(at)}`, { phone: `1391111${String(1000 + at)}` }, 5));
    return hub.reviews.decide(item.reviewId, at % 2 === 0 ? 'same' : 'not-same', by());
  });
  const applied = Promise.all([hub.ingest.drain(), hub.ingest.drain(), hub.ingest.drain()]);
  for (const done of await Promise.all(others)) assert.ok(done.ok || ['conflict', 'busy'].includes(done.problem.code));
  await applied;
  await hub.ingest.drain();
});
