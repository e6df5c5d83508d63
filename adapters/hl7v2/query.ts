/**
 * Queries over MLLP: PIX and PDQ (ITI-9, 21, 22). Nothing is filed: who asks, what for and what was told stands in the audit
 * before the answer leaves. A sender without the right to ask is refused, and that stands there too.
 */
import { decide, type Caller } from '../../hub/core/access.ts';
import { audited, type AuditEvent } from '../../hub/core/audit.ts';
import type { CrossReference, Demographics, PatientQueries, PatientsSeen } from '../../hub/core/patient-query.ts';
import { problem, type Problem, type Result } from '../../hub/core/problem.ts';
import type { SiteProfile } from '../../hub/core/site.ts';
import {
  buildAck,
  decodeFor,
  encodeAck,
  encodeText,
  judgeEnvelope,
  parseMessage,
  queryKindOf,
  readQuery,
  writeQueryAnswer,
  writeTime,
  type Charset,
  type Hl7Header,
  type Hl7Query,
  type QueryKind,
  type QueryOutcome,
} from '../../mappings/hl7v2/index.ts';
import type { Door, Handled } from './door.ts';
import type { Peer } from './sender-identity.ts';

const TRANSACTIONS = { pix: 'ITI-9', pdq: 'ITI-21', pdvq: 'ITI-22', cancel: 'ITI-21' } as const;

/** So much of a query is kept with its audit record. */
const AUDITED_BYTES = 4_096;

export const isQuery = (header: Hl7Header): boolean => queryKindOf(header) !== null;

interface Asked {
  readonly door: Door;
  readonly site: SiteProfile;
  readonly header: Hl7Header;
  readonly caller: Caller;
  readonly kind: QueryKind | 'cancel';
  readonly charset: Charset;
  readonly qpd: string;
  readonly tag: string;
}

/** A site's system asks in its own name; only one whose data say so may (`hl7v2.query`). */
function callerOf(site: SiteProfile, header: Hl7Header, peer: Peer): Caller {
  const name = `${header.application}|${header.facility}`.replace(/[\u0000-\u001f]/g, '').slice(0, 200);
  const role = site.hl7v2.query === true ? 'query-platform' : 'hospital-feed';
  return { id: `hl7v2:${site.id}`, name, role, site: site.id, peer: peer.address };
}

export async function answerQuery(
  door: Door,
  queries: PatientsSeen,
  bytes: Buffer,
  [site, header, peer]: readonly [SiteProfile, Hl7Header, Peer],
): Promise<Handled> {
  const kind = queryKindOf(header) ?? 'pdq';
  const decoded = decodeFor(bytes, site, header);
  const charset = decoded.ok ? decoded.value.charset : 'UTF-8';
  const parsed = decoded.ok ? parseMessage(decoded.value.text, charset) : decoded;
  const qpd = parsed.ok ? parsed.value.first('QPD') : undefined;
  const caller = callerOf(site, header, peer);
  const asked: Asked = {
    ...{ door, site, header, caller, kind, charset },
    qpd: qpd?.raw ?? '',
    tag: qpd?.text(2) ?? '',
  };
  const wrong = judgeEnvelope(header);
  if (wrong !== null) return refused(asked, wrong);
  const decision = decide(caller, { kind: 'search-records' });
  if (!decision.allowed) return refused(asked, problem('forbidden', undefined, `Refused: ${decision.reason}.`), true);
  const query: Result<Hl7Query> = parsed.ok ? readQuery(parsed.value, kind, site) : parsed;
  return query.ok ? answered(asked, await queries(caller), query.value) : refused(asked, query.problem);
}

async function answered(asked: Asked, queries: PatientQueries, query: Hl7Query): Promise<Handled> {
  const { caller } = asked;
  if (query.kind === 'cancel') {
    await queries.cancel({ callerId: caller.id, tag: query.tag });
    await record(asked, 'success', []);
    return acknowledged(asked, null);
  }
  if (query.kind === 'pix') {
    const found = await queries.crossReference(query.source, query.targets);
    if (found.kind !== 'known') return refused(asked, crossReferenceProblem(found));
    return told(asked, { kind: 'pix', numbers: found.numbers }, [found.personId]);
  }
  const asking = {
    ...{ callerId: caller.id, tag: query.tag, limit: query.limit },
    ...(query.kind === 'pdvq' ? { each: 'visit' as const } : {}),
  };
  const found =
    query.pointer === null
      ? await queries.find(query.demand, query.domains, asking)
      : await queries.more(query.pointer, asking);
  if (found.kind !== 'found') return refused(asked, demographicsProblem(found));
  const persons = [...new Set(found.page.patients.map(({ personId }) => personId))];
  return told(asked, { kind: query.kind, page: found.page }, persons);
}

