/** What the broker refuses, each with the fault that WS-BaseNotification prescribes, and whom it refuses (ITI TF-2 §3.52). */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isAllowedConsumer, isLike } from '../../hub/core/document-subscription.ts';
import type { Caller } from '../../hub/core/access.ts';
import { readTermination } from '../../mappings/xds/termination-time.ts';
import { newPatient } from '../support/registry-hub.ts';
import {
  ANY_FILTER,
  openBroker,
  SET_FILTER,
  SUBSCRIBE,
  subscribeBody,
  UNSUBSCRIBE,
  until,
} from '../support/subscription-hub.ts';
import type { Subscribing, SubscriptionHub } from '../support/subscription-hub.ts';
import { invalid, noSchemas } from '../support/xsd.ts';

let hub: SubscriptionHub;
let patient = '';
before(async () => {
  hub = await openBroker(['127.0.0.1:9', 'listener.example']);
  patient = await newPatient(hub);
});
after(() => hub.stop());

const CONSUMER = 'http://127.0.0.1:9/notify';
const asked = (more: Partial<Subscribing> = {}): Subscribing => ({
  consumer: CONSUMER,
  slots: [['PatientId', `'${patient}'`]],
  ...more,
});

async function faultOf(more: Partial<Subscribing>, as?: Partial<Caller> | null): Promise<string> {
  const { http, body, text } = await hub.call(hub.broker, SUBSCRIBE, subscribeBody(asked(more)), as);
  assert.equal(body.name, 'Fault', text);
  assert.ok(http >= 400, text);
  if (noSchemas === false) assert.equal(invalid(text), '');
  return body.children.find(({ name }) => name === 'Detail')?.children[0]?.name ?? `HTTP ${String(http)}`;
}

const slot = (name: string, value: string): (readonly [string, string])[] => [
  ['PatientId', `'${patient}'`],
  [name, value],
];

test('faults of a Subscribe', async () => {
  const cases: readonly (readonly [Partial<Subscribing>, string])[] = [
    [{ consumer: 'http://10.0.0.1/' }, 'SubscribeCreationFailedFault'],
    [{ consumer: 'http://127.0.0.1:5432/' }, 'SubscribeCreationFailedFault'],
    [{ consumer: 'http://listener.example@10.0.0.1/' }, 'SubscribeCreationFailedFault'],
    [{ consumer: 'file:///etc/passwd' }, 'SubscribeCreationFailedFault'],
    [{ consumer: '' }, 'SubscribeCreationFailedFault'],
    [{ topic: 'ihe:FolderMetadata' }, 'TopicNotSupportedFault'],
    [{ topic: 'ihe:SubmissionSetMetadata' }, 'InvalidFilterFault'],
    [{ filter: SET_FILTER }, 'InvalidFilterFault'],
    [
      { topic: 'ihe:SubmissionSetMetadata', filter: SET_FILTER, slots: slot('ClassCode', "('I^^1.2')") },
      'InvalidFilterFault',
    ],
    [{ parameters: '<Bare/>' }, 'SubscribeCreationFailedFault'],
    [{ parameters: '<a:Action>urn:x</a:Action>' }, 'SubscribeCreationFailedFault'],
    [{ parameters: `<x:Long xmlns:x="urn:x">${'x'.repeat(9_000)}</x:Long>` }, 'SubscribeCreationFailedFault'],
    [{ topic: '' }, 'TopicNotSupportedFault'],
    [{ dialect: 'http://www.w3.org/TR/1999/REC-xpath-19991116' }, 'TopicExpressionDialectUnknownFault'],
    [{ filter: 'urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d' }, 'InvalidFilterFault'],
    [{ slots: [] }, 'InvalidFilterFault'],
    [{ slots: [['PatientId', 'P1']] }, 'InvalidFilterFault'],
    [{ slots: [['PatientId', "'P1'"]] }, 'InvalidFilterFault'],
    [{ filter: ANY_FILTER }, 'InvalidFilterFault'],
    [{ slots: slot('ClassCode', "('IMG')") }, 'InvalidFilterFault'],
    [{ slots: slot('Colour', "('IMG^^1.2')") }, 'InvalidFilterFault'],
    [{ more: '<w:MessageContent Dialect="x">1</w:MessageContent>' }, 'InvalidFilterFault'],
    [{ time: until('2020-01-01T00:00:00Z') }, 'UnacceptableInitialTerminationTimeFault'],
    [{ time: until('P20Y') }, 'UnacceptableInitialTerminationTimeFault'],
    [{ time: until('soon') }, 'UnacceptableInitialTerminationTimeFault'],
    [{ time: '<w:SubscriptionPolicy><w:UseRaw/></w:SubscriptionPolicy>' }, 'UnrecognizedPolicyRequestFault'],
  ];
  for (const [more, fault] of cases) assert.equal(await faultOf(more), fault, JSON.stringify(more));
  const { rows } = await hub.database.pool.query('select id from document_subscription');
  assert.equal(rows.length, 0);
  assert.ok(hub.audits.every(({ outcome }) => outcome === 'failure'));
});

