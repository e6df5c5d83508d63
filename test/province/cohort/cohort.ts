/**
 * A population and its registrations at the hospitals of a province, with the truth. Every registration can be made
 * from the seed, its place and the list of who got another number: the order in the file says nothing about who is whom.
 */
import { drawnFor, mixed, pick } from '../random.ts';
import { BLOCK } from './household.ts';
import type { CohortPerson } from './person.ts';
import { Population } from './population.ts';
import { RATES } from './rates.ts';
import { registered } from './registration.ts';
import type { Registration } from './registration.ts';

export interface CohortSize {
  readonly seed: number;
  readonly persons: number;
  readonly records: number;
}

export interface CohortRecord {
  readonly recordId: string;
  /** The truth: equal for the registrations of one person. */
  readonly personId: string;
  readonly site: string;
  /** The hospital's own number; now and then one that another person had before. */
  readonly localId: string;
  readonly registration: Registration;
}

const SITES = 40;

/** How sites write what all of them know. */
const SEXES: readonly (readonly [string, string])[] = [
  ['M', 'F'],
  ['1', '2'],
  ['男', '女'],
];

interface Made {
  readonly person: CohortPerson;
  readonly record: number;
  readonly registration: Registration;
}

/** People fall ill unevenly: the exponent makes a few come often (assumption). */
const UNEVEN = 1.4;

function personNumber({ seed, persons }: CohortSize, record: number): number {
  if (record < persons) return record;
  return Math.floor(persons * drawnFor(seed, 3, record)() ** UNEVEN);
}

/** Where a person goes first, and where else. */
const usualSite = (seed: number, person: number): number => mixed(seed, 5, Math.floor(person / BLOCK)) % SITES;

function siteOf({ seed, persons }: CohortSize, record: number, person: number): number {
  const usual = usualSite(seed, person);
  if (record < persons) return usual;
  const random = drawnFor(seed, 6, record);
  return random() < RATES.sameSite ? usual : Math.floor(random() * SITES);
}

const ownNumber = (record: number): string => String(10_000_000 + record);

/** The number of another person's first registration there, as hospitals do that count anew. */
function reusedNumber(size: CohortSize, record: number, site: number): string {
  const random = drawnFor(size.seed, 8, record);
  for (let tries = 0; tries < 500; tries++) {
    const other = Math.floor(random() * Math.min(size.persons, size.records));
    if (other !== record && usualSite(size.seed, other) === site) return ownNumber(other);
  }
  return ownNumber(record);
}

function dated(site: number, date: string): string {
  return site % 2 === 0 || date.length < 10 ? date : date.replaceAll('-', '');
}

function sexAt(site: number, sex: string): string {
  const [man, woman] = SEXES[site % SEXES.length] ?? ['M', 'F'];
  return sex === '' ? pick(() => (site % 2) / 2, ['', '0']) : sex === 'M' ? man : woman;
}

function made(size: CohortSize, people: Population, record: number): Made {
  const number = personNumber(size, record);
  const around = people.block(Math.floor(number / BLOCK));
  const person = around[number % BLOCK];
  if (!person) throw new Error('a block of households is short of persons');
  const personOf = (other: number): CohortPerson =>
    around.find((member) => member.number === other) ?? people.person(other);
  const random = drawnFor(size.seed, 2, record);
  return { person, record, registration: registered(random, person, { personOf, first: record < size.persons }) };
}

/** A step that visits every number below `count` once. */
function stepThrough(count: number): number {
  const common = (a: number, b: number): number => (b === 0 ? a : common(b, a % b));
  let step = Math.max(1, Math.floor(count * 0.6180339887));
  while (common(step, count) !== 1) step++;
  return step;
}

/** The registrations in an order that tells nothing. Seed, persons and records make the cohort, to the byte. */
export function* cohort(size: CohortSize): Generator<CohortRecord> {
  const people = new Population(size.seed, size.persons);
  const step = stepThrough(size.records);
  let record = mixed(size.seed, 9) % size.records;
  for (let at = 0; at < size.records; at++) {
    const { person, registration } = made(size, people, record);
    const site = siteOf(size, record, person.number);
    const reuses = drawnFor(size.seed, 7, record)() < RATES.reusedNumber;
    yield {
      recordId: `r${String(at + 1)}`,
      personId: `p${String(person.number)}`,
      site: `h${String(site + 1).padStart(2, '0')}`,
      localId: reuses ? reusedNumber(size, record, site) : ownNumber(record),
      registration: {
        ...registration,
        birthDate: dated(site, registration.birthDate),
        sex: sexAt(site, registration.sex),
        made: reuses ? [...registration.made, 'reused-number'] : registration.made,
      },
    };
    record = (record + step) % size.records;
  }
}
