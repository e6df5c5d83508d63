/**
 * Gathers bytes that come in pieces into one buffer that grows by doubling: a sender may cut a message into millions of
 * pieces (RFC 9112 §7.1), which must not cost an object each.
 */
export class Gather {
  #bytes: Buffer = Buffer.alloc(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(piece: Uint8Array): void {
    const length = this.#length + piece.length;
    if (length > this.#bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(length, this.#bytes.length * 2, 1_024));
      grown.set(this.whole(), 0);
      this.#bytes = grown;
    }
    this.#bytes.set(piece, this.#length);
    this.#length = length;
  }

  whole(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }
}
