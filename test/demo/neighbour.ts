/**
 * 邻省, the neighbouring province: a second hub in a process of its own with its own database, ports and community, and
 * what happens there: a person of our province is examined at its hospital n1.
 */
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { uidOf } from '../province/exams.ts';
import type { Exam } from '../province/exams.ts';
import { imagesOf } from '../province/images.ts';
import type { DicomFile } from '../province/images.ts';
import { DIALECTS, order, registration, report } from '../province/messages.ts';
import type { Dialect } from '../province/messages.ts';
import type { Person } from '../province/persons.ts';
import { freePort, ready } from './address.ts';
import type { HubAddress } from './address.ts';
import { at, call, list, text } from './http.ts';
import { when } from './play.ts';
import type { Played } from './play.ts';
import type { Senders } from './senders.ts';

const DOMAIN = '2.999.157.1';
const N1: Dialect = { ...DIALECTS.h1, facility: 'N1', authority: `${DOMAIN}.1` };
/** The platform of our province says which number the neighbour knows a person of ours by. */
const PLATFORM: Dialect = { ...DIALECTS.region, authority: DOMAIN };

export interface Neighbour extends HubAddress {
  up(): Promise<void>;
  /** Lets it drain and end. */
  stop(): Promise<void>;
}

export interface Abroad {
  readonly exam: Exam;
  readonly files: readonly DicomFile[];
}

/** Its ports and ids, fixed before it is started, since our hub reads them at its own start. */
export async function planNeighbour(demoDir: string): Promise<HubAddress> {
  const host = '127.0.0.1';
  return {
    host,
    base: `http://${host}:${String(await freePort(0))}`,
    mllpPort: await freePort(0),
    dimsePort: await freePort(0),
    aeTitle: 'NEIGHBOUR',
    home: `urn:oid:2.999.157.2`,
    repositoryOid: '2.999.157.3',
    domain: DOMAIN,
    adminToken: randomBytes(24).toString('hex'),
    dataDir: join(demoDir, 'neighbour'),
  };
}

/** What HUB_COMMUNITIES of our hub says of it. */
export async function writeCommunities(path: string, { base, home, domain, adminToken }: HubAddress): Promise<void> {
  const gateway = `${base}/xds/responding-gateway`;
  const lines = [
    `- home: ${home}`,
    'name: 邻省',
    ...['query', 'retrieve', 'images'].map((face) => `${face}: ${gateway}`),
    `token: ${adminToken}`,
    `patientIdAuthority: ${domain}`,
  ];
  await writeFile(path, `${lines.join('\n  ')}\n`, { mode: 0o600 });
}

/** Resolves once the process runs, so that what the demo does meanwhile may block this one. */
export async function startNeighbour(plan: HubAddress): Promise<Neighbour> {
  await mkdir(plan.dataDir, { recursive: true });
  const sites = await writeSites(plan.dataDir);
  const inherited = Object.entries(process.env).filter(([name]) => !/^(HUB_|DATABASE_URL$|REDIS_URL$)/.test(name));
  const child = fork(fileURLToPath(new URL('neighbour-process.ts', import.meta.url)), [], {
    execArgv: ['--import', 'tsx'],
    // Ctrl-C at the terminal is for the demo, which then ends its neighbour.
    detached: true,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: {
      ...Object.fromEntries(inherited),
      HUB_DATA_DIR: plan.dataDir,
      HUB_SITES_DIR: sites,
      HUB_HOST: plan.host,
      HUB_HTTP_PORT: new URL(plan.base).port,
      HUB_MLLP_PORT: String(plan.mllpPort),
      HUB_DIMSE_PORT: String(plan.dimsePort),
      HUB_AE_TITLE: plan.aeTitle,
      HUB_HOME_COMMUNITY_OID: plan.home.slice('urn:oid:'.length),
      HUB_REPOSITORY_OID: plan.repositoryOid,
      HUB_AFFINITY_DOMAIN_OID: plan.domain,
      HUB_ADMIN_TOKEN: plan.adminToken,
      HUB_LOG_LEVEL: 'error',
    },
  });
  let over = false;
  const end = once(child, 'exit').then(() => {
    over = true;
  });
  return {
    ...plan,
    up: () => ready(plan.base, () => over),
    stop: async () => {
      if (child.connected) child.disconnect();
      await end;
    },
  };
}

