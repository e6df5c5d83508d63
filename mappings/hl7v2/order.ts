/** Orders: ORM^O01, OMI^O23, OMG^O19 into OrderRecords, one per order group (WIRE §11; RAD TF-2 4.2 to 4.4, 4.13). */
import { unmappedSent } from '../../hub/core/code-mapping.ts';
import { problem, type Problem } from '../../hub/core/problem.ts';
import type { OrderFields, OrderRecord, OrderStatus, PatientRef, SourceTime } from '../../hub/core/record.ts';
import { icd10 } from '../codes/diagnosis.ts';
import { controlMeaning, modalityOf, orderStatusOf, priorityOf, resultAsOrderStatus } from '../codes/exam.ts';
import { present, whereOf, type Context } from './context.ts';
import { groupsOf, hasOrderKey, keysOf, type Group } from './exam.ts';
import type { Segment } from './message.ts';
import { readDoctor, readPerformer } from './name.ts';

export type Orders = { readonly records: readonly OrderRecord[] } | { readonly problem: Problem };

export function readOrders(context: Context, patient: PatientRef | null, at: SourceTime): Orders {
  const groups = groupsOf(context.message);
  if (groups.length === 0) return { problem: problem('required-missing', 'ORC', 'An order message needs ORC or OBR.') };
  const records: OrderRecord[] = [];
  for (const [index, group] of groups.entries()) {
    const keys = keysOf(group, index, groups.length, context);
    if (!hasOrderKey(keys)) {
      const where = group.orc === undefined ? 'OBR-2' : 'ORC-2';
      return {
        problem: problem('required-missing', where, 'An order needs a placer, a filler or an accession number.'),
      };
    }
    const scheduledAt = scheduled(group, context);
    const status = statusOf(group, scheduledAt !== undefined, context);
    const fields = orderFields(group, scheduledAt, status, context);
    records.push({ kind: 'order', site: context.site.id, at, patient, keys, status, fields });
  }
  return { records };
}

/** ORC-1 decides where it is an act (new, cancel, discontinue); a mere change follows ORC-5, then OBR-25. */
export function statusOf(group: Group, isScheduled: boolean, context: Context): OrderStatus {
  const control = group.orc?.text(1) ?? '';
  const meaning = control === '' ? 'follow' : controlMeaning(control);
  if (meaning === null)
    context.find('unmapped-code', 'ORC-1', 'this control code is not known; ORC-5 and OBR-25 decided');
  if (meaning !== null && meaning !== 'follow' && meaning !== 'ordered') return meaning;
  const told = group.orc?.text(5) ?? '';
  if (told !== '') {
    const mapped =
      orderStatusOf(context.site.codes.lookup('order-status', told)?.code ?? told) ?? siteStatus(context, told);
    if (mapped !== null) return mapped;
    const text = 'this order status is in no table; the order stands as ordered';
    context.find('unmapped-code', 'ORC-5', text, unmappedSent('order-status', told));
  }
  const result = resultAsOrderStatus(group.obr?.text(25) ?? '');
  return result ?? (isScheduled && meaning === 'follow' ? 'scheduled' : 'ordered');
}

const STATUSES: readonly OrderStatus[] = [
  'ordered',
  'scheduled',
  'arrived',
  'in-progress',
  'completed',
  'discontinued',
  'cancelled',
];

function siteStatus(context: Context, told: string): OrderStatus | null {
  const code = context.site.codes.lookup('order-status', told)?.code;
  return STATUSES.find((status) => status === code) ?? null;
}

/** TQ1-7 (from 2.5), ORC-7.4, OBR-27.4, OBR-36. */
function scheduled(group: Group, context: Context): SourceTime | undefined {
  const tq1 = group.rest.find((segment) => segment.name === 'TQ1');
  return (
    context.time(tq1, 7) ??
    context.time(group.orc, 7, 4) ??
    context.time(group.obr, 27, 4) ??
    context.time(group.obr, 36)
  );
}

