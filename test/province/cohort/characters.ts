/**
 * What happens to a written name: characters that sound alike (a clerk types pinyin and takes the wrong one), that look
 * alike, traditional and variant forms, characters that old systems cannot store, and readings in Latin letters.
 * Readings are the commonest of the Table of General Standard Chinese Characters (2013).
 */
import { pick } from '../random.ts';
import type { Random } from '../random.ts';

/** A toneless reading followed by the characters of names that have it; ü is written v as input methods do. */
const READINGS = `
a阿 ai爱艾哎皑 an安岸鞍案 ao敖 ba巴 bai白柏摆佰 bao宝包鲍豹葆 bi毕比碧弼壁 bian边 bie别 bin斌彬宾 bing兵冰炳秉
bo波博卜勃渤 bu不 cai才彩蔡财采 cang苍 cao曹操 cen岑 ceng曾 cha查 chai柴 chang常畅昌 chao超朝潮 che车
chen晨辰宸陈沉尘臣 cheng成诚承程城澄丞 chi池迟驰持 chou仇 chu褚楚初储 chun春纯淳唇 ci次 cui翠崔 da大达
dai戴代黛 dan丹单旦 de德 deng邓登 di翟狄迪 diao刁 ding丁定鼎 dong栋东冬董 dou窦都 du杜度 duan段端 e娥峨 en恩
er尔 fa发 fan范樊 fang芳方房坊 fei飞费菲妃 fen芬奋 feng峰凤冯丰锋枫烽 fu福富付符甫辅 ga呷 gai盖 gan甘
gang刚钢岗港 gao高 ge葛格 gen根 geng耿 gong龚宫功公恭 gou苟 gu顾谷古鼓 guan管关官冠观 guang光广 gui贵桂
guo国郭果 hai海 han涵晗韩阚汉翰 hang航杭 hao浩昊豪皓郝灏好 he荷何贺合禾河鹤 heng恒 hong洪宏红虹鸿弘 hou侯厚
hu胡 hua华花桦画 huai怀 huan欢环焕 huang黄皇 hui辉惠慧晖卉汇 huo霍 ji季纪冀吉积集继 jia家嘉佳贾加甲
jian建健简剑键 jiang江蒋姜疆 jiao焦娇姣 jie杰洁解揭婕捷 jin金瑾靳晋今津锦谨 jing景静婧晶荆京靖竞菁精敬镜 jiu久
ju菊鞠 juan娟 jun军俊骏君均钧 kai凯恺 kang康 ke可柯克珂科 kong孔 kou寇 kuang匡 kun坤昆琨 la拉 lai赖来 lan兰岚蓝
lang郎 lei磊蕾雷镭 leng冷 li立丽莉李黎力俐励 lian莲连恋 liang良亮梁粮 liao廖 lin林霖琳蔺临 ling玲凌灵龄菱岭令
liu刘柳流 long龙隆 lou娄 lu璐露卢陆芦鲁路逯禄鹿 luan栾鸾 lun伦 luo罗骆洛 lv吕律率 ma马玛 mai麦买 man曼满
mao毛茂 mei梅美妹枚媚 meng梦孟萌 mi米宓密 miao苗淼 mie乜 min民敏闵闽 ming明铭鸣茗名 mo墨莫沫 mou缪牟
mu沐木姆慕牧 na娜那 nan楠南男 ni妮倪 nie聂 ning宁凝柠 niu牛 nong农 nu努 nuo诺 ou欧 pa帕 pan潘盼 pang庞逄
pei裴培佩沛 peng鹏彭朋蓬 pin品 ping平萍苹屏坪 pu蒲普 qi琪齐祁戚漆亓其祺淇棋奇启 qian倩钱茜 qiang强蔷
qiao巧乔桥俏 qin琴秦芹勤沁 qing庆清青晴卿情 qiong琼 qiu邱丘秋球 qu屈曲区 quan全权泉 ran然冉染 rao饶 re热惹
ren任仁 ri日 rong荣蓉融容 rou肉 ru茹如汝 ruan阮 rui睿瑞蕊芮锐 run润 ruo若 sa萨 sang桑 sha莎沙纱 shan山善珊杉
shang尚商上 shao少邵绍 shen沈深慎 sheng生盛升胜声圣 shi世诗石史施士仕时实 shu树书淑舒束姝术 shuai帅
shuang双霜爽 shui水 shun顺 si思司斯丝 song宋松嵩 su素苏宿 sui隋 sun孙 tan谭覃谈 tang唐汤 tao涛陶滔韬桃 te特
teng滕腾藤 ti提 tian天田甜添 ting婷廷庭亭 tong桐彤童佟通瞳 tu涂徒吐图 wa娃 wan万婉琬晚 wang王汪
wei伟卫薇魏韦危尉维玮炜微威巍为唯惟 wen文雯温闻纹稳 wu吴武伍巫邬乌舞务 xi熙汐席西希曦溪惜 xia霞夏
xian仙先显贤宪 xiang祥向翔香项湘想 xiao晓小筱肖孝 xie谢 xin鑫新欣昕馨辛心芯 xing兴邢星杏幸 xiong熊雄 xiu秀绣
xu旭徐许绪 xuan轩萱宣 xue学雪薛 xun逊勋训 ya亚雅娅 yan艳燕妍闫严颜晏彦岩延炎言研 yang阳洋杨央扬 yao瑶姚尧耀遥
ye叶业烨晔 yi义毅奕一怡依艺易伊宜仪逸翼益意 yin银尹殷音吟寅 ying英莹颖应瑛影 yong勇永咏泳涌用 you有游尤友佑
yu玉宇煜雨语妤余于俞喻郁瑜渝榆羽钰育裕 yuan元媛袁苑原远缘源园圆 yue月悦玥岳越跃粤 yun云芸耘韵允运 zan昝 zang臧
ze泽则择 zeng增 zha扎 zhan詹展战 zhang长张章彰璋 zhao赵召昭照 zhe哲者 zhen振珍贞甄真桢震镇 zheng正郑争征政证
zhi志芝芷植之枝知智治致 zhong忠钟仲中众 zhou周洲舟州 zhu珠朱祝诸竹烛柱 zhuan专转 zhuang庄壮 zhuo卓茁
zi子梓紫孜籽 zong宗棕 zou邹 zu祖 zun尊 zuo左佐
`;

