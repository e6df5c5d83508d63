/**
 * Provenance of one version of one resource, rendered from the version's own row: which hospital said so, when, and the
 * journal entries that hold its words. One exists for every version, so nothing more needs to be stored.
 */
import type { Provenance } from 'fhir/r4.js';
import type { StoredVersion } from '../../hub/core/fhir.ts';
import { SYSTEMS } from './context.ts';
import { compact, dateTime } from './datatypes.ts';

/** `Type.id.version`: legal as an R4 id (64 characters of [A-Za-z0-9-.]) for every id that the hub gives. */
export const provenanceId = (type: string, id: string, version: number): string => `${type}.${id}.${String(version)}`;

export function provenance(version: StoredVersion): Provenance {
  return compact<Provenance>({
    resourceType: 'Provenance',
    id: provenanceId(version.type, version.id, version.version),
    target: [{ reference: `${version.type}/${version.id}/_history/${String(version.version)}` }],
    occurredDateTime: dateTime(version.occurredAt),
    recorded: version.at,
    activity: {
      coding: [
        {
          system: 'http://terminology.hl7.org/CodeSystem/v3-DataOperation',
          code: version.body === null ? 'DELETE' : version.version === 1 ? 'CREATE' : 'UPDATE',
        },
      ],
    },
    agent: [
      {
        type: {
          coding: [{ system: 'http://terminology.hl7.org/CodeSystem/provenance-participant-type', code: 'author' }],
        },
        // What no hospital said is the hub's own doing, or an operator's; the audit knows whose.
        who: version.site === '' ? { display: 'Hutong' } : { reference: `Organization/${version.site}` },
      },
    ],
    entity: version.journalIds.map((value) => ({
      role: 'source' as const,
      what: { identifier: { system: SYSTEMS.journal, value } },
    })),
  });
}
