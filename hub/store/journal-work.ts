/**
 * Retry or replay of many entries: which ones is written down at the start, a worker puts them back to work a few at a time
 * (messages that arrive meanwhile do not wait behind thousands), and how far it is can be read at any time.
 */
import { codeKey } from '../core/code-mapping.ts';
import { fail, ok, problem } from '../core/problem.ts';
import { MAX_WORK, type JournalWork, type JournalWorkDesk, type WorkScope } from '../core/replay.ts';
import type { Connection, Database } from './database.ts';
import { conditionsOf, requeue } from './journal-entry.ts';

/** Put back at once, and of one work waiting at most before more are. */
const AT_ONCE = 100;
const SELECT_MS = 20_000;

interface Row {
  id: string;
  kind: JournalWork['kind'];
  scope: WorkScope;
  site: string | null;
  state: JournalWork['state'];
  reason: string;
  started_at: Date;
  started_by: string;
  ended_at: Date | null;
  total: number;
  left: number;
  skipped: number;
  waiting: number;
  applied: number;
  review: number;
  refused: number;
}

const SELECT = `
select w.*, t.* from journal_work w cross join lateral (
  select count(*) filter (where e.put_at is null and not e.skipped)::int as left,
    count(*) filter (where e.skipped or (e.put_at is not null and p.journal_id is null and s.state is null))::int as skipped,
    count(*) filter (where e.put_at is not null and p.journal_id is not null)::int as waiting,
    count(*) filter (where e.put_at is not null and s.state = 'applied')::int as applied,
    count(*) filter (where e.put_at is not null and s.state = 'review')::int as review,
    count(*) filter (where e.put_at is not null and s.state = 'refused')::int as refused
  from journal_work_entry e
  left join pending p on p.journal_id = e.journal_id
  left join settlement s on s.received_at = e.received_at and s.journal_id = e.journal_id
  where e.work_id = w.id) t`;

export function createJournalWork(deps: {
  database: Database;
  clock: () => Date;
  arrived: () => void;
}): JournalWorkDesk {
  const { database, clock } = deps;

  async function work(workId: string): Promise<JournalWork | null> {
    if (!/^\d{1,14}$/.test(workId)) return null;
    const { rows } = await database.pool.query<Row>(`${SELECT} where w.id = $1`, [workId]);
    return rows[0] === undefined ? null : workOf(rows[0]);
  }

  return {
    work,
    async start(kind, scope, { caller, reason }) {
      const made = await database.transaction(async (connection) => {
        await connection.query(`set local statement_timeout = ${String(SELECT_MS)}`);
        const { rows } = await connection.query<{ id: string }>(
          `insert into journal_work (kind, scope, site, reason, started_at, started_by, started_by_id)
           values ($1, $2, $3, $4, $5, $6, $7) returning id`,
          [kind, JSON.stringify(scope), siteOf(scope), reason, clock(), caller.name, caller.id],
        );
        const id = rows[0]?.id ?? '';
        const total = await fill(connection, id, kind, scope);
        if (total === 0 || total > MAX_WORK) {
          await connection.query('delete from journal_work where id = $1', [id]);
          return total === 0 ? NOTHING : TOO_MANY;
        }
        await connection.query('update journal_work set total = $2 where id = $1', [id, total]);
        return id;
      });
      if (typeof made !== 'string') return fail(made);
      const started = await work(made);
      return started === null ? fail(problem('not-found')) : ok(started);
    },
    async list(filter, page) {
      const after = /^\d{1,14}$/.test(page.after ?? '') ? page.after : null;
      const { rows } = await database.pool.query<Row>(
        `${SELECT} where ($1::text is null or w.site = $1) and ($2::bigint is null or w.id < $2) order by w.id desc limit $3`,
        [filter.site ?? null, after, page.limit + 1],
      );
      const items = rows.slice(0, page.limit);
      return { items: items.map(workOf), next: rows.length > page.limit ? (items.at(-1)?.id ?? null) : null };
    },
    async cancel(workId) {
      const found = await work(workId);
      if (found === null) return fail(problem('not-found', 'id'));
      const { rowCount } = await database.pool.query(
        `update journal_work set state = 'cancelled', ended_at = $2 where id = $1 and state = 'running'`,
        [workId, clock()],
      );
      if (rowCount === 0) return fail(problem('conflict', 'id', `This is ${found.state} already.`));
      const now = await work(workId);
      return now === null ? fail(problem('not-found', 'id')) : ok(now);
    },
    async concerned(kind, scope, most) {
      const { text, values } = chosen(kind, scope);
      const { rows } = await database.pool.query<{ id: string; total: string }>(
        `select id, count(*) over () as total from (${text}) chosen order by id desc limit ${String(Math.trunc(most))}`,
        values,
      );
      return { total: Number(rows[0]?.total ?? 0), newest: rows.map((row) => row.id) };
    },
    async step() {
      const put = await database.transaction((connection) => stepOf(connection, clock()));
      if (put > 0) deps.arrived();
      return put > 0;
    },
  };
}

