/** PID as fields of a person: names, sex, birth date, identifiers, contact (HL7 v2.5.1 §3.4.2). `""` asserts absence. */
import { unmappedSent } from '../../hub/core/code-mapping.ts';
import type { Address, PatientFields, PatientRef, PersonName, Sex } from '../../hub/core/record.ts';
import { ethnicOf, maritalOf, sexOf } from '../codes/demographics.ts';
import { present, whereOf, type Context } from './context.ts';
import { assignerOf, readIdentity } from './identity.ts';
import type { Segment } from './message.ts';
import { readName } from './name.ts';
import { readDate, readTime } from './time.ts';

export interface Person {
  readonly ref: PatientRef | null;
  /** All that PID says: what a registration asserts. */
  readonly fields: PatientFields;
  /** Who it is and no more: what an order or a report may assert beside itself. */
  readonly identity: PatientFields;
}

export function readPerson(pid: Segment, context: Context): Person {
  const { ref, identifiers } = readIdentity(pid, context.site, (code, where, text) => context.find(code, where, text));
  const identity = present({
    names: names(pid, context),
    sex: sex(pid, context),
    birthDate: birthDate(pid, context),
    ...(identifiers.length === 0 ? {} : { identifiers }),
  });
  const rest = present({
    phone: phone(pid),
    address: address(pid),
    maritalStatus: isNull(pid, 16) ? null : table(pid, 16, 'marital', context),
    ethnicGroup: isNull(pid, 22) ? null : table(pid, 22, 'ethnic', context),
    nationality: isNull(pid, 28)
      ? null
      : (context.coded('nationality', pid, 28) ?? context.coded('nationality', pid, 26)),
    deceased: deceased(pid, context),
    motherRef: mother(pid, context),
  });
  return { ref, identity, fields: { ...identity, ...rest } };
}

const isNull = (pid: Segment, field: number): boolean => pid.field(field).isNull;

function names(pid: Segment, context: Context): readonly PersonName[] | null | undefined {
  if (isNull(pid, 5)) return null;
  const found: PersonName[] = [];
  // The legal name before aliases: the first of each representation is the one that stands.
  const legal = (code: string): number => (['', 'L', 'D', 'A', 'I', 'P'].includes(code) ? 0 : 1);
  const sent = pid.repetitions(5).map(({ field }) => ({ field, rank: legal(field.text(7).toUpperCase()) }));
  for (const { field } of [...sent].sort((a, b) => a.rank - b.rank)) {
    const name = readName(field, context.site.hl7v2.nameOrder);
    if (name !== null && !found.some((one) => one.representation === name.representation)) found.push(name);
  }
  if (found.length > 0) return found;
  context.find('missing-optional', 'PID-5', 'there is no name');
  return undefined;
}

function sex(pid: Segment, context: Context): Sex | null | undefined {
  if (isNull(pid, 8)) return null;
  const code = pid.text(8);
  if (code === '') return undefined;
  const known = sexOf(context.site.codes.lookup('sex', code)?.code ?? code);
  if (known === null)
    context.find('unmapped-code', 'PID-8', 'this sex is in no table; it was left out', unmappedSent('sex', code));
  return known ?? undefined;
}

function birthDate(pid: Segment, context: Context): string | null | undefined {
  if (isNull(pid, 7)) return null;
  const text = pid.text(7);
  if (text === '') return undefined;
  const read = readDate(text, context.belief);
  if (typeof read !== 'string') return read.date;
  const why = read === 'placeholder' ? 'stands for an unknown date' : 'is no date of the calendar';
  context.find(read === 'placeholder' ? 'missing-optional' : 'invalid-value', 'PID-7', `this ${why}; it was left out`);
  return undefined;
}

/** XTN: the number in component 1, or apart in 5 to 8, or (mobile, from 2.7) in 12. Home first, then business. */
function phone(pid: Segment): string | null | undefined {
  for (const field of [13, 14]) {
    for (const { field: one } of pid.repetitions(field)) {
      if (one.isNull) return null;
      const apart = [5, 6, 7]
        .map((part) => one.text(part))
        .filter((part) => part !== '')
        .join('-');
      const number = one.text(1) || one.text(12) || apart;
      if (number !== '') return number.slice(0, 64);
    }
  }
  return undefined;
}

/** XAD: written from large to small where it is Chinese (province, city, street), as sent otherwise. */
function address(pid: Segment): Address | null | undefined {
  if (isNull(pid, 11)) return null;
  const field = pid.field(11);
  const [street, other, city, province] = [field.text(1), field.text(2), field.text(3), field.text(4)];
  const parts = /\p{Script=Han}/u.test(street + city + province)
    ? [province, city, street, other]
    : [street, other, city, province];
  // A street line that already begins with the province or city is the whole address.
  const whole = parts.filter((part, at) => part !== '' && !(at < 2 && part !== street && street.includes(part)));
  const text = whole.join(/\p{Script=Han}/u.test(street + city + province) ? '' : ', ');
  if (text === '') return undefined;
  const [division, postalCode] = [field.text(9), field.text(5)];
  return { text, ...(division === '' ? {} : { division }), ...(postalCode === '' ? {} : { postalCode }) };
}

function table(
  pid: Segment,
  field: number,
  name: 'marital' | 'ethnic',
  context: Context,
): PatientFields['maritalStatus'] | undefined {
  const code = pid.text(field) || pid.text(field, 2);
  if (code === '') return undefined;
  const national = name === 'marital' ? maritalOf(code) : ethnicOf(code);
  const mapped = context.site.codes.lookup(name, code);
  if (mapped === null && national !== null) return { ...national, source: { code } };
  return context.codedField(name, pid.field(field), whereOf(pid, field));
}

function deceased(pid: Segment, context: Context): boolean | undefined {
  const told = pid.text(30).toUpperCase();
  if (told === 'Y' || told === '1' || told === '是') return true;
  if (told === 'N' || told === '0' || told === '否') return false;
  const death = pid.text(29);
  return death !== '' && readTime(death, context.belief) !== null ? true : undefined;
}

/** PID-21, for the newborn: same authorities as PID-3. */
function mother(pid: Segment, context: Context): PatientRef | undefined {
  const field = pid.field(21);
  const value = field.text(1);
  if (value === '') return undefined;
  return { authority: assignerOf(field, context.site, context.site.patientIds.defaultAuthority), value };
}
