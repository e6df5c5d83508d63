/**
 * What is judged before a message is accepted, and no more: that it can be read, that the hub understands its kind, and
 * that it names a patient where it must. Everything else is judged after the bytes are safe.
 */
import { fail, ok, problem, type Problem, type Result } from '../../hub/core/problem.ts';
import type { PatientRef } from '../../hub/core/record.ts';
import type { SiteProfile } from '../../hub/core/site.ts';
import { LINKS, MERGES, movedTo, MOVES, NO_LOCAL_ID, REGISTRATIONS, WITHDRAWALS } from './adt.ts';
import { decodeMessage, type Charset, type Decoded } from './charset.ts';
import { readHeader, versionOf, type Hl7Header } from './header.ts';
import { localRef } from './identity.ts';
import { Segment, type Message } from './message.ts';

export interface Inspected {
  readonly header: Hl7Header;
  readonly charset: Charset;
  /** `authority|value` of the patient, or empty where the message names none. */
  readonly patientKey: string;
  /** Of a merge: `authority|value` of the number that ends. */
  readonly endedKey?: string;
  /** Of a link, its end, or a move: the other number that it is about. */
  readonly otherKey?: string;
}

/** Why a message is refused at the door, with what is known for the answer. */
export interface Refused {
  readonly problem: Problem;
  readonly header: Hl7Header | null;
  readonly charset: Charset;
}

export type Inspection = { readonly ok: true; readonly value: Inspected } | ({ readonly ok: false } & Refused);

/** MSH-9.1 -> the events understood. */
const SUPPORTED: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['ADT', new Set([...REGISTRATIONS, ...WITHDRAWALS, ...MERGES, ...LINKS, ...MOVES])],
  ['ORM', new Set(['O01'])],
  ['OMI', new Set(['O23'])],
  ['OMG', new Set(['O19'])],
  ['ORU', new Set(['R01'])],
  ['MDM', new Set(['T02', 'T04', 'T06', 'T08', 'T10', 'T11'])],
  ['SIU', new Set(['S12', 'S13', 'S14', 'S15', 'S17'])],
]);

export const supports = (code: string, trigger: string): boolean => SUPPORTED.get(code)?.has(trigger) ?? false;

/** Kinds of message that are about one registered patient and nothing without him. */
const NEEDS_PATIENT = new Set(['ADT', 'MDM']);
/** MSH-10 is ST(20) to 2.6, 199 later; field senders use GUIDs and worse. */
const MAX_CONTROL_ID = 199;

/** What every message needs in MSH, whatever it says. */
export function judgeEnvelope(header: Hl7Header): Problem | null {
  if (header.controlId === '') return problem('required-missing', 'MSH-10', 'A message needs a control id in MSH-10.');
  if (header.controlId.length > MAX_CONTROL_ID)
    return problem('invalid-value', 'MSH-10', 'The control id is too long.');
  if (header.messageCode === '') return problem('required-missing', 'MSH-9', 'A message needs its type in MSH-9.');
  if (header.version === '') return problem('required-missing', 'MSH-12', 'A message needs its version in MSH-12.');
  const version = versionOf(header.version);
  if (version?.[0] !== 2 || version[1] < 3) {
    return problem('unsupported-version', 'MSH-12', 'HL7 v2.3 and later 2.x versions are understood.');
  }
  return null;
}

function judgeHeader(header: Hl7Header): Problem | null {
  const wrong = judgeEnvelope(header);
  if (wrong !== null) return wrong;
  if (supports(header.messageCode, header.trigger)) return null;
  const where = SUPPORTED.has(header.messageCode) ? 'MSH-9.2' : 'MSH-9';
  return problem(
    'unsupported-message',
    where,
    `This hub takes ${[...SUPPORTED.keys()].join(', ')} with the events of its conformance statement.`,
  );
}

/** The first segment of a name, found without cutting the whole text. */
function findSegment(text: string, name: string, header: Hl7Header, charset: Charset): Segment | null {
  for (const end of ['\r', '\n']) {
    const at = text.indexOf(`${end}${name}${header.delimiters.field}`);
    if (at < 0) continue;
    const stop = text.indexOf('\r', at + 1);
    const line = text.slice(at + 1, stop < 0 ? undefined : stop).split('\n')[0] ?? '';
    return new Segment(line, { delimiters: header.delimiters, charset });
  }
  return null;
}

