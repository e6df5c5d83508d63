/**
 * The composition root: reads the roles and the configuration, raises the parts in order, wires them, and drains them
 * on SIGTERM or SIGINT. The only file that sees every room.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadSites } from '../adapters/sites/load.ts';
import type { Channel } from '../adapters/channel.ts';
import type { CommunityConfig } from '../adapters/xds/index.ts';
import { createPortal } from './api/portal.ts';
import { createDocs } from './api/rest/docs.ts';
import { startApplyThread } from './apply-thread.ts';
import { closeCodecs } from './archive/transcode.ts';
import { readCommunities } from './communities.ts';
import type { Config } from './config.ts';
import { readConfig } from './config.ts';
import type { Log, ObjectStore, Queue } from './core/ports.ts';
import { codeOf } from './core/problem.ts';
import type { Sites } from './core/site.ts';
import { channels } from './compose-channels.ts';
import { faces } from './compose-faces.ts';
import { keysCommand } from './compose-keys-command.ts';
import { openKeys } from './compose-keys.ts';
import { composeObjects } from './compose-objects.ts';
import { composeRooms, renderSites } from './compose.ts';
import type { Rooms } from './compose.ts';
import { applicationEvent, auditDelivery } from './compose-atna.ts';
import { raiseNotices } from './compose-consent.ts';
import {
  auditFigures,
  keepAudit,
  openAudit,
  proving,
  retainAudit,
  watchAudit,
  type AuditRoom,
} from './compose-audit.ts';
import { AUDIT_COMMANDS, auditCommand } from './compose-audit-command.ts';
import { raiseNotifications } from './compose-notify.ts';
import { raiseJournalWork, raiseListenerNotes } from './compose-operations.ts';
import { composeSignOn } from './compose-sign.ts';
import { raiseLabels, raiseSweep } from './compose-sweep.ts';
import { Lifecycle, onBugs } from './lifecycle.ts';
import { createLog } from './log.ts';
import { forgetHabits } from './store/audit-watch.ts';
import { claimRoles } from './store/data-dir.ts';
import type { Database } from './store/database.ts';
import { openDatabase } from './store/database.ts';
import { JOURNAL_CONNECTIONS } from './store/journal.ts';
import { dropExpired, foldTallies, preparePartitions } from './store/journal-upkeep.ts';
import { migrate } from './store/migrate.ts';
import { openPostgres } from './store/postgres.ts';
import { openQueue } from './store/queue.ts';
import { closeNumbers } from './store/close-numbers.ts';
import { claimObjectStore } from './store/store-identity.ts';
import { raiseHttp } from './compose-http.ts';

const ROLES = ['api', 'worker', 'listen'] as const;
type Role = (typeof ROLES)[number];

/** What every role stands on, in the order in which it was raised. */
interface Ground {
  readonly config: Config;
  readonly roles: ReadonlySet<Role>;
  readonly log: Log;
  readonly life: Lifecycle;
  readonly database: Database;
  readonly databaseUrl: string;
  readonly journalDatabase: Database;
  readonly objects: ObjectStore;
  readonly queue: Queue;
  readonly sites: Sites;
  readonly communities: readonly CommunityConfig[];
  readonly clock: () => Date;
  /** Lines for the person who started the hub: where it listens, and the token printed once. */
  readonly told: string[];
  /** Every started part and whether it can work now, for /readyz. */
  readonly ready: Map<string, () => boolean | Promise<boolean>>;
  /** What started parts count, for /metrics. */
  readonly figures: Map<string, () => Readonly<Record<string, number>>>;
}

/** Where `npm run build` puts the portal. */
const PORTAL = fileURLToPath(new URL('portal/dist', import.meta.url));

const USAGE = 'roles are api, worker, listen (or all), each with npm start -- <role>; migrate runs alone and ends';

function readRoles(words: readonly string[]): ReadonlySet<Role> | 'migrate' {
  if (words.length === 0 || (words.length === 1 && words[0] === 'all')) return new Set(ROLES);
  if (words.length === 1 && words[0] === 'migrate') return 'migrate';
  if (words.includes('gateway')) throw new Error('role gateway is not in this release: connect hospitals to the hub');
  const roles = new Set(ROLES.filter((role) => words.includes(role)));
  const unknown = words.find((word) => !ROLES.some((role) => role === word));
  if (unknown !== undefined) throw new Error(`there is no role ${unknown}: ${USAGE}`);
  return roles;
}

async function raiseServer(config: Config, what: string, life: Lifecycle, log: Log): Promise<string> {
  const dir = join(config.dataDir, 'postgres');
  const open = (): ReturnType<typeof openPostgres> => openPostgres({ databaseUrl: config.databaseUrl, dir, what, log });
  const server = await life.raise('postgres', open, (opened) => opened.close());
  const applied = await migrate(server.url);
  if (applied.length > 0) log.info({ migrations: applied }, 'database migrated');
  return server.url;
}

