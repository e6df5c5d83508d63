/** Marks of processes on a folder: one holder at a time, dead holders are replaced, and a closed folder is named. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { whyBlocked } from '../../hub/store/postgres-server.ts';
import { claimLock, countUsers, inTurn, isAlive, joinUsers } from '../../hub/store/process-lock.ts';

const dir = mkdtempSync(join(tmpdir(), 'hutong-lock-'));
after(() => rmSync(dir, { recursive: true }));

test('of many who claim at once exactly one holds, and after its release another can', async () => {
  const path = join(dir, 'one.lock');
  const claims = await Promise.all(Array.from({ length: 20 }, () => claimLock(path, 'test')));
  const held = claims.flatMap((claim) => (claim.ok ? [claim.hold] : []));
  assert.equal(held.length, 1);
  await held[0]?.release();
  assert.ok((await claimLock(path, 'test')).ok);
});

test('a lock whose pid was given to another process is taken over', async () => {
  const path = join(dir, 'reused.lock');
  const first = await claimLock(path, 'test');
  assert.ok(first.ok);
  const mark = JSON.parse(readFileSync(path, 'utf8')) as { started: string };
  writeFileSync(path, JSON.stringify({ ...mark, id: 'other', started: '1' }));
  assert.ok((await claimLock(path, 'test')).ok);
});

test('an unreadable mark and one of an earlier boot are taken over', async () => {
  const path = join(dir, 'broken.lock');
  writeFileSync(path, '{"half');
  const first = await claimLock(path, 'test');
  assert.ok(first.ok);
  const mark = JSON.parse(readFileSync(path, 'utf8')) as object;
  writeFileSync(path, JSON.stringify({ ...mark, id: 'other', boot: 'earlier' }));
  assert.ok((await claimLock(path, 'test')).ok);
});

test('turns do not overlap', async () => {
  let inside = 0;
  let most = 0;
  const turn = (): Promise<void> =>
    inTurn(join(dir, 'turn.lock'), 'test', 10_000, async () => {
      most = Math.max(most, (inside += 1));
      await new Promise((resume) => setTimeout(resume, 5));
      inside -= 1;
    });
  await Promise.all(Array.from({ length: 8 }, turn));
  assert.equal(most, 1);
});

test('users are counted while they live', async () => {
  const users = join(dir, 'users');
  const one = await joinUsers(users, 'test');
  await joinUsers(users, 'test');
  assert.equal(await countUsers(users), 2);
  await one.release();
  assert.equal(await countUsers(users), 1);
});

test('a process that was killed is dead, reaped or not', async () => {
  const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)'], { stdio: 'ignore' });
  const pid = child.pid ?? 0;
  assert.ok(isAlive(pid));
  assert.ok(!isAlive(pid, '1'));
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.ok(!isAlive(pid));
});

test('a folder that the account of the server may not pass is named with the ways out', async () => {
  const account = { ids: { uid: 65_534, gid: 65_534 }, name: 'nobody' }; // mkdtemp made the folder 0700
  const line = (await whyBlocked(join(dir, 'data'), account)) ?? '';
  assert.ok(line.startsWith(`embedded PostgreSQL runs as user nobody, who may not enter ${dir}: `));
  assert.ok(line.includes('DATABASE_URL') && !line.includes('\n'));
  assert.equal(await whyBlocked('/etc/passwd', account), null);
});
