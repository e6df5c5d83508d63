/** SAML 2.0 metadata (SAML Metadata §2.3, §2.4): what a provider says of itself, and what the hub says of itself to it. */
import { X509Certificate } from 'node:crypto';
import { childNamed, childrenNamed, is, parseXml } from '../../mappings/xds/xml.ts';
import type { XmlElement } from '../../mappings/xds/xml.ts';
import { DS } from '../../mappings/xds/xml-signature.ts';
import { isGoodKey } from './signature.ts';

const MD = 'urn:oasis:names:tc:SAML:2.0:metadata';
export const PROTOCOL = 'urn:oasis:names:tc:SAML:2.0:protocol';
const REDIRECT = 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect';
const SOAP = 'urn:oasis:names:tc:SAML:2.0:bindings:SOAP';
const POST = 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST';
const LIMITS = { bytes: 1 << 20, depth: 32, elements: 5_000 };

export interface ProviderMetadata {
  readonly entityId: string;
  /** PEM. */
  readonly certificates: readonly string[];
  readonly signOnUrl: string;
  /** null: it knows no single logout. */
  readonly logoutUrl: string | null;
  /** Where it wants answers to its LogoutRequests, if elsewhere. */
  readonly logoutResponseUrl: string | null;
}

/** Throws what is wrong with it: a provider that cannot be used stops the start. */
export function readProviderMetadata(text: string): ProviderMetadata {
  const parsed = parseXml(Buffer.from(text), LIMITS);
  if (!parsed.ok) throw new Error(`metadata that are XML: ${parsed.problem.text}`);
  const root = parsed.value;
  const entityId = root.attributes.get('entityID') ?? '';
  const role = childNamed(root, MD, 'IDPSSODescriptor');
  if (!is(root, MD, 'EntityDescriptor') || entityId === '' || role === undefined)
    throw new Error('an EntityDescriptor with an IDPSSODescriptor as metadata');
  const signOnUrl = locationOf(role, 'SingleSignOnService');
  if (signOnUrl === null) throw new Error('a SingleSignOnService with the binding HTTP-Redirect in the metadata');
  const certificates = childrenNamed(role, MD, 'KeyDescriptor')
    .filter((one) => (one.attributes.get('use') ?? 'signing') === 'signing')
    .flatMap(certificatesOf);
  if (certificates.length === 0)
    throw new Error('a signing certificate with an RSA key of 2048 bits or an EC key in the metadata');
  const logoutUrl = locationOf(role, 'SingleLogoutService');
  return {
    entityId,
    certificates,
    signOnUrl,
    logoutUrl,
    logoutResponseUrl: locationOf(role, 'SingleLogoutService', 'ResponseLocation') ?? logoutUrl,
  };
}

function locationOf(role: XmlElement, name: string, attribute = 'Location'): string | null {
  const service = childrenNamed(role, MD, name).find((one) => one.attributes.get('Binding') === REDIRECT);
  const url = service?.attributes.get(attribute) ?? '';
  return /^https?:\/\//.test(url) && URL.canParse(url) ? url : null;
}

/** Weak keys are none. */
function certificatesOf(descriptor: XmlElement): string[] {
  const info = childNamed(descriptor, DS, 'KeyInfo');
  const data = info ? childrenNamed(info, DS, 'X509Data') : [];
  return data
    .flatMap((one) => childrenNamed(one, DS, 'X509Certificate'))
    .map((one) => new X509Certificate(Buffer.from(one.text, 'base64')))
    .filter((one) => isGoodKey(one.publicKey))
    .map((one) => one.toString());
}

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (one) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[one] ?? '&quot;');

/** What a provider's administrator loads: signed requests, signed and where they like encrypted assertions, logout by redirect and by SOAP. */
export function ownMetadata(own: {
  readonly entityId: string;
  readonly acsUrl: string;
  readonly logoutUrl: string;
  readonly certificate: string;
}): string {
  const der = new X509Certificate(own.certificate).raw.toString('base64');
  const key = (use: string): string =>
    `<KeyDescriptor use="${use}"><ds:KeyInfo xmlns:ds="${DS}"><ds:X509Data><ds:X509Certificate>${der}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></KeyDescriptor>`;
  return `<?xml version="1.0" encoding="UTF-8"?>
<EntityDescriptor xmlns="${MD}" entityID="${escaped(own.entityId)}">
  <SPSSODescriptor protocolSupportEnumeration="${PROTOCOL}" AuthnRequestsSigned="true" WantAssertionsSigned="true">
    ${key('signing')}
    ${key('encryption')}
    <SingleLogoutService Binding="${REDIRECT}" Location="${escaped(own.logoutUrl)}"/>
    <SingleLogoutService Binding="${SOAP}" Location="${escaped(own.logoutUrl)}"/>
    <AssertionConsumerService index="0" isDefault="true" Binding="${POST}" Location="${escaped(own.acsUrl)}"/>
  </SPSSODescriptor>
</EntityDescriptor>
`;
}
