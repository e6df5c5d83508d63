/**
 * A whole hub: a hospital sends an order, images and a report as it always does, and manifest and report stand in the
 * document registry; a correction replaces, a void withdraws.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { FileObjectStore } from '../../hub/archive/object-store-file.ts';
import type { DocumentEntry } from '../../hub/core/document.ts';
import { writePart10 } from '../../mappings/dicom/write.ts';
import type { FreshDatabase } from '../support/database.ts';
import { freshDatabase } from '../support/database.ts';
import { dcmtk, withoutDcmtk } from '../support/dcmtk.ts';
import { dataFolder, startHub } from '../support/hub.ts';
import type { HubProcess } from '../support/hub.ts';
import { openDocument } from '../support/stored.ts';

const TOKEN = 'a-token-of-the-test-0123456789abcdef';
const STUDY = '2.25.4001';
let fresh: FreshDatabase;
let folder: Awaited<ReturnType<typeof dataFolder>>;
let hub: HubProcess;

before(async () => {
  fresh = await freshDatabase();
  folder = await dataFolder();
  hub = startHub(folder.dir, [], {
    HUB_OBJECT_CIPHER: 'none', // the test reads the files themselves
    HUB_ADMIN_TOKEN: TOKEN,
    DATABASE_URL: fresh.url,
    HUB_PUBLIC_URL: 'https://hub.example',
  });
  await hub.up();
});
after(async () => {
  hub.signal('SIGTERM');
  await hub.ended();
  await folder.remove();
});

async function send(path: string, body: object): Promise<void> {
  const answer = await fetch(`${hub.address()}/api/v1/sites/h1/${path}`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${TOKEN}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ patientId: 'J1', accessionNumber: 'JA1', ...body }),
  });
  assert.equal(answer.status, 202, await answer.text());
}

const image = (number: number): Buffer =>
  writePart10({
    SpecificCharacterSet: 'ISO_IR 192',
    SOPClassUID: '1.2.840.10008.5.1.4.1.1.2',
    SOPInstanceUID: `${STUDY}.1.${String(number)}`,
    StudyInstanceUID: STUDY,
    SeriesInstanceUID: `${STUDY}.1`,
    PatientID: 'J1',
    PatientName: '=李^小梅',
    AccessionNumber: 'JA1',
    StudyDate: '20260303',
    StudyTime: '093000',
    StudyDescription: 'CHEST',
    Modality: 'CT',
    SeriesNumber: 1,
    InstanceNumber: number,
    Rows: 8,
    Columns: 8,
    PixelData: { vr: 'OW', value: Buffer.alloc(128, number) },
  });

interface Row extends DocumentEntry {
  readonly object: string;
}

interface Stored {
  readonly id: string;
  readonly body: string;
  readonly more: Pick<Row, 'uniqueId' | 'object' | 'lid' | 'version'>;
}

async function approved(): Promise<Row[]> {
  const { rows } = await fresh.database.pool.query<Stored>(
    `select o.id, o.body, jsonb_build_object('uniqueId', o.unique_id, 'object', d.object, 'lid', o.lid, 'version', o.version) as more
     from registry_object o join repository_document d using (patient_id, unique_id)
     where o.kind = 'document' and o.status = 'approved' order by o.format_code`,
  );
  return rows.map((row) => ({ ...openDocument(fresh.database.pool, row), ...row.more }));
}

/** Polls until what is approved is so; the exam's journal lies in other tables, so nothing here waits on a clock alone. */
async function until(what: (rows: readonly Row[]) => boolean): Promise<Row[]> {
  for (let tries = 0; tries < 300; tries++) {
    const rows = await approved();
    if (what(rows)) return rows;
    await pause(100);
  }
  const open = await fresh.database.pool.query('select topic, attempts, due_at from outbox where done_at is null');
  throw new Error(`not reached; open: ${JSON.stringify(open.rows)}; it said:\n${hub.said().slice(-4000)}`);
}

