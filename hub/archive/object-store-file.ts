/**
 * The object store on local files. An object is written under a temporary name, synced, renamed, and its directory
 * synced, so that a key either names a whole durable object or nothing, whatever dies in between. Small objects under
 * fresh keys take a name that was made durable beforehand (object-store-reserve.ts) and wait for their bytes alone.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, open, opendir, readdir, rm, stat, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import type { FreshObject, ObjectStore, ObjectWriter } from '../core/ports.ts';
import type { ByteRange, Lying } from './object-store-key.ts';
import {
  checkedKey,
  checkedRange,
  GATHER_LIMIT,
  isObjectKey,
  storeUnavailable,
  tooLargeToGather,
} from './object-store-key.ts';
import { codeOf, mediumFailure } from './object-store-medium.ts';
import { leftBehind, NAMES_READY, Reserve } from './object-store-reserve.ts';
import type { ReservedPlace } from './object-store-reserve.ts';
import { DirectorySync } from './object-store-sync.ts';
import { BLOCK_BYTES, Slabs } from './object-store-slab.ts';
import { objectSize } from './object-store-trailer.ts';
import { Trims } from './object-store-trim.ts';
import { FileWriter, type WriterFiles } from './object-store-writer.ts';

/** One read of a stream: most CT and MR objects are one or two of these. */
const READ_BYTES = 1024 * 1024;
/** Temporary files older than this belong to a process that died; no upload lasts a day. */
const STALE_MS = 24 * 3600 * 1000;
const INCOMING = '.incoming';

export class FileObjectStore implements ObjectStore {
  readonly #root: string;
  readonly #owner: string;
  readonly #namesReady: number;
  readonly #sync = new DirectorySync();
  readonly #slabs = new Slabs();
  /** By the first folder of the keys: each kind of object comes in a day of its own. */
  readonly #reserves = new Map<string, Reserve>();
  readonly #trims = new Trims();
  #ready: Promise<void> | null = null;

  /**
   * `owner` tells the names that this process reserves from those of others; the same after a restart. `namesReady`: so
   * many are kept for each kind of object while none comes.
   */
  constructor(root: string, owner = `process-${randomUUID()}`, namesReady = NAMES_READY) {
    this.#root = root;
    this.#owner = owner;
    this.#namesReady = namesReady;
  }

