/**
 * One answer out of the shares of several communities: the joint envelope first, then every document as it comes, so that
 * a gateway holds no more of a study than what is on the wire.
 */
import { randomUUID } from 'node:crypto';
import type { Response } from 'express';
import { Failure, problem } from '../../core/problem.ts';
import { writeRetrieveAnswer } from '../../../mappings/xds/cross-retrieve.ts';
import type { DocumentGiven, RetrieveAnswer } from '../../../mappings/xds/cross-retrieve.ts';
import type { DocumentReference } from '../../../mappings/xds/document-set.ts';
import { statusOf } from '../../../mappings/xds/ebrs-errors.ts';
import type { EbrsError } from '../../../mappings/xds/ebrs-errors.ts';
import { packageEnd, packageType, partHead, rootHead } from '../../../mappings/xds/mtom.ts';
import { writeEnvelope } from '../../../mappings/xds/soap.ts';
import type { Share } from './own-community.ts';
import { newMessageId } from './soap-exchange.ts';
import type { SoapExchange } from './soap-exchange.ts';

const EMPTY: Share = {
  documents: [],
  errors: [],
  persons: [],
  patients: [],
  send: () => Promise.resolve(),
  close: () => undefined,
};

/** A share of errors alone. */
export const refusedShare = (errors: readonly EbrsError[]): Share => ({ ...EMPTY, errors });

export const keyOf = ({
  repositoryUniqueId,
  documentUniqueId,
}: Pick<DocumentReference, 'repositoryUniqueId' | 'documentUniqueId'>): string =>
  `${repositoryUniqueId}\n${documentUniqueId}`;

/** What a peer sends, as it is read from the wire or from the files that it was taken into. */
export interface ForeignAnswer {
  readonly answer: RetrieveAnswer;
  readonly documents: AsyncIterable<{
    readonly given: RetrieveAnswer['documents'][number];
    readonly body: AsyncIterable<Uint8Array>;
  }>;
  close(): void;
}

/**
 * Takes from a community what was asked of it and nothing else: its answer may list strangers, repeat itself, or name
 * another community than the one that was asked.
 */
export function foreignShare(
  home: string,
  wanted: readonly Pick<DocumentReference, 'repositoryUniqueId' | 'documentUniqueId'>[],
  foreign: ForeignAnswer,
): Share {
  const { answer, documents } = foreign;
  const open = new Set(wanted.map(keyOf));
  const taken = new Map<RetrieveAnswer['documents'][number], DocumentGiven>();
  for (const given of answer.documents) {
    if (given.content === null || !open.delete(keyOf(given))) continue;
    const { content: _content, ...told } = given;
    taken.set(given, { ...told, homeCommunityId: home });
  }
  const errors = answer.errors.map((error): EbrsError => ({ ...error, location: home }));
  const count = (n: number): string => `${String(n)} of ${String(wanted.length)}`;
  if (open.size > 0 && !errors.some(({ severity }) => severity === 'error'))
    errors.push(
      gatewayError('XDSRepositoryError', `${count(open.size)} documents were not given, without a reason`, home),
    );
  if (taken.size < answer.documents.length)
    errors.push({
      ...gatewayError('XDSRepositoryError', 'Documents that were not asked for, or came twice, were left out', home),
      severity: 'warning',
    });
  return {
    documents: [...taken.values()],
    errors,
    persons: [],
    patients: [],
    close: () => {
      foreign.close();
    },
    async send(response, headOf) {
      let sent = 0;
      for await (const { given, body } of documents) {
        const document = taken.get(given);
        if (!document) continue;
        await write(response, headOf(document));
        for await (const chunk of body) await write(response, chunk);
        if (response.destroyed) return;
        sent++;
      }
      if (sent < taken.size)
        throw new Failure(problem('unavailable', undefined, 'A community did not send all that its answer lists.'));
    },
  };
}

export const gatewayError = (
  code:
    | 'XDSUnknownCommunity'
    | 'XDSUnavailableCommunity'
    | 'XDSMissingHomeCommunityId'
    | 'XDSRepositoryError'
    | 'XDSRegistryError',
  context: string,
  location: string,
): EbrsError => ({ code, context, severity: 'error', location });

/** Waits while the caller's connection is full; a caller that has gone is told by `response.destroyed`. */
async function write(response: Response, chunk: Uint8Array): Promise<void> {
  if (response.destroyed || response.write(chunk)) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.once('drain', done);
    response.once('close', done);
  });
}

/** Audit first. Closes the shares, whatever happens. */
export async function sendShares(exchange: SoapExchange, action: string, shares: readonly Share[]): Promise<void> {
  const { response, message } = exchange;
  const stop = (): void => {
    for (const share of shares) share.close();
  };
  response.once('close', stop);
  try {
    const boundary = `hutong-${randomUUID()}`;
    const rootId = `root-${randomUUID()}@hutong`;
    const documents = shares.flatMap((share) => share.documents);
    const ids = new Map(documents.map((given, at) => [given, `${String(at + 1)}-${randomUUID()}@hutong`]));
    const errors = shares.flatMap((share) => share.errors);
    const body = writeRetrieveAnswer(
      statusOf(documents.length > 0, errors),
      errors,
      documents.map((given) => ({ given, contentId: ids.get(given) ?? '' })),
    );
    const headers = { action, relatesTo: message.messageId, messageId: newMessageId() };
    response.status(200).setHeader('Content-Type', packageType(boundary, rootId, action));
    response.write(rootHead(boundary, rootId) + writeEnvelope(headers, body));
    const headOf = (given: DocumentGiven): Buffer =>
      Buffer.from(partHead(boundary, { contentId: ids.get(given) ?? '', contentType: safeType(given.mimeType) }));
    for (const share of shares) {
      await share.send(response, headOf);
      if (response.destroyed) return;
    }
    response.end(packageEnd(boundary));
  } finally {
    stop();
  }
}

/** A peer's media type becomes a header line only where it is one. */
const safeType = (type: string): string =>
  /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(;[\w\s"=.:+-]*)?$/.test(type) && !/[\r\n]/.test(type)
    ? type
    : 'application/octet-stream';
