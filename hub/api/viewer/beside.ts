/**
 * What stands beside the images, as one answer: whose study this is, what the reports of it say, and the person's other
 * exams in every hospital. The same for a signed-in reader and for a launch, and in the audit before it leaves.
 */
import type { RequestHandler } from 'express';
import { groundsOf, refusalOf } from '../../core/access-ports.ts';
import type { AccessDesk, Sight } from '../../core/access-ports.ts';
import { decide } from '../../core/access.ts';
import type { Caller } from '../../core/access.ts';
import { audited } from '../../core/audit.ts';
import type { AuditTrail } from '../../core/audit.ts';
import { lenientUid } from '../../core/identifier.ts';
import type { HubId, Uid } from '../../core/identifier.ts';
import { fail, ok, problem } from '../../core/problem.ts';
import type { Result } from '../../core/problem.ts';
import type { Sites } from '../../core/site.ts';
import type { PersonExams } from '../../core/viewer.ts';
import { signedOnly, type ExamView } from '../../core/view.ts';
import { callerOf } from '../caller.ts';
import { sendProblem } from '../rest/problem.ts';

export interface BesideDeps {
  readonly exams: PersonExams;
  readonly sites: Sites;
  readonly audit: AuditTrail;
  /** Whose records the caller sees. */
  readonly desk: AccessDesk;
}

/** Newer ones are what a reader compares with; the portal's time line has them all. */
const EXAMS = 100;

export interface Readable {
  readonly caller: Caller;
  readonly sight: Sight;
  readonly personId: HubId;
  readonly studyUid: Uid;
}

/** The person of a study, where the caller may read it; what is hidden is as if it were not there. */
export async function readable(
  deps: Pick<BesideDeps, 'exams' | 'audit' | 'desk'>,
  caller: Caller | null,
  study: unknown,
  operation: string,
): Promise<Result<Readable>> {
  if (caller === null) return fail(problem('unauthenticated'));
  const studyUid = typeof study === 'string' ? lenientUid(study) : null;
  const decision = decide(caller, { kind: 'read-images' });
  if (!decision.allowed) {
    const objects = studyUid === null ? [] : [studyUid];
    const event = { action: 'refuse', outcome: 'refused', face: 'viewer', operation, persons: [], objects } as const;
    await deps.audit.record({ ...event, ...audited(caller), reason: decision.reason });
    return fail(problem('forbidden', undefined, decision.reason));
  }
  const sight = await deps.desk.sight(caller);
  const personId = studyUid === null ? null : await deps.exams.personOf(studyUid);
  const seen = studyUid === null ? null : await sight.studies([studyUid]);
  if (studyUid !== null && personId !== null && seen?.has(studyUid) === true)
    return ok({ caller, sight, personId, studyUid });
  const refusal = refusalOf(sight.told());
  const event = { action: 'refuse', outcome: 'refused', face: 'viewer', operation } as const;
  if (refusal !== null) await deps.audit.record({ ...event, ...audited(caller), ...refusal });
  return fail(problem('not-found', 'study', 'There is no such study here, or it was withdrawn.'));
}

export const besideHandler =
  (deps: BesideDeps, csrfOf: (request: Parameters<RequestHandler>[0]) => string | null): RequestHandler =>
  async (request, response) => {
    const operation = 'GET /viewer/*/studies/*';
    const found = await readable(deps, callerOf(response), request.params['study'], operation);
    if (!found.ok) {
      sendProblem(response, found.problem);
      return;
    }
    const { caller, sight, personId, studyUid } = found.value;
    const all = await deps.exams.of(personId, EXAMS);
    const seen = await sight.exams(all.map(({ examId }) => examId));
    const exams = all.filter(({ examId }) => seen.has(examId));
    const objects = exams.map(({ examId }) => `exam/${examId}`);
    const event = {
      action: 'read',
      outcome: 'success',
      face: 'viewer',
      operation,
      persons: [personId],
      objects,
    } as const;
    await deps.audit.record({ ...event, ...audited(caller), ...groundsOf(sight.told()) });
    const here = exams.find(({ studies }) => studies.some((one) => one.studyUid === studyUid)) ?? exams[0];
    response.json({
      person: { id: personId, name: here === undefined ? null : nameOf(here), localId: here?.patient.localId ?? null },
      maySave: decide(caller, { kind: 'annotate' }).allowed,
      csrf: csrfOf(request),
      exams: exams.map((exam) => shown(sight.signedOnly ? signedOnly(exam) : exam, deps.sites)),
    });
  };

const nameOf = ({ patient }: ExamView): string | null =>
  (patient.names.find(({ representation }) => representation === 'ideographic') ?? patient.names[0])?.text ?? null;

function shown(exam: ExamView, sites: Sites): object {
  const { report } = exam;
  return {
    examId: exam.examId,
    site: exam.site,
    siteName: sites.byId(exam.site)?.name ?? exam.site,
    studies: exam.studies
      .filter(({ voided }) => !voided)
      .map((study) => ({
        studyInstanceUid: study.studyUid,
        description: study.fields.description ?? null,
        modalities: study.modalities,
        startedAt: study.fields.startedAt ?? null,
      })),
    report:
      report === null
        ? null
        : {
            status: report.status,
            critical: report.content.critical === true,
            title: report.content.title ?? null,
            findings: report.content.findings ?? null,
            impression: report.content.impression ?? null,
            suggestion: report.content.suggestion ?? null,
            reporter: report.content.reporter ?? null,
            auditor: report.content.auditor ?? null,
            reportedAt: report.content.reportedAt ?? report.at,
          },
  };
}
