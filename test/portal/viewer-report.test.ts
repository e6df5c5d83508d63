/** The report beside the images, in a real Chromium: whether it may be relied on, on which day, and nothing of it is markup. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import { HOSTILE } from '../support/portal-hub.ts';
import { chest } from '../support/radiographs.ts';
import { NO_VIEWER, openReader, startViewerHub } from '../support/viewer-hub.ts';
import type { ViewerHub } from '../support/viewer-hub.ts';

const PATIENCE = { timeout: 180_000 };
const STUDY = '2.25.4713';
/** What a device wrote, where OHIF shows it: lists, overlays, the header of the page. */
const WORDS = {
  ...{ PatientName: HOSTILE, StudyDescription: HOSTILE, SeriesDescription: HOSTILE, ProtocolName: HOSTILE },
  ...{ InstitutionName: HOSTILE, StationName: '<script>window.hacked=2</script>', OperatorsName: HOSTILE },
};

describe('the report in the viewer', { skip: NO_VIEWER }, () => {
  let hub: ViewerHub;
  let browser: Browser;
  let token = '';

  before(async () => {
    hub = await startViewerHub();
    const images = ['PA', 'LL'].map((view, at) => chest(STUDY, view, at + 1, WORDS));
    await hub.store('h1', images);
    await hub.settled();
    token = await hub.client('query-platform');
    browser = await openReader();
  });
  after(async () => {
    await browser.close();
    await hub.stop();
  });

  const tell = async (more: object): Promise<void> => {
    const { json } = await hub.ask('GET', `/viewer/own/studies/${STUDY}`);
    const patientId = (json as { person: { localId: string } }).person.localId;
    const report = { patientId, studyInstanceUid: STUDY, reportNumber: 'R-4713', findings: '右肺阴影。', ...more };
    const { status } = await hub.ask('POST', '/api/v1/sites/h1/reports', report);
    assert.equal(status, 202);
    await hub.settled();
  };

  it('says that a report is not signed, and when it was written by the clock of the reader', async () => {
    const at = '2026-11-22 07:02:33';
    await tell({ status: 'P', critical: true, impression: HOSTILE, reporter: HOSTILE, reportedAt: at });
    const launch = { studyUid: STUDY, user: { id: 'D1', name: '李医生' } };
    const { json } = await hub.ask('POST', '/api/v1/viewer-launches', launch, token);
    const context = await browser.newContext({ locale: 'zh-CN', timezoneId: 'Asia/Shanghai' });
    const page = await context.newPage();
    const faults: string[] = [];
    page.on('console', (message) => {
      if (/Content Security Policy|Refused to/.test(message.text())) faults.push(message.text());
    });
    await page.goto(hub.origin + String(json['url']), PATIENCE);
    const report = page.locator('[data-panel=report] [data-report]');
    await report.waitFor(PATIENCE);
    const standing = report.locator('[data-standing=preliminary]');
    assert.equal(await standing.innerText(), '！危急值 · 临时报告 · 未经审核或已撤回，仅供参考');
    const text = await report.innerText();
    assert.ok(text.includes('2026-11-22') && !text.includes('2026-11-21'), text);
    assert.ok(text.includes(HOSTILE));
    await page.locator('canvas').first().waitFor(PATIENCE);
    await page.getByText(HOSTILE).first().waitFor(PATIENCE);
    assert.equal(await page.evaluate('window.hacked'), undefined);
    assert.deepEqual(faults, []);
    await context.close();
  });
});
