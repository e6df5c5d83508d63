/**
 * Applies canonical records to a slice of the index: pure, all or nothing per entry, and independent of order. The
 * store loads the slice that the records' keys touch and writes back what changed.
 */
import {
  isStrong,
  assertOrder,
  assertReport,
  assertStudy,
  keysOf,
  matches,
  uniteExams,
  type ExamKey,
  type ExamState,
} from './exam.ts';
import type { Derivation, HubId, SiteId } from './identifier.ts';
import { foldLink, foldMerge, foldMove } from './fold-identity.ts';
import { assertPatient, type Assertion } from './patient.ts';
import { fail, ok, problem, type Finding, type Result } from './problem.ts';
import { blank, canonical, recordIdOf, withPatient, type Folded, type Input, type Slice } from './slice.ts';
import type {
  CanonicalRecord,
  ExamKeys,
  InstanceRecord,
  PatientFields,
  PatientRef,
  ReportRecord,
  VisitRecord,
} from './record.ts';
import { assertFields, stamp } from './register.ts';
import { visitIdOf, type VisitState } from './visit.ts';

/** Applies all records of one entry, or none. */
export function foldEntry(slice: Slice, inputs: readonly Input[], derive: Derivation): Folded {
  let at = slice;
  const findings: Finding[] = [];
  for (const input of inputs) {
    const step = foldRecord(at, input, derive);
    if (!step.ok) return step;
    at = step.value.slice;
    findings.push(...step.value.findings);
  }
  return ok({ slice: at, findings });
}

function foldRecord(slice: Slice, input: Input, derive: Derivation): Folded {
  const { record } = input;
  const quality = record.kind === 'instance' ? 1 : 2;
  const { tie, forced, again = false } = input;
  const by: Assertion = { quality, at: record.at, tie, forced, again };
  switch (record.kind) {
    case 'patient':
      return foldPatient(slice, record.site, record.patient, record.fields, by, derive);
    case 'visit':
      return ok({ slice: foldVisit(slice, record, by, derive), findings: [] });
    case 'merge':
      return foldMerge(slice, record, by, derive);
    case 'move':
      return foldMove(slice, record, by, derive);
    case 'link':
      return foldLink(slice, record, by, derive);
    case 'order':
      return foldExam(slice, record, derive, (exam) => ok({ exam: assertOrder(exam, record, by), findings: [] }));
    case 'study':
      return foldExam(slice, record, derive, (exam) => {
        const uid = record.keys.studyUid ?? Object.keys(exam.studies).sort()[0] ?? '';
        const told = assertStudy(exam, uid, record.fields, by);
        if (record.voided === undefined) return ok({ exam: told, findings: [] });
        // Without a study UID it is the exam that is void, with every study that it has or is yet to get.
        return ok({
          exam: assertStudy(told, record.keys.studyUid ?? '', { voided: record.voided }, by),
          findings: [],
        });
      });
    case 'report':
      return foldExam(slice, record, derive, (exam) =>
        assertReport(exam, record, input.stored, input.journalId, { ...by, tie: contentDigest(record, derive) }),
      );
    case 'instance':
      return foldInstance(slice, record, input, by, derive);
  }
}

function foldPatient(
  slice: Slice,
  site: SiteId,
  ref: PatientRef,
  fields: PatientFields,
  by: Assertion,
  derive: Derivation,
): Folded {
  const recordId = recordIdOf(site, ref, derive);
  const present = slice.patients.get(recordId) ?? blank(recordId, site, ref);
  const asserted = assertPatient(present, fields, by);
  if (!asserted.ok) return asserted;
  const { state, findings } = asserted.value;
  return ok({ slice: withPatient(slice, state), findings });
}

/** Nothing contradicts a visit: each field is whatever was said of it last. */
function foldVisit(slice: Slice, record: VisitRecord, by: Assertion, derive: Derivation): Slice {
  const { site, patient, visit: ref } = record;
  const recordId = recordIdOf(site, patient, derive);
  const visitId = visitIdOf(recordId, ref, derive);
  const present: VisitState = slice.visits.get(visitId) ?? { visitId, recordId, site, ref, facts: {} };
  const mark = stamp(by.quality, by.at, 0, by.tie);
  const told = { ...present, facts: assertFields(present.facts, record.fields, mark, by.again) };
  const known = slice.patients.has(recordId) ? slice : withPatient(slice, blank(recordId, site, patient));
  return { ...known, visits: new Map(slice.visits).set(visitId, told) };
}

/** The same report sent again under another message id is the same version (FLOWS §2: identical hash = idempotent). */
const contentDigest = (record: ReportRecord, derive: Derivation): string =>
  derive.id('report content', record.reportNumber, record.status, JSON.stringify(record.content));

type ExamChange = (exam: ExamState) => Result<{ exam: ExamState; findings: readonly Finding[] }>;

