/** HL7 v2 messages of the demo hospitals, in each one's own dialect and character set. */
import iconv from 'iconv-lite';
import type { Exam, ReportText } from './exams.ts';
import type { Person, SiteName } from './persons.ts';

export interface Dialect {
  readonly application: string;
  readonly facility: string;
  /** What MSH-18 says, and what the bytes are in. */
  readonly declared: string;
  readonly charset: 'gb18030' | 'utf8';
  readonly authority: string;
  readonly sexes: readonly [string, string];
}

export const DIALECTS: Readonly<Record<SiteName | 'region', Dialect>> = {
  h1: {
    application: 'RIS',
    facility: 'H1',
    declared: 'GB 18030-2000',
    charset: 'gb18030',
    authority: '2.999.156.1.1',
    sexes: ['1', '2'],
  },
  h2: {
    application: 'HIS',
    facility: 'H2',
    declared: 'UNICODE UTF-8',
    charset: 'utf8',
    authority: '2.999.156.1.2',
    sexes: ['M', 'F'],
  },
  // Declares nothing and sends GBK, as many do.
  h3: {
    application: 'HIS',
    facility: 'H3',
    declared: '',
    charset: 'gb18030',
    authority: '2.999.156.1.3',
    sexes: ['M', 'F'],
  },
  region: {
    application: 'PLATFORM',
    facility: 'REGION',
    declared: 'UNICODE UTF-8',
    charset: 'utf8',
    authority: '2.999.156.1',
    sexes: ['M', 'F'],
  },
};

/** A segment from its fields by number; what is not named is empty. */
function segment(name: string, fields: Readonly<Record<number, string>>): string {
  const last = Math.max(...Object.keys(fields).map(Number));
  return [name, ...Array.from({ length: last }, (_, at) => fields[at + 1] ?? '')].join('|');
}

const escaped = (text: string): string =>
  text.replace(/[\\|^~&\n]/g, (sign) => (sign === '\n' ? '\\.br\\' : `\\${'FSRTE'.charAt('|^~&\\'.indexOf(sign))}\\`));

export function message(
  dialect: Dialect,
  type: string,
  controlId: string,
  at: string,
  segments: readonly string[],
): Buffer {
  const { application, facility, declared } = dialect;
  const head = `MSH|^~\\&|${application}|${facility}|HUTONG|PROVINCE|${at}||${type}|${controlId}|P|2.5.1||||||${declared}`;
  return iconv.encode(`${[head, ...segments].join('\r')}\r`, dialect.charset);
}

const cx = (dialect: Dialect, number: string): string => `${number}^^^&${dialect.authority}&ISO^PI`;

export function pid(dialect: Dialect, person: Person, number: string): string {
  const resident = person.residentId === null ? '' : `~${person.residentId}^^^^NI`;
  return segment('PID', {
    1: '1',
    3: cx(dialect, number) + resident,
    5: person.name === '无名氏' ? person.name : `${person.name}~${person.pinyin.join('^')}^^^^^L^A`,
    7: person.born,
    8: dialect.sexes[person.sex === 'M' ? 0 : 1],
    11: escaped(person.address),
    13: person.phone,
  });
}

export const registration = (dialect: Dialect, person: Person, number: string, controlId: string, at: string): Buffer =>
  message(dialect, 'ADT^A04^ADT_A01', controlId, at, [
    segment('EVN', { 1: 'A04', 2: at }),
    pid(dialect, person, number),
    'PV1|1|O',
  ]);

/** ADT^A40: the second number ends in favour of the first. */
export const merge = (
  dialect: Dialect,
  person: Person,
  survivor: string,
  victim: string,
  controlId: string,
  at: string,
): Buffer =>
  message(dialect, 'ADT^A40^ADT_A39', controlId, at, [
    segment('EVN', { 1: 'A40', 2: at }),
    pid(dialect, person, survivor),
    segment('MRG', { 1: cx(dialect, victim) }),
  ]);

export function order(
  dialect: Dialect,
  exam: Exam,
  number: string,
  control: 'NW' | 'CA',
  controlId: string,
  at: string,
): Buffer {
  const orc = segment('ORC', { 1: control, 2: exam.placer, 3: exam.accession, 9: at, 12: 'D017^李建平' });
  const obr = segment('OBR', {
    1: '1',
    2: exam.placer,
    3: exam.accession,
    4: `${exam.procedure[0]}^${exam.procedure[1]}^L`,
    7: exam.startedAt,
    18: exam.accession,
    24: exam.modality,
    31: '^咳嗽咳痰待查',
  });
  const zds = segment('ZDS', { 1: `${exam.studyUid}^100^Application^DICOM` });
  return message(dialect, 'ORM^O01^ORM_O01', controlId, at, [
    pid(dialect, exam.person, number),
    'PV1|1|O',
    orc,
    obr,
    zds,
  ]);
}

export function report(
  dialect: Dialect,
  exam: Exam,
  number: string,
  text: ReportText,
  status: 'F' | 'C',
  controlId: string,
  at: string,
): Buffer {
  const obr = segment('OBR', {
    1: '1',
    2: exam.placer,
    3: exam.accession,
    4: `${exam.procedure[0]}^${exam.procedure[1]}^L`,
    7: exam.startedAt,
    18: exam.accession,
    22: at,
    24: exam.modality,
    25: status,
    32: 'D201&王建华',
    33: 'D305&陈晓明',
  });
  const lines: readonly (readonly [string, string])[] = [
    ['59776-5^检查所见^LN', text.findings],
    ['19005-8^诊断意见^LN', text.impression],
    ...(text.suggestion === undefined ? [] : [['18783-1^建议^LN', text.suggestion] as const]),
    ['POS^是否阳性^L', text.positive ? '阳性' : '阴性'],
  ];
  const obx = lines.map(([code, value], index) =>
    segment('OBX', { 1: String(index + 1), 2: 'TX', 3: code, 5: escaped(value), 11: status }),
  );
  return message(dialect, 'ORU^R01^ORU_R01', controlId, at, [
    pid(dialect, exam.person, number),
    segment('ORC', { 1: 'RE', 2: exam.placer, 3: exam.accession }),
    obr,
    ...obx,
  ]);
}
