/** Get Corresponding Identifiers, `$ihe-pix` (IHE PIXm 3.1.0, ITI TF-2 §3.83): other identifiers of the same patient. */
import type { Parameters } from 'fhir/r4.js';
import { crossReferenced, type CrossReferenceDeps } from '../../flow/cross-reference.ts';
import { structureFaults } from '../../../mappings/fhir/structure.ts';
import { faulty, parsed, refusal, type Parsed, type Reply } from './reply.ts';
import type { Place } from './search.ts';

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

export async function ihePix(deps: CrossReferenceDeps, { source, targets }: PixQuery, place: Place): Promise<Reply> {
  const found = await crossReferenced(deps, source, targets, place.base);
  if (found.kind === 'unknown-domain') return answerOf(NO_SOURCE_DOMAIN);
  if (found.kind === 'unknown-targets') return answerOf(NO_TARGET_DOMAIN);
  if (found.kind === 'unknown-patient') return answerOf(NO_SOURCE);
  const { others, version } = found;
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
      ...(isTarget ? [{ name: 'targetId', valueReference: { reference: `Patient/${version.id}` } }] : []),
    ],
  };
  const empty = body.parameter?.length === 0;
  if (empty) delete body.parameter;
  return { status: 200, body, headers: {}, touched: { persons: [version.id], objects: [`Patient/${version.id}`] } };
}

const answerOf = (fault: Parsed<never>): Reply => {
  if (fault.ok) throw new Error('a refusal has a fault');
  return refusal(fault.fault);
};
