/** Data keys in PostgreSQL, wrapped: implements DataKeyStore. The only table that nothing seals, since its rows are sealed. */
import type { DataKeyStore, NewKey, SealAlgorithm } from '../core/sealing.ts';
import type { Connection, Database } from './database.ts';

/** Any fixed number: of many that start at once one makes the first key. */
const LOCK = 4_857_218_032;

interface Row {
  id: number;
  algorithm: SealAlgorithm;
  wrapped: Buffer;
  wrapped_by: string;
  created_at: Date;
  current_from: Date;
}

export function createDataKeyStore(database: Pick<Database, 'pool' | 'transaction'>): DataKeyStore {
  const { pool } = database;
  return {
    async list() {
      const { rows } = await pool.query<Row>(
        'select id, algorithm, wrapped, wrapped_by, created_at, current_from from data_key order by id',
      );
      return rows.map((row) => ({
        id: row.id,
        algorithm: row.algorithm,
        wrapped: row.wrapped,
        wrappedBy: row.wrapped_by,
        createdAt: row.created_at,
        currentFrom: row.current_from,
      }));
    },
    begin: (key, make) =>
      database.transaction(async (connection) => {
        if ((await lastId(connection)) > 0) return;
        const { rows } = await connection.query<{ held: boolean }>(
          'select exists (select from hub_key) or exists (select from journal) or exists (select from patient_record) as held',
        );
        const { wrapped, state } = await make(1, rows[0]?.held ?? true);
        await insert(connection, 1, key, wrapped);
        await connection.query('insert into sealing (state) values ($1)', [state]);
      }),
    add: (key, wrap) =>
      database.transaction(async (connection) => {
        // No key is ever removed: records of the audit are not sealed anew, and a backup may hold anything.
        const id = (await lastId(connection)) + 1;
        await insert(connection, id, key, await wrap(id));
      }),
    async rewrap(id, wrapped, wrappedBy) {
      await pool.query('update data_key set wrapped = $2, wrapped_by = $3 where id = $1', [id, wrapped, wrappedBy]);
    },
    async state() {
      const { rows } = await pool.query<{ state: Buffer }>('select state from sealing');
      return rows[0]?.state ?? null;
    },
    async saveState(sealed) {
      await pool.query('update sealing set state = $1', [sealed]);
    },
  };
}

/** Under a lock until the transaction ends: who asks next sees what this one adds. */
async function lastId(connection: Connection): Promise<number> {
  await connection.query('select pg_advisory_xact_lock($1)', [LOCK]);
  const { rows } = await connection.query<{ last: number }>('select coalesce(max(id), 0) as last from data_key');
  return rows[0]?.last ?? 0;
}

async function insert(connection: Connection, id: number, key: NewKey, wrapped: Uint8Array): Promise<void> {
  await connection.query(
    'insert into data_key (id, algorithm, wrapped, wrapped_by, current_from) values ($1, $2, $3, $4, $5)',
    [id, key.algorithm, wrapped, key.wrappedBy, key.currentFrom],
  );
}
