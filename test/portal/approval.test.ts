/**
 * Two administrators in a real Chromium, in both languages, at a desk and on a phone: one asks, is told what to do where he
 * is alone, another approves, and the person comes in by the halves of both.
 */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { DESKTOP, NO_BROWSER, openBrowser, PHONE, visit } from '../support/browser.ts';
import type { Visit } from '../support/browser.ts';
import { PASSWORD } from '../support/enter.ts';
import { portalHub } from '../support/portal-hub.ts';
import type { PortalHub } from '../support/portal-hub.ts';
import type { SignedInTest } from '../support/sign-in.ts';
import { assertSound, wears } from '../support/visitor.ts';

const ZH = {
  ...{ accounts: '账号', create: '新建账号', login: '登录名', name: '姓名', physician: '医师', reason: '理由' },
  ...{ alone: /需要两名管理员/, asked: /须由另一名管理员批准/, title: '双人审批', waits: /待您作为第二人审批/ },
  ...{ approve: '批准', refuse: '不批准', withdraw: '撤回', code: '激活码第二段' },
  ...{ clients: '接入系统', clientName: '名称', make: '新建', certificate: '客户端证书指纹（SHA-256）' },
  ...{ jwks: '公钥（JWKS）', wrong: '公钥不是有效的 JWKS。', token: '令牌第一段', copy: '复制', copied: '已复制' },
  ...{ haveCode: /用激活码设置密码/, first: '激活码', second: '第二段（如有）', password: '新密码', confirm: '确认' },
  enrol: '绑定动态口令',
};
const EN: { [K in keyof typeof ZH]: (typeof ZH)[K] } = {
  ...{ accounts: 'Accounts', create: 'New account', login: 'Login name', name: 'Name', physician: 'Physician' },
  ...{ reason: 'Reason', alone: /Two administrators are needed/, asked: /once another administrator has approved it/ },
  ...{ title: 'Second person', waits: /wait for a second person/, approve: 'Approve', refuse: 'Refuse' },
  ...{ withdraw: 'Withdraw', code: 'Second half of the activation code' },
  ...{ clients: 'Clients', clientName: 'Name', make: 'Create', certificate: 'Client certificate (SHA-256)' },
  ...{ jwks: 'Public keys (JWKS)', wrong: 'This is no JWKS.', token: 'First half of the token' },
  ...{ copy: 'Copy', copied: 'Copied', haveCode: /activation code/, first: 'Activation code' },
  ...{ second: 'Second half, if there is one', password: 'New password', confirm: 'Confirm' },
  enrol: 'Bind an authenticator',
};
const WAYS = [
  [DESKTOP, 'zh', ZH],
  [PHONE, 'en', EN],
] as const;
const FINGERPRINT = /^[0-9a-f]{64}$/;

