/**
 * The comparators: how every attribute of two registrations agrees, as a named level. A missing value has no level:
 * missing is not different. Symmetric: (a, b) and (b, a) are the same levels.
 */
import type { Attribute } from './comparison.ts';
import type { Features } from './features.ts';
import { addressLikeness, jaroWinkler, slip } from './likeness.ts';
import { lunarOf } from './lunar.ts';
import { nameLevels, sharedReading, type NameLevels } from './name-level.ts';
import { splitIdeographic } from './person-name.ts';

/** Every level of every attribute, from the most alike to the least. */
export const LEVELS = {
  residentId: ['equal', 'slip', 'unlike', 'different'],
  identifier: ['equal', 'transposed', 'one-edit', 'different'],
  name: [
    'equal',
    'damaged',
    'homophone',
    'reading',
    'reordered',
    'one-character',
    'dropped',
    'part',
    'initials',
    'close',
    'given',
    'similar',
    'family',
    'different',
  ],
  familyName: ['equal', 'swapped', 'close', 'initials', 'similar', 'different'],
  givenName: ['equal', 'swapped', 'close', 'initials', 'similar', 'different'],
  birthDate: [
    'equal',
    'slip',
    'lunar',
    'day-month-swapped',
    'placeholder',
    'month-known',
    'year-known',
    'year-off',
    'month',
    'year',
    'different',
  ],
  sex: ['equal', 'different'],
  phone: ['equal', 'slip', 'different'],
  address: ['equal', 'close', 'similar', 'different'],
  locality: ['equal', 'close', 'different'],
  postalCode: ['equal', 'slip', 'different'],
} as const satisfies Record<Attribute, readonly string[]>;

export interface Level {
  readonly attribute: Attribute;
  readonly level: string;
  /** The value that both have, where how rare it is matters. */
  readonly shared?: string | readonly [string, string];
  /** Decade of birth and sex, where both have one: names go with the fashion. */
  readonly fashion?: string;
  /** The reading that both have, where the signs are not the same. */
  readonly reading?: string;
}

export interface Levels {
  readonly list: readonly Level[];
  readonly names: NameLevels;
}

export function levelsOf(a: Features, b: Features): Levels {
  const list: Level[] = [];
  const put = (attribute: Attribute, level: string | null, shared?: Level['shared']): void => {
    if (level !== null) list.push(shared === undefined ? { attribute, level } : { attribute, level, shared });
  };
  put('residentId', residentIdLevel(a, b));
  put('identifier', identifierLevel(a, b));
  const names = nameLevels(a, b);
  const name = wholeName(a, b, names.name);
  if (name !== null) list.push(name);
  put('familyName', names.familyName, names.familyName === 'equal' ? sharedPart(a, b, 'family') : undefined);
  put('givenName', names.givenName, names.givenName === 'equal' ? sharedPart(a, b, 'given') : undefined);
  put('birthDate', birthDateLevel(a.birthDate, b.birthDate));
  if (a.sex !== null && b.sex !== null) put('sex', a.sex === b.sex ? 'equal' : 'different');
  const phone = bestSlip(a.phones, b.phones);
  put(
    'phone',
    phone === 'equal' || phone === 'different' || phone === null ? phone : 'slip',
    shared(phone, a.phones, b.phones),
  );
  put('address', addressLevel(a.address, b.address), a.address === b.address ? (a.address ?? undefined) : undefined);
  put(
    'locality',
    localityLevel(a.locality, b.locality),
    a.locality === b.locality ? (a.locality ?? undefined) : undefined,
  );
  put(
    'postalCode',
    postalLevel(a.postalCode, b.postalCode),
    a.postalCode === b.postalCode ? (a.postalCode ?? undefined) : undefined,
  );
  return { list, names };
}

function wholeName(a: Features, b: Features, level: string | null): Level | null {
  if (level === null) return null;
  const plain = { attribute: 'name', level } as const;
  if (level === 'homophone' || level === 'reading' || level === 'reordered') {
    const reading = sharedReading(a, b);
    return reading === null ? plain : { ...plain, reading };
  }
  const written = level === 'equal' ? sharedName(a, b) : undefined;
  if (written === undefined) return plain;
  const [fashion, other] = [fashionOf(a), fashionOf(b)];
  return { ...plain, shared: written, ...(fashion !== null && fashion === other ? { fashion } : {}) };
}

/** Whose names are given in one fashion: born in one decade, of one sex. */
export const fashionOf = ({ birthDate, sex }: Features): string | null =>
  birthDate === null || sex === null ? null : `${birthDate.slice(0, 3)}${sex.charAt(0)}`;

