/** Reasons of accounts under a flag, on PostgreSQL: the words sealed, and whose reading still wants one. */
import type { Purpose } from '../core/access.ts';
import { REASON_HOURS, type AccessReason, type AccessReasons } from '../core/access-reason.ts';
import type { HubId } from '../core/identifier.ts';
import { isUuid } from './account.ts';
import type { Database } from './database.ts';
import type { Sealed } from './subscription.ts';

interface Row {
  readonly reason_id: string;
  readonly account_id: string;
  readonly account_name: string;
  readonly person_id: HubId;
  readonly purpose: Purpose;
  readonly note: string;
  readonly at: Date;
  readonly until: Date;
}

const COLUMNS = 'reason_id, account_id, account_name, person_id, purpose, note, at, until';
const MARK = /^([0-9TZ:.-]{24})_([0-9a-f-]{36})$/;

const reasonOf = (row: Row, seal: Sealed): AccessReason => ({
  ...{ reasonId: row.reason_id, accountId: row.account_id, accountName: row.account_name, personId: row.person_id },
  ...{ purpose: row.purpose, text: seal.open(row.note), at: row.at.toISOString(), until: row.until.toISOString() },
});

export function createAccessReasons(deps: {
  readonly database: Database;
  readonly clock: () => Date;
  readonly seal: () => Promise<Sealed>;
}): AccessReasons {
  const { pool } = deps.database;
  return {
    async give({ personId, purpose, text }, by) {
      const [seal, now] = [await deps.seal(), deps.clock()];
      const until = new Date(now.getTime() + REASON_HOURS * 3_600_000);
      const { rows } = await pool.query<Row>(
        `insert into access_reason (account_id, account_name, person_id, purpose, note, at, until)
         values ($1, $2, $3, $4, $5, $6, $7) returning ${COLUMNS}`,
        [by.user?.accountId ?? by.id, by.name, personId, purpose, seal.close(text), now, until],
      );
      if (rows[0] === undefined) throw new Error('an insert without a row');
      return reasonOf(rows[0], seal);
    },
    async list({ accountId = null, personId = null }, { limit, after }) {
      if (personId !== null && !isUuid(personId)) return { items: [], next: null };
      const [, at = null, id = null] = MARK.exec(after ?? '') ?? [];
      const { rows } = await pool.query<Row>(
        `select ${COLUMNS} from access_reason
         where ($1::timestamptz is null or (at, reason_id) < ($1, $2::uuid)) and ($3::text is null or account_id = $3)
           and ($4::uuid is null or person_id = $4)
         order by at desc, reason_id desc limit $5`,
        [at, id, accountId, personId, limit + 1],
      );
      const seal = await deps.seal();
      const items = rows.slice(0, limit).map((row) => reasonOf(row, seal));
      const last = items.at(-1);
      return { items, next: rows.length > limit && last !== undefined ? `${last.at}_${last.reasonId}` : null };
    },
  };
}

/** Those of these persons of whom the account must say why first: it is under a flag and has not yet, or no longer. */
export async function reasonsWanted(
  pool: Database['pool'],
  accountId: string,
  persons: readonly HubId[],
  at: string,
): Promise<ReadonlySet<HubId>> {
  const { rows } = await pool.query<{ person_id: HubId }>({
    name: 'access-reasons-wanted',
    text: `select p.person_id from unnest($2::uuid[]) as p(person_id)
      where exists (select from account_flag f where f.account_id = $1 and f.closed_at is null and f.reaction <> 'notify')
        and not exists (select from access_reason r
          where r.account_id = $1 and r.person_id = p.person_id and r.until > $3::timestamptz)`,
    values: [accountId, persons, at],
  });
  return new Set(rows.map((row) => row.person_id));
}
