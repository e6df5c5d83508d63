/** A session that nobody uses ends on the screen as well, without a touch: nothing of a patient stays on a shared computer. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { DESKTOP, NO_BROWSER, openBrowser, visit } from '../support/browser.ts';
import type { Visit } from '../support/browser.ts';
import { portalHub } from '../support/portal-hub.ts';
import type { PortalHub } from '../support/portal-hub.ts';

const SESSION = '**/api/v1/session*';
/** Too narrow for a viewer that waits: what is loading in it takes a clock that leaps for a line that is dead. */
const NARROW = { width: 1000, height: 800 } as const;

suite('the end of a session', { skip: NO_BROWSER }, () => {
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

  /** A doctor who reads an exam, in a browser whose clock the test moves. `asked`: what the page asked of its session. */
  async function reading(
    language: 'zh' | 'en' = 'zh',
    size: typeof DESKTOP | typeof NARROW = NARROW,
  ): Promise<Visit & { accountId: string; asked: string[] }> {
    const visitor = await visit(browser, hub.origin, size, language);
    const { cookie, accountId } = await hub.person('physician', 'h1');
    const cookies = cookie.split('; ').map((pair) => {
      const [name = '', value = ''] = pair.split('=');
      return { name, value, url: hub.origin };
    });
    await visitor.context.addCookies(cookies);
    const { page } = visitor;
    await page.clock.install();
    await page.goto(`/exams/${hub.examIds[0] ?? ''}`);
    await page.locator('.report').first().waitFor();
    // What a page loads is a use of the session: the thumbnails, and the viewer that waits in its frame.
    if (size === DESKTOP) await page.locator('iframe').waitFor({ state: 'attached' });
    await page.waitForLoadState('networkidle');
    const asked: string[] = [];
    page.on('request', (request) => {
      const { pathname, search } = new URL(request.url());
      if (pathname.startsWith('/api/')) asked.push(pathname + search);
    });
    return { ...visitor, accountId, asked };
  }

  const setBack = (accountId: string, minutes: number): Promise<unknown> =>
    hub.database.pool.query('update session set seen_at = now() - make_interval(mins => $2) where account_id = $1', [
      accountId,
      minutes,
    ]);
  async function seenAt(accountId: string): Promise<number> {
    const { rows } = await hub.database.pool.query<{ seen_at: Date }>(
      'select seen_at from session where account_id = $1',
      [accountId],
    );
    assert.ok(rows[0]);
    return rows[0].seen_at.getTime();
  }
  const askedOnce = (page: Page): Promise<unknown> => page.waitForResponse(SESSION);

  for (const [language, told] of [
    ['zh', '登录已过期，请重新登录。'],
    ['en', 'Your session has ended; sign in again.'],
  ] as const)
    test(`the page clears itself when nobody used the session, and says so (${language})`, async () => {
      const { page, context, accountId, faults, asked } = await reading(language);
      await setBack(accountId, 31);
      await page.clock.fastForward('31:00');
      await page.getByText(told).waitFor();
      assert.equal(await page.locator('.report').count(), 0);
      assert.ok(!(await page.content()).includes(hub.patient.name));
      assert.match(page.url(), /\/login\?return=%2Fexams%2F/);
      assert.equal(asked[0], '/api/v1/session', 'asked without a use');
      assert.deepEqual(faults, []);
      await context.close();
    });

  test('asking is no use of the session, and a use elsewhere keeps the page', async () => {
    const { page, context, accountId, asked } = await reading();
    await setBack(accountId, 5);
    const before = await seenAt(accountId);
    const first = askedOnce(page);
    await page.clock.fastForward('31:00');
    await first;
    await page.locator('.report').first().waitFor();
    assert.deepEqual(asked, ['/api/v1/session']);
    assert.equal(await seenAt(accountId), before, 'the hub took it for no use');
    // 25 minutes were left, then: asked again after those, whatever the page believed at first.
    await setBack(accountId, 31);
    await page.clock.fastForward('26:00');
    await page.getByText('登录已过期').waitFor();
    await context.close();
  });

  test('who reads without a request, in the page or in the viewer over it, uses the session', async () => {
    const { page, context, accountId } = await reading('zh', DESKTOP);
    for (const place of ['page', 'viewer'] as const) {
      await setBack(accountId, 16);
      const before = await seenAt(accountId);
      const told = page.waitForRequest('**/api/v1/session?used=true');
      await page.clock.fastForward('16:00');
      const target = place === 'page' ? 'window' : "document.querySelector('iframe').contentWindow";
      await page.evaluate(`${target}.dispatchEvent(new WheelEvent('wheel'))`);
      await page.clock.fastForward('00:06');
      await (await told).response();
      assert.ok((await seenAt(accountId)) > before, place);
      assert.ok(await page.locator('.report').first().isVisible());
    }
    await setBack(accountId, 31);
    await page.clock.fastForward('31:00');
    await page.getByText('登录已过期').waitFor();
    assert.equal(await page.locator('iframe').count(), 0, 'the viewer went with the page');
    await context.close();
  });

  test('where the hub does not tell that the session stands, nothing of the patient does, and the way back is there', async () => {
    const { page, context } = await reading('en');
    await page.route(SESSION, (route) => route.abort());
    await page.clock.fastForward('31:00');
    for (let times = 0; times < 3; times++) await page.clock.runFor(6_000);
    await page.getByRole('button', { name: 'Try again' }).waitFor();
    assert.equal(await page.locator('.report').count(), 0);
    await page.unroute(SESSION);
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.locator('.report').first().waitFor();
    await context.close();
  });
});
