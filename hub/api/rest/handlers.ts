/** What each operation of openapi/hub.yaml does, feeds excepted: one handler an operation, asked for by the compiler. */
import { decide, type Caller } from '../../core/access.ts';
import type { ExamSearch, OrphanReader } from '../../core/operation.ts';
import { parseResidentId } from '../../core/identifier.ts';
import type { IndexReader } from '../../core/ports.ts';
import { problem } from '../../core/problem.ts';
import type { SiteProfile, Sites } from '../../core/site.ts';
import { signedOnly } from '../../core/view.ts';
import { consentHandlers, type ConsentHandlerDeps } from './consents.ts';
import { emergencyHandlers, type EmergencyDeps } from './emergency.ts';
import { accountHandlers } from './account.ts';
import type { AccountDeps } from './account.ts';
import { approvalHandlers, type ApprovalDeps } from './approvals.ts';
import { clientHandlers, type ClientDeps } from './clients.ts';
import { clinicalHandlers, type ClinicalDeps } from './clinical.ts';
import { codeHandlers, type CodeDeps } from './codes.ts';
import { sightedExams } from '../../flow/sighted-index.ts';
import { examRecord } from './exam-record.ts';
import { figureHandlers, type FigureDeps } from './figures.ts';
import { auditHandlers, type AuditHandlerDeps } from './audit.ts';
import { identityHandlers, type IdentityDeps } from './identity.ts';
import { institutionHandlers, type InstitutionDeps } from './institutions.ts';
import { journalHandlers, type JournalDeps } from './journal.ts';
import type { Disclosure, Handlers, Refused } from './operation.ts';
import { replayHandlers, type ReplayDeps } from './replays.ts';
import { reviewOf } from './review-item.ts';
import { pageOf } from './page.ts';
import { asked, disclosed, notFound } from './scope.ts';
import { reasonHandlers, type ReasonDeps } from './access-reasons.ts';
import { sensitivityHandlers, type SensitivityDeps } from './sensitivity.ts';
import { sessionHandlers } from './session.ts';
import type { SessionDeps } from './session.ts';
import { launchHandlers } from './viewer-launch.ts';
import type { LaunchDeps } from './viewer-launch.ts';
import { worklistHandlers, type WorklistDeps } from './worklist.ts';

export interface HandlerDeps
  extends
    IdentityDeps,
    SessionDeps,
    AccountDeps,
    ApprovalDeps,
    ClientDeps,
    AuditHandlerDeps,
    ClinicalDeps,
    JournalDeps,
    CodeDeps,
    ReplayDeps,
    FigureDeps,
    SensitivityDeps,
    Pick<ReasonDeps, 'reasons'>,
    WorklistDeps,
    Omit<LaunchDeps, 'index'> {
  readonly consent: ConsentHandlerDeps;
  readonly emergency: EmergencyDeps;
  readonly institutions: InstitutionDeps;
  readonly sites: Sites;
  readonly orphans: OrphanReader;
  readonly exams: ExamSearch;
  readonly index: Pick<IndexReader, 'exam' | 'examOfStudy'>;
}

const act = (action: Disclosure['action'], object: string, reason?: string): Disclosure =>
  disclosed(action, object, reason === undefined ? {} : { reason });

function siteOf(site: SiteProfile) {
  const channels = [
    ...(site.hl7v2.senders.length > 0 ? (['hl7v2'] as const) : []),
    ...(site.dicom.aeTitles.length > 0 ? (['dicom'] as const) : []),
    'rest' as const,
  ];
  const { id, name, institutionCode, level, storage, timeZone } = site;
  return { id, name, institutionCode, storage, timeZone, channels, ...(level === undefined ? {} : { level }) };
}

type Operating = Pick<
  Handlers,
  'listSites' | 'listReviews' | 'readReview' | 'retryReview' | 'dismissReview' | 'listOrphans'
>;

/** Who is bound to a site sees what is of that site, and nothing that is of none. */
const isForeign = ({ role, site }: Caller, of: string | null): boolean =>
  role === 'interface-engineer' && (site === undefined || of !== site);

async function ofOwn<F extends { readonly site?: string | undefined }, R>(
  caller: Caller,
  filter: F,
  list: (own: F) => Promise<R>,
): Promise<R | Refused> {
  const { site } = caller;
  if (caller.role !== 'interface-engineer') return list(filter);
  const decision = decide(caller, { kind: 'operate', ...(filter.site === undefined ? {} : { site: filter.site }) });
  return decision.allowed ? list({ ...filter, site }) : { problem: problem('forbidden', 'site', decision.reason) };
}

