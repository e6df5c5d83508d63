/** Migrations: their sum is the golden schema, any number of starters may apply them at once, and a newer database is refused. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { MIGRATIONS_DIR, migrate, migrationFiles } from '../../hub/store/migrate.ts';
import { freshDatabase } from '../support/database.ts';
import { describeSchema } from '../support/schema.ts';

test('the migrations make the schema that hub/store/schema.sql shows', async () => {
  const { database } = await freshDatabase();
  const golden = readFileSync(new URL('../../hub/store/schema.sql', import.meta.url), 'utf8');
  assert.equal(await describeSchema(database.pool), golden, 'run npm run generate and review the difference');
});

test('twenty starters at once apply every migration once', async () => {
  const { url, database } = await freshDatabase({ empty: true });
  const applied = await Promise.all(Array.from({ length: 20 }, () => migrate(url)));
  const names = [...migrationFiles().keys()].map((file) => file.slice(0, -'.sql'.length));
  assert.deepEqual(applied.flat(), names);
  const { rows } = await database.pool.query<{ name: string }>('select name from migration order by id');
  assert.deepEqual(
    rows.map(({ name }) => name),
    names,
  );
});

test('a migration that fails leaves nothing, and the next start does it again', async () => {
  const { url, database } = await freshDatabase({ empty: true });
  const dir = mkdtempSync(join(tmpdir(), 'hutong-migrations-'));
  try {
    writeFileSync(join(dir, '0001-first.sql'), 'create table first_one (n int);');
    writeFileSync(join(dir, '0002-second.sql'), 'create table second_one (n int); select 1/0;');
    await assert.rejects(migrate(url, dir), /division by zero/);
    const { rows } = await database.pool.query(`select from pg_class where relname in ('first_one', 'second_one')`);
    assert.equal(rows.length, 0);
    writeFileSync(join(dir, '0002-second.sql'), 'create table second_one (n int);');
    assert.deepEqual(await migrate(url, dir), ['0001-first', '0002-second']);
    assert.deepEqual(await migrate(url, dir), []);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test('a database that is newer than the program is refused', async () => {
  const { url } = await freshDatabase({ empty: true });
  const dir = mkdtempSync(join(tmpdir(), 'hutong-migrations-'));
  try {
    cpSync(MIGRATIONS_DIR, dir, { recursive: true });
    writeFileSync(join(dir, '9999-of-tomorrow.sql'), 'create table tomorrow (n int);');
    await migrate(url, dir);
    await assert.rejects(migrate(url), /newer than this release.*9999-of-tomorrow/);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test('a file that is not named as a migration is refused', () => {
  const dir = mkdtempSync(join(tmpdir(), 'hutong-migrations-'));
  try {
    writeFileSync(join(dir, '1-short.sql'), '');
    assert.throws(() => migrationFiles(dir), /1-short\.sql is not named NNNN-what-it-adds\.sql/);
  } finally {
    rmSync(dir, { recursive: true });
  }
});
