/** Retention gives days back whole, and never a day in which something still waits or is under review. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { siteId } from '../../hub/core/identifier.ts';
import type { Database } from '../../hub/store/database.ts';
import { createJournal } from '../../hub/store/journal.ts';
import { dropExpired, preparePartitions } from '../../hub/store/journal-upkeep.ts';
import { freshDatabase, quiet } from '../support/database.ts';

let database: Database;
before(async () => {
  ({ database } = await freshDatabase());
});

const tables = async (): Promise<string[]> => {
  const result = await database.pool.query<{ relname: string }>(
    `select relname from pg_class where relname ~ '^(journal|settlement)_[0-9]{8}$' order by 1`,
  );
  return result.rows.map((row) => row.relname);
};

async function arriveOn(day: string, controlId: string): Promise<string> {
  const clock = (): Date => new Date(`${day}T10:00:00Z`);
  await preparePartitions(database, clock());
  const journal = createJournal({ database, clock, log: quiet, arrived: () => undefined });
  const receipt = await journal.accept({
    channel: 'hl7v2',
    site: siteId('h1'),
    sender: 'RIS|H1',
    peer: '127.0.0.1',
    controlId,
    messageType: 'ADT^A01',
    contentType: 'x-application/hl7-v2+er7',
    bytes: Buffer.alloc(100_000, controlId),
    patientKey: '',
    answer: Buffer.from('ack'),
  });
  return receipt.journalId;
}

test('days past retention are dropped and their room given back; days with open work stay', async () => {
  const settled = await arriveOn('2026-01-01', 'a');
  await arriveOn('2026-01-02', 'b'); // stays pending
  const reviewed = await arriveOn('2026-01-03', 'c');
  await database.pool.query(
    `with gone as (delete from pending where journal_id in ($1, $2) returning *)
     insert into settlement (received_at, journal_id, channel, state, attempts, settled_at)
     select received_at, journal_id, 'hl7v2', case when journal_id = $1 then 'applied' else 'review' end, 1, now() from gone`,
    [settled, reviewed],
  );
  const size = async (): Promise<number> => {
    const result = await database.pool.query<{ size: string }>('select pg_database_size(current_database()) as size');
    return Number(result.rows[0]?.size);
  };
  const before = await size();
  const now = new Date('2026-03-01T00:00:00Z');
  // 4 and 5 January were prepared and stayed empty.
  assert.deepEqual(await dropExpired(database, now, 30), ['2026-01-01', '2026-01-04', '2026-01-05']);
  assert.ok((await size()) < before);
  const left = await tables();
  assert.ok(!left.includes('journal_20260101') && !left.includes('settlement_20260101'));
  assert.ok(left.includes('journal_20260102') && left.includes('journal_20260103'));
});

test('many starters prepare the same days at once', async () => {
  const now = new Date('2027-06-01T00:00:00Z');
  await Promise.all(Array.from({ length: 12 }, () => preparePartitions(database, now)));
  assert.ok((await tables()).includes('journal_20270603'));
});
