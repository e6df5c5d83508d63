/**
 * One registration of a person at a hospital, with what goes wrong at that counter. What was done to it is told with
 * it, so that a linkage that fails can be asked where.
 */
import { pick, weighted } from '../random.ts';
import type { Random } from '../random.ts';
import { written } from './addresses.ts';
import { degraded, lookAlike, soundAlike, variant } from './characters.ts';
import { DOTS, respelled } from './peoples.ts';
import { TODAY, mobile, shifted, yearOf } from './person.ts';
import type { CohortPerson } from './person.ts';
import { CHANNELS, RATES } from './rates.ts';
import type { Channel } from './rates.ts';
import { DUMMIES, fifteen, transposed, untidy, wrongDigit } from './resident-numbers.ts';

/** The columns of SURFACE's `npm run link` that a registration fills; empty: not known. */
export interface Registration {
  readonly fullName: string;
  readonly birthDate: string;
  readonly sex: string;
  readonly residentId: string;
  readonly identifier: string;
  readonly phone: string;
  readonly address: string;
  readonly locality: string;
  readonly postalCode: string;
  /** What was done to it, in words of this file. */
  readonly made: readonly string[];
}

/** What a registration is made with beside the person. */
export interface Circumstances {
  /** Any person of the cohort by number, for cards and phones that are another's. */
  readonly personOf: (number: number) => CohortPerson;
  /** The first time the person is seen. */
  readonly first: boolean;
}

type Made = string[];

const channelOf = weighted<Channel>(CHANNELS);

const age = (person: CohortPerson): number => yearOf(TODAY) - yearOf(person.born);

export function registered(random: Random, person: CohortPerson, around: Circumstances): Registration {
  const made: Made = [];
  const drawn = channelOf(random);
  // Neither a newborn nor a foreigner has a card that the reader takes.
  const channel = drawn === 'card' && (person.newborn || person.foreign || age(person) < 6) ? 'typed' : drawn;
  made.push(channel);
  const [relative] = person.relatives;
  const borrows = channel === 'card' && relative !== undefined && random() < RATES.borrowedCard;
  if (borrows) made.push('borrowed-card');
  const shown = borrows ? around.personOf(relative) : person;
  const asNewborn = person.newborn && person.hasMother && random() < (around.first ? 0.75 : 0.25);
  const name = asNewborn ? newbornName(made, person, around) : nameOf(random, made, shown, channel);
  const moved =
    person.formerAddress !== null && random() < RATES.address.former ? person.formerAddress : person.address;
  const hasAddress = channel !== 'device' && random() >= RATES.address.missing;
  const short = random() < RATES.address.short;
  return {
    fullName: name,
    birthDate: birthOf(random, made, shown, channel),
    sex: sexOf(random, made, shown, channel),
    residentId: numberOf(random, made, { person: shown, channel, asNewborn, around }),
    identifier: identifierOf(random, made, shown, channel),
    phone: phoneOf(random, made, { person, channel, around }),
    address: hasAddress ? written(random, moved, short) : '',
    locality: hasAddress || random() < 0.3 ? moved.district.name : '',
    postalCode: hasAddress && random() < RATES.postalCode ? moved.district.postalCode : '',
    made,
  };
}

/** 某某之子: the mother's name with a relation, until the child is registered under its own. */
function newbornName(made: Made, person: CohortPerson, around: Circumstances): string {
  made.push('newborn');
  const mother = around.personOf(person.relatives[0] ?? person.number);
  const relation = person.sex === 'M' ? '之子' : '之女';
  if (!person.twin) return mother.name + relation;
  return `${mother.name}${relation}${person.relatives.includes(person.number + 1) ? '1' : '2'}`;
}

