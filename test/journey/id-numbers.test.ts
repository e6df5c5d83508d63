/**
 * A hospital that uses ID numbers as its own: patient, visit, account, accession and report numbers. None lies to be read in
 * a table, an index, a dump, an object, a name of one or the log, and the hub finds, links and tells by every one of them.
 */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { residentCheck } from '../../hub/core/identifier.ts';
import { writePart10 } from '../../mappings/dicom/write.ts';
import { parseMessage, type Message } from '../../mappings/hl7v2/index.ts';
import { freshDatabase, type FreshDatabase } from '../support/database.ts';
import { multipart } from '../support/dicomweb-hub.ts';
import { cx } from '../support/documents.ts';
import { dataFolder, startHub, type HubProcess } from '../support/hub.ts';
import { dumpOf, leaksIn, tablesOf } from '../support/leaks.ts';
import { PATIENT } from '../support/repository-hub.ts';
import { provided, sent } from '../support/submission.ts';
import { RawPeer } from '../wire/hl7v2-fixture.ts';

const TOKEN = 'a-token-of-the-test-0123456789abcdef';
const [H1, REGION, VISITS, ACCOUNTS] = ['2.999.156.1.1', '2.999.156.1', '2.999.156.8.1', '2.999.156.9.1'];
/** Of nobody: made for this test. */
const resident = (first17: string): string => first17 + residentCheck(first17);
const WORDS = {
  'resident ID as patient number by HL7': resident('21010219800315101'),
  'resident ID with X as patient number that ended': ((): string => {
    for (let serial = 100; ; serial += 1)
      if (residentCheck(`21010219800316${String(serial)}`) === 'X') return `21010219800316${String(serial)}X`;
  })(),
  'resident ID as visit number': resident('21010219810101103'),
  'resident ID as account': resident('21010219820202105'),
  'resident ID as accession number': resident('21010219830303107'),
  'resident ID as placer number': resident('21010219840404109'),
  'resident ID as patient number by REST': resident('21010219850505111'),
  'ID of 15 digits as accession number by REST': '210102860606113',
  'ID with a wrong check digit as report number': '210102198707071150',
  'passport as PatientID of DICOM': 'E12345678',
  'permit as PatientID of DICOM': 'CHN210119880808',
  'resident ID as region number and XDS patient': resident('21010219890909117'),
  'resident ID as sourcePatientId': resident('21010219901010119'),
} as const;
type Word = keyof typeof WORDS;
const LOCAL = WORDS['resident ID as patient number by HL7'];
const ENDED = WORDS['resident ID with X as patient number that ended'];
const ACCESSION = WORDS['resident ID as accession number'];
const AT_H2 = WORDS['resident ID as patient number by REST'];
const AT_REGION = WORDS['resident ID as region number and XDS patient'];
/** By which the registrations of both hospitals are one person's. */
const SHARED = resident('21010219800315123');

let fresh: FreshDatabase;
let folder: Awaited<ReturnType<typeof dataFolder>>;
let hub: HubProcess;

before(async () => {
  fresh = await freshDatabase();
  folder = await dataFolder();
  hub = startHub(folder.dir, [], { HUB_ADMIN_TOKEN: TOKEN, DATABASE_URL: fresh.url });
  await hub.up();
});
after(async () => {
  hub.signal('SIGTERM');
  await hub.ended();
  await folder.remove();
});

async function ask(
  path: string,
  init: RequestInit & { readonly json?: object } = {},
): Promise<{ status: number; text: string }> {
  const { json, ...rest } = init;
  const answer = await fetch(`${hub.address()}${path}`, {
    ...rest,
    headers: {
      ...{ Authorization: `Bearer ${TOKEN}`, Accept: 'application/json' },
      ...(json === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...(init.headers as Record<string, string> | undefined),
    },
    ...(json === undefined ? {} : { method: 'POST', body: JSON.stringify(json) }),
  });
  return { status: answer.status, text: await answer.text() };
}

let serial = 0;
async function hl7(sender: string, type: string, ...segments: readonly string[]): Promise<Message> {
  const peer = await RawPeer.open(Number(/(?:hl7v2|mllp) on \S+:(\d+)/.exec(hub.said())?.[1]));
  const time = new Date().toISOString().replace(/[-:TZ]/g, '');
  const msh = `MSH|^~\\&|${sender}|HUB|PROV|${time}+0000||${type}|N${String(++serial)}|P|2.5||||||UNICODE UTF-8`;
  peer.send(`${[msh, ...segments].join('\r')}\r`);
  const [text = ''] = await peer.answers(1, 30_000);
  peer.socket.destroy();
  const parsed = parseMessage(text, 'UTF-8');
  assert.ok(parsed.ok, text);
  assert.equal(parsed.value.first('MSA')?.text(1), 'AA', text);
  return parsed.value;
}
async function applied(): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    const counters = JSON.parse((await ask('/api/v1/journal/counters')).text) as Record<string, number>;
    if (counters['pending'] === 0) {
      assert.deepEqual([counters['refused'], counters['review']], [0, 0], JSON.stringify(counters));
      return;
    }
    assert.ok(tries < 600, `not applied: ${JSON.stringify(counters)}`);
    await pause(100);
  }
}

