/** What is recorded of each act on a person's data, and of each refusal. */
import type { Caller, CodedValue, OnBehalfOf } from './access.ts';
import { isEmergency } from './access.ts';

export interface AuditEvent {
  readonly action: 'read' | 'search' | 'export' | 'feed' | 'change' | 'refuse' | 'administer' | 'sign-on' | 'sign-out';
  readonly outcome: 'success' | 'refused' | 'failure';
  /** fhir, dicomweb, dimse, xds, rest, hl7v2. */
  readonly face: string;
  /** The operation in the face's own words, without patient data: `GET /fhir/ImagingStudy/{id}`, `C-FIND STUDY`. */
  readonly operation: string;
  readonly callerId: string;
  readonly callerName: string;
  readonly callerRole: string;
  readonly peer: string;
  /** Whose data: hub person ids (not names, not numbers), and what of it (resource types and ids, study UIDs). */
  readonly persons: readonly string[];
  readonly objects: readonly string[];
  readonly reason?: string;
  /** The user for whom the caller acted, where an assertion named one. */
  readonly onBehalfOf?: AuditedUser;
  /** What a transaction of a standard was about, where the face knows it. */
  readonly detail?: AuditDetail;
  /** Why: the purpose of use of a session or a grant (SECURITY §6): TREATMENT, EMERGENCY. An assertion's stand in onBehalfOf. */
  readonly purpose?: string;
  /** By what right, where the decision had a ground: treating, ordered, consent, break-glass and its grant. */
  readonly basis?: string;
  /** Whence: where the user works, the session (a hash of it, never its secret), and the browser or program. */
  readonly institution?: string;
  readonly session?: string;
  readonly agent?: string;
}

/** A SOAP request to another system. */
export interface OutgoingCall {
  readonly action: string;
  readonly messageId: string;
  /** XML of the body. */
  readonly body: string;
  readonly endpoint: string;
}

/** Is told of a call before it is made; where it rejects, the call is not made. */
export type Calling = (call: OutgoingCall) => Promise<void>;

/** A document of the affinity domain, as an audit message names it. */
export interface AuditDocument {
  readonly uniqueId: string;
  /** repositoryUniqueId, an OID. */
  readonly repository?: string;
  /** homeCommunityId as it stood in the message: `urn:oid:...`. */
  readonly home?: string;
}

/**
 * What IHE ITI TF-2 §3.20 and PS3.15 A.5 ask of a record beyond who and whose. It may hold identifiers of patients (the
 * query as it was sent, ids as CX), so it goes into the audit and its messages only: never into a log.
 */
export interface AuditDetail {
  /** `ITI-18`, `RAD-69`. */
  readonly transaction?: string;
  /** True where the hub asked another system; false or absent: it was asked. */
  readonly initiated?: boolean;
  /** The service that was called, an absolute URL; where absent the hub's own. */
  readonly endpoint?: string;
  /** wsa:MessageID or MSH-10. */
  readonly messageId?: string;
  /** What a patient record event did. */
  readonly change?: 'create' | 'update' | 'delete' | 'merge';
  /** Ids of patients as the message gave them, HL7 CX; of a merge the survivor first. */
  readonly patientIds?: readonly string[];
  /** uniqueId of the submission set. */
  readonly submissionSet?: string;
  readonly documents?: readonly AuditDocument[];
  readonly query?: AuditQuery;
  /** It was written down elsewhere first, since the audit could not be written when it was done: its key there. */
  readonly reserved?: string;
}

export interface AuditQuery {
  /** UUID of the stored query, SOP class of the query model. */
  readonly id?: string;
  /** The query as it was sent, base64. */
  readonly content: string;
  readonly home?: string;
}

/** One record as it stands in the store. */
export interface AuditRecord extends AuditEvent {
  readonly id: string;
  /** ISO 8601, UTC. */
  readonly at: string;
}

export interface AuditedUser {
  readonly issuer: string;
  readonly userId: string;
  readonly userName?: string;
  readonly organization?: string;
  readonly roles: readonly CodedValue[];
  readonly purposes: readonly CodedValue[];
  readonly delegates?: readonly string[];
  /** The purpose of use was an emergency: for the review of such access. */
  readonly emergency: boolean;
}

/** The caller in the audit's words: the system and, beside it, the user for whom it acts. */
export const audited = (
  caller: Caller,
): Pick<
  AuditEvent,
  'callerId' | 'callerName' | 'callerRole' | 'peer' | 'onBehalfOf' | 'agent' | 'purpose' | 'institution' | 'session'
