/** Judges whether two registrations are one person: the weights of their levels, under the hard rules (CODES.md §1.1, FLOWS.md §3). */
import type { Attribute, Comparison, Contribution, MatchOutcome, Veto } from './comparison.ts';
import type { Features } from './features.ts';
import { levelsOf, type Level, type Levels } from './levels.ts';
import type { NameLevels } from './name-level.ts';
import type { Frequencies, MatchRules } from './rules.ts';

const LEAST = 1e-9;

export function compare(a: Features, b: Features, rules: MatchRules): Comparison {
  const levels = levelsOf(a, b);
  const contributions = levels.list.map((level) => ({
    attribute: level.attribute,
    level: level.level,
    weight: weigh(level, rules),
  }));
  // A household shares what tells where one lives: that is no evidence for one person where the names are two.
  const most = levels.names.contradict || isSibling(levels.names) ? 0 : rules.householdCap;
  const over = household(contributions) - most;
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
  const u = shared === undefined ? odds.u : frequency(attribute, shared, rules, odds.u);
  return round(Math.log2(Math.max(odds.m, LEAST) / Math.max(u, LEAST)));
}

function frequency(
  attribute: Attribute,
  shared: string | readonly [string, string],
  { frequencies }: MatchRules,
  u: number,
): number {
  if (typeof shared === 'string') return borne(frequencies[attribute], shared) ?? rare(frequencies[attribute], u);
  const whole = borne(frequencies.name, shared.join(''));
  if (whole !== null) return whole;
  const [family, given] = shared;
  const { familyName, givenName } = frequencies;
  if (family === '' || familyName === undefined || givenName === undefined) return rare(frequencies.name, u);
  return (borne(familyName, family) ?? familyName.rare) * (borne(givenName, given) ?? givenName.rare);
}

const borne = (table: Frequencies | undefined, value: string): number | null => table?.values[value] ?? null;

/** A value that is not listed is borne less than the average of all. */
const rare = (table: Frequencies | undefined, u: number): number => Math.min(u, table?.rare ?? u);

const HOUSEHOLD = new Set<Attribute>(['phone', 'address', 'locality', 'postalCode']);

const household = (contributions: readonly Contribution[]): number =>
  contributions.reduce(
    (sum, { attribute, weight }) => (HOUSEHOLD.has(attribute) && weight > 0 ? sum + weight : sum),
    0,
  );

/** Names that a careful clerk takes for one, whatever else differs. */
const SURE_NAMES: readonly (string | null)[] = ['equal', 'damaged', 'homophone', 'reading'];

/** The first hard rule that forbids the hub to link the two by itself. */
export function vetoOf(a: Features, b: Features, { names, list }: Levels): Veto | null {
  const level = (attribute: Attribute): string | null => list.find((one) => one.attribute === attribute)?.level ?? null;
  if (names.motherAndChild) return 'newborn-with-mothers-id';
  if (ownedBy(a, b) || ownedBy(b, a))
    return generationApart(a, b) ? 'newborn-with-mothers-id' : 'birth-date-contradicts';
  const sameId = a.residentId !== null && a.residentId === b.residentId;
  if (a.residentId !== null && b.residentId !== null && !sameId) return 'resident-id-conflict';
  const oneNumber = sameId || level('identifier') === 'equal';
  if (names.contradict || (isSibling(names) && !oneNumber)) return 'name-contradicts';
  const sure = SURE_NAMES.includes(names.name);
  if (sameId) {
    const born = level('birthDate');
    const bornApart = born === 'different' || born === 'year' || born === 'month';
    const sexApart = level('sex') === 'different';
    // One field beside the number and the name is a slip of the pen; two, or a name that is not sure, another person.
    if (sexApart && (bornApart || !sure)) return 'sex-contradicts';
    if (bornApart && !sure) return 'birth-date-contradicts';
  }
  if (a.issuer !== '' && a.issuer === b.issuer && !(sameId && sure)) return 'same-issuer';
  return null;
}

/** One character apart, without one number: a brother, a sister or a twin as likely as a slip. */
const isSibling = (names: NameLevels): boolean => names.name === 'one-character';

/** The number that `a` borrowed is the number of `b`. */
const ownedBy = (a: Features, b: Features): boolean => a.borrowedId !== null && a.borrowedId === b.residentId;

const GENERATION_YEARS = 12;

const generationApart = (a: Features, b: Features): boolean => Math.abs(year(a) - year(b)) >= GENERATION_YEARS;

const year = (one: Features): number => (one.birthDate === null ? Number.NaN : Number(one.birthDate.slice(0, 4)));
