/** Consents on PostgreSQL: versions, withdrawal, guardians, and persons that are merged and parted afterwards. */
import assert from 'node:assert/strict';
import { before, beforeEach, test } from 'node:test';
import { askConsents, type ConsentRule } from '../../hub/core/consent.ts';
import type { ConsentContent, ConsentDesk } from '../../hub/core/consent-ports.ts';
import type { HubId } from '../../hub/core/identifier.ts';
import { createSeal } from '../../hub/security/seal.ts';
import { createConsentDesk } from '../../hub/store/consent.ts';
import { anyRefusal, standingConsents } from '../../hub/store/consent-reader.ts';
import { createPatientNotices } from '../../hub/store/patient-notice.ts';
import { OPERATOR, personHub, recordId, registration, type PersonHub } from '../support/person-hub.ts';
import { TEST_FIELDS } from '../support/keyring.ts';

let hub: PersonHub;
let desk: ConsentDesk;
before(async () => {
  hub = await personHub();
  const seal = createSeal(TEST_FIELDS, 'consent', new Uint8Array(32).fill(3));
  desk = createConsentDesk({
    database: hub.database,
    clock: () => new Date(),
    seal: () => Promise.resolve(seal),
    notices: { delivered: true },
  });
});
beforeEach(async () => {
  await hub.wipe();
  await hub.database.pool.query('truncate consent, consent_version, patient_notice');
});

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
const saying = (...rules: readonly Partial<ConsentRule>[]): ConsentContent => ({
  rules: rules.map((rule) => ({ ...REFUSAL, ...rule })),
  giver: 'patient',
  giverName: null,
  giverRelation: null,
  givenAt: '2026-11-26T01:00:00.000Z',
  channel: 'desk',
  form: 'urn:hutong:consent-form:2026-1',
  institution: 'H1',
  evidence: null,
});
const person = async (site: string, id: string): Promise<HubId> => hub.personOf(recordId(site, id));
const asked = {
  recipient: ['H2'],
  source: ['H1'],
  purpose: 'TREATMENT',
  class: null,
  labels: [],
  at: '2026-11-27T00:00:00.000Z',
} as const;
const effect = async (id: HubId): Promise<string> =>
  askConsents((await standingConsents(hub.database.pool, [id])).get(id) ?? [], asked).effect;
async function recorded(id: string, content = saying({})) {
  const made = await desk.record(id, content, OPERATOR);
  assert.ok(made.ok, JSON.stringify(made));
  return made.value;
}

test('recorded, revised and withdrawn: each version stays, the decision follows at once', async () => {
  await hub.send(registration('h1', 'A', { name: '张三', birthDate: '1980-03-15' }));
  const id = await person('h1', 'A');
  assert.equal(await anyRefusal(hub.database.pool), false);
  const { consentId } = await recorded(id);
  assert.equal(await effect(id), 'deny');
  assert.equal(await anyRefusal(hub.database.pool), true);
  const but = saying({}, { effect: 'permit', recipients: ['H2'], exceptionOf: 0 });
  const revised = await desk.revise(consentId, { status: 'active', content: but, reason: null }, OPERATOR, 1);
  assert.equal(revised.ok && revised.value.version, 2);
  assert.equal(await effect(id), 'permit');
  const stale = await desk.revise(consentId, { status: 'inactive', reason: '改主意' }, OPERATOR, 1);
  assert.equal(!stale.ok && stale.problem.code, 'precondition');
  const withdrawn = await desk.revise(consentId, { status: 'inactive', reason: '改主意' }, OPERATOR, 2);
  assert.ok(withdrawn.ok && withdrawn.value.rules.length === 2, 'its words stay');
  assert.equal(await effect(id), 'silent');
  const again = await desk.revise(consentId, { status: 'active', content: but, reason: null }, OPERATOR);
  assert.equal(!again.ok && again.problem.code, 'conflict');
  assert.deepEqual(
    (await desk.versions(consentId)).map(({ version, status }) => [version, status]),
    [
      [3, 'inactive'],
      [2, 'active'],
      [1, 'active'],
    ],
  );
  assert.equal((await desk.version(consentId, 1))?.rules.length, 1);
  await assert.rejects(hub.database.pool.query(`update consent_version set content = '{}'`), /never changed/);
  const told = await createPatientNotices(hub.database).of(id, { limit: 10 });
  assert.deepEqual(
    told.items.map(({ kind }) => kind),
    ['consent-withdrawn', 'consent-recorded', 'consent-recorded'],
  );
});

