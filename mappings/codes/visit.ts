/** Classes of visits: HL7 table 0004, and what the province calls them (CODES §3). */
import type { Coded } from '../../hub/core/record.ts';
import type { CodeTable } from '../../hub/core/site.ts';

export const VISIT_CLASS_SYSTEM = 'http://terminology.hl7.org/CodeSystem/v2-0004';

/** Emergency, inpatient, outpatient, preadmit, recurring, obstetrics, commercial, unknown. N is no visit. */
const CLASSES: ReadonlySet<string> = new Set(['E', 'I', 'O', 'P', 'R', 'B', 'C', 'U']);
/** WS 364.3 CV09.00.404 as the sites' tables lead to it: outpatient, emergency, inpatient, other. */
const OF_PROVINCE: Readonly<Record<string, string>> = { 1: 'O', 2: 'E', 3: 'I', 9: 'U' };

/** The site's own table first: one hospital's P is a check-up, and no preadmission. null: nobody knows this code. */
export function visitClassOf(sent: string, codes: CodeTable): Coded | null {
  const mapped = codes.lookup('patient-class', sent)?.code;
  const known = mapped === undefined ? sent.toUpperCase() : OF_PROVINCE[mapped];
  if (known === undefined || !CLASSES.has(known)) return null;
  return { code: known, system: VISIT_CLASS_SYSTEM, source: { code: sent } };
}
