/**
 * One frame between its bitstream and native samples, for every syntax the hub knows. What is encoded is decoded again and
 * compared before it is believed: a codec is never trusted with a diagnostic pixel.
 */
import {
  HTJ2K,
  HTJ2K_LOSSLESS,
  HTJ2K_LOSSLESS_RPCL,
  J2K,
  J2K_LOSSLESS,
  JPEG_BASELINE,
  JPEG_EXTENDED,
  JPEG_LOSSLESS,
  JPEG_LOSSLESS_SV1,
  JPEG_LS_LOSSLESS,
  JPEG_LS_NEAR,
  JPEG_PROGRESSIVE,
  JPEG_SPECTRAL,
  RLE,
} from '../../../mappings/dicom/uids.ts';
import type { PixelFormat } from '../../../mappings/dicom/pixels.ts';
import { decodedBytes } from '../../../mappings/dicom/pixels.ts';
import { decodeJpeg8 } from './jpeg-8bit.ts';
import { decodeJpegLossless } from './jpeg-lossless.ts';
import type { LosslessImage } from './jpeg-lossless.ts';
import { BitstreamError } from './jpeg-markers.ts';
import { decodeJpegSequential } from './jpeg-sequential.ts';
import { decodeRle, encodeRle } from './rle.ts';
import { decodeHtj2k, decodeJpeg2000, decodeJpegLs, encodeHtj2k, encodeJpegLs } from './wasm.ts';

export interface DecodedFrame {
  /** Little endian, every sample in BitsAllocated bits. */
  readonly pixels: Buffer;
  readonly planar: 0 | 1;
  /** PhotometricInterpretation of `pixels`. */
  readonly photometric: string;
}

const JPEG_2000: ReadonlySet<string> = new Set([J2K_LOSSLESS, J2K]);
const HIGH_THROUGHPUT: ReadonlySet<string> = new Set([HTJ2K_LOSSLESS, HTJ2K_LOSSLESS_RPCL, HTJ2K]);
/** By discrete cosine transformation. Of more than 8 bits the sequential process alone: the others are refused by frame. */
const DCT: ReadonlySet<string> = new Set([JPEG_BASELINE, JPEG_EXTENDED, JPEG_SPECTRAL, JPEG_PROGRESSIVE]);
const DECODED: ReadonlySet<string> = new Set([
  RLE,
  ...DCT,
  JPEG_LOSSLESS,
  JPEG_LOSSLESS_SV1,
  JPEG_LS_LOSSLESS,
  JPEG_LS_NEAR,
  ...JPEG_2000,
  ...HIGH_THROUGHPUT,
]);
const ENCODED: ReadonlySet<string> = new Set([RLE, JPEG_LS_LOSSLESS, HTJ2K_LOSSLESS]);

export const decodes = (transferSyntax: string): boolean => DECODED.has(transferSyntax);
export const encodes = (transferSyntax: string): boolean => ENCODED.has(transferSyntax);

interface Image {
  readonly rows: number;
  readonly columns: number;
  readonly samples: number;
  readonly pixels: Buffer;
  readonly planar: 0 | 1;
  readonly bytes: 1 | 2;
}

/** Decodes one frame's bitstream; rejects with BitstreamError where it is broken or is not what the header says. */
export async function decodeFrame(transferSyntax: string, bytes: Buffer, format: PixelFormat): Promise<DecodedFrame> {
  if (!decodes(transferSyntax)) throw new BitstreamError('its transfer syntax is not decoded here');
  if (transferSyntax === RLE) {
    if (format.bitsAllocated % 8 !== 0) throw new BitstreamError('RLE holds whole bytes');
    const shape = {
      pixels: format.rows * format.columns,
      samples: format.samples,
      bytesPerSample: format.bitsAllocated / 8,
    };
    return {
      pixels: decodeRle(bytes, shape, format.planar),
      planar: format.planar,
      photometric: unshared(format.photometric),
    };
  }
  const image = await decodeImage(transferSyntax, bytes, format);
  if (image.rows !== format.rows || image.columns !== format.columns || image.samples !== format.samples) {
    throw new BitstreamError('the bitstream has another size than the header says');
  }
  const pixels = widened(byPixel(image), image.bytes, format);
  if (pixels.length !== decodedBytes(format))
    throw new BitstreamError('the bitstream has another depth than the header says');
  return { pixels, planar: 0, photometric: photometricOf(transferSyntax, format) };
}

async function decodeImage(transferSyntax: string, bytes: Buffer, format: PixelFormat): Promise<Image> {
  if (transferSyntax === JPEG_LOSSLESS || transferSyntax === JPEG_LOSSLESS_SV1)
    return fromWide(decodeJpegLossless(bytes));
  if (DCT.has(transferSyntax)) {
    if (format.bitsAllocated > 8) return fromWide(decodeJpegSequential(bytes));
    const image = await decodeJpeg8(
      bytes,
      format.samples === 1 ? 'grey' : format.photometric.startsWith('YBR') ? 'ycc' : 'rgb',
    );
    return { ...image, planar: 0, bytes: 1 };
  }
  const decode = JPEG_2000.has(transferSyntax)
    ? decodeJpeg2000
    : HIGH_THROUGHPUT.has(transferSyntax)
      ? decodeHtj2k
      : decodeJpegLs;
  const image = await decode(bytes);
  return { ...image, bytes: image.bits > 8 ? 2 : 1 };
}

