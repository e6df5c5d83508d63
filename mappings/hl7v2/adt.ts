/** Registrations: ADT events as PatientRecords and MergeRecords (v2.5.1 §3.3; ITI TF-2 3.8, 3.30; RAD TF-2 4.1, 4.12). */
import { problem, type Problem } from '../../hub/core/problem.ts';
import type { MergeRecord, PatientRecord, SourceTime } from '../../hub/core/record.ts';
import type { Context } from './context.ts';
import { localRef } from './identity.ts';
import type { Segment } from './message.ts';
import { readPerson } from './person.ts';

/** Events whose PID says who the patient is. A11 and A13 undo a visit, not a person. */
export const REGISTRATIONS: ReadonlySet<string> = new Set([
  'A01',
  'A02',
  'A03',
  'A04',
  'A05',
  'A06',
  'A07',
  'A08',
  'A11',
  'A13',
  'A28',
  'A31',
]);
/** PID and MRG in pairs: the patient of PID stays. A47 changes one number into another: the same to an index. */
export const MERGES: ReadonlySet<string> = new Set(['A34', 'A39', 'A40', 'A47']);

export type Registration =
  { readonly records: readonly (PatientRecord | MergeRecord)[] } | { readonly problem: Problem };

export const NO_LOCAL_ID = 'The number under which the hospital files this patient is missing.';

export function readRegistration(context: Context, at: SourceTime): Registration {
  const pid = context.message.first('PID');
  if (pid === undefined) return { problem: problem('required-missing', 'PID') };
  const person = readPerson(pid, context);
  if (person.ref === null) return { problem: problem('required-missing', 'PID-3', NO_LOCAL_ID) };
  return { records: [{ kind: 'patient', site: context.site.id, at, patient: person.ref, fields: person.fields }] };
}

/** Each MRG belongs to the PID before it. */
export function readMerges(context: Context, at: SourceTime): Registration {
  const records: (PatientRecord | MergeRecord)[] = [];
  let pid: Segment | undefined;
  let merged = 0;
  for (const segment of context.message.segments) {
    if (segment.name === 'PID') pid = segment;
    if (segment.name !== 'MRG' || pid === undefined) continue;
    const person = readPerson(pid, context);
    const victim = localRef(segment, 1, context.site);
    if (person.ref === null) return { problem: problem('required-missing', 'PID-3', NO_LOCAL_ID) };
    if (victim === null) return { problem: problem('required-missing', 'MRG-1', 'The number that ends is missing.') };
    if (victim.authority === person.ref.authority && victim.value === person.ref.value) {
      return { problem: problem('invalid-value', 'MRG-1', 'A patient cannot be merged into itself.') };
    }
    records.push({ kind: 'patient', site: context.site.id, at, patient: person.ref, fields: person.fields });
    records.push({ kind: 'merge', site: context.site.id, at, survivor: person.ref, victim });
    merged++;
  }
  return merged === 0 ? { problem: problem('required-missing', 'MRG', 'A merge needs PID and MRG.') } : { records };
}
