/** Statements of other domains about users: who is trusted for them, and what is remembered so that none is used twice. */
import type { Role } from './access.ts';

/** Whom the hub believes when it says who a user is (HUB_XUA_ISSUERS). */
export interface TrustedIssuer {
  /** As the Issuer element of its assertions says. */
  readonly issuer: string;
  /** PEM, one certificate each: the keys that sign. */
  readonly certificates: readonly string[];
  /** PEM of certificate authorities: what they issued to `subject` signs too, where the signature brings it along. */
  readonly authorities: readonly string[];
  /** Common name, DNS or URI name of the signer; never null where there are authorities: they issue to others as well. */
  readonly subject: string | null;
  /** The names by which it calls this hub or the domain: one must stand in each AudienceRestriction. */
  readonly audiences: readonly string[];
  /** How a sender may prove that the assertion is its own (SAML Core §2.4.1). */
  readonly confirmations: readonly ('bearer' | 'holder-of-key')[];
  /** Every assertion serves once, even where it does not say OneTimeUse. */
  readonly oneTime: boolean;
  /** Role code, or `code^^system`, to the role it stands for here. */
  readonly roles: ReadonlyMap<string, Role>;
  /** Codes of the purposes of use for which its users may act; null: any. An emergency is never refused. */
  readonly purposes: ReadonlySet<string> | null;
  /** The hospital for which users with the role hospital-feed send. */
  readonly site: string | null;
}

/** Shared by every process and durable: an assertion spent in one is spent in all, also after a restart. */
export interface AssertionLedger {
  /** Notes the use of what `key` (a SHA-256) stands for; false: it was used before. Forgotten some time after `until`. */
  firstUse(key: Uint8Array, until: Date): Promise<boolean>;
}