function foldExam(
  slice: Slice,
  record: {
    readonly kind: CanonicalRecord['kind'];
    readonly site: SiteId;
    readonly patient: PatientRef | null;
    readonly keys: ExamKeys;
  },
  derive: Derivation,
  change: ExamChange,
): Folded {
  const keys = keysOf(record.keys);
  if (keys.length === 0)
    return fail(
      problem(
        'required-missing',
        'exam keys',
        'Nothing names the exam: placer, filler, accession or study UID is needed.',
      ),
    );
  const patient = record.patient === null ? null : recordIdOf(record.site, record.patient, derive);
  const { exams: found, ambiguous } = findExams(slice, record.site, keys);
  if (ambiguous) return foldEach(slice, found, record, patient, change);
  const owners = new Set(found.filter((exam) => exam.placed).map((exam) => canonical(slice, exam.recordId)));
  if (patient !== null) owners.add(canonical(slice, patient));
  if (owners.size > 1)
    return fail(problem('patient-mismatch', record.patient === null ? 'exam keys' : 'patient identifier'));
  const registered =
    patient === null || record.patient === null || slice.patients.has(patient)
      ? slice
      : withPatient(slice, blank(patient, record.site, record.patient));
  const united = uniteExams(record.site, found, keys, patient, derive);
  const changed = change(united);
  if (!changed.ok) return changed;
  return ok({ slice: replaceExams(registered, found, changed.value.exam), findings: changed.value.findings });
}

/** A message about a whole request form: an order event concerns each of its exams; anything else must say which. */
function foldEach(
  slice: Slice,
  found: readonly ExamState[],
  record: { readonly kind: CanonicalRecord['kind'] },
  patient: HubId | null,
  change: ExamChange,
): Folded {
  if (record.kind !== 'order')
    return fail(problem('conflict', 'exam keys', 'The number names several exams; the accession number is needed.'));
  if (patient !== null && found.some((exam) => canonical(slice, exam.recordId) !== canonical(slice, patient)))
    return fail(problem('patient-mismatch', 'patient identifier'));
  let at = slice;
  for (const exam of found) {
    const changed = change(exam);
    if (!changed.ok) return changed;
    at = replaceExams(at, [exam], changed.value.exam);
  }
  return ok({ slice: at, findings: [] });
}

/**
 * The exams that the keys mean. Strong keys (accession, study, index) to a fixed point first; placer and filler only
 * add exams that no accession speaks against. `ambiguous`: a request form's number alone, and several exams carry it.
 */
function findExams(slice: Slice, site: SiteId, keys: readonly ExamKey[]): { exams: ExamState[]; ambiguous: boolean } {
  const here = [...slice.exams.values()].filter((exam) => exam.site === site);
  const found = new Set<ExamState>();
  let reach: readonly ExamKey[] = keys;
  for (let grew = true; grew;) {
    grew = false;
    for (const exam of here) {
      if (found.has(exam) || !exam.keys.some((key) => isStrong(key) && reach.includes(key))) continue;
      found.add(exam);
      reach = [...reach, ...exam.keys];
      grew = true;
    }
  }
  const weak = here.filter((exam) => !found.has(exam) && matches(exam, reach));
  const named = new Set([...found, ...weak].map((exam) => exam.keys.find((key) => key.startsWith('accession|')) ?? ''));
  named.delete('');
  const ambiguous = found.size === 0 && named.size > 1;
  return { exams: [...found, ...weak], ambiguous };
}

function replaceExams(slice: Slice, old: readonly ExamState[], exam: ExamState): Slice {
  const exams = new Map(slice.exams);
  const retired = new Map(slice.retired);
  for (const other of old) {
    exams.delete(other.examId);
    if (other.examId !== exam.examId) retired.set(other.examId, exam.examId);
  }
  retired.delete(exam.examId);
  return { ...slice, exams: exams.set(exam.examId, exam), retired };
}

function foldInstance(slice: Slice, record: InstanceRecord, input: Input, by: Assertion, derive: Derivation): Folded {
  let at = slice;
  const findings: Finding[] = [];
  if (record.patient !== null) {
    const step = foldPatient(slice, record.site, record.patient, record.demographics, by, derive);
    if (!step.ok) return step;
    at = step.value.slice;
    findings.push(...step.value.findings);
  }
  const { studyId, referringPhysician, ...fields } = record.study;
  const detail = { ...fields, ...(studyId ? { studyId } : {}), ...(referringPhysician ? { referringPhysician } : {}) };
  // Instances of one study agree on its time but not on when they were sent: the study's own time keeps the join stable.
  const own: Assertion = { ...by, tie: record.instance.uid };
  const step = foldExam(at, record, derive, (exam) =>
    ok({ exam: assertStudy(exam, record.keys.studyUid, detail, own), findings: [] }),
  );
  if (!step.ok) return step;
  const arrivals = [...step.value.slice.arrivals, { record, journalId: input.journalId }];
  return ok({ slice: { ...step.value.slice, arrivals }, findings: [...findings, ...step.value.findings] });
}
