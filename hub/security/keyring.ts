/**
 * The data keys of this hub, unwrapped: what is sealed by whichever key opens, new values are sealed by today's. Processes
 * read the table of keys again and again, and a new key seals only once all have had the time to.
 */
import { hkdfSync, randomBytes } from 'node:crypto';
import {
  MasterKeyFault,
  SealBroken,
  type DataKey,
  type DataKeys,
  type DataKeyStore,
  type KeyWrapper,
  type NewKey,
  type SealAlgorithm,
  type Sealer,
  type SealState,
  type WrappedKey,
} from '../core/sealing.ts';
import { fieldCipher, requireAlgorithm, type FieldCipher } from './field-cipher.ts';

/** Three bytes that base64 writes as `HSv1`, algorithm, key id, then what the cipher writes. */
const MAGIC = Buffer.from('HSv1', 'base64');
const HEADER = 8;
const CODES = { 'aes-256-gcm': 1, 'sm4-ctr-hmac-sm3': 2 } as const;

const REFRESH_MS = 10_000;
/** A new key seals after so long: several times the refresh, so that everybody can open what it seals. */
const ACTIVATE_MS = 60_000;
const STATE = 'sealing.state';

export interface KeyringDeps {
  readonly store: DataKeyStore;
  /** The first wraps; the others, of before a rewrap, only unwrap. */
  readonly wrappers: readonly [KeyWrapper, ...KeyWrapper[]];
  /** What new data keys are for. */
  readonly algorithm: SealAlgorithm;
  readonly clock: () => Date;
  /** Hears of a refresh that failed; the keys at hand go on. */
  readonly failed: (error: unknown) => void;
}

interface Held extends WrappedKey {
  readonly secret: Buffer;
  readonly cipher: FieldCipher;
}

export interface Keyring {
  readonly fields: Sealer;
  /** Keys of a purpose of its own: nothing sealed for one opens for another. */
  keysFor(purpose: string): DataKeys;
  refresh(): Promise<void>;
  /** Makes a new data key, which seals `activateMs` later (a minute, unless nobody else runs). */
  rotate(activateMs?: number): Promise<void>;
  /** Wraps every data key by the first wrapper; gives how many were wrapped by another. */
  rewrap(): Promise<number>;
  /** Nothing lies in clear any more: from now on what does is refused. */
  markSealed(): Promise<void>;
  status(): KeyringStatus;
  close(): void;
}

export interface KeyringStatus {
  readonly masterKey: string;
  readonly state: SealState;
  readonly keys: readonly (Omit<WrappedKey, 'wrapped'> & { readonly current: boolean })[];
}

/** Rejects with a MasterKeyFault where a data key cannot be unwrapped: then nothing may start. */
export async function openKeyring(deps: KeyringDeps): Promise<Keyring> {
  const ring = new Ring(deps);
  await ring.open();
  return ring;
}

const contextOf = (id: number, algorithm: SealAlgorithm): string => `data_key ${String(id)} ${algorithm}`;

class Ring implements Keyring {
  readonly #deps: KeyringDeps;
  #held: ReadonlyMap<number, Held> = new Map();
  #state: SealState = 'sealed';
  #timer: NodeJS.Timeout | undefined;

  constructor(deps: KeyringDeps) {
    this.#deps = deps;
  }

