/**
 * What people sign on with, on PostgreSQL: hashes and sealed secrets only. What may happen once (a code, a step of the
 * clock, a count of failures) is decided by one statement, so that two processes never both let somebody in by it.
 */
import type { Credentials, CredentialStore } from '../core/account.ts';
import { ACCOUNT_COLUMNS, accountOf, isUuid } from './account.ts';
import type { AccountRow } from './account.ts';
import type { Connection, Database } from './database.ts';

interface CredentialRow extends AccountRow {
  password: string | null;
  password_changed_at: Date | null;
  must_change_password: boolean;
  activation_hash: Buffer | null;
  activation_until: Date | null;
  locked_until: Date | null;
  totp_secret: string | null;
}

const COLUMNS = `${ACCOUNT_COLUMNS}, a.password, a.password_changed_at, a.must_change_password, a.activation_hash,
  a.activation_until, a.locked_until, a.totp_secret`;

const credentialsOf = (row: CredentialRow): Credentials => ({
  account: accountOf(row),
  password: row.password,
  passwordChangedAt: row.password_changed_at,
  mustChange: row.must_change_password,
  activation:
    row.activation_hash === null || row.activation_until === null
      ? null
      : { hash: row.activation_hash, until: row.activation_until },
  lockedUntil: row.locked_until,
  totpSecret: row.totp_secret,
  totpConfirmed: row.totp_confirmed,
});

const RESET = `update account set password = null, totp_secret = null, totp_confirmed = false,
  activation_hash = case when source = 'local' then $2::bytea end,
  activation_until = case when source = 'local' then $3::timestamptz end, failures = 0, locked_until = null,
  state = case when state = 'pending' then 'invited' else state end
where id = $1 and (state in ('invited', 'active') or (state = 'pending' and source = 'local'))`;

/** In the caller's transaction. false: there is no account that could be activated anew. */
export async function resetIn(
  connection: Connection,
  id: string,
  activation: NonNullable<Credentials['activation']>,
): Promise<boolean> {
  const { rowCount } = isUuid(id)
    ? await connection.query(RESET, [id, activation.hash, activation.until])
    : { rowCount: 0 };
  if (rowCount !== 1) return false;
  await connection.query('delete from session where account_id = $1', [id]);
  await connection.query('delete from account_recovery where account_id = $1', [id]);
  return true;
}

type Upkeep = Pick<CredentialStore, 'isBarred' | 'peerFailed' | 'peerForgiven'>;

function addresses({ pool }: Database): Upkeep {
  return {
    async isBarred(peer, since, limit) {
      const { rowCount } = await pool.query(
        'select from sign_on_failure where peer = $1 and since > $2 and failures >= $3',
        [peer, since, limit],
      );
      return rowCount === 1;
    },
    async peerFailed(peer, since, at) {
      const { rows } = await pool.query<{ failures: number }>(
        `with old as (delete from sign_on_failure where sign_on_failure.since <= $2 and peer <> $1)
         insert into sign_on_failure (peer, failures, since) values ($1, 1, $3)
         on conflict (peer) do update set
           failures = case when sign_on_failure.since <= $2 then 1 else sign_on_failure.failures + 1 end,
           since = case when sign_on_failure.since <= $2 then excluded.since else sign_on_failure.since end
         returning failures`,
        [peer, since, at],
      );
      return rows[0]?.failures ?? 0;
    },
    async peerForgiven(peer) {
      await pool.query('delete from sign_on_failure where peer = $1', [peer]);
    },
  };
}

function secondFactor(
  database: Database,
): Pick<CredentialStore, 'setTotp' | 'confirmTotp' | 'takeStep' | 'takeRecovery' | 'dropTotp'> {
  const { pool } = database;
  return {
    async setTotp(id, sealed) {
      await pool.query('update account set totp_secret = $2, totp_step = 0 where id = $1 and not totp_confirmed', [
        id,
        sealed,
      ]);
    },
    async confirmTotp(id, recovery) {
      await database.transaction(async (connection) => {
        await connection.query('update account set totp_confirmed = true where id = $1', [id]);
        await connection.query('delete from account_recovery where account_id = $1', [id]);
        await connection.query(
          'insert into account_recovery (account_id, code_hash) select $1, unnest($2::bytea[]) on conflict do nothing',
          [id, [...recovery]],
        );
      });
    },
    async takeStep(id, step) {
      const { rowCount } = await pool.query('update account set totp_step = $2 where id = $1 and totp_step < $2', [
        id,
        step,
      ]);
      return rowCount === 1;
    },
    async dropTotp(id) {
      await pool.query('update account set totp_secret = null, totp_confirmed = false where id = $1', [id]);
    },
    async takeRecovery(id, hash, at) {
      const { rowCount } = await pool.query(
        'update account_recovery set used_at = $3 where account_id = $1 and code_hash = $2 and used_at is null',
        [id, hash, at],
      );
      return rowCount === 1;
    },
  };
}

export function createCredentialStore(database: Database): CredentialStore {
  const { pool } = database;
  const one = async (condition: string, value: string): Promise<Credentials | null> => {
    const { rows } = await pool.query<CredentialRow>(`select ${COLUMNS} from account a where ${condition}`, [value]);
    return rows[0] === undefined ? null : credentialsOf(rows[0]);
  };
  return {
    ...addresses(database),
    ...secondFactor(database),
    byLoginName: (loginName) => one('a.login_name = $1', loginName),
    byId: (id) => (isUuid(id) ? one('a.id = $1', id) : Promise.resolve(null)),
    async guessed(id, limit, lockedUntil, at) {
      const { rowCount } = await pool.query(
        `update account set failures = case when failures + 1 >= $2 then 0 else failures + 1 end,
           locked_until = case when failures + 1 >= $2 then $3 else locked_until end
         where id = $1 and (locked_until is null or locked_until <= $4)`,
        [id, limit, lockedUntil, at],
      );
      return rowCount === 1;
    },
    async entered(id, at) {
      await pool.query('update account set failures = 0, locked_until = null, last_sign_in_at = $2 where id = $1', [
        id,
        at,
      ]);
    },
    async passwords(id, most) {
      const { rows } = await pool.query<{ password: string }>(
        'select password from account_password where account_id = $1 order by at desc limit $2',
        [id, most],
      );
      return rows.map(({ password }) => password);
    },
    async setPassword(id, password, at) {
      await database.transaction(async (connection) => {
        await connection.query(
          `update account set password = $2, password_changed_at = $3, must_change_password = false,
             activation_hash = null, activation_until = null, failures = 0, locked_until = null,
             state = case when state = 'invited' then 'active' else state end where id = $1`,
          [id, password, at],
        );
        await connection.query(
          `insert into account_password (account_id, at, password) values ($1, $3, $2) on conflict do nothing`,
          [id, password, at],
        );
        // Whoever came in with the former one, wherever: the password is changed because somebody may know it.
        await connection.query('delete from session where account_id = $1', [id]);
      });
    },
    reset: (id, activation) => database.transaction((connection) => resetIn(connection, id, activation)),
  };
}
