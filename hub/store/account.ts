/** Accounts on PostgreSQL. That the three administrators are never one account is a unique index, not only a rule. */
import type { PersonRole } from '../core/access.ts';
import { rolesFault } from '../core/account.ts';
import { randomUUID } from 'node:crypto';
import type { Account, AccountRole, AccountState, AccountStore } from '../core/account.ts';
import { siteId } from '../core/identifier.ts';
import type { InstitutionCode } from '../core/institution.ts';
import { fail, ok, problem } from '../core/problem.ts';
import type { Result } from '../core/problem.ts';
import { vaultOf, type Connection, type Database } from './database.ts';
import { residentKey } from './sealed-facts.ts';

export interface AccountRow {
  id: string;
  login_name: string;
  display_name: string;
  institution: string | null;
  department: string | null;
  practitioner_id: string | null;
  language: 'zh' | 'en';
  source: 'local' | 'saml';
  idp: string | null;
  state: AccountState;
  state_reason: string | null;
  created_at: Date;
  created_by: string;
  last_sign_in_at: Date | null;
  totp_confirmed: boolean;
  roles: readonly { readonly role: PersonRole; readonly site: string | null }[];
}

/** Of `account a`; the roles in the order of their names. */
export const ACCOUNT_COLUMNS = `a.id, a.login_name, a.display_name, a.institution, a.department, a.practitioner_id, a.language,
  a.source, a.idp, a.state, a.state_reason, a.created_at, a.created_by, a.last_sign_in_at, a.totp_confirmed,
  (select coalesce(jsonb_agg(jsonb_build_object('role', r.role, 'site', r.site) order by r.role), '[]')
   from account_role r where r.account_id = a.id) as roles`;

export const isUuid = (text: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);

export const accountOf = (row: AccountRow): Account => ({
  id: row.id,
  loginName: row.login_name,
  displayName: row.display_name,
  institution: row.institution as InstitutionCode | null,
  department: row.department,
  practitionerId: row.practitioner_id,
  language: row.language,
  source: row.source,
  idp: row.idp,
  state: row.state,
  stateReason: row.state_reason,
  roles: row.roles.map(({ role, site }) => ({ role, site: site === null ? null : siteId(site) })),
  hasSecondFactor: row.totp_confirmed,
  createdAt: row.created_at.toISOString(),
  createdBy: row.created_by,
  lastSignInAt: row.last_sign_in_at?.toISOString() ?? null,
});

export async function read(connection: Connection, id: string): Promise<Account | null> {
  const { rows } = await connection.query<AccountRow>(`select ${ACCOUNT_COLUMNS} from account a where a.id = $1`, [id]);
  return rows[0] === undefined ? null : accountOf(rows[0]);
}

const must = async (connection: Connection, id: string): Promise<Account> => {
  const account = await read(connection, id);
  if (account === null) throw new Error('an account is missing right after it was written');
  return account;
};

/** The roles become these; sessions in a role that is gone, or bound to another site now, end. */
async function setRoles(connection: Connection, id: string, roles: readonly AccountRole[]): Promise<void> {
  const pairs = JSON.stringify(roles);
  const given = `jsonb_to_recordset($2::jsonb) as g(role text, site text)`;
  await connection.query(
    `delete from session s using account_role r where s.account_id = $1 and r.account_id = $1 and r.role = s.role
     and not exists (select from ${given} where g.role = r.role and g.site is not distinct from r.site)`,
    [id, pairs],
  );
  await connection.query(
    `delete from account_role r where r.account_id = $1
     and not exists (select from ${given} where g.role = r.role and g.site is not distinct from r.site)`,
    [id, pairs],
  );
  await connection.query(
    `insert into account_role (account_id, role, site) select $1, g.role, g.site from ${given} on conflict do nothing`,
    [id, pairs],
  );
}

/** Invited where there is a code, else pending. null: the login name is or was somebody's. */
export async function insertAccount(
  connection: Connection,
  made: Parameters<AccountStore['add']>[0],
  activation: Parameters<AccountStore['add']>[1] | null,
  at: Date,
): Promise<Account | null> {
  const { rows } = await connection.query<{ id: string }>(
    `insert into account (login_name, display_name, institution, department, practitioner_id, language, state,
       created_at, created_by, activation_hash, activation_until)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict do nothing returning id`,
    [
      ...[made.loginName, made.displayName, made.institution, made.department, made.practitionerId, made.language],
      ...[activation === null ? 'pending' : 'invited', at, made.createdBy],
      ...[activation?.hash ?? null, activation?.until ?? null],
    ],
  );
  const [row] = rows;
  if (row === undefined) return null;
  await setRoles(connection, row.id, made.roles);
  return must(connection, row.id);
}

