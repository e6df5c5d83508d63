/**
 * A report as CDA R2 of the national shared-document template for exam reports (WS/T 500, 检查报告, C0006, template
 * 2.16.156.10011.2.1.1.26; CODES §6). Only elements of POCD_MT000040 are written: the template's own `patientType` and
 * `age` are not of CDA R2 and would make the document invalid for every reader outside.
 */
import type { Derivation } from '../../hub/core/identifier.ts';
import type { OrderFields, SourceTime } from '../../hub/core/record.ts';
import { localDateTime } from '../../hub/core/dicom-text.ts';
import type { ReportWords } from './report-words.ts';
import { xml } from './xml.ts';

/** Document number of the national catalogue (CODES §6). */
const DOCUMENT_ID = '2.16.156.10011.1.1';
const ELEMENTS = '2.16.156.10011.2.2.1';
const ORGANISATION = '2.16.156.10011.1.5';

export interface CdaDocument {
  /** `root^extension`: ClinicalDocument.id as XDS names it (ITI TF-3 §4.2.3.2.26). */
  readonly uniqueId: string;
  readonly bytes: Buffer;
}

/** `reportId`: the hub's id of the report over all its versions, from which the set id is derived. */
export function reportCda(words: ReportWords, reportId: string, derive: Derivation): CdaDocument {
  const set = derive.base32('cda set', reportId).slice(0, 16);
  // The id follows from what the document says: the same words give the same document, others another one.
  const body = document(words, set, '');
  const extension = derive.base32('cda', reportId, body).slice(0, 16);
  return {
    uniqueId: `${DOCUMENT_ID}^${extension}`,
    bytes: Buffer.from(document(words, set, extension), 'utf8'),
  };
}

function document(words: ReportWords, set: string, extension: string): string {
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" classCode="DOCCLIN" moodCode="EVN">',
    '<realmCode code="CN"/>',
    '<typeId root="2.16.840.1.113883.1.3" extension="POCD_MT000040"/>',
    '<templateId root="2.16.156.10011.2.1.1.26"/>',
    id(DOCUMENT_ID, extension),
    '<code code="C0006" codeSystem="2.16.156.10011.2.4" codeSystemName="卫生信息共享文档规范编码体系" displayName="检查报告"/>',
    `<title>${xml(words.title)}</title>`,
    `<effectiveTime value="${time(words.auditedAt, words)}"/>`,
    '<confidentialityCode code="N" codeSystem="2.16.840.1.113883.5.25" codeSystemName="Confidentiality" displayName="正常访问保密级别"/>',
    '<languageCode code="zh-CN"/>',
    `<setId root="${DOCUMENT_ID}" extension="${set}"/>`,
    `<versionNumber value="${String(words.version)}"/>`,
    recordTarget(words),
    author(words),
    custodian(words),
    legalAuthenticator(words),
    technician(words),
    requester(words),
    orderOf(words),
    previous(words, set),
    encounter(words),
    '<component><structuredBody>',
    diagnosis(words),
    examination(words),
    results(words),
    '</structuredBody></component>',
    '</ClinicalDocument>',
    '',
  ]
    .filter((part, at, all) => part !== '' || at === all.length - 1)
    .join('\n');
}

const id = (root: string, extension: string | null): string =>
  extension === null || extension === ''
    ? `<id root="${root}" nullFlavor="NI"/>`
    : `<id root="${root}" extension="${xml(extension)}"/>`;

/** TS with the offset of the hospital's zone (HL7 v3 data types R1 §2.25). */
function time(at: SourceTime, words: ReportWords): string {
  const local = localDateTime(at, words.timeZone);
  if (local === null) return at.replace(/[-:T]/g, '').slice(0, 14);
  const wall = Date.parse(
    `${local.date.slice(0, 4)}-${local.date.slice(4, 6)}-${local.date.slice(6)}T${local.time.slice(0, 2)}:${local.time.slice(2, 4)}:${local.time.slice(4)}Z`,
  );
  const minutes = Math.round((wall - Math.floor(Date.parse(at) / 1000) * 1000) / 60_000);
  const size = Math.abs(minutes);
  const offset = String(Math.floor(size / 60) * 100 + (size % 60)).padStart(4, '0');
  return `${local.date}${local.time}${minutes < 0 ? '-' : '+'}${offset}`;
}

