/**
 * The audit as evidence, on a real PostgreSQL: whatever is bent by somebody who may do anything in the database is found
 * and said where; what is not bent is found in order, with many writers, over a break-off, and over retention.
 */
import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, beforeEach, test } from 'node:test';
import type { FindingKind } from '../../hub/core/audit-chain.ts';
import { readAuditKeys } from '../../hub/security/audit-key.ts';
import { SEAL_ALGORITHMS } from '../../hub/store/audit-seal.ts';
import { createAuditStore } from '../../hub/store/audit.ts';
import { chainCase, event, newKeys, type ChainCase } from '../support/audit-chain.ts';
import { EVERY_KIND } from '../support/audit-events.ts';
import { freshDatabase, type FreshDatabase } from '../support/database.ts';
import { alsoOpen } from '../support/keyring.ts';
import { vaultOf } from '../../hub/store/database.ts';

let fresh: FreshDatabase;
let chain: ChainCase;

async function begin(): Promise<void> {
  fresh = await freshDatabase();
  chain = chainCase(fresh.database);
}

/** Three writers, 300 records, an anchor after two thirds of them. */
async function filled(): Promise<void> {
  await begin();
  const writers = ['a', 'b', 'c'].map((name) => chain.writer(name));
  const some = async (count: number): Promise<void> => {
    for (let n = 0; n < count; n += 1)
      await Promise.all(writers.map((one) => one.record(event({ objects: [`exam/${String(n)}`] }))));
  };
  await some(60);
  await chain.anchor();
  await some(30);
}

const kinds = async (scope?: Parameters<ChainCase['verify']>[0]): Promise<readonly FindingKind[]> =>
  [...new Set((await chain.verify(scope)).findings.map(({ kind }) => kind))].sort();
const only = async <T extends object>(sql: string): Promise<T> => {
  const { rows } = await fresh.database.pool.query<T>(sql);
  return rows[0] ?? assert.fail(sql);
};
const MIDDLE = `select at, id::text, lane, seq::text from audit where lane = 2 and seq = 40`;

beforeEach(filled);
before(begin);

test('what nobody bent is in order: many writers, every kind of record, whole, since an anchor, and by month', async () => {
  const writer = chain.writer();
  for (const [, , , one] of EVERY_KIND) await writer.record(one);
  await writer.record(
    event({
      purpose: 'TREATMENT',
      basis: 'treating',
      institution: '省人民医院',
      session: 'f00',
      agent: 'Mozilla/5.0 ​\u0000',
    }),
  );
  await chain.anchor();
  const whole = await chain.verify();
  assert.deepEqual(whole.findings, []);
  assert.equal(whole.records, 270 + EVERY_KIND.length + 1);
  assert.equal(whole.anchors, 2);
  const rest = await chain.verify({ fromAnchor: 1 });
  assert.deepEqual([rest.intact, rest.records], [true, 90 + EVERY_KIND.length + 1]);
  const month = await chain.verify({ month: new Date().toISOString().slice(0, 7) });
  assert.deepEqual([month.intact, month.records], [true, whole.records]);
});

test('one changed character in any column is found, with its time and id', async () => {
  const { id } = await only<{ id: string }>(MIDDLE);
  const { rows } = await fresh.database.pool.query<{ column_name: string; data_type: string }>(
    `select column_name, data_type from information_schema.columns where table_name = 'audit' order by ordinal_position`,
  );
  const changes: Readonly<Record<string, string>> = {
    ...{ text: `coalesce(%, '') || 'x'`, bigint: '% + 1000000', integer: '% + 1', jsonb: `'{"a":1}'::jsonb` },
    'timestamp with time zone': `% + interval '1 millisecond'`,
    ARRAY: `% || 'x'::text`,
    bytea: 'set_byte(%, 0, get_byte(%, 0) # 1)',
  };
  for (const { column_name: column, data_type: type } of rows) {
    await filled();
    const { id: own } = await only<{ id: string }>(MIDDLE);
    const change = changes[type]?.replaceAll('%', column) ?? assert.fail(`${column} is ${type}`);
    await chain.bend(`update audit set ${column} = ${change} where id = ${own}`);
    const found = await chain.verify();
    assert.equal(found.intact, false, column);
    if (!['id', 'lane', 'seq', 'at'].includes(column))
      assert.ok(
        found.findings.some((one) => one.id === own && one.kind === 'altered'),
        `${column}: ${JSON.stringify(found.findings)}`,
      );
  }
  assert.ok(rows.length >= 23 && id !== '');
});

