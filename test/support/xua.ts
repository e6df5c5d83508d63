/**
 * The other side of XUA for tests: issuers with keys and certificates of their own, assertions as they would issue them,
 * signed by xml-crypto, a library of other making than the code that judges them, and messages that carry them.
 */
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignedXml } from 'xml-crypto';
import type { TrustedIssuer } from '../../hub/core/assertion.ts';
import type { Role } from '../../hub/core/access.ts';
import { ACTION } from './xds-peer.ts';

export const SOAP = 'http://www.w3.org/2003/05/soap-envelope';
export const WSSE = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd';
export const WSU = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd';
export const SAML = 'urn:oasis:names:tc:SAML:2.0:assertion';
export const DS = 'http://www.w3.org/2000/09/xmldsig#';
export const EXCLUSIVE = 'http://www.w3.org/2001/10/xml-exc-c14n#';
export const ENVELOPED = `${DS}enveloped-signature`;
export const RSA_SHA256 = 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256';
export const SHA256 = 'http://www.w3.org/2001/04/xmlenc#sha256';
export const AUDIENCE = 'urn:hutong:test';
const SAML_ID = 'http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#SAMLID';

export interface Signer {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly certificate: string;
}

/** A key with a self-signed certificate that holds from now for 30 days. */
export function newSigner(kind: 'rsa' | 'ec' | 'weak' = 'rsa'): Signer {
  const pair =
    kind === 'ec'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: kind === 'weak' ? 1_024 : 2_048 });
  const dir = mkdtempSync(join(tmpdir(), 'hutong-xua-'));
  try {
    const key = join(dir, 'key.pem');
    writeFileSync(key, pair.privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const made = spawnSync('openssl', ['req', '-x509', '-new', '-key', key, '-subj', '/CN=issuer', '-days', '30'], {
      encoding: 'utf8',
    });
    if (made.status !== 0) throw new Error(made.stderr);
    return { ...pair, certificate: made.stdout };
  } finally {
    rmSync(dir, { recursive: true });
  }
}

export function trust(signer: Signer, more: Partial<TrustedIssuer> = {}): TrustedIssuer {
  return {
    issuer: 'https://idp.h1.example',
    certificates: [signer.certificate],
    audiences: [AUDIENCE],
    confirmations: ['bearer', 'holder-of-key'],
    oneTime: false,
    roles: new Map<string, Role>([['physician', 'query-platform']]),
    purposes: null,
    authorities: [],
    subject: null,
    site: null,
    ...more,
  };
}

export interface AssertionParts {
  readonly id?: string;
  readonly issuer?: string;
  readonly version?: string;
  readonly issuedAt?: number;
  readonly notBefore?: number | null;
  readonly notOnOrAfter?: number | null;
  readonly audience?: string | null;
  readonly conditions?: string;
  readonly nameId?: string;
  readonly confirmation?: string;
  readonly authn?: string | null;
  readonly roles?: readonly string[];
  readonly purposes?: readonly string[];
  readonly patient?: string;
  readonly attributes?: string;
  readonly namespaces?: string;
}

export const iso = (at: number): string => new Date(at).toISOString();

export const BEARER = `<saml2:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"/>`;

export function holderOfKey(signer: Signer, form: 'value' | 'certificate' = 'value'): string {
  const jwk = signer.publicKey.export({ format: 'jwk' });
  const base64 = (url = ''): string => Buffer.from(url, 'base64url').toString('base64');
  const certificate = signer.certificate.replace(/-----[^-]+-----|\s/g, '');
  const point = Buffer.concat([
    Buffer.of(4),
    Buffer.from(jwk.x ?? '', 'base64url'),
    Buffer.from(jwk.y ?? '', 'base64url'),
  ]);
  const value =
    jwk.kty === 'RSA'
      ? `<ds:RSAKeyValue><ds:Modulus>${base64(jwk.n)}</ds:Modulus><ds:Exponent>${base64(jwk.e)}</ds:Exponent></ds:RSAKeyValue>`
      : `<dsig11:ECKeyValue xmlns:dsig11="http://www.w3.org/2009/xmldsig11#"><dsig11:NamedCurve URI="urn:oid:1.2.840.10045.3.1.7"/><dsig11:PublicKey>${point.toString('base64')}</dsig11:PublicKey></dsig11:ECKeyValue>`;
  const key =
    form === 'value'
      ? `<ds:KeyValue>${value}</ds:KeyValue>`
      : `<ds:X509Data><ds:X509Certificate>${certificate}</ds:X509Certificate></ds:X509Data>`;
  return `<saml2:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"><saml2:SubjectConfirmationData><ds:KeyInfo xmlns:ds="${DS}">${key}</ds:KeyInfo></saml2:SubjectConfirmationData></saml2:SubjectConfirmation>`;
}

