/** Start and stop of the real process: orphans are adopted, a second hub is refused, a killed server comes back. */
import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { freshDatabase } from '../support/database.ts';
import type { HubProcess } from '../support/hub.ts';
import { dataFolder, serverPid, startHub } from '../support/hub.ts';

const { dir, remove } = await dataFolder();
const started: HubProcess[] = [];
after(async () => {
  for (const hub of started) if (hub.process.exitCode === null) hub.signal('SIGKILL');
  await remove();
});

function hub(roles: readonly string[] = [], env: Record<string, string> = {}, folder = dir): HubProcess {
  const raised = startHub(folder, roles, env);
  started.push(raised);
  return raised;
}

async function readyAgain(address: string, limitMs = 30_000): Promise<void> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const status = await fetch(`${address}/readyz`).then(
      (answer) => answer.status,
      () => 0,
    );
    if (status === 200) return;
    assert.ok(Date.now() < deadline, `still ${status}`);
    await pause(100);
  }
}

const lastLine = (process: HubProcess): string => process.said().trim().split('\n').at(-1) ?? '';

test('it starts on an empty folder, is ready, and SIGTERM ends it with 0 and stops its server', async () => {
  const first = hub();
  await first.up();
  await readyAgain(first.address());
  assert.match(first.said(), /administrator's token, shown only now: \S{20,}/);
  assert.equal((await stat(join(dir, 'postgres/server.json'))).mode & 0o777, 0o600);
  first.signal('SIGTERM');
  assert.equal(await first.ended(), 0);
  assert.equal(await serverPid(dir), null);
});

test('a second hub on the same folder is refused with one line; the token is not shown again', async () => {
  const first = hub();
  await first.up();
  assert.doesNotMatch(first.said(), /token/);
  const second = hub();
  assert.equal(await second.ended(), 1);
  assert.equal(second.said().trim().split('\n').length, 1, second.said());
  assert.match(second.said(), /^hutong: another hub \(pid \d+\) already runs role api on .*HUB_DATA_DIR/);
  await readyAgain(first.address());
  first.signal('SIGTERM');
  assert.equal(await first.ended(), 0);
});

test('roles run beside each other on one folder; the last one stops the server', async () => {
  const api = hub(['api']);
  await api.up();
  const worker = hub(['worker'], { HUB_HEALTH_PORT: '0' });
  await worker.up();
  const server = await serverPid(dir);
  await readyAgain(worker.address());
  api.signal('SIGTERM');
  assert.equal(await api.ended(), 0);
  assert.equal(await serverPid(dir), server);
  await readyAgain(worker.address());
  worker.signal('SIGINT');
  assert.equal(await worker.ended(), 0);
  assert.equal(await serverPid(dir), null);
});

test('kill -9 of the hub leaves its server; the next hub takes over lock and server', async () => {
  const first = hub();
  await first.up();
  const server = await serverPid(dir);
  first.signal('SIGKILL');
  assert.equal(await first.ended(), null);
  assert.equal(await serverPid(dir), server);
  const next = hub();
  await next.up();
  assert.equal(await serverPid(dir), server);
  next.signal('SIGTERM');
  assert.equal(await next.ended(), 0);
  assert.equal(await serverPid(dir), null);
});

test('kill -9 of hub and server: the next hub waits until the server lets go, and starts it', async () => {
  const first = hub();
  await first.up();
  const server = (await serverPid(dir)) ?? 0;
  first.signal('SIGKILL');
  process.kill(server, 'SIGKILL');
  const next = hub();
  await next.up();
  assert.notEqual(await serverPid(dir), server);
  await readyAgain(next.address());
  next.signal('SIGTERM');
  assert.equal(await next.ended(), 0);
});

test('kill -9 of the server under a running hub: it comes back and the pools with it', async () => {
  const only = hub();
  await only.up();
  const server = (await serverPid(dir)) ?? 0;
  process.kill(server, 'SIGKILL');
  await pause(300);
  await readyAgain(only.address());
  const back = await serverPid(dir);
  assert.ok(back !== null && back !== server);
  only.signal('SIGTERM');
  assert.equal(await only.ended(), 0);
});

test('a hub that was started nice keeps its place: an ordinary user may not ask for more', async (t) => {
  if (process.platform !== 'linux') return t.skip('threads have priorities of their own on Linux only');
  const polite = hub(['worker'], { HUB_HEALTH_PORT: '0' });
  setPriority(polite.pid, 15);
  await polite.up();
  const tasks = `/proc/${polite.pid}/task`;
  const stats = await Promise.all((await readdir(tasks)).map((id) => readFile(join(tasks, id, 'stat'), 'utf8')));
  // proc(5): nice is field 19, the 17th after the name in brackets.
  const niceness = stats.map((text) => Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[16]));
  assert.ok(niceness.includes(15), niceness.join());
  assert.ok(!niceness.includes(10), niceness.join());
  polite.signal('SIGTERM');
  assert.equal(await polite.ended(), 0);
});

