/** What waits, in numbers that are cheap to ask: for the metrics an operator watches at night. */
import type { Database } from './database.ts';

/** Counts, and the age in seconds of the oldest entry that waits to be applied. */
export async function backlog(database: Database, now: Date): Promise<Readonly<Record<string, number>>> {
  const result = await database.pool.query<Record<string, number>>(
    `select (select count(*) from pending)::int as entries,
       coalesce((select extract(epoch from $1 - min(received_at)) from pending), 0)::float as oldest_entry_seconds,
       (select count(*) from review where state = 'open')::int as open_reviews,
       (select count(*) from outbox where done_at is null and due_at <= $1)::int as due_events`,
    [now],
  );
  return result.rows[0] ?? {};
}

/** Persons: doubts that wait, and where comparing was cut off during the last day. */
export async function identityFigures(database: Database, now: Date): Promise<Readonly<Record<string, number>>> {
  const result = await database.pool.query<Record<string, number>>(
    `select (select count(*) from review where kind = 'identity' and state = 'open')::int as open_doubts,
       (select count(*) from review where kind = 'identity' and state = 'open' and problem ->> 'code' = 'limit-exceeded')::int as undecided_sets,
       (select count(*) from match_cut where last_at > $1::timestamptz - interval '1 day')::int as cut_keys,
       (select coalesce(max(candidates), 0) from match_cut where last_at > $1::timestamptz - interval '1 day')::int as largest_block`,
    [now],
  );
  return result.rows[0] ?? {};
}
