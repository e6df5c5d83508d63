/**
 * ITI-44 at the PIX Manager: a system of a site tells of the site's own numbers. It goes to the journal like every feed;
 * CA says that it is kept (ITI TF-2 §3.44.4.1.3), CE why it is not.
 */
import { randomUUID } from 'node:crypto';
import { feedIdentity, type FeedIdentityDeps } from '../../flow/feed-identity.ts';
import { writeAnswer } from '../../../mappings/xds/hl7v3.ts';
import { feedAuthorities, feedMessageId } from '../../../mappings/xds/identity-feed.ts';
import { FEED_RESPONSE } from '../../../mappings/xds/patient-feed.ts';
import { senderFault } from '../../../mappings/xds/soap.ts';
import type { SoapFault } from '../../../mappings/xds/soap.ts';
import { writeXml } from '../../../mappings/xds/xml-write.ts';
import { answerBody } from './answer.ts';
import type { SoapExchange, SoapTransaction } from './soap-exchange.ts';

export interface IdentityFeedDeps {
  readonly feed: FeedIdentityDeps;
  readonly homeCommunityOid: string;
}

export interface IdentityFeed extends SoapTransaction {
  answer(exchange: SoapExchange): Promise<SoapFault | null>;
}

export const identityFeed = (deps: IdentityFeedDeps): IdentityFeed => ({
  operation: 'ITI-44',
  act: { kind: 'submit-documents' },
  audited: 'feed',
  async answer(exchange) {
    const { body, action } = exchange.message;
    if (!action.endsWith(`:${body.name}`)) return senderFault('The body is not the message that the action names.');
    const fed = await feedIdentity(deps.feed, exchange.caller, {
      channel: 'hl7v3',
      messageType: body.name,
      contentType: 'application/xml',
      // The message; the envelope around it may hold an assertion about a user, which is no part of it.
      bytes: Buffer.from(writeXml(body)),
      controlId: feedMessageId(body) ?? randomUUID(),
      authorities: feedAuthorities(body),
    });
    const wrong = fed.ok ? null : fed.problem;
    const reason = wrong === null ? [] : [wrong.code];
    await exchange.audited(wrong === null ? 'success' : 'failure', [], [body.name], ...reason);
    const by = { device: deps.homeCommunityOid, id: randomUUID(), at: timestamp() };
    const acknowledged = { code: wrong === null ? ('CA' as const) : ('CE' as const), problem: wrong };
    answerBody(exchange, FEED_RESPONSE, writeAnswer('MCCI_IN000002UV01', body, by, acknowledged));
    return null;
  },
});

const timestamp = (): string => new Date().toISOString().replace(/\D/g, '').slice(0, 14);
