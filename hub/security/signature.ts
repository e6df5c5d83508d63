/**
 * Which signature algorithms are good, and whether a signature holds under a key. SHA-1 and HMAC are not among them: the
 * one is broken, the other would let a public key pass as a secret.
 */
import { constants, createPublicKey, verify, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { ConfirmationKey } from '../../mappings/xds/saml-assertion.ts';
import type { SecurityRefusal } from '../../mappings/xds/security-header.ts';
import type { SignatureFlaw, XmlSignature } from '../../mappings/xds/xml-signature.ts';

interface Method {
  readonly hash: string;
  readonly key: 'rsa' | 'ec';
  readonly pss?: true;
}

const MORE = 'http://www.w3.org/2001/04/xmldsig-more#';
const MGF1 = 'http://www.w3.org/2007/05/xmldsig-more#';
const METHODS: ReadonlyMap<string, Method> = new Map(
  (['256', '384', '512'] as const).flatMap((size): [string, Method][] => [
    [`${MORE}rsa-sha${size}`, { hash: `sha${size}`, key: 'rsa' }],
    [`${MGF1}sha${size}-rsa-MGF1`, { hash: `sha${size}`, key: 'rsa', pss: true }],
    [`${MORE}ecdsa-sha${size}`, { hash: `sha${size}`, key: 'ec' }],
  ]),
);

export const isGoodMethod = (uri: string): boolean => METHODS.has(uri);

/** Below these a key can be broken (NIST SP 800-131A). */
const LEAST_RSA_BITS = 2_048;
const CURVES = new Set(['prime256v1', 'secp384r1', 'secp521r1']);

export function isGoodKey(key: KeyObject): boolean {
  if (key.type !== 'public') return false;
  const { modulusLength = 0, namedCurve = '' } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'rsa' || key.asymmetricKeyType === 'rsa-pss') return modulusLength >= LEAST_RSA_BITS;
  return key.asymmetricKeyType === 'ec' && CURVES.has(namedCurve);
}

/** Whether one of the keys signed `bytes`, the canonical SignedInfo. A key of the wrong kind did not. */
export function isSignedBy(
  signature: Pick<XmlSignature, 'method' | 'value'>,
  bytes: Buffer,
  keys: readonly KeyObject[],
): boolean {
  const method = METHODS.get(signature.method);
  if (!method) return false;
  return keys.some((key) => {
    const kind = key.asymmetricKeyType === 'rsa-pss' ? 'rsa' : key.asymmetricKeyType;
    if (kind !== method.key || (key.asymmetricKeyType === 'rsa-pss' && method.pss !== true)) return false;
    const padding =
      method.pss === true
        ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
        : {};
    // xmldsig-core1 §6.4.3: r and s beside each other, not DER.
    return verify(method.hash, bytes, { key, dsaEncoding: 'ieee-p1363', ...padding }, signature.value);
  });
}

/** The keys of a holder-of-key confirmation; what is no key, or a weak one, is none. */
export const keysOf = (given: readonly ConfirmationKey[]): KeyObject[] =>
  given.flatMap((one) => {
    try {
      const key =
        one.kind === 'jwk'
          ? createPublicKey({ key: { ...one.jwk }, format: 'jwk' })
          : new X509Certificate(one.der).publicKey;
      return isGoodKey(key) ? [key] : [];
    } catch (error) {
      if (error instanceof Error) return [];
      throw error;
    }
  });

export const flawed = ({ flaw, text }: SignatureFlaw): SecurityRefusal => ({
  code: flaw === 'form' ? 'wsse:InvalidSecurity' : 'wsse:UnsupportedAlgorithm',
  reason: text,
});
