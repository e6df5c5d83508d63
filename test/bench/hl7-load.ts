/**
 * The senders of the HL7 bench, a process of their own so that they take nothing from the hub's event loop: the same
 * bytes over eight connections, to the hub by MLLP or into a plain table, each answered before it counts.
 */
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import pg from 'pg';
import { Deframer, frame } from '../../adapters/hl7v2/mllp.ts';
import { stream } from './hl7-messages.ts';

export interface Order {
  /** `mllp`: `target` is a port; `insert`: the address of the database. */
  readonly kind: 'mllp' | 'insert';
  readonly target: string;
  readonly connections: number;
  readonly exams: number;
  /** Messages in flight on each connection; 1: stop and wait. */
  readonly depth: number;
  /** Number of the first patient, and the head of the control ids. */
  readonly first: number;
  readonly run: string;
}

export interface Told {
  readonly messages: number;
  readonly bytes: number;
  readonly ms: number;
}

const LIMIT_MS = 60_000;

async function overMllp(socket: Socket, frames: readonly Buffer[], depth: number): Promise<void> {
  const deframer = new Deframer({ frameBytes: 1 << 20, garbageBytes: 4_096 });
  let sent = 0;
  let answered = 0;
  const next = (): void => {
    const bytes = frames[sent];
    if (bytes === undefined) return;
    sent += 1;
    socket.write(bytes);
  };
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the hub closed the connection')));
    socket.on('data', (chunk: Buffer) => {
      for (const event of deframer.push(chunk)) {
        const text = event.kind === 'frame' ? event.bytes.toString('latin1') : '';
        if (!/\rMSA\|A?A\|/.test(text)) return reject(new Error(`not accepted: ${text.slice(0, 400)}`));
        answered += 1;
        next();
      }
      if (answered === frames.length) resolve();
    });
    for (let i = 0; i < depth; i++) next();
  });
}

async function overInsert(client: pg.Client, rows: readonly Buffer[]): Promise<void> {
  for (const bytes of rows)
    await client.query({ name: 'raw', text: 'insert into bench_raw (bytes) values ($1)', values: [bytes] });
}

/** A patient's messages stay on one connection, as one system of a hospital keeps their order. */
function shares(order: Order): Buffer[][] {
  const each = Math.ceil(order.exams / order.connections);
  return Array.from({ length: order.connections }, (_, at) =>
    stream(order.first + at * each, each, `${order.run}-${String(at)}-`),
  );
}

async function mllp(order: Order, parts: readonly Buffer[][]): Promise<number> {
  const framed = parts.map((messages) => messages.map((bytes) => frame(bytes)));
  const sockets = await Promise.all(
    framed.map(async () => {
      const socket = connect({ port: Number(order.target), host: '127.0.0.1', noDelay: true });
      await once(socket, 'connect');
      return socket;
    }),
  );
  const began = performance.now();
  try {
    await Promise.all(sockets.map((socket, at) => overMllp(socket, framed[at] ?? [], order.depth)));
    return performance.now() - began;
  } finally {
    for (const socket of sockets) socket.removeAllListeners('close').destroy();
  }
}

async function insert(order: Order, parts: readonly Buffer[][]): Promise<number> {
  const clients = parts.map(() => new pg.Client({ connectionString: order.target }));
  for (const client of clients) await client.connect();
  const began = performance.now();
  try {
    await Promise.all(clients.map((client, at) => overInsert(client, parts[at] ?? [])));
    return performance.now() - began;
  } finally {
    for (const client of clients) await client.end();
  }
}

process.on('message', (order: Order) => {
  const parts = shares(order);
  const limit = setTimeout(() => process.exit(3), LIMIT_MS);
  const messages = parts.flat();
  const work = order.kind === 'mllp' ? mllp(order, parts) : insert(order, parts);
  work.then(
    (ms) => {
      clearTimeout(limit);
      const told: Told = { messages: messages.length, bytes: messages.reduce((sum, one) => sum + one.length, 0), ms };
      process.send?.(told);
    },
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      process.exit(1);
    },
  );
});
process.on('disconnect', () => process.exit(0));