test('a record that is deleted is missed, and the one after it is named', async () => {
  const { at } = await only<{ at: Date }>(MIDDLE);
  await chain.bend('delete from audit where lane = 2 and seq = 40');
  const { findings } = await chain.verify();
  assert.deepEqual(
    findings.map(({ kind, lane, seq, records }) => [kind, lane, seq, records]),
    [['removed', 2, 40, 1]],
  );
  assert.ok((findings[0]?.at ?? '') >= at.toISOString());
});

test('a record that is put in is found: without a lane, in a lane, at the end of one, and in a lane of its own', async () => {
  const copy = (lane: string, seq: string): string =>
    `insert into audit (at, action, outcome, face, operation, caller_id, caller_name, caller_role, peer, persons, objects, lane, seq, hash)
     select at, action, outcome, face, operation, caller_id, caller_name, caller_role, peer, persons, objects, ${lane}, ${seq}, hash
     from audit where lane = 2 and seq = 80`;
  for (const [lane, seq] of [
    ['null', 'null'],
    ['lane', 'seq'],
    ['lane', '91'],
    ['lane', '10000'],
    ['77', '1'],
  ] as const) {
    await filled();
    await chain.bend(copy(lane, seq));
    assert.deepEqual(await kinds(), ['inserted'], `${lane} ${seq}`);
  }
});

test('two records that change places are found', async () => {
  const swap = (columns: string): string =>
    `update audit a set (${columns}) = (select ${columns} from audit b where b.lane = 2 and b.seq = 81 - a.seq)
     where a.lane = 2 and a.seq in (40, 41)`;
  await chain.bend(swap('seq, hash'));
  assert.ok((await kinds()).includes('reordered'));
  await filled();
  await chain.bend(swap('operation, objects, persons'));
  assert.deepEqual(await kinds(), ['altered']);
});

test('a tail that is cut off is found: by the lane, by the anchor where the lane is set back, by the next record', async () => {
  await chain.bend('delete from audit where lane = 2 and seq > 85');
  assert.deepEqual(await kinds(), ['truncated']);
  const back = `with cut as (delete from audit where lane = 2 and seq > 50),
    newest as (select seq, hash, at from audit where lane = 2 and seq = 50)
    update audit_lane l set (seq, hash, at) = (select seq, hash, at from newest) where lane = 2`;
  await filled();
  await chain.bend(back);
  assert.deepEqual(await kinds(), ['truncated'], 'anchored at 60');
  await begin();
  const writer = chain.writer();
  for (let n = 0; n < 70; n += 1) await writer.record(event());
  await chain.bend(back.replaceAll('lane = 2', 'lane = 1'));
  assert.deepEqual(await kinds(), [], 'set back, never anchored: nothing tells');
  await writer.record(event());
  assert.deepEqual(await kinds(), ['truncated'], 'the writer takes another lane, which says where its own was');
});

test('who recomputes a whole plain chain after what he changed is found by the anchor', async () => {
  await chain.bend(`update audit set outcome = 'refused' where lane = 2 and seq = 40`);
  const { createHash } = await import('node:crypto');
  const { canonical } = await import('../../hub/core/audit-chain.ts');
  const { AUDIT_COLUMNS, toRecord } = await import('../../hub/store/audit-row.ts');
  const { rows } = await fresh.database.pool.query<Parameters<typeof toRecord>[1] & { seq: string; hash: string }>(
    `select ${AUDIT_COLUMNS}, a.seq::text, encode(a.hash, 'hex') as hash from audit a where lane = 2 and seq >= 39 order by seq`,
  );
  let previous = rows[0]?.hash ?? '';
  for (const { seq, hash: _hash, ...row } of rows.slice(1)) {
    previous = createHash('sha256')
      .update(previous + canonical(toRecord(vaultOf(fresh.database.pool).fields, row), 2, Number(seq)))
      .digest('hex');
    await chain.bend(`update audit set hash = decode($2, 'hex') where lane = 2 and seq = $1`, [seq, previous]);
  }
  await chain.bend(`update audit_lane set hash = decode($1, 'hex') where lane = 2`, [previous]);
  const { findings } = await chain.verify();
  assert.deepEqual(
    findings.map(({ kind, lane, seq, text }) => [kind, lane, seq, text.includes('anchor 1')]),
    [['altered', 2, 60, true]],
  );
});

