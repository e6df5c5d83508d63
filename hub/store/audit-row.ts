/** A row of the audit as the record that it holds, for whoever reads records whole. */
import type { AuditDetail, AuditRecord, AuditedUser } from '../core/audit.ts';

export interface AuditRow extends Omit<
  AuditRecord,
  'at' | 'callerId' | 'callerName' | 'callerRole' | 'reason' | 'onBehalfOf' | 'detail'
> {
  at: Date;
  caller_id: string;
  caller_name: string;
  caller_role: string;
  reason: string | null;
  on_behalf_of: AuditedUser | null;
  detail: AuditDetail | null;
}

export const AUDIT_COLUMNS = `a.id::text, a.at, a.action, a.outcome, a.face, a.operation, a.caller_id, a.caller_name,
  a.caller_role, a.peer, a.persons, a.objects, a.reason,
  a.on_behalf_of, a.detail`;

export function toRecord(row: AuditRow): AuditRecord {
  const { at, caller_id: callerId, caller_name: callerName, caller_role: callerRole, ...more } = row;
  const { reason, on_behalf_of: onBehalfOf, detail, ...rest } = more;
  return {
    ...rest,
    at: at.toISOString(),
    callerId,
    callerName,
    callerRole,
    ...(reason === null ? {} : { reason }),
    ...(onBehalfOf === null ? {} : { onBehalfOf }),
    ...(detail === null ? {} : { detail }),
  };
}
