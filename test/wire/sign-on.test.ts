/** A person comes in, over HTTP and PostgreSQL: both factors, one step at a time; and what strangers try in their place. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { BrowserSession } from '../support/browser-session.ts';
import type { Reply } from '../support/browser-session.ts';
import type { RestServer } from '../support/rest-server.ts';
import { startRest } from '../support/rest-server.ts';
import { codeOf, enterAs, invitePerson, PASSWORD, type Invited } from '../support/enter.ts';
import { signIn } from '../support/sign-in.ts';

let hub: RestServer;
before(async () => {
  hub = await startRest();
});
after(() => hub.close());

const browser = (): BrowserSession => new BrowserSession(hub.origin);
const invite = (roles: readonly object[]): Promise<Invited> => invitePerson(hub, roles);
const enter = (person: Invited): ReturnType<typeof enterAs> => enterAs(hub, person);

const stageOf = ({ json }: Reply): unknown => json['stage'];

const lastEvent = async (): Promise<readonly [string, string, string | undefined]> => {
  const [entry] = (await hub.audit.list({}, { limit: 1 })).items;
  return [entry?.action ?? '', entry?.outcome ?? '', entry?.reason];
};

test('invited by the token of the first start, with both factors in, out again; each step has a session id of its own', async () => {
  const person = await invite([{ role: 'operator' }]);
  const at = browser();
  const ids = new Set<string>();
  const { loginName, activationCode: code } = person;
  await at.send('POST', '/api/v1/session/activation', { loginName, code, password: PASSWORD });
  ids.add(at.cookies.get('hutong_session') ?? '');
  assert.equal((await at.send('GET', '/api/v1/journal')).status, 401, 'a password alone opens nothing');
  assert.equal((await at.send('GET', '/api/v1/session')).json['stage'], 'enrolment');
  const begun = await at.send('POST', '/api/v1/session/enrolment');
  const { secret, uri } = begun.json as { secret: string; uri: string };
  assert.match(uri, /^otpauth:\/\/totp\/Hutong/);
  const wrong = await at.send('POST', '/api/v1/session/totp', { code: '000000' });
  assert.equal(wrong.status, 401);
  assert.deepEqual(await lastEvent(), ['sign-on', 'failure', 'wrong code']);
  const entered = await at.send('POST', '/api/v1/session/totp', { code: codeOf(secret) });
  ids.add(at.cookies.get('hutong_session') ?? '');
  assert.deepEqual([entered.status, stageOf(entered), entered.json['role']], [200, 'open', 'operator']);
  assert.equal((entered.json['recoveryCodes'] as string[]).length, 10);
  assert.equal(ids.size, 2);
  assert.deepEqual(await lastEvent(), ['sign-on', 'success', 'open password totp']);
  assert.equal((await at.send('GET', '/api/v1/journal')).status, 200);
  assert.equal((await at.send('GET', '/api/v1/accounts')).status, 403);
  const session = at.header;
  const out = await at.send('DELETE', '/api/v1/session');
  assert.deepEqual([out.status, out.json], [200, { signOutUrl: null }]);
  assert.deepEqual([...at.cookies.keys()], ['hutong_device'], 'which opens nothing');
  assert.deepEqual((await lastEvent()).slice(0, 2), ['sign-out', 'success']);
  const stolen = await fetch(`${hub.origin}/api/v1/journal`, { headers: { Cookie: session } });
  assert.equal(stolen.status, 401, 'it has ended at the server');
});

test('a second sign-on asks for password and code; a code that was used before is refused', async () => {
  const person = await invite([{ role: 'operator' }]);
  const { secret, used } = await enter(person);
  const at = browser();
  const first = await at.send('POST', '/api/v1/session', {
    loginName: person.loginName.toUpperCase(),
    password: PASSWORD,
  });
  assert.deepEqual([first.status, stageOf(first)], [200, 'totp']);
  assert.equal((await at.send('GET', '/api/v1/sites')).status, 401);
  assert.equal((await at.send('POST', '/api/v1/session/totp', { code: used })).status, 401, 'replayed');
  const code = codeOf(secret, 1);
  assert.equal(stageOf(await at.send('POST', '/api/v1/session/totp', { code })), 'open');
  const again = browser();
  await again.send('POST', '/api/v1/session', { loginName: person.loginName, password: PASSWORD });
  assert.equal((await again.send('POST', '/api/v1/session/totp', { code })).status, 401, 'by another session');
});

test('a recovery code serves once, and another device has to be enrolled', async () => {
  const person = await invite([{ role: 'operator' }]);
  const { recovery, secret } = await enter(person);
  const code = recovery[3] ?? '';
  const at = browser();
  await at.send('POST', '/api/v1/session', { loginName: person.loginName, password: PASSWORD });
  const recovered = await at.send('POST', '/api/v1/session/totp', { code: code.toLowerCase() });
  assert.deepEqual([recovered.status, stageOf(recovered)], [200, 'enrolment']);
  const begun = (await at.send('POST', '/api/v1/session/enrolment')).json as { secret: string };
  assert.notEqual(begun.secret, secret);
  assert.equal(stageOf(await at.send('POST', '/api/v1/session/totp', { code: codeOf(begun.secret) })), 'open');
  const again = browser();
  await again.send('POST', '/api/v1/session', { loginName: person.loginName, password: PASSWORD });
  assert.equal((await again.send('POST', '/api/v1/session/totp', { code })).status, 401);
});

test('brute force: the account locks, says the same to everybody, and lets the right password in no more', async () => {
  const person = await invite([{ role: 'operator' }]);
  await enter(person);
  const texts = new Set<unknown>();
  for (let n = 0; n < 5; n++) {
    const { json, status } = await browser().send('POST', '/api/v1/session', {
      loginName: person.loginName,
      password: `Wrong-horse-${String(n)}`,
    });
    assert.equal(status, 401);
    texts.add(json['detail']);
  }
  const locked = await browser().send('POST', '/api/v1/session', { loginName: person.loginName, password: PASSWORD });
  assert.equal(locked.status, 401);
  assert.deepEqual(await lastEvent(), ['sign-on', 'failure', 'locked']);
  texts.add(locked.json['detail']);
  texts.add((await browser().send('POST', '/api/v1/session', { loginName: 'nobody', password: 'x' })).json['detail']);
  assert.equal(texts.size, 1, 'nobody learns which accounts there are or which are locked');
  await hub.fresh.database.pool.query(`update account set locked_until = now() - interval '1 second' where id = $1`, [
    person.id,
  ]);
  const freed = await browser().send('POST', '/api/v1/session', { loginName: person.loginName, password: PASSWORD });
  assert.equal(freed.status, 200, 'the lock ends by itself');
});

test('codes guessed all at once are looked at no more often than one by one', async () => {
  const person = await invite([{ role: 'operator' }]);
  const { secret } = await enter(person);
  await hub.fresh.database.pool.query('delete from sign_on_failure');
  const at = browser();
  await at.send('POST', '/api/v1/session', { loginName: person.loginName, password: PASSWORD });
  const right = codeOf(secret, 1);
  const wrong = right === '000000' ? '000001' : '000000';
  await Promise.all(Array.from({ length: 30 }, () => at.send('POST', '/api/v1/session/totp', { code: wrong })));
  const { items } = await hub.audit.list({ callerId: person.id, outcome: 'failure' }, { limit: 100 });
  const looked = items.filter(({ reason }) => reason === 'wrong code').length;
  assert.ok(looked <= 5, String(looked));
  assert.equal((await at.send('POST', '/api/v1/session/totp', { code: right })).status, 401, 'it is locked');
  await hub.fresh.database.pool.query('delete from sign_on_failure');
});

test('a stranger who knows a login name keeps nobody out whom he cannot guess at', async () => {
  const invited = await invite([{ role: 'physician' }]);
  const { pool } = hub.fresh.database;
  const { rows } = await pool.query<{ id: string }>(
    `insert into account (login_name, display_name, state, source, idp, subject, created_at, created_by)
     values ('wang@h1', '王', 'active', 'saml', 'h1', sha256('wang'), now(), 'saml') returning id`,
  );
  const saml = rows[0]?.id ?? '';
  await pool.query(`insert into account_role (account_id, role) values ($1, 'physician')`, [saml]);
  for (let n = 0; n < 6; n++) {
    const told = { loginName: 'wang@h1', password: `Wrong-horse-${String(n)}` };
    assert.equal((await browser().send('POST', '/api/v1/session', told)).status, 401);
    const guess = { code: `AAAA-AAAA-AAAA-AAA${String(n)}`, password: PASSWORD };
    for (const loginName of ['wang@h1', invited.loginName])
      assert.equal((await browser().send('POST', '/api/v1/session/activation', { loginName, ...guess })).status, 401);
  }
  const locked = await pool.query(`select login_name from account where locked_until > now() and id = any ($1)`, [
    [saml, invited.id],
  ]);
  assert.deepEqual(locked.rows, []);
  await enter(invited);
});

test('guessing from one address over many accounts is barred, whatever account comes next', async () => {
  const person = await invite([{ role: 'operator' }]);
  await enter(person);
  await hub.fresh.database.pool.query('update sign_on_failure set failures = 50, since = now()');
  const right = { loginName: person.loginName, password: PASSWORD };
  assert.equal((await browser().send('POST', '/api/v1/session', right)).status, 429);
  await hub.fresh.database.pool.query(`update sign_on_failure set since = now() - interval '16 minutes'`);
  assert.equal((await browser().send('POST', '/api/v1/session', right)).status, 200);
});

test('passwords that are weak, former, or too old; the code of an invitation serves once and for a time', async () => {
  const person = await invite([{ role: 'operator' }]);
  const { loginName, activationCode: code, id } = person;
  for (const password of [
    'Short-7',
    'alllowercaseletters',
    `Xx7-${loginName}-abc`,
    'Aaaa-bbbb-1111-7',
    'x'.repeat(200),
  ]) {
    const refused = await browser().send('POST', '/api/v1/session/activation', { loginName, code, password });
    assert.equal(refused.status, 400, password);
  }
  const { at } = await enter(person);
  const again = await browser().send('POST', '/api/v1/session/activation', {
    loginName,
    code,
    password: 'Another-horse-8',
  });
  assert.equal(again.status, 401, 'the code served');
  const change = (current: string, next: string): Promise<Reply> =>
    at.send('POST', '/api/v1/session/password', { current, next });
  assert.equal((await change('wrong', 'Another-horse-8')).status, 401);
  assert.equal((await change(PASSWORD, PASSWORD)).status, 400, 'the same again');
  assert.equal(stageOf(await change(PASSWORD, 'Another-horse-8')), 'open');
  assert.equal((await change('Another-horse-8', PASSWORD)).status, 400, 'one of the last five');
  await hub.fresh.database.pool.query(
    `update account set password_changed_at = now() - interval '91 days', totp_step = 0 where id = $1`,
    [id],
  );
  const late = browser();
  await late.send('POST', '/api/v1/session', { loginName, password: 'Another-horse-8' });
  const { rows } = await hub.fresh.database.pool.query<{ totp_secret: string }>(
    'select totp_secret from account where id = $1',
    [id],
  );
  assert.match(rows[0]?.totp_secret ?? '', /^HSv1/);
});

test('who changes the password is alone with the account from then on', async () => {
  const person = await invite([{ role: 'operator' }]);
  const { at, secret } = await enter(person);
  const other = browser();
  await other.send('POST', '/api/v1/session', { loginName: person.loginName, password: PASSWORD });
  assert.equal(stageOf(await other.send('POST', '/api/v1/session/totp', { code: codeOf(secret, 1) })), 'open');
  const change = { current: PASSWORD, next: 'Another-horse-8' };
  assert.equal(stageOf(await at.send('POST', '/api/v1/session/password', change)), 'open');
  assert.equal((await at.send('GET', '/api/v1/sites')).status, 200);
  assert.equal((await other.send('GET', '/api/v1/sites')).status, 401, 'whoever else was in is out');
});

test('an expired password must be changed before anything else, after the second factor', async () => {
  const person = await invite([{ role: 'operator' }]);
  const { secret } = await enter(person);
  await hub.fresh.database.pool.query(
    `update account set password_changed_at = now() - interval '91 days' where id = $1`,
    [person.id],
  );
  const at = browser();
  await at.send('POST', '/api/v1/session', { loginName: person.loginName, password: PASSWORD });
  assert.equal(stageOf(await at.send('POST', '/api/v1/session/totp', { code: codeOf(secret, 1) })), 'password');
  assert.equal((await at.send('GET', '/api/v1/sites')).status, 401);
  const changed = await at.send('POST', '/api/v1/session/password', { current: PASSWORD, next: 'Another-horse-8' });
  assert.equal(stageOf(changed), 'open');
});

test('several roles: one is chosen, another may be, and purposes are those of the role', async () => {
  const person = await invite([{ role: 'physician' }, { role: 'interface-engineer', site: 'h1' }]);
  const { at, last } = await enter(person);
  assert.equal(stageOf(last), 'role');
  assert.equal((await at.send('GET', '/api/v1/sites')).status, 401);
  assert.equal((await at.send('PATCH', '/api/v1/session', { role: 'auditor' })).status, 403);
  const chosen = await at.send('PATCH', '/api/v1/session', { role: 'interface-engineer' });
  assert.deepEqual(
    [chosen.json['role'], chosen.json['site'], chosen.json['purpose']],
    ['interface-engineer', 'h1', 'OPS'],
  );
  const before = at.cookies.get('hutong_session');
  const other = await at.send('PATCH', '/api/v1/session', { role: 'physician', purpose: 'CONSULTATION' });
  assert.deepEqual([other.json['role'], other.json['purpose']], ['physician', 'CONSULTATION']);
  assert.notEqual(at.cookies.get('hutong_session'), before);
  assert.equal((await at.send('PATCH', '/api/v1/session', { purpose: 'EMERGENCY' })).status, 403);
  assert.equal((await at.send('PATCH', '/api/v1/session', { language: 'en' })).json['stage'], 'open');
  const [told] = (await hub.audit.list({ action: 'change' }, { limit: 1 })).items;
  assert.deepEqual(
    [told?.operation, told?.reason, told?.objects],
    ['changeSession', 'language', [`account/${person.id}`]],
  );
});

test('system, security and audit are never one account: the face refuses it, and so does the store', async () => {
  const roles = [{ role: 'system-administrator' }, { role: 'auditor' }];
  const body = { loginName: 'mighty', displayName: 'x', roles };
  assert.equal((await hub.call('POST', '/api/v1/accounts', { body })).status, 400);
  const { accountId } = await signIn(hub.fresh, 'auditor');
  await assert.rejects(
    hub.fresh.database.pool.query(`insert into account_role (account_id, role) values ($1, 'system-administrator')`, [
      accountId,
    ]),
    /account_role_apart/,
  );
});

test('a login name is given once, also when its account has ended; an unknown site is refused', async () => {
  const person = await invite([{ role: 'operator' }]);
  const again = { loginName: person.loginName.toUpperCase(), displayName: 'x', roles: [{ role: 'operator' }] };
  assert.equal((await hub.call('POST', '/api/v1/accounts', { body: again })).status, 409);
  assert.equal((await hub.call('DELETE', `/api/v1/accounts/${person.id}`)).json['state'], 'ended');
  assert.equal((await hub.call('POST', '/api/v1/accounts', { body: again })).status, 409);
  const nowhere = { loginName: 'eng', displayName: 'x', roles: [{ role: 'interface-engineer', site: 'nowhere' }] };
  assert.equal((await hub.call('POST', '/api/v1/accounts', { body: nowhere })).status, 400);
  const unbound = { loginName: 'eng', displayName: 'x', roles: [{ role: 'interface-engineer' }] };
  assert.equal((await hub.call('POST', '/api/v1/accounts', { body: unbound })).status, 400);
});

test('who is suspended, loses the role or is unused is out with the next request', async () => {
  const suspended = await signIn(hub.fresh, 'operator');
  const changed = await signIn(hub.fresh, 'operator', { alsoRoles: ['physician'] });
  const idle = await signIn(hub.fresh, 'operator');
  const see = async ({ headers }: { readonly headers: Readonly<Record<string, string>> }): Promise<number> =>
    (await hub.call('GET', '/api/v1/journal', { as: null, headers })).status;
  for (const one of [suspended, changed, idle]) assert.equal(await see(one), 200);
  const patch = (id: string, body: object) => hub.call('PATCH', `/api/v1/accounts/${id}`, { body });
  assert.equal((await patch(suspended.accountId, { state: 'suspended', reason: '离职' })).json['stateReason'], '离职');
  assert.equal(await see(suspended), 401);
  assert.equal((await patch(changed.accountId, { roles: [{ role: 'physician' }] })).status, 200);
  assert.equal(await see(changed), 401);
  await hub.fresh.database.pool.query(`update session set seen_at = now() - interval '31 minutes'`);
  assert.equal(await see(idle), 401, 'idle for longer than the limit');
  const late = await signIn(hub.fresh, 'operator');
  await hub.fresh.database.pool.query(`update session set ends_at = now()`);
  assert.equal(await see(late), 401, 'over, however much it was used');
  await hub.fresh.database.pool.query(`update account set last_sign_in_at = now() - interval '91 days' where id = $1`, [
    late.accountId,
  ]);
  const listed = await hub.call('GET', '/api/v1/accounts?unusedDays=90');
  assert.deepEqual(
    (listed.json['items'] as { id: string }[]).map(({ id }) => id),
    [late.accountId],
  );
  await browser().send('POST', '/api/v1/session', { loginName: late.loginName, password: 'x' });
  const { json } = await hub.call('GET', `/api/v1/accounts/${late.accountId}`);
  assert.deepEqual([json['state'], json['stateReason']], ['suspended', 'unused']);
});

test('CSRF: by cookie nothing is changed without the header of this session, nor from another origin', async () => {
  const person = await signIn(hub.fresh, 'operator');
  const other = await signIn(hub.fresh, 'operator');
  const send = async (headers: Readonly<Record<string, string>>): Promise<number> =>
    (await hub.call('POST', '/api/v1/journal/1/retry', { as: null, headers })).status;
  const { cookie, csrf } = person;
  assert.equal(await send(person.headers), 404, 'let through: there is no such review');
  assert.equal(await send({ Cookie: cookie }), 403);
  assert.deepEqual((await lastEvent())[2], 'request of another site');
  assert.equal(await send({ Cookie: cookie, 'X-Hutong-CSRF': other.csrf }), 403);
  assert.equal(await send({ ...person.headers, Origin: 'https://evil.example' }), 403);
  assert.equal(await send({ ...person.headers, Origin: 'null' }), 403);
  assert.equal(await send({ ...person.headers, Origin: hub.origin }), 404);
  assert.equal(await send({ Cookie: `hutong_session=${csrf}`, 'X-Hutong-CSRF': csrf }), 401, 'not a pass');
  const login = await hub.call('POST', '/api/v1/session', {
    as: null,
    headers: { Origin: 'https://evil.example' },
    body: { loginName: 'x', password: 'y' },
  });
  assert.equal(login.status, 403, 'login CSRF');
  const form = await fetch(`${hub.origin}/api/v1/session`, {
    method: 'POST',
    body: new URLSearchParams({ loginName: 'x' }),
  });
  assert.ok([400, 415].includes(form.status), String(form.status));
});

test('session fixation: a planted cookie never becomes somebody’s session', async () => {
  const person = await invite([{ role: 'operator' }]);
  const planted = 'A'.repeat(43);
  const at = browser();
  at.cookies.set('hutong_session', planted);
  const { loginName, activationCode: code } = person;
  const activated = await at.send('POST', '/api/v1/session/activation', { loginName, code, password: PASSWORD });
  assert.equal(activated.status, 200);
  assert.notEqual(at.cookies.get('hutong_session'), planted);
  const attacker = await fetch(`${hub.origin}/api/v1/session`, { headers: { Cookie: `hutong_session=${planted}` } });
  assert.equal(attacker.status, 401);
});

test('cookies: HttpOnly but for the CSRF value, Lax, no domain; nothing secret in the tables', async () => {
  const person = await invite([{ role: 'operator' }]);
  const answer = await fetch(`${hub.origin}/api/v1/session/activation`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ loginName: person.loginName, code: person.activationCode, password: PASSWORD }),
  });
  const [session = '', csrf = ''] = answer.headers.getSetCookie();
  assert.match(session, /^hutong_session=[\w-]{43}; HttpOnly; Path=\/; SameSite=Lax$/);
  assert.match(csrf, /^hutong_csrf=[\w-]{43}; Path=\/; SameSite=Lax$/);
  const pass = /=([^;]+)/.exec(session)?.[1] ?? '';
  const { rows } = await hub.fresh.database.pool.query<{ row: string }>(
    `select row_to_json(s)::text as row from session s union all select row_to_json(a)::text from account a
     union all select row_to_json(u)::text from audit u`,
  );
  const written = rows.map(({ row }) => row).join('\n');
  for (const secret of [pass, PASSWORD, person.activationCode]) assert.ok(!written.includes(secret));
});

test('from the first security administrator on the token of the start gives no more rights', async () => {
  const first = await invite([{ role: 'security-administrator' }]);
  assert.equal((await hub.call('GET', '/api/v1/accounts')).status, 200, 'invited is not in');
  await enter(first);
  assert.equal((await hub.call('GET', '/api/v1/accounts')).status, 403);
  const security = await signIn(hub.fresh, 'security-administrator');
  assert.equal((await hub.call('GET', '/api/v1/accounts')).status, 403);
  assert.equal((await hub.call('GET', '/api/v1/clients')).status, 200, 'it administers the system');
  const own = `/api/v1/accounts/${security.accountId}`;
  const as = { as: null, headers: security.headers } as const;
  assert.equal((await hub.call('PATCH', own, { ...as, body: { roles: [{ role: 'auditor' }] } })).status, 403);
  assert.equal((await hub.call('DELETE', own, as)).status, 403);
  const reset = await hub.call('POST', `/api/v1/accounts/${first.id}/reset`, as);
  assert.equal(reset.json['activationCode'], null, 'nor does one administrator alone (approval.test.ts)');
});
