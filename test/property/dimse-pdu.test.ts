/** Laws of the DICOM byte stream: any cutting of it gives the same PDUs, and any bytes give events, never an exception. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeCommand, encodeCommand } from '../../adapters/dicom/command.ts';
import type { AssociateRq, PduEvent } from '../../adapters/dicom/pdu.ts';
import {
  encodeAbort,
  encodeAssociateAc,
  encodeAssociateRj,
  encodeAssociateRq,
  encodeData,
  encodeReleaseRp,
  encodeReleaseRq,
} from '../../adapters/dicom/pdu-encode.ts';
import { PduStream } from '../../adapters/dicom/pdu-stream.ts';

/** Events with the fragments of one PDV put together again: what chunking may not change. */
function joined(events: readonly PduEvent[]): unknown[] {
  const out: unknown[] = [];
  let open: { context: number; command: boolean; data: Buffer[] } | null = null;
  for (const event of events) {
    if (event.kind === 'data') continue;
    if (event.kind !== 'pdv') {
      out.push(event);
      continue;
    }
    const { context, command, data, last } = event.fragment;
    open ??= { context, command, data: [] };
    assert.deepEqual([open.context, open.command], [context, command]);
    open.data.push(data);
    if (!last) continue;
    out.push({ context, command, data: Buffer.concat(open.data).toString('hex') });
    open = null;
  }
  return out;
}

/** Records with the prototype that the codec's own values have. */
const plain = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(model, { noNullPrototype: true });

const uid = fc.stringMatching(/^[12](\.[1-9][0-9]{0,6}){1,8}$/);
const title = fc.stringMatching(/^[A-Z][A-Z0-9_]{0,15}$/);
const rq: fc.Arbitrary<AssociateRq> = plain({
  protocolVersion: fc.constant(1),
  called: title,
  calling: title,
  applicationContext: fc.constant('1.2.840.10008.3.1.1.1'),
  contexts: fc
    .array(plain({ abstractSyntax: uid, transferSyntaxes: fc.array(uid, { minLength: 1, maxLength: 4 }) }), {
      minLength: 1,
      maxLength: 20,
    })
    .map((contexts) => contexts.map((context, at) => ({ ...context, id: 2 * at + 1 }))),
  user: fc.record(
    {
      maxLength: fc.nat(),
      implementationClassUid: uid,
      implementationVersion: title,
      asyncOperations: plain({ invoked: fc.nat(99), performed: fc.nat(99) }),
      roles: fc.array(plain({ sopClass: uid, scu: fc.boolean(), scp: fc.boolean() }), { maxLength: 5 }),
      identity: plain({
        type: fc.integer({ min: 1, max: 5 }),
        responseRequested: fc.boolean(),
        primary: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
        secondary: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
      }),
    },
    { noNullPrototype: true, requiredKeys: ['maxLength', 'implementationClassUid', 'implementationVersion', 'roles'] },
  ),
});

const data = fc
  .tuple(
    fc.integer({ min: 0, max: 127 }),
    fc.boolean(),
    fc.uint8Array({ maxLength: 600 }),
    fc.integer({ min: 16, max: 300 }),
  )
  .map(([context, command, bytes, room]) =>
    Buffer.concat(encodeData(2 * context + 1, command, Buffer.from(bytes), room)),
  );

const stream = fc
  .array(
    fc.oneof(
      data,
      rq.map(encodeAssociateRq),
      fc.constantFrom(
        encodeReleaseRq(),
        encodeReleaseRp(),
        encodeAbort({ source: 2, reason: 6 }),
        encodeAssociateRj({ result: 1, source: 1, reason: 3 }),
      ),
    ),
    { maxLength: 8 },
  )
  .map((parts) => Buffer.concat(parts));

function cut(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const at = [...new Set(cuts.map((where) => where % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...at].map((from, index) => bytes.subarray(from, at[index] ?? bytes.length));
}

test('any cutting of the stream gives the same events', () => {
  fc.assert(
    fc.property(stream, fc.array(fc.nat(20_000), { maxLength: 40 }), (bytes, cuts) => {
      const whole = joined(new PduStream().push(bytes));
      const reader = new PduStream();
      assert.deepEqual(joined(cut(bytes, cuts).flatMap((part) => reader.push(part))), whole);
      const single = new PduStream();
      assert.deepEqual(joined([...bytes].flatMap((_, at) => single.push(bytes.subarray(at, at + 1)))), whole);
    }),
    { numRuns: 150 },
  );
});

test('an association request reads back as it was written', () => {
  fc.assert(
    fc.property(rq, (given) => {
      assert.deepEqual(new PduStream().push(encodeAssociateRq(given)), [{ kind: 'associate-rq', pdu: given }]);
    }),
  );
});

test('any bytes give events and at most one violation, the last', () => {
  const damaged = fc.tuple(stream, fc.nat(), fc.nat(255)).map(([bytes, at, value]) => {
    const copy = Buffer.from(bytes);
    if (copy.length > 0) copy[at % copy.length] = value;
    return copy;
  });
  const garbage = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
  fc.assert(
    fc.property(fc.oneof(damaged, garbage), (bytes) => {
      const events = new PduStream().push(bytes);
      const at = events.findIndex((event) => event.kind === 'invalid');
      assert.ok(at === -1 || at === events.length - 1);
    }),
    { numRuns: 500 },
  );
});

test('command sets survive any bytes, and read back as written', () => {
  const command = fc.record(
    {
      commandField: fc.nat(0xffff),
      dataSetType: fc.nat(0xffff),
      affectedSopClass: uid,
      messageId: fc.nat(0xffff),
      status: fc.nat(0xffff),
      errorComment: title,
      offendingElement: fc.array(fc.nat(), { minLength: 1, maxLength: 3 }),
      remaining: fc.nat(0xffff),
    },
    { noNullPrototype: true, requiredKeys: ['commandField', 'dataSetType'] },
  );
  fc.assert(
    fc.property(command, (given) => {
      assert.deepEqual({ ...decodeCommand(encodeCommand(given)) }, given);
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      decodeCommand(Buffer.from(bytes));
    }),
  );
});

test('an association accept reads back as it was written', () => {
  const ac = {
    called: 'HUTONG',
    calling: 'H1PACS',
    applicationContext: '1.2.840.10008.3.1.1.1',
    contexts: [{ id: 1, result: 0, transferSyntax: '1.2.840.10008.1.2' }],
    user: { maxLength: 131072, implementationClassUid: '1.2.3', implementationVersion: 'V', roles: [] },
  };
  assert.deepEqual(new PduStream().push(encodeAssociateAc(ac)), [{ kind: 'associate-ac', pdu: ac }]);
});
