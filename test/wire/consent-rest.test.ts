/** Consents and emergencies over HTTP: the desk, the patient's app, the doctor with a code, broken glass and its review. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PRESENT_CODE } from '../../hub/core/consent-ports.ts';
import type { HubId } from '../../hub/core/identifier.ts';
import { USUAL_REACTIONS } from '../../hub/core/account-flag.ts';
import { auditCases } from '../../hub/flow/break-glass.ts';
import { createSeal } from '../../hub/security/seal.ts';
import { breakGlassFigures, createBreakGlassCases, grantsOf } from '../../hub/store/break-glass.ts';
import { patientOf, signedIn } from '../support/people.ts';
import { quiet } from '../support/database.ts';
import type { Answer, Call, RestServer } from '../support/rest-server.ts';
import { startRest } from '../support/rest-server.ts';
import { TEST_FIELDS } from '../support/keyring.ts';

let hub: RestServer;
const PERSON = '11111111-1111-8111-8111-111111111111' as HubId;
const OTHER = '22222222-2222-8222-8222-222222222222' as HubId;
/** A patient of HOSPITAL3, where the neighbour works. */
const OWN = '44444444-4444-8444-8444-444444444444';
const FORM = 'urn:hutong:consent-form:2026-1';
const DOCTORS = ['doctor', 'second', 'third', 'fourth', 'fifth'] as const;

before(async () => {
  hub = await startRest();
  await hub.fresh.database.pool.query(`insert into person (person_id) values ('${PERSON}'), ('${OTHER}')`);
  await patientOf(hub.fresh.database, OWN, 'HOSPITAL3');
  for (const name of DOCTORS) hub.people.set(name, signedIn(name, 'physician', 'HOSPITAL2'));
  hub.people.set('neighbour', signedIn('neighbour', 'physician', 'HOSPITAL3'));
  hub.people.set('homeless', signedIn('homeless', 'physician'));
  hub.people.set('auditor', signedIn('auditor', 'auditor'));
  hub.people.set('security', signedIn('security', 'security-administrator'));
});
after(() => hub.close());

const as = (person: string, method: string, path: string, body?: object): Promise<Answer> =>
  hub.call(method, path, { headers: { 'X-Test-Person': person }, ...(body === undefined ? {} : { body }) });
const field = ({ json }: Answer, name: string): string => String(json[name]);
const items = ({ json }: Answer): readonly Record<string, unknown>[] => json['items'] as Record<string, unknown>[];

test('a hospital records for itself, the app withdraws, and each act is in the audit with whose it is', async () => {
  const institution = await hub.letFeedRecord(PERSON);
  const body = {
    ...{ personId: PERSON, form: FORM, evidence: 'https://h1.test/paper/1' },
    rules: [{ effect: 'deny' }, { effect: 'permit', recipients: [institution], exceptionOf: 0 }],
  };
  const made = await hub.call('POST', '/api/v1/consents', { as: 'hospital-feed', body });
  assert.equal(made.status, 201, made.text);
  assert.equal(field(made, 'institution'), institution, 'the institution of the feed');
  const path = `/api/v1/consents/${field(made, 'consentId')}`;
  assert.equal((await as('doctor', 'GET', path)).status, 404, 'a doctor without relation sees nothing of it');
  assert.equal((await as('doctor', 'POST', `${path}/withdraw`, {})).status, 404);
  assert.equal(
    (await hub.call('POST', `${path}/withdraw`, { as: 'query-platform', body: { version: 7 } })).status,
    412,
  );
  const gone = await hub.call('POST', `${path}/withdraw`, { as: 'query-platform', body: { reason: '改主意' } });
  assert.deepEqual([gone.status, gone.json['status'], gone.json['version']], [200, 'inactive', 2]);
  assert.equal((await hub.call('POST', `${path}/withdraw`, { as: 'query-platform', body: {} })).status, 409);
  const [audited] = (await hub.audit.list({ action: 'change', personId: PERSON }, { limit: 1 })).items;
  assert.equal(audited?.operation, 'withdrawConsent');
  const listed = await hub.call('GET', `/api/v1/persons/${PERSON}/consents`, { as: 'hospital-feed' });
  assert.equal(items(listed).length, 1);
  const foreign = { ...body, institution: 'HOSPITAL9' };
  assert.equal((await hub.call('POST', '/api/v1/consents', { as: 'hospital-feed', body: foreign })).status, 400);
});

