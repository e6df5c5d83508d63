/**
 * Single frames of an object of any size, by ranges: the header from its first bytes, then only the bytes of the frames asked
 * for. WADO-RS frames, rendered frames and thumbnails read through this.
 */
import { fail, ok, problem } from '../core/problem.ts';
import type { Result } from '../core/problem.ts';
import { swapped } from '../../mappings/dicom/bytes.ts';
import type { Range } from '../../mappings/dicom/data-set.ts';
import { parsePart10, parsePart10Header } from '../../mappings/dicom/parse.ts';
import type { Part10 } from '../../mappings/dicom/parse.ts';
import {
  EXTENDED_OFFSETS,
  encapsulationOf,
  framesOf,
  nativeFrame,
  pixelFormat,
  startsBitstream,
} from '../../mappings/dicom/pixels.ts';
import type { Encapsulation, PixelFormat } from '../../mappings/dicom/pixels.ts';
import { DEFLATED_LE, EXPLICIT_LE, encodingOf } from '../../mappings/dicom/uids.ts';
import { canTranscode, codecPool } from './transcode.ts';

/** A Part-10 file that is read in parts: a key of the object store, or a whole file in memory. */
export interface ByteSource {
  readonly size: number;
  read(start: number, end: number): Promise<Buffer>;
}

export const inMemory = (file: Buffer): ByteSource => ({
  size: file.length,
  read: (start, end) => Promise.resolve(file.subarray(start, end)),
});

export interface Frame {
  readonly bytes: Buffer;
  /** The syntax that `bytes` are in; explicit VR little endian stands for native samples (application/octet-stream). */
  readonly transferSyntax: string;
}

/** Most headers end within it; more would be read twice, once as header and once as frame. */
const FIRST_READ = 32 * 1024;
const LARGEST_HEADER = 64 * 1024 * 1024;
const LARGEST_FRAME = 512 * 1024 * 1024;
const WALK_STEPS = 1_000_000;

/** Opens an image for reading frames. */
export async function openFrames(source: ByteSource): Promise<Result<FrameReader>> {
  for (let length = FIRST_READ; ; length = Math.min(length * 8, LARGEST_HEADER)) {
    const first = await source.read(0, Math.min(length, source.size));
    const whole = first.length >= source.size;
    const parsed = whole ? parsePart10(first) : parsePart10Header(first);
    if (!parsed.ok) return parsed;
    // Nothing in a deflated file has a place of its own: it is read whole.
    const deflated = !whole && parsed.value.transferSyntax === DEFLATED_LE;
    if (whole || (parsed.value.stop.reason === 'pixel-data' && !deflated)) return readerOf(source, parsed.value, first);
    if (length >= LARGEST_HEADER || (deflated && source.size > LARGEST_HEADER))
      return fail(problem('too-large', undefined, 'The header before the pixel data is too large.'));
    if (deflated) length = LARGEST_HEADER;
  }
}

/** `first`: the bytes that the file begins with, as far as they were read. */
async function readerOf(source: ByteSource, part: Part10, first: Buffer): Promise<Result<FrameReader>> {
  const { dataSet } = part;
  const whole = first.length >= source.size;
  if (whole && !dataSet.has(PIXEL_DATA)) return fail(problem('not-found', '(7FE0,0010)', 'The object has no pixels.'));
  if (!whole && part.stop.tag !== PIXEL_DATA)
    return fail(problem('unsupported-media', '(7FE0,0008)', 'Float pixels have no frames here.'));
  const format = pixelFormat(dataSet);
  if (!format.ok) return format;
  if (whole) {
    const element = dataSet.get(PIXEL_DATA);
    const encapsulation = encapsulationOf(dataSet);
    const value = { start: element?.start ?? 0, end: element?.end ?? 0 };
    return ok(
      new FrameReader(inMemory(dataSet.bytes), part, format.value, element?.vr ?? 'OW', value, encapsulation, false),
    );
  }
  // The pixel element's header lies where the parser stopped: tag, VR, reserved, length.
  const at = part.dataSetOffset + part.stop.at;
  const head = at + 12 <= first.length ? first.subarray(at, at + 12) : await source.read(at, at + 12);
  const { explicit, littleEndian } = dataSet;
  if (head.length < 12) return fail(problem('malformed', '(7FE0,0010)'));
  const length = explicit ? (littleEndian ? head.readUInt32LE(8) : head.readUInt32BE(8)) : head.readUInt32LE(4);
  const start = at + (explicit ? 12 : 8);
  const vr = explicit ? head.toString('latin1', 4, 6) : 'OW';
  if (length !== 0xffffffff) {
    if (start + length > source.size)
      return fail(problem('malformed', '(7FE0,0010)', 'The object ends inside its pixel data.'));
    return ok(new FrameReader(source, part, format.value, vr, { start, end: start + length }, null, true));
  }
  const table = await walk(source, start, source.size, 1);
  if (!table.ok) return table;
  const [offsetTable] = table.value;
  const offsets = offsetTable ? await source.read(offsetTable.start, offsetTable.end) : Buffer.alloc(0);
  const basic = Array.from({ length: Math.floor(offsets.length / 4) }, (_, index) => offsets.readUInt32LE(index * 4));
  const encapsulation = { basic, extended: dataSet.numbers(EXTENDED_OFFSETS), fragments: [] };
  return ok(
    new FrameReader(
      source,
      part,
      format.value,
      vr,
      { start: offsetTable?.end ?? start, end: source.size },
      encapsulation,
      true,
    ),
  );
}

