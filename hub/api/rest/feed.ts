/**
 * What hospitals send by REST: checked, made durable in the journal byte for byte, and only then acknowledged. One
 * object, or many as NDJSON, each line a message of its own whose fault harms no other.
 */
import { createHash } from 'node:crypto';
import type { Request, Response } from 'express';
import type { Kind } from '../../../mappings/rest/index.ts';
import { canonical, decodeText, MESSAGE_TYPES, parseObject, patientKeyOf } from '../../../mappings/rest/index.ts';
import type { Caller } from '../../core/access.ts';
import { audited } from '../../core/audit.ts';
import type { AuditTrail } from '../../core/audit.ts';
import type { Envelope, Intake } from '../../core/envelope.ts';
import type { Problem } from '../../core/problem.ts';
import type { Log } from '../../core/ports.ts';
import { codeOf, Failure, problem } from '../../core/problem.ts';
import type { SiteProfile } from '../../core/site.ts';
import { chunksOf, HEAD, mediaOf, plainEncoding, readBytes, readLines } from './body.ts';
import type { Line } from './body.ts';
import type { Check } from './check.ts';
import type { FeedId } from './operation.ts';
import type { FieldError } from './problem.ts';
import { problemDetails, sendProblem, STATUS } from './problem.ts';

export const FEEDS = {
  sendRegistration: 'Registration',
  sendOrder: 'Order',
  sendExam: 'Exam',
  voidExam: 'ExamVoid',
  sendReport: 'Report',
  withdrawReport: 'ReportWithdrawal',
} as const satisfies Record<FeedId, Kind>;

const MIB = 1024 * 1024;
/** A report may carry its PDF. */
const mostBytes = (kind: Kind): number => (kind === 'Report' ? 16 * MIB : MIB);
const MAX_LINES = 50_000;
const MAX_KEY = /^[\x21-\x7e]{1,150}$/;
/** Lines of a batch that wait for their commit together: the journal writes them as one. */
const IN_FLIGHT = 64;
const IN_FLIGHT_BYTES = 32 * MIB;

export interface FeedDeps {
  readonly intake: Intake;
  readonly audit: AuditTrail;
  readonly check: Check;
  readonly log: Log;
}

interface Message {
  readonly kind: Kind;
  readonly site: SiteProfile;
  readonly caller: Caller;
  readonly contentType: string;
  /** Idempotency-Key, or absent. */
  readonly key: string | undefined;
}

type Outcome =
  | { readonly ok: true; readonly journalId: string; readonly duplicate: boolean }
  | {
      readonly ok: false;
      readonly problem: Problem;
      readonly errors: readonly FieldError[];
      readonly journalId?: string;
    };

/** Without a key of the sender's, a message is the same as another when every byte of it is. */
const keyFor = (message: Message, bytes: Uint8Array): string =>
  message.key ?? `sha256-${createHash('sha256').update(bytes).digest('base64url')}`;

function envelopeOf(message: Message, bytes: Uint8Array, patientKey: string): Envelope {
  return {
    channel: 'rest',
    site: message.site.id,
    sender: message.caller.name,
    peer: message.caller.peer,
    controlId: `${MESSAGE_TYPES[message.kind].slice(5)}/${keyFor(message, bytes)}`,
    messageType: MESSAGE_TYPES[message.kind],
    contentType: message.contentType,
    bytes,
    patientKey,
    // The answer is made of the journal id alone, so the first one can be given again without being kept.
    answer: new Uint8Array(0),
  };
}

async function keepRefused(
  { intake }: FeedDeps,
  envelope: Envelope,
  reason: Problem,
  errors: readonly FieldError[] = [],
): Promise<Outcome> {
  const { journalId } = await intake.refuse(envelope, reason);
  return { ok: false, problem: reason, errors, journalId };
}

async function take(deps: FeedDeps, message: Message, bytes: Uint8Array): Promise<Outcome> {
  const refuse = (reason: Problem, errors: readonly FieldError[] = [], patientKey = ''): Promise<Outcome> =>
    keepRefused(deps, envelopeOf(message, bytes, patientKey), reason, errors);
  const text = decodeText(bytes, message.contentType);
  if (!text.ok) return refuse(text.problem);
  const body = parseObject(text.value);
  if (!body.ok) return refuse(body.problem);
  const patientKey = patientKeyOf(message.kind, body.value, message.site);
  const faults = deps.check(message.kind, canonical(message.kind, body.value).fields);
  if (faults !== null) return refuse(faults.problem, faults.errors, patientKey);
  const receipt = await deps.intake.accept(envelopeOf(message, bytes, patientKey));
  if (receipt.kind === 'conflict')
    return { ok: false, problem: receipt.problem, errors: [], journalId: receipt.journalId };
  if (receipt.kind === 'accepted') record(deps, message, receipt.journalId, patientKey);
  return { ok: true, journalId: receipt.journalId, duplicate: receipt.kind === 'duplicate' };
}

/**
 * One record a message, in the audit's own batch of that moment. Nobody waits for it: the journal has the message already,
 * and an acknowledgement is not slower for its record.
 */
function record(deps: FeedDeps, { kind, caller }: Message, journalId: string, patientKey: string): void {
  const at = patientKey.indexOf('|');
  const [authority, value] = [patientKey.slice(0, at), patientKey.slice(at + 1)];
  const event = {
    ...audited(caller),
    action: 'feed',
    outcome: 'success',
    face: 'rest',
    operation: MESSAGE_TYPES[kind],
    persons: [],
    objects: [],
    detail: { messageId: journalId, patientIds: patientKey === '' ? [] : [`${value}^^^&${authority}&ISO`] },
  } as const;
  deps.audit.record(event, 'soon').catch((error: unknown) => {
    deps.log.error({ code: codeOf(error) }, 'an accepted message is not in the audit');
  });
}

