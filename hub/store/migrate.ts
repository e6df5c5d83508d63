/**
 * Brings a database to the schema of this release: forward-only SQL files, in order, in one transaction, under an
 * advisory lock that waits, so that any number of processes may start at once.
 */
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runner } from 'node-pg-migrate';
import pg from 'pg';

export const MIGRATIONS_DIR = fileURLToPath(new URL('./sql', import.meta.url));
const FILE_NAME = /^\d{4}-[a-z0-9-]+\.sql$/;
/** Any fixed number: the hub's own, so that another program's node-pg-migrate on the same server does not wait for it. */
const LOCK = 4_857_218_003;

/** File name -> SHA-256 of its content, in order. */
export function migrationFiles(dir = MIGRATIONS_DIR): ReadonlyMap<string, string> {
  const names = readdirSync(dir)
    .filter((name) => name.endsWith('.sql'))
    .sort();
  for (const name of names)
    if (!FILE_NAME.test(name)) throw new Error(`migration ${name} is not named NNNN-what-it-adds.sql`);
  return new Map(
    names.map((name) => [
      name,
      createHash('sha256')
        .update(readFileSync(join(dir, name)))
        .digest('hex'),
    ]),
  );
}

/** Applies what is missing and returns the names applied; rejects when the database is newer than this release. */
export async function migrate(url: string, dir = MIGRATIONS_DIR): Promise<readonly string[]> {
  const known = [...migrationFiles(dir).keys()].map((file) => file.slice(0, -'.sql'.length));
  await refuseNewer(url, known);
  const applied = await runner({
    databaseUrl: { connectionString: url, application_name: 'hutong-migrate' },
    dir,
    ignorePattern: '(?!.*\\.sql$).*',
    migrationsTable: 'migration',
    direction: 'up',
    checkOrder: true,
    singleTransaction: true,
    advisoryLockMode: 'wait',
    lockValue: LOCK,
    logger: { info: () => undefined, warn: () => undefined, error: () => undefined },
  });
  return applied.map(({ name }) => name);
}

/** An older program on a newer database would write what the newer one no longer understands. */
async function refuseNewer(url: string, known: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url, application_name: 'hutong-migrate' });
  client.on('error', () => undefined); // the query in hand rejects as well
  await client.connect();
  try {
    const { rows: tables } = await client.query(`select where to_regclass('public.migration') is not null`);
    if (tables.length === 0) return;
    const { rows } = await client.query<{ name: string }>('select name from public.migration order by id');
    const newer = rows.map(({ name }) => name).filter((name) => !known.includes(name));
    if (newer.length > 0)
      throw new Error(`the database is newer than this release of the hub: it has ${newer.slice(0, 3).join(', ')}`);
  } finally {
    await client.end();
  }
}
