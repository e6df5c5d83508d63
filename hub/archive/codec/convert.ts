/** A whole object from one transfer syntax to another, in the thread it is called in; `transcode.ts` decides which that is. */
import { deflateRawSync } from 'node:zlib';
import { fail, ok, problem } from '../../core/problem.ts';
import type { Result } from '../../core/problem.ts';
import type { Uid } from '../../core/identifier.ts';
import { swapped } from '../../../mappings/dicom/bytes.ts';
import type { DataSet } from '../../../mappings/dicom/data-set.ts';
import { parsePart10 } from '../../../mappings/dicom/parse.ts';
import type { Part10 } from '../../../mappings/dicom/parse.ts';
import {
  EXTENDED_OFFSETS,
  decodedBytes,
  encapsulationOf,
  framesOf,
  nativeFrame,
  pixelFormat,
  startsBitstream,
} from '../../../mappings/dicom/pixels.ts';
import type { PixelFormat } from '../../../mappings/dicom/pixels.ts';
import { rewriteDataSet } from '../../../mappings/dicom/rewrite.ts';
import type { Replacement } from '../../../mappings/dicom/rewrite.ts';
import { TAG } from '../../../mappings/dicom/tags.ts';
import { DEFLATED_LE, IMPLICIT_LE, encodingOf } from '../../../mappings/dicom/uids.ts';
import { encodeNumbers, writePart10Head } from '../../../mappings/dicom/write.ts';
import { decodeFrame, encodeFrame } from './frame.ts';
import { BitstreamError } from './jpeg-markers.ts';

/** Converts a Part-10 file. Pixels are changed only by decoding them, once, and by lossless encoding that is proved. */
export async function convert(file: Buffer, target: Uid): Promise<Result<Buffer>> {
  const parsed = parsePart10(file);
  if (!parsed.ok) return parsed;
  const part = parsed.value;
  if (part.transferSyntax === target) return ok(file);
  if (hasNestedBitstream(part.dataSet, 0)) {
    return fail(
      problem(
        'unsupported-media',
        '(0088,0200)',
        'A nested image is compressed; this object is kept in its own transfer syntax.',
      ),
    );
  }
  try {
    const replacements = await pixelReplacements(part, target);
    return replacements.ok ? ok(assemble(part, target, replacements.value)) : replacements;
  } catch (error) {
    if (!(error instanceof BitstreamError)) throw error;
    return fail(problem('unsupported-media', '(7FE0,0010)', `The pixels cannot be converted: ${error.message}.`));
  }
}

/** One frame to native samples or into a lossless bitstream. */
export async function convertFrame(
  frame: Buffer,
  from: string,
  to: string,
  format: PixelFormat,
): Promise<Result<Buffer>> {
  try {
    if (!encodingOf(from).encapsulated) return ok(await encodeFrame(to, frame, format));
    const decoded = await decodeFrame(from, frame, format);
    if (!encodingOf(to).encapsulated) return ok(decoded.pixels);
    return ok(
      await encodeFrame(to, decoded.pixels, { ...format, planar: decoded.planar, photometric: decoded.photometric }),
    );
  } catch (error) {
    if (!(error instanceof BitstreamError)) throw error;
    return fail(problem('unsupported-media', '(7FE0,0010)', `The frame cannot be converted: ${error.message}.`));
  }
}

function assemble(part: Part10, target: Uid, replacements: readonly Replacement[]): Buffer {
  const { meta, dataSet } = part;
  const head = writePart10Head({
    sopClass: (meta.one(0x00020002) || dataSet.one(TAG.SOPClassUID)) as Uid,
    sopUid: (meta.one(0x00020003) || dataSet.one(TAG.SOPInstanceUID)) as Uid,
    transferSyntax: target,
    callingAe: meta.one(0x00020016),
  });
  const body = rewriteDataSet(dataSet, target !== IMPLICIT_LE, replacements);
  if (target !== DEFLATED_LE) return Buffer.concat([head, ...body]);
  const deflated = deflateRawSync(Buffer.concat(body));
  // PS3.5 §A.5: padded with a zero byte to an even length.
  return Buffer.concat([head, deflated, Buffer.alloc(deflated.length % 2)]);
}

function hasNestedBitstream(set: DataSet, depth: number): boolean {
  for (const element of set.elements.values()) {
    if (depth > 0 && element.fragments) return true;
    if (element.items?.some((item) => hasNestedBitstream(item, depth + 1))) return true;
  }
  return false;
}

