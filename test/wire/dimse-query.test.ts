/** C-FIND, C-MOVE and C-GET against DCMTK: matches, progress, failures, and whose studies a caller may see. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { find, get, send } from '../../adapters/dicom/index.ts';
import { parseDataSet, parsePart10 } from '../../mappings/dicom/parse.ts';
import { writeDataSet } from '../../mappings/dicom/write.ts';
import { dcmtk, freePort, listening, withoutDcmtk } from '../support/dcmtk.ts';
import type { Ran } from '../support/dcmtk.ts';
import { dicomSite, indexAccepted, sitesOf, startHub } from '../support/dimse-hub.ts';
import type { TestHub } from '../support/dimse-hub.ts';

const CT = '1.2.840.10008.5.1.4.1.1.2';
const COUNT = 12;

function instance(number: number): Parameters<typeof writeDataSet>[0] {
  return {
    SOPClassUID: CT,
    SOPInstanceUID: `2.25.7.${String(number)}`,
    StudyInstanceUID: '2.25.70',
    SeriesInstanceUID: number <= 8 ? '2.25.71' : '2.25.72',
    Modality: 'CT',
    PatientName: '欧阳^修',
    PatientID: 'P7',
    StudyDescription: '胸部平扫',
    PixelData: { vr: 'OW', value: Buffer.alloc(200_001 + number, number) },
  };
}

describe('C-FIND, C-MOVE and C-GET from DCMTK', { skip: withoutDcmtk }, () => {
  let hub: TestHub;
  let folder: string;
  let destination: { stop(): Promise<void> };
  let received: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dimse-query-'));
    received = join(folder, 'received');
    await mkdir(received);
    const [port, nobody] = [await freePort(), await freePort()];
    destination = await listening(port, 'storescp', '+xa', '-od', received, String(port));
    const nodes = [
      { aeTitle: 'STORE1', host: '127.0.0.1', port },
      { aeTitle: 'NOBODY', host: '127.0.0.1', port: nobody },
    ];
    hub = await startHub({
      sites: sitesOf(
        dicomSite('h1', 'H1PACS', { nodes }),
        dicomSite('h2', 'H2MOD'),
        dicomSite('p', 'PLATFORM', { query: true }),
      ),
    });
    const files = Array.from({ length: COUNT }, (_, at) => ({
      sopClass: CT,
      sopUid: `2.25.7.${String(at + 1)}`,
      transferSyntax: '1.2.840.10008.1.2.1',
      async *dataSet() {
        yield writeDataSet(instance(at + 1));
      },
    }));
    const sent = await send(
      { node: { aeTitle: 'HUTONG', host: '127.0.0.1', port: hub.port }, callingAe: 'H1PACS' },
      files,
    );
    assert.ok(sent.ok);
    assert.deepEqual(
      sent.value.map((one) => one.status),
      files.map(() => 0),
    );
    indexAccepted(hub);
  });
  after(async () => {
    await hub.stop();
    await destination.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const as = (ae: string, tool: string, ...args: string[]): Promise<Ran> =>
    dcmtk(tool, '-aet', ae, '-aec', 'HUTONG', ...args, '127.0.0.1', String(hub.port));

  test('C-FIND matches by the keys that the index knows and says when one is not matched', async () => {
    const ran = await as(
      'H1PACS',
      'findscu',
      '-S',
      '-d',
      '-k',
      'QueryRetrieveLevel=STUDY',
      '-k',
      'PatientName=欧*',
      '-k',
      'SpecificCharacterSet=ISO_IR 192',
      '-k',
      'StudyDate=20260101-20260131',
      '-k',
      'StudyInstanceUID',
      '-k',
      'ModalitiesInStudy=CT\\MR',
      '-k',
      'ProtocolName=X',
      '-k',
      'NumberOfStudyRelatedInstances',
    );
    assert.equal(ran.code, 0, ran.output);
    assert.match(ran.output, /0xff01/);
    assert.match(ran.output, /NumberOfStudyRelatedInstances/);
    assert.match(ran.output, /\[12\]|12 /);
    assert.deepEqual(hub.queries.at(-1), {
      level: 'STUDY',
      match: {
        PatientName: '欧*',
        StudyDate: '20260101-20260131',
        ModalitiesInStudy: ['CT', 'MR'],
        InstitutionSite: 'h1',
      },
      fuzzy: false,
      limit: 5001,
      offset: 0,
    });
    const event = hub.audits.at(-1);
    assert.equal(event?.action, 'search');
    assert.deepEqual([event.persons, event.objects, event.callerId], [['person-1'], ['2.25.70'], 'H1PACS']);
  });

  test('the answer is in the character set of the question where that can hold it', async () => {
    for (const [asked, expected] of [
      ['GB18030', 'GB18030'],
      ['ISO_IR 100', 'ISO_IR 192'],
      ['ISO_IR 192', 'ISO_IR 192'],
    ]) {
      const found = await find({
        node: { aeTitle: 'HUTONG', host: '127.0.0.1', port: hub.port },
        callingAe: 'H1PACS',
        identifier: {
          SpecificCharacterSet: asked ?? '',
          QueryRetrieveLevel: 'STUDY',
          PatientName: '',
          StudyInstanceUID: '',
        },
      });
      assert.ok(found.ok);
      assert.equal(found.value.status, 0);
      const [identifier] = found.value.identifiers;
      assert.ok(identifier);
      const parsed = parseDataSet(identifier, found.value.transferSyntax);
      assert.ok(parsed.ok);
      assert.equal(parsed.value.dataSet.one(0x00080005), expected);
      assert.equal(parsed.value.dataSet.one(0x0020000d), '2.25.70');
    }
  });

  test('another hospital finds nothing of it and retrieves nothing, a platform does', async () => {
    const node = { aeTitle: 'HUTONG', host: '127.0.0.1', port: hub.port };
    const identifier = { QueryRetrieveLevel: 'STUDY', StudyInstanceUID: '2.25.70' };
    const other = await find({ node, callingAe: 'H2MOD', identifier });
    assert.ok(other.ok);
    assert.equal(other.value.identifiers.length, 0);
    const platform = await find({ node, callingAe: 'PLATFORM', identifier });
    assert.ok(platform.ok);
    assert.equal(platform.value.identifiers.length, 1);

    const taken: string[] = [];
    const storage = [{ sopClass: CT, transferSyntaxes: ['1.2.840.10008.1.2.1'] }];
    const take = (one: { sopUid: string }) => {
      taken.push(one.sopUid);
      return Promise.resolve({ data: () => undefined, end: () => undefined, abort: () => undefined });
    };
    const refused = await get({ node, callingAe: 'H2MOD', identifier, storage, take });
    assert.ok(refused.ok);
    assert.deepEqual(refused.value, { status: 0, completed: 0, failed: 0, warning: 0 });
    assert.deepEqual(taken, []);
    assert.ok(hub.audits.some((event) => event.action === 'refuse' && event.callerId === 'H2MOD'));
    const allowed = await get({ node, callingAe: 'PLATFORM', identifier, storage, take });
    assert.ok(allowed.ok);
    assert.deepEqual(allowed.value, { status: 0, completed: COUNT, failed: 0, warning: 0 });
    assert.equal(taken.length, COUNT);
  });

  test('C-MOVE sends each instance as it was received, and the export is audited', async () => {
    const ran = await as(
      'H1PACS',
      'movescu',
      '-S',
      '-d',
      '-aem',
      'STORE1',
      '-k',
      'QueryRetrieveLevel=STUDY',
      '-k',
      'StudyInstanceUID=2.25.70',
    );
    assert.equal(ran.code, 0, ran.output);
    assert.match(ran.output, /Completed Suboperations +: 12/);
    const names = await readdir(received);
    assert.equal(names.length, COUNT);
    for (const name of names) {
      const parsed = parsePart10(await readFile(join(received, name)));
      assert.ok(parsed.ok);
      const { dataSet } = parsed.value;
      const number = Number(dataSet.one(0x00080018).split('.').at(-1));
      assert.ok(writeDataSet(instance(number)).equals(dataSet.bytes), name);
    }
    const event = hub.audits.at(-1);
    assert.equal(event?.action, 'export');
    assert.match(event.operation, /C-MOVE STUDY to STORE1/);
  });

  test('C-MOVE by series; an unknown destination is refused; one that is down fails with the list of instances', async () => {
    const one = await as(
      'H1PACS',
      'movescu',
      '-S',
      '-d',
      '-aem',
      'STORE1',
      '-k',
      'QueryRetrieveLevel=SERIES',
      '-k',
      'StudyInstanceUID=2.25.70',
      '-k',
      'SeriesInstanceUID=2.25.72',
    );
    assert.match(one.output, /Completed Suboperations +: 4/);
    const unknown = await as(
      'H1PACS',
      'movescu',
      '-S',
      '-d',
      '-aem',
      'ELSEWHERE',
      '-k',
      'QueryRetrieveLevel=STUDY',
      '-k',
      'StudyInstanceUID=2.25.70',
    );
    assert.match(unknown.output, /0xa801/);
    const down = await as(
      'H1PACS',
      'movescu',
      '-S',
      '-d',
      '-aem',
      'NOBODY',
      '-k',
      'QueryRetrieveLevel=SERIES',
      '-k',
      'StudyInstanceUID=2.25.70',
      '-k',
      'SeriesInstanceUID=2.25.72',
    );
    assert.match(down.output, /0xa702/);
    assert.match(down.output, /FailedSOPInstanceUIDList/);
  });

  test('C-GET brings the study on the same association', async () => {
    const out = join(folder, 'got');
    await mkdir(out);
    const ran = await as(
      'H1PACS',
      'getscu',
      '-S',
      '-od',
      out,
      '-k',
      'QueryRetrieveLevel=STUDY',
      '-k',
      'StudyInstanceUID=2.25.70',
    );
    assert.equal(ran.code, 0, ran.output);
    assert.equal((await readdir(out)).length, COUNT);
  });

  test('a missing object fails alone and is named', async () => {
    const [first] = hub.located;
    assert.ok(first);
    const lost = hub.located.map((located) => ({
      ...located,
      study: {
        ...located.study,
        series: located.study.series.map((series) => ({
          ...series,
          instances: series.instances.map((one) =>
            one.sopUid === '2.25.7.3' ? { ...one, object: 'dicom/gone.dcm' } : one,
          ),
        })),
      },
    }));
    const whole = [...hub.located];
    hub.located.splice(0, hub.located.length, ...lost);
    const ran = await as(
      'H1PACS',
      'movescu',
      '-S',
      '-d',
      '-aem',
      'STORE1',
      '-k',
      'QueryRetrieveLevel=STUDY',
      '-k',
      'StudyInstanceUID=2.25.70',
    );
    hub.located.splice(0, hub.located.length, ...whole);
    assert.match(ran.output, /0xb000/);
    assert.match(ran.output, /FailedSOPInstanceUIDList.*|2\.25\.7\.3/);
    assert.match(ran.output, /Completed Suboperations +: 11/);
    assert.match(ran.output, /Failed Suboperations +: 1/);
  });

  test('a level that the model lacks, or a query without a study, is refused with its element', async () => {
    const level = await as('H1PACS', 'findscu', '-S', '-d', '-k', 'QueryRetrieveLevel=PATIENT', '-k', 'PatientID=P7');
    assert.match(level.output, /0xa900/);
    const wide = await as('H1PACS', 'findscu', '-S', '-d', '-k', 'QueryRetrieveLevel=IMAGE', '-k', 'InstanceNumber');
    assert.match(wide.output, /0xa900/);
    const patient = await as('H1PACS', 'findscu', '-P', '-d', '-k', 'QueryRetrieveLevel=PATIENT', '-k', 'PatientID=P7');
    assert.match(patient.output, /0xff00/);
  });
});
