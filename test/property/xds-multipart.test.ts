/** Laws of the package reader: chunking never matters, what was packed comes out, and a cut is never taken for the end. */
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  includeTag,
  packageEnd,
  packageType,
  partHead,
  readPackage,
  rootHead,
  binaryOf,
} from '../../mappings/xds/mtom.ts';
import { parseXml, xml } from '../../mappings/xds/xml.ts';

const LIMITS = { bytes: 1 << 20, parts: 100 };

/** Bytes that love boundaries: line ends, dashes and the boundary itself without its line. */
const awkward = fc
  .array(
    fc.oneof(
      fc.constantFrom('\r\n', '\n', '\r', '--', '-', '--bound', 'bound', '\r\n--bou'),
      fc.string({ maxLength: 5 }),
    ),
    { maxLength: 30 },
  )
  .map((pieces) =>
    Buffer.from(
      pieces
        .join('')
        .replace(/\n--bound/g, '\n-bound')
        .replace(/^--bound/, 'bound'),
      'latin1',
    ),
  );

function packed(parts: readonly Buffer[]): Buffer {
  const chunks: Buffer[] = [Buffer.from(`${rootHead('bound', 'root@x')}<r/>`)];
  parts.forEach((part, at) =>
    chunks.push(
      Buffer.from(partHead('bound', { contentId: `张 ${String(at)}@x`, contentType: 'application/dicom' }), 'latin1'),
      part,
    ),
  );
  return Buffer.concat([...chunks, Buffer.from(packageEnd('bound'))]);
}

const TYPE = packageType('bound', 'root@x', 'urn:a');

function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = Math.max(1, sizes[turn % sizes.length] ?? 1);
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return chunks;
}

test('what was packed comes out, however it is cut', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(awkward, { maxLength: 5 }),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 }),
      async (parts, sizes) => {
        const read = await readPackage(TYPE, Readable.from(cut(packed(parts), sizes)), LIMITS);
        assert.ok(read.ok);
        assert.equal(read.value.envelope.toString(), '<r/>');
        assert.deepEqual(
          [...read.value.attachments.values()].map((one) => one.toString('hex')),
          parts.map((one) => one.toString('hex')),
        );
      },
    ),
    { numRuns: 300 },
  );
});

test('a package cut anywhere before its closing boundary is refused', async () => {
  const whole = packed([Buffer.from('one\r\n--boun'), Buffer.alloc(100, 45)]);
  for (let length = 0; length < whole.length - 4; length++) {
    const read = await readPackage(TYPE, Readable.from([whole.subarray(0, length)]), LIMITS);
    assert.equal(read.ok, false, `cut at ${String(length)}`);
  }
});

test('random bytes are refused, never thrown', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.string({ maxLength: 60 }), async (bytes, type) => {
      for (const contentType of [type, TYPE, 'application/soap+xml'])
        await readPackage(contentType, Readable.from([bytes]), LIMITS);
      parseXml(bytes);
    }),
    { numRuns: 300 },
  );
});

test('text of any kind survives escaping and parsing, but for what XML cannot carry', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (text) => {
      const parsed = parseXml(Buffer.from(`<a b="${xml(text).replace(/[\n\t]/g, ' ')}">${xml(text)}</a>`));
      assert.ok(parsed.ok);
      assert.equal(parsed.value.text, text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd'));
    }),
    { numRuns: 300 },
  );
});

test('a reference finds its part, percent-encoded or not', () => {
  fc.assert(
    fc.property(
      fc
        .string({ minLength: 1, maxLength: 30 })
        .filter((id) => id.trim() === id && !/[<>\s]/.test(id) && !/%[0-9a-f]{2}/i.test(id)),
      (id) => {
        const parsed = parseXml(Buffer.from(`<D>${includeTag(id)}</D>`));
        assert.ok(parsed.ok);
        assert.equal(binaryOf(parsed.value, new Map([[id, Buffer.from('x')]]))?.toString(), 'x');
        assert.equal(binaryOf(parsed.value, new Map()), null);
      },
    ),
  );
});

test('inline base64 is read, with its line breaks; what is none is refused', () => {
  const inline = parseXml(Buffer.from('<D>aGVs\n  bG8=</D>'));
  const broken = parseXml(Buffer.from('<D>aGVs*bG8</D>'));
  assert.ok(inline.ok && broken.ok);
  assert.equal(binaryOf(inline.value, new Map())?.toString(), 'hello');
  assert.equal(binaryOf(broken.value, new Map()), null);
});
