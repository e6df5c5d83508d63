/** Doctors of institutions, and the life of both at the hub: applied, approved by somebody else, suspended, left. */
import type { Caller } from './access.ts';
import type { Institution } from './institution.ts';
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
    request: Pick<Practitioner, 'institution' | 'licence' | 'name' | 'department' | 'title'>,
    by: Caller,
  ): Promise<Result<Practitioner>>;
  /** Suspension and leaving end sessions at once. Approval asks for an institution that is approved itself. */
  step(practitionerId: string, request: StepRequest, by: Caller): Promise<Result<Practitioner>>;
  read(practitionerId: string): Promise<{ readonly practitioner: Practitioner; readonly history: readonly StandingEntry[] } | null>;
  /** Last applied first. */
  list(filter: PractitionerFilter, page: PageRequest): Promise<Page<Practitioner>>;
}

export interface InstitutionDesk {
  /** `conflict` where the code is registered already. */
  apply(institution: Omit<Institution, 'state'>, by: Caller): Promise<Result<Institution>>;
  /** Suspension and leaving end the sessions of all its people at once. */
  step(code: string, request: StepRequest, by: Caller): Promise<Result<Institution>>;
  read(code: string): Promise<{ readonly institution: Institution; readonly history: readonly StandingEntry[] } | null>;
}

/** Ends the sessions of people who may no longer act; hub/store/session.ts implements it. */
export interface SessionEnd {
  ofPractitioner(practitionerId: string): Promise<void>;
  /** Of everybody of the institution. */
  ofInstitution(code: string): Promise<void>;
}
