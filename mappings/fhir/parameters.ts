/**
 * The search parameters of R4 that the index can answer, each with where its values stand in a resource. The projection
 * extracts by this table, the face parses by it and the CapabilityStatement lists it: the three cannot disagree.
 */
import type {
  CodeableConcept,
  Coding,
  ContactPoint,
  DiagnosticReport,
  DocumentReference,
  Endpoint,
  HumanName,
  Identifier,
  ImagingStudy,
  List,
  Organization,
  Patient,
  Practitioner,
  Reference,
  ServiceRequest,
} from 'fhir/r4.js';
import type { DateColumn, FhirBody } from '../../hub/core/fhir.ts';

export interface Token {
  readonly system?: string | undefined;
  readonly code?: string | undefined;
  /** Identifier.type, for `:of-type`. */
  readonly types?: readonly Coding[];
}

interface Base {
  readonly name: string;
  /** Few resources share one value: a search by it is answered from the token index before anything is sorted. */
  readonly selective?: boolean;
}

export type Parameter =
  | (Base & { readonly kind: 'token'; readonly of: (body: FhirBody) => readonly Token[]; readonly implied: boolean })
  | (Base & { readonly kind: 'uri'; readonly of: (body: FhirBody) => readonly string[] })
  | (Base & {
      readonly kind: 'reference';
      readonly of: (body: FhirBody) => readonly string[];
      readonly targets: readonly ResourceType[];
    })
  | (Base & { readonly kind: 'date'; readonly of: (body: FhirBody) => string | undefined; readonly column: DateColumn })
  | (Base & { readonly kind: 'string'; readonly of: (body: FhirBody) => readonly string[]; readonly sorts: boolean });

export const RESOURCE_TYPES = [
  'Patient',
  'Organization',
  'Endpoint',
  'ServiceRequest',
  'ImagingStudy',
  'DiagnosticReport',
  'DocumentReference',
  'List',
  'Provenance',
] as const;
export type ResourceType = (typeof RESOURCE_TYPES)[number];

const ids = (...identifiers: (Identifier | undefined)[]): Token[] =>
  identifiers.flatMap((one) =>
    one === undefined
      ? []
      : [{ system: one.system, code: one.value, ...(one.type?.coding ? { types: one.type.coding } : {}) }],
  );
const concepts = (...values: (CodeableConcept | undefined)[]): Token[] =>
  values.flatMap((value) => (value?.coding ?? []).map(codingToken));
const codingToken = (coding: Coding): Token => ({ system: coding.system, code: coding.code });
const code = (value: string | undefined): Token[] => (value === undefined ? [] : [{ code: value }]);
const contacts = (points: readonly ContactPoint[], system?: string): Token[] =>
  points.filter((one) => system === undefined || one.system === system).map((one) => ({ code: one.value }));
const references = (...values: (Reference | undefined)[]): string[] =>
  values.flatMap((value) => (value?.reference === undefined ? [] : [value.reference]));
const nameParts = (names: readonly HumanName[]): string[] =>
  names.flatMap((name) => [name.text, name.family, ...(name.given ?? [])]).filter((part) => part !== undefined);

/** Typed construction: each table below names the resource type whose fields its extractors read. */
function forType<R extends FhirBody>() {
  const as = <T>(of: (resource: R) => T) => of as (body: FhirBody) => T;
  return {
    token: (name: string, of: (resource: R) => readonly Token[], selective = false): Parameter => ({
      kind: 'token',
      name,
      of: as(of),
      implied: false,
      selective,
    }),
    /** R4 `code` elements have their system from the binding: it is not stored, and not compared. */
    code: (name: string, of: (resource: R) => readonly Token[], selective = false): Parameter => ({
      kind: 'token',
      name,
      of: as(of),
      implied: true,
      selective,
    }),
    reference: (
      name: string,
      targets: readonly ResourceType[],
      of: (resource: R) => readonly string[],
      selective = false,
    ): Parameter => ({ kind: 'reference', name, of: as(of), targets, selective }),
    date: (name: string, column: DateColumn, of: (resource: R) => string | undefined): Parameter => ({
      kind: 'date',
      name,
      of: as(of),
      column,
    }),
    string: (name: string, of: (resource: R) => readonly string[], sorts = false): Parameter => ({
      kind: 'string',
      name,
      of: as(of),
      sorts,
      selective: true,
    }),
    uri: (name: string, of: (resource: R) => readonly string[]): Parameter => ({ kind: 'uri', name, of: as(of) }),
  };
}

