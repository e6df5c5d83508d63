/** A report as a page and as CDA: what a reader and a parser get, with ordinary, long and hostile text. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import fc from 'fast-check';
import { clean, textWidth, wrap } from '../../mappings/xds/pdf-text.ts';
import { reportCda } from '../../mappings/xds/report-cda.ts';
import { reportPdf } from '../../mappings/xds/report-pdf.ts';
import { reportWords } from '../../mappings/xds/report-words.ts';
import type { ReportWords } from '../../mappings/xds/report-words.ts';
import { childNamed, childrenNamed, parseXml } from '../../mappings/xds/xml.ts';
import type { XmlElement } from '../../mappings/xds/xml.ts';
import { context, FINDINGS, imagingExam, report } from '../support/imaging-exam.ts';
import { DERIVE } from '../support/scenario.ts';

const exam = imagingExam();
const words = (changes: Partial<ReportWords> = {}): ReportWords => ({
  ...reportWords(exam, report(), context.site(exam.site)),
  ...changes,
});
const poppler = spawnSync('pdftotext', ['-v']).error ? 'poppler is not installed' : false;

function textOf(pdf: Buffer): string {
  const folder = mkdtempSync(join(tmpdir(), 'report-'));
  try {
    writeFileSync(join(folder, 'a.pdf'), pdf);
    const run = spawnSync('pdftotext', [join(folder, 'a.pdf'), join(folder, 'a.txt')], { encoding: 'utf8' });
    assert.equal(run.status, 0, run.stderr);
    assert.equal(run.stderr, '', 'a reader has nothing to repair');
    return readFileSync(join(folder, 'a.txt'), 'utf8');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const dense = (text: string): string => text.replace(/\s/g, '');

test('the page says who, what and by whom', { skip: poppler }, () => {
  const text = dense(textOf(reportPdf(words())));
  const told = [
    '省第一人民医院',
    'CT检查报告单',
    '姓名：欧阳修',
    '性别：男性',
    '检查号：A100',
    '胸部CT平扫',
    '第1页/共1页',
  ];
  for (const part of [...told, '检查时间：2026-03-0108:30', '报告医师：李医生', '审核医师：王主任', dense(FINDINGS)])
    assert.ok(text.includes(part), part);
});

test('a long report takes as many pages as it needs and loses nothing', { skip: poppler }, () => {
  const findings = Array.from({ length: 120 }, (_, at) => `第 ${String(at)} 段。${FINDINGS}`).join('\n');
  const pdf = reportPdf(words({ findings }));
  const text = dense(textOf(pdf));
  const pages = /第1页\/共(\d+)页/.exec(text)?.[1];
  assert.equal(pages, String([...pdf.toString('latin1').matchAll(/\/Type \/Page /g)].length));
  assert.ok(Number(pages) > 5);
  for (let at = 0; at < 120; at++) assert.ok(text.includes(`第${String(at)}段。`), String(at));
});

test('every object of the file lies where its cross-reference says', () => {
  const pdf = reportPdf(words({ findings: FINDINGS.repeat(40) }));
  const text = pdf.toString('latin1');
  const start = Number(/startxref\n(\d+)\n%%EOF\n$/.exec(text)?.[1]);
  assert.equal(text.slice(start, start + 4), 'xref');
  const offsets = [...text.slice(start).matchAll(/^(\d{10}) 00000 n $/gm)].map((found) => Number(found[1]));
  for (const [at, offset] of offsets.entries()) assert.ok(text.startsWith(`${String(at + 1)} 0 obj\n`, offset));
  for (const found of text.matchAll(/\/Length (\d+) >>\nstream\n([^]*?)endstream/g))
    assert.equal(Number(found[1]), found[2]?.length);
  assert.deepEqual(reportPdf(words({ findings: FINDINGS.repeat(40) })), pdf, 'the same words, the same bytes');
});

test(
  'four million characters are cut with a word of it, an unbroken word and empty fields are no harm',
  { skip: poppler },
  () => {
    const started = performance.now();
    const large = reportPdf(words({ findings: '肺'.repeat(2_000_000) + 'x'.repeat(2_000_000) }));
    assert.ok(performance.now() - started < 20_000);
    assert.ok(large.length < 64 << 20);
    const bare = reportPdf(
      words({
        hospital: '医'.repeat(500),
        title: '',
        findings: null,
        impression: null,
        suggestion: null,
        reporter: null,
      }),
    );
    assert.ok(textOf(bare).includes('审核医师'));
    const odd = reportPdf(
      words({ findings: ') Tj ET Q\u0000\ud800 (\\ <</JS(x)>> 𠮷\r\nend', reporter: '\n\n', accession: '\\' }),
    );
    assert.ok(dense(textOf(odd)).includes(')TjETQ'));
  },
);

test('wrapping keeps every character in order and no line is too wide', () => {
  const text = fc.string({
    unit: fc.constantFrom(...Array.from('肺结节，。（）(a1.b-% \n\tÜ—“”𠮷mm')),
    maxLength: 400,
  });
  fc.assert(
    fc.property(text, fc.integer({ min: 30, max: 480 }), (given, width) => {
      const lines = wrap(given, width, 10.5);
      assert.equal(lines.join('').replace(/\s/g, ''), clean(given).replace(/\s/g, ''));
      for (const line of lines) assert.ok(textWidth(line, 10.5) <= width || Array.from(line).length === 1, line);
    }),
    { numRuns: 500 },
  );
});

const V3 = 'urn:hl7-org:v3';
function parsed(bytes: Buffer): XmlElement {
  const tree = parseXml(bytes);
  assert.ok(tree.ok);
  return tree.value;
}
const only = (element: XmlElement | undefined, ...path: string[]): XmlElement => {
  assert.ok(element);
  const [name, ...rest] = path;
  return name === undefined ? element : only(childNamed(element, V3, name), ...rest);
};

/** POCD_MT000040 ClinicalDocument: the order of its children, as far as the hub writes them. */
const ORDER =
  'realmCode typeId templateId id code title effectiveTime confidentialityCode languageCode setId versionNumber recordTarget author custodian legalAuthenticator authenticator participant inFulfillmentOf relatedDocument componentOf component'.split(
    ' ',
  );

