/** Values of stored queries (ITI TF-2 §3.18.4.1.2.3.5): what is written is read back, and nothing else passes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  decodeValue,
  listed,
  parseCode,
  parseDtm,
  parseEntryId,
  parsePatientCx,
  quoted,
} from '../../mappings/xds/stored-query-value.ts';

const text = fc.string({ unit: 'grapheme' }).map((value) => value.trim());

test('a quoted string comes back as it was, whatever quotes are in it', () => {
  fc.assert(
    fc.property(text, (value) => {
      assert.deepEqual(decodeValue(quoted(value)), [value]);
    }),
  );
});

test('a list comes back as it was, with any white space around its items', () => {
  const blank = fc.stringMatching(/^[ \t\r\n]{0,3}$/);
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 6 }), blank, (values, space) => {
      assert.deepEqual(decodeValue(listed(values)), values);
      const loose = `${space}(${values.map((value) => space + quoted(value) + space).join(',')})${space}`;
      assert.deepEqual(decodeValue(loose), values);
    }),
  );
});

test('any text is decoded or refused, in time that grows with its length only', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom("'", '(', ')', ',', 'a', '1', ' '), maxLength: 200 }), (value) => {
      const decoded = decodeValue(value);
      assert.ok(decoded === null || Array.isArray(decoded));
    }),
  );
  const began = performance.now();
  for (const hostile of [
    "'".repeat(60_001),
    `(${"'',".repeat(20_000)}x)`,
    `'${'a'.repeat(65_000)}`,
    ' '.repeat(65_000),
  ])
    assert.equal(decodeValue(hostile), null);
  assert.equal(decodeValue(quoted('a'.repeat(70_000))), null);
  assert.ok(performance.now() - began < 2_000);
});

for (const [value, decoded] of [
  ['20050101', ['20050101']],
  ["( ' 1^^^&1.2.3.4&ISO' ,\n\n '2^^^&1.2.3.4&ISO')", ['1^^^&1.2.3.4&ISO', '2^^^&1.2.3.4&ISO']],
  ["('O''Brien')", ["O'Brien"]],
  ["''", ['']],
  ['()', []],
  ['(1,2)', ['1', '2']],
  ["'a','b'", null],
  ["'a' 'b'", null],
  ["('a','b'", null],
  ["'a')", null],
  ["('a',)", null],
  ["(,'a')", null],
  ["('a' or 1=1)", null],
  ['urn:uuid:a', null],
  ["'593603^^^&2.16.756.5.33.2.5.1.5.1&ISO''%20and%20611%3d611--%20", null],
  ['', null],
] as const)
  test(`the value ${JSON.stringify(value)} is ${JSON.stringify(decoded)}`, () => {
    assert.deepEqual(decodeValue(value), decoded);
  });

test('codes, times, ids and patient ids are read in their one form', () => {
  assert.deepEqual(parseCode('CT^^1.2.840.10008.2.6.1'), { code: 'CT', scheme: '1.2.840.10008.2.6.1' });
  for (const bad of ['CT', 'CT^^', '^^1.2', 'CT^1.2', 'CT^^1.2^x']) assert.equal(parseCode(bad), null, bad);
  for (const good of ['2005', '200512', '20051231', '2005123123', '200512312359', '20051231235959'])
    assert.equal(parseDtm(good), good);
  for (const bad of ['05', '20051', '200513', '20050132', '2005010124', '200501010060', '2005-01-01', ''])
    assert.equal(parseDtm(bad), null, bad);
  const uuid = 'urn:uuid:0FBFDCED-6C01-4D09-A110-2201AFEDAA02';
  assert.equal(parseEntryId(uuid), uuid.toLowerCase());
  for (const bad of ['Document01', uuid.slice(9), `${uuid}0`]) assert.equal(parseEntryId(bad), null, bad);
  assert.equal(parsePatientCx('7&a^^^SPID&2.16.756.5&ISO'), '7&a^^^&2.16.756.5&ISO');
  assert.equal(parsePatientCx('1^^^&1.2.3&ISO '), '1^^^&1.2.3&ISO');
  for (const bad of ['1', '1^^^1.2.3', '^^^&1.2.3&ISO', '1^^^&1.2.3&DNS', '1^^^&x&ISO', '1^^^&1.2.3&ISO^PI'])
    assert.equal(parsePatientCx(bad), null, bad);
});
