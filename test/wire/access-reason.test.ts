/** An account under a flag says why before it reads; an emergency passes; auditors read what was said. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Caller } from '../../hub/core/access.ts';
import { InstitutionMap } from '../../hub/core/institution.ts';
import { decideSubject, NO_FACTS, readerOf } from '../../hub/core/subject.ts';
import { I1, NOW, startAccessHub, type AccessHub, type Laid } from '../support/access-hub.ts';
import { signedIn } from '../support/people.ts';

let hub: AccessHub;
let own: Laid;
let stranger: Laid;
const doctor = signedIn('flagged', 'physician', I1);
const colleague = signedIn('colleague', 'physician', I1);
const auditor = signedIn('auditor', 'auditor');

before(async () => {
  hub = await startAccessHub();
  own = await hub.lay('A', 'h1', 'A1');
  stranger = await hub.lay('B', 'h3', 'B3');
  const { pool } = hub.fresh.database;
  await pool.query(
    `insert into break_glass (grant_id, person_id, account_id, account_name, reason, note, at, until, due_at)
    values ('99999999-9999-4999-8999-999999999999', $1, 'flagged', 'flagged', 'other', 'x', $2, $2, $2)`,
    [own.person, NOW],
  );
  await pool.query(
    `insert into account_flag (flag_id, account_id, account_name, grant_id, at, by_id, note, rule, severity, reaction)
     values ('88888888-8888-4888-8888-888888888888', 'flagged', 'flagged', '99999999-9999-4999-8999-999999999999', $1, 'auditor', '', 'break-glass', 'high', 'explain')`,
    [NOW],
  );
});
after(() => hub.close());

const send = (caller: Caller, path: string, body: object): Promise<Response> =>
  hub.call(caller, `/api/v1${path}`, {
    ...{ method: 'POST', headers: { 'Content-Type': 'application/json' } },
    body: JSON.stringify(body),
  });
const problemOf = async (answer: Response): Promise<readonly [number, string | undefined]> => {
  const { errors } = (await answer.json()) as { errors?: { code: string }[] };
  return [answer.status, errors?.[0]?.code];
};
const READ = (): readonly string[] => [
  `/api/v1/exams/${own.exam}`,
  `/api/v1/exams/${own.exam}/priors`,
  `/api/v1/persons/${own.person}/timeline`,
];
const SAID = { purpose: 'TREATMENT', text: '门诊复查，对比前片' } as const;

test('without a reason nothing of a person is read, on any face, and the way is told where the record is asked for', async () => {
  for (const path of READ()) {
    assert.deepEqual(await problemOf(await hub.call(doctor, path)), [403, 'reason-required'], path);
    assert.equal((await hub.call(colleague, path)).status, 200, 'nobody else is asked');
  }
  for (const path of [`/fhir/ServiceRequest/${own.order}`, `/dicomweb/studies/${own.study}/metadata`])
    assert.equal((await hub.call(doctor, path)).status, 404, path);
  const refused = hub.audits.find(({ callerId, reason }) => callerId === 'flagged' && reason === 'reason-required');
  assert.deepEqual([refused?.action, refused?.persons], ['refuse', [own.person]]);
  const launch = await send(doctor, '/viewer-launches', { examId: own.exam });
  assert.deepEqual(await problemOf(launch), [403, 'reason-required']);
});

test('a reason gives nobody a right that there is not', async () => {
  for (const body of [
    { personId: stranger.person },
    { examId: stranger.exam },
    { personId: '00000000-0000-4000-8000-000000000000' },
  ])
    assert.equal((await send(doctor, '/access-reasons', { ...body, ...SAID })).status, 404);
  assert.equal((await send(doctor, '/access-reasons', { ...SAID })).status, 400);
  assert.equal((await send(doctor, '/access-reasons', { personId: own.person, ...SAID, text: ' ' })).status, 400);
  assert.equal((await send(auditor, '/access-reasons', { personId: own.person, ...SAID })).status, 403);
  const { rows } = await hub.fresh.database.pool.query('select from access_reason');
  assert.equal(rows.length, 0);
});

test('an emergency is stopped by no flag', async () => {
  const { pool } = hub.fresh.database;
  const opened = await send(doctor, '/break-glass', {
    personId: own.person,
    reason: 'unconscious',
    text: '昏迷送入急诊',
  });
  assert.equal(opened.status, 201);
  await pool.query(`delete from break_glass where reason = 'unconscious'`);
  // The grants of this hub are none: what a grant opens under a flag is decided here.
  const map = new InstitutionMap([], []);
  const [at, until] = [NOW.toISOString(), '2026-03-10T06:00:00.000Z'];
  const grant = { id: 'g', accountId: 'flagged', person: own.person, until };
  const facts = { ...NO_FACTS, reasonWanted: true, grants: [grant] } as const;
  const decision = decideSubject(readerOf(doctor, map), { person: own.person }, facts, map, at);
  assert.deepEqual(decision, { allowed: true, basis: 'break-glass', because: 'g' });
});

test('said, it is recorded in the audit, good for this person and for a shift, and the words are the auditors’', async () => {
  const given = await send(doctor, '/access-reasons', { examId: own.exam, ...SAID });
  assert.equal(given.status, 201);
  const told = hub.audits.findLast(({ operation }) => operation === 'giveAccessReason');
  assert.deepEqual([told?.action, told?.persons, told?.reason], ['change', [own.person], 'reason given: TREATMENT']);
  for (const path of READ()) assert.equal((await hub.call(doctor, path)).status, 200, path);
  assert.equal((await hub.call(doctor, `/dicomweb/studies/${own.study}/metadata`)).status !== 404, true);
  const { pool } = hub.fresh.database;
  const { rows } = await pool.query<{ row: string }>('select r::text as row from access_reason r');
  assert.ok(rows.length === 1 && !rows.some(({ row }) => row.includes(SAID.text)), 'sealed');
  const listed = await hub.call(auditor, '/api/v1/access-reasons?accountId=flagged');
  const { items } = (await listed.json()) as { items: { text: string; personId: string; purpose: string }[] };
  assert.deepEqual(
    items.map(({ text, personId, purpose }) => [text, personId, purpose]),
    [[SAID.text, own.person, 'TREATMENT']],
  );
  assert.equal((await hub.call(doctor, '/api/v1/access-reasons')).status, 403);
  await pool.query('update access_reason set until = $1', [NOW]);
  assert.equal((await hub.call(doctor, READ()[0] ?? '')).status, 403, 'a shift is over');
  await pool.query(`update account_flag set closed_at = $1`, [NOW]);
  assert.equal((await hub.call(doctor, READ()[0] ?? '')).status, 200, 'the flag is closed');
});
