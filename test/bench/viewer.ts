/**
 * The viewer in a real Chromium, drawing by software: from the click to the first image of a CT of 500 slices, and to the
 * last of them decoded and kept; by the button of the portal's exam page, read for a moment, and by a launch link alone. The
 * browser has a profile and has opened the viewer before, as a reader's has.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserContext } from 'playwright-core';
import { installPortal } from '../support/portal-hub.ts';
import { NO_VIEWER, openProfile, startViewerHub, until } from '../support/viewer-hub.ts';
import type { ViewerHub } from '../support/viewer-hub.ts';
import { slice, STUDY } from './ct-series.ts';
import { median, scaled, show, type Figure } from './measure.ts';

const INSTANCES = scaled(500, 20);
const ROUNDS = 3;
const [FIRST_MS, ALL_MS] = [1_000, 3_000];
const LIMIT_MS = 60_000;

interface Opened {
  readonly firstMs: number;
  readonly allMs: number;
  /** Which steps the time went into, in milliseconds since the click. */
  readonly steps: Readonly<Record<string, number>>;
}

/** Runs in the page before anything of it: notes when an image was first drawn, and how many are decoded and kept. */
const WATCH = `(() => {
  const seen = (window.seen = { first: 0, kept: 0, last: 0, script: 0, metadata: 0 });
  performance.setResourceTimingBufferSize(5000);
  addEventListener('click', () => { seen.click = performance.timeOrigin + performance.now(); }, true);
  addEventListener('message', ({ data }) => { if (data?.hutongViewer === 'ready') seen.ready = true; });
  document.addEventListener('CORNERSTONE_IMAGE_RENDERED', () => {
    if (seen.first === 0 && seen.kept > 0) seen.first = performance.now();
  }, true);
  const timer = setInterval(() => {
    if (window.cornerstone === undefined) return;
    clearInterval(timer);
    seen.script = performance.now();
    window.cornerstone.eventTarget.addEventListener('CORNERSTONE_IMAGE_CACHE_IMAGE_ADDED', ({ detail }) => {
      if (!detail.image.imageId.startsWith('wadors:')) return;
      seen.kept += 1;
      seen.last = performance.now();
    });
  }, 1);
})()`;

async function open(context: BrowserContext, hub: ViewerHub, token: string): Promise<Opened> {
  const { status, json } = await hub.ask('POST', '/api/v1/viewer-launches', { studyUid: STUDY }, token);
  if (status !== 201) throw new Error(`a launch was refused: ${String(status)}`);
  const page = await context.newPage();
  try {
    await page.addInitScript(WATCH);
    const url = hub.origin + String(json['url']);
    const clicked = Date.now();
    await page.goto(url, { waitUntil: 'commit' });
    const ready = `window.seen.first > 0 && window.seen.kept >= ${String(INSTANCES)}`;
    await until(page, ready, LIMIT_MS);
    const told = await page.evaluate<{
      seen: Record<string, number>;
      origin: number;
      steps: Record<string, number>;
    }>(`({
      seen: window.seen, origin: performance.timeOrigin,
      steps: Object.fromEntries(performance.getEntriesByType('resource')
        .filter(({ name }) => /app\\.bundle.*js|metadata|\\/series\\?|frames\\/1$/.test(name)).reverse()
        .map(({ name, startTime, responseEnd }) => [name.replace(/^.*\\/(?=[^/]+$)/, ''), Math.round(startTime) * 100000 + Math.round(responseEnd)])),
    })`);
    const { first = 0, last = 0, kept = 0, script = 0 } = told.seen;
    if (first === 0 || kept < INSTANCES)
      throw new Error(`${String(kept)} images were ready after ${String(LIMIT_MS)} ms`);
    const before = told.origin - clicked;
    return { firstMs: before + first, allMs: before + last, steps: { before, script, ...told.steps } };
  } finally {
    await page.close();
  }
}

