/** Searches below a study that its hospital keeps: what they match, and when nothing is fetched for them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DicomMatch, DicomQuery, IndexReader } from '../../hub/core/ports.ts';
import { createRecallingIndex } from '../../hub/flow/recall-index.ts';
import { image, studyOf } from '../support/xds-peer.ts';

const STUDY = '2.25.1';
const images = ['1', '2', '3'].map((at) => image(STUDY, `2.25.5.${at}`, `2.25.6.${at}`));

function indexOf(availability: string): {
  find: (query: Partial<DicomQuery>) => Promise<string[]>;
  recalls: () => number;
} {
  let recalls = 0;
  const located = studyOf(images, STUDY);
  assert.ok(located);
  const study: DicomMatch = {
    personId: located.personId,
    studyUid: located.study.studyUid,
    attributes: { StudyInstanceUID: STUDY, InstanceAvailability: availability },
  };
  const none = (): Promise<null> => Promise.resolve(null);
  const reader: IndexReader = {
    person: none,
    exam: none,
    examOfStudy: none,
    series: none,
    instance: none,
    study: () => {
      recalls++;
      return Promise.resolve(located);
    },
  };
  const index = createRecallingIndex(
    { find: ({ level, match }) => Promise.resolve(level === 'STUDY' && match['PatientID'] !== 'other' ? [study] : []) },
    reader,
  );
  return {
    recalls: () => recalls,
    find: async (query) => {
      const whole = { level: 'SERIES' as const, match: {}, fuzzy: false, limit: 10, offset: 0, ...query };
      return (await index.find(whole)).map(({ attributes }) => String(attributes['SeriesInstanceUID']));
    },
  };
}

test('keys below the study are matched here, with lists and wildcards', async () => {
  const { find } = indexOf('NEARLINE');
  const all = ['2.25.5.1', '2.25.5.2', '2.25.5.3'];
  const asked = (match: DicomQuery['match']): Promise<string[]> =>
    find({ match: { StudyInstanceUID: STUDY, ...match } });
  assert.deepEqual(await asked({}), all);
  assert.deepEqual(await asked({ SeriesInstanceUID: ['2.25.5.3', '2.25.5.1'] }), ['2.25.5.1', '2.25.5.3']);
  for (const Modality of ['CT', 'C*', '*T', '??', '*', 'C?*', '**T'])
    assert.deepEqual(await asked({ Modality }), all, Modality);
  for (const Modality of ['C', '?', 'CT?', '*C', 'MR', '*T?'])
    assert.deepEqual(await asked({ Modality }), [], Modality);
  assert.deepEqual(await find({ match: { StudyInstanceUID: [STUDY] }, limit: 1, offset: 1 }), ['2.25.5.2']);
});

test('a hostile pattern costs no time', async () => {
  const { find } = indexOf('NEARLINE');
  const began = process.hrtime.bigint();
  await find({ match: { StudyInstanceUID: STUDY, SeriesInstanceUID: `${'*2'.repeat(500)}x` } });
  assert.ok(process.hrtime.bigint() - began < 200_000_000n);
});

test('nothing is fetched for a study that is here, for another patient, or for a search without its UID', async () => {
  const here = indexOf('ONLINE');
  assert.deepEqual(await here.find({ match: { StudyInstanceUID: STUDY } }), []);
  const away = indexOf('NEARLINE');
  assert.deepEqual(await away.find({ match: { Modality: 'CT' } }), []);
  assert.deepEqual(await away.find({ match: { StudyInstanceUID: [STUDY, '2.25.2'] } }), []);
  assert.deepEqual(await away.find({ match: { StudyInstanceUID: STUDY, PatientID: 'other' } }), []);
  await away.find({ level: 'STUDY', match: { StudyInstanceUID: STUDY, PatientID: 'other' } });
  assert.deepEqual([here.recalls(), away.recalls()], [0, 0]);
});
