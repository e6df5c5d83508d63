/** The installed PostgreSQL as the server of DATABASE_URL: the same migrations, schema and queue as on the embedded one. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { openDatabase } from '../../hub/store/database.ts';
import { migrate } from '../../hub/store/migrate.ts';
import { openPostgres } from '../../hub/store/postgres.ts';
import { accountFor } from '../../hub/store/postgres-server.ts';
import { openQueue } from '../../hub/store/queue.ts';
import { freePort } from '../support/redis.ts';
import { describeSchema } from '../support/schema.ts';
import { quiet } from '../support/server.ts';

const VERSIONS = '/usr/lib/postgresql';
const version = existsSync(VERSIONS) ? readdirSync(VERSIONS).find((name) => Number(name) >= 15) : undefined;
if (version === undefined && process.env.CI !== undefined) throw new Error('postgresql is not installed');
const skip = version === undefined ? 'no installed PostgreSQL of 15 or newer' : false;
const bin = join(VERSIONS, version ?? '', 'bin');
const dir = mkdtempSync(join(tmpdir(), 'hutong-server-'));
let stop = async (): Promise<void> => undefined;
after(async () => {
  await stop();
  rmSync(dir, { recursive: true, force: true });
});

/** A server of its own in a temporary folder, trusting loopback. */
async function raise(): Promise<string> {
  const { ids } = await accountFor(join(dir, 'data'));
  chmodSync(dir, 0o755);
  if (ids !== null) chownSync(dir, ids.uid, ids.gid);
  const as = { ...(ids ?? {}), cwd: '/', stdio: 'ignore' as const };
  execFileSync(
    join(bin, 'initdb'),
    ['-D', join(dir, 'data'), '-U', 'hub', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8'],
    as,
  );
  const port = await freePort();
  const flags = [
    '-p',
    String(port),
    '-c',
    'listen_addresses=127.0.0.1',
    '-c',
    'unix_socket_directories=',
    '-c',
    'fsync=off',
  ];
  const server = spawn(join(bin, 'postgres'), ['-D', join(dir, 'data'), ...flags], as);
  stop = async () => {
    server.kill('SIGINT');
    await once(server, 'exit');
  };
  const url = `postgres://hub@127.0.0.1:${port}/postgres`;
  for (let attempt = 0; ; attempt += 1) {
    const client = new pg.Client({ connectionString: url });
    try {
      await client.connect();
      await client.query('create database hub');
      return url.replace(/postgres$/, 'hub');
    } catch (error) {
      if (attempt > 100) throw error;
      await pause(100);
    } finally {
      await client.end().catch(() => undefined); // it may not have been connected
    }
  }
}

test('the hub runs on the installed server: migrations, the same schema, the queue', { skip }, async () => {
  const url = await raise();
  const server = await openPostgres({ databaseUrl: url, dir, what: 'test', log: quiet });
  assert.equal(server.embedded, false);
  assert.ok((await migrate(server.url)).length > 0);
  const database = openDatabase(url, { max: 2, name: 'test' });
  const golden = readFileSync(new URL('../../hub/store/schema.sql', import.meta.url), 'utf8');
  assert.equal(await describeSchema(database.pool), golden);
  await database.close();
  const queue = await openQueue({ databaseUrl: url, redisUrl: null, log: quiet });
  const seen: unknown[] = [];
  await queue.work('outbox', 1, async (payload) => void seen.push(payload));
  await queue.offer('outbox', 'one', { id: '1' });
  for (let n = 0; n < 200 && seen.length === 0; n += 1) await pause(25);
  assert.deepEqual(seen, [{ id: '1' }]);
  await queue.close();
});

test('a server that is no PostgreSQL is named in one line', async () => {
  const stranger = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
  await once(stranger, 'listening');
  const address = stranger.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const url = `postgres://hub:hidden-word@127.0.0.1:${port}/hub`;
  await assert.rejects(openPostgres({ databaseUrl: url, dir, what: 'test', log: quiet }), (error: Error) => {
    assert.match(error.message, new RegExp(`^DATABASE_URL: no connection to 127.0.0.1:${port}/hub: [^\\n]+$`));
    assert.doesNotMatch(error.message, /hidden-word/);
    return true;
  });
  stranger.close();
});
