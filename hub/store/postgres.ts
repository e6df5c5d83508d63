/** Which PostgreSQL the hub runs on: the server of DATABASE_URL, or the embedded one; checked before anything uses it. */
import pg from 'pg';
import type { Log } from '../core/ports.ts';
import { openEmbeddedPostgres } from './embedded-postgres.ts';

export interface PostgresServer {
  readonly url: string;
  readonly embedded: boolean;
  close(): Promise<void>;
}

const OLDEST = 15;
const NEWEST = 18;

export interface PostgresChoice {
  /** null: embedded. */
  readonly databaseUrl: string | null;
  readonly dir: string;
  readonly what: string;
  readonly log: Log;
}

/** Rejects with one clear line when the server cannot be reached or is not one of the supported versions. */
export async function openPostgres(choice: PostgresChoice): Promise<PostgresServer> {
  if (choice.databaseUrl !== null) {
    await checkServer(choice.databaseUrl);
    return { url: choice.databaseUrl, embedded: false, close: () => Promise.resolve() };
  }
  const server = await openEmbeddedPostgres({ dir: choice.dir, what: choice.what, log: choice.log });
  return {
    url: server.url,
    embedded: true,
    close: async () => {
      const stopped = await server.close();
      choice.log.info({ stopped }, stopped ? 'embedded PostgreSQL stopped' : 'embedded PostgreSQL left to others');
    },
  };
}

async function checkServer(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  client.on('error', () => undefined); // the query below rejects as well
  try {
    await client.connect().catch((error: unknown) => {
      throw new Error(`DATABASE_URL: no connection to ${placeOf(url)}: ${reasonOf(error)}`);
    });
    const { rows } = await client.query<{ version: string; number: number; encoding: string }>(
      `select current_setting('server_version') as version, current_setting('server_version_num')::int as number,
              current_setting('server_encoding') as encoding`,
    );
    const { version = '', number = 0, encoding = '' } = rows[0] ?? {};
    const major = Math.floor(number / 10_000);
    if (major < OLDEST || major > NEWEST)
      throw new Error(
        `DATABASE_URL: PostgreSQL ${version} is not supported; the hub runs on ${String(OLDEST)} to ${String(NEWEST)}`,
      );
    if (encoding !== 'UTF8')
      throw new Error(`DATABASE_URL: the database is encoded in ${encoding}; create it with ENCODING 'UTF8'`);
  } finally {
    await client.end().catch(() => undefined); // nothing was opened
  }
}

/** Host, port and database: never the password. */
function placeOf(url: string): string {
  const { hostname, port, pathname } = new URL(url);
  return `${hostname || 'localhost'}:${port || '5432'}${pathname}`;
}

function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return reasonOf(error.errors[0]);
  return error instanceof Error ? error.message : 'unknown reason';
}