const READING = new Map<string, string>();
const SOUND = new Map<string, readonly string[]>();
for (const [, reading = '', signs = ''] of READINGS.matchAll(/([a-z]+)([^a-z\s]+)/g)) {
  SOUND.set(reading, Array.from(signs));
  for (const sign of signs) READING.set(sign, reading);
}

/** Characters outside GBK that names are registered with, each with its reading and what is typed in its place. */
const RARE: Readonly<Record<string, readonly [string, readonly string[]]>> = {
  䶮: ['yan', ['龑', '?', '\uE863', '岩']],
  𠮷: ['ji', ['吉', '?', '□']],
  㛃: ['jie', ['洁', '?', '婕']],
  𬭎: ['hong', ['宏', '?', '鈜']],
  𬱖: ['di', ['頔', '?', '迪']],
  𬍛: ['li', ['丽', '?', '莉']],
  𤧛: ['di', ['?', '提', '□']],
  𬬱: ['jin', ['金', '?', '釿']],
  䬠: ['xuan', ['宣', '?']],
  㼆: ['ting', ['?', '婷']],
  𥖄: ['ran', ['?', '然']],
  𪻐: ['chun', ['?', '春', '□']],
};

/** In GBK and rare: typed by shape, or by a commoner sign of the same sound. */
const UNCOMMON: Readonly<Record<string, readonly [string, readonly string[]]>> = {
  喆: ['zhe', ['哲', '吉吉']],
  堃: ['kun', ['坤']],
  珅: ['shen', ['申', '坤']],
  玕: ['gan', ['干']],
  琟: ['wei', ['维', '唯']],
  犇: ['ben', ['奔', '牛']],
  淼: ['miao', ['森', '水']],
  昇: ['sheng', ['升']],
  翀: ['chong', ['冲', '羽中']],
  彧: ['yu', ['或', '玉']],
  燚: ['yi', ['炎', '毅']],
  甦: ['su', ['苏']],
};

export const RARE_SIGNS: readonly string[] = Object.keys(RARE);
export const UNCOMMON_SIGNS: readonly string[] = Object.keys(UNCOMMON);

/** A surname read otherwise than the same character elsewhere. */
const SURNAME_READINGS: Readonly<Record<string, string>> = {
  单: 'shan',
  曾: 'zeng',
  仇: 'qiu',
  解: 'xie',
  区: 'ou',
  查: 'zha',
  盖: 'ge',
  尉: 'yu',
  乐: 'yue',
  任: 'ren',
  翟: 'zhai',
  缪: 'miao',
  宓: 'mi',
  覃: 'qin',
};

