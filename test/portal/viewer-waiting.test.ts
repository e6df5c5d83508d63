/**
 * The viewer that was started beside the exam page, in a real Chromium: shown by a click, with the patient of the click and
 * nobody else, and gone with the patient, the page and the session. A phone starts none.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser, BrowserContext, Frame, Page } from 'playwright-core';
import { installPortal } from '../support/portal-hub.ts';
import { examsOf, NO_VIEWER, openReader, startViewerHub, until } from '../support/viewer-hub.ts';
import type { ViewerHub } from '../support/viewer-hub.ts';

const [exam] = examsOf('张伟');
const [other] = examsOf('刘䶮');
const PATIENCE = { timeout: 120_000 };

describe('the viewer that waits', { skip: NO_VIEWER }, () => {
  let hub: ViewerHub;
  let browser: Browser;
  let token = '';

  before(async () => {
    await installPortal();
    hub = await startViewerHub();
    for (const one of [exam, other]) if (one !== undefined) await hub.load(one);
    token = await hub.client('query-platform');
    browser = await openReader();
  });
  after(async () => {
    await browser.close();
    await hub.stop();
  });

  const examIdOf = async (study: string | undefined): Promise<string> => {
    const answer = await fetch(`${hub.origin}/viewer/own/studies/${study ?? ''}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const { exams } = (await answer.json()) as {
      exams: { examId: string; studies: { studyInstanceUid: string }[] }[];
    };
    return (
      exams.find(({ studies }) => studies.some(({ studyInstanceUid }) => studyInstanceUid === study))?.examId ?? ''
    );
  };

  async function reader(size: {
    width: number;
    height: number;
  }): Promise<{ context: BrowserContext; page: Page; faults: string[] }> {
    const { cookie } = await hub.physician(exam?.site ?? 'h1');
    const context = await browser.newContext({ viewport: size, locale: 'zh-CN' });
    await context.addCookies(
      cookie.split('; ').map((pair) => {
        const [name = '', value = ''] = pair.split('=');
        return { name, value, url: hub.origin };
      }),
    );
    await context.addInitScript(`document.addEventListener('CORNERSTONE_IMAGE_RENDERED', () => {
      if (window.cornerstone.cache.getCacheSize() > 1024) window.drawn = true;
    }, true);
    addEventListener('message', ({ data }) => { if (data?.hutongViewer === 'ready') window.viewerReady = true; });`);
    const page = await context.newPage();
    const faults: string[] = [];
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('console', (message) => {
      if (/Content Security Policy|Refused to/.test(message.text())) faults.push(message.text());
    });
    return { context, page, faults };
  }

  const viewerOf = (page: Page): Frame => {
    const [frame, ...more] = page.frames().filter((one) => one !== page.mainFrame());
    assert.ok(frame !== undefined && more.length === 0, 'there is one frame');
    return frame;
  };

  it('shows the images at a click, keeps nothing of them when it is closed, and waits again', async () => {
    const { context, page, faults } = await reader({ width: 1440, height: 900 });
    await page.goto(`${hub.origin}/exams/${await examIdOf(exam?.studyUid)}`, PATIENCE);
    await until(page, 'window.viewerReady === true');
    const waiting = viewerOf(page);
    assert.equal(new URL(waiting.url()).pathname, '/viewer/waiting');
    // Not to be seen, reached or read before the click.
    assert.equal(await page.locator('.viewer-stand').isVisible(), false);
    assert.equal(await page.locator('.viewer-stand').getAttribute('inert'), '');
    assert.equal(await waiting.evaluate('cornerstone.cache.getCacheSize()'), 0);
    const launches: string[] = [];
    const scripts: string[] = [];
    page.on('request', (request) => {
      if (request.url().includes('/viewer/launch?')) launches.push(request.url());
      if (/\/viewer\/\d.*\.js$/.test(request.url())) scripts.push(request.url());
    });
    await page.getByRole('button', { name: '阅片' }).first().click();
    await waiting.locator('[data-panel=report]').getByText('张伟').waitFor(PATIENCE);
    for (const end = Date.now() + 120_000; (await waiting.evaluate('window.drawn')) !== true;)
      assert.ok(Date.now() < end, 'an image is drawn');
    assert.ok(waiting.url().includes(exam?.studyUid ?? '?'));
    assert.deepEqual(scripts, [], 'everything that a study needs was there');
    assert.equal(launches.length, 1);
    assert.equal((await fetch(launches[0] ?? '')).status, 403, 'the code was used');
    assert.equal(await page.locator('.viewer-stand').isVisible(), true);
    await page.getByRole('button', { name: '关闭影像，返回' }).click();
    assert.ok(waiting.isDetached());
    await page.evaluate('window.viewerReady = false');
    await until(page, 'window.viewerReady === true');
    const next = viewerOf(page);
    assert.equal(new URL(next.url()).pathname, '/viewer/waiting');
    assert.equal(await next.evaluate('cornerstone.cache.getCacheSize()'), 0);
    assert.doesNotMatch(await next.evaluate<string>('document.documentElement.outerHTML'), /张伟/);
    assert.deepEqual(faults, []);
    await context.close();
  });

  it('takes a study from the portal alone, and goes with the page and the session', async () => {
    const { context, page } = await reader({ width: 1440, height: 900 });
    const examId = await examIdOf(exam?.studyUid);
    await page.goto(hub.origin, PATIENCE);
    await page.locator('nav a').first().waitFor(PATIENCE);
    await page.evaluate(
      `history.pushState(null, '', '/exams/${examId}'); dispatchEvent(new PopStateEvent('popstate'))`,
    );
    await until(page, 'window.viewerReady === true');
    const waiting = viewerOf(page);
    // What is no launch link opens nothing, and the address stays.
    await page.evaluate(
      `document.querySelector('iframe').contentWindow.postMessage({ hutongLaunch: '/viewer/viewer?StudyInstanceUIDs=1.2' }, location.origin)`,
    );
    await page.waitForTimeout(300);
    assert.equal(new URL(waiting.url()).pathname, '/viewer/waiting');
    await page.getByRole('button', { name: '阅片' }).first().click();
    await waiting.locator('[data-panel=report]').getByText('张伟').waitFor(PATIENCE);
    await page.goBack();
    await until(page, "document.querySelector('.viewer-stand.shown') === null");
    assert.ok(waiting.isDetached());
    await page.goto(`${hub.origin}/exams/${await examIdOf(exam?.studyUid)}`, PATIENCE);
    await until(page, 'window.viewerReady === true');
    await page.locator('.account-button').click();
    await page.getByRole('button', { name: '退出登录' }).click();
    await page.waitForURL(/\/login/);
    assert.equal(page.frames().length, 1);
    await context.close();
  });

  it('is not started on a phone: a tab opens, as for a click with Ctrl', async () => {
    const { context, page } = await reader({ width: 390, height: 844 });
    await page.goto(`${hub.origin}/exams/${await examIdOf(exam?.studyUid)}`, PATIENCE);
    await page.getByRole('button', { name: '阅片' }).first().waitFor(PATIENCE);
    await page.waitForTimeout(1_500);
    assert.equal(page.frames().length, 1);
    const [tab] = await Promise.all([
      context.waitForEvent('page', PATIENCE),
      page.getByRole('button', { name: '阅片' }).first().click(),
    ]);
    await tab.waitForURL(/\/viewer\/viewer\?/, PATIENCE);
    await until(tab, 'window.drawn === true');
    await context.close();
  });
});
