/**
 * What is recorded is delivered: the spool on a real PostgreSQL and a repository behind real TLS that is away, comes
 * back, and breaks connections, while the process that delivers is stopped and started.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import fc from 'fast-check';
import { createSyslogSender } from '../../adapters/atna/index.ts';
import type { AuditEvent, AuditRepository, AuditSpool } from '../../hub/core/audit.ts';
import { auditDelivery } from '../../hub/compose-atna.ts';
import { readConfig } from '../../hub/config.ts';
import { createAuditDelivery, type AuditDelivery } from '../../hub/flow/deliver-audit.ts';
import { createAuditSpool } from '../../hub/store/audit-spool.ts';
import { createAuditStore, type AuditStore } from '../../hub/store/audit.ts';
import { chainCase } from '../support/audit-chain.ts';
import { EVERY_KIND, record, SOURCE } from '../support/audit-events.ts';
import type { FreshDatabase } from '../support/database.ts';
import { freshDatabase, quiet } from '../support/database.ts';
import { certificates, syslogServer, withoutOpenssl, type Certificates, type Pair } from '../support/syslog-peer.ts';

const skip = withoutOpenssl();
let fresh: FreshDatabase;
let audit: AuditStore;
let spool: AuditSpool;
let made: Certificates;
let pair: Pair;
const clock = (): Date => new Date();

before(async () => {
  fresh = await freshDatabase();
  audit = createAuditStore({ database: fresh.database, clock, spool: true });
  spool = createAuditSpool({ database: fresh.database, clock });
  made = certificates();
  if (skip === false) pair = made.pair('repository');
});
after(() => {
  made.remove();
});

function delivery(repository: AuditRepository, known: ReadonlyMap<string, string> = new Map()): AuditDelivery {
  const times = { pollMs: 20, leastMs: 10, mostMs: 80, graceMs: 1_000 };
  const patientIds = (): Promise<ReadonlyMap<string, string>> => Promise.resolve(known);
  return createAuditDelivery({ spool, repository, source: SOURCE, patientIds, log: quiet, ...times });
}
const sender = (port: number): AuditRepository =>
  createSyslogSender({ host: '127.0.0.1', port, ca: pair.cert, identity: null, timeoutMs: 2_000 }, SOURCE);

const recordAll = (events: readonly AuditEvent[]): Promise<unknown> =>
  Promise.all(events.map((event) => audit.record(event)));
const numbered = (from: number, count: number): AuditEvent[] =>
  Array.from({ length: count }, (_, n) => record({ operation: 'RAD-69', objects: [`1.2.${String(from + n)}`] }));

async function until(holds: () => boolean | Promise<boolean>, ms = 10_000): Promise<void> {
  const end = Date.now() + ms;
  while (!(await holds())) {
    assert.ok(Date.now() < end, 'it did not come about in time');
    await pause(10);
  }
}
const empty = async (): Promise<boolean> => (await spool.backlog()).records === 0;
const sent = (xml: string): string[] => [...xml.matchAll(/ParticipantObjectID="(1\.2\.\d+)"/g)].map((m) => m[1] ?? '');

test('a record and its place in the spool are one; without a repository there is no spool', async () => {
  await createAuditStore({ database: fresh.database, clock }).record(record({}));
  assert.equal((await spool.backlog()).records, 0);
  await audit.record(record({}));
  const { records, oldestSeconds } = await spool.backlog();
  assert.equal(records, 1);
  assert.ok(oldestSeconds >= 0 && oldestSeconds < 60);
  assert.equal(await spool.deliver(10, () => Promise.resolve()), 1);
});

test('a record comes from the spool as it was put down, detail and all', async () => {
  const events = EVERY_KIND.map(([, , , of]) => of);
  for (const event of events) await audit.record(event);
  const got: unknown[] = [];
  await spool.deliver(1_000, (records) => {
    got.push(...records.map(({ id: _id, at: _at, ...rest }) => rest));
    return Promise.resolve();
  });
  assert.deepEqual(
    got,
    events.map(({ id: _id, at: _at, ...rest }) => rest),
  );
});

test('what PostgreSQL cannot hold does not lose the record', async () => {
  const bad = '\u0000\ud800x';
  const detail = { patientIds: [bad], query: { content: 'A'.repeat(100_000) }, messageId: 'y'.repeat(5_000) };
  await audit.record(record({ objects: [bad], detail }));
  await spool.deliver(10, ([first]) => {
    assert.equal(first?.detail?.patientIds?.[0], '\ufffd\ufffdx');
    assert.equal(first.detail.query?.content.length, 65_536);
    assert.equal(first.detail.messageId?.length, 1_000);
    return Promise.resolve();
  });
});

test('where sending fails nothing is forgotten, and only one process is at it', async () => {
  await recordAll(numbered(0, 5));
  await assert.rejects(
    spool.deliver(3, () => Promise.reject(new Error('away'))),
    /away/,
  );
  assert.equal((await spool.backlog()).records, 5);
  let second = -1;
  await spool.deliver(3, async () => {
    second = await spool.deliver(3, () => Promise.resolve());
  });
  assert.equal(second, 0);
  assert.equal(await spool.deliver(3, () => Promise.resolve()), 2);
});

test('records of a month that retention dropped hold nobody up', async () => {
  const old = createAuditStore({
    database: fresh.database,
    clock: () => new Date('2020-01-15T00:00:00Z'),
    spool: true,
  });
  await old.record(record({}));
  await audit.record(record({}));
  const { desk } = chainCase(fresh.database);
  const day = new Date(Date.now() - 200 * 86_400_000).toISOString().slice(0, 10);
  assert.deepEqual(await desk.retain(day), ['2020-01']);
  let got = 0;
  await spool.deliver(10, (records) => {
    got = records.length;
    return Promise.resolve();
  });
  assert.equal(got, 1);
  assert.ok(await empty());
});

test('the repository is away and comes back: all arrive, in order, once, and nobody waited', { skip }, async () => {
  const probe = await syslogServer(pair);
  const { port } = probe;
  await probe.close();
  const running = delivery(sender(port), new Map([['p1', 'A1^^^&2.999.156.1&ISO']]));
  running.start();
  const began = Date.now();
  await recordAll(numbered(1_000, 700));
  await audit.record(record({ objects: ['1.2.1700'], persons: ['p1'] }));
  assert.ok(Date.now() - began < 3_000, 'recording does not wait for the repository');
  await pause(150);
  assert.equal((await spool.backlog()).records, 701);
  const server = await syslogServer(pair, { port });
  await until(empty);
  await running.stop();
  assert.deepEqual(
    server.received.flatMap(({ xml }) => sent(xml)),
    Array.from({ length: 701 }, (_, n) => `1.2.${String(1_000 + n)}`),
  );
  assert.match(server.received.at(-1)?.xml ?? '', /ParticipantObjectID="A1\^\^\^&amp;2\.999\.156\.1&amp;ISO"/);
  assert.equal(new Set(server.received.map(({ sequenceId }) => sequenceId)).size, 701);
  assert.deepEqual(server.wrong, []);
  await server.close();
});

test('property: recorded = delivered, once each, over any run of stops and starts', { skip }, async () => {
  let next = 100_000;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(fc.record({ events: fc.integer({ min: 1, max: 40 }) }), fc.constantFrom('stop', 'pause')), {
        minLength: 3,
        maxLength: 10,
      }),
      async (steps) => {
        const server = await syslogServer(pair);
        const expected: string[] = [];
        let running = delivery(sender(server.port));
        running.start();
        for (const step of steps) {
          if (step === 'pause') await pause(30);
          else if (step === 'stop') {
            await running.stop();
            running = delivery(sender(server.port));
            running.start();
          } else {
            const events = numbered(next, step.events);
            next += step.events;
            expected.push(...events.map(({ objects }) => objects[0] ?? ''));
            await recordAll(events);
          }
        }
        await until(empty);
        await running.stop();
        await server.close();
        assert.deepEqual(server.received.flatMap(({ xml }) => sent(xml)).sort(), expected.sort());
      },
    ),
    { numRuns: 12 },
  );
});

test(
  'property: connections that break in the middle lose nothing; what comes twice is the same twice',
  { skip },
  async () => {
    let left = 12;
    const server = await syslogServer(pair, {
      onData: (socket) => {
        if (left > 0 && Math.random() < 0.5) {
          left -= 1;
          socket.destroy();
        }
      },
    });
    const running = delivery(sender(server.port));
    running.start();
    for (let n = 0; n < 6; n += 1) {
      await recordAll(numbered(200_000 + n * 100, 100));
      await pause(20);
    }
    await until(empty, 20_000);
    await running.stop();
    await server.close();
    const byNumber = new Map<number, string>();
    for (const { sequenceId, xml } of server.received) {
      assert.equal(byNumber.get(sequenceId) ?? xml, xml, 'the same number is the same message');
      byNumber.set(sequenceId, xml);
    }
    assert.deepEqual(
      [...byNumber.values()].flatMap(sent).sort(),
      Array.from({ length: 600 }, (_, n) => `1.2.${String(200_000 + n)}`).sort(),
    );
  },
);

test('as the hub is wired, a read at FHIR or DICOMweb names its patient by the affinity CX', { skip }, async () => {
  const server = await syslogServer(pair);
  const config = { ...readConfig({}), affinityDomainOid: '2.999.156.1' };
  const atna = { transport: 'tls' as const, host: '127.0.0.1', port: server.port, ca: pair.files.cert, identity: null };
  const running = auditDelivery({ config, atna, database: fresh.database, clock, log: quiet });
  const persons = ['7f6b2f3a-93c7-4a8e-8d53-0a5b0a3c1d11', '0b6f6b9e-6f0f-4f1b-9a3e-5a1c2d3e4f50'];
  await recordAll([
    record({ face: 'fhir', operation: 'GET /fhir/ImagingStudy/{id}', persons: persons.slice(0, 1), objects: [] }),
    record({ face: 'dicomweb', operation: 'GET /studies/{study}', persons: persons.slice(1), objects: ['1.2.3'] }),
  ]);
  running.start();
  await until(() => server.received.length >= 2);
  await running.stop();
  await server.close();
  const text = JSON.stringify(server.received);
  for (const person of persons) assert.ok(text.includes(`${person}^^^&amp;2.999.156.1&amp;ISO`), text);
  assert.ok(await empty());
});
