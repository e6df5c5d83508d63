/** Wires who may be asked who a patient is: PIX and PDQ on HL7 v2 and v3. Beside compose.ts, which it serves. */
import { identifierSystems, renderProvenance } from '../mappings/fhir/index.ts';
import type { Config } from './config.ts';
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
