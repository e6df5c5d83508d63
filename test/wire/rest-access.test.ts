/** Every operation of the contract by every role, over HTTP: allowed, 403 or 401, each refusal in the audit. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { readDocument } from '../../openapi/document.ts';
import { CLIENT_ROLES, RIGHTS, type ActKind, type ClientRole } from '../../hub/core/access.ts';
import { signIn, type SignedInTest } from '../support/sign-in.ts';
import type { RestServer } from '../support/rest-server.ts';
import { startRest } from '../support/rest-server.ts';

let hub: RestServer;
before(async () => {
  hub = await startRest();
  await hub.letFeedRecord();
});
after(() => hub.close());

/** Who may do what, of those who call as clients; the feed client belongs to h1. */
const allowedTo = (act: string): readonly ClientRole[] =>
  CLIENT_ROLES.filter(
    (role) => act === 'any' || act === 'public' || RIGHTS[act as ActKind].some((one) => one === role),
  );

test('role × operation: as the contract says, refused before the body is looked at, and audited', async () => {
  let seen = 0;
  for (const [path, item] of Object.entries(readDocument().paths))
    for (const [method, operation] of Object.entries(item)) {
      // Signing on: whoever comes, before anybody is known (sign-on.test.ts).
      if (operation['x-act'] === 'public') continue;
      const url = `/api/v1${path.replace('{site}', 'h1').replace('{id}', '00000000-0000-4000-8000-000000000000')}`;
      const body = method === 'post' ? { body: '{"broken' } : {};
      const allowed = allowedTo(operation['x-act']);
      assert.ok(allowed.length > 0, `${operation.operationId} has no known x-act`);
      for (const role of CLIENT_ROLES) {
        const answer = await hub.call(method.toUpperCase(), url, { as: role, ...body });
        const what = `${role} ${operation.operationId} ${String(answer.status)}`;
        if (allowed.includes(role)) assert.ok(![401, 403, 500].includes(answer.status), what);
        else {
          assert.equal(answer.status, 403, what);
          const [entry] = (await hub.audit.list({ action: 'refuse' }, { limit: 1 })).items;
          assert.deepEqual([entry?.operation, entry?.callerRole], [operation.operationId, role]);
        }
        seen++;
      }
      assert.equal((await hub.call(method.toUpperCase(), url, { as: null, ...body })).status, 401);
    }
  assert.ok(seen >= 4 * 22, String(seen));
});

test('HEAD is GET without its body, and stands in the audit as the read that it is', async () => {
  const headers = { Authorization: `Bearer ${hub.token.administrator}` };
  const got = await fetch(`${hub.origin}/api/v1/sites`, { headers });
  assert.notEqual(await got.text(), '');
  const head = await fetch(`${hub.origin}/api/v1/sites`, { method: 'HEAD', headers });
  assert.deepEqual([head.status, await head.text()], [200, '']);
  assert.equal(head.headers.get('content-length'), got.headers.get('content-length'));
  const { items } = await hub.audit.list({}, { limit: 2 });
  assert.deepEqual(
    items.map(({ operation, action }) => [operation, action]),
    [1, 2].map(() => ['listSites', 'read']),
  );
});

test('a feed sends for its own site only; an unknown site is not told apart from a foreign one', async () => {
  const body = { patientId: 'P1' };
  const as = 'hospital-feed';
  assert.equal((await hub.call('POST', '/api/v1/sites/h1/registrations', { as, body })).status, 202);
  assert.equal((await hub.call('POST', '/api/v1/sites/h2/registrations', { as, body })).status, 403);
  assert.equal((await hub.call('POST', '/api/v1/sites/nowhere/registrations', { as, body })).status, 403);
  assert.equal((await hub.call('POST', '/api/v1/sites/nowhere/registrations', { body })).status, 404);
  for (const path of ['__proto__', 'constructor', '..%2Fh1', '%2e%2e', 'h1%00'])
    assert.ok(
      [403, 404].includes((await hub.call('POST', `/api/v1/sites/${path}/registrations`, { as, body })).status),
    );
});

test('a client is made, its token is shown once, and a revocation holds with the next call', async () => {
  const made = await hub.call('POST', '/api/v1/clients', { body: { name: '查询平台', role: 'query-platform' } });
  assert.equal(made.status, 201);
  const { id, token } = made.json as { id: string; token: string };
  assert.match(token, /^hutong_[\w-]{43}$/);
  const search = { token, body: { identifier: { value: '210102198003151239' } } };
  assert.equal((await hub.call('POST', '/api/v1/exams/search', search)).status, 200);
  const list = await hub.call('GET', '/api/v1/clients');
  assert.ok(list.text.includes(id) && !list.text.includes(token));
  assert.equal((await hub.call('DELETE', `/api/v1/clients/${id}`)).status, 200);
  assert.equal((await hub.call('POST', '/api/v1/exams/search', search)).status, 401);
  assert.equal((await hub.call('DELETE', `/api/v1/clients/${id}`)).status, 404);
  const acts = (await hub.audit.list({ action: 'administer' }, { limit: 10 })).items.map(({ operation }) => operation);
  assert.deepEqual(acts, ['revokeClient', 'createClient']);
});

