/** Messages decoded for a reader: every place named, nothing of a person shown unless it is asked for, bounds kept. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import iconv from 'iconv-lite';
import type { JournalSource } from '../../hub/core/decoded.ts';
import type { Finding } from '../../hub/core/problem.ts';
import { siteId } from '../../hub/core/identifier.ts';
import { decode } from '../../mappings/decode/index.ts';
import { exams } from '../province/exams.ts';
import { imagesOf } from '../province/images.ts';
import { siteProfile } from '../support/site.ts';

const h1 = siteProfile('h1');

function source(channel: JournalSource['channel'], bytes: Buffer, more: Partial<JournalSource> = {}): JournalSource {
  return {
    journalId: '1',
    site: siteId('h1'),
    channel,
    messageType: '',
    contentType: 'application/json',
    bytes,
    object: null,
    findings: [],
    persons: [],
    ...more,
  };
}

const ADT = [
  'MSH|^~\\&|RIS|H1|HUB|P|20260301080000||ORU^R01|1|P|2.5|||||CHN|GB 18030-2000',
  'PID|1||P77123^^^H1^PI~210102198003151239^^^^NI||张三丰^^^^^^L^I||19800315|M|||沈阳市和平区南京街1号||13912345678',
  'OBR|1|O1|F1|CT9^不明项目|||20260301||||||咳血三天',
  'OBX|1|TX|GDT^检查所见||右肺占位~建议复查',
  'ZZZ|张三丰|210102198003151239',
].join('\r');
const SECRETS = ['张三丰', '210102198003151239', '沈阳', '13912345678', '咳血', '占位', 'P77123'];
const FINDINGS: readonly Finding[] = [
  { code: 'unmapped-code', where: 'OBR-4', text: 'x' },
  { code: 'identifier-suspect', where: 'PID-3[2].1', text: 'x' },
];

test('HL7: in its own character set, named in both languages, with what was found at its place', () => {
  const bytes = iconv.encode(ADT, 'gb18030');
  const message = decode(source('hl7v2', bytes, { findings: FINDINGS }), h1, { file: null, unmask: false });
  assert.equal(message.format, 'hl7v2');
  const text = JSON.stringify(message.rows);
  for (const secret of SECRETS) assert.ok(!text.includes(secret), secret);
  const at = (where: string) => message.rows.find((row) => row.where === where);
  assert.equal(at('PID-5.1')?.value, '张**');
  assert.deepEqual([at('PID-5')?.name, at('PID-5')?.nameZh], ['Patient name', '患者姓名']);
  assert.equal(at('PID-7')?.value, '1980-**');
  assert.equal(at('PID-3[1].1')?.value, '***23');
  assert.equal(at('PID-3[1].4')?.value, 'H1', 'whose number it is is no secret');
  assert.equal(at('OBR-4.2')?.value, '不明项目');
  assert.deepEqual(at('OBR-4')?.findings, [0]);
  assert.deepEqual(at('PID-3[2].1')?.findings, [1]);
  assert.equal(at('ZZZ-1')?.masked, true, 'what nobody knows is hidden');
  const whole = decode(source('hl7v2', bytes), h1, { file: null, unmask: true });
  for (const secret of SECRETS) assert.ok(JSON.stringify(whole.rows).includes(secret), secret);
});

test('JSON of the contract, under any of its names; FHIR shows what things are and never who', () => {
  const body = {
    患者姓名: '张三丰',
    idNumber: '210102198003151239',
    电话: '13912345678',
    sex: 'M',
    modality: 'CT',
    note: '张三丰',
  };
  const message = decode(source('rest', Buffer.from(JSON.stringify(body))), h1, { file: null, unmask: false });
  const rows = new Map(message.rows.map((row) => [row.where, row]));
  assert.equal(rows.get('患者姓名')?.value, '张**');
  assert.equal(rows.get('患者姓名')?.name, 'name');
  assert.equal(rows.get('电话')?.masked, true);
  assert.equal(rows.get('modality')?.value, 'CT');
  assert.equal(rows.get('note')?.masked, true);
  const patient = {
    resourceType: 'Patient',
    identifier: [{ system: 'urn:oid:2.999.156.1.1', value: 'P77123' }],
    name: [{ text: '张三丰' }],
    birthDate: '1980-03-15',
  };
  const fhir = decode(source('fhir', Buffer.from(JSON.stringify(patient))), h1, { file: null, unmask: false });
  const text = JSON.stringify(fhir.rows);
  for (const secret of ['张三丰', 'P77123', '03-15']) assert.ok(!text.includes(secret), secret);
  assert.match(text, /urn:oid:2\.999\.156\.1\.1/);
});

test('DICOM tag by tag: names of tags and techniques, nobody’s name, number or birth', () => {
  const [exam] = exams('2026-11-20').filter(({ person }) => person.name === '张伟');
  assert.ok(exam !== undefined);
  const [file] = imagesOf(exam);
  assert.ok(file !== undefined);
  const read = (unmask: boolean) =>
    decode(source('dicom', Buffer.from('{}')), h1, { file: file.bytes.subarray(0, 262_144), unmask });
  const message = read(false);
  assert.equal(message.format, 'dicom');
  const rows = new Map(message.rows.map((row) => [row.where, row]));
  assert.deepEqual([rows.get('(0008,0060)')?.name, rows.get('(0008,0060)')?.value], ['Modality', exam.modality]);
  assert.equal(rows.get('(0010,0010)')?.masked, true);
  const secrets = [
    exam.person.name,
    exam.person.residentId ?? '-',
    exam.person.local[exam.site] ?? '-',
    exam.person.born,
  ];
  for (const secret of secrets) assert.ok(!JSON.stringify(message.rows).includes(secret), secret);
  assert.ok(JSON.stringify(read(true).rows).includes(exam.person.local[exam.site] ?? '-'));
});

test('XML shows codes and OIDs, hides texts and numbers', () => {
  const xml =
    '<PRPA><id root="2.999.156.1.1" extension="P77123"/><name>张三丰</name><code code="M" codeSystem="2.16"/></PRPA>';
  const message = decode(source('hl7v3', Buffer.from(xml)), h1, { file: null, unmask: false });
  const rows = new Map(message.rows.map((row) => [row.where, row.value]));
  assert.equal(rows.get('PRPA/id/@root'), '2.999.156.1.1');
  assert.equal(rows.get('PRPA/code/@code'), 'M');
  assert.ok(!JSON.stringify(message.rows).includes('P77123') && !JSON.stringify(message.rows).includes('张三丰'));
});

test('hostile input ends as unreadable or cut off, never as an error or without bounds', () => {
  for (const channel of ['hl7v2', 'rest', 'fhir', 'hl7v3', 'xds', 'dicom'] as const)
    for (const bytes of [Buffer.alloc(0), Buffer.from('MSH|'), Buffer.from('{"a":'), Buffer.from([0, 255, 254, 10])]) {
      const message = decode(source(channel, bytes), h1, { file: channel === 'dicom' ? bytes : null, unmask: false });
      assert.ok(message.rows.length < 10);
    }
  const deep = decode(source('rest', Buffer.from('['.repeat(5_000) + ']'.repeat(5_000))), h1, {
    file: null,
    unmask: true,
  });
  assert.ok(deep.rows.length < 50);
  const wide = `MSH|^~\\&|RIS|H1|||2026||ADT^A08|1|P|2.5\r${'NTE|1||x\r'.repeat(10_000)}`;
  const cut = decode(source('hl7v2', Buffer.from(wide)), h1, { file: null, unmask: false });
  assert.ok(cut.rows.length <= 3_000 && cut.truncated);
});