const attribute = (name: string, values: readonly string[]): string =>
  values.length === 0
    ? ''
    : `<saml2:Attribute Name="${name}">${values.map((one) => `<saml2:AttributeValue>${one}</saml2:AttributeValue>`).join('')}</saml2:Attribute>`;

const coded = (element: string, code: string): string =>
  `<${element} xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CE" code="${code}" codeSystem="2.999.1" displayName="${code}"/>`;

/** Unsigned, valid for five minutes around `now`, for a physician; parts that are null are left out. */
export function assertionXml(now: number, parts: AssertionParts = {}): string {
  const authn = `<saml2:AuthnStatement AuthnInstant="${iso(now - 60_000)}"><saml2:AuthnContext><saml2:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:X509</saml2:AuthnContextClassRef></saml2:AuthnContext></saml2:AuthnStatement>`;
  const audience = parts.audience === undefined ? AUDIENCE : parts.audience;
  const when = (name: string, at: number | null): string => (at === null ? '' : ` ${name}="${iso(at)}"`);
  const from = parts.notBefore === undefined ? now - 60_000 : parts.notBefore;
  const to = parts.notOnOrAfter === undefined ? now + 300_000 : parts.notOnOrAfter;
  const restriction =
    audience === null
      ? ''
      : `<saml2:AudienceRestriction><saml2:Audience>${audience}</saml2:Audience></saml2:AudienceRestriction>`;
  return (
    `<saml2:Assertion xmlns:saml2="${SAML}"${parts.namespaces ?? ''} ID="${parts.id ?? `_${randomUUID()}`}" IssueInstant="${iso(parts.issuedAt ?? now - 30_000)}" Version="${parts.version ?? '2.0'}">` +
    `<saml2:Issuer>${parts.issuer ?? 'https://idp.h1.example'}</saml2:Issuer>` +
    `<saml2:Subject><saml2:NameID>${parts.nameId ?? 'dr.wang@h1'}</saml2:NameID>${parts.confirmation ?? BEARER}</saml2:Subject>` +
    `<saml2:Conditions${when('NotBefore', from)}${when('NotOnOrAfter', to)}>${restriction}${parts.conditions ?? ''}</saml2:Conditions>` +
    (parts.authn === undefined ? authn : (parts.authn ?? '')) +
    '<saml2:AttributeStatement>' +
    attribute('urn:oasis:names:tc:xspa:1.0:subject:subject-id', ['王医生']) +
    attribute('urn:oasis:names:tc:xspa:1.0:subject:organization', ['省第一人民医院']) +
    attribute('urn:oasis:names:tc:xspa:1.0:subject:organization-id', ['urn:oid:2.999.156.1.1']) +
    attribute('urn:ihe:iti:xca:2010:homeCommunityId', ['urn:oid:2.999.156.2']) +
    attribute(
      'urn:oasis:names:tc:xacml:2.0:subject:role',
      (parts.roles ?? ['physician']).map((code) => coded('Role', code)),
    ) +
    attribute(
      'urn:oasis:names:tc:xspa:1.0:subject:purposeofuse',
      (parts.purposes ?? ['TREATMENT']).map((code) => coded('PurposeOfUse', code)),
    ) +
    attribute('urn:oasis:names:tc:xacml:2.0:resource:resource-id', parts.patient === undefined ? [] : [parts.patient]) +
    `${parts.attributes ?? ''}</saml2:AttributeStatement></saml2:Assertion>`
  );
}

export interface SigningParts {
  /** Name of the root element that is signed; an Assertion where none is given. */
  readonly element?: string;
  readonly method?: string;
  readonly digest?: string;
  readonly transforms?: readonly string[];
  readonly canonical?: string;
  readonly prefixes?: readonly string[];
  /** XML inside KeyInfo, with the prefix `ds`. */
  readonly keyInfo?: string;
}

/** Node's own algorithms that xml-crypto does not bring. */
function moreAlgorithms(signer: SignedXml): void {
  const make = (uri: string, hash: string): void => {
    signer.SignatureAlgorithms[uri] = class {
      getSignature = (bytes: string | Buffer, key: unknown): string =>
        sign(hash, Buffer.from(bytes), { key: key as KeyObject, dsaEncoding: 'ieee-p1363' }).toString('base64');
      verifySignature = (): boolean => false;
      getAlgorithmName = (): string => uri;
    };
  };
  for (const size of ['256', '384', '512'])
    for (const kind of ['rsa', 'ecdsa'])
      make(`http://www.w3.org/2001/04/xmldsig-more#${kind}-sha${size}`, `sha${size}`);
}

