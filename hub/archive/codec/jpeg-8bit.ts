/**
 * DCT-based JPEG of 8 bits, by libjpeg in sharp. Colour is converted exactly when the DICOM header says YBR: the stream's own
 * hints (JFIF, Adobe, component names, colour profiles) are taken out and replaced by what the header says.
 */
import sharp from 'sharp';
import { BitstreamError } from './jpeg-markers.ts';

const MAX_PIXELS = 1 << 28;

export interface Jpeg8Image {
  readonly rows: number;
  readonly columns: number;
  readonly samples: number;
  /** By pixel; RGB or grey. */
  readonly pixels: Buffer;
}

export async function decodeJpeg8(bytes: Buffer, colour: 'grey' | 'rgb' | 'ycc'): Promise<Jpeg8Image> {
  try {
    const { data, info } = await sharp(withColour(bytes, colour), { limitInputPixels: MAX_PIXELS, failOn: 'error' })
      .toColourspace(colour === 'grey' ? 'b-w' : 'srgb')
      .raw()
      .toBuffer({ resolveWithObject: true });
    return { rows: info.height, columns: info.width, samples: info.channels, pixels: data };
  } catch {
    throw new BitstreamError('libjpeg does not take the bitstream');
  }
}

/** Drops all application segments and adds one Adobe segment: transform 1 is YCbCr, 0 is none (Adobe TN 5116 §18). */
function withColour(bytes: Buffer, colour: 'grey' | 'rgb' | 'ycc'): Buffer {
  if (bytes.length < 4 || bytes.readUInt16BE(0) !== 0xffd8) throw new BitstreamError('no start of image');
  const adobe = Buffer.from([
    0xff,
    0xee,
    0,
    14,
    0x41,
    0x64,
    0x6f,
    0x62,
    0x65,
    0,
    100,
    0,
    0,
    0,
    0,
    colour === 'ycc' ? 1 : 0,
  ]);
  const kept: Buffer[] = [bytes.subarray(0, 2), ...(colour === 'grey' ? [] : [adobe])];
  let at = 2;
  while (at + 4 <= bytes.length && bytes[at] === 0xff) {
    const marker = bytes[at + 1] ?? 0;
    if (marker === 0xff) {
      at++;
      continue;
    }
    const next = at + 2 + bytes.readUInt16BE(at + 2);
    if (marker === 0xda || next > bytes.length) break;
    if (marker < 0xe0 || marker > 0xef) kept.push(bytes.subarray(at, next));
    at = next;
  }
  kept.push(bytes.subarray(at));
  return Buffer.concat(kept);
}
