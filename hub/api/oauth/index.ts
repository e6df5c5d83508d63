/** The token endpoint for systems (SMART Backend Services; RFC 6749 §4.4) and what it says of itself to them. */
import express, { Router } from 'express';
import type { Request } from 'express';
import type { AuditTrail } from '../../core/audit.ts';
import { ALGORITHMS, ALL_SCOPES, grantToken, TOKEN_SECONDS } from '../../security/backend-service.ts';
import type { BackendServiceDeps } from '../../security/backend-service.ts';
import { isSecure, peerOf } from '../caller.ts';

export interface OauthDeps extends BackendServiceDeps {
  readonly audit: AuditTrail;
  /** null: as each request names the hub. */
  readonly publicUrl: string | null;
}

const BY_JWT = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

const originOf = (request: Request, publicUrl: string | null): string =>
  publicUrl ?? `${isSecure(request) ? 'https' : 'http'}://${request.headers.host ?? ''}`;

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
      const granted = await grantToken(deps, assertion, scope, `${originOf(request, deps.publicUrl)}/oauth/token`);
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
