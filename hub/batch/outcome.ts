/**
 * What the judged pairs of a batch come to: persons and doubts. Registrations that no judged pair joins have nothing to
 * do with each other, so each knot of them is clustered by itself, and a pair takes twenty bytes until its turn comes.
 */
import { cluster } from '../core/match/cluster.ts';
import type { Comparison, MatchOutcome, Pair, Veto } from '../core/match/comparison.ts';

export interface OutcomeSource {
  /** The texts of the passes, one at a time. */
  readonly passes: Iterable<string>;
  readonly rows: number;
  readonly idOf: (row: number) => string;
  /** Of two rows that no pass judged. */
  readonly compare: (a: number, b: number) => Comparison;
  readonly version: string;
}

export interface OutcomeSink {
  link(a: number, b: number, weight: number): void;
  review(a: number, b: number, weight: number): void;
}

const OUTCOMES: readonly MatchOutcome[] = ['none', 'review', 'link'];

/** Pairs in columns, that grow by doubling. */
class Pairs {
  ends = new Uint32Array(1 << 16);
  weights = new Float64Array(1 << 15);
  /** Outcome in the low two bits, the veto's number above. */
  codes = new Uint8Array(1 << 15);
  readonly vetoes: (Veto | '')[] = [''];
  count = 0;

  read(text: string): void {
    for (let from = 0; from < text.length;) {
      const to = text.indexOf('\n', from);
      const [x = '', y = '', weight = '', outcome = '', veto = ''] = text.slice(from, to).split(',');
      from = to + 1;
      if (this.count === this.codes.length) this.#grow();
      this.ends[2 * this.count] = Number(x);
      this.ends[2 * this.count + 1] = Number(y);
      this.weights[this.count] = Number(weight);
      this.codes[this.count++] = OUTCOMES.indexOf(outcome as MatchOutcome) | (this.#codeOf(veto as Veto | '') << 2);
    }
  }

  #codeOf(veto: Veto | ''): number {
    const known = this.vetoes.indexOf(veto);
    return known >= 0 ? known : this.vetoes.push(veto) - 1;
  }

  #grow(): void {
    const [ends, weights, codes] = [this.ends, this.weights, this.codes];
    this.ends = new Uint32Array(ends.length * 2);
    this.ends.set(ends);
    this.weights = new Float64Array(weights.length * 2);
    this.weights.set(weights);
    this.codes = new Uint8Array(codes.length * 2);
    this.codes.set(codes);
  }
}

export function decide(source: OutcomeSource, sink: OutcomeSink): { links: number; reviews: number } {
  const pairs = new Pairs();
  for (const text of source.passes) pairs.read(text);
  let links = 0;
  let reviews = 0;
  for (const knot of knots(pairs, source.rows)) {
    const told = settle(pairs, knot, source, sink);
    links += told.links;
    reviews += told.reviews;
  }
  return { links, reviews };
}

/** The numbers of the pairs, knot by knot, in the order of the smallest row of each. */
function* knots(pairs: Pairs, rows: number): Generator<Uint32Array> {
  const parent = new Uint32Array(rows).map((_, row) => row);
  const rootOf = (row: number): number => {
    let at = row;
    while ((parent[at] ?? at) !== at) {
      const up = parent[at] ?? at;
      parent[at] = parent[up] ?? up;
      at = up;
    }
    return at;
  };
  for (let at = 0; at < pairs.count; at++) {
    const [x, y] = [rootOf(pairs.ends[2 * at] ?? 0), rootOf(pairs.ends[2 * at + 1] ?? 0)];
    parent[Math.max(x, y)] = Math.min(x, y);
  }
  const order = new Float64Array(pairs.count);
  // A root and a pair in one number: both stay below 2^26, or the sum would not be whole.
  for (let at = 0; at < pairs.count; at++) order[at] = rootOf(pairs.ends[2 * at] ?? 0) * pairs.count + at;
  order.sort();
  for (let from = 0; from < order.length;) {
    const root = Math.floor((order[from] ?? 0) / pairs.count);
    let to = from + 1;
    while (to < order.length && Math.floor((order[to] ?? 0) / pairs.count) === root) to++;
    yield Uint32Array.from(order.subarray(from, to), (value) => value % pairs.count);
    from = to;
  }
}

function settle(
  pairs: Pairs,
  knot: Uint32Array,
  source: OutcomeSource,
  sink: OutcomeSink,
): { links: number; reviews: number } {
  const rowOf = new Map<string, number>();
  const known = new Map<string, Comparison>();
  const list: Pair[] = [];
  for (const at of knot) {
    const ends = [pairs.ends[2 * at] ?? 0, pairs.ends[2 * at + 1] ?? 0];
    const [a = '', b = ''] = ends
      .map((row) => {
        const id = source.idOf(row);
        rowOf.set(id, row);
        return id;
      })
      .sort();
    const code = pairs.codes[at] ?? 0;
    const veto = pairs.vetoes[code >> 2] ?? '';
    const comparison: Comparison = {
      weight: pairs.weights[at] ?? 0,
      outcome: OUTCOMES[code & 3] ?? 'none',
      contributions: [],
      veto: veto === '' ? null : veto,
      rules: source.version,
    };
    list.push({ a, b, comparison });
    known.set(`${a}\n${b}`, comparison);
  }
  const row = (id: string): number => rowOf.get(id) ?? -1;
  const judge = (x: string, y: string): Comparison =>
    known.get(x < y ? `${x}\n${y}` : `${y}\n${x}`) ?? source.compare(row(x), row(y));
  const { groups, doubts } = cluster([...rowOf.keys()], list, [], (a, b) => judge(a, b).veto !== null);
  let links = 0;
  for (const group of groups)
    for (const [at, a] of group.entries())
      for (const b of group.slice(at + 1)) {
        // In two files a group is one of each.
        sink.link(row(a), row(b), judge(a, b).weight);
        links++;
      }
  for (const { a, b, comparison } of doubts) sink.review(row(a), row(b), comparison.weight);
  return { links, reviews: doubts.length };
}