suite('what two administrators do together', { skip: NO_BROWSER }, () => {
  let hub: PortalHub;
  let browser: Browser;
  let asker: SignedInTest;

  before(async () => {
    hub = await portalHub();
    browser = await openBrowser();
    asker = await hub.person('security-administrator');
  });
  after(async () => {
    await browser.close();
    await hub.close();
  });

  async function as(
    who: SignedInTest,
    size: typeof DESKTOP | typeof PHONE,
    language: 'zh' | 'en',
  ): Promise<{ readonly visitor: Visit; readonly page: Page }> {
    const visitor = await visit(browser, hub.origin, size, language);
    await wears(visitor, hub.origin, who);
    return { visitor, page: visitor.page };
  }

  async function askAccount(page: Page, words: typeof ZH, loginName: string): Promise<void> {
    await page.goto('/administration/accounts');
    await page.locator('summary', { hasText: words.create }).click();
    const form = page.locator('details form');
    await form.getByLabel(words.login).fill(loginName);
    await form.getByLabel(words.name, { exact: true }).fill('王医生');
    await form.getByLabel(words.physician, { exact: true }).check();
    await form.getByRole('button', { name: words.create }).click();
  }

  for (const [size, language, words] of WAYS) {
    const way = `${language}, ${String(size.width)} px`;

    test(`who is alone is told what to do: ${way}`, async () => {
      const { visitor, page } = await as(asker, size, language);
      await askAccount(page, words, `alone.${language}`);
      await page.getByRole('alert').filter({ hasText: words.alone }).waitFor();
      await assertSound(visitor);
      await visitor.context.close();
    });
  }

  for (const [size, language, words] of WAYS) {
    const way = `${language}, ${String(size.width)} px`;

    test(`one asks, another approves, and both halves let the doctor in: ${way}`, async () => {
      const second = await hub.person(language === 'zh' ? 'system-administrator' : 'security-administrator');
      const loginName = `li.${language}`;
      const one = await as(asker, size, language);
      await askAccount(one.page, words, loginName);
      const said = one.page.getByRole('status').filter({ hasText: words.asked });
      const first = await said.locator('code').innerText();
      await assertSound(one.visitor);
      await one.page.goto('/administration/approvals');
      const own = one.page.getByRole('article').filter({ hasText: loginName });
      await own.getByRole('button', { name: words.withdraw }).waitFor();
      assert.equal(await own.getByRole('button', { name: words.approve, exact: true }).count(), 0, 'not by the asker');
      await one.visitor.context.close();

      const other = await as(second, size, language);
      await other.visitor.context.grantPermissions(['clipboard-read', 'clipboard-write']);
      await other.page.goto('/operations/clients');
      await other.page.getByRole('link', { name: words.waits }).click();
      await other.page.getByRole('heading', { name: words.title, level: 1 }).waitFor();
      const request = other.page.getByRole('article').filter({ hasText: loginName });
      await request.getByLabel(words.reason).fill('asked the hospital');
      await assertSound(other.visitor);
      // By keyboard: the next control after the reason is the button.
      await request.getByLabel(words.reason).press('Tab');
      await other.page.keyboard.press('Enter');
      const half = other.page.getByRole('status').filter({ hasText: words.code });
      const secondHalf = await half.locator('code').innerText();
      await half.getByRole('button', { name: words.copy }).click();
      await half.getByText(words.copied).waitFor();
      assert.equal(await other.page.evaluate('navigator.clipboard.readText()'), secondHalf);
      await request.waitFor({ state: 'detached' });
      await assertSound(other.visitor);
      await other.visitor.context.close();

      const doctor = await visit(browser, hub.origin, size, language);
      await doctor.page.goto('/login');
      await doctor.page.getByRole('button', { name: words.haveCode }).click();
      await doctor.page.getByLabel(words.login).fill(loginName);
      await doctor.page.getByLabel(words.first, { exact: true }).fill(first);
      await doctor.page.getByLabel(words.second).fill(secondHalf);
      await doctor.page.getByLabel(words.password).fill(PASSWORD);
      await assertSound(doctor);
      await doctor.page.getByRole('button', { name: words.confirm }).click();
      await doctor.page.getByRole('heading', { name: words.enrol }).waitFor();
      await doctor.context.close();
    });

    test(`a system with a certificate needs no token; one without gets half; a refusal says why: ${way}`, async () => {
      const certificate = (language === 'zh' ? 'a1' : 'b2').repeat(32);
      const one = await as(asker, size, language);
      await one.page.goto('/operations/clients');
      await one.page.getByRole('heading', { name: words.clients, level: 1 }).waitFor();
      await one.page.getByLabel(words.clientName).fill(`certified ${language}`);
      await one.page.getByLabel(words.jwks).fill('{');
      await one.page.getByText(words.wrong).waitFor();
      await one.page.getByLabel(words.jwks).fill('');
      await one.page.getByLabel(words.certificate).fill((certificate.match(/../g) ?? []).join(':'));
      await assertSound(one.visitor);
      await one.page.getByRole('button', { name: words.make, exact: true }).click();
      const said = one.page.getByRole('status').filter({ hasText: words.asked });
      await said.waitFor();
      assert.equal(await said.locator('code').count(), 0, 'no secret');
      await one.page.getByLabel(words.clientName).fill(`bare ${language}`);
      await one.page.getByRole('button', { name: words.make, exact: true }).click();
      await said.filter({ hasText: words.token }).waitFor();
      assert.match(await said.locator('code').innerText(), /^hutong_[\w-]{43}$/);
      await assertSound(one.visitor);
      await one.visitor.context.close();

      const other = await as(await hub.person('system-administrator'), size, language);
      await other.page.goto('/administration/approvals');
      const certified = other.page.getByRole('article').filter({ hasText: `certified ${language}` });
      await certified.waitFor();
      const shown = await certified.locator('dd').allInnerTexts();
      assert.equal(
        shown.find((text) => FINGERPRINT.test(text)),
        certificate,
        'to be compared',
      );
      await certified.getByLabel(words.reason).fill('fingerprint compared');
      await certified.getByRole('button', { name: words.approve, exact: true }).click();
      await certified.waitFor({ state: 'detached' });
      const bare = other.page.getByRole('article').filter({ hasText: `bare ${language}` });
      await bare.getByLabel(words.reason).fill('nobody knows it');
      await bare.getByRole('button', { name: words.refuse, exact: true }).click();
      await bare.waitFor({ state: 'detached' });
      await assertSound(other.visitor);
      await other.visitor.context.close();
      const { rows } = await hub.database.pool.query<{ name: string; open: boolean }>(
        `select name, not pending and revoked_at is null as open from client where name like '%' || $1 order by name`,
        [` ${language}`],
      );
      assert.deepEqual(rows, [
        { name: `bare ${language}`, open: false },
        { name: `certified ${language}`, open: true },
      ]);
    });
  }
});
