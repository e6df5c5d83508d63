/** ServiceRequest: one imaging order as the hospital placed it. */
import type { ServiceRequest } from 'fhir/r4.js';
import type { OrderStatus } from '../../hub/core/record.ts';
import type { ExamView, OrderView } from '../../hub/core/view.ts';
import { PROFILES, SYSTEMS, type FhirContext } from './context.ts';
import { compact, concept, dateTime, list, meta, named, text } from './datatypes.ts';
import { examIdentifiers, performerOf, subjectOf } from './exam-links.ts';

const STATUS: Readonly<Record<OrderStatus, ServiceRequest['status']>> = {
  ordered: 'active',
  scheduled: 'active',
  arrived: 'active',
  'in-progress': 'active',
  completed: 'completed',
  discontinued: 'revoked',
  cancelled: 'revoked',
};

export const IMAGING_CATEGORY = { system: SYSTEMS.snomed, code: '363679005', display: 'Imaging' };

export function serviceRequest(exam: ExamView, order: OrderView, ctx: FhirContext): ServiceRequest {
  const fields = order.fields;
  const bodySite = concept(fields.bodyPart);
  const reason = text(fields.reason);
  const requester = named(fields.requester) ?? named(fields.requestingDepartment?.display);
  const performer = named(fields.performer);
  return compact<ServiceRequest>({
    resourceType: 'ServiceRequest',
    id: order.orderId,
    meta: meta(PROFILES.ServiceRequest),
    identifier: examIdentifiers(exam, order.keys, ctx, ['PLAC', 'FILL', 'ACSN', 'index']),
    status: exam.cancelled && order.status !== 'completed' ? 'revoked' : STATUS[order.status],
    intent: 'order',
    category: [{ coding: [IMAGING_CATEGORY] }],
    priority: fields.priority ?? undefined,
    code: concept(fields.procedure),
    subject: subjectOf(exam),
    occurrenceDateTime: dateTime(fields.startedAt ?? fields.scheduledAt),
    authoredOn: dateTime(fields.requestedAt),
    requester,
    performer: list(performerOf(exam, ctx), performer),
    reasonCode: list(concept(fields.diagnosis), reason === undefined ? null : { text: reason }),
    bodySite: list(bodySite),
  });
}
