/** Clients on a real PostgreSQL: tokens are kept as hashes, revoked at once, and there is one bootstrap administrator. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { ClientStore } from '../../hub/core/client.ts';
import { siteId } from '../../hub/core/identifier.ts';
import { bearerToken, drawToken, ensureAdministrator, hashToken } from '../../hub/security/token.ts';
import { createClientStore } from '../../hub/store/client.ts';
import type { FreshDatabase } from '../support/database.ts';
import { freshDatabase } from '../support/database.ts';

let fresh: FreshDatabase;
let clients: ClientStore;
let now = new Date('2026-11-22T01:00:00Z');

before(async () => {
  fresh = await freshDatabase();
  clients = createClientStore({ database: fresh.database, clock: () => now });
});

const feed = { name: 'H1 feed', role: 'hospital-feed', site: siteId('h1'), createdBy: 'test' } as const;

test('a token is found by its hash until it is revoked, and then at once no more', async () => {
  const token = drawToken();
  const made = await clients.add(feed, hashToken(token));
  assert.equal((await clients.byTokenHash(hashToken(token)))?.id, made.id);
  assert.equal((await clients.revoke(made.id))?.revokedAt, now.toISOString());
  assert.equal(await clients.byTokenHash(hashToken(token)), null);
  assert.equal(await clients.revoke(made.id), null, 'revoking twice finds nothing to revoke');
  assert.equal((await clients.byId(made.id))?.revokedAt, now.toISOString(), 'it stays for the record');
});

test('no token stands in the table', async () => {
  const token = drawToken();
  await clients.add(feed, hashToken(token));
  const { rows } = await fresh.database.pool.query<{ row: string }>('select client::text as row from client');
  for (const { row } of rows) assert.ok(!row.includes(token) && !row.includes(token.slice(7)));
  assert.ok(token.length >= 7 + 43, '256 bits in base64url');
});

test('the last use is noted, at most once a minute', async () => {
  const token = drawToken();
  const { id } = await clients.add(feed, hashToken(token));
  await clients.byTokenHash(hashToken(token));
  const first = (await clients.byId(id))?.lastUsedAt;
  assert.equal(first, now.toISOString());
  now = new Date(now.getTime() + 30_000);
  await clients.byTokenHash(hashToken(token));
  assert.equal((await clients.byId(id))?.lastUsedAt, first);
  now = new Date(now.getTime() + 40_000);
  await clients.byTokenHash(hashToken(token));
  assert.equal((await clients.byId(id))?.lastUsedAt, now.toISOString());
});

test('the list is paged without gap or repeat, and an unknown id or mark is harmless', async () => {
  const seen: string[] = [];
  let after: string | undefined;
  do {
    const page = await clients.list({ limit: 2, ...(after === undefined ? {} : { after }) });
    seen.push(...page.items.map(({ id }) => id));
    after = page.next ?? undefined;
  } while (after !== undefined);
  assert.equal(new Set(seen).size, seen.length);
  assert.ok(seen.length >= 3);
  assert.equal(await clients.byId("' or 1=1 --"), null);
  assert.equal(await clients.revoke('../../etc'), null);
  assert.equal((await clients.list({ limit: 1, after: 'nonsense' })).items.length, 1);
});

test('a hospital feed without a site cannot exist', async () => {
  await assert.rejects(clients.add({ ...feed, site: null }, hashToken(drawToken())), /check/);
});

test('the bootstrap administrator: given, replaced, or made once', async () => {
  const made = await ensureAdministrator(clients, undefined);
  assert.ok(made !== null);
  assert.equal((await clients.byTokenHash(hashToken(made)))?.role, 'administrator');
  assert.equal(await ensureAdministrator(clients, undefined), null, 'the second start prints nothing');
  assert.equal(await ensureAdministrator(clients, 'chosen-by-the-operator'), null);
  assert.equal(await clients.byTokenHash(hashToken(made)), null, 'the old token ends when another is given');
  assert.equal((await clients.byTokenHash(hashToken('chosen-by-the-operator')))?.role, 'administrator');
  const { rows } = await fresh.database.pool.query('select from client where bootstrap');
  assert.equal(rows.length, 1);
});

test('many starters make one administrator', async () => {
  await fresh.database.pool.query('delete from client where bootstrap');
  const made = await Promise.all(Array.from({ length: 8 }, () => ensureAdministrator(clients, undefined)));
  const printed = made.filter((token) => token !== null);
  assert.equal(printed.length, 1, 'only one prints a token');
  assert.equal((await clients.byTokenHash(hashToken(printed[0] ?? '')))?.role, 'administrator', 'and that one works');
});

test('a bearer token is read as RFC 6750 writes it', () => {
  assert.equal(bearerToken('Bearer abc.DEF-1~+/='), 'abc.DEF-1~+/=');
  assert.equal(bearerToken('bearer  abc '), 'abc');
  for (const bad of [
    undefined,
    '',
    'Bearer',
    'Bearer ',
    'Basic abc',
    'Bearer a b',
    'Bearer 密码',
    `Bearer ${'a'.repeat(9000)}`,
  ])
    assert.equal(bearerToken(bad), null);
});
