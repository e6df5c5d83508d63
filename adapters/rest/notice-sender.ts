/**
 * Takes notices to whoever messages patients: one FHIR Communication by POST to the address that the operator configured,
 * and to no other, a redirect included. Each is signed, so that the receiver knows whose it is and that it is not old.
 */
import { createHmac } from 'node:crypto';
import { Agent as HttpAgent, request as requestHttp, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import type { NoticeSender } from '../../hub/core/patient-notice.ts';
import { fail, ok, problem, type Result } from '../../hub/core/problem.ts';
import { communication } from '../../mappings/fhir/communication.ts';

export interface NoticeSenderDeps {
  readonly url: string;
  /** Shared with the receiver. */
  readonly secret: string;
  readonly timeoutMs: number;
  readonly clock: () => Date;
}

/** `t=<seconds>,v1=<hex>`: HMAC-SHA256 over the seconds, a full stop and the bytes of the body. */
export const signNotice = (secret: string, seconds: number, body: Uint8Array): string =>
  `t=${String(seconds)},v1=${createHmac('sha256', secret)
    .update(`${String(seconds)}.`)
    .update(body)
    .digest('hex')}`;

export function createNoticeSender({ url, secret, timeoutMs, clock }: NoticeSenderDeps): NoticeSender {
  const pool = { keepAlive: true, maxSockets: 2, timeout: 60_000 };
  const isHttps = url.startsWith('https:');
  const agent = isHttps ? new HttpsAgent(pool) : new HttpAgent(pool);
  const closing = new AbortController();
  return {
    send(notice) {
      const body = Buffer.from(JSON.stringify(communication(notice)));
      const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(timeoutMs)]);
      return new Promise((resolve) => {
        const request = (isHttps ? requestHttps : requestHttp)(url, {
          method: 'POST',
          agent,
          headers: {
            'Content-Type': 'application/fhir+json; charset=utf-8',
            'Content-Length': body.length,
            // The same notice again has the same key: the receiver tells the patient once.
            'Idempotency-Key': notice.noticeId,
            'X-Hutong-Signature': signNotice(secret, Math.floor(clock().getTime() / 1_000), body),
          },
          signal,
        });
        request.once('response', (response) => {
          finish(response);
          resolve(resultOf(response.statusCode ?? 0));
        });
        request.on('error', () => {
          resolve(
            fail(problem(signal.aborted ? 'timeout' : 'unavailable', undefined, 'The receiver of notices is away.')),
          );
        });
        request.end(body);
      });
    },
    close() {
      closing.abort();
      agent.destroy();
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

const resultOf = (status: number): Result<null> =>
  status >= 200 && status < 300
    ? ok(null)
    : fail(problem('unavailable', undefined, `The receiver answered with status ${String(status)}.`));