function recordTarget(words: ReportWords): string {
  const { patient } = words;
  const gender =
    patient.sex === null
      ? '<administrativeGenderCode nullFlavor="UNK"/>'
      : `<administrativeGenderCode code="${patient.sex.code}" codeSystem="2.16.156.10011.2.3.3.4" codeSystemName="生理性别代码表(GB/T 2261.1)" displayName="${patient.sex.display}"/>`;
  const birth = patient.birthDate === null ? '' : `<birthTime value="${patient.birthDate.replaceAll('-', '')}"/>`;
  const person = patient.residentId === null ? '' : id('2.16.156.10011.1.3', patient.residentId);
  const phone = patient.phone === null ? '' : `<telecom value="tel:${xml(patient.phone.replace(/\s/g, ''))}"/>`;
  return (
    '<recordTarget typeCode="RCT" contextControlCode="OP"><patientRole classCode="PAT">' +
    numbersOf(words).join('') +
    phone +
    `<patient classCode="PSN" determinerCode="INSTANCE">${person}<name>${xml(patient.name)}</name>${gender}${birth}</patient>` +
    `<providerOrganization classCode="ORG" determinerCode="INSTANCE">${id(ORGANISATION, words.organisation)}<name>${xml(words.hospital)}</name></providerOrganization>` +
    '</patientRole></recordTarget>'
  );
}

/** The patient's number by kind of visit (out-patient, in-patient), the report's and the request's (CODES §6 table). */
function numbersOf(words: ReportWords): string[] {
  return [
    id(isInpatient(words.order) ? '2.16.156.10011.1.12' : '2.16.156.10011.1.11', words.patient.localId),
    ...(words.reportNumber === null ? [] : [id('2.16.156.10011.1.32', words.reportNumber)]),
    ...(words.requestNumber === null ? [] : [id('2.16.156.10011.1.24', words.requestNumber)]),
  ];
}

const name = (text: string | null): string => (text === null ? '<name nullFlavor="NI"/>' : `<name>${xml(text)}</name>`);

const author = (words: ReportWords): string =>
  '<author typeCode="AUT" contextControlCode="OP">' +
  `<time value="${time(words.reportedAt, words)}"/>` +
  `<assignedAuthor classCode="ASSIGNED">${id('2.16.156.10011.1.7', null)}` +
  `<assignedPerson classCode="PSN" determinerCode="INSTANCE">${name(words.reporter)}</assignedPerson></assignedAuthor></author>`;

const custodian = (words: ReportWords): string =>
  '<custodian typeCode="CST"><assignedCustodian classCode="ASSIGNED">' +
  `<representedCustodianOrganization classCode="ORG" determinerCode="INSTANCE">${id(ORGANISATION, words.organisation)}` +
  `<name>${xml(words.hospital)}</name></representedCustodianOrganization></assignedCustodian></custodian>`;

/** Who audited; a report whose auditor nobody told has no legal authenticator, and says nothing it does not know. */
const legalAuthenticator = (words: ReportWords): string =>
  words.auditor === null
    ? ''
    : '<legalAuthenticator typeCode="LA" contextControlCode="OP">' +
      `<time value="${time(words.auditedAt, words)}"/><signatureCode code="S"/>` +
      `<assignedEntity classCode="ASSIGNED">${id('2.16.156.10011.1.4', null)}<code displayName="审核医师"/>` +
      `<assignedPerson classCode="PSN" determinerCode="INSTANCE">${name(words.auditor)}</assignedPerson></assignedEntity></legalAuthenticator>`;

