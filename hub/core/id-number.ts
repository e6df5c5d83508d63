/**
 * Where in a text numbers stand that the state gave to a person: told by their form, not by the field they came in, since
 * hospitals use them as patient, visit and account numbers. What has the form and is another number loses nothing by it.
 */

/** `[start, end)` in UTF-16 units. */
export type Place = readonly [start: number, end: number];

const DATE = '(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\\d|3[01])';
const PROVINCE = '(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[123])';
/**
 * Resident ID (GB 11643-1999), whatever its check digit: one mistyped is as telling; also that of foreigners with permanent
 * residence and of residents of Hong Kong, Macau and Taiwan. The 15 digits of before 1999. The permanent residence permit of
 * before 2023. Passports of China; those of other states and permits look like any number of a hospital.
 */
const FORMS = new RegExp(
  `^(?:[1-9]\\d{5}(?:18|19|20)\\d\\d${DATE}\\d{3}[\\dXx]|${PROVINCE}\\d{6}${DATE}\\d{3}|[A-Z]{3}\\d{12}|[EG]\\d{8}|E[A-Z]\\d{7})$`,
);
/** Digits in a row that the forms have. */
const RUNS: ReadonlySet<number> = new Set([7, 8, 12, 15, 17, 18]);
const SHORTEST = 7;
const ALPHANUMERIC = /[A-Za-z0-9]/;
/** A control sign as JSON writes it: its letters and digits belong to no number. */
const ESCAPE = /^\\(?:[bfnrt]|u[\dA-Fa-f]{4})/;
const LONGEST_ESCAPE = 6;

const isDigit = (text: string, at: number): boolean => {
  const code = text.charCodeAt(at);
  return code >= 0x30 && code <= 0x39;
};

/** Everything that a row holds passes here: so the scan looks at each seventh sign, which a run of digits cannot pass. */
export function idNumbersIn(text: string): readonly Place[] {
  const found: Place[] = [];
  const isJsonNumber = jsonNumbersOf(text);
  for (let at = SHORTEST - 1; at < text.length; at += SHORTEST) {
    if (!isDigit(text, at)) continue;
    let [from, after] = [at, at + 1];
    while (isDigit(text, from - 1)) from -= 1;
    while (isDigit(text, after)) after += 1;
    at = after;
    if (after - from < SHORTEST) continue;
    const escaped = escapeEnd(text, from);
    const place =
      RUNS.has(after - from) || escaped > from ? placeOf(text, Math.max(from, escaped), after, escaped) : null;
    if (place !== null && !isJsonNumber(...place)) found.push(place);
  }
  return found;
}

function placeOf(text: string, digits: number, after: number, escaped: number): Place | null {
  const letters = /[A-Z]{0,3}$/.exec(text.slice(Math.max(escaped, digits - 3, 0), digits))?.[0].length ?? 0;
  const start = digits - letters;
  const end = after - digits === 17 && /[Xx]/.test(text.charAt(after)) ? after + 1 : after;
  if (!FORMS.test(text.slice(start, end)) || ALPHANUMERIC.test(text.charAt(end))) return null;
  if (start !== escaped && ALPHANUMERIC.test(text.charAt(start - 1))) return null;
  // A component of a UID or OID.
  if (/\d\.$/.test(text.slice(Math.max(0, start - 2), start)) || /^\.\d/.test(text.slice(end, end + 2))) return null;
  return [start, end];
}

/** Where an escape ends that reaches into these digits, or up to what stands before them; -1: none. */
function escapeEnd(text: string, digits: number): number {
  for (let at = digits - 1; at >= digits - LONGEST_ESCAPE && at >= 0; at -= 1) {
    if (text.charCodeAt(at) !== 0x5c) continue;
    const escape = ESCAPE.exec(text.slice(at, at + LONGEST_ESCAPE));
    return escape === null ? -1 : at + escape[0].length;
  }
  return -1;
}

/** Whether a place is a bare number of a JSON text: it stays one. Asked from left to right. */
function jsonNumbersOf(text: string): (start: number, end: number) => boolean {
  const isJson = /^[[{]/.test(text);
  let [at, within] = [0, false];
  return (start, end) => {
    if (!isJson || !/[\s:,[]/.test(text.charAt(start - 1)) || !/[\s,}\]]/.test(text.charAt(end))) return false;
    for (; at < start; at += 1) {
      const sign = text.charAt(at);
      if (within && sign === '\\') at += 1;
      else if (sign === '"') within = !within;
    }
    return !within;
  };
}
