/** Consents as they are recorded, with versions and where they came from, and the desks that record them. Store: hub/store. */
import type { Caller, Purpose } from './access.ts';
import type { ConsentGiver, ConsentRule } from './consent.ts';
import type { HubId } from './identifier.ts';
import type { Page, PageRequest } from './operation.ts';
import type { Result } from './problem.ts';

export const CONSENT_STATUSES = ['active', 'inactive', 'entered-in-error'] as const;
/** `inactive`: withdrawn. Neither of the last two ever becomes active again: a new will is a new consent. */
export type ConsentStatus = (typeof CONSENT_STATUSES)[number];

export const CONSENT_CHANNELS = ['desk', 'app', 'paper', 'patient-present', 'fhir'] as const;
export type ConsentChannel = (typeof CONSENT_CHANNELS)[number];

/** What one version says (PIPL 14, 17, 29: purpose, scope, recipient, version, time, channel). */
export interface ConsentContent {
  readonly rules: readonly ConsentRule[];
  readonly giver: ConsentGiver;
  /** Of a guardian or representative: name, and how they are related, HL7 v3 RoleCode (`MTH`, `FTH`, `GUARD`). */
  readonly giverName: string | null;
  readonly giverRelation: string | null;
  /** ISO 8601 UTC. */
  readonly givenAt: string;
  readonly channel: ConsentChannel;
  /** The text that the patient was shown, in its version: a URI. */
  readonly form: string;
  /** The institution at whose desk it was given; null: at none. */
  readonly institution: string | null;
  /** The signed paper: a URL of where it is kept; null: none was. */
  readonly evidence: string | null;
}

export interface ConsentRecord extends ConsentContent {
  readonly consentId: HubId;
  readonly version: number;
  readonly status: ConsentStatus;
  /** Who this is today. */
  readonly personId: HubId;
  readonly recordedAt: string;
  readonly recordedBy: { readonly id: string; readonly name: string; readonly role: string };
  /** Why it was withdrawn or revised. */
  readonly reason: string | null;
}

/** All of what is given must hold. */
export interface ConsentCriteria {
  readonly ids?: readonly string[];
  readonly persons?: readonly string[];
  readonly statuses?: readonly string[];
  readonly institutions?: readonly string[];
  /** Over `givenAt`: from included, to excluded. */
  readonly givenFrom?: string;
  readonly givenTo?: string;
}

export interface ConsentDesk {
  /** `not-found`: nobody has this id; `precondition`: a guardian must give it. */
  record(personId: string, content: ConsentContent, by: Caller): Promise<Result<ConsentRecord>>;
  /**
   * A new version: other words, or withdrawn. `expected`: the version that was looked at. `not-found`; `conflict` where the
   * consent no longer stands; `precondition` where another version is current.
   */
  revise(
    consentId: string,
    change: { readonly status: ConsentStatus; readonly content?: ConsentContent; readonly reason: string | null },
    by: Caller,
    expected?: number,
  ): Promise<Result<ConsentRecord>>;
  read(consentId: string): Promise<ConsentRecord | null>;
  version(consentId: string, version: number): Promise<ConsentRecord | null>;
  /** Newest first. */
  versions(consentId: string): Promise<readonly ConsentRecord[]>;
  /** Last changed first. */
  find(criteria: ConsentCriteria, page: PageRequest): Promise<Page<ConsentRecord>>;
  count(criteria: ConsentCriteria): Promise<number>;
}

export const PRESENT_CODE = {
  /** Wrong digits for one patient's code, after which it is void. */
  wrongPerCode: 5,
  /** Wrong codes of one caller within an hour. */
  wrongPerHour: 10,
} as const;

export interface PresentTerms {
  readonly hours: number;
  /** Whose data; empty: every institution's. */
  readonly sources: readonly string[];
  /** Sensitive records that are meant as well. */
  readonly labels: readonly string[];
  readonly form: string;
  readonly giver: ConsentGiver;
  readonly giverName: string | null;
  readonly giverRelation: string | null;
  /** By what the desk knew the patient. */
  readonly evidence?: string;
  /** Institutions that may use it; absent: whoever the patient shows it to. */
  readonly recipients?: readonly string[];
}

export interface PresentCode {
  readonly codeId: string;
  readonly code: string;
  readonly expiresAt: string;
}

export interface PresentCodes {
  /** `token`: 128 random bits for a QR code; `digits`: eight of them, to be read out. */
  issue(
    request: {
      readonly personId: string;
      readonly kind: 'token' | 'digits';
      readonly minutes: number;
      readonly terms: PresentTerms;
    },
    by: Caller,
  ): Promise<Result<PresentCode>>;
  /**
   * Makes the consent for `institution`, once, and never for who drew it. Digits are good with the person whom they were issued for alone. Problems:
   * `not-found` for whatever is wrong with code or person; `limit-exceeded` after too many wrong ones.
   */
  redeem(
    request: { readonly code: string; readonly personId: string | null; readonly institution: string },
    by: Caller,
  ): Promise<Result<ConsentRecord>>;
}

/** The rules of a consent by which the patient present lets one institution see, for a time. */
export function presentRules(
  { sources, labels }: Pick<PresentTerms, 'sources' | 'labels'>,
  institution: string,
  from: string,
  until: string,
): readonly ConsentRule[] {
  const purposes: readonly Purpose[] = ['TREATMENT'];
  const plain = { recipients: [institution], sources, purposes, classes: [], labels: [], from, until };
  const permit = { ...plain, effect: 'permit', exceptionOf: null } as const;
  return labels.length === 0 ? [permit] : [permit, { ...permit, labels }];
}
