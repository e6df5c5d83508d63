/**
 * Which instances of a RAD-69 or RAD-75 request this hub can give, and their bytes: what the imaging source and both
 * gateways share (IHE RAD TF-2 §4.69.4.2.2).
 */
import { Readable } from 'node:stream';
import { lenientUid } from '../../core/identifier.ts';
import type { Uid } from '../../core/identifier.ts';
import type { ImageSource, IndexReader, InstanceLocated, Log, StudyLocated } from '../../core/ports.ts';
import { Failure, problem } from '../../core/problem.ts';
import type { Problem } from '../../core/problem.ts';
import type {
  ImagingDocument,
  ImagingRequest,
  RegistryError,
  RegistryErrorCode,
} from '../../../mappings/xds/rad-69.ts';
import type { PixelWork } from '../dicomweb/deps.ts';
import type { Part } from '../dicomweb/send.ts';

export interface ImagingDeps {
  readonly reader: Pick<IndexReader, 'study'>;
  readonly images: ImageSource;
  readonly transcode: Pick<PixelWork, 'canTranscode' | 'transcode'>;
  readonly repositoryOid: string;
  readonly log: Log;
}

export interface FoundImage {
  readonly document: ImagingDocument;
  readonly located: InstanceLocated;
  /** null: as stored. */
  readonly convertTo: Uid | null;
}

export interface MissedImage extends RegistryError {
  readonly document: ImagingDocument;
}

/** Each document once, in the order asked; what cannot be opened is known before the envelope is written. */
export async function findImages(
  deps: ImagingDeps,
  request: ImagingRequest,
): Promise<readonly (FoundImage | MissedImage)[]> {
  const studies = new Map<string, StudyLocated | Problem | null>();
  const unique = new Map(
    request.documents.map((d) => [[d.studyUid, d.seriesUid, d.sopUid, d.repositoryUid].join('\n'), d]),
  );
  for (const { studyUid } of unique.values()) {
    const uid = lenientUid(studyUid);
    if (!studies.has(studyUid)) studies.set(studyUid, uid === null ? null : await studyOf(deps, uid));
  }
  const instances = new Map<string, InstanceLocated>();
  const away = new Map<string, Problem>();
  for (const [studyUid, located] of studies) {
    if (located === null) continue;
    if ('code' in located) away.set(studyUid, located);
    else
      for (const series of located.study.series)
        for (const instance of series.instances)
          instances.set(`${located.study.studyUid}\n${series.seriesUid}\n${instance.sopUid}`, {
            ...located,
            series,
            instance,
          });
  }
  const outcomes: (FoundImage | MissedImage)[] = [];
  const documents = [...unique.values()];
  for (let at = 0; at < documents.length; at += 64)
    outcomes.push(
      ...(await Promise.all(
        documents.slice(at, at + 64).map((document) => settle(deps, request, { instances, away }, document)),
      )),
    );
  return outcomes;
}

/** A study whose hospital does not give its images now is an error of its documents, not of the whole request. */
async function studyOf(deps: ImagingDeps, studyUid: Uid): Promise<StudyLocated | Problem | null> {
  try {
    return await deps.reader.study(studyUid, { instances: true });
  } catch (error) {
    if (error instanceof Failure) return error.problem;
    throw error;
  }
}

async function settle(
  deps: ImagingDeps,
  request: ImagingRequest,
  { instances, away }: { instances: ReadonlyMap<string, InstanceLocated>; away: ReadonlyMap<string, Problem> },
  document: ImagingDocument,
): Promise<FoundImage | MissedImage> {
  const miss = (code: RegistryErrorCode, why: string): MissedImage => ({
    document,
    code,
    context: `${why}: ${name(document.sopUid)}`,
  });
  if (document.repositoryUid !== deps.repositoryOid)
    return miss('XDSUnknownRepositoryId', `This imaging source is ${deps.repositoryOid}, another was asked for`);
  const reason = away.get(document.studyUid);
  if (reason) return miss('XDSRepositoryError', reason.text);
  const located = instances.get(`${document.studyUid}\n${document.seriesUid}\n${document.sopUid}`);
  if (!located) return miss('XDSDocumentUniqueIdError', 'There is no such instance in this series of this study');
  const stored = located.instance.transferSyntax;
  const listed = request.transferSyntaxes.includes(stored);
  const convertTo = listed
    ? null
    : (request.transferSyntaxes.map(lenientUid).find((to) => to !== null && deps.transcode.canTranscode(stored, to)) ??
      null);
  if (!listed && convertTo === null)
    return miss(
      'XDSRepositoryError',
      `Stored in transfer syntax ${stored}, which cannot be given in any that is listed`,
    );
  return (await readable(deps, located))
    ? { document, located, convertTo }
    : miss('XDSRepositoryError', 'The instance cannot be read now');
}

/** Foreign text goes back only where it is a UID. */
const name = (uid: string): string => lenientUid(uid) ?? 'not a UID';

/** A document that is announced must come whole: where its source cannot tell, the file is opened at both ends. */
async function readable(deps: ImagingDeps, located: InstanceLocated): Promise<boolean> {
  try {
    const known = await deps.images.whole?.(located);
    if (typeof known === 'boolean') return known;
    const head = await bytesAt(deps.images, located, 0, 132);
    const { size } = located.instance;
    const whole = size === 0 || (await bytesAt(deps.images, located, size - 1, 1)).length === 1;
    return whole && head.subarray(128).toString('latin1') === 'DICM';
  } catch (error) {
    const failure = error instanceof Failure ? error.problem.code : error instanceof Error ? error.name : typeof error;
    deps.log.warn({ operation: 'RAD-69', instance: located.instance.sopUid, failure }, 'an instance cannot be opened');
    return false;
  }
}

async function bytesAt(images: ImageSource, located: InstanceLocated, start: number, count: number): Promise<Buffer> {
  const into = Buffer.alloc(count);
  const read = await images.readInto?.(located, into, start);
  if (typeof read === 'number') return into.subarray(0, read);
  const chunks: Buffer[] = [];
  for await (const chunk of await images.open(located, { start, end: start + count }))
    chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks);
}

export function imagePart(deps: ImagingDeps, { located, convertTo }: FoundImage, head: Buffer): Part {
  if (convertTo !== null)
    return {
      kind: 'made',
      head,
      make: () => converted(deps, located, convertTo),
    };
  const { size } = located.instance;
  // An instance that the hospital keeps may be known without its size.
  if (size === 0) return { kind: 'made', head, make: () => deps.images.open(located) };
  return { kind: 'stored', head, located, start: 0, length: size, streamed: located.instance.object === '' };
}

/** Objects above this are not held in memory to be converted. */
const CONVERTED_LIMIT = 512 * 1024 ** 2;

async function converted(deps: ImagingDeps, located: InstanceLocated, to: Uid): Promise<AsyncIterable<Buffer>> {
  const { size } = located.instance;
  if (size > CONVERTED_LIMIT)
    throw new Failure(problem('too-large', undefined, 'The instance is too large to convert.'));
  const made = await deps.transcode.transcode(await bytesAt(deps.images, located, 0, size), to);
  if (!made.ok) throw new Failure(made.problem);
  return Readable.from([made.value]) as AsyncIterable<Buffer>;
}
