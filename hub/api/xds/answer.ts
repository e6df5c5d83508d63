/** A SOAP answer without attachments, sent whole: plain SOAP or MTOM, as its request came. */
import { randomUUID } from 'node:crypto';
import { packageEnd, packageType, rootHead } from '../../../mappings/xds/mtom.ts';
import { writeEnvelope } from '../../../mappings/xds/soap.ts';
import { newMessageId } from './soap-exchange.ts';
import type { SoapExchange } from './soap-exchange.ts';

/** `action` is that of the response. Audit first. */
export function answerBody({ response, message, mtom }: SoapExchange, action: string, body: string): void {
  const envelope = writeEnvelope({ action, relatesTo: message.messageId, messageId: newMessageId() }, body);
  response.status(200);
  if (!mtom) {
    response.setHeader('Content-Type', `application/soap+xml; charset=UTF-8; action="${action}"`).end(envelope);
    return;
  }
  const boundary = `hutong-${randomUUID()}`;
  const rootId = `root-${randomUUID()}@hutong`;
  response
    .setHeader('Content-Type', packageType(boundary, rootId, action))
    .end(rootHead(boundary, rootId) + envelope + packageEnd(boundary));
}