  async write(key: string): Promise<ObjectWriter> {
    const target = join(this.#root, checkedKey(key));
    await this.#prepare();
    await this.#sync.make(dirname(target), this.#root);
    return this.#writer(target, false, null);
  }

  async writeFresh(folder: string, suffix: string): Promise<FreshObject> {
    checkedKey(`${folder}/0${suffix}`);
    await this.#prepare();
    const place = this.#reserveOf(folder).take(folder, suffix);
    const key = place?.key ?? `${folder}/${randomUUID()}${suffix}`;
    const target = join(this.#root, key);
    if (place === null) await this.#sync.make(dirname(target), this.#root);
    const writer = this.#writer(target, true, place);
    const filed = (): void => {
      writer.release();
      // Until its file is cut, a crash must find it on the list.
      void this.#trims.of(target).then(() => place?.settled());
    };
    const undigested = (): void => {
      writer.release();
    };
    return { key, writer, listed: place !== null, digest: (from) => writer.digest(from), undigested, filed };
  }

  /** Before the first `writeFresh` of this process. */
  unfiled(): AsyncIterable<string> {
    return leftBehind(this.#root, this.#owner, Date.now() - STALE_MS);
  }

  async read(key: string, range?: ByteRange): Promise<Readable> {
    const wanted = checkedRange(range);
    const file = await this.#open(key);
    try {
      const end = wanted?.end ?? (await sizeOf(file));
      return new FileReadable(file, wanted?.start ?? 0, end);
    } catch (error) {
      await file.close();
      throw mediumFailure(error);
    }
  }

  async readAll(key: string, range?: ByteRange): Promise<Buffer> {
    const wanted = checkedRange(range);
    const file = await this.#open(key);
    try {
      const start = wanted?.start ?? 0;
      const size = await sizeOf(file);
      const length = Math.max(0, Math.min(wanted?.end ?? size, size) - start);
      if (length > GATHER_LIMIT) throw tooLargeToGather();
      const bytes = Buffer.allocUnsafeSlow(length);
      if ((await fill(file, bytes, start)) < length)
        throw storeUnavailable('An object is shorter than its size.', null);
      return bytes;
    } catch (error) {
      throw mediumFailure(error);
    } finally {
      await file.close();
    }
  }

  async readInto(key: string, into: Uint8Array, start: number): Promise<number> {
    const file = await this.#open(key);
    try {
      return await fill(file, into, start);
    } catch (error) {
      throw mediumFailure(error);
    } finally {
      await file.close();
    }
  }

  async *list(folder: string): AsyncGenerator<string> {
    const path = join(this.#root, checkedKey(folder));
    try {
      for await (const entry of await opendir(path)) {
        const key = `${folder}/${entry.name}`;
        if (entry.isFile() && isObjectKey(key)) yield key;
      }
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw mediumFailure(error);
    }
  }

  /** All that lies after `after`, in the order of their keys: also names that are reserved, which are empty. */
  walk(after: string): AsyncGenerator<Lying> {
    return this.#walk('', after);
  }

  async *#walk(folder: string, after: string): AsyncGenerator<Lying> {
    const entries = await readdir(join(this.#root, folder), { withFileTypes: true }).catch(absentAsEmpty);
    // A folder sorts as its keys do, which go on with a slash.
    const names = entries.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name)).sort();
    for (const name of names) {
      const key = folder + name;
      if (!isObjectKey(key.replace(/\/$/, '')) || (key <= after && !after.startsWith(key))) continue;
      if (name.endsWith('/')) yield* this.#walk(key, after);
      else if (key > after) {
        const found = await stat(join(this.#root, key)).catch(absentAsNull);
        if (found !== null) yield { key, size: found.size, changedAt: found.mtime };
      }
    }
  }

  async size(key: string): Promise<number | null> {
    const path = join(this.#root, checkedKey(key));
    try {
      await this.#trims.now(path);
      const { size } = await stat(path);
      return size > 0 && size % BLOCK_BYTES === 0 ? await sizeWithin(path) : size;
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return null;
      throw mediumFailure(error);
    }
  }

  /** Removing what is not there is not an error: removal is repeated after a crash. */
  async remove(key: string): Promise<void> {
    const target = join(this.#root, checkedKey(key));
    try {
      await this.#trims.now(target);
      await unlink(target);
      await this.#sync.sync(dirname(target));
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw mediumFailure(error);
    }
  }

  /** Writes, syncs and removes a probe: a full, read-only or vanished disk shows itself here. */
  async check(): Promise<void> {
    await this.#prepare();
    const probe = join(this.#root, INCOMING, `check-${randomUUID()}`);
    try {
      const file = await open(probe, 'wx');
      try {
        await file.write('ok');
        await file.datasync();
      } finally {
        await file.close();
      }
      await unlink(probe);
    } catch (error) {
      throw mediumFailure(error);
    }
  }

  async close(): Promise<void> {
    await this.#trims.all();
    for (const reserve of this.#reserves.values()) await reserve.close();
    await this.#sync.close();
  }

  #reserveOf(folder: string): Reserve {
    const [kind = ''] = folder.split('/');
    const reserve = this.#reserves.get(kind) ?? new Reserve(this.#root, this.#sync, this.#owner, this.#namesReady);
    this.#reserves.set(kind, reserve);
    return reserve;
  }

  #writer(target: string, fresh: boolean, place: ReservedPlace | null): FileWriter {
    const temporary = join(this.#root, INCOMING, randomUUID());
    const trimming: WriterFiles['trimming'] = (file, size, length) => {
      this.#trims.add(target, file, size, length);
    };
    const means = { sync: this.#sync, slabs: this.#slabs };
    return new FileWriter({ temporary, target, fresh, place, trimming }, means);
  }

  async #open(key: string): Promise<FileHandle> {
    const path = join(this.#root, checkedKey(key));
    try {
      await this.#trims.now(path);
      return await open(path, 'r');
    } catch (error) {
      throw mediumFailure(error);
    }
  }

  #prepare(): Promise<void> {
    this.#ready ??= this.#sweep().catch((error: unknown) => {
      this.#ready = null; // a disk that was full or absent at the first call may be back at the next
      throw mediumFailure(error);
    });
    return this.#ready;
  }

  /** Makes the root once, and clears what a killed process left; younger files may belong to a living one. */
  async #sweep(): Promise<void> {
    const incoming = join(this.#root, INCOMING);
    await mkdir(incoming, { recursive: true });
    const oldest = Date.now() - STALE_MS;
    for (const name of await readdir(incoming)) {
      const path = join(incoming, name);
      const found = await stat(path).catch((error: unknown) => {
        if (codeOf(error) === 'ENOENT') return null; // its own process finished it meanwhile
        throw error;
      });
      if (found !== null && found.mtimeMs < oldest) await rm(path, { force: true });
    }
  }
}

function absentAsNull(error: unknown): null {
  if (codeOf(error) === 'ENOENT') return null; // removed meanwhile
  throw mediumFailure(error);
}

function absentAsEmpty(error: unknown): never[] {
  absentAsNull(error);
  return [];
}

const sizeOf = async (file: FileHandle): Promise<number> => objectSize(file, (await file.stat()).size);

async function sizeWithin(path: string): Promise<number> {
  const file = await open(path, 'r');
  try {
    return await sizeOf(file);
  } finally {
    await file.close();
  }
}

/** One read may give less than asked (signals, file systems over a network): goes on until full or at the end. */
async function fill(file: FileHandle, into: Uint8Array, start: number): Promise<number> {
  let filled = 0;
  while (filled < into.length) {
    const { bytesRead } = await file.read(into, filled, into.length - filled, start + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled;
}

/** A stream of one byte range with large reads; closes its file however it ends. */
class FileReadable extends Readable {
  readonly #file: FileHandle;
  #at: number;
  readonly #end: number;

  constructor(file: FileHandle, start: number, end: number) {
    super({ highWaterMark: READ_BYTES });
    this.#file = file;
    this.#at = start;
    this.#end = end;
  }

  override _read(): void {
    const length = Math.min(READ_BYTES, this.#end - this.#at);
    if (length <= 0) {
      this.push(null);
      return;
    }
    this.#file.read(Buffer.allocUnsafeSlow(length), 0, length, this.#at).then(
      ({ bytesRead, buffer }) => {
        this.#at = bytesRead === 0 ? this.#end : this.#at + bytesRead;
        this.push(bytesRead === 0 ? null : bytesRead === length ? buffer : buffer.subarray(0, bytesRead));
      },
      (error: unknown) => this.destroy(mediumFailure(error)),
    );
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#file.close().then(
      () => done(error),
      (closing: unknown) => done(error ?? mediumFailure(closing)),
    );
  }
}
