/**
 * A secret of two halves: two administrators get one each, and only both together open anything (split knowledge, PCI DSS
 * 4.0 3.7.6). Each half is drawn by itself and as long as a whole secret, so that one tells nothing of the other and is
 * nothing to guess from; the hub keeps hashes, and of both together only their common one.
 */
import { createHash, randomBytes } from 'node:crypto';
import { drawCode, hashCode } from './totp.ts';

export interface Half {
  readonly text: string;
  readonly hash: Buffer;
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text, 'utf8').digest();

export const joined = (first: Uint8Array, second: Uint8Array): Buffer =>
  createHash('sha256').update(first).update(second).digest();

/** 80 random bits, as people type them. */
export function drawCodeHalf(): Half {
  const text = drawCode(10);
  return { text, hash: hashCode(text) };
}

export interface ActivationCode {
  readonly code: string;
  /** The other half, where two administrators gave one each. */
  readonly secondCode?: string | undefined;
}

/** What the code may be kept as: the person need not know which of the halves is the first. */
export function hashesOf({ code, secondCode }: ActivationCode): readonly Buffer[] {
  if (secondCode === undefined) return [hashCode(code)];
  const [one, other] = [hashCode(code), hashCode(secondCode)];
  return [joined(one, other), joined(other, one)];
}

/** 256 random bits: `<first>.<second>` is the token. */
export function drawTokenHalf(place: 'first' | 'second'): Half {
  const text = (place === 'first' ? 'hutong_' : '') + randomBytes(32).toString('base64url');
  return { text, hash: sha256(text) };
}

const TOKEN_OF_HALVES = /^(hutong_[\w-]{43})\.([\w-]{43})$/;

/** null: it is a token of one piece. */
export function hashOfHalves(token: string): Buffer | null {
  const [, first, second] = TOKEN_OF_HALVES.exec(token) ?? [];
  return first === undefined || second === undefined ? null : joined(sha256(first), sha256(second));
}
