/** What a reader's own objects may do to the index: stand beside the images, and say nothing of patient, order or study. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { writePart10 } from '../../mappings/dicom/write.ts';
import type { Attributes } from '../../mappings/dicom/write.ts';
import { imagesOf } from '../province/images.ts';
import { alsoOpen } from '../support/keyring.ts';
import { multipart } from '../support/dicomweb-hub.ts';
import { signIn } from '../support/sign-in.ts';
import type { SignedInTest } from '../support/sign-in.ts';
import { examsOf, INSTITUTIONS, startViewerHub } from '../support/viewer-hub.ts';
import type { ViewerHub } from '../support/viewer-hub.ts';

/** Nobody registered her: the hospital's device sent a radiograph, and that is all that is known. */
const [known] = examsOf('周琟');
const [stranger] = examsOf('张伟');

let hub: ViewerHub;
let database: Awaited<ReturnType<typeof alsoOpen>>;
let doctor: SignedInTest;
let saved = 0;

before(async () => {
  assert.ok(known !== undefined);
  hub = await startViewerHub();
  database = await alsoOpen(hub.databaseUrl);
  const images = imagesOf(known).slice(0, 1);
  await hub.store(
    known.site,
    images.map(({ bytes }) => bytes),
  );
  await hub.settled();
  doctor = await signIn({ database }, 'physician', { institution: INSTITUTIONS[known.site] });
});
after(async () => {
  await database.close();
  await hub.stop();
});

async function save(more: Attributes): Promise<void> {
  saved++;
  const report = writePart10({
    ...{ SpecificCharacterSet: 'ISO_IR 192', SOPClassUID: '1.2.840.10008.5.1.4.1.1.88.33' },
    ...{ SOPInstanceUID: `2.25.990${String(saved)}`, SeriesInstanceUID: `2.25.991${String(saved)}` },
    ...{ StudyInstanceUID: known?.studyUid ?? '', PatientID: known?.person.local[known.site] ?? '' },
    ...{ ContentDate: '20261126', ContentTime: '100000', Modality: 'SR', ...more },
  });
  const { body, type } = multipart([report]);
  const path = `${hub.origin}/viewer/own/dicomweb/studies/${known?.studyUid ?? ''}`;
  const headers = { ...doctor.headers, 'content-type': type };
  const answer = await fetch(path, { method: 'POST', headers, body });
  assert.equal(answer.status, 200);
  await hub.settled();
}

interface Exam {
  readonly examId: string;
  readonly patient: object;
  readonly keys: object;
  readonly studies: readonly { readonly description?: string; readonly startedAt?: string }[];
}

async function seen(): Promise<Exam & { readonly instances: number }> {
  const ask = async (path: string): Promise<unknown> =>
    (await fetch(hub.origin + path, { headers: { cookie: doctor.cookie } })).json();
  const study = (await ask(`/viewer/own/studies/${known?.studyUid ?? ''}`)) as { exams: { examId: string }[] };
  const exam = (await ask(`/api/v1/exams/${study.exams[0]?.examId ?? ''}`)) as Exam;
  const instances = (await ask(`/dicomweb/studies/${known?.studyUid ?? ''}/instances`)) as unknown[];
  return { ...exam, instances: instances.length };
}

const facts = ({ examId, patient, keys, studies }: Exam): object => ({
  ...{ examId, patient, keys },
  studies: studies.map(({ description, startedAt }) => [description, startedAt]),
});

test("a reader's measurement renames no patient, moves no study, and brings no number of somebody else", async () => {
  const before = await seen();
  await save({ PatientName: '张伟', PatientBirthDate: known?.person.born.replaceAll('-', '') ?? '' });
  await save({ StudyDescription: 'BENT', StudyDate: '20261126', StudyTime: '090000', StudyID: '9' });
  await save({ OtherPatientIDsSequence: [{ PatientID: stranger?.person.residentId ?? '', TypeOfPatientID: 'TEXT' }] });
  // Filed under another hospital's numbers it would wait for a person, and its reader was told that it is kept.
  await save({ IssuerOfPatientID: '2.999.156.1.1', AccessionNumber: 'ANOTHER-1' });
  const now = await seen();
  assert.equal(now.instances, before.instances + 4);
  assert.deepEqual(facts(now), facts(before));
  const theirs = { identifier: { value: stranger?.person.residentId } };
  assert.deepEqual((await hub.ask('POST', '/api/v1/exams/search', theirs)).json, { items: [], next: null });
});

test('a measurement that names another exam of the patient joins the two in nothing, and is kept', async () => {
  const keys = { patientId: known?.person.local[known.site], accessionNumber: 'SECOND-2' };
  const site = known?.site ?? '';
  const second = { ...keys, procedureName: '胸部正位', modality: 'DX', startedAt: '2026-11-20 08:00:00' };
  assert.equal((await hub.ask('POST', `/api/v1/sites/${site}/exams`, second)).status, 202);
  await hub.settled();
  const before = await seen();
  await save({ AccessionNumber: 'SECOND-2' });
  const now = await seen();
  assert.equal(now.instances, before.instances + 1);
  assert.deepEqual(facts(now), facts(before));
});
