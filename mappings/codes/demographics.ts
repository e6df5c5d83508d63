/** National demographic value sets and the HL7 codes beside them (CODES §3); a site's own table is asked before these. */
import type { Coded, Sex } from '../../hub/core/record.ts';

/** GB/T 2261.1-2003, HL7 table 0001, the hub's own words, and what screens say. */
const SEX: ReadonlyMap<string, Sex> = new Map<string, Sex>([
  ...['1', 'M', 'MALE', '男', '男性', '5'].map((code) => [code, 'male'] as const),
  ...['2', 'F', 'FEMALE', '女', '女性', '6'].map((code) => [code, 'female'] as const),
  ...['O', 'OTHER', 'A', '其他'].map((code) => [code, 'other'] as const),
  ...['0', '9', 'U', 'N', 'UNKNOWN', '未知', '未说明', '未说明的性别', '未知的性别'].map(
    (code) => [code, 'unknown'] as const,
  ),
]);

export const sexOf = (code: string): Sex | null => SEX.get(code.normalize('NFKC').trim().toUpperCase()) ?? null;

/** GB/T 2261.2-2003. */
export const MARITAL_SYSTEM = 'urn:oid:2.16.156.10011.2.3.3.5';
const MARITAL: readonly (readonly [code: string, display: string, others: readonly string[]])[] = [
  ['10', '未婚', ['S']],
  ['20', '已婚', ['M']],
  ['21', '初婚', []],
  ['22', '再婚', []],
  ['23', '复婚', []],
  ['30', '丧偶', ['W']],
  ['40', '离婚', ['D']],
  ['90', '未说明的婚姻状况', ['U', '未说明', '其他']],
];

/** GB/T 3304-1991, in the order of its numbers from 01. */
export const ETHNIC_SYSTEM = 'urn:oid:2.16.156.10011.2.3.3.3';
const ETHNIC =
  '汉 蒙古 回 藏 维吾尔 苗 彝 壮 布依 朝鲜 满 侗 瑶 白 土家 哈尼 哈萨克 傣 黎 傈僳 佤 畲 高山 拉祜 水 东乡 纳西 景颇 柯尔克孜 土 达斡尔 仫佬 羌 布朗 撒拉 毛南 仡佬 锡伯 阿昌 普米 塔吉克 怒 乌孜别克 俄罗斯 鄂温克 德昂 保安 裕固 京 塔塔尔 独龙 鄂伦春 赫哲 门巴 珞巴 基诺'.split(
    ' ',
  );

function indexed(
  rows: readonly (readonly [string, string, readonly string[]])[],
  system: string,
): ReadonlyMap<string, Coded> {
  const map = new Map<string, Coded>();
  for (const [code, display, others] of rows) {
    for (const key of [code, display, ...others]) map.set(key, { code, system, display });
  }
  return map;
}

const MARITAL_INDEX = indexed(MARITAL, MARITAL_SYSTEM);
const ETHNIC_INDEX = indexed(
  ETHNIC.map((name, at) => [String(at + 1).padStart(2, '0'), `${name}族`, [name, String(at + 1)]] as const),
  ETHNIC_SYSTEM,
);

const keyOf = (code: string): string => code.normalize('NFKC').trim().toUpperCase();
export const maritalOf = (code: string): Coded | null => MARITAL_INDEX.get(keyOf(code)) ?? null;
export const ethnicOf = (code: string): Coded | null => ETHNIC_INDEX.get(keyOf(code)) ?? null;
