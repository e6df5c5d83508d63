/**
 * Who calls: turns a bearer token, a client certificate or the session of a browser into the Caller that the faces decide
 * about, and closes every path that is not public to nobody-in-particular. A token that is not valid is refused even where
 * none is needed: its sender is mistaken.
 */
import type { TLSSocket } from 'node:tls';
import type { Request, RequestHandler, Response } from 'express';
import { standingRole } from '../core/access.ts';
import type { Caller } from '../core/access.ts';
import type { AuditTrail } from '../core/audit.ts';
import type { Client, ClientStore } from '../core/client.ts';
import type { Problem } from '../core/problem.ts';
import { Failure, problem } from '../core/problem.ts';
import { callerOfSession } from '../core/session.ts';
import type { Session } from '../core/session.ts';
import { CSRF_HEADER, isCsrf } from '../security/session.ts';
import { bearerToken, hashToken } from '../security/token.ts';
import { senderFault } from '../../mappings/xds/soap.ts';
import { peerOf, setCaller, visitorOf } from './caller.ts';
import { sendProblem } from './rest/problem.ts';
import { routeName } from './route-name.ts';
import { sendFault } from './xds/soap-exchange.ts';

/** The face a path belongs to, in the audit's words. */
export function faceOf(path: string): string {
  const first = path.split('/')[1] ?? '';
  return first === 'api' ? 'rest' : ['fhir', 'dicomweb', 'wado', 'xds', 'viewer'].includes(first) ? first : 'http';
}

const callerFrom = (client: Client, peer: string, sealed: boolean): Caller => ({
  id: client.id,
  name: client.name,
  role: standingRole(client.role, sealed),
  ...(client.site === null ? {} : { site: client.site }),
  ...(client.recordsConsents ? { recordsConsents: true } : {}),
  peer,
});

/**
 * A FHIR client reads an OperationOutcome (R4 http.html#3.1.0.1.5), a SOAP client a fault (WSS 1.1.1 §12); everybody else
 * reads problem+json.
 */
function refuse(request: Request, response: Response, refusal: Problem): void {
  if (isSoap(request)) {
    response.setHeader('WWW-Authenticate', 'Bearer realm="hutong"');
    if (!request.complete) response.setHeader('Connection', 'close');
    sendFault(response, senderFault(refusal.text, ['wsse:FailedAuthentication']), null, 401);
    return;
  }
  if (faceOf(request.path) !== 'fhir') {
    sendProblem(response, refusal);
    return;
  }
  const issue = { severity: 'error', code: 'login', diagnostics: refusal.text };
  response.status(401).set({ 'Cache-Control': 'no-store', 'WWW-Authenticate': 'Bearer realm="hutong"' });
  response.type('application/fhir+json').send(JSON.stringify({ resourceType: 'OperationOutcome', issue: [issue] }));
}

const isSoap = (request: Request): boolean => faceOf(request.path) === 'xds';

/** A store that does not answer is no verdict on the token: the caller is told to come again, not that it is wrong. */
async function clientOf<T>(find: Promise<T>): Promise<T> {
  try {
    return await find;
  } catch (error) {
    throw new Failure(problem('unavailable'), error);
  }
}

/**
 * SHA-256 of the certificate whose key the caller has shown in TLS, where it is one of the authorities of HUB_TLS_CA and in
 * its time; null: there is none.
 */
function certificateOf({ socket }: Request): string | null {
  const tls = socket as Partial<TLSSocket>;
  if (tls.authorized !== true) return null;
  const seen = tls.getPeerCertificate?.().fingerprint256 ?? '';
  return seen === '' ? null : seen.replaceAll(':', '').toLowerCase();
}

/** People: their sessions, and whether one of them gives rights, so that the token of the first start need not. */
export interface People {
  find(pass: string | null, isUse: boolean): Promise<Session | null>;
  hasSecurityAdministrator(): Promise<boolean>;
}

const isSafe = ({ method }: Request): boolean => ['GET', 'HEAD', 'OPTIONS'].includes(method);

/** A form or a script of another site may send a browser here with its cookies, but knows neither value. */
function isForged(request: Request, pass: string, publicUrl: string | null): boolean {
  if (isSafe(request)) return false;
  return isForeign(request, publicUrl) || !isCsrf(pass, request.headers[CSRF_HEADER]);
}

