/**
 * What follows odd access: how grave each rule is, what the configuration says is done about it, and the flag that stands
 * with the account until somebody of the security administration has closed it. Nothing of it stops an emergency.
 */
import type { RuleName } from './audit-rules.ts';
import type { Page, PageRequest } from './operation.ts';
import type { Result } from './problem.ts';

export const SEVERITIES = ['low', 'medium', 'high'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** `break-glass`: an emergency that a review found to be none. */
export type FlagRule = RuleName | 'break-glass';

/** One common surname or one night shift is a hint; a record read without any ground is what the desk should have stopped. */
export const SEVERITY_OF: Readonly<Record<FlagRule, Severity>> = {
  'no-relation': 'high',
  'break-glass': 'high',
  'many-patients': 'medium',
  'many-refusals': 'medium',
  'same-surname': 'medium',
  colleague: 'medium',
  night: 'medium',
  'own-record': 'low',
  sensitive: 'low',
};

/** Told to the security administrators; the account's holder is asked why; the account is suspended until they decide. */
export const REACTIONS = ['notify', 'explain', 'suspend'] as const;
export type Reaction = (typeof REACTIONS)[number];

/** From which severity on; null: never. */
export type ReactionPolicy = Readonly<Record<Reaction, Severity | null>>;

/** Nobody is shut out by a machine unless an operator says so. */
export const USUAL_REACTIONS: ReactionPolicy = { notify: 'medium', explain: 'high', suspend: null };

/** The strongest that the policy asks for; null: the flag is the auditors' alone. */
export function reactionTo(rule: FlagRule, policy: ReactionPolicy): Reaction | null {
  const severity = SEVERITIES.indexOf(SEVERITY_OF[rule]);
  const asked = REACTIONS.filter((one) => {
    const from = policy[one];
    return from !== null && severity >= SEVERITIES.indexOf(from);
  });
  return asked.at(-1) ?? null;
}

export interface AccountFlag {
  readonly flagId: string;
  readonly accountId: string;
  readonly accountName: string;
  /** The emergency of which it comes; null: it comes of odd access, and `auditFlagId` is the auditors' flag. */
  readonly grantId: string | null;
  readonly auditFlagId: string | null;
  readonly rule: FlagRule;
  readonly severity: Severity;
  readonly reaction: Reaction;
  readonly at: string;
  readonly by: string;
  readonly note: string;
  readonly explanation: { readonly text: string; readonly at: string } | null;
  readonly closed: { readonly at: string; readonly by: string; readonly note: string } | null;
}

export interface AccountFlagDesk {
  /** Newest first. Absent members do not restrict. */
  list(filter: { readonly open?: boolean; readonly accountId?: string }, page: PageRequest): Promise<Page<AccountFlag>>;
  /** By whose account it is, once. Problems: `not-found` where it is another's; `conflict` where it was explained or closed. */
  explain(id: string, accountId: string, text: string): Promise<Result<AccountFlag>>;
  /** Problems: `not-found`; `conflict` where it is closed, or is the closer's own. */
  close(
    id: string,
    by: { readonly id: string; readonly accountId: string },
    note: string,
  ): Promise<Result<AccountFlag>>;
}

/** How much waits for a person; a count is null where the asker has no right to what it counts. */
export interface Worklist {
  readonly ownFlags: number;
  readonly accountFlags: number | null;
  readonly auditFlags: number | null;
  readonly breakGlass: number | null;
  readonly applications: number | null;
  readonly pendingAccounts: number | null;
  /** What somebody else asked for, about another account. */
  readonly approvals: number | null;
}

/** Of what the asker has a right to; the account's own is everybody's. */
export type WorklistReader = (
  accountId: string,
  of: Readonly<Record<'policy' | 'audit' | 'reviews' | 'people' | 'approve', boolean>>,
) => Promise<Worklist>;
