/** One suite for the Queue port, run over PostgreSQL and over Redis. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { Queue } from '../../hub/core/ports.ts';
import { openQueue } from '../../hub/store/queue.ts';
import { freshDatabase, quiet } from '../support/database.ts';
import { startRedis } from '../support/redis.ts';

const { url: databaseUrl, database } = await freshDatabase({ empty: true });
const redis = await startRedis();
after(() => redis?.stop());

async function until(check: () => boolean | Promise<boolean>, limitMs = 15_000): Promise<void> {
  const deadline = Date.now() + limitMs;
  while (!(await check())) {
    assert.ok(Date.now() < deadline, 'did not happen in time');
    await pause(20);
  }
}

function contract(backend: string, redisUrl: string | null): void {
  describe(
    `queue on ${backend}`,
    { skip: backend === 'Redis' && redisUrl === null ? 'no redis-server' : false },
    () => {
      const open = (settings: { attempts?: number; backoffMs?: number } = {}): Promise<Queue> =>
        openQueue({ databaseUrl, redisUrl, log: quiet, attempts: 3, backoffMs: 50, ...settings });

      test('an offer reaches the handler with its payload', async () => {
        const queue = await open();
        const seen: unknown[] = [];
        await queue.work('ingest', 2, async (payload) => void seen.push(payload));
        await queue.offer('ingest', 'a', { journalId: '1' });
        await until(() => seen.length === 1);
        assert.deepEqual(seen, [{ journalId: '1' }]);
        await queue.close();
      });

      test('jobs of one key wait as one; other keys are their own', async () => {
        const queue = await open();
        for (let n = 0; n < 5; n += 1) await queue.offer('ingest', 'same', { n: String(n) });
        await queue.offer('ingest', 'other', { n: 'other' });
        assert.equal((await queue.counts('ingest')).waiting, 2);
        const seen: string[] = [];
        await queue.work('ingest', 1, async ({ n }) => void seen.push(n ?? ''));
        await until(() => seen.length === 2);
        await pause(100);
        assert.deepEqual([...seen].sort(), ['0', 'other']);
        await queue.close();
      });

      test('an offer while its key runs makes it run once more, not beside', async () => {
        const queue = await open();
        let running = 0;
        let most = 0;
        let runs = 0;
        let finish = (): void => undefined;
        const gate = new Promise<void>((resolve) => (finish = resolve));
        await queue.work('outbox', 4, async () => {
          running += 1;
          most = Math.max(most, running);
          runs += 1;
          if (runs === 1) await gate;
          running -= 1;
        });
        await queue.offer('outbox', 'k', {});
        await until(() => runs === 1);
        await queue.offer('outbox', 'k', {});
        await queue.offer('outbox', 'k', {});
        finish();
        await until(() => runs === 2);
        await pause(200);
        assert.deepEqual({ runs, most }, { runs: 2, most: 1 });
        await queue.close();
      });

      test('a delayed offer waits for its time, and one without delay brings it forward', async () => {
        const queue = await open();
        const began = Date.now();
        const at: Record<string, number> = {};
        await queue.work('ingest', 2, async ({ key }) => void (at[key ?? ''] = Date.now() - began));
        await queue.offer('ingest', 'late', { key: 'late' }, 700);
        await queue.offer('ingest', 'hurried', { key: 'hurried' }, 60_000);
        assert.equal((await queue.counts('ingest')).delayed, 2);
        await queue.offer('ingest', 'hurried', { key: 'hurried' });
        await until(() => Object.keys(at).length === 2);
        assert.ok((at.late ?? 0) >= 690, `late ran after ${at.late} ms`);
        assert.ok((at.hurried ?? 60_000) < 10_000);
        await queue.close();
      });

      test('a rejected handler is tried again with growing pauses, then kept as failed; the key is free again', async () => {
        const queue = await open();
        const at: number[] = [];
        await queue.work('outbox', 1, async () => {
          at.push(Date.now());
          throw new Error('not now');
        });
        await queue.offer('outbox', 'bad', {});
        await until(async () => (await queue.counts('outbox')).failed === 1);
        assert.equal(at.length, 3);
        const [first = 0, second = 0, third = 0] = at;
        assert.ok(second - first >= 45 && third - second >= 90, `pauses ${second - first} and ${third - second} ms`);
        await queue.offer('outbox', 'bad', {});
        await until(async () => (await queue.counts('outbox')).failed === 2);
        await queue.close();
      });

      test('close lets a running handler finish', async () => {
        const queue = await open();
        let finished = false;
        let started = false;
        await queue.work('ingest', 1, async () => {
          started = true;
          await pause(300);
          finished = true;
        });
        await queue.offer('ingest', 'slow', {});
        await until(() => started);
        await queue.close();
        assert.ok(finished);
      });

      test('what was offered survives a restart of the process that offered it', async () => {
        const first = await open();
        await first.offer('ingest', 'kept', { n: 'kept' });
        await first.close();
        const second = await open();
        const seen: string[] = [];
        await second.work('ingest', 1, async ({ n }) => void seen.push(n ?? ''));
        await until(() => seen.length === 1);
        assert.deepEqual(seen, ['kept']);
        await second.close();
      });
    },
  );
}

contract('PostgreSQL', null);
contract('Redis', redis?.url ?? null);

test('the queue on PostgreSQL keeps within its connections, whatever is offered at once', async () => {
  const queue = await openQueue({ databaseUrl, redisUrl: null, log: quiet, connections: 5 });
  let done = 0;
  await queue.work('ingest', 8, async () => void (done += 1));
  await queue.work('outbox', 8, async () => void (done += 1));
  const offers = Array.from({ length: 200 }, (_, n) => queue.offer(n % 2 === 0 ? 'ingest' : 'outbox', `k${n}`, {}));
  await Promise.all(offers);
  const { rows } = await database.pool.query<{ open: number }>(
    `select count(*)::int as open from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
       and (application_name = 'hutong-queue' or query like '%bullmq%')`,
  );
  assert.ok((rows[0]?.open ?? 99) <= 5, `${rows[0]?.open} connections`);
  await until(() => done === 200);
  await queue.close();
});

test('twenty processes may open the queue on an empty database at once', async () => {
  const { url } = await freshDatabase({ empty: true });
  const queues = await Promise.all(
    Array.from({ length: 20 }, () => openQueue({ databaseUrl: url, redisUrl: null, log: quiet, connections: 2 })),
  );
  await Promise.all(queues.map((queue) => queue.close()));
  assert.equal(queues.length, 20);
});
