/** A few threads for what takes longer than an event loop may wait; the queue is bounded and every job has a time limit. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Uid } from '../../core/identifier.ts';
import { fail, ok, problem } from '../../core/problem.ts';
import type { Result } from '../../core/problem.ts';
import type { PixelFormat } from '../../../mappings/dicom/pixels.ts';
import type { DrawJob } from './draw.ts';

export interface ConvertJob {
  readonly kind: 'convert';
  readonly file: Uint8Array;
  readonly target: Uid;
}

/** One frame from a bitstream to native samples (`to` explicit VR little endian), or into a lossless bitstream. */
export interface FrameJob {
  readonly kind: 'frame';
  readonly frame: Uint8Array;
  readonly from: string;
  readonly to: string;
  readonly format: PixelFormat;
}

export type Job = ConvertJob | FrameJob | DrawJob;

export interface PoolLimits {
  readonly threads: number;
  readonly waiting: number;
  readonly timeoutMs: number;
}

export const POOL_LIMITS: PoolLimits = {
  threads: Math.max(1, Math.min(4, availableParallelism() - 1)),
  waiting: 256,
  timeoutMs: 120_000,
};

/**
 * A thread does not inherit the TypeScript loader of its process (tsx registers only in the main thread), so it registers it
 * by itself before it imports the worker.
 */
const BOOT = `import(${JSON.stringify(import.meta.resolve('tsx/esm/api'))}).then(({ register }) => {
  register();
  return import(${JSON.stringify(new URL('./worker.ts', import.meta.url).href)});
})`;

interface Waiting {
  readonly job: Job;
  readonly settle: (result: Result<Buffer>) => void;
}

export class CodecPool {
  readonly #limits: PoolLimits;
  readonly #idle: Worker[] = [];
  readonly #all = new Set<Worker>();
  readonly #waiting: Waiting[] = [];
  #closed = false;

  constructor(limits: PoolLimits = POOL_LIMITS) {
    this.#limits = limits;
  }

  /** Runs a job in a thread. Bytes are copied to it, so the caller's buffers stay whole. */
  run(job: Job): Promise<Result<Buffer>> {
    if (this.#closed) return Promise.resolve(fail(problem('unavailable')));
    if (this.#waiting.length >= this.#limits.waiting) return Promise.resolve(fail(problem('busy')));
    return new Promise((settle) => {
      this.#waiting.push({ job, settle });
      this.#next();
    });
  }

  /** Ends the threads; jobs that wait or run are answered as unavailable. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { settle } of this.#waiting.splice(0)) settle(fail(problem('unavailable')));
    await Promise.all([...this.#all].map((worker) => worker.terminate()));
  }

  #next(): void {
    const waiting = this.#waiting[0];
    const worker = waiting && (this.#idle.pop() ?? this.#start());
    if (!worker) return;
    this.#waiting.shift();
    this.#assign(worker, waiting);
  }

  #start(): Worker | null {
    if (this.#all.size >= this.#limits.threads) return null;
    const worker = new Worker(BOOT, { eval: true });
    worker.unref();
    this.#all.add(worker);
    worker.on('exit', () => {
      this.#all.delete(worker);
      const at = this.#idle.indexOf(worker);
      if (at >= 0) this.#idle.splice(at, 1);
      if (!this.#closed) this.#next();
    });
    return worker;
  }

  #assign(worker: Worker, { job, settle }: Waiting): void {
    worker.ref();
    const finish = (result: Result<Buffer>, keep: boolean): void => {
      clearTimeout(timer);
      worker.removeAllListeners('message');
      worker.removeAllListeners('error');
      worker.off('exit', died);
      worker.unref();
      if (keep) this.#idle.push(worker);
      else {
        worker.on('error', () => undefined);
        void worker.terminate();
      }
      settle(result);
      this.#next();
    };
    const died = (): void => {
      finish(fail(problem('unavailable', undefined, 'The codec thread ended.')), false);
    };
    const timer = setTimeout(() => {
      finish(fail(problem('timeout', undefined, 'The conversion took too long.')), false);
    }, this.#limits.timeoutMs);
    worker.once('message', (result: Result<Uint8Array>) => {
      finish(
        result.ok ? ok(Buffer.from(result.value.buffer, result.value.byteOffset, result.value.byteLength)) : result,
        true,
      );
    });
    worker.once('error', () => {
      finish(fail(problem('internal', undefined, 'The codec thread failed.')), false);
    });
    worker.once('exit', died);
    worker.postMessage(job);
  }
}
