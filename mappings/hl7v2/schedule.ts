/** Appointments: SIU S12 to S17 as the state of the order they book (v2.5.1 §10.3; RAD TF-2 4.48). */
import { unmappedSent } from '../../hub/core/code-mapping.ts';
import { problem } from '../../hub/core/problem.ts';
import type { ExamKeys, OrderRecord, OrderStatus, PatientRef, SourceTime } from '../../hub/core/record.ts';
import { appointmentStatusOf } from '../codes/exam.ts';
import { present, type Context } from './context.ts';
import { hasOrderKey } from './exam.ts';
import { sinceVersion } from './header.ts';
import type { Orders } from './order.ts';
import { readDoctor } from './name.ts';
import type { Segment } from './message.ts';

const CANCELS = new Set(['S15', 'S16', 'S17']);

export function readAppointment(context: Context, patient: PatientRef | null, at: SourceTime): Orders {
  const { message } = context;
  const sch = message.first('SCH');
  if (sch === undefined) return { problem: problem('required-missing', 'SCH', 'An appointment message needs SCH.') };
  const keys = appointmentKeys(sch, message.msh.text(12));
  if (!hasOrderKey(keys)) {
    return {
      problem: problem('required-missing', 'SCH-26', 'An appointment needs the order it books: SCH-26 or SCH-27.'),
    };
  }
  const ais = message.first('AIS');
  const pv1 = message.first('PV1');
  const fields = present({
    procedure: context.coded('procedure', ais, 3),
    scheduledAt: context.time(message.first('TQ1'), 7) ?? context.time(sch, 11, 4) ?? context.time(ais, 4),
    device: message.first('AIG')?.text(3) || message.first('AIL')?.text(3) || undefined,
    requester: readDoctor(sch.field(16)) || undefined,
    patientClass: context.coded('patient-class', pv1, 2),
    visitNumber: pv1?.text(19) || undefined,
    reason: sch.text(7, 2) || undefined,
  });
  const status = appointmentStatus(message.msh.text(9, 2), sch, context);
  const record: OrderRecord = { kind: 'order', site: context.site.id, at, patient, keys, status, fields };
  return { records: [record] };
}

/** The order's numbers have fields of their own from 2.4 on; before, SCH-1 and SCH-2 are all there is. */
function appointmentKeys(sch: Segment, version: string): ExamKeys {
  const [placer, filler] = [sch.text(26), sch.text(27)];
  if (placer !== '' || filler !== '' || sinceVersion(version, 4)) {
    return present({ placer: placer || undefined, filler: filler || undefined });
  }
  return present({ placer: sch.text(1) || undefined, filler: sch.text(2) || undefined });
}

function appointmentStatus(trigger: string, sch: Segment, context: Context): OrderStatus {
  if (CANCELS.has(trigger)) return 'cancelled';
  const told = sch.text(25) || sch.text(25, 2);
  if (told === '') return 'scheduled';
  const known = appointmentStatusOf(context.site.codes.lookup('order-status', told)?.code ?? told);
  if (known === null)
    context.find(
      'unmapped-code',
      'SCH-25',
      'this appointment status is in no table; the event decided',
      unmappedSent('order-status', told),
    );
  return known ?? 'scheduled';
}
