/** Orders, exams and reports of REST messages as canonical records, with the same keys as in every other protocol. */
import { lenientUid } from '../../hub/core/identifier.ts';
import type {
  ExamKeys,
  OrderFields,
  OrderRecord,
  OrderStatus,
  ReportContent,
  ReportRecord,
  ReportStatus,
  SourceTime,
  StudyFields,
  StudyRecord,
} from '../../hub/core/record.ts';
import { icd10 } from '../codes/diagnosis.ts';
import { modalityOf, priorityOf, reportStatusOf } from '../codes/exam.ts';
import { present } from '../hl7v2/context.ts';
import { refOf } from './person.ts';
import type { Reading } from './reading.ts';

export function keysOf(reading: Reading): ExamKeys {
  const uid = reading.text('studyInstanceUid');
  const studyUid = uid === undefined ? undefined : lenientUid(uid);
  if (studyUid === null) reading.find('invalid-value', 'studyInstanceUid', 'this is no DICOM UID; it was left out');
  return present({
    placer: reading.text('orderNumber'),
    filler: reading.text('fillerNumber'),
    accession: reading.text('accessionNumber'),
    studyUid: studyUid ?? undefined,
    provincialIndex: reading.text('provincialIndex'),
  });
}

const oneOf =
  <T extends string>(...words: readonly T[]) =>
  (code: string): T | null =>
    words.find((word) => word === code.toLowerCase()) ?? null;

const orderWord = oneOf<OrderStatus>(
  'ordered',
  'scheduled',
  'arrived',
  'in-progress',
  'completed',
  'discontinued',
  'cancelled',
);
const urgency = oneOf('routine', 'urgent', 'stat');
const reportWord = oneOf<ReportStatus>('preliminary', 'final', 'corrected', 'withdrawn');
/** CT01.00.003: 1 临时报告, 2 最终报告; HL7 letters otherwise. */
const reportStatus = (code: string): ReportStatus | null =>
  reportWord(code) ?? ({ '1': 'preliminary', '2': 'final' } as const)[code] ?? reportStatusOf(code);

const modality = (reading: Reading): string | undefined => reading.word('modality', 'modality', modalityOf);

/** What an order and an exam say of the act in the same words. */
function actOf(reading: Reading): OrderFields {
  return present({
    procedure: reading.coded('procedure', 'procedureCode', 'procedureName'),
    modality: modality(reading),
    bodyPart: reading.coded('body-part', 'bodyPart'),
    priority: reading.word('priority', 'priority', (code) => urgency(code) ?? priorityOf(code)),
    reason: reading.value('reason'),
    diagnosis: diagnosisOf(reading),
    requester: reading.value('requester'),
    requestingDepartment: reading.coded('department', 'requestingDepartment'),
    performer: reading.value('performer'),
    patientClass: reading.coded('patient-class', 'patientClass'),
    visitNumber: reading.value('visitNumber'),
    startedAt: reading.time('startedAt'),
    device: reading.value('device'),
  });
}

/** A diagnosis is mostly free text: without a code it is kept as text, which is no missing code. */
function diagnosisOf(reading: Reading): OrderFields['diagnosis'] | undefined {
  const code = reading.text('diagnosisCode');
  // The contract calls it ICD-10; the site's table goes first, since a hospital may mean its own by the same letters.
  if (code !== undefined && reading.site.codes.lookup('diagnosis', code) === null) {
    const known = icd10(code, reading.text('diagnosis'));
    if (known !== null) return known;
  }
  if (code !== undefined) return reading.coded('diagnosis', 'diagnosisCode', 'diagnosis');
  const text = reading.value('diagnosis');
  return typeof text === 'string' ? { code: text, system: `${reading.site.id}:diagnosis`, display: text } : text;
}

export function orderOf(reading: Reading, at: SourceTime): OrderRecord {
  reading.wanted('procedureCode', 'modality', 'bodyPart', 'requestingDepartment', 'requestedAt');
  const status = reading.word('order-status', 'status', orderWord) ?? 'ordered';
  const fields = {
    ...actOf(reading),
    ...present({
      requestedAt: reading.time('requestedAt'),
      scheduledAt: reading.time('scheduledAt'),
      requestedProcedureId: reading.text('requestedProcedureId'),
      scheduledStepId: reading.text('scheduledStepId'),
    }),
  };
  return { kind: 'order', site: reading.site.id, at, patient: refOf(reading), keys: keysOf(reading), status, fields };
}

