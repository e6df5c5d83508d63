/**
 * Dates and times of HL7 v2 (DTM/TS/DT, v2.5.1 §2.A.22) and the formats a site adds, read to calendar dates with their
 * precision kept, or to UTC instants. A time without an offset is local time of the site's zone.
 */
import { isCalendarDate } from '../../hub/core/identifier.ts';
import type { SourceTime } from '../../hub/core/record.ts';

export interface TimeBelief {
  readonly timeZone: string;
  readonly dateFormats: readonly string[];
}

interface Parts {
  readonly year: string;
  readonly month?: string;
  readonly day?: string;
  readonly hour?: string;
  readonly minute?: string;
  readonly second?: string;
  readonly fraction?: string;
  /** Minutes east of UTC; absent: the site's zone. */
  readonly offset?: number;
}

const DTM =
  /^(\d{4})(?:(\d{2})(?:(\d{2})(?:T?(\d{2})(?:(\d{2})(?:(\d{2})(?:\.(\d{1,6}))?)?)?)?)?)?(?:([+-])(\d{2}):?(\d{2})|(Z))?$/;
const ISO =
  /^(\d{4})-(\d{2})(?:-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?)?)?(?:([+-])(\d{2}):?(\d{2})|(Z))?$/;
/** What senders write for "not known" (CODES §7). */
const PLACEHOLDERS = new Set(['1900-01-01', '0001-01-01', '1753-01-01', '1899-12-30']);

function fromMatch(match: RegExpExecArray): Parts {
  const [, year = '', month, day, hour, minute, second, fraction, sign, offsetHours, offsetMinutes, utc] = match;
  const signed = sign === '-' ? -1 : 1;
  const given = offsetHours === undefined ? undefined : signed * (Number(offsetHours) * 60 + Number(offsetMinutes));
  const offset = utc === undefined ? given : 0;
  return {
    year,
    ...(month === undefined ? {} : { month }),
    ...(day === undefined ? {} : { day }),
    ...(hour === undefined ? {} : { hour }),
    ...(minute === undefined ? {} : { minute }),
    ...(second === undefined ? {} : { second }),
    ...(fraction === undefined ? {} : { fraction }),
    ...(offset === undefined ? {} : { offset }),
  };
}

const FORMAT_PARTS: Readonly<Record<string, string>> = {
  yyyy: '(?<year>\\d{4})',
  MM: '(?<month>\\d{2})',
  M: '(?<month>\\d{1,2})',
  dd: '(?<day>\\d{2})',
  d: '(?<day>\\d{1,2})',
  HH: '(?<hour>\\d{2})',
  H: '(?<hour>\\d{1,2})',
  mm: '(?<minute>\\d{2})',
  m: '(?<minute>\\d{1,2})',
  ss: '(?<second>\\d{2})',
  s: '(?<second>\\d{1,2})',
};

/** `yyyy/M/d H:mm:ss` as a pattern; a quoted part (`'Z'`) is literal, and then says nothing about the zone. */
function patternOf(format: string): RegExp {
  const source = format.replace(/'([^']*)'|yyyy|MM|M|dd|d|HH|H|mm|m|ss|s|[^A-Za-z0-9\s]/g, (part, quoted?: string) => {
    if (quoted !== undefined) return quoted.replace(/[^\w]/g, '\\$&');
    return FORMAT_PARTS[part] ?? `\\${part}`;
  });
  return new RegExp(`^${source}$`);
}

const two = (text: string | undefined): string | undefined => text?.padStart(2, '0');

function fromFormat(text: string, format: string): Parts | null {
  const groups = patternOf(format).exec(text)?.groups as Partial<Record<string, string>> | undefined;
  const year = groups?.year;
  if (groups === undefined || year === undefined) return null;
  const [month, day, hour] = [two(groups.month), two(groups.day), two(groups.hour)];
  const [minute, second] = [two(groups.minute), two(groups.second)];
  return {
    year,
    ...(month === undefined ? {} : { month }),
    ...(day === undefined ? {} : { day }),
    ...(hour === undefined ? {} : { hour }),
    ...(minute === undefined ? {} : { minute }),
    ...(second === undefined ? {} : { second }),
  };
}

function parts(text: string, belief: TimeBelief): Parts | null {
  const trimmed = text.normalize('NFKC').trim();
  if (trimmed === '' || trimmed.length > 64) return null;
  for (const format of belief.dateFormats) {
    const found = fromFormat(trimmed, format);
    if (found !== null) return found;
  }
  const match = DTM.exec(trimmed) ?? ISO.exec(trimmed);
  return match === null ? null : fromMatch(match);
}

const inCalendar = (p: Parts): boolean => isCalendarDate(`${p.year}-${p.month ?? '01'}-${p.day ?? '01'}`);

export type DateReading = { readonly date: string } | 'placeholder' | 'invalid';

/** A birth date: YYYY, YYYY-MM or YYYY-MM-DD, exactly as precise as the sender was. */
export function readDate(text: string, belief: TimeBelief): DateReading {
  const p = parts(text, belief);
  if (p === null || !inCalendar(p)) return 'invalid';
  const date = [p.year, p.month, p.day].filter((part) => part !== undefined).join('-');
  return PLACEHOLDERS.has(date) || Number(p.year) < 1800 ? 'placeholder' : { date };
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** Minutes east of UTC in a zone at an instant; the tz database knows of China's summer times of 1986 to 1991. */
export function offsetAt(timeZone: string, utcMs: number): number {
  // Shanghai has kept +08:00 since September 1991: the common case needs no table.
  if (timeZone === 'Asia/Shanghai' && utcMs > 694_224_000_000) return 480;
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' });
    formats.set(timeZone, format);
  }
  const name = format.formatToParts(utcMs).find((part) => part.type === 'timeZoneName')?.value ?? '';
  const match = /GMT([+-])(\d{2}):(\d{2})(?::\d{2})?/.exec(name);
  return match === null ? 0 : (match[1] === '-' ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3]));
}

/** The instant a text names, or null where it is none. Missing time parts are zero; 24:00 is the next day. */
export function readTime(text: string, belief: TimeBelief): SourceTime | null {
  const p = parts(text, belief);
  if (p === null || !inCalendar(p) || Number(p.year) < 1800) return null;
  const [hour, minute, second] = [Number(p.hour ?? 0), Number(p.minute ?? 0), Number(p.second ?? 0)];
  if (hour > 24 || minute > 59 || second > 60 || (hour === 24 && minute + second > 0)) return null;
  const millis = Number((p.fraction ?? '0').padEnd(3, '0').slice(0, 3));
  const date = new Date(0);
  date.setUTCFullYear(Number(p.year), Number(p.month ?? 1) - 1, Number(p.day ?? 1));
  date.setUTCHours(hour, minute, Math.min(second, 59), millis);
  const local = date.getTime();
  const offset = p.offset ?? offsetAt(belief.timeZone, local - offsetAt(belief.timeZone, local) * 60_000);
  return Math.abs(offset) > 14 * 60 ? null : new Date(local - offset * 60_000).toISOString();
}

/** `20260102030405+0800` of an instant in a zone: how the hub writes MSH-7. */
export function writeTime(at: Date, timeZone: string): string {
  const offset = offsetAt(timeZone, at.getTime());
  const local = new Date(at.getTime() + offset * 60_000).toISOString();
  const size = Math.abs(offset);
  const zone = `${offset < 0 ? '-' : '+'}${String(Math.trunc(size / 60)).padStart(2, '0')}${String(size % 60).padStart(2, '0')}`;
  return `${local.replace(/[-:T]/g, '').slice(0, 14)}${zone}`;
}
