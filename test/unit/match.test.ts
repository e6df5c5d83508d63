/** What the matcher says of cases that a careful clerk knows (CODES.md §1, §7; FLOWS.md §3). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blockingKeys } from '../../hub/core/match/blocking.ts';
import { compare } from '../../hub/core/match/compare.ts';
import type { Comparison } from '../../hub/core/match/comparison.ts';
import { siteId, type HubId } from '../../hub/core/identifier.ts';
import { jaroWinkler, slip } from '../../hub/core/match/likeness.ts';
import { learnRules, type FeaturePair } from '../../hub/core/match/learn.ts';
import { birthDateLevel } from '../../hub/core/match/levels.ts';
import { lunarOf } from '../../hub/core/match/lunar.ts';
import { nameFeature } from '../../hub/core/match/person-name.ts';
import { featuresOf, featuresOfWritten, type Written } from '../../hub/core/match/registration.ts';
import { DEFAULT_RULES } from '../../hub/core/match/rules.ts';
import { romanise } from '../../mappings/romanise.ts';

const BASE: Written = {
  recordId: 'r1',
  issuer: '',
  names: [{ text: '张晓明' }],
  birthDate: '1980-03-15',
  sex: 'male',
  residentId: '210102198003151239',
  identifiers: [],
  phones: ['13812345678'],
  address: '浙江省杭州市西湖区文三路1号',
  locality: null,
  postalCode: null,
};
const of = (change: Partial<Written>): ReturnType<typeof featuresOfWritten> =>
  featuresOfWritten({ ...BASE, ...change }, romanise);
const judge = (a: Partial<Written>, b: Partial<Written>): Comparison => compare(of(a), of(b), DEFAULT_RULES);
const levelOf = (text: string, other: string): string | undefined =>
  judge({ names: [{ text }] }, { names: [{ text: other }] }).contributions.find(({ attribute }) => attribute === 'name')
    ?.level;

test('names agree as the field writes them', () => {
  assert.equal(levelOf('张晓明', ' 張　曉明(男) '), 'equal');
  assert.equal(levelOf('阿卜杜拉·买买提', '阿卜杜拉．买买提'), 'equal');
  assert.equal(levelOf('阿卜杜拉·买买提', '阿卜杜拉'), 'part');
  assert.equal(levelOf('张晓明', '张?明'), 'damaged');
  assert.equal(levelOf('张晓明', '张\uE123明'), 'damaged');
  assert.equal(levelOf('张晓明', '张小明'), 'homophone');
  assert.equal(levelOf('张晓明', 'ZHANG XIAOMING'), 'reading');
  assert.equal(levelOf('张晓明', 'Xiaoming^Zhang'), 'reordered');
  assert.equal(levelOf('张晓明', 'Zhang X M'), 'initials');
  assert.equal(levelOf('单雄信', 'Shan Xiongxin'), 'reading');
  assert.equal(levelOf('吕布', 'LYU BU'), 'reading');
  assert.equal(levelOf('吕布', 'Lü Bu'), 'reading');
  assert.equal(levelOf('尉迟恭', 'YUCHI GONG'), 'reading');
  assert.equal(levelOf('张晓明', '张晓亮'), 'one-character');
  assert.equal(levelOf('张晓明', '张明'), 'dropped');
  assert.equal(levelOf('张晓明', '王芳'), 'different');
});

test('a given name of one character that looks like the other is a slip of the eye; beside one number it links', () => {
  for (const [one, other] of [
    ['王未', '王末'],
    ['陈祎', '陈袆'],
    ['李戊', '李戌'],
    ['周己', '周巳'],
  ] as const) {
    assert.equal(levelOf(one, other), 'one-character', one);
    assert.equal(levelOf(other, one), 'one-character', other);
    assert.equal(judge({ names: [{ text: one }] }, { names: [{ text: other }] }).outcome, 'link', one);
  }
  assert.equal(levelOf('王未', '王芳'), 'family');
  assert.equal(judge({ names: [{ text: '王未' }] }, { names: [{ text: '王芳' }] }).veto, 'name-contradicts');
  const apart = { residentId: null, phones: [] };
  const siblings = judge({ ...apart, names: [{ text: '王未' }] }, { ...apart, names: [{ text: '王末' }] });
  assert.notEqual(siblings.outcome, 'link', 'without a number they may be twins');
});

test('names that name nobody are none, and are not different from any', () => {
  for (const text of ['无名氏', '急诊1', '未知', 'UNKNOWN 2', '待查3', '  ']) {
    assert.equal(nameFeature({ text }, romanise), null, text);
    assert.equal(levelOf('张晓明', text), undefined);
  }
});

test('a mother and her child are told apart, and twins by their number', () => {
  const child = of({ names: [{ text: '张三丰之女2' }], sex: null }).names[0];
  assert.equal(child?.ideographic, '张三丰');
  assert.equal(child.childOf, 'daughter');
  assert.equal(child.ordinal, '2');
  const mother = {
    names: [{ text: '李梦倩' }],
    sex: 'female' as const,
    residentId: '330226199608252620',
    birthDate: '1996-08-25',
  };
  const born = { ...mother, names: [{ text: '李梦倩之女' }], birthDate: '2026-09-02' };
  const verdict = judge(mother, born);
  assert.equal(verdict.veto, 'newborn-with-mothers-id');
  assert.notEqual(verdict.outcome, 'link');
  assert.equal(judge(born, { ...mother, names: [{ text: '王一' }], birthDate: '2026-09-02' }).veto, null);
  assert.equal(of(born).residentId, null);
  assert.equal(of(born).borrowedId, '330226199608252620');
  const twin = (n: string): Partial<Written> => ({ ...born, names: [{ text: `李梦倩之女${n}` }] });
  assert.equal(judge(twin('1'), twin('2')).veto, 'name-contradicts');
});

test('hard rules stand above every score', () => {
  const other = judge({}, { residentId: '210102198003151255' });
  assert.equal(other.veto, 'resident-id-conflict');
  assert.notEqual(other.outcome, 'link');
  assert.equal(judge({}, { names: [{ text: '王芳' }] }).veto, 'name-contradicts');
  assert.equal(judge({ residentId: null }, { names: [{ text: '张晓亮' }] }).veto, 'name-contradicts');
  assert.equal(judge({ names: [] }, { sex: 'female' }).veto, 'sex-contradicts');
  assert.equal(judge({ issuer: 'h1', residentId: null }, { issuer: 'h1' }).veto, 'same-issuer');
  assert.equal(judge({ issuer: 'h1' }, { issuer: 'h1' }).outcome, 'link');
});

test('one slip beside the number and the name is forgiven', () => {
  assert.equal(judge({}, { sex: 'female' }).outcome, 'link');
  assert.equal(judge({}, { birthDate: '1980-04-20' }).outcome, 'link');
  assert.equal(judge({}, { residentId: '２１０１０２１９８００３１５１２３９ ' }).outcome, 'link');
});

test('dummies and broken numbers are no resident ID; missing is not different', () => {
  for (const residentId of ['111111111111111111', '000000000000000000', '123456789012345678', '无'])
    assert.equal(of({ residentId }).residentId ?? of({ residentId }).brokenResidentId, null, residentId);
  const slipped = judge({}, { residentId: '210102198003151293' });
  assert.equal(slipped.contributions.find(({ attribute }) => attribute === 'residentId')?.level, 'slip');
  const missing = judge({}, { residentId: null, phones: [], address: null });
  assert.deepEqual(missing.contributions.map(({ attribute }) => attribute).sort(), ['birthDate', 'name', 'sex']);
});

test('a household does not make one person of two', () => {
  const father = { residentId: null, names: [{ text: '张伟' }], birthDate: '1955-06-01' };
  assert.equal(judge(father, { residentId: null }).outcome, 'none');
});

test('an error in any one field leaves a key in common', () => {
  const keys = new Set(blockingKeys(of({})));
  const changes: Partial<Written>[] = [
    { residentId: null },
    { residentId: null, birthDate: '1980-03-16' },
    { residentId: null, birthDate: '1981-03-15' },
    { residentId: null, names: [{ text: '张小明' }] },
    { residentId: null, names: [{ text: 'Xiaoming Zhang' }] },
    { residentId: null, names: [{ text: '张晓亮' }], phones: [] },
    { residentId: '210103198003151239', names: [], birthDate: null, phones: [], address: null },
  ];
  for (const change of changes)
    assert.ok(
      blockingKeys(of(change)).some((key) => keys.has(key)),
      JSON.stringify(change),
    );
});

test('rare names weigh more than common ones', () => {
  const weight = (text: string): number =>
    judge({ names: [{ text }], residentId: null }, { names: [{ text }] }).contributions.find(
      ({ attribute }) => attribute === 'name',
    )?.weight ?? 0;
  assert.ok(weight('尉迟晓明') > weight('王晓明') + 3);
});

test('likeness of words and numbers', () => {
  assert.ok(Math.abs(jaroWinkler('MARTHA', 'MARHTA') - 0.9611) < 1e-3);
  assert.ok(Math.abs(jaroWinkler('DIXON', 'DICKSONX') - 0.8133) < 1e-3);
  assert.deepEqual(
    ['12345', '12354', '1234', '12346', '54321'].map((b) => slip('12345', b)),
    ['equal', 'transposed', 'one-edit', 'one-edit', 'different'],
  );
});

test('learning without truth finds which attributes tell, and the same data give the same rules', () => {
  const person = (n: number, slipped: boolean): ReturnType<typeof of> =>
    of({
      recordId: `${String(n)}${String(slipped)}`,
      residentId: null,
      names: [
        {
          text: `person${String(n)}`,
          family: `fam${String(n % 50)}x`,
          given: slipped && n % 10 === 0 ? 'other' : `giv${String(n % 97)}`,
        },
      ],
      birthDate: `19${String(20 + (n % 80))}-0${String(1 + (n % 9))}-1${String(n % 10)}`,
      sex: n % 2 === 0 || (slipped && n % 5 === 0) ? 'male' : 'female',
      phones: [],
      address: null,
    });
  const candidates: FeaturePair[] = [];
  const random: FeaturePair[] = [];
  for (let n = 0; n < 400; n++) {
    candidates.push([person(n, false), person(n, true)], [person(n, false), person(n + 50, true)]);
    random.push([person(n, false), person(n * 7 + 13, true)]);
  }
  const input = {
    candidates,
    random,
    candidateCount: 800,
    pairCount: 160_000,
    sample: candidates.map(([a]) => a),
    start: DEFAULT_RULES,
    version: 'v',
  };
  const learned = learnRules(input);
  assert.ok(Math.abs(learned.share - 0.5) < 0.05, `share ${String(learned.share)}`);
  const given = learned.rules.odds.givenName;
  assert.ok((given.equal?.m ?? 0) > 0.8 && (given.equal?.u ?? 1) < 0.1);
  assert.ok(Math.abs((learned.rules.odds.sex.different?.m ?? 0) - 0.1) < 0.05);
  assert.deepEqual(learnRules(input), learned);
});

test('a registration of the hub gives the same features as its row in a batch', () => {
  const ids = [
    { type: 'NI', authority: '2.16.156', value: '210102198003151239' },
    { type: 'MR', authority: '2.999.156.1.1', value: '10001' },
    { type: 'PPN', authority: 'CHN', value: 'E12345678' },
  ];
  const view = {
    recordId: 'r1' as HubId,
    site: siteId('h1'),
    authority: '2.999.156.1.1',
    localId: '10001',
    names: [{ text: '张晓明', representation: 'ideographic' as const }],
    sex: 'male' as const,
    birthDate: '1980-03-15',
    identifiers: ids,
    phone: '+86 13812345678; 0571-12345678',
    address: { text: '杭州市西湖区文三路1号', postalCode: '310012' },
    maritalStatus: null,
    ethnicGroup: null,
    nationality: null,
    deceased: null,
    residentId: null,
    mergedInto: null,
  };
  const features = featuresOf(view, romanise);
  const row = of({
    issuer: view.authority,
    phones: ['13812345678', '057112345678'],
    address: view.address.text,
    postalCode: '310012',
    identifiers: ids.slice(2),
  });
  assert.deepEqual(features, row);
  // The hospital's own number says nothing elsewhere.
  assert.deepEqual(features.identifiers, ['PPN|CHN|E12345678']);
});

test('the lunar calendar is that of ICU', () => {
  const calendar = new Intl.DateTimeFormat('en-u-ca-chinese', {
    timeZone: 'UTC',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
  });
  const wrong: string[] = [];
  for (let day = Date.UTC(1900, 0, 31); day < Date.UTC(2050, 0, 1); day += 7 * 86_400_000) {
    const parts = new Map<string, string>(
      calendar.formatToParts(day).map((part) => [part.type as string, part.value] as const),
    );
    // A leap month is written `5bis`.
    const month = String(parseInt(parts.get('month') ?? '', 10)).padStart(2, '0');
    const lunar = `${parts.get('relatedYear') ?? ''}-${month}-${(parts.get('day') ?? '').padStart(2, '0')}`;
    const solar = new Date(day).toISOString().slice(0, 10);
    if (lunarOf(solar) !== lunar) wrong.push(solar);
  }
  assert.deepEqual(wrong, []);
  assert.equal(lunarOf('1899-12-31'), null);
  assert.equal(lunarOf('2199-12-31'), null);
});

test('a lunar birthday is told from another birthday, and a number that passes its check tells the birth', () => {
  assert.equal(birthDateLevel('1965-08-25', '1965-07-29'), 'lunar');
  assert.equal(birthDateLevel('1957-01-27', '1956-12-27'), 'lunar');
  assert.equal(birthDateLevel('1965-08-25', '1965-07-28'), 'year');
  const residentId = '210102198003151239';
  assert.equal(of({ residentId, birthDate: '1980-01-01' }).birthDate, '1980-03-15');
  assert.equal(of({ residentId, birthDate: '1981-09-02' }).birthDate, '1981-09-02');
});

test('another birth, and no number: a namesake of the same street waits for a person', () => {
  const numberless = { residentId: null, names: [{ text: '曲比·伍呷' }] };
  const other = judge({ ...numberless, birthDate: '2021-03-28' }, { ...numberless, birthDate: '1980-04-22' });
  assert.equal(other.veto, 'birth-date-contradicts');
  assert.equal(judge({ birthDate: '2021-03-28', residentId: null }, { birthDate: null, residentId: null }).veto, null);
});

test('one place told three times over counts once', () => {
  const place = { address: '杭州市西湖区文三路1号', locality: '西湖区', postalCode: '310012' };
  const sum = (verdict: ReturnType<typeof judge>): number =>
    verdict.contributions
      .filter(({ attribute }) => ['address', 'locality', 'postalCode'].includes(attribute))
      .reduce((all, { weight }) => all + weight, 0);
  const once = judge(
    { ...place, phones: [], locality: null, postalCode: null },
    { ...place, phones: [], locality: null, postalCode: null },
  );
  assert.equal(
    Math.round(sum(judge({ ...place, phones: [] }, { ...place, phones: [] }))),
    Math.round(Math.min(12, sum(once))),
  );
});

test('who moved lives elsewhere once, however many fields say so', () => {
  const here = { address: '杭州市西湖区文三路1号', locality: '西湖区', postalCode: '310012', phones: [] };
  const there = { address: '温州市永嘉县文晖新村16幢', locality: '永嘉县', postalCode: '325100', phones: [] };
  const places = (a: Partial<Written>, b: Partial<Written>): number =>
    judge(a, b)
      .contributions.filter(({ attribute }) => ['address', 'locality', 'postalCode'].includes(attribute))
      .reduce((all, { weight }) => all + weight, 0);
  const told = judge(here, there).contributions.filter(({ weight }) => weight < 0);
  assert.equal(told.length, 3, 'each is shown');
  const most = Math.min(...told.map(({ weight }) => weight));
  assert.ok(Math.abs(places(here, there) - most) < 0.01, 'and the heaviest counts');
  const flat = { ...there, locality: here.locality, postalCode: here.postalCode };
  assert.ok(
    judge(here, flat).contributions.every(({ level }) => level !== 'one-move'),
    'another flat of the same town',
  );
});

test('a brother’s card: beside a name one character apart the number must not tell another birth, nor the insurer another one', () => {
  const lent = { residentId: '620102200111032997', sex: 'male' as const };
  const owner = { ...lent, names: [{ text: '徐雨涵' }], birthDate: '2001-11-03' };
  assert.equal(judge(owner, { ...owner, names: [{ text: '徐雨汐' }] }).veto, null, 'a slip of the pen');
  const brother = { ...lent, names: [{ text: '徐雨汐' }], birthDate: '2001-05-11' };
  assert.equal(of(brother).bornOtherwise, true);
  assert.equal(judge(owner, brother).veto, 'name-contradicts');
  assert.notEqual(judge(owner, brother).outcome, 'none', 'somebody is asked');
  assert.equal(judge(owner, { ...brother, names: owner.names }).veto, null, 'under the same name a wrong date is one');
  const insured = (value: string): Partial<Written> => ({ identifiers: [{ type: 'HC', authority: 'x', value }] });
  const twin = { ...owner, names: [{ text: '徐雨汐' }] };
  assert.equal(
    judge({ ...owner, ...insured('1000000001') }, { ...twin, ...insured('2777777773') }).veto,
    'name-contradicts',
  );
  assert.equal(judge({ ...owner, ...insured('1000000001') }, { ...twin, ...insured('1000000001') }).veto, null);
});

test('another surname with the same given name, birth and household is asked about; brothers are not', () => {
  const home = { residentId: null, address: '瑞安市嘉和苑1幢5单元1704室' };
  const misread = judge({ ...home, names: [{ text: '王文华' }] }, { ...home, names: [{ text: '玉文华' }] });
  assert.deepEqual([misread.outcome, misread.veto], ['review', 'name-contradicts']);
  const twins = judge({ ...home, names: [{ text: '王文华' }] }, { ...home, names: [{ text: '王文明' }] });
  assert.deepEqual([twins.outcome, twins.veto], ['none', 'name-contradicts']);
});

test('a birth date that is known to the year agrees as far as it goes', () => {
  assert.equal(birthDateLevel('1980', '1980-03-15'), 'year-known');
  assert.equal(birthDateLevel('1980-03', '1980-03-15'), 'month-known');
  assert.equal(birthDateLevel('1980-04', '1980-03-15'), 'different');
  assert.equal(birthDateLevel('1980-04-20', '1980-03-15'), 'year', 'two dates of one year differ');
  const born = (a: string): number =>
    judge({ birthDate: a, residentId: null }, {}).contributions.find(({ attribute }) => attribute === 'birthDate')
      ?.weight ?? 0;
  assert.ok(born('1980') > 0 && born('1980') < born('1980-03') && born('1980-04-20') < 0);
});

test('a number that fails its check speaks against another person’s, and not against its own with a slip', () => {
  const level = (residentId: string): string | undefined =>
    judge({}, { residentId }).contributions.find(({ attribute }) => attribute === 'residentId')?.level;
  assert.equal(level('370124198204054043'), 'unlike');
  assert.equal(level('210102198003151293'), 'slip');
  assert.equal(level('210102198003152293'), undefined, 'two digits wrong');
  assert.equal(level('21010219800315'), undefined, 'cut off');
});

test('how often two are born one day is counted, not drawn', () => {
  const rows = Array.from({ length: 2000 }, (_, n) =>
    of({
      ...{ recordId: String(n), residentId: null, phones: [], address: null, names: [{ text: `person${String(n)}` }] },
      birthDate: `19${String(50 + (n % 40))}-05-17`,
    }),
  );
  const pairs = (step: number): FeaturePair[] =>
    rows.slice(0, 300).flatMap((row, n): FeaturePair[] => {
      const other = rows[n + step];
      return other === undefined ? [] : [[row, other]];
    });
  const learned = learnRules({
    ...{ candidates: pairs(40), candidateCount: 300, pairCount: (2000 * 1999) / 2, sample: rows },
    ...{ random: pairs(7), start: DEFAULT_RULES, version: 'v' },
  });
  const u = learned.rules.odds.birthDate.equal?.u ?? 0;
  assert.ok(Math.abs(u - 1 / 40) < 0.001, `one in forty, and none of those drawn: ${String(u)}`);
});

test('what a counter appends is no part of the name', () => {
  assert.equal(judge({ names: [{ text: '安美英' }] }, { names: [{ text: '安美英(自费)' }] }).veto, null);
  const marked = judge(
    { residentId: null, names: [{ text: '安美英' }] },
    { residentId: null, names: [{ text: '安美英*' }] },
  );
  assert.ok(marked.contributions.some(({ attribute, level }) => attribute === 'name' && level === 'damaged'));
});