async function raiseGround(config: Config, roles: ReadonlySet<Role>, life: Lifecycle, log: Log): Promise<Ground> {
  const names = [...roles];
  await life.raise(
    'lock',
    () => claimRoles(config.dataDir, names),
    (hold) => hold.release(),
  );
  const sites = await loadSites(config.sitesDir);
  const communities = readCommunities(config.communities, `urn:oid:${config.homeCommunityOid}`);
  const url = await raiseServer(config, `hub with ${names.join(', ')}`, life, log);
  const { vault, ring } = await life.raise(
    'keys',
    () => openKeys(config, url, log),
    (opened) => opened.close(),
  );
  const size = { max: config.limits.databaseConnections, name: names.join('+'), vault };
  const database = await life.raise(
    'database',
    () => openDatabase(url, size),
    (opened) => opened.close(),
  );
  const journalDatabase = await life.raise(
    'journal',
    () => openDatabase(url, { max: JOURNAL_CONNECTIONS, name: 'journal', planOnce: true, vault }),
    (opened) => opened.close(),
  );
  const { objects, figures } = await life.raise(
    'objects',
    () => composeObjects({ config, ring, log }, names),
    (opened) => opened.objects.close(),
  );
  await claimObjectStore(database, objects);
  const closed = await closeNumbers(database);
  if (closed > 0) log.info({ values: closed }, 'ID numbers of an earlier release were closed');
  const queue = await life.raise(
    'queue',
    () => openQueue({ databaseUrl: url, redisUrl: config.redisUrl, log }),
    (opened) => opened.close(),
  );
  const ready: Ground['ready'] = new Map([
    ['database', () => answers(() => database.pool.query('select 1'))],
    ['objects', () => answers(() => objects.check())],
    ['queue', () => answers(() => queue.counts('ingest'))],
  ]);
  const clock = (): Date => new Date();
  const stores = { database, databaseUrl: url, journalDatabase, objects, queue, figures };
  return { config, roles, log, life, ...stores, sites, communities, clock, told: [], ready };
}

const answers = (ask: () => Promise<unknown>): Promise<boolean> =>
  ask().then(
    () => true,
    () => false,
  );

const UPKEEP_MS = 3_600_000;
const SWEEP_MS = 250;

/** Partitions before they are needed, retention after; every process may do it, one of them does. */
async function raiseUpkeep({ life, log, database, clock, config }: Ground, audit: AuditRoom): Promise<void> {
  const keep = async (): Promise<void> => {
    await preparePartitions(database, clock());
    const dropped = await dropExpired(database, clock(), config.limits.journalKeepDays);
    if (dropped.length > 0) log.info({ days: dropped }, 'journal days past retention dropped');
    await foldTallies(database, clock());
    await audit.store.prepare();
    await forgetHabits(database, clock());
    const forgotten = await retainAudit({ config, database, clock, log }, audit);
    if (forgotten.length > 0) log.info({ months: forgotten }, 'audit months past retention dropped');
  };
  await keep();
  const again = (): void => {
    keep().catch((error: unknown) => {
      log.warn({ code: codeOf(error) }, 'journal upkeep failed; tried again in an hour');
    });
  };
  await life.raise(
    'upkeep',
    () => setInterval(again, UPKEEP_MS).unref(),
    (timer) => {
      clearInterval(timer);
      return Promise.resolve();
    },
  );
}

/** The thread that applies what the journal holds; a stop lets the batches in hand finish. */
async function raiseIngest({ life, config, databaseUrl, queue }: Ground): Promise<() => void> {
  const thread = await life.raise(
    'ingest',
    () =>
      startApplyThread({ config, databaseUrl }, (error) => {
        throw error instanceof Error ? error : new Error('the apply thread failed');
      }),
    (started) => started.stop(),
  );
  await queue.work('ingest', 1, () => {
    thread.wake();
    return Promise.resolve();
  });
  return () => {
    thread.wake();
  };
}

/** Journals what the last moments of a process before this one left, and at the end what is on its way. */
async function raiseFiling({ life, log }: Ground, { filing, recover }: Rooms): Promise<void> {
  const recovered = await recover();
  if (recovered > 0) log.info({ recovered }, 'instances of a process before this one were journalled');
  await life.raise(
    'filing',
    () => filing,
    () => filing.stop(),
  );
}

/** Works the outbox off. */
async function raiseWorkOff({ life }: Ground, { workOff, closeNotices }: Rooms): Promise<void> {
  // Threads of the codecs start at first use; whoever drains ends them.
  await life.raise('codecs', () => undefined, closeCodecs);
  await life.raise(
    'outbox',
    () => workOff.start(2, SWEEP_MS),
    async () => {
      await workOff.stop();
      await closeNotices();
    },
  );
}

/** Where a repository is configured it gets the audit. */
async function raiseAuditDelivery(ground: Ground): Promise<void> {
  const { config, life } = ground;
  const { atna } = config;
  if (atna === null) return;
  const delivery = auditDelivery({ ...ground, atna });
  await life.raise(
    'atna',
    () => {
      delivery.start();
    },
    () => delivery.stop(),
  );
}

