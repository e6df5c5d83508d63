/**
 * RAD-69 Retrieve Imaging Document Set (IHE RAD TF-2 §4.69): the request as typed values, and the response that lists
 * one document per instance. RAD-75 has the same bodies under other actions.
 */
import { fail, ok, problem } from '../../hub/core/problem.ts';
import type { Result } from '../../hub/core/problem.ts';
import { readErrors, readStatus, RS, statusOf, statusUri, writeErrors } from './ebrs-errors.ts';
import type { EbrsError, EbrsStatus } from './ebrs-errors.ts';
import { includeTag } from './mtom.ts';
import { childNamed, is, xml } from './xml.ts';
import type { XmlElement } from './xml.ts';

export const RAD69_REQUEST = 'urn:ihe:rad:2009:RetrieveImagingDocumentSet';
/** Not symmetric: the response is that of ITI-43 (RAD TF-2 §4.69.4.2). */
export const RAD69_RESPONSE = 'urn:ihe:iti:2007:RetrieveDocumentSetResponse';
export const XDSB = 'urn:ihe:iti:xds-b:2007';
export const XDSI = 'urn:ihe:rad:xdsi-b:2009';

export interface ImagingRequest {
  readonly documents: readonly ImagingDocument[];
  /** What the caller can read, in its order of preference. */
  readonly transferSyntaxes: readonly string[];
}

export interface ImagingDocument {
  readonly studyUid: string;
  readonly seriesUid: string;
  readonly sopUid: string;
  readonly repositoryUid: string;
  readonly homeCommunityId: string | null;
}

/** Namespaces are not insisted on below the body element: the field mixes the two of them (WIRE §6.3). */
const named = (element: XmlElement, name: string): XmlElement[] =>
  element.children.filter((child) => child.name === name && (child.namespace === XDSI || child.namespace === XDSB));

export function readImagingRequest(body: XmlElement, limits: { readonly documents: number }): Result<ImagingRequest> {
  if (!is(body, XDSI, 'RetrieveImagingDocumentSetRequest'))
    return fail(
      problem(
        'unsupported-message',
        'Body',
        'The body must be a RetrieveImagingDocumentSetRequest of urn:ihe:rad:xdsi-b:2009.',
      ),
    );
  const documents: ImagingDocument[] = [];
  for (const study of named(body, 'StudyRequest'))
    for (const series of named(study, 'SeriesRequest'))
      for (const document of named(series, 'DocumentRequest')) {
        if (documents.length >= limits.documents)
          return fail(
            problem(
              'limit-exceeded',
              'DocumentRequest',
              `More than ${String(limits.documents)} documents are asked for; ask in several requests.`,
            ),
          );
        documents.push(readDocument(study, series, document));
      }
  if (documents.length === 0)
    return fail(problem('required-missing', 'StudyRequest/SeriesRequest/DocumentRequest', 'No document is asked for.'));
  const list = named(body, 'TransferSyntaxUIDList').flatMap((element) => named(element, 'TransferSyntaxUID'));
  const transferSyntaxes = [...new Set(list.map((element) => element.text.trim()).filter((uid) => uid !== ''))].slice(
    0,
    100,
  );
  return ok({ documents, transferSyntaxes });
}

function readDocument(study: XmlElement, series: XmlElement, document: XmlElement): ImagingDocument {
  const text = (name: string): string => named(document, name)[0]?.text.trim() ?? '';
  const home = text('HomeCommunityId');
  return {
    studyUid: study.attributes.get('studyInstanceUID')?.trim() ?? '',
    seriesUid: series.attributes.get('seriesInstanceUID')?.trim() ?? '',
    sopUid: text('DocumentUniqueId'),
    repositoryUid: text('RepositoryUniqueId'),
    homeCommunityId: home === '' ? null : home,
  };
}

export type RegistryErrorCode = 'XDSUnknownRepositoryId' | 'XDSDocumentUniqueIdError' | 'XDSRepositoryError';

export interface RegistryError {
  readonly code: RegistryErrorCode;
  /** What and which, without patient data. */
  readonly context: string;
}

/** How the instance is delivered. */
export interface DocumentAnswer {
  readonly document: ImagingDocument;
  readonly contentId: string;
}

/** The body of the response; `location` names this source in each error (ITI TF-3 §4.2.4.1). */
export function writeImagingResponse(
  answers: readonly DocumentAnswer[],
  errors: readonly RegistryError[],
  location: string,
): string {
  const told = errors.map((error) => ({ ...error, severity: 'error' as const }));
  const list = writeErrors(told, location);
  const status = statusUri(statusOf(answers.length > 0, told));
  const registry = `<rs:RegistryResponse status="${status}"${list === '' ? '/>' : `>${list}</rs:RegistryResponse>`}`;
  const documents = answers.map(({ document, contentId }) => {
    const home =
      document.homeCommunityId === null
        ? ''
        : `<ihe:HomeCommunityId>${xml(document.homeCommunityId)}</ihe:HomeCommunityId>`;
    return (
      `<ihe:DocumentResponse>${home}<ihe:RepositoryUniqueId>${xml(document.repositoryUid)}</ihe:RepositoryUniqueId>` +
      `<ihe:DocumentUniqueId>${xml(document.sopUid)}</ihe:DocumentUniqueId><ihe:mimeType>application/dicom</ihe:mimeType>` +
      `<ihe:Document>${includeTag(contentId)}</ihe:Document></ihe:DocumentResponse>`
    );
  });
  return `<ihe:RetrieveDocumentSetResponse xmlns:ihe="${XDSB}" xmlns:rs="${RS}">${registry}${documents.join('')}</ihe:RetrieveDocumentSetResponse>`;
}

/** Reads a response back: what a document consumer (and the demo's check) does with it. */
export function readImagingResponse(body: XmlElement): Result<{
  readonly status: EbrsStatus;
  readonly errors: readonly EbrsError[];
  readonly documents: readonly {
    readonly sopUid: string;
    readonly homeCommunityId: string | null;
    readonly content: XmlElement;
  }[];
}> {
  const registry = childNamed(body, RS, 'RegistryResponse');
  if (!is(body, XDSB, 'RetrieveDocumentSetResponse') || !registry)
    return fail(problem('unsupported-message', 'Body', 'The body is not a RetrieveDocumentSetResponse.'));
  const documents = named(body, 'DocumentResponse').flatMap((response) => {
    const content = childNamed(response, XDSB, 'Document');
    const sopUid = childNamed(response, XDSB, 'DocumentUniqueId')?.text.trim() ?? '';
    return content
      ? [{ sopUid, homeCommunityId: childNamed(response, XDSB, 'HomeCommunityId')?.text.trim() ?? null, content }]
      : [];
  });
  return ok({ status: readStatus(registry), errors: readErrors(registry), documents });
}
