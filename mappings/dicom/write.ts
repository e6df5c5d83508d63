/**
 * Writer of data sets and Part-10 files from plain attributes: manifests, C-FIND identifiers, rendered answers, test data.
 * It never sees a stored object's pixels; those are copied by the archive, not rewritten.
 */
import iconv from 'iconv-lite';
import type { Uid } from '../../hub/core/identifier.ts';
import { attributeNamed, parseTag, vrOf } from './dictionary.ts';
import type { Tag } from './dictionary.ts';
import { numberWidth } from './data-set.ts';
import { EXPLICIT_LE } from './uids.ts';

export type Value = string | number | readonly string[] | readonly number[] | Uint8Array | readonly Attributes[];

/** Attributes by PS3.6 keyword or eight hex digits; `{ vr, value }` where the dictionary has no VR or another is meant. */
// eslint-disable-next-line @typescript-eslint/consistent-indexed-object-style -- a Record cannot refer to itself
export interface Attributes {
  readonly [keyword: string]: Value | Typed | undefined;
}

export interface Typed {
  readonly vr: string;
  readonly value: Value;
}

export interface WriteOptions {
  /** Explicit VR little endian (default) or implicit. */
  readonly explicit?: boolean;
  /** What text beyond ASCII is written in; (0008,0005) is added for it where the attributes do not say it. */
  readonly charset?: 'ISO_IR 192' | 'GB18030' | 'ISO_IR 100';
}

/** Under 2.25 (PS3.5 §B.2); names this implementation in every file that the hub writes. */
export const IMPLEMENTATION_CLASS = '2.25.167283529440173914206655218870394561275';
export const IMPLEMENTATION_VERSION = 'HUTONG_1';

const ENCODINGS = { 'ISO_IR 192': 'utf8', GB18030: 'gb18030', 'ISO_IR 100': 'latin1' } as const;
const LONG = new Set(['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'SQ', 'SV', 'UC', 'UN', 'UR', 'UT', 'UV']);
const NUL_PADDED = new Set(['UI', 'OB', 'UN']);

/** PS3.5 §7.1.2: header and value of one element; a value too long for a 16-bit length goes as UN (§6.2.2). */
export function encodeElement(tag: Tag, vr: string, value: Uint8Array, explicit: boolean): Buffer[] {
  const padded =
    value.length % 2 === 0
      ? [Buffer.from(value.buffer, value.byteOffset, value.byteLength)]
      : [Buffer.from(value), Buffer.from([NUL_PADDED.has(vr) || numberWidth(vr) > 0 ? 0 : 0x20])];
  const length = value.length + (value.length % 2);
  return [elementHead(tag, vr, length, explicit), ...padded];
}

/** The bytes before a value; `length` may be 0xFFFFFFFF for VRs with a 32-bit length. */
export function elementHead(tag: Tag, vr: string, length: number, explicit: boolean): Buffer {
  const long = LONG.has(vr);
  const wide = long || length > 0xfffe;
  const head = Buffer.alloc(explicit && wide ? 12 : 8);
  head.writeUInt16LE(tag >>> 16, 0);
  head.writeUInt16LE(tag & 0xffff, 2);
  if (!explicit) {
    head.writeUInt32LE(length, 4);
    return head;
  }
  head.write(long || !wide ? vr : 'UN', 4, 'latin1');
  if (wide) head.writeUInt32LE(length, 8);
  else head.writeUInt16LE(length, 6);
  return head;
}

/** Writes a data set; elements come out in tag order. An unknown keyword is a bug of the caller. */
export function writeDataSet(attributes: Attributes, options: WriteOptions = {}): Buffer {
  const charset = options.charset ?? 'ISO_IR 192';
  const declares = attributes.SpecificCharacterSet !== undefined || attributes['00080005'] !== undefined;
  const said = !declares && hasForeignText(attributes) ? { ...attributes, SpecificCharacterSet: charset } : attributes;
  return Buffer.concat(encode(said, options.explicit ?? true, charset));
}

function encode(attributes: Attributes, explicit: boolean, charset: keyof typeof ENCODINGS): Buffer[] {
  const elements: { tag: Tag; vr: string; value: Value }[] = [];
  for (const [keyword, given] of Object.entries(attributes)) {
    if (given === undefined) continue;
    const tag = parseTag(keyword);
    if (tag === null) throw new Error(`no such attribute: ${keyword}`);
    const typed = isTyped(given) ? given : { vr: attributeNamed(keyword)?.vr ?? vrOf(tag), value: given };
    elements.push({ tag, ...typed });
  }
  elements.sort((a, b) => a.tag - b.tag);
  return elements.flatMap(({ tag, vr, value }) =>
    encodeElement(tag, vr, encodeValue(vr, value, explicit, charset), explicit),
  );
}

const isTyped = (given: Value | Typed): given is Typed =>
  typeof given === 'object' && 'vr' in given && !(given instanceof Uint8Array);

function encodeValue(vr: string, value: Value, explicit: boolean, charset: keyof typeof ENCODINGS): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (vr === 'SQ') {
    if (!Array.isArray(value)) throw new Error('a sequence takes a list of items');
    return Buffer.concat(
      (value as readonly Attributes[]).flatMap((item) => encodeItem(encode(item, explicit, charset))),
    );
  }
  const list = (Array.isArray(value) ? value : [value]) as readonly (string | number)[];
  if (vr === 'AT') return encodeTags(list);
  if (numberWidth(vr) > 0) return encodeNumbers(list, vr);
  const text = list.map(String).join('\\');
  return TEXT.has(vr) && charset !== 'ISO_IR 192' ? iconv.encode(text, ENCODINGS[charset]) : Buffer.from(text, 'utf8');
}

const TEXT = new Set(['LO', 'LT', 'PN', 'SH', 'ST', 'UC', 'UT']);

function encodeItem(elements: readonly Buffer[]): Buffer[] {
  const length = elements.reduce((sum, bytes) => sum + bytes.length, 0);
  return [elementHead(0xfffee000, '', length, false), ...elements];
}

function encodeTags(list: readonly (string | number)[]): Buffer {
  const bytes = Buffer.alloc(list.length * 4);
  for (const [at, entry] of list.entries()) {
    const tag = typeof entry === 'number' ? entry : parseTag(entry);
    if (tag === null) throw new Error('an attribute tag is eight hex digits or a keyword');
    bytes.writeUInt16LE(tag >>> 16, at * 4);
    bytes.writeUInt16LE(tag & 0xffff, at * 4 + 2);
  }
  return bytes;
}

/** Numbers in little endian; the width is the VR's. */
export function encodeNumbers(list: readonly (number | string)[], vr: string): Buffer {
  const width = numberWidth(vr);
  const bytes = Buffer.alloc(list.length * width);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const [index, entry] of list.entries()) {
    const at = index * width;
    const number = Number(entry);
    if (vr === 'FL' || vr === 'OF') view.setFloat32(at, number, true);
    else if (vr === 'FD' || vr === 'OD') view.setFloat64(at, number, true);
    else if (width === 8)
      view.setBigInt64(
        at,
        typeof entry === 'string' && /^-?\d+$/.test(entry) ? BigInt(entry) : BigInt(Math.trunc(number)),
        true,
      );
    else if (width === 4) view.setUint32(at, number >>> 0, true);
    else if (width === 2) view.setUint16(at, number & 0xffff, true);
    else view.setUint8(at, number & 0xff);
  }
  return bytes;
}

