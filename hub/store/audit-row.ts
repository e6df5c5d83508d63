/** A row of the audit as the record that it holds, for whoever reads records whole. */
import type { AuditDetail, AuditRecord, AuditedUser } from '../core/audit.ts';

export interface AuditRow extends Omit<
  AuditRecord,
  | ('at' | 'callerId' | 'callerName' | 'callerRole')
  | ('reason' | 'onBehalfOf' | 'detail' | 'purpose' | 'basis' | 'institution' | 'session' | 'agent')
> {
  at: Date;
  caller_id: string;
  caller_name: string;
  caller_role: string;
  reason: string | null;
  on_behalf_of: AuditedUser | null;
  detail: AuditDetail | null;
  purpose: string | null;
  basis: string | null;
  institution: string | null;
  session: string | null;
  agent: string | null;
}

export const AUDIT_COLUMNS = `a.id::text, a.at, a.action, a.outcome, a.face, a.operation, a.caller_id, a.caller_name,
  a.caller_role, a.peer, a.persons, a.objects, a.reason,
  a.on_behalf_of, a.detail, a.purpose, a.basis, a.institution, a.session, a.agent`;

/** What is null is not there. */
const told = <T extends object>(members: T): { readonly [K in keyof T]?: NonNullable<T[K]> } =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== null)) as never;

export function toRecord(row: AuditRow): AuditRecord {
  const { id, at, action, outcome, face, operation, peer, persons, objects } = row;
  const { reason, on_behalf_of: onBehalfOf, detail, purpose, basis, institution, session, agent } = row;
  return {
    ...{ id, at: at.toISOString(), action, outcome, face, operation },
    ...{ callerId: row.caller_id, callerName: row.caller_name, callerRole: row.caller_role, peer, persons, objects },
    ...told({ reason, onBehalfOf, detail, purpose, basis, institution, session, agent }),
  };
}
