/** RLE of DICOM (PS3.5 Annex G): one PackBits segment for each byte of a sample, most significant byte first. */
import { BitstreamError } from './jpeg-markers.ts';

const HEADER = 64;

export interface RleShape {
  readonly pixels: number;
  readonly samples: number;
  readonly bytesPerSample: number;
}

/** Decodes one frame to little-endian samples, by plane (`planar` 1) or by pixel (0). */
export function decodeRle(bytes: Buffer, shape: RleShape, planar: 0 | 1): Buffer {
  const { pixels, samples, bytesPerSample } = shape;
  const count = bytes.length >= HEADER ? bytes.readUInt32LE(0) : 0;
  if (count !== samples * bytesPerSample || count > 15)
    throw new BitstreamError('the RLE header does not fit the image');
  const frame = Buffer.alloc(pixels * samples * bytesPerSample);
  for (let segment = 0; segment < count; segment++) {
    const start = bytes.readUInt32LE(4 + segment * 4);
    const end = segment + 1 < count ? bytes.readUInt32LE(8 + segment * 4) : bytes.length;
    if (start < HEADER || end < start || end > bytes.length)
      throw new BitstreamError('an RLE segment lies outside the frame');
    const sample = Math.floor(segment / bytesPerSample);
    const byte = bytesPerSample - 1 - (segment % bytesPerSample);
    const offset = planar === 1 ? sample * pixels * bytesPerSample + byte : sample * bytesPerSample + byte;
    unpack(bytes.subarray(start, end), frame, offset, planar === 1 ? bytesPerSample : samples * bytesPerSample, pixels);
  }
  return frame;
}

/** §G.3.2: writes `pixels` bytes, `step` apart. A segment that ends early is refused: pixels would be invented. */
function unpack(packed: Buffer, frame: Buffer, offset: number, step: number, pixels: number): void {
  let written = 0;
  let at = 0;
  while (written < pixels) {
    const head = packed[at++];
    if (head === undefined) throw new BitstreamError('an RLE segment ends early');
    if (head === 128) continue;
    const run = head > 128;
    const length = Math.min(run ? 257 - head : head + 1, pixels - written);
    if (at + (run ? 1 : length) > packed.length) throw new BitstreamError('an RLE segment ends early');
    for (let each = 0; each < length; each++, written++)
      frame[offset + written * step] = packed[run ? at : at + each] ?? 0;
    at += run ? 1 : length;
  }
}

/** Encodes one frame of little-endian samples, by pixel or by plane; every line is packed by itself (§G.3.1). */
export function encodeRle(frame: Buffer, shape: RleShape & { readonly columns: number }, planar: 0 | 1): Buffer {
  const { pixels, samples, bytesPerSample, columns } = shape;
  const count = samples * bytesPerSample;
  const header = Buffer.alloc(HEADER);
  header.writeUInt32LE(count, 0);
  const segments: Buffer[] = [header];
  let at = HEADER;
  const line = Buffer.alloc(columns);
  for (let segment = 0; segment < count; segment++) {
    const sample = Math.floor(segment / bytesPerSample);
    const byte = bytesPerSample - 1 - (segment % bytesPerSample);
    const offset = planar === 1 ? sample * pixels * bytesPerSample + byte : sample * bytesPerSample + byte;
    const step = planar === 1 ? bytesPerSample : count;
    header.writeUInt32LE(at, 4 + segment * 4);
    const packed: number[] = [];
    for (let first = 0; first < pixels; first += columns) {
      for (let column = 0; column < columns; column++) line[column] = frame[offset + (first + column) * step] ?? 0;
      pack(line, packed);
    }
    if (packed.length % 2 === 1) packed.push(0);
    segments.push(Buffer.from(packed));
    at += packed.length;
  }
  return Buffer.concat(segments);
}

function pack(line: Buffer, packed: number[]): void {
  let at = 0;
  while (at < line.length) {
    let run = 1;
    while (at + run < line.length && run < 128 && line[at + run] === line[at]) run++;
    if (run > 2) {
      packed.push(257 - run, line[at] ?? 0);
      at += run;
      continue;
    }
    const start = at;
    while (at < line.length && at - start < 128 && !(line[at] === line[at + 1] && line[at] === line[at + 2])) at++;
    packed.push(at - start - 1);
    for (let each = start; each < at; each++) packed.push(line[each] ?? 0);
  }
}
