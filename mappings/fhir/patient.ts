/** Patient: the provincial person with every identifier and name under which any hospital knows it. */
import type { Address, CodeableConcept, HumanName, Identifier, Patient } from 'fhir/r4.js';
import { inOrderOfTrust, survivingPerson } from '../../hub/core/person.ts';
import type { PersonName } from '../../hub/core/record.ts';
import { isFormer, type PatientView, type PersonView } from '../../hub/core/view.ts';
import { EXTENSIONS, PROFILES, SYSTEMS, type FhirContext } from './context.ts';
import {
  compact,
  concept,
  extension,
  identifierSystem,
  list,
  meta,
  partialDate,
  text,
  typedIdentifier,
} from './datatypes.ts';

/** A person joined to another stays readable: inactive, and it says who replaced it. */
export function patient(person: PersonView, ctx: FhirContext): Patient {
  const records = inOrderOfTrust(person.records);
  const survivors = survivingPerson(person.records);
  const phones = unique(list(...records.map((record) => text(record.phone))), (phone) => phone);
  const addresses = unique(list(...records.map(addressOf)), (address) => address.text ?? '');
  const managing = records[0] && ctx.site(records[0].site);
  return compact<Patient>({
    resourceType: 'Patient',
    id: person.personId,
    meta: meta(PROFILES.Patient),
    extension: list(
      extension(EXTENSIONS.ethnicGroup, 'valueCodeableConcept', concept(survivors.ethnicGroup?.value ?? null)),
      extension(EXTENSIONS.nationality, 'valueCodeableConcept', concept(survivors.nationality?.value ?? null)),
    ),
    identifier: identifiersOf(records, ctx),
    active:
      person.replacedBy === null && (records.some((one) => !isFormer(one)) || !records.some((one) => one.withdrawnAt)),
    name: namesOf(records),
    telecom: phones.map((value) => ({ system: 'phone' as const, value })),
    gender: survivors.sex?.value,
    birthDate: partialDate(survivors.birthDate?.value ?? null),
    deceasedBoolean: survivors.deceased?.value,
    address: addresses,
    maritalStatus: maritalStatus(survivors.maritalStatus?.value ?? null),
    managingOrganization: managing ? { reference: `Organization/${managing.id}`, display: managing.name } : undefined,
    link:
      person.replacedBy === null
        ? undefined
        : [{ other: { reference: `Patient/${person.replacedBy}` }, type: 'replaced-by' as const }],
  });
}

function identifiersOf(records: readonly PatientView[], ctx: FhirContext): Identifier[] {
  const found: Identifier[] = [];
  for (const record of records) {
    const site = ctx.site(record.site);
    const assigner = site ? { reference: `Organization/${site.id}`, display: site.name } : undefined;
    const old = isFormer(record);
    // A number that was taken back ended then; one that was merged away is another's.
    const period = record.withdrawnAt ? { period: { end: record.withdrawnAt } } : {};
    const add = (type: string | null, system: string, value: string, by: typeof assigner): void => {
      const identifier = typedIdentifier(type, system, value, by);
      if (identifier) found.push(old && by ? { use: 'old', ...identifier, ...period } : identifier);
    };
    if (record.residentId) add('NI', SYSTEMS.residentId, record.residentId, undefined);
    for (const identifier of record.identifiers) {
      const system = identifierSystem(identifier.authority);
      if (system === SYSTEMS.residentId) add('NI', system, identifier.value, undefined);
      else add(identifier.type || null, system, identifier.value, assigner);
    }
    add('PI', identifierSystem(record.authority), record.localId, assigner);
  }
  return unique(found, (identifier) => `${identifier.system ?? ''}\n${identifier.value ?? ''}`);
}

const REPRESENTATION = { ideographic: 'IDE', alphabetic: 'ABC', phonetic: 'SYL' } as const;

function namesOf(records: readonly PatientView[]): HumanName[] {
  const names = records.flatMap((record) => record.names.map((name) => humanName(name, isFormer(record))));
  return unique(list(...names), (name) => JSON.stringify([name.text, name.family, name.given]));
}

function humanName(name: PersonName, old: boolean): HumanName | undefined {
  const [whole, family, given] = [text(name.text), text(name.family), text(name.given)];
  if (whole === undefined && family === undefined && given === undefined) return undefined;
  return compact<HumanName>({
    extension: [{ url: EXTENSIONS.representation, valueCode: REPRESENTATION[name.representation] }],
    use: old ? 'old' : name.representation === 'ideographic' ? 'official' : undefined,
    text: whole,
    family,
    given: list(given),
  });
}

function addressOf(record: PatientView): Address | undefined {
  const whole = text(record.address?.text);
  const postalCode = text(record.address?.postalCode);
  if (whole === undefined && postalCode === undefined) return undefined;
  return compact<Address>({ use: isFormer(record) ? 'old' : undefined, text: whole, postalCode });
}

/**
 * R4 binds maritalStatus (extensible) to v3-MaritalStatus: GB/T 2261.2 codes are mapped beside the source's own
 * (CODES §3); 90 未说明 is UNK.
 */
const MARITAL: Readonly<Record<string, string>> = {
  '10': 'S',
  '20': 'M',
  '21': 'M',
  '22': 'M',
  '23': 'M',
  '30': 'W',
  '40': 'D',
  '90': 'UNK',
};

function maritalStatus(coded: PatientView['maritalStatus']): CodeableConcept | undefined {
  const base = concept(coded);
  const code = coded && (MARITAL[coded.code] ?? (/^[SMWD]$/.test(coded.code) ? coded.code : undefined));
  if (!base || !code) return base;
  const system =
    code === 'UNK'
      ? 'http://terminology.hl7.org/CodeSystem/v3-NullFlavor'
      : 'http://terminology.hl7.org/CodeSystem/v3-MaritalStatus';
  const others = (base.coding ?? []).filter((coding) => coding.system !== system);
  return { ...base, coding: [{ system, code }, ...others] };
}

export function unique<T>(values: readonly T[], key: (value: T) => string): T[] {
  const seen = new Set<string>();
  return values.filter((value) => {
    const k = key(value);
    if (seen.has(k)) return false;
    seen.add(k);
    return true;
  });
}
