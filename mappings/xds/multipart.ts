/**
 * A streaming reader of MIME multipart bodies (RFC 2046 §5.1): yields part after part with its body as a stream, finds
 * boundaries across any chunking, and bounds what it must hold. Truncation is told, never taken for the end.
 */
import { fail, ok, problem } from '../../hub/core/problem.ts';
import type { Result } from '../../hub/core/problem.ts';

export interface Part {
  /** Lower-case names. */
  readonly headers: ReadonlyMap<string, string>;
  /** Must be read before the next part is asked for; what is left unread is skipped. */
  readonly body: AsyncIterable<Result<Uint8Array>>;
}

export interface MultipartLimits {
  readonly headerBytes: number;
  readonly preambleBytes: number;
}

const truncated = fail(problem('malformed', undefined, 'The multipart body ends before its closing boundary.'));
const malformed = (text: string) => fail(problem('malformed', undefined, text));

export async function* readMultipart(
  source: AsyncIterable<Uint8Array>,
  boundary: string,
  limits: MultipartLimits,
): AsyncGenerator<Result<Part>> {
  const window = new Window(source);
  const delimiter = Buffer.from(`--${boundary}`, 'latin1');
  const opened = await skipPreamble(window, delimiter, limits.preambleBytes);
  if (!opened.ok) {
    yield opened;
    return;
  }
  for (;;) {
    const tail = await afterDelimiter(window);
    if (tail === 'close') {
      // An epilogue is nobody's, but stands before the next message of the connection (RFC 2046 §5.1.1).
      do window.take(window.held.length);
      while (await window.more());
      return;
    }
    if (tail !== 'part') {
      yield tail;
      return;
    }
    const headers = await readHeaders(window, limits.headerBytes);
    if (!headers.ok) {
      yield headers;
      return;
    }
    const body = new PartBody(window, delimiter);
    yield ok({ headers: headers.value, body });
    const rest = await body.skip();
    if (!rest.ok) {
      yield rest;
      return;
    }
  }
}

/** The bytes at hand: grows by chunks from the source, shrinks from the front. */
class Window {
  held: Buffer = Buffer.alloc(0);
  #source: AsyncIterator<Uint8Array>;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  async more(): Promise<boolean> {
    const next = await this.#source.next();
    if (next.done === true) return false;
    const chunk = Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength);
    this.held = this.held.length === 0 ? chunk : Buffer.concat([this.held, chunk]);
    return true;
  }

  take(count: number): Buffer {
    const taken = this.held.subarray(0, count);
    this.held = this.held.subarray(count);
    return taken;
  }
}

/** The delimiter counts only at the start of a line. */
function delimiterAt(held: Buffer, delimiter: Buffer, atStart: boolean): number {
  for (let at = held.indexOf(delimiter); at >= 0; at = held.indexOf(delimiter, at + 1))
    if (at === 0 ? atStart : held[at - 1] === 0x0a) return at;
  return -1;
}

async function skipPreamble(window: Window, delimiter: Buffer, limit: number): Promise<Result<null>> {
  for (;;) {
    const at = delimiterAt(window.held, delimiter, true);
    if (at >= 0) {
      window.take(at + delimiter.length);
      return ok(null);
    }
    if (window.held.length > limit) return malformed('The first boundary does not come.');
    if (!(await window.more())) return malformed('The boundary of the Content-Type does not stand in the body.');
  }
}

/** After a delimiter: `--` closes; blanks and a line end open a part (RFC 2046 §5.1.1 transport padding). */
async function afterDelimiter(window: Window): Promise<'part' | 'close' | typeof truncated> {
  for (;;) {
    if (window.held.length >= 2 && window.held[0] === 0x2d && window.held[1] === 0x2d) return 'close';
    const end = window.held.indexOf(0x0a);
    if (end >= 0) {
      const padding = window.take(end + 1).toString('latin1');
      return /^[ \t]*\r?\n$/.test(padding) ? 'part' : malformed('Something follows a boundary on its line.');
    }
    if (window.held.length > 256) return malformed('Something follows a boundary on its line.');
    if (!(await window.more())) return truncated;
  }
}

async function readHeaders(window: Window, limit: number): Promise<Result<Map<string, string>>> {
  for (;;) {
    const text = window.held.subarray(0, limit + 4).toString('latin1');
    const end = /^\r?\n|\r?\n\r?\n/.exec(text);
    if (end) {
      window.take(end.index + end[0].length);
      return parseHeaders(text.slice(0, end.index));
    }
    if (window.held.length > limit)
      return fail(problem('limit-exceeded', undefined, 'The headers of a part are too long.'));
    if (!(await window.more())) return truncated;
  }
}

function parseHeaders(text: string): Result<Map<string, string>> {
  const headers = new Map<string, string>();
  // A line that begins with a blank continues the one before (RFC 5322 §2.2.3).
  for (const line of text.replace(/\r?\n[ \t]+/g, ' ').split(/\r?\n/)) {
    if (line === '') continue;
    const colon = line.indexOf(':');
    if (colon <= 0) return malformed('A header line of a part has no colon.');
    const name = line.slice(0, colon).trim().toLowerCase();
    if (headers.has(name)) return malformed('A header of a part stands twice.');
    headers.set(name, line.slice(colon + 1).trim());
  }
  return ok(headers);
}

class PartBody implements AsyncIterable<Result<Uint8Array>> {
  #done = false;
  #first = true;
  #failure: Result<never> | null = null;

  constructor(
    private readonly window: Window,
    private readonly delimiter: Buffer,
  ) {}

  async *[Symbol.asyncIterator](): AsyncGenerator<Result<Uint8Array>> {
    for (let chunk = await this.#next(); chunk; chunk = await this.#next()) {
      yield chunk;
      if (!chunk.ok) return;
    }
  }

  async skip(): Promise<Result<null>> {
    for (let chunk = await this.#next(); chunk; chunk = await this.#next()) if (!chunk.ok) return chunk;
    return this.#failure ?? ok(null);
  }

  /** The next bytes that surely belong to the part; null at its end. */
  async #next(): Promise<Result<Uint8Array> | null> {
    while (!this.#done) {
      const at = delimiterAt(this.window.held, this.delimiter, this.#first);
      if (at >= 0) {
        this.#done = true;
        const lineEnd = at === 0 ? 0 : this.window.held[at - 2] === 0x0d && at > 1 ? 2 : 1;
        const last = this.window.take(at - lineEnd);
        this.window.take(lineEnd + this.delimiter.length);
        return last.length > 0 ? ok(last) : null;
      }
      // All but what could be the beginning of CR LF and the delimiter.
      const safe = this.window.held.length - this.delimiter.length - 2;
      if (safe > 0) {
        this.#first = false;
        return ok(this.window.take(safe));
      }
      if (!(await this.window.more())) {
        this.#done = true;
        this.#failure = truncated;
        return truncated;
      }
    }
    return null;
  }
}
