/**
 * Names of HL7 v2.5.1 fields and what of them is shown: `number sight English|中文`, where sight is p plain, n name, i number,
 * d date, t text, c an identifier with authority and type beside it (CX). What is not listed has no name and is hidden.
 */
import type { Sight } from './mask.ts';

export interface FieldName {
  readonly name: string;
  readonly nameZh: string;
  readonly sight: Sight;
  /** Only the first component is hidden: the others tell whose number it is, not which. */
  readonly cx: boolean;
}

const SIGHTS: Readonly<Record<string, Sight>> = {
  p: 'plain',
  n: 'name',
  i: 'number',
  d: 'date',
  t: 'text',
  c: 'number',
};

const HEADER =
  '1 p Field separator|字段分隔符; 2 p Encoding characters|编码字符; 3 p Sending application|发送应用; 4 p Sending facility|发送机构; 5 p Receiving application|接收应用; 6 p Receiving facility|接收机构; 7 p Date/time|消息时间; 9 p Message type|消息类型; 10 p Control id|消息控制号; 11 p Processing id|处理标识; 12 p Version|版本; 13 p Sequence number|序号; 15 p Accept acknowledgement|接收应答; 16 p Application acknowledgement|应用应答; 17 p Country|国家; 18 p Character set|字符集; 19 p Language|语言; 20 p Alternate character set handling|字符集处理; 21 p Profile|规范标识';

