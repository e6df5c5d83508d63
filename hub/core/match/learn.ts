/**
 * Learns the rules from the data without any truth (Fellegi and Sunter 1969; Winkler 1988): u from pairs drawn at random,
 * which are hardly ever one person; m by expectation and maximisation over the candidate pairs that blocking offers.
 */
import { compare, vetoOf } from './compare.ts';
import type { Attribute } from './comparison.ts';
import type { Features } from './features.ts';
import { LEVELS, fashionOf, levelsOf } from './levels.ts';
import { readingsOf } from './name-level.ts';
import { splitIdeographic } from './person-name.ts';
import type { Counted, Frequencies, LevelOdds, MatchRules } from './rules.ts';

export type FeaturePair = readonly [Features, Features];

export interface LearnInput {
  /** A fair sample of the pairs that blocking offers, of one person or of two; gone through more than once. */
  readonly candidates: Iterable<FeaturePair>;
  /** How many pairs blocking offers in all. */
  readonly candidateCount: number;
  /** Pairs drawn at random. */
  readonly random: Iterable<FeaturePair>;
  /** How many pairs there are in all: n(n-1)/2, or n times m between two files. */
  readonly pairCount: number;
  /** Registrations whose values are counted. */
  readonly sample: Iterable<Features>;
  readonly start: MatchRules;
  readonly version: string;
}

export interface Learned {
  readonly rules: MatchRules;
  readonly iterations: number;
  /** Share of the candidate pairs that are one person, as estimated. */
  readonly share: number;
}

const ATTRIBUTES = Object.keys(LEVELS) as Attribute[];
const LEVEL_COUNT = Math.max(...ATTRIBUTES.map((attribute) => LEVELS[attribute].length));
const MISSING = LEVEL_COUNT;
const FORBIDDEN = '!';
const MOST_ITERATIONS = 200;
const SETTLED = 1e-6;
/** What the shipped rules are worth, in pairs: a level that the sample hardly shows keeps a sensible share. */
const BELIEF = 12;
/** What a hard rule forbids cannot be learned from the pairs that are left: this much of the shipped share stays. */
const BELIEF_SHARE = 0.05;
/** The same for the random pairs, where what is rare may not show at all. */
const BELIEF_RANDOM = 5000;
const LISTED = 4000;

/** Levels of one pair as a compact text, a character an attribute, and a mark of a hard rule; equal patterns are counted once. */
type Patterns = ReadonlyMap<string, number>;

export function learnRules(input: LearnInput): Learned {
  const { start } = input;
  const random = count(input.random);
  const { m, share, iterations } = expectation(count(input.candidates), start);
  const matches = Math.max(1, share * input.candidateCount);
  const prior = Math.log2(matches / Math.max(1, input.pairCount - matches));
  const beliefU = (attribute: Attribute, level: string): number => start.odds[attribute][level]?.u ?? 1e-6;
  let u = shares(random, null, beliefU, BELIEF_RANDOM);
  for (let round = 0; round < 3; round++) {
    // A few of the random pairs are one person after all: they count as far as they are two.
    const two = new Map([...random.keys()].map((pattern) => [pattern, 1 / (1 + 2 ** prior * ratio(pattern, m, u))]));
    u = shares(random, two, beliefU, BELIEF_RANDOM);
  }
  const { tables, bornOneDay } = countValues(input.sample);
  const chance = 2 ** prior / (1 + 2 ** prior);
  u = withBirthdays(u, (bornOneDay - chance * equalBirth(m)) / (1 - chance), bornOneDay);
  const odds = Object.fromEntries(
    ATTRIBUTES.map((attribute, at) => [attribute, pairOdds(LEVELS[attribute], m[at] ?? [], u[at] ?? [])]),
  ) as Record<Attribute, Record<string, LevelOdds>>;
  const learned = { ...start, version: input.version, prior, odds, frequencies: tables };
  return { rules: { ...learned, thresholds: thresholds(input.candidates, learned) }, iterations, share };
}

const BIRTH = ATTRIBUTES.indexOf('birthDate');
const equalBirth = (table: Table): number => table[BIRTH]?.[LEVELS.birthDate.indexOf('equal')] ?? 0;

/**
 * How often two are born one day, counted over all pairs of the sample: a few hundred thousand pairs drawn at random show
 * it a dozen times, which moved every threshold by a bit from one set to the next. Where duplicates make up most of those
 * pairs (a small set of two files) the drawn pairs stay.
 */
