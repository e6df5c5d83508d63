/**
 * The hub as service class provider on one association: admits or rejects the caller, answers its contexts, and hands
 * each request to the service that knows it. One operation at a time (PS3.7 §D.3.3.3: no asynchronous window).
 */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { problem } from '../../hub/core/problem.ts';
import type { AuditTrail, AuditEvent } from '../../hub/core/audit.ts';
import type { DicomIndex, ImageSource, IndexReader, InstanceSink, Log } from '../../hub/core/ports.ts';
import type { SiteProfile, Sites } from '../../hub/core/site.ts';
import { IMPLEMENTATION_CLASS, IMPLEMENTATION_VERSION } from '../../mappings/dicom/write.ts';
import { admit, plainAddress, plainFingerprint } from './admit.ts';
import type { Peer } from './admit.ts';
import { Association, MAX_IDENTIFIER, collect } from './association.ts';
import type { DataReceiver, Request } from './association.ts';
import { COMMAND, responseTo } from './command.ts';
import type { DimseLimits } from './limits.ts';
import { negotiate } from './negotiate.ts';
import { APPLICATION_CONTEXT, REJECT } from './pdu.ts';
import type { AssociateRq, PdvFragment } from './pdu.ts';
import { PDU_LIMITS } from './pdu-stream.ts';
import { STATUS, queryFailure } from './status.ts';
import { QUERY_MODELS, VERIFICATION } from './sop-classes.ts';
import { serveStore } from './store-scp.ts';
import { UpperLayer } from './upper-layer.ts';
import type { Ending, UpperLayerUser } from './upper-layer.ts';

/** What the provider works with; made by the composition root. */
export interface ProviderPorts {
  readonly aeTitle: string;
  readonly sink: InstanceSink;
  readonly index: DicomIndex;
  readonly reader: IndexReader;
  readonly images: ImageSource;
  readonly sites: Sites;
  readonly audit: AuditTrail;
  readonly log: Log;
  readonly limits: DimseLimits;
}

export interface Occupancy {
  /** False where this association would be one too many. */
  readonly allowed: () => boolean;
  readonly counted: (outcome: 'received' | 'refused') => void;
  readonly over: () => void;
}

/** A query or retrieve under way. */
interface Operation {
  readonly messageId: number;
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
    if (this.#operation) {
      association.abort('a request came while another was under way');
      return null;
    }
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
        };
        return finishing(await serveStore(request, at), done);
      }
      default:
        await association.send(context, responseTo(command, STATUS.unrecognisedOperation));
        done();
        return null;
    }
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