test('rules that contradict themselves are refused with the place named', async () => {
  for (const [rules, pointer] of [
    [[{ effect: 'permit', exceptionOf: 0 }], '#/rules/0/exceptionOf'],
    [[{ effect: 'deny', from: '2026-02-01T00:00:00Z', until: '2026-01-01T00:00:00Z' }], '#/rules/0/until'],
    [[{ effect: 'maybe' }], '#/rules/0/effect'],
    [[], '#/rules'],
  ] as const) {
    const answer = await hub.call('POST', '/api/v1/consents', {
      as: 'query-platform',
      body: { personId: PERSON, form: FORM, rules },
    });
    assert.equal(answer.status, 400, answer.text);
    assert.equal((answer.json['errors'] as { pointer: string }[])[0]?.pointer, pointer);
  }
});

async function code(kind: 'token' | 'digits', more: object = {}): Promise<string> {
  const body = { personId: PERSON, form: FORM, kind, ...more };
  const answer = await hub.call('POST', '/api/v1/present-codes', { as: 'query-platform', body });
  assert.equal(answer.status, 201, answer.text);
  return field(answer, 'code');
}
const redeem = (person: string, body: object): Promise<Answer> =>
  as(person, 'POST', '/api/v1/present-codes/redeem', body);

test('a scanned code opens for the doctor’s institution, once, for treatment and some hours; only its hash is kept', async () => {
  const token = await code('token', { hours: 2, labels: ['hiv'] });
  assert.match(token, /^[\w-]{22}$/);
  const { rows } = await hub.fresh.database.pool.query<{ row: string }>(
    'select c::text as row from patient_present_code c',
  );
  assert.ok(rows.every(({ row }) => !row.includes(token)));
  assert.equal((await redeem('homeless', { code: token })).status, 403, 'for no institution');
  const opened = await redeem('doctor', { code: token });
  assert.equal(opened.status, 201, opened.text);
  const rules = opened.json['rules'] as {
    recipients: string[];
    purposes: string[];
    labels: string[];
    from: string;
    until: string;
  }[];
  assert.deepEqual(
    rules.map(({ recipients, purposes, labels }) => [recipients, purposes, labels]),
    [
      [['HOSPITAL2'], ['TREATMENT'], []],
      [['HOSPITAL2'], ['TREATMENT'], ['hiv']],
    ],
  );
  assert.equal(Date.parse(rules[0]?.until ?? '') - Date.parse(rules[0]?.from ?? ''), 2 * 3_600_000 + 60_000);
  assert.equal((await redeem('doctor', { code: token })).status, 404, 'it is used up');
});

test('two doctors with one code at the same time: one gets in', async () => {
  const token = await code('token');
  const answers = await Promise.all(
    Array.from({ length: 6 }, (_one, n) => redeem(n % 2 === 0 ? 'doctor' : 'second', { code: token })),
  );
  assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 404, 404, 404, 404, 404]);
});

test('digits are good with their patient alone, and void after a few wrong ones', async () => {
  const digits = await code('digits');
  assert.match(digits, /^\d{8}$/);
  assert.equal((await redeem('third', { code: digits })).status, 400);
  assert.equal((await redeem('third', { code: digits, personId: OTHER })).status, 404);
  const wrong = digits === '00000000' ? '00000001' : '00000000';
  for (let n = 0; n < PRESENT_CODE.wrongPerCode; n += 1)
    assert.equal((await redeem('third', { code: wrong, personId: PERSON })).status, 404);
  assert.equal((await redeem('fourth', { code: digits, personId: PERSON })).status, 404, 'the code is void');
  const fresh = await code('digits');
  assert.equal((await redeem('fourth', { code: fresh, personId: PERSON })).status, 201);
});

test('who guesses is stopped, also with guesses sent at once, and the right code no longer helps', async () => {
  const right = await code('token');
  const guesses = await Promise.all(
    Array.from({ length: 20 }, (_one, n) =>
      redeem('fifth', { code: `guess-guess-guess-g${String(n).padStart(3, '0')}` }),
    ),
  );
  const looked = guesses.filter(({ status }) => status === 404).length;
  assert.ok(looked <= PRESENT_CODE.wrongPerHour, String(looked));
  assert.equal((await redeem('fifth', { code: right })).status, 413);
});

test('a code that is over opens nothing', async () => {
  const token = await code('token');
  await hub.fresh.database.pool.query(`update patient_present_code set expires_at = now() - interval '1 second'`);
  assert.equal((await redeem('second', { code: token })).status, 404);
});

