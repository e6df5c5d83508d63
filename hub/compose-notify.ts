/** Wires the way of notifications to subscribers (DSUB). Beside main.ts, which it serves. */
import { readFileSync } from 'node:fs';
import { createNotificationSender } from '../adapters/xds/index.ts';
import type { NotificationSender } from '../adapters/xds/index.ts';
import type { Config } from './config.ts';
import type { AuditTrail } from './core/audit.ts';
import type { Log } from './core/ports.ts';
import { createNotifySubscribers, NOTIFICATION_TIMES } from './flow/notify-subscribers.ts';
import type { NotifySubscribers } from './flow/notify-subscribers.ts';
import { createAffinityPatients } from './store/affinity-patients.ts';
import type { Database } from './store/database.ts';
import { createDocumentReader } from './store/document-query.ts';
import { createSubscriptionStore } from './store/subscription.ts';

const TIMEOUT_MS = 30_000;

/** The hub shows its own certificate, and asks its own authority, where it has them. */
export function notifications(
  ground: {
    readonly config: Config;
    readonly database: Database;
    readonly clock: () => Date;
    readonly log: Log;
  },
  audit: AuditTrail,
): { readonly notify: NotifySubscribers; readonly sender: NotificationSender } {
  const { config, database, clock, log } = ground;
  const { tls } = config;
  const secrets = tls && {
    cert: readFileSync(tls.cert),
    key: readFileSync(tls.key),
    ...(tls.ca === null ? {} : { ca: readFileSync(tls.ca) }),
  };
  const sender = createNotificationSender({
    hosts: config.subscriberHosts,
    timeoutMs: TIMEOUT_MS,
    ...(secrets === null ? {} : { tls: secrets }),
  });
  const notify = createNotifySubscribers({
    subscriptions: createSubscriptionStore({ database, clock }),
    reader: createDocumentReader(database),
    patients: createAffinityPatients({ database, affinityDomainOid: config.affinityDomainOid }),
    send: (to, body) => sender.send(to, body),
    audit,
    log,
    clock,
    times: NOTIFICATION_TIMES,
  });
  return { notify, sender };
}
