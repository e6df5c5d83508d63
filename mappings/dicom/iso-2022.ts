/** The code extension tables of DICOM (PS3.3 §C.12.1.1.2, tables C.12-2 to C.12-4): escapes, graphic sets, their decoders. */
import iconv from 'iconv-lite';

export interface GraphicSet {
  /** Bytes of one character. */
  readonly width: 1 | 2;
  /** true: invoked in the right half (G1, bytes 80–FF). */
  readonly right: boolean;
  decode(bytes: Buffer): string;
}

/** ISO-IR number -> encoding of the single-byte sets without code extensions. */
export const SINGLE: Readonly<Record<string, string>> = {
  '100': 'iso-8859-1',
  '101': 'iso-8859-2',
  '109': 'iso-8859-3',
  '110': 'iso-8859-4',
  '126': 'iso-8859-7',
  '127': 'iso-8859-6',
  '138': 'iso-8859-8',
  '144': 'iso-8859-5',
  '148': 'iso-8859-9',
  '166': 'tis620',
  '203': 'iso-8859-15',
};

const ascii: GraphicSet = { width: 1, right: false, decode: (bytes) => bytes.toString('latin1', 0, bytes.length) };
const right = (encoding: string, width: 1 | 2): GraphicSet => ({
  width,
  right: true,
  decode: (bytes) => iconv.decode(bytes, encoding),
});

/** JIS X 0201 (ISO-IR 13 and 14): half-width katakana; yen stays a backslash, since DICOM uses the byte as delimiter. */
const katakana: GraphicSet = {
  width: 1,
  right: true,
  decode: (bytes) =>
    Array.from(bytes, (byte) =>
      byte >= 0xa1 && byte <= 0xdf ? String.fromCharCode(0xff61 + byte - 0xa1) : '\ufffd',
    ).join(''),
};
const romaji: GraphicSet = {
  width: 1,
  right: false,
  decode: (bytes) => bytes.toString('latin1', 0, bytes.length).replaceAll('~', '\u203e'),
};

/** The two-byte sets of G0 are EUC-JP with the eighth bit taken off (JIS X 0212 with its single shift 8F before). */
const kanji: GraphicSet = {
  width: 2,
  right: false,
  decode: (bytes) => iconv.decode(Buffer.from(bytes.map((byte) => byte | 0x80)), 'eucjp'),
};
const supplementary: GraphicSet = {
  width: 2,
  right: false,
  decode: (bytes) => {
    const euc: number[] = [];
    for (let at = 0; at + 1 < bytes.length; at += 2)
      euc.push(0x8f, (bytes[at] ?? 0) | 0x80, (bytes[at + 1] ?? 0) | 0x80);
    return iconv.decode(Buffer.from(euc), 'eucjp');
  },
};

const korean = right('cp949', 2);
/** ISO-IR 58 is GB 2312; GBK reads it and what vendors add to it. */
const chinese = right('gbk', 2);

/** ISO-IR number -> what it designates; `ISO 2022 IR 13` sets both halves. */
export const GRAPHIC_SETS: Readonly<Record<string, { readonly g0?: GraphicSet; readonly g1?: GraphicSet }>> = {
  '6': { g0: ascii },
  '13': { g0: romaji, g1: katakana },
  '87': { g0: kanji },
  '159': { g0: supplementary },
  '149': { g0: ascii, g1: korean },
  '58': { g0: ascii, g1: chinese },
  ...Object.fromEntries(
    Object.entries(SINGLE).map(([number, encoding]) => [number, { g0: ascii, g1: right(encoding, 1) }]),
  ),
};

const set = (number: string, half: 'g0' | 'g1'): GraphicSet => {
  const found = GRAPHIC_SETS[number]?.[half];
  if (!found) throw new Error(`ISO-IR ${number} has no ${half}`);
  return found;
};

const ESCAPES: Readonly<Record<string, GraphicSet>> = {
  '(B': ascii,
  '(J': romaji,
  ')I': katakana,
  '-A': set('100', 'g1'),
  '-B': set('101', 'g1'),
  '-C': set('109', 'g1'),
  '-D': set('110', 'g1'),
  '-F': set('126', 'g1'),
  '-G': set('127', 'g1'),
  '-H': set('138', 'g1'),
  '-L': set('144', 'g1'),
  '-M': set('148', 'g1'),
  '-T': set('166', 'g1'),
  '-b': set('203', 'g1'),
  $B: kanji,
  '$@': kanji,
  '$(D': supplementary,
  '$)C': korean,
  '$)A': chinese,
};

/** The designation that starts at the ESC at `at`, with its length; null where it is none of DICOM's. */
export function escapeAt(bytes: Buffer, at: number): { readonly set: GraphicSet; readonly length: number } | null {
  for (const length of [2, 3]) {
    const found = ESCAPES[bytes.toString('latin1', at + 1, at + 1 + length)];
    if (found) return { set: found, length: length + 1 };
  }
  return null;
}
