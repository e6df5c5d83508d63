/** What a query or retrieve works with, and the two rules they share: whose studies a caller may see, and what is audited. */
import type { Caller } from '../../hub/core/access.ts';
import { groundsOf, refusalOf } from '../../hub/core/access-ports.ts';
import type { Sight } from '../../hub/core/access-ports.ts';
import type { AuditEvent, AuditTrail } from '../../hub/core/audit.ts';
import type { DicomIndex, ImageSource, IndexReader, Log } from '../../hub/core/ports.ts';
import type { SiteProfile, Sites } from '../../hub/core/site.ts';
import type { Association } from './association.ts';
import type { DimseLimits } from './limits.ts';
import type { Transcode } from './sub-operation.ts';

/** What is known of a query before the desk is asked what its caller may see. */
export type Asked = Omit<QueryContext, 'index' | 'reader' | 'sight'>;

export interface QueryContext {
  readonly association: Association;
  readonly site: SiteProfile;
  readonly sites: Sites;
  readonly aeTitle: string;
  readonly callingAe: string;
  readonly peer: string;
  readonly index: DicomIndex;
  readonly reader: IndexReader;
  readonly sight: Sight;
  readonly images: ImageSource;
  readonly audit: AuditTrail;
  readonly log: Log;
  readonly limits: DimseLimits;
  readonly transcode?: Transcode;
  /** Set when the peer sent C-CANCEL, released or is gone. */
  readonly cancelled: AbortSignal;
}

/** A registered AE asks for its own hospital's studies; for all only where the site's data says so. */
export const seesAll = (site: SiteProfile): boolean => site.dicom.query === true;

export const callerAt = ({ callingAe, site, peer }: Asked): Caller => ({
  id: callingAe,
  name: `${callingAe} (${site.id})`,
  role: 'query-platform',
  site: site.id,
  peer,
});

/** What was left out as if it did not exist is in the audit as what it is. */
export async function recordWithheld(at: QueryContext): Promise<void> {
  const refusal = refusalOf(at.sight.told());
  if (refusal === null) return;
  await audited(at, { action: 'refuse', outcome: 'refused', operation: 'query or retrieve', ...refusal });
}

export function audited(
  at: QueryContext,
  event: Omit<AuditEvent, 'face' | 'callerId' | 'callerName' | 'callerRole' | 'peer'>,
): Promise<void> {
  return at.audit.record({
    ...event,
    ...(event.outcome === 'refused' ? {} : groundsOf(at.sight.told())),
    face: 'dimse',
    callerId: at.callingAe,
    callerName: `${at.callingAe} (${at.site.id})`,
    callerRole: seesAll(at.site) ? 'query-platform' : 'hospital-feed',
    peer: at.peer,
  });
}
