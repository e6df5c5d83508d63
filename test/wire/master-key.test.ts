/** Master keys from a file, the environment and a key management service over real HTTP: also wrong, lost, slow and away. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openKeys } from '../../hub/compose-keys.ts';
import { readConfig } from '../../hub/config.ts';
import { MasterKeyFault } from '../../hub/core/sealing.ts';
import { kmsWrapper, type KmsSettings } from '../../hub/security/kms.ts';
import { makeKeyFile } from '../../hub/security/master-key.ts';
import { freshDatabase, quiet, type FreshDatabase } from '../support/database.ts';
import { dataFolder } from '../support/hub.ts';
import { memoryDataKeys, testKeyring, testWrapper } from '../support/keyring.ts';

const TOKEN = 'a-token-for-the-service';
let service: Server;
let answer: (request: IncomingMessage, response: ServerResponse, body: string) => void;
let asked: { readonly url: string; readonly body: Record<string, unknown> }[] = [];
let folder: Awaited<ReturnType<typeof dataFolder>>;
let fresh: FreshDatabase;

before(async () => {
  service = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      answer(request, response, Buffer.concat(parts).toString());
    });
  }).listen(0, '127.0.0.1');
  await once(service, 'listening');
  folder = await dataFolder();
  fresh = await freshDatabase();
  await fresh.database.pool.query('truncate data_key, sealing, hub_key');
});
after(async () => {
  service.closeAllConnections();
  service.close();
  await folder.remove();
});

const settings = (more: Partial<KmsSettings> = {}): KmsSettings => ({
  url: `http://127.0.0.1:${String((service.address() as AddressInfo).port)}/v1`,
  ...{ key: 'province', token: TOKEN, ca: null, identity: null, timeoutMs: 2_000, retryMs: [1, 1] },
  ...more,
});

/** As the contract of openapi/keys.md has it, with a key of its own. */
const held = testWrapper('of the service');
async function serve(request: IncomingMessage, response: ServerResponse, text: string): Promise<void> {
  const body = JSON.parse(text) as Record<string, string>;
  asked.push({ url: request.url ?? '', body });
  if (request.headers.authorization !== `Bearer ${TOKEN}`) {
    response.writeHead(401).end();
    return;
  }
  const bytes = (name: string): Buffer => Buffer.from(body[name] ?? '', 'base64');
  const context = body['context'] ?? '';
  const made =
    request.url === '/v1/wrap'
      ? { wrapped: Buffer.from(await held.wrap(bytes('plain'), context)).toString('base64') }
      : { plain: Buffer.from(await held.unwrap(bytes('wrapped'), context)).toString('base64') };
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(made));
}

test('a service wraps data keys and gives them back, and the hub never has its key', async () => {
  answer = (...all) => void serve(...all);
  const store = memoryDataKeys();
  const first = await testKeyring(store, { wrappers: [kmsWrapper(settings())] });
  const sealed = first.fields.seal(Buffer.from('kept'), 'a');
  first.close();
  assert.equal(store.rows[0]?.wrappedBy, 'kms:province');
  const again = await testKeyring(store, { wrappers: [kmsWrapper(settings())] });
  assert.equal(again.fields.open(sealed, 'a').toString(), 'kept');
  again.close();
  assert.deepEqual(
    asked.map(({ url, body }) => [url, body['key'], body['context']]),
    [
      ['/v1/wrap', 'province', 'data_key 1 aes-256-gcm'],
      ['/v1/unwrap', 'province', 'data_key 1 aes-256-gcm'],
      ['/v1/unwrap', 'province', 'data_key 1 aes-256-gcm'],
    ],
  );
});

test('a service that is busy or silent is asked again, a bounded number of times; a refusal is not', async () => {
  asked = [];
  let times = 0;
  answer = (request, response, body) => {
    times += 1;
    if (times < 3) response.writeHead(times === 1 ? 503 : 429).end();
    else void serve(request, response, body);
  };
  await kmsWrapper(settings()).wrap(Buffer.alloc(32), 'c');
  assert.equal(times, 3);
  times = 0;
  answer = () => (times += 1);
  await assert.rejects(kmsWrapper(settings({ timeoutMs: 50 })).wrap(Buffer.alloc(32), 'c'), MasterKeyFault);
  assert.equal(times, 3);
  answer = (...all) => void serve(...all);
  asked = [];
  await assert.rejects(kmsWrapper(settings({ token: 'another' })).wrap(Buffer.alloc(32), 'c'), (error) => {
    assert.ok(error instanceof MasterKeyFault);
    assert.match(error.message, /^HUB_KMS_URL: the key management service answered 401 when it was asked to wrap/);
    assert.ok(!error.message.includes('another') && !error.message.includes('127.0.0.1'));
    return true;
  });
  assert.equal(asked.length, 1);
});

