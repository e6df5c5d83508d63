/** Who may do what: closed by default, one pure decision for every face, with its reason. Whose records: core/subject.ts. */
import type { HubId, SiteId } from './identifier.ts';
import type { InstitutionCode } from './institution.ts';

/**
 * Systems: `administrator` (the bootstrap), `operator`, `query-platform`, `hospital-feed`. People: the others, and
 * operators. System, security and audit are three administrators and never one person (GB/T 22239 8.1.4.2 d).
 */
export const ROLES = [
  'administrator',
  'operator',
  'query-platform',
  'hospital-feed',
  'physician',
  'interface-engineer',
  'system-administrator',
  'security-administrator',
  'auditor',
  'regulator',
  'patient',
] as const;
export type Role = (typeof ROLES)[number];

/** Roles that an API client may have. */
export const CLIENT_ROLES = ['administrator', 'operator', 'query-platform', 'hospital-feed'] as const;
export type ClientRole = (typeof CLIENT_ROLES)[number];

/** Roles that an account of a person may hold. */
export const PERSON_ROLES = [
  'physician',
  'interface-engineer',
  'operator',
  'system-administrator',
  'security-administrator',
  'auditor',
  'regulator',
  'patient',
] as const;
export type PersonRole = (typeof PERSON_ROLES)[number];

/** Of these an account holds one at most. */
export const APART: readonly PersonRole[] = ['system-administrator', 'security-administrator', 'auditor'];

export const mayHold = (roles: readonly PersonRole[]): boolean =>
  roles.filter((role) => APART.includes(role)).length <= 1;

export const PURPOSES = [
  'TREATMENT',
  'CONSULTATION',
  'RECOGNITION',
  'SHARE',
  'QC',
  'REGULATION',
  'OPS',
  'RESEARCH',
  'EMERGENCY',
  'PATIENT',
] as const;
/** `PATIENT`: patients read of themselves (HL7 v3 PATRQT). */
export type Purpose = (typeof PURPOSES)[number];

/** A person in a session, as signed in: what their account and their choice of role say now. */
export interface SignedIn {
  readonly accountId: string;
  readonly loginName: string;
  readonly displayName: string;
  readonly institution: InstitutionCode | null;
  readonly department?: string;
  /** By which hospitals' systems name them: the requester of an order. */
  readonly practitionerId?: string;
  readonly purpose: Purpose;
  readonly factors: readonly ('password' | 'totp' | 'saml')[];
  /** SHA-256 of the session's own secret: names the session, opens nothing. */
  readonly sessionId: string;
  /** Of a patient: whose records are theirs now. Absent: nobody's, or it is in doubt whose. */
  readonly person?: HubId;
}

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
  /**
   * Named by the calling system and by no issuer: what is read is read by the system's own right, and the name is for the
   * record and for what the user makes.
   */
  readonly vouched?: true;
  /** Who acts in the user's place: an assistant of the physician, or a service. */
  readonly delegates?: readonly string[];
}

