/** Hospitals that run their own XDS domain: whose turn it is to be asked about, and the manifests that were filed. */
import type { HospitalPatient, HospitalShelf } from '../core/hospital.ts';
import type { HubId } from '../core/identifier.ts';
import type { Database } from './database.ts';

interface PatientRow {
  record_id: HubId;
  person_id: HubId;
  authority: string;
  local_id: string;
}

/** Registrations get their row in steps of so many; a transaction may commit so much later than it says it began. */
const STEP = 1_000;
const LATE = '10 minutes';

export function createHospitalShelf({ database, clock }: { database: Database; clock: () => Date }): HospitalShelf {
  const { pool } = database;
  return {
    async takeDue(site, before, limit) {
      await pool.query({ name: 'hospital-see', text: SEE, values: [site, STEP, clock()] });
      const { rows } = await pool.query<PatientRow>({
        name: 'hospital-take',
        text: TAKE,
        values: [site, before, limit, clock()],
      });
      return rows.map((row): HospitalPatient => ({
        recordId: row.record_id,
        personId: row.person_id,
        authority: row.authority,
        localId: row.local_id,
      }));
    },
    async putBack(recordId) {
      await pool.query('update hospital_patient set asked_at = null where record_id = $1', [recordId]);
    },
    async wake(site, authority, localIds) {
      const { rows } = await pool.query<{ person_id: HubId }>({
        name: 'hospital-wake',
        text: WAKE,
        values: [site, authority, localIds],
      });
      return [...new Set(rows.map((row) => row.person_id))];
    },
    async known(site, documentUids) {
      const { rows } = await pool.query<{ document_uid: string }>(
        'select distinct document_uid from hospital_manifest where site = $1 and document_uid = any ($2::text[])',
        [site, documentUids],
      );
      return new Set(rows.map((row) => row.document_uid));
    },
    async file({ site, documentUid, recordId, studyUids, object, madeAt }) {
      await pool.query(
        `insert into hospital_manifest (site, document_uid, study_uid, record_id, object, made_at)
         select $1, $2, unnest($3::text[]), $4, $5, $6
         on conflict (site, document_uid, study_uid) do update set withdrawn_at = null`,
        [site, documentUid, studyUids.length === 0 ? [''] : studyUids, recordId, object, madeAt],
      );
    },
    async standing(site, recordId, documentUids) {
      await pool.query({ name: 'hospital-standing', text: STANDING, values: [site, recordId, documentUids, clock()] });
    },
    async manifestOf(site, studyUid) {
      const { rows } = await pool.query<{ object: string }>({
        name: 'hospital-manifest',
        text: `select object from hospital_manifest where site = $1 and study_uid = $2 and withdrawn_at is null
               order by made_at desc limit 1`,
        values: [site, studyUid],
      });
      return rows[0]?.object ?? null;
    },
  };
}

/** New registrations of the site, from a little before those seen last. */
const SEE = `
with fresh as (
  select r.record_id, r.created_at from patient_record r
  where r.site = $1
    and r.created_at >= coalesce((select seen_until - interval '${LATE}' from hospital_cursor where site = $1), '-infinity')
    and not exists (select from hospital_patient h where h.record_id = r.record_id)
  order by r.created_at limit $2),
added as (
  insert into hospital_patient (record_id, site) select record_id, $1 from fresh on conflict do nothing)
insert into hospital_cursor (site, seen_until)
select $1, case when count(*) < $2 then $3::timestamptz else max(created_at) end from fresh
on conflict (site) do update set seen_until = greatest(hospital_cursor.seen_until, excluded.seen_until)`;

/**
 * Those whom their hospital told of, before those of whom nobody spoke. Other processes take others. Registrations that
 * were merged away are no longer anybody's.
 */
const TAKE = `
with woken as (
  select h.record_id from hospital_patient h
  where h.site = $1 and h.asked_at = '-infinity' limit $3 for update skip locked),
others as (
  select h.record_id from hospital_patient h
  where h.site = $1 and (h.asked_at is null or h.asked_at < $2 and h.asked_at > '-infinity')
  order by h.asked_at nulls first limit $3 for update skip locked),
due as (
  select record_id from (select 0 as turn, record_id from woken union all select 1, record_id from others) t
  order by turn limit $3),
taken as (
  update hospital_patient h set asked_at = $4 from due where h.record_id = due.record_id returning h.record_id)
select r.record_id, r.person_id, r.authority, r.local_id from taken join patient_record r using (record_id)
where r.merged_into is null`;

/** `-infinity` is first of all turns. A registration that was not seen yet gets its row by itself, and its turn. */
const WAKE = `
with told as (
  select r.record_id, r.person_id from patient_record r
  where r.local_id = any ($3::text[]) and r.site = $1 and r.authority = $2 and r.merged_into is null),
woken as (
  update hospital_patient h set asked_at = '-infinity' from told where h.record_id = told.record_id)
select person_id from told`;

const STANDING = `
update hospital_manifest set withdrawn_at = case when document_uid = any ($3::text[]) then null else $4::timestamptz end
where site = $1 and record_id = $2 and (withdrawn_at is null) <> (document_uid = any ($3::text[]))`;
