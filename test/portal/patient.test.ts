/**
 * A patient in a real Chromium: signs in by the province's provider for citizens, reads the own exams, sees who looked after
 * doctors did, refuses a hospital whose doctor then finds less, shows a code, and takes it all back.
 */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { Browser } from 'playwright-core';
import { DESKTOP, NO_BROWSER, openBrowser, PHONE, visit } from '../support/browser.ts';
import { portalHub } from '../support/portal-hub.ts';
import type { PortalHub } from '../support/portal-hub.ts';
import { samlGround } from '../support/saml-hub.ts';
import type { SamlGround } from '../support/saml-hub.ts';
import type { SignedInTest } from '../support/sign-in.ts';
import { assertSound, signsInBySaml } from '../support/visitor.ts';

const H1 = 'MA9990H1799010011A1001';
const DRAFT = '初步印象不得外传';

const ZH = {
  ...{ citizens: '省政务服务网', exams: '我的检查', total: '共 4 次检查', waiting: '报告尚未签发' },
  ...{ read: /^查看报告/, report: /^检查报告/, unsigned: /还没有签发/, images: '阅片' },
  ...{ looked: '谁看过我的资料', doctor: '医师', emergency: '紧急', self: '您本人', showSelf: '也显示我自己的查看' },
  ...{ notices: '通知', glass: '紧急调阅', unconscious: /意识不清/ },
  ...{ consents: '授权与拒绝', meaning: /生命危急/, institution: '机构', submit: '确认', saved: '已登记，立即生效。' },
  ...{ refused: /^拒绝查看/, withdraw: '撤回', none: /没有有效的授权或拒绝/ },
  ...{ code: '出示给医生的码', qr: '生成二维码', image: '给医生扫描的二维码', digits: '生成数字码' },
  ...{ nobody: /没有找到与您的身份证号和姓名一致的登记/, signOut: '退出登录' },
};
const EN: { [K in keyof typeof ZH]: (typeof ZH)[K] } = {
  ...{ citizens: 'Provincial citizen sign-on', exams: 'My exams', total: '4 exams', waiting: 'Report not signed yet' },
  ...{ read: /^Read the report/, report: /^Report/, unsigned: /is not signed yet/, images: 'Open images' },
  ...{ looked: 'Who looked at my records', doctor: 'Physician', emergency: 'Emergency', self: 'Yourself' },
  ...{ showSelf: 'Show my own looks too', notices: 'Notices', glass: 'Emergency access', unconscious: /Unconscious/ },
  ...{ consents: 'Consent and refusal', meaning: /life is in danger/, institution: 'Institution', submit: 'Confirm' },
  ...{ saved: 'Recorded; it holds at once.', refused: /^Refuse ·/, withdraw: 'Withdraw', none: /is in force\. / },
  ...{ code: 'Code to show the doctor', qr: 'Make a QR code', image: 'QR code for the doctor to scan' },
  ...{ digits: 'Make digits', nobody: /No registration agrees with your resident ID and name/, signOut: 'Sign out' },
};

