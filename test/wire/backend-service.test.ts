/** Systems sign on with a key of their own (SMART Backend Services): a signed statement, once, for a token that soon ends. */
import assert from 'node:assert/strict';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { request } from 'node:http';
import { after, before, test } from 'node:test';
import { SignJWT } from 'jose';
import type { RestServer } from '../support/rest-server.ts';
import { startRest } from '../support/rest-server.ts';

let hub: RestServer;
let id = '';
const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-384' });
const jwk = (key: KeyObject, kid: string): object => ({ ...key.export({ format: 'jwk' }), kid });

before(async () => {
  hub = await startRest();
  const jwks = { keys: [jwk(rsa.publicKey, 'r1'), jwk(ec.publicKey, 'e1')] };
  const made = await hub.call('POST', '/api/v1/clients', { body: { name: '平台', role: 'query-platform', jwks } });
  assert.equal(made.status, 201, made.text);
  id = String(made.json['id']);
});
after(() => hub.close());

interface Bent {
  readonly alg?: string;
  readonly kid?: string;
  readonly key?: KeyObject | Uint8Array;
  readonly claims?: Readonly<Record<string, unknown>>;
}

async function statement({ alg = 'ES384', kid = 'e1', key = ec.privateKey, claims = {} }: Bent = {}): Promise<string> {
  const now = Math.floor(Date.now() / 1_000);
  const usual = { iss: id, sub: id, aud: `${hub.origin}/oauth/token`, exp: now + 240, iat: now, jti: randomUUID() };
  return new SignJWT({ ...usual, ...claims }).setProtectedHeader({ alg, kid, typ: 'JWT' }).sign(key);
}

