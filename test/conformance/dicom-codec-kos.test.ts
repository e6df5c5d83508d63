/** The XDS-I manifest as DCMTK reads it, and as its own reader does (IHE RAD TF-3 4.68.4.1.2). */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import type { Uid } from '../../hub/core/identifier.ts';
import { UTF8 } from '../../mappings/dicom/charset.ts';
import { writeManifest } from '../../mappings/dicom/kos.ts';
import type { Manifest } from '../../mappings/dicom/kos.ts';
import { parsePart10 } from '../../mappings/dicom/parse.ts';
import { TAG } from '../../mappings/dicom/tags.ts';
import { lacks } from '../support/dicom-codec-corpus.ts';

const manifest: Manifest = {
  sopUid: '2.25.1' as Uid,
  seriesUid: '2.25.2' as Uid,
  createdAt: '2026-11-21T18:02:03.000Z',
  timeZoneOffset: '+0800',
  manufacturer: 'Hutong',
  retrieveAe: 'HUTONG',
  repositoryUniqueId: '2.999.156.3',
  patient: {
    id: 'P1',
    issuerOid: '2.999.156.1.1',
    names: [{ text: '张三', family: '张', given: '三', representation: 'ideographic' }],
    sex: 'male',
    birthDate: '1980-01-02',
  },
  study: {
    uid: '1.2.3' as Uid,
    accession: 'A1',
    accessionIssuerOid: '2.999.156.7.1',
    series: [
      {
        uid: '1.2.3.1' as Uid,
        instances: [
          { sopUid: '1.2.3.1.1' as Uid, sopClass: '1.2.840.10008.5.1.4.1.1.2' as Uid },
          { sopUid: '1.2.3.1.2' as Uid, sopClass: '1.2.840.10008.5.1.4.1.1.88.11' as Uid },
          { sopUid: '1.2.3.1.3' as Uid, sopClass: '1.2.840.10008.5.1.4.1.1.9.1.1' as Uid },
          { sopUid: '1.2.3.1.4' as Uid, sopClass: '1.2.840.10008.5.1.4.1.1.66.4' as Uid },
        ],
      },
      { uid: '1.2.3.2' as Uid, instances: [] },
    ],
  },
};

test('a manifest names every instance and where it is', () => {
  const parsed = parsePart10(writeManifest(manifest));
  assert.ok(parsed.ok);
  const set = parsed.value.dataSet;
  assert.deepEqual(set.text(TAG.PatientName, UTF8), ['=张^三']);
  assert.equal(set.one(0x00080023), '20261122', 'the date is that of the wall clock');
  const [evidence] = set.items(0x0040a375);
  const series = evidence?.items(0x00081115) ?? [];
  assert.equal(series.length, 1, 'an empty series is not named');
  assert.equal(series[0]?.one(0x0040e011), '2.999.156.3');
  assert.equal(series[0].one(0x00080054), 'HUTONG');
  assert.deepEqual(
    series[0].items(0x00081199).map((item) => item.one(0x00081155)),
    ['1.2.3.1.1', '1.2.3.1.2', '1.2.3.1.3', '1.2.3.1.4'],
  );
  assert.deepEqual(
    set.items(0x0040a730).map((item) => item.one(0x0040a040)),
    ['IMAGE', 'COMPOSITE', 'WAVEFORM', 'IMAGE'],
  );
  assert.equal(set.items(0x0040a370)[0]?.one(0x00080050), 'A1');
  assert.deepEqual(writeManifest(manifest), writeManifest(manifest), 'the same study gives the same bytes');
});

test('DCMTK reads it as a key object document', { skip: lacks('dsrdump') }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'kos-'));
  try {
    const path = join(folder, 'kos.dcm');
    writeFileSync(path, writeManifest(manifest));
    const report = spawnSync('dsrdump', [path], { encoding: 'utf8', timeout: 20_000 });
    assert.equal(report.status, 0, report.stderr);
    assert.match(report.stdout, /Key Object Selection Document/);
    assert.match(report.stdout, /<contains IMAGE:=\(CT image,\)>/);
    assert.equal(spawnSync('dcmdump', ['-q', path], { timeout: 20_000 }).status, 0);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
