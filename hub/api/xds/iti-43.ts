/**
 * ITI-43 Retrieve Document Set (ITI TF-2 §3.43): documents of the hub's own repository as MTOM parts, streamed one after
 * another. Deprecated ones too: the registry's status is no matter of the repository.
 */
import { randomUUID } from 'node:crypto';
import type { PatientCx, RegistryProblem } from '../../core/document.ts';
import type { RepositoryDocument } from '../../core/document-ports.ts';
import { Failure } from '../../core/problem.ts';
import { ITI43_RESPONSE, readRetrieveRequest, writeRetrieveResponse } from '../../../mappings/xds/document-set.ts';
import type { DeliveredDocument, DocumentReference } from '../../../mappings/xds/document-set.ts';
import { packageEnd, packageType, partHead, rootHead } from '../../../mappings/xds/mtom.ts';
import { statusOf, writeRegistryResponse } from '../../../mappings/xds/registry-response.ts';
import { senderFault, writeEnvelope } from '../../../mappings/xds/soap.ts';
import type { SoapFault } from '../../../mappings/xds/soap.ts';
import { lengthOf, sendParts } from '../dicomweb/send.ts';
import type { Part, PartSource } from '../dicomweb/send.ts';
import type { RepositoryDeps } from './repository-deps.ts';
import { newMessageId } from './soap-exchange.ts';
import type { SoapExchange } from './soap-exchange.ts';

type Stored = RepositoryDocument & { readonly patientId: PatientCx };

interface Found {
  readonly reference: DocumentReference;
  readonly stored: Stored;
  /** Whose it is: of several patients who have the same document, those whom the caller may see, where there are any. */
  readonly patientIds: readonly PatientCx[];
}

interface Missed {
  readonly reference: DocumentReference;
  readonly problem: RegistryProblem;
}

export async function retrieveDocuments(deps: RepositoryDeps, exchange: SoapExchange): Promise<SoapFault | null> {
  const request = readRetrieveRequest(exchange.message.body, deps.limits);
  if (!request.ok) return senderFault(`${request.problem.text} (${request.problem.where ?? 'Body'})`);
  const outcomes = await locateDocuments(deps, request.value, exchange);
  const found = outcomes.filter((outcome) => 'stored' in outcome);
  const missed = outcomes.filter((outcome) => 'problem' in outcome);
  const refused = await exchange.refuseOthers(found.flatMap(({ patientIds }) => patientIds));
  if (refused) return refused;
  await audit(deps, exchange, found, missed);
  await send(deps, exchange, found, missed);
  return null;
}

/** What finding and reading documents takes: the gateways do it too. */
export interface DocumentSourceDeps extends Pick<RepositoryDeps, 'objects' | 'log'> {
  readonly registry: Pick<RepositoryDeps['registry'], 'documents'>;
  readonly repositoryOid: string;
}

/** Each document once, in the order asked: one that is asked for twice is answered once. */
export async function locateDocuments(
  deps: DocumentSourceDeps,
  references: readonly DocumentReference[],
  exchange: Pick<SoapExchange, 'seenOf' | 'sight'>,
): Promise<readonly (Found | Missed)[]> {
  const unique = [
    ...new Map(references.map((one) => [`${one.repositoryUniqueId}\n${one.documentUniqueId}`, one])).values(),
  ];
  const own = unique.filter(({ repositoryUniqueId }) => repositoryUniqueId === deps.repositoryOid);
  const wanted = own.map(({ documentUniqueId }) => documentUniqueId);
  const visible = exchange.sight.whole ? new Set(wanted) : await exchange.sight.documents(wanted);
  const stored = await deps.registry.documents(wanted.filter((name) => visible.has(name)));
  const seen = await exchange.seenOf(stored.map(({ patientId }) => patientId));
  const byUniqueId = new Map<string, Located>();
  for (const document of stored) {
    const { uniqueId, patientId } = document;
    const other = byUniqueId.get(uniqueId);
    // One unique id is one content (hub/core/document-register.ts): whose copy it is decides about the right alone.
    if (!other || (seen.has(patientId) && !other.seen))
      byUniqueId.set(uniqueId, { stored: document, patientIds: [patientId], seen: seen.has(patientId) });
    else if (seen.has(patientId) === other.seen) other.patientIds.push(patientId);
  }
  const outcomes: (Found | Missed)[] = [];
  for (let at = 0; at < unique.length; at += 16)
    outcomes.push(
      ...(await Promise.all(unique.slice(at, at + 16).map((reference) => settle(deps, byUniqueId, reference)))),
    );
  return outcomes;
}

interface Located {
  readonly stored: Stored;
  readonly patientIds: PatientCx[];
  readonly seen: boolean;
}

