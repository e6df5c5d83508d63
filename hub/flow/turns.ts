/**
 * Work that goes on beside everything and is waited for by nobody: turn after turn until a stop, each of which says how long
 * to rest before the next. What fails is tried ever more rarely, and told of ever more rarely.
 */
import { setTimeout as pause } from 'node:timers/promises';

export interface Turns {
  /** `abreast`: so many at the same time, each with its own rests. */
  start(abreast?: number): void;
  /** Lets the turns in hand end. */
  stop(): Promise<void>;
}

/** `turn` answers the rest in milliseconds, and rejects only for a bug. */
export function createTurns(turn: () => Promise<number>): Turns {
  const stopping = new AbortController();
  const { signal } = stopping;
  let running: Promise<unknown> = Promise.resolve();
  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      const restMs = await turn();
      // A stop ends the rest.
      if (restMs > 0) await pause(restMs, undefined, { signal }).catch(() => undefined);
    }
  };
  return {
    start(abreast = 1) {
      running = Promise.all(Array.from({ length: abreast }, run));
    },
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

/** How long to wait after so many failures in a row: twice as long after each. */
export const backoffMs = (failures: number, leastMs: number, mostMs: number): number =>
  Math.min(mostMs, leastMs * 2 ** Math.min(failures - 1, 20));

/** The first failure, then ever fewer: a night without a peer must not fill the log. */
export const isTold = (failures: number): boolean => (failures & (failures - 1)) === 0;
