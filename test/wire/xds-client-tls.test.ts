/** The SOAP client over TLS: it shows the hub's certificate to a peer that asks for one, and believes only who it should. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openCommunities } from '../../adapters/xds/index.ts';
import { writeQueryAnswer } from '../../mappings/xds/cross-query.ts';
import { writeEnvelope } from '../../mappings/xds/soap.ts';

const folder = mkdtempSync(join(tmpdir(), 'xds-tls-'));
after(() => {
  rmSync(folder, { recursive: true, force: true });
});

function selfSigned(name: string): { readonly key: Buffer; readonly cert: Buffer } {
  const [key, cert] = [join(folder, `${name}.key`), join(folder, `${name}.pem`)];
  const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1'];
  const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  execFileSync('openssl', [...made, ...subject, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  return { key: readFileSync(key), cert: readFileSync(cert) };
}

function withoutOpenssl(): string | false {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return false;
  } catch (error) {
    if (process.env.CI) throw error;
    return 'openssl is not installed';
  }
}

test(
  'a peer that wants a client certificate gets it; a stranger and an unknown server get nothing',
  {
    skip: withoutOpenssl(),
  },
  async () => {
    const [peer, hub, stranger] = [selfSigned('peer'), selfSigned('hub'), selfSigned('stranger')];
    let asked = 0;
    const server = createServer(
      { ...peer, ca: hub.cert, requestCert: true, rejectUnauthorized: true },
      (_request, response) => {
        asked++;
        const body = writeQueryAnswer({ status: 'success', errors: [], objects: [] });
        response
          .setHeader('Content-Type', 'application/soap+xml')
          .end(writeEnvelope({ action: 'urn:a', relatesTo: null, messageId: 'urn:b' }, body));
      },
    ).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const url = `https://127.0.0.1:${String((server.address() as AddressInfo).port)}/`;
    const outcome = async (tls: { cert?: Buffer; key?: Buffer; ca?: Buffer }): Promise<string> => {
      const config = { home: 'urn:oid:2.999.9', name: 'peer', query: { url, timeoutMs: 3_000, tls } };
      const communities = await openCommunities([config], join(folder, 'spool'));
      const answer = await communities.all[0]?.query('<a/>');
      await communities.close();
      return answer?.ok === true ? answer.value.status : (answer?.problem.code ?? '');
    };
    assert.equal(await outcome({ ...hub, ca: peer.cert }), 'success');
    assert.equal(await outcome({ ...stranger, ca: peer.cert }), 'unavailable');
    assert.equal(await outcome({ ca: peer.cert }), 'unavailable');
    assert.equal(await outcome(hub), 'unavailable');
    assert.equal(asked, 1);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  },
);