/** Simplified and its traditional or variant forms. */
const VARIANTS = new Map<string, string>(
  Object.entries({
    ...pairs('张張陈陳刘劉赵趙黄黃吴吳孙孫马馬郑鄭罗羅谢謝许許韩韓邓鄧冯馮萧蕭吕呂苏蘇叶葉钟鍾谭譚陆陸贾賈邹鄒阎閻'),
    ...pairs('龙龍贺賀顾顧龚龔万萬钱錢严嚴汤湯乔喬颜顏温溫伟偉国國华華军軍强強杰傑云雲兰蘭丽麗红紅凤鳳玲姈静靜艳艷'),
    ...pairs('燕鷰峰峯群羣德徳贵貴荣榮东東宝寶庆慶忆憶学學晓曉兴興义義礼禮广廣芸蕓岚嵐莲蓮爱愛珍珎'),
  }),
);

function pairs(text: string): Record<string, string> {
  const signs = Array.from(text);
  return Object.fromEntries(signs.flatMap((sign, at) => (at % 2 === 0 ? [[sign, signs[at + 1] ?? sign]] : [])));
}

/** Taken for one another by an eye or a pen. */
const SHAPES: readonly string[] = [
  '未末',
  '己已',
  '玮伟',
  '晴睛',
  '婷停',
  '菁青',
  '洋祥',
  '辰晨',
  '惠慧',
  '玉王',
  '杨扬',
  '候侯',
  '付傅',
  '肖萧',
  '闫阎',
  '戴代',
  '娜那',
  '芬芳',
  '敏毓',
  '丽俪',
  '兰芝',
  '珍玲',
  '霞露',
  '红虹',
  '勇男',
  '军君',
  '刚钢',
  '波泼',
  '萍苹',
  '娟涓',
  '梅海',
  '祥详',
];

const swap = (random: Random, name: string, replacement: (sign: string) => string | null): string | null => {
  const signs = Array.from(name);
  const open = signs.flatMap((sign, at) => {
    const found = replacement(sign);
    return found === null ? [] : [[at, found] as const];
  });
  if (open.length === 0) return null;
  const [at, found] = pick(random, open);
  signs[at] = found;
  return signs.join('');
};

/** One character of the name by another that sounds the same; null: no character of it has a homophone here. */
export const soundAlike = (random: Random, name: string): string | null =>
  swap(random, name, (sign) => {
    const others = SOUND.get(READING.get(sign) ?? '')?.filter((other) => other !== sign) ?? [];
    return others.length === 0 ? null : pick(random, others);
  });

/** One character in its traditional or variant form. */
export const variant = (random: Random, name: string): string | null =>
  swap(random, name, (sign) => VARIANTS.get(sign) ?? null);

/** One character by one of like shape. */
export const lookAlike = (random: Random, name: string): string | null =>
  swap(random, name, (sign) => {
    const group = SHAPES.find((signs) => signs.includes(sign));
    return group === undefined ? null : (Array.from(group).find((other) => other !== sign) ?? null);
  });

/** The rare character of the name as a system writes it that does not have it. */
export const degraded = (random: Random, name: string): string | null =>
  swap(random, name, (sign) => {
    const found = RARE[sign] ?? UNCOMMON[sign];
    return found === undefined ? null : pick(random, found[1]);
  });

/** Toneless reading of a character of a given name, or null. */
export const readingOf = (sign: string): string | null =>
  READING.get(sign) ?? RARE[sign]?.[0] ?? UNCOMMON[sign]?.[0] ?? null;

/** The toneless reading of a whole name; a character without one stands for itself. */
export const soundOf = (name: string): string => Array.from(name, (sign) => readingOf(sign) ?? sign).join(' ');

/** Surname and given name in pinyin, upper case, as a modality shows them; null where a reading is missing. */
export function inPinyin(family: string, given: string): readonly [string, string] | null {
  const read = (signs: string): string | null => {
    const found = Array.from(signs).map(readingOf);
    return found.includes(null) ? null : found.join('').toUpperCase();
  };
  const surname = SURNAME_READINGS[family]?.toUpperCase() ?? read(family);
  const rest = read(given);
  return surname === null || rest === null ? null : [surname, rest];
}