async function pixelReplacements(part: Part10, target: Uid): Promise<Result<readonly Replacement[]>> {
  const { dataSet, transferSyntax } = part;
  const into = encodingOf(target);
  const element = dataSet.get(TAG.PixelData);
  if (!element) {
    return into.encapsulated
      ? fail(problem('unsupported-media', '(7FE0,0010)', 'An object without pixels has no compressed form.'))
      : ok([]);
  }
  if (!into.encapsulated && !element.fragments) return ok(nativeReplacement(dataSet, target));
  const format = pixelFormat(dataSet);
  if (!format.ok) return format;
  const frames = element.fragments
    ? await decodeAll(dataSet, transferSyntax, format.value)
    : nativeFrames(dataSet, format.value);
  if (!frames.ok) return frames;
  const { format: now, pixels } = frames.value;
  if (!into.encapsulated) return ok([...described(now), wholeFrames(pixels, now, target)]);
  const fragments: Buffer[] = [];
  for (const frame of pixels) fragments.push(await encodeFrame(target, frame, now));
  // The codecs of the JPEG family write colour by pixel; RLE has planes of its own.
  const written = now.samples > 1 ? { ...now, planar: 0 as const } : now;
  const vr = 'OB';
  return ok([...described(written), { tag: TAG.PixelData, vr, value: null, fragments }]);
}

/** Native to native: the same samples, in little endian. */
function nativeReplacement(dataSet: DataSet, target: Uid): Replacement[] {
  const element = dataSet.get(TAG.PixelData);
  if (!element) return [];
  const value = dataSet.bytes.subarray(element.start, element.end);
  const wide = element.vr === 'OW' && !dataSet.littleEndian;
  const vr = target === IMPLICIT_LE || element.vr !== 'OB' ? 'OW' : 'OB';
  return [{ tag: TAG.PixelData, vr, value: wide ? swapped(value, 2) : value }];
}

interface Frames {
  readonly format: PixelFormat;
  readonly pixels: readonly Buffer[];
}

function nativeFrames(dataSet: DataSet, format: PixelFormat): Result<Frames> {
  const [value] = nativeReplacement(dataSet, IMPLICIT_LE);
  const bytes = value?.value;
  const shared = format.photometric.includes('_422') || format.photometric.includes('_420');
  if (!bytes || format.bitsAllocated === 1 || (shared && format.samples === 3)) {
    return fail(
      problem('unsupported-media', '(0028,0004)', 'Pixels of this format have no lossless compressed form here.'),
    );
  }
  const needed = decodedBytes(format) * format.frames;
  if (bytes.length < needed)
    return fail(problem('malformed', '(7FE0,0010)', 'The pixel data are shorter than the header says.'));
  const pixels = Array.from({ length: format.frames }, (_, index) => {
    const { start, end } = nativeFrame(format, index);
    return bytes.subarray(start, end);
  });
  return ok({ format, pixels });
}

async function decodeAll(dataSet: DataSet, transferSyntax: string, format: PixelFormat): Promise<Result<Frames>> {
  const encapsulation = encapsulationOf(dataSet);
  const groups =
    encapsulation &&
    framesOf(encapsulation, format.frames, ({ start, end }) => startsBitstream(dataSet.bytes.subarray(start, end)));
  if (!groups) return fail(problem('malformed', '(7FE0,0010)', 'The fragments cannot be assigned to the frames.'));
  const pixels: Buffer[] = [];
  let now = format;
  for (const group of groups) {
    const parts = group.map(({ start, end }) => dataSet.bytes.subarray(start, end));
    const frame = await decodeFrame(
      transferSyntax,
      parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts),
      format,
    );
    pixels.push(frame.pixels);
    now = { ...format, planar: frame.planar, photometric: frame.photometric };
  }
  return ok({ format: now, pixels });
}

function wholeFrames(pixels: readonly Buffer[], format: PixelFormat, target: Uid): Replacement {
  const vr = target === IMPLICIT_LE || format.bitsAllocated > 8 ? 'OW' : 'OB';
  return { tag: TAG.PixelData, vr, value: Buffer.concat(pixels) };
}

/** The attributes that describe the pixels as they now are; offset tables of the old bitstream go. */
function described(format: PixelFormat): Replacement[] {
  const text = Buffer.from(format.photometric, 'latin1');
  const padded = text.length % 2 === 0 ? text : Buffer.concat([text, Buffer.from(' ')]);
  return [
    { tag: EXTENDED_OFFSETS, vr: 'OV', value: null },
    { tag: EXTENDED_LENGTHS, vr: 'OV', value: null },
    { tag: TAG.PhotometricInterpretation, vr: 'CS', value: padded },
    ...(format.samples > 1
      ? [{ tag: TAG.PlanarConfiguration, vr: 'US', value: encodeNumbers([format.planar], 'US') }]
      : []),
  ];
}

const EXTENDED_LENGTHS = 0x7fe00002;
