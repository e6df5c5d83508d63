/** Wires what operators work with: figures, codes, replays, and what their processes do for it in the background. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Channel } from '../adapters/channel.ts';
import { map } from '../mappings/index.ts';
import type { CodeDeps } from './api/rest/codes.ts';
import type { FigureDeps } from './api/rest/figures.ts';
import type { ReplayDeps } from './api/rest/replays.ts';
import type { Log, ObjectStore } from './core/ports.ts';
import { codeOf } from './core/problem.ts';
import { authorityOwner } from './core/site.ts';
import { createPreviewReplay } from './flow/preview-replay.ts';
import { repeat } from './flow/repeat.ts';
import type { Lifecycle } from './lifecycle.ts';
import { createCodeDesk } from './store/code-mapping.ts';
import type { Database } from './store/database.ts';
import { createIntakeFigures } from './store/intake-figures.ts';
import { createJournalWork } from './store/journal-work.ts';
import { forgetListening, tellListening } from './store/listener.ts';
import { createPreviewStore } from './store/replay-preview.ts';
import type { Ground, Rooms } from './compose.ts';

/** For the REST face. */
export function operationsRooms(
  ground: Pick<Ground, 'database' | 'clock' | 'sites' | 'log'> & { readonly objects: Pick<ObjectStore, 'readAll'> },
  rooms: Pick<Rooms, 'derive' | 'arrived'>,
): CodeDeps & ReplayDeps & FigureDeps & { readonly objects: Pick<ObjectStore, 'readAll'> } {
  const { database, clock, sites, log, objects } = ground;
  const { derive, arrived } = rooms;
  const store = createPreviewStore({ database, derive });
  return {
    sites,
    objects,
    clock,
    codes: createCodeDesk({ database, clock }),
    works: createJournalWork({ database, clock, arrived }),
    figures: createIntakeFigures({ database, clock }),
    preview: createPreviewReplay({
      store,
      site: (id) => sites.byId(id),
      map,
      derive,
      log,
      ownerOf: authorityOwner(sites),
    }),
  };
}

interface Raised {
  readonly life: Lifecycle;
  readonly log: Log;
  readonly database: Database;
  readonly clock: () => Date;
}

const WORK_MS = 1_000;
const TELL_MS = 15_000;

/** Retries and replays of many go on wherever workers run; one process at a time has a work in hand. */
export async function raiseJournalWork({ life, log, database, clock }: Raised, { arrived }: Rooms): Promise<void> {
  const works = createJournalWork({ database, clock, arrived });
  const failed = (error: unknown): void => {
    log.warn({ code: codeOf(error) }, 'a replay could not go on; tried again in a moment');
  };
  await life.raise(
    'replays',
    () =>
      repeat(
        async () => {
          await works.step();
        },
        WORK_MS,
        failed,
      ),
    (running) => running.stop(),
  );
}

/** Says where this process listens, so that every process can tell what is up. */
export async function raiseListenerNotes(
  { life, log, database, clock }: Raised,
  channels: readonly Channel[],
): Promise<void> {
  const process = `${hostname()}/${randomUUID().slice(0, 8)}`;
  const tell = (): Promise<void> =>
    tellListening(
      database,
      process,
      channels.map((channel) => ({
        channel: channel.name,
        address: String(channel.address().port),
        ...channel.health(),
      })),
      clock(),
    );
  const failed = (error: unknown): void => {
    log.warn({ code: codeOf(error) }, 'the listeners could not be told; tried again in a moment');
  };
  await tell();
  await life.raise(
    'listener notes',
    () => repeat(tell, TELL_MS, failed),
    async (running) => {
      await running.stop();
      await forgetListening(database, process);
    },
  );
}
