/** Reports: ORU^R01 by its OBR groups (v2.5.1 §7.3.1; RAD TF-2 4.28) and MDM by its TXA (v2.5.1 §9.5). */
import { unmappedSent } from '../../hub/core/code-mapping.ts';
import { problem, type Problem } from '../../hub/core/problem.ts';
import type {
  ExamKeys,
  PatientRef,
  ReportContent,
  ReportRecord,
  ReportStatus,
  SourceTime,
} from '../../hub/core/record.ts';
import { reportStatusOf } from '../codes/exam.ts';
import { present, type Context } from './context.ts';
import { groupsOf, keysOf, type Group } from './exam.ts';
import type { Segment } from './message.ts';
import { readDoctor, readPerformer } from './name.ts';
import { readObservations, type Observed } from './observation.ts';

export type Reports = { readonly records: readonly ReportRecord[] } | { readonly problem: Problem };

const NO_KEY = 'A report needs a placer, a filler or an accession number or a Study Instance UID of its exam.';
const NO_STATUS = 'A report needs a result status: P, F, C or X, or one that the site has mapped.';
const hasKey = (keys: ExamKeys): boolean => Object.keys(keys).length > 0;

export function readReports(context: Context, patient: PatientRef | null, at: SourceTime): Reports {
  const groups = joined(groupsOf(context.message).filter((group) => group.obr !== undefined));
  if (groups.length === 0) return { problem: problem('required-missing', 'OBR', 'A result message needs OBR.') };
  const records: ReportRecord[] = [];
  for (const [index, group] of groups.entries()) {
    const keys = keysOf(group, index, groups.length, context);
    if (!hasKey(keys)) return { problem: problem('required-missing', 'OBR-3', NO_KEY) };
    const observed = readObservations(group.rest, context);
    const status = reportStatus(group.obr, observed, context);
    if (status === null) return { problem: problem('required-missing', 'OBR-25', NO_STATUS) };
    const changed = context.time(group.obr, 22);
    const content = { ...authors(group.obr, status, changed ?? at, context), ...observed.content };
    const base = { kind: 'report', site: context.site.id, patient, keys, reportNumber: '' } as const;
    records.push({ ...base, at: changed ?? at, status, content });
  }
  return { records };
}

/** Groups about one and the same exam are parts of one report: a second report would displace the first. */
function joined(groups: readonly Group[]): readonly Group[] {
  const byKey = new Map<string, Group>();
  for (const group of groups) {
    const { obr, orc } = group;
    const numbers = [obr?.text(2) || orc?.text(2), obr?.text(3) || orc?.text(3), obr?.text(18)].map((one) => one ?? '');
    const known = byKey.get(numbers.join('|'));
    byKey.set(numbers.join('|'), known === undefined ? group : { ...known, rest: [...known.rest, ...group.rest] });
  }
  return [...byKey.values()];
}

/** OBR-25 through the site's table; where it is empty, what all OBX-11 say together. */
function reportStatus(obr: Segment | undefined, observed: Observed, context: Context): ReportStatus | null {
  const told = obr?.text(25) ?? '';
  if (told !== '') return known(told, context, 'OBR-25');
  const statuses = observed.statuses.map((status) => reportStatusOf(status));
  if (statuses.length === 0) return null;
  if (statuses.includes('corrected')) return 'corrected';
  return statuses.every((status) => status === 'final')
    ? 'final'
    : statuses.every((status) => status === 'withdrawn')
      ? 'withdrawn'
      : 'preliminary';
}

const STATUSES: readonly ReportStatus[] = ['preliminary', 'final', 'corrected', 'withdrawn'];

function known(told: string, context: Context, where: string): ReportStatus | null {
  const mapped = context.site.codes.lookup('result-status', told)?.code;
  const status = STATUSES.find((one) => one === mapped) ?? reportStatusOf(told);
  if (status === null)
    context.find('unmapped-code', where, 'this result status is in no table', unmappedSent('result-status', told));
  return status;
}

