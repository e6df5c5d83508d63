/** DocumentEntry <-> DocumentReference (ITI TF-3 §4.5.1.1, MHD 4.2.3). Pure; both directions. */
import type { CodeableConcept, DocumentReference, Identifier, Patient, Reference } from 'fhir/r4.js';
import type { AssociationType, DocumentCode, DocumentEntry, EntryId, PatientCx } from '../../hub/core/document.ts';
import type { Oid } from '../../hub/core/identifier.ts';
import { SYSTEMS } from './context.ts';
import { compact, list, text } from './datatypes.ts';
import { mimeType } from './document.ts';
import {
  authorOf,
  authorReference,
  Contained,
  personOf,
  sourcePatient,
  sourcePatientOf,
  type Resolve,
} from './mhd-people.ts';
import { IDENTIFIER_TYPES, mhdProfile } from './mhd-terms.ts';
import {
  codeOf,
  codeOfCoding,
  codingOf,
  conceptOf,
  dateTimeOfDtm,
  defined,
  dtmOfDateTime,
  firstText,
  hashOfHex,
  hexOfHash,
  identifierOfReferenceId,
  identifierOfUniqueId,
  plainText,
  practitionerOfXcn,
  REFERENCE_TYPES,
  referenceIdOf,
  uniqueIdOf,
} from './xds-values.ts';

/** What stands beside the entry itself in its DocumentReference. */
export interface DocumentSurroundings {
  /** The patient as this hub refers to them. */
  readonly subject: Reference;
  /** Where its bytes are read (ITI-68); the whole URL. */
  readonly url: string;
  /** When it was submitted, DTM. */
  readonly submittedAt?: string;
  readonly relations: readonly { readonly code: Relation; readonly target: EntryId }[];
}
export type Relation = 'replaces' | 'transforms' | 'appends' | 'signs';

/** ConceptMap AssociationTypeVsRelatesTo of MHD. */
export const RELATION_OF: Readonly<Partial<Record<AssociationType, Relation>>> = {
  RPLC: 'replaces',
  XFRM_RPLC: 'replaces',
  XFRM: 'transforms',
  IsSnapshotOf: 'transforms',
  APND: 'appends',
  signs: 'signs',
};

export const fhirId = (id: EntryId): string => id.replace(/^urn:uuid:/, '');
export const entryIdentifiers = (id: EntryId, lid: EntryId): Identifier[] => [
  { use: 'official', system: SYSTEMS.uri, value: id },
  ...(lid === id
    ? []
    : [{ type: { coding: [{ system: IDENTIFIER_TYPES, code: 'logicalID' }] }, system: SYSTEMS.uri, value: lid }]),
];

const concepts = (codes: readonly DocumentCode[]): CodeableConcept[] => list(...codes.map(conceptOf));

export function documentReferenceOf(entry: DocumentEntry, around: DocumentSurroundings): DocumentReference {
  const contained = new Contained();
  const author = list(...entry.authors.map((one) => authorReference(one, contained)));
  const authenticator =
    entry.legalAuthenticator === undefined ? undefined : contained.add(practitionerOfXcn(entry.legalAuthenticator));
  const source = sourcePatient(entry.sourcePatientId, entry.sourcePatientInfo);
  const sourcePatientInfo = source && contained.add(source);
  const format = entry.formatCode && codingOf(entry.formatCode);
  const [start, end] = [dateTimeOfDtm(entry.serviceStartTime), dateTimeOfDtm(entry.serviceStopTime)];
  const isEncounter = (one: string): boolean => one.includes(REFERENCE_TYPES.encounter);
  const logical = (cxi: string): Reference[] =>
    list(identifierOfReferenceId(cxi)).map((identifier) => ({ identifier }));
  const body = compact<DocumentReference>({
    resourceType: 'DocumentReference',
    id: fhirId(entry.id),
    contained: contained.resources,
    masterIdentifier: identifierOfUniqueId(entry.uniqueId),
    identifier: entryIdentifiers(entry.id, entry.lid),
    status: entry.status === 'approved' ? 'current' : 'superseded',
    type: conceptOf(entry.typeCode),
    category: list(conceptOf(entry.classCode)),
    subject: around.subject,
    date: instant(around.submittedAt),
    author,
    authenticator,
    relatesTo: around.relations.map(({ code, target }) => ({
      code,
      target: { reference: `DocumentReference/${fhirId(target)}` },
    })),
    description: firstText(entry.comments),
    securityLabel: concepts(entry.confidentiality),
    content: [
      compact<DocumentReference['content'][number]>({
        attachment: compact<DocumentReference['content'][number]['attachment']>({
          contentType: mimeType(entry.mimeType),
          language: text(entry.languageCode)?.replace(/\s+/g, '-'),
          url: around.url,
          // ITI TF-2 §3.67.4.2.2.1.2: an on-demand document has neither.
          size: entry.entryType === 'on-demand' ? undefined : entry.size,
          hash: entry.hash === undefined || entry.entryType === 'on-demand' ? undefined : hashOfHex(entry.hash),
          title: firstText(entry.title),
          creation: dateTimeOfDtm(entry.creationTime),
        }),
        format,
      }),
    ],
    context: contextOf({
      encounter: entry.referenceIds.filter(isEncounter).flatMap(logical),
      event: concepts(entry.eventCodes),
      period: start === undefined && end === undefined ? undefined : compact({ start, end }),
      facilityType: conceptOf(entry.facilityType),
      practiceSetting: conceptOf(entry.practiceSetting),
      sourcePatientInfo,
      related: entry.referenceIds.filter((one) => !isEncounter(one)).flatMap(logical),
    }),
  });
  const profile = isComprehensive(body) && !entry.limited ? 'Comprehensive' : 'Minimal';
  const { resourceType, id, ...rest } = body;
  return {
    resourceType,
    ...(id === undefined ? {} : { id }),
    meta: { profile: [mhdProfile(`${profile}.DocumentReference`)] },
    ...rest,
  };
}

