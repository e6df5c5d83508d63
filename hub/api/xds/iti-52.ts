/**
 * ITI-52 Document Metadata Subscribe (IHE ITI TF-2 §3.52): subscribing, and at the subscription's own address renewing
 * and ending it. Whoever may read records may be told of new ones.
 */
import { randomUUID } from 'node:crypto';
import type { Caller } from '../../core/access.ts';
import type { AffinityPatients } from '../../core/document-ports.ts';
import { isAllowedConsumer } from '../../core/document-subscription.ts';
import type { Subscription, SubscriptionStore } from '../../core/document-subscription.ts';
import type { PatientCx } from '../../core/document.ts';
import { notificationFault, RENEW, SUBSCRIBE, UNSUBSCRIBE, WSNT } from '../../../mappings/xds/notification-names.ts';
import { senderFault } from '../../../mappings/xds/soap.ts';
import type { SoapFault } from '../../../mappings/xds/soap.ts';
import {
  readRenew,
  readSubscribe,
  responseAction,
  UNSUBSCRIBED,
  writeRenewResponse,
  writeSubscribeResponse,
} from '../../../mappings/xds/subscription.ts';
import { is } from '../../../mappings/xds/xml.ts';
import { answerBody } from './answer.ts';
import type { SoapDeps, SoapExchange } from './soap-exchange.ts';

export interface SubscriptionDeps extends SoapDeps {
  readonly subscriptions: SubscriptionStore;
  readonly patients: Pick<AffinityPatients, 'personsOf'>;
  readonly consumerHosts: ReadonlySet<string>;
  readonly clock: () => Date;
  readonly limits: { readonly requestBytes: number; readonly longestMs: number; readonly perSubscriber: number };
}

/** `base`: the address of the broker as its caller reached it. */
export async function subscribe(
  deps: SubscriptionDeps,
  exchange: SoapExchange,
  base: string,
): Promise<SoapFault | null> {
  const { message, caller } = exchange;
  const now = deps.clock();
  if (!is(message.body, WSNT, 'Subscribe')) return senderFault(`The body must be a Subscribe of ${WSNT}.`);
  const asked = readSubscribe(message.body, { now, longestMs: deps.limits.longestMs });
  if ('fault' in asked) return told(exchange, [], asked.fault);
  const persons = await personsOf(deps, asked.patientId);
  const refused = await mayNot(deps, exchange, asked.patientId, persons);
  if (refused) return refused;
  const creationFailed = (reason: string): Promise<SoapFault> =>
    told(exchange, persons, notificationFault('SubscribeCreationFailedFault', reason, now));
  if (!isAllowedConsumer(asked.consumer.address, deps.consumerHosts))
    return creationFailed('The ConsumerReference is no address that the hub may send notifications to.');
  if ((await deps.subscriptions.count(caller.id)) >= deps.limits.perSubscriber)
    return creationFailed('The subscriber has as many subscriptions as it may have.');
  const id = randomUUID();
  const { name, role, site } = caller;
  const subscriber = { id: caller.id, name, role, ...(site === undefined ? {} : { site }) };
  await deps.subscriptions.add({ ...asked, id, subscriber, origin: base });
  await exchange.audited('success', persons, [id]);
  answerBody(exchange, responseAction(SUBSCRIBE), writeSubscribeResponse(`${base}/${id}`, now, asked.endsAt));
  return null;
}

/** `id`: from the path, whatever stands there. */
export async function unsubscribe(
  deps: SubscriptionDeps,
  exchange: SoapExchange,
  id: string,
): Promise<SoapFault | null> {
  if (!is(exchange.message.body, WSNT, 'Unsubscribe'))
    return senderFault(`The body must be an Unsubscribe of ${WSNT}.`);
  const found = await own(deps, exchange.caller, id);
  if (found === null || !(await deps.subscriptions.end(found.id))) return unknown(deps, exchange);
  await exchange.audited('success', await personsOf(deps, found.patientId), [found.id]);
  answerBody(exchange, responseAction(UNSUBSCRIBE), UNSUBSCRIBED);
  return null;
}

/** WS-BaseNotification 1.3 §6.1.1; the profile leaves it open. */
export async function renew(deps: SubscriptionDeps, exchange: SoapExchange, id: string): Promise<SoapFault | null> {
  const { body } = exchange.message;
  const now = deps.clock();
  if (!is(body, WSNT, 'Renew')) return senderFault(`The body must be a Renew of ${WSNT}.`);
  const found = await own(deps, exchange.caller, id);
  if (found === null) return unknown(deps, exchange);
  const persons = await personsOf(deps, found.patientId);
  const endsAt = readRenew(body, { now, longestMs: deps.limits.longestMs });
  if (!(endsAt instanceof Date)) return told(exchange, persons, endsAt.fault);
  if (!(await deps.subscriptions.renew(found.id, endsAt))) return unknown(deps, exchange);
  await exchange.audited('success', persons, [found.id]);
  answerBody(exchange, responseAction(RENEW), writeRenewResponse(now, endsAt));
  return null;
}

/** A statement for one patient is no right to hear of all others. */
async function mayNot(
  deps: SubscriptionDeps,
  exchange: SoapExchange,
  patientId: PatientCx | null,
  persons: readonly string[],
): Promise<SoapFault | null> {
  if (patientId !== null) return exchange.refusePatient([patientId], persons);
  if ((exchange.caller.onBehalfOf?.patientIds ?? []).length === 0) return null;
  const reason = 'The assertion was issued for one patient.';
  return told(exchange, persons, notificationFault('SubscribeCreationFailedFault', reason, deps.clock()));
}

/** A subscription of somebody else is as unknown as none. */
async function own(deps: SubscriptionDeps, caller: Caller, id: string): Promise<Subscription | null> {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) return null;
  const found = await deps.subscriptions.find(id);
  return found && (found.subscriber.id === caller.id || caller.role === 'administrator') ? found : null;
}

const unknown = (deps: SubscriptionDeps, exchange: SoapExchange): Promise<SoapFault> =>
  told(exchange, [], notificationFault('ResourceUnknownFault', 'There is no such subscription.', deps.clock()));

async function personsOf(deps: SubscriptionDeps, patientId: PatientCx | null): Promise<string[]> {
  return patientId === null ? [] : [...(await deps.patients.personsOf([patientId])).values()];
}

/** The fault, after the audit knows of it. */
async function told(exchange: SoapExchange, persons: readonly string[], fault: SoapFault): Promise<SoapFault> {
  await exchange.audited('failure', persons, [], fault.reason);
  return fault;
}
