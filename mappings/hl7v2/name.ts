/**
 * Person names of XPN, XCN and CNN as Chinese senders fill them: the whole name in component 1, family and given apart,
 * pinyin in a second repetition, middle dots in five shapes, blanks of two widths.
 */
import type { PersonName } from '../../hub/core/record.ts';
import type { Field } from './message.ts';

const COMPOUND =
  '欧阳 太史 端木 上官 司马 东方 独孤 南宫 万俟 闻人 夏侯 诸葛 尉迟 公羊 赫连 澹台 皇甫 宗政 濮阳 公冶 太叔 申屠 公孙 慕容 仲孙 钟离 长孙 宇文 司徒 鲜于 司空 闾丘 子车 亓官 司寇 巫马 公西 颛孙 壤驷 公良 漆雕 乐正 宰父 谷梁 拓跋 夹谷 轩辕 令狐 段干 百里 呼延 东郭 南门 羊舌 微生 公户 公玉 公仪 梁丘 公仲 公上 公门 公山 公坚 左丘 公伯 西门 公祖 第五 公乘 贯丘 公皙 南荣 东里 东宫 仲长 子书 子桑 即墨 达奚 褚师 吴铭 纳兰 歐陽 司馬 東方 南宮 諸葛 尉遲 赫連 澹臺 鍾離 長孫 鮮于';
const COMPOUND_SURNAMES: ReadonlySet<string> = new Set(COMPOUND.split(' ').filter((name) => name !== '吴铭'));

const HAN = /\p{Script=Han}/u;
const HAN_ONLY = /^\p{Script=Han}+$/u;
/** U+2022, U+2027, U+30FB, U+FF0E, U+FF65 and U+2219 stand for the middle dot U+00B7 between parts of a name. */
const DOTS = /(?<=\p{Script=Han})[\u2022\u2027\u30fb\uff0e\uff65\u2219.](?=\p{Script=Han})/gu;

/** One form of a name: NFC, one kind of middle dot, no blanks between Chinese characters. */
export function tidyName(text: string): string {
  const plain = text
    .normalize('NFC')
    .replace(/\u3000/g, ' ')
    .replace(DOTS, '\u00b7')
    .replace(/\s+/g, ' ')
    .trim();
  return plain.replace(/(?<=[\p{Script=Han}\u00b7]) (?=[\p{Script=Han}\u00b7])/gu, '');
}

/** 欧阳修 -> 欧阳 + 修; a name with a middle dot, or of unclear shape, is not cut. */
export function splitHan(whole: string): { readonly family: string; readonly given: string } | null {
  const letters = Array.from(whole);
  if (!HAN_ONLY.test(whole) || letters.length < 2 || letters.length > 4) return null;
  const compound = letters.length > 2 && COMPOUND_SURNAMES.has(letters.slice(0, 2).join(''));
  if (letters.length === 4 && !compound) return null;
  const at = compound ? 2 : 1;
  return { family: letters.slice(0, at).join(''), given: letters.slice(at).join('') };
}

const REPRESENTATIONS: Readonly<Record<string, PersonName['representation']>> = {
  I: 'ideographic',
  A: 'alphabetic',
  P: 'phonetic',
};

function joined(family: string, given: string, order: 'family-given' | 'whole'): string {
  if (given === '' || family === '') return family + given;
  if (!HAN.test(family + given)) return `${family} ${given}`;
  // Some senders repeat the given name beside the whole one: 张三^三.
  return order === 'whole' && Array.from(family).length > 1 && family.endsWith(given) ? family : family + given;
}

/** `offset` is 1 for XCN, whose first component is the id number (v2.5.1 §2.A.86, §2.A.88). */
export function readName(field: Field, order: 'family-given' | 'whole', offset = 0): PersonName | null {
  const family = tidyName(field.text(1 + offset));
  const given = tidyName([field.text(2 + offset), field.text(3 + offset)].filter((part) => part !== '').join(' '));
  const text = tidyName(joined(family, given, order));
  if (text === '') return null;
  const code = REPRESENTATIONS[field.text(8 + (offset === 0 ? 0 : 7)).toUpperCase()];
  // The letters decide where they contradict the code: 张三 declared alphabetic is ideographic all the same.
  const representation = HAN.test(text) ? 'ideographic' : code === 'phonetic' ? 'phonetic' : 'alphabetic';
  const whole = given === '' || text === family;
  const cut = whole ? splitHan(text) : { family, given };
  return { text, representation, ...(cut === null ? {} : { family: cut.family, given: cut.given }) };
}

/**
 * A person of NDL (v2.5.1 §2.A.47): the first component holds `id&family&given`; some senders write XCN or a bare name.
 */
export function readPerformer(field: Field): string {
  const person = tidyName(joined(field.text(1, 2), field.text(1, 3), 'family-given'));
  return person === '' ? readDoctor(field) : person;
}

/** Name of a doctor in XCN: `0012^李^医生`, or a bare name, or a bare number. */
export function readDoctor(field: Field): string {
  const named = readName(field, 'family-given', 1)?.text ?? '';
  return named === '' ? tidyName(field.text(1)) : named;
}