function nameOf(random: Random, made: Made, person: CohortPerson, channel: Channel): string {
  const rates = RATES.name;
  if (person.foreign) return latinName(random, made, person.latin ?? ['', '']);
  if (channel === 'device' || (channel !== 'card' && random() < rates.pinyin)) {
    if (person.latin === null) return person.name;
    made.push('pinyin');
    return latinName(random, made, person.latin);
  }
  let name = person.name;
  if (random() < RATES.degraded) name = told(made, 'degraded', degraded(random, name)) ?? name;
  if (channel === 'card') return name.replace('·', () => (random() < 0.3 ? pick(random, DOTS) : '·'));
  if (channel === 'spoken' && random() < rates.unknown) {
    made.push('unknown');
    return pick(random, ['无名氏', '无名', '急诊1', '未知名']);
  }
  if (person.formerName !== null && random() < rates.former)
    name = told(made, 'former-name', person.formerName) ?? name;
  if (name.includes('·') || respelled(name) !== null) {
    if (random() < 0.12) name = told(made, 'respelled', respelled(name)) ?? name;
    name = name.replace('·', random() < 0.5 ? '·' : pick(random, DOTS));
  }
  return misspelled(random, made, name);
}

const told = (made: Made, word: string, text: string | null): string | null => {
  if (text !== null) made.push(word);
  return text;
};

function misspelled(random: Random, made: Made, name: string): string {
  const rates = RATES.name;
  let text = name;
  if (random() < rates.soundAlike) text = told(made, 'sound-alike', soundAlike(random, text)) ?? text;
  if (random() < rates.lookAlike) text = told(made, 'look-alike', lookAlike(random, text)) ?? text;
  if (random() < rates.variant) text = told(made, 'variant', variant(random, text)) ?? text;
  if (random() < rates.cutOff && Array.from(text).length > 2)
    text = told(made, 'cut-off', Array.from(text).slice(0, -1).join('')) ?? text;
  if (random() < rates.blanks)
    return Array.from(text)
      .join(pick(random, [' ', '　']))
      .replace(/^(.)(.)$/su, '$1 $2');
  return random() < rates.suffix ? text + pick(random, ['(女)', '（本院）', '*', '(自费)']) : text;
}

/** As consoles and foreigners' forms have it: either order, comma, caret or blank. */
function latinName(random: Random, made: Made, [family, given]: readonly [string, string]): string {
  if (given === '') return family;
  const kind = random();
  if (kind < 0.5) return `${family} ${given}`;
  if (kind < 0.7) return `${family}^${given}`;
  made.push('reversed');
  return kind < 0.9 ? `${given} ${family}` : `${capital(given)}, ${capital(family)}`;
}

const capital = (word: string): string => word.charAt(0) + word.slice(1).toLowerCase();

function birthOf(random: Random, made: Made, person: CohortPerson, channel: Channel): string {
  if (channel === 'card') return person.born;
  const rates = RATES.birth;
  const said = channel === 'spoken' ? person.saidBorn : person.born;
  if (said !== person.born) made.push('lunar');
  const [year = '', month = '', day = ''] = said.split('-');
  const kind = random();
  let upTo = rates.swapped;
  if (kind < upTo) return day <= '12' && day !== month ? done(made, 'birth-swapped', `${year}-${day}-${month}`) : said;
  if (kind < (upTo += rates.digit)) return done(made, 'birth-digit', mistypedDate(random, said));
  if (kind < (upTo += rates.firstOfJanuary)) return done(made, 'birth-january', `${year}-01-01`);
  if (kind < (upTo += rates.placeholder)) return done(made, 'birth-placeholder', '1900-01-01');
  if (kind < (upTo += rates.missing)) return done(made, 'birth-missing', '');
  return kind < upTo + rates.yearOnly ? done(made, 'birth-year', year) : said;
}

const done = (made: Made, word: string, text: string): string => {
  made.push(word);
  return text;
};

/** A day, a month or a year off, or ten years: always a date that there is. */
function mistypedDate(random: Random, date: string): string {
  const kind = random();
  if (kind < 0.35) return shifted(date, random() < 0.5 ? 1 : -1);
  if (kind < 0.55) return shifted(date, random() < 0.5 ? 10 : -10);
  const years = kind < 0.85 ? 1 : 10;
  const year = yearOf(date) + (random() < 0.5 || yearOf(date) + years > yearOf(TODAY) ? -years : years);
  return `${String(year)}${date.slice(4).replace('-02-29', '-02-28')}`;
}

