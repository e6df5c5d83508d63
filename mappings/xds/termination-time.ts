/** When a subscription ends: wsnt:AbsoluteOrRelativeTimeType, an xsd:dateTime or an xsd:duration (WS-BaseNotification 1.3 §4.1). */

export interface TerminationLimits {
  readonly now: Date;
  /** From now; also the answer to who asks for no time. */
  readonly longestMs: number;
}

const DATE_TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,12})?(Z|[+-]\d\d:\d\d)?$/;
const DURATION =
  /^P(?=\d|T\d)(?:(\d{1,4})Y)?(?:(\d{1,5})M)?(?:(\d{1,6})D)?(?:T(?=\d)(?:(\d{1,7})H)?(?:(\d{1,8})M)?(?:(\d{1,9})(?:\.\d{1,9})?S)?)?$/;

/** null: no time, none that is yet to come, or one too far away. Without a zone a time is UTC. */
export function readTermination(text: string, { now, longestMs }: TerminationLimits): Date | null {
  const latest = now.getTime() + longestMs;
  if (text === '') return new Date(latest);
  const at = absolute(text) ?? relative(text, now);
  return at !== null && at > now.getTime() && at <= latest ? new Date(at) : null;
}

function absolute(text: string): number | null {
  const found = DATE_TIME.exec(text);
  if (!found) return null;
  const [, seconds = '', fraction = '', zone = 'Z'] = found;
  const at = Date.parse(`${seconds}${fraction.slice(0, 4)}${zone}`);
  return Number.isNaN(at) ? null : at;
}

function relative(text: string, now: Date): number | null {
  const found = DURATION.exec(text);
  if (!found) return null;
  const [years = 0, months = 0, days = 0, hours = 0, minutes = 0, seconds = 0] = (
    found.slice(1) as (string | undefined)[]
  ).map((n) => Number(n ?? 0));
  const at = new Date(now);
  at.setUTCFullYear(at.getUTCFullYear() + years, at.getUTCMonth() + months, at.getUTCDate() + days);
  return at.getTime() + ((hours * 60 + minutes) * 60 + seconds) * 1_000;
}
