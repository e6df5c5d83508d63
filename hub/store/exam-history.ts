/** An exam over time: every exam of a person, every version of a report, and the messages that an exam was made of. */
import type { ExamHistory, Origin, ReportRevision } from '../core/clinical.ts';
import type { ChannelKind, JournalState } from '../core/envelope.ts';
import type { Derivation, HubId, SiteId } from '../core/identifier.ts';
import type { Finding } from '../core/problem.ts';
import type { ReportContent, ReportStatus } from '../core/record.ts';
import { vaultOf, type Database } from './database.ts';
import { openJson } from './sealed.ts';
import { reportContext } from './sealed-facts.ts';
import { examViews } from './view.ts';

export const EXAMS_OF_PERSON = `
select e.exam_id from patient_record r join exam e using (record_id) where r.person_id = $1
order by coalesce(e.performed_at, e.created_at) desc, e.exam_id limit $2`;

const REVISIONS = `
select report_number, stamp, status, content, journal_id, recorded_at from report_version
where exam_id = $1 and record_id = (select record_id from exam where exam_id = $1 limit 1)
order by stamp limit 200`;

/**
 * The versions of an exam's resources name the messages behind them; images name their own, and stand here by study. The
 * registration's are those of the person's resource that came from the same site.
 */
const ORIGINS = `
with pictures as (
    select i.journal_id, count(*) over (partition by i.study_uid)::int as count,
      row_number() over (partition by i.study_uid order by i.journal_id) as place
    from study s join instance i using (record_id, study_uid) where s.exam_id = $1),
  said as (
    select distinct unnest(v.journal_ids)::bigint as journal_id
    from fhir_resource r join fhir_version v using (type, id) where r.owner = 'exam|' || $1::text and not r.deleted
    union select journal_id from report_version where record_id = $2 and exam_id = $1),
  told as (
    select distinct unnest(v.journal_ids)::bigint as journal_id from fhir_version v
    where v.type = 'Patient' and v.id = (select person_id::text from patient_record where record_id = $2)),
  all_of_them as (
    select journal_id, 'exam' as of, 1 as count from said where journal_id not in (select journal_id from pictures)
    union all select journal_id, 'images', count from pictures where place = 1
    union all select journal_id, 'patient', 1 from told where journal_id not in (select journal_id from said))
select a.journal_id::text, a.of, a.count, j.received_at, j.site, j.channel, j.sender, j.message_type,
  case when j.id is not null then coalesce(t.state, 'received') end as state, t.settled_at, coalesce(t.findings, '[]') as findings
from all_of_them a
left join journal j on j.id = a.journal_id
left join settlement t on t.received_at = j.received_at and t.journal_id = j.id
where (a.of <> 'patient' or j.site = (select site from patient_record where record_id = $2))
  and (a.of <> 'exam' or j.channel is null or j.channel not in ('dicom', 'dicomweb'))
order by a.journal_id limit 200`;

interface OriginRow {
  readonly journal_id: string;
  readonly of: Origin['of'];
  readonly count: number;
  readonly received_at: Date | null;
  readonly site: SiteId | null;
  readonly channel: ChannelKind | null;
  readonly sender: string | null;
  readonly message_type: string | null;
  readonly state: JournalState | null;
  readonly settled_at: Date | null;
  readonly findings: readonly Finding[];
}

export function createExamHistory(deps: { readonly database: Database; readonly derive: Derivation }): ExamHistory {
  const { pool } = deps.database;
  return {
    async examsOf(person, limit) {
      const { rows } = await pool.query<{ exam_id: HubId }>({
        name: 'exams-of-person',
        text: EXAMS_OF_PERSON,
        values: [person, limit],
      });
      const ids = rows.map((row) => row.exam_id);
      return examViews(pool, ids, { derive: deps.derive, instances: 'none' });
    },
    async revisions(examId) {
      const { rows } = await pool.query<{
        report_number: string;
        status: ReportStatus;
        stamp: string;
        content: StoredReport | string;
        journal_id: string;
        recorded_at: Date;
      }>({ name: 'report-revisions', text: REVISIONS, values: [examId] });
      const { fields } = vaultOf(pool);
      return rows.map((row): ReportRevision => ({
        number: row.report_number,
        status: row.status,
        ...contentOf(
          openJson<StoredReport>(fields, row.content, reportContext(row.report_number, row.stamp)),
          row.recorded_at.toISOString(),
        ),
        recordedAt: row.recorded_at.toISOString(),
        journalId: row.journal_id,
      }));
    },
    async origins({ examId, recordId }) {
      const { rows } = await pool.query<OriginRow>({ name: 'exam-origins', text: ORIGINS, values: [examId, recordId] });
      return rows.map((row): Origin => ({
        journalId: row.journal_id,
        of: row.of,
        count: row.count,
        receivedAt: row.received_at?.toISOString() ?? null,
        site: row.site,
        channel: row.channel,
        sender: row.sender,
        messageType: row.message_type,
        state: row.state,
        settledAt: row.settled_at?.toISOString() ?? null,
        findings: row.findings,
      }));
    },
    async listings({ recordId, studies }) {
      const { rows } = await pool.query<{ made_at: Date }>({
        name: 'exam-listings',
        text: `select made_at from hospital_manifest where record_id = $1 and study_uid = any ($2::text[])
          and withdrawn_at is null order by made_at limit 50`,
        values: [recordId, studies.map(({ studyUid }) => studyUid)],
      });
      return rows.map((row) => row.made_at.toISOString());
    },
  };
}

type StoredReport = ReportContent & { readonly at?: string };

/** As hub/store/save.ts keeps it: what was said, with its time and where its document lies. */
function contentOf(stored: StoredReport, otherwise: string): Pick<ReportRevision, 'at' | 'content'> {
  const { at = otherwise, document: _object, ...content } = stored;
  return { at, content };
}
