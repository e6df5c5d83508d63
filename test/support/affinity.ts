/** The affinity domain over a real database for tests of the FHIR face; bytes lie in the map of test/support/fhir.ts. */
import { randomUUID } from 'node:crypto';
import type { FhirFaceDeps } from '../../hub/api/fhir/index.ts';
import type { EntryId } from '../../hub/core/document.ts';
import type { FhirStore } from '../../hub/core/fhir.ts';
import type { Oid } from '../../hub/core/identifier.ts';
import type { ObjectStore } from '../../hub/core/ports.ts';
import { createSharedDocuments } from '../../hub/flow/shared-documents.ts';
import { createMatching } from '../../hub/core/match/matcher.ts';
import { createMatchProbe } from '../../hub/store/match-probe.ts';
import { createAffinityPatients } from '../../hub/store/affinity-patients.ts';
import type { Database } from '../../hub/store/database.ts';
import { createDocumentReader } from '../../hub/store/document-query.ts';
import { createDocumentRegistry } from '../../hub/store/document-registry.ts';

export const DOMAIN = '2.999.156.1';

/** A store of bytes in memory, for tests alone. */
export function bytesIn(objects: Map<string, Buffer>): Pick<ObjectStore, 'writeFresh' | 'remove'> {
  return {
    writeFresh: (folder, suffix) => {
      const key = `${folder}/${randomUUID()}${suffix}`;
      const chunks: Buffer[] = [];
      return Promise.resolve({
        key,
        writer: {
          write: (chunk) => Promise.resolve(void chunks.push(Buffer.from(chunk))),
          commit: () => {
            objects.set(key, Buffer.concat(chunks));
            return Promise.resolve({ size: Buffer.concat(chunks).length });
          },
          abort: () => Promise.resolve(),
        },
        listed: false,
        filed: () => undefined,
      });
    },
    remove: (key) => Promise.resolve(void objects.delete(key)),
  };
}

export interface AffinityStore {
  readonly store: FhirStore;
  readonly domain: FhirFaceDeps['domain'];
}

export function affinityOver(database: Database, projection: FhirStore, objects: Map<string, Buffer>): AffinityStore {
  const clock = (): Date => new Date();
  const patients = createAffinityPatients({ database, affinityDomainOid: DOMAIN });
  const registry = createDocumentRegistry({
    database,
    clock,
    affinityDomainOid: DOMAIN,
    reader: createDocumentReader(database),
  });
  const provide = {
    projection,
    registry,
    patients,
    objects: bytesIn(objects),
    repositoryOid: '2.999.156.3' as Oid,
    draw: () => `urn:uuid:${randomUUID()}` as EntryId,
    clock,
    sourceId: '2.999.156.2',
  };
  const probe = createMatchProbe({ database, matching: createMatching(() => []) });
  const systems = new Set([`urn:oid:${DOMAIN}`, 'urn:oid:2.999.156.1.1', 'urn:oid:2.999.156.1.3']);
  return {
    store: createSharedDocuments({ projection, registry, patients }),
    domain: { provide, patients, systems, probe },
  };
}

/** Persons of the master index, as far as the affinity domain looks: they are there. */
export async function index(database: Database, persons: readonly string[]): Promise<void> {
  await database.pool.query('insert into person (person_id) select unnest($1::uuid[]) on conflict do nothing', [
    persons,
  ]);
}
