/** A notice to a patient as FHIR R4 Communication: what the receiver of notices is sent. */
import type { Communication } from 'fhir/r4.js';
import { noticeText, type PatientNotice } from '../../hub/core/patient-notice.ts';
import { SYSTEMS } from './context.ts';

const CATEGORY = 'http://terminology.hl7.org/CodeSystem/communication-category';

export function communication(notice: PatientNotice): Communication {
  const { noticeId, personId, at, content } = notice;
  const patient = { reference: `Patient/${personId}` };
  return {
    resourceType: 'Communication',
    id: noticeId,
    identifier: [{ system: SYSTEMS.uri, value: `urn:uuid:${noticeId}` }],
    status: 'completed',
    category: [{ coding: [{ system: CATEGORY, code: 'notification' }], text: notice.kind }],
    subject: patient,
    recipient: [patient],
    sent: at,
    ...(content.institution === null
      ? {}
      : {
          sender: {
            type: 'Organization',
            identifier: { system: SYSTEMS.institution, value: content.institution },
            ...(content.institutionName === null ? {} : { display: content.institutionName }),
          },
        }),
    payload: [{ contentString: noticeText(notice) }],
  };
}
