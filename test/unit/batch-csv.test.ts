/** CSV as RFC 4180 writes it, in chunks of any size and in the character sets that hospitals export. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import iconv from 'iconv-lite';
import { CsvParser, decoderFor } from '../../mappings/batch/csv.ts';
import { readFields, rowReader } from '../../mappings/batch/row.ts';

function parse(chunks: readonly string[]): string[][] | string {
  const parser = new CsvParser();
  const rows: string[][] = [];
  for (const chunk of [...chunks, null]) {
    const result = chunk === null ? parser.end() : parser.push(chunk);
    if (!result.ok) return result.problem.text;
    rows.push(...result.value);
  }
  return rows;
}

test('what was written comes back, however it is cut', () => {
  const cell = fc.oneof(fc.string({ maxLength: 6 }), fc.constantFrom('a"b', 'x,y', 'line\r\nbreak', '张三', ''));
  const table = fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { maxLength: 5 });
  fc.assert(
    fc.property(table, fc.constantFrom('\n', '\r\n'), fc.integer({ min: 1, max: 7 }), (rows, end, size) => {
      const text = rows.map((row) => row.map((value) => `"${value.replaceAll('"', '""')}"`).join(',') + end).join('');
      const chunks = Array.from({ length: Math.ceil(text.length / size) }, (_, at) =>
        text.slice(at * size, (at + 1) * size),
      );
      assert.deepEqual(parse(chunks), rows);
    }),
  );
});

test('unquoted fields, empty lines and a missing last line break', () => {
  assert.deepEqual(parse(['a,b\r\n\r\n1,\n', ',2']), [
    ['a', 'b'],
    ['1', ''],
    ['', '2'],
  ]);
});

test('what is no CSV is told and not guessed', () => {
  assert.match(String(parse(['a"b,c\n'])), /quote inside/);
  assert.match(String(parse(['"a"b,c\n'])), /after a closing quote/);
  assert.match(String(parse(['"a,b\n'])), /not closed/);
  assert.match(String(parse(['a'.repeat(70_000)])), /too long/);
  assert.match(String(parse([','.repeat(600) + '\n'])), /more than/);
});

test('UTF-8 with and without a mark, UTF-16 and GB18030 are told apart', () => {
  const text = '姓名,张三䶮\n';
  for (const [encoding, mark] of [
    ['utf-8', false],
    ['utf-8', true],
    ['utf-16le', true],
    ['gb18030', false],
  ] as const) {
    const bytes = iconv.encode(text, encoding, { addBOM: mark });
    const decoder = decoderFor(bytes);
    const decoded = decoder.write(bytes) + (decoder.end() ?? '');
    assert.equal(decoded.replace(/^\uFEFF/u, ''), text, encoding);
  }
  const cut = Buffer.from(text).subarray(0, 8);
  assert.equal(decoderFor(cut).write(Buffer.from(text)), text);
});

test('fields say what a column means, and a row is read by them', () => {
  const fields = readFields(
    '{"id":"record_id","name":"full_name","born":"birth_date","sex":"sex","tel":"phone","ppn":"identifier"}',
  );
  assert.ok(fields.ok);
  const read = rowReader(['\uFEFFid', ' name', 'born', 'sex', 'tel', 'ppn', 'other'], fields.value, 'a');
  assert.ok(read.ok);
  const row = read.value(['7', ' 张三 ', '15/03/1980', '女', '13812345678;057112345678', 'E1234567', 'x']);
  assert.equal(row?.recordId, '7');
  assert.deepEqual(row.names, [{ text: '张三' }]);
  assert.equal(row.birthDate, '1980-03-15');
  assert.equal(row.sex, 'female');
  assert.deepEqual(row.phones, ['13812345678', '057112345678']);
  assert.deepEqual(row.identifiers, [{ type: 'column', authority: 'ppn', value: 'E1234567' }]);
  assert.equal(read.value(['', '张三']), null);
  for (const wrong of ['[]', '{', '{"a":"name"}', '{"a":"full_name"}']) assert.ok(!readFields(wrong).ok, wrong);
  assert.ok(!rowReader(['x'], fields.value, '').ok);
});
