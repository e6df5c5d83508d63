/**
 * The hub as a SAML 2.0 service provider of one hospital's identity provider: requests out and answers in. An answer is
 * believed when two libraries of different making read the same person from it: node-saml, and the hub's own.
 */
import { createHash, randomUUID, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { inflateRaw } from 'node:zlib';
import { SAML, ValidateInResponseTo, type Profile } from '@node-saml/node-saml';
import type { AssertionLedger, TrustedIssuer } from '../core/assertion.ts';
import type { IdentityProvider } from '../core/identity-provider.ts';
import { dateTime } from '../../mappings/xds/saml-assertion.ts';
import type { Assertion } from '../../mappings/xds/saml-assertion.ts';
import { ownMetadata, readProviderMetadata } from './saml-metadata.ts';
import type { ProviderMetadata } from './saml-metadata.ts';
import { nameOfAssertion, readLogout, readResponse } from './saml-response.ts';
import type { LogoutMessage } from './saml-response.ts';
import { logoutAnswer, signedLogout } from './saml-soap.ts';
import { isGoodMethod, isSignedBy } from './signature.ts';

export interface SamlKeys {
  /** PEM. */
  readonly key: string;
  readonly certificate: string;
}

export interface SamlDeps extends SamlKeys {
  /** `https://host`, how browsers reach the hub. */
  readonly publicUrl: string;
  readonly ledger: AssertionLedger;
  readonly clock: () => Date;
  readonly skewMs: number;
}

export interface SamlName {
  readonly nameId: string;
  readonly format: string | null;
  readonly index: string | null;
}

/** Why an answer is not believed, for the audit. */
export interface Disbelieved {
  readonly refused: string;
}

const inflate = promisify(inflateRaw) as (data: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>;
const FRESH_MS = 300_000;
const MAX_MESSAGE = 64 * 1_024;

export class SamlProvider {
  readonly provider: IdentityProvider;
  readonly #metadata: ProviderMetadata;
  readonly #deps: SamlDeps;
  readonly #issuer: TrustedIssuer;

  /** Throws where the provider's metadata cannot be used. */
  constructor(provider: IdentityProvider, deps: SamlDeps) {
    this.provider = provider;
    this.#deps = deps;
    this.#metadata = readProviderMetadata(provider.metadata);
    this.#issuer = {
      issuer: this.#metadata.entityId,
      certificates: this.#metadata.certificates,
      authorities: [],
      subject: null,
      audiences: [this.entityId],
      confirmations: ['bearer'],
      oneTime: true,
      roles: new Map(),
      purposes: null,
      site: null,
    };
  }

  /** One a provider, so that what one issues for the hub is no use at the door of another. */
  get entityId(): string {
    return `${this.#url}/metadata`;
  }

  get #url(): string {
    return `${this.#deps.publicUrl}/saml/${this.provider.id}`;
  }

  get metadata(): string {
    const { certificate } = this.#deps;
    return ownMetadata({
      entityId: this.entityId,
      acsUrl: `${this.#url}/acs`,
      logoutUrl: `${this.#url}/logout`,
      certificate,
    });
  }

  /** The signed AuthnRequest with this id, as an address for the browser. */
  loginUrl(requestId: string): Promise<string> {
    return this.#saml(requestId).getAuthorizeUrlAsync('', undefined, {});
  }

  /** `requestId`: the one that waits; the answer must be to it, and is good once. */
  async believe(response: Buffer, requestId: string): Promise<{ readonly assertion: Assertion } | Disbelieved> {
    const { key, clock, skewMs, ledger } = this.#deps;
    const now = { at: clock().getTime(), skew: skewMs };
    const own = readResponse(response, { issuer: this.#issuer, acsUrl: `${this.#url}/acs`, privateKey: key, now });
    if ('refused' in own) return own;
    if (own.inResponseTo !== requestId) return { refused: 'the answer to another request' };
    const other = await this.#otherLock(response, requestId);
    if (other !== own.assertion.nameId) return { refused: 'two readings of the response differ' };
    const { id, notOnOrAfter } = own.assertion;
    const until = new Date((notOnOrAfter ?? now.at) + skewMs);
    const isFirst = await ledger.firstUse(digestOf('saml', this.#issuer.issuer, id), until);
    return isFirst ? { assertion: own.assertion } : { refused: 'the assertion was used before' };
  }

  /** The NameID that node-saml finds; null: it does not believe the response. */
  async #otherLock(response: Buffer, requestId: string): Promise<string | null> {
    try {
      const container = { SAMLResponse: response.toString('base64') };
      const { profile } = await this.#saml(requestId).validatePostResponseAsync(container);
      return this.#nameIn(profile);
    } catch (error) {
      if (error instanceof Error) return null;
      throw error;
    }
  }

  /** Typed as what node-saml gives, and not as what it says. One that leaves an EncryptedID closed is believed and opened. */
  #nameIn(profile: Partial<Pick<Profile, 'nameID' | 'getAssertionXml'>> | null): string | null {
    if (profile === null || profile.nameID !== undefined) return profile?.nameID ?? null;
    return nameOfAssertion(Buffer.from(profile.getAssertionXml?.() ?? ''), this.#deps.key);
  }

  /** Where the browser tells the provider that the session has ended; null: it knows no single logout. */
  async logoutUrl({ nameId, format, index }: SamlName): Promise<string | null> {
    if (this.#metadata.logoutUrl === null) return null;
    const user = {
      issuer: this.#metadata.entityId,
      nameID: nameId,
      nameIDFormat: format ?? 'urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified',
      ...(index === null ? {} : { sessionIndex: index }),
    };
    return this.#saml().getLogoutUrlAsync(user, '', {});
  }

  /** What came with its signature in the query (SAML Bindings §3.4.4.1); nothing of it counts unsigned. */
  async readLogout(query: string): Promise<LogoutMessage | Disbelieved> {
    const parts = new Map<string, string>();
    for (const pair of query.split('&')) {
      const at = pair.indexOf('=');
      const name = at < 0 ? pair : pair.slice(0, at);
      if (parts.has(name)) return { refused: 'a parameter stands twice' };
      parts.set(name, at < 0 ? '' : pair.slice(at + 1));
    }
    const kind = parts.has('SAMLRequest') ? 'SAMLRequest' : 'SAMLResponse';
    const message = decoded(parts.get(kind));
    if (message === null || !this.#isSigned(parts, kind)) return { refused: 'not signed by the provider' };
    const bytes = await inflate(Buffer.from(message, 'base64'), { maxOutputLength: MAX_MESSAGE }).catch(() => null);
    const read = bytes === null ? null : readLogout(bytes, this.#deps.key);
    if (read === null || (read.kind === 'request') !== (kind === 'SAMLRequest'))
      return { refused: 'no logout message' };
    return this.#judgeLogout(read);
  }

  /** A LogoutRequest that the provider sent by itself, signed in its envelope. */
  async readSoapLogout(envelope: Buffer): Promise<LogoutMessage | Disbelieved> {
    const bytes = signedLogout(envelope, this.#keys);
    const read = bytes === null ? null : readLogout(bytes, this.#deps.key);
    return read === null ? { refused: 'not signed by the provider' } : this.#judgeLogout(read);
  }

  /** The signed answer to it. */
  soapLogoutAnswer({ id: inResponseTo }: LogoutMessage): string {
    const id = `_${randomUUID()}`;
    return logoutAnswer({ id, inResponseTo, issuer: this.entityId, at: this.#deps.clock(), key: this.#deps.key });
  }

  async #judgeLogout(read: LogoutMessage): Promise<LogoutMessage | Disbelieved> {
    if (read.issuer !== this.#metadata.entityId) return { refused: 'from another provider' };
    if (read.destination !== null && read.destination !== `${this.#url}/logout`)
      return { refused: 'meant for another destination' };
    const age = Math.abs(this.#deps.clock().getTime() - (dateTime(read.issuedAt) ?? NaN));
    if (!(age <= FRESH_MS)) return { refused: 'too old' };
    if (read.kind === 'response') return read;
    const until = new Date(this.#deps.clock().getTime() + 2 * FRESH_MS);
    const isFirst = await this.#deps.ledger.firstUse(digestOf('logout', this.#issuer.issuer, read.id), until);
    return isFirst ? read : { refused: 'the request was used before' };
  }

  #isSigned(parts: ReadonlyMap<string, string>, kind: string): boolean {
    const method = decoded(parts.get('SigAlg'));
    const value = decoded(parts.get('Signature'));
    if (method === null || value === null || !isGoodMethod(method)) return false;
    const names = [kind, ...(parts.has('RelayState') ? ['RelayState'] : []), 'SigAlg'];
    const signed = Buffer.from(names.map((name) => `${name}=${parts.get(name) ?? ''}`).join('&'));
    return isSignedBy({ method, value: Buffer.from(value, 'base64') }, signed, this.#keys);
  }

  get #keys(): readonly KeyObject[] {
    return this.#metadata.certificates.map((pem) => new X509Certificate(pem).publicKey);
  }

  /** Where the browser takes the answer to the provider's LogoutRequest. */
  logoutAnswerUrl(request: LogoutMessage, relayState: string): Promise<string> {
    const answered = { issuer: request.issuer, nameID: '', nameIDFormat: '', ID: request.id };
    return this.#saml(undefined, this.#metadata.logoutResponseUrl ?? '').getLogoutResponseUrlAsync(
      answered,
      relayState,
      {},
      true,
    );
  }

  #saml(requestId?: string, logoutUrl = this.#metadata.logoutUrl ?? ''): SAML {
    const { key, certificate, skewMs, clock } = this.#deps;
    // The request stands in the hub's own table: node-saml only asks whether this answer is to it.
    const item = { value: clock().toISOString(), createdAt: clock().getTime() };
    const known = (id: string | null): string | null => (id !== null && id === requestId ? item.value : null);
    return new SAML({
      issuer: this.entityId,
      audience: this.entityId,
      callbackUrl: `${this.#url}/acs`,
      logoutCallbackUrl: `${this.#url}/logout`,
      entryPoint: this.#metadata.signOnUrl,
      logoutUrl,
      idpCert: [...this.#metadata.certificates],
      idpIssuer: this.#metadata.entityId,
      privateKey: key,
      publicCert: certificate,
      decryptionPvk: key,
      signatureAlgorithm: 'sha256',
      digestAlgorithm: 'sha256',
      wantAssertionsSigned: true,
      wantAuthnResponseSigned: this.provider.signedResponse,
      acceptedClockSkewMs: skewMs,
      identifierFormat: null,
      disableRequestedAuthnContext: true,
      validateInResponseTo: ValidateInResponseTo.always,
      ...(requestId === undefined ? {} : { generateUniqueId: () => requestId }),
      cacheProvider: {
        saveAsync: () => Promise.resolve(item),
        getAsync: (id) => Promise.resolve(known(id)),
        removeAsync: (id) => Promise.resolve(id),
      },
    });
  }
}

export const digestOf = (...parts: readonly string[]): Buffer =>
  createHash('sha256').update(JSON.stringify(parts)).digest();

function decoded(raw: string | undefined): string | null {
  if (raw === undefined || raw === '') return null;
  try {
    return decodeURIComponent(raw.replaceAll('+', '%20'));
  } catch (error) {
    if (error instanceof URIError) return null;
    throw error;
  }
}
