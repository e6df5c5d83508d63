/** Laws of the codec: hostile bytes never throw, what is written is read back, what is packed unpacks to the same. */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { decodeFrame, encodeFrame } from '../../hub/archive/codec/frame.ts';
import { BitstreamError } from '../../hub/archive/codec/jpeg-markers.ts';
import { UTF8 } from '../../mappings/dicom/charset.ts';
import { readInstance } from '../../mappings/dicom/instance.ts';
import { toJson } from '../../mappings/dicom/json.ts';
import { parseDataSet, parseHeader, parsePart10Header } from '../../mappings/dicom/parse.ts';
import type { PixelFormat } from '../../mappings/dicom/pixels.ts';
import * as syntax from '../../mappings/dicom/uids.ts';
import { writeDataSet, writePart10 } from '../../mappings/dicom/write.ts';
import { plainSite } from '../support/dicom-codec-site.ts';

const SYNTAXES = [
  syntax.IMPLICIT_LE,
  syntax.EXPLICIT_LE,
  syntax.EXPLICIT_BE,
  syntax.DEFLATED_LE,
  syntax.JPEG_LS_LOSSLESS,
];
const stored = { object: 'o', size: 1, dataSetOffset: 0, transferSyntax: syntax.EXPLICIT_LE };

test('any bytes end as a data set or a problem', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), fc.constantFrom(...SYNTAXES), (bytes, transferSyntax) => {
      const parsed = parseHeader(Buffer.from(bytes), transferSyntax);
      if (!parsed.ok) return;
      readInstance(parsed.value, plainSite, stored, '2026-11-22T00:00:00.000Z');
      toJson(parsed.value.dataSet, { charset: UTF8, bulkData: () => 'x' });
    }),
    { numRuns: 2000 },
  );
});

test('a real object with any bytes changed ends as a data set or a problem', () => {
  const file = writePart10({
    SOPClassUID: '1.2.840.10008.5.1.4.1.1.2',
    SOPInstanceUID: '1.2.3',
    StudyInstanceUID: '1.2',
    SeriesInstanceUID: '1.2.1',
    PatientName: '张^三',
    OtherPatientIDsSequence: [
      {
        PatientID: 'X',
        IssuerOfPatientIDQualifiersSequence: [{ UniversalEntityID: '1.2', UniversalEntityIDType: 'ISO' }],
      },
    ],
    Rows: 2,
    PixelData: Buffer.alloc(8),
  });
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(file.length - 1), fc.nat(255)), { maxLength: 12 }), (changes) => {
      const changed = Buffer.from(file);
      for (const [at, byte] of changes) changed[at] = byte;
      const parsed = parsePart10Header(changed);
      if (!parsed.ok) return;
      const mapped = readInstance(parsed.value, plainSite, stored, '2026-11-22T00:00:00.000Z');
      for (const record of mapped.ok ? mapped.records : [])
        assert.match(record.instance.uid, /^[\d.]{1,64}$/, 'no path passes as a UID');
      toJson(parsed.value.dataSet, { charset: UTF8, bulkData: () => 'x' });
    }),
    { numRuns: 2000 },
  );
});

test('what is written is read back, in explicit and implicit VR', () => {
  const text = fc
    .string({ maxLength: 30, unit: fc.constantFrom(...Array.from('张三李四王五äñ𠮷A b')) })
    .map((value) => value.trim());
  fc.assert(
    fc.property(
      text,
      text,
      fc.array(fc.nat(65_535), { maxLength: 5 }),
      fc.boolean(),
      (name, description, numbers, explicit) => {
        const items = [{ PatientID: description, PatientName: name }, {}];
        const bytes = writeDataSet(
          {
            PatientName: name,
            StudyDescription: description,
            FrameNumbersOfInterest: numbers,
            OtherPatientIDsSequence: items,
          },
          { explicit },
        );
        const parsed = parseDataSet(bytes, explicit ? syntax.EXPLICIT_LE : syntax.IMPLICIT_LE);
        assert.ok(parsed.ok);
        const { dataSet } = parsed.value;
        assert.equal(dataSet.text(0x00100010, UTF8)[0] ?? '', name);
        assert.equal(dataSet.text(0x00081030, UTF8)[0] ?? '', description);
        assert.deepEqual(dataSet.numbers(0x00286020), numbers);
        assert.equal(dataSet.items(0x00101002)[0]?.text(0x00100020, UTF8)[0] ?? '', description);
        assert.equal(dataSet.items(0x00101002).length, 2);
      },
    ),
  );
});

const frame = fc
  .record({
    rows: fc.integer({ min: 1, max: 12 }),
    columns: fc.integer({ min: 1, max: 12 }),
    samples: fc.constantFrom(1, 3),
    wide: fc.boolean(),
    signed: fc.boolean(),
    flat: fc.boolean(),
  })
  .chain(({ rows, columns, samples, wide, signed, flat }) => {
    const bits = wide && samples === 1 ? 16 : 8;
    const format: PixelFormat = {
      rows,
      columns,
      samples,
      frames: 1,
      bitsAllocated: bits,
      bitsStored: bits,
      highBit: bits - 1,
      signed: signed && bits === 16,
      photometric: samples === 3 ? 'RGB' : 'MONOCHROME2',
      planar: 0,
    };
    const length = (rows * columns * samples * bits) / 8;
    return fc
      .uint8Array({ minLength: length, maxLength: length, max: flat ? 2 : 255 })
      .map((pixels) => ({ format, pixels: Buffer.from(pixels) }));
  });

test('a lossless encoding gives every sample back', async () => {
  await fc.assert(
    fc.asyncProperty(
      frame,
      fc.constantFrom(syntax.RLE, syntax.JPEG_LS_LOSSLESS, syntax.HTJ2K_LOSSLESS),
      async ({ format, pixels }, target) => {
        const back = await decodeFrame(target, await encodeFrame(target, pixels, format), format);
        assert.ok(back.pixels.equals(pixels));
      },
    ),
    { numRuns: 150 },
  );
});

test('a broken bitstream is told, not thrown as a bug', async () => {
  const format: PixelFormat = {
    rows: 8,
    columns: 8,
    samples: 1,
    frames: 1,
    bitsAllocated: 16,
    bitsStored: 12,
    highBit: 11,
    signed: false,
    photometric: 'MONOCHROME2',
    planar: 0,
  };
  const all = [
    syntax.RLE,
    syntax.JPEG_BASELINE,
    syntax.JPEG_EXTENDED,
    syntax.JPEG_LOSSLESS_SV1,
    syntax.JPEG_LS_LOSSLESS,
    syntax.J2K_LOSSLESS,
    syntax.HTJ2K_LOSSLESS,
  ];
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(...all), async (bytes, transferSyntax) => {
      try {
        await decodeFrame(transferSyntax, Buffer.from([0xff, 0xd8, ...bytes]), format);
      } catch (error) {
        assert.ok(error instanceof BitstreamError, String(error));
      }
    }),
    { numRuns: 120 },
  );
});