test('lanes that go, whole months that go, and lanes that are rewritten are found', async () => {
  await chain.bend('delete from audit_lane where lane = 2');
  assert.deepEqual(await kinds(), ['inserted', 'removed']);
  await filled();
  await chain.bend(`update audit_lane set process = 'somebody' where lane = 2`);
  assert.deepEqual(await kinds(), ['lane-forged']);
  await filled();
  await chain.bend('with gone as (delete from audit_lane where lane = 3) delete from audit where lane = 3');
  assert.deepEqual(await kinds(), ['truncated']);
  await filled();
  await chain.bend(`drop table audit_${new Date().toISOString().slice(0, 7).replace('-', '')}`);
  assert.deepEqual(await kinds(), ['truncated']);
});

test('an anchor that is replaced, altered, unsigned or gone is found', async () => {
  await chain.anchor();
  for (const [bending, kind] of [
    [
      `update audit_anchor set statement = replace(statement, '"seq":60', '"seq":59') where number = 1`,
      'anchor-forged',
    ],
    [
      `update audit_anchor set signature = (select signature from audit_anchor where number = 2) where number = 1`,
      'anchor-forged',
    ],
    [`delete from audit_anchor where number = 1`, 'anchor-missing'],
    [`delete from audit_anchor where number = 2`, 'anchor-missing'],
  ] as const) {
    await filled();
    await chain.anchor();
    await chain.bend(bending);
    assert.ok((await kinds()).includes(kind), bending);
  }
  await filled();
  const other = chainCase(fresh.database);
  await chain.bend('delete from audit_anchor');
  await other.anchor();
  const found = await kinds();
  assert.ok(found.includes('key-unknown') && found.includes('anchor-forged'), String(found));
});

test('a copy outside that differs is told; a line that a crash cut short is written again', async () => {
  const [name = ''] = readdirSync(chain.folder);
  const path = join(chain.folder, name);
  const text = readFileSync(path, 'utf8');
  writeFileSync(path, text.replace('signature":"', 'signature":"AAAA'));
  assert.deepEqual(await kinds(), ['anchor-forged']);
  writeFileSync(path, text);
  appendFileSync(path, '{"number":2,"statem');
  await chain.anchor();
  assert.deepEqual(await kinds(), []);
  assert.equal(await chain.copies[0]?.newest(), 2);
});

test('each digest and each signature: plain and keyed, SM3 and SM2; without the key a keyed chain proves nothing', async () => {
  for (const algorithm of SEAL_ALGORITHMS) {
    fresh = await freshDatabase();
    chain = chainCase(fresh.database, { algorithm, keys: newKeys(algorithm.includes('sm3') ? 'sm2' : 'ed25519').keys });
    const writer = chain.writer();
    for (let n = 0; n < 5; n += 1) await writer.record(event());
    await chain.anchor();
    assert.deepEqual(await kinds(), [], algorithm);
    const { keys } = newKeys();
    const found = await chain.verify({}, keys);
    const told = new Set(
      found.findings.map(({ kind, text }) => `${kind} ${text.includes('lane') ? 'lane' : 'anchor'}`),
    );
    assert.deepEqual(
      [...told].sort(),
      algorithm.startsWith('hmac') ? ['key-unknown anchor', 'key-unknown lane'] : ['key-unknown anchor'],
    );
    await chain.bend(`update audit set peer = '10.0.0.1' where seq = 3`);
    assert.deepEqual(await kinds(), ['altered'], algorithm);
  }
});

test('a key is changed by putting the next before it; what the old one signed stays believed', async () => {
  const old = newKeys();
  const next = newKeys('sm2');
  fresh = await freshDatabase();
  const first = chainCase(fresh.database, { keys: old.keys });
  await first.writer().record(event());
  await first.anchor();
  const both = readAuditKeys(`${next.pem}${old.pem}`);
  const second = chainCase(fresh.database, { keys: both });
  await second.writer().record(event());
  await second.desk.anchor();
  assert.deepEqual((await second.verify()).findings, []);
  assert.deepEqual(
    (await second.verify({}, next.keys)).findings.map(({ kind }) => kind),
    ['key-unknown'],
  );
});

test('the database refuses change, deletion and emptying, of partitions too and in sessions that replay', async () => {
  const part = `audit_${new Date().toISOString().slice(0, 7).replace('-', '')}`;
  for (const table of ['audit', part, 'audit_anchor', 'audit_lane'])
    for (const statement of [`delete from ${table}`, `truncate ${table}`, `update ${table} set at = at`])
      for (const mode of ['origin', 'replica'])
        await assert.rejects(
          fresh.database.transaction(async (connection) => {
            await connection.query(`set local session_replication_role = ${mode}`);
            await connection.query(statement);
          }),
          /never changed or deleted/,
          `${statement} ${mode}`,
        );
  await assert.rejects(fresh.database.pool.query(`select audit_drop('2020-01-01')`), /no anchor/);
  await assert.rejects(
    fresh.database.pool.query(`select audit_drop(date_trunc('month', now())::date)`),
    /at least 180 days/,
  );
});

