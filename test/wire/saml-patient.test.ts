/** Patients sign in by the province's provider for citizens: who they are is what the index says, anew with every request. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readProviders } from '../../hub/config-saml.ts';
import { nameKey } from '../../hub/core/dicom-text.ts';
import type { ResidentId } from '../../hub/core/identifier.ts';
import { createAccountStore } from '../../hub/store/account.ts';
import { vaultOf } from '../../hub/store/database.ts';
import { residentKey } from '../../hub/store/sealed-facts.ts';
import { BrowserSession } from '../support/browser-session.ts';
import { encoded } from '../support/saml-idp.ts';
import type { IdpUser } from '../support/saml-idp.ts';
import { startSamlHub } from '../support/saml-hub.ts';
import type { SamlHub } from '../support/saml-hub.ts';

const NUMBER = '210102198003151239';
const ZHANG: IdpUser = { nameId: 'c-0001', name: '张伟', roles: [], residentId: NUMBER };
const [P, Q] = ['00000000-0000-4000-8000-00000000000a', '00000000-0000-4000-8000-00000000000b'];

let world: SamlHub;
before(async () => {
  world = await startSamlHub();
});
after(() => world.close());

/** A registration of the person at a hospital, as the index holds it. */
async function registered(at: string, person: string, more: { name?: string; birthDate?: string } = {}): Promise<void> {
  const { pool } = world.hub.fresh.database;
  const { name = '张伟', birthDate = '19800315' } = more;
  const record = `00000000-0000-4000-9000-${at.padStart(12, '0')}`;
  await pool.query('insert into person (person_id) values ($1) on conflict do nothing', [person]);
  await pool.query(
    `insert into patient_record (record_id, site, authority, local_id, person_id, facts, birth_date, resident_id, resident_born)
     values ($1, 'h1', 'a', $2, $3, '{}', $4, $5, 1980)`,
    [record, at, person, birthDate, residentKey(vaultOf(pool), NUMBER as ResidentId)],
  );
  await pool.query(`insert into patient_name (record_id, key) values ($1, $2)`, [record, nameKey(name)]);
}

async function forget(): Promise<void> {
  await world.hub.fresh.database.pool.query('delete from patient_name; delete from patient_record; delete from person');
}

/** Where the browser is led in the end. */
async function comes(user: IdpUser, at = new BrowserSession(world.hub.origin)): Promise<string> {
  const { citizens, hub } = world;
  citizens.user = user;
  const began = await at.send('GET', '/saml/citizens/login?return=/my/exams');
  const xml = await citizens.respond(citizens.asked(began.headers.get('location') ?? ''));
  const posted = await fetch(`${hub.origin}/saml/citizens/acs`, {
    ...{ method: 'POST', redirect: 'manual', headers: { Origin: citizens.origin } },
    body: new URLSearchParams({ SAMLResponse: encoded(xml) }),
  });
  return (await at.send('GET', posted.headers.get('location') ?? '')).headers.get('location') ?? '';
}

const told = async (): Promise<string> => {
  const [last] = (await world.hub.audit.list({}, { limit: 1 })).items;
  return [last?.outcome, last?.operation, last?.reason].join(' ');
};

test('exactly one person of the index is a patient; the account knows neither name nor number', async () => {
  await registered('1', P);
  const at = new BrowserSession(world.hub.origin);
  assert.equal(await comes(ZHANG, at), '/my/exams');
  const { json } = await at.send('GET', '/api/v1/session');
  assert.deepEqual(
    [json['role'], json['person'], json['purpose'], json['purposes']],
    ['patient', P, 'PATIENT', ['PATIENT']],
  );
  await comes({ ...ZHANG, nameId: 'c-0001-anew' });
  const { rows } = await world.hub.fresh.database.pool.query<{ row: string }>(`select a::text as row from account a`);
  assert.equal(rows.length, 1, 'the same citizen under whatever name the provider has');
  assert.doesNotMatch(rows[0]?.row ?? '', new RegExp(`张伟|${NUMBER}`));
  const audited = await world.hub.audit.list({}, { limit: 100 });
  assert.doesNotMatch(JSON.stringify(audited), new RegExp(`张伟|${NUMBER}`));
});

test('a session follows the index: joined, parted so that two claim the number, corrected again', async () => {
  const { pool } = world.hub.fresh.database;
  const at = new BrowserSession(world.hub.origin);
  await comes(ZHANG, at);
  const person = async (): Promise<unknown> => (await at.send('GET', '/api/v1/session')).json['person'];
  const accesses = async (id: string): Promise<number> =>
    (await at.send('GET', `/api/v1/persons/${id}/accesses`)).status;
  assert.deepEqual([await person(), await accesses(P), await accesses(Q)], [P, 200, 404]);
  await pool.query('insert into person (person_id) values ($1) on conflict do nothing', [Q]);
  await pool.query('update patient_record set person_id = $1', [Q]);
  assert.deepEqual([await person(), await accesses(P), await accesses(Q)], [Q, 404, 200], 'joined into another');
  await registered('2', P);
  assert.deepEqual([await person(), await accesses(P), await accesses(Q)], [null, 404, 404], 'parted: both claim it');
  assert.equal(await comes(ZHANG), '/login?problem=several');
  assert.equal(await told(), 'failure finish several persons of the index claim the resident ID');
  await pool.query('update patient_record set resident_id = null where local_id = $1', ['2']);
  assert.deepEqual([await person(), await accesses(P), await accesses(Q)], [Q, 404, 200], 'the hospital corrected it');
  await forget();
});

