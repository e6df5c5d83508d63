/** DICOMweb over raw HTTP: what is asked wrongly, sent brokenly or not allowed ends in a clear answer and harms nothing else. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import type { Uid } from '../../hub/core/identifier.ts';
import { vaultOf } from '../../hub/store/database.ts';
import { bytesOf, type SealedBytesRow } from '../../hub/store/journal-entry.ts';
import { writeDataSet, writePart10, writePart10Head } from '../../mappings/dicom/write.ts';
import { multipart, partsOf, startDicomwebHub } from '../support/dicomweb-hub.ts';
import type { DicomwebHub } from '../support/dicomweb-hub.ts';
import { alsoOpen } from '../support/keyring.ts';

const STUDY = '1.2.826.0.1.3680043.8.498.7';
const SERIES = `${STUDY}.1`;
const SOP = `${SERIES}.1`;
const VIDEO_CLASS = '1.2.840.10008.5.1.4.1.1.77.1.1.1' as Uid;

function image(changes: Record<string, string> = {}): Buffer {
  return writePart10(
    {
      SOPClassUID: '1.2.840.10008.5.1.4.1.1.2',
      SOPInstanceUID: SOP,
      StudyDate: '20260301',
      Modality: 'CT',
      PatientName: 'Zhang^San=张^三',
      PatientID: 'P7',
      StudyInstanceUID: STUDY,
      SeriesInstanceUID: SERIES,
      SamplesPerPixel: 1,
      PhotometricInterpretation: 'MONOCHROME2',
      Rows: 8,
      Columns: 8,
      BitsAllocated: 16,
      BitsStored: 12,
      HighBit: 11,
      PixelRepresentation: 0,
      PixelData: Buffer.alloc(128, 3),
      ...changes,
    },
    { charset: 'ISO_IR 192' },
  );
}

/** An object in a transfer syntax that nobody here decodes. */
function video(study: string, sop: string, transferSyntax: string): Buffer {
  const head = { sopClass: VIDEO_CLASS, sopUid: sop as Uid, transferSyntax: transferSyntax as Uid };
  const dataSet = writeDataSet({
    SOPClassUID: VIDEO_CLASS,
    SOPInstanceUID: sop,
    PatientID: 'P7',
    StudyInstanceUID: study,
    SeriesInstanceUID: `${study}.1`,
    Rows: 8,
    Columns: 8,
  });
  const pixels = Buffer.from('e07f10004f420000fffffffffeff00e000000000feff00e004000000000001b3feffdde000000000', 'hex');
  return Buffer.concat([writePart10Head(head), dataSet, pixels]);
}

interface Element {
  readonly vr: string;
  readonly Value?: readonly unknown[];
}
type Model = Readonly<Record<string, Element>>;

