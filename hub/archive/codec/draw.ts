/** A frame as a picture: modality and VOI transformations (PS3.3 §C.11), palettes and colour spaces, then JPEG, PNG or GIF. */
import sharp from 'sharp';
import { fail, ok, problem } from '../../core/problem.ts';
import type { Result } from '../../core/problem.ts';
import type { PixelFormat } from '../../../mappings/dicom/pixels.ts';
import { encodingOf } from '../../../mappings/dicom/uids.ts';
import { decodeFrame } from './frame.ts';
import { BitstreamError } from './jpeg-markers.ts';
import { levelsOf } from './levels.ts';
import type { Look, Lut } from './levels.ts';

export interface DrawJob {
  readonly kind: 'draw';
  /** One frame: its bitstream in `transferSyntax`, or native samples in little endian that begin at bit 0. */
  readonly frame: Uint8Array;
  readonly transferSyntax: string;
  readonly format: PixelFormat;
  readonly look: Look;
  readonly output: Output;
}

export interface Output {
  readonly format: 'jpeg' | 'png' | 'gif';
  /** 1 to 100, of JPEG. */
  readonly quality: number;
  /** The picture fits into this, its proportions kept; never enlarged beyond the frame unless asked for. */
  readonly width?: number;
  readonly height?: number;
  /** The part of the frame that is shown, in its pixels; mirrored where asked for. Absent: all of it. */
  readonly region?: Region;
}

/** Whole pixels of a frame, within it. */
export interface Region {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly mirrored?: { readonly leftRight: boolean; readonly upDown: boolean };
}

/** Draws one frame. */
export async function draw(job: DrawJob): Promise<Result<Buffer>> {
  try {
    const bytes = Buffer.from(job.frame.buffer, job.frame.byteOffset, job.frame.byteLength);
    const decoded = encodingOf(job.transferSyntax).encapsulated
      ? await decodeFrame(job.transferSyntax, bytes, job.format)
      : { pixels: bytes, planar: job.format.planar, photometric: job.format.photometric };
    const format = { ...job.format, planar: decoded.planar, photometric: decoded.photometric };
    const picture =
      format.samples === 1 ? oneSample(decoded.pixels, format, job.look) : threeSamples(decoded.pixels, format);
    return picture
      ? ok(await compress(picture, format, job.output))
      : fail(problem('unsupported-media', '(0028,0004)', 'Pixels of this format cannot be drawn.'));
  } catch (error) {
    if (!(error instanceof BitstreamError)) throw error;
    return fail(problem('unsupported-media', '(7FE0,0010)', `The frame cannot be drawn: ${error.message}.`));
  }
}

interface Picture {
  readonly channels: 1 | 3;
  readonly data: Buffer;
}

async function compress({ channels, data }: Picture, format: PixelFormat, output: Output): Promise<Buffer> {
  const image = sharp(data, { raw: { width: format.columns, height: format.rows, channels } });
  if (channels === 1) image.toColourspace('b-w');
  if (output.region) {
    const { left, top, width, height, mirrored } = output.region;
    image.extract({ left, top, width, height });
    if (mirrored?.leftRight === true) image.flop();
    if (mirrored?.upDown === true) image.flip();
  }
  if (output.width !== undefined || output.height !== undefined) {
    image.resize({
      ...(output.width === undefined ? {} : { width: output.width }),
      ...(output.height === undefined ? {} : { height: output.height }),
      fit: 'inside',
    });
  }
  if (output.format === 'png') return image.png().toBuffer();
  if (output.format === 'gif') return image.gif().toBuffer();
  return image.jpeg({ quality: output.quality, chromaSubsampling: '4:4:4' }).toBuffer();
}

function oneSample(pixels: Buffer, format: PixelFormat, look: Look): Picture | null {
  const stored = storedValues(pixels, format);
  if (!stored) return null;
  if (format.photometric !== 'PALETTE COLOR') return { channels: 1, data: levelsOf(stored, format, look) };
  if (!look.palette) return null;
  const data = Buffer.alloc(stored.length * 3);
  for (const [channel, lut] of look.palette.entries()) {
    for (let at = 0; at < stored.length; at++) data[at * 3 + channel] = entryOf(lut, stored[at] ?? 0);
  }
  return { channels: 3, data };
}

/** §C.7.6.3.1.5: below the first and above the last entry the nearest holds; 16-bit entries give their upper byte. */
function entryOf(lut: Lut, value: number): number {
  const entry = lut.data[Math.min(Math.max(value - lut.first, 0), lut.data.length - 1)] ?? 0;
  return lut.bits > 8 ? entry >> 8 : entry;
}

/** The stored values: bits from HighBit down to BitsStored, with their sign (PS3.5 §8.1.1). */
export function storedValues(pixels: Buffer, format: PixelFormat): Int32Array | null {
  const { rows, columns, bitsAllocated, bitsStored, highBit, signed } = format;
  const count = rows * columns;
  if (pixels.length * 8 < count * bitsAllocated || bitsAllocated > 32) return null;
  const values = new Int32Array(count);
  const [up, down] = [31 - highBit, 32 - bitsStored];
  for (let at = 0; at < count; at++) {
    const cell = readCell(pixels, at, bitsAllocated) << up;
    values[at] = signed ? cell >> down : cell >>> down;
  }
  return values;
}

function readCell(pixels: Buffer, at: number, bits: number): number {
  if (bits === 16) return (pixels[at * 2] ?? 0) | ((pixels[at * 2 + 1] ?? 0) << 8);
  if (bits === 8) return pixels[at] ?? 0;
  return bits === 1 ? ((pixels[at >> 3] ?? 0) >> (at & 7)) & 1 : pixels.readInt32LE(at * 4);
}

function threeSamples(pixels: Buffer, format: PixelFormat): Picture | null {
  if (format.samples !== 3 || format.bitsAllocated !== 8) return null;
  const count = format.rows * format.columns;
  const kind = format.photometric;
  const shared = kind === 'YBR_FULL_422';
  if (kind !== 'RGB' && kind !== 'YBR_FULL' && !shared) return null;
  if (pixels.length < count * (shared ? 2 : 3)) return null;
  const data = Buffer.alloc(count * 3);
  for (let at = 0; at < count; at++) {
    if (shared) {
      const pair = (at >> 1) * 4;
      toRgb(data, at, pixels[pair + (at & 1)] ?? 0, pixels[pair + 2] ?? 0, pixels[pair + 3] ?? 0);
      continue;
    }
    const [first, step] = format.planar === 1 ? [at, count] : [at * 3, 1];
    const [a, b, c] = [pixels[first] ?? 0, pixels[first + step] ?? 0, pixels[first + 2 * step] ?? 0];
    if (kind === 'RGB') {
      data[at * 3] = a;
      data[at * 3 + 1] = b;
      data[at * 3 + 2] = c;
    } else toRgb(data, at, a, b, c);
  }
  return { channels: 3, data };
}

/** §C.7.6.3.1.2, YBR_FULL. */
function toRgb(data: Buffer, at: number, y: number, cb: number, cr: number): void {
  data[at * 3] = clamp(y + 1.402 * (cr - 128));
  data[at * 3 + 1] = clamp(y - 0.344136 * (cb - 128) - 0.714136 * (cr - 128));
  data[at * 3 + 2] = clamp(y + 1.772 * (cb - 128));
}

const clamp = (value: number): number => Math.min(255, Math.max(0, Math.round(value)));
