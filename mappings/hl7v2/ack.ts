/**
 * Builds acknowledgements (HL7 v2.5.1 §2.9): original and enhanced mode, ERR in the form of the sender's version, every
 * ProblemCode rendered. Pure: the answer's own control id and time are arguments.
 */
import type { Problem, ProblemCode } from '../../hub/core/problem.ts';
import { encodeText, type Charset } from './charset.ts';
import { escape, type Delimiters } from './escape.ts';
import { answerDelimiters, sinceVersion, type Hl7Header } from './header.ts';

export type AckOutcome = { readonly kind: 'accepted' } | { readonly kind: 'refused'; readonly problem: Problem };
type Severity = 'error' | 'reject';

/** HL7 table 0357 in words, as ERR-3 and ERR-1.4 want them. */
const ERROR_TEXT = {
  100: 'Segment sequence error',
  101: 'Required field missing',
  102: 'Data type error',
  103: 'Table value not found',
  200: 'Unsupported message type',
  201: 'Unsupported event code',
  202: 'Unsupported processing id',
  203: 'Unsupported version id',
  204: 'Unknown key identifier',
  205: 'Duplicate key identifier',
  206: 'Application record locked',
  207: 'Application internal error',
} as const;

/**
 * AR: header, sender or form, the same message will never pass. AE: content, or a failure after which the sender
 * repeats the message (v2.5.1 §2.9.2.2).
 */
const RENDERING = {
  malformed: ['reject', 100],
  'too-large': ['reject', 207],
  'unsupported-message': ['reject', 200],
  'unsupported-version': ['reject', 203],
  'unsupported-media': ['error', 102],
  'unknown-sender': ['reject', 204],
  unauthenticated: ['reject', 204],
  forbidden: ['reject', 207],
  'not-found': ['error', 204],
  gone: ['error', 204],
  'required-missing': ['error', 101],
  'invalid-value': ['error', 102],
  'unknown-code': ['error', 103],
  charset: ['reject', 102],
  'control-id-reused': ['reject', 205],
  'patient-mismatch': ['error', 204],
  'identity-doubt': ['error', 204],
  'report-conflict': ['error', 205],
  conflict: ['error', 206],
  precondition: ['error', 206],
  'limit-exceeded': ['reject', 207],
  busy: ['error', 206],
  unavailable: ['error', 207],
  timeout: ['error', 207],
  internal: ['error', 207],
} as const satisfies Record<ProblemCode, readonly [Severity, keyof typeof ERROR_TEXT]>;

export interface AckStamp {
  /** Control ids of the answers: one, or two where the sender asked for both acknowledgements. */
  readonly controlId: (nth: number) => string;
  /** MSH-7 of the answer, HL7 DTM. */
  readonly time: string;
}

export interface Acknowledgement {
  /** One ACK message, or two in a row (accept, then application), or none: what the sender asked for. */
  readonly text: string;
  /** MSA-1 of the last message: AA, AE, AR, CA, CE, CR; empty where none is sent. */
  readonly code: string;
}

/** Whether a condition of table 0155 asks for an answer to this outcome. */
function wanted(condition: string, accepted: boolean): boolean {
  switch (condition) {
    case 'AL':
      return true;
    case 'ER':
      return !accepted;
    case 'SU':
      return accepted;
    default:
      return false;
  }
}

const CONDITIONS = new Set(['AL', 'NE', 'ER', 'SU']);
const letter = (outcome: AckOutcome): 'A' | 'E' | 'R' => {
  if (outcome.kind === 'accepted') return 'A';
  return RENDERING[outcome.problem.code][0] === 'error' ? 'E' : 'R';
};

/** Enhanced mode is asked for by MSH-15 or MSH-16 (§2.9.3); without them the answer is AA, AE or AR. */
export function codesFor(header: Hl7Header | null, outcome: AckOutcome): readonly string[] {
  const [accept, application] = [15, 16].map((index) => (header?.segment.text(index) ?? '').toUpperCase());
  const suffix = letter(outcome);
  if (!CONDITIONS.has(accept ?? '') && !CONDITIONS.has(application ?? '')) return [`A${suffix}`];
  const accepted = outcome.kind === 'accepted';
  const codes: string[] = [];
  if (wanted(accept ?? '', accepted)) codes.push(`C${suffix}`);
  // What was refused at the door reaches no application; its refusal is told once.
  if (wanted(application ?? '', accepted) && (accepted || codes.length === 0)) codes.push(`A${suffix}`);
  return codes;
}

