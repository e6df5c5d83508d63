/** The MLLP sender, and the listener under TLS and mutual TLS, with certificates made here by openssl. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { createHl7Sender } from '../../adapters/hl7v2/index.ts';
import type { Sites } from '../../hub/core/site.ts';
import { adt, demoSites, RawPeer, startRig, until } from './hl7v2-fixture.ts';

const folder = mkdtempSync(join(tmpdir(), 'hl7v2-tls-'));
const file = (name: string): string => join(folder, name);
const OPENSSL = 'openssl';
const present = spawnSync(OPENSSL, ['version']).status === 0;
// In CI an absent peer is a failure, not a skip.
const skip = present || process.env['CI'] !== undefined ? false : 'openssl is not installed';
const openssl = (...args: string[]): void => void execFileSync(OPENSSL, args, { cwd: folder, stdio: 'pipe' });

function certificate(name: string): void {
  openssl(
    'req',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-keyout',
    `${name}.key`,
    '-out',
    `${name}.csr`,
    '-subj',
    `/CN=${name}`,
    '-addext',
    'subjectAltName=IP:127.0.0.1,DNS:localhost',
  );
  openssl(
    'x509',
    '-req',
    '-in',
    `${name}.csr`,
    '-CA',
    'ca.pem',
    '-CAkey',
    'ca.key',
    '-CAcreateserial',
    '-days',
    '2',
    '-copy_extensions',
    'copy',
    '-out',
    `${name}.pem`,
  );
}

const read = (name: string): Buffer => readFileSync(file(name));

before(() => {
  if (skip !== false) return;
  openssl(
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
    '-days',
    '2',
    '-subj',
    '/CN=test ca',
  );
  for (const name of ['server', 'h1', 'other']) certificate(name);
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** h1 known by its certificate only: its addresses lie elsewhere. */
async function certifiedSites(): Promise<Sites> {
  const sites = await demoSites();
  const h1 = sites.byId('h1');
  assert.ok(h1);
  const fingerprint = new X509Certificate(read('h1.pem')).fingerprint256;
  const own = { ...h1, hl7v2: { ...h1.hl7v2, addresses: ['192.0.2.0/24'], certificates: [fingerprint] } };
  return { ...sites, byHl7Sender: (application, facility) => (`${application}|${facility}` === 'RIS|H1' ? own : null) };
}

test('TLS: the sender checks the server, the message is answered', { skip }, async () => {
  const rig = await startRig({ tls: { key: read('server.key'), cert: read('server.pem') } });
  const sender = createHl7Sender({ host: '127.0.0.1', port: rig.port, tls: { ca: read('ca.pem') } });
  const answer = await sender.send(Buffer.from(adt('T-1')));
  assert.ok(answer.ok);
  assert.equal(answer.value.code, 'AA');
  await sender.close();
  const distrustful = createHl7Sender({
    host: '127.0.0.1',
    port: rig.port,
    tls: {},
    connectMs: 300,
    backoffMs: { first: 50, most: 50 },
  });
  const refused = await distrustful.send(Buffer.from(adt('T-2')));
  assert.ok(!refused.ok);
  assert.equal(refused.problem.code, 'unavailable');
  await distrustful.close();
  await rig.channel.stop(500);
});

test('mutual TLS: the certificate tells who it is; another one, or none, does not', { skip }, async () => {
  const tls = { key: read('server.key'), cert: read('server.pem'), clientCa: read('ca.pem') };
  const rig = await startRig({ tls, sites: await certifiedSites() });
  const as = (name: string) =>
    createHl7Sender({
      host: '127.0.0.1',
      port: rig.port,
      tls: { ca: read('ca.pem'), key: read(`${name}.key`), cert: read(`${name}.pem`) },
      answerMs: 2_000,
    });
  const own = as('h1');
  const known = await own.send(Buffer.from(adt('T-3')));
  assert.ok(known.ok);
  assert.equal(known.value.code, 'AA');
  const other = as('other');
  const unknown = await other.send(Buffer.from(adt('T-4')));
  assert.ok(unknown.ok);
  assert.equal(unknown.value.code, 'AR');
  assert.equal(rig.intake.refused[0]?.problem.code, 'unknown-sender');
  await Promise.all([own.close(), other.close()]);
  const bare = connectTls({ host: '127.0.0.1', port: rig.port, ca: read('ca.pem') });
  bare.on('error', () => undefined);
  await until(() => bare.destroyed);
  assert.equal(bare.destroyed, true);
  assert.equal(rig.intake.accepted.length, 1);
  await rig.channel.stop(500);
});

