/** Turns of work that goes on beside everything: their rests, what a stop waits for, and how they stand back after failures. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backoffMs, createTurns, isTold } from '../../hub/flow/turns.ts';

const DAY_MS = 86_400_000;

test('turns follow each other without rest while there is work, and a stop ends a long rest at once', async () => {
  let turns = 0;
  const rested = new Promise<void>((resolve) => {
    const work = createTurns(() => {
      turns++;
      if (turns < 5) return Promise.resolve(0);
      setImmediate(() => {
        void work.stop().then(resolve);
      });
      return Promise.resolve(DAY_MS);
    });
    work.start();
  });
  await rested;
  assert.equal(turns, 5);
});

test('a stop waits for the turns in hand, of all that go abreast, and none begins after it', async () => {
  const finish: (() => void)[] = [];
  let begun = 0;
  const work = createTurns(() => {
    begun++;
    return new Promise((resolve) => {
      finish.push(() => {
        resolve(0);
      });
    });
  });
  work.start(3);
  let stopped = false;
  const stopping = work.stop().then(() => {
    stopped = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([begun, stopped], [3, false]);
  for (const end of finish) end();
  await stopping;
  assert.equal(begun, 3);
});

test('after failures the rest doubles up to its bound, and the log hears of ever fewer', () => {
  assert.deepEqual(
    [1, 2, 3, 4, 60].map((failures) => backoffMs(failures, 1_000, 5_000)),
    [1_000, 2_000, 4_000, 5_000, 5_000],
  );
  assert.deepEqual([1, 2, 3, 4, 5, 6, 7, 8, 9].filter(isTold), [1, 2, 4, 8]);
});
