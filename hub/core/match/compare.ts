/** Judges whether two registrations are one person: the weights of their levels, under the hard rules (CODES.md §1.1, FLOWS.md §3). */
import { parseResidentId } from '../identifier.ts';
import type { Attribute, Comparison, Contribution, MatchOutcome, Veto } from './comparison.ts';
import type { Features } from './features.ts';
import { birthDateLevel, levelsOf, type Level, type Levels } from './levels.ts';
import type { Frequencies, MatchRules } from './rules.ts';

const LEAST = 1e-9;

export function compare(a: Features, b: Features, rules: MatchRules): Comparison {
  const levels = levelsOf(a, b);
  const contributions = levels.list.map((level) => ({
    attribute: level.attribute,
    level: level.level,
    weight: weigh(level, rules),
  }));
  const over = household(contributions) - rules.householdCap;
  if (over > 0) contributions.push({ attribute: 'address', level: 'one-household', weight: round(-over) });
  const weight = round(contributions.reduce((sum, contribution) => sum + contribution.weight, rules.prior));
  const veto = vetoOf(a, b, levels);
  return { weight, outcome: outcomeOf(weight, veto, rules), contributions, veto, rules: rules.version };
}

function outcomeOf(weight: number, veto: Veto | null, { thresholds }: MatchRules): MatchOutcome {
  if (weight >= thresholds.link && veto === null) return 'link';
  return weight >= thresholds.review ? 'review' : 'none';
}

/** Thousandths of a bit: sums do not depend on the order of adding, and are readable. */
const round = (bits: number): number => Math.round(bits * 1000) / 1000;

/** Bits of one level; the rarer a shared value, the more it says (Winkler's frequency adjustment). */
export function weigh({ attribute, level, shared }: Level, rules: MatchRules): number {
  const odds = rules.odds[attribute][level];
  if (odds === undefined) return 0;
  const u = shared === undefined ? odds.u : (frequency(attribute, shared, rules) ?? odds.u);
  return round(Math.log2(Math.max(odds.m, LEAST) / Math.max(u, LEAST)));
}

function frequency(attribute: Attribute, shared: string | readonly [string, string], rules: MatchRules): number | null {
  if (typeof shared === 'string') return borne(rules.frequencies[attribute], shared);
  const whole = rules.frequencies.name?.values[shared.join('')];
  if (whole !== undefined) return whole;
  const [family, given] = shared;
  const ofFamily = family === '' ? 1 : borne(rules.frequencies.familyName, family);
  const ofGiven = borne(rules.frequencies.givenName, given);
  if (ofFamily === null || ofGiven === null) return null;
  // A name of one character after the surname has many more bearers than one of two.
  return ofFamily * ofGiven;
}

const borne = (table: Frequencies | undefined, value: string): number | null =>
  table === undefined ? null : (table.values[value] ?? table.rare);

const HOUSEHOLD = new Set<Attribute>(['phone', 'address', 'locality', 'postalCode']);

const household = (contributions: readonly Contribution[]): number =>
  contributions.reduce(
    (sum, { attribute, weight }) => (HOUSEHOLD.has(attribute) && weight > 0 ? sum + weight : sum),
    0,
  );

const SURE_NAMES = new Set(['equal', 'damaged', 'homophone', 'reading']);

/** The first hard rule that forbids the hub to link the two by itself. */
export function vetoOf(a: Features, b: Features, { names, list }: Levels): Veto | null {
  const sameId = a.residentId !== null && a.residentId === b.residentId;
  if (names.motherAndChild || (sameId && isNewbornOf(a, b))) return 'newborn-with-mothers-id';
  if (a.residentId !== null && b.residentId !== null && !sameId) return 'resident-id-conflict';
  const level = (attribute: Attribute): string | null => list.find((one) => one.attribute === attribute)?.level ?? null;
  if (sameId) {
    const own = borrowed(a) ?? borrowed(b);
    if (own !== null) return own;
    if (level('sex') === 'different') return 'sex-contradicts';
    const born = level('birthDate');
    if (born === 'different' || born === 'year' || (born === 'month' && a.birthDate?.length === b.birthDate?.length))
      return 'birth-date-contradicts';
  }
  const otherNumber = level('identifier') === 'equal';
  // One character apart is a slip under one number, and a brother, a sister or a twin without one.
  if (names.contradict || (names.name === 'one-character' && !sameId && !otherNumber)) return 'name-contradicts';
  if (a.issuer !== '' && a.issuer === b.issuer && !(sameId && SURE_NAMES.has(names.name ?? ''))) return 'same-issuer';
  return null;
}

const GENERATION_YEARS = 12;

/** One number, one of the two named after its mother or a generation younger: the mother's number on the child. */
function isNewbornOf(a: Features, b: Features): boolean {
  const child = (one: Features): boolean => one.names.some((name) => name.childOf !== null);
  if (child(a) !== child(b)) return true;
  return Math.abs(year(a) - year(b)) >= GENERATION_YEARS && !Number.isNaN(year(a) - year(b));
}

const year = (one: Features): number => (one.birthDate === null ? Number.NaN : Number(one.birthDate.slice(0, 4)));

/** The number tells birth and sex (GB 11643): who contradicts both is not its owner; years away in birth is enough. */
function borrowed(one: Features): Veto | null {
  const told = one.residentId === null ? null : parseResidentId(one.residentId);
  if (told?.ok !== true) return null;
  const born = birthDateLevel(one.birthDate, told.birthDate);
  const apart = born === 'different' || born === 'year';
  if (apart && Math.abs(year(one) - Number(told.birthDate.slice(0, 4))) > 2) return 'birth-date-contradicts';
  return apart && one.sex !== null && one.sex !== told.sex ? 'sex-contradicts' : null;
}