function withBirthdays(u: Table, share: number, counted: number): Table {
  if (!(share > counted / 2)) return u;
  return u.map((row, at) => (at === BIRTH ? row.map((value, level) => (level === 0 ? share : value)) : row));
}

/** One automatic link in 45,000 may be wrong, as far as the weights themselves can tell: they cannot tell of borrowed cards. */
const WRONG_LINKS = 2.2e-5;
const LOWEST_LINK = 3;
const HIGHEST_LINK = 14;
/** How far below the links a doubt is worth a person's time: people clear five in a thousand registrations (issue C). */
const REVIEW_BITS = 2.5;

/** The lowest weight above which the links expected to be wrong are few enough. */
function thresholds(candidates: Iterable<FeaturePair>, rules: MatchRules): MatchRules['thresholds'] {
  const weights: number[] = [];
  for (const [a, b] of candidates) {
    const { veto, weight } = compare(a, b, rules);
    if (veto === null) weights.push(weight);
  }
  weights.sort((x, y) => y - x);
  let wrong = 0;
  let link = HIGHEST_LINK;
  for (const [at, weight] of weights.entries()) {
    wrong += 1 / (1 + 2 ** weight);
    if (wrong > WRONG_LINKS * (at + 1)) break;
    link = Math.min(link, weight);
  }
  link = Math.max(LOWEST_LINK, link);
  return { link, review: link - REVIEW_BITS };
}

function pairOdds(levels: readonly string[], m: readonly number[], u: readonly number[]): Record<string, LevelOdds> {
  return Object.fromEntries(levels.map((level, at) => [level, { m: m[at] ?? 0, u: u[at] ?? 0 }]));
}

function count(pairs: Iterable<FeaturePair>): Patterns {
  const patterns = new Map<string, number>();
  for (const [a, b] of pairs) {
    const codes = new Array<number>(ATTRIBUTES.length).fill(MISSING);
    const levels = levelsOf(a, b);
    for (const { attribute, level } of levels.list)
      codes[ATTRIBUTES.indexOf(attribute)] = (LEVELS[attribute] as readonly string[]).indexOf(level);
    const veto = vetoOf(a, b, levels);
    const pattern = String.fromCharCode(...codes.map((code) => 65 + code)) + (veto === null ? '' : FORBIDDEN);
    patterns.set(pattern, (patterns.get(pattern) ?? 0) + 1);
  }
  return patterns;
}

type Table = readonly (readonly number[])[];

/** Shares of the levels over the patterns, each pattern weighted, with the belief of the start mixed in. */
function shares(
  patterns: Patterns,
  weights: ReadonlyMap<string, number> | null,
  belief: (attribute: Attribute, level: string) => number,
  pairs: number,
): Table {
  const sums = ATTRIBUTES.map((attribute) => LEVELS[attribute].map((level) => pairs * belief(attribute, level)));
  for (const [pattern, times] of patterns) {
    const weight = weights === null ? times : times * (weights.get(pattern) ?? 0);
    for (let at = 0; at < ATTRIBUTES.length; at++) {
      const row = sums[at];
      const code = pattern.charCodeAt(at) - 65;
      const so = row?.[code];
      if (row !== undefined && so !== undefined) row[code] = so + weight;
    }
  }
  return sums.map((row) => {
    const total = row.reduce((sum, value) => sum + value, 0);
    return row.map((value) => value / total);
  });
}

function expectation(patterns: Patterns, start: MatchRules): { m: Table; share: number; iterations: number } {
  const beliefM = (attribute: Attribute, level: string): number => start.odds[attribute][level]?.m ?? 1e-3;
  let m: Table = ATTRIBUTES.map((attribute) => LEVELS[attribute].map((level) => beliefM(attribute, level)));
  // Candidates share a key, so that two persons among them agree more often than at random: a u of their own.
  let u = shares(patterns, null, () => 1 / LEVEL_COUNT, 1);
  let share = 0.2;
  let iterations = 0;
  for (; iterations < MOST_ITERATIONS; iterations++) {
    const posterior = new Map<string, number>();
    const rest = new Map<string, number>();
    let matches = 0;
    let all = 0;
    for (const [pattern, times] of patterns) {
      const odds = (share / (1 - share)) * ratio(pattern, m, u);
      // Whom a hard rule holds apart are two: else a family, alike in so much, would pass for one person.
      const p = pattern.endsWith(FORBIDDEN) ? 0 : odds / (1 + odds);
      posterior.set(pattern, p);
      rest.set(pattern, 1 - p);
      matches += p * times;
      all += times;
    }
    const next = Math.min(0.999, Math.max(1e-6, all === 0 ? 0.5 : matches / all));
    m = shares(patterns, posterior, beliefM, Math.max(BELIEF, BELIEF_SHARE * matches));
    u = shares(patterns, rest, () => 1 / LEVEL_COUNT, 1);
    const settled = Math.abs(next - share) < SETTLED;
    share = next;
    if (settled) break;
  }
  return { m, share, iterations };
}

