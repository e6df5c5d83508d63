/** The HTTP door over a real server and PostgreSQL: closed by default, audited, and quiet about what it was sent. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { Router } from 'express';
import { createApp, createHttpServer } from '../../hub/api/app.ts';
import { callerOf } from '../../hub/api/caller.ts';
import { createMetrics } from '../../hub/api/metrics.ts';
import type { Client } from '../../hub/core/client.ts';
import type { Role } from '../../hub/core/access.ts';
import { siteId } from '../../hub/core/identifier.ts';
import type { Log } from '../../hub/core/ports.ts';
import { drawToken, hashToken } from '../../hub/security/token.ts';
import type { AuditStore } from '../../hub/store/audit.ts';
import { createAuditStore } from '../../hub/store/audit.ts';
import { createClientStore } from '../../hub/store/client.ts';
import type { FreshDatabase } from '../support/database.ts';
import { freshDatabase } from '../support/database.ts';

let fresh: FreshDatabase;
let audit: AuditStore;
let server: Server;
let origin = '';
let ready = true;
const lines: string[] = [];
const tokens = new Map<Role, string>();
const made = new Map<Role, Client>();

const write = (fields: object, message: string): void => void lines.push(JSON.stringify({ ...fields, message }));
const log: Log = { debug: write, info: write, warn: write, error: write, child: () => log };

before(async () => {
  fresh = await freshDatabase();
  const clock = (): Date => new Date();
  const clients = createClientStore({ database: fresh.database, clock });
  audit = createAuditStore({ database: fresh.database, clock });
  for (const role of ['administrator', 'operator', 'query-platform', 'hospital-feed'] as const) {
    const token = drawToken();
    const site = role === 'hospital-feed' ? siteId('h1') : null;
    made.set(role, await clients.add({ name: role, role, site, createdBy: 'test' }, hashToken(token)));
    tokens.set(role, token);
  }
  const face = Router();
  face.get('/whoami', (_request, response) => {
    response.json(callerOf(response));
  });
  face.get('/away', () => {
    throw Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:5432'), { code: 'ECONNREFUSED' });
  });
  face.get('/broken', () => {
    throw new Error('value 张三 210102198003151239 is not what the driver expected');
  });
  const app = createApp({
    log,
    audit,
    clients,
    metrics: createMetrics(),
    readiness: () => Promise.resolve({ database: true, listen: ready }),
    faces: { '/fhir': face, '/dicomweb': face },
  });
  server = createHttpServer(app);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  origin = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
});

after(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

const get = (path: string, token?: string, init: RequestInit = {}): Promise<Response> =>
  fetch(origin + path, { ...init, headers: { ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }) } });

const lastRefusal = async (): Promise<{
  operation: string | undefined;
  reason: string | undefined;
  caller: string | undefined;
}> => {
  const [entry] = (await audit.list({ action: 'refuse' }, { limit: 1 })).items;
  return { operation: entry?.operation, reason: entry?.reason, caller: entry?.callerId };
};

test('alive and ready need nobody; ready tells the parts', async () => {
  assert.equal((await get('/healthz')).status, 200);
  assert.equal((await get('/readyz')).status, 200);
  ready = false;
  const answer = await get('/readyz');
  ready = true;
  assert.equal(answer.status, 503);
  assert.deepEqual(await answer.json(), { ready: false, parts: { database: true, listen: false } });
});

test('without a caller every path is closed, also one that does not exist, and each refusal is audited', async () => {
  for (const [path, method] of [
    ['/fhir/whoami', 'GET'],
    ['/dicomweb/studies', 'GET'],
    ['/metrics', 'GET'],
    ['/api/v1/journal', 'GET'],
    ['/nowhere', 'GET'],
    ['/fhir/metadata', 'POST'],
  ] as const) {
    const answer = await get(path, undefined, { method });
    assert.equal(answer.status, 401, path);
    assert.match(answer.headers.get('www-authenticate') ?? '', /^Bearer/);
    assert.equal((await lastRefusal()).reason, 'no caller');
  }
  const fhir = (await (await get('/fhir/whoami')).json()) as { resourceType: string };
  assert.equal(fhir.resourceType, 'OperationOutcome');
});

test('a wrong token is refused even on a public path', async () => {
  for (const token of ['nonsense', drawToken(), tokens.get('operator')?.slice(0, -1) ?? '']) {
    assert.equal((await get('/fhir/metadata', token)).status, 401);
    assert.equal((await lastRefusal()).reason, 'invalid token');
  }
  const basic = await fetch(`${origin}/fhir/whoami`, { headers: { Authorization: 'Basic YTpi' } });
  assert.equal(basic.status, 401);
});

test('a valid token is its client, with role, site and peer', async () => {
  const answer = await get('/fhir/whoami', tokens.get('hospital-feed'));
  assert.deepEqual(await answer.json(), {
    id: made.get('hospital-feed')?.id,
    name: 'hospital-feed',
    role: 'hospital-feed',
    site: 'h1',
    peer: '127.0.0.1',
    agent: 'node',
  });
  assert.equal(answer.headers.get('cache-control'), 'no-store');
  assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
  assert.equal(answer.headers.get('x-powered-by'), null);
});

test('metrics are for operators', async () => {
  for (const [role, status] of [
    ['administrator', 200],
    ['operator', 200],
    ['query-platform', 403],
    ['hospital-feed', 403],
  ] as const)
    assert.equal((await get('/metrics', tokens.get(role))).status, status, role);
  assert.deepEqual(await lastRefusal(), {
    operation: 'GET /metrics',
    reason: 'only an operator may do this',
    caller: made.get('hospital-feed')?.id,
  });
  assert.match(await (await get('/metrics', tokens.get('operator'))).text(), /hub_http_request_seconds_bucket/);
});

test('neither the path nor the query nor an error text of a caller reaches log, audit or answer', async () => {
  const token = tokens.get('query-platform');
  await get('/fhir/Patient/210102198003151239?name=%E5%BC%A0%E4%B8%89', token);
  await get('/fhir/%E5%BC%A0%E4%B8%89?identifier=210102198003151239');
  const broken = await get('/fhir/broken?name=%E5%BC%A0%E4%B8%89', token);
  assert.equal(broken.status, 500);
  const body = await broken.text();
  const { rows } = await fresh.database.pool.query<{ row: string }>('select audit::text as row from audit');
  const metrics = await (await get('/metrics', tokens.get('operator'))).text();
  const written = [body, metrics, ...lines, ...rows.map(({ row }) => row)].join('\n');
  assert.doesNotMatch(written, /张三|%E5%BC%A0|210102198003151239/i);
  assert.doesNotMatch(body, /\.ts|at /, 'no stack in the answer');
  assert.match(lines.join('\n'), /access-http\.test\.ts/, 'but where it broke is in the log');
});

test('hostile requests get a clear end', async () => {
  const token = tokens.get('operator') ?? '';
  assert.equal((await get('/%ff%fe', token)).status, 404);
  assert.equal((await get('/api/v1/../../etc/passwd', token)).status, 404);
  assert.equal((await get(`/${'a/'.repeat(4_000)}`, token)).status, 404);
  const long = await fetch(`${origin}/fhir/whoami`, { headers: { Authorization: `Bearer ${'a'.repeat(10_000)}` } });
  assert.equal(long.status, 401);
  const socket = connect(Number(new URL(origin).port), '127.0.0.1');
  socket.end('GARBAGE\u0000\u0001\r\n\r\n');
  const [answer] = (await once(socket, 'data')) as [Buffer];
  assert.match(answer.toString('latin1'), /^HTTP\/1\.1 400/);
});

test('where the database does not answer nobody is let in, and nobody is told that the token is wrong', async () => {
  await fresh.database.pool.query('alter table client rename to client_away');
  const answer = await get('/fhir/whoami', tokens.get('operator'));
  await fresh.database.pool.query('alter table client_away rename to client');
  assert.equal(answer.status, 503);
  assert.equal(answer.headers.get('retry-after'), '5');
});

test('a database that is away is told as 503, so that the caller comes again', async () => {
  const away = await get('/fhir/away', tokens.get('administrator'));
  assert.equal(away.status, 503);
  assert.doesNotMatch(await away.text(), /5432|kept/);
});
