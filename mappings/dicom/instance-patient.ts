/** Who an image header says the patient is: identifier with its issuer, names, sex, birth date, other identifiers. */
import { parseOid, parseResidentId } from '../../hub/core/identifier.ts';
import type { Identifier, InstanceRecord, PatientRef, Sex } from '../../hub/core/record.ts';
import { RESIDENT_AUTHORITY } from '../codes/identifier-type.ts';
import type { DataSet } from './data-set.ts';
import type { HeaderSource } from './header-source.ts';
import { parsePersonName } from './person-name.ts';
import { TAG } from './tags.ts';
import { isPlaceholderDate, parseDate } from './time.ts';

const MAX_OTHER_IDS = 32;

const SEX: Readonly<Record<string, Sex>> = {
  M: 'male',
  F: 'female',
  O: 'other',
  U: 'unknown',
  '1': 'male',
  '2': 'female',
  '0': 'unknown',
  '9': 'unknown',
  男: 'male',
  女: 'female',
};

export function patientOf(source: HeaderSource): PatientRef | null {
  const value = source.identifier(TAG.PatientID);
  if (value === '') {
    source.find('missing-optional', TAG.PatientID, 'The instance names no patient.');
    return null;
  }
  return { authority: authorityOf(source, source.set), value };
}

/** The issuer of a patient identifier: its universal ID, else its namespace as the site's table knows it, else the site's own. */
function authorityOf(source: HeaderSource, set: DataSet): string {
  const { defaultAuthority, authorities } = source.site.patientIds;
  const qualifier = set.items(TAG.IssuerOfPatientIDQualifiersSequence)[0];
  const universal = qualifier ? source.text(TAG.UniversalEntityID, qualifier) : '';
  const issuer = universal !== '' && parseOid(universal) !== null ? universal : source.text(TAG.IssuerOfPatientID, set);
  if (issuer === '' || issuer === defaultAuthority) return defaultAuthority;
  const known = Object.hasOwn(authorities, issuer) ? authorities[issuer] : undefined;
  if (known !== undefined) return known;
  source.find(
    'identifier-suspect',
    TAG.IssuerOfPatientID,
    'The issuer is not in the table of the site; it is kept as sent.',
  );
  return issuer;
}

export function demographicsOf(source: HeaderSource, patient: PatientRef | null): InstanceRecord['demographics'] {
  const names = parsePersonName(source.text(TAG.PatientName));
  if (names.length === 0) source.find('missing-optional', TAG.PatientName, 'The instance carries no name.');
  const sex = sexOf(source);
  const birthDate = birthDateOf(source);
  const identifiers = identifiersOf(source, patient);
  return {
    ...(names.length > 0 ? { names } : {}),
    ...(sex === null ? {} : { sex }),
    ...(birthDate === null ? {} : { birthDate }),
    ...(identifiers.length > 0 ? { identifiers } : {}),
  };
}

function sexOf(source: HeaderSource): Sex | null {
  const code = source.text(TAG.PatientSex);
  if (code === '') return null;
  const mapped = source.site.codes.lookup('sex', code)?.code ?? SEX[code.toUpperCase()];
  if (mapped === 'male' || mapped === 'female' || mapped === 'other' || mapped === 'unknown') return mapped;
  source.find('unmapped-code', TAG.PatientSex, 'The code of the sex is not in the table.');
  return null;
}

function birthDateOf(source: HeaderSource): string | null {
  const text = source.set.one(TAG.PatientBirthDate);
  if (text === '') return null;
  const date = parseDate(text);
  if (date === null) source.find('invalid-value', TAG.PatientBirthDate, 'Not a calendar date.');
  return date === null || isPlaceholderDate(date) ? null : date;
}

/** (0010,1002), the retired (0010,1000), and a resident ID wherever it was put. */
function identifiersOf(source: HeaderSource, patient: PatientRef | null): Identifier[] {
  const found: Identifier[] = [];
  const add = (value: string, authority: string, declared: string): void => {
    if (value === '' || found.length >= MAX_OTHER_IDS) return;
    const resident = parseResidentId(value);
    // One authority whoever tells it: under the site's own it would stand beside what the registration says.
    if (resident.ok) found.push({ type: 'NI', authority: RESIDENT_AUTHORITY, value: resident.id });
    else if (value !== patient?.value) found.push({ type: identifierType(source, declared), authority, value });
  };
  if (patient && parseResidentId(patient.value).ok) add(patient.value, patient.authority, 'NI');
  for (const item of source.set.items(TAG.OtherPatientIDsSequence)) {
    add(source.identifier(TAG.PatientID, item), authorityOf(source, item), source.text(TAG.TypeOfPatientID, item));
  }
  for (const value of source.set.text(TAG.OtherPatientIDs, source.charset))
    add(value, source.site.patientIds.defaultAuthority, '');
  const seen = new Set<string>();
  return found.filter((id) => {
    const key = `${id.type}|${id.authority}|${id.value}`;
    return !seen.has(key) && seen.add(key);
  });
}

function identifierType(source: HeaderSource, declared: string): string {
  const { types } = source.site.patientIds;
  // TypeOfPatientID says TEXT, RFID or BARCODE (PS3.3 §C.7.1.1): how it is written, not what it is.
  // Without the site's word it is an identifier of unspecified type (HL7 table 0203: U).
  const known = Object.hasOwn(types, declared) ? types[declared] : undefined;
  return known === undefined || known === 'NI' ? 'U' : known;
}
