/** A hub as its operator starts it, durable and with its own PostgreSQL, as the benches need it: ports, token, database. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { dataFolder, startHub } from '../support/hub.ts';

export interface BenchHub {
  readonly mllpPort: number;
  readonly dimsePort: number;
  readonly base: string;
  readonly token: string;
  readonly databaseUrl: string;
  counters(): Promise<Counters>;
  /** Waits until nothing waits to be applied; gives the time at which that was seen. */
  settled(limitMs: number): Promise<number>;
  stop(): Promise<void>;
}

interface Counters {
  readonly received: number;
  readonly applied: number;
  readonly refused: number;
  readonly review: number;
  readonly pending: number;
}

const TOKEN = 'bench-administrator-token';
/** The counters count the whole journal: asked seldom, so that the asking is no part of the figure. */
const ASK_MS = 250;

export async function startBenchHub(): Promise<BenchHub> {
  const folder = await dataFolder();
  const hub = startHub(folder.dir, [], { HUB_ADMIN_TOKEN: TOKEN, HUB_LOG_LEVEL: 'warn' });
  // A bench that was given up must not leave a hub and its server running.
  const abandon = (): void => hub.signal('SIGTERM');
  process.once('exit', abandon);
  const stop = async (): Promise<void> => {
    process.off('exit', abandon);
    hub.signal('SIGTERM');
    await hub.ended();
    await folder.remove();
  };
  try {
    await hub.up(90_000);
    const access = JSON.parse(await readFile(join(folder.dir, 'postgres/server.json'), 'utf8')) as {
      port: number;
      password: string;
    };
    const counters = async (): Promise<Counters> => {
      const response = await fetch(`${hub.address()}/api/v1/journal/counters`, {
        headers: { authorization: `Bearer ${TOKEN}` },
      });
      if (!response.ok) throw new Error(`the hub answered ${String(response.status)} to its counters`);
      return (await response.json()) as Counters;
    };
    return {
      mllpPort: Number(/hl7v2 on \S+:(\d+)/.exec(hub.said())?.[1]),
      dimsePort: Number(/dicom on \S+:(\d+)/.exec(hub.said())?.[1]),
      base: hub.address(),
      token: TOKEN,
      databaseUrl: `postgres://hutong:${access.password}@127.0.0.1:${String(access.port)}/hutong`,
      counters,
      async settled(limitMs) {
        const began = performance.now();
        for (;;) {
          const { pending, refused, review } = await counters();
          if (refused + review > 0) throw new Error('the hub did not apply all that the bench sent');
          if (pending === 0) return performance.now();
          if (performance.now() - began > limitMs) throw new Error(`${String(pending)} messages still wait`);
          await pause(ASK_MS);
        }
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
