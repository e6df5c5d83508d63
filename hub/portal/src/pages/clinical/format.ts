/** Dates, ages and coded words as a physician reads them. */
import type { Language } from '../../text/dictionary.ts';

const LOCALE: Readonly<Record<Language, string>> = { zh: 'zh-CN', en: 'en-GB' };

/** `2026-03-01 08:30`, in the reader's own zone; the same digits in both languages, so that columns stand. */
export function dateTime(at: string | null | undefined, { date = false }: { readonly date?: boolean } = {}): string {
  const time = at === null || at === undefined || at === '' ? NaN : Date.parse(at);
  if (Number.isNaN(time)) return '';
  const day = { year: 'numeric', month: '2-digit', day: '2-digit' } as const;
  return new Intl.DateTimeFormat('sv-SE', date ? day : { ...day, hour: '2-digit', minute: '2-digit' }).format(time);
}

/** Months up to two years, then years; `at` is when it is asked for. null: the birth date is not known to the month. */
export function ageAt(birthDate: string | null, at: Date): { readonly years: number; readonly months: number } | null {
  const match = /^(\d{4})-(\d{2})(?:-(\d{2}))?$/.exec(birthDate ?? '');
  if (match === null) return null;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3] ?? '1')];
  const before = at.getDate() < day ? 1 : 0;
  const months = (at.getFullYear() - year) * 12 + at.getMonth() + 1 - month - before;
  return months < 0 ? null : { years: Math.floor(months / 12), months };
}

/** The word of a code, or the code itself where there is none. */
export const wordOf = (words: Readonly<Record<string, string>>, code: string): string =>
  Object.hasOwn(words, code) ? (words[code] ?? code) : code;

export const numberIn = (language: Language, value: number): string =>
  new Intl.NumberFormat(LOCALE[language], { maximumFractionDigits: 1 }).format(value);