/** One hospital, n1: our h1's site file under the neighbour's OIDs. */
async function writeSites(dataDir: string): Promise<string> {
  const folder = join(dataDir, 'sites');
  const n1 = join(folder, 'n1');
  await cp('adapters/sites/h1', n1, { recursive: true });
  const path = join(n1, 'site.yaml');
  const site = (await readFile(path, 'utf8'))
    .replaceAll('2.999.156.', '2.999.157.')
    .replaceAll('H1PACS', 'N1PACS')
    .replaceAll('省第一人民医院', '邻省人民医院')
    .replace('id: h1', 'id: n1')
    .replace('facility: H1', 'facility: N1')
    .replace(/settleSeconds: \d+/, 'settleSeconds: 2');
  await writeFile(path, site);
  return folder;
}

/** Her exam away from home: a CT like that of ours, by other numbers. */
export function abroad({ exams }: Pick<Played, 'exams'>): Abroad {
  const ours = exams.find(
    ({ site, person, modality }) => site === 'h1' && person.name === '王秀英' && modality === 'CT',
  );
  if (!ours) throw new Error('the traveller has no CT at h1');
  const accession = `N${ours.accession}`;
  const exam: Exam = {
    ...ours,
    person: { ...ours.person, local: { h1: 'N700421' } },
    accession,
    placer: `N${ours.placer}`,
    studyUid: uidOf('study', 'n1', accession),
    seed: 1001,
    institution: '邻省人民医院',
  };
  return { exam, files: imagesOf(exam) };
}

/** `there` sends to the neighbour's ports, `here` to ours. */
export async function playAbroad(
  neighbour: HubAddress,
  { exam, files }: Abroad,
  there: Senders,
  here: Senders,
): Promise<void> {
  const { person } = exam;
  const number = person.local.h1 ?? '';
  await there.hl7('n1', 'ADT^A04 registration', registration(N1, person, number, 'NADT1', when(exam, -60)));
  await there.hl7('n1', 'ORM^O01 NW', order(N1, exam, number, 'NW', 'NORM1', when(exam, -40)));
  await there.store('n1', 'N1PACS', `${exam.modality} ${exam.bodyPart}`, files);
  await there.hl7('n1', 'ORU^R01 F', report(N1, exam, number, exam.report, 'F', 'NORU1', when(exam, 90)));
  const id = await patientAt(neighbour, neighbour.adminToken, person);
  const told = registration(PLATFORM, person, id, 'PADT1', when(exam, 100));
  await here.hl7('region', 'ADT^A04 the number that 邻省 knows her by', told);
}

/** The id of a person in the domain of a hub, once the hub knows the person: that of the FHIR Patient. */
export async function patientAt({ base }: HubAddress, token: string, person: Person): Promise<string> {
  for (let tries = 0; tries < 200; tries++) {
    const answer = await call(`${base}/fhir/Patient/_search`, {
      token,
      type: 'application/x-www-form-urlencoded',
      accept: 'application/fhir+json',
      body: new URLSearchParams({ identifier: person.residentId ?? '' }).toString(),
    });
    if (answer.status !== 200) throw new Error(`Patient/_search answered HTTP ${String(answer.status)}`);
    const ids = list(answer.json(), 'entry')
      .map((entry) => at(entry, 'resource'))
      // A stranger may claim the same resident ID.
      .filter((resource) => list(resource, 'name').some((name) => text(name, 'text') === person.name))
      .map((resource) => text(resource, 'id'));
    if (ids[0] !== undefined) return ids[0];
    await pause(100);
  }
  throw new Error('the person does not stand after 20 seconds');
}