/** 检查技师签名 (WS/T 500.6 document header): an authenticator. The index knows who and when, never a signature. */
const technician = (words: ReportWords): string =>
  '<authenticator typeCode="AUTHEN">' +
  (words.examinedAt === null ? '<time nullFlavor="NI"/>' : `<time value="${time(words.examinedAt, words)}"/>`) +
  `<signatureCode nullFlavor="NI"/><assignedEntity classCode="ASSIGNED">${id('2.16.156.10011.1.4', null)}` +
  `<code displayName="检查技师"/><assignedPerson classCode="PSN" determinerCode="INSTANCE">${name(words.technician)}</assignedPerson>` +
  '</assignedEntity></authenticator>';

function requester(words: ReportWords): string {
  const department = words.order.requestingDepartment;
  if (department === null || department === undefined) return '';
  return (
    '<participant typeCode="PRF"><associatedEntity classCode="ASSIGNED"><scopingOrganization classCode="ORG" determinerCode="INSTANCE">' +
    `${id('2.16.156.10011.1.26', department.code)}<name>${xml(department.display ?? department.code)}</name>` +
    `<asOrganizationPartOf classCode="PART"><wholeOrganization classCode="ORG" determinerCode="INSTANCE">${id(ORGANISATION, words.organisation)}` +
    `<name>${xml(words.hospital)}</name></wholeOrganization></asOrganizationPartOf></scopingOrganization></associatedEntity></participant>`
  );
}

/** The order by its accession number (IHE RAD TF-3: inFulfillmentOf). */
const orderOf = (words: ReportWords): string =>
  words.accession === null
    ? ''
    : `<inFulfillmentOf typeCode="FLFS"><order classCode="ACT" moodCode="RQO">${id('2.16.156.10011.1.24', words.accession)}</order></inFulfillmentOf>`;

/**
 * A revision names its set and the version before it. Which bytes that version had depends on what was published when
 * (patient data in its header may have changed since), so its document id is left open here: the registry's RPLC
 * association names it exactly.
 */
const previous = (words: ReportWords, set: string): string =>
  words.version === 1
    ? ''
    : '<relatedDocument typeCode="RPLC"><parentDocument classCode="DOCCLIN" moodCode="EVN"><id nullFlavor="NI"/>' +
      `<setId root="${DOCUMENT_ID}" extension="${set}"/><versionNumber value="${String(words.version - 1)}"/></parentDocument></relatedDocument>`;

/**
 * Where the patient lay, from the bed outwards (WS/T 500.6 document header; roots of CODES §6). Hospitals tell the hub the
 * department and nothing nearer.
 */
function encounter({ order, organisation, hospital }: ReportWords): string {
  const department = order.requestingDepartment;
  const within: (readonly [string, string | null, string | null])[] = [
    ['2.16.156.10011.1.22', null, null],
    ['2.16.156.10011.1.21', null, null],
    ['2.16.156.10011.1.26', department?.code ?? null, department?.display ?? department?.code ?? null],
    ['2.16.156.10011.1.27', null, null],
    [ORGANISATION, organisation, hospital],
  ];
  const nested = within.reduceRight(
    (outer, [root, code, shown]) =>
      '<asOrganizationPartOf classCode="PART"><wholeOrganization classCode="ORG" determinerCode="INSTANCE">' +
      `${id(root, code)}${name(shown)}${outer}</wholeOrganization></asOrganizationPartOf>`,
    '',
  );
  return (
    '<componentOf typeCode="COMP"><encompassingEncounter classCode="ENC" moodCode="EVN">' +
    visit(order) +
    '<effectiveTime nullFlavor="NI"/><location typeCode="LOC"><healthCareFacility classCode="SDLOC">' +
    `<serviceProviderOrganization classCode="ORG" determinerCode="INSTANCE">${nested}</serviceProviderOrganization>` +
    '</healthCareFacility></location></encompassingEncounter></componentOf>'
  );
}

