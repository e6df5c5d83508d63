/**
 * One SOAP request at an XDS door: caller, right, package, envelope, and the way back as envelope or fault. What every
 * transaction shares; each transaction file holds its own meaning.
 */
import { randomUUID } from 'node:crypto';
import type { Request, Response } from 'express';
import { decide } from '../../core/access.ts';
import type { Act, Caller } from '../../core/access.ts';
import { groundsOf, refusalOf } from '../../core/access-ports.ts';
import type { Sight } from '../../core/access-ports.ts';
import type { AuditEvent, Calling } from '../../core/audit.ts';
import type { Log } from '../../core/ports.ts';
import { Failure, problemClass } from '../../core/problem.ts';
import type { Problem } from '../../core/problem.ts';
import type { DocumentIntake, KeptDocument } from '../../flow/receive-documents.ts';
import { callEvent, soapDetail } from '../../../mappings/atna/index.ts';
import { includedIds, includesResolve, keepBytes, openPackage } from '../../../mappings/xds/mtom.ts';
import type { KeepPart, OpenPackage, PackageLimits, SoapPackage } from '../../../mappings/xds/mtom.ts';
import { faultStatus, readEnvelope, receiverFault, senderFault, writeFault } from '../../../mappings/xds/soap.ts';
import type { SoapFault, SoapMessage } from '../../../mappings/xds/soap.ts';
import { openXml, XML_LIMITS } from '../../../mappings/xds/xml.ts';
import { callerOf } from '../caller.ts';
import { admit, refuseOthers, refusePatient, seenOf, who } from './soap-caller.ts';
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
  /** Where one path serves several transactions: what each is called, and its own right beside `act`. */
  readonly transactions?: Readonly<Record<string, SoapTransaction>>;
  /** Of a door whose attachments are larger than memory: who takes them, once for each exchange. */
  readonly intake?: (caller: Caller | null) => DocumentIntake;
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
  /** What this caller may see: transactions read the index and the registry through it. */
  readonly sight: Sight;
  readonly message: SoapMessage;
  /** Empty at a door with an intake. */
  readonly attachments: SoapPackage['attachments'];
  /**
   * Reads the attachments at a door with an intake: each transaction that wants them asks. `skip`: nothing of them is
   * stored, since the answer is known; they are read for a peer that listens only when it has sent everything.
   */
  readonly documents: (skip: boolean) => Promise<Documents>;
  /** Whether the request came as MTOM, and is to be answered so. */
  readonly mtom: boolean;
  readonly response: Response;
  /** Resolves when durable; call it before answering with anybody's data. */
  audited(
    outcome: AuditEvent['outcome'],
    persons: readonly string[],
    objects: readonly string[],
    reason?: string,
  ): Promise<void>;
  /** Records a call to another system in the caller's name, before it is made. */
  readonly calling: Calling;
  /** The fault where the caller may see other patients only; `ids`: every CX known of the patient asked for. */
  refusePatient(ids: readonly string[], persons: readonly string[]): Promise<SoapFault | null>;
  /**
   * The fault where one of several patients is another than the caller may see: ids of the affinity domain, and persons of
   * the index. Before anything is sent.
   */
  refuseOthers(ids: readonly string[], persons?: readonly string[]): Promise<SoapFault | null>;
  /** Those of these patients, by their CX, whom the caller may see. */
  seenOf<Id extends string>(ids: readonly Id[]): Promise<ReadonlySet<Id>>;
}

export type Documents =
  | { readonly parts: ReadonlyMap<string, KeptDocument>; readonly intake: DocumentIntake }
  | { readonly refusal: Refusal; readonly intake: DocumentIntake };

export interface Refusal {
  readonly fault: SoapFault;
  readonly status?: number;
}

export const newMessageId = (): string => `urn:uuid:${randomUUID()}`;

