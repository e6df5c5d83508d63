/**
 * The whole way in a real Chromium, in Chinese and English, at a desk and on a phone: a physician signs in by the hospital's
 * own page, finds a patient, reads, opens the images and scrolls; an operator clears a doubt and an engineer of the hospital
 * replays a message of it, both by SAML; an auditor reads who did all this.
 */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { Browser, Frame, Mouse, Page } from 'playwright-core';
import { DESKTOP, PHONE, visit } from '../support/browser.ts';
import type { Visit } from '../support/browser.ts';
import { portalHub } from '../support/portal-hub.ts';
import type { PortalHub } from '../support/portal-hub.ts';
import { samlGround } from '../support/saml-hub.ts';
import type { SamlGround } from '../support/saml-hub.ts';
import { NO_VIEWER, openReader, until } from '../support/viewer-hub.ts';
import { assertSound, signsInBySaml, wears } from '../support/visitor.ts';

const INSTITUTION = 'MA9990H1799010011A1001';
/** SwiftShader on a shared machine. */
const PATIENCE = { timeout: 180_000 };

const ZH = {
  ...{ hospital: '省第一人民医院', way: '身份证号', search: '检索', found: '找到 1 位患者', all: '共 3 次检查' },
  ...{ report: '检查报告', view: '阅片', notSame: '不是同一人', reason: '理由', closed: /已由/ },
  ...{ dry: '试运行', unchanged: '无变化', replay: '重放', started: /已提交/ },
  ...{ applied: '共 1 条 · 入库 1，转人工 0，跳过 0' },
  ...{ audit: '审计', personId: '患者编号', find: '查询', detail: '详情', read: '查看', peer: '来源地址' },
};
const EN: { [K in keyof typeof ZH]: (typeof ZH)[K] } = {
  ...{ hospital: 'First Provincial Hospital', way: 'Resident ID', search: 'Search', found: '1 patient found' },
  ...{ all: '3 exams', report: 'Report', view: 'Open images', notSame: 'Not the same person', reason: 'Reason' },
  ...{ closed: /Closed by/, dry: 'Dry run', unchanged: 'no change', replay: 'Replay', started: /Started/ },
  ...{ applied: '1 in all · 1 applied, 0 to review, 0 skipped' },
  ...{
    audit: 'Audit',
    personId: 'Id of the patient',
    find: 'Search',
    detail: 'Details',
    read: 'read',
    peer: 'From where',
  },
};
const WAYS = [
  [DESKTOP, 'zh', ZH],
  [PHONE, 'en', EN],
  [DESKTOP, 'en', EN],
  [PHONE, 'zh', ZH],
] as const;
/** Pairs of registrations that may be one person: a doubt for each way. */
const DOUBTS = [
  ['孙立仁', '1958-09-30'],
  ['钱大海', '1949-10-11'],
  ['冯宝山', '1961-04-21'],
  ['褚玉兰', '1953-12-02'],
] as const;

