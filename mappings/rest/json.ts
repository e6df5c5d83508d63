/**
 * JSON from outside, read strictly (RFC 8259, with the cautions of RFC 7493): what two readers could understand in two
 * ways is refused, since a patient's number must not depend on the reader.
 */
import type { Problem } from '../../hub/core/problem.ts';
import { problem } from '../../hub/core/problem.ts';

const MAX_DEPTH = 16;
const MAX_MEMBERS = 20_000;
/** Doubles are exact to 15 digits; a longer number (a resident ID without quotes) would arrive as another one. */
const MAX_DIGITS = 15;
/** Longer names are of no field; they are told apart by their beginning. */
const MAX_KEY = 4_096;

export type JsonObject = Readonly<Record<string, unknown>>;
export type JsonReading<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: Problem };

const refuse = (...args: Parameters<typeof problem>): { ok: false; problem: Problem } => ({
  ok: false,
  problem: problem(...args),
});

const CHARSETS: Readonly<Record<string, string>> = {
  'utf-8': 'utf-8',
  utf8: 'utf-8',
  gb18030: 'gb18030',
  gbk: 'gb18030',
  gb2312: 'gb18030',
};

/** The text of a body: UTF-8 unless `charset` of the content type names another. Bytes that do not decode are refused. */
export function decodeText(bytes: Uint8Array, contentType: string): JsonReading<string> {
  const named = /;\s*charset\s*=\s*"?([^";\s]+)"?/i.exec(contentType)?.[1]?.toLowerCase() ?? 'utf-8';
  const label = Object.hasOwn(CHARSETS, named) ? CHARSETS[named] : undefined;
  if (label === undefined)
    return refuse('charset', 'Content-Type', 'This charset is not supported: send UTF-8 or GB18030.');
  try {
    return { ok: true, value: new TextDecoder(label, { fatal: true }).decode(bytes) };
  } catch {
    return refuse(
      'charset',
      'body',
      `The body is not valid ${label.toUpperCase()}: declare the charset in Content-Type, or send UTF-8.`,
    );
  }
}

/** Position after the string that opens at `start`; the end of the text where it never closes. */
function endOfString(text: string, start: number): number {
  // indexOf, not a pattern: a report's document is megabytes of one string.
  for (let at = text.indexOf('"', start + 1); at >= 0; at = text.indexOf('"', at + 1)) {
    let escapes = 0;
    while (text[at - 1 - escapes] === '\\') escapes++;
    if (escapes % 2 === 0) return at + 1;
  }
  return text.length;
}

/** Depth, doubled keys and inexact numbers, over the raw text; a text that is no JSON may pass and fails to parse. */
function hazard(text: string): Problem | null {
  const open: (Set<string> | null)[] = [];
  const next = /["{}[\]:\d]/g;
  let members = 0;
  let last = '';
  for (let match = next.exec(text); match !== null; match = next.exec(text)) {
    const [mark] = match;
    if (mark === '"') {
      const end = endOfString(text, match.index);
      last = text.slice(match.index, Math.min(end, match.index + MAX_KEY));
      next.lastIndex = end;
    } else if (mark === '{' || mark === '[') {
      open.push(mark === '{' ? new Set() : null);
      if (open.length > MAX_DEPTH)
        return problem('limit-exceeded', 'body', `The body is nested deeper than ${String(MAX_DEPTH)} levels.`);
    } else if (mark === '}' || mark === ']') open.pop();
    else if (mark === ':') {
      const known = open.at(-1);
      // The raw spelling may differ (\u0061 for a): compare what it means.
      const key = last.includes('\\') ? unescaped(last) : last;
      if (known?.has(key) === true)
        return problem('malformed', 'body', 'A field stands twice in one object: send it once.');
      known?.add(key);
      if (++members > MAX_MEMBERS)
        return problem('limit-exceeded', 'body', `The body has more than ${String(MAX_MEMBERS)} fields.`);
    } else {
      const digits = /[\d.]{1,64}/y;
      digits.lastIndex = match.index;
      const number = digits.exec(text)?.[0] ?? '';
      if (number.replace('.', '').length > MAX_DIGITS)
        return problem(
          'invalid-value',
          'body',
          `A number of more than ${String(MAX_DIGITS)} digits would lose some: put it in quotes.`,
        );
      next.lastIndex = match.index + number.length;
    }
  }
  return null;
}

function unescaped(raw: string): string {
  try {
    return JSON.stringify(JSON.parse(raw));
  } catch {
    // A broken escape: the parser proper will refuse the whole text.
    return raw;
  }
}

/** NUL, and halves of surrogate pairs (RFC 7493 §2.1), are no text: nothing can store them, and dropped they make another value. */
function unsound(value: unknown): boolean {
  if (typeof value === 'string') return value.includes('\0') || !value.isWellFormed();
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([name, inner]) => unsound(name) || unsound(inner));
}

/** One JSON object; arrays and bare values are no messages. Nothing of the text is quoted in a problem. */
export function parseObject(text: string): JsonReading<JsonObject> {
  const found = hazard(text);
  if (found !== null) return { ok: false, problem: found };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refuse('malformed', 'body', 'The body is not valid JSON.');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return refuse('malformed', 'body', 'The body must be one JSON object.');
  // Only an escape can bring one: the decoder and the parser refuse both as they are.
  if (text.includes('\\u') && unsound(value))
    return refuse('invalid-value', 'body', 'A text holds U+0000 or half of a surrogate pair.');
  return { ok: true, value: value as JsonObject };
}
