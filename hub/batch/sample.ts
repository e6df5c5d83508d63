/** What the matcher learns from: fair samples of candidate pairs, random pairs and rows, the same in every run over the same data. */
import type { Blocks } from './blocks.ts';

const CANDIDATES = 300_000;
const RANDOM_PAIRS = 400_000;
const ROWS = 200_000;

/** Pairs whose smaller row falls into the sample, and how many candidate pairs that makes of all rows. */
export function sampleCandidates(blocks: Blocks, count: number): { words: Uint32Array; all: number } {
  const share = Math.min(1, CANDIDATES / Math.max(1, blocks.offered));
  const take = (row: number): boolean => scatter(row) < share;
  let taken = 0;
  for (let row = 0; row < count; row++) if (take(row)) taken++;
  const words = blocks.pairs(take);
  return { words, all: taken === 0 ? 0 : Math.round(((words.length / 2) * count) / taken) };
}

/** A fixed number in [0, 1) for a row, as good as drawn (Knuth's multiplicative hash, mixed). */
function scatter(row: number): number {
  let word = Math.imul(row + 1, 0x9e3779b1);
  word ^= word >>> 15;
  word = Math.imul(word, 0x85ebca6b);
  return ((word ^ (word >>> 13)) >>> 0) / 2 ** 32;
}

export function sampleRandom(count: number, second: number): Uint32Array {
  if (count < 2) return new Uint32Array(0);
  const words: number[] = [];
  for (let draw = 0; draw < RANDOM_PAIRS; draw++) {
    const [x, y] = [scatter(2 * draw), scatter(2 * draw + 1)];
    const a = Math.floor(x * (second > 0 ? second : count));
    const b = second > 0 ? second + Math.floor(y * (count - second)) : Math.floor(y * count);
    if (a !== b) words.push(a, b);
  }
  return Uint32Array.from(words);
}

/** Evenly spread rows. */
export function* sampleRows(count: number): Generator<number> {
  const step = Math.max(1, count / ROWS);
  for (let at = 0; at < count; at += step) yield Math.floor(at);
}
