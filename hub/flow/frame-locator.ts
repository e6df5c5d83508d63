/**
 * Where each frame of a stored instance lies in its file (PS3.5 §8.1.1, §A.4), found by small range reads, so that one
 * frame of a 2 GB object is sent without touching the rest.
 */
import type { ImageSource, InstanceLocated } from '../core/ports.ts';
import { fail, ok, problem } from '../core/problem.ts';
import type { Result } from '../core/problem.ts';
import { tagText } from '../../mappings/dicom/dictionary.ts';
import { DEFLATED_LE } from '../../mappings/dicom/uids.ts';
import { readHeader, readRange } from './instance-header.ts';
import type { InstanceHeader, PlacedValue } from './instance-header.ts';

export interface Span {
  readonly start: number;
  readonly length: number;
}

export interface FrameMap {
  /** Per frame its bytes in the file: several fragments where the frame was cut. */
  readonly frames: readonly (readonly Span[])[];
  readonly encapsulated: boolean;
}

const MAPS_KEPT = 500;
const FRAMES_LIMIT = 1_000_000;
const SCAN_BYTES = 4096;

export class FrameLocator {
  readonly #images: ImageSource;
  readonly #kept = new Map<string, FrameMap>();

  constructor(images: ImageSource) {
    this.#images = images;
  }

  async locate(located: InstanceLocated): Promise<Result<FrameMap>> {
    const key = `${located.instance.sopUid} ${located.instance.digest}`;
    const kept = this.#kept.get(key);
    if (kept) return ok(kept);
    const header = await readHeader(this.#images, located);
    if (!header.ok) return header;
    const map = await this.#map(located, header.value);
    if (!map.ok) return map;
    if (map.value.frames.length <= 10_000) this.#keep(key, map.value);
    return map;
  }

  async #map(located: InstanceLocated, header: InstanceHeader): Promise<Result<FrameMap>> {
    const { pixels } = header;
    if (pixels === null) return fail(problem('not-found', tagText(0x7fe00010), 'The instance has no pixel data.'));
    if (located.instance.transferSyntax === DEFLATED_LE) {
      return fail(
        problem(
          'unsupported-media',
          undefined,
          'Frames of a deflated instance have no place of their own in the file.',
        ),
      );
    }
    const count = numberOf(header, 0x00280008) ?? 1;
    if (count < 1 || count > FRAMES_LIMIT)
      return fail(problem('malformed', '(0028,0008)', 'The number of frames is not plausible.'));
    return pixels.length === null
      ? this.#encapsulated(located, header, pixels, count)
      : native(header, pixels, pixels.length, count);
  }

  async #encapsulated(
    located: InstanceLocated,
    header: InstanceHeader,
    pixels: PlacedValue,
    count: number,
  ): Promise<Result<FrameMap>> {
    const head = await readRange(this.#images, located, pixels.start, pixels.start + 8);
    if (head.readUInt32LE(0) !== ITEM) return broken('The pixel data do not begin with an offset table.');
    const tableLength = head.readUInt32LE(4);
    if (tableLength > 4 * FRAMES_LIMIT || pixels.start + 8 + tableLength > located.instance.size)
      return broken('The offset table is longer than the file.');
    const first = pixels.start + 8 + tableLength;
    const extended = extendedTable(header, first, count, located.instance.size);
    if (extended) return ok({ encapsulated: true, frames: extended });
    const fragments = await this.#fragments(located, first);
    if (!fragments.ok) return fragments;
    if (count === 1) return ok({ encapsulated: true, frames: [fragments.value] });
    const table = await readRange(this.#images, located, pixels.start + 8, first);
    if (tableLength === 4 * count) return grouped(fragments.value, first, table);
    if (fragments.value.length === count)
      return ok({ encapsulated: true, frames: fragments.value.map((span) => [span]) });
    return broken('Without an offset table the fragments cannot be told apart by frame.');
  }

  /** Follows the item heads to the sequence delimiter; a file cut short ends where it ends. */
  async #fragments(located: InstanceLocated, first: number): Promise<Result<Span[]>> {
    const { size } = located.instance;
    const spans: Span[] = [];
    let window: Buffer = Buffer.alloc(0);
    let windowAt = first;
    for (let at = first; at + 8 <= size;) {
      if (at < windowAt || at + 8 > windowAt + window.length) {
        windowAt = at;
        window = await readRange(this.#images, located, at, Math.min(size, at + SCAN_BYTES));
      }
      const tag = window.readUInt32LE(at - windowAt);
      const length = window.readUInt32LE(at - windowAt + 4);
      if (tag === SEQUENCE_END) return ok(spans);
      if (tag !== ITEM || length > size - at - 8) return broken('A fragment is longer than the file.');
      if (spans.length >= FRAMES_LIMIT) return broken('There are too many fragments.');
      spans.push({ start: at + 8, length });
      at += 8 + length;
    }
    return ok(spans);
  }

  #keep(key: string, map: FrameMap): void {
    this.#kept.set(key, map);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MAPS_KEPT && oldest !== undefined) this.#kept.delete(oldest);
  }
}

