/** What patients said and what was opened in an emergency, as two processes with pools of their own decide by it. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { Caller } from '../../hub/core/access.ts';
import type { AccessDesk } from '../../hub/core/access-ports.ts';
import type { ConsentRule } from '../../hub/core/consent.ts';
import { presentRules, type ConsentContent, type ConsentDesk } from '../../hub/core/consent-ports.ts';
import type { HubId } from '../../hub/core/identifier.ts';
import { createSeal } from '../../hub/security/seal.ts';
import { createBreakGlassCases } from '../../hub/store/break-glass.ts';
import { createConsentDesk } from '../../hub/store/consent.ts';
import type { Database } from '../../hub/store/database.ts';
import { alsoOpen, TEST_FIELDS } from '../support/keyring.ts';
import { accessDesk } from '../support/access.ts';
import { signedIn } from '../support/people.ts';
import { exam, OPERATOR, personHub, recordId, registration, type PersonHub } from '../support/person-hub.ts';

let hub: PersonHub;
let consents: ConsentDesk;
let here: AccessDesk;
let elsewhere: AccessDesk;
let otherPool: Database;
let examId: HubId;
let person: HubId;
const clock = (): Date => new Date();
const seal = createSeal(TEST_FIELDS, 'consent', new Uint8Array(32).fill(3));
const rules = { seal: () => Promise.resolve(seal), notices: { delivered: false } };

before(async () => {
  hub = await personHub();
  const { database } = hub;
  await hub.send(
    registration('h1', 'A', { name: '张三' }),
    registration('h2', 'B', { name: '王五' }),
    exam('h1', 'A', 'ACC1'),
  );
  await database.pool.query(
    `insert into institution (code, name_zh, state) values ('I1', '一院', 'approved'), ('I2', '二院', 'approved')`,
  );
  await database.pool.query(`insert into institution_site (site, institution) values ('h1', 'I1'), ('h2', 'I2')`);
  const { rows } = await database.pool.query<{ exam_id: HubId }>('select exam_id from exam');
  examId = rows[0]?.exam_id ?? ('' as HubId);
  person = await hub.personOf(recordId('h1', 'A'));
  consents = createConsentDesk({ database, clock, ...rules });
  const url = database.pool.options.connectionString ?? '';
  otherPool = await alsoOpen(url, 3);
  [here, elsewhere] = [accessDesk(database), accessDesk(otherPool)];
});
after(() => otherPool.close());

const PLATFORM: Caller = { id: 'p', name: 'p', role: 'query-platform', peer: 'test' };
const DOCTOR = signedIn('doctor', 'physician', 'I2');
const REFUSAL: ConsentRule = {
  effect: 'deny',
  recipients: [],
  sources: [],
  purposes: [],
  classes: [],
  labels: [],
  from: null,
  until: null,
  exceptionOf: null,
};
const saying = (said: readonly ConsentRule[]): ConsentContent => ({
  rules: said,
  giver: 'patient',
  giverName: null,
  giverRelation: null,
  givenAt: clock().toISOString(),
  channel: 'desk',
  form: 'urn:hutong:consent-form:2026-1',
  institution: null,
  evidence: null,
});
const record = async (said: readonly ConsentRule[]): Promise<string> => {
  const made = await consents.record(person, saying(said), OPERATOR);
  assert.ok(made.ok);
  return made.value.consentId;
};
const withdraw = async (id: string): Promise<void> => {
  assert.ok((await consents.revise(id, { status: 'inactive', reason: null }, OPERATOR)).ok);
};
const sees = async (desk: AccessDesk, caller: Caller): Promise<boolean> =>
  (await (await desk.sight(caller)).exams([examId])).has(examId);

test('a refusal holds on every process within seconds, and so does its withdrawal', { timeout: 10_000 }, async () => {
  assert.deepEqual([await sees(here, PLATFORM), await sees(elsewhere, PLATFORM)], [true, true]);
  const id = await record([REFUSAL]);
  // A look at what restricts anybody at all stands for a second (hub/store/access-facts.ts).
  while ((await sees(here, PLATFORM)) || (await sees(elsewhere, PLATFORM))) await pause(50);
  assert.deepEqual([await sees(here, PLATFORM), await sees(elsewhere, PLATFORM)], [false, false]);
  assert.equal((await (await elsewhere.sight(PLATFORM)).persons([person])).size, 0, 'nor who the person is');
  await withdraw(id);
  assert.deepEqual([await sees(here, PLATFORM), await sees(elsewhere, PLATFORM)], [true, true]);
});

test('a permission withdrawn: the next request of the doctor is refused, on another process too', async () => {
  assert.equal(await sees(elsewhere, DOCTOR), false, 'no relation, nothing said');
  const id = await record([{ ...REFUSAL, effect: 'permit', recipients: ['I2'], purposes: ['TREATMENT'] }]);
  assert.equal(await sees(elsewhere, DOCTOR), true);
  assert.equal(await sees(elsewhere, signedIn('third', 'physician', 'I1')), false, 'not for another institution');
  await withdraw(id);
  assert.deepEqual([await sees(here, DOCTOR), await sees(elsewhere, DOCTOR)], [false, false]);
});

test('the patient present opens what was refused; a label closes it unless it is named', async () => {
  const refused = await record([REFUSAL]);
  assert.equal(await sees(here, DOCTOR), false);
  const [from, until] = [clock().toISOString(), new Date(Date.now() + 3_600_000).toISOString()];
  const plain = await record(presentRules({ sources: [], labels: [] }, 'I2', from, until));
  assert.equal(await sees(here, DOCTOR), true);
  await hub.database.pool.query(`insert into exam_label (exam_id, label, source) values ($1, 'hiv', 'hand')`, [examId]);
  assert.equal(await sees(here, DOCTOR), false);
  const named = await record(presentRules({ sources: [], labels: ['hiv'] }, 'I2', from, until));
  assert.equal(await sees(here, DOCTOR), true);
  for (const id of [refused, plain, named]) await withdraw(id);
});

test('broken glass opens what was refused and what is sensitive, for this doctor and person alone, wherever they work', async () => {
  const refused = await record([REFUSAL]);
  const cases = createBreakGlassCases({ database: hub.database, clock, ...rules });
  for (const doctor of [DOCTOR, signedIn('homeless', 'physician'), signedIn('suspended', 'physician', 'NOWHERE')]) {
    assert.equal(await sees(elsewhere, doctor), false);
    const opened = await cases.open({ personId: person, reason: 'unconscious', text: '昏迷', hours: 4 }, doctor);
    assert.ok(opened.ok);
    assert.equal(await sees(elsewhere, doctor), true, doctor.id);
    const [decision] = await (await here.sight(doctor)).decide([{ person }]);
    assert.deepEqual(decision, { allowed: true, basis: 'break-glass', because: opened.value.found.grantId });
    const another = await hub.personOf(recordId('h2', 'B'));
    assert.equal((await (await here.sight(doctor)).persons([another])).size, 0);
    assert.ok((await cases.end(opened.value.found.grantId, doctor)).ok);
    assert.equal(await sees(elsewhere, doctor), false, 'ended');
  }
  await withdraw(refused);
});

test('a grant follows the person through a merge', async () => {
  const cases = createBreakGlassCases({ database: hub.database, clock, ...rules });
  const other = await hub.personOf(recordId('h2', 'B'));
  const opened = await cases.open({ personId: other, reason: 'unconscious', text: '昏迷', hours: 4 }, DOCTOR);
  assert.ok(opened.ok);
  assert.equal(await sees(here, DOCTOR), false);
  assert.ok((await hub.desk.merge(person, other, { caller: OPERATOR, reason: '本人持证件到院核实' })).ok);
  assert.equal(await sees(here, DOCTOR), true);
});
