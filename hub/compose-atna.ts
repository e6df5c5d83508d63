/** Wires the way of the audit to a repository elsewhere, and the records of the hub's own start and stop. */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { createDatagramSender, createSyslogSender } from '../adapters/atna/index.ts';
import type { AuditSource } from '../mappings/atna/index.ts';
import { ConfigError, type AtnaConfig, type Config } from './config.ts';
import type { AuditEvent, AuditRepository } from './core/audit.ts';
import type { Log } from './core/ports.ts';
import { createAuditDelivery, type AuditDelivery } from './flow/deliver-audit.ts';
import { createAffinityPatients } from './store/affinity-patients.ts';
import { createAuditSpool } from './store/audit-spool.ts';
import type { Database } from './store/database.ts';

const TIMES = { pollMs: 1_000, leastMs: 1_000, mostMs: 60_000, graceMs: 5_000 };
const TIMEOUT_MS = 15_000;

export function auditSource(config: Config): AuditSource {
  return {
    id: `${config.aeTitle}@${hostname()}`,
    site: config.homeCommunityOid,
    host: hostname(),
    origin: config.publicUrl,
    aeTitle: config.aeTitle,
    processId: String(process.pid),
  };
}

export function auditDelivery(ground: {
  readonly config: Config;
  readonly atna: AtnaConfig;
  readonly database: Database;
  readonly clock: () => Date;
  readonly log: Log;
}): AuditDelivery {
  const { config, atna, database, clock, log } = ground;
  const patients = createAffinityPatients({ database, affinityDomainOid: config.affinityDomainOid });
  const source = auditSource(config);
  return createAuditDelivery({
    spool: createAuditSpool({ database, clock }),
    repository: repositoryOf(atna, source),
    source,
    patientIds: (persons) => patients.idsOf(persons),
    log,
    ...TIMES,
  });
}

/** A file that cannot be used stops the start with one line that names its variable. */
function repositoryOf({ transport, host, port, ca, identity }: AtnaConfig, source: AuditSource): AuditRepository {
  if (transport === 'udp') return createDatagramSender({ host, port }, source);
  const pem = (name: string, file: string): Buffer => {
    try {
      return readFileSync(file);
    } catch {
      throw new ConfigError(`${name} takes the path of a PEM file that can be read`);
    }
  };
  const peer = {
    host,
    port,
    ca: ca === null ? null : pem('HUB_ATNA_CA', ca),
    identity:
      identity === null ? null : { cert: pem('HUB_ATNA_CERT', identity.cert), key: pem('HUB_ATNA_KEY', identity.key) },
    timeoutMs: TIMEOUT_MS,
  };
  try {
    return createSyslogSender(peer, source);
  } catch {
    throw new ConfigError('HUB_ATNA_CERT takes a PEM certificate that belongs to the key in HUB_ATNA_KEY');
  }
}

/** PS3.15 A.5.3.1; `roles` are those of this process. */
export const applicationEvent = (operation: 'start' | 'stop', roles: readonly string[]): AuditEvent => ({
  action: 'administer',
  outcome: 'success',
  face: 'hub',
  operation,
  callerId: 'system',
  callerName: 'system',
  callerRole: '',
  peer: '',
  persons: [],
  objects: [...roles],
});
