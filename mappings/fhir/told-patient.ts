/** A Patient as a hospital's own system tells it, to fields of a registration: what an identity feed by FHIR asserts. */
import type { Address, HumanName, Identifier as FhirIdentifier, Patient } from 'fhir/r4.js';
import type {
  Address as ToldAddress,
  Identifier,
  PatientFields,
  PatientRef,
  PersonName,
} from '../../hub/core/record.ts';
import type { SiteProfile } from '../../hub/core/site.ts';
import { maritalOf } from '../codes/demographics.ts';
import { present } from '../hl7v2/context.ts';
import { residentIdentifier, type Report } from '../hl7v2/identity.ts';
import { splitHan, tidyName } from '../hl7v2/name.ts';
import { readDate } from '../hl7v2/time.ts';
import { EXTENSIONS, SYSTEMS } from './context.ts';
import { authorityOfSystem } from './datatypes.ts';
import { nameOf } from './match-input.ts';

/** The number under which the site may file a patient: of its own authority, or of one that its data name. */
export function ownNumber({ system, value }: FhirIdentifier, site: SiteProfile): PatientRef | null {
  if (system === undefined || value === undefined || system === SYSTEMS.residentId) return null;
  const { defaultAuthority, authorities } = site.patientIds;
  const authority = authorityOfSystem(system);
  return authority === defaultAuthority || Object.values(authorities).includes(authority) ? { authority, value } : null;
}

/** Absent elements assert nothing: a sender that knows no phone does not say that there is none. */
export function toldFields(patient: Patient, site: SiteProfile, report: Report): PatientFields {
  const { birthDate } = patient;
  const read = birthDate === undefined ? null : readDate(birthDate, { timeZone: site.timeZone, dateFormats: [] });
  if (typeof read === 'string')
    report('invalid-value', 'Patient.birthDate', 'this stands for an unknown date; it was left out');
  const dead = patient.deceasedBoolean ?? (patient.deceasedDateTime === undefined ? undefined : true);
  const married = patient.maritalStatus?.coding?.flatMap(({ code }) => {
    const known = code === undefined ? null : maritalOf(code);
    return known === null || code === undefined ? [] : [{ ...known, source: { code } }];
  });
  const identifiers = standing(patient.identifier).flatMap((one, at) => identifierOf(one, at, site, report));
  return present({
    names: namesOf(patient),
    sex: patient.gender,
    birthDate: read === null || typeof read === 'string' ? undefined : read.date,
    ...(identifiers.length === 0 ? {} : { identifiers }),
    phone: patient.telecom?.find(({ system, value }) => (system ?? 'phone') === 'phone' && value)?.value?.slice(0, 64),
    address: addressOf(standing(patient.address)[0]),
    maritalStatus: married?.[0],
    deceased: dead,
  });
}

const standing = <T extends { readonly use?: string | undefined }>(all: readonly T[] | undefined): readonly T[] =>
  (all ?? []).filter(({ use }) => use !== 'old');

function identifierOf(one: FhirIdentifier, at: number, site: SiteProfile, report: Report): readonly Identifier[] {
  const { system = '', value } = one;
  if (value === undefined || value.length > 256) return [];
  const code = one.type?.coding?.find((coding) => coding.code !== undefined)?.code ?? 'PI';
  const type = site.patientIds.types[code] ?? code;
  if (system === SYSTEMS.residentId || type === 'NI')
    return [residentIdentifier(value, `Patient.identifier[${String(at)}]`, report)];
  return [{ authority: authorityOfSystem(system), value, type }];
}

/** The first of each representation stands, the official one before others. */
function namesOf({ name }: Patient): readonly PersonName[] | undefined {
  const rank = ({ use }: HumanName): number => (use === 'official' || use === 'usual' ? 0 : 1);
  const found: PersonName[] = [];
  for (const one of standing(name).toSorted((a, b) => rank(a) - rank(b))) {
    const { text: written, family, given } = nameOf(one);
    const text = tidyName(written);
    const kind = one.extension?.find(({ url }) => url === EXTENSIONS.representation)?.valueCode;
    // The letters decide where they contradict the code, as in a message of v2.
    const representation = /\p{Script=Han}/u.test(text) ? 'ideographic' : kind === 'SYL' ? 'phonetic' : 'alphabetic';
    if (text === '' || found.some((other) => other.representation === representation)) continue;
    const parts = family === undefined ? splitHan(text) : present({ family, given });
    found.push({ text, representation, ...(parts ?? {}) });
  }
  return found.length === 0 ? undefined : found;
}

function addressOf(address: Address | undefined): ToldAddress | undefined {
  if (address === undefined) return undefined;
  const { state = '', city = '', district = '', line = [], postalCode } = address;
  const parts = [state, city, district, ...line];
  const han = /\p{Script=Han}/u.test(parts.join(''));
  const ordered = (han ? parts : [...line, district, city, state]).filter((part) => part !== '');
  const text = address.text ?? ordered.join(han ? '' : ', ');
  return text === '' ? undefined : { text, ...present({ postalCode }) };
}
