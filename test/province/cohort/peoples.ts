/**
 * Names that are not Han names: of peoples who join given name and father's name by a dot, of those who write without
 * one, of foreigners; the several spellings of one name as clerks transliterate it; the several dots.
 */
import { pick, skewed } from '../random.ts';
import type { Random } from '../random.ts';
import type { Sex } from './given-names.ts';

export type People = 'han' | 'uyghur' | 'kazakh' | 'tibetan' | 'mongol' | 'yi' | 'zhuang' | 'she';

/** Where the numbers of a people are mostly given, as first two digits. */
export const HOMELANDS: Readonly<Record<Exclude<People, 'han'>, readonly string[]>> = {
  uyghur: ['65'],
  kazakh: ['65'],
  tibetan: ['54', '63', '51'],
  mongol: ['15'],
  yi: ['51', '53'],
  zhuang: ['45', '53'],
  she: [],
};

const words = (text: string): readonly string[] => text.split(' ');

const UYGHUR = {
  M: words(
    '买买提 艾合买提 阿卜杜拉 吐尔逊 艾力 玉苏普 卡德尔 木合塔尔 阿迪力 依明 库尔班 热合曼 艾尼瓦尔 麦麦提江 伊力哈木',
  ),
  F: words('阿依古丽 古丽娜尔 帕提古丽 热依汗 阿依努尔 米热古丽 阿米娜 祖丽胡玛尔 玛依拉 努尔比亚 古丽仙 热孜万古丽'),
};
const KAZAKH = {
  M: words('努尔兰 叶尔兰 巴合提 加尔肯 别克 胡安德克 赛力克 阿德力别克'),
  F: words('古丽娜 阿依江 叶尔克 萨吾列 努尔古丽 巴哈尔古丽'),
};
const TIBETAN = {
  M: words('扎西 次仁 多吉 旦增 洛桑 格桑 平措 索朗 尼玛 达瓦 扎西次仁 旦增平措 洛桑次仁 多吉次旦 格桑尼玛'),
  F: words('卓玛 央金 拉姆 白玛 德吉 次仁卓玛 扎西卓玛 白玛央金 达瓦卓玛 格桑拉姆 仓决 曲珍 旦增曲珍'),
};
const MONGOL = {
  M: words('巴特尔 巴图 那顺 宝音 苏和 额尔敦 朝鲁 哈斯巴特尔 青格勒 乌力吉 布和 孟和'),
  F: words('其其格 乌日娜 萨仁 娜仁高娃 斯琴 乌云 萨日娜 高娃 托娅 阿拉坦其其格 乌兰 哈斯其木格'),
};
const YI = {
  families: words('吉克 阿苦 沙马 曲比 阿尔 吉木 马海 阿的'),
  M: words('木呷 拉且 尔布 伍合 阿力 木果 曲布'),
  F: words('阿呷 伍呷 尔扎 阿果 子洛 曲莫 阿依'),
};
const ZHUANG = words('韦 覃 黄 农 陆 蒙 蓝 莫 罗 梁');
const SHE = words('蓝 雷 钟');

const FOREIGN = {
  families: words(
    'SMITH JOHNSON KIM LEE PARK TANAKA SATO MUELLER GARCIA NGUYEN IVANOV KUMAR AHMED MARTIN ROSSI JOHANSSON',
  ),
  M: words('JOHN MICHAEL DAVID MINHO KENJI HANS CARLOS VAN SERGEI RAHUL OMAR PIERRE MARCO ERIK'),
  F: words('MARY ANNA SARAH JIWOO YUKO PETRA MARIA LINH OLGA PRIYA FATIMA CLAIRE GIULIA INGRID'),
};

/** How one name is transliterated by different hands. */
const SPELLINGS: readonly (readonly [string, string])[] = [
  ['买买提', '麦麦提'],
  ['艾合买提', '艾海提'],
  ['阿卜杜', '阿布都'],
  ['吐尔逊', '图尔荪'],
  ['玉苏普', '玉素甫'],
  ['热合曼', '热合满'],
  ['努尔', '奴尔'],
  ['古丽', '古力'],
  ['旦增', '丹增'],
  ['次仁', '才仁'],
  ['卓玛', '卓嘎玛'],
  ['其其格', '琪琪格'],
  ['巴特尔', '巴特'],
  ['乌日娜', '乌仁娜'],
];

/** The dots that stand for U+00B7, and what is written by those who have none. */
export const DOTS: readonly string[] = ['•', '‧', '・', '．', '.', ' ', ''];

/** A surname to be followed by a given name as with Han names; null: the people has no such names. */
export function surnameOf(random: Random, people: People): string | null {
  if (people === 'zhuang') return skewed(random, ZHUANG);
  return people === 'she' ? skewed(random, SHE) : null;
}

/** The whole name of a person whose people has names of its own. */
export function ownName(random: Random, people: People, sex: Sex): string {
  if (people === 'uyghur') return `${skewed(random, UYGHUR[sex])}·${skewed(random, UYGHUR.M)}`;
  if (people === 'kazakh') return `${skewed(random, KAZAKH[sex])}·${skewed(random, KAZAKH.M)}`;
  if (people === 'tibetan') return skewed(random, TIBETAN[sex]);
  if (people === 'yi') return `${skewed(random, YI.families)}·${skewed(random, YI[sex])}`;
  return random() < 0.2 ? `${skewed(random, MONGOL.M)}·${skewed(random, MONGOL[sex])}` : skewed(random, MONGOL[sex]);
}

/** Family and given name in Latin letters. */
export const foreignName = (random: Random, sex: Sex): readonly [string, string] => [
  pick(random, FOREIGN.families),
  pick(random, FOREIGN[sex]),
];

/** The name by another hand, or null where there is no other spelling. */
export function respelled(name: string): string | null {
  const found = SPELLINGS.find(([usual]) => name.includes(usual));
  return found === undefined ? null : name.replace(found[0], found[1]);
}