function ratio(pattern: string, m: Table, u: Table): number {
  let product = 1;
  for (let at = 0; at < ATTRIBUTES.length; at++) {
    const code = pattern.charCodeAt(at) - 65;
    if (code === MISSING) continue;
    product *= Math.max(m[at]?.[code] ?? 1, 1e-9) / Math.max(u[at]?.[code] ?? 1, 1e-9);
  }
  return Math.min(product, 1e12);
}

const COUNTED: readonly Counted[] = [
  ...(['familyName', 'givenName', 'name', 'locality', 'postalCode', 'phone', 'address'] as const),
  ...(['reading', 'fashion'] as const),
];

/** How often names and places are borne; the many rare ones share what is left. */
function countValues(sample: Iterable<Features>): {
  tables: Partial<Record<Counted, Frequencies>>;
  bornOneDay: number;
} {
  const births = new Map<string, number>();
  const counts = new Map<Counted, Map<string, number>>(COUNTED.map((attribute) => [attribute, new Map()]));
  const add = (attribute: Counted, value: string | null): void => {
    const table = counts.get(attribute);
    if (table !== undefined && value !== null && value !== '') table.set(value, (table.get(value) ?? 0) + 1);
  };
  const fashions = new Map<string, number>();
  for (const one of sample) {
    const fashion = fashionOf(one);
    for (const name of one.names) {
      const [family, given] =
        name.ideographic === null ? [name.family, name.given] : splitIdeographic(name.ideographic);
      add('familyName', family);
      add('givenName', given);
      if (name.ideographic === null || name.childOf !== null) continue;
      add('name', name.ideographic);
      for (const reading of readingsOf(name)) add('reading', reading);
      if (fashion === null) continue;
      fashions.set(fashion, (fashions.get(fashion) ?? 0) + 1);
      add('fashion', `${fashion}|${given ?? ''}`);
    }
    if (one.birthDate?.length === 10) births.set(one.birthDate, (births.get(one.birthDate) ?? 0) + 1);
    add('locality', one.locality);
    add('postalCode', one.postalCode);
    add('address', one.address);
    for (const phone of one.phones) add('phone', phone);
  }
  const tables: Partial<Record<Counted, Frequencies>> = {};
  for (const [attribute, table] of counts) {
    if (table.size === 0) continue;
    const ofFashion = (value: string): number => fashions.get(value.slice(0, value.indexOf('|'))) ?? 1;
    tables[attribute] = frequencies(table, attribute === 'fashion' ? ofFashion : undefined);
  }
  return { tables, bornOneDay: coincidence(births) };
}

/** How often two drawn without putting back have one value. */
function coincidence(counts: ReadonlyMap<string, number>): number {
  let [all, pairs] = [0, 0];
  for (const times of counts.values()) {
    all += times;
    pairs += times * (times - 1);
  }
  return pairs / Math.max(1, all * (all - 1));
}

/** `whole`: what a value is a share of, where that is not all. */
function frequencies(table: ReadonlyMap<string, number>, whole?: (value: string) => number): Frequencies {
  const total = [...table.values()].reduce((sum, value) => sum + value, 0);
  // Sorted by value too: the same data make the same rules.
  const order = [...table].sort(([x, m], [y, n]) => n - m || (x < y ? -1 : 1));
  const listed = order.slice(0, LISTED).filter(([, times]) => times > 2);
  // One pair of a person makes a count of two: what is seen up to twice is as rare as the sample can tell.
  const twice = order.reduce((sum, [, times]) => sum + (times / total) ** 2, 0);
  const values = Object.fromEntries(listed.map(([value, times]) => [value, times / (whole?.(value) ?? total)]));
  return { values, rare: 1.5 / total, twice };
}
