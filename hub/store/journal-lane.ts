/**
 * Gathers what waits for the journal into batches, a few of them on their way at once, and keeps what must not overtake
 * in order: entries that share a key (one patient, one control id) are never in two batches at the same time.
 */
const BATCH_ENTRIES = 256;
const BATCH_BYTES = 32 * 1024 * 1024;

interface Waiting<Entry> {
  readonly entry: Entry;
  readonly bytes: number;
  readonly keys: readonly string[];
}

export class Lane<Entry> {
  readonly #most: number;
  readonly #write: (batch: readonly Entry[]) => Promise<void>;
  readonly #busy = new Set<string>();
  #queue: Waiting<Entry>[] = [];
  #flying = 0;
  #due = false;

  /** `write` settles every entry of its batch itself and never rejects; `most` batches are written at once. */
  constructor(most: number, write: (batch: readonly Entry[]) => Promise<void>) {
    this.#most = most;
    this.#write = write;
  }

  push(entry: Entry, bytes: number, keys: readonly string[]): void {
    this.#queue.push({ entry, bytes, keys });
    if (this.#due) return;
    this.#due = true;
    // After everything that this turn of the event loop read: it shares a commit.
    setImmediate(() => {
      this.#due = false;
      this.#launch();
    });
  }

  #launch(): void {
    while (this.#flying < this.#most) {
      const batch = this.#take();
      if (batch.length === 0) return;
      this.#flying += 1;
      void this.#write(batch.map(({ entry }) => entry)).finally(() => {
        this.#flying -= 1;
        for (const { keys } of batch) for (const key of keys) this.#busy.delete(key);
        this.#launch();
      });
    }
  }

  /** The oldest that may go, in order of arrival; what follows one that must wait under the same key waits with it. */
  #take(): readonly Waiting<Entry>[] {
    const batch: Waiting<Entry>[] = [];
    const left: Waiting<Entry>[] = [];
    const held = new Set<string>();
    let bytes = 0;
    for (const waiting of this.#queue) {
      const full = batch.length >= BATCH_ENTRIES || (batch.length > 0 && bytes >= BATCH_BYTES);
      if (full || waiting.keys.some((key) => this.#busy.has(key) || held.has(key))) {
        left.push(waiting);
        for (const key of waiting.keys) held.add(key);
      } else {
        batch.push(waiting);
        bytes += waiting.bytes;
      }
    }
    this.#queue = left;
    for (const { keys } of batch) for (const key of keys) this.#busy.add(key);
    return batch;
  }
}
