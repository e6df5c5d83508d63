/** Character sets as Chinese, Japanese and Korean hospitals use them: PS3.5 Annexes H to K and the vectors of the field. */
import assert from 'node:assert/strict';
import test from 'node:test';
import iconv from 'iconv-lite';
import { GB18030, chooseCharset, decodeText, splitValues } from '../../mappings/dicom/charset.ts';
import { parsePersonName } from '../../mappings/dicom/person-name.ts';

const gb = (text: string): Buffer => iconv.encode(text, 'gb18030');

function read(declared: string, bytes: Buffer, site: { charset?: string; defaultCharset?: string } = {}) {
  const choice = chooseCharset(declared === '' ? [] : declared.split('\\'), [bytes], site);
  return { text: decodeText(bytes, choice.charset, 'PN'), set: choice.charset.name, suspect: choice.suspect !== null };
}

test('PS3.5 examples', () => {
  const cases: [string, string, string][] = [
    ['GB18030', '57616e675e5869616f446f6e673dcdf55ed0a1b6ab3d', 'Wang^XiaoDong=王^小东='],
    ['ISO_IR 192', '57616e675e5869616f446f6e673de78e8b5ee5b08fe69db13d', 'Wang^XiaoDong=王^小東='],
    [
      '\\ISO 2022 IR 87',
      '59616d6164615e5461726f753d1b24423b3345441b28425e1b244242404f3a1b28423d1b24422464245e24401b28425e1b2442243f246d24261b2842',
      'Yamada^Tarou=山田^太郎=やまだ^たろう',
    ],
    [
      '\\ISO 2022 IR 149',
      '486f6e675e47696c646f6e673d1b242943fbf35e1b242943d1ced4d73d1b242943c8ab5e1b242943b1e6b5bf',
      'Hong^Gildong=洪^吉洞=홍^길동',
    ],
    ['\\ISO 2022 IR 58', '5a68616e675e5869616f446f6e673d1b242941d5c55e1b242941d0a1b6ab3d', 'Zhang^XiaoDong=张^小东='],
    ['ISO_IR 100', '4275635e4ae972f46d65', 'Buc^Jérôme'],
    ['ISO_IR 13', 'd4cfc0de5edbb3', 'ﾔﾏﾀﾞ^ﾛｳ'],
  ];
  for (const [declared, bytes, expected] of cases) {
    const { text, suspect } = read(declared, Buffer.from(bytes, 'hex'));
    assert.deepEqual({ text, suspect }, { text: expected, suspect: false }, declared);
  }
});

test('GB18030 characters whose second byte is a delimiter do not break a name', () => {
  for (const given of ['珅', '玕', '琟', '珇']) {
    const bytes = gb(`和^${given}=和^${given}`);
    const { text } = read('GB18030', bytes);
    assert.equal(text, `和^${given}=和^${given}`);
    assert.deepEqual(splitValues(decodeText(gb(`${given}\\二`), GB18030, 'LO'), 'LO'), [given, '二']);
  }
});

test('names outside GBK', () => {
  for (const [character, bytes] of [
    ['䶮', 'fe9f'],
    ['𠮷', '9534b235'],
    ['㛃', '8230b731'],
    ['𬭎', '9933a932'],
  ] as const) {
    assert.equal(read('GB18030', Buffer.from(bytes, 'hex')).text, character);
  }
});

test('the declaration is wrong, unknown or missing', () => {
  const name = gb('张三^李四');
  assert.deepEqual(read('ISO_IR 100', name), { text: '张三^李四', set: 'GB18030', suspect: true });
  assert.deepEqual(read('', name), { text: '张三^李四', set: 'GB18030', suspect: true });
  assert.deepEqual(read('NONSENSE', name), { text: '张三^李四', set: 'GB18030', suspect: true });
  assert.deepEqual(read('ISO_IR 192', name), { text: '张三^李四', set: 'GB18030', suspect: true });
  assert.deepEqual(read('', Buffer.from('张三')), { text: '张三', set: 'ISO_IR 192', suspect: true });
  assert.deepEqual(read('ISO_IR 100', Buffer.from('张三')), { text: '张三', set: 'ISO_IR 192', suspect: true });
  assert.deepEqual(read('GB18030', Buffer.from('张三')), { text: '张三', set: 'ISO_IR 192', suspect: true });
  for (const declared of ['GBK', 'ISO 2022 GBK', 'GB18030', 'gb18030', '\\ISO 2022 GBK'])
    assert.equal(read(declared, name).text, '张三^李四', declared);
  assert.equal(read('\\ISO 2022 IR 58', name).text, '张三^李四', 'escapes left out');
});

test('European names under ISO_IR 100 stay what they are', () => {
  for (const name of ['Jérôme', 'Müller', 'Ångström', 'Æøå', 'Núñez']) {
    assert.deepEqual(read('ISO_IR 100', Buffer.from(name, 'latin1')), {
      text: name,
      set: 'ISO_IR 100',
      suspect: false,
    });
  }
});

test('the site knows better', () => {
  assert.equal(read('ISO_IR 192', gb('张三'), { charset: 'GB18030' }).text, '张三');
  assert.deepEqual(read('', gb('张三'), { defaultCharset: 'GB18030' }), {
    text: '张三',
    set: 'GB18030',
    suspect: false,
  });
});

test('names in groups', () => {
  const texts = (value: string): string[] =>
    parsePersonName(value).map(({ text, representation }) => `${representation}:${text}`);
  assert.deepEqual(texts('Zhang^San=张^三'), ['alphabetic:Zhang San', 'ideographic:张三']);
  assert.deepEqual(texts('张三'), ['ideographic:张三']);
  assert.deepEqual(texts('张　三'), ['ideographic:张三']);
  assert.deepEqual(texts('阿卜杜拉•买买提'), ['ideographic:阿卜杜拉·买买提']);
  assert.deepEqual(texts('张三=李四'), ['ideographic:李四']);
  assert.deepEqual(texts('^^'), []);
  assert.equal(parsePersonName('欧阳^修')[0]?.family, '欧阳');
});
