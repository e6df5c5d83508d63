/** Persons and doubts over HTTP: what an operator sees and decides, masked where they may not read, and all of it audited. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { patientView, type PatientState } from '../../hub/core/patient.ts';
import type { PatientFields } from '../../hub/core/record.ts';
import { foldEntry } from '../../hub/core/fold.ts';
import { residentCheck, type HubId } from '../../hub/core/identifier.ts';
import { EMPTY } from '../../hub/core/slice.ts';
import { createMatching } from '../../hub/core/match/matcher.ts';
import { savePatients } from '../../hub/store/save.ts';
import { linkPersons, matchPersons } from '../../hub/store/person-link.ts';
import { derivation } from '../../hub/store/hub-key.ts';
import type { RestServer } from '../support/rest-server.ts';
import { startRest } from '../support/rest-server.ts';
import { registration, type Told } from '../support/person-hub.ts';
import { romanise } from '../../mappings/romanise.ts';

let hub: RestServer;
before(async () => {
  hub = await startRest();
});
after(() => hub.close());

const numbered = (first17: string): string => first17 + residentCheck(first17);
const ZHANG: Told = {
  name: '张晓梅',
  sex: 'female',
  birthDate: '1980-03-15',
  phone: '13812345678',
  address: { text: '沈阳市和平区某街1号' },
  residentId: numbered('21010219800315122'),
};

/** As ingest writes them, without a message: what is under test is the face. */
async function register(site: string, value: string, told: Told & Pick<PatientFields, 'withdrawn'>): Promise<HubId> {
  const { database } = hub.fresh;
  const derive = await derivation(database, 'identifier');
  const record = registration(site, value, told);
  const folded = foldEntry(EMPTY, [{ record, journalId: '1', tie: 'd', forced: false }], derive);
  const state: PatientState | undefined = folded.ok ? [...folded.value.slice.patients.values()][0] : undefined;
  assert.ok(state && patientView(state).localId === value);
  const context = {
    derive,
    indexDerive: derive,
    matching: createMatching(romanise),
    now: new Date(),
    site: () => null,
    settleMs: () => 0,
  };
  await database.transaction(async (connection) => {
    const matched = await matchPersons(connection, [state], new Map(), context);
    await savePatients(connection, [state], context);
    await linkPersons(connection, [state], new Map(), matched, context);
  });
  return state.recordId;
}

const personOf = async (record: HubId): Promise<string> => {
  const { rows } = await hub.fresh.database.pool.query<{ person_id: string }>(
    'select person_id from patient_record where record_id = $1',
    [record],
  );
  return rows[0]?.person_id ?? '';
};

type Json = Readonly<Record<string, unknown>>;

test('a person is read by any id it had, masked for an operator and whole for an administrator, and audited', async () => {
  const a = await register('h1', 'A0001', ZHANG);
  const b = await register('h2', 'B0001', ZHANG);
  const person = await personOf(a);
  assert.equal(await personOf(b), person);
  const masked = await hub.call('GET', `/api/v1/persons/${person}`, { as: 'operator' });
  assert.equal(masked.status, 200, masked.text);
  assert.doesNotMatch(masked.text, /张晓梅|13812345678|和平区|19800315/);
  const whole = await hub.call('GET', `/api/v1/persons/${person}`);
  const [first] = whole.json['registrations'] as Json[];
  assert.deepEqual([first?.['residentId'], first?.['masked']], [ZHANG.residentId, false]);
  const [link] = whole.json['links'] as Json[];
  assert.equal(link?.['says'], 'same');
  const [entry] = (await hub.audit.list({ action: 'read' }, { limit: 1 })).items;
  assert.deepEqual([entry?.operation, entry?.persons], ['readPerson', [person]]);

  const split = await hub.call('POST', `/api/v1/persons/${person}/split`, {
    as: 'operator',
    body: { records: [b], reason: '同名同日生的两人', requestId: 'x-1' },
  });
  assert.equal(split.status, 200, split.text);
  const again = await hub.call('POST', `/api/v1/persons/${person}/split`, {
    as: 'operator',
    body: { records: [b], reason: '同名同日生的两人', requestId: 'x-1' },
  });
  assert.deepEqual(again.json['decision'], split.json['decision']);
  const other = await personOf(b);
  assert.notEqual(other, person);
  const decisionId = (split.json['decision'] as Json)['decisionId'];
  const undone = await hub.call('POST', `/api/v1/persons/${other}/undo`, {
    as: 'operator',
    body: { decisionId, reason: '家属更正' },
  });
  assert.equal(undone.status, 200, undone.text);
  assert.equal(await personOf(b), person);
  const former = await hub.call('GET', `/api/v1/persons/${other}`);
  assert.equal(former.json['personId'], person, 'the id that ended answers with who it is now');
  assert.equal((former.json['decisions'] as Json[]).length, 2);
  const [changed] = (await hub.audit.list({ action: 'change' }, { limit: 1 })).items;
  assert.deepEqual([changed?.operation, changed?.callerRole], ['undoDecision', 'operator']);
});

