/** C-ECHO and C-STORE against DCMTK as the peer: what is acknowledged is stored byte for byte, what is not is refused. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { parsePart10 } from '../../mappings/dicom/parse.ts';
import { writePart10 } from '../../mappings/dicom/write.ts';
import { dcmtk, withoutDcmtk } from '../support/dcmtk.ts';
import type { Ran } from '../support/dcmtk.ts';
import { dicomSite, sitesOf, startHub } from '../support/dimse-hub.ts';
import type { TestHub } from '../support/dimse-hub.ts';

function instance(sopUid: string, more: Record<string, string> = {}): Buffer {
  return writePart10({
    SOPClassUID: '1.2.840.10008.5.1.4.1.1.7',
    SOPInstanceUID: sopUid,
    StudyInstanceUID: '2.25.100',
    SeriesInstanceUID: '2.25.101',
    Modality: 'OT',
    PatientName: '张^三',
    PatientID: 'P1',
    ...more,
  });
}

describe('C-ECHO and C-STORE from DCMTK', { skip: withoutDcmtk }, () => {
  let hub: TestHub;
  let folder: string;
  before(async () => {
    hub = await startHub({ sites: sitesOf(dicomSite('h1', 'H1PACS'), dicomSite('h2', 'H2MOD', { addresses: [] })) });
    folder = await mkdtemp(join(tmpdir(), 'dimse-files-'));
  });
  after(async () => {
    await hub.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const call = (tool: string, ...args: string[]): Promise<Ran> =>
    dcmtk(tool, '-aet', 'H1PACS', '-aec', 'HUTONG', ...args);
  const peer = (): string[] => ['127.0.0.1', String(hub.port)];

  test('C-ECHO is answered', async () => {
    const ran = await call('echoscu', '-v', ...peer());
    assert.equal(ran.code, 0, ran.output);
    assert.match(ran.output, /Echo Response \(Success\)/);
  });

  test('an unregistered calling title, a wrong called title and a wrong address are rejected and audited', async () => {
    const before = hub.audits.length;
    const stranger = await dcmtk('echoscu', '-aet', 'STRANGER', '-aec', 'HUTONG', ...peer());
    assert.match(stranger.output, /Calling AE Title Not Recognized/);
    const misdialled = await dcmtk('echoscu', '-aet', 'H1PACS', '-aec', 'OTHER', ...peer());
    assert.match(misdialled.output, /Called AE Title Not Recognized/);
    const elsewhere = await dcmtk('echoscu', '-aet', 'H2MOD', '-aec', 'HUTONG', ...peer());
    assert.match(elsewhere.output, /Calling AE Title Not Recognized/);
    const told = hub.audits.slice(before);
    assert.deepEqual(
      told.map((event) => [event.action, event.outcome, event.callerId]),
      [
        ['refuse', 'refused', 'STRANGER'],
        ['refuse', 'refused', 'H1PACS'],
        ['refuse', 'refused', 'H2MOD'],
      ],
    );
  });

  test('the data set is stored byte for byte, a repeat is a success, other bytes under the same UID are refused', async () => {
    const file = join(folder, 'one.dcm');
    const bytes = instance('2.25.1');
    await writeFile(file, bytes);
    const first = await call('storescu', ...peer(), file);
    assert.equal(first.code, 0, first.output);
    await hub.filed();
    const envelope = hub.intake.accepted.at(-1);
    assert.ok(envelope?.object);
    assert.equal(envelope.controlId, '2.25.1');
    assert.equal(envelope.patientKey, '2.999.156.1.1|P1');
    const stored = parsePart10(await hub.objects.readAll(envelope.object));
    const sent = parsePart10(bytes);
    assert.ok(stored.ok && sent.ok);
    assert.deepEqual(stored.value.dataSet.bytes, sent.value.dataSet.bytes);
    assert.equal(stored.value.meta.one(0x00020016), 'H1PACS');

    const accepted = hub.intake.accepted.length;
    const stores = hub.audits.filter(({ operation }) => operation === 'C-STORE');
    assert.deepEqual(stores.at(-1)?.objects, ['2.25.100']);
    const again = await call('storescu', ...peer(), file);
    assert.equal(again.code, 0, again.output);
    await hub.filed();
    assert.equal(hub.intake.accepted.length, accepted);

    await writeFile(file, instance('2.25.1', { SeriesDescription: 'changed' }));
    const changed = await call('storescu', '-d', ...peer(), file);
    assert.notEqual(changed.code, 0);
    assert.match(changed.output, /0xc001/i);
    const refusal = hub.intake.refused.at(-1);
    assert.equal(refusal?.problem.code, 'control-id-reused');
    assert.ok(refusal.envelope.object);
    assert.notEqual(await hub.objects.size(refusal.envelope.object), null);
  });

  test('an instance without a series UID is refused with its tag, and its bytes are kept', async () => {
    const file = join(folder, 'no-series.dcm');
    await writeFile(file, instance('2.25.2', { SeriesInstanceUID: '' }));
    const ran = await call('storescu', '-d', ...peer(), file);
    assert.match(ran.output, /0xa900/i);
    assert.match(ran.output, /lacks a UID/);
    const refusal = hub.intake.refused.at(-1);
    assert.equal(refusal?.problem.where, '(0020,000E)');
    assert.ok(refusal.envelope.object);
    assert.notEqual(await hub.objects.size(refusal.envelope.object), null);
  });

  test('a journal that does not answer means "out of resources", never success', async () => {
    const file = join(folder, 'later.dcm');
    await writeFile(file, instance('2.25.3'));
    hub.intake.broken = true;
    const failed = await call('storescu', '-d', ...peer(), file);
    hub.intake.broken = false;
    assert.match(failed.output, /0xa700/i);
    const retried = await call('storescu', ...peer(), file);
    assert.equal(retried.code, 0, retried.output);
    await hub.filed();
  });

  test('a series is applied at the end of its association; an image alone waits for company', async () => {
    const series = join(folder, 'series');
    await mkdir(series);
    for (let n = 1; n <= 20; n++) await writeFile(join(series, `${String(n)}.dcm`), instance(`2.25.60.${String(n)}`));
    const alone = await call('storescu', ...peer(), join(series, '1.dcm'));
    assert.equal(alone.code, 0, alone.output);
    const ran = await call('storescu', '+sd', ...peer(), series);
    assert.equal(ran.code, 0, ran.output);
    await hub.filed();
    // The hub hears of the release a moment after the sender has gone.
    for (let tries = 0; tries < 200 && hub.intake.hastened.length === 0; tries++) await pause(20);
    assert.deepEqual(hub.intake.hastened, ['h1|2.999.156.1.1|P1']);
    assert.equal(hub.intake.accepted.filter(({ controlId }) => controlId.startsWith('2.25.60.')).length, 20);
  });

  const data = process.env.HUB_TEST_DATA;
  test(
    'every file of a series of 140 is stored byte for byte',
    { skip: data ? false : 'HUB_TEST_DATA is not set' },
    async () => {
      const series = join(data ?? '', 'dicom/ct-series-140_dcm_qa_ct/S2020_140slices_1mm');
      const from = hub.intake.accepted.length;
      const ran = await call('storescu', '-xt', '+sd', '+r', ...peer(), series);
      assert.equal(ran.code, 0, ran.output);
      await hub.filed();
      const envelopes = hub.intake.accepted.slice(from);
      assert.equal(envelopes.length, 140);
      const sent = new Map<string, Buffer>();
      for (const name of (await readdir(series)).slice(0, 20)) {
        const parsed = parsePart10(await readFile(join(series, name)));
        if (parsed.ok) sent.set(parsed.value.dataSet.one(0x00080018), parsed.value.dataSet.bytes);
      }
      assert.ok(sent.size > 0);
      for (const [uid, bytes] of sent) {
        const object = envelopes.find((envelope) => envelope.controlId === uid)?.object;
        assert.ok(object);
        const stored = parsePart10(await hub.objects.readAll(object));
        assert.ok(stored.ok);
        assert.ok(stored.value.dataSet.bytes.equals(bytes));
      }
    },
  );
});
