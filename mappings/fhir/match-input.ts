/** What `$match` is asked with (R4 Patient/$match, PDQm ITI TF-2 §3.119.4.1): a Patient as somebody wrote it. */
import type { HumanName, Parameters, Patient } from 'fhir/r4.js';
import type { FhirBody } from '../../hub/core/fhir.ts';
import type { Written } from '../../hub/core/match/registration.ts';
import { SYSTEMS } from './context.ts';
import { authorityOfSystem } from './datatypes.ts';

export interface MatchInput {
  readonly asked: Omit<Written, 'recordId' | 'issuer'>;
  readonly onlyCertain: boolean;
  /** null: as many as the server gives. */
  readonly count: number | null;
}

/** null: there is not exactly one Patient in it. */
export function matchInput({ parameter = [] }: Parameters): MatchInput | null {
  const resources = parameter
    .filter(({ name }) => name === 'resource')
    .map(({ resource }) => resource as Patient | undefined);
  const [patient] = resources;
  if (resources.length !== 1 || (patient as FhirBody | undefined)?.resourceType !== 'Patient' || !patient) return null;
  const named = (name: string): Parameters['parameter'] => parameter.filter((one) => one.name === name);
  return {
    asked: written(patient),
    onlyCertain: named('onlyCertainMatches')?.[0]?.valueBoolean === true,
    count: named('count')?.[0]?.valueInteger ?? null,
  };
}

function written(patient: Patient): MatchInput['asked'] {
  const standing = <T extends { readonly use?: string | undefined }>(all: readonly T[] | undefined): readonly T[] =>
    (all ?? []).filter(({ use }) => use !== 'old');
  const numbers = standing(patient.identifier).flatMap(({ system = '', value, type }) => {
    if (value === undefined) return [];
    const code = type?.coding?.find((one) => one.code !== undefined)?.code ?? 'PI';
    return [{ authority: authorityOfSystem(system), value, type: system === SYSTEMS.residentId ? 'NI' : code }];
  });
  const [address] = standing(patient.address);
  const street = [address?.state, address?.city, address?.district, ...(address?.line ?? [])];
  return {
    names: standing(patient.name).map(nameOf),
    birthDate: patient.birthDate ?? null,
    sex: patient.gender ?? null,
    residentId: numbers.find(({ type }) => type === 'NI')?.value ?? null,
    identifiers: numbers,
    phones: (patient.telecom ?? []).flatMap(({ value }) => (value === undefined ? [] : [value])),
    address: address?.text ?? (street.filter((part) => part !== undefined).join('') || null),
    locality: address?.district ?? address?.city ?? null,
    postalCode: address?.postalCode ?? null,
  };
}

function nameOf({ text, family, given }: HumanName): MatchInput['asked']['names'][number] {
  const parts = [family, ...(given ?? [])].filter((part) => part !== undefined);
  const han = /\p{Script=Han}/u.test(parts.join(''));
  return {
    text: text ?? parts.join(han ? '' : ' '),
    ...(family === undefined ? {} : { family }),
    ...(given === undefined ? {} : { given: given.join(han ? '' : ' ') }),
  };
}
