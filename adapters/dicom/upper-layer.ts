/**
 * One connection of the DICOM upper layer (PS3.8 §9.2): drives the state table over a socket, keeps the ARTIM and idle
 * timers, and holds the peer back (TCP back-pressure) while its last bytes are still being taken care of.
 */
import type { Socket } from 'node:net';
import { ABORT_REASON } from './pdu.ts';
import type { AssociateAc, AssociateRq, PduEvent, PdvFragment, Rejection } from './pdu.ts';
import {
  dataHead,
  encodeAbort,
  encodeAssociateAc,
  encodeAssociateRj,
  encodeAssociateRq,
  encodeData,
  encodeReleaseRp,
  encodeReleaseRq,
} from './pdu-encode.ts';
import { PduStream } from './pdu-stream.ts';
import type { PduLimits } from './pdu-stream.ts';
import { step } from './state-machine.ts';
import type { Action, Event, Side, State } from './state-machine.ts';

/** Bytes read and not yet taken by the user above which the socket is paused. */
const INCOMING_HIGH = 256 * 1024;

export interface UpperLayerTimes {
  /** Association request, reject, release and abort timer (PS3.8 §9.1.5). */
  readonly artimMs: number;
  /** Silence of the peer where it is its turn. */
  readonly idleMs: number;
  /** A whole association. */
  readonly lifetimeMs: number;
}

/** How a connection ended: `text` for the log, without patient data. */
export interface Ending {
  readonly kind: 'released' | 'refused' | 'aborted' | 'lost';
  readonly text: string;
  readonly rejection?: Rejection;
}

export interface UpperLayerUser {
  associateRequested?(rq: AssociateRq): void | Promise<void>;
  associateConfirmed?(ac: AssociateAc): void;
  /** A piece of a message. While the promise is open nothing more is read than a buffer holds. */
  fragment(fragment: PdvFragment): void | Promise<void>;
  releaseRequested(): void | Promise<void>;
  /** Once, last: no association any more. */
  ended(ending: Ending): void;
  /** A handler above threw: a fault of this program. */
  failed(cause: unknown): void;
}

export class ConnectionEnded extends Error {}

export class UpperLayer {
  readonly #socket: Socket;
  readonly #side: Side;
  readonly #user: UpperLayerUser;
  readonly #times: UpperLayerTimes;
  readonly #stream: PduStream;
  readonly #lifetime: NodeJS.Timeout;
  #state: State = 1;
  #artim: NodeJS.Timeout | null = null;
  #incoming: Buffer[] = [];
  #incomingBytes = 0;
  #working = false;
  #holds = 0;
  #ending: Ending | null = null;
  #waiters: { resolve: () => void; reject: (cause: Error) => void }[] = [];
  /** Largest P-DATA-TF variable field the peer takes. */
  peerMaxLength = 16384;

