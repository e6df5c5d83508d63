/** Requests to identity providers on PostgreSQL: one answer each, taken once, whichever processes do it. */
import type { SamlRequest, SamlRequestStore } from '../core/identity-provider.ts';
import type { Database } from './database.ts';

interface Row {
  id: string;
  idp: string;
  browser_hash: Buffer;
  return_path: string;
  created_at: Date;
  ends_at: Date;
  answer: string | null;
}

const requestOf = (row: Row): SamlRequest => ({
  id: row.id,
  idp: row.idp,
  browser: row.browser_hash,
  returnPath: row.return_path,
  createdAt: row.created_at,
  endsAt: row.ends_at,
});

export function createSamlRequestStore({
  database,
  clock,
}: {
  database: Database;
  clock: () => Date;
}): SamlRequestStore {
  const { pool } = database;
  return {
    async begin({ id, idp, browser, returnPath, createdAt, endsAt }) {
      await pool.query(
        `with over as (delete from saml_request where ends_at < $5)
         insert into saml_request (id, idp, browser_hash, return_path, created_at, ends_at) values ($1, $2, $3, $4, $5, $6)`,
        [id, idp, browser, returnPath, createdAt, endsAt],
      );
    },
    async waiting(id) {
      const { rows } = await pool.query<Row>(
        'select * from saml_request where id = $1 and ends_at > $2 and answer is null',
        [id, clock()],
      );
      return rows[0] === undefined ? null : requestOf(rows[0]);
    },
    async answer(id, code, sealed, until) {
      const { rowCount } = await pool.query(
        `update saml_request set code_hash = $2, answer = $3, ends_at = $4
         where id = $1 and answer is null and ends_at > $5`,
        [id, code, sealed, until, clock()],
      );
      return rowCount === 1;
    },
    async take(code) {
      const { rows } = await pool.query<Row>(
        'delete from saml_request where code_hash = $1 and ends_at > $2 returning *',
        [code, clock()],
      );
      const [row] = rows;
      return row === undefined || row.answer === null ? null : { ...requestOf(row), answer: row.answer };
    },
  };
}
