/**
 * Brings the audit to a repository elsewhere (IHE ITI-20), oldest first. It runs beside everything and is waited for by
 * nobody: while the repository is away records wait in the store, and attempts become rare.
 */
import type { AuditRecord, AuditRepository, AuditSpool } from '../core/audit.ts';
import type { Log } from '../core/ports.ts';
import { syslogMessages, type AuditSource } from '../../mappings/atna/index.ts';
import { codeOf } from '../core/problem.ts';

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
  const stopping = new AbortController();
  const breaking = new AbortController();
  let running: Promise<void> = Promise.resolve();
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
      // The first failure, then ever fewer: a night without the repository must not fill the log.
      if ((failures & (failures - 1)) === 0)
        log.warn({ code: codeOf(error), failures }, 'audit records could not be delivered; they wait');
      const wait = Math.min(mostMs, leastMs * 2 ** Math.min(failures - 1, 20));
      return wait * (0.75 + Math.random() / 4);
    }
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      const wait = await attempt();
      if (wait > 0) await pause(wait, stopping.signal);
    }
  }

  return {
    start() {
      running = run();
    },
    async stop() {
      stopping.abort();
      const timer = setTimeout(() => {
        breaking.abort();
      }, deps.graceMs);
      await running;
      clearTimeout(timer);
    },
  };
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const go = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', go);
      resolve();
    };
    const timer = setTimeout(go, ms);
    signal.addEventListener('abort', go, { once: true });
    if (signal.aborted) go();
  });
