/**
 * STOW-RS (PS3.18 §10.5): instances in one multipart body, each taken as C-STORE would take it and acknowledged only when
 * durable; what is wrong with one harms no other.
 */
import type { Request } from 'express';
import type { Caller } from '../../core/access.ts';
import { siteId } from '../../core/identifier.ts';
import type { SiteId } from '../../core/identifier.ts';
import type { InstanceIntake, StoreOutcome } from '../../core/ports.ts';
import { Failure, problem } from '../../core/problem.ts';
import type { Problem } from '../../core/problem.ts';
import { parsePart10Header } from '../../../mappings/dicom/parse.ts';
import { parseMediaType } from './accept.ts';
import { answerProblem } from './answer.ts';
import type { DicomwebDeps } from './deps.ts';
import { uidParameter } from './exchange.ts';
import type { Exchange } from './exchange.ts';
import { isBoundary, readParts } from './multipart-reader.ts';
import type { IncomingPart } from './multipart-reader.ts';
import { nativeXml } from './native-xml.ts';
import { wantsXml } from './qido.ts';
import { storeModel, storeStatus } from './stow-response.ts';

/** Instances whose bytes are in and that wait for the disk while the next ones arrive. */
const FINISHING = 4;
/** Enough of a file to hold the identifiers; PS3.10 heads and group 0008 are far smaller. */
const PREFIX_BYTES = 256 * 1024;
/** What is kept of a body or part that is refused unread. */
const HEAD_BYTES = 8192;
const STUDY_INSTANCE_UID = 0x0020000d;

/** The site that a request feeds: named by `?site=` or `X-Site`, else the caller's own. */
export function feedOf(request: Request, caller: Caller): string | null {
  const named = request.query.site ?? request.headers['x-site'];
  return typeof named === 'string' && named !== '' ? named : (caller.site ?? null);
}

export async function store(deps: DicomwebDeps, exchange: Exchange): Promise<void> {
  const { request, response, caller, base } = exchange;
  const named = feedOf(request, caller);
  const site = named === null ? null : deps.sites.byId(named);
  if (site === null) {
    const text = named === null ? 'Name the site that is fed: ?site= or the header X-Site.' : 'There is no such site.';
    throw new Failure(problem(named === null ? 'required-missing' : 'invalid-value', 'site', text));
  }
  const xml = wantsXml(request);
  const study = request.params.study === undefined ? null : uidParameter(request, 'study');
  const from = { site: siteId(site.id), sender: caller.name, peer: caller.peer };
  const parts = partsOf(request, deps);
  if (parts === null) {
    await deps.sink.refuse({ channel: 'dicomweb', ...from }, await headOf(sourceOf(request), false), WRONG_MEDIA);
    request.resume();
    answerProblem(response, WRONG_MEDIA, 415);
    return;
  }
  const received = await receive(deps, from, study, parts);
  request.resume(); // what was left unread is read away
  if (received.outcomes.length === 0)
    throw new Failure(received.broken ?? problem('required-missing', 'body', 'The request holds no instance.'));
  const outcomes = received.broken
    ? [...received.outcomes, { ok: false as const, problem: received.broken }]
    : received.outcomes;
  await exchange.audited(
    'feed',
    [],
    [...new Set(outcomes.flatMap((outcome) => (outcome.ok ? [outcome.studyUid] : [])))],
  );
  const model = storeModel(outcomes, base);
  response.status(storeStatus(outcomes)).setHeader('Cache-Control', 'no-store');
  if (xml) response.type('application/dicom+xml').send(Buffer.from(nativeXml(model)));
  else response.type('application/dicom+json').send(Buffer.from(JSON.stringify(model)));
}

/** JSON and XML metadata with bulk data (PS3.18 §10.5) are not taken: no sender that we know of sends them. */
const WRONG_MEDIA = problem(
  'unsupported-media',
  'Content-Type',
  'Send multipart/related; type="application/dicom" with a boundary, or one application/dicom.',
);

/** Leaving the body early must not break the connection: the answer still has to go out on it. */
const sourceOf = (request: Request): AsyncIterable<Buffer> =>
  request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;

/** A part is read to its end, where the next one begins; a whole body need not be. */
async function headOf(source: AsyncIterable<Uint8Array>, toItsEnd: boolean): Promise<Buffer> {
  let head = Buffer.alloc(0);
  for await (const chunk of source) {
    if (head.length < HEAD_BYTES) head = Buffer.concat([head, chunk.subarray(0, HEAD_BYTES)]);
    else if (!toItsEnd) break;
  }
  return head;
}

