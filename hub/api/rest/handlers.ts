/** What each operation of openapi/hub.yaml does, feeds excepted: one handler an operation, asked for by the compiler. */
import type { AuditReader, Client, ClientStore } from '../../core/client.ts';
import type { ExamSearch, JournalFilter, JournalReader, OrphanReader, PageRequest } from '../../core/operation.ts';
import { parseResidentId } from '../../core/identifier.ts';
import type { IndexReader } from '../../core/ports.ts';
import { problem } from '../../core/problem.ts';
import type { SiteProfile, Sites } from '../../core/site.ts';
import { publicKeys } from '../../security/client-statement.ts';
import { drawToken, hashToken } from '../../security/token.ts';
import { accountHandlers } from './account.ts';
import type { AccountDeps } from './account.ts';
import { examRecord } from './exam-record.ts';
import { identityHandlers, type IdentityDeps } from './identity.ts';
import type { Disclosure, Handlers, Refused } from './operation.ts';
import { reviewOf } from './review-item.ts';
import { sessionHandlers } from './session.ts';
import type { SessionDeps } from './session.ts';

export interface HandlerDeps extends IdentityDeps, SessionDeps, AccountDeps {
  readonly sites: Sites;
  readonly journal: JournalReader;
  readonly orphans: OrphanReader;
  readonly exams: ExamSearch;
  readonly index: Pick<IndexReader, 'exam'>;
  readonly clients: ClientStore;
  readonly auditReader: AuditReader;
}

const notFound = (): Refused => ({ problem: problem('not-found') });

const act = (action: Disclosure['action'], object: string, reason?: string): Disclosure => ({
  action,
  persons: [],
  objects: [object],
  ...(reason === undefined ? {} : { reason }),
});

interface PageQuery {
  readonly limit?: number | undefined;
  readonly after?: string | undefined;
}

const pageOf = (query: PageQuery, usual = 50): PageRequest => ({
  limit: query.limit ?? usual,
  ...(query.after === undefined ? {} : { after: query.after }),
});

/** Only the members that were asked for, times in UTC. */
function asked<T extends object>(filter: T): T {
  const utc = (name: string, value: unknown): unknown =>
    (name === 'from' || name === 'to') && typeof value === 'string' ? new Date(value).toISOString() : value;
  const entries = Object.entries(filter).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([name, value]) => [name, utc(name, value)])) as T;
}

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
  | 'listSites'
  | 'listJournal'
  | 'countJournal'
  | 'readJournalEntry'
  | 'readJournalBytes'
  | 'retryJournalEntry'
  | 'listReviews'
  | 'readReview'
  | 'retryReview'
  | 'dismissReview'
  | 'listOrphans'
>;

function operating(deps: HandlerDeps): Operating {
  const { journal, reviews, orphans, sites } = deps;
  return {
    listSites: async () => ({ status: 200, body: { items: sites.all.map(siteOf) } }),
    listJournal: async ({ query: { limit, after, ...filter } }) => ({
      status: 200,
      body: await journal.list(asked<JournalFilter>(filter), pageOf({ limit, after })),
    }),
    countJournal: async ({ query }) => ({ status: 200, body: await journal.counters(asked<JournalFilter>(query)) }),
    readJournalEntry: async ({ path }) => {
      const body = await journal.entry(path.id);
      return body === null ? notFound() : { status: 200, body };
    },
    readJournalBytes: async ({ path }) => {
      const raw = await journal.raw(path.id);
      if (raw === null) return notFound();
      const body = { contentType: raw.contentType, base64: Buffer.from(raw.bytes).toString('base64') };
      return { status: 200, body, disclosure: act('export', `journal/${path.id}`) };
    },
    retryJournalEntry: async ({ path, caller }) => {
      const result = await journal.retry(path.id, caller);
      return result.ok
        ? { status: 200, body: result.value, disclosure: act('change', `journal/${path.id}`, 'retry') }
        : { problem: result.problem };
    },
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
      const body = { items: page.items.map(examRecord), next: page.next };
      return { status: 200, body, disclosure: { action: 'search', persons: page.personIds, objects } };
    },
    readExam: async ({ path }) => {
      const exam = await index.exam(path.id);
      if (exam === null) return notFound();
      const disclosure = { action: 'read', persons: [exam.personId], objects: [`exam/${exam.examId}`] } as const;
      return { status: 200, body: examRecord(exam), disclosure };
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
      const keys = body.jwks === undefined ? null : publicKeys(body.jwks.keys);
      if (keys === 'bad')
        return {
          problem: problem('invalid-value', 'jwks', 'RSA (2048 bits) or EC P-384 public keys with a kid each.'),
        };
      const token = drawToken();
      const certificate = body.certificate?.replaceAll(':', '').toLowerCase() ?? null;
      const bound = { role: body.role, site: site?.id ?? null, certificate, keys };
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

export function createHandlers(deps: HandlerDeps): Handlers {
  return {
    ...operating(deps),
    ...reading(deps),
    ...administering(deps),
    ...identityHandlers(deps),
    ...sessionHandlers(deps),
    ...accountHandlers(deps),
  };
}
