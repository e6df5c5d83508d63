/**
 * The loop that walks elements, items and fragments (PS3.5 §7): every step is checked against the bytes at hand and the
 * limits, and nothing is decoded or copied.
 */
import { ok, fail, problem } from '../../hub/core/problem.ts';
import type { Problem, Result } from '../../hub/core/problem.ts';
import { DataSet } from './data-set.ts';
import type { Element, Range } from './data-set.ts';
import { tagText, vrOf } from './dictionary.ts';
import type { Tag } from './dictionary.ts';

export interface ParseLimits {
  /** Nesting of sequences. */
  readonly depth: number;
  /** Elements and items of the whole object together. */
  readonly elements: number;
  /** Bytes that a deflated data set may inflate to. */
  readonly inflated: number;
}

export const LIMITS: ParseLimits = { depth: 32, elements: 1_000_000, inflated: 512 * 1024 * 1024 };

/** Why reading stopped, and at which offset of `dataSet.bytes`. */
export interface Stop {
  /** `pixel-data`: before (7FE0,0008/0009/0010); `need-more`: an element goes on after the bytes that were given. */
  readonly reason: 'end' | 'pixel-data' | 'need-more';
  readonly at: number;
  readonly tag: Tag | null;
}

export const PIXEL_DATA = 0x7fe00010;
const ITEM = 0xfffee000;
const ITEM_END = 0xfffee00d;
const SEQUENCE_END = 0xfffee0dd;
const UNDEFINED = 0xffffffff;

