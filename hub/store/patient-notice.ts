/** Notices to patients on PostgreSQL: written in the transaction of what they tell of, delivered from the same row. */
import { randomUUID } from 'node:crypto';
import type { HubId } from '../core/identifier.ts';
import type {
  NoticeContent,
  NoticeKind,
  NoticeSpool,
  PatientNotice,
  PatientNoticeList,
} from '../core/patient-notice.ts';
import type { Connection, Database } from './database.ts';
import { institutionName } from './institution-life.ts';
import { namesOf, todayOf } from './person-names.ts';

export interface NoticeRules {
  /** Somebody is configured who takes messages to patients. */
  readonly delivered: boolean;
}

export async function writeNotice(
  connection: Connection,
  { delivered }: NoticeRules,
  notice: {
    readonly personId: HubId;
    readonly kind: NoticeKind;
    readonly subject: string;
    readonly content: Omit<NoticeContent, 'institutionName'>;
    readonly at: Date;
  },
): Promise<void> {
  const { personId, kind, subject, at } = notice;
  const { institution } = notice.content;
  const name = institution === null ? null : await institutionName(connection, institution);
  const content: NoticeContent = { ...notice.content, institutionName: name };
  await connection.query(
    `insert into patient_notice (notice_id, person_id, kind, subject, content, at, next_at)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [randomUUID(), personId, kind, subject, JSON.stringify(content), at, delivered ? at : null],
  );
}

interface NoticeRow {
  readonly notice_id: string;
  readonly person_id: HubId;
  readonly kind: NoticeKind;
  readonly subject: string;
  readonly content: NoticeContent;
  readonly at: Date;
  readonly delivered_at: Date | null;
  readonly attempts: number;
}

const COLUMNS = `n.notice_id, coalesce(${todayOf('n.person_id')}, n.person_id) as person_id, n.kind, n.subject, n.content, n.at,
  n.delivered_at, n.attempts`;

const noticeOf = (row: NoticeRow): PatientNotice => ({
  noticeId: row.notice_id,
  personId: row.person_id,
  kind: row.kind,
  subject: row.subject,
  content: row.content,
  at: row.at.toISOString(),
  deliveredAt: row.delivered_at?.toISOString() ?? null,
});

export const createPatientNotices = ({ pool }: Database): PatientNoticeList => ({
  async of(personId, { limit, after }) {
    const names = (await namesOf(pool, [personId])).map(({ name }) => name);
    const [, at = null, id = null] = /^([0-9TZ:.-]{24})_([0-9a-f-]{36})$/.exec(after ?? '') ?? [];
    const { rows } = await pool.query<NoticeRow>(
      `select ${COLUMNS} from patient_notice n where n.person_id = any ($1::uuid[])
         and ($2::timestamptz is null or (n.at, n.notice_id) < ($2, $3::uuid))
       order by n.at desc, n.notice_id desc limit $4`,
      [names, at, id, limit + 1],
    );
    const items = rows.slice(0, limit).map(noticeOf);
    const last = items.at(-1);
    return { items, next: rows.length > limit && last !== undefined ? `${last.at}_${last.noticeId}` : null };
  },
});

export const createNoticeSpool = ({ database, clock }: { database: Database; clock: () => Date }): NoticeSpool => ({
  async take(until) {
    const { rows } = await database.pool.query<NoticeRow>(
      `update patient_notice n set next_at = $2 where n.notice_id = (
         select notice_id from patient_notice where next_at <= $1 order by next_at limit 1 for update skip locked)
       returning ${COLUMNS}`,
      [clock(), until],
    );
    const [row] = rows;
    return row === undefined ? null : { ...noticeOf(row), attempts: row.attempts };
  },
  async delivered(noticeId) {
    await database.pool.query('update patient_notice set next_at = null, delivered_at = $2 where notice_id = $1', [
      noticeId,
      clock(),
    ]);
  },
  async again(noticeId, at) {
    await database.pool.query(
      'update patient_notice set next_at = $2, attempts = attempts + 1 where notice_id = $1 and delivered_at is null',
      [noticeId, at],
    );
  },
});
