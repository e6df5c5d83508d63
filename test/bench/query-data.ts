/**
 * A province of the wanted size in the tables of a hub: the first exams came through its ports, the others are copies of
 * their rows under other identifiers, made by the server itself. What a query finds of the first ones stays the same.
 */
import { layInClear } from './clear.ts';
import type pg from 'pg';

/** The uuid of the copy `k` of what has the uuid `column`. */
const copyOf = (column: string): string => `md5(${column}::text || '#' || k)::uuid`;
/** Study UIDs are told apart by a last component. */
const uidOf = (column: string): string => `${column} || '.' || k`;

/** Tokens that name few resources (an identifier, a patient, a study) become the copy's own; codes stay what they are. */
const TOKENS = `array(select case when t like '%/%' or t like '%identifier%' or t like '%urn:%' then t || '#' || k else t end
  from unnest(tokens) t)`;

/** `original`: rows of the first exams have no copy mark; each statement makes copies $1 to $2 of them. */
const STATEMENTS: readonly string[] = [
  `insert into patient_record (record_id, site, authority, local_id, person_id, facts, resident_id, resident_born, sex, birth_date, dicom_name)
   select ${copyOf('record_id')}, site, authority, local_id || '-' || k, ${copyOf('person_id')}, facts, resident_id || '-' || k, resident_born, sex,
     birth_date, dicom_name from bench_first_patient, generate_series($1::int, $2::int) k`,
  `insert into person (person_id) select ${copyOf('person_id')} from bench_first_patient, generate_series($1::int, $2::int) k on conflict do nothing`,
  // Another first character: as many persons share a name as before.
  `insert into patient_name (record_id, key) select ${copyOf('record_id')},
     case when key like ' %' then ' ' || chr(30000 + k) || substr(key, 2) else chr(30000 + k) || key end
   from bench_first_name, generate_series($1::int, $2::int) k`,
  `insert into exam (record_id, exam_id, site, facts, accession, provincial_index, provincial_issuer, cancelled, has_order,
     has_report, has_images, performed_at)
   select ${copyOf('record_id')}, ${copyOf('exam_id')}, site, facts, accession || '-' || k, provincial_index || '-' || k,
     provincial_issuer, cancelled, has_order, has_report, has_images, performed_at - k * interval '1 day'
   from bench_first_exam, generate_series($1::int, $2::int) k`,
  `insert into study (record_id, study_uid, study_id, exam_id, site, modalities, series_count, instance_count, availability,
     study_date, study_time, accession, description)
   select ${copyOf('record_id')}, ${uidOf('study_uid')}, ${copyOf('study_id')}, ${copyOf('exam_id')}, site, modalities, series_count,
     instance_count, availability, to_char(to_date(study_date, 'YYYYMMDD') - k, 'YYYYMMDD'), study_time, accession || '-' || k, description
   from bench_first_study, generate_series($1::int, $2::int) k`,
  `insert into series (record_id, study_uid, series_uid, modality, number, instance_count)
   select ${copyOf('record_id')}, ${uidOf('study_uid')}, ${uidOf('series_uid')}, modality, number, instance_count
   from bench_first_series, generate_series($1::int, $2::int) k`,
  `insert into instance (record_id, study_uid, series_uid, sop_uid, sop_class, transfer_syntax, number, object, size, digest,
     data_set_offset, journal_id)
   select ${copyOf('record_id')}, ${uidOf('study_uid')}, ${uidOf('series_uid')}, ${uidOf('sop_uid')}, sop_class, transfer_syntax, number,
     object, size, digest, data_set_offset, journal_id from bench_first_instance, generate_series($1::int, $2::int) k`,
  `insert into fhir_resource (type, id, version, last_updated, owner, deleted, digest, tokens, present, date1_low, date1_high,
     date2_low, date2_high, sort_text)
   select type, ${copyOf('id')}::text, version, last_updated - k * interval '1 minute', owner || '#' || k, false, digest, ${TOKENS}, present,
     date1_low - k * interval '1 day', date1_high - k * interval '1 day', date2_low - k * interval '1 day', date2_high - k * interval '1 day',
     sort_text
   from bench_first_resource, generate_series($1::int, $2::int) k`,
  `insert into fhir_version (type, id, version, at, body, site, occurred_at, journal_ids)
   select type, ${copyOf('id')}::text, version, at - k * interval '1 minute', body, site, occurred_at, journal_ids
   from bench_first_version, generate_series($1::int, $2::int) k`,
  `insert into fhir_text (type, id, version, param, norm, exact)
   select type, ${copyOf('id')}::text, version, param, chr(30000 + k) || norm, exact from bench_first_text, generate_series($1::int, $2::int) k`,
];

const FIRST: Readonly<Record<string, string>> = {
  patient: 'select * from patient_record',
  name: 'select * from patient_name',
  exam: 'select * from exam',
  study: 'select * from study',
  series: 'select * from series',
  instance: 'select * from instance',
  resource: `select * from fhir_resource where not deleted and type not in ('Organization', 'Endpoint')`,
  version: `select v.* from fhir_version v join fhir_resource r using (type, id, version) where type not in ('Organization', 'Endpoint')`,
  text: `select * from fhir_text where type not in ('Organization', 'Endpoint')`,
};

/** Remembers what came through the ports; call once, before the first `grow`. */
export async function rememberFirst(client: pg.Client, url: string): Promise<void> {
  for (const [name, rows] of Object.entries(FIRST)) await client.query(`create table bench_first_${name} as ${rows}`);
  await layInClear(url, {
    patients: 'bench_first_patient',
    exams: 'bench_first_exam',
    versions: 'bench_first_version',
  });
  await client.query('vacuum analyze');
}

/** Makes copies `from` to `to` of everything; then lets the server settle as its own upkeep would in time. */
export async function grow(client: pg.Client, from: number, to: number, told: (part: string) => void): Promise<void> {
  await client.query('set synchronous_commit = off');
  await client.query(`set work_mem = '64MB'`);
  const step = 10;
  for (let at = from; at <= to; at += step) {
    for (const text of STATEMENTS) await client.query(text, [at, Math.min(to, at + step - 1)]);
    told(`${String(Math.min(to, at + step - 1))} copies`);
  }
  await client.query('vacuum analyze');
  await client.query('checkpoint');
}
