/** Institutions and doctors through their life, on PostgreSQL: somebody else approves, and whose time is over is out at once. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { institutionCode } from '../../hub/core/institution.ts';
import type { InstitutionDesk, PractitionerDesk } from '../../hub/core/practitioner.ts';
import { createClientStore } from '../../hub/store/client.ts';
import type { Database } from '../../hub/store/database.ts';
import { createInstitutionDesk } from '../../hub/store/institution-life.ts';
import { readInstitutions } from '../../hub/store/institution.ts';
import { createPractitionerDesk } from '../../hub/store/practitioner.ts';
import { siteId } from '../../hub/core/identifier.ts';
import { freshDatabase } from '../support/database.ts';
import { account, hasAccounts, sessionsOf, signedIn } from '../support/people.ts';

let database: Database;
let institutions: InstitutionDesk;
let doctors: PractitionerDesk;
let people = false;
const clock = (): Date => new Date();
const applicant = signedIn('applicant', 'security-administrator');
const approver = signedIn('approver', 'security-administrator');
const step = (name: 'approve' | 'refuse' | 'suspend' | 'resume' | 'leave') => ({ step: name, reason: '测试原因' });

before(async () => {
  ({ database } = await freshDatabase());
  institutions = createInstitutionDesk({ database, clock });
  doctors = createPractitionerDesk({ database, clock });
  people = await hasAccounts(database);
});

const HOSPITAL = {
  code: institutionCode('HOSP0001'),
  nameZh: '省第四医院',
  nameEn: null,
  parent: null,
  kind: 'hospital',
  region: null,
  sites: [siteId('h9')],
  licence: '45678901221010311A1001',
  uscc: null,
} as const;

async function hospital(code: string): Promise<string> {
  const made = await institutions.apply({ ...HOSPITAL, code: institutionCode(code), sites: [] }, applicant);
  assert.ok(made.ok);
  assert.ok((await institutions.step(code, step('approve'), approver)).ok);
  return code;
}
async function doctor(institution: string, licence: string, accountId: string | null = null): Promise<string> {
  const request = { institution, licence, name: '李医生', department: '放射科', title: '', accountId };
  const made = await doctors.apply(request, applicant);
  assert.ok(made.ok, JSON.stringify(made));
  return made.value.practitionerId;
}

test('an institution applies, somebody else approves, and decisions see it', async () => {
  const applied = await institutions.apply(HOSPITAL, applicant);
  assert.ok(applied.ok && applied.value.state === 'applied');
  for (const again of [HOSPITAL, { ...HOSPITAL, code: institutionCode('HOSP0002') }]) {
    const refused = await institutions.apply(again, applicant);
    assert.equal(!refused.ok && refused.problem.code, 'conflict', 'its code, and its site, are taken');
  }
  const own = await institutions.step('HOSP0001', step('approve'), applicant);
  assert.equal(!own.ok && own.problem.code, 'conflict', 'not by whom applied');
  const early = await institutions.step('HOSP0001', step('suspend'), approver);
  assert.equal(!early.ok && early.problem.code, 'conflict');
  assert.ok((await institutions.step('HOSP0001', step('approve'), approver)).ok);
  assert.equal((await readInstitutions(database.pool)).byCode('HOSP0001')?.state, 'approved');
  assert.equal((await readInstitutions(database.pool)).ofSite('h9'), 'HOSP0001');
  const read = await institutions.read('HOSP0001');
  assert.deepEqual(
    read?.history.map((one) => [one.step, one.by]),
    [
      ['apply', 'applicant'],
      ['approve', 'approver'],
    ],
  );
  await assert.rejects(database.pool.query('delete from standing_step'), /never changed/);
  const nowhere = await institutions.step('NOWHERE', step('approve'), approver);
  assert.equal(!nowhere.ok && nowhere.problem.code, 'not-found');
});

test('a consortium of known institutions; its members are what decisions go by', async () => {
  await hospital('HOSP0010');
  await hospital('HOSP0011');
  const terms = { nameZh: '城东医联体', nameEn: null, from: null, until: null };
  const unknown = await institutions.saveConsortium(null, { ...terms, members: [institutionCode('NOWHERE')] });
  assert.equal(!unknown.ok && unknown.problem.where, 'members');
  const members = [institutionCode('HOSP0010'), institutionCode('HOSP0011')];
  const made = await institutions.saveConsortium(null, { ...terms, members });
  assert.ok(made.ok);
  const at = new Date().toISOString();
  const lineage = async (): Promise<readonly string[]> =>
    (await readInstitutions(database.pool)).lineage(institutionCode('HOSP0010'), at);
  assert.deepEqual(await lineage(), ['HOSP0010', `consortium/${made.value.id}`]);
  assert.ok((await institutions.saveConsortium(made.value.id, { ...terms, members: members.slice(1) })).ok);
  assert.deepEqual(await lineage(), ['HOSP0010']);
  assert.equal((await institutions.consortia()).length, 1);
});

test('a doctor is approved by somebody else, at an institution that is approved, once per licence', async () => {
  const pending = await institutions.apply({ ...HOSPITAL, code: institutionCode('HOSP0020'), sites: [] }, applicant);
  assert.ok(pending.ok);
  const id = await doctor('HOSP0020', '110210000012345');
  const own = await doctors.step(id, step('approve'), applicant);
  assert.equal(!own.ok && own.problem.where, 'step');
  const early = await doctors.step(id, step('approve'), approver);
  assert.equal(!early.ok && early.problem.where, 'institution');
  assert.ok((await institutions.step('HOSP0020', step('approve'), approver)).ok);
  assert.ok((await doctors.step(id, step('approve'), approver)).ok);
  const request = {
    institution: 'HOSP0020',
    licence: '110210000012345',
    name: '李',
    department: 'x',
    title: '',
    accountId: null,
  };
  const twice = await doctors.apply(request, applicant);
  assert.equal(!twice.ok && twice.problem.where, 'licence');
  const nowhere = await doctors.apply({ ...request, institution: 'NOWHERE' }, applicant);
  assert.equal(!nowhere.ok && nowhere.problem.where, 'institution');
  assert.equal((await doctors.list({ institution: 'HOSP0020', state: 'approved' }, { limit: 5 })).items.length, 1);
});

test('two that decide at the same time: one decides', async () => {
  const id = await doctor(await hospital('HOSP0030'), '110210000099999');
  const both = await Promise.all([
    doctors.step(id, step('approve'), approver),
    doctors.step(id, step('refuse'), approver),
  ]);
  assert.equal(both.filter(({ ok }) => ok).length, 1);
  assert.equal((await doctors.read(id))?.history.length, 2);
});

test('suspended or gone: the doctor’s sessions end with the step', async (t) => {
  if (!people) return t.skip('the tables of accounts and sessions come with another part');
  const code = await hospital('HOSP0040');
  const accountId = await account(database, 'li', code);
  const id = await doctor(code, '110210000011111', accountId);
  assert.ok((await doctors.step(id, step('approve'), approver)).ok);
  assert.deepEqual(await sessionsOf(database, accountId), { open: 1, state: 'active' });
  assert.ok((await doctors.step(id, step('suspend'), approver)).ok);
  assert.deepEqual(await sessionsOf(database, accountId), { open: 0, state: 'suspended' });
  assert.ok((await doctors.step(id, step('resume'), approver)).ok);
  assert.deepEqual(await sessionsOf(database, accountId), { open: 0, state: 'active' });
  assert.ok((await doctors.step(id, step('leave'), approver)).ok);
  assert.deepEqual(await sessionsOf(database, accountId), { open: 0, state: 'ended' });
  assert.equal((await doctors.read(id))?.practitioner.state, 'left');
  await doctor(code, '110210000011111');
});

test('an institution that is suspended ends the sessions of its people alone; one that leaves also its systems', async (t) => {
  if (!people) return t.skip('the tables of accounts and sessions come with another part');
  const code = await hospital('HOSP0050');
  const other = await hospital('HOSP0051');
  const [theirs, others] = [await account(database, 'wang', code), await account(database, 'zhao', other)];
  await database.pool.query(`insert into institution_site (site, institution) values ('h50', $1)`, [code]);
  const clients = createClientStore({ database, clock });
  const token = new Uint8Array(32).fill(5);
  await clients.add({ name: 'HIS', role: 'hospital-feed', site: siteId('h50'), createdBy: 'test' }, token);
  assert.ok((await institutions.step(code, step('suspend'), approver)).ok);
  assert.equal((await sessionsOf(database, theirs)).open, 0);
  assert.equal((await sessionsOf(database, others)).open, 1);
  assert.equal((await readInstitutions(database.pool)).byCode(code)?.state, 'suspended');
  assert.notEqual(await clients.byTokenHash(token), null, 'what it sends is still taken: no message is lost');
  assert.ok((await institutions.step(code, step('leave'), approver)).ok);
  assert.equal(await clients.byTokenHash(token), null);
});
