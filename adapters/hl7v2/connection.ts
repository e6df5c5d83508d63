/**
 * One MLLP connection: frames in order, one at a time through the door, answers in the same order, reading paused while
 * there is work, and an end to every peer that stalls, floods or lies.
 */
import type { Socket } from 'node:net';
import { Deframer, frame, type FrameEvent } from './mllp.ts';
import type { Door, Handled } from './door.ts';
import { receiveFrame, refuseTooLarge } from './receive.ts';
import type { Peer } from './sender-identity.ts';

export interface ConnectionLimits {
  readonly messageBytes: number;
  readonly idleMs: number;
  /** From VT to FS. */
  readonly partialMs: number;
  /** Frames being filed at once, and as many read ahead; reading pauses above that. */
  readonly inFlight: number;
  readonly garbageBytes: number;
  /** Begun and waiting messages of all connections together; above it large ones are sent away. */
  readonly heldBytes: number;
  /** Refusals of a stranger, or of what is no HL7, before the connection ends. */
  readonly strangerMessages: number;
}

/** Shared by the connections of a listener. */
export interface Counters {
  received: number;
  refused: number;
  /** Bytes of messages that are begun, wait or are being filed. */
  held: number;
}

/** What every connection may hold, however crowded it is: most messages are far smaller. */
const FAIR_BYTES = 256 * 1024;

/** How long the CR after FS may lag behind before its absence is accepted. */
const TRAILING_CR_MS = 50;

export class Connection {
  readonly #socket: Socket;
  readonly #peer: Peer;
  readonly #door: Door;
  readonly #limits: ConnectionLimits;
  readonly #counters: Counters;
  readonly #deframer: Deframer;
  readonly #queue: FrameEvent[] = [];
  readonly #started: Promise<readonly Buffer[]>[] = [];
  #working = false;
  #closing = false;
  #peerEnded = false;
  #pending = 0;
  /** Bytes of frames that wait or are being filed, and what of it and of the begun frame is in the shared count. */
  #framed = 0;
  #counted = 0;
  #trusted = false;
  #strange = 0;
  #partial: NodeJS.Timeout | undefined;
  #trailing: NodeJS.Timeout | undefined;

