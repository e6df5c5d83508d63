/** Nobody comes to a record by himself: what one administrator asks for another approves, and each has half of the secret. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { after, before, test } from 'node:test';
import { calculateJwkThumbprint } from 'jose';
import { BrowserSession } from '../support/browser-session.ts';
import type { Reply } from '../support/browser-session.ts';
import { enterAs, invitePerson, PASSWORD } from '../support/enter.ts';
import type { Answer, RestServer } from '../support/rest-server.ts';
import { startRest } from '../support/rest-server.ts';
import { signIn, type SignedInTest } from '../support/sign-in.ts';

let hub: RestServer;
before(async () => {
  hub = await startRest();
});
after(() => hub.close());

const by = (who: SignedInTest, method: string, path: string, body?: object): Promise<Answer> =>
  hub.call(method, `/api/v1${path}`, { as: null, headers: who.headers, ...(body === undefined ? {} : { body }) });
const security = (): Promise<SignedInTest> => signIn(hub.fresh, 'security-administrator');
const system = (): Promise<SignedInTest> => signIn(hub.fresh, 'system-administrator');

interface Told {
  readonly id: string;
  readonly firstHalf: string | null;
  readonly approvers: number;
}
const told = ({ json }: Answer): Told => json['approval'] as Told;
const why = ({ json }: Answer): unknown => (json['errors'] as { code: string }[] | undefined)?.[0]?.code;
const decide = (who: SignedInTest, id: string, decision: 'approve' | 'refuse' = 'approve', reason = 'as agreed') =>
  by(who, 'POST', `/approvals/${id}/decision`, { decision, reason });
const activate = (loginName: string, code: string, secondCode?: string): Promise<Reply> =>
  new BrowserSession(hub.origin).send('POST', '/api/v1/session/activation', {
    ...{ loginName, code, password: PASSWORD },
    ...(secondCode === undefined ? {} : { secondCode }),
  });

let people = 0;
async function askAccount(asker: SignedInTest, roles: readonly object[] = [{ role: 'physician' }]) {
  const loginName = `asked${String(++people)}`;
  const answer = await by(asker, 'POST', '/accounts', { loginName, displayName: '某医生', roles });
  assert.equal(answer.status, 201, answer.text);
  return { loginName, id: String(answer.json['id']), answer, approval: told(answer) };
}
const askClient = (asker: SignedInTest, more: object = {}): Promise<Answer> =>
  by(asker, 'POST', '/clients', { name: '查询平台', role: 'query-platform', ...more });
const searchWith = async (token: string): Promise<number> => {
  const body = { identifier: { value: '210102198003151239' } };
  return (await hub.call('POST', '/api/v1/exams/search', { token, body })).status;
};
async function audited(id: string): Promise<readonly (readonly [string, string | undefined, readonly string[]])[]> {
  const { items } = await hub.audit.list({}, { limit: 200 });
  return items
    .filter(({ objects }) => objects.includes(`approval/${id}`))
    .map(({ operation, reason, objects }) => [operation, reason, objects] as const)
    .reverse();
}

test('one security administrator alone is told what to do, and finds the second with the holder of the first token', async () => {
  const first = await security();
  const alone = await by(first, 'POST', '/accounts', {
    ...{ loginName: 'alone', displayName: 'x', roles: [{ role: 'physician' }] },
  });
  assert.deepEqual([alone.status, why(alone)], [409, 'nobody-else']);
  assert.match(String(alone.json['detail']), /second security administrator or a system administrator/);
  assert.equal((await askClient(first)).status, 409);
  const { rows } = await hub.fresh.database.pool.query(`select from account where login_name = 'alone'
    union all select from client where pending`);
  assert.equal(rows.length, 0, 'nothing is left of it');

  const second = await askAccount(first, [{ role: 'system-administrator' }]);
  assert.equal(second.approval.approvers, 0);
  const path = `/api/v1/approvals/${second.approval.id}/decision`;
  const byToken = await hub.call('POST', path, { body: { decision: 'approve' } });
  assert.equal(byToken.status, 200, byToken.text);
  const half = String(byToken.json['secondHalf']);
  assert.equal((await activate(second.loginName, half)).status, 401, 'the token alone opens nothing');
  assert.equal((await activate(second.loginName, second.approval.firstHalf ?? '', half)).status, 200);

  const reader = await by(first, 'POST', '/accounts', {
    ...{ loginName: 'still-alone', displayName: 'x', roles: [{ role: 'physician' }] },
  });
  assert.equal(reader.status, 409, 'who has not come in with both factors approves nothing');
  await system();
  const asked = await askAccount(first);
  const again = await hub.call('POST', `/api/v1/approvals/${asked.approval.id}/decision`, {
    body: { decision: 'approve' },
  });
  assert.deepEqual([again.status, why(again)], [403, 'not-approver'], 'a reader is nothing for the token');
  const third = await askAccount(first, [{ role: 'security-administrator' }]);
  const late = await hub.call('POST', `/api/v1/approvals/${third.approval.id}/decision`, {
    body: { decision: 'approve' },
  });
  assert.equal(late.status, 403, 'and there is somebody else by now');
});

test('an account: neither half opens it, both together do, once; the audit names both administrators', async () => {
  const [asker, second, auditor] = [await security(), await system(), await signIn(hub.fresh, 'auditor')];
  const { loginName, id, approval, answer } = await askAccount(asker);
  assert.deepEqual([answer.json['state'], answer.json['activationCode']], ['pending', null]);
  const first = approval.firstHalf ?? '';
  assert.equal((await activate(loginName, first)).status, 401);
  const own = await decide(asker, approval.id);
  assert.deepEqual([own.status, why(own)], [403, 'own-request']);
  assert.equal((await decide(auditor, approval.id)).status, 403);
  for (const body of [{ state: 'active' }, { state: 'suspended' }, { institution: 'x' }])
    assert.equal((await by(asker, 'PATCH', `/accounts/${id}`, body)).status, 409, JSON.stringify(body));
  assert.equal((await by(asker, 'PATCH', `/accounts/${id}`, { roles: [{ role: 'operator' }] })).status, 409);

  const listed = (await by(second, 'GET', '/approvals?state=open')).json['items'] as Record<string, unknown>[];
  const shown = listed.find((one) => one['id'] === approval.id);
  assert.deepEqual(
    [shown?.['loginName'], shown?.['askedBy'], shown?.['kind']],
    [loginName, asker.accountId, 'account'],
  );
  const approved = await decide(second, approval.id);
  assert.equal(approved.status, 200, approved.text);
  const other = String(approved.json['secondHalf']);
  assert.equal((await by(second, 'GET', '/approvals')).text.includes(other), false, 'shown once');
  const texts = new Set<unknown>();
  for (const [code, more] of [
    [first],
    [other],
    [first, first],
    [other, other],
    [first, 'AAAA-AAAA-AAAA-AAAA'],
    ['AAAA-AAAA-AAAA-AAAA', other],
    [first + other],
  ] as const) {
    const refused = await activate(loginName, code, more);
    assert.equal(refused.status, 401, `${code} ${more ?? ''}`);
    texts.add(refused.json['detail']);
  }
  assert.equal(texts.size, 1, 'nobody learns which half is right');
  assert.equal((await activate(loginName, other.toLowerCase(), first)).status, 200, 'in whatever order');
  assert.equal((await activate(loginName, first, other)).status, 401, 'they served');
  assert.equal((await decide(second, approval.id)).status, 409, 'decided once');
  const parties = [`account/${id}`, `account/${asker.accountId}`];
  const [asked, done, activated] = await audited(approval.id);
  assert.deepEqual(asked, ['createAccount', 'account asked', [`approval/${approval.id}`, ...parties]]);
  assert.deepEqual([done?.[0], done?.[1]], ['decideApproval', 'account approved']);
  for (const one of [...parties, `account/${second.accountId}`]) {
    assert.ok(done?.[2].includes(one), one);
    assert.ok(activated?.[0] === 'activateAccount' && activated[2].includes(one), one);
  }
  const { rows } = await hub.fresh.database.pool.query<{ row: string }>(
    `select row_to_json(p)::text as row from approval p union all select row_to_json(u)::text from audit u
     union all select row_to_json(a)::text from account a`,
  );
  for (const secret of [first, other]) assert.ok(!rows.some(({ row }) => row.includes(secret)));
});

test('halves of different requests do not fit, and a guesser is barred', async () => {
  const [asker, second] = [await security(), await security()];
  const [one, two] = [await askAccount(asker), await askAccount(asker)];
  const [, half] = [await decide(second, one.approval.id), await decide(second, two.approval.id)];
  const crossed = await activate(one.loginName, one.approval.firstHalf ?? '', String(half.json['secondHalf']));
  assert.equal(crossed.status, 401);
  const again = await by(asker, 'POST', `/accounts/${one.id}/reset`);
  const renewed = await decide(second, told(again).id);
  const stale = await activate(one.loginName, one.approval.firstHalf ?? '', String(renewed.json['secondHalf']));
  assert.equal(stale.status, 401, 'the first half of the former request');
  let status = 0;
  for (let n = 0; n < 60 && status !== 429; n++)
    ({ status } = await activate(one.loginName, told(again).firstHalf ?? '', `AAAA-AAAA-AAAA-${String(1000 + n)}`));
  assert.equal(status, 429);
  await hub.fresh.database.pool.query('delete from sign_on_failure');
  const right = await activate(one.loginName, told(again).firstHalf ?? '', String(renewed.json['secondHalf']));
  assert.equal(right.status, 200, 'its owner is not kept out');
});

test('a client that reads: a token of two halves, none of which is one; a feed needs nobody', async () => {
  const [asker, second] = [await security(), await system()];
  const asked = await askClient(asker);
  assert.deepEqual([asked.status, asked.json['token'], asked.json['pending']], [201, null, true]);
  const first = told(asked).firstHalf ?? '';
  assert.equal(await searchWith(first), 401);
  const half = String((await decide(second, told(asked).id)).json['secondHalf']);
  for (const token of [first, half, `${half}.${first}`, `${first}.${first}`, `${first}${half}`, `${first}.`])
    assert.equal(await searchWith(token), 401, token);
  assert.equal(await searchWith(`${first}.${half}`), 200);
  assert.deepEqual(
    (await audited(told(asked).id)).map(([operation, reason]) => [operation, reason]),
    [
      ['createClient', 'client asked'],
      ['decideApproval', 'client approved'],
    ],
  );
  const mighty = await by(asker, 'POST', '/clients', { name: 'x', role: 'administrator' });
  assert.deepEqual([mighty.status, mighty.json['pending']], [201, true]);
  const feed = await by(second, 'POST', '/clients', { name: 'x', role: 'hospital-feed', site: 'h1' });
  assert.deepEqual([feed.json['pending'], feed.json['approval']], [false, null]);
  assert.equal(await searchWith(String(feed.json['token'])), 403, 'a feed reads nothing');
});

test('keys are shown to the second person by their RFC 7638 thumbprints', async () => {
  const [asker, second] = [await security(), await system()];
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  const key = { ...publicKey.export({ format: 'jwk' }), kid: 'k1' };
  const asked = await askClient(asker, { jwks: { keys: [key] } });
  assert.deepEqual([told(asked).firstHalf, asked.json['pending']], [null, true]);
  const items = (await by(second, 'GET', '/approvals?state=open')).json['items'] as Record<string, unknown>[];
  const shown = items.find((one) => one['id'] === told(asked).id);
  assert.deepEqual(shown?.['thumbprints'], [await calculateJwkThumbprint(key)]);
  assert.equal((await decide(second, told(asked).id)).status, 200);
});

test('a client with a certificate of its own needs the approval and no secret', async () => {
  const [asker, second] = [await security(), await system()];
  const certificate = 'ab'.repeat(32);
  const asked = await askClient(asker, { certificate });
  assert.deepEqual([told(asked).firstHalf, asked.json['token']], [null, null]);
  assert.equal(await hub.clients.byCertificate(certificate), null);
  const approved = await decide(second, told(asked).id);
  assert.deepEqual([approved.status, approved.json['secondHalf']], [200, null]);
  assert.equal((await hub.clients.byCertificate(certificate))?.id, asked.json['id']);
});

test('refused with a reason, withdrawn, lapsed: it never works; the account may be asked for again', async () => {
  const [asker, second] = [await security(), await security()];
  const client = told(await askClient(asker, { certificate: 'cd'.repeat(32) }));
  assert.equal((await decide(second, client.id, 'refuse', ' ')).status, 400);
  const refused = await decide(second, client.id, 'refuse', 'nobody knows this system');
  assert.deepEqual([refused.status, refused.json['state']], [200, 'refused']);
  assert.deepEqual(
    [(await decide(second, client.id)).status, (await decide(second, client.id, 'refuse')).status],
    [409, 409],
  );
  assert.equal((await audited(client.id)).at(-1)?.[1], 'client refused');
  const { loginName, id, approval } = await askAccount(asker);
  assert.equal((await by(asker, 'POST', `/accounts/${id}/reset`)).status, 409, 'it waits already');
  assert.equal((await decide(asker, approval.id, 'refuse', 'a slip of mine')).status, 200);
  const again = await by(asker, 'POST', `/accounts/${id}/reset`);
  const { pool } = hub.fresh.database;
  await pool.query('alter table approval disable trigger user');
  await pool.query(`update approval set lapses_at = now() where id = $1`, [told(again).id]);
  await pool.query('alter table approval enable trigger user');
  assert.equal((await decide(second, told(again).id)).status, 409);
  const listed = (await by(second, 'GET', '/approvals?state=lapsed')).json['items'] as { id: string }[];
  assert.deepEqual(
    listed.map((one) => one.id),
    [told(again).id],
  );
  assert.equal((await activate(loginName, told(again).firstHalf ?? '')).status, 401);
  const third = await by(asker, 'POST', `/accounts/${id}/reset`);
  const half = String((await decide(second, told(third).id)).json['secondHalf']);
  assert.equal((await activate(loginName, told(third).firstHalf ?? '', half)).status, 200);
});

test('a suspended approver, a suspended asker, and two approvals at once', async () => {
  const [asker, second, third] = [await security(), await security(), await system()];
  const raced = await askAccount(asker);
  const both = await Promise.all([decide(second, raced.approval.id), decide(third, raced.approval.id)]);
  assert.deepEqual(both.map(({ status }) => status).sort(), [200, 409]);
  const count = async (who: SignedInTest): Promise<unknown> => (await by(who, 'GET', '/worklist')).json['approvals'];
  const [before3, beforeOwn] = [Number(await count(third)), await count(asker)];
  const waits = await askAccount(asker);
  assert.deepEqual([await count(third), await count(asker)], [before3 + 1, beforeOwn], 'not for who asked');
  const state = (who: SignedInTest, to: string): Promise<unknown> =>
    hub.fresh.database.pool.query('update account set state = $2 where id = $1', [who.accountId, to]);
  await state(second, 'suspended');
  assert.equal((await decide(second, waits.approval.id)).status, 401);
  await state(asker, 'suspended');
  const gone = await decide(third, waits.approval.id);
  assert.deepEqual([gone.status, why(gone)], [409, 'asker-gone']);
  assert.equal((await decide(third, waits.approval.id, 'refuse')).status, 200);
});

test('a role more waits, a role less holds at once; what changed since is not approved, nor by whom it is for', async () => {
  const [asker, second, holder] = [
    await security(),
    await security(),
    await signIn(hub.fresh, 'system-administrator', { alsoRoles: ['operator'] }),
  ];
  const path = `/accounts/${holder.accountId}`;
  const roles = [{ role: 'system-administrator' }, { role: 'operator' }, { role: 'physician' }];
  const mixed = await by(asker, 'PATCH', path, { roles, displayName: 'y' });
  assert.equal(mixed.status, 400);
  const asked = await by(asker, 'PATCH', path, { roles });
  assert.equal(asked.status, 202, asked.text);
  const id = String(asked.json['id']);
  const held = async (): Promise<string[]> =>
    ((await by(asker, 'GET', path)).json['roles'] as { role: string }[]).map(({ role }) => role);
  assert.deepEqual(await held(), ['operator', 'system-administrator']);
  const own = await decide(holder, id);
  assert.deepEqual([own.status, why(own)], [403, 'own-account']);
  assert.equal((await by(asker, 'PATCH', path, { roles: [{ role: 'system-administrator' }] })).status, 200);
  const changed = await decide(second, id);
  assert.deepEqual([changed.status, why(changed)], [409, 'changed']);
  assert.equal((await by(asker, 'PATCH', path, { roles })).status, 409, 'one request at a time');
  assert.equal((await decide(second, id, 'refuse')).status, 200);
  const again = await by(asker, 'PATCH', path, { roles });
  const approved = await decide(second, String(again.json['id']));
  assert.deepEqual([approved.status, approved.json['secondHalf']], [200, null]);
  assert.deepEqual(await held(), ['operator', 'physician', 'system-administrator']);
  const moved = await by(asker, 'PATCH', path, { institution: 'MA9990H1799010011A1001' });
  assert.equal(moved.status, 202, 'a reader of another institution');
  await assert.rejects(
    hub.fresh.database.pool.query(`update approval set asked = '{}' where id = $1`, [String(again.json['id'])]),
    /never changed/,
  );
});

test('a reset takes nothing away until it is approved, and then opens by both halves only', async () => {
  const [asker, second] = [await security(), await system()];
  const made = await askAccount(asker, [{ role: 'operator' }]);
  const half = String((await decide(second, made.approval.id)).json['secondHalf']);
  assert.equal((await activate(made.loginName, made.approval.firstHalf ?? '', half)).status, 200);
  const reset = await by(asker, 'POST', `/accounts/${made.id}/reset`);
  assert.deepEqual([reset.status, reset.json['activationCode'], reset.json['state']], [200, null, 'active']);
  const signOn = (): Promise<Reply> =>
    new BrowserSession(hub.origin).send('POST', '/api/v1/session', { loginName: made.loginName, password: PASSWORD });
  assert.equal((await signOn()).status, 200, 'the password stands');
  const other = String((await decide(second, told(reset).id)).json['secondHalf']);
  assert.equal((await signOn()).status, 401, 'and stands no more');
  const next = { loginName: made.loginName, password: 'Another-horse-8' };
  const send = (body: object): Promise<Reply> =>
    new BrowserSession(hub.origin).send('POST', '/api/v1/session/activation', body);
  assert.equal((await send({ ...next, code: told(reset).firstHalf })).status, 401);
  assert.equal((await send({ ...next, code: told(reset).firstHalf, secondCode: other })).status, 200);
});

test('the first start needs no second person: as long as no security administrator is in, one code activates', async () => {
  const first = await startRest();
  const person = await invitePerson(first, [{ role: 'security-administrator' }]);
  const { last } = await enterAs(first, person);
  assert.equal(last.json['stage'], 'open');
  await first.close();
});
