/**
 * The bodies of the document repository's transactions (IHE ITI TF-2 §3.41, §3.43, §3.86; ITI-39 has those of ITI-43), read
 * and written: the hub is their server, and their client towards hospitals and other communities.
 */
import { fail, ok, problem } from '../../hub/core/problem.ts';
import type { Result } from '../../hub/core/problem.ts';
import { includeTag } from './mtom.ts';
import { LCM } from './ebrim-names.ts';
import { XDSB } from './rad-69.ts';
import { RS } from './ebrs-errors.ts';
import { childNamed, childrenNamed, is, xml } from './xml.ts';
import type { XmlElement } from './xml.ts';

export const ITI41_REQUEST = 'urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b';
export const ITI41_RESPONSE = 'urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-bResponse';
export const ITI43_REQUEST = 'urn:ihe:iti:2007:RetrieveDocumentSet';
export const ITI43_RESPONSE = 'urn:ihe:iti:2007:RetrieveDocumentSetResponse';
export const ITI86_REQUEST = 'urn:ihe:iti:2017:RemoveDocuments';
export const ITI86_RESPONSE = 'urn:ihe:iti:2017:RemoveDocumentsResponse';
const RMD = 'urn:ihe:iti:rmd:2017';

export interface ProvideRequest {
  /** lcm:SubmitObjectsRequest. */
  readonly metadata: XmlElement;
  readonly documents: readonly ProvidedDocument[];
}

export interface ProvidedDocument {
  /** That of its ExtrinsicObject. */
  readonly id: string;
  /** Holds an xop:Include, or the bytes in base64. */
  readonly content: XmlElement;
}

const wrongBody = (what: string): Result<never> =>
  fail(problem('unsupported-message', 'Body', `The body must be a ${what}.`));

/** ITI TF-2 §3.41.4.1.2. */
export function readProvideRequest(body: XmlElement, limits: { readonly documents: number }): Result<ProvideRequest> {
  const metadata = childNamed(body, LCM, 'SubmitObjectsRequest');
  if (!is(body, XDSB, 'ProvideAndRegisterDocumentSetRequest') || !metadata)
    return wrongBody('ProvideAndRegisterDocumentSetRequest of urn:ihe:iti:xds-b:2007 with a SubmitObjectsRequest');
  const found = childrenNamed(body, XDSB, 'Document');
  if (found.length > limits.documents)
    return fail(problem('limit-exceeded', 'Document', `More than ${String(limits.documents)} documents are sent.`));
  return ok({
    metadata,
    documents: found.map((content) => ({ id: content.attributes.get('id')?.trim() ?? '', content })),
  });
}

/** `metadata`: a SubmitObjectsRequest as XML; each document is the part with that content id. */
export function writeProvideRequest(
  metadata: string,
  documents: readonly { readonly id: string; readonly contentId: string }[],
): string {
  const list = documents.map(
    ({ id, contentId }) => `<ihe:Document id="${xml(id)}">${includeTag(contentId)}</ihe:Document>`,
  );
  return `<ihe:ProvideAndRegisterDocumentSetRequest xmlns:ihe="${XDSB}">${metadata}${list.join('')}</ihe:ProvideAndRegisterDocumentSetRequest>`;
}

/** One document as the transactions name it. */
export interface DocumentReference {
  readonly homeCommunityId: string | null;
  readonly repositoryUniqueId: string;
  readonly documentUniqueId: string;
}

/** ITI TF-2 §3.43.4.1.2. */
export const readRetrieveRequest = (
  body: XmlElement,
  limits: { readonly documents: number },
): Result<readonly DocumentReference[]> =>
  is(body, XDSB, 'RetrieveDocumentSetRequest')
    ? readReferences(body, limits)
    : wrongBody('RetrieveDocumentSetRequest of urn:ihe:iti:xds-b:2007');

export const writeRetrieveRequest = (documents: readonly DocumentReference[]): string =>
  `<ihe:RetrieveDocumentSetRequest xmlns:ihe="${XDSB}">${documents.map(writeReference).join('')}</ihe:RetrieveDocumentSetRequest>`;

