/** The markers of a JPEG bitstream (ISO/IEC 10918-1 §B) and its entropy-coded bits: shared by the decoders of our own. */

export interface JpegComponent {
  readonly id: number;
  readonly h: number;
  readonly v: number;
  readonly quantisation: number;
}

export interface JpegFrame {
  /** SOF0 baseline, SOF1 extended sequential, SOF2 progressive, SOF3 lossless. */
  readonly process: number;
  readonly precision: number;
  readonly rows: number;
  readonly columns: number;
  readonly components: readonly JpegComponent[];
}

export interface JpegScan {
  readonly components: readonly {
    readonly index: number;
    readonly dc: HuffmanTable | undefined;
    readonly ac: HuffmanTable | undefined;
  }[];
  readonly start: number;
  readonly end: number;
  readonly high: number;
  readonly low: number;
  readonly restart: number;
  readonly bits: BitReader;
}

/** Expected failure of a decoder: bytes that are no valid bitstream. Turned into a Problem at the codec's door. */
export class BitstreamError extends Error {}

export interface JpegHandler {
  frame(frame: JpegFrame, quantisation: readonly (Uint16Array | undefined)[]): void;
  scan(scan: JpegScan): void;
}

/** Adobe APP14 colour transform (0 none, 1 YCbCr, 2 YCCK); null where the stream does not say. */
export interface JpegColour {
  transform: number | null;
  jfif: boolean;
}

const MAX_SCANS = 4096;

/** Walks the markers and hands frame and scans to `handler`. */
export function readJpeg(bytes: Uint8Array, handler: JpegHandler): JpegColour {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const state = new MarkerState(view);
  const colour: JpegColour = { transform: null, jfif: false };
  let at = 2;
  let scans = 0;
  let frame: JpegFrame | null = null;
  if (bytes.length < 4 || view.getUint16(0) !== 0xffd8) throw new BitstreamError('no start of image');
  while (at + 4 <= bytes.length) {
    if (bytes[at] !== 0xff) {
      at++;
      continue;
    }
    const marker = bytes[at + 1] ?? 0;
    if (marker === 0xff || marker === 0 || (marker >= 0xd0 && marker <= 0xd8)) {
      at += marker === 0xff ? 1 : 2;
      continue;
    }
    if (marker === 0xd9) break;
    const length = view.getUint16(at + 2);
    const [start, end] = [at + 4, at + 2 + length];
    if (length < 2 || end > bytes.length) throw new BitstreamError('a marker segment is longer than the stream');
    at = end;
    if (marker === 0xc4) state.huffman(start, end);
    else if (marker === 0xdb) state.quantisation(start, end);
    else if (marker === 0xdd) state.restart = view.getUint16(start);
    else if (marker === 0xe0 && end - start >= 5) colour.jfif = view.getUint32(start) === 0x4a464946;
    else if (marker === 0xee && end - start >= 12 && view.getUint32(start) === 0x41646f62)
      colour.transform = bytes[start + 11] ?? 0;
    else if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc8 && marker !== 0xcc) {
      frame = readFrame(view, marker - 0xc0, start, end);
      handler.frame(frame, state.tables);
    } else if (marker === 0xda) {
      if (!frame || ++scans > MAX_SCANS) throw new BitstreamError('a scan without a frame, or too many scans');
      const scan = state.scan(frame, start, end, bytes, at);
      handler.scan(scan);
      at = scan.bits.position;
    }
  }
  if (!frame || scans === 0) throw new BitstreamError('the stream holds no image');
  return colour;
}

function readFrame(view: DataView, process: number, start: number, end: number): JpegFrame {
  const count = end - start >= 6 ? view.getUint8(start + 5) : 0;
  if (count < 1 || count > 4 || end - start < 6 + count * 3) throw new BitstreamError('the frame header is broken');
  const components = Array.from({ length: count }, (_, index) => {
    const at = start + 6 + index * 3;
    const [h, v] = [view.getUint8(at + 1) >> 4, view.getUint8(at + 1) & 15];
    if (h < 1 || h > 4 || v < 1 || v > 4) throw new BitstreamError('a sampling factor is out of range');
    return { id: view.getUint8(at), h, v, quantisation: view.getUint8(at + 2) & 3 };
  });
  const frame = {
    process,
    precision: view.getUint8(start),
    rows: view.getUint16(start + 1),
    columns: view.getUint16(start + 3),
    components,
  };
  if (frame.rows < 1 || frame.columns < 1 || frame.precision < 2 || frame.precision > 16)
    throw new BitstreamError('the frame header is broken');
  return frame;
}

class MarkerState {
  readonly tables: (Uint16Array | undefined)[] = [];
  restart = 0;
  readonly #huffman: (HuffmanTable | undefined)[] = [];

  constructor(readonly view: DataView) {}

  quantisation(start: number, end: number): void {
    for (let at = start; at < end;) {
      const head = this.view.getUint8(at++);
      const wide = head >> 4 !== 0;
      if (at + (wide ? 128 : 64) > end) throw new BitstreamError('a quantisation table is cut short');
      const table = new Uint16Array(64);
      for (let index = 0; index < 64; index++, at += wide ? 2 : 1)
        table[index] = wide ? this.view.getUint16(at) : this.view.getUint8(at);
      this.tables[head & 3] = table;
    }
  }

