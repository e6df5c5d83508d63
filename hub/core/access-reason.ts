/**
 * Why somebody reads a person's records, said before reading by accounts that are under a flag (core/account-flag.ts). An
 * emergency asks for none: core/subject.ts looks at a grant first.
 */
import type { Caller, Purpose } from './access.ts';
import type { HubId } from './identifier.ts';
import type { Page, PageRequest } from './operation.ts';

/** How long a reason is good for this person: a shift. */
export const REASON_HOURS = 12;

export interface AccessReason {
  readonly reasonId: string;
  readonly accountId: string;
  readonly accountName: string;
  readonly personId: HubId;
  readonly purpose: Purpose;
  readonly text: string;
  readonly at: string;
  readonly until: string;
}

export interface AccessReasons {
  give(said: Pick<AccessReason, 'personId' | 'purpose' | 'text'>, by: Caller): Promise<AccessReason>;
  /** Newest first. */
  list(
    filter: { readonly accountId?: string; readonly personId?: string },
    page: PageRequest,
  ): Promise<Page<AccessReason>>;
}