/** Runs one exchange; `answer` writes the response itself, or returns the fault that is to be sent. */
export async function soapExchange(
  deps: SoapDeps,
  door: SoapDoor,
  request: Request,
  response: Response,
  answer: (exchange: SoapExchange) => Promise<SoapFault | Refusal | null>,
): Promise<void> {
  let relatesTo: string | null = null;
  const refuse = (refusal: Refusal): void => {
    if (!request.complete) response.setHeader('Connection', 'close');
    sendFault(response, refusal.fault, relatesTo, refusal.status);
  };
  let intake: DocumentIntake | undefined;
  try {
    intake = door.intake?.(callerOf(response));
    // The envelope may name the caller, so it is read first; nothing is told of it before the caller is known.
    const read = await readRequest(deps, door, request, intake);
    const admitted = await admit(deps, door, request, response, read.stated);
    relatesTo = read.relatesTo;
    if ('fault' in admitted) {
      refuse(admitted);
      return;
    }
    if ('fault' in read) {
      refuse(read);
      return;
    }
    const { caller } = admitted;
    const { message } = read;
    const { operation, act, audited: action = 'read' }: SoapTransaction = door.transactions?.[message.action] ?? door;
    const decision = decide(caller, act);
    if (!decision.allowed) {
      refuse(await refused(deps, operation, request, caller, decision.reason));
      return;
    }
    const sight = await deps.access.sight(caller);
    const audited: SoapExchange['audited'] = (outcome, persons, objects, reason) =>
      deps.audit.record({
        ...who(caller, request),
        action,
        outcome,
        operation,
        persons,
        objects,
        detail: soapDetail(read.message, { endpoint: endpointOf(request), only: objects }),
        ...(reason === undefined ? {} : { reason }),
        ...groundsOf(sight.told()),
      });
    const refusing: SoapExchange['refusePatient'] = (ids, persons) =>
      refusePatient(deps, operation, caller, request, { ids, persons });
    const calling: Calling = (call) => deps.audit.record({ ...who(caller, request), ...callEvent(call), persons: [] });
    const others: SoapExchange['refuseOthers'] = (ids, persons = []) =>
      refuseOthers(deps, operation, caller, request, { ids, persons });
    const fault = await answer({
      ...read,
      caller,
      sight,
      response,
      audited,
      calling,
      refusePatient: refusing,
      refuseOthers: others,
      seenOf: (ids) => seenOf(deps, caller, ids),
    });
    await recordWithheld(deps, operation, request, caller, sight);
    if (fault) refuse('fault' in fault ? fault : { fault });
  } catch (error) {
    broke(deps, door, response, error, relatesTo);
  } finally {
    await intake?.discard();
  }
}

/** What was left out of an answer as if it did not exist is in the audit as what it is: once for each exchange. */
async function recordWithheld(
  deps: SoapDeps,
  operation: string,
  request: Request,
  caller: Caller,
  sight: Sight,
): Promise<void> {
  const refusal = refusalOf(sight.told());
  if (refusal === null) return;
  await deps.audit.record({
    ...who(caller, request),
    action: 'refuse',
    outcome: 'refused',
    operation,
    ...refusal,
  });
}

/** The service as its caller addressed it, for the audit; a Host header that is none names nothing. */
function endpointOf(request: Request): string {
  const host = request.get('host') ?? '';
  const safe = /^[A-Za-z0-9.:[\]-]{1,260}$/.test(host) ? host : 'localhost';
  return `${request.protocol}://${safe}${request.baseUrl}`;
}

/** A known caller whose right is not that of the transaction in the body. */
async function refused(
  deps: SoapDeps,
  operation: string,
  request: Request,
  caller: Caller,
  reason: string,
): Promise<Refusal> {
  await deps.audit.record({
    ...who(caller, request),
    action: 'refuse',
    outcome: 'refused',
    operation,
    persons: [],
    objects: [],
    reason,
  });
  return { fault: senderFault(`Refused: ${reason}.`), status: 403 };
}

