/**
 * Other rules over everything: compared in the background while the old ones stay in force, reported as what would
 * change, and put in force by an administrator. One at a time; it goes on where it was after any interruption.
 */
import type { Caller } from './access.ts';
import type { HubId } from './identifier.ts';
import type { MatchRules } from './match/rules.ts';
import type { Result } from './problem.ts';

/** `comparing` and `judging` run by themselves; `compared` waits for an administrator; `applying` runs to `done`. */
export type RematchState = 'comparing' | 'judging' | 'compared' | 'applying' | 'done' | 'cancelled';

/** What the new rules would change, counted in registrations and doubts; some pairs of each, to look at. */
export interface RematchReport {
  /** Registrations that would become another person's. */
  readonly moved: number;
  /** Pairs of registrations that are two persons' and would be one's, and the other way round. */
  readonly linked: number;
  readonly split: number;
  /** Doubts that would wait. */
  readonly review: number;
  readonly samples: {
    readonly linked: readonly (readonly [HubId, HubId])[];
    readonly split: readonly (readonly [HubId, HubId])[];
  };
}

export interface Rematch {
  readonly rematchId: string;
  readonly rules: string;
  readonly state: RematchState;
  /** Registrations passed in this state, of how many. */
  readonly passed: number;
  readonly total: number;
  readonly report: RematchReport;
  readonly startedAt: string;
  readonly startedBy: string;
  readonly endedAt: string | null;
}

/** What differs from the rules in force. `version` names the whole and must be new. */
export type RuleChange = { readonly version: string } & Partial<Omit<MatchRules, 'version'>>;

export interface RulesInForce {
  readonly rules: MatchRules;
  /** Keys whose registrations were not all compared, the largest first: the rules or the data need a look. */
  readonly cuts: readonly { readonly candidates: number; readonly times: number; readonly lastAt: string }[];
}

export interface RematchDesk {
  inForce(): Promise<RulesInForce>;
  /** null: the rules in force, to refresh what is kept under them (after an upgrade of the hub). */
  start(change: RuleChange | null, by: Caller): Promise<Result<Rematch>>;
  latest(): Promise<Rematch | null>;
  activate(rematchId: string, by: Caller): Promise<Result<Rematch>>;
  cancel(rematchId: string, by: Caller): Promise<Result<Rematch>>;
}

export interface RematchWork {
  /** Does one bounded step of whatever is under way; false: nothing is. */
  step(): Promise<boolean>;
}