  huffman(start: number, end: number): void {
    for (let at = start; at + 17 <= end;) {
      const slot = this.view.getUint8(at) & 0x13;
      const counts = Array.from({ length: 16 }, (_, index) => this.view.getUint8(at + 1 + index));
      const total = counts.reduce((sum, count) => sum + count, 0);
      at += 17;
      if (total > 256 || at + total > end) throw new BitstreamError('a Huffman table is cut short');
      this.#huffman[slot] = new HuffmanTable(
        counts,
        Array.from({ length: total }, (_, index) => this.view.getUint8(at + index)),
      );
      at += total;
    }
  }

  scan(frame: JpegFrame, start: number, end: number, bytes: Uint8Array, at: number): JpegScan {
    const count = this.view.getUint8(start);
    if (count < 1 || count > 4 || end - start < 4 + count * 2) throw new BitstreamError('the scan header is broken');
    const components = Array.from({ length: count }, (_, index) => {
      const id = this.view.getUint8(start + 1 + index * 2);
      const tables = this.view.getUint8(start + 2 + index * 2);
      const found = frame.components.findIndex((component) => component.id === id);
      if (found < 0) throw new BitstreamError('the scan names a component that the frame lacks');
      return { index: found, dc: this.#huffman[(tables >> 4) & 3], ac: this.#huffman[0x10 | (tables & 3)] };
    });
    const tail = start + 1 + count * 2;
    const approximation = this.view.getUint8(tail + 2);
    return {
      components,
      start: this.view.getUint8(tail),
      end: this.view.getUint8(tail + 1),
      high: approximation >> 4,
      low: approximation & 15,
      restart: this.restart,
      bits: new BitReader(bytes, at),
    };
  }
}

/** Canonical Huffman codes (§C): an 9-bit table for the short codes, the bounds of each length for the rest. */
export class HuffmanTable {
  readonly fast = new Uint16Array(512);
  readonly #maximum = new Int32Array(18).fill(-1);
  readonly #offset = new Int32Array(17);

  constructor(
    counts: readonly number[],
    readonly symbols: readonly number[],
  ) {
    let code = 0;
    let index = 0;
    for (let length = 1; length <= 16; length++) {
      const count = counts[length - 1] ?? 0;
      this.#offset[length] = index - code;
      for (let each = 0; each < count; each++, code++, index++) {
        if (length > 9) continue;
        const first = code << (9 - length);
        this.fast.fill((length << 8) | (symbols[index] ?? 0), first, first + (1 << (9 - length)));
      }
      if (code > 1 << length) throw new BitstreamError('a Huffman table is over-full');
      this.#maximum[length] = count > 0 ? code - 1 : -1;
      code <<= 1;
    }
  }

  decode(bits: BitReader): number {
    const peeked = bits.peek16();
    const quick = this.fast[peeked >> 7] ?? 0;
    if (quick !== 0) {
      bits.skip(quick >> 8);
      return quick & 0xff;
    }
    for (let length = 10; length <= 16; length++) {
      const code = peeked >> (16 - length);
      if (code <= (this.#maximum[length] ?? -1)) {
        bits.skip(length);
        return this.symbols[code + (this.#offset[length] ?? 0)] ?? 0;
      }
    }
    throw new BitstreamError('a code is in no Huffman table');
  }
}

/** Bits of entropy-coded data: stuffed zero bytes are taken out, markers end it; after the end zeros come, for a while. */
export class BitReader {
  #held = 0;
  #count = 0;
  #overrun = 0;

  constructor(
    readonly bytes: Uint8Array,
    public position: number,
  ) {}

  #fill(): void {
    while (this.#count <= 16) {
      const byte = this.bytes[this.position];
      let next = 0;
      if (byte === undefined || (byte === 0xff && this.bytes[this.position + 1] !== 0)) {
        if (++this.#overrun > 64) throw new BitstreamError('the entropy-coded data end too early');
      } else {
        next = byte;
        this.position += byte === 0xff ? 2 : 1;
      }
      this.#held = ((this.#held << 8) | next) & 0xffffff;
      this.#count += 8;
    }
  }

  /** The next 16 bits without taking them. */
  peek16(): number {
    if (this.#count < 16) this.#fill();
    return (this.#held >> (this.#count - 16)) & 0xffff;
  }

  skip(count: number): void {
    this.#count -= count;
    this.#held &= (1 << this.#count) - 1;
  }

  take(count: number): number {
    if (count === 0) return 0;
    const value = this.peek16() >> (16 - count);
    this.skip(count);
    return value;
  }

  /** §F.2.2.1 RECEIVE and EXTEND. */
  signed(count: number): number {
    if (count === 0) return 0;
    const value = this.take(count);
    return value < 1 << (count - 1) ? value - (1 << count) + 1 : value;
  }

  /** Drops what is left of the byte, and passes the restart marker that must follow. */
  restart(): void {
    this.#held = 0;
    this.#count = 0;
    this.#overrun = 0;
    const { bytes } = this;
    while (this.position + 1 < bytes.length) {
      const marker = bytes[this.position + 1] ?? 0;
      if (bytes[this.position] === 0xff && marker >= 0xd0 && marker <= 0xd7) {
        this.position += 2;
        return;
      }
      if (bytes[this.position] === 0xff && marker !== 0 && marker !== 0xff)
        throw new BitstreamError('a restart marker is missing');
      this.position++;
    }
    throw new BitstreamError('a restart marker is missing');
  }
}
