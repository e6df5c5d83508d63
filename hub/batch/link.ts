/**
 * Links the registrations of one file or two with the hub's own matcher: read, learn, judge in passes, cluster, write.
 * Everything between lies in a working directory beside the output, so that a run that was stopped goes on where it was.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { cluster } from '../core/match/cluster.ts';
import { compare } from '../core/match/compare.ts';
import type { Comparison } from '../core/match/comparison.ts';
import type { Features } from '../core/match/features.ts';
import { learnRules, type FeaturePair } from '../core/match/learn.ts';
import { DEFAULT_RULES, type MatchRules } from '../core/match/rules.ts';
import type { Fields } from '../../mappings/batch/row.ts';
import { Blocks } from './blocks.ts';
import { judged, type JudgedPair } from './judge.ts';
import { startJudge } from './judge-thread.ts';
import { readRows, type ReadRows } from './read.ts';
import { RowReader } from './rows.ts';
import { sampleCandidates, sampleRandom, sampleRows } from './sample.ts';

export interface BatchOptions {
  readonly files: readonly string[];
  readonly fields: Fields;
  readonly out: string;
  /** Progress, a line at a time; never with a person's data. */
  readonly tell: (line: string) => void;
  readonly threads?: number;
}

export interface BatchResult {
  readonly rows: number;
  readonly candidates: number;
  readonly links: number;
  readonly reviews: number;
  readonly rules: MatchRules;
}

const PAIRS_A_PASS = 1_500_000;
/** Changes when the working files of an older release mean something else. */
const LAYOUT = 'batch-1';

export async function linkBatch(options: BatchOptions): Promise<BatchResult> {
  const { out, tell } = options;
  const work = `${out}.work`;
  prepare(work, options);
  const read = await rowsOf(work, options);
  const blocks = new Blocks(read.keys, read.second);
  tell(
    `${String(read.count)} rows, ${String(read.nameless)} without a record id left out; ${String(blocks.offered)} candidate pairs offered, ${String(blocks.cut)} blocks cut off for their size`,
  );
  const rows = new RowReader(join(work, 'rows'), read.offsets);
  try {
    const rules = rulesOf(work, read, blocks, rows, tell);
    const candidates = await judgeAll(work, read, blocks, rules, options);
    const result = write(work, read, rows, rules, options);
    rmSync(work, { recursive: true });
    return { rows: read.count, candidates, rules, ...result };
  } finally {
    rows.close();
  }
}

/** The working directory is of these very files and fields, or it is begun anew. */
function prepare(work: string, { files, fields, tell }: BatchOptions): void {
  const told = files.map((file) => [file, statSync(file).size, statSync(file).mtimeMs]);
  const print = createHash('sha256')
    .update(JSON.stringify([LAYOUT, DEFAULT_RULES, told, [...fields]]))
    .digest('hex');
  const mark = join(work, 'of');
  if (existsSync(mark) && readFileSync(mark, 'utf8') === print) return tell('going on with what an earlier run left');
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  writeFileSync(mark, print);
}

/** Written whole or not at all. */
function keep(path: string, content: string | Uint8Array): void {
  writeFileSync(`${path}.part`, content);
  renameSync(`${path}.part`, path);
}

async function rowsOf(work: string, { files, fields, tell }: BatchOptions): Promise<ReadRows> {
  const kept = join(work, 'read.json');
  if (existsSync(kept)) {
    const { second, nameless } = JSON.parse(readFileSync(kept, 'utf8')) as { second: number; nameless: number };
    const offsets = new Float64Array(shared(join(work, 'offsets')));
    return { count: offsets.length - 1, second, nameless, offsets, keys: shared(join(work, 'keys')) };
  }
  const read = await readRows(files, fields, join(work, 'rows'), tell);
  keep(join(work, 'offsets'), new Uint8Array(read.offsets.buffer));
  keep(join(work, 'keys'), new Uint8Array(read.keys));
  keep(kept, JSON.stringify({ second: read.second, nameless: read.nameless }));
  return read;
}

function shared(path: string): SharedArrayBuffer {
  const bytes = readFileSync(path);
  const buffer = new SharedArrayBuffer(bytes.length);
  new Uint8Array(buffer).set(bytes);
  return buffer;
}

