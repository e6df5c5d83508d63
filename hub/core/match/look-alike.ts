/**
 * Characters of given names that a clerk takes for each other by their look (形近字): copied from a card or a form in
 * handwriting, one stands for the other. A reasoned list: characters that people are named with, a stroke or the radical
 * apart, of the pairs that schools warn of. What also sounds alike is told by its reading, and variants of one character
 * fold together (person-name.ts); neither stands here.
 */
const GROUPS =
  '未末 己已巳 戊戌戍 日曰 祎袆 晴睛 土士 干于千 大太犬 天夭 王玉 由甲申田 今令 冶治 佳住 候侯 析折 瑞端 辛幸 旦且 毋母 ' +
  '斯期 沫沬 玫玟 雪雷 杉衫 宇字 宣宜 亨享亭 良艮 免兔 史吏 汩汨 炙灸 帅师 延廷 微徽 拔拨 明朋 本木 秦泰奏 竟竞 羸赢嬴 ' +
  '茶荼 莱菜 袓祖 赛寒 遂逐 隋随 彧或 午牛 友发 仑仓 卯卵 坤坪 奕亦 妹姝 娃桂 孟盂 季李 幼幻 ' +
  '桓恒 栋拣 治怡 浚峻 涵函 煊喧 皓浩 瞳童 砚现 翰瀚 菲非 诗侍 骁饶 驰弛';

const ALIKE = new Map<string, ReadonlySet<string>>();
for (const group of GROUPS.split(' ')) {
  const all = Array.from(group);
  for (const char of all) ALIKE.set(char, new Set([...(ALIKE.get(char) ?? []), ...all]));
}

export const looksAlike = (a: string, b: string): boolean => a !== b && ALIKE.get(a)?.has(b) === true;
