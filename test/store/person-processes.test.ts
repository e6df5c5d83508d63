/** Several hub processes over one index: the same review decided at once, and a process that dies in the middle of a rematch. */
import assert from 'node:assert/strict';
import { before, beforeEach, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { residentCheck } from '../../hub/core/identifier.ts';
import type { Deciding } from '../../hub/core/identity.ts';
import type { ReviewQueue } from '../../hub/core/operation.ts';
import { createReviewQueue } from '../../hub/store/review.ts';
import { createRematchWork } from '../../hub/store/rematch-step.ts';
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
let other: ReviewQueue;
before(async () => {
  hub = await personHub();
  other = createReviewQueue({ ...hub.deps, arrived: () => undefined });
});
beforeEach(() => hub.wipe());

const numbered = (first17: string): string => first17 + residentCheck(first17);
const by = (caller: Deciding['caller']): Deciding => ({ caller, reason: '来电核实' });
const NAMESAKE: Told = { name: '张晓梅', sex: 'female', birthDate: '1980-03-15' };
const ZHANG: Told = { ...NAMESAKE, phone: '13812345678' };
const [a, b] = [recordId('h1', 'A'), recordId('h2', 'B')];

async function doubt(first: Told, second: Told): Promise<string> {
  await hub.send(registration('h1', 'A', first), registration('h2', 'B', second));
  const [item, ...more] = (await hub.reviews.list({ kind: 'identity', state: 'open' }, { limit: 5 })).items;
  assert.ok(item !== undefined && more.length === 0, 'one question');
  return item.reviewId;
}
const decisions = async (): Promise<readonly string[]> =>
  (await hub.database.pool.query<{ kind: string }>('select kind from identity_decision order by id')).rows.map(
    ({ kind }) => kind,
  );
const together = async (): Promise<boolean> => (await hub.personOf(a)) === (await hub.personOf(b));

test('two processes that decide one review at once, each otherwise, make one decision, and the index is as it says', async () => {
  for (let round = 0; round < 6; round++) {
    await hub.wipe();
    const id = await doubt(NAMESAKE, NAMESAKE);
    const [same, apart] = await Promise.all([
      hub.reviews.decide(id, 'same', by(OPERATOR)),
      other.decide(id, 'not-same', by(SECOND)),
    ]);
    assert.equal([same, apart].filter((one) => one.ok).length, 1, JSON.stringify([same, apart]));
    const [lost] = [same, apart].filter((one) => !one.ok);
    assert.equal(lost?.ok === false ? lost.problem.code : '', 'conflict');
    assert.equal((await decisions()).length, 1);
    assert.equal(await together(), same.ok);
  }
});

test('two processes never make one operator two, and two operators at once are two', async () => {
  const [first, second] = [numbered('21010219800315122'), numbered('21010219800315142')];
  const conflict = (): Promise<string> => doubt({ ...ZHANG, residentId: first }, { ...ZHANG, residentId: second });
  for (let round = 0; round < 4; round++) {
    await hub.wipe();
    const id = await conflict();
    const alone = await Promise.all([
      hub.reviews.decide(id, 'same', by(OPERATOR)),
      other.decide(id, 'same', by(OPERATOR)),
    ]);
    assert.equal(alone.filter((one) => one.ok).length, 1, 'the same operator again is refused');
    assert.equal(await together(), false);
    await hub.wipe();
    const both = await conflict();
    const pair = await Promise.all([
      hub.reviews.decide(both, 'same', by(OPERATOR)),
      other.decide(both, 'same', by(SECOND)),
    ]);
    assert.ok(
      pair.every((one) => one.ok),
      JSON.stringify(pair),
    );
    assert.equal(await together(), true);
    assert.equal((await decisions()).length, 1);
  }
});

/** Of a connection that waits for the row that the test holds: what is left of a process after kill -9 is its socket closing. */
async function killWaiting(): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const { rowCount } = await hub.database.pool.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and pid <> pg_backend_pid() and wait_event_type = 'Lock'`,
    );
    if ((rowCount ?? 0) > 0) return;
    await pause(10);
  }
  assert.fail('the step never waited');
}

test('a process that dies in the middle of a step of a rematch leaves that step to the next, in every phase', async () => {
  const residentId = numbered('21010219800315122');
  for (const [at, value] of ['A', 'B', 'C', 'D'].entries())
    await hub.send(registration(`h${String(at + 1)}`, value, { ...ZHANG, residentId }));
  const strict = { version: 'strict-1', thresholds: { link: 99, review: 5 } };
  assert.ok((await hub.rematch.start(strict, OPERATOR)).ok);
  const killed: string[] = [];
  for (let steps = 0; steps < 40; steps++) {
    const before = await hub.rematch.latest();
    if (before === null || before.state === 'done') break;
    if (before.state === 'compared') {
      assert.equal((await hub.partition()).length, 1, 'nothing has taken effect');
      assert.ok((await hub.rematch.activate(before.rematchId, OPERATOR)).ok);
      continue;
    }
    if (before.passed === 0 && !killed.includes(before.state)) {
      killed.push(before.state);
      // The step reads and locks, and waits at what it writes last: its own row of progress.
      await hub.database.transaction(async (connection) => {
        await connection.query('lock table rematch in share mode');
        const dying = hub.work.step().then(
          () => 'done',
          () => 'died',
        );
        await killWaiting();
        assert.equal(await dying, 'died');
      });
      const left = await hub.rematch.latest();
      assert.deepEqual([left?.state, left?.passed, left?.report], [before.state, 0, before.report]);
    }
    await createRematchWork(hub.deps).step();
  }
  assert.deepEqual(killed, ['comparing', 'judging', 'applying']);
  const ended = await hub.rematch.latest();
  assert.deepEqual([ended?.state, ended?.report.split, (await hub.partition()).length], ['done', 6, 4]);
  const { rows } = await hub.database.pool.query('select distinct rules from match_pair');
  assert.deepEqual(rows, [{ rules: 'strict-1' }]);
});
