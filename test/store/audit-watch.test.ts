/** Odd access on a real database: rules over what the hub recorded, each flag once, closed by an auditor, nothing counted twice. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { USUAL_REACTIONS, type ReactionPolicy } from '../../hub/core/account-flag.ts';
import { judge, THRESHOLDS, type ActorFacts, type RuleName } from '../../hub/core/audit-rules.ts';
import type { AuditEvent } from '../../hub/core/audit.ts';
import { createAccountFlags, createWorklist } from '../../hub/store/account-flag.ts';
import { createFlagDesk } from '../../hub/store/audit-flag.ts';
import { createSeal } from '../../hub/security/seal.ts';
import { createAuditWatch } from '../../hub/store/audit-watch.ts';
import { createAuditStore, type AuditStore } from '../../hub/store/audit.ts';
import { event } from '../support/audit-chain.ts';
import { freshDatabase, type FreshDatabase } from '../support/database.ts';
import { TEST_FIELDS } from '../support/keyring.ts';
import { account, sessionsOf } from '../support/people.ts';

let fresh: FreshDatabase;
let audit: AuditStore;
/** Noon in Shanghai. */
let now = new Date(`${new Date().toISOString().slice(0, 10)}T04:00:00.000Z`);
const clock = (): Date => now;
const person = (n: number): string => `00000000-0000-5000-8000-${String(n).padStart(12, '0')}`;

before(async () => {
  fresh = await freshDatabase();
  audit = createAuditStore({ database: fresh.database, clock });
  for (const [n, name] of [
    [1, 'Zhuge^Liang=诸葛^亮'],
    [2, 'Li^Si=李^四'],
    [3, 'Ren^Ping=任^平'],
  ] as const)
    await fresh.database.pool.query(
      `insert into patient_record (record_id, site, authority, local_id, person_id, facts, dicom_name)
       values (gen_random_uuid(), 'h1', 'a', $1, $2, '{}', $3)`,
      [String(n), person(n), name],
    );
});

const doctor = (name: string, change: Partial<AuditEvent> = {}): AuditEvent =>
  event({
    ...{
      callerId: `account-${name}`,
      callerName: name,
      callerRole: 'physician',
      session: 's1',
      institution: '省人民医院',
    },
    ...{ purpose: 'TREATMENT', basis: 'treating', persons: [person(2)] },
    ...change,
  });
const flags = async (): Promise<readonly (readonly [string, string, number])[]> =>
  (await createFlagDesk({ database: fresh.database, clock }).list({ open: true }, { limit: 100 })).items
    .map(({ rule, actorName, events }) => [rule, actorName, events] as const)
    .sort((a, b) => `${a[1]}${a[0]}`.localeCompare(`${b[1]}${b[0]}`));

test('each rule speaks of what it is about, and of nothing else', async () => {
  const watch = createAuditWatch({ database: fresh.database, clock, audit, reactions: USUAL_REACTIONS });
  await audit.record(doctor('王医生'));
  await audit.record(doctor('李医生', { basis: 'none' }));
  await audit.record(doctor('李医生', { basis: 'none' }));
  await audit.record(doctor('诸葛明', { persons: [person(1)], basis: 'none' }));
  await audit.record(doctor('任平', { persons: [person(3)] }));
  await audit.record(doctor('赵医生', { persons: [person(3)], basis: 'none', purpose: 'EMERGENCY' }));
  await audit.record(doctor('运维', { callerRole: 'operator', purpose: 'OPS', basis: '' })); // by office
  await audit.record(doctor('钱医生', { basis: 'treating label:VIP' }));
  await audit.record(event({ callerName: '查询平台', persons: [person(1)] }));
  for (let n = 0; n < 12; n += 1)
    await audit.record(event({ action: 'refuse', outcome: 'refused', callerId: 'gate', callerName: '网关' }));
  const days = Array.from({ length: THRESHOLDS.hour + 1 }, (_, n) => person(100 + n));
  for (const one of days) await audit.record(doctor('孙医生', { persons: [one] }));
  await Promise.all([watch.read(500), watch.read(500)]);
  assert.equal(await watch.read(500), 0, 'each record is read once');
  assert.deepEqual(
    await flags(),
    [
      ['many-patients', '孙医生', 1],
      ['no-relation', '李医生', 2],
      ['many-refusals', '网关', 12],
      ['no-relation', '诸葛明', 1],
      ['same-surname', '诸葛明', 1],
      ['own-record', '任平', 1],
      ['sensitive', '钱医生', 1],
    ].sort((a, b) => `${String(a[1])}${String(a[0])}`.localeCompare(`${String(b[1])}${String(b[0])}`)),
  );
});

