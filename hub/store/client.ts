/** API clients on PostgreSQL: found by the hash of their token or certificate on every call, so that a revocation holds at once. */
import type { ClientRole } from '../core/access.ts';
import type { Client, ClientStore, PublicKeyJwk, TokenDesk } from '../core/client.ts';
import { siteId } from '../core/identifier.ts';
import { Failure, problem } from '../core/problem.ts';
import type { Connection, Database } from './database.ts';

interface ClientRow {
  id: string;
  name: string;
  role: ClientRole;
  site: string | null;
  certificate: string | null;
  records_consents: boolean;
  created_at: Date;
  created_by: string;
  last_used_at: Date | null;
  revoked_at: Date | null;
  pending: boolean;
}

const COLUMNS = `id, name, role, site, encode(certificate_sha256, 'hex') as certificate, consents_granted_at is not null as records_consents, created_at, created_by, last_used_at, revoked_at, pending`;
/** The last use is written at most once a minute: it is for finding forgotten clients, not for counting calls. */
const USE_NOTED_EVERY_MS = 60_000;
const BY_TOKEN = `(token_hash = $1 or id = (select client_id from access_token where token_hash = $1 and ends_at > now()))`;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const clientOf = (row: ClientRow): Client => ({
  id: row.id,
  name: row.name,
  role: row.role,
  site: row.site === null ? null : siteId(row.site),
  certificate: row.certificate,
  recordsConsents: row.records_consents,
  createdAt: row.created_at.toISOString(),
  createdBy: row.created_by,
  lastUsedAt: row.last_used_at?.toISOString() ?? null,
  revokedAt: row.revoked_at?.toISOString() ?? null,
  pending: row.pending,
});

/** null: another client that stands has the certificate. `pending`: nothing opens for it until it is approved. */
export async function insertClient(
  connection: Connection,
  { name, role, site, createdBy, certificate = null, keys = null }: Parameters<ClientStore['add']>[0],
  tokenHash: Uint8Array,
  pending: boolean,
): Promise<Client | null> {
  const { rows } = await connection.query<ClientRow>(
    `insert into client (name, role, site, created_by, token_hash, certificate_sha256, jwks, pending)
     values ($1, $2, $3, $4, $5, decode($6, 'hex'), $7, $8)
     on conflict (certificate_sha256) where certificate_sha256 is not null and revoked_at is null do nothing
     returning ${COLUMNS}`,
    [name, role, site, createdBy, tokenHash, certificate, keys === null ? null : JSON.stringify(keys), pending],
  );
  return rows[0] === undefined ? null : clientOf(rows[0]);
}

export const certificateTaken = () =>
  problem('conflict', 'certificate', 'Another client that stands has this certificate.');

export function createClientStore(deps: { database: Database; clock: () => Date }): ClientStore {
  const { pool } = deps.database;
  const one = async (text: string, values: readonly unknown[], name?: string): Promise<Client | null> => {
    const { rows } = await pool.query<ClientRow>({
      text,
      values: [...values],
      ...(name === undefined ? {} : { name }),
    });
    return rows[0] === undefined ? null : clientOf(rows[0]);
  };
  const using = async (by: string, condition: string, value: Uint8Array | string): Promise<Client | null> => {
    const text = `select ${COLUMNS} from client where ${condition} and revoked_at is null and not pending`;
    const client = await one(text, [value], `client-by-${by}`);
    const now = deps.clock();
    if (client !== null && now.getTime() - Date.parse(client.lastUsedAt ?? '1970') > USE_NOTED_EVERY_MS)
      await pool.query('update client set last_used_at = $2 where id = $1', [client.id, now]);
    return client;
  };
  return {
    async add(made, tokenHash) {
      const client = await insertClient(pool, made, tokenHash, false);
      if (client === null) throw new Failure(certificateTaken());
      return client;
    },
    byTokenHash: (tokenHash) => using('token', BY_TOKEN, tokenHash),
    byCertificate: (sha256) => using('certificate', `certificate_sha256 = decode($1, 'hex')`, sha256),
    byId: (id) => (UUID.test(id) ? one(`select ${COLUMNS} from client where id = $1`, [id]) : Promise.resolve(null)),
    async list({ limit, after }) {
      const mark = after === undefined ? null : await this.byId(after);
      const { rows } = await pool.query<ClientRow>(
        `select ${COLUMNS} from client
         where $2::uuid is null or (created_at, id) < (select created_at, id from client where id = $2)
         order by created_at desc, id desc limit $1`,
        [limit + 1, mark?.id ?? null],
      );
      const items = rows.slice(0, limit).map(clientOf);
      return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
    },
    revoke: (id) =>
      UUID.test(id)
        ? one(`update client set revoked_at = $2 where id = $1 and revoked_at is null returning ${COLUMNS}`, [
            id,
            deps.clock(),
          ])
        : Promise.resolve(null),
    letRecordConsents: (id, granted, by) =>
      UUID.test(id)
        ? one(
            `update client set consents_granted_by = case when $2 then $3 end, consents_granted_at = case when $2 then $4::timestamptz end
             where id = $1 and revoked_at is null returning ${COLUMNS}`,
            [id, granted, by, deps.clock()],
          )
        : Promise.resolve(null),
    bootstrap: (tokenHash, replace) =>
      one(
        `insert into client (name, role, created_by, token_hash, bootstrap)
         values ('bootstrap administrator', 'administrator', 'start', $1, true)
         on conflict (bootstrap) where bootstrap do update set token_hash = excluded.token_hash, revoked_at = null
           where $2 or client.revoked_at is not null
         returning ${COLUMNS}`,
        [tokenHash, replace],
      ),
  };
}

export function createTokenDesk({ pool }: Database): TokenDesk {
  return {
    async keysOf(clientId) {
      if (!UUID.test(clientId)) return null;
      const { rows } = await pool.query<ClientRow & { jwks: readonly PublicKeyJwk[] }>(
        `select ${COLUMNS}, jwks from client where id = $1 and revoked_at is null and not pending and jwks is not null`,
        [clientId],
      );
      const [row] = rows;
      return row === undefined ? null : { client: clientOf(row), keys: row.jwks };
    },
    async grant(clientId, tokenHash, scope, endsAt) {
      await pool.query(
        `with over as (delete from access_token where ends_at < now() - interval '1 hour')
         insert into access_token (token_hash, client_id, scope, ends_at) values ($1, $2, $3, $4)`,
        [tokenHash, clientId, scope, endsAt],
      );
    },
  };
}
