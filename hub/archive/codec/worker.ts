/** The thread that converts and renders: takes one job at a time, answers with the result, never with an exception's text of a patient. */
import { parentPort } from 'node:worker_threads';
import { fail, problem } from '../../core/problem.ts';
import type { Result } from '../../core/problem.ts';
import { convert, convertFrame } from './convert.ts';
import type { Job } from './pool.ts';
import { draw } from './draw.ts';

const bufferOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function run(job: Job): Promise<Result<Buffer>> {
  if (job.kind === 'convert') return convert(bufferOf(job.file), job.target);
  return job.kind === 'frame' ? convertFrame(bufferOf(job.frame), job.from, job.to, job.format) : draw(job);
}

const port = parentPort;
if (!port) throw new Error('this module runs in a worker thread');
port.on('message', (job: Job) => {
  run(job).then(
    (result) => {
      port.postMessage(result);
    },
    (error: unknown) => {
      const name = error instanceof Error ? error.name : 'unknown';
      port.postMessage(fail(problem('internal', undefined, `The codec failed (${name}).`)));
    },
  );
});
