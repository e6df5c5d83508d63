/** The MLLP listener against raw sockets: framing, order, acknowledgement only after the journal, hostile peers. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { adt, RawPeer, startRig, until, type Rig } from './hl7v2-fixture.ts';

let rig: Rig;
before(async () => {
  rig = await startRig({
    limits: { partialMs: 300, idleMs: 2_000, messageBytes: 1 << 20, connectionsPerPeer: 20, strangerMessages: 5 },
  });
});
after(() => rig.channel.stop(1_000));

test('a message is journalled byte for byte and answered AA', async () => {
  const peer = await RawPeer.open(rig.port);
  const text = adt('W-1');
  peer.send(text);
  const [answer] = await peer.answers(1);
  const [msh, msa] = (answer ?? '').split('\r');
  assert.match(
    msh ?? '',
    /^MSH\|\^~\\&\|HUB\|PROV\|RIS\|H1\|20260302090000\+0800\|\|ACK\^A04\^ACK\|[A-Z0-9]{20}\|P\|2\.5\.1$/,
  );
  assert.equal(msa, 'MSA|AA|W-1');
  const envelope = rig.intake.accepted.find((one) => one.controlId === 'W-1');
  assert.ok(envelope);
  assert.equal(Buffer.from(envelope.bytes).toString(), text);
  assert.equal(envelope.patientKey, '2.999.156.1.1|10001');
  assert.equal(envelope.site, 'h1');
  assert.equal(envelope.messageType, 'ADT^A04');
  peer.socket.destroy();
});

test('one byte at a time, and many frames in one packet, are answered in order', async () => {
  const peer = await RawPeer.open(rig.port);
  peer.socket.setNoDelay(true);
  for (const byte of Buffer.from(`\x0b${adt('W-2')}\x1c\r`)) peer.socket.write(Buffer.of(byte));
  await peer.answers(1);
  const many = Array.from({ length: 50 }, (_, at) => `\x0b${adt(`W-3-${String(at)}`)}\x1c\r`).join('');
  peer.socket.write(many);
  const answers = await peer.answers(51);
  assert.deepEqual(
    answers.map((one) => /MSA\|AA\|(.*)\r/.exec(one)?.[1]),
    ['W-2', ...Array.from({ length: 50 }, (_, at) => `W-3-${String(at)}`)],
  );
  peer.socket.destroy();
});

test('a journal that fails is told as AE 207, and nothing is acknowledged', async () => {
  const peer = await RawPeer.open(rig.port);
  rig.intake.failing = true;
  peer.send(adt('W-4'));
  const [answer] = await peer.answers(1);
  rig.intake.failing = false;
  assert.match(answer ?? '', /\rMSA\|AE\|W-4\|/);
  assert.match(answer ?? '', /\rERR\|\|\|207\^Application internal error\^HL70357\|E\|/);
  peer.send(adt('W-4'));
  assert.match((await peer.answers(2))[1] ?? '', /\rMSA\|AA\|W-4\r/);
  peer.socket.destroy();
});

test('a repeated message gets the first answer; the same control id with other bytes is refused', async () => {
  const peer = await RawPeer.open(rig.port);
  peer.send(adt('W-5'));
  peer.send(adt('W-5'));
  peer.send(adt('W-5').replace('张三', '李四'));
  const [first, second, third] = await peer.answers(3);
  assert.equal(first, second);
  assert.match(third ?? '', /\rMSA\|AR\|W-5\|.*\rERR\|\|MSH\^1\^10\^1\|205\^Duplicate key identifier\^HL70357\|E/s);
  assert.equal(rig.intake.accepted.filter((one) => one.controlId === 'W-5').length, 1);
  peer.socket.destroy();
});

test('a sender that is not registered is refused, journalled without a site, audited, and sent away when it insists', async () => {
  const peer = await RawPeer.open(rig.port);
  for (let at = 0; at < 8; at++) peer.send(adt(`W-6-${String(at)}`).replace('|RIS|H1|', '|RIS|H9|'));
  await peer.end();
  assert.equal(peer.closed, true);
  assert.match(peer.frames[0] ?? '', /\rMSA\|AR\|W-6-0\|.*\rERR\|\|MSH\^1\^3\^1\|204\^/s);
  const kept = rig.intake.refused.filter((one) => one.problem.code === 'unknown-sender');
  assert.equal(kept.length, 5);
  assert.equal(kept[0]?.envelope.site, null);
  const refused = rig.audits.filter(({ action }) => action === 'refuse');
  assert.equal(refused.length, 5);
  assert.equal(refused[0]?.callerName, 'RIS|H9');
});

test('orders, schedules, reports and documents are each one record, under their transaction where IHE has one', async () => {
  const before = rig.audits.length;
  const peer = await RawPeer.open(rig.port);
  const types = ['ORM^O01', 'OMG^O19', 'OMI^O23', 'ORU^R01', 'SIU^S12', 'MDM^T02'];
  types.forEach((type, at) => {
    peer.send(adt(`W-A-${String(at)}`).replace('ADT^A04^ADT_A01', type));
  });
  await peer.answers(types.length);
  peer.socket.destroy();
  const told = rig.audits.slice(before).map(({ action, operation, detail }) => [action, operation, detail]);
  const transactions = ['RAD-2', 'RAD-2', 'RAD-4', 'RAD-28', 'RAD-48', undefined];
  assert.deepEqual(
    told,
    types.map((type, at) => [
      'feed',
      type,
      {
        ...(transactions[at] === undefined ? {} : { transaction: transactions[at] }),
        messageId: `W-A-${String(at)}`,
        patientIds: ['10001^^^&2.999.156.1.1&ISO'],
      },
    ]),
  );
});

test('a registration, a change and a merge are patient record events in the audit, a repeat and a refusal are not', async () => {
  const before = rig.audits.length;
  const peer = await RawPeer.open(rig.port);
  peer.send(adt('W-20'));
  peer.send(adt('W-20'));
  peer.send(adt('W-21').replace('ADT^A04', 'ADT^A08'));
  peer.send(adt('W-22').replace('ADT^A04', 'ADT^A40').replace('PV1|', 'MRG|10009^^^&2.999.156.1.1&ISO^PI\rPV1|'));
  peer.send(adt('W-23').replace('|P|2.5.1', '|P|2.3.1').replace('|RIS|H1|', '|RIS|H9|'));
  await peer.answers(5);
  const told = rig.audits.slice(before).filter(({ action }) => action === 'feed');
  assert.deepEqual(
    told.map(({ detail }) => [detail?.transaction, detail?.change, detail?.messageId, detail?.patientIds]),
    [
      ['ITI-30', 'create', 'W-20', ['10001^^^&2.999.156.1.1&ISO']],
      ['ITI-30', 'update', 'W-21', ['10001^^^&2.999.156.1.1&ISO']],
      ['ITI-30', 'merge', 'W-22', ['10001^^^&2.999.156.1.1&ISO', '10009^^^&2.999.156.1.1&ISO']],
    ],
  );
  peer.socket.destroy();
});

test('a frame that is no HL7 is answered AR; garbage around frames is passed over', async () => {
  const peer = await RawPeer.open(rig.port);
  peer.socket.write('GET / HTTP/1.1\r\n\r\n');
  peer.send('hello');
  peer.socket.write('\r\n\r\n');
  peer.send(adt('W-7'));
  const [bad, good] = await peer.answers(2);
  assert.match(bad ?? '', /^MSH\|\^~\\&\|.*\rMSA\|AR\r?\|?/s);
  assert.match(good ?? '', /MSA\|AA\|W-7/);
  peer.socket.destroy();
});

test('a frame without CR after FS is taken after a moment', async () => {
  const peer = await RawPeer.open(rig.port);
  peer.socket.write(`\x0b${adt('W-8')}\x1c`);
  assert.match((await peer.answers(1))[0] ?? '', /MSA\|AA\|W-8/);
  peer.socket.write(`\x0b${adt('W-9')}\x1c\x0b${adt('W-10')}\x1c\r`);
  assert.equal((await peer.answers(3)).length, 3);
  peer.socket.destroy();
});

test('a message begun anew: the first half is dropped, the whole one is taken', async () => {
  const peer = await RawPeer.open(rig.port);
  peer.socket.write(`\x0b${adt('W-11').slice(0, 90)}`);
  peer.socket.write(`\x0b${adt('W-11')}\x1c\r`);
  assert.match((await peer.answers(1))[0] ?? '', /MSA\|AA\|W-11/);
  assert.equal(rig.intake.accepted.filter((one) => one.controlId === 'W-11').length, 1);
  peer.socket.destroy();
});

test('a peer that drips bytes is cut off; others are not disturbed', async () => {
  const slow = await RawPeer.open(rig.port);
  slow.socket.write('\x0bMSH|');
  const drip = setInterval(() => slow.socket.write('x'), 50);
  const good = await RawPeer.open(rig.port);
  good.send(adt('W-12'));
  assert.match((await good.answers(1))[0] ?? '', /MSA\|AA\|W-12/);
  await slow.end(2_000);
  clearInterval(drip);
  assert.equal(slow.closed, true);
  good.socket.destroy();
});

test('an oversize message is refused with AR and the connection goes on', async () => {
  const peer = await RawPeer.open(rig.port);
  peer.send(adt('W-13') + `OBX|1|TX|||${'x'.repeat(2 << 20)}\r`);
  peer.send(adt('W-14'));
  const [big, small] = await peer.answers(2);
  assert.match(big ?? '', /\rMSA\|AR\|W-13\|.*larger|\rMSA\|AR\|W-13\|A message may have/s);
  assert.match(small ?? '', /MSA\|AA\|W-14/);
  assert.equal(
    rig.intake.refused.some((one) => one.problem.code === 'too-large' && one.envelope.site === 'h1'),
    true,
  );
  peer.socket.destroy();
});

test('large messages begun by many at once are sent away before memory runs out; small ones are taken', async () => {
  const tight = await startRig({ limits: { messageBytes: 4 << 20, heldBytes: 6 << 20 } });
  const begun = Buffer.concat([Buffer.of(0x0b), Buffer.alloc(3 << 20, 0x41)]);
  const greedy = await Promise.all(Array.from({ length: 8 }, () => RawPeer.open(tight.port)));
  for (const peer of greedy) peer.socket.write(begun);
  await until(() => greedy.filter((peer) => peer.closed).length >= 5);
  const small = await RawPeer.open(tight.port);
  small.send(adt('W-30'));
  assert.match((await small.answers(1))[0] ?? '', /MSA\|AA\|W-30/);
  for (const peer of [...greedy, small]) peer.socket.destroy();
  await until(() => tight.channel.health().connections === 0);
  const later = await RawPeer.open(tight.port);
  later.send(adt('W-31') + `OBX|1|TX|||${'x'.repeat(3 << 20)}\r`);
  assert.match((await later.answers(1))[0] ?? '', /MSA\|AA\|W-31/);
  later.socket.destroy();
  await tight.channel.stop(1_000);
});

test('a flood of bytes outside frames ends the connection', async () => {
  const peer = await RawPeer.open(rig.port);
  peer.socket.write(Buffer.alloc(200_000, 0x41));
  await peer.end();
  assert.equal(peer.closed, true);
});

test('connections above the limit are closed, and free places are taken again', async () => {
  const peers = await Promise.all(Array.from({ length: 25 }, () => RawPeer.open(rig.port)));
  await until(() => peers.filter((one) => one.closed).length >= 5);
  assert.equal(peers.filter((one) => one.closed).length, 5);
  for (const one of peers) one.socket.destroy();
  await until(() => rig.channel.health().connections === 0);
  const peer = await RawPeer.open(rig.port);
  peer.send(adt('W-15'));
  assert.match((await peer.answers(1))[0] ?? '', /MSA\|AA\|W-15/);
  peer.socket.destroy();
});

test('a batch is filed message by message and answered as a batch', async () => {
  const peer = await RawPeer.open(rig.port);
  const unknown = adt('W-17').replace('ADT^A04^ADT_A01', 'ADT^A60^ADT_A60');
  peer.send(`FHS|^~\\&|RIS|H1|HUB|PROV\rBHS|^~\\&|RIS|H1|HUB|PROV\r${adt('W-16')}${unknown}BTS|2\rFTS|1\r`);
  const [answer] = await peer.answers(1);
  const names = (answer ?? '').split('\r').map((line) => line.slice(0, 3));
  assert.deepEqual(names, ['FHS', 'BHS', 'MSH', 'MSA', 'MSH', 'MSA', 'ERR', 'BTS', 'FTS', '']);
  assert.match(answer ?? '', /MSA\|AA\|W-16\r/);
  assert.match(answer ?? '', /MSA\|AR\|W-17\|/);
  assert.match(answer ?? '', /BTS\|2\rFTS\|1\r$/);
  peer.socket.destroy();
});

test('a frame of more messages than are taken at once is refused whole, and the last of them is not lost in another', async () => {
  const from = rig.intake.accepted.length;
  const peer = await RawPeer.open(rig.port);
  const crowd = Array.from(
    { length: 10_002 },
    (_, n) => `MSH|^~\\&|RIS|H1|||20260302||ADT^A04|C-${String(n)}|P|2.5\r`,
  ).join('');
  for (const [at, head] of ['', 'BHS|^~\\&|RIS|H1|HUB|PROV\r'].entries()) {
    peer.send(head + crowd);
    const answer = (await peer.answers(at + 1))[at];
    assert.match(answer ?? '', /MSA\|A[ER]\|C-0\|A frame may have 10000 messages/);
    assert.equal(rig.intake.refused.at(-1)?.problem.code, 'limit-exceeded');
    assert.equal(rig.intake.accepted.length, from);
  }
  peer.send(adt('C-after'));
  assert.match((await peer.answers(3))[2] ?? '', /MSA\|AA\|C-after\r/);
  peer.socket.destroy();
});

test('messages that wait when the hub stops are not acknowledged; the one at work is', async () => {
  const own = await startRig({ limits: { inFlight: 1 } });
  own.intake.delayMs = 100;
  const peer = await RawPeer.open(own.port);
  for (let at = 0; at < 5; at++) peer.send(adt(`S-${String(at)}`));
  await new Promise((resolve) => setTimeout(resolve, 50));
  await own.channel.stop(2_000);
  await peer.end();
  assert.equal(own.intake.accepted.length, peer.frames.length);
  assert.equal(peer.frames.length >= 1 && peer.frames.length < 5, true);
});

test('frames in flight together are answered in their order, and filed in their order', async () => {
  const own = await startRig({ limits: { inFlight: 8 } });
  own.intake.delayMs = 20;
  const peer = await RawPeer.open(own.port);
  const started = Date.now();
  for (let at = 0; at < 40; at++) peer.send(at % 7 === 3 ? `NO HL7 ${String(at)}` : adt(`F-${String(at)}`));
  const answers = await peer.answers(40);
  assert.equal(answers.length, 40);
  answers.forEach((answer, at) =>
    assert.match(answer, at % 7 === 3 ? /MSA\|AR/ : new RegExp(`MSA\\|AA\\|F-${String(at)}\r`)),
  );
  const filed = own.intake.accepted.map((one) => Number(one.controlId.slice(2)));
  assert.deepEqual(
    filed,
    [...filed].sort((a, b) => a - b),
  );
  assert.ok(Date.now() - started < 40 * 20);
  peer.socket.destroy();
  await own.channel.stop(500);
});
