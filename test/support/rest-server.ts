/** The REST face on a listening server over a fresh database, with a client of each role: what the wire tests talk to. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { loadSites } from '../../adapters/sites/load.ts';
import { Router } from 'express';
import { createApp, createHttpServer } from '../../hub/api/app.ts';
import { setCaller } from '../../hub/api/caller.ts';
import { consentFace } from '../../hub/api/fhir/consent.ts';
import { createMetrics } from '../../hub/api/metrics.ts';
import { createDocs } from '../../hub/api/rest/docs.ts';
import { createRestFace } from '../../hub/api/rest/face.ts';
import type { Caller, ClientRole } from '../../hub/core/access.ts';
import type { AuditTrail } from '../../hub/core/audit.ts';
import type { ClientStore } from '../../hub/core/client.ts';
import { siteId } from '../../hub/core/identifier.ts';
import type { Intake } from '../../hub/core/envelope.ts';
import { drawToken, hashToken } from '../../hub/security/token.ts';
import type { AuditStore } from '../../hub/store/audit.ts';
import { createAuditStore } from '../../hub/store/audit.ts';
import { createClientStore } from '../../hub/store/client.ts';
import { derivation } from '../../hub/store/hub-key.ts';
import { restDeps } from './rest-deps.ts';
import type { FreshDatabase } from './database.ts';
import { freshDatabase, quiet } from './database.ts';
import { accessDesk } from './access.ts';
import { patientOf } from './people.ts';
import { peopleOf } from './sign-in.ts';
import type { SignOnGround } from './sign-in.ts';

export const SITES_DIR = fileURLToPath(new URL('../../adapters/sites', import.meta.url));

export interface RestServer {
  readonly fresh: FreshDatabase;
  /** Who signed on, by what a call names in `X-Test-Person`. */
  readonly people: Map<string, Caller>;
  /** Set `audit`, and emergencies find the audit away. */
  readonly broken: { audit: boolean };
  readonly audit: AuditStore;
  readonly clients: ClientStore;
  readonly origin: string;
  readonly token: Readonly<Record<ClientRole, string>>;
  /** JSON in and out; `as: null` sends no token. A string or bytes body is sent as it is. */
  call(method: string, path: string, options?: Call): Promise<Answer>;
  /** The hospital of the feed is an approved institution, whose patients these are, and the feed may record their consents. */
  letFeedRecord(...patients: readonly string[]): Promise<string>;
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
  const people = new Map<string, Caller>();
  const broken = { audit: false };
  const failable: AuditTrail = {
    record: (event, when) =>
      broken.audit ? Promise.reject(new Error('the audit is away')) : audit.record(event, when),
  };
  const sites = await loadSites(SITES_DIR);
  const derive = await derivation(database, 'identifier');
  const ground = { database, clock, sites, derive, audit, access: accessDesk(database) };
  const { deps, consent, signOn } = await restDeps({ ...ground, emergencyAudit: failable, config: more });
  const face = createRestFace({ ...deps, clients, intake: wrap(deps.intake) });
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
    people: peopleOf(signOn),
    metrics,
    readiness,
    faces: {
      ...signOn.signOnFaces,
      '/api/v1': inPerson(people, face),
      '/fhir/Consent': inPerson(people, consentFace({ ...consent, audit, log: quiet, clock, origin: null })),
    },
    publicUrl: more.publicUrl ?? null,
    pages: createDocs(),
  });
  const server = createHttpServer(app).listen(port, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  return {
    fresh,
    people,
    broken,
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
    async letFeedRecord(...patients) {
      const institution = sites.byId('h1')?.institutionCode ?? '';
      for (const person of patients) await patientOf(database, person, institution);
      const feed = await clients.byTokenHash(hashToken(token['hospital-feed']));
      await clients.letRecordConsents(feed?.id ?? '', true, 'test');
      return institution;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** The session of a person in place of the token's client. */
function inPerson(people: ReadonlyMap<string, Caller>, face: Router): Router {
  const router = Router();
  router.use((request, response, next) => {
    const person = people.get(request.get('x-test-person') ?? '');
    if (person !== undefined) setCaller(response, person);
    next();
  });
  router.use(face);
  return router;
}
