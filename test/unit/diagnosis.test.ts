/** Which codes of diagnoses are taken for ICD-10, and which stay the hospital's own. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { ICD10, icd10 } from '../../mappings/codes/diagnosis.ts';

test('codes of ICD-10 and of the Chinese clinical edition, under any name of it', () => {
  for (const code of ['R91', 'J18.9', 'J18.900', 'J18.900x002', 'R91.x00', 'R91.X00X001', 'A18.0+', 'M01.1*', 'j18.9'])
    for (const system of ['I10', 'ICD-10', 'ICD10', 'icd10', 'I10C', 'ICD-10-CN'])
      assert.deepEqual(icd10(code, '肺', system), { code, system: ICD10, display: '肺' }, `${code} ${system}`);
  assert.deepEqual(icd10('R91', undefined), { code: 'R91', system: ICD10 });
});

test('what only looks a little like it, or is said to be something else, is not', () => {
  for (const code of ['', '肺炎', '0091', 'R9', 'R91.', 'R911', 'CT001', 'M80000/0', 'R91.9;R92'])
    assert.equal(icd10(code, undefined), null, code);
  for (const system of ['L', 'ICD9', 'I9C', '']) assert.equal(icd10('R91', undefined, system), null, system);
});