const rolesRefused = (text: string): Result<never> => fail(problem('invalid-value', 'roles', text));
export const taken = () => fail(problem('conflict', 'loginName', 'This login name is or was given.'));

/** Absent members stay as they are. */
const CHANGE = `update account set
  display_name = coalesce($2, display_name), language = coalesce($3, language),
  institution = case when $4::jsonb ? 'institution' then $4::jsonb ->> 'institution' else institution end,
  department = case when $4::jsonb ? 'department' then $4::jsonb ->> 'department' else department end,
  practitioner_id = case when $4::jsonb ? 'practitionerId' then $4::jsonb ->> 'practitionerId' else practitioner_id end,
  state = coalesce($5, state), state_reason = case when $5::text is null then state_reason else $6 end,
  -- who comes back has not been unused from now on
  last_sign_in_at = case when $5 = 'active' and state = 'suspended' then $7 else last_sign_in_at end
where id = $1 and state <> 'ended'
  -- one that waits for a second administrator is changed by nobody; it may be ended
  and (state <> 'pending' or source = 'saml' or $5 = 'ended') returning id`;

const LIST = `select ${ACCOUNT_COLUMNS} from account a
where ($2::uuid is null or (a.created_at, a.id) < (select created_at, id from account where id = $2))
  and ($3::text is null or a.state = $3) and ($4::text is null or a.institution = $4)
  and case when $5::text is null then a.resident_id is null
    else exists (select from account_role r where r.account_id = a.id and r.role = $5) end
  and ($6::timestamptz is null or coalesce(a.last_sign_in_at, a.created_at) < $6)
order by a.created_at desc, a.id desc limit $1`;

/** No name of theirs: what they are called stands in their registrations, and the audit names them by these. */
const PROVISION_PATIENT = `insert into account (login_name, display_name, state, source, idp, subject, resident_id, created_at, created_by)
  values ($1, '本人', 'active', 'saml', $2, $3, $4, $5, 'saml')
  on conflict (idp, subject) where idp is not null do update set
    state = case when account.state_reason = 'unused' and account.state = 'suspended' then 'active' else account.state end
  returning id`;

/** Without one the token of the first start has every right again: a leave of three months must not give it them. */
const LAST_SECURITY_ADMINISTRATOR = `select a.id from account a join account_role r on r.account_id = a.id
  where r.role = 'security-administrator' and a.state = 'active' and a.last_sign_in_at is not null
  order by a.last_sign_in_at desc limit 1`;

