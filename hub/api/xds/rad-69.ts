/**
 * RAD-69 Retrieve Imaging Document Set at `/xds/imaging-source` (IHE RAD TF-2 §4.69): instances of any study of the index,
 * whoever keeps them, as MTOM parts that are streamed one after another.
 */
import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { Router } from 'express';
import type { Response } from 'express';
import { lenientUid } from '../../core/identifier.ts';
import type { Uid } from '../../core/identifier.ts';
import type { ImageSource, IndexReader, InstanceLocated, StudyLocated } from '../../core/ports.ts';
import { Failure, problem } from '../../core/problem.ts';
import type { Problem } from '../../core/problem.ts';
import { packageEnd, packageType, partHead, rootHead } from '../../../mappings/xds/mtom.ts';
import {
  RAD69_REQUEST,
  RAD69_RESPONSE,
  readImagingRequest,
  writeImagingResponse,
} from '../../../mappings/xds/rad-69.ts';
import type {
  DocumentAnswer,
  ImagingDocument,
  ImagingRequest,
  RegistryError,
  RegistryErrorCode,
} from '../../../mappings/xds/rad-69.ts';
import { senderFault, writeEnvelope } from '../../../mappings/xds/soap.ts';
import type { SoapFault } from '../../../mappings/xds/soap.ts';
import type { PixelWork } from '../dicomweb/deps.ts';
import { lengthOf, sendParts } from '../dicomweb/send.ts';
import type { Part } from '../dicomweb/send.ts';
import { newMessageId, soapExchange } from './soap-exchange.ts';
import type { SoapDeps, SoapExchange } from './soap-exchange.ts';

export interface ImagingSourceDeps extends SoapDeps {
  readonly reader: Pick<IndexReader, 'study'>;
  readonly images: ImageSource;
  readonly transcode: Pick<PixelWork, 'canTranscode' | 'transcode'>;
  readonly repositoryOid: string;
  readonly homeCommunityOid: string;
  readonly limits: { readonly requestBytes: number; readonly documents: number };
}

export const IMAGING_SOURCE_LIMITS = { requestBytes: 16 * 1024 ** 2, documents: 20_000 } as const;

export function imagingSourceFace(deps: ImagingSourceDeps): Router {
  const door = {
    operation: 'RAD-69',
    actions: [RAD69_REQUEST],
    act: { kind: 'read-images' },
    requestBytes: deps.limits.requestBytes,
  } as const;
  const router = Router();
  router.post('/', (request, response) =>
    soapExchange(deps, door, request, response, (exchange) => answer(deps, exchange)),
  );
  router.all('/', (_request, response) => {
    response.status(405).setHeader('Allow', 'POST').end();
  });
  return router;
}

async function answer(deps: ImagingSourceDeps, exchange: SoapExchange): Promise<SoapFault | null> {
  const request = readImagingRequest(exchange.message.body, deps.limits);
  if (!request.ok) return senderFault(`${request.problem.text} (${request.problem.where ?? 'Body'})`);
  const outcomes = await resolve(deps, request.value);
  const found = outcomes.filter((outcome) => 'located' in outcome);
  const errors = outcomes.filter((outcome) => 'code' in outcome);
  await audit(exchange, found, errors);
  await send(deps, exchange, found, errors);
  return null;
}

interface Found {
  readonly document: ImagingDocument;
  readonly located: InstanceLocated;
  /** null: as stored. */
  readonly convertTo: Uid | null;
}

interface Missed extends RegistryError {
  readonly document: ImagingDocument;
}

/** Each document once, in the order asked; what cannot be opened is known before the envelope is written. */
async function resolve(deps: ImagingSourceDeps, request: ImagingRequest): Promise<readonly (Found | Missed)[]> {
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
  const outcomes: (Found | Missed)[] = [];
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
async function studyOf(deps: ImagingSourceDeps, studyUid: Uid): Promise<StudyLocated | Problem | null> {
  try {
    return await deps.reader.study(studyUid, { instances: true });
  } catch (error) {
    if (error instanceof Failure) return error.problem;
    throw error;
  }
}

async function settle(
  deps: ImagingSourceDeps,
  request: ImagingRequest,
  { instances, away }: { instances: ReadonlyMap<string, InstanceLocated>; away: ReadonlyMap<string, Problem> },
  document: ImagingDocument,
): Promise<Found | Missed> {
  const miss = (code: RegistryErrorCode, why: string): Missed => ({
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
async function readable(deps: ImagingSourceDeps, located: InstanceLocated): Promise<boolean> {
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

/** One event for what was given and one for what was not (IHE RAD TF-2 §4.69.5 with ITI TF-2 §3.20). */
async function audit(exchange: SoapExchange, found: readonly Found[], errors: readonly Missed[]): Promise<void> {
  const studies = (of: readonly { readonly document: ImagingDocument }[]): string[] =>
    [...new Set(of.flatMap(({ document }) => lenientUid(document.studyUid) ?? []))].slice(0, 1_000);
  if (found.length > 0)
    await exchange.audited('success', [...new Set(found.map(({ located }) => located.personId))], studies(found));
  if (errors.length > 0)
    await exchange.audited('failure', [], studies(errors), [...new Set(errors.map((error) => error.code))].join(' '));
}

async function send(
  deps: ImagingSourceDeps,
  exchange: SoapExchange,
  found: readonly Found[],
  errors: readonly Missed[],
): Promise<void> {
  const { response } = exchange;
  const boundary = `hutong-${randomUUID()}`;
  const rootId = `root-${randomUUID()}@hutong`;
  const answers = found.map(({ document }, at): DocumentAnswer => ({
    document,
    contentId: `${String(at + 1)}-${document.sopUid}@hutong`,
  }));
  const body = writeImagingResponse(answers, errors, `urn:oid:${deps.homeCommunityOid}`);
  const envelope = writeEnvelope(
    { action: RAD69_RESPONSE, relatesTo: exchange.message.messageId, messageId: newMessageId() },
    body,
  );
  const parts: Part[] = [{ kind: 'bytes', bytes: Buffer.from(rootHead(boundary, rootId) + envelope) }];
  found.forEach((one, at) => {
    const contentId = answers[at]?.contentId ?? '';
    parts.push(partOf(deps, one, Buffer.from(partHead(boundary, { contentId, contentType: 'application/dicom' }))));
  });
  parts.push({ kind: 'bytes', bytes: Buffer.from(packageEnd(boundary)) });
  begin(response, packageType(boundary, rootId, RAD69_RESPONSE), lengthOf(parts));
  await sendParts(response, deps.images, parts);
  response.end();
}

function partOf(deps: ImagingSourceDeps, { located, convertTo }: Found, head: Buffer): Part {
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

async function converted(deps: ImagingSourceDeps, located: InstanceLocated, to: Uid): Promise<AsyncIterable<Buffer>> {
  const { size } = located.instance;
  if (size > CONVERTED_LIMIT)
    throw new Failure(problem('too-large', undefined, 'The instance is too large to convert.'));
  const made = await deps.transcode.transcode(await bytesAt(deps.images, located, 0, size), to);
  if (!made.ok) throw new Failure(made.problem);
  return Readable.from([made.value]) as AsyncIterable<Buffer>;
}

function begin(response: Response, contentType: string, length: number | null): void {
  response.status(200).setHeader('Content-Type', contentType);
  if (length !== null) response.setHeader('Content-Length', length);
}