test('a flag shows its records, goes on on its day, and is closed once with a verdict', async () => {
  const desk = createFlagDesk({ database: fresh.database, clock });
  const { items } = await desk.list({ rule: 'no-relation' }, { limit: 1 });
  const [flag] = items;
  assert.ok(flag !== undefined && /^\d+-\d+$/.test(flag.records[0] ?? '') && flag.persons.length === 1);
  const closed = await desk.close(flag.flagId, 'auditor', 'proper', '会诊');
  assert.equal(closed.ok && closed.value.closed?.verdict, 'proper');
  const again = await desk.close(flag.flagId, 'auditor', 'improper', null);
  assert.equal(again.ok ? '' : again.problem.code, 'conflict');
  const none = await desk.close('x', 'auditor', 'improper', null);
  assert.equal(none.ok ? '' : none.problem.code, 'not-found');
  const rest = await desk.list({ open: true }, { limit: 100 });
  assert.ok(rest.items.every(({ flagId }) => flagId !== flag.flagId));
  const seen: string[] = [];
  let after: string | null = null;
  do {
    const page = await desk.list({}, { limit: 2, ...(after === null ? {} : { after }) });
    seen.push(...page.items.map(({ flagId }) => flagId));
    after = page.next;
  } while (after !== null);
  assert.equal(new Set(seen).size, seen.length);
  assert.equal(seen.length, rest.items.length + 1);
});

test('a habit excuses what is usual, and the night is told', async () => {
  const facts = (change: Partial<ActorFacts>): ActorFacts => ({
    ...{
      patientsThisHour: 1,
      patientsToday: 1,
      refusalsThisHour: 0,
      habit: [],
      patientNames: [],
      colleagues: new Set(),
    },
    ...change,
  });
  const rules = (change: Partial<ActorFacts>, at = '2026-11-20T04:00:00.000Z', more = {}): readonly RuleName[] =>
    judge({ ...doctor('王医生', more), id: '1', at }, facts(change)).map(({ rule }) => rule);
  assert.deepEqual(rules({ patientsToday: 250 }), ['many-patients']);
  assert.deepEqual(rules({ patientsToday: 250, habit: [90, 100, 110, 95, 105] }), []);
  assert.deepEqual(rules({ patientsToday: 350, habit: [90, 100, 110, 95, 105] }), ['many-patients']);
  assert.deepEqual(rules({ patientsThisHour: 20 }, '2026-11-20T18:30:00.000Z'), ['night']);
  assert.deepEqual(rules({ patientsThisHour: 20 }, '2026-11-20T18:30:00.000Z', { purpose: 'EMERGENCY' }), []);
  assert.deepEqual(rules({ patientNames: ['张三'], colleagues: new Set(['张三']) }, undefined, { basis: 'none' }), [
    'no-relation',
    'colleague',
  ]);
  assert.deepEqual(
    rules({ patientNames: ['王五'] }, undefined, { basis: 'none' }),
    ['no-relation'],
    'a common surname',
  );
  // Lists of a patient's own (who looked, notices, consents) tell no basis.
  const own = { callerName: '本人', callerRole: 'patient', purpose: 'PATIENT', basis: undefined } as const;
  assert.deepEqual(rules({ patientsThisHour: 20, patientNames: ['本人'] }, '2026-11-20T18:30:00.000Z', own), []);
  now = new Date(now.getTime() + 86_400_000);
  await audit.record(doctor('孙医生'));
  await createAuditWatch({ database: fresh.database, clock, audit, reactions: USUAL_REACTIONS }).read(500);
  const { rows } = await fresh.database.pool.query<{ persons: number }>(
    `select persons from audit_actor_day where actor = 'account-孙医生' order by day`,
  );
  assert.deepEqual(
    rows.map(({ persons }) => persons),
    [THRESHOLDS.hour + 1, 1],
  );
});

