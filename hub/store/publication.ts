/**
 * Tells the outbox, in the transaction of the decision, that an exam's documents may have to change; and reads exams as
 * their documents are made of them.
 */
import type { Derivation, HubId } from '../core/identifier.ts';
import type { DocumentReader } from '../core/document-ports.ts';
import type { PublishableExams } from '../core/outbox.ts';
import type { Connection, Database } from './database.ts';
import { objectsBy } from './document-around.ts';
import { examViews } from './view.ts';

/** Messages about one exam come in bursts: the first fixes the time, the others join it. */
const GATHER_MS = 1_000;

/**
 * Ids of exams that changed, or that are another exam now. Those that never had anything to publish (no report, no
 * manifest) are passed over, so that a study's thousand images are not a thousand rows.
 */
export async function announceExams(connection: Connection, examIds: readonly HubId[], now: Date): Promise<void> {
  if (examIds.length === 0) return;
  await connection.query({
    name: 'announce-exams',
    text: `insert into outbox (topic, key, due_at, created_at)
      select 'publish', x.id::text, $2::timestamptz, $3 from (select distinct unnest($1::uuid[]) as id) x
      where not exists (select from exam e where e.exam_id = x.id)
        or exists (select from exam e where e.exam_id = x.id and e.facts -> 'reports' <> '[]'::jsonb)
        or exists (select from study s where s.exam_id = x.id and s.manifest is not null)
      order by x.id
      on conflict (topic, key) where done_at is null do update set due_at = least(outbox.due_at, excluded.due_at)`,
    values: [examIds, new Date(now.getTime() + GATHER_MS), now],
  });
}

export function createPublishableExams(deps: { database: Database; derive: Derivation }): PublishableExams {
  const { pool } = deps.database;
  return {
    async exam(examId) {
      const alias = await pool.query<{ exam_id: string }>('select exam_id from exam_alias where alias = $1', [examId]);
      const id = alias.rows[0]?.exam_id ?? examId;
      const [view] = await examViews(pool, [id], { derive: deps.derive, instances: 'complete' });
      return view ?? null;
    },
  };
}

/** The registry's entries as their own source asks for them: by the ids that it derived. */
export const createOwnEntries = (database: Database): Pick<DocumentReader, 'byLogicalId'> => ({
  byLogicalId: (ids) => objectsBy(database.pool, { lids: ids }),
});
