/** Callers that TLS knows by their certificate: real certificates, a real listener, the same decision as for a token. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { Agent, request as requestHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Router } from 'express';
import { createApp, createHttpsServer } from '../../hub/api/app.ts';
import { callerOf } from '../../hub/api/caller.ts';
import { createMetrics } from '../../hub/api/metrics.ts';
import type { ClientStore } from '../../hub/core/client.ts';
import { Failure } from '../../hub/core/problem.ts';
import { siteId } from '../../hub/core/identifier.ts';
import { drawToken, hashToken } from '../../hub/security/token.ts';
import { createAuditStore } from '../../hub/store/audit.ts';
import type { AuditStore } from '../../hub/store/audit.ts';
import { createClientStore } from '../../hub/store/client.ts';
import { freshDatabase, quiet } from '../support/database.ts';

const folder = mkdtempSync(join(tmpdir(), 'client-tls-'));
const at = (name: string): string => join(folder, name);
const openssl = (...words: readonly string[]): void => void execFileSync('openssl', words, { stdio: 'ignore' });
const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
interface Identity {
  readonly key: Buffer;
  readonly cert: Buffer;
}
const identity = (name: string): Identity => ({
  key: readFileSync(at(`${name}.key`)),
  cert: readFileSync(at(`${name}.pem`)),
});

function selfSigned(name: string): Identity {
  const names = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1'];
  openssl('req', '-x509', ...KEY, '-days', '2', ...names, '-keyout', at(`${name}.key`), '-out', at(`${name}.pem`));
  return identity(name);
}

/** Signed by `ca`; `days` below zero: its time is over. */
function issued(name: string, ca: string, days = 2): Identity {
  openssl('req', '-new', ...KEY, '-subj', `/CN=${name}`, '-keyout', at(`${name}.key`), '-out', at(`${name}.csr`));
  const by = ['-CA', at(`${ca}.pem`), '-CAkey', at(`${ca}.key`), '-CAcreateserial', '-days', String(days)];
  openssl('x509', '-req', '-in', at(`${name}.csr`), ...by, '-out', at(`${name}.pem`));
  return identity(name);
}

const fingerprint = ({ cert }: Identity): string =>
  new X509Certificate(cert).fingerprint256.replaceAll(':', '').toLowerCase();

function withoutOpenssl(): string | false {
  try {
    openssl('version');
    return false;
  } catch (error) {
    if (process.env.CI) throw error;
    return 'openssl is not installed';
  }
}

describe('client certificates', { skip: withoutOpenssl() }, () => {
  let server: Server;
  let audit: AuditStore;
  let clients: ClientStore;
  let port = 0;
  let hub: Identity;
  let known: Identity;
  let unknown: Identity;
  let stranger: Identity;

  before(async () => {
    [hub, known, unknown, stranger] = [
      selfSigned('authority'),
      issued('known', 'authority'),
      issued('unknown', 'authority'),
      selfSigned('stranger'),
    ];
    const { database } = await freshDatabase();
    const clock = (): Date => new Date();
    clients = createClientStore({ database, clock });
    audit = createAuditStore({ database, clock });
    const face = Router();
    face.get('/whoami', (_request, response) => void response.json(callerOf(response)));
    const parts = { log: quiet, audit, clients, metrics: createMetrics(), readiness: () => Promise.resolve({}) };
    const app = createApp({ ...parts, faces: { '/dicomweb': face } });
    server = createHttpsServer(app, { ...hub, ca: hub.cert });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
  });
  after(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
    rmSync(folder, { recursive: true, force: true });
  });

  interface Answer {
    readonly status: number;
    readonly text: string;
  }
  const ask = (who: Identity | null, token?: string, agent?: Agent, path = '/dicomweb/whoami'): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
      const tls = { ca: hub.cert, ...(who ?? {}) };
      const request = requestHttps({ host: '127.0.0.1', port, path, headers, agent: agent ?? false, ...tls });
      request.once('response', (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, text });
        });
      });
      request.once('error', reject);
      request.end();
    });
  const lastReason = async (): Promise<string | undefined> =>
    (await audit.list({ action: 'refuse' }, { limit: 1 })).items[0]?.reason;
  const feed = { name: 'feed', role: 'hospital-feed', site: siteId('h1'), createdBy: 'test' } as const;

  test('a registered certificate is its client, and no more than it, until that is revoked', async () => {
    const client = await clients.add({ ...feed, certificate: fingerprint(known) }, hashToken(drawToken()));
    const { status, text } = await ask(known);
    assert.equal(status, 200);
    const caller = JSON.parse(text) as { id: string; role: string; site: string };
    assert.deepEqual([caller.id, caller.role, caller.site], [client.id, 'hospital-feed', 'h1']);
    // The same right as by token: a feed may not read what operators may.
    assert.equal((await ask(known, undefined, undefined, '/metrics')).status, 403);
    assert.equal((await clients.byId(client.id))?.certificate, fingerprint(known));
    assert.ok((await clients.byId(client.id))?.lastUsedAt);
    // Also on a connection that TLS resumed.
    const agent = new Agent({ maxCachedSessions: 10, keepAlive: false });
    for (let n = 0; n < 3; n++) assert.equal((await ask(known, undefined, agent)).status, 200);
    await assert.rejects(
      clients.add({ ...feed, certificate: fingerprint(known) }, hashToken(drawToken())),
      (error) => error instanceof Failure && error.problem.code === 'conflict',
    );
    await clients.revoke(client.id);
    assert.equal((await ask(known, undefined, agent)).status, 401);
    const again = await clients.add({ ...feed, certificate: fingerprint(known) }, hashToken(drawToken()));
    assert.match((await ask(known)).text, new RegExp(again.id));
  });

  test('nobody, unknown and foreign certificates are refused and audited; a token counts before a certificate', async () => {
    const token = drawToken();
    const reader = await clients.add(
      { name: 'reader', role: 'query-platform', site: null, createdBy: 't' },
      hashToken(token),
    );
    assert.equal((await ask(null)).status, 401);
    assert.equal(await lastReason(), 'no caller');
    assert.equal((await ask(unknown)).status, 401);
    assert.equal(await lastReason(), 'unknown certificate');
    // Registered, but of no authority that the hub trusts: its key is known, its time and its holder are not.
    await clients.add({ ...feed, certificate: fingerprint(stranger) }, hashToken(drawToken()));
    assert.equal((await ask(stranger)).status, 401);
    assert.equal(await lastReason(), 'no caller');
    assert.match((await ask(unknown, token)).text, new RegExp(reader.id));
    assert.match((await ask(stranger, token)).text, new RegExp(reader.id));
    assert.equal((await ask(unknown, drawToken())).status, 401);
    assert.equal(await lastReason(), 'invalid token');
  });

  test('a certificate whose time is over is none', async () => {
    const late = issued('late', 'authority', -1);
    await clients.add({ ...feed, certificate: fingerprint(late) }, hashToken(drawToken()));
    assert.equal((await ask(late)).status, 401);
  });
});
