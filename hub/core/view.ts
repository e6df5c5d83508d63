/**
 * What the index says at read time, after its facts are folded: the shapes every face projects from. Faces never see
 * rows; the store builds views, `mappings/*` render them.
 */
import type { HubId, SiteId, Uid } from './identifier.ts';
import type {
  Address,
  Coded,
  ExamKeys,
  Identifier,
  OrderFields,
  OrderStatus,
  PersonName,
  ReportContent,
  ReportStatus,
  Sex,
  SourceTime,
  StudyFields,
} from './record.ts';

/** What somebody answers for: the rest is for doctors to read. */
export const isSigned = (status: ReportStatus): boolean => status === 'final' || status === 'corrected';

/** The exam as who sees signed reports alone sees it. */
export const signedOnly = <E extends Pick<ExamView, 'report'>>(exam: E): E =>
  exam.report === null || isSigned(exam.report.status) ? exam : { ...exam, report: null };

/** One hospital's registration of a person. */
export interface PatientView {
  readonly recordId: HubId;
  readonly site: SiteId;
  readonly authority: string;
  readonly localId: string;
  readonly names: readonly PersonName[];
  readonly sex: Sex | null;
  readonly birthDate: string | null;
  readonly identifiers: readonly Identifier[];
  readonly phone: string | null;
  readonly address: Address | null;
  readonly maritalStatus: Coded | null;
  readonly ethnicGroup: Coded | null;
  readonly nationality: Coded | null;
  readonly deceased: boolean | null;
  /** Canonical resident ID where one is known and valid. */
  readonly residentId: string | null;
  /** Set when this registration was merged into another of the same site. */
  readonly mergedInto: HubId | null;
  /** Since when its source has taken it back; null, absent: it stands. */
  readonly withdrawnAt?: SourceTime | null;
}

/** It names nobody any more, and what it says gives way to whatever stands; its exams and its person stay. */
export const isFormer = ({
  mergedInto,
  withdrawnAt = null,
}: Pick<PatientView, 'mergedInto' | 'withdrawnAt'>): boolean => mergedInto !== null || withdrawnAt !== null;

/** The provincial person: an overlay over the registrations linked to it. */
export interface PersonView {
  readonly personId: HubId;
  readonly records: readonly PatientView[];
  /** Set when the person was joined to another: readers follow it. */
  readonly replacedBy: HubId | null;
}

export interface OrderView {
  readonly orderId: HubId;
  readonly keys: ExamKeys;
  readonly status: OrderStatus;
  readonly at: SourceTime;
  readonly fields: OrderFields;
}

export interface ReportView {
  readonly reportId: HubId;
  readonly reportNumber: string;
  readonly status: ReportStatus;
  readonly at: SourceTime;
  readonly content: Omit<ReportContent, 'document'>;
  /** The rendered document that came with the report; its bytes lie in the object store under `object`. */
  readonly document?: {
    readonly documentId: HubId;
    readonly contentType: string;
    readonly object: string;
    readonly size: number;
    /** SHA-1 hex. */
    readonly sha1: string;
  };
  /** How many earlier versions are kept for audit. */
  readonly supersedes: number;
}

export interface InstanceView {
  readonly sopUid: Uid;
  readonly sopClass: Uid;
  readonly transferSyntax: Uid;
  readonly number: number | null;
  readonly rows: number | null;
  readonly columns: number | null;
  readonly frames: number | null;
  readonly bitsAllocated: number | null;
  readonly object: string;
  readonly size: number;
  readonly digest: string;
  readonly dataSetOffset: number;
}

export interface SeriesView {
  readonly seriesUid: Uid;
  readonly modality: string;
  readonly number: number | null;
  readonly description: string | null;
  readonly bodyPart: string | null;
  readonly laterality: string | null;
  readonly startedAt: SourceTime | null;
  readonly stationName: string | null;
  readonly manufacturer: string | null;
  readonly instanceCount: number;
  /** Only where the reader asked for instances. */
  readonly instances: readonly InstanceView[];
}

/** What a manifest says of an instance: its hospital tells as much of those that it keeps. */
export type ListedInstance = Pick<InstanceView, 'sopUid' | 'sopClass' | 'number' | 'frames'>;

export interface ListedSeries extends Pick<
  SeriesView,
  'seriesUid' | 'modality' | 'number' | 'description' | 'startedAt'
> {
  readonly instances: readonly ListedInstance[];
}

export type StudyAvailability =
  /** Declared, no image here. */
  | 'registered'
  /** Some images here, fewer than declared or still arriving. */
  | 'partial'
  /** All that was declared, or quiet for the site's settling time with nothing declared. */
  | 'complete'
  /** The hospital keeps the images; the hub knows where. */
  | 'at-hospital';

export interface StudyView {
  readonly studyId: HubId;
  readonly studyUid: Uid;
  readonly site: SiteId;
  readonly fields: StudyFields & { readonly studyId?: string | null; readonly referringPhysician?: string | null };
  readonly modalities: readonly string[];
  readonly seriesCount: number;
  readonly instanceCount: number;
  readonly availability: StudyAvailability;
  readonly voided: boolean;
  /** When the study last changed in the index: its last image, or its becoming complete. */
  readonly changedAt: SourceTime;
  readonly series: readonly SeriesView[];
}

/** A study as a manifest is made of it, whoever keeps its images. */
export interface ListedStudy extends Omit<StudyView, 'series'> {
  readonly series: readonly ListedSeries[];
}

export interface ExamView {
  readonly examId: HubId;
  readonly site: SiteId;
  readonly recordId: HubId;
  readonly personId: HubId;
  /** The registration this exam was made under. */
  readonly patient: PatientView;
  readonly keys: ExamKeys;
  /** Provincial exam index (CODES §9) and who issued it; null until its components are known. */
  readonly index: {
    readonly value: string;
    readonly issuedBy: 'hub' | 'outside';
    readonly aliases: readonly string[];
  } | null;
  readonly cancelled: boolean;
  readonly orders: readonly OrderView[];
  readonly studies: readonly StudyView[];
  /** The one current report; null where none stands (never reported, or withdrawn). */
  readonly report: ReportView | null;
  /** The KOS manifest of each complete study, and of each that its hospital keeps and listed, as a document. */
  readonly manifests: readonly ManifestView[];
}

export interface ManifestView {
  readonly studyUid: Uid;
  readonly sopUid: Uid;
  readonly object: string;
  readonly size: number;
  /** SHA-1 hex, as XDS metadata wants it. */
  readonly sha1: string;
  readonly createdAt: SourceTime;
  /** Of a study that its hospital keeps: the object that holds what the hospital listed (`ListedSeries[]`, JSON). */
  readonly listing?: string;
}
