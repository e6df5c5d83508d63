/**
 * A hospital's identity provider for tests: assertions by samlp, a library of other making than those that judge them, and
 * pages that a browser signs in and out with. Attacks bend what it issues.
 */
import { createCipheriv, createSign, createVerify, publicEncrypt, randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { getSamlResponse } from 'samlp';
import { newSigner, RSA_SHA256, signAssertion } from './xua.ts';
import type { Signer } from './xua.ts';

type SamlpOptions = Readonly<Record<string, unknown>>;

const MD = 'urn:oasis:names:tc:SAML:2.0:metadata';
const REDIRECT = 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect';
const PROTOCOL = 'urn:oasis:names:tc:SAML:2.0:protocol';
const ENC = 'http://www.w3.org/2001/04/xmlenc#';
const ASSERTION = 'urn:oasis:names:tc:SAML:2.0:assertion';

export interface IdpUser {
  readonly nameId: string;
  readonly name: string;
  readonly roles: readonly string[];
  readonly department?: string;
  /** Of a citizen. */
  readonly residentId?: string;
}

export interface Asked {
  readonly id: string;
  readonly acsUrl: string;
  readonly issuer: string;
}

export interface SamlIdp {
  readonly origin: string;
  readonly entityId: string;
  readonly signer: Signer;
  readonly metadata: string;
  /** Whom its page signs in; the browser chooses nothing. */
  user: IdpUser;
  /** The service provider's certificate: assertions are encrypted to it, requests verified by it. */
  partner: string | null;
  /** LogoutRequests that came, verified. */
  readonly loggedOut: string[];
  /** The AuthnRequest of an address to which the hub sent a browser; throws where it is not signed by the partner. */
  asked(url: string): Asked;
  /** XML of a response; `more` overrides what samlp is told. */
  respond(asked: Asked, more?: SamlpOptions): Promise<string>;
  /** An address of the hub with a signed LogoutRequest. */
  logoutUrl(
    target: string,
    nameId: string,
    sessionIndex: string | null,
    more?: { readonly algorithm?: string },
  ): string;
  close(): Promise<void>;
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
const pemOf = (signer: Signer): string => signer.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

export const encoded = (xml: string): string => Buffer.from(xml).toString('base64');

/** `host` is how browsers name it: with `localhost` it is of another site than a hub at 127.0.0.1. */
export async function startIdp(name = 'h1', host = '127.0.0.1'): Promise<SamlIdp> {
  const signer = newSigner();
  const server: Server = createServer((request, response) => {
    serve(idp, request, response).catch((error: unknown) => {
      response.statusCode = 500;
      response.end(error instanceof Error ? error.message : 'failed');
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://${host}:${String((server.address() as AddressInfo).port)}`;
  const entityId = `${origin}/${name}`;
  const der = signer.certificate.replace(/-----[^-]+-----|\s/g, '');
  const idp: SamlIdp = {
    origin,
    entityId,
    signer,
    metadata: `<EntityDescriptor xmlns="${MD}" entityID="${entityId}"><IDPSSODescriptor protocolSupportEnumeration="${PROTOCOL}">
<KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>${der}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>
<SingleLogoutService Binding="${REDIRECT}" Location="${origin}/slo"/><SingleSignOnService Binding="${REDIRECT}" Location="${origin}/sso"/>
</IDPSSODescriptor></EntityDescriptor>`,
    user: { nameId: 'zhang.wei', name: '张伟', roles: ['医师'], department: '放射科' },
    partner: null,
    loggedOut: [],
    asked: (url) => askedOf(idp, url),
    respond: (asked, more = {}) => respond(idp, asked, more),
    logoutUrl: (target, nameId, index, more) =>
      redirectUrl(idp, target, 'SAMLRequest', logoutRequest(idp, target, nameId, index), more?.algorithm),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return idp;
}

function askedOf(idp: SamlIdp, url: string): Asked {
  verifyQuery(idp, new URL(url).search.slice(1), 'SAMLRequest');
  const xml = inflateRawSync(Buffer.from(new URL(url).searchParams.get('SAMLRequest') ?? '', 'base64')).toString();
  const of = (pattern: RegExp): string => pattern.exec(xml)?.[1] ?? '';
  return {
    id: of(/ ID="([^"]+)"/),
    acsUrl: of(/AssertionConsumerServiceURL="([^"]+)"/),
    issuer: of(/Issuer[^>]*>([^<]+)</),
  };
}

function respond(idp: SamlIdp, asked: Asked, more: SamlpOptions): Promise<string> {
  const { user, partner, signer } = idp;
  const encryption = partner === null ? {} : { encryptionCert: partner, encryptionPublicKey: partner };
  const options = {
    issuer: idp.entityId,
    cert: signer.certificate,
    key: pemOf(signer),
    signatureAlgorithm: 'rsa-sha256',
    digestAlgorithm: 'sha256',
    audience: asked.issuer,
    recipient: asked.acsUrl,
    destination: asked.acsUrl,
    inResponseTo: asked.id,
    lifetimeInSeconds: 300,
    sessionIndex: `_${randomUUID()}`,
    authnContextClassRef: 'urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport',
    profileMapper: () => ({
      getClaims: () => ({
        ...{ displayName: user.name, role: user.roles, department: user.department ?? '' },
        ...(user.residentId === undefined ? {} : { idNumber: user.residentId }),
      }),
      getNameIdentifier: () => ({
        nameIdentifier: user.nameId,
        nameIdentifierFormat: 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
      }),
    }),
    ...encryption,
    ...more,
  };
  return new Promise((done, broken) => {
    getSamlResponse(options, user, (error, xml) => {
      if (error) broken(error);
      else done(xml);
    });
  });
}

/** SAML Bindings §3.4.4.1, by node:crypto alone. */
function redirectUrl(idp: SamlIdp, target: string, name: string, xml: string, algorithm = RSA_SHA256): string {
  const message = encodeURIComponent(deflateRawSync(Buffer.from(xml)).toString('base64'));
  const signed = `${name}=${message}&SigAlg=${encodeURIComponent(algorithm)}`;
  const hash = algorithm.endsWith('sha1') ? 'sha1' : 'sha256';
  const value = createSign(hash).update(signed).sign(idp.signer.privateKey, 'base64');
  return `${target}?${signed}&Signature=${encodeURIComponent(value)}`;
}

function verifyQuery({ partner }: SamlIdp, query: string, name: string): void {
  if (partner === null) throw new Error('the provider has no certificate of its partner');
  const raw = new Map(query.split('&').map((pair) => [pair.slice(0, pair.indexOf('=')), pair]));
  const signed = [name, 'RelayState', 'SigAlg'].flatMap((one) => raw.get(one) ?? []).join('&');
  const value = new URLSearchParams(query).get('Signature') ?? '';
  if (!createVerify('sha256').update(signed).verify(partner, value, 'base64')) throw new Error('not signed by the hub');
}

/** XML Encryption by node:crypto alone: AES-256-GCM, its key by RSA-OAEP. */
function encryptedTo(certificate: string, text: string): string {
  const [key, iv] = [randomBytes(32), randomBytes(12)];
  const cipher = createCipheriv('aes-256-gcm', key, iv);
  const data = Buffer.concat([iv, cipher.update(text), cipher.final(), cipher.getAuthTag()]).toString('base64');
  const wrapped = publicEncrypt(certificate, key).toString('base64');
  const method = (uri: string): string => `<e:EncryptionMethod Algorithm="${uri}"/>`;
  const value = (bytes: string): string => `<e:CipherData><e:CipherValue>${bytes}</e:CipherValue></e:CipherData>`;
  return (
    `<e:EncryptedData xmlns:e="${ENC}">${method('http://www.w3.org/2009/xmlenc11#aes256-gcm')}` +
    `<d:KeyInfo xmlns:d="http://www.w3.org/2000/09/xmldsig#"><e:EncryptedKey>${method(`${ENC}rsa-oaep-mgf1p`)}${value(wrapped)}` +
    `</e:EncryptedKey></d:KeyInfo>${value(data)}</e:EncryptedData>`
  );
}

/** A response in the clear, its subject's name in an EncryptedID (SAML Core §2.2.4), signed by hand anew. */
export function withHiddenName(idp: SamlIdp, xml: string, to: string, inside?: string): string {
  const assertion = /<saml:Assertion[\s\S]*<\/saml:Assertion>/.exec(xml)?.[0] ?? '';
  const name = /<saml:NameID[\s\S]*<\/saml:NameID>/.exec(assertion)?.[0] ?? '';
  const declared = name.replace('<saml:NameID', `<saml:NameID xmlns:saml="${ASSERTION}"`);
  const bare = assertion
    .replace(/<Signature[\s\S]*<\/Signature>/, '')
    .replace(name, `<saml:EncryptedID>${encryptedTo(to, inside ?? declared)}</saml:EncryptedID>`);
  return xml.replace(assertion, signAssertion(bare, idp.signer));
}

/** In a SOAP envelope with a signature of its own (SAML Bindings §3.2), the name in the clear or encrypted to the hub. */
export function soapLogout(idp: SamlIdp, target: string, nameId: string, hide: boolean): string {
  const name = `<saml:NameID xmlns:saml="${ASSERTION}">${escaped(nameId)}</saml:NameID>`;
  const hidden = hide ? `<saml:EncryptedID>${encryptedTo(idp.partner ?? '', name)}</saml:EncryptedID>` : name;
  const plain = logoutRequest(idp, target, nameId, null);
  const request = plain.replace(/<saml:NameID>.*<\/saml:NameID>/, hidden);
  const signed = signAssertion(request, idp.signer, { element: 'LogoutRequest' });
  return `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>${signed}</s:Body></s:Envelope>`;
}

const logoutRequest = (idp: SamlIdp, target: string, nameId: string, index: string | null): string =>
  `<samlp:LogoutRequest xmlns:samlp="${PROTOCOL}" xmlns:saml="${ASSERTION}" ID="_${randomUUID()}" Version="2.0" IssueInstant="${new Date().toISOString()}" Destination="${target}"><saml:Issuer>${idp.entityId}</saml:Issuer><saml:NameID>${escaped(nameId)}</saml:NameID>${index === null ? '' : `<samlp:SessionIndex>${index}</samlp:SessionIndex>`}</samlp:LogoutRequest>`;

const page = (response: ServerResponse, body: string): void => {
  response.setHeader('Content-Type', 'text/html; charset=utf-8');
  response.end(`<!doctype html><title>IdP</title>${body}`);
};

/** `/sso`: a button signs in; `/slo`: answers the hub's LogoutRequest. */
async function serve(idp: SamlIdp, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', idp.origin);
  if (url.pathname === '/sso') {
    const asked = idp.asked(url.toString());
    const xml = await idp.respond(asked);
    page(
      response,
      `<form method="post" action="${escaped(asked.acsUrl)}"><input type="hidden" name="SAMLResponse" value="${encoded(xml)}"><button id="go">登录</button></form>`,
    );
  } else if (url.pathname === '/slo' && url.searchParams.has('SAMLRequest')) {
    verifyQuery(idp, url.search.slice(1), 'SAMLRequest');
    const xml = inflateRawSync(Buffer.from(url.searchParams.get('SAMLRequest') ?? '', 'base64')).toString();
    const of = (pattern: RegExp): string => pattern.exec(xml)?.[1] ?? '';
    idp.loggedOut.push(of(/NameID[^>]*>([^<]+)</));
    const target = of(/Issuer[^>]*>([^<]+)</).replace(/metadata$/, 'logout');
    const answer = `<samlp:LogoutResponse xmlns:samlp="${PROTOCOL}" xmlns:saml="${ASSERTION}" ID="_${randomUUID()}" Version="2.0" IssueInstant="${new Date().toISOString()}" Destination="${target}" InResponseTo="${of(/ ID="([^"]+)"/)}"><saml:Issuer>${idp.entityId}</saml:Issuer><samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status></samlp:LogoutResponse>`;
    response.writeHead(302, { Location: redirectUrl(idp, target, 'SAMLResponse', answer) });
    response.end();
  } else page(response, '<p id="done">已退出</p>');
}
