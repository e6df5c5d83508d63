/** How a physician goes on in a real Chromium: past two hundred exams, to another page by the keyboard, past a right that ended. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { barriers, DESKTOP, NO_BROWSER, openBrowser, visit } from '../support/browser.ts';
import type { Visit } from '../support/browser.ts';
import { portalHub } from '../support/portal-hub.ts';
import type { PortalHub } from '../support/portal-hub.ts';

const MANY = 205;

suite('reading on', { skip: NO_BROWSER }, () => {
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

  async function searched(page: Page, number: string): Promise<void> {
    await page.goto('/patients');
    await page.locator('.ant-radio-button-wrapper', { hasText: '院内号 / 检查号' }).click();
    await page.locator('form.search-form input').first().fill(number);
    await page.getByRole('button', { name: '检索' }).click();
  }

  const focused = (page: Page): Promise<unknown> =>
    page.evaluate("document.activeElement.tagName + ' ' + document.activeElement.textContent");

  test('the time line goes on past two hundred exams, to the last', async () => {
    const patientId = 'MANY-1';
    const feed = (what: string, body: object) => hub.call('POST', `/api/v1/sites/h1/${what}`, body);
    await feed('registrations', { patientId, name: '钱多多', sex: 'F', birthDate: '1950-03-04' });
    for (let place = 1; place <= MANY; place++) {
      const startedAt = new Date(Date.UTC(2020, 0, place, 2)).toISOString();
      const exam = { patientId, accessionNumber: `MANY${String(place)}`, modality: 'DR', startedAt };
      const { status } = await feed('exams', { ...exam, procedureName: `第${String(place)}次` });
      assert.equal(status, 202);
    }
    for (;;) {
      const { json } = await hub.call('GET', '/api/v1/journal/counters');
      if ((json as { pending: number }).pending === 0) break;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    const { page, context, faults } = await doctor();
    await searched(page, patientId);
    await page.getByRole('link', { name: /钱多多/ }).click();
    await page.getByText(`共 ${String(MANY)} 次检查`).waitFor();
    const more = page.getByRole('button', { name: '显示更早的检查' });
    for (const shown of [100, 150, 200, MANY]) {
      await more.click();
      await page
        .locator('.exam-row')
        .nth(shown - 1)
        .waitFor();
    }
    const titles = await page.locator('.exam-title a').allInnerTexts();
    assert.equal(new Set(titles).size, MANY, 'each once');
    assert.equal(titles.at(-1), '第1次');
    assert.equal(await more.count(), 0);
    assert.deepEqual(faults, []);
    await context.close();
  });

  test('another page is read from its heading by the keyboard', async () => {
    const { page, context, faults } = await doctor();
    await page.goto(`/persons/${hub.personId}`);
    await page.getByText('共 3 次检查').waitFor();
    assert.match(String(await focused(page)), /^BODY/, 'the first page is the browser’s own matter');
    await page.locator('.exam-title a').first().press('Enter');
    await page.locator('.report').first().waitFor();
    const heading = await page.getByRole('heading', { level: 1 }).innerText();
    await page.locator('h1:focus').waitFor();
    assert.equal(await focused(page), `H1 ${heading}`);
    await page.getByRole('link', { name: '返回时间线' }).press('Enter');
    await page.locator('h1:focus', { hasText: '时间线' }).waitFor({ state: 'attached' });
    // A page that has a place of its own for the focus keeps it.
    await page.getByRole('navigation').getByRole('link', { name: '患者检索' }).press('Enter');
    await page.locator('form.search-form input').first().waitFor();
    await page.locator('form.search-form input:focus').waitFor();
    assert.deepEqual(faults, []);
    await context.close();
  });

  test('an exam whose emergency has ended offers it again, and the search where it is not known whose it is', async () => {
    const { page, context, faults } = await doctor();
    const dialog = page.getByRole('dialog', { name: '紧急调阅' });
    const breakGlass = async (): Promise<void> => {
      await page.getByRole('button', { name: '紧急调阅' }).click();
      await dialog.locator('textarea').fill('昏迷送入急诊');
      await dialog.locator('button[type=submit]').click();
    };
    await searched(page, 'X-1');
    await breakGlass();
    await page.locator('.exam-title a').first().click();
    await page.locator('.report').first().waitFor();
    await hub.database.pool.query('update break_glass set ended_at = now()');
    await page.reload();
    await page.getByRole('button', { name: '患者授权码' }).waitFor();
    assert.equal(await page.locator('.report').count(), 0);
    assert.deepEqual(await barriers(page), []);
    await breakGlass();
    await page.locator('.report').first().waitFor();
    await hub.database.pool.query('update break_glass set ended_at = now() where ended_at is null');
    const beside = await context.newPage();
    await beside.goto(page.url());
    await beside.getByRole('link', { name: '返回患者检索' }).click();
    await beside.getByRole('heading', { name: '患者检索' }).waitFor();
    assert.deepEqual(faults, []);
    await context.close();
  });
});
