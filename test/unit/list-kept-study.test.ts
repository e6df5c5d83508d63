/** When a hospital is asked what it keeps of a study, and what becomes of its answer. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { FileObjectStore } from '../../hub/archive/object-store-file.ts';
import { siteId } from '../../hub/core/identifier.ts';
import type { SiteId, Uid } from '../../hub/core/identifier.ts';
import type { OutboxOutcome } from '../../hub/core/outbox.ts';
import type { StudyListing, StudyLocated } from '../../hub/core/ports.ts';
import { fail, ok, problem } from '../../hub/core/problem.ts';
import type { Result } from '../../hub/core/problem.ts';
import type { ListedSeries, ManifestView } from '../../hub/core/view.ts';
import { createListKept } from '../../hub/flow/list-kept-study.ts';
import { createManifest } from '../../hub/flow/manifest.ts';
import { readManifest } from '../../mappings/dicom/kos-read.ts';
import { recordingLog } from '../support/dimse-hub.ts';
import { imagingExam, imagingStudy } from '../support/imaging-exam.ts';
import { DERIVE } from '../support/scenario.ts';

const folder = await mkdtemp(join(tmpdir(), 'list-kept-'));
const objects = new FileObjectStore(folder);
after(() => rm(folder, { recursive: true, force: true }));

const H3 = siteId('h3');
const H4 = siteId('h4');
const uid = (text: string): Uid => text as Uid;
const CT = uid('1.2.840.10008.5.1.4.1.1.2');

const seriesOf = (study: string, images: number): ListedSeries => ({
  seriesUid: uid(`${study}.1`),
  modality: 'CT',
  number: 1,
  description: null,
  startedAt: null,
  // The last first: an archive answers as it likes.
  instances: Array.from({ length: images }, (_, at) => ({
    sopUid: uid(`${study}.1.${String(images - at)}`),
    sopClass: CT,
    number: images - at,
    frames: null,
  })),
});

const listing = (study: string, images: number, patient = 'P0001'): Result<StudyListing> =>
  ok({ patients: [{ authority: '2.999.156.1.1', value: patient }], series: [seriesOf(study, images)] });

interface Bench {
  now: number;
  answer: (site: SiteId, study: string) => Result<StudyListing> | Promise<Result<StudyListing>>;
  readonly asked: string[];
  readonly manifests: Map<string, ManifestView>;
  readonly lines: readonly string[];
  list(study: string, since?: Date): Promise<OutboxOutcome>;
}

/** Studies `<site>.n` are kept at that site. */
function bench(changes: Partial<StudyLocated['study']> = {}): Bench {
  const log = recordingLog();
  const manifests = new Map<string, ManifestView>();
  const located = (studyUid: string): StudyLocated => {
    const site = studyUid.startsWith('2.25.4') ? H4 : H3;
    const away = { site, availability: 'at-hospital' as const, series: [], seriesCount: 0, instanceCount: 0 };
    const exam = imagingExam({ site, manifests: [...manifests.values()] });
    return { exam, personId: exam.personId, study: { ...imagingStudy(studyUid), ...away, ...changes } };
  };
  const self: Bench = {
    now: Date.UTC(2026, 2, 3, 8),
    answer: (_site, study) => listing(study, 3),
    asked: [],
    manifests,
    lines: log.lines,
    list: (study, since = new Date(self.now)) => list(study, since),
  };
  const list = createListKept({
    reader: { study: (one) => Promise.resolve(located(one)), person: () => Promise.resolve(null) },
    hospital: {
      lists: () => true,
      list: async (site, study) => {
        self.asked.push(study);
        return self.answer(site, study);
      },
    },
    manifest: (exam, study, createdAt) =>
      createManifest({
        exam,
        study,
        repositoryOid: '2.999.156.3',
        aeTitle: 'HUTONG',
        timeZone: 'Asia/Shanghai',
        createdAt,
        derive: DERIVE,
      }),
    settling: {
      saveManifest: ({ study }, manifest) => {
        manifests.set(study.studyUid, manifest);
        return Promise.resolve(true);
      },
    },
    objects,
    clock: () => new Date(self.now),
    log,
  });
  return self;
}

const minutes = (outcome: OutboxOutcome, at: Bench): number =>
  outcome.done ? Infinity : (outcome.againAt.getTime() - at.now) / 60_000;