const isInpatient = ({ patientClass }: OrderFields): boolean =>
  patientClass?.code === '3' || patientClass?.code === 'I';

const visit = (order: OrderFields): string =>
  order.visitNumber === null || order.visitNumber === undefined || order.visitNumber === ''
    ? ''
    : id(isInpatient(order) ? '2.16.156.10011.1.12' : '2.16.156.10011.1.11', order.visitNumber);

const section = (code: string, title: string, text: string, entries: string): string =>
  `<component><section>${code}<title>${title}</title><text>${text}</text>${entries}</section></component>`;

const paragraphs = (text: string): string =>
  text
    .split(/\r\n|\r|\n/)
    .map((line) => `<paragraph>${xml(line)}</paragraph>`)
    .join('');

const element = (code: string, display: string, value: string, at = ''): string =>
  `<entry><observation classCode="OBS" moodCode="EVN"><code code="${code}" codeSystem="${ELEMENTS}" codeSystemName="卫生信息数据元目录" displayName="${display}"/>${at}<value xsi:type="ST">${xml(value)}</value></observation></entry>`;

const loinc = (code: string, display: string): string =>
  `<code code="${code}" codeSystem="2.16.840.1.113883.6.1" codeSystemName="LOINC" displayName="${display}"/>`;

function diagnosis(words: ReportWords): string {
  const told = words.order.diagnosis;
  if (told === null || told === undefined) return '';
  const shown = told.display ?? told.code;
  return section(
    loinc('29548-5', 'Diagnosis'),
    '诊断记录',
    paragraphs(shown),
    // A diagnosis told in words alone stands as its own code.
    element('DE05.01.024.00', '诊断代码', told.code === shown ? shown : `${told.code} ${shown}`),
  );
}

function examination(words: ReportWords): string {
  const at = words.examinedAt === null ? '' : `<effectiveTime value="${time(words.examinedAt, words)}"/>`;
  const rows: (readonly [string, string, string])[] = [
    ['DE04.30.018.00', '检查类别', words.modality],
    ['DE04.30.019.00', '检查项目代码', words.order.procedure?.code ?? ''],
    ['DE04.30.020.00', '检查项目名称', words.procedure],
    // The catalogue's element for the body part takes its own 9-character codes (WS/T 364.8): told in words only.
    ['', '检查部位', words.bodyPart],
  ];
  const told = rows.filter(([, , value]) => value !== '');
  if (told.length === 0) return '';
  return section(
    loinc('29545-1', 'PHYSICAL EXAMINATION'),
    '检查项目',
    told.map(([, display, value]) => `<paragraph>${display}：${xml(value)}</paragraph>`).join(''),
    told
      .filter(([code]) => code !== '')
      .map(([code, display, value]) => element(code, display, value, code === 'DE04.30.019.00' ? at : ''))
      .join(''),
  );
}

/** DE04.50.131.00 and .132.00: what was seen, and what it means (CODES §4). */
function results(words: ReportWords): string {
  const rows: (readonly [string, string, string, string | null])[] = [
    ['DE04.50.131.00', '检查报告结果-客观所见', '影像所见', words.findings],
    ['DE04.50.132.00', '检查报告结果-主观提示', '诊断意见', words.impression],
    ['DE06.00.179.00', '检查报告备注', '建议', words.suggestion],
  ];
  const told = rows.flatMap(([code, display, heading, value]) =>
    value === null ? [] : [{ code, display, heading, value }],
  );
  const shown =
    told.length === 0
      ? '<paragraph>报告正文见医院随本报告提交的原始文件。</paragraph>'
      : told
          .map(
            ({ heading, value }) =>
              `<paragraph><content styleCode="Bold">${heading}</content></paragraph>${paragraphs(value)}`,
          )
          .join('');
  return section(
    '<code displayName="检查报告"/>',
    '检查报告',
    shown,
    told.map(({ code, display, value }) => element(code, display, value)).join('') +
      element('DE08.10.013.00', '检查报告机构名称', words.hospital),
  );
}
