/** Flags of accounts: written with what they come of, explained by whose account it is, closed by security administrators. */
import {
  reactionTo,
  SEVERITY_OF,
  type AccountFlag,
  type AccountFlagDesk,
  type FlagRule,
  type Reaction,
  type ReactionPolicy,
  type Severity,
  type Worklist,
  type WorklistReader,
} from '../core/account-flag.ts';
import { fail, ok, problem } from '../core/problem.ts';
import { isUuid } from './account.ts';
import type { Connection, Database } from './database.ts';
import type { Sealed } from './subscription.ts';

interface Row {
  flag_id: string;
  account_id: string;
  account_name: string;
  grant_id: string | null;
  audit_flag_id: string | null;
  rule: FlagRule;
  severity: Severity;
  reaction: Reaction;
  at: Date;
  by_id: string;
  note: string;
  explanation: string | null;
  explained_at: Date | null;
  closed_at: Date | null;
  closed_by: string | null;
  closing: string | null;
}

const COLUMNS = `flag_id, account_id, account_name, grant_id, audit_flag_id, rule, severity, reaction, at, by_id, note,
  explanation, explained_at, closed_at, closed_by, closing`;
const MARK = /^([0-9TZ:.-]{24})_([0-9a-f-]{36})$/;

const flagOf = (row: Row, seal: Sealed): AccountFlag => ({
  ...{ flagId: row.flag_id, accountId: row.account_id, accountName: row.account_name },
  ...{ grantId: row.grant_id, auditFlagId: row.audit_flag_id },
  ...{ rule: row.rule, severity: row.severity, reaction: row.reaction },
  ...{ at: row.at.toISOString(), by: row.by_id, note: row.note },
  explanation:
    row.explanation === null || row.explained_at === null
      ? null
      : { text: seal.open(row.explanation), at: row.explained_at.toISOString() },
  closed:
    row.closed_at === null
      ? null
      : { at: row.closed_at.toISOString(), by: row.closed_by ?? '', note: row.closing ?? '' },
});

export interface AccountFlagDeps {
  readonly database: Database;
  readonly clock: () => Date;
  /** What a doctor says of an access may tell of the patient. */
  readonly seal: () => Promise<Sealed>;
}

export function createAccountFlags({ database, clock, seal }: AccountFlagDeps): AccountFlagDesk {
  const { pool } = database;
  const one = async (text: string, values: readonly unknown[]): Promise<AccountFlag | null> => {
    const { rows } = await pool.query<Row>(`${text} returning ${COLUMNS}`, [...values]);
    return rows[0] === undefined ? null : flagOf(rows[0], await seal());
  };
  return {
    async list({ open, accountId }, { limit, after }) {
      const [, at = null, id = null] = MARK.exec(after ?? '') ?? [];
      const { rows } = await pool.query<Row>(
        `select ${COLUMNS} from account_flag
         where ($1::timestamptz is null or (at, flag_id) < ($1, $2::uuid)) and ($3::text is null or account_id = $3)
           and ($4::boolean is null or (closed_at is null) = $4)
         order by at desc, flag_id desc limit $5`,
        [at, id, accountId ?? null, open ?? null, limit + 1],
      );
      const opened = await seal();
      const items = rows.slice(0, limit).map((row) => flagOf(row, opened));
      const last = items.at(-1);
      return { items, next: rows.length > limit && last !== undefined ? `${last.at}_${last.flagId}` : null };
    },
    async explain(id, accountId, text) {
      if (!isUuid(id)) return fail(problem('not-found'));
      const explained = await one(
        `update account_flag set explanation = $3, explained_at = $4
         where flag_id = $1 and account_id = $2 and explanation is null and closed_at is null`,
        [id, accountId, (await seal()).close(text), clock()],
      );
      if (explained !== null) return ok(explained);
      const theirs = await pool.query('select from account_flag where flag_id = $1 and account_id = $2', [
        id,
        accountId,
      ]);
      return fail(problem(theirs.rowCount === 0 ? 'not-found' : 'conflict'));
    },
    async close(id, by, note) {
      if (!isUuid(id)) return fail(problem('not-found'));
      const closed = await one(
        `update account_flag set closed_at = $3, closed_by = $4, closing = $5
         where flag_id = $1 and account_id <> $2 and closed_at is null`,
        [id, by.accountId, clock(), by.id, note],
      );
      if (closed !== null) return ok(closed);
      const { rowCount } = await pool.query('select from account_flag where flag_id = $1', [id]);
      return fail(problem(rowCount === 0 ? 'not-found' : 'conflict'));
    },
  };
}

