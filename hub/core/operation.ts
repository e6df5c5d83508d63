/**
 * What operators and the query platform ask of the hub through its own API: the journal, the review queue, orphans and
 * the exams of one patient. The store implements these ports; lists are pages, and none but `ExamSearch` and
 * `JournalReader.source` gives clinical content.
 */
import type { Caller } from './access.ts';
import type { JournalSource } from './decoded.ts';
import type { ChannelKind, JournalState } from './envelope.ts';
import type { HubId, SiteId } from './identifier.ts';
import type { Deciding, Explanation } from './identity.ts';
import type { Finding, Problem, Result } from './problem.ts';
import type { ExamView, PatientView } from './view.ts';

/** `limit` is bounded by the caller (at most 200); `after` is the `next` of the page before, opaque to everyone else. */
export interface PageRequest {
  readonly limit: number;
  readonly after?: string;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** null: this was the last page. */
  readonly next: string | null;
}

/** Absent members do not restrict. Times are `SourceTime` (UTC), `from` included, `to` excluded, over the arrival. */
export interface JournalFilter {
  readonly state?: JournalState;
  readonly site?: string;
  readonly channel?: ChannelKind;
  readonly from?: string;
  readonly to?: string;
  /** Only entries with such a finding. */
  readonly finding?: Finding['code'];
  /** The sender's own id of the message, whole. */
  readonly controlId?: string;
  /** How the type begins: `ADT`, `ADT^A08`, `POST /exams`. */
  readonly messageType?: string;
  /** Code of the problem. */
  readonly cause?: string;
  /** Part of the problem's text. */
  readonly text?: string;
}

export interface JournalSummary {
  readonly journalId: string;
  readonly channel: ChannelKind;
  readonly site: SiteId | null;
  readonly sender: string;
  readonly peer: string;
  readonly controlId: string;
  readonly messageType: string;
  readonly contentType: string;
  readonly size: number;
  readonly receivedAt: string;
  readonly state: JournalState;
  readonly attempts: number;
  /** When it became applied, refused or in review; null while pending. */
  readonly decidedAt: string | null;
  /** Why it was refused or waits in review. */
  readonly problem: Problem | null;
  readonly findingCount: number;
}

export interface JournalDetail extends JournalSummary {
  readonly findings: readonly Finding[];
  /** The review that holds it, where it waits for a person. */
  readonly reviewId: string | null;
}

/** Proved sum: received = applied + refused + review + pending, counted in one snapshot. */
export interface JournalCounters {
  readonly received: number;
  readonly applied: number;
  readonly refused: number;
  readonly review: number;
  readonly pending: number;
}

export interface JournalReader {
  /** Newest first. */
  list(filter: JournalFilter, page: PageRequest): Promise<Page<JournalSummary>>;
  entry(journalId: string): Promise<JournalDetail | null>;
  /** The bytes as they came: for who may see all that stands in a message, and audited. */
  source(journalId: string): Promise<JournalSource | null>;
  counters(filter: Pick<JournalFilter, 'site' | 'channel' | 'from' | 'to'>): Promise<JournalCounters>;
  /**
   * Puts a refused or reviewed entry back to be mapped and applied again. Problems: `not-found`; `conflict` where it is
   * applied or already pending, or was refused at the door (nothing to apply).
   */
  retry(journalId: string, by: Caller): Promise<Result<JournalDetail>>;
}

export type ReviewState = 'open' | 'retried' | 'dismissed' | 'resolved';

/** Something a person must decide: a message that could not be applied, or two persons who may be one. */
export interface ReviewItem {
  readonly reviewId: string;
  readonly kind: 'message' | 'identity';
  readonly state: ReviewState;
  readonly site: SiteId | null;
  readonly openedAt: string;
  readonly problem: Problem;
  readonly findings: readonly Finding[];
  /** The message that waits, or that raised the doubt. */
  readonly journalId: string | null;
  /** Hub ids of the registrations and persons in doubt: no name, no number. */
  readonly records: readonly HubId[];
  readonly persons: readonly HubId[];
  readonly closed: { readonly at: string; readonly by: string; readonly reason: string | null } | null;
  /** Bits of the comparison, and the hard rule that stands between the two; null: no comparison, no rule. */
  readonly weight: number | null;
  readonly veto: string | null;
  /** 4 an exam of one of them is of today, 2 an inpatient or an emergency, 1 conflicting resident IDs: their sum. */
  readonly urgency: number;
  /** What the first of two people decided, where two must. */
  readonly proposal: Proposal | null;
}

export interface Proposal {
  readonly decision: 'same' | 'not-same';
  readonly by: string;
  readonly at: string;
  readonly reason: string;
}

/** A doubt as whoever decides it looks at it: both registrations side by side, and what each attribute said. */
export interface ReviewSides {
  readonly item: ReviewItem;
  readonly sides: readonly PatientView[];
  readonly comparison: Explanation | null;
}

/** How many doubts would wait if the threshold of review were another. */
export interface Forecast {
  /** Bits. */
  readonly review: number;
  readonly link: number;
  readonly waiting: number;
  /** Below the threshold in force pairs are kept of one registration in so many: that part is scaled up. */
  readonly sampledBelow: number;
  readonly openNow: number;
}

export interface ReviewFilter {
  readonly kind?: ReviewItem['kind'];
  readonly state?: ReviewState;
  readonly site?: string;
  /** `oldest` first, or what cannot wait first. */
  readonly order?: 'oldest' | 'urgent';
}

export interface ReviewQueue {
  list(filter: ReviewFilter, page: PageRequest): Promise<Page<ReviewItem>>;
  item(reviewId: string): Promise<ReviewItem | null>;
  /** `not-found`; `conflict` where it is closed. A message goes back to ingest; an identity is judged again. */
  retry(reviewId: string, by: Caller): Promise<Result<ReviewItem>>;
  /** Closes it for good; the message stays in the journal as refused. */
  dismiss(reviewId: string, by: Caller, reason: string): Promise<Result<ReviewItem>>;
  /** null: there is none, or it is not about two registrations. */
  sides(reviewId: string): Promise<ReviewSides | null>;
  /**
   * Decides a doubt about two registrations. Where valid resident IDs conflict, two people must decide the same: the first
   * word is kept as a proposal and the item stays open.
   */
  decide(reviewId: string, decision: 'same' | 'not-same', by: Deciding): Promise<Result<ReviewItem>>;
  forecast(review: number): Promise<Forecast>;
}

export type OrphanKind =
  'images-without-order' | 'images-without-report' | 'report-without-images' | 'report-without-order';

export interface Orphan {
  readonly kind: OrphanKind;
  readonly examId: HubId;
  readonly site: SiteId;
  /** When the hub first knew the exam. */
  readonly since: string;
}

export interface OrphanReader {
  /** Oldest first. */
  list(filter: { readonly kind?: OrphanKind; readonly site?: string }, page: PageRequest): Promise<Page<Orphan>>;
}

/** The query platform's question: which exams has the person with this identifier, at any site. */
export interface ExamSearch {
  /**
   * `authority` absent: a resident ID, canonical. Follows links: exams of every registration of the person, newest first.
   * `personIds` names whose data the answer holds, also where it is empty, for the audit.
   */
  byPatient(
    identifier: { readonly authority?: string; readonly value: string },
    page: PageRequest,
  ): Promise<Page<ExamView> & { readonly personIds: readonly HubId[] }>;
}
