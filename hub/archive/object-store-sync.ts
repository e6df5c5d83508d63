/**
 * Directories of the file store: made once, and synced in groups. A rename is durable only when its directory is, and
 * one fsync serves every rename that came before it, so writers that wait at the same time share the call.
 */
import { mkdir, open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Day directories in use at one time are few; beyond this the least recently used handle is closed. */
const HANDLES_KEPT = 64;
const KNOWN_KEPT = 10_000;

interface Directory {
  readonly handle: Promise<FileHandle>;
  running: Promise<void> | null;
  /** The one sync that everybody who came while `running` ran waits for. */
  queued: Promise<void> | null;
  users: number;
}

export class DirectorySync {
  readonly #open = new Map<string, Directory>();
  readonly #known = new Set<string>();

  /** Makes `path` and its ancestors below `root`, and makes their entries durable; free when made before. */
  async make(path: string, root: string): Promise<void> {
    if (this.#known.has(path)) return;
    const first = await mkdir(path, { recursive: true });
    if (first !== undefined) {
      // mkdir tells the topmost directory it made: from there down, every parent has a new entry.
      for (let at = path; at.length >= first.length && at.length > dirname(root).length; at = dirname(at)) {
        await this.sync(dirname(at));
      }
    }
    if (this.#known.size >= KNOWN_KEPT) this.#known.clear();
    this.#known.add(path);
  }

  /** Resolves after an fsync of the directory that started after this call. */
  async sync(path: string): Promise<void> {
    const directory = this.#take(path);
    directory.users++;
    this.#evict();
    try {
      await this.#join(directory);
    } finally {
      directory.users--;
    }
  }

  async close(): Promise<void> {
    const all = [...this.#open.values()];
    this.#open.clear();
    await Promise.all(all.map(async (directory) => (await directory.handle).close()));
  }

  #join(directory: Directory): Promise<void> {
    if (directory.queued) return directory.queued;
    const run = async (): Promise<void> => {
      directory.queued = null;
      directory.running = (async () => (await directory.handle).sync())();
      try {
        await directory.running;
      } finally {
        directory.running = null;
      }
    };
    if (directory.running === null) return run();
    const before = directory.running.then(
      () => undefined,
      () => undefined, // its own waiters were told; this group tries anew
    );
    directory.queued = before.then(run);
    return directory.queued;
  }

  #take(path: string): Directory {
    const found = this.#open.get(path);
    if (found) {
      this.#open.delete(path); // moved to the young end
      this.#open.set(path, found);
      return found;
    }
    const handle = open(path, 'r');
    handle.catch(() => this.#open.delete(path)); // awaited, and so reported, by the sync
    const made: Directory = { handle, running: null, queued: null, users: 0 };
    this.#open.set(path, made);
    return made;
  }

  #evict(): void {
    for (const [path, directory] of this.#open) {
      if (this.#open.size <= HANDLES_KEPT) return;
      if (directory.users > 0) continue;
      this.#open.delete(path);
      directory.handle.then((handle) => handle.close()).catch(() => undefined); // a directory handle holds no data
    }
  }
}
