/**
 * Names made beforehand: empty files under random names in the folder of the day, whose names are durable before they are
 * handed out. An object that takes one waits for its bytes alone and not for a change of the directory: on ext4 that is
 * the difference between two commits of the file system and one, which under load is most of the wait. The names are on a
 * list, so that what a killed process stored and nothing else names yet is found again.
 */
import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { open, readdir, readFile, rm, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { cutToSize } from './object-store-trailer.ts';
import { isObjectKey } from './object-store-key.ts';
import { codeOf } from './object-store-medium.ts';
import type { DirectorySync } from './object-store-sync.ts';

/** Names in one batch, made when half of the last are gone. An empty file costs an inode and no block. */
const BATCH = 64;
/** Names made while no object comes, so that a series of CT makes none while it is sent. Each is an open file. */
export const NAMES_READY = 640;
/** No object came for this long: names are made without anybody waiting. */
const QUIET_MS = 200;
/** A batch that was not used up in this time is given up: well before another process may take it for left over. */
const FRESH_MS = 6 * 3600 * 1000;
/** Each write returns when its bytes are durable, as after fdatasync: one turn of the thread pool instead of two. */
const DURABLE = constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | constants.O_DSYNC;
/**
 * Past the page cache: an image that was just stored is seldom read at once, and filling the cache with it costs more
 * processor time than the write itself (measured: three of four milliseconds).
 */
const DIRECT = DURABLE | constants.O_DIRECT;
const LISTS = '.reserve';

export interface ReservedPlace {
  readonly key: string;
  /** Open for writing; the writer closes it. */
  readonly file: FileHandle;
  /** The file takes whole blocks from memory that begins at a page, and nothing else. */
  readonly direct: boolean;
  /** Something durable names what is stored under it, or it was given up and removed. */
  settled(): void;
  /** Resolves when no sweep after a crash can take an empty object for a name that was never used. */
  unlisted(): Promise<void>;
}

interface Batch {
  readonly folder: string;
  readonly suffix: string;
  readonly madeAt: number;
  /** The file that lists the names, from before the first is made until the last is settled. */
  readonly list: string;
  readonly unused: Pick<ReservedPlace, 'key' | 'file' | 'direct'>[];
  unsettled: number;
}

export class Reserve {
  readonly #root: string;
  readonly #sync: DirectorySync;
  readonly #owner: string;
  readonly #ready: number;
  #batches: Batch[] = [];
  #making: Promise<void> | null = null;
  #tidying: Promise<void> = Promise.resolve();
  #closed = false;
  #direct = true;
  #quiet: NodeJS.Timeout | null = null;
  #taken = 0;

  /** `owner` is the same after a restart and nobody else's at the time: no dot, no slash. */
  constructor(root: string, sync: DirectorySync, owner: string, ready: number) {
    this.#root = root;
    this.#sync = sync;
    this.#owner = owner;
    this.#ready = ready;
  }

  /** A durable name in `folder`, or null where none is ready; more are made meanwhile. */
  take(folder: string, suffix: string): ReservedPlace | null {
    const fits = (batch: Batch): boolean =>
      batch.folder === folder && batch.suffix === suffix && Date.now() - batch.madeAt < FRESH_MS;
    const old = this.#batches.filter((batch) => !fits(batch));
    this.#batches = this.#batches.filter((batch) => fits(batch) && batch.unused.length > 0);
    this.#taken++;
    this.#stockWhenQuiet(folder, suffix);
    const left = this.#left();
    if ((left < BATCH / 2 || old.length > 0) && this.#making === null && !this.#closed) {
      this.#making = this.#renew(folder, suffix, old).finally(() => (this.#making = null));
    } else this.#batches.push(...old);
    const batch = this.#batches.find((each) => fits(each) && each.unused.length > 0);
    const place = batch?.unused.pop();
    if (batch === undefined || place === undefined) return null;
    return {
      ...place,
      settled: () => {
        this.#settled(batch);
      },
      unlisted: async () => {
        await rm(batch.list, { force: true });
        await this.#sync.sync(join(this.#root, LISTS));
      },
    };
  }

  #left(): number {
    return this.#batches.reduce((sum, batch) => sum + batch.unused.length, 0);
  }

  #stockWhenQuiet(folder: string, suffix: string): void {
    if (this.#quiet !== null) this.#quiet.refresh();
    else this.#quiet = setTimeout(() => void this.#stock(folder, suffix), QUIET_MS).unref();
  }

  /** Makes names until all are ready, or an object comes. */
  async #stock(folder: string, suffix: string): Promise<void> {
    this.#quiet = null;
    const taken = this.#taken;
    for (let had = -1; had < this.#left() && this.#left() <= this.#ready - BATCH;) {
      if (this.#closed || this.#making !== null || taken !== this.#taken) return;
      had = this.#left(); // where a batch brings none, the disk is at fault, and the next object tells so
      this.#making = this.#renew(folder, suffix, []).finally(() => (this.#making = null));
      await this.#making;
    }
  }

  /** Takes away what was not used. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#quiet !== null) clearTimeout(this.#quiet);
    await this.#making;
    for (const batch of this.#batches.splice(0)) await this.#giveUp(batch);
    await this.#tidying;
  }

  /** Never rejects: without a reserve objects take the longer way, and tell themselves what ails the disk. */
  async #renew(folder: string, suffix: string, old: readonly Batch[]): Promise<void> {
    try {
      for (const batch of old) await this.#giveUp(batch);
      const made = await this.#make(folder, suffix);
      this.#batches.push(made); // after the wait: `take` puts a new list in place meanwhile
    } catch {
      // The next object that finds no name ready begins anew.
    }
  }

  async #make(folder: string, suffix: string): Promise<Batch> {
    const keys = Array.from({ length: BATCH }, () => `${folder}/${randomUUID()}${suffix}`);
    const lists = join(this.#root, LISTS);
    const list = join(lists, `${this.#owner}.${randomUUID()}`);
    await this.#sync.make(lists, this.#root);
    await this.#sync.make(join(this.#root, folder), this.#root);
    const file = await open(list, 'wx');
    try {
      await file.writeFile(keys.join('\n'));
      await file.datasync();
    } finally {
      await file.close();
    }
    // The list before the names: a crash in between leaves no name that is on no list.
    await this.#sync.sync(lists);
    const batch: Batch = { folder, suffix, madeAt: Date.now(), list, unused: [], unsettled: keys.length };
    try {
      for (const key of keys) {
        const file = await this.#open(join(this.#root, key));
        batch.unused.push({ key, file, direct: this.#direct });
      }
      await this.#sync.sync(join(this.#root, folder));
    } catch (error) {
      await this.#giveUp(batch);
      throw error;
    }
    return batch;
  }

  /** Some file systems know no direct writes: what they have is used. */
  async #open(path: string): Promise<FileHandle> {
    if (this.#direct) {
      try {
        return await open(path, DIRECT);
      } catch (error) {
        if (codeOf(error) !== 'EINVAL') throw error;
        this.#direct = false;
        await rm(path, { force: true }); // the name may have been made before the flag was refused
      }
    }
    return open(path, DURABLE);
  }

  #settled(batch: Batch): void {
    batch.unsettled--;
    if (batch.unsettled > 0) return;
    // A list that stays hurts nobody: what stands under its names is not empty, and a sweep leaves it alone.
    const removed = rm(batch.list, { force: true }).catch(() => undefined);
    this.#tidying = this.#tidying.then(() => removed);
  }

  async #giveUp(batch: Batch): Promise<void> {
    for (const { key, file } of batch.unused.splice(0)) {
      await file.close();
      await rm(join(this.#root, key), { force: true });
      this.#settled(batch);
    }
  }
}

