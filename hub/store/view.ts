/** Builds the views that faces read from the rows of the index: persons, exams, studies with their series and instances. */
import { currentReport, isCancelled, orderStatus, ordersOf, type ExamState } from '../core/exam.ts';
import type { Derivation, HubId, Uid } from '../core/identifier.ts';
import { patientView } from '../core/patient.ts';
import type { ExamKeys } from '../core/record.ts';
import { present, value } from '../core/register.ts';
import type {
  ExamView,
  InstanceView,
  ManifestView,
  OrderView,
  PatientView,
  PersonView,
  ReportView,
  SeriesView,
  StudyView,
} from '../core/view.ts';
import type { Sealer } from '../core/sealing.ts';
import { vaultOf, type Connection } from './database.ts';
import { residentOwner } from './resident-owner.ts';
import type { StoredExam } from './sealed-facts.ts';
import { examState, PATIENT_COLUMNS, patientState, type PatientRow } from './slice.ts';

/** A registration and the person to whom its resident ID belongs. */
interface ShownRow extends PatientRow {
  number_owner: HubId | null;
}

const SHOWN_COLUMNS = `${PATIENT_COLUMNS}, ${residentOwner('patient_record.resident_id')} as number_owner`;

interface ExamRow {
  exam_id: HubId;
  record_id: HubId;
  facts: StoredExam;
  cancelled: boolean;
  provincial_index: string | null;
  provincial_issuer: 'hub' | 'outside' | null;
  aliases: string[] | null;
}

interface StudyRow {
  record_id: HubId;
  study_uid: Uid;
  study_id: HubId;
  exam_id: HubId;
  modalities: string[];
  series_count: number;
  instance_count: number;
  availability: StudyView['availability'];
  voided: boolean;
  last_instance_at: Date | null;
  updated_at: Date;
  manifest: ManifestView | null;
  series: SeriesRow[] | null;
}

interface SeriesRow {
  series_uid: Uid;
  modality: string;
  number: number | null;
  description: string | null;
  body_part: string | null;
  laterality: string | null;
  started_at: string | null;
  station_name: string | null;
  manufacturer: string | null;
  instance_count: number;
}

interface InstanceRow {
  study_uid: Uid;
  series_uid: Uid;
  sop_uid: Uid;
  sop_class: Uid;
  transfer_syntax: Uid;
  number: number | null;
  rows: number | null;
  columns: number | null;
  frames: number | null;
  bits_allocated: number | null;
  object: string;
  size: string;
  digest: string;
  data_set_offset: number;
}

/** `all`: instances of every study; `complete`: only of studies that are complete; `none`. */
export type Instances = 'all' | 'complete' | 'none';

/** Views of these exams, in no particular order; unknown ids and exams that no patient owns yet are left out. */
export async function examViews(
  connection: Connection,
  examIds: readonly string[],
  options: { derive: Derivation; instances: Instances },
): Promise<ExamView[]> {
  if (examIds.length === 0) return [];
  const exams = await connection.query<ExamRow>({
    name: 'view-exams',
    text: `select e.exam_id, e.record_id, e.facts, e.cancelled, e.provincial_index, e.provincial_issuer,
             (select array_agg(a.alias order by a.alias) from exam_alias a where a.exam_id = e.exam_id) as aliases
           from exam e where e.exam_id = any ($1::uuid[])`,
    values: [examIds],
  });
  const patients = await connection.query<ShownRow>({
    name: 'view-patients',
    text: `select ${SHOWN_COLUMNS} from patient_record where record_id = any ($1::uuid[])`,
    values: [exams.rows.map((row) => row.record_id)],
  });
  const studies = await studyRows(connection, examIds);
  const wanted = studies.filter(
    (study) => options.instances === 'all' || (options.instances === 'complete' && study.availability === 'complete'),
  );
  const instances = await instanceRows(connection, wanted);
  const { fields } = vaultOf(connection);
  const byRecord = new Map(patients.rows.map((row) => [row.record_id, row]));
  return exams.rows.flatMap((row) => {
    const patient = byRecord.get(row.record_id);
    if (patient === undefined) return [];
    const own = studies.filter((study) => study.exam_id === row.exam_id);
    return [examView(row, patient, own, instances, { derive: options.derive, fields })];
  });
}