test('SIGTERM during the start ends it in order', async () => {
  for (const afterMs of [400, 900, 1_500]) {
    const only = hub();
    await pause(afterMs);
    only.signal('SIGTERM');
    const code = await only.ended();
    assert.ok(code === 0 || code === null, only.said()); // null: the signal came before the program could hear it
    assert.equal(await serverPid(dir), null);
  }
});

test('DATABASE_URL: that server is used, and one that does not answer is named in one line without its password', async () => {
  const other = await dataFolder();
  const { url } = await freshDatabase({ empty: true });
  const [one, two] = [
    hub(['api'], { DATABASE_URL: url }, other.dir),
    hub(['worker'], { DATABASE_URL: url }, other.dir),
  ];
  await Promise.all([one.up(), two.up()]);
  await readyAgain(one.address());
  assert.equal(await serverPid(other.dir), null);
  for (const running of [one, two]) running.signal('SIGTERM');
  assert.deepEqual(await Promise.all([one.ended(), two.ended()]), [0, 0]);
  const lost = hub([], { DATABASE_URL: 'postgres://u:hidden-word@127.0.0.1:1/db' }, other.dir);
  assert.equal(await lost.ended(), 1);
  assert.match(lastLine(lost), /^hutong: DATABASE_URL: no connection to 127\.0\.0\.1:1\/db/);
  assert.doesNotMatch(lost.said(), /hidden-word/);
  await other.remove();
});

test('npm start -- migrate brings the database up and ends', async () => {
  const { url, database } = await freshDatabase({ empty: true });
  const migrating = hub(['migrate'], { DATABASE_URL: url });
  assert.equal(await migrating.ended(), 0);
  const { rows } = await database.pool.query<{ n: number }>('select count(*)::int as n from migration');
  assert.ok((rows[0]?.n ?? 0) > 0);
});

test('a bad value, a wrong role and a foreign folder end the start with one line that says what to do', async () => {
  for (const [roles, env, says] of [
    [[], { HUB_MLLP_PORT: 'abc' }, /^hutong: HUB_MLLP_PORT takes a whole number from 0 to 65535/],
    [['gateway'], {}, /^hutong: role gateway is not in this release/],
    [['apy'], {}, /^hutong: there is no role apy: roles are/],
    [[], { HUB_DATA_DIR: '/dev/null/none' }, /^hutong: /],
  ] as const) {
    const refused = hub([...roles], { ...env });
    assert.equal(await refused.ended(), 1);
    assert.equal(refused.said().trim().split('\n').length, 1, refused.said());
    assert.match(refused.said(), says);
  }
});

test(
  'a folder closed to others does not keep a root hub from starting',
  { skip: process.getuid?.() !== 0 },
  async () => {
    const closed = await dataFolder(); // mkdtemp makes it 0700, owned by root
    const inner = join(closed.dir, 'deep/er');
    await mkdir(join(closed.dir, 'deep'), { mode: 0o700 });
    const only = hub(['api'], {}, inner);
    await only.up();
    await readyAgain(only.address());
    only.signal('SIGTERM');
    assert.equal(await only.ended(), 0);
    await closed.remove();
  },
);
