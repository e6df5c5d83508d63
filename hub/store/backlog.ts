/** What waits, in numbers that are cheap to ask: for the metrics an operator watches at night. */
import type { Database } from './database.ts';

/** Counts, and the age in seconds of the oldest entry that waits to be applied. */
export async function backlog(database: Database, now: Date): Promise<Readonly<Record<string, number>>> {
  const result = await database.pool.query<Record<string, number>>(
    `select (select count(*) from pending)::int as entries,
       coalesce((select extract(epoch from $1 - min(received_at)) from pending), 0)::float as oldest_entry_seconds,
       (select count(*) from review where state = 'open')::int as open_reviews,
       (select count(*) from outbox where done_at is null and due_at <= $1)::int as due_events,
       (select count(*) from outbox where done_at is null and topic = 'list')::int as unlisted_studies`,
    [now],
  );
  return result.rows[0] ?? {};
}
