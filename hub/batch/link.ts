/**
 * Links the registrations of one file or two with the hub's own matcher: read, learn, judge in passes, cluster, write.
 * Everything between lies in a working directory beside the output, so that a run that was stopped goes on where it was.
 */
import { createHash } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { compare } from '../core/match/compare.ts';
import type { MatchOutcome } from '../core/match/comparison.ts';
import type { Features } from '../core/match/features.ts';
import { learnRules, type FeaturePair } from '../core/match/learn.ts';
import { DEFAULT_RULES, type MatchRules } from '../core/match/rules.ts';
import type { Fields } from '../../mappings/batch/row.ts';
import { Blocks } from './blocks.ts';
import { startJudge } from './judge-thread.ts';
import { decide } from './outcome.ts';
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

const FLUSHED = 1 << 20;
const PAIRS_A_PASS = 1_500_000;
/** Changes when the working files of an older release mean something else. */
const LAYOUT = 'batch-2';

export async function linkBatch(options: BatchOptions): Promise<BatchResult> {
  const { out, tell } = options;
  const work = `${out}.work`;
  prepare(work, options);
  const read = await rowsOf(work, options);
  const blocks = new Blocks(read.keys, read.second);
  tell(
    `${String(read.count)} rows, ${String(read.nameless)} without a record id left out; ${String(blocks.offered)} candidate pairs offered, ${String(blocks.cutOff.blocks)} blocks cut off for their size`,
  );
  const rows = new RowReader(join(work, 'rows'), read.offsets);
  try {
    const rules = rulesOf(work, read, blocks, rows, tell);
    const candidates = await judgeAll(work, read, blocks, rules, options);
    const result = write(work, read, blocks, rows, rules, options);
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
  // Read anew each time they are asked for: a sample of pairs is too much to hold.
  const pairs = (words: Uint32Array): Iterable<FeaturePair> => ({
    *[Symbol.iterator]() {
      for (let at = 0; at < words.length; at += 2) yield pair(at, words);
    },
  });
  const sample = function* (): Generator<Features> {
    for (const row of sampleRows(read.count)) yield rows.get(row);
  };
  const across = read.second * (read.count - read.second);
  const learned = learnRules({
    candidates: pairs(candidates.words),
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

/** What a run did, for whoever answers for it: written beside the links, with no person's data. */
interface Report {
  readonly rows: number;
  /** Left out: without a record id. */
  readonly nameless: number;
  readonly candidatePairs: number;
  /** Keys that too many rows share, so that these rows were not compared for that key alone. */
  readonly cutOff: Blocks['cutOff'];
  readonly links: number;
  readonly reviews: number;
  readonly rules: string;
}

function write(
  work: string,
  read: ReadRows,
  blocks: Blocks,
  rows: RowReader,
  rules: MatchRules,
  options: BatchOptions,
): { links: number; reviews: number } {
  const to = openSync(`${options.out}.part`, 'w');
  let lines = 'record_a,record_b,score,outcome\n';
  const flush = (): void => {
    writeFileSync(to, lines);
    lines = '';
  };
  const line =
    (outcome: MatchOutcome) =>
    (a: number, b: number, weight: number): void => {
      const [x, y] = [rows.get(a).recordId, rows.get(b).recordId];
      lines += `${quoted(x)},${quoted(y)},${weight.toFixed(3)},${outcome}\n`;
      if (lines.length > FLUSHED) flush();
    };
  try {
    const told = decide(
      {
        passes: passesOf(work),
        rows: read.count,
        idOf: (row) => `${rows.get(row).issuer}|${rows.get(row).recordId}`,
        compare: (a, b) => compare(rows.get(a), rows.get(b), rules),
        version: rules.version,
      },
      { link: line('link'), review: line('review') },
    );
    flush();
    const report: Report = {
      rows: read.count,
      nameless: read.nameless,
      candidatePairs: blocks.offered,
      cutOff: blocks.cutOff,
      ...told,
      rules: rules.version,
    };
    const base = options.out.replace(/\.csv$/u, '');
    keep(`${base}.rules.json`, JSON.stringify(rules, null, 1));
    keep(`${base}.report.json`, `${JSON.stringify(report, null, 1)}\n`);
    renameSync(`${options.out}.part`, options.out);
    options.tell(`${String(read.count)} rows: ${String(told.links)} links, ${String(told.reviews)} to review`);
    return told;
  } finally {
    closeSync(to);
  }
}

function* passesOf(work: string): Generator<string> {
  for (let pass = 0; existsSync(join(work, `pass-${String(pass)}`)); pass++)
    yield readFileSync(join(work, `pass-${String(pass)}`), 'utf8');
}

const quoted = (text: string): string => (/[",\r\n]/u.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
