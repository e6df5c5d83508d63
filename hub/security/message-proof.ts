/**
 * The sender's own signature in the Security header: the proof of a holder of a key (SAML Token Profile 1.1 §3.5.1), over
 * the Timestamp and whatever else the sender put under it. All that it names must be as it was signed.
 */
import type { KeyObject } from 'node:crypto';
import type { SecurityHeader, SecurityRefusal } from '../../mappings/xds/security-header.ts';
import { WSSE } from '../../mappings/xds/soap.ts';
import { childNamed, parseXml } from '../../mappings/xds/xml.ts';
import type { OpenXml, XmlElement } from '../../mappings/xds/xml.ts';
import { readSignature, signedBytes, signedInfoBytes } from '../../mappings/xds/xml-signature.ts';
import type { XmlSignature } from '../../mappings/xds/xml-signature.ts';
import { judgeTimestamp } from './assertion-terms.ts';
import type { Now } from './assertion-terms.ts';
import { flawed, isGoodMethod, isSignedBy } from './signature.ts';

export interface MessageProof {
  /** Whether one of these keys made it. */
  holds(keys: readonly KeyObject[]): boolean;
  /** Milliseconds; the signed Timestamp's. */
  readonly until: number;
  readonly value: string;
}

const SAML_ID = 'http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#SAMLID';
const XOP = 'http://www.w3.org/2004/08/xop/include';
/** The canonical form of a larger Body would cost a stranger nothing and the hub much. */
const LARGEST = 5_000;

const refuse = (code: SecurityRefusal['code'], reason: string): SecurityRefusal => ({ code, reason });

export function checkProof(
  open: OpenXml,
  security: SecurityHeader,
  element: XmlElement,
  assertionId: string,
  now: Now,
): MessageProof | SecurityRefusal {
  const signature = readSignature(element);
  if ('flaw' in signature) return flawed(signature);
  if (!isGoodMethod(signature.method))
    return refuse('wsse:UnsupportedAlgorithm', 'The signature must be RSA or ECDSA with SHA-256 or better.');
  if (!namesToken(signature, assertionId))
    return refuse('wsse:InvalidSecurity', 'The KeyInfo of the message signature must refer to the assertion.');
  const targets = signature.references.map(({ id }) => security.byId(id));
  const bodies = open.root.children.filter((child) => child !== security.header);
  const underBody = targets.some((target) => target !== null && bodies.some((body) => holds(body, target)));
  if (!underBody) for (const body of bodies) open.drop(body);
  else if (bodies.some((body) => !isSmall(body)))
    return refuse('wsse:FailedCheck', 'A signed Body may have no attachments and not be this large.');
  const info = signedInfoBytes(open, signature);
  let timestamp: Buffer | null = null;
  for (const [at, reference] of signature.references.entries()) {
    const target = targets[at];
    const bytes = target && !reference.enveloped ? signedBytes(open, signature, reference, target) : null;
    if (!bytes) return refuse('wsse:FailedCheck', 'A part of the message was changed after it was signed.');
    if (target === security.timestamp) timestamp = bytes;
  }
  if (!timestamp || !info) return refuse('wsse:FailedCheck', 'The message signature must cover the Timestamp.');
  const read = parseXml(timestamp, { bytes: 65_536, depth: 8, elements: 100 });
  const fresh = read.ok ? judgeTimestamp(read.value, now) : refuse('wsse:InvalidSecurity', 'No Timestamp.');
  if ('reason' in fresh) return fresh;
  return {
    holds: (keys) => isSignedBy(signature, info, keys),
    until: fresh.until,
    value: signature.value.toString('base64'),
  };
}

/** SAML Token Profile 1.1 §3.4: a key identifier or a direct reference; a reference of another kind is left to the key. */
function namesToken(signature: XmlSignature, assertionId: string): boolean {
  const reference = signature.keyInfo ? childNamed(signature.keyInfo, WSSE, 'SecurityTokenReference') : undefined;
  if (!reference) return false;
  const identifier = childNamed(reference, WSSE, 'KeyIdentifier');
  if (identifier?.attributes.get('ValueType') === SAML_ID) return identifier.text.trim() === assertionId;
  const direct = childNamed(reference, WSSE, 'Reference');
  const saml = /saml/i.test(direct?.attributes.get('ValueType') ?? '');
  return !saml || direct?.attributes.get('URI') === `#${assertionId}`;
}

const holds = (element: XmlElement, wanted: XmlElement): boolean =>
  element === wanted || element.children.some((child) => holds(child, wanted));

function isSmall(body: XmlElement): boolean {
  let left = LARGEST;
  const walk = (element: XmlElement): boolean =>
    --left >= 0 && element.namespace !== XOP && element.children.every(walk);
  return walk(body);
}