/**
 * Keys under which killed processes stored something, cut to their size; their unused names are removed. Of the lists of
 * `owner` at once, since that process is dead, and of others older than `before`. A list goes when the caller has seen
 * all of its keys and come back for more: a crash in between gives them again.
 */
export async function* leftBehind(root: string, owner: string, before: number): AsyncGenerator<string> {
  const lists = join(root, LISTS);
  for (const name of (await absentAsNull(readdir(lists))) ?? []) {
    const list = join(lists, name);
    const found = await absentAsNull(stat(list));
    if (found === null || (!name.startsWith(`${owner}.`) && found.mtimeMs >= before)) continue;
    for (const key of ((await absentAsNull(readFile(list, 'utf8'))) ?? '').split('\n'))
      if (await holdsSomething(root, key)) yield key;
    await rm(list, { force: true });
  }
}

async function holdsSomething(root: string, key: string): Promise<boolean> {
  if (!isObjectKey(key)) return false; // a list that was cut off: no name was made from it
  const path = join(root, key);
  const found = await absentAsNull(stat(path));
  if (found === null) return false;
  if (found.size > 0) return (await absentAsNull(cutToSize(path))) !== null;
  await rm(path, { force: true });
  return false;
}

/** Another process may sweep at the same time. */
async function absentAsNull<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}
