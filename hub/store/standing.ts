/** Steps in the life of institutions and doctors, each kept for good: who took it, when, why. */
import type { Caller } from '../core/access.ts';
import type { StandingEntry } from '../core/standing.ts';
import type { Connection } from './database.ts';

/** `subject`: `institution/code` or `practitioner/id`. */
export async function writeStep(
  connection: Connection,
  subject: string,
  { step, reason, at }: Pick<StandingEntry, 'step' | 'reason'> & { readonly at: Date },
  by: Caller,
): Promise<void> {
  await connection.query('insert into standing_step (subject, step, by_id, at, reason) values ($1, $2, $3, $4, $5)', [
    subject,
    step,
    by.id,
    at,
    reason,
  ]);
}

/** Oldest first. */
export async function stepsOf(connection: Connection, subject: string): Promise<readonly StandingEntry[]> {
  const { rows } = await connection.query<{ step: StandingEntry['step']; by_id: string; at: Date; reason: string }>(
    'select step, by_id, at, reason from standing_step where subject = $1 order by id limit 1000',
    [subject],
  );
  return rows.map(({ step, by_id: by, at, reason }) => ({ step, by, at: at.toISOString(), reason }));
}

/** Who applied; empty where the subject was there before anybody could. */
export async function applicantOf(connection: Connection, subject: string): Promise<string> {
  const { rows } = await connection.query<{ by_id: string }>(
    `select by_id from standing_step where subject = $1 and step = 'apply' order by id desc limit 1`,
    [subject],
  );
  return rows[0]?.by_id ?? '';
}
