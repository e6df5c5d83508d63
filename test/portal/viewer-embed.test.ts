/**
 * The viewer in a frame of another system, in a real Chromium: opened by a launch link from an origin that is allowed, over
 * TLS on another site and in clear text on the same; from any other origin nothing is shown.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, request as forward } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { examsOf, NO_VIEWER, openReader, startViewerHub, until } from '../support/viewer-hub.ts';
import type { ViewerHub } from '../support/viewer-hub.ts';

const [exam] = examsOf('张伟');
const PATIENCE = { timeout: 120_000 };

/** A page of a hospital's system, with the link it was given in a frame. */
const page: RequestListener = (asked, response) => {
  const link = new URL(asked.url ?? '/', 'http://system').searchParams.get('frame') ?? '';
  response.setHeader('Content-Type', 'text/html; charset=utf-8');
  response.end(
    `<!doctype html><title>HIS</title><iframe src="${link.replaceAll('"', '&quot;')}" width="1200" height="800"></iframe>`,
  );
};

async function listening(server: Server): Promise<number> {
  server.listen(0);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

describe('the viewer in a frame of another system', { skip: NO_VIEWER }, () => {
  let hub: ViewerHub;
  let browser: Browser;
  let token = '';
  let folder = '';
  const servers: Server[] = [];
  /** Origins of systems: allowed in clear text and over TLS, and one that is not. */
  let clear = '';
  let tls = '';
  let stranger = '';
  /** The hub as a proxy gives it out over TLS. */
  let front = '';

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'hutong-embed-'));
    const at = (name: string): string => join(folder, name);
    const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
    execFileSync('openssl', [...made, '-subj', '/CN=localhost', '-keyout', at('key'), '-out', at('cert')], {
      stdio: 'ignore',
    });
    const pair = { key: readFileSync(at('key')), cert: readFileSync(at('cert')) };
    const proxy: RequestListener = (asked, response) => {
      const { hostname, port } = new URL(hub.origin);
      const headers = { ...asked.headers, 'x-forwarded-proto': 'https' };
      // A connection for each: one that is kept may be closed by the hub in the moment it is used again.
      const to = { hostname, port, path: asked.url, method: asked.method, headers, agent: false };
      const on = forward(to, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      on.on('error', () => response.destroy());
      asked.pipe(on);
    };
    servers.push(createServer(page), createTlsServer(pair, page), createServer(page), createTlsServer(pair, proxy));
    const [one = 0, two = 0, three = 0, four = 0] = await Promise.all(servers.map(listening));
    clear = `http://127.0.0.1:${String(one)}`;
    tls = `https://localhost:${String(two)}`;
    stranger = `http://127.0.0.1:${String(three)}`;
    front = `https://127.0.0.1:${String(four)}`;
    hub = await startViewerHub({ HUB_EMBED_ORIGINS: `${clear},${tls}`, HUB_TRUSTED_PROXIES: '127.0.0.1' });
    if (exam !== undefined) await hub.load(exam);
    token = await hub.client('query-platform');
    browser = await openReader();
  });
  after(async () => {
    await browser.close();
    await hub.stop();
    for (const server of servers) server.close();
    rmSync(folder, { recursive: true });
  });

  async function framed(
    system: string,
    viewer: string,
  ): Promise<{ context: BrowserContext; tab: Page; said: string[] }> {
    const launch = { studyUid: exam?.studyUid, user: { id: 'D1', name: '李医生' } };
    const { json } = await hub.ask('POST', '/api/v1/viewer-launches', launch, token);
    const context = await browser.newContext({
      viewport: { width: 1400, height: 900 },
      locale: 'zh-CN',
      ignoreHTTPSErrors: true,
    });
    const tab = await context.newPage();
    const said: string[] = [];
    tab.on('console', (message) => said.push(message.text()));
    await tab.goto(`${system}/?frame=${encodeURIComponent(viewer + String(json['url']))}`, PATIENCE);
    return { context, tab, said };
  }

  const showsReport = (tab: Page): Promise<void> =>
    tab.frameLocator('iframe').locator('[data-panel=report]').getByText('张伟').waitFor(PATIENCE);

  it('opens over TLS on another site, by a cookie that is kept for that site alone', async () => {
    const { context, tab } = await framed(tls, front);
    await showsReport(tab);
    const [cookie] = (await context.cookies()).filter(({ name }) => name === 'hutong_viewer');
    assert.deepEqual([cookie?.secure, cookie?.sameSite, cookie?.httpOnly], [true, 'None', true]);
    await context.close();
  });

  it('opens in clear text where the system is on the same site', async () => {
    const { context, tab } = await framed(clear, hub.origin);
    await showsReport(tab);
    await context.close();
  });

  it('shows nothing to an origin that is not allowed', async () => {
    const { context, tab, said } = await framed(stranger, hub.origin);
    await until(tab, 'document.readyState === "complete"');
    await tab.waitForTimeout(500);
    assert.ok(said.some((text) => text.includes('frame-ancestors')));
    const frame = tab.frames().find((one) => one !== tab.mainFrame());
    assert.ok(!((await frame?.content()) ?? '').includes('app.bundle'));
    await context.close();
  });
});
