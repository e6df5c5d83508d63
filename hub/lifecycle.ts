/**
 * The order of start and stop: parts are raised one after the other and closed in reverse, within one time limit, so
 * that nothing loses what it stands on while it finishes what it accepted.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Log } from './core/ports.ts';

interface Part {
  readonly name: string;
  close(): Promise<void>;
}

/** Even when the limit is used up, each part below gets this long: the lock and the database must be left in order. */
const LEAST_MS = 2_000;

export class Lifecycle {
  readonly #log: Log;
  readonly #parts: Part[] = [];
  #stopping = false;
  /** The part that is just being opened; a stop lets it come up and then closes it with the others. */
  #opening: Promise<unknown> = Promise.resolve();

  constructor(log: Log) {
    this.#log = log;
  }

  get stopping(): boolean {
    return this.#stopping;
  }

  /** Tells a start in progress to raise nothing more. */
  halt(): void {
    this.#stopping = true;
  }

  /** Opens a part and remembers how to close it. Rejects when a stop was asked for meanwhile. */
  async raise<T>(name: string, open: () => Promise<T> | T, close: (opened: T) => Promise<unknown>): Promise<T> {
    if (this.#stopping) throw new Error('stopped before the start was complete');
    const opening = Promise.resolve(open());
    this.#opening = opening;
    const opened = await opening;
    this.#parts.push({
      name,
      close: async () => {
        await close(opened);
      },
    });
    this.#log.debug({ part: name }, 'raised');
    return opened;
  }

  /** Closes all parts in reverse; true when each one closed in time and without error. */
  async drain(limitMs: number): Promise<boolean> {
    this.halt();
    const deadline = Date.now() + limitMs;
    let clean = true;
    await Promise.race([this.#opening.catch(() => undefined), pause(limitMs, undefined, { ref: false })]);
    for (let part = this.#parts.pop(); part !== undefined; part = this.#parts.pop()) {
      const outcome = await this.#close(part, Math.max(deadline - Date.now(), LEAST_MS));
      if (outcome !== 'closed') {
        clean = false;
        this.#log.error({ part: part.name, outcome }, 'a part did not close in order');
      }
    }
    return clean;
  }

  async #close(part: Part, limitMs: number): Promise<string> {
    const limit = new AbortController();
    const late = pause(limitMs, 'too late', { signal: limit.signal }).catch(() => 'closed'); // aborted: closed in time
    const closed = part.close().then(
      () => 'closed',
      (error: unknown) => (error instanceof Error ? error.message : 'failed'),
    );
    const outcome = await Promise.race([closed, late]);
    limit.abort();
    return outcome;
  }
}

/** A bug that nobody caught: what was acknowledged is durable, so end at once and let the next start take over. */
export function onBugs(log: Log): void {
  const end = (error: unknown): void => {
    log.error({ error }, 'ended by a bug');
    process.stderr.write('hutong: ended by an unexpected error; the log line before tells where\n');
    process.exit(1);
  };
  process.on('uncaughtException', end);
  process.on('unhandledRejection', end);
}
