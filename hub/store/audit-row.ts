/** A row of the audit as the record that it holds, for whoever reads records whole. */
import type { AuditDetail, AuditRecord, AuditedUser } from '../core/audit.ts';
import { SealBroken, type Sealer } from '../core/sealing.ts';
import { openJson, sealJson } from './sealed.ts';

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
  detail: StoredDetail | null;
  purpose: string | null;
  basis: string | null;
  institution: string | null;
  session: string | null;
  agent: string | null;
}

export const AUDIT_COLUMNS = `a.id::text, a.at, a.action, a.outcome, a.face, a.operation, a.caller_id, a.caller_name,
  a.caller_role, a.peer, a.persons, a.objects, a.reason,
  a.on_behalf_of, a.detail, a.purpose, a.basis, a.institution, a.session, a.agent`;

/**
 * Queries and patients' ids as they were sent stand in it. The chain goes over what it says, not over how it is sealed; and
 * what a release before wrote in clear stays, since no record is ever changed.
 */
type StoredDetail = AuditDetail & { readonly '~sealed'?: string };

const contextOf = (at: string, id: string): string => `audit.detail ${at} ${id}`;

/** What says where a record was written down first is looked for, and stays beside. */
export function sealDetail(
  fields: Sealer,
  { at, id, detail }: Pick<AuditRecord, 'at' | 'id' | 'detail'>,
): StoredDetail | undefined {
  if (detail === undefined) return undefined;
  const { reserved } = detail;
  return { ...(reserved === undefined ? {} : { reserved }), '~sealed': sealJson(fields, detail, contextOf(at, id)) };
}

/** What is null is not there. */
const told = <T extends object>(members: T): { readonly [K in keyof T]?: NonNullable<T[K]> } =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== null)) as never;

export function toRecord(fields: Sealer, row: AuditRow): AuditRecord {
  const { id, at, action, outcome, face, operation, peer, persons, objects } = row;
  const sealed = row.detail?.['~sealed'];
  const detail =
    sealed === undefined ? row.detail : openJson<AuditDetail>(fields, sealed, contextOf(at.toISOString(), id));
  const { reason, on_behalf_of: onBehalfOf, purpose, basis, institution, session, agent } = row;
  return {
    ...{ id, at: at.toISOString(), action, outcome, face, operation },
    ...{ callerId: row.caller_id, callerName: row.caller_name, callerRole: row.caller_role, peer, persons, objects },
    ...told({ reason, onBehalfOf, detail, purpose, basis, institution, session, agent }),
  };
}

/** For a proof: what was bent in its sealed part is read without it, and so does not have the digest that it had. */
export function asItStands(fields: Sealer, row: AuditRow): AuditRecord {
  try {
    return toRecord(fields, row);
  } catch (error) {
    if (error instanceof SealBroken) return toRecord(fields, { ...row, detail: null });
    throw error;
  }
}
