/**
 * Whether an assertion whose signature holds is good here and now: its conditions, its authentication and its audience
 * (SAML Core §2.5, §2.7; IHE ITI TF-2 §3.40.4.1.3), and whether the message that carries it is fresh (WSS 1.1.1 §10).
 */
import type { TrustedIssuer } from '../core/assertion.ts';
import type { Assertion, SubjectConfirmation } from '../../mappings/xds/saml-assertion.ts';
import { dateTime } from '../../mappings/xds/saml-assertion.ts';
import type { SecurityRefusal } from '../../mappings/xds/security-header.ts';
import { WSU } from '../../mappings/xds/security-header.ts';
import { childrenNamed } from '../../mappings/xds/xml.ts';
import type { XmlElement } from '../../mappings/xds/xml.ts';

/** Milliseconds. */
export interface Now {
  readonly at: number;
  readonly skew: number;
}

const failed = (reason: string): SecurityRefusal => ({ code: 'wsse:FailedAuthentication', reason });
const unusable = (reason: string): SecurityRefusal => ({ code: 'wsse:InvalidSecurityToken', reason });

const early = (from: number | null, { at, skew }: Now): boolean => from !== null && at + skew < from;
const late = (until: number | null, { at, skew }: Now): boolean => until !== null && at - skew >= until;

/** null: it holds. */
export function judgeTerms(assertion: Assertion, issuer: TrustedIssuer, now: Now): SecurityRefusal | null {
  const { notBefore, notOnOrAfter, audiences, authentications } = assertion;
  if (notBefore === null || notOnOrAfter === null)
    return unusable('The assertion needs Conditions with NotBefore and NotOnOrAfter.');
  if (early(notBefore, now)) return failed('The assertion is not valid yet.');
  if (late(notOnOrAfter, now)) return failed('The assertion has expired.');
  if (early(assertion.issuedAt, now)) return failed('The assertion was issued in the future.');
  if (assertion.strangeCondition) return unusable('The assertion has a condition that is not understood here.');
  if (audiences.length === 0) return unusable('The assertion needs an AudienceRestriction.');
  if (!audiences.every((any) => any.some((one) => issuer.audiences.includes(one))))
    return failed('The assertion is meant for another audience.');
  if (authentications.length === 0) return unusable('The assertion needs an AuthnStatement.');
  if (authentications.some(({ instant }) => early(instant, now)))
    return unusable('The AuthnStatement lies in the future.');
  if (authentications.some(({ until }) => late(until, now))) return failed('The session of the user has ended.');
  return null;
}

/** SAML Profiles §3.1 and §3.3: the time in which a confirmation may be used. */
export const inTime = (confirmation: SubjectConfirmation, now: Now): boolean =>
  !early(confirmation.notBefore, now) && !late(confirmation.notOnOrAfter, now);

/** However far ahead a sender sets Expires, a message is not fresh for longer than this. */
const LONGEST_MS = 3_600_000;
/** WSS4J and others take a Timestamp without Expires for five minutes. */
const DEFAULT_MS = 300_000;

/** When a message stops to be fresh, or why it is refused. */
export function judgeTimestamp(timestamp: XmlElement, now: Now): { readonly until: number } | SecurityRefusal {
  const one = (name: string): number | null => {
    const found = childrenNamed(timestamp, WSU, name);
    return found.length > 1 ? NaN : dateTime(found[0]?.text);
  };
  const created = one('Created');
  const expires = one('Expires');
  if (created === null || Number.isNaN(created) || Number.isNaN(expires))
    return { code: 'wsse:InvalidSecurity', reason: 'The Timestamp needs one Created and at most one Expires.' };
  const until = Math.min(expires ?? created + DEFAULT_MS, created + LONGEST_MS);
  const stale = early(created, now) ? 'was made in the future' : late(until, now) ? 'has expired' : null;
  return stale === null ? { until } : { code: 'wsu:MessageExpired', reason: `The message ${stale} by its Timestamp.` };
}
