/** Wires who may be asked who a patient is (PIX, PDQ) and who may tell (PIXm, PMIR, PIXV3). Beside compose.ts, which it serves. */
import { identifierSystems, renderProvenance } from '../mappings/fhir/index.ts';
import { map } from '../mappings/index.ts';
import type { PatientFeedFace } from './api/fhir/patient-feed.ts';
import type { Config } from './config.ts';
import type { Journal } from './core/envelope.ts';
import type { JournalReader } from './core/operation.ts';
import type { PatientQueries } from './core/patient-query.ts';
import type { Sites } from './core/site.ts';
import { createPatientQueries } from './flow/patient-queries.ts';
import { createAffinityPatients } from './store/affinity-patients.ts';
import type { Database } from './store/database.ts';
import { openFhirStore } from './store/fhir.ts';

/** A continuation is taken up within minutes or never. */
const LIMITS = { searchTimeoutMs: 5_000, pageLifetimeMs: 900_000 };

export function patientQueries({
  config,
  sites,
  database,
}: {
  readonly config: Pick<Config, 'affinityDomainOid'>;
  readonly sites: Sites;
  readonly database: Database;
}): PatientQueries {
  const { affinityDomainOid } = config;
  const authorities = sites.all.flatMap(({ patientIds }) => [
    patientIds.defaultAuthority,
    ...Object.values(patientIds.authorities),
  ]);
  return createPatientQueries({
    store: openFhirStore(database, { renderProvenance, ...LIMITS }),
    patients: createAffinityPatients({ database, affinityDomainOid }),
    domains: identifierSystems([affinityDomainOid, ...authorities]),
    affinityDomainOid,
  });
}

/** A sender that waits longer hears that its news is kept, and not yet what became of it. */
const APPLIED_WITHIN_MS = 10_000;

export function identityFeed({
  sites,
  clock,
  journal,
  reader,
}: {
  readonly sites: Sites;
  readonly clock: () => Date;
  readonly journal: Journal;
  readonly reader: Pick<JournalReader, 'entry'>;
}): PatientFeedFace {
  return {
    sites,
    clock,
    intake: journal,
    map: (envelope, site) => map(envelope, site),
    entry: (journalId) => reader.entry(journalId),
    waitMs: APPLIED_WITHIN_MS,
  };
}