test('what the hospital lists becomes a manifest once, compared again, and anew when it lists more', async () => {
  const at = bench();
  assert.equal(minutes(await at.list('2.25.3'), at), 10);
  const first = at.manifests.get('2.25.3');
  assert.ok(first?.listing !== undefined);
  const kos = readManifest(await objects.readAll(first.object));
  assert.ok(kos.ok);
  assert.deepEqual(
    kos.value.studies[0]?.series[0]?.instances.map(({ sopUid }) => sopUid),
    ['2.25.3.1.1', '2.25.3.1.2', '2.25.3.1.3'],
  );
  const listed = JSON.parse((await objects.readAll(first.listing)).toString()) as ListedSeries[];
  assert.equal(listed[0]?.instances.length, 3);
  at.now += 600_000;
  assert.deepEqual(await at.list('2.25.3'), { done: true });
  assert.deepEqual(at.manifests.get('2.25.3'), first);
  at.answer = (_site, study) => listing(study, 4);
  assert.equal(minutes(await at.list('2.25.3'), at), 10);
  assert.notEqual(at.manifests.get('2.25.3')?.sopUid, first.sopUid);
});

test('a hospital that is away is left alone, ever longer, and holds up no other', async () => {
  const at = bench();
  at.answer = (site, study) => (site === H3 ? fail(problem('unavailable')) : listing(study, 1));
  assert.equal(minutes(await at.list('2.25.3.1'), at), 0.25);
  // A hundred that wait for it are not asked about, and do not all come back at one moment.
  const turns = new Set<number>();
  for (let study = 2; study < 102; study++) turns.add(minutes(await at.list(`2.25.3.${String(study)}`), at));
  assert.deepEqual(at.asked, ['2.25.3.1']);
  assert.equal(turns.size, 100);
  assert.ok(Math.min(...turns) > 0.25);
  assert.equal(minutes(await at.list('2.25.4'), at), 10);
  assert.ok(at.manifests.has('2.25.4'));
  const rests: number[] = [];
  for (let round = 0; round < 4; round++) {
    at.now += 3_600_000;
    rests.push(minutes(await at.list('2.25.3.1'), at));
  }
  assert.deepEqual(rests, [1, 5, 15, 15]);
  assert.equal(at.lines.filter((line) => line.includes('"site":"h3"') && line.includes('asked again')).length, 5);
  at.answer = (_site, study) => listing(study, 1);
  at.now += 3_600_000;
  assert.equal(minutes(await at.list('2.25.3.1'), at), 10);
  assert.ok(at.manifests.has('2.25.3.1'));
});

test('one question at a time: who comes meanwhile gets a turn of its own', async () => {
  const at = bench();
  let answer: (listed: Result<StudyListing>) => void = () => undefined;
  at.answer = () => new Promise((resolve) => (answer = resolve));
  const first = at.list('2.25.3');
  await new Promise((resolve) => setImmediate(resolve));
  const others = [await at.list('2.25.4.1'), await at.list('2.25.4.2')].map((outcome) => minutes(outcome, at));
  assert.deepEqual(at.asked, ['2.25.3']);
  assert.ok(others.every((wait) => wait > 0 && wait < 1) && new Set(others).size === 2);
  answer(listing('2.25.3', 1));
  assert.equal(minutes(await first, at), 10);
});

test('an exam without images yet is looked for ever more seldom, and given up after two weeks', async () => {
  const at = bench();
  at.answer = () => fail(problem('not-found'));
  const since = new Date(at.now);
  assert.equal(minutes(await at.list('2.25.3', since), at), 1);
  at.now += 3_600_000;
  assert.equal(minutes(await at.list('2.25.3', since), at), 60);
  at.now += 7 * 86_400_000;
  assert.equal(minutes(await at.list('2.25.3', since), at), 360);
  at.now += 8 * 86_400_000;
  assert.deepEqual(await at.list('2.25.3', since), { done: true });
  assert.equal(at.manifests.size, 0);
  assert.deepEqual(at.lines, []);
});

test('a study that the hospital keeps for another patient gets none, and the operator is told without a name', async () => {
  const at = bench();
  at.answer = (_site, study) => listing(study, 1, 'P9999');
  assert.equal(minutes(await at.list('2.25.3'), at), 1);
  assert.equal(at.manifests.size, 0);
  assert.match(at.lines.join('\n'), /patient-mismatch/);
  assert.doesNotMatch(at.lines.join('\n'), /P9999|P0001/);
});

test('nobody is asked about a study whose images are here', async () => {
  const at = bench({ availability: 'complete' });
  assert.deepEqual(await at.list('2.25.3'), { done: true });
  assert.deepEqual(at.asked, []);
});
