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
  const most = isOtherMember(levels.names) ? 0 : rules.householdCap;
  const { sum, counted } = household(contributions);
  const over = sum - Math.min(counted, most);
  if (over > 0) contributions.push({ attribute: 'address', level: 'one-household', weight: round(-over) });
  const again = movedAgain(contributions);
  if (again < 0) contributions.push({ attribute: 'address', level: 'one-move', weight: round(-again) });
  const weight = round(contributions.reduce((all, contribution) => all + contribution.weight, rules.prior));
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
export function weigh(of: Level, rules: MatchRules): number {
  const { attribute, level, shared } = of;
  const odds = rules.odds[attribute][level];
  if (odds === undefined) return 0;
  const borneBy = shared === undefined ? odds.u : frequency(attribute, shared, rules, odds.u);
  const u = borneBy * readingLift(of, rules) * fashionLift(of, rules);
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

/** How much more, or less, often than any reading this one is shared by chance. */
function readingLift({ reading }: Level, { frequencies: { reading: table } }: MatchRules): number {
  if (reading === undefined || table?.twice === undefined) return 1;
  return (borne(table, reading) ?? table.rare) / table.twice;
}

/** How much more often the given name is borne among those of one decade and sex than among all. */
function fashionLift({ shared, fashion }: Level, { frequencies }: MatchRules): number {
  if (fashion === undefined || typeof shared !== 'object') return 1;
  const [, given] = shared;
  const [among, all] = [borne(frequencies.fashion, `${fashion}|${given}`), borne(frequencies.givenName, given)];
  return among === null || all === null ? 1 : among / all;
}

const borne = (table: Frequencies | undefined, value: string): number | null => table?.values[value] ?? null;

/** A value that is not listed is borne less than the average of all. */
const rare = (table: Frequencies | undefined, u: number): number => Math.min(u, table?.rare ?? u);

const HOUSEHOLD: readonly Attribute[] = ['phone', 'address', 'locality', 'postalCode'];
const PLACE: readonly Attribute[] = ['address', 'locality', 'postalCode'];

/** What agreement on where one lives adds, and how much of it counts: one place is told three times over. */
function household(contributions: readonly Contribution[]): { sum: number; counted: number } {
  const agreeing = contributions.filter(({ attribute, weight }) => HOUSEHOLD.includes(attribute) && weight > 0);
  const sum = agreeing.reduce((all, { weight }) => all + weight, 0);
  const places = agreeing.filter(({ attribute }) => PLACE.includes(attribute)).map(({ weight }) => weight);
  const most = Math.max(0, ...places);
  return { sum, counted: sum - places.reduce((all, weight) => all + weight, 0) + most };
}

/** What is held against one person twice: who lives elsewhere has another address, town and postal code by one move. */
function movedAgain(contributions: readonly Contribution[]): number {
  const places = contributions.filter(({ attribute, level }) => PLACE.includes(attribute) && level !== 'one-household');
  if (places.some(({ weight }) => weight > 0)) return 0;
  const weights = places.map(({ weight }) => weight);
  return weights.reduce((all, weight) => all + weight, 0) - Math.min(0, ...weights);
}

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
  // Which child of its mother has got this name, only a number can tell.
  // Of a number that tells another birth, or beside two numbers of one insurer, a brother's card is as likely.
  const doubted = a.bornOtherwise === true || b.bornOtherwise === true || level('identifier') === 'different';
  const oneNumber = sameId || level('identifier') === 'equal';
  const oneMother = a.borrowedId !== null && a.borrowedId === b.borrowedId;
  if (names.childAndName && !oneNumber && !oneMother) return 'newborn-with-mothers-id';
  if (names.contradict || (isSibling(names) && (!oneNumber || (sameId && doubted)))) return 'name-contradicts';
  const sure = SURE_NAMES.includes(names.name);
  if (sameId) {
    const born = level('birthDate');
    const bornApart = born === 'different' || born === 'year' || born === 'month';
    const sexApart = level('sex') === 'different';
    // One field beside the number and the name is a slip of the pen; two, or a name that is not sure, another person.
    if (sexApart && (bornApart || !sure)) return 'sex-contradicts';
    if (bornApart && !sure) return 'birth-date-contradicts';
  }
  const slipOfNumber = [level('residentId'), level('identifier')].some((one) => SLIPS.includes(one));
  if (level('birthDate') === 'different' && !oneNumber && !slipOfNumber) return 'birth-date-contradicts';
  if (a.issuer !== '' && a.issuer === b.issuer && !(sameId && sure)) return 'same-issuer';
  return null;
}

/** Two numbers that are one but for a slip of the pen. */
const SLIPS: readonly (string | null)[] = ['slip', 'transposed', 'one-edit'];

/** One character apart or one fewer, without one number: a brother, a sister or a twin as likely as a slip. */
const isSibling = ({ name }: NameLevels): boolean => name === 'one-character' || name === 'dropped';

/** May be two of one household. No family calls two of its own by one name, so an other surname alone does not say so. */
const isOtherMember = (names: NameLevels): boolean => isSibling(names) || (names.contradict && names.name !== 'given');

/** The number that `a` borrowed is the number of `b`. */
const ownedBy = (a: Features, b: Features): boolean => a.borrowedId !== null && a.borrowedId === b.residentId;

const GENERATION_YEARS = 12;

const generationApart = (a: Features, b: Features): boolean => Math.abs(year(a) - year(b)) >= GENERATION_YEARS;

const year = (one: Features): number => (one.birthDate === null ? Number.NaN : Number(one.birthDate.slice(0, 4)));
