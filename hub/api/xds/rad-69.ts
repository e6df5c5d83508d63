/**
 * RAD-69 Retrieve Imaging Document Set at `/xds/imaging-source` (IHE RAD TF-2 §4.69): instances of any study of the index,
 * whoever keeps them, as MTOM parts that are streamed one after another.
 */
import { randomUUID } from 'node:crypto';
import { Router } from 'express';
import type { Response } from 'express';
import type { AffinityPatients } from '../../core/document-ports.ts';
import { lenientUid } from '../../core/identifier.ts';
import { sightedStudies } from '../../flow/sighted-index.ts';
import { packageEnd, packageType, partHead, rootHead } from '../../../mappings/xds/mtom.ts';
import {
  RAD69_REQUEST,
  RAD69_RESPONSE,
  readImagingRequest,
  writeImagingResponse,
} from '../../../mappings/xds/rad-69.ts';
import type { DocumentAnswer, ImagingDocument } from '../../../mappings/xds/rad-69.ts';
import { senderFault, writeEnvelope } from '../../../mappings/xds/soap.ts';
import type { SoapFault } from '../../../mappings/xds/soap.ts';
import { lengthOf, sendParts } from '../dicomweb/send.ts';
import type { Part } from '../dicomweb/send.ts';
import { findImages, imagePart } from './imaging-documents.ts';
import type { FoundImage, ImagingDeps, MissedImage } from './imaging-documents.ts';
import { newMessageId, soapExchange } from './soap-exchange.ts';
import type { SoapDeps, SoapExchange } from './soap-exchange.ts';

export interface ImagingSourceDeps extends SoapDeps, ImagingDeps {
  /** Ids of the affinity domain, for users whose assertion names a patient by one. */
  readonly patients?: Pick<AffinityPatients, 'idsOf'>;
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
  const outcomes = await findImages({ ...deps, reader: sightedStudies(deps.reader, exchange.sight) }, request.value);
  const found = outcomes.filter((outcome) => 'located' in outcome);
  const errors = outcomes.filter((outcome) => 'code' in outcome);
  const refused = await refuseOthers(deps, exchange, found);
  if (refused) return refused;
  await audit(exchange, found, errors);
  await send(deps, exchange, found, errors);
  return null;
}

/** A user whose assertion was issued for one patient gets the images of this one only. */
async function refuseOthers(
  { patients }: ImagingSourceDeps,
  exchange: SoapExchange,
  found: readonly FoundImage[],
): Promise<SoapFault | null> {
  if ((exchange.caller.onBehalfOf?.patientIds.length ?? 0) === 0) return null;
  const studies = new Map(found.map(({ located }) => [located.study.studyId, located]));
  const persons = [...new Set([...studies.values()].map(({ personId }) => personId))];
  const issued = await patients?.idsOf(persons);
  for (const { exam, personId } of studies.values()) {
    const { patient } = exam;
    const own = [`${patient.localId}^^^&${patient.authority}&ISO`];
    const id = issued?.get(personId);
    const refused = await exchange.refusePatient(id === undefined ? own : [...own, id], [personId]);
    if (refused) return refused;
  }
  return null;
}

/** One event for what was given and one for what was not (IHE RAD TF-2 §4.69.5 with ITI TF-2 §3.20). */
async function audit(
  exchange: SoapExchange,
  found: readonly FoundImage[],
  errors: readonly MissedImage[],
): Promise<void> {
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
  found: readonly FoundImage[],
  errors: readonly MissedImage[],
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
    parts.push(imagePart(deps, one, Buffer.from(partHead(boundary, { contentId, contentType: 'application/dicom' }))));
  });
  parts.push({ kind: 'bytes', bytes: Buffer.from(packageEnd(boundary)) });
  begin(response, packageType(boundary, rootId, RAD69_RESPONSE), lengthOf(parts));
  await sendParts(response, deps.images, parts);
  response.end();
}

function begin(response: Response, contentType: string, length: number | null): void {
  response.status(200).setHeader('Content-Type', contentType);
  if (length !== null) response.setHeader('Content-Length', length);
}
