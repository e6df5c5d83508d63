/**
 * A lazy reader of HL7 v2 text: segments are cut once, fields only when asked for, and the raw text of every part stays
 * at hand. Any delimiters of MSH-1/MSH-2; segments end with CR, LF or CRLF; nothing is normalised away.
 */
import { fail, ok, problem, type Result } from '../../hub/core/problem.ts';
import type { Charset } from './charset.ts';
import { unescape, type Delimiters } from './escape.ts';

export const MAX_SEGMENTS = 20_000;
export const MAX_FIELDS = 1_000;
export const MAX_REPETITIONS = 1_000;
const MAX_PARTS = 200;

interface Codec {
  readonly delimiters: Delimiters;
  readonly charset: Charset;
}

const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]+/g;
const lines = (text: string): string => text.replace(/\r\n?/g, '\n');
const PADDING = /^[\s\u0000-\u001f\u007f]+|[\s\u0000-\u001f\u007f]+$/g;

/** What stands in a value for a control character: without it, two numbers of two patients would become one. */
export const NOT_TEXT = '\ufffd';

/** One repetition of a field. */
export class Field {
  readonly raw: string;
  readonly #codec: Codec;

  constructor(raw: string, codec: Codec) {
    this.raw = raw;
    this.#codec = codec;
  }

  /** `""`: the sender says there is none (v2.5.1 §2.5.3). */
  get isNull(): boolean {
    return this.raw === '""';
  }

  get isEmpty(): boolean {
    return this.raw === '' || this.isNull;
  }

