/** Who may do what: closed by default, one pure decision for every face, with its reason. */
import type { SiteId } from './identifier.ts';

export type Role = 'administrator' | 'operator' | 'query-platform' | 'hospital-feed';

/** A code of another system: HL7 v3 CE. `system` is an OID, empty where the sender told none. */
export interface CodedValue {
  readonly code: string;
  readonly system: string;
  readonly display: string;
}

/** The user for whom a system calls, as a trusted issuer stated it (IHE XUA, ITI TF-2 §3.40). */
export interface OnBehalfOf {
  readonly issuer: string;
  readonly userId: string;
  readonly userName?: string;
  readonly organization?: string;
  readonly organizationId?: string;
  readonly homeCommunityId?: string;
  readonly roles: readonly CodedValue[];
  readonly purposes: readonly CodedValue[];
  /** What the user's roles stand for here, by the issuer's table; null: nothing. */
  readonly role: Role | null;
  /** The issuer's purposes of use were limited, and none that the user has is among them; an emergency always is. */
  readonly purposeRefused?: true;
  /** CX of the patients for whom the statement was issued; empty: it names none. */
  readonly patientIds: readonly string[];
  /** Privacy policies and consent documents that the user's side points to. */
  readonly policies: readonly string[];
  /** Who acts in the user's place: an assistant of the physician, or a service. */
  readonly delegates?: readonly string[];
}

/** Who calls: an API client, or a registered hospital system on HL7 or DICOM. */
export interface Caller {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  /** Where the role is bound to one hospital. */
  readonly site?: SiteId;
  readonly peer: string;
  /** The browser or program by its own word, bounded; for the audit. */
  readonly agent?: string;
  /** A user in whose name the system calls. */
  readonly onBehalfOf?: OnBehalfOf;
}

/**
 * Whose what a caller registers is, and whether it may change what others registered: a hospital's own by its site, so that
 * a new token is no stranger to what an old one sent.
 */
export const submitterOf = ({ id, role, site }: Caller): { readonly sender: string; readonly anybodys: boolean } => ({
  sender: site ?? id,
  anybodys: role === 'administrator',
});

export type Act =
  | { readonly kind: 'read-record' | 'search-records' | 'read-images' } // clinical content of any site
  | { readonly kind: 'feed'; readonly site: string } // registrations, orders, exams, reports, images of a site
  | { readonly kind: 'submit-documents' } // to the affinity domain's registry and repository, and to change one's own there
  | { readonly kind: 'read-audit' } // who did what to whose data
  | { readonly kind: 'review-access' } // the audit by REST: proofs, odd access
  | { readonly kind: 'read-accesses' } // who looked at one patient, for the patient
  | { readonly kind: 'operate' } // journal, review queue, retry: no clinical content
  | { readonly kind: 'administer' }; // clients and their rights

export type Decision = { readonly allowed: true } | { readonly allowed: false; readonly reason: string };

const allow: Decision = { allowed: true };
const deny = (reason: string): Decision => ({ allowed: false, reason });

export function decide(caller: Caller, act: Act): Decision {
  if (caller.onBehalfOf?.purposeRefused === true) return deny('the purpose of use gives no right here');
  switch (act.kind) {
    case 'administer':
    case 'review-access':
      return caller.role === 'administrator' ? allow : deny('only an administrator may do this');
    case 'read-accesses':
      return caller.role === 'administrator' || caller.role === 'query-platform'
        ? allow
        : deny('this role may not read who looked');
    case 'operate':
    case 'read-audit':
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
      // In a user's name the user's right decides: what the system may do by itself is not lent to everybody at it.
      return mayRead(caller.onBehalfOf ? caller.onBehalfOf.role : caller.role);
  }
}

const mayRead = (role: Role | null): Decision =>
  role === 'query-platform' || role === 'administrator' ? allow : deny('this role may not read records');

/**
 * Whether the caller's user may see this patient (`ids`: every CX that is known of them). A statement that was issued for
 * one patient is good for this patient only: what cannot be compared with it is another. `standing`: where the patients
 * that it names stand now, of those whose ids were merged away since.
 */
export function decidePatient(caller: Caller, ids: readonly string[], standing: readonly string[] = []): Decision {
  const named = caller.onBehalfOf?.patientIds ?? [];
  if (named.length === 0) return allow;
  const allowed = [...named, ...standing].map(cxKey);
  const asked = ids.map(cxKey);
  if (asked.some((one) => allowed.some((other) => other.authority === one.authority && other.id === one.id)))
    return allow;
  return deny('the assertion was issued for another patient');
}

/** The same id as the affinity domain writes it: `id^^^&oid&ISO`. */
export function plainCx(cx: string): string {
  const { id, authority } = cxKey(cx);
  return `${id}^^^&${authority}&ISO`;
}

/** `id^^^namespace&oid&ISO`: id and OID alone tell a patient. */
function cxKey(cx: string): { readonly id: string; readonly authority: string } {
  const [id = '', , , authority = ''] = cx.trim().split('^');
  const [namespace = '', oid = ''] = authority.split('&');
  return { id: id.trim(), authority: oid === '' ? namespace : oid };
}

export function isSamePatientId(one: string, other: string): boolean {
  const [a, b] = [cxKey(one), cxKey(other)];
  return a.id === b.id && a.authority === b.authority;
}

/** Purposes of use that stand for an emergency: XSPA, HL7 v3 ActReason, and a national code list. */
const EMERGENCY = new Set(['EMERGENCY', 'ETREAT', 'BTG', 'EMER']);

export const isEmergency = (user: { readonly purposes: readonly Pick<CodedValue, 'code'>[] }): boolean =>
  user.purposes.some(({ code }) => EMERGENCY.has(code.toUpperCase()));
