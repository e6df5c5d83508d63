/**
 * Subscriptions to new documents of the affinity domain (DSUB, IHE ITI TF-2 §3.52, §3.53): what a subscriber asks for,
 * which documents that fits, and what the hub keeps until the notification arrived.
 */
import type { Role } from './access.ts';
import type { CodeToken, DocumentCriteria } from './document-ports.ts';
import type { SiteId } from './identifier.ts';
import type { DocumentCode, DocumentEntry, EntryId, PatientCx, SubmissionSet } from './document.ts';

/**
 * Full: the metadata of the entry; minimal: its id alone; submission-set: that of the set with which documents came (ITI
 * TF-2 §3.52.5).
 */
export type SubscriptionTopic = 'full' | 'minimal' | 'submission-set';

/** ITI TF-2 §3.52.5.1.1 and its patient-independent sibling: no times, no status, no type. */
export type EntryCriteria = Pick<
  DocumentCriteria,
  | 'classCode'
  | 'typeCode'
  | 'formatCode'
  | 'facilityType'
  | 'practiceSetting'
  | 'confidentiality'
  | 'eventCodes'
  | 'referenceIds'
  | 'authorPerson'
>;

/** Patterns of SQL LIKE but for the source ids. */
export interface SetCriteria {
  readonly sourceIds?: readonly string[];
  readonly authorPerson?: readonly string[];
  readonly intendedRecipients?: readonly string[];
}

/** As the topic says: of entries, or of submission sets. */
export type SubscriptionCriteria = EntryCriteria & SetCriteria;

/** Where notifications go, and what each must carry: an endpoint reference of WS-Addressing. */
export interface Consumer {
  readonly address: string;
  /** XML of SOAP header blocks: the reference's own parameters; `` where it has none. */
  readonly headers: string;
}

/** `site`: where its role is bound to one, or was when it subscribed. */
export interface Subscriber {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly site?: SiteId;
}

export interface NewSubscription {
  readonly topic: SubscriptionTopic;
  /** null: documents of any patient. */
  readonly patientId: PatientCx | null;
  readonly criteria: SubscriptionCriteria;
  /** May hold secrets of the subscriber's: it is for no log, and not for the audit. */
  readonly consumer: Consumer;
  /** Who subscribed, as the audit names it; nobody else may end it. */
  readonly subscriber: Subscriber;
  /** Where the hub was called: the subscription's address begins so. */
  readonly origin: string;
  readonly endsAt: Date;
}

export interface Subscription extends NewSubscription {
  /** A UUID. */
  readonly id: string;
}

/** One registration that a subscription waits for; what of it was removed meanwhile is no longer told. */
export interface PendingNotification {
  readonly id: string;
  readonly subscription: Subscription;
  /** Of entries, or of the submission set. */
  readonly entryIds: readonly EntryId[];
  /** Those before this one. */
  readonly attempts: number;
}

/** What becomes of a notification in hand. */
export type NotificationOutcome =
  | { readonly kind: 'delivered' }
  /** Not to be delivered, ever: it goes, and the next one of its subscription has its turn. */
  | { readonly kind: 'given-up' }
  /** The consumer is left alone until then. */
  | { readonly kind: 'again'; readonly at: Date };

export interface SubscriptionStore {
  add(subscription: Subscription): Promise<void>;
  /** Subscriptions that stand for one subscriber. */
  count(subscriberId: string): Promise<number>;
  /** null: there is none, or it has ended. */
  find(id: string): Promise<Subscription | null>;
  renew(id: string, endsAt: Date): Promise<boolean>;
  /** Takes what waits for it along. */
  end(id: string): Promise<boolean>;
  /**
   * The oldest notification of a subscription that nobody has in hand; until `until` nobody else takes one of the same
   * subscription, so that their order holds and one slow consumer holds up one worker.
   */
  take(until: Date): Promise<PendingNotification | null>;
  settle(notification: PendingNotification, outcome: NotificationOutcome): Promise<void>;
  /** Ended subscriptions, and notifications that waited since before `oldest`; tells how many of each. */
  prune(oldest: Date): Promise<{ readonly subscriptions: number; readonly notifications: number }>;
}

