/**
 * Given names by sex and era: one character or two, a few names that thousands share (秀英, 建国, 伟, 梓涵) and a long
 * tail put together of the era's favourite characters. That the popular names change by decade and that single
 * characters were the fashion of the 1970s to the 1990s is public knowledge (yearly name reports of the Ministry of
 * Public Security); the weights are this file's assumptions.
 */
import { pick, skewed } from '../random.ts';
import type { Random } from '../random.ts';

interface Fashion {
  /** Share of names of one character. */
  readonly single: number;
  /** Share of two-character names that come off the list of common ones. */
  readonly common: number;
  readonly singles: readonly string[];
  readonly names: readonly string[];
  readonly first: readonly string[];
  readonly second: readonly string[];
}

const words = (text: string): readonly string[] => text.split(' ');
const signs = (text: string): readonly string[] => Array.from(text);

function fashion(single: number, common: number, lists: readonly [string, string, string, string]): Fashion {
  const [singles, names, first, second] = lists;
  return { single, common, singles: signs(singles), names: words(names), first: signs(first), second: signs(second) };
}

/** Most frequent first: they are drawn with a falling weight. */
const MEN: readonly (readonly [number, Fashion])[] = [
  [
    1959,
    fashion(0.12, 0.3, [
      '明军平华刚林勇斌祥海山福贵义顺林元成根',
      '建国 国华 德明 志明 建华 玉林 国强 永福 金生 德华 文明 志强 国栋 长江 福生 根生 水生 玉山 大明 树林',
      '国建德志玉文永金福长明海忠正世家振洪学光春树庆宝荣少有兴万天',
      '明华国林生强祥山福德海清成贵荣发忠元良义军民平才根安全富庆权',
    ]),
  ],
  [
    1979,
    fashion(0.28, 0.3, [
      '军勇伟平斌刚涛辉明强华波杰峰林海建飞东文俊鹏鑫宏志',
      '建军 建华 志强 建国 建平 志刚 国强 文军 卫东 红军 爱国 晓东 建伟 志勇 小明 永强 海涛 卫国 建明 永军 国庆 学军',
      '建志国文晓海永卫红小玉春学立新光永德正世少庆爱树云金向宏',
      '军强华平伟明勇峰东刚波林生辉涛国斌民海杰文兵良成祥清忠龙',
    ]),
  ],
  [
    1999,
    fashion(0.36, 0.2, [
      '伟磊杰鹏涛超强浩鑫波俊飞凯斌亮宇帅龙旭阳健峰博坤洋翔勇宁诚楠昊',
      '志强 俊杰 志伟 建伟 文杰 海涛 小龙 志鹏 晓龙 俊峰 明辉 文博 嘉伟 家豪 鹏飞 天宇 文涛 少华 永强 志豪',
      '志文俊晓海小明家嘉建永鹏天子少国伟振思世成佳华浩泽金立',
      '伟杰强龙辉峰涛鹏飞华明军东斌豪宇波超林鑫文博浩平凯勇亮阳',
    ]),
  ],
  [
    2100,
    fashion(0.11, 0.22, [
      '睿轩浩宇涵博晨泽毅恒铭瑞辰安翔宸昊霖桐煜',
      '浩宇 子轩 浩然 宇轩 子涵 梓轩 宇航 浩轩 子豪 俊熙 沐宸 奕辰 宇泽 一诺 奕泽 俊宇 梓豪 博文 雨泽 皓轩 铭泽 佳豪 子墨 梓睿',
      '子浩宇梓俊奕沐泽一博佳嘉思雨铭明皓天文景睿宸昊晨书承',
      '轩宇涵泽辰豪然宸睿航熙博阳霖文瑞晨铭哲诺墨恒洋翔昊安桐',
    ]),
  ],
];

