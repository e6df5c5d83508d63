/**
 * Single sign-on in a real Chromium, with the provider on another site (localhost) than the hub (127.0.0.1): that cookies
 * come along where they must and nowhere else is for a browser to say.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import type { Browser, Page } from 'playwright-core';
import { startSamlHub } from '../support/saml-hub.ts';
import type { SamlHub } from '../support/saml-hub.ts';

const CHROMIUM = '/usr/bin/chromium';
const skip = existsSync(CHROMIUM) ? false : 'there is no Chromium on this machine';
let world: SamlHub;
let browser: Browser;

before(async () => {
  if (skip !== false) return;
  world = await startSamlHub('localhost');
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
});
after(async () => {
  if (skip !== false) return;
  await browser.close();
  await world.close();
});

const PAGE = '/docs/';

async function signIn(page: Page): Promise<void> {
  const { origin } = world.hub;
  await page.goto(`${origin}/saml/h1/login?return=${encodeURIComponent(PAGE)}`);
  assert.ok(page.url().startsWith(`${world.h1.origin}/sso?SAMLRequest=`), page.url());
  await page.click('#go');
  await page.waitForURL(`${origin}${PAGE}`);
}

/** As a script of the hub's own page asks. */
const ask = (page: Page, method: string, path: string, csrf: boolean): Promise<{ status: number; text: string }> =>
  page.evaluate(`(async () => {
    const csrf = /hutong_csrf=([^;]+)/.exec(document.cookie)?.[1] ?? '';
    const headers = ${String(csrf)} ? { 'X-Hutong-CSRF': csrf } : {};
    const answer = await fetch('${path}', { method: '${method}', headers });
    return { status: answer.status, text: await answer.text() };
  })()`);

test('in by an encrypted assertion, and out again with the provider told', { skip }, async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await signIn(page);
  const { status, text } = await ask(page, 'GET', '/api/v1/session', false);
  assert.equal(status, 200, text);
  const session = JSON.parse(text) as { role: string; account: { displayName: string } };
  assert.deepEqual([session.role, session.account.displayName], ['physician', '张伟']);
  const cookies = await context.cookies(world.hub.origin);
  const own = cookies.find(({ name }) => name === 'hutong_session');
  assert.deepEqual([own?.httpOnly, own?.sameSite], [true, 'Lax']);
  assert.equal(await page.evaluate(`document.cookie.includes('hutong_session')`), false, 'no script reads it');
  assert.equal((await ask(page, 'DELETE', '/api/v1/session', false)).status, 403, 'nor ends it without its value');
  const out = await ask(page, 'DELETE', '/api/v1/session', true);
  const { signOutUrl } = JSON.parse(out.text) as { signOutUrl: string };
  await page.goto(signOutUrl).catch(() => undefined); // the sign-in page itself is the portal's
  assert.equal(page.url(), `${world.hub.origin}/login`);
  assert.equal(world.h1.loggedOut.at(-1), 'zhang.wei');
  assert.deepEqual(await context.cookies(`${world.hub.origin}/`), []);
  await context.close();
});

test('out by the provider: the browser it sends ends the session here, and comes back to it', { skip }, async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await signIn(page);
  await page.goto(world.h1.logoutUrl(`${world.hub.origin}/saml/h1/logout`, 'zhang.wei', null));
  assert.ok(page.url().startsWith(`${world.h1.origin}/slo?SAMLResponse=`), page.url());
  await page.goto(`${world.hub.origin}${PAGE}`);
  assert.equal((await ask(page, 'GET', '/api/v1/session', false)).status, 401);
  await context.close();
});

test(
  'a page of another site cannot act by the session, nor sign the browser on as somebody else',
  { skip },
  async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    await signIn(page);
    const { origin } = world.hub;
    await page.goto(`${world.h1.origin}/elsewhere`);
    const outcome = await page.evaluate(`fetch('${origin}/api/v1/session', { method: 'DELETE', credentials: 'include' })
    .then((answer) => answer.status, () => 'blocked')`);
    assert.equal(outcome, 'blocked');
    await page.setContent(
      `<form method="post" action="${origin}/api/v1/session" enctype="text/plain"><input name='{"loginName":"x","password":"' value='y"}'></form>`,
    );
    await page.evaluate('document.forms[0].submit()');
    await page.waitForURL(`${origin}/api/v1/session`);
    assert.match(await page.content(), /forbidden/);
    // Login CSRF by SAML: the stranger's own answer, posted by the victim's browser.
    const stranger = await fetch(`${origin}/saml/h1/login`, { redirect: 'manual' });
    const user = world.h1.user;
    world.h1.user = { nameId: 'stranger', name: '外人', roles: ['医师'] };
    const xml = await world.h1.respond(world.h1.asked(stranger.headers.get('location') ?? ''));
    world.h1.user = user;
    await page.goto(`${world.h1.origin}/elsewhere`);
    await page.setContent(
      `<form method="post" action="${origin}/saml/h1/acs"><input name="SAMLResponse" value="${Buffer.from(xml).toString('base64')}"></form>`,
    );
    await page.evaluate('document.forms[0].submit()');
    await page.waitForURL(`${origin}/login?problem=refused`);
    await page.goto(`${origin}${PAGE}`);
    const { text } = await ask(page, 'GET', '/api/v1/session', false);
    assert.match(text, /zhang\.wei@h1/, 'it is still who it was');
    await context.close();
  },
);