test('from ordinary messages to documents, their correction and their withdrawal', { skip: withoutDcmtk }, async () => {
  await send('registrations', { name: '李小梅', sex: '2', birthDate: '1990-02-03', eventTime: '2026-03-03 08:00:00' });
  await send('orders', { procedureCode: 'CT001', modality: 'CT', eventTime: '2026-03-03 08:10:00' });
  const images = join(folder.dir, 'images');
  await mkdir(images, { recursive: true });
  for (const number of [1, 2, 3]) await writeFile(join(images, `${String(number)}.dcm`), image(number));
  const port = /dicom on \S+:(\d+)/.exec(hub.said())?.[1] ?? '';
  const stored = await dcmtk('storescu', '-aet', 'H1PACS', '-aec', 'HUTONG', '+sd', '127.0.0.1', port, images);
  assert.equal(stored.code, 0, stored.output);
  const report = { reportNumber: 'JR1', reporter: '李医生', auditor: '王主任', impression: '未见异常。' };
  await send('reports', { ...report, status: 'F', findings: '双肺清晰。', auditedAt: '2026-03-03 10:00:00' });

  const first = await until((rows) => rows.length === 4);
  assert.deepEqual(first.map(({ mimeType }) => mimeType).sort(), [
    'application/dicom',
    'application/fhir+json',
    'application/pdf',
    'text/xml',
  ]);
  const objects = new FileObjectStore(join(folder.dir, 'objects'));
  for (const entry of first) {
    const bytes = await objects.readAll(entry.object);
    assert.equal(createHash('sha1').update(bytes).digest('hex'), entry.hash);
    assert.equal(bytes.length, entry.size);
    assert.equal(entry.referenceIds[0], `${STUDY}^^^^urn:ihe:iti:xds:2016:studyInstanceUID`);
    if (entry.mimeType === 'application/dicom') {
      await writeFile(join(folder.dir, 'kos.dcm'), bytes);
      const dump = await dcmtk('dcmdump', '+P', 'RetrieveURL', join(folder.dir, 'kos.dcm'));
      assert.match(dump.output, /\[https:\/\/hub\.example\/dicomweb\/studies\/2\.25\.4001\/series\/2\.25\.4001\.1\]/);
      const tree = await dcmtk('dsrdump', join(folder.dir, 'kos.dcm'));
      assert.equal(tree.code, 0, tree.output);
      assert.equal([...tree.output.matchAll(/contains IMAGE/g)].length, 3);
    }
  }

  await send('reports', { ...report, status: 'C', findings: '右肺结节。', auditedAt: '2026-03-03 11:00:00' });
  const second = await until((rows) => rows.some(({ creationTime }) => creationTime === '20260303030000'));
  assert.equal(second.length, 4);
  const ids = (rows: readonly Row[], mimeType: string): string =>
    rows.find((row) => row.mimeType === mimeType)?.uniqueId ?? '';
  assert.equal(ids(second, 'application/dicom'), ids(first, 'application/dicom'), 'the manifest stands');
  assert.notEqual(ids(second, 'text/xml'), ids(first, 'text/xml'));
  const replaced = await fresh.database.pool.query(`select from document_association where type = 'RPLC'`);
  assert.equal(replaced.rowCount, 2);

  // What is learned of the order late changes the entry of the manifest, and not its document (ITI-57).
  await send('orders', { procedureCode: 'CT002', modality: 'CT', eventTime: '2026-03-03 11:30:00' });
  const before = second.find(({ mimeType }) => mimeType === 'application/dicom');
  const isManifest = ({ mimeType }: Row): boolean => mimeType === 'application/dicom';
  const third = await until((rows) => rows.find(isManifest)?.typeCode?.code !== before?.typeCode?.code);
  const manifest = third.find(isManifest);
  assert.deepEqual(
    [manifest?.lid, manifest?.version, manifest?.uniqueId, manifest?.object],
    [before?.lid, 2, before?.uniqueId, before?.object],
  );
  const updates = await fresh.database.pool.query(`select from audit where operation = 'ITI-57'`);
  assert.ok((updates.rowCount ?? 0) >= 1);

  await send('exams/void', { eventTime: '2026-03-03 12:30:00' });
  await until((rows) => rows.length === 0);
  assert.ok(!/李小梅|JA1/.test(hub.said()), 'no patient data in the log');
});
