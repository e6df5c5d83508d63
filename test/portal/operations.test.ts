/** The operators' pages in a real Chromium: a doubt decided, a message read and replayed, a code mapped, figures as they are. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { after, before, suite, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import iconv from 'iconv-lite';
import type { Browser } from 'playwright-core';
import { createHl7Sender } from '../../adapters/hl7v2/index.ts';
import { barriers, DESKTOP, isTooWide, NO_BROWSER, openBrowser, PHONE, visit } from '../support/browser.ts';
import type { Visit } from '../support/browser.ts';
import { portalHub } from '../support/portal-hub.ts';
import type { PortalHub } from '../support/portal-hub.ts';

const NAME = '周慧敏';
const PHONE_NUMBER = '13800001234';
const ADT = [
  'MSH|^~\\&|RIS|H1|HUB|PROVINCE|20261120080000||ADT^A04|OPS-1|P|2.5|||||CHN|GB 18030-2000',
  'EVN|A04|20261120080000',
  `PID|1||P88001^^^H1||${NAME}||19770304|F|||虚构省虚构市东城区1号||${PHONE_NUMBER}|||X7^走婚`,
  'PV1|1|O',
].join('\r');

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

suite('the pages of operators', { skip: NO_BROWSER }, () => {
  let hub: PortalHub;
  let browser: Browser;
  const tokens = { operator: '', administrator: '' };

  before(async () => {
    const port = await freePort();
    hub = await portalHub({ HUB_MLLP_PORT: String(port) });
    tokens.operator = await hub.token('operator');
    tokens.administrator = hub.adminToken;
    await tell(hub, port);
    browser = await openBrowser();
  });
  after(async () => {
    await browser.close();
    await hub.close();
  });

  /** The session is a system's token until accounts can sign in. */
  async function signedIn(
    role: 'operator' | 'administrator',
    size: typeof DESKTOP | typeof PHONE,
    language: 'zh' | 'en',
  ): Promise<Visit> {
    const visitor = await visit(browser, hub.origin, size, language);
    await visitor.context.setExtraHTTPHeaders({ Authorization: `Bearer ${tokens[role]}` });
    await visitor.page.route('**/api/v1/session', (route) =>
      route.fulfill({
        json: {
          stage: 'open',
          account: { id: 'o', loginName: 'ops', displayName: '运维一', institution: null, language },
          role,
          site: null,
          roles: [{ role }],
          purpose: 'OPS',
          purposes: ['OPS'],
          factors: ['password'],
        },
      }),
    );
    return visitor;
  }

  async function sound(visitor: Visit): Promise<void> {
    assert.deepEqual(await barriers(visitor.page), []);
    assert.equal(await isTooWide(visitor.page), false);
    assert.deepEqual(visitor.faults, []);
    assert.deepEqual(visitor.strangers, []);
  }

  for (const [size, language, title, listening] of [
    [DESKTOP, 'zh', '通道状态', /监听中/],
    [PHONE, 'en', 'Channels', /listening/],
  ] as const)
    test(`channels are shown as they are: ${language}, ${String(size.width)} px`, async () => {
      const visitor = await signedIn('operator', size, language);
      const { page } = visitor;
      await page.goto('/operations/channels');
      await page.getByRole('heading', { name: title, level: 1 }).waitFor();
      const row = page.getByRole('row', { name: /省第一人民医院.*hl7v2/ });
      await row.waitFor();
      assert.match(await page.getByRole('listitem').filter({ hasText: 'hl7v2' }).first().innerText(), listening);
      assert.match(await row.innerText(), /2026|\d{4}-\d\d-\d\d/);
      await sound(visitor);
      await visitor.context.close();
    });

  test('a message is found, read field by field with its person hidden, and whole for a reason that is in the audit', async () => {
    const visitor = await signedIn('operator', DESKTOP, 'zh');
    const { page } = visitor;
    await page.goto('/operations/messages');
    await page.getByLabel('消息编号').fill('OPS-1');
    await page.getByRole('button', { name: '查询' }).click();
    const found = page.locator('tbody tr').filter({ hasText: 'OPS-1' });
    await found.waitFor();
    await page.waitForFunction("document.querySelectorAll('tbody tr[data-row-key]').length === 1");
    await sound(visitor);
    await found.getByRole('link').click();
    const marital = page.getByRole('row', { name: /PID-16\.1/ });
    await marital.waitFor();
    assert.match(await marital.innerText(), /X7/);
    assert.match((await page.locator('tr.ops-found').allInnerTexts()).join(), /unmapped-code/);
    assert.match(await page.getByRole('row', { name: /PID-5 / }).innerText(), /周\*\*/);
    const shown = await page.content();
    for (const secret of [NAME, PHONE_NUMBER, '东城区', 'P88001']) assert.ok(!shown.includes(secret), secret);
    await sound(visitor);
    const url = page.url();
    await page.getByRole('button', { name: '显示原始报文' }).click();
    await page.getByRole('alert').getByText('无权').waitFor();
    await visitor.context.close();

    const administrator = await signedIn('administrator', DESKTOP, 'zh');
    await administrator.page.goto(url);
    await administrator.page.locator('summary').filter({ hasText: '查看原文' }).click();
    const form = administrator.page.locator('details').filter({ hasText: '查看原文须说明理由' });
    assert.equal(await form.getByRole('button', { name: '查看原文' }).isDisabled(), true);
    await form.getByLabel('理由').fill('核对姓名编码');
    await form.getByRole('button', { name: '查看原文' }).click();
    await administrator.page.getByText(NAME).waitFor();
    await administrator.page.getByRole('button', { name: '显示原始报文' }).click();
    await administrator.page.locator('pre').getByText(`PID|1||P88001^^^H1||${NAME}`).waitFor();
    const audit = await hub.call('GET', '/api/v1/audit?action=read&limit=50');
    const { items } = audit.json as { items: { operation: string; reason?: string; persons: string[] }[] };
    const unmasked = items.find(({ operation }) => operation === 'unmaskJournalEntry');
    assert.equal(unmasked?.reason, 'unmasked: 核对姓名编码');
    assert.equal(unmasked.persons.length, 1, 'whose message it was is in the audit');
    await administrator.context.close();
  });

  test('a code is mapped on the spot after a dry run, and the exams that met it are coded after a replay', async () => {
    const visitor = await signedIn('operator', PHONE, 'en');
    const { page } = visitor;
    await page.goto('/operations/codes');
    await page.getByRole('button', { name: 'Map CT1099' }).click();
    await page.getByLabel('Code of the province').fill('CT-CHEST');
    await page.getByRole('button', { name: /^CT-CHEST-P / }).click();
    await page.getByRole('button', { name: 'Dry run' }).click();
    await page.getByText('3 messages are concerned').waitFor();
    const tried = await page.locator('.ops-preview').innerText();
    assert.match(tried, /CT1099[^\n]*\(\? h1:procedure\)/);
    assert.match(tried, /CT-CHEST-P[^\n]*\(✓ urn:oid:2\.999\.156\.4\.1\)/);
    assert.equal(
      (await procedures(hub)).filter(({ code }) => code === 'CT1099').length,
      3,
      'a dry run changes nothing',
    );
    await sound(visitor);
    await page.getByLabel('Reason').fill('checked with h1');
    await page.getByRole('button', { name: 'Save mapping' }).click();
    await page.getByText('3 messages that stand are concerned').waitFor();
    await order(hub, 'LOW-4');
    await page.getByLabel('Reason').first().fill('code is mapped now');
    await page.getByRole('button', { name: 'Replay these messages' }).click();
    await page.getByRole('link', { name: /Started/ }).click();
    await page.getByText('3 in all · 3 applied, 0 to review, 0 skipped').waitFor({ timeout: 60_000 });
    await sound(visitor);
    await applied(hub);
    const coded = await procedures(hub);
    assert.deepEqual(
      coded.map(({ code, system }) => `${system} ${code}`),
      Array.from({ length: 4 }, () => 'urn:oid:2.999.156.4.1 CT-CHEST-P'),
      'what was replayed and what came after the mapping alike',
    );
    await page.goto('/operations/codes');
    await page.getByRole('button', { name: 'Take back CT1099' }).waitFor();
    assert.equal(await page.getByRole('button', { name: 'Map CT1099' }).count(), 0);
    await visitor.context.close();
  });

  test('a message is replayed from its page', async () => {
    const visitor = await signedIn('operator', DESKTOP, 'en');
    const { page } = visitor;
    const { json } = await hub.call('GET', '/api/v1/journal?controlId=OPS-1');
    const id = (json as { items: { journalId: string }[] }).items[0]?.journalId ?? '';
    await page.goto(`/operations/messages/${id}`);
    await page.getByRole('button', { name: 'Dry run' }).click();
    await page.locator('.ops-preview').getByText('no change').waitFor();
    await page.getByLabel('Reason').first().fill('to be sure');
    await page.getByRole('button', { name: 'Replay', exact: true }).click();
    await page.getByRole('link', { name: /Started/ }).click();
    await page.getByText('1 in all · 1 applied, 0 to review, 0 skipped').waitFor({ timeout: 60_000 });
    await visitor.context.close();
  });

  for (const [size, language, words] of [
    [DESKTOP, 'zh', { not: '不是同一人', reason: '理由', closed: /已由/, sum: '合计' }],
    [PHONE, 'en', { not: 'Not the same person', reason: 'Reason', closed: /Closed by/, sum: 'Sum' }],
  ] as const)
    test(`a doubt about two registrations is looked at side by side and decided: ${language}`, async () => {
      const visitor = await signedIn('operator', size, language);
      const { page } = visitor;
      await page.goto('/operations/reviews');
      await page.locator('tbody tr[data-row-key]').first().getByRole('link').click();
      await page.getByText(words.sum).waitFor();
      const sides = await page.locator('.ops-box').first().innerText();
      assert.match(sides, /[+−]\d+\.\d/, 'weights are shown');
      assert.match(sides, /\*\*/, 'names are masked for an operator');
      await sound(visitor);
      await page.getByLabel(words.reason).fill('two brothers, told by phone');
      await page.getByRole('button', { name: words.not }).click();
      await page.getByText(words.closed).waitFor();
      await visitor.context.close();
    });

  test('the dashboard says what the database says', async () => {
    const visitor = await signedIn('operator', DESKTOP, 'zh');
    const { page } = visitor;
    await page.goto('/operations/dashboard');
    const bySite = page.getByRole('region', { name: '接入量 · 医院' });
    await bySite.getByRole('row', { name: /省第一人民医院/ }).waitFor();
    for (const [site, name] of [
      ['h1', '省第一人民医院'],
      ['h2', '城东社区卫生服务中心'],
    ] as const) {
      const counted = await countOf(hub, site);
      const cells = await bySite.getByRole('row', { name }).getByRole('cell').allInnerTexts();
      assert.deepEqual(cells.slice(1).map(Number), [counted.messages, counted.images, counted.failed], site);
    }
    const complete = page.getByRole('region', { name: '数据完整率' });
    assert.match(await complete.getByRole('row', { name: /省第一人民医院.*CT/ }).innerText(), /%/);
    await page.locator('.ops-chart svg').first().waitFor();
    await sound(visitor);
    await visitor.context.close();
  });

  test('the audit is read on a phone, and no operator gets there', async () => {
    const visitor = await signedIn('administrator', PHONE, 'zh');
    await visitor.page.goto('/audit/records');
    await visitor.page
      .getByRole('row', { name: /startReplay/ })
      .first()
      .waitFor();
    await sound(visitor);
    await visitor.context.close();
    const operator = await signedIn('operator', PHONE, 'zh');
    await operator.page.goto('/audit/records');
    await operator.page.getByRole('heading', { name: '没有这个页面' }).waitFor();
    await operator.context.close();
  });
});

