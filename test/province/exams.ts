/** The exams of the demo province: who was examined where, by what, what was found, and the report that says so. */
import { createHash } from 'node:crypto';
import type { ChestFinding } from './chest.ts';
import type { HeadFinding } from './head.ts';
import { personNamed } from './persons.ts';
import type { Person, SiteName } from './persons.ts';

export type ExamKind =
  | { readonly part: 'chest-ct'; readonly finding: ChestFinding; readonly enhanced: boolean }
  | { readonly part: 'head-mr'; readonly finding: HeadFinding }
  | { readonly part: 'chest-dr'; readonly finding: ChestFinding }
  | { readonly part: 'hand-dr'; readonly fracture: boolean };

export interface ReportText {
  readonly findings: string;
  readonly impression: string;
  readonly suggestion?: string;
  readonly positive: boolean;
}

export interface Exam {
  readonly site: SiteName;
  readonly person: Person;
  readonly kind: ExamKind;
  readonly modality: 'CT' | 'MR' | 'DX';
  readonly bodyPart: 'CHEST' | 'HEAD' | 'HAND';
  /** The hospital's own code and name of the item. */
  readonly procedure: readonly [string, string];
  readonly accession: string;
  readonly placer: string;
  readonly studyUid: string;
  /** Wall clock of the hospital, YYYYMMDDHHMMSS. */
  readonly startedAt: string;
  readonly report: ReportText;
  readonly seed: number;
  /** As its devices write it, where the exam is not of one of our hospitals. */
  readonly institution?: string;
}

/** A UID that stands for these words, under 2.25 (PS3.5 §B.2). */
export function uidOf(...words: readonly (string | number)[]): string {
  const hash = createHash('sha256').update(words.join('|')).digest('hex').slice(0, 30);
  return `2.25.${BigInt(`0x${hash}`).toString()}`;
}

const CODES = {
  'chest-ct': { modality: 'CT', bodyPart: 'CHEST' },
  'head-mr': { modality: 'MR', bodyPart: 'HEAD' },
  'chest-dr': { modality: 'DX', bodyPart: 'CHEST' },
  'hand-dr': { modality: 'DX', bodyPart: 'HAND' },
} as const;

type Plan = readonly [SiteName, string, string];

/** Site, person, and what: part, finding, and `+` where contrast was given. */
const PLAN: readonly Plan[] = [
  ['h1', '张伟', 'chest-ct nodule'],
  ['h1', '王秀英', 'chest-ct none'],
  ['h1', '欧阳明月', 'chest-ct mass +'],
  ['h1', '司马建国', 'chest-ct effusion'],
  ['h1', '何珅', 'chest-ct pneumonia'],
  ['h1', '刘䶮', 'head-mr none'],
  ['h1', '田𠮷', 'head-mr infarct'],
  ['h1', '李㛃', 'head-mr tumour'],
  ['h1', '陈𬭎', 'chest-dr none'],
  ['h1', '吴玕', 'chest-dr pneumonia'],
  ['h1', '阿依古丽·买买提', 'chest-dr none'],
  ['h1', '王秀英之子', 'chest-dr none'],
  ['h1', '无名氏', 'hand-dr fracture'],
  ['h1', '吕桂兰', 'hand-dr none'],
  ['h2', '张伟', 'chest-dr none'],
  ['h2', '王秀英', 'hand-dr none'],
  ['h2', '司马建国', 'chest-dr effusion'],
  ['h2', '诸葛静', 'chest-dr none'],
  ['h2', '田𠮷', 'chest-dr none'],
  ['h2', '李㛃', 'chest-dr none'],
  ['h2', '何珅', 'chest-dr pneumonia'],
  ['h2', '周琟', 'hand-dr fracture'],
  ['h2', '阿依古丽·买买提', 'chest-dr pneumonia'],
  ['h2', '赵铁柱', 'chest-dr none'],
  ['h2', '吕桂兰', 'hand-dr none'],
  ['h3', '张伟', 'chest-ct nodule'],
  ['h3', '欧阳明月', 'head-mr none'],
  ['h3', '诸葛静', 'chest-ct none'],
  ['h3', '刘䶮', 'chest-dr none'],
  ['h3', '陈𬭎', 'head-mr infarct'],
  ['h3', '何珅', 'hand-dr none'],
  ['h3', '赵丽娜', 'chest-dr none'],
  ['h3', '单雄', 'chest-dr effusion'],
];