  /** A subcomponent, decoded and trimmed; empty where absent or null. Components and subcomponents count from 1. */
  text(component = 1, sub = 1): string {
    const raw = nth(
      nth(this.raw, this.#codec.delimiters.component, component),
      this.#codec.delimiters.subcomponent,
      sub,
    );
    return notNull(this.#value(raw));
  }

  /** A component with its subcomponents, as sent but decoded. */
  component(component: number): string {
    const raw = nth(this.raw, this.#codec.delimiters.component, component);
    return notNull(this.#value(raw));
  }

  /** A component as sent: for base64 data, which has nothing to decode. */
  rawComponent(component: number): string {
    return nth(this.raw, this.#codec.delimiters.component, component);
  }

  /** The whole repetition decoded: for text types, whose senders often leave delimiters unescaped. */
  whole(): string {
    return this.isNull ? '' : this.#decode(this.raw).replace(CONTROLS, '');
  }

  #decode(raw: string): string {
    return lines(unescape(raw, this.#codec.delimiters, this.#codec.charset));
  }

  /** Senders pad with blanks and NUL; within a value a control character is damage. */
  #value(raw: string): string {
    return this.#decode(raw).replace(PADDING, '').replace(CONTROLS, NOT_TEXT);
  }
}

const notNull = (text: string): string => (text === '""' ? '' : text);

function nth(text: string, separator: string, index: number): string {
  if (separator === '') return index === 1 ? text : '';
  let start = 0;
  for (let at = 1; at < index && at < MAX_PARTS; at++) {
    const next = text.indexOf(separator, start);
    if (next < 0) return '';
    start = next + 1;
  }
  const end = text.indexOf(separator, start);
  return end < 0 ? text.slice(start) : text.slice(start, end);
}

export class Segment {
  readonly name: string;
  readonly raw: string;
  readonly #codec: Codec;
  #fields: readonly string[] | undefined;

  constructor(raw: string, codec: Codec) {
    const end = raw.indexOf(codec.delimiters.field);
    this.name = end < 0 ? raw.trim() : raw.slice(0, end);
    this.raw = raw;
    this.#codec = codec;
  }

  /** The field as sent, repetitions included; empty where absent. Header segments count their separator as field 1. */
  rawField(index: number): string {
    const header = this.name === 'MSH' || this.name === 'FHS' || this.name === 'BHS';
    if (header && index === 1) return this.#codec.delimiters.field;
    this.#fields ??= this.raw.split(this.#codec.delimiters.field, MAX_FIELDS);
    return this.#fields[header ? index - 1 : index] ?? '';
  }

  /** First repetition. */
  field(index: number): Field {
    const raw = this.rawField(index);
    const end = this.#codec.delimiters.repetition === '' ? -1 : raw.indexOf(this.#codec.delimiters.repetition);
    return new Field(end < 0 ? raw : raw.slice(0, end), this.#codec);
  }

  /** All repetitions that are not empty, with their place (from 1), at most MAX_REPETITIONS. */
  repetitions(index: number): readonly { readonly field: Field; readonly at: number }[] {
    const { repetition } = this.#codec.delimiters;
    const raw = this.rawField(index);
    const parts = repetition === '' ? [raw] : raw.split(repetition, MAX_REPETITIONS);
    return parts
      .map((part, at) => ({ field: new Field(part, this.#codec), at: at + 1 }))
      .filter(({ field }) => field.raw !== '');
  }

  /** The whole field as one value: for text types, where `~` means a new line (v2.5.1 §2.A.78). */
  whole(index: number): Field {
    return new Field(this.rawField(index), this.#codec);
  }

  text(index: number, component = 1, sub = 1): string {
    return this.field(index).text(component, sub);
  }
}

export class Message {
  readonly delimiters: Delimiters;
  readonly charset: Charset;
  readonly segments: readonly Segment[];
  readonly msh: Segment;

  constructor(msh: Segment, segments: readonly Segment[], codec: Codec) {
    this.msh = msh;
    this.segments = segments;
    this.delimiters = codec.delimiters;
    this.charset = codec.charset;
  }

  first(name: string): Segment | undefined {
    return this.segments.find((segment) => segment.name === name);
  }

  all(name: string): readonly Segment[] {
    return this.segments.filter((segment) => segment.name === name);
  }

  /** The message with CR after every segment; all else as it came. */
  serialise(): string {
    return this.segments.map((segment) => `${segment.raw}\r`).join('');
  }
}

/** Reads MSH-1 and MSH-2 (or the same of FHS, BHS); null where they cannot be delimiters. */
export function readDelimiters(text: string): Delimiters | null {
  const field = text.charAt(3);
  if (!/^(?:MSH|FHS|BHS)$/.test(text.slice(0, 3)) || !usable(field)) return null;
  let end = 4;
  while (end < 16 && end < text.length && !`${field}\r\n`.includes(text.charAt(end))) end++;
  const marks = text.slice(4, end);
  if (marks.length < 1 || marks.length > 5 || new Set(field + marks).size !== marks.length + 1) return null;
  if (!Array.from(marks).every(usable)) return null;
  const at = (index: number): string => marks.charAt(index);
  return { field, component: at(0), repetition: at(1), escape: at(2), subcomponent: at(3) };
}

const MARKS = '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~';
const usable = (char: string): boolean => char.length === 1 && MARKS.includes(char);

const MAX_LINES = 4 * MAX_SEGMENTS;
const tooMany = problem('limit-exceeded', undefined, `A message may have ${String(MAX_SEGMENTS)} segments.`);
const SEGMENT_NAME = /^[A-Z][A-Z0-9]{2}$/;

/** Cuts decoded text into segments. A line after LF that starts no segment continues the one before it. */
export function parseMessage(text: string, charset: Charset): Result<Message> {
  const delimiters = text.startsWith('MSH') ? readDelimiters(text) : null;
  if (delimiters === null) {
    return fail(problem('malformed', 'MSH-1', 'The message must begin with MSH, a field separator and MSH-2.'));
  }
  const codec = { delimiters, charset };
  const raws: string[] = [];
  const crOnly = text.includes('\r');
  let start = 0;
  while (start < text.length) {
    const cr = text.indexOf('\r', start);
    const end = cr < 0 ? text.length : cr;
    const lines = text.slice(start, end).split('\n', MAX_LINES);
    if (lines.length === MAX_LINES) return fail(tooMany);
    for (const [at, line] of lines.entries()) {
      const name = line.slice(0, 3);
      const named = SEGMENT_NAME.test(name) && (line.length === 3 || line.charAt(3) === delimiters.field);
      if (at > 0 && crOnly && !named && line.trim() !== '' && raws.length > 0)
        raws.push(`${raws.pop() ?? ''}\n${line}`);
      else if (line.trim() !== '') raws.push(line);
    }
    if (raws.length > MAX_SEGMENTS) return fail(tooMany);
    start = end + 1;
  }
  const segments = raws.map((raw) => new Segment(raw, codec));
  const msh = segments[0];
  return msh === undefined ? fail(problem('malformed', 'MSH-1')) : ok(new Message(msh, segments, codec));
}
