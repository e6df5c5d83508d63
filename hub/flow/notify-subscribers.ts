/**
 * Tells subscribers of new documents (ITI-53), beside everything and waited for by nobody: one notification of a
 * subscription at a time, in order, at least once. A consumer that is away is asked ever more rarely; what it does not
 * take within so many attempts is given up, and the audit tells.
 */
import { standingRole } from '../core/access.ts';
import { refusalOf, type AccessDesk } from '../core/access-ports.ts';
import type { AuditTrail } from '../core/audit.ts';
import type { AffinityPatients, DocumentReader } from '../core/document-ports.ts';
import type {
  Consumer,
  NotificationOutcome,
  PendingNotification,
  SubscriptionStore,
} from '../core/document-subscription.ts';
import type { DocumentEntry, PatientCx, SubmissionSet } from '../core/document.ts';
import type { Log } from '../core/ports.ts';
import { codeOf, problem } from '../core/problem.ts';
import type { Problem, Result } from '../core/problem.ts';
import { writeNotify } from '../../mappings/xds/notification.ts';
import { backoffMs, createTurns } from './turns.ts';
import type { Turns } from './turns.ts';

export interface NotifySubscribersDeps {
  readonly subscriptions: SubscriptionStore;
  readonly reader: Pick<DocumentReader, 'byId' | 'sharedIds'>;
  readonly patients: Pick<AffinityPatients, 'personsOf'>;
  readonly send: (to: Consumer, body: string) => Promise<Result<null>>;
  /** Asked anew for each notification: what was given before a refusal or a label is told no more. */
  readonly access: AccessDesk;
  /** Whether a security administrator is active: the bootstrap's own subscription then gives it no record any more. */
  readonly sealed: () => Promise<boolean>;
  readonly audit: AuditTrail;
  readonly log: Log;
  readonly clock: () => Date;
  readonly times: NotificationTimes;
}

export interface NotificationTimes {
  readonly pollMs: number;
  /** The wait after the first failure; it doubles up to the longest. */
  readonly retryMs: number;
  readonly longestRetryMs: number;
  /** A notification in hand is anybody's again after this: longer than any attempt takes. */
  readonly leaseMs: number;
  readonly pruneMs: number;
  /** What waited longer than this is given up. */
  readonly keepMs: number;
}

export const NOTIFICATION_TIMES: NotificationTimes = {
  pollMs: 1_000,
  retryMs: 5_000,
  longestRetryMs: 3_600_000,
  leaseMs: 120_000,
  pruneMs: 600_000,
  keepMs: 7 * 86_400_000,
};

/** Of one notification: to a consumer that is away, and to one that says that the message is wrong. */
export const ATTEMPTS = { away: 16, refused: 3 } as const;

/** At a stop what is being sent ends first; close its sender where that may take too long. */
export function createNotifySubscribers(deps: NotifySubscribersDeps): Turns {
  let prunedAt = 0;

  async function turn(): Promise<number> {
    try {
      const now = deps.clock().getTime();
      if (now - prunedAt >= deps.times.pruneMs) {
        prunedAt = now;
        await prune(deps, new Date(now - deps.times.keepMs));
      }
      const pending = await deps.subscriptions.take(new Date(now + deps.times.leaseMs));
      if (pending === null) return deps.times.pollMs;
      await deps.subscriptions.settle(pending, await deliver(deps, pending));
      return 0;
    } catch (error) {
      // The lease ends by itself, and the notification is taken again.
      deps.log.error({ code: codeOf(error) }, 'a notification failed; it waits');
      return deps.times.pollMs;
    }
  }

  return createTurns(turn);
}

async function prune({ subscriptions, log }: NotifySubscribersDeps, oldest: Date): Promise<void> {
  const gone = await subscriptions.prune(oldest);
  if (gone.subscriptions + gone.notifications > 0)
    log.info({ ...gone }, 'ended subscriptions and what waited too long');
}

async function deliver(deps: NotifySubscribersDeps, pending: PendingNotification): Promise<NotificationOutcome> {
  const { subscription, entryIds } = pending;
  const found = await deps.reader.byId(entryIds);
  const told = found.filter((one) => one.kind !== 'folder');
  const objects = await seenBy(deps, pending, await ofSubscribed(deps, subscription.patientId, told));
  // Removed meanwhile, no longer of that person, or nothing that the subscriber may see: there is nothing to tell.
  if (objects.length === 0) return { kind: 'given-up' };
  const { topic, origin, consumer, id } = subscription;
  const body = writeNotify({ topic, subscription: `${origin}/${id}`, producer: origin, objects });
  const sent = await deps.send(consumer, body);
  const outcome = sent.ok ? ({ kind: 'delivered' } as const) : afterFailure(deps, pending, sent.problem);
  await audit(deps, pending, objects, sent.ok ? null : sent.problem);
  if (!sent.ok)
    deps.log.warn(
      { subscription: id, code: sent.problem.code, attempts: pending.attempts + 1, outcome: outcome.kind },
      'a subscriber did not take a notification',
    );
  return outcome;
}

