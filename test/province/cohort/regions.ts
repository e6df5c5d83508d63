/**
 * Where people live and where their resident numbers were given: the districts of one province, and one or two of each
 * other, with their real codes (GB/T 2260). A number keeps the code it was given, though the division be abolished.
 */
import { pick, weighted } from '../random.ts';
import type { Random } from '../random.ts';

export interface District {
  /** Six digits. */
  readonly code: string;
  readonly province: string;
  /** Empty under a municipality. */
  readonly city: string;
  readonly name: string;
  readonly postalCode: string;
}

const HOME_PROVINCE = '浙江省';

/** City code and name, start of its postal codes, districts by the last two digits, codes no longer in use. */
const HOME: readonly (readonly [string, string, string, string, string])[] = [
  [
    '3301',
    '杭州市',
    '310',
    '02上城区 05拱墅区 06西湖区 08滨江区 09萧山区 10余杭区 11富阳区 12临安区 13临平区 14钱塘区 22桐庐县 27淳安县 82建德市',
    '03 04 21 23 24 25',
  ],
  [
    '3302',
    '宁波市',
    '315',
    '03海曙区 05江北区 06北仑区 11镇海区 12鄞州区 13奉化区 25象山县 26宁海县 81余姚市 82慈溪市',
    '04 19 24 83',
  ],
  [
    '3303',
    '温州市',
    '325',
    '02鹿城区 03龙湾区 04瓯海区 05洞头区 24永嘉县 26平阳县 27苍南县 28文成县 29泰顺县 81瑞安市 82乐清市 83龙港市',
    '',
  ],
  ['3304', '嘉兴市', '314', '02南湖区 11秀洲区 21嘉善县 24海盐县 81海宁市 82平湖市 83桐乡市', ''],
  ['3305', '湖州市', '313', '02吴兴区 03南浔区 21德清县 22长兴县 23安吉县', ''],
  ['3306', '绍兴市', '312', '02越城区 03柯桥区 04上虞区 24新昌县 81诸暨市 83嵊州市', ''],
  ['3307', '金华市', '321', '02婺城区 03金东区 23武义县 26浦江县 27磐安县 81兰溪市 82义乌市 83东阳市 84永康市', ''],
  ['3308', '衢州市', '324', '02柯城区 03衢江区 22常山县 24开化县 25龙游县 81江山市', ''],
  ['3309', '舟山市', '316', '02定海区 03普陀区 21岱山县 22嵊泗县', ''],
  ['3310', '台州市', '318', '02椒江区 03黄岩区 04路桥区 22三门县 23天台县 24仙居县 81温岭市 82临海市 83玉环市', ''],
  [
    '3311',
    '丽水市',
    '323',
    '02莲都区 21青田县 22缙云县 23遂昌县 24松阳县 25云和县 26庆元县 27景宁畲族自治县 81龙泉市',
    '',
  ],
];

