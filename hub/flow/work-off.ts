/**
 * Works the outbox off: a sweep offers what is due to the queue, and a job that comes back does it, one of a key at a time.
 * The queue may forget or repeat; the table decides. A study that fell quiet becomes complete and gets its manifest; an exam
 * that changed gets its documents in the registry.
 */
import type { Outbox, OutboxEvent, OutboxOutcome, StudySettling } from '../core/outbox.ts';
import type { HubId } from '../core/identifier.ts';
import type { Log, Queue, StudyLocated } from '../core/ports.ts';
import type { ManifestView } from '../core/view.ts';
import type { PublishDocuments } from './publish-documents.ts';

const SWEEP_LIMIT = 500;

export interface WorkOffDeps {
  readonly outbox: Outbox;
  readonly queue: Queue;
  readonly settling: StudySettling;
  /** Makes and stores the manifest; null where the study has nothing to list. */
  readonly manifest: (located: StudyLocated) => Promise<ManifestView | null>;
  readonly publish: PublishDocuments;
  /** By the key of its event. */
  readonly tellLinks: (key: string) => Promise<OutboxOutcome>;
  readonly log: Log;
}

export interface WorkOff {
  start(concurrency: number, sweepMs: number): Promise<void>;
  stop(): Promise<void>;
}

export function createWorkOff(deps: WorkOffDeps): WorkOff {
  let timer: NodeJS.Timeout | undefined;
  let sweeping: Promise<void> = Promise.resolve();

  async function sweep(): Promise<void> {
    try {
      for (const id of await deps.outbox.due(SWEEP_LIMIT)) await deps.queue.offer('outbox', id, { id });
    } catch (error) {
      deps.log.warn(
        { name: error instanceof Error ? error.name : 'unknown' },
        'outbox sweep failed; the next one tries again',
      );
    }
  }

  return {
    async start(concurrency, sweepMs) {
      await deps.queue.work('outbox', concurrency, async (payload) => {
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
  const acts: Record<OutboxEvent['topic'], (key: string, deps: WorkOffDeps) => Promise<OutboxOutcome>> = {
    settle,
    publish,
    'tell-links': (key) => deps.tellLinks(key),
  };
  return acts[event.topic](event.key, deps);
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