> => ({
  callerId: caller.id,
  callerName: caller.name,
  callerRole: caller.role,
  peer: caller.peer,
  ...(caller.agent === undefined ? {} : { agent: caller.agent }),
  ...(caller.onBehalfOf === undefined ? {} : { onBehalfOf: auditedUser(caller.onBehalfOf) }),
  ...(caller.user === undefined ? {} : { purpose: caller.user.purpose, session: caller.user.sessionId }),
  ...(caller.user === undefined || caller.user.institution === null ? {} : { institution: caller.user.institution }),
});

/** Grounds that are an emergency, among those that core/subject.ts names: a grant, or what a trusted issuer stated. */
const IN_EMERGENCY = /(^| )(break-glass|emergency)( |\(|$)/;

/**
 * Access that nobody may be stopped in for want of a record: it is written elsewhere first, and drained into the audit. A
 * doctor who broke the glass goes on in a session for treatment: there the ground tells it, not the purpose.
 */
export const isEmergencyAccess = ({ purpose, basis = '', onBehalfOf }: AuditEvent): boolean =>
  onBehalfOf?.emergency === true ||
  IN_EMERGENCY.test(basis) ||
  (purpose !== undefined && isEmergency({ purposes: [{ code: purpose }] }));

export const auditedUser = (user: OnBehalfOf): AuditedUser => ({
  issuer: user.issuer,
  userId: user.userId,
  ...(user.userName === undefined ? {} : { userName: user.userName }),
  ...(user.organization === undefined ? {} : { organization: user.organization }),
  roles: user.roles,
  purposes: user.purposes,
  ...(user.delegates === undefined ? {} : { delegates: user.delegates }),
  emergency: isEmergency(user),
});

/**
 * Resolves when the event is durable; a read is answered only after that (SECURITY L3-AU4). `soon`: nobody waits for it,
 * since what it tells is durable elsewhere, so it may share a commit with what comes a moment later.
 */
export interface AuditTrail {
  record(event: AuditEvent, when?: 'soon'): Promise<void>;
}

/** All of what is given must hold; lists are alternatives. `from` included, `to` excluded. */
export interface AuditCriteria {
  readonly from?: string;
  readonly to?: string;
  readonly ids?: readonly string[];
  /** Of each list one must be there, under whatever name the person had when it was shown. */
  readonly persons?: readonly (readonly string[])[];
  readonly callerIds?: readonly string[];
  /** Beginnings of names, in lower case. */
  readonly callerNames?: readonly string[];
  readonly outcomes?: readonly AuditEvent['outcome'][];
  readonly objects?: readonly string[];
}

/** A place in the audit, which is read newest first. */
export type AuditPlace = Pick<AuditRecord, 'at' | 'id'>;

/** Records whole, for who may see all of them. */
export interface AuditSearch {
  read(place: AuditPlace): Promise<AuditRecord | null>;
  /** Newest first, at most `limit`, older than `after`. Rejects with a SearchTimeout when it takes too long. */
  find(
    criteria: AuditCriteria,
    page: { readonly limit: number; readonly after?: AuditPlace },
  ): Promise<readonly AuditRecord[]>;
}

/** Records that a repository of audit records elsewhere has still to get. */
export interface AuditSpool {
  /**
   * Hands the oldest to `send` and forgets them once it resolved; where it rejects they stay. Answers how many went; 0
   * where nothing waits, or another process is at it. At least once: what was sent before a crash is sent again.
   */
  deliver(limit: number, send: (records: readonly AuditRecord[]) => Promise<void>): Promise<number>;
  /** How many wait, and the age of the oldest in seconds. */
  backlog(): Promise<{ readonly records: number; readonly oldestSeconds: number }>;
}

/** A repository of audit records (IHE ITI-20). */
export interface AuditRepository {
  /** Resolves when the repository has got all of them; rejects where that is not sure, and when `signal` aborts. */
  send(messages: readonly SyslogMessage[], signal: AbortSignal): Promise<void>;
}

/** What a syslog message says beside its sender (RFC 5424). */
export interface SyslogMessage {
  readonly severity: 'notice' | 'warning';
  readonly at: string;
  readonly messageId: string;
  /** RFC 5424 §7.3.1: the same number again is the same record again. */
  readonly sequenceId: number;
  readonly text: string;
}