/** The enveloped signature of an issuer, after the Issuer element. */
export function signAssertion(xml: string, signer: Signer, parts: SigningParts = {}): string {
  const signed = new SignedXml({
    privateKey: signer.privateKey.export({ type: 'pkcs8', format: 'pem' }),
    signatureAlgorithm: parts.method ?? RSA_SHA256,
    canonicalizationAlgorithm: parts.canonical ?? EXCLUSIVE,
    ...(parts.keyInfo === undefined ? {} : { getKeyInfoContent: () => parts.keyInfo ?? null }),
  });
  if (!(parts.method ?? RSA_SHA256).includes('MGF1')) moreAlgorithms(signed);
  signed.addReference({
    xpath: `/*[local-name(.)='${parts.element ?? 'Assertion'}']`,
    transforms: [...(parts.transforms ?? [ENVELOPED, EXCLUSIVE])],
    digestAlgorithm: parts.digest ?? SHA256,
    inclusiveNamespacesPrefixList: [...(parts.prefixes ?? [])],
  });
  signed.computeSignature(xml, {
    prefix: 'ds',
    location: { reference: "/*/*[local-name(.)='Issuer']", action: 'after' },
  });
  return signed.getSignedXml();
}

export interface MessageParts {
  readonly created?: number;
  readonly expires?: number | null;
  /** null: no Timestamp. */
  readonly timestamp?: string | null;
  readonly security?: string;
  readonly namespaces?: string;
  readonly body?: string;
  readonly action?: string;
}

export const timestampXml = (created: number, expires: number | null): string =>
  `<wsu:Timestamp wsu:Id="_ts"><wsu:Created>${iso(created)}</wsu:Created>${expires === null ? '' : `<wsu:Expires>${iso(expires)}</wsu:Expires>`}</wsu:Timestamp>`;

/** An envelope with `content`, usually an assertion, in its Security header beside a Timestamp. */
export function message(now: number, content: string, parts: MessageParts = {}): string {
  const expires = parts.expires === undefined ? now + 240_000 : parts.expires;
  const timestamp =
    parts.timestamp === undefined ? timestampXml(parts.created ?? now, expires) : (parts.timestamp ?? '');
  return (
    `<env:Envelope xmlns:env="${SOAP}" xmlns:wsa="http://www.w3.org/2005/08/addressing"${parts.namespaces ?? ''}><env:Header>` +
    `<wsa:Action env:mustUnderstand="true">${parts.action ?? ACTION}</wsa:Action><wsa:MessageID>urn:uuid:${randomUUID()}</wsa:MessageID>` +
    `<wsse:Security xmlns:wsse="${WSSE}" xmlns:wsu="${WSU}" env:mustUnderstand="true">${timestamp}${content}${parts.security ?? ''}</wsse:Security>` +
    `</env:Header><env:Body wsu:Id="_body" xmlns:wsu="${WSU}">${parts.body ?? ''}</env:Body></env:Envelope>`
  );
}

export const tokenReference = (id: string): string =>
  `<wsse:SecurityTokenReference xmlns:wsse="${WSSE}"><wsse:KeyIdentifier ValueType="${SAML_ID}">${id}</wsse:KeyIdentifier></wsse:SecurityTokenReference>`;

/** The holder's signature over the Timestamp (and more, by XPath), at the end of the Security header. */
export function prove(
  envelope: string,
  holder: Signer,
  keyInfo: string,
  parts: SigningParts & { readonly covers?: readonly string[] } = {},
): string {
  const signed = new SignedXml({
    privateKey: holder.privateKey.export({ type: 'pkcs8', format: 'pem' }),
    signatureAlgorithm: parts.method ?? RSA_SHA256,
    canonicalizationAlgorithm: EXCLUSIVE,
    getKeyInfoContent: () => keyInfo,
  });
  moreAlgorithms(signed);
  for (const xpath of parts.covers ?? ["//*[local-name(.)='Timestamp']"])
    signed.addReference({ xpath, transforms: [EXCLUSIVE], digestAlgorithm: parts.digest ?? SHA256 });
  signed.computeSignature(envelope, {
    prefix: 'ds',
    location: { reference: "//*[local-name(.)='Security']", action: 'append' },
  });
  return signed.getSignedXml();
}

export const pemFile = (dir: string, name: string, signer: Signer): string => {
  const path = join(dir, name);
  writeFileSync(path, signer.certificate);
  return path;
};
