/**
 * Sessions on PostgreSQL. Each request reads session, account and role in one statement, so that whoever is suspended or
 * loses a role is out with the next request, in whatever process.
 */
import type { PersonRole, Purpose } from '../core/access.ts';
import { siteId } from '../core/identifier.ts';
import type { Factor, Session, SessionStore, Stage } from '../core/session.ts';
import { ACCOUNT_COLUMNS, accountOf } from './account.ts';
import type { AccountRow } from './account.ts';
import type { HubId } from '../core/identifier.ts';
import type { Database } from './database.ts';
import { soleClaimant } from './resident-owner.ts';

interface SessionRow extends AccountRow {
  session_id: string;
  stage: Stage;
  role: PersonRole | null;
  role_site: string | null;
  purpose: Purpose;
  factors: Factor[];
  started_at: Date;
  seen_at: Date;
  ends_at: Date;
  idle_seconds: number;
  saml_idp: string | null;
  saml_subject: Buffer | null;
  saml_index: string | null;
  saml_name: string | null;
  person: HubId | null;
}

const FIND = `select ${ACCOUNT_COLUMNS}, encode(s.id_hash, 'hex') as session_id, s.stage, s.role, held.site as role_site,
  s.purpose, s.factors, s.created_at as started_at, s.seen_at, s.ends_at, s.idle_seconds, s.idp as saml_idp, s.saml_subject, s.saml_index,
  s.saml_name, case when s.role = 'patient' then ${soleClaimant('a.resident_id')} end as person
from session s join account a on a.id = s.account_id
left join account_role held on held.account_id = a.id and held.role = s.role
where s.id_hash = $1 and a.state = 'active' and s.ends_at > $2
  and s.seen_at + make_interval(secs => s.idle_seconds) > $2 and (s.role is null or held.role is not null)`;

/** The use is written at most this often: the idle limit is half an hour. */
const SEEN_EVERY_MS = 30_000;

const START = `with gone as (
  delete from session where id_hash = $15 or ends_at < $6::timestamptz - interval '1 hour'
)
insert into session (id_hash, account_id, stage, role, purpose, created_at, seen_at, ends_at, idle_seconds, factors, peer,
  idp, saml_subject, saml_index, saml_name)
values ($1, $2, $3, $4, $5, $6, $6, $7, $8, $9, $10, $11, $12, $13, $14)`;

const sessionOf = (row: SessionRow, now: Date): Session => ({
  id: row.session_id,
  account: accountOf(row),
  stage: row.stage,
  role: row.role === null ? null : { role: row.role, site: row.role_site === null ? null : siteId(row.role_site) },
  purpose: row.purpose,
  factors: row.factors,
  startedAt: row.started_at.toISOString(),
  endsAt: row.ends_at.toISOString(),
  secondsLeft: Math.ceil(
    (Math.min(row.ends_at.getTime(), row.seen_at.getTime() + row.idle_seconds * 1_000) - now.getTime()) / 1_000,
  ),
  saml:
    row.saml_idp === null || row.saml_subject === null || row.saml_name === null
      ? null
      : { idp: row.saml_idp, subject: row.saml_subject, index: row.saml_index, name: row.saml_name },
  person: row.person,
});

export function createSessionStore({ database, clock }: { database: Database; clock: () => Date }): SessionStore {
  const { pool } = database;
  return {
    async start(id, session, instead) {
      const { saml } = session;
      await pool.query(START, [
        ...[id, session.accountId, session.stage, session.role, session.purpose, session.startedAt, session.endsAt],
        ...[session.idleSeconds, [...session.factors], session.peer],
        ...[saml?.idp ?? null, saml?.subject ?? null, saml?.index ?? null, saml?.name ?? null],
        instead === undefined ? null : Buffer.from(instead, 'hex'),
      ]);
    },
    async find(id, isUse = true) {
      const now = clock();
      const { rows } = await pool.query<SessionRow>({ name: 'session-find', text: FIND, values: [id, now] });
      const [row] = rows;
      if (row === undefined) return null;
      const isNoted = !isUse || now.getTime() - row.seen_at.getTime() <= SEEN_EVERY_MS;
      if (!isNoted) await pool.query('update session set seen_at = $2 where id_hash = $1', [id, now]);
      return sessionOf(isNoted ? row : { ...row, seen_at: now }, now);
    },
    async end(id) {
      await pool.query('delete from session where id_hash = $1', [Buffer.from(id, 'hex')]);
    },
    async endSaml(idp, subject, index) {
      const { rowCount } = await pool.query(
        'delete from session where idp = $1 and saml_subject = $2 and ($3::text is null or saml_index = $3)',
        [idp, subject, index],
      );
      return rowCount ?? 0;
    },
  };
}
