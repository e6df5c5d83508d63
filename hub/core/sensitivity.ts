/** Which exams are sensitive (GB/T 39725 level 5): rules over what an exam says of itself, and labels that a person set. */
import type { HubId, SiteId } from './identifier.ts';
import type { Result } from './problem.ts';
import type { Sensitivity } from './subject.ts';

/** What of an order a rule looks at; `site`: every exam of one hospital. */
export const RULE_FIELDS = ['requestingDepartment', 'procedure', 'diagnosis', 'modality', 'bodyPart', 'site'] as const;
export type RuleField = (typeof RULE_FIELDS)[number];

export interface SensitivityRuleTerms {
  readonly field: RuleField;
  /** As the province's table has it, or as the source gave it. */
  readonly code: string;
  readonly label: Sensitivity;
  /** Of this hospital's exams alone; null: of all. */
  readonly site: SiteId | null;
  readonly reason: string;
}

export interface SensitivityRule extends SensitivityRuleTerms {
  readonly ruleId: string;
  readonly createdAt: string;
  readonly createdBy: string;
}

/** Exams of before the last change of a rule are gone through in the background. */
export interface SensitivitySweep {
  readonly beganAt: string;
  readonly endedAt: string | null;
  readonly exams: number;
}

export interface ExamLabel {
  readonly label: Sensitivity;
  readonly source: 'rule' | 'hand';
  readonly setAt: string;
  readonly setBy: string;
  readonly reason: string;
}

export interface ExamLabels {
  readonly examId: HubId;
  readonly personId: HubId;
  readonly site: SiteId;
  readonly labels: readonly ExamLabel[];
}

export interface SensitivityDesk {
  rules(): Promise<{ readonly items: readonly SensitivityRule[]; readonly sweep: SensitivitySweep }>;
  /** A conflict: it stands already. `busy`: what is being written did not come to an end in time. */
  addRule(terms: SensitivityRuleTerms, by: string): Promise<Result<SensitivityRule>>;
  removeRule(ruleId: string): Promise<Result<SensitivityRule>>;
  /** null: there is no such exam. */
  labelsOf(examId: string): Promise<ExamLabels | null>;
  /** The labels by hand become these; those by rule stay. */
  setLabels(
    examId: string,
    labels: readonly Sensitivity[],
    by: { readonly id: string; readonly reason: string },
  ): Promise<ExamLabels | null>;
}

/** Labels the next exams of the sweep; how many, 0: it is at its end. */
export type LabelStep = (limit: number) => Promise<number>;
