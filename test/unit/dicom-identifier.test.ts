/** Numbers in an image header that say who and which exam: damage in them must never make another number of them. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Uid } from '../../hub/core/identifier.ts';
import { readInstance } from '../../mappings/dicom/instance.ts';
import { parsePart10Header } from '../../mappings/dicom/parse.ts';
import { writePart10 } from '../../mappings/dicom/write.ts';
import { plainSite } from '../support/dicom-codec-site.ts';

function read(attributes: Record<string, string>) {
  const bytes = writePart10({
    SOPClassUID: '1.2.840.10008.5.1.4.1.1.7',
    SOPInstanceUID: '2.25.1',
    StudyInstanceUID: '2.25.2',
    SeriesInstanceUID: '2.25.3',
    SpecificCharacterSet: 'ISO_IR 192',
    ...attributes,
  });
  const header = parsePart10Header(bytes);
  assert.ok(header.ok);
  const stored = { object: 'x', size: bytes.length, dataSetOffset: 0, transferSyntax: '1.2.840.10008.1.2.1' as Uid };
  const mapped = readInstance(header.value, plainSite, stored, '2026-03-02T02:00:00.000Z');
  assert.ok(mapped.ok);
  const [record] = mapped.records;
  assert.ok(record);
  return { ...record, codes: mapped.findings.map(({ code, where }) => `${code} ${where}`) };
}

test('a backslash or a control character within a number leaves it another number, and is told', () => {
  const damaged = read({ PatientID: '4001\\X', AccessionNumber: 'A1\\A2' });
  assert.equal(damaged.patient?.value, '4001\\X');
  assert.equal(damaged.keys.accession, 'A1\\A2');
  assert.ok(damaged.codes.includes('identifier-suspect (0010,0020)'));
  const broken = read({ PatientID: '40\u000001', AccessionNumber: 'A\u00001', PatientName: 'Zhang\u0001San' });
  assert.equal(broken.patient?.value, '40\ufffd01');
  assert.equal(broken.keys.accession, 'A\ufffd1');
  assert.ok(broken.codes.includes('invalid-value (0010,0020)'));
  assert.equal(broken.demographics.names?.[0]?.text.includes('\u0001'), false);
});

test('padding is no part of a number', () => {
  const padded = read({ PatientID: ' 4001 ', AccessionNumber: 'A1 ' });
  assert.equal(padded.patient?.value, '4001');
  assert.equal(padded.keys.accession, 'A1');
  assert.ok(!padded.codes.some((code) => code.startsWith('invalid-value') || code.startsWith('identifier-suspect')));
});

test('a resident ID has the authority that every protocol gives it, so that the registration decides over the header', () => {
  const number = '210102198003151239';
  for (const attributes of [{ PatientID: number }, { PatientID: '4001', OtherPatientIDs: number }]) {
    const { demographics } = read(attributes);
    assert.deepEqual(demographics.identifiers, [{ type: 'NI', authority: '2.16.156.10011.1.3', value: number }]);
  }
});
