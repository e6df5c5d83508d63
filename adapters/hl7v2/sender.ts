/**
 * The MLLP sender: one connection, messages in order, one at a time, each answered before the next leaves. Reconnects
 * with backoff. An answer that does not come is `timeout` (it may have been filed: only an idempotent peer may be sent
 * it again); a message that never left is `unavailable`.
 */
import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { fail, ok, problem, type Result } from '../../hub/core/problem.ts';
import { parseMessage, readHeader, type Message } from '../../mappings/hl7v2/index.ts';
import { Deframer, frame } from './mllp.ts';

export interface Hl7SenderOptions {
  readonly host: string;
  readonly port: number;
  /** CA to trust, and the client's own key and certificate for mutual TLS. */
  readonly tls?: Pick<ConnectionOptions, 'ca' | 'key' | 'cert' | 'servername'>;
  /** From the last byte of the message to its answer. */
  readonly answerMs?: number;
  /** How long one message keeps trying to find the peer. */
  readonly connectMs?: number;
  readonly backoffMs?: { readonly first: number; readonly most: number };
  /** Messages that wait for their turn. */
  readonly waiting?: number;
}

export interface Hl7Answer {
  /** MSA-1: AA, AE, AR, CA, CE, CR. */
  readonly code: string;
  /** MSA-3, or ERR-8 of what was refused. */
  readonly text: string;
  readonly message: Message;
  readonly bytes: Buffer;
}

export interface Hl7Sender {
  send(bytes: Buffer): Promise<Result<Hl7Answer>>;
  close(): Promise<void>;
}

const ANSWER_BYTES = 1 << 20;

type Awaited = (answer: Hl7Answer | null) => void;

/** One established connection and the answer it waits for. */
class Link {
  readonly socket: Socket;
  readonly #deframer = new Deframer({ frameBytes: ANSWER_BYTES, garbageBytes: 4_096 });
  #awaited: { readonly controlId: string; readonly settle: Awaited } | null = null;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#settle(null));
  }

  get usable(): boolean {
    return !this.socket.destroyed && this.socket.writable;
  }

  exchange(bytes: Buffer, controlId: string, answerMs: number): Promise<Hl7Answer | null> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.socket.destroy(), answerMs);
      this.#awaited = {
        controlId,
        settle: (answer) => {
          clearTimeout(timer);
          resolve(answer);
        },
      };
      this.socket.write(frame(bytes));
    });
  }

  #read(chunk: Buffer): void {
    for (const event of this.#deframer.push(chunk)) {
      const answer = event.kind === 'frame' ? readAnswer(event.bytes) : null;
      // An answer to another message, or none at all, is passed over: MSA-2 decides, not the order.
      if (answer !== null && answer.controlId === this.#awaited?.controlId) this.#settle(answer.answer);
      else if (event.kind !== 'frame') this.socket.destroy();
    }
  }

  #settle(answer: Hl7Answer | null): void {
    const awaited = this.#awaited;
    this.#awaited = null;
    awaited?.settle(answer);
  }
}

function readAnswer(bytes: Buffer): { readonly controlId: string; readonly answer: Hl7Answer } | null {
  const text = bytes.toString('utf8').replace(/^\uFEFF/, '');
  const parsed = parseMessage(text, 'UTF-8');
  const msa = parsed.ok ? parsed.value.first('MSA') : undefined;
  if (!parsed.ok || msa === undefined) return null;
  const said = msa.text(3) || parsed.value.first('ERR')?.text(8) || '';
  return { controlId: msa.text(2), answer: { code: msa.text(1), text: said, message: parsed.value, bytes } };
}

export function createHl7Sender(options: Hl7SenderOptions): Hl7Sender {
  const { answerMs = 30_000, connectMs = 30_000, waiting = 1_000 } = options;
  const backoff = options.backoffMs ?? { first: 100, most: 5_000 };
  let link: Link | null = null;
  let turn: Promise<unknown> = Promise.resolve();
  let queued = 0;
  let closed = false;

  /** Tries until the peer is there or the time is up; waits longer after each failure. */
  const linked = async (): Promise<Link | null> => {
    if (link?.usable === true) return link;
    const deadline = Date.now() + connectMs;
    for (let pause = backoff.first; !closed; pause = Math.min(pause * 2, backoff.most)) {
      const socket = await open(options, Math.max(1, deadline - Date.now()));
      if (socket !== null) return (link = new Link(socket));
      if (Date.now() + pause >= deadline) return null;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
    return null;
  };

  const deliver = async (bytes: Buffer): Promise<Result<Hl7Answer>> => {
    const header = readHeader(bytes);
    if (!header.ok) return header;
    if (header.value.controlId === '') return fail(problem('required-missing', 'MSH-10'));
    const at = await linked();
    if (at === null) return fail(problem('unavailable', undefined, 'The HL7 peer does not answer the connection.'));
    const answer = await at.exchange(bytes, header.value.controlId, answerMs);
    return answer === null
      ? fail(problem('timeout', undefined, 'The HL7 peer did not acknowledge in time.'))
      : ok(answer);
  };

  return {
    send(bytes) {
      if (closed) return Promise.resolve(fail(problem('unavailable', undefined, 'This sender was closed.')));
      if (queued >= waiting) return Promise.resolve(fail(problem('busy')));
      queued++;
      const result = turn.then(() => deliver(bytes)).finally(() => queued--);
      turn = result.catch(() => undefined);
      return result;
    },
    async close() {
      closed = true;
      link?.socket.destroySoon();
      await turn;
      link?.socket.destroy();
    },
  };
}

/** A connected (and, with TLS, verified) socket, or null. */
function open(options: Hl7SenderOptions, withinMs: number): Promise<Socket | null> {
  return new Promise((resolve) => {
    const { host, port, tls } = options;
    const socket = tls === undefined ? connectPlain({ host, port }) : connectTls({ host, port, ...tls });
    const done = (result: Socket | null): void => {
      clearTimeout(timer);
      socket.off('error', failed);
      if (result === null) socket.destroy();
      resolve(result);
    };
    const failed = (): void => {
      socket.on('error', () => socket.destroy());
      done(null);
    };
    const timer = setTimeout(failed, withinMs);
    socket.once('error', failed);
    socket.once(tls === undefined ? 'connect' : 'secureConnect', () => done(socket));
  });
}
