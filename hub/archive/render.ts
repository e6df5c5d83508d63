/** Rendered frames and thumbnails (PS3.18 §8.3.5, §10.4.1.1): how the header says the image is shown, and the caller's own window. */
import { problem, fail, ok } from '../core/problem.ts';
import type { Result } from '../core/problem.ts';
import { binaryNumbers } from '../../mappings/dicom/data-set.ts';
import type { DataSet } from '../../mappings/dicom/data-set.ts';
import type { Tag } from '../../mappings/dicom/dictionary.ts';
import type { Region } from './codec/draw.ts';
import type { Look, Lut } from './codec/levels.ts';
import { codecPool } from './transcode.ts';
import type { FrameReader } from './transcode-frames.ts';

export interface RenderOptions {
  readonly format: 'jpeg' | 'png' | 'gif';
  /** 1 to 100; 90 by default. */
  readonly quality?: number;
  readonly window?: { readonly center: number; readonly width: number; readonly shape?: Look['shape'] };
  /** The picture fits into it, its proportions kept. */
  readonly viewport?: { readonly width: number; readonly height: number };
  readonly region?: Region;
}

const MAX_VIEWPORT = 8192;

/** Draws frame `number` (from 1) in a thread. */
export async function render(reader: FrameReader, number: number, options: RenderOptions): Promise<Result<Buffer>> {
  const { viewport, quality = 90, window, region } = options;
  const sizes = viewport ? [viewport.width, viewport.height] : [];
  if (sizes.some((size) => !Number.isInteger(size) || size < 1 || size > MAX_VIEWPORT)) {
    return fail(
      problem('invalid-value', 'viewport', `A viewport is 1 to ${String(MAX_VIEWPORT)} pixels wide and high.`),
    );
  }
  if (!Number.isInteger(quality) || quality < 1 || quality > 100)
    return fail(problem('invalid-value', 'quality', 'The quality is 1 to 100.'));
  if (
    window &&
    !(
      window.width >= (window.shape === undefined || window.shape === 'LINEAR' ? 1 : Number.MIN_VALUE) &&
      Number.isFinite(window.center) &&
      Number.isFinite(window.width)
    )
  ) {
    return fail(problem('invalid-value', 'window', 'A window has a centre and a width of at least 1.'));
  }
  if (region && !isWithin(region, reader.format))
    return fail(problem('invalid-value', 'viewport', 'The region does not lie within the image.'));
  const frame = await reader.stored(number);
  if (!frame.ok) return frame;
  const { bytes, transferSyntax } = frame.value;
  const own = lookOf(reader.part.dataSet, number, reader.format.signed);
  const look = window
    ? { ...own, window: { center: window.center, width: window.width }, shape: window.shape ?? 'LINEAR' }
    : own;
  const output = {
    format: options.format,
    quality,
    ...(viewport ? { width: viewport.width, height: viewport.height } : {}),
    ...(region ? { region } : {}),
  };
  const drawn = await codecPool().run({
    kind: 'draw',
    frame: bytes,
    transferSyntax,
    format: reader.format,
    look,
    output,
  });
  return drawn.ok ? ok(drawn.value) : drawn;
}

const isWithin = (region: Region, { rows, columns }: { readonly rows: number; readonly columns: number }): boolean =>
  [region.left, region.top, region.width, region.height].every(Number.isInteger) &&
  Math.min(region.left, region.top) >= 0 &&
  Math.min(region.width, region.height) >= 1 &&
  region.left + region.width <= columns &&
  region.top + region.height <= rows;

const FUNCTIONAL_SHARED: Tag = 0x52009229;
const FUNCTIONAL_PER_FRAME: Tag = 0x52009230;

/** The look of a frame: of its functional groups (enhanced objects, PS3.3 §C.7.6.16), else of the data set. */
export function lookOf(set: DataSet, number: number, signed: boolean): Look {
  const groups = [set.items(FUNCTIONAL_PER_FRAME)[number - 1], set.items(FUNCTIONAL_SHARED)[0]];
  const group = (sequence: Tag): DataSet =>
    groups.map((item) => item?.items(sequence)[0]).find((item) => item !== undefined) ?? set;
  const [modality, voi] = [group(0x00289145), group(0x00289132)];
  const [center, width] = [voi.number(0x00281050), voi.number(0x00281051)];
  const shape = voi.one(0x00281056).toUpperCase();
  const modalityLut = lutOf(set.items(0x00283000)[0], signed);
  const voiLut = lutOf(set.items(0x00283010)[0], signed);
  const palette = [0x00281101, 0x00281102, 0x00281103].map((tag) => paletteOf(set, tag, signed));
  const [red, green, blue] = palette;
  const padding = set.number(0x00280120);
  return {
    slope: modality.number(0x00281053) ?? 1,
    intercept: modality.number(0x00281052) ?? 0,
    shape: shape === 'SIGMOID' || shape === 'LINEAR_EXACT' ? shape : 'LINEAR',
    inverse: set.one(0x20500020).toUpperCase() === 'INVERSE',
    ...(modalityLut ? { modalityLut } : {}),
    ...(voiLut ? { voiLut } : {}),
    ...(center !== null && width !== null && width > 0 ? { window: { center, width } } : {}),
    ...(padding === null ? {} : { padding }),
    ...(red && green && blue ? { palette: [red, green, blue] as const } : {}),
  };
}

/** §C.11.1.1: descriptor (entries, first value, bits) and data; 0 entries mean 65536. */
function descriptorOf(
  set: DataSet,
  tag: Tag,
  signed: boolean,
): { entries: number; first: number; bits: number } | null {
  const raw = set.raw(tag);
  const [entries = -1, first = 0, bits = 16] = binaryNumbers(raw, 'US', set.littleEndian);
  if (raw.length < 6) return null;
  return { entries: entries === 0 ? 65_536 : entries, first: signed && first > 32_767 ? first - 65_536 : first, bits };
}

function lutOf(item: DataSet | undefined, signed: boolean): Lut | null {
  const descriptor = item && descriptorOf(item, 0x00283002, signed);
  return item && descriptor ? dataOf(item, 0x00283006, descriptor) : null;
}

function paletteOf(set: DataSet, tag: Tag, signed: boolean): Lut | null {
  const descriptor = descriptorOf(set, tag, signed);
  return descriptor ? dataOf(set, tag + 0x100, descriptor) : null;
}

function dataOf(
  set: DataSet,
  tag: Tag,
  { entries, first, bits }: { entries: number; first: number; bits: number },
): Lut | null {
  const raw = set.raw(tag);
  // Entries of 8 bits are packed two to a word; some writers give each a word of its own (§C.7.6.3.1.5).
  const data = binaryNumbers(raw, bits <= 8 && raw.length < entries * 2 ? 'OB' : 'US', set.littleEndian).slice(
    0,
    entries,
  );
  return data.length > 0 ? { first, bits, data } : null;
}
