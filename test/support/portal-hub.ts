/**
 * A hub as a process with its portal, and a patient whom three hospitals know: a chest CT whose report was corrected to a
 * critical finding, an older radiograph elsewhere, a study that its hospital keeps, and a patient whose words are hostile.
 */
import { randomBytes } from 'node:crypto';
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { loadSites } from '../../adapters/sites/load.ts';
import type { PersonRole } from '../../hub/core/access.ts';
import type { Database } from '../../hub/store/database.ts';
import { enterSites } from '../../hub/store/institution.ts';
import { exams } from '../province/exams.ts';
import type { Exam } from '../province/exams.ts';
import { imagesOf } from '../province/images.ts';
import type { DicomFile } from '../province/images.ts';
import { builtPortal } from './browser.ts';
import { freshDatabase } from './database.ts';
import { multipart } from './dicomweb-hub.ts';
import { dataFolder, startHub } from './hub.ts';
import { SITES_DIR } from './rest-server.ts';
import { signIn } from './sign-in.ts';
import type { SignedInTest } from './sign-in.ts';

export const HOSTILE = '<img src=x onerror="window.hacked=1">';

export interface PortalHub {
  readonly origin: string;
  readonly adminToken: string;
  readonly database: Database;
  /** Of a client with this role. */
  token(role: string, site?: string): Promise<string>;
  call(method: string, path: string, body?: object, token?: string): Promise<{ status: number; json: unknown }>;
  /** A person in a session, as a browser's cookies say it; `site`: of its institution. */
  person(role: PersonRole, site?: 'h1' | 'h2' | 'h3'): Promise<SignedInTest>;
  readonly patient: Exam['person'];
  /** Exam ids of the patient, newest first. */
  readonly examIds: readonly string[];
  readonly personId: string;
  close(): Promise<void>;
}

const DIST = fileURLToPath(new URL('../../hub/portal/dist', import.meta.url));
const TODAY = '2026-11-20';

/** The hub serves what stands in dist; what was built from other sources is replaced. */
export async function installPortal(): Promise<void> {
  const built = await builtPortal();
  const mark = join(DIST, 'built-from.txt');
  if (existsSync(mark) && readFileSync(mark, 'utf8') === built) return;
  rmSync(DIST, { recursive: true, force: true });
  cpSync(built, DIST, { recursive: true });
  writeFileSync(mark, built);
}

const iso = (clock: string): string => clock.replace(/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/, '$1-$2-$3 $4:$5:$6');

