/**
 * Any object store with its objects sealed: files or a bucket below hold ciphertext alone. A sealed object lies under its
 * key and a suffix, so what was stored in clear before stays readable beside it, and a process that does not unseal
 * finds nothing where it would find noise.
 */
import { Readable } from 'node:stream';
import type { FreshObject, ObjectStore, ObjectWriter } from '../core/ports.ts';
import { Failure, problem } from '../core/problem.ts';
import type { DataKeys, SealAlgorithm, SealBroken } from '../core/sealing.ts';
import {
  CHUNK_BYTES,
  drawSeal,
  giveBack,
  HEADER_BYTES,
  plainSize,
  readHeader,
  sealOf,
  SEALED_CHUNK_BYTES,
  type ObjectSeal,
} from './object-cipher.ts';
import {
  checkedKey,
  checkedRange,
  GATHER_LIMIT,
  notThere,
  tooLargeToGather,
  type ByteRange,
} from './object-store-key.ts';
import { SealingWriter } from './object-store-sealing.ts';
import { SLAB_BYTES, Slabs } from './object-store-slab.ts';

/** No key of the hub's own ends so. */
const SUFFIX = '.sealed';
export const sealedName = (key: string): string => key + SUFFIX;
export const isSealedName = (name: string): boolean => name.endsWith(SUFFIX);
/** The key of the object that lies under a name, sealed or not. */
export const keyOf = (name: string): string => (isSealedName(name) ? name.slice(0, -SUFFIX.length) : name);

export interface Sealing {
  readonly keys: DataKeys;
  /** What new objects are sealed with; null: they are stored in clear, and those that are sealed stay readable. */
  readonly cipher: SealAlgorithm | null;
  /** false: an object in clear is refused, since whoever may write to the medium could have put it there. Default: read. */
  readonly readsClear?: boolean;
  /** Hears of an object that is not as it was sealed, whose data key is not at hand, or that lies in clear and may not. */
  readonly broken: (key: string, why: Broken) => void;
}

export type Broken = SealBroken['why'];

type Inner = ObjectStore & { close(): Promise<void> };

/** A sealed object, as its header tells. */
interface Found {
  readonly seal: ObjectSeal;
  readonly keyId: number;
  readonly algorithm: SealAlgorithm;
  /** Bytes below, and of the object. */
  readonly sealedSize: number;
  readonly size: number;
}

/** The object is there and must not be served. */
export class BrokenObject extends Failure {
  constructor(text: string) {
    super(problem('unavailable', undefined, text));
  }
}

/** Bytes are not those that were sealed; or another process has sealed them anew since the header was read. */
class Differs extends Error {}

/** Headers kept: an object is read several times in a row, and its header never changes until it is sealed anew. */
const HEADERS_KEPT = 16_384;
/** A slab of an object that begins anywhere in a chunk. */
const CHUNKS_AT_ONCE = SLAB_BYTES / CHUNK_BYTES + 1;
const BUFFERS_KEPT = 8;

export class SealedObjectStore implements ObjectStore {
  readonly #inner: Inner;
  readonly #sealing: Sealing;
  readonly #slabs = new Slabs();
  readonly #headers = new Map<string, Found>();
  readonly #spare: Buffer[] = [];
  readonly readInto?: (key: string, into: Uint8Array, start: number) => Promise<number>;
  readonly unfiled?: () => AsyncIterable<string>;

