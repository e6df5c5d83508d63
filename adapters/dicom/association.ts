/**
 * DIMSE over an association (PS3.7 §6.3): puts fragments together to commands, lets data sets through as they arrive,
 * and pairs responses with requests. Both sides use it: the hub as provider and the hub as user.
 */
import { COMMAND, NO_DATA_SET, decodeCommand, encodeCommand } from './command.ts';
import type { Command } from './command.ts';
import type { PdvFragment } from './pdu.ts';
import { ConnectionEnded } from './upper-layer.ts';
import type { UpperLayer } from './upper-layer.ts';

/** Command sets are a few hundred bytes; the largest holds two UIDs, two AE titles and a comment. */
const MAX_COMMAND = 16 * 1024;
/** Identifiers of C-FIND responses and of retrieve requests with UID lists. */
export const MAX_IDENTIFIER = 1024 * 1024;

export interface AcceptedContext {
  readonly id: number;
  readonly abstractSyntax: string;
  readonly transferSyntax: string;
  /** What this side may do with the class: be its SCU or its SCP (PS3.7 §D.3.3.4). */
  readonly scu: boolean;
  readonly scp: boolean;
}

/** Takes a data set piece by piece; `end` after the last, `abort` instead where the rest will not come. */
export interface DataReceiver {
  data(chunk: Buffer): void | Promise<void>;
  end(): void | Promise<void>;
  abort(reason: string): void;
}

export interface Request {
  readonly context: AcceptedContext;
  readonly command: Command;
  readonly hasDataSet: boolean;
}

/** Serves one request; the receiver gets its data set. null where there is none. */
export type Serve = (request: Request) => DataReceiver | null | Promise<DataReceiver | null>;

export interface Response {
  readonly command: Command;
  readonly dataSet: Buffer | null;
}

interface Call {
  readonly response: (response: Response) => void | Promise<void>;
  readonly settle: (cause?: Error) => void;
  readonly timer: NodeJS.Timeout;
}

export class Association {
  readonly contexts: ReadonlyMap<number, AcceptedContext>;
  readonly #layer: UpperLayer;
  readonly #serve: Serve;
  readonly #calls = new Map<number, Call>();
  readonly #responseMs: number;
  #commandParts: Buffer[] = [];
  #commandBytes = 0;
  #context = 0;
  /** Set while the data set of a message is awaited. */
  #receiver: DataReceiver | null = null;
  #nextId = 1;

  constructor(layer: UpperLayer, contexts: readonly AcceptedContext[], serve: Serve, responseMs: number) {
    this.#layer = layer;
    this.#serve = serve;
    this.#responseMs = responseMs;
    this.contexts = new Map(contexts.map((context) => [context.id, context]));
  }

  get ended(): boolean {
    return this.#layer.ended;
  }

  /** The upper layer's fragments come in here, in order. */
  fragment(fragment: PdvFragment): void | Promise<void> {
    // During C-GET the peer sends instances instead of responses: it is at work, so it is not late.
    for (const call of this.#calls.values()) call.timer.refresh();
    const context = this.contexts.get(fragment.context);
    if (!context) return this.#violation('a PDV names a presentation context that was not accepted');
    if (fragment.command) return this.#command(fragment, context);
    if (!this.#receiver) return this.#violation('a data set came without its command');
    if (fragment.context !== this.#context) return this.#violation('a data set changes its presentation context');
    return this.#data(fragment, this.#receiver);
  }

  /** Sub-operations and calls under way learn that nothing more will come. */
  end(reason: string): void {
    const receiver = this.#receiver;
    this.#receiver = null;
    receiver?.abort(reason);
    const calls = [...this.#calls.values()];
    this.#calls.clear();
    for (const call of calls) call.settle(new ConnectionEnded(reason));
  }

  abort(reason: string): void {
    this.#layer.abort(reason);
  }

  send(context: AcceptedContext, command: Command, dataSet: Buffer | null = null): Promise<void> {
    return this.#layer.send(context.id, encodeCommand(command), dataSet);
  }

  messageId(): number {
    const id = this.#nextId;
    this.#nextId = id >= 0xffff ? 1 : id + 1;
    return id;
  }

  /**
   * Sends a request and hands over each response; resolves after the final one. `dataSet` may be a stream: its bytes
   * are sent as they are, in PDUs as large as the peer takes.
   */
  async call(
    context: AcceptedContext,
    command: Command,
    dataSet: Buffer | AsyncIterable<Buffer> | null,
    response: (response: Response) => void | Promise<void>,
  ): Promise<void> {
    const id = command.messageId ?? 0;
    const answered = this.#expect(id, response);
    // Observed below, after sending; a peer that is lost while sending must not make it an unhandled rejection.
    answered.catch(() => undefined);
    try {
      if (dataSet === null || Buffer.isBuffer(dataSet)) await this.send(context, command, dataSet);
      else {
        await this.send(context, command);
        await this.#stream(context, dataSet);
      }
    } catch (cause) {
      this.#calls.get(id)?.settle();
      // Half a message was sent: the peer waits for a rest that will not come (PS3.8 §7.3).
      if (!(cause instanceof ConnectionEnded)) this.abort('the source of a data set failed');
      throw cause;
    }
    await answered;
  }

  #expect(id: number, response: (response: Response) => void | Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      const release = this.#layer.hold();
      const settle = (cause?: Error): void => {
        clearTimeout(timer);
        release();
        this.#calls.delete(id);
        if (cause) reject(cause);
        else resolve();
      };
      const timer = setTimeout(() => {
        settle(new ConnectionEnded('no response in time'));
        this.abort('no response in time');
      }, this.#responseMs);
      this.#calls.set(id, { response, settle, timer });
    });
  }

  async #stream(context: AcceptedContext, source: AsyncIterable<Buffer>): Promise<void> {
    const room = this.#layer.peerMaxLength - 6;
    // One piece is held back, since the last one must be marked as such (PS3.8 §E.2).
    let held: Buffer = Buffer.alloc(0);
    for await (const chunk of source) {
      for (let at = 0; at < chunk.length; at += room) {
        const piece = chunk.subarray(at, at + room);
        if (held.length > 0) await this.#layer.sendPiece(context.id, held, false);
        held = piece;
      }
    }
    await this.#layer.sendPiece(context.id, held, true);
  }

  #violation(text: string): void {
    this.#layer.abort(text);
  }

