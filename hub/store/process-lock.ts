/**
 * Who runs on a data directory: marks of live processes as files, so that a second hub is refused, a dead one's mark
 * is taken over, and the last one out knows that it is the last. A pid alone is not an identity, since pids are reused:
 * the mark also carries the start of the process, the boot and the host.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { link, mkdir, readFile, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

export interface Mark {
  readonly id: string;
  readonly pid: number;
  readonly started: string;
  readonly boot: string;
  readonly host: string;
  /** What the process is, for the line that refuses the second. */
  readonly what: string;
}

export interface Hold {
  release(): Promise<void>;
}

/** A mark of another host cannot be probed: its holder touches the file this often, and is gone after the second. */
const BEAT_MS = 5_000;
const FOREIGN_STALE_MS = 30_000;

/** Linux tells start time and state in /proc/<pid>/stat; the name in parentheses may hold blanks, so count from its end. */
function procStat(pid: number): { state: string; started: string } | null {
  try {
    const text = readFileSync(`/proc/${String(pid)}/stat`, 'latin1');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0] ?? '', started: fields[19] ?? '' };
  } catch {
    return null; // no such process, or no /proc on this system
  }
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  } catch {
    return ''; // not Linux: pid alone decides
  }
}

/** True while the process runs; a zombie (killed, not yet reaped) is dead. */
export function isAlive(pid: number, started = ''): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return false;
  }
  const seen = procStat(pid);
  if (seen === null) return true;
  return seen.state !== 'Z' && seen.state !== 'X' && (started === '' || seen.started === started);
}

function ownMark(what: string): Mark {
  const started = procStat(process.pid)?.started ?? '';
  return { id: randomUUID(), pid: process.pid, started, boot: bootId(), host: hostname(), what };
}

async function readMark(path: string): Promise<Mark | null> {
  const text = await readFile(path, 'utf8').catch(() => null);
  if (text === null) return null;
  try {
    return JSON.parse(text) as Mark;
  } catch {
    return { id: '', pid: 0, started: '', boot: '', host: hostname(), what: 'unreadable mark' };
  }
}

async function holds(mark: Mark, path: string): Promise<boolean> {
  if (mark.host === hostname()) return mark.boot === bootId() && isAlive(mark.pid, mark.started);
  const touched = await stat(path).catch(() => null);
  return touched !== null && Date.now() - touched.mtimeMs < FOREIGN_STALE_MS;
}

function keep(path: string): Hold {
  const beat = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => undefined); // only other hosts read the time; the next beat tries again
  }, BEAT_MS);
  beat.unref();
  return {
    release: async () => {
      clearInterval(beat);
      await rm(path, { force: true });
    },
  };
}

export type Claim = { readonly ok: true; readonly hold: Hold } | { readonly ok: false; readonly holder: Mark };

/** Takes the lock at `path`, or tells who holds it. A link appears whole or not at all, so no half-written mark is seen. */
export async function claimLock(path: string, what: string): Promise<Claim> {
  const own = ownMark(what);
  const draft = `${path}.${own.id}`;
  await writeFile(draft, JSON.stringify(own), { mode: 0o644 });
  try {
    for (;;) {
      const linked = await link(draft, path).then(
        () => true,
        (error: unknown) => {
          if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
          throw error;
        },
      );
      if (linked) return { ok: true, hold: keep(path) };
      const holder = await readMark(path);
      if (holder === null) continue;
      if (await holds(holder, path)) return { ok: false, holder };
      await takeAway(path, holder);
    }
  } finally {
    await rm(draft, { force: true });
  }
}

/** Removes a dead holder's mark; puts back what another starter set there in the same moment. */
async function takeAway(path: string, dead: Mark): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  const moved = await rename(path, aside).then(
    () => true,
    () => false, // another starter was faster
  );
  if (!moved) return;
  const taken = await readMark(aside);
  if (taken !== null && taken.id !== dead.id) await link(aside, path).catch(() => undefined);
  await rm(aside, { force: true });
}

/** Runs `work` alone among all processes that use the same path; waits at most `timeoutMs` for its turn. */
export async function inTurn<T>(path: string, what: string, timeoutMs: number, work: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const claim = await claimLock(path, what);
    if (claim.ok) {
      try {
        return await work();
      } finally {
        await claim.hold.release();
      }
    }
    if (Date.now() > deadline)
      throw new Error(`${path} is held by ${claim.holder.what} (pid ${String(claim.holder.pid)}) for too long`);
    await new Promise((resolve) => setTimeout(resolve, 40 + Math.random() * 40));
  }
}

/** Adds this process to those that use `folder`. */
export async function joinUsers(folder: string, what: string): Promise<Hold> {
  await mkdir(folder, { recursive: true });
  const own = ownMark(what);
  const path = join(folder, `${own.id}.json`);
  await writeFile(`${path}.new`, JSON.stringify(own));
  await rename(`${path}.new`, path);
  return keep(path);
}

/** Live processes that use `folder`; removes the marks of dead ones. */
export async function countUsers(folder: string): Promise<number> {
  let live = 0;
  for (const name of await readdir(folder).catch(() => [])) {
    if (!name.endsWith('.json')) continue;
    const path = join(folder, name);
    const mark = await readMark(path);
    if (mark === null) continue;
    if (await holds(mark, path)) live += 1;
    else await rm(path, { force: true });
  }
  return live;
}
