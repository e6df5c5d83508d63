/**
 * Ingest in a thread of its own, beside the listeners: applying a message takes milliseconds of processor time, and while
 * it lasts the acknowledgements of the next ones must go out.
 */
import { once } from 'node:events';
import { getPriority, setPriority } from 'node:os';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { loadSites } from '../adapters/sites/load.ts';
import { openKeys } from './compose-keys.ts';
import { composeObjects } from './compose-objects.ts';
import { composeIndex } from './compose.ts';
import type { Config } from './config.ts';
import { createRematching } from './flow/rematch.ts';
import { createLog } from './log.ts';
import { openDatabase } from './store/database.ts';
import { createRematchWork } from './store/rematch-step.ts';
import { rekeyMatches } from './store/reseal.ts';

interface Assignment {
  readonly config: Config;
  readonly databaseUrl: string;
}

export interface ApplyThread {
  /** Something arrived. */
  wake(): void;
  /** Resolves when the batches in hand are done and the thread has ended. */
  stop(): Promise<void>;
}

const SWEEP_MS = 250;
const NICENESS = 10;

/** A thread does not inherit the TypeScript loader of its process: it registers it by itself before it imports this file. */
const BOOT = `import(${JSON.stringify(import.meta.resolve('tsx/esm/api'))}).then(({ register }) => {
  register();
  return import(${JSON.stringify(import.meta.url)});
})`;

/** Resolves when the thread works. `broken` hears of a thread that ended unasked: nothing would be applied any more. */
export async function startApplyThread(assignment: Assignment, broken: (error: unknown) => void): Promise<ApplyThread> {
  const thread = new Worker(BOOT, { eval: true, workerData: assignment });
  let stopping = false;
  thread.on('error', broken);
  thread.on('exit', (code) => {
    if (!stopping) broken(new Error(`the apply thread ended with code ${String(code)}`));
  });
  await once(thread, 'message');
  return {
    wake: () => {
      thread.postMessage('wake');
    },
    async stop() {
      stopping = true;
      const ended = once(thread, 'exit');
      thread.postMessage('stop');
      await ended;
    },
  };
}

async function run({ config, databaseUrl }: Assignment): Promise<void> {
  // On Linux 0 means this thread: listeners that acknowledge go first where processors are few. A hub that was started
  // nicer than that stays so: only root may ask for more of the processor again (setpriority(2), EACCES).
  if (getPriority(0) < NICENESS) setPriority(0, NICENESS);
  const log = createLog(config.logLevel);
  const { workers } = config.limits;
  const keys = await openKeys(config, databaseUrl, log);
  const database = openDatabase(databaseUrl, { max: workers + 2, name: 'apply', vault: keys.vault });
  const { objects } = await composeObjects({ config, ring: keys.ring, log });
  const sites = await loadSites(config.sitesDir);
  const { ingest, desk } = await composeIndex({ config, log, database, objects, sites, clock: () => new Date() });
  const rematching = createRematching({ work: createRematchWork(desk), log });
  const ending = new AbortController();
  const end = async (): Promise<void> => {
    ending.abort();
    await Promise.all([ingest.stop(), rematching.stop()]);
    await objects.close();
    await database.close();
    await keys.close();
    parentPort?.close();
  };
  parentPort?.on('message', (word: 'wake' | 'stop') => {
    if (word === 'wake') ingest.wake();
    else void end();
  });
  parentPort?.postMessage('up');
  const made = await rekeyMatches(database, desk.matching);
  if (made > 0) log.info({ registrations: made }, 'blocking keys of an earlier release were made anew');
  if (ending.signal.aborted) return;
  ingest.start(workers, SWEEP_MS);
  rematching.start();
}

if (!isMainThread && (workerData as Partial<Assignment> | null)?.databaseUrl !== undefined)
  await run(workerData as Assignment);
