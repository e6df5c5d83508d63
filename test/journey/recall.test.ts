/**
 * A study that hospital h3 keeps: the hub knows the exam from REST only, and every face gives the images as if they were
 * here, fetched from Orthanc, which plays the hospital's archive.
 */
import assert from 'node:assert/strict';
import { cp, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { transcode } from '../../hub/archive/transcode.ts';
import { parsePart10Header } from '../../mappings/dicom/parse.ts';
import { JPEG_LS_LOSSLESS } from '../../mappings/dicom/uids.ts';
import { writePart10 } from '../../mappings/dicom/write.ts';
import { readPackage } from '../../mappings/xds/mtom.ts';
import { dcmtk, withoutDcmtk } from '../support/dcmtk.ts';
import { dataFolder, startHub } from '../support/hub.ts';
import type { HubProcess } from '../support/hub.ts';
import { startOrthanc, withoutOrthanc } from '../support/orthanc.ts';
import type { Orthanc } from '../support/orthanc.ts';
import { EXPLICIT, JPEG_LS, requestBody, requestEnvelope, SOAP_TYPE } from '../support/xds-peer.ts';

const TOKEN = 'a-token-of-the-test-0123456789abcdef';
const CT = '1.2.840.10008.5.1.4.1.1.2';
const STUDY = '2.25.3001';
/** Kept for another patient than its exam names. */
const FOREIGN = '2.25.3002';
/** Declared, and unknown to the hospital's archive. */
const ABSENT = '2.25.3003';
/** Asked for only when the archive is off. */
const LATER = '2.25.3004';
const SIDE = 64;

/** Every pixel differs from its neighbours and from those of other images. */
function pixels(number: number): Buffer {
  const bytes = Buffer.alloc(2 * SIDE * SIDE);
  for (let at = 0; at < SIDE * SIDE; at++) bytes.writeUInt16LE((at * 31 + number * 1009) % 4096, 2 * at);
  return bytes;
}

function image(study: string, patient: string, series: number, number: number): Buffer {
  return writePart10({
    SOPClassUID: CT,
    SOPInstanceUID: `${study}.${String(series)}.${String(number)}`,
    StudyInstanceUID: study,
    SeriesInstanceUID: `${study}.${String(series)}`,
    PatientID: patient,
    PatientName: 'Zhuge^Jing',
    AccessionNumber: `A${study.slice(-4)}`,
    StudyDate: '20260303',
    Modality: 'CT',
    SeriesNumber: series,
    InstanceNumber: number,
    Rows: SIDE,
    Columns: SIDE,
    SamplesPerPixel: 1,
    PhotometricInterpretation: 'MONOCHROME2',
    BitsAllocated: 16,
    BitsStored: 12,
    HighBit: 11,
    PixelRepresentation: 0,
    PixelData: { vr: 'OW', value: pixels(10 * series + number) },
  });
}

function dataSetOf(file: Buffer): Buffer {
  const parsed = parsePart10Header(file);
  assert.ok(parsed.ok);
  return file.subarray(parsed.value.dataSetOffset);
}

describe('a study that its hospital keeps', { skip: withoutOrthanc }, () => {
  let folder: Awaited<ReturnType<typeof dataFolder>>;
  let archive: Orthanc;
  let hub: HubProcess;
  const files = [image(STUDY, 'K1', 1, 1), image(STUDY, 'K1', 1, 2), image(STUDY, 'K1', 2, 1)];
  const sops = [`${STUDY}.1.1`, `${STUDY}.1.2`, `${STUDY}.2.1`];

  before(async () => {
    folder = await dataFolder();
    archive = await startOrthanc('H3PACS');
    // The second image is kept compressed: it must come as it is kept.
    const squeezed = await transcode(files[1] ?? Buffer.alloc(0), JPEG_LS_LOSSLESS);
    assert.ok(squeezed.ok);
    files[1] = squeezed.value;
    const kept = [...files, image(FOREIGN, 'K9', 1, 1), image(LATER, 'K1', 1, 1)];
    for (const file of kept) await archive.keep(file);
    const sites = join(folder.dir, 'sites');
    await cp('adapters/sites', sites, { recursive: true });
    const profile = join(sites, 'h3', 'site.yaml');
    const text = await readFile(profile, 'utf8');
    await writeFile(profile, text.replace('port: 11114', `port: ${String(archive.dicomPort)}`));
    hub = startHub(join(folder.dir, 'hub'), [], { HUB_ADMIN_TOKEN: TOKEN, HUB_SITES_DIR: sites });
    await hub.up();
    for (const study of [STUDY, ABSENT, LATER]) await declare(study, 'K1');
    await declare(FOREIGN, 'K2');
    await settled();
  });
  after(async () => {
    hub.signal('SIGTERM');
    await hub.ended();
    await archive.remove();
    await folder.remove();
    await rm(join(folder.dir), { recursive: true, force: true });
  });

  async function ask(path: string, headers: Record<string, string> = {}, body?: string): Promise<Response> {
    const method = body === undefined ? 'GET' : 'POST';
    const all = { Authorization: `Bearer ${TOKEN}`, ...headers };
    return fetch(`${hub.address()}${path}`, { method, headers: all, ...(body === undefined ? {} : { body }) });
  }

  async function declare(studyInstanceUid: string, patientId: string): Promise<void> {
    const body = {
      patientId,
      accessionNumber: `A${studyInstanceUid.slice(-4)}`,
      studyInstanceUid,
      modality: 'CT',
      eventTime: '2026-03-03 09:00:00',
    };
    const answer = await ask('/api/v1/sites/h3/exams', { 'Content-Type': 'application/json' }, JSON.stringify(body));
    assert.equal(answer.status, 202, await answer.text());
  }

  async function settled(): Promise<void> {
    for (let tries = 0; tries < 200; tries++) {
      const counters = (await (await ask('/api/v1/journal/counters')).json()) as Record<string, number>;
      if (counters['pending'] === 0 && counters['received'] === counters['applied']) return;
      await pause(50);
    }
    throw new Error('the exams were not applied in ten seconds');
  }

  const instancePath = (at: number): string => {
    const sop = sops[at] ?? '';
    return `/dicomweb/studies/${STUDY}/series/${sop.slice(0, sop.lastIndexOf('.'))}/instances/${sop}`;
  };

  test('WADO-RS gives the whole study, each image as the hospital keeps it', async () => {
    const answer = await ask(`/dicomweb/studies/${STUDY}`, {
      Accept: 'multipart/related; type="application/dicom"; transfer-syntax=*',
    });
    assert.equal(answer.status, 200);
    const body = Buffer.from(await answer.arrayBuffer());
    for (const file of files) assert.ok(body.includes(dataSetOf(file)));
  });

  test('many at once ask the archive once', async () => {
    const fetches = (): number => hub.said().split('fetched a study from the hospital').length - 1;
    const began = fetches();
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, at) =>
        ask(instancePath(at % 3), { Accept: 'application/dicom; transfer-syntax=*' }),
      ),
    );
    for (const [at, answer] of answers.entries()) {
      assert.equal(answer.status, 200);
      assert.ok(Buffer.from(await answer.arrayBuffer()).includes(dataSetOf(files[at % 3] ?? Buffer.alloc(0))));
    }
    assert.ok(began === 1 && fetches() === 1, `${String(began)} then ${String(fetches())} fetches`);
  });

  test('WADO-RS metadata, frames and pictures, and WADO-URI', async () => {
    const metadata = await ask(`/dicomweb/studies/${STUDY}/metadata`, { Accept: 'application/dicom+json' });
    assert.equal(metadata.status, 200);
    const models = (await metadata.json()) as Record<string, { Value?: unknown[] }>[];
    assert.deepEqual(
      models.map((model) => model['00080018']?.Value?.[0]),
      sops,
    );
    assert.deepEqual(models[0]?.['00100020']?.Value, ['K1']);
    const frame = await ask(`${instancePath(1)}/frames/1`, {
      Accept: 'multipart/related; type="application/octet-stream"',
    });
    assert.equal(frame.status, 200);
    assert.ok(Buffer.from(await frame.arrayBuffer()).includes(pixels(12)), 'JPEG-LS decodes to the same pixels');
    const picture = await ask(`${instancePath(2)}/rendered`, { Accept: 'image/png' });
    assert.equal(picture.headers.get('content-type'), 'image/png');
    await picture.arrayBuffer();
    const query = `requestType=WADO&studyUID=${STUDY}&seriesUID=${STUDY}.2&objectUID=${STUDY}.2.1`;
    const object = await ask(`/wado?${query}&contentType=application/dicom`);
    assert.equal(object.status, 200);
    assert.ok(Buffer.from(await object.arrayBuffer()).includes(dataSetOf(files[2] ?? Buffer.alloc(0))));
  });

  const rad69 = (study: string, wanted: readonly string[]): Promise<Response> => {
    const documents = wanted.map((sop) => ({ study, series: sop.slice(0, sop.lastIndexOf('.')), sop }));
    const envelope = requestEnvelope(requestBody(documents, [EXPLICIT, JPEG_LS]));
    return ask('/xds/imaging-source', { 'Content-Type': SOAP_TYPE }, envelope);
  };

  test('RAD-69 gives its instances', async () => {
    const answer = await rad69(STUDY, sops);
    const bytes = Buffer.from(await answer.arrayBuffer());
    const limits = { bytes: 1 << 24, parts: 10 };
    const packed = await readPackage(answer.headers.get('content-type') ?? '', Readable.from([bytes]), limits);
    assert.ok(packed.ok);
    assert.match(packed.value.envelope.toString(), /ResponseStatusType:Success/);
    for (const file of files) assert.ok(bytes.includes(dataSetOf(file)));
  });

  const getscu = async (study: string): Promise<{ output: string; got: string[]; out: string }> => {
    const port = /dicom on 127\.0\.0\.1:(\d+)/.exec(hub.said())?.[1] ?? '';
    const out = join(folder.dir, `got-${study}`);
    await mkdir(out);
    const titles = ['-aet', 'H3PACS', '-aec', 'HUTONG', '127.0.0.1', port];
    const keys = ['-k', 'QueryRetrieveLevel=STUDY', '-k', `StudyInstanceUID=${study}`];
    const { output } = await dcmtk('getscu', '-d', '-S', '-od', out, ...titles, ...keys);
    return { output, got: await readdir(out), out };
  };

  test('C-GET gives its instances, decoded for a peer that takes them plain', { skip: withoutDcmtk }, async () => {
    const { output, got, out } = await getscu(STUDY);
    assert.equal(got.length, 3, output);
    const all = Buffer.concat(await Promise.all(got.map((name) => readFile(join(out, name)))));
    for (const number of [11, 12, 21]) assert.ok(all.includes(pixels(number)), `image ${String(number)}`);
  });

  test('the index still says that the hospital keeps it', async () => {
    const found = await ask(`/dicomweb/studies?StudyInstanceUID=${STUDY}`);
    const [model] = (await found.json()) as Record<string, { Value?: unknown[] }>[];
    assert.deepEqual(model?.['00080056']?.Value, ['NEARLINE']);
    assert.equal(model['00201208']?.Value?.[0] ?? 0, 0);
  });

  test('QIDO-RS lists its series and instances for a viewer that knows the study', async () => {
    const list = async (path: string, tag: string): Promise<unknown[]> => {
      const answer = await ask(`/dicomweb/studies/${STUDY}${path}`);
      assert.equal(answer.status, 200);
      const models = (await answer.json()) as Record<string, { Value?: unknown[] }>[];
      return models.map((model) => model[tag]?.Value?.[0]);
    };
    assert.deepEqual(await list('/series', '0020000E'), [`${STUDY}.1`, `${STUDY}.2`]);
    assert.deepEqual(await list('/series', '00201209'), [2, 1]);
    assert.deepEqual(await list('/series?Modality=MR', '0020000E'), []);
    assert.deepEqual(await list('/series?SeriesNumber=2', '0020000E'), [`${STUDY}.2`]);
    assert.deepEqual(await list(`/series?Modality=*T&SeriesInstanceUID=${STUDY}.1`, '0020000E'), [`${STUDY}.1`]);
    assert.deepEqual(await list('/series?PatientID=K2', '0020000E'), []);
    assert.deepEqual(await list(`/series/${STUDY}.1/instances`, '00080018'), sops.slice(0, 2));
    assert.deepEqual(await list('/instances?limit=1&offset=1', '00080018'), sops.slice(1, 2));
    const foreign = await ask(`/dicomweb/studies/${FOREIGN}/series`);
    assert.equal(foreign.status, 409);
    await foreign.arrayBuffer();
  });

  test('a study that the hospital keeps for another patient is not shown', { skip: withoutDcmtk }, async () => {
    const answer = await ask(`/dicomweb/studies/${FOREIGN}`, { Accept: 'multipart/related; type="application/dicom"' });
    assert.equal(answer.status, 409);
    const problem = (await answer.json()) as Record<string, string>;
    assert.deepEqual([problem['code'], problem['where']], ['patient-mismatch', '(0010,0020)']);
    assert.equal((await ask(`/dicomweb/studies/${FOREIGN}/metadata`)).status, 409);
    const soap = await (await rad69(FOREIGN, [`${FOREIGN}.1.1`])).text();
    assert.match(soap, /errorCode="XDSRepositoryError"/);
    assert.match(soap, /another patient/);
    const { output, got } = await getscu(FOREIGN);
    assert.deepEqual(got, []);
    assert.match(output, /another patient/);
    assert.doesNotMatch(hub.said(), /K9|Zhuge/);
  });

  test('a study that the archive does not have is not found', async () => {
    const answer = await ask(`/dicomweb/studies/${ABSENT}/metadata`);
    assert.equal(answer.status, 404, await answer.text());
  });

  test('an archive that is off: 503, a document error and a status, all of which say so; on again, it works', async () => {
    await archive.stop();
    const answer = await ask(`/dicomweb/studies/${LATER}/metadata`);
    assert.equal(answer.status, 503);
    assert.equal(answer.headers.get('retry-after'), '5');
    assert.match(await answer.text(), /The archive of hospital h3 does not answer/);
    const soap = await (await rad69(LATER, [`${LATER}.1.1`])).text();
    assert.match(soap, /ResponseStatusType:Failure/);
    assert.match(soap, /errorCode="XDSRepositoryError"/);
    assert.match(soap, /The archive of hospital h3 does not answer/);
    if (!withoutDcmtk)
      assert.match((await getscu(LATER)).output, /a700[\s\S]*The archive of hospital h3 does not answer/i);
    // What was fetched before is still at hand.
    assert.equal((await ask(`/dicomweb/studies/${STUDY}/metadata`)).status, 200);
    await archive.start();
    assert.equal((await ask(`/dicomweb/studies/${LATER}/metadata`)).status, 200);
  });
});