test('an address outside the site is a stranger, whatever MSH says', { skip }, async () => {
  const rig = await startRig({ sites: await certifiedSites() });
  const peer = await RawPeer.open(rig.port);
  peer.send(adt('T-5'));
  assert.match((await peer.answers(1))[0] ?? '', /MSA\|AR\|T-5/);
  assert.equal(rig.audits[0]?.reason, 'unknown-sender');
  peer.socket.destroy();
  await rig.channel.stop(500);
});

test('a plain peer on the TLS port and a TLS peer on the plain port do no harm', { skip }, async () => {
  const secure = await startRig({ tls: { key: read('server.key'), cert: read('server.pem') } });
  const plain = await startRig();
  const wrong = await RawPeer.open(secure.port);
  wrong.send(adt('T-6'));
  await wrong.end();
  assert.equal(wrong.closed, true);
  const hello = connectTls({ host: '127.0.0.1', port: plain.port, ca: read('ca.pem') });
  hello.on('error', () => undefined);
  const peer = await RawPeer.open(plain.port);
  peer.send(adt('T-7'));
  assert.match((await peer.answers(1))[0] ?? '', /MSA\|AA\|T-7/);
  hello.destroy();
  peer.socket.destroy();
  await Promise.all([secure.channel.stop(500), plain.channel.stop(500)]);
});

interface Scripted {
  readonly server: Server;
  readonly port: number;
  readonly sockets: Socket[];
  close(): Promise<void>;
}

async function scripted(serve: (socket: Socket, nth: number) => void, port = 0): Promise<Scripted> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    serve(socket, sockets.push(socket));
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  return { server, port: address.port, sockets, close };
}

const ack = (controlId: string, code = 'AA'): string =>
  `\x0bMSH|^~\\&|X|Y|||2026||ACK|1|P|2.5\rMSA|${code}|${controlId}\r\x1c\r`;

test('messages leave in order, one at a time, each after the answer to the one before', async () => {
  const seen: string[] = [];
  const peer = await scripted((socket) => {
    socket.on('data', (chunk) => {
      const id = /\|(Q-\d+)\|P/.exec(chunk.toString())?.[1] ?? '';
      seen.push(id);
      setTimeout(() => socket.write(ack(id)), 5);
    });
  });
  const sender = createHl7Sender({ host: '127.0.0.1', port: peer.port });
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, at) => sender.send(Buffer.from(adt(`Q-${String(at)}`)))),
  );
  assert.deepEqual(
    seen,
    Array.from({ length: 10 }, (_, at) => `Q-${String(at)}`),
  );
  assert.ok(answers.every((answer) => answer.ok && answer.value.code === 'AA'));
  await sender.close();
  await peer.close();
});

test('an answer to another message is passed over; none at all is a timeout; the next message gets its own', async () => {
  const peer = await scripted((socket, nth) => {
    socket.on('data', () => {
      if (nth === 1) socket.write(ack('SOMEONE-ELSE'));
      else socket.write(ack('SOMEONE-ELSE') + ack('Q-2', 'AE'));
    });
  });
  const sender = createHl7Sender({ host: '127.0.0.1', port: peer.port, answerMs: 150 });
  const [first, second] = await Promise.all([
    sender.send(Buffer.from(adt('Q-1'))),
    sender.send(Buffer.from(adt('Q-2'))),
  ]);
  assert.ok(!first.ok);
  assert.equal(first.problem.code, 'timeout');
  assert.ok(second.ok);
  assert.equal(second.value.code, 'AE');
  assert.equal(peer.sockets.length, 2);
  await sender.close();
  await peer.close();
});

test('a peer that is away is waited for with backoff, and found when it comes', async () => {
  const probe = await scripted(() => undefined);
  await probe.close();
  const sender = createHl7Sender({
    host: '127.0.0.1',
    port: probe.port,
    connectMs: 3_000,
    backoffMs: { first: 20, most: 100 },
  });
  const sent = sender.send(Buffer.from(adt('Q-3')));
  await new Promise((resolve) => setTimeout(resolve, 150));
  const peer = await scripted((socket) => void socket.on('data', () => socket.write(ack('Q-3'))), probe.port);
  const answer = await sent;
  assert.ok(answer.ok);
  await sender.close();
  const closed = await sender.send(Buffer.from(adt('Q-4')));
  assert.equal(closed.ok, false);
  await peer.close();
});

test('a connection that the peer drops is opened again for the next message', async () => {
  const peer = await scripted(
    (socket) => void socket.once('data', (chunk) => socket.end(ack(/\|(Q-\d+)\|P/.exec(chunk.toString())?.[1] ?? ''))),
  );
  const sender = createHl7Sender({ host: '127.0.0.1', port: peer.port, answerMs: 500 });
  for (const id of ['Q-5', 'Q-6', 'Q-7']) {
    const answer = await sender.send(Buffer.from(adt(id)));
    assert.ok(answer.ok, id);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.equal(peer.sockets.length, 3);
  await sender.close();
  await peer.close();
});
