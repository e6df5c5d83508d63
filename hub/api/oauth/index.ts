/** The token endpoint for systems (SMART Backend Services; RFC 6749 §4.4) and what it says of itself to them. */
import { TLSSocket } from 'node:tls';
import express, { Router } from 'express';
import type { Request } from 'express';
import type { AuditTrail } from '../../core/audit.ts';
import { ALGORITHMS, ALL_SCOPES, grantToken, TOKEN_SECONDS } from '../../security/client-statement.ts';
import type { BackendServiceDeps } from '../../security/client-statement.ts';
import { problem } from '../../core/problem.ts';
import { peerOf } from '../caller.ts';
import { sendProblem } from '../rest/problem.ts';

export interface OauthDeps extends BackendServiceDeps {
  readonly audit: AuditTrail;
  /** null: there is none but on this machine itself. */
  readonly publicUrl: string | null;
}

const BY_JWT = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

const LOOPBACK = /^(127\.0\.0\.1|\[::1\]|localhost)$/;
const LOCAL_ADDRESS = /^(::ffff:)?127\.|^::1$/;
const UNNAMED = 'HUB_PUBLIC_URL is not set: the hub does not know by which name it is called from other machines.';

/**
 * Who a statement must be made for is not the caller's to say: with a Host of his own he would have one taken that its
 * system made for somebody else. It is the configured address, or the listener's own on loopback; null: neither.
 */
function originOf({ socket, headers }: Request, publicUrl: string | null): string | null {
  if (publicUrl !== null) return publicUrl;
  const [, name = '', port = ''] = /^(.+?)(?::(\d{1,5}))?$/.exec(headers.host ?? '') ?? [];
  const isTls = socket instanceof TLSSocket;
  const isOwn =
    LOOPBACK.test(name) &&
    LOCAL_ADDRESS.test(socket.localAddress ?? '') &&
    Number(port === '' ? (isTls ? 443 : 80) : port) === socket.localPort;
  return isOwn ? `${isTls ? 'https' : 'http'}://${headers.host ?? ''}` : null;
}

/** `/oauth`: tokens. */
export function oauthFace(deps: OauthDeps): Router {
  const router = Router();
  router.post(
    '/token',
    express.urlencoded({ extended: false, limit: '16kb', parameterLimit: 16 }),
    async (request, response) => {
      const form = (request.body ?? {}) as Readonly<Record<string, unknown>>;
      const { grant_type: grant, client_assertion_type: type, client_assertion: assertion, scope } = form;
      const refuse = (status: number, error: string): void => {
        response.status(status).json({ error });
      };
      if (grant !== 'client_credentials') {
        refuse(400, grant === undefined ? 'invalid_request' : 'unsupported_grant_type');
        return;
      }
      if (type !== BY_JWT || typeof assertion !== 'string' || typeof scope !== 'string') {
        refuse(400, 'invalid_request');
        return;
      }
      const origin = originOf(request, deps.publicUrl);
      const granted =
        origin === null
          ? ({ error: 'invalid_request', why: UNNAMED, client: null } as const)
          : await grantToken(deps, assertion, scope, `${origin}/oauth/token`);
      const { client } = granted;
      await deps.audit.record({
        action: 'sign-on',
        outcome: 'error' in granted ? 'failure' : 'success',
        face: 'oauth',
        operation: 'token',
        callerId: client?.id ?? '',
        callerName: client?.name ?? '',
        callerRole: client?.role ?? '',
        peer: peerOf(request),
        persons: [],
        objects: client === null ? [] : [`client/${client.id}`],
        reason: 'error' in granted ? granted.why : granted.scope,
      });
      if ('error' in granted) refuse(granted.error === 'invalid_client' ? 401 : 400, granted.error);
      else {
        const { token, scope: given } = granted;
        response.json({ access_token: token, token_type: 'bearer', expires_in: TOKEN_SECONDS, scope: given });
      }
    },
  );
  return router;
}

/** `/.well-known`, also under `/fhir`: where to ask, and how (SMART App Launch 2.2 §Conformance). */
export function smartConfiguration({ publicUrl }: Pick<OauthDeps, 'publicUrl'>): Router {
  const router = Router();
  router.get('/smart-configuration', (request, response) => {
    const origin = originOf(request, publicUrl);
    if (origin === null) {
      sendProblem(response, problem('unavailable', undefined, UNNAMED));
      return;
    }
    response.json({
      issuer: origin,
      token_endpoint: `${origin}/oauth/token`,
      token_endpoint_auth_methods_supported: ['private_key_jwt'],
      token_endpoint_auth_signing_alg_values_supported: ALGORITHMS,
      grant_types_supported: ['client_credentials'],
      scopes_supported: ALL_SCOPES,
      capabilities: ['client-confidential-asymmetric', 'permission-v1', 'permission-v2'],
    });
  });
  return router;
}
