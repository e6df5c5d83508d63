/** PRPA_IN201302UV02 as the PIXV3 update notification (ITI-46, ITI TF-2 §3.46.4.1): one patient's identifiers, no demographics. */
import type { PatientNumber } from '../../hub/core/patient-query.ts';
import { parseOid } from '../../hub/core/identifier.ts';
import { HL7V3 } from './hl7v3.ts';
import type { Answerer } from './hl7v3.ts';
import { xml } from './xml.ts';

export const LINK_NOTICE = `${HL7V3}:PRPA_IN201302UV02`;

export function writeLinkNoticeV3(
  { device, id, at }: Answerer,
  receiver: string,
  numbers: readonly PatientNumber[],
): string {
  const name = 'PRPA_IN201302UV02';
  const party = (type: 'RCV' | 'SND', root: string): string =>
    `<${type === 'RCV' ? 'receiver' : 'sender'} typeCode="${type}"><device classCode="DEV" determinerCode="INSTANCE"><id root="${xml(root)}"/></device></${type === 'RCV' ? 'receiver' : 'sender'}>`;
  // An II names its authority by OID only.
  const ids = numbers
    .filter(({ authority }) => parseOid(authority) !== null && authority.includes('.'))
    .map(({ authority, value }) => `<id root="${xml(authority)}" extension="${xml(value)}"/>`);
  return (
    `<${name} xmlns="${HL7V3}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" ITSVersion="XML_1.0"><id root="${xml(device)}" extension="${xml(id)}"/>` +
    `<creationTime value="${at}"/><interactionId root="2.16.840.1.113883.1.6" extension="${name}"/>` +
    `<processingCode code="P"/><processingModeCode code="T"/><acceptAckCode code="AL"/>${party('RCV', receiver)}${party('SND', device)}` +
    `<controlActProcess classCode="CACT" moodCode="EVN"><code code="PRPA_TE201302UV02" codeSystem="2.16.840.1.113883.1.6"/>` +
    `<subject typeCode="SUBJ" contextConductionInd="false"><registrationEvent classCode="REG" moodCode="EVN"><id nullFlavor="NA"/><statusCode code="active"/>` +
    `<subject1 typeCode="SBJ"><patient classCode="PAT">${ids.join('')}<statusCode code="active"/>` +
    `<patientPerson classCode="PSN" determinerCode="INSTANCE"><name nullFlavor="NA"/></patientPerson></patient></subject1>` +
    `<custodian typeCode="CST"><assignedEntity classCode="ASSIGNED"><id root="${xml(device)}"/></assignedEntity></custodian>` +
    `</registrationEvent></subject></controlActProcess></${name}>`
  );
}