/** The parts of the body; null where it is of no form that STOW-RS takes. */
function partsOf(request: Request, deps: DicomwebDeps): AsyncIterable<IncomingPart> | null {
  const media = parseMediaType(request.headers['content-type'] ?? '');
  if (media === null) return null;
  const source = sourceOf(request);
  if (media.type === 'application/dicom') return single(source);
  if (media.type !== 'multipart/related') return null;
  const type = media.parameters.get('type')?.toLowerCase();
  if (type !== undefined && type !== 'application/dicom') return null;
  const boundary = media.parameters.get('boundary');
  if (boundary === undefined || !isBoundary(boundary)) {
    throw new Failure(problem('malformed', 'Content-Type', 'The boundary is missing or is not one.'));
  }
  return readParts(source, boundary, deps.limits);
}

async function* single(source: AsyncIterable<Buffer>): AsyncGenerator<IncomingPart> {
  async function* body(): AsyncGenerator<Buffer> {
    yield* source;
  }
  yield { headers: new Map([['content-type', 'application/dicom']]), body: body() };
}

interface Sender {
  readonly site: SiteId;
  readonly sender: string;
  readonly peer: string;
}

interface Received {
  readonly outcomes: readonly StoreOutcome[];
  /** Why the body could not be read to its end. */
  readonly broken: Problem | null;
}

async function receive(
  deps: DicomwebDeps,
  from: Sender,
  study: string | null,
  parts: AsyncIterable<IncomingPart>,
): Promise<Received> {
  const outcomes: Promise<StoreOutcome>[] = [];
  let broken: Problem | null = null;
  try {
    for await (const part of parts) {
      const { outcome } = await receivePart(deps, from, study, part);
      outcome.catch(() => undefined); // awaited below, in the order of the body
      outcomes.push(outcome);
      await outcomes[outcomes.length - FINISHING]?.catch(() => undefined);
    }
  } catch (error) {
    if (!(error instanceof Failure)) {
      await Promise.allSettled(outcomes);
      throw error; // the caller has gone: there is nobody to answer
    }
    broken = error.problem;
  }
  const settled = await Promise.allSettled(outcomes);
  return {
    broken,
    outcomes: settled.map((one) => {
      if (one.status === 'fulfilled') return one.value;
      if (one.reason instanceof Failure) return { ok: false, problem: one.reason.problem };
      deps.log.error(
        { name: one.reason instanceof Error ? one.reason.name : typeof one.reason },
        'an instance of a STOW-RS request broke',
      );
      return { ok: false, problem: problem('internal') };
    }),
  };
}

/** Resolves when the part's bytes are in; the outcome in it when they are durable or refused. */
async function receivePart(deps: DicomwebDeps, from: Sender, study: string | null, part: IncomingPart): Promise<Taken> {
  const type = parseMediaType(part.headers.get('content-type') ?? 'application/dicom')?.type;
  const arrival = { channel: 'dicomweb', ...from } as const;
  if (type !== 'application/dicom') {
    const why = problem('unsupported-media', 'Content-Type', 'A part is not application/dicom.');
    await deps.sink.refuse(arrival, await headOf(part.body, true), why);
    return refused(why);
  }
  let intake: InstanceIntake;
  try {
    intake = await deps.sink.begin(arrival);
  } catch (error) {
    if (error instanceof Failure) return refused(error.problem);
    throw error;
  }
  const prefix = new Prefix(study);
  let mismatch: Problem | null = null;
  try {
    for await (const chunk of part.body) {
      mismatch ??= prefix.add(chunk);
      if (mismatch === null) await intake.write(chunk);
    }
  } catch (error) {
    await intake.abort('the body broke off');
    throw error;
  }
  if (mismatch === null) return { outcome: intake.finish() };
  await intake.abort('the instance belongs to another study');
  await deps.sink.refuse(arrival, prefix.bytes, mismatch);
  return refused(mismatch);
}

/** In an object, since an async function would wait for a bare promise. */
interface Taken {
  readonly outcome: Promise<StoreOutcome>;
}

const refused = (why: Problem): Taken => ({ outcome: Promise.resolve({ ok: false, problem: why }) });

/** Tells from the first bytes whether an instance belongs to the study that the path names, before it is accepted. */
class Prefix {
  readonly #study: string | null;
  #bytes = Buffer.alloc(0);
  #open: boolean;

  constructor(study: string | null) {
    this.#study = study;
    this.#open = study !== null;
  }

  get bytes(): Buffer {
    return this.#bytes;
  }

  add(chunk: Buffer): Problem | null {
    if (!this.#open) return null;
    this.#bytes = Buffer.concat([this.#bytes, chunk.subarray(0, PREFIX_BYTES - this.#bytes.length)]);
    const header = parsePart10Header(this.#bytes);
    const told =
      header.ok && header.value.dataSet.has(STUDY_INSTANCE_UID) ? header.value.dataSet.one(STUDY_INSTANCE_UID) : null;
    // What cannot be read is the sink's to refuse, with its own words.
    this.#open = told === null && this.#bytes.length < PREFIX_BYTES;
    if (told === null || told === this.#study) return null;
    return problem('conflict', '(0020,000D)', 'The instance belongs to another study than the path names.');
  }
}
