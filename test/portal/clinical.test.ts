/** The physician's pages in a real Chromium: found, read, compared, in both languages, at a desk and on a phone. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { barriers, DESKTOP, isTooWide, NO_BROWSER, openBrowser, PHONE, visit } from '../support/browser.ts';
import type { Visit } from '../support/browser.ts';
import { HOSTILE, portalHub } from '../support/portal-hub.ts';
import type { PortalHub } from '../support/portal-hub.ts';

suite('the pages of physicians', { skip: NO_BROWSER }, () => {
  let hub: PortalHub;
  let browser: Browser;
  let reader = '';

  before(async () => {
    hub = await portalHub();
    reader = await hub.token('query-platform');
    browser = await openBrowser();
  });
  after(async () => {
    await browser.close();
    await hub.close();
  });

  /** A physician's browser: the session is a system's token until accounts can sign in. */
  async function physician(size: typeof DESKTOP | typeof PHONE, language: 'zh' | 'en'): Promise<Visit> {
    const visitor = await visit(browser, hub.origin, size, language);
    await visitor.context.setExtraHTTPHeaders({ Authorization: `Bearer ${reader}` });
    await visitor.page.route('**/api/v1/session', (route) =>
      route.fulfill({
        json: {
          stage: 'open',
          account: { id: 'a', loginName: 'zhao', displayName: '赵医生', institution: null, language },
          role: 'physician',
          site: null,
          roles: [{ role: 'physician' }],
          purpose: 'TREATMENT',
          purposes: ['TREATMENT', 'CONSULTATION'],
          factors: ['password'],
        },
      }),
    );
    return visitor;
  }

  async function searched(page: Page, way: RegExp, value: string, submit: string): Promise<void> {
    await page.goto('/');
    await page.getByRole('radio', { name: way }).check();
    await page.locator('form.search-form input').first().fill(value);
    await page.getByRole('button', { name: submit }).click();
  }

  const clean = (visitor: Visit): void => {
    assert.deepEqual(visitor.faults, []);
    assert.deepEqual(visitor.strangers, []);
  };

  for (const [size, name] of [
    [DESKTOP, 'a desk'],
    [PHONE, 'a phone'],
  ] as const)
    test(`a patient is found and read at ${name}, in Chinese`, async () => {
      const visitor = await physician(size, 'zh');
      const { page } = visitor;
      await searched(page, /身份证号/, hub.patient.residentId ?? '', '检索');
      await page.getByRole('heading', { name: '找到 1 位患者' }).waitFor();
      assert.doesNotMatch(page.url(), /\d{6}/, 'what was asked stands in no address');
      assert.ok(!(await page.content()).includes(hub.patient.residentId ?? '-'), 'the number is shown shortened');
      assert.deepEqual(await barriers(page), []);
      assert.equal(await isTooWide(page), false);

      await page.getByRole('link', { name: /张伟/ }).click();
      await page.getByText('共 3 次检查').waitFor();
      assert.equal(await page.locator('.exam-row').count(), 3);
      assert.equal(await page.locator('.exam-row .critical').count(), 1);
      assert.deepEqual(await barriers(page), []);
      assert.equal(await isTooWide(page), false);

      await page
        .getByRole('link', { name: /胸部CT平扫/ })
        .last()
        .click();
      await page.getByRole('heading', { name: '检查报告' }).waitFor();
      clean(visitor);
      await visitor.context.close();
    });

  test('an exam shows its report as written, its revision, images, priors and where it comes from', async () => {
    const visitor = await physician(DESKTOP, 'zh');
    const { page } = visitor;
    const critical = await criticalExam();
    await page.goto(`/exams/${critical}`);
    await page.getByRole('heading', { name: /检查报告 更正报告/ }).waitFor();
    assert.equal(await page.locator('.report .critical').innerText(), '危急值');
    const impression = page.locator('.report .text.strong');
    assert.match(await impression.innerText(), /^右侧大量气胸。\n/);
    assert.equal(await impression.evaluate((node) => getComputedStyle(node).whiteSpace), 'pre-wrap');
    // What the correction added is marked as added, and nothing else is.
    await page.getByRole('heading', { name: '报告修订记录' }).waitFor();
    const added = await page.locator('.diff ins').allInnerTexts();
    assert.ok(
      added.some((text) => text.includes('右侧大量气胸')),
      added.join('|'),
    );
    assert.equal(await page.locator('.diff del').count(), 0);
    // A thumbnail is drawn by the hub with the reader's own session.
    const picture = page.locator('.series img').first();
    await picture.waitFor();
    assert.ok(await picture.evaluate((img: HTMLImageElement) => img.decode().then(() => img.naturalWidth > 0)));
    await page.locator('section', { hasText: '可对比的检查' }).getByText('同部位').first().waitFor();
    await page.getByRole('button', { name: '查看这次检查如何到达平台' }).click();
    await page.getByText('归入患者主索引').waitFor();
    const hops = await page.locator('.hops li strong').allInnerTexts();
    assert.ok(hops.includes('收到影像') && hops.filter((hop) => hop === '收到消息').length >= 4, hops.join(' '));
    assert.match(await page.locator('.hops').innerText(), /与 3 份登记归为同一人/);
    assert.deepEqual(await barriers(page), []);
    clean(visitor);
    await visitor.context.close();
  });

  test('two exams of two hospitals stand side by side, and below each other on a phone', async () => {
    const [one = '', two = ''] = hub.examIds;
    for (const size of [DESKTOP, PHONE]) {
      const visitor = await physician(size, 'en');
      const { page } = visitor;
      await page.goto(`/compare/${one}/${two}`);
      await page.getByRole('heading', { name: 'Compare' }).waitFor();
      const boxes = await Promise.all((await page.locator('article').all()).map((article) => article.boundingBox()));
      assert.equal(boxes.length, 2);
      assert.equal((boxes[0]?.y ?? 0) === (boxes[1]?.y ?? 0), size === DESKTOP, 'side by side at a desk only');
      assert.equal(await isTooWide(page), false);
      assert.deepEqual(await barriers(page), []);
      clean(visitor);
      await visitor.context.close();
    }
  });

  test('the pages speak English, filter, and are used by the keyboard alone', async () => {
    const visitor = await physician(DESKTOP, 'en');
    const { page } = visitor;
    await page.goto('/');
    await page.getByRole('radio', { name: 'Name and birth date' }).check();
    await page.getByLabel('Name', { exact: true }).fill(hub.patient.name);
    await page.keyboard.press('Tab');
    await page.getByLabel('Date of birth').fill(hub.patient.born);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: '1 patient found' }).waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByText('3 exams').waitFor();
    await page.getByLabel('Modality').selectOption('CT');
    await page.getByText('2 exams').waitFor();
    assert.equal(await page.evaluate('document.documentElement.lang'), 'en');
    await page.getByRole('button', { name: '中文' }).click();
    await page.getByText('共 2 次检查').waitFor();
    clean(visitor);
    await visitor.context.close();
  });

  test('names and reports are text, whatever they hold', async () => {
    const visitor = await physician(DESKTOP, 'zh');
    const { page } = visitor;
    await searched(page, /院内号/, 'XSS1', '检索');
    await page.getByText(HOSTILE).first().waitFor();
    await page.getByRole('link', { name: /img src/ }).click();
    await page.locator('.exam-row a').first().click();
    await page.locator('.report').getByText('<script>window.hacked=2</script>').waitFor();
    assert.equal(await page.evaluate('window.hacked'), undefined);
    clean(visitor);
    await visitor.context.close();
  });

  test('who has no session is asked to sign in, and led back', async () => {
    const visitor = await visit(browser, hub.origin, PHONE, 'zh');
    await visitor.page.goto(`/persons/${hub.personId}`);
    await visitor.page.getByRole('heading', { name: '登录', exact: true }).waitFor();
    assert.match(visitor.page.url(), /\/login\?return=%2Fpersons%2F/);
    assert.deepEqual(await barriers(visitor.page), []);
    assert.equal(await isTooWide(visitor.page), false);
    await visitor.context.close();
  });

  async function criticalExam(): Promise<string> {
    const answer = await hub.call('GET', `/api/v1/persons/${hub.personId}/timeline`, undefined, reader);
    const { items } = answer.json as { items: { examId: string; report: { critical: boolean } | null }[] };
    const found = items.find(({ report }) => report?.critical === true);
    assert.ok(found, 'the corrected report is the critical one');
    return found.examId;
  }
});
