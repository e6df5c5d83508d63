/** What the audit says of a FHIR request, and of what was withheld in answering it. */
import type { Request } from 'express';
import type { Caller } from '../../core/access.ts';
import type { Sight } from '../../core/access-ports.ts';
import { refusalOf } from '../../core/access-ports.ts';
import { audited } from '../../core/audit.ts';
import type { AuditDetail, AuditEvent, AuditTrail } from '../../core/audit.ts';
import type { Fault, Reply } from './reply.ts';

/** A form longer than this is no search. */
export const FORM_LIMIT = 64 * 1024;

/** Said only of persons whom the caller has asked for by an identifier: it knows of them already. */
export const WAY: Fault = {
  status: 403,
  code: 'forbidden',
  text: 'no relation to this patient is known; POST /api/v1/break-glass is the way in an emergency',
};

/**
 * What was asked for by its name and is not this caller's to see is answered as if it did not exist, and recorded as what
 * it is. True: the caller is told the way.
 */
export async function withheld(
  audit: AuditTrail,
  request: Request,
  caller: Caller,
  sight: Sight,
  { status }: Reply,
): Promise<boolean> {
  const refusal = refusalOf(sight.told());
  if (status !== 404 || refusal === null) return false;
  await audit.record(event(request, caller, 'refused', refusal, refusal.reason));
  return sight.mayBeTold();
}

/** The audit names what was asked, never with what values: those may be a patient's. */
export function event(
  request: Request,
  caller: Caller | null,
  outcome: AuditEvent['outcome'],
  touched: Reply['touched'],
  reason?: string,
): AuditEvent {
  const url = new URL(request.originalUrl, 'http://hub.invalid');
  const names = [...new Set(url.searchParams.keys())].slice(0, 40).map((name) => name.slice(0, 60));
  const path = url.pathname.slice(0, 200);
  const isSearch = !/\/[A-Za-z]+\/[A-Za-z0-9.-]+/.test(request.path) || /(_search|\$match)$/.test(request.path);
  return {
    action: outcome === 'refused' ? 'refuse' : isSearch ? 'search' : 'read',
    outcome,
    face: 'fhir',
    operation: `${request.method} ${path}${names.length === 0 ? '' : `?${names.join('&')}`}`,
    ...(caller === null ? nobody(request) : audited(caller)),
    persons: touched.persons,
    objects: touched.objects,
    detail: detailOf(request, isSearch),
    ...(reason === undefined ? {} : { reason }),
  };
}

const nobody = (request: Request): Pick<AuditEvent, 'callerId' | 'callerName' | 'callerRole' | 'peer'> => ({
  ...{ callerId: 'none', callerName: 'none', callerRole: 'none' },
  peer: request.ip ?? 'unknown',
});

/** The search as it was sent, URL and form: for audit messages only, since the values may be a patient's. */
function detailOf(request: Request, isSearch: boolean): AuditDetail {
  if (!isSearch) return {};
  const form: unknown = request.body;
  const sent = `${request.originalUrl}${typeof form === 'string' && form !== '' ? `\n${form}` : ''}`;
  return {
    query: {
      content: Buffer.from(sent)
        .subarray(0, FORM_LIMIT / 2)
        .toString('base64'),
    },
  };
}