/** ITI TF-2 §3.9.4.2.2.6, cases 3, 4 and 5: ERR-2 names the component, or the repetition, that is not known. */
function crossReferenceProblem(found: Exclude<CrossReference, { kind: 'known' }>): Problem {
  if (found.kind === 'unknown-patient')
    return problem('not-found', 'QPD-3[1].1', 'This patient identifier is not known.');
  if (found.kind === 'unknown-domain')
    return problem('not-found', 'QPD-3[1].4', 'This patient identifier domain is not known.');
  return problem(
    'not-found',
    `QPD-4[${String((found.at[0] ?? 0) + 1)}]`,
    'This patient identifier domain is not known.',
  );
}

/** §3.21.4.2.2.9 case 3 for a domain; a pointer that leads nowhere, a question that is too wide. */
function demographicsProblem(found: Exclude<Demographics, { kind: 'found' }>): Problem {
  if (found.kind === 'unknown-domains')
    return problem(
      'not-found',
      `QPD-8[${String((found.at[0] ?? 0) + 1)}]`,
      'This patient identifier domain is not known.',
    );
  if (found.kind === 'unknown-pointer')
    return problem('not-found', 'DSC-1', 'This continuation is not known, or ended.');
  return problem('busy', 'QPD-3', 'Too many patients fit: say more about the one that is meant.');
}

async function told(asked: Asked, outcome: QueryOutcome, persons: readonly string[]): Promise<Handled> {
  await record(asked, 'success', persons);
  return { answer: answerBytes(asked, outcome), accepted: true, stranger: false };
}

async function refused(asked: Asked, p: Problem, byRight = false): Promise<Handled> {
  await record(asked, byRight ? 'refused' : 'failure', [], p.code);
  if (asked.kind === 'cancel') return acknowledged(asked, p);
  const answer = answerBytes(asked, { kind: 'refused', of: asked.kind, problem: p });
  return { answer, accepted: false, stranger: false };
}

/** A cancellation is acknowledged plainly (v2.5 §5.4.6), and so is one that cannot be read. */
function acknowledged(asked: Asked, p: Problem | null): Handled {
  const { door, header, charset } = asked;
  const ack = buildAck(header, p === null ? { kind: 'accepted' } : { kind: 'refused', problem: p }, {
    controlId: door.nextControlId,
    time: timeOf(asked),
  });
  return { answer: encodeAck(ack, charset), accepted: p === null, stranger: false };
}

const timeOf = ({ door, site }: Asked): string => writeTime(door.clock(), site.timeZone);

function answerBytes(asked: Asked, outcome: QueryOutcome): Buffer {
  const { door, header, qpd, tag, charset } = asked;
  const [controlId, time, { timeZone }] = [door.nextControlId(), timeOf(asked), asked.site];
  return encodeText(writeQueryAnswer({ header, qpd, tag, controlId, time, timeZone }, outcome), charset);
}

/** Resolves when durable: nobody's data leave before. */
function record(
  { door, caller, header, kind, qpd }: Asked,
  outcome: AuditEvent['outcome'],
  persons: readonly string[],
  reason?: string,
): Promise<void> {
  return door.audit.record({
    ...audited(caller),
    action: outcome === 'refused' ? 'refuse' : 'search',
    outcome,
    face: 'hl7v2',
    operation: header.messageType.slice(0, 64),
    persons,
    objects: [],
    detail: {
      transaction: TRANSACTIONS[kind],
      messageId: header.controlId,
      query: { content: Buffer.from(qpd.slice(0, AUDITED_BYTES)).toString('base64') },
    },
    ...(reason === undefined ? {} : { reason }),
  });
}
