/** `POST /viewer-launches`: makes the code that opens the viewer once. It names a study that the caller may read now. */
import type { Caller } from '../../core/access.ts';
import type { IndexReader } from '../../core/ports.ts';
import { problem } from '../../core/problem.ts';
import { CODE_MS } from '../../core/viewer.ts';
import type { ViewerLaunches } from '../../core/viewer.ts';
import { drawToken, hashToken } from '../../security/token.ts';
import type { Asked, Handlers } from './operation.ts';

export interface LaunchDeps {
  readonly index: Pick<IndexReader, 'exam' | 'examOfStudy'>;
  readonly launches: ViewerLaunches;
  readonly clock: () => Date;
}

export const launchHandlers = ({ index, launches, clock }: LaunchDeps): Pick<Handlers, 'launchViewer'> => ({
  launchViewer: async ({ caller, sight, body }) => {
    const { examId, studyUid } = body;
    if ((examId === undefined) === (studyUid === undefined))
      return { problem: problem('invalid-value', 'examId', 'Name the exam by examId or by studyUid, one of them.') };
    const exam = examId === undefined ? await index.examOfStudy(studyUid ?? '') : await index.exam(examId);
    const studies = exam?.studies.filter((one) => !one.voided && (studyUid === undefined || one.studyUid === studyUid));
    const seen = await sight.studies((studies ?? []).map((one) => one.studyUid));
    if (exam === null || !studies?.some((one) => seen.has(one.studyUid)))
      return { problem: problem('not-found', undefined, 'There is no such exam with images here.') };
    const code = drawToken();
    const endsAt = new Date(clock().getTime() + CODE_MS);
    const studyUids = studies.map((one) => one.studyUid).filter((uid) => seen.has(uid));
    const accountId = caller.user?.accountId ?? null;
    const launch = { caller: inTheNameOf(caller, body.user), accountId, personId: exam.personId, studyUids };
    await launches.add(launch, hashToken(code), endsAt);
    return {
      status: 201,
      body: { url: `/viewer/launch?code=${code}`, expiresAt: endsAt.toISOString() },
      disclosure: { action: 'read', persons: [exam.personId], objects: [`exam/${exam.examId}`, ...studyUids] },
    };
  },
});

/** Whom a system names acts as a physician there; whoever signed in here acts for himself. */
function inTheNameOf(caller: Caller, user: Asked<'launchViewer'>['body']['user']): Caller {
  if (caller.user !== undefined || caller.onBehalfOf !== undefined || user === undefined) return caller;
  return {
    ...caller,
    onBehalfOf: {
      issuer: caller.name,
      userId: user.id,
      userName: user.name,
      ...(user.organization === undefined ? {} : { organization: user.organization }),
      roles: [],
      purposes: [],
      role: 'physician',
      vouched: true,
      patientIds: [],
      policies: [],
    },
  };
}
