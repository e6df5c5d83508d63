/** Every operation of the contract leaves a record, whatever comes of it, with who, what, whence (SECURITY L3-AU1, AU2). */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { readDocument } from '../../openapi/document.ts';
import type { ClientRole } from '../../hub/core/access.ts';
import type { AuditEntry } from '../../hub/core/client.ts';
import { event } from '../support/audit-chain.ts';
import { startRest, type RestServer } from '../support/rest-server.ts';

let hub: RestServer;
before(async () => {
  hub = await startRest();
});
after(() => hub.close());

const operations = Object.entries(readDocument().paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
);
const AGENT = 'coverage/1.0';
const place = (path: string): string =>
  `/api/v1${path.replace('{site}', 'h1').replaceAll('{id}', '00000000-0000-5000-8000-000000000000')}`;

async function newest(): Promise<AuditEntry | undefined> {
  await hub.audit.flush();
  return (await hub.audit.list({}, { limit: 1 })).items[0];
}
const send = (method: string, path: string, as: ClientRole | null): Promise<{ status: number }> =>
  hub.call(method, place(path), {
    as,
    headers: { 'User-Agent': AGENT },
    ...(method === 'GET' ? {} : { body: {} }),
  });

test('each operation is recorded for who may call it: given, refused by its body, or of nobody', async () => {
  assert.ok(operations.length > 25);
  for (const { path, method, operation } of operations) {
    // Signing on records what it was, by whoever came: sign-on.test.ts.
    if (operation['x-act'] === 'feed' || operation['x-act'] === 'public') continue;
    const before = await newest();
    const { status } = await send(method, path, 'administrator');
    const record = await newest();
    const what = `${method} ${path} ${String(status)}`;
    assert.notEqual(record?.id, before?.id, what);
    assert.equal(record?.operation, operation.operationId, what);
    assert.equal(record.outcome, status < 400 ? 'success' : 'failure', what);
    assert.deepEqual(
      [record.face, record.callerName, record.callerRole],
      ['rest', 'administrator', 'administrator'],
      what,
    );
    assert.deepEqual([record.peer, record.agent], ['127.0.0.1', AGENT], what);
    assert.ok(status < 400 || record.reason !== undefined, what);
  }
});

test('each operation is recorded for who has no right to it, and for nobody', async () => {
  let refused = 0;
  for (const { path, method, operation } of operations)
    for (const role of ['operator', 'query-platform', 'hospital-feed', null] as const) {
      if (operation['x-act'] === 'public') continue;
      const { status } = await send(method, path, role);
      if (status !== 403 && status !== 401) continue;
      refused += 1;
      const record = await newest();
      const what = `${method} ${path} ${String(role)}`;
      assert.deepEqual([record?.action, record?.outcome], ['refuse', 'refused'], what);
      if (role !== null) assert.deepEqual([record?.operation, record?.callerRole], [operation.operationId, role], what);
      assert.ok(record?.reason !== undefined && record.peer === '127.0.0.1', what);
    }
  assert.ok(refused > operations.length);
});

test('what hospitals send is recorded, as it is from every feed', async () => {
  for (const { path, method, operation } of operations.filter((one) => one.operation['x-act'] === 'feed')) {
    const from = new Date().toISOString();
    const body = (operation as { requestBody?: { $ref?: string } }).requestBody?.$ref;
    const name = body?.split('/').at(-1) ?? assert.fail(operation.operationId);
    const { requestBodies = {} } = readDocument().components as { requestBodies?: Record<string, unknown> };
    const example = /"example":(\{.*?\})[,}]/.exec(JSON.stringify(requestBodies[name]))?.[1];
    const { status } = await hub.call(method, place(path), { body: example ?? {} });
    await hub.audit.flush();
    const { items } = await hub.audit.list({ from, face: 'rest' }, { limit: 10 });
    assert.ok(status >= 400 || items.some(({ action }) => action === 'feed'), operation.operationId);
  }
});

test('the patient sees who looked: where, in what role, why, and as much of the name as policy shows', async () => {
  const person = '00000000-0000-5000-8000-0000000000aa';
  const doctor = { callerId: 'a1', callerName: '欧阳明', callerRole: 'physician', session: 's', persons: [person] };
  await hub.audit.record(event({ ...doctor, institution: '省人民医院', purpose: 'EMERGENCY', face: 'dicomweb' }));
  await hub.audit.record(event({ ...doctor, action: 'refuse', outcome: 'refused' }));
  await hub.audit.record(event({ ...doctor, action: 'feed' }));
  await hub.audit.record(event({ persons: [person] }));
  await hub.fresh.database.pool.query(`insert into person (person_id, replaced_by) values ($1, $2), ($2, null)`, [
    person,
    '00000000-0000-5000-8000-0000000000bb',
  ]);
  const answer = await hub.call('GET', '/api/v1/persons/00000000-0000-5000-8000-0000000000bb/accesses', {
    as: 'query-platform',
  });
  assert.equal(answer.status, 200);
  const items = answer.json['items'] as readonly Record<string, unknown>[];
  assert.deepEqual(
    items.map(({ at: _at, ...item }) => item),
    [
      {
        institution: '查询平台',
        role: 'query-platform',
        reader: null,
        purpose: null,
        emergency: false,
        action: 'read',
        what: 'records',
      },
      {
        institution: '省人民医院',
        role: 'physician',
        reader: '欧阳**',
        purpose: 'EMERGENCY',
        emergency: true,
        action: 'read',
        what: 'images',
      },
    ],
  );
  assert.doesNotMatch(answer.text, /欧阳明|127\.0\.0\.1/);
  for (const as of ['operator', 'hospital-feed'] as const)
    assert.equal((await hub.call('GET', `/api/v1/persons/${person}/accesses`, { as })).status, 403);
});