  constructor(inner: Inner, sealing: Sealing) {
    this.#inner = inner;
    this.#sealing = sealing;
    if (inner.readInto)
      this.readInto = (key, into, start) =>
        this.#either(
          key,
          (found) => this.#fill(key, found, into, start),
          () => this.#into(key, into, start),
        );
    if (inner.unfiled) this.unfiled = () => this.#unfiled();
  }

  write(key: string): Promise<ObjectWriter> {
    const { cipher } = this.#sealing;
    return cipher === null ? this.#inner.write(key) : this.writeSealed(key, cipher);
  }

  async writeSealed(key: string, cipher: SealAlgorithm): Promise<SealingWriter> {
    const writer = await this.#inner.write(sealedName(checkedKey(key)));
    return this.#sealingWriter(key, cipher, writer);
  }

  writeFresh(folder: string, suffix: string): Promise<FreshObject> {
    const { cipher } = this.#sealing;
    return cipher === null ? this.#inner.writeFresh(folder, suffix) : this.#fresh(folder, suffix, cipher);
  }

  async #fresh(folder: string, suffix: string, cipher: SealAlgorithm): Promise<FreshObject> {
    const fresh = await this.#inner.writeFresh(folder, sealedName(suffix));
    const key = keyOf(fresh.key);
    const writer = this.#sealingWriter(key, cipher, fresh.writer, fresh.undigested);
    const filed = (): void => {
      writer.release();
      fresh.filed();
    };
    return { key, writer, listed: fresh.listed, digest: (from) => writer.digest(from), filed };
  }

  read(key: string, range?: ByteRange): Promise<Readable> {
    return this.#either(
      key,
      (found) => this.#stream(key, found, checkedRange(range)),
      () => this.#inner.read(key, range),
    );
  }

  readAll(key: string, range?: ByteRange): Promise<Buffer> {
    return this.#either(
      key,
      (found) => this.#gather(key, found, checkedRange(range)),
      () => this.#inner.readAll(key, range),
    );
  }

  async size(key: string): Promise<number | null> {
    const sealed = async (): Promise<number | null> => {
      const bytes = await this.#inner.size(sealedName(checkedKey(key)));
      if (bytes === null) return null;
      return plainSize(bytes) ?? this.#fail(key, 'changed');
    };
    const clear = async (): Promise<number | null> => {
      const bytes = await this.#inner.size(key);
      return bytes !== null && this.#sealing.readsClear === false ? this.#fail(key, 'clear') : bytes;
    };
    return this.#sealing.cipher === null
      ? ((await clear()) ?? (await sealed()))
      : ((await sealed()) ?? (await clear()) ?? (await sealed())); // sealed in between
  }

  async *list(folder: string): AsyncGenerator<string> {
    for await (const name of this.#inner.list(folder)) {
      // While one in clear is being sealed it lies under both names.
      if (isSealedName(name) || (await this.#inner.size(sealedName(name))) === null) yield keyOf(name);
    }
  }

  /** In this order: an object that is being sealed meanwhile has its new name before it loses the old. */
  async remove(key: string): Promise<void> {
    await this.#inner.remove(key);
    await this.#inner.remove(sealedName(key));
    this.#headers.delete(key);
  }

  check(): Promise<void> {
    return this.#inner.check();
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  /** What the object is sealed by now; rejects with not-found where it is not sealed. */
  sealedBy(key: string): Promise<Pick<Found, 'keyId' | 'algorithm'>> {
    return this.#findAnew(key);
  }

  async *#unfiled(): AsyncGenerator<string> {
    for await (const name of this.#inner.unfiled?.() ?? []) yield keyOf(name);
  }

  async #into(name: string, into: Uint8Array, start: number): Promise<number> {
    return (await this.#inner.readInto?.(name, into, start)) ?? 0;
  }

  #sealingWriter(key: string, cipher: SealAlgorithm, inner: ObjectWriter, committed?: () => void): SealingWriter {
    this.#headers.delete(key);
    const seal = drawSeal(key, this.#sealing.keys.current(), cipher);
    return new SealingWriter(inner, seal, this.#slabs, committed);
  }

  /**
   * Where new objects are sealed, an object is looked for sealed, in clear, and sealed once more: it may have been sealed
   * in between. A kept header may be that of before.
   */
  async #either<T>(key: string, sealed: (found: Found) => Promise<T>, clear: () => Promise<T>): Promise<T> {
    checkedKey(key);
    const unsealed = async (): Promise<T> => {
      try {
        return await sealed(await this.#find(key, false));
      } catch (error) {
        if (!(error instanceof Differs)) throw error;
      }
      try {
        return await sealed(await this.#findAnew(key));
      } catch (error) {
        if (!(error instanceof Differs)) throw error;
        return this.#fail(key, 'changed');
      }
    };
    const allowed = async (): Promise<T> => {
      if (this.#sealing.readsClear === false && (await this.#inner.size(key)) !== null) this.#fail(key, 'clear');
      return clear();
    };
    const ways = this.#sealing.cipher === null ? [clear, unsealed] : [unsealed, allowed, unsealed];
    for (const way of ways) {
      try {
        return await way();
      } catch (error) {
        if (!(error instanceof Failure && error.problem.code === 'not-found')) throw error;
        this.#headers.delete(key);
      }
    }
    throw notThere();
  }

  async #findAnew(key: string): Promise<Found> {
    try {
      return await this.#find(key, true);
    } catch (error) {
      if (!(error instanceof Differs)) throw error;
      return this.#fail(key, 'changed');
    }
  }

  async #find(key: string, anew: boolean): Promise<Found> {
    const kept = anew ? undefined : this.#headers.get(key);
    if (kept) return kept;
    const name = sealedName(checkedKey(key));
    const [header, sealedSize] = await Promise.all([
      this.#inner.readAll(name, { start: 0, end: HEADER_BYTES }),
      this.#inner.size(name),
    ]);
    if (sealedSize === null) throw notThere();
    const by = readHeader(header);
    const size = plainSize(sealedSize);
    if (by === null || size === null) throw new Differs();
    const dataKey = this.#sealing.keys.byId(by.keyId);
    if (dataKey === null) return this.#fail(key, 'key');
    const found = { ...by, seal: sealOf(key, dataKey, by.algorithm, header), sealedSize, size };
    // Nobody reads a chunk of an empty object: without this, whatever was cut to a header would be one.
    if (size === 0) opened(found, await this.#inner.readAll(name, { start: HEADER_BYTES }), 0);
    this.#headers.set(key, found);
    const oldest = this.#headers.size > HEADERS_KEPT ? this.#headers.keys().next() : null;
    if (oldest?.done === false) this.#headers.delete(oldest.value);
    return found;
  }

  async #gather(key: string, found: Found, wanted: ByteRange | undefined): Promise<Buffer> {
    const start = wanted?.start ?? 0;
    const length = Math.max(0, Math.min(wanted?.end ?? found.size, found.size) - start);
    if (length > GATHER_LIMIT) throw tooLargeToGather();
    const into = Buffer.allocUnsafeSlow(length);
    if (this.#inner.readInto) await this.#fill(key, found, into, start);
    else {
      let at = 0;
      for await (const bytes of await this.#stream(key, found, wanted)) {
        into.set(bytes as Buffer, at);
        at += (bytes as Buffer).length;
      }
    }
    return into;
  }

  /** A few chunks at a time through memory that is used again; only what was authenticated reaches `into`. */
  async #fill(key: string, found: Found, into: Uint8Array, start: number): Promise<number> {
    const end = Math.min(found.size, start + into.length);
    const buffer = this.#spare.pop() ?? Buffer.allocUnsafeSlow(CHUNKS_AT_ONCE * SEALED_CHUNK_BYTES);
    try {
      for (let at = start; at < end;) {
        const first = Math.floor(at / CHUNK_BYTES);
        const beyond = Math.min(Math.ceil(end / CHUNK_BYTES), first + CHUNKS_AT_ONCE);
        const from = placeOf(first);
        const sealed = buffer.subarray(0, Math.min(placeOf(beyond), found.sealedSize) - from);
        const got = await this.#into(sealedName(key), sealed, from);
        if (got < sealed.length) throw new Differs();
        for (let index = first; index < beyond; index++) {
          const offset = (index - first) * SEALED_CHUNK_BYTES;
          const plain = opened(found, sealed.subarray(offset, offset + SEALED_CHUNK_BYTES), index);
          const wanted = plain.subarray(at - index * CHUNK_BYTES, end - index * CHUNK_BYTES);
          into.set(wanted, at - start);
          at += wanted.length;
          giveBack(plain);
        }
      }
    } finally {
      if (this.#spare.length < BUFFERS_KEPT) this.#spare.push(buffer);
    }
    return Math.max(0, end - start);
  }

  async #stream(key: string, found: Found, wanted: ByteRange | undefined): Promise<Readable> {
    const start = wanted?.start ?? 0;
    const end = Math.min(wanted?.end ?? found.size, found.size);
    const source = await this.#open(key, found, start, end);
    const plain = Readable.from(this.#flow(key, found, start, end, source), { objectMode: false });
    // A reader that leaves before the first byte never starts the generator.
    return plain.once('close', () => source.destroy());
  }

  /** The chunks that hold a range. Of one that holds nothing nothing is read, but the object must be there all the same. */
  #open(key: string, found: Found, start: number, end: number): Promise<Readable> {
    const from = placeOf(Math.floor(start / CHUNK_BYTES));
    const to = start < end ? Math.min(placeOf(Math.ceil(end / CHUNK_BYTES)), found.sealedSize) : from;
    return this.#inner.read(sealedName(key), { start: from, end: to });
  }

  async *#flow(key: string, found: Found, start: number, end: number, source: Readable): AsyncGenerator<Buffer> {
    let at = start;
    try {
      for await (const sealed of chunked(source)) {
        const index = Math.floor(at / CHUNK_BYTES);
        const plain = opened(found, sealed, index);
        const wanted = plain.subarray(at - index * CHUNK_BYTES, end - index * CHUNK_BYTES);
        at += wanted.length;
        yield wanted;
      }
      if (at < end) throw new Differs();
      return;
    } catch (error) {
      if (!(error instanceof Differs)) throw error;
    }
    const now = await this.#findAnew(key);
    if (now.seal.header.equals(found.seal.header)) this.#fail(key, 'changed');
    yield* this.#flow(key, now, at, end, await this.#open(key, now, at, end));
  }

  #fail(key: string, why: Broken): never {
    this.#headers.delete(key);
    this.#sealing.broken(key, why);
    throw new BrokenObject(WORDS[why]);
  }
}

const WORDS = {
  changed: 'An object of the store is not as it was sealed.',
  key: 'An object is sealed by a data key that this process has not.',
  clear: 'An object of the store lies in clear, where none may (HUB_CLEAR_OBJECTS).',
} as const;

const placeOf = (chunk: number): number => HEADER_BYTES + chunk * SEALED_CHUNK_BYTES;

function opened({ seal, size }: Found, sealed: Buffer, index: number): Buffer {
  const plain = seal.open(sealed, index, (index + 1) * CHUNK_BYTES >= size);
  if (plain === null) throw new Differs();
  return plain;
}

/** A stream cut into sealed chunks; the last is what is left. */
async function* chunked(source: Readable): AsyncGenerator<Buffer> {
  let held: Buffer[] = [];
  let missing = SEALED_CHUNK_BYTES;
  for await (const piece of source) {
    let rest = piece as Buffer;
    while (rest.length >= missing) {
      const part = rest.subarray(0, missing);
      yield held.length === 0 ? part : Buffer.concat([...held, part]);
      rest = rest.subarray(missing);
      held = [];
      missing = SEALED_CHUNK_BYTES;
    }
    if (rest.length > 0) held.push(rest);
    missing -= rest.length;
  }
  if (held.length > 0) yield Buffer.concat(held);
}