describe('DICOMweb under bad input', () => {
  let hub: DicomwebHub;
  const instance = `/dicomweb/studies/${STUDY}/series/${SERIES}/instances/${SOP}`;
  before(async () => {
    hub = await startDicomwebHub({ parts: 50, partBytes: 1_000_000 });
    assert.equal((await hub.store([image()])).status, 200);
  });
  after(() => hub.close());

  /** Newest first. */
  const refusals = async (): Promise<{ code: string; bytes: Buffer }[]> => {
    const database = await alsoOpen(hub.url, 1);
    const { rows } = await database.pool.query<SealedBytesRow & { code: string }>(
      `select s.problem->>'code' as code, j.received_at, j.site, j.channel, j.sender, j.control_id, j.digest, j.bytes
       from settlement s join journal j on j.id = s.journal_id where s.state = 'refused' order by s.journal_id desc`,
    );
    await database.close();
    const { fields } = vaultOf(database.pool);
    return rows.map((row) => ({ code: row.code, bytes: bytesOf(fields, row) }));
  };

  const stow = (body: Buffer, type: string, query = '', role = 'hospital-feed'): Promise<Response> =>
    fetch(`${hub.base}/studies${query}`, { method: 'POST', headers: { 'content-type': type, 'x-role': role }, body });

  it('refuses who is nobody with 401, who has no right with 403, and audits both', async () => {
    hub.events.length = 0;
    const nobody = await hub.get(`/dicomweb/studies/${STUDY}`, {}, 'nobody');
    assert.equal(nobody.status, 401);
    assert.match(nobody.headers.get('www-authenticate') ?? '', /^Bearer/);
    for (const role of ['operator', 'hospital-feed'] as const)
      assert.equal((await hub.get(instance, {}, role)).status, 403);
    assert.equal((await stow(multipart([image()]).body, multipart([]).type, '', 'query-platform')).status, 403);
    assert.equal((await stow(multipart([image()]).body, multipart([]).type, '?site=h2')).status, 403);
    assert.equal(hub.events.length, 5);
    assert.ok(hub.events.every((event) => event.action === 'refuse' && event.outcome === 'refused'));
    assert.deepEqual(hub.events[0]?.objects, [STUDY]);
  });

  it('audits every read with whose and what, before the bytes', async () => {
    hub.events.length = 0;
    for (const path of [instance, `${instance}/metadata`, `${instance}/frames/1`, `/dicomweb/studies?PatientID=P7`]) {
      const response = await hub.get(path);
      assert.equal(response.status, 200, path);
      await response.arrayBuffer();
    }
    assert.deepEqual(
      hub.events.map((event) => event.action),
      ['read', 'read', 'read', 'search'],
    );
    for (const event of hub.events) {
      // Frames are recorded once a series, and name it.
      assert.deepEqual(event.objects, event.operation === 'WADO-RS frames' ? [STUDY, SERIES] : [STUDY]);
      assert.equal(event.persons.length, 1);
      assert.doesNotMatch(JSON.stringify(event), /Zhang|张|P7/);
    }
    assert.doesNotMatch(hub.logged.join(''), /Zhang|张|"P7"/);
  });

  it('records the reading of a series frame by frame once, and each reader of it', async () => {
    hub.events.length = 0;
    for (const role of ['query-platform', 'query-platform', 'administrator'] as const)
      assert.equal((await hub.get(`${instance}/frames/1`, {}, role)).status, 200);
    assert.deepEqual(
      hub.events.map(({ operation, callerRole }) => [operation, callerRole]),
      [['WADO-RS frames', 'administrator']],
      'the query platform was recorded a moment ago',
    );
  });

  it('takes no path for a UID and no text for a number', async () => {
    const bad = [
      '/dicomweb/studies/..%2f..%2fetc%2fpasswd',
      '/dicomweb/studies/1.2..3',
      `/dicomweb/studies/${'1.'.repeat(40)}1`,
      `/dicomweb/studies/${STUDY}/series/%00`,
      `${instance}/frames/0`,
      `${instance}/frames/x`,
      `${instance}/frames/${'1,'.repeat(3_000)}1`,
      `${instance}/bulkdata/..%2f..`,
      `${instance}/bulkdata/7FE00010/x`,
      `${instance}/rendered?window=1,0`,
      `${instance}/rendered?viewport=99999,1`,
      `${instance}/rendered?viewport=9,9,x`,
      `${instance}/rendered?viewport=9,9,100000,0`,
      `${instance}/rendered?viewport=9,9,0,0,0,0,0`,
      `${instance}/rendered?quality=0`,
      '/dicomweb/studies?NoSuchThing=1',
      '/dicomweb/studies?SliceThickness=1',
      '/dicomweb/studies?limit=-1',
      '/dicomweb/studies?offset=1e9',
      '/dicomweb/studies?StudyDate=yesterday',
      '/dicomweb/studies?StudyInstanceUID=1.2;drop',
      '/dicomweb/studies?PatientName=%00',
      '/dicomweb/studies?fuzzymatching=maybe',
      '/dicomweb/studies?includefield=Nonsense',
    ];
    for (const path of bad) {
      const response = await hub.get(path);
      const body = (await response.json()) as { code?: string; where?: string };
      assert.ok(response.status === 400 || response.status === 413, `${path}: ${String(response.status)}`);
      assert.ok(body.code !== undefined && body.where !== undefined, path);
    }
  });

  it('answers 404 for what is not there and for parts that do not belong together', async () => {
    const absent = [
      '/dicomweb/studies/1.2.3',
      `/dicomweb/studies/${STUDY}/series/1.2.3`,
      `/dicomweb/studies/1.2.3/series/${SERIES}/instances/${SOP}`,
      `${instance}/frames/2`,
      `${instance}/bulkdata/00420011`,
      '/dicomweb/nothing',
    ];
    for (const path of absent) assert.equal((await hub.get(path)).status, 404, path);
    const wrong = await fetch(`${hub.origin}/dicomweb/studies/1.2/series`, { method: 'DELETE' });
    assert.deepEqual([wrong.status, wrong.headers.get('allow')], [405, 'GET, HEAD']);
  });

  it('answers 406 where nothing fits, and 400 to an Accept that is none', async () => {
    for (const accept of [
      'text/html',
      'multipart/related; type="image/jp2"',
      'multipart/related; type="application/dicom"; transfer-syntax=1.2.840.10008.1.2.4.100',
      '*/*;q=0',
    ]) {
      assert.equal((await hub.get(`/dicomweb/studies/${STUDY}`, { accept })).status, 406, accept);
    }
    for (const accept of ['a'.repeat(9000), '/', 'multipart/related; type="', Array(100).fill('a/b').join(',')]) {
      assert.equal((await hub.get(`/dicomweb/studies/${STUDY}`, { accept })).status, 400, accept.slice(0, 40));
    }
  });

  it('gives what it cannot decode as stored where no transfer syntax is named, and else says what can be had', async () => {
    const VIDEO = '1.2.840.10008.1.2.4.100';
    const study = '1.2.826.0.1.3680043.8.498.77';
    const sop = `${study}.1.1`;
    assert.equal((await hub.store([video(study, sop, VIDEO)])).status, 200);
    const object = `/dicomweb/studies/${study}/series/${study}.1/instances/${sop}`;
    const plain = await hub.get(`/dicomweb/studies/${study}`, {
      accept: 'multipart/related; type="application/dicom"',
    });
    assert.equal(plain.status, 200);
    const [part] = await partsOf(plain);
    assert.match(part?.headers['content-type'] ?? '', /transfer-syntax=1\.2\.840\.10008\.1\.2\.4\.100$/);
    assert.deepEqual(part?.body, video(study, sop, VIDEO));
    const uri = `/wado?requestType=WADO&studyUID=${study}&seriesUID=${study}.1&objectUID=${sop}`;
    for (const [path, accept] of [
      [object, 'application/dicom; transfer-syntax=1.2.840.10008.1.2.1'],
      [
        `/dicomweb/studies/${study}`,
        'multipart/related; type="application/dicom"; transfer-syntax=1.2.840.10008.1.2.4.90',
      ],
      [`${uri}&contentType=application/dicom&transferSyntax=1.2.840.10008.1.2.1`, '*/*'],
    ] as const) {
      const refused = await hub.get(path, { accept });
      assert.equal(refused.status, 406, path);
      assert.match(await refused.text(), /as stored it can be had as [^"]*1\.2\.840\.10008\.1\.2\.4\.100/i);
    }
    // Native samples under the name of a bitstream would be drawn as noise.
    const octets = 'multipart/related; type="application/octet-stream"; transfer-syntax=1.2.840.10008.1.2.4.90';
    assert.equal((await hub.get(`${instance}/frames/1`, { accept: octets })).status, 406);
  });

  it('answers WADO-URI only where all three UIDs are there and agree', async () => {
    const good = {
      requestType: 'WADO',
      studyUID: STUDY,
      seriesUID: SERIES,
      objectUID: SOP,
      contentType: 'application/dicom',
    };
    const ask = (changes: Record<string, string>): Promise<Response> =>
      hub.get(`/wado?${new URLSearchParams({ ...good, ...changes }).toString()}`);
    const right = await ask({});
    assert.equal(right.status, 200);
    assert.equal(right.headers.get('content-type'), 'application/dicom');
    assert.ok(Buffer.from(await right.arrayBuffer()).equals(image()));
    const wrong = [
      { objectUID: '1.2.3' },
      { seriesUID: `${SERIES}.9` },
      { studyUID: '1.2.3' },
      { studyUID: '' },
      { seriesUID: '' },
      { studyUID: '', seriesUID: '' },
      { requestType: 'wado' },
      { contentType: 'text/html' },
      { transferSyntax: 'x' },
      { frameNumber: '1' },
    ];
    for (const changes of wrong) {
      const { status } = await ask(changes);
      assert.ok(status >= 400 && status < 500, `${JSON.stringify(changes)}: ${String(status)}`);
    }
  });

  it('stores what is good of a request and tells what is not, part by part', async () => {
    const { body, type } = multipart([
      image({ SOPInstanceUID: `${SERIES}.2` }),
      Buffer.from('not dicom at all'),
      image({ SOPInstanceUID: `${SERIES}.3` }),
    ]);
    const response = await stow(body, type);
    assert.equal(response.status, 202);
    const model = (await response.json()) as Model;
    assert.equal(model['00081199']?.Value?.length, 2);
    assert.equal((model['00081198']?.Value?.length ?? 0) + (model['0008119A']?.Value?.length ?? 0), 1);
    await hub.settle();
    assert.equal((await hub.get(`/dicomweb/studies/${STUDY}/series/${SERIES}/instances/${SERIES}.3`)).status, 200);
  });

  it('refuses an instance of another study than the path names, and keeps nothing of it', async () => {
    const { body, type } = multipart([image({ SOPInstanceUID: `${SERIES}.4` })]);
    const headers = { 'content-type': type, 'x-role': 'hospital-feed' };
    const response = await fetch(`${hub.base}/studies/1.2.3`, { method: 'POST', headers, body });
    assert.equal(response.status, 409);
    await hub.settle();
    const [kept] = await refusals();
    assert.equal(kept?.code, 'conflict');
    assert.ok(kept.bytes.includes(`${SERIES}.4`));
    assert.equal((await hub.get(`/dicomweb/studies/${STUDY}/series/${SERIES}/instances/${SERIES}.4`)).status, 404);
  });

  it('keeps in the journal what it refused, also what it did not read', async () => {
    const dicom = '--b0undary\r\nContent-Type: text/plain\r\n\r\nno image\r\n--b0undary--\r\n';
    for (const [body, type, kept] of [
      ['[{"00080018":{}}]', 'application/dicom+json', '[{"00080018":{}}]'],
      [dicom, 'multipart/related; type="application/dicom"; boundary=b0undary', 'no image'],
    ] as const) {
      assert.equal((await stow(Buffer.from(body), type)).status, 415);
      const [refused] = await refusals();
      assert.deepEqual([refused?.code, refused?.bytes.toString()], ['unsupported-media', kept]);
    }
    // A large part that is no image is passed over, and the image after it is taken.
    const large = Buffer.from(`--b0undary\r\nContent-Type: text/plain\r\n\r\n${'x'.repeat(200_000)}\r\n`);
    const good = multipart([image()]);
    assert.equal((await stow(Buffer.concat([large, good.body]), good.type)).status, 202);
    assert.equal((await stow(Buffer.alloc(100_000, 'x'), 'text/plain')).status, 415);
    assert.equal((await refusals())[0]?.bytes.length, 8_192);
  });

  it('ends broken requests with their reason', async () => {
    const { body, type } = multipart([image({ SOPInstanceUID: `${SERIES}.5` })]);
    const related = 'multipart/related; type="application/dicom"';
    const many = multipart(Array.from({ length: 60 }, () => Buffer.from('x')));
    const cases: [string, Buffer, string, number][] = [
      ['no boundary', body, related, 400],
      ['another boundary', body, `${related}; boundary=other`, 400],
      ['empty body', Buffer.alloc(0), type, 400],
      ['cut short', body.subarray(0, body.length - 40), type, 400],
      ['json', Buffer.from('{}'), 'application/dicom+json', 415],
      ['metadata and bulk data', body, 'multipart/related; type="application/dicom+json"; boundary=b0undary', 415],
      ['no content type', body, 'x', 415],
      ['a head without end', Buffer.from(`--b0undary\r\n${'X: y\r\n'.repeat(3000)}`), type, 413],
      ['a head that is none', Buffer.from('--b0undary\r\nnonsense\r\n\r\nx\r\n--b0undary--'), type, 400],
      ['a part too large', multipart([Buffer.alloc(1_100_000)]).body, type, 413],
    ];
    for (const [name, bytes, contentType, status] of cases) {
      const response = await stow(bytes, contentType);
      assert.equal(response.status, status, `${name}: ${String(response.status)} ${await response.text()}`);
    }
    const parts = await stow(many.body, many.type);
    assert.equal(((await parts.json()) as Model)['0008119A']?.Value?.length, 51, '50 parts and the reason why no more');
  });

  it('asks an administrator for the site that he feeds', async () => {
    const { body, type } = multipart([image({ SOPInstanceUID: `${SERIES}.6` })]);
    assert.equal((await stow(body, type, '', 'administrator')).status, 400);
    assert.equal((await stow(body, type, '?site=nowhere', 'administrator')).status, 400);
    assert.equal((await stow(body, type, '?site=h1', 'administrator')).status, 200);
  });

  it('reads bodies of senders with LF lines, preambles, padding and long boundaries', async () => {
    const file = image({ SOPInstanceUID: `${SERIES}.7` });
    const boundary = `----=_Part 1 ${'x'.repeat(40)}`;
    const text = (lines: string[], end: string): Buffer => Buffer.from(lines.join(end));
    const bodies = [
      Buffer.concat([
        text(['preamble', `--${boundary}  `, 'content-type: application/dicom', '', ''], '\r\n'),
        file,
        text(['', `--${boundary}--`, 'epilogue'], '\r\n'),
      ]),
      Buffer.concat([
        text([`--${boundary}`, 'Content-Type: application/dicom', '', ''], '\n'),
        file,
        text(['', `--${boundary}--`], '\n'),
      ]),
    ];
    for (const body of bodies) {
      const response = await stow(body, `Multipart/Related; Type=application/dicom; Boundary="${boundary}"`);
      assert.equal(response.status, 200, await response.text());
    }
  });

  it('stops reading when the caller goes away, and serves the next one', async () => {
    const { hostname, port } = new URL(hub.origin);
    for (let turn = 0; turn < 20; turn++) {
      const socket = connect(Number(port), hostname);
      socket.write(`GET ${instance} HTTP/1.1\r\nHost: x\r\n\r\n`);
      await new Promise((resolve) => setTimeout(resolve, 5));
      socket.destroy();
    }
    const response = await hub.get(instance, {
      accept: 'multipart/related; type="application/dicom"; transfer-syntax=*',
    });
    const [part] = await partsOf(response);
    assert.ok(part?.body.equals(image()));
  });
});
