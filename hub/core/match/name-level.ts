/** How two persons' names agree: ideographic first, readings as the weaker evidence, Latin parts where a source keeps them. */
import type { Features, NameFeature } from './features.ts';
import { jaroWinkler } from './likeness.ts';
import { looksAlike } from './look-alike.ts';
import { splitIdeographic } from './person-name.ts';

export interface NameLevels {
  /** Level of the whole name; null where the parts say more, or a name is missing. */
  readonly name: string | null;
  readonly familyName: string | null;
  readonly givenName: string | null;
  /** Two whole written names that no slip of the pen explains. */
  readonly contradict: boolean;
  /** One carries the mother's name with a relation, the other the mother's own. */
  readonly motherAndChild: boolean;
  /** One carries the mother's name with a relation, the other a name of its own, that may be the child's. */
  readonly childAndName: boolean;
}

const NONE: NameLevels = {
  name: null,
  familyName: null,
  givenName: null,
  contradict: false,
  motherAndChild: false,
  childAndName: false,
};

export function nameLevels(a: Features, b: Features): NameLevels {
  let best: NameLevels = NONE;
  let rank = Number.POSITIVE_INFINITY;
  const written = a.names.some(isWritten) && b.names.some(isWritten);
  for (const ofA of a.names) {
    for (const ofB of b.names) {
      // Pinyin that came beside the written names adds nothing to what these say.
      if (written && !(isWritten(ofA) && isWritten(ofB))) continue;
      const levels = pairLevels(ofA, ofB);
      const at = rankOf(levels);
      if (at < rank) [best, rank] = [levels, at];
    }
  }
  return best;
}

const isWritten = (name: NameFeature): boolean => name.ideographic !== null;

const RANKS = [
  'equal',
  'damaged',
  'homophone',
  'reading',
  'reordered',
  'swapped',
  'one-character',
  'dropped',
  'part',
  'initials',
  'close',
  'given',
  'similar',
  'family',
  'different',
];
const rank = (level: string | null): number => (level === null ? RANKS.length : RANKS.indexOf(level));
const rankOf = (levels: NameLevels): number =>
  levels.name !== null ? 2 * rank(levels.name) : rank(levels.familyName) + rank(levels.givenName);

function pairLevels(a: NameFeature, b: NameFeature): NameLevels {
  if (a.childOf !== null || b.childOf !== null) return childLevels(a, b);
  if (a.ideographic !== null && b.ideographic !== null) {
    const name = ideographicLevel(a, b, a.ideographic, b.ideographic);
    return {
      ...NONE,
      name,
      contradict: (name === 'different' || name === 'family' || name === 'given') && !a.damaged && !b.damaged,
    };
  }
  if (a.ideographic === null && b.ideographic === null) return latinLevels(a, b);
  return {
    ...NONE,
    name: a.ideographic === null ? readingLevel(a.latin, b.readings) : readingLevel(b.latin, a.readings),
  };
}

/** 张三之子 beside 张三 is a mother and her child; beside a child's own name it says nothing of that name. */
function childLevels(a: NameFeature, b: NameFeature): NameLevels {
  const same = a.ideographic !== null && a.ideographic === b.ideographic;
  if (a.childOf !== null && b.childOf !== null) {
    const relation =
      (a.childOf === b.childOf || a.childOf === 'child' || b.childOf === 'child') &&
      (a.ordinal === b.ordinal || a.ordinal === null || b.ordinal === null);
    return { ...NONE, name: same && relation ? 'equal' : 'different', contradict: !same || !relation };
  }
  // One of several at a birth: which of them has got this name, only a number can tell.
  const several = (a.childOf === null ? b.ordinal : a.ordinal) !== null;
  return {
    ...NONE,
    name: same ? 'different' : null,
    contradict: same || several,
    motherAndChild: same,
    childAndName: !same,
  };
}

function ideographicLevel(a: NameFeature, b: NameFeature, left: string, right: string): string {
  if (left === right) return a.damaged ? 'damaged' : 'equal';
  if ((a.damaged || b.damaged) && fits(left, right)) return 'damaged';
  if (a.readings.some((reading) => b.readings.includes(reading))) return 'homophone';
  const [x, y] = [Array.from(left), Array.from(right)];
  if (x.length >= 2 && x.length === y.length) {
    const wrong = x.filter((char, at) => char !== y[at] && char !== '?' && y[at] !== '?').length;
    // The surname alone: misread, or the other parent's.
    if (wrong === 1 && (x.length === 3 || x.length === 4) && x[0] !== y[0]) return 'given';
    // Of a given name of one character another one is another name, but for a slip of the eye: 王未 for 王末.
    if (wrong === 1 && x.length === 2 && looksAlike(x[1] ?? '', y[1] ?? '') && x[0] === y[0]) return 'one-character';
    if (wrong === 1 && (x.length > 2 || x[0] === y[0])) return x.length > 2 ? 'one-character' : 'family';
    if ([...x].sort().join('') === [...y].sort().join('')) return 'reordered';
  }
  if (isPart(x, y) || isPart(y, x)) return x.length >= 5 || y.length >= 5 ? 'part' : 'dropped';
  const [familyA, givenA] = splitIdeographic(left);
  const [familyB, givenB] = splitIdeographic(right);
  if (givenA === givenB && givenA.length > 1) return 'given';
  return familyA === familyB && familyA !== '' ? 'family' : 'different';
}

