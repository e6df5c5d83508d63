/**
 * The queue that wakes workers: BullMQ on the hub's own PostgreSQL (schema `bullmq`), or on Redis where a site needs
 * more than some hundred jobs a second. It holds no truth: what it forgets, the sweep over the tables finds.
 */
import { createPostgresBackend, createRedisBackend, isPgPool, withBackend } from 'bullmq';
import type { DeduplicationOptions, Queue as BullQueue, Worker as BullWorker } from 'bullmq';
import { Redis } from 'ioredis';
import pg from 'pg';
import type { Log, Queue, Topic } from '../core/ports.ts';
import { survive } from './database.ts';

type Payload = Readonly<Record<string, string>>;
type Handler = (payload: Payload) => Promise<void>;
type JobQueue = Pick<BullQueue<Payload>, 'add' | 'getJobCounts' | 'close' | 'waitUntilReady'>;
type JobWorker = Pick<BullWorker<Payload>, 'close' | 'waitUntilReady'>;

export interface QueueOptions {
  readonly databaseUrl: string;
  /** null: PostgreSQL. */
  readonly redisUrl: string | null;
  readonly log: Log;
  /** Connections to PostgreSQL that the queue may hold; each worked topic keeps one for its notifications. */
  readonly connections?: number;
  readonly attempts?: number;
  readonly backoffMs?: number;
}

/** How the two backends differ: how a queue and a worker are opened, and what must be closed last. */
interface Backend {
  queue(topic: Topic): JobQueue;
  worker(topic: Topic, concurrency: number, handler: Handler): JobWorker;
  close(): Promise<void>;
}

const TOPICS: readonly Topic[] = ['ingest', 'outbox'];
const SCHEMA = 'bullmq';
const PREFIX = 'hutong';
const CONNECT_MS = 10_000;
/** About five minutes in all; then the job is kept as failed and the sweep decides. */
const ATTEMPTS = 9;
const BACKOFF_MS = 1_000;
const KEEP_FAILED = { count: 10_000, age: 30 * 24 * 3_600 };
/** A killed worker's job is taken up by another after this time; a living one renews its lock at half of it. */
const LOCK_MS = 15_000;
const WORKER = { lockDuration: LOCK_MS, stalledInterval: LOCK_MS / 2, maxStalledCount: 10, drainDelay: 5 };

export async function openQueue(options: QueueOptions): Promise<Queue> {
  const backend = options.redisUrl === null ? await onPostgres(options) : await onRedis(options.redisUrl, options.log);
  // Opened now, not at first use: a queue of BullMQ that meets a database that is away remembers that for ever.
  const queues = new Map<Topic, JobQueue>(TOPICS.map((topic) => [topic, backend.queue(topic)]));
  await Promise.all([...queues.values()].map((open) => open.waitUntilReady()));
  const workers = new Map<Topic, JobWorker>();
  const jobs = {
    attempts: options.attempts ?? ATTEMPTS,
    backoff: { type: 'exponential', delay: options.backoffMs ?? BACKOFF_MS },
    removeOnComplete: true,
    removeOnFail: KEEP_FAILED,
  };
  const queue = (topic: Topic): JobQueue => {
    const known = queues.get(topic);
    if (known === undefined) throw new Error(`topic ${topic} is not opened`);
    return known;
  };
  return {
    async offer(topic, key, payload, delayMs = 0) {
      await queue(topic).add(topic, payload, { ...jobs, delay: delayMs, deduplication: alone(key, delayMs) });
    },
    async work(topic, concurrency, handler) {
      if (workers.has(topic)) throw new Error(`topic ${topic} has its handler already`);
      const worker = backend.worker(topic, concurrency, handler);
      workers.set(topic, worker);
      await worker.waitUntilReady();
    },
    async counts(topic) {
      const counts = await queue(topic).getJobCounts('wait', 'prioritized', 'active', 'delayed', 'failed');
      const sum = (...states: string[]): number => states.reduce((total, state) => total + (counts[state] ?? 0), 0);
      return {
        waiting: sum('wait', 'prioritized'),
        active: sum('active'),
        delayed: sum('delayed'),
        failed: sum('failed'),
      };
    },
    async close() {
      await Promise.all([...workers.values()].map((worker) => worker.close()));
      await Promise.all([...queues.values()].map((open) => open.close()));
      await backend.close();
    },
  };
}

