/** A SOAP answer without attachments: the envelope around a body, sent whole. */
import { writeEnvelope } from '../../../mappings/xds/soap.ts';
import { newMessageId } from './soap-exchange.ts';
import type { SoapExchange } from './soap-exchange.ts';

/** `action` is that of the response. Audit first. */
export function answerBody({ response, message }: SoapExchange, action: string, body: string): void {
  response
    .status(200)
    .setHeader('Content-Type', `application/soap+xml; charset=UTF-8; action="${action}"`)
    .end(writeEnvelope({ action, relatesTo: message.messageId, messageId: newMessageId() }, body));
}
