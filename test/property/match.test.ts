/** The law of the matcher: symmetric, a function of the set, and never against what a person ruled. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { blockingKeys } from '../../hub/core/match/blocking.ts';
import { cluster } from '../../hub/core/match/cluster.ts';
import { compare } from '../../hub/core/match/compare.ts';
import type { Comparison, Pair, Ruling } from '../../hub/core/match/comparison.ts';
import { featuresOfWritten, type Written } from '../../hub/core/match/registration.ts';
import { DEFAULT_RULES } from '../../hub/core/match/rules.ts';
import { romanise } from '../../mappings/romanise.ts';

const some = <const T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);

const NAMES = [
  '张晓明',
  '張曉明',
  '张小明',
  '张明',
  '王芳',
  '单雄信',
  'Zhang Xiaoming',
  '张?明',
  '张晓明之子',
  '张晓明之子2',
];

const written: fc.Arbitrary<Written> = fc.record({
  recordId: some('r1', 'r2', 'r3'),
  issuer: some('', 'h1', 'h2'),
  names: fc.array(
    fc.oneof(
      some(...NAMES).map((text) => ({ text })),
      fc.record({ text: some('anna maria lee', 'ann lee'), family: some('lee', 'anna'), given: some('anna', 'lee') }),
      fc.string({ unit: 'grapheme', maxLength: 12 }).map((text) => ({ text })),
    ),
    { maxLength: 3 },
  ),
  birthDate: fc.option(fc.oneof(some('1980-03-15', '1980-15-03', '1980', '1900-01-01', '2020-01-02'), fc.string())),
  sex: fc.option(some('male', 'female', 'other', 'unknown')),
  residentId: fc.option(fc.oneof(some('210102198003151239', '21010219800315123', '11010519491231002X'), fc.string())),
  identifiers: fc.array(fc.record({ type: some('PPN', 'SS', 'MR'), authority: some('A', 'B'), value: fc.string() }), {
    maxLength: 3,
  }),
  phones: fc.array(fc.oneof(some('13812345678', '+86 138 1234 5678', '13812345687'), fc.string()), { maxLength: 2 }),
  address: fc.option(fc.oneof(some('杭州市西湖区文三路1号', '文三路1号', '6 tullaroop street'), fc.string())),
  locality: fc.option(some('西湖区', 'WILLAROO')),
  postalCode: fc.option(some('310012', '310021')),
});

const features = written.map((one) => featuresOfWritten(one, romanise));

test('a comparison is the same both ways', () => {
  fc.assert(
    fc.property(features, features, (a, b) => {
      const sorted = (one: Comparison): unknown => ({
        ...one,
        contributions: [...one.contributions].sort((x, y) => (x.attribute + x.level < y.attribute + y.level ? -1 : 1)),
      });
      assert.deepEqual(sorted(compare(a, b, DEFAULT_RULES)), sorted(compare(b, a, DEFAULT_RULES)));
    }),
  );
});

test('the weight is the sum of the prior and of what each attribute gave', () => {
  fc.assert(
    fc.property(features, features, (a, b) => {
      const { weight, contributions } = compare(a, b, DEFAULT_RULES);
      const sum = contributions.reduce((total, one) => total + one.weight, DEFAULT_RULES.prior);
      assert.ok(Math.abs(sum - weight) < 1e-6);
    }),
  );
});

test('a registration has few keys, the same each time, whatever was written', () => {
  fc.assert(
    fc.property(features, (one) => {
      const keys = blockingKeys(one);
      assert.ok(keys.length <= 24 && new Set(keys).size === keys.length);
      assert.deepEqual(blockingKeys(one), keys);
    }),
  );
});

const IDS = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
const ends = fc
  .tuple(some(...IDS), some(...IDS))
  .filter(([a, b]) => a !== b)
  .map(([a, b]) => (a < b ? { a, b } : { a: b, b: a }));
const judgement = fc.record({
  weight: fc.integer({ min: -5, max: 40 }),
  outcome: some('link', 'review', 'none'),
  veto: some(null, null, null, 'resident-id-conflict'),
});
const byEnds = { selector: ({ a, b }: { a: string; b: string }) => `${a}${b}` };
const pairs: fc.Arbitrary<Pair[]> = fc.uniqueArray(
  fc.tuple(ends, judgement).map(([at, { weight, outcome, veto }]) => ({
    ...at,
    comparison: {
      weight,
      outcome: veto === null || outcome === 'none' ? outcome : 'review',
      contributions: [],
      veto,
      rules: 'r',
    } as const,
  })),
  { maxLength: 21, ...byEnds },
);
const rulings: fc.Arbitrary<Ruling[]> = fc.uniqueArray(
  fc.tuple(ends, some('same', 'not-same')).map(([at, decision]) => ({ ...at, decision })),
  { maxLength: 4, ...byEnds },
);

test('the order of arrival does not matter', () => {
  fc.assert(
    fc.property(pairs, rulings, fc.integer(), (all, ruled, seed) => {
      const turn = <T>(list: readonly T[]): T[] =>
        list
          .map((value, at) => [Math.imul(at + 1, seed | 1) >>> 0, value] as const)
          .sort(([x], [y]) => x - y)
          .map(([, value]) => value);
      assert.deepEqual(cluster(turn(IDS), turn(all), turn(ruled)), cluster(IDS, all, ruled));
    }),
  );
});

test('nobody is lost, and nothing is put together that a person or a hard rule holds apart', () => {
  fc.assert(
    fc.property(pairs, rulings, (all, ruled) => {
      const { groups, doubts } = cluster(IDS, all, ruled);
      assert.deepEqual(groups.flat().sort(), IDS);
      const together = ({ a, b }: { a: string; b: string }): boolean =>
        groups.some((group) => group.includes(a) && group.includes(b));
      for (const ruling of ruled) if (ruling.decision === 'not-same') assert.ok(!together(ruling));
      for (const doubt of doubts) assert.ok(!together(doubt));
      if (ruled.every(({ decision }) => decision === 'not-same'))
        for (const pair of all) if (pair.comparison.veto !== null) assert.ok(!together(pair));
    }),
  );
});
