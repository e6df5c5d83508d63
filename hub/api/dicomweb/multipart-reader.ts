/**
 * Reads multipart bodies (RFC 2046 §5.1) as a stream: part by part, never more in memory than one chunk and one head,
 * with bounds on everything a sender chooses.
 */
import { Failure, problem } from '../../core/problem.ts';

export interface IncomingPart {
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  /** Chunks are views of the network's buffers: use them before the next one. What is not read is skipped. */
  readonly body: AsyncGenerator<Buffer>;
}

export interface MultipartLimits {
  readonly parts: number;
  readonly partHeadBytes: number;
  readonly partBytes: number;
  readonly requestBytes: number;
}

const CR = 0x0d;
const LF = 0x0a;
const EMPTY = Buffer.alloc(0);

/** RFC 2046 §5.1.1: 1 to 70 characters of bchars; what some senders use beyond that is harmless and taken. */
export const isBoundary = (text: string): boolean => /^[\x21-\x7e]([\x20-\x7e]{0,198}[\x21-\x7e])?$/.test(text);

export async function* readParts(
  source: AsyncIterable<Buffer>,
  boundary: string,
  limits: MultipartLimits,
): AsyncGenerator<IncomingPart> {
  const reader = new PartReader(source, boundary, limits);
  try {
    if (!(await reader.toFirst())) throw malformed('The body has no boundary of the name that the Content-Type gives.');
    for (let count = 1; await reader.afterDelimiter(); count++) {
      if (count > limits.parts)
        throw new Failure(problem('limit-exceeded', 'body', `The request has more than ${limits.parts} parts.`));
      const body = reader.body();
      yield { headers: await reader.head(), body };
      while ((await body.next()).done !== true); // what the caller left unread
    }
  } finally {
    await reader.close();
  }
}

const malformed = (text: string): Failure => new Failure(problem('malformed', 'body', text));

class PartReader {
  readonly #source: AsyncIterator<Buffer>;
  readonly #limits: MultipartLimits;
  readonly #dashes: Buffer;
  #delimiter: Buffer;
  #rest: Buffer = EMPTY;
  #total = 0;

  constructor(source: AsyncIterable<Buffer>, boundary: string, limits: MultipartLimits) {
    this.#source = source[Symbol.asyncIterator]();
    this.#limits = limits;
    this.#dashes = Buffer.from(`--${boundary}`, 'latin1');
    this.#delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1');
  }

  /** Skips the preamble. Senders that end lines with LF alone show it here. */
  async toFirst(): Promise<boolean> {
    for (;;) {
      const at = this.#firstBoundary();
      if (at >= 0) {
        this.#rest = this.#rest.subarray(at + this.#dashes.length);
        return true;
      }
      // Preambles are a line or two; garbage need not be kept, only the end in which a boundary may have begun.
      if (this.#rest.length > this.#limits.partHeadBytes) this.#rest = this.#rest.subarray(-this.#delimiter.length);
      if (!(await this.#more())) return false;
    }
  }

  #firstBoundary(): number {
    for (let at = this.#rest.indexOf(this.#dashes); at >= 0; at = this.#rest.indexOf(this.#dashes, at + 1)) {
      if (at === 0 || this.#rest[at - 1] === LF) return at;
    }
    return -1;
  }

  /** After `--boundary`: true where a part follows, false at the closing `--`. */
  async afterDelimiter(): Promise<boolean> {
    for (;;) {
      const end = this.#rest.indexOf(LF);
      if (this.#rest.length >= 2 && this.#rest[0] === 0x2d && this.#rest[1] === 0x2d) return false;
      if (end >= 0) {
        const padding = this.#rest.toString('latin1', 0, end);
        if (padding.trim() !== '') throw malformed('A boundary is followed by text on its line.');
        if (!padding.endsWith('\r')) this.#delimiter = Buffer.concat([Buffer.from('\n'), this.#dashes]);
        this.#rest = this.#rest.subarray(end + 1);
        return true;
      }
      if (this.#rest.length > 256) throw malformed('A boundary is followed by text on its line.');
      if (!(await this.#more())) throw truncated();
    }
  }

  async head(): Promise<Map<string, string>> {
    const headers = new Map<string, string>();
    for (let used = 0; ;) {
      const end = this.#rest.indexOf(LF);
      if (end < 0) {
        if (used + this.#rest.length > this.#limits.partHeadBytes) throw headTooLarge();
        if (!(await this.#more())) throw truncated();
        continue;
      }
      const line = this.#rest.toString('utf8', 0, this.#rest[end - 1] === CR ? end - 1 : end);
      this.#rest = this.#rest.subarray(end + 1);
      used += end + 1;
      if (used > this.#limits.partHeadBytes) throw headTooLarge();
      if (line === '') return headers;
      const colon = line.indexOf(':');
      if (colon > 0) headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
      else if (!/^[ \t]/.test(line)) throw malformed('A part has a head line without a colon.');
    }
  }

  async *body(): AsyncGenerator<Buffer> {
    let size = 0;
    for (;;) {
      const at = this.#rest.indexOf(this.#delimiter);
      const ready = at >= 0 ? at : this.#safeLength();
      if (ready > 0) {
        size += ready;
        if (size > this.#limits.partBytes)
          throw new Failure(problem('too-large', 'body', 'A part is larger than the hub takes.'));
        const chunk = this.#rest.subarray(0, ready);
        this.#rest = this.#rest.subarray(ready);
        yield chunk;
      }
      if (at >= 0) {
        this.#rest = this.#rest.subarray(this.#delimiter.length);
        return;
      }
      if (!(await this.#more())) throw truncated();
    }
  }

  /** What cannot be the beginning of a delimiter that the next chunk completes. */
  #safeLength(): number {
    const from = Math.max(0, this.#rest.length - this.#delimiter.length + 1);
    const first = this.#delimiter[0] ?? LF;
    for (let at = this.#rest.indexOf(first, from); at >= 0; at = this.#rest.indexOf(first, at + 1)) {
      if (this.#delimiter.subarray(0, this.#rest.length - at).equals(this.#rest.subarray(at))) return at;
    }
    return this.#rest.length;
  }

  async #more(): Promise<boolean> {
    const next = await this.#source.next();
    if (next.done === true) return false;
    const chunk = next.value;
    this.#total += chunk.length;
    if (this.#total > this.#limits.requestBytes)
      throw new Failure(problem('too-large', 'body', 'The request is larger than the hub takes.'));
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    return true;
  }

  async close(): Promise<void> {
    await this.#source.return?.();
  }
}

const headTooLarge = (): Failure => new Failure(problem('limit-exceeded', 'body', 'The head of a part is too large.'));
const truncated = (): Failure => malformed('The body ends before its closing boundary.');
