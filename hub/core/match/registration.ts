/** The comparable features of a registration: of one that the hub holds, or of a row of a batch. */
import { isCalendarDate, parseResidentId } from '../identifier.ts';
import type { Identifier, PersonName, Sex } from '../record.ts';
import type { PatientView } from '../view.ts';
import type { Features } from './features.ts';
import { birthDateLevel } from './levels.ts';
import { nameFeature, type Romanise } from './person-name.ts';

/** What a source wrote about one person, before anything is normalised. */
export interface Written {
  readonly recordId: string;
  /** Empty: not known; then no rule about one issuer applies. */
  readonly issuer: string;
  readonly names: readonly Pick<PersonName, 'text' | 'family' | 'given'>[];
  readonly birthDate: string | null;
  readonly sex: Sex | null;
  readonly residentId: string | null;
  readonly identifiers: readonly Identifier[];
  readonly phones: readonly string[];
  readonly address: string | null;
  readonly locality: string | null;
  readonly postalCode: string | null;
}

/** Numbers of one hospital's own books say nothing about the person elsewhere (HL7 table 0203). */
const LOCAL = new Set(['PI', 'MR', 'PT', 'VN', 'AN', 'FI', 'U', 'NI', 'NI-invalid', 'TEMP']);
const MANY = 8;

export function featuresOf(view: PatientView, romanise: Romanise): Features {
  // One that fails its check is compared as a slip of a number, never as a number that names somebody.
  const resident =
    view.residentId ?? view.identifiers.find((id) => id.type === 'NI' || id.type === 'NI-invalid')?.value ?? null;
  return featuresOfWritten(
    {
      recordId: view.recordId,
      issuer: view.authority,
      names: view.names,
      birthDate: view.birthDate,
      sex: view.sex,
      residentId: resident,
      identifiers: view.identifiers,
      phones: view.phone === null ? [] : view.phone.split(/[;,、；，]/u),
      address: view.address?.text ?? null,
      locality: view.address?.division ?? null,
      postalCode: view.address?.postalCode ?? null,
    },
    romanise,
  );
}

export function featuresOfWritten(written: Written, romanise: Romanise): Features {
  const resident = written.residentId === null ? null : parseResidentId(written.residentId);
  const valid = resident?.ok === true ? resident : null;
  const birthDate = birthDateOf(written.birthDate);
  const own = valid !== null && !isBorrowed(birthDate, valid.birthDate) ? valid : null;
  const names = written.names.slice(0, MANY).map((name) => nameFeature(name, romanise));
  return {
    recordId: written.recordId,
    issuer: written.issuer,
    residentId: own?.id ?? null,
    borrowedId: own === null ? (valid?.id ?? null) : null,
    ...(own !== null && isUnexplained(birthDate, own.birthDate) ? { bornOtherwise: true as const } : {}),
    brokenResidentId: valid === null ? brokenId(written.residentId) : null,
    identifiers: written.identifiers
      .filter((id) => !LOCAL.has(id.type))
      .flatMap(identifierOf)
      .slice(0, MANY),
    names: names.filter((name) => name !== null),
    birthDate: own === null ? birthDate : bornBy(own.birthDate, birthDate),
    sex: sexOf(written.sex) ?? own?.sex ?? null,
    phones: [...new Set(written.phones.flatMap(phoneOf))].slice(0, MANY),
    address: addressOf(written.address),
    locality: addressOf(written.locality),
    postalCode: number(written.postalCode, 3),
  };
}

const YEARS_APART = 2;

/** The number tells the birth (GB 11643): years away and no slip of the pen, it is somebody else's. */
function isBorrowed(registered: string | null, told: string): boolean {
  if (registered === null || !isUnexplained(registered, told)) return false;
  return Math.abs(Number(registered.slice(0, 4)) - Number(told.slice(0, 4))) > YEARS_APART;
}

/** Born another day by the number than registered, and neither a slip of the pen nor a lunar birthday explains it. */
const isUnexplained = (registered: string | null, told: string): boolean =>
  ['different', 'year', 'month'].includes(birthDateLevel(registered, told) ?? '');

/** A number that passes its check tells the birth better than a date that a slip of the pen, or a lunar birthday, explains. */
const bornBy = (told: string, registered: string | null): string =>
  registered === null || birthDateLevel(registered, told) !== 'different' ? told : registered;

const squeeze = (text: string): string =>
  text
    .slice(0, 128)
    .normalize('NFKC')
    .replace(/[\s\-_./]/gu, '')
    .toUpperCase();

/** All one figure, or counting up: what people type when a field is mandatory. */
const isDummy = (value: string): boolean =>
  /^(.)\1*$/u.test(value) || '01234567890123456789'.includes(value) || /^0*[19]?0*$/u.test(value);

function number(text: string | null, least: number): string | null {
  const value = squeeze(text ?? '');
  return value.length < least || isDummy(value) ? null : value;
}

/** A resident ID that is not valid, for comparing typing errors: near enough to one in length, and no dummy. */
function brokenId(text: string | null): string | null {
  const value = squeeze(text ?? '').replace(/[^\dX]/gu, '');
  if (value.length < 14 || value.length > 19 || value.startsWith('12345678')) return null;
  return /^(\d)\1{11}/u.test(value) ? null : value;
}

function identifierOf(id: Identifier): string[] {
  const value = number(id.value, 4);
  return value === null ? [] : [`${id.type}|${id.authority}|${value}`];
}

function birthDateOf(text: string | null): string | null {
  const match = /^(\d{4})(?:[-./年]?(\d{1,2})(?:[-./月]?(\d{1,2})?日?)?)?/u.exec((text ?? '').trim().normalize('NFKC'));
  const [, year, month, day] = match ?? [];
  if (year === undefined || Number(year) < 1850) return null;
  if (year === '1900' && (month === undefined || Number(month) === 1) && (day === undefined || Number(day) === 1))
    return null;
  if (month === undefined) return year;
  const monthText = month.padStart(2, '0');
  if (day === undefined) return Number(month) >= 1 && Number(month) <= 12 ? `${year}-${monthText}` : year;
  const date = `${year}-${monthText}-${day.padStart(2, '0')}`;
  // A swapped day and month still tells: 19701308 is no date, yet a slip away from 1970-08-13.
  return isCalendarDate(date) || isCalendarDate(`${year}-${date.slice(8)}-${monthText}`) ? date : year;
}

const sexOf = (sex: Sex | null): Sex | null => (sex === 'male' || sex === 'female' ? sex : null);

/** Chinese mobile numbers without +86; land lines without their leading zero; extensions and blanks fall away. */
function phoneOf(text: string): string[] {
  const digits = text
    .slice(0, 64)
    .normalize('NFKC')
    .replace(/(转|EXT|X).*$/iu, '')
    .replace(/\D/gu, '');
  const national = digits.replace(/^(00)?86(?=1\d{10}$)/u, '').replace(/^0+(?=[1-9])/u, '');
  return national.length < 6 || national.length > 15 || isDummy(national) || /(\d)\1{7}/u.test(national)
    ? []
    : [national];
}

function addressOf(text: string | null): string | null {
  const folded = (text ?? '')
    .slice(0, 256)
    .normalize('NFKC')
    .toUpperCase()
    .replace(/[\s,，、.;:#()/\\|]+/gu, ' ')
    .trim();
  const value = /\p{Script=Han}/u.test(folded) ? folded.replace(/ /gu, '') : folded;
  return value === '' || /^(不详|无|未知|本地|同上|-|UNKNOWN|N A|NA|NULL|NONE)$/u.test(value) ? null : value;
}