/** ITI TF-2 §3.86.4.1.2 (RMD). */
export const readRemoveRequest = (
  body: XmlElement,
  limits: { readonly documents: number },
): Result<readonly DocumentReference[]> =>
  is(body, RMD, 'RemoveDocumentsRequest')
    ? readReferences(body, limits)
    : wrongBody('RemoveDocumentsRequest of urn:ihe:iti:rmd:2017');

export const writeRemoveRequest = (documents: readonly DocumentReference[]): string =>
  `<rmd:RemoveDocumentsRequest xmlns:rmd="${RMD}" xmlns:ihe="${XDSB}">${documents.map(writeReference).join('')}</rmd:RemoveDocumentsRequest>`;

function readReferences(
  body: XmlElement,
  limits: { readonly documents: number },
): Result<readonly DocumentReference[]> {
  const found = childrenNamed(body, XDSB, 'DocumentRequest');
  if (found.length > limits.documents)
    return fail(
      problem(
        'limit-exceeded',
        'DocumentRequest',
        `More than ${String(limits.documents)} documents are named; use several requests.`,
      ),
    );
  if (found.length === 0) return fail(problem('required-missing', 'DocumentRequest', 'No document is named.'));
  return ok(found.map(readReference));
}

const text = (element: XmlElement, name: string): string => childNamed(element, XDSB, name)?.text.trim() ?? '';

function readReference(element: XmlElement): DocumentReference {
  const home = text(element, 'HomeCommunityId');
  return {
    homeCommunityId: home === '' ? null : home,
    repositoryUniqueId: text(element, 'RepositoryUniqueId'),
    documentUniqueId: text(element, 'DocumentUniqueId'),
  };
}

/** The schema's order: home community, repository, document. */
const writeNames = (document: DocumentReference): string =>
  (document.homeCommunityId === null
    ? ''
    : `<ihe:HomeCommunityId>${xml(document.homeCommunityId)}</ihe:HomeCommunityId>`) +
  `<ihe:RepositoryUniqueId>${xml(document.repositoryUniqueId)}</ihe:RepositoryUniqueId>` +
  `<ihe:DocumentUniqueId>${xml(document.documentUniqueId)}</ihe:DocumentUniqueId>`;

/** One DocumentRequest: the imaging requests have it too. */
export const writeReference = (document: DocumentReference): string =>
  `<ihe:DocumentRequest>${writeNames(document)}</ihe:DocumentRequest>`;

export interface DeliveredDocument extends DocumentReference {
  readonly mimeType: string;
  readonly contentId: string;
}

/** `registryResponse`: an rs:RegistryResponse as XML, which tells what is missing. */
export function writeRetrieveResponse(registryResponse: string, documents: readonly DeliveredDocument[]): string {
  const list = documents.map(
    (document) =>
      `<ihe:DocumentResponse>${writeNames(document)}<ihe:mimeType>${xml(document.mimeType)}</ihe:mimeType>` +
      `<ihe:Document>${includeTag(document.contentId)}</ihe:Document></ihe:DocumentResponse>`,
  );
  return `<ihe:RetrieveDocumentSetResponse xmlns:ihe="${XDSB}">${registryResponse}${list.join('')}</ihe:RetrieveDocumentSetResponse>`;
}

export interface ReceivedDocument extends DocumentReference {
  readonly mimeType: string;
  /** Holds an xop:Include, or the bytes in base64. */
  readonly content: XmlElement;
}

export interface RetrieveResponse {
  /** rs:RegistryResponse. */
  readonly registry: XmlElement;
  readonly documents: readonly ReceivedDocument[];
}

export function readRetrieveResponse(body: XmlElement): Result<RetrieveResponse> {
  const registry = childNamed(body, RS, 'RegistryResponse');
  if (!is(body, XDSB, 'RetrieveDocumentSetResponse') || !registry)
    return wrongBody('RetrieveDocumentSetResponse of urn:ihe:iti:xds-b:2007');
  const documents = childrenNamed(body, XDSB, 'DocumentResponse').flatMap((element) => {
    const content = childNamed(element, XDSB, 'Document');
    return content ? [{ ...readReference(element), mimeType: text(element, 'mimeType'), content }] : [];
  });
  return ok({ registry, documents });
}
