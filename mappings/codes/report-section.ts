/** Which part of a report a code or a label names: 检查所见 or 诊断意见, LOINC sections, the IHE suffixes of OBX-3 (REQUIREMENTS A-11). */

export type Section = 'findings' | 'impression' | 'suggestion';

const CODES: ReadonlyMap<string, Section> = new Map<string, Section>([
  ['59776-5', 'findings'], // LOINC: procedure findings
  ['18782-3', 'findings'], // radiology study observation
  ['19005-8', 'impression'], // radiology imaging study [impression]
  ['29548-5', 'impression'], // diagnosis
  ['18783-1', 'suggestion'], // study recommendation
  ['121070', 'findings'], // DCM: findings
  ['121071', 'findings'],
  ['121072', 'impression'],
  ['121073', 'impression'],
  ['121074', 'suggestion'],
  ['121075', 'suggestion'],
  ['DE04.50.131.00', 'findings'], // 检查报告结果-客观所见
  ['DE04.50.132.00', 'impression'], // 检查报告结果-主观提示
]);

/** RAD TF-2 4.24: the second subcomponent of OBX-3.1. */
const SUFFIXES: ReadonlyMap<string, Section> = new Map<string, Section>([
  ['GDT', 'findings'],
  ['TCM', 'findings'],
  ['MEA', 'findings'],
  ['IMP', 'impression'],
  ['CON', 'impression'],
  ['REC', 'suggestion'],
]);

/** Labels, most telling first: 影像所得 is an impression although it looks like 影像所见. */
const LABELS: readonly (readonly [RegExp, Section])[] = [
  [/建议|recommendation|suggestion/i, 'suggestion'],
  [
    /影像所得|诊断意见|检查结论|影像诊断|检查提示|检查印象|主观提示|印象|结论|诊断|impression|conclusion|diagnosis/i,
    'impression',
  ],
  [/所见|描述|客观|findings?|description|observation/i, 'findings'],
];

export function sectionOf(code: string, suffix: string, label: string): Section | null {
  const known = CODES.get(code.toUpperCase()) ?? SUFFIXES.get(suffix.toUpperCase());
  if (known !== undefined) return known;
  const text = label === '' ? code : label;
  return LABELS.find(([pattern]) => pattern.test(text))?.[1] ?? null;
}