/** Whether the entry is one that was subscribed to; the patient is the store's to compare, who knows merges. */
export function isSubscribed(object: DocumentEntry | SubmissionSet, criteria: SubscriptionCriteria): boolean {
  return object.kind === 'document' ? isEntrySubscribed(object, criteria) : isSetSubscribed(object, criteria);
}

function isSetSubscribed(set: SubmissionSet, criteria: SetCriteria): boolean {
  return (
    (criteria.sourceIds?.includes(set.sourceId) ?? true) &&
    isWrittenBy(set, criteria.authorPerson) &&
    (criteria.intendedRecipients?.some((pattern) => set.intendedRecipients.some((one) => isLike(one, pattern))) ?? true)
  );
}

const isWrittenBy = ({ authors }: DocumentEntry | SubmissionSet, patterns: readonly string[] | undefined): boolean =>
  patterns?.some((pattern) => authors.some(({ person }) => isLike(person ?? '', pattern))) ?? true;

function isEntrySubscribed(entry: DocumentEntry, criteria: EntryCriteria): boolean {
  const single = (codes: readonly CodeToken[] | undefined, code: DocumentCode | undefined): boolean =>
    codes === undefined || (code !== undefined && codes.some((one) => sameCode(one, code)));
  const every = <T, U>(
    groups: readonly (readonly T[])[] | undefined,
    values: readonly U[],
    same: (wanted: T, value: U) => boolean,
  ): boolean =>
    groups === undefined || groups.every((group) => group.some((one) => values.some((value) => same(one, value))));
  return (
    single(criteria.classCode, entry.classCode) &&
    single(criteria.typeCode, entry.typeCode) &&
    single(criteria.formatCode, entry.formatCode) &&
    single(criteria.facilityType, entry.facilityType) &&
    single(criteria.practiceSetting, entry.practiceSetting) &&
    every(criteria.confidentiality, entry.confidentiality, sameCode) &&
    every(criteria.eventCodes, entry.eventCodes, sameCode) &&
    every(criteria.referenceIds, entry.referenceIds, (wanted, value) => wanted === value) &&
    isWrittenBy(entry, criteria.authorPerson)
  );
}

const sameCode = (wanted: CodeToken, { code, scheme }: DocumentCode): boolean =>
  wanted.code === code && wanted.scheme === scheme;

/** SQL LIKE without an escape (ITI TF-2 §3.18.4.1.2.3.7.1): `%` any characters, `_` one. Never slower than length times length. */
export function isLike(text: string, pattern: string): boolean {
  const [letters, signs] = [Array.from(text), Array.from(pattern)];
  let [at, sign, star, resume] = [0, 0, -1, 0];
  while (at < letters.length) {
    if (signs[sign] === '%') {
      star = sign++;
      resume = at;
    } else if (sign < signs.length && (signs[sign] === '_' || signs[sign] === letters[at])) {
      sign++;
      at++;
    } else if (star >= 0) {
      sign = star + 1;
      at = ++resume;
    } else return false;
  }
  while (signs[sign] === '%') sign++;
  return sign === signs.length;
}

/**
 * Whether notifications may go there: http or https at a host that the operator named, `host` for any port of it or
 * `host:port`. Everything else would let a subscriber make the hub call inner addresses.
 */
export function isAllowedConsumer(address: string, hosts: ReadonlySet<string>): boolean {
  if (!/^https?:\/\/[^\s\\@]+$/i.test(address) || !URL.canParse(address)) return false;
  const { hostname, username, password } = new URL(address);
  if (username !== '' || password !== '' || hostname === '') return false;
  return namesOf(address).some((name) => hosts.has(name));
}

/** What the operator has for the host of an address: that of its port before that of any. */
export const tokenFor = (address: string, tokens: ReadonlyMap<string, string>): string | undefined =>
  namesOf(address).flatMap((name) => tokens.get(name) ?? [])[0];

function namesOf(address: string): [withPort: string, host: string] {
  const { protocol, hostname, port } = new URL(address);
  const given = port === '' ? (protocol === 'https:' ? '443' : '80') : port;
  return [`${hostname}:${given}`, hostname];
}
