/**
 * The rules that judge: how often each level is seen among registrations of one person (m) and of two (u), how often a
 * name is borne, the prior and the thresholds. Data, so that they can be stored, compared, explained and learned anew.
 */
import type { Attribute } from './comparison.ts';
import type { LEVELS } from './levels.ts';

export interface LevelOdds {
  /** Share of this level among pairs of one person that both have the attribute. */
  readonly m: number;
  /** Share among pairs of two persons drawn at random. */
  readonly u: number;
}

export type Odds = Readonly<Record<Attribute, Readonly<Record<string, LevelOdds>>>>;

/** How often a value is borne: two who share a rare one are the likelier one person. */
export interface Frequencies {
  readonly values: Readonly<Record<string, number>>;
  /** Of a value that is not listed. */
  readonly rare: number;
  /** How likely two drawn at random have one value; absent: not counted. */
  readonly twice?: number;
}

/** What is counted beside the values of the attributes: readings of names, and given names by decade of birth and sex. */
export type Counted = Attribute | 'reading' | 'fashion';

export interface MatchRules {
  /** Names this very content: decisions keep it. */
  readonly version: string;
  /** Log-odds (bits) that two registrations drawn at random are one person. */
  readonly prior: number;
  /** Bits; `link` and above links, `review` and above waits for a person. */
  readonly thresholds: { readonly link: number; readonly review: number };
  readonly odds: Odds;
  readonly frequencies: Readonly<Partial<Record<Counted, Frequencies>>>;
  /**
   * Bits that phone, address, locality and postal code add together at most: a household shares them, so that they are
   * no independent witnesses.
   */
  readonly householdCap: number;
}

type Shares = {
  readonly [A in keyof typeof LEVELS]: Readonly<Record<(typeof LEVELS)[A][number], readonly [number, number]>>;
};

/** Shares [m, u] estimated for Chinese registrations; a province replaces them by those learned from its own. */
const SHARES: Shares = {
  residentId: { equal: [0.97, 1e-7], slip: [0.025, 1e-6], unlike: [5e-4, 0.01], different: [0.005, 0.99] },
  identifier: { equal: [0.95, 1e-6], transposed: [0.01, 1e-5], 'one-edit': [0.03, 5e-5], different: [0.01, 1] },
  name: {
    equal: [0.92, 4e-5],
    damaged: [0.01, 2e-5],
    homophone: [0.02, 8e-5],
    reading: [0.02, 8e-5],
    reordered: [0.004, 1e-4],
    'one-character': [0.008, 3e-3],
    dropped: [0.003, 1e-3],
    part: [0.002, 2e-4],
    initials: [0.003, 8e-4],
    close: [0.004, 1e-3],
    given: [0.002, 5e-4],
    similar: [0.002, 5e-3],
    family: [0.002, 0.03],
    different: [0.004, 0.96],
  },
  familyName: {
    equal: [0.9, 0.002],
    swapped: [0.03, 1e-4],
    close: [0.04, 0.002],
    initials: [0.01, 0.03],
    similar: [0.01, 0.005],
    different: [0.02, 0.96],
  },
  givenName: {
    equal: [0.88, 0.005],
    swapped: [0.03, 1e-4],
    close: [0.05, 0.003],
    initials: [0.02, 0.04],
    similar: [0.01, 0.006],
    different: [0.02, 0.95],
  },
  birthDate: {
    equal: [0.93, 5e-5],
    slip: [0.03, 1e-3],
    lunar: [0.005, 5e-5],
    'day-month-swapped': [0.01, 3e-5],
    placeholder: [0.01, 4e-4],
    'month-known': [0.002, 3e-6],
    'year-known': [0.002, 3e-5],
    'year-off': [0.005, 5e-4],
    month: [0.004, 2e-3],
    year: [0.004, 0.012],
    different: [0.005, 0.985],
  },
  sex: { equal: [0.995, 0.5], different: [0.005, 0.5] },
  phone: { equal: [0.7, 1e-6], slip: [0.02, 1e-5], different: [0.28, 1] },
  address: { equal: [0.6, 1e-5], close: [0.15, 1e-3], similar: [0.1, 0.02], different: [0.15, 0.98] },
  locality: { equal: [0.85, 0.02], close: [0.05, 0.01], different: [0.1, 0.97] },
  postalCode: { equal: [0.85, 0.01], slip: [0.05, 0.02], different: [0.1, 0.97] },
};

export const oddsOf = (shares: Readonly<Record<string, Readonly<Record<string, readonly [number, number]>>>>): Odds =>
  Object.fromEntries(
    Object.entries(shares).map(([attribute, levels]) => [
      attribute,
      Object.fromEntries(Object.entries(levels).map(([level, [m, u]]) => [level, { m, u }])),
    ]),
  ) as Odds;

/** The most borne surnames of the mainland with their shares (police statistics as published, rounded). */
const SURNAMES =
  '王7.2 李7.2 张6.8 刘5.4 陈4.6 杨3.1 黄2.5 赵2.1 吴2.1 周1.9 徐1.5 孙1.4 马1.3 朱1.3 胡1.2 郭1.2 何1.2 林1.1 高1.0 罗1.0 ' +
  '郑.9 梁.9 谢.8 宋.7 唐.7 许.7 邓.6 韩.6 冯.6 曹.6 彭.6 曾.6 萧.6 田.5 董.5 潘.5 袁.5 蔡.5 蒋.5 余.5 于.5 杜.5 叶.5 程.5 魏.4 ' +
  '苏.4 吕.4 丁.4 任.4 卢.4 姚.4 沈.4 钟.4 姜.4 崔.4 谭.4 陆.4 范.3 汪.3 廖.3 石.3 金.3 韦.3 贾.3 夏.3 付.3 方.3 邹.3 熊.3 白.3 孟.3 秦.3 邱.3 侯.3 江.3 尹.3 薛.3';

const surnames = Object.fromEntries(
  SURNAMES.split(' ').map((entry) => [entry.charAt(0), Number(entry.slice(1)) / 100]),
);

/**
 * Stated, not learned: the shares are estimates, and 10 and 3 bits were set by hand, so that no constant of learn.ts moves
 * them. Of 100,000 registrations of the cohort (seed 11) these weights themselves expect 1.0 link in 100,000 to be wrong,
 * half of what learned thresholds allow (WRONG_LINKS); 5 of 36,329 were, 4 by a borrowed card. 1.14 % of the registrations
 * are asked about, where rules learned from them ask about 0.44 %: who has no data of its own yet rather asks.
 */
export const DEFAULT_RULES: MatchRules = {
  version: 'default-3',
  prior: -20,
  thresholds: { link: 10, review: 3 },
  odds: oddsOf(SHARES),
  frequencies: {
    familyName: { values: surnames, rare: 0.0005 },
    givenName: { values: {}, rare: 0.001 },
  },
  householdCap: 12,
};
