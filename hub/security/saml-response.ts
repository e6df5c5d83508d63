/**
 * The answer of an identity provider to a sign-on (SAML Profiles §4.1.4), read with the hub's own parser from the bytes
 * that were signed. One of two locks: node-saml opens the other, and both must agree (hub/security/saml.ts).
 */
import type { TrustedIssuer } from '../core/assertion.ts';
import type { Assertion } from '../../mappings/xds/saml-assertion.ts';
import { SAML } from '../../mappings/xds/security-header.ts';
import { childNamed, childrenNamed, is, openXml } from '../../mappings/xds/xml.ts';
import type { OpenXml, XmlElement } from '../../mappings/xds/xml.ts';
import { DS } from '../../mappings/xds/xml-signature.ts';
import { authority, verifySigned } from './assertion.ts';
import { inTime, judgeTerms } from './assertion-terms.ts';
import type { Now } from './assertion-terms.ts';
import { decryptElement } from './saml-decrypt.ts';
import { PROTOCOL } from './saml-metadata.ts';
import { isGoodMethod } from './signature.ts';

export interface ResponseTerms {
  readonly issuer: TrustedIssuer;
  readonly acsUrl: string;
  readonly privateKey: string;
  readonly now: Now;
}

/** Believed but for whose request it answers; `refused` is for the audit. */
export type ReadResponse =
  { readonly assertion: Assertion; readonly inResponseTo: string } | { readonly refused: string };

const LIMITS = { bytes: 512 * 1_024, depth: 48, elements: 4_000 };
const SUCCESS = 'urn:oasis:names:tc:SAML:2.0:status:Success';

const refused = (why: string): { readonly refused: string } => ({ refused: why });

export function readResponse(bytes: Buffer, terms: ResponseTerms): ReadResponse {
  const read = openXml(bytes, LIMITS, (open) => responseOf(open, terms));
  return read.ok ? read.value : refused('the response is no XML of bounded size');
}

/** What the provider wants answered; null: the response does not say. For looking the request up before anything else. */
export function inResponseToOf(bytes: Buffer): string | null {
  const read = openXml(bytes, LIMITS, ({ root }) => root.attributes.get('InResponseTo') ?? null);
  return read.ok ? read.value : null;
}

function responseOf(open: OpenXml, terms: ResponseTerms): ReadResponse {
  const { root } = open;
  const why = form(root, terms);
  if (why !== null) return refused(why);
  const inResponseTo = root.attributes.get('InResponseTo') ?? '';
  const plain = childNamed(root, SAML, 'Assertion');
  const hidden = childNamed(root, SAML, 'EncryptedAssertion');
  if (plain) return judged(open, plain, inResponseTo, terms);
  const bytes = hidden ? decryptElement(hidden, terms.privateKey) : null;
  if (bytes === null) return refused('the assertion cannot be decrypted');
  const inner = openXml(bytes, LIMITS, (opened) => {
    const weak = weakAlgorithm(opened.root);
    const more = all(opened.root).filter((one) => is(one, SAML, 'Assertion')).length;
    if (weak || more !== 1) return refused(weak ? 'a signature by a weak algorithm' : 'more than one assertion');
    return judged(opened, opened.root, inResponseTo, terms);
  });
  return inner.ok ? inner.value : refused('what was encrypted is no assertion');
}

/** Everything that needs no key. The signed part is judged from its own bytes, so this only shuts out what is odd. */
function form(root: XmlElement, { acsUrl, issuer }: ResponseTerms): string | null {
  if (!is(root, PROTOCOL, 'Response') || root.attributes.get('Version') !== '2.0') return 'not a SAML 2.0 response';
  if (root.attributes.get('Destination') !== acsUrl) return 'meant for another destination';
  if ((root.attributes.get('InResponseTo') ?? '') === '') return 'answers no request';
  const from = childNamed(root, SAML, 'Issuer');
  if (from && from.text.trim() !== issuer.issuer) return 'from another provider';
  const status = childNamed(root, PROTOCOL, 'Status');
  const code = status && childNamed(status, PROTOCOL, 'StatusCode')?.attributes.get('Value');
  if (code !== SUCCESS) return 'the provider did not sign the user on';
  const inside = all(root);
  const assertions = inside.filter((one) => is(one, SAML, 'Assertion') || is(one, SAML, 'EncryptedAssertion'));
  const direct = root.children.filter((one) => assertions.includes(one));
  // One, and where it belongs: wrapped assertions have to be somewhere.
  if (assertions.length !== 1 || direct.length !== 1) return 'not exactly one assertion';
  const ids = inside.flatMap((one) => one.attributes.get('ID') ?? []);
  if (new Set(ids).size < ids.length) return 'an ID stands twice';
  return weakAlgorithm(root) ? 'a signature by a weak algorithm' : null;
}

