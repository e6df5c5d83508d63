/**
 * Whose records a caller may see: one pure decision for every face, closed by default, with its reason and its basis
 * (SECURITY §6): role x institution x relation to the patient x consent x sensitivity x purpose x time.
 */
import type { Caller, Purpose, Role } from './access.ts';
import { isEmergency } from './access.ts';
import {
  askConsents,
  EMERGENCY_POLICY,
  opensInEmergency,
  type ConsentAnswer,
  type EmergencyPolicy,
  type StandingConsent,
} from './consent.ts';
import type { HubId, SiteId } from './identifier.ts';
import type { InstitutionCode, InstitutionMap } from './institution.ts';

/** Level 5 of GB/T 39725: special diseases and special persons. A label of the data's own is any other word. */
export const SENSITIVITIES = ['psychiatry', 'hiv', 'std', 'genetics', 'reproduction', 'addiction', 'vip'] as const;
export type Sensitivity = (typeof SENSITIVITIES)[number];

/** A person, and of their records an exam where the record is of one. */
export interface Subject {
  readonly person: HubId;
  readonly exam?: {
    readonly id: HubId;
    /** Who made it. */
    readonly site: SiteId;
    readonly labels: readonly Sensitivity[];
    /** The record is of the exam's report, which nobody has signed, or which was withdrawn. */
    readonly unsigned?: true;
  };
}

/** Somebody of whom the index knows nothing: a record of theirs is a system's by contract, and no reader's patient. */
export const NOBODY_KNOWN = '' as HubId;

export interface Relation {
  /**
   * A registration or activity at the reader's institution; an order of the reader; a consultation or a recognition that
   * they take part in; a share that was made to them.
   */
  readonly kind: 'treating' | 'ordered' | 'consulting' | 'recognised' | 'shared';
  /** ISO 8601; null: without an end. */
  readonly until: string | null;
  /** Where it reaches these exams only. */
  readonly exams?: readonly HubId[];
}

/** Emergency access: one account, one person, for a time, to be reviewed. */
export interface BreakGlassGrant {
  readonly id: string;
  readonly accountId: string;
  readonly person: HubId;
  readonly until: string;
}

/** What is known of a person and a reader. */
export interface SubjectFacts {
  readonly relations: readonly Relation[];
  readonly consents: readonly StandingConsent[];
  readonly grants: readonly BreakGlassGrant[];
  /** The reader is under a flag and has not said why (core/access-reason.ts). */
  readonly reasonWanted?: true;
}

export const NO_FACTS: SubjectFacts = { relations: [], consents: [], grants: [] };

export type Basis =
  /** The bootstrap, before there is a security administrator. */
  | 'bootstrap'
  /** A system's contract with the hub. */
  | 'contract'
  /** The patient's own. */
  | 'self'
  /** Made by the reader's own institution, of a patient of its own. */
  | 'own-record'
  | 'treating'
  | 'ordered'
  | 'consulting'
  | 'recognised'
  | 'shared'
  | 'consent'
  | 'break-glass'
  /** An emergency stated by a trusted issuer. */
  | 'emergency';

export type Denial =
  | 'role'
  | 'institution-not-approved'
  | 'purpose'
  | 'patient-refused'
  | 'sensitive'
  | 'no-relation'
  | 'no-agreement'
  | 'not-signed'
  | 'reason-required';

/** What is told of a denial: the words of the audit and of a face that may speak of it at all. */
export const DENIALS: Readonly<Record<Denial, string>> = {
  role: 'this role may not read records',
  'institution-not-approved': 'the institution of the reader is not approved',
  purpose: 'the purpose gives no right to records of a person',
  'patient-refused': 'the patient refused',
  sensitive: 'the record is sensitive and nothing reaches it',
  'no-relation': 'there is no relation to the patient',
  'no-agreement': 'no agreement joins the institutions',
  'not-signed': 'the report is not signed',
  'reason-required': 'the account is under a flag and says why first',
};

export type SubjectDecision =
  | { readonly allowed: true; readonly basis: Basis; readonly because?: string }
  | { readonly allowed: false; readonly reason: Denial };

/** Who reads, as the facts know them: a person of an institution, a hospital's system, or a platform by its contract. */
export interface Reader {
  readonly role: Role | null;
  readonly kind: 'person' | 'system';
  readonly institution: InstitutionCode | null;
  readonly purpose: Purpose;
  readonly emergency: boolean;
  readonly practitionerId: string | null;
  readonly accountId: string | null;
  /** Of a patient: who that is. */
  readonly self: HubId | null;
}

