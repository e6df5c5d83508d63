/** A Patient of the projection as PIX and PDQ answers show it on other wires: what stands, without what was. */
import type { HumanName, Patient } from 'fhir/r4.js';
import type { FoundPatient } from '../../hub/core/patient-query.ts';
import type { PersonName } from '../../hub/core/record.ts';
import { EXTENSIONS } from './context.ts';
import { authorityOfSystem } from './datatypes.ts';

const REPRESENTATIONS: Readonly<Record<string, PersonName['representation']>> = {
  IDE: 'ideographic',
  ABC: 'alphabetic',
  SYL: 'phonetic',
};

export function foundPatient(patient: Patient): FoundPatient {
  const standing = <T extends { readonly use?: string | undefined }>(all: readonly T[] | undefined): readonly T[] =>
    (all ?? []).filter(({ use }) => use !== 'old');
  return {
    personId: patient.id ?? '',
    numbers: standing(patient.identifier).flatMap(({ system, value, type }) =>
      system === undefined || value === undefined
        ? []
        : [{ authority: authorityOfSystem(system), value, type: type?.coding?.[0]?.code ?? 'PI' }],
    ),
    names: standing(patient.name).map(nameOf),
    sex: (patient.gender) ?? null,
    birthDate: patient.birthDate ?? null,
    phones: (patient.telecom ?? []).flatMap(({ value }) => (value === undefined ? [] : [value])),
    addresses: standing(patient.address).map(({ text, postalCode }) => ({
      text: text ?? '',
      ...(postalCode === undefined ? {} : { postalCode }),
    })),
  };
}

function nameOf(name: HumanName): PersonName {
  const { text, family, given } = name;
  const code = name.extension?.find(({ url }) => url === EXTENSIONS.representation)?.valueCode;
  return {
    text: text ?? [family, ...(given ?? [])].filter((part) => part !== undefined).join(' '),
    ...(family === undefined ? {} : { family }),
    ...(given === undefined ? {} : { given: given.join(' ') }),
    representation: REPRESENTATIONS[code ?? ''] ?? 'ideographic',
  };
}
