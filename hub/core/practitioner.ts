/** Doctors of institutions, and the life of both at the hub: applied, approved by somebody else, suspended, left. */
import type { Caller } from './access.ts';
import type { Consortium, Institution } from './institution.ts';
import type { Page, PageRequest } from './operation.ts';
import type { Result } from './problem.ts';
import type { Standing, StandingEntry, StandingStep } from './standing.ts';

export interface Practitioner {
  readonly practitionerId: string;
  /** Code of the institution. */
  readonly institution: string;
  /** Number of the licence to practise (医师执业证书编码). */
  readonly licence: string;
  readonly name: string;
  readonly department: string;
  readonly title: string;
  /** The account by which the doctor signs on; null: none yet. */
  readonly accountId: string | null;
  readonly state: Standing;
  readonly appliedBy: string;
  readonly appliedAt: string;
  readonly updatedAt: string;
}

export interface PractitionerFilter {
  readonly institution?: string;
  readonly state?: Standing;
}

/** One step asked for, with its reason. */
export interface StepRequest {
  readonly step: StandingStep;
  readonly reason: string;
}

export interface PractitionerDesk {
  /** `not-found` where the institution is not known; `conflict` where the licence is registered there already. */
  apply(
    request: Pick<Practitioner, 'institution' | 'licence' | 'name' | 'department' | 'title' | 'accountId'>,
    by: Caller,
  ): Promise<Result<Practitioner>>;
  /** Suspension and leaving end the account's sessions at once. Approval asks for an institution that is approved itself. */
  step(practitionerId: string, request: StepRequest, by: Caller): Promise<Result<Practitioner>>;
  read(
    practitionerId: string,
  ): Promise<{ readonly practitioner: Practitioner; readonly history: readonly StandingEntry[] } | null>;
  /** Last applied first. */
  list(filter: PractitionerFilter, page: PageRequest): Promise<Page<Practitioner>>;
}

/** What an institution applies with, beside what it is. */
export interface InstitutionPapers {
  /** Number of its licence (医疗机构执业许可证). */
  readonly licence: string | null;
  readonly uscc: string | null;
}
export type RegisteredInstitution = Institution & InstitutionPapers;

export interface InstitutionDesk {
  /** `conflict` where the code, or one of its sites, is registered already. */
  apply(institution: Omit<RegisteredInstitution, 'state'>, by: Caller): Promise<Result<RegisteredInstitution>>;
  /** Suspension and leaving end the sessions of all its people at once; leaving also revokes its systems. */
  step(code: string, request: StepRequest, by: Caller): Promise<Result<RegisteredInstitution>>;
  read(
    code: string,
  ): Promise<{ readonly institution: RegisteredInstitution; readonly history: readonly StandingEntry[] } | null>;
  /** By code. */
  list(filter: { readonly state?: Standing }, page: PageRequest): Promise<Page<RegisteredInstitution>>;
  consortia(): Promise<readonly Consortium[]>;
  /** `id` null: a new one. `not-found` where it, or a member, is not known. */
  saveConsortium(id: string | null, consortium: Omit<Consortium, 'id'>): Promise<Result<Consortium>>;
}
