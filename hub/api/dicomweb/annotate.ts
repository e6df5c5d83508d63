/**
 * What a reader saves of a study: measurements (SR), key images (KO) and presentation states, taken by STOW-RS from who is
 * no hospital's feed. Each becomes an instance of the study it is about, under the hospital's registration, kept as the
 * reader's own beside images that nobody touches; the journal and the audit name the reader.
 */
import type { Caller } from '../../core/access.ts';
import type { Uid } from '../../core/identifier.ts';
import { lenientUid, siteId } from '../../core/identifier.ts';
import type { StoreOutcome, StudyLocated } from '../../core/ports.ts';
import { fail, Failure, ok, problem } from '../../core/problem.ts';
import type { Result } from '../../core/problem.ts';
import type { DataSet } from '../../../mappings/dicom/data-set.ts';
import { parsePart10Header } from '../../../mappings/dicom/parse.ts';
import { parseMediaType } from './accept.ts';
import type { DicomwebDeps } from './deps.ts';
import { uidParameter } from './exchange.ts';
import type { Exchange } from './exchange.ts';
import { isBoundary, readParts } from './multipart-reader.ts';
import type { IncomingPart } from './multipart-reader.ts';
import { storeModel, storeStatus } from './stow-response.ts';

/** A reader saves a handful of objects without pixels; a thousand measurements are below a megabyte. */
const PARTS = 16;
const PART_BYTES = 4 * 1024 * 1024;

/** Structured reports with measurements, key object selections, and how a grayscale or colour image was shown. */
const TAKEN = /^1\.2\.840\.10008\.5\.1\.4\.1\.1\.(88\.(11|22|33|34|59)|11\.[12])$/;

const [SOP_CLASS, SOP_INSTANCE, PATIENT_ID, STUDY, SERIES] = [
  0x00080016, 0x00080018, 0x00100020, 0x0020000d, 0x0020000e,
];

export async function annotate(deps: DicomwebDeps, exchange: Exchange): Promise<void> {
  const { request, response, base } = exchange;
  const media = parseMediaType(request.headers['content-type'] ?? '');
  const boundary = media?.parameters.get('boundary');
  if (media?.type !== 'multipart/related' || boundary === undefined || !isBoundary(boundary)) {
    request.resume();
    throw new Failure(
      problem('unsupported-media', 'Content-Type', 'Send multipart/related; type="application/dicom" with a boundary.'),
    );
  }
  const study = request.params.study === undefined ? null : uidParameter(request, 'study');
  const outcomes: StoreOutcome[] = [];
  const source = request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  const limits = { ...deps.limits, parts: PARTS, partBytes: PART_BYTES, requestBytes: PARTS * PART_BYTES };
  try {
    for await (const part of readParts(source, boundary, limits)) {
      outcomes.push(await keepAnnotation(deps, exchange, await wholeOf(part), study));
    }
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    outcomes.push({ ok: false, problem: error.problem });
  }
  request.resume();
  if (outcomes.length === 0) throw new Failure(problem('required-missing', 'body', 'The request holds no instance.'));
  response.status(storeStatus(outcomes)).setHeader('Cache-Control', 'no-store');
  response.type('application/dicom+json').send(Buffer.from(JSON.stringify(storeModel(outcomes, base))));
}

async function wholeOf(part: IncomingPart): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of part.body) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** Durable and in the audit when it resolves; `study`: the only one it may be about, null: the one that it names. */
export async function keepAnnotation(
  deps: DicomwebDeps,
  { caller, audited }: Pick<Exchange, 'caller' | 'audited'>,
  part10: Buffer,
  study: Uid | null,
): Promise<StoreOutcome> {
  const read = await about(deps, part10, study);
  if (!read.ok) return { ok: false, problem: read.problem };
  const { located, sopUid } = read.value;
  // Before it is kept: what a reader changed is known even where the answer is lost.
  await audited('change', [located.personId], [located.study.studyUid, sopUid]);
  const { authority, localId: value } = located.exam.patient;
  const from = { channel: 'dicomweb', sender: readerName(caller), peer: caller.peer } as const;
  const intake = await deps.sink.begin({ ...from, site: siteId(located.study.site), noteOf: { authority, value } });
  await intake.write(part10);
  return intake.finish();
}

/** Who saved it, as the journal names senders. */
export const readerName = (caller: Caller): string =>
  caller.user?.displayName ?? caller.onBehalfOf?.userName ?? caller.onBehalfOf?.userId ?? caller.name;

interface About {
  readonly located: StudyLocated;
  readonly sopUid: Uid;
}

/** The study it is about; a refusal where it is not one of ours, of another patient, or no annotation. */
async function about(deps: DicomwebDeps, part10: Buffer, study: Uid | null): Promise<Result<About>> {
  const header = parsePart10Header(part10);
  if (!header.ok) return header;
  const { dataSet } = header.value;
  const uids = { sop: uidOf(dataSet, SOP_INSTANCE), study: uidOf(dataSet, STUDY), series: uidOf(dataSet, SERIES) };
  if (!TAKEN.test(textOf(dataSet, SOP_CLASS)))
    return refuse('unsupported-message', '(0008,0016)', 'A reader may save SR, KO and presentation states only.');
  if (uids.sop === null || uids.study === null || uids.series === null)
    return refuse('required-missing', '(0020,000D)', 'The instance does not say which it is.');
  if (study !== null && uids.study !== study)
    return refuse('conflict', '(0020,000D)', 'The instance belongs to another study than the path names.');
  const located = await deps.reader.study(uids.study, { instances: true });
  if (located === null) return refuse('not-found', '(0020,000D)', 'There is no such study here, or it was withdrawn.');
  // A number that another patient has would tie this reader's words to them.
  if (textOf(dataSet, PATIENT_ID) !== located.exam.patient.localId)
    return refuse('patient-mismatch', '(0010,0020)', 'The instance names another patient than the study.');
  const series = located.study.series.find(({ seriesUid }) => seriesUid === uids.series);
  if (series?.instances.some(({ sopClass }) => !TAKEN.test(sopClass)) === true)
    return refuse('conflict', '(0020,000E)', 'The series holds images; annotations go into one of their own.');
  return ok({ located, sopUid: uids.sop });
}

const refuse = (code: Parameters<typeof problem>[0], where: string, text: string): Result<never> =>
  fail(problem(code, where, text));

/** As UTF-8, in which viewers write; another coding of a number beyond ASCII is another number. */
const textOf = (set: DataSet, tag: number): string =>
  set
    .raw(tag)
    .toString('utf8')
    .replace(/[\s\0]+$/, '')
    .trim();

const uidOf = (set: DataSet, tag: number): Uid | null => lenientUid(textOf(set, tag));
