/** What each operation of openapi/hub.yaml does, feeds excepted: one handler an operation, asked for by the compiler. */
import type { AuditReader, Client, ClientStore } from '../../core/client.ts';
import type { ExamSearch, OrphanReader } from '../../core/operation.ts';
import { parseResidentId } from '../../core/identifier.ts';
import type { IndexReader } from '../../core/ports.ts';
import { problem } from '../../core/problem.ts';
import type { SiteProfile, Sites } from '../../core/site.ts';
import { drawToken, hashToken } from '../../security/token.ts';
import { accountHandlers } from './account.ts';
import type { AccountDeps } from './account.ts';
import { clinicalHandlers, type ClinicalDeps } from './clinical.ts';
import { codeHandlers, type CodeDeps } from './codes.ts';
import { examRecord } from './exam-record.ts';
import { figureHandlers, type FigureDeps } from './figures.ts';
import { identityHandlers, type IdentityDeps } from './identity.ts';
import { journalHandlers, type JournalDeps } from './journal.ts';
import type { Disclosure, Handlers, Refused } from './operation.ts';
import { replayHandlers, type ReplayDeps } from './replays.ts';
import { reviewOf } from './review-item.ts';
import { asked, disclosed, notFound, pageOf } from './scope.ts';
import { sessionHandlers } from './session.ts';
import type { SessionDeps } from './session.ts';

export interface HandlerDeps
  extends IdentityDeps, SessionDeps, AccountDeps, ClinicalDeps, JournalDeps, CodeDeps, ReplayDeps, FigureDeps {
  readonly sites: Sites;
  readonly orphans: OrphanReader;
  readonly exams: ExamSearch;
  readonly index: Pick<IndexReader, 'exam'>;
  readonly clients: ClientStore;
  readonly auditReader: AuditReader;
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

function operating(deps: HandlerDeps): Operating {
  const { reviews, orphans, sites } = deps;
  return {
    listSites: async () => ({ status: 200, body: { items: sites.all.map(siteOf) } }),
    listReviews: async ({ query: { limit, after, ...filter } }) => {
      const page = await reviews.list(asked(filter), pageOf({ limit, after }));
      return { status: 200, body: { items: page.items.map(reviewOf), next: page.next } };
    },
    readReview: async ({ path }) => {
      const item = await reviews.item(path.id);
      return item === null ? notFound() : { status: 200, body: reviewOf(item) };
    },
    retryReview: async ({ path, caller }) => {
      const result = await reviews.retry(path.id, caller);
      return result.ok
        ? { status: 200, body: reviewOf(result.value), disclosure: act('change', `review/${path.id}`, 'retry') }
        : { problem: result.problem };
    },
    dismissReview: async ({ path, caller, body }) => {
      const result = await reviews.dismiss(path.id, caller, body.reason);
      return result.ok
        ? { status: 200, body: reviewOf(result.value), disclosure: act('change', `review/${path.id}`, 'dismiss') }
        : { problem: result.problem };
    },
    listOrphans: async ({ query: { limit, after, ...filter } }) => ({
      status: 200,
      body: await orphans.list(asked(filter), pageOf({ limit, after })),
    }),
  };
}

function reading({ exams, index }: HandlerDeps): Pick<Handlers, 'searchExams' | 'readExam'> {
  return {
    searchExams: async ({ body: { identifier, limit, after } }) => {
      const resident = identifier.authority === undefined ? parseResidentId(identifier.value) : null;
      if (resident?.ok === false) {
        const text = 'Without an authority this must be a valid resident ID.';
        const errors = [{ pointer: '#/identifier/value', code: resident.reason, text }];
        return { problem: problem('invalid-value', 'identifier.value', text), errors };
      }
      const wanted = resident === null ? identifier : { value: resident.id };
      const page = await exams.byPatient(wanted, pageOf({ limit, after }, 20));
      const objects = page.items.map(({ examId }) => `exam/${examId}`);
      const body = { items: page.items.map((exam) => examRecord(exam)), next: page.next };
      return { status: 200, body, disclosure: { action: 'search', persons: page.personIds, objects } };
    },
    readExam: async ({ path }) => {
      const exam = await index.exam(path.id);
      if (exam === null) return notFound();
      const disclosure = { action: 'read', persons: [exam.personId], objects: [`exam/${exam.examId}`] } as const;
      return { status: 200, body: examRecord(exam, true), disclosure };
    },
  };
}

type Administering = Pick<Handlers, 'listClients' | 'createClient' | 'revokeClient' | 'listAudit'>;

function administering({ clients, auditReader, sites }: HandlerDeps): Administering {
  const shown = ({
    id,
    name,
    role,
    site,
    certificate,
    createdAt,
    createdBy,
    lastUsedAt,
    revokedAt,
  }: Client): Client => ({
    id,
    name,
    role,
    site,
    certificate,
    createdAt,
    createdBy,
    lastUsedAt,
    revokedAt,
  });
  return {
    listClients: async ({ query }) => {
      const page = await clients.list(pageOf(query));
      return { status: 200, body: { items: page.items.map(shown), next: page.next } };
    },
    createClient: async ({ body, caller }) => {
      const refused = (text: string): Refused => ({
        problem: problem('invalid-value', 'site', text),
        errors: [{ pointer: '#/site', code: 'site', text }],
      });
      const site = body.site === undefined ? null : sites.byId(body.site);
      if (body.site !== undefined && site === null) return refused('There is no such site.');
      if (body.role === 'hospital-feed' && site === null) return refused('A hospital feed is bound to a site.');
      const token = drawToken();
      const certificate = body.certificate?.replaceAll(':', '').toLowerCase() ?? null;
      const bound = { role: body.role, site: site?.id ?? null, certificate };
      const made = { name: body.name.trim(), ...bound, createdBy: caller.id };
      const client = await clients.add(made, hashToken(token));
      return { status: 201, body: { ...shown(client), token }, disclosure: act('administer', `client/${client.id}`) };
    },
    revokeClient: async ({ path }) => {
      const client = await clients.revoke(path.id);
      return client === null
        ? notFound()
        : { status: 200, body: shown(client), disclosure: act('administer', `client/${client.id}`) };
    },
    listAudit: async ({ query: { limit, after, ...filter } }) => ({
      status: 200,
      body: await auditReader.list(asked(filter), pageOf({ limit, after })),
      disclosure: act('read', 'audit'),
    }),
  };
}

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
    ...administering(deps),
    ...identityHandlers(deps),
    ...sessionHandlers(deps),
    ...accountHandlers(deps),
    ...clinicalHandlers(deps),
    ...operationsHandlers(deps),
  };
}
