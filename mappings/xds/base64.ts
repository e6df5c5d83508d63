/**
 * Base64 as it comes in pieces (RFC 4648 §4, with the line breaks of RFC 2045 §6.8): documents are sent so inside the
 * envelope, or as parts, and may be larger than memory.
 */
import { fail, ok, problem } from '../../hub/core/problem.ts';
import type { Result } from '../../hub/core/problem.ts';

const invalid = fail(problem('malformed', undefined, 'The base64 of a document is not valid.'));

/** Decodes pieces of base64 text; a piece may end anywhere. */
export class Base64Decoder {
  /** Characters that do not fill a group of four yet. */
  #carry = '';
  /** Padding was seen: nothing may follow it. */
  #ended = false;

  /** null: not base64. */
  push(piece: Uint8Array): Buffer | null {
    const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    const text = this.#carry + bytes.toString('latin1').replace(/[ \t\r\n]+/g, '');
    const whole = text.length - (text.length % 4);
    this.#carry = text.slice(whole);
    if (text === '') return Buffer.alloc(0);
    if (this.#ended || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return null;
    if (whole > 0 && text[whole - 1] === '=') {
      this.#ended = true;
      if (this.#carry !== '') return null;
    }
    return Buffer.from(text.slice(0, whole), 'base64');
  }

  /** False where the text ends inside a group. */
  ends(): boolean {
    return this.#carry === '';
  }
}

export async function* decodeBase64(source: AsyncIterable<Result<Uint8Array>>): AsyncGenerator<Result<Uint8Array>> {
  const decoder = new Base64Decoder();
  for await (const piece of source) {
    const decoded = piece.ok ? decoder.push(piece.value) : null;
    if (decoded === null) {
      yield piece.ok ? invalid : piece;
      return;
    }
    if (decoded.length > 0) yield ok(decoded);
  }
  if (!decoder.ends()) yield invalid;
}
