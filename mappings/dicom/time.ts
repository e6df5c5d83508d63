/** DICOM dates and times (PS3.5 §6.2, VR DA, TM, DT) as the field writes them, to UTC and calendar dates. */
import { isCalendarDate } from '../../hub/core/identifier.ts';
import type { SourceTime } from '../../hub/core/record.ts';

/** Dates that registration desks enter for "unknown" (CODES §7). */
const PLACEHOLDERS = new Set(['1900-01-01', '0001-01-01']);

/** DA, also old `1976.08.12` (ACR-NEMA) and `1976-08-12`, to YYYY-MM-DD; a date of less precision stays so. null: not a date. */
export function parseDate(text: string): string | null {
  const match = /^(\d{4})(?:[.\-/]?(\d{1,2})(?:[.\-/]?(\d{1,2}))?)?$/.exec(text.trim());
  if (!match) return null;
  const [year = '', month, day] = match.slice(1);
  if (month === undefined) return Number(year) > 0 ? year : null;
  if (day === undefined)
    return isCalendarDate(`${year}-${month.padStart(2, '0')}-01`) ? `${year}-${month.padStart(2, '0')}` : null;
  const date = `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`;
  return isCalendarDate(date) ? date : null;
}

export const isPlaceholderDate = (date: string): boolean => PLACEHOLDERS.has(date);

/** TM, with colons or without, `24:00` not taken; to milliseconds of the day. null: not a time. */
export function parseTime(text: string): number | null {
  const match = /^(\d{2})(?::?(\d{2})(?::?(\d{2})(?:\.(\d{1,6}))?)?)?$/.exec(text.trim());
  if (!match) return null;
  const [hours = '0', minutes = '0', seconds = '0', fraction = '0'] = match.slice(1);
  // 60 is a leap second (PS3.5 §6.2): it counts as the last millisecond before the next minute.
  const leap = seconds === '60';
  if (Number(hours) > 23 || Number(minutes) > 59 || Number(seconds) > 60) return null;
  const whole = (Number(hours) * 60 + Number(minutes)) * 60 + (leap ? 59 : Number(seconds));
  return whole * 1000 + (leap ? 999 : Math.floor(Number(`0.${fraction}`) * 1000));
}

/** DT: date, time and offset in one; the offset falls back to `zone`. null: not a full date and time. */
export function parseDateTime(text: string, zone: string): SourceTime | null {
  const match = /^(\d{8})(\d{2,6}(?:\.\d{1,6})?)?([+-]\d{4})?$/.exec(text.trim());
  if (!match) return null;
  return toUtc(match[1] ?? '', match[2] ?? '', match[3] ?? zone);
}

/** A date and a time in `zone` (`+0800` or an IANA name) to UTC; an absent time is midnight. null: no full date. */
export function toUtc(date: string, time: string, zone: string): SourceTime | null {
  const day = parseDate(date);
  if (day?.length !== 10 || isPlaceholderDate(day)) return null;
  const millis = time.trim() === '' ? 0 : parseTime(time);
  if (millis === null) return null;
  const local = Date.parse(`${day}T00:00:00.000Z`) + millis;
  const fixed = parseOffset(zone);
  const utc = new Date(local - (fixed ?? zoneOffset(local, zone)));
  return utc.getUTCFullYear() >= 1 && utc.getUTCFullYear() <= 9999 ? utc.toISOString() : null;
}

/** (0008,0201) `&ZZXX`: +0800, -0330; to milliseconds. null: not an offset. */
export function parseOffset(text: string): number | null {
  const match = /^([+-])(\d{2})(\d{2})$/.exec(text.trim());
  if (!match) return null;
  const minutes = Number(match[2]) * 60 + Number(match[3]);
  return minutes <= 14 * 60 ? (match[1] === '-' ? -1 : 1) * minutes * 60_000 : null;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone);
  if (!format) {
    const numeric = '2-digit';
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: numeric,
      day: numeric,
      hour: numeric,
      minute: numeric,
      second: numeric,
    });
    formats.set(zone, format);
  }
  return format;
}

const QUARTER_MS = 15 * 60_000;
/** The last answer of each zone: the instances of a series ask for the same moment again and again. */
const answers = new Map<string, { readonly quarter: number; readonly offset: number }>();

/**
 * What the zone's wall clock was ahead of UTC when it showed `local` (China had summer time from 1986 to 1991). Zones
 * change their offset on the quarter of an hour.
 */
function zoneOffset(local: number, zone: string): number {
  const quarter = Math.floor(local / QUARTER_MS);
  const last = answers.get(zone);
  if (last?.quarter === quarter) return last.offset;
  const offset = offsetAt(local - offsetAt(local, zone), zone);
  answers.set(zone, { quarter, offset });
  return offset;
}

function offsetAt(instant: number, zone: string): number {
  const parts: Record<string, number> = {};
  for (const { type, value } of formatOf(zone).formatToParts(instant)) parts[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(instant / 1000) * 1000;
}
