/** One pass of a batch: compares its candidate pairs and keeps those that are linked, doubtful or forbidden. */
import { compare } from '../core/match/compare.ts';
import type { MatchRules } from '../core/match/rules.ts';
import type { Blocks } from './blocks.ts';
import type { RowReader } from './rows.ts';

export interface Judged {
  readonly pairs: number;
  /** Lines `smaller row,larger row,weight,outcome,veto`. */
  readonly text: string;
}

export function judge(blocks: Blocks, rows: RowReader, rules: MatchRules, from: number, to: number): Judged {
  const words = blocks.pairs((row) => row >= from && row < to);
  const lines: string[] = [];
  for (let at = 0; at < words.length; at += 2) {
    const [other, row] = [words[at] ?? 0, words[at + 1] ?? 0];
    const { outcome, weight, veto } = compare(rows.get(row), rows.get(other), rules);
    if (outcome !== 'none') lines.push(`${String(row)},${String(other)},${String(weight)},${outcome},${veto ?? ''}\n`);
  }
  return { pairs: words.length / 2, text: lines.join('') };
}
