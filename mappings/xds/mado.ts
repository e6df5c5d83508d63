/**
 * The manifest of a study as a FHIR document (IHE RAD MADO, MadoFhirBundle): what the KOS says, for readers who do not
 * read DICOM. It stands alone: everything it refers to is inside. Times come from the KOS, so it changes only with it or
 * with what the index says of patient and exam.
 */
import type {
  Bundle,
  Composition,
  Device,
  Endpoint,
  FhirResource,
  Identifier,
  ImagingStudy,
  ImagingStudySeries,
  Organization,
  Patient,
  Reference,
} from 'fhir/r4.js';
import type { Derivation } from '../../hub/core/identifier.ts';
import type { SiteProfile } from '../../hub/core/site.ts';
import type { ExamView, ListedSeries, ListedStudy, ManifestView } from '../../hub/core/view.ts';
import { readableName } from '../dicom/person-name.ts';
import { SYSTEMS } from '../fhir/context.ts';
import { compact, concept, dateTime, identifierSystem, list, named, partialDate, text } from '../fhir/datatypes.ts';
import { xml } from './xml.ts';

const MADO = 'https://profiles.ihe.net/RAD/MADO';
const profile = (name: string): string => `${MADO}/StructureDefinition/${name}`;
const IMAGING_STUDY = { system: SYSTEMS.loinc, code: '18748-4', display: 'Diagnostic imaging study' };

export interface MadoInput {
  readonly exam: ExamView;
  /** With its instances. */
  readonly study: ListedStudy;
  readonly manifest: ManifestView;
  readonly site: SiteProfile | null;
  readonly accessionIssuer: string;
  readonly repositoryOid: string;
  /** Base of WADO-RS; null where the hub does not know how readers reach it. */
  readonly wadoUrl: string | null;
  readonly derive: Derivation;
}

export function madoBundle(input: MadoInput): Bundle {
  const { exam, study, manifest, derive } = input;
  const ids = (kind: string): string => derive.id('mado', kind, exam.examId, study.studyUid);
  const at = {
    composition: ids('composition'),
    study: ids('study'),
    patient: ids('patient'),
    endpoint: ids('endpoint'),
    device: ids('device'),
    organization: ids('organization'),
  };
  const refer = (id: string, type: string): Reference => ({ reference: `urn:uuid:${id}`, type });
  const subject = refer(at.patient, 'Patient');
  // MADO: "the same value as the SOP Instance UID of the corresponding DICOM KOS manifest".
  const identifier = { system: SYSTEMS.uri, value: `urn:oid:${manifest.sopUid}` };
  const entries: (readonly [string, FhirResource])[] = [
    [
      at.composition,
      composition(input, at.composition, identifier, {
        subject,
        author: [refer(at.device, 'Device'), refer(at.organization, 'Organization')],
        detail: [refer(at.study, 'ImagingStudy')],
      }),
    ],
    [at.study, imagingStudy(input, at.study, subject, refer(at.endpoint, 'Endpoint'))],
    [at.endpoint, endpoint(input, at.endpoint)],
    [at.patient, patient(exam, at.patient)],
    [at.device, device(at.device, refer(at.organization, 'Organization'))],
    [at.organization, organization(exam, input.site, at.organization)],
  ];
  return {
    resourceType: 'Bundle',
    meta: { profile: [profile('MadoFhirBundle')] },
    identifier,
    type: 'document',
    timestamp: manifest.createdAt,
    entry: entries.map(([id, resource]) => ({ fullUrl: `urn:uuid:${id}`, resource })),
  };
}

function composition(
  { exam, study, manifest, site }: MadoInput,
  id: string,
  identifier: Identifier,
  links: { readonly subject: Reference; readonly author: Reference[]; readonly detail: Reference[] },
): Composition {
  const title = procedureWords(exam, study);
  const rows: (readonly [string, string])[] = [
    ['检查 UID', study.studyUid],
    ['检查号', exam.keys.accession ?? ''],
    ['检查时间', study.fields.startedAt ?? ''],
    ['检查类别', study.modalities.join(' ')],
    ['序列数', String(study.seriesCount)],
    ['影像数', String(study.instanceCount)],
    ['医院', site?.name ?? exam.site],
  ];
  const cells = rows
    .filter(([, value]) => value !== '')
    .map(([label, value]) => `<tr><td><b>${label}</b></td><td>${xml(value)}</td></tr>`);
  return compact<Composition>({
    resourceType: 'Composition',
    id,
    meta: { profile: [profile('MadoComposition')] },
    text: {
      status: 'generated',
      div: `<div xmlns="http://www.w3.org/1999/xhtml"><h1>${xml(title)}</h1><table><tbody>${cells.join('')}</tbody></table></div>`,
    },
    identifier,
    status: 'final',
    type: { coding: [IMAGING_STUDY] },
    category: [{ coding: [IMAGING_STUDY] }],
    subject: links.subject,
    date: manifest.createdAt,
    author: links.author,
    title,
    event: [{ detail: links.detail }],
  });
}

const procedureWords = (exam: ExamView, study: ListedStudy): string =>
  text(exam.orders[0]?.fields.procedure?.display) ?? text(study.fields.description) ?? '影像检查';

