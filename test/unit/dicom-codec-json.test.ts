/** The DICOM JSON model where JavaScript or the data set's encoding would lead it astray. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { readCharset } from '../../mappings/dicom/instance.ts';
import { jsonText, toJson } from '../../mappings/dicom/json.ts';
import type { JsonDataSet } from '../../mappings/dicom/json.ts';
import { parseDataSet } from '../../mappings/dicom/parse.ts';
import { rewriteDataSet } from '../../mappings/dicom/rewrite.ts';
import { EXPLICIT_LE, IMPLICIT_LE } from '../../mappings/dicom/uids.ts';
import { writeDataSet } from '../../mappings/dicom/write.ts';
import type { Attributes } from '../../mappings/dicom/write.ts';

function dataSet(attributes: Attributes, explicit: boolean) {
  const parsed = parseDataSet(writeDataSet(attributes, { explicit }), explicit ? EXPLICIT_LE : IMPLICIT_LE);
  assert.ok(parsed.ok);
  return parsed.value.dataSet;
}

function model(attributes: Attributes, explicit: boolean, signed?: boolean): JsonDataSet {
  const set = dataSet(attributes, explicit);
  const { charset } = readCharset(set);
  return toJson(set, { charset, bulkData: (path) => path.join('/'), ...(signed === undefined ? {} : { signed }) });
}

test('attributes are written in ascending order, in items too (PS3.18 §F.2.2)', () => {
  const set = model(
    {
      PatientID: 'P1',
      '20100010': { vr: 'ST', value: 'STANDARD' },
      '52009229': {
        vr: 'SQ',
        value: [{ '20500020': { vr: 'CS', value: 'IDENTITY' }, '0018602C': { vr: 'FD', value: [1] } }],
      },
    },
    true,
  );
  const text = jsonText(set);
  const tags = [...text.matchAll(/"([0-9A-F]{8})":/g)].map(([, tag]) => tag);
  assert.deepEqual(tags, ['00100020', '20100010', '52009229', '0018602C', '20500020']);
  assert.deepEqual(JSON.parse(text), set);
});

const PADDED: Attributes = {
  PixelRepresentation: 1,
  PixelPaddingValue: { vr: 'SS', value: [-2000] },
  IconImageSequence: [{ PixelRepresentation: 0, '00280106': { vr: 'US', value: [63536] } }],
};

test('implicit VR data are US or SS as their own pixels are', () => {
  for (const explicit of [true, false]) {
    const set = model(PADDED, explicit);
    assert.deepEqual(set['00280120'], { vr: 'SS', Value: [-2000] });
    const icon = set['00880200']?.Value?.[0] as JsonDataSet;
    assert.deepEqual(icon['00280106'], { vr: 'US', Value: [63536] });
  }
  // A header that is read in parts: what a later part is, an earlier one says.
  const { PixelPaddingValue = '' } = PADDED;
  assert.deepEqual(model({ PixelPaddingValue }, false, true)['00280120'], { vr: 'SS', Value: [-2000] });
});

test('implicit VR data written explicitly say so too', () => {
  const written = Buffer.concat(rewriteDataSet(dataSet(PADDED, false), true));
  const parsed = parseDataSet(written, EXPLICIT_LE);
  assert.ok(parsed.ok);
  const { dataSet: set } = parsed.value;
  assert.equal(set.elements.get(0x00280120)?.vr, 'SS');
  assert.equal(set.items(0x00880200)[0]?.elements.get(0x00280106)?.vr, 'US');
});
