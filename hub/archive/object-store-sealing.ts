/**
 * Writes one object sealed: gathers its bytes into chunks, and hands each to the store's own writer as soon as it is known
 * not to be the last.
 */
import { webcrypto } from 'node:crypto';
import type { ObjectWriter } from '../core/ports.ts';
import { CHUNK_BYTES, giveBack, type ObjectSeal } from './object-cipher.ts';
import { SLAB_BYTES, type Slabs } from './object-store-slab.ts';

export class SealingWriter implements ObjectWriter {
  readonly #inner: ObjectWriter;
  readonly #seal: ObjectSeal;
  readonly #slabs: Slabs;
  readonly #committed: (() => void) | undefined;
  /** Of the plain bytes the last that came; all of them while they fit. */
  #slab: Buffer | null = null;
  #filled = 0;
  #sealedTo = 0;
  #index = 0;
  #size = 0;
  #state: 'open' | 'committed' | 'closed' = 'open';

  /** `committed`: the store below need not keep what it wrote. */
  constructor(inner: ObjectWriter, seal: ObjectSeal, slabs: Slabs, committed?: () => void) {
    this.#inner = inner;
    this.#committed = committed;
    this.#seal = seal;
    this.#slabs = slabs;
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (this.#state !== 'open') throw new Error('write after the end of an object');
    let at = 0;
    while (at < chunk.length) {
      this.#slab ??= this.#slabs.take();
      if (this.#filled === SLAB_BYTES) await this.#turn();
      const length = Math.min(chunk.length - at, SLAB_BYTES - this.#filled);
      this.#slab.set(at === 0 && length === chunk.length ? chunk : chunk.subarray(at, at + length), this.#filled);
      this.#filled += length;
      this.#size += length;
      at += length;
      while (this.#filled - this.#sealedTo > CHUNK_BYTES) await this.#put(this.#sealedTo + CHUNK_BYTES, false);
    }
  }

  async commit(): Promise<{ readonly size: number }> {
    if (this.#state !== 'open') throw new Error('commit after the end of an object');
    try {
      await this.#put(this.#filled, true);
      await this.#inner.commit();
    } catch (error) {
      await this.abort();
      throw error;
    }
    this.#state = 'committed';
    this.#committed?.();
    return { size: this.#size };
  }

  async abort(): Promise<void> {
    if (this.#state !== 'open') return;
    this.#state = 'closed';
    this.release();
    await this.#inner.abort();
  }

  /** As `FreshObject.digest`: of the plain bytes. */
  async digest(from: number): Promise<string | null> {
    const slab = this.#slab;
    this.#slab = null;
    if (slab === null) return null;
    try {
      if (this.#size > SLAB_BYTES) return null;
      // Of the crypto of Node the one that hashes in the thread pool.
      const digest = await webcrypto.subtle.digest('SHA-256', slab.subarray(from, this.#size));
      return Buffer.from(digest).toString('hex');
    } finally {
      this.#slabs.give(slab);
    }
  }

  /** Nobody will ask for the digest any more. */
  release(): void {
    if (this.#slab) this.#slabs.give(this.#slab);
    this.#slab = null;
  }

  /** The slab is full and more comes. */
  async #turn(): Promise<void> {
    await this.#put(SLAB_BYTES, false);
    this.#filled = 0;
    this.#sealedTo = 0;
  }

  async #put(end: number, last: boolean): Promise<void> {
    if (this.#index === 0) await this.#inner.write(this.#seal.header);
    const plain = this.#slab?.subarray(this.#sealedTo, end) ?? new Uint8Array(0);
    const sealed = this.#seal.seal(plain, this.#index, last);
    this.#index++;
    this.#sealedTo = end;
    for (const part of sealed) await this.#inner.write(part);
    giveBack(sealed[0]);
  }
}
