/**
 * The one HTTP application: what every request passes (id, headers, log, authentication), then the faces, then a clear
 * end for what nobody answers. Faces come as routers; this file knows their paths and nothing else of them.
 */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import express from 'express';
import type { ErrorRequestHandler, Express, Request, RequestHandler, Router } from 'express';
import { decide } from '../core/access.ts';
import type { AuditTrail } from '../core/audit.ts';
import type { ClientStore } from '../core/client.ts';
import type { Log } from '../core/ports.ts';
import type { Problem } from '../core/problem.ts';
import { codeOf, Failure, problem } from '../core/problem.ts';
import { authenticate } from './authenticate.ts';
import type { People } from './authenticate.ts';
import { isAway } from './away.ts';
import { callerOf } from './caller.ts';
import type { Metrics } from './metrics.ts';
import type { Portal } from './portal.ts';
import { sendProblem } from './rest/problem.ts';
import { routeName } from './route-name.ts';

export interface AppDeps {
  readonly log: Log;
  readonly audit: AuditTrail;
  readonly clients: ClientStore;
  /** Absent: nobody signs in here. */
  readonly people?: People;
  /** How readers reach the hub, `https://host`; null: as each request names it. */
  readonly publicUrl?: string | null;
  /** Addresses and networks whose X-Forwarded-For and -Proto are believed; none by default. */
  readonly trustedProxies?: readonly string[];
  readonly metrics: Metrics;
  /** Every started part and whether it can work now. */
  readonly readiness: () => Promise<Readonly<Record<string, boolean>>>;
  /** The routers of this process's roles, by mount path: `/fhir`, `/dicomweb`, `/wado`, `/xds/imaging-source`, `/api/v1`. */
  readonly faces: Readonly<Record<string, Router>>;
  /** Static pages without data, by mount path: `/docs`. They need no caller. */
  readonly pages?: Readonly<Record<string, Router>>;
  /** The portal, at `/`, behind every face. */
  readonly portal?: Portal;
}

/** SURFACE.md: what may be asked by nobody. /openapi.json and /docs hold no data, as other static files. */
const PUBLIC = /^\/(fhir\/metadata|openapi\.json|(fhir\/)?\.well-known\/[^/]+|favicon\.ico)$/;
/** Where people and systems come in: each of these says itself who may do what there. */
const SIGN_ON = /^\/(api\/v1\/(session(\/[a-z]+)?|identity-providers)|saml\/[^/]+\/[a-z]+|oauth\/token)$/;

export function createApp(deps: AppDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', 'simple');
  app.set('trust proxy', [...(deps.trustedProxies ?? [])]);
  app.use(identify, observe(deps));
  app.get('/healthz', (_request, response) => {
    response.json({ alive: true });
  });
  app.get('/readyz', async (_request, response) => {
    const parts = await deps.readiness();
    const ready = Object.values(parts).every(Boolean);
    response.status(ready ? 200 : 503).json({ ready, parts });
  });
  const pages = Object.entries(deps.pages ?? {});
  const isPage = (path: string): boolean => pages.some(([mount]) => path === mount || path.startsWith(`${mount}/`));
  const isPublic = (request: Request): boolean =>
    SIGN_ON.test(request.path) ||
    (['GET', 'HEAD'].includes(request.method) &&
      (PUBLIC.test(request.path) || isPage(request.path) || deps.portal?.owns(request.path) === true));
  app.set('hub origin', deps.publicUrl ?? undefined);
  app.use(authenticate({ ...deps, isPublic }));
  app.get('/metrics', metricsPage(deps));
  for (const [mount, router] of [...pages, ...Object.entries(deps.faces)]) app.use(mount, router);
  if (deps.portal !== undefined) app.use(deps.portal.router);
  app.use((_request, response) => {
    sendProblem(response, problem('not-found', undefined, 'There is nothing under this path.'));
  });
  app.use(failed(deps.log));
  return app;
}

/** Time limits of the socket, for the composition root: slow headers and idle peers end; a large upload may take an hour. */
export function createHttpServer(app: Express): Server {
  const server = createServer(TIMES, app);
  server.setTimeout(300_000);
  return server;
}

const TIMES = { headersTimeout: 20_000, requestTimeout: 3_600_000, keepAliveTimeout: 65_000 };

