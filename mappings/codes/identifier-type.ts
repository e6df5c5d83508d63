/** Identifier types as senders write them: HL7 table 0203, WS 364.3 CV02.01.101, and the labels of Chinese screens. */
import type { SiteProfile } from '../../hub/core/site.ts';

/** Authority of resident identity numbers (CODES §6). */
export const RESIDENT_AUTHORITY = '2.16.156.10011.1.3';

const TYPES: ReadonlyMap<string, string> = new Map([
  ...['NI', 'NNCHN', 'NICN', '身份证', '居民身份证', '身份证号', '身份证号码', '二代身份证', 'IDCARD'].map(
    (label) => [label, 'NI'] as const,
  ),
  ...['PPN', '护照', '护照号'].map((label) => [label, 'PPN'] as const),
  ...['SS', '医保', '医保号', '医保卡', '社保卡', '社保号', '医保卡号'].map((label) => [label, 'SS'] as const),
  ...['MR', '病历号', '病案号'].map((label) => [label, 'MR'] as const),
  ...['PI', '患者ID', '病人ID', '患者编号'].map((label) => [label, 'PI'] as const),
  ...['VN', '住院号', '门诊号', '就诊号'].map((label) => [label, 'VN'] as const),
  ...['军官证', 'MI'].map((label) => [label, 'MI'] as const),
  ...['健康卡', '居民健康卡', '健康卡号', 'HC'].map((label) => [label, 'HC'] as const),
  ...['户口簿', '户口本'].map((label) => [label, 'cv:02'] as const),
  ...['港澳居民来往内地通行证', '回乡证'].map((label) => [label, 'cv:06'] as const),
  ...['台湾居民来往大陆通行证', '台胞证'].map((label) => [label, 'cv:07'] as const),
]);

/** The canonical type; empty where the sender gives none. The site's own table is asked first. */
export function identifierTypeOf(sent: string, site: SiteProfile): string {
  if (sent === '') return '';
  const own = site.patientIds.types;
  const told = Object.hasOwn(own, sent) ? own[sent] : undefined;
  const upper = sent.normalize('NFKC').toUpperCase();
  return told ?? TYPES.get(upper) ?? upper;
}