async function studyRows(connection: Connection, examIds: readonly string[]): Promise<StudyRow[]> {
  const result = await connection.query<StudyRow>({
    name: 'view-studies',
    text: `select s.record_id, s.study_uid, s.study_id, s.exam_id, s.modalities, s.series_count, s.instance_count,
             s.availability, s.voided, s.last_instance_at, s.updated_at, s.manifest,
             (select jsonb_agg(to_jsonb(r) - 'record_id' - 'study_uid' - 'created_at' order by r.number, r.series_uid)
              from series r where r.record_id = s.record_id and r.study_uid = s.study_uid) as series
           from study s where s.exam_id = any ($1::uuid[]) order by s.study_uid`,
    values: [examIds],
  });
  return result.rows;
}

async function instanceRows(
  connection: Connection,
  studies: readonly StudyRow[],
): Promise<Map<string, InstanceView[]>> {
  const bySeries = new Map<string, InstanceView[]>();
  if (studies.length === 0) return bySeries;
  const result = await connection.query<InstanceRow>({
    name: 'view-instances',
    text: `select ${INSTANCE_COLUMNS}
           from unnest($1::uuid[], $2::text[]) as w(record_id, study_uid)
           join instance i on i.record_id = w.record_id and i.study_uid = w.study_uid
           order by i.number nulls last, i.sop_uid`,
    values: [studies.map((study) => study.record_id), studies.map((study) => study.study_uid)],
  });
  for (const row of result.rows) {
    const list = bySeries.get(row.series_uid) ?? [];
    list.push(instanceView(row));
    bySeries.set(row.series_uid, list);
  }
  return bySeries;
}

const INSTANCE_COLUMNS = `i.study_uid, i.series_uid, i.sop_uid, i.sop_class, i.transfer_syntax, i.number, i.rows, i.columns,
  i.frames, i.bits_allocated, i.object, i.size, i.digest, i.data_set_offset`;

/** The instances of one series, or the one asked for, with the series each lies in. */
export async function seriesInstances(
  connection: Connection,
  recordId: HubId,
  studyUid: string,
  of: { readonly seriesUid?: string; readonly sopUid?: string },
): Promise<readonly { readonly seriesUid: Uid; readonly instance: InstanceView }[]> {
  const result = await connection.query<InstanceRow>({
    name: 'series-instances',
    text: `select ${INSTANCE_COLUMNS} from instance i
           where i.record_id = $1 and i.study_uid = $2 and ($3::text is null or i.series_uid = $3)
             and ($4::text is null or i.sop_uid = $4)
           order by i.number nulls last, i.sop_uid`,
    values: [recordId, studyUid, of.seriesUid ?? null, of.sopUid ?? null],
  });
  return result.rows.map((row) => ({ seriesUid: row.series_uid, instance: instanceView(row) }));
}

const instanceView = (row: InstanceRow): InstanceView => ({
  sopUid: row.sop_uid,
  sopClass: row.sop_class,
  transferSyntax: row.transfer_syntax,
  number: row.number,
  rows: row.rows,
  columns: row.columns,
  frames: row.frames,
  bitsAllocated: row.bits_allocated,
  object: row.object,
  size: Number(row.size),
  digest: row.digest,
  dataSetOffset: row.data_set_offset,
});

function examView(
  row: ExamRow,
  patient: ShownRow,
  studies: readonly StudyRow[],
  instances: ReadonlyMap<string, InstanceView[]>,
  { derive, fields }: { readonly derive: Derivation; readonly fields: Sealer },
): ExamView {
  const exam = examState(fields, row);
  return {
    examId: exam.examId,
    site: exam.site,
    recordId: exam.recordId,
    personId: patient.person_id,
    patient: shown(fields, patient),
    keys: keysAsFields(exam.keys),
    index:
      row.provincial_index === null
        ? null
        : { value: row.provincial_index, issuedBy: row.provincial_issuer ?? 'hub', aliases: row.aliases ?? [] },
    cancelled: isCancelled(exam),
    orders: ordersOf(exam).map((order) => orderView(order, exam, derive)),
    studies: studies.map((study) => studyView(study, exam, instances)),
    report: reportView(exam, derive),
    manifests: studies.flatMap((study) => (study.manifest === null ? [] : [study.manifest])),
  };
}