/** Exams of the three weeks before `today` (YYYY-MM-DD), in the order in which they happened. */
export function exams(today: string): readonly Exam[] {
  return PLAN.map(([site, name, what], at) => {
    const person = personNamed(name);
    const kind = kindOf(what);
    const { modality, bodyPart } = CODES[kind.part];
    const day = new Date(Date.parse(`${today}T00:00:00Z`) - (24 - Math.floor(at / 2)) * 86_400_000);
    const date = day.toISOString().slice(0, 10).replaceAll('-', '');
    const time = `${String(8 + (at % 9)).padStart(2, '0')}${String((at * 17) % 60).padStart(2, '0')}${String((at * 29) % 60).padStart(2, '0')}`;
    const number = `${date.slice(2)}${String(101 + at)}`;
    return {
      site,
      person,
      kind,
      modality,
      bodyPart,
      procedure: procedureOf(site, kind),
      accession: `${modality}${number}`,
      placer: `SQ${number}`,
      studyUid: uidOf('study', site, number),
      startedAt: date + time,
      report: reportOf(kind),
      seed: at + 1,
    };
  });
}

function kindOf(what: string): ExamKind {
  const [part = '', finding = ''] = what.split(' ');
  const enhanced = what.endsWith('+');
  if (part === 'hand-dr') return { part, fracture: finding === 'fracture' };
  if (part === 'head-mr') return { part, finding: finding as HeadFinding };
  if (part === 'chest-ct') return { part, finding: finding as ChestFinding, enhanced };
  return { part: 'chest-dr', finding: finding as ChestFinding };
}

/** As in each site's codes.csv. */
const PROCEDURES: Readonly<Record<SiteName, Readonly<Record<string, readonly [string, string]>>>> = {
  h1: {
    'chest-ct': ['CT1002', '胸部CT平扫'],
    'chest-ct+': ['CT1003', '胸部CT增强'],
    'head-mr': ['MR2001', '头颅MR平扫'],
    'chest-dr': ['DX3001', '胸部正位DR'],
    'hand-dr': ['DX3004', '手正斜位DR'],
  },
  h2: {
    'chest-dr': ['FS001', '胸片正位'],
    'hand-dr': ['FS004', '手正斜位'],
  },
  h3: {
    'chest-ct': ['210100002', '胸部CT平扫'],
    'head-mr': ['210200001', '头颅MR平扫'],
    'chest-dr': ['210300001', '胸部正位DR'],
    'hand-dr': ['210300004', '手正斜位DR'],
  },
};

function procedureOf(site: SiteName, kind: ExamKind): readonly [string, string] {
  const key = kind.part === 'chest-ct' && kind.enhanced ? 'chest-ct+' : kind.part;
  return PROCEDURES[site][key] ?? PROCEDURES[site][kind.part] ?? ['', kind.part];
}

const MEDIASTINUM = '纵隔居中，纵隔内未见明显肿大淋巴结。心影大小、形态正常。双侧胸腔未见积液。所示骨质未见明确异常。';

function reportOf(kind: ExamKind): ReportText {
  if (kind.part === 'hand-dr')
    return kind.fracture
      ? {
          findings:
            '右手第五掌骨颈部骨皮质不连续，可见骨折线，断端轻度移位成角。余掌指骨骨质未见明确异常，各关节间隙正常。',
          impression: '右手第五掌骨颈骨折。',
          suggestion: '建议骨科就诊，复位后复查。',
          positive: true,
        }
      : {
          findings: '右手诸骨骨质结构完整，骨皮质连续，未见明确骨折征象。各关节间隙正常，关节面光整。软组织未见肿胀。',
          impression: '右手正斜位片未见明显异常。',
          positive: false,
        };
  if (kind.part === 'head-mr') return HEAD[kind.finding];
  return kind.part === 'chest-ct' ? CHEST_CT[kind.finding] : CHEST_DR[kind.finding];
}