test('a hub that owns no table can write and retain, and nothing else', async () => {
  const [owner, hub] = ['owner', 'hub'].map((name) => `hutong_${name}_${String(process.pid)}`);
  const { database } = fresh;
  await database.pool.query(`create role ${owner}; create role ${hub}`);
  const guide = readFileSync(new URL('../../openapi/audit.md', import.meta.url), 'utf8');
  const sql = /```sql\n([\s\S]*?)```/.exec(guide)?.[1] ?? assert.fail('the guide has the statements');
  await database.pool.query(sql.replaceAll('hutong_audit', owner ?? '').replaceAll('hutong_hub', hub ?? ''));
  const limited = { ...database, pool: database.pool };
  const connection = await database.pool.connect();
  try {
    await connection.query(`set role ${hub}`);
    const query = (text: string): Promise<unknown> => connection.query(text);
    await query(`select audit_partition('2031-01-01')`);
    await query("select audit_due((now() - interval '200 days')::date)");
    for (const statement of [
      ...['delete from audit', 'truncate audit', 'update audit set peer = peer', 'drop table audit cascade'],
      ...[
        'alter table audit disable trigger all',
        'drop table audit_203101',
        'delete from audit_lane',
        'delete from audit_anchor',
      ],
      'alter function audit_is_final() rename to x',
    ])
      await assert.rejects(query(statement), /permission denied|must be owner|never changed/, statement);
    await connection.query('reset role');
  } finally {
    connection.release();
  }
  assert.ok(limited);
  await database.pool.query(`alter role ${hub ?? ''} login`);
  const url = new URL(fresh.url);
  const own = await alsoOpen(url.toString());
  own.pool.on('connect', (client) => void client.query(`set role ${hub ?? ''}`));
  const store = createAuditStore({ database: own, clock: () => new Date() });
  await store.record(event({ objects: ['exam/limited'] }));
  await own.close();
  assert.deepEqual((await chain.verify()).findings, []);
  await database.pool.query(
    `drop owned by ${hub ?? ''} cascade; drop owned by ${owner ?? ''} cascade; drop role ${hub ?? ''}; drop role ${owner ?? ''}`,
  );
});

test('retention drops whole months of before 180 days once an anchor says so; the rest stays provable', async () => {
  let now = new Date(Date.now() - 400 * 86_400_000);
  fresh = await freshDatabase();
  chain = chainCase(fresh.database, { clock: () => now });
  const writer = chain.writer();
  for (let n = 0; n < 20; n += 1) await writer.record(event());
  await chain.anchor();
  const gone = now.toISOString().slice(0, 7);
  now = new Date();
  await writer.record(event({ objects: ['exam/now'] }));
  const day = (ago: number): string => new Date(Date.now() - ago * 86_400_000).toISOString().slice(0, 10);
  await assert.rejects(chain.desk.retain(day(179)), /180 days/);
  const exported: string[] = [];
  const told = await chain.desk.retain(day(200), (month) => Promise.resolve(void exported.push(month)));
  assert.deepEqual([told, exported], [[gone], [gone]]);
  await chain.anchor();
  const { findings, records } = await chain.verify();
  assert.deepEqual([findings, records], [[], 1]);
  const last = (await chain.desk.after(0, 10)).map(({ statement }) => statement).find((one) => one.includes('dropped'));
  assert.match(last ?? '', new RegExp(`"dropped":\\[\\{"month":"${gone}","records":20\\}\\]`));
});

test('records of before the chain stand under the first anchor', async () => {
  await begin();
  await fresh.database.pool.query(`select audit_partition(now()::date)`);
  await fresh.database.pool.query(
    `insert into audit (at, action, outcome, face, operation, caller_id, caller_name, caller_role, peer, persons, objects)
     select date_trunc('milliseconds', now()), 'read', 'success', 'rest', 'readExam', 'c' || n, '', '', '', '{}', '{}' from generate_series(1, 5000) n`,
  );
  await chain.writer().record(event());
  assert.deepEqual(await kinds(), []);
  await chain.anchor();
  assert.deepEqual(await kinds(), []);
  await chain.bend(`update audit set peer = 'x' where caller_id = 'c17'`);
  assert.deepEqual(await kinds(), ['altered']);
  await chain.bend(`delete from audit where caller_id = 'c18'`);
  assert.deepEqual(await kinds(), ['removed']);
});
