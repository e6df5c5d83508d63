/** The physician's pages in a real Chromium: found, read, compared, in both languages, at a desk and on a phone. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { TOTP } from 'otpauth';
import type { Browser, Page } from 'playwright-core';
import { barriers, DESKTOP, isTooWide, NO_BROWSER, openBrowser, PHONE, visit } from '../support/browser.ts';
import type { Visit } from '../support/browser.ts';
import { HOSTILE, portalHub } from '../support/portal-hub.ts';
import type { PortalHub } from '../support/portal-hub.ts';

suite('the pages of physicians', { skip: NO_BROWSER }, () => {
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

  /** The browser of a physician of this hospital, after both factors were shown. */
  async function physician(
    size: typeof DESKTOP | typeof PHONE,
    language: 'zh' | 'en',
    site: 'h1' | 'h2' = 'h1',
  ): Promise<Visit> {
    const visitor = await visit(browser, hub.origin, size, language);
    const { cookie } = await hub.person('physician', site);
    const cookies = cookie.split('; ').map((pair) => {
      const [name = '', value = ''] = pair.split('=');
      return { name, value, url: hub.origin };
    });
    await visitor.context.addCookies(cookies);
    return visitor;
  }

  async function searched(page: Page, way: string, value: string, submit: string): Promise<void> {
    await page.goto('/');
    await page.locator('.ant-radio-button-wrapper', { hasText: way }).click();
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
      await searched(page, '身份证号', hub.patient.residentId ?? '', '检索');
      await page.getByRole('heading', { name: '找到 1 位患者' }).waitFor();
      assert.doesNotMatch(page.url(), /\d{6}/, 'what was asked stands in no address');
      assert.ok(!(await page.locator('.rows').innerText()).includes(hub.patient.residentId ?? '-'), 'shown shortened');
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
    assert.equal(
      await page.evaluate("getComputedStyle(document.querySelector('.report .text')).whiteSpace"),
      'pre-wrap',
    );
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
    await page.waitForFunction("document.querySelector('.series img')?.naturalWidth > 0");
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
    await page.getByRole('radio', { name: 'Resident ID' }).focus();
    for (let step = 0; step < 3; step++) await page.keyboard.press('ArrowRight');
    await page.getByLabel('Name', { exact: true }).fill(hub.patient.name);
    await page.keyboard.press('Tab');
    await page.getByLabel('Date of birth').fill(hub.patient.born);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: '1 patient found' }).waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.locator('.filters-total', { hasText: '3 exams' }).waitFor();
    await page.getByLabel('Modality').selectOption('CT');
    await page.getByText('2 exams').waitFor();
    assert.equal(await page.evaluate('document.documentElement.lang'), 'en');
    await page.getByRole('button', { name: '中文' }).click();
    await page.getByText('共 2 次检查').waitFor();
    clean(visitor);
    await visitor.context.close();
  });

  test('names and reports are text, whatever they hold', async () => {
    const visitor = await physician(DESKTOP, 'zh', 'h2');
    const { page } = visitor;
    await searched(page, '院内号 / 检查号', 'XSS1', '检索');
    await page.getByText(HOSTILE).first().waitFor();
    await page.getByRole('link', { name: /img src/ }).click();
    await page.locator('.exam-row a').first().click();
    await page.locator('.report').getByText('<script>window.hacked=2</script>').waitFor();
    assert.equal(await page.evaluate('window.hacked'), undefined);
    clean(visitor);
    await visitor.context.close();
  });

  test('a patient of another hospital is closed, and the ways in are offered by the keyboard', async () => {
    const visitor = await physician(PHONE, 'zh');
    const { page } = visitor;
    await searched(page, '院内号 / 检查号', 'X-1', '检索');
    await page.getByText('无权查看').waitFor();
    assert.ok(!(await page.content()).includes('onerror'), 'the name is masked');
    await page.getByRole('button', { name: '患者授权码' }).press('Enter');
    const code = page.getByRole('dialog', { name: '患者授权码' });
    await code.waitFor();
    assert.deepEqual(await barriers(page), []);
    await page.keyboard.press('Escape');
    await code.waitFor({ state: 'hidden' });
    await page.getByRole('button', { name: '紧急调阅' }).press('Enter');
    await page.getByRole('dialog', { name: '紧急调阅' }).waitFor();
    assert.deepEqual(await barriers(page), []);
    assert.equal(await isTooWide(page), false);
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

  test('somebody who was invited comes in by password and authenticator, and signs out', async () => {
    const loginName = 'physician.qian';
    const made = await hub.call('POST', '/api/v1/accounts', {
      ...{ loginName, displayName: '钱医生', roles: [{ role: 'physician' }] },
    });
    assert.equal(made.status, 201);
    const { activationCode } = made.json as { activationCode: string };
    const visitor = await visit(browser, hub.origin, PHONE, 'zh');
    const { page } = visitor;
    await page.goto('/login');
    await page.getByRole('button', { name: /用激活码设置密码/ }).click();
    await page.getByLabel('登录名').fill(loginName);
    await page.getByLabel('激活码').fill(activationCode);
    await page.getByLabel('新密码').fill('Liang-Chen-2026-Mei-Jing');
    assert.deepEqual(await barriers(page), []);
    await page.getByRole('button', { name: '确认' }).click();
    const secret = page.locator('p.secret');
    await secret.waitFor();
    const totp = new TOTP({ secret: await secret.innerText() });
    await page.getByLabel('动态口令', { exact: true }).fill(totp.generate());
    await page.getByRole('button', { name: '确认' }).click();
    await page.getByRole('heading', { name: '恢复码' }).waitFor();
    assert.ok((await page.locator('ul.secret li').count()) >= 5);
    await page.getByRole('button', { name: '确认' }).click();
    await page.getByRole('heading', { name: '患者检索' }).waitFor();
    await page.getByRole('button', { name: /钱医生/ }).click();
    await page.getByRole('button', { name: '退出登录' }).click();
    await page.getByRole('heading', { name: '登录', exact: true }).waitFor();
    // The password alone is half of it, and a wrong one is told without telling which half was wrong.
    await page.getByLabel('登录名').fill(loginName);
    await page.getByLabel('密码', { exact: true }).fill('not-the-password');
    await page.getByRole('button', { name: '登录', exact: true }).click();
    await page.getByRole('alert').waitFor();
    await page.getByLabel('密码', { exact: true }).fill('Liang-Chen-2026-Mei-Jing');
    await page.getByRole('button', { name: '登录', exact: true }).click();
    await page.getByRole('heading', { name: '动态口令' }).waitFor();
    assert.deepEqual(visitor.faults, []);
    await visitor.context.close();
  });

  async function criticalExam(): Promise<string> {
    const answer = await hub.call('GET', `/api/v1/persons/${hub.personId}/timeline`);
    const { items } = answer.json as { items: { examId: string; report: { critical: boolean } | null }[] };
    const found = items.find(({ report }) => report?.critical === true);
    assert.ok(found, 'the corrected report is the critical one');
    return found.examId;
  }
});
