/**
 * How the pixels of an image lie (PS3.3 §C.7.6.3, PS3.5 §8, §A.4): their format from the header, and which bytes or
 * fragments make up each frame.
 */
import { fail, ok, problem } from '../../hub/core/problem.ts';
import type { Result } from '../../hub/core/problem.ts';
import type { DataSet, Range } from './data-set.ts';
import { tagText } from './dictionary.ts';
import type { Tag } from './dictionary.ts';
import { TAG } from './tags.ts';

export interface PixelFormat {
  readonly rows: number;
  readonly columns: number;
  readonly frames: number;
  readonly samples: number;
  readonly bitsAllocated: number;
  readonly bitsStored: number;
  readonly highBit: number;
  readonly signed: boolean;
  readonly photometric: string;
  /** 0: colour by pixel, 1: colour by plane. */
  readonly planar: 0 | 1;
}

const MAX_FRAMES = 1_000_000;
const MAX_FRAME_BYTES = 1 << 30;

/** Reads the image pixel module; an image whose numbers contradict each other is refused. */
export function pixelFormat(set: DataSet): Result<PixelFormat> {
  const need = (tag: Tag): number => set.number(tag) ?? -1;
  const bitsAllocated = need(TAG.BitsAllocated);
  const frames = Math.trunc(set.number(TAG.NumberOfFrames) ?? 1) || 1;
  const format: PixelFormat = {
    rows: need(TAG.Rows),
    columns: need(TAG.Columns),
    frames,
    samples: set.number(TAG.SamplesPerPixel) ?? 1,
    bitsAllocated,
    bitsStored: set.number(TAG.BitsStored) ?? bitsAllocated,
    highBit: set.number(TAG.HighBit) ?? bitsAllocated - 1,
    signed: set.number(TAG.PixelRepresentation) === 1,
    photometric: set.one(TAG.PhotometricInterpretation).toUpperCase(),
    planar: set.number(TAG.PlanarConfiguration) === 1 ? 1 : 0,
  };
  const wrong = (tag: Tag): Result<PixelFormat> =>
    fail(problem('invalid-value', tagText(tag), 'The image has no usable value here, so its pixels cannot be read.'));
  if (format.rows < 1) return wrong(TAG.Rows);
  if (format.columns < 1) return wrong(TAG.Columns);
  if (![1, 8, 16, 32, 64].includes(bitsAllocated)) return wrong(TAG.BitsAllocated);
  if (format.bitsStored < 1 || format.bitsStored > bitsAllocated) return wrong(TAG.BitsStored);
  if (format.highBit >= bitsAllocated || format.highBit + 1 < format.bitsStored) return wrong(TAG.HighBit);
  if (![1, 3, 4].includes(format.samples)) return wrong(TAG.SamplesPerPixel);
  if (frames < 1 || frames > MAX_FRAMES) return wrong(TAG.NumberOfFrames);
  if (frameBits(format) > MAX_FRAME_BYTES * 8) return wrong(TAG.Rows);
  return ok(format);
}

/** Bits of one native frame; YBR_FULL_422 and YBR_PARTIAL_422 share the colour of two pixels (PS3.3 §C.7.6.3.1.2). */
export function frameBits(format: PixelFormat): number {
  const samples = /^YBR_(FULL|PARTIAL)_422$/.test(format.photometric) && format.samples === 3 ? 2 : format.samples;
  return format.rows * format.columns * samples * format.bitsAllocated;
}

/** Bytes of one decoded frame with every sample of every pixel. */
export const decodedBytes = (format: PixelFormat): number =>
  format.rows * format.columns * format.samples * (format.bitsAllocated / 8);

/** The bytes of frame `index` (from 0) in native pixel data; of bit-packed frames the bytes that hold it (PS3.5 §8.1.1). */
export function nativeFrame(format: PixelFormat, index: number): Range & { readonly bitOffset: number } {
  const bits = frameBits(format);
  const first = bits * index;
  return { start: Math.floor(first / 8), end: Math.ceil((first + bits) / 8), bitOffset: first % 8 };
}

/** What is known of the items of encapsulated pixel data: fragments with their offset from the first fragment's item tag. */
export interface Encapsulation {
  /** The basic offset table, empty where the writer left it empty. */
  readonly basic: readonly number[];
  /** (7FE0,0001): the extended offset table. */
  readonly extended: readonly number[];
  readonly fragments: readonly Range[];
}

/** The encapsulation of a wholly parsed data set; null where the pixel data are native or absent. */
export function encapsulationOf(set: DataSet): Encapsulation | null {
  const fragments = set.get(TAG.PixelData)?.fragments;
  const table = fragments?.[0];
  if (!fragments || !table) return null;
  const basic: number[] = [];
  for (let at = table.start; at + 4 <= table.end; at += 4) basic.push(set.bytes.readUInt32LE(at));
  return { basic, extended: set.numbers(EXTENDED_OFFSETS), fragments: fragments.slice(1) };
}

export const EXTENDED_OFFSETS: Tag = 0x7fe00001;

/**
 * Which fragments make each frame (PS3.5 §A.4, §A.4.1): by offset table where one is right; one each; all for a single
 * frame; else `startsFrame` tells which fragments begin a bitstream. null: it cannot be told.
 */
export function framesOf(
  encapsulation: Encapsulation,
  frames: number,
  startsFrame: (fragment: Range) => boolean,
): Range[][] | null {
  const { fragments } = encapsulation;
  if (fragments.length === 0) return null;
  if (frames === 1) return [[...fragments]];
  if (fragments.length === frames) return fragments.map((fragment) => [fragment]);
  const table = encapsulation.extended.length === frames ? encapsulation.extended : encapsulation.basic;
  if (table.length === frames) {
    const origin = (fragments[0]?.start ?? 0) - 8;
    const starts = new Set(table.map((offset) => origin + offset + 8));
    const grouped = groupBy(fragments, ({ start }) => starts.has(start));
    if (grouped.length === frames) return grouped;
  }
  const grouped = groupBy(fragments, startsFrame);
  return grouped.length === frames ? grouped : null;
}

function groupBy(fragments: readonly Range[], starts: (fragment: Range) => boolean): Range[][] {
  const groups: Range[][] = [];
  for (const fragment of fragments) {
    const last = groups.at(-1);
    if (last === undefined || starts(fragment)) groups.push([fragment]);
    else last.push(fragment);
  }
  return groups;
}

/** Whether these bytes begin a JPEG, JPEG-LS (FFD8) or JPEG 2000 (FF4F) bitstream. */
export const startsBitstream = (bytes: Uint8Array): boolean =>
  bytes[0] === 0xff && (bytes[1] === 0xd8 || bytes[1] === 0x4f);