test('no match, another’s name, another’s birth date, no valid number, a name that is the number: nobody is in', async () => {
  const { pool } = world.hub.fresh.database;
  const before = (await pool.query('select from account')).rows.length;
  const nobody = async (user: IdpUser, where: string, why: RegExp): Promise<void> => {
    const at = new BrowserSession(world.hub.origin);
    assert.equal(await comes(user, at), `/login?problem=${where}`);
    assert.match(await told(), why);
    assert.equal((await at.send('GET', '/api/v1/session')).status, 401);
  };
  const other = { ...ZHANG, residentId: '11010519491231002X' };
  await nobody(ZHANG, 'nobody', /failure finish no person of the index/);
  await registered('3', P, { name: '李四' });
  await nobody(ZHANG, 'nobody', /no person of the index/);
  await forget();
  await registered('4', P, { birthDate: '20190601' });
  await nobody(ZHANG, 'nobody', /no person of the index/);
  await forget();
  await registered('5', P);
  await nobody(other, 'nobody', /no person of the index/);
  await nobody({ ...ZHANG, residentId: '210102198003151230' }, 'nobody', /no valid resident ID/);
  await nobody({ ...ZHANG, nameId: NUMBER }, 'account', /names its people by their resident ID/);
  assert.equal((await pool.query('select from account')).rows.length, before, 'and no account of who is unknown');
});

test('a hospital’s provider makes nobody a patient, nor does an administrator; patients are no administrator’s list', async () => {
  const { hub } = world;
  const metadata = fileURLToPath(import.meta.url);
  const given = { id: 'h9', name: 'h9', metadata, secondFactor: 'idp', attributes: { name: 'n', residentId: 'r' } };
  for (const [more, why] of [
    [{}, /defaultRole: patient/],
    [{ attributes: { roles: 'role' }, roles: { citizen: 'patient' } }, /as roles/],
    [{ defaultRole: 'patient', attributes: { name: 'n' } }, /residentId and name/],
    [{ defaultRole: 'patient', roles: { x: 'physician' } }, /no roles/],
    [{ defaultRole: 'patient', institution: 'X' }, /no roles, institution/],
    [{ defaultRole: 'patient', secondFactor: 'hub' }, /idp as secondFactor/],
  ] as const)
    assert.throws(() => readProviders(JSON.stringify([{ ...given, ...more }])), why);
  assert.equal(readProviders(JSON.stringify([{ ...given, defaultRole: 'patient' }]))[0]?.defaultRole, 'patient');
  const made = await hub.call('POST', '/api/v1/accounts', {
    body: { loginName: 'not-a-patient', displayName: '张三', roles: [{ role: 'patient' }] },
  });
  assert.deepEqual([made.status, made.json['code']], [400, 'invalid-value'], made.text);
  const accounts = createAccountStore({ database: hub.fresh.database, clock: () => new Date() });
  const roles = (list: readonly { roles: readonly { role: string }[] }[]): string[] =>
    list.flatMap((one) => one.roles.map(({ role }) => role));
  assert.ok(!roles((await accounts.list({}, { limit: 100 })).items).includes('patient'));
  const [patient] = (await accounts.list({ role: 'patient' }, { limit: 100 })).items;
  assert.ok(patient);
  const changed = await hub.call('PATCH', `/api/v1/accounts/${patient.id}`, {
    body: { roles: [{ role: 'physician' }, { role: 'patient' }], reason: 'test' },
  });
  assert.equal(changed.status, 400, changed.text);
  const turned = await hub.call('PATCH', `/api/v1/accounts/${patient.id}`, {
    body: { roles: [{ role: 'physician' }], reason: 'test' },
  });
  assert.equal(turned.status, 400, 'nor a patient into somebody else');
});

test('the session of a patient is as others’: forged requests are refused, an account that is suspended is out', async () => {
  const { hub } = world;
  await forget();
  await registered('6', P);
  const at = new BrowserSession(hub.origin);
  await comes(ZHANG, at);
  const code = { personId: P, kind: 'digits', minutes: 5, hours: 24, form: 'urn:hutong:consent-form:2026-1' };
  const forged = await at.send('POST', '/api/v1/present-codes', code, { 'X-Hutong-CSRF': 'x' });
  assert.equal(forged.status, 403);
  assert.equal((await at.send('POST', '/api/v1/present-codes', code)).status, 201);
  assert.equal((await at.send('POST', '/api/v1/present-codes', { ...code, personId: Q })).status, 404);
  const { rows } = await hub.fresh.database.pool.query<{ id: string }>(
    `select id from account where resident_id is not null`,
  );
  await hub.call('PATCH', `/api/v1/accounts/${rows[0]?.id ?? ''}`, { body: { state: 'suspended', reason: 'test' } });
  assert.equal((await at.send('GET', '/api/v1/session')).status, 401);
  assert.equal(await comes(ZHANG), '/login?problem=account');
});
