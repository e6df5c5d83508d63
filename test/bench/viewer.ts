/**
 * The viewer in a real Chromium, drawing by software: from the click on a launch link to the first image of a CT of 500
 * slices, and to the last of them ready to scroll. The browser has opened the viewer before, as a reader's has.
 */
import { cpus } from 'node:os';
import type { BrowserContext } from 'playwright-core';
import { NO_VIEWER, openReader, startViewerHub, until } from '../support/viewer-hub.ts';
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
  document.addEventListener('CORNERSTONE_IMAGE_RENDERED', () => {
    if (seen.first === 0 && seen.kept > 0) seen.first = performance.now();
  }, true);
  const timer = setInterval(() => {
    if (window.cornerstone === undefined) return;
    clearInterval(timer);
    seen.script = performance.now();
    window.cornerstone.eventTarget.addEventListener('CORNERSTONE_IMAGE_CACHE_IMAGE_ADDED', () => {
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

export async function run(): Promise<readonly Figure[]> {
  if (NO_VIEWER !== false) throw new Error(NO_VIEWER);
  const hub = await startViewerHub();
  const browser = await openReader();
  try {
    await hub.store(
      'h1',
      Array.from({ length: INSTANCES }, (_, at) => slice(at + 1)),
    );
    await hub.settled();
    const token = await hub.client('query-platform');
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'zh-CN' });
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
    const first = median(rounds.map(({ firstMs }) => firstMs));
    const all = median(rounds.map(({ allMs }) => allMs));
    const where = `${String(INSTANCES)} slices, Chromium and hub on the same ${String(cpus().length)} cores`;
    return [
      {
        what: `viewer: click to first image (${where})`,
        measured: `${first.toFixed(0)} ms`,
        ratio: { of: 'one second', value: first / FIRST_MS, target: 1, most: true },
      },
      {
        what: 'viewer: click to the whole series ready',
        measured: `${all.toFixed(0)} ms`,
        ratio: { of: 'three seconds', value: all / ALL_MS, target: 1, most: true },
      },
      { what: 'viewer: click to first image, never opened before', measured: `${cold.firstMs.toFixed(0)} ms` },
    ];
  } finally {
    await browser.close();
    await hub.stop();
  }
}
