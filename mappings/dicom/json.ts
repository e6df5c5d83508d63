/**
 * DICOM JSON model (PS3.18 Annex F): a parsed data set as what QIDO-RS and WADO-RS metadata answer, and back to attributes.
 * Text comes out as UTF-8, bytes that are large stay behind a URI that the caller makes.
 */
import type { Charset } from './charset.ts';
import { parseCharset } from './charset.ts';
import { swapped } from './bytes.ts';
import { binaryNumbers, numberWidth } from './data-set.ts';
import type { DataSet, Element } from './data-set.ts';
import { attributeNamed, hasPixelSign, tagHex, vrOf } from './dictionary.ts';
import type { Tag } from './dictionary.ts';
import { TAG } from './tags.ts';
import type { Attributes, Value } from './write.ts';

export type JsonValue = string | number | null | PersonNameJson | JsonDataSet;

export interface PersonNameJson {
  readonly Alphabetic?: string;
  readonly Ideographic?: string;
  readonly Phonetic?: string;
}

export interface JsonElement {
  readonly vr: string;
  readonly Value?: readonly JsonValue[];
  readonly BulkDataURI?: string;
  readonly InlineBinary?: string;
}

/** Keys are eight upper-case hex digits; `jsonText` writes them in ascending order. */
export type JsonDataSet = Readonly<Record<string, JsonElement>>;

export interface JsonOptions {
  readonly charset: Charset;
  /**
   * The URI of a binary value that is not put inline: pixel data, and binary values above `inline` bytes. `path` names the
   * element from the root: `['7FE00010']`, or `['00880200', '0', '7FE00010']` for item 0 of a sequence.
   */
  readonly bulkData: (path: readonly string[], element: Element) => string;
  /** Largest binary value given as InlineBinary; 1 KiB by default. */
  readonly inline?: number;
  /** Whether pixels are signed, where another part of the object says it; by default what the data set says. */
  readonly signed?: boolean;
}