/** What the subscriber may read of it; what it may not is as if it were not registered, and in the audit. */
async function seenBy<T extends DocumentEntry | SubmissionSet>(
  { access, audit, sealed }: NotifySubscribersDeps,
  { subscription }: PendingNotification,
  objects: readonly T[],
): Promise<readonly T[]> {
  const { subscriber, consumer } = subscription;
  const peer = new URL(consumer.address).hostname;
  const role = standingRole(subscriber.role, await sealed());
  const sight = await access.sight({ ...subscriber, role, peer });
  const seen = await sight.documents(objects.map(({ uniqueId }) => uniqueId));
  const refused = refusalOf(sight.told());
  if (refused !== null)
    await audit.record({
      ...{ action: 'refuse', outcome: 'refused', face: 'xds', operation: 'ITI-53', peer, ...refused },
      ...{ callerId: subscriber.id, callerName: subscriber.name, callerRole: subscriber.role },
    });
  return objects.filter(({ uniqueId }) => seen.has(uniqueId));
}

/** Under the id that was subscribed to: another id of the same person is the same patient (decision 0017). */
async function ofSubscribed<T extends DocumentEntry | SubmissionSet>(
  { reader }: NotifySubscribersDeps,
  subscribed: PatientCx | null,
  objects: readonly T[],
): Promise<readonly T[]> {
  if (subscribed === null || objects.every(({ patientId }) => patientId === subscribed)) return objects;
  const shared = await reader.sharedIds([subscribed, ...objects.map(({ patientId }) => patientId)]);
  const person = shared.get(subscribed);
  // Merged away: the documents of the survivor are told as the survivor's.
  if (person === undefined) return objects;
  return objects.flatMap((one) =>
    one.patientId === subscribed || shared.get(one.patientId) === person ? [{ ...one, patientId: subscribed }] : [],
  );
}

function afterFailure(
  { clock, times }: NotifySubscribersDeps,
  { attempts }: PendingNotification,
  why: Problem,
): NotificationOutcome {
  const most = why.code === 'precondition' ? ATTEMPTS.refused : ATTEMPTS.away;
  if (why.code === 'forbidden' || attempts + 1 >= most) return { kind: 'given-up' };
  const wait = backoffMs(attempts + 1, times.retryMs, times.longestRetryMs);
  return { kind: 'again', at: new Date(clock().getTime() + wait) };
}

/** Every attempt: what was sent and not acknowledged may have been read all the same. */
async function audit(
  deps: NotifySubscribersDeps,
  { subscription }: PendingNotification,
  objects: readonly (DocumentEntry | SubmissionSet)[],
  failure: Problem | null,
): Promise<void> {
  const entries = objects.filter((one) => one.kind === 'document');
  const set = objects.find((one) => one.kind === 'submission-set');
  // The path of the address may be a secret between subscriber and consumer.
  const { origin, hostname } = new URL(subscription.consumer.address);
  const patientIds = [...new Set(objects.map(({ patientId }) => patientId))];
  const persons = [...new Set((await deps.patients.personsOf(patientIds)).values())];
  const { id, name, role } = subscription.subscriber;
  await deps.audit.record({
    action: 'export',
    outcome: failure === null ? 'success' : 'failure',
    face: 'xds',
    operation: 'ITI-53',
    callerId: id,
    callerName: name,
    callerRole: role,
    peer: hostname,
    persons,
    objects: objects.map(({ uniqueId }) => uniqueId).slice(0, 1_000),
    detail: {
      transaction: 'ITI-53',
      initiated: true,
      endpoint: origin,
      patientIds,
      ...(set === undefined ? {} : { submissionSet: set.uniqueId }),
      documents: entries.slice(0, 1_000).map(({ uniqueId, repositoryUniqueId }) => ({
        uniqueId,
        ...(repositoryUniqueId === undefined ? {} : { repository: repositoryUniqueId }),
      })),
    },
    ...(failure === null ? {} : { reason: problem(failure.code).text }),
  });
}
