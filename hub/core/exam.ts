/**
 * One exam (检查): order, study and report under one identity, whatever came first. Its state is a join of what messages
 * asserted, found again by any of the keys that hospitals use, so every order of arrival ends in the same exam.
 */
import type { Derivation, HubId, SiteId } from './identifier.ts';
import { fail, ok, problem, type Finding, type Result } from './problem.ts';
import type {
  ExamKeys,
  OrderRecord,
  OrderStatus,
  ReportContent,
  ReportRecord,
  ReportStatus,
  StudyFields,
} from './record.ts';
import { assertFields, join, stamp, value, type Registers } from './register.ts';
import type { Assertion } from './patient.ts';

/** `accession|A1`, `placer|P1`, `filler|F1`, `study|1.2.3`, `index|…`: scoped to the site. */
export type ExamKey = string;

export interface OrderState {
  readonly keys: readonly ExamKey[];
  readonly facts: Registers;
}

/** The document of a report lies in the object store; here is where and what. */
export interface StoredDocument {
  readonly contentType: string;
  readonly object: string;
  readonly size: number;
  /** SHA-1 hex, as XDS metadata wants it. */
  readonly sha1: string;
}

export interface ReportVersion {
  readonly stamp: string;
  readonly at: string;
  readonly number: string;
  readonly replaces?: string;
  readonly status: ReportStatus;
  readonly content: Omit<ReportContent, 'document'>;
  readonly document?: StoredDocument;
  readonly journalId: string;
}

export interface ExamState {
  readonly examId: HubId;
  readonly site: SiteId;
  /** The registration it was made under; a stand-in id while no message has named a patient (`placed` false). */
  readonly recordId: HubId;
  readonly placed: boolean;
  readonly keys: readonly ExamKey[];
  readonly orders: readonly OrderState[];
  readonly studies: Readonly<Record<string, Registers>>;
  readonly reports: readonly ReportVersion[];
}

const KINDS = ['accession', 'filler', 'placer', 'study', 'index'] as const;

export function keysOf(keys: ExamKeys): ExamKey[] {
  const list: ExamKey[] = [];
  if (keys.accession) list.push(`accession|${keys.accession}`);
  if (keys.filler) list.push(`filler|${keys.filler}`);
  if (keys.placer) list.push(`placer|${keys.placer}`);
  if (keys.studyUid) list.push(`study|${keys.studyUid}`);
  if (keys.provincialIndex) list.push(`index|${keys.provincialIndex}`);
  return list;
}

const ofKind = (keys: readonly ExamKey[], kind: string): ExamKey[] => keys.filter((key) => key.startsWith(`${kind}|`));

/** The key that names the exam: the strongest kind it has, the least of that kind: a function of the set alone. */
export function namingKey(keys: readonly ExamKey[]): ExamKey {
  for (const kind of KINDS) {
    const least = ofKind(keys, kind).sort()[0];
    if (least !== undefined) return least;
  }
  return '';
}

/**
 * Do these keys speak of this exam? A shared accession or study does. A shared placer or filler does unless accessions
 * contradict: one request form (placer) often carries several exams, each with its own accession.
 */
export function matches(exam: ExamState, keys: readonly ExamKey[]): boolean {
  const shared = keys.filter((key) => exam.keys.includes(key));
  if (shared.length === 0) return false;
  if (shared.some(isStrong)) return true;
  const mine = ofKind(exam.keys, 'accession');
  const theirs = ofKind(keys, 'accession');
  return mine.length === 0 || theirs.length === 0;
}

/** Unique by themselves within a site; placer and filler numbers are not always. */
export const isStrong = (key: ExamKey): boolean => /^(accession|study|index)\|/.test(key);

/** A new exam, or the union of all that the keys turned out to mean. */
export function uniteExams(
  site: SiteId,
  exams: readonly ExamState[],
  keys: readonly ExamKey[],
  patient: HubId | null,
  derive: Derivation,
): ExamState {
  const all = [...new Set([...exams.flatMap((exam) => exam.keys), ...keys])].sort();
  const naming = namingKey(all);
  const placedIn = exams.filter((exam) => exam.placed).map((exam) => exam.recordId);
  const recordId = placedIn.sort()[0] ?? patient;
  return {
    examId: derive.id('exam', site, naming),
    site,
    recordId: recordId ?? derive.id('unplaced', site, naming),
    placed: recordId !== null,
    keys: all,
    orders: exams.flatMap((exam) => exam.orders).reduce(joinOrder, []),
    studies: exams.reduce<Record<string, Registers>>((united, exam) => {
      for (const [uid, facts] of Object.entries(exam.studies)) united[uid] = join(united[uid] ?? {}, facts);
      return united;
    }, {}),
    reports: exams.flatMap((exam) => exam.reports).reduce(joinReport, []),
  };
}

/** Orders that share a placer or filler number are one order. */
function joinOrder(orders: readonly OrderState[], order: OrderState): readonly OrderState[] {
  const same = orders.filter((other) => other.keys.some((key) => order.keys.includes(key)));
  const rest = orders.filter((other) => !same.includes(other));
  const joined = same.reduce(
    (sum, other) => ({ keys: [...new Set([...sum.keys, ...other.keys])].sort(), facts: join(sum.facts, other.facts) }),
    { keys: [...order.keys].sort(), facts: order.facts },
  );
  return [...rest, joined].sort((a, b) => ((a.keys[0] ?? '') < (b.keys[0] ?? '') ? -1 : 1));
}

function joinReport(versions: readonly ReportVersion[], version: ReportVersion): readonly ReportVersion[] {
  if (versions.some((other) => other.stamp === version.stamp)) return versions;
  return [...versions, version].sort((a, b) => (a.stamp < b.stamp ? -1 : 1));
}