test('the CDA is one of the national template, its header complete and in the order of CDA R2', () => {
  const root = parsed(reportCda(words(), 'r1', DERIVE).bytes);
  assert.equal(`${root.namespace} ${root.name}`, `${V3} ClinicalDocument`);
  const names = root.children.map(({ name }) => name);
  assert.deepEqual(
    names,
    ORDER.filter((name) => names.includes(name)),
  );
  assert.equal(only(root, 'templateId').attributes.get('root'), '2.16.156.10011.2.1.1.26');
  assert.equal(only(root, 'code').attributes.get('code'), 'C0006');
  assert.equal(only(root, 'effectiveTime').attributes.get('value'), '20260301103000+0800');
  const patient = only(root, 'recordTarget', 'patientRole', 'patient');
  assert.equal(only(patient, 'id').attributes.get('extension'), '210102198003151239');
  assert.equal(only(patient, 'name').text, '欧阳修');
  assert.equal(only(patient, 'administrativeGenderCode').attributes.get('code'), '1');
  assert.equal(only(root, 'author', 'assignedAuthor', 'assignedPerson', 'name').text, '李医生');
  assert.equal(only(root, 'legalAuthenticator', 'assignedEntity', 'assignedPerson', 'name').text, '王主任');
  assert.equal(
    only(root, 'custodian', 'assignedCustodian', 'representedCustodianOrganization', 'id').attributes.get('extension'),
    'MA9990H1799010011A1001',
  );
  assert.equal(childNamed(root, V3, 'relatedDocument'), undefined);
});

/** Organisations from the bed outwards, as `root extension name` or their null flavors. */
function placesOf(root: XmlElement): string[] {
  const places: string[] = [];
  let at: XmlElement | undefined = only(
    root,
    ...['componentOf', 'encompassingEncounter', 'location', 'healthCareFacility', 'serviceProviderOrganization'],
  );
  for (;;) {
    const part: XmlElement | undefined = childNamed(at, V3, 'asOrganizationPartOf');
    if (part === undefined) return places;
    at = only(part, 'wholeOrganization');
    const [own, name] = [only(at, 'id').attributes, only(at, 'name')];
    const told = own.get('extension') ?? own.get('nullFlavor') ?? '';
    places.push(
      `${own.get('root')?.split('.').at(-1) ?? ''} ${told} ${name.attributes.get('nullFlavor') ?? name.text}`,
    );
  }
}