const patient = forType<Patient>();
const organization = forType<Organization>();
const endpoint = forType<Endpoint>();
const order = forType<ServiceRequest>();
const study = forType<ImagingStudy>();
const report = forType<DiagnosticReport>();
const document = forType<DocumentReference>();
const documents = forType<List>();
const some = <T>(values: readonly (T | undefined)[] | undefined): T[] =>
  (values ?? []).filter((value): value is T => value !== undefined);

/** Extensions of MHD, and identifiers that its DocumentReferences bear under `related` (ITI TF-3 §4.5.1.1). */
const MHD_EXTENSION = 'https://profiles.ihe.net/ITI/MHD/StructureDefinition/';
const extensions = (r: List, name: string) => (r.extension ?? []).filter(({ url }) => url === MHD_EXTENSION + name);
const relatedIds = (r: DocumentReference) => some((r.context?.related ?? []).map((one) => one.identifier));
/** Names of the persons contained: authors, since a sourcePatientInfo is a Patient. */
const authorNames = (r: DocumentReference | List): HumanName[] =>
  ((r.contained ?? []) as FhirBody[]).flatMap((one) =>
    one.resourceType === 'Practitioner' ? ((one as Practitioner).name ?? []) : [],
  );
const families = (names: readonly HumanName[]): string[] => some(names.map((name) => name.family));
const givens = (names: readonly HumanName[]): string[] => names.flatMap((name) => name.given ?? []);
const studyIds = (r: DocumentReference): Token[] =>
  ids(...(r.identifier ?? []), ...relatedIds(r)).filter(({ system }) => system === 'urn:dicom:uid');
/** An identifier of the kind that v2-0203 or IHE call an accession number. */
const accessionIds = (r: DocumentReference): Token[] =>
  ids(...(r.identifier ?? []), ...relatedIds(r)).filter(({ types }) =>
    (types ?? []).some(({ code: type }) => type === 'ACSN' || type === 'urn:ihe:iti:xds:2013:accession'),
  );

const MAIDEN_NAME = 'http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName';
/** Answered from elsewhere than the resource: `patient.identifier` from who the patient is, Provenance from columns. */
const none = (): never[] => [];
const ORGANIZATION = ['Organization'] as const;
const PATIENT = ['Patient'] as const;

