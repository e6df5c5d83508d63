/** Writes what a batch of records changed of registrations, exams and their indexes: few statements, whole batch. */
import { currentReport, isCancelled, type ExamState } from '../core/exam.ts';
import { provincialIndex } from '../core/exam-index.ts';
import type { Slice } from '../core/slice.ts';
import { tiesOf, untiedOf } from '../core/fold-identity.ts';
import type { Derivation, HubId, SiteId } from '../core/identifier.ts';
import { patientView, residentIdOf, type PatientState } from '../core/patient.ts';
import { ownPerson } from '../core/person.ts';
import type { SiteProfile } from '../core/site.ts';
import { value } from '../core/register.ts';
import { dicomName, nameKeys } from '../core/dicom-text.ts';
import type { Vault } from '../core/sealing.ts';
import { vaultOf, type Connection } from './database.ts';
import { sealJson } from './sealed.ts';
import { openFacts, reportContext, residentKey, sealExam, sealFacts } from './sealed-facts.ts';

export interface SaveContext {
  readonly derive: Derivation;
  /** Key of the provincial exam index, apart from the key of identifiers. */
  readonly indexDerive: Derivation;
  readonly site: (id: SiteId) => SiteProfile | null;
  readonly now: Date;
  /** How long a study of the site must be quiet to count as complete. */
  readonly settleMs: (site: SiteId) => number;
}

/** `records` is JSON; one statement for any number of rows. */
export const bulk = (
  connection: Connection,
  name: string,
  text: string,
  records: readonly object[],
  ...more: unknown[]
): Promise<unknown> =>
  records.length === 0
    ? Promise.resolve()
    : connection.query({ name, text, values: [JSON.stringify(records), ...more] });

export async function savePatients(
  connection: Connection,
  changed: readonly PatientState[],
  context: SaveContext,
): Promise<void> {
  const vault = vaultOf(connection);
  const rows = changed.map((state) => {
    const view = patientView(state);
    return {
      record_id: state.recordId,
      site: state.site,
      authority: state.authority,
      local_id: state.localId,
      person_id: ownPerson(state.recordId, context.derive),
      facts: sealFacts(vault.fields, state.facts, state.recordId),
      merged_into: state.mergedInto,
      ...residentColumns(vault, residentIdOf(state.facts)),
      sex: view.sex,
      birth_date: view.birthDate,
      dicom_name: dicomName(view.names),
    };
  });
  await bulk(
    connection,
    'save-patients',
    `insert into patient_record (record_id, site, authority, local_id, person_id, facts, merged_into, resident_id, resident_born, sex,
       birth_date, dicom_name, created_at, updated_at)
     select record_id, site, authority, local_id, person_id, facts, merged_into, resident_id, resident_born, sex, birth_date,
       dicom_name, $2, $2
     from jsonb_to_recordset($1::jsonb) as r(record_id uuid, site text, authority text, local_id text, person_id uuid,
       facts jsonb, merged_into uuid, resident_id text, resident_born smallint, sex text, birth_date text, dicom_name text)
     on conflict (record_id) do update set facts = excluded.facts, merged_into = excluded.merged_into,
       resident_id = excluded.resident_id, resident_born = excluded.resident_born, sex = excluded.sex, birth_date = excluded.birth_date,
       dicom_name = excluded.dicom_name, updated_at = excluded.updated_at`,
    rows,
    context.now,
  );
  await bulk(
    connection,
    'save-ties',
    `insert into record_tie (record_id, other_id, said)
     select record_id, other_id, said from jsonb_to_recordset($1::jsonb) as r(record_id uuid, other_id uuid, said text)
     on conflict (record_id, other_id) do update set said = excluded.said where record_tie.said <> excluded.said`,
    changed.flatMap(({ recordId, facts }) =>
      tiesOf(facts).map(({ other, said }) => ({ record_id: recordId, other_id: other, said })),
    ),
  );
  const untied = changed.flatMap(({ recordId, facts }) => untiedOf(facts).map((other) => [recordId, other] as const));
  if (untied.length > 0)
    await connection.query({
      name: 'save-untied',
      text: `delete from record_tie t using unnest($1::uuid[], $2::uuid[]) as u(record_id, other_id)
             where t.record_id = u.record_id and t.other_id = u.other_id`,
      values: [untied.map(([recordId]) => recordId), untied.map(([, other]) => other)],
    });
  const names = changed.flatMap((state) =>
    nameKeys(patientView(state).names).map((key) => ({ record_id: state.recordId, key })),
  );
  await bulk(
    connection,
    'save-names',
    `with input as (select * from jsonb_to_recordset($1::jsonb) as r(record_id uuid, key text)),
       gone as (delete from patient_name n where n.record_id = any ($2::uuid[])
         and not exists (select from input i where i.record_id = n.record_id and i.key = n.key))
     insert into patient_name (record_id, key) select record_id, key from input on conflict do nothing`,
    names,
    changed.map((state) => state.recordId),
  );
}

