/**
 * A whole hub whose objects lie sealed, as it does unless it is told otherwise: images come by C-STORE and leave by WADO-RS,
 * RAD-69 and C-MOVE as the bytes that came; the folder holds none of them; one changed byte is told and never shown.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { parsePart10Header } from '../../mappings/dicom/parse.ts';
import { writePart10 } from '../../mappings/dicom/write.ts';
import { readPackage } from '../../mappings/xds/mtom.ts';
import { dcmtk, freePort, listening, withoutDcmtk } from '../support/dcmtk.ts';
import { dataFolder, startHub } from '../support/hub.ts';
import type { HubProcess } from '../support/hub.ts';
import { TEST_MASTER_KEY } from '../support/keyring.ts';
import { EXPLICIT, requestBody, requestEnvelope, SOAP_TYPE } from '../support/xds-peer.ts';

const TOKEN = 'a-token-of-the-test-0123456789abcdef';
const STUDY = '2.25.7001';
const PATIENT = 'SEALED-7001';
/** Frames of three chunks and a half, so that ranges begin and end within chunks. */
const [ROWS, COLUMNS] = [224, 512];

function pixels(number: number): Buffer {
  const bytes = Buffer.alloc(2 * ROWS * COLUMNS);
  for (let at = 0; at < ROWS * COLUMNS; at++) bytes.writeUInt16LE((at * 31 + number * 1009) % 4096, 2 * at);
  return bytes;
}

const image = (number: number): Buffer =>
  writePart10({
    SpecificCharacterSet: 'ISO_IR 192',
    SOPClassUID: '1.2.840.10008.5.1.4.1.1.2',
    SOPInstanceUID: `${STUDY}.1.${String(number)}`,
    StudyInstanceUID: STUDY,
    SeriesInstanceUID: `${STUDY}.1`,
    PatientID: PATIENT,
    PatientName: 'Ouyang^Jing=欧阳^静',
    AccessionNumber: 'SEALED-A7001',
    StudyDate: '20260303',
    Modality: 'CT',
    InstanceNumber: number,
    Rows: ROWS,
    Columns: COLUMNS,
    SamplesPerPixel: 1,
    PhotometricInterpretation: 'MONOCHROME2',
    BitsAllocated: 16,
    BitsStored: 12,
    HighBit: 11,
    PixelRepresentation: 0,
    PixelData: { vr: 'OW', value: pixels(number) },
  });

function dataSetOf(file: Buffer): Buffer {
  const parsed = parsePart10Header(file);
  assert.ok(parsed.ok);
  return file.subarray(parsed.value.dataSetOffset);
}

/** What is young is left alone: to be sealed now, everything is made to look old. */
async function age(data: string): Promise<void> {
  const root = join(data, 'objects');
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((each) => each.isFile()))
    await utimes(join(entry.parentPath, entry.name), 0, 0).catch(() => undefined); // a reserved name, given up meanwhile
}

/** `npm run keys -- reseal-objects`, as an operator runs it. */
async function resealed(data: string): Promise<string> {
  await age(data);
  const env = { ...process.env, HUB_DATA_DIR: data, HUB_MASTER_KEY: TEST_MASTER_KEY };
  const run = promisify(execFile)(process.execPath, ['--import', 'tsx', 'hub/main.ts', 'keys', 'reseal-objects'], {
    env,
  });
  return (await run).stdout;
}