export function buildAck(header: Hl7Header | null, outcome: AckOutcome, stamp: AckStamp): Acknowledgement {
  const codes = codesFor(header, outcome);
  const text = codes.map((code, at) => oneAck(header, outcome, code, stamp.controlId(at), stamp.time)).join('');
  return { text, code: codes.at(-1) ?? '' };
}

export const encodeAck = (ack: Acknowledgement, charset: Charset): Buffer => encodeText(ack.text, charset);

function oneAck(header: Hl7Header | null, outcome: AckOutcome, code: string, controlId: string, time: string): string {
  const d = answerDelimiters(header);
  const version = header?.version ?? '';
  const structure =
    sinceVersion(version, 4) || version === '2.3.1'
      ? ['ACK', header?.trigger ?? '', 'ACK']
      : ['ACK', header?.trigger ?? ''];
  const type = (header?.trigger ?? '') === '' ? 'ACK' : structure.map((part) => escape(part, d)).join(d.component);
  const msh = answerHeader(header, type, controlId, time);
  const refusal = outcome.kind === 'refused' ? outcome.problem : null;
  // MSA-3 was withdrawn in 2.7; it is where older senders look first.
  const said = refusal === null || sinceVersion(version, 7) ? '' : escape(oneLine(refusal), d).slice(0, 80);
  const msa = ['MSA', code, echoed(header, 10), ...(said === '' ? [] : [said])];
  return written([msh, msa, ...(refusal === null ? [] : [errorSegment(refusal, version, d)])], d);
}

/** A field of the MSH that is answered, as sent; empty where its delimiters are not those of the answer. */
export const echoed = (header: Hl7Header | null, index: number): string =>
  header !== null && answerDelimiters(header) === header.delimiters ? header.segment.rawField(index) : '';

/** MSH of an answer: back to who sent, in the sender's version and charset. `type` is MSH-9, delimited already. */
export function answerHeader(
  header: Hl7Header | null,
  type: string,
  controlId: string,
  time: string,
): readonly string[] {
  const d = answerDelimiters(header);
  const echo = (index: number): string => echoed(header, index);
  return [
    `MSH${d.field}${d.component}${d.repetition}${d.escape}${d.subcomponent}`,
    ...[echo(5), echo(6), echo(3), echo(4), time, '', type, controlId, echo(11) || 'P'],
    ...[echo(12) || '2.5', '', '', '', '', '', echo(18)],
  ];
}

/** Segments from their fields, without the empty ones at the end. */
export const written = (lines: readonly (readonly string[])[], d: Delimiters): string =>
  lines.map((fields) => `${fields.join(d.field).replace(new RegExp(`\\${d.field}+$`), '')}\r`).join('');

const oneLine = (p: Problem): string => (p.where === undefined ? p.text : `${p.where}: ${p.text}`).replace(/\s+/g, ' ');

/** `PID-3[2].4` -> segment, sequence 1, field 3, repetition 2, component 4. */
export function locationOf(where: string | undefined): readonly string[] {
  const match = /^([A-Z][A-Z0-9]{2})(?:\[(\d+)\])?(?:-(\d+)(?:\[(\d+)\])?(?:\.(\d+))?(?:\.(\d+))?)?$/.exec(where ?? '');
  if (match === null) return [];
  const [, segment, sequence, field, repetition, component, sub] = match;
  if (field === undefined) return [segment ?? '', sequence ?? '1'];
  const parts = [segment ?? '', sequence ?? '1', field, repetition ?? '1'];
  if (component !== undefined) parts.push(component);
  if (sub !== undefined) parts.push(sub);
  return parts;
}

/** ERR-1 (ELD) before 2.5; ERR-2 location, -3 code, -4 severity, -7 diagnostic, -8 user message from 2.5 (§2.15.5). */
export function errorSegment(p: Problem, version: string, d: Delimiters): readonly string[] {
  // A known type with an event that is not: 201 says it better than 200.
  const number = p.code === 'unsupported-message' && p.where === 'MSH-9.2' ? 201 : RENDERING[p.code][1];
  const [code, text] = [String(number), ERROR_TEXT[number]];
  const location = locationOf(p.where);
  if (!sinceVersion(version, 5)) {
    const coded = [code, escape(text, d), 'HL70357'].join(d.subcomponent);
    const [segment = '', sequence = '', field = ''] = location;
    return ['ERR', [segment, sequence, field, coded].join(d.component)];
  }
  const cwe = [code, escape(text, d), 'HL70357'].join(d.component);
  return ['ERR', '', location.join(d.component), cwe, 'E', '', '', p.code, escape(oneLine(p), d).slice(0, 250)];
}

/** The opposite way: which 0357 code and severity a problem has, for tests and for the documentation of the face. */
export const renderingOf = (code: ProblemCode): readonly [Severity, number] => RENDERING[code];
