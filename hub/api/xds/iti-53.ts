/**
 * ITI-53 Document Metadata Notify at `/xds/notify` (IHE ITI TF-2 §3.53), the hub as consumer: the broker of a hospital
 * tells of new documents there, and the hospital's registry is asked about those patients at once. A notification is
 * news, never content: what it says of a document is not believed but asked for.
 */
import { Router } from 'express';
import type { Request, Response } from 'express';
import type { HospitalShelf } from '../../core/hospital.ts';
import type { Sites } from '../../core/site.ts';
import { readNotify } from '../../../mappings/xds/notification.ts';
import { NOTIFY, WSNT } from '../../../mappings/xds/notification-names.ts';
import { senderFault } from '../../../mappings/xds/soap.ts';
import type { SoapFault } from '../../../mappings/xds/soap.ts';
import { is } from '../../../mappings/xds/xml.ts';
import { siteId } from '../../core/identifier.ts';
import { peerOf } from '../caller.ts';
import { callerOf, setCaller } from '../caller.ts';
import { soapExchange } from './soap-exchange.ts';
import type { Refusal, SoapDeps, SoapExchange } from './soap-exchange.ts';

export const CONSUMER_LIMITS = { requestBytes: 16 * 1024 ** 2 } as const;

export interface ConsumerDeps extends SoapDeps {
  readonly sites: Pick<Sites, 'byId'>;
  readonly shelf: Pick<HospitalShelf, 'wake'>;
  /** The site whose broker was given this last part of an address, while it holds (hub/security/notify-pass.ts). */
  readonly siteOf: (pass: string) => Promise<string | null>;
  readonly limits: { readonly requestBytes: number };
}

export function notificationConsumer(deps: ConsumerDeps): Router {
  const act = { kind: 'submit-documents' } as const;
  const door = {
    operation: 'ITI-53',
    actions: [NOTIFY],
    act,
    requestBytes: deps.limits.requestBytes,
    transactions: { [NOTIFY]: { operation: 'ITI-53', act, audited: 'feed' } },
  } as const;
  const router = Router();
  router.post('/', (request, response) =>
    soapExchange(deps, door, request, response, (exchange) => notified(deps, exchange)),
  );
  router.post('/:pass', async (request, response) => {
    await admitBroker(deps, request.params.pass, request, response);
    return soapExchange(deps, door, request, response, (exchange) => notified(deps, exchange));
  });
  router.all(['/', '/:pass'], (_request, response) => {
    response.status(405).setHeader('Allow', 'POST').end();
  });
  return router;
}

/** A broker that has a token is known by it; one that has none, by the address that it was given. */
async function admitBroker(deps: ConsumerDeps, pass: string, request: Request, response: Response): Promise<void> {
  if (callerOf(response) !== null) return;
  const site = await deps.siteOf(pass);
  if (site === null) return;
  setCaller(response, {
    id: `broker:${site}`,
    name: `broker of ${site}`,
    role: 'hospital-feed',
    site: siteId(site),
    peer: peerOf(request),
  });
}

async function notified(deps: ConsumerDeps, exchange: SoapExchange): Promise<SoapFault | Refusal | null> {
  const { body } = exchange.message;
  if (!is(body, WSNT, 'Notify')) return senderFault(`The body must be a Notify of ${WSNT}.`);
  const site = exchange.caller.site === undefined ? null : deps.sites.byId(exchange.caller.site);
  if (!site?.xds) {
    const reason = 'The caller speaks for no hospital with a registry of its own.';
    await exchange.audited('failure', [], [], reason);
    return { fault: senderFault(reason), status: 403 };
  }
  const told = readNotify(body);
  if (told === null) {
    await exchange.audited('failure', [], [], 'malformed');
    return senderFault('The Notify has no NotificationMessage, or too many.');
  }
  const authority = site.xds.patientIdAuthority;
  const end = `^^^&${authority}&ISO`;
  const ids = told.patients.filter((cx) => cx.endsWith(end)).map((cx) => cx.slice(0, -end.length));
  const persons = ids.length === 0 ? [] : await deps.shelf.wake(site.id, authority, ids);
  await exchange.audited('success', persons, []);
  // WS-BaseNotification 1.3 §3.2: a one-way message.
  exchange.response.status(202).end();
  return null;
}