const HEAD: Readonly<Record<HeadFinding, ReportText>> = {
  none: {
    findings:
      '脑实质内未见明确异常信号影。脑室系统大小、形态正常，中线结构居中。脑沟、脑裂未见增宽。小脑、脑干未见明确异常。',
    impression: '头颅MR平扫未见明显异常。',
    positive: false,
  },
  infarct: {
    findings:
      '左侧基底节-放射冠区见斑片状异常信号影，T1WI呈低信号，T2WI呈高信号，边界欠清，大小约32mm×48mm。脑室系统未见扩张，中线结构居中。',
    impression: '左侧基底节-放射冠区脑梗死，请结合临床及DWI。',
    suggestion: '建议行DWI及MRA检查。',
    positive: true,
  },
  tumour: {
    findings:
      '右侧顶叶见类圆形占位，T1WI呈等低信号、边缘见环形稍高信号，T2WI中心呈高信号，大小约28mm×26mm，周围见大片水肿带，邻近脑沟变浅。',
    impression: '右侧顶叶占位性病变，考虑肿瘤性病变，转移瘤不除外。',
    suggestion: '建议增强扫描。',
    positive: true,
  },
  atrophy: {
    findings: '双侧半卵圆中心、放射冠区见多发斑点状T2WI高信号影。脑沟、脑裂增宽，脑室系统扩大。中线结构居中。',
    impression: '1.双侧脑白质脱髓鞘改变。2.脑萎缩。',
    positive: true,
  },
};

const CHEST_CT: Readonly<Record<ChestFinding, ReportText>> = {
  none: {
    findings: `双侧胸廓对称。双肺纹理清晰，走行自然，未见明确实变及占位影。气管、主支气管通畅。${MEDIASTINUM}`,
    impression: '胸部CT平扫未见明显异常。',
    positive: false,
  },
  nodule: {
    findings: `右肺上叶见一结节影，大小约12mm×11mm，边缘可见短毛刺，密度较均匀，CT值约28HU。余肺野清晰。气管、主支气管通畅。${MEDIASTINUM}`,
    impression: '右肺上叶结节，恶性不除外。',
    suggestion: '建议增强扫描，必要时穿刺活检；3个月内复查。',
    positive: true,
  },
  pneumonia: {
    findings: `右肺下叶见大片状磨玻璃及实变影，边界不清，其内可见充气支气管征。余肺野清晰。${MEDIASTINUM}`,
    impression: '右肺下叶炎症。',
    suggestion: '建议抗炎治疗后复查。',
    positive: true,
  },
  effusion: {
    findings:
      '左侧胸腔见弧形液性密度影，CT值约10HU，邻近肺组织轻度受压。余肺野清晰。纵隔居中，未见明显肿大淋巴结。心影不大。',
    impression: '左侧胸腔积液。',
    suggestion: '建议结合超声检查。',
    positive: true,
  },
  mass: {
    findings:
      '左肺上叶见分叶状软组织肿块，大小约48mm×42mm，增强扫描呈不均匀强化，邻近支气管受压。纵隔内未见明显肿大淋巴结。双侧胸腔未见积液。',
    impression: '左肺上叶占位，考虑肺癌可能大。',
    suggestion: '建议支气管镜或穿刺活检。',
    positive: true,
  },
};

const CHEST_DR: Readonly<Record<ChestFinding, ReportText>> = {
  none: {
    findings: '双肺纹理清晰，肺野未见明确实变影。肺门影不大。纵隔居中，心影大小、形态正常。双侧膈面光整，肋膈角锐利。',
    impression: '心、肺、膈未见明显异常。',
    positive: false,
  },
  nodule: {
    findings: '右肺上野见一结节状密度增高影，边界尚清。余肺野清晰。心影不大，双侧肋膈角锐利。',
    impression: '右肺上野结节影，建议CT检查。',
    positive: true,
  },
  pneumonia: {
    findings: '右下肺野见斑片状密度增高影，边界模糊。心影不大，双侧肋膈角锐利。',
    impression: '右下肺炎症，建议治疗后复查。',
    positive: true,
  },
  effusion: {
    findings: '左侧肋膈角变钝，左下肺野见外高内低弧形密度增高影。右肺野清晰。心影不大。',
    impression: '左侧胸腔积液。',
    positive: true,
  },
  mass: {
    findings: '左肺上野见团块状密度增高影，边缘分叶。心影不大，双侧肋膈角锐利。',
    impression: '左肺上野占位，建议CT增强检查。',
    positive: true,
  },
};
