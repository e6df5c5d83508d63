/**
 * The parts of one SOAP package on their way in: to the root (RFC 2387 §3.2), which is held in memory, then to the end. Who
 * reads decides what becomes of the others, part by part.
 */
import { fail, ok, problem } from '../../hub/core/problem.ts';
import type { Problem, Result } from '../../hub/core/problem.ts';
import { decodeBase64 } from './base64.ts';
import { Gather } from './gather.ts';
import { liftDocuments } from './inline-document.ts';
import { bareId, parseMediaType } from './media-type.ts';
import type { MediaType } from './media-type.ts';
import type { Part } from './multipart.ts';
import { includeTag } from './xop.ts';

export interface PackageLimits {
  /** Of the whole message. */
  readonly bytes: number;
  readonly parts: number;
  /** Of the envelope, which is held in memory; absent: as the whole. */
  readonly rootBytes?: number;
  /** Base64 longer than this inside an element Document is kept as if it had come as a part; absent: none is. */
  readonly inlineBytes?: number;
}

/** A part beside the envelope, as it comes. */
export interface IncomingPart {
  /** Without angle brackets. */
  readonly id: string;
  readonly type: MediaType | null;
  /** Decoded from its Content-Transfer-Encoding; what is left unread passes by. */
  readonly body: AsyncIterable<Result<Uint8Array>>;
}

/** Takes a part before the next one comes, and returns what shall stand for it. */
export type KeepPart<A> = (part: IncomingPart) => Promise<Result<A>>;

const tooLarge = (limit: number): Problem =>
  problem('too-large', undefined, `The request, or its envelope, is larger than ${String(limit)} bytes.`);
const malformed = (text: string): Problem => problem('malformed', undefined, text);

/** Ends a message that is larger than it may be, and says afterwards that this was the reason. */
export class BoundedSource implements AsyncIterable<Uint8Array> {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #limit: number;
  #left: number;

  constructor(source: AsyncIterable<Uint8Array>, limit: number) {
    this.#source = source[Symbol.asyncIterator]();
    this.#limit = limit;
    this.#left = limit;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return { next: () => this.#next() };
  }

  async #next(): Promise<IteratorResult<Uint8Array>> {
    if (this.#left < 0) return { done: true, value: undefined };
    const next = await this.#source.next();
    if (next.done !== true) this.#left -= next.value.length;
    return this.#left < 0 ? { done: true, value: undefined } : next;
  }

  told<T>(result: Result<T>): Result<T> {
    return this.#left < 0 ? fail(tooLarge(this.#limit)) : result;
  }
}

export async function collect(body: AsyncIterable<Result<Uint8Array>>, limit: number): Promise<Result<Buffer>> {
  const whole = new Gather();
  for await (const chunk of body) {
    if (!chunk.ok) return chunk;
    if (whole.length + chunk.value.length > limit) return fail(tooLarge(limit));
    whole.push(chunk.value);
  }
  return ok(whole.whole());
}

export async function readRoot<A>(
  body: AsyncIterable<Result<Uint8Array>>,
  limits: PackageLimits,
  kept: Kept<A>,
): Promise<Result<Buffer>> {
  const { inlineBytes, rootBytes = limits.bytes } = limits;
  if (inlineBytes === undefined) return collect(body, rootBytes);
  return liftDocuments(body, {
    bytes: rootBytes,
    inlineBytes,
    keep: (lifted) => kept.lift(lifted),
    include: includeTag,
  });
}

/** What stands for the parts that came, by content id. */
export class Kept<A> {
  readonly parts = new Map<string, A>();
  readonly #keep: KeepPart<A>;
  #lifted = 0;

  constructor(keep: KeepPart<A>) {
    this.#keep = keep;
  }

  /** A part without a Content-ID can be meant by nobody, nor one that the envelope does not name: it passes by. */
  async take(part: IncomingPart, named?: ReadonlySet<string>): Promise<Result<null>> {
    if (part.id === '' || named?.has(part.id) === false) return ok(null);
    if (this.parts.has(part.id)) return fail(malformed('Two parts have the same Content-ID.'));
    const kept = await this.#keep(part);
    if (!kept.ok) return kept;
    this.parts.set(part.id, kept.value);
    return ok(null);
  }

  async lift(body: AsyncIterable<Result<Uint8Array>>): Promise<Result<string>> {
    const id = `inline ${String(++this.#lifted)}`;
    const taken = await this.take({ id, type: null, body });
    return taken.ok ? ok(id) : taken;
  }
}

/** Walks through the parts of multipart/related: to the root (RFC 2387 §3.2), then to the end. */
export class RelatedReader<A> {
  readonly #start: string;
  readonly #parts: AsyncGenerator<Result<Part>>;
  readonly #limits: PackageLimits;
  readonly #kept: Kept<A>;
  #count = 0;

  constructor(media: MediaType, parts: AsyncGenerator<Result<Part>>, limits: PackageLimits, kept: Kept<A>) {
    this.#start = bareId(media.parameters.get('start') ?? '');
    this.#parts = parts;
    this.#limits = limits;
    this.#kept = kept;
  }

  async toRoot(): Promise<Result<{ type: MediaType | null; bytes: Buffer }>> {
    for (;;) {
      const part = await this.#next();
      if (!part.ok) return part;
      if (part.value === null)
        return fail(
          malformed(this.#count === 0 ? 'The package has no part.' : 'No part has the Content-ID that `start` names.'),
        );
      const { id, type, body } = part.value;
      if (this.#start === '' || id === this.#start) {
        if (type && !/^(application\/(xop|soap)\+xml|text\/xml|application\/xml)$/.test(type.type))
          return fail(problem('unsupported-media', undefined, 'The root part must be application/xop+xml.'));
        const whole = await readRoot(body, this.#limits, this.#kept);
        return whole.ok ? ok({ type, bytes: whole.value }) : whole;
      }
      const kept = await this.#kept.take(part.value);
      if (!kept.ok) return kept;
    }
  }

  async rest(named?: ReadonlySet<string>): Promise<Result<ReadonlyMap<string, A>>> {
    for (;;) {
      const part = await this.#next();
      if (!part.ok) return part;
      if (part.value === null) return ok(this.#kept.parts);
      const kept = await this.#kept.take(part.value, named);
      if (!kept.ok) return kept;
    }
  }

  async #next(): Promise<Result<IncomingPart | null>> {
    const next = await this.#parts.next();
    if (next.done === true) return ok(null);
    if (!next.value.ok) return next.value;
    if (++this.#count > this.#limits.parts)
      return fail(
        problem('limit-exceeded', undefined, `The package has more than ${String(this.#limits.parts)} parts.`),
      );
    const { headers, body } = next.value.value;
    const encoding = (headers.get('content-transfer-encoding') ?? 'binary').toLowerCase();
    if (!['binary', '8bit', '7bit', 'base64'].includes(encoding))
      return fail(
        problem(
          'unsupported-media',
          undefined,
          'A part has a Content-Transfer-Encoding other than binary, 8bit, 7bit or base64.',
        ),
      );
    return ok({
      id: bareId(headers.get('content-id') ?? ''),
      type: parseMediaType(headers.get('content-type') ?? ''),
      body: encoding === 'base64' ? decodeBase64(body) : body,
    });
  }
}
