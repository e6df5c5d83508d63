/**
 * PV1 and PID-18 of an ADT as a visit of its patient (HL7 v2.5.1 §3.4.3, §3.3; what PDVQ tells of: ITI TF-2 §3.22.4.2.2).
 * A visit that has neither a visit number nor an account cannot be told from another one, and is not kept.
 */
import { unmappedSent } from '../../hub/core/code-mapping.ts';
import type {
  Coded,
  PatientRef,
  SourceTime,
  VisitDoctor,
  VisitFields,
  VisitPlace,
  VisitRecord,
} from '../../hub/core/record.ts';
import { VISIT_CLASS_SYSTEM, visitClassOf } from '../codes/visit.ts';
import { present, type Context } from './context.ts';
import { assignerOf } from './identity.ts';
import { NOT_TEXT, type Field, type Segment } from './message.ts';

/** Events that tell of a visit, beside who the patient is. A28 and A31 are of the person alone. */
const OF_VISITS: ReadonlySet<string> = new Set([
  ...['A01', 'A02', 'A03', 'A04', 'A05', 'A06', 'A07', 'A08', 'A11', 'A13', 'A38'],
]);
/** They begin a visit, or plan it: one that was called off stands again. */
const BEGINS: ReadonlySet<string> = new Set(['A01', 'A04', 'A05']);
/** They call an admission off (A11), or its plan (A38): what else they say is of a visit that is none. */
const CALLS_OFF: ReadonlySet<string> = new Set(['A11', 'A38']);

const MAX_DOCTORS = 8;

export function readVisits(context: Context, patient: PatientRef, at: SourceTime): readonly VisitRecord[] {
  const { message, site } = context;
  const trigger = message.msh.text(9, 2);
  const [pid, pv1] = [message.first('PID'), message.first('PV1')];
  if (pid === undefined || pv1 === undefined || !OF_VISITS.has(trigger) || pv1.text(2).toUpperCase() === 'N') return [];
  const number = numberOf(pv1.field(19), context, site.patientIds.visitAuthority ?? `${site.id}:PV1-19`);
  const account = numberOf(pid.field(18), context, site.patientIds.accountAuthority ?? `${site.id}:PID-18`);
  const ref = number ?? account;
  if (ref === null) return [];
  const fields = CALLS_OFF.has(trigger) ? { cancelled: true } : fieldsOf(context, trigger, pv1, at);
  return [
    {
      ...{ kind: 'visit', site: site.id, at, patient },
      visit: { type: number === null ? 'AN' : 'VN', ...ref },
      fields: { ...fields, ...(number !== null && account !== null ? { account } : {}) },
    },
  ];
}

function numberOf(field: Field, { site }: Context, otherwise: string): PatientRef | null {
  const value = field.text(1).replace(/\s+/g, ' ');
  if (value === '' || value.length > 256 || value.includes(NOT_TEXT)) return null;
  return { authority: assignerOf(field, site, otherwise), value };
}

function fieldsOf(context: Context, trigger: string, pv1: Segment, at: SourceTime): VisitFields {
  const told = present({
    class: classOf(pv1, context),
    place: unlessNull(pv1, 3, (field) => placeOf(field, context)),
    service: unlessNull(pv1, 10, (field) => serviceOf(field, context)),
    attending: doctors(pv1, 7),
    referring: doctors(pv1, 8),
    consulting: doctors(pv1, 9),
    admitting: doctors(pv1, 17),
    disposition: unlessNull(pv1, 36, (field) => field.text(1).slice(0, 64) || undefined),
    admittedAt: unlessNull(pv1, 44, () => context.time(pv1, 44)),
    dischargedAt: unlessNull(pv1, 45, () => context.time(pv1, 45)),
  });
  const happened = (): SourceTime | undefined => context.time(context.message.first('EVN'), 6);
  if (BEGINS.has(trigger)) {
    const admittedAt = told.admittedAt ?? (trigger === 'A05' ? undefined : happened());
    return { ...told, ...(admittedAt === undefined ? {} : { admittedAt }), cancelled: false };
  }
  if (trigger === 'A03') return { ...told, dischargedAt: told.dischargedAt ?? happened() ?? at };
  return trigger === 'A13' ? { ...told, dischargedAt: null, disposition: null } : told;
}

/** `""` says that there is none (v2.5.1 §2.5.3). */
const unlessNull = <T>(pv1: Segment, at: number, read: (field: Field) => T | undefined): T | null | undefined => {
  const field = pv1.field(at);
  if (field.isNull) return null;
  return field.isEmpty ? undefined : read(field);
};

function classOf(pv1: Segment, context: Context): Coded | undefined {
  const sent = pv1.text(2);
  if (sent === '') return undefined;
  const known = visitClassOf(sent, context.site.codes);
  if (known !== null) return known;
  const text = 'this class of visit is in no table; it was kept as sent';
  context.find('unmapped-code', 'PV1-2', text, unmappedSent('patient-class', sent));
  return { code: 'U', system: VISIT_CLASS_SYSTEM, source: { code: sent } };
}

function placeOf(field: Field, { site }: Context): VisitPlace | undefined {
  const part = (at: number): string | undefined => field.text(at).slice(0, 100) || undefined;
  const pointOfCare = part(1);
  const department = pointOfCare === undefined ? undefined : site.codes.lookup('department', pointOfCare)?.code;
  const facility = part(4) ?? (field.text(4, 2).slice(0, 100) || undefined);
  const place = { pointOfCare, room: part(2), bed: part(3), facility, building: part(7), floor: part(8), department };
  const told = present(place);
  return Object.keys(told).length === 0 ? undefined : told;
}

function serviceOf(field: Field, { site }: Context): Coded | undefined {
  const code = field.text(1).slice(0, 100);
  if (code === '') return undefined;
  const mapped = site.codes.lookup('department', code);
  return mapped === null ? { code, system: `${site.id}:PV1-10` } : { ...mapped, source: { code } };
}

/** XCN: id, family (or the whole name), given. */
function doctors(pv1: Segment, at: number): readonly VisitDoctor[] | null | undefined {
  if (pv1.field(at).isNull) return null;
  const found = pv1.repetitions(at).flatMap(({ field }): VisitDoctor[] => {
    const part = (nth: number): string | undefined => field.text(nth).slice(0, 100) || undefined;
    const doctor = present({ id: part(1), family: part(2), given: part(3) });
    return Object.keys(doctor).length === 0 ? [] : [doctor];
  });
  return found.length === 0 ? undefined : found.slice(0, MAX_DOCTORS);
}
