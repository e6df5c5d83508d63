/** Who may do what in whose name: the user's right decides on reading, the system's on sending, and one patient is one. */
import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import type { Act, Caller, OnBehalfOf, Role } from '../../hub/core/access.ts';
import { decide, decidePatient, isEmergency } from '../../hub/core/access.ts';
import { siteId } from '../../hub/core/identifier.ts';

const user = (role: Role | null, more: Partial<OnBehalfOf> = {}): OnBehalfOf => ({
  issuer: 'i',
  userId: 'u',
  roles: [],
  purposes: [],
  role,
  patientIds: [],
  policies: [],
  ...more,
});
const caller = (role: Role, onBehalfOf?: OnBehalfOf): Caller => ({
  id: 'c',
  name: 'c',
  role,
  peer: '',
  ...(role === 'hospital-feed' ? { site: siteId('h1') } : {}),
  ...(onBehalfOf === undefined ? {} : { onBehalfOf }),
});
const read: Act = { kind: 'read-record' };
const feed: Act = { kind: 'feed', site: 'h1' };
const may = (who: Caller, act: Act): boolean => decide(who, act).allowed;

test('reading in a user’s name goes by the user, whatever the system may', () => {
  const systems: readonly Role[] = ['administrator', 'operator', 'query-platform', 'hospital-feed'];
  deepEqual(
    systems.map((role) => [may(caller(role, user('query-platform')), read), may(caller(role, user(null)), read)]),
    systems.map(() => [true, false]),
  );
});

test('sending goes by the system, and a user gives it no site, no journal and no clients', () => {
  equal(may(caller('hospital-feed', user(null)), feed), true);
  equal(may(caller('query-platform', user('query-platform')), feed), false);
  equal(may(caller('hospital-feed', user('query-platform')), { kind: 'feed', site: 'h2' }), false);
  for (const kind of ['operate', 'administer'] as const)
    equal(may(caller('query-platform', user('administrator')), { kind }), false);
});

test('an assertion for one patient is good for this one', () => {
  const for1 = caller('query-platform', user('query-platform', { patientIds: ['P1^^^&2.999.1&ISO'] }));
  const rows: readonly (readonly [readonly string[], boolean])[] = [
    [['P1^^^&2.999.1&ISO'], true],
    [['P1^^^Hospital&2.999.1&ISO '], true],
    [['P2^^^&2.999.1&ISO'], false],
    [['P2^^^&2.999.1&ISO', 'P1^^^&2.999.1&ISO'], true],
    [['P1^^^&2.999.2&ISO'], false],
    [[], false],
  ];
  for (const [ids, allowed] of rows) equal(decidePatient(for1, ids).allowed, allowed, ids.join());
  equal(decidePatient(caller('query-platform'), ['P2^^^&2.999.1&ISO']).allowed, true);
});

test('purposes that are an emergency', () => {
  const purpose = (code: string): OnBehalfOf => user(null, { purposes: [{ code, system: '', display: '' }] });
  deepEqual(
    ['EMERGENCY', 'ETREAT', 'BTG', 'emer', 'TREATMENT'].map((code) => isEmergency(purpose(code))),
    [true, true, true, true, false],
  );
});
