/** A stored version as the resource that is sent: with its meta, the hub's address, and only the elements asked for. */
import type { FhirBody, StoredVersion } from '../../core/fhir.ts';
import { HUB_ORIGIN } from '../../../mappings/fhir/context.ts';
import { MANDATORY, SUMMARY } from '../../../mappings/fhir/generated/definitions.ts';

export type Summary = 'true' | 'text' | 'data' | 'count' | 'false';

export interface Shape {
  readonly summary: Summary;
  /** Elements asked for by `_elements`; empty: all. */
  readonly elements: readonly string[];
}

export const WHOLE: Shape = { summary: 'false', elements: [] };

type Fields = Readonly<Record<string, unknown>>;

/** `origin` is the hub's own address (`https://hub.example`), which stored resources name by a placeholder. */
export function render(version: StoredVersion, shape: Shape, origin: string): FhirBody {
  const { resourceType, id, meta, ...rest } = { ...version.body } as FhirBody & { meta?: object };
  const kept = keep(version.type, rest, shape);
  const tag = kept === rest ? {} : { tag: [SUBSETTED] };
  const address = (rest as Fields).address;
  if (version.type === 'Endpoint' && typeof address === 'string' && 'address' in kept)
    (kept as { address: string }).address = address.replace(HUB_ORIGIN, origin);
  return {
    resourceType,
    id,
    meta: { versionId: String(version.version), lastUpdated: version.at, ...meta, ...tag },
    ...kept,
  } as FhirBody;
}

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
