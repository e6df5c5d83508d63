/**
 * What lies sealed at rest, and with which keys: data keys, wrapped by a master key that never comes near the database
 * (GB/T 39786-2021, SECURITY M1, M4, M7). `hub/security` implements it, `hub/store` seals at its boundary.
 */

/** SM4 runs as CTR with HMAC-SM3 over it, encrypt-then-MAC: Node's OpenSSL has no SM4-GCM. */
export type SealAlgorithm = 'aes-256-gcm' | 'sm4-ctr-hmac-sm3';
export const SEAL_ALGORITHMS: readonly SealAlgorithm[] = ['aes-256-gcm', 'sm4-ctr-hmac-sm3'];

/**
 * Seals small values: fields, messages, bodies. `context` is where a value belongs (`table.column` and the row's id): it is
 * authenticated and not stored, so a value that somebody moves to another place does not open there.
 */
export interface Sealer {
  seal(plain: Uint8Array, context: string): Buffer;
  /** Throws a SealBroken where the value was changed, moved, or sealed by a key that is not here. */
  open(sealed: Uint8Array, context: string): Buffer;
  /** By its first bytes; what was stored before values were sealed is not. */
  isSealed(value: Uint8Array): boolean;
  /** False for what another key or algorithm than today's sealed, and for what is not sealed. */
  isCurrent(value: Uint8Array): boolean;
  /** True while rows of a release that did not seal may still be here: they are served as they are until all are sealed. */
  readonly acceptsClear: boolean;
}

/** What the store seals by, and finds by: a keyed hash finds what must not lie there to be read (decision 0009). */
export interface Vault {
  readonly fields: Sealer;
  readonly numbers: NumberSeal;
  /** 32 bytes; `kind` keeps equal values of two kinds apart. The same for good: rotation does not change it. */
  hash(kind: string, value: string): Buffer;
}

/**
 * ID numbers within any text of a row, by what they are and not by where they stand: a hospital may use them as its own
 * numbers (core/id-number.ts). The same number becomes the same word, so that it is compared, joined and found as it was.
 */
export interface NumberSeal {
  /** Of what is closed already: closed once more, so that `open` gives what was sent and nothing that lies within. */
  close(text: string): string;
  open(text: string): string;
}

/** A sealed value that is not what was sealed: told, never served. */
export class SealBroken extends Error {
  readonly why: 'changed' | 'key' | 'clear';

  constructor(why: 'changed' | 'key' | 'clear') {
    super(
      {
        changed: 'a sealed value was changed, or lies where it was not sealed for',
        key: 'a value is sealed by a data key that this process has not',
        clear: 'what should be sealed lies in clear, or is gone',
      }[why],
    );
    this.why = why;
  }
}

export interface DataKey {
  readonly id: number;
  readonly algorithm: SealAlgorithm;
  /** 32 bytes, of one purpose: other purposes get other bytes from the same data key. */
  readonly key: Buffer;
}

/** For who encrypts much under a data key and has a format of his own (the object store). */
export interface DataKeys {
  /** What to encrypt with now. */
  current(): DataKey;
  /** What something was encrypted with; null where this process has no such key. */
  byId(id: number): DataKey | null;
}

/** Holds the master key, or asks who does. `context` is authenticated as a Sealer's is. */
export interface KeyWrapper {
  /** Names the key, not the holder: the same key from a file and from the environment has one id. */
  readonly id: string;
  wrap(key: Uint8Array, context: string): Promise<Uint8Array>;
  /** Rejects with a MasterKeyFault where the key is another, or cannot be asked. */
  unwrap(wrapped: Uint8Array, context: string): Promise<Uint8Array>;
}

/** A master key that is missing, wrong or away: the message is the one line that the operator sees. */
export class MasterKeyFault extends Error {}

/** A data key as it lies in the database. */
export interface WrappedKey {
  readonly id: number;
  readonly algorithm: SealAlgorithm;
  readonly wrapped: Uint8Array;
  readonly wrappedBy: string;
  readonly createdAt: Date;
  /** From when it seals: late enough that every process has it before the first value that needs it. */
  readonly currentFrom: Date;
}

/** Whether rows in clear may still be there. `sealed` once all were sealed, or nothing was ever written in clear. */
export type SealState = 'mixed' | 'sealed';

export type NewKey = Pick<WrappedKey, 'algorithm' | 'wrappedBy' | 'currentFrom'>;

export interface DataKeyStore {
  list(): Promise<readonly WrappedKey[]>;
  /**
   * Adds the first key, and with it the word for SealState; of many that start at once one does, the others find it.
   * `make` hears whether a release of before has left rows in clear.
   */
  begin(
    key: NewKey,
    make: (id: number, clearRows: boolean) => Promise<{ readonly wrapped: Uint8Array; readonly state: Uint8Array }>,
  ): Promise<void>;
  /** Adds a key to others; its id is the next. */
  add(key: NewKey, wrap: (id: number) => Promise<Uint8Array>): Promise<void>;
  rewrap(id: number, wrapped: Uint8Array, wrappedBy: string): Promise<void>;
  /** The sealed word for SealState; null where somebody has taken it away. */
  state(): Promise<Uint8Array | null>;
  saveState(sealed: Uint8Array): Promise<void>;
}
