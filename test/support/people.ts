/** Callers who signed on, and the tables of accounts and sessions where this tree has none of its own yet. */
import type { Caller, PersonRole } from '../../hub/core/access.ts';
import { institutionCode } from '../../hub/core/institution.ts';
import type { Database } from '../../hub/store/database.ts';

export function signedIn(
  accountId: string,
  role: PersonRole,
  institution: string | null = null,
  practitionerId?: string,
): Caller & { readonly user: NonNullable<Caller['user']> } {
  return {
    id: accountId,
    name: accountId,
    role,
    peer: '127.0.0.1',
    user: {
      accountId,
      loginName: accountId,
      displayName: `${accountId} 医生`,
      institution: institution === null ? null : institutionCode(institution),
      ...(practitionerId === undefined ? {} : { practitionerId }),
      purpose: 'TREATMENT',
      factors: ['password', 'totp'],
      sessionId: '0'.repeat(64),
    },
  };
}

/** An account with one open session. */
export async function account(database: Database, login: string, institution: string): Promise<string> {
  const { rows } = await database.pool.query<{ id: string }>(
    `insert into account (login_name, display_name, institution, state, created_by) values ($1, $1, $2, 'active', 'test')
     returning id`,
    [login, institution],
  );
  const id = rows[0]?.id ?? '';
  await database.pool.query(
    `insert into session (id_hash, account_id, stage, role, purpose, factors, peer, created_at, seen_at, idle_seconds, ends_at)
     values (sha256($2::bytea), $1, 'open', 'physician', 'TREATMENT', '{password}', 'test', now(), now(), 1800, now() + interval '1 hour')`,
    [id, login],
  );
  return id;
}

export async function sessionsOf(database: Database, accountId: string): Promise<{ open: number; state: string }> {
  const { rows } = await database.pool.query<{ open: number; state: string }>(
    `select (select count(*) from session where account_id = a.id)::int as open, a.state from account a where a.id = $1`,
    [accountId],
  );
  return rows[0] ?? { open: -1, state: '' };
}

/** Whether this tree keeps accounts and sessions. */
export async function hasAccounts(database: Database): Promise<boolean> {
  const { rows } = await database.pool.query<{ there: boolean }>(
    `select to_regclass('session') is not null and to_regclass('account') is not null as there`,
  );
  return rows[0]?.there ?? false;
}

/** A person who is a patient of this institution, which is there from then on, since today. */
export async function patientOf({ pool }: Database, person: string, institution: string): Promise<void> {
  const site = `site-of-${institution.toLowerCase()}`;
  const told = [`2|${new Date().toISOString()}|00|x`, 'male'];
  await pool.query(
    `insert into institution (code, name_zh, state) values ($1, $1, 'approved') on conflict (code) do nothing`,
    [institution],
  );
  await pool.query(`insert into institution_site (site, institution) values ($1, $2) on conflict do nothing`, [
    site,
    institution,
  ]);
  await pool.query('insert into person (person_id) values ($1) on conflict do nothing', [person]);
  await pool.query(
    `insert into patient_record (record_id, site, authority, local_id, person_id, facts) values ($1::uuid, $2, 'a', $1::text, $1::uuid, $3)`,
    [person, site, JSON.stringify({ sex: told })],
  );
}
