/** Get Corresponding Identifiers, `$ihe-pix` (IHE PIXm 3.1.0, ITI TF-2 §3.83): other identifiers of the same patient. */
import type { Identifier, Parameters, Patient } from 'fhir/r4.js';
import type { AffinityPatients } from '../../core/document-ports.ts';
import type { PatientCx } from '../../core/document.ts';
import type { FhirStore, StoredVersion } from '../../core/fhir.ts';
import { structureFaults } from '../../../mappings/fhir/structure.ts';
import { cxOf, identifierOfCx } from '../../../mappings/fhir/xds-values.ts';
import { faulty, parsed, refusal, type Parsed, type Reply } from './reply.ts';
import type { Place } from './search.ts';

export interface PixDeps {
  readonly store: FhirStore;
  readonly patients: AffinityPatients;
  /** Identifier systems of the affinity domain and of the sites. */
  readonly domains: ReadonlySet<string>;
}

export interface PixQuery {
  readonly source: { readonly system: string; readonly value: string };
  readonly targets: readonly string[];
}

const MOST_TARGETS = 50;

/** The texts are those of ITI TF-2 §3.83.4.2.2: what a peer compares with. */
const NO_SOURCE_DOMAIN = faulty(
  400,
  'code-invalid',
  'sourceIdentifier Assigning Authority not found',
  'sourceIdentifier',
);
const NO_SOURCE = faulty(404, 'not-found', 'sourceIdentifier Patient Identifier not found', 'sourceIdentifier');
const NO_TARGET_DOMAIN = faulty(403, 'code-invalid', 'targetSystem not found', 'targetSystem');

export function pixQuery(parameters: URLSearchParams): Parsed<PixQuery> {
  const sources = parameters.getAll('sourceIdentifier');
  const [source = ''] = sources;
  if (sources.length !== 1 || source === '')
    return faulty(
      400,
      sources.length > 1 ? 'invalid' : 'required',
      'exactly one sourceIdentifier is taken',
      'sourceIdentifier',
    );
  const at = source.indexOf('|');
  if (at <= 0) return NO_SOURCE_DOMAIN;
  const value = source.slice(at + 1);
  if (value === '') return NO_SOURCE;
  const targets = parameters
    .getAll('targetSystem')
    .flatMap((one) => one.split(','))
    .filter((one) => one !== '');
  if (targets.length > MOST_TARGETS)
    return faulty(400, 'too-costly', `at most ${String(MOST_TARGETS)} target systems are taken`, 'targetSystem');
  return parsed({ source: { system: source.slice(0, at), value }, targets });
}

/** A POST of the operation with a Parameters resource (R4 §3.2.0.1), as the query that it says. */
export function pixParameters(resource: unknown): URLSearchParams | null {
  if ((resource as { resourceType?: unknown } | null)?.resourceType !== 'Parameters') return null;
  if (structureFaults(resource, 'Parameters', () => false).length > 0) return null;
  const pairs = ((resource as Parameters).parameter ?? []).map((one): [string, string] => [
    one.name,
    one.valueString ?? one.valueUri ?? '',
  ]);
  return new URLSearchParams(pairs);
}

export async function ihePix(deps: PixDeps, { source, targets }: PixQuery, place: Place): Promise<Reply> {
  const known = async (system: string): Promise<boolean> =>
    system === place.base || deps.domains.has(system) || (await isUsed(deps.store, system));
  if (!(await known(source.system))) return answerOf(NO_SOURCE_DOMAIN);
  for (const target of new Set(targets)) if (!(await known(target))) return answerOf(NO_TARGET_DOMAIN);
  const found = await patientOf(deps, source, place);
  if (!found) return answerOf(NO_SOURCE);
  const identifiers = [...(await affinityIds(deps, found)), ...((found.body as Patient).identifier ?? [])];
  const wanted = (system: string | undefined): boolean => targets.length === 0 || targets.includes(system ?? '');
  const others = identifiers.filter(
    (one) => one.use !== 'old' && wanted(one.system) && !(one.system === source.system && one.value === source.value),
  );
  // The Patient here is all of them at once: it is a target where one of its identifiers is, or where it is asked for.
  const asSource = source.system === place.base;
  const isTarget = !asSource && (targets.includes(place.base) || others.length > 0 || targets.length === 0);
  const body: Parameters = {
    resourceType: 'Parameters',
    parameter: [
      ...others.map(({ system, value }) => ({
        name: 'targetIdentifier',
        valueIdentifier: { ...(system === undefined ? {} : { system }), ...(value === undefined ? {} : { value }) },
      })),
      ...(isTarget ? [{ name: 'targetId', valueReference: { reference: `Patient/${found.id}` } }] : []),
    ],
  };
  const empty = body.parameter?.length === 0;
  if (empty) delete body.parameter;
  return { status: 200, body, headers: {}, touched: { persons: [found.id], objects: [`Patient/${found.id}`] } };
}

const answerOf = (fault: Parsed<never>): Reply => {
  if (fault.ok) throw new Error('a refusal has a fault');
  return refusal(fault.fault);
};

/** A domain that no site declares, yet in which some patient has an identifier. */
export async function isUsed(store: FhirStore, system: string): Promise<boolean> {
  const criteria = [{ kind: 'tokens' as const, any: [`identifier=${system}|`], negate: false, selective: false }];
  return (await store.search({ type: 'Patient', criteria, sort: [], limit: 1 })).length > 0;
}

async function affinityIds({ patients }: PixDeps, { id }: StoredVersion): Promise<Identifier[]> {
  const cx = (await patients.idsOf([id])).get(id);
  const identifier = cx === undefined ? undefined : identifierOfCx(cx);
  return identifier ? [identifier] : [];
}

/** By an identifier that stands; one of a registration that was merged away is deprecated (§3.83.4.2.2.5: 404). */
async function patientOf(
  deps: PixDeps,
  { system, value }: PixQuery['source'],
  place: Place,
): Promise<StoredVersion | null> {
  const ids = system === place.base ? [value.replace(/^Patient\//, '')] : await idsBy(deps, system, value);
  for (const version of await deps.store.fetch('Patient', ids)) {
    const { identifier = [], active } = version.body as Patient;
    const named = identifier.find((one) => one.system === system && one.value === value);
    if (active !== false && named?.use !== 'old') return version;
  }
  return null;
}

async function idsBy({ store, patients }: PixDeps, system: string, value: string): Promise<readonly string[]> {
  const criteria = [
    { kind: 'tokens' as const, any: [`identifier=${system}|${value}`], negate: false, selective: true },
  ];
  const found = await store.search({ type: 'Patient', criteria, sort: [], limit: 10 });
  if (found.length > 0 || /[\^&]/.test(value)) return found;
  const cx = cxOf({ system, value }) as PatientCx;
  return [...(await patients.personsOf([cx])).values()];
}
