/** Answers of PIXV3 (PRPA_IN201310UV02) and PDQV3 (PRPA_IN201306UV02): ITI TF-2 §3.45.4.2, §3.47.4.2. */
import type { FoundPage, FoundPatient, PatientNumber } from '../../hub/core/patient-query.ts';
import { parseOid } from '../../hub/core/identifier.ts';
import type { Problem } from '../../hub/core/problem.ts';
import type { PersonName } from '../../hub/core/record.ts';
import { HL7V3, idOf, writeAnswer } from './hl7v3.ts';
import type { Answerer } from './hl7v3.ts';
import { queryOf } from './patient-query.ts';
import { xml } from './xml.ts';
import type { XmlElement } from './xml.ts';
import { writeXml } from './xml-write.ts';

export const PIX_ANSWER = `${HL7V3}:PRPA_IN201310UV02`;
export const PDQ_ANSWER = `${HL7V3}:PRPA_IN201306UV02`;

export type PatientAnswer =
  | { readonly kind: 'pix'; readonly source: PatientNumber; readonly numbers: readonly PatientNumber[] }
  /** `query`: what was asked first, where this continues it. */
  | { readonly kind: 'pdq'; readonly page: FoundPage }
  | { readonly kind: 'refused'; readonly of: 'pix' | 'pdq'; readonly problem: Problem };

/** An II names its authority by OID only; a number of another kind of authority cannot be told in v3. */
const ii = ({ authority, value }: PatientNumber): string =>
  parseOid(authority) !== null && authority.includes('.')
    ? `<id root="${xml(authority)}" extension="${xml(value)}"/>`
    : '';

export function writePatientAnswer(request: XmlElement, by: Answerer, answer: PatientAnswer): string {
  const isPix = answer.kind === 'pix' || (answer.kind === 'refused' && answer.of === 'pix');
  const name = isPix ? 'PRPA_IN201310UV02' : 'PRPA_IN201306UV02';
  const trigger = isPix ? 'PRPA_TE201310UV02' : 'PRPA_TE201306UV02';
  const control =
    `<controlActProcess classCode="CACT" moodCode="EVN"><code code="${trigger}" codeSystem="2.16.840.1.113883.1.6"/>` +
    `${subjects(answer, by)}${queryAck(request, answer)}${echo(request)}</controlActProcess>`;
  const refused = answer.kind === 'refused' ? answer.problem : null;
  const error = refused === null ? {} : { error: refused.code === 'not-found' ? '204' : '207' };
  return writeAnswer(name, request, by, { code: refused === null ? 'AA' : 'AE', problem: refused, ...error }, control);
}

function echo(request: XmlElement): string {
  const query = queryOf(request);
  return query === undefined ? '' : writeXml(query);
}

function queryAck(request: XmlElement, answer: PatientAnswer): string {
  const id = idOf(queryOf(request) ?? continuationOf(request), 'queryId');
  if (answer.kind === 'refused')
    return `<queryAck>${id}<statusCode code="aborted"/><queryResponseCode code="AE"/></queryAck>`;
  if (answer.kind === 'pix') {
    const code = answer.numbers.some((one) => ii(one) !== '') ? 'OK' : 'NF';
    return `<queryAck>${id}<statusCode code="deliveredResponse"/><queryResponseCode code="${code}"/></queryAck>`;
  }
  const { total, patients, remaining } = answer.page;
  const status = remaining > 0 ? 'waitContinuedQueryResponse' : 'deliveredResponse';
  return (
    `<queryAck>${id}<statusCode code="${status}"/><queryResponseCode code="${total > 0 ? 'OK' : 'NF'}"/>` +
    `<resultTotalQuantity value="${String(total)}"/><resultCurrentQuantity value="${String(patients.length)}"/>` +
    `<resultRemainingQuantity value="${String(remaining)}"/></queryAck>`
  );
}

const continuationOf = (request: XmlElement): XmlElement | undefined =>
  request.children
    .find(({ name }) => name === 'controlActProcess')
    ?.children.find(({ name }) => name === 'queryContinuation');

function subjects(answer: PatientAnswer, by: Answerer): string {
  if (answer.kind === 'refused') return '';
  if (answer.kind === 'pdq') return answer.page.patients.map((patient) => subject(found(patient, by), by)).join('');
  const numbers = answer.numbers.map(ii).join('');
  if (numbers === '') return '';
  // §3.45.4.2.2: the name is of no account, and is not told.
  const patient = `${numbers}<statusCode code="active"/><patientPerson classCode="PSN" determinerCode="INSTANCE"><name nullFlavor="NA"/></patientPerson>${provider(by)}`;
  return subject(`<patient classCode="PAT">${patient}</patient>`, by);
}

const subject = (patient: string, { device }: Answerer): string =>
  '<subject typeCode="SUBJ"><registrationEvent classCode="REG" moodCode="EVN"><id nullFlavor="NA"/><statusCode code="active"/>' +
  `<subject1 typeCode="SBJ">${patient}</subject1>` +
  `<custodian typeCode="CST"><assignedEntity classCode="ASSIGNED"><id root="${xml(device)}"/></assignedEntity></custodian>` +
  '</registrationEvent></subject>';

const provider = ({ device }: Answerer): string =>
  `<providerOrganization classCode="ORG" determinerCode="INSTANCE"><id root="${xml(device)}"/>` +
  '<contactParty classCode="CON"><telecom nullFlavor="NI"/></contactParty></providerOrganization>';

const SEX = { male: 'M', female: 'F', other: 'UN', unknown: '' } as const;
const USES = { ideographic: 'IDE', alphabetic: 'ABC', phonetic: 'SYL' } as const;

function found(patient: FoundPatient, by: Answerer): string {
  const sex = patient.sex === null ? '' : SEX[patient.sex];
  const names = patient.names.map(nameOf).join('') || '<name nullFlavor="UNK"/>';
  const phones = patient.phones.map((phone) => `<telecom value="tel:${xml(phone.replace(/\s/g, ''))}"/>`).join('');
  const addresses = patient.addresses
    .map(
      ({ text, postalCode }) =>
        `<addr>${text === '' ? '' : `<streetAddressLine>${xml(text)}</streetAddressLine>`}` +
        `${postalCode === undefined ? '' : `<postalCode>${xml(postalCode)}</postalCode>`}</addr>`,
    )
    .join('');
  return (
    `<patient classCode="PAT">${patient.numbers.map(ii).join('') || '<id nullFlavor="UNK"/>'}<statusCode code="active"/>` +
    `<patientPerson classCode="PSN" determinerCode="INSTANCE">${names}${phones}` +
    (sex === '' ? '' : `<administrativeGenderCode code="${sex}"/>`) +
    (patient.birthDate === null ? '' : `<birthTime value="${patient.birthDate.replaceAll('-', '')}"/>`) +
    `${addresses}</patientPerson>${provider(by)}` +
    // All that was asked for holds: the hub answers with no likenesses here (those are for $match).
    '<subjectOf1><queryMatchObservation classCode="OBS" moodCode="EVN"><code code="IHE_PDQ"/><value xsi:type="INT" value="100"/></queryMatchObservation></subjectOf1></patient>'
  );
}

function nameOf({ text, family, given, representation }: PersonName): string {
  const parts =
    family === undefined && given === undefined
      ? xml(text)
      : `${family === undefined ? '' : `<family>${xml(family)}</family>`}${given === undefined ? '' : `<given>${xml(given)}</given>`}`;
  return `<name use="${USES[representation]}">${parts}</name>`;
}
