/**
 * Synthetic persons of the demo province: names as they occur, rare characters included, and resident IDs with right
 * check digits under a division code (99…) that was never assigned, so that no living person has one of them.
 */
import { residentCheck } from '../../hub/core/identifier.ts';

export type SiteName = 'h1' | 'h2' | 'h3';

export interface Person {
  readonly name: string;
  /** Family and given name in pinyin. */
  readonly pinyin: readonly [string, string];
  readonly sex: 'M' | 'F';
  /** YYYYMMDD */
  readonly born: string;
  readonly residentId: string | null;
  readonly phone: string;
  readonly address: string;
  readonly ethnic: string;
  /** The number each hospital knows the person by; absent: never seen there. */
  readonly local: Readonly<Partial<Record<SiteName, string>>>;
}

/** Name, pinyin, sex, birth, hospitals visited; `-` before the birth date: no resident ID is known. */
const ROWS: readonly (readonly [string, string, string, 'M' | 'F', string, string])[] = [
  ['张伟', 'Zhang', 'Wei', 'M', '19680412', 'h1 h2 h3'],
  ['王秀英', 'Wang', 'Xiuying', 'F', '19910823', 'h1 h2'],
  ['欧阳明月', 'Ouyang', 'Mingyue', 'F', '19751130', 'h1 h3'],
  ['司马建国', 'Sima', 'Jianguo', 'M', '19491001', 'h1 h2'],
  ['诸葛静', 'Zhuge', 'Jing', 'F', '19880216', 'h2 h3'],
  ['刘䶮', 'Liu', 'Yan', 'M', '19830705', 'h1 h3'],
  ['田𠮷', 'Tian', 'Ji', 'M', '19590309', 'h1 h2'],
  ['李㛃', 'Li', 'Jie', 'F', '19790618', 'h1 h2'],
  ['陈𬭎', 'Chen', 'Hong', 'M', '19720927', 'h1 h3'],
  ['何珅', 'He', 'Shen', 'M', '19650514', 'h1 h2 h3'],
  ['周琟', 'Zhou', 'Wei', 'F', '19940111', 'h2'],
  ['吴玕', 'Wu', 'Gan', 'M', '19810320', 'h1 h3'],
  ['阿依古丽·买买提', 'Ayiguli', 'Maimaiti', 'F', '19860728', 'h1 h2'],
  ['赵丽娜', 'Zhao', 'Lina', 'F', '19960405', 'h2 h3'],
  ['单雄', 'Shan', 'Xiong', 'M', '19701212', 'h3'],
  ['吕桂兰', 'Lü', 'Guilan', 'F', '19530808', 'h1 h2'],
  ['王秀英之子', 'Wang', 'Zhi Zi', 'M', '-20261020', 'h1'],
  ['赵铁柱', 'Zhao', 'Tiezhu', 'M', '-19470203', 'h2'],
  ['无名氏', 'Wu', 'Mingshi', 'M', '-19800101', 'h1'],
];

export const PERSONS: readonly Person[] = ROWS.map(([name, family, given, sex, birth, sites], at) => {
  const known = !birth.startsWith('-');
  const born = known ? birth : birth.slice(1);
  return {
    name,
    pinyin: [family, given],
    sex,
    born,
    residentId: known ? residentId(born, sex, at) : null,
    phone: `1990000${String(1000 + at)}`,
    address: `虚构省虚构市东城区长青路${String(at * 7 + 3)}号`,
    ethnic: name.includes('·') ? '05' : '01',
    local: Object.fromEntries(sites.split(' ').map((site) => [site, localNumber(site, at)])),
  };
});

function residentId(born: string, sex: 'M' | 'F', at: number): string {
  const sequence = String(20 + at * 2 + (sex === 'M' ? 1 : 0)).padStart(3, '0');
  const first17 = `990102${born}${sequence}`;
  return first17 + residentCheck(first17);
}

/** Each hospital counts in its own way: nothing of a number is shared. */
function localNumber(site: string, at: number): string {
  if (site === 'h1') return `P${String(100_233 + at * 37)}`;
  return site === 'h2' ? `2026${String(5_000 + at * 11)}` : `BL-${String(880_017 - at * 53)}`;
}

export function personNamed(name: string): Person {
  const found = PERSONS.find((person) => person.name === name);
  if (!found) throw new Error(`no person of that name: ${name}`);
  return found;
}
