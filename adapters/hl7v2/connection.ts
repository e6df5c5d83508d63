/**
 * One MLLP connection: frames in order, one at a time through the door, answers in the same order, reading paused while
 * there is work, and an end to every peer that stalls, floods or lies.
 */
import type { Socket } from 'node:net';
import { Deframer, frame, type FrameEvent } from './mllp.ts';
import { receiveFrame, refuseTooLarge, type Door, type Handled } from './receive.ts';
import type { Peer } from './sender-identity.ts';

export interface ConnectionLimits {
  readonly messageBytes: number;
  readonly idleMs: number;
  /** From VT to FS. */
  readonly partialMs: number;
  /** Frames being filed at once, and as many read ahead; reading pauses above that. */
  readonly inFlight: number;
  readonly garbageBytes: number;
  /** Refusals of a stranger, or of what is no HL7, before the connection ends. */
  readonly strangerMessages: number;
}

export interface Counters {
  received: number;
  refused: number;
}

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
    socket.on('close', () => this.#clearTimers());
  }

  /** Takes no more; ends when the frames at work are answered. Those that wait are not acknowledged: the peer repeats them. */
  drain(): void {
    this.#closing = true;
    this.#queue.length = 0;
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
  }

  #take(events: Iterable<FrameEvent>): void {
    for (const event of events) {
      if (event.kind === 'garbage') return this.#abort('no MLLP');
      this.#queue.push(event);
      this.#restartPartial();
    }
    if (this.#queue.length > this.#limits.inFlight) {
      // What is late from now on is the hub's doing, not the peer's.
      this.#socket.pause();
      this.#stopPartial();
    }
    this.#start();
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
      this.#started.push(this.#handle(event).catch((error: unknown) => this.#fault(error)));
    }
    if (!this.#working && this.#started.length > 0) void this.#answer();
  }

  async #answer(): Promise<void> {
    this.#working = true;
    for (let next = this.#started.shift(); next !== undefined; next = this.#started.shift()) {
      await this.#write(await next);
      this.#pending--;
      if (this.#strange >= this.#limits.strangerMessages) this.#abort('a stranger that insists');
      if (this.#closing) continue;
      this.#start();
      if (this.#queue.length <= this.#limits.inFlight && this.#socket.isPaused()) {
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
    this.#queue.length = 0;
    this.#clearTimers();
    if (this.#working) this.#socket.end();
    else this.#socket.destroy();
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
