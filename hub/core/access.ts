/** Who may do what: closed by default, one pure decision for every face, with its reason. */
import type { SiteId } from './identifier.ts';

export type Role = 'administrator' | 'operator' | 'query-platform' | 'hospital-feed';

/** Who calls: an API client, or a registered hospital system on HL7 or DICOM. */
export interface Caller {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  /** Where the role is bound to one hospital. */
  readonly site?: SiteId;
  readonly peer: string;
}

export type Act =
  | { readonly kind: 'read-record' | 'search-records' | 'read-images' } // clinical content of any site
  | { readonly kind: 'feed'; readonly site: string } // registrations, orders, exams, reports, images of a site
  | { readonly kind: 'submit-documents' } // to the affinity domain's registry and repository, and to change one's own there
  | { readonly kind: 'operate' } // journal, review queue, retry: no clinical content
  | { readonly kind: 'administer' }; // clients and their rights

export type Decision = { readonly allowed: true } | { readonly allowed: false; readonly reason: string };

const allow: Decision = { allowed: true };
const deny = (reason: string): Decision => ({ allowed: false, reason });

export function decide(caller: Caller, act: Act): Decision {
  switch (act.kind) {
    case 'administer':
      return caller.role === 'administrator' ? allow : deny('only an administrator may do this');
    case 'operate':
      return caller.role === 'administrator' || caller.role === 'operator'
        ? allow
        : deny('only an operator may do this');
    case 'feed':
      if (caller.role === 'administrator') return allow;
      if (caller.role !== 'hospital-feed') return deny('only a hospital feed may send');
      return caller.site === act.site ? allow : deny('this feed belongs to another site');
    case 'submit-documents':
      return caller.role === 'hospital-feed' || caller.role === 'administrator'
        ? allow
        : deny('only a hospital feed may submit documents');
    case 'read-record':
    case 'search-records':
    case 'read-images':
      return caller.role === 'query-platform' || caller.role === 'administrator'
        ? allow
        : deny('this role may not read records');
  }
}
