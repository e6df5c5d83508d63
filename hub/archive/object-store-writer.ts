/**
 * Writes one object of the file store: gathers chunks into slabs, and puts bytes and name on the disk so that a key
 * either names a whole durable object or nothing that anybody was told of.
 */
import { webcrypto } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ObjectWriter } from '../core/ports.ts';
import { mediumFailure } from './object-store-medium.ts';
import type { ReservedPlace } from './object-store-reserve.ts';
import { SLAB_BYTES, type Slabs } from './object-store-slab.ts';
import { blocksFor, writeTrailer } from './object-store-trailer.ts';
import type { DirectorySync } from './object-store-sync.ts';

export interface WriterFiles {
  readonly temporary: string;
  readonly target: string;
  /** Nobody can ask for the target before `commit` resolves: its name may be there before its bytes are durable. */
  readonly fresh: boolean;
  /** Where the target stands already as an empty file whose name is durable. */
  readonly place: ReservedPlace | null;
  /** The object is durable; its file has `length` bytes, of which `size` are the object, and is handed over open. */
  trimming(file: FileHandle, size: number, length: number): void;
}

/** What all writers of a store share. */
export interface WriterMeans {
  readonly sync: DirectorySync;
  readonly slabs: Slabs;
}

/** Writes one slab while the next fills; opening the file overlaps the first chunks. */
export class FileWriter implements ObjectWriter {
  readonly #files: WriterFiles;
  readonly #sync: DirectorySync;
  readonly #slabs: Slabs;
  /** The reserved file while the object may still fit into it. */
  #reserved: FileHandle | null = null;
  #file: Promise<FileHandle> | null = null;
  #slab: Buffer | null = null;
  /** The whole object, once committed, until its digest was taken or nobody asks for it. */
  #kept: Buffer | null = null;
  #filled = 0;
  #position = 0;
  #flight: Promise<void> = Promise.resolve();
  #state: 'open' | 'committed' | 'closed' = 'open';

  constructor(files: WriterFiles, { sync, slabs }: WriterMeans) {
    this.#files = files;
    this.#sync = sync;
    this.#slabs = slabs;
    if (files.place) this.#reserved = files.place.file;
    else void this.#temporary(); // awaited, and so reported, by the first flush
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
      if (this.#filled > 0 && (await this.#commitReserved())) return { size: this.#position };
      await this.#leaveReserved();
      await this.#flush();
      await this.#flight;
      const file = await this.#temporary();
      if (this.#files.fresh) await this.#publishAndSync(file);
      else {
        await file.datasync(); // fdatasync carries the size with it; times may be lost
        await rename(this.#files.temporary, this.#files.target);
        this.#state = 'committed';
        await this.#sync.sync(dirname(this.#files.target));
      }
      await file.close();
      if (this.#position === 0) await this.#files.place?.unlisted();
      return { size: this.#position };
    } catch (error) {
      await this.abort();
      throw mediumFailure(error);
    }
  }

  /** As `FreshObject.digest`. */
  async digest(from: number): Promise<string | null> {
    const slab = this.#kept;
    this.#kept = null;
    if (slab === null) return null;
    try {
      // Of the crypto of Node the one that hashes in the thread pool.
      const digest = await webcrypto.subtle.digest('SHA-256', slab.subarray(from, this.#position));
      return Buffer.from(digest).toString('hex');
    } finally {
      this.#slabs.give(slab);
    }
  }

  /** Nobody will ask for the digest any more. */
  release(): void {
    if (this.#kept) this.#slabs.give(this.#kept);
    this.#kept = null;
  }

  /**
   * An object of one slab goes into its reserved file: the name is durable already, so the bytes need one write that
   * returns when they are, and no change of a directory. False where there is no such file; then the object takes the way
   * of a temporary name.
   */
  async #commitReserved(): Promise<boolean> {
    const { place, target } = this.#files;
    const [file, slab] = [this.#reserved, this.#slab];
    if (!file || !place || !slab) return false;
    const length = place.direct ? blocksFor(this.#filled) : this.#filled;
    if (length > SLAB_BYTES) return false;
    this.#reserved = null;
    this.#slab = null;
    try {
      if (place.direct) writeTrailer(slab, this.#filled, length);
      await put(file, slab, length, 0);
      this.#kept = slab;
      this.#files.trimming(file, this.#filled, length);
    } catch (error) {
      this.#slabs.give(slab);
      await file.close();
      await rm(target, { force: true });
      throw error;
    }
    this.#state = 'committed';
    this.#position = this.#filled;
    return true;
  }

  /**
   * Bytes and name reach the disk in one journal commit of the file system and not in two, which halves the wait
   * (measured on ext4).
   */
  async #publishAndSync(file: FileHandle): Promise<void> {
    const { temporary, target } = this.#files;
    await rename(temporary, target);
    try {
      await Promise.all([file.datasync(), this.#sync.sync(dirname(target))]);
    } catch (error) {
      await rm(target, { force: true });
      throw error;
    }
    this.#state = 'committed';
  }

  async abort(): Promise<void> {
    // Committed: acknowledged, or complete and merely not known to be durable; never taken away.
    if (this.#state !== 'open') return;
    this.#state = 'closed';
    await this.#flight.catch(() => undefined); // the failure was reported to the writer already
    if (this.#slab) this.#slabs.give(this.#slab);
    this.#slab = null;
    await this.#leaveReserved();
    const file = await this.#file?.catch(() => null);
    if (file) {
      await file.close();
      await rm(this.#files.temporary, { force: true });
    }
    if (!this.#files.place) return;
    await rm(this.#files.target, { force: true });
    this.#files.place.settled();
  }

  /** The object will not go into the reserved file; its name stays, and a rename may still replace it. */
  async #leaveReserved(): Promise<void> {
    const file = this.#reserved;
    this.#reserved = null;
    await file?.close();
  }

  #temporary(): Promise<FileHandle> {
    if (this.#file) return this.#file;
    this.#file = open(this.#files.temporary, 'wx');
    this.#file.catch(() => undefined); // reported by those who await it
    return this.#file;
  }

  async #flush(): Promise<void> {
    try {
      await this.#flight;
    } catch (error) {
      throw mediumFailure(error);
    }
    const slab = this.#slab;
    if (slab === null) return;
    await this.#leaveReserved();
    const length = this.#filled;
    const position = this.#position;
    this.#slab = null;
    this.#filled = 0;
    this.#flight = this.#temporary()
      .then((file) => put(file, slab, length, position))
      .finally(() => {
        this.#slabs.give(slab);
      });
    this.#flight.catch(() => undefined); // the next flush or the commit awaits it
    this.#position += length;
  }
}

async function put(file: FileHandle, slab: Buffer, length: number, position: number): Promise<void> {
  let done = 0;
  while (done < length) done += (await file.write(slab, done, length - done, position + done)).bytesWritten;
}
