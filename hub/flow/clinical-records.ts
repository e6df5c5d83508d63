/**
 * What a physician asks: who is this patient, what was examined where, how an exam came here and what to compare it with.
 * Every answer holds only what the access desk lets this caller see, and counts nothing else.
 */
import type { Sight } from '../core/access-ports.ts';
import type {
  ExamHistory,
  ExamMark,
  Origin,
  PersonQuestion,
  PersonSearch,
  Prior,
  ReportRevision,
  TimelineExam,
  TimelineFilter,
} from '../core/clinical.ts';
import { byTime, isExact, priorsOf, shows, timelineExam } from '../core/clinical.ts';
import type { HubId } from '../core/identifier.ts';
import type { Explanation, IdentityDesk } from '../core/identity.ts';
import type { Page, PageRequest } from '../core/operation.ts';
import type { IndexReader } from '../core/ports.ts';
import { fail, ok, problem, type Result } from '../core/problem.ts';
import { textDiff, type TextPart } from '../core/text-diff.ts';
import { isFormer, isSigned, signedOnly, type ExamView, type PatientView } from '../core/view.ts';

/** What these questions need of what the caller may see. */
export type ClinicalSight = Pick<Sight, 'decide' | 'persons' | 'exams' | 'identified' | 'signedOnly'>;

export interface ClinicalDeps {
  readonly persons: PersonSearch;
  readonly history: ExamHistory;
  readonly index: Pick<IndexReader, 'exam' | 'person'>;
  readonly identity: Pick<IdentityDesk, 'person'>;
}

export interface PersonFound {
  readonly personId: HubId;
  /** `closed`: known by number, nothing of them may be seen; `reason`: it may, as soon as the reader has said why. */
  readonly access: 'open' | 'closed' | 'reason';
  readonly registrations: readonly PatientView[];
  /** Those that may be seen, newest first. */
  readonly exams: readonly ExamMark[];
}

export interface Timeline {
  readonly personId: HubId;
  readonly registrations: readonly PatientView[];
  /** What the filters show. */
  readonly exams: readonly TimelineExam[];
  /** All that may be seen: what filters are made of. */
  readonly all: readonly TimelineExam[];
}

export interface Revision extends ReportRevision {
  readonly current: boolean;
  readonly changes: readonly { readonly field: TextField; readonly parts: readonly TextPart[] }[];
}

export interface Provenance {
  readonly exam: ExamView;
  readonly origins: readonly Origin[];
  readonly links: readonly Explanation[];
  /** How many registrations are this person. */
  readonly registrations: number;
  readonly listings: readonly string[];
}

const TEXT_FIELDS = ['title', 'findings', 'impression', 'suggestion'] as const;
export type TextField = (typeof TEXT_FIELDS)[number];

/** Persons of one answer: whom more share a name and a birthday with must be asked for by number. */
const MOST_PERSONS = 200;
/** Exams of one person that a list counts, and that a time line holds. */
const MOST_MARKS = 200;
const MOST_EXAMS = 1_000;
/** So many times as much is looked through, so that what is hidden takes the place of nothing. */
const LOOKED_AT = 10;

export type ClinicalRecords = ReturnType<typeof createClinicalRecords>;

export function createClinicalRecords(deps: ClinicalDeps) {
  return {
    search: (sight: ClinicalSight, question: PersonQuestion, page: PageRequest) => search(deps, sight, question, page),
    timeline: (sight: ClinicalSight, personId: string, filter: TimelineFilter) =>
      timeline(deps, sight, personId, filter),

    async priors(sight: ClinicalSight, examId: string): Promise<Result<{ exam: ExamView; priors: readonly Prior[] }>> {
      const found = await examSeen(deps, sight, examId);
      if (!found.ok) return found;
      const exam = found.value;
      const others = await seenOf(deps, sight, exam.personId);
      return ok({ exam, priors: priorsOf(timelineExam(exam), others) });
    },

    async revisions(
      sight: ClinicalSight,
      examId: string,
    ): Promise<Result<{ exam: ExamView; items: readonly Revision[] }>> {
      const found = await examSeen(deps, sight, examId);
      if (!found.ok) return found;
      const exam = found.value;
      const all = await deps.history.revisions(exam.examId);
      // Of a report that was withdrawn nothing is told, of a signed one what was signed.
      const told = exam.report === null ? [] : all.filter(({ status }) => isSigned(status));
      const revisions = sight.signedOnly ? told : all;
      return ok({ exam, items: revisions.map((one, at) => revised(one, revisions[at - 1], exam)).toReversed() });
    },

    async provenance(sight: ClinicalSight, examId: string): Promise<Result<Provenance>> {
      const found = await examSeen(deps, sight, examId);
      if (!found.ok) return found;
      const exam = found.value;
      const [origins, listings, file] = await Promise.all([
        deps.history.origins(exam),
        deps.history.listings(exam),
        deps.identity.person(exam.personId),
      ]);
      const links = (file?.links ?? []).filter(({ records }) => records.includes(exam.recordId));
      return ok({ exam, origins, listings, links, registrations: file?.registrations.length ?? 1 });
    },
  };
}

