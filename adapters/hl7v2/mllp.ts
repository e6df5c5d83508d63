/**
 * MLLP Release 1 framing (VT … FS CR) as a machine over chunks: any chunking, many frames in a chunk, bounded. No loop
 * over bytes: marks are found by search.
 */

export const VT = 0x0b;
export const FS = 0x1c;
export const CR = 0x0d;

export interface FrameLimits {
  /** Bytes of one frame's content. */
  readonly frameBytes: number;
  /** Bytes outside frames that are passed over in a row. */
  readonly garbageBytes: number;
}

export type FrameEvent =
  | { readonly kind: 'frame'; readonly bytes: Buffer }
  /** The first bytes of a frame that is larger than the limit; the rest is passed over up to its FS. */
  | { readonly kind: 'too-large'; readonly head: Buffer }
  /** The sender began anew before it ended: what came before is no whole message. */
  | { readonly kind: 'truncated'; readonly head: Buffer }
  /** More bytes outside frames than allowed: not an MLLP peer. */
  | { readonly kind: 'garbage'; readonly bytes: number };

const HEAD_BYTES = 8_192;
/** A Buffer object, for a peer that sends byte by byte. */
const PIECE_BYTES = 128;
const RESTART = Buffer.from([VT, 0x4d, 0x53, 0x48]); // VT MSH

export const frame = (content: Uint8Array): Buffer => Buffer.concat([Buffer.of(VT), content, Buffer.of(FS, CR)]);

export class Deframer {
  readonly #limits: FrameLimits;
  #chunks: Buffer[] = [];
  #size = 0;
  #held = 0;
  #inside = false;
  #discarding = false;
  /** The last byte seen was FS: the next one tells whether it ended the frame. */
  #pendingFs = false;
  #garbage = 0;

  constructor(limits: FrameLimits) {
    this.#limits = limits;
  }

  /** True between VT and FS: the peer owes the rest. */
  get inside(): boolean {
    return this.#inside;
  }

  /** Memory that the begun frame takes, with what each of its pieces costs besides its bytes. */
  get held(): number {
    return this.#held;
  }

  /** True where only the CR after FS is missing: some senders never send it. */
  get awaitsEnd(): boolean {
    return this.#pendingFs;
  }

  *push(chunk: Buffer): Generator<FrameEvent> {
    let at = 0;
    while (at < chunk.length) {
      if (this.#pendingFs) {
        this.#pendingFs = false;
        const next = chunk[at];
        if (next === CR || next === VT || next === 0x0a) {
          if (next !== VT) at++;
          yield* this.#end();
          continue;
        }
        // FS inside the text: not allowed there, yet it does not end the frame.
        this.#keep(Buffer.of(FS));
      } else if (!this.#inside) {
        const start = chunk.indexOf(VT, at);
        const outside = (start < 0 ? chunk.length : start) - at;
        yield* this.#pass(chunk, at, outside);
        if (start < 0) return;
        this.#inside = true;
        this.#garbage = 0;
        at = start + 1;
      } else {
        const end = chunk.indexOf(FS, at);
        this.#keep(chunk.subarray(at, end < 0 ? undefined : end));
        if (!this.#discarding && this.#size > this.#limits.frameBytes) {
          yield { kind: 'too-large', head: Buffer.concat(this.#chunks).subarray(0, HEAD_BYTES) };
          this.#discarding = true;
          this.#forget();
        }
        if (end < 0) return;
        this.#pendingFs = true;
        at = end + 1;
      }
    }
  }

  /** Ends a frame whose CR did not come; called after a short wait. */
  *flush(): Generator<FrameEvent> {
    if (!this.#pendingFs) return;
    this.#pendingFs = false;
    yield* this.#end();
  }

  #keep(part: Buffer): void {
    this.#size += part.length;
    if (this.#discarding || part.length === 0) return;
    this.#held += part.length + PIECE_BYTES;
    this.#chunks.push(part);
  }

  #forget(): void {
    this.#chunks = [];
    this.#held = 0;
  }

  /** Line ends between frames are common and are no garbage. */
  *#pass(chunk: Buffer, at: number, length: number): Generator<FrameEvent> {
    if (length === 0 || (length <= 2 && (chunk[at] === CR || chunk[at] === 0x0a))) return;
    this.#garbage += length;
    if (this.#garbage > this.#limits.garbageBytes) yield { kind: 'garbage', bytes: this.#garbage };
  }

  *#end(): Generator<FrameEvent> {
    const whole = this.#chunks.length === 1 ? this.#chunks[0] : Buffer.concat(this.#chunks);
    const discarded = this.#discarding;
    this.#forget();
    this.#size = 0;
    this.#inside = false;
    this.#discarding = false;
    if (discarded || whole === undefined) return;
    const restart = whole.lastIndexOf(RESTART);
    if (restart < 0) {
      yield { kind: 'frame', bytes: whole };
      return;
    }
    yield { kind: 'truncated', head: whole.subarray(0, Math.min(restart, HEAD_BYTES)) };
    yield { kind: 'frame', bytes: whole.subarray(restart + 1) };
  }
}
