/**
 * Sends one Document Metadata Notify (ITI-53) to a subscriber: a one-way message, answered by a status alone. It goes to
 * the hosts that the operator named and nowhere else, a redirect included, with the token that the operator has for one.
 */
import { randomUUID } from 'node:crypto';
import { Agent as HttpAgent, request as requestHttp } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { isAllowedConsumer, tokenFor } from '../../hub/core/document-subscription.ts';
import type { Consumer } from '../../hub/core/document-subscription.ts';
import { fail, ok, problem } from '../../hub/core/problem.ts';
import type { Result } from '../../hub/core/problem.ts';
import { NOTIFY } from '../../mappings/xds/notification-names.ts';
import { writeRequest } from '../../mappings/xds/soap-request.ts';
import type { XdsEndpoint } from './endpoint.ts';

export interface NotificationSender {
  /** Never rejects. What was refused for its content is a `precondition`, everything else may be tried again. */
  send(to: Consumer, body: string): Promise<Result<null>>;
  /** Breaks off what is being sent. */
  close(): void;
}

export interface NotificationSenderDeps {
  readonly hosts: ReadonlySet<string>;
  /** By `host` or `host:port`: sent as `Authorization: Bearer`. */
  readonly tokens?: ReadonlyMap<string, string>;
  readonly timeoutMs: number;
  readonly tls?: XdsEndpoint['tls'];
}

export function createNotificationSender({
  hosts,
  tokens,
  timeoutMs,
  tls,
}: NotificationSenderDeps): NotificationSender {
  const pool = { keepAlive: true, maxSockets: 4, maxFreeSockets: 1, timeout: 60_000 };
  const agents = { http: new HttpAgent(pool), https: new HttpsAgent({ ...pool, ...tls }) };
  const closing = new AbortController();
  return {
    async send({ address: to, headers: blocks }, body) {
      if (!isAllowedConsumer(to, hosts)) return fail(problem('forbidden', undefined, 'No notification may go there.'));
      const messageId = `urn:uuid:${randomUUID()}`;
      const bytes = Buffer.from(writeRequest({ action: NOTIFY, messageId, to, blocks }, body));
      const token = tokens && tokenFor(to, tokens);
      const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(timeoutMs)]);
      return new Promise((resolve) => {
        const isHttps = /^https:/i.test(to);
        const request = (isHttps ? requestHttps : requestHttp)(to, {
          method: 'POST',
          agent: isHttps ? agents.https : agents.http,
          headers: {
            'Content-Type': `application/soap+xml; charset=UTF-8; action="${NOTIFY}"`,
            'Content-Length': bytes.length,
            ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
          },
          signal,
        });
        request.once('response', (response) => {
          finish(response);
          resolve(resultOf(response.statusCode ?? 0));
        });
        request.on('error', (error) => {
          resolve(fail(problem(signal.aborted ? 'timeout' : 'unavailable', undefined, told(error))));
        });
        request.end(bytes);
      });
    },
    close() {
      closing.abort();
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}

const ANSWER_BYTES = 65_536;

/** Nothing in the answer is of use; a little of it is read so that the connection can be kept. */
function finish(response: IncomingMessage): void {
  let left = ANSWER_BYTES;
  response.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) response.destroy();
  });
  // The status was the answer: that its rest breaks off changes nothing.
  response.on('error', () => undefined);
}

function resultOf(status: number): Result<null> {
  if (status >= 200 && status < 300) return ok(null);
  const text = `The consumer answered with status ${String(status)}.`;
  return fail(problem(status === 400 ? 'precondition' : 'unavailable', undefined, text));
}

function told(error: Error): string {
  const code = 'code' in error ? String(error.code) : '';
  return `The consumer cannot be reached or broke off (${/^[A-Z_0-9]+$/.test(code) ? code : 'no code'}).`;
}
