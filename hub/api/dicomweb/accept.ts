/**
 * What the caller accepts (PS3.18 §8.7, RFC 9110 §12.5.1): media ranges in order of preference, read with bounds, since
 * the header is as foreign as any other input.
 */
import type { Request } from 'express';
import { fail, ok, problem } from '../../core/problem.ts';
import type { Result } from '../../core/problem.ts';

export interface MediaRange {
  /** Lower case: `multipart/related`, or with stars. */
  readonly type: string;
  /** Names in lower case, values unquoted; `q` is taken out. */
  readonly parameters: ReadonlyMap<string, string>;
  readonly quality: number;
}

const LENGTH_LIMIT = 8192;
const COUNT_LIMIT = 64;
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** Ranges by falling quality, in the caller's order where equal; what has quality 0 is not accepted and left out. */
export function acceptedBy(request: Request): Result<readonly MediaRange[]> {
  // PS3.18 §8.3.3.1: the query parameter is for callers that cannot set the header, and wins over it.
  const query = request.query.accept;
  const asked = typeof query === 'string' && query !== '' ? query : (request.headers.accept ?? '');
  return parseAccept(asked);
}

export function parseAccept(text: string): Result<readonly MediaRange[]> {
  if (text.length > LENGTH_LIMIT) return refused('The Accept header is too long.');
  const parts = splitOutsideQuotes(text, ',').filter((part) => part.trim() !== '');
  if (parts.length > COUNT_LIMIT) return refused('The Accept header has too many media types.');
  const ranges: MediaRange[] = [];
  for (const part of parts) {
    const range = parseMediaType(part);
    if (range === null) return refused('The Accept header cannot be read: a media type is malformed.');
    ranges.push(range);
  }
  if (ranges.length === 0) ranges.push({ type: '*/*', parameters: new Map(), quality: 1 });
  return ok(ranges.filter((range) => range.quality > 0).sort((one, other) => other.quality - one.quality));
}

/** One media type with its parameters, as in Accept and Content-Type; null where malformed. */
export function parseMediaType(text: string): MediaRange | null {
  const [head = '', ...rest] = splitOutsideQuotes(text, ';');
  const type = head.trim().toLowerCase();
  const [major = '', minor = '', ...more] = type.split('/');
  if (more.length > 0 || !TOKEN.test(major) || !TOKEN.test(minor)) return null;
  const parameters = new Map<string, string>();
  let quality = 1;
  for (const piece of rest) {
    if (piece.trim() === '') continue;
    const at = piece.indexOf('=');
    if (at < 0) return null;
    const name = piece.slice(0, at).trim().toLowerCase();
    const value = unquoted(piece.slice(at + 1).trim());
    if (!TOKEN.test(name) || value === null) return null;
    if (name !== 'q') parameters.set(name, value);
    else if (/^(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(value)) quality = Number(value);
    else return null;
  }
  return { type, parameters, quality };
}

const refused = (text: string): Result<never> => fail(problem('invalid-value', 'Accept', text));

function unquoted(text: string): string | null {
  if (!text.startsWith('"')) return /[\s"]/.test(text) ? null : text;
  if (text.length < 2 || !text.endsWith('"')) return null;
  return text.slice(1, -1).replace(/\\(.)/g, '$1');
}

function splitOutsideQuotes(text: string, separator: string): string[] {
  const parts: string[] = [];
  let quoted = false;
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    const letter = text[at];
    if (letter === '\\' && quoted) at++;
    else if (letter === '"') quoted = !quoted;
    else if (letter === separator && !quoted) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}
