/**
 * Anchors of the audit: signed statements over the heads of its lanes, each naming the one before it, which stand in the
 * database and outside it. Who has one can tell later whether what it covers is still there. Pure (ADR 0019).
 */
import type { ChainFinding, LaneHead } from './audit-chain.ts';

export interface AnchorStatement {
  readonly format: 'hutong-audit-anchor/1';
  readonly number: number;
  /** ISO 8601, UTC. */
  readonly at: string;
  /** SHA-256 of the anchor before; of the first zeros. */
  readonly previous: string;
  readonly key: string;
  /** The newest lane, which stands for all before it. */
  readonly lastLane: { readonly lane: number; readonly genesis: string };
  /** Of the lanes that went on since the anchor before. */
  readonly heads: readonly LaneHead[];
  /** Records of before the chain, by month: count and digest over all of them in order. In the first anchor only. */
  readonly unchained?: readonly UnchainedMonth[];
  /** Months whose records retention takes away after this anchor. */
  readonly dropped?: readonly { readonly month: string; readonly records: number }[];
}

export interface UnchainedMonth {
  readonly month: string;
  readonly records: number;
  readonly digest: string;
}

/** The statement as the very text that was signed. */
export interface Anchor {
  readonly number: number;
  readonly statement: string;
  /** Base64. */
  readonly signature: string;
}

export interface AnchorKey {
  readonly id: string;
  sign(text: string): string;
}

/** false: forged; null: the key is not known here. */
export type AnchorCheck = (key: string, text: string, signature: string) => boolean | null;

export interface AnchorDesk {
  /** States what is new; null: nothing is. `dropping`: months that go afterwards, which is always worth a statement. */
  anchor(dropping?: readonly string[]): Promise<Anchor | null>;
  /** Anchors after a number, in order, at most so many. */
  after(number: number, limit: number): Promise<readonly Anchor[]>;
  /** The newest: number, and time in ISO 8601; null: none. */
  newest(): Promise<{ readonly number: number; readonly at: string } | null>;
  /** Drops the months that ended before a day, each stated before and, by `beforeDrop`, exported; answers them. */
  retain(keepFrom: string, beforeDrop?: (month: string) => Promise<void>): Promise<readonly string[]>;
}

/** Where anchors are kept beside the database. */
export interface AnchorCopies {
  readonly name: string;
  /** The number of the newest there; 0: none. */
  newest(): Promise<number>;
  /** Resolves when it is durable there. */
  put(anchor: Anchor): Promise<void>;
  /** All of them in order, for comparing; absent where they cannot be read back. */
  all?(): AsyncIterable<Anchor>;
}

export interface VerifyScope {
  /** Records that this anchor covers are taken as read; absent: from the first. */
  readonly fromAnchor?: number;
  /** One month only, `2026-11`. */
  readonly month?: string;
}

export interface Verification {
  readonly intact: boolean;
  readonly records: number;
  readonly anchors: number;
  /** The newest anchor: what a later run may begin after. */
  readonly upToAnchor: number;
  readonly findingCount: number;
  /** The first of them. */
  readonly findings: readonly ChainFinding[];
}

/** Runs over the chain, as they are kept. */
export interface VerificationRun extends Omit<Verification, 'anchors' | 'intact'> {
  readonly id: string;
  readonly beganAt: string;
  readonly endedAt: string | null;
  readonly kind: 'nightly' | 'command';
  readonly intact: boolean | null;
  readonly fromAnchor: number | null;
  readonly month: string | null;
}

export interface VerificationLog {
  /** Begins a run; null: another process has begun one of this kind since `unlessSince`. */
  begin(kind: VerificationRun['kind'], scope: VerifyScope, unlessSince?: string): Promise<string | null>;
  end(id: string, outcome: Verification): Promise<void>;
  /** Newest first. */
  list(limit: number): Promise<readonly VerificationRun[]>;
}

/** What an anchor is chained by, and compared by outside. */
export const anchorText = ({ statement, signature }: Anchor): string => `${statement}\n${signature}`;

/** null: not the form of one. */
export function readStatement(text: string): AnchorStatement | null {
  try {
    const value = JSON.parse(text) as Partial<AnchorStatement>;
    const whole =
      value.format === 'hutong-audit-anchor/1' &&
      Number.isSafeInteger(value.number) &&
      typeof value.previous === 'string' &&
      typeof value.key === 'string' &&
      Array.isArray(value.heads) &&
      typeof value.lastLane === 'object';
    return whole ? (value as AnchorStatement) : null;
  } catch {
    return null;
  }
}

/** Walks anchors in their order, one by one, and remembers what is wanted of them. */
export class AnchorWalk {
  #number = 0;
  #hash: string;
  readonly #deps: { readonly sha256: (text: string) => string; readonly check: AnchorCheck };
  readonly #tell: (finding: ChainFinding) => void;

  constructor(
    deps: { readonly sha256: (text: string) => string; readonly check: AnchorCheck; readonly zero: string },
    tell: (finding: ChainFinding) => void,
  ) {
    this.#deps = deps;
    this.#hash = deps.zero;
    this.#tell = tell;
  }

  /** The statement where it may be believed. */
  take(anchor: Anchor): AnchorStatement | null {
    const statement = readStatement(anchor.statement);
    const name = `anchor ${String(anchor.number)}`;
    const before = { number: this.#number, hash: this.#hash };
    this.#number = anchor.number;
    this.#hash = this.#deps.sha256(anchorText(anchor));
    if (statement?.number !== anchor.number)
      return this.#refuse('anchor-forged', `${name} is not the statement that it should be`);
    const at = statement.at;
    if (anchor.number !== before.number + 1)
      return this.#refuse('anchor-missing', `anchors before ${name} are gone, since ${String(before.number)}`, at);
    if (statement.previous !== before.hash)
      return this.#refuse('anchor-forged', `${name} does not follow the anchor before it`, at);
    const known = this.#deps.check(statement.key, anchor.statement, anchor.signature);
    if (known === null) return this.#refuse('key-unknown', `${name} is signed with a key that is not trusted here`, at);
    if (!known) return this.#refuse('anchor-forged', `the signature of ${name} is not that of its key`, at);
    return statement;
  }

  #refuse(kind: ChainFinding['kind'], text: string, at?: string): null {
    this.#tell({ kind, text, ...(at === undefined ? {} : { at }) });
    return null;
  }
}
