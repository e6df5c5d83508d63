/** Addresses as they are written in towns and villages, and as the next clerk writes the same one. */
import { pick } from '../random.ts';
import type { Random } from '../random.ts';
import type { District } from './regions.ts';

export interface Address {
  readonly district: District;
  /** What follows the district. */
  readonly street: string;
}

const words = (text: string): readonly string[] => text.split(' ');

const ROADS = words(
  '人民路 解放路 中山路 建设路 新华路 文化路 和平路 环城东路 环城西路 朝阳路 学院路 体育场路 文三路 育才路 迎宾大道 滨江大道 江南大道 南山路 城南路 城北路 东方路 府前街 东大街 西大街 胜利街 民生巷 青年路 光明路 站前路 长春路 振兴路 湖滨路 兴业路 延安路',
);
const ESTATES = words(
  '金色家园 阳光花苑 翠苑 世纪花园 紫金花园 锦绣江南 绿城桂花园 水岸新村 东方明珠苑 嘉和苑 丽景苑 江南名府 香樟苑 文晖新村 春江花月 凤凰城 和睦新村 银泰花园 兰庭苑 望江家园',
);
const TOWNS = words(
  '河上镇 新塘街道 南门街道 城关镇 大桥镇 石门镇 白马镇 三墩镇 桐山镇 龙泉镇 双林镇 洪桥镇 平桥镇 横溪镇 沙门镇 金沙镇 新市镇 崇仁镇 古山镇 东阳江镇',
);
const VILLAGES = words(
  '上王村 下王村 李家村 张家村 陈家村 新建村 前山村 后山村 东风村 红旗村 塘下村 溪口村 桥头村 大湾村 西坞村 石桥村 金星村 民主村 岭下村 杨梅坑村 联合村 胜利村 沙田村 河西村',
);

const number = (random: Random, most: number): string => String(1 + Math.floor(random() ** 1.7 * most));

export function addressIn(random: Random, district: District): Address {
  const kind = random();
  if (kind < 0.35)
    return { district, street: `${pick(random, TOWNS)}${pick(random, VILLAGES)}${number(random, 260)}号` };
  const room = `${String(1 + Math.floor(random() * 18))}0${String(1 + Math.floor(random() * 4))}室`;
  const flat = `${number(random, 40)}幢${number(random, 5)}单元${room}`;
  if (kind < 0.7) return { district, street: `${pick(random, ESTATES)}${flat}` };
  return { district, street: `${pick(random, ROADS)}${number(random, 700)}号${kind < 0.9 ? flat : ''}` };
}

const FULL_WIDTH = (text: string): string =>
  text.replace(/\d/g, (digit) => String.fromCharCode(digit.charCodeAt(0) + 0xfee0));

/** The same address by another hand: without the province, 号楼 for 幢, dashes for units, the flat left out. */
export function written(random: Random, { district, street }: Address, short: boolean): string {
  const style = random();
  let text = street;
  if (style < 0.15) text = text.replace('幢', '号楼');
  else if (style < 0.25) text = text.replace(/幢(\d+)单元(\d+)室/, '-$1-$2');
  else if (style < 0.3) text = FULL_WIDTH(text);
  else if (style < 0.34) text = text.replace(/幢/, '栋').replace('室', '');
  if (short) text = street.replace(/\d+[号幢].*$/, '');
  const whole = random();
  if (whole < 0.55) return district.province + district.city + district.name + text;
  if (whole < 0.75) return district.city + district.name + text;
  return whole < 0.9 ? district.name + text : text;
}
