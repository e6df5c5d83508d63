/**
 * The hub as subscriber (ITI-52, ITI-53): at a broker over real HTTP, which is the hub's own here, and what a notification
 * of a hospital does and does not do.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import express from 'express';
import { openHospitals } from '../../adapters/xds/index.ts';
import { setCaller } from '../../hub/api/caller.ts';
import { CONSUMER_LIMITS, notificationConsumer } from '../../hub/api/xds/iti-53.ts';
import type { Caller } from '../../hub/core/access.ts';
import type { AuditEvent } from '../../hub/core/audit.ts';
import type { PatientCx } from '../../hub/core/document.ts';
import { siteId } from '../../hub/core/identifier.ts';
import type { Sites } from '../../hub/core/site.ts';
import { createNotifyPass } from '../../hub/security/notify-pass.ts';
import { createSubscribeHospitals } from '../../hub/flow/subscribe-hospitals.ts';
import { createHospitalShelf } from '../../hub/store/hospital.ts';
import { writeNotify } from '../../mappings/xds/notification.ts';
import { writeRequest } from '../../mappings/xds/soap-request.ts';
import { association, documentEntry, submissionSet } from '../support/documents.ts';
import { DOMAIN, newPatient, oid } from '../support/registry-hub.ts';
import { siteProfile } from '../support/site.ts';
import { openBroker, PEER_TOKEN } from '../support/subscription-hub.ts';
import type { SubscriptionHub } from '../support/subscription-hub.ts';
import { everythingSeen } from '../support/access.ts';

const NOTIFY = 'http://docs.oasis-open.org/wsn/bw-2/NotificationConsumer/Notify';
const H3 = siteId('h3');
const pass = createNotifyPass(Buffer.alloc(32, 1));
const audits: AuditEvent[] = [];
const logged: string[] = [];
const note = (...line: unknown[]): void => void logged.push(JSON.stringify(line));
const log = { debug: note, info: note, warn: note, error: note, child: () => log };
const feed: Caller = { id: 'f3', name: 'h3', role: 'hospital-feed', site: H3, peer: '127.0.0.1' };

let hub: SubscriptionHub;
let sites: Sites;
let url = '';
const server = createServer();

before(async () => {
  hub = await openBroker();
  const place = { url: 'http://127.0.0.1:9/', oid: '2.999.156.9.3' };
  const xds = {
    registry: place.url,
    repository: place,
    subscription: hub.broker,
    timeoutMs: 5_000,
    token: PEER_TOKEN,
    patientIdAuthority: DOMAIN,
    poll: { perMinute: 30, everyMinutes: 240 },
  };
  const all = [siteProfile('h3', { xds }), siteProfile('h1')];
  const byId = (id: string) => all.find((one) => one.id === id) ?? null;
  sites = { all, byId, byHl7Sender: () => null, byAeTitle: () => null };
  const app = express();
  app.use((request, response, next) => {
    setCaller(response, JSON.parse(request.get('x-caller') ?? 'null') as Caller | null);
    next();
  });
  const shelf = createHospitalShelf({ database: hub.database, clock: () => new Date() });
  const siteOf = (told: string) => Promise.resolve(pass.read(told, new Date()));
  const audit = { record: (event: AuditEvent) => Promise.resolve(void audits.push(event)) };
  app.use(
    '/xds/notify',
    notificationConsumer({ access: everythingSeen, sites, shelf, siteOf, audit, log, limits: CONSUMER_LIMITS }),
  );
  server.on('request', app).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/xds/notify`;
});
after(async () => {
  await hub.stop();
  server.closeAllConnections();
  server.close();
});

const shelf = () => createHospitalShelf({ database: hub.database, clock: () => new Date() });
const turns = async (): Promise<string[]> =>
  (await shelf().takeDue(H3, new Date(Date.now() - 3_600_000), 10)).map(({ localId }) => localId);
async function registered(localId: string, site = 'h3'): Promise<string> {
  const id = randomUUID();
  await hub.database.pool.query(
    `insert into patient_record (record_id, site, authority, local_id, person_id, facts) values ($1, $2, $3, $4, $1, '{}')`,
    [id, site, DOMAIN, localId],
  );
  return id;
}
async function until(what: () => Promise<boolean>): Promise<void> {
  for (let left = 250; !(await what()); left--) {
    assert.ok(left > 0, logged.join('\n'));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
const subscriptions = async (): Promise<number> => {
  const { rows } = await hub.database.pool.query<{ n: number }>(
    `select count(*)::int as n from document_subscription where subscriber_id = 'peer'`,
  );
  return rows[0]?.n ?? 0;
};

test('a document registered at the hospital gives its patient the next turn; subscribing goes on by itself', async () => {
  const calls: string[] = [];
  const hospitals = openHospitals(sites, {}, ({ action, body }) => {
    calls.push(`${action.split('/').at(-1) ?? ''} ${String(body.length > 0)}`);
    return Promise.resolve();
  });
  const subscribing = createSubscribeHospitals({
    sites,
    broker: (site) => hospitals.broker(site),
    consumer: (site, endsAt) => Promise.resolve(`${url}/${pass.issue(site, endsAt)}`),
    log,
    clock: () => new Date(),
    times: { lastsMs: 3_000, retryMs: 50, longestRetryMs: 100 },
  });
  assert.equal(hospitals.broker(siteId('h1')), null);
  subscribing.start();
  try {
    await until(async () => (await subscriptions()) === 1);
    const patient = await newPatient(hub);
    const local = patient.split('^')[0] ?? '';
    const person = await registered(local);
    assert.deepEqual(await turns(), [local]);
    assert.deepEqual(await turns(), []);
    const answer = await hub.submit([
      documentEntry('d', patient, oid()),
      submissionSet('s', patient, oid()),
      association('a', 'HasMember', 's', 'd', { submissionSetStatus: 'Original' }),
    ]);
    assert.equal(answer.status, 'success');
    await until(async () => (await turns()).includes(local));
    const heard = audits.find(({ operation, persons }) => operation === 'ITI-53' && persons.includes(person));
    assert.equal(heard?.callerId, 'broker:h3');
    // Neither side's audit, nor the broker's tables, tell the address that opens the door.
    assert.ok(!JSON.stringify([...audits, ...hub.audits, logged, hub.logged]).includes('notify/h3.'));
    const { rows } = await hub.database.pool.query('select s::text from document_subscription s');
    assert.ok(rows.length > 0 && !JSON.stringify(rows).includes('/xds/notify'));
    assert.equal(calls[0], 'SubscribeRequest true');
    await until(async () => (await subscriptions()) === 2);
  } finally {
    hospitals.close();
    await subscribing.stop();
  }
});

const notify = (body: string, as: Partial<Caller> = {}): Promise<{ status: number; text: string }> =>
  send(body, { ...feed, ...as });
async function send(body: string, caller: Caller | null, to = url): Promise<{ status: number; text: string }> {
  const response = await fetch(to, {
    method: 'POST',
    headers: {
      'Content-Type': `application/soap+xml; charset=UTF-8; action="${NOTIFY}"`,
      'x-caller': JSON.stringify(caller),
    },
    body: writeRequest({ action: NOTIFY, messageId: `urn:uuid:${randomUUID()}`, to }, body),
  });
  return { status: response.status, text: await response.text() };
}
const told = (...patients: readonly string[]): string =>
  writeNotify({
    topic: 'full',
    subscription: 'http://h/s',
    producer: 'http://h/',
    objects: patients.map((id, at) => documentEntry(`urn:uuid:${randomUUID()}`, id as PatientCx, `1.2.${String(at)}`)),
  });

test('only patients of that hospital have a turn by it, and only by its own authority', async () => {
  await registered('OWN');
  await registered('THEIRS', 'h1');
  await turns();
  const own = `^^^&${DOMAIN}&ISO`;
  assert.equal((await notify(told(`THEIRS${own}`, 'OWN^^^&2.999.1&ISO', `NOBODY${own}`, `%${own}`))).status, 202);
  assert.deepEqual(await turns(), []);
  assert.equal((await notify(told(`OWN${own}`, `OWN${own}`))).status, 202);
  assert.deepEqual(await turns(), ['OWN']);
});

test('who may not tell, and what is no notification', async () => {
  const body = told(`OWN^^^&${DOMAIN}&ISO`);
  assert.equal((await notify(body, { role: 'query-platform' })).status, 403);
  assert.equal((await notify(body, { site: siteId('h1') })).status, 403);
  const { site: _site, ...nowhere } = feed;
  assert.equal((await send(body, { ...nowhere, role: 'administrator' })).status, 403);
  assert.equal((await notify('<w:Notify xmlns:w="http://docs.oasis-open.org/wsn/b-2"/>')).status, 400);
  assert.equal((await notify('<Notify/>')).status, 400);
  const minimal = writeNotify({
    topic: 'minimal',
    subscription: 'http://h/s',
    producer: 'http://h/',
    objects: [documentEntry(`urn:uuid:${randomUUID()}`, `OWN^^^&${DOMAIN}&ISO` as PatientCx, '1.2')],
  });
  assert.equal((await notify(minimal)).status, 202);
  const garbled = body.replace(/<rim:Slot name="(hash|size|creationTime)".*?<\/rim:Slot>/g, '<rim:Slot/>');
  assert.equal((await notify(garbled)).status, 202);
});

test('an address opens the door of its own site, until its time is over, and no other', async () => {
  await registered('PASSED');
  await turns();
  const body = told(`PASSED^^^&${DOMAIN}&ISO`);
  const later = new Date(Date.now() + 60_000);
  const good = pass.issue('h3', later);
  const [site = '', ends = '', mac = ''] = good.split('.');
  for (const wrong of [
    pass.issue('h3', new Date(Date.now() - 1_000)),
    `h1.${ends}.${mac}`,
    `${site}.${ends}0.${mac}`,
    `${site}.${ends}.${'A'.repeat(43)}`,
    createNotifyPass(Buffer.alloc(32, 2)).issue('h3', later),
    'h3',
  ])
    assert.equal((await send(body, null, `${url}/${wrong}`)).status, 401, wrong);
  assert.deepEqual(await turns(), []);
  // A site without a registry of its own has nothing to tell.
  assert.equal((await send(body, null, `${url}/${pass.issue('h1', later)}`)).status, 403);
  assert.equal((await send(body, null)).status, 401);
  assert.equal((await send(body, null, `${url}/${good}`)).status, 202);
  assert.deepEqual(await turns(), ['PASSED']);
  assert.equal(audits.filter(({ outcome }) => outcome === 'refused').at(-1)?.reason, 'no caller');
});