/** Anchors, their copies, the night's proof, and the watch for odd access. */
async function raiseKeepAudit(ground: Ground, audit: AuditRoom): Promise<void> {
  const keeping = keepAudit(ground, audit);
  ground.figures.set('hub_audit_keeping', () => keeping.counts());
  await ground.life.raise(
    'audit anchors',
    () => {
      keeping.start();
    },
    () => keeping.stop(),
  );
  const watch = watchAudit(ground, audit.store);
  await ground.life.raise(
    'audit watch',
    () => {
      watch.start();
    },
    () => watch.stop(),
  );
}

/** The start, and in time the stop, of this process in the audit; last of all parts, so first to close. */
async function raiseRecord({ life, roles }: Ground, { audit }: Rooms): Promise<void> {
  await life.raise(
    'record',
    () => audit.record(applicationEvent('start', [...roles])),
    () => audit.record(applicationEvent('stop', [...roles])),
  );
}

/** Asks hospitals that run their own registry. */
async function raiseHospitals({ life }: Ground, { hospitals, readHospital }: Rooms): Promise<void> {
  await life.raise(
    'hospitals',
    () => {
      readHospital.start();
    },
    async () => {
      // Calls that are under way end with their connections, so a stop waits for nobody's answer.
      hospitals.close();
      await readHospital.stop();
    },
  );
}

/** Opens listeners of one protocol; `told` gets one line for each. */
async function raiseChannels(ground: Ground, channels: readonly Channel[]): Promise<void> {
  for (const channel of channels) {
    await ground.life.raise(
      channel.name,
      () => channel.start(),
      () => channel.stop(ground.config.limits.drainMs),
    );
    ground.ready.set(channel.name, () => channel.health().listening);
    ground.told.push(`${channel.name} on ${ground.config.host}:${String(channel.address().port)}`);
  }
}

/** Ends the process once, with the code that says how it went; a second signal ends it at once. */
function onSignals(life: Lifecycle, drainMs: number, log: Log): void {
  let asked = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => {
      if (asked) process.exit(1);
      asked = true;
      log.info({ signal }, 'stopping');
      void life.drain(drainMs).then((clean) => process.exit(clean ? 0 : 1));
    });
}

async function run(): Promise<void> {
  const words = process.argv.slice(2);
  if (AUDIT_COMMANDS.includes(words[0] ?? '')) {
    const given = readConfig();
    process.exit(await auditCommand(words, given, createLog('warn')));
  }
  if (words[0] === 'keys') process.exit(await keysCommand(words.slice(1), readConfig(), createLog('warn')));
  const roles = readRoles(words);
  const config = readConfig();
  const log = createLog(config.logLevel);
  const life = new Lifecycle(log);
  onBugs(log);
  onSignals(life, config.limits.drainMs, log);
  try {
    if (roles === 'migrate') {
      await raiseServer(config, 'migrate', life, log);
      await life.drain(config.limits.drainMs);
      process.exit(0);
    }
    const stands = await raiseGround(config, roles, life, log);
    const audit = await life.raise(
      'audit',
      () => openAudit(stands),
      (opened) => opened.close(),
    );
    const ground = { ...stands, audit: audit.store, anchors: audit.desk, prove: proving(stands, audit) };
    await raiseUpkeep(ground, audit);
    const wake = roles.has('worker') ? await raiseIngest(ground) : null;
    const rooms = await composeRooms(ground, wake);
    await life.raise(
      'communities',
      () => rooms.communities,
      (opened) => opened.close(),
    );
    await renderSites(ground, rooms);
    await raiseFiling(ground, rooms);
    if (roles.has('worker')) {
      await raiseWorkOff(ground, rooms);
      await raiseHospitals(ground, rooms);
      await raiseAuditDelivery(ground);
      await raiseKeepAudit(ground, audit);
      await raiseSweep(ground);
      await raiseLabels(ground);
      await raiseNotifications(ground, rooms);
      await raiseNotices(ground, rooms);
      await raiseJournalWork(ground, rooms);
    }
    if (roles.has('listen')) {
      const opened = channels(ground, rooms);
      await raiseChannels(ground, opened);
      await raiseListenerNotes(ground, opened);
    }
    const people = await composeSignOn({ ...ground, audit: rooms.audit });
    const isApi = roles.has('api');
    const asked = { ...ground, auditFigures: () => auditFigures(ground, audit) };
    const pages = isApi ? { pages: createDocs(), portal: createPortal(PORTAL) } : {};
    await raiseHttp(asked, people, isApi ? faces(ground, rooms, people) : {}, pages);
    await raiseRecord(ground, rooms);
    process.stdout.write(
      `Hutong is up: ${[...roles].join(', ')}\n${ground.told.map((line) => `  ${line}\n`).join('')}`,
    );
  } catch (error) {
    if (life.stopping) return; // the signal's own drain ends the process
    await life.drain(config.limits.drainMs);
    throw error;
  }
}

run().catch((error: unknown) => {
  process.stderr.write(
    `hutong: ${error instanceof Error ? error.message.replace(/\s*\n\s*/g, '; ') : 'the start failed'}\n`,
  );
  process.exit(1);
});