/** What a flag comes of: an emergency that was none, or odd access. */
interface Cause {
  readonly rule: FlagRule;
  readonly accountId: string;
  readonly accountName: string;
  readonly grantId?: string;
  readonly auditFlagId?: string;
  readonly by: string;
  readonly note: string;
}

/**
 * Flags the account and does what the policy says, in the transaction of what it comes of; answers whether the account was
 * suspended. `least`: what is done however mild the policy is. One cause flags once.
 */
export async function flagAccount(
  connection: Connection,
  cause: Cause,
  policy: ReactionPolicy,
  at: Date,
  least: Reaction | null = null,
): Promise<boolean> {
  const reaction = reactionTo(cause.rule, policy) ?? least;
  if (reaction === null) return false;
  const { rowCount } = await connection.query(
    `insert into account_flag (flag_id, account_id, account_name, grant_id, audit_flag_id, at, by_id, note, rule, severity, reaction)
     values (gen_random_uuid(), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict do nothing`,
    [
      ...[
        cause.accountId,
        cause.accountName,
        cause.grantId ?? null,
        cause.auditFlagId ?? null,
        at,
        cause.by,
        cause.note,
      ],
      ...[cause.rule, SEVERITY_OF[cause.rule], reaction],
    ],
  );
  return rowCount === 1 && reaction === 'suspend' && isUuid(cause.accountId) && suspend(connection, cause);
}

async function suspend(connection: Connection, { accountId, rule }: Cause): Promise<boolean> {
  const { rowCount } = await connection.query(
    `update account set state = 'suspended', state_reason = $2 where id = $1 and state = 'active'`,
    [accountId, `flag: ${rule}`],
  );
  await connection.query('delete from session where account_id = $1', [accountId]);
  return rowCount === 1;
}

/** What is not asked for is not counted: an InitPlan that no branch takes is never run. */
const COUNTS = `select
  (select count(*) from account_flag where account_id = $1 and closed_at is null and explanation is null
     and reaction <> 'notify')::int as "ownFlags",
  case when $2 then (select count(*) from account_flag where closed_at is null) end::int as "accountFlags",
  case when $3 then (select count(*) from audit_flag where closed_at is null) end::int as "auditFlags",
  case when $4 then (select count(*) from break_glass where outcome is null) end::int as "breakGlass",
  case when $2 then (select count(*) from institution where state = 'applied')
    + (select count(*) from practitioner where state = 'applied') end::int as applications,
  case when $5 then (select count(*) from account where state = 'pending' and source = 'saml') end::int as "pendingAccounts",
  case when $6 then (select count(*) from approval p where p.state = 'open' and p.lapses_at > now()
    and p.asked_by <> $1 and p.account_id::text is distinct from $1
    and not exists (select from account a where a.id = p.account_id and a.state = 'ended')
    and not exists (select from client c where c.id = p.client_id and c.revoked_at is not null)) end::int as approvals`;

export const createWorklist =
  ({ database }: { database: Database }): WorklistReader =>
  async (accountId, { policy, audit, reviews, people, approve }) => {
    const { rows } = await database.pool.query<Worklist>(COUNTS, [accountId, policy, audit, reviews, people, approve]);
    const [counts] = rows;
    if (counts === undefined) throw new Error('counts without a row');
    return counts;
  };
