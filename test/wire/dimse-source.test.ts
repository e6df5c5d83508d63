/** A hospital that keeps its images: the hub fetches a series by C-GET, once, and serves ranges of the files. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createHospitalSource, send } from '../../adapters/dicom/index.ts';
import type { InstanceLocated } from '../../hub/core/ports.ts';
import { Failure } from '../../hub/core/problem.ts';
import { parsePart10 } from '../../mappings/dicom/parse.ts';
import { writeDataSet } from '../../mappings/dicom/write.ts';
import { dicomSite, indexAccepted, silent, sitesOf, startHub } from '../support/dimse-hub.ts';
import type { TestHub } from '../support/dimse-hub.ts';

const CT = '1.2.840.10008.5.1.4.1.1.2';
const attributes = (number: number): Parameters<typeof writeDataSet>[0] => ({
  SOPClassUID: CT,
  SOPInstanceUID: `2.25.8.${String(number)}`,
  StudyInstanceUID: '2.25.80',
  SeriesInstanceUID: '2.25.81',
  PatientID: 'P8',
  PixelData: { vr: 'OW', value: Buffer.alloc(300_000, number) },
});

/** Another listener of ours plays the hospital: it answers C-GET for the AE title of the hub. */
let hospital: TestHub;
let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dimse-source-'));
  hospital = await startHub({ aeTitle: 'H3PACS', sites: sitesOf(dicomSite('h3', 'HUTONG')) });
  const files = [1, 2, 3].map((number) => ({
    sopClass: CT,
    sopUid: `2.25.8.${String(number)}`,
    transferSyntax: '1.2.840.10008.1.2.1',
    async *dataSet() {
      yield await Promise.resolve(writeDataSet(attributes(number)));
    },
  }));
  const node = { aeTitle: 'H3PACS', host: '127.0.0.1', port: hospital.port };
  const sent = await send({ node, callingAe: 'HUTONG' }, files);
  assert.ok(sent.ok && sent.value.every((one) => one.status === 0));
  indexAccepted(hospital);
});
after(async () => {
  await hospital.stop();
  await rm(folder, { recursive: true, force: true });
});

async function bytesOf(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}

const sites = (): ReturnType<typeof sitesOf> =>
  sitesOf(
    dicomSite('h3', 'HUTONG', {
      nodes: [{ aeTitle: 'H3PACS', host: '127.0.0.1', port: hospital.port }],
      imageSource: 'H3PACS',
    }),
  );

test('a series is fetched once, whole, and its bytes are those of the hospital', async () => {
  const source = await createHospitalSource({
    sites: sites(),
    aeTitle: 'HUTONG',
    folder: join(folder, 'a'),
    log: silent,
  });
  const before = hospital.audits.length;
  const [one, two, three] = hospital.located;
  assert.ok(one && two && three);
  const streams = await Promise.all([one, two, three].map((located) => source.open(located)));
  for (const [at, stream] of streams.entries()) {
    const parsed = parsePart10(await bytesOf(stream));
    assert.ok(parsed.ok);
    assert.ok(parsed.value.dataSet.bytes.equals(writeDataSet(attributes(at + 1))));
  }
  const part = await bytesOf(await source.open(two, { start: 128, end: 132 }));
  assert.equal(part.toString(), 'DICM');
  assert.equal(hospital.audits.length - before, 1);
});

test('the cache stays under its bound', async () => {
  const held = join(folder, 'b');
  const options = { sites: sites(), aeTitle: 'HUTONG', folder: held, log: silent, maxBytes: 700_000 };
  const source = await createHospitalSource(options);
  for (const located of hospital.located) (await source.open(located)).destroy();
  assert.equal((await readdir(held)).length, 2);
});

test('an instance that the hospital does not have, or a site without a node, is not found', async () => {
  const source = await createHospitalSource({
    sites: sites(),
    aeTitle: 'HUTONG',
    folder: join(folder, 'c'),
    log: silent,
  });
  const [one] = hospital.located;
  assert.ok(one);
  const elsewhere = { ...one, study: { ...one.study, studyUid: '2.25.99' } } as InstanceLocated;
  const notFound = (error: unknown): boolean => error instanceof Failure && error.problem.code === 'not-found';
  await assert.rejects(source.open(elsewhere), notFound);
  const nowhere = { ...options('d'), sites: sitesOf(dicomSite('h3', 'HUTONG')) };
  await assert.rejects((await createHospitalSource(nowhere)).open(one), notFound);
});

const options = (name: string): Parameters<typeof createHospitalSource>[0] => ({
  sites: sites(),
  aeTitle: 'HUTONG',
  folder: join(folder, name),
  log: silent,
});
