/** ID numbers within texts of any kind: closed wherever they stand by themselves, opened to the same text, the same every time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { idNumbersIn } from '../../hub/core/id-number.ts';
import { residentCheck } from '../../hub/core/identifier.ts';
import { numberSeal } from '../../hub/security/number-seal.ts';

const seal = numberSeal(Buffer.alloc(32, 7));
const twoDigits = (min: number, max: number): fc.Arbitrary<string> =>
  fc.integer({ min, max }).map((value) => String(value).padStart(2, '0'));
const serial = fc.integer({ min: 0, max: 999 }).map((value) => String(value).padStart(3, '0'));
const resident = fc
  .tuple(
    fc.constantFrom('110101', '210102', '810000', '911101'),
    fc.constantFrom('19', '20'),
    twoDigits(0, 99),
    twoDigits(1, 12),
    twoDigits(1, 28),
    serial,
  )
  .map((parts) => parts.join(''))
  .map((first17) => first17 + residentCheck(first17));
const former = fc
  .tuple(fc.constantFrom('110101', '440301'), twoDigits(0, 99), twoDigits(1, 12), twoDigits(1, 28), serial)
  .map((parts) => parts.join(''));
const passport = fc.constantFrom('E12345678', 'EA1234567', 'G87654321', 'CHN110101123456');
const number = fc.oneof(resident, former, passport);
const between = fc.oneof(
  fc.constantFrom(
    '',
    '|',
    '^^^&2.999.1&ISO|',
    ' ',
    '"',
    '":"',
    '_',
    '-',
    '/',
    '号',
    '，',
    '\n',
    '(',
    ')',
    '%',
    '~',
    '#',
    ';',
  ),
  fc.string({ unit: 'binary', maxLength: 6 }).filter((text) => !/[A-Za-z0-9.\\]/.test(text)),
);
const sentence = fc.array(fc.tuple(between, number), { minLength: 1, maxLength: 5 }).map((pairs) => ({
  numbers: pairs.map(([, one]) => one),
  text: pairs.map(([gap, one], at) => (at > 0 && gap === '' ? '|' : gap) + one).join(''),
}));

test('every number is closed, and opens to the same text', () => {
  fc.assert(
    fc.property(sentence, ({ numbers, text }) => {
      const closed = seal.close(text);
      for (const one of numbers) assert.ok(!closed.includes(one), closed);
      assert.equal(seal.open(closed), text);
      assert.equal(seal.open(seal.close(closed)), closed, 'a word that is sent is told as it came');
      assert.equal(seal.open(seal.close(seal.close(closed))), seal.close(closed));
      const json = JSON.stringify({ text, deep: [[text]] });
      assert.ok(!numbers.some((one) => seal.close(json).includes(one)), seal.close(json));
      assert.equal(seal.open(seal.close(json)), json);
      assert.deepEqual(JSON.parse(seal.close(json)), { text: closed, deep: [[closed]] }, 'JSON stays JSON');
    }),
  );
});

test('any text opens to itself, and lower case and LIKE do not harm it', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), number, (text, one) => {
      assert.equal(seal.open(seal.close(text)), text);
      const closed = seal.close(one);
      assert.match(closed, /^[a-z0-9]+$/);
      assert.equal(seal.open(`%${closed}|x`), `%${one}|x`);
    }),
  );
});

test('what is another number stays as it is', () => {
  for (const text of [
    '2.25.210102198003151239.1', // a component of a UID
    '1.2.210102198003151239',
    'a210102198003151239',
    '2101021980031512399',
    '20260303081500123', // a time
    '202603030815001',
    '210102198013151239', // no month
    '010102198003151239',
    '2026-03-03T08:15:00.123Z',
    'A12345678',
    '00000000-0000-8000-8000-000000000001',
    'SGVsbG8gd29ybGQ210102198003151239==',
  ])
    assert.equal(seal.close(text), text);
  assert.deepEqual(
    idNumbersIn('{"size":210102198003151239,"id":"210102198003151239"}'),
    [[33, 51]],
    'a JSON number stays one',
  );
  assert.deepEqual(idNumbersIn('{"a":"b\\\\\\"c:210102198003151239,"}'), [[13, 31]], 'not what stands within a string');
});

test('a hundred thousand numbers of a JSON text are looked through in one pass', () => {
  const numbers = Array.from({ length: 100_000 }, () => '210102198003151239').join(',');
  assert.deepEqual(idNumbersIn(`{"sizes":[${numbers}]}`), []);
  assert.equal(idNumbersIn(`{"sizes":[${numbers}],"ids":"${numbers}"}`).length, 100_000);
});

test('a word of other keys, or one that was changed, stays a word', () => {
  const closed = seal.close('210102198003151239');
  const other = numberSeal(Buffer.alloc(32, 8));
  assert.notEqual(other.close('210102198003151239'), closed);
  assert.equal(other.open(closed), closed);
  const bent = closed.replace(/.$/, (last) => (last === 'a' ? 'e' : 'a'));
  const bentWithin = closed.slice(0, 20) + (closed.charAt(20) === 'a' ? 'b' : 'a') + closed.slice(21);
  assert.equal(seal.open(bentWithin), bentWithin);
  assert.ok([bent, '210102198003151239'].includes(seal.open(bent)), 'the last letter has bits that say nothing');
});
