/**
 * This hub's own community as both gateways see it: its registry, repository and imaging source behind one door, in the
 * same process and through the same use cases as their own paths.
 */
import type { Response } from 'express';
import type { AffinityPatients, DocumentReader } from '../../core/document-ports.ts';
import type { RegistryProblem } from '../../core/document.ts';
import { lenientUid } from '../../core/identifier.ts';
import { Failure } from '../../core/problem.ts';
import { sightedDocuments } from '../../flow/sighted-documents.ts';
import { sightedStudies } from '../../flow/sighted-index.ts';
import { createStoredQuery, QUERY_LIMITS } from '../../flow/stored-query.ts';
import { readQueryAnswer } from '../../../mappings/xds/cross-query.ts';
import type { CrossQuery, QueryAnswer } from '../../../mappings/xds/cross-query.ts';
import type { DocumentGiven } from '../../../mappings/xds/cross-retrieve.ts';
import type { DocumentReference } from '../../../mappings/xds/document-set.ts';
import type { EbrsError } from '../../../mappings/xds/ebrs-errors.ts';
import type { ImagingRequest } from '../../../mappings/xds/rad-69.ts';
import { readStoredQuery } from '../../../mappings/xds/stored-query-request.ts';
import { writeQueryResponse } from '../../../mappings/xds/stored-query-response.ts';
import { parseXml } from '../../../mappings/xds/xml.ts';
import { sendParts } from '../dicomweb/send.ts';
import type { Part } from '../dicomweb/send.ts';
import { findImages, imagePart } from './imaging-documents.ts';
import type { ImagingDeps } from './imaging-documents.ts';
import { documentBytes, locateDocuments } from './iti-43.ts';
import type { DocumentSourceDeps } from './iti-43.ts';
import type { SoapExchange } from './soap-exchange.ts';
import { askedFor } from './stored-query.ts';

/** What one community gives of what it was asked for. */
export interface Share {
  readonly documents: readonly DocumentGiven[];
  readonly errors: readonly EbrsError[];
  /** Persons of the index whose documents these are, for the audit; empty where another community knows. */
  readonly persons: readonly string[];
  /** CX of the affinity domain of the patients whose documents these are, where they are known by them. */
  readonly patients: readonly string[];
  /** Sends the bytes of every document, each behind its head; rejects where they do not come as listed. */
  send(response: Response, headOf: (document: DocumentGiven) => Buffer): Promise<void>;
  close(): void;
}

export interface OwnQueryAnswer {
  readonly answer: QueryAnswer;
  readonly persons: readonly string[];
  /** CX of the patients asked for and found. */
  readonly patients: readonly string[];
}

/** Who asks, as far as their sight goes. */
type Seeing = Pick<SoapExchange, 'seenOf' | 'sight'>;

export interface OwnCommunity {
  /** `urn:oid:…` */
  readonly home: string;
  query(query: CrossQuery, exchange: Seeing): Promise<OwnQueryAnswer>;
  documents(wanted: readonly DocumentReference[], exchange: Seeing): Promise<Share>;
  images(request: ImagingRequest, exchange: Seeing): Promise<Share>;
}

export interface OwnCommunityDeps extends ImagingDeps, DocumentSourceDeps {
  readonly registry: DocumentSourceDeps['registry'] & DocumentReader;
  readonly patients: Pick<AffinityPatients, 'personsOf'>;
  readonly homeCommunityOid: string;
}

export function createOwnCommunity(deps: OwnCommunityDeps): OwnCommunity {
  const home = `urn:oid:${deps.homeCommunityOid}`;
  return {
    home,
    query: (query, exchange) => ownQuery(deps, home, query, exchange),
    documents: (wanted, exchange) => ownDocuments(deps, home, wanted, exchange),
    images: (request, exchange) =>
      ownImages({ ...deps, reader: sightedStudies(deps.reader, exchange.sight) }, home, request),
  };
}

/** As ITI-18 at the registry; written out and read again, so that both answers are the same to the letter. */
async function ownQuery(
  deps: OwnCommunityDeps,
  home: string,
  { body }: CrossQuery,
  { sight }: Seeing,
): Promise<OwnQueryAnswer> {
  const read = readStoredQuery(body, 'stored-query');
  if (!read.ok) return { answer: failure(read.problems, home), persons: [], patients: [] };
  const { request } = read;
  const found = await createStoredQuery({ reader: sightedDocuments(deps.registry, sight), limits: QUERY_LIMITS })(
    request,
  );
  const asked = await askedFor(deps.registry, request.query);
  const patients = new Set([...asked, ...found.objects.map(({ patientId }) => patientId)]);
  const persons = patients.size === 0 ? [] : [...(await deps.patients.personsOf([...patients])).values()];
  const { returnType } = request;
  const root = parseXml(Buffer.from(writeQueryResponse(found, { returnType, home, location: home })), OWN_XML);
  const answer = root.ok ? readQueryAnswer(root.value) : root;
  if (!answer.ok) throw new Failure(answer.problem);
  return { answer: answer.value, persons: [...new Set(persons)], patients: [...patients] };
}

/** The answer is the hub's own and bounded by its registry; only a foreign one is held to the limits of a message. */
const OWN_XML = { bytes: 256 * 2 ** 20, depth: 64, elements: 10_000_000 };

const failure = (problems: readonly RegistryProblem[], home: string): QueryAnswer => ({
  status: 'failure',
  errors: problems.map((one) => ({ ...one, location: one.location ?? home })),
  objects: [],
});

/** Documents of this hub's repository (ITI TF-2 §3.39.4.1.2). */
async function ownDocuments(
  deps: OwnCommunityDeps,
  home: string,
  wanted: readonly DocumentReference[],
  exchange: Seeing,
): Promise<Share> {
  const outcomes = await locateDocuments(deps, wanted, exchange);
  const found = outcomes.filter((outcome) => 'stored' in outcome);
  const errors = outcomes
    .filter((outcome) => 'problem' in outcome)
    .map(({ problem }): EbrsError => ({ ...problem, location: home }));
  const documents = found.map(({ reference, stored }): DocumentGiven => ({
    ...reference,
    homeCommunityId: home,
    mimeType: stored.mimeType,
  }));
  const patients = [...new Set(found.flatMap(({ patientIds }) => patientIds))];
  const persons = await deps.patients.personsOf(patients);
  return {
    patients,
    documents,
    errors,
    persons: [...new Set(persons.values())],
    send: (response, headOf) =>
      sendParts(
        response,
        documentBytes(deps),
        found.flatMap(({ stored: { object, size } }, at): Part<string>[] => {
          const document = documents[at];
          return document ? [{ kind: 'stored', head: headOf(document), located: object, start: 0, length: size }] : [];
        }),
      ),
    close: () => undefined,
  };
}

/** Instances of this hub's imaging source; every one names the community (RAD TF-2 §4.75.4.2.2). */
export async function ownImages(deps: ImagingDeps, home: string, request: ImagingRequest): Promise<Share> {
  const outcomes = await findImages(deps, request);
  const found = outcomes.filter((outcome) => 'located' in outcome);
  const documents = found.map(({ document }): DocumentGiven => ({
    homeCommunityId: home,
    repositoryUniqueId: document.repositoryUid,
    documentUniqueId: document.sopUid,
    mimeType: 'application/dicom',
  }));
  const errors = outcomes
    .filter((outcome) => 'code' in outcome)
    .map(({ code, context }): EbrsError => ({ code, context, severity: 'error', location: home }));
  return {
    documents,
    errors,
    persons: [...new Set(found.map(({ located }) => located.personId))],
    patients: [],
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