  constructor(socket: Socket, side: Side, user: UpperLayerUser, times: UpperLayerTimes, limits: PduLimits) {
    this.#socket = socket;
    this.#side = side;
    this.#user = user;
    this.#times = times;
    this.#stream = new PduStream(limits);
    // Small answers must not wait for the acknowledgement of earlier ones (Nagle): 40 ms per C-STORE otherwise.
    socket.setNoDelay(true);
    socket.setTimeout(times.idleMs);
    socket.on('data', (chunk: Buffer) => this.#received(chunk));
    socket.on('drain', () => this.#drained());
    socket.on('timeout', () => this.#silent());
    socket.on('error', (error: Error) => this.#finish({ kind: 'lost', text: `connection failed: ${error.message}` }));
    socket.on('close', () => this.#fire('transport-closed'));
    this.#lifetime = setTimeout(() => this.abort('the association lasted too long'), times.lifetimeMs);
    this.#lifetime.unref();
    this.#fire(side === 'acceptor' ? 'transport-indication' : 'associate-request');
  }

  get state(): State {
    return this.#state;
  }

  get ended(): boolean {
    return this.#ending !== null;
  }

  request(rq: AssociateRq): void {
    this.#fire('transport-confirm');
    this.#socket.write(encodeAssociateRq(rq));
  }

  accept(ac: AssociateAc): void {
    if (!this.#fire('associate-accept')) return;
    this.#socket.write(encodeAssociateAc(ac));
  }

  reject(rejection: Rejection, text: string): void {
    if (!this.#fire('associate-reject')) return;
    this.#socket.write(encodeAssociateRj(rejection));
    this.#finish({ kind: 'refused', text, rejection });
  }

  release(): void {
    this.#fire('release-request');
  }

  respondRelease(): void {
    this.#fire('release-response');
  }

  /** A-ABORT by the service user (PS3.8 §7.3). */
  abort(text: string): void {
    if (this.#fire('abort-request')) this.#finish({ kind: 'aborted', text });
    else this.#socket.destroy();
  }

  /** While held, silence of the peer is expected: this side is at work. */
  hold(): () => void {
    this.#holds++;
    let held = true;
    return () => {
      if (held) this.#holds--;
      held = false;
    };
  }

  /** Sends a command and the data set that goes with it in one write; resolves when the peer takes more. */
  send(context: number, command: Buffer, dataSet: Buffer | null): Promise<void> {
    const parts = encodeData(context, true, command, this.peerMaxLength);
    if (dataSet) parts.push(...encodeData(context, false, dataSet, this.peerMaxLength));
    return this.#write(parts);
  }

  /** Sends one piece of a data set as a PDU of its own; at most `peerMaxLength - 6` bytes. */
  sendPiece(context: number, piece: Buffer, last: boolean): Promise<void> {
    return this.#write([dataHead(context, false, last, piece.length), piece]);
  }

  #write(parts: readonly Buffer[]): Promise<void> {
    if (!this.#fire('data-request')) return Promise.reject(new ConnectionEnded('the association has ended'));
    this.#socket.cork();
    for (const part of parts) this.#socket.write(part);
    this.#socket.uncork();
    if (!this.#socket.writableNeedDrain) return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  #drained(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter.resolve();
  }

  #silent(): void {
    if (this.#waiters.length === 0 && (this.#working || this.#holds > 0)) this.#socket.setTimeout(this.#times.idleMs);
    else if (this.#state === 2 || this.#state === 13) this.#socket.destroy();
    else this.abort('the peer was silent for too long');
  }

  #received(chunk: Buffer): void {
    this.#incoming.push(chunk);
    this.#incomingBytes += chunk.length;
    if (this.#incomingBytes > INCOMING_HIGH) this.#socket.pause();
    if (!this.#working) void this.#work();
  }

  /** Takes what was read, in order, one event at a time. Never rejects. */
  async #work(): Promise<void> {
    this.#working = true;
    try {
      for (let chunk = this.#incoming.shift(); chunk !== undefined; chunk = this.#incoming.shift()) {
        this.#incomingBytes -= chunk.length;
        for (const event of this.#stream.push(chunk)) {
          const taken = this.#take(event);
          if (taken) await taken;
        }
        if (this.#socket.isPaused() && this.#incomingBytes <= INCOMING_HIGH / 2) this.#socket.resume();
      }
    } catch (cause) {
      if (!(cause instanceof ConnectionEnded)) this.#user.failed(cause);
      this.#incoming = [];
      this.abort('a handler failed');
    } finally {
      this.#working = false;
    }
  }

  #take(event: PduEvent): void | Promise<void> {
    if (event.kind === 'pdv') {
      // The state was checked by the `data` event that its PDU began with; the user may have aborted since.
      if (this.#state === 6 || this.#state === 7) return this.#user.fragment(event.fragment);
      return;
    }
    const action = this.#fire(event.kind, event);
    if (action === 'AE-6' && event.kind === 'associate-rq') {
      this.peerMaxLength = peerLength(event.pdu.user.maxLength);
      return this.#user.associateRequested?.(event.pdu);
    }
    if (action === 'AE-3' && event.kind === 'associate-ac') {
      this.peerMaxLength = peerLength(event.pdu.user.maxLength);
      this.#user.associateConfirmed?.(event.pdu);
    }
    if (action === 'AR-2') return this.#user.releaseRequested();
  }

  /** Applies one cell of Table 9-10; null where the table has none. */
  #fire(event: Event, pdu?: PduEvent): Action | null {
    const cell = step(this.#state, event, this.#side);
    if (cell === null) return null;
    this.#state = cell.next;
    this.#act(cell.action, pdu);
    return cell.action;
  }

  /** PS3.8 Tables 9-6 to 9-9. Actions that only send what the caller gives, or issue an indication, are the caller's. */
  #act(action: Action, pdu: PduEvent | undefined): void {
    // eslint-disable-next-line @typescript-eslint/switch-exhaustiveness-check -- the caller's actions, see above
    switch (action) {
      case 'AE-5':
      case 'AE-8':
        this.#startArtim();
        return;
      case 'AE-6':
      case 'AE-3':
        this.#stopArtim();
        return;
      case 'AE-4':
        this.#finish({ kind: 'refused', text: 'the peer refused', ...rejectionOf(pdu) });
        this.#socket.end();
        return;
      case 'AR-1':
        this.#socket.write(encodeReleaseRq());
        return;
      case 'AR-3':
        this.#finish({ kind: 'released', text: 'released' });
        this.#socket.end();
        return;
      case 'AR-4':
        this.#socket.write(encodeReleaseRp());
        this.#startArtim();
        this.#finish({ kind: 'released', text: 'released' });
        return;
      case 'AR-8':
        // Both sides ask at once (PS3.8 §7.2.2.7): the requestor answers first, the acceptor waits for that answer.
        if (this.#side === 'requestor') this.#fire('release-response');
        return;
      case 'AR-9':
        this.#socket.write(encodeReleaseRp());
        return;
      case 'AR-10':
        this.#fire('release-response');
        return;
      case 'AR-5':
      case 'AA-5':
        this.#stopArtim();
        this.#finish({ kind: 'lost', text: 'the peer closed the connection' });
        return;
      case 'AA-1':
      case 'AA-7':
        this.#abortPdu(0, pdu?.kind === 'invalid' ? pdu.reason : ABORT_REASON.unexpectedPdu);
        return;
      case 'AA-2':
        this.#stopArtim();
        this.#finish({ kind: 'lost', text: 'no association in time' });
        this.#socket.destroy();
        return;
      case 'AA-3':
        this.#finish({ kind: 'aborted', text: 'the peer aborted' });
        this.#socket.destroy();
        return;
      case 'AA-4':
        this.#finish({ kind: 'lost', text: 'the peer closed the connection' });
        return;
      case 'AA-8':
        this.#abortPdu(2, pdu?.kind === 'invalid' ? pdu.reason : ABORT_REASON.unexpectedPdu);
        this.#finish({
          kind: 'aborted',
          text: pdu?.kind === 'invalid' ? pdu.text : `unexpected ${pdu?.kind ?? 'PDU'}`,
        });
        return;
    }
  }

  #abortPdu(source: number, reason: number): void {
    if (this.#socket.writable) this.#socket.write(encodeAbort({ source, reason: source === 0 ? 0 : reason }));
    this.#startArtim();
  }

  #startArtim(): void {
    this.#stopArtim();
    this.#artim = setTimeout(() => this.#fire('artim-expired'), this.#times.artimMs);
  }

  #stopArtim(): void {
    if (this.#artim) clearTimeout(this.#artim);
    this.#artim = null;
  }

  #finish(ending: Ending): void {
    if (this.#ending) return;
    this.#ending = ending;
    clearTimeout(this.#lifetime);
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter.reject(new ConnectionEnded(ending.text));
    this.#user.ended(ending);
  }
}

/** 0 is "no limit" (PS3.8 §D.1); too small a limit would leave no room for a byte, too large a one helps nobody. */
function peerLength(announced: number): number {
  if (announced === 0) return 131072;
  return Math.min(Math.max(announced, 128), 131072);
}

function rejectionOf(pdu: PduEvent | undefined): { rejection: Rejection } | Record<string, never> {
  return pdu?.kind === 'associate-rj' ? { rejection: pdu.pdu } : {};
}