test("what follows odd access is the configuration's: nothing, a notice, a question, or the account suspended", async () => {
  const { database } = fresh;
  const seal = createSeal(TEST_FIELDS, 'consent', new Uint8Array(32).fill(5));
  const flagsOfAccounts = createAccountFlags({ database, clock, seal: () => Promise.resolve(seal) });
  const policy: ReactionPolicy = { notify: 'medium', explain: 'medium', suspend: 'high' };
  const watch = createAuditWatch({ database, clock, audit, reactions: policy });
  const grave = await account(database, 'grave', 'I1');
  const odd = await account(database, 'odd', 'I1');
  const read = (id: string, change: Partial<AuditEvent>): Promise<void> =>
    audit.record(doctor('尚医生', { callerId: id, ...change }));
  await read(grave, { basis: 'none' });
  await read(odd, { basis: 'treating label:hiv' });
  for (let n = 0; n < 12; n += 1)
    await audit.record(event({ action: 'refuse', outcome: 'refused', callerId: odd, callerName: '奇' }));
  await watch.read(500);
  const told = async (accountId: string): Promise<readonly string[]> =>
    (await flagsOfAccounts.list({ accountId }, { limit: 10 })).items.map(
      ({ rule, severity, reaction }) => `${rule} ${severity} ${reaction}`,
    );
  assert.deepEqual(await told(grave), ['no-relation high suspend']);
  assert.deepEqual(await told(odd), ['many-refusals medium explain'], "what is slight is the auditors' alone");
  assert.deepEqual(await sessionsOf(database, grave), { open: 0, state: 'suspended' });
  assert.deepEqual(await sessionsOf(database, odd), { open: 1, state: 'active' });
  await audit.flush();
  const { items } = await audit.list({ action: 'administer' }, { limit: 5 });
  assert.deepEqual(
    items.map(({ operation, objects, reason }) => [operation, objects, reason]),
    [['suspendAccount', [`account/${grave}`], 'flag: no-relation']],
  );
  await read(grave, { basis: 'none' });
  await watch.read(500);
  assert.equal((await told(grave)).length, 1, 'what goes on that day is the same flag');

  const [flag] = (await flagsOfAccounts.list({ accountId: odd }, { limit: 1 })).items;
  assert.ok(flag !== undefined);
  const all = { policy: true, audit: true, reviews: true, people: true, approve: true };
  const counts = (id: string) => createWorklist({ database })(id, all);
  const openNow = async (): Promise<number> =>
    (await flagsOfAccounts.list({ open: true }, { limit: 100 })).items.length;
  assert.deepEqual([(await counts(odd)).ownFlags, (await counts(odd)).accountFlags], [1, await openNow()]);
  const before = await openNow();
  const foreign = await flagsOfAccounts.explain(flag.flagId, grave, '不是我的');
  assert.equal(foreign.ok ? '' : foreign.problem.code, 'not-found');
  const explained = await flagsOfAccounts.explain(flag.flagId, odd, '地址簿有误');
  assert.equal(explained.ok && explained.value.explanation?.text, '地址簿有误');
  const { rows: kept } = await database.pool.query('select explanation from account_flag where flag_id = $1', [
    flag.flagId,
  ]);
  assert.doesNotMatch(JSON.stringify(kept), /地址簿/, 'sealed where it lies');
  const twice = await flagsOfAccounts.explain(flag.flagId, odd, '又一次');
  assert.equal(twice.ok ? '' : twice.problem.code, 'conflict');
  assert.equal((await counts(odd)).ownFlags, 0);
  const none = { policy: false, audit: false, reviews: false, people: false, approve: false };
  assert.deepEqual(await createWorklist({ database })(odd, none), {
    ...{
      ownFlags: 0,
      accountFlags: null,
      auditFlags: null,
      breakGlass: null,
      applications: null,
      pendingAccounts: null,
      approvals: null,
    },
  });
  const own = await flagsOfAccounts.close(flag.flagId, { id: odd, accountId: odd }, '没事');
  assert.equal(own.ok ? '' : own.problem.code, 'conflict', 'nobody closes their own');
  const closed = await flagsOfAccounts.close(flag.flagId, { id: 'sec', accountId: 'sec' }, '已核实');
  assert.equal(closed.ok && closed.value.closed?.note, '已核实');
  assert.equal(await openNow(), before - 1);
});

test('one auditor takes a flag up; another cannot while it is theirs', async () => {
  const desk = createFlagDesk({ database: fresh.database, clock });
  const [flag] = (await desk.list({ open: true }, { limit: 1 })).items;
  assert.ok(flag?.taken === null);
  const [first, second] = await Promise.all([desk.take(flag.flagId, 'a1'), desk.take(flag.flagId, 'a2')]);
  assert.deepEqual([first, second].map(({ ok }) => ok).sort(), [false, true]);
  const mine = first.ok ? 'a1' : 'a2';
  const again = await desk.take(flag.flagId, mine);
  assert.equal(again.ok && again.value.taken?.by, mine);
});
