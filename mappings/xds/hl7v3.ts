/** What every HL7 v3 message of the hub wears: identification, processing, receiver and sender (NE2008 MCCI_MT000300UV01). */
import type { Problem } from '../../hub/core/problem.ts';
import { childNamed, childrenNamed, xml } from './xml.ts';
import type { XmlElement } from './xml.ts';

export const HL7V3 = 'urn:hl7-org:v3';

/** Who answers and when. */
export interface Answerer {
  /** OID of who answers; the id of the answer, and its time as TS of 14 digits. */
  readonly device: string;
  readonly id: string;
  readonly at: string;
}

/** The elements of that path, whatever stands between them. */
export function down(from: readonly XmlElement[], ...names: readonly string[]): readonly XmlElement[] {
  return names.reduce((elements, name) => elements.flatMap((one) => childrenNamed(one, HL7V3, name)), from);
}

export const attributeOf = (element: XmlElement | undefined, name: string): string =>
  element?.attributes.get(name)?.trim() ?? '';

export interface Acknowledgement {
  /** CA and CE accept or refuse a message (table AcknowledgementType); AA and AE a question. */
  readonly code: 'CA' | 'CE' | 'AA' | 'AE';
  /** null: nothing is wrong. `code`: of HL7 table 0357. */
  readonly problem: Problem | null;
  readonly error?: string;
}

/** `name` in answer to `request`; `control` is its controlActProcess, empty for a bare acknowledgement. */
export function writeAnswer(
  name: string,
  request: XmlElement,
  by: Answerer,
  acknowledgement: Acknowledgement,
  control = '',
): string {
  const sender = childNamed(childNamed(request, HL7V3, 'sender') ?? request, HL7V3, 'device');
  const processing = attributeOf(childNamed(request, HL7V3, 'processingCode'), 'code');
  return (
    `<${name} xmlns="${HL7V3}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" ITSVersion="XML_1.0"><id root="${xml(by.id)}"/>` +
    `<creationTime value="${by.at}"/><interactionId root="2.16.840.1.113883.1.6" extension="${name}"/>` +
    `<processingCode code="${/^[DPT]$/.test(processing) ? processing : 'P'}"/><processingModeCode code="T"/><acceptAckCode code="NE"/>` +
    `<receiver typeCode="RCV"><device classCode="DEV" determinerCode="INSTANCE">${idOf(sender)}</device></receiver>` +
    `<sender typeCode="SND"><device classCode="DEV" determinerCode="INSTANCE"><id root="${xml(by.device)}"/></device></sender>` +
    `<acknowledgement><typeCode code="${acknowledgement.code}"/><targetMessage>${idOf(request)}</targetMessage>` +
    `${detailOf(acknowledgement)}</acknowledgement>${control}</${name}>`
  );
}

function detailOf({ problem, error }: Acknowledgement): string {
  if (problem === null) return '';
  const code = error === undefined ? '' : `<code code="${error}"/>`;
  const location = problem.where === undefined ? '' : `<location>${xml(problem.where)}</location>`;
  return `<acknowledgementDetail typeCode="E">${code}<text>${xml(problem.text)}</text>${location}</acknowledgementDetail>`;
}

/** The id of the sender or message, given back as it came. */
export function idOf(of: XmlElement | undefined, name = 'id'): string {
  const id = of ? childNamed(of, HL7V3, name) : undefined;
  const root = id?.attributes.get('root');
  if (root === undefined) return `<${name} nullFlavor="UNK"/>`;
  const extension = id?.attributes.get('extension');
  return `<${name} root="${xml(root)}"${extension === undefined ? '' : ` extension="${xml(extension)}"`}/>`;
}