test('a registration that its hospital took back says since when', async () => {
  const a = await register('h1', 'W0001', { name: '吴退', birthDate: '1961-02-03', withdrawn: true });
  const file = await hub.call('GET', `/api/v1/persons/${await personOf(a)}`);
  const [only] = file.json['registrations'] as Json[];
  assert.deepEqual([file.status, only?.['withdrawnAt']], [200, '2026-03-01T08:01:00.000Z']);
});

test('a merge with itself, with nobody, or without a reason is refused', async () => {
  const a = await personOf(await register('h3', 'C0001', { name: '李雷', birthDate: '1975-01-02' }));
  const merge = (body: object): Promise<{ status: number }> =>
    hub.call('POST', `/api/v1/persons/${a}/merge`, { as: 'operator', body });
  assert.equal((await merge({ with: a, reason: '同一人' })).status, 409);
  assert.equal((await merge({ with: '00000000-0000-4000-8000-000000000000', reason: '同一人' })).status, 404);
  assert.equal((await merge({ with: a })).status, 400);
  assert.equal((await merge({ with: 'nobody', reason: '同一人' })).status, 400);
});

test('a doubt is shown side by side, ranked, forecast, and decided by two people where IDs conflict', async () => {
  await register('h4', 'D0001', { ...ZHANG, name: '赵丽颖', residentId: numbered('21010219800315162') });
  await register('h5', 'E0001', { ...ZHANG, name: '赵丽颖', residentId: numbered('21010219800315182') });
  const listed = await hub.call('GET', '/api/v1/reviews?kind=identity&order=urgent', { as: 'operator' });
  const item = (listed.json['items'] as Json[]).find((one) => one['veto'] === 'resident-id-conflict');
  assert.ok(item, listed.text);
  assert.equal(item['urgency'], 1);
  const path = `/api/v1/reviews/${String(item['reviewId'])}`;
  const sides = await hub.call('GET', `${path}/sides`, { as: 'operator' });
  assert.equal(sides.status, 200, sides.text);
  assert.equal((sides.json['sides'] as Json[]).length, 2);
  assert.doesNotMatch(sides.text, /赵丽颖/);
  const decide = (as: 'operator' | 'administrator'): Promise<{ status: number; json: Json; text: string }> =>
    hub.call('POST', `${path}/decide`, { as, body: { decision: 'not-same', reason: '两人证件均有效' } });
  const first = await decide('operator');
  assert.deepEqual([first.status, first.json['state']], [200, 'open'], first.text);
  assert.equal((await decide('operator')).status, 409);
  const second = await decide('administrator');
  assert.deepEqual([second.status, second.json['state']], [200, 'resolved'], second.text);
  const forecast = await hub.call('GET', '/api/v1/review-forecast?review=3', { as: 'operator' });
  assert.equal(forecast.status, 200, forecast.text);
  assert.equal((await hub.call('GET', '/api/v1/review-forecast', { as: 'operator' })).status, 400);
});

test('rules are read, and a rematch is started, shown and cancelled by an administrator', async () => {
  assert.equal((await hub.call('GET', '/api/v1/match-rules', { as: 'operator' })).status, 200);
  assert.equal(
    (await hub.call('POST', '/api/v1/rematch', { body: { thresholds: { link: 9, review: 2 } } })).status,
    400,
  );
  const wrong = { version: 'w', thresholds: { link: 2, review: 9 } };
  assert.equal((await hub.call('POST', '/api/v1/rematch', { body: wrong })).status, 400);
  const started = await hub.call('POST', '/api/v1/rematch', {
    body: { version: 'trial-1', thresholds: { link: 12, review: 4 } },
  });
  assert.deepEqual([started.status, started.json['state']], [200, 'comparing'], started.text);
  const early = await hub.call('POST', `/api/v1/rematch/${String(started.json['rematchId'])}/activate`);
  assert.equal(early.status, 409);
  assert.equal((await hub.call('GET', '/api/v1/rematch', { as: 'operator' })).status, 200);
  const ended = await hub.call('POST', `/api/v1/rematch/${String(started.json['rematchId'])}/cancel`);
  assert.deepEqual([ended.status, ended.json['state']], [200, 'cancelled'], ended.text);
});