function orderFields(
  group: Group,
  scheduledAt: SourceTime | undefined,
  status: OrderStatus,
  context: Context,
): OrderFields {
  const { orc, obr, rest } = group;
  const ipc = rest.find((segment) => segment.name === 'IPC');
  const dg1 = rest.find((segment) => segment.name === 'DG1') ?? context.message.first('DG1');
  const pv1 = context.message.first('PV1');
  const begun = status === 'in-progress' || status === 'completed';
  const observed = context.time(obr, 7);
  return present({
    procedure: context.coded('procedure', obr, 4) ?? context.coded('procedure', obr, 44),
    modality: modality(ipc, obr, context),
    bodyPart: bodyPart(obr, context),
    priority: priority(group, context),
    reason:
      obr === undefined
        ? undefined
        : (obr.text(31, 2) || obr.text(31) || obr.whole(13).whole().trim() || undefined)?.slice(0, 4_000),
    diagnosis: diagnosisOf(dg1, context),
    requester: doctor(orc, 12) ?? doctor(obr, 16),
    requestingDepartment: context.coded('department', orc, 17) ?? context.coded('department', pv1, 3),
    performer: obr === undefined ? undefined : readPerformer(obr.field(34)) || undefined,
    patientClass: context.coded('patient-class', pv1, 2),
    visitNumber: textOf(pv1, 19),
    requestedAt: context.time(orc, 9) ?? context.time(obr, 6),
    scheduledAt: scheduledAt ?? (begun ? undefined : observed),
    startedAt: begun ? observed : undefined,
    device: textOf(ipc, 7) ?? textOf(ipc, 9),
    requestedProcedureId: textOf(ipc, 2) ?? textOf(obr, 19),
    scheduledStepId: textOf(ipc, 4) ?? textOf(obr, 20),
  });
}

/** DG1-3, whose system is named there or in DG1-2; the site's own table goes before what the form of a code suggests. */
function diagnosisOf(dg1: Segment | undefined, context: Context): OrderFields['diagnosis'] | undefined {
  const [code, display] = [dg1?.text(3) ?? '', dg1?.text(3, 2) ?? ''];
  const known = icd10(code, display || undefined, dg1?.text(3, 3) || dg1?.text(2) || '');
  const mapped = known === null ? null : context.site.codes.lookup('diagnosis', code);
  return mapped === null && known !== null ? known : context.coded('diagnosis', dg1, 3);
}

const textOf = (segment: Segment | undefined, field: number): string | undefined =>
  (segment?.text(field) ?? '').slice(0, 256) || undefined;

const doctor = (segment: Segment | undefined, field: number): string | undefined =>
  segment === undefined ? undefined : readDoctor(segment.field(field)) || undefined;

export function modality(ipc: Segment | undefined, obr: Segment | undefined, context: Context): string | undefined {
  for (const [segment, field] of [
    [ipc, 5],
    [obr, 24],
  ] as const) {
    const code = segment?.text(field) ?? '';
    if (segment === undefined || code === '') continue;
    const known = modalityOf(context.site.codes.lookup('modality', code)?.code ?? code);
    if (known !== null) return known;
    const text = 'this modality is in no table; it was left out';
    context.find(
      'unmapped-code',
      whereOf(segment, field),
      text,
      unmappedSent('modality', code, segment.text(field, 2)),
    );
  }
  return undefined;
}

/** OBR-15.4, the body site of the specimen source, where 2.3 to 2.6 put it. */
function bodyPart(obr: Segment | undefined, context: Context): OrderFields['bodyPart'] | undefined {
  if (obr === undefined) return undefined;
  const field = obr.field(15);
  const [code, display] = [field.text(4, 1), field.text(4, 2)];
  const sent = code || display;
  if (sent === '') return undefined;
  const mapped = context.site.codes.lookup('body-part', sent) ?? context.site.codes.lookup('body-part', display);
  const source = { code: sent, ...(display === '' ? {} : { display }) };
  if (mapped !== null) return { ...mapped, source };
  const text = 'this body part is not in the table of the site; it was kept as sent';
  context.find('unmapped-code', 'OBR-15.4', text, unmappedSent('body-part', sent, display));
  return { code: sent, system: `${context.site.id}:body-part`, ...(display === '' ? {} : { display }) };
}

function priority(group: Group, context: Context): OrderFields['priority'] | undefined {
  const tq1 = group.rest.find((segment) => segment.name === 'TQ1');
  const sources = [
    [tq1, 9, 1],
    [group.orc, 7, 6],
    [group.obr, 27, 6],
    [group.obr, 5, 1],
  ] as const;
  for (const [segment, field, component] of sources) {
    const code = segment?.text(field, component) ?? '';
    if (segment === undefined || code === '') continue;
    const mapped = context.site.codes.lookup('priority', code)?.code ?? code;
    const known = priorityOf(mapped) ?? (mapped === 'urgent' ? 'urgent' : null);
    if (known !== null) return known;
    const text = 'this priority is in no table; it was left out';
    context.find('unmapped-code', whereOf(segment, field, component), text, unmappedSent('priority', code));
  }
  return undefined;
}
