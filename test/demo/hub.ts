/** Starts a fresh hub in this very process for the demo, and makes the clients that its senders and askers use. */
import { randomBytes } from 'node:crypto';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { claimLock } from '../../hub/store/process-lock.ts';
import { runningServer, stopServer } from '../../hub/store/postgres-server.ts';
import { freePort, ready } from './address.ts';
import type { HubAddress } from './address.ts';
import { planNeighbour, writeCommunities } from './neighbour.ts';

export interface DemoHub extends HubAddress {
  /** Where the hub looks for h3's own archive. */
  readonly pacsPort: number;
  /** The neighbouring community that it knows, which is still to be started. */
  readonly neighbour: HubAddress;
}

const HOSPITAL_PORT = 11_114;

export async function startHub(): Promise<DemoHub> {
  const dataDir = resolve('var/demo');
  await freshFolder(dataDir);
  const pacsPort = await freePort(HOSPITAL_PORT);
  const env = process.env;
  const given = (name: string, otherwise: string): string => (env[name] ??= otherwise);
  env.HUB_DATA_DIR = dataDir;
  given('HUB_ADMIN_TOKEN', randomBytes(24).toString('hex'));
  given('HUB_LOG_LEVEL', 'warn');
  const neighbour = await planNeighbour(dataDir);
  env.HUB_SITES_DIR = await ownSites(dataDir, pacsPort, neighbour.domain);
  env.HUB_COMMUNITIES = join(dataDir, 'communities.yaml');
  await writeCommunities(env.HUB_COMMUNITIES, neighbour);
  const host = given('HUB_HOST', '127.0.0.1');
  const hub: DemoHub = {
    host,
    base: `http://${host}:${given('HUB_HTTP_PORT', '8080')}`,
    mllpPort: Number(given('HUB_MLLP_PORT', '2575')),
    dimsePort: Number(given('HUB_DIMSE_PORT', '11112')),
    aeTitle: given('HUB_AE_TITLE', 'HUTONG'),
    repositoryOid: given('HUB_REPOSITORY_OID', '2.999.156.3'),
    home: `urn:oid:${given('HUB_HOME_COMMUNITY_OID', '2.999.156.2')}`,
    domain: given('HUB_AFFINITY_DOMAIN_OID', '2.999.156.1'),
    adminToken: env.HUB_ADMIN_TOKEN ?? '',
    pacsPort,
    neighbour,
    dataDir,
  };
  process.argv.length = 2; // the hub reads its roles from what follows: none, so all
  await import('../../hub/main.ts');
  await ready(hub.base);
  return hub;
}

/** Empties the demo's own folder. What a demo that was killed left running on it is stopped first. */
async function freshFolder(dataDir: string): Promise<void> {
  await mkdir(resolve('var'), { recursive: true });
  const claim = await claimLock(`${dataDir}.lock`, 'demo');
  if (!claim.ok) throw new Error(`another demo (pid ${String(claim.holder.pid)}) is running: end it first`);
  for (const folder of [dataDir, join(dataDir, 'neighbour')]) {
    const data = join(folder, 'postgres', 'data');
    if ((await runningServer(data)) !== null) await stopServer(data);
  }
  await rm(dataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  await mkdir(dataDir);
}

/** The demo's sites: h3's archive at the port that was free, and a platform that may speak of the neighbour's patient ids. */
async function ownSites(dataDir: string, pacsPort: number, neighbourDomain: string): Promise<string> {
  const folder = join(dataDir, 'sites');
  await cp(process.env.HUB_SITES_DIR ?? 'adapters/sites', folder, { recursive: true });
  const edit = async (site: string, change: (text: string) => string): Promise<void> => {
    const path = join(folder, site, 'site.yaml');
    await writeFile(path, change(await readFile(path, 'utf8')));
  };
  await edit('h3', (text) => text.replace(`port: ${String(HOSPITAL_PORT)}`, `port: ${String(pacsPort)}`));
  await edit('region', (text) => text.replace(/^ {2}authorities:$/m, `$&\n    NEIGHBOUR: ${neighbourDomain}`));
  return folder;
}