/** OBR-32 signs, OBR-33 wrote; where one is empty the other did both (v2.5.1 §4.5.3.32). */
function authors(
  obr: Segment | undefined,
  status: ReportStatus,
  at: SourceTime,
  context: Context,
): Partial<ReportContent> {
  const signed = interpreter(obr, 32);
  const wrote = interpreter(obr, 33) ?? signed;
  const released = status === 'final' || status === 'corrected';
  return present({
    title: obr?.text(4, 2) || undefined,
    reporter: wrote,
    auditor: released ? signed : undefined,
    reportedAt: at,
    auditedAt: released ? context.time(obr, 22) : undefined,
  });
}

const interpreter = (obr: Segment | undefined, index: number): string | undefined =>
  obr === undefined ? undefined : readPerformer(obr.field(index)) || undefined;

/** T02, T04, T06, T08, T10 carry the document; T11 takes it back. */
export function readDocumentReport(context: Context, patient: PatientRef | null, at: SourceTime): Reports {
  const txa = context.message.first('TXA');
  if (txa === undefined) return { problem: problem('required-missing', 'TXA', 'A document message needs TXA.') };
  const groups = groupsOf(context.message);
  const group = groups.find((one) => one.obr !== undefined) ?? groups[0];
  const obx = context.message.all('OBX');
  const own: Group = { orc: group?.orc, obr: group?.obr, rest: obx };
  const keys: ExamKeys = {
    ...present({ placer: txa.text(14) || undefined, filler: txa.text(15) || undefined }),
    ...keysOf(own, 0, 1, context),
  };
  if (!hasKey(keys)) return { problem: problem('required-missing', 'TXA-15', NO_KEY) };
  const trigger = context.message.msh.text(9, 2);
  const observed = readObservations(obx, context);
  const status = documentStatus(txa, trigger, context);
  if (status === null)
    return { problem: problem('required-missing', 'TXA-17', 'A document needs a completion status.') };
  const replaces = trigger === 'T10' ? txa.text(13) : '';
  const content = { ...documentAuthors(txa, status, context), ...(status === 'withdrawn' ? {} : observed.content) };
  const record: ReportRecord = {
    ...{ kind: 'report', site: context.site.id, patient, keys, status, content },
    ...{ at: context.time(txa, 8) ?? context.time(txa, 7) ?? at, reportNumber: txa.text(12).slice(0, 128) },
    ...(replaces === '' ? {} : { replaces }),
  };
  return { records: [record] };
}

/** TXA-17 (table 0271) and TXA-19 (table 0273), under the event. */
function documentStatus(txa: Segment, trigger: string, context: Context): ReportStatus | null {
  const availability = txa.text(19).toUpperCase();
  if (trigger === 'T11' || availability === 'CA' || availability === 'OB') return 'withdrawn';
  const completion = txa.text(17).toUpperCase();
  if (completion === '') return null;
  if (!['AU', 'LA', 'DO', 'DI', 'IN', 'IP', 'PA'].includes(completion)) return known(completion, context, 'TXA-17');
  if (completion !== 'AU' && completion !== 'LA') return 'preliminary';
  return ['T06', 'T08', 'T10'].includes(trigger) ? 'corrected' : 'final';
}

function documentAuthors(txa: Segment, status: ReportStatus, context: Context): Partial<ReportContent> {
  const released = status === 'final' || status === 'corrected';
  const signed = readDoctor(txa.field(22)) || readDoctor(txa.field(10)) || undefined;
  return present({
    title: txa.text(2, 2) || undefined,
    reporter: readDoctor(txa.field(9)) || readDoctor(txa.field(5)) || undefined,
    auditor: released ? signed : undefined,
    reportedAt: context.time(txa, 4) ?? context.time(txa, 6),
    auditedAt: released ? (context.time(txa, 22, 15) ?? context.time(txa, 8) ?? context.time(txa, 7)) : undefined,
  });
}
