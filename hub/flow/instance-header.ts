/**
 * The header of a stored instance, read by ranges: everything before the pixel data, whatever the size of the file.
 * Large values on the way (documents, look-up tables) are stepped over and only their place is told.
 */
import { Failure, fail, ok, problem } from '../core/problem.ts';
import type { Result } from '../core/problem.ts';
import type { ImageSource, InstanceLocated } from '../core/ports.ts';
import type { DataSet } from '../../mappings/dicom/data-set.ts';
import { tagText, vrOf } from '../../mappings/dicom/dictionary.ts';
import type { Tag } from '../../mappings/dicom/dictionary.ts';
import { parseHeader } from '../../mappings/dicom/parse.ts';
import { DEFLATED_LE, encodingOf } from '../../mappings/dicom/uids.ts';

/** A value that stays in the file: `start` is its offset in the Part-10 file. */
export interface PlacedValue {
  readonly tag: Tag;
  readonly vr: string;
  readonly start: number;
  /** null: undefined length, that is encapsulated pixel data. */
  readonly length: number | null;
}

export interface InstanceHeader {
  /** In file order; more than one only where a large value was stepped over. */
  readonly sets: readonly DataSet[];
  readonly large: readonly PlacedValue[];
  readonly pixels: PlacedValue | null;
  /** The whole inflated data set of a deflated file, and then `start` of placed values counts in it; else null. */
  readonly inflated: Buffer | null;
}

const FIRST_WINDOW = 32 * 1024;
const WINDOW_LIMIT = 64 * 1024 * 1024;
/** Values above this are stepped over rather than read. */
const LARGE = 1024 * 1024;
const LARGE_LIMIT = 1000;

export async function readHeader(images: ImageSource, located: InstanceLocated): Promise<Result<InstanceHeader>> {
  const { transferSyntax, dataSetOffset, size } = located.instance;
  const deflated = transferSyntax === DEFLATED_LE;
  if (deflated && size > WINDOW_LIMIT)
    return fail(problem('too-large', undefined, 'The deflated instance is too large to be read.'));
  const sets: DataSet[] = [];
  const large: PlacedValue[] = [];
  let from = dataSetOffset;
  let window = deflated ? size : FIRST_WINDOW;
  for (;;) {
    const end = Math.min(size, from + window);
    const parsed = parseHeader(await readRange(images, located, from, end), transferSyntax);
    if (!parsed.ok) return parsed;
    const { dataSet, stop } = parsed.value;
    const inflated = deflated ? dataSet.bytes : null;
    const origin = deflated ? 0 : from;
    if (stop.reason === 'end' && (end === size || deflated))
      return ok({ sets: [...sets, dataSet], large, pixels: null, inflated });
    const at = placedAt(dataSet, stop.at, transferSyntax);
    if (stop.reason === 'pixel-data' && at !== null) {
      return ok({ sets: [...sets, dataSet], large, pixels: { ...at, start: origin + at.start }, inflated });
    }
    if (
      at !== null &&
      at.length !== null &&
      at.length > LARGE &&
      at.start + at.length <= size - from &&
      large.length < LARGE_LIMIT
    ) {
      sets.push(dataSet);
      large.push({ ...at, start: origin + at.start });
      from += at.start + at.length;
      window = FIRST_WINDOW;
      continue;
    }
    if (end === size || window >= WINDOW_LIMIT) {
      const where = stop.tag === null ? undefined : tagText(stop.tag);
      return fail(problem('malformed', where, 'The stored instance ends inside an element before its pixel data.'));
    }
    window = Math.min(WINDOW_LIMIT, window * 8);
  }
}

/** The head of the element at `at`: null where the bytes end inside it. */
function placedAt(set: DataSet, at: number, transferSyntax: string): PlacedValue | null {
  const { bytes } = set;
  if (bytes.length - at < 12) return null;
  const little = encodingOf(transferSyntax).littleEndian;
  const word = (offset: number): number => (little ? bytes.readUInt16LE(offset) : bytes.readUInt16BE(offset));
  const long = (offset: number): number => (little ? bytes.readUInt32LE(offset) : bytes.readUInt32BE(offset));
  const tag = ((word(at) << 16) | word(at + 2)) >>> 0;
  const written = bytes.toString('latin1', at + 4, at + 6);
  const lengthOf = (length: number): number | null => (length === 0xffffffff ? null : length);
  if (!set.explicit || !/^[A-Z]{2}$/.test(written))
    return { tag, vr: vrOf(tag), start: at + 8, length: lengthOf(long(at + 4)) };
  // Only VRs with a 32-bit length can be large; the short ones never stop a reader for long.
  if (!/^(O[BDFLVW]|S[QV]|U[CNRTV])$/.test(written)) return { tag, vr: written, start: at + 8, length: word(at + 6) };
  return { tag, vr: written, start: at + 12, length: lengthOf(long(at + 8)) };
}

/** Bytes [start, end) of the file in one buffer of their own. */
export async function readRange(
  images: ImageSource,
  located: InstanceLocated,
  start: number,
  end: number,
): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(Math.max(0, end - start));
  const direct = bytes.length === 0 ? 0 : await images.readInto?.(located, bytes, start);
  if (direct === bytes.length) return bytes;
  if (typeof direct === 'number') throw short();
  let filled = 0;
  for await (const chunk of await images.open(located, { start, end })) {
    const piece = chunk as Buffer;
    bytes.set(piece.subarray(0, bytes.length - filled), filled);
    filled = Math.min(bytes.length, filled + piece.length);
  }
  if (filled < bytes.length) throw short();
  return bytes;
}

const short = (): Failure =>
  new Failure(problem('unavailable', undefined, 'An instance is shorter in its store than the index says.'));
