/**
 * One frame's way in: who sends it, whether it can be filed, the journal, and only then the answer. Returns the bytes to
 * send back; never throws for anything a sender can do.
 */
import type { Envelope } from '../../hub/core/envelope.ts';
import { problem, type Problem } from '../../hub/core/problem.ts';
import type { PatientsSeen } from '../../hub/core/patient-query.ts';
import type { SiteProfile } from '../../hub/core/site.ts';
import {
  buildAck,
  encodeAck,
  inspectHl7,
  MAX_MESSAGES_PER_FRAME,
  readHeader,
  splitBatch,
  wrapBatch,
  writeTime,
  type AckOutcome,
  type Charset,
  type Hl7Header,
  type Inspected,
} from '../../mappings/hl7v2/index.ts';
import type { Door, Handled } from './door.ts';
import { feedRecord } from './feed-record.ts';
import { answerQuery, isQuery } from './query.ts';
import { identify, type Peer } from './sender-identity.ts';

const CONTENT_TYPE = 'application/hl7-v2';
const MAX_SENDER = 200;

/** What can be said of a sender in the journal: names of systems, without control characters. */
const senderOf = (header: Hl7Header | null): string =>
  header === null
    ? ''
    : `${header.application}|${header.facility}`.replace(/[\u0000-\u001f]/g, '').slice(0, MAX_SENDER);

function envelopeOf(
  bytes: Buffer,
  site: SiteProfile | null,
  header: Hl7Header | null,
  peer: Peer,
  patientKey: string,
  answer: Buffer,
): Envelope {
  return {
    channel: 'hl7v2',
    site: site?.id ?? null,
    sender: senderOf(header),
    peer: peer.address,
    controlId: header?.controlId.slice(0, 199) ?? '',
    messageType: header?.messageType.slice(0, 64) ?? '',
    contentType: CONTENT_TYPE,
    bytes,
    patientKey,
    answer,
  };
}

function answerTo(
  door: Door,
  site: SiteProfile | null,
  header: Hl7Header | null,
  charset: Charset,
  outcome: AckOutcome,
): Buffer {
  const time = writeTime(door.clock(), site?.timeZone ?? 'Asia/Shanghai');
  return encodeAck(buildAck(header, outcome, { controlId: door.nextControlId, time }), charset);
}

async function refuse(
  door: Door,
  bytes: Buffer,
  site: SiteProfile | null,
  header: Hl7Header | null,
  charset: Charset,
  peer: Peer,
  p: Problem,
): Promise<Handled> {
  const answer = answerTo(door, site, header, charset, { kind: 'refused', problem: p });
  const unknown = p.code === 'unknown-sender';
  try {
    await door.intake.refuse(envelopeOf(bytes, site, header, peer, '', answer), p);
    if (unknown) {
      await door.audit.record({
        action: 'refuse',
        outcome: 'refused',
        face: 'hl7v2',
        operation: header?.messageType.slice(0, 64) ?? 'MLLP',
        callerId: '',
        callerName: senderOf(header),
        callerRole: 'hospital-feed',
        peer: peer.address,
        persons: [],
        objects: [],
        reason: p.code,
      });
    }
  } catch (error) {
    // The refusal stands without its record: nothing was promised to the sender.
    door.log.error({ err: error, code: p.code }, 'a refused HL7 message could not be recorded');
  }
  return { answer, accepted: false, stranger: unknown || header === null };
}

