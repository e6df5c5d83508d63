/**
 * The object store on local files. An object is written under a temporary name, synced, renamed, and its directory
 * synced, so that a key either names a whole durable object or nothing, whatever dies in between.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import type { ObjectStore, ObjectWriter, WriteKind } from '../core/ports.ts';
import type { ByteRange } from './object-store-key.ts';
import {
  checkedKey,
  checkedRange,
  GATHER_LIMIT,
  notThere,
  storeUnavailable,
  tooLargeToGather,
} from './object-store-key.ts';
import { DirectorySync } from './object-store-sync.ts';

/** At most two of these per open writer. A CT or MR object fits in one: then it costs one write, one fsync, one rename. */
const SLAB_BYTES = 1024 * 1024;
const SLABS_KEPT = 16;
/** One read of a stream: most CT and MR objects are one or two of these. */
const READ_BYTES = 1024 * 1024;
/** Temporary files older than this belong to a process that died; no upload lasts a day. */
const STALE_MS = 24 * 3600 * 1000;
const INCOMING = '.incoming';

export class FileObjectStore implements ObjectStore {
  readonly #root: string;
  readonly #sync = new DirectorySync();
  readonly #slabs: Buffer[] = [];
  #ready: Promise<void> | null = null;

  constructor(root: string) {
    this.#root = root;
  }

  async write(key: string, kind: WriteKind = 'known-key'): Promise<ObjectWriter> {
    const target = join(this.#root, checkedKey(key));
    await this.#prepare();
    await this.#sync.make(dirname(target), this.#root);
    const temporary = join(this.#root, INCOMING, randomUUID());
    return new FileWriter(temporary, target, kind, this.#sync, {
      take: () => this.#slabs.pop() ?? Buffer.allocUnsafeSlow(SLAB_BYTES),
      give: (slab) => {
        if (this.#slabs.length < SLABS_KEPT) this.#slabs.push(slab);
      },
    });
  }

  async read(key: string, range?: ByteRange): Promise<Readable> {
    const wanted = checkedRange(range);
    const file = await this.#open(key);
    try {
      const end = wanted?.end ?? (await file.stat()).size;
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
      const size = (await file.stat()).size;
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

  async size(key: string): Promise<number | null> {
    try {
      return (await stat(join(this.#root, checkedKey(key)))).size;
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return null;
      throw mediumFailure(error);
    }
  }

  /** Removing what is not there is not an error: removal is repeated after a crash. */
  async remove(key: string): Promise<void> {
    const target = join(this.#root, checkedKey(key));
    try {
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
    await this.#sync.close();
  }

  async #open(key: string): Promise<FileHandle> {
    try {
      return await open(join(this.#root, checkedKey(key)), 'r');
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

interface Slabs {
  take(): Buffer;
  give(slab: Buffer): void;
}

/** Gathers chunks into slabs and writes one while the next fills; opening the file overlaps the first chunks. */
class FileWriter implements ObjectWriter {
  readonly #temporary: string;
  readonly #target: string;
  readonly #kind: WriteKind;
  readonly #sync: DirectorySync;
  readonly #slabs: Slabs;
  readonly #file: Promise<FileHandle>;
  #slab: Buffer | null = null;
  #filled = 0;
  #position = 0;
  #flight: Promise<void> = Promise.resolve();
  #state: 'open' | 'committed' | 'closed' = 'open';

  constructor(temporary: string, target: string, kind: WriteKind, sync: DirectorySync, slabs: Slabs) {
    this.#temporary = temporary;
    this.#target = target;
    this.#kind = kind;
    this.#sync = sync;
    this.#slabs = slabs;
    this.#file = open(temporary, 'wx');
    this.#file.catch(() => undefined); // awaited, and so reported, by the first flush
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (this.#state !== 'open') throw new Error('write after the end of an object');
    let at = 0;
    while (at < chunk.length) {
      this.#slab ??= this.#slabs.take();
      const length = Math.min(chunk.length - at, SLAB_BYTES - this.#filled);
      this.#slab.set(at === 0 && length === chunk.length ? chunk : chunk.subarray(at, at + length), this.#filled);
      this.#filled += length;
      at += length;
      if (this.#filled === SLAB_BYTES) await this.#flush();
    }
  }

  async commit(): Promise<{ readonly size: number }> {
    if (this.#state !== 'open') throw new Error('commit after the end of an object');
    try {
      await this.#flush();
      await this.#flight;
      const file = await this.#file;
      if (this.#kind === 'fresh-key') await this.#publishAndSync(file);
      else {
        await file.datasync(); // fdatasync carries the size with it; times may be lost
        await rename(this.#temporary, this.#target);
        this.#state = 'committed';
        await Promise.all([this.#sync.sync(dirname(this.#target)), file.close()]);
      }
      return { size: this.#position };
    } catch (error) {
      await this.abort();
      throw mediumFailure(error);
    }
  }

  /**
   * Nobody can ask for a fresh key before `commit` resolves, so the name may come first: bytes and name then reach the
   * disk in one journal commit of the file system and not in two, which halves the wait (measured on ext4).
   */
  async #publishAndSync(file: FileHandle): Promise<void> {
    await rename(this.#temporary, this.#target);
    try {
      await Promise.all([file.datasync(), this.#sync.sync(dirname(this.#target))]);
    } catch (error) {
      await rm(this.#target, { force: true });
      throw error;
    }
    this.#state = 'committed';
    await file.close();
  }

  async abort(): Promise<void> {
    if (this.#state === 'closed') return;
    const renamed = this.#state === 'committed';
    if (renamed) return; // acknowledged, or complete and merely not known to be durable: never taken away
    this.#state = 'closed';
    await this.#flight.catch(() => undefined); // the failure was reported to the writer already
    if (this.#slab) this.#slabs.give(this.#slab);
    this.#slab = null;
    const file = await this.#file.catch(() => null);
    if (file === null) return;
    await file.close();
    await rm(this.#temporary, { force: true });
  }

  async #flush(): Promise<void> {
    try {
      await this.#flight;
    } catch (error) {
      throw mediumFailure(error);
    }
    const slab = this.#slab;
    if (slab === null) return;
    const length = this.#filled;
    this.#slab = null;
    this.#filled = 0;
    this.#flight = this.#put(slab, length, this.#position);
    this.#flight.catch(() => undefined); // the next flush or the commit awaits it
    this.#position += length;
  }

  async #put(slab: Buffer, length: number, position: number): Promise<void> {
    try {
      const file = await this.#file;
      let done = 0;
      while (done < length) done += (await file.write(slab, done, length - done, position + done)).bytesWritten;
    } finally {
      this.#slabs.give(slab);
    }
  }
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

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

const MEDIUM: Readonly<Record<string, string>> = {
  ENOSPC: 'The object store has no space left.',
  EDQUOT: 'The object store has used up its quota.',
  EROFS: 'The object store is read-only.',
  EMFILE: 'The hub has too many open files.',
  ENFILE: 'The machine has too many open files.',
  EIO: 'The disk of the object store failed.',
  EACCES: 'The hub may not use the folder of the object store.',
  EPERM: 'The hub may not use the folder of the object store.',
};

function mediumFailure(error: unknown): Error {
  const code = codeOf(error);
  if (code === 'ENOENT') return notThere(error);
  const text = MEDIUM[code];
  if (text !== undefined) return storeUnavailable(text, error);
  return error instanceof Error ? error : new Error(String(error));
}