/** (FFFE,E000) and (FFFE,E0DD) as a little endian number of four bytes. */
const ITEM = 0xe000fffe;
const SEQUENCE_END = 0xe0ddfffe;

const broken = (text: string): Result<never> => fail(problem('malformed', tagText(0x7fe00010), text));

function numberOf(header: InstanceHeader, tag: number): number | null {
  for (const set of header.sets) if (set.has(tag)) return set.number(tag);
  return null;
}

function native(header: InstanceHeader, pixels: PlacedValue, length: number, count: number): Result<FrameMap> {
  const [rows, columns, bits] = [0x00280010, 0x00280011, 0x00280100].map((tag) => numberOf(header, tag) ?? 0);
  const samples = numberOf(header, 0x00280002) ?? 1;
  const photometric = header.sets.map((set) => set.one(0x00280004)).find((text) => text !== '') ?? '';
  // YBR_FULL_422 shares chroma between two pixels (PS3.3 §C.7.6.3.1.2): two samples a pixel on average.
  const perPixel = photometric === 'YBR_FULL_422' ? 2 : samples;
  const total = (rows ?? 0) * (columns ?? 0) * perPixel * (bits ?? 0);
  if (total === 0) return broken('The image has no size.');
  // Frames of single bits follow each other without padding (PS3.5 §8.1.1): only whole bytes can be cut out.
  if (total % 8 !== 0 && count > 1) return broken('Frames that do not end at a byte cannot be taken one by one.');
  const frame = Math.ceil(total / 8);
  if (frame * count > length) return broken('The pixel data are shorter than the image they describe.');
  return ok({
    encapsulated: false,
    frames: Array.from({ length: count }, (_, at) => [{ start: pixels.start + at * frame, length: frame }]),
  });
}

/** Extended Offset Table (PS3.3 §C.7.6.3.1.8): one fragment a frame, and the length without padding. */
function extendedTable(header: InstanceHeader, first: number, count: number, size: number): Span[][] | null {
  const offsets = header.sets.map((set) => set.raw(0x7fe00001)).find((bytes) => bytes.length > 0);
  const lengths = header.sets.map((set) => set.raw(0x7fe00002)).find((bytes) => bytes.length > 0);
  if (offsets?.length !== 8 * count || lengths?.length !== 8 * count) return null;
  const spans = Array.from({ length: count }, (_, at) => [
    { start: first + Number(offsets.readBigUInt64LE(8 * at)) + 8, length: Number(lengths.readBigUInt64LE(8 * at)) },
  ]);
  return spans.every(([span]) => span !== undefined && span.start + span.length <= size) ? spans : null;
}

/** Basic Offset Table: fragments from each offset up to the next are one frame. */
function grouped(fragments: readonly Span[], first: number, table: Buffer): Result<FrameMap> {
  const starts = Array.from({ length: table.length / 4 }, (_, at) => first + table.readUInt32LE(4 * at) + 8);
  const frames: Span[][] = starts.map(() => []);
  let frame = -1;
  for (const span of fragments) {
    while (frame + 1 < starts.length && span.start >= (starts[frame + 1] ?? Infinity)) frame++;
    if (frame < 0) return broken('The offset table does not begin at the first fragment.');
    frames[frame]?.push(span);
  }
  return frames.every((spans) => spans.length > 0)
    ? ok({ encapsulated: true, frames })
    : broken('The offset table points where no frame is.');
}
