/**
 * The digests that the audit is chained by: plain, so that whoever has the records can check them, or keyed, so that only
 * who has the key can make them. SM3 stands beside SHA-256 (GB/T 39786, SECURITY M4).
 */
import { createHash, createHmac } from 'node:crypto';
import type { ChainDigest } from '../core/audit-chain.ts';

export const SEAL_ALGORITHMS = ['sha256', 'sm3', 'hmac-sha256', 'hmac-sm3'] as const;
export type SealAlgorithm = (typeof SEAL_ALGORITHMS)[number];

export interface AuditSeal {
  readonly algorithm: SealAlgorithm;
  /** Of a keyed one. */
  readonly keyId: string | null;
  readonly digest: ChainDigest;
}

export interface SealKey {
  readonly id: string;
  readonly secret: Uint8Array;
}

export const PLAIN_SEAL: AuditSeal = { algorithm: 'sha256', keyId: null, digest: digestOf('sha256', null) };

export const createAuditSeal = (algorithm: SealAlgorithm, key: SealKey | null): AuditSeal => ({
  algorithm,
  keyId: algorithm.startsWith('hmac-') ? (key?.id ?? null) : null,
  digest: digestOf(algorithm, key),
});

function digestOf(algorithm: SealAlgorithm, key: SealKey | null): ChainDigest {
  const hash = algorithm.replace('hmac-', '');
  const keyed = algorithm.startsWith('hmac-');
  if (keyed && key === null) throw new Error(`${algorithm} needs a key`);
  return (previous, text) => {
    const made = keyed && key !== null ? createHmac(hash, key.secret) : createHash(hash);
    return made.update(previous + text, 'utf8').digest('hex');
  };
}

/** The digest of a lane, by what its row says; null: its key is not here, or the algorithm is not known. */
export function sealOf(
  lane: { readonly algorithm: string; readonly keyId: string | null },
  keys: readonly SealKey[],
): ChainDigest | null {
  const algorithm = SEAL_ALGORITHMS.find((one) => one === lane.algorithm);
  if (algorithm === undefined) return null;
  const key = keys.find(({ id }) => id === lane.keyId) ?? null;
  if (algorithm.startsWith('hmac-') && key === null) return null;
  return digestOf(algorithm, key);
}

export const sha256 = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex');