  #command(fragment: PdvFragment, context: AcceptedContext): void | Promise<void> {
    if (this.#receiver) return this.#violation('a command came before the data set ended');
    if (this.#commandBytes > 0 && fragment.context !== this.#context) {
      return this.#violation('a command changes its presentation context');
    }
    this.#commandBytes += fragment.data.length;
    if (this.#commandBytes > MAX_COMMAND) return this.#violation('a command set is too large');
    this.#context = fragment.context;
    this.#commandParts.push(fragment.data);
    if (!fragment.last) return;
    const bytes = Buffer.concat(this.#commandParts);
    this.#commandParts = [];
    this.#commandBytes = 0;
    const command = decodeCommand(bytes);
    if (!command) return this.#violation('a command set cannot be read');
    return this.#dispatch(command, context);
  }

  #dispatch(command: Command, context: AcceptedContext): void | Promise<void> {
    const hasDataSet = command.dataSetType !== NO_DATA_SET;
    if ((command.commandField & COMMAND.response) !== 0) return this.#response(command, hasDataSet);
    const served = this.#serve({ context, command, hasDataSet });
    const begin = (receiver: DataReceiver | null): void => {
      if (hasDataSet && !this.#layer.ended) this.#receiver = receiver ?? discard;
      else receiver?.abort('the association has ended');
    };
    return served instanceof Promise ? served.then(begin) : begin(served);
  }

  #response(command: Command, hasDataSet: boolean): void | Promise<void> {
    const call = this.#calls.get(command.respondedTo ?? -1);
    if (!call) return this.#violation('a response answers no request');
    call.timer.refresh();
    if (!hasDataSet) return this.#answered(call, command, null);
    this.#receiver = collect(
      MAX_IDENTIFIER,
      (bytes) => (bytes ? this.#answered(call, command, bytes) : this.#violation('a response is too large')),
      () => undefined,
    );
  }

  async #answered(call: Call, command: Command, dataSet: Buffer | null): Promise<void> {
    await call.response({ command, dataSet });
    if (!isPending(command.status ?? 0)) call.settle();
  }

  #data(fragment: PdvFragment, receiver: DataReceiver): void | Promise<void> {
    const taken = fragment.data.length > 0 ? receiver.data(fragment.data) : undefined;
    if (!fragment.last) return taken;
    this.#receiver = null;
    return taken instanceof Promise ? taken.then(() => receiver.end()) : receiver.end();
  }
}

/** PS3.7 §9.1.2.1.5: matches and sub-operations go on. */
export const isPending = (status: number): boolean => status === 0xff00 || status === 0xff01;

const discard: DataReceiver = { data: () => undefined, end: () => undefined, abort: () => undefined };

/** Collects a data set that is small by nature; null where it is larger than `max`. */
export function collect(
  max: number,
  done: (bytes: Buffer | null) => void | Promise<void>,
  aborted: (reason: string) => void,
): DataReceiver {
  let parts: Buffer[] = [];
  let size = 0;
  return {
    data(chunk) {
      size += chunk.length;
      if (size > max) parts = [];
      else parts.push(chunk);
    },
    end: () => done(size > max ? null : Buffer.concat(parts)),
    abort: aborted,
  };
}
