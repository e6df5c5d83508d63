/** DCT-based JPEG, sequential Huffman, of 12 bits (ISO/IEC 10918-1 §F, process 4): what image libraries of 8 bits cannot read. */
import { BitstreamError, readJpeg } from './jpeg-markers.ts';
import type { BitReader, HuffmanTable, JpegComponent, JpegFrame, JpegScan } from './jpeg-markers.ts';
import type { LosslessImage } from './jpeg-lossless.ts';

const MAX_PIXELS = 1 << 28;

/** §A.3.6: zigzag order. */
const ZIGZAG = [
  0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
  35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47,
  55, 62, 63,
];

const COSINES = Float64Array.from({ length: 64 }, (_, at) => {
  const [x, u] = [at >> 3, at & 7];
  return Math.cos(((2 * x + 1) * u * Math.PI) / 16) * (u === 0 ? Math.SQRT1_2 : 1) * 0.5;
});

/** Grey or colour without subsampling; subsampled colour is 8-bit in practice and goes another way. */
export function decodeJpegSequential(bytes: Uint8Array): LosslessImage {
  let image: SequentialImage | null = null;
  readJpeg(bytes, {
    frame: (frame, quantisation) => {
      if (image || (frame.process !== 0 && frame.process !== 1)) throw new BitstreamError('not a sequential JPEG');
      image = new SequentialImage(frame, quantisation);
    },
    scan: (scan) => {
      image?.scan(scan);
    },
  });
  const found = image as SequentialImage | null;
  if (!found) throw new BitstreamError('no frame');
  return found.done();
}

class SequentialImage {
  readonly #pixels: Uint16Array;
  readonly #coefficients = new Float64Array(64);
  readonly #rows = new Float64Array(64);
  readonly #decoded = new Set<number>();

  constructor(
    readonly frame: JpegFrame,
    readonly quantisation: readonly (Uint16Array | undefined)[],
  ) {
    const { rows, columns, components } = frame;
    if (components.some(({ h, v }) => h !== components[0]?.h || v !== components[0].v))
      throw new BitstreamError('subsampled components');
    if (rows * columns * components.length > MAX_PIXELS) throw new BitstreamError('the image is too large');
    this.#pixels = new Uint16Array(rows * columns * components.length);
  }

  scan(scan: JpegScan): void {
    const { rows, columns } = this.frame;
    const parts = scan.components.map(({ index, dc, ac }) => {
      const component = this.frame.components[index];
      const table = component ? this.quantisation[component.quantisation] : undefined;
      if (!component || !table || !dc || !ac) throw new BitstreamError('a table is missing');
      this.#decoded.add(index);
      return { index, table, dc, ac, last: 0, ...unitOf(component, scan.components.length) };
    });
    const [h, v] = [parts[0]?.h ?? 1, parts[0]?.v ?? 1];
    const across = Math.ceil(columns / (8 * h));
    const total = across * Math.ceil(rows / (8 * v));
    for (let unit = 0; unit < total; unit++) {
      if (scan.restart > 0 && unit > 0 && unit % scan.restart === 0) {
        scan.bits.restart();
        for (const part of parts) part.last = 0;
      }
      for (const part of parts) {
        for (let block = 0; block < h * v; block++) {
          part.last = this.#block(scan.bits, part.dc, part.ac, part.table, part.last);
          const left = ((unit % across) * h + (block % h)) * 8;
          const top = (Math.floor(unit / across) * v + Math.floor(block / h)) * 8;
          this.#place(part.index, top, left);
        }
      }
    }
  }

  /** §F.2.2: one DC difference, then runs of zeros and AC values. */
  #block(bits: BitReader, dc: HuffmanTable, ac: HuffmanTable, table: Uint16Array, last: number): number {
    const coefficients = this.#coefficients.fill(0);
    const level = last + bits.signed(dc.decode(bits));
    coefficients[0] = level * (table[0] ?? 0);
    for (let at = 1; at < 64; at++) {
      const symbol = ac.decode(bits);
      const size = symbol & 15;
      if (size === 0) {
        if (symbol !== 0xf0) break;
        at += 15;
        continue;
      }
      at += symbol >> 4;
      if (at > 63) throw new BitstreamError('a block has too many coefficients');
      coefficients[ZIGZAG[at] ?? 0] = bits.signed(size) * (table[at] ?? 0);
    }
    return level;
  }

  /** §A.3.3: inverse transform by rows and columns, level shift, clamp to the precision. */
  #place(index: number, top: number, left: number): void {
    const { rows, columns, precision, components } = this.frame;
    const [source, half] = [this.#coefficients, this.#rows];
    for (let v = 0; v < 8; v++) {
      for (let x = 0; x < 8; x++) {
        let sum = 0;
        for (let u = 0; u < 8; u++) sum += (source[v * 8 + u] ?? 0) * (COSINES[x * 8 + u] ?? 0);
        half[v * 8 + x] = sum;
      }
    }
    const [middle, top2] = [1 << (precision - 1), (1 << precision) - 1];
    for (let y = 0; y < 8 && top + y < rows; y++) {
      for (let x = 0; x < 8 && left + x < columns; x++) {
        let sum = middle;
        for (let v = 0; v < 8; v++) sum += (half[v * 8 + x] ?? 0) * (COSINES[y * 8 + v] ?? 0);
        this.#pixels[((top + y) * columns + left + x) * components.length + index] = Math.min(
          Math.max(Math.round(sum), 0),
          top2,
        );
      }
    }
  }

  done(): LosslessImage {
    const { rows, columns, precision, components } = this.frame;
    if (this.#decoded.size !== components.length) throw new BitstreamError('a component has no scan');
    return { rows, columns, precision, samples: components.length, pixels: this.#pixels };
  }
}

/** A scan of one component is not interleaved: its unit is one block, whatever its sampling factors (§A.2.2). */
const unitOf = ({ h, v }: JpegComponent, count: number): { h: number; v: number } =>
  count === 1 ? { h: 1, v: 1 } : { h, v };
