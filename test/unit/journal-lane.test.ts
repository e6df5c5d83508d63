/** The lane before the journal: batches at once up to its bound, and of one key never two at a time nor out of order. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import fc from 'fast-check';
import { Lane } from '../../hub/store/journal-lane.ts';

interface Entry {
  readonly key: string;
  readonly n: number;
}

test('every entry goes once, one key in order and never in two batches at once, for any arrivals', async () => {
  const arrivals = fc.array(fc.record({ key: fc.integer({ min: 0, max: 4 }), wait: fc.boolean() }), { maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(arrivals, fc.integer({ min: 1, max: 3 }), async (told, most) => {
      const flying = new Map<string, number>();
      const written: Entry[] = [];
      let batches = 0;
      const lane = new Lane<Entry>(most, async (batch) => {
        batches += 1;
        assert.ok(batches <= most);
        for (const { key } of new Map(batch.map((entry) => [entry.key, entry])).values()) {
          assert.equal(flying.get(key) ?? 0, 0);
          flying.set(key, 1);
        }
        await pause(batch.length % 3);
        written.push(...batch);
        for (const { key } of batch) flying.set(key, 0);
        batches -= 1;
      });
      for (const [n, { key, wait }] of told.entries()) {
        lane.push({ key: `k${String(key)}`, n }, 10, [`k${String(key)}`]);
        if (wait) await pause(0);
      }
      while (written.length < told.length) await pause(1);
      assert.equal(new Set(written.map(({ n }) => n)).size, told.length);
      for (const key of new Set(written.map((entry) => entry.key))) {
        const order = written.filter((entry) => entry.key === key).map(({ n }) => n);
        assert.deepEqual(
          order,
          [...order].sort((a, b) => a - b),
        );
      }
    }),
    { numRuns: 40 },
  );
});
