/**
 * WS-Security SAML 2.0 assertions (IHE XUA, ITI TF-2 §3.40; WIRE §10): from the envelope as sent to a statement about a
 * user that may be believed, or the refusal that WSS prescribes. What is believed is read from the signed bytes alone.
 */
import { createHash, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { isEmergency } from '../core/access.ts';
import type { OnBehalfOf, Role } from '../core/access.ts';
import type { AssertionLedger, TrustedIssuer } from '../core/assertion.ts';
import { readAssertion } from '../../mappings/xds/saml-assertion.ts';
import type { Assertion } from '../../mappings/xds/saml-assertion.ts';
import { readSecurity, SAML } from '../../mappings/xds/security-header.ts';
import type { SecurityHeader, SecurityRefusal } from '../../mappings/xds/security-header.ts';
import { childNamed, childrenNamed, parseXml } from '../../mappings/xds/xml.ts';
import type { OpenXml, XmlElement } from '../../mappings/xds/xml.ts';
import { DS, readSignature, signedBytes, signedInfoBytes } from '../../mappings/xds/xml-signature.ts';
import { inTime, judgeTerms, judgeTimestamp } from './assertion-terms.ts';
import type { Now } from './assertion-terms.ts';
import { chainedKey, isValid, trustedKey } from './certificate-chain.ts';
import type { TrustedKey } from './certificate-chain.ts';
import { checkProof } from './message-proof.ts';
import { flawed, isGoodKey, isGoodMethod, isSignedBy, keysOf } from './signature.ts';

/** A user as an issuer states it; `site` where the issuer speaks for one hospital. */
export interface Statement {
  readonly user: OnBehalfOf;
  readonly issuer: TrustedIssuer;
}

/** What holds by itself; whether it was used before is asked of the ledger when it is used. */
export interface Believed extends Statement {
  /** What may be used once only, each with the time until which that must be remembered. */
  readonly once: readonly { readonly key: Buffer; readonly until: Date }[];
}

export interface AssertionCheck {
  /** null: the envelope has no Security header for this receiver, or none with an assertion. */
  inspect(open: OpenXml): Believed | SecurityRefusal | null;
  /** Takes what was inspected into use: a replay is refused here, in whatever process it was used before. */
  use(believed: Believed): Promise<Statement | SecurityRefusal>;
}

export interface Authority extends TrustedIssuer {
  readonly keys: readonly TrustedKey[];
}

/** What an issuer signed, and the keys that may have done it: one must still be valid whenever it is used. */
export interface Signed {
  readonly assertion: Assertion;
  readonly keys: readonly TrustedKey[];
}

const LIMITS = { bytes: 1 << 20, depth: 64, elements: 5_000 };
const CACHED = 2_000;

const refuse = (code: SecurityRefusal['code'], reason: string): SecurityRefusal => ({ code, reason });
const isRefusal = (value: object): value is SecurityRefusal => 'reason' in value;

export function createAssertionCheck(deps: {
  readonly issuers: readonly TrustedIssuer[];
  readonly ledger: AssertionLedger;
  readonly clock: () => Date;
  readonly skewMs: number;
}): AssertionCheck {
  const authorities = new Map(deps.issuers.map((issuer) => [issuer.issuer, authority(issuer)]));
  /** By the digest of the whole assertion: a bearer sends the same one again with every message. */
  const signed = new Map<string, Signed>();
  const verified = (open: OpenXml, element: XmlElement, now: Now): Signed | SecurityRefusal => {
    const whole = open.canonical(element, []);
    if (whole === null) return refuse('wsse:InvalidSecurity', 'The assertion has no canonical form.');
    const key = createHash('sha256').update(whole).digest('base64');
    const known = signed.get(key);
    if (known) return known;
    const found = verifySigned(open, element, authorities, now);
    if (isRefusal(found)) return found;
    const oldest = signed.size >= CACHED ? signed.keys().next().value : undefined;
    if (oldest !== undefined) signed.delete(oldest);
    signed.set(key, found);
    return found;
  };
  return {
    inspect(open) {
      const security = readSecurity(open.root);
      if (security === null || isRefusal(security)) return security;
      if (!security.assertion) return null;
      const now = { at: deps.clock().getTime(), skew: deps.skewMs };
      return inspect(open, { ...security, assertion: security.assertion }, authorities, verified, now);
    },
    async use(believed) {
      for (const { key, until } of believed.once)
        if (!(await deps.ledger.firstUse(key, until)))
          return refuse('wsse:FailedAuthentication', 'The assertion or its proof was used before.');
      return believed;
    },
  };
}

export function authority(issuer: TrustedIssuer): Authority {
  const keys = issuer.certificates.map((pem) => trustedKey(new X509Certificate(pem)));
  return { ...issuer, keys: keys.filter(({ key }) => isGoodKey(key)) };
}

function inspect(
  open: OpenXml,
  security: SecurityHeader & { readonly assertion: XmlElement },
  authorities: ReadonlyMap<string, Authority>,
  verified: (open: OpenXml, element: XmlElement, now: Now) => Signed | SecurityRefusal,
  now: Now,
): Believed | SecurityRefusal {
  if (!security.timestamp) return refuse('wsse:InvalidSecurity', 'The Security header needs a wsu:Timestamp.');
  const fresh = judgeTimestamp(security.timestamp, now);
  if (isRefusal(fresh)) return fresh;
  const id = security.assertion.attributes.get('ID') ?? '';
  if (security.byId(id) !== security.assertion)
    return refuse('wsse:InvalidSecurity', 'The ID of the assertion stands on more than one element.');
  // The message's proof is read first: the enveloped signature leaves the document when the assertion is read.
  const proof = security.signature ? checkProof(open, security, security.signature, id, now) : null;
  if (proof && isRefusal(proof)) return proof;
  leaveHeader(open, security);
  const signed = verified(open, security.assertion, now);
  if (isRefusal(signed)) return signed;
  const { assertion } = signed;
  const issuer = authorities.get(assertion.issuer);
  // The cache outlives a certificate: that one still is valid is asked each time.
  if (!issuer || !signed.keys.some((key) => isValid(key, now)))
    return refuse('wsse:FailedAuthentication', 'The issuer of the assertion is not trusted.');
  const wrong = judgeTerms(assertion, issuer, now);
  if (wrong) return wrong;
  const confirmed = confirm(assertion, issuer, proof, now);
  if (isRefusal(confirmed)) return confirmed;
  const once = [];
  const until = (time: number): Date => new Date(time + now.skew);
  if (assertion.oneTimeUse || issuer.oneTime)
    once.push({
      key: digest('assertion', issuer.issuer, assertion.id),
      until: until(assertion.notOnOrAfter ?? now.at),
    });
  if (proof && confirmed.method === 'holder-of-key')
    once.push({ key: digest('proof', issuer.issuer, assertion.id, proof.value), until: until(proof.until) });
  return { user: userOf(assertion, issuer), issuer, once };
}

const digest = (...parts: readonly string[]): Buffer => createHash('sha256').update(JSON.stringify(parts)).digest();

/** The canonical forms then cost what the header is long, which is bounded, not what a stranger put beside it. */
function leaveHeader(open: OpenXml, { header }: SecurityHeader): void {
  for (const child of open.root.children) if (child !== header) open.drop(child);
}

/** The assertion as its issuer signed it. A certificate in KeyInfo counts only where a configured authority issued it. */
export function verifySigned(
  open: OpenXml,
  element: XmlElement,
  authorities: ReadonlyMap<string, Authority>,
  now: Now,
  /** Opens the subject's EncryptedID, of the bytes that were signed. */
  hiddenName?: (root: XmlElement) => XmlElement | undefined,
): Signed | SecurityRefusal {
  const signatures = childrenNamed(element, DS, 'Signature');
  const [enveloped] = signatures;
  if (!enveloped) return refuse('wsse:InvalidSecurityToken', 'The assertion is not signed.');
  if (signatures.length > 1) return refuse('wsse:InvalidSecurity', 'The assertion has more than one signature.');
  const issuer = authorities.get(childNamed(element, SAML, 'Issuer')?.text.trim() ?? '');
  if (!issuer) return refuse('wsse:FailedAuthentication', 'The issuer of the assertion is not trusted.');
  const signature = readSignature(enveloped);
  if ('flaw' in signature) return flawed(signature);
  const issued = issuer.authorities.length === 0 ? null : chainedKey(signature.keyInfo, issuer, now);
  const keys = [...issuer.keys.filter((key) => isValid(key, now)), ...(issued && 'key' in issued ? [issued] : [])];
  if (keys.length === 0)
    return issued && 'reason' in issued
      ? issued
      : refuse('wsse:FailedAuthentication', 'No certificate of the issuer is valid at this time.');
  const [reference, ...more] = signature.references;
  if (!reference || more.length > 0 || !reference.enveloped || reference.id !== element.attributes.get('ID'))
    return refuse('wsse:InvalidSecurity', 'The signature of an assertion must have one reference, to this assertion.');
  if (!isGoodMethod(signature.method))
    return refuse('wsse:UnsupportedAlgorithm', 'The signature must be RSA or ECDSA with SHA-256 or better.');
  const info = signedInfoBytes(open, signature);
  const makers = info ? keys.filter(({ key }) => isSignedBy(signature, info, [key])) : [];
  if (makers.length === 0) return refuse('wsse:FailedCheck', 'The signature of the assertion does not hold.');
  const bytes = signedBytes(open, signature, reference, element);
  if (!bytes) return refuse('wsse:FailedCheck', 'The assertion was changed after it was signed.');
  const root = parseXml(bytes, LIMITS);
  const assertion = root.ok ? readAssertion(root.value, hiddenName?.(root.value)) : 'The assertion cannot be read.';
  if (typeof assertion === 'string') return refuse('wsse:InvalidSecurityToken', assertion);
  return assertion.id === reference.id && assertion.issuer === issuer.issuer
    ? { assertion, keys: makers }
    : refuse('wsse:InvalidSecurity', 'The signed assertion is not the one that was sent.');
}

/** SAML Core §2.4.1: one confirmation that holds is enough; a proof that was sent must be the holder's. */
function confirm(
  assertion: Assertion,
  issuer: TrustedIssuer,
  proof: { readonly holds: (keys: readonly KeyObject[]) => boolean } | null,
  now: Now,
): { readonly method: 'bearer' | 'holder-of-key' } | SecurityRefusal {
  const usable = assertion.confirmations.filter((one) => inTime(one, now));
  const held = usable.filter(({ method }) => method === 'holder-of-key');
  if (proof) {
    if (!held.some(({ keys }) => proof.holds(keysOf(keys))))
      return refuse('wsse:FailedCheck', "The message is not signed by the key of the assertion's SubjectConfirmation.");
    if (issuer.confirmations.includes('holder-of-key')) return { method: 'holder-of-key' };
  }
  if (usable.some(({ method }) => method === 'bearer') && issuer.confirmations.includes('bearer'))
    return { method: 'bearer' };
  if (held.length > 0 && !proof && issuer.confirmations.includes('holder-of-key'))
    return refuse('wsse:FailedCheck', 'The holder of the key must sign the Timestamp.');
  return refuse('wsse:FailedAuthentication', 'The assertion has no SubjectConfirmation that is taken from its issuer.');
}

function userOf(assertion: Assertion, issuer: TrustedIssuer): OnBehalfOf {
  const role = assertion.roles
    .map(({ code, system }): Role | undefined => issuer.roles.get(`${code}^^${system}`) ?? issuer.roles.get(code))
    .find((found) => found !== undefined);
  const { subjectId, organization, organizationId, homeCommunityId } = assertion;
  const { purposes } = issuer;
  const isMeant =
    purposes === null || isEmergency(assertion) || assertion.purposes.some(({ code }) => purposes.has(code));
  return {
    issuer: issuer.issuer,
    userId: assertion.nameId,
    ...(subjectId === null ? {} : { userName: subjectId }),
    ...(organization === null ? {} : { organization }),
    ...(organizationId === null ? {} : { organizationId }),
    ...(homeCommunityId === null ? {} : { homeCommunityId }),
    roles: assertion.roles,
    purposes: assertion.purposes,
    role: role ?? null,
    ...(isMeant ? {} : { purposeRefused: true }),
    patientIds: assertion.patientIds,
    policies: assertion.policies,
    ...(assertion.delegates.length === 0 ? {} : { delegates: assertion.delegates }),
  };
}