function sexOf(random: Random, made: Made, person: CohortPerson, channel: Channel): string {
  if (channel !== 'card') {
    const kind = random();
    if (kind < RATES.sex.missing) return done(made, 'sex-missing', '');
    if (kind < RATES.sex.missing + RATES.sex.wrong) return done(made, 'sex-wrong', person.sex === 'M' ? 'F' : 'M');
  }
  return person.sex;
}

interface Numbered {
  readonly person: CohortPerson;
  readonly channel: Channel;
  readonly asNewborn: boolean;
  readonly around: Circumstances;
}

function numberOf(random: Random, made: Made, { person, channel, asNewborn, around }: Numbered): string {
  const rates = RATES.residentId;
  const [relative] = person.relatives;
  const parent = person.hasMother && relative !== undefined ? around.personOf(relative).residentId : null;
  if (asNewborn) return parent !== null && random() < rates.mothers ? done(made, 'mothers-id', parent) : '';
  if (channel !== 'card' && random() < rates.dummy) return done(made, 'dummy-id', pick(random, DUMMIES));
  const shows = { card: 1, typed: 1 - rates.leftOut, spoken: 0.03, device: 0.2 }[channel];
  if (person.residentId === null || random() >= shows) return '';
  const number =
    person.formerResidentId !== null && random() < 0.4
      ? done(made, 'former-id', person.formerResidentId)
      : person.residentId;
  if (channel === 'card') return number;
  if (age(person) < 6 && parent !== null && random() < rates.parents) return done(made, 'parents-id', parent);
  return mistypedNumber(random, made, number, { person, around });
}

function mistypedNumber(
  random: Random,
  made: Made,
  number: string,
  { person, around }: Pick<Numbered, 'person' | 'around'>,
): string {
  const rates = RATES.residentId;
  const kind = random();
  let upTo: number = rates.wrongDigit;
  if (kind < upTo) return done(made, 'id-digit', wrongDigit(random, number));
  if (kind < (upTo += rates.transposed)) return done(made, 'id-transposed', transposed(random, number));
  if (kind < (upTo += rates.cutOff)) return done(made, 'id-cut', number.slice(0, 17));
  if (kind < (upTo += rates.borrowed)) {
    const lender = person.relatives.length > 0 ? pick(random, person.relatives) : person.number + 1_000;
    const lent = around.personOf(lender).residentId;
    return lent === null ? number : done(made, 'borrowed-id', lent);
  }
  if (kind < (upTo += rates.fifteen)) return yearOf(person.born) < 1985 ? done(made, 'id-15', fifteen(number)) : number;
  return kind < upTo + rates.untidy ? done(made, 'id-untidy', untidy(random, number)) : number;
}

function identifierOf(random: Random, made: Made, person: CohortPerson, channel: Channel): string {
  if (person.identifier === null || channel === 'device') return '';
  const given = person.foreign ? 0.9 : channel === 'spoken' ? 0.25 : RATES.insurance.given;
  if (random() >= given) return '';
  return random() < RATES.insurance.digit && channel !== 'card'
    ? done(made, 'identifier-digit', wrongDigit(random, person.identifier))
    : person.identifier;
}

function phoneOf(random: Random, made: Made, { person, channel, around }: Omit<Numbered, 'asNewborn'>): string {
  const rates = RATES.phone;
  const kind = random();
  if (channel === 'device' || kind < rates.missing) return '';
  if (kind < rates.missing + rates.dummy)
    return done(made, 'phone-dummy', pick(random, ['13800000000', '11111111111', '0']));
  let phone = person.formerPhone !== null && random() < 0.35 ? person.formerPhone : person.phone;
  if (phone !== person.phone) made.push('phone-former');
  if (random() < rates.others) {
    const [relative] = person.relatives;
    phone = done(made, 'phone-of-another', relative === undefined ? mobile(random) : around.personOf(relative).phone);
  }
  if (random() < rates.digit) phone = done(made, 'phone-digit', wrongDigit(random, phone));
  if (random() >= rates.untidy) return phone;
  const style = random();
  if (style < 0.4) return `+86${phone}`;
  return style < 0.7
    ? `${phone.slice(0, 3)}-${phone.slice(3, 7)}-${phone.slice(7)}`
    : `${phone.slice(0, 3)} ${phone.slice(3)}`;
}
