/** Writes what a batch of records changed of studies: their series and instances, and what these add up to. */
import { isVoided, type ExamState } from '../core/exam.ts';
import { localDateTime } from '../core/dicom-text.ts';
import type { Arrival, Slice } from '../core/slice.ts';
import { value } from '../core/register.ts';
import type { Connection } from './database.ts';
import { bulk, type SaveContext } from './save.ts';

export interface FiledInstances {
  /** Journal ids whose instance the index already held, with its digest and object. */
  readonly repeats: readonly { readonly journalId: string; readonly digest: string; readonly object: string }[];
}

/** Files instances under their series; an instance that is there stays as it first came. */
export async function saveInstances(
  connection: Connection,
  after: Slice,
  arrivals: readonly Arrival[],
  now: Date,
): Promise<FiledInstances> {
  if (arrivals.length === 0) return { repeats: [] };
  const owner = new Map(
    [...after.exams.values()].flatMap((exam) => Object.keys(exam.studies).map((uid) => [uid, exam] as const)),
  );
  const rows = arrivals.map(({ record, journalId }) => ({
    record_id: owner.get(record.keys.studyUid)?.recordId ?? '',
    study_uid: record.keys.studyUid,
    series_uid: record.series.uid,
    sop_uid: record.instance.uid,
    sop_class: record.instance.sopClass,
    transfer_syntax: record.instance.transferSyntax,
    number: record.instance.number,
    rows: record.instance.rows,
    columns: record.instance.columns,
    frames: record.instance.frames,
    bits_allocated: record.instance.bitsAllocated,
    object: record.instance.object,
    size: record.instance.size,
    digest: record.instance.digest,
    data_set_offset: record.instance.dataSetOffset,
    journal_id: journalId,
    modality: record.series.modality,
    series_number: record.series.number,
    description: record.series.description,
    body_part: record.series.bodyPart,
    laterality: record.series.laterality,
    started_at: record.series.startedAt,
    station_name: record.series.stationName,
    manufacturer: record.series.manufacturer,
  }));
  await bulk(
    connection,
    'save-series',
    `insert into series (record_id, study_uid, series_uid, modality, number, description, body_part, laterality, started_at,
       station_name, manufacturer, created_at)
     select distinct on (record_id, study_uid, series_uid) record_id, study_uid, series_uid, coalesce(modality, ''), series_number,
       description, body_part, laterality, started_at, station_name, manufacturer, $2
     from jsonb_to_recordset($1::jsonb) as r(record_id uuid, study_uid text, series_uid text, sop_uid text, modality text,
       series_number int, description text, body_part text, laterality text, started_at timestamptz, station_name text,
       manufacturer text)
     order by record_id, study_uid, series_uid, sop_uid
     on conflict (record_id, study_uid, series_uid) do nothing`,
    rows,
    now,
  );
  const held = await connection.query<{ journal_id: string; digest: string; object: string }>({
    name: 'save-instances',
    text: `with input as (select * from jsonb_to_recordset($1::jsonb) as r(record_id uuid, study_uid text, series_uid text,
        sop_uid text, sop_class text, transfer_syntax text, number int, rows int, columns int, frames int, bits_allocated int,
        object text, size bigint, digest text, data_set_offset int, journal_id bigint)),
      filed as (
        insert into instance (record_id, study_uid, series_uid, sop_uid, sop_class, transfer_syntax, number, rows, columns,
          frames, bits_allocated, object, size, digest, data_set_offset, journal_id)
        select record_id, study_uid, series_uid, sop_uid, sop_class, transfer_syntax, number, rows, columns, frames,
          bits_allocated, object, size, digest, data_set_offset, journal_id
        from input order by journal_id
        on conflict do nothing returning journal_id)
      select input.journal_id, i.digest, i.object from input
      join instance i using (record_id, study_uid, series_uid, sop_uid)
      where input.journal_id not in (select journal_id from filed) and i.object <> input.object`,
    values: [JSON.stringify(rows)],
  });
  return { repeats: held.rows.map((row) => ({ journalId: row.journal_id, digest: row.digest, object: row.object })) };
}

