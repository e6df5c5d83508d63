/**
 * One ebRIM element taken apart: slots, texts, classifications and identifiers, with what is wrong about its form
 * (rim.xsd) as registry problems. Knows nothing of what the attributes mean.
 */
import type { ExtraSlot, LocalizedText, RegistryErrorCode, RegistryProblem } from '../../hub/core/document.ts';
import { FREE_TEXT, LONG_NAME, RIM, XML_NAMESPACE } from './ebrim-names.ts';
import { childNamed, childrenNamed } from './xml.ts';
import type { XmlElement } from './xml.ts';

export interface ReadOptions {
  /** strict: what rim.xsd demands of order and attributes is demanded (WIRE §2); lenient: only what is needed. */
  readonly form: 'strict' | 'lenient';
  readonly objects?: number;
  readonly slots?: number;
}

/** Collects what is wrong; bounded, since a hostile message may have a fault in each of its elements. */
export class Complaints {
  readonly problems: RegistryProblem[] = [];

  add(location: string, context: string, code: RegistryErrorCode = 'XDSRegistryMetadataError'): void {
    if (this.problems.length < 100) this.problems.push({ code, severity: 'error', context, location });
  }

  warn(location: string, context: string): void {
    if (this.problems.length < 100)
      this.problems.push({ code: 'XDSExtraMetadataNotSaved', severity: 'warning', context, location });
  }
}

/** RegistryObjectType of rim.xsd: the order of its children. */
const ORDER = [
  'Slot',
  'Name',
  'Description',
  'VersionInfo',
  'Classification',
  'ExternalIdentifier',
  'ContentVersionInfo',
];

export function checkForm(element: XmlElement, at: string, complain: Complaints): void {
  let last = 0;
  for (const child of element.children) {
    const place = child.namespace === RIM ? ORDER.indexOf(child.name) : -1;
    if (place === -1) complain.add(at, `The element ${plain(child.name)} is not allowed there.`);
    else if (place < last) {
      complain.add(at, `The element ${child.name} stands too late: rim.xsd fixes the order.`);
      return;
    }
    last = Math.max(last, place);
  }
}

/** Slots by name; a name that comes twice is a fault. */
export function slotsOf(
  element: XmlElement,
  at: string,
  complain: Complaints,
  limit = 1_000,
): ReadonlyMap<string, readonly string[]> {
  const slots = new Map<string, readonly string[]>();
  const elements = childrenNamed(element, RIM, 'Slot');
  if (elements.length > limit) {
    complain.add(at, `There are more than ${String(limit)} slots.`);
    return slots;
  }
  for (const slot of elements) {
    const name = slot.attributes.get('name')?.trim() ?? '';
    const list = childNamed(slot, RIM, 'ValueList');
    const values = list ? childrenNamed(list, RIM, 'Value').map((value) => value.text.trim()) : [];
    if (name === '' || name.length > LONG_NAME) complain.add(at, 'A slot needs a name of at most 256 characters.');
    else if (slots.has(name)) complain.add(`${at}/${plain(name)}`, 'The slot stands more than once.');
    else if (values.some((value) => Array.from(value).length > LONG_NAME))
      complain.add(`${at}/${plain(name)}`, 'A slot value has more than 256 characters.');
    else slots.set(name, values);
  }
  return slots;
}

/** Slots that are kept without being understood; what is neither known nor `urn:` is refused (ITI TF-3 §4.2.3.1.6). */
export function extraSlots(
  slots: ReadonlyMap<string, readonly string[]>,
  known: (name: string) => boolean,
  at: string,
  complain: Complaints,
): ExtraSlot[] {
  const extra: ExtraSlot[] = [];
  for (const [name, values] of slots)
    if (known(name)) continue;
    else if (name.startsWith('urn:')) extra.push({ name, values });
    else
      complain.add(
        `${at}/${plain(name)}`,
        'The slot is not of this profile; others must begin with urn:.',
        'XDSRegistryError',
      );
  return extra;
}

export function textOf(
  element: XmlElement,
  name: 'Name' | 'Description',
  at: string,
  complain: Complaints,
): LocalizedText {
  const holder = childNamed(element, RIM, name);
  const texts = holder ? childrenNamed(holder, RIM, 'LocalizedString') : [];
  return texts.flatMap((one) => {
    const text = one.attributes.get('value') ?? '';
    const language = one.attributes.get(`{${XML_NAMESPACE}}lang`);
    if (Array.from(text).length > FREE_TEXT) complain.add(`${at}/${name}`, 'A text has more than 1024 characters.');
    return text === '' ? [] : [language === undefined ? { text } : { language, text }];
  });
}

/** `urn:uuid:` with its hexadecimal digits in lower case, whatever the sender wrote (RFC 9562 §4). */
export const canonicalId = (text: string): string => {
  const trimmed = text.trim();
  return /^urn:uuid:[0-9a-f-]{36}$/i.test(trimmed) ? trimmed.toLowerCase() : trimmed;
};

export const attribute = (element: XmlElement, name: string): string => element.attributes.get(name)?.trim() ?? '';

/** Foreign names go back in errors only where they are harmless: no patient's name is a slot name of this shape. */
export const plain = (name: string): string => (/^[A-Za-z][\w:.-]{0,80}$/.test(name) ? name : '(unprintable)');