function hasForeignText(attributes: Attributes): boolean {
  return Object.values(attributes).some((given) => {
    const value = given !== undefined && isTyped(given) ? given.value : given;
    if (typeof value === 'string') return /[^\0-\x7f]/.test(value);
    if (!Array.isArray(value)) return false;
    return value.some((entry: unknown) =>
      typeof entry === 'string'
        ? /[^\0-\x7f]/.test(entry)
        : typeof entry === 'object' && entry !== null && hasForeignText(entry as Attributes),
    );
  });
}

export interface Part10Head {
  readonly sopClass: Uid;
  readonly sopUid: Uid;
  readonly transferSyntax: Uid;
  /** Becomes the source application entity title. */
  readonly callingAe?: string;
}

/** PS3.10 §7.1: preamble, prefix and file meta information, with a right group length; the data set follows as it is. */
export function writePart10Head(head: Part10Head): Buffer {
  const meta = Buffer.concat(
    encode(
      {
        FileMetaInformationVersion: Buffer.from([0, 1]),
        MediaStorageSOPClassUID: head.sopClass,
        MediaStorageSOPInstanceUID: head.sopUid,
        TransferSyntaxUID: head.transferSyntax,
        ImplementationClassUID: IMPLEMENTATION_CLASS,
        ImplementationVersionName: IMPLEMENTATION_VERSION,
        ...(head.callingAe === undefined || head.callingAe === ''
          ? {}
          : { SourceApplicationEntityTitle: head.callingAe }),
      },
      true,
      'ISO_IR 192',
    ),
  );
  const length = Buffer.concat(encodeElement(0x00020000, 'UL', encodeNumbers([meta.length], 'UL'), true));
  return Buffer.concat([Buffer.alloc(128), Buffer.from('DICM', 'latin1'), length, meta]);
}

/** A whole Part-10 file in explicit VR little endian from attributes, which must hold SOPClassUID and SOPInstanceUID. */
export function writePart10(attributes: Attributes, options: WriteOptions = {}): Buffer {
  const { SOPClassUID, SOPInstanceUID } = attributes;
  if (typeof SOPClassUID !== 'string' || typeof SOPInstanceUID !== 'string')
    throw new Error('a file needs SOPClassUID and SOPInstanceUID');
  const head = { sopClass: SOPClassUID as Uid, sopUid: SOPInstanceUID as Uid, transferSyntax: EXPLICIT_LE };
  return Buffer.concat([writePart10Head(head), writeDataSet(attributes, { ...options, explicit: true })]);
}
