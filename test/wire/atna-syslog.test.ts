/** The way of the audit to a repository over syslog and TLS: real sockets, a repository that is away, slow or false. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { createDatagramSender, createSyslogSender, type SyslogPeer } from '../../adapters/atna/index.ts';
import type { AuditRepository, SyslogMessage } from '../../hub/core/audit.ts';
import { datagram, syslogMessages } from '../../mappings/atna/index.ts';
import { EVERY_KIND, record, SOURCE } from '../support/audit-events.ts';
import { certificates, syslogServer, withoutOpenssl } from '../support/syslog-peer.ts';
import type { Certificates, Pair, SyslogServer } from '../support/syslog-peer.ts';

const skip = withoutOpenssl();
let made: Certificates;
let repository: Pair;
let client: Pair;
const opened: SyslogServer[] = [];

before(() => {
  made = certificates();
  if (skip !== false) return;
  repository = made.pair('repository');
  client = made.pair('hub');
});
after(() => {
  made.remove();
});
beforeEach(async () => {
  for (const server of opened.splice(0)) await server.close();
});
after(async () => {
  for (const server of opened) await server.close();
});

async function serve(...given: Parameters<typeof syslogServer>): Promise<SyslogServer> {
  const server = await syslogServer(...given);
  opened.push(server);
  return server;
}

function sender(port: number, change: Partial<SyslogPeer> = {}): AuditRepository {
  const peer = { host: '127.0.0.1', port, ca: repository.cert, identity: null, timeoutMs: 2_000, ...change };
  return createSyslogSender(peer, SOURCE);
}

const send = (to: AuditRepository, messages: readonly SyslogMessage[]): Promise<void> =>
  to.send(messages, new AbortController().signal);
const numbered = (count: number, text = ''): SyslogMessage[] =>
  Array.from({ length: count }, (_, n) => ({
    severity: 'notice' as const,
    at: '2026-11-25T08:00:00.123Z',
    messageId: 'IHE+RFC-3881',
    sequenceId: n + 1,
    text: `<m n="${String(n)}">${text}</m>`,
  }));

test('every kind of record arrives octet by octet as it was made', { skip }, async () => {
  const server = await serve(repository);
  const messages = EVERY_KIND.flatMap(([, , , of], n) => syslogMessages({ ...of, id: String(n + 1) }, SOURCE));
  await send(sender(server.port), messages);
  assert.deepEqual(server.wrong, []);
  assert.deepEqual(
    server.received.map(({ xml }) => xml),
    messages.map(({ text }) => text),
  );
  const [first] = server.received;
  assert.equal(first?.priority, 85);
  assert.deepEqual(first.fields, ['hub1.example', 'hutong', '4711', 'IHE+RFC-3881']);
  const refused = server.received.find(({ xml }) => xml.includes('"110114"'));
  assert.equal(refused?.priority, 84);
  assert.equal(server.received.find(({ xml }) => xml.includes('"110100"'))?.fields[3], 'DICOM+RFC3881');
});

test('many messages with text of several bytes a character keep their frames', { skip }, async () => {
  const server = await serve(repository);
  const messages = numbered(3_000, '检查报告😀'.repeat(40));
  await send(sender(server.port), messages);
  assert.equal(server.received.length, 3_000);
  assert.deepEqual(server.wrong, []);
  assert.deepEqual(
    server.received.map(({ sequenceId }) => sequenceId),
    messages.map(({ sequenceId }) => sequenceId),
  );
});

test('a sequence number stays within RFC 5424 for any record id', () => {
  for (const [id, expected] of [
    ['1', 1],
    ['2147483647', 2_147_483_647],
    ['2147483648', 1],
    ['9223372036854775807', 1],
  ] as const)
    assert.equal(syslogMessages(record({ id }), SOURCE)[0]?.sequenceId, expected, id);
});

test('a repository that asks for a certificate gets it, and refuses another', { skip }, async () => {
  const server = await serve(repository, { clientCa: client.cert });
  await send(sender(server.port, { identity: client }), numbered(2));
  assert.equal(server.received.length, 2);
  const stranger = made.pair('stranger');
  await assert.rejects(send(sender(server.port, { identity: stranger }), numbered(2)));
  await assert.rejects(send(sender(server.port), numbered(2)));
  assert.equal(server.received.length, 2);
});

test('a repository with another certificate gets nothing', { skip }, async () => {
  const cases = [made.pair('false'), made.pair('elsewhere', 'DNS:elsewhere.example')];
  for (const pair of cases) {
    const server = await serve(pair);
    const ca = pair === cases[0] ? repository.cert : pair.cert;
    await assert.rejects(send(sender(server.port, { ca }), numbered(1)));
    assert.deepEqual(server.received, []);
    assert.deepEqual(server.wrong, []);
  }
});

test('nothing goes to who speaks no TLS, or only an old one', { skip }, async () => {
  const got: Buffer[] = [];
  const plain = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      got.push(chunk);
      socket.write('HTTP/1.1 400 Bad Request\r\n\r\n');
    });
  });
  await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
  const { port } = plain.address() as AddressInfo;
  await assert.rejects(send(sender(port), numbered(1)));
  plain.close();
  assert.doesNotMatch(Buffer.concat(got).toString('latin1'), /<m n=/);
});

test('who ends the connection before all was sent has not taken it', { skip }, async () => {
  for (const how of ['end', 'destroy'] as const) {
    const server = await serve(repository, { onData: (socket) => socket[how]() });
    await assert.rejects(send(sender(server.port), numbered(2_000, 'x'.repeat(1_000))));
  }
});

test('who neither reads nor answers is given up after the time limit', { skip }, async () => {
  const mute = createServer(() => undefined);
  await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
  const began = Date.now();
  await assert.rejects(send(sender((mute.address() as AddressInfo).port, { timeoutMs: 300 }), numbered(1)));
  assert.ok(Date.now() - began < 3_000);
  mute.close();
  const server = await serve(repository, { onData: (socket) => socket.pause() });
  await assert.rejects(
    send(sender(server.port, { timeoutMs: 300 }), numbered(5_000, 'x'.repeat(2_000))),
    /does not answer in time/,
  );
});

test('who talks back is not listened to', { skip }, async () => {
  const server = await serve(repository, { onData: (socket) => socket.write('x'.repeat(10_000)) });
  await send(sender(server.port), numbered(200, 'x'.repeat(1_000)));
  assert.equal(server.received.length, 200);
});

test('a send that is broken off rejects at once', { skip }, async () => {
  const server = await serve(repository, { onData: (socket) => socket.pause() });
  const breaking = new AbortController();
  const sending = sender(server.port).send(numbered(5_000, 'x'.repeat(2_000)), breaking.signal);
  await pause(100);
  breaking.abort();
  await assert.rejects(sending);
  await assert.rejects(sender(server.port).send(numbered(1), breaking.signal));
});

test('by UDP each message is one datagram, byte for byte, and one too large stops none behind it', async () => {
  const socket = createSocket('udp4');
  const got: Buffer[] = [];
  socket.on('message', (bytes) => got.push(bytes));
  await new Promise<void>((resolve) => {
    socket.bind(0, '127.0.0.1', resolve);
  });
  try {
    const { port } = socket.address();
    const sender = createDatagramSender({ host: '127.0.0.1', port }, SOURCE);
    const [first, second, ...rest] = numbered(3);
    assert.ok(first && second);
    const large = { ...second, text: 'x'.repeat(70_000) };
    await sender.send([first, large, ...rest], new AbortController().signal);
    for (let tries = 0; got.length < 2 && tries < 200; tries++) await new Promise((resolve) => setTimeout(resolve, 10));
    assert.deepEqual(
      got.map((bytes) => bytes.toString()),
      [first, ...rest].map((message) => datagram(message, SOURCE).toString()),
    );
    assert.match(got[0]?.toString() ?? '', /^<\d+>1 /);
    await assert.rejects(sender.send([first], AbortSignal.abort()), 'what the stop of the hub met stays in the spool');
  } finally {
    socket.close();
  }
});
