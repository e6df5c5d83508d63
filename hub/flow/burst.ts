/**
 * Stands work that may wait back while many arrivals are being acknowledged: on a small machine every turn of a processor
 * that is spent on applying or publishing is one in which a hospital waits for its answer.
 */
import { setTimeout as pause } from 'node:timers/promises';

/** Commits of the journal a second that make a burst, and how long work stands back for one. */
const BURST_PER_SECOND = 100;
const HOLD_MS = 1_000;
const HOLD_STEP_MS = 50;
/** The rate is taken over the last one to two of these. */
const WINDOW_MS = 100;

export class Burst {
  #began = 0;
  #now = 0;
  #before = 0;

  /** The journal committed something. */
  arrived(): void {
    this.#roll(performance.now());
    this.#now += 1;
  }

  /** Resolves when arrivals are few, when `urgent` says so, or after a second: never later. */
  async over(urgent: () => boolean = () => false): Promise<void> {
    for (let held = 0; held < HOLD_MS && !urgent(); held += HOLD_STEP_MS) {
      if (this.#perSecond() < BURST_PER_SECOND) return;
      await pause(HOLD_STEP_MS);
    }
  }

  #perSecond(): number {
    const at = performance.now();
    this.#roll(at);
    return ((this.#before + this.#now) * 1000) / (WINDOW_MS + at - this.#began);
  }

  #roll(at: number): void {
    const passed = at - this.#began;
    if (passed < WINDOW_MS) return;
    this.#before = passed < 2 * WINDOW_MS ? this.#now : 0;
    this.#now = 0;
    this.#began = at;
  }
}
