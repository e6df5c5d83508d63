/**
 * Decides the character set of an HL7 v2 message before anything is split, because GB18030 trail bytes include `|`,
 * `^`, `~` and `\`. Order of belief: the site's override, a declaration that decodes cleanly, the site's default, the
 * bytes themselves (UTF-8, then GB18030, then Big5, then sparse Latin-1); every doubt becomes a finding.
 */
import { isAscii, isUtf8 } from 'node:buffer';
import iconv from 'iconv-lite';
import { problem, ok, fail, type Finding, type Result } from '../../hub/core/problem.ts';

/** The name iconv-lite knows; `ASCII` decodes only 7-bit input. */
export type Charset = string;

export interface CharsetBelief {
  readonly charset?: string;
  readonly defaultCharset?: string;
}

export interface Decoded {
  readonly text: string;
  readonly charset: Charset;
  readonly findings: readonly Finding[];
}

/** HL7 table 0211 and the spellings seen in the field, reduced to letters and digits. */
const LABELS: ReadonlyMap<string, Charset> = new Map([
  ...['ASCII', 'USASCII', 'ISOIR6', 'ISO646', 'ANSIX341968'].map((label) => [label, 'ASCII'] as const),
  ...['UNICODEUTF8', 'UTF8', 'UNICODE', 'ISOIR192', 'UTF8MB4'].map((label) => [label, 'UTF-8'] as const),
  ...['GB180302000', 'GB18030', 'GB180302005', 'GB180302022', 'GBK', 'GB2312', 'GB231280', 'GB23121980'].map(
    (label) => [label, 'GB18030'] as const,
  ),
  ...['CP936', 'MS936', 'WINDOWS936', 'EUCCN', 'ISOIR58', 'ISO2022IR58'].map((label) => [label, 'GB18030'] as const),
  ...['BIG5', 'BIG5HKSCS', 'CP950', 'WINDOWS950'].map((label) => [label, 'Big5'] as const),
  ...['UTF16', 'UNICODEUTF16', 'UTF16LE', 'UTF16BE', 'UCS2'].map((label) => [label, 'UTF-16'] as const),
  ...['UTF32', 'UNICODEUTF32'].map((label) => [label, 'UTF-32'] as const),
  ...['CP1252', 'WINDOWS1252'].map((label) => [label, 'windows-1252'] as const),
  ...['LATIN1', 'ISOIR100'].map((label) => [label, 'ISO-8859-1'] as const),
]);

/** The charset a declaration means, or null for one that this hub does not know. */
export function charsetOf(label: string): Charset | null {
  const key = label
    .normalize('NFKC')
    .toUpperCase()
    .replace(/[^A-Z0-9]/g, '');
  const known = LABELS.get(key);
  if (known !== undefined) return known;
  const part = /^(?:ISO)?8859(1[0-6]|[1-9])$/.exec(key)?.[1];
  return part === undefined || part === '12' ? null : `ISO-8859-${part}`;
}

const suspect = (text: string): Finding => ({ code: 'charset-suspect', where: 'MSH-18', text });
const LONE_SURROGATE = /\p{Surrogate}/u;
const wide = (charset: Charset): boolean => charset === 'UTF-16' || charset === 'UTF-32';
const singleByte = (charset: Charset): boolean => charset.startsWith('ISO-8859') || charset === 'windows-1252';

/** The text where every byte decodes to a character of the set, else null. */
export function decodeClean(bytes: Buffer, charset: Charset): string | null {
  if (charset === 'ASCII') return isAscii(bytes) ? bytes.toString('latin1') : null;
  if (charset === 'UTF-8') return isUtf8(bytes) ? bytes.toString('utf8') : null;
  if (wide(charset)) return null;
  const text = iconv.decode(bytes, charset, { stripBOM: false });
  if (text.includes('\uFFFD') || LONE_SURROGATE.test(text)) return null;
  return singleByte(charset) && /[\u0080-\u009f]/.test(text) ? null : text;
}

const HIGH_RUNS = /[\x80-\xff]+/g;
const GB2312_PAIRS = /^(?:[\xa1-\xa9\xb0-\xf7][\xa1-\xfe])+$/;
const BIG5_FREQUENT = /^(?:[\xa4-\xc6][\x40-\x7e\xa1-\xfe])+/;
const CHINESE_ONLY =
  /^[\u2010-\u203f\u2150-\u22ff\u2460-\u25ff\u3000-\u303f\u3105-\u312f\u3400-\u9fff\uff00-\uffef\u00b7\u{20000}-\u{3ffff}]+$/u;

