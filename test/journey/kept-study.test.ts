/**
 * A hospital keeps its images and sends nothing but messages: its studies have a manifest in both forms all the same, made
 * of what its archive (Orthanc) tells, and who follows it gets the images through the hub.
 */
import assert from 'node:assert/strict';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { FileObjectStore } from '../../hub/archive/object-store-file.ts';
import type { DocumentEntry } from '../../hub/core/document.ts';
import { readManifest } from '../../mappings/dicom/kos-read.ts';
import { writePart10 } from '../../mappings/dicom/write.ts';
import type { FreshDatabase } from '../support/database.ts';
import { freshDatabase } from '../support/database.ts';
import { dataFolder, startHub } from '../support/hub.ts';
import type { HubProcess } from '../support/hub.ts';
import { startOrthanc, withoutOrthanc } from '../support/orthanc.ts';
import type { Orthanc } from '../support/orthanc.ts';
import { EXPLICIT, requestBody, requestEnvelope, SOAP_TYPE } from '../support/xds-peer.ts';
import { openDocument } from '../support/stored.ts';

const TOKEN = 'a-token-of-the-test-0123456789abcdef';
const STUDY = '2.25.7001';
const LATER = '2.25.7002';
const FOREIGN = '2.25.7003';

const image = (study: string, patient: string, series: number, number: number): Buffer =>
  writePart10({
    SpecificCharacterSet: 'ISO_IR 192',
    SOPClassUID: '1.2.840.10008.5.1.4.1.1.4',
    SOPInstanceUID: `${study}.${String(series)}.${String(number)}`,
    StudyInstanceUID: study,
    SeriesInstanceUID: `${study}.${String(series)}`,
    PatientID: patient,
    AccessionNumber: `A${study.slice(-4)}`,
    StudyDate: '20260303',
    SeriesDescription: 'Knee T2',
    Modality: 'MR',
    SeriesNumber: series,
    InstanceNumber: number,
    Rows: 8,
    Columns: 8,
    SamplesPerPixel: 1,
    PhotometricInterpretation: 'MONOCHROME2',
    BitsAllocated: 16,
    BitsStored: 16,
    HighBit: 15,
    PixelRepresentation: 0,
    PixelData: { vr: 'OW', value: Buffer.alloc(128, number) },
  });

interface Row extends DocumentEntry {
  readonly object: string;
}

