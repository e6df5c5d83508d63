/**
 * Households: who lives together, what they share (surname, address, phone, the characters of names), and the children
 * that look alike in every field. Six neighbouring numbers are one draw, so that any person can be made again from the
 * number alone, in any order and without memory.
 */
import { drawnFor, pick, weighted } from '../random.ts';
import type { Random } from '../random.ts';
import { addressIn } from './addresses.ts';
import { soundOf } from './characters.ts';
import { generationSign } from './given-names.ts';
import type { Sex } from './given-names.ts';
import { HOMELANDS, foreignName } from './peoples.ts';
import type { People } from './peoples.ts';
import { TODAY, dayIn, mobile, named, personOf, shifted, yearOf } from './person.ts';
import type { CohortPerson, Home, Named, Told } from './person.ts';
import { RATES } from './rates.ts';
import { awayDistrict, codeGiven, homeDistrict } from './regions.ts';
import { residentNumber } from './resident-numbers.ts';

export const BLOCK = 6;

/**
 * Who six people are, household by household: H husband, W wife, C child, T twins (a pair), B newborn, V newborn twins
 * (a pair), G grandfather, M grandmother, S someone alone. Weights are assumptions: newborns of the last months are
 * about 0.6 % of those whom a hospital registers, twins about 1 %.
 */
const block = weighted([
  [30, 'HWCGM/S'],
  [30, 'HWCC/HW'],
  [40, 'HWC/HWC'],
  [30, 'GM/HWC/S'],
  [20, 'HWCC/S/S'],
  [18, 'S/S/S/S/GM'],
  [16, 'WC/GM/HW'],
  [7, 'HWB/HWC'],
  [0.3, 'HWV/GM'],
  [5, 'HWT/HW'],
]);

const people = weighted<People>([
  [1, 'zhuang'],
  [0.7, 'uyghur'],
  [0.6, 'tibetan'],
  [0.5, 'mongol'],
  [0.6, 'yi'],
  [0.2, 'kazakh'],
  [0.9, 'she'],
]);

function homeOf(random: Random): Home {
  const folk = random() < RATES.person.minority ? people(random) : 'han';
  const homeland = folk === 'han' ? [] : HOMELANDS[folk];
  const migrant = homeland.length > 0 || random() < RATES.person.migrant;
  const district = homeDistrict(random);
  const origin = migrant ? awayDistrict(random, homeland) : random() < 0.8 ? district : homeDistrict(random);
  const moved = random() < RATES.person.moved;
  return {
    people: folk,
    code: codeGiven(random, origin, 1950 + Math.floor(random() * 70)),
    address: addressIn(random, district),
    formerAddress: migrant || moved ? addressIn(random, migrant ? origin : homeDistrict(random)) : null,
    landline: random() < 0.15 ? `0571${String(80_000_000 + Math.floor(random() * 9_999_999))}` : null,
  };
}

interface Member extends Told {
  readonly role: string;
}

const YEAR = yearOf(TODAY);

/** Builds the members of one household in order; each may lean on those before. */
class Household {
  readonly #random: Random;
  readonly #home: Home;
  readonly #first: number;
  readonly #size: number;
  readonly #members: Member[] = [];

  constructor(random: Random, first: number, size: number) {
    this.#random = random;
    this.#home = homeOf(random);
    this.#first = first;
    this.#size = size;
  }

  persons(seed: number, roles: string): CohortPerson[] {
    const young = /[BV]/.test(roles);
    const base = young ? YEAR - 22 - this.#below(16) : YEAR - 24 - this.#below(40);
    const sign = this.#random() < 0.45 ? generationSign(this.#random, this.#sex(), base + 28) : null;
    for (const role of roles) this.#add(role, base, sign);
    return this.#members.map((member) => this.#finished(seed, member));
  }

  #below(most: number): number {
    return Math.floor(this.#random() * most);
  }

