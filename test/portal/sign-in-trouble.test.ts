/** What a person is told when signing in, being signed in or signing out does not go as it should, in a real Chromium. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { DESKTOP, NO_BROWSER, openBrowser, PHONE, visit } from '../support/browser.ts';
import type { Visit } from '../support/browser.ts';
import { portalHub } from '../support/portal-hub.ts';
import type { PortalHub } from '../support/portal-hub.ts';

const SESSION = '**/api/v1/session';

suite('signing in and out', { skip: NO_BROWSER }, () => {
  let hub: PortalHub;
  let browser: Browser;

  before(async () => {
    hub = await portalHub();
    browser = await openBrowser();
  });
  after(async () => {
    await browser.close();
    await hub.close();
  });

  async function doctor(language: 'zh' | 'en' = 'zh'): Promise<Visit> {
    const visitor = await visit(browser, hub.origin, DESKTOP, language);
    const { cookie } = await hub.person('physician', 'h1');
    const cookies = cookie.split('; ').map((pair) => {
      const [name = '', value = ''] = pair.split('=');
      return { name, value, url: hub.origin };
    });
    await visitor.context.addCookies(cookies);
    return visitor;
  }

  for (const [language, size, told] of [
    ['zh', PHONE, '登录名或密码不正确，或账号已被锁定。'],
    ['en', DESKTOP, 'The login name or the password is wrong, or the account is locked.'],
  ] as const)
    test(`a wrong password is told as one (${language})`, async () => {
      const { page, context } = await visit(browser, hub.origin, size, language);
      await page.goto('/login');
      await page.locator('input[name=loginName]').fill('nobody');
      await page.locator('input[name=password]').fill('Not-The-Password-1');
      await page.keyboard.press('Enter');
      assert.ok((await page.getByRole('alert').innerText()).includes(told));
      await context.close();
    });

  test('who comes back from the own hospital and is not let in is told why', async () => {
    const { page, context } = await visit(browser, hub.origin, DESKTOP);
    for (const [problem, told] of [
      ['account', '这个账号不能登录本平台'],
      ['role', '您的账号在本平台没有角色'],
      ['refused', '登录没有完成'],
    ] as const) {
      await page.goto(`/login?problem=${problem}`);
      await page.getByRole('alert').filter({ hasText: told }).waitFor();
    }
    await page.goto('/login?problem=constructor');
    await page.getByRole('heading', { name: '平台账号登录' }).waitFor();
    assert.equal(await page.getByRole('alert').count(), 0);
    await context.close();
  });

  test('who signs out and does not reach the hub is told to be signed in still, and is out at the next try', async () => {
    const { page, context } = await doctor();
    await page.goto('/patients');
    await page.route(SESSION, (route) => (route.request().method() === 'DELETE' ? route.abort() : route.continue()));
    await page.locator('.account-button').click();
    await page.getByRole('button', { name: '退出登录' }).click();
    await page.getByRole('alert').filter({ hasText: '您仍处于登录状态' }).waitFor();
    assert.match(page.url(), /\/patients$/);
    await page.unroute(SESSION);
    await page.getByRole('button', { name: '退出登录' }).click();
    await page.getByRole('heading', { name: '登录', exact: true }).waitFor();
    const { status } = await page.request.get('/api/v1/session').then((answer) => ({ status: answer.status() }));
    assert.equal(status, 401);
    await context.close();
  });

  test('a hub that is away for a moment is no end of the session: the page says so, and goes on', async () => {
    const { page, context } = await doctor('en');
    const away = { status: 503, contentType: 'application/problem+json', body: '{"code":"unavailable","status":503}' };
    await page.route(SESSION, (route) => route.fulfill(away));
    const path = `/exams/${hub.examIds[0] ?? ''}`;
    await page.goto(path);
    await page.getByRole('alert').filter({ hasText: 'does not answer' }).waitFor();
    assert.ok(page.url().endsWith(path));
    await page.unroute(SESSION);
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.locator('.report').first().waitFor();
    await context.close();
  });

  test('a tab shows nothing more of a patient when another person signed in, or somebody out, in a tab beside it', async () => {
    const { page, context } = await doctor();
    await page.goto(`/exams/${hub.examIds[0] ?? ''}`);
    await page.locator('.report').first().waitFor();
    const { cookie } = await hub.person('operator');
    const cookies = cookie.split('; ').map((pair) => {
      const [name = '', value = ''] = pair.split('=');
      return { name, value, url: hub.origin };
    });
    const beside = await context.newPage();
    await context.addCookies(cookies);
    await beside.goto('/');
    await page.bringToFront();
    await page.evaluate("dispatchEvent(new Event('focus'))");
    await page.locator('.account-role').getByText('运维人员').waitFor();
    assert.equal(await page.locator('.report').count(), 0);
    await beside.locator('.account-button').click();
    await beside.getByRole('button', { name: '退出登录' }).click();
    await beside.getByRole('heading', { name: '登录', exact: true }).waitFor();
    await page.evaluate("dispatchEvent(new Event('focus'))");
    await page.getByRole('heading', { name: '登录', exact: true }).waitFor();
    await context.close();
  });

  test('who was asked to sign in again comes back to the whole address', async () => {
    const { page, context } = await visit(browser, hub.origin, DESKTOP);
    await page.goto('/operations/messages?finding=identifier-suspect');
    await page.waitForURL(/\/login/);
    const back = new URL(page.url()).searchParams.get('return');
    assert.equal(back, '/operations/messages?finding=identifier-suspect');
    await context.close();
  });
});
