/** The door of HL7 v2: bytes of a message and the site they came from, in; canonical records and findings, out. Pure. */
import type { JournalEntry, Mapped } from '../../hub/core/envelope.ts';
import { problem, type Finding, type Problem } from '../../hub/core/problem.ts';
import type { CanonicalRecord, PatientRef, SourceTime } from '../../hub/core/record.ts';
import type { SiteProfile } from '../../hub/core/site.ts';
import {
  LINKS,
  MERGES,
  MOVES,
  readLinks,
  readMerges,
  readMove,
  readRegistration,
  readWithdrawal,
  REGISTRATIONS,
  WITHDRAWALS,
} from './adt.ts';
import { Context } from './context.ts';
import { readHeader } from './header.ts';
import { decodeFor, supports } from './inspect.ts';
import { parseMessage } from './message.ts';
import { readOrders } from './order.ts';
import { readPerson } from './person.ts';
import { readDocumentReport, readReports } from './report.ts';
import { readAppointment } from './schedule.ts';

type Outcome = { readonly records: readonly CanonicalRecord[] } | { readonly problem: Problem };
type ReadExam = (context: Context, patient: PatientRef | null, at: SourceTime) => Outcome;

const EXAM_READERS: ReadonlyMap<string, ReadExam> = new Map<string, ReadExam>([
  ['ORM', readOrders],
  ['OMI', readOrders],
  ['OMG', readOrders],
  ['ORU', readReports],
  ['MDM', readDocumentReport],
  ['SIU', readAppointment],
]);

/** A sender's clock this far ahead is wrong; believed, it would make every later message of the patient look stale. */
const CLOCK_AHEAD_MS = 24 * 60 * 60 * 1000;

export function mapHl7(entry: Pick<JournalEntry, 'bytes' | 'receivedAt'>, site: SiteProfile): Mapped<CanonicalRecord> {
  const bytes = Buffer.from(entry.bytes.buffer, entry.bytes.byteOffset, entry.bytes.byteLength);
  const refuse = (p: Problem, findings: readonly Finding[] = []): Mapped<CanonicalRecord> => ({
    ok: false,
    problem: p,
    findings,
  });
  const header = readHeader(bytes);
  if (!header.ok) return refuse(header.problem);
  const decoded = decodeFor(bytes, site, header.value);
  if (!decoded.ok) return refuse(decoded.problem);
  const parsed = parseMessage(decoded.value.text, decoded.value.charset);
  if (!parsed.ok) return refuse(parsed.problem, decoded.value.findings);
  const context = new Context(parsed.value, site, entry.receivedAt);
  for (const finding of decoded.value.findings) context.find(finding.code, finding.where, finding.text);
  noteHeader(context);
  const outcome = readMessage(context);
  if ('problem' in outcome) return refuse(outcome.problem, context.findings);
  return { ok: true, records: outcome.records, findings: context.findings };
}

function noteHeader(context: Context): void {
  const processing = context.message.msh.text(11).toUpperCase();
  if (processing !== '' && processing !== 'P') context.find('degraded', 'MSH-11', 'not marked as production (P)');
  for (const segment of context.message.segments) {
    if (!/^[A-Z][A-Z0-9]{2}$/.test(segment.name))
      context.find('ignored-segment', 'MSH', 'a line that begins no segment was passed over');
  }
}

/** MSH-7, which orders the messages of a sender; EVN-2 and the time of arrival where it is missing or far ahead. */
function messageTime(context: Context): SourceTime {
  const { message, receivedAt } = context;
  const told = context.time(message.msh, 7) ?? context.time(message.first('EVN'), 2);
  if (told === undefined) {
    context.find('missing-optional', 'MSH-7', 'there is no time; the time of arrival stands for it');
    return receivedAt;
  }
  if (Date.parse(told) <= Date.parse(receivedAt) + CLOCK_AHEAD_MS) return told;
  context.find('invalid-value', 'MSH-7', 'the time lies in the future; the time of arrival stands for it');
  return receivedAt;
}

function readMessage(context: Context): Outcome {
  const { message } = context;
  const [code, trigger] = [message.msh.text(9, 1), message.msh.text(9, 2)];
  if (!supports(code, trigger)) return { problem: problem('unsupported-message', 'MSH-9') };
  const at = messageTime(context);
  if (code === 'ADT' && REGISTRATIONS.has(trigger)) return readRegistration(context, at);
  if (code === 'ADT' && WITHDRAWALS.has(trigger)) return readWithdrawal(context, at);
  if (code === 'ADT' && MERGES.has(trigger)) return readMerges(context, at);
  if (code === 'ADT' && MOVES.has(trigger)) return readMove(context, at);
  if (code === 'ADT' && LINKS.has(trigger)) return readLinks(context, at, trigger === 'A24');
  const readExam = EXAM_READERS.get(code);
  if (readExam === undefined) return { problem: problem('unsupported-message', 'MSH-9') };
  const pid = message.first('PID');
  const person = pid === undefined ? null : readPerson(pid, context);
  if (person === null) context.find('missing-optional', 'PID', 'the exam comes without its patient');
  else if (person.ref === null)
    context.find('missing-optional', 'PID-3', 'the exam comes without a local patient number');
  const patient = person?.ref ?? null;
  const outcome = readExam(context, patient, at);
  if ('problem' in outcome || person === null || patient === null) return outcome;
  return {
    records: [{ kind: 'patient', site: context.site.id, at, patient, fields: person.identity }, ...outcome.records],
  };
}

export { buildAck, encodeAck, type AckOutcome, type AckStamp } from './ack.ts';
export { MAX_MESSAGES_PER_FRAME, splitBatch, wrapBatch, type Batch } from './batch.ts';
export { encodeText, type Charset } from './charset.ts';
export { readHeader, type Hl7Header } from './header.ts';
export { decodeFor, inspectHl7, judgeEnvelope, patientKeyOf, type Inspected, type Inspection } from './inspect.ts';
export { parseMessage, type Message } from './message.ts';
export { queryKindOf, readQuery, type Hl7Query, type QueryKind } from './query.ts';
export { writeLinkNotice } from './link-notice.ts';
export { writeQueryAnswer, type QueryOutcome } from './query-answer.ts';
export { writeTime } from './time.ts';
