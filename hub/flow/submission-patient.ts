/** Whose a submission is: the one patient of the affinity domain that all its subjects lead to (ITI TF-2 §3.65.4.1.2.2). */
import type { Identifier, Reference } from 'fhir/r4.js';
import type { AffinityPatients } from '../core/document-ports.ts';
import type { PatientCx } from '../core/document.ts';
import type { FhirStore } from '../core/fhir.ts';
import { subjectsOf, type BundleFault, type ProvidedBundle } from '../../mappings/fhir/mhd-bundle.ts';
import { cxOf } from '../../mappings/fhir/xds-values.ts';

export interface PatientDeps {
  readonly projection: Pick<FhirStore, 'search' | 'fetch'>;
  readonly patients: AffinityPatients;
}

type Whose =
  | { readonly ok: true; readonly id: PatientCx; readonly persons: readonly string[] }
  | { readonly ok: false; readonly faults: readonly BundleFault[] };

/** `Patient/x` of `https://hub.example/fhir/Patient/x` or of itself; null: elsewhere. */
export function localOf(reference: string | undefined, base: string): string | null {
  if (reference === undefined) return null;
  const local = reference.startsWith(`${base}/`) ? reference.slice(base.length + 1) : reference;
  return /^[A-Za-z]+\/[A-Za-z0-9.-]{1,64}(\/_history\/\d+)?$/.test(local)
    ? local.replace(/\/_history\/\d+$/, '')
    : null;
}

/** One patient for the whole submission (ITI TF-3 §4.2.3.4); every subject must lead to it. */
export async function patientOf(deps: PatientDeps, bundle: ProvidedBundle, base: string): Promise<Whose> {
  const found = new Map<PatientCx, readonly string[]>();
  const seen = new Map<string, PatientCx | null>();
  const faults: BundleFault[] = [];
  for (const { path, subject } of subjectsOf(bundle)) {
    if (subject === undefined) continue;
    const key = JSON.stringify([subject.reference, subject.identifier?.system, subject.identifier?.value]);
    const known = seen.get(key);
    if (known !== undefined) {
      if (known === null) faults.push(unknown(path));
      continue;
    }
    const one = await resolvePatient(deps, bundle, subject, base);
    seen.set(key, one?.id ?? null);
    if (one) found.set(one.id, one.persons);
    else faults.push(unknown(path));
  }
  if (faults.length > 0) return { ok: false, faults };
  const [first, ...others] = [...found];
  if (first === undefined) return { ok: false, faults: [unknown(`${bundle.set.path}.subject`)] };
  if (others.length > 0)
    return {
      ok: false,
      faults: [{ path: 'Bundle', text: 'all of a submission is of one patient', code: 'XDSPatientIdDoesNotMatch' }],
    };
  return { ok: true, id: first[0], persons: first[1] };
}

const unknown = (path: string): BundleFault => ({
  path,
  text: 'no patient of this domain is known by this reference',
  code: 'XDSUnknownPatientId',
});

async function resolvePatient(
  deps: PatientDeps,
  bundle: ProvidedBundle,
  subject: Reference,
  base: string,
): Promise<{ id: PatientCx; persons: readonly string[] } | null> {
  const carried = bundle.patient && subject.reference === bundle.patient.fullUrl ? bundle.patient.body : undefined;
  const local = carried ? null : localOf(subject.reference, base);
  const identifiers = carried ? (carried.identifier ?? []) : subject.identifier ? [subject.identifier] : [];
  if (local?.startsWith('Patient/')) {
    const [version] = await deps.projection.fetch('Patient', [local.slice('Patient/'.length)]);
    const person = version?.id;
    const id = person === undefined ? undefined : (await deps.patients.idsOf([person])).get(person);
    return id === undefined || person === undefined ? null : { id, persons: [person] };
  }
  return byIdentifiers(deps, identifiers);
}

/** An id of the affinity domain itself, or identifiers by which exactly one person is known. */
async function byIdentifiers(
  deps: PatientDeps,
  identifiers: readonly Identifier[],
): Promise<{ id: PatientCx; persons: readonly string[] } | null> {
  const whole = identifiers.filter(
    ({ system, value }) => system !== undefined && value !== undefined && !/[\^&|]/.test(value),
  );
  if (whole.length === 0) return null;
  const ids = whole.map((one) => cxOf(one) as PatientCx);
  const [direct] = await deps.patients.known(ids);
  if (direct !== undefined) {
    const person = (await deps.patients.personsOf([direct])).get(direct);
    return { id: direct, persons: person === undefined ? [] : [person] };
  }
  const any = whole.map(({ system, value }) => `identifier=${system ?? ''}|${value ?? ''}`);
  const criteria = [{ kind: 'tokens' as const, any, negate: false, selective: true }];
  const [person, ...more] = await deps.projection.search({ type: 'Patient', criteria, sort: [], limit: 2 });
  if (person === undefined || more.length > 0) return null;
  const id = (await deps.patients.idsOf([person])).get(person);
  return id === undefined ? null : { id, persons: [person] };
}