  #sex(): Sex {
    return this.#random() < 0.512 ? 'M' : 'F';
  }

  #add(role: string, base: number, sign: string | null): void {
    if (role === 'H') this.#adult(role, 'M', base);
    else if (role === 'W') this.#adult(role, 'F', base - 3 + this.#below(7));
    else if (role === 'G') this.#adult(role, 'M', base - 22 - this.#below(9));
    else if (role === 'M') this.#adult(role, 'F', base - 21 - this.#below(9));
    else if (role === 'S') this.#adult(role, this.#sex(), YEAR - 17 - this.#below(66));
    else this.#children(role, base, sign);
  }

  #adult(role: string, sex: Sex, year: number): void {
    const born = dayIn(this.#random, Math.max(year, YEAR - 98));
    // The grandfather's surname is the husband's, who stands before him.
    const father = role === 'G' ? (this.#named('H')?.family ?? null) : null;
    const old = YEAR - yearOf(born) > 70;
    const shared = old && this.#random() < 0.35 ? (this.#home.landline ?? this.#members[0]?.phone) : undefined;
    this.#keep(role, sex, born, this.#fresh(sex, born, father, null), {
      phone: shared ?? mobile(this.#random),
      sequence: this.#sequence(sex),
      twin: false,
    });
  }

  #children(role: string, base: number, sign: string | null): void {
    const infant = role === 'B' || role === 'V';
    const twins = role === 'T' || role === 'V';
    const year = Math.min(base + 23 + this.#below(9), YEAR - 1);
    const born = infant ? shifted(TODAY, -this.#below(120)) : dayIn(this.#random, year);
    const sex = this.#sex();
    const parent = this.#random() < 0.94 ? (this.#named('H') ?? this.#named('W')) : this.#named('W');
    const family = parent === null || parent.family === '' ? null : parent.family;
    const phone = this.#phoneOfChild(born);
    const other = this.#random() < 0.65 ? sex : sex === 'M' ? 'F' : 'M';
    const shared = twins && this.#random() < 0.7 ? generationSign(this.#random, sex, year) : sign;
    const sequence = this.#sequence(sex);
    // Twins are registered one after the other: the next free number of their sex.
    const next = other === sex ? sequence + 2 : sequence + (sex === 'M' ? 1 : 3);
    for (const [of, at] of twins
      ? ([
          [sex, sequence],
          [other, next],
        ] as const)
      : ([[sex, sequence]] as const))
      this.#keep(role, of, born, this.#fresh(of, born, family, shared), {
        phone,
        sequence: at,
        twin: twins,
      });
  }

  #phoneOfChild(born: string): string {
    const parents = this.#members.filter(({ role }) => role === 'W' || role === 'H');
    if (YEAR - yearOf(born) > 15 || parents.length === 0) return mobile(this.#random);
    return (this.#random() < 0.65 ? parents.at(-1) : parents[0])?.phone ?? mobile(this.#random);
  }

  /** A name that sounds like nobody else's of the household: no family calls two of its own by one sound. */
  #fresh(sex: Sex, born: string, family: string | null, sign: string | null): Named {
    for (;;) {
      const name = named(this.#random, this.#home, [sex, yearOf(born)], family, sign);
      const sound = soundOf(name.whole);
      if (this.#members.every((member) => soundOf(member.name.whole) !== sound)) return name;
    }
  }

  #named(role: string): Named | null {
    return this.#members.find((member) => member.role === role)?.name ?? null;
  }

  #sequence(sex: Sex): number {
    return this.#below(440) * 2 + (sex === 'M' ? 1 : 2);
  }

  #keep(
    role: string,
    sex: Sex,
    born: string,
    name: Named,
    rest: Readonly<Pick<Told, 'phone' | 'sequence' | 'twin'>>,
  ): void {
    const number = this.#first + this.#members.length;
    const child = 'CTBV'.includes(role);
    const mother = child ? this.#members.find((member) => member.role === 'W')?.number : undefined;
    const all = Array.from({ length: this.#size }, (_, at) => this.#first + at).filter((other) => other !== number);
    const relatives = mother === undefined ? all : [mother, ...all.filter((other) => other !== mother)];
    const newborn = role === 'B' || role === 'V';
    this.#members.push({ role, number, sex, born, name, newborn, relatives, hasMother: mother !== undefined, ...rest });
  }

  #finished(seed: number, member: Member): CohortPerson {
    const person = personOf(seed, this.#home, member);
    return member.role === 'S' ? outsider(this.#random, person) : person;
  }
}

/** Of those alone some are foreigners with a passport, or of Hong Kong, Macao or Taiwan with a residence permit. */
function outsider(random: Random, person: CohortPerson): CohortPerson {
  const { foreigner, compatriot } = RATES.person;
  // Only one in four is alone, so four times as many of those are from outside.
  const kind = random();
  if (kind < foreigner * 4) {
    const latin = foreignName(random, person.sex);
    const passport = `${pick(random, ['M', 'E', 'AB', 'K', ''])}${String(10_000_000 + Math.floor(random() * 89_999_999))}`;
    return {
      ...person,
      name: `${latin[1]} ${latin[0]}`,
      formerName: null,
      latin,
      foreign: true,
      residentId: null,
      formerResidentId: null,
      identifier: passport,
    };
  }
  if (kind < foreigner * 4 + compatriot * 4) {
    const code = pick(random, ['810000', '810000', '820000', '830000', '830000']);
    const sequence = Number(person.residentId?.slice(14, 17) ?? 1);
    return { ...person, residentId: residentNumber(code, person.born, sequence), formerResidentId: null };
  }
  return person;
}

/** The six persons of one draw, before the numbers of all are seen to differ (`population.ts`). */
export function householdBlock(seed: number, at: number): readonly CohortPerson[] {
  const random = drawnFor(seed, 1, at);
  const persons: CohortPerson[] = [];
  for (const roles of block(random).split('/')) {
    const size = roles.length + (roles.match(/[TV]/g)?.length ?? 0);
    persons.push(...new Household(random, at * BLOCK + persons.length, size).persons(seed, roles));
  }
  return persons;
}