function operating(deps: HandlerDeps): Operating {
  const { reviews, orphans, sites } = deps;
  const foreignReview = async (caller: Caller, id: string): Promise<boolean> =>
    caller.role === 'interface-engineer' && isForeign(caller, (await reviews.item(id))?.site ?? null);
  return {
    listSites: async () => ({ status: 200, body: { items: sites.all.map(siteOf) } }),
    listReviews: async ({ caller, query: { limit, after, ...filter } }) =>
      ofOwn(caller, filter, async (own) => {
        const page = await reviews.list(asked(own), pageOf({ limit, after }));
        return { status: 200, body: { items: page.items.map(reviewOf), next: page.next } };
      }),
    readReview: async ({ caller, path }) => {
      const item = await reviews.item(path.id);
      return item === null || isForeign(caller, item.site) ? notFound() : { status: 200, body: reviewOf(item) };
    },
    retryReview: async ({ path, caller }) => {
      if (await foreignReview(caller, path.id)) return notFound();
      const result = await reviews.retry(path.id, caller);
      return result.ok
        ? { status: 200, body: reviewOf(result.value), disclosure: act('change', `review/${path.id}`, 'retry') }
        : { problem: result.problem };
    },
    dismissReview: async ({ path, caller, body }) => {
      if (await foreignReview(caller, path.id)) return notFound();
      const result = await reviews.dismiss(path.id, caller, body.reason);
      return result.ok
        ? { status: 200, body: reviewOf(result.value), disclosure: act('change', `review/${path.id}`, 'dismiss') }
        : { problem: result.problem };
    },
    listOrphans: async ({ caller, query: { limit, after, ...filter } }) =>
      ofOwn(caller, filter, async (own) => ({
        status: 200,
        body: await orphans.list(asked(own), pageOf({ limit, after })),
      })),
  };
}

function reading({ exams, index, sites }: HandlerDeps): Pick<Handlers, 'searchExams' | 'readExam'> {
  return {
    searchExams: async ({ sight, body: { identifier, limit, after } }) => {
      const resident = identifier.authority === undefined ? parseResidentId(identifier.value) : null;
      if (resident?.ok === false) {
        const text = 'Without an authority this must be a valid resident ID.';
        const errors = [{ pointer: '#/identifier/value', code: resident.reason, text }];
        return { problem: problem('invalid-value', 'identifier.value', text), errors };
      }
      const wanted = resident === null ? identifier : { value: resident.id };
      const page = await sightedExams(exams, sight).byPatient(wanted, pageOf({ limit, after }, 20));
      const objects = page.items.map(({ examId }) => `exam/${examId}`);
      const body = {
        items: page.items.map((exam) => examRecord(sight.signedOnly ? signedOnly(exam) : exam, sites)),
        next: page.next,
      };
      return { status: 200, body, disclosure: { action: 'search', persons: page.personIds, objects } };
    },
    readExam: async ({ path, sight }) => {
      const exam = await index.exam(path.id);
      // Another id of it may have been asked for: the right is to what it is today.
      if (exam !== null && !(await sight.exams([exam.examId])).has(exam.examId)) return notFound();
      if (exam === null) return notFound();
      const disclosure = { action: 'read', persons: [exam.personId], objects: [`exam/${exam.examId}`] } as const;
      const told = sight.signedOnly ? signedOnly(exam) : exam;
      return { status: 200, body: examRecord(told, sites, true), disclosure };
    },
  };
}

const auditList = ({ auditReader }: HandlerDeps): Pick<Handlers, 'listAudit'> => ({
  listAudit: async ({ query: { limit, after, ...filter } }) => ({
    status: 200,
    body: await auditReader.list(asked(filter), pageOf({ limit, after })),
    disclosure: act('read', 'audit'),
  }),
});

const operationsHandlers = (deps: HandlerDeps) => ({
  ...journalHandlers(deps),
  ...codeHandlers(deps),
  ...replayHandlers(deps),
  ...figureHandlers(deps),
});

export function createHandlers(deps: HandlerDeps): Handlers {
  return {
    ...operating(deps),
    ...reading(deps),
    ...auditList(deps),
    ...clientHandlers(deps),
    ...approvalHandlers(deps),
    ...identityHandlers(deps),
    ...auditHandlers(deps),
    ...consentHandlers(deps.consent),
    ...emergencyHandlers(deps.emergency),
    ...sensitivityHandlers(deps),
    ...reasonHandlers(deps),
    ...worklistHandlers(deps),
    ...institutionHandlers(deps.institutions),
    ...launchHandlers(deps),
    ...sessionHandlers(deps),
    ...accountHandlers(deps),
    ...clinicalHandlers(deps),
    ...operationsHandlers(deps),
  };
}
