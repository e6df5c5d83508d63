/** A stored version as the resource that is sent: with its meta, the hub's address, and only the elements asked for. */
import type { FhirBody, StoredVersion } from '../../core/fhir.ts';
import { HUB_ORIGIN } from '../../../mappings/fhir/context.ts';
import { MANDATORY, SUMMARY } from '../../../mappings/fhir/generated/definitions.ts';

export type Summary = 'true' | 'text' | 'data' | 'count' | 'false';

export interface Shape {
  readonly summary: Summary;
  /** Elements asked for by `_elements`; empty: all. */
  readonly elements: readonly string[];
  /** Identifier systems that a search for patients asked for (PDQm); absent: all. */
  readonly domains?: readonly string[];
}

export const WHOLE: Shape = { summary: 'false', elements: [] };

type Fields = Readonly<Record<string, unknown>>;

/** `origin` is the hub's own address (`https://hub.example`), which stored resources name by a placeholder. */
export function render(version: StoredVersion, shape: Shape, origin: string): FhirBody {
  const { resourceType, id, meta, ...rest } = { ...version.body } as FhirBody & { meta?: object };
  const kept = keep(version.type, inDomains(version.type, rest, shape), shape);
  const tag = kept === rest ? {} : { tag: [SUBSETTED] };
  const address = (rest as Fields).address;
  if (version.type === 'Endpoint' && typeof address === 'string' && 'address' in kept)
    (kept as { address: string }).address = address.replace(HUB_ORIGIN, origin);
  if (version.type === 'DocumentReference' && 'content' in kept) kept.content = placed(kept.content, origin);
  return {
    resourceType,
    id,
    meta: { versionId: String(version.version), lastUpdated: version.at, ...meta, ...tag },
    ...kept,
  } as FhirBody;
}

/** ITI TF-2 §3.78.4.1.3 case 2: identifiers of other domains are left out, which makes the resource a part of itself. */
function inDomains(type: string, fields: object, { domains = [] }: Shape): object {
  const { identifier } = fields as { identifier?: readonly { system?: string }[] };
  if (type !== 'Patient' || domains.length === 0 || identifier === undefined) return fields;
  return { ...fields, identifier: identifier.filter(({ system }) => domains.includes(system ?? '')) };
}

/** ITI TF-2 §3.67.4.2.2.1.1: a whole URL; the projection's own are relative to the base, as R4 allows. */
const placed = (content: unknown, origin: string): unknown =>
  JSON.parse(
    JSON.stringify(content).replace(`"${HUB_ORIGIN}/`, () => `${JSON.stringify(origin).slice(0, -1)}/`),
  ) as unknown;

const SUBSETTED = { system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' };

function keep(type: string, fields: object, shape: Shape): object {
  const pick = (names: readonly string[]): object =>
    Object.fromEntries(Object.entries(fields).filter(([name]) => names.includes(name)));
  const mandatory = (MANDATORY[type] ?? '').split(' ');
  if (shape.summary === 'true') return pick([...(SUMMARY[type] ?? '').split(' '), ...mandatory]);
  if (shape.summary === 'text') return pick(['text', ...mandatory]);
  if (shape.summary === 'data') return Object.fromEntries(Object.entries(fields).filter(([name]) => name !== 'text'));
  return shape.elements.length === 0 ? fields : pick([...shape.elements, ...mandatory]);
}
