/**
 * Canonical records: what every mapping turns a message into, whatever its protocol, and the only thing the index
 * understands. A record asserts fields about one thing at one time; `null` asserts absence, a missing key asserts nothing.
 */
import type { SiteId, Uid } from './identifier.ts';

/**
 * When the source says this was true: `YYYY-MM-DDTHH:MM:SS.sssZ` in UTC, from the message (never the hub's clock unless
 * the message has no time; then the time of arrival in the journal).
 */
export type SourceTime = string;

/** A code as the source gave it (`source`) and, where the site's table maps it, as the province understands it. */
export interface Coded {
  readonly code: string;
  readonly system: string;
  readonly display?: string;
  readonly source?: { readonly code: string; readonly system?: string; readonly display?: string };
}

/** A patient identifier within the authority that issued it (OID, or the site's own namespace name). */
export interface PatientRef {
  readonly authority: string;
  readonly value: string;
}

/** `type` is of HL7 table 0203 (PI, MR, NI = resident ID, PPN passport, SS insurance, …) or CV02.01.101 as `cv:NN`. */
export interface Identifier extends PatientRef {
  readonly type: string;
}

export interface PersonName {
  /** Whole name as shown, NFC; Chinese names have no blank: 张三, 欧阳修. */
  readonly text: string;
  readonly family?: string;
  readonly given?: string;
  readonly representation: 'ideographic' | 'alphabetic' | 'phonetic';
}

export type Sex = 'male' | 'female' | 'other' | 'unknown';

export interface Address {
  readonly text: string;
  readonly division?: string;
  readonly postalCode?: string;
}

/** Fields of a patient as one hospital knows them. */
export interface PatientFields {
  readonly names?: readonly PersonName[] | null;
  readonly sex?: Sex | null;
  /** YYYY, YYYY-MM or YYYY-MM-DD. */
  readonly birthDate?: string | null;
  readonly identifiers?: readonly Identifier[];
  readonly phone?: string | null;
  readonly address?: Address | null;
  readonly maritalStatus?: Coded | null;
  readonly ethnicGroup?: Coded | null;
  readonly nationality?: Coded | null;
  readonly deceased?: boolean | null;
  readonly motherRef?: PatientRef | null;
  /** The source takes its registration back (ADT A29, PMIR delete), until it tells of the patient again. */
  readonly withdrawn?: true;
}

/**
 * What a visit is called: its visit number (VN), or the account it is charged to (AN) where it has no number of its own
 * (HL7 table 0203). Hospitals count visits by patient (第 2 次住院): the same number of two patients is two visits.
 */
export interface VisitRef extends PatientRef {
  readonly type: 'VN' | 'AN';
}

/** Where a patient lies (PL). */
export interface VisitPlace {
  readonly pointOfCare?: string;
  readonly room?: string;
  readonly bed?: string;
  readonly facility?: string;
  readonly building?: string;
  readonly floor?: string;
  /** The point of care as the site's table of departments maps it. */
  readonly department?: string;
}

export interface VisitDoctor {
  readonly id?: string;
  readonly family?: string;
  readonly given?: string;
}

export type DoctorRole = 'attending' | 'referring' | 'consulting' | 'admitting';

/** A missing key asserts nothing, null asserts absence. */
export interface VisitFields extends Partial<Readonly<Record<DoctorRole, readonly VisitDoctor[] | null>>> {
  /** HL7 table 0004. */
  readonly class?: Coded;
  readonly place?: VisitPlace | null;
  readonly service?: Coded | null;
  readonly account?: PatientRef | null;
  readonly disposition?: string | null;
  readonly admittedAt?: SourceTime | null;
  readonly dischargedAt?: SourceTime | null;
  /** true: the admission was called off (A11, A38); false: it was told (A01, A04, A05). */
  readonly cancelled?: boolean;
}

/** Keys by which hospitals name an exam. All are scoped to the site; `issuer` where the source declares one. */
export interface ExamKeys {
  readonly placer?: string;
  readonly filler?: string;
  readonly accession?: string;
  readonly studyUid?: Uid;
  /** Provincial exam index issued outside. */
  readonly provincialIndex?: string;
}

export type OrderStatus =
  'ordered' | 'scheduled' | 'arrived' | 'in-progress' | 'completed' | 'discontinued' | 'cancelled';

export interface OrderFields {
  readonly procedure?: Coded | null;
  readonly modality?: string | null;
  readonly bodyPart?: Coded | null;
  readonly priority?: 'routine' | 'urgent' | 'stat' | null;
  readonly reason?: string | null;
  readonly diagnosis?: Coded | null;
  readonly requester?: string | null;
  readonly requestingDepartment?: Coded | null;
  readonly performer?: string | null;
  readonly patientClass?: Coded | null;
  readonly visitNumber?: string | null;
  readonly requestedAt?: SourceTime | null;
  readonly scheduledAt?: SourceTime | null;
  readonly startedAt?: SourceTime | null;
  readonly device?: string | null;
  readonly requestedProcedureId?: string | null;
  readonly scheduledStepId?: string | null;
}

/** What is known of an exam's images without the images: declared by RIS or PACS over REST, HL7 or a manifest. */
export interface StudyFields {
  readonly modality?: string | null;
  readonly bodyPart?: Coded | null;
  readonly description?: string | null;
  readonly startedAt?: SourceTime | null;
  readonly device?: string | null;
  readonly seriesCount?: number | null;
  readonly instanceCount?: number | null;
  /** Where the hospital itself serves the images, if it does (检查影像访问地址). */
  readonly accessUrl?: string | null;
}