for (const [what, body] of [
  ['no JSON', 'oops'],
  ['no key', '{}'],
  ['a number', '{"wrapped": 7}'],
  ['without end', `{"wrapped": "${'A'.repeat(100_000)}"}`],
] as const)
  test(`an answer with ${what} is a fault`, async () => {
    answer = (_request, response) => response.writeHead(200).end(body);
    await assert.rejects(kmsWrapper(settings({ retryMs: [] })).wrap(Buffer.alloc(32), 'c'), MasterKeyFault);
  });

const open = (env: Readonly<Record<string, string>>): ReturnType<typeof openKeys> =>
  openKeys(readConfig({ HUB_DATA_DIR: folder.dir, ...env }), fresh.url, quiet);

test('without a setting a file is made once, for the hub alone; without it nothing starts and none is made', async () => {
  const path = join(folder.dir, 'keys', 'master.key');
  const first = await open({});
  const sealed = first.vault.fields.seal(Buffer.from('kept'), 'a');
  await first.close();
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.equal(makeKeyFile(path), false);
  assert.deepEqual(await readdir(dirname(path)), ['master.key']);
  const text = await readFile(path, 'utf8');
  const again = await open({ HUB_MASTER_KEY: text });
  assert.equal(again.vault.fields.open(sealed, 'a').toString(), 'kept', 'the same key from the environment');
  await again.close();
  const elsewhere = { HUB_DATA_DIR: join(folder.dir, 'elsewhere') };
  await assert.rejects(open(elsewhere), /are not set and .* is not there, but this database is sealed under local:/);
  await assert.rejects(stat(join(folder.dir, 'elsewhere', 'keys', 'master.key')), /ENOENT/);
  await chmod(path, 0o644);
  await assert.rejects(open({}), /may be read by others: chmod 600 it/);
  await chmod(path, 0o600);
  const short = join(folder.dir, 'short.key');
  await writeFile(short, 'c2hvcnQ=\n', { mode: 0o600 });
  await assert.rejects(open({ HUB_MASTER_KEY_FILE: short }), /takes 32 random bytes as base64 or hexadecimal/);
  await assert.rejects(open({ HUB_MASTER_KEY_FILE: join(folder.dir, 'none.key') }), /cannot be read: ENOENT/);
});

test('a hub with another master key says so in one line and starts nothing; keys status tells what there is', async () => {
  const run = async (words: readonly string[], key: string): Promise<{ code: number | null; said: string }> => {
    const child = spawn(process.execPath, ['--import', 'tsx', 'hub/main.ts', ...words], {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      env: {
        ...{ PATH: process.env['PATH'], HUB_DATA_DIR: folder.dir, DATABASE_URL: fresh.url, HUB_MASTER_KEY: key },
        ...{ HUB_HTTP_PORT: '0', HUB_MLLP_PORT: '0', HUB_DIMSE_PORT: '0', HUB_LOG_LEVEL: 'error' },
      },
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => (said += part.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, said };
  };
  const wrong = await run([], Buffer.alloc(32, 1).toString('base64'));
  assert.equal(wrong.code, 1, wrong.said);
  assert.match(
    wrong.said,
    /^hutong: the master key at hand is local:\w+, but this database is sealed under local:\w+: [^\n]*\n$/,
  );
  const right = await run(['keys', 'status'], await readFile(join(folder.dir, 'keys', 'master.key'), 'utf8'));
  assert.equal(right.code, 0, right.said);
  assert.match(
    right.said,
    /^master key local:\w+\ndata key 1 {2}aes-256-gcm, wrapped by local:\w+, since \S+, current\nno row lies in clear\n/,
  );
  assert.equal((await run(['keys', 'nonsense'], '')).code, 2);
});
