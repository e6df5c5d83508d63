/** What a report document says, whatever its format: one reading of the exam for the PDF and the CDA alike. */
import { localDateTime } from '../../hub/core/dicom-text.ts';
import type { Derivation } from '../../hub/core/identifier.ts';
import type { OrderFields, SourceTime } from '../../hub/core/record.ts';
import type { SiteProfile } from '../../hub/core/site.ts';
import type { ExamView, ReportView } from '../../hub/core/view.ts';
import { SEX_OF_GB } from '../codes/document.ts';
import { shownName } from './document-fields.ts';

export interface ReportWords {
  readonly hospital: string;
  /** Codes of the hospital, where the site is known. */
  readonly organisation: string | null;
  readonly timeZone: string;
  readonly title: string;
  readonly patient: {
    readonly name: string;
    readonly localId: string;
    readonly residentId: string | null;
    readonly sex: { readonly code: string; readonly display: string } | null;
    /** YYYY, YYYY-MM or YYYY-MM-DD. */
    readonly birthDate: string | null;
    readonly phone: string | null;
  };
  readonly accession: string | null;
  readonly requestNumber: string | null;
  readonly reportNumber: string | null;
  readonly order: OrderFields;
  readonly modality: string;
  readonly procedure: string;
  readonly bodyPart: string;
  readonly examinedAt: SourceTime | null;
  readonly findings: string | null;
  readonly impression: string | null;
  readonly suggestion: string | null;
  readonly reporter: string | null;
  readonly auditor: string | null;
  /** Who made the images. */
  readonly technician: string | null;
  readonly reportedAt: SourceTime;
  readonly auditedAt: SourceTime;
  /** 1 for the first version. */
  readonly version: number;
  readonly corrected: boolean;
}

export function reportWords(exam: ExamView, report: ReportView, site: SiteProfile | null): ReportWords {
  const { content } = report;
  const order = exam.orders[0]?.fields ?? {};
  const study = exam.studies.find((one) => !one.voided);
  const { patient } = exam;
  const modalities = study === undefined || study.modalities.length === 0 ? [order.modality ?? ''] : study.modalities;
  return {
    hospital: site?.name ?? exam.site,
    organisation: site?.institutionCode ?? null,
    timeZone: site?.timeZone ?? 'Asia/Shanghai',
    title: told(content.title) ?? '影像检查报告',
    patient: {
      name: shownName(patient.names),
      localId: patient.localId,
      residentId: patient.residentId,
      sex: patient.sex === null ? null : (SEX_OF_GB[patient.sex] ?? null),
      birthDate: patient.birthDate,
      phone: patient.phone,
    },
    accession: exam.keys.accession ?? null,
    requestNumber: exam.keys.placer ?? null,
    reportNumber: told(report.reportNumber),
    order,
    modality: modalities.filter((one) => one !== '').join(' / '),
    procedure: order.procedure?.display ?? told(study?.fields.description) ?? '',
    bodyPart: (order.bodyPart ?? study?.fields.bodyPart)?.display ?? '',
    examinedAt: study?.fields.startedAt ?? order.startedAt ?? null,
    findings: told(content.findings),
    impression: told(content.impression),
    suggestion: told(content.suggestion),
    reporter: told(content.reporter),
    auditor: told(content.auditor),
    technician: told(exam.orders.map(({ fields }) => fields.performer).find((one) => told(one) !== null)),
    reportedAt: content.reportedAt ?? report.at,
    auditedAt: content.auditedAt ?? report.at,
    version: report.supersedes + 1,
    corrected: report.status === 'corrected',
  };
}

const told = (text: string | null | undefined): string | null =>
  text === null || text === undefined || text.trim() === '' ? null : text.trim();

/** `2026-03-01 08:30` on the hospital's clock. */
export function shownTime(at: SourceTime, zone: string): string {
  const local = localDateTime(at, zone);
  if (local === null) return '';
  const { date, time } = local;
  return `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6, 8)} ${time.slice(0, 2)}:${time.slice(2, 4)}`;
}

/** The unique id of a report document that a hospital sent: in XDS and as DocumentReference.masterIdentifier. */
export const reportDocumentUid = (exam: Pick<ExamView, 'examId'>, sha1: string, derive: Derivation): string =>
  derive.uid('report document', exam.examId, sha1);
