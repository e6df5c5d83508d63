/**
 * Text of DICOM elements (PS3.5 §6.1, PS3.3 §C.12.1.1.2) as a Chinese province sends it: declared rightly, wrongly or
 * not at all. Bytes are never changed; this only decides how the index reads them.
 */
import iconv from 'iconv-lite';
import { GRAPHIC_SETS, SINGLE, escapeAt } from './iso-2022.ts';
import type { GraphicSet } from './iso-2022.ts';

export type Charset =
  | { readonly kind: 'whole'; readonly name: string; readonly encoding: string }
  /** Code extensions: G0 and G1 as value 1 of (0008,0005) sets them, and the multi-byte G1 that may stand in for a missing escape. */
  | {
      readonly kind: 'iso-2022';
      readonly name: string;
      readonly g0: GraphicSet;
      readonly g1: GraphicSet | null;
      readonly spare: GraphicSet | null;
    };

export interface CharsetChoice {
  readonly charset: Charset;
  /** Why the declaration was not believed, or what was done without one; null where it holds. Names no patient. */
  readonly suspect: string | null;
}

const whole = (name: string, encoding: string): Charset => ({ kind: 'whole', name, encoding });
export const UTF8 = whole('ISO_IR 192', 'utf8');
export const GB18030 = whole('GB18030', 'gb18030');
const BIG5 = whole('Big5', 'big5');
const LATIN1 = whole('ISO_IR 100', 'iso-8859-1');
const ASCII = whole('ISO_IR 6', 'ascii');

/** How vendors and people write the sets that replace ISO 2022 as a whole. */
const WHOLE: Readonly<Record<string, Charset>> = {
  GB18030,
  'GB 18030': GB18030,
  'GB18030-2000': GB18030,
  'GB 18030-2000': GB18030,
  GBK: GB18030,
  'ISO 2022 GBK': GB18030,
  'ISO_IR GBK': GB18030,
  GB2312: GB18030,
  CP936: GB18030,
  'ISO_IR 58': GB18030,
  'ISO_IR 192': UTF8,
  'ISO 2022 IR 192': UTF8,
  'UTF-8': UTF8,
  UTF8,
  BIG5,
};

/** Reads one (0008,0005) or a site's override; null where a value is unknown. */
export function parseCharset(values: readonly string[]): Charset | null {
  const names = values.map((value) =>
    value
      .trim()
      .toUpperCase()
      .replace(/^ISO-IR[ _]?/, 'ISO_IR ')
      .replace(/^ISO IR /, 'ISO_IR ')
      .replace(/^ISO_IR(?=\d)/, 'ISO_IR '),
  );
  const declared = names.filter((name) => name !== '');
  if (declared.length === 0) return null;
  for (const name of declared) {
    const set = WHOLE[name];
    if (set) return set;
  }
  if (declared.length === 1 && names.length === 1 && !(declared[0] ?? '').startsWith('ISO 2022'))
    return singleSet(declared[0] ?? '');
  return extended(names);
}

function singleSet(name: string): Charset | null {
  const number = /^ISO_IR (\d+)$/.exec(name)?.[1];
  if (number === '6') return ASCII;
  if (number === '13') return extended(['ISO 2022 IR 13']);
  const encoding = number === undefined ? undefined : SINGLE[number];
  return encoding === undefined ? null : whole(name, encoding);
}

function extended(names: readonly string[]): Charset | null {
  const numbers = names.map((name) =>
    name === '' ? '6' : (/^ISO (?:2022 |_)?IR (\d+)$|^ISO_IR (\d+)$/.exec(name)?.slice(1).find(Boolean) ?? ''),
  );
  const sets = numbers.map((number) => GRAPHIC_SETS[number]);
  if (sets.some((set) => set === undefined)) return null;
  const first = sets[0];
  const g0 = first?.g0?.width === 1 ? first.g0 : GRAPHIC_SETS['6']?.g0;
  const wide = sets.find((set) => set?.g1?.width === 2)?.g1 ?? null;
  if (!g0) return null;
  const g1 = first?.g1 ?? null;
  return { kind: 'iso-2022', name: names.join('\\'), g0, g1: g1?.width === 2 ? null : g1, spare: wide };
}