const ELSEWHERE: readonly (readonly [string, string, string, string])[] = [
  ['110105', '北京市', '', '朝阳区'],
  ['120104', '天津市', '', '南开区'],
  ['130102', '河北省', '石家庄市', '长安区'],
  ['130427', '河北省', '邯郸市', '磁县'],
  ['140105', '山西省', '太原市', '小店区'],
  ['150102', '内蒙古自治区', '呼和浩特市', '新城区'],
  ['150522', '内蒙古自治区', '通辽市', '科尔沁左翼后旗'],
  ['210102', '辽宁省', '沈阳市', '和平区'],
  ['211421', '辽宁省', '葫芦岛市', '绥中县'],
  ['220102', '吉林省', '长春市', '南关区'],
  ['230102', '黑龙江省', '哈尔滨市', '道里区'],
  ['310115', '上海市', '', '浦东新区'],
  ['310112', '上海市', '', '闵行区'],
  ['320102', '江苏省', '南京市', '玄武区'],
  ['320205', '江苏省', '无锡市', '锡山区'],
  ['320311', '江苏省', '徐州市', '泉山区'],
  ['340104', '安徽省', '合肥市', '蜀山区'],
  ['341226', '安徽省', '阜阳市', '颍上县'],
  ['341522', '安徽省', '六安市', '霍邱县'],
  ['350102', '福建省', '福州市', '鼓楼区'],
  ['350623', '福建省', '漳州市', '漳浦县'],
  ['360102', '江西省', '南昌市', '东湖区'],
  ['360733', '江西省', '赣州市', '会昌县'],
  ['370102', '山东省', '济南市', '历下区'],
  ['371402', '山东省', '德州市', '德城区'],
  ['371728', '山东省', '菏泽市', '东明县'],
  ['410102', '河南省', '郑州市', '中原区'],
  ['411024', '河南省', '许昌市', '鄢陵县'],
  ['411525', '河南省', '信阳市', '固始县'],
  ['411726', '河南省', '驻马店市', '泌阳县'],
  ['420102', '湖北省', '武汉市', '江岸区'],
  ['421083', '湖北省', '荆州市', '洪湖市'],
  ['421321', '湖北省', '随州市', '随县'],
  ['430102', '湖南省', '长沙市', '芙蓉区'],
  ['430523', '湖南省', '邵阳市', '邵阳县'],
  ['431225', '湖南省', '怀化市', '会同县'],
  ['440106', '广东省', '广州市', '天河区'],
  ['440305', '广东省', '深圳市', '南山区'],
  ['440823', '广东省', '湛江市', '遂溪县'],
  ['450103', '广西壮族自治区', '南宁市', '青秀区'],
  ['450325', '广西壮族自治区', '桂林市', '兴安县'],
  ['460105', '海南省', '海口市', '秀英区'],
  ['500112', '重庆市', '', '渝北区'],
  ['500233', '重庆市', '', '忠县'],
  ['510104', '四川省', '成都市', '锦江区'],
  ['511621', '四川省', '广安市', '岳池县'],
  ['513401', '四川省', '凉山彝族自治州', '西昌市'],
  ['520102', '贵州省', '贵阳市', '南明区'],
  ['520326', '贵州省', '遵义市', '务川仡佬族苗族自治县'],
  ['522628', '贵州省', '黔东南苗族侗族自治州', '锦屏县'],
  ['530102', '云南省', '昆明市', '五华区'],
  ['530324', '云南省', '曲靖市', '罗平县'],
  ['532628', '云南省', '文山壮族苗族自治州', '富宁县'],
  ['540102', '西藏自治区', '拉萨市', '城关区'],
  ['610102', '陕西省', '西安市', '新城区'],
  ['610922', '陕西省', '安康市', '石泉县'],
  ['620102', '甘肃省', '兰州市', '城关区'],
  ['630102', '青海省', '西宁市', '城东区'],
  ['640104', '宁夏回族自治区', '银川市', '兴庆区'],
  ['650102', '新疆维吾尔自治区', '乌鲁木齐市', '天山区'],
  ['653101', '新疆维吾尔自治区', '喀什地区', '喀什市'],
  ['654003', '新疆维吾尔自治区', '伊犁哈萨克自治州', '奎屯市'],
  ['653201', '新疆维吾尔自治区', '和田地区', '和田市'],
];

/** Share of the province's people, by city in the order above (assumption, after the size of the cities). */
const CITY_WEIGHTS = [18.5, 14.6, 14.8, 8.4, 5.2, 8.2, 10.9, 3.5, 1.8, 10.2, 3.9];

const DISTRICTS: readonly (readonly District[])[] = HOME.map(([code, city, postal, districts]) =>
  districts.split(' ').map((text, at) => ({
    code: code + text.slice(0, 2),
    province: HOME_PROVINCE,
    city,
    name: text.slice(2),
    postalCode: `${postal}${String(at * 100).padStart(3, '0')}`,
  })),
);

const AWAY: readonly District[] = ELSEWHERE.map(([code, province, city, name], at) => ({
  code,
  province,
  city,
  name,
  postalCode: `${code.slice(0, 2)}${String(at).padStart(2, '0')}00`,
}));

const cityOf = weighted(DISTRICTS.map((districts, at) => [CITY_WEIGHTS[at] ?? 1, at] as const));

export const homeDistrict = (random: Random): District => pick(random, DISTRICTS[cityOf(random)] ?? AWAY);

export const awayDistrict = (random: Random, provinces: readonly string[] = []): District => {
  const wanted = AWAY.filter(({ code }) => provinces.includes(code.slice(0, 2)));
  return pick(random, wanted.length > 0 ? wanted : AWAY);
};

/** The code a number of that district was given in that year: of a division abolished since, now and then. */
export function codeGiven(random: Random, district: District, year: number): string {
  const abolished = HOME.find(([code]) => district.code.startsWith(code))?.[4] ?? '';
  if (abolished === '' || year > 2000 || random() > 0.3) return district.code;
  return district.code.slice(0, 4) + pick(random, abolished.split(' '));
}

/** All the codes that are in use, for the test that holds them against a public list. */
export const CODES: readonly (readonly [string, string])[] = [...DISTRICTS.flat(), ...AWAY].map(
  ({ code, name }) => [code, name] as const,
);
