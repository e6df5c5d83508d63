/**
 * A hub as its operator starts it with what a reader opens: 张伟, seen by two hospitals, with his images and report; and a
 * Chromium that draws volumes by software. The viewer must have been built (`npm run build`); without it tests skip.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { imagesOf } from '../province/images.ts';
import { exams } from '../province/exams.ts';
import type { Exam } from '../province/exams.ts';
import type { SiteName } from '../province/persons.ts';
import { openDatabase } from '../../hub/store/database.ts';
import { multipart } from './dicomweb-hub.ts';
import { dataFolder, startHub } from './hub.ts';
import { signIn } from './sign-in.ts';
import type { SignedInTest } from './sign-in.ts';

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
const BUILT = fileURLToPath(new URL('../../hub/viewer/dist/made-from.txt', import.meta.url));

/** For `test(name, { skip: NO_VIEWER }, …)`. */
export const NO_VIEWER: string | false =
  CHROMIUM === undefined
    ? 'there is no Chromium on this machine'
    : existsSync(BUILT)
      ? false
      : 'the viewer is not built: npm run build';

/**
 * As a PC without a graphics card draws: WebGL by SwiftShader, and the page by the processor itself, which the browser
 * decides; told to ignore its list of what is blocked it would draw the page by SwiftShader too, at several times the cost.
 */
const LAUNCH = {
  ...(CHROMIUM === undefined ? {} : { executablePath: CHROMIUM }),
  args: ['--no-sandbox', '--enable-unsafe-swiftshader'],
};
export const openReader = (): Promise<Browser> => chromium.launch(LAUNCH);

/** With a profile on disk, as a reader's browser has: it keeps compiled scripts, which a private window does not. */
export const openProfile = (folder: string): Promise<BrowserContext> =>
  chromium.launchPersistentContext(folder, { ...LAUNCH, viewport: { width: 1440, height: 900 }, locale: 'zh-CN' });

/** Until an expression holds in the page. Asked from outside: the page's own policy lets nobody evaluate text in it. */
export async function until(page: Pick<Page, 'evaluate'>, expression: string, limitMs = 180_000): Promise<void> {
  for (const end = Date.now() + limitMs; Date.now() < end;) {
    if ((await page.evaluate<unknown>(expression)) === true) return;
    await pause(20);
  }
  throw new Error(`not so after ${String(limitMs)} ms: ${expression}`);
}

/** Of adapters/sites. */
export const INSTITUTIONS = {
  h1: 'MA9990H1799010011A1001',
  h2: 'MA9990H2599010011B1001',
  h3: 'MA9990H3399010011A1001',
};

export const ADMINISTRATOR = 'viewer-test-administrator';

export interface ViewerHub {
  readonly origin: string;
  readonly databaseUrl: string;
  ask(
    method: string,
    path: string,
    body?: object,
    token?: string,
  ): Promise<{ status: number; json: Record<string, unknown> }>;
  /** Registers the person of each exam, stores its images and its report, and waits until all is applied. */
  load(exam: Exam): Promise<void>;
  store(site: SiteName, files: readonly Uint8Array[]): Promise<void>;
  settled(): Promise<void>;
  /** The token of a new client of the role. */
  client(role: string): Promise<string>;
  /** A physician of the hospital with an open session, as a browser has it. */
  physician(site: SiteName): Promise<SignedInTest>;
  stop(): Promise<void>;
}

/** The exams of the demo province, as of the day that its data are about. */
export const examsOf = (name: string): readonly Exam[] =>
  exams('2026-11-26').filter(({ person }) => person.name === name);

export async function startViewerHub(env: Record<string, string> = {}): Promise<ViewerHub> {
  const folder = await dataFolder();
  const hub = startHub(folder.dir, [], { HUB_ADMIN_TOKEN: ADMINISTRATOR, HUB_LOG_LEVEL: 'warn', ...env });
  const stop = async (): Promise<void> => {
    hub.signal('SIGTERM');
    await hub.ended();
    await folder.remove();
  };
  try {
    await hub.up(180_000);
  } catch (error) {
    await stop();
    throw error;
  }
  const origin = hub.address();
  const access = JSON.parse(await readFile(join(folder.dir, 'postgres/server.json'), 'utf8')) as {
    port: number;
    password: string;
  };
  const databaseUrl = `postgres://hutong:${access.password}@127.0.0.1:${String(access.port)}/hutong`;
  const ask: ViewerHub['ask'] = async (method, path, body, token = ADMINISTRATOR) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const answer = await fetch(`${origin}${path}`, { method, headers, ...sent });
    const text = await answer.text();
    return { status: answer.status, json: text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {} };
  };
  const accepted = async (path: string, body: object): Promise<void> => {
    const { status, json } = await ask('POST', path, body);
    if (status !== 202) throw new Error(`${path} answered ${String(status)}: ${JSON.stringify(json)}`);
  };
  const store: ViewerHub['store'] = async (site, files) => {
    for (let at = 0; at < files.length; at += 50) {
      const { body, type } = multipart(files.slice(at, at + 50));
      const headers = { authorization: `Bearer ${ADMINISTRATOR}`, 'content-type': type };
      const answer = await fetch(`${origin}/dicomweb/studies?site=${site}`, { method: 'POST', headers, body });
      if (answer.status !== 200) throw new Error(`STOW-RS answered ${String(answer.status)}: ${await answer.text()}`);
    }
  };
  const settled = async (): Promise<void> => {
    for (const end = Date.now() + 120_000; Date.now() < end;) {
      const { json } = await ask('GET', '/api/v1/journal/counters');
      if (json['pending'] === 0) return;
      await pause(100);
    }
    throw new Error('the hub did not apply what it was sent');
  };
  return {
    origin,
    databaseUrl,
    ask,
    store,
    settled,
    stop,
    async load(exam) {
      const { person, site } = exam;
      const patientId = person.local[site];
      const named = {
        patientId,
        name: person.name,
        sex: person.sex === 'M' ? '1' : '2',
        birthDate: `${person.born.slice(0, 4)}-${person.born.slice(4, 6)}-${person.born.slice(6)}`,
      };
      await accepted(`/api/v1/sites/${site}/registrations`, { ...named, idType: '01', idNumber: person.residentId });
      await store(
        site,
        imagesOf(exam).map(({ bytes }) => bytes),
      );
      await accepted(`/api/v1/sites/${site}/reports`, {
        patientId,
        accessionNumber: exam.accession,
        reportNumber: `R${exam.accession}`,
        status: 'F',
        findings: exam.report.findings,
        impression: exam.report.impression,
        reporter: '李医生',
        auditor: '王主任',
        auditedAt: '2026-11-22 10:02:33',
      });
      await settled();
    },
    async physician(site) {
      const database = openDatabase(databaseUrl, { max: 1, name: 'viewer-test' });
      try {
        return await signIn({ database }, 'physician', { institution: INSTITUTIONS[site] });
      } finally {
        await database.close();
      }
    },
    async client(role) {
      const { status, json } = await ask('POST', '/api/v1/clients', { name: `${role} of the test`, role });
      if (status !== 201) throw new Error(`a client was refused: ${String(status)}`);
      return String(json['token']);
    },
  };
}
