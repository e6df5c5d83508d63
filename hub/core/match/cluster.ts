/**
 * Who is whose person: a function of the set of registrations, pairs and rulings, never of the order in which they came.
 * Pairs unite in order of weight, unless a hard rule or a person's ruling stands between any two members.
 */
import type { Clustering, Pair, Ruling } from './comparison.ts';

/** True: these two must not be in one group. For what the pairs do not tell, such as registrations never compared. */
export type Against = (a: string, b: string) => boolean;

export function cluster(
  recordIds: readonly string[],
  pairs: readonly Pair[],
  rulings: readonly Ruling[],
  against?: Against,
): Clustering {
  const groups = new Groups(recordIds, against);
  const same = rulings.filter(({ decision }) => decision === 'same').sort(byIds);
  const ruledSame = new Set(same.map(key));
  const notSame = new Set(rulings.filter(({ decision }) => decision === 'not-same').map(key));
  for (const ruling of rulings) if (ruling.decision === 'not-same') groups.part(ruling.a, ruling.b);
  for (const { a, b } of same) groups.unite(a, b, true);
  // A ruling knew the hard rule that it overrules, so vetoes count from here on.
  for (const pair of pairs) if (pair.comparison.veto !== null && !ruledSame.has(key(pair))) groups.part(pair.a, pair.b);
  const links = pairs.filter(({ comparison }) => comparison.outcome === 'link' && comparison.veto === null);
  links.sort((x, y) => y.comparison.weight - x.comparison.weight || byIds(x, y));
  for (const { a, b } of links) groups.unite(a, b);
  const doubts = pairs
    .filter(({ comparison, a, b }) => comparison.outcome !== 'none' && groups.knows(a, b) && !groups.together(a, b))
    .filter((pair) => !notSame.has(key(pair)))
    .sort((x, y) => y.comparison.weight - x.comparison.weight || byIds(x, y));
  return { groups: groups.all(), doubts };
}

interface Ends {
  readonly a: string;
  readonly b: string;
}

const key = ({ a, b }: Ends): string => (a < b ? `${a}\n${b}` : `${b}\n${a}`);

function byIds(x: Ends, y: Ends): number {
  const [left, right] = [key(x), key(y)];
  return left < right ? -1 : left > right ? 1 : 0;
}

class Groups {
  readonly #group = new Map<string, string[]>();
  readonly #apart = new Map<string, string[]>();
  readonly #against: Against | undefined;

  constructor(recordIds: readonly string[], against: Against | undefined) {
    for (const id of recordIds) this.#group.set(id, [id]);
    this.#against = against;
  }

  knows = (a: string, b: string): boolean => this.#group.has(a) && this.#group.has(b);

  together = (a: string, b: string): boolean => this.#group.get(a) === this.#group.get(b);

  part(a: string, b: string): void {
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      const apart = this.#apart.get(from);
      if (apart === undefined) this.#apart.set(from, [to]);
      else apart.push(to);
    }
  }

  /** `ruled`: somebody knew the hard rule that this overrules. */
  unite(a: string, b: string, ruled = false): void {
    const [x, y] = [this.#group.get(a), this.#group.get(b)];
    if (x === undefined || y === undefined || x === y) return;
    const [small, large] = x.length < y.length ? [x, y] : [y, x];
    if (small.some((id) => (this.#apart.get(id) ?? []).some((other) => this.#group.get(other) === large))) return;
    const against = this.#against;
    if (!ruled && against !== undefined && small.some((id) => large.some((other) => against(id, other)))) return;
    for (const id of small) {
      large.push(id);
      this.#group.set(id, large);
    }
  }

  all(): string[][] {
    return [...new Set(this.#group.values())]
      .map((group) => [...group].sort())
      .sort((x, y) => ((x[0] ?? '') < (y[0] ?? '') ? -1 : 1));
  }
}
