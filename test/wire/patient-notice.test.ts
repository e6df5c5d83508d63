/** Notices to patients over real HTTP: signed, one FHIR Communication each, again until they are taken, holding nobody up. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { Communication } from 'fhir/r4.js';
import { createNoticeSender } from '../../adapters/rest/notice-sender.ts';
import type { HubId } from '../../hub/core/identifier.ts';
import { createTellPatients } from '../../hub/flow/tell-patients.ts';
import type { Database } from '../../hub/store/database.ts';
import { createNoticeSpool, createPatientNotices, writeNotice } from '../../hub/store/patient-notice.ts';
import { freshDatabase, quiet } from '../support/database.ts';
import { faultsOf } from '../support/fhir-validation.ts';

const SECRET = 'a secret of at least thirty-two characters';
const PERSON = '11111111-1111-8111-8111-111111111111' as HubId;
const clock = (): Date => new Date();

interface Got {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}
const got: Got[] = [];
const answers: (number | 'break')[] = [];
const receiver = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    got.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
    const answer = answers.shift() ?? 204;
    if (answer === 'break') response.destroy();
    else response.writeHead(answer, answer === 302 ? { Location: '/elsewhere' } : {}).end();
  });
});
let database: Database;
let url = '';

before(async () => {
  ({ database } = await freshDatabase());
  await database.pool.query(`insert into person (person_id) values ('${PERSON}')`);
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  url = `http://127.0.0.1:${String((receiver.address() as AddressInfo).port)}/notices?of=hub`;
});
after(() => receiver.close());

const content = { institution: null, by: '李医生', reason: 'unconscious', until: '2026-11-26T06:00:00.000Z' };
const write = (subject: string, delivered = true): Promise<void> =>
  database.transaction((connection) =>
    writeNotice(connection, { delivered }, { personId: PERSON, kind: 'break-glass', subject, content, at: clock() }),
  );
const waiting = async (): Promise<number> =>
  (await createPatientNotices(database).of(PERSON, { limit: 50 })).items.filter(
    ({ deliveredAt }) => deliveredAt === null,
  ).length;

async function tellAll(untilWaiting: number): Promise<void> {
  const sender = createNoticeSender({ url, secret: SECRET, timeoutMs: 2_000, clock });
  const times = { pollMs: 10, retryMs: 20, longestRetryMs: 50, leaseMs: 5_000 };
  const upkeep = (): Promise<void> => Promise.reject(new Error('the audit is away'));
  const tell = createTellPatients({
    spool: createNoticeSpool({ database, clock }),
    sender,
    upkeep,
    log: quiet,
    clock,
    times,
  });
  tell.start();
  while ((await waiting()) > untilWaiting) await pause(10);
  sender.close();
  await tell.stop();
}

test('a notice arrives signed, as a Communication without a clinical word, and once', async () => {
  await write('break-glass/1');
  await tellAll(0);
  assert.equal(got.length, 1);
  const [{ headers, body } = { headers: {}, body: '' }] = got;
  const [, seconds = '', mac = ''] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['x-hutong-signature'])) ?? [];
  assert.equal(createHmac('sha256', SECRET).update(`${seconds}.${body}`).digest('hex'), mac);
  assert.ok(Math.abs(Number(seconds) - Date.now() / 1_000) < 60);
  const message = JSON.parse(body) as Communication;
  assert.deepEqual(faultsOf(message), []);
  assert.equal(message.subject?.reference, `Patient/${PERSON}`);
  assert.match(message.payload?.[0]?.contentString ?? '', /李医生因紧急救治调阅.*有效至2026-11-26 14:00/);
  assert.equal(headers['idempotency-key'], message.id);
  await pause(50);
  assert.equal(got.length, 1);
});

test('a receiver that fails, breaks off or leads elsewhere is asked again, with the same key, until it takes it', async () => {
  got.length = 0;
  answers.push(500, 'break', 302, 204);
  await write('break-glass/2');
  await tellAll(0);
  assert.equal(got.length, 4);
  assert.equal(new Set(got.map(({ headers }) => headers['idempotency-key'])).size, 1);
});

test('two workers tell each notice once; what nobody is configured for stays in the list', async () => {
  got.length = 0;
  for (let n = 0; n < 10; n += 1) await write(`break-glass/m${String(n)}`);
  await write('break-glass/kept', false);
  await Promise.all([tellAll(1), tellAll(1)]);
  assert.equal(got.length, 10);
  assert.equal(new Set(got.map(({ headers }) => headers['idempotency-key'])).size, 10);
  assert.equal(await waiting(), 1);
});
