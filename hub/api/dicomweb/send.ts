/**
 * Sends stored bytes at the speed of the wire: a few large reads ahead of the socket into buffers that are used again,
 * each with the part's head in front of its bytes, so that one instance costs one read and one write.
 */
import type { Response } from 'express';
import type { InstanceLocated } from '../../core/ports.ts';
import { Failure, problem } from '../../core/problem.ts';

/** Where the bytes of parts come from, by whatever tells where they are: `ImageSource` is one. */
export interface PartSource<L> {
  open(located: L, range: { readonly start: number; readonly end: number }): Promise<AsyncIterable<unknown>>;
  /** null: these bytes can only be had by `open`. */
  readInto?(located: L, into: Uint8Array, start: number): Promise<number | null>;
}

export type Part<L = InstanceLocated> =
  /** Bytes at hand. */
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  /** `head`, then `length` bytes of the stored file from `start`. */
  | {
      readonly kind: 'stored';
      readonly head: Buffer;
      readonly located: L;
      readonly start: number;
      readonly length: number;
      /** The source has no use of `readInto` for this one. */
      readonly streamed?: boolean;
    }
  /** `head`, then bytes whose number is known only when they are made. */
  | { readonly kind: 'made'; readonly head: Buffer; readonly make: () => Promise<AsyncIterable<Uint8Array>> };

const SEGMENT_BYTES = 1024 * 1024;
const HEAD_ROOM = 1024;
/** Segments of one answer that are being read or written. */
const WINDOW = 4;
const BUFFERS_KEPT = 16;

const spare: Buffer[] = [];

/** Bytes of all parts together; null where some are made on the way. */
export function lengthOf<L>(parts: readonly Part<L>[]): number | null {
  let total = 0;
  for (const part of parts) {
    if (part.kind === 'made') return null;
    total += part.kind === 'bytes' ? part.bytes.length : part.head.length + part.length;
  }
  return total;
}

/** Resolves when everything was handed to the socket, or when the caller has gone; rejects when bytes cannot be had. */
export async function sendParts<L>(
  response: Response,
  source: PartSource<L>,
  parts: Iterable<Part<L>> | AsyncIterable<Part<L>>,
): Promise<void> {
  const sender = new Sender(response, source);
  for await (const part of parts) {
    if (sender.gone) return;
    if (part.kind === 'bytes') await sender.bytes(part.bytes);
    else if (part.kind === 'made') await sender.stream(part.head, await part.make());
    else if (source.readInto === undefined || part.streamed === true) {
      const range = { start: part.start, end: part.start + part.length };
      await sender.stream(part.head, bytesOf(await source.open(part.located, range)), part.length);
    } else await sender.stored(part);
  }
  await sender.drain();
}

async function* bytesOf(source: AsyncIterable<unknown>): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) yield chunk as Uint8Array;
}

class Sender<L> {
  readonly #response: Response;
  readonly #source: PartSource<L>;
  /** In the order of the wire: each resolves to its filled buffer. */
  readonly #reading: Promise<Filled>[] = [];
  #writing = 0;
  #wake: (() => void) | null = null;
  #gone = false;

  constructor(response: Response, source: PartSource<L>) {
    this.#response = response;
    this.#source = source;
    response.once('close', () => {
      this.#gone = true;
      this.#wake?.();
    });
    if (response.destroyed) this.#gone = true;
  }

  get gone(): boolean {
    return this.#gone;
  }

  async bytes(bytes: Buffer): Promise<void> {
    await this.#flush();
    if (bytes.length > 0) await this.#write(bytes);
  }

  async stream(head: Buffer, source: AsyncIterable<Uint8Array>, promised?: number): Promise<void> {
    await this.bytes(head);
    let sent = 0;
    for await (const chunk of source) {
      if (this.#gone) return; // leaving the loop destroys the source
      sent += chunk.length;
      await this.#write(chunk);
    }
    if (promised !== undefined && sent !== promised) throw shorter();
  }

  async stored(part: Extract<Part<L>, { kind: 'stored' }>): Promise<void> {
    let head = part.head;
    const end = part.start + part.length;
    for (let at = part.start; at < end || head.length > 0; at += SEGMENT_BYTES) {
      while (this.#reading.length + this.#writing >= WINDOW && !this.#gone) await this.#advance();
      if (this.#gone) return this.drain();
      const length = Math.min(SEGMENT_BYTES, end - at);
      const filled = this.#fill(head, part.located, at, length);
      filled.catch(() => undefined); // awaited in its turn
      this.#reading.push(filled);
      head = EMPTY;
    }
  }

  async drain(): Promise<void> {
    await this.#flush();
    while (this.#writing > 0 && !this.#gone) await this.#written();
  }

  /** Sends what is being read. When the caller has gone the reads still end first, since they own their buffers. */
  async #flush(): Promise<void> {
    while (this.#reading.length > 0) await this.#advance();
  }

  async #advance(): Promise<void> {
    const next = this.#reading.shift();
    if (next === undefined) return this.#written();
    const { buffer, length } = await next.catch(async (error: unknown) => {
      await Promise.allSettled(this.#reading);
      throw error;
    });
    if (this.#gone) {
      keep(buffer);
      return;
    }
    this.#writing++;
    this.#response.write(buffer.subarray(0, length), () => {
      // After an error the kernel may still hold the memory: only what was truly sent is used again.
      if (!this.#gone) keep(buffer);
      this.#writing--;
      this.#wake?.();
    });
  }

  #written(): Promise<void> {
    if (this.#gone) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = null;
        resolve();
      };
    });
  }

  async #fill(head: Buffer, located: L, start: number, length: number): Promise<Filled> {
    const buffer = spare.pop() ?? Buffer.allocUnsafeSlow(HEAD_ROOM + SEGMENT_BYTES);
    buffer.set(head, 0);
    const body = buffer.subarray(head.length, head.length + length);
    const got = (await this.#source.readInto?.(located, body, start)) ?? (await this.#copied(located, body, start));
    if (got !== length) throw shorter();
    return { buffer, length: head.length + length };
  }

  /** The source that had the bytes at hand lost them between; another may have them. */
  async #copied(located: L, into: Buffer, start: number): Promise<number> {
    let filled = 0;
    for await (const chunk of await this.#source.open(located, { start, end: start + into.length })) {
      const bytes = chunk as Buffer;
      into.set(bytes.subarray(0, into.length - filled), filled);
      filled = Math.min(into.length, filled + bytes.length);
    }
    return filled;
  }

  async #write(chunk: Uint8Array): Promise<void> {
    if (this.#gone) return;
    if (this.#response.write(chunk)) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.#response.off('drain', done);
        this.#response.off('close', done);
        resolve();
      };
      this.#response.once('drain', done);
      this.#response.once('close', done);
    });
  }
}

interface Filled {
  readonly buffer: Buffer;
  readonly length: number;
}

const EMPTY = Buffer.alloc(0);

function keep(buffer: Buffer): void {
  if (spare.length < BUFFERS_KEPT) spare.push(buffer);
}

const shorter = (): Failure =>
  new Failure(problem('unavailable', undefined, 'An instance is shorter in its store than the index says.'));