/** Decodes one element's value (all its values together: a backslash may be half a character). */
export function decodeText(bytes: Buffer, charset: Charset, vr: string): string {
  if (isAscii(bytes)) return bytes.toString('latin1', 0, bytes.length);
  if (charset.kind === 'whole') return decodeWhole(bytes, charset.encoding);
  return decodeIso2022(bytes, charset, vr);
}

function decodeWhole(bytes: Buffer, encoding: string): string {
  // `ascii` masks the eighth bit in Node; what should not be there is shown as a replacement character instead.
  if (encoding === 'ascii') return bytes.toString('latin1', 0, bytes.length).replace(/[\u0080-\u00ff]/g, '\ufffd');
  if (encoding === 'utf8') return bytes.toString('utf8', 0, bytes.length);
  if (encoding === 'iso-8859-1') return bytes.toString('latin1', 0, bytes.length);
  return iconv.decode(bytes, encoding);
}

/** Text without escape and without the eighth bit reads the same in every set. */
function isAscii(bytes: Buffer): boolean {
  for (const byte of bytes) if (byte >= 0x80 || byte === 0x1b) return false;
  return true;
}

const SINGLE_VALUED = new Set(['ST', 'LT', 'UT']);

/** PS3.5 §6.4: backslash separates values, except in ST, LT and UT. */
export function splitValues(text: string, vr: string): string[] {
  if (SINGLE_VALUED.has(vr)) return [text.replace(/[ \0]+$/, '')];
  return text.split('\\').map(trimPadding);
}

/** PS3.5 §6.2: values are padded with a blank, UIDs with NUL; field devices mix both and lead with blanks too. */
export function trimPadding(text: string): string {
  let start = 0;
  let end = text.length;
  while (end > start && isPadding(text.charCodeAt(end - 1))) end--;
  while (start < end && isPadding(text.charCodeAt(start))) start++;
  return start === 0 && end === text.length ? text : text.slice(start, end);
}

const isPadding = (code: number): boolean => code === 0x20 || code === 0;

/** PS3.5 §6.1.2.5: escapes designate G0 and G1; both return to value 1's sets at delimiters and control characters. */
function decodeIso2022(bytes: Buffer, charset: Extract<Charset, { kind: 'iso-2022' }>, vr: string): string {
  let g0 = charset.g0;
  let g1 = charset.g1;
  let text = '';
  let at = 0;
  while (at < bytes.length) {
    const byte = bytes[at] ?? 0;
    if (byte === 0x1b) {
      const escape = escapeAt(bytes, at);
      if (escape) {
        if (escape.set.right) g1 = escape.set;
        else g0 = escape.set;
        at += escape.length;
      } else {
        text += '\ufffd';
        at++;
      }
      continue;
    }
    if (byte < 0x20 || (g0.width === 1 && isDelimiter(byte, vr))) {
      text += String.fromCharCode(byte);
      g0 = charset.g0;
      g1 = charset.g1;
      at++;
      continue;
    }
    const set = byte < 0x80 ? g0 : (g1 ?? charset.spare);
    const end = runEnd(bytes, at, byte < 0x80, set?.width ?? 1, g0.width, vr);
    text += set ? set.decode(bytes.subarray(at, end)) : '\ufffd'.repeat(end - at);
    at = end;
  }
  return text;
}

/** The end of the bytes from `at` that belong to the same half of the code table and hold no delimiter. */
function runEnd(bytes: Buffer, at: number, left: boolean, width: number, leftWidth: number, vr: string): number {
  let end = at;
  while (end < bytes.length) {
    const byte = bytes[end] ?? 0;
    if (byte < 0x20 || byte < 0x80 !== left) break;
    if (left && leftWidth === 1 && end > at && isDelimiter(byte, vr)) break;
    end += width;
  }
  return Math.min(Math.max(end, at + 1), bytes.length);
}