function imagingStudy(input: MadoInput, id: string, subject: Reference, wado: Reference): ImagingStudy {
  const { exam, study } = input;
  const order = exam.orders[0]?.fields;
  const region = concept(order?.bodyPart ?? study.fields.bodyPart);
  const procedure = concept(order?.procedure) ?? { text: procedureWords(exam, study) };
  const series = study.series.filter(({ instances }) => instances.length > 0);
  return compact<ImagingStudy>({
    resourceType: 'ImagingStudy',
    id,
    meta: { profile: [profile('MadoImagingStudy')] },
    extension:
      region === undefined ? [] : [{ url: profile('MadoAnatomicalRegionExtension'), valueCodeableConcept: region }],
    identifier: [
      {
        type: { coding: [{ system: SYSTEMS.dcm, code: '110180', display: 'Study Instance UID' }] },
        system: SYSTEMS.dicomUid,
        // R4 §8.14 ImagingStudy.identifier; the guide's own example leaves `urn:oid:` out.
        value: `urn:oid:${study.studyUid}`,
      },
    ],
    status: 'available',
    modality: study.modalities.map((code) => ({ system: SYSTEMS.dcm, code })),
    subject,
    started: dateTime(study.fields.startedAt),
    basedOn: accession(input),
    referrer: named(readableName(study.fields.referringPhysician ?? '') || order?.requester),
    numberOfSeries: series.length,
    numberOfInstances: series.reduce((sum, one) => sum + one.instances.length, 0),
    procedureCode: [procedure.text === undefined ? { ...procedure, text: procedureWords(exam, study) } : procedure],
    description: text(study.fields.description),
    series: ordered(
      series,
      (one) => one.number,
      (one) => one.seriesUid,
    ).map((one) => seriesOf(one, wado)),
  });
}

/** A reference by number alone: the order itself is at the hospital. */
function accession({ exam, accessionIssuer }: MadoInput): Reference[] {
  const value = text(exam.keys.accession);
  if (value === undefined) return [];
  const type = {
    coding: [
      { system: SYSTEMS.identifierType, code: 'ACSN', display: 'Accession ID' },
      { system: SYSTEMS.dcm, code: '121022', display: 'Accession Number' },
    ],
  };
  return [{ type: 'ServiceRequest', identifier: { type, system: identifierSystem(accessionIssuer), value } }];
}

function seriesOf(series: ListedSeries, wado: Reference): ImagingStudySeries {
  const instances = ordered(
    series.instances,
    (one) => one.number,
    (one) => one.sopUid,
  );
  return compact<ImagingStudySeries>({
    uid: series.seriesUid,
    number: unsigned(series.number),
    modality: { system: SYSTEMS.dcm, code: series.modality === '' ? 'OT' : series.modality },
    description: text(series.description),
    numberOfInstances: instances.length,
    endpoint: [wado],
    started: dateTime(series.startedAt),
    instance: instances.map((one) =>
      compact({
        extension: one.frames === null ? [] : [{ url: profile('MadoNumberOfFrames'), valueInteger: one.frames }],
        uid: one.sopUid,
        sopClass: { system: SYSTEMS.uri, code: `urn:oid:${one.sopClass}` },
        number: unsigned(one.number),
      }),
    ),
  });
}

const unsigned = (value: number | null): number | undefined =>
  value !== null && Number.isInteger(value) && value >= 0 && value <= 2_147_483_647 ? value : undefined;

/** By number, then UID: the order in which the index lists them means nothing. */
const ordered = <T>(values: readonly T[], number: (value: T) => number | null, uid: (value: T) => string): T[] =>
  [...values].sort((a, b) => (number(a) ?? 0) - (number(b) ?? 0) || (uid(a) < uid(b) ? -1 : 1));

/** Where the hub does not know its address, the guide's own placeholder says so and the location UID leads. */
function endpoint({ repositoryOid, wadoUrl }: MadoInput, id: string): Endpoint {
  const absent = [{ url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'unknown' }];
  return {
    resourceType: 'Endpoint',
    id,
    meta: { profile: [profile('MadoWadoEndpoint')] },
    extension: [{ url: profile('MadoRetrieveLocationUIDExtension'), valueString: `oid:${repositoryOid}` }],
    status: 'active',
    connectionType: { system: SYSTEMS.connectionType, code: 'dicom-wado-rs', display: 'DICOM WADO-RS' },
    name: 'WADO endpoint',
    payloadType: [{ text: 'DICOM WADO-RS' }],
    payloadMimeType: ['application/dicom'],
    address: wadoUrl ?? 'http://notapplicable',
    ...(wadoUrl === null ? { _address: { extension: absent } } : {}),
  };
}

function patient(exam: ExamView, id: string): Patient {
  const { localId, authority, names, sex, birthDate } = exam.patient;
  return compact<Patient>({
    resourceType: 'Patient',
    id,
    meta: { profile: [profile('MadoPatient')] },
    identifier: [{ system: identifierSystem(authority), value: text(localId) ?? '?' }],
    name: names.map((name) =>
      compact({ text: text(name.text), family: text(name.family), given: list(text(name.given)) }),
    ),
    gender: sex ?? undefined,
    birthDate: partialDate(birthDate),
  });
}

const device = (id: string, owner: Reference): Device => ({
  resourceType: 'Device',
  id,
  meta: { profile: [profile('MadoCreator')] },
  manufacturer: 'Hutong',
  type: { coding: [{ system: `${MADO}/CodeSystem/MadoDeviceType`, code: 'mado-creator', display: 'MADO Creator' }] },
  owner,
});

function organization(exam: ExamView, site: SiteProfile | null, id: string): Organization {
  return {
    resourceType: 'Organization',
    id,
    meta: { profile: [profile('MadoCreatorOrganization')] },
    ...(site === null ? {} : { identifier: [{ system: SYSTEMS.institution, value: site.institutionCode }] }),
    name: text(site?.name) ?? exam.site,
  };
}
