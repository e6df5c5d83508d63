/** Laws of the REST mapping: it never throws, whatever arrives; lines are the same in any chunking; nothing crosses sites. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readLines } from '../../hub/api/rest/body.ts';
import { FIELDS } from '../../mappings/rest/fields.ts';
import type { Kind } from '../../mappings/rest/index.ts';
import { mapRest, MESSAGE_TYPES, parseObject } from '../../mappings/rest/index.ts';
import { siteProfile } from '../support/site.ts';

const site = siteProfile('h1');
const kinds = Object.keys(MESSAGE_TYPES) as Kind[];

const mapped = (kind: Kind, bytes: Uint8Array): ReturnType<typeof mapRest> =>
  mapRest(
    {
      channel: 'rest',
      site: site.id,
      sender: 's',
      peer: '127.0.0.1',
      controlId: 'c',
      messageType: MESSAGE_TYPES[kind],
      contentType: 'application/json',
      bytes,
      patientKey: '',
      answer: new Uint8Array(0),
      receivedAt: '2026-03-03T02:00:00.000Z',
    },
    site,
  );

test('any bytes, and any JSON under the contract’s names, end in records or in a problem, and twice in the same', () => {
  const value = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.jsonValue(),
    fc.constantFrom('19800230', '24:00', '1', '是', '2019/6/12 8:14:07', '210102198003151239'),
  );
  const body = (kind: Kind): fc.Arbitrary<object> =>
    fc.dictionary(fc.constantFrom(...Object.keys(FIELDS[kind]), '__proto__', 'x'), value);
  fc.assert(
    fc.property(
      fc.constantFrom(...kinds).chain((kind) => fc.tuple(fc.constant(kind), body(kind))),
      ([kind, object]) => {
        const bytes = Buffer.from(JSON.stringify({ patientId: 'P1', ...object }));
        const result = mapped(kind, bytes);
        assert.deepEqual(mapped(kind, bytes), result);
        if (!result.ok) return;
        assert.ok(result.records.length > 0);
        for (const record of result.records) {
          assert.equal(record.site, 'h1');
          assert.match(record.at, /^-?\+?\d{4,6}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
        }
      },
    ),
    { numRuns: 400 },
  );
  fc.assert(
    fc.property(fc.constantFrom(...kinds), fc.uint8Array({ maxLength: 200 }), (kind, bytes) =>
      assert.equal(mapped(kind, bytes).ok, false),
    ),
    { numRuns: 200 },
  );
});

test('what JSON.stringify writes is read back, unless a number has too many digits', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.oneof(fc.string({ unit: 'grapheme' }), fc.integer(), fc.array(fc.string()))),
      (object) => {
        const text = JSON.stringify(object);
        const read = parseObject(text);
        assert.ok(read.ok);
        assert.equal(JSON.stringify(read.value), text);
      },
    ),
  );
});

test('lines are the same whatever the chunks', async () => {
  const line = fc.oneof(
    fc.constant(''),
    fc.string({ unit: 'binary', maxLength: 30 }).map((text) => text.replace(/[\r\n]/g, '')),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(line, { maxLength: 20 }),
      fc.array(fc.nat(60), { maxLength: 10 }),
      fc.constantFrom('\n', '\r\n'),
      async (texts, cuts, end) => {
        const whole = Buffer.from(texts.join(end));
        const marks = [0, ...cuts.map((cut) => Math.min(cut, whole.length)).sort((a, b) => a - b), whole.length];
        async function* chunks(): AsyncGenerator<Buffer> {
          for (let at = 1; at < marks.length; at++) yield whole.subarray(marks[at - 1], marks[at]);
        }
        const read: [number, string][] = [];
        for await (const one of readLines(chunks(), 1_000))
          read.push([one.number, 'bytes' in one ? one.bytes.toString() : 'too long']);
        const expected = texts
          .map((text, at): [number, string] => [at + 1, Buffer.from(text).toString()])
          .filter(([, text]) => text !== '');
        assert.deepEqual(read, expected);
      },
    ),
    { numRuns: 200 },
  );
});

test('a line over the limit is told and the next one is read', async () => {
  async function* chunks(): AsyncGenerator<Buffer> {
    for (let n = 0; n < 100; n++) yield Buffer.alloc(1_000, 'x');
    yield Buffer.from('\nshort\n');
  }
  const read: unknown[] = [];
  for await (const one of readLines(chunks(), 5_000)) read.push('bytes' in one ? one.bytes.toString() : one.head);
  assert.deepEqual(read, [Buffer.alloc(6_000, 'x'), 'short']);
});