const PIXEL_DATA = 0x7fe00010;

/** Reads item headers from `start`: at most `count` items, to the delimiter or `end`. Ranges are of the items' values. */
async function walk(
  source: ByteSource,
  start: number,
  end: number,
  count: number,
  starts?: Set<number>,
): Promise<Result<Range[]>> {
  const items: Range[] = [];
  let at = start;
  while (at + 8 <= end && items.length < count) {
    const head = await source.read(at, Math.min(at + 10, end));
    const tag = head.length >= 8 ? head.readUInt32LE(0) : 0;
    if (tag === SEQUENCE_END) break;
    const length = tag === ITEM ? head.readUInt32LE(4) : 0;
    if (tag !== ITEM || at + 8 + length > source.size || items.length >= WALK_STEPS) {
      return fail(
        problem('malformed', '(7FE0,0010)', 'Encapsulated pixel data hold something that is not a fragment.'),
      );
    }
    if (starts && startsBitstream(head.subarray(8))) starts.add(at + 8);
    items.push({ start: at + 8, end: at + 8 + length });
    at += 8 + length;
  }
  return ok(items);
}

/** Tags as a little-endian 32-bit number reads them: element in the upper half. */
const ITEM = 0xe000fffe;
const SEQUENCE_END = 0xe0ddfffe;

export class FrameReader {
  #groups: Range[][] | null = null;

  constructor(
    readonly source: ByteSource,
    readonly part: Part10,
    readonly format: PixelFormat,
    readonly vr: string,
    /** Native: the value. Encapsulated: from the first fragment on. */
    readonly value: Range,
    readonly encapsulation: Encapsulation | null,
    /** `value` counts in the file, and not in a data set that was read whole. */
    readonly inFile: boolean,
  ) {}

  /** Frame `number` (from 1, PS3.18 §10.4) in the first acceptable syntax that it can be had in; its own where that is acceptable. */
  async read(number: number, acceptable: readonly string[]): Promise<Result<Frame>> {
    const stored = await this.stored(number);
    if (!stored.ok || acceptable.includes(stored.value.transferSyntax)) return stored;
    const target = acceptable.find(
      (syntax) => canTranscode(stored.value.transferSyntax, syntax) && syntax !== DEFLATED_LE,
    );
    if (target === undefined)
      return fail(problem('unsupported-media', undefined, 'The frame cannot be had in an acceptable transfer syntax.'));
    const to = encodingOf(target).encapsulated ? target : EXPLICIT_LE;
    const { bytes, transferSyntax } = stored.value;
    const converted = await codecPool().run({
      kind: 'frame',
      frame: bytes,
      from: transferSyntax,
      to,
      format: this.format,
    });
    return converted.ok ? ok({ bytes: converted.value, transferSyntax: to }) : converted;
  }

  /** Frame `number` as it is stored: its bitstream, or native samples in little endian. */
  async stored(number: number): Promise<Result<Frame>> {
    if (!Number.isInteger(number) || number < 1 || number > this.format.frames) {
      return fail(problem('not-found', '(0028,0008)', `The object has frames 1 to ${String(this.format.frames)}.`));
    }
    return this.encapsulation ? this.#bitstream(this.encapsulation, number - 1) : this.#native(number - 1);
  }

  /** Where in the file frame `number` lies just as it would be sent; null where it does not, or in no acceptable syntax. */
  lies(number: number, acceptable: readonly string[]): Range | null {
    if (!this.inFile || this.encapsulation || !acceptable.includes(EXPLICIT_LE)) return null;
    if (!Number.isInteger(number) || number < 1 || number > this.format.frames) return null;
    const { start, end, bitOffset } = nativeFrame(this.format, number - 1);
    const { start: first, end: beyond } = this.value;
    if (bitOffset !== 0 || this.#hasBigWords() || first + end > beyond) return null;
    return { start: first + start, end: first + end };
  }

  #hasBigWords(): boolean {
    return !this.part.dataSet.littleEndian && this.vr !== 'OB';
  }

