/** A doctor whose account is under a flag says why, in a real Chromium: the dialog, what follows, and the emergency beside it. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { barriers, DESKTOP, isTooWide, NO_BROWSER, openBrowser, PHONE, visit } from '../support/browser.ts';
import { portalHub, type PortalHub } from '../support/portal-hub.ts';

const WORDS = {
  zh: {
    title: '说明调阅理由',
    text: '理由',
    submit: '提交并查看',
    cancel: /取\s?消/,
    emergency: '紧急调阅',
    total: /共 3 次检查/,
    report: '检查报告',
  },
  en: {
    title: 'Say why you read',
    text: 'Reason',
    submit: 'Submit and read',
    cancel: 'Cancel',
    emergency: 'Emergency access',
    total: /3 exams/,
    report: 'Report',
  },
} as const;

suite('an account under a flag', { skip: NO_BROWSER }, () => {
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

  async function flag(accountId: string): Promise<void> {
    const { rows } = await hub.database.pool.query<{ flag_id: string }>(
      `insert into audit_flag (rule, actor, actor_name, day, first_at, last_at, events, persons, records, explanation)
       values ('no-relation', $1, '赵医生', now(), now(), now(), 1, '{}', '{}', 'x') returning flag_id`,
      [accountId],
    );
    await hub.database.pool.query(
      `insert into account_flag (flag_id, account_id, account_name, audit_flag_id, at, by_id, note, rule, severity, reaction)
       values (gen_random_uuid(), $1, '赵医生', $2, now(), 'hub', '', 'no-relation', 'high', 'explain')`,
      [accountId, rows[0]?.flag_id],
    );
  }

  for (const [size, language, way] of [
    [DESKTOP, 'zh', 'time line'],
    [PHONE, 'en', 'exam'],
  ] as const)
    test(`says why before it reads: ${way}, ${language}, ${String(size.width)} px`, async () => {
      const words = WORDS[language];
      const doctor = await hub.person('physician', 'h1');
      await flag(doctor.accountId);
      const visitor = await visit(browser, hub.origin, size, language);
      const cookies = doctor.cookie.split('; ').map((pair) => {
        const [name = '', value = ''] = pair.split('=');
        return { name, value, url: hub.origin };
      });
      await visitor.context.addCookies(cookies);
      const { page } = visitor;
      await page.goto(way === 'exam' ? `/exams/${hub.examIds[0] ?? ''}` : `/persons/${hub.personId}`);
      const dialog = page.getByRole('dialog');
      await dialog.getByText(words.title).waitFor();
      assert.deepEqual(await barriers(page), []);
      assert.equal(await isTooWide(page), false);
      if (way === 'time line') {
        await dialog.getByRole('button', { name: words.cancel }).click();
        await page.getByRole('button', { name: words.emergency }).waitFor();
        await page.getByRole('button', { name: words.title }).click();
      }
      await dialog.getByLabel(words.text).fill('outpatient review');
      await dialog.getByRole('button', { name: words.submit }).click();
      if (way === 'exam') await page.getByRole('heading', { name: words.report }).first().waitFor();
      else await page.getByText(words.total).waitFor();
      const { rows } = await hub.database.pool.query('select purpose from access_reason where account_id = $1', [
        doctor.accountId,
      ]);
      assert.deepEqual(rows, [{ purpose: 'TREATMENT' }]);
      assert.deepEqual(visitor.strangers, []);
      await visitor.context.close();
    });
});
