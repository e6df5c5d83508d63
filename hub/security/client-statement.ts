/**
 * Systems that sign on with a key of their own (SMART Backend Services 2.2; RFC 7523 private_key_jwt): a signed statement
 * that serves once becomes a token that ends by itself after five minutes.
 */
import { createPublicKey } from 'node:crypto';
import type { JsonWebKey } from 'node:crypto';
import { calculateJwkThumbprint, createLocalJWKSet, decodeJwt, errors, jwtVerify } from 'jose';
import type { JWTPayload } from 'jose';
import type { ClientRole } from '../core/access.ts';
import type { AssertionLedger } from '../core/assertion.ts';
import type { Client, PublicKeyJwk, TokenDesk } from '../core/client.ts';
import { digestOf } from './saml.ts';
import { drawToken, hashToken } from './token.ts';

export const ALGORITHMS = ['RS384', 'ES384'] as const;
export const TOKEN_SECONDS = 300;
/** SMART Backend Services: the statement is good for five minutes at most. */
const LONGEST_SECONDS = 300;
const SKEW_SECONDS = 60;
const MAX_BYTES = 8_192;

/** What a client's role may be asked for. A token acts as its client does: scopes name the right, they widen nothing. */
const SCOPES: Readonly<Record<ClientRole, readonly string[]>> = {
  'query-platform': ['system/*.read', 'system/*.rs'],
  'hospital-feed': ['system/*.write', 'system/*.cud'],
  operator: [],
  administrator: [],
};
export const ALL_SCOPES = Object.values(SCOPES).flat();

export type Granted =
  | { readonly token: string; readonly scope: string; readonly client: Client }
  | { readonly error: 'invalid_client' | 'invalid_scope'; readonly why: string; readonly client: Client | null };

export interface BackendServiceDeps {
  readonly desk: TokenDesk;
  readonly ledger: AssertionLedger;
  readonly clock: () => Date;
}

/** `audience`: this token endpoint, as the client has to name it. */
export async function grantToken(
  { desk, ledger, clock }: BackendServiceDeps,
  assertion: string,
  scope: string,
  audience: string,
): Promise<Granted> {
  const turned = (why: string, client: Client | null = null): Granted => ({ error: 'invalid_client', why, client });
  if (assertion.length > MAX_BYTES) return turned('the statement is too long');
  const claimed = claims(assertion);
  const known = typeof claimed?.iss === 'string' ? await desk.keysOf(claimed.iss) : null;
  if (known === null) return turned('no client with keys');
  const { client, keys } = known;
  const now = clock();
  const payload = await verified(assertion, keys, { audience, id: client.id, now });
  if (typeof payload === 'string') return turned(payload, client);
  const { exp = 0, jti = '' } = payload;
  if (exp * 1_000 > now.getTime() + (LONGEST_SECONDS + SKEW_SECONDS) * 1_000)
    return turned('the statement is good for too long', client);
  if (jti === '' || jti.length > 256) return turned('the statement has no jti', client);
  const asked = scope.split(' ').filter((one) => one !== '');
  const given = asked.filter((one) => SCOPES[client.role].includes(one));
  if (given.length === 0) return { error: 'invalid_scope', why: 'no scope that the client may have', client };
  if (!(await ledger.firstUse(digestOf('jwt', client.id, jti), new Date((exp + SKEW_SECONDS) * 1_000))))
    return turned('the statement was used before', client);
  const token = drawToken();
  const endsAt = new Date(now.getTime() + TOKEN_SECONDS * 1_000);
  await desk.grant(client.id, hashToken(token), given.join(' '), endsAt);
  return { token, scope: given.join(' '), client };
}

/** RFC 7638: what two people compare by reading it out. */
export const thumbprintsOf = (keys: readonly PublicKeyJwk[]): Promise<string[]> =>
  Promise.all(keys.map((key) => calculateJwkThumbprint(key)));

function claims(assertion: string): JWTPayload | null {
  try {
    return decodeJwt(assertion);
  } catch (error) {
    if (error instanceof errors.JOSEError || error instanceof TypeError) return null;
    throw error;
  }
}

async function verified(
  assertion: string,
  keys: readonly PublicKeyJwk[],
  { audience, id, now }: { readonly audience: string; readonly id: string; readonly now: Date },
): Promise<JWTPayload | string> {
  try {
    // A `jku` in the header is not looked at: keys are those that were registered.
    const { payload } = await jwtVerify(assertion, createLocalJWKSet({ keys: keys as { kty: string }[] }), {
      algorithms: [...ALGORITHMS],
      issuer: id,
      subject: id,
      audience,
      clockTolerance: SKEW_SECONDS,
      currentDate: now,
      requiredClaims: ['exp', 'jti'],
    });
    return payload;
  } catch (error) {
    if (error instanceof errors.JOSEError) return `the statement does not hold: ${error.code}`;
    throw error;
  }
}

/** As registered: public, strong enough, named; whatever else they say is left out. `bad`: one of them is not. */
export function publicKeys(told: readonly object[]): readonly PublicKeyJwk[] | 'bad' {
  const keys: PublicKeyJwk[] = [];
  for (const one of told) {
    const { kty, kid, n, e, crv, x, y, d } = one as PublicKeyJwk;
    const isEc = kty === 'EC' && crv === 'P-384';
    if (typeof kid !== 'string' || kid === '' || d !== undefined || (kty !== 'RSA' && !isEc)) return 'bad';
    const jwk = isEc ? { kty, crv, x, y } : { kty, n, e };
    if (!isUsable(jwk as JsonWebKey)) return 'bad';
    keys.push({ ...jwk, kid, alg: isEc ? 'ES384' : 'RS384' });
  }
  return new Set(keys.map(({ kid }) => kid)).size === keys.length ? keys : 'bad';
}

function isUsable(key: JsonWebKey): boolean {
  try {
    const { modulusLength = 2_048 } = createPublicKey({ key, format: 'jwk' }).asymmetricKeyDetails ?? {};
    return modulusLength >= 2_048;
  } catch (error) {
    if (error instanceof Error) return false;
    throw error;
  }
}
