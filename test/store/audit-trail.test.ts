/** The audit on a real PostgreSQL: durable before it answers, batched, partitioned by month, never changed. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { AuditEvent } from '../../hub/core/audit.ts';
import type { AuditStore } from '../../hub/store/audit.ts';
import { createAuditStore } from '../../hub/store/audit.ts';
import type { FreshDatabase } from '../support/database.ts';
import { freshDatabase } from '../support/database.ts';

let fresh: FreshDatabase;
let audit: AuditStore;
let now = new Date('2026-11-30T23:59:59.900Z');

before(async () => {
  fresh = await freshDatabase();
  audit = createAuditStore({ database: fresh.database, clock: () => now });
});

const event = (change: Partial<AuditEvent> = {}): AuditEvent => ({
  action: 'read',
  outcome: 'success',
  face: 'rest',
  operation: 'GET /api/v1/exams/{id}',
  callerId: 'c1',
  callerName: '查询平台',
  callerRole: 'query-platform',
  peer: '127.0.0.1',
  persons: ['p1'],
  objects: ['exam/e1'],
  ...change,
});

test('many records at once are few inserts, and each is there when its promise resolves', async () => {
  const inserts = (): Promise<number> =>
    fresh.database.pool
      .query<{ n: number }>('select count(distinct xmin::text)::int as n from audit')
      .then(({ rows }) => rows[0]?.n ?? 0);
  await Promise.all(Array.from({ length: 400 }, (_, n) => audit.record(event({ objects: [`exam/${String(n)}`] }))));
  const { rows } = await fresh.database.pool.query<{ n: number }>('select count(*)::int as n from audit');
  assert.equal(rows[0]?.n, 400);
  assert.ok((await inserts()) <= 3, 'group commit');
});

test('what nobody waits for is gathered into few inserts, goes along with what somebody waits for, and all is flushed', async () => {
  const inserts = async (operation: string): Promise<number> => {
    const { rows } = await fresh.database.pool.query<{ n: number }>(
      'select count(distinct xmin::text)::int as n from audit where operation = $1',
      [operation],
    );
    return rows[0]?.n ?? 0;
  };
  const written: Promise<void>[] = [];
  for (let n = 0; n < 40; n++) {
    written.push(audit.record(event({ operation: 'ORM' }), 'soon'));
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(await inserts('ORM'), 0, 'still gathered');
  await audit.record(event({ operation: 'a read' }));
  await Promise.all(written);
  assert.equal(await inserts('ORM'), 1);
  await audit.record(event({ operation: 'ORU' }), 'soon');
  assert.equal(await inserts('ORU'), 1, 'by itself, in time');
  const last = audit.record(event({ operation: 'SIU' }), 'soon');
  await audit.flush();
  assert.equal(await inserts('SIU'), 1);
  await last;
});

test('a month begins by itself, in its own partition', async () => {
  now = new Date('2026-12-01T00:00:00.100Z');
  await audit.record(event({ objects: ['exam/december'] }));
  const { rows } = await fresh.database.pool.query<{ part: string }>(
    `select tableoid::regclass::text as part from audit where objects = array['exam/december']`,
  );
  assert.deepEqual(rows, [{ part: 'audit_202612' }]);
});

test('what was recorded can be neither changed nor deleted', async () => {
  for (const statement of [`update audit set outcome = 'success'`, 'delete from audit'])
    await assert.rejects(fresh.database.pool.query(statement), /never changed/);
});

test('filters restrict, pages neither repeat nor skip', async () => {
  for (let n = 0; n < 25; n++)
    await audit.record(event({ callerId: 'pager', persons: [`p${String(n % 5)}`], objects: [`o/${String(n)}`] }));
  const seen: (string | undefined)[] = [];
  let after: string | undefined;
  do {
    const page = await audit.list({ callerId: 'pager' }, { limit: 7, ...(after === undefined ? {} : { after }) });
    seen.push(...page.items.map(({ objects }) => objects[0]));
    after = page.next ?? undefined;
  } while (after !== undefined);
  assert.deepEqual(
    seen,
    Array.from({ length: 25 }, (_, n) => `o/${String(24 - n)}`),
  );
  assert.equal((await audit.list({ personId: 'p3', callerId: 'pager' }, { limit: 50 })).items.length, 5);
  assert.equal((await audit.list({ action: 'refuse' }, { limit: 50 })).items.length, 0);
  assert.equal(
    (await audit.list({ from: '2026-12-01T00:00:00Z', to: '2027-01-01T00:00:00Z' }, { limit: 50 })).items.length,
    26,
  );
});

test('hostile text is kept harmless, not refused', async () => {
  const path = `GET /\u0000${'x'.repeat(5_000)}\ud800`;
  await audit.record(event({ operation: path, callerId: 'hostile', reason: "'; drop table audit; --" }));
  const { items } = await audit.list({ callerId: 'hostile' }, { limit: 1 });
  assert.deepEqual(
    items.map((item) => [item.operation.length, item.reason]),
    [[1_000, "'; drop table audit; --"]],
  );
});

test('a record that cannot be written rejects, and the next one is written', async () => {
  await fresh.database.pool.query('alter table audit rename to audit_away');
  await assert.rejects(audit.record(event()));
  await fresh.database.pool.query('alter table audit_away rename to audit');
  await audit.record(event());
});

test('many starters prepare the same months at once', async () => {
  const clock = (): Date => new Date('2028-03-15T00:00:00Z');
  const starters = Array.from({ length: 12 }, () => createAuditStore({ database: fresh.database, clock }));
  await Promise.all(starters.map((one) => one.prepare()));
  const months = await fresh.database.pool.query<{ relname: string }>(
    `select relname from pg_class where relname ~ '^audit_2028[0-9]{2}$' order by 1`,
  );
  assert.deepEqual(
    months.rows.map((row) => row.relname),
    ['audit_202803', 'audit_202804'],
  );
});