interface Told {
  readonly stated: Stated;
  readonly relatesTo: string | null;
}

type ReadRequest = Told & (Pick<SoapExchange, 'message' | 'attachments' | 'documents' | 'mtom'> | Refusal);

/** Parts of one package: at a door whose requests are small, and at one that takes documents. */
const PARTS = { small: 16, documents: 1_001 };

async function readRequest(
  deps: SoapDeps,
  door: SoapDoor,
  request: Request,
  intake: DocumentIntake | undefined,
): Promise<ReadRequest> {
  // What is refused half-read must still be answered: leaving the body unread does not close the connection.
  const body = request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>;
  const type = request.headers['content-type'] ?? '';
  if (!intake) {
    const opened = await readRoot(
      deps,
      door,
      type,
      { body, limits: { bytes: door.requestBytes, parts: PARTS.small } },
      keepBytes,
    );
    if ('fault' in opened) return opened;
    const rest = await readRest(opened);
    if ('fault' in rest) return { ...rest, stated: opened.stated, relatesTo: opened.relatesTo };
    return { ...opened, attachments: rest.parts, documents: () => Promise.reject(new Error('a door without intake')) };
  }
  const limits = { bytes: door.requestBytes, parts: PARTS.documents, rootBytes: XML_LIMITS.bytes, inlineBytes: 32_768 };
  const opened = await readRoot(deps, door, type, { body, limits }, (part) => intake.take(part.body));
  if ('fault' in opened) return opened;
  const documents = async (skip: boolean): Promise<Documents> => {
    // Asked for by a transaction that its caller is allowed.
    if (skip) intake.close();
    else intake.trust();
    const rest = await readRest(opened);
    return 'fault' in rest ? { refusal: rest, intake } : { parts: rest.parts, intake };
  };
  return { ...opened, attachments: new Map(), documents };
}

interface OpenRequest<A> extends Told {
  readonly message: SoapMessage;
  readonly mtom: boolean;
  readonly opened: OpenPackage<A>;
}

async function readRoot<A>(
  deps: SoapDeps,
  door: SoapDoor,
  type: string,
  { body, limits }: { readonly body: AsyncIterable<Uint8Array>; readonly limits: PackageLimits },
  keep: KeepPart<A>,
): Promise<OpenRequest<A> | (Refusal & Told)> {
  const unread = { stated: null, relatesTo: null };
  const opened = await openPackage(type, body, limits, keep);
  if (!opened.ok) return { ...refusal(opened.problem), ...unread };
  const { action, mtom, envelope: bytes } = opened.value;
  const xml = openXml(bytes, XML_LIMITS, (open) => ({
    root: open.root,
    stated: deps.assertions?.inspect(open) ?? null,
  }));
  if (!xml.ok) return { ...refusal(xml.problem), ...unread };
  const { root, stated } = xml.value;
  const envelope = readEnvelope(root, action, door.actions);
  if (!envelope.ok) return { fault: envelope.fault, stated, relatesTo: envelope.messageId };
  const { message } = envelope;
  return { message, mtom, stated, relatesTo: message.messageId, opened: opened.value };
}

async function readRest<A>({ opened, message }: OpenRequest<A>): Promise<{ parts: ReadonlyMap<string, A> } | Refusal> {
  const parts = await opened.rest(includedIds(message.body));
  if (!parts.ok) return refusal(parts.problem);
  if (!includesResolve(message.body, parts.value))
    return { fault: senderFault('An xop:Include names a part that the package does not have.') };
  return { parts: parts.value };
}

function refusal(found: Problem): Refusal {
  const fault = senderFault(found.where === undefined ? found.text : `${found.text} (${found.where})`);
  if (found.code === 'too-large') return { fault, status: 413 };
  if (found.code === 'unsupported-media') return { fault, status: 415 };
  return problemClass(found) === 'permanent' ? { fault } : { fault: receiverFault(found.text), status: 503 };
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
