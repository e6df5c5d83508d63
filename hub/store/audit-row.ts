/** A row of the audit as the record that it holds, for whoever reads records whole. */
import type { AuditDetail, AuditRecord } from '../core/audit.ts';

export interface AuditRow extends Omit<
  AuditRecord,
  'at' | 'callerId' | 'callerName' | 'callerRole' | 'reason' | 'detail'
> {
  at: Date;
  caller_id: string;
  caller_name: string;
  caller_role: string;
  reason: string | null;
  detail: AuditDetail | null;
}

export const AUDIT_COLUMNS = `a.id::text, a.at, a.action, a.outcome, a.face, a.operation, a.caller_id, a.caller_name,
  a.caller_role, a.peer, a.persons, a.objects, a.reason, a.detail`;

export function toRecord(row: AuditRow): AuditRecord {
  const { at, caller_id: callerId, caller_name: callerName, caller_role: callerRole, reason, detail, ...rest } = row;
  return {
    ...rest,
    at: at.toISOString(),
    callerId,
    callerName,
    callerRole,
    ...(reason === null ? {} : { reason }),
    ...(detail === null ? {} : { detail }),
  };
}
