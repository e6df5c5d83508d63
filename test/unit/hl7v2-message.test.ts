/** The tokenizer and the escapes: any delimiters, any line ends, nothing lost, nothing crashed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { escape, STANDARD, unescape } from '../../mappings/hl7v2/escape.ts';
import { splitBatch, wrapBatch } from '../../mappings/hl7v2/batch.ts';
import { parseMessage, type Message } from '../../mappings/hl7v2/message.ts';
import { offsetAt, readDate, readTime, writeTime } from '../../mappings/hl7v2/time.ts';

function parse(text: string): Message {
  const parsed = parseMessage(text, 'UTF-8');
  assert.ok(parsed.ok);
  return parsed.value;
}
const MSH = 'MSH|^~\\&|A|B|||20260302||ADT^A04|1|P|2.5';

test('CR, LF, CRLF and blank lines end segments alike', () => {
  for (const end of ['\r', '\n', '\r\n', '\r\r', '\r\n\r\n'])
    assert.deepEqual(
      parse([MSH, 'PID|1', 'ZZZ|x^y&z~w', ''].join(end)).segments.map((one) => one.name),
      ['MSH', 'PID', 'ZZZ'],
    );
});

test('a line feed inside a text of a CR message continues the segment', () => {
  const message = parse(`${MSH}\rOBX|1|TX|||first\nsecond line|||\rNTE|1\r`);
  assert.deepEqual(
    message.segments.map((one) => one.name),
    ['MSH', 'OBX', 'NTE'],
  );
  assert.equal(message.first('OBX')?.whole(5).whole(), 'first\nsecond line');
});

test('other delimiters', () => {
  const message = parse('MSH#*!%$#A#B###2026##ADT*A04#1#P#2.5\rPID#1##7*8$9!x##a%F%b');
  const pid = message.first('PID');
  assert.equal(pid?.text(3, 2, 2), '9');
  assert.equal(pid.repetitions(3)[1]?.field.text(1), 'x');
  assert.equal(pid.text(5), 'a#b');
  assert.equal(message.msh.rawField(1), '#');
  assert.equal(message.msh.rawField(2), '*!%$');
});

test('unusable delimiters are refused', () => {
  for (const text of [
    'MSH',
    'MSH|',
    'MSH|^^~&|',
    'MSH||',
    'MSHA^~\\&A',
    'MSH \t',
    'PID|1',
    '',
    '\u0000MSH|^~\\&|',
    'MSH|^~\\&#!?|',
  ])
    assert.equal(parseMessage(text, 'UTF-8').ok, false, JSON.stringify(text));
});

test('null, empty and absent are told apart; Z segments and unknown names are kept', () => {
  const message = parse(`${MSH}\rPID|1|""|a||\rZQQ|b&c\rconstructor|1\r__proto__|2\r`);
  const pid = message.first('PID');
  assert.equal(pid?.field(2).isNull, true);
  assert.equal(pid.text(2), '');
  assert.equal(pid.field(9).isNull, false);
  assert.equal(message.serialise(), `${MSH}\rPID|1|""|a||\rZQQ|b&c\rconstructor|1\r__proto__|2\r`);
  assert.equal(message.first('toString'), undefined);
});

test('escapes: delimiters, hex, formatting; the unknown stays as it was', () => {
  const read = (text: string): string => unescape(text, STANDARD, 'GB18030');
  assert.equal(read('a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f\\P\\'), 'a|b^c&d~e\\f#');
  assert.equal(read('line\\.br\\next\\.sp2\\end'), 'line\nnext\n\nend');
  assert.equal(read('\\H\\bold\\N\\'), 'bold');
  assert.equal(read('\\XD5C5\\'), '张');
  assert.equal(read('\\X0D0A\\'), '\r\n');
  assert.equal(read('\\Zunknown\\ \\Q\\'), '\\Zunknown\\ \\Q\\');
  assert.equal(read('50\\% and a\\F\\b'), '50\\% and a|b');
  assert.equal(read('tail\\'), 'tail\\');
  assert.equal(read('\\C2842\\x'), 'x');
  assert.equal(read('\\M2441\\UE\\C2842\\A'), '张A');
  assert.equal(read('C:\\dir\\file'), 'C:\\dir\\file');
});

test('what the hub writes, it reads back', () => {
  for (const text of ['a|b^c~d\\e&f', '第一行\n第二行', '\\', '\\F\\', '\r'])
    assert.equal(unescape(escape(text), STANDARD, 'UTF-8'), text);
});

test('control characters and NUL never reach a record', () => {
  const message = parse(`${MSH}\rPID|1||a\u0000b\\X00\\c\u0007d`);
  // Dropped, they would make one number into another; what stands for them marks the value as damaged.
  assert.equal(message.first('PID')?.text(3), 'a\ufffdb\ufffdc\ufffdd');
  assert.equal(message.first('PID')?.whole(3).whole(), 'abcd');
});

test('bombs: a million delimiters, ten thousand repetitions, too many segments', () => {
  const started = Date.now();
  const message = parse(
    `${MSH}\rPID|1||${'~'.repeat(10_000)}x|${'|'.repeat(1_000_000)}\rNTE|${'^'.repeat(500_000)}|${'\\'.repeat(300_001)}\r`,
  );
  assert.equal(message.first('PID')?.repetitions(3).length, 0);
  assert.equal(message.first('NTE')?.text(1, 400_000), '');
  assert.ok((message.first('NTE')?.whole(2).whole().length ?? 0) > 0);
  assert.equal(parseMessage(`${MSH}\r${'NTE|1\r'.repeat(20_001)}`, 'UTF-8').ok, false);
  assert.equal(parseMessage(`${MSH}\r${'\n'.repeat(200_000)}`, 'UTF-8').ok, false);
  assert.ok(Date.now() - started < 3_000);
});

test('batches are cut into their messages and counted', () => {
  const one = `${MSH}\rPID|1||1\r`;
  const batch = splitBatch(Buffer.from(`FHS|^~\\&|A|B|C|D\rBHS|^~\\&|A|B|C|D\r${one}${one}BTS|3\rFTS|1\r`));
  assert.deepEqual(batch.messages.map(String), [one, one]);
  assert.equal(batch.told, 3);
  const answer = wrapBatch(batch, [Buffer.from('MSH|1\r')], '20260302', 'X1').toString();
  assert.equal(
    answer,
    'FHS|^~\\&|C|D|A|B|20260302||||X1\rBHS|^~\\&|C|D|A|B|20260302||||X1\rMSH|1\rBTS|1|2 messages came\rFTS|1\r',
  );
  assert.equal(splitBatch(Buffer.from(`${one}${one}`)).messages.length, 2);
  assert.equal(splitBatch(Buffer.from(one)).messages.length, 1);
  assert.equal(splitBatch(Buffer.from('hello')).messages.length, 1);
  assert.equal(splitBatch(Buffer.from('FHS|^~\\&|A\rBHS|^~\\&\rBTS|0\r')).messages.length, 0);
});

test('dates keep their precision; what is no date is none', () => {
  const belief = { timeZone: 'Asia/Shanghai', dateFormats: ['yyyy/M/d H:mm:ss', "yyyy-MM-dd'T'HH:mm:ss'Z'"] };
  assert.deepEqual(readDate('1980', belief), { date: '1980' });
  assert.deepEqual(readDate('198003', belief), { date: '1980-03' });
  assert.deepEqual(readDate('19800315083000', belief), { date: '1980-03-15' });
  assert.deepEqual(readDate('1980-03-15', belief), { date: '1980-03-15' });
  assert.deepEqual(readDate('2019/6/12 8:14:07', belief), { date: '2019-06-12' });
  assert.equal(readDate('19990230', belief), 'invalid');
  assert.equal(readDate('19000101', belief), 'placeholder');
  assert.equal(readDate('00010101', belief), 'placeholder');
  assert.equal(readDate('yesterday', belief), 'invalid');
});

test('times: offset, the zone of the site, summer time of 1988, midnight as 24:00, formats of the site', () => {
  const belief = { timeZone: 'Asia/Shanghai', dateFormats: ['yyyy/M/d H:mm:ss', "yyyy-MM-dd'T'HH:mm:ss'Z'"] };
  assert.equal(readTime('20260302090000', belief), '2026-03-02T01:00:00.000Z');
  assert.equal(readTime('20260302090000.123+0000', belief), '2026-03-02T09:00:00.123Z');
  assert.equal(readTime('202603020900-0500', belief), '2026-03-02T14:00:00.000Z');
  assert.equal(readTime('20260302T090000', belief), '2026-03-02T01:00:00.000Z');
  assert.equal(readTime('19880701120000', belief), '1988-07-01T03:00:00.000Z');
  assert.equal(readTime('202603022400', belief), '2026-03-02T16:00:00.000Z');
  assert.equal(readTime('2019/6/12 8:14:07', belief), '2019-06-12T00:14:07.000Z');
  assert.equal(readTime('2019-06-12T08:14:07Z', belief), '2019-06-12T00:14:07.000Z');
  assert.equal(readTime('2019-06-12T08:14:07Z', { ...belief, dateFormats: [] }), '2019-06-12T08:14:07.000Z');
  assert.equal(readTime('20260302', belief), '2026-03-01T16:00:00.000Z');
  for (const wrong of ['20260230090000', '202603029900', '20260302096100', 'x', '20260302090000+9900'])
    assert.equal(readTime(wrong, belief), null, wrong);
  assert.equal(offsetAt('Asia/Kathmandu', Date.parse('2026-01-01')), 345);
  assert.equal(writeTime(new Date('2026-03-02T01:00:00Z'), 'Asia/Shanghai'), '20260302090000+0800');
  assert.equal(writeTime(new Date('2026-03-02T01:00:00Z'), 'America/New_York'), '20260301200000-0500');
});
