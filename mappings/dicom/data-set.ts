/**
 * A parsed data set: where each element lies in the bytes it was read from. Values are decoded only when asked for,
 * so that reading an index record from a header touches a few elements and copies nothing.
 */
import { decodeText, splitValues, trimPadding } from './charset.ts';
import type { Charset } from './charset.ts';
import type { Tag } from './dictionary.ts';

export interface Range {
  readonly start: number;
  readonly end: number;
}

export interface Element {
  readonly tag: Tag;
  /** As written; from the dictionary for implicit VR. `UN` where unknown. */
  readonly vr: string;
  /** The value in `DataSet.bytes`, without its header; of a sequence: from the first item to the delimiter. */
  readonly start: number;
  readonly end: number;
  /** Offset of the tag: header and value together are [at, next). */
  readonly at: number;
  readonly next: number;
  readonly items?: readonly DataSet[];
  /** Encapsulated pixel data (PS3.5 §A.4): the offset table item first, then the fragments. */
  readonly fragments?: readonly Range[];
}

const EMPTY = Buffer.alloc(0);
const NO_ITEMS: readonly DataSet[] = [];

export class DataSet {
  readonly elements = new Map<Tag, Element>();

  constructor(
    /** The bytes that offsets point into: what was given, or the inflated data of a deflated data set. */
    readonly bytes: Buffer,
    readonly explicit: boolean,
    readonly littleEndian: boolean,
  ) {}

  has(tag: Tag): boolean {
    return this.elements.has(tag);
  }

  get(tag: Tag): Element | undefined {
    return this.elements.get(tag);
  }

  /** The value's bytes as they came, padding included; a view, not a copy. Empty where absent. */
  raw(tag: Tag): Buffer {
    const element = this.elements.get(tag);
    return element ? this.bytes.subarray(element.start, element.end) : EMPTY;
  }

  items(tag: Tag): readonly DataSet[] {
    return this.elements.get(tag)?.items ?? NO_ITEMS;
  }

  /** Values of a VR that is ASCII by rule (AE AS CS DA DS DT IS TM UI): split at backslash, padding removed. */
  ascii(tag: Tag): string[] {
    const element = this.elements.get(tag);
    if (!element || element.end === element.start) return [];
    return this.bytes.toString('latin1', element.start, element.end).split('\\').map(trimPadding);
  }

  /** The first ASCII value; empty where absent. */
  one(tag: Tag): string {
    return this.ascii(tag)[0] ?? '';
  }

  /** Values of a text VR in the given character set, padding removed. */
  text(tag: Tag, charset: Charset): string[] {
    const element = this.elements.get(tag);
    if (!element || element.end === element.start) return [];
    const vr = element.vr === 'UN' ? 'LO' : element.vr;
    return splitValues(decodeText(this.bytes.subarray(element.start, element.end), charset, vr), vr);
  }

  /** The first number of a US, SS, UL, SL, FL, FD, IS or DS element; null where absent or not a number. */
  number(tag: Tag): number | null {
    return this.numbers(tag)[0] ?? null;
  }

  /** Numbers of a binary or decimal string VR; what is not a number is left out. */
  numbers(tag: Tag): number[] {
    const element = this.elements.get(tag);
    if (!element) return [];
    if (element.vr === 'IS' || element.vr === 'DS')
      return this.ascii(tag)
        .filter((text) => text !== '')
        .map(Number)
        .filter(Number.isFinite);
    return binaryNumbers(this.bytes.subarray(element.start, element.end), element.vr, this.littleEndian);
  }
}

const WIDTH: Readonly<Record<string, number>> = {
  US: 2,
  SS: 2,
  OW: 2,
  UL: 4,
  SL: 4,
  OL: 4,
  FL: 4,
  OF: 4,
  FD: 8,
  OD: 8,
  UV: 8,
  SV: 8,
  OV: 8,
  OB: 1,
};

export const numberWidth = (vr: string): number => WIDTH[vr] ?? 0;

/** Reads all numbers of a binary VR; a rest shorter than one number is ignored. 64-bit integers lose what a double cannot hold. */
export function binaryNumbers(bytes: Buffer, vr: string, littleEndian: boolean): number[] {
  const width = numberWidth(vr);
  const numbers: number[] = [];
  if (width === 0) return numbers;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + width <= bytes.length; at += width) numbers.push(readNumber(view, at, vr, littleEndian));
  return numbers;
}

function readNumber(view: DataView, at: number, vr: string, littleEndian: boolean): number {
  switch (vr) {
    case 'US':
    case 'OW':
      return view.getUint16(at, littleEndian);
    case 'SS':
      return view.getInt16(at, littleEndian);
    case 'UL':
    case 'OL':
      return view.getUint32(at, littleEndian);
    case 'SL':
      return view.getInt32(at, littleEndian);
    case 'FL':
    case 'OF':
      return view.getFloat32(at, littleEndian);
    case 'FD':
    case 'OD':
      return view.getFloat64(at, littleEndian);
    case 'SV':
      return Number(view.getBigInt64(at, littleEndian));
    case 'UV':
    case 'OV':
      return Number(view.getBigUint64(at, littleEndian));
    default:
      return view.getUint8(at);
  }
}