const orderBody = (accessionNumber: string): object => ({
  ...{ patientId: 'P88002', accessionNumber, orderNumber: `O${accessionNumber}` },
  ...{ procedureCode: 'CT1099', procedureName: '胸部低剂量CT', modality: 'CT', bodyPart: '胸部' },
  ...{ requestedAt: '2026-11-20 09:00:00', requestingDepartment: '1001' },
});

const ACCESSIONS = ['LOW-1', 'LOW-2', 'LOW-3', 'LOW-4'];

async function order(hub: PortalHub, accession: string): Promise<void> {
  const { status } = await hub.call('POST', '/api/v1/sites/h1/orders', orderBody(accession));
  assert.equal(status, 202);
}

/** A registration in GB18030 over MLLP, orders with a code that nobody knows, and two pairs who may be one. */
async function tell(hub: PortalHub, port: number): Promise<void> {
  const sender = createHl7Sender({ host: '127.0.0.1', port });
  const answer = await sender.send(iconv.encode(ADT, 'gb18030'));
  assert.ok(answer.ok && answer.value.code === 'AA');
  await sender.close();
  const person = { name: '孟小楼', sex: 'M', birthDate: '1966-02-03' };
  await hub.call('POST', '/api/v1/sites/h1/registrations', { patientId: 'P88002', ...person });
  for (const accession of ACCESSIONS.slice(0, 3)) await order(hub, accession);
  for (const [name, birthDate, numbers] of [
    ['孙立仁', '1958-09-30', ['BL-910010', 'BL-910011']],
    ['钱大海', '1949-10-11', ['BL-910030', 'BL-910031']],
  ] as const)
    for (const patientId of numbers)
      await hub.call('POST', '/api/v1/sites/h3/registrations', { patientId, name, sex: 'M', birthDate });
  await applied(hub);
}