export type ReportStatus = 'preliminary' | 'final' | 'corrected' | 'withdrawn';

export interface ReportContent {
  readonly title?: string;
  readonly findings?: string;
  readonly impression?: string;
  readonly suggestion?: string;
  readonly positive?: boolean | null;
  readonly critical?: boolean;
  readonly conclusionCodes?: readonly Coded[];
  readonly reporter?: string;
  readonly auditor?: string;
  readonly reportedAt?: SourceTime;
  readonly auditedAt?: SourceTime;
  /** A rendered document that came with the report (PDF, CDA): kept byte for byte. `data` is base64. */
  readonly document?: { readonly contentType: string; readonly data: string };
}

interface About {
  readonly site: SiteId;
  readonly at: SourceTime;
}

export interface PatientRecord extends About {
  readonly kind: 'patient';
  readonly patient: PatientRef;
  readonly fields: PatientFields;
}

/** A visit of a registered patient: admitted, moved, discharged, called off (HL7 PV1 of an ADT). */
export interface VisitRecord extends About {
  readonly kind: 'visit';
  readonly patient: PatientRef;
  readonly visit: VisitRef;
  readonly fields: VisitFields;
}

/** Two identifiers of one site name one patient; `survivor` stays (HL7 A40, PRPA_IN201304UV02). */
export interface MergeRecord extends About {
  readonly kind: 'merge';
  readonly survivor: PatientRef;
  readonly victim: PatientRef;
}

/** A number follows another patient than it did, or than it should have (HL7 A43). */
export interface MoveRecord extends About {
  readonly kind: 'move';
  readonly moved: PatientRef;
  readonly to: PatientRef;
}

/**
 * Two numbers, of one issuer or of two, are one patient's and both go on (HL7 A24); or they are not, whatever joined them
 * (A37).
 */
export interface LinkRecord extends About {
  readonly kind: 'link';
  readonly one: PatientRef;
  readonly other: PatientRef;
  readonly linked: boolean;
  /** Whose registrations they are, where a site speaks of the numbers of others. */
  readonly owners?: readonly [SiteId, SiteId];
}

export interface OrderRecord extends About {
  readonly kind: 'order';
  readonly patient: PatientRef | null;
  readonly keys: ExamKeys;
  readonly status: OrderStatus;
  readonly fields: OrderFields;
}

export interface StudyRecord extends About {
  readonly kind: 'study';
  readonly patient: PatientRef | null;
  readonly keys: ExamKeys;
  readonly fields: StudyFields;
  /** true: the source voids the exam (作废). */
  readonly voided?: boolean;
}

export interface ReportRecord extends About {
  readonly kind: 'report';
  readonly patient: PatientRef | null;
  readonly keys: ExamKeys;
  /** The report's own number; empty where the source has one report per exam and no number. */
  readonly reportNumber: string;
  /** The report number this one replaces, where the source says so (RPLC). */
  readonly replaces?: string;
  readonly status: ReportStatus;
  readonly content: ReportContent;
}

/** One DICOM instance whose bytes are already durable in the object store. Text is decoded, bytes are untouched. */
export interface InstanceRecord extends About {
  readonly kind: 'instance';
  readonly patient: PatientRef | null;
  readonly keys: ExamKeys & { readonly studyUid: Uid };
  readonly demographics: Pick<PatientFields, 'names' | 'sex' | 'birthDate' | 'identifiers'>;
  readonly study: StudyFields & { readonly studyId?: string; readonly referringPhysician?: string };
  readonly series: {
    readonly uid: Uid;
    readonly modality: string;
    readonly number?: number;
    readonly description?: string;
    readonly bodyPart?: string;
    readonly laterality?: string;
    readonly startedAt?: SourceTime;
    readonly stationName?: string;
    readonly manufacturer?: string;
    readonly stationAe?: string;
  };
  readonly instance: {
    readonly uid: Uid;
    readonly sopClass: Uid;
    readonly transferSyntax: Uid;
    readonly number?: number;
    readonly rows?: number;
    readonly columns?: number;
    readonly frames?: number;
    readonly bitsAllocated?: number;
    /** Object store key of the Part-10 file, its size in bytes and SHA-256 (hex). */
    readonly object: string;
    readonly size: number;
    readonly digest: string;
    /** Offset in the file where the data set begins (after the file meta information). */
    readonly dataSetOffset: number;
  };
}

/** An instance whose bytes are not hashed yet. */
export interface UnhashedInstance extends Omit<InstanceRecord, 'instance'> {
  readonly instance: Omit<InstanceRecord['instance'], 'digest'>;
}

export const hashed = (record: UnhashedInstance, digest: string): InstanceRecord => ({
  ...record,
  instance: { ...record.instance, digest },
});

/** What a reader saved about a study: it adds itself, and says nothing of the patient, of the order or of the study. */
export const noteAbout = (record: UnhashedInstance, patient: PatientRef): UnhashedInstance => ({
  ...record,
  patient,
  keys: { studyUid: record.keys.studyUid },
  demographics: {},
  study: {},
});

export type CanonicalRecord =
  | PatientRecord
  | VisitRecord
  | MergeRecord
  | MoveRecord
  | LinkRecord
  | OrderRecord
  | StudyRecord
  | ReportRecord
  | InstanceRecord;
