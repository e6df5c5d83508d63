/**
 * The law of object keys, the same over every store: made by the hub, lower case, never a way out of the store's root.
 */
import { Failure, problem } from '../core/problem.ts';

/** Whole objects above this are streamed, not gathered. */
export const GATHER_LIMIT = 64 * 1024 * 1024;

const SEGMENT = /^[a-z0-9][a-z0-9._-]*$/;

export const isObjectKey = (key: string): boolean =>
  key.length <= 512 && !key.includes('..') && key.split('/').every((part) => part.length <= 200 && SEGMENT.test(part));

/** Throws on a bad key: keys come from the hub itself, so that is a bug and not an outside error. */
export function checkedKey(key: string): string {
  if (!isObjectKey(key)) throw new Error(`not an object key: ${JSON.stringify(key.slice(0, 80))}`);
  return key;
}

export interface ByteRange {
  readonly start: number;
  readonly end?: number;
}

export function checkedRange(range: ByteRange | undefined): ByteRange | undefined {
  if (range === undefined) return undefined;
  const { start, end } = range;
  const good =
    Number.isSafeInteger(start) && start >= 0 && (end === undefined || (Number.isSafeInteger(end) && end >= start));
  if (!good) throw new Error(`not a byte range: ${String(start)}..${String(end)}`);
  return range;
}

/** Something that lies in a store, as a walk over all of it tells. */
export interface Lying {
  readonly key: string;
  /** Bytes that it takes, which may be more than the object's. */
  readonly size: number;
  readonly changedAt: Date;
}

export const notThere = (cause?: unknown): Failure =>
  new Failure(problem('not-found', undefined, 'The object store has nothing under this key.'), cause);

export const tooLargeToGather = (): Failure =>
  new Failure(problem('too-large', undefined, 'The object is too large to be read at once; stream it.'));

/** Errors of the medium (full, read-only, out of handles, unreachable): the input may be sent again later. */
export const storeUnavailable = (text: string, cause: unknown): Failure =>
  new Failure(problem('unavailable', undefined, text), cause);