  async open(): Promise<void> {
    const { store, algorithm } = this.#deps;
    requireAlgorithm(algorithm);
    if ((await store.list()).length === 0) await this.#begin();
    await this.refresh();
    this.#timer = setInterval(() => {
      this.refresh().catch(this.#deps.failed);
    }, REFRESH_MS).unref();
  }

  async refresh(): Promise<void> {
    const { store } = this.#deps;
    const held = new Map<number, Held>();
    for (const row of await store.list()) {
      const known = this.#held.get(row.id);
      held.set(row.id, known === undefined ? await this.#unwrap(row) : { ...known, ...row });
    }
    this.#held = held;
    const state = await store.state();
    if (state === null) throw new SealBroken('clear');
    this.#state = this.fields.open(state, STATE).toString() === 'mixed' ? 'mixed' : 'sealed';
  }

  async #unwrap(row: WrappedKey): Promise<Held> {
    requireAlgorithm(row.algorithm);
    const wrapper = this.#deps.wrappers.find(({ id }) => id === row.wrappedBy);
    if (wrapper === undefined)
      throw new MasterKeyFault(
        `the master key at hand is ${this.#deps.wrappers[0].id}, but this database is sealed under ${row.wrappedBy}: ` +
          'set HUB_MASTER_KEY_FILE, HUB_MASTER_KEY or HUB_KMS_URL to that one; nothing was changed',
      );
    const secret = Buffer.from(await wrapper.unwrap(row.wrapped, contextOf(row.id, row.algorithm)));
    return { ...row, secret, cipher: cipherOf(row.algorithm, secret) };
  }

  #newKey(activateMs: number): NewKey {
    const { wrappers, algorithm, clock } = this.#deps;
    return { algorithm, wrappedBy: wrappers[0].id, currentFrom: new Date(clock().getTime() + activateMs) };
  }

  #begin(): Promise<void> {
    const { store, wrappers, algorithm } = this.#deps;
    return store.begin(this.#newKey(0), async (id, clearRows) => {
      const secret = randomBytes(32);
      const state: SealState = clearRows ? 'mixed' : 'sealed';
      return {
        wrapped: await wrappers[0].wrap(secret, contextOf(id, algorithm)),
        state: sealUnder({ id, algorithm, cipher: cipherOf(algorithm, secret) }, Buffer.from(state), STATE),
      };
    });
  }

  async rotate(activateMs = ACTIVATE_MS): Promise<void> {
    const { store, wrappers, algorithm } = this.#deps;
    await store.add(this.#newKey(activateMs), (id) => wrappers[0].wrap(randomBytes(32), contextOf(id, algorithm)));
    await this.refresh();
  }

  async rewrap(): Promise<number> {
    const [own] = this.#deps.wrappers;
    const others = [...this.#held.values()].filter(({ wrappedBy }) => wrappedBy !== own.id);
    for (const { id, algorithm, secret } of others)
      await this.#deps.store.rewrap(id, await own.wrap(secret, contextOf(id, algorithm)), own.id);
    await this.refresh();
    return others.length;
  }

  async markSealed(): Promise<void> {
    await this.#deps.store.saveState(this.fields.seal(Buffer.from('sealed' satisfies SealState), STATE));
    this.#state = 'sealed';
  }

  /** Today's: the one that became current last. */
  #current(): Held {
    const now = this.#deps.clock();
    const keys = [...this.#held.values()];
    const begun = keys.filter(({ currentFrom }) => currentFrom <= now);
    const key = (begun.length > 0 ? begun : keys).reduce<Held | undefined>(
      (last, one) => (last === undefined || order(one) >= order(last) ? one : last),
      undefined,
    );
    if (key === undefined) throw new SealBroken('key');
    return key;
  }

  readonly fields: Sealer = ((ring: Ring): Sealer => ({
    seal: (plain, context) => sealUnder(ring.#current(), plain, context),
    open: (sealed, context) => {
      const header = Buffer.from(sealed.subarray(0, HEADER));
      const key = header.length === HEADER ? ring.#held.get(header.readUInt32BE(4)) : undefined;
      if (key === undefined) throw new SealBroken('key');
      if (header.readUInt8(3) !== CODES[key.algorithm]) throw new SealBroken('changed');
      const plain = key.cipher.decrypt(sealed.subarray(HEADER), aadOf(header, context));
      if (plain === null) throw new SealBroken('changed');
      return plain;
    },
    isSealed: (value) => value.length > HEADER && MAGIC.equals(value.subarray(0, MAGIC.length)),
    isCurrent: (value) => {
      const { id, algorithm } = ring.#current();
      return value.length > HEADER && headerOf(id, algorithm).equals(value.subarray(0, HEADER));
    },
    get acceptsClear() {
      return ring.#state === 'mixed';
    },
  }))(this);

  keysFor(purpose: string): DataKeys {
    const derived = new Map<number, DataKey>();
    const of = ({ id, algorithm, secret }: Held): DataKey => {
      const key = derived.get(id) ?? { id, algorithm, key: subkey(secret, purpose) };
      derived.set(id, key);
      return key;
    };
    return {
      current: () => of(this.#current()),
      byId: (id) => {
        const held = this.#held.get(id);
        return held === undefined ? null : of(held);
      },
    };
  }

  status(): KeyringStatus {
    const current = this.#current().id;
    return {
      masterKey: this.#deps.wrappers[0].id,
      state: this.#state,
      keys: [...this.#held.values()].map(({ id, algorithm, wrappedBy, createdAt, currentFrom }) => ({
        ...{ id, algorithm, wrappedBy, createdAt, currentFrom },
        current: id === current,
      })),
    };
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

const order = ({ currentFrom, id }: WrappedKey): number => currentFrom.getTime() + id / 2 ** 32;

function headerOf(id: number, algorithm: SealAlgorithm): Buffer {
  const header = Buffer.alloc(HEADER);
  MAGIC.copy(header);
  header.writeUInt8(CODES[algorithm], 3);
  header.writeUInt32BE(id, 4);
  return header;
}

const cipherOf = (algorithm: SealAlgorithm, secret: Uint8Array): FieldCipher =>
  fieldCipher(algorithm, subkey(secret, 'fields'));

function sealUnder(
  { id, algorithm, cipher }: Pick<Held, 'id' | 'algorithm' | 'cipher'>,
  plain: Uint8Array,
  context: string,
): Buffer {
  const header = headerOf(id, algorithm);
  return Buffer.concat([header, ...cipher.encrypt(plain, aadOf(header, context))]);
}

const aadOf = (header: Buffer, context: string): Buffer => Buffer.concat([header, Buffer.from(context)]);

const subkey = (secret: Uint8Array, purpose: string): Buffer =>
  Buffer.from(hkdfSync('sha256', secret, Buffer.alloc(0), `hutong data key ${purpose}`, 32));