const shared = (level: string | null, a: readonly string[], b: readonly string[]): string | undefined =>
  level === 'equal' ? a.find((value) => b.includes(value)) : undefined;

/** Surname and given name of the name both write, else undefined (Latin names that are not parted). */
function sharedName(a: Features, b: Features): readonly [string, string] | undefined {
  for (const { ideographic } of a.names)
    if (ideographic !== null && b.names.some((name) => name.ideographic === ideographic))
      return splitIdeographic(ideographic);
  return undefined;
}

function sharedPart(a: Features, b: Features, part: 'family' | 'given'): string | undefined {
  for (const name of a.names) {
    const value = name[part];
    if (value !== null && b.names.some((other) => other[part] === value)) return value;
  }
  return undefined;
}

function residentIdLevel(a: Features, b: Features): string | null {
  const x = a.residentId ?? a.brokenResidentId;
  const y = b.residentId ?? b.brokenResidentId;
  if (x === null || y === null) return null;
  if (x === y) return a.residentId === null ? 'slip' : 'equal';
  if (slip(x, y) !== 'different') return 'slip';
  if (a.residentId !== null && b.residentId !== null) return 'different';
  // A broken number that lost more than a digit proves nothing against the other; one of another person does.
  return x.length === y.length && placesApart(x, y) >= UNLIKE_PLACES ? 'unlike' : null;
}

/** Two numbers drawn at random differ in a dozen places, those of neighbours born one day in three or four. */
const UNLIKE_PLACES = 5;

const placesApart = (x: string, y: string): number => Array.from(x).filter((digit, at) => digit !== y[at]).length;

function identifierLevel(a: Features, b: Features): string | null {
  let best: string | null = null;
  for (const x of a.identifiers) {
    const domain = x.slice(0, x.lastIndexOf('|'));
    for (const y of b.identifiers) {
      if (y.slice(0, y.lastIndexOf('|')) !== domain) continue;
      const level = slip(x, y);
      if (best === null || SLIPS.indexOf(level) < SLIPS.indexOf(best)) best = level;
    }
  }
  return best;
}

const SLIPS: readonly string[] = ['equal', 'transposed', 'one-edit', 'different'];

function bestSlip(a: readonly string[], b: readonly string[]): string | null {
  if (a.length === 0 || b.length === 0) return null;
  let best = 3;
  for (const x of a) for (const y of b) best = Math.min(best, SLIPS.indexOf(slip(x, y)));
  return SLIPS[best] ?? null;
}

export function birthDateLevel(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return null;
  const [yearA, monthA, dayA] = a.split('-');
  const [yearB, monthB, dayB] = b.split('-');
  if (yearA === undefined || yearB === undefined) return null;
  if (dayA === undefined || dayB === undefined) {
    if (yearA !== yearB) return slip(yearA, yearB) === 'different' ? 'different' : 'year-off';
    // What is not known is not different.
    if (monthA === undefined || monthB === undefined) return 'year-known';
    return monthA === monthB ? 'month-known' : 'different';
  }
  if (a === b) return 'equal';
  if (isLunar(a, b) || isLunar(b, a)) return 'lunar';
  const rest = `${String(monthA)}-${dayA}` === `${String(monthB)}-${dayB}`;
  if (yearA === yearB) {
    if (monthA === dayB && monthB === dayA) return 'day-month-swapped';
    // 1 January, 1 July, the first of the month: written where only the year or the month is known.
    if (isFirst(monthA, dayA) || isFirst(monthB, dayB)) return 'placeholder';
  }
  if (slip(a.replaceAll('-', ''), b.replaceAll('-', '')) !== 'different') return 'slip';
  if (rest && Math.abs(Number(yearA) - Number(yearB)) <= 1) return 'year-off';
  if (yearA === yearB) return monthA === monthB ? 'month' : 'year';
  return 'different';
}

/** `said` is the lunar birthday of whom the register has under `solar`. */
const isLunar = (said: string, solar: string): boolean => said < solar && lunarOf(solar) === said;

const isFirst = (month: string | undefined, day: string): boolean => month === '01' && day === '01';

function addressLevel(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return null;
  if (a === b) return 'equal';
  const like = addressLikeness(a, b);
  return like >= 0.75 ? 'close' : like >= 0.5 ? 'similar' : 'different';
}

function localityLevel(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return null;
  if (a === b) return 'equal';
  return jaroWinkler(a, b) > 0.9 ? 'close' : 'different';
}

function postalLevel(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return null;
  if (a === b) return 'equal';
  return slip(a, b) === 'different' ? 'different' : 'slip';
}
