/** How names and addresses are compared in a search: R4 §3.1.1.4.8 (case and accents do not count, prefix matches). */

/**
 * NFKC, lower case, accents of alphabetic letters off; middle dots of any kind are one (CODES §7), blanks between Chinese
 * characters do not count.
 */
export function normalise(value: string): string {
  return value
    .replace(/\p{Surrogate}/gu, '\ufffd')
    .normalize('NFKC')
    .toLowerCase()
    .normalize('NFD')
    .replace(/([a-z])\p{M}+/gu, '$1')
    .normalize('NFC')
    .replace(/[\u2022\u2027\u30fb\u30fb\uff0e\u2219\u22c5]/g, '\u00b7')
    .replace(/[\s^]+/g, ' ')
    .replace(/(?<=\p{Script=Han}) | (?=\p{Script=Han})/gu, '')
    .trim();
}

/** Pairs of neighbouring characters, and single ones: every text that contains another carries all its grams. */
export function grams(norm: string, onlyPairs: boolean): readonly string[] {
  const characters = Array.from(norm);
  const pairs = characters.slice(1).map((character, at) => `~${characters[at] ?? ''}${character}`);
  return [...new Set(onlyPairs && pairs.length > 0 ? pairs : [...pairs, ...characters.map((one) => `~${one}`)])];
}