test('the technician and where the patient lay are told where the index has them, and open where not', () => {
  const technician = (root: XmlElement): XmlElement => only(root, 'authenticator');
  const order = { ...words().order, visitNumber: 'V77', patientClass: { code: 'I', system: 'x' } };
  const known = parsed(reportCda(words({ technician: '赵技师', order }), 'r1', DERIVE).bytes);
  assert.equal(only(technician(known), 'assignedEntity', 'assignedPerson', 'name').text, '赵技师');
  assert.equal(only(technician(known), 'time').attributes.get('value'), '20260301083000+0800');
  assert.deepEqual(placesOf(known), [
    '22 NI NI',
    '21 NI NI',
    '26 0301 呼吸科',
    '27 NI NI',
    '5 MA9990H1799010011A1001 省第一人民医院',
  ]);
  const visit = only(known, 'componentOf', 'encompassingEncounter', 'id').attributes;
  assert.deepEqual([visit.get('root'), visit.get('extension')], ['2.16.156.10011.1.12', 'V77']);
  const open = parsed(reportCda(words({ order: {}, examinedAt: null }), 'r1', DERIVE).bytes);
  assert.equal(only(technician(open), 'assignedEntity', 'assignedPerson', 'name').attributes.get('nullFlavor'), 'NI');
  assert.equal(only(technician(open), 'time').attributes.get('nullFlavor'), 'NI');
  assert.equal(placesOf(open)[2], '26 NI NI');
  assert.equal(childNamed(only(open, 'componentOf', 'encompassingEncounter'), V3, 'id'), undefined);
  const exams = imagingExam({
    orders: exam.orders.map((one) => ({ ...one, fields: { ...one.fields, performer: ' 赵技师 ' } })),
  });
  assert.equal(reportWords(exams, report(), null).technician, '赵技师');
});

test('findings and impression are in the data elements of the catalogue and in the narrative', () => {
  const root = parsed(reportCda(words(), 'r1', DERIVE).bytes);
  const sections = childrenNamed(only(root, 'component', 'structuredBody'), V3, 'component').map((one) =>
    only(one, 'section'),
  );
  const report = sections.find((section) => only(section, 'title').text === '检查报告');
  assert.ok(report);
  const values = new Map(
    childrenNamed(report, V3, 'entry').map((entry) => {
      const observation = only(entry, 'observation');
      return [only(observation, 'code').attributes.get('code'), only(observation, 'value').text];
    }),
  );
  assert.equal(values.get('DE04.50.131.00'), FINDINGS);
  assert.match(values.get('DE04.50.132.00') ?? '', /主动脉硬化/);
  const paragraphs = childrenNamed(only(report, 'text'), V3, 'paragraph').map(({ text }) => text);
  for (const line of FINDINGS.split('\n')) assert.ok(paragraphs.includes(line));
});

test('a revision names its set and the version before it; another version is another document of the same set', () => {
  const first = reportCda(words(), 'r1', DERIVE);
  const second = reportCda(words({ version: 2, corrected: true }), 'r1', DERIVE);
  assert.notEqual(first.uniqueId, second.uniqueId);
  const [one, two] = [parsed(first.bytes), parsed(second.bytes)];
  assert.deepEqual(only(one, 'setId').attributes, only(two, 'setId').attributes);
  const parent = only(two, 'relatedDocument', 'parentDocument');
  assert.equal(only(two, 'relatedDocument').attributes.get('typeCode'), 'RPLC');
  assert.deepEqual(only(parent, 'setId').attributes, only(one, 'setId').attributes);
  assert.equal(only(parent, 'versionNumber').attributes.get('value'), '1');
  assert.notDeepEqual(
    only(parsed(reportCda(words(), 'r2', DERIVE).bytes), 'setId').attributes,
    only(one, 'setId').attributes,
  );
});

test('any text stays text', () => {
  const anything = fc.string({ unit: 'binary', maxLength: 60 });
  fc.assert(
    fc.property(anything, anything, anything, (a, b, c) => {
      const changes = { findings: `x${a}`, title: `x${b}]]><!DOCTYPE`, reporter: `x${c}`, accession: `x${a}"` };
      const patient = { ...words().patient, name: `</name>${b}`, localId: `x${c}`, phone: a };
      const bytes = reportCda(words({ ...changes, patient }), 'r1', DERIVE).bytes;
      const text = bytes.toString();
      // The door refuses the word itself, in text as anywhere: what the hub writes must not carry it bare.
      assert.ok(!text.includes('<!DOCTYPE'));
      assert.equal(only(parsed(bytes), 'title').text.slice(0, 1), 'x');
    }),
    { numRuns: 200 },
  );
});
