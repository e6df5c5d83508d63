/** DICOM over TLS (PS3.15 Annex B): a client certificate that the site's data names lets it in; another does not. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { echo } from '../../adapters/dicom/index.ts';
import { dicomSite, sitesOf, startHub } from '../support/dimse-hub.ts';

const folder = mkdtempSync(join(tmpdir(), 'dimse-tls-'));
after(() => {
  rmSync(folder, { recursive: true, force: true });
});

interface Pair {
  readonly key: Buffer;
  readonly cert: Buffer;
}

function selfSigned(name: string): Pair {
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
  'TLS: by certificate from anywhere, not with another one, not in plain text',
  { skip: withoutOpenssl() },
  async () => {
    const [server, client, stranger] = [selfSigned('hub'), selfSigned('h1'), selfSigned('stranger')];
    const fingerprint = new X509Certificate(client.cert).fingerprint256;
    const sites = sitesOf(dicomSite('h1', 'H1PACS', { addresses: [], certificates: [fingerprint] }));
    const hub = await startHub({ sites, tls: server });
    const call = (pair: Pair | null, plain = false): ReturnType<typeof echo> => {
      const tls = { ca: server.cert, ...(pair ?? {}) };
      const node = { aeTitle: 'HUTONG', host: '127.0.0.1', port: hub.port, ...(plain ? {} : { tls }) };
      return echo({ node, callingAe: 'H1PACS', limits: { artimMs: 2000, responseMs: 2000 } });
    };
    try {
      assert.deepEqual(await call(client), { ok: true, value: 0 });
      for (const pair of [stranger, null]) {
        const refused = await call(pair);
        assert.equal(refused.ok ? '' : refused.problem.code, 'unknown-sender');
      }
      const plain = await call(null, true);
      assert.equal(plain.ok, false);
      assert.equal(hub.audits.length, 2);
      assert.deepEqual(await call(client), { ok: true, value: 0 });
    } finally {
      await hub.stop();
    }
  },
);