const STATED: Readonly<Record<string, Purpose>> = {
  TREAT: 'TREATMENT',
  TREATMENT: 'TREATMENT',
  CAREMGT: 'CONSULTATION',
  COORDCTRL: 'CONSULTATION',
  ETREAT: 'EMERGENCY',
  EMERGENCY: 'EMERGENCY',
  BTG: 'EMERGENCY',
  HRESCH: 'RESEARCH',
  RESEARCH: 'RESEARCH',
  HOPERAT: 'OPS',
  HQUALIMP: 'QC',
  PUBHLTH: 'REGULATION',
};

/** A user named by an assertion counts as a person of their organization, where that is one we know. */
export function readerOf(caller: Caller, institutions: InstitutionMap): Reader {
  const { user, onBehalfOf: stated } = caller;
  const ofSite = caller.site === undefined ? null : institutions.ofSite(caller.site);
  if (user !== undefined)
    return {
      role: caller.role,
      kind: 'person',
      institution: user.institution,
      purpose: user.purpose,
      // The choice of a purpose opens nothing by itself: a grant does.
      emergency: false,
      practitionerId: user.practitionerId ?? null,
      accountId: user.accountId,
      self: user.person ?? null,
    };
  if (stated !== undefined && stated.vouched !== true) {
    const named = stated.organizationId === undefined ? null : institutions.byCode(stated.organizationId);
    const purpose = stated.purposes.map(({ code }) => STATED[code.toUpperCase()]).find((one) => one !== undefined);
    return {
      role: stated.role,
      kind: stated.role === 'physician' ? 'person' : 'system',
      institution: named?.code ?? ofSite,
      purpose: purpose ?? 'TREATMENT',
      emergency: isEmergency(stated),
      practitionerId: stated.userId,
      accountId: null,
      self: null,
    };
  }
  return {
    role: caller.role,
    kind: caller.role === 'physician' ? 'person' : 'system',
    institution: ofSite,
    purpose: 'TREATMENT',
    emergency: false,
    practitionerId: null,
    accountId: null,
    self: null,
  };
}

const allow = (basis: Basis, because?: string): SubjectDecision => ({
  allowed: true,
  basis,
  ...(because === undefined ? {} : { because }),
});
const deny = (reason: Denial): SubjectDecision => ({ allowed: false, reason });

/** Purposes for which a relation to the patient opens their records; others need the patient's own word. */
const OF_CARE: ReadonlySet<Purpose> = new Set(['TREATMENT', 'CONSULTATION', 'RECOGNITION', 'SHARE', 'EMERGENCY']);

/** Relations that reach a sensitive exam of another institution: the reader has asked for it, or was asked about it. */
const REACHES_SENSITIVE: ReadonlySet<Relation['kind']> = new Set(['ordered', 'consulting', 'shared']);

export function decideSubject(
  reader: Reader,
  subject: Subject,
  facts: SubjectFacts,
  institutions: InstitutionMap,
  at: string,
  policy: EmergencyPolicy = EMERGENCY_POLICY,
): SubjectDecision {
  if (reader.role === 'administrator') return allow('bootstrap');
  if (reader.role !== 'query-platform' && reader.role !== 'physician' && reader.role !== 'patient') return deny('role');
  const said = sayOfPatient(reader, subject, facts, institutions, at);
  if (reader.role === 'patient') return decidePatientSelf(reader, subject, said);
  const grant = facts.grants.find((one) => one.accountId === reader.accountId && at < one.until);
  const opened = opensInEmergency(said, subject.exam?.labels ?? [], policy);
  if (grant !== undefined && opened) return allow('break-glass', grant.id);
  if (reader.emergency && opened) return allow('emergency');
  if (reader.institution !== null && institutions.byCode(reader.institution)?.state !== 'approved')
    return deny('institution-not-approved');
  if (reader.kind === 'system') return decideSystem(reader, subject, facts, said, institutions, at);
  const decision = decidePerson(reader, subject, facts, said, institutions, at);
  return decision.allowed && facts.reasonWanted === true ? deny('reason-required') : decision;
}

/**
 * Their own and nothing else (PIPL 45), whatever they refused to others. A sensitive record is not shown by an account
 * alone, who may hold a family's telephone: as to any reader without part in it, it is closed until the patient's consent
 * names its label; where it was made they are told of it.
 */
