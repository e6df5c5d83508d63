/** DICOMweb over real files: what was stored by STOW-RS comes back byte for byte, in every form that is asked for. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import sharp from 'sharp';
import { parsePart10 } from '../../mappings/dicom/parse.ts';
import { partsOf, startDicomwebHub } from '../support/dicomweb-hub.ts';
import type { DicomwebHub } from '../support/dicomweb-hub.ts';

const DATA = process.env.HUB_TEST_DATA;
const SERIES = 'dicom/ct-series-140_dcm_qa_ct';

type Model = Readonly<
  Record<string, { readonly vr: string; readonly Value?: readonly unknown[]; readonly BulkDataURI?: string }>
>;
const first = (model: Model, tag: string): unknown => model[tag]?.Value?.[0];
const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

async function filesUnder(folder: string, limit: number): Promise<Buffer[]> {
  const names = (await readdir(folder, { recursive: true, withFileTypes: true })).filter(
    (entry) => entry.isFile() && entry.name.endsWith('.dcm'),
  );
  return Promise.all(names.slice(0, limit).map((entry) => readFile(join(entry.parentPath, entry.name))));
}

describe('DICOMweb retrieval', { skip: DATA === undefined ? 'HUB_TEST_DATA is not set' : false }, () => {
  let hub: DicomwebHub;
  let files: Buffer[] = [];
  let study = '';
  let series = '';
  const sops = new Map<string, Buffer>();
  before(async () => {
    hub = await startDicomwebHub();
    files = await filesUnder(join(DATA ?? '', SERIES), 12);
    assert.ok(existsSync(join(DATA ?? '', SERIES)) && files.length > 3, 'the series is there');
    const response = await hub.store(files);
    assert.equal(response.status, 200, await response.clone().text());
    for (const file of files) {
      const parsed = parsePart10(file);
      assert.ok(parsed.ok);
      study = parsed.value.dataSet.one(0x0020000d);
      series = parsed.value.dataSet.one(0x0020000e);
      sops.set(parsed.value.dataSet.one(0x00080018), file);
    }
  });
  after(() => hub.close());

  it('finds the study, its series and its instances', async () => {
    const studies = (await (await hub.get('/dicomweb/studies')).json()) as Model[];
    const found = studies.find((one) => first(one, '0020000D') === study);
    assert.ok(found);
    const inSeries = (await (await hub.get(`/dicomweb/studies/${study}/series/${series}/instances`)).json()) as Model[];
    const ofSeries = new Set([...sops].filter(([, file]) => file.includes(series)).map(([uid]) => uid));
    assert.deepEqual(new Set(inSeries.map((one) => first(one, '00080018'))), ofSeries);
    for (const one of inSeries)
      assert.match(String(first(one, '00081190')), /^http:\/\/127\.0\.0\.1:\d+\/dicomweb\/studies\//);
  });

  it('gives back the stored bytes as stored, with the exact length', async () => {
    const response = await hub.get(`/dicomweb/studies/${study}`, {
      accept: 'multipart/related; type="application/dicom"; transfer-syntax=*',
    });
    assert.equal(response.status, 200);
    assert.ok(Number(response.headers.get('content-length')) > 0);
    const parts = await partsOf(response);
    const expected = [...sops.values()].filter((file) => file.includes(study)).map(digest);
    assert.deepEqual(new Set(parts.map((part) => digest(part.body))), new Set(expected));
    for (const part of parts)
      assert.match(part.headers['content-type'] ?? '', /^application\/dicom;transfer-syntax=1\.2\.840\.10008\.1\.2/);
  });

  it('gives frames, pixel data by their URI and pictures of one instance', async () => {
    const [sop = '', file = Buffer.alloc(0)] = [...sops].find(([, one]) => one.includes(series)) ?? [];
    const parsed = parsePart10(file);
    assert.ok(parsed.ok);
    // The series is stored compressed: octets are its decoded samples.
    const { dataSet } = parsed.value;
    const samples = (dataSet.number(0x00280010) ?? 0) * (dataSet.number(0x00280011) ?? 0) * 2;
    const path = `/dicomweb/studies/${study}/series/${series}/instances/${sop}`;
    const octets = { accept: 'multipart/related; type="application/octet-stream"' };
    const [frame] = await partsOf(await hub.get(`${path}/frames/1`, octets));
    assert.equal(frame?.body.length, samples);
    const [model] = (await (await hub.get(`${path}/metadata`)).json()) as Model[];
    const uri = model?.['7FE00010']?.BulkDataURI ?? '';
    const [bulk] = await partsOf(await hub.get(uri.slice(hub.origin.length), octets));
    assert.ok(bulk?.body.equals(frame.body));
    const picture = await hub.get(`${path}/rendered?window=40,400&viewport=64,64`, { accept: 'image/png' });
    assert.equal(picture.status, 200);
    assert.equal(Buffer.from(await picture.arrayBuffer()).toString('latin1', 1, 4), 'PNG');
    const size = async (url: string): Promise<unknown[]> => {
      const { width, height, format } = await sharp(await (await hub.get(url)).arrayBuffer()).metadata();
      return [format, width, height];
    };
    assert.deepEqual(await size(`${path}/rendered?viewport=64,64,10,10,40,-20`), ['jpeg', 64, 32]);
    assert.deepEqual(await size(`${path}/rendered?viewport=64,64,,,40`), ['jpeg', 5, 64]);
    const wado = `/wado?requestType=WADO&studyUID=${study}&seriesUID=${series}&objectUID=${sop}`;
    assert.deepEqual(await size(`${wado}&contentType=image/png&region=0,0,0.5,0.25&columns=64`), ['png', 64, 32]);
    for (const wrong of ['region=0.5,0,0.5,1', 'region=0,0,2,1', 'anonymize=yes', 'presentationUID=1.2']) {
      const refused = await hub.get(`${wado}&contentType=image/png&${wrong}`);
      assert.deepEqual(
        [refused.status, ((await refused.json()) as { where: string }).where],
        [400, wrong.split('=')[0]],
      );
    }
    assert.equal((await hub.get(`/dicomweb/studies/${study}/thumbnail`)).headers.get('content-type'), 'image/jpeg');
  });
});
