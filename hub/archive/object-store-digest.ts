/**
 * SHA-256 of what lies in a slab, in a thread of its own: half a millisecond a CT image, in which the process would
 * neither take the next image of its sender nor anybody else's. Slabs are shared memory, so nothing is copied.
 */
import { Worker } from 'node:worker_threads';

interface Asked {
  resolve(digest: string): void;
  reject(cause: unknown): void;
}

/** The thread: too small for the TypeScript loader, which would take longer to start than a series to arrive. */
const THREAD = `
const { parentPort } = require('node:worker_threads');
const { createHash } = require('node:crypto');
parentPort.on('message', ({ id, memory, from, to }) => {
  const digest = createHash('sha256').update(new Uint8Array(memory, from, to - from)).digest('hex');
  parentPort.postMessage({ id, digest });
});`;

export class Digests {
  readonly #asked = new Map<number, Asked>();
  #thread: Worker | null = null;
  #last = 0;

  /** Lower-case hexadecimal digest of bytes [from, to) of the slab, which must not change meanwhile. */
  of(slab: Buffer, from: number, to: number): Promise<string> {
    const thread = (this.#thread ??= this.#start());
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#asked.set(id, { resolve, reject });
      const start = slab.byteOffset;
      thread.postMessage({ id, memory: slab.buffer, from: start + from, to: start + to });
    });
  }

  async close(): Promise<void> {
    const thread = this.#thread;
    this.#thread = null;
    await thread?.terminate();
    this.#fail(new Error('the object store was closed'));
  }

  #start(): Worker {
    const thread = new Worker(THREAD, { eval: true, execArgv: [] });
    thread.unref();
    thread.on('message', ({ id, digest }: { id: number; digest: string }) => {
      this.#asked.get(id)?.resolve(digest);
      this.#asked.delete(id);
    });
    const ended = (cause: unknown): void => {
      if (this.#thread !== thread) return;
      this.#thread = null; // the next digest starts another
      this.#fail(cause);
    };
    thread.on('error', ended);
    thread.on('exit', () => {
      ended(new Error('the thread of digests ended'));
    });
    return thread;
  }

  #fail(cause: unknown): void {
    const waiting = [...this.#asked.values()];
    this.#asked.clear();
    for (const { reject } of waiting) reject(cause);
  }
}