test('no doctor cuts himself a key: neither a code nor a consent of whom is no patient of his', async () => {
  const { pool } = hub.fresh.database;
  const draw = { personId: OTHER, form: FORM, kind: 'token' };
  assert.equal((await as('neighbour', 'POST', '/api/v1/present-codes', draw)).status, 403);
  const rules = [{ effect: 'permit', recipients: ['HOSPITAL3'], labels: ['hiv'] }];
  const consent = (personId: string): object => ({ personId, form: FORM, rules });
  const stranger = await as('neighbour', 'POST', '/api/v1/consents', consent(OTHER));
  const nobody = await as('neighbour', 'POST', '/api/v1/consents', consent('33333333-3333-8333-8333-333333333333'));
  assert.deepEqual([stranger.status, stranger.json['detail']], [404, nobody.json['detail']]);
  const kept = await pool.query(`select from consent where person_id = $1`, [OTHER]);
  assert.equal(kept.rowCount, 0);
  const own = await as('neighbour', 'POST', '/api/v1/consents', consent(OWN));
  assert.equal(own.status, 201, own.text);
  // The patient goes elsewhere: what the hospital took down is no longer the doctor's to rewrite.
  await pool.query(`update patient_record set site = 'elsewhere' where record_id = $1`, [OWN]);
  const denied = await hub.call('POST', '/api/v1/consents', {
    as: 'query-platform',
    body: { ...consent(OWN), institution: 'HOSPITAL3', rules: [{ effect: 'deny' }] },
  });
  await pool.query(`update consent set status = 'inactive' where consent_id = $1`, [field(own, 'consentId')]);
  const path = `/api/v1/consents/${field(denied, 'consentId')}/withdraw`;
  assert.equal((await as('neighbour', 'POST', path, {})).status, 403);
});

test('a place in the list of consents tells of none that is hidden', async () => {
  for (let n = 0; n < 3; n += 1) {
    const body = { personId: OTHER, form: FORM, rules: [{ effect: 'deny', purposes: ['RESEARCH'] }] };
    assert.equal((await hub.call('POST', '/api/v1/consents', { as: 'query-platform', body })).status, 201);
  }
  const page = await as('neighbour', 'GET', `/api/v1/persons/${OTHER}/consents?limit=1`);
  assert.deepEqual([page.status, page.json], [200, { items: [], next: null }]);
});

const EMERGENCY = { personId: PERSON, reason: 'unconscious', text: '昏迷送入，张三需既往影像' };

test('the glass breaks at once, loudly; the patient is told; somebody else reviews, and what was none has consequences', async () => {
  const { pool } = hub.fresh.database;
  const opened = await as('doctor', 'POST', '/api/v1/break-glass', EMERGENCY);
  assert.equal(opened.status, 201, opened.text);
  const grantId = field(opened, 'grantId');
  assert.equal(Date.parse(field(opened, 'until')) - Date.parse(field(opened, 'at')), 4 * 3_600_000);
  const again = await as('doctor', 'POST', '/api/v1/break-glass', EMERGENCY);
  const recorded = (await hub.audit.list({ callerId: 'doctor' }, { limit: 20 })).items;
  assert.equal(recorded.filter(({ operation }) => operation === 'breakGlass').length, 2, 'each time is recorded, once');
  assert.deepEqual([again.status, field(again, 'grantId')], [200, grantId], 'one grant, one notice');
  const standing = async (account: string): Promise<number> =>
    (await grantsOf(pool, account, [PERSON], new Date().toISOString())).get(PERSON)?.length ?? 0;
  assert.deepEqual([await standing('doctor'), await standing('second')], [1, 0]);
  const [audited] = (await hub.audit.list({ personId: PERSON, callerId: 'doctor' }, { limit: 50 })).items.filter(
    ({ operation }) => operation === 'breakGlass',
  );
  assert.equal(audited?.reason, 'emergency access: unconscious');
  assert.doesNotMatch(JSON.stringify(audited), /张三/);
  const kept = await pool.query<{ row: string }>('select b::text as row from break_glass b');
  assert.doesNotMatch(kept.rows.map(({ row }) => row).join(), /张三/);
  const told = items(await hub.call('GET', `/api/v1/persons/${PERSON}/notices`, { as: 'query-platform' }));
  assert.equal(told[0]?.['kind'], 'break-glass');
  assert.match(String(told[0]['text']), /紧急救治调阅/);
  assert.equal((await as('doctor', 'GET', `/api/v1/persons/${PERSON}/notices`)).status, 403);

  const queue = items(await as('auditor', 'GET', '/api/v1/break-glass?state=open'));
  assert.equal(queue[0]?.['grantId'], grantId);
  assert.equal(queue[0]['text'], EMERGENCY.text, 'the reviewer reads what the doctor wrote');
  const verdict = { outcome: 'unjustified', note: '该患者并未就诊' };
  assert.equal((await as('doctor', 'POST', `/api/v1/break-glass/${grantId}/review`, verdict)).status, 403);
  hub.people.set('doctor-as-auditor', signedIn('doctor', 'auditor'));
  assert.equal(
    (await as('doctor-as-auditor', 'POST', `/api/v1/break-glass/${grantId}/review`, verdict)).status,
    409,
    'not by oneself',
  );
  assert.equal((await as('security', 'POST', `/api/v1/break-glass/${grantId}/review`, verdict)).status, 200);
  assert.equal((await as('auditor', 'POST', `/api/v1/break-glass/${grantId}/review`, verdict)).status, 409);
  assert.equal(await standing('doctor'), 0, 'what was no emergency ends');
  const flags = items(await as('auditor', 'GET', '/api/v1/account-flags'));
  assert.deepEqual([flags[0]?.['accountId'], flags[0]?.['grantId']], ['doctor', grantId]);
  const later = items(await hub.call('GET', `/api/v1/persons/${PERSON}/notices`, { as: 'query-platform' }));
  assert.equal(later[0]?.['kind'], 'break-glass-reviewed');
});

