/** What PS3.6 says of a tag: value representation, multiplicity, keyword; and how tags are written. */
import { DICTIONARY_ROWS } from './generated/dictionary.ts';

/** A tag as one number, group in the upper 16 bits: 0x00100010. */
export type Tag = number;

export interface Attribute {
  readonly tag: Tag;
  readonly vr: string;
  readonly vm: string;
  readonly keyword: string;
}

const byTag = new Map<Tag, Attribute>();
const byKeyword = new Map<string, Attribute>();
const signedByPixels = new Set<Tag>();
for (const row of DICTIONARY_ROWS.trim().split('\n')) {
  const [hex = '', said = '', vm = '', keyword = ''] = row.split(' ');
  const attribute = { tag: parseInt(hex, 16), vr: said === 'XS' ? 'US' : said, vm, keyword };
  if (said === 'XS') signedByPixels.add(attribute.tag);
  byTag.set(attribute.tag, attribute);
  byKeyword.set(keyword, attribute);
}

/** Repeating groups (PS3.5 §7.6): curves 50xx (retired) and overlays 60xx share the entries of 5000 and 6000. */
const REPEATING: readonly (readonly [Tag, string, string, string])[] = [
  [0x60000010, 'US', '1', 'OverlayRows'],
  [0x60000011, 'US', '1', 'OverlayColumns'],
  [0x60000015, 'IS', '1', 'NumberOfFramesInOverlay'],
  [0x60000022, 'LO', '1', 'OverlayDescription'],
  [0x60000040, 'CS', '1', 'OverlayType'],
  [0x60000045, 'LO', '1', 'OverlaySubtype'],
  [0x60000050, 'SS', '2', 'OverlayOrigin'],
  [0x60000051, 'US', '1', 'ImageFrameOrigin'],
  [0x60000100, 'US', '1', 'OverlayBitsAllocated'],
  [0x60000102, 'US', '1', 'OverlayBitPosition'],
  [0x60001001, 'CS', '1', 'OverlayActivationLayer'],
  [0x60001100, 'US', '1', 'OverlayDescriptorGray'],
  [0x60001301, 'IS', '1', 'ROIArea'],
  [0x60001302, 'DS', '1', 'ROIMean'],
  [0x60001303, 'DS', '1', 'ROIStandardDeviation'],
  [0x60001500, 'LO', '1', 'OverlayLabel'],
  [0x60003000, 'OW', '1', 'OverlayData'],
  [0x50003000, 'OW', '1', 'CurveData'],
];
for (const [tag, vr, vm, keyword] of REPEATING) {
  if (!byTag.has(tag)) byTag.set(tag, { tag, vr, vm, keyword });
  if (!byKeyword.has(keyword)) byKeyword.set(keyword, { tag, vr, vm, keyword });
}

/** The entry of a tag; null for private and unknown tags. */
export function attributeOf(tag: Tag): Attribute | null {
  const found = byTag.get(tag);
  if (found) return found;
  const group = tag >>> 24;
  if ((group === 0x60 || group === 0x50) && ((tag >>> 16) & 1) === 0) {
    const base = byTag.get(((group << 24) | (tag & 0xffff)) >>> 0);
    return base ? { ...base, tag } : null;
  }
  return null;
}

export function attributeNamed(keyword: string): Attribute | null {
  return byKeyword.get(keyword) ?? null;
}

/** The VR of a tag in implicit VR data (PS3.5 §A.1): private creators are LO, group lengths UL, the unknown UN. */
export function vrOf(tag: Tag): string {
  const found = byTag.get(tag);
  if (found) return found.vr;
  const element = tag & 0xffff;
  if (element === 0) return 'UL';
  if (isPrivate(tag)) return element >= 0x10 && element <= 0xff ? 'LO' : 'UN';
  return attributeOf(tag)?.vr ?? 'UN';
}

/** Whether PS3.6 lets the element be US or SS, as PixelRepresentation says. */
export const hasPixelSign = (tag: Tag): boolean => signedByPixels.has(tag);

export const isPrivate = (tag: Tag): boolean => ((tag >>> 16) & 1) === 1;

/** `00100020`: the tag as DICOM JSON and QIDO-RS write it. */
export const tagHex = (tag: Tag): string => tag.toString(16).toUpperCase().padStart(8, '0');

/** `(0010,0020)`: the tag as people and problems write it. */
export function tagText(tag: Tag): string {
  const hex = tagHex(tag);
  return `(${hex.slice(0, 4)},${hex.slice(4)})`;
}

/** Reads a tag from `00100020` or a keyword; null when it is neither. */
export function parseTag(text: string): Tag | null {
  if (/^[0-9A-Fa-f]{8}$/.test(text)) return parseInt(text, 16);
  return byKeyword.get(text)?.tag ?? null;
}
