/** When the audit cannot be written: refused, except in an emergency, which is put down elsewhere first and drained once. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, test } from 'node:test';
import type { AuditEvent } from '../../hub/core/audit.ts';
import { checkExport, exportAudit, writeExport } from '../../hub/store/audit-export.ts';
import { createLaneWriter } from '../../hub/store/audit-lane.ts';
import { openAuditReserve } from '../../hub/store/audit-reserve.ts';
import { createAuditStore } from '../../hub/store/audit.ts';
import { chainCase, event, newKeys, type ChainCase } from '../support/audit-chain.ts';
import { freshDatabase, type FreshDatabase } from '../support/database.ts';
import { TEST_FIELDS } from '../support/keyring.ts';

let fresh: FreshDatabase;
let chain: ChainCase;
const clock = (): Date => new Date();
const urgent = (n: number): AuditEvent =>
  event({ purpose: 'EMERGENCY', basis: 'break-glass', objects: [`exam/${String(n)}`] });
const path = (): string => join(mkdtempSync(join(tmpdir(), 'hutong-reserve-')), 'audit', 'reserve');

before(async () => {
  fresh = await freshDatabase();
  chain = chainCase(fresh.database);
});
const away = (isAway: boolean): Promise<unknown> =>
  fresh.database.pool.query(
    isAway ? 'alter table audit rename to audit_away' : 'alter table audit_away rename to audit',
  );
const found = async (): Promise<readonly string[]> => {
  const { rows } = await fresh.database.pool.query<{ o: string }>(
    `select objects[1] as o from audit where detail ? 'reserved' order by at, id`,
  );
  return rows.map(({ o }) => o);
};

test('a doctor in an emergency goes on, others do not; what was put down comes into the chain, with its time, once', async () => {
  const file = path();
  const reserve = await openAuditReserve(file, TEST_FIELDS);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const store = createAuditStore({ database: fresh.database, clock, reserve });
  await store.record(event());
  await away(true);
  await assert.rejects(store.record(event()));
  const began = Date.now();
  await Promise.all([1, 2, 3].map((n) => store.record(urgent(n))));
  const ended = Date.now();
  assert.deepEqual(store.counts(), { written: 1, failed: 1, reserved: 3, waiting: 3 });
  assert.match(readFileSync(file, 'utf8').split('\0')[0] ?? '', /^(HSv1\S+\n)+$/, 'sealed as rows are');
  await away(false);
  await store.record(event());
  await store.flush();
  assert.deepEqual([store.counts().waiting, await found()], [0, ['exam/1', 'exam/2', 'exam/3']]);
  const { rows } = await fresh.database.pool.query<{ at: Date }>(`select at from audit where detail ? 'reserved'`);
  assert.ok(rows.every(({ at }) => at.getTime() >= began && at.getTime() <= ended));
  assert.doesNotMatch(readFileSync(file, 'utf8'), /HSv1/, 'nothing of it stays');
  assert.deepEqual((await chain.verify()).findings, []);
  await reserve.close();
});

test('a process that dies leaves it to the next; one that dies after draining leaves nothing twice', async () => {
  const file = path();
  const first = await openAuditReserve(file, TEST_FIELDS);
  for (const n of [11, 12]) assert.equal(await first.put(new Date(), urgent(n)), true);
  await first.close();
  const bytes = readFileSync(file);
  const second = await openAuditReserve(file, TEST_FIELDS);
  assert.equal(second.waiting(), 2);
  assert.equal(await second.drain(fresh.database, createLaneWriter({ database: fresh.database })), 2);
  await second.close();
  const end = bytes.indexOf(0);
  bytes.write('{"key":"cut sho', end);
  writeFileSync(file, bytes);
  const third = await openAuditReserve(file, TEST_FIELDS);
  assert.equal(third.waiting(), 2, 'the line that was cut short was never told to be durable');
  await third.drain(fresh.database, createLaneWriter({ database: fresh.database }));
  await third.close();
  assert.deepEqual((await found()).slice(3), ['exam/11', 'exam/12']);
  assert.deepEqual((await chain.verify()).findings, []);
});

test('its room is taken beforehand, and when it is full emergencies are refused as well', async () => {
  const file = path();
  const reserve = await openAuditReserve(file, TEST_FIELDS, 4_096);
  assert.equal(statSync(file).size, 4_096);
  const store = createAuditStore({ database: fresh.database, clock, reserve });
  await away(true);
  const told = await Promise.allSettled(Array.from({ length: 30 }, (_, n) => store.record(urgent(n))));
  await away(false);
  const done = told.filter(({ status }) => status === 'fulfilled').length;
  assert.ok(done > 3 && done < 20);
  assert.equal(statSync(file).size, 4_096);
  await reserve.close();
});

test('an export is signed over every line, and one changed character is seen', async () => {
  const period = { from: '2000-01-01T00:00:00.000Z', to: '2100-01-01T00:00:00.000Z' };
  const file = join(mkdtempSync(join(tmpdir(), 'hutong-export-')), 'all.ndjson');
  await writeExport(file, exportAudit({ database: fresh.database, key: chain.keys.signer, clock }, period));
  const text = readFileSync(file, 'utf8');
  const lines = text.trimEnd().split('\n');
  const { rows } = await fresh.database.pool.query<{ n: number }>('select count(*)::int as n from audit');
  assert.equal(lines.length, (rows[0]?.n ?? 0) + 2);
  const record = JSON.parse(lines[1] ?? '') as { lane: number; seq: number; hash: string };
  assert.match(record.hash, /^[0-9a-f]{64}$/);
  assert.deepEqual([record.lane, record.seq], [1, 1]);
  assert.equal(checkExport(text, chain.keys.check), true);
  assert.equal(checkExport(text.replace('readExam', 'readexam'), chain.keys.check), false);
  assert.equal(checkExport(lines.filter((_, n) => n !== 2).join('\n') + '\n', chain.keys.check), false);
  assert.equal(checkExport(text, newKeys().keys.check), null);
});
