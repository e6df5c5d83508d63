/**
 * Takes notices to whoever messages patients, one after another, at least once and for as long as it takes: what a patient
 * must be told is never given up. A receiver that is away is asked ever more rarely and holds nobody else up.
 */
import type { NoticeSender, NoticeSpool } from '../core/patient-notice.ts';
import type { Log } from '../core/ports.ts';
import { codeOf } from '../core/problem.ts';
import { backoffMs, createTurns, isTold, type Turns } from './turns.ts';

export interface TellPatientsDeps {
  readonly spool: NoticeSpool;
  /** null: nobody is configured; the list at the hub is all that patients are told by. */
  readonly sender: Pick<NoticeSender, 'send'> | null;
  /** What is done beside: emergencies that the audit has still to be told of (flow/break-glass.ts). */
  readonly upkeep: () => Promise<void>;
  readonly log: Log;
  readonly clock: () => Date;
  readonly times: NoticeTimes;
}

export interface NoticeTimes {
  readonly pollMs: number;
  readonly retryMs: number;
  readonly longestRetryMs: number;
  /** Longer than any attempt takes. */
  readonly leaseMs: number;
}

export const NOTICE_TIMES: NoticeTimes = { pollMs: 2_000, retryMs: 5_000, longestRetryMs: 3_600_000, leaseMs: 120_000 };

export function createTellPatients(deps: TellPatientsDeps): Turns {
  const { log, times } = deps;
  return createTurns(async () => {
    await deps.upkeep().catch((error: unknown) => {
      log.error({ code: codeOf(error) }, 'emergencies have still to be told to the audit');
    });
    try {
      return (await tellOne(deps)) ? 0 : times.pollMs;
    } catch (error) {
      log.error({ code: codeOf(error) }, 'notices to patients wait');
      return times.pollMs;
    }
  });
}

async function tellOne({ spool, sender, log, clock, times }: TellPatientsDeps): Promise<boolean> {
  if (sender === null) return false;
  const now = clock().getTime();
  const notice = await spool.take(new Date(now + times.leaseMs));
  if (notice === null) return false;
  const sent = await sender.send(notice);
  if (sent.ok) await spool.delivered(notice.noticeId);
  else {
    const failures = notice.attempts + 1;
    await spool.again(
      notice.noticeId,
      new Date(clock().getTime() + backoffMs(failures, times.retryMs, times.longestRetryMs)),
    );
    if (isTold(failures))
      log.warn({ notice: notice.noticeId, code: sent.problem.code, failures }, 'a notice to a patient was not taken');
  }
  return true;
}