function fromWide(image: LosslessImage): Image {
  const { rows, columns, samples, precision, pixels } = image;
  if (precision <= 8) return { rows, columns, samples, pixels: Buffer.from(pixels), planar: 0, bytes: 1 };
  return {
    rows,
    columns,
    samples,
    pixels: Buffer.from(pixels.buffer, pixels.byteOffset, pixels.byteLength),
    planar: 0,
    bytes: 2,
  };
}

/** Colour by plane to colour by pixel. */
function byPixel({ pixels, planar, samples, bytes }: Image): Buffer {
  if (planar === 0 || samples === 1) return pixels;
  const interleaved = Buffer.alloc(pixels.length);
  const plane = pixels.length / samples;
  for (let at = 0; at < plane; at++) {
    const pixel = Math.floor(at / bytes);
    for (let sample = 0; sample < samples; sample++) {
      interleaved[(pixel * samples + sample) * bytes + (at % bytes)] = pixels[sample * plane + at] ?? 0;
    }
  }
  return interleaved;
}

/** 8-bit samples of a bitstream in 16-bit cells, where the header says so; a negative one keeps its sign. */
function widened(pixels: Buffer, bytes: 1 | 2, format: PixelFormat): Buffer {
  if (bytes * 8 === format.bitsAllocated || format.bitsAllocated !== 16) return pixels;
  const wide = Buffer.alloc(pixels.length * 2);
  for (let at = 0; at < pixels.length; at++)
    wide.writeInt16LE(format.signed ? pixels.readInt8(at) : (pixels[at] ?? 0), at * 2);
  return wide;
}

/** PS3.5 §8.2: what the decoder's colour is. DCT JPEG is converted to RGB, JPEG 2000 undoes its component transform. */
function photometricOf(transferSyntax: string, { photometric, samples }: PixelFormat): string {
  if (samples === 1) return photometric;
  if (DCT.has(transferSyntax)) return photometric.startsWith('YBR') ? 'RGB' : photometric;
  if (photometric === 'YBR_RCT' || photometric === 'YBR_ICT') return 'RGB';
  return unshared(photometric);
}

const unshared = (photometric: string): string => (photometric === 'YBR_FULL_422' ? 'YBR_FULL' : photometric);

/** Encodes one native frame without loss, and proves it by decoding; rejects where the syntax cannot hold the frame. */
export async function encodeFrame(transferSyntax: string, pixels: Buffer, format: PixelFormat): Promise<Buffer> {
  if (pixels.length !== decodedBytes(format))
    throw new BitstreamError('the frame has another length than its header says');
  const encoded = await encode(transferSyntax, pixels, format);
  const back = await decodeFrame(transferSyntax, encoded, format);
  const native = byPixelFrame(pixels, format);
  if (!byPixelFrame(back.pixels, { ...format, planar: back.planar }).equals(native)) {
    throw new BitstreamError('the codec did not give the same pixels back');
  }
  return encoded.length % 2 === 0 ? encoded : Buffer.concat([encoded, Buffer.alloc(1)]);
}

async function encode(transferSyntax: string, pixels: Buffer, format: PixelFormat): Promise<Buffer> {
  const { rows, columns, samples, bitsAllocated, signed, planar } = format;
  if (transferSyntax === RLE) {
    if (bitsAllocated % 8 !== 0) throw new BitstreamError('RLE holds whole bytes');
    return encodeRle(pixels, { pixels: rows * columns, columns, samples, bytesPerSample: bitsAllocated / 8 }, planar);
  }
  if (bitsAllocated !== 8 && bitsAllocated !== 16) throw new BitstreamError('the codec takes 8 and 16 bits');
  const raster = { rows, columns, samples, pixels: byPixelFrame(pixels, format), bits: precisionOf(pixels, format) };
  // JPEG-LS has no sign (PS3.5 §8.2.3): a signed sample goes as the bits of its cell.
  return transferSyntax === HTJ2K_LOSSLESS
    ? encodeHtj2k({ ...raster, signed })
    : encodeJpegLs({ ...raster, signed: false });
}

const byPixelFrame = (pixels: Buffer, format: PixelFormat): Buffer =>
  byPixel({ ...format, pixels, bytes: format.bitsAllocated === 16 ? 2 : 1 });

/** BitsStored, unless bits above it are in use (signs, overlays of old): then the whole cell. */
function precisionOf(pixels: Buffer, { bitsAllocated, bitsStored, signed }: PixelFormat): number {
  if (signed || bitsStored === bitsAllocated || bitsStored < 2) return bitsAllocated;
  const limit = 1 << bitsStored;
  if (bitsAllocated === 8) return pixels.every((sample) => sample < limit) ? bitsStored : 8;
  for (let at = 0; at + 1 < pixels.length; at += 2) if (pixels.readUInt16LE(at) >= limit) return 16;
  // Codecs give 8-bit buffers up to 8 bits; a 16-bit cell stays one.
  return bitsStored > 8 ? bitsStored : 16;
}
