/**
 * Files instances in the journal after their sender was answered. The object store keeps a list of what it holds and
 * nobody named yet, so an object on that list is as durable as a journal row: the sender need not wait for both. What a
 * crash left on the list is journalled at the next start (recover-instances.ts).
 */
import { setImmediate as answered, setTimeout as pause } from 'node:timers/promises';
import type { Envelope, Journal, Receipt } from '../core/envelope.ts';
import type { SiteId } from '../core/identifier.ts';
import type { FreshObject, Log, ObjectStore } from '../core/ports.ts';

/** Instances on their way above which senders wait for the journal again: a store that is away must be felt. */
const MOST = 256;
/**
 * Nobody waits for the journal row, so the rows of this time share a commit: each commit is a flush that the objects on
 * the same disk wait for (measured).
 */
const TOGETHER_MS = 50;
/** An association that brought this many is worth a batch of its own; some senders open one for every image. */
const SERIES = 16;
const PATIENTS_NOTED = 256;
const BACKOFF_MS = [50, 200, 1_000, 5_000] as const;

export interface FilingDeps {
  readonly journal: Journal;
  readonly objects: Pick<ObjectStore, 'remove'>;
  readonly log: Log;
}

/** The right to answer before the journal does, for one control id. Used once. */
export interface Ticket {
  /** Takes the instance over; the object is durable. `envelope` is called when the sender was answered. */
  file(envelope: () => Promise<Envelope>, object: Pick<FreshObject, 'key' | 'filed'>): void;
  /** There is nothing to file; after `file` it does nothing. */
  release(): void;
}

export class Filing {
  readonly #deps: FilingDeps;
  /** By control id: one that comes again while the first is on its way waits for it. */
  readonly #flying = new Map<string, Promise<void>>();
  /** What a sender filed since it paused: how many, and of whom. */
  readonly #since = new Map<string, { instances: number; readonly patients: Set<string> }>();
  /** Envelopes whose digest is being taken. */
  readonly #hashing = new Set<Promise<Envelope>>();
  #batch: { readonly due: Promise<void>; readonly close: () => void } | null = null;
  #stopping = false;

  constructor(deps: FilingDeps) {
    this.#deps = deps;
  }

  /**
   * A ticket where nothing of this control id is known, so that the journal has no verdict to give but "accepted"; else
   * null, and the sender waits for that verdict. Rejects when the journal does not answer.
   */
  async ticket(envelope: Pick<Envelope, 'site' | 'channel' | 'sender' | 'controlId'>): Promise<Ticket | null> {
    const key = JSON.stringify([envelope.site, envelope.channel, envelope.sender, envelope.controlId]);
    const earlier = this.#flying.get(key);
    if (earlier !== undefined) {
      await earlier;
      return null;
    }
    if (this.#stopping || this.#flying.size >= MOST) return null;
    let resolve = (): void => undefined;
    this.#flying.set(key, new Promise((landed) => (resolve = landed)));
    const land = (): void => {
      this.#flying.delete(key);
      resolve();
    };
    try {
      if (await this.#deps.journal.seen(envelope)) {
        land();
        return null;
      }
    } catch (error) {
      land();
      throw error;
    }
    let filed = false;
    return {
      release: () => {
        if (!filed) land();
      },
      file: (of, object) => {
        filed = true;
        void this.#file(of, object).finally(land);
      },
    };
  }

  /** The sender has nothing more for now. Never rejects. */
  async paused({ site, sender }: { readonly site: SiteId; readonly sender: string }): Promise<void> {
    const key = senderKey(site, sender);
    const since = this.#since.get(key);
    this.#since.delete(key);
    if (since === undefined || since.instances < SERIES) return;
    await answered(); // those of this turn of the event loop
    await Promise.allSettled([...this.#hashing]);
    await answered(); // have joined the batch now
    this.#batch?.close();
    await this.settled();
    try {
      await this.#deps.journal.hasten(site, [...since.patients]);
    } catch (cause) {
      this.#deps.log.warn({ cause }, 'a series is applied a little later: the journal did not answer');
    }
  }

  /** Resolves when all that was taken over so far is filed. */
  async settled(): Promise<void> {
    await Promise.all(this.#flying.values());
  }

  /** What cannot be journalled now is left to the next start. */
  stop(): Promise<void> {
    this.#stopping = true;
    return this.settled();
  }

  #together(): Promise<void> {
    this.#batch ??= this.#newBatch();
    return this.#batch.due;
  }

  #newBatch(): { due: Promise<void>; close: () => void } {
    let close = (): void => undefined;
    const due = new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        close();
      }, TOGETHER_MS);
      close = () => {
        clearTimeout(timer);
        this.#batch = null;
        resolve();
      };
    });
    return { due, close };
  }

  #note({ site, sender, patientKey }: Envelope): void {
    const key = senderKey(site, sender);
    const since = this.#since.get(key) ?? { instances: 0, patients: new Set() };
    this.#since.set(key, since);
    since.instances++;
    if (patientKey !== '' && since.patients.size < PATIENTS_NOTED) since.patients.add(patientKey);
  }

  /** Never rejects. */
  async #file(of: () => Promise<Envelope>, object: Pick<FreshObject, 'key' | 'filed'>): Promise<void> {
    await answered(); // which goes out in the turn of the event loop that took the instance over
    try {
      const hashed = of();
      this.#hashing.add(hashed);
      const envelope = await hashed.finally(() => this.#hashing.delete(hashed));
      this.#note(envelope);
      await this.#together();
      await this.#journal(envelope, object);
    } catch (cause) {
      this.#deps.log.error({ cause, object: object.key }, 'an instance is left for the next start to journal');
    }
  }

  async #journal(envelope: Envelope, object: Pick<FreshObject, 'key' | 'filed'>): Promise<void> {
    const { journal, objects, log } = this.#deps;
    for (let tries = 0; ; tries++) {
      try {
        await settle(await journal.accept(envelope), object, objects, log);
        return;
      } catch (cause) {
        if (tries === 0) log.warn({ cause, object: object.key }, 'an instance waits to be journalled; it is durable');
        if (this.#stopping) return;
        await pause(BACKOFF_MS[Math.min(tries, BACKOFF_MS.length - 1)] ?? 5_000);
      }
    }
  }
}

const senderKey = (site: SiteId | null, sender: string): string => JSON.stringify([site, sender]);

/** What becomes of an object after the journal's verdict on its instance. */
export async function settle(
  receipt: Receipt,
  object: Pick<FreshObject, 'key' | 'filed'>,
  objects: Pick<ObjectStore, 'remove'>,
  log: Log,
): Promise<void> {
  if (receipt.kind === 'conflict')
    log.warn(
      { object: object.key, journalId: receipt.journalId },
      'another instance of this UID came first; it is kept as refused',
    );
  // The same instance lies under another key: this copy is one too many.
  if (receipt.kind === 'duplicate' && receipt.object !== undefined && receipt.object !== object.key)
    await objects.remove(object.key);
  object.filed();
}