/** How far an order has come. It only goes forward: an order that was cancelled and is sent again stays cancelled. */
const ORDER_RANK: Record<OrderStatus, number> = {
  ordered: 1,
  scheduled: 2,
  arrived: 3,
  'in-progress': 4,
  completed: 5,
  discontinued: 6,
  cancelled: 7,
};

export function assertOrder(exam: ExamState, record: OrderRecord, by: Assertion): ExamState {
  const numbers = keysOf(record.keys).filter((key) => /^(placer|filler)\|/.test(key));
  const keys = numbers.length > 0 ? numbers : keysOf(record.keys).filter((key) => key.startsWith('accession|'));
  const fields = assertFields({}, { ...record.fields }, stamp(by.quality, by.at, 0, by.tie));
  const status = assertFields({}, { status: record.status }, stamp(by.quality, '', ORDER_RANK[record.status], ''));
  const seen = assertFields({}, { at: record.at }, stamp(by.quality, by.at, 0, by.tie));
  return { ...exam, orders: joinOrder(exam.orders, { keys, facts: { ...fields, ...status, ...seen } }) };
}

export function assertStudy(
  exam: ExamState,
  uid: string,
  fields: StudyFields & { voided?: boolean },
  by: Assertion,
): ExamState {
  const facts = assertFields(exam.studies[uid] ?? {}, fields, stamp(by.quality, by.at, 0, by.tie), by.again);
  return { ...exam, studies: { ...exam.studies, [uid]: facts } };
}

const REPORT_RANK: Record<ReportStatus, number> = { preliminary: 1, final: 2, corrected: 3, withdrawn: 4 };

/**
 * Files one version. A report older than the one that stands is filed as superseded and told; a second report with
 * another number that replaces nothing is refused: an exam has one report (S4-6.4.3, A-08).
 */
export function assertReport(
  exam: ExamState,
  record: ReportRecord,
  stored: StoredDocument | undefined,
  journalId: string,
  by: Assertion,
): Result<{ exam: ExamState; findings: readonly Finding[] }> {
  const { document: _bytes, ...content } = record.content;
  const at = record.content.auditedAt ?? record.content.reportedAt ?? record.at;
  const version: ReportVersion = {
    stamp: stamp(by.quality, at, REPORT_RANK[record.status], by.tie),
    at,
    number: record.reportNumber,
    status: record.status,
    content,
    journalId,
    ...(record.replaces === undefined ? {} : { replaces: record.replaces }),
    ...(stored === undefined ? {} : { document: stored }),
  };
  // Read anew, a message's report takes the place of what was made of it before: no revision, the sender wrote none.
  const former = (other: ReportVersion): boolean =>
    by.again === true && other.journalId === journalId && other.number === version.number;
  const others = exam.reports.filter((other) => !former(other) || other.stamp === version.stamp);
  const reports = joinReport(others, version);
  if (rivals(reports).length > 1 && !by.forced) return fail(problem('report-conflict', 'report number'));
  const next = { ...exam, reports };
  const findings: Finding[] = [];
  const standing = currentReport(next);
  if (standing !== null && standing.stamp !== version.stamp && isNew(exam, version))
    findings.push({
      code: 'stale',
      where: 'report time',
      text: 'A newer version of this report stands; this one is filed as superseded.',
    });
  return ok({ exam: next, findings });
}

const isNew = (exam: ExamState, version: ReportVersion): boolean =>
  !exam.reports.some((other) => other.stamp === version.stamp);

/** Report numbers that claim the exam: those that no other version replaces. An empty number claims nothing. */
function rivals(reports: readonly ReportVersion[]): string[] {
  const replaced = new Set(reports.map((version) => version.replaces));
  return [...new Set(reports.map((version) => version.number))].filter(
    (number) => number !== '' && !replaced.has(number),
  );
}

/** The one current report: the latest signed version of the number that stands, unless it was withdrawn; else the draft. */
export function currentReport(exam: ExamState): ReportVersion | null {
  const standing = rivals(exam.reports);
  const versions = exam.reports.filter(
    (version) => version.number === '' || standing.length === 0 || standing.includes(version.number),
  );
  // A draft, however late, never displaces what a doctor has signed (or has taken back).
  const last = versions.findLast((version) => version.status !== 'preliminary') ?? versions.at(-1);
  return last === undefined || last.status === 'withdrawn' ? null : last;
}

/**
 * The orders as they are shown. A message that names the exam by its accession number alone (a void, an exam sent by REST)
 * speaks of every order that the exam has; only where there is none it stands as one itself.
 */
export function ordersOf(exam: ExamState): readonly OrderState[] {
  const unnumbered = exam.orders.filter((order) => order.keys.every((key) => key.startsWith('accession|')));
  const numbered = exam.orders.filter((order) => !unnumbered.includes(order));
  if (numbered.length === 0) return exam.orders;
  return numbered.map(({ keys, facts }) => ({
    keys,
    facts: unnumbered.reduce((joined, order) => join(joined, order.facts), facts),
  }));
}

export function orderStatus(order: OrderState): OrderStatus {
  return value<OrderStatus>(order.facts, 'status') ?? 'ordered';
}

export function isVoided(exam: ExamState): boolean {
  const { '': whole = {}, ...own } = exam.studies;
  if (value<boolean>(whole, 'voided') === true) return true;
  const studies = Object.values(own);
  return studies.length > 0 && studies.every((facts) => value<boolean>(facts, 'voided') === true);
}

/** Every order was called off, or the source voided the exam: hidden from recognition and sharing, kept for audit. */
export function isCancelled(exam: ExamState): boolean {
  if (isVoided(exam)) return true;
  const done = ordersOf(exam).map(orderStatus);
  return done.length > 0 && done.every((status) => status === 'cancelled' || status === 'discontinued');
}
