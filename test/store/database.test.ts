/** The test database itself: a clone carries the schema, clones do not see each other, and all end with the file. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { migrationFiles } from '../../hub/store/migrate.ts';
import { freshDatabase } from '../support/database.ts';

test('a fresh database carries every migration and is alone', async () => {
  const [one, two] = await Promise.all([freshDatabase(), freshDatabase()]);
  const { rows } = await one.database.pool.query<{ name: string }>('select name from migration order by id');
  assert.deepEqual(
    rows.map(({ name }) => `${name}.sql`),
    [...migrationFiles().keys()],
  );
  await one.database.pool.query('create table only_here (n int)');
  await assert.rejects(two.database.pool.query('select * from only_here'), /does not exist/);
  await one.drop();
  await two.drop();
});