/** Found by its keyed hash; the year of birth that it tells decides whose it is (store/resident-owner.ts). */
const residentColumns = (vault: Vault, residentId: string | null): object =>
  residentId === null
    ? { resident_id: null, resident_born: null }
    : { resident_id: residentKey(vault, residentId), resident_born: Number(residentId.slice(6, 10)) };

/** Exams that changed, with their keys, aliases, report versions; rows of united or newly placed exams move along. */
export async function saveExams(
  connection: Connection,
  before: Slice,
  after: Slice,
  changed: readonly ExamState[],
  context: SaveContext,
): Promise<void> {
  await moveExams(connection, before, after, changed);
  const { fields } = vaultOf(connection);
  const rows = changed.map((exam) => {
    const { examId, ...facts } = exam;
    return {
      record_id: exam.recordId,
      exam_id: examId,
      site: exam.site,
      facts: sealExam(fields, facts, examId),
      accession: exam.keys.find((key) => key.startsWith('accession|'))?.slice('accession|'.length) ?? null,
      cancelled: isCancelled(exam),
      has_order: exam.orders.length > 0,
      has_report: currentReport(exam) !== null,
      performed_at: performedAt(exam),
      modality: modalityOf(exam),
    };
  });
  await bulk(
    connection,
    'save-exams',
    `insert into exam (record_id, exam_id, site, facts, accession, cancelled, has_order, has_report, has_images, performed_at,
       modality, created_at, updated_at)
     select record_id, exam_id, site, facts, accession, cancelled, has_order, has_report, false, performed_at, modality, $2, $2
     from jsonb_to_recordset($1::jsonb) as r(record_id uuid, exam_id uuid, site text, facts jsonb, accession text,
       cancelled boolean, has_order boolean, has_report boolean, performed_at timestamptz, modality text)
     on conflict (record_id, exam_id) do update set facts = excluded.facts, accession = excluded.accession,
       cancelled = excluded.cancelled, has_order = excluded.has_order, has_report = excluded.has_report,
       performed_at = excluded.performed_at, modality = excluded.modality, updated_at = excluded.updated_at`,
    rows,
    context.now,
  );
  const keys = changed.flatMap((exam) =>
    exam.keys.map((key) => {
      const bar = key.indexOf('|');
      return {
        site: exam.site,
        kind: key.slice(0, bar),
        value: key.slice(bar + 1),
        record_id: exam.recordId,
        exam_id: exam.examId,
      };
    }),
  );
  // A request form's number (placer) that several exams share stays with the exam that claimed it first.
  await bulk(
    connection,
    'save-keys',
    `insert into exam_key (site, kind, value, record_id, exam_id)
     select site, kind, value, record_id, exam_id
     from jsonb_to_recordset($1::jsonb) as r(site text, kind text, value text, record_id uuid, exam_id uuid)
     on conflict (site, kind, value, exam_id) do update set record_id = excluded.record_id
     where exam_key.record_id <> excluded.record_id`,
    keys,
  );
  await saveReports(connection, before, changed, context);
}

/** Rows that lie under an exam's earlier id or earlier registration follow it; rare, so exam by exam. */
async function moveExams(
  connection: Connection,
  before: Slice,
  after: Slice,
  changed: readonly ExamState[],
): Promise<void> {
  for (const exam of changed) {
    const former = [...before.exams.values()].filter(
      (old) =>
        after.retired.get(old.examId) === exam.examId || (old.examId === exam.examId && old.recordId !== exam.recordId),
    );
    for (const old of former) {
      const values = [old.recordId, old.examId, exam.recordId, exam.examId];
      if (old.examId !== exam.examId) {
        await connection.query(
          'insert into exam_alias (alias, exam_id) values ($1, $2) on conflict (alias) do update set exam_id = $2',
          [old.examId, exam.examId],
        );
        await connection.query('update exam_alias set exam_id = $2 where exam_id = $1', [old.examId, exam.examId]);
      }
      await connection.query('delete from exam_key where exam_id = $1', [old.examId]);
      await connection.query('delete from exam where record_id = $1 and exam_id = $2', [old.recordId, old.examId]);
      await connection.query(
        `insert into report_version (record_id, exam_id, report_number, stamp, status, content, journal_id, recorded_at)
         select $3, $4, report_number, stamp, status, content, journal_id, recorded_at from report_version
         where record_id = $1 and exam_id = $2 on conflict do nothing`,
        values,
      );
      await connection.query(
        'delete from report_version where record_id = $1 and exam_id = $2 and (record_id, exam_id) <> ($3, $4)',
        values,
      );
      for (const table of ['series', 'instance'])
        await connection.query(
          `update ${table} set record_id = $3 where record_id = $1 and record_id <> $3
             and study_uid in (select study_uid from study where record_id = $1 and exam_id = $2)`,
          values.slice(0, 3),
        );
      await connection.query(
        'update study set record_id = $3, exam_id = $4 where record_id = $1 and exam_id = $2',
        values,
      );
    }
  }
}

