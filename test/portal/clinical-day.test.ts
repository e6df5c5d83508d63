/** What a physician must not have to guess or to begin anew: where and when an exam was made, and her place on the page. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { DESKTOP, NO_BROWSER, openBrowser, PHONE, visit } from '../support/browser.ts';
import type { Visit } from '../support/browser.ts';
import { portalHub } from '../support/portal-hub.ts';
import type { PortalHub } from '../support/portal-hub.ts';

suite("a physician's day", { skip: NO_BROWSER }, () => {
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

  async function physician(size: typeof DESKTOP | typeof PHONE, language: 'zh' | 'en'): Promise<Visit> {
    const visitor = await visit(browser, hub.origin, size, language);
    const { cookie } = await hub.person('physician', 'h1');
    const cookies = cookie.split('; ').map((pair) => {
      const [name = '', value = ''] = pair.split('=');
      return { name, value, url: hub.origin };
    });
    await visitor.context.addCookies(cookies);
    return visitor;
  }

  for (const [size, language] of [
    [DESKTOP, 'zh'],
    [PHONE, 'en'],
  ] as const)
    test(`an exam, and each of two compared, says at which hospital and when it was made (${language})`, async () => {
      const { page, context } = await physician(size, language);
      const [newest, older] = hub.examIds;
      await page.goto(`/exams/${newest ?? ''}`);
      assert.equal(await page.locator('.page-head .exam-origin').innerText(), '省第三医院 · 2026-11-08 15:05');
      await page.goto(`/compare/${newest ?? ''}/${older ?? ''}`);
      await page.locator('article').nth(1).waitFor();
      assert.deepEqual(await page.locator('article .exam-origin').allInnerTexts(), [
        '省第三医院 · 2026-11-08 15:05',
        '城东社区卫生服务中心 · 2026-11-03 13:58',
      ]);
      await context.close();
    });

  test('a filter of the time line is chosen by keyboard and keeps its place, and two hidden exams are not compared', async () => {
    const { page, context } = await physician(DESKTOP, 'zh');
    await page.goto(`/persons/${hub.personId}`);
    await page.locator('.exam-row').first().waitFor();
    for (const at of [0, 2]) await page.locator('.pick').nth(at).check();
    const compare = page.getByRole('button', { name: '对比所选' });
    assert.equal(await compare.isEnabled(), true);
    const kind = page.getByLabel('检查类型');
    await kind.focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await page.getByText('共 1 次检查').waitFor();
    assert.equal(await page.evaluate("document.activeElement === document.querySelector('main select')"), true);
    assert.equal(await compare.count(), 0);
    await context.close();
  });

  test("an exam of New Year's morning stands in the year that its row shows", async () => {
    const { page, context } = await physician(DESKTOP, 'zh');
    const feed = await hub.token('hospital-feed', 'h1');
    const patientId = hub.patient.local.h1;
    const exam = { patientId, accessionNumber: 'NEWYEAR1', procedureName: '头颅CT', modality: 'CT' };
    const sent = await hub.call('POST', '/api/v1/sites/h1/exams', { ...exam, startedAt: '2026-01-01 07:00:00' }, feed);
    assert.equal(sent.status, 202);
    const row = page.locator('section.year', { hasText: '2026-01-01 07:00' });
    for (let tries = 0; tries < 50 && (await row.count()) === 0; tries++) {
      await page.goto(`/persons/${hub.personId}`);
      await page.locator('.exam-row').first().waitFor();
    }
    assert.equal(await row.locator('h2').innerText(), '2026');
    await context.close();
  });
});