type Context = NonNullable<DocumentReference['context']>;
function contextOf(context: { readonly [K in keyof Context]: Context[K] | undefined }): Context | undefined {
  const kept = compact<Context>(context);
  return Object.keys(kept).length === 0 ? undefined : kept;
}

/** R4 instant: a whole time; a date alone is none. */
const instant = (dtm: string | undefined): string | undefined => {
  const at = dateTimeOfDtm(dtm);
  return at?.includes('T') ? at : undefined;
};

const isComprehensive = (body: DocumentReference): boolean =>
  [
    body.type,
    body.category?.[0],
    body.securityLabel?.[0],
    body.content[0]?.attachment.language,
    body.content[0]?.attachment.creation,
    body.content[0]?.format,
    body.context?.facilityType,
    body.context?.practiceSetting,
    body.context?.sourcePatientInfo,
  ].every((one) => one !== undefined);

/** What the recipient decides about a document that comes in. */
export interface DocumentTarget {
  readonly id: EntryId;
  readonly patientId: PatientCx;
  readonly repositoryUniqueId: Oid;
  readonly hash: string;
  readonly size: number;
  readonly limited: boolean;
  readonly resolve: Resolve;
}

/** The inverse. The resource has passed the checks of its profile: what they demand is there. */
export function documentEntryOf(body: DocumentReference, target: DocumentTarget): DocumentEntry {
  const [content] = body.content;
  const attachment = content?.attachment ?? {};
  const context = body.context ?? {};
  const source = context.sourcePatientInfo && target.resolve(context.sourcePatientInfo);
  const known = source?.resourceType === 'Patient' ? sourcePatientOf(source as Patient) : { info: [] };
  const lid = (body.identifier ?? []).find((one) => one.type?.coding?.some(({ code }) => code === 'logicalID'))?.value;
  const referenceIds = [
    ...identifiersIn(context.encounter).map((one) => referenceIdOf(one, REFERENCE_TYPES.encounter)),
    ...identifiersIn(context.related).map((one) => referenceIdOf(one)),
  ];
  return defined<DocumentEntry>({
    kind: 'document',
    id: target.id,
    lid: (lid?.toLowerCase() as EntryId | undefined) ?? target.id,
    version: 1,
    status: 'approved',
    patientId: target.patientId,
    uniqueId: uniqueIdOf(body.masterIdentifier ?? {}),
    title: plainText(attachment.title),
    comments: plainText(body.description),
    extra: [],
    limited: target.limited,
    entryType: 'stable',
    mimeType: attachment.contentType ?? 'application/octet-stream',
    authors: list(...(body.author ?? []).map((one) => authorOf(one, target.resolve))),
    classCode: codeOf(body.category?.[0]),
    typeCode: codeOf(body.type),
    formatCode: content?.format && codeOfCoding(content.format),
    facilityType: codeOf(context.facilityType),
    practiceSetting: codeOf(context.practiceSetting),
    confidentiality: list(...(body.securityLabel ?? []).map(codeOf)),
    eventCodes: list(...(context.event ?? []).map(codeOf)),
    creationTime: dtmOfDateTime(attachment.creation),
    serviceStartTime: dtmOfDateTime(context.period?.start),
    serviceStopTime: dtmOfDateTime(context.period?.end),
    languageCode: attachment.language,
    legalAuthenticator: body.authenticator && personOf(body.authenticator, target.resolve),
    sourcePatientId: known.id,
    sourcePatientInfo: known.info,
    referenceIds,
    repositoryUniqueId: target.repositoryUniqueId,
    hash: target.hash,
    size: target.size,
    availability: 'online',
  });
}

const identifiersIn = (references: readonly Reference[] | undefined): Identifier[] =>
  list(...(references ?? []).map((one) => (one.identifier?.value === undefined ? undefined : one.identifier)));

/** SHA-1 and size as the sender states them; null where the hash is none. */
export function statedDigest(body: DocumentReference): { readonly hash?: string | null; readonly size?: number } {
  const { hash, size } = body.content[0]?.attachment ?? {};
  return { ...(hash === undefined ? {} : { hash: hexOfHash(hash) }), ...(size === undefined ? {} : { size }) };
}