async function settle(
  deps: DocumentSourceDeps,
  byUniqueId: ReadonlyMap<string, Located>,
  reference: DocumentReference,
): Promise<Found | Missed> {
  const name = isName(reference.documentUniqueId) ? reference.documentUniqueId : 'not a unique id';
  const miss = (code: RegistryProblem['code'], context: string): Missed => ({
    reference,
    problem: { code, severity: 'error', context: `${context}: ${name}` },
  });
  if (reference.repositoryUniqueId !== deps.repositoryOid)
    return miss('XDSUnknownRepositoryId', `This repository is ${deps.repositoryOid}, another was asked for`);
  const located = byUniqueId.get(reference.documentUniqueId);
  if (!located) return miss('XDSDocumentUniqueIdError', 'There is no such document in this repository');
  const { stored, patientIds } = located;
  return (await whole(deps, stored))
    ? { reference, stored, patientIds }
    : miss('XDSRepositoryError', 'The document cannot be read now');
}

/** Foreign text goes back only where it is an OID, with or without an extension. */
const isName = (uniqueId: string): boolean => uniqueId.length <= 128 && /^[0-9.]+(\^[\w.-]*)?$/.test(uniqueId);

/** A document that is announced must come whole. */
async function whole({ objects, log }: DocumentSourceDeps, { object, size }: Stored): Promise<boolean> {
  try {
    return (await objects.size(object)) === size;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    log.warn({ operation: 'ITI-43', object, code: error.problem.code }, 'a document cannot be opened');
    return false;
  }
}

/** One event for what was given and one for what was not (WIRE §9). */
async function audit(
  deps: RepositoryDeps,
  exchange: SoapExchange,
  found: readonly Found[],
  missed: readonly Missed[],
): Promise<void> {
  if (found.length > 0) {
    const persons = await deps.patients.personsOf([...new Set(found.flatMap(({ patientIds }) => patientIds))]);
    const names = found.map(({ stored }) => stored.uniqueId);
    await exchange.audited('success', [...new Set(persons.values())], names);
  }
  if (missed.length > 0) {
    const names = missed.map(({ reference }) => reference.documentUniqueId).filter(isName);
    const codes = [...new Set(missed.map(({ problem }) => problem.code))];
    await exchange.audited('failure', [], names, codes.join(' '));
  }
}

async function send(
  deps: RepositoryDeps,
  exchange: SoapExchange,
  found: readonly Found[],
  missed: readonly Missed[],
): Promise<void> {
  const { response, message } = exchange;
  const boundary = `hutong-${randomUUID()}`;
  const rootId = `root-${randomUUID()}@hutong`;
  const delivered = found.map(({ reference, stored }, at): DeliveredDocument => ({
    ...reference,
    mimeType: stored.mimeType,
    contentId: `${String(at + 1)}-${randomUUID()}@hutong`,
  }));
  const problems = missed.map(({ problem }) => problem);
  const registry = writeRegistryResponse(problems, {
    status: statusOf(problems, found.length > 0),
    location: `urn:oid:${deps.repositoryOid}`,
  });
  const envelope = writeEnvelope(
    { action: ITI43_RESPONSE, relatesTo: message.messageId, messageId: newMessageId() },
    writeRetrieveResponse(registry, delivered),
  );
  const parts: Part<string>[] = [{ kind: 'bytes', bytes: Buffer.from(rootHead(boundary, rootId) + envelope) }];
  found.forEach(({ stored }, at) => {
    const { contentId = '', mimeType = '' } = delivered[at] ?? {};
    const head = Buffer.from(partHead(boundary, { contentId, contentType: mediaTypeOf(mimeType) }));
    parts.push({ kind: 'stored', head, located: stored.object, start: 0, length: stored.size });
  });
  parts.push({ kind: 'bytes', bytes: Buffer.from(packageEnd(boundary)) });
  const length = lengthOf(parts);
  response.status(200).setHeader('Content-Type', packageType(boundary, rootId, ITI43_RESPONSE));
  if (length !== null) response.setHeader('Content-Length', length);
  await sendParts(response, documentBytes(deps), parts);
  response.end();
}

/** The mime type is the sender's word: only what is one may stand in a header. */
const mediaTypeOf = (mimeType: string): string =>
  /^[\w!#$&^.+-]{1,127}\/[\w!#$&^.+-]{1,127}$/.test(mimeType) ? mimeType : 'application/octet-stream';

export function documentBytes({ objects }: Pick<RepositoryDeps, 'objects'>): PartSource<string> {
  const open: PartSource<string>['open'] = (object, range) => objects.read(object, range);
  if (objects.readInto === undefined) return { open };
  return { open, readInto: async (object, into, start) => (await objects.readInto?.(object, into, start)) ?? null };
}
