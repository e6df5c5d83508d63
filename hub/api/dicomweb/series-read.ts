/**
 * The record of reading a series frame by frame: one for each reader and series in ten minutes, durable before the first
 * frame leaves. Five hundred records of one act say no more than one, and bury the others.
 */
import type { InstanceLocated } from '../../core/ports.ts';
import type { Exchange } from './exchange.ts';

const WINDOW_MS = 10 * 60_000;
const READERS = 10_000;

export class SeriesReads {
  readonly #known = new Map<string, { readonly recorded: Promise<void>; readonly until: number }>();

  /** Resolves when this reader's reading of the series is in the audit. */
  record(exchange: Exchange, { personId, study, series }: InstanceLocated): Promise<void> {
    const { caller, operation } = exchange;
    // Another session, user, address or person of the study is another reading.
    const who = [caller.id, caller.role, caller.peer, caller.user?.sessionId, caller.onBehalfOf?.userId, operation];
    const key = JSON.stringify([...who, personId, study.studyUid, series.seriesUid]);
    const now = performance.now();
    const known = this.#known.get(key);
    if (known !== undefined && known.until > now) return known.recorded;
    if (this.#known.size >= READERS) this.#known.clear();
    const recorded = exchange.audited('read', [personId], [study.studyUid, series.seriesUid]);
    this.#known.set(key, { recorded, until: now + WINDOW_MS });
    recorded.catch(() => this.#known.delete(key)); // reported where it is awaited
    return recorded;
  }
}
