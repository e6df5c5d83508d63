/** The test database itself: a clone carries the schema, clones do not see each other, and all end with the file. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { Connection } from '../../hub/store/database.ts';
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

test('a connection that the server ends between two queries of a transaction ends only that transaction', async () => {
  const one = await freshDatabase();
  const { database } = one;
  const pid = async (connection: Connection): Promise<number> => {
    const { rows } = await connection.query<{ pid: number }>('select pg_backend_pid() as pid');
    return rows[0]?.pid ?? 0;
  };
  await assert.rejects(
    database.transaction(async (connection) => {
      await database.pool.query('select pg_terminate_backend($1)', [await pid(connection)]);
      await pause(200); // the goodbye of the server arrives while no query waits for an answer
      await connection.query('select 1');
    }),
  );
  assert.ok((await database.transaction(pid)) > 0);
  await one.drop();
});
