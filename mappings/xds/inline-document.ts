/**
 * Lifts long base64 out of an envelope while it arrives (non-optimized MTOM: WIRE §1, §12), so that a document that came
 * inside the XML streams like one that came as a part. What remains is an envelope with an xop:Include in its place.
 */
import { fail, ok, problem } from '../../hub/core/problem.ts';
import type { Result } from '../../hub/core/problem.ts';
import { decodeBase64 } from './base64.ts';
import { Gather } from './gather.ts';

export interface LiftOptions {
  /** Of what remains. */
  readonly bytes: number;
  /** Base64 up to this length stays where it is. */
  readonly inlineBytes: number;
  /** Takes a document, and tells by which content id it is known now. */
  keep(body: AsyncIterable<Result<Uint8Array>>): Promise<Result<string>>;
  /** Writes the reference. */
  include(contentId: string): string;
}

const OPEN = 0x3c;
/** No start tag on the way to a document is longer; behind one that is, nothing is looked for any more. */
const MARKUP_BYTES = 65_536;
const malformed = (text: string): Result<never> => fail(problem('malformed', undefined, text));

/** Reads the source to its end. Only encodings in which ASCII is itself are looked into; others stay as they are. */
export async function liftDocuments(
  source: AsyncIterable<Result<Uint8Array>>,
  options: LiftOptions,
): Promise<Result<Buffer>> {
  const reader = new EnvelopeReader(source, options.bytes);
  for (;;) {
    const step = await reader.toDocument();
    if (!step.ok) return step;
    if (!step.value) return ok(reader.envelope());
    const text = await reader.peekText(options.inlineBytes);
    if (!text.ok) return text;
    if (!text.value) continue;
    const body = reader.lift();
    const id = await options.keep(decodeBase64(body));
    if (!id.ok) return id;
    // Whoever kept it may have stopped early: the rest of the text passes by.
    for await (const left of body) if (!left.ok) return left;
    if (!(await reader.atEndTag())) return malformed('A Document has more than base64 inside.');
    reader.write(options.include(id.value));
  }
}

class EnvelopeReader {
  readonly #source: AsyncIterator<Result<Uint8Array>>;
  readonly #limit: number;
  readonly #out = new Gather();
  #held: Buffer = Buffer.alloc(0);
  #plain = true;
  #begun = false;

  constructor(source: AsyncIterable<Result<Uint8Array>>, limit: number) {
    this.#source = source[Symbol.asyncIterator]();
    this.#limit = limit;
  }

  envelope(): Buffer {
    return this.#out.whole();
  }

  write(text: string): void {
    this.#out.push(Buffer.from(text));
  }

  /** Copies up to and with the next start tag of an element Document; false: there is none, all is copied. */
  async toDocument(): Promise<Result<boolean>> {
    for (;;) {
      const at = this.#plain ? this.#held.indexOf(OPEN) : -1;
      if (at < 0) {
        this.#out.push(this.#take(this.#held.length));
        const more = await this.#more();
        if (!more.ok) return more;
        if (!more.value) return ok(false);
        continue;
      }
      this.#out.push(this.#take(at));
      const end = await this.#markup();
      if (!end.ok) return end;
      const tag = this.#take(end.value);
      this.#out.push(tag);
      if (/^<(?:[\w.-]+:)?Document(?=[\s>])/.test(tag.subarray(0, 200).toString('latin1')) && tag.at(-2) !== 0x2f)
        return ok(true);
    }
  }

  /** True where more text than the limit stands before the next markup. */
  async peekText(limit: number): Promise<Result<boolean>> {
    for (;;) {
      const at = this.#held.indexOf(OPEN);
      if (at >= 0 && at <= limit) return ok(false);
      if (this.#held.length > limit) return ok(true);
      const more = await this.#more();
      if (!more.ok) return more;
      if (!more.value) return ok(false);
    }
  }

  /** The text up to the next markup; can be resumed by another loop. */
  lift(): AsyncIterable<Result<Uint8Array>> {
    const next = async (): Promise<IteratorResult<Result<Uint8Array>>> => {
      for (;;) {
        const at = this.#held.indexOf(OPEN);
        // A reference may be cut: a carriage return is often written as one inside base64.
        const cut = this.#held.lastIndexOf('&');
        const end = at >= 0 ? at : cut > this.#held.length - 8 && cut >= 0 ? cut : this.#held.length;
        if (end > 0) return { done: false, value: ok(withoutReferences(this.#take(end))) };
        if (at === 0) return { done: true, value: undefined };
        const more = await this.#more();
        if (!more.ok) return { done: false, value: more };
        if (!more.value) return { done: false, value: malformed('The XML ends inside a Document.') };
      }
    };
    return { [Symbol.asyncIterator]: () => ({ next }) };
  }

  async atEndTag(): Promise<boolean> {
    while (this.#held.length < 2) {
      const more = await this.#more();
      if (!more.ok || !more.value) return false;
    }
    return this.#held[0] === OPEN && this.#held[1] === 0x2f;
  }

  /** The length of the markup that begins at the front: comment, CDATA, instruction or tag. */
  async #markup(): Promise<Result<number>> {
    for (;;) {
      const length = markupLength(this.#held);
      if (length !== null) return ok(length);
      if (this.#held.length > MARKUP_BYTES) this.#plain = false;
      const more = await this.#more();
      if (!more.ok) return more;
      // What is not whole at the end, the XML parser refuses.
      if (!this.#plain || !more.value) return ok(this.#held.length);
    }
  }

  #take(count: number): Buffer {
    const taken = this.#held.subarray(0, count);
    this.#held = this.#held.subarray(count);
    return taken;
  }

  async #more(): Promise<Result<boolean>> {
    if (this.#out.length > this.#limit) return this.#tooLarge();
    const next = await this.#source.next();
    if (next.done === true) return ok(false);
    if (!next.value.ok) return next.value;
    this.#held = Buffer.concat([this.#held, next.value.value]);
    // XML 1.0 Appendix F: of UTF-16 every other byte is nought.
    if (!this.#begun && this.#held.length >= 4) {
      this.#begun = true;
      this.#plain = !this.#held.subarray(0, 4).includes(0) && this.#held[0] !== 0xfe && this.#held[0] !== 0xff;
    }
    return ok(true);
  }

  #tooLarge(): Result<never> {
    return fail(problem('too-large', undefined, `The envelope is larger than ${String(this.#limit)} bytes.`));
  }
}

function markupLength(held: Buffer): number | null {
  const start = held.subarray(0, 9).toString('latin1');
  const closed = (end: string, from: number): number | null => {
    const at = held.indexOf(end, from, 'latin1');
    return at < 0 ? null : at + end.length;
  };
  if (start.startsWith('<!--')) return closed('-->', 4);
  if (start.startsWith('<![CDATA[')) return closed(']]>', 9);
  if (start.startsWith('<?')) return closed('?>', 2);
  if (held.length < 9 && ('<!--'.startsWith(start) || '<![CDATA['.startsWith(start))) return null;
  let quote = 0;
  for (let at = 1; at < held.length; at++) {
    const byte = held[at] ?? 0;
    if (quote !== 0) quote = byte === quote ? 0 : quote;
    else if (byte === 0x22 || byte === 0x27) quote = byte;
    else if (byte === 0x3e) return at + 1;
  }
  return null;
}

const withoutReferences = (text: Buffer): Buffer =>
  text.includes('&')
    ? Buffer.from(text.toString('latin1').replace(/&#(?:13|10|9|32|x0*[dDaA9]|x20);/g, ''), 'latin1')
    : text;
