/**
 * Single logout in the back channel (SAML Bindings §3.2, Profiles §4.4): the provider's own signed request in a SOAP
 * envelope, without a browser between, and the hub's signed answer to it.
 */
import { createHash, createSign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { SAML } from '../../mappings/xds/security-header.ts';
import { childNamed, childrenNamed, is, openXml, xml } from '../../mappings/xds/xml.ts';
import type { OpenXml } from '../../mappings/xds/xml.ts';
import { DS, readSignature, signedBytes, signedInfoBytes } from '../../mappings/xds/xml-signature.ts';
import { PROTOCOL } from './saml-metadata.ts';
import { isGoodMethod, isSignedBy } from './signature.ts';

/** SOAP 1.1, which SAML binds to. */
const SOAP = 'http://schemas.xmlsoap.org/soap/envelope/';
const LIMITS = { bytes: 64 * 1_024, depth: 32, elements: 500 };
const EXCLUSIVE = 'http://www.w3.org/2001/10/xml-exc-c14n#';

/** The very bytes of the LogoutRequest that one of the keys signed; null: there is none, or another signed it. */
export function signedLogout(envelope: Buffer, keys: readonly KeyObject[]): Buffer | null {
  const read = openXml(envelope, LIMITS, (open) => requestOf(open, keys));
  return read.ok ? read.value : null;
}

function requestOf(open: OpenXml, keys: readonly KeyObject[]): Buffer | null {
  const { root } = open;
  const body = is(root, SOAP, 'Envelope') ? childNamed(root, SOAP, 'Body') : undefined;
  const [request, ...others] = body?.children ?? [];
  if (!request || others.length > 0 || !is(request, PROTOCOL, 'LogoutRequest')) return null;
  // An xs:ID: it is written into the answer, whose canonical form then needs no escape.
  if (!/^[A-Za-z_][\w.-]{0,255}$/.test(request.attributes.get('ID') ?? '')) return null;
  const [enveloped, ...more] = childrenNamed(request, DS, 'Signature');
  const signature = enveloped && more.length === 0 ? readSignature(enveloped) : null;
  if (signature === null || 'flaw' in signature || !isGoodMethod(signature.method)) return null;
  const [reference, ...further] = signature.references;
  if (!reference?.enveloped || further.length > 0 || reference.id !== request.attributes.get('ID')) return null;
  const info = signedInfoBytes(open, signature);
  if (info === null || !isSignedBy(signature, info, keys)) return null;
  return signedBytes(open, signature, reference, request);
}

/** Written as its exclusive canonical form, so that what is signed is what is sent. */
export function logoutAnswer(parts: {
  readonly id: string;
  readonly inResponseTo: string;
  readonly issuer: string;
  readonly at: Date;
  /** PEM. */
  readonly key: string;
}): string {
  const { id, inResponseTo, issuer, at, key } = parts;
  const head = `<samlp:LogoutResponse xmlns:samlp="${PROTOCOL}" ID="${id}" InResponseTo="${xml(inResponseTo)}" IssueInstant="${at.toISOString()}" Version="2.0"><saml:Issuer xmlns:saml="${SAML}">${xml(issuer)}</saml:Issuer>`;
  const rest = `<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"></samlp:StatusCode></samlp:Status></samlp:LogoutResponse>`;
  const digest = createHash('sha256')
    .update(head + rest)
    .digest('base64');
  const info = (namespace: string): string =>
    `<ds:SignedInfo${namespace}><ds:CanonicalizationMethod Algorithm="${EXCLUSIVE}"></ds:CanonicalizationMethod>` +
    `<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"></ds:SignatureMethod>` +
    `<ds:Reference URI="#${id}"><ds:Transforms><ds:Transform Algorithm="${DS}enveloped-signature"></ds:Transform>` +
    `<ds:Transform Algorithm="${EXCLUSIVE}"></ds:Transform></ds:Transforms>` +
    `<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></ds:DigestMethod>` +
    `<ds:DigestValue>${digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>`;
  const value = createSign('sha256')
    .update(info(` xmlns:ds="${DS}"`))
    .sign(key, 'base64');
  const signature = `<ds:Signature xmlns:ds="${DS}">${info('')}<ds:SignatureValue>${value}</ds:SignatureValue></ds:Signature>`;
  return inEnvelope(head + signature + rest);
}

/** What a stranger is told: that it was not taken, and not why. */
export const LOGOUT_REFUSED = inEnvelope(
  '<soap:Fault><faultcode>soap:Client</faultcode><faultstring>The request is not taken.</faultstring></soap:Fault>',
);

function inEnvelope(body: string): string {
  return `<soap:Envelope xmlns:soap="${SOAP}"><soap:Body>${body}</soap:Body></soap:Envelope>`;
}
