/** A hospital that keeps its images: the hub fetches a study by C-GET, once and whole, and serves ranges of its files. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openHospitalArchive, send } from '../../adapters/dicom/index.ts';
import { siteId } from '../../hub/core/identifier.ts';
import type { Uid } from '../../hub/core/identifier.ts';
import type { DicomMatch, DicomQuery, InstanceLocated } from '../../hub/core/ports.ts';
import { Failure } from '../../hub/core/problem.ts';
import type { InstanceRecord } from '../../hub/core/record.ts';
import { parsePart10 } from '../../mappings/dicom/parse.ts';
import { writeDataSet } from '../../mappings/dicom/write.ts';
import { dicomSite, indexAccepted, silent, sitesOf, startHub } from '../support/dimse-hub.ts';
import type { TestHub } from '../support/dimse-hub.ts';

const CT = '1.2.840.10008.5.1.4.1.1.2';
const H3 = siteId('h3');
const [ONE, TWO] = ['2.25.80' as Uid, '2.25.90' as Uid];
const attributes = (study: string, number: number): Parameters<typeof writeDataSet>[0] => ({
  SOPClassUID: CT,
  SOPInstanceUID: `${study}.${String(number)}`,
  StudyInstanceUID: study,
  SeriesInstanceUID: `${study}.0`,
  PatientID: 'P8',
  InstanceNumber: number,
  PixelData: { vr: 'OW', value: Buffer.alloc(300_000, number) },
});

/** Another listener of ours plays the hospital: it answers C-FIND and C-GET for the AE title of the hub. */
let hospital: TestHub;
let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dimse-source-'));
  const sites = sitesOf(dicomSite('h3', 'HUTONG'));
  hospital = await startHub({ aeTitle: 'H3PACS', sites, index: { find: (query) => Promise.resolve(matches(query)) } });
  const files = [ONE, ONE, ONE, TWO, TWO].map((study, at) => ({
    sopClass: CT,
    sopUid: `${study}.${String(at)}`,
    transferSyntax: '1.2.840.10008.1.2.1',
    async *dataSet() {
      yield await Promise.resolve(writeDataSet(attributes(study, at)));
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

function matches({ level, match }: DicomQuery): DicomMatch[] {
  const held = hospital.located.filter(({ study }) => [match['StudyInstanceUID']].flat().includes(study.studyUid));
  return (level === 'IMAGE' ? held : held.slice(0, 1)).map(({ personId, study, series, instance }) => ({
    personId,
    studyUid: study.studyUid,
    attributes: {
      InstitutionSite: study.site,
      SeriesInstanceUID: series.seriesUid,
      SOPInstanceUID: instance.sopUid,
      SOPClassUID: instance.sopClass,
    },
  }));
}

const gets = (): number => hospital.audits.filter(({ operation }) => operation.startsWith('C-GET')).length;

async function bytesOf(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}

type Options = Parameters<typeof openHospitalArchive>[0];

const options = (name: string, port = hospital.port): Options => ({
  sites: sitesOf(
    dicomSite('h3', 'HUTONG', {
      nodes: [{ aeTitle: 'H3PACS', host: '127.0.0.1', port }],
      imageSource: 'H3PACS',
    }),
  ),
  aeTitle: 'HUTONG',
  folder: join(folder, name),
  clock: () => new Date(),
  log: silent,
});

/** As a reader tells it: what the archive fetched, under the hospital's site. */
function locatedAt(record: InstanceRecord): InstanceLocated {
  const found = hospital.located.find(({ instance }) => instance.sopUid === record.instance.uid);
  assert.ok(found);
  return { ...found, instance: { ...found.instance, object: '', digest: record.instance.digest } };
}

async function fetched(
  archive: Awaited<ReturnType<typeof openHospitalArchive>>,
  study: Uid,
): Promise<InstanceLocated[]> {
  const records = await archive.fetch(H3, study);
  assert.ok(records.ok);
  return records.value.map(locatedAt);
}

const code = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work;
    return 'none';
  } catch (error) {
    return error instanceof Failure ? error.problem.code : String(error);
  }
};

test('a study is fetched once, whole, and its bytes are those of the hospital', async () => {
  const archive = await openHospitalArchive(options('a'));
  const before = gets();
  const all = await Promise.all(Array.from({ length: 5 }, () => archive.fetch(H3, ONE)));
  assert.ok(all.every((one) => one.ok && one.value.length === 3));
  const located = await fetched(archive, ONE);
  for (const [at, one] of located.entries()) {
    const parsed = parsePart10(await bytesOf(await archive.open(one)));
    assert.ok(parsed.ok);
    assert.ok(parsed.value.dataSet.bytes.equals(writeDataSet(attributes(ONE, at))));
    assert.equal((await bytesOf(await archive.open(one, { start: 128, end: 132 }))).toString(), 'DICM');
  }
  assert.equal(gets() - before, 1);
});

test('an image is the same file as when its archive sends it by C-STORE, and other bytes are never given for it', async () => {
  const archive = await openHospitalArchive(options('same'));
  const [first] = await fetched(archive, ONE);
  assert.ok(first);
  const centre = await startHub({ sites: sitesOf(dicomSite('h3', 'H3PACS')) });
  try {
    const { sopUid, transferSyntax } = first.instance;
    const file = {
      sopClass: CT,
      sopUid,
      transferSyntax,
      async *dataSet() {
        yield await Promise.resolve(writeDataSet(attributes(ONE, 0)));
      },
    };
    const node = { aeTitle: 'HUTONG', host: '127.0.0.1', port: centre.port };
    assert.ok((await send({ node, callingAe: 'H3PACS' }, [file])).ok);
    indexAccepted(centre);
    const [kept] = centre.located;
    assert.ok(kept);
    assert.equal(kept.instance.digest, first.instance.digest);
    assert.ok((await bytesOf(await archive.open(kept))).equals(await centre.objects.readAll(kept.instance.object)));
  } finally {
    await centre.stop();
  }
  for (const other of [{ digest: '0'.repeat(64) }, { size: first.instance.size - 2 }])
    assert.equal(await code(archive.open({ ...first, instance: { ...first.instance, ...other } })), 'unavailable');
});

test('the cache stays under its bound, and what it dropped is fetched again', async () => {
  const archive = await openHospitalArchive({ ...options('b'), maxBytes: 1_000_000 });
  const [one] = await fetched(archive, ONE);
  const [two] = await fetched(archive, TWO);
  assert.ok(one && two);
  const before = gets();
  (await archive.open(two)).destroy();
  assert.equal(gets() - before, 0);
  assert.equal((await bytesOf(await archive.open(one))).length > 300_000, true);
  assert.equal(gets() - before, 1);
  const folders = await readdir(join(folder, 'b'));
  assert.equal(folders.length, 1);
  assert.equal((await readdir(join(folder, 'b', folders[0] ?? ''))).length, 3);
});

test('a study that is larger than the cache is refused and leaves nothing', async () => {
  const archive = await openHospitalArchive({ ...options('c'), maxBytes: 700_000 });
  const refused = await archive.fetch(H3, ONE);
  assert.equal(!refused.ok && refused.problem.code, 'too-large');
  assert.deepEqual(await readdir(join(folder, 'c')), []);
  assert.ok((await archive.fetch(H3, TWO)).ok, 'its bytes no longer count');
});

test('after a time the hospital is asked anew', async () => {
  let now = Date.parse('2026-03-01T08:00:00Z');
  const archive = await openHospitalArchive({ ...options('d'), clock: () => new Date(now), maxAgeMs: 60_000 });
  const before = gets();
  await archive.fetch(H3, ONE);
  now += 59_000;
  await archive.fetch(H3, ONE);
  assert.equal(gets() - before, 1);
  now += 2_000;
  await archive.fetch(H3, ONE);
  assert.equal(gets() - before, 2);
  assert.equal((await readdir(join(folder, 'd'))).length, 1);
});

test('a study that the archive does not have, or a site without an archive, is not found', async () => {
  const nothing = await (await openHospitalArchive(options('e'))).fetch(H3, '2.25.99' as Uid);
  assert.equal(!nothing.ok && nothing.problem.code, 'not-found');
  const nowhere = { ...options('f'), sites: sitesOf(dicomSite('h3', 'HUTONG')) };
  const without = await (await openHospitalArchive(nowhere)).fetch(H3, ONE);
  assert.equal(!without.ok && without.problem.code, 'not-found');
});

test('half a study is none', async () => {
  const archive = await openHospitalArchive(options('g'));
  const lost = hospital.located.find(({ instance }) => instance.sopUid === `${TWO}.4`);
  assert.ok(lost);
  await hospital.objects.remove(lost.instance.object);
  const half = await archive.fetch(H3, TWO);
  assert.equal(!half.ok && half.problem.code, 'unavailable');
  assert.deepEqual(await readdir(join(folder, 'g')), []);
});

test('an archive that accepts a connection and says nothing is away after the time limit', async () => {
  const sockets: Socket[] = [];
  const mute = createServer((socket) => sockets.push(socket.on('error', () => undefined).resume()));
  mute.listen(0, '127.0.0.1');
  await once(mute, 'listening');
  const limits = { responseMs: 200, artimMs: 200 };
  const archive = await openHospitalArchive({ ...options('h', (mute.address() as AddressInfo).port), limits });
  const began = Date.now();
  const away = await archive.fetch(H3, ONE);
  assert.ok(!away.ok);
  assert.deepEqual(
    [away.problem.code, away.problem.text],
    ['unavailable', 'The archive of hospital h3 does not answer; try again later.'],
  );
  assert.ok(Date.now() - began < 3_000);
  for (const socket of sockets) socket.destroy();
  mute.close();
});
