/**
 * Other names under which senders give the fields of openapi/hub.yaml: the Chinese title first, then what the field's
 * interfaces write. A test holds this list and the contract together.
 */

/** Field -> its other names, apart by blanks. */
type Names = Readonly<Record<string, string>>;

const PERSON: Names = {
  name: '患者姓名 patientName 姓名 患者中文姓名 xm',
  namePinyin: '姓名拼音 pinyin',
  sex: '性别 gender xb',
  birthDate: '出生日期 dateOfBirth birthday csrq',
  age: '年龄 nl',
  idType: '证件类型 certificateType',
  idNumber: '证件号码 idNo idCard 身份证号 身份证号码 sfzh',
  phone: '手机号码 mobile telephone 电话 联系电话',
};

const KEYS: Names = {
  patientId: '患者编号 patientNo medicalRecordNumber 病历号 患者id 患者ID',
  accessionNumber: '检查号 examNumber accessionNo 检查编号',
  orderNumber: '申请单号 requestNumber placerOrderNumber 电子申请单号',
  fillerNumber: '检查唯一标识 fillerOrderNumber examId',
  studyInstanceUid: '检查UID studyInstanceUID studyUid 检查UUID 影像唯一ID',
  provincialIndex: '检查主索引 masterIndex',
};

const COMMON: Names = {
  hospitalCode: '医院编号 hospitalId institutionCode 医疗机构编码',
  eventTime: '业务时间 updatedAt',
};

const ACT: Names = {
  procedureCode: '检查项目代码 itemCode',
  procedureName: '检查项目名称 itemName 检查项目',
  modality: '检查类型 examType 检查类别',
  bodyPart: '检查部位 bodyPartName',
  method: '检查方法',
  priority: '紧急程度',
  reason: '申请目的 purpose 临床症状',
  diagnosis: '诊断 临床诊断',
  diagnosisCode: '诊断代码',
  requester: '申请医生 requestingDoctor 开单医生',
  requestingDepartment: '送检科室 requestingDepartmentCode 申请科室',
  performer: '检查技师 technician',
  patientClass: '患者类型 patientType 就诊类型',
  visitNumber: '就诊号 门诊号 住院号',
  device: '检查设备 deviceName',
};

/** By the name of the schema in openapi/hub.yaml. */
export const FIELDS = {
  Registration: {
    ...PERSON,
    ...COMMON,
    patientId: '患者编号 patientNo medicalRecordNumber 病历号 患者id 患者ID',
    insuranceNumber: '医保号 医保卡号',
    address: '住址 地址',
    division: '行政区划',
    postalCode: '邮政编码 邮编',
    maritalStatus: '婚姻状况',
    ethnicGroup: '民族 ethnicity',
    nationality: '国籍',
    deceased: '死亡标志',
    motherPatientId: '母亲患者编号',
    priorPatientId: '被合并患者编号 mergedPatientId',
    chiefComplaint: '主诉',
  },
  Order: {
    ...KEYS,
    ...PERSON,
    ...ACT,
    ...COMMON,
    status: '申请状态 orderStatus',
    requestedAt: '申请时间 applyTime',
    scheduledAt: '预约时间',
    startedAt: '检查时间 examTime',
    requestedProcedureId: '检查请求号',
    scheduledStepId: '预约步骤号',
  },
  Exam: {
    ...KEYS,
    ...PERSON,
    ...ACT,
    ...COMMON,
    description: '检查描述 studyDescription',
    startedAt: '检查时间 examTime studyTime',
    seriesCount: '序列数 numberOfSeries',
    instanceCount: '图像数 imageCount numberOfInstances 图像信息',
    accessUrl: '影像访问地址 imageUrl 检查影像访问地址',
    voided: '作废标志 voidFlag',
  },
  ExamVoid: {
    ...KEYS,
    ...COMMON,
    reason: '作废原因',
  },
  Report: {
    ...KEYS,
    ...PERSON,
    ...COMMON,
    reportNumber: '报告单号 reportNo reportId 报告编号',
    replaces: '替换报告单号 replacesReportNumber',
    status: '报告状态 reportStatus reportType',
    title: '报告名称 reportName',
    findings: '影像所见 检查所见 客观所见',
    impression: '影像所得 诊断意见 检查印象 主观提示 conclusion',
    suggestion: '检查建议 advice',
    positive: '是否阳性 positiveFlag',
    critical: '危急值 criticalFlag',
    conclusionCode: '结论代码',
    reporter: '报告医生 reportingDoctor',
    auditor: '审核医生 reviewer auditingDoctor',
    reportedAt: '报告时间 reportTime',
    auditedAt: '审核时间 auditTime',
    modality: '检查类型 examType',
    document: '报告文件',
  },
  ReportWithdrawal: {
    ...KEYS,
    ...COMMON,
    reportNumber: '报告单号 reportNo reportId 报告编号',
    reason: '撤回原因',
  },
} as const satisfies Readonly<Record<string, Names>>;
