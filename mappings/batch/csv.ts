/**
 * Comma-separated values (RFC 4180) as they arrive, in chunks of any size: quoted fields with doubled quotes and line
 * breaks, CRLF or LF, a byte order mark, UTF-8, UTF-16 or GB18030. Strict: a stray quote is an error, not a guess.
 */
import { isUtf8 } from 'node:buffer';
import iconv from 'iconv-lite';
import { fail, ok, problem, type Result } from '../../hub/core/problem.ts';

const LONGEST_FIELD = 65_536;
const MOST_FIELDS = 512;

export interface TextDecoderOfFile {
  write(bytes: Buffer): string;
  end(): string | undefined;
}

/** The character set of a file by its first bytes: the mark says it, else UTF-8 where it is clean, else GB18030. */
export function decoderFor(head: Buffer): TextDecoderOfFile {
  const marked =
    head[0] === 0xff && head[1] === 0xfe ? 'utf-16le' : head[0] === 0xfe && head[1] === 0xff ? 'utf-16be' : null;
  return iconv.getDecoder(marked ?? (isUtf8(wholeCharacters(head)) ? 'utf-8' : 'gb18030'));
}

/** Without the character that the end of the first chunk may have cut. */
function wholeCharacters(head: Buffer): Buffer {
  let end = head.length;
  while (end > 0 && end > head.length - 4 && ((head[end - 1] ?? 0) & 0xc0) === 0x80) end--;
  return head.subarray(0, ((head[end - 1] ?? 0) & 0xc0) === 0xc0 ? end - 1 : head.length);
}

type State = 'start' | 'plain' | 'quoted' | 'closed';

export class CsvParser {
  #state: State = 'start';
  #field = '';
  #row: string[] = [];
  #line = 1;
  #skipFeed = false;

  /** The rows that this chunk completes. */
  push(chunk: string): Result<string[][]> {
    const rows: string[][] = [];
    let from = 0;
    for (let at = 0; at < chunk.length; at++) {
      const code = chunk.charCodeAt(at);
      if (this.#skipFeed) {
        this.#skipFeed = false;
        if (code === LF) {
          from = at + 1;
          continue;
        }
      }
      if (this.#state === 'quoted') {
        if (code === LF) this.#line++;
        if (code !== QUOTE) continue;
        this.#field += chunk.slice(from, at);
        this.#state = 'closed';
        from = at + 1;
        continue;
      }
      if (code !== COMMA && code !== LF && code !== CR && code !== QUOTE) {
        if (this.#state === 'closed') return this.#wrong('text after a closing quote');
        this.#state = 'plain';
        continue;
      }
      if (code === QUOTE) {
        if (this.#state === 'plain') return this.#wrong('a quote inside an unquoted field');
        // Doubled inside quotes: the quote belongs to the value.
        if (this.#state === 'closed') this.#field += '"';
        this.#state = 'quoted';
        from = at + 1;
        continue;
      }
      this.#field += chunk.slice(from, at);
      from = at + 1;
      this.#endField();
      if (this.#row.length > MOST_FIELDS) return this.#wrong(`more than ${String(MOST_FIELDS)} fields`);
      if (code === COMMA) continue;
      this.#skipFeed = code === CR;
      this.#line++;
      if (!(this.#row.length === 1 && this.#row[0] === '')) rows.push(this.#row);
      this.#row = [];
    }
    this.#field += chunk.slice(from);
    return this.#field.length > LONGEST_FIELD ? this.#wrong('a field is too long, or a quote is not closed') : ok(rows);
  }

  /** The last row, where the file does not end with a line break. */
  end(): Result<string[][]> {
    if (this.#state === 'quoted') return this.#wrong('a quote is not closed');
    if (this.#row.length === 0 && this.#field === '') return ok([]);
    this.#endField();
    return ok([this.#row]);
  }

  #endField(): void {
    this.#row.push(this.#field);
    this.#field = '';
    this.#state = 'start';
  }

  #wrong(text: string): Result<string[][]> {
    return fail(problem('malformed', `line ${String(this.#line)}`, `Not CSV: ${text}.`));
  }
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const LF = 0x0a;
const CR = 0x0d;