function rulesOf(
  work: string,
  read: ReadRows,
  blocks: Blocks,
  rows: RowReader,
  tell: (line: string) => void,
): MatchRules {
  const kept = join(work, 'rules.json');
  if (existsSync(kept)) return JSON.parse(readFileSync(kept, 'utf8')) as MatchRules;
  const candidates = sampleCandidates(blocks, read.count);
  const pair = (at: number, words: Uint32Array): FeaturePair => [
    rows.get(words[at] ?? 0),
    rows.get(words[at + 1] ?? 0),
  ];
  const pairs = function* (words: Uint32Array): Generator<FeaturePair> {
    for (let at = 0; at < words.length; at += 2) yield pair(at, words);
  };
  const sample = function* (): Generator<Features> {
    for (const row of sampleRows(read.count)) yield rows.get(row);
  };
  const across = read.second * (read.count - read.second);
  const learned = learnRules({
    candidates: [...pairs(candidates.words)],
    candidateCount: candidates.all,
    random: pairs(sampleRandom(read.count, read.second)),
    pairCount: read.second > 0 ? across : (read.count * (read.count - 1)) / 2,
    sample: sample(),
    start: DEFAULT_RULES,
    version: 'learned',
  });
  // The version names the content: equal rules of two runs are one version.
  const version = `learned-${createHash('sha256').update(JSON.stringify(learned.rules)).digest('hex').slice(0, 12)}`;
  const rules = { ...learned.rules, version };
  tell(
    `learned ${version} from ${String(candidates.words.length / 2)} candidate pairs in ${String(learned.iterations)} rounds: share of matches ${learned.share.toFixed(4)}, prior ${rules.prior.toFixed(2)} bits, link from ${rules.thresholds.link.toFixed(2)}, review from ${rules.thresholds.review.toFixed(2)}`,
  );
  keep(kept, JSON.stringify(rules, null, 1));
  return rules;
}

async function judgeAll(
  work: string,
  read: ReadRows,
  blocks: Blocks,
  rules: MatchRules,
  options: BatchOptions,
): Promise<number> {
  const passes = Math.max(1, Math.ceil(blocks.offered / PAIRS_A_PASS));
  const size = Math.ceil(read.count / passes);
  const waiting = Array.from({ length: passes }, (_, pass) => pass).filter(
    (pass) => !existsSync(join(work, `pass-${String(pass)}`)),
  );
  const offsets = new SharedArrayBuffer(read.offsets.byteLength);
  new Float64Array(offsets).set(read.offsets);
  const assignment = { rowsFile: join(work, 'rows'), offsets, keys: read.keys, second: read.second, rules };
  let done = passes - waiting.length;
  let pairs = 0;
  const run = async (): Promise<void> => {
    if (waiting.length === 0) return;
    const thread = startJudge(assignment);
    try {
      for (let pass = waiting.shift(); pass !== undefined; pass = waiting.shift()) {
        const result = await thread.judge(pass * size, (pass + 1) * size);
        keep(join(work, `pass-${String(pass)}`), result.text);
        pairs += result.pairs;
        options.tell(`compared pass ${String(++done)} of ${String(passes)}: ${String(pairs)} pairs in this run`);
      }
    } finally {
      await thread.stop();
    }
  };
  const threads = Math.min(options.threads ?? availableParallelism(), passes);
  await Promise.all(Array.from({ length: threads }, run));
  return pairs;
}

function write(
  work: string,
  read: ReadRows,
  rows: RowReader,
  rules: MatchRules,
  options: BatchOptions,
): { links: number; reviews: number } {
  const idOf = (row: number): string => `${rows.get(row).issuer}|${rows.get(row).recordId}`;
  const pairs: JudgedPair[] = [];
  for (let pass = 0; existsSync(join(work, `pass-${String(pass)}`)); pass++)
    pairs.push(...judged(readFileSync(join(work, `pass-${String(pass)}`), 'utf8'), idOf, rules.version));
  const rowOf = new Map(pairs.flatMap((pair) => [[pair.a, pair.rows[0]] as const, [pair.b, pair.rows[1]] as const]));
  const known = new Map(pairs.map((pair) => [`${pair.a}\n${pair.b}`, pair.comparison]));
  const features = (id: string): Features => rows.get(rowOf.get(id) ?? -1);
  const judge = (a: string, b: string): Comparison =>
    known.get(`${a}\n${b}`) ?? compare(features(a), features(b), rules);
  const { groups, doubts } = cluster(
    [...rowOf.keys()],
    pairs,
    [],
    (a, b) => judge(a < b ? a : b, a < b ? b : a).veto !== null,
  );
  const lines: string[] = [];
  const line = (a: string, b: string, weight: number, outcome: string): void => {
    const [x, y] = [features(a).recordId, features(b).recordId];
    lines.push(`${quoted(x)},${quoted(y)},${weight.toFixed(3)},${outcome}\n`);
  };
  let links = 0;
  for (const group of groups) {
    for (const [at, a] of group.entries())
      for (const b of group.slice(at + 1)) {
        // In two files a group is one of each.
        line(a, b, judge(a, b).weight, 'link');
        links++;
      }
  }
  for (const { a, b, comparison } of doubts) line(a, b, comparison.weight, 'review');
  keep(options.out, `record_a,record_b,score,outcome\n${lines.join('')}`);
  keep(`${options.out.replace(/\.csv$/u, '')}.rules.json`, JSON.stringify(rules, null, 1));
  options.tell(`${String(read.count)} rows: ${String(links)} links, ${String(doubts.length)} to review`);
  return { links, reviews: doubts.length };
}

const quoted = (text: string): string => (/[",\r\n]/u.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
