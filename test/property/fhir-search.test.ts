/** Laws of the FHIR mapping: dates cover what they say, names are found by their parts, XML holds any text. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import { after } from '../../hub/store/fhir-query.ts';
import { splitValues, unescape } from '../../hub/api/fhir/search-value.ts';
import { text } from '../../mappings/fhir/datatypes.ts';
import { dateRange, prefixedDate } from '../../mappings/fhir/search-date.ts';
import { grams, normalise } from '../../mappings/fhir/search-text.ts';
import { toXml } from '../../mappings/fhir/xml.ts';

/** Unicode of any plane, lone surrogates and control characters among it: what a hospital may send. */
const anyText = fc.string({ unit: 'binary', maxLength: 40 });
const loneSurrogates = fc
  .array(fc.integer({ min: 0xd7f0, max: 0xe00f }), { maxLength: 8 })
  .map((units) => String.fromCharCode(...units));
const hostile = fc.oneof(anyText, loneSurrogates, fc.string({ maxLength: 40 }));

test('a date of any precision covers the instants within it, and only those', () => {
  fc.assert(
    fc.property(
      fc.date({ min: new Date('1900-01-02'), max: new Date('2099-12-30'), noInvalidDate: true }),
      (instant) => {
        const iso = instant.toISOString();
        const local = new Date(instant.getTime() + 8 * 3_600_000).toISOString();
        for (const written of [iso, local.slice(0, 4), local.slice(0, 7), local.slice(0, 10), `${iso.slice(0, 19)}Z`]) {
          const range = dateRange(written);
          assert.ok(range, written);
          assert.ok(range.low <= iso && iso < range.high, `${written}: ${range.low} ${iso} ${range.high}`);
          assert.ok(Date.parse(range.high) - Date.parse(range.low) <= 367 * 86_400_000);
        }
      },
    ),
  );
});

test('what is no date is refused, whatever it is', () => {
  for (const bad of [
    '2024-02-30',
    '2023-02-29',
    '2024-13',
    '2024-00-01',
    '24-01-01',
    '2024-01-01T25:00Z',
    '',
    'now',
    '2024-1-1',
  ])
    assert.equal(dateRange(bad), null, bad);
  assert.ok(dateRange('2024-02-29'));
  fc.assert(fc.property(hostile, (value) => void prefixedDate(value)));
});

test('a text is found by its beginning and by its grams, however it is written', () => {
  fc.assert(
    fc.property(hostile, hostile, hostile, (head, middle, tail) => {
      const whole = normalise(head + middle + tail);
      assert.equal(normalise(whole), whole, 'normalising again changes nothing');
      const part = Array.from(whole).slice(1, 4).join('');
      const carried = new Set(grams(whole, false));
      for (const gram of grams(part, true)) assert.ok(carried.has(gram), `${gram} of ${part} in ${whole}`);
      const prefix = Array.from(whole).slice(0, 2).join('');
      if (prefix !== '') {
        const [low, bound, full] = [prefix, after(prefix), whole].map((one) => Buffer.from(one.toWellFormed()));
        assert.ok(low && bound && full && Buffer.compare(low, full) <= 0 && Buffer.compare(full, bound) < 0);
      }
    }),
  );
  assert.equal(normalise('ZHANG  San'), 'zhang san');
  assert.equal(normalise('Lǚ'), 'lu');
  assert.equal(normalise('欧 阳　修'), '欧阳修');
  assert.equal(normalise('阿不都•热合曼'), normalise('阿不都·热合曼'));
});

test('escaped separators come back as they were', () => {
  const escape = (value: string): string => value.replace(/[,|$\\]/g, '\\$&');
  fc.assert(
    fc.property(fc.array(hostile, { minLength: 1, maxLength: 4 }), (values) => {
      assert.deepEqual(splitValues(values.map(escape).join(','), ',').map(unescape), values);
    }),
  );
});

test('any text makes a well-formed document that says the same', () => {
  fc.assert(
    fc.property(hostile, (value) => {
      const clean = text(value);
      const xml = toXml({ resourceType: 'Patient', name: [{ text: value }], _birthDate: { id: 'b' } } as never);
      const read = execFileSync('xmllint', ['--xpath', `string(//*[local-name()='text']/@value)`, '-'], { input: xml })
        .toString()
        .slice(0, -1);
      assert.equal(read.trim(), clean ?? '');
    }),
    { numRuns: 40 },
  );
});

test('XML keeps the order of the definition, attributes, primitive extensions and the narrative', () => {
  const resource = {
    resourceType: 'Patient',
    birthDate: '1980',
    _birthDate: { extension: [{ url: 'urn:x', valueCode: 'a' }] },
    active: true,
    id: 'p',
    text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">a<br/></div>' },
    name: [{ given: ['A', 'B'], _given: [null, { id: 'g' }], id: 'n' }],
    contained: [{ resourceType: 'Organization', id: 'o' }],
  };
  assert.equal(
    toXml(resource),
    '<?xml version="1.0" encoding="UTF-8"?><Patient xmlns="http://hl7.org/fhir"><id value="p"/>' +
      '<text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml">a<br/></div></text>' +
      '<contained><Organization><id value="o"/></Organization></contained><active value="true"/>' +
      '<name id="n"><given value="A"/><given id="g" value="B"/></name>' +
      '<birthDate value="1980"><extension url="urn:x"><valueCode value="a"/></extension></birthDate></Patient>',
  );
});
