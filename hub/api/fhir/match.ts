/**
 * Patient/$match (PDQm ITI-119): the matcher of the live feed asked by a person or a system, with a grade and a probability
 * for each answer. Nothing is linked by asking.
 */
import type { Bundle, Parameters } from 'fhir/r4.js';
import type { FhirStore } from '../../core/fhir.ts';
import { gradeOf, probabilityOf, type MatchProbe } from '../../core/match/probe.ts';
import { matchInput } from '../../../mappings/fhir/match-input.ts';
import { structureFaults } from '../../../mappings/fhir/structure.ts';
import { faulty, outcome, refusal, touchedBy, type Parsed, type Reply } from './reply.ts';
import { render, WHOLE } from './resource.ts';
import type { Place } from './search.ts';

export interface MatchDeps {
  readonly store: FhirStore;
  readonly probe: MatchProbe;
}

const GRADE = 'http://hl7.org/fhir/StructureDefinition/match-grade';
const MOST = 50;
const USUAL = 10;

type Input = NonNullable<ReturnType<typeof matchInput>>;

export function matchQuery(resource: unknown): Parsed<Input> {
  if ((resource as { resourceType?: unknown } | null)?.resourceType !== 'Parameters')
    return faulty(400, 'structure', 'a Parameters resource is taken here');
  const [fault] = structureFaults(resource, 'Parameters', () => false);
  if (fault) return faulty(400, 'structure', fault.text, fault.path);
  const input = matchInput(resource as Parameters);
  if (input === null) return faulty(400, 'required', 'exactly one Patient is taken as parameter resource', 'resource');
  if (input.count !== null && input.count < 1) return faulty(400, 'value', 'count takes a number from 1', 'count');
  return { ok: true, value: input };
}

export async function match({ store, probe }: MatchDeps, input: Input, place: Place): Promise<Reply> {
  const limit = Math.min(input.count ?? USUAL, MOST);
  // One more than one is looked for where one is wanted: several certain ones are none.
  const found = await probe.probe(input.asked, MOST);
  const uncertain = found.filter(({ comparison }) => gradeOf(comparison, false) === 'certain').length > 1;
  const graded = found.map((one) => ({ ...one, grade: gradeOf(one.comparison, uncertain) }));
  const wanted = graded.filter(({ grade }) => !input.onlyCertain || grade === 'certain').slice(0, limit);
  const versions = await store.fetch(
    'Patient',
    wanted.map(({ personId }) => personId),
  );
  const byId = new Map(versions.map((version) => [version.id, version]));
  const entries = wanted.flatMap(({ personId, comparison, grade }): NonNullable<Bundle['entry']> => {
    const version = byId.get(personId);
    if (version === undefined) return [];
    const score = Math.round(probabilityOf(comparison.weight) * 1e6) / 1e6;
    return [
      {
        fullUrl: `${place.base}/Patient/${personId}`,
        resource: render(version, WHOLE, place.origin),
        search: { extension: [{ url: GRADE, valueCode: grade }], mode: 'match', score },
      },
    ];
  });
  const text = 'more than one patient would be linked with this one: none of them is certain';
  const warned =
    input.onlyCertain && uncertain
      ? [{ resource: outcome('warning', [{ code: 'multiple-matches', text }]), search: { mode: 'outcome' as const } }]
      : [];
  const entry = [...entries, ...warned];
  const body: Bundle = {
    resourceType: 'Bundle',
    type: 'searchset',
    total: entries.length,
    link: [{ relation: 'self', url: `${place.base}/Patient/$match` }],
    ...(entry.length === 0 ? {} : { entry }),
  };
  return { status: 200, body, headers: {}, touched: touchedBy(versions) };
}

/** A reply of the operation, from what was sent. */
export async function matched(deps: MatchDeps, resource: unknown, place: Place): Promise<Reply> {
  const input = matchQuery(resource);
  return input.ok ? match(deps, input.value, place) : refusal(input.fault);
}
