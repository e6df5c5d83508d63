/** What is recorded of each act on a person's data, and of each refusal. */
import type { Caller, CodedValue, OnBehalfOf } from './access.ts';
import { isEmergency } from './access.ts';

export interface AuditEvent {
  readonly action: 'read' | 'search' | 'export' | 'feed' | 'change' | 'refuse' | 'administer';
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
): Pick<AuditEvent, 'callerId' | 'callerName' | 'callerRole' | 'peer' | 'onBehalfOf'> => ({
  callerId: caller.id,
  callerName: caller.name,
  callerRole: caller.role,
  peer: caller.peer,
  ...(caller.onBehalfOf === undefined ? {} : { onBehalfOf: auditedUser(caller.onBehalfOf) }),
});

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

/** Resolves when the event is durable; a read is answered only after that (SECURITY L3-AU4). */
export interface AuditTrail {
  record(event: AuditEvent): Promise<void>;
}
