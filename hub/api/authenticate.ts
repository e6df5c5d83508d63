/**
 * Who calls: turns a bearer token or a client certificate into the Caller that the faces decide about, and closes every path that is not public
 * to nobody-in-particular. A token that is not valid is refused even where none is needed: its sender is mistaken.
 */
import type { TLSSocket } from 'node:tls';
import type { Request, RequestHandler, Response } from 'express';
import { standingRole, type Caller } from '../core/access.ts';
import type { AuditTrail } from '../core/audit.ts';
import type { Client, ClientStore } from '../core/client.ts';
import type { Problem } from '../core/problem.ts';
import { Failure, problem } from '../core/problem.ts';
import { bearerToken, hashToken } from '../security/token.ts';
import { senderFault } from '../../mappings/xds/soap.ts';
import { callerOf, setCaller } from './caller.ts';
import { sendProblem } from './rest/problem.ts';
import { routeName } from './route-name.ts';
import { sendFault } from './xds/soap-exchange.ts';

/** The face a path belongs to, in the audit's words. */
export function faceOf(path: string): string {
  const first = path.split('/')[1] ?? '';
  return first === 'api' ? 'rest' : ['fhir', 'dicomweb', 'wado', 'xds'].includes(first) ? first : 'http';
}

export const peerOf = (request: Request): string =>
  (request.socket.remoteAddress ?? 'unknown').replace(/^::ffff:(?=\d+\.)/i, '');

const callerFrom = (client: Client, peer: string, sealed: boolean): Caller => ({
  id: client.id,
  name: client.name,
  role: standingRole(client.role, sealed),
  ...(client.site === null ? {} : { site: client.site }),
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
async function clientOf(find: Promise<Client | null>): Promise<Client | null> {
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

export function authenticate(deps: {
  readonly clients: ClientStore;
  readonly audit: AuditTrail;
  readonly isPublic: (request: Request) => boolean;
  /** Whether a security administrator is active: from then on the bootstrap administrator has no other rights than its own. */
  readonly sealed?: () => Promise<boolean>;
}): RequestHandler {
  return async (request, response, next) => {
    const header = request.headers.authorization;
    const token = bearerToken(header);
    const peer = peerOf(request);
    // Who sends a token means to be known by it, whatever the connection tells.
    const certificate = header === undefined ? certificateOf(request) : null;
    const client =
      token !== null
        ? await clientOf(deps.clients.byTokenHash(hashToken(token)))
        : certificate !== null
          ? await clientOf(deps.clients.byCertificate(certificate))
          : null;
    const sealed = client?.role === 'administrator' && ((await deps.sealed?.()) ?? false);
    setCaller(response, client === null ? null : callerFrom(client, peer, sealed));
    // An envelope may name its caller by an assertion: its door reads it, and refuses nobody (hub/api/xds/soap-caller.ts).
    const mayState = isSoap(request) && request.method === 'POST';
    if (callerOf(response) !== null || (header === undefined && (deps.isPublic(request) || mayState))) {
      next();
      return;
    }
    const text =
      header === undefined
        ? 'A caller is required: send Authorization: Bearer, or a registered client certificate.'
        : 'The token is not valid.';
    await deps.audit.record({
      action: 'refuse',
      outcome: 'refused',
      face: faceOf(request.path),
      operation: `${request.method} ${routeName(request.path)}`,
      callerId: '',
      callerName: '',
      callerRole: '',
      peer,
      persons: [],
      objects: [],
      reason: header !== undefined ? 'invalid token' : certificate === null ? 'no caller' : 'unknown certificate',
    });
    refuse(request, response, problem('unauthenticated', undefined, text));
  };
}
