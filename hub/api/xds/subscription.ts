/**
 * The Document Metadata Notification Broker at `/xds/subscription` (DSUB): subscriptions are made there, and each is
 * renewed and ended at an address of its own below it.
 */
import { Router } from 'express';
import type { Request } from 'express';
import { RENEW, SUBSCRIBE, UNSUBSCRIBE } from '../../../mappings/xds/notification-names.ts';
import { renew, subscribe, unsubscribe } from './iti-52.ts';
import type { SubscriptionDeps } from './iti-52.ts';
import { soapExchange } from './soap-exchange.ts';

export const SUBSCRIPTION_LIMITS = {
  requestBytes: 1024 ** 2,
  longestMs: 366 * 86_400_000,
  perSubscriber: 10_000,
} as const;

/** `origin`: how others reach the hub; null: as the request names it. */
export function subscriptionFace(deps: SubscriptionDeps & { readonly origin: string | null }): Router {
  const { requestBytes } = deps.limits;
  const door = { operation: 'ITI-52', act: { kind: 'read-record' }, requestBytes } as const;
  const served = { operation: 'ITI-52', act: { kind: 'read-record' }, audited: 'change' } as const;
  const made = { ...door, actions: [SUBSCRIBE], transactions: { [SUBSCRIBE]: served } };
  const managed = {
    ...door,
    actions: [UNSUBSCRIBE, RENEW],
    transactions: { [UNSUBSCRIBE]: served, [RENEW]: served },
  };
  const router = Router();
  router.post('/', (request, response) =>
    soapExchange(deps, made, request, response, (exchange) => subscribe(deps, exchange, baseOf(request, deps.origin))),
  );
  router.post('/:id', (request, response) =>
    soapExchange(deps, managed, request, response, (exchange) =>
      (exchange.message.action === RENEW ? renew : unsubscribe)(deps, exchange, request.params.id),
    ),
  );
  router.all(['/', '/:id'], (_request, response) => {
    response.status(405).setHeader('Allow', 'POST').end();
  });
  return router;
}

/** A Host header that is none names nothing. */
function baseOf(request: Request, origin: string | null): string {
  const host = request.get('host') ?? '';
  const named = /^[A-Za-z0-9.:[\]-]{1,260}$/.test(host) ? host : 'localhost';
  return `${origin ?? `${request.protocol}://${named}`}${request.baseUrl}`;
}