const pid = (number: string, authority = H1, more = ''): string =>
  `PID|1||${number}^^^&${authority}&ISO^PI${more}||测^试||19800315|F||||||||||${WORDS['resident ID as account']}`;
const image = (patient: string, study: string, accession: string): Buffer =>
  writePart10({
    ...{ SpecificCharacterSet: 'ISO_IR 192', SOPClassUID: '1.2.840.10008.5.1.4.1.1.7', SOPInstanceUID: `${study}.1.1` },
    ...{ StudyInstanceUID: study, SeriesInstanceUID: `${study}.1`, PatientID: patient, AccessionNumber: accession },
    ...{ PatientName: 'Test^Person', StudyDate: '20260303', Modality: 'OT', StudyID: accession, Rows: 1, Columns: 2 },
    ...{ SamplesPerPixel: 1, PhotometricInterpretation: 'MONOCHROME2', BitsAllocated: 8, BitsStored: 8, HighBit: 7 },
    ...{ PixelRepresentation: 0, PixelData: { vr: 'OB', value: Buffer.of(1, 2) } },
  });
const STUDIES = { hl7: '2.25.88001', passport: '2.25.88002', permit: '2.25.88003' };

test('every wire takes them as numbers of the hospital', async () => {
  const pv1 = `PV1|1|I|ICU^1^2|||||||||||||||||${WORDS['resident ID as visit number']}`.replace(
    /(\|I\|ICU\^1\^2)\|+/,
    `$1${'|'.repeat(16)}`,
  );
  await hl7('RIS|H1', 'ADT^A01^ADT_A01', 'EVN|A01|20260303080000', pid(LOCAL, H1, `~${SHARED}^^^^NI`), pv1);
  await hl7('RIS|H1', 'ADT^A04^ADT_A01', 'EVN|A04|20260303080000', pid(ENDED), 'PV1|1|O');
  await hl7('RIS|H1', 'ADT^A40^ADT_A39', 'EVN|A40|20260303080100', pid(LOCAL), `MRG|${ENDED}^^^&${H1}&ISO^PI`);
  const placer = WORDS['resident ID as placer number'];
  await hl7(
    ...([
      'RIS|H1',
      'ORM^O01^ORM_O01',
      pid(LOCAL),
      'PV1|1|O',
      `ORC|NW|${placer}|${ACCESSION}|||||||20260303081000`,
    ] as const),
    `OBR|1|${placer}|${ACCESSION}|CT001^胸部CT平扫^L|||20260303090000|||||||||||${ACCESSION}||||||CT`,
    `ZDS|${STUDIES.hl7}^100^Application^DICOM`,
  );
  const rest = async (path: string, body: object): Promise<void> => {
    const { status, text } = await ask(`/api/v1/sites/h2/${path}`, { json: { patientId: AT_H2, ...body } });
    assert.equal(status, 202, text);
  };
  await rest('registrations', { name: '测试', sex: '2', birthDate: '1980-03-15', idType: '01', idNumber: SHARED });
  const accession = { accessionNumber: WORDS['ID of 15 digits as accession number by REST'] };
  await rest('orders', { ...accession, procedureCode: 'CT001', modality: 'CT' });
  await rest('reports', {
    ...{ ...accession, reportNumber: WORDS['ID with a wrong check digit as report number'], status: 'F' },
    ...{ findings: '未见异常', reporter: '李医生', auditor: '王主任', auditedAt: '2026-03-03 10:00:00' },
  });
  const { body, type } = multipart([
    image(LOCAL, STUDIES.hl7, ACCESSION),
    image(WORDS['passport as PatientID of DICOM'], STUDIES.passport, 'A-1'),
    image(WORDS['permit as PatientID of DICOM'], STUDIES.permit, 'A-2'),
  ]);
  const stored = await ask('/dicomweb/studies', {
    method: 'POST',
    headers: { 'Content-Type': type, 'X-Site': 'h1' },
    body: new Uint8Array(body),
  });
  assert.equal(stored.status, 200, stored.text);
  await hl7('PLATFORM|REGION', 'ADT^A04^ADT_A01', 'EVN|A04|20260303080000', pid(AT_REGION, REGION), 'PV1|1|O');
  await applied();
});

