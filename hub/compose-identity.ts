/** Wires who may be asked who a patient is (PIX, PDQ) and who may tell (PIXm, PMIR, PIXV3). Beside compose.ts, which it serves. */
import { identifierSystems, renderProvenance } from '../mappings/fhir/index.ts';
import { createHl7LinkNotices } from '../adapters/hl7v2/index.ts';
import { createSoapLinkNotices } from '../adapters/xds/index.ts';
import { map } from '../mappings/index.ts';
import type { PatientFeedFace } from './api/fhir/patient-feed.ts';
import type { Config } from './config.ts';
import type { AccessDesk } from './core/access-ports.ts';
import type { AuditTrail } from './core/audit.ts';
import { linkSubscriptions } from './core/link-notice.ts';
import type { OutboxOutcome } from './core/outbox.ts';
import type { IndexReader, Log } from './core/ports.ts';
import type { Journal } from './core/envelope.ts';
import type { JournalReader } from './core/operation.ts';
import type { PatientQueries } from './core/patient-query.ts';
import type { Sites } from './core/site.ts';
import { createNotifyLinks } from './flow/notify-links.ts';
import { createPatientQueries } from './flow/patient-queries.ts';
import { createAffinityPatients } from './store/affinity-patients.ts';
import type { Database } from './store/database.ts';
import { createLinkMemory } from './store/link-notice.ts';
import { openFhirStore } from './store/fhir.ts';
import { createVisitIndex } from './store/visit.ts';

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
    visits: createVisitIndex(database),
  });
}

/** A subscriber that did not take a notice is left alone so long. */
const REST_MS = 15_000;

/** What whoever decides about persons must know of the notifications below. */
export const tellingLinks = ({ all }: Sites): { readonly linkSubscribers: readonly string[] } => ({
  linkSubscribers: linkSubscriptions(all).map(({ id }) => id),
});

/** PIX update notification, where the data of sites ask for it. */
export function linkNotices(deps: {
  readonly config: Pick<Config, 'affinityDomainOid' | 'homeCommunityOid'>;
  readonly sites: Sites;
  readonly database: Database;
  readonly clock: () => Date;
  readonly log: Log;
  readonly reader: Pick<IndexReader, 'person'>;
  readonly access: AccessDesk;
  readonly audit: AuditTrail;
  readonly restMs?: number;
}): { readonly notify: (key: string) => Promise<OutboxOutcome>; readonly close: () => Promise<void> } {
  const { config, sites, database, clock, log, reader, access, audit, restMs = REST_MS } = deps;
  const mllp = createHl7LinkNotices(clock);
  const soap = createSoapLinkNotices(config.homeCommunityOid, clock);
  const notify = createNotifyLinks({
    subscriptions: linkSubscriptions(sites.all),
    memory: createLinkMemory({ database, clock }),
    send: (subscription, notice) => (subscription.wire === 'mllp' ? mllp : soap).send(subscription, notice),
    affinityDomainOid: config.affinityDomainOid,
    ...{ reader, access, audit, log, clock, restMs },
  });
  return {
    notify,
    close: async () => {
      soap.close();
      await mllp.close();
    },
  };
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
