/** HL7 escape sequences (v2.5.1 §2.7): decoding for the index, encoding for what the hub writes itself. */
import { decodeClean, type Charset } from './charset.ts';

export interface Delimiters {
  readonly field: string;
  readonly component: string;
  readonly repetition: string;
  /** Empty where MSH-2 names none: then nothing is escaped. */
  readonly escape: string;
  readonly subcomponent: string;
}

export const STANDARD: Delimiters = { field: '|', component: '^', repetition: '~', escape: '\\', subcomponent: '&' };

/** Longest escape body looked at; a longer one is text that happens to hold the escape character. */
const LONGEST = 4096;
/** ISO 2022 designations of GB2312 (`ESC $ A`, `ESC $ ) A`) as they stand in `\M…\`. */
const GB2312_SWITCH = /^M(?:2441|242941)$/i;

function decodeBody(body: string, d: Delimiters, charset: Charset): string | null {
  switch (body) {
    case 'F':
      return d.field;
    case 'S':
      return d.component;
    case 'T':
      return d.subcomponent;
    case 'R':
      return d.repetition;
    case 'E':
      return d.escape;
    case 'P':
      return '#';
    case 'H':
    case 'N':
      return ''; // highlighting on and off: no text of its own
  }
  if (body.startsWith('.')) return formatting(body);
  if (/^X(?:[0-9A-Fa-f]{2})+$/.test(body)) {
    const bytes = Buffer.from(body.slice(1), 'hex');
    return decodeClean(bytes, charset) ?? decodeClean(bytes, 'UTF-8') ?? bytes.toString('latin1');
  }
  return /^C[0-9A-Fa-f]{4}$/.test(body) ? '' : null;
}

/** Formatting commands of FT (v2.5.1 §2.7.6): line ends matter to a reader, indents and fill modes do not. */
function formatting(body: string): string | null {
  const match = /^\.(br|sp|ce|fi|nf|in|ti|sk)\s*([+-]?\d{0,3})$/i.exec(body);
  if (match === null) return null;
  const count = Math.min(Math.max(Number(match[2] ?? '') || 1, 1), 20);
  switch (match[1]?.toLowerCase()) {
    case 'br':
    case 'ce':
      return '\n';
    case 'sp':
      return '\n'.repeat(count);
    case 'sk':
      return ' '.repeat(count);
    default:
      return '';
  }
}

/** Decodes all sequences; an unknown one stays as it was sent. */
export function unescape(text: string, d: Delimiters, charset: Charset): string {
  if (d.escape === '' || !text.includes(d.escape)) return text;
  const out: string[] = [];
  let at = 0;
  for (;;) {
    const open = text.indexOf(d.escape, at);
    const close = open < 0 ? -1 : text.indexOf(d.escape, open + 1);
    if (open < 0 || close < 0) break;
    const body = close - open - 1 > LONGEST && text[open + 1] !== 'X' ? null : text.slice(open + 1, close);
    if (body !== null && GB2312_SWITCH.test(body)) {
      const end = text.indexOf(d.escape, close + 1);
      const run = text.slice(close + 1, end < 0 ? text.length : end);
      out.push(text.slice(at, open), sevenBitGb2312(run));
      at = end < 0 ? text.length : end;
      continue;
    }
    const value = body === null ? null : decodeBody(body, d, charset);
    if (value === null) {
      // Not a sequence: the first escape character is text, the second may open one.
      out.push(text.slice(at, close));
      at = close;
      if (!text.includes(d.escape, close + 1)) break;
      continue;
    }
    out.push(text.slice(at, open), value);
    at = close + 1;
  }
  out.push(text.slice(at));
  return out.join('');
}

/** After a switch to GB2312 in 7 bits each pair of letters is one character; 8-bit text was decoded already. */
function sevenBitGb2312(run: string): string {
  if (run.length % 2 !== 0 || !/^[\x21-\x7e]+$/.test(run)) return run;
  const bytes = Buffer.from(run, 'latin1').map((byte) => byte | 0x80);
  return decodeClean(Buffer.from(bytes), 'GB18030') ?? run;
}

/** Encodes text so that `unescape` gives it back: delimiters, the escape character, and line ends. */
export function escape(text: string, d: Delimiters = STANDARD): string {
  if (d.escape === '') return text;
  const e = d.escape;
  let out = '';
  for (const char of text) {
    if (char === e) out += `${e}E${e}`;
    else if (char === d.field) out += `${e}F${e}`;
    else if (char === d.component) out += `${e}S${e}`;
    else if (char === d.repetition) out += `${e}R${e}`;
    else if (char === d.subcomponent) out += `${e}T${e}`;
    else if (char === '\n') out += `${e}.br${e}`;
    else if (char === '\r') out += `${e}X0D${e}`;
    else out += char;
  }
  return out;
}