/**
 * The same over TLS. With `ca` a caller may show a certificate of it; nobody must, since tokens and assertions are taken
 * here as well: what a certificate is worth is for authenticate.ts to say.
 */
export function createHttpsServer(
  app: Express,
  { cert, key, ca }: { readonly cert: Buffer; readonly key: Buffer; readonly ca?: Buffer },
): Server {
  const asking = ca === undefined ? {} : { ca, requestCert: true, rejectUnauthorized: false };
  const server = createTlsServer({ cert, key, ...asking, ...TIMES, minVersion: 'TLSv1.2' }, app);
  server.setTimeout(300_000);
  return server;
}

const REQUEST_ID = /^[A-Za-z0-9._-]{8,64}$/;

/** Names the request, and closes what a browser would do with an answer on its own. */
const identify: RequestHandler = (request, response, next) => {
  const given = request.headers['x-request-id'];
  const id = typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
  response.set({
    'X-Request-Id': id,
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Referrer-Policy': 'no-referrer',
    'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
    // Clinical data stays in no cache; a page without data may say otherwise.
    'Cache-Control': 'no-store',
  });
  next();
};

/** One line a request: who, what, how long. Paths only by `routeName`, no query, no body, no header. */
function observe({ log, metrics }: AppDeps): RequestHandler {
  return (request, response, next) => {
    const start = process.hrtime.bigint();
    const route = routeName(request.path);
    response.once('close', () => {
      const seconds = Number(process.hrtime.bigint() - start) / 1e9;
      metrics.request(request.method, route, response.statusCode, seconds);
      const line = {
        requestId: response.getHeader('X-Request-Id'),
        method: request.method,
        route,
        status: response.statusCode,
        ms: Math.round(seconds * 1_000),
        caller: callerOf(response)?.id ?? null,
        ...(response.writableFinished ? {} : { aborted: true }),
      };
      if (response.statusCode >= 500) log.warn(line, 'request failed');
      else log.info(line, 'request');
    });
    next();
  };
}

function metricsPage({ metrics, audit }: AppDeps): RequestHandler {
  return async (_request, response) => {
    const caller = callerOf(response);
    const decision = caller === null ? null : decide(caller, { kind: 'operate' });
    if (caller === null || decision === null) sendProblem(response, problem('unauthenticated'));
    else if (!decision.allowed) {
      await audit.record({
        action: 'refuse',
        outcome: 'refused',
        face: 'http',
        operation: 'GET /metrics',
        callerId: caller.id,
        callerName: caller.name,
        callerRole: caller.role,
        peer: caller.peer,
        persons: [],
        objects: [],
        reason: decision.reason,
      });
      sendProblem(response, problem('forbidden', undefined, decision.reason));
    } else response.type(metrics.registry.contentType).send(await metrics.registry.metrics());
  };
}

/** What Express and its parsers throw, by their `type` or status, as a Problem; null: a bug of ours. */
function expected(error: unknown): Problem | null {
  if (error instanceof Failure) return error.problem;
  if (isAway(error)) return problem('unavailable');
  if (error instanceof URIError) return problem('malformed', 'path', 'The path has a broken percent-encoding.');
  const status: unknown = typeof error === 'object' && error !== null && 'status' in error ? error.status : undefined;
  if (status === 413) return problem('too-large');
  if (status === 415) return problem('unsupported-media');
  if (status === 400) return problem('malformed');
  return null;
}

/** Stack frames without the message line: a message of a driver may quote the value it did not like. */
const framesOf = (error: unknown): string[] =>
  error instanceof Error
    ? (error.stack ?? '')
        .split('\n')
        .filter((line) => /^\s+at /.test(line))
        .slice(0, 12)
        .map((line) => line.trim())
    : [];

function failed(log: Log): ErrorRequestHandler {
  return (error: unknown, _request, response, next) => {
    const known = expected(error);
    const cause: unknown = error instanceof Failure ? error.cause : error;
    if (known === null || (error instanceof Failure && cause !== undefined)) {
      log.error(
        { requestId: response.getHeader('X-Request-Id'), code: codeOf(cause), frames: framesOf(cause) },
        'request broke',
      );
    }
    // An answer that has begun cannot become another one: Express ends the connection.
    if (response.headersSent) next(error);
    else
      sendProblem(response, known ?? problem('internal', undefined, 'The hub failed on this request; send it again.'));
  };
}