/** Files one message; its answer is made before it is filed, so that a repetition gets the very same bytes. */
export async function receiveMessage(door: Door, bytes: Buffer, peer: Peer): Promise<Handled> {
  const header = readHeader(bytes);
  if (!header.ok) return refuse(door, bytes, null, null, 'ASCII', peer, header.problem);
  const identified = identify(header.value, peer, door.sites);
  if (!identified.ok) return refuse(door, bytes, null, header.value, 'UTF-8', peer, identified.problem);
  const site = identified.value;
  if (door.queries !== undefined && isQuery(header.value))
    return ask(door, door.queries, bytes, [site, header.value, peer]);
  const inspection = inspectHl7(bytes, site, header.value);
  if (!inspection.ok) return refuse(door, bytes, site, header.value, inspection.charset, peer, inspection.problem);
  const { charset, patientKey } = inspection.value;
  const answer = answerTo(door, site, header.value, charset, { kind: 'accepted' });
  try {
    const receipt = await door.intake.accept(envelopeOf(bytes, site, header.value, peer, patientKey, answer));
    if (receipt.kind === 'duplicate') return { answer: Buffer.from(receipt.answer), accepted: true, stranger: false };
    if (receipt.kind === 'accepted') {
      recordFeed(door, inspection.value, header.value, peer);
      return { answer, accepted: true, stranger: false };
    }
    const conflict = answerTo(door, site, header.value, charset, { kind: 'refused', problem: receipt.problem });
    return { answer: conflict, accepted: false, stranger: false };
  } catch (error) {
    door.log.error(
      { err: error, site: site.id },
      'an HL7 message could not be made durable; the sender was told to repeat it',
    );
    const failed = problem('internal', undefined, 'The message was not stored; send it again.');
    const told = answerTo(door, site, header.value, charset, { kind: 'refused', problem: failed });
    return { answer: told, accepted: false, stranger: false };
  }
}

/** A failure of the hub is told as one: the query may be asked again. */
async function ask(
  door: Door,
  queries: PatientsSeen,
  bytes: Buffer,
  from: readonly [SiteProfile, Hl7Header, Peer],
): Promise<Handled> {
  try {
    return await answerQuery(door, queries, bytes, from);
  } catch (error) {
    const [site, header] = from;
    door.log.error({ err: error, site: site.id }, 'a query could not be answered');
    const failed = problem('internal', undefined, 'The query was not answered; ask it again.');
    return {
      answer: answerTo(door, site, header, 'UTF-8', { kind: 'refused', problem: failed }),
      accepted: false,
      stranger: false,
    };
  }
}

/** Nobody waits for it: the journal has the message already, and an acknowledgement is not slower for its record. */
function recordFeed(door: Door, inspected: Inspected, header: Hl7Header, peer: Peer): void {
  door.audit.record(feedRecord(inspected, senderOf(header), peer.address), 'soon').catch((error: unknown) => {
    door.log.error({ err: error }, 'an accepted message could not be put into the audit');
  });
}

/** A frame that grew over the limit: its head is kept with the refusal. */
export function refuseTooLarge(door: Door, head: Buffer, limit: number, peer: Peer): Promise<Handled> {
  return refuseFrame(
    door,
    head,
    head,
    problem('too-large', undefined, `A message may have ${String(limit)} bytes.`),
    peer,
  );
}

const CROWD = problem(
  'limit-exceeded',
  undefined,
  `A frame may have ${String(MAX_MESSAGES_PER_FRAME)} messages: none was taken, send them in several frames.`,
);

/** Refuses a frame as a whole, by the header that `first` begins with. */
async function refuseFrame(door: Door, kept: Buffer, first: Buffer, why: Problem, peer: Peer): Promise<Handled> {
  const header = readHeader(first);
  const known = header.ok ? header.value : null;
  const identified = known === null ? null : identify(known, peer, door.sites);
  const site = identified?.ok === true ? identified.value : null;
  return refuse(door, kept, site, known, 'UTF-8', peer, why);
}

/** One frame: a message, several, or a batch. Messages are filed in their order; a batch is answered as a batch. */
export async function receiveFrame(
  door: Door,
  bytes: Buffer,
  peer: Peer,
): Promise<{ readonly answers: readonly Buffer[]; readonly handled: readonly Handled[] }> {
  const batch = splitBatch(bytes);
  if (batch.crowd !== null) {
    const refused = await refuseFrame(door, bytes, batch.crowd, CROWD, peer);
    return { answers: acks(refused.answer), handled: [refused] };
  }
  const handled: Handled[] = [];
  for (const message of batch.messages) handled.push(await receiveMessage(door, message, peer));
  const answers = handled.map((one) => one.answer).filter((answer) => answer.length > 0);
  if (batch.header === null) return { answers: answers.flatMap(acks), handled };
  const time = writeTime(door.clock(), 'Asia/Shanghai');
  return { answers: [wrapBatch(batch, answers, time, door.nextControlId())], handled };
}

/** In enhanced mode an answer may be two messages: each goes in a frame of its own. */
const acks = (answer: Buffer): readonly Buffer[] => splitBatch(answer).messages;
