/**
 * MTOM/XOP packages (multipart/related, RFC 2387): a reader that takes what is seen in the field, and the heads and ends that
 * a sender puts around its streamed parts.
 */
import { fail, ok, problem } from '../../hub/core/problem.ts';
import type { Problem, Result } from '../../hub/core/problem.ts';
import { decodeBase64 } from './base64.ts';
import { readMultipart } from './multipart.ts';
import type { Part } from './multipart.ts';
import { is } from './xml.ts';
import type { XmlElement } from './xml.ts';

export const XOP = 'http://www.w3.org/2004/08/xop/include';

export interface MediaType {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** RFC 9110 §8.3.1, parameters quoted or not; a token may hold `:` `/` `=` `+`, which the field leaves unquoted. */
export function parseMediaType(header: string): MediaType | null {
  const match = /^\s*([\w!#$&^.+-]+\/[\w!#$&^.+-]+)\s*(?=;|$)/.exec(header);
  if (!match?.[1]) return null;
  const parameters = new Map<string, string>();
  const rest = header.slice(match[0].length);
  const pattern = /;\s*([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))/g;
  for (const [, name = '', quoted, token] of rest.matchAll(pattern))
    if (!parameters.has(name.toLowerCase()))
      parameters.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? token ?? '');
  return { type: match[1].toLowerCase(), parameters };
}

export interface SoapPackage {
  /** The SOAP envelope as sent. */
  readonly envelope: Buffer;
  /** The action that HTTP tells, on the package or on its root part. */
  readonly action: string | null;
  /** Attachments by content id, without angle brackets. */
  readonly attachments: ReadonlyMap<string, Buffer>;
}

export interface PackageLimits {
  /** Of the whole message. */
  readonly bytes: number;
  readonly parts: number;
  /** Of the envelope, which is held in memory; absent: as the whole. */
  readonly rootBytes?: number;
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

/** A package of which the envelope is read: whoever sends it can be judged before its attachments are taken. */
export interface OpenPackage<A> {
  readonly envelope: Buffer;
  readonly action: string | null;
  /** Whether it came as MTOM, and should be answered so. */
  readonly mtom: boolean;
  /** Reads what follows the envelope; once. What was kept of a package that fails is its keeper's to drop. */
  rest(): Promise<Result<ReadonlyMap<string, A>>>;
}

/** Reads a request whole: plain SOAP 1.2 or MTOM. For transactions whose requests are small. */
export async function readPackage(
  contentType: string,
  body: AsyncIterable<Uint8Array>,
  limits: PackageLimits,
): Promise<Result<SoapPackage>> {
  const opened = await openPackage(contentType, body, limits, keepBytes);
  if (!opened.ok) return opened;
  const attachments = await opened.value.rest();
  if (!attachments.ok) return attachments;
  const { envelope, action } = opened.value;
  return ok({ envelope, action, attachments: attachments.value });
}

export const keepBytes: KeepPart<Buffer> = (part) => collect(part.body, Infinity);

/** Reads a request up to the end of its envelope; parts that stand before it are kept already. */
export async function openPackage<A>(
  contentType: string,
  body: AsyncIterable<Uint8Array>,
  limits: PackageLimits,
  keep: KeepPart<A>,
): Promise<Result<OpenPackage<A>>> {
  const media = parseMediaType(contentType);
  const source = new BoundedSource(body, limits.bytes);
  const rootBytes = limits.rootBytes ?? limits.bytes;
  // SOAP 1.1 comes as text/xml (§6 of its binding): read, so that its envelope is answered with VersionMismatch.
  if (media?.type === 'application/soap+xml' || media?.type === 'text/xml') {
    const whole = source.told(await collect(results(source), rootBytes));
    if (!whole.ok) return whole;
    const action = media.parameters.get('action') ?? null;
    return ok({ envelope: whole.value, action, mtom: false, rest: () => Promise.resolve(ok(new Map<string, A>())) });
  }
  const inner = media?.parameters.get('type')?.toLowerCase();
  // RFC 2387 requires `type`; senders that leave it out are taken as MTOM, other kinds of related parts are not.
  if (media?.type !== 'multipart/related' || (inner !== undefined && !/^application\/(xop|soap)\+xml$/.test(inner)))
    return fail(
      problem(
        'unsupported-media',
        'Content-Type',
        'Send application/soap+xml, or multipart/related with type="application/xop+xml".',
      ),
    );
  const boundary = media.parameters.get('boundary') ?? '';
  if (boundary === '' || boundary.length > 200)
    return fail(malformed('The multipart boundary is missing or too long.'));
  const related = new RelatedReader(media, readMultipart(source, boundary, PART_LIMITS), limits, keep);
  const root = source.told(await related.toRoot(rootBytes));
  if (!root.ok) return root;
  const action =
    media.parameters.get('action') ?? root.value.type?.parameters.get('action') ?? startInfoAction(media) ?? null;
  return ok({
    envelope: root.value.bytes,
    action,
    mtom: true,
    rest: async () => source.told(await related.rest()),
  });
}

const PART_LIMITS = { headerBytes: 16_384, preambleBytes: 65_536 };

/** Ends a message that is larger than it may be, and says afterwards that this was the reason. */
class BoundedSource implements AsyncIterable<Uint8Array> {
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

/** Walks through the parts of multipart/related: to the root (RFC 2387 §3.2), then to the end. */
class RelatedReader<A> {
  readonly #start: string;
  readonly #parts: AsyncGenerator<Result<Part>>;
  readonly #limits: PackageLimits;
  readonly #keep: KeepPart<A>;
  readonly #kept = new Map<string, A>();
  #count = 0;

  constructor(media: MediaType, parts: AsyncGenerator<Result<Part>>, limits: PackageLimits, keep: KeepPart<A>) {
    this.#start = bareId(media.parameters.get('start') ?? '');
    this.#parts = parts;
    this.#limits = limits;
    this.#keep = keep;
  }

  async toRoot(bytes: number): Promise<Result<{ type: MediaType | null; bytes: Buffer }>> {
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
        const whole = await collect(body, bytes);
        return whole.ok ? ok({ type, bytes: whole.value }) : whole;
      }
      const kept = await this.#take(part.value);
      if (!kept.ok) return kept;
    }
  }

  async rest(): Promise<Result<ReadonlyMap<string, A>>> {
    for (;;) {
      const part = await this.#next();
      if (!part.ok) return part;
      if (part.value === null) return ok(this.#kept);
      const kept = await this.#take(part.value);
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

  /** A part without a Content-ID can be meant by nobody: it passes by. */
  async #take(part: IncomingPart): Promise<Result<null>> {
    if (part.id === '') return ok(null);
    if (this.#kept.has(part.id)) return fail(malformed('Two parts have the same Content-ID.'));
    const kept = await this.#keep(part);
    if (!kept.ok) return kept;
    this.#kept.set(part.id, kept.value);
    return ok(null);
  }
}

/** Some stacks write the action inside `start-info="application/soap+xml; action=\"…\""`. */
const startInfoAction = (media: MediaType): string | undefined =>
  parseMediaType(media.parameters.get('start-info') ?? '')?.parameters.get('action');

async function* results(source: AsyncIterable<Uint8Array>): AsyncGenerator<Result<Uint8Array>> {
  for await (const chunk of source) yield ok(chunk);
}

async function collect(body: AsyncIterable<Result<Uint8Array>>, limit: number): Promise<Result<Buffer>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    if (!chunk.ok) return chunk;
    size += chunk.value.length;
    if (size > limit) return fail(tooLarge(limit));
    chunks.push(chunk.value);
  }
  return ok(Buffer.concat(chunks));
}

const tooLarge = (limit: number): Problem =>
  problem('too-large', undefined, `The request, or its envelope, is larger than ${String(limit)} bytes.`);
const malformed = (text: string): Problem => problem('malformed', undefined, text);
const bareId = (id: string): string => id.trim().replace(/^<([^]*)>$/, '$1');

/** XOP §4.1: finds the part of an xop:Include; its href is percent-encoded, the Content-ID is not (RFC 2392). */
export function includedPart<A>(include: XmlElement, attachments: ReadonlyMap<string, A>): A | null {
  const href = include.attributes.get('href')?.trim() ?? '';
  if (!/^cid:/i.test(href)) return null;
  const id = href.slice(4);
  let decoded = id;
  try {
    decoded = decodeURIComponent(id);
  } catch (error) {
    if (!(error instanceof URIError)) throw error; // Not percent-encoding: the id is meant as it stands.
  }
  return attachments.get(decoded) ?? attachments.get(id) ?? null;
}

/** The bytes of an element of type base64Binary, included or inline. */
export function binaryOf(element: XmlElement, attachments: ReadonlyMap<string, Buffer>): Buffer | null {
  const include = element.children.find((child) => is(child, XOP, 'Include'));
  if (include) return includedPart(include, attachments);
  const text = element.text.replace(/\s+/g, '');
  return /^[A-Za-z0-9+/]*={0,2}$/.test(text) && text.length % 4 === 0 ? Buffer.from(text, 'base64') : null;
}

/** The content of an element of type base64Binary: a part that was kept, or the bytes of its text. */
export function contentOf<A>(
  element: XmlElement,
  attachments: ReadonlyMap<string, A>,
):
  | { readonly kind: 'part'; readonly part: Result<A> }
  | { readonly kind: 'bytes'; readonly bytes: AsyncIterable<Result<Uint8Array>> } {
  const include = element.children.find((child) => is(child, XOP, 'Include'));
  if (!include) return { kind: 'bytes', bytes: decodeBase64(slices(element.text)) };
  const part = includedPart(include, attachments);
  return {
    kind: 'part',
    part: part === null ? fail(malformed('An xop:Include names a part that the package does not have.')) : ok(part),
  };
}

/** Base64 is ASCII: the text never becomes one buffer beside itself. */
async function* slices(text: string): AsyncGenerator<Result<Uint8Array>> {
  for (let at = 0; at < text.length; at += 65_536) yield ok(Buffer.from(text.slice(at, at + 65_536), 'utf8'));
}

/** True when every xop:Include below `root` names a part that is there. */
export const includesResolve = (root: XmlElement, attachments: ReadonlyMap<string, unknown>): boolean =>
  is(root, XOP, 'Include')
    ? includedPart(root, attachments) !== null
    : root.children.every((child) => includesResolve(child, attachments));

export const includeTag = (contentId: string): string =>
  `<xop:Include xmlns:xop="${XOP}" href="cid:${encodeURIComponent(contentId).replaceAll('%40', '@')}"/>`;

export const packageType = (boundary: string, rootId: string, action: string): string =>
  `multipart/related; type="application/xop+xml"; start="<${rootId}>"; start-info="application/soap+xml"; boundary="${boundary}"; action="${action}"`;

export const rootHead = (boundary: string, rootId: string): string =>
  `--${boundary}\r\nContent-Type: application/xop+xml; charset=UTF-8; type="application/soap+xml"\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <${rootId}>\r\n\r\n`;

export const partHead = (
  boundary: string,
  part: { readonly contentId: string; readonly contentType: string },
): string =>
  `\r\n--${boundary}\r\nContent-Type: ${part.contentType}\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <${part.contentId}>\r\n\r\n`;

export const packageEnd = (boundary: string): string => `\r\n--${boundary}--\r\n`;
