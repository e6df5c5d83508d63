/** Scripted TCP peers that break the protocol: each is refused by the book, nothing is stored, and the hub serves on. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { encodeCommand } from '../../adapters/dicom/command.ts';
import { echo } from '../../adapters/dicom/index.ts';
import type { PduEvent } from '../../adapters/dicom/pdu.ts';
import { encodeAssociateRq, encodeData, encodeReleaseRq } from '../../adapters/dicom/pdu-encode.ts';
import { PduStream } from '../../adapters/dicom/pdu-stream.ts';
import { recordingLog, startHub } from '../support/dimse-hub.ts';
import type { TestHub } from '../support/dimse-hub.ts';

const CT = '1.2.840.10008.5.1.4.1.1.2';
const FIND = '1.2.840.10008.5.1.4.1.2.2.1';
const VERIFICATION = '1.2.840.10008.1.1';
const IMPLICIT = '1.2.840.10008.1.2';

const rq = (calling = 'H1PACS'): Buffer =>
  encodeAssociateRq({
    protocolVersion: 1,
    called: 'HUTONG',
    calling,
    applicationContext: '1.2.840.10008.3.1.1.1',
    contexts: [
      { id: 1, abstractSyntax: VERIFICATION, transferSyntaxes: [IMPLICIT] },
      { id: 3, abstractSyntax: CT, transferSyntaxes: [IMPLICIT] },
      { id: 5, abstractSyntax: FIND, transferSyntaxes: [IMPLICIT] },
      { id: 7, abstractSyntax: '1.2.840.10008.5.1.4.31', transferSyntaxes: [IMPLICIT] },
    ],
    user: { maxLength: 16384, implementationClassUid: '1.2.3', implementationVersion: 'T', roles: [] },
  });

const storeRq = encodeCommand({
  commandField: 1,
  affectedSopClass: CT,
  affectedSopInstance: '1.2.3.4',
  messageId: 1,
  priority: 0,
  dataSetType: 0,
});

/** A peer that sends what it is told and keeps what it hears. */
class Peer {
  readonly events: PduEvent[] = [];
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  #heard: () => void = () => undefined;

  constructor(port: number) {
    const stream = new PduStream();
    this.#socket = connect({ host: '127.0.0.1', port });
    this.#socket.on('data', (chunk) => {
      this.events.push(...stream.push(chunk));
      this.#heard();
    });
    this.#socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => this.#socket.once('close', () => resolve()));
  }

  say(...bytes: readonly Buffer[]): this {
    this.#socket.write(Buffer.concat(bytes));
    return this;
  }

  async hears(kind: PduEvent['kind']): Promise<PduEvent> {
    const limit = Date.now() + 5000;
    for (;;) {
      const found = this.events.find((event) => event.kind === kind);
      if (found) return found;
      assert.ok(Date.now() < limit, `no ${kind}; heard ${this.events.map((event) => event.kind).join(', ')}`);
      await new Promise<void>((resolve) => {
        this.#heard = resolve;
        setTimeout(resolve, 100);
      });
    }
  }

  async associated(): Promise<this> {
    this.say(rq());
    await this.hears('associate-ac');
    return this;
  }

  hangUp(): void {
    this.#socket.destroy();
  }
}

