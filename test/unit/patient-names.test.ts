/** A registration's name in its representations: they are of one name, never of two. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertPatient, patientView } from '../../hub/core/patient.ts';
import type { PatientState } from '../../hub/core/patient.ts';
import type { HubId } from '../../hub/core/identifier.ts';
import { siteId } from '../../hub/core/identifier.ts';
import type { PersonName } from '../../hub/core/record.ts';

const EMPTY: PatientState = {
  recordId: 'record-1' as HubId,
  site: siteId('h1'),
  authority: '2.999.1',
  localId: 'P1',
  facts: {},
  mergedInto: null,
};

const written = (text: string): PersonName => ({ text, representation: 'ideographic' });
const read = (text: string): PersonName => ({ text, representation: 'alphabetic' });

/** What is shown after these assertions, each a minute later, in this and in the opposite order of arrival. */
function shown(...assertions: readonly (readonly PersonName[])[]): string[] {
  const told = assertions.map((names, at) => ({ names, at: `2026-03-01T08:0${String(at)}:00.000Z` }));
  const [forth, back] = [told, [...told].reverse()].map((order) => {
    let state = EMPTY;
    for (const { names, at } of order) {
      const done = assertPatient(state, { names }, { quality: 3, at, tie: at, forced: false });
      assert.ok(done.ok);
      ({ state } = done.value);
    }
    return patientView(state).names.map(({ text }) => text);
  });
  assert.ok(forth && back);
  assert.deepEqual(forth, back);
  return forth;
}

test('a reading stays beside the name it came with, whoever repeats that name', () => {
  assert.deepEqual(shown([written('欧阳娜'), read('Ouyang Na')], [written('欧阳娜')]), ['欧阳娜', 'Ouyang Na']);
  assert.deepEqual(shown([written('欧阳娜'), read('Ouyang Na')], [written('欧阳 娜')]), ['欧阳 娜', 'Ouyang Na']);
});

test('a corrected name takes the reading of the wrong one away', () => {
  assert.deepEqual(shown([written('欧阳娜'), read('Ouyang Na')], [written('李小明')]), ['李小明']);
  assert.deepEqual(shown([written('欧阳娜'), read('Ouyang Na')], [written('李小明'), read('Li Xiaoming')]), [
    '李小明',
    'Li Xiaoming',
  ]);
});

test('a reading that was told alone, or beside a damaged name, stays', () => {
  assert.deepEqual(shown([written('吉?野'), read('Yoshino')], [written('𠮷野')]), ['𠮷野', 'Yoshino']);
  assert.deepEqual(shown([read('Ouyang Na')], [written('欧阳娜')]), ['欧阳娜', 'Ouyang Na']);
  assert.deepEqual(shown([read('Ouyang Na')]), ['Ouyang Na']);
});

test('what ties them together is not shown', () => {
  const done = assertPatient(
    EMPTY,
    { names: [written('张三'), read('Zhang San')] },
    { quality: 3, at: '2026-03-01T08:00:00.000Z', tie: 'a', forced: false },
  );
  assert.ok(done.ok);
  assert.deepEqual(patientView(done.value.state).names, [written('张三'), read('Zhang San')]);
});
