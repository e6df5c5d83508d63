/** Registrations: ADT events as records of patients and of what becomes of their numbers (v2.5.1 §3.3; ITI TF-2 3.8, 3.30; RAD TF-2 4.1, 4.12). */
import { problem, type Problem } from '../../hub/core/problem.ts';
import type {
  LinkRecord,
  MergeRecord,
  MoveRecord,
  PatientRecord,
  PatientRef,
  SourceTime,
  VisitRecord,
} from '../../hub/core/record.ts';
import type { SiteProfile } from '../../hub/core/site.ts';
import type { Context } from './context.ts';
import { localRef, localRefs } from './identity.ts';
import type { Segment } from './message.ts';
import { readPerson } from './person.ts';
import { readVisits } from './visit.ts';

/** Events whose PID says who the patient is. A11, A13 and A38 undo what was said of a visit, not a person. */
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
  'A38',
]);
/** The hospital takes its registration of a person back (v2.5.1 §3.3.29). */
export const WITHDRAWALS: ReadonlySet<string> = new Set(['A29']);
/** PID and MRG in pairs: the patient of PID stays. A47 changes one number into another: the same to an index. */
export const MERGES: ReadonlySet<string> = new Set(['A34', 'A39', 'A40', 'A47']);

/** Two PID: their numbers are one patient's (A24), or are not (A37). */
export const LINKS: ReadonlySet<string> = new Set(['A24', 'A37']);
/** PID and MRG: a number leaves one patient for another. */
export const MOVES: ReadonlySet<string> = new Set(['A43']);

type IdentityRecord = PatientRecord | VisitRecord | MergeRecord | MoveRecord | LinkRecord;

export type Registration = { readonly records: readonly IdentityRecord[] } | { readonly problem: Problem };

export const NO_LOCAL_ID = 'The number under which the hospital files this patient is missing.';

export function readRegistration(context: Context, at: SourceTime): Registration {
  const pid = context.message.first('PID');
  if (pid === undefined) return { problem: problem('required-missing', 'PID') };
  const person = readPerson(pid, context);
  if (person.ref === null) return { problem: problem('required-missing', 'PID-3', NO_LOCAL_ID) };
  const registered = {
    kind: 'patient',
    site: context.site.id,
    at,
    patient: person.ref,
    fields: person.fields,
  } as const;
  return { records: [registered, ...readVisits(context, person.ref, at)] };
}

/** What else PID says of who is no patient there any more is left out. */
export function readWithdrawal(context: Context, at: SourceTime): Registration {
  const pid = context.message.first('PID');
  const patient = pid === undefined ? null : localRef(pid, 3, context.site);
  if (patient === null) return { problem: problem('required-missing', 'PID-3', NO_LOCAL_ID) };
  return { records: [{ kind: 'patient', site: context.site.id, at, patient, fields: { withdrawn: true } }] };
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

const isSame = (a: PatientRef, b: PatientRef): boolean => a.authority === b.authority && a.value === b.value;

/** v2.5.1 §3.3.24 and §3.3.37: the second PID is as good as the first, and neither number ends. */
export function readLinks(context: Context, at: SourceTime, linked: boolean): Registration {
  const pids = context.message.all('PID');
  const [first, second] = pids;
  if (first === undefined || second === undefined || pids.length > 2)
    return { problem: problem('required-missing', 'PID', 'A link is between two patients: two PID segments.') };
  const [a, b] = [readPerson(first, context), readPerson(second, context)];
  if (a.ref === null) return { problem: problem('required-missing', 'PID-3', NO_LOCAL_ID) };
  if (b.ref === null) return { problem: problem('required-missing', 'PID[2]-3', NO_LOCAL_ID) };
  if (isSame(a.ref, b.ref))
    return {
      problem: problem('invalid-value', 'PID[2]-3', 'A number cannot be linked to itself, or unlinked from itself.'),
    };
  const { id: site } = context.site;
  return {
    records: [
      { kind: 'patient', site, at, patient: a.ref, fields: a.fields },
      { kind: 'patient', site, at, patient: b.ref, fields: b.fields },
      { kind: 'link', site, at, one: a.ref, other: b.ref, linked },
    ],
  };
}

/**
 * §3.3.43: MRG-1 is the number that is moved, PID-3 the list it is moved to. Senders repeat the moved number in that list,
 * so the patient is whoever has another number there; before 2.5 PID-2 named that patient.
 */
export function readMove(context: Context, at: SourceTime): Registration {
  const [pid, mrg] = [context.message.first('PID'), context.message.first('MRG')];
  if (pid === undefined || mrg === undefined)
    return { problem: problem('required-missing', 'MRG', 'A move needs PID and MRG.') };
  const moved = localRef(mrg, 1, context.site);
  if (moved === null) return { problem: problem('required-missing', 'MRG-1', 'The number that is moved is missing.') };
  const to = movedTo(pid, moved, context.site);
  if (to === null)
    return { problem: problem('required-missing', 'PID-3', 'The patient that it is moved to is missing.') };
  return { records: [{ kind: 'move', site: context.site.id, at, moved, to }] };
}

/** The best number in PID-3, else PID-2, that is not the moved one. */
export const movedTo = (pid: Segment, moved: PatientRef, site: SiteProfile): PatientRef | null =>
  [...localRefs(pid, 3, site), ...localRefs(pid, 2, site)].find((ref) => !isSame(ref, moved)) ?? null;
