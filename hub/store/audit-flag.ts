/** Flags of odd access: raised by the watch, listed and closed by auditors. */
import type { AuditFlag, FlagDesk, RuleName, Verdict } from '../core/audit-rules.ts';
import { problem, type Result } from '../core/problem.ts';
import type { Database } from './database.ts';

interface Row {
  flag_id: string;
  rule: RuleName;
  actor: string;
  actor_name: string;
  institution: string | null;
  first_at: Date;
  last_at: Date;
  events: number;
  persons: string[];
  records: string[];
  explanation: string;
  taken_at: Date | null;
  taken_by: string | null;
  closed_at: Date | null;
  closed_by: string | null;
  verdict: Verdict | null;
  reason: string | null;
}

const COLUMNS = `flag_id, rule, actor, actor_name, institution, first_at, last_at, events, persons, records, explanation,
  taken_at, taken_by, closed_at, closed_by, verdict, reason`;
const MARK = /^(\d{4}-\d\d-\d\dT[\d:.]{8,12}Z)_([0-9a-f-]{36})$/;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function createFlagDesk(deps: { database: Database; clock: () => Date }): FlagDesk {
  const { database, clock } = deps;
  const missing = async (id: string): Promise<Result<AuditFlag>> => {
    const { rowCount } = await database.pool.query('select from audit_flag where flag_id = $1', [id]);
    return { ok: false, problem: problem(rowCount === 0 ? 'not-found' : 'conflict') };
  };
  return {
    async take(id, by) {
      if (!UUID.test(id)) return { ok: false, problem: problem('not-found') };
      const { rows } = await database.pool.query<Row>(
        `update audit_flag set taken_at = coalesce(taken_at, $2), taken_by = $3
         where flag_id = $1 and closed_at is null and coalesce(taken_by, $3) = $3 returning ${COLUMNS}`,
        [id, clock(), by],
      );
      return rows[0] === undefined ? missing(id) : { ok: true, value: flagOf(rows[0]) };
    },
    async list({ open, rule }, { limit, after }) {
      const mark = MARK.exec(after ?? '');
      const { rows } = await database.pool.query<Row>(
        `select ${COLUMNS} from audit_flag
         where ($2::boolean is null or (closed_at is null) = $2) and ($3::text is null or rule = $3)
           and ($4::timestamptz is null or (last_at, flag_id) < ($4, $5::uuid))
         order by last_at desc, flag_id desc limit $1`,
        [limit + 1, open ?? null, rule ?? null, mark?.[1] ?? null, mark?.[2] ?? null],
      );
      const items = rows.slice(0, limit).map(flagOf);
      const last = items.at(-1);
      return { items, next: rows.length > limit && last !== undefined ? `${last.lastAt}_${last.flagId}` : null };
    },
    async close(id, by, verdict, reason) {
      if (!UUID.test(id)) return { ok: false, problem: problem('not-found') };
      const { rows } = await database.pool.query<Row>(
        `update audit_flag set closed_at = $2, closed_by = $3, verdict = $4, reason = $5
         where flag_id = $1 and closed_at is null returning ${COLUMNS}`,
        [id, clock(), by, verdict, reason],
      );
      return rows[0] === undefined ? missing(id) : { ok: true, value: flagOf(rows[0]) };
    },
  };
}

const flagOf = (row: Row): AuditFlag => ({
  ...{ flagId: row.flag_id, rule: row.rule, actor: row.actor, actorName: row.actor_name, institution: row.institution },
  ...{ firstAt: row.first_at.toISOString(), lastAt: row.last_at.toISOString(), events: row.events },
  ...{ persons: row.persons, records: row.records, explanation: row.explanation },
  taken: row.taken_at === null || row.taken_by === null ? null : { at: row.taken_at.toISOString(), by: row.taken_by },
  closed:
    row.closed_at === null || row.closed_by === null || row.verdict === null
      ? null
      : { at: row.closed_at.toISOString(), by: row.closed_by, verdict: row.verdict, reason: row.reason },
});

export async function openFlags(database: Database): Promise<number> {
  const { rows } = await database.pool.query<{ n: number }>(
    'select count(*)::int as n from audit_flag where closed_at is null',
  );
  return rows[0]?.n ?? 0;
}