/** One row a study of a changed exam: what its facts say and what its instances add up to. */
export async function saveStudies(
  connection: Connection,
  changed: readonly ExamState[],
  arrivals: readonly Arrival[],
  context: SaveContext,
): Promise<void> {
  const arrived = new Set(arrivals.map(({ record }) => record.keys.studyUid as string));
  const rows = changed.flatMap((exam) => {
    const site = context.site(exam.site);
    return Object.entries(exam.studies)
      .filter(([uid]) => uid !== '')
      .map(([uid, own]) => {
        const facts = { ...exam.studies[''], ...own };
        const started = value<string>(facts, 'startedAt');
        const local = started === null ? null : localDateTime(started, site?.timeZone ?? 'Asia/Shanghai');
        return {
          record_id: exam.recordId,
          study_uid: uid,
          study_id: context.derive.id('study', uid),
          exam_id: exam.examId,
          site: exam.site,
          declared: value<number>(facts, 'instanceCount'),
          modality: value<string>(facts, 'modality'),
          at_hospital: site?.storage === 'hospital',
          voided: isVoided(exam) || value<boolean>(facts, 'voided') === true,
          study_date: local?.date ?? '',
          study_time: local?.time ?? '',
          accession: exam.keys.find((key) => key.startsWith('accession|'))?.slice('accession|'.length) ?? '',
          dicom_study_id: value<string>(facts, 'studyId') ?? '',
          description: value<string>(facts, 'description') ?? '',
          referring_physician: value<string>(facts, 'referringPhysician') ?? '',
          arrived: arrived.has(uid),
        };
      });
  });
  await countSeries(connection, [...arrived]);
  await bulk(connection, 'save-studies', SAVE_STUDIES, rows, context.now);
  await bulk(
    connection,
    'save-settling',
    `insert into outbox (topic, key, due_at, created_at)
     select 'settle', study_uid, $2::timestamptz + settle_ms * interval '1 millisecond', $2
     from jsonb_to_recordset($1::jsonb) as r(study_uid text, settle_ms int)
     on conflict (topic, key) where done_at is null do update set due_at = excluded.due_at`,
    rows
      .filter((row) => row.arrived)
      .map((row) => ({ study_uid: row.study_uid, settle_ms: context.settleMs(row.site) })),
    context.now,
  );
  await connection.query({
    name: 'save-has-images',
    text: `update exam e set has_images = exists (select from study s where s.exam_id = e.exam_id
             and (s.instance_count > 0 or s.availability = 'at-hospital'))
           where (e.record_id, e.exam_id) in (select r, x from unnest($1::uuid[], $2::uuid[]) as u(r, x))`,
    values: [changed.map((exam) => exam.recordId), changed.map((exam) => exam.examId)],
  });
}

async function countSeries(connection: Connection, studyUids: readonly string[]): Promise<void> {
  if (studyUids.length === 0) return;
  await connection.query({
    name: 'count-series',
    text: `update series s set instance_count = c.n
           from (select record_id, study_uid, series_uid, count(*)::int as n from instance where study_uid = any ($1::text[]) group by 1, 2, 3) c
           where s.record_id = c.record_id and s.study_uid = c.study_uid and s.series_uid = c.series_uid and s.instance_count <> c.n`,
    values: [studyUids],
  });
}

const SAVE_STUDIES = `
with input as (
  select * from jsonb_to_recordset($1::jsonb) as r(record_id uuid, study_uid text, study_id uuid, exam_id uuid, site text,
    declared int, modality text, at_hospital boolean, voided boolean, study_date text, study_time text, accession text,
    dicom_study_id text, description text, referring_physician text, arrived boolean)),
summed as (
  select input.*, coalesce(c.series, 0) as series_n, coalesce(c.instances, 0) as instance_n,
    case when c.series > 0 then c.modalities when modality is null then '{}' else array[modality] end as modality_list
  from input left join lateral (
    select count(*)::int as series, sum(s.instance_count)::int as instances,
      array_agg(distinct s.modality order by s.modality) filter (where s.modality <> '') as modalities
    from series s where s.record_id = input.record_id and s.study_uid = input.study_uid) c on true)
insert into study as st (record_id, study_uid, study_id, exam_id, site, modalities, series_count, instance_count,
  declared_instances, availability, voided, study_date, study_time, accession, dicom_study_id, description,
  referring_physician, last_instance_at, created_at, updated_at)
select record_id, study_uid, study_id, exam_id, site, coalesce(modality_list, '{}'), series_n, instance_n, declared,
  case when instance_n > 0 then case when declared is not null and instance_n >= declared then 'complete' else 'partial' end
       when at_hospital then 'at-hospital' else 'registered' end,
  voided, study_date, study_time, accession, dicom_study_id, description, referring_physician,
  case when arrived then $2::timestamptz end, $2, $2
from summed
on conflict (record_id, study_uid) do update set exam_id = excluded.exam_id, modalities = excluded.modalities,
  series_count = excluded.series_count, instance_count = excluded.instance_count,
  declared_instances = excluded.declared_instances,
  -- what settled stays settled until another image comes
  availability = case when excluded.availability = 'partial' and st.availability = 'complete'
    and st.instance_count = excluded.instance_count then 'complete' else excluded.availability end,
  voided = excluded.voided, study_date = excluded.study_date, study_time = excluded.study_time,
  accession = excluded.accession, dicom_study_id = excluded.dicom_study_id, description = excluded.description,
  referring_physician = excluded.referring_physician,
  last_instance_at = coalesce(excluded.last_instance_at, st.last_instance_at),
  version = st.version + 1, updated_at = excluded.updated_at`;