test('for a child the guardian consents, whose name is sealed; to withdraw asks nobody’s age', async () => {
  await hub.send(registration('h1', 'K', { name: '张小小', birthDate: '2020-05-01' }));
  const id = await person('h1', 'K');
  const alone = await desk.record(id, saying({}), OPERATOR);
  assert.equal(!alone.ok && alone.problem.where, 'giver');
  const guarded = { ...saying({}), giver: 'guardian' as const, giverName: '张大大', giverRelation: 'FTH' };
  const { consentId } = await recorded(id, guarded);
  assert.equal((await desk.read(consentId))?.giverName, '张大大');
  const { rows } = await hub.database.pool.query<{ content: string }>('select content::text from consent_version');
  assert.doesNotMatch(rows[0]?.content ?? '', /张大大/);
  const withdrawn = await desk.revise(consentId, { status: 'inactive', reason: null }, OPERATOR);
  assert.equal(withdrawn.ok, true);
});

test('nobody’s id, and what is no id, is not found', async () => {
  for (const id of ['00000000-0000-4000-8000-000000000000', 'x', '']) {
    const made = await desk.record(id, saying({}), OPERATOR);
    assert.equal(!made.ok && made.problem.code, 'not-found');
    assert.equal(await desk.read(id), null);
  }
});

test('a merge takes consents along; parted again, a refusal still binds both and a permission only its own', async () => {
  await hub.send(registration('h1', 'A', { name: '李四', birthDate: '1970-01-01' }));
  await hub.send(registration('h2', 'B', { name: '李肆', birthDate: '1970-01-02' }));
  const [a, b] = [await person('h1', 'A'), await person('h2', 'B')];
  assert.notEqual(a, b);
  const before = await recorded(b);
  assert.deepEqual([await effect(a), await effect(b)], ['silent', 'deny']);
  const by = { caller: OPERATOR, reason: '本人持证件到院核实' };
  assert.equal((await hub.desk.merge(a, b, by)).ok, true);
  const today = await person('h2', 'B');
  assert.equal(await effect(today), 'deny');
  assert.equal((await desk.read(before.consentId))?.personId, today);
  assert.equal((await desk.find({ persons: [a] }, { limit: 10 })).items.length, 1, 'found under every name');
  await desk.revise(before.consentId, { status: 'inactive', reason: null }, OPERATOR);
  await recorded(today);
  await recorded(today, saying({ effect: 'permit', recipients: ['H2'], purposes: ['TREATMENT'] }));
  assert.equal(await effect(today), 'permit');
  const file = await hub.desk.person(today);
  const records = file?.registrations.map((one) => one.recordId) ?? [];
  assert.equal(records.length, 2);
  assert.equal((await hub.desk.split(today, [recordId('h2', 'B')], by)).ok, true);
  const [own, parted] = [await person('h1', 'A'), await person('h2', 'B')];
  assert.notEqual(own, parted);
  const named = (await desk.find({ persons: [own] }, { limit: 10 })).items.length > 1 ? own : parted;
  const other = named === own ? parted : own;
  assert.equal(await effect(named), 'permit');
  assert.equal(await effect(other), 'deny', 'the refusal was given over both; the permission is not lent');
  assert.equal((await desk.find({ persons: [other], statuses: ['active'] }, { limit: 10 })).items.length, 0);
});

test('pages go on where they ended, and criteria hold together', async () => {
  await hub.send(registration('h1', 'A', { name: '王五' }));
  const id = await person('h1', 'A');
  for (let n = 0; n < 5; n += 1) await recorded(id, { ...saying({}), institution: n % 2 === 0 ? 'H1' : 'H2' });
  const seen = new Set<string>();
  let after: string | undefined;
  do {
    const page = await desk.find({ persons: [id] }, { limit: 2, ...(after === undefined ? {} : { after }) });
    for (const { consentId } of page.items) seen.add(consentId);
    after = page.next ?? undefined;
  } while (after !== undefined);
  assert.equal(seen.size, 5);
  assert.equal((await desk.find({ persons: [id], institutions: ['H2'] }, { limit: 10 })).items.length, 2);
  assert.equal(await desk.count({ statuses: ['inactive'] }), 0);
  assert.equal(await desk.count({ givenFrom: '2026-11-26T01:00:00.000Z', givenTo: '2026-11-26T01:00:01.000Z' }), 5);
});
