/** A visit in an answer to PDVQ: PID-18 and PV1 (ITI TF-2 §3.22.4.2.2; HL7 v2.5 §3.4.3). */
import { accountOf, PV1_FIELD_OF, type VisitView } from '../../hub/core/visit.ts';
import type { DoctorRole, VisitDoctor } from '../../hub/core/record.ts';
import { cx } from './cx.ts';
import { escape, type Delimiters } from './escape.ts';
import { writeTime } from './time.ts';

interface Written {
  readonly d: Delimiters;
  readonly timeZone: string;
}

const ACCOUNT = 18;

/** The pair of one visit; of who has none PV1 stands since the structure wants it, and says so (table 0004, N: no visit). */
export function visitPair(
  pid: readonly string[],
  visit: VisitView | null,
  { d, timeZone }: Written,
): readonly (readonly string[])[] {
  const sequence = pid[1] ?? '';
  if (visit === null) return [pid, ['PV1', sequence, 'N']];
  const { ref, fields } = visit;
  const account = accountOf(ref, fields);
  const patient = [...pid, ...Array<string>(Math.max(0, ACCOUNT - pid.length)).fill('')];
  if (account !== null) patient[ACCOUNT] = cx(account, 'AN', d);
  const pv1 = Array<string>(46).fill('');
  const at = (time: string | null | undefined): string => (time ? writeTime(new Date(time), timeZone) : '');
  pv1.splice(0, 3, 'PV1', sequence, fields.class?.code ?? 'U');
  pv1[3] = placed(visit, d);
  for (const [role, field] of Object.entries(PV1_FIELD_OF) as [DoctorRole, number][])
    pv1[field] = (fields[role] ?? []).map((doctor) => xcn(doctor, d)).join(d.repetition);
  pv1[10] = escape(fields.service?.source?.code ?? fields.service?.code ?? '', d);
  if (ref.type === 'VN') pv1[19] = cx(ref, 'VN', d);
  pv1[36] = escape(fields.disposition ?? '', d);
  pv1[44] = at(fields.admittedAt);
  pv1[45] = at(fields.dischargedAt);
  return [trimmed(patient), trimmed(pv1)];
}

function placed({ fields: { place } }: VisitView, d: Delimiters): string {
  const { pointOfCare, room, bed, facility, building, floor } = place ?? {};
  return joined([pointOfCare, room, bed, facility, '', '', building, floor], d);
}

const xcn = ({ id, family, given }: VisitDoctor, d: Delimiters): string => joined([id, family, given], d);

const joined = (parts: readonly (string | undefined)[], d: Delimiters): string =>
  trimmed(parts.map((part) => escape(part ?? '', d))).join(d.component);

function trimmed(fields: readonly string[]): readonly string[] {
  const last = fields.findLastIndex((field) => field !== '');
  return fields.slice(0, last + 1);
}
