/**
 * Surnames as they are borne: the leading shares are those the Ministry of Public Security published in 2007 and
 * repeated in its yearly name reports (王 7.25 %, 李 7.19 %, 张 6.83 %; the first hundred 84.77 % of the people); the
 * shares further down are this file's assumption, falling with the rank.
 */
import { weighted } from '../random.ts';
import type { Random } from '../random.ts';

/** Per cent of the population, then the surnames of about that share. */
const SHARES: readonly (readonly [number, string])[] = [
  [7.25, '王'],
  [7.19, '李'],
  [6.83, '张'],
  [5.1, '刘'],
  [4.6, '陈'],
  [3.2, '杨'],
  [2.4, '黄'],
  [2.1, '赵'],
  [2, '吴周'],
  [1.45, '徐孙'],
  [1.3, '马朱胡'],
  [1.15, '郭何高林'],
  [0.95, '罗郑梁'],
  [0.75, '谢宋唐许韩'],
  [0.65, '邓冯曹彭曾'],
  [0.56, '肖田董潘袁'],
  [0.5, '蔡蒋余于杜'],
  [0.44, '叶程魏苏吕'],
  [0.39, '丁任卢姚沈'],
  [0.35, '钟姜崔谭陆'],
  [0.31, '范汪廖石金'],
  [0.28, '韦贾夏付方'],
  [0.25, '邹熊白孟秦'],
  [0.23, '邱侯江尹薛'],
  [0.21, '闫段雷龙黎'],
  [0.2, '史陶贺毛郝'],
  [0.19, '顾龚邵万覃'],
  [0.18, '武钱戴严欧'],
  [0.17, '莫孔向常汤'],
  [0.1, '康易乔赖文樊葛兰殷施洪翟安颜倪牛温芦季俞章鲁詹'],
  [0.075, '鞠耿管岳庞焦左祝柳聂齐梅庄辛关涂代裴柯苗童解'],
  [0.055, '伍司祁纪舒屈项盛滕邢骆路游简甘卜单包宁阳褚'],
  [0.04, '车冉边官蒲席郎景臧靳隋凌农闵佟戚甄卓窦柴谷植'],
  [0.03, '房楚全尚麦霍连桂桑费古刁米仇冷敖鲍查商缪岑'],
  [0.02, '苑谈宫晏尤匡艾宗栾应冀燕饶曲巫晋喻成符娄邬苟牟'],
  [0.012, '盖区初闻萨阮丘狄花原池寇毕储'],
  [0.006, '漆郁危束荆逄阚蔺仲芮揭亓乜逯宓昝'],
];

/** Compound surnames together are about 0.1 % of the people; the first far the commonest (assumption). */
const COMPOUND: readonly (readonly [number, string])[] = [
  [0.075, '欧阳'],
  [0.007, '上官'],
  [0.005, '司马'],
  [0.004, '诸葛'],
  [0.003, '皇甫'],
  [0.002, '司徒'],
  [0.001, '尉迟'],
  [0.001, '夏侯'],
];

const drawn = weighted([
  ...SHARES.flatMap(([share, names]) => Array.from(names).map((name) => [share, name] as const)),
  ...COMPOUND,
]);

export const surname = (random: Random): string => drawn(random);

/** Every surname that may be drawn, for the tests that ask whether each has a reading. */
export const SURNAMES: readonly string[] = [
  ...new Set([...SHARES.flatMap(([, names]) => Array.from(names)), ...COMPOUND.map(([, name]) => name)]),
];