test('no doctor is stopped: not without an institution, not while the audit is away; the audit is told afterwards', async () => {
  const { database } = hub.fresh;
  hub.broken.audit = true;
  const opened = await as('homeless', 'POST', '/api/v1/break-glass', { ...EMERGENCY, reason: 'relation-not-recorded' });
  hub.broken.audit = false;
  assert.equal(opened.status, 201, opened.text);
  assert.equal(opened.json['institution'], null);
  assert.equal((await grantsOf(database.pool, 'homeless', [PERSON], new Date().toISOString())).get(PERSON)?.length, 1);
  const byWhom = async (): Promise<number> =>
    (await hub.audit.list({ callerId: 'homeless' }, { limit: 10 })).items.filter(
      ({ operation }) => operation === 'breakGlass',
    ).length;
  assert.equal(await byWhom(), 0);
  assert.equal((await breakGlassFigures(database, new Date()))['unaudited'], 1);
  const seal = createSeal(TEST_FIELDS, 'consent', new Uint8Array(32));
  await database.pool.query(`update break_glass set note = $1`, [seal.close('x')]);
  const soon = (): Date => new Date(Date.now() + 60_000);
  const cases = createBreakGlassCases({
    database,
    clock: soon,
    seal: () => Promise.resolve(seal),
    reactions: USUAL_REACTIONS,
    notices: { delivered: false },
  });
  assert.equal(await auditCases({ cases, audit: hub.audit, log: quiet }), 1);
  assert.equal(await byWhom(), 1);
  assert.equal(await auditCases({ cases, audit: hub.audit, log: quiet }), 0, 'once');
});

test('a review that is late is an alarm; the doctor ends the own grant and nobody else’s', async () => {
  const { database } = hub.fresh;
  const opened = await as('second', 'POST', '/api/v1/break-glass', { ...EMERGENCY, hours: 1 });
  const path = `/api/v1/break-glass/${field(opened, 'grantId')}`;
  assert.equal((await as('third', 'POST', `${path}/end`)).status, 404);
  assert.equal((await as('second', 'POST', `${path}/end`)).status, 200);
  assert.equal((await grantsOf(database.pool, 'second', [PERSON], new Date().toISOString())).size, 0);
  const before = await breakGlassFigures(database, new Date());
  assert.equal(before['overdue_reviews'], 0);
  const inAWeek = await breakGlassFigures(database, new Date(Date.now() + 7 * 86_400_000));
  assert.equal(inAWeek['overdue_reviews'], inAWeek['open_reviews']);
  assert.ok((inAWeek['oldest_overdue_seconds'] ?? 0) > 86_400);
  assert.equal(items(await as('second', 'GET', '/api/v1/my-break-glass')).length, 1);
  assert.equal(items(await as('auditor', 'GET', '/api/v1/break-glass?state=overdue')).length, 0);
});

test('what is sent with an emergency is checked, and systems and administrators of people break no glass', async () => {
  for (const body of [
    { ...EMERGENCY, reason: 'curious' },
    { ...EMERGENCY, text: '' },
    { ...EMERGENCY, hours: 25 },
    { ...EMERGENCY, personId: 'x' },
  ] satisfies object[])
    assert.equal((await as('doctor', 'POST', '/api/v1/break-glass', body)).status, 400);
  const nobody = { ...EMERGENCY, personId: '33333333-3333-8333-8333-333333333333' };
  assert.equal((await as('doctor', 'POST', '/api/v1/break-glass', nobody)).status, 404);
  const call: Call = { as: 'query-platform', body: EMERGENCY };
  assert.equal((await hub.call('POST', '/api/v1/break-glass', call)).status, 403);
  assert.equal((await as('security', 'POST', '/api/v1/break-glass', EMERGENCY)).status, 403);
});