const WOMEN: readonly (readonly [number, Fashion])[] = [
  [
    1959,
    fashion(0.08, 0.4, [
      '英兰珍芳梅玲琴霞萍云',
      '秀英 桂英 秀兰 玉兰 桂兰 秀珍 凤英 玉珍 玉英 兰英 淑珍 桂芳 秀芳 素珍 淑英 玉梅 桂珍 美英 春兰 素英 凤兰 金凤',
      '秀玉桂淑凤素美春金惠兰翠爱月菊文瑞彩银雪梅冬巧荷',
      '英兰珍芳梅华荣花琴玲香莲霞云芝凤娥珠清贞菊秀仙妹',
    ]),
  ],
  [
    1979,
    fashion(0.28, 0.3, [
      '敏静丽艳红霞燕芳娟玲萍英梅琴丹莉云洁慧华平琼莹',
      '丽华 秀英 红梅 小红 丽娟 海燕 桂英 春梅 晓燕 秀兰 玉兰 美玲 丽萍 建华 小燕 红霞 雪梅 春燕 凤英 亚萍 爱华 秀芳',
      '丽红小秀晓春海玉雪美亚建爱凤艳文金桂淑冬月翠彩新慧佳',
      '华梅英燕萍芳霞玲红娟丽琴兰云珍艳敏香凤莲平洁荣花',
    ]),
  ],
  [
    1999,
    fashion(0.34, 0.2, [
      '静婷娜敏丹丽雪倩莉燕娟芳艳颖洁琳慧玲莹佳蕾霞瑶媛婧晶璐薇',
      '婷婷 晓燕 丽娜 雅婷 欣怡 丹丹 佳佳 思思 晓丽 莎莎 海燕 梦婷 文静 雪梅 思琪 佳怡 晓雪 静怡 玉婷 媛媛 露露 雨婷',
      '晓丽雪佳思雅梦文玉海小静欣美慧雨艳红嘉婷春莉诗若',
      '婷娜燕琳丽怡娟玲静芳倩颖雪萍敏梅洁莹霞琪红艳瑶慧妮云',
    ]),
  ],
  [
    2100,
    fashion(0.09, 0.24, [
      '瑶萱琪欣妍婷诺悦涵彤雯晗雅玥瑾昕',
      '梓涵 欣怡 诗涵 子涵 梓萱 一诺 雨涵 欣妍 可欣 语桐 思涵 若汐 依诺 欣悦 雨桐 佳怡 梦瑶 雅琪 艺涵 紫涵 诗琪 语汐 沐瑶 可馨',
      '梓欣诗雨子思梦雅佳可语若艺一依嘉紫沐静芷筱书晨清婉',
      '涵怡萱妍琪瑶桐欣彤悦诺馨汐雯婷雅玥晗熙昕妤慧然蕊',
    ]),
  ],
];

export type Sex = 'M' | 'F';

const fashionOf = (sex: Sex, year: number): Fashion => {
  const list = sex === 'M' ? MEN : WOMEN;
  const found = list.find(([until]) => year <= until) ?? list.at(-1);
  if (!found) throw new Error('no fashion of names');
  return found[1];
};

/** `generation`: the character that siblings share as the first of two, where the family keeps to that. */
export function givenName(random: Random, sex: Sex, year: number, generation: string | null = null): string {
  const { single, common, singles, names, first, second } = fashionOf(sex, year);
  if (generation !== null) return generation + skewed(random, second);
  if (random() < single) return skewed(random, singles);
  if (random() < common) return skewed(random, names);
  const head = skewed(random, first);
  return head + (random() < 0.04 ? head : skewed(random, second));
}

/** The first of two characters, as the brothers and sisters of that year may share it. */
export const generationSign = (random: Random, sex: Sex, year: number): string =>
  pick(random, fashionOf(sex, year).first);

/** Every character that may be drawn, for the tests that ask whether each has a reading. */
export const GIVEN_SIGNS: readonly string[] = [
  ...new Set(
    [...MEN, ...WOMEN].flatMap(([, of]) => [
      ...of.singles,
      ...of.names.flatMap((name) => Array.from(name)),
      ...of.first,
      ...of.second,
    ]),
  ),
];