const TEXT = new Set(['LO', 'LT', 'PN', 'SH', 'ST', 'UC', 'UT']);
const BINARY = new Set(['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'UN']);
const PIXELS = new Set<Tag>([0x7fe00008, 0x7fe00009, 0x7fe00010]);

/** Group lengths are retired and file meta information is not part of the model (PS3.18 §F.2.2). */
export function toJson(dataSet: DataSet, options: JsonOptions): JsonDataSet {
  return convert(dataSet, options, []);
}

function convert(dataSet: DataSet, options: JsonOptions, path: readonly string[]): JsonDataSet {
  const own = parseCharset(dataSet.ascii(TAG.SpecificCharacterSet));
  // An item may declare its own set (PS3.3 §C.12.1.1.2); the root's was chosen by the caller.
  const charset = path.length > 0 && own ? own : options.charset;
  const scoped = { ...options, charset, signed: hasSignedPixels(dataSet) ?? options.signed ?? false };
  const model: Record<string, JsonElement> = {};
  const ordered = [...dataSet.elements.values()].sort((a, b) => a.tag - b.tag);
  for (const element of ordered) {
    if ((element.tag & 0xffff) === 0 || element.tag >>> 16 === 0x0002) continue;
    const key = tagHex(element.tag);
    model[key] =
      element.tag === TAG.SpecificCharacterSet
        ? UTF8_DECLARED
        : convertElement(dataSet, element, scoped, [...path, key]);
  }
  return model;
}

/** What the text of this model is in, whatever the source was. */
const UTF8_DECLARED: JsonElement = { vr: 'CS', Value: ['ISO_IR 192'] };

function convertElement(
  dataSet: DataSet,
  element: Element,
  options: JsonOptions,
  path: readonly string[],
): JsonElement {
  const vr = knownVr(dataSet, element, options);
  if (vr === 'SQ') {
    const items = (element.items ?? []).map((item, at) => convert(item, options, [...path, String(at)]));
    return items.length > 0 ? { vr, Value: items } : { vr };
  }
  const length = element.end - element.start;
  if (length === 0 && !PIXELS.has(element.tag)) return { vr };
  if (BINARY.has(vr)) {
    const inline = options.inline ?? 1024;
    if (PIXELS.has(element.tag) || element.fragments || length > inline)
      return { vr, BulkDataURI: options.bulkData(path, element) };
    return { vr, InlineBinary: littleEndian(dataSet, element, vr).toString('base64') };
  }
  const values = valuesOf(dataSet, element, vr, options.charset);
  return values.length > 0 && values.some((value) => value !== null) ? { vr, Value: values } : { vr };
}

/** What the data set says of its pixels, as PixelRepresentation; null where it says nothing. */
export function hasSignedPixels(dataSet: DataSet): boolean | null {
  return dataSet.has(TAG.PixelRepresentation) ? dataSet.number(TAG.PixelRepresentation) === 1 : null;
}

/** A UN element whose VR the dictionary knows is read as what it is (PS3.5 §6.2.2 note 5), sequences aside. */
function knownVr(dataSet: DataSet, element: Element, { signed = false }: JsonOptions): string {
  // Implicit VR does not say which of US and SS it is: the pixels do (PS3.5 §A.1).
  if (element.vr === 'US' && signed && !dataSet.explicit && hasPixelSign(element.tag)) return 'SS';
  if (element.vr !== 'UN') return element.vr;
  const vr = vrOf(element.tag);
  return vr === 'SQ' ? 'UN' : vr;
}

function valuesOf(dataSet: DataSet, element: Element, vr: string, charset: Charset): JsonValue[] {
  const { tag } = element;
  if (vr === 'PN') return dataSet.text(tag, charset).map(personName);
  if (TEXT.has(vr)) return dataSet.text(tag, charset).map(orNull);
  if (vr === 'AT') return tagsOf(dataSet, element);
  if (vr === 'SV' || vr === 'UV') return wideIntegers(dataSet, element, vr);
  if (numberWidth(vr) > 0) {
    const numbers = binaryNumbers(dataSet.bytes.subarray(element.start, element.end), vr, dataSet.littleEndian);
    // JSON has no NaN or infinity (PS3.18 §F.2.2 lets them be strings).
    return numbers.map((number) => (Number.isFinite(number) ? number : String(number).replace('Infinity', 'inf')));
  }
  if (vr === 'UR') return [dataSet.bytes.toString('latin1', element.start, element.end).replace(/[ \0]+$/, '')];
  const texts = dataSet.ascii(tag);
  return vr === 'IS' || vr === 'DS' ? texts.map(decimal) : texts.map(orNull);
}

const orNull = (text: string): string | null => (text === '' ? null : text);

/** IS and DS as numbers where nothing of them is lost, else as they are written. */
function decimal(text: string): string | number | null {
  if (text === '') return null;
  if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text)) return text;
  const number = Number(text);
  const digits = text
    .replace(/[eE].*$/, '')
    .replace(/[^\d]/g, '')
    .replace(/^0+/, '');
  return Number.isFinite(number) && digits.length <= 15 ? number : text;
}

function personName(text: string): PersonNameJson | null {
  const [alphabetic = '', ideographic = '', phonetic = ''] = text.split('=').map((group) => group.replace(/\^+$/, ''));
  if (alphabetic === '' && ideographic === '' && phonetic === '') return null;
  return {
    ...(alphabetic === '' ? {} : { Alphabetic: alphabetic }),
    ...(ideographic === '' ? {} : { Ideographic: ideographic }),
    ...(phonetic === '' ? {} : { Phonetic: phonetic }),
  };
}

function tagsOf(dataSet: DataSet, element: Element): string[] {
  const halves = binaryNumbers(dataSet.bytes.subarray(element.start, element.end), 'US', dataSet.littleEndian);
  const tags: string[] = [];
  for (let at = 0; at + 1 < halves.length; at += 2)
    tags.push(tagHex((((halves[at] ?? 0) << 16) | (halves[at + 1] ?? 0)) >>> 0));
  return tags;
}