/** Each `?` stands for one character; one at the end may also be a clerk's mark and stand for none. */
function fits(a: string, b: string): boolean {
  const marked = (long: string, short: string): boolean => short.length >= 2 && long === `${short}?`;
  if (marked(a, b) || marked(b, a)) return true;
  const [x, y] = [Array.from(a), Array.from(b)];
  if (x.filter((char) => char !== '?').length === 0 || y.filter((char) => char !== '?').length === 0) return false;
  return x.length === y.length && x.every((char, at) => char === '?' || y[at] === '?' || char === y[at]);
}

/** One character of the name was dropped, or all but the first part of a long one (阿卜杜拉·买买提). */
function isPart(short: readonly string[], long: readonly string[]): boolean {
  if (short.length < 2 || short.length >= long.length) return false;
  if (long.length >= 5) return short.length >= 3 && long.slice(0, short.length).join('') === short.join('');
  if (long.length - short.length !== 1 || short[0] !== long[0]) return false;
  const at = short.findIndex((char, index) => char !== long[index]);
  return at < 0 || short.slice(at).join('') === long.slice(at + 1).join('');
}

/** A reading that the names of both have; null: none is the same. */
export function sharedReading(a: Features, b: Features): string | null {
  const of = ({ names }: Features): Set<string> =>
    new Set(names.flatMap((name) => (name.ideographic === null ? rotations(name.latin) : readingsOf(name))));
  const ofB = of(b);
  const both = [...of(a)].filter((reading) => ofB.has(reading)).sort();
  return both[0] ?? null;
}

/** Without blanks, as the words of Latin names are joined. */
export const readingsOf = ({ readings }: NameFeature): string[] => [
  ...new Set(readings.map((reading) => reading.replaceAll(' ', ''))),
];

/** Latin words against the readings of a written name: in order, surname last, or initials. */
export function readingLevel(latin: readonly string[], readings: readonly string[]): string | null {
  if (latin.length === 0 || readings.length === 0) return null;
  const joined = latin.join('');
  let closest = 0;
  let initials = false;
  for (const reading of readings) {
    const syllables = reading.split(' ');
    const whole = syllables.join('');
    if (whole === joined) return 'reading';
    if (rotations(latin).includes(whole)) return 'reordered';
    initials ||= rotations(latin, syllables.length).some((words) => abbreviates(words, syllables));
    closest = Math.max(closest, jaroWinkler(joined, whole));
  }
  if (initials) return 'initials';
  return closest > 0.94 ? 'close' : 'different';
}

function rotations(words: readonly string[]): string[];
function rotations(words: readonly string[], blanks: number): string[][];
function rotations(words: readonly string[], blanks?: number): string[] | string[][] {
  const turned = words.map((_, at) => [...words.slice(at), ...words.slice(0, at)]);
  return blanks === undefined ? turned.map((list) => list.join('')) : turned;
}

/** `ZHANG X M`, `ZHANG XM`, `ZHANG XIAO M`: the first word whole, the others may be cut to their first letters. */
function abbreviates(words: readonly string[], syllables: readonly string[]): boolean {
  if (syllables.length < 2 || words[0] !== syllables[0]) return false;
  return (
    words.slice(1).join('') ===
    syllables
      .slice(1)
      .map((syllable) => syllable.charAt(0))
      .join('')
  );
}

function latinLevels(a: NameFeature, b: NameFeature): NameLevels {
  const parted = (name: NameFeature): boolean => name.family !== null || name.given !== null;
  if (!parted(a) || !parted(b)) return { ...NONE, name: wordsLevel(a.latin, b.latin) };
  const swapped = isLike(a.family, b.given) + isLike(a.given, b.family);
  const straight = isLike(a.family, b.family) + isLike(a.given, b.given);
  if (
    swapped > straight &&
    swapped > 0.9 &&
    (swapped > 1.7 || a.family === null || a.given === null || b.family === null || b.given === null)
  )
    return { ...NONE, familyName: 'swapped', givenName: 'swapped' };
  return { ...NONE, familyName: partLevel(a.family, b.family), givenName: partLevel(a.given, b.given) };
}

const isLike = (a: string | null, b: string | null): number => (a === null || b === null ? 0 : jaroWinkler(a, b));

function partLevel(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return null;
  if (a === b) return 'equal';
  if ((a.length === 1 && b.startsWith(a)) || (b.length === 1 && a.startsWith(b))) return 'initials';
  const like = jaroWinkler(a, b);
  return like > 0.92 ? 'close' : like > 0.85 ? 'similar' : 'different';
}

function wordsLevel(a: readonly string[], b: readonly string[]): string {
  const [x, y] = [a.join(''), b.join('')];
  if (x === y) return 'equal';
  const sorted = (words: readonly string[]): string => [...words].sort().join('');
  if (sorted(a) === sorted(b) || rotations(a).includes(y)) return 'reordered';
  const like = Math.max(jaroWinkler(x, y), jaroWinkler(sorted(a), sorted(b)));
  return like > 0.92 ? 'close' : like > 0.85 ? 'similar' : 'different';
}