const all = (element: XmlElement): XmlElement[] => [element, ...element.children.flatMap(all)];

/** SHA-1 in any signature, also in one that nobody here asked for: node-saml would take it. */
const weakAlgorithm = (root: XmlElement): boolean =>
  all(root)
    .filter((one) => is(one, DS, 'Signature'))
    .flatMap(all)
    .some((one) => {
      const algorithm = one.attributes.get('Algorithm') ?? '';
      if (is(one, DS, 'SignatureMethod')) return !isGoodMethod(algorithm);
      return is(one, DS, 'DigestMethod') && /sha1$|md5$/i.test(algorithm);
    });

function judged(open: OpenXml, element: XmlElement, inResponseTo: string, terms: ResponseTerms): ReadResponse {
  const { issuer, now, acsUrl, privateKey } = terms;
  const issuers = new Map([[issuer.issuer, authority(issuer)]]);
  const signed = verifySigned(open, element, issuers, now, (root) => hiddenName(subjectOf(root), privateKey));
  if ('reason' in signed) return refused(signed.reason);
  const { assertion } = signed;
  const wrong = judgeTerms(assertion, issuer, now);
  if (wrong) return refused(wrong.reason);
  const confirmed = assertion.confirmations.some(
    (one) =>
      one.method === 'bearer' &&
      one.notOnOrAfter !== null &&
      inTime(one, now) &&
      one.recipient === acsUrl &&
      one.inResponseTo === inResponseTo,
  );
  return confirmed ? { assertion, inResponseTo } : refused('no confirmation for this recipient, request and time');
}

/** Names of what a LogoutRequest or LogoutResponse says, from XML whose signature stood beside it in the query. */
export interface LogoutMessage {
  readonly kind: 'request' | 'response';
  readonly id: string;
  readonly issuer: string;
  readonly destination: string | null;
  readonly issuedAt: string;
  readonly nameId: string | null;
  readonly sessionIndexes: readonly string[];
}

/** `privateKey`: the hub's, for a name that is encrypted to it. null: it is neither. */
export function readLogout(bytes: Buffer, privateKey: string): LogoutMessage | null {
  const read = openXml(bytes, LIMITS, ({ root }): LogoutMessage | null => {
    const isRequest = is(root, PROTOCOL, 'LogoutRequest');
    const id = root.attributes.get('ID') ?? '';
    if ((!isRequest && !is(root, PROTOCOL, 'LogoutResponse')) || id === '' || id.length > 256) return null;
    return {
      kind: isRequest ? 'request' : 'response',
      id,
      issuer: childNamed(root, SAML, 'Issuer')?.text.trim() ?? '',
      destination: root.attributes.get('Destination') ?? null,
      issuedAt: root.attributes.get('IssueInstant') ?? '',
      nameId: nameOf(root, privateKey),
      sessionIndexes: childrenNamed(root, PROTOCOL, 'SessionIndex').map((one) => one.text.trim()),
    };
  });
  return read.ok ? read.value : null;
}

/** The name in an assertion that another library has read; null: there is none that can be read. */
export function nameOfAssertion(bytes: Buffer, privateKey: string): string | null {
  const read = openXml(bytes, LIMITS, ({ root }) => {
    const subject = subjectOf(root);
    return subject === undefined ? null : nameOf(subject, privateKey);
  });
  return read.ok ? read.value : null;
}

const subjectOf = (assertion: XmlElement): XmlElement | undefined => childNamed(assertion, SAML, 'Subject');

/** SAML Core §2.4.1, §3.7.1: in the clear, or as an EncryptedID. */
const nameOf = (parent: XmlElement, privateKey: string): string | null =>
  (childNamed(parent, SAML, 'NameID') ?? hiddenName(parent, privateKey))?.text.trim() ?? null;

/** SAML Core §2.2.4: the NameID in an EncryptedID that was made for the hub. */
function hiddenName(parent: XmlElement | undefined, privateKey: string): XmlElement | undefined {
  const hidden = parent && childNamed(parent, SAML, 'EncryptedID');
  const bytes = hidden ? decryptElement(hidden, privateKey) : null;
  const read = bytes === null ? null : openXml(bytes, LIMITS, (open) => open.root);
  return read?.ok === true && is(read.value, SAML, 'NameID') ? read.value : undefined;
}
