/** Text for PDF in an Adobe-GB1 font that is not embedded: how wide it is, where lines break, how it is written. */

/**
 * Widths of CID 1..95 (blank to tilde) of STSong-Light in thousandths; Adobe-GB1 (Adobe Technical Note 5079) gives
 * every other glyph a full square, which is also the font's /DW.
 */
export const LATIN_WIDTHS: readonly number[] = [
  207, 270, 342, 467, 462, 797, 710, 239, 374, 374, 423, 605, 238, 375, 238, 334, 462, 462, 462, 462, 462, 462, 462,
  462, 462, 462, 238, 238, 605, 605, 605, 344, 748, 684, 560, 695, 739, 563, 511, 729, 793, 318, 312, 666, 526, 896,
  758, 772, 544, 772, 628, 465, 607, 753, 711, 972, 647, 620, 607, 374, 333, 374, 606, 500, 239, 417, 503, 427, 529,
  415, 264, 444, 518, 241, 230, 495, 228, 793, 527, 524, 524, 504, 338, 336, 277, 517, 450, 652, 466, 452, 407, 370,
  258, 370, 605,
];

const charWidth = (char: string): number => LATIN_WIDTHS[(char.codePointAt(0) ?? 0) - 0x20] ?? 1000;

/** In points at this size. */
export function textWidth(text: string, size: number): number {
  let sum = 0;
  for (const char of text) sum += charWidth(char);
  return (sum * size) / 1000;
}

/** What may not begin a line and what may not end one (GB/T 15834 §5: punctuation keeps to its word). */
const NOT_FIRST = /^[，。、；：？！）》】」』”’％℃,.;:?!)\]}>%]/u;
const NOT_LAST = /[（《【「『“‘([{<]$/u;

/**
 * Lines of at most `width` points. Latin words and numbers stay whole where they fit a line; a line end of the text is
 * one of the page.
 */
export function wrap(text: string, width: number, size: number): string[] {
  return clean(text)
    .split('\n')
    .flatMap((paragraph) => wrapParagraph(paragraph, width, size));
}

function wrapParagraph(paragraph: string, width: number, size: number): string[] {
  const lines: string[] = [];
  let line = '';
  let used = 0;
  for (const unit of unitsOf(paragraph)) {
    const more = textWidth(unit, size);
    if (used + more <= width) {
      line += unit;
      used += more;
      continue;
    }
    const pieces = more > width ? chop(unit, width, size) : [unit];
    for (const piece of pieces) {
      if (line.trim() !== '') lines.push(line.trimEnd());
      line = lines.length > 0 ? piece.trimStart() : piece;
    }
    used = textWidth(line, size);
  }
  return [...lines, line.trimEnd()];
}

/** What may not be torn apart: a Latin word or number, or one character, with the punctuation that clings to it. */
function unitsOf(paragraph: string): string[] {
  const units: string[] = [];
  for (const found of paragraph.matchAll(/[\x21-\x7e]+|[^\x21-\x7e]/gu)) {
    const last = units.at(-1);
    const clings = last !== undefined && last.length < 80 && (NOT_FIRST.test(found[0]) || NOT_LAST.test(last));
    if (clings) units[units.length - 1] = last + found[0];
    else units.push(found[0]);
  }
  return units;
}

function chop(unit: string, width: number, size: number): string[] {
  const pieces: string[] = [];
  let piece = '';
  for (const char of unit) {
    if (piece !== '' && textWidth(piece + char, size) > width) {
      pieces.push(piece);
      piece = '';
    }
    piece += char;
  }
  return piece === '' ? pieces : [...pieces, piece];
}

/** Line ends of every kind as \n, tabs as blanks, other control characters and unpaired surrogates gone. */
export const clean = (text: string): string =>
  text
    .replace(/\r\n?|[\u2028\u2029\v\f]/g, '\n')
    .replaceAll('\t', '  ')
    .replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, '')
    .replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd');

/** A hexadecimal string in UTF-16BE: what the encoding UniGB-UTF16-H takes (ISO 32000-1 §9.7.5.2). */
export function hexText(text: string): string {
  const bytes = Buffer.from(text, 'utf16le').swap16();
  return `<${bytes.toString('hex')}>`;
}
