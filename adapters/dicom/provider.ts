/**
 * The hub as service class provider on one association: admits or rejects the caller, answers its contexts, and hands
 * each request to the service that knows it. One operation at a time (PS3.7 §D.3.3.3: no asynchronous window).
 */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { Failure, problem } from '../../hub/core/problem.ts';
import type { AuditTrail, AuditEvent } from '../../hub/core/audit.ts';
import type { Seeing } from '../../hub/core/access-ports.ts';
import type { ImageSource, InstanceSink, Log } from '../../hub/core/ports.ts';
import type { SiteProfile, Sites } from '../../hub/core/site.ts';
import { IMPLEMENTATION_CLASS, IMPLEMENTATION_VERSION } from '../../mappings/dicom/write.ts';
import { admit, plainAddress, plainFingerprint } from './admit.ts';
import type { Peer } from './admit.ts';
import { Association, MAX_IDENTIFIER, collect } from './association.ts';
import type { DataReceiver, Request } from './association.ts';
import { COMMAND, responseTo } from './command.ts';
import { serveFind } from './find-scp.ts';
import type { DimseLimits } from './limits.ts';
import { callerAt, recordWithheld } from './query-context.ts';
import type { Asked } from './query-context.ts';
import { serveRetrieve } from './retrieve-scp.ts';
import { negotiate } from './negotiate.ts';
import { APPLICATION_CONTEXT, REJECT } from './pdu.ts';
import type { AssociateRq, PdvFragment } from './pdu.ts';
import { PDU_LIMITS } from './pdu-stream.ts';
import { STATUS, queryFailure } from './status.ts';
import { QUERY_MODELS, VERIFICATION } from './sop-classes.ts';
import type { QueryModel, Verb } from './sop-classes.ts';
import { serveStore } from './store-scp.ts';
import type { Transcode } from './sub-operation.ts';
import { ConnectionEnded, UpperLayer } from './upper-layer.ts';
import type { Ending, UpperLayerUser } from './upper-layer.ts';

/** What the provider works with; made by the composition root. */
export interface ProviderPorts {
  readonly aeTitle: string;
  readonly sink: InstanceSink;
  readonly seeing: Seeing;
  readonly images: ImageSource;
  readonly sites: Sites;
  readonly audit: AuditTrail;
  readonly log: Log;
  readonly limits: DimseLimits;
  readonly transcode?: Transcode;
}

export interface Occupancy {
  /** False where this association would be one too many. */
  readonly allowed: () => boolean;
  readonly counted: (outcome: 'received' | 'refused') => void;
  readonly over: () => void;
}

const QUERY_REQUEST: Readonly<Record<Verb, number>> = {
  find: COMMAND.findRq,
  move: COMMAND.moveRq,
  get: COMMAND.getRq,
};

const MAX_RECORDED = 10_000;

/** A query or retrieve under way. */
interface Operation {
  readonly messageId: number;
  /** Never rejects. */
  readonly finished: Promise<void>;
  readonly cancel: AbortController;
}

export class Provider implements UpperLayerUser {
  readonly #ports: ProviderPorts;
  readonly #occupancy: Occupancy;
  readonly #peer: Peer;
  readonly #layer: UpperLayer;
  #log: Log;
  #association: Association | null = null;
  #site: SiteProfile | null = null;
  #callingAe = '';
  #operation: Operation | null = null;
  #busy = 0;
  /** Studies of this association that the audit has. */
  readonly #recorded = new Set<string>();
  #idle: (() => void)[] = [];

  constructor(socket: Socket, ports: ProviderPorts, occupancy: Occupancy) {
    this.#ports = ports;
    this.#occupancy = occupancy;
    this.#peer = peerOf(socket);
    this.#log = ports.log.child({ peer: this.#peer.address });
    const pdu = { ...PDU_LIMITS, maxDataLength: ports.limits.hardPduLength };
    this.#layer = new UpperLayer(socket, 'acceptor', this, ports.limits, pdu);
  }

