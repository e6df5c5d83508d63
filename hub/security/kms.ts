/**
 * A master key that a key management service holds, over HTTP: the hub sends it data keys to wrap and unwrap and never sees
 * the key itself. The contract is two operations (openapi/keys.md); a service with another one gets a small proxy.
 */
import { readFileSync } from 'node:fs';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';
import { MasterKeyFault, type KeyWrapper } from '../core/sealing.ts';

export interface KmsSettings {
  readonly url: string;
  /** Which of its keys. */
  readonly key: string;
  readonly token: string | null;
  readonly ca: string | null;
  readonly identity: { readonly cert: string; readonly key: string } | null;
  readonly timeoutMs?: number;
  /** Waits before each further try. */
  readonly retryMs?: readonly number[];
}

const TIMEOUT_MS = 5_000;
const RETRY_MS = [250, 1_000, 3_000];
const MAX_ANSWER = 65_536;

interface Answer {
  readonly status: number;
  readonly body: string;
}

export function kmsWrapper(settings: KmsSettings): KeyWrapper {
  const tls = tlsOf(settings);
  const ask = async (operation: 'wrap' | 'unwrap', send: object, take: string): Promise<Uint8Array> => {
    const answer = await patiently(settings, () =>
      post(`${settings.url}/${operation}`, { key: settings.key, ...send }, settings, tls),
    );
    const value = memberOf(answer, take);
    if (value === null) throw fault(operation, `answered ${String(answer.status)}`);
    return value;
  };
  return {
    id: `kms:${settings.key}`,
    wrap: (plain, context) => ask('wrap', { plain: base64(plain), context }, 'wrapped'),
    unwrap: (wrapped, context) => ask('unwrap', { wrapped: base64(wrapped), context }, 'plain'),
  };
}

/** Neither the address nor the token: the line may be passed on. */
const fault = (operation: string, why: string): MasterKeyFault =>
  new MasterKeyFault(`HUB_KMS_URL: the key management service ${why} when it was asked to ${operation} a data key`);

/** It may be there in a moment: asked again. */
class Away extends MasterKeyFault {}
const away = (why: string): Away => new Away(fault('wrap or unwrap', why).message);

/** What a handshake that fails says of whose certificate; null: it is no matter of certificates (codes of OpenSSL and Node). */
function handshakeFault(error: NodeJS.ErrnoException): MasterKeyFault | null {
  const code = error.code ?? '';
  if (/ALERT_(?:CERTIFICATE|BAD_CERT|UNKNOWN_CA|UNSUPPORTED_CERT|ACCESS_DENIED|HANDSHAKE_FAILURE)/.test(code))
    return fault('wrap or unwrap', `refused the certificate of this hub, or its lack (HUB_KMS_CERT; ${code})`);
  if (/CERT|SELF_SIGNED|ISSUER|SIGNATURE/.test(code))
    return fault('wrap or unwrap', `showed a certificate that is not trusted (HUB_KMS_CA; ${code})`);
  return null;
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

function tlsOf({ ca, identity }: KmsSettings): object {
  try {
    return {
      ...(ca === null ? {} : { ca: readFileSync(ca) }),
      ...(identity === null ? {} : { cert: readFileSync(identity.cert), key: readFileSync(identity.key) }),
    };
  } catch {
    throw new MasterKeyFault(
      'HUB_KMS_CA, HUB_KMS_CERT and HUB_KMS_CLIENT_KEY take paths of PEM files that can be read',
    );
  }
}

function memberOf({ status, body }: Answer, name: string): Uint8Array | null {
  if (status !== 200) return null;
  try {
    const value = (JSON.parse(body) as Record<string, unknown>)[name];
    return typeof value === 'string' && value !== '' ? Buffer.from(value, 'base64') : null;
  } catch {
    return null; // no JSON: told as an answer that cannot be used
  }
}

/** No answer, and "not now", are asked again; a refusal is not. */
async function patiently({ retryMs = RETRY_MS }: KmsSettings, ask: () => Promise<Answer>): Promise<Answer> {
  for (let attempt = 0; ; attempt += 1) {
    const wait = retryMs[attempt];
    try {
      const answer = await ask();
      if ((answer.status < 500 && answer.status !== 429) || wait === undefined) return answer;
    } catch (error) {
      if (wait === undefined || !(error instanceof Away)) throw error;
    }
    await pause(wait);
  }
}

function post(url: string, body: object, { token, timeoutMs = TIMEOUT_MS }: KmsSettings, tls: object): Promise<Answer> {
  const request = url.startsWith('https:') ? requestHttps : requestHttp;
  const text = JSON.stringify(body);
  const headers = {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(text)),
    ...(token === null ? {} : { authorization: `Bearer ${token}` }),
  };
  return new Promise<Answer>((resolve, reject) => {
    let secured = false;
    const failed = (error: NodeJS.ErrnoException): void => {
      // TLS 1.3 ends the handshake for the client before the server has judged its certificate.
      const why = secured
        ? 'closed the connection when it had seen which certificate this hub has (HUB_KMS_CERT)'
        : null;
      reject(handshakeFault(error) ?? away(why ?? 'did not answer'));
    };
    const signal = AbortSignal.timeout(timeoutMs);
    const sent = request(url, { method: 'POST', headers, signal, ...tls }, (response) => {
      const parts: Buffer[] = [];
      let size = 0;
      response.on('data', (part: Buffer) => {
        size += part.length;
        if (size > MAX_ANSWER) sent.destroy();
        else parts.push(part);
      });
      response.on('error', () => {
        reject(away('did not answer'));
      });
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(parts).toString() });
      });
    });
    sent.on('socket', (socket) => {
      socket.once('secureConnect', () => (secured = true));
    });
    sent.on('error', failed);
    sent.end(text);
  });
}
