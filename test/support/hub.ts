/** A hub as a process of its own, started as an operator starts it, on free ports and a folder of its own. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { TEST_MASTER_KEY } from './keyring.ts';

export interface HubProcess {
  readonly process: ChildProcess;
  readonly pid: number;
  /** Everything it said, standard output and error, so far. */
  said(): string;
  /** Resolves when it says that it is up; rejects with all it said when it ends first. */
  up(limitMs?: number): Promise<void>;
  /** `http://127.0.0.1:port`, from what it said. */
  address(): string;
  signal(signal: 'SIGTERM' | 'SIGKILL' | 'SIGINT'): void;
  /** Exit code, null when it was killed. */
  ended(limitMs?: number): Promise<number | null>;
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export function startHub(dataDir: string, roles: readonly string[] = [], env: Record<string, string> = {}): HubProcess {
  const { DATABASE_URL: _database, REDIS_URL: _redis, ...inherited } = process.env;
  const child = spawn(process.execPath, ['--import', 'tsx', 'hub/main.ts', ...roles], {
    cwd: ROOT,
    env: {
      ...inherited,
      HUB_DATA_DIR: dataDir,
      HUB_MASTER_KEY: TEST_MASTER_KEY,
      HUB_HTTP_PORT: '0',
      HUB_MLLP_PORT: '0',
      HUB_DIMSE_PORT: '0',
      HUB_LOG_LEVEL: 'info',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const end = once(child, 'close') as Promise<[number | null]>;
  const within = async <T>(limitMs: number, work: Promise<T>): Promise<T> => {
    const limit = new AbortController();
    const late = pause(limitMs, undefined, { signal: limit.signal }).then(() => {
      child.kill('SIGKILL');
      throw new Error(`nothing after ${limitMs} ms; it said:\n${text}`);
    });
    try {
      return await Promise.race([work, late]);
    } finally {
      limit.abort();
      await late.catch(() => undefined);
    }
  };
  const seesUp = async (): Promise<void> => {
    while (!text.includes('Hutong is up')) {
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`ended before it was up:\n${text}`);
      await pause(20);
    }
  };
  return {
    process: child,
    pid: child.pid ?? 0,
    said: () => text,
    up: (limitMs = 60_000) => within(limitMs, seesUp()),
    address: () => /HTTP (http:\S+)/.exec(text)?.[1] ?? '',
    signal: (signal) => void child.kill(signal),
    ended: (limitMs = 30_000) =>
      within(
        limitMs,
        end.then(([code]) => code),
      ),
  };
}

/** A folder that is removed at the end, with the embedded server in it stopped first. */
export async function dataFolder(): Promise<{ dir: string; remove: () => Promise<void> }> {
  const dir = await mkdtemp(join(tmpdir(), 'hutong-test-'));
  return {
    dir,
    remove: async () => {
      const server = await serverPid(dir);
      if (server !== null) {
        process.kill(server, 'SIGKILL');
        await pause(200);
      }
      await rm(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
    },
  };
}

/** The live embedded server of a data directory. */
export async function serverPid(dir: string): Promise<number | null> {
  const text = await readFile(join(dir, 'postgres/data/postmaster.pid'), 'utf8').catch(() => '');
  const pid = Number(text.split('\n')[0]);
  if (!(pid > 0)) return null;
  try {
    process.kill(pid, 0);
    return pid;
  } catch {
    return null;
  }
}
