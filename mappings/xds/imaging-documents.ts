/**
 * The documents that an exam of the index has in the affinity domain (WIRE §6.2): the manifest of each complete study as
 * KOS and as MADO bundle, the audited report as PDF and as CDA. A function of the view alone: whatever order messages came
 * in, the same exam has the same documents, with the same unique ids and bytes.
 */
import type { DocumentAuthor, DocumentCode, DocumentEntry } from '../../hub/core/document.ts';
import type { Derivation, Oid, SiteId } from '../../hub/core/identifier.ts';
import type { SiteProfile } from '../../hub/core/site.ts';
import type { ExamView, ListedSeries, ListedStudy, ManifestView, ReportView } from '../../hub/core/view.ts';
import { CLASS, CONFIDENTIALITY, FACILITY, FORMAT, LANGUAGE, modalityCode, PRACTICE, TYPE } from '../codes/document.ts';
import { author, cx, cxi, documentCode, dtm, sourcePatientInfo, xcn, xon } from './document-fields.ts';
import { madoBundle } from './mado.ts';
import { reportCda } from './report-cda.ts';
import { reportPdf } from './report-pdf.ts';
import { reportDocumentUid, reportWords } from './report-words.ts';

export interface DocumentContext {
  readonly derive: Derivation;
  readonly repositoryOid: Oid;
  /** Stands where a hospital's own authority has no OID. */
  readonly affinityDomainOid: string;
  /** Base of WADO-RS as readers reach it; null: not known. */
  readonly wadoUrl: string | null;
  site(id: SiteId): SiteProfile | null;
}

/** What says where a document stands among those of its exam: at most one of a slot is approved at a time. */
export type Slot = string;

/** A document with its metadata, but for what only the registering knows: ids, patient, hash and size. */
export interface ImagingDocument {
  readonly slot: Slot;
  readonly entry: Omit<DocumentEntry, 'id' | 'lid' | 'version' | 'status' | 'patientId' | 'hash' | 'size' | 'uniqueId'>;
  /** Bytes made here, or those that lie in the object store already. */
  readonly content:
    | { readonly kind: 'made'; readonly bytes: Buffer }
    | { readonly kind: 'kept'; readonly object: string; readonly size: number; readonly sha1: string };
  readonly uniqueId: string;
}

export interface ImagingDocuments {
  readonly documents: readonly ImagingDocument[];
  /** Slots whose document is about to change (images are still arriving): what stands in them stays until then. */
  readonly waiting: readonly Slot[];
}

/** Every slot that this exam can have. */
export const slotsOf = (exam: ExamView): readonly Slot[] => [
  ...exam.studies.flatMap(({ studyUid }) => [`kos|${studyUid}`, `mado|${studyUid}`]),
  'report-pdf',
  'report-cda',
  'report-original',
];

/** By study UID: what hospitals listed of the studies that they keep. */
export type Listings = ReadonlyMap<string, readonly ListedSeries[]>;

/** `exam` with the instances of its complete studies. A cancelled exam has none. */
export function imagingDocuments(
  exam: ExamView,
  context: DocumentContext,
  listings: Listings = new Map(),
): ImagingDocuments {
  if (exam.cancelled) return { documents: [], waiting: [] };
  const standing = exam.studies.filter((study) => !study.voided).map((study) => asListed(study, listings));
  const manifests = standing.flatMap((study) => {
    const manifest = exam.manifests.find(({ studyUid }) => studyUid === study.studyUid);
    return manifest === undefined ? [] : [{ study, manifest }];
  });
  // A study that got more images since its manifest was made gets another one soon: its bundle waits for that.
  const settled = manifests.filter(
    ({ study, manifest }) =>
      (study.availability === 'complete' && manifest.createdAt >= study.changedAt) || isKept(study, listings),
  );
  return {
    documents: [
      ...manifests.map(({ study, manifest }) => manifestDocument(exam, study, manifest, context)),
      ...settled.map(({ study, manifest }) => madoDocument(exam, study, manifest, context)),
      ...reportDocuments(exam, context),
    ],
    waiting: manifests.filter((one) => !settled.includes(one)).map(({ study }) => `mado|${study.studyUid}`),
  };
}

const isKept = ({ availability, studyUid }: ListedStudy, listings: Listings): boolean =>
  availability === 'at-hospital' && listings.has(studyUid);

