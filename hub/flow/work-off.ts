/**
 * Works the outbox off: a sweep offers what is due to the queue, and a job that comes back does it, one of a key at a time.
 * The queue may forget or repeat; the table decides. A study that fell quiet becomes complete and gets its manifest, as does
 * one that its hospital keeps and lists; an exam that changed gets its documents in the registry.
 */
import type { Outbox, OutboxEvent, OutboxOutcome, StudySettling } from '../core/outbox.ts';
import type { HubId } from '../core/identifier.ts';
import { codeOf } from '../core/problem.ts';
import type { Log, Queue, StudyLocated } from '../core/ports.ts';
import type { ManifestView } from '../core/view.ts';
import type { Burst } from './burst.ts';
import type { ListKept } from './list-kept-study.ts';
import type { PublishDocuments } from './publish-documents.ts';

const SWEEP_LIMIT = 500;
const REOFFER_MS = 5_000;

export interface WorkOffDeps {
  readonly outbox: Outbox;
  readonly queue: Queue;
  readonly settling: StudySettling;
  /** Makes and stores the manifest; null where the study has nothing to list. */
  readonly manifest: (located: StudyLocated) => Promise<ManifestView | null>;
  readonly list: ListKept;
  readonly publish: PublishDocuments;
  /** By the key of its event. */
  readonly tellLinks: (key: string) => Promise<OutboxOutcome>;
  readonly log: Log;
  /** Events wait while many messages are being acknowledged. */
  readonly burst: Pick<Burst, 'over'>;
}

export interface WorkOff {
  start(concurrency: number, sweepMs: number): Promise<void>;
  stop(): Promise<void>;
}

export function createWorkOff(deps: WorkOffDeps): WorkOff {
  let timer: NodeJS.Timeout | undefined;
  let sweeping: Promise<void> = Promise.resolve();
  const offered = new Map<string, number>();

  /** What was offered is offered again only after a time, in case the queue forgot it: each offer is a commit. */
  async function sweep(): Promise<void> {
    const now = performance.now();
    for (const [event, at] of offered) if (now - at > REOFFER_MS) offered.delete(event);
    try {
      for (const { id, dueAt } of await deps.outbox.due(SWEEP_LIMIT)) {
        const event = `${id}|${dueAt}`;
        if (offered.has(event)) continue;
        await deps.queue.offer('outbox', id, { id });
        offered.set(event, now);
      }
    } catch (error) {
      deps.log.warn({ code: codeOf(error) }, 'outbox sweep failed; the next one tries again');
    }
  }

  return {
    async start(concurrency, sweepMs) {
      await deps.queue.work('outbox', concurrency, async (payload) => {
        await deps.burst.over();
        await deps.outbox.work(payload['id'] ?? '', (event) => handle(event, deps));
      });
      const tick = (): void => {
        sweeping = sweep().then(() => {
          timer = setTimeout(tick, sweepMs);
        });
      };
      tick();
    },
    async stop() {
      await sweeping;
      clearTimeout(timer);
    },
  };
}

async function handle(event: OutboxEvent, deps: WorkOffDeps): Promise<OutboxOutcome> {
  const { topic, key, since } = event;
  const acts: Record<OutboxEvent['topic'], () => Promise<OutboxOutcome>> = {
    settle: () => settle(key, deps),
    list: () => deps.list(key, since),
    publish: () => publish(key, deps),
    'tell-links': () => deps.tellLinks(key),
  };
  return acts[topic]();
}

async function settle(studyUid: string, deps: WorkOffDeps): Promise<OutboxOutcome> {
  const settled = await deps.settling.settle(studyUid);
  if (settled === null) return { done: true };
  if ('againAt' in settled) return { done: false, againAt: settled.againAt };
  const manifest = await deps.manifest(settled.located);
  if (manifest !== null) await deps.settling.saveManifest(settled.located, manifest);
  return { done: true };
}

async function publish(examId: string, deps: WorkOffDeps): Promise<OutboxOutcome> {
  await deps.publish(examId as HubId);
  return { done: true };
}