for (const [cipher, how] of [
  ['aes-256-gcm', 'sealed as they came'],
  ['sm4-ctr-hmac-sm3', 'sealed as they came'],
  ['aes-256-gcm', 'stored in clear and sealed by the command'],
] as const)
  describe(`images that lie sealed, ${cipher}, ${how}`, { skip: withoutDcmtk }, () => {
    let folder: Awaited<ReturnType<typeof dataFolder>>;
    let hub: HubProcess;
    let nodePort = 0;
    let data = '';
    const files = [1, 2, 3].map(image);

    before(async () => {
      folder = await dataFolder();
      nodePort = await freePort();
      const sites = join(folder.dir, 'sites');
      await cp('adapters/sites', sites, { recursive: true });
      const profile = join(sites, 'h1', 'site.yaml');
      const text = await readFile(profile, 'utf8');
      await writeFile(profile, text.replace('port: 11113', `port: ${String(nodePort)}`));
      data = folder.dir;
      const inClear = how !== 'sealed as they came';
      const start = async (by: string): Promise<void> => {
        hub = startHub(data, [], { HUB_ADMIN_TOKEN: TOKEN, HUB_SITES_DIR: sites, HUB_OBJECT_CIPHER: by });
        await hub.up(120_000);
      };
      await start(inClear ? 'none' : cipher);
      const images = join(folder.dir, 'images');
      await mkdir(images);
      for (const [at, file] of files.entries()) await writeFile(join(images, `${String(at)}.dcm`), file);
      const stored = await dcmtk('storescu', '-aet', 'H1PACS', '-aec', 'HUTONG', '+sd', '127.0.0.1', port(), images);
      assert.equal(stored.code, 0, stored.output);
      await indexed();
      if (!inClear) return;
      assert.match(await resealed(data), /[3-9] sealed, 0 moved .* 0 broken/); // a manifest may be younger
      assert.equal((await wado(1)).status, 200, 'a hub that seals nothing reads what is sealed');
      hub.signal('SIGTERM');
      await hub.ended();
      // What that hub wrote in clear afterwards.
      assert.match(await resealed(data), /0 moved .* [3-9] were so already, 0 too young, 0 broken/);
      await start(cipher);
    });
    after(async () => {
      hub.signal('SIGTERM');
      await hub.ended();
      await folder.remove();
    });

    const port = (): string => /dicom on \S+:(\d+)/.exec(hub.said())?.[1] ?? '';
    const ask = (path: string, headers: Record<string, string> = {}, body?: string): Promise<Response> =>
      fetch(`${hub.address()}${path}`, {
        method: body === undefined ? 'GET' : 'POST',
        headers: { Authorization: `Bearer ${TOKEN}`, ...headers },
        ...(body === undefined ? {} : { body }),
      });
    const wado = (number: number): Promise<Response> =>
      ask(`/dicomweb/studies/${STUDY}/series/${STUDY}.1/instances/${STUDY}.1.${String(number)}`, {
        Accept: 'application/dicom; transfer-syntax=*',
      });

    async function indexed(): Promise<void> {
      for (let tries = 0; tries < 400; tries++) {
        const answer = await ask(`/dicomweb/studies/${STUDY}/instances`);
        if (answer.status === 200 && ((await answer.json()) as unknown[]).length === files.length) return;
        await pause(50);
      }
      throw new Error(`the images were not indexed; it said:\n${hub.said().slice(-2000)}`);
    }

    /** What lies in the object store, by path. */
    async function lying(): Promise<Map<string, Buffer>> {
      const found = new Map<string, Buffer>();
      const root = join(data, 'objects');
      for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile()) continue;
        const path = join(entry.parentPath, entry.name);
        found.set(path, await readFile(path).catch(() => Buffer.alloc(0))); // a reserved name, given up meanwhile
      }
      return found;
    }

    test('WADO-RS gives whole images, frames and metadata as they came', async () => {
      for (const [at, file] of files.entries()) {
        const answer = await wado(at + 1);
        assert.equal(answer.status, 200);
        assert.ok(Buffer.from(await answer.arrayBuffer()).includes(dataSetOf(file)), `image ${String(at + 1)}`);
      }
      const frame = await ask(`/dicomweb/studies/${STUDY}/series/${STUDY}.1/instances/${STUDY}.1.2/frames/1`, {
        Accept: 'multipart/related; type="application/octet-stream"',
      });
      assert.ok(Buffer.from(await frame.arrayBuffer()).includes(pixels(2)));
      const metadata = await ask(`/dicomweb/studies/${STUDY}/metadata`, { Accept: 'application/dicom+json' });
      const models = (await metadata.json()) as Record<string, { Value?: unknown[] }>[];
      assert.deepEqual(models[0]?.['00100020']?.Value, [PATIENT]);
    });

    test('RAD-69 gives them as they came', async () => {
      const documents = [1, 2, 3].map((n) => ({ study: STUDY, series: `${STUDY}.1`, sop: `${STUDY}.1.${String(n)}` }));
      const envelope = requestEnvelope(requestBody(documents, [EXPLICIT]));
      const answer = await ask('/xds/imaging-source', { 'Content-Type': SOAP_TYPE }, envelope);
      const bytes = Buffer.from(await answer.arrayBuffer());
      const limits = { bytes: 1 << 24, parts: 10 };
      const packed = await readPackage(answer.headers.get('content-type') ?? '', Readable.from([bytes]), limits);
      assert.ok(packed.ok);
      assert.match(packed.value.envelope.toString(), /ResponseStatusType:Success/);
      for (const file of files) assert.ok(bytes.includes(dataSetOf(file)));
    });

    test('C-MOVE gives them as they came', async () => {
      const out = join(folder.dir, 'moved');
      await mkdir(out);
      const node = await listening(nodePort, 'storescp', '-aet', 'H1PACS', '-od', out, String(nodePort));
      try {
        const titles = ['-aet', 'H1PACS', '-aec', 'HUTONG', '-aem', 'H1PACS', '127.0.0.1', port()];
        const keys = ['-k', 'QueryRetrieveLevel=STUDY', '-k', `StudyInstanceUID=${STUDY}`];
        const { code, output } = await dcmtk('movescu', '-S', ...titles, ...keys);
        assert.equal(code, 0, output);
      } finally {
        await node.stop();
      }
      const moved = Buffer.concat(await Promise.all((await readdir(out)).map((name) => readFile(join(out, name)))));
      for (const number of [1, 2, 3]) assert.ok(moved.includes(pixels(number)), `image ${String(number)}`);
    });

    test('nothing that lies in the object store names the patient or shows a pixel', async () => {
      const all = await lying();
      assert.ok([...all.values()].filter((bytes) => bytes.length > 200_000).length >= 3);
      const words = [PATIENT, 'SEALED-A7001', 'Ouyang', '欧阳', '1.2.840.10008'].map((word) => Buffer.from(word));
      for (const [path, bytes] of all)
        for (const word of [...words, pixels(1).subarray(0, 32), pixels(2).subarray(9_000, 9_032)])
          assert.equal(bytes.indexOf(word), -1, `${word.toString()} in ${path}`);
    });

    test('one changed byte is told by every face, in the log by its key, and in the metrics', async () => {
      for (const [path, bytes] of await lying())
        if (bytes.length > 200_000) {
          bytes.writeUInt8(bytes.readUInt8(150_000) ^ 1, 150_000);
          await writeFile(path, bytes);
        }
      const answer = await wado(1);
      assert.notEqual(answer.status, 200);
      const told = await answer.text();
      assert.match(told, /not as it was sealed/);
      assert.match(hub.said(), /an object is not as it was sealed/);
      assert.ok(!hub.said().includes(PATIENT) && !hub.said().includes('Ouyang'));
      const documents = [{ study: STUDY, series: `${STUDY}.1`, sop: `${STUDY}.1.2` }];
      const envelope = requestEnvelope(requestBody(documents, [EXPLICIT]));
      const soap = await ask('/xds/imaging-source', { 'Content-Type': SOAP_TYPE }, envelope);
      const bytes = Buffer.from(await soap.arrayBuffer().catch(() => new ArrayBuffer(0)));
      assert.ok(!bytes.includes(dataSetOf(files[1] ?? Buffer.alloc(0))));
      assert.doesNotMatch(bytes.toString('latin1'), /ResponseStatusType:Success/);
      const metrics = await (await ask('/metrics')).text();
      assert.match(metrics, /hub_objects\{what="broken_changed"\} [1-9]/);
    });
  });
