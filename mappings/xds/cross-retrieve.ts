/**
 * Retrieve Document Set and its imaging sister as a gateway sees them (IHE ITI TF-2 §3.39, RAD TF-2 §4.69, §4.75): what is
 * asked of which community and repository, and answers of several communities joined into one.
 */
import { fail, ok, problem } from '../../hub/core/problem.ts';
import type { Result } from '../../hub/core/problem.ts';
import { readErrors, readStatus, statusUri, writeErrors } from './ebrs-errors.ts';
import type { EbrsError, EbrsStatus } from './ebrs-errors.ts';
import { writeReference } from './document-set.ts';
import type { DocumentReference } from './document-set.ts';
import { includeTag, XOP } from './mtom.ts';
import { XDSB, XDSI } from './rad-69.ts';
import type { ImagingRequest } from './rad-69.ts';
import { RS } from './ebrs-errors.ts';
import { childNamed, childrenNamed, is, xml } from './xml.ts';
import type { XmlElement } from './xml.ts';

export const ITI39_REQUEST = 'urn:ihe:iti:2007:CrossGatewayRetrieve';
export const ITI39_RESPONSE = `${ITI39_REQUEST}Response`;
export const RAD75_REQUEST = 'urn:ihe:rad:2011:CrossGatewayRetrieveImagingDocumentSet';
export const RAD75_RESPONSE = `${RAD75_REQUEST}Response`;

const textOf = (element: XmlElement, name: string): string => childNamed(element, XDSB, name)?.text.trim() ?? '';

/** Documents of one series stand together, in the order in which the series were first named. */
export function writeImagingRequest({ documents, transferSyntaxes }: ImagingRequest): string {
  const studies = new Map<string, Map<string, string[]>>();
  for (const { studyUid, seriesUid, sopUid, repositoryUid, homeCommunityId } of documents) {
    const series = studies.get(studyUid) ?? new Map<string, string[]>();
    studies.set(studyUid, series);
    const list = series.get(seriesUid) ?? [];
    series.set(seriesUid, list);
    list.push(writeReference({ homeCommunityId, repositoryUniqueId: repositoryUid, documentUniqueId: sopUid }));
  }
  const written = [...studies].map(
    ([studyUid, series]) =>
      `<iherad:StudyRequest studyInstanceUID="${xml(studyUid)}">${[...series]
        .map(
          ([seriesUid, list]) =>
            `<iherad:SeriesRequest seriesInstanceUID="${xml(seriesUid)}">${list.join('')}</iherad:SeriesRequest>`,
        )
        .join('')}</iherad:StudyRequest>`,
  );
  const syntaxes = transferSyntaxes.map((uid) => `<iherad:TransferSyntaxUID>${xml(uid)}</iherad:TransferSyntaxUID>`);
  return (
    `<iherad:RetrieveImagingDocumentSetRequest xmlns:iherad="${XDSI}" xmlns:ihe="${XDSB}">${written.join('')}` +
    `<iherad:TransferSyntaxUIDList>${syntaxes.join('')}</iherad:TransferSyntaxUIDList></iherad:RetrieveImagingDocumentSetRequest>`
  );
}

/** One DocumentResponse without its bytes. */
export interface DocumentGiven extends DocumentReference {
  readonly newRepositoryUid?: string;
  readonly newDocumentUid?: string;
  readonly mimeType: string;
}

export interface GivenByPeer extends DocumentGiven {
  /** Where the bytes are: the part of this content id, or inline. null: the response has no Document. */
  readonly content: { readonly contentId: string } | { readonly base64: string } | null;
}

export interface RetrieveAnswer {
  readonly status: EbrsStatus;
  readonly errors: readonly EbrsError[];
  readonly documents: readonly GivenByPeer[];
}

export function readRetrieveAnswer(body: XmlElement): Result<RetrieveAnswer> {
  const registry = childNamed(body, RS, 'RegistryResponse');
  if (!is(body, XDSB, 'RetrieveDocumentSetResponse') || !registry)
    return fail(problem('unsupported-message', 'Body', 'The body is not a RetrieveDocumentSetResponse.'));
  return ok({
    status: readStatus(registry),
    errors: readErrors(registry),
    documents: childrenNamed(body, XDSB, 'DocumentResponse').map(readGiven),
  });
}

function readGiven(response: XmlElement): GivenByPeer {
  const newRepositoryUid = textOf(response, 'NewRepositoryUniqueId');
  const newDocumentUid = textOf(response, 'NewDocumentUniqueId');
  return {
    homeCommunityId: textOf(response, 'HomeCommunityId') || null,
    repositoryUniqueId: textOf(response, 'RepositoryUniqueId'),
    documentUniqueId: textOf(response, 'DocumentUniqueId'),
    ...(newRepositoryUid === '' ? {} : { newRepositoryUid }),
    ...(newDocumentUid === '' ? {} : { newDocumentUid }),
    mimeType: textOf(response, 'mimeType') || 'application/octet-stream',
    content: contentOf(childNamed(response, XDSB, 'Document')),
  };
}

function contentOf(document: XmlElement | undefined): GivenByPeer['content'] {
  if (!document) return null;
  const include = childNamed(document, XOP, 'Include');
  if (!include) return { base64: document.text };
  const href = include.attributes.get('href')?.trim() ?? '';
  return /^cid:/i.test(href) ? { contentId: decoded(href.slice(4)) } : null;
}

/** RFC 2392: percent-encoded in the URL, not in the header. */
function decoded(id: string): string {
  try {
    return decodeURIComponent(id);
  } catch (error) {
    if (!(error instanceof URIError)) throw error; // Not percent-encoding: the id is meant as it stands.
    return id;
  }
}

/** The joined answer; `contentId` names the part that carries the bytes. */
export function writeRetrieveAnswer(
  status: EbrsStatus,
  errors: readonly EbrsError[],
  documents: readonly { readonly given: DocumentGiven; readonly contentId: string }[],
): string {
  const list = writeErrors(errors);
  const responses = documents.map(({ given, contentId }) => {
    const element = (name: string, value: string | null | undefined): string =>
      value === null || value === undefined ? '' : `<ihe:${name}>${xml(value)}</ihe:${name}>`;
    return (
      `<ihe:DocumentResponse>${element('HomeCommunityId', given.homeCommunityId)}${element('RepositoryUniqueId', given.repositoryUniqueId)}` +
      `${element('DocumentUniqueId', given.documentUniqueId)}${element('NewRepositoryUniqueId', given.newRepositoryUid)}` +
      `${element('NewDocumentUniqueId', given.newDocumentUid)}${element('mimeType', given.mimeType)}` +
      `<ihe:Document>${includeTag(contentId)}</ihe:Document></ihe:DocumentResponse>`
    );
  });
  return (
    `<ihe:RetrieveDocumentSetResponse xmlns:ihe="${XDSB}" xmlns:rs="${RS}"><rs:RegistryResponse status="${statusUri(status)}">${list}</rs:RegistryResponse>` +
    `${responses.join('')}</ihe:RetrieveDocumentSetResponse>`
  );
}
