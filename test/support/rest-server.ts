/** The REST face on a listening server over a fresh database, with a client of each role: what the wire tests talk to. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { loadSites } from '../../adapters/sites/load.ts';
import { composeSignOn } from '../../hub/compose-sign.ts';
import { createApp, createHttpServer } from '../../hub/api/app.ts';
import { createMetrics } from '../../hub/api/metrics.ts';
import { createDocs } from '../../hub/api/rest/docs.ts';
import { createRestFace } from '../../hub/api/rest/face.ts';
import type { ClientRole } from '../../hub/core/access.ts';
import type { ClientStore } from '../../hub/core/client.ts';
import { createMatching } from '../../hub/core/match/matcher.ts';
import { siteId } from '../../hub/core/identifier.ts';
import type { Intake } from '../../hub/core/envelope.ts';
import { createClinicalRecords } from '../../hub/flow/clinical-records.ts';
import { drawToken, hashToken } from '../../hub/security/token.ts';
import type { AuditStore } from '../../hub/store/audit.ts';
import { createAuditStore } from '../../hub/store/audit.ts';
import { createClientStore } from '../../hub/store/client.ts';
import { createExamHistory } from '../../hub/store/exam-history.ts';
import { createExamSearch, createOrphanReader } from '../../hub/store/exam-search.ts';
import { derivation } from '../../hub/store/hub-key.ts';
import { createIdentityDesk, type DeskDeps } from '../../hub/store/identity-decision.ts';
import { createIndexReader } from '../../hub/store/index-reader.ts';
import { createJournalReader } from '../../hub/store/journal-reader.ts';
import { createJournal } from '../../hub/store/journal.ts';
import { createPersonSearch } from '../../hub/store/person-search.ts';
import { createRematchDesk } from '../../hub/store/rematch.ts';
import { romanise } from '../../mappings/romanise.ts';
import { createReviewQueue } from '../../hub/store/review.ts';
import type { FreshDatabase } from './database.ts';
import { freshDatabase, quiet } from './database.ts';
import { accessDesk } from './access.ts';
import { peopleOf, SIGN_ON_CONFIG } from './sign-in.ts';
import type { SignOnGround } from './sign-in.ts';

export const SITES_DIR = fileURLToPath(new URL('../../adapters/sites', import.meta.url));

export interface RestServer {
  readonly fresh: FreshDatabase;
  readonly audit: AuditStore;
  readonly clients: ClientStore;
  readonly origin: string;
  readonly token: Readonly<Record<ClientRole, string>>;
  /** JSON in and out; `as: null` sends no token. A string or bytes body is sent as it is. */
  call(method: string, path: string, options?: Call): Promise<Answer>;
  close(): Promise<void>;
}

export interface Call {
  readonly as?: ClientRole | null;
  readonly token?: string;
  readonly body?: object | string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: Readonly<Record<string, unknown>>;
}

const isRaw = (body: object | string | Uint8Array): body is string | Uint8Array =>
  typeof body === 'string' || body instanceof Uint8Array;

/** `wrap` stands between the face and the journal, for a disk that fails. */
export async function startRest(
  wrap: (intake: Intake) => Intake = (intake) => intake,
  more: Partial<SignOnGround> = {},
  port = 0,
): Promise<RestServer> {
  const fresh = await freshDatabase();
  const { database } = fresh;
  const clock = (): Date => new Date();
  const clients = createClientStore({ database, clock });
  const audit = createAuditStore({ database, clock });
  const derive = await derivation(database, 'identifier');
  const arrived = (): void => undefined;
  const desk: DeskDeps = {
    database,
    derive,
    clock,
    matching: createMatching(romanise),
    projection: { person: () => [], exam: () => [] },
  };
  const people = await composeSignOn({ database, clock, audit, config: { ...SIGN_ON_CONFIG, ...more } });
  const face = createRestFace({
    ...people,
    clock,
    sites: await loadSites(SITES_DIR),
    intake: wrap(createJournal({ database, clock, log: quiet, arrived })),
    journal: createJournalReader({ database, derive, clock, arrived }),
    reviews: createReviewQueue({ ...desk, arrived }),
    identity: createIdentityDesk(desk),
    rematch: createRematchDesk(desk),
    orphans: createOrphanReader(database),
    exams: createExamSearch({ database, derive }),
    index: createIndexReader({ database, derive }),
    clinical: createClinicalRecords({
      persons: createPersonSearch(desk),
      history: createExamHistory({ database, derive }),
      index: createIndexReader({ database, derive }),
      identity: createIdentityDesk(desk),
    }),
    clients,
    auditReader: audit,
    access: accessDesk(database),
    audit,
    log: quiet,
  });
  const token = { administrator: '', operator: '', 'query-platform': '', 'hospital-feed': '' };
  for (const role of Object.keys(token) as ClientRole[]) {
    token[role] = drawToken();
    const site = role === 'hospital-feed' ? siteId('h1') : null;
    await clients.add({ name: role, role, site, createdBy: 'test' }, hashToken(token[role]));
  }
  const metrics = createMetrics();
  const readiness = (): Promise<Record<string, boolean>> => Promise.resolve({});
  const app = createApp({
    log: quiet,
    audit,
    clients,
    people: peopleOf(people),
    metrics,
    readiness,
    faces: { ...people.signOnFaces, '/api/v1': face },
    publicUrl: more.publicUrl ?? null,
    pages: createDocs(),
  });
  const server = createHttpServer(app).listen(port, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  return {
    fresh,
    audit,
    clients,
    origin,
    token,
    async call(method, path, { as = 'administrator', token: own, body, headers = {} } = {}) {
      const bearer = own ?? (as === null ? undefined : token[as]);
      const answer = await fetch(origin + path, {
        method,
        headers: {
          ...(bearer === undefined ? {} : { Authorization: `Bearer ${bearer}` }),
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: isRaw(body) ? body : JSON.stringify(body) }),
      });
      const text = await answer.text();
      const isJson = /^application\/(problem\+)?json/.test(answer.headers.get('content-type') ?? '');
      const json = isJson ? (JSON.parse(text) as Record<string, unknown>) : {};
      return { status: answer.status, headers: answer.headers, text, json };
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