export const PARAMETERS: Readonly<Record<Exclude<ResourceType, 'Provenance'>, readonly Parameter[]>> = {
  Patient: [
    patient.token('identifier', (r) => ids(...(r.identifier ?? [])), true),
    patient.string('name', (r) => nameParts(r.name ?? []), true),
    patient.string('family', (r) => some((r.name ?? []).map((name) => name.family))),
    patient.string('given', (r) => (r.name ?? []).flatMap((name) => name.given ?? [])),
    patient.date('birthdate', 'date1', (r) => r.birthDate),
    patient.code('gender', (r) => code(r.gender)),
    patient.code('active', (r) => code(r.active === undefined ? undefined : String(r.active))),
    patient.code('deceased', (r) => code(r.deceasedBoolean === undefined ? undefined : String(r.deceasedBoolean))),
    patient.code('telecom', (r) => contacts(r.telecom ?? []), true),
    patient.code('phone', (r) => contacts(r.telecom ?? [], 'phone'), true),
    patient.string('address', (r) => some((r.address ?? []).flatMap((one) => [one.text, one.postalCode]))),
    patient.string('address-city', (r) => some((r.address ?? []).map((one) => one.city))),
    patient.string('address-state', (r) => some((r.address ?? []).map((one) => one.state))),
    patient.string('address-country', (r) => some((r.address ?? []).map((one) => one.country))),
    patient.string('mothersMaidenName', (r) =>
      some((r.extension ?? []).filter(({ url }) => url === MAIDEN_NAME).map((one) => one.valueString)),
    ),
    patient.string('address-postalcode', (r) => some((r.address ?? []).map((one) => one.postalCode))),
    patient.reference('organization', ORGANIZATION, (r) => references(r.managingOrganization)),
    patient.reference('link', PATIENT, (r) => references(...(r.link ?? []).map((one) => one.other)), true),
  ],
  Organization: [
    organization.token('identifier', (r) => ids(...(r.identifier ?? [])), true),
    organization.string('name', (r) => some([r.name, ...(r.alias ?? [])]), true),
    organization.code('active', (r) => code(r.active === undefined ? undefined : String(r.active))),
    organization.token('type', (r) => concepts(...(r.type ?? []))),
    organization.reference('endpoint', ['Endpoint'], (r) => references(...(r.endpoint ?? []))),
  ],
  Endpoint: [
    endpoint.string('name', (r) => some([r.name]), true),
    endpoint.code('status', (r) => code(r.status)),
    endpoint.token('connection-type', (r) => [codingToken(r.connectionType)]),
    endpoint.reference('organization', ORGANIZATION, (r) => references(r.managingOrganization)),
  ],
  ServiceRequest: [
    order.token('identifier', (r) => ids(...(r.identifier ?? [])), true),
    order.reference('patient', PATIENT, (r) => references(r.subject), true),
    order.reference('subject', PATIENT, (r) => references(r.subject), true),
    order.date('authored', 'date1', (r) => r.authoredOn),
    order.date('occurrence', 'date2', (r) => r.occurrenceDateTime),
    order.code('status', (r) => code(r.status)),
    order.code('intent', (r) => code(r.intent)),
    order.code('priority', (r) => code(r.priority)),
    order.token('code', (r) => concepts(r.code)),
    order.token('category', (r) => concepts(...(r.category ?? []))),
    order.token('body-site', (r) => concepts(...(r.bodySite ?? []))),
    order.reference('performer', ORGANIZATION, (r) => references(...(r.performer ?? []))),
  ],
  ImagingStudy: [
    study.token('identifier', (r) => ids(...(r.identifier ?? [])), true),
    study.reference('patient', PATIENT, (r) => references(r.subject), true),
    study.reference('subject', PATIENT, (r) => references(r.subject), true),
    study.date('started', 'date1', (r) => r.started),
    study.code('status', (r) => code(r.status)),
    study.token('modality', (r) =>
      [...(r.modality ?? []), ...some((r.series ?? []).map((s) => s.modality))].map(codingToken),
    ),
    study.token('bodysite', (r) => some((r.series ?? []).map((s) => s.bodySite)).map(codingToken)),
    study.code('series', (r) => (r.series ?? []).flatMap((s) => code(s.uid)), true),
    study.code(
      'instance',
      (r) => (r.series ?? []).flatMap((s) => (s.instance ?? []).flatMap((i) => code(i.uid))),
      true,
    ),
    study.token('dicom-class', (r) =>
      (r.series ?? []).flatMap((s) => (s.instance ?? []).map((i) => codingToken(i.sopClass))),
    ),
    study.reference('basedon', ['ServiceRequest'], (r) => references(...(r.basedOn ?? [])), true),
    study.reference('endpoint', ['Endpoint'], (r) => references(...(r.endpoint ?? []))),
  ],
  DiagnosticReport: [
    report.token('identifier', (r) => ids(...(r.identifier ?? [])), true),
    report.reference('patient', PATIENT, (r) => references(r.subject), true),
    report.reference('subject', PATIENT, (r) => references(r.subject), true),
    report.date('date', 'date1', (r) => r.effectiveDateTime),
    report.date('issued', 'date2', (r) => r.issued),
    report.code('status', (r) => code(r.status)),
    report.token('code', (r) => concepts(r.code)),
    report.token('category', (r) => concepts(...(r.category ?? []))),
    report.token('conclusion', (r) => concepts(...(r.conclusionCode ?? []))),
    report.reference('based-on', ['ServiceRequest'], (r) => references(...(r.basedOn ?? [])), true),
    report.reference('performer', ORGANIZATION, (r) => references(...(r.performer ?? []))),
  ],
  DocumentReference: [
    document.token('identifier', (r) => ids(r.masterIdentifier, ...(r.identifier ?? [])), true),
    document.reference('patient', PATIENT, (r) => references(r.subject), true),
    document.reference('subject', PATIENT, (r) => references(r.subject), true),
    document.date('date', 'date1', (r) => r.date),
    document.code('status', (r) => code(r.status)),
    document.token('type', (r) => concepts(r.type)),
    document.token('category', (r) => concepts(...(r.category ?? []))),
    document.code('contenttype', (r) => r.content.flatMap((one) => code(one.attachment.contentType))),
    document.code('language', (r) => r.content.flatMap((one) => code(one.attachment.language))),
    document.token('format', (r) => some(r.content.map((one) => one.format)).map(codingToken)),
    document.string('description', (r) => some([r.description])),
    document.uri('location', (r) => some(r.content.map((one) => one.attachment.url))),
    document.reference('author', ORGANIZATION, (r) => references(...(r.author ?? []))),
    document.reference('custodian', ORGANIZATION, (r) => references(r.custodian)),
    document.reference(
      'related',
      ['ImagingStudy', 'DiagnosticReport'],
      (r) => references(...(r.context?.related ?? [])),
      true,
    ),
    document.token('related:identifier', (r) => ids(...relatedIds(r)), true),
    document.token('patient.identifier', none, true),
    document.token('study-instance-uid', studyIds, true),
    document.token('accession-number', accessionIds, true),
    document.date('creation', 'date2', (r) => r.content[0]?.attachment.creation),
    document.date('period', 'period', (r) => r.context?.period?.start ?? r.context?.period?.end),
    document.token('event', (r) => concepts(...(r.context?.event ?? []))),
    document.token('facility', (r) => concepts(r.context?.facilityType)),
    document.token('setting', (r) => concepts(r.context?.practiceSetting)),
    document.token('security-label', (r) => concepts(...(r.securityLabel ?? []))),
    document.string('author.given', (r) => givens(authorNames(r))),
    document.string('author.family', (r) => families(authorNames(r))),
    document.code('relation', (r) => (r.relatesTo ?? []).flatMap((one) => code(one.code))),
    document.reference(
      'relatesto',
      ['DocumentReference'],
      (r) => references(...(r.relatesTo ?? []).map((one) => one.target)),
      true,
    ),
  ],
  List: [
    documents.token('identifier', (r) => ids(...(r.identifier ?? [])), true),
    documents.token('patient.identifier', none, true),
    documents.reference('patient', PATIENT, (r) => references(r.subject), true),
    documents.reference('subject', PATIENT, (r) => references(r.subject), true),
    documents.date('date', 'date1', (r) => r.date),
    documents.code('status', (r) => code(r.status)),
    documents.token('code', (r) => concepts(r.code)),
    documents.string('title', (r) => some([r.title]), true),
    documents.reference('item', ['DocumentReference', 'List'], (r) =>
      references(...(r.entry ?? []).map((one) => one.item)),
    ),
    documents.token('designationType', (r) =>
      concepts(...extensions(r, 'ihe-designationType').map((one) => one.valueCodeableConcept)),
    ),
    documents.token('sourceId', (r) => ids(...extensions(r, 'ihe-sourceId').map((one) => one.valueIdentifier))),
    documents.string('source.given', (r) => givens(authorNames(r))),
    documents.string('source.family', (r) => families(authorNames(r))),
  ],
};

/** Provenance is rendered from the versions themselves; the store answers these from their columns. */
export const PROVENANCE_PARAMETERS: readonly Parameter[] = [
  {
    kind: 'reference',
    name: 'target',
    of: none,
    targets: RESOURCE_TYPES.filter((type) => type !== 'Provenance'),
    selective: true,
  },
  { kind: 'reference', name: 'patient', of: none, targets: PATIENT, selective: true },
  { kind: 'reference', name: 'agent', of: none, targets: ORGANIZATION },
  { kind: 'date', name: 'recorded', of: () => undefined, column: 'date1' },
];

export const parametersOf = (type: ResourceType): readonly Parameter[] =>
  type === 'Provenance' ? PROVENANCE_PARAMETERS : PARAMETERS[type];

export const isResourceType = (type: string): type is ResourceType =>
  (RESOURCE_TYPES as readonly string[]).includes(type);