function performedAt(exam: ExamState): string | null {
  const studies = Object.values(exam.studies).map((facts) => value<string>(facts, 'startedAt'));
  const orders = exam.orders.map(
    (order) => value<string>(order.facts, 'startedAt') ?? value<string>(order.facts, 'scheduledAt'),
  );
  return [...studies, ...orders].filter((time) => time !== null).sort()[0] ?? null;
}

/** For counting by modality: what the order says, else what the images say; empty where neither does. */
function modalityOf(exam: ExamState): string {
  const orders = exam.orders.map((order) => value<string>(order.facts, 'modality'));
  const studies = Object.values(exam.studies).map((facts) => value<string>(facts, 'modality'));
  return ([...orders, ...studies].find((told) => told !== null && told !== '') ?? '').toUpperCase();
}

async function saveReports(
  connection: Connection,
  before: Slice,
  changed: readonly ExamState[],
  context: SaveContext,
): Promise<void> {
  const { fields } = vaultOf(connection);
  const known = new Set([...before.exams.values()].flatMap((old) => old.reports.map((version) => version.stamp)));
  const rows = changed.flatMap((exam) =>
    exam.reports
      .filter((version) => !known.has(version.stamp))
      .map((version) => ({
        record_id: exam.recordId,
        exam_id: exam.examId,
        report_number: version.number,
        stamp: version.stamp,
        status: version.status,
        content: sealJson(
          fields,
          { ...version.content, at: version.at, document: version.document },
          reportContext(version.number, version.stamp),
        ),
        journal_id: version.journalId,
      })),
  );
  await bulk(
    connection,
    'save-reports',
    `insert into report_version (record_id, exam_id, report_number, stamp, status, content, journal_id, recorded_at)
     select record_id, exam_id, report_number, stamp, status, content, journal_id, $2
     from jsonb_to_recordset($1::jsonb) as r(record_id uuid, exam_id uuid, report_number text, stamp text, status text,
       content jsonb, journal_id bigint)
     on conflict do nothing`,
    rows,
    context.now,
  );
}

/** Issues or takes over the provincial index of these exams; what it was before still answers as an alias. */
export async function saveIndexes(
  connection: Connection,
  examIds: readonly HubId[],
  context: SaveContext,
): Promise<void> {
  if (examIds.length === 0) return;
  const exams = await connection.query<{
    exam_id: HubId;
    record_id: HubId;
    site: SiteId;
    provincial_index: string | null;
    patient: PatientState['facts'];
    keys: string[];
  }>({
    name: 'index-exams',
    text: `select e.exam_id, e.record_id, e.site, e.provincial_index, p.facts as patient,
             array(select jsonb_array_elements_text(e.facts -> 'keys')) as keys
           from exam e join patient_record p on p.record_id = e.record_id where e.exam_id = any ($1::uuid[])`,
    values: [examIds],
  });
  const { fields } = vaultOf(connection);
  const rows = exams.rows.flatMap((exam) => {
    const residentId = residentIdOf(openFacts(fields, exam.patient, exam.record_id));
    const issued = indexOf({ ...exam, residentId }, context);
    return issued === null || issued.value === exam.provincial_index
      ? []
      : [{ exam_id: exam.exam_id, record_id: exam.record_id, before: exam.provincial_index, ...issued }];
  });
  await bulk(
    connection,
    'save-indexes',
    `with input as (select * from jsonb_to_recordset($1::jsonb) as r(exam_id uuid, record_id uuid, before text, value text, issuer text)),
       alias as (insert into exam_alias (alias, exam_id) select before, exam_id from input where before is not null
         on conflict (alias) do update set exam_id = excluded.exam_id)
     update exam e set provincial_index = input.value, provincial_issuer = input.issuer from input
     where e.record_id = input.record_id and e.exam_id = input.exam_id`,
    rows,
  );
}

function indexOf(
  exam: { record_id: HubId; site: SiteId; residentId: string | null; keys: readonly string[] },
  context: SaveContext,
): { value: string; issuer: 'hub' | 'outside' } | null {
  const of = (kind: string): string | undefined =>
    exam.keys.find((key) => key.startsWith(`${kind}|`))?.slice(kind.length + 1);
  const outside = of('index');
  if (outside !== undefined) return { value: outside, issuer: 'outside' };
  const examNumber = of('accession') ?? of('filler') ?? of('placer');
  const site = context.site(exam.site);
  if (examNumber === undefined || site === null) return null;
  const id = exam.residentId === null ? (['TEMP', exam.record_id] as const) : (['NI', exam.residentId] as const);
  return {
    value: provincialIndex(context.indexDerive, {
      institutionCode: site.institutionCode,
      idType: id[0],
      idNumber: id[1],
      examNumber,
    }),
    issuer: 'hub',
  };
}