/** Only a web address that a browser may open without harm is kept. */
function accessUrl(reading: Reading): string | null | undefined {
  const text = reading.value('accessUrl');
  if (text === null || text === undefined) return text;
  if (URL.canParse(text) && ['http:', 'https:'].includes(new URL(text).protocol)) return text;
  reading.find('invalid-value', 'accessUrl', 'this is no http or https address; it was left out');
  return undefined;
}

/** The study, and the order that the RIS worked from, so far as it tells of one. */
export function examOf(reading: Reading, at: SourceTime): readonly (OrderRecord | StudyRecord)[] {
  reading.wanted('modality', 'bodyPart', 'procedureCode', 'requestingDepartment', 'startedAt');
  const about = { site: reading.site.id, at, patient: refOf(reading), keys: keysOf(reading) };
  const act = actOf(reading);
  const voided = reading.flag('voided');
  const fields: StudyFields = present({
    modality: act.modality,
    bodyPart: act.bodyPart,
    startedAt: act.startedAt,
    device: act.device,
    description: reading.value('description'),
    seriesCount: reading.count('seriesCount'),
    instanceCount: reading.count('instanceCount'),
    accessUrl: accessUrl(reading),
  });
  const study: StudyRecord = { kind: 'study', ...about, fields, ...(voided === undefined ? {} : { voided }) };
  const order: OrderRecord = {
    kind: 'order',
    ...about,
    status: voided === true ? 'cancelled' : 'completed',
    fields: act,
  };
  return act.procedure === undefined && act.requestingDepartment === undefined ? [study] : [order, study];
}

/** 作废: the study is void and its order is cancelled, in one entry. */
export function voidOf(reading: Reading, at: SourceTime): readonly (OrderRecord | StudyRecord)[] {
  const about = { site: reading.site.id, at, patient: refOf(reading), keys: keysOf(reading), fields: {} };
  return [
    { kind: 'order', ...about, status: 'cancelled' },
    { kind: 'study', ...about, voided: true },
  ];
}

function documentOf(reading: Reading): ReportContent['document'] {
  const told = reading.object('document');
  const { contentType, data } = told ?? {};
  if (typeof contentType !== 'string' || typeof data !== 'string') return undefined;
  const packed = data.replace(/\s+/g, '');
  if (packed !== '' && packed.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(packed)) return { contentType, data };
  // A decoder would skip what it does not know, and give another document than the one that was signed.
  reading.find('invalid-value', 'document', 'this is not base64; the document was left out, the report was taken');
  return undefined;
}

export function reportOf(reading: Reading): ReportRecord {
  reading.wanted('findings', 'impression', 'reporter', 'auditor', 'auditedAt');
  const [reportedAt, auditedAt] = [reading.time('reportedAt'), reading.time('auditedAt')];
  const conclusion = reading.coded('conclusion', 'conclusionCode');
  const content: ReportContent = present({
    title: reading.text('title'),
    findings: reading.text('findings'),
    impression: reading.text('impression'),
    suggestion: reading.text('suggestion'),
    positive: reading.flag('positive'),
    critical: reading.flag('critical'),
    conclusionCodes: conclusion === null || conclusion === undefined ? undefined : [conclusion],
    reporter: reading.text('reporter'),
    auditor: reading.text('auditor'),
    reportedAt,
    auditedAt,
    document: documentOf(reading),
  });
  const replaces = reading.text('replaces');
  return {
    kind: 'report',
    site: reading.site.id,
    at: reading.time('eventTime') ?? auditedAt ?? reportedAt ?? reading.receivedAt,
    patient: refOf(reading),
    keys: keysOf(reading),
    reportNumber: reading.text('reportNumber') ?? '',
    ...(replaces === undefined ? {} : { replaces }),
    // Only an audited report is final (CODES §4): without a status the audit decides.
    status:
      reading.word('result-status', 'status', reportStatus) ?? (auditedAt === undefined ? 'preliminary' : 'final'),
    content,
  };
}

export function withdrawalOf(reading: Reading, at: SourceTime): ReportRecord {
  return {
    kind: 'report',
    site: reading.site.id,
    at,
    patient: refOf(reading),
    keys: keysOf(reading),
    reportNumber: reading.text('reportNumber') ?? '',
    status: 'withdrawn',
    content: {},
  };
}