suite('from the hospital’s own sign-on to the audit', { skip: NO_VIEWER }, () => {
  let saml: SamlGround;
  let hub: PortalHub;
  let browser: Browser;

  before(async () => {
    saml = await samlGround('localhost', INSTITUTION);
    hub = await portalHub({ ...saml.env, HUB_HTTP_PORT: String(saml.port) });
    for (const [at, [name, birthDate]] of DOUBTS.entries())
      for (const half of [0, 1])
        await hub.call('POST', '/api/v1/sites/h3/registrations', {
          ...{ patientId: `BL-92${String(at)}00${String(half)}`, name, sex: 'M', birthDate },
        });
    await settled(hub);
    browser = await openReader();
  });
  after(async () => {
    await browser.close();
    await hub.close();
    await saml.close();
  });

  for (const [size, language, words] of WAYS)
    test(`${language}, ${String(size.width)} px: signed in by SAML, found, read, opened, scrolled, decided, replayed, audited`, async () => {
      const visitor = (): Promise<Visit> => visit(browser, hub.origin, size, language);
      const sound = (one: Visit): Promise<void> => assertSound(one, [saml.h1.origin]);
      await reads(await visitor(), sound);
      await decides(await visitor(), sound);
      await replays(await visitor(), sound);
      await audits(await visitor(), sound);

      async function reads(doctor: Visit, isSound: typeof sound): Promise<void> {
        saml.h1.user = { nameId: 'zhang.wei', name: '张伟医生', roles: ['医师'], department: '放射科' };
        const { page, context } = doctor;
        await context.addInitScript(`document.addEventListener('CORNERSTONE_IMAGE_RENDERED', () => {
          if (window.cornerstone.cache.getCacheSize() > 0) window.drawn = (window.drawn ?? 0) + 1;
        }, true);`);
        await signsInBySaml(page, saml.h1, words.hospital, '/patients');
        await page.locator('.ant-radio-button-wrapper', { hasText: words.way }).click();
        await page
          .locator('form.search-form input')
          .first()
          .fill(hub.patient.residentId ?? '');
        await page.getByRole('button', { name: words.search }).click();
        await page.getByRole('heading', { name: words.found }).waitFor();
        await isSound(doctor);
        await page.getByRole('link', { name: /张伟/ }).click();
        await page.getByText(words.all).waitFor();
        // The newest is kept by its hospital; the images of the oldest are here.
        await page
          .getByRole('link', { name: /胸部CT平扫/ })
          .last()
          .click();
        await page
          .getByRole('heading', { name: new RegExp(`^${words.report}`) })
          .first()
          .waitFor();
        await isSound(doctor);
        const { viewer, mouse } = await opens(doctor);
        await viewer.waitForURL(/\/viewer\/.*StudyInstanceUIDs=/, PATIENCE);
        const active = `services.cornerstoneViewportService.getCornerstoneViewport(services.viewportGridService.getActiveViewportId())`;
        // One that waited has drawn an image of nobody before.
        await until(viewer, `window.drawn > 0 && typeof ${active}?.getCurrentImageId() === 'string'`);
        const shown = await viewer.evaluate<string>(`${active}.getCurrentImageId()`);
        const box = await viewer.locator('canvas').first().boundingBox();
        assert.ok(box !== null);
        await mouse.move(box.x + box.width / 2, box.y + box.height / 2);
        await mouse.wheel(0, 100);
        await until(viewer, `${active}.getCurrentImageId() !== ${JSON.stringify(shown)}`);
        await context.close();
      }

      /** At a desk the viewer that waits in a frame is shown over the page, on a phone a tab opens. */
      async function opens({ page, context }: Visit): Promise<{ viewer: Page | Frame; mouse: Mouse }> {
        const button = page.getByRole('button', { name: words.view });
        if (size === PHONE) {
          const [tab] = await Promise.all([context.waitForEvent('page'), button.click()]);
          return { viewer: tab, mouse: tab.mouse };
        }
        await page.locator('iframe').waitFor({ state: 'attached', ...PATIENCE });
        await button.click();
        const frame = page.frames().find((one) => one !== page.mainFrame());
        assert.ok(frame !== undefined);
        return { viewer: frame, mouse: page.mouse };
      }

      async function decides(operator: Visit, isSound: typeof sound): Promise<void> {
        saml.h1.user = { nameId: 'ops', name: '运维一', roles: ['运维'] };
        const { page } = operator;
        await signsInBySaml(page, saml.h1, words.hospital, '/operations/reviews');
        await page.locator('tbody tr[data-row-key]').first().getByRole('link').click();
        await page.getByLabel(words.reason).fill('two brothers, told by phone');
        await isSound(operator);
        await page.getByRole('button', { name: words.notSame }).click();
        await page.getByText(words.closed).waitFor();
        await operator.context.close();
      }

      async function replays(engineer: Visit, isSound: typeof sound): Promise<void> {
        saml.h1.user = { nameId: 'eng', name: '工程师一', roles: ['工程师'] };
        const { page } = engineer;
        await signsInBySaml(page, saml.h1, words.hospital, '/operations/messages');
        await page.locator('tbody tr[data-row-key]').first().waitFor();
        const [own, foreign] = [await messageOf(hub, 'h1'), await messageOf(hub, 'h2')];
        const sites = await page.evaluate<{ items: { site: string }[] }>(
          `fetch('/api/v1/journal?limit=200').then((answer) => answer.json())`,
        );
        assert.deepEqual([...new Set(sites.items.map(({ site }) => site))], ['h1'], 'the own hospital alone');
        await page.goto(`/operations/messages/${foreign}`);
        await page.getByRole('alert').first().waitFor();
        await page.goto(`/operations/messages/${own}`);
        await page.getByRole('button', { name: words.dry }).click();
        await page.locator('.ops-preview').getByText(words.unchanged).waitFor();
        await page.getByLabel(words.reason).first().fill('to be sure');
        await isSound(engineer);
        await page.getByRole('button', { name: words.replay, exact: true }).click();
        await page.getByRole('link', { name: words.started }).click();
        await page.getByText(words.applied).first().waitFor({ timeout: 60_000 });
        await engineer.context.close();
      }

      async function audits(auditor: Visit, isSound: typeof sound): Promise<void> {
        const { page } = auditor;
        await wears(auditor, hub.origin, await hub.person('auditor'));
        await page.goto('/audit/records');
        await page.getByRole('heading', { name: words.audit, level: 1 }).waitFor();
        await page.getByLabel(words.personId).fill(hub.personId);
        await page.getByRole('button', { name: words.find }).click();
        const row = page
          .getByRole('row', { name: new RegExp(`${words.read} .*张伟医生.*readExam .*treating`) })
          .first();
        await row.waitFor();
        await row.getByText(words.detail).click();
        assert.match(await row.innerText(), new RegExp(words.peer));
        await isSound(auditor);
        await page.getByLabel(words.personId).fill('');
        await page.getByRole('button', { name: words.find }).click();
        for (const act of [/运维一.*decideReview/, /工程师一.*startReplay/])
          await page.getByRole('row', { name: act }).first().waitFor();
        const odd = await page.evaluate<{ items: { rule: string; actorName: string }[] }>(
          `fetch('/api/v1/audit/flags?limit=100').then((answer) => answer.json())`,
        );
        assert.deepEqual(
          odd.items.filter(({ rule }) => rule === 'no-relation'),
          [],
          'nobody of them read without a ground',
        );
        await auditor.context.close();
      }
    });
});

/** The newest applied registration of a hospital. */
async function messageOf(hub: PortalHub, site: string): Promise<string> {
  const { json } = await hub.call('GET', `/api/v1/journal?site=${site}&channel=rest&state=applied&limit=50`);
  const { items } = json as { items: { journalId: string }[] };
  return items.at(-1)?.journalId ?? '';
}

async function settled(hub: PortalHub): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    const { json } = await hub.call('GET', '/api/v1/journal/counters');
    if ((json as { pending: number }).pending === 0) return;
    await pause(200);
  }
  throw new Error('what was sent was not applied in time');
}
