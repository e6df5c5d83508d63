/**
 * Bytes that came for a document which was never registered: a process that dies between storing them and registering
 * leaves them behind, where nobody can retrieve them and nobody removes them. Each lies under the day on which it came, so
 * days that are long over are compared with the repository's table, and what it does not name is removed.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { DocumentObjects } from '../core/document-ports.ts';
import type { Log, ObjectStore } from '../core/ports.ts';

/** Where submitted documents (ITI-41, ITI-65) lie, and nothing else does. */
export const REPOSITORY_FOLDER = 'repository';

const dayFolder = (at: Date): string => `${REPOSITORY_FOLDER}/${at.toISOString().slice(0, 10).replaceAll('-', '/')}`;

/** Not `writeFresh`: the names that a store keeps ready are for images, of which there are many more. */
export const freshDocumentKey = (now: Date): string => `${dayFolder(now)}/${randomUUID()}`;

export interface RepositorySweepDeps {
  readonly objects: Pick<ObjectStore, 'list' | 'remove'>;
  readonly documents: DocumentObjects;
  readonly clock: () => Date;
  readonly log: Log;
}

export interface RepositorySweep {
  /** Looks through all days that are due once; gives how many objects were removed. */
  sweep(): Promise<number>;
  start(everyMs?: number): void;
  stop(): Promise<void>;
  counts(): { readonly removed: number; readonly runs: number; readonly failed_runs: number };
}

const DAY_MS = 86_400_000;
/** A submission ends within hours, however it ends: today's, yesterday's and the day before's may still be in flight. */
const YOUNGEST_DAYS = 3;
/** A hub that was off for longer than this leaves what it left: it wastes room and hurts nobody. */
const OLDEST_DAYS = 35;
const BATCH = 500;
const EVERY_MS = 6 * 3_600_000;

export function createRepositorySweep(deps: RepositorySweepDeps): RepositorySweep {
  const { clock, log } = deps;
  const counts = { removed: 0, runs: 0, failed_runs: 0 };
  let ending = new AbortController();
  let loop: Promise<void> = Promise.resolve();

  async function sweep(): Promise<number> {
    const now = clock().getTime();
    let removed = 0;
    for (let days = YOUNGEST_DAYS; days <= OLDEST_DAYS && !ending.signal.aborted; days++)
      removed += await sweepDay(deps, dayFolder(new Date(now - days * DAY_MS)), ending.signal);
    counts.runs++;
    counts.removed += removed;
    if (removed > 0) log.warn({ removed }, 'bytes of documents that were never registered were removed');
    return removed;
  }

  async function run(everyMs: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await sweep();
      } catch (error) {
        counts.failed_runs++;
        const name = error instanceof Error ? error.name : 'unknown';
        log.warn({ name }, 'the sweep of the repository failed; it is tried again');
      }
      await pause(everyMs, undefined, { signal }).catch(() => undefined);
    }
  }

  return {
    sweep,
    start(everyMs = EVERY_MS) {
      ending = new AbortController();
      loop = run(everyMs, ending.signal);
    },
    async stop() {
      ending.abort();
      await loop;
    },
    counts: () => counts,
  };
}

async function sweepDay(
  { objects, documents }: RepositorySweepDeps,
  folder: string,
  signal: AbortSignal,
): Promise<number> {
  let removed = 0;
  const check = async (keys: readonly string[]): Promise<void> => {
    const named = await documents.named(keys);
    for (const key of keys) {
      if (named.has(key)) continue;
      await objects.remove(key);
      removed++;
    }
  };
  let keys: string[] = [];
  for await (const key of objects.list(folder)) {
    if (signal.aborted) return removed;
    keys.push(key);
    if (keys.length < BATCH) continue;
    await check(keys);
    keys = [];
  }
  if (keys.length > 0) await check(keys);
  return removed;
}
