/**
 * Access in an emergency (PIPL 13: life and health): a physician who says why has it at once, for one person and a limited
 * time, whatever the patient refused and whatever the hub knows of the assignment. Afterwards somebody else looks at every
 * single case, and the patient is told.
 */
import type { Caller } from './access.ts';
import type { HubId } from './identifier.ts';
import type { Page, PageRequest } from './operation.ts';
import type { Result } from './problem.ts';

export const BREAK_GLASS_REASONS = [
  'life-threatening',
  'unconscious',
  'urgent-surgery',
  'relation-not-recorded',
  'public-health',
  'other',
] as const;
export type BreakGlassReason = (typeof BREAK_GLASS_REASONS)[number];

/** How long a grant stands where the doctor does not say. */
export const BREAK_GLASS_HOURS = 4;

export const REVIEW_OUTCOMES = ['justified', 'unjustified'] as const;
export type ReviewOutcome = (typeof REVIEW_OUTCOMES)[number];

export interface BreakGlassCase {
  readonly grantId: string;
  /** The person as named then; who that is today is found when it is read. */
  readonly personId: HubId;
  readonly accountId: string;
  readonly accountName: string;
  readonly practitionerId: string | null;
  /** null: the hub does not know where the doctor works. That stops nobody. */
  readonly institution: string | null;
  readonly reason: BreakGlassReason;
  readonly text: string;
  readonly at: string;
  readonly until: string;
  readonly endedAt: string | null;
  readonly review: BreakGlassReview;
}

export interface BreakGlassReview {
  readonly dueAt: string;
  readonly outcome: ReviewOutcome | null;
  readonly by: string | null;
  readonly at: string | null;
  readonly note: string | null;
}

export interface BreakGlassRequest {
  readonly personId: string;
  readonly reason: BreakGlassReason;
  readonly text: string;
  readonly hours: number;
}

/** Absent members do not restrict. */
export interface BreakGlassFilter {
  readonly state?: 'open' | 'overdue' | 'reviewed';
  readonly accountId?: string;
}

/** The rows; hub/flow/break-glass.ts makes acts of them. */
export interface BreakGlassCases {
  /** The grant that stands already, or a new one with the notice of it. `not-found`: nobody has this id. */
  open(
    request: BreakGlassRequest,
    by: Caller,
  ): Promise<Result<{ readonly found: BreakGlassCase; readonly isNew: boolean }>>;
  /** The doctor's own, sooner than by itself. */
  end(grantId: string, by: Caller): Promise<Result<BreakGlassCase>>;
  grant(grantId: string): Promise<BreakGlassCase | null>;
  /** What is due soonest first. */
  list(filter: BreakGlassFilter, page: PageRequest): Promise<Page<BreakGlassCase>>;
  /** `conflict` where it was reviewed, or the reviewer is who broke the glass. Unjustified: the account is flagged. */
  review(grantId: string, verdict: ReviewVerdict, by: Caller): Promise<Result<BreakGlassCase>>;
  /** Cases that the audit was not told of, oldest first. */
  unaudited(limit: number): Promise<readonly BreakGlassCase[]>;
  audited(grantId: string): Promise<void>;
}

export interface ReviewVerdict {
  readonly outcome: ReviewOutcome;
  readonly note: string;
}

const DAY_MS = 86_400_000;

/**
 * When the review is due: the end of the next working day after `at`, where days end at midnight of `offsetMinutes` east of
 * UTC. Monday to Friday; a holiday among them only makes it due earlier than it need be.
 */
export function reviewDueAt(at: Date, offsetMinutes = 480): Date {
  const shift = offsetMinutes * 60_000;
  let day = Math.floor((at.getTime() + shift) / DAY_MS) + 1;
  // 1970-01-01 was a Thursday.
  while ([0, 6].includes((day + 4) % 7)) day += 1;
  return new Date((day + 1) * DAY_MS - shift);
}
