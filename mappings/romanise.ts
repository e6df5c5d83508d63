/** Readings of Chinese names: toneless pinyin with heteronyms and the readings that surnames have (CODES.md §7). */
import { pinyin, polyphonic } from 'pinyin-pro';

const MOST = 6;
const PLAIN = { toneType: 'none', type: 'array', nonZh: 'removed' } as const;

/** `ZENG XIAO MING`: the surname as surnames are read; then with one character read otherwise, given names first, bounded. */
export function romanise(name: string): readonly string[] {
  const chars = Array.from(name);
  const surname = surnameReading(chars[0] ?? '', chars[1] ?? '');
  const usual = chars.map((char, at) => surname[at] ?? readingsOf(char)[0] ?? '').filter((syllable) => syllable !== '');
  const readings = new Set(usual.length === 0 ? [] : [usual.join(' ')]);
  if (usual.length !== chars.length) return [...readings];
  for (const at of [...chars.keys()].slice(1).concat(0))
    for (const other of readingsOf(chars[at] ?? ''))
      if (readings.size < MOST)
        readings.add(usual.map((syllable, index) => (index === at ? other : syllable)).join(' '));
  return [...readings];
}

/** The dictionary is slow and names repeat their characters: what it said is kept (there are some 90,000 characters). */
function remember(read: (text: string) => readonly string[]): (text: string) => readonly string[] {
  const kept = new Map<string, readonly string[]>();
  return (text) => {
    const known = kept.get(text);
    if (known !== undefined) return known;
    const syllables = read(text);
    if (kept.size < 200_000) kept.set(text, syllables);
    return syllables;
  };
}

/** ü is written V, U or YU; LU and NU stand for all (the same folding as of Latin names). */
const folded = (syllable: string): string =>
  syllable
    .toUpperCase()
    .replaceAll('Ü', 'V')
    .replace(/^([LN])V$/u, '$1U');

const readingsOf = remember((char) => {
  const readings: readonly (string | readonly string[])[] = polyphonic(char, PLAIN);
  return [...new Set(readings.flat().map(folded))];
});

const headOf = remember((head) => pinyin(head, { ...PLAIN, v: true, surname: 'head' }).map(folded));

/** One syllable, or two of a compound surname. */
function surnameReading(first: string, second: string): readonly string[] {
  const both = headOf(first + second);
  // A character that the dictionary does not know leaves no syllable: the other's must not stand for it.
  if (both.length !== Array.from(first + second).length) return readingsOf(first).slice(0, 1);
  const compound = both.length === 2 && both[1] !== readingsOf(second)[0];
  return compound ? both : both.slice(0, 1);
}
