/**
 * What people decide about persons, and what they are shown of one: the ports of merge, split and undo, and of the review
 * of doubts. A decision is a word about registrations; facts are never touched by it.
 */
import type { Caller } from './access.ts';
import type { HubId } from './identifier.ts';
import type { Contribution } from './match/comparison.ts';
import type { SurvivingPerson } from './person.ts';
import type { Result } from './problem.ts';
import type { PatientView } from './view.ts';

export type DecisionKind = 'merge' | 'split' | 'same' | 'not-same' | 'undo';

export interface IdentityDecision {
  readonly decisionId: string;
  readonly kind: DecisionKind;
  readonly at: string;
  readonly by: string;
  readonly reason: string;
  /** The decision that this one took back. */
  readonly undoes: string | null;
  /** The decision that took this one back. */
  readonly undoneBy: string | null;
  readonly records: readonly HubId[];
}

/** Why two registrations are, or are not, one person: a comparison, a hospital's word, or a person's decision. */
export interface Explanation {
  readonly records: readonly [HubId, HubId];
  readonly source: 'comparison' | 'hospital' | 'decision';
  readonly says: 'same' | 'not-same' | 'doubt';
  readonly weight: number | null;
  readonly veto: string | null;
  readonly contributions: readonly Contribution[];
  /** Version of the rules, or the id of the decision. */
  readonly by: string;
}

export interface PersonFile {
  /** The person of today; another than was asked for where that one was joined to it. */
  readonly personId: HubId;
  readonly registrations: readonly PatientView[];
  /** What is shown of the person, each with the registration it comes from. */
  readonly survivors: SurvivingPerson;
  readonly links: readonly Explanation[];
  /** Every decision about one of the registrations, newest first. */
  readonly decisions: readonly IdentityDecision[];
  /** Ids under which the person was known before. */
  readonly formerIds: readonly HubId[];
}

/** Who decides and why. `requestId`: of the caller; the same again is the same decision. */
export interface Deciding {
  readonly caller: Caller;
  readonly reason: string;
  readonly requestId?: string;
}

export interface Decided {
  readonly decision: IdentityDecision;
  /** The persons that the registrations concerned are now. */
  readonly persons: readonly HubId[];
}

export interface IdentityDesk {
  person(personId: string): Promise<PersonFile | null>;
  /** Joins two persons. The older name stays. Refused (`conflict`) where something stands between them. */
  merge(personId: string, otherId: string, by: Deciding): Promise<Result<Decided>>;
  /** These registrations are another person than the rest, from now on and whatever arrives. */
  split(personId: string, recordIds: readonly string[], by: Deciding): Promise<Result<Decided>>;
  /** Takes one decision back; what it overruled counts again. */
  undo(personId: string, decisionId: string, by: Deciding): Promise<Result<Decided>>;
}
