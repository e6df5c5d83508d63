/** Laws of the HL7 v2 codec: framing under any chunking, escapes there and back, parse and serialise, no crash ever. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Deframer, frame, type FrameEvent } from '../../adapters/hl7v2/mllp.ts';
import { escape, STANDARD, unescape, type Delimiters } from '../../mappings/hl7v2/escape.ts';
import { inspectHl7, mapHl7, splitBatch } from '../../mappings/hl7v2/index.ts';
import { parseMessage } from '../../mappings/hl7v2/message.ts';
import { readTime, writeTime } from '../../mappings/hl7v2/time.ts';
import { adt, demoSites } from '../wire/hl7v2-fixture.ts';

const limits = { frameBytes: 1 << 20, garbageBytes: 1 << 20 };
/** What may stand in a frame: anything but the marks themselves. */
const content = fc
  .uint8Array({ maxLength: 200 })
  .map((bytes) => Buffer.from(bytes.map((byte) => (byte === 0x0b || byte === 0x1c ? 0x20 : byte))));

function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const places = [...new Set([0, ...at.map((one) => one % (bytes.length + 1)), bytes.length])].sort((a, b) => a - b);
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
}

const read = (chunks: readonly Buffer[]): readonly FrameEvent[] => {
  const deframer = new Deframer(limits);
  return chunks.flatMap((chunk) => [...deframer.push(chunk)]).concat(...deframer.flush());
};

test('any frames in any chunks come out whole and in order', () => {
  fc.assert(
    fc.property(fc.array(content, { maxLength: 8 }), fc.array(fc.nat(), { maxLength: 40 }), (contents, places) => {
      const events = read(cut(Buffer.concat(contents.map(frame)), places));
      assert.deepEqual(
        events.map((event) => (event.kind === 'frame' ? event.bytes.toString('hex') : event.kind)),
        contents.map((one) => one.toString('hex')),
      );
    }),
    { numRuns: 300 },
  );
});

test('any bytes at all: the framing never throws and never grows beyond its limit', () => {
  const tight = { frameBytes: 64, garbageBytes: 64 };
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 10 }), (chunks) => {
      const deframer = new Deframer(tight);
      for (const chunk of chunks)
        for (const event of deframer.push(Buffer.from(chunk)))
          if (event.kind === 'frame') assert.ok(event.bytes.length <= 64);
    }),
    { numRuns: 300 },
  );
});

const text = fc.string({
  unit: fc.oneof(
    fc.constantFrom('|', '^', '~', '\\', '&', '\n', '\r', '.', 'F', 'X', '0', '张', '𠮷', '"', ' '),
    fc.string({ minLength: 1, maxLength: 1 }),
  ),
  maxLength: 40,
});

test('what is escaped is read back, whatever it is and whatever the delimiters are', () => {
  const marks = fc.shuffledSubarray(Array.from('|^~\\&#!*%$@'), { minLength: 5, maxLength: 5 });
  fc.assert(
    fc.property(
      text,
      marks,
      (value, [field = '', component = '', repetition = '', escaper = '', subcomponent = '']) => {
        const d: Delimiters = { field, component, repetition, escape: escaper, subcomponent };
        const written = escape(value, d);
        for (const mark of [field, component, repetition, subcomponent, '\r', '\n'])
          assert.equal(written.includes(mark), false);
        assert.equal(unescape(written, d, 'UTF-8'), value);
      },
    ),
    { numRuns: 500 },
  );
});

test('a message built from escaped fields is parsed to the same fields, and serialised to the same text', () => {
  const value = fc.string({ unit: fc.constantFrom('a', '张', '|', '^', '~', '\\', '&', '9'), maxLength: 12 });
  fc.assert(
    fc.property(fc.array(fc.array(value, { minLength: 1, maxLength: 6 }), { maxLength: 6 }), (rows) => {
      const lines = rows.map((fields) => `ZZZ|${fields.map((one) => escape(one)).join('|')}`);
      const whole = `${['MSH|^~\\&|A', ...lines].join('\r')}\r`;
      const parsed = parseMessage(whole, 'UTF-8');
      assert.ok(parsed.ok);
      assert.equal(parsed.value.serialise(), whole);
      rows.forEach((fields, row) =>
        fields.forEach((one, at) => assert.equal(parsed.value.segments[row + 1]?.field(at + 1).whole(), one)),
      );
    }),
  );
});

test('unescaping any text never throws and never lengthens it much', () => {
  fc.assert(
    fc.property(text, (value) => assert.ok(unescape(value, STANDARD, 'GB18030').length <= value.length * 20)),
    { numRuns: 500 },
  );
});

test('a time that the hub writes, it reads', () => {
  fc.assert(
    fc.property(
      fc.date({ min: new Date('1950-01-01'), max: new Date('2100-01-01'), noInvalidDate: true }),
      fc.constantFrom('Asia/Shanghai', 'Asia/Urumqi', 'UTC'),
      (at, timeZone) => {
        const seconds = new Date(Math.floor(at.getTime() / 1_000) * 1_000);
        assert.equal(readTime(writeTime(seconds, timeZone), { timeZone, dateFormats: [] }), seconds.toISOString());
      },
    ),
  );
});

test('a message with any bytes changed, cut or doubled ends as accepted, refused or review, never as a crash', async () => {
  const site = (await demoSites()).byId('h1');
  assert.ok(site);
  const whole = Buffer.from(
    `${adt('M-1').replace('ADT^A04^ADT_A01', 'ORU^R01')}OBR|1|P1|F1|CT^x|||20260302||||||||||||||||||F\rOBX|1|TX|a^所见||text\\.br\\more||||||F\rOBX|2|ED|||^AP^PDF^Base64^JVBERi0xLjQK||||||F\r`,
  );
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 12 }),
      fc.nat(whole.length),
      fc.boolean(),
      (changes, end, doubled) => {
        const bytes = Buffer.from(whole);
        for (const [at, byte] of changes) bytes[at] = byte;
        const sent = doubled ? Buffer.concat([bytes, bytes.subarray(0, end)]) : bytes.subarray(0, Math.max(end, 10));
        for (const message of splitBatch(sent).messages) {
          const inspection = inspectHl7(message, site);
          const mapped = mapHl7({ bytes: message, receivedAt: '2026-03-02T00:00:00.000Z' }, site);
          if (inspection.ok) assert.ok(inspection.value.header.controlId !== '');
          if (mapped.ok) assert.ok(mapped.records.length > 0 && !JSON.stringify(mapped.records).includes('\\u0000'));
        }
      },
    ),
    { numRuns: 500 },
  );
});