/** The first key of each kind, as fields; an exam rarely has two. */
function keysAsFields(keys: readonly string[]): ExamKeys {
  const first = (kind: string): string | undefined =>
    keys.find((key) => key.startsWith(`${kind}|`))?.slice(kind.length + 1);
  const accession = first('accession');
  const placer = first('placer');
  const filler = first('filler');
  const study = first('study');
  const index = first('index');
  return {
    ...(accession === undefined ? {} : { accession }),
    ...(placer === undefined ? {} : { placer }),
    ...(filler === undefined ? {} : { filler }),
    ...(study === undefined ? {} : { studyUid: study as Uid }),
    ...(index === undefined ? {} : { provincialIndex: index }),
  };
}

function orderView(order: ExamState['orders'][number], exam: ExamState, derive: Derivation): OrderView {
  const { status: _status, at: _at, ...fields } = present(order.facts);
  const own = keysAsFields(order.keys);
  const shared = keysAsFields(exam.keys);
  return {
    orderId: derive.id('order', exam.site, order.keys[0] ?? ''),
    keys: {
      ...own,
      ...(shared.accession === undefined ? {} : { accession: shared.accession }),
      ...(shared.studyUid === undefined ? {} : { studyUid: shared.studyUid }),
    },
    status: orderStatus(order),
    at: value<string>(order.facts, 'at') ?? '',
    // The registers of an order were asserted from OrderFields and nothing else (core/exam assertOrder).
    fields,
  };
}

function reportView(exam: ExamState, derive: Derivation): ReportView | null {
  const report = currentReport(exam);
  if (report === null) return null;
  return {
    reportId: derive.id('report', exam.examId),
    reportNumber: report.number,
    status: report.status,
    at: report.at,
    content: report.content,
    ...(report.document === undefined
      ? {}
      : { document: { ...report.document, documentId: derive.id('document', exam.examId, report.document.sha1) } }),
    supersedes: exam.reports.filter((version) => version.stamp < report.stamp).length,
  };
}

function studyView(row: StudyRow, exam: ExamState, instances: ReadonlyMap<string, InstanceView[]>): StudyView {
  // Facts asserted before the study UID was known (an exam declared over REST without one) lie under the empty key.
  const facts = { ...exam.studies[''], ...exam.studies[row.study_uid] };
  const { voided: _voided, ...fields } = present(facts);
  return {
    studyId: row.study_id,
    studyUid: row.study_uid,
    site: exam.site,
    fields,
    modalities: row.modalities,
    seriesCount: row.series_count,
    instanceCount: row.instance_count,
    availability: row.availability,
    voided: row.voided,
    changedAt: (row.last_instance_at ?? row.updated_at).toISOString(),
    series: (row.series ?? []).map((series) => seriesView(series, instances.get(series.series_uid) ?? [])),
  };
}

const seriesView = (row: SeriesRow, instances: readonly InstanceView[]): SeriesView => ({
  seriesUid: row.series_uid,
  modality: row.modality,
  number: row.number,
  description: row.description,
  bodyPart: row.body_part,
  laterality: row.laterality,
  startedAt: row.started_at === null ? null : new Date(row.started_at).toISOString(),
  stationName: row.station_name,
  manufacturer: row.manufacturer,
  instanceCount: row.instance_count,
  instances,
});

/** A registration as readers see it: who looks for the owner of a number must not be shown a claimant as well. */
function shown(fields: Sealer, row: ShownRow): PatientView {
  const view = patientView(patientState(fields, row));
  if (view.residentId === null || row.number_owner === row.person_id) return view;
  return { ...view, residentId: null, identifiers: view.identifiers.filter(({ type }) => type !== 'NI') };
}

export async function personViews(connection: Connection, personIds: readonly string[]): Promise<PersonView[]> {
  if (personIds.length === 0) return [];
  const persons = await connection.query<{ person_id: HubId; replaced_by: HubId | null }>({
    name: 'view-persons',
    text: 'select person_id, replaced_by from person where person_id = any ($1::uuid[])',
    values: [personIds],
  });
  const records = await connection.query<ShownRow>({
    name: 'view-person-records',
    text: `select ${SHOWN_COLUMNS} from patient_record where person_id = any ($1::uuid[]) order by created_at, record_id`,
    values: [personIds],
  });
  const { fields } = vaultOf(connection);
  return persons.rows.map((person) => ({
    personId: person.person_id,
    replacedBy: person.replaced_by,
    records: records.rows.filter((row) => row.person_id === person.person_id).map((row) => shown(fields, row)),
  }));
}
