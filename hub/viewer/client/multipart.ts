/**
 * Reads a multipart/related answer of the hub (RFC 2387) while it arrives: each part has its length in its head, so that its
 * bytes go to the one buffer they stay in. Nothing is kept but the part that is arriving.
 */

export interface Part {
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const LONGEST_HEAD = 4096;
const DASH = 0x2d;

/** Parts in the order of the wire; throws where the answer is none, or a part is larger than `mostBytes`. */
export async function* partsOf(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  mostBytes: number,
): AsyncGenerator<Part, void> {
  const input = new Input(body);
  try {
    for (;;) {
      const headers = await headOf(input);
      if (headers === null) return;
      const length = Number(headers.get('content-length') ?? 'none');
      if (!Number.isSafeInteger(length) || length < 0 || length > mostBytes)
        throw new Error('a part has no length, or too much');
      const bytes = new Uint8Array(length);
      await input.fill(bytes);
      yield { headers, bytes };
    }
  } finally {
    await input.end();
  }
}

/** Null at the end delimiter. */
async function headOf(input: Input): Promise<Map<string, string> | null> {
  const headers = new Map<string, string>();
  let isDelimited = false;
  for (let read = 0; read < LONGEST_HEAD;) {
    const line = await input.line(LONGEST_HEAD);
    read += line.length + 2;
    if (!isDelimited) {
      if (line === '') continue;
      if (!line.startsWith('--')) throw new Error('a delimiter is missing');
      if (line.endsWith('--')) return null;
      isDelimited = true;
    } else if (line === '') return headers;
    else {
      const at = line.indexOf(':');
      headers.set(line.slice(0, at).toLowerCase(), line.slice(at + 1).trim());
    }
  }
  throw new Error('the head of a part is too long');
}

class Input {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>;
  #chunk = new Uint8Array(0);
  #at = 0;

  constructor(body: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.#reader = body.getReader();
  }

  async #more(): Promise<void> {
    const { done, value } = await this.#reader.read();
    if (done) throw new Error('the answer ends inside a part');
    this.#chunk = value;
    this.#at = 0;
  }

  async fill(into: Uint8Array): Promise<void> {
    for (let filled = 0; filled < into.length;) {
      if (this.#at >= this.#chunk.length) await this.#more();
      const piece = this.#chunk.subarray(this.#at, this.#at + into.length - filled);
      into.set(piece, filled);
      filled += piece.length;
      this.#at += piece.length;
    }
  }

  /** Up to CR LF, or up to the end of the answer after the end delimiter. */
  async line(most: number): Promise<string> {
    let text = '';
    for (;;) {
      if (this.#at >= this.#chunk.length) await this.#more();
      const byte = this.#chunk[this.#at++] ?? 0;
      if (byte === 0x0a) return text.replace(/\r$/, '');
      text += String.fromCharCode(byte);
      if (text.length > most) throw new Error('a line is too long');
      if (byte === DASH && /^--.+--$/.test(text) && this.#at >= this.#chunk.length) return text;
    }
  }

  /** Whoever stops reading lets the hub stop sending. */
  async end(): Promise<void> {
    await this.#reader.cancel().catch(() => undefined); // it had ended, or the connection broke
  }
}
