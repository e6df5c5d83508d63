/**
 * Calls that the hub makes of its own accord, in the audit before they are made: nobody's data is asked for or registered
 * unrecorded.
 */
import type { AuditTrail, Calling } from '../core/audit.ts';
import type { Submission } from '../core/document.ts';
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

/** A submission that the hub makes to its own registry. */
export interface OwnSubmission {
  /** RAD-68 is ITI-41. */
  readonly transaction: 'ITI-41' | 'ITI-57';
  readonly submission: Submission;
  readonly persons: readonly string[];
}

/** `refused`: codes of the registry; absent while the submission is about to be made. */
export type RecordSubmission = (own: OwnSubmission, refused?: string) => Promise<void>;

/**
 * As the hub's calls of others, so its calls of itself: it is Imaging Document Source and repository in one, which spares
 * the wire and not the record. `endpoint` names its repository.
 */
export const recordSubmissions =
  (audit: AuditTrail, endpoint: string): RecordSubmission =>
  ({ transaction, submission, persons }, refused) => {
    const [set] = submission.objects.filter(({ kind }) => kind === 'submission-set');
    return audit.record({
      action: transaction === 'ITI-41' ? 'feed' : 'change',
      outcome: refused === undefined ? 'success' : 'failure',
      face: 'xds',
      operation: transaction,
      callerId: 'system',
      callerName: 'system',
      callerRole: '',
      peer: '',
      persons,
      objects: set === undefined ? [] : [set.uniqueId],
      ...(refused === undefined ? {} : { reason: refused }),
      detail: {
        transaction,
        initiated: true,
        endpoint,
        patientIds: [...new Set(submission.objects.map(({ patientId }) => patientId))],
        ...(set === undefined ? {} : { submissionSet: set.uniqueId }),
      },
    });
  };
