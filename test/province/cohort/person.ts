/** A person of the cohort as they are: the truth that registrations are made of. */
import { isCalendarDate } from '../../../hub/core/identifier.ts';
import { lunarOf } from '../../../hub/core/match/lunar.ts';
import { drawnFor, mixed, pick } from '../random.ts';
import type { Random } from '../random.ts';
import type { Address } from './addresses.ts';
import { RARE_SIGNS, UNCOMMON_SIGNS, inPinyin } from './characters.ts';
import { givenName } from './given-names.ts';
import type { Sex } from './given-names.ts';
import { ownName, surnameOf } from './peoples.ts';
import type { People } from './peoples.ts';
import { RATES } from './rates.ts';
import { residentNumber } from './resident-numbers.ts';
import { surname } from './surnames.ts';

/** The day on which the cohort is looked at: ages are as of it. */
export const TODAY = '2026-11-01';

export interface CohortPerson {
  readonly number: number;
  readonly sex: Sex;
  /** YYYY-MM-DD, as the register has it. */
  readonly born: string;
  /** As said where no document is asked for, by people who keep the lunar birthday. */
  readonly saidBorn: string;
  readonly name: string;
  readonly formerName: string | null;
  /** Family and given name in Latin letters; null: no reading is known here. */
  readonly latin: readonly [string, string] | null;
  /** Has a Latin name only. */
  readonly foreign: boolean;
  readonly residentId: string | null;
  readonly formerResidentId: string | null;
  /** 26-digit insurance number or passport; null: none. */
  readonly identifier: string | null;
  readonly phone: string;
  readonly formerPhone: string | null;
  readonly address: Address;
  readonly formerAddress: Address | null;
  /** Born within the last months: may still go by the mother's name. */
  readonly newborn: boolean;
  readonly twin: boolean;
  /** Numbers of the persons in the same household, the mother first where there is one. */
  readonly relatives: readonly number[];
  readonly hasMother: boolean;
}

/** What a household gives to each of its members. */
export interface Home {
  readonly people: People;
  /** First six digits of the numbers of its members. */
  readonly code: string;
  readonly address: Address;
  readonly formerAddress: Address | null;
  readonly landline: string | null;
}

export const yearOf = (date: string): number => Number(date.slice(0, 4));

export const shifted = (date: string, days: number): string =>
  new Date(Date.parse(`${date}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);

/** A day of that year; on the first of January more often than chance where days were not written down. */
export function dayIn(random: Random, year: number): string {
  const { before1950, later } = RATES.person.firstOfJanuary;
  if (random() < (year < 1950 ? before1950 : later)) return `${String(year)}-01-01`;
  const day = shifted(`${String(year)}-01-01`, Math.floor(random() * 365));
  return day > TODAY ? shifted(TODAY, -Math.floor(random() * 300)) : day;
}

export function mobile(random: Random): string {
  const head = pick(random, ['13', '13', '13', '15', '15', '18', '18', '18', '17', '19']);
  return head + String(Math.floor(random() * 1e9)).padStart(9, '0');
}

/** The names of one person: whole, family and given where they part. */
export interface Named {
  readonly whole: string;
  readonly family: string;
  readonly given: string;
}

/** `family`: handed down; `generation`: the character that brothers and sisters share. */
export function named(
  random: Random,
  home: Home,
  [sex, year]: readonly [Sex, number],
  family: string | null,
  generation: string | null,
): Named {
  const own = surnameOf(random, home.people);
  if (home.people !== 'han' && own === null) {
    const whole = ownName(random, home.people, sex);
    return { whole, family: '', given: whole };
  }
  const head = family ?? own ?? surname(random);
  let given = givenName(random, sex, year, generation);
  const rare = random();
  const sign =
    rare < RATES.person.rareSign
      ? pick(random, RARE_SIGNS)
      : rare < RATES.person.rareSign + RATES.person.uncommonSign
        ? pick(random, UNCOMMON_SIGNS)
        : null;
  if (sign !== null) given = Array.from(given).slice(0, -1).join('') + sign;
  return { whole: head + given, family: head, given };
}

function saidBirthday(random: Random, born: string): string {
  const { before1960, before1980 } = RATES.person.lunarBirthday;
  const year = yearOf(born);
  const share = year < 1960 ? before1960 : year < 1980 ? before1980 : 0;
  if (random() >= share) return born;
  // No form takes the thirtieth of the second month.
  const lunar = lunarOf(born);
  return lunar !== null && isCalendarDate(lunar) ? lunar : born;
}

export interface Told {
  readonly number: number;
  readonly sex: Sex;
  readonly born: string;
  readonly name: Named;
  readonly phone: string;
  /** Last digits of the resident number before the check digit, odd for men. */
  readonly sequence: number;
  readonly newborn: boolean;
  readonly twin: boolean;
  readonly relatives: readonly number[];
  readonly hasMother: boolean;
}

const insuranceNumber = (number: number): string =>
  `330000000000${String(mixed(number, 77) % 10_000).padStart(4, '0')}${String(number).padStart(10, '0')}`;

/** The person from what the household says and what chance adds; the same number gives the same person. */
export function personOf(seed: number, home: Home, told: Told): CohortPerson {
  const random = drawnFor(seed, 4, told.number);
  const { number, sex, born, name } = told;
  const year = yearOf(born);
  const renamed = random() < RATES.person.renamed && home.people === 'han' && !told.newborn;
  const renumbered = random() < RATES.person.renumbered;
  return {
    number,
    sex,
    born,
    saidBorn: saidBirthday(random, born),
    name: name.whole,
    formerName: renamed ? name.family + givenName(random, sex, year) : null,
    latin: name.family === '' ? readWhole(name.whole) : inPinyin(name.family, name.given),
    foreign: false,
    residentId: residentNumber(home.code, born, told.sequence),
    formerResidentId: renumbered
      ? residentNumber(home.code, shifted(born, 365 + Math.floor(random() * 700)), told.sequence)
      : null,
    identifier: random() < RATES.person.insured ? insuranceNumber(number) : null,
    phone: told.phone,
    formerPhone: random() < RATES.person.changedPhone ? mobile(random) : null,
    address: home.address,
    formerAddress: home.formerAddress,
    newborn: told.newborn,
    twin: told.twin,
    relatives: told.relatives,
    hasMother: told.hasMother,
  };
}

/** A name that does not part into family and given name, read through; the dot parts it in Latin letters. */
function readWhole(whole: string): readonly [string, string] | null {
  const [first = '', second = ''] = whole.split('·');
  return inPinyin(first, second);
}
