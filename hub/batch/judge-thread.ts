/** A thread that judges passes of a batch: every processor compares, each with its own reader of the rows. */
import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import type { MatchRules } from '../core/match/rules.ts';
import { Blocks } from './blocks.ts';
import { judge, type Judged } from './judge.ts';
import { RowReader } from './rows.ts';

export interface Work {
  readonly rowsFile: string;
  readonly offsets: SharedArrayBuffer;
  readonly keys: SharedArrayBuffer;
  readonly second: number;
  readonly rules: MatchRules;
}

/** A thread does not inherit the TypeScript loader of its process: it registers it by itself before it imports this file. */
const BOOT = `import(${JSON.stringify(import.meta.resolve('tsx/esm/api'))}).then(({ register }) => {
  register();
  return import(${JSON.stringify(import.meta.url)});
})`;

export interface JudgeThread {
  judge(from: number, to: number): Promise<Judged>;
  stop(): Promise<unknown>;
}

export function startJudge(work: Work): JudgeThread {
  const thread = new Worker(BOOT, { eval: true, workerData: work });
  return {
    async judge(from, to) {
      // `once` rejects when the thread fails.
      const answer = once(thread, 'message');
      thread.postMessage([from, to]);
      const [result] = (await answer) as [Judged];
      return result;
    },
    stop: () => thread.terminate(),
  };
}

if (!isMainThread && parentPort !== null) {
  const port = parentPort;
  const work = workerData as Work;
  const blocks = new Blocks(work.keys, work.second);
  const rows = new RowReader(work.rowsFile, new Float64Array(work.offsets));
  port.on('message', ([from, to]: [number, number]) => {
    port.postMessage(judge(blocks, rows, work.rules, from, to));
  });
}
