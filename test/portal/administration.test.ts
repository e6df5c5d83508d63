/**
 * The security administrator's and the auditor's pages in a real Chromium, in both languages, at a desk and on a phone:
 * somebody invited and shut out, a hospital approved, exams made sensitive, odd access and emergencies looked into, and an
 * audit whose bent record is found.
 */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { DESKTOP, NO_BROWSER, openBrowser, PHONE, visit } from '../support/browser.ts';
import type { Visit } from '../support/browser.ts';
import { portalHub } from '../support/portal-hub.ts';
import type { PortalHub } from '../support/portal-hub.ts';
import type { SignedInTest } from '../support/sign-in.ts';
import { assertSound, wears } from '../support/visitor.ts';

const ZH = {
  ...{ clients: '接入系统', clientName: '名称', make: '新建' },
  ...{ accounts: '账号', create: '新建账号', login: '登录名', name: '姓名', physician: '医师', code: /激活码/ },
  ...{ reason: '理由', suspend: '停用', suspended: '已停用', signOut: '结束全部会话', ended: '已结束 1 个会话。' },
  ...{ institutions: '医疗机构', apply: '机构入驻申请', instCode: '机构代码', instName: '名称', submit: '提交申请' },
  ...{ submitted: '已提交，须由另一人审核。', approve: '批准', approved: '已批准', history: '办理记录' },
  ...{
    sensitivity: '敏感规则',
    field: '依据',
    department: '申请科室',
    ruleCode: '代码',
    add: '增加规则',
    done: /标记完毕/,
  },
  ...{ examId: '检查编号', find: '查看标记', vip: '特殊人员', setHand: '保存人工标记', byHand: '人工' },
  ...{
    flags: '异常访问',
    take: '受理',
    improper: '不正当',
    none: '没有内容。',
    accountFlags: '账号标记',
    close: '结案',
  },
  ...{ leave: (name: string) => `决定 ${name}：记录患者授权`, grant: '准予', granted: /已准予/ },
  ...{ emergencies: '紧急调阅复核', justified: '正当', proof: '完整性校验', run: '立即校验' },
  ...{
    intact: '审计记录完整',
    bent: '审计记录被改动',
    altered: '记录被篡改',
    explain: '提交说明',
    waiting: /须说明原因/,
  },
};
const EN: { [K in keyof typeof ZH]: (typeof ZH)[K] } = {
  ...{ accounts: 'Accounts', create: 'New account', login: 'Login name', name: 'Name', physician: 'Physician' },
  ...{ code: /activation code/, reason: 'Reason', suspend: 'Suspend', suspended: 'suspended' },
  ...{ signOut: 'End all sessions', ended: '1 sessions were ended.', institutions: 'Institutions' },
  ...{ apply: 'Apply for an institution', instCode: 'Code', instName: 'Name', submit: 'Submit' },
  ...{ submitted: 'Submitted; somebody else reviews it.', approve: 'Approve', approved: 'approved' },
  ...{ clients: 'Clients', clientName: 'Name', make: 'Create' },
  ...{ leave: (name: string) => `Decide ${name}: recording consents`, grant: 'Grant', granted: /^granted/ },
  ...{ history: 'What was done', sensitivity: 'Sensitivity', field: 'By', department: 'requesting department' },
  ...{
    ruleCode: 'Code',
    add: 'Add the rule',
    done: /were labelled/,
    examId: 'Id of the exam',
    find: 'Show its labels',
  },
  ...{ vip: 'special person', setHand: 'Save labels by hand', byHand: 'by hand', flags: 'Odd access', take: 'Take up' },
  ...{ improper: 'Improper', none: 'Nothing here.', accountFlags: 'Account flags', close: 'Close' },
  ...{ emergencies: 'Emergencies to review', justified: 'Justified', proof: 'Proof of the audit', run: 'Prove it now' },
  ...{ intact: 'The audit stands as it was written', bent: 'The audit was bent', altered: 'a record was altered' },
  ...{ explain: 'Submit', waiting: /to explain/ },
};
const WAYS = [
  [DESKTOP, 'zh', ZH],
  [PHONE, 'en', EN],
] as const;