/** Explicit VRs with two reserved bytes and a 32-bit length (PS3.5 §7.1.2, table 7.1-1). */
const LONG = new Set(['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'SQ', 'SV', 'UC', 'UN', 'UR', 'UT', 'UV']);
const SHORT = new Set([
  'AE',
  'AS',
  'AT',
  'CS',
  'DA',
  'DS',
  'DT',
  'FL',
  'FD',
  'IS',
  'LO',
  'LT',
  'PN',
  'SH',
  'SL',
  'SS',
  'ST',
  'TM',
  'UI',
  'UL',
  'US',
]);

/** VR code of two bytes -> its shared string and whether its length has 32 bits; made once, since this is the hot path. */
const VRS: ({ readonly vr: string; readonly long: boolean } | undefined)[] = [];
for (const vr of LONG) VRS[(vr.charCodeAt(0) << 8) | vr.charCodeAt(1)] = { vr, long: true };
for (const vr of SHORT) VRS[(vr.charCodeAt(0) << 8) | vr.charCodeAt(1)] = { vr, long: false };

class Refused extends Error {
  constructor(readonly problem: Problem) {
    super(problem.text);
  }
}

const refuse = (code: 'malformed' | 'limit-exceeded' | 'too-large', tag: Tag | null, text: string): Refused =>
  new Refused(problem(code, tag === null ? undefined : tagText(tag), text));

/** Thrown inside the reader where the given bytes end before the element does. */
class NeedMore extends Error {
  constructor(
    readonly at: number,
    readonly tag: Tag | null,
  ) {
    super('more bytes are needed');
  }
}

interface Header {
  tag: Tag;
  vr: string;
  length: number;
  start: number;
}

export class Reader {
  readonly #bytes: Buffer;
  readonly #view: DataView;
  readonly #limits: ParseLimits;
  #count = 0;

  constructor(bytes: Buffer, limits: ParseLimits) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#limits = limits;
  }

  /** Reads elements into `set` from `at` to `end`; at depth 0 to `stop`'s reasons, in an item also to its delimiter. */
  elements(set: DataSet, at: number, end: number, depth: number, until: (tag: Tag) => boolean): Stop {
    while (at < end) {
      if (end - at < 8) {
        if (depth === 0 && this.#onlyPadding(at, end)) return { reason: 'end', at: end, tag: null };
        throw this.#overrun(end, at, null);
      }
      const tag = this.#tag(at, set.littleEndian);
      if (until(tag)) return { reason: 'pixel-data', at, tag };
      const header = this.#header(set, tag, at, end);
      if (header.tag === ITEM_END && depth > 0) return { reason: 'end', at: at + 8, tag: ITEM_END };
      if (header.tag === 0 && depth === 0 && this.#onlyPadding(at, end)) return { reason: 'end', at: end, tag: null };
      if (header.tag === ITEM || header.tag === ITEM_END || header.tag === SEQUENCE_END) {
        // A stray delimiter of a sequence that had a defined length is seen in the field and means nothing.
        if (header.tag === ITEM || header.length !== 0)
          throw refuse('malformed', header.tag, 'An item stands where an element was expected.');
        at += 8;
        continue;
      }
      const element = this.#element(set, header, at, end, depth);
      set.elements.set(element.tag, element);
      at = element.next;
    }
    return { reason: 'end', at, tag: null };
  }

  #counted(tag: Tag): void {
    if (++this.#count > this.#limits.elements)
      throw refuse('limit-exceeded', tag, 'The data set has too many elements.');
  }

  #tag(at: number, little: boolean): Tag {
    return ((this.#view.getUint16(at, little) << 16) | this.#view.getUint16(at + 2, little)) >>> 0;
  }

  #header(set: DataSet, tag: Tag, at: number, end: number): Header {
    const little = set.littleEndian;
    this.#counted(tag);
    if (!set.explicit || tag >>> 16 === 0xfffe) {
      const length = this.#view.getUint32(at + 4, little);
      return { tag, vr: tag >>> 16 === 0xfffe ? '' : vrOf(tag), length, start: at + 8 };
    }
    const code = this.#view.getUint16(at + 4, false);
    const known = VRS[code];
    if (known && !known.long) return { tag, vr: known.vr, length: this.#view.getUint16(at + 6, little), start: at + 8 };
    if (!known && !isLetters(code)) return this.#oddHeader(tag, code, at, end, little);
    // A VR that PS3.5 does not know yet has the long form (§7.1.2).
    if (end - at < 12) throw new NeedMore(at, tag);
    return { tag, vr: known?.vr ?? 'UN', length: this.#view.getUint32(at + 8, little), start: at + 12 };
  }

  /** `??` of old scanners has a 16-bit length; other non-letters are an implicit VR element in an explicit data set. */
  #oddHeader(tag: Tag, code: number, at: number, end: number, little: boolean): Header {
    if (code === 0x3f3f) return { tag, vr: vrOf(tag), length: this.#view.getUint16(at + 6, little), start: at + 8 };
    const length = this.#view.getUint32(at + 4, little);
    if (length !== UNDEFINED && length > end - at - 8 && code !== 0)
      throw refuse('malformed', tag, 'The value representation of the element is not one.');
    if (code === 0 && length === 0)
      return { tag, vr: vrOf(tag), length: this.#view.getUint16(at + 6, little), start: at + 8 };
    return { tag, vr: vrOf(tag), length, start: at + 8 };
  }

  #element(set: DataSet, header: Header, at: number, end: number, depth: number): Element {
    const { tag, vr, length, start } = header;
    if (length === UNDEFINED) return this.#undefinedLength(set, header, at, end, depth);
    if (length > end - start) {
      if (depth > 0) throw this.#overrun(end, at, tag);
      throw new NeedMore(at, tag);
    }
    const next = start + length;
    if (vr !== 'SQ') return { tag, vr, start, end: next, at, next };
    const { items } = this.#sequence(set, tag, start, next, depth, true);
    return { tag, vr, start, end: next, at, next, items };
  }

  /** Inside an item of defined length that fits the bytes, a longer element is a lie; otherwise the bytes just ended. */
  #overrun(end: number, at: number, tag: Tag | null): Error {
    return end < this.#bytes.length
      ? refuse('malformed', tag, 'The element is longer than the item it lies in.')
      : new NeedMore(at, tag);
  }

  #undefinedLength(set: DataSet, header: Header, at: number, end: number, depth: number): Element {
    const { tag, vr, start } = header;
    if (tag === PIXEL_DATA || ((vr === 'OB' || vr === 'OW') && set.explicit)) {
      const { fragments, next } = this.#fragments(tag, start, end, set.littleEndian);
      return { tag, vr, start, end: next - 8, at, next, fragments };
    }
    if (vr !== 'SQ' && vr !== 'UN')
      throw refuse('malformed', tag, `An element of VR ${vr} cannot have an undefined length.`);
    // PS3.5 §6.2.2 note 2: UN of undefined length is a sequence in implicit VR little endian.
    const inner = vr === 'UN' && set.explicit ? new DataSet(this.#bytes, false, true) : set;
    const { items, next } = this.#sequence(inner, tag, start, end, depth, false);
    return { tag, vr: 'SQ', start, end: next - 8, at, next, items };
  }

  #sequence(
    set: DataSet,
    tag: Tag,
    start: number,
    end: number,
    depth: number,
    sized: boolean,
  ): { items: DataSet[]; next: number } {
    if (depth >= this.#limits.depth) throw refuse('limit-exceeded', tag, 'Sequences are nested too deeply.');
    const items: DataSet[] = [];
    let at = start;
    while (at < end || !sized) {
      if (end - at < 8) {
        if (sized) throw refuse('malformed', tag, 'The sequence ends inside an item header.');
        throw new NeedMore(at, tag);
      }
      const itemTag = this.#tag(at, set.littleEndian);
      const length = this.#view.getUint32(at + 4, set.littleEndian);
      this.#counted(tag);
      if (itemTag === SEQUENCE_END) {
        at += 8;
        if (!sized) return { items, next: at };
        continue;
      }
      if (itemTag !== ITEM) throw refuse('malformed', tag, 'A sequence holds something that is not an item.');
      const item = new DataSet(this.#bytes, set.explicit, set.littleEndian);
      at = this.#item(item, tag, at + 8, length, end, depth);
      items.push(item);
    }
    return { items, next: at };
  }

  #item(item: DataSet, tag: Tag, start: number, length: number, end: number, depth: number): number {
    if (length === UNDEFINED) {
      const stop = this.elements(item, start, end, depth + 1, never);
      if (stop.tag !== ITEM_END) throw this.#overrun(end, start, tag);
      return stop.at;
    }
    if (length > end - start) throw this.#overrun(end, start, tag);
    this.elements(item, start, start + length, depth + 1, never);
    return start + length;
  }

  #fragments(tag: Tag, start: number, end: number, little: boolean): { fragments: Range[]; next: number } {
    const fragments: Range[] = [];
    let at = start;
    for (;;) {
      if (end - at < 8) throw new NeedMore(at, tag);
      const itemTag = this.#tag(at, little);
      const length = this.#view.getUint32(at + 4, little);
      this.#counted(tag);
      if (itemTag === SEQUENCE_END) return { fragments, next: at + 8 };
      if (itemTag !== ITEM || length === UNDEFINED)
        throw refuse('malformed', tag, 'Encapsulated pixel data hold something that is not a fragment.');
      if (length > end - at - 8) throw new NeedMore(at, tag);
      fragments.push({ start: at + 8, end: at + 8 + length });
      at += 8 + length;
    }
  }

  #onlyPadding(at: number, end: number): boolean {
    for (; at < end; at++) if (this.#bytes[at] !== 0) return false;
    return true;
  }
}

export const never = (): boolean => false;

/** Two upper-case letters, as every VR is. */
export const isLetters = (code: number): boolean => {
  const [first, second] = [code >> 8, code & 0xff];
  return first >= 0x41 && first <= 0x5a && second >= 0x41 && second <= 0x5a;
};

/** Whether these two bytes are a VR of PS3.5. */
export const isVr = (code: number): boolean => VRS[code] !== undefined;

/** Turns what the reader throws into values: hostile bytes are an expected failure here. */
export function guarded(run: () => Stop): Result<Stop> {
  try {
    return ok(run());
  } catch (error) {
    if (error instanceof NeedMore) return ok({ reason: 'need-more', at: error.at, tag: error.tag });
    if (error instanceof Refused) return fail(error.problem);
    throw error;
  }
}
