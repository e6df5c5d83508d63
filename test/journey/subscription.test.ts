/** A whole hub: somebody subscribes to new documents, a hospital reports as it always does, and the subscriber is told. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { writeRequest } from '../../mappings/xds/soap-request.ts';
import { dataFolder, startHub } from '../support/hub.ts';
import type { HubProcess } from '../support/hub.ts';
import { ANY_FILTER, openConsumer, SUBSCRIBE, subscribeBody, toldOf } from '../support/subscription-hub.ts';
import type { Consumer } from '../support/subscription-hub.ts';

const TOKEN = 'a-token-of-the-test-0123456789abcdef';
let folder: Awaited<ReturnType<typeof dataFolder>>;
let hub: HubProcess;
let consumer: Consumer;

const start = async (): Promise<void> => {
  hub = startHub(join(folder.dir, 'hub'), [], { HUB_ADMIN_TOKEN: TOKEN, HUB_SUBSCRIBER_HOSTS: '127.0.0.1' });
  await hub.up();
};

before(async () => {
  folder = await dataFolder();
  consumer = await openConsumer(503);
  await start();
});
after(async () => {
  hub.signal('SIGTERM');
  assert.equal(await hub.ended(), 0);
  await consumer.close();
  await folder.remove();
});

async function send(path: string, body: object): Promise<void> {
  const answer = await fetch(`${hub.address()}/api/v1/sites/h1/${path}`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${TOKEN}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ patientId: 'S1', accessionNumber: 'SA1', ...body }),
  });
  assert.equal(answer.status, 202, await answer.text());
}

test('a report becomes a notification, also where consumer and hub were down in between', async () => {
  const url = `${hub.address()}/xds/subscription`;
  const body = subscribeBody({ consumer: consumer.url, filter: ANY_FILTER });
  const answer = await fetch(url, {
    method: 'POST',
    headers: {
      Authorization: `Bearer ${TOKEN}`,
      'Content-Type': `application/soap+xml; charset=UTF-8; action="${SUBSCRIBE}"`,
    },
    body: writeRequest(
      { action: SUBSCRIBE, messageId: 'urn:uuid:0fbfdced-6c01-4d09-a110-2201afedaa02', to: url },
      body,
    ),
  });
  assert.equal(answer.status, 200, await answer.text());
  await send('registrations', { name: '李小梅', sex: '2', birthDate: '1990-02-03', eventTime: '2026-03-03 08:00:00' });
  await send('orders', { procedureCode: 'CT001', modality: 'CT', eventTime: '2026-03-03 08:10:00' });
  const report = { reportNumber: 'SR1', reporter: '李医生', auditor: '王主任', impression: '未见异常。' };
  await send('reports', { ...report, status: 'F', findings: '双肺清晰。', auditedAt: '2026-03-03 10:00:00' });
  for (let tries = 0; consumer.told.length === 0; tries++) {
    assert.ok(tries < 300, hub.said().slice(-4_000));
    await pause(100);
  }
  hub.signal('SIGTERM');
  assert.equal(await hub.ended(), 0);
  const failed = consumer.told.length;
  consumer.status = 202;
  await start();
  for (let tries = 0; consumer.told.length === failed; tries++) {
    assert.ok(tries < 300, hub.said().slice(-4_000));
    await pause(100);
  }
  const told = toldOf(consumer.told.at(failed) ?? '');
  assert.ok(told.kinds.length > 0 && told.kinds.every((kind) => kind === 'ExtrinsicObject'));
});
