/**
 * Written names made comparable (CODES.md §7): compatibility forms, variant characters, blanks and middle dots fold
 * together; names that say "nobody knows" are none; the mother's name with a relation is told from a name of one's own.
 */
import type { NameFeature } from './features.ts';

/**
 * Toneless readings of an ideographic name, syllables apart, upper case (`ZENG XIAO MING`): surname readings first,
 * heteronyms after, bounded. Given by the caller: core knows no dictionary.
 */
export type Romanise = (ideographic: string) => readonly string[];

const READINGS = 8;
const LONGEST_NAME = 64;
const HAN = /\p{Script=Han}/u;
const DOTS = /[\s^,，·•‧・．.\-_'’`/]+/gu;
/** Replaced or private-use characters, and what masks hide: each may be any character. */
const UNKNOWN = /[?*\uFFFD\uE000-\uF8FF○×〇]/gu;

/** Traditional and variant forms (异体) met in names, each before the form it folds to. Only names' own characters. */
const VARIANTS =
  '張张劉刘陳陈楊杨黃黄趙赵吳吴孫孙馬马羅罗鄭郑謝谢許许鄧邓馮冯蕭萧肖萧葉叶蘇苏呂吕盧卢賈贾鐘钟鍾钟譚谭陸陆範范韓韩湯汤龍龙萬万錢钱嚴严頼赖賴赖賀贺顧顾龔龚邊边喬乔溫温聶聂莊庄齊齐閻阎闫阎歐欧陽阳單单華华' +
  '麗丽靜静蘭兰鳳凤貴贵國国偉伟強强彊强軍军傑杰慶庆學学興兴榮荣東东曉晓燦灿輝辉煒炜穎颖瓊琼瑩莹雲云豔艳艷艳潔洁愛爱寶宝寳宝賓宾長长達达峯峰鋒锋鋼钢綱纲廣广漢汉鴻鸿懷怀歡欢煥焕機机績绩堅坚劍剑嬌娇錦锦勁劲' +
  '進进經经競竞凱凯開开樂乐禮礼連连蓮莲練练鄰邻隣邻靈灵綠绿倫伦邁迈滿满夢梦綿绵銘铭鳴鸣寧宁甯宁農农鵬鹏權权讓让銳锐潤润賽赛紹绍聲声聖圣勝胜時时實实書书樹树順顺碩硕絲丝頌颂歲岁濤涛騰腾鐵铁統统維维衛卫為为' +
  '爲为聞闻賢贤顯显獻献憲宪嘯啸協协緒绪選选勳勋勛勋巖岩嵒岩業业義义藝艺儀仪億亿憶忆異异陰阴銀银應应鷹鹰優优園园圓圆遠远願愿悅悦躍跃澤泽鎮镇爭争楨桢禎祯貞贞誌志眾众衆众準准資资縱纵昇升陞升曄晔燁烨皚皑頴颖' +
  '淵渊濱滨滙汇匯汇瀟潇韻韵韋韦魯鲁龐庞闞阚鄒邹鄔邬鄺邝郟郏欽钦銓铨鈞钧婭娅嫻娴嫺娴媽妈孌娈嬋婵姍姗絢绚紅红純纯紀纪綺绮緯纬緹缇縝缜繼继纓缨淩凌塗涂祕秘羣群産产衹只竝并並并';
const FOLD = new Map<string, string>();
for (let at = 0; at + 1 < VARIANTS.length; at += 2) FOLD.set(VARIANTS.charAt(at), VARIANTS.charAt(at + 1));

const NOBODY =
  /^(无名(氏|男|女|尸|者)?|無名氏|佚名|未知(姓名)?|不详|不明|待查|三无(人员|病人)?|路人[甲乙丙]?|急诊(病人|患者|无名)?|急救|抢救|绿色通道|测试(病人|患者|用户)?|病人|患者|新生儿|婴儿|空|无)[\d一二三四五六七八九十甲乙丙A-Z号]*$/u;
const NOBODY_LATIN =
  /^(UNKNOWN|UNK|NN|NO ?NAME|JOHN DOE|JANE DOE|TEST( PATIENT)?|ANONYMOUS|PATIENT|BABY|EMERGENCY)( ?\d+)?$/u;
const CHILD_OF =
  /^(.{2,}?)(?:之|的)?(长|次|大|小|幼|双|孪生|老大|老二)?(之?子|之?女|之婴|之?男婴|之?女婴|婴儿|毛毛|BB|BABY)([一二三四\dAB甲乙]*)$/u;

/** Folds one ideographic text; unknown characters become `?`. */
function fold(text: string): string {
  let folded = '';
  for (const char of text.replace(DOTS, '').replace(UNKNOWN, '?')) folded += FOLD.get(char) ?? char;
  return folded;
}

/** The name of one's own, the mother's with a relation, or null where the text names nobody. */
export function nameFeature(
  written: { readonly text: string; readonly family?: string; readonly given?: string },
  romanise: Romanise,
): NameFeature | null {
  const text = plain(written.text);
  if (text === '' || NOBODY.test(text.replace(/\s/gu, '')) || NOBODY_LATIN.test(text)) return null;
  if (!HAN.test(text)) return latinName(text, written);
  const whole = fold(text);
  const relation = CHILD_OF.exec(whole);
  const childOf = relation === null || !/[之婴毛B]/u.test(whole.slice(1)) ? null : relationOf(relation[3] ?? '');
  const ideographic = childOf === null ? whole : (relation?.[1] ?? whole);
  if (!HAN.test(ideographic)) return null;
  const damaged = ideographic.includes('?');
  const readings = damaged ? [] : romanise(ideographic).slice(0, READINGS);
  const ordinal = childOf === null ? null : ordinalOf(`${relation?.[2] ?? ''}${relation?.[4] ?? ''}`);
  return { ideographic, latin: [], family: null, given: null, readings, childOf, ordinal, damaged };
}

function relationOf(word: string): 'son' | 'daughter' | 'child' {
  if (word.includes('女')) return 'daughter';
  return word.includes('子') || word.includes('男') ? 'son' : 'child';
}

/** 大, 长, 甲, A, 一 and 1 all say the first. */
function ordinalOf(text: string): string | null {
  if (/[1一A甲大长]/u.test(text)) return '1';
  if (/[2二B乙小次]/u.test(text)) return '2';
  const other = text.replace(/[幼双孪生]/gu, '');
  return other === '' ? null : other;
}

/** What counters append to names and is none of it: sex, who pays, where from. */
const APPENDED =
  /\s*[([](男|女|F|M|男性|女性|新|本院|外院|自费|公费|医保|居民|职工|农合|新农合|急诊|门诊|住院|初诊|复诊)[)\]]$/u;

/** NFKC, upper case, no control characters, nothing appended. */
function plain(text: string): string {
  return text
    .slice(0, LONGEST_NAME)
    .normalize('NFKC')
    .toUpperCase()
    .replace(/[\p{Cc}\u200B-\u200F\uFEFF]/gu, '')
    .trim()
    .replace(APPENDED, '');
}

/** ü is written V, U or YU: LÜ, LV and LYU are one (CODES.md §7). */
const latin = (text: string): string =>
  text
    .replace(/[ÜǕǗǙǛ]/gu, 'V')
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .replace(/\b([LN])(YU|V)\b/gu, '$1U')
    .replace(/['’`.]/gu, '');

function latinName(text: string, written: { readonly family?: string; readonly given?: string }): NameFeature | null {
  const words = latin(text)
    .split(/[\s^,=\-_·•/]+/u)
    .filter((word) => /[\p{L}\d]/u.test(word))
    .slice(0, 8);
  if (words.length === 0) return null;
  const part = (value: string | undefined): string | null => {
    const folded = latin(plain(value ?? '')).replace(/[\s\-_]+/gu, '');
    return folded === '' ? null : folded;
  };
  const damaged = /[?\uFFFD\uE000-\uF8FF]/u.test(text);
  const parts = { family: part(written.family), given: part(written.given) };
  return { ideographic: null, latin: words, ...parts, readings: [], childOf: null, ordinal: null, damaged };
}

const COMPOUND = new Set(
  '欧阳 司马 诸葛 上官 夏侯 皇甫 尉迟 公孙 慕容 令狐 宇文 长孙 司徒 司空 东方 独孤 南宫 端木 百里 呼延 申屠 太史 轩辕 东郭 濮阳 淳于 单于 公冶 澹台 宗政 万俟 闻人 赫连 拓跋'.split(
    ' ',
  ),
);

/** Surname and given name of a folded ideographic name; names of minorities, five characters and more, have no surname. */
export function splitIdeographic(name: string): readonly [family: string, given: string] {
  if (name.length >= 5) return ['', name];
  const family = name.length > 2 && COMPOUND.has(name.slice(0, 2)) ? name.slice(0, 2) : name.slice(0, 1);
  return [family, name.slice(family.length)];
}
