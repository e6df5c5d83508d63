/** Which studies are recalled, for whom their images count, and what a reader is told of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { siteId } from '../../hub/core/identifier.ts';
import type { HubId, Uid } from '../../hub/core/identifier.ts';
import type { IndexReader, StudyLocated } from '../../hub/core/ports.ts';
import { Failure, fail, ok, problem } from '../../hub/core/problem.ts';
import type { InstanceRecord, PatientRef } from '../../hub/core/record.ts';
import type { PatientView, StudyView } from '../../hub/core/view.ts';
import { createRecallingReader } from '../../hub/flow/recall.ts';
import { image, studyOf } from '../support/xds-peer.ts';
import { quiet } from '../support/server.ts';

const STUDY = '2.25.1';
const AUTHORITY = '2.999.156.1.3';
const H3 = siteId('h3');
const ref = (value: string, authority = AUTHORITY): PatientRef => ({ authority, value });

const known = studyOf([image(STUDY, '2.25.2', '2.25.3')], STUDY);
assert.ok(known);
const base: StudyLocated = known;

function registration(localId: string, mergedInto: string | null = null): PatientView {
  const ids = { recordId: `record-${localId}` as HubId, site: H3, authority: AUTHORITY, localId };
  return { ...base.exam.patient, ...ids, mergedInto: mergedInto === null ? null : (`record-${mergedInto}` as HubId) };
}

function record(series: number, number: number | undefined, patient: PatientRef | null = ref('K1')): InstanceRecord {
  const sop = `2.25.7.${String(series)}.${String(number ?? 99)}`;
  return {
    kind: 'instance',
    site: H3,
    at: '2026-03-03T01:00:00.000Z',
    patient,
    keys: { studyUid: STUDY as Uid },
    demographics: {},
    study: {},
    series: { uid: `2.25.7.${String(series)}` as Uid, modality: 'CT', number: series },
    instance: {
      uid: sop as Uid,
      sopClass: '1.2.840.10008.5.1.4.1.1.2' as Uid,
      transferSyntax: '1.2.840.10008.1.2.1' as Uid,
      ...(number === undefined ? {} : { number }),
      object: '',
      size: 100,
      digest: `digest of ${sop}`,
      dataSetOffset: 10,
    },
  };
}

interface World {
  readonly study?: Partial<StudyView>;
  readonly patient?: PatientView;
  readonly persons?: readonly PatientView[];
  readonly records?: readonly InstanceRecord[];
}

function worldOf({ study, patient = registration('K1'), persons = [patient], records = [record(1, 1)] }: World): {
  reader: IndexReader;
  fetches: string[];
} {
  const fetches: string[] = [];
  const away = { site: H3, availability: 'at-hospital' as const, series: [], seriesCount: 0, instanceCount: 0 };
  const located: StudyLocated = {
    ...base,
    exam: { ...base.exam, patient },
    study: { ...base.study, ...away, ...study },
  };
  const reader = createRecallingReader({
    log: quiet,
    reader: {
      person: (personId) => Promise.resolve({ personId: personId as HubId, records: persons, replacedBy: null }),
      exam: () => Promise.resolve(null),
      examOfStudy: () => Promise.resolve(null),
      study: (uid) => Promise.resolve(uid === STUDY ? located : null),
      series: () => Promise.resolve(null),
      instance: () => Promise.resolve(null),
    },
    recall: {
      fetch: (site, uid) => {
        fetches.push(`${site} ${uid}`);
        return Promise.resolve(records.length === 0 ? fail(problem('unavailable')) : ok(records));
      },
    },
  });
  return { reader, fetches };
}

const code = (reader: IndexReader): Promise<string> =>
  reader.study(STUDY, { instances: true }).then(
    () => 'shown',
    (error: unknown) => (error instanceof Failure ? error.problem.code : String(error)),
  );

test('only instances of a study that is away are fetched', async () => {
  const { reader, fetches } = worldOf({});
  await reader.study(STUDY);
  assert.equal(await reader.study('2.25.99', { instances: true }), null);
  assert.equal(await reader.series('2.25.99', '2.25.1'), null);
  assert.deepEqual(fetches, []);
  await reader.study(STUDY, { instances: true });
  assert.deepEqual(fetches, [`h3 ${STUDY}`]);
  const partial = worldOf({ study: { availability: 'partial', series: base.study.series } });
  await partial.reader.study(STUDY, { instances: true });
  assert.equal(await partial.reader.instance(STUDY, null, '2.25.98'), null);
  const registered = worldOf({ study: { availability: 'registered' } });
  assert.deepEqual((await registered.reader.study(STUDY, { instances: true }))?.study.series, []);
  assert.deepEqual([...partial.fetches, ...registered.fetches], []);
});

test('series and instances come in order, with what their headers say', async () => {
  const records = [record(2, 1), record(1, undefined), record(1, 10), record(1, 2)];
  const { reader } = worldOf({ records });
  const found = await reader.study(STUDY, { instances: true });
  assert.deepEqual([found?.study.seriesCount, found?.study.instanceCount], [2, 4]);
  assert.ok(found);
  assert.equal(found.study.availability, 'at-hospital');
  assert.deepEqual(
    found.study.series.map(({ number, instances }) => [number, instances.map((one) => one.number)]),
    [
      [1, [2, 10, null]],
      [2, [1]],
    ],
  );
  const series = await reader.series(STUDY, '2.25.7.2');
  assert.deepEqual(
    series?.series.instances.map(({ digest, object, size, dataSetOffset }) => [digest, object, size, dataSetOffset]),
    [['digest of 2.25.7.2.1', '', 100, 10]],
  );
  const instance = await reader.instance(STUDY, null, '2.25.7.1.10');
  assert.deepEqual([instance?.series.seriesUid, instance?.instance.number], ['2.25.7.1', 10]);
  assert.equal(await reader.instance(STUDY, '2.25.7.2', '2.25.7.1.10'), null);
});

test('an image of another registration hides the whole study', async () => {
  const others = [registration('K1'), registration('K2')];
  for (const of of [ref('K2'), ref('K9'), ref('K1', '2.999.9')]) {
    const records = [record(1, 1), record(1, 2, of)];
    assert.equal(await code(worldOf({ records, persons: others }).reader), 'patient-mismatch', JSON.stringify(of));
  }
});

test('merges of the hospital and images without a patient do not', async () => {
  assert.equal(await code(worldOf({ records: [record(1, 1, null)] }).reader), 'shown');
  const merged = [registration('K1'), registration('K0', 'K1')];
  assert.equal(await code(worldOf({ persons: merged, records: [record(1, 1, ref('K0'))] }).reader), 'shown');
  const victim = registration('K1', 'K5');
  const survivors = [victim, registration('K5')];
  assert.equal(
    await code(worldOf({ patient: victim, persons: survivors, records: [record(1, 1, ref('K5'))] }).reader),
    'shown',
  );
});

test('an archive that is away is the problem of who asks', async () => {
  assert.equal(await code(worldOf({ records: [] }).reader), 'unavailable');
});