test('documents are registered under such a number, and name another', async () => {
  const source = cx(WORDS['resident ID as sourcePatientId'], H1);
  const made = provided([sent('a document', { sourcePatientId: source })]);
  const bytes = Buffer.from(
    made.bytes.toString('latin1').replaceAll(PATIENT.replaceAll('&', '&amp;'), cx(AT_REGION).replaceAll('&', '&amp;')),
    'latin1',
  );
  assert.ok(bytes.includes(AT_REGION));
  let answer = { status: 0, text: '' };
  for (let tries = 0; tries < 100; tries += 1) {
    answer = await ask('/xds/repository', {
      method: 'POST',
      headers: { 'Content-Type': made.type },
      body: new Uint8Array(bytes),
    });
    if (answer.text.includes('ResponseStatusType:Success')) return;
    await pause(200); // the number is announced by the outbox
  }
  assert.fail(answer.text);
});

const shows = (what: string, text: string, ...words: readonly Word[]): void => {
  for (const word of words)
    assert.ok(text.includes(WORDS[word]), `${what} does not show the ${word}: ${text.slice(0, 500)}`);
};

test('they are found, linked and told by every one', async () => {
  const both = ['resident ID as patient number by HL7', 'resident ID as patient number by REST'] as const;
  for (const number of [LOCAL, AT_H2, SHARED])
    shows(`FHIR by ${number}`, (await ask(`/fhir/Patient?identifier=${number}`)).text, ...both);
  shows('FHIR', (await ask(`/fhir/ImagingStudy?identifier=${ACCESSION}`)).text, 'resident ID as accession number');
  for (const [query, word] of [
    [`PatientID=${LOCAL}`, 'resident ID as patient number by HL7'],
    [`AccessionNumber=${ACCESSION}`, 'resident ID as accession number'],
    [`PatientID=${WORDS['passport as PatientID of DICOM']}`, 'passport as PatientID of DICOM'],
    [`PatientID=${WORDS['permit as PatientID of DICOM']}`, 'permit as PatientID of DICOM'],
  ] as const)
    shows(
      'QIDO',
      (await ask(`/dicomweb/studies?${query}`, { headers: { Accept: 'application/dicom+json' } })).text,
      word,
    );
  const exams = await ask('/api/v1/exams/search', { json: { identifier: { authority: H1, value: LOCAL } } });
  shows('REST', exams.text, 'ID of 15 digits as accession number by REST', 'resident ID as accession number');
  const pix = await hl7('PLATFORM|REGION', 'QBP^Q23^QBP_Q21', `QPD|IHE PIX Query|T1|${LOCAL}^^^&${H1}&ISO|`, 'RCP|I');
  shows('PIX', pix.first('PID')?.raw ?? '', 'resident ID as patient number by REST');
  const ended = await hl7(
    'PLATFORM|REGION',
    'QBP^Q22^QBP_Q21',
    `QPD|IHE PDQ Query|T2|@PID.3.1^${ENDED}`,
    'RCP|I|10^RD',
  );
  shows('PDQ by the number that ended', ended.first('PID')?.raw ?? '', 'resident ID as patient number by HL7');
  for (const [criterion, word] of [
    [`@PV1.19.1^${WORDS['resident ID as visit number']}~@PV1.19.4.2^${VISITS}`, 'resident ID as visit number'],
    [`@PID.18.1^${WORDS['resident ID as account']}~@PID.18.4.2^${ACCOUNTS}`, 'resident ID as account'],
  ] as const) {
    const visit = await hl7('PLATFORM|REGION', 'QBP^ZV1^QBP_Q21', `QPD|IHE PDVQ Query|T3|${criterion}`, 'RCP|I|10^RD');
    shows(
      `PDVQ ${visit.first('QAK')?.raw ?? ''}`,
      visit.segments.map(({ raw }) => raw).join('\n'),
      'resident ID as patient number by HL7',
      word,
    );
  }
  shows('the audit', (await ask('/fhir/AuditEvent?_count=100')).text, 'resident ID as patient number by HL7');
});

test('in no table, dump, object, name of one or log lies any of them', async (t) => {
  const words = { ...WORDS, 'resident ID': SHARED };
  const tables = await tablesOf(fresh.url);
  assert.ok((tables.get('public.patient_record')?.length ?? 0) > 500, 'the tables were read');
  const leaks = [...tables].flatMap(([name, bytes]) => leaksIn(name, bytes, words));
  const dump = await dumpOf(fresh.url);
  if (typeof dump === 'string') t.diagnostic(`no dump was looked through: ${dump}`);
  else leaks.push(...leaksIn('dump', dump, words));
  const objects = join(folder.dir, 'objects');
  const files = (await readdir(objects, { recursive: true, withFileTypes: true })).filter((each) => each.isFile());
  assert.ok(files.length >= 3);
  for (const { parentPath, name } of files) {
    const path = join(parentPath, name);
    leaks.push(...leaksIn(`name ${path}`, Buffer.from(path), words), ...leaksIn(path, await readFile(path), words));
  }
  leaks.push(...leaksIn('log', Buffer.from(hub.said()), words));
  assert.deepEqual(leaks, []);
});
