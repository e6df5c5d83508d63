/**
 * Calls a peer by SOAP 1.2 over HTTP: one request, one answer whose attachments are streamed. A peer that is away, slow,
 * endless or wrong costs its caller the time limit and nothing else.
 */
import { randomUUID } from 'node:crypto';
import { Agent as HttpAgent, request as requestHttp } from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import type { Calling } from '../../hub/core/audit.ts';
import { Failure, fail, ok, problem } from '../../hub/core/problem.ts';
import type { Problem, Result } from '../../hub/core/problem.ts';
import { packageEnd, packageType, rootHead } from '../../mappings/xds/mtom.ts';
import { readReply, writeRequest } from '../../mappings/xds/soap-request.ts';
import { parseXml } from '../../mappings/xds/xml.ts';
import type { XmlElement } from '../../mappings/xds/xml.ts';
import { openAnswer } from './answer-stream.ts';
import type { Attachment } from './answer-stream.ts';
import { XDS_LIMITS } from './endpoint.ts';
import type { XdsEndpoint, XdsLimits } from './endpoint.ts';

export interface SoapCall {
  readonly action: string;
  readonly body: string;
  /** MTOM, which the retrieves prescribe for the request too (ITI TF-2 §3.43.4.1.2); else plain SOAP. */
  readonly packaged: boolean;
  readonly calling?: Calling | undefined;
}

export interface SoapReply {
  readonly body: XmlElement;
  readonly attachments: AsyncGenerator<Attachment>;
  /** Ends the connection where the rest is not wanted; harmless after the end. */
  close(): void;
}

export class SoapClient {
  readonly #endpoint: XdsEndpoint;
  readonly #limits: XdsLimits;
  readonly #agent: HttpAgent;

