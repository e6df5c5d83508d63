/** The person of a REST message: who it is, by the hospital's own number, and what the message says of them. */
import type { Address, Identifier, PatientFields, PatientRef, PersonName } from '../../hub/core/record.ts';
import { ethnicOf, maritalOf, sexOf } from '../codes/demographics.ts';
import { identifierTypeOf } from '../codes/identifier-type.ts';
import { residentIdentifier } from '../hl7v2/identity.ts';
import { splitHan, tidyName } from '../hl7v2/name.ts';
import { present } from '../hl7v2/context.ts';
import { readDate } from '../hl7v2/time.ts';
import type { Reading } from './reading.ts';

/** CV02.01.101 numbers that have a type of their own in HL7 table 0203; the others are kept as `cv:NN`. */
const CV_TYPES: Readonly<Record<string, string>> = { '01': 'NI', '1': 'NI', '03': 'PPN', '3': 'PPN' };

export function refOf(reading: Reading, field = 'patientId'): PatientRef | null {
  const value = reading.text(field)?.replace(/\s+/g, ' ');
  return value === undefined ? null : { authority: reading.site.patientIds.defaultAuthority, value };
}

function names(reading: Reading): readonly PersonName[] | null | undefined {
  const told = reading.value('name');
  if (told === null) return null;
  const found: PersonName[] = [];
  const text = tidyName(told ?? '');
  // What stands for "nobody knows" is no name: two unknown persons must not look alike (CODES §7).
  if (/^(无名氏|未知|不详|无名|佚名)\d*$/.test(text))
    reading.find('degraded', 'name', 'this stands for an unknown name; it was left out');
  else if (text !== '') {
    const cut = splitHan(text);
    const representation = /\p{Script=Han}/u.test(text) ? 'ideographic' : 'alphabetic';
    found.push({ text, representation, ...(cut ?? {}) });
  }
  const pinyin = tidyName(reading.text('namePinyin') ?? '');
  if (pinyin !== '')
    found.push({ text: pinyin, representation: found[0]?.representation === 'alphabetic' ? 'phonetic' : 'alphabetic' });
  return found.length === 0 ? undefined : found;
}

function birthDate(reading: Reading): string | null | undefined {
  const told = reading.value('birthDate');
  if (told === null || told === undefined) return told;
  const read = readDate(told, reading.belief);
  if (typeof read !== 'string') return read.date;
  const why = read === 'placeholder' ? 'stands for an unknown date' : 'is no date of the calendar';
  reading.find(read === 'placeholder' ? 'degraded' : 'invalid-value', 'birthDate', `this ${why}; it was left out`);
  return undefined;
}

function identifiers(reading: Reading): readonly Identifier[] {
  const found: Identifier[] = [];
  const own = refOf(reading);
  if (own !== null) found.push({ ...own, type: 'PI' });
  const number = reading.text('idNumber');
  if (number !== undefined) {
    const told = reading.text('idType') ?? '01';
    const site = identifierTypeOf(told, reading.site);
    const type = CV_TYPES[told] ?? (/^\d{2}$/.test(site) ? `cv:${site}` : site);
    const report = (...finding: Parameters<Reading['find']>): void => reading.find(...finding);
    // Another document has no authority of its own in the message: the kind of document is its name space.
    found.push(
      type === 'NI'
        ? residentIdentifier(number, 'idNumber', report)
        : { authority: `document:${type}`, value: number.toUpperCase(), type },
    );
  }
  const insurance = reading.text('insuranceNumber');
  if (insurance !== undefined) found.push({ authority: 'document:SS', value: insurance, type: 'SS' });
  return found;
}

/** Who it is and no more: what an order, an exam or a report may assert beside itself. */
export function identityOf(reading: Reading): PatientFields {
  const sex = reading.value('sex') === null ? null : reading.word('sex', 'sex', sexOf);
  if (reading.value('birthDate') === undefined && reading.text('age') !== undefined)
    reading.find('degraded', 'age', 'an age stands for no birth date; it stays with the message only');
  const phone = reading.value('phone');
  return present({
    names: names(reading),
    sex,
    birthDate: birthDate(reading),
    identifiers: identifiers(reading),
    phone,
  });
}

function address(reading: Reading): Address | null | undefined {
  const text = reading.value('address');
  if (text === null || text === undefined) {
    for (const field of ['division', 'postalCode'] as const)
      if (reading.text(field) !== undefined)
        reading.find('degraded', field, 'without an address this stays with the message only');
    return text;
  }
  return { text, ...present({ division: reading.text('division'), postalCode: reading.text('postalCode') }) };
}

const national = (
  reading: Reading,
  table: 'marital' | 'ethnic',
  field: string,
): PatientFields['maritalStatus'] | undefined => {
  const code = reading.text(field);
  const known = code === undefined ? null : (table === 'marital' ? maritalOf : ethnicOf)(code);
  return known === null || code === undefined || reading.site.codes.lookup(table, code) !== null
    ? reading.coded(table, field)
    : { ...known, source: { code } };
};

/** All that a registration asserts. */
export function registrationOf(reading: Reading): PatientFields {
  return {
    ...identityOf(reading),
    ...present({
      address: address(reading),
      maritalStatus: national(reading, 'marital', 'maritalStatus'),
      ethnicGroup: national(reading, 'ethnic', 'ethnicGroup'),
      nationality: reading.coded('nationality', 'nationality'),
      deceased: reading.flag('deceased'),
      motherRef: refOf(reading, 'motherPatientId') ?? undefined,
    }),
  };
}