suite('a patient’s own pages', { skip: NO_BROWSER }, () => {
  let saml: SamlGround;
  let hub: PortalHub;
  let browser: Browser;
  let hospital: { code: string; nameZh: string; nameEn: string | null };
  let draftExam = '';

  before(async () => {
    saml = await samlGround('localhost', H1);
    hub = await portalHub({ ...saml.env, HUB_HTTP_PORT: String(saml.port) });
    const keys = { patientId: hub.patient.local.h1, accessionNumber: 'PATDRAFT1' };
    for (const [what, body] of [
      ['exams', { ...keys, procedureName: '头颅CT平扫', modality: 'CT', startedAt: '2026-11-19 08:00:00' }],
      ['reports', { ...keys, reportNumber: 'RPATDRAFT1', status: 'P', findings: DRAFT, impression: DRAFT }],
    ] as const)
      assert.equal((await hub.call('POST', `/api/v1/sites/h1/${what}`, body)).status, 202);
    await settled(hub);
    const { json } = await hub.call('GET', '/api/v1/institutions?limit=200');
    const { items } = json as { items: { code: string; nameZh: string; nameEn: string | null }[] };
    const found = items.find(({ code }) => code === H1);
    assert.ok(found);
    hospital = found;
    browser = await openBrowser();
  });
  after(async () => {
    await browser.close();
    await hub.close();
    await saml.close();
  });

  const asks = async (
    { headers }: SignedInTest,
    path: string,
    body?: object,
  ): Promise<{ status: number; json: Record<string, unknown> }> => {
    const answer = await fetch(`${hub.origin}/api/v1${path}`, {
      headers: { ...headers, 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    });
    return { status: answer.status, json: (await answer.json()) as Record<string, unknown> };
  };
  /** How many exams of the patient the doctor finds now. */
  const found = async (doctor: SignedInTest): Promise<unknown> =>
    (await asks(doctor, `/persons/${hub.personId}/timeline`)).json['total'];

  for (const [size, language, words] of [
    [PHONE, 'zh', ZH],
    [DESKTOP, 'en', EN],
  ] as const)
    test(`${language}, ${String(size.width)} px: signs in, reads, sees who looked, refuses, shows a code, takes it back`, async () => {
      const [doctor, stranger] = [await hub.person('physician', 'h1'), await hub.person('physician', 'h2')];
      await forgetConsents(hub);
      const items = (await asks(doctor, `/persons/${hub.personId}/timeline`)).json['items'];
      const exams = items as { examId: string; site: string; title: string }[];
      assert.equal(exams.length, 4);
      draftExam = exams.find(({ title }) => title.startsWith('头颅'))?.examId ?? '';
      assert.match(JSON.stringify((await asks(doctor, `/exams/${draftExam}`)).json), new RegExp(DRAFT));
      const glass = { personId: hub.personId, reason: 'unconscious', text: '昏迷送来' };
      assert.ok([200, 201].includes((await asks(stranger, '/break-glass', glass)).status));
      assert.equal(await found(stranger), 4);

      const { name, residentId } = hub.patient;
      saml.citizens.user = { nameId: 'citizen-1', name, roles: [], residentId: residentId ?? '' };
      const visitor = await visit(browser, hub.origin, size, language);
      const { page, context } = visitor;
      const sound = (): Promise<void> => assertSound(visitor, [saml.citizens.origin]);
      await signsInBySaml(page, saml.citizens, words.citizens, '/my/exams');
      await page.getByRole('heading', { name: words.exams, level: 1 }).waitFor();
      await page.getByText(words.total).waitFor();
      await page.getByText(words.waiting).waitFor();
      await sound();
      await page.getByRole('link', { name: words.read }).first().click();
      await page.getByRole('heading', { name: words.report }).first().waitFor();
      await sound();
      const [tab] = await Promise.all([
        context.waitForEvent('page'),
        page.getByRole('button', { name: words.images }).click({ modifiers: ['Shift'] }),
      ]);
      await tab.waitForURL(/\/viewer\/.*StudyInstanceUIDs=/, { timeout: 120_000 });
      await tab.close();
      await page.goto(`/my/exams/${draftExam}`);
      await page.getByText(words.unsigned).waitFor();
      assert.doesNotMatch(await page.content(), new RegExp(DRAFT));

      await page.goto('/my/accesses');
      await page.getByRole('heading', { name: words.looked, level: 1 }).waitFor();
      const place = language === 'en' ? (hospital.nameEn ?? hospital.nameZh) : hospital.nameZh;
      await page.getByText(`${place} ${words.doctor}`).first().waitFor();
      await page.locator('.critical', { hasText: words.emergency }).first().waitFor();
      assert.equal(await page.getByText(words.self, { exact: true }).count(), 0);
      await page.getByLabel(words.showSelf).check();
      await page.getByText(words.self, { exact: true }).first().waitFor();
      await sound();

      await page.goto('/my/notices');
      await page.getByRole('heading', { name: words.notices, level: 1 }).waitFor();
      await page.getByText(words.glass, { exact: true }).first().waitFor();
      await page.getByText(words.unconscious).first().waitFor();
      await sound();

      await page.goto('/my/consents');
      await page.getByText(words.meaning).waitFor();
      await page.getByText(words.none).waitFor();
      await page.getByLabel(words.institution).selectOption(H1);
      await page.getByRole('button', { name: words.submit }).press('Enter');
      await page.getByText(words.saved).waitFor();
      const standing = page.locator('section[aria-labelledby="standing"]');
      await standing.getByText(words.refused).waitFor();
      await sound();
      const own = exams.filter(({ site }) => site === 'h1').length;
      assert.ok(own < 4);
      assert.equal(await found(doctor), own, 'what the hospital made itself, and nothing else');
      assert.equal(await found(stranger), 4, 'no doctor is stopped in an emergency');

      await page.goto('/my/code');
      await page.getByRole('button', { name: words.qr }).click();
      await page.getByRole('img', { name: words.image }).waitFor();
      await sound();
      await page.getByRole('button', { name: words.digits }).click();
      const code = ((await page.locator('.digits').textContent()) ?? '').replace(/\D/g, '');
      assert.match(code, /^\d{8}$/);
      const used = await asks(doctor, '/present-codes/redeem', { code, personId: hub.personId });
      assert.equal(used.status, 201);
      assert.equal(await found(doctor), 4, 'who is shown a code sees again');

      await page.goto('/my/consents');
      for (let left = 2; left > 0; left--) {
        const acts = standing.locator('.row-acts');
        await acts.nth(left - 1).waitFor();
        await acts.first().getByRole('button', { name: words.withdraw }).click();
        await acts.first().getByRole('button', { name: words.withdraw }).press('Enter');
        await acts.nth(left - 1).waitFor({ state: 'detached' });
      }
      await page.getByText(words.none).waitFor();
      assert.equal(await found(doctor), 4);

      assert.equal(await page.locator('.notices').count(), 0, 'nobody asks a patient why they looked at their own');
      // Of somebody else: as what does not exist.
      const others = await hub.call('POST', '/api/v1/persons/search', { number: 'X-1', site: 'h2' });
      const [other] = (others.json as { items: { person: { personId: string } }[] }).items;
      const status = await page.evaluate<number>(
        `fetch('/api/v1/persons/${other?.person.personId ?? ''}/timeline').then((answer) => answer.status)`,
      );
      assert.equal(status, 404);
      await context.close();
    });

  test('who is in no register sees a clear page and nothing else', async () => {
    saml.citizens.user = { nameId: 'citizen-2', name: '不在册', roles: [], residentId: '11010519491231002X' };
    const visitor = await visit(browser, hub.origin, PHONE, 'zh');
    const { page } = visitor;
    await page.goto('/my/exams');
    await page.getByRole('link', { name: ZH.citizens }).click();
    await page.click('#go');
    await page.getByText(ZH.nobody).waitFor();
    await assertSound(visitor, [saml.citizens.origin]);
    await visitor.context.close();
  });
});

/** What the way before this one left, where it failed. */
async function forgetConsents(hub: PortalHub): Promise<void> {
  await hub.database.pool.query(`update consent set status = 'inactive'`);
}

async function settled(hub: PortalHub): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    const { json } = await hub.call('GET', '/api/v1/journal/counters');
    if ((json as { pending: number }).pending === 0) return;
    await pause(200);
  }
  throw new Error('what was sent was not applied in time');
}