async function search(
  { persons }: ClinicalDeps,
  sight: ClinicalSight,
  question: PersonQuestion,
  page: PageRequest,
): Promise<Page<PersonFound>> {
  const found = await persons.find(question, MOST_PERSONS * LOOKED_AT);
  const decisions = await sight.decide(found.map((person) => ({ person })));
  const open = new Set(found.filter((_, at) => decisions[at]?.allowed === true));
  const wanting = new Set(
    found.filter((_, at) => {
      const decision = decisions[at];
      return decision?.allowed === false && decision.reason === 'reason-required';
    }),
  );
  if (isExact(question)) await sight.identified(found);
  const shown = found
    .filter((id) => open.has(id) || wanting.has(id) || isExact(question))
    .slice(0, MOST_PERSONS)
    .filter((id) => page.after === undefined || id > page.after)
    .sort();
  const ids = shown.slice(0, page.limit);
  const [registrations, marks] = await Promise.all([
    persons.registrations(ids),
    persons.marks(
      ids.filter((id) => open.has(id)),
      MOST_MARKS * LOOKED_AT,
    ),
  ]);
  const seen = await sight.exams(marks.map(({ examId }) => examId));
  const items = ids.map((personId) => ({
    personId,
    access: open.has(personId) ? ('open' as const) : wanting.has(personId) ? ('reason' as const) : ('closed' as const),
    registrations: registrations.get(personId) ?? [],
    exams: marks.filter((mark) => mark.personId === personId && seen.has(mark.examId)).slice(0, MOST_MARKS),
  }));
  return { items, next: shown.length > ids.length ? (ids.at(-1) ?? null) : null };
}

async function timeline(
  deps: ClinicalDeps,
  sight: ClinicalSight,
  personId: string,
  filter: TimelineFilter,
): Promise<Result<Timeline>> {
  const person = await deps.index.person(personId);
  if (person === null) return fail(problem('not-found'));
  const all = await seenOf(deps, sight, person.personId);
  // A consultation or a share may open an exam of somebody whose person is not open otherwise.
  if (all.length === 0 && !(await sight.persons([person.personId])).has(person.personId))
    return fail(problem('not-found'));
  const registrations = person.records.filter((record) => !isFormer(record));
  return ok({ personId: person.personId, registrations, all, exams: all.filter((exam) => shows(exam, filter)) });
}

async function seenOf(
  { history }: ClinicalDeps,
  sight: ClinicalSight,
  personId: HubId,
): Promise<readonly TimelineExam[]> {
  const exams = await history.examsOf(personId, MOST_EXAMS * LOOKED_AT);
  const seen = await sight.exams(exams.map(({ examId }) => examId));
  return exams
    .filter(({ examId }) => seen.has(examId))
    .slice(0, MOST_EXAMS)
    .map((exam) => timelineExam(sight.signedOnly ? signedOnly(exam) : exam))
    .sort(byTime);
}

async function examSeen({ index }: ClinicalDeps, sight: ClinicalSight, examId: string): Promise<Result<ExamView>> {
  const exam = await index.exam(examId);
  const seen = exam !== null && (await sight.exams([exam.examId])).has(exam.examId);
  if (!seen) return fail(problem('not-found'));
  return ok(sight.signedOnly ? signedOnly(exam) : exam);
}

function revised(revision: ReportRevision, before: ReportRevision | undefined, { report }: ExamView): Revision {
  const current = report !== null && report.reportNumber === revision.number && report.at === revision.at;
  const changes =
    before === undefined
      ? []
      : TEXT_FIELDS.flatMap((field) => {
          const [was, is] = [before.content[field] ?? '', revision.content[field] ?? ''];
          return was === is ? [] : [{ field, parts: textDiff(was, is) }];
        });
  return { ...revision, current: current && report.status === revision.status, changes };
}
