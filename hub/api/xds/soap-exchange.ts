/**
 * One SOAP request at an XDS door: caller, right, package, envelope, and the way back as envelope or fault. What every
 * transaction shares; each transaction file holds its own meaning.
 */
import { randomUUID } from 'node:crypto';
import type { Request, Response } from 'express';
import { decide } from '../../core/access.ts';
import type { Act, Caller } from '../../core/access.ts';
import type { AuditEvent, AuditTrail } from '../../core/audit.ts';
import type { Log } from '../../core/ports.ts';
import { Failure, problemClass } from '../../core/problem.ts';
import type { Problem } from '../../core/problem.ts';
import { includesResolve, readPackage } from '../../../mappings/xds/mtom.ts';
import type { SoapPackage } from '../../../mappings/xds/mtom.ts';
import { faultStatus, readEnvelope, receiverFault, senderFault, writeFault } from '../../../mappings/xds/soap.ts';
import type { SoapFault, SoapMessage } from '../../../mappings/xds/soap.ts';
import { parseXml } from '../../../mappings/xds/xml.ts';
import { callerOf } from '../caller.ts';

export interface SoapDeps {
  readonly audit: AuditTrail;
  readonly log: Log;
}

export interface SoapDoor {
  /** In the face's own words: `RAD-69`. */
  readonly operation: string;
  readonly actions: readonly string[];
  readonly act: Act;
  readonly requestBytes: number;
  /** Where one path serves several transactions: what each is called, and its own right beside `act`. */
  readonly transactions?: Readonly<Record<string, SoapTransaction>>;
}

export interface SoapTransaction {
  /** `ITI-42`. */
  readonly operation: string;
  readonly act: Act;
  /** What the audit calls it; `read` where nothing is said. */
  readonly audited?: AuditEvent['action'];
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
    const admitted = await admit(deps, door, request, response);
    if ('fault' in admitted) {
      sendFault(response, admitted.fault, null, admitted.status);
      return;
    }
    const read = await readRequest(door, request);
    relatesTo = read.relatesTo;
    if ('fault' in read) {
      if (!request.complete) response.setHeader('Connection', 'close');
      sendFault(response, read.fault, relatesTo, read.status);
      return;
    }
    const { caller } = admitted;
    const {
      operation,
      act,
      audited: action = 'read',
    }: SoapTransaction = door.transactions?.[read.message.action] ?? door;
    const decision = decide(caller, act);
    if (!decision.allowed) {
      await refused(deps, operation, request, caller, decision.reason);
      sendFault(response, senderFault(`Refused: ${decision.reason}.`), relatesTo, 403);
      return;
    }
    const audited: SoapExchange['audited'] = (outcome, persons, objects, reason) =>
      deps.audit.record({
        ...who(caller, request),
        action,
        outcome,
        operation,
        persons,
        objects,
        ...(reason === undefined ? {} : { reason }),
      });
    const fault = await answer({ caller, message: read.message, attachments: read.attachments, response, audited });
    if (fault) sendFault(response, fault, relatesTo);
  } catch (error) {
    broke(deps, door, response, error, relatesTo);
  }
}

async function admit(
  deps: SoapDeps,
  door: SoapDoor,
  request: Request,
  response: Response,
): Promise<{ caller: Caller } | { fault: SoapFault; status: number }> {
  const caller = callerOf(response);
  // Of several transactions the body tells which; who may do none of them is not even read.
  const acts = door.transactions ? Object.values(door.transactions).map(({ act }) => act) : [door.act];
  if (caller && acts.some((act) => decide(caller, act).allowed)) return { caller };
  const decision = caller ? decide(caller, door.act) : null;
  const reason = decision && !decision.allowed ? decision.reason : caller ? 'no right here' : 'no caller';
  await refused(deps, door.operation, request, caller, reason);
  if (!caller) response.setHeader('WWW-Authenticate', 'Bearer realm="hutong"');
  return { fault: senderFault(caller ? `Refused: ${reason}.` : 'A caller is required.'), status: caller ? 403 : 401 };
}

const refused = (
  deps: SoapDeps,
  operation: string,
  request: Request,
  caller: Caller | null,
  reason: string,
): Promise<void> =>
  deps.audit.record({
    ...who(caller, request),
    action: 'refuse',
    outcome: 'refused',
    operation,
    persons: [],
    objects: [],
    reason,
  });

const who = (
  caller: Caller | null,
  request: Request,
): Pick<AuditEvent, 'face' | 'callerId' | 'callerName' | 'callerRole' | 'peer'> => ({
  face: 'xds',
  callerId: caller?.id ?? '',
  callerName: caller?.name ?? '',
  callerRole: caller?.role ?? '',
  peer: caller?.peer ?? request.socket.remoteAddress ?? '',
});

type ReadRequest =
  | {
      readonly message: SoapMessage;
      readonly attachments: SoapPackage['attachments'];
      readonly relatesTo: string | null;
    }
  | { readonly fault: SoapFault; readonly status?: number; readonly relatesTo: string | null };

async function readRequest(door: SoapDoor, request: Request): Promise<ReadRequest> {
  const limits = { bytes: door.requestBytes, parts: 16 };
  // What is refused half-read must still be answered: leaving the body unread does not close the connection.
  const body = request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>;
  const packed = await readPackage(request.headers['content-type'] ?? '', body, limits);
  if (!packed.ok) return { ...refusal(packed.problem), relatesTo: null };
  const root = parseXml(packed.value.envelope);
  if (!root.ok) return { ...refusal(root.problem), relatesTo: null };
  const { action, attachments } = packed.value;
  const envelope = readEnvelope(root.value, action, door.actions);
  if (!envelope.ok) return { fault: envelope.fault, relatesTo: envelope.messageId };
  const relatesTo = envelope.message.messageId;
  if (!includesResolve(envelope.message.body, attachments))
    return { fault: senderFault('An xop:Include names a part that the package does not have.'), relatesTo };
  return { message: envelope.message, attachments, relatesTo };
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