  async #native(index: number): Promise<Result<Frame>> {
    const { start, end, bitOffset } = nativeFrame(this.format, index);
    if (this.value.start + end > this.value.end)
      return fail(problem('malformed', '(7FE0,0010)', 'The pixel data are shorter than the header says.'));
    const words = this.#hasBigWords();
    // Big endian 16-bit words: read whole words and swap them, then take the frame.
    const from = words ? start - (start % 2) : start;
    const to = words ? Math.min(end + (end % 2), this.value.end - this.value.start) : end;
    const read = await this.source.read(this.value.start + from, this.value.start + to);
    const bytes = (words ? swapped(read, 2) : read).subarray(start - from, end - from);
    return ok({ bytes: bitOffset === 0 ? bytes : shifted(bytes, bitOffset), transferSyntax: EXPLICIT_LE });
  }

  async #bitstream(encapsulation: Encapsulation, index: number): Promise<Result<Frame>> {
    const located = await this.#fragments(encapsulation, index);
    if (!located.ok) return located;
    const size = located.value.reduce((sum, { start, end }) => sum + end - start, 0);
    if (size > LARGEST_FRAME) return fail(problem('too-large', '(7FE0,0010)', 'The frame is too large.'));
    const parts: Buffer[] = [];
    for (const { start, end } of located.value) parts.push(await this.source.read(start, end));
    return ok({
      bytes: parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts),
      transferSyntax: this.part.transferSyntax,
    });
  }

  async #fragments(encapsulation: Encapsulation, index: number): Promise<Result<Range[]>> {
    if (!this.#groups && encapsulation.fragments.length === 0) {
      const direct = await this.#byTable(encapsulation, index);
      if (direct) return ok(direct);
    }
    const groups = await this.#all(encapsulation);
    const group = groups.ok ? groups.value[index] : undefined;
    if (!groups.ok) return groups;
    return group
      ? ok(group)
      : fail(problem('malformed', '(7FE0,0010)', 'The fragments cannot be assigned to the frames.'));
  }

  /** Where the offset table is whole and ascending, only the items of this frame are looked at. */
  async #byTable({ basic, extended }: Encapsulation, index: number): Promise<Range[] | null> {
    const { frames } = this.format;
    const table = extended.length === frames ? extended : basic.length === frames ? basic : null;
    if (!table || table.some((offset, at) => at > 0 && offset <= (table[at - 1] ?? 0)) || table[0] !== 0) return null;
    const start = this.value.start + (table[index] ?? 0);
    const end = index + 1 < frames ? this.value.start + (table[index + 1] ?? 0) : this.value.end;
    const items = await walk(this.source, start, end, WALK_STEPS);
    return items.ok && items.value.length > 0 && (index + 1 === frames || items.value.at(-1)?.end === end)
      ? items.value
      : null;
  }

  async #all(encapsulation: Encapsulation): Promise<Result<Range[][]>> {
    if (this.#groups) return ok(this.#groups);
    const starts = new Set<number>();
    let { fragments } = encapsulation;
    if (fragments.length === 0) {
      const items = await walk(this.source, this.value.start, this.value.end, WALK_STEPS, starts);
      if (!items.ok) return items;
      fragments = items.value;
    }
    const { source } = this;
    const begins = encapsulation.fragments.length > 0 ? await begun(source, fragments) : starts;
    const groups = framesOf({ ...encapsulation, fragments }, this.format.frames, ({ start }) => begins.has(start));
    if (!groups) return fail(problem('malformed', '(7FE0,0010)', 'The fragments cannot be assigned to the frames.'));
    this.#groups = groups;
    return ok(groups);
  }
}

/** The starts of those fragments that begin a bitstream. */
async function begun(source: ByteSource, fragments: readonly Range[]): Promise<Set<number>> {
  const starts = new Set<number>();
  for (const { start } of fragments) if (startsBitstream(await source.read(start, start + 2))) starts.add(start);
  return starts;
}

/** Bit-packed frames follow each other without padding (PS3.5 §8.1.1): the frame's first bit becomes bit 0. */
function shifted(bytes: Buffer, bits: number): Buffer {
  const frame = Buffer.alloc(bytes.length);
  for (let at = 0; at < bytes.length; at++)
    frame[at] = ((bytes[at] ?? 0) >> bits) | ((bytes[at + 1] ?? 0) << (8 - bits));
  return frame;
}
