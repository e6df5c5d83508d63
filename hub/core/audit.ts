/** What is recorded of each act on a person's data, and of each refusal. */

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
}

/** Resolves when the event is durable; a read is answered only after that (SECURITY L3-AU4). */
export interface AuditTrail {
  record(event: AuditEvent): Promise<void>;
}