/** Where a browser says whence: a page of the hub itself, or none of its business. */
function isForeign({ headers }: Request, publicUrl: string | null): boolean {
  const { origin, host = '' } = headers;
  if (origin === undefined) return headers['sec-fetch-site'] === 'cross-site';
  return origin !== publicUrl && (!URL.canParse(origin) || new URL(origin).host !== host);
}

/** These begin a session and need none: what proves them is in them; the pages of others are kept out by their origin. */
const BEGINS = /^\/api\/v1\/session(\/activation)?$/;
/** Asking who is signed in is no use of the session by itself: its handler knows whether somebody acted. */
const asksOnly = ({ method, path }: Request): boolean =>
  (method === 'GET' || method === 'HEAD') && path === '/api/v1/session';
/** Providers, systems and launched viewers come here from elsewhere, each with a proof of its own. */
const ELSEWHERE = /^\/(saml|oauth|viewer\/launched)\//;

export interface Gate {
  readonly clients: ClientStore;
  readonly people?: People;
  readonly audit: AuditTrail;
  readonly isPublic: (request: Request) => boolean;
  readonly publicUrl?: string | null;
}

interface Arrival {
  readonly caller: Caller | null;
  /** The request would have been somebody's, but another site may have sent it. */
  readonly forged: boolean;
  readonly certificate: string | null;
}

async function arrivalOf({ clients, people, publicUrl = null }: Gate, request: Request): Promise<Arrival> {
  const header = request.headers.authorization;
  const token = bearerToken(header);
  const peer = peerOf(request);
  // Who sends a token means to be known by it, whatever the connection tells.
  const certificate = header === undefined ? certificateOf(request) : null;
  const client =
    token !== null
      ? await clientOf(clients.byTokenHash(hashToken(token)))
      : certificate !== null
        ? await clientOf(clients.byCertificate(certificate))
        : null;
  if (client !== null) {
    const sealed = client.role === 'administrator' && (await people?.hasSecurityAdministrator()) === true;
    return { caller: callerFrom(client, peer, sealed), forged: false, certificate };
  }
  const { pass } = visitorOf(request);
  if (header !== undefined || people === undefined || isSoap(request) || ELSEWHERE.test(request.path))
    return { caller: null, forged: false, certificate };
  if (BEGINS.test(request.path) && request.method === 'POST')
    return { caller: null, forged: isForeign(request, publicUrl), certificate };
  const session = pass === null ? null : await clientOf(people.find(pass, !asksOnly(request)));
  if (session === null || pass === null) return { caller: null, forged: false, certificate };
  return { caller: callerOfSession(session, peer), forged: isForged(request, pass, publicUrl), certificate };
}

export function authenticate(gate: Gate): RequestHandler {
  return async (request, response, next) => {
    const header = request.headers.authorization;
    const { caller, forged, certificate } = await arrivalOf(gate, request);
    setCaller(response, forged ? null : caller, async () => (await arrivalOf(gate, request)).caller);
    // An envelope may name its caller by an assertion: its door reads it, and refuses nobody (hub/api/xds/soap-caller.ts).
    const mayState = isSoap(request) && request.method === 'POST';
    const isOpen = header === undefined && (gate.isPublic(request) || mayState);
    if (!forged && (caller !== null || isOpen)) {
      next();
      return;
    }
    const reason = forged
      ? 'request of another site'
      : header !== undefined
        ? 'invalid token'
        : certificate === null
          ? 'no caller'
          : 'unknown certificate';
    await gate.audit.record({
      action: 'refuse',
      outcome: 'refused',
      face: faceOf(request.path),
      operation: `${request.method} ${routeName(request.path)}`,
      callerId: caller?.id ?? '',
      callerName: caller?.name ?? '',
      callerRole: caller?.role ?? '',
      peer: peerOf(request),
      persons: [],
      objects: [],
      reason,
    });
    if (forged) {
      const text = 'A request by cookie needs the header X-Hutong-CSRF, and comes from the hub itself.';
      sendProblem(response, problem('forbidden', undefined, text));
      return;
    }
    const text =
      header === undefined
        ? 'A caller is required: sign in, send Authorization: Bearer, or a registered client certificate.'
        : 'The token is not valid.';
    refuse(request, response, problem('unauthenticated', undefined, text));
  };
}
