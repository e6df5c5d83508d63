/**
 * Takes the documents of one submission into the object store as they come, with their size and SHA-1. What nobody claims
 * by the end of the exchange is removed again, however the exchange ended.
 */
import { createHash } from 'node:crypto';
import type { Log, ObjectStore } from '../core/ports.ts';
import { codeOf, fail, Failure, ok, problem } from '../core/problem.ts';
import type { Problem, Result } from '../core/problem.ts';
import { freshDocumentKey } from './sweep-repository.ts';

export interface KeptDocument {
  readonly object: string;
  readonly size: number;
  /** SHA-1, 40 hex digits in lower case (ITI TF-3 §4.2.3.2.10). */
  readonly hash: string;
}

export interface ReceiveDocumentsDeps {
  readonly objects: ObjectStore;
  readonly log: Log;
  readonly clock: () => Date;
  /** Of one document. */
  readonly maxBytes: number;
}

/** What is stored for somebody of whom nothing is known yet, of one request: as much as an envelope may have. */
const UNTRUSTED_BYTES = 16 * 1024 ** 2;

export class DocumentIntake {
  readonly #deps: ReceiveDocumentsDeps;
  readonly #unclaimed = new Set<string>();
  #closed = false;
  /** Bytes that may still come. */
  #allowance = UNTRUSTED_BYTES;
  #broken: Problem | null = null;

  constructor(deps: ReceiveDocumentsDeps) {
    this.#deps = deps;
  }

  /** Why the store could not take a document; the sender may come again. */
  get broken(): Problem | null {
    return this.#broken;
  }

  /** The sender may submit: from now on only the size of each document counts. */
  trust(): void {
    this.#allowance = Infinity;
  }

  /** From now on nothing is written: what still comes belongs to a refused submission. */
  close(): void {
    this.#closed = true;
  }

  async take(body: AsyncIterable<Result<Uint8Array>>): Promise<Result<KeptDocument>> {
    if (this.#closed) return ok({ object: '', size: 0, hash: '' });
    try {
      return await this.#store(body);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.#broken = error.problem;
      return fail(error.problem);
    }
  }

  async #store(body: AsyncIterable<Result<Uint8Array>>): Promise<Result<KeptDocument>> {
    const key = freshDocumentKey(this.#deps.clock());
    const writer = await this.#deps.objects.write(key);
    const hash = createHash('sha1');
    let size = 0;
    let refused: Problem | null = null;
    try {
      for await (const chunk of body) {
        if (!chunk.ok) refused = chunk.problem;
        else if ((size += chunk.value.length) > this.#deps.maxBytes)
          refused = problem('too-large', undefined, 'A document is larger than the hub takes.');
        else if ((this.#allowance -= chunk.value.length) < 0)
          refused = problem(
            'too-large',
            undefined,
            'Documents this large must come after the envelope that names them.',
          );
        if (refused || !chunk.ok) break;
        hash.update(chunk.value);
        await writer.write(chunk.value);
      }
      if (refused === null) {
        await writer.commit();
        this.#unclaimed.add(key);
        return ok({ object: key, size, hash: hash.digest('hex') });
      }
    } catch (error) {
      await writer.abort();
      throw error;
    }
    await writer.abort();
    return fail(refused);
  }

  /** These belong to registered documents now. */
  claim(objects: Iterable<string>): void {
    for (const object of objects) this.#unclaimed.delete(object);
  }

  /** Takes a claim back. */
  release(objects: Iterable<string>): void {
    for (const object of objects) this.#unclaimed.add(object);
  }

  /** An object that cannot be removed wastes room and hurts nobody: no document names it. */
  async discard(): Promise<void> {
    this.#closed = true;
    const unclaimed = [...this.#unclaimed];
    this.#unclaimed.clear();
    // Some at a time, so that the store syncs their directory once for all of them.
    for (let at = 0; at < unclaimed.length; at += 32)
      await Promise.all(unclaimed.slice(at, at + 32).map((object) => this.#remove(object)));
  }

  async #remove(object: string): Promise<void> {
    try {
      await this.#deps.objects.remove(object);
    } catch (cause) {
      this.#deps.log.warn({ object, code: codeOf(cause) }, 'the bytes of a refused document were not removed');
    }
  }
}
