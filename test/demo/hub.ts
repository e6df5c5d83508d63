/** Starts a fresh hub in this very process for the demo, and makes the clients that its senders and askers use. */
import { randomBytes } from 'node:crypto';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { claimLock } from '../../hub/store/process-lock.ts';
import { runningServer, stopServer } from '../../hub/store/postgres-server.ts';

export interface DemoHub {
  readonly base: string;
  readonly host: string;
  readonly mllpPort: number;
  readonly dimsePort: number;
  readonly aeTitle: string;
  readonly repositoryOid: string;
  readonly adminToken: string;
  /** Where the hub looks for h3's own archive. */
  readonly pacsPort: number;
  readonly dataDir: string;
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
  if (pacsPort !== HOSPITAL_PORT) env.HUB_SITES_DIR = await sitesWithPort(dataDir, pacsPort);
  const host = given('HUB_HOST', '127.0.0.1');
  const hub: DemoHub = {
    host,
    base: `http://${host}:${given('HUB_HTTP_PORT', '8080')}`,
    mllpPort: Number(given('HUB_MLLP_PORT', '2575')),
    dimsePort: Number(given('HUB_DIMSE_PORT', '11112')),
    aeTitle: given('HUB_AE_TITLE', 'HUTONG'),
    repositoryOid: given('HUB_REPOSITORY_OID', '2.999.156.3'),
    adminToken: env.HUB_ADMIN_TOKEN ?? '',
    pacsPort,
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
  const data = join(dataDir, 'postgres', 'data');
  if ((await runningServer(data)) !== null) await stopServer(data);
  await rm(dataDir, { recursive: true, force: true });
}

/** The port, or any other where it is taken. */
function freePort(port: number): Promise<number> {
  return new Promise((settle, reject) => {
    const server = createServer();
    server.once('error', () => {
      if (port === 0) reject(new Error('no port is free'));
      else freePort(0).then(settle, reject);
    });
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        settle(typeof address === 'object' && address !== null ? address.port : port);
      });
    });
  });
}

/** The demo's sites, with h3's archive at another port than its site.yaml says. */
async function sitesWithPort(dataDir: string, port: number): Promise<string> {
  const folder = join(`${dataDir}-sites`);
  await rm(folder, { recursive: true, force: true });
  await cp(process.env.HUB_SITES_DIR ?? 'adapters/sites', folder, { recursive: true });
  const path = join(folder, 'h3', 'site.yaml');
  const text = await readFile(path, 'utf8');
  await writeFile(path, text.replace(`port: ${String(HOSPITAL_PORT)}`, `port: ${String(port)}`));
  return folder;
}

async function ready(base: string): Promise<void> {
  const deadline = Date.now() + 90_000;
  for (;;) {
    const up = await fetch(`${base}/readyz`).then(
      (response) => response.status === 200,
      () => false,
    );
    if (up) return;
    if (Date.now() > deadline) throw new Error(`the hub did not become ready at ${base}/readyz within 90 seconds`);
    await new Promise((settle) => setTimeout(settle, 100));
  }
}
