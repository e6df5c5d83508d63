/** The interval that a FHIR date, dateTime or instant covers (R4 §3.1.1.4.5). */
import type { DatePrefix, DateRange } from '../../hub/core/fhir.ts';

/** The province's own time: what a day means where no offset is given. */
const OFFSET_MINUTES = 8 * 60;

const FORM =
  /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|[+-]\d{2}:\d{2})?)?)?)?$/;

/** null: not a date of the calendar. */
export function dateRange(value: string): DateRange | null {
  const match = FORM.exec(value);
  if (!match) return null;
  const [year, month, day, hour, minute, second] = [1, 2, 3, 4, 5, 6].map((at) =>
    match[at] === undefined ? null : Number(match[at]),
  );
  if (year === null || year === undefined || year < 1) return null;
  const start = new Date(0);
  start.setUTCFullYear(year, (month ?? 1) - 1, day ?? 1);
  if (start.getUTCMonth() !== (month ?? 1) - 1 || start.getUTCDate() !== (day ?? 1)) return null;
  if ((hour ?? 0) > 23 || (minute ?? 0) > 59 || (second ?? 0) > 59) return null;
  const millis = match[7] === undefined ? 0 : Number(match[7].slice(0, 3).padEnd(3, '0'));
  start.setUTCHours(hour ?? 0, minute ?? 0, second ?? 0, millis);
  const end = new Date(start);
  if (month === null) end.setUTCFullYear(year + 1);
  else if (day === null) end.setUTCMonth(end.getUTCMonth() + 1);
  else if (hour === null) end.setUTCDate(end.getUTCDate() + 1);
  else if (second === null) end.setUTCMinutes(end.getUTCMinutes() + 1);
  else end.setTime(end.getTime() + (match[7] === undefined ? 1000 : 1));
  const shift = offsetMinutes(match[8]) * 60_000;
  return { low: new Date(start.getTime() - shift).toISOString(), high: new Date(end.getTime() - shift).toISOString() };
}

function offsetMinutes(zone: string | undefined): number {
  if (zone === undefined) return OFFSET_MINUTES;
  if (zone === 'Z') return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4, 6));
  return zone.startsWith('-') ? -minutes : minutes;
}

export function prefixedDate(value: string): { readonly prefix: DatePrefix; readonly range: DateRange } | null {
  const match = /^(eq|ne|gt|lt|ge|le|sa|eb|ap)?(.*)$/.exec(value);
  const range = dateRange(match?.[2] ?? '');
  return range && { prefix: (match?.[1] ?? 'eq') as DatePrefix, range };
}