function decidePatientSelf({ self }: Reader, subject: Subject, said: ConsentAnswer): SubjectDecision {
  if (self === null || subject.person !== self) return deny('no-relation');
  // What nobody answers for yet is for doctors to read.
  if (subject.exam?.unsigned === true) return deny('not-signed');
  return isSensitive(subject) && said.effect !== 'permit' ? deny('sensitive') : allow('self');
}

function decideSystem(
  reader: Reader,
  subject: Subject,
  facts: SubjectFacts,
  said: ConsentAnswer,
  institutions: InstitutionMap,
  at: string,
): SubjectDecision {
  // A hospital's own system shows the hospital its own records: a refusal is of sharing them.
  if (isOwn(reader, subject, relationOf(subject, facts, at), institutions)) return allow('own-record');
  if (said.effect === 'deny') return deny('patient-refused');
  if (said.effect === 'permit') return allow('consent', said.consentId);
  return isSensitive(subject) ? deny('sensitive') : allow('contract');
}

function decidePerson(
  reader: Reader,
  subject: Subject,
  facts: SubjectFacts,
  said: ConsentAnswer,
  institutions: InstitutionMap,
  at: string,
): SubjectDecision {
  if (reader.institution === null) return deny('institution-not-approved');
  const relation = OF_CARE.has(reader.purpose) ? relationOf(subject, facts, at) : null;
  if (relation !== null && isOwn(reader, subject, relation, institutions)) return allow('own-record', relation.kind);
  if (said.effect === 'deny') return deny('patient-refused');
  if (said.effect === 'permit') return allow('consent', said.consentId);
  if (!OF_CARE.has(reader.purpose)) return deny('purpose');
  if (relation === null) return deny('no-relation');
  if (isSensitive(subject) && !REACHES_SENSITIVE.has(relation.kind)) return deny('sensitive');
  const source = subject.exam === undefined ? null : institutions.ofSite(subject.exam.site);
  // A share, a consultation and a recognition are agreements of their own.
  if (relation.kind !== 'treating' && relation.kind !== 'ordered') return allow(relation.kind);
  if (subject.exam === undefined) return allow(relation.kind);
  const agreement = source === null ? null : institutions.agreement(reader.institution, source, at);
  return agreement === null ? deny('no-agreement') : allow(relation.kind, agreement);
}

const isSensitive = ({ exam }: Subject): boolean => (exam?.labels.length ?? 0) > 0;

/** An exam that the reader's institution made; of the person themselves: a patient of that institution. */
function isOwn(
  { institution }: Reader,
  { exam }: Subject,
  relation: Relation | null,
  institutions: InstitutionMap,
): boolean {
  if (institution === null) return false;
  if (exam === undefined) return relation?.kind === 'treating';
  const source = institutions.ofSite(exam.site);
  return source !== null && institutions.within(institution).has(source);
}

/** The relation that reaches furthest: what reaches sensitive records stands before what does not. */
function relationOf({ exam }: Subject, { relations }: SubjectFacts, at: string): Relation | null {
  const standing = relations.filter(
    (one) =>
      (one.until === null || at < one.until) &&
      (one.exams === undefined || (exam !== undefined && one.exams.includes(exam.id))),
  );
  const furthest = exam === undefined ? standing.find(({ kind }) => kind === 'treating') : undefined;
  return furthest ?? standing.find(({ kind }) => REACHES_SENSITIVE.has(kind)) ?? standing[0] ?? null;
}

/** What this patient said about this reader, purpose and record (core/consent.ts). */
function sayOfPatient(
  { institution, purpose, emergency }: Reader,
  { exam }: Subject,
  { consents }: SubjectFacts,
  institutions: InstitutionMap,
  at: string,
): ConsentAnswer {
  if (consents.length === 0) return { effect: 'silent' };
  const source = exam === undefined ? null : institutions.ofSite(exam.site);
  const ofSource = source === null ? [] : institutions.lineage(source, at);
  return askConsents(consents, {
    recipient: institution === null ? [] : institutions.lineage(institution, at),
    // Who the patient is belongs to no hospital, and to no kind of record that is refused.
    source: exam === undefined ? null : ofSource,
    class: exam === undefined ? 'Patient' : null,
    purpose: emergency ? 'EMERGENCY' : purpose,
    labels: exam?.labels ?? [],
    at,
  });
}