const isDelimiter = (byte: number, vr: string): boolean =>
  byte === 0x5c ? !SINGLE_VALUED.has(vr) : vr === 'PN' && (byte === 0x5e || byte === 0x3d);

/**
 * Decides the set of a data set from its declaration, the site's word and samples of its text (CODES §7.1): the site's
 * override, then the declaration where it decodes cleanly and plausibly, then what the bytes look like.
 */
export function chooseCharset(
  declared: readonly string[],
  samples: readonly Buffer[],
  site: { readonly charset?: string; readonly defaultCharset?: string },
): CharsetChoice {
  const override = site.charset === undefined ? null : parseCharset(site.charset.split('\\'));
  if (override) return { charset: override, suspect: null };
  const foreign = samples.filter((bytes) => !isAscii(bytes));
  const named = parseCharset(declared);
  const bare = declared.every((value) => value.trim() === '');
  if (foreign.length === 0) {
    return { charset: named ?? UTF8, suspect: named || bare ? null : 'The declared character set is unknown.' };
  }
  if (named && isClean(foreign, named)) {
    const better = plausible(foreign, named);
    return better
      ? { charset: better, suspect: `The text is ${better.name} though ${named.name} is declared.` }
      : { charset: named, suspect: null };
  }
  const fallback = bare && site.defaultCharset !== undefined ? parseCharset(site.defaultCharset.split('\\')) : null;
  if (fallback && isClean(foreign, fallback)) return { charset: fallback, suspect: null };
  const found = [UTF8, GB18030, BIG5].find((candidate) => isClean(foreign, candidate)) ?? LATIN1;
  const said = bare ? 'no character set is declared' : 'the declared character set does not decode it';
  return { charset: found, suspect: `The text was read as ${found.name}: ${said}.` };
}

const isClean = (samples: readonly Buffer[], charset: Charset): boolean =>
  samples.every((bytes) => !/[\ufffd\u0080-\u009f]/.test(decodeText(bytes, charset, 'LO')));

/**
 * A single-byte set decodes everything, and GB18030 nearly everything, so a clean decoding proves little: UTF-8 that
 * gives Han text is not chance, nor are high bytes that come in pairs of GB 2312's Han area (never seen in European names).
 */
function plausible(samples: readonly Buffer[], named: Charset): Charset | null {
  if (named === UTF8 || named.kind === 'iso-2022') return null;
  const foreign = Buffer.concat(samples.flatMap((bytes) => [bytes, Buffer.from('\n')]));
  if (named === GB18030 || named === BIG5) {
    return isClean([foreign], UTF8) &&
      (foreign.toString('utf8', 0, foreign.length).match(/\p{Script=Han}/gu)?.length ?? 0) >= 2
      ? UTF8
      : null;
  }
  if (isClean([foreign], UTF8)) return UTF8;
  const text = iconv.decode(foreign, 'gb18030');
  if (text.includes('\ufffd')) return null;
  const foreignText = text.replace(/[\0-\x7f]/g, '');
  const han = text.match(/[\p{Script=Han}\u00b7\u2014\u3000-\u3011\uff00-\uff5e]/gu)?.length ?? 0;
  return han === Array.from(foreignText).length && pairsInHanArea(foreign) * 2 > han ? GB18030 : null;
}

/** Pairs of bytes in GB 2312's Han area (B0–F7, A1–FE), counted through runs of high bytes from their start. */
function pairsInHanArea(bytes: Buffer): number {
  let pairs = 0;
  for (let at = 0; at + 1 < bytes.length;) {
    const [lead = 0, trail = 0] = [bytes[at], bytes[at + 1]];
    if (lead < 0x81) {
      at++;
      continue;
    }
    if (lead >= 0xb0 && lead <= 0xf7 && trail >= 0xa1) pairs++;
    at += 2;
  }
  return pairs;
}
