/** What needs a second administrator, by its rules; and that neither half of a secret is the secret. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLIENT_ROLES, PERSON_ROLES } from '../../hub/core/access.ts';
import { APPROVERS, isOfAdministrators, reads, widens } from '../../hub/core/approval.ts';
import type { Rights } from '../../hub/core/approval.ts';
import { drawCodeHalf, drawTokenHalf, hashesOf, joined } from '../../hub/security/halves.ts';
import { hashToken } from '../../hub/security/token.ts';

const rights = (roles: readonly Rights['roles'][number]['role'][], more: Partial<Rights> = {}): Rights => ({
  roles: roles.map((role) => ({ role, site: role === 'interface-engineer' ? 'h1' : null })),
  institution: null,
  practitionerId: null,
  ...more,
});

test('which roles come to what stands in a record', () => {
  assert.deepEqual(CLIENT_ROLES.filter(reads), ['administrator', 'query-platform']);
  assert.deepEqual(PERSON_ROLES.filter(reads), ['physician', 'interface-engineer', 'patient']);
  assert.ok(!APPROVERS.includes('auditor'), 'who checks both is neither');
});

test('more waits, less and the same do not', () => {
  const doctor = rights(['physician'], { institution: 'A', practitionerId: '1' });
  assert.equal(widens(doctor, doctor), false);
  assert.equal(widens(doctor, { ...doctor, roles: [] }), false);
  assert.equal(widens(doctor, { ...doctor, institution: null }), false);
  assert.equal(widens(doctor, { ...doctor, institution: 'B' }), true);
  assert.equal(widens(doctor, { ...doctor, practitionerId: '2' }), true);
  assert.equal(widens(rights(['operator']), rights(['operator'], { institution: 'B' })), false, 'who reads nothing');
  for (const role of PERSON_ROLES) assert.equal(widens(rights([]), rights([role])), true, role);
  const moved = { ...rights(['interface-engineer']), roles: [{ role: 'interface-engineer', site: 'h2' }] } as const;
  assert.equal(widens(rights(['interface-engineer']), moved), true, 'the same role at another hospital');
  assert.equal(isOfAdministrators(rights(['security-administrator'])), true);
  assert.equal(isOfAdministrators(rights(['security-administrator', 'physician'])), false);
  assert.equal(isOfAdministrators(rights([])), false);
});

test('halves: only both together have the hash that is kept', () => {
  const [first, second] = [drawTokenHalf('first'), drawTokenHalf('second')];
  const kept = joined(first.hash, second.hash);
  assert.deepEqual(hashToken(`${first.text}.${second.text}`), kept);
  for (const wrong of [first.text, second.text, `${second.text}.${first.text}`, `${first.text}.${first.text.slice(7)}`])
    assert.notDeepEqual(hashToken(wrong), kept, wrong);
  const [one, other] = [drawCodeHalf(), drawCodeHalf()];
  const whole = joined(one.hash, other.hash);
  const fits = (code: string, secondCode?: string): boolean =>
    hashesOf({ code, secondCode }).some((hash) => hash.equals(whole));
  assert.deepEqual([fits(one.text, other.text), fits(other.text.toLowerCase(), one.text)], [true, true]);
  assert.deepEqual([fits(one.text), fits(one.text, one.text), fits(one.text + other.text)], [false, false, false]);
});
