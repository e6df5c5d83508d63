/** Bearer tokens: drawn here, shown once, and known to the hub afterwards only by their SHA-256. */
import { createHash, randomBytes } from 'node:crypto';
import type { ClientStore } from '../core/client.ts';
import { hashOfHalves } from './halves.ts';

const PREFIX = 'hutong_';

/** 256 random bits (SECURITY §5 asks for 128), with a prefix by which scanners find a token that leaked into a file. */
export function drawToken(): string {
  return PREFIX + randomBytes(32).toString('base64url');
}

/**
 * A fast hash is right here: a token of 256 random bits cannot be guessed, unlike a password. Clients are found by this
 * hash, so the time that a look-up takes tells nothing about any token. One of two halves has the hash of both.
 */
export function hashToken(token: string): Buffer {
  return hashOfHalves(token) ?? createHash('sha256').update(token, 'utf8').digest();
}

/**
 * RFC 6750 §2.1: `Authorization: Bearer …`; null where the header is absent or of another scheme. Any visible ASCII is
 * taken, since an operator may choose HUB_ADMIN_TOKEN. RFC 9110 §11.1: the scheme is case-insensitive.
 */
export function bearerToken(authorization: string | undefined): string | null {
  if (authorization === undefined || authorization.length > 4_096) return null;
  return /^bearer +([\x21-\x7e]+) *$/i.exec(authorization)?.[1] ?? null;
}

/**
 * Makes sure that somebody can administer the hub. A given token becomes the bootstrap administrator's; without one a
 * token is made at the first start and returned, to be printed once. null: nothing to print.
 */
export async function ensureAdministrator(clients: ClientStore, given: string | undefined): Promise<string | null> {
  if (given !== undefined) {
    await clients.bootstrap(hashToken(given), true);
    return null;
  }
  // Of many hubs that start at once only the one whose token stands may print it.
  const made = drawToken();
  return (await clients.bootstrap(hashToken(made), false)) === null ? null : made;
}
