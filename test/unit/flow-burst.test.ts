/** Work that may wait stands back for a burst of arrivals, and for nothing else. */
import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'node:test';
import { Burst } from '../../hub/flow/burst.ts';

const settledAfterTurn = async (work: Promise<void>): Promise<boolean> => {
  let settled = false;
  void work.then(() => (settled = true));
  await turn();
  return settled;
};

test('without arrivals, and with a few, work goes on at once', async () => {
  const burst = new Burst();
  assert.equal(await settledAfterTurn(burst.over()), true);
  burst.arrived();
  assert.equal(await settledAfterTurn(burst.over()), true);
});

test('many arrivals hold it until they end, whoever else waits', async () => {
  const burst = new Burst();
  for (let n = 0; n < 100; n++) burst.arrived();
  const [one, other] = [burst.over(), burst.over()];
  assert.equal(await settledAfterTurn(one), false);
  assert.equal(await settledAfterTurn(other), false);
  await Promise.all([one, other]);
});

test('what is urgent does not wait', async () => {
  const burst = new Burst();
  for (let n = 0; n < 100; n++) burst.arrived();
  assert.equal(await settledAfterTurn(burst.over(() => true)), true);
});
