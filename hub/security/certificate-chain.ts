/**
 * Certificates that a configured authority issued (RFC 5280 §6.1, the part that a signing certificate needs): from the
 * certificates that a signature brings along to the one key that may have made it, or why none may.
 */
import { X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { TrustedIssuer } from '../core/assertion.ts';
import type { SecurityRefusal } from '../../mappings/xds/security-header.ts';
import { childrenNamed } from '../../mappings/xds/xml.ts';
import type { XmlElement } from '../../mappings/xds/xml.ts';
import { DS } from '../../mappings/xds/xml-signature.ts';
import { derChildren, derElements } from './der.ts';
import { isGoodKey } from './signature.ts';
import type { Now } from './assertion-terms.ts';

/** A key with the time in which its certificate, and those above it, hold; milliseconds since 1970. */
export interface TrustedKey {
  readonly key: KeyObject;
  readonly from: number;
  readonly to: number;
}

export const isValid = ({ from, to }: Pick<TrustedKey, 'from' | 'to'>, { at, skew }: Now): boolean =>
  at + skew >= from && at - skew <= to;

export const trustedKey = (certificate: X509Certificate): TrustedKey => ({
  key: certificate.publicKey,
  from: Date.parse(certificate.validFrom),
  to: Date.parse(certificate.validTo),
});

/** The signer, authorities between, and the configured one. */
const LONGEST = 5;

const refuse = (reason: string): SecurityRefusal => ({ code: 'wsse:FailedAuthentication', reason });

export function chainedKey(keyInfo: XmlElement | null, issuer: TrustedIssuer, now: Now): TrustedKey | SecurityRefusal {
  const sent = keyInfo ? certificatesIn(keyInfo) : [];
  const signer = sent.find((one) => !one.ca && isNamed(one, issuer.subject));
  if (!signer) return refuse('The signature brings no certificate of the issuer along.');
  const anchors = issuer.authorities.map((pem) => new X509Certificate(pem));
  const chain = [signer];
  for (let at = signer; chain.length < LONGEST;) {
    const anchor = anchors.find((one) => issuedBy(at, one));
    const next = anchor ?? sent.find((one) => !chain.includes(one) && issuedBy(at, one));
    if (!next) break;
    chain.push(next);
    if (anchor) return judged(chain, now);
    at = next;
  }
  return refuse("The issuer's certificate was not issued by an authority that is trusted for it.");
}

const issuedBy = (certificate: X509Certificate, authority: X509Certificate): boolean =>
  certificate.checkIssued(authority) && certificate.verify(authority.publicKey);

/** From the signer up to the configured authority. */
function judged(chain: readonly X509Certificate[], now: Now): TrustedKey | SecurityRefusal {
  const [signer, ...above] = chain;
  if (!signer) return refuse('No certificate.');
  const windows = chain.map(trustedKey);
  if (!windows.every((one) => isValid(one, now)))
    return refuse("A certificate of the issuer's chain is not valid at this time.");
  // The signature of the configured authority on itself proves nothing, and is not asked.
  if (!chain.slice(0, -1).every((one) => isGoodSignature(one)) || !windows.every(({ key }) => isGoodKey(key)))
    return refuse("A certificate of the issuer's chain is signed with SHA-1, or has a weak key.");
  if (!above.every((one, below) => one.ca && mayUse(one, KEY_CERT_SIGN) && withinLength(one, below)))
    return refuse("A certificate of the issuer's chain may not issue others.");
  if (!mayUse(signer, DIGITAL_SIGNATURE) && !mayUse(signer, NON_REPUDIATION))
    return refuse("The issuer's certificate is not for signing.");
  return {
    key: signer.publicKey,
    from: Math.max(...windows.map(({ from }) => from)),
    to: Math.min(...windows.map(({ to }) => to)),
  };
}

function certificatesIn(keyInfo: XmlElement): X509Certificate[] {
  const texts = childrenNamed(keyInfo, DS, 'X509Data')
    .flatMap((data) => childrenNamed(data, DS, 'X509Certificate'))
    .map(({ text }) => text.slice(0, 16_384));
  return texts.slice(0, LONGEST).flatMap((text) => {
    try {
      return [new X509Certificate(Buffer.from(text, 'base64'))];
    } catch (error) {
      if (error instanceof Error) return [];
      throw error;
    }
  });
}

/** By its common name, or by a DNS or URI name among its alternative names; whole, never as a pattern. */
function isNamed(certificate: X509Certificate, subject: string | null): boolean {
  if (subject === null) return false;
  const commons = certificate.subject.split('\n').flatMap((line) => (line.startsWith('CN=') ? [line.slice(3)] : []));
  const others = (certificate.subjectAltName ?? '')
    .split(', ')
    .flatMap((name) => /^(?:DNS|URI):(.+)$/.exec(name)?.[1] ?? []);
  return [...commons, ...others].includes(subject);
}

const SHA2_SIGNATURES = new Set([
  ...['11', '12', '13'].map((arc) => `1.2.840.113549.1.1.${arc}`), // RSA with SHA-256, 384, 512
  ...['2', '3', '4'].map((arc) => `1.2.840.10045.4.3.${arc}`), // ECDSA with SHA-256, 384, 512
]);
const RSA_PSS = '1.2.840.113549.1.1.10';
const SHA2 = /^2\.16\.840\.1\.101\.3\.4\.2\.[123]$/;

/** RFC 5280 §4.1.1.2, RFC 4055 §3.1: RSASSA-PSS names its digest in parameters, and means SHA-1 where it names none. */
function isGoodSignature(certificate: X509Certificate): boolean {
  const [algorithm, parameters] = derChildren(derChildren(derElements(certificate.raw)[0])[1]);
  if (algorithm?.oid === RSA_PSS) {
    const [hash] = derChildren(derChildren(parameters).find(({ tag }) => tag === 0xa0));
    return SHA2.test(derChildren(hash)[0]?.oid ?? '');
  }
  return SHA2_SIGNATURES.has(algorithm?.oid ?? '');
}

/** Bits of keyUsage (RFC 5280 §4.2.1.3). */
const DIGITAL_SIGNATURE = 0;
const NON_REPUDIATION = 1;
const KEY_CERT_SIGN = 5;

/** A certificate without the extension may be used for anything. */
function mayUse(certificate: X509Certificate, bit: number): boolean {
  const value = extension(certificate, '2.5.29.15');
  if (value === null) return true;
  const [bits] = derElements(value);
  return bits?.tag === 3 && ((bits.content[1 + (bit >> 3)] ?? 0) & (0x80 >> (bit & 7))) !== 0;
}

/** pathLenConstraint (RFC 5280 §4.2.1.9); `below`: authorities between it and the signer. */
function withinLength(certificate: X509Certificate, below: number): boolean {
  const value = extension(certificate, '2.5.29.19');
  const [length] = value === null ? [] : derChildren(derElements(value)[0]).filter(({ tag }) => tag === 2);
  return length === undefined || below <= length.content.reduce((sum, byte) => Math.min(sum * 256 + byte, 1_000), 0);
}

/** The content of an extension's OCTET STRING; null where the certificate has none of this id. */
function extension(certificate: X509Certificate, id: string): Uint8Array | null {
  const [body] = derChildren(derElements(certificate.raw)[0]);
  const list = derChildren(body).find(({ tag }) => tag === 0xa3);
  for (const one of derChildren(derChildren(list)[0])) {
    const [name, ...rest] = derChildren(one);
    if (name?.oid === id) return rest.at(-1)?.content ?? null;
  }
  return null;
}
