/**
 * The other identifiers of a patient (PIX): one answer for FHIR (ITI-83), HL7 v2 (ITI-9) and HL7 v3 (ITI-45). A Patient of
 * the projection is all identifiers of one person at once, so whoever finds it by one has found the others.
 */
import type { Identifier, Patient } from 'fhir/r4.js';
import type { AffinityPatients } from '../core/document-ports.ts';
import type { PatientCx } from '../core/document.ts';
import type { FhirStore, StoredVersion } from '../core/fhir.ts';
import { cxOf, identifierOfCx } from '../../mappings/fhir/xds-values.ts';

export interface CrossReferenceDeps {
  readonly store: FhirStore;
  /** Where domains are looked up, where `store` shows less than all there is. */
  readonly everything?: FhirStore;
  readonly patients: AffinityPatients;
  /** Identifier systems of the affinity domain and of the sites. */
  readonly domains: ReadonlySet<string>;
}

export interface AskedIdentifier {
  readonly system: string;
  readonly value: string;
}

export type CrossReferenced =
  | { readonly kind: 'known'; readonly version: StoredVersion; readonly others: readonly Identifier[] }
  | { readonly kind: 'unknown-domain' }
  | { readonly kind: 'unknown-patient' }
  | { readonly kind: 'unknown-targets'; readonly at: readonly number[] };

/** `own`: the system under which resources of the hub itself are asked for, where a face has one. */
export async function crossReferenced(
  deps: CrossReferenceDeps,
  source: AskedIdentifier,
  targets: readonly string[],
  own?: string,
): Promise<CrossReferenced> {
  const known = async (system: string): Promise<boolean> =>
    system === own || deps.domains.has(system) || (await isUsed(deps, system));
  if (!(await known(source.system))) return { kind: 'unknown-domain' };
  const unknown: number[] = [];
  for (const [at, target] of targets.entries()) if (!(await known(target))) unknown.push(at);
  if (unknown.length > 0) return { kind: 'unknown-targets', at: unknown };
  const version = await patientOf(deps, source, own);
  if (!version) return { kind: 'unknown-patient' };
  const identifiers = [...(await affinityIds(deps, version)), ...((version.body as Patient).identifier ?? [])];
  const others = identifiers.filter(
    ({ use, system, value }) =>
      use !== 'old' &&
      (targets.length === 0 || targets.includes(system ?? '')) &&
      !(system === source.system && value === source.value),
  );
  return { kind: 'known', version, others };
}

/** A domain in which so many have an identifier is no secret of anybody's. */
const COMMON = 500;

/** A domain that no site declares, yet in which some patient has an identifier: of a rare one, some who may be seen. */
export async function isUsed(
  { store, everything = store }: Pick<CrossReferenceDeps, 'store' | 'everything'>,
  system: string,
): Promise<boolean> {
  const criteria = [{ kind: 'tokens' as const, any: [`identifier=${system}|`], negate: false, selective: false }];
  const query = { type: 'Patient', criteria, sort: [] };
  const { length } = await everything.search({ ...query, limit: everything === store ? 1 : COMMON });
  if (everything === store || length === 0 || length === COMMON) return length > 0;
  return (await store.search({ ...query, limit: 1 })).length > 0;
}

async function affinityIds({ patients }: CrossReferenceDeps, { id }: StoredVersion): Promise<Identifier[]> {
  const cx = (await patients.idsOf([id])).get(id);
  const identifier = cx === undefined ? undefined : identifierOfCx(cx);
  return identifier ? [identifier] : [];
}

/** By an identifier that stands; one of a registration that was merged away is deprecated (ITI TF-2 §3.83.4.2.2.5). */
async function patientOf(
  deps: CrossReferenceDeps,
  { system, value }: AskedIdentifier,
  own: string | undefined,
): Promise<StoredVersion | null> {
  const ids = system === own ? [value.replace(/^Patient\//, '')] : await idsBy(deps, system, value);
  for (const version of await deps.store.fetch('Patient', ids)) {
    const { identifier = [], active } = version.body as Patient;
    const named = identifier.find((one) => one.system === system && one.value === value);
    if (active !== false && named?.use !== 'old') return version;
  }
  return null;
}

async function idsBy(
  { store, patients }: CrossReferenceDeps,
  system: string,
  value: string,
): Promise<readonly string[]> {
  const criteria = [
    { kind: 'tokens' as const, any: [`identifier=${system}|${value}`], negate: false, selective: true },
  ];
  const found = await store.search({ type: 'Patient', criteria, sort: [], limit: 10 });
  if (found.length > 0 || /[\^&]/.test(value)) return found;
  const cx = cxOf({ system, value }) as PatientCx;
  return [...(await patients.personsOf([cx])).values()];
}