export async function portalHub(env: Readonly<Record<string, string>> = {}): Promise<PortalHub> {
  await installPortal();
  const fresh = await freshDatabase({ max: 2 });
  const folder = await dataFolder();
  const adminToken = randomBytes(24).toString('hex');
  const hub = startHub(folder.dir, [], { DATABASE_URL: fresh.url, HUB_ADMIN_TOKEN: adminToken, ...env });
  await hub.up(150_000);
  const sites = await loadSites(SITES_DIR);
  await enterSites(fresh.database, sites.all);
  const origin = hub.address();
  const call: PortalHub['call'] = async (method, path, body, token = adminToken) => {
    const answer = await fetch(origin + path, {
      method,
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: answer.status, json: await answer.json().catch(() => null) };
  };
  const token: PortalHub['token'] = async (role, site) => {
    const made = await call('POST', '/api/v1/clients', { name: role, role, ...(site === undefined ? {} : { site }) });
    return (made.json as { token: string }).token;
  };
  const feeds = { h1: await token('hospital-feed', 'h1'), h2: await token('hospital-feed', 'h2') };
  const feed = async (site: string, what: string, body: object): Promise<void> => {
    const { status } = await call('POST', `/api/v1/sites/${site}/${what}`, body);
    if (status !== 202) throw new Error(`${site} ${what}: ${String(status)}`);
  };
  const plan = exams(TODAY).filter(({ person }) => person.name === '张伟');
  for (const exam of plan) await tell(feed, exam);
  for (const exam of plan) if (exam.site !== 'h3') await stow(origin, feeds[exam.site], imagesOf(exam).slice(0, 3));
  await correct(feed, plan[0]);
  await hostile(feed);
  await settled(call);
  const patient = plan[0]?.person;
  if (patient === undefined) throw new Error('the province has no such patient');
  const found = await call('POST', '/api/v1/exams/search', { identifier: { value: patient.residentId } });
  const items = (found.json as { items: { examId: string; personId: string }[] }).items;
  return {
    origin,
    adminToken,
    database: fresh.database,
    token,
    call,
    person: (role, site) => {
      const institution = site === undefined ? undefined : sites.byId(site)?.institutionCode;
      return signIn(fresh, role, {
        displayName: '赵医生',
        ...(institution === undefined ? {} : { institution }),
      });
    },
    patient,
    examIds: items.map(({ examId }) => examId),
    personId: items[0]?.personId ?? '',
    async close() {
      hub.signal('SIGTERM');
      await hub.ended();
      await folder.remove();
      await fresh.drop();
    },
  };
}

type Feed = (site: string, what: string, body: object) => Promise<void>;

const keysOf = (exam: Exam): object => ({
  patientId: exam.person.local[exam.site],
  accessionNumber: exam.accession,
  studyInstanceUid: exam.studyUid,
});

async function tell(feed: Feed, exam: Exam): Promise<void> {
  const { site, person, report } = exam;
  const patientId = person.local[site];
  const { name, sex, born: birthDate, residentId: idNumber, phone, address } = person;
  await feed(site, 'registrations', { patientId, name, sex, birthDate, idNumber, phone, address });
  const [procedureCode, procedureName] = exam.procedure;
  const what = { procedureCode, procedureName, modality: exam.modality, bodyPart: exam.bodyPart };
  await feed(site, 'orders', {
    ...{ patientId, orderNumber: exam.placer, accessionNumber: exam.accession, ...what },
    ...{ requester: '陈医生', requestedAt: iso(exam.startedAt), diagnosis: '咳嗽待查', priority: 'routine' },
  });
  await feed(site, 'exams', { ...keysOf(exam), ...what, startedAt: iso(exam.startedAt) });
  await feed(site, 'reports', {
    ...{ ...keysOf(exam), reportNumber: `R${exam.accession}`, status: 'F' },
    ...{ findings: report.findings, impression: report.impression, suggestion: report.suggestion ?? null },
    ...{ positive: report.positive, reporter: '李医生', auditor: '王主任' },
    ...{ reportedAt: iso(exam.startedAt), auditedAt: iso(exam.startedAt) },
  });
}

async function correct(feed: Feed, exam: Exam | undefined): Promise<void> {
  if (exam === undefined) return;
  const { report } = exam;
  await feed(exam.site, 'reports', {
    ...{ ...keysOf(exam), reportNumber: `R${exam.accession}`, status: 'C', critical: true, positive: true },
    ...{
      findings: `${report.findings}\n右侧气胸，肺组织压缩约 60%。`,
      impression: `右侧大量气胸。\n${report.impression}`,
      suggestion: report.suggestion ?? null,
    },
    ...{ reporter: '李医生', auditor: '王主任', auditedAt: '2026-11-20 18:00:00' },
  });
}

/** A name and a report that would do something in a page that took them for markup. */
async function hostile(feed: Feed): Promise<void> {
  const patientId = 'X-1';
  await feed('h2', 'registrations', { patientId, name: HOSTILE, sex: 'M', birthDate: '1970-01-02' });
  const keys = { patientId, accessionNumber: 'XSS1' };
  await feed('h2', 'exams', { ...keys, procedureName: HOSTILE, modality: 'DR', startedAt: '2026-11-01 08:00:00' });
  await feed('h2', 'reports', {
    ...{ ...keys, status: 'F', findings: `${HOSTILE}\n<script>window.hacked=2</script>`, impression: HOSTILE },
    ...{ reporter: HOSTILE, auditedAt: '2026-11-01 09:00:00' },
  });
}

async function stow(origin: string, token: string, files: readonly DicomFile[]): Promise<void> {
  const { body, type } = multipart(files.map(({ bytes }) => bytes));
  const answer = await fetch(`${origin}/dicomweb/studies`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': type, Accept: 'application/dicom+json' },
    body: new Uint8Array(body),
  });
  if (answer.status !== 200) throw new Error(`STOW: ${String(answer.status)} ${await answer.text()}`);
}

/** Until everything that was sent is applied, or waits for somebody. */
async function settled(call: PortalHub['call']): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    const { json } = await call('GET', '/api/v1/journal/counters');
    if ((json as { pending: number }).pending === 0) return;
    await pause(200);
  }
  throw new Error('what was sent was not applied in time');
}