/** Decodes by the site's belief; the header was read with a guess that is good enough for MSH. */
export function decodeFor(bytes: Buffer, site: SiteProfile, header: Hl7Header): Result<Decoded> {
  const { charset, defaultCharset } = site.hl7v2;
  return decodeMessage(bytes.subarray(header.offset), header.charsets, {
    ...(charset === undefined ? {} : { charset }),
    ...(defaultCharset === undefined ? {} : { defaultCharset }),
  });
}

export function inspectHl7(bytes: Buffer, site: SiteProfile, known?: Hl7Header): Inspection {
  const read = known === undefined ? readHeader(bytes) : ok(known);
  if (!read.ok) return { ...fail(read.problem), header: null, charset: 'ASCII' };
  const header = read.value;
  const refuse = (p: Problem, charset: Charset = 'UTF-8'): Inspection => ({ ok: false, problem: p, header, charset });
  const wrong = judgeHeader(header);
  if (wrong !== null) return refuse(wrong);
  const decoded = decodeFor(bytes, site, header);
  if (!decoded.ok) return refuse(decoded.problem);
  const { text, charset } = decoded.value;
  const pid = findSegment(text, 'PID', header, charset);
  if (pid === null) {
    if (NEEDS_PATIENT.has(header.messageCode))
      return refuse(problem('required-missing', 'PID', 'This message needs PID.'), charset);
    return { ok: true, value: { header, charset, patientKey: '' } };
  }
  const ref = localRef(pid, 3, site);
  if (ref === null) return refuse(problem('required-missing', 'PID-3', NO_LOCAL_ID), charset);
  const both = header.messageCode === 'ADT' ? otherOf(text, header, charset, { pid, site }) : {};
  if ('problem' in both) return refuse(both.problem, charset);
  return { ok: true, value: { header, charset, patientKey: keyOf(both.subject ?? ref), ...both.keys } };
}

const keyOf = ({ authority, value }: PatientRef): string => `${authority}|${value}`;

interface Other {
  /** Who the message is filed under, where the best number of PID-3 does not tell. */
  readonly subject?: PatientRef;
  readonly keys?: Pick<Inspected, 'endedKey' | 'otherKey'>;
}

/** The other number of an event that is about two. */
function otherOf(
  text: string,
  header: Hl7Header,
  charset: Charset,
  { pid, site }: { readonly pid: Segment; readonly site: SiteProfile },
): Other | { readonly problem: Problem } {
  const { trigger } = header;
  if (LINKS.has(trigger)) {
    const after = text.slice(text.indexOf(pid.raw) + pid.raw.length);
    const second = findSegment(after, 'PID', header, charset);
    const other = second === null ? null : localRef(second, 3, site);
    if (other === null) return { problem: problem('required-missing', 'PID[2]-3', 'The second patient is missing.') };
    return { keys: { otherKey: keyOf(other) } };
  }
  if (!MERGES.has(trigger) && !MOVES.has(trigger)) return {};
  const mrg = findSegment(text, 'MRG', header, charset);
  const ended = mrg === null ? null : localRef(mrg, 1, site);
  if (ended === null) return { problem: problem('required-missing', 'MRG-1', 'The number that ends is missing.') };
  if (MERGES.has(trigger)) return { keys: { endedKey: keyOf(ended) } };
  const to = movedTo(pid, ended, site);
  if (to === null)
    return { problem: problem('required-missing', 'PID-3', 'The patient that it is moved to is missing.') };
  return { subject: to, keys: { otherKey: keyOf(ended) } };
}

/** The patient of a parsed message, as `inspectHl7` keys it. */
export function patientKeyOf(message: Message, site: SiteProfile): string {
  const pid = message.first('PID');
  const ref = pid === undefined ? null : localRef(pid, 3, site);
  return ref === null ? '' : `${ref.authority}|${ref.value}`;
}
