/**
 * What the access decision asks is planned once and asked anew each time: the plan is kept, the answer never. By the
 * counters of PostgreSQL, and by what changes between two decisions.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { AccessDesk } from '../../hub/core/access-ports.ts';
import type { Caller } from '../../hub/core/access.ts';
import { accessDesk } from '../support/access.ts';
import { freshDatabase, type FreshDatabase } from '../support/database.ts';
import { patientOf, signedIn } from '../support/people.ts';

const PERSON = '11111111-1111-4111-8111-111111111111';
const OTHER = '22222222-2222-4222-8222-222222222222';
const EXAM = '33333333-3333-4333-8333-333333333333';
const PLANNED = ['subjects-exams', 'access-relations', 'consents-standing', 'break-glass-standing'];
let fresh: FreshDatabase;
let desk: AccessDesk;
const doctor = signedIn('doctor', 'physician', 'HOSPITAL1');

before(async () => {
  fresh = await freshDatabase();
  const { database } = fresh;
  await patientOf(database, PERSON, 'HOSPITAL1');
  await patientOf(database, OTHER, 'HOSPITAL2');
  await database.pool.query(
    `insert into exam (record_id, exam_id, site, facts, cancelled, has_order, has_report, has_images, performed_at)
     values ($1, $2, 'site-of-hospital2', '{"orders": []}', false, true, false, false, now())`,
    [OTHER, EXAM],
  );
  desk = accessDesk(database);
});
after(() => fresh.drop());

const sees = async (caller: Caller = doctor): Promise<boolean> =>
  (await (await desk.sight(caller)).exams([EXAM])).size === 1;

interface Plans {
  name: string;
  generic: number;
  custom: number;
}

/** Of every connection that the pool has. */
async function plans(): Promise<readonly Plans[]> {
  const { pool } = fresh.database;
  const clients = await Promise.all(Array.from({ length: pool.totalCount }, () => pool.connect()));
  const found = await Promise.all(
    clients.map((client) =>
      client.query<Plans>(
        'select name, generic_plans::int as generic, custom_plans::int as custom from pg_prepared_statements',
      ),
    ),
  );
  for (const client of clients) client.release();
  return found.flatMap(({ rows }) => rows).filter(({ name }) => PLANNED.includes(name));
}

test('after the first few of a connection no decision is planned again', async () => {
  for (let n = 0; n < 60; n += 1) await sees();
  const found = await plans();
  for (const name of PLANNED) {
    const own = found.filter((one) => one.name === name);
    assert.ok(
      own.some(({ generic }) => generic > 0),
      `${name}: ${JSON.stringify(own)}`,
    );
    // PostgreSQL tries five before it compares.
    assert.ok(
      own.every(({ custom }) => custom <= 5),
      `${name}: ${JSON.stringify(own)}`,
    );
  }
});

test('what changes between two decisions counts in the second', async () => {
  const { pool } = fresh.database;
  assert.equal(await sees(), false, 'a stranger');
  const step = async (sql: string, values: readonly unknown[], seen: boolean, why: string): Promise<void> => {
    await pool.query(sql, [...values]);
    assert.equal(await sees(), seen, why);
  };
  const moved = 'update patient_record set person_id = $1 where record_id = $2';
  await step(moved, [PERSON, OTHER], true, 'joined with a patient of the doctor: a relation');
  const refusal = JSON.stringify([
    {
      effect: 'deny',
      recipients: [],
      sources: [],
      purposes: [],
      classes: [],
      labels: [],
      from: null,
      until: null,
      exceptionOf: null,
    },
  ]);
  const said = `insert into consent (consent_id, person_id, record_ids, version, status, rules, refuses, given_at, updated_at)
    values ($1, $1, array[$2::uuid], 1, 'active', $3, true, now(), now())`;
  await step(said, [PERSON, OTHER, refusal], false, 'refused');
  const broken = `insert into break_glass (grant_id, person_id, account_id, account_name, reason, note, at, until, due_at)
    values ($1, $1, 'doctor', 'x', 'unconscious', 'x', now(), now() + interval '1 hour', now())`;
  await step(broken, [PERSON], true, 'broken glass');
  await step('update break_glass set ended_at = now() where grant_id = $1', [PERSON], false, 'the grant has ended');
  await step(`update consent set status = 'inactive' where consent_id = $1`, [PERSON], true, 'withdrawn');
  await step(`insert into exam_label (exam_id, label, source) values ($1, 'hiv', 'hand')`, [EXAM], false, 'sensitive');
  await step('delete from exam_label where exam_id = $1', [EXAM], true, 'no longer');
  await step(moved, [OTHER, OTHER], false, 'parted again: no relation');
});
