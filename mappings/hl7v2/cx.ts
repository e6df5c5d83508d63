/** A number with who gave it, as HL7 v2 writes it (CX, v2.5 §2.A.14). */
import { parseOid } from '../../hub/core/identifier.ts';
import type { PatientNumber } from '../../hub/core/patient-query.ts';
import { escape, type Delimiters } from './escape.ts';

export function cx({ authority, value }: PatientNumber, type: string, d: Delimiters): string {
  const universal = parseOid(authority) !== null && authority.includes('.');
  const assigner = universal ? ['', escape(authority, d), 'ISO'].join(d.subcomponent) : escape(authority, d);
  return [escape(value, d), '', '', assigner, ...(type === '' ? [] : [escape(type, d)])].join(d.component);
}