/** A bounded look at the non-ASCII runs, as Latin-1 text. */
function highRuns(bytes: Buffer): readonly string[] {
  const runs: string[] = [];
  for (const [run] of bytes.toString('latin1', 0, 1 << 20).matchAll(HIGH_RUNS)) {
    if (runs.push(run) >= 4096) break;
  }
  return runs;
}

const looksLikeGb2312 = (runs: readonly string[]): boolean => runs.every((run) => GB2312_PAIRS.test(run));
const looksSparse = (runs: readonly string[]): boolean => runs.every((run) => /^[\xa0-\xff]$/.test(run));

/** Two fifths of Big5 characters have an ASCII trail byte, which ends a run oddly; in GBK text only rare ones have. */
function looksLikeBig5(bytes: Buffer, runs: readonly string[]): boolean {
  const odd = runs.filter((run) => run.length % 2 === 1).length;
  const characters = runs.reduce((sum, run) => sum + Math.ceil(run.length / 2), 0);
  if (odd < 2 || odd * 4 < characters || decodeClean(bytes, 'Big5') === null) return false;
  return runs.every((run) => run.length === 1 || BIG5_FREQUENT.test(run));
}

/** Valid UTF-8 whose every non-ASCII character is Chinese, more than once: not by accident (unlike `联通` in GBK). */
function surelyUtf8(bytes: Buffer): boolean {
  if (!isUtf8(bytes)) return false;
  const wideText = bytes
    .toString('utf8', 0, 1 << 20)
    .replace(/[^\u0080-\u{10ffff}]/gu, '')
    .replaceAll('\uFFFD', '');
  return Array.from(wideText.slice(0, 4)).length >= 2 && CHINESE_ONLY.test(wideText);
}

const LATIN_RUN = /[\u0080-\u00ff]{3,}/g;

/**
 * Chinese text that was read as Latin-1 and encoded again (`ÕÅÈý` for 张三) is turned back where the run is long
 * enough that no European word explains it.
 */
export function repairMojibake(text: string): { readonly text: string; readonly repaired: number } {
  let repaired = 0;
  const result = text.replace(LATIN_RUN, (run) => {
    const bytes = Buffer.from(run, 'latin1');
    const utf8 = decodeClean(bytes, 'UTF-8');
    if (utf8 !== null && CHINESE_ONLY.test(utf8)) {
      repaired++;
      return utf8;
    }
    if (run.length < 4 || !GB2312_PAIRS.test(run)) return run;
    const gb = decodeClean(bytes, 'GB18030');
    if (gb === null || !/^[\u4e00-\u9fff]+$/.test(gb)) return run;
    repaired++;
    return gb;
  });
  return { text: result, repaired };
}

/** Length of a byte order mark that some senders put before MSH: UTF-8, or U+FEFF in GB18030. */
export function bomLength(bytes: Buffer): number {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return 3;
  return bytes.length >= 4 && bytes.readUInt32BE(0) === 0x84319533 ? 4 : 0;
}

/** Text in two- or four-byte units, told by its mark or by the zeros around its first letter (MSH, FHS, BHS). */
export function looksWide(bytes: Buffer): boolean {
  if (bytes.length < 4) return false;
  const mark = bytes.readUInt16BE(0);
  if (mark === 0xfffe || mark === 0xfeff) return true;
  return /^(?:[MFB]\0[SH]\0|\0[MFB]\0[SH]|[MFB]\0\0\0|\0\0\0[MFB])/.test(bytes.toString('latin1', 0, 4));
}

interface Choice {
  readonly charset: Charset;
  readonly text: string;
  readonly note?: string;
}

/** The first declared charset that explains the bytes; a single-byte one only where nothing better does. */
function believeDeclared(bytes: Buffer, declared: readonly Charset[]): Choice | null {
  for (const charset of declared) {
    const text = decodeClean(bytes, charset);
    if (text === null) continue;
    if (charset === 'UTF-8' || charset === 'ASCII') return { charset, text };
    if (surelyUtf8(bytes)) {
      return { charset: 'UTF-8', text: bytes.toString('utf8'), note: `declared ${charset}, but the bytes are UTF-8` };
    }
    const gb = singleByte(charset) && looksLikeGb2312(highRuns(bytes)) ? decodeClean(bytes, 'GB18030') : null;
    if (gb !== null) return { charset: 'GB18030', text: gb, note: `declared ${charset}, but the bytes are GB18030` };
    return { charset, text };
  }
  return null;
}

