/** The one way to PostgreSQL: a pool, and transactions that always end. */
import pg from 'pg';

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

/** `max` connections; a query that waits longer than `connectTimeoutMs` for one rejects. */
export function openDatabase(url: string, options: { max: number; name: string; connectTimeoutMs?: number }): Database {
  const pool = new pg.Pool({
    connectionString: url,
    max: options.max,
    application_name: `hutong-${options.name}`,
    connectionTimeoutMillis: options.connectTimeoutMs ?? 10_000,
  });
  survive(pool);
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
