/**
 * Our own reader of DICOM data sets (PS3.5 §7, Annex A) and Part-10 files (PS3.10 §7): bounded in depth, count and
 * length, indifferent to hostile bytes, and able to work on the first bytes of an object of any size.
 */
import { constants, inflateRawSync } from 'node:zlib';
import { parseUid } from '../../hub/core/identifier.ts';
import type { Uid } from '../../hub/core/identifier.ts';
import { fail, ok, problem } from '../../hub/core/problem.ts';
import type { Result } from '../../hub/core/problem.ts';
import { DataSet } from './data-set.ts';
import { tagText } from './dictionary.ts';
import type { Tag } from './dictionary.ts';
import { LIMITS, PIXEL_DATA, Reader, guarded, isLetters, isVr, never } from './reader.ts';
import type { ParseLimits, Stop } from './reader.ts';
import { DEFLATED_LE, EXPLICIT_BE, EXPLICIT_LE, IMPLICIT_LE, encodingOf } from './uids.ts';

export { LIMITS } from './reader.ts';
export type { ParseLimits, Stop } from './reader.ts';

export interface ParsedHeader {
  readonly dataSet: DataSet;
  readonly transferSyntax: Uid;
  readonly stop: Stop;
}

export interface Part10 extends ParsedHeader {
  /** Group 0002; empty where the file has none. */
  readonly meta: DataSet;
  /** Where the data set begins in the file. For a deflated one offsets of `dataSet` count in the inflated bytes. */
  readonly dataSetOffset: number;
}

const FLOAT_PIXELS = 0x7fe00008;
const DOUBLE_PIXELS = 0x7fe00009;

const isPixels = (tag: Tag): boolean => tag === PIXEL_DATA || tag === FLOAT_PIXELS || tag === DOUBLE_PIXELS;

/** Reads a whole data set; an element that goes on after the last byte makes it malformed. */
export function parseDataSet(
  bytes: Buffer,
  transferSyntax: string,
  limits: ParseLimits = LIMITS,
): Result<ParsedHeader> {
  const parsed = read(bytes, transferSyntax, never, limits);
  return parsed.ok ? complete(parsed.value) : parsed;
}

/**
 * Reads the elements before the pixel data from the first bytes of a data set. `stop` tells where and why reading
 * ended; `need-more` is no failure: the elements before it stand.
 */
export function parseHeader(bytes: Buffer, transferSyntax: string, limits: ParseLimits = LIMITS): Result<ParsedHeader> {
  return read(bytes, transferSyntax, isPixels, limits);
}

/** Reads a whole Part-10 file; preamble and file meta information may be absent (then the encoding is recognised). */
export function parsePart10(bytes: Buffer, limits: ParseLimits = LIMITS): Result<Part10> {
  const parsed = readPart10(bytes, never, limits);
  return parsed.ok ? complete(parsed.value) : parsed;
}

/** As `parsePart10`, over the first bytes of the file, up to the pixel data. */
export function parsePart10Header(bytes: Buffer, limits: ParseLimits = LIMITS): Result<Part10> {
  return readPart10(bytes, isPixels, limits);
}

function complete<T extends ParsedHeader>(parsed: T): Result<T> {
  if (parsed.stop.reason !== 'need-more') return ok(parsed);
  const where = parsed.stop.tag === null ? undefined : tagText(parsed.stop.tag);
  return fail(problem('malformed', where, `The object ends inside an element, at byte ${String(parsed.stop.at)}.`));
}

function readPart10(bytes: Buffer, until: (tag: Tag) => boolean, limits: ParseLimits): Result<Part10> {
  const preamble = bytes.length >= 132 && bytes.toString('latin1', 128, 132) === 'DICM';
  let at = preamble ? 132 : bytes.toString('latin1', 0, 4) === 'DICM' ? 4 : 0;
  const meta = new DataSet(bytes, true, true);
  if (at === 0 && bytes.length < 8)
    return fail(problem('malformed', undefined, 'The object is too short to be DICOM.'));
  if (at > 0 || bytes.readUInt16LE(0) === 0x0002) {
    const stopped = guarded(() =>
      new Reader(bytes, limits).elements(meta, at, bytes.length, 0, (tag) => tag >>> 16 !== 0x0002),
    );
    if (!stopped.ok) return stopped;
    if (stopped.value.reason === 'need-more')
      return fail(problem('malformed', '(0002,0000)', 'The object ends inside its file meta information.'));
    at = stopped.value.at;
  }
  const declared = meta.one(0x00020010);
  const transferSyntax = declared === '' ? recognise(bytes, at) : parseUid(declared);
  if (transferSyntax === null) {
    return fail(
      problem(
        'malformed',
        declared === '' ? undefined : '(0002,0010)',
        'The object has no transfer syntax and no DICOM data set is recognised.',
      ),
    );
  }
  const parsed = read(bytes.subarray(at), transferSyntax, until, limits);
  return parsed.ok ? ok({ ...parsed.value, meta, dataSetOffset: at }) : parsed;
}

/** Without file meta information the first element must show its encoding: a low even group, and letters for a VR or not. */
function recognise(bytes: Buffer, at: number): Uid | null {
  if (bytes.length - at < 8) return null;
  const letters = isVr(bytes.readUInt16BE(at + 4));
  const little = bytes.readUInt16LE(at);
  const big = bytes.readUInt16BE(at);
  if (letters && little <= 0x0040) return EXPLICIT_LE;
  if (letters && big <= 0x0040) return EXPLICIT_BE;
  return little <= 0x0040 && bytes.readUInt32LE(at + 4) <= bytes.length - at - 8 ? IMPLICIT_LE : null;
}

function read(
  bytes: Buffer,
  transferSyntax: string,
  until: (tag: Tag) => boolean,
  limits: ParseLimits,
): Result<ParsedHeader> {
  const encoding = encodingOf(transferSyntax);
  let source = bytes;
  if (transferSyntax === DEFLATED_LE) {
    const inflated = inflate(bytes, limits.inflated);
    if (!inflated.ok) return inflated;
    source = inflated.value;
  }
  const explicit = encoding.explicit && !looksImplicit(source, encoding.littleEndian);
  const dataSet = new DataSet(source, explicit, encoding.littleEndian);
  const stop = guarded(() => new Reader(source, limits).elements(dataSet, 0, source.length, 0, until));
  return stop.ok ? ok({ dataSet, transferSyntax: transferSyntax as Uid, stop: stop.value }) : stop;
}

/** Explicit VR was promised and the first element has no VR: data sets written in implicit VR under a wrong name. */
function looksImplicit(bytes: Buffer, littleEndian: boolean): boolean {
  if (!littleEndian || bytes.length < 8 || isLetters(bytes.readUInt16BE(4))) return false;
  return bytes.readUInt16BE(4) !== 0x3f3f && bytes.readUInt32LE(4) <= bytes.length - 8;
}

/** PS3.5 §A.5: raw deflate. What was given may be the first part of it, so an early end is not an error here. */
function inflate(bytes: Buffer, limit: number): Result<Buffer> {
  try {
    return ok(inflateRawSync(bytes, { maxOutputLength: limit, finishFlush: constants.Z_SYNC_FLUSH }));
  } catch (error) {
    const tooLarge = error instanceof RangeError;
    return fail(
      tooLarge
        ? problem('too-large', undefined, `The deflated data set inflates to more than ${String(limit)} bytes.`)
        : problem('malformed', undefined, 'The deflated data set cannot be inflated.'),
    );
  }
}