/** A study that its hospital keeps, with the series that the hospital listed. */
function asListed(study: ListedStudy, listings: Listings): ListedStudy {
  const series = listings.get(study.studyUid);
  if (series === undefined || !isKept(study, listings)) return study;
  return {
    ...study,
    series,
    modalities: [...new Set(series.map(({ modality }) => modality).filter((one) => one !== ''))].sort(),
    seriesCount: series.length,
    instanceCount: series.reduce((sum, { instances }) => sum + instances.length, 0),
  };
}

function manifestDocument(
  exam: ExamView,
  study: ListedStudy,
  manifest: ManifestView,
  context: DocumentContext,
): ImagingDocument {
  return {
    slot: `kos|${study.studyUid}`,
    uniqueId: manifest.sopUid,
    content: { kind: 'kept', object: manifest.object, size: manifest.size, sha1: manifest.sha1 },
    entry: {
      ...manifestEntry(exam, study, manifest, context),
      mimeType: 'application/dicom',
      formatCode: FORMAT.manifest,
    },
  };
}

function madoDocument(
  exam: ExamView,
  study: ListedStudy,
  manifest: ManifestView,
  context: DocumentContext,
): ImagingDocument {
  const { derive, repositoryOid, wadoUrl } = context;
  const site = context.site(exam.site);
  const accessionIssuer = issuerOf(exam, context);
  const bundle = madoBundle({ exam, study, manifest, site, accessionIssuer, repositoryOid, wadoUrl, derive });
  const text = JSON.stringify(bundle);
  return {
    slot: `mado|${study.studyUid}`,
    // Bundle.identifier is the KOS's UID, but two documents with one unique id and two hashes would be refused
    // (XDSNonIdenticalHash, ITI TF-3 §4.2.3.2.26).
    uniqueId: derive.uid('mado document', exam.examId, text),
    content: { kind: 'made', bytes: Buffer.from(text, 'utf8') },
    entry: {
      ...manifestEntry(exam, study, manifest, context),
      mimeType: 'application/fhir+json',
      formatCode: FORMAT.fhirManifest,
    },
  };
}

type Draft = ImagingDocument['entry'];

function manifestEntry(exam: ExamView, study: ListedStudy, manifest: ManifestView, context: DocumentContext): Draft {
  const procedure = documentCode(exam.orders[0]?.fields.procedure);
  const title = exam.orders[0]?.fields.procedure?.display ?? study.fields.description ?? '影像检查';
  return {
    ...commonEntry(exam, [study], context),
    title: shown(`${title} 影像清单`),
    authors: [author(institutionOf(exam, context))],
    classCode: CLASS.images,
    typeCode: procedure ?? TYPE.imagingStudy,
    creationTime: dtm(manifest.createdAt),
  };
}

/** Audited reports only: what is preliminary or withdrawn is no document of the domain (S4-4.7.1). */
function reportDocuments(exam: ExamView, context: DocumentContext): ImagingDocument[] {
  const { report } = exam;
  if (report === null || (report.status !== 'final' && report.status !== 'corrected')) return [];
  const words = reportWords(exam, report, context.site(exam.site));
  const entry = reportEntry(exam, report, context);
  const cda = reportCda(words, report.reportId, context.derive);
  const documents: ImagingDocument[] = [
    {
      slot: 'report-cda',
      uniqueId: cda.uniqueId,
      content: { kind: 'made', bytes: cda.bytes },
      entry: { ...entry, mimeType: 'text/xml', formatCode: FORMAT.cda },
    },
  ];
  const original = report.document;
  const mimeType = original?.contentType.split(';')[0]?.trim().toLowerCase() ?? '';
  const isPdf = mimeType === 'application/pdf';
  if (original !== undefined)
    // The hospital's own document, byte for byte, is better than any that the hub could set.
    documents.push({
      slot: isPdf ? 'report-pdf' : 'report-original',
      uniqueId: reportDocumentUid(exam, original.sha1, context.derive),
      content: { kind: 'kept', object: original.object, size: original.size, sha1: original.sha1 },
      entry: { ...entry, mimeType: isPdf ? mimeType : original.contentType, formatCode: FORMAT.byMimeType },
    });
  if (!isPdf) {
    const bytes = reportPdf(words);
    documents.push({
      slot: 'report-pdf',
      uniqueId: context.derive.uid('report pdf', exam.examId, bytes.toString('latin1')),
      content: { kind: 'made', bytes },
      entry: { ...entry, mimeType: 'application/pdf', formatCode: FORMAT.byMimeType },
    });
  }
  return documents;
}

