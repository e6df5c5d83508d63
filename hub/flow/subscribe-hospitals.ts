/**
 * Subscribes the hub at the notification brokers of hospitals (ITI-52), so that a new document is asked for when it is
 * there and not at its patient's next turn. Turns go on: a broker that is away, or tells nothing, costs time and no document.
 */
import type { SiteId } from '../core/identifier.ts';
import type { Log } from '../core/ports.ts';
import type { Result } from '../core/problem.ts';
import type { Sites } from '../core/site.ts';
import { codeOf } from '../core/problem.ts';
import { backoffMs, createTurns, isTold } from './turns.ts';
import type { Turns } from './turns.ts';

export interface SubscribeHospitalsDeps {
  readonly sites: Sites;
  readonly broker: (site: SiteId) => { subscribe(consumer: string, endsAt: Date): Promise<Result<Date>> } | null;
  /** Where the hub takes a site's notifications, and until when; null: nobody can reach it by a name that it knows. */
  readonly consumer: ((site: SiteId, endsAt: Date) => Promise<string>) | null;
  readonly log: Log;
  readonly clock: () => Date;
  readonly times: {
    /** One subscription; the next one is made before it ends. Short, since one whose hub is gone should end soon. */
    readonly lastsMs: number;
    readonly retryMs: number;
    readonly longestRetryMs: number;
  };
}

export const HOSPITAL_SUBSCRIPTION_TIMES = {
  lastsMs: 24 * 3_600_000,
  retryMs: 10_000,
  longestRetryMs: 900_000,
} as const;

export interface SubscribeHospitals {
  start(): void;
  stop(): Promise<void>;
}

export function createSubscribeHospitals(deps: SubscribeHospitalsDeps): SubscribeHospitals {
  let all: readonly Turns[] = [];
  return {
    start() {
      const wanted = deps.sites.all.flatMap(({ id }) => (deps.broker(id) === null ? [] : [id]));
      if (deps.consumer === null && wanted.length > 0)
        deps.log.warn({ sites: wanted }, 'brokers of hospitals are not subscribed to without HUB_PUBLIC_URL');
      else all = wanted.map((site) => createTurns(keeping(deps, site)));
      for (const turns of all) turns.start();
    },
    async stop() {
      await Promise.all(all.map((turns) => turns.stop()));
    },
  };
}

function keeping(deps: SubscribeHospitalsDeps, site: SiteId): () => Promise<number> {
  const { lastsMs, retryMs, longestRetryMs } = deps.times;
  let failures = 0;
  return async () => {
    const until = await subscribe(deps, site, failures);
    failures = until === null ? failures + 1 : 0;
    return until === null
      ? backoffMs(failures, retryMs, longestRetryMs)
      : Math.max(retryMs, Math.min(lastsMs, until.getTime() - deps.clock().getTime()) * 0.9);
  };
}

/** A new subscription each time: the profile knows no other way to go on, and to be told twice for a while is no harm. */
async function subscribe(deps: SubscribeHospitalsDeps, site: SiteId, failures: number): Promise<Date | null> {
  try {
    const endsAt = new Date(deps.clock().getTime() + deps.times.lastsMs);
    const consumer = await deps.consumer?.(site, endsAt);
    const made = consumer === undefined ? null : ((await deps.broker(site)?.subscribe(consumer, endsAt)) ?? null);
    if (made?.ok === true) return made.value;
    if (made && isTold(failures + 1))
      deps.log.warn({ site, code: made.problem.code, why: made.problem.text }, 'a broker made no subscription');
  } catch (error) {
    deps.log.error({ site, code: codeOf(error) }, 'subscribing failed; tried again');
  }
  return null;
}
