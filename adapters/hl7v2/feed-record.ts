/**
 * The audit record of a registration, change or merge that a hospital sent (IHE ITI TF-2 §3.8.5.1, §3.30.5). The journal
 * holds the message itself and is what the acknowledgement stands on; this tells it to whoever reads the audit.
 */
import type { AuditDetail, AuditEvent } from '../../hub/core/audit.ts';
import type { Inspected } from '../../mappings/hl7v2/index.ts';

const CREATES = new Set(['A01', 'A04', 'A05', 'A28']);

/** null: the message changes no patient's record. */
export function feedRecord(inspected: Inspected, sender: string, peer: string): AuditEvent | null {
  const { header, patientKey, endedKey, otherKey } = inspected;
  if (header.messageCode !== 'ADT' || patientKey === '') return null;
  const patientIds = [patientKey, endedKey, otherKey].filter((key) => key !== undefined).map(cx);
  return {
    action: 'feed',
    outcome: 'success',
    face: 'hl7v2',
    operation: header.messageType.slice(0, 64),
    callerId: sender,
    callerName: sender,
    callerRole: 'hospital-feed',
    peer,
    persons: [],
    objects: [],
    detail: {
      // ITI-8 is HL7 2.3.1; the same feed in later versions is ITI-30.
      transaction: header.version.startsWith('2.3') ? 'ITI-8' : 'ITI-30',
      change: changeOf(header.trigger, endedKey !== undefined),
      messageId: header.controlId,
      patientIds,
    },
  };
}

const changeOf = (trigger: string, isMerge: boolean): NonNullable<AuditDetail['change']> =>
  isMerge ? 'merge' : CREATES.has(trigger) ? 'create' : 'update';

/** The key as HL7 CX; authorities that are no OID are namespaces. */
function cx(key: string): string {
  const at = key.indexOf('|');
  const [authority, value] = [key.slice(0, at), key.slice(at + 1)];
  return /^[0-2](\.\d+)+$/.test(authority) ? `${value}^^^&${authority}&ISO` : `${value}^^^${authority}`;
}
