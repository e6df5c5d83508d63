/** An exam as the query platform reads it: the view of the index in the words of openapi/hub.yaml. */
import type { components } from '../../../openapi/generated/hub.ts';
import type { Coded } from '../../core/record.ts';
import type { Sites } from '../../core/site.ts';
import type { ExamView, OrderView, ReportView, SeriesView, StudyView } from '../../core/view.ts';

type ExamRecord = components['schemas']['ExamRecord'];

/** Leaves out what is not known: the contract has optional members, not nulls, for details. */
function known<T extends object>(fields: T): { [K in keyof T]?: NonNullable<T[K]> } {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(entries) as { [K in keyof T]?: NonNullable<T[K]> };
}

const coded = (value: Coded | null | undefined): { code: string; system: string; display?: string } | undefined =>
  value === null || value === undefined
    ? undefined
    : { code: value.code, system: value.system, ...known({ display: value.display }) };

const orderOf = ({ orderId, status, at, fields }: OrderView): ExamRecord['orders'][number] => ({
  orderId,
  status,
  at,
  ...known({
    procedure: coded(fields.procedure),
    modality: fields.modality,
    bodyPart: coded(fields.bodyPart),
    requestingDepartment: coded(fields.requestingDepartment),
    requestedAt: fields.requestedAt,
    requester: fields.requester,
    priority: fields.priority,
    reason: fields.reason,
    diagnosis: coded(fields.diagnosis),
    scheduledAt: fields.scheduledAt,
    startedAt: fields.startedAt,
    performer: fields.performer,
    device: fields.device,
  }),
});

const seriesOf = (series: SeriesView): NonNullable<ExamRecord['studies'][number]['series']>[number] => ({
  seriesInstanceUid: series.seriesUid,
  modality: series.modality,
  instanceCount: series.instanceCount,
  ...known({
    number: series.number,
    description: series.description,
    bodyPart: series.bodyPart,
    laterality: series.laterality,
    startedAt: series.startedAt,
    stationName: series.stationName,
    manufacturer: series.manufacturer,
  }),
});

const studyOf = (study: StudyView, whole: boolean): ExamRecord['studies'][number] => ({
  studyInstanceUid: study.studyUid,
  modalities: study.modalities,
  seriesCount: study.seriesCount,
  instanceCount: study.instanceCount,
  availability: study.availability,
  voided: study.voided,
  ...known({
    description: study.fields.description,
    startedAt: study.fields.startedAt,
    accessUrl: study.fields.accessUrl,
  }),
  ...(whole ? { series: study.series.map(seriesOf) } : {}),
});

const reportOf = ({ reportId, reportNumber, status, at, content }: ReportView): ExamRecord['report'] => ({
  reportId,
  reportNumber,
  status,
  at,
  ...known({
    title: content.title,
    findings: content.findings,
    impression: content.impression,
    suggestion: content.suggestion,
    positive: content.positive,
    critical: content.critical,
    reporter: content.reporter,
    auditor: content.auditor,
    reportedAt: content.reportedAt,
    auditedAt: content.auditedAt,
  }),
});

/** `whole`: with the series of its studies. */
export function examRecord(exam: ExamView, sites: Pick<Sites, 'byId'>, whole = false): ExamRecord {
  const { patient } = exam;
  const name = patient.names.find(({ representation }) => representation === 'ideographic') ?? patient.names[0];
  return {
    examId: exam.examId,
    site: exam.site,
    siteName: sites.byId(exam.site)?.name ?? exam.site,
    personId: exam.personId,
    provincialIndex: exam.index?.value ?? null,
    cancelled: exam.cancelled,
    patient: {
      recordId: patient.recordId,
      localId: patient.localId,
      authority: patient.authority,
      name: name?.text ?? null,
      sex: patient.sex,
      birthDate: patient.birthDate,
    },
    keys: exam.keys,
    orders: exam.orders.map(orderOf),
    studies: exam.studies.map((study) => studyOf(study, whole)),
    report: exam.report === null ? null : reportOf(exam.report),
  };
}