const SEGMENTS: Readonly<Record<string, readonly [name: string, nameZh: string, fields: string]>> = {
  MSH: ['Message header', '消息头', HEADER],
  EVN: [
    'Event',
    '事件',
    '1 p Event type|事件类型; 2 p Recorded|记录时间; 3 p Planned|计划时间; 4 p Reason|原因; 5 n Operator|操作员; 6 p Occurred|发生时间; 7 p Facility|机构',
  ],
  PID: [
    'Patient identification',
    '患者标识',
    '1 p Set id|序号; 2 c Patient id (external)|外部患者号; 3 c Patient identifiers|患者标识号; 4 c Alternate patient id|备用患者号; 5 n Patient name|患者姓名; 6 n Mother’s maiden name|母亲姓名; 7 d Date of birth|出生日期; 8 p Sex|性别; 9 n Alias|别名; 10 p Race|种族; 11 t Address|住址; 13 i Phone (home)|家庭电话; 14 i Phone (work)|单位电话; 15 p Language|语言; 16 p Marital status|婚姻状况; 17 p Religion|宗教; 18 c Account number|账号; 19 i Resident id|身份证号; 20 i Driver’s licence|驾照号; 21 c Mother’s identifier|母亲标识号; 22 p Ethnic group|民族; 23 t Birth place|出生地; 24 p Multiple birth|多胞胎; 25 p Birth order|出生顺序; 26 p Citizenship|国籍; 28 p Nationality|国籍; 29 d Death time|死亡时间; 30 p Death indicator|死亡标志; 31 p Identity unknown|身份未知; 32 p Identity reliability|身份可靠性; 33 p Last update|最后更新; 34 p Last update facility|更新机构',
  ],
  PD1: ['Additional demographics', '附加人口信息', '3 p Primary facility|主要机构'],
  MRG: [
    'Merge',
    '合并',
    '1 c Prior patient identifiers|被合并的患者号; 2 c Prior alternate id|被合并的备用号; 3 c Prior account|被合并的账号; 4 c Prior patient id|被合并的外部号; 7 n Prior name|被合并的姓名',
  ],
  NK1: [
    'Next of kin',
    '联系人',
    '1 p Set id|序号; 2 n Name|姓名; 3 p Relationship|关系; 4 t Address|住址; 5 i Phone|电话',
  ],
  PV1: [
    'Visit',
    '就诊',
    '1 p Set id|序号; 2 p Patient class|患者类型; 3 p Location|位置; 4 p Admission type|入院类型; 6 p Prior location|原位置; 7 n Attending doctor|主治医生; 8 n Referring doctor|转诊医生; 9 n Consulting doctor|会诊医生; 10 p Hospital service|科室; 14 p Admit source|来源; 17 n Admitting doctor|收治医生; 18 p Patient type|患者类别; 19 c Visit number|就诊号; 36 p Discharge disposition|离院方式; 44 p Admitted|入院时间; 45 p Discharged|出院时间; 50 c Alternate visit id|备用就诊号; 51 p Visit indicator|就诊标志',
  ],
  ORC: [
    'Common order',
    '医嘱',
    '1 p Order control|医嘱控制; 2 p Placer order number|申请单号; 3 p Filler order number|执行单号; 4 p Placer group|申请组号; 5 p Order status|医嘱状态; 7 p Quantity/timing|数量时间; 8 p Parent|父医嘱; 9 p Transaction time|操作时间; 10 n Entered by|录入者; 11 n Verified by|核对者; 12 n Ordering provider|申请医生; 13 p Enterer’s location|录入位置; 14 i Callback phone|回电; 15 p Effective time|生效时间; 16 p Reason code|原因; 17 p Entering organisation|申请科室; 21 p Ordering facility|申请机构; 25 p Status modifier|状态修饰; 29 p Order type|医嘱类型',
  ],
  OBR: [
    'Observation request',
    '检查申请',
    '1 p Set id|序号; 2 p Placer order number|申请单号; 3 p Filler order number|执行单号; 4 p Procedure|检查项目; 5 p Priority|优先级; 6 p Requested|申请时间; 7 p Observed|检查时间; 8 p Observation end|检查结束; 11 p Specimen action|标本动作; 13 t Clinical information|临床信息; 15 p Specimen source, body site|部位; 16 n Ordering provider|申请医生; 17 i Callback phone|回电; 18 p Placer field 1 (accession)|检查号; 19 p Placer field 2|申请字段2; 20 p Filler field 1|执行字段1; 21 p Filler field 2|执行字段2; 22 p Results changed|结果时间; 24 p Diagnostic service|检查类别; 25 p Result status|结果状态; 27 p Quantity/timing|数量时间; 30 p Transport|运送方式; 31 t Reason for study|检查目的; 32 n Principal interpreter|报告审核医生; 33 n Assistant interpreter|报告医生; 34 n Technician|技师; 35 n Transcriptionist|录入员; 36 p Scheduled|预约时间; 44 p Procedure code|项目代码; 46 p Placer supplemental|补充信息',
  ],
  OBX: [
    'Observation',
    '观察结果',
    '1 p Set id|序号; 2 p Value type|值类型; 3 p Observation identifier|观察项; 4 p Sub id|子标识; 5 t Value|值; 6 p Units|单位; 7 p Reference range|参考范围; 8 t Abnormal flags|异常标志; 11 p Status|状态; 14 p Observed|观察时间; 15 p Producer|产生者; 16 n Responsible observer|负责人; 17 p Method|方法; 18 p Equipment|设备; 19 p Analysed|分析时间',
  ],
  NTE: ['Notes', '备注', '1 p Set id|序号; 2 p Source|来源; 3 t Comment|内容; 4 p Type|类型'],
  DG1: [
    'Diagnosis',
    '诊断',
    '1 p Set id|序号; 2 p Coding method|编码方法; 3 t Diagnosis code|诊断代码; 4 t Description|诊断描述; 5 p Date|诊断时间; 6 p Type|诊断类型',
  ],
  TXA: [
    'Document',
    '文档',
    '1 p Set id|序号; 2 p Document type|文档类型; 3 p Content presentation|内容形式; 4 p Activity time|时间; 5 n Primary author|作者; 6 p Origination|建立时间; 8 p Edited|编辑时间; 9 n Originator|发起者; 10 n Authenticator|认证者; 12 p Unique document number|文档号; 13 p Parent document|父文档号; 14 p Placer order number|申请单号; 15 p Filler order number|执行单号; 16 p File name|文件名; 17 p Completion status|完成状态; 18 p Confidentiality|保密级别; 19 p Availability|可用状态; 22 n Authentication|认证',
  ],
  SCH: [
    'Schedule',
    '预约',
    '1 p Placer appointment|申请预约号; 2 p Filler appointment|执行预约号; 6 p Event reason|原因; 7 p Appointment reason|预约原因; 8 p Appointment type|预约类型; 9 p Duration|时长; 10 p Duration units|时长单位; 11 p Timing|时间; 12 n Placer contact|联系人; 16 n Filler contact|执行联系人; 20 n Entered by|录入者; 25 p Status|状态; 26 p Placer order number|申请单号; 27 p Filler order number|执行单号',
  ],
  TQ1: [
    'Timing',
    '时间安排',
    '1 p Set id|序号; 2 p Quantity|数量; 3 p Repeat|重复; 6 p Service duration|时长; 7 p Start|开始时间; 8 p End|结束时间; 9 p Priority|优先级',
  ],
  IPC: [
    'Imaging procedure control',
    '影像检查控制',
    '1 p Accession number|检查号; 2 p Requested procedure id|检查请求号; 3 p Study instance UID|检查 UID; 4 p Scheduled step id|预约步骤号; 5 p Modality|设备类型; 6 p Protocol code|协议代码; 7 p Station name|工作站; 8 p Location|位置; 9 p Station AE title|AE 名称',
  ],
  ZDS: ['Study instance UID', '检查 UID', '1 p Reference pointer|检查 UID'],
  AIS: [
    'Appointment service',
    '预约项目',
    '1 p Set id|序号; 2 p Action|动作; 3 p Service|项目; 4 p Start|开始时间; 7 p Duration|时长; 10 p Status|状态',
  ],
  AIG: [
    'Appointment resource',
    '预约资源',
    '1 p Set id|序号; 2 p Action|动作; 3 p Resource|资源; 4 p Type|类型; 8 p Start|开始时间',
  ],
  AIL: ['Appointment location', '预约位置', '1 p Set id|序号; 2 p Action|动作; 3 p Location|位置; 6 p Start|开始时间'],
  AIP: ['Appointment personnel', '预约人员', '1 p Set id|序号; 2 p Action|动作; 3 n Personnel|人员; 4 p Role|角色'],
  RGS: ['Resource group', '资源组', '1 p Set id|序号; 2 p Action|动作; 3 p Group|组'],
  AL1: ['Allergy', '过敏', '1 p Set id|序号; 2 t Type|类型; 3 t Allergen|过敏原'],
  IN1: [
    'Insurance',
    '保险',
    '1 p Set id|序号; 2 p Plan|险种; 3 p Company|机构; 36 i Policy number|保单号; 49 i Insured’s id|参保人号',
  ],
  BHS: ['Batch header', '批头', HEADER],
  FHS: ['File header', '文件头', HEADER],
};

const NAMES = new Map(
  Object.entries(SEGMENTS).map(([segment, [, , fields]]) => [
    segment,
    new Map(
      fields.split('; ').map((field) => {
        const [, number = '', sight = '', name = '', nameZh = ''] = /^(\d+) (\w) ([^|]*)\|(.*)$/.exec(field) ?? [];
        return [Number(number), { name, nameZh, sight: SIGHTS[sight] ?? 'text', cx: sight === 'c' }] as const;
      }),
    ),
  ]),
);

const UNKNOWN: FieldName = { name: '', nameZh: '', sight: 'text', cx: false };

export const fieldName = (segment: string, field: number): FieldName => NAMES.get(segment)?.get(field) ?? UNKNOWN;

export const segmentName = (segment: string): { readonly name: string; readonly nameZh: string } => {
  const [name = '', nameZh = ''] = SEGMENTS[segment] ?? [];
  return { name, nameZh };
};
