/**
 * Wires subscriptions to new documents (DSUB) for the role that works: subscribers are told, and the brokers of hospitals
 * are subscribed to. Beside main.ts, which it serves.
 */
import { readFileSync } from 'node:fs';
import { createNotificationSender } from '../adapters/xds/index.ts';
import type { Hospitals } from '../adapters/xds/index.ts';
import type { Config } from './config.ts';
import type { AuditTrail } from './core/audit.ts';
import type { Log } from './core/ports.ts';
import type { Sites } from './core/site.ts';
import { createNotifySubscribers, NOTIFICATION_TIMES } from './flow/notify-subscribers.ts';
import { createSubscribeHospitals, HOSPITAL_SUBSCRIPTION_TIMES } from './flow/subscribe-hospitals.ts';
import type { Lifecycle } from './lifecycle.ts';
import { createNotifyPass } from './security/notify-pass.ts';
import type { NotifyPass } from './security/notify-pass.ts';
import { createSeal } from './security/seal.ts';
import { createAffinityPatients } from './store/affinity-patients.ts';
import { vaultOf, type Database } from './store/database.ts';
import { createDocumentReader } from './store/document-query.ts';
import { hubKey } from './store/hub-key.ts';
import { createSubscriptionStore } from './store/subscription.ts';
import type { Sealed } from './store/subscription.ts';

const TIMEOUT_MS = 30_000;
/** Consumers that are told at the same time: a slow one holds up one of them. */
const NOTIFIERS = 4;

interface Ground {
  readonly config: Config;
  readonly database: Database;
  readonly sites: Sites;
  readonly clock: () => Date;
  readonly log: Log;
  readonly life: Lifecycle;
}

/** What the roles that subscribe, notify and are notified share: drawn once, read once by each process. */
export function notificationSecrets(database: Database): {
  readonly seal: () => Promise<Sealed>;
  readonly pass: () => Promise<NotifyPass>;
} {
  let key: Promise<Buffer> | undefined;
  // A database that is away now is asked again.
  const drawn = (): Promise<Buffer> =>
    (key ??= hubKey(database, 'notification').catch((error: unknown) => {
      key = undefined;
      throw error;
    }));
  return {
    seal: async () => createSeal(vaultOf(database.pool).fields, 'consumer', await drawn()),
    pass: async () => createNotifyPass(await drawn()),
  };
}

export async function raiseNotifications(
  ground: Ground,
  { audit, hospitals }: { readonly audit: AuditTrail; readonly hospitals: Hospitals },
): Promise<void> {
  const { config, database, sites, clock, log, life } = ground;
  const sender = createNotificationSender({
    hosts: config.subscriberHosts,
    tokens: config.subscriberTokens,
    timeoutMs: TIMEOUT_MS,
    ...secretsOf(config),
  });
  const secrets = notificationSecrets(database);
  const notify = createNotifySubscribers({
    subscriptions: createSubscriptionStore({ database, clock, seal: secrets.seal }),
    reader: createDocumentReader(database),
    patients: createAffinityPatients({ database, affinityDomainOid: config.affinityDomainOid }),
    send: (to, body) => sender.send(to, body),
    audit,
    log,
    clock,
    times: NOTIFICATION_TIMES,
  });
  await life.raise(
    'notifications',
    () => {
      notify.start(NOTIFIERS);
    },
    async () => {
      // A notification that is broken off stays in the store: nobody waits for a consumer's answer.
      sender.close();
      await notify.stop();
    },
  );
  const { publicUrl } = config;
  const consumer = async (site: string, endsAt: Date): Promise<string> =>
    `${publicUrl ?? ''}/xds/notify/${(await secrets.pass()).issue(site, endsAt)}`;
  const subscribing = createSubscribeHospitals({
    sites,
    broker: (site) => hospitals.broker(site),
    consumer: publicUrl === null ? null : consumer,
    log,
    clock,
    times: HOSPITAL_SUBSCRIPTION_TIMES,
  });
  await life.raise(
    'subscriptions',
    () => {
      subscribing.start();
    },
    async () => {
      hospitals.close();
      await subscribing.stop();
    },
  );
}

/** The hub shows its own certificate, and asks its own authority, where it has them. */
function secretsOf({ tls }: Config): Pick<Parameters<typeof createNotificationSender>[0], 'tls'> {
  if (tls === null) return {};
  const ca = tls.ca === null ? {} : { ca: readFileSync(tls.ca) };
  return { tls: { cert: readFileSync(tls.cert), key: readFileSync(tls.key), ...ca } };
}
