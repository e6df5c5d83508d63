/** Turns questions about other types (chains, `_has`) into criteria about the type searched, within a bound. */
import type { Criterion, FhirStore, StoredVersion } from '../../core/fhir.ts';
import { parametersOf, type ResourceType } from '../../../mappings/fhir/parameters.ts';
import { faulty, parsed, type Parsed } from './reply.ts';
import type { Asked } from './search-request.ts';

/** How many resources one link of a chain may go through: more, and the search is too wide to mean anything. */
const CHAIN_LIMIT = 1000;

export async function resolve(store: FhirStore, asked: readonly Asked[]): Promise<Parsed<readonly Criterion[]>> {
  const criteria: Criterion[] = [];
  for (const one of asked) {
    const criterion = await resolveOne(store, one);
    if (!criterion.ok) return criterion;
    criteria.push(criterion.value);
  }
  return parsed(criteria);
}

async function resolveOne(store: FhirStore, asked: Asked): Promise<Parsed<Criterion>> {
  if (asked.kind !== 'chain' && asked.kind !== 'has') return parsed(asked);
  const inner = await resolveOne(store, asked.inner);
  if (!inner.ok) return inner;
  const type = asked.kind === 'chain' ? asked.target : asked.source;
  const ids = await store.search({ type, criteria: [inner.value], sort: [], limit: CHAIN_LIMIT + 1 });
  if (ids.length > CHAIN_LIMIT)
    return faulty(
      400,
      'too-costly',
      `more than ${String(CHAIN_LIMIT)} ${type} match this link; narrow it`,
      asked.param,
    );
  if (asked.kind === 'chain') {
    const any = ids.map((id) => `${asked.param}=${asked.target}/${id}`);
    return parsed({ kind: 'tokens', any, negate: false, selective: true });
  }
  const found = await store.fetch(type, ids);
  return parsed({ kind: 'ids', any: found.flatMap((one) => referencesOf(one, asked.source, asked.param)).map(idOf) });
}

const idOf = (reference: string): string => reference.split('/')[1] ?? '';

/** `Type/id` of what a resource refers to under a reference parameter, or under all of them. */
export function referencesOf(version: StoredVersion, type: ResourceType, param: string | null): readonly string[] {
  const body = version.body;
  if (body === null) return [];
  if (type === 'Provenance') {
    const { target = [], agent = [] } = body as {
      target?: readonly { reference?: string }[];
      agent?: readonly { who?: { reference?: string } }[];
    };
    const targets =
      param === null || param === 'target' || param === 'patient' ? target.map((one) => one.reference) : [];
    const agents = param === null || param === 'agent' ? agent.map((one) => one.who?.reference) : [];
    return [...targets, ...agents].flatMap((reference) => reference?.split('/').slice(0, 2).join('/') ?? []);
  }
  return parametersOf(type).flatMap((parameter) =>
    parameter.kind === 'reference' && (param === null || parameter.name === param) ? parameter.of(body) : [],
  );
}
