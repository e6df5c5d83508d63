/** Asking the matcher who somebody may be, without registering anybody (PDQm ITI-119, `$match`). */
import type { Comparison } from './comparison.ts';
import type { Written } from './registration.ts';

export interface Probed {
  readonly personId: string;
  /** Of the person's registrations the one that fits best. */
  readonly comparison: Comparison;
}

export interface MatchProbe {
  /**
   * Whom the rules in force would link or ask about, one entry a person, the likeliest first, at most `limit`. `sees`: who
   * is not among these is as if not there, before anything is counted or cut.
   */
  probe(
    asked: Omit<Written, 'recordId' | 'issuer'>,
    limit: number,
    sees?: (persons: readonly string[]) => Promise<ReadonlySet<string>>,
  ): Promise<readonly Probed[]>;
}

/** `uncertain`: the rules would link more than one person, which no one person can be. */
export type MatchGrade = 'certain' | 'probable' | 'possible';

export function gradeOf({ outcome, veto }: Comparison, uncertain: boolean): MatchGrade {
  if (outcome === 'link' && veto === null) return uncertain ? 'probable' : 'certain';
  return veto === null ? 'probable' : 'possible';
}

/** Log-odds in bits, prior included, as a probability. */
export const probabilityOf = (bits: number): number => 1 / (1 + 2 ** -bits);
