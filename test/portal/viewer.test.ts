/** The viewer in a real Chromium, as a physician meets it: opened from a hospital's system by a launch link. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { examsOf, NO_VIEWER, openReader, startViewerHub, until } from '../support/viewer-hub.ts';
import type { ViewerHub } from '../support/viewer-hub.ts';
import { chest, mammogram } from '../support/radiographs.ts';

const [exam, prior] = examsOf('张伟');
const [brain] = examsOf('刘䶮');
/** SwiftShader on a shared machine; a reader's PC needs a second or two. */
const PATIENCE = { timeout: 180_000 };
const MG_STUDY = '2.25.4711';
const DX_STUDY = '2.25.4712';

interface Opened {
  readonly context: BrowserContext;
  readonly page: Page;
  readonly faults: string[];
  readonly strangers: string[];
}

describe('the viewer', { skip: NO_VIEWER }, () => {
  let hub: ViewerHub;
  let browser: Browser;
  let token = '';

  before(async () => {
    hub = await startViewerHub();
    for (const one of [exam, prior, brain]) if (one !== undefined) await hub.load(one);
    await hub.store(
      'h1',
      ['RCC', 'LCC', 'RMLO', 'LMLO'].map((view, at) => mammogram(MG_STUDY, view, at + 1)),
    );
    // The lateral one was taken first.
    await hub.store(
      'h1',
      ['LL', 'PA'].map((view, at) => chest(DX_STUDY, view, at + 1)),
    );
    await hub.settled();
    token = await hub.client('query-platform');
    browser = await openReader();
  });
  after(async () => {
    await browser.close();
    await hub.stop();
  });

  async function open(studyUid: string, size = { width: 1440, height: 900 }, more = ''): Promise<Opened> {
    const { json } = await hub.ask(
      'POST',
      '/api/v1/viewer-launches',
      { studyUid, user: { id: 'D1', name: '李医生' } },
      token,
    );
    const context = await browser.newContext({
      viewport: size,
      locale: 'zh-CN',
      ...(size.width < 500 ? { isMobile: true, hasTouch: true } : {}),
    });
    const page = await context.newPage();
    const [faults, strangers]: [string[], string[]] = [[], []];
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('console', (message) => {
      if (/Content Security Policy|Refused to/.test(message.text())) faults.push(message.text());
    });
    page.on('request', (request) => {
      const url = new URL(request.url());
      if (url.protocol.startsWith('http') && url.origin !== hub.origin) strangers.push(url.href);
    });
    await page.addInitScript(`document.addEventListener('CORNERSTONE_IMAGE_RENDERED', () => {
      if (window.cornerstone.cache.getCacheSize() > 0) window.drawn = (window.drawn ?? 0) + 1;
    }, true);`);
    await page.goto(hub.origin + String(json['url']), PATIENCE);
    if (more !== '') await page.goto(page.url() + more, PATIENCE);
    await until(page, 'window.drawn > 0');
    return { context, page, faults, strangers };
  }

  const active = `services.cornerstoneViewportService.getCornerstoneViewport(services.viewportGridService.getActiveViewportId())`;
  const protocol = (page: Page): Promise<string> =>
    page.evaluate('services.hangingProtocolService.getActiveProtocol().protocol.id');

  const mipName = (page: Page): Promise<string> =>
    page.evaluate(`services.hangingProtocolService.getProtocolById('hutong.mip').name`);
  const shownViews = (page: Page): Promise<string[]> =>
    page.evaluate(`[...services.viewportGridService.getState().viewports.values()]
      .sort((a, b) => a.y - b.y || a.x - b.x)
      .map(({ displaySetInstanceUIDs: [uid] }) => services.displaySetService.getDisplaySetByUID(uid).images[0])
      .map((image) => image.ImageLaterality + image.ViewPosition)`);

  it('shows the images, the Chinese name, the report and the exams of every hospital; nothing leaves the origin', async () => {
    const { context, page, faults, strangers } = await open(exam?.studyUid ?? '');
    const panel = page.locator('[data-panel=report]');
    await panel.getByText('张伟').waitFor(PATIENCE);
    const text = await panel.innerText();
    for (const part of [exam?.report.impression ?? '?', '城东社区卫生服务中心', '历次检查 (2)', '审核医生 王主任'])
      assert.ok(text.includes(part), part);
    // The head of the page and the list of studies are OHIF's own.
    assert.ok((await page.locator('body').innerText()).split('张伟').length > 2, 'the head names the patient');
    assert.doesNotMatch(await page.locator('body').innerText(), /Zhang/);
    await page.getByText('胸片正位').first().waitFor(PATIENCE);
    assert.equal(await page.locator('[data-preview]').count(), 0);
    assert.equal(await protocol(page), 'hutong.ct');
    assert.deepEqual(strangers, []);
    assert.deepEqual(faults, []);
    await context.close();
  });

  it('scrolls, measures and saves: the report is an instance of the study, and the key image another', async () => {
    const { context, page, faults } = await open(exam?.studyUid ?? '');
    const canvas = page.locator('canvas').first();
    const box = await canvas.boundingBox();
    assert.ok(box !== null);
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    const before = await page.evaluate<string>(`${active}.getCurrentImageId()`);
    await page.mouse.move(x, y);
    for (let turn = 0; turn < 5; turn++) await page.mouse.wheel(0, 100);
    await until(page, `${active}.getCurrentImageId() !== ${JSON.stringify(before)}`);
    await page.evaluate(`commandsManager.run('setToolActive', { toolName: 'Length', toolGroupId: 'default' })`);
    await page.mouse.move(x - 60, y - 20);
    await page.mouse.down();
    await page.mouse.move(x, y, { steps: 4 });
    await page.mouse.move(x + 60, y + 20, { steps: 4 });
    await page.mouse.up();
    await until(page, 'services.measurementService.getMeasurements().length === 1');
    const stored = await page.evaluate<string>(`commandsManager.runCommand('storeMeasurements', {
      measurementData: services.measurementService.getMeasurements(),
      dataSource: 'hub',
    }, 'CORNERSTONE_STRUCTURED_REPORT').then((report) => report.SOPInstanceUID)`);
    await page.getByRole('button', { name: '标为关键图像' }).click(PATIENCE);
    await page.getByText('已保存到检查中。').first().waitFor(PATIENCE);
    await hub.settled();
    const path = `/dicomweb/studies/${exam?.studyUid ?? ''}/instances`;
    const headers = { authorization: `Bearer ${token}` };
    const ask = async (query: string): Promise<Record<string, { Value: string[] }>[]> =>
      (await (await fetch(`${hub.origin}${path}?${query}`, { headers })).json()) as Record<
        string,
        { Value: string[] }
      >[];
    const [report] = await ask('Modality=SR');
    assert.equal(report?.['00080018']?.Value[0], stored);
    assert.equal((await ask('Modality=KO')).length, 1);
    const place = `${path}/${stored}`.replace('/instances', `/series/${report['0020000E']?.Value[0] ?? ''}/instances`);
    const [model] = (await (await fetch(`${hub.origin}${place}/metadata`, { headers })).json()) as Record<
      string,
      { Value: { Ideographic?: string; Alphabetic?: string }[] }
    >[];
    assert.match(JSON.stringify(model?.['00100010']?.Value), /张/, 'the name is kept as it was');
    assert.deepEqual(faults, []);
    await context.close();
  });

  it('rebuilds the volume: MPR, and in three dimensions', async () => {
    const { context, page, faults } = await open(exam?.studyUid ?? '');
    for (const [id, viewports] of [
      ['mpr', 3],
      ['mprAnd3DVolumeViewport', 4],
    ] as const) {
      await page.evaluate(`window.drawn = 0; commandsManager.run('setHangingProtocol', { protocolId: '${id}' })`);
      await until(
        page,
        `services.cornerstoneViewportService.getRenderingEngine().getViewports().filter((one) => one.getAllVolumeIds?.().length > 0).length >= ${String(viewports)} && window.drawn > 0`,
      );
    }
    assert.deepEqual(faults, []);
    await context.close();
  });

  it('hangs mammograms by the view that each names, and MR series side by side', async () => {
    const breast = await open(MG_STUDY);
    assert.equal(await protocol(breast.page), 'hutong.mg');
    await until(breast.page, 'services.viewportGridService.getState().viewports.size === 4');
    assert.deepEqual(await shownViews(breast.page), ['RCC', 'LCC', 'RMLO', 'LMLO']);
    assert.deepEqual(breast.faults, []);
    await breast.context.close();
    const head = await open(brain?.studyUid ?? '');
    assert.equal(await protocol(head.page), 'hutong.mr');
    assert.equal(await head.page.evaluate('services.viewportGridService.getState().viewports.size'), 2);
    await head.context.close();
  });

  it('hangs radiographs side by side, the frontal view at the left', async () => {
    const { context, page, faults } = await open(DX_STUDY);
    assert.equal(await protocol(page), 'hutong.dx');
    await until(page, 'services.viewportGridService.getState().viewports.size === 2');
    assert.deepEqual(await shownViews(page), ['UPA', 'ULL']);
    assert.deepEqual(faults, []);
    await context.close();
  });

  it('projects the greatest intensity through the volume by one button, and gives the images back by it', async () => {
    const { context, page, faults } = await open(exam?.studyUid ?? '');
    const volumes = `services.cornerstoneViewportService.getRenderingEngine().getViewports().filter((one) => one.getAllVolumeIds?.().length > 0)`;
    /** Mean of what is drawn of the axial plane. */
    const light = `(([one]) => {
      const { width, height } = one.getCanvas();
      const { data } = one.getCanvas().getContext('2d').getImageData(0, 0, width, height);
      return data.reduce((sum, value, at) => (at % 4 === 3 ? sum : sum + value), 0) / data.length;
    })(${volumes})`;
    const loaded = `${volumes}.length === 3 && window.drawn > 3 && ${volumes}.every((one) => cornerstone.cache.getVolume(one.getVolumeId()).loadStatus.loaded)`;
    await page.evaluate(`window.drawn = 0; commandsManager.run('setHangingProtocol', { protocolId: 'mpr' })`);
    await until(page, loaded);
    await until(page, `${light} > 0`);
    const slice = await page.evaluate<number>(light);
    await page.evaluate(`window.drawn = 0; commandsManager.run('setHangingProtocol', { protocolId: 'hutong.ct' })`);
    await until(page, `${volumes}.length === 0`);
    await page.evaluate('window.drawn = 0');
    const button = page.locator('[data-cy="hutong.mip"]');
    await button.click(PATIENCE);
    await until(page, loaded);
    assert.equal(await protocol(page), 'hutong.mip');
    assert.equal(await mipName(page), '最大密度投影（MIP）');
    assert.deepEqual(
      await page.evaluate(`${volumes}.map((one) => [one.getBlendMode(), one.getSlabThickness() > 50])`),
      [1, 2, 3].map(() => [1, true]),
    );
    await until(page, `${light} > ${String(slice)}`);
    await button.click(PATIENCE);
    await until(page, `services.hangingProtocolService.getActiveProtocol().protocol.id === 'hutong.ct'`);
    assert.deepEqual(faults, []);
    await context.close();
  });

  it('opens on a phone, in English where that was chosen', async () => {
    const { context, page, faults } = await open(exam?.studyUid ?? '', { width: 390, height: 844 }, '&lng=en');
    const box = await page.locator('canvas').first().boundingBox();
    assert.ok(box !== null && box.width > 250, 'the image has the width of the phone');
    assert.equal(await page.evaluate('document.documentElement.lang'), 'en');
    assert.equal(await mipName(page), 'Maximum intensity projection (MIP)');
    assert.equal(await page.evaluate('document.documentElement.scrollWidth <= innerWidth + 1'), true);
    assert.deepEqual(faults, []);
    await context.close();
  });
});