/** Reads the request, keeps what it brings, answers. */
export async function feed(
  deps: FeedDeps,
  request: Request,
  response: Response,
  about: { readonly kind: Kind; readonly site: SiteProfile; readonly caller: Caller },
): Promise<void> {
  const key = request.headers['idempotency-key'];
  const contentType = (request.headers['content-type'] ?? '').slice(0, 200);
  const usable = typeof key === 'string' && MAX_KEY.test(key);
  const message: Message = { ...about, contentType, key: usable ? key : undefined };
  const refusal = key === undefined || usable ? formRefused(request) : WRONG_KEY;
  if (refusal === null && mediaOf(request) === 'application/x-ndjson') return batch(deps, request, response, message);
  const bytes = await readBytes(request, refusal === null ? mostBytes(about.kind) : HEAD);
  // What is left of the body is not read; the connection cannot be used again.
  if (!bytes.ok) response.set('Connection', 'close');
  const head = bytes.ok ? bytes.value : bytes.head;
  const reason = refusal ?? (bytes.ok ? null : bytes.problem);
  const kept = reason === null ? take(deps, message, head) : keepRefused(deps, envelopeOf(message, head, ''), reason);
  const outcome = await kept.catch((error: unknown) => {
    throw new Failure(problem('unavailable'), error);
  });
  answer(response, outcome);
}

const WRONG_KEY = problem('invalid-value', 'Idempotency-Key', 'It takes 1 to 150 visible ASCII characters.');
const WRONG_MEDIA = problem('unsupported-media', 'Content-Type', 'Send application/json or application/x-ndjson.');

/** Why a body is not read at all; what it begins with is kept all the same, since every input ends as something. */
function formRefused(request: Request): Problem | null {
  const encoding = plainEncoding(request);
  if (!encoding.ok) return encoding.problem;
  return ['application/json', 'application/x-ndjson'].includes(mediaOf(request)) ? null : WRONG_MEDIA;
}

function answer(response: Response, outcome: Outcome): void {
  if (!outcome.ok) {
    sendProblem(response, outcome.problem, outcome.errors, outcome.journalId);
    return;
  }
  response.status(202).json({ ...outcome, ok: undefined, status: `/api/v1/journal/${outcome.journalId}` });
}

function lineOutcome(line: Line, outcome: Outcome): object {
  const { number } = line;
  if (outcome.ok) return { line: number, status: 202, journalId: outcome.journalId, duplicate: outcome.duplicate };
  const details = problemDetails(outcome.problem, outcome.errors, outcome.journalId);
  return { line: number, status: details.status, problem: details };
}

/**
 * Answers go out as lines are settled and are never waited for: a sender that reads only after it has written all would
 * else wait for the hub as the hub waits for it. They are small, and MAX_LINES bounds them.
 */
async function batch(deps: FeedDeps, request: Request, response: Response, message: Message): Promise<void> {
  const most = mostBytes(message.kind);
  const totals = { lines: 0, accepted: 0, duplicates: 0, refused: 0 };
  response.status(200).type('application/x-ndjson');
  const tell = (value: object): void => void response.write(`${JSON.stringify(value)}\n`);
  const settle = (line: Line, outcome: Outcome): void => {
    totals.lines++;
    if (!outcome.ok) totals.refused++;
    else if (outcome.duplicate) totals.duplicates++;
    else totals.accepted++;
    tell(lineOutcome(line, outcome));
  };
  let waiting: { line: Line; outcome: Promise<Outcome> }[] = [];
  let held = 0;
  const flush = async (): Promise<void> => {
    const outcomes = await Promise.all(waiting.map(({ outcome }) => outcome));
    waiting.forEach(({ line }, at) => {
      const outcome = outcomes[at];
      if (outcome !== undefined) settle(line, outcome);
    });
    [waiting, held] = [[], 0];
  };
  for await (const line of readLines(chunksOf(request), most)) {
    if (totals.lines + waiting.length >= MAX_LINES) {
      await flush();
      tell({ line: line.number, status: STATUS['limit-exceeded'], problem: problemDetails(tooMany) });
      break;
    }
    const key = message.key === undefined ? undefined : `${message.key}/${String(line.number)}`;
    waiting.push({ line, outcome: settled(deps, { ...message, key }, line, most) });
    held += 'bytes' in line ? line.bytes.length : 0;
    if (waiting.length >= IN_FLIGHT || held >= IN_FLIGHT_BYTES) await flush();
  }
  await flush();
  response.end(`${JSON.stringify({ summary: totals })}\n`);
}

const tooMany = problem(
  'limit-exceeded',
  'body',
  `A batch has at most ${String(MAX_LINES)} lines: this one and those after it were not read.`,
);

/** A line that could not be made durable is told as such: the others may well have been. */
async function settled(deps: FeedDeps, message: Message, line: Line, most: number): Promise<Outcome> {
  try {
    if ('bytes' in line) return await take(deps, message, line.bytes);
    const reason = problem('too-large', 'line', `The line is larger than ${String(most)} bytes; its head was kept.`);
    return await keepRefused(deps, envelopeOf(message, line.head, ''), reason);
  } catch (error) {
    deps.log.error({ line: line.number, code: codeOf(error) }, 'line not durable');
    const reason = problem('unavailable', 'line', 'The line could not be made durable; send it again.');
    return { ok: false, problem: reason, errors: [] };
  }
}
