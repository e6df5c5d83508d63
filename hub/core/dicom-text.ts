/** Names and times in the forms DICOM asks for: PN component groups, matching keys, and a study's local date. */
import type { PersonName } from './record.ts';

/** `Zhang^San=张^三=`: alphabetic, ideographic, phonetic groups, trailing empty ones left out (PS3.5 §6.2.1). */
export function dicomName(names: readonly PersonName[]): string {
  const group = (representation: PersonName['representation']): string => {
    const name = names.find((one) => one.representation === representation);
    if (name === undefined) return '';
    const parts = name.family === undefined ? name.text : [name.family, name.given ?? ''].join('^');
    return parts.replaceAll('=', ' ').replace(/\^$/, '');
  };
  return [group('alphabetic'), group('ideographic'), group('phonetic')].join('=').replace(/=+$/, '');
}

/** What a name is found by: every group and, each behind a blank, every word of one. */
export function nameKeys(names: readonly PersonName[]): string[] {
  const keys = names.flatMap((name) => {
    const parts =
      name.family === undefined ? [] : [`${name.family} ${name.given ?? ''}`, `${name.family}${name.given ?? ''}`];
    return [name.text, ...parts].map(nameKey);
  });
  const words = keys.flatMap((key) => key.split(' ')).map((word) => ` ${word}`);
  return [...new Set([...keys, ...words])].filter((key) => key.trim() !== '');
}

/** Compatibility forms folded, upper case, `^` as blank; no key begins or ends with a blank. */
export function nameKey(text: string): string {
  return text
    .normalize('NFKC')
    .replaceAll('^', ' ')
    .replace(/[\s\u3000]+/gu, ' ')
    .trim()
    .toUpperCase()
    .slice(0, 200);
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** `time` is UTC; gives DICOM DA and TM (YYYYMMDD, HHMMSS) in the zone. null: not a time, or no such zone. */
export function localDateTime(time: string, zone: string): { date: string; time: string } | null {
  const at = new Date(time);
  if (Number.isNaN(at.getTime())) return null;
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-CA', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    });
    formats.set(zone, format);
  }
  const part = Object.fromEntries(format.formatToParts(at).map((one) => [one.type, one.value]));
  const year = (part['year'] ?? '').padStart(4, '0');
  return {
    date: `${year}${part['month'] ?? ''}${part['day'] ?? ''}`,
    time: `${part['hour'] ?? ''}${part['minute'] ?? ''}${part['second'] ?? ''}`,
  };
}