describe('studies that their hospital keeps', { skip: withoutOrthanc }, () => {
  let fresh: FreshDatabase;
  let folder: Awaited<ReturnType<typeof dataFolder>>;
  let archive: Orthanc;
  let hub: HubProcess;
  const files = [image(STUDY, 'K1', 1, 1), image(STUDY, 'K1', 1, 2), image(STUDY, 'K1', 2, 1)];

  before(async () => {
    fresh = await freshDatabase();
    folder = await dataFolder();
    archive = await startOrthanc('H3PACS');
    for (const file of [...files, image(LATER, 'K1', 1, 1), image(FOREIGN, 'K9', 1, 1)]) await archive.keep(file);
    const sites = join(folder.dir, 'sites');
    await cp('adapters/sites', sites, { recursive: true });
    const profile = join(sites, 'h3', 'site.yaml');
    const text = await readFile(profile, 'utf8');
    const moved = text
      .replace('port: 11114', `port: ${String(archive.dicomPort)}`)
      .replace('settleSeconds: 5', 'settleSeconds: 1');
    await writeFile(profile, moved);
    hub = startHub(folder.dir, [], {
      HUB_OBJECT_CIPHER: 'none', // the test reads the files themselves
      HUB_ADMIN_TOKEN: TOKEN,
      HUB_SITES_DIR: sites,
      DATABASE_URL: fresh.url,
      HUB_PUBLIC_URL: 'https://hub.example',
    });
    await hub.up();
  });
  after(async () => {
    hub.signal('SIGTERM');
    await hub.ended();
    await archive.remove();
    await folder.remove();
    await fresh.drop();
  });

  async function send(path: string, body: object): Promise<void> {
    const answer = await fetch(`${hub.address()}/api/v1/sites/h3/${path}`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${TOKEN}`, 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    assert.equal(answer.status, 202, await answer.text());
  }

  const declare = (studyInstanceUid: string, patientId: string): Promise<void> =>
    send('exams', {
      patientId,
      accessionNumber: `A${studyInstanceUid.slice(-4)}`,
      studyInstanceUid,
      modality: 'MR',
      eventTime: '2026-03-03 09:00:00',
    });

  async function approved(study: string): Promise<Row[]> {
    const { rows } = await fresh.database.pool.query<{
      id: string;
      body: string;
      more: Pick<Row, 'uniqueId' | 'object'>;
    }>(
      `select o.id, o.body, jsonb_build_object('uniqueId', o.unique_id, 'object', d.object) as more
       from registry_object o join repository_document d using (patient_id, unique_id)
       where o.kind = 'document' and o.status = 'approved'`,
    );
    const ids = `${study}^^^^urn:ihe:iti:xds:2016:studyInstanceUID`;
    return rows
      .map((row) => ({ ...openDocument(fresh.database.pool, row), ...row.more }))
      .sort((a, b) => (a.mimeType < b.mimeType ? -1 : 1))
      .filter(({ referenceIds }) => referenceIds.includes(ids));
  }

  async function until<T>(look: () => Promise<T | null>): Promise<T> {
    for (let tries = 0; tries < 300; tries++) {
      const found = await look();
      if (found !== null) return found;
      await pause(100);
    }
    const open = await fresh.database.pool.query(
      'select topic, key, attempts, due_at from outbox where done_at is null',
    );
    throw new Error(`not reached; open: ${JSON.stringify(open.rows)}; it said:\n${hub.said().slice(-4000)}`);
  }

  const both = async (study: string): Promise<Row[] | null> => {
    const rows = await approved(study);
    return rows.length === 2 ? rows : null;
  };

  test('a declared exam gets KOS and MADO, and both lead to the images through the hub', async () => {
    await declare(STUDY, 'K1');
    const [kos, mado] = await until(() => both(STUDY));
    assert.deepEqual([kos?.mimeType, mado?.mimeType], ['application/dicom', 'application/fhir+json']);
    assert.equal(kos?.eventCodes[0]?.code, 'MR');
    const objects = new FileObjectStore(join(folder.dir, 'objects'));
    const manifest = readManifest(await objects.readAll(kos.object));
    assert.ok(manifest.ok);
    const series = manifest.value.studies[0]?.series ?? [];
    assert.deepEqual(
      series.map(({ repositoryUid, instances }) => [repositoryUid, instances.map(({ sopUid }) => sopUid)]),
      [
        ['2.999.156.3', [`${STUDY}.1.1`, `${STUDY}.1.2`]],
        ['2.999.156.3', [`${STUDY}.2.1`]],
      ],
    );
    const bundle = (await objects.readAll(mado?.object ?? '')).toString();
    assert.match(bundle, /"description":"Knee T2"/);
    assert.match(bundle, /"address":"https:\/\/hub\.example\/dicomweb"/);
    const wanted = series.flatMap(({ seriesUid, instances }) =>
      instances.map(({ sopUid }) => ({ study: STUDY, series: seriesUid, sop: sopUid })),
    );
    const retrieved = await fetch(`${hub.address()}/xds/imaging-source`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${TOKEN}`, 'Content-Type': SOAP_TYPE },
      body: requestEnvelope(requestBody(wanted, [EXPLICIT])),
    });
    const text = Buffer.from(await retrieved.arrayBuffer()).toString('latin1');
    assert.match(text, /ResponseStatusType:Success/);
    assert.equal([...text.matchAll(/<[\w:]*DocumentResponse>/g)].length, 3);
    const url = `${hub.address()}/dicomweb/studies/${STUDY}/series/${series[0]?.seriesUid ?? ''}`;
    const wado = await fetch(url, {
      headers: {
        Authorization: `Bearer ${TOKEN}`,
        Accept: 'multipart/related; type="application/dicom"; transfer-syntax=*',
      },
    });
    assert.equal(wado.status, 200);
    await wado.arrayBuffer();
  });

  test('the same images again bring nothing new, and another patient’s study gets no manifest', async () => {
    const first = await approved(STUDY);
    await declare(FOREIGN, 'K2');
    await declare(STUDY, 'K1');
    await until(async () => (hub.said().includes('patient-mismatch') ? true : null));
    assert.deepEqual(await approved(FOREIGN), []);
    assert.deepEqual(await approved(STUDY), first);
    assert.doesNotMatch(hub.said(), /K9/);
  });

  test('an archive that is away: later, and visibly; a void withdraws', async () => {
    await archive.stop();
    await declare(LATER, 'K1');
    await until(async () => (hub.said().includes('a hospital does not tell what it keeps') ? true : null));
    const metrics = await fetch(`${hub.address()}/metrics`, { headers: { Authorization: `Bearer ${TOKEN}` } });
    assert.match(await metrics.text(), /hub_waiting\{what="unlisted_studies"\} [1-9]/);
    assert.deepEqual(await approved(LATER), []);
    await archive.start();
    // Nothing else waits meanwhile: an exam that is withdrawn is.
    await send('exams/void', { patientId: 'K1', accessionNumber: 'A7001', eventTime: '2026-03-03 12:30:00' });
    await until(async () => ((await approved(STUDY)).length === 0 ? true : null));
    await until(() => both(LATER));
  });
});
