/** Steps in the life of institutions and doctors, each kept for good; and what they do to accounts and sessions at once. */
import type { Caller } from '../core/access.ts';
import type { StandingEntry, StandingStep } from '../core/standing.ts';
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

/** Why an account rests, so that nothing else that made it rest is undone by a resumption. */
const RESTS = 'the practitioner is suspended';

/** In the transaction of the step: whoever may no longer act is out with the next request, in whatever process. */
export async function accountFollows(connection: Connection, accountId: string, step: StandingStep): Promise<void> {
  const change = {
    suspend: `update account set state = 'suspended', state_reason = $2 where id::text = $1 and state = 'active'`,
    leave: `update account set state = 'ended', state_reason = $2 where id::text = $1 and state <> 'ended'`,
    resume: `update account set state = 'active', state_reason = null
      where id::text = $1 and state = 'suspended' and state_reason = $2`,
    approve: null,
    refuse: null,
  }[step];
  if (change === null) return;
  await connection.query(change, [accountId, step === 'leave' ? 'the practitioner has left' : RESTS]);
  if (step !== 'resume') await connection.query('delete from session where account_id::text = $1', [accountId]);
}

/** Everybody of an institution signs on anew, where that still gives a right; its systems, where it left, no more. */
export async function institutionEnds(
  connection: Connection,
  code: string,
  step: 'suspend' | 'leave',
  at: Date,
): Promise<void> {
  await connection.query('delete from session where account_id in (select id from account where institution = $1)', [
    code,
  ]);
  if (step === 'suspend') return;
  await connection.query(
    `update client set revoked_at = $2 where revoked_at is null
       and site in (select site from institution_site where institution = $1)`,
    [code, at],
  );
}
