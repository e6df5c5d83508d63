/** Launches of the viewer on PostgreSQL, and the exams of a person as the viewer shows them. */
import type { Caller } from '../core/access.ts';
import type { Derivation, HubId, Uid } from '../core/identifier.ts';
import type { Launch, Opening, PersonExams, ViewerLaunches } from '../core/viewer.ts';
import type { Database } from './database.ts';
import { examViews } from './view.ts';

interface Row {
  launch_id: string;
  caller: Caller;
  account_id: string | null;
  person_id: HubId;
  study_uids: Uid[];
  used: boolean;
}

const COLUMNS = 'launch_id, caller, account_id, person_id, study_uids, used_at is not null as used';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** What ended so long ago is of no use to anybody: who opened what is in the audit. */
const KEPT_MS = 24 * 3_600_000;

const launchOf = (row: Row): Launch => ({
  launchId: row.launch_id,
  caller: row.caller,
  accountId: row.account_id,
  personId: row.person_id,
  studyUids: row.study_uids,
});

export function createViewerLaunches(deps: { database: Database; clock: () => Date }): ViewerLaunches {
  const { pool } = deps.database;
  return {
    async add({ caller, accountId, personId, studyUids }, codeHash, endsAt) {
      const now = deps.clock();
      await pool.query('delete from viewer_launch where created_at < $1', [new Date(now.getTime() - KEPT_MS)]);
      const { rows } = await pool.query<{ launch_id: string }>(
        `insert into viewer_launch (code_hash, caller, account_id, person_id, study_uids, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7) returning launch_id`,
        [codeHash, JSON.stringify(caller), accountId, personId, studyUids, now, endsAt],
      );
      return rows[0]?.launch_id ?? '';
    },
    async open(codeHash): Promise<Opening> {
      const now = deps.clock();
      const opened = await pool.query<Row>(
        `update viewer_launch set used_at = $2 where code_hash = $1 and used_at is null and expires_at > $2
         returning ${COLUMNS}`,
        [codeHash, now],
      );
      if (opened.rows[0] !== undefined) return { kind: 'opened', launch: launchOf(opened.rows[0]) };
      const { rows } = await pool.query<Row>(`select ${COLUMNS} from viewer_launch where code_hash = $1`, [codeHash]);
      const [row] = rows;
      if (row === undefined) return { kind: 'refused', why: 'unknown', launch: null };
      return { kind: 'refused', why: row.used ? 'used' : 'expired', launch: launchOf(row) };
    },
    async begin(launchId, tokenHash, endsAt) {
      await pool.query(
        'update viewer_launch set session_hash = $2, session_ends_at = $3 where launch_id = $1 and session_hash is null',
        [launchId, tokenHash, endsAt],
      );
    },
    async session(launchId, tokenHash) {
      if (!UUID.test(launchId)) return null;
      const { rows } = await pool.query<Row>({
        name: 'viewer-session',
        // A system that is revoked is out of what it launched with the next request, too.
        text: `select ${COLUMNS} from viewer_launch
          where launch_id = $1 and session_hash = $2 and session_ends_at > $3
            and exists (select from client c where c.id::text = caller ->> 'id' and c.revoked_at is null)`,
        values: [launchId, tokenHash, deps.clock()],
      });
      return rows[0] === undefined ? null : launchOf(rows[0]);
    },
  };
}

export function createPersonExams(deps: { database: Database; derive: Derivation }): PersonExams {
  const { pool } = deps.database;
  return {
    async of(personId, limit) {
      if (!UUID.test(personId)) return [];
      const { rows } = await pool.query<{ exam_id: HubId }>({
        name: 'viewer-exams-of-person',
        text: `select e.exam_id from exam e
          where e.record_id in (select record_id from patient_record where person_id = $1)
          order by coalesce(e.performed_at, e.created_at) desc, e.exam_id desc limit $2`,
        values: [personId, limit],
      });
      const ids = rows.map((row) => row.exam_id);
      const views = await examViews(pool, ids, { derive: deps.derive, instances: 'none' });
      return views.sort((one, other) => ids.indexOf(one.examId) - ids.indexOf(other.examId));
    },
    async personOf(studyUid) {
      const { rows } = await pool.query<{ person_id: HubId }>({
        name: 'viewer-person-of-study',
        text: `select p.person_id from study s join patient_record p on p.record_id = s.record_id
          where s.study_uid = $1 and not s.voided`,
        values: [studyUid],
      });
      // Two hospitals that use one UID for two persons' studies: nobody's, rather than the wrong one's.
      const persons = [...new Set(rows.map((row) => row.person_id))];
      return persons.length === 1 ? (persons[0] ?? null) : null;
    },
  };
}
