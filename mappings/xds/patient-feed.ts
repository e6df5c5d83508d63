/**
 * ITI-44 Patient Identity Feed HL7 V3 (ITI TF-2 §3.44) as a document registry needs it: which ids of the affinity
 * domain are announced and which end, and the acknowledgement MCCI_IN000002UV01.
 */
import type { PatientCx } from '../../hub/core/document.ts';
import { isCx } from '../../hub/core/document-format.ts';
import { fail, ok, problem } from '../../hub/core/problem.ts';
import type { Problem, Result } from '../../hub/core/problem.ts';
import { childNamed, childrenNamed, xml } from './xml.ts';
import type { XmlElement } from './xml.ts';

export const HL7V3 = 'urn:hl7-org:v3';
const MESSAGES = { PRPA_IN201301UV02: 'add', PRPA_IN201302UV02: 'revise', PRPA_IN201304UV02: 'merge' } as const;

export const FEED_ACTIONS = Object.keys(MESSAGES).map((name) => `${HL7V3}:${name}`);
export const FEED_RESPONSE = `${HL7V3}:MCCI_IN000002UV01`;

export interface PatientFeed {
  readonly kind: 'add' | 'revise' | 'merge';
  readonly patients: readonly PatientCx[];
  /** Ids that end in the first of `patients`. */
  readonly subsumed: readonly PatientCx[];
}

/** `domain` is the OID of the affinity domain: ids of other authorities are not this registry's (§3.44.4.1.3.2). */
export function readPatientFeed(body: XmlElement, domain: string): Result<PatientFeed> {
  const kind = body.namespace === HL7V3 ? MESSAGES[body.name as keyof typeof MESSAGES] : undefined;
  if (kind === undefined)
    return fail(problem('unsupported-message', 'Body', 'The body is no patient identity feed message.'));
  const events = down([body], 'controlActProcess', 'subject', 'registrationEvent');
  const patients = idsIn(down(events, 'subject1', 'patient'), domain);
  const subsumed = idsIn(down(events, 'replacementOf', 'priorRegistration', 'subject1', 'priorRegisteredRole'), domain);
  const where = 'controlActProcess/subject/registrationEvent';
  if (patients.length === 0)
    return fail(problem('required-missing', `${where}/subject1/patient/id`, 'There is no id of the affinity domain.'));
  if (kind !== 'merge') return ok({ kind, patients, subsumed: [] });
  if (subsumed.length === 0)
    return fail(problem('required-missing', `${where}/replacementOf`, 'There is no prior id of the affinity domain.'));
  if (patients.length > 1 || subsumed.some((id) => id === patients[0]))
    return fail(problem('invalid-value', where, 'A merge needs one surviving id, and others that end.'));
  return ok({ kind, patients, subsumed });
}

function down(from: readonly XmlElement[], ...names: readonly string[]): readonly XmlElement[] {
  return names.reduce((elements, name) => elements.flatMap((one) => childrenNamed(one, HL7V3, name)), from);
}

function idsIn(roles: readonly XmlElement[], domain: string): PatientCx[] {
  const ids = roles
    .flatMap((role) => childrenNamed(role, HL7V3, 'id'))
    .filter((id) => id.attributes.get('root')?.trim() === domain)
    .map((id) => `${id.attributes.get('extension')?.trim() ?? ''}^^^&${domain}&ISO`)
    .filter((cx) => isCx(cx) && cx.length <= 256);
  return [...new Set(ids)] as PatientCx[];
}

export interface FeedAnswer {
  /** OID of who answers; the id of the answer, and its time as TS of 14 digits. */
  readonly device: string;
  readonly id: string;
  readonly at: string;
  /** null: accepted. */
  readonly problem: Problem | null;
}

/** MCCI_IN000002UV01 with an accept acknowledgement (§3.44.4.1.3.4, §O.1): CA, or CE with why. */
export function writeFeedAnswer(request: XmlElement, answer: FeedAnswer): string {
  const sender = childNamed(childNamed(request, HL7V3, 'sender') ?? request, HL7V3, 'device');
  const code = answer.problem === null ? 'CA' : 'CE';
  const detail =
    answer.problem === null
      ? ''
      : `<acknowledgementDetail typeCode="E"><text>${xml(answer.problem.text)}</text>` +
        (answer.problem.where === undefined ? '' : `<location>${xml(answer.problem.where)}</location>`) +
        '</acknowledgementDetail>';
  const processing = childNamed(request, HL7V3, 'processingCode')?.attributes.get('code') ?? 'P';
  return (
    `<MCCI_IN000002UV01 xmlns="${HL7V3}" ITSVersion="XML_1.0"><id root="${xml(answer.id)}"/>` +
    `<creationTime value="${answer.at}"/><interactionId root="2.16.840.1.113883.1.6" extension="MCCI_IN000002UV01"/>` +
    `<processingCode code="${/^[DPT]$/.test(processing) ? processing : 'P'}"/><processingModeCode code="T"/><acceptAckCode code="NE"/>` +
    `<receiver typeCode="RCV"><device classCode="DEV" determinerCode="INSTANCE">${identifier(sender)}</device></receiver>` +
    `<sender typeCode="SND"><device classCode="DEV" determinerCode="INSTANCE"><id root="${xml(answer.device)}"/></device></sender>` +
    `<acknowledgement><typeCode code="${code}"/><targetMessage>${identifier(request)}</targetMessage>${detail}</acknowledgement></MCCI_IN000002UV01>`
  );
}

/** The id of the sender or message, given back as it came. */
function identifier(of: XmlElement | undefined): string {
  const id = of ? childNamed(of, HL7V3, 'id') : undefined;
  const root = id?.attributes.get('root');
  if (root === undefined) return '<id nullFlavor="UNK"/>';
  const extension = id?.attributes.get('extension');
  return `<id root="${xml(root)}"${extension === undefined ? '' : ` extension="${xml(extension)}"`}/>`;
}
