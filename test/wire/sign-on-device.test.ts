/** A stranger who guesses at a doctor's account, or a crowd at one address, keeps nobody out of the desk they use. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { BrowserSession, type Reply } from '../support/browser-session.ts';
import { codeOf, enterAs, invitePerson, PASSWORD } from '../support/enter.ts';
import type { RestServer } from '../support/rest-server.ts';
import { startRest } from '../support/rest-server.ts';

let hub: RestServer;
before(async () => {
  hub = await startRest();
});
after(() => hub.close());

const DEVICE = 'hutong_device';
const at = (device?: string): BrowserSession => {
  const browser = new BrowserSession(hub.origin);
  if (device !== undefined) browser.cookies.set(DEVICE, device);
  return browser;
};
const enter = (browser: BrowserSession, loginName: string, password = PASSWORD): Promise<Reply> =>
  browser.send('POST', '/api/v1/session', { loginName, password });

test('at the own device the doctor comes in, whatever strangers guess and whatever the address did', async () => {
  const { pool } = hub.fresh.database;
  const doctor = await invitePerson(hub, [{ role: 'physician' }]);
  const { at: first, secret } = await enterAs(hub, doctor);
  const device = first.cookies.get(DEVICE) ?? '';
  await first.send('DELETE', '/api/v1/session');
  assert.equal(first.cookies.get(DEVICE), device, 'it stays, and opens nothing');
  assert.equal((await at(device).send('GET', '/api/v1/sites')).status, 401);
  for (let n = 0; n < 6; n += 1) await enter(at(), doctor.loginName, `Wrong-horse-${String(n)}`);
  assert.equal((await enter(at(), doctor.loginName)).status, 401, 'locked to everybody else');
  await pool.query(`update sign_on_failure set failures = 50 where peer not like 'device%'`);
  assert.equal((await enter(at(), doctor.loginName)).status, 429);
  const own = at(device);
  assert.equal((await enter(own, doctor.loginName)).json['stage'], 'totp');
  const entered = await own.send('POST', '/api/v1/session/totp', { code: codeOf(secret, 1) });
  assert.deepEqual([entered.status, entered.json['stage']], [200, 'open'], JSON.stringify(entered.json));
});

test('a device of somebody else, or one that nobody gave, is a stranger; the own one guesses five times', async () => {
  const { pool } = hub.fresh.database;
  await pool.query('delete from sign_on_failure');
  const [doctor, other] = [
    await invitePerson(hub, [{ role: 'physician' }]),
    await invitePerson(hub, [{ role: 'physician' }]),
  ];
  const device = (await enterAs(hub, doctor)).at.cookies.get(DEVICE) ?? '';
  const theirs = (await enterAs(hub, other)).at.cookies.get(DEVICE) ?? '';
  const lock = `update account set locked_until = now() + interval '5 minutes' where id = $1`;
  await pool.query(lock, [doctor.id]);
  const forged = theirs.replace(other.id, doctor.id);
  const old = device.replace(/\.\d{10}\./, '.9999999999.');
  for (const stranger of [theirs, forged, old, `${device}x`, device.slice(0, -1), '', '..', 'x'.repeat(5_000)])
    assert.equal((await enter(at(stranger), doctor.loginName)).status, 401, stranger.slice(0, 60));
  const right = at(device);
  assert.equal((await enter(right, doctor.loginName)).status, 200);
  const codes = await Promise.all(
    Array.from({ length: 12 }, () => right.send('POST', '/api/v1/session/totp', { code: '000000' })),
  );
  assert.equal(codes.filter(({ status }) => status === 200).length, 0);
  const { items } = await hub.audit.list({ callerId: doctor.id, outcome: 'failure' }, { limit: 50 });
  assert.equal(items.filter(({ reason }) => reason === 'wrong code').length, 5);
  assert.equal((await enter(at(device), doctor.loginName)).status, 429, 'and then it waits');
});

test('a long leave of the only security administrator gives the token of the first start no right back', async () => {
  const { pool } = hub.fresh.database;
  await pool.query('delete from sign_on_failure');
  const security = await invitePerson(hub, [{ role: 'security-administrator' }]);
  const operator = await invitePerson(hub, [{ role: 'operator' }]);
  const { secret } = await enterAs(hub, security);
  await enterAs(hub, operator);
  assert.equal((await hub.call('GET', '/api/v1/audit')).status, 403);
  await pool.query(`update account set last_sign_in_at = now() - interval '100 days' where id = any ($1)`, [
    [security.id, operator.id],
  ]);
  assert.equal((await enter(at(), 'nobody')).status, 401);
  const { rows } = await pool.query<{ state: string }>('select state from account where id = any ($1) order by state', [
    [security.id, operator.id],
  ]);
  assert.deepEqual(
    rows.map(({ state }) => state),
    ['active', 'suspended'],
  );
  assert.equal((await hub.call('GET', '/api/v1/audit')).status, 403);
  const back = at();
  await enter(back, security.loginName);
  assert.equal((await back.send('POST', '/api/v1/session/totp', { code: codeOf(secret, 1) })).status, 200);
});