test('clients that would be too mighty or belong nowhere are refused with the field named', async () => {
  for (const [body, pointer] of [
    [{ name: 'x', role: 'hospital-feed' }, '#/site'],
    [{ name: 'x', role: 'hospital-feed', site: 'h9' }, '#/site'],
    [{ name: 'x', role: 'root' }, '#/role'],
    [{ name: '  ', role: 'operator' }, '#/name'],
    [{ name: 'x\r\ny', role: 'operator' }, '#/name'],
    [{ name: 'x\u202ey', role: 'operator' }, '#/name'],
    [{ role: 'operator' }, '#/name'],
    [{ name: 'x', role: 'operator', token: 'mine' }, '#/token'],
  ] as const) {
    const answer = await hub.call('POST', '/api/v1/clients', { body });
    assert.equal(answer.status, 400, JSON.stringify(body));
    assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json/);
    const { errors } = answer.json as { errors: { pointer: string }[] };
    assert.ok(
      errors.some((error) => error.pointer === pointer),
      answer.text,
    );
  }
});

test('a search is audited also where it finds nobody, and the number searched for is nowhere in it', async () => {
  await hub.call('POST', '/api/v1/exams/search', {
    as: 'query-platform',
    body: { identifier: { value: '11010519491231002X' } },
  });
  const { items } = await hub.audit.list({ action: 'search' }, { limit: 1 });
  assert.equal(items[0]?.operation, 'searchExams');
  assert.doesNotMatch(JSON.stringify(items), /11010519491231002/);
  const bad = await hub.call('POST', '/api/v1/exams/search', { body: { identifier: { value: '110105194912310020' } } });
  assert.equal(bad.status, 400);
  assert.doesNotMatch(bad.text, /110105/);
});

test('the contract and its page need nobody and hold no data; Swagger UI loads nothing from elsewhere', async () => {
  const contract = await hub.call('GET', '/openapi.json', { as: null });
  assert.equal(contract.json['openapi'], '3.1.0');
  const page = await hub.call('GET', '/docs/', { as: null });
  assert.equal(page.status, 200);
  assert.doesNotMatch(page.text, /(src|href)="(https?:)?\/\//);
  assert.equal((await hub.call('GET', '/docs', { as: null })).text, page.text, 'without the slash one is led to it');
  assert.equal((await hub.call('GET', '/docs/swagger-ui-bundle.js', { as: null })).status, 200);
  assert.equal((await hub.call('POST', '/openapi.json', { as: null })).status, 401);
});

test('queries are checked, and a wrong one names its parameter without quoting it', async () => {
  for (const query of [
    'limit=0',
    'limit=1000',
    'state=lost',
    'from=yesterday',
    'channel=fax',
    '%E5%BC%A0%E4%B8%89=1',
    'limit=1&limit=2',
  ]) {
    const answer = await hub.call('GET', `/api/v1/journal?${query}`, { as: 'operator' });
    assert.equal(answer.status, 400, query);
    assert.doesNotMatch(answer.text, /张三|yesterday|fax/);
  }
  assert.equal(
    (await hub.call('GET', '/api/v1/journal?limit=5&from=2026-01-01T00:00:00Z', { as: 'operator' })).status,
    200,
  );
  for (const id of ['..%2f..%2fetc', "1'or'1", '%00', 'x'.repeat(65)])
    assert.ok([400, 404].includes((await hub.call('GET', `/api/v1/journal/${id}`)).status), id);
});

test('a known path under another method is 405 and says which it takes', async () => {
  for (const [method, path, allow] of [
    ['GET', '/api/v1/sites/h1/registrations', 'POST'],
    ['PUT', '/api/v1/sites/h1/reports', 'POST'],
    ['DELETE', '/api/v1/journal', 'GET, HEAD'],
    ['PATCH', '/api/v1/clients', 'GET, HEAD, POST'],
  ] as const) {
    const answer = await hub.call(method, path, { as: 'administrator' });
    assert.deepEqual([answer.status, answer.headers.get('allow'), answer.json['status']], [405, allow, 405], path);
  }
  assert.equal((await hub.call('DELETE', '/api/v1/journal', { as: null })).status, 401);
  assert.equal((await hub.call('DELETE', '/api/v1/nothing', { as: 'administrator' })).status, 404);
});

test('a system administrator lets nobody in to read: that is for a security administrator', async () => {
  const [system, security] = [
    await signIn(hub.fresh, 'system-administrator'),
    await signIn(hub.fresh, 'security-administrator'),
  ];
  const create = async (by: SignedInTest, role: ClientRole): Promise<number> => {
    const { headers } = by;
    const answer = await hub.call('POST', '/api/v1/clients', { as: null, headers, body: { name: 'made', role } });
    return answer.status;
  };
  assert.deepEqual(
    [await create(system, 'query-platform'), await create(system, 'administrator'), await create(system, 'operator')],
    [403, 403, 201],
  );
  assert.deepEqual([await create(security, 'query-platform'), await create(security, 'operator')], [201, 403]);
});
