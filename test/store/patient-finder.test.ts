/** Whose records a citizen's number leads to, over the real index: registered, joined, parted by people, joined again. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { ResidentId } from '../../hub/core/identifier.ts';
import { purposesOf } from '../../hub/core/session.ts';
import { drawPass, hashPass } from '../../hub/security/session.ts';
import { createAccountStore } from '../../hub/store/account.ts';
import { createPatientFinder } from '../../hub/store/patient-finder.ts';
import { createSessionStore } from '../../hub/store/session.ts';
import { OPERATOR, personHub, recordId, registration, type PersonHub } from '../support/person-hub.ts';

const NUMBER = '210102198003151239' as ResidentId;
const by = { caller: OPERATOR, reason: 'as the papers say' };
const told = { name: '张伟', sex: 'male', birthDate: '1980-03-15', residentId: NUMBER } as const;

let hub: PersonHub;
before(async () => {
  hub = await personHub();
});

test('a session shows what the index says is one person’s, and nothing while two claim the number', async () => {
  const { database, desk } = hub;
  const finder = createPatientFinder(database);
  const clock = (): Date => new Date();
  assert.equal(await finder.whose(NUMBER, '张伟'), 'nobody');
  await hub.send(registration('h1', 'A', told), registration('h2', 'B', { ...told }, 2));
  const person = await hub.personOf(recordId('h1', 'A'));
  assert.equal(await hub.personOf(recordId('h2', 'B')), person, 'the index joins them by the number');
  assert.equal(await finder.whose(NUMBER, '张伟'), person);
  assert.equal(await finder.whose(NUMBER, '李四'), 'nobody');

  const account = await createAccountStore({ database, clock }).provisionPatient('citizens', NUMBER);
  assert.ok(account.ok);
  const sessions = createSessionStore({ database, clock });
  const hash = hashPass(drawPass()) ?? Buffer.alloc(32);
  await sessions.start(hash, {
    ...{ accountId: account.value.id, stage: 'open', role: 'patient', purpose: purposesOf('patient')[0] },
    ...{ factors: ['saml'], saml: null, peer: 'test', idleSeconds: 600 },
    ...{ startedAt: clock(), endsAt: new Date(Date.now() + 600_000) },
  });
  const shown = async (): Promise<unknown> => (await sessions.find(hash))?.person;
  assert.equal(await shown(), person);

  assert.equal((await desk.split(person, [recordId('h2', 'B')], by)).ok, true);
  assert.equal(await shown(), null, 'parted: each claims the number, and either may be another’s');
  assert.equal(await finder.whose(NUMBER, '张伟'), 'several');

  const [one, other] = [await hub.personOf(recordId('h1', 'A')), await hub.personOf(recordId('h2', 'B'))];
  assert.equal((await desk.merge(one, other, by)).ok, true);
  const joined = await hub.personOf(recordId('h1', 'A'));
  assert.equal(await shown(), joined, 'and the session follows who they are then');

  // The hospital corrects its registration: the number was another's.
  assert.equal((await desk.split(joined, [recordId('h2', 'B')], by)).ok, true);
  await hub.send(registration('h2', 'B', { ...told, residentId: '210102198003151255' }, 9));
  assert.equal(await shown(), await hub.personOf(recordId('h1', 'A')));
});
