/**
 * The wsse:Security header of a message (OASIS WSS SOAP Message Security 1.1.1; SAML Token Profile 1.1): which assertion,
 * timestamp and signature it carries, and whether their places and ids leave only one reading (no signature wrapping).
 */
import { SOAP, SOAP_ROLES, WSSE } from './soap.ts';
import { childrenNamed, is } from './xml.ts';
import type { XmlElement } from './xml.ts';
import { DS } from './xml-signature.ts';

export const WSU = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd';
export const SAML = 'urn:oasis:names:tc:SAML:2.0:assertion';
const SAML_1 = 'urn:oasis:names:tc:SAML:1.0:assertion';
const XML = 'http://www.w3.org/XML/1998/namespace';
const IDS = ['ID', 'Id', 'id', 'AssertionID', `{${WSU}}Id`, `{${XML}}id`];
const MAX_ELEMENTS = 5_000;

/** Fault codes of WSS 1.1.1 §12, with the prefix that stands for their namespace. */
export type SecurityFaultCode =
  | 'wsse:UnsupportedSecurityToken'
  | 'wsse:UnsupportedAlgorithm'
  | 'wsse:InvalidSecurity'
  | 'wsse:InvalidSecurityToken'
  | 'wsse:FailedAuthentication'
  | 'wsse:FailedCheck'
  | 'wsu:MessageExpired';

export interface SecurityRefusal {
  readonly code: SecurityFaultCode;
  /** For the sender and the audit: names neither user nor patient. */
  readonly reason: string;
}

export interface SecurityHeader {
  /** env:Header, where all of it stands. */
  readonly header: XmlElement;
  readonly assertion: XmlElement | null;
  readonly timestamp: XmlElement | null;
  /** Of the message, by the holder of a key; the assertion's own stands inside it. */
  readonly signature: XmlElement | null;
  /** The element with this id, where there is exactly one in the whole envelope. */
  byId(id: string): XmlElement | null;
}

const refuse = (code: SecurityFaultCode, reason: string): SecurityRefusal => ({ code, reason });
const invalid = (reason: string): SecurityRefusal => refuse('wsse:InvalidSecurity', reason);

/** null: no Security header is meant for this receiver. */
export function readSecurity(envelope: XmlElement): SecurityHeader | SecurityRefusal | null {
  const headers = childrenNamed(envelope, SOAP, 'Header');
  const [header] = headers;
  const mine = (header?.children ?? []).filter(
    (block) => is(block, WSSE, 'Security') && SOAP_ROLES.has(block.attributes.get(`{${SOAP}}role`)?.trim() ?? ''),
  );
  const [security] = mine;
  if (!header || !security) return null;
  if (headers.length > 1) return invalid('The envelope has more than one Header.');
  // WSS §5: no two Security headers for the same receiver.
  if (mine.length > 1) return invalid('There is more than one Security header for this receiver.');
  if (!within(header, MAX_ELEMENTS)) return invalid('The header has too many elements.');
  const of = (namespace: string, name: string): XmlElement[] =>
    security.children.filter((child) => is(child, namespace, name));
  const assertions = of(SAML, 'Assertion');
  const foreign = foreignToken(security);
  if (foreign) return foreign;
  if (assertions.length > 1) return invalid('There is more than one assertion.');
  const assertion = assertions[0] ?? null;
  if (hasStrayAssertion(header, assertion)) return invalid('An assertion stands where none may.');
  const timestamps = of(WSU, 'Timestamp');
  const signatures = of(DS, 'Signature');
  if (timestamps.length > 1 || signatures.length > 1)
    return invalid('There is more than one Timestamp or Signature in the Security header.');
  if (repeats(header)) return invalid('An id stands on more than one element of the header.');
  return {
    header,
    assertion,
    timestamp: timestamps[0] ?? null,
    signature: signatures[0] ?? null,
    byId: index(envelope),
  };
}

/** What authenticates, but in a way that is not taken here; saying nothing would let its sender believe it counted. */
function foreignToken(security: XmlElement): SecurityRefusal | null {
  for (const child of security.children) {
    if (is(child, SAML, 'EncryptedAssertion'))
      return refuse(
        'wsse:UnsupportedSecurityToken',
        'Only a SAML 2.0 assertion in the clear is taken as a token, over TLS: an EncryptedAssertion is not.',
      );
    if (child.namespace === SAML_1 || is(child, WSSE, 'UsernameToken'))
      return refuse('wsse:UnsupportedSecurityToken', 'Only a SAML 2.0 assertion in the clear is taken as a token.');
  }
  return null;
}

/** Beside the one of the Security header, an assertion may only stand inside it as evidence, which its signature covers. */
function hasStrayAssertion(element: XmlElement, own: XmlElement | null): boolean {
  return element.children.some((child) => {
    if (child === own) return child.children.some((part) => is(part, DS, 'Signature') && hasStrayAssertion(part, null));
    return is(child, SAML, 'Assertion') || hasStrayAssertion(child, own);
  });
}

function within(element: XmlElement, most: number): boolean {
  let left = most;
  const walk = (one: XmlElement): boolean => --left >= 0 && one.children.every(walk);
  return walk(element);
}

const idsOf = (element: XmlElement): string[] => IDS.flatMap((name) => element.attributes.get(name) ?? []);

function repeats(header: XmlElement): boolean {
  const seen = new Set<string>();
  const walk = (element: XmlElement): boolean =>
    idsOf(element).some((id) => seen.size === seen.add(id).size) || element.children.some(walk);
  return walk(header);
}

/** Elements by their ids; null where an id stands more than once. Made at the first question. */
function index(envelope: XmlElement): (id: string) => XmlElement | null {
  let found: Map<string, XmlElement | null> | null = null;
  return (id) => {
    if (found === null) {
      const made = new Map<string, XmlElement | null>();
      const walk = (element: XmlElement): void => {
        for (const one of idsOf(element)) made.set(one, made.has(one) ? null : element);
        element.children.forEach(walk);
      };
      walk(envelope);
      found = made;
    }
    return found.get(id) ?? null;
  };
}