/** As a physician of the hospital, who may see the study: its page is read for a moment, then the button is clicked. */
async function openInPortal(context: BrowserContext, hub: ViewerHub, examId: string): Promise<Opened> {
  const page = await context.newPage();
  try {
    await page.addInitScript(WATCH);
    await page.goto(`${hub.origin}/exams/${examId}`);
    await until(page, 'window.seen.ready === true', LIMIT_MS);
    const frame = page.frames().find((one) => one !== page.mainFrame());
    if (frame === undefined) throw new Error('no viewer waits');
    await page.getByRole('button', { name: '阅片' }).first().click();
    const clicked = await page.evaluate<number>('window.seen.click');
    for (const end = Date.now() + LIMIT_MS; ;) {
      const { first, last, kept } = await frame.evaluate<{ first: number; last: number; kept: number }>(`({
        kept: window.seen.kept,
        first: window.seen.first === 0 ? 0 : performance.timeOrigin + window.seen.first,
        last: performance.timeOrigin + window.seen.last,
      })`);
      if (first > 0 && kept >= INSTANCES) return { firstMs: first - clicked, allMs: last - clicked, steps: {} };
      if (Date.now() > end) throw new Error(`${String(kept)} images were ready after ${String(LIMIT_MS)} ms`);
      await page.waitForTimeout(20);
    }
  } finally {
    await page.close();
  }
}

/** The exam of the bench, and a physician's session in the browser: the study is old, so an emergency opens it. */
async function admitted(context: BrowserContext, hub: ViewerHub, token: string): Promise<string> {
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch(`${hub.origin}/viewer/own/studies/${STUDY}`, { headers });
  const told = (await answer.json()) as { person: { id: string }; exams: { examId: string }[] };
  const doctor = await hub.physician('h1');
  const opened = await fetch(`${hub.origin}/api/v1/break-glass`, {
    method: 'POST',
    headers: { ...doctor.headers, 'content-type': 'application/json' },
    body: JSON.stringify({ personId: told.person.id, reason: 'life-threatening', text: 'bench', hours: 1 }),
  });
  if (!opened.ok) throw new Error(`the emergency was refused: ${String(opened.status)}`);
  const pairs = doctor.cookie.split('; ').map((pair) => pair.split('='));
  await context.addCookies(pairs.map(([name = '', value = '']) => ({ name, value, url: hub.origin })));
  return told.exams[0]?.examId ?? '';
}

export async function run(): Promise<readonly Figure[]> {
  if (NO_VIEWER !== false) throw new Error(NO_VIEWER);
  await installPortal();
  const hub = await startViewerHub();
  const folder = await mkdtemp(join(tmpdir(), 'hutong-reader-'));
  const context = await openProfile(folder);
  try {
    await hub.store(
      'h1',
      Array.from({ length: INSTANCES }, (_, at) => slice(at + 1)),
    );
    await hub.settled();
    const token = await hub.client('query-platform');
    const cold = await open(context, hub, token);
    show(`  never opened before: first ${cold.firstMs.toFixed(0)} ms, all ${cold.allMs.toFixed(0)} ms`);
    const rounds: Opened[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const opened = await open(context, hub, token);
      show(
        `  first ${opened.firstMs.toFixed(0)} ms, all ${opened.allMs.toFixed(0)} ms  ${JSON.stringify(opened.steps)}`,
      );
      rounds.push(opened);
    }
    const examId = await admitted(context, hub, token);
    const waited: Opened[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const opened = await openInPortal(context, hub, examId);
      show(`  in the portal: first ${opened.firstMs.toFixed(0)} ms, all ${opened.allMs.toFixed(0)} ms`);
      waited.push(opened);
    }
    const inPortal = {
      first: median(waited.map(({ firstMs }) => firstMs)),
      all: median(waited.map(({ allMs }) => allMs)),
    };
    const first = median(rounds.map(({ firstMs }) => firstMs));
    const all = median(rounds.map(({ allMs }) => allMs));
    const where = `${String(INSTANCES)} slices, Chromium and hub on the same ${String(cpus().length)} cores`;
    return [
      {
        what: `viewer: click in the portal to first image (${where})`,
        measured: `${inPortal.first.toFixed(0)} ms`,
        ratio: { of: 'one second', value: inPortal.first / FIRST_MS, target: 1, most: true },
      },
      {
        what: 'viewer: click in the portal to the whole series ready',
        measured: `${inPortal.all.toFixed(0)} ms`,
        ratio: { of: 'three seconds', value: inPortal.all / ALL_MS, target: 1, most: true },
      },
      {
        what: 'viewer: launch link to first image',
        measured: `${first.toFixed(0)} ms`,
        ratio: { of: 'one second', value: first / FIRST_MS, target: 1, most: true },
      },
      {
        what: 'viewer: launch link to the whole series ready',
        measured: `${all.toFixed(0)} ms`,
        ratio: { of: 'three seconds', value: all / ALL_MS, target: 1, most: true },
      },
      { what: 'viewer: launch link to first image, never opened before', measured: `${cold.firstMs.toFixed(0)} ms` },
    ];
  } finally {
    await context.close();
    await rm(folder, { recursive: true, force: true });
    await hub.stop();
  }
}