function reportEntry(exam: ExamView, report: ReportView, context: DocumentContext): Draft {
  const { content } = report;
  const signed = content.auditedAt ?? content.reportedAt ?? report.at;
  const auditor = content.auditor?.trim() ?? '';
  const studies = exam.studies.filter((study) => !study.voided);
  return {
    ...commonEntry(exam, studies, context),
    title: shown(content.title ?? '影像检查报告'),
    authors: [author(institutionOf(exam, context), content.reporter)],
    classCode: CLASS.reports,
    typeCode: TYPE.imagingStudy,
    creationTime: dtm(signed),
    ...(auditor === '' ? {} : { legalAuthenticator: xcn(auditor) }),
  };
}

/** What the documents of an exam share; MIME type, codes and times of the one at hand replace what stands here. */
function commonEntry(exam: ExamView, studies: readonly ListedStudy[], context: DocumentContext): Draft {
  const { patient } = exam;
  const started = studies.flatMap(({ fields }) => fields.startedAt ?? []).sort()[0] ?? exam.orders[0]?.fields.startedAt;
  return {
    kind: 'document',
    entryType: 'stable',
    title: [],
    comments: [],
    extra: [],
    limited: false,
    mimeType: '',
    authors: [],
    facilityType: FACILITY,
    practiceSetting: PRACTICE,
    confidentiality: [CONFIDENTIALITY],
    eventCodes: eventCodesOf(exam, studies),
    languageCode: LANGUAGE,
    ...(started === null || started === undefined ? {} : { serviceStartTime: dtm(started) }),
    sourcePatientId: cx(patient.localId, patient.authority, fallbackOid(exam, context)),
    sourcePatientInfo: sourcePatientInfo(patient, fallbackOid(exam, context)),
    referenceIds: referenceIdsOf(exam, studies, context),
    repositoryUniqueId: context.repositoryOid,
    availability: 'online',
  };
}

/** Objects that a study carries beside its acquisitions: they say nothing of how it was acquired. */
const NOT_ACQUIRED: ReadonlySet<string> = new Set(['KO', 'PR', 'SR', 'DOC', 'REG', 'SEG', '']);

/** IHE RAD TF-3 §4.68.4.1.2.3: acquisition modality and anatomic region. */
function eventCodesOf(exam: ExamView, studies: readonly ListedStudy[]): DocumentCode[] {
  const order = exam.orders[0]?.fields;
  const acquired = studies.flatMap(({ modalities, fields }) =>
    modalities.length > 0 ? modalities : (fields.modality ?? []),
  );
  const modalities = [...new Set(acquired.length > 0 ? acquired : [order?.modality ?? ''])].filter(
    (one) => !NOT_ACQUIRED.has(one),
  );
  const region = documentCode(order?.bodyPart ?? studies[0]?.fields.bodyPart);
  return [...modalities.sort().map(modalityCode), ...(region === null ? [] : [region])];
}

/** ITI TF-3 §4.2.3.2.28: the study UID has no assigning authority, an accession number needs one. */
function referenceIdsOf(exam: ExamView, studies: readonly ListedStudy[], context: DocumentContext): string[] {
  const { accession } = exam.keys;
  return [
    ...studies.map(({ studyUid }) => cxi(studyUid, null, 'urn:ihe:iti:xds:2016:studyInstanceUID')),
    ...(accession === undefined ? [] : [cxi(accession, issuerOf(exam, context), 'urn:ihe:iti:xds:2013:accession')]),
  ].filter((value) => value.length <= 256);
}

/** The issuer of accession numbers that the site declares; else an OID that stands for this site alone. */
const issuerOf = (exam: ExamView, context: DocumentContext): string =>
  context.site(exam.site)?.accessionIssuer ?? context.derive.uid('accession issuer', exam.site);

const fallbackOid = (exam: ExamView, context: DocumentContext): string => {
  const own = context.site(exam.site)?.patientIds.defaultAuthority ?? '';
  return /^\d+(\.\d+)+$/.test(own) ? own : context.affinityDomainOid;
};

function institutionOf(exam: ExamView, context: DocumentContext): DocumentAuthor['institutions'][number] {
  const site = context.site(exam.site);
  return site === null
    ? xon(exam.site)
    : xon(site.name, { value: site.institutionCode, authority: '2.16.156.10011.1.5' });
}

const shown = (title: string): Draft['title'] => [{ language: LANGUAGE, text: title.trim().slice(0, 1024) }];
