/** Diagnoses by ICD-10, in the forms that Chinese hospitals send: J18.9, and the clinical edition's J18.900 and J18.900x002. */
import type { Coded } from '../../hub/core/record.ts';

/** 疾病分类代码 of the national OID tree (CODES §6). */
export const ICD10 = 'urn:oid:2.16.156.10011.2.3.3.11';

/** A category of three characters, its subdivision, the national extension; dagger and asterisk as sent. */
const FORM = /^[A-Z]\d{2}(\.[\dX]{1,4}(X\d{3})?)?[*+†]?$/;
/** HL7 table 0396 and what senders write instead. */
const NAMES = /^(I10C?|ICD-?10(-?CN|-?CM)?)$/;

/** The diagnosis, where a code that is said to be of ICD-10 has its form; null: it is something else. */
export function icd10(code: string, display: string | undefined, system = 'ICD-10'): Coded | null {
  if (!NAMES.test(system.toUpperCase()) || !FORM.test(code.toUpperCase())) return null;
  return { code, system: ICD10, ...(display === undefined ? {} : { display }) };
}
