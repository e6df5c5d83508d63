/**
 * One SOAP request at an XDS door: caller, right, package, envelope, and the way back as envelope or fault. What every
 * transaction shares; each transaction file holds its own meaning.
 */
import { randomUUID } from 'node:crypto';
import type { Request, Response } from 'express';
import type { Act, Caller } from '../../core/access.ts';
import type { AuditEvent } from '../../core/audit.ts';
import type { Log } from '../../core/ports.ts';
import { Failure, problemClass } from '../../core/problem.ts';
import type { Problem } from '../../core/problem.ts';
import { soapDetail } from '../../../mappings/atna/index.ts';
import { includesResolve, readPackage } from '../../../mappings/xds/mtom.ts';
import type { SoapPackage } from '../../../mappings/xds/mtom.ts';
import { faultStatus, readEnvelope, receiverFault, senderFault, writeFault } from '../../../mappings/xds/soap.ts';
import type { SoapFault, SoapMessage } from '../../../mappings/xds/soap.ts';
import { openXml, XML_LIMITS } from '../../../mappings/xds/xml.ts';
import { admit, refusePatient, who } from './soap-caller.ts';
import type { CallerDeps, Stated } from './soap-caller.ts';

export interface SoapDeps extends CallerDeps {
  readonly log: Log;
}

export interface SoapDoor {
  /** In the face's own words: `RAD-69`. */
  readonly operation: string;
  readonly actions: readonly string[];
  readonly act: Act;
  readonly requestBytes: number;
}

export interface SoapExchange {
  readonly caller: Caller;
  readonly message: SoapMessage;
  readonly attachments: SoapPackage['attachments'];
  readonly response: Response;
  /** Resolves when durable; call it before answering with anybody's data. */
  audited(
    outcome: AuditEvent['outcome'],
    persons: readonly string[],
    objects: readonly string[],
    reason?: string,
  ): Promise<void>;
  /** The fault where the caller may see other patients only; `ids`: every CX known of the patient asked for. */
  refusePatient(ids: readonly string[], persons: readonly string[]): Promise<SoapFault | null>;
}

export const newMessageId = (): string => `urn:uuid:${randomUUID()}`;

/** Runs one exchange; `answer` writes the response itself, or returns the fault that is to be sent. */
export async function soapExchange(
  deps: SoapDeps,
  door: SoapDoor,
  request: Request,
  response: Response,
  answer: (exchange: SoapExchange) => Promise<SoapFault | null>,
): Promise<void> {
  let relatesTo: string | null = null;
  try {
    // The envelope may name the caller, so it is read first; nothing is told of it before the caller is known.
    const read = await readRequest(deps, door, request);
    const admitted = await admit(deps, door, request, response, read.stated);
    if (!request.complete && ('fault' in read || 'fault' in admitted)) response.setHeader('Connection', 'close');
    if ('fault' in admitted) {
      sendFault(response, admitted.fault, read.relatesTo, admitted.status);
      return;
    }
    relatesTo = read.relatesTo;
    if ('fault' in read) {
      sendFault(response, read.fault, relatesTo, read.status);
      return;
    }
    const { caller } = admitted;
    const audited: SoapExchange['audited'] = (outcome, persons, objects, reason) =>
      deps.audit.record({
        ...who(caller, request),
        action: 'read',
        outcome,
        operation: door.operation,
        persons,
        objects,
        detail: soapDetail(read.message, { endpoint: endpointOf(request), only: objects }),
        ...(reason === undefined ? {} : { reason }),
      });
    const { message, attachments } = read;
    const refusing: SoapExchange['refusePatient'] = (ids, persons) =>
      refusePatient(deps, door.operation, caller, request, { ids, persons });
    const fault = await answer({ caller, message, attachments, response, audited, refusePatient: refusing });
    if (fault) sendFault(response, fault, relatesTo);
  } catch (error) {
    broke(deps, door, response, error, relatesTo);
  }
}

/** The service as its caller addressed it, for the audit; a Host header that is none names nothing. */
function endpointOf(request: Request): string {
  const host = request.get('host') ?? '';
  const safe = /^[A-Za-z0-9.:[\]-]{1,260}$/.test(host) ? host : 'localhost';
  return `${request.protocol}://${safe}${request.baseUrl}`;
}

type ReadRequest = { readonly stated: Stated; readonly relatesTo: string | null } & (
  | { readonly message: SoapMessage; readonly attachments: SoapPackage['attachments'] }
  | { readonly fault: SoapFault; readonly status?: number }
);

async function readRequest(deps: SoapDeps, door: SoapDoor, request: Request): Promise<ReadRequest> {
  const limits = { bytes: door.requestBytes, parts: 16 };
  // What is refused half-read must still be answered: leaving the body unread does not close the connection.
  const body = request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>;
  const packed = await readPackage(request.headers['content-type'] ?? '', body, limits);
  const unread = { stated: null, relatesTo: null };
  if (!packed.ok) return { ...refusal(packed.problem), ...unread };
  const { action, attachments } = packed.value;
  const opened = openXml(packed.value.envelope, XML_LIMITS, (open) => ({
    root: open.root,
    stated: deps.assertions?.inspect(open) ?? null,
  }));
  if (!opened.ok) return { ...refusal(opened.problem), ...unread };
  const { root, stated } = opened.value;
  const envelope = readEnvelope(root, action, door.actions);
  if (!envelope.ok) return { fault: envelope.fault, stated, relatesTo: envelope.messageId };
  const relatesTo = envelope.message.messageId;
  if (!includesResolve(envelope.message.body, attachments))
    return { fault: senderFault('An xop:Include names a part that the package does not have.'), stated, relatesTo };
  return { message: envelope.message, attachments, stated, relatesTo };
}

function refusal(found: Problem): { fault: SoapFault; status?: number } {
  const fault = senderFault(found.where === undefined ? found.text : `${found.text} (${found.where})`);
  if (found.code === 'too-large') return { fault, status: 413 };
  return found.code === 'unsupported-media' ? { fault, status: 415 } : { fault };
}

export function sendFault(response: Response, fault: SoapFault, relatesTo: string | null, status?: number): void {
  response
    .status(status ?? faultStatus(fault))
    .setHeader('Content-Type', 'application/soap+xml; charset=UTF-8')
    .end(writeFault(fault, { relatesTo, messageId: newMessageId() }));
}

/** An answer that has begun must not look whole: the connection ends without its last boundary. */
function broke(deps: SoapDeps, door: SoapDoor, response: Response, error: unknown, relatesTo: string | null): void {
  const known = error instanceof Failure ? error.problem : null;
  const line = { operation: door.operation, code: known?.code ?? (error instanceof Error ? error.name : typeof error) };
  if (response.destroyed || response.socket?.destroyed !== false) {
    deps.log.info(line, 'the caller has gone');
    response.destroy();
  } else if (response.headersSent) {
    deps.log.error(line, 'a SOAP answer broke off');
    response.destroy();
  } else {
    deps.log.error(line, 'a SOAP request failed');
    if (known && problemClass(known) !== 'permanent') response.setHeader('Retry-After', '5');
    sendFault(response, receiverFault(known?.text ?? 'The hub failed.'), relatesTo);
  }
}
