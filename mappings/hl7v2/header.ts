/**
 * Reads MSH from raw bytes, before the charset of the rest is known and before anyone knows the sender: what routing,
 * acknowledging and filing need, and nothing else.
 */
import { isUtf8 } from 'node:buffer';
import iconv from 'iconv-lite';
import { fail, ok, problem, type Result } from '../../hub/core/problem.ts';
import { bomLength, looksWide } from './charset.ts';
import { STANDARD, type Delimiters } from './escape.ts';
import { readDelimiters, Segment } from './message.ts';

export interface Hl7Header {
  readonly delimiters: Delimiters;
  readonly segment: Segment;
  /** MSH-3 and MSH-4: namespace, or the universal id where there is none. */
  readonly application: string;
  readonly facility: string;
  readonly messageCode: string;
  readonly trigger: string;
  /** MSH-9.1 and .2 as `ADT^A04`. */
  readonly messageType: string;
  readonly controlId: string;
  readonly processingId: string;
  readonly version: string;
  /** MSH-18, repetitions as sent. */
  readonly charsets: readonly string[];
  /** Offset of MSH in the bytes: after a byte order mark and blank lines. */
  readonly offset: number;
}

const MAX_HEADER = 8_192;
const BLANKS = new Set([0x0a, 0x0d, 0x20, 0x09]);

/** Where the first segment begins. */
export function startOf(bytes: Buffer): number {
  let at = bomLength(bytes);
  while (at < bytes.length && at < 1_024 && BLANKS.has(bytes[at] ?? 0)) at++;
  return at;
}

function endOfLine(bytes: Buffer, from: number): number {
  const cr = bytes.indexOf(0x0d, from);
  const head = cr < 0 ? bytes.subarray(from) : bytes.subarray(from, cr);
  const lf = head.indexOf(0x0a);
  return from + (lf < 0 ? head.length : lf);
}

const named = (segment: Segment, field: number): string => segment.text(field, 1) || segment.text(field, 2);

/** Fails only where MSH cannot be found or has no usable delimiters. Its fields are judged by `inspectHl7`. */
export function readHeader(bytes: Buffer): Result<Hl7Header> {
  if (looksWide(bytes)) {
    return fail(problem('charset', 'MSH-18', 'UTF-16 and UTF-32 cannot be framed by MLLP; send UTF-8 or GB18030.'));
  }
  const offset = startOf(bytes);
  const line = bytes.subarray(offset, Math.min(endOfLine(bytes, offset), offset + MAX_HEADER));
  const text = isUtf8(line) ? line.toString('utf8') : iconv.decode(line, 'GB18030', { stripBOM: false });
  const delimiters = text.startsWith('MSH') ? readDelimiters(text) : null;
  if (delimiters === null) {
    return fail(problem('malformed', 'MSH-1', 'The message must begin with MSH, a field separator and MSH-2.'));
  }
  const segment = new Segment(text, { delimiters, charset: 'UTF-8' });
  const messageCode = segment.text(9, 1);
  const trigger = segment.text(9, 2);
  return ok({
    delimiters,
    segment,
    application: named(segment, 3),
    facility: named(segment, 4),
    messageCode,
    trigger,
    messageType: trigger === '' ? messageCode : `${messageCode}^${trigger}`,
    controlId: segment.text(10),
    processingId: segment.text(11),
    version: segment.text(12),
    charsets: segment.repetitions(18).map(({ field }) => field.text(1)),
    offset,
  });
}

/** `[2, 5]` of `2.5.1`; null where it is no version. */
export function versionOf(text: string): readonly [number, number] | null {
  const match = /^(\d)\.(\d)(?:\.\d{1,2})?$/.exec(text);
  return match === null ? null : [Number(match[1]), Number(match[2])];
}

/** True from 2.5 on, where ERR has its fields; an unreadable version is answered as 2.5. */
export const sinceVersion = (version: string, minor: number): boolean => {
  const parsed = versionOf(version);
  return parsed === null ? minor <= 5 : parsed[0] > 2 || parsed[1] >= minor;
};

/** Delimiters to answer with: the sender's where they can carry every sequence, else the standard ones. */
export const answerDelimiters = (header: Hl7Header | null): Delimiters =>
  header === null || header.delimiters.subcomponent === '' ? STANDARD : header.delimiters;
