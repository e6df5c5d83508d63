/** Raises HTTP and HTTPS: faces where the role `api` runs, health, readiness and metrics for every role that has a port. */
import { readFileSync } from 'node:fs';
import { createApp, createHttpServer, createHttpsServer } from './api/app.ts';
import type { AppDeps } from './api/app.ts';
import { createMetrics, gauge } from './api/metrics.ts';
import type { Config } from './config.ts';
import type { Log } from './core/ports.ts';
import { listenHttp } from './http-listener.ts';
import type { Lifecycle } from './lifecycle.ts';
import { ensureAdministrator } from './security/token.ts';
import type { SignOnRooms } from './compose-sign.ts';
import type { AuditTrail } from './core/audit.ts';
import { createAuditSpool } from './store/audit-spool.ts';
import { backlog, identityFigures } from './store/backlog.ts';
import { breakGlassFigures } from './store/break-glass.ts';
import { createClientStore } from './store/client.ts';
import type { Database } from './store/database.ts';

/** What HTTP needs of what the process stands on. */
export interface HttpGround {
  readonly config: Config;
  readonly roles: ReadonlySet<string>;
  readonly log: Log;
  readonly life: Lifecycle;
  readonly database: Database;
  readonly clock: () => Date;
  /** Lines for the person who started the hub: where it listens, and the token printed once. */
  readonly told: string[];
  /** Every started part and whether it can work now, for /readyz. */
  readonly ready: Map<string, () => boolean | Promise<boolean>>;
  readonly audit: AuditTrail;
  /** How the audit stands, for alarms. */
  readonly auditFigures: () => Promise<Readonly<Record<string, number>>>;
  /** What started parts count, for /metrics. */
  readonly figures: Map<string, () => Readonly<Record<string, number>>>;
}

/** The faces of the API role; every role answers /healthz, /readyz and /metrics where it has a port. */
export async function raiseHttp(
  ground: HttpGround,
  people: SignOnRooms,
  faces: AppDeps['faces'],
  pages: Pick<AppDeps, 'pages' | 'portal'>,
): Promise<void> {
  const { config, log, database, clock, roles } = ground;
  const clients = createClientStore({ database, clock });
  const token = await ensureAdministrator(clients, config.adminToken ?? undefined);
  if (token !== null) ground.told.push(`administrator's token, shown only now: ${token}`);
  const readiness = async (): Promise<Record<string, boolean>> =>
    Object.fromEntries(
      await Promise.all([...ground.ready].map(async ([part, isReady]) => [part, await isReady()] as const)),
    );
  const metrics = createMetrics();
  gauge(metrics, 'hub_waiting', 'Entries and events that wait to be worked on', () => backlog(database, clock()));
  gauge(metrics, 'hub_identity', 'Doubts about persons, and where comparing was cut off', () =>
    identityFigures(database, clock()),
  );
  gauge(
    metrics,
    'hub_break_glass',
    'Emergency access: grants that stand, reviews that are due, notices that wait',
    () => breakGlassFigures(database, clock()),
  );
  gauge(metrics, 'hub_audit', 'Audit records written and not, anchors and proofs', ground.auditFigures);
  if (config.atna !== null)
    gauge(metrics, 'hub_audit_delivery', 'Audit records that the repository has still to get', async () => {
      const { records, oldestSeconds } = await createAuditSpool({ database, clock }).backlog();
      return { waiting: records, oldest_seconds: oldestSeconds };
    });
  for (const [name, counts] of ground.figures)
    gauge(metrics, name, 'What a part of this process did since its start', () => Promise.resolve(counts()));
  const app = createApp({
    log,
    audit: ground.audit,
    clients,
    people: {
      find: (pass, isUse) => people.signOn.find(pass, isUse),
      hasSecurityAdministrator: () => people.accounts.hasSecurityAdministrator(),
    },
    publicUrl: config.publicUrl,
    trustedProxies: config.trustedProxies,
    metrics,
    readiness,
    faces,
    ...pages,
  });
  const isApi = roles.has('api');
  const port = isApi ? config.httpPort : config.healthPort;
  if (port !== null) await raiseListener(ground, 'http', createHttpServer(app), port);
  if (!isApi || config.httpsPort === null || config.tls === null) return;
  const { cert, key, ca } = config.tls;
  const asking = ca === null ? {} : { ca: readFileSync(ca) };
  const server = createHttpsServer(app, { cert: readFileSync(cert), key: readFileSync(key), ...asking });
  await raiseListener(ground, 'https', server, config.httpsPort);
}

async function raiseListener(
  { life, config, told }: HttpGround,
  name: 'http' | 'https',
  server: ReturnType<typeof createHttpServer>,
  port: number,
): Promise<void> {
  const opened = await life.raise(
    name,
    () => listenHttp(server, config.host, port),
    (listener) => listener.close(config.limits.drainMs / 2),
  );
  told.push(`${name.toUpperCase()} ${name}://${config.host}:${String(opened.port)}`);
}