test('no pull points: neither by their own action nor by a Subscribe without a consumer', async () => {
  const none = subscribeBody(asked()).replace(/<w:ConsumerReference>.*<\/w:ConsumerReference>/, '');
  const without = await hub.call(hub.broker, SUBSCRIBE, none);
  assert.ok(without.text.includes('SubscribeCreationFailedFault'), without.text);
  const action = 'http://docs.oasis-open.org/wsn/bw-2/CreatePullPoint/CreatePullPointRequest';
  const created = await hub.call(
    hub.broker,
    action,
    '<w:CreatePullPoint xmlns:w="http://docs.oasis-open.org/wsn/b-2"/>',
  );
  assert.equal(created.http, 400);
  assert.ok(created.text.includes('ActionNotSupported'), created.text);
});

test('who may not read records may not subscribe, and a statement for one patient opens no other', async () => {
  assert.equal(await faultOf({}, null), 'HTTP 401');
  assert.equal(await faultOf({}, { role: 'hospital-feed' }), 'HTTP 403');
  const onBehalfOf = { issuer: 'i', userId: 'u', roles: [], purposes: [], policies: [] };
  const user = { ...onBehalfOf, role: 'query-platform' as const, patientIds: ['OTHER^^^&2.999.156.1&ISO'] };
  assert.equal(await faultOf({}, { onBehalfOf: user }), 'HTTP 403');
  assert.equal(await faultOf({ filter: ANY_FILTER, slots: [] }, { onBehalfOf: user }), 'SubscribeCreationFailedFault');
});

test("a subscription is its subscriber's alone, and nobody has more than so many", async () => {
  const address = await hub.subscribe(asked({ consumer: 'https://listener.example:8443/x' }), { id: 'owner' });
  const body = '<w:Unsubscribe xmlns:w="http://docs.oasis-open.org/wsn/b-2"/>';
  const other = await hub.call(address, UNSUBSCRIBE, body, { id: 'other' });
  assert.ok(other.text.includes('ResourceUnknownFault'), other.text);
  if (noSchemas === false) assert.equal(invalid(other.text), '');
  const none = await hub.call(`${hub.broker}/' or 1=1`, UNSUBSCRIBE, body);
  assert.ok(none.text.includes('ResourceUnknownFault'), none.text);
  for (let n = 1; n < 5; n++) await hub.subscribe(asked(), { id: 'owner' });
  assert.equal(await faultOf({}, { id: 'owner' }), 'SubscribeCreationFailedFault');
  assert.equal((await hub.call(address, UNSUBSCRIBE, body, { id: 'owner' })).http, 200);
});

test('times, patterns and addresses', () => {
  const now = new Date('2026-01-31T10:00:00Z');
  const limits = { now, longestMs: 100 * 86_400_000 };
  const at = (text: string): string | undefined => readTermination(text, limits)?.toISOString();
  assert.equal(at(''), '2026-05-11T10:00:00.000Z');
  assert.equal(at('2026-02-01T00:00:00.00000+08:00'), '2026-01-31T16:00:00.000Z');
  assert.equal(at('2026-02-01T00:00:00'), '2026-02-01T00:00:00.000Z');
  assert.equal(at('P1DT2H3M4S'), '2026-02-01T12:03:04.000Z');
  for (const wrong of ['P', 'PT', 'P1DT', '-P1D', '2026-02-30', '2026-13-01T00:00:00Z', 'PT0S', 'P101D'])
    assert.equal(at(wrong), undefined, wrong);
  assert.ok(isLike('abc', 'a%c') && isLike('abc', '_b_') && isLike('', '%') && isLike('a%c', '%%%'));
  assert.ok(!isLike('abc', 'a%b') && !isLike('abc', '__') && !isLike('', '_') && !isLike('abc', ''));
  const began = performance.now();
  assert.ok(!isLike('a'.repeat(5_000), `${'%a'.repeat(500)}b`));
  assert.ok(performance.now() - began < 2_000);
  const hosts = new Set(['a.example', 'b.example:8443', '[::1]']);
  for (const url of ['http://a.example/x', 'https://A.example:1/x?y=1', 'https://b.example:8443', 'http://[::1]:80/'])
    assert.ok(isAllowedConsumer(url, hosts), url);
  for (const url of [
    'http://b.example/',
    'http://x.a.example/',
    'ftp://a.example/',
    'http://u:p@a.example/',
    'a.example',
  ])
    assert.ok(!isAllowedConsumer(url, hosts), url);
});
