/** What an MLLP listener stands on, and what becomes of one message that comes through. */
import type { AuditTrail } from '../../hub/core/audit.ts';
import type { Intake } from '../../hub/core/envelope.ts';
import type { PatientsSeen } from '../../hub/core/patient-query.ts';
import type { Log } from '../../hub/core/ports.ts';
import type { Sites } from '../../hub/core/site.ts';

export interface Door {
  readonly intake: Intake;
  readonly sites: Sites;
  readonly audit: AuditTrail;
  /** Absent: queries are refused as messages that are not understood. */
  readonly queries?: PatientsSeen;
  readonly log: Log;
  readonly clock: () => Date;
  /** A control id for an answer of the hub, unique in its lifetime. */
  readonly nextControlId: () => string;
}

export interface Handled {
  readonly answer: Buffer;
  readonly accepted: boolean;
  /** The peer is not who it says, or says nothing that can be read: a few of these end the connection. */
  readonly stranger: boolean;
}