/** One work's next entries; who holds its row does it. Gives how many wait now that did not. */
async function stepOf(connection: Connection, now: Date): Promise<number> {
  const { rows } = await connection.query<{ id: string; kind: JournalWork['kind'] }>(
    `select id, kind from journal_work where state = 'running' order by id limit 1 for update skip locked`,
  );
  const [work] = rows;
  if (work === undefined) return 0;
  const waiting = await connection.query<{ n: number }>(
    `select count(*)::int as n from pending p join journal_work_entry e on e.journal_id = p.journal_id
     where e.work_id = $1 and e.put_at is not null`,
    [work.id],
  );
  if ((waiting.rows[0]?.n ?? 0) >= AT_ONCE) return 0;
  const next = await connection.query<{ journal_id: string }>(
    `select journal_id from journal_work_entry where work_id = $1 and put_at is null and not skipped order by journal_id limit $2`,
    [work.id, AT_ONCE],
  );
  const ids = next.rows.map((row) => row.journal_id);
  if (ids.length === 0) {
    if (waiting.rows[0]?.n === 0)
      await connection.query(`update journal_work set state = 'done', ended_at = $2 where id = $1`, [work.id, now]);
    return 0;
  }
  const put = await requeue(connection, ids, { forced: false, again: work.kind });
  await connection.query(
    `update journal_work_entry e set put_at = case when p.journal_id is null then null else $3::timestamptz end,
       skipped = p.journal_id is null
     from unnest($2::bigint[]) as one(id) left join pending p on p.journal_id = one.id
     where e.work_id = $1 and e.journal_id = one.id`,
    [work.id, ids, now],
  );
  return put;
}

async function fill(connection: Connection, id: string, kind: JournalWork['kind'], scope: WorkScope): Promise<number> {
  const { text, values } = chosen(kind, scope);
  const { rowCount } = await connection.query(
    `insert into journal_work_entry (work_id, journal_id, received_at)
     select $${String(values.length + 1)}, id, received_at from (${text}) chosen order by id limit ${String(MAX_WORK + 1)}`,
    [...values, id],
  );
  return rowCount ?? 0;
}

/** Entries that a scope names, in the state that the kind is about: `id`, `received_at`. */
export function chosen(kind: JournalWork['kind'], scope: WorkScope): { text: string; values: unknown[] } {
  const values: unknown[] = [];
  const bind = (value: unknown): string => `$${String(values.push(value))}`;
  const state = kind === 'retry' ? 'review' : 'applied';
  const from = (conditions: readonly string[]): string =>
    `select j.id, j.received_at from journal j
     join settlement s on s.received_at = j.received_at and s.journal_id = j.id
     where ${[`s.state = '${state}'`, ...conditions].join(' and ')}`;
  if (scope.kind === 'entries') {
    const named = `j.id = any (${bind(scope.journalIds)}::bigint[])`;
    return { text: from(scope.site === undefined ? [named] : [named, `s.site = ${bind(scope.site)}`]), values };
  }
  if (scope.kind === 'filter') return { text: from(conditionsOf(scope.filter, bind)), values };
  const site = `s.site = ${bind(scope.site)}`;
  if (scope.kind === 'mapping')
    return { text: from([site, `s.mappings @> array[${bind(scope.mappingId)}::bigint]`]), values };
  const met = (code: string): string =>
    from([
      site,
      `s.findings @> '[{"code": "unmapped-code"}]'`,
      `s.findings @> ${bind(JSON.stringify([{ unmapped: { table: scope.table, code } }]))}::jsonb`,
    ]);
  // As it is written, and as its key is: a code is told in the letters of the message.
  const spelled = [...new Set([scope.code, codeKey(scope.code)])].map(met);
  return { text: spelled.join(' union '), values };
}

const siteOf = (scope: WorkScope): string | null => (scope.kind === 'filter' ? scope.filter.site : scope.site) ?? null;

const NOTHING = problem('not-found', undefined, 'No entry is concerned.');
const TOO_MANY = problem(
  'limit-exceeded',
  undefined,
  `More than ${String(MAX_WORK)} entries are concerned; do it by shorter times, or by site.`,
);

const workOf = (row: Row): JournalWork => ({
  workId: row.id,
  kind: row.kind,
  scope: row.scope,
  site: row.site,
  state: row.state,
  reason: row.reason,
  startedAt: row.started_at.toISOString(),
  startedBy: row.started_by,
  endedAt: row.ended_at?.toISOString() ?? null,
  total: row.total,
  left: row.left,
  skipped: row.skipped,
  waiting: row.waiting,
  applied: row.applied,
  review: row.review,
  refused: row.refused,
});
