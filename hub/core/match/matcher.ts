/**
 * The matcher as the index and the batch linkage use it: features of a registration, and everything that one version of
 * the rules decides. Placeholder of the lead's split: the parts come from their own files of this room.
 */
import type { PatientView } from '../view.ts';
import type { Clustering, Comparison, Contribution, Pair, Ruling, Veto } from './comparison.ts';
import type { Features } from './features.ts';

/** What one version of the rules makes of features. */
export interface Matcher {
  readonly version: string;
  /** Bits from which a pair is a person's to decide, and from which it is linked. */
  readonly thresholds: { readonly review: number; readonly link: number };
  keys(features: Features): readonly string[];
  compare(a: Features, b: Features): Comparison;
  cluster(recordIds: readonly string[], pairs: readonly Pair[], rulings: readonly Ruling[]): Clustering;
}

export interface Matching {
  features(view: PatientView): Features;
  /** Under stored rules; null: those that the hub comes with. Throws where they are no rules: that is a bug. */
  under(rules: object | null): Matcher;
}

const blank = (view: PatientView): Features => ({
  recordId: view.recordId,
  issuer: view.authority,
  residentId: view.residentId,
  brokenResidentId: null,
  identifiers: [],
  names: view.names.map((name) => ({
    ideographic: name.text.normalize('NFKC').replace(/[\s·]/gu, ''),
    latin: [],
    readings: [],
    childOf: null,
    damaged: false,
  })),
  birthDate: view.birthDate,
  sex: view.sex,
  phones: view.phone === null ? [] : [view.phone],
  address: null,
  locality: null,
  postalCode: null,
});

function compare(a: Features, b: Features, version: string, thresholds: Matcher['thresholds']): Comparison {
  const contributions: Contribution[] = [];
  const add = (attribute: Contribution['attribute'], x: string | null, y: string | null, agree: number): void => {
    if (x === null || y === null) return;
    contributions.push({ attribute, level: x === y ? 'equal' : 'different', weight: x === y ? agree : -agree / 2 });
  };
  add('residentId', a.residentId, b.residentId, 25);
  add('name', a.names[0]?.ideographic ?? null, b.names[0]?.ideographic ?? null, 8);
  add('birthDate', a.birthDate, b.birthDate, 8);
  add('sex', a.sex, b.sex, 1);
  add('phone', a.phones[0] ?? null, b.phones[0] ?? null, 6);
  const differs = (attribute: string): boolean =>
    contributions.some((one) => one.attribute === attribute && one.level === 'different');
  const veto: Veto | null = differs('residentId')
    ? 'resident-id-conflict'
    : a.residentId === null || a.residentId !== b.residentId
      ? null
      : differs('name')
        ? 'name-contradicts'
        : differs('sex')
          ? 'sex-contradicts'
          : differs('birthDate')
            ? 'birth-date-contradicts'
            : null;
  const weight = contributions.reduce((sum, one) => sum + one.weight, -2);
  const reached = weight >= thresholds.link ? 'link' : weight >= thresholds.review ? 'review' : 'none';
  return {
    weight,
    outcome: veto !== null && reached === 'link' ? 'review' : reached,
    contributions,
    veto,
    rules: version,
  };
}

function cluster(recordIds: readonly string[], pairs: readonly Pair[], rulings: readonly Ruling[]): Clustering {
  const group = new Map(recordIds.map((id) => [id, new Set([id])]));
  const apart = [
    ...rulings.filter((one) => one.decision === 'not-same'),
    ...pairs.filter((one) => one.comparison.veto !== null),
  ];
  const unite = (a: string, b: string, ruled: boolean): void => {
    const [x, y] = [group.get(a), group.get(b)];
    if (x === undefined || y === undefined || x === y) return;
    const barred = apart.some(
      (one) => (!ruled || 'decision' in one) && ((x.has(one.a) && y.has(one.b)) || (x.has(one.b) && y.has(one.a))),
    );
    if (barred) return;
    for (const id of y) group.set(id, x.add(id));
  };
  const order = (a: { a: string; b: string }, b: { a: string; b: string }): number => (a.a + a.b < b.a + b.b ? -1 : 1);
  for (const one of rulings.filter((r) => r.decision === 'same').sort(order)) unite(one.a, one.b, true);
  const links = pairs.filter((one) => one.comparison.outcome === 'link');
  for (const one of links.sort((a, b) => b.comparison.weight - a.comparison.weight || order(a, b)))
    unite(one.a, one.b, false);
  return { groups: [...new Set(group.values())].map((ids) => [...ids].sort()), doubts: [] };
}

export function createMatching(): Matching {
  return {
    features: blank,
    under(rules) {
      const {
        version = 'default',
        review = 10,
        link = 16,
      } = (rules ?? {}) as {
        version?: string;
        review?: number;
        link?: number;
      };
      const thresholds = { review, link };
      return {
        version,
        thresholds,
        keys: (features) => [
          ...(features.residentId === null ? [] : [`id|${features.residentId}`]),
          ...features.names.map((name) => `nb|${name.ideographic ?? ''}|${(features.birthDate ?? '').slice(0, 4)}`),
          ...features.phones.map((phone) => `p|${phone}`),
        ],
        compare: (a, b) => compare(a, b, version, thresholds),
        cluster,
      };
    },
  };
}
