/**
 * HL7 v2 over MLLP into a whole hub on its own durable PostgreSQL: durable acknowledgements per second, in turns with
 * committed inserts of the same bytes into a plain table of the same server, and messages applied to the index.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { startBenchHub, type BenchHub } from './bench-hub.ts';
import type { Order, Told } from './hl7-load.ts';
import { median, scaled, show, type Figure } from './measure.ts';

const CONNECTIONS = 8;
const ROUNDS = 3;
const DEPTH = 16;
const EXAMS = 400;
const END_TO_END = 2_000;

type Send = (kind: Order['kind'], exams: number, depth: number) => Promise<Told>;

function senders(hub: BenchHub): { send: Send; stop: () => Promise<void> } {
  const child: ChildProcess = fork(fileURLToPath(new URL('hl7-load.ts', import.meta.url)), {
    execArgv: ['--import', 'tsx'],
  });
  let first = 0;
  let run = 0;
  return {
    async send(kind, exams, depth) {
      const target = kind === 'mllp' ? String(hub.mllpPort) : hub.databaseUrl;
      const order: Order = { kind, target, connections: CONNECTIONS, exams, depth, first, run: `R${String(run)}` };
      first += exams + CONNECTIONS;
      run += 1;
      const limit = new AbortController();
      const answer = once(child, 'message', { signal: limit.signal }) as Promise<[Told]>;
      const end = once(child, 'exit', { signal: limit.signal }).then(([code]) => {
        throw new Error(`the senders ended with ${String(code)}`);
      });
      child.send(order);
      try {
        const [told] = await Promise.race([answer, end]);
        return told;
      } finally {
        limit.abort();
        await Promise.allSettled([answer, end]);
      }
    },
    async stop() {
      if (child.exitCode !== null) return;
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
}

async function acknowledgements(hub: BenchHub, send: Send): Promise<Figure[]> {
  const rates = { raw: [] as number[], wait: [] as number[], pipelined: [] as number[] };
  const rate = ({ messages, ms }: Told): number => messages / (ms / 1000);
  const exams = scaled(EXAMS, CONNECTIONS);
  let size = 0;
  for (let round = 0; round <= ROUNDS; round++) {
    const raw = await send('insert', exams, 1);
    const wait = await send('mllp', exams, 1);
    await hub.settled(60_000);
    const pipelined = await send('mllp', exams, DEPTH);
    await hub.settled(60_000);
    size = raw.bytes / raw.messages;
    if (round === 0) continue; // warms the server, the hub and the senders
    rates.raw.push(rate(raw));
    rates.wait.push(rate(wait));
    rates.pipelined.push(rate(pipelined));
    show(
      `  round ${String(round)}: inserts ${rate(raw).toFixed(0)}/s, acknowledged ${rate(wait).toFixed(0)}/s, pipelined ${rate(pipelined).toFixed(0)}/s`,
    );
  }
  const raw = median(rates.raw);
  const beside = `raw inserts (${raw.toFixed(0)}/s)`;
  const figure = (what: string, value: number): Figure => ({
    what,
    measured: `${value.toFixed(0)}/s`,
    ratio: { of: beside, value: value / raw, target: 0.4 },
  });
  show(
    `  ${String(exams * 3)} messages of ${size.toFixed(0)} bytes a turn over ${String(CONNECTIONS)} connections, medians of ${String(ROUNDS)}; the hub applies meanwhile`,
  );
  return [
    figure('HL7 acknowledged, stop and wait', median(rates.wait)),
    figure(`HL7 acknowledged, ${String(DEPTH)} in flight`, median(rates.pipelined)),
  ];
}

async function endToEnd(hub: BenchHub, send: Send): Promise<Figure> {
  const exams = scaled(END_TO_END, CONNECTIONS);
  const before = await hub.counters();
  const began = performance.now();
  const told = await send('mllp', exams, DEPTH);
  show(`  ${String(told.messages)} messages acknowledged after ${(told.ms / 1000).toFixed(1)} s, now applied ...`);
  const seconds = ((await hub.settled(120_000)) - began) / 1000;
  const { applied } = await hub.counters();
  if (applied - before.applied !== told.messages) throw new Error('what was applied is not what was sent');
  const perSecond = told.messages / seconds;
  return {
    what: 'HL7 applied to the index, first send to nothing pending',
    measured: `${perSecond.toFixed(0)}/s (${String(told.messages)} in ${seconds.toFixed(1)} s)`,
    ratio: { of: '300/s', value: perSecond / 300, target: 1 },
  };
}

export async function run(): Promise<readonly Figure[]> {
  const hub = await startBenchHub();
  const { send, stop } = senders(hub);
  const client = new pg.Client({ connectionString: hub.databaseUrl });
  try {
    await client.connect();
    const { rows } = await client.query<{ fsync: string; version: string }>(
      `select current_setting('fsync') as fsync, current_setting('server_version') as version`,
    );
    if (rows[0]?.fsync !== 'on') throw new Error('the server of the hub does not fsync');
    show(`  PostgreSQL ${rows[0].version}, fsync on`);
    await client.query(
      'create table bench_raw (id bigint generated always as identity primary key, bytes bytea not null)',
    );
    const figures = [...(await acknowledgements(hub, send)), await endToEnd(hub, send)];
    return figures;
  } finally {
    await client.end();
    await stop();
    await hub.stop();
  }
}