export function createAccountStore({ database, clock }: { database: Database; clock: () => Date }): AccountStore {
  const { pool } = database;
  return {
    async add(made, activation) {
      const fault = rolesFault(made.roles);
      if (fault !== null) return rolesRefused(fault);
      return database.transaction(async (connection) => {
        const account = await insertAccount(connection, made, activation, clock());
        return account === null ? taken() : ok(account);
      });
    },
    async provision(told, subject, state) {
      const fault = rolesFault(told.roles);
      if (fault !== null) return rolesRefused(fault);
      return database
        .transaction(async (connection) => {
          const { rows } = await connection.query<{ id: string }>(
            `insert into account (login_name, display_name, institution, department, practitioner_id, state, source, idp,
             subject, created_at, created_by)
           values ($1, $2, $3, $4, $5, $6, 'saml', $7, $8, $9, 'saml')
           on conflict (idp, subject) where idp is not null do update set display_name = excluded.display_name,
             institution = excluded.institution, department = excluded.department,
             practitioner_id = excluded.practitioner_id,
             -- the hospital vouches for who was only away for long
             state = case when account.state_reason = 'unused' and account.state = 'suspended' then 'active' else account.state end
           returning id`,
            [
              ...[told.loginName, told.displayName, told.institution, told.department, told.practitionerId],
              ...[state, told.idp, subject, clock()],
            ],
          );
          const [row] = rows;
          if (row === undefined) return taken();
          await setRoles(connection, row.id, told.roles);
          return ok(await must(connection, row.id));
        })
        .catch((error: unknown) => {
          if (isDuplicate(error)) return taken();
          throw error;
        });
    },
    provisionPatient: (idp, residentId) =>
      database.transaction(async (connection) => {
        const key = residentKey(vaultOf(pool), residentId);
        const { rows } = await connection.query<{ id: string }>(PROVISION_PATIENT, [
          ...[`patient-${randomUUID()}@${idp}`, idp, Buffer.from(key, 'base64url'), key, clock()],
        ]);
        const [row] = rows;
        if (row === undefined) throw new Error('the account of a patient was not written');
        await setRoles(connection, row.id, [{ role: 'patient', site: null }]);
        return ok(await must(connection, row.id));
      }),
    byId: (id) => (isUuid(id) ? read(pool, id) : Promise.resolve(null)),
    async list({ state, role, institution, unusedSince }, { limit, after }) {
      const mark = after !== undefined && isUuid(after) ? after : null;
      const values = [limit + 1, mark, state ?? null, institution ?? null, role ?? null, unusedSince ?? null];
      const { rows } = await pool.query<AccountRow>(LIST, values);
      const items = rows.slice(0, limit).map(accountOf);
      return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
    },
    change: (id, to) => (isUuid(id) ? change(database, id, to, clock()) : Promise.resolve(null)),
    async endSessions(id) {
      if (!isUuid(id) || (await read(pool, id)) === null) return null;
      return (await pool.query('delete from session where account_id = $1', [id])).rowCount ?? 0;
    },
    async suspendUnused(since) {
      const { rowCount } = await pool.query(
        `with unused as (
           update account set state = 'suspended', state_reason = 'unused'
           where state in ('active', 'invited') and coalesce(last_sign_in_at, created_at) < $1
             and id is distinct from (${LAST_SECURITY_ADMINISTRATOR}) returning id)
         , gone as (delete from session using unused where account_id = unused.id)
         select from unused`,
        [since],
      );
      return rowCount ?? 0;
    },
    async hasSecurityAdministrator() {
      const { rowCount } = await pool.query({
        name: 'security-administrator-stands',
        text: `select from account_role r join account a on a.id = r.account_id
               where r.role = 'security-administrator' and a.state = 'active' and a.last_sign_in_at is not null limit 1`,
      });
      return rowCount === 1;
    },
  };
}

const isDuplicate = (error: unknown): boolean => error instanceof Error && Reflect.get(error, 'code') === '23505';

async function isCitizen(connection: Connection, id: string): Promise<boolean> {
  const { rowCount } = await connection.query('select from account where id = $1 and resident_id is not null', [id]);
  return rowCount === 1;
}

type Change = Parameters<AccountStore['change']>[1];

function change(database: Database, id: string, to: Change, at: Date): Promise<Result<Account> | null> {
  const fault = to.roles === undefined ? null : rolesFault(to.roles);
  if (fault !== null) return Promise.resolve(rolesRefused(fault));
  return database.transaction((connection) => changeIn(connection, id, to, at));
}

/** In the caller's transaction; the roles are of its own check. */
export async function changeIn(
  connection: Connection,
  id: string,
  to: Change,
  at: Date,
): Promise<Result<Account> | null> {
  if (to.roles !== undefined && (await isCitizen(connection, id)))
    return rolesRefused('The account of a citizen is a patient’s and nothing else.');
  const { rowCount } = await connection.query(CHANGE, [
    ...[id, to.displayName ?? null, to.language ?? null, JSON.stringify(to)],
    ...[to.state ?? null, to.stateReason ?? null, at],
  ]);
  if (rowCount !== 1) {
    const waits = (await read(connection, id))?.state === 'pending';
    return waits ? fail(problem('conflict', undefined, 'The account waits for approval.')) : null;
  }
  if (to.roles !== undefined) await setRoles(connection, id, to.roles);
  if (to.state !== undefined && to.state !== 'active')
    await connection.query('delete from session where account_id = $1', [id]);
  if (to.state === 'ended')
    await connection.query(
      `update account set password = null, totp_secret = null, totp_confirmed = false, activation_hash = null,
         activation_until = null where id = $1`,
      [id],
    );
  return ok(await must(connection, id));
}
