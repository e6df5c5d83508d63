/**
 * This hub's own community as both gateways see it: its registry, repository and imaging source behind one door, in the
 * same process and through the same use cases as their own paths.
 */
import type { Response } from 'express';
import { lenientUid } from '../../core/identifier.ts';
import type { CrossQuery, QueryAnswer } from '../../../mappings/xds/cross-query.ts';
import type { DocumentGiven, DocumentWanted } from '../../../mappings/xds/cross-retrieve.ts';
import type { EbrsError } from '../../../mappings/xds/ebrs-errors.ts';
import type { ImagingRequest } from '../../../mappings/xds/rad-69.ts';
import { sendParts } from '../dicomweb/send.ts';
import { findImages, imagePart } from './imaging-documents.ts';
import type { ImagingDeps } from './imaging-documents.ts';

/** What one community gives of what it was asked for. */
export interface Share {
  readonly documents: readonly DocumentGiven[];
  readonly errors: readonly EbrsError[];
  /** Persons of the index whose documents these are, for the audit; empty where another community knows. */
  readonly persons: readonly string[];
  /** Sends the bytes of every document, each behind its head; rejects where they do not come as listed. */
  send(response: Response, headOf: (document: DocumentGiven) => Buffer): Promise<void>;
  close(): void;
}

export interface OwnQueryAnswer {
  readonly answer: QueryAnswer;
  readonly persons: readonly string[];
}

export interface OwnCommunity {
  /** `urn:oid:…` */
  readonly home: string;
  query(query: CrossQuery): Promise<OwnQueryAnswer>;
  documents(wanted: readonly DocumentWanted[]): Promise<Share>;
  images(request: ImagingRequest): Promise<Share>;
}

/** Instances of this hub's imaging source; every one names the community (RAD TF-2 §4.75.4.2.2). */
export async function ownImages(deps: ImagingDeps, home: string, request: ImagingRequest): Promise<Share> {
  const outcomes = await findImages(deps, request);
  const found = outcomes.filter((outcome) => 'located' in outcome);
  const documents = found.map(({ document }): DocumentGiven => ({
    homeCommunityId: home,
    repositoryUid: document.repositoryUid,
    documentUid: document.sopUid,
    mimeType: 'application/dicom',
  }));
  const errors = outcomes
    .filter((outcome) => 'code' in outcome)
    .map(({ code, context }): EbrsError => ({ code, context, severity: 'error', location: home }));
  return {
    documents,
    errors,
    persons: [...new Set(found.map(({ located }) => located.personId))],
    send: (response, headOf) =>
      sendParts(
        response,
        deps.images,
        found.flatMap((one, at) => {
          const document = documents[at];
          return document ? [imagePart(deps, one, headOf(document))] : [];
        }),
      ),
    close: () => undefined,
  };
}

/** What the audit names: UIDs only, since other unique ids are another's words. */
export const auditable = (ids: readonly string[]): string[] =>
  [...new Set(ids.flatMap((id) => lenientUid(id) ?? []))].slice(0, 1_000);