async function applied(hub: PortalHub): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    const { json } = await hub.call('GET', '/api/v1/journal/counters');
    if ((json as { pending: number }).pending === 0) return;
    await pause(200);
  }
  throw new Error('what was sent was not applied in time');
}

/** Procedures of the orders with the code in question, as the index has them. */
async function procedures(hub: PortalHub): Promise<readonly { code: string; system: string }[]> {
  const { json } = await hub.call('POST', '/api/v1/exams/search', {
    identifier: { authority: '2.999.156.1.1', value: 'P88002' },
    limit: 50,
  });
  const { items } = json as { items: { orders: { procedure?: { code: string; system: string } }[] }[] };
  return items.flatMap(({ orders }) => orders.flatMap(({ procedure }) => procedure ?? []));
}

async function countOf(hub: PortalHub, site: string): Promise<{ messages: number; images: number; failed: number }> {
  const counters = async (channel: string): Promise<{ received: number; refused: number; review: number }> =>
    (await hub.call('GET', `/api/v1/journal/counters?site=${site}&channel=${channel}`)).json as never;
  const [images, stowed, ...messages] = await Promise.all(
    ['dicom', 'dicomweb', 'hl7v2', 'rest', 'fhir', 'hl7v3', 'xds'].map(counters),
  );
  const all = [images, stowed, ...messages].filter((one) => one !== undefined);
  const sum = (of: typeof all, what: (one: (typeof all)[number]) => number): number =>
    of.reduce((total, one) => total + what(one), 0);
  return {
    messages: sum(all.slice(2), (one) => one.received),
    images: sum(all.slice(0, 2), (one) => one.received),
    failed: sum(all, (one) => one.refused + one.review),
  };
}