/** 64-bit integers beyond 2^53 are given as strings (PS3.18 §F.2.3.1). */
function wideIntegers(dataSet: DataSet, element: Element, vr: string): (string | number)[] {
  const found: (string | number)[] = [];
  for (let at = element.start; at + 8 <= element.end; at += 8) {
    const { bytes } = dataSet;
    const wide =
      vr === 'SV'
        ? dataSet.littleEndian
          ? bytes.readBigInt64LE(at)
          : bytes.readBigInt64BE(at)
        : dataSet.littleEndian
          ? bytes.readBigUInt64LE(at)
          : bytes.readBigUInt64BE(at);
    const number = Number(wide);
    found.push(Number.isSafeInteger(number) ? number : wide.toString());
  }
  return found;
}

/** InlineBinary is little endian whatever the source was (PS3.18 §F.2.7). */
function littleEndian(dataSet: DataSet, element: Element, vr: string): Buffer {
  const bytes = dataSet.bytes.subarray(element.start, element.end);
  const width = numberWidth(vr);
  return dataSet.littleEndian || width < 2 ? bytes : swapped(bytes, width);
}

/**
 * The text of a model. Attributes stand in ascending order (PS3.18 §F.2.2), which JSON.stringify does not keep: it puts
 * names that read as array indexes, such as 20100010, before all others (ECMA-262 §10.1.11.1).
 */
export function jsonText(model: JsonDataSet): string {
  const rows = Object.entries(model).sort(([one], [other]) => (one < other ? -1 : 1));
  return `{${rows.map(([tag, element]) => `"${tag}":${elementText(element)}`).join(',')}}`;
}

function elementText(element: JsonElement): string {
  if (element.vr !== 'SQ' || !element.Value) return JSON.stringify(element);
  return `{"vr":"SQ","Value":[${element.Value.filter(isObject)
    .map((item) => jsonText(item as JsonDataSet))
    .join(',')}]}`;
}

/** Plain attributes (keyword -> strings or numbers) as a JSON model: what QIDO-RS answers from the index. PN strings are split in groups. */
export function attributesToJson(
  attributes: Readonly<Record<string, string | number | readonly string[] | null>>,
): JsonDataSet {
  const rows: [string, JsonElement][] = [];
  for (const [keyword, value] of Object.entries(attributes)) {
    const attribute = attributeNamed(keyword);
    if (!attribute) throw new Error(`no such attribute: ${keyword}`);
    const list = value === null ? [] : Array.isArray(value) ? (value as readonly string[]) : [value as string | number];
    const values = list.map((entry): JsonValue => {
      if (attribute.vr === 'PN') return personName(String(entry));
      if (attribute.vr === 'IS' || attribute.vr === 'DS' || numberWidth(attribute.vr) > 0)
        return decimal(String(entry));
      return orNull(String(entry));
    });
    const present = values.some((entry) => entry !== null);
    rows.push([tagHex(attribute.tag), present ? { vr: attribute.vr, Value: values } : { vr: attribute.vr }]);
  }
  return Object.fromEntries(rows.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The other way: a JSON model as attributes for the writer. Bulk data are not fetched: such elements are left out. */
export function fromJson(model: JsonDataSet): Attributes {
  const attributes: Record<string, { vr: string; value: Value }> = {};
  for (const [key, element] of Object.entries(model)) {
    if (!/^[0-9A-Fa-f]{8}$/.test(key) || element.BulkDataURI !== undefined) continue;
    const { vr } = element;
    attributes[key.toUpperCase()] = {
      vr,
      value:
        element.InlineBinary === undefined
          ? fromValues(vr, element.Value ?? [])
          : Buffer.from(element.InlineBinary, 'base64'),
    };
  }
  return attributes;
}

function fromValues(vr: string, values: readonly JsonValue[]): Value {
  if (vr === 'SQ') return values.filter(isObject).map((item) => fromJson(item as JsonDataSet));
  return values.map((value) => {
    if (value === null) return '';
    if (typeof value !== 'object') return String(value);
    const { Alphabetic = '', Ideographic = '', Phonetic = '' } = value as PersonNameJson;
    return [Alphabetic, Ideographic, Phonetic].join('=').replace(/=+$/, '');
  });
}

const isObject = (value: JsonValue): value is PersonNameJson | JsonDataSet =>
  typeof value === 'object' && value !== null;
