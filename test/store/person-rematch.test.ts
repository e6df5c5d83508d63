/** Other rules over everything: reported before they take effect, resumed after a crash, in force only when activated. */
import assert from 'node:assert/strict';
import { before, beforeEach, test } from 'node:test';
import { residentCheck } from '../../hub/core/identifier.ts';
import { DEFAULT_RULES } from '../../hub/core/match/rules.ts';
import { CANDIDATES } from '../../hub/store/match.ts';
import { COMPONENT } from '../../hub/store/component.ts';
import { SAME_PERSON } from '../../hub/store/fhir-subject.ts';
import { createRematchWork } from '../../hub/store/rematch-step.ts';
import { OPERATOR, personHub, recordId, registration, type PersonHub, type Told } from '../support/person-hub.ts';

let hub: PersonHub;
before(async () => {
  hub = await personHub();
});
beforeEach(() => hub.wipe());

const numbered = (first17: string): string => first17 + residentCheck(first17);
const ID = numbered('21010219800315122');
const ZHANG: Told = { name: '张晓梅', sex: 'female', birthDate: '1980-03-15', residentId: ID };
const { residentId: _id, ...WITHOUT } = ZHANG;
const STRICT = { version: 'strict-1', thresholds: { link: 99, review: 5 } };

async function through(): Promise<void> {
  for (let n = 0; n < 200; n++) if (!(await hub.work.step())) return;
  assert.fail('a rematch ends');
}

test('what would change is told first; it takes effect when it is activated, and not before', async () => {
  await hub.send(registration('h1', 'A', ZHANG));
  await hub.send(registration('h2', 'B', ZHANG));
  await hub.send(registration('h3', 'C', { name: '李雷', sex: 'male', birthDate: '1975-01-02' }));
  const standing = await hub.partition();
  assert.equal(standing.length, 2);
  const started = await hub.rematch.start(STRICT, OPERATOR);
  assert.ok(started.ok, JSON.stringify(started));
  const twice = await hub.rematch.start({ version: 'other' }, OPERATOR);
  assert.equal(twice.ok ? 'started' : twice.problem.code, 'conflict');
  await hub.work.step();
  // Arrives while the rematch runs, behind where it is: compared under both rules.
  await hub.send(registration('h4', 'D', ZHANG));
  await through();
  const compared = await hub.rematch.latest();
  assert.equal(compared?.state, 'compared');
  assert.deepEqual([compared?.report.linked, compared?.report.split, compared?.report.moved], [0, 3, 2]);
  assert.ok((compared?.report.review ?? 0) >= 1);
  assert.equal(compared?.report.samples.split.length, 3);
  assert.equal((await hub.partition()).length, 2, 'the old rules are in force');
  const activated = await hub.rematch.activate(compared?.rematchId ?? '', OPERATOR);
  assert.ok(activated.ok);
  await through();
  assert.equal((await hub.rematch.latest())?.state, 'done');
  assert.equal((await hub.partition()).length, 4);
  assert.equal((await hub.rematch.inForce()).rules.version, 'strict-1');
  const { rows } = await hub.database.pool.query('select distinct rules from match_pair');
  assert.deepEqual(rows, [{ rules: 'strict-1' }], 'what other rules said is gone');
});

test('another process goes on where one was ended, and a cancelled one leaves nothing', async () => {
  for (let n = 0; n < 230; n++)
    await hub.accept(
      registration('h1', `P${String(n)}`, { ...WITHOUT, birthDate: `19${String(10 + (n % 80))}-03-15` }),
    );
  await hub.ingest.drain();
  assert.ok((await hub.rematch.start(STRICT, OPERATOR)).ok);
  await hub.work.step();
  const first = await hub.rematch.latest();
  assert.deepEqual([first?.state, first?.passed, first?.total], ['comparing', 100, 230]);
  const other = createRematchWork(hub.deps);
  await other.step();
  assert.equal((await hub.rematch.latest())?.passed, 200);
  const cancelled = await hub.rematch.cancel(first?.rematchId ?? '', OPERATOR);
  assert.ok(cancelled.ok);
  const { rows } = await hub.database.pool.query(`select from match_pair where rules = 'strict-1'`);
  assert.equal(rows.length, 0);
  assert.equal(await hub.work.step(), false);
  assert.equal((await hub.rematch.inForce()).rules.version, DEFAULT_RULES.version);
});

test('a refresh under the rules in force finds what was never compared', async () => {
  await hub.send(registration('h1', 'A', ZHANG));
  await hub.send(registration('h2', 'B', ZHANG));
  const expected = await hub.partition();
  // As after an upgrade from a release without a matcher.
  await hub.database.pool.query('truncate match_record, match_key, match_pair');
  await hub.database.pool.query(
    'update patient_record p set person_id = o.person_id from person o where o.person_id = p.person_id or false',
  );
  assert.ok((await hub.rematch.start(null, OPERATOR)).ok);
  await through();
  assert.equal((await hub.rematch.latest())?.state, 'done');
  assert.deepEqual(await hub.partition(), expected);
  const file = await hub.desk.person(await hub.personOf(recordId('h1', 'A')));
  assert.equal(file?.links.length, 1);
});

test('a forecast counts what is kept, and a block that is too large is told', async () => {
  for (let n = 0; n < 215; n++)
    await hub.accept(registration(`h${String(n)}`, 'A', { name: '张晓梅', sex: 'female', birthDate: '1980-03-15' }));
  await hub.ingest.drain();
  const { cuts } = await hub.rematch.inForce();
  assert.ok((cuts[0]?.candidates ?? 0) > 200, JSON.stringify(cuts));
  const forecast = await hub.reviews.forecast(DEFAULT_RULES.thresholds.review);
  assert.ok(forecast.waiting >= forecast.openNow);
  const { items } = await hub.reviews.list({ kind: 'identity', order: 'urgent' }, { limit: 10 });
  const large = items.filter((item) => item.problem.code === 'limit-exceeded');
  const persons = await hub.partition();
  assert.ok(large.length > 0 || persons.every((one) => one.length <= 200));
});

test('matching, growing and naming read by the indexes that are made for them', async () => {
  const { pool } = hub.database;
  for (let n = 0; n < 200; n++)
    await hub.accept(
      registration('h1', `P${String(n)}`, { name: `人${String(n)}`, birthDate: `19${String(10 + (n % 80))}-03-15` }),
    );
  await hub.ingest.drain();
  await pool.query('vacuum analyze');
  const plan = async (text: string, values: unknown[]): Promise<string> => {
    const client = await pool.connect();
    try {
      await client.query('begin');
      await client.query('set local enable_seqscan = off');
      const { rows } = await client.query<{ 'QUERY PLAN': string }>(`explain ${text}`, values);
      return rows.map((row) => row['QUERY PLAN']).join('\n');
    } finally {
      await client.query('rollback');
      client.release();
    }
  };
  const id = recordId('h1', 'P7');
  const candidates = await plan(CANDIDATES, [[id], 200]);
  for (const index of ['match_key_pkey', 'match_key_by_key', 'match_record_pkey'])
    assert.match(candidates, new RegExp(index));
  assert.doesNotMatch(candidates, /Seq Scan/);
  const component = await plan(COMPONENT, [[id], ['default-1'], 201]);
  for (const index of ['match_pair_pkey', 'ruling_pkey', 'record_tie_pkey', 'patient_record_by_merge'])
    assert.match(component, new RegExp(index));
  assert.match(await plan(SAME_PERSON, [[await hub.personOf(id)]]), /person_by_survivor/);
});
