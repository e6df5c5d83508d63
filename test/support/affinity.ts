/** The affinity domain over a real database for tests of the FHIR face; bytes lie in the map of test/support/fhir.ts. */
import { randomUUID } from 'node:crypto';
import type { FhirFaceDeps } from '../../hub/api/fhir/index.ts';
import type { EntryId } from '../../hub/core/document.ts';
import type { FhirStore } from '../../hub/core/fhir.ts';
import { Derivation, type Oid } from '../../hub/core/identifier.ts';
import type { ObjectStore } from '../../hub/core/ports.ts';
import { createSharedDocuments } from '../../hub/flow/shared-documents.ts';
import { createMatching } from '../../hub/core/match/matcher.ts';
import { createMatchProbe } from '../../hub/store/match-probe.ts';
import { createAffinityPatients } from '../../hub/store/affinity-patients.ts';
import type { PatientFeedFace } from '../../hub/api/fhir/patient-feed.ts';
import { identityFeed } from '../../hub/compose-identity.ts';
import type { SiteProfile } from '../../hub/core/site.ts';
import { createJournalReader } from '../../hub/store/journal-reader.ts';
import { createJournal } from '../../hub/store/journal.ts';
import type { Database } from '../../hub/store/database.ts';
import { createDocumentReader } from '../../hub/store/document-query.ts';
import { createDocumentRegistry } from '../../hub/store/document-registry.ts';
import { quiet } from './database.ts';
import { siteProfile } from './site.ts';

export const DOMAIN = '2.999.156.1';

/** A store of bytes in memory, for tests alone. */
export function bytesIn(objects: Map<string, Buffer>): Pick<ObjectStore, 'write' | 'remove'> {
  return {
    write: (key) => {
      const chunks: Buffer[] = [];
      return Promise.resolve({
        write: (chunk) => Promise.resolve(void chunks.push(Buffer.from(chunk))),
        commit: () => {
          objects.set(key, Buffer.concat(chunks));
          return Promise.resolve({ size: Buffer.concat(chunks).length });
        },
        abort: () => Promise.resolve(),
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
    domain: { provide, patients, systems, probe, feed: feedOver(database), elsewhere: { open: () => null } },
  };
}

/** Systems of h1 and h3 tell of their patients; whoever wants them applied drains the journal. */
export function feedOver(database: Database, arrived: () => void = () => undefined): PatientFeedFace {
  const [clock, log] = [(): Date => new Date(), quiet];
  const [h1, h3] = ['1', '3'].map((one) =>
    siteProfile(`h${one}`, { patientIds: { defaultAuthority: `2.999.156.1.${one}`, authorities: {}, types: {} } }),
  );
  const all = [h1, h3].filter((one) => one !== undefined);
  const byId = (id: string): SiteProfile | null => all.find((one) => one.id === id) ?? null;
  const sites = { all, byId, byHl7Sender: () => null, byAeTitle: () => null };
  const journal = createJournal({ database, clock, log, arrived });
  const reader = createJournalReader({ database, clock, arrived, derive: new Derivation(new Uint8Array(32).fill(7)) });
  return { ...identityFeed({ sites, clock, journal, reader }), waitMs: 5_000 };
}

/** Persons of the master index, as far as the affinity domain looks: they are there. */
export async function index(database: Database, persons: readonly string[]): Promise<void> {
  await database.pool.query('insert into person (person_id) select unnest($1::uuid[]) on conflict do nothing', [
    persons,
  ]);
}