/**
 * One job per key waits, whatever is offered; an offer while it runs makes it run once more; an offer without delay
 * brings a delayed one forward, a delayed offer never puts one back.
 */
const alone = (key: string, delayMs: number): DeduplicationOptions => ({
  id: key,
  keepLastIfActive: true,
  ...(delayMs === 0 ? { reschedule: true } : {}),
});

/** BullMQ tells errors by event; without a listener they would end the process. */
function listen(
  source: { on(event: 'error', listener: (error: Error) => void): unknown },
  topic: string,
  log: Log,
): void {
  source.on('error', (error) => {
    log.warn({ topic, error }, 'the queue is disturbed');
  });
}

async function onPostgres(options: QueueOptions): Promise<Backend> {
  const { databaseUrl, log } = options;
  const { Queue: PostgresQueue, Worker: PostgresWorker } = withBackend(createPostgresBackend);
  const setup = new PostgresQueue('setup', {
    connection: { connectionString: databaseUrl, schema: SCHEMA, migrate: true, max: 1 },
    skipMetasUpdate: true,
  });
  listen(setup, 'setup', log);
  await setup.waitUntilReady();
  await setup.close();
  // One pool for all, so that the number of connections has a bound that does not grow with topics.
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: options.connections ?? 8,
    application_name: 'hutong-queue',
    // Jobs that a crash of the server takes are found by the sweep: nobody waits for the disk because of them.
    options: `-c search_path=${SCHEMA} -c synchronous_commit=off`,
    keepAlive: true,
    connectionTimeoutMillis: CONNECT_MS,
  });
  survive(pool);
  if (!isPgPool(pool)) throw new Error('bullmq does not take a pool of pg any more'); // it asks for methods, not for a class
  return {
    queue(topic) {
      const queue = new PostgresQueue<Payload>(topic, { connection: pool });
      listen(queue, topic, log);
      return queue;
    },
    worker(topic, concurrency, handler) {
      const worker = new PostgresWorker<Payload>(topic, (job) => handler(job.data), {
        connection: pool,
        concurrency,
        ...WORKER,
      });
      listen(worker, topic, log);
      return worker;
    },
    close: () => pool.end(),
  };
}

async function onRedis(url: string, log: Log): Promise<Backend> {
  const { Queue: RedisQueue, Worker: RedisWorker } = withBackend(createRedisBackend);
  // Producers fail soon when Redis is away; workers wait for its return.
  const offering = new Redis(url, { maxRetriesPerRequest: 2, connectTimeout: CONNECT_MS, lazyConnect: true });
  const working = new Redis(url, { maxRetriesPerRequest: null, connectTimeout: CONNECT_MS, lazyConnect: true });
  listen(offering, 'redis', log);
  listen(working, 'redis', log);
  try {
    await offering.connect();
    await working.connect();
  } catch (error) {
    offering.disconnect();
    working.disconnect();
    throw new Error(`REDIS_URL: no connection to ${new URL(url).host}`, { cause: error });
  }
  return {
    queue(topic) {
      const queue = new RedisQueue<Payload>(topic, { connection: offering, prefix: PREFIX });
      listen(queue, topic, log);
      return queue;
    },
    worker(topic, concurrency, handler) {
      const worker = new RedisWorker<Payload>(topic, (job) => handler(job.data), {
        connection: working,
        concurrency,
        prefix: PREFIX,
        ...WORKER,
      });
      listen(worker, topic, log);
      return worker;
    },
    close: async () => {
      await offering.quit();
      await working.quit();
    },
  };
}
