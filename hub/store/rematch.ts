/** Rematches as administrators start, activate and cancel them; the work itself is done step by step (rematch-step.ts). */
import type { Caller } from '../core/access.ts';
import { DEFAULT_RULES, type MatchRules } from '../core/match/rules.ts';
import { fail, ok, problem, type Result } from '../core/problem.ts';
import type { Rematch, RematchDesk, RematchReport, RematchState, RuleChange } from '../core/rematch.ts';
import type { Connection, Database } from './database.ts';
import { rulesInForce } from './match.ts';
import type { MatchContext } from './match.ts';

export interface RematchDeps {
  readonly database: Database;
  readonly clock: () => Date;
  readonly matching: MatchContext['matching'];
}

export interface RematchRow {
  readonly id: string;
  readonly rules: string;
  readonly state: RematchState;
  readonly cursor_id: string | null;
  readonly passed: string;
  readonly total: string;
  readonly report: Partial<RematchReport>;
  readonly started_at: Date;
  readonly started_by: string;
  readonly ended_at: Date | null;
}

export const EMPTY_REPORT: RematchReport = {
  moved: 0,
  linked: 0,
  split: 0,
  review: 0,
  samples: { linked: [], split: [] },
};

/** Cut-off keys shown at once. */
const CUTS = 50;

export function createRematchDesk(deps: RematchDeps): RematchDesk {
  const { database, clock } = deps;
  const latest = async (connection: Connection): Promise<Rematch | null> => {
    const { rows } = await connection.query<RematchRow>('select * from rematch order by id desc limit 1');
    return rows[0] === undefined ? null : rematchOf(rows[0]);
  };
  const changing = (work: (connection: Connection) => Promise<Result<null>>): Promise<Result<Rematch>> =>
    database.transaction(async (connection) => {
      // Starting, activating and cancelling come one after the other.
      await connection.query('select pg_advisory_xact_lock(24, 0)');
      const done = await work(connection);
      if (!done.ok) return done;
      const now = await latest(connection);
      return now === null ? fail(problem('not-found')) : ok(now);
    });
  return {
    async inForce() {
      const [{ rules }] = await rulesInForce(database.pool, deps.matching);
      const cuts = await database.pool.query<{ candidates: number; times: number; last_at: Date }>(
        'select candidates, times, last_at from match_cut order by candidates desc, key limit $1',
        [CUTS],
      );
      const shown = cuts.rows.map(({ last_at, ...cut }) => ({ ...cut, lastAt: last_at.toISOString() }));
      return { rules, cuts: shown };
    },
    latest: () => latest(database.pool),
    start: (change, by) => changing((connection) => start(connection, change, by, deps)),
    activate: (id, by) => changing((connection) => activate(connection, id, by, clock())),
    cancel: (id) => changing((connection) => cancel(connection, id, clock())),
  };
}

const rematchOf = (row: RematchRow): Rematch => ({
  rematchId: row.id,
  rules: row.rules,
  state: row.state,
  passed: Number(row.passed),
  total: Number(row.total),
  report: { ...EMPTY_REPORT, ...row.report },
  startedAt: row.started_at.toISOString(),
  startedBy: row.started_by,
  endedAt: row.ended_at?.toISOString() ?? null,
});

const conflict = (text: string): Result<null> => fail(problem('conflict', 'rematch', text));

async function start(
  connection: Connection,
  change: RuleChange | null,
  by: Caller,
  { clock, matching }: RematchDeps,
): Promise<Result<null>> {
  const { rows: running } = await connection.query(
    `select from rematch where state in ('comparing', 'judging', 'compared', 'applying')`,
  );
  if (running.length > 0) return conflict('One is under way; activate it or cancel it first.');
  const [{ rules }] = await rulesInForce(connection, matching);
  if (change !== null) {
    const next: MatchRules = { ...rules, ...change, odds: { ...rules.odds, ...change.odds } };
    const { review, link } = next.thresholds;
    if (review > link)
      return fail(problem('invalid-value', 'thresholds', 'The threshold of review is not above that of linking.'));
    const { rowCount } = await connection.query(
      `insert into match_rules (version, rules, state, created_at, created_by)
       select $1, $2, 'draft', $3, $4 where $1 <> $5 on conflict do nothing`,
      [next.version, JSON.stringify(next), clock(), by.name, DEFAULT_RULES.version],
    );
    if (rowCount === 0) return conflict('There are rules of this version; new ones need a new version.');
  }
  await connection.query(
    `insert into rematch (rules, state, total, started_at, started_by, updated_at)
     select $1, 'comparing', count(*), $2, $3, $2 from patient_record`,
    [change?.version ?? rules.version, clock(), by.name],
  );
  return ok(null);
}

async function activate(connection: Connection, id: string, by: Caller, now: Date): Promise<Result<null>> {
  const row = await rowOf(connection, id);
  if (row === null) return fail(problem('not-found', 'id'));
  if (row.state !== 'compared')
    return conflict(`It is ${row.state}; only one that has compared everything is activated.`);
  await connection.query(`update match_rules set state = 'retired' where state = 'active'`);
  await connection.query(
    `update match_rules set state = 'active', activated_at = $2, activated_by = $3 where version = $1`,
    [row.rules, now, by.name],
  );
  await connection.query(
    `update rematch set state = 'applying', cursor_id = null, passed = 0, updated_at = $2 where id = $1`,
    [row.id, now],
  );
  return ok(null);
}

async function cancel(connection: Connection, id: string, now: Date): Promise<Result<null>> {
  const row = await rowOf(connection, id);
  if (row === null) return fail(problem('not-found', 'id'));
  if (!['comparing', 'judging', 'compared'].includes(row.state))
    return conflict(`It is ${row.state} and cannot be cancelled.`);
  const { rowCount } = await connection.query(
    `update match_rules set state = 'retired' where version = $1 and state = 'draft'`,
    [row.rules],
  );
  // What was refreshed under the rules in force stays: it is right.
  if (rowCount !== 0) await connection.query('delete from match_pair where rules = $1', [row.rules]);
  await connection.query(`update rematch set state = 'cancelled', ended_at = $2, updated_at = $2 where id = $1`, [
    row.id,
    now,
  ]);
  return ok(null);
}

async function rowOf(connection: Connection, id: string): Promise<RematchRow | null> {
  if (!/^\d{1,14}$/.test(id)) return null;
  const { rows } = await connection.query<RematchRow>('select * from rematch where id = $1 for update', [id]);
  return rows[0] ?? null;
}
