/**
 * Codes of the documents that the hub itself registers: what the affinity domain calls an imaging manifest and a report.
 * One table, so that another province changes its vocabulary in one place.
 */
import type { DocumentCode } from '../../hub/core/document.ts';

const code = (code: string, scheme: string, display: string): DocumentCode => ({
  code,
  scheme,
  display: [{ language: 'zh-CN', text: display }],
});

export const SCHEMES = {
  loinc: '2.16.840.1.113883.6.1',
  snomed: '2.16.840.1.113883.6.96',
  /** DICOM UID registry and, since 2018, the scheme of modalities in XDS-I.b metadata (WIRE §6.2). */
  dicom: '1.2.840.10008.2.6.1',
  /** IHE format codes. */
  ihe: '1.3.6.1.4.1.19376.1.2.3',
} as const;

/** IHE RAD TF-3 §4.68.4.1.2.3; the class codes of the IHE test domain, which most registries know (WIRE §6.2). */
export const CLASS = {
  images: code('IMAGES', '1.3.6.1.4.1.19376.1.2.6.1', '影像'),
  reports: code('REPORTS', '1.3.6.1.4.1.19376.1.2.6.1', '报告'),
} as const;

export const TYPE = {
  /** Where no order tells the procedure, and for every report (as DocumentReference.type of the FHIR face says). */
  imagingStudy: code('18748-4', SCHEMES.loinc, '影像检查'),
} as const;

export const FORMAT = {
  /** IHE RAD TF-3 §4.68.4.1.2.3: the format of a manifest is the SOP class of Key Object Selection. */
  manifest: code('1.2.840.10008.5.1.4.1.1.88.59', SCHEMES.dicom, 'Key Object Selection Document'),
  /** IHE RAD MADO: the same manifest as a FHIR document (WIRE §8). */
  fhirManifest: code('urn:ihe:rad:MADO:fhir-manifest:2026', SCHEMES.ihe, 'MADO FHIR 影像清单'),
  /**
   * IHE RAD TF-3 §4.68.4.1.2.3.1, "CDA wrapped text report": CDA R2 whose body is text. The national template is named
   * inside the document; IHE's own structured-heading format codes promise templates that it does not have.
   */
  cda: code('urn:ihe:rad:TEXT', SCHEMES.ihe, 'CDA 影像检查报告'),
  /**
   * IHE ITI format codes 2017: the MIME type says all of the format. `urn:ihe:rad:PDF` and XDS-SD are for a PDF inside a
   * CDA, which this is not.
   */
  byMimeType: code('urn:ihe:iti:xds:2017:mimeTypeSufficient', SCHEMES.ihe, '由 MIME 类型确定'),
} as const;

export const FACILITY = code('79491001', SCHEMES.snomed, '医院放射科');
export const PRACTICE = code('394914008', SCHEMES.snomed, '放射学');
export const CONFIDENTIALITY = code('N', '2.16.840.1.113883.5.25', '正常访问保密级别');
export const LANGUAGE = 'zh-CN';

const MODALITY_NAMES: Readonly<Record<string, string>> = {
  CR: '计算机 X 线摄影',
  CT: '计算机断层扫描',
  DX: '数字 X 线摄影',
  ECG: '心电图',
  ES: '内镜',
  MG: '乳腺 X 线摄影',
  MR: '磁共振成像',
  NM: '核医学',
  PT: '正电子发射断层扫描',
  RF: 'X 线透视',
  SM: '病理切片',
  US: '超声',
  XA: 'X 线血管造影',
};

export const modalityCode = (modality: string): DocumentCode =>
  code(modality, SCHEMES.dicom, MODALITY_NAMES[modality] ?? modality);

/** GB/T 2261.1-2003, as documents of the national templates say it; absent: not told. */
export const SEX_OF_GB: Readonly<Record<string, { readonly code: string; readonly display: string }>> = {
  male: { code: '1', display: '男性' },
  female: { code: '2', display: '女性' },
  other: { code: '9', display: '未说明的性别' },
  unknown: { code: '0', display: '未知的性别' },
};
