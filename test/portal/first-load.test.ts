/** What a browser gets before anybody signed in: how much, under which policy, and what of it may be kept. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import express from 'express';
import { createPortal } from '../../hub/api/portal.ts';
import { builtPortal } from '../support/browser.ts';

let folder = '';
let server: Server;
let origin = '';

async function serve(from: string): Promise<Server> {
  const app = express();
  app.use(createPortal(from).router);
  const listening = app.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  return listening;
}
const originOf = (listening: Server): string => `http://127.0.0.1:${String((listening.address() as AddressInfo).port)}`;

before(async () => {
  folder = await builtPortal();
  server = await serve(folder);
  origin = originOf(server);
});
after(() => {
  server.closeAllConnections();
  server.close();
});

test('the first load is below 300 KB compressed', () => {
  const page = readFileSync(join(folder, 'index.html'), 'utf8');
  const named = [...page.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map((match) => match[1] ?? '');
  assert.ok(named.some((path) => path.endsWith('.js')) && named.some((path) => path.endsWith('.css')));
  const sizes = named.map((path) => gzipSync(readFileSync(join(folder, path)), { level: 6 }).length);
  const total = gzipSync(page).length + sizes.reduce((sum, size) => sum + size, 0);
  assert.ok(total < 300 * 1024, `the first load is ${String(total)} bytes`);
});

test('a page comes with a policy that lets no script and nothing from elsewhere in', async () => {
  const answer = await fetch(`${origin}/patients`);
  const policy = answer.headers.get('content-security-policy') ?? '';
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /script-src 'self'(;|$)/);
  assert.doesNotMatch(policy, /unsafe-eval|https?:|\*/);
  assert.match(policy, /frame-ancestors 'none'/);
  assert.doesNotMatch(await answer.text(), /<script(?![^>]* src="\/)|<style|https?:\/\//);
  assert.equal(answer.headers.get('cache-control'), 'no-store');
});

test('hashed files may be kept for ever, and come compressed where that is asked', async () => {
  const script = readdirSync(join(folder, 'assets')).find((name) => name.endsWith('.js')) ?? '';
  const url = `${origin}/assets/${script}`;
  const answer = await fetch(url, { headers: { 'Accept-Encoding': 'gzip' } });
  assert.equal(answer.headers.get('content-encoding'), 'gzip');
  assert.equal(answer.headers.get('content-type'), 'text/javascript; charset=utf-8');
  assert.match(answer.headers.get('cache-control') ?? '', /immutable/);
  assert.equal(await answer.text(), readFileSync(join(folder, 'assets', script), 'utf8'));
  const plain = await fetch(url, { headers: { 'Accept-Encoding': 'identity' } });
  assert.equal(plain.headers.get('content-encoding'), null);
  const again = await fetch(url, { headers: { 'If-None-Match': answer.headers.get('etag') ?? '' } });
  assert.equal(again.status, 304);
});

test('what is no page and no file of the portal is left to others', async () => {
  for (const path of ['/assets/none.js', '/nothing', '/assets/..%2f..%2fpackage.json', '/index.html', '/a/b/c/d/e'])
    assert.equal((await fetch(origin + path)).status, 404, path);
  assert.equal((await fetch(`${origin}/patients`, { method: 'POST' })).status, 404);
});

test('where the portal is not built the hub says so', async (context) => {
  const bare = await serve(join(tmpdir(), 'no-portal-here'));
  context.after(() => bare.close());
  const answer = await fetch(originOf(bare));
  assert.equal(answer.status, 200);
  assert.match(await answer.text(), /^[^\n]*not built[^\n]*\n$/);
});
