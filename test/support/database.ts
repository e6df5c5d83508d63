/**
 * A database of its own for each test file: cloned from a migrated template, on the server of HUB_TEST_DATABASE_URL or
 * on an embedded one under var/test-pg that parallel test processes share and the last one stops.
 */
import { createHash, randomBytes } from 'node:crypto';
import { after } from 'node:test';
import pg from 'pg';
import type { Database } from '../../hub/store/database.ts';
import { openDatabase } from '../../hub/store/database.ts';
import type { EmbeddedPostgres } from '../../hub/store/embedded-postgres.ts';
import { migrate, migrationFiles } from '../../hub/store/migrate.ts';
import type { Vault } from '../../hub/core/sealing.ts';
import { openTestKeys } from './keyring.ts';
import { testServer } from './server.ts';

export { quiet } from './server.ts';

export interface FreshDatabase {
  readonly url: string;
  readonly database: Database;
  /** Closes the pool and removes the database; what a test leaves behind is dropped with the server. */
  drop(): Promise<void>;
}

const TEMPLATE_LOCK = 4_857_218_004;

let server: Promise<EmbeddedPostgres> | null = null;
let template: Promise<string> | null = null;
const open = new Set<FreshDatabase>();

async function serverUrl(): Promise<string> {
  const given = process.env.HUB_TEST_DATABASE_URL;
  if (given !== undefined && given !== '') return given;
  server ??= testServer();
  return (await server).url;
}

after(async () => {
  for (const left of open) await left.drop();
  if (server !== null) await (await server).close();
});

function withDatabase(url: string, name: string): string {
  const at = new URL(url);
  at.pathname = `/${name}`;
  return at.toString();
}

async function asAdmin<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Named by the migrations it holds; built once under an advisory lock, whoever comes first. */
function templateName(): string {
  const content = JSON.stringify([...migrationFiles(), 'keys']);
  return `hutong_template_${createHash('sha256').update(content).digest('hex').slice(0, 12)}`;
}

async function ensureTemplate(url: string): Promise<string> {
  const name = templateName();
  await asAdmin(url, async (client) => {
    await client.query('select pg_advisory_lock($1)', [TEMPLATE_LOCK]);
    const { rowCount } = await client.query('select from pg_database where datname = $1', [name]);
    if (rowCount !== 0) return;
    const draft = `${name}_draft`;
    await client.query(`drop database if exists ${draft} with (force)`);
    await client.query(`create database ${draft}`);
    await migrate(withDatabase(url, draft));
    await (await openTestKeys(withDatabase(url, draft))).close();
    await patiently(() => client.query(`alter database ${draft} rename to ${name}`));
  });
  return name;
}

/** A session that just ended may still count as a user of the database for some milliseconds (55006 object_in_use). */
async function patiently(work: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await work();
      return;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : '';
      if (code !== '55006' || attempt === 50) throw error;
      await new Promise((resume) => setTimeout(resume, 100));
    }
  }
}

let shared: Promise<Vault> | null = null;

const acceptingClear = (vault: Vault): Vault => ({
  ...vault,
  fields: { ...vault.fields, acceptsClear: true },
});

/** Every clone of the template has its data keys: they are unwrapped once. */
async function sharedVault(url: string): Promise<Vault> {
  const keys = await openTestKeys(url);
  await keys.close();
  return keys.vault;
}

interface FreshOptions {
  readonly max?: number;
  /** Without the hub's schema, for tests of the migrations themselves. */
  readonly empty?: boolean;
  /** Rows in clear are read, as of a release that did not seal. */
  readonly clear?: boolean;
}

export async function freshDatabase(options: FreshOptions = {}): Promise<FreshDatabase> {
  const admin = await serverUrl();
  const name = `hutong_test_${randomBytes(6).toString('hex')}`;
  template ??= options.empty === true ? null : ensureTemplate(admin);
  const from = options.empty === true ? 'template0' : await template;
  await asAdmin(admin, (client) => patiently(() => client.query(`create database ${name} template ${String(from)}`)));
  const url = withDatabase(admin, name);
  if (options.empty !== true) shared ??= sharedVault(url);
  const sealed =
    options.empty === true || shared === null
      ? {}
      : { vault: options.clear === true ? acceptingClear(await shared) : await shared };
  const database = openDatabase(url, { max: options.max ?? 8, name: 'test', ...sealed });
  const fresh: FreshDatabase = {
    url,
    database,
    drop: async () => {
      if (!open.delete(fresh)) return;
      await database.close();
      await asAdmin(admin, (client) => client.query(`drop database if exists ${name} with (force)`));
    },
  };
  open.add(fresh);
  return fresh;
}
