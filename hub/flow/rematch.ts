/** Works a rematch off in the background, a step at a time, and stands back between steps for what arrives. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Log } from '../core/ports.ts';
import type { RematchWork } from '../core/rematch.ts';

const IDLE_MS = 5_000;
const BETWEEN_MS = 20;

export interface Rematching {
  start(): void;
  /** Resolves when the step in hand is done. */
  stop(): Promise<void>;
}

export function createRematching(deps: { readonly work: RematchWork; readonly log: Log }): Rematching {
  const ended = new AbortController();
  let loop: Promise<void> = Promise.resolve();
  const rest = (ms: number): Promise<unknown> => pause(ms, undefined, { signal: ended.signal }).catch(() => undefined);
  async function run(): Promise<void> {
    while (!ended.signal.aborted) {
      const worked = await deps.work.step().catch((error: unknown) => {
        deps.log.warn(
          { name: error instanceof Error ? error.name : 'unknown' },
          'a step of the rematch failed; it is tried again',
        );
        return false;
      });
      await rest(worked ? BETWEEN_MS : IDLE_MS);
    }
  }
  return {
    start() {
      loop = run();
    },
    async stop() {
      ended.abort();
      await loop;
    },
  };
}