  constructor(socket: Socket, peer: Peer, door: Door, limits: ConnectionLimits, counters: Counters) {
    this.#socket = socket;
    this.#peer = peer;
    this.#door = door;
    this.#limits = limits;
    this.#counters = counters;
    this.#deframer = new Deframer({ frameBytes: limits.messageBytes, garbageBytes: limits.garbageBytes });
    socket.setNoDelay(true);
    socket.setTimeout(limits.idleMs, () => this.#abort('idle'));
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('end', () => {
      this.#peerEnded = true;
      this.#take(this.#deframer.flush());
      if (!this.#working) this.#finish();
    });
    socket.on('error', (error: Error) =>
      this.#door.log.debug({ peer: peer.address, reason: error.message }, 'MLLP connection failed'),
    );
    socket.on('close', () => {
      this.#clearTimers();
      this.#weigh();
    });
  }

  /** Takes no more; ends when the frames at work are answered. Those that wait are not acknowledged: the peer repeats them. */
  drain(): void {
    this.#closing = true;
    this.#drop();
    this.#socket.pause();
    if (!this.#working) this.#finish();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    if (this.#closing) return;
    clearTimeout(this.#trailing);
    this.#take(this.#deframer.push(chunk));
    if (this.#deframer.awaitsEnd) this.#trailing = setTimeout(() => this.#take(this.#deframer.flush()), TRAILING_CR_MS);
    this.#watchPartial();
    this.#weigh();
    const held = this.#deframer.held;
    if (this.#counters.held > this.#limits.heldBytes && held > FAIR_BYTES)
      this.#abort('no room for a large message now');
  }

  /** Brings this connection's part of the shared count up to date; an ended one has no begun frame. */
  #weigh(): void {
    const now = this.#framed + (this.#socket.destroyed || this.#closing ? 0 : this.#deframer.held);
    this.#counters.held += now - this.#counted;
    this.#counted = now;
  }

  #take(events: Iterable<FrameEvent>): void {
    for (const event of events) {
      if (event.kind === 'garbage') return this.#abort('no MLLP');
      this.#queue.push(event);
      this.#framed += sizeOf(event);
      this.#restartPartial();
    }
    if (this.#full()) {
      // What is late from now on is the hub's doing, not the peer's.
      this.#socket.pause();
      this.#stopPartial();
    }
    this.#start();
  }

  #full(): boolean {
    return this.#queue.length > this.#limits.inFlight || this.#framed > this.#limits.messageBytes;
  }

  /** A frame must end within its time, however slowly its bytes drip. */
  #watchPartial(): void {
    if (!this.#deframer.inside || this.#socket.isPaused()) this.#stopPartial();
    else this.#partial ??= setTimeout(() => this.#abort('a message was not finished in time'), this.#limits.partialMs);
  }

  #restartPartial(): void {
    this.#stopPartial();
    this.#watchPartial();
  }

  #stopPartial(): void {
    clearTimeout(this.#partial);
    this.#partial = undefined;
  }

  /**
   * Frames go through the door in their order, `inFlight` at once: a journal that writes many with one commit serves a
   * peer that does not wait. Answers leave in the order of the frames. A peer of which nothing was accepted yet gets one.
   */
  #start(): void {
    while (this.#pending < (this.#trusted ? this.#limits.inFlight : 1)) {
      const event = this.#queue.shift();
      if (event === undefined) break;
      this.#pending++;
      const handled = this.#handle(event).catch((error: unknown) => this.#fault(error));
      this.#started.push(handled.finally(() => this.#let(event)));
    }
    if (!this.#working && this.#started.length > 0) void this.#answer();
  }

  #let(event: FrameEvent): void {
    this.#framed -= sizeOf(event);
    this.#weigh();
  }

  async #answer(): Promise<void> {
    this.#working = true;
    for (let next = this.#started.shift(); next !== undefined; next = this.#started.shift()) {
      await this.#write(await next);
      this.#pending--;
      if (this.#strange >= this.#limits.strangerMessages) this.#abort('a stranger that insists');
      if (this.#closing) continue;
      this.#start();
      if (!this.#full() && this.#socket.isPaused()) {
        this.#socket.resume();
        this.#watchPartial();
      }
    }
    this.#working = false;
    if (this.#closing || this.#peerEnded) this.#finish();
  }

  /** A bug: this connection ends unanswered, so the sender repeats; all others go on. */
  #fault(error: unknown): readonly Buffer[] {
    this.#door.log.error({ err: error, peer: this.#peer.address }, 'an MLLP connection ended by a fault of the hub');
    this.#socket.destroy();
    return [];
  }

  async #handle(event: FrameEvent): Promise<readonly Buffer[]> {
    switch (event.kind) {
      case 'frame': {
        const { answers, handled } = await receiveFrame(this.#door, event.bytes, this.#peer);
        for (const one of handled) this.#count(one);
        return answers;
      }
      case 'too-large': {
        const refused = await refuseTooLarge(this.#door, event.head, this.#limits.messageBytes, this.#peer);
        this.#count(refused);
        return [refused.answer];
      }
      case 'truncated':
        this.#counters.refused++;
        this.#door.log.warn(
          { peer: this.#peer.address, bytes: event.head.length },
          'a message was begun anew before it ended',
        );
        return [];
      case 'garbage':
        return [];
    }
  }

  #count(handled: Handled): void {
    if (handled.accepted) this.#counters.received++;
    else this.#counters.refused++;
    this.#trusted ||= handled.accepted;
    this.#strange = handled.stranger ? this.#strange + 1 : handled.accepted ? 0 : this.#strange;
  }

  /** All answers in one write; waits where the peer does not read, and the idle limit ends that wait. */
  async #write(answers: readonly Buffer[]): Promise<void> {
    if (answers.length === 0 || this.#socket.destroyed) return;
    const [first, ...rest] = answers;
    const bytes = rest.length === 0 && first !== undefined ? frame(first) : Buffer.concat(answers.map(frame));
    if (this.#socket.write(bytes)) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.#socket.off('drain', done).off('close', done);
        resolve();
      };
      this.#socket.on('drain', done).on('close', done);
    });
  }

  #abort(reason: string): void {
    this.#door.log.warn({ peer: this.#peer.address, reason }, 'MLLP connection ended by the hub');
    this.#closing = true;
    this.#drop();
    this.#clearTimers();
    if (this.#working) this.#socket.end();
    else this.#socket.destroy();
  }

  /** Frames that nobody began on: the peer repeats them. */
  #drop(): void {
    for (const event of this.#queue.splice(0)) this.#framed -= sizeOf(event);
    this.#weigh();
  }

  #finish(): void {
    this.#clearTimers();
    this.#socket.end(() => this.#socket.destroySoon());
  }

  #clearTimers(): void {
    clearTimeout(this.#partial);
    clearTimeout(this.#trailing);
  }
}

const sizeOf = (event: FrameEvent): number =>
  event.kind === 'garbage' ? 0 : event.kind === 'frame' ? event.bytes.length : event.head.length;
