/** The one way to PostgreSQL: a pool, and transactions that always end. */
import pg from 'pg';
import type { Vault } from '../core/sealing.ts';
import { closeNumbersSent, openingTypes } from './sealed-numbers.ts';

// int8 stays a string by default in pg; journal ids are strings in the domain, counts are cast to int in SQL.
export type Connection = Pick<pg.PoolClient, 'query'>;

export interface Database {
  readonly pool: pg.Pool;
  /** Runs `work` in one transaction: committed when it resolves, rolled back when it rejects. */
  transaction<T>(work: (connection: pg.PoolClient) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/**
 * A connection that the server closes must not end the process, idle (the pool tells) or in somebody's hands between two
 * queries (only the client tells): the next query on it rejects, and the pool opens another.
 */
export function survive(pool: pg.Pool): void {
  pool.on('error', () => undefined);
  pool.on('connect', (client) => {
    client.on('error', () => undefined);
  });
}

/** A connection knows by what is sealed that goes over it, so that no row is written in clear for want of a parameter. */
const vaults = new WeakMap<object, Vault>();

export function vaultOf(connection: Connection): Vault {
  const vault = vaults.get(connection);
  if (vault === undefined)
    throw new Error('this connection was opened without keys: nothing may be sealed or opened on it');
  return vault;
}

export interface DatabaseOptions {
  readonly max: number;
  readonly name: string;
  /** A query that waits longer for a connection rejects. */
  readonly connectTimeoutMs?: number;
  /** Plans a prepared statement once and not for its values: for few statements that run all the time. */
  readonly planOnce?: boolean;
  /** By what rows are sealed; absent for who reads and writes none that are. */
  readonly vault?: Vault;
}

/** `max` connections at most, opened as they are needed. */
export function openDatabase(url: string, options: DatabaseOptions): Database {
  const pool = new pg.Pool({
    connectionString: url,
    max: options.max,
    application_name: `hutong-${options.name}`,
    connectionTimeoutMillis: options.connectTimeoutMs ?? 10_000,
    ...(options.vault === undefined ? {} : { types: openingTypes(options.vault.numbers) }),
    ...(options.planOnce === true ? { options: '-c plan_cache_mode=force_generic_plan' } : {}),
  });
  survive(pool);
  const { vault } = options;
  if (vault !== undefined) {
    vaults.set(pool, vault);
    pool.on('connect', (client) => {
      vaults.set(client, vault);
      closeNumbersSent(client, vault.numbers);
    });
  }
  return {
    pool,
    async transaction(work) {
      const connection = await pool.connect();
      try {
        await connection.query('begin');
        const value = await work(connection);
        await connection.query('commit');
        connection.release();
        return value;
      } catch (error) {
        await connection.query('rollback').then(
          () => connection.release(),
          (broken: unknown) => connection.release(broken instanceof Error ? broken : true),
        );
        throw error;
      }
    },
    close: () => pool.end(),
  };
}
