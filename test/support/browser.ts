/** A real Chromium for tests of the web pages, and the judge of their accessibility; where there is none, tests skip and say so. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { build } from 'vite';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);

/** For `test(name, { skip: NO_BROWSER }, …)`. */
export const NO_BROWSER: string | false = CHROMIUM === undefined ? 'there is no Chromium on this machine' : false;

export const DESKTOP = { width: 1440, height: 900 } as const;
export const PHONE = { width: 390, height: 844 } as const;

export function openBrowser(): Promise<Browser> {
  if (CHROMIUM === undefined) throw new Error('there is no Chromium on this machine');
  return chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
}

export interface Visit {
  readonly context: BrowserContext;
  readonly page: Page;
  /** What went wrong in the page: errors nobody caught, and what its policy blocked. */
  readonly faults: string[];
  /** Origins other than the hub's that the page called. */
  readonly strangers: string[];
}

/** A new visitor without cookies. `language` is what the portal's own switch would have kept. */
export async function visit(
  browser: Browser,
  origin: string,
  size: { readonly width: number; readonly height: number },
  language: 'zh' | 'en' = 'zh',
): Promise<Visit> {
  const context = await browser.newContext({
    viewport: size,
    baseURL: origin,
    locale: language === 'zh' ? 'zh-CN' : 'en-GB',
    timezoneId: 'Asia/Shanghai',
    ...(size.width < 500 ? { isMobile: true, hasTouch: true } : {}),
  });
  await context.addInitScript(`try { localStorage.setItem('hutong.language', '${language}') } catch {}`);
  const page = await context.newPage();
  const faults: string[] = [];
  const strangers: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    // A refusal that the page itself shows is no fault of it.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      faults.push(message.text());
  });
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.protocol.startsWith('http') && url.origin !== origin) strangers.push(url.origin);
  });
  return { context, page, faults, strangers };
}

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe-core finds against WCAG 2.2 A and AA on the page as it stands: one line a rule, with where. */
export async function barriers(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  return page.evaluate(`axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }).then(
    ({ violations }) => violations.map(({ id, nodes }) =>
      id + ': ' + nodes.map(({ target, failureSummary }) => target.join(' ') + ' (' + failureSummary + ')').join('; ')))`);
}

/** Whether the page can be read without scrolling sideways (WCAG 1.4.10). */
export const isTooWide = (page: Page): Promise<boolean> =>
  page.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth + 1');

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.includes('/dist'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** The folder of the portal built from the sources as they are: built once for all test files that want it. */
export async function builtPortal(): Promise<string> {
  const sources = filesOf(join(ROOT, 'hub/portal'));
  const hash = createHash('sha256');
  for (const file of sources) hash.update(file.slice(ROOT.length)).update('\0').update(readFileSync(file)).update('\0');
  const folder = join(ROOT, 'var/test-portal', hash.digest('hex').slice(0, 16));
  if (existsSync(folder)) return folder;
  const draft = `${folder}.${String(process.pid)}`;
  mkdirSync(draft, { recursive: true });
  const configFile = join(ROOT, 'hub/portal/vite.config.ts');
  await build({ configFile, logLevel: 'error', build: { outDir: draft, emptyOutDir: true } });
  try {
    renameSync(draft, folder);
  } catch (error) {
    rmSync(draft, { recursive: true });
    if (!existsSync(folder)) throw error; // else another test file was quicker
  }
  return folder;
}
