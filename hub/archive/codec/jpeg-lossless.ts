/** JPEG lossless, sequential Huffman (ISO/IEC 10918-1 §H): transfer syntaxes .57 and .70. No maintained package decodes it. */
import { BitstreamError, readJpeg } from './jpeg-markers.ts';
import type { HuffmanTable, JpegFrame, JpegScan } from './jpeg-markers.ts';

export interface LosslessImage {
  readonly rows: number;
  readonly columns: number;
  readonly samples: number;
  readonly precision: number;
  /** By pixel. */
  readonly pixels: Uint16Array;
}

const MAX_PIXELS = 1 << 28;

export function decodeJpegLossless(bytes: Uint8Array): LosslessImage {
  let frame: JpegFrame | null = null;
  let pixels = new Uint16Array(0);
  const decoded = new Set<number>();
  readJpeg(bytes, {
    frame: (found) => {
      if (found.process !== 3) throw new BitstreamError('not a lossless JPEG');
      if (found.components.some(({ h, v }) => h !== 1 || v !== 1))
        throw new BitstreamError('subsampled components are not lossless');
      if (found.rows * found.columns * found.components.length > MAX_PIXELS || frame)
        throw new BitstreamError('the image is too large');
      frame = found;
      pixels = new Uint16Array(found.rows * found.columns * found.components.length);
    },
    scan: (scan) => {
      if (!frame) throw new BitstreamError('a scan without a frame');
      decodeScan(frame, scan, pixels);
      for (const { index } of scan.components) decoded.add(index);
    },
  });
  const found = frame as JpegFrame | null;
  if (found?.components.length !== decoded.size) throw new BitstreamError('a component has no scan');
  return {
    rows: found.rows,
    columns: found.columns,
    samples: found.components.length,
    precision: found.precision,
    pixels,
  };
}

/** §H.1.2: every line is predicted; the first line of a restart interval from the left, the first sample from the middle. */
function decodeScan(frame: JpegFrame, scan: JpegScan, pixels: Uint16Array): void {
  const { rows, columns, precision } = frame;
  const step = frame.components.length;
  const tables = scan.components.map(({ dc, index }): readonly [HuffmanTable, number] => {
    if (!dc) throw new BitstreamError('a Huffman table is missing');
    return [dc, index];
  });
  const predictor = scan.start;
  const middle = 1 << (precision - scan.low - 1);
  if (predictor < 1 || predictor > 7) throw new BitstreamError('the predictor is out of range');
  if (scan.restart !== 0 && scan.restart % columns !== 0)
    throw new BitstreamError('restarts inside a line are not lossless JPEG');
  const restartRows = scan.restart / columns;
  const line = columns * step;
  for (let row = 0; row < rows; row++) {
    const fresh = row === 0 || (restartRows > 0 && row % restartRows === 0);
    if (fresh && row > 0) scan.bits.restart();
    for (let column = 0; column < columns; column++) {
      for (const [table, index] of tables) {
        const at = row * line + column * step + index;
        const left = column > 0 ? (pixels[at - step] ?? 0) : 0;
        let predicted: number;
        if (fresh) predicted = column === 0 ? middle : left;
        else if (column === 0) predicted = pixels[at - line] ?? 0;
        else predicted = predict(predictor, left, pixels[at - line] ?? 0, pixels[at - line - step] ?? 0);
        const category = table.decode(scan.bits);
        // §H.1.2.2: 16 means a difference of 32768 and has no further bits.
        const difference = category === 16 ? 32768 : scan.bits.signed(category);
        pixels[at] = (predicted + difference) & 0xffff;
      }
    }
  }
  if (scan.low > 0) for (let at = 0; at < pixels.length; at++) pixels[at] = (pixels[at] ?? 0) << scan.low;
}

function predict(predictor: number, left: number, above: number, corner: number): number {
  switch (predictor) {
    case 1:
      return left;
    case 2:
      return above;
    case 3:
      return corner;
    case 4:
      return left + above - corner;
    case 5:
      return left + ((above - corner) >> 1);
    case 6:
      return above + ((left - corner) >> 1);
    default:
      return (left + above) >> 1;
  }
}