  constructor(endpoint: XdsEndpoint, limits: Partial<XdsLimits> = {}) {
    this.#endpoint = endpoint;
    this.#limits = { ...XDS_LIMITS, ...limits };
    const pool = { keepAlive: true, maxSockets: this.#limits.connections, maxFreeSockets: 4, timeout: 60_000 };
    this.#agent = endpoint.url.startsWith('https:')
      ? new HttpsAgent({ ...pool, ...endpoint.tls })
      : new HttpAgent(pool);
  }

  close(): void {
    this.#agent.destroy();
  }

  /** Rejects where `calling` does, else never: what went wrong is a problem whose text holds no word of the peer. */
  async call(call: SoapCall): Promise<Result<SoapReply>> {
    const messageId = `urn:uuid:${randomUUID()}`;
    const { action, body } = call;
    await call.calling?.({ action, messageId, body, endpoint: this.#endpoint.url });
    const limit = new AbortController();
    const timer = setTimeout(() => {
      limit.abort();
    }, this.#endpoint.timeoutMs);
    try {
      return await this.#call(call, messageId, limit.signal);
    } catch (error) {
      if (limit.signal.aborted) return fail(problem('timeout', undefined, 'The peer did not answer in time.'));
      return fail(problemOf(error));
    } finally {
      clearTimeout(timer);
    }
  }

  async #call(call: SoapCall, messageId: string, signal: AbortSignal): Promise<Result<SoapReply>> {
    const { type, bytes } = written(
      call,
      writeRequest({ action: call.action, messageId, to: this.#endpoint.url }, call.body),
    );
    const response = await this.#answered(type, bytes, signal);
    const stop = (): void => {
      response.destroy();
    };
    signal.addEventListener('abort', stop, { once: true });
    try {
      const refusal = await refusalOf(response);
      if (refusal) {
        response.destroy();
        return fail(refusal);
      }
      const bounded = new BoundedAnswer(response, this.#limits);
      const opened = await openAnswer(response.headers['content-type'] ?? '', bounded, this.#limits);
      const root = opened.ok ? parseXml(opened.value.envelope) : opened;
      const body = root.ok ? readReply(root.value, messageId) : root;
      if (!opened.ok || !body.ok) {
        response.destroy();
        return body.ok ? fail(problem('malformed')) : body;
      }
      const { attachments } = opened.value;
      return ok({ body: body.value, attachments: guarded(attachments, bounded, stop), close: stop });
    } catch (error) {
      response.destroy();
      throw error;
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  /** A kept connection may have been closed by the peer meanwhile: asked once more on a new one, since all calls are reads. */
  async #answered(type: string, bytes: Buffer, signal: AbortSignal): Promise<IncomingMessage> {
    const first = await this.#send(type, bytes, signal);
    if (!('stale' in first)) return first;
    const again = await this.#send(type, bytes, signal);
    if ('stale' in again) throw again.stale;
    return again;
  }

  #send(type: string, bytes: Buffer, signal: AbortSignal): Promise<IncomingMessage | { readonly stale: Error }> {
    const { url, token } = this.#endpoint;
    return new Promise((resolve, reject) => {
      const headers = {
        'Content-Type': type,
        'Content-Length': bytes.length,
        ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      };
      const send = url.startsWith('https:') ? requestHttps : requestHttp;
      const request: ClientRequest = send(url, { method: 'POST', agent: this.#agent, headers, signal });
      request.once('response', resolve);
      request.on('error', (error) => {
        if (request.reusedSocket && !signal.aborted && /ECONNRESET|EPIPE/.test(codeOf(error)))
          resolve({ stale: error });
        else reject(error);
      });
      request.end(bytes);
    });
  }
}

const codeOf = (error: Error): string => ('code' in error ? String(error.code) : '');

function written({ action, packaged }: SoapCall, envelope: string): { type: string; bytes: Buffer } {
  if (!packaged)
    return { type: `application/soap+xml; charset=UTF-8; action="${action}"`, bytes: Buffer.from(envelope) };
  const boundary = `hutong-${randomUUID()}`;
  const rootId = `root-${randomUUID()}@hutong`;
  return {
    type: packageType(boundary, rootId, action),
    bytes: Buffer.from(rootHead(boundary, rootId) + envelope + packageEnd(boundary)),
  };
}

/** A SOAP fault comes with 400 or 500 and is read like an answer; anything else but 200 says enough by its status. */
function refusalOf({ statusCode = 0, headers }: IncomingMessage): Promise<Problem | null> {
  const soap = /^\s*(application\/soap\+xml|multipart\/related)/i.test(headers['content-type'] ?? '');
  const told = (code: Parameters<typeof problem>[0]): Promise<Problem> =>
    Promise.resolve(problem(code, undefined, `The peer answered with status ${String(statusCode)}.`));
  if (headers['content-encoding'] !== undefined && headers['content-encoding'] !== 'identity')
    return told('unsupported-media');
  if (statusCode === 401 || statusCode === 403) return told('forbidden');
  if (statusCode === 200 || ((statusCode === 400 || statusCode === 500) && soap)) return Promise.resolve(null);
  return told('unavailable');
}

/** What happens on the wire is expected to happen; anything else is a bug and passes on. */
function problemOf(error: unknown): Problem {
  if (error instanceof Failure) return error.problem;
  if (!(error instanceof Error)) throw error;
  const code = codeOf(error);
  if (error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError) throw error;
  return problem(
    'unavailable',
    undefined,
    `The peer cannot be reached or broke off (${/^[A-Z_0-9]+$/.test(code) ? code : 'no code'}).`,
  );
}

/** The bytes of one answer: so many at most, and no longer waited for than the limits say. */
class BoundedAnswer implements AsyncIterable<Uint8Array> {
  readonly #response: IncomingMessage;
  readonly #limits: XdsLimits;
  readonly #chunks: AsyncGenerator<Uint8Array>;

  constructor(response: IncomingMessage, limits: XdsLimits) {
    this.#response = response;
    this.#limits = limits;
    this.#chunks = this.#read();
  }

  [Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    return this.#chunks;
  }

  /** What stands behind the last boundary means nothing; a little of it is read so that the connection can be kept. */
  async drain(): Promise<void> {
    for (let left = 65_536; left > 0;) {
      const next = await this.#chunks.next();
      if (next.done === true) return;
      left -= next.value.length;
    }
    this.#response.destroy();
  }

  async *#read(): AsyncGenerator<Uint8Array> {
    const { answerBytes, idleMs, lifetimeMs } = this.#limits;
    const chunks = this.#response[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    let bytes = 0;
    let waitedMs = 0;
    for (;;) {
      const began = performance.now();
      const timer = setTimeout(
        () => this.#response.destroy(new Failure(problem('timeout', undefined, 'The peer stopped answering.'))),
        Math.max(1, Math.min(idleMs, lifetimeMs - waitedMs)),
      );
      const next = await chunks.next().finally(() => {
        clearTimeout(timer);
      });
      waitedMs += performance.now() - began;
      if (next.done === true) return;
      bytes += next.value.length;
      if (bytes > answerBytes)
        throw new Failure(problem('too-large', undefined, 'The answer is larger than the hub takes.'));
      yield next.value;
    }
  }
}

/** Whoever reads attachments gets a Failure for all that the wire may do, and leaves no connection behind. */
async function* guarded(
  attachments: AsyncGenerator<Attachment>,
  answer: BoundedAnswer,
  stop: () => void,
): AsyncGenerator<Attachment> {
  let whole = false;
  try {
    for (;;) {
      const next = await attachments.next();
      if (next.done === true) break;
      yield { contentId: next.value.contentId, body: failing(next.value.body) };
    }
    await answer.drain();
    whole = true;
  } catch (error) {
    throw new Failure(problemOf(error), error);
  } finally {
    if (!whole) stop();
  }
}

async function* failing(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw new Failure(problemOf(error), error);
  }
}