suite('the pages of the security administrator and of the auditor', { skip: NO_BROWSER }, () => {
  let hub: PortalHub;
  let browser: Browser;

  before(async () => {
    hub = await portalHub();
    // Nobody makes an account alone (approval.test.ts).
    await hub.person('system-administrator');
    browser = await openBrowser();
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
  const opened = async (page: Page, path: string, title: string): Promise<void> => {
    await page.goto(path);
    await page.getByRole('heading', { name: title, level: 1 }).waitFor();
  };

  for (const [size, language, words] of WAYS) {
    const way = `${language}, ${String(size.width)} px`;

    test(`somebody is invited, suspended, and out at once: ${way}`, async () => {
      const { visitor, page } = await as(await hub.person('security-administrator'), size, language);
      await opened(page, '/administration/accounts', words.accounts);
      await page.locator('summary', { hasText: words.create }).click();
      const form = page.locator('details form');
      await form.getByLabel(words.login).fill(`wang.${language}`);
      await form.getByLabel(words.name, { exact: true }).fill('王医生');
      await form.getByLabel(words.physician, { exact: true }).check();
      await assertSound(visitor);
      await form.getByRole('button', { name: words.create }).click();
      const secret = page.getByRole('status').filter({ hasText: words.code });
      await secret.waitFor();
      assert.match(await secret.locator('code').innerText(), /^\S{8,}$/);

      const doctor = await hub.person('physician', 'h1');
      const out = await as(doctor, size, language);
      await out.page.goto('/patients');
      await out.page.locator('form.search-form').waitFor();
      await page.goto(`/administration/accounts/${doctor.accountId}`);
      await page.getByLabel(words.reason).fill('left the hospital');
      await assertSound(visitor);
      await page.getByRole('button', { name: words.signOut }).click();
      await page.getByText(words.ended).waitFor();
      await out.page.goto('/patients');
      await out.page.waitForURL((url) => url.pathname === '/login');
      await page.getByLabel(words.reason).fill('left the hospital');
      await page.getByRole('button', { name: words.suspend }).click();
      await page.locator('dd', { hasText: words.suspended }).waitFor();
      await out.visitor.context.close();
      await visitor.context.close();
    });

    test(`a hospital applies and is approved by somebody else: ${way}`, async () => {
      const applicant = await as(await hub.person('system-administrator'), size, language);
      const code = `MA9990H9${language === 'zh' ? '1' : '2'}99010011A1001`;
      await opened(applicant.page, '/administration/institutions', words.institutions);
      await applicant.page.locator('summary', { hasText: words.apply }).click();
      const form = applicant.page.locator('details form');
      await form.getByLabel(words.instCode, { exact: true }).fill(code);
      await form.getByLabel(words.instName, { exact: true }).fill('省第九医院');
      await form.getByRole('button', { name: words.submit }).click();
      await applicant.page.getByText(words.submitted).waitFor();
      await assertSound(applicant.visitor);
      await applicant.visitor.context.close();
      const { visitor, page } = await as(await hub.person('security-administrator'), size, language);
      await page.goto(`/administration/institutions/${code}`);
      await page.getByLabel(words.reason).fill('licence seen');
      await page.getByRole('button', { name: words.approve, exact: true }).click();
      await page.locator('dd', { hasText: words.approved }).waitFor();
      assert.equal(await page.getByRole('region', { name: words.history }).locator('tbody tr').count(), 2);
      await assertSound(visitor);
      for (const path of ['/administration/practitioners', '/administration/consortia']) {
        await page.goto(path);
        await page.getByRole('table').waitFor();
        await assertSound(visitor);
      }
      await visitor.context.close();
    });

    test(`a system that reads is the security administrator's to make, one that sends the system administrator's: ${way}`, async () => {
      for (const [role, made] of [
        ['security-administrator', 'query-platform'],
        ['system-administrator', 'hospital-feed'],
      ] as const) {
        const { visitor, page } = await as(await hub.person(role), size, language);
        await opened(page, '/operations/clients', words.clients);
        await page.getByLabel(words.clientName).fill(`${made} ${language}`);
        await page.getByRole('combobox').last().selectOption('h1');
        await page.getByRole('button', { name: words.make, exact: true }).click();
        assert.match(await page.getByRole('status').locator('code').innerText(), /^\S{30,}$/);
        await assertSound(visitor);
        const { rows } = await hub.database.pool.query('select role from client where name = $1', [
          `${made} ${language}`,
        ]);
        assert.deepEqual(rows, [{ role: made }]);
        if (role === 'security-administrator') {
          await page.getByRole('button', { name: words.leave(`${made} ${language}`) }).click();
          await page.getByLabel(words.reason).fill('desk inspected');
          await page.getByRole('button', { name: words.grant, exact: true }).click();
          const row = page.getByRole('row', { name: new RegExp(`${made} ${language}`) });
          await row.getByRole('cell', { name: words.granted }).waitFor();
          await assertSound(visitor);
        }
        await visitor.context.close();
      }
    });

    test(`a rule and a label by hand make exams sensitive: ${way}`, async () => {
      const { visitor, page } = await as(await hub.person('security-administrator'), size, language);
      await opened(page, '/administration/sensitivity', words.sensitivity);
      const rule = page.getByRole('region', { name: words.add });
      await rule.getByLabel(words.ruleCode, { exact: true }).fill(`D-${language}`);
      await rule.getByLabel(words.reason).fill('psychiatry');
      await rule.getByRole('button', { name: words.add }).click();
      await page.getByRole('row', { name: new RegExp(`D-${language}`) }).waitFor();
      const examId = hub.examIds[language === 'zh' ? 0 : 1] ?? '';
      await page.getByLabel(words.examId).fill(examId);
      await page.getByRole('button', { name: words.find }).click();
      const one = page.locator('.ops-box', { has: page.getByRole('button', { name: words.setHand }) });
      await one.getByLabel(words.vip).check();
      await one.getByLabel(words.reason).fill('as the ministry says');
      await one.getByRole('button', { name: words.setHand }).click();
      await one.getByRole('row', { name: new RegExp(`${words.vip} ${words.byHand}`) }).waitFor();
      await assertSound(visitor);
      const { rows } = await hub.database.pool.query('select label, source from exam_label where exam_id = $1', [
        examId,
      ]);
      assert.deepEqual(rows, [{ label: 'vip', source: 'hand' }]);
      await hub.database.pool.query('delete from exam_label');
      await visitor.context.close();
    });

    test(`odd access and an emergency are looked into, and who did it says why: ${way}`, async () => {
      const doctor = await hub.person('physician', 'h2');
      const flagId = await flagged(hub, doctor.accountId, language);
      const headers = { ...doctor.headers, Origin: hub.origin, 'Content-Type': 'application/json' };
      const broken = await fetch(`${hub.origin}/api/v1/break-glass`, {
        ...{ method: 'POST', headers },
        body: JSON.stringify({ personId: hub.personId, reason: 'unconscious', text: '昏迷送入急诊' }),
      });
      assert.equal(broken.status, 201, await broken.text());

      const auditor = await as(await hub.person('auditor'), size, language);
      await opened(auditor.page, '/audit/flags', words.flags);
      const row = auditor.page.locator(`tr[data-row-key="${flagId}"]`);
      await row.getByRole('button', { name: words.take }).click();
      await row.getByLabel(words.reason).fill('nobody asked for it');
      await assertSound(auditor.visitor);
      await row.getByRole('button', { name: words.improper }).click();
      await row.waitFor({ state: 'detached' });
      await opened(auditor.page, '/audit/emergencies', words.emergencies);
      const one = auditor.page.getByRole('article').first();
      await one.getByText('昏迷送入急诊').waitFor();
      await one.getByLabel(words.reason).fill('it was one');
      await assertSound(auditor.visitor);
      await one.getByRole('button', { name: words.justified, exact: true }).click();
      await auditor.page.getByText(words.none).waitFor();
      await auditor.visitor.context.close();

      const asked = await as(doctor, size, language);
      await asked.page.goto('/patients');
      await asked.page.getByRole('link', { name: words.waiting }).click();
      await asked.page.getByLabel(words.reason).fill('I was asked by a colleague');
      await assertSound(asked.visitor);
      await asked.page.getByRole('button', { name: words.explain }).click();
      await asked.page.getByRole('cell', { name: 'I was asked by a colleague' }).waitFor();
      await asked.visitor.context.close();

      const security = await as(await hub.person('security-administrator'), size, language);
      await opened(security.page, '/administration/flags', words.accountFlags);
      const flag = security.page.getByRole('row', { name: /I was asked by a colleague/ });
      await flag.getByLabel(words.reason).fill('spoken to');
      await assertSound(security.visitor);
      await flag.getByRole('button', { name: words.close }).click();
      await flag.waitFor({ state: 'detached' });
      await security.visitor.context.close();
    });
  }

  test('the audit is proved, and a record that was bent is found and shown', async () => {
    for (const [size, language, words] of WAYS) {
      const { visitor, page } = await as(await hub.person('auditor'), size, language);
      await opened(page, '/audit/proof', words.proof);
      if (language === 'zh') {
        await page.getByRole('button', { name: words.run }).click();
        await page.getByText(words.intact).waitFor({ timeout: 60_000 });
        await assertSound(visitor);
        const { pool } = hub.database;
        await pool.query('alter table audit disable trigger user');
        await pool.query(
          `update audit set caller_name = caller_name || '?' where id = (select min(id) from audit where seq is not null)`,
        );
        await pool.query('alter table audit enable always trigger audit_is_final');
        // A minute must lie between two proofs that are asked for.
        await pool.query(`update audit_verification set began_at = began_at - interval '2 minutes'`);
        await page.getByRole('button', { name: words.run }).click();
      }
      await page.getByText(words.bent).waitFor({ timeout: 60_000 });
      await page.getByText(words.altered).first().waitFor();
      await assertSound(visitor);
      await visitor.context.close();
    }
  });
});

/** Odd access of the account as the watch flags it, which asks its holder why. */
async function flagged(hub: PortalHub, accountId: string, mark: string): Promise<string> {
  const { rows } = await hub.database.pool.query<{ flag_id: string }>(
    `insert into audit_flag (rule, actor, actor_name, day, first_at, last_at, events, persons, records, explanation)
     values ('no-relation', $1, '赵医生', now(), now(), now(), 1, '{}', '{}', $2) returning flag_id`,
    [accountId, `read without a relation ${mark}`],
  );
  const flagId = rows[0]?.flag_id ?? '';
  await hub.database.pool.query(
    `insert into account_flag (flag_id, account_id, account_name, audit_flag_id, at, by_id, note, rule, severity, reaction)
     values (gen_random_uuid(), $1, '赵医生', $2, now(), 'hub', 'read without a relation', 'no-relation', 'high', 'explain')`,
    [accountId, flagId],
  );
  return flagId;
}