/** Who calls: an API client, a registered hospital system on HL7 or DICOM, or a person in a session. */
export interface Caller {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  /** Where the role is bound to one hospital. */
  readonly site?: SiteId;
  /** A system of a hospital whose word about its patients' will is taken: a security administrator said so. */
  readonly recordsConsents?: true;
  readonly peer: string;
  /** The browser or program by its own word, bounded; for the audit. */
  readonly agent?: string;
  /** A user in whose name the system calls. */
  readonly onBehalfOf?: OnBehalfOf;
  /** A person who signed in; `id` and `name` are then the account's. */
  readonly user?: SignedIn;
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
  | { readonly kind: Exclude<ActKind, 'feed' | 'operate' | 'read-raw'> }
  | { readonly kind: 'feed'; readonly site: string }
  /** `site`: whose; absent: every site's, which who is bound to one may ask for where the answer is kept to theirs. */
  | { readonly kind: 'operate' | 'read-raw'; readonly site?: string };

/** What each right means, and who has it at all: the table that openapi/roles.md shows. */
export const RIGHTS = {
  /** Clinical content, by person: core/subject.ts decides whose. */
  'read-record': ['administrator', 'query-platform', 'physician', 'patient'],
  'search-records': ['administrator', 'query-platform', 'physician', 'patient'],
  'read-images': ['administrator', 'query-platform', 'physician', 'patient'],
  /** Persons by what is known of them: who asks is told that somebody exists whose records are closed to them. */
  'find-persons': ['administrator', 'query-platform', 'physician'],
  /** Key images and measurements of a reader, on exams that they may read. */
  annotate: ['administrator', 'physician'],
  /** Registrations, orders, exams, reports, images of a site. */
  feed: ['administrator', 'hospital-feed'],
  /** To the affinity domain's registry and repository, and to change one's own there. */
  'submit-documents': ['administrator', 'hospital-feed'],
  /** A patient's consent or refusal, as a hospital or the patient's own system took it down, or as the patient says it. */
  'record-consent': ['administrator', 'hospital-feed', 'query-platform', 'physician', 'patient'],
  /** Codes of who is present, by the patient, the desk or the patient's own system: who may use one draws none for himself. */
  'draw-present-code': ['administrator', 'hospital-feed', 'query-platform', 'patient'],
  /** To use up such a code: it opens for an institution. */
  'use-present-code': ['administrator', 'hospital-feed', 'query-platform', 'physician'],
  /** What the patient asks, alone or by their own system: who looked, and what is told of emergencies and consents. */
  'speak-for-patient': ['administrator', 'query-platform', 'patient'],
  /** To apply for an institution or a doctor; whose application it is decides nobody. */
  register: ['administrator', 'hospital-feed', 'interface-engineer', 'system-administrator', 'security-administrator'],
  'break-glass': ['administrator', 'physician'],
  /** Journal (masked), review queue, retry, channel state: no clinical content. */
  operate: ['administrator', 'operator', 'system-administrator', 'interface-engineer'],
  /** A message as it came, with all that stands in it. */
  'read-raw': ['administrator', 'interface-engineer'],
  /** Doubts about who is whom: names and numbers side by side, no clinical content. */
  'match-persons': ['administrator', 'operator'],
  'read-statistics': ['administrator', 'operator', 'system-administrator', 'auditor', 'regulator'],
  /** Sites, channels, clients of systems, rules of matching. */
  administer: ['administrator', 'system-administrator'],
  /** Clients at all: of which kind, the next right and `administer` say. */
  'register-clients': ['administrator', 'system-administrator', 'security-administrator'],
  /** Clients that read records: else a system administrator would let himself in by one. */
  'admit-readers': ['administrator', 'security-administrator'],
  /** Accounts and their roles. */
  'administer-people': ['administrator', 'security-administrator'],
  /** The second person for who comes in and for readers (core/approval.ts): never who asked. */
  approve: ['administrator', 'security-administrator', 'system-administrator'],
  /** Institutions and practitioners approved or suspended, consent policy, sensitivity labels, who reviews break-glass. */
  'set-policy': ['administrator', 'security-administrator'],
  /** Who did what to whose data. An operator's client sees less of it, an operator in person nothing. */
  'read-audit': ['administrator', 'auditor', 'operator'],
  /** The audit by REST: records, proofs, odd access. */
  'examine-audit': ['administrator', 'auditor'],
  /** Break-glass reviewed. */
  'review-access': ['administrator', 'auditor', 'security-administrator'],
} as const satisfies Readonly<Record<string, readonly Role[]>>;
export type ActKind = keyof typeof RIGHTS;

export type Decision = { readonly allowed: true } | { readonly allowed: false; readonly reason: string };

const allow: Decision = { allowed: true };
const deny = (reason: string): Decision => ({ allowed: false, reason });

const REFUSED: Partial<Readonly<Record<ActKind, string>>> = {
  administer: 'only an administrator may do this',
  operate: 'only an operator may do this',
  'read-audit': 'only an auditor may do this',
  feed: 'only a hospital feed may send',
  'submit-documents': 'only a hospital feed may submit documents',
  'read-record': 'this role may not read records',
  'search-records': 'this role may not read records',
  'read-images': 'this role may not read records',
};

/** Acts that a user named by a system has a right to or not, whatever the system's own role is. */
const OF_USERS: ReadonlySet<ActKind> = new Set(['read-record', 'search-records', 'read-images', 'annotate']);

/**
 * A system that one hospital runs. Who makes such a client is no judge of what patients agreed to: their consents it
 * records by leave of a security administrator, for its own hospital and patients alone (flow/hospital-word.ts).
 */
export const isHospitalSystem = ({ role, site, user }: Caller): boolean =>
  user === undefined && site !== undefined && (role === 'hospital-feed' || role === 'query-platform');

/** Acts by which records open to somebody in the patient's name. */
const IN_PATIENTS_NAME: ReadonlySet<ActKind> = new Set(['record-consent', 'draw-present-code', 'use-present-code']);

const has = (role: Role | null, kind: ActKind): boolean => role !== null && RIGHTS[kind].some((one) => one === role);

export function decide(caller: Caller, act: Act): Decision {
  if (caller.onBehalfOf?.purposeRefused === true) return deny('the purpose of use gives no right here');
  // In a user's name the user's right decides: what the system may do by itself is not lent to everybody at it.
  const user = caller.onBehalfOf?.vouched === true && act.kind !== 'annotate' ? undefined : caller.onBehalfOf;
  const role = OF_USERS.has(act.kind) && user !== undefined ? user.role : caller.role;
  if (!has(role, act.kind)) return deny(REFUSED[act.kind] ?? 'this role may not do this');
  if (act.kind === 'read-audit' && role === 'operator' && caller.user !== undefined)
    return deny('only an auditor may do this');
  if (IN_PATIENTS_NAME.has(act.kind) && isHospitalSystem(caller) && caller.recordsConsents !== true)
    return deny('no security administrator has let this system record consents');
  if (act.kind === 'feed' && caller.role === 'hospital-feed' && caller.site !== act.site)
    return deny('this feed belongs to another site');
  if ((act.kind === 'operate' || act.kind === 'read-raw') && caller.role === 'interface-engineer') {
    if (caller.site === undefined) return deny('an interface engineer is bound to a site');
    if (act.site !== undefined && act.site !== caller.site) return deny('this belongs to another site');
  }
  return allow;
}

/** A patient asks of nobody else: whoever this is not is, to them, nobody. Of others it says nothing. */
export const isTheirsToAsk = ({ role, user }: Caller, personId: string): boolean =>
  role !== 'patient' || (user?.person !== undefined && user.person === personId);

/**
 * The bootstrap administrator is the way in: somebody must appoint the first security administrator. As soon as one is
 * active (`sealed`) it has the system administrator's rights and no others.
 */
export const standingRole = (role: Role, sealed: boolean): Role =>
  role === 'administrator' && sealed ? 'system-administrator' : role;

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
