/** Messages into records: the rules that the goldens do not show, each by the smallest message that needs it. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { siteId } from '../../hub/core/identifier.ts';
import type { Mapped } from '../../hub/core/envelope.ts';
import type { CanonicalRecord, OrderRecord, PatientRecord, ReportRecord } from '../../hub/core/record.ts';
import type { SiteProfile } from '../../hub/core/site.ts';
import { inspectHl7, mapHl7, parseMessage, patientKeyOf } from '../../mappings/hl7v2/index.ts';
import { demoSites } from '../wire/hl7v2-fixture.ts';

let h1: SiteProfile;
before(async () => {
  const site = (await demoSites()).byId('h1');
  assert.ok(site);
  h1 = site;
});

const PID = 'PID|1||10001^^^&2.999.156.1.1&ISO^PI||张三||19800315|1';
function message(type: string, lines: readonly string[], version = '2.5.1', time = '20260302090000'): Buffer {
  return Buffer.from([`MSH|^~\\&|RIS|H1|||${time}||${type}|M1|P|${version}`, ...lines].join('\r') + '\r');
}
const map = (bytes: Buffer, site: SiteProfile = h1): Mapped<CanonicalRecord> =>
  mapHl7({ bytes, receivedAt: '2026-03-02T02:00:00.000Z' }, site);

function records<K extends CanonicalRecord['kind']>(
  kind: K,
  bytes: Buffer,
  site?: SiteProfile,
): Extract<CanonicalRecord, { kind: K }>[] {
  const mapped = map(bytes, site);
  assert.ok(mapped.ok, mapped.ok ? '' : `${mapped.problem.code} ${mapped.problem.where ?? ''}`);
  return mapped.records.filter((one): one is Extract<CanonicalRecord, { kind: K }> => one.kind === kind);
}
const order = (bytes: Buffer): OrderRecord => records('order', bytes)[0] ?? assert.fail();
const report = (bytes: Buffer): ReportRecord => records('report', bytes)[0] ?? assert.fail();
const patient = (bytes: Buffer): PatientRecord => records('patient', bytes)[0] ?? assert.fail();
const adt = (pid: string): Buffer => message('ADT^A08^ADT_A01', [pid]);
const problemOf = (bytes: Buffer): string => {
  const mapped = map(bytes);
  return mapped.ok ? 'none' : `${mapped.problem.code} ${mapped.problem.where ?? ''}`;
};

test('every event that is listed is understood, its neighbours are refused', () => {
  for (const event of ['A01', 'A02', 'A03', 'A04', 'A05', 'A08', 'A11', 'A13', 'A28', 'A31'])
    assert.equal(records('patient', message(`ADT^${event}`, [PID])).length, 1, event);
  for (const event of ['A34', 'A39', 'A40', 'A47'])
    assert.equal(records('merge', message(`ADT^${event}`, [PID, 'MRG|10099'])).length, 1, event);
  for (const event of ['A24', 'A37'])
    assert.equal(records('link', message(`ADT^${event}`, [PID, 'PID|2||10099'])).length, 1, event);
  assert.equal(records('move', message('ADT^A43', [PID, 'MRG|10099'])).length, 1);
  for (const type of ['ADT^A09', 'ADT^A60', 'ADT^A45', 'ADT^A23', 'ORU^R30', 'QBP^Q22', 'MDM^T01', 'ADT', 'ADT^'])
    assert.match(problemOf(message(type, [PID])), /^unsupported-message/, type);
});

test('versions 2.3 to 2.8 are read alike; older and unreadable ones are refused', () => {
  for (const version of ['2.3', '2.3.1', '2.4', '2.5', '2.5.1', '2.6', '2.7', '2.8.2'])
    assert.ok(inspectHl7(message('ADT^A08', [PID], version), h1).ok, version);
  for (const version of ['2.1', '2.2', '3.0', 'x', '2.8.10000000']) {
    const inspection = inspectHl7(message('ADT^A08', [PID], version), h1);
    assert.ok(!inspection.ok);
    assert.equal(inspection.problem.code, 'unsupported-version');
  }
});

test('links and moves: two patients, not one, not three, not the same; a move needs someone to move to', () => {
  const [link] = records('link', message('ADT^A37^ADT_A37', [PID, 'PID|2||10099']));
  assert.deepEqual([link?.one.value, link?.other.value, link?.linked], ['10001', '10099', false]);
  for (const segments of [[PID], [PID, PID], [PID, 'PID|2||10099', 'PID|3||10098'], [PID, 'PID|2|']])
    assert.match(
      problemOf(message('ADT^A24^ADT_A24', segments)),
      /^(required-missing|invalid-value) PID/,
      segments.join(),
    );
  const move = (...segments: string[]): Buffer => message('ADT^A43^ADT_A43', segments);
  for (const sent of ['PID|1||10001~10099', 'PID|1||10099~10001', 'PID|1|10001|10099'])
    assert.deepEqual(
      records('move', move(sent, 'MRG|10099')).map((one) => [one.moved.value, one.to.value]),
      [['10099', '10001']],
      sent,
    );
  assert.match(problemOf(move('PID|1||10099', 'MRG|10099')), /^required-missing PID-3/);
  assert.match(problemOf(move(PID)), /^required-missing MRG/);
  assert.match(problemOf(move(PID, 'MRG|')), /^required-missing MRG-1/);
});

test('merges: pairs, self-merge, missing numbers', () => {
  const pairs = message('ADT^A40^ADT_A39', [PID, 'MRG|10099', 'PID|1||10002', 'MRG|10098^^^RIS']);
  assert.deepEqual(
    records('merge', pairs).map((one) => [one.survivor.value, one.victim.value]),
    [
      ['10001', '10099'],
      ['10002', '10098'],
    ],
  );
  assert.equal(problemOf(message('ADT^A40', [PID, 'MRG|10001'])), 'invalid-value MRG-1');
  assert.equal(problemOf(message('ADT^A40', [PID])), 'required-missing MRG');
  assert.equal(problemOf(message('ADT^A40', [PID, 'MRG|""'])), 'required-missing MRG-1');
  const inspection = inspectHl7(message('ADT^A40', [PID, 'MRG|']), h1);
  assert.ok(!inspection.ok);
  assert.equal(inspection.problem.where, 'MRG-1');
});

test('the local number: own authority first, never a resident ID, an unknown authority kept and found', () => {
  const key = (pid3: string): string => {
    const parsed = parseMessage(message('ADT^A08', [`PID|1||${pid3}`]).toString(), 'UTF-8');
    assert.ok(parsed.ok);
    return patientKeyOf(parsed.value, h1);
  };
  assert.equal(key('X^^^OTHER^PI~10001^^^H1^MR'), '2.999.156.1.1|10001');
  assert.equal(key('210102198003151239^^^^NI~10001'), '2.999.156.1.1|10001');
  assert.equal(key('X^^^OTHER^PI'), 'OTHER|X');
  assert.equal(key('X^^^OTHER&1.2.3&ISO^PI'), '1.2.3|X');
  assert.equal(key('210102198003151239^^^^居民身份证'), '');
  assert.equal(key('V1^^^H1^VN'), '');
  assert.equal(key('Z9^^^^ORCA MRN'), '2.999.156.1.1|Z9');
  assert.equal(key('"" '), '');
  assert.equal(key('constructor^^^__proto__^toString'), '__proto__|constructor');
  const findings = map(adt('PID|1||X^^^OTHER^PI||张三')).findings;
  assert.deepEqual(
    findings.map((one) => [one.code, one.where]),
    [['unmapped-code', 'PID-3[1].4']],
  );
});

test('an invalid resident ID never becomes one', () => {
  const types = (id: string): string[] =>
    (patient(adt(`PID|1||10001~${id}^^^^NI||张三`)).fields.identifiers ?? []).map((one) => one.type);
  assert.deepEqual(types('210102198003151239'), ['PI', 'NI']);
  for (const bad of ['210102198003151230', '210123199902300011', '000000000000000000', '123', '12345678901234567X'])
    assert.deepEqual(types(bad), ['PI', 'NI-invalid'], bad);
});

test('names in every shape', () => {
  const names = (pid5: string): string[] =>
    (patient(adt(`PID|1||10001||${pid5}`)).fields.names ?? []).map(
      (one) => `${one.representation[0] ?? ''}:${one.text}:${one.family ?? '-'}:${one.given ?? '-'}`,
    );
  assert.deepEqual(names('张三'), ['i:张三:张:三']);
  assert.deepEqual(names('张^三'), ['i:张三:张:三']);
  assert.deepEqual(names('张三^三'), ['i:张三:张:三']);
  assert.deepEqual(names('欧阳^震华'), ['i:欧阳震华:欧阳:震华']);
  assert.deepEqual(names('诸葛孔明'), ['i:诸葛孔明:诸葛:孔明']);
  assert.deepEqual(names('张　三'), ['i:张三:张:三']);
  assert.deepEqual(names('买买提・艾力'), ['i:买买提·艾力:-:-']);
  assert.deepEqual(names('ZHANG^SAN'), ['a:ZHANG SAN:ZHANG:SAN']);
  assert.deepEqual(names('张三^^^^^^L~Zhang^San^^^^^A'), ['i:张三:张:三', 'a:Zhang San:Zhang:San']);
  assert.deepEqual(names('Zhang^San^^^^^L^P~张三^^^^^^L^I'), ['p:Zhang San:Zhang:San', 'i:张三:张:三']);
  assert.deepEqual(names('无名氏'), ['i:无名氏:无:名氏']);
});

test('order status by ORC-1, then ORC-5, then OBR-25', () => {
  const status = (orc: string, obr = 'OBR|1|P1|F1'): string => order(message('ORM^O01', [PID, orc, obr])).status;
  assert.equal(status('ORC|NW|P1'), 'ordered');
  assert.equal(status('ORC|NW|P1|||SC'), 'scheduled');
  assert.equal(status('ORC|SC|P1|F1||IP'), 'in-progress');
  assert.equal(status('ORC|SC|P1|F1||CM'), 'completed');
  assert.equal(status('ORC|SC|P1|F1||A'), 'in-progress');
  assert.equal(status('ORC|SC|P1|F1||CA'), 'cancelled');
  assert.equal(status('ORC|XO|P1|F1||SC'), 'scheduled');
  assert.equal(status('ORC|CA|P1|F1||CM'), 'cancelled');
  assert.equal(status('ORC|OC|P1'), 'cancelled');
  assert.equal(status('ORC|DC|P1'), 'discontinued');
  assert.equal(status('ORC|SC|P1', 'OBR|1|P1|F1||||||||||||||||||||||I'), 'in-progress');
  assert.equal(status('ORC|ZZ|P1'), 'ordered');
});

test('keys: OBR before ORC, one ZDS for each order or for the only one, accession of IPC before OBR-18', () => {
  const two = records(
    'order',
    message('ORM^O01', [
      PID,
      'ORC|NW|P1',
      'OBR|1|P1',
      'ORC|NW|P2',
      'OBR|2|P2',
      'ZDS|1.2.1^^Application^DICOM',
      'ZDS|1.2.2^^Application^DICOM',
    ]),
  );
  assert.deepEqual(
    two.map((one) => [one.keys.placer, one.keys.studyUid]),
    [
      ['P1', '1.2.1'],
      ['P2', '1.2.2'],
    ],
  );
  const shared = records(
    'order',
    message('ORM^O01', [PID, 'ORC|NW|P1', 'OBR|1|P1', 'ORC|NW|P2', 'OBR|2|P2', 'ZDS|1.2.1']),
  );
  assert.deepEqual(
    shared.map((one) => one.keys.studyUid),
    ['1.2.1', '1.2.1'],
  );
  const bad = map(message('ORM^O01', [PID, 'ORC|NW|P1', 'OBR|1|P1', 'ZDS|../../etc']));
  assert.ok(bad.ok);
  assert.equal(
    bad.findings.some((one) => one.where === 'ZDS-1'),
    true,
  );
  assert.equal(problemOf(message('OMI^O23', [PID, 'ORC|NW', 'OBR|1', 'IPC||RP|1.2.3'])), 'required-missing ORC-2');
  assert.equal(problemOf(message('OMG^O19', [PID])), 'required-missing ORC');
});

test('an exam without its patient is filed all the same, and told', () => {
  const mapped = map(message('ORU^R01', ['OBR|1|P1|F1|||||||||||||||||||||||F', 'OBX|1|TX|a^所见||x']));
  assert.ok(!mapped.ok || mapped.records.every((one) => one.kind !== 'patient'));
  const alone = map(message('ORM^O01', ['ORC|NW|P1', 'OBR|1|P1']));
  assert.ok(alone.ok);
  assert.equal(alone.records[0]?.kind === 'order' ? alone.records[0].patient : undefined, null);
  assert.equal(
    alone.findings.some((one) => one.where === 'PID'),
    true,
  );
});

const oru = (lines: readonly string[], status = 'F'): Buffer =>
  message('ORU^R01^ORU_R01', [PID, `OBR|1|P1|F1|CT1002|||||||||||||||||||||${status}`, ...lines]);

test('report sections by LOINC, by IHE suffix and by every alias of A-11', () => {
  const content = (code: string): string[] =>
    Object.keys(report(oru([`OBX|1|TX|${code}||文本||||||F`])).content).filter((key) =>
      ['findings', 'impression', 'suggestion'].includes(key),
    );
  for (const code of [
    '59776-5^x^LN',
    '18782-3',
    'CT&GDT',
    'a^检查所见',
    'a^影像所见',
    'a^超声所见',
    'a^描述',
    'unknown^其他',
  ])
    assert.deepEqual(content(code), ['findings'], code);
  for (const code of [
    '19005-8^x^LN',
    'CT&IMP',
    'a^影像所得',
    'a^诊断意见',
    'a^检查结论',
    'a^影像诊断',
    'a^检查提示',
    'a^Impression',
  ])
    assert.deepEqual(content(code), ['impression'], code);
  for (const code of ['18783-1', 'CT&REC', 'a^诊断建议', 'a^检查建议'])
    assert.deepEqual(content(code), ['suggestion'], code);
});

test('report status: OBR-25 through the site, else OBX-11; none is a problem', () => {
  const status = (obr25: string, obx11: string): string =>
    report(oru([`OBX|1|TX|a^所见||x||||||${obx11}`], obr25)).status;
  assert.deepEqual(
    ['P', 'R', 'F', 'C', 'X', '1', '2'].map((code) => status(code, 'F')),
    ['preliminary', 'preliminary', 'final', 'corrected', 'withdrawn', 'preliminary', 'final'],
  );
  assert.equal(status('', 'F'), 'final');
  assert.equal(status('', 'P'), 'preliminary');
  assert.equal(status('', 'C'), 'corrected');
  assert.equal(problemOf(oru(['OBX|1|TX|a^所见||x'], '')), 'required-missing OBR-25');
  assert.equal(problemOf(message('ORU^R01', [PID, 'OBR|1|||CT|||||||||||||||||||||F'])), 'required-missing OBR-3');
});

test('documents: base64, hex, CDA by its content, what is broken is found and left out', () => {
  const document = (ed: string): unknown => report(oru([`OBX|1|ED|a||${ed}||||||F`])).content.document;
  assert.deepEqual(document('^AP^PDF^Base64^JVBERi0xLjQK'), { contentType: 'application/pdf', data: 'JVBERi0xLjQK' });
  assert.deepEqual(document('^application^octet-stream^Base64^JVBERi0xLjQK'), {
    contentType: 'application/pdf',
    data: 'JVBERi0xLjQK',
  });
  assert.deepEqual(document('^text^plain^Hex^6869'), { contentType: 'text/plain', data: 'aGk=' });
  const cda = Buffer.from('<ClinicalDocument xmlns="urn:hl7-org:v3"/>').toString('base64');
  assert.deepEqual(document(`^multipart^x^Base64^${cda}`), { contentType: 'application/hl7-cda+xml', data: cda });
  const broken = map(oru(['OBX|1|ED|a||^AP^PDF^Base64^!!!||||||F']));
  assert.ok(broken.ok);
  assert.equal(
    broken.findings.some((one) => one.code === 'invalid-value' && one.where.endsWith('-5')),
    true,
  );
  const second = map(
    oru(['OBX|1|ED|a||^AP^PDF^Base64^JVBERi0xLjQK||||||F', 'OBX|2|ED|a||^AP^PDF^Base64^JVBERi0xLjQK||||||F']),
  );
  assert.equal(
    second.findings.some((one) => one.code === 'degraded'),
    true,
  );
});

test('positive: words are read, digits only through the site', () => {
  assert.equal(report(oru(['OBX|1|ST|a^是否阳性||阴性||||||F'])).content.positive, false);
  assert.equal(report(oru(['OBX|1|ST|a^阴阳性||阳性||||||F'])).content.positive, true);
  const coded = map(oru(['OBX|1|ST|a^是否阳性||2||||||F']));
  assert.equal(
    coded.findings.some((one) => one.code === 'unmapped-code'),
    true,
  );
});

test('parts of one exam in two OBR groups are one report', () => {
  const one = records(
    'report',
    message('ORU^R01', [
      PID,
      'OBR|1|P1|F1|CT|||||||||||||||||||||F',
      'OBX|1|TX|a^所见||甲',
      'OBR|2|P1|F1|CT|||||||||||||||||||||F',
      'OBX|1|TX|b^结论||乙',
    ]),
  );
  assert.equal(one.length, 1);
  assert.deepEqual([one[0]?.content.findings, one[0]?.content.impression], ['甲', '乙']);
});

test('documents of MDM: authenticated is final, replaced is corrected and names the old one, cancelled is withdrawn', () => {
  const mdm = (event: string, txa: string): ReportRecord =>
    report(message(`MDM^${event}`, [PID, txa, 'OBX|1|TX|a^所见||x']));
  assert.equal(mdm('T02', 'TXA|1|DI|TX|||||||||D1||P1|F1||AU').status, 'final');
  assert.equal(mdm('T02', 'TXA|1|DI|TX|||||||||D1||P1|F1||PA').status, 'preliminary');
  const replaced = mdm('T10', 'TXA|1|DI|TX|||||||||D2|D1|P1|F1||LA');
  assert.deepEqual([replaced.status, replaced.reportNumber, replaced.replaces], ['corrected', 'D2', 'D1']);
  assert.equal(mdm('T11', 'TXA|1|DI|TX|||||||||D1||P1|F1||AU').status, 'withdrawn');
  assert.equal(
    problemOf(message('MDM^T02', [PID, 'TXA|1|DI|TX|||||||||D1||||AU', 'OBX|1|TX|a||x'])),
    'required-missing TXA-15',
  );
});

test('a clock that runs ahead is not believed; a missing time is the time of arrival', () => {
  assert.equal(patient(message('ADT^A08', [PID], '2.5', '20360101')).at, '2026-03-02T02:00:00.000Z');
  assert.equal(patient(message('ADT^A08', [PID], '2.5', '')).at, '2026-03-02T02:00:00.000Z');
  assert.equal(patient(message('ADT^A08', [PID], '2.5', '20260302090000')).at, '2026-03-02T01:00:00.000Z');
});

test('the site is what differs: its zone, its formats, its codes', () => {
  const other: SiteProfile = {
    ...h1,
    id: siteId('hx'),
    timeZone: 'Asia/Urumqi',
    hl7v2: { ...h1.hl7v2, dateFormats: ['dd/MM/yyyy'] },
    codes: { lookup: (table, code) => (table === 'sex' && code === '8' ? { code: 'female', system: 'x' } : null) },
  };
  const [record] = records('patient', adt('PID|1||1||张三||15/03/1980|8'), other);
  assert.equal(record?.fields.birthDate, '1980-03-15');
  assert.equal(record.fields.sex, 'female');
  assert.equal(record.at, '2026-03-02T03:00:00.000Z');
});

test('a control character within a number makes no other number of it', () => {
  for (const id of ['10\u0000001', '10\\X00\\001', '10\u007f001']) {
    const pid = `PID|1||${id}^^^&2.999.156.1.1&ISO^PI||张三`;
    assert.equal(problemOf(adt(pid)), 'required-missing PID-3');
    assert.ok(!inspectHl7(adt(pid), h1).ok);
    assert.equal(problemOf(message('ADT^A40^ADT_A39', [PID, `MRG|${id}`])), 'required-missing MRG-1');
  }
  // Padding is no part of a number (CODES §1.1), and an exam under a damaged number joins no other.
  assert.equal(patient(adt('PID|1|| 10001\u0000\u0000^^^&2.999.156.1.1&ISO^PI')).patient.value, '10001');
  const keys = order(message('ORM^O01', [PID, 'ORC|NW|P\u00001|F1', 'OBR|1|P\u00001|F1|CT1'])).keys;
  assert.notEqual(keys.placer, 'P1');
});