async function ask(
  assertion: string,
  more: Readonly<Record<string, string>> = {},
): Promise<{ status: number; json: Record<string, unknown> }> {
  const answer = await fetch(`${hub.origin}/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
      scope: 'system/*.read',
      ...more,
    }),
  });
  return { status: answer.status, json: (await answer.json()) as Record<string, unknown> };
}

const search = (token: string): Promise<number> =>
  hub
    .call('POST', '/api/v1/exams/search', { token, body: { identifier: { authority: '1.2.3', value: 'P' } } })
    .then(({ status }) => status);

test('keys that wait for a second administrator sign nobody on', async () => {
  const { pool } = hub.fresh.database;
  await pool.query('update client set pending = true where id = $1', [id]);
  assert.equal((await ask(await statement())).status, 401);
  await pool.query('update client set pending = false where id = $1', [id]);
});

test('what the hub says of itself leads a system to its token, RS384 and ES384 alike', async () => {
  for (const base of ['', '/fhir']) {
    const told = await fetch(`${hub.origin}${base}/.well-known/smart-configuration`);
    const json = (await told.json()) as Record<string, unknown>;
    assert.equal(json['token_endpoint'], `${hub.origin}/oauth/token`);
  }
  for (const one of [{}, { alg: 'RS384', kid: 'r1', key: rsa.privateKey }]) {
    const { status, json } = await ask(await statement(one));
    assert.equal(status, 200, JSON.stringify(json));
    assert.deepEqual([json['token_type'], json['expires_in'], json['scope']], ['bearer', 300, 'system/*.read']);
    assert.equal(await search(String(json['access_token'])), 200);
  }
});

test('a statement serves once, and the token ends: by its time, and with its client', async () => {
  const assertion = await statement();
  const { json } = await ask(assertion);
  const again = await ask(assertion);
  assert.deepEqual([again.status, again.json], [401, { error: 'invalid_client' }]);
  const [entry] = (await hub.audit.list({}, { limit: 1 })).items;
  assert.deepEqual(
    [entry?.action, entry?.outcome, entry?.reason, entry?.callerId],
    ['sign-on', 'failure', 'the statement was used before', id],
  );
  const token = String(json['access_token']);
  await hub.fresh.database.pool.query('update access_token set ends_at = now()');
  assert.equal(await search(token), 401);
});

test('statements that do not hold, and what is asked beyond the role', async () => {
  const now = Math.floor(Date.now() / 1_000);
  const other = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  const wrong: Readonly<Record<string, Bent>> = {
    'another key': { key: other.privateKey },
    'an unknown kid': { kid: 'none', key: other.privateKey },
    'a weaker algorithm': { alg: 'RS256', kid: 'r1', key: rsa.privateKey },
    'a shared secret': { alg: 'HS384', kid: 'e1', key: Buffer.from('x'.repeat(48)) },
    expired: { claims: { exp: now - 120 } },
    'without an end': { claims: { exp: undefined } },
    'good for too long': { claims: { exp: now + 3_600 } },
    'another audience': { claims: { aud: 'https://other.example/oauth/token' } },
    'another subject': { claims: { sub: randomUUID() } },
    'another issuer': { claims: { iss: randomUUID() } },
    'without a jti': { claims: { jti: undefined } },
  };
  for (const [name, bent] of Object.entries(wrong))
    assert.deepEqual((await ask(await statement(bent))).json, { error: 'invalid_client' }, name);
  const [head = '', body = ''] = (await statement()).split('.');
  const none = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url');
  for (const bad of [`${none}.${body}.`, `${head}.${body}.`, 'x', '', `${head}.${body}.${'A'.repeat(9_000)}`])
    assert.ok([400, 401].includes((await ask(bad)).status), bad.slice(0, 20));
  assert.deepEqual((await ask(await statement(), { scope: 'system/*.write' })).json, { error: 'invalid_scope' });
  assert.deepEqual((await ask(await statement(), { grant_type: 'password' })).json, {
    error: 'unsupported_grant_type',
  });
  assert.deepEqual((await ask(await statement(), { scope: 'x system/*.rs' })).json['scope'], 'system/*.rs');
});

test('only public keys that are strong are registered, and a revoked client gets no token', async () => {
  const weak = generateKeyPairSync('rsa', { modulusLength: 1_024 }).publicKey;
  const small = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey;
  const secret = { ...rsa.privateKey.export({ format: 'jwk' }), kid: 'x' };
  for (const key of [
    jwk(weak, 'x'),
    jwk(small, 'x'),
    secret,
    rsa.publicKey.export({ format: 'jwk' }),
    { kty: 'oct', k: 'AA', kid: 'x' },
  ]) {
    const body = { name: 'x', role: 'query-platform', jwks: { keys: [key] } };
    assert.equal((await hub.call('POST', '/api/v1/clients', { body })).status, 400);
  }
  const { json } = await ask(await statement());
  assert.equal((await hub.call('DELETE', `/api/v1/clients/${id}`)).status, 200);
  assert.equal(await search(String(json['access_token'])), 401);
  assert.equal((await ask(await statement())).status, 401);
});

/** As `fetch` would not: with a Host of the sender's own. */
const sent = (host: string, path: string, form?: URLSearchParams): Promise<{ status: number; text: string }> =>
  new Promise((resolve, reject) => {
    const headers = { Host: host, 'Content-Type': 'application/x-www-form-urlencoded' };
    const asked = request(
      `${hub.origin}${path}`,
      { method: form === undefined ? 'GET' : 'POST', headers },
      (answer) => {
        let text = '';
        answer.on('data', (chunk: Buffer) => (text += chunk.toString()));
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
      },
    );
    asked.on('error', reject);
    asked.end(form?.toString());
  });

test('for whom a statement must be made is not the caller’s to say by a Host of his own', async () => {
  const { port } = new URL(hub.origin);
  const others = [
    'other.example',
    `other.example:${port}`,
    'localhost',
    '127.0.0.1:1',
    `127.0.0.1.other.example:${port}`,
  ];
  for (const host of others) {
    // The system's own statement for another server, caught there.
    const caught = await statement({ claims: { aud: `http://${host}/oauth/token` } });
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: caught,
      scope: 'system/*.read',
    });
    const answer = await sent(host, '/oauth/token', form);
    assert.deepEqual([answer.status, JSON.parse(answer.text)], [400, { error: 'invalid_request' }], host);
    const told = await sent(host, '/.well-known/smart-configuration');
    assert.equal(told.status, 503, host);
    assert.ok(!told.text.includes(`${host}/oauth`), told.text);
  }
  const [entry] = (await hub.audit.list({ face: 'oauth' }, { limit: 1 })).items;
  assert.match(entry?.reason ?? '', /HUB_PUBLIC_URL/);
  const named = await sent(`localhost:${port}`, '/.well-known/smart-configuration');
  assert.match(named.text, new RegExp(`http://localhost:${port}/oauth/token`));
});

test('where the hub has an address that is the one, whatever Host is sent', { timeout: 60_000 }, async () => {
  const named = await startRest(undefined, { publicUrl: 'https://hub.example' });
  const own = hub;
  hub = named;
  try {
    const told = await sent('other.example', '/fhir/.well-known/smart-configuration');
    assert.match(told.text, /"token_endpoint":"https:\/\/hub\.example\/oauth\/token"/);
  } finally {
    hub = own;
    await named.close();
  }
});
