/** DICOM person names (VR PN, PS3.5 §6.2.1) to canonical names, with the forms that Chinese hospitals use (CODES §7). */
import type { PersonName } from '../../hub/core/record.ts';

const REPRESENTATIONS = ['alphabetic', 'ideographic', 'phonetic'] as const;
const HAN = /\p{Script=Han}/u;
/** Middle dots of minority names: U+00B7 is canonical. */
const DOTS = /[\u2022\u2027\u30fb\uff0e\uff65]/gu;

/**
 * The names of one PN value. A Chinese name in the alphabetic group is what most Chinese vendors write: it is an
 * ideographic name all the same. Where two groups say the same kind, the group that is meant for it wins.
 */
export function parsePersonName(value: string): PersonName[] {
  const names = new Map<PersonName['representation'], PersonName>();
  const groups = value.split('=').slice(0, 3);
  for (const [at, group] of groups.entries()) {
    const components = group.split('^').slice(0, 5).map(clean);
    const text = components.join('');
    if (text === '') continue;
    const declared = REPRESENTATIONS[at] ?? 'alphabetic';
    const representation = HAN.test(text) ? 'ideographic' : declared === 'ideographic' ? 'alphabetic' : declared;
    if (names.has(representation) && representation !== declared) continue;
    names.set(representation, nameOf(components, representation));
  }
  return [...names.values()];
}

/** A PN value as people read it: the Chinese form where there is one. */
export function readableName(value: string): string {
  const names = parsePersonName(value);
  return (names.find(({ representation }) => representation === 'ideographic') ?? names[0])?.text ?? '';
}

function nameOf(components: readonly string[], representation: PersonName['representation']): PersonName {
  const [family = '', given = '', middle = '', prefix = '', suffix = ''] = components;
  const gap = representation === 'ideographic' ? '' : ' ';
  const text = [prefix, family, given, middle, suffix].filter((part) => part !== '').join(gap);
  return {
    text,
    ...(family !== '' && given !== ''
      ? { family, given: [given, middle].filter((part) => part !== '').join(gap) }
      : {}),
    representation,
  };
}

/** NFC, one kind of blank and dot; blanks inside a Han name are typing, not spelling. */
function clean(component: string): string {
  const text = component
    .normalize('NFC')
    .replace(/[\s\u3000]+/gu, ' ')
    .trim();
  if (!HAN.test(text)) return text;
  const dotted = text.replace(DOTS, '\u00b7').replace(/(?<=\p{Script=Han})\.(?=\p{Script=Han})/gu, '\u00b7');
  return dotted.replace(/(?<=\p{Script=Han}|\u00b7) (?=\p{Script=Han}|\u00b7)/gu, '');
}
