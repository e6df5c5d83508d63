/** Keeps the journal's days in order: tomorrow's partition before midnight, days past retention dropped whole. */
import type { Database } from './database.ts';

const DAY_MS = 86_400_000;

/** Makes the partitions of today and the next two days (UTC). */
export async function preparePartitions(database: Database, now: Date): Promise<void> {
  for (const ahead of [0, 1, 2])
    await database.pool.query('select journal_partition($1::date)', [day(new Date(now.getTime() + ahead * DAY_MS))]);
}

/** Drops what is older than `keepDays` and waits for nobody. Returns the days dropped (YYYY-MM-DD). */
export async function dropExpired(database: Database, now: Date, keepDays: number): Promise<string[]> {
  const keepFrom = day(new Date(now.getTime() - keepDays * DAY_MS));
  const result = await database.pool.query<{ dropped: string }>('select journal_retention($1::date)::text as dropped', [
    keepFrom,
  ]);
  return result.rows.map((row) => row.dropped);
}

const TALLY_KEEP_DAYS = 400;

/** Folds the tallies of hours that are over, and forgets those of more than a year ago. */
export async function foldTallies(database: Database, now: Date): Promise<void> {
  const [before, keepFrom] = [now.getTime() - 2 * 3_600_000, now.getTime() - TALLY_KEEP_DAYS * DAY_MS];
  await database.pool.query('select intake_tally_fold($1, $2)', [new Date(before), new Date(keepFrom)]);
}

const day = (at: Date): string => at.toISOString().slice(0, 10);
