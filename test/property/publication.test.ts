/** Publishing the documents of an exam: twice is once, and every order of events ends in the same approved entries. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import fc from 'fast-check';
import type { EntryId } from '../../hub/core/document.ts';
import type { HubId } from '../../hub/core/identifier.ts';
import type { ExamView } from '../../hub/core/view.ts';
import { createPublishDocuments } from '../../hub/flow/publish-documents.ts';
import { quiet } from '../support/database.ts';
import { cxOf, FakeRegistry } from '../support/fake-registry.ts';
import { context, imagingExam, imagingStudy, manifestOf, report } from '../support/imaging-exam.ts';

interface Bench {
  exam: ExamView;
  readonly registry: FakeRegistry;
  publish(examId?: HubId): Promise<void>;
}

function bench(exam: ExamView): Bench {
  const registry = new FakeRegistry();
  let seconds = 0;
  const self: Bench = { exam, registry, publish: (examId = exam.examId) => publish(examId) };
  const publish = createPublishDocuments({
    exams: { exam: () => Promise.resolve(self.exam) },
    registry,
    patients: {
      idsOf: (ids) => Promise.resolve(new Map(ids.map((id) => [id, cxOf(id)]))),
      personsOf: () => Promise.resolve(new Map()),
    },
    record: () => Promise.resolve(),
    documents: {
      put: (contentType, bytes) => {
        const sha1 = createHash('sha1').update(bytes).digest('hex');
        return Promise.resolve({ contentType, object: `document/${sha1}`, size: bytes.length, sha1 });
      },
    },
    objects: { readAll: () => Promise.reject(new Error('no study of these exams is kept elsewhere')) },
    context,
    clock: () => new Date(Date.UTC(2026, 2, 1, 3, 0, seconds++)),
    log: quiet,
  });
  return self;
}

const hub = (text: string): HubId => text as HubId;

test('a complete study and an audited report are four documents, and publishing again changes nothing', async () => {
  const at = bench(imagingExam());
  await at.publish();
  const first = at.registry.approved();
  assert.deepEqual(
    at.registry
      .entries()
      .map(({ mimeType }) => mimeType)
      .sort(),
    ['application/dicom', 'application/fhir+json', 'application/pdf', 'text/xml'],
  );
  assert.equal(at.registry.submissions, 1);
  await at.publish();
  assert.equal(at.registry.submissions, 1);
  assert.deepEqual(at.registry.approved(), first);
  for (const entry of at.registry.entries()) assert.ok(at.registry.bytes.has(entry.uniqueId));
});

test('a revision replaces, and the earlier entries stay as they were but deprecated', async () => {
  const at = bench(imagingExam());
  await at.publish();
  const before = at.registry.entries();
  at.exam = { ...at.exam, report: report({ status: 'corrected', supersedes: 1 }) };
  await at.publish();
  for (const entry of before) {
    const now = at.registry.objects.get(entry.id);
    assert.ok(now);
    const replaced = entry.mimeType === 'application/pdf' || entry.mimeType === 'text/xml';
    assert.deepEqual(now, replaced ? { ...entry, status: 'deprecated' } : entry);
  }
  assert.equal(at.registry.approved().length, 4);
});

test('an exam that moves to another person leaves nothing behind', async () => {
  const at = bench(imagingExam());
  await at.publish();
  const moved = hub('55555555-5555-8555-8555-555555555555');
  at.exam = { ...at.exam, personId: moved };
  await at.publish();
  assert.deepEqual(
    new Set(
      at.registry
        .entries()
        .filter(({ status }) => status === 'approved')
        .map(({ patientId }) => patientId),
    ),
    new Set([cxOf(moved)]),
  );
  assert.equal(at.registry.approved().length, 4);
});

test('an exam that was united with another is published under its id of today alone', async () => {
  const at = bench(imagingExam());
  await at.publish();
  const old = at.exam.examId;
  at.exam = { ...at.exam, examId: hub('66666666-6666-8666-8666-666666666666') };
  await at.publish(at.exam.examId);
  await at.publish(old);
  assert.equal(at.registry.approved().length, 4);
  const other = bench(at.exam);
  await other.publish(at.exam.examId);
  assert.deepEqual(at.registry.approved(), other.registry.approved());
});

test('metadata that somebody else updated is replaced in its last version when the exam changes', async () => {
  const at = bench(imagingExam());
  await at.publish();
  const cda = at.registry.entries().find(({ mimeType }) => mimeType === 'text/xml');
  assert.ok(cda);
  const as = 'urn:uuid:77777777-7777-4777-8777-777777777777' as EntryId;
  at.registry.revise(cda.id, as, { title: [{ text: 'another title' }] });
  await at.publish();
  assert.equal(
    at.registry.objects.get(as)?.status,
    'approved',
    'what others said of it stays while the hub has no news',
  );
  at.exam = { ...at.exam, report: report({ status: 'corrected', supersedes: 1 }) };
  await at.publish();
  assert.equal(at.registry.objects.get(as)?.status, 'deprecated');
  assert.equal(at.registry.approved().length, 4);
});

test('what changes in metadata alone is another version of the entry, and not another document', async () => {
  const at = bench(imagingExam());
  await at.publish();
  const before = at.registry.entries();
  // An accession number that was learned late stands in the entry of the manifest, and not in its bytes.
  at.exam = { ...at.exam, keys: { ...at.exam.keys, accession: 'A101' } };
  await at.publish();
  const old = before.find(({ mimeType }) => mimeType === 'application/dicom');
  const versions = at.registry.entries().filter(({ mimeType }) => mimeType === 'application/dicom');
  assert.deepEqual(
    versions.map(({ lid, version, uniqueId, status }) => [lid, version, uniqueId, status]),
    [
      [old?.lid, 1, old?.uniqueId, 'deprecated'],
      [old?.lid, 2, old?.uniqueId, 'approved'],
    ],
  );
  assert.match(versions[1]?.referenceIds.join() ?? '', /A101/);
  // The CDA says the number itself: it is another document, and replaces.
  const cda = at.registry.entries().filter(({ mimeType }) => mimeType === 'text/xml');
  assert.equal(new Set(cda.map(({ uniqueId }) => uniqueId)).size, 2);
  assert.equal(new Set(cda.map(({ lid }) => lid)).size, 2);
  assert.equal(at.registry.approved().length, 4);
  const calls = at.registry.submissions;
  await at.publish();
  assert.equal(at.registry.submissions, calls);
});

/** What can be true of an exam; each event makes one of them so, in any order, as the index's own facts do. */
const LATER = imagingStudy(undefined, 5, { changedAt: '2026-03-01T03:00:00.000Z' });
const SECOND = imagingStudy('1.2.826.0.1.3680043.99.8', 2);
const EVENTS: Readonly<Record<string, (exam: ExamView) => ExamView>> = {
  report: (exam) => ({ ...exam, report: exam.report?.status === 'corrected' ? exam.report : report() }),
  revision: (exam) => ({ ...exam, report: report({ status: 'corrected', supersedes: 1 }) }),
  manifest: (exam) => ({
    ...exam,
    manifests: [
      manifestOf(exam.studies[0] ?? LATER),
      ...exam.manifests.filter(({ studyUid }) => studyUid !== LATER.studyUid),
    ],
  }),
  images: (exam) => ({
    ...exam,
    studies: exam.studies.map((study) => (study.studyUid === LATER.studyUid ? LATER : study)),
    manifests: exam.manifests.map((one) => (one.studyUid === LATER.studyUid ? manifestOf(LATER) : one)),
  }),
  second: (exam) => ({
    ...exam,
    studies: [...exam.studies.filter(({ studyUid }) => studyUid !== SECOND.studyUid), SECOND],
    manifests: [...exam.manifests.filter(({ studyUid }) => studyUid !== SECOND.studyUid), manifestOf(SECOND)],
  }),
  rename: (exam) => ({
    ...exam,
    patient: { ...exam.patient, names: [{ text: '欧阳珅', representation: 'ideographic' }] },
  }),
  link: (exam) => ({ ...exam, personId: hub('55555555-5555-8555-8555-555555555555') }),
};
const CANCEL = (exam: ExamView): ExamView => ({ ...exam, cancelled: true });