describe('hostile DICOM peers', () => {
  let hub: TestHub;
  const log = recordingLog();
  before(async () => {
    hub = await startHub({ log, limits: { artimMs: 300, idleMs: 1000, lifetimeMs: 20_000, associationsPerPeer: 4 } });
  });
  after(async () => {
    assert.equal(hub.intake.accepted.length, 0);
    assert.deepEqual(
      log.lines.filter((line) => line.startsWith('a DICOM handler failed')),
      [],
    );
    await hub.stop();
  });
  const peer = (): Peer => new Peer(hub.port);
  const alive = async (): Promise<void> => {
    const node = { aeTitle: 'HUTONG', host: '127.0.0.1', port: hub.port };
    assert.deepEqual(await echo({ node, callingAe: 'H1PACS' }), { ok: true, value: 0 });
  };

  test('garbage is aborted and closed', async () => {
    const one = peer().say(Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'));
    assert.deepEqual(await one.hears('abort'), { kind: 'abort', pdu: { source: 0, reason: 0 } });
    await one.closed;
    await alive();
  });

  test('a PDU length of 0xFFFFFFF0 costs no memory', async () => {
    const one = await peer().associated();
    const before = process.memoryUsage().rss;
    one.say(Buffer.from([4, 0, 0xff, 0xff, 0xff, 0xf0]), Buffer.alloc(4 << 20));
    assert.deepEqual(await one.hears('abort'), { kind: 'abort', pdu: { source: 2, reason: 6 } });
    await one.closed;
    assert.ok(process.memoryUsage().rss - before < 100 << 20);
    const bomb = peer().say(Buffer.from([1, 0, 0xff, 0xff, 0xff, 0xf0]));
    await bomb.hears('abort');
    await bomb.closed;
  });

  test('P-DATA and A-RELEASE before an association are aborted', async () => {
    const one = peer().say(...encodeData(1, true, storeRq, 16384));
    await one.hears('abort');
    await one.closed;
    const two = peer().say(encodeReleaseRq());
    await two.hears('abort');
    await two.closed;
  });

  test('a second A-ASSOCIATE-RQ on an association is aborted as unexpected', async () => {
    const one = (await peer().associated()).say(rq());
    assert.deepEqual(await one.hears('abort'), { kind: 'abort', pdu: { source: 2, reason: 2 } });
    await one.closed;
  });

  test('a PDV of a context that was not accepted, or of none, is aborted', async () => {
    for (const context of [7, 99]) {
      const one = (await peer().associated()).say(...encodeData(context, true, storeRq, 16384));
      await one.hears('abort');
      await one.closed;
    }
  });

  test('a data set without its command, and a command within a data set, are aborted', async () => {
    const one = (await peer().associated()).say(...encodeData(3, false, Buffer.alloc(10), 16384));
    await one.hears('abort');
    await one.closed;
    const command = encodeData(3, true, storeRq, 16384);
    const two = (await peer().associated()).say(...command, ...command);
    await two.hears('abort');
    await two.closed;
  });

  test('a command set that is no command set, or too large, is aborted', async () => {
    const one = (await peer().associated()).say(...encodeData(1, true, Buffer.alloc(40, 0xaa), 16384));
    await one.hears('abort');
    await one.closed;
    const two = (await peer().associated()).say(...encodeData(1, true, Buffer.alloc(40_000), 10_000));
    await two.hears('abort');
    await two.closed;
  });

  test('half a PDU and silence: the timer ends it', async () => {
    const one = peer().say(rq().subarray(0, 50));
    await one.closed;
    const two = peer();
    await two.closed;
    const three = (await peer().associated()).say(Buffer.from([4, 0, 0, 0]));
    await three.hears('abort');
    await three.closed;
    await alive();
  });

  test('a sender that hangs up in the middle of a data set leaves nothing behind', async () => {
    const one = (await peer().associated()).say(...encodeData(3, true, storeRq, 16384));
    one.say(...encodeData(3, false, Buffer.alloc(12_000), 16384).slice(0, 1), Buffer.alloc(3000));
    await new Promise((resolve) => setTimeout(resolve, 100));
    one.hangUp();
    await one.closed;
    await alive();
    assert.equal(hub.intake.refused.length, 0);
  });

  test('a data set that is garbage is refused with a status, kept, and the association goes on', async () => {
    const one = (await peer().associated()).say(
      ...encodeData(3, true, storeRq, 16384),
      ...encodeData(3, false, Buffer.alloc(20_000, 0x5a), 16000),
    );
    await one.hears('pdv');
    assert.equal(hub.intake.refused.length, 1);
    assert.ok(hub.intake.refused[0]?.envelope.object);
    one.say(encodeReleaseRq());
    await one.hears('release-rp');
  });

  test('an instance that is refused before it is begun is in the journal all the same', async () => {
    const store = (affectedSopInstance: string, dataSetType: number): Buffer =>
      encodeCommand({
        commandField: 1,
        affectedSopClass: '1.2.840.10008.5.1.4.1.1.7',
        affectedSopInstance,
        messageId: 1,
        priority: 0,
        dataSetType,
      });
    const from = hub.intake.refused.length;
    const unnamed = (await peer().associated()).say(
      ...encodeData(3, true, store('../../etc/passwd', 0), 16384),
      ...encodeData(3, false, Buffer.alloc(20_000, 0x5a), 16000),
    );
    await unnamed.hears('pdv');
    const empty = (await peer().associated()).say(...encodeData(3, true, store('2.25.9', 0x101), 16384));
    await empty.hears('pdv');
    const kept = hub.intake.refused.slice(from);
    assert.deepEqual(
      kept.map(({ problem, envelope }) => [problem.code, envelope.site, envelope.bytes.length]),
      [
        ['invalid-value', 'h1', 8192],
        ['required-missing', 'h1', 0],
      ],
    );
    for (const one of [unnamed, empty]) {
      one.say(encodeReleaseRq());
      await one.hears('release-rp');
    }
  });

  test('an identifier of deep sequences is refused, not followed', async () => {
    const depth = 5000;
    const opening = Buffer.from([
      0x08, 0x00, 0x40, 0x11, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xff, 0x00, 0xe0, 0xff, 0xff, 0xff, 0xff,
    ]);
    const identifier = Buffer.concat(Array.from({ length: depth }, () => opening));
    const findRq = encodeCommand({
      commandField: 0x20,
      affectedSopClass: FIND,
      messageId: 1,
      priority: 0,
      dataSetType: 0,
    });
    const one = (await peer().associated()).say(
      ...encodeData(5, true, findRq, 16384),
      ...encodeData(5, false, identifier, 16000),
    );
    await one.hears('pdv');
    one.say(encodeReleaseRq());
    await one.hears('release-rp');
    assert.equal(hub.queries.length, 0);
  });

  test('an association too many is rejected as a transient local limit', async () => {
    const peers = [];
    for (let count = 0; count < 4; count++) peers.push(await peer().associated());
    const fifth = peer().say(rq());
    assert.deepEqual(await fifth.hears('associate-rj'), {
      kind: 'associate-rj',
      pdu: { result: 2, source: 3, reason: 2 },
    });
    for (const one of [...peers, fifth]) one.hangUp();
    await Promise.all([...peers, fifth].map((one) => one.closed));
    await new Promise((resolve) => setTimeout(resolve, 50));
    await alive();
  });

  test('one address that opens all it can does not take the places of others', async () => {
    const open = (): Promise<Socket> =>
      new Promise((resolve) => {
        const socket = connect({ host: '127.0.0.1', port: hub.port, localAddress: '127.0.0.9' });
        socket.on('error', () => undefined);
        socket.once('connect', () => resolve(socket));
      });
    const sockets = await Promise.all(Array.from({ length: 150 }, open));
    await alive();
    for (const socket of sockets) socket.destroy();
  });
});
