/** A key management service that asks for the hub's certificate, over real TLS: the right pair is taken, every other refused. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { readConfig } from '../../hub/config.ts';
import { openKeys } from '../../hub/compose-keys.ts';
import { MasterKeyFault } from '../../hub/core/sealing.ts';
import { freshDatabase, quiet, type FreshDatabase } from '../support/database.ts';
import { testWrapper } from '../support/keyring.ts';
import { certificates, withoutOpenssl, type Certificates, type Pair } from '../support/syslog-peer.ts';

describe('a key service by mutual TLS', { skip: withoutOpenssl() }, () => {
  let made: Certificates;
  let pairs: Readonly<Record<'service' | 'elsewhere' | 'hub' | 'stranger', Pair>>;
  let service: Server;
  let fresh: FreshDatabase;
  let asked = 0;
  const held = testWrapper('of the service');

  before(async () => {
    made = certificates();
    pairs = {
      service: made.pair('service'),
      elsewhere: made.pair('elsewhere', 'DNS:elsewhere.example'),
      hub: made.pair('hub'),
      stranger: made.pair('stranger'),
    };
    fresh = await freshDatabase();
    await fresh.database.pool.query('truncate data_key, sealing, hub_key');
    await serve(pairs.service);
  });
  after(async () => {
    await stop();
    made.remove();
  });

  async function serve({ key, cert }: Pair): Promise<void> {
    const tls = { key, cert, ca: [pairs.hub.cert], requestCert: true, rejectUnauthorized: true };
    service = createServer(tls, (request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        asked += 1;
        const body = JSON.parse(Buffer.concat(parts).toString()) as Record<string, string>;
        const bytes = (name: string): Buffer => Buffer.from(body[name] ?? '', 'base64');
        const context = body['context'] ?? '';
        const wraps = request.url?.endsWith('/wrap') === true;
        const done = wraps ? held.wrap(bytes('plain'), context) : held.unwrap(bytes('wrapped'), context);
        void done.then((value) => {
          response.end(JSON.stringify({ [wraps ? 'wrapped' : 'plain']: Buffer.from(value).toString('base64') }));
        });
      });
    }).listen(0, '127.0.0.1');
    await once(service, 'listening');
  }
  async function stop(): Promise<void> {
    service.closeAllConnections();
    service.close();
    await once(service, 'close');
  }

  const env = (ca: Pair, own: Pair | null): Record<string, string> => ({
    HUB_KMS_URL: `https://127.0.0.1:${String((service.address() as AddressInfo).port)}/v1`,
    HUB_KMS_CA: ca.files.cert,
    ...(own === null ? {} : { HUB_KMS_CERT: own.files.cert, HUB_KMS_CLIENT_KEY: own.files.key }),
  });
  const open = (given: Record<string, string>): ReturnType<typeof openKeys> =>
    openKeys(readConfig(given), fresh.url, quiet);
  const refused = (given: Record<string, string>, says: RegExp): Promise<void> =>
    assert.rejects(open(given), (error) => {
      assert.ok(error instanceof MasterKeyFault);
      assert.match(error.message, says);
      assert.ok(!error.message.includes('\n') && !error.message.includes('127.0.0.1'), error.message);
      return true;
    });

  test('with the right certificates keys are wrapped and come back', async () => {
    const first = await open(env(pairs.service, pairs.hub));
    const sealed = first.vault.fields.seal(Buffer.from('kept'), 'a');
    await first.close();
    const again = await open(env(pairs.service, pairs.hub));
    assert.equal(again.vault.fields.open(sealed, 'a').toString(), 'kept');
    await again.close();
    assert.ok(asked >= 2);
  });

  test('without a certificate, with a stranger’s, or under another authority nothing is asked and nothing starts', async () => {
    const before_ = asked;
    await refused(env(pairs.service, null), /refused the certificate of this hub|closed the connection .*HUB_KMS_CERT/);
    await refused(
      env(pairs.service, pairs.stranger),
      /refused the certificate of this hub|closed the connection .*HUB_KMS_CERT/,
    );
    await refused(env(pairs.stranger, pairs.hub), /showed a certificate that is not trusted \(HUB_KMS_CA; /);
    assert.equal(asked, before_);
    const { rows } = await fresh.database.pool.query<{ n: number }>('select count(*)::int as n from data_key');
    assert.deepEqual(rows, [{ n: 1 }], 'nothing was changed');
  });

  test('a certificate of another host is not the service’s, whoever vouches for it', async () => {
    await stop();
    await serve(pairs.elsewhere);
    await refused(
      env(pairs.elsewhere, pairs.hub),
      /showed a certificate that is not trusted \(HUB_KMS_CA; ERR_TLS_CERT_ALTNAME_INVALID\)/,
    );
  });
});