  async associateRequested(rq: AssociateRq): Promise<void> {
    this.#callingAe = rq.calling;
    this.#log = this.#log.child({ callingAe: rq.calling });
    if (!this.#occupancy.allowed()) {
      this.#layer.reject(REJECT.localLimit, 'too many associations');
      return;
    }
    const { aeTitle, sites, limits } = this.#ports;
    const admission = admit(rq, this.#peer, aeTitle, sites);
    if (!admission.ok) {
      this.#occupancy.counted('refused');
      // A refusal that cannot be recorded is still a refusal.
      await this.#recordRefusal(admission.text);
      this.#layer.reject(admission.rejection, admission.text);
      return;
    }
    this.#site = admission.site;
    const negotiated = negotiate(rq);
    this.#association = new Association(
      this.#layer,
      negotiated.contexts,
      (request) => this.#serve(request),
      limits.responseMs,
    );
    this.#layer.accept({
      called: rq.called,
      calling: rq.calling,
      applicationContext: APPLICATION_CONTEXT,
      contexts: negotiated.answers,
      user: {
        maxLength: limits.maxPduLength,
        implementationClassUid: IMPLEMENTATION_CLASS,
        implementationVersion: IMPLEMENTATION_VERSION,
        roles: negotiated.roles,
        ...(rq.user.asyncOperations ? { asyncOperations: { invoked: 1, performed: 1 } } : {}),
      },
    });
  }

  fragment(fragment: PdvFragment): void | Promise<void> {
    return this.#association?.fragment(fragment);
  }

  releaseRequested(): void {
    this.#operation?.cancel.abort();
    this.#layer.respondRelease();
  }

  ended(ending: Ending): void {
    this.#operation?.cancel.abort();
    this.#association?.end(ending.text);
    if (ending.kind === 'released') this.#log.debug({}, 'association released');
    else this.#log.info({ ending: ending.kind, reason: ending.text }, 'association ended');
    if (this.#site) this.#ports.sink.paused({ site: this.#site.id, sender: this.#callingAe });
    this.#occupancy.over();
  }

  failed(cause: unknown): void {
    this.#log.error({ cause }, 'a DICOM handler failed');
  }

  /** Lets the message at hand finish, then aborts: a released association would look like a peer's fault to nobody. */
  async drain(): Promise<void> {
    if (this.#busy > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
    this.close('the hub stops');
  }

  close(reason: string): void {
    this.#layer.abort(reason);
  }

  /** PS3.15 A.5.3.7: one event for each study of an association, before the first of its images is answered. */
  async #recordStudy(site: SiteProfile, studyUid: string): Promise<void> {
    if (this.#recorded.has(studyUid)) return;
    if (this.#recorded.size >= MAX_RECORDED) this.#recorded.clear();
    await this.#ports.audit.record({
      action: 'feed',
      outcome: 'success',
      face: 'dimse',
      operation: 'C-STORE',
      callerId: this.#callingAe,
      callerName: `${this.#callingAe} (${site.id})`,
      callerRole: 'hospital-feed',
      peer: this.#peer.address,
      persons: [],
      objects: [studyUid],
    });
    this.#recorded.add(studyUid);
  }

  async #recordRefusal(reason: string): Promise<void> {
    const event: AuditEvent = {
      action: 'refuse',
      outcome: 'refused',
      face: 'dimse',
      operation: 'A-ASSOCIATE',
      callerId: this.#callingAe,
      callerName: this.#callingAe,
      callerRole: 'unknown',
      peer: this.#peer.address,
      persons: [],
      objects: [],
      reason,
    };
    try {
      await this.#ports.audit.record(event);
    } catch (cause) {
      this.#log.error({ cause }, 'a refused association was not audited');
    }
  }

  async #serve(request: Request): Promise<DataReceiver | null> {
    const association = this.#association;
    const site = this.#site;
    if (!association || !site) throw new Error('a request before its association');
    const { command, context } = request;
    if (command.commandField === COMMAND.cancelRq) {
      if (this.#operation?.messageId === command.respondedTo) this.#operation?.cancel.abort();
      return null;
    }
    // No asynchronous operations were agreed on: a request that comes before the last answer was read waits.
    await this.#operation?.finished;
    const done = this.#begin();
    switch (command.commandField) {
      case COMMAND.echoRq:
        await association.send(context, responseTo(command, STATUS.success, { affectedSopClass: VERIFICATION }));
        done();
        return null;
      case COMMAND.storeRq: {
        const counted = (outcome: 'received' | 'refused'): void => this.#occupancy.counted(outcome);
        const { sink } = this.#ports;
        const at = {
          association,
          sink,
          site,
          callingAe: this.#callingAe,
          peer: this.#peer.address,
          log: this.#log,
          counted,
          recorded: (studyUid: string) => this.#recordStudy(site, studyUid),
        };
        return finishing(await serveStore(request, at), done);
      }
      case COMMAND.findRq:
      case COMMAND.moveRq:
      case COMMAND.getRq: {
        const model = QUERY_MODELS[context.abstractSyntax];
        if (model && QUERY_REQUEST[model.verb] === command.commandField && request.hasDataSet) {
          return finishing(this.#query(request, model, association, site), done);
        }
        break;
      }
      default:
        break;
    }
    await association.send(context, responseTo(command, STATUS.unrecognisedOperation));
    done();
    return null;
  }

  /**
   * Collects the identifier and lets the operation run beside the reading of the socket, so that C-CANCEL, the
   * answers of C-GET sub-operations and the end of the association are heard.
   */
  #query(request: Request, model: QueryModel, association: Association, site: SiteProfile): DataReceiver {
    const run = async (bytes: Buffer | null): Promise<void> => {
      if (!bytes) {
        const outcome = queryFailure(problem('too-large', undefined, 'The identifier is too large.'));
        return association.send(request.context, responseTo(request.command, outcome.status, outcome));
      }
      const cancel = new AbortController();
      const done = this.#begin();
      const at = this.#context(association, site, cancel.signal);
      const finished = this.#operate(request, model, bytes, at).finally(() => {
        this.#operation = null;
        done();
      });
      this.#operation = { messageId: request.command.messageId ?? 0, cancel, finished };
    };
    return collect(MAX_IDENTIFIER, run, () => undefined);
  }

  /** Never rejects. */
  async #operate(request: Request, model: QueryModel, bytes: Buffer, asked: Asked): Promise<void> {
    try {
      // An AE title acts for its hospital as a system (hub/core/subject.ts).
      const at = { ...asked, ...(await this.#ports.seeing(callerAt(asked))) };
      if (model.verb === 'find') await serveFind(request, model, bytes, at);
      else await serveRetrieve(request, model, bytes, at);
      await recordWithheld(at);
    } catch (cause) {
      await this.#operationFailed(request, asked, cause);
    }
  }

  async #operationFailed(request: Request, at: Asked, cause: unknown): Promise<void> {
    if (cause instanceof ConnectionEnded || at.association.ended) return;
    this.#log.error({ cause }, 'a query or retrieve failed');
    const outcome = queryFailure(cause instanceof Failure ? cause.problem : problem('internal'));
    try {
      await at.association.send(request.context, responseTo(request.command, outcome.status, outcome));
    } catch (lost) {
      if (!(lost instanceof ConnectionEnded)) throw lost;
    }
  }

  #context(association: Association, site: SiteProfile, cancelled: AbortSignal): Asked {
    return {
      ...this.#ports,
      association,
      site,
      cancelled,
      callingAe: this.#callingAe,
      peer: this.#peer.address,
      log: this.#log,
    };
  }

  #begin(): () => void {
    this.#busy++;
    const release = this.#layer.hold();
    return () => {
      this.#busy--;
      release();
      if (this.#busy > 0) return;
      for (const resolve of this.#idle.splice(0)) resolve();
    };
  }
}

/** `done` once, after the data set was answered or will not come. */
function finishing(receiver: DataReceiver | null, done: () => void): DataReceiver | null {
  if (!receiver) {
    done();
    return null;
  }
  return {
    data: (chunk) => receiver.data(chunk),
    async end() {
      try {
        await receiver.end();
      } finally {
        done();
      }
    },
    abort(reason) {
      receiver.abort(reason);
      done();
    },
  };
}

function peerOf(socket: Socket): Peer {
  const address = plainAddress(socket.remoteAddress ?? '');
  if (!(socket instanceof TLSSocket)) return { address, certificate: null };
  const fingerprint = (socket.getPeerCertificate() as { fingerprint256?: string } | undefined)?.fingerprint256;
  return { address, certificate: fingerprint === undefined ? null : plainFingerprint(fingerprint) };
}
