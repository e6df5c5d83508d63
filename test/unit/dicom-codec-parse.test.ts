/** The data set reader against every shape of PS3.5, rightly and wrongly written. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { deflateRawSync } from 'node:zlib';
import { parseDataSet, parseHeader, parsePart10, parsePart10Header } from '../../mappings/dicom/parse.ts';
import { DEFLATED_LE, EXPLICIT_BE, EXPLICIT_LE, IMPLICIT_LE } from '../../mappings/dicom/uids.ts';
import { writeDataSet, writePart10 } from '../../mappings/dicom/write.ts';
import { dictionarySource } from '../../mappings/dicom/generate-dictionary.ts';
import { readFileSync } from 'node:fs';

const hex = (text: string): Buffer => Buffer.from(text.replace(/\s/g, ''), 'hex');

function value(bytes: Buffer, syntax: string) {
  const parsed = parseDataSet(bytes, syntax);
  assert.ok(parsed.ok, parsed.ok ? '' : parsed.problem.text);
  return parsed.value.dataSet;
}

function refusal(bytes: Buffer, syntax: string) {
  const parsed = parseDataSet(bytes, syntax);
  assert.ok(!parsed.ok, 'it was taken');
  return parsed.problem;
}

test('explicit, implicit, big endian and deflated data sets read the same', () => {
  const attributes = { PatientID: 'P1', Rows: 512, OtherPatientIDsSequence: [{ PatientID: 'X' }, { PatientID: 'Y' }] };
  const explicit = writeDataSet(attributes);
  const big = hex('0010 0020 4c4f 0002 5031  0028 0010 5553 0002 0200');
  for (const set of [
    value(explicit, EXPLICIT_LE),
    value(writeDataSet(attributes, { explicit: false }), IMPLICIT_LE),
    value(deflateRawSync(explicit), DEFLATED_LE),
  ]) {
    assert.equal(set.one(0x00100020), 'P1');
    assert.equal(set.number(0x00280010), 512);
    assert.deepEqual(
      set.items(0x00101002).map((item) => item.one(0x00100020)),
      ['X', 'Y'],
    );
  }
  assert.equal(value(big, EXPLICIT_BE).number(0x00280010), 512);
});

test('undefined lengths, nested, and UN of undefined length as an implicit sequence', () => {
  const nested = hex(`0800 4011 5351 0000 ffffffff feff00e0 ffffffff
    0800 4011 554e 0000 ffffffff feff00e0 0a000000 0800 5511 02000000 3100 feffdde0 00000000
    feff0de0 00000000 feffdde0 00000000`);
  const inner = value(nested, EXPLICIT_LE).items(0x00081140)[0]?.items(0x00081140)[0];
  assert.equal(inner?.one(0x00081155), '1');
});

test('wrong value representations are taken as what they can be', () => {
  assert.equal(value(hex('1000 2000 3f3f 0200 5031'), EXPLICIT_LE).one(0x00100020), 'P1', '?? has a 16-bit length');
  assert.equal(
    value(hex('1000 2000 5a5a 0000 02000000 5031'), EXPLICIT_LE).get(0x00100020)?.vr,
    'UN',
    'a VR of the future has a 32-bit length',
  );
  assert.equal(
    value(hex('1000 2000 02000000 5031'), EXPLICIT_LE).one(0x00100020),
    'P1',
    'implicit under an explicit name',
  );
  assert.equal(value(hex('1000 2000 4c4f 0300 503132'), EXPLICIT_LE).one(0x00100020), 'P12', 'odd length');
});

test('what lies about its length is refused, with the tag', () => {
  assert.deepEqual(refusal(hex('1000 2000 4c4f ff00 5031'), EXPLICIT_LE).where, '(0010,0020)');
  assert.equal(
    refusal(hex('0800 4011 5351 0000 10000000 feff00e0 ff000000 0000000000000000'), EXPLICIT_LE).code,
    'malformed',
  );
  assert.equal(refusal(hex('1000 2000 4c4f 0200 5031 feff00e0 00000000'), EXPLICIT_LE).code, 'malformed');
  assert.equal(refusal(hex('1000 1000 504e'), EXPLICIT_LE).code, 'malformed');
});

test('sequences deeper than 32, and more elements than the limit, are refused', () => {
  const depth = (levels: number): Buffer =>
    Buffer.concat(Array.from({ length: levels }, () => hex('0800 4011 5351 0000 ffffffff feff00e0 ffffffff')));
  assert.equal(refusal(depth(40), EXPLICIT_LE).code, 'limit-exceeded');
  assert.equal(refusal(depth(20), EXPLICIT_LE).code, 'malformed', 'shallow, but cut short');
  const many = Buffer.concat(Array.from({ length: 50 }, () => hex('1000 2000 4c4f 0000')));
  const parsed = parseDataSet(many, EXPLICIT_LE, { depth: 32, elements: 40, inflated: 1000 });
  assert.ok(!parsed.ok && parsed.problem.code === 'limit-exceeded');
});

test('a deflate bomb is refused before it unfolds', () => {
  const parsed = parseDataSet(deflateRawSync(Buffer.alloc(10_000_000)), DEFLATED_LE, {
    depth: 32,
    elements: 1e6,
    inflated: 1_000_000,
  });
  assert.ok(!parsed.ok && parsed.problem.code === 'too-large');
});

test('a header stops at the pixel data and asks for more where it was cut', () => {
  const head = writeDataSet({ PatientID: 'P1', Rows: 2 });
  const pixels = hex('e07f 1000 4f57 0000 00000080');
  const stopped = parseHeader(Buffer.concat([head, pixels]), EXPLICIT_LE);
  assert.ok(stopped.ok && stopped.value.stop.reason === 'pixel-data');
  assert.equal(stopped.value.stop.at, head.length);
  const cut = parseHeader(head.subarray(0, head.length - 1), EXPLICIT_LE);
  assert.ok(cut.ok && cut.value.stop.reason === 'need-more');
  assert.equal(cut.value.dataSet.one(0x00100020), 'P1');
});

test('Part-10 with and without preamble, and a data set alone', () => {
  const file = writePart10({ SOPClassUID: '1.2.840.10008.5.1.4.1.1.2', SOPInstanceUID: '1.2.3', PatientID: 'P1' });
  const whole = parsePart10(file);
  assert.ok(whole.ok);
  assert.equal(whole.value.meta.number(0x00020000), whole.value.dataSetOffset - 132 - 12, 'the group length is right');
  for (const bytes of [file, file.subarray(128), file.subarray(132), file.subarray(whole.value.dataSetOffset)]) {
    const parsed = parsePart10Header(bytes);
    assert.ok(parsed.ok);
    assert.equal(parsed.value.dataSet.one(0x00100020), 'P1');
  }
  for (const bytes of [Buffer.alloc(0), Buffer.from('<html><body>not an image</body></html>'), file.subarray(0, 180)])
    assert.ok(!parsePart10(bytes).ok);
});

test('the committed dictionary is the one the generator makes', () => {
  const committed = readFileSync(new URL('../../mappings/dicom/generated/dictionary.ts', import.meta.url), 'utf8');
  assert.equal(committed, dictionarySource());
});