function detect(bytes: Buffer): Choice | null {
  const utf8 = decodeClean(bytes, 'UTF-8');
  if (utf8 !== null) return { charset: 'UTF-8', text: utf8 };
  const runs = highRuns(bytes);
  const gb = decodeClean(bytes, 'GB18030');
  if (gb !== null) {
    const both = looksLikeBig5(bytes, runs);
    return { charset: 'GB18030', text: gb, ...(both ? { note: 'undeclared; read as GB18030, could be Big5' } : {}) };
  }
  const big5 = decodeClean(bytes, 'Big5');
  if (big5 !== null) return { charset: 'Big5', text: big5, note: 'undeclared; read as Big5' };
  const latin = looksSparse(runs) ? decodeClean(bytes, 'ISO-8859-1') : null;
  return latin === null ? null : { charset: 'ISO-8859-1', text: latin, note: 'undeclared; read as ISO 8859-1' };
}

/** `declared` are the repetitions of MSH-18 as sent (HL7 v2.5.1 §2.15.9.18). */
export function decodeMessage(source: Buffer, declared: readonly string[], belief: CharsetBelief): Result<Decoded> {
  if (looksWide(source)) {
    return fail(problem('charset', 'MSH-18', 'UTF-16 and UTF-32 cannot be framed by MLLP; send UTF-8 or GB18030.'));
  }
  const bytes = source.subarray(bomLength(source));
  const findings: Finding[] = [];
  const known = (label: string): Charset | null => {
    const charset = charsetOf(label);
    if (charset === null) findings.push(suspect('the declared character set is not known; the bytes decided'));
    return charset;
  };
  const override = belief.charset === undefined ? null : charsetOf(belief.charset);
  const labels = declared.map((label) => label.trim()).filter((label) => label !== '');
  const named = labels.map(known).filter((charset): charset is Charset => charset !== null && !wide(charset));
  const fallback = belief.defaultCharset === undefined ? null : charsetOf(belief.defaultCharset);
  if (isAscii(bytes)) {
    const charset = override ?? named.find((name) => name !== 'ASCII') ?? named[0] ?? fallback ?? 'ASCII';
    return ok({ text: bytes.toString('latin1'), charset, findings });
  }
  const choice = choose(bytes, override, named, fallback, findings);
  if (choice === null) {
    return fail(
      problem('charset', 'MSH-18', 'The bytes are neither the declared character set nor UTF-8 nor GB18030.'),
    );
  }
  if (choice.note !== undefined) findings.push(suspect(choice.note));
  const { text, repaired } = repairMojibake(choice.text);
  if (repaired > 0) findings.push(suspect('text was encoded twice (Chinese read as Latin-1); it was turned back'));
  return ok({ text, charset: choice.charset, findings });
}

function choose(
  bytes: Buffer,
  override: Charset | null,
  named: readonly Charset[],
  fallback: Charset | null,
  findings: Finding[],
): Choice | null {
  if (override !== null) {
    const text = decodeClean(bytes, override);
    if (text !== null) {
      const doubt = override !== 'UTF-8' && surelyUtf8(bytes);
      return {
        charset: override,
        text,
        ...(doubt ? { note: `the site is set to ${override}, but the bytes look like UTF-8` } : {}),
      };
    }
    findings.push(suspect(`the site is set to ${override}, but the bytes do not decode`));
  }
  const believed = believeDeclared(bytes, named);
  if (believed !== null) return believed;
  if (named.some((charset) => charset !== 'ASCII')) findings.push(suspect('the bytes do not decode as declared'));
  else if (named.length > 0) findings.push(suspect('declared ASCII, but there are other bytes'));
  const text = fallback === null ? null : decodeClean(bytes, fallback);
  if (text !== null && fallback !== null) {
    return surelyUtf8(bytes) ? { charset: 'UTF-8', text: bytes.toString('utf8') } : { charset: fallback, text };
  }
  return detect(bytes);
}

/** Encodes an answer in the sender's charset; what the set cannot say becomes `?`, as iconv-lite does. */
export function encodeText(text: string, charset: Charset): Buffer {
  if (isAsciiText(text) || charset === 'ASCII') return Buffer.from(text, charset === 'ASCII' ? 'utf8' : 'latin1');
  return charset === 'UTF-8' ? Buffer.from(text, 'utf8') : iconv.encode(text, charset);
}

const isAsciiText = (text: string): boolean => /^[\x00-\x7f]*$/.test(text);
