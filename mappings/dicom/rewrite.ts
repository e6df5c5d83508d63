/**
 * A parsed data set written again in another encoding or with other pixels. What need not change is copied byte for byte:
 * text stays in its own character set, unknown and private elements keep their bytes.
 */
import { swapped } from './bytes.ts';
import { numberWidth } from './data-set.ts';
import type { DataSet, Element } from './data-set.ts';
import { hasPixelSign } from './dictionary.ts';
import type { Tag } from './dictionary.ts';
import { TAG } from './tags.ts';
import { elementHead, encodeElement } from './write.ts';

/** An element to be written instead of the one in the data set; its value is little endian and already of even length. */
export interface Replacement {
  readonly tag: Tag;
  readonly vr: string;
  /** null removes the element. */
  readonly value: Buffer | null;
  /** Encapsulated pixel data: the items, without the offset table, each of even length. */
  readonly fragments?: readonly Buffer[];
}

interface Target {
  readonly explicit: boolean;
  /** PixelRepresentation: decides US or SS of the elements that may be either. */
  readonly signed: boolean;
}

/**
 * Little endian, explicit or implicit. Group lengths (gggg,0000) are dropped: retired, and no longer true. Elements are
 * in tag order.
 */
export function rewriteDataSet(set: DataSet, explicit: boolean, replacements: readonly Replacement[] = []): Buffer[] {
  const target = { explicit, signed: set.number(TAG.PixelRepresentation) === 1 };
  const replaced = new Map(replacements.map((replacement) => [replacement.tag, replacement]));
  const tags = [...new Set([...set.elements.keys(), ...replaced.keys()])].sort((a, b) => a - b);
  return tags.flatMap((tag) => {
    const replacement = replaced.get(tag);
    if (replacement) return writeReplacement(replacement, explicit);
    const element = set.elements.get(tag);
    return element && (tag & 0xffff) !== 0 ? writeElement(set, element, target) : [];
  });
}

function writeReplacement({ tag, vr, value, fragments }: Replacement, explicit: boolean): Buffer[] {
  if (fragments) return encapsulated(tag, fragments);
  return value === null ? [] : encodeElement(tag, vr, value, explicit);
}

/** PS3.5 §A.4: an undefined length, the basic offset table (left empty where it would overflow), one item a fragment, a delimiter. */
function encapsulated(tag: Tag, fragments: readonly Buffer[]): Buffer[] {
  const offsets: number[] = [];
  let at = 0;
  for (const fragment of fragments) {
    offsets.push(at);
    at += fragment.length + 8;
  }
  const fits = at <= 0xffffffff;
  const table = Buffer.alloc(fits ? offsets.length * 4 : 0);
  if (fits) for (const [index, offset] of offsets.entries()) table.writeUInt32LE(offset, index * 4);
  return [
    elementHead(tag, 'OB', 0xffffffff, true),
    elementHead(ITEM, '', table.length, false),
    table,
    ...fragments.flatMap((fragment) => [elementHead(ITEM, '', fragment.length, false), fragment]),
    elementHead(SEQUENCE_END, '', 0, false),
  ];
}

const ITEM = 0xfffee000;
const SEQUENCE_END = 0xfffee0dd;

function writeElement(set: DataSet, element: Element, target: Target): Buffer[] {
  // Same encoding: the bytes as they are, header and nested items included.
  if (set.explicit === target.explicit && set.littleEndian) return [set.bytes.subarray(element.at, element.next)];
  if (element.items) return writeSequence(element, element.items, target);
  if (element.fragments) return [set.bytes.subarray(element.at, element.next)];
  const vr = element.vr === 'US' && target.signed && !set.explicit && hasPixelSign(element.tag) ? 'SS' : element.vr;
  const value = set.bytes.subarray(element.start, element.end);
  const width = vr === 'AT' ? 2 : numberWidth(vr);
  return encodeElement(element.tag, vr, set.littleEndian || width < 2 ? value : swapped(value, width), target.explicit);
}

function writeSequence(element: Element, items: readonly DataSet[], target: Target): Buffer[] {
  const written = items.map((item) => {
    // An icon has pixels of its own (PS3.3 §C.7.6.1.1.6).
    const own = item.has(TAG.PixelRepresentation) ? item.number(TAG.PixelRepresentation) === 1 : target.signed;
    return [...item.elements.values()].flatMap((inner) =>
      (inner.tag & 0xffff) === 0 ? [] : writeElement(item, inner, { ...target, signed: own }),
    );
  });
  const parts = written.flatMap((buffers) => [elementHead(ITEM, '', lengthOf(buffers), false), ...buffers]);
  return [elementHead(element.tag, 'SQ', lengthOf(parts), target.explicit), ...parts];
}

const lengthOf = (buffers: readonly Buffer[]): number => buffers.reduce((sum, { length }) => sum + length, 0);