test('any order of events, repeats and lost answers ends in the same approved entries', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.shuffledSubarray(Object.keys(EVENTS), { minLength: Object.keys(EVENTS).length }),
      fc.array(fc.constantFrom<('before' | 'after' | 'none')[]>('before', 'after', 'none'), { maxLength: 14 }),
      fc.array(fc.boolean(), { minLength: 7, maxLength: 7 }),
      fc.option(fc.nat(7), { nil: null }),
      fc.boolean(),
      async (order, failures, publishing, cancelAt, restored) => {
        const at = bench(imagingExam({ report: null, manifests: [] }));
        const publish = async (): Promise<void> => {
          const [failure] = failures.splice(0, 1);
          at.registry.failing = failure === undefined || failure === 'none' ? [] : [failure];
          try {
            await at.publish();
          } catch {
            at.registry.failing = [];
            await at.publish();
          }
        };
        for (const [step, name] of order.entries()) {
          if (cancelAt === step) at.exam = CANCEL(at.exam);
          const event = EVENTS[name];
          assert.ok(event);
          at.exam = event(at.exam);
          if (publishing[step] === true) await publish();
        }
        if (restored) at.exam = { ...at.exam, cancelled: false };
        await publish();
        const straight = bench(at.exam);
        await straight.publish();
        assert.deepEqual(at.registry.approved(), straight.registry.approved());
        assert.equal(at.registry.approved().length, at.exam.cancelled ? 0 : 6);
      },
    ),
    { numRuns: 60 },
  );
});

test('images that arrive after the manifest leave it standing until the next one', async () => {
  const at = bench(imagingExam());
  await at.publish();
  const first = at.registry.approved();
  const grown = { ...LATER, availability: 'partial' as const };
  at.exam = { ...at.exam, studies: [grown] };
  await at.publish();
  assert.deepEqual(at.registry.approved(), first);
  at.exam = { ...at.exam, personId: hub('55555555-5555-8555-8555-555555555555') };
  await at.publish();
  assert.equal(at.registry.approved().length, 3, 'under another person nothing of it may stay');
});
