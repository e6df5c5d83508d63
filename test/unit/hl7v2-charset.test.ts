/** The charset is decided before tokenising: the vectors of CODES §7, every spelling of MSH-18, and wrong declarations. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import iconv from 'iconv-lite';
import { charsetOf, decodeMessage, encodeText, repairMojibake, type Decoded } from '../../mappings/hl7v2/charset.ts';
import { readHeader } from '../../mappings/hl7v2/header.ts';
import { parseMessage } from '../../mappings/hl7v2/message.ts';

const text = (name: string, declared = ''): string =>
  `MSH|^~\\&|RIS|H1|||20260302||ADT^A04|1|P|2.4||||||${declared}\rPID|1||1||${name}||19800315|M\r`;
const gb = (name: string, declared = ''): Buffer => iconv.encode(text(name, declared), 'gb18030');

function decode(bytes: Buffer, declared: readonly string[] = [], belief = {}): Decoded {
  const decoded = decodeMessage(bytes, declared, belief);
  assert.ok(decoded.ok, 'does not decode');
  return decoded.value;
}

const nameOf = (decoded: Decoded): string => {
  const parsed = parseMessage(decoded.text, decoded.charset);
  assert.ok(parsed.ok);
  return parsed.value.first('PID')?.text(5) ?? '';
};

test('MSH-18 in all its spellings', () => {
  for (const label of ['GB 18030-2000', 'GB18030', 'gbk', 'GB2312', 'GB_2312-80', 'CP936', 'gb 18030 - 2000'])
    assert.equal(charsetOf(label), 'GB18030', label);
  for (const label of ['UNICODE UTF-8', 'UTF-8', 'utf8', 'UNICODE', 'Unicode utf-8'])
    assert.equal(charsetOf(label), 'UTF-8', label);
  assert.equal(charsetOf('8859/1'), 'ISO-8859-1');
  assert.equal(charsetOf('8859/15'), 'ISO-8859-15');
  assert.equal(charsetOf('ASCII'), 'ASCII');
  assert.equal(charsetOf('BIG-5'), 'Big5');
  assert.equal(charsetOf('8859/12'), null);
  assert.equal(charsetOf('KLINGON'), null);
});

test('names whose GB18030 trail bytes are delimiters survive, declared or not', () => {
  // 珅 AB7C holds `|`, 珇 AB7E `~`, 玕 AB5C `\`, 琟 AC5E `^` (CODES §7.2)
  assert.deepEqual(
    ['珅', '珇', '玕', '琟'].map((char) => iconv.encode(char, 'gb18030').toString('hex')),
    ['ab7c', 'ab7e', 'ab5c', 'ac5e'],
  );
  for (const name of ['和珅', '王珇', '李玕', '陈琟']) {
    for (const declared of ['GB 18030-2000', 'GBK', '']) {
      const decoded = decode(gb(name, declared), declared === '' ? [] : [declared]);
      assert.equal(nameOf(decoded), name);
      assert.equal(decoded.charset, 'GB18030');
      assert.deepEqual(decoded.findings, []);
    }
  }
});

test('characters outside GBK: 䶮 𠮷 㛃 𬭎', () => {
  for (const [char, hex] of [
    ['䶮', 'fe9f'],
    ['𠮷', '9534b235'],
    ['㛃', '8230b731'],
    ['𬭎', '9933a932'],
  ] as const) {
    const bytes = Buffer.concat([
      Buffer.from(text('刘').split('刘')[0] ?? ''),
      Buffer.from(hex, 'hex'),
      Buffer.from('||19800315|M\r'),
    ]);
    assert.equal(nameOf(decode(bytes, ['GB 18030-2000'])), char);
    assert.equal(nameOf(decode(Buffer.from(text(char)), ['UNICODE UTF-8'])), char);
    assert.equal(encodeText(char, 'GB18030').toString('hex'), hex);
  }
});

test('a wrong declaration is seen through, with a finding', () => {
  const wrongUtf8 = decode(gb('张三丰'), ['UNICODE UTF-8']);
  assert.equal(nameOf(wrongUtf8), '张三丰');
  assert.equal(wrongUtf8.findings[0]?.code, 'charset-suspect');
  const wrongGb = decode(Buffer.from(text('张三丰')), ['GB 18030-2000']);
  assert.equal(nameOf(wrongGb), '张三丰');
  assert.equal(wrongGb.findings[0]?.code, 'charset-suspect');
  const latin = decode(gb('张三'), ['8859/1']);
  assert.equal(nameOf(latin), '张三');
  assert.equal(latin.findings.length, 1);
  const ascii = decode(gb('张三'), ['ASCII', 'GB 18030-2000']);
  assert.equal(nameOf(ascii), '张三');
  const unknown = decode(gb('张三'), ['GB-MAYBE']);
  assert.equal(nameOf(unknown), '张三');
  assert.match(unknown.findings[0]?.text ?? '', /not known/);
});

test('a true Latin-1 declaration is believed, and GBK that happens to be valid UTF-8 is not taken for it', () => {
  const latin = decode(Buffer.from(text('Müller^Jürgen'), 'latin1'), ['8859/1']);
  assert.equal(nameOf(latin), 'Müller');
  assert.equal(latin.charset, 'ISO-8859-1');
  // 联通 in GBK is two valid two-byte sequences of UTF-8.
  assert.equal(nameOf(decode(gb('联通'), ['GBK'])), '联通');
});

test('detection: UTF-8, then GB18030; Big5 doubt is noted; sparse Latin-1 last', () => {
  assert.equal(nameOf(decode(Buffer.from(text('张三')))), '张三');
  assert.equal(nameOf(decode(gb('张三'))), '张三');
  const big5 = decode(iconv.encode(text('陳小龍華'), 'big5'));
  assert.match(big5.findings[0]?.text ?? '', /Big5/);
  assert.equal(nameOf(decode(iconv.encode(text('陳小龍'), 'big5'), ['BIG-5'])), '陳小龍');
  const latin = decode(Buffer.from(text('Andr\u00e9').replace('Andr\u00e9|', 'Andr\u00e9  |'), 'latin1'));
  assert.equal(latin.charset, 'ISO-8859-1');
  assert.equal(latin.findings[0]?.code, 'charset-suspect');
});

test('the site decides: override before declaration, default before detection', () => {
  assert.equal(nameOf(decode(gb('张三'), ['8859/1'], { charset: 'GB18030' })), '张三');
  assert.deepEqual(decode(gb('张三'), ['8859/1'], { charset: 'GB18030' }).findings, []);
  assert.equal(decode(iconv.encode(text('陳小龍'), 'big5'), [], { defaultCharset: 'BIG5' }).charset, 'Big5');
  const failed = decode(Buffer.from(text('张三')), [], { charset: 'GB18030', defaultCharset: 'GB18030' });
  assert.ok(failed.findings.length > 0);
  assert.equal(decode(Buffer.from(text('Smith'), 'latin1'), [], { defaultCharset: 'GB18030' }).charset, 'GB18030');
});

test('Chinese that was read as Latin-1 and encoded again is turned back, European names are not', () => {
  assert.equal(repairMojibake('ÕÅÈý').text, '张三');
  assert.equal(repairMojibake('å¼\u00a0ä¸\u0089').text, '张三');
  assert.equal(repairMojibake('Müller-Lüdenscheidt').text, 'Müller-Lüdenscheidt');
  assert.equal(repairMojibake('Ångström Éåé').repaired, 0);
  const decoded = decode(Buffer.from(text('ÕÅÈý')), ['UNICODE UTF-8']);
  assert.equal(nameOf(decoded), '张三');
  assert.equal(decoded.findings[0]?.code, 'charset-suspect');
});

test('marks and wide encodings: UTF-8 and GB18030 marks are passed over, UTF-16 is refused clearly', () => {
  for (const bytes of [Buffer.from(`\uFEFF${text('张三')}`), iconv.encode(`\uFEFF${text('张三')}`, 'gb18030')]) {
    const header = readHeader(bytes);
    assert.ok(header.ok);
    assert.equal(header.value.controlId, '1');
    assert.equal(nameOf(decode(bytes)), '张三');
  }
  for (const bytes of [
    Buffer.from(`\uFEFF${text('张三')}`, 'utf16le'),
    Buffer.from(text('张三'), 'utf16le'),
    Buffer.from(text('张三'), 'utf16le').swap16(),
  ]) {
    const header = readHeader(bytes);
    assert.ok(!header.ok);
    assert.equal(header.problem.code, 'charset');
    assert.match(header.problem.text, /UTF-16/);
  }
});

test('bytes that are no text in any set are refused, not guessed', () => {
  const broken = Buffer.concat([gb('张三'), Buffer.from([0xff, 0xff, 0xfe, 0xff])]);
  const decoded = decodeMessage(broken, ['GB 18030-2000'], {});
  assert.equal(decoded.ok, false);
});
