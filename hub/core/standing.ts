/**
 * The life of an institution and of a doctor at the hub: applied for, looked at by somebody else, approved, suspended,
 * left (FLOWS §10). One table of steps for both; what is not in it does not happen.
 */
import { fail, ok, problem, type Result } from './problem.ts';

export const STANDINGS = ['applied', 'approved', 'suspended', 'left'] as const;
export type Standing = (typeof STANDINGS)[number];

export const STANDING_STEPS = ['approve', 'refuse', 'suspend', 'resume', 'leave'] as const;
export type StandingStep = (typeof STANDING_STEPS)[number];

const STEPS: Readonly<Record<StandingStep, { readonly from: readonly Standing[]; readonly to: Standing }>> = {
  approve: { from: ['applied'], to: 'approved' },
  refuse: { from: ['applied'], to: 'left' },
  suspend: { from: ['approved'], to: 'suspended' },
  resume: { from: ['suspended'], to: 'approved' },
  leave: { from: ['approved', 'suspended'], to: 'left' },
};

/** One step of such a life: who took it, when and why. */
export interface StandingEntry {
  readonly step: StandingStep | 'apply';
  readonly by: string;
  readonly at: string;
  readonly reason: string;
}

/** `appliedBy`, `by`: whoever applied, and whoever acts now, as the hub knows callers. */
export function standingAfter(
  standing: Standing,
  step: StandingStep,
  { appliedBy, by }: { readonly appliedBy: string; readonly by: string },
): Result<Standing> {
  const { from, to } = STEPS[step];
  if (!from.includes(standing)) return fail(problem('conflict', 'step', `This is ${standing}: it cannot ${step}.`));
  // GB/T 22239 8.1.4.2: who asks for a right is not who gives it.
  const isSame = appliedBy === by && (step === 'approve' || step === 'resume');
  return isSame ? fail(problem('conflict', 'step', 'Somebody else than the applicant decides this.')) : ok(to);
}
