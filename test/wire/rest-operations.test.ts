/** Operations over the wire: who is bound to a site sees that site alone, and refusals are in the audit. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { siteId } from '../../hub/core/identifier.ts';
import { drawToken, hashToken } from '../../hub/security/token.ts';
import { signedIn } from '../support/people.ts';
import { startRest, type RestServer } from '../support/rest-server.ts';

let hub: RestServer;
let bound = '';
let journalId = '';

before(async () => {
  hub = await startRest();
  bound = drawToken();
  await hub.clients.add({ name: 'bound', role: 'operator', site: siteId('h2'), createdBy: 'test' }, hashToken(bound));
  const body = { patientId: 'P1', name: '张三', sex: 'M', phone: '13912345678' };
  const sent = await hub.call('POST', '/api/v1/sites/h1/registrations', { as: 'hospital-feed', body });
  assert.equal(sent.status, 202);
  journalId = String(sent.json.journalId);
});
after(() => hub.close());

const get = (path: string, token?: string) =>
  hub.call('GET', `/api/v1${path}`, token === undefined ? { as: 'operator' } : { token });

test('an operator reads a message masked, and neither its bytes nor what is masked', async () => {
  const decoded = await get(`/journal/${journalId}/decoded`);
  assert.equal(decoded.status, 200);
  assert.doesNotMatch(decoded.text, /张三|13912345678/);
  assert.equal((await get(`/journal/${journalId}/raw`)).status, 403);
  const unmask = { as: 'operator', body: { reason: 'curious' } } as const;
  assert.equal((await hub.call('POST', `/api/v1/journal/${journalId}/unmask`, unmask)).status, 403);
  const { items } = await hub.audit.list({ action: 'refuse' }, { limit: 5 });
  assert.ok(items.some(({ operation }) => operation === 'unmaskJournalEntry'));
  const whole = { as: 'administrator', body: { reason: '核对姓名' } } as const;
  assert.match((await hub.call('POST', `/api/v1/journal/${journalId}/unmask`, whole)).text, /张三/);
  const [first] = (await hub.audit.list({ action: 'read' }, { limit: 1 })).items;
  assert.deepEqual([first?.operation, first?.reason], ['unmaskJournalEntry', 'unmasked: 核对姓名']);
});

test('who is bound to a site does not learn that there is anything of another', async () => {
  for (const path of [`/journal/${journalId}`, `/journal/${journalId}/decoded`])
    assert.equal((await get(path, bound)).status, 404, path);
  assert.deepEqual((await get('/journal', bound)).json.items, []);
  assert.equal((await get('/journal?site=h1', bound)).status, 403);
  assert.equal((await get('/codes/unmapped?site=h1', bound)).status, 403);
  assert.equal((await get('/operations/channels?site=h1', bound)).status, 403);
  const post = (path: string, body: object) => hub.call('POST', `/api/v1${path}`, { token: bound, body });
  assert.equal((await post(`/journal/${journalId}/retry`, {})).status, 404);
  const mapping = { site: 'h1', table: 'sex', source: '8', code: 'female', reason: 'not mine' };
  assert.equal((await post('/codes/mappings', mapping)).status, 403);
  assert.equal(
    (await post('/replays/preview', { mapping: { site: 'h1', table: 'sex', source: '8', code: 'female' } })).status,
    404,
  );
  assert.equal((await post('/replays', { kind: 'replay', filter: { site: 'h1' }, reason: 'not mine' })).status, 403);
  assert.equal((await post('/replays', { kind: 'replay', journalIds: [journalId], reason: 'not mine' })).status, 404);
});

test('an interface engineer tries and replays messages of the own site, and named ones of another are not there', async () => {
  const body = { patientId: 'P2', name: '李四', sex: 'F', phone: '13712345678' };
  const sent = await hub.call('POST', '/api/v1/sites/h2/registrations', { as: 'administrator', body });
  const foreign = String(sent.json.journalId);
  await hub.fresh.database.pool.query(
    `insert into settlement (received_at, journal_id, site, channel, state, attempts, settled_at)
     select received_at, id, site, channel, 'applied', 1, received_at from journal where id = any ($1)`,
    [[journalId, foreign]],
  );
  hub.people.set('engineer', { ...signedIn('engineer', 'interface-engineer'), site: siteId('h1') });
  const post = (path: string, sentBody: object) =>
    hub.call('POST', `/api/v1${path}`, { headers: { 'X-Test-Person': 'engineer' }, body: sentBody });
  const tried = await post('/replays/preview', { journalIds: [journalId, foreign] });
  const { concerned, entries } = tried.json as { concerned: number; entries: { journalId: string }[] };
  assert.deepEqual([concerned, entries.map((entry) => entry.journalId)], [1, [journalId]], tried.text);
  assert.match(tried.text, /张三/, 'a message of the own site is shown whole');
  assert.doesNotMatch(tried.text, /李四/);
  const wanted = { kind: 'replay', reason: 'mapping was mended' };
  assert.equal((await post('/replays', { ...wanted, journalIds: [foreign] })).status, 404);
  const started = await post('/replays', { ...wanted, journalIds: [journalId, foreign] });
  assert.deepEqual([started.status, started.json.total, started.json.site], [200, 1, 'h1'], started.text);
  const own = await hub.call('GET', '/api/v1/replays', { headers: { 'X-Test-Person': 'engineer' } });
  assert.equal((own.json.items as object[]).length, 1, 'and follows it');
});

test('a code maps only to what its table allows, once, and wrong ranges are refused', async () => {
  const post = (body: object) => hub.call('POST', '/api/v1/codes/mappings', { as: 'operator', body });
  const sound = { site: 'h1', table: 'sex', source: '8', code: 'female', reason: 'as told' };
  assert.equal((await post({ ...sound, code: 'weiblich' })).json.code, 'unknown-code');
  assert.equal((await post({ ...sound, table: 'shoe-size' })).status, 400);
  assert.equal((await post({ ...sound, site: 'h99' })).status, 400);
  const made = await post(sound);
  assert.equal(made.status, 200);
  assert.equal((await post(sound)).status, 409);
  const { mapping } = made.json as { mapping: { mappingId: string } };
  const undo = { as: 'operator', body: { reason: 'by mistake' } } as const;
  const path = `/api/v1/codes/mappings/${mapping.mappingId}/undo`;
  assert.equal((await hub.call('POST', path, undo)).status, 200);
  assert.equal((await hub.call('POST', path, undo)).status, 409);
  const found = await get('/codes/targets?table=procedure&text=CT-CHEST');
  assert.match(found.text, /CT-CHEST-P/);
  assert.equal((await get('/operations/intake?from=2026-01-01T00:00:00Z&to=2026-12-01T00:00:00Z')).status, 400);
  assert.equal((await get('/operations/completeness?from=2026-11-01T00:00:00Z&to=2026-11-02T00:00:00Z')).status, 200);
});
