/**
 * The transactions that the hub asks of another system: stored queries (ITI-18, ITI-38) and retrieves (ITI-43, ITI-39,
 * RAD-69, RAD-75), each with its own form on the wire.
 */
import type { Calling } from '../../hub/core/audit.ts';
import type { Result } from '../../hub/core/problem.ts';
import { fail, ok } from '../../hub/core/problem.ts';
import { readQueryAnswer } from '../../mappings/xds/cross-query.ts';
import type { QueryAnswer } from '../../mappings/xds/cross-query.ts';
import { readRetrieveAnswer } from '../../mappings/xds/cross-retrieve.ts';
import type { GivenByPeer, RetrieveAnswer } from '../../mappings/xds/cross-retrieve.ts';
import type { XmlElement } from '../../mappings/xds/xml.ts';
import { SoapClient } from './soap-client.ts';
import type { SoapReply } from './soap-client.ts';
import type { XdsEndpoint, XdsLimits } from './endpoint.ts';

export interface Retrieved {
  readonly answer: RetrieveAnswer;
  /**
   * Documents with their bytes, in the order in which they come; each body is read before the next is asked for. Rejects
   * with a Failure where the answer breaks off. What the answer lists and never sends is not among them.
   */
  readonly documents: AsyncGenerator<RetrievedDocument>;
  close(): void;
}

export interface RetrievedDocument {
  readonly given: GivenByPeer;
  readonly body: AsyncIterable<Uint8Array>;
}

export class XdsPeer {
  readonly #client: SoapClient;

  readonly #calling: Calling | undefined;

  /** `calling` is told of every call, unless the call brings its own. */
  constructor(endpoint: XdsEndpoint, limits?: Partial<XdsLimits>, calling?: Calling) {
    this.#calling = calling;
    this.#client = new SoapClient(endpoint, limits);
  }

  close(): void {
    this.#client.close();
  }

  /** ITI-18 or ITI-38, as `action` says. */
  async query(action: string, body: string, calling = this.#calling): Promise<Result<QueryAnswer>> {
    const reply = await this.#client.call({ action, body, packaged: false, calling });
    if (!reply.ok) return reply;
    reply.value.close();
    return readQueryAnswer(reply.value.body);
  }

  /** ITI-52: the body of the answer. */
  async subscribe(action: string, body: string): Promise<Result<XmlElement>> {
    const reply = await this.#client.call({ action, body, packaged: false, calling: this.#calling });
    if (!reply.ok) return reply;
    reply.value.close();
    return ok(reply.value.body);
  }

  /** ITI-43, ITI-39, RAD-69 or RAD-75, as `action` says. */
  async retrieve(action: string, body: string, calling = this.#calling): Promise<Result<Retrieved>> {
    const reply = await this.#client.call({ action, body, packaged: true, calling });
    if (!reply.ok) return reply;
    const { value } = reply;
    const answer = readRetrieveAnswer(value.body);
    if (!answer.ok) {
      value.close();
      return fail(answer.problem);
    }
    const close = (): void => {
      value.close();
    };
    return ok({ answer: answer.value, documents: documentsOf(answer.value, value), close });
  }
}

async function* documentsOf({ documents }: RetrieveAnswer, reply: SoapReply): AsyncGenerator<RetrievedDocument> {
  const awaited = new Map<string, GivenByPeer>();
  for (const given of documents) {
    if (given.content === null) continue;
    if ('base64' in given.content) yield { given, body: inline(given.content.base64) };
    else if (!awaited.has(given.content.contentId)) awaited.set(given.content.contentId, given);
  }
  for await (const { contentId, body } of reply.attachments) {
    const given = awaited.get(contentId);
    awaited.delete(contentId);
    if (given) yield { given, body };
  }
}

/** XOP is an optimisation: a sender may leave the bytes in the envelope (XOP §1). */
async function* inline(base64: string): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(Buffer.from(base64.replace(/\s+/g, ''), 'base64'));
}
