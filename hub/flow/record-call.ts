/** Calls that the hub makes of its own accord, in the audit before they are made: nobody's data is asked for unrecorded. */
import type { AuditTrail, Calling } from '../core/audit.ts';
import { callEvent } from '../../mappings/atna/index.ts';

export const recordCalls =
  (audit: AuditTrail): Calling =>
  (call) =>
    audit.record({
      ...callEvent(call),
      face: 'xds',
      callerId: 'system',
      callerName: 'system',
      callerRole: '',
      peer: new URL(call.endpoint).hostname,
      persons: [],
    });
