/**
 * Brings the audit to a repository elsewhere (IHE ITI-20), oldest first. It runs beside everything and is waited for by
 * nobody: while the repository is away records wait in the store, and attempts become rare.
 */
import type { AuditRecord, AuditRepository, AuditSpool } from '../core/audit.ts';
import type { Log } from '../core/ports.ts';
import { syslogMessages, type AuditSource } from '../../mappings/atna/index.ts';
import { codeOf } from '../core/problem.ts';
import { backoffMs, createTurns, isTold } from './turns.ts';

/** Records in one connection. */
const BATCH = 500;

export interface AuditDeliveryDeps {
  readonly spool: AuditSpool;
  readonly repository: AuditRepository;
  readonly source: AuditSource;
  /** Ids in the affinity domain of persons of the index, HL7 CX; who has none is left out. */
  readonly patientIds: (persons: readonly string[]) => Promise<ReadonlyMap<string, string>>;
  readonly log: Log;
  /** How often an empty spool is looked into, and the bounds of the wait after a failure. */
  readonly pollMs: number;
  readonly leastMs: number;
  readonly mostMs: number;
  /** How long a stop waits for what is being sent. */
  readonly graceMs: number;
}

export interface AuditDelivery {
  start(): void;
  /** Lets what is being sent end, for a while; what is then broken off stays in the spool. */
  stop(): Promise<void>;
}

export function createAuditDelivery(deps: AuditDeliveryDeps): AuditDelivery {
  const { spool, repository, source, log, pollMs, leastMs, mostMs } = deps;
  const breaking = new AbortController();
  let failures = 0;

  async function send(records: readonly AuditRecord[]): Promise<void> {
    const ids = await deps.patientIds([...new Set(records.flatMap((record) => record.persons))]);
    const messages = records.flatMap((record) => syslogMessages(record, source, (person) => ids.get(person)));
    await repository.send(messages, breaking.signal);
  }

  /** How long to wait before the next attempt. */
  async function attempt(): Promise<number> {
    try {
      const sent = await spool.deliver(BATCH, send);
      if (failures > 0 && sent > 0) {
        log.info({ failures }, 'the audit record repository takes records again');
        failures = 0;
      }
      return sent === BATCH ? 0 : pollMs;
    } catch (error) {
      if (breaking.signal.aborted) return 0;
      failures += 1;
      if (isTold(failures))
        log.warn({ code: codeOf(error), failures }, 'audit records could not be delivered; they wait');
      return backoffMs(failures, leastMs, mostMs) * (0.75 + Math.random() / 4);
    }
  }

  const turns = createTurns(attempt);
  return {
    start() {
      turns.start();
    },
    async stop() {
      const timer = setTimeout(() => {
        breaking.abort();
      }, deps.graceMs);
      await turns.stop();
      clearTimeout(timer);
    },
  };
}
