/** A broker with its registry over real HTTP and PostgreSQL, and consumers that note what they are told, for tests of DSUB. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { createNotificationSender } from '../../adapters/xds/index.ts';
import { setCaller } from '../../hub/api/caller.ts';
import { subscriptionFace, SUBSCRIPTION_LIMITS } from '../../hub/api/xds/subscription.ts';
import type { Caller, Role } from '../../hub/core/access.ts';
import type { AuditEvent } from '../../hub/core/audit.ts';
import { createNotifySubscribers, NOTIFICATION_TIMES } from '../../hub/flow/notify-subscribers.ts';
import type { NotificationTimes } from '../../hub/flow/notify-subscribers.ts';
import { createDocumentReader } from '../../hub/store/document-query.ts';
import { createSubscriptionStore } from '../../hub/store/subscription.ts';
import { createSeal } from '../../hub/security/seal.ts';
import { writeRequest } from '../../mappings/xds/soap-request.ts';
import { parseXml } from '../../mappings/xds/xml.ts';
import type { XmlElement } from '../../mappings/xds/xml.ts';
import { openRegistry } from './registry-hub.ts';
import type { RegistryHub } from './registry-hub.ts';
import { everythingSeen } from './access.ts';
import { TEST_FIELDS } from './keyring.ts';

export const SUBSCRIBE = 'http://docs.oasis-open.org/wsn/bw-2/NotificationProducer/SubscribeRequest';
export const UNSUBSCRIBE = 'http://docs.oasis-open.org/wsn/bw-2/SubscriptionManager/UnsubscribeRequest';
export const RENEW = 'http://docs.oasis-open.org/wsn/bw-2/SubscriptionManager/RenewRequest';
export const PEER_TOKEN = 'a-token-of-the-peer';
const SEAL = createSeal(TEST_FIELDS, 'consumer', Buffer.alloc(32, 7));
const WSNT = 'http://docs.oasis-open.org/wsn/b-2';

export interface Reply {
  readonly http: number;
  readonly text: string;
  readonly action: string;
  readonly body: XmlElement;
}

export interface SubscriptionHub extends RegistryHub {
  readonly broker: string;
  readonly audits: AuditEvent[];
  readonly clock: { ms: number };
  call(url: string, action: string, body: string, as?: Partial<Caller> | null): Promise<Reply>;
  /** The address of the new subscription. */
  subscribe(asked: Subscribing, as?: Partial<Caller>): Promise<string>;
  stop(): Promise<void>;
}

export interface Subscribing {
  readonly consumer: string;
  readonly topic?: string;
  readonly dialect?: string;
  readonly filter?: string;
  readonly slots?: readonly (readonly [name: string, value: string])[];
  /** XML in the place of InitialTerminationTime. */
  readonly time?: string;
  readonly more?: string;
  /** XML in the ReferenceParameters of the consumer. */
  readonly parameters?: string;
}

const escape = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

export const PATIENT_FILTER = 'urn:uuid:aa2332d0-f8fe-11e0-be50-0800200c9a66';
export const SET_FILTER = 'urn:uuid:fbede94e-dbdc-4f6b-bc1f-d730e677cece';
export const ANY_FILTER = 'urn:uuid:742790e0-aba6-43d6-9f1f-e43ed9790b79';

export function subscribeBody(asked: Subscribing): string {
  const slots = (asked.slots ?? []).map(
    ([name, value]) =>
      `<rim:Slot name="$XDS${asked.filter === SET_FILTER ? 'SubmissionSet' : 'DocumentEntry'}${name}"><rim:ValueList><rim:Value>${escape(value)}</rim:Value></rim:ValueList></rim:Slot>`,
  );
  return (
    `<w:Subscribe xmlns:w="${WSNT}" xmlns:a="http://www.w3.org/2005/08/addressing" xmlns:rim="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0">` +
    `<w:ConsumerReference><a:Address>${escape(asked.consumer)}</a:Address>${asked.parameters === undefined ? '' : `<a:ReferenceParameters>${asked.parameters}</a:ReferenceParameters>`}</w:ConsumerReference><w:Filter>` +
    `<w:TopicExpression Dialect="${asked.dialect ?? 'http://docs.oasis-open.org/wsn/t-1/TopicExpression/Simple'}" xmlns:ihe="urn:ihe:iti:dsub:2009">${asked.topic ?? 'ihe:FullDocumentEntry'}</w:TopicExpression>` +
    `<rim:AdhocQuery id="${asked.filter ?? PATIENT_FILTER}">${slots.join('')}</rim:AdhocQuery>${asked.more ?? ''}</w:Filter>` +
    `${asked.time ?? ''}</w:Subscribe>`
  );
}

export const until = (text: string): string => `<w:InitialTerminationTime>${text}</w:InitialTerminationTime>`;

export async function openBroker(
  hosts: readonly string[] = ['127.0.0.1'],
  times: Partial<NotificationTimes> = {},
  tokens: ReadonlyMap<string, string> = new Map(),
): Promise<SubscriptionHub> {
  const registry = await openRegistry();
  const { database, audits, patients } = registry;
  const offset = { ms: 0 };
  const clock = (): Date => new Date(Date.now() + offset.ms);
  const subscriptions = createSubscriptionStore({ database, clock, seal: () => Promise.resolve(SEAL) });
  const audit = { record: (event: AuditEvent) => Promise.resolve(void audits.push(event)) };
  const note = (...line: unknown[]): void => void registry.logged.push(JSON.stringify(line));
  const log = { debug: note, info: note, warn: note, error: note, child: () => log };
  const consumerHosts = new Set(hosts);
  const app = express();
  app.use((request, response, next) => {
    // A hub that subscribes here comes with a token, as it would to a hospital.
    const peer = { id: 'peer', name: 'peer', role: 'query-platform' as Role, peer: '127.0.0.1' };
    const isPeer = request.get('authorization') === `Bearer ${PEER_TOKEN}`;
    setCaller(response, isPeer ? peer : (JSON.parse(request.get('x-caller') ?? 'null') as Caller | null));
    next();
  });
  const limits = { ...SUBSCRIPTION_LIMITS, perSubscriber: 5 };
  app.use(
    '/xds/subscription',
    subscriptionFace({
      access: everythingSeen,
      subscriptions,
      patients,
      audit,
      log,
      clock,
      consumerHosts,
      origin: null,
      limits,
    }),
  );
  const server = createServer(app).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const broker = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/xds/subscription`;
  const sender = createNotificationSender({ hosts: consumerHosts, tokens, timeoutMs: 1_000 });
  const notify = createNotifySubscribers({
    subscriptions,
    reader: createDocumentReader(database),
    patients,
    send: (to, body) => sender.send(to, body),
    audit,
    log,
    clock,
    times: { ...NOTIFICATION_TIMES, pollMs: 20, retryMs: 100, longestRetryMs: 200, pruneMs: 50, ...times },
  });
  notify.start(2);
  const call = async (url: string, action: string, body: string, as?: Partial<Caller> | null): Promise<Reply> => {
    const caller = { id: 'reader', name: 'test', role: 'query-platform' as Role, peer: '127.0.0.1', ...as };
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'Content-Type': `application/soap+xml; charset=UTF-8; action="${action}"`,
        ...(as === null ? {} : { 'x-caller': JSON.stringify(caller) }),
      },
      body: writeRequest({ action, messageId: 'urn:uuid:0fbfdced-6c01-4d09-a110-2201afedaa02', to: url }, body),
    });
    const text = await response.text();
    const root = parseXml(Buffer.from(text));
    assert.ok(root.ok, text);
    const [header, envelopeBody] = root.value.children;
    const told = envelopeBody?.children[0];
    assert.ok(told, text);
    const said = header?.children.find(({ name }) => name === 'Action')?.text ?? '';
    return { http: response.status, text, action: said, body: told };
  };
  return {
    ...registry,
    broker,
    clock: offset,
    call,
    async subscribe(asked, as) {
      const reply = await call(broker, SUBSCRIBE, subscribeBody(asked), as);
      assert.equal(reply.http, 200, reply.text);
      assert.equal(reply.action, SUBSCRIBE.replace('Request', 'Response'));
      assert.equal(reply.body.name, 'SubscribeResponse');
      return reply.body.children[0]?.children[0]?.text ?? '';
    },
    async stop() {
      sender.close();
      await notify.stop();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export interface Consumer {
  readonly url: string;
  readonly told: string[];
  /** The Authorization of each. */
  readonly credentials: (string | undefined)[];
  /** What it answers with; 0: it hangs up. */
  status: number;
  /** Resolves when it was told so often altogether. */
  times(count: number): Promise<void>;
  close(): Promise<void>;
}

export async function openConsumer(status = 202): Promise<Consumer> {
  const told: string[] = [];
  const credentials: (string | undefined)[] = [];
  const consumer = { status };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      credentials.push(request.headers.authorization);
      told.push(Buffer.concat(chunks).toString());
      if (consumer.status === 0) request.socket.destroy();
      else response.writeHead(consumer.status, { Location: 'http://127.0.0.1:1/' }).end();
    });
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return Object.assign(consumer, {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/notify?to=a&b=c`,
    told,
    credentials,
    async times(count: number) {
      for (let left = 500; told.length < count; left--) {
        assert.ok(left > 0, `told ${String(told.length)} of ${String(count)} times`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => {
          resolve();
        });
      }),
  });
}

/** Ids of what the messages of one Notify carry. */
export function toldOf(text: string): { topic: string; kinds: string[]; ids: string[] } {
  const root = parseXml(Buffer.from(text));
  assert.ok(root.ok, text);
  const notify = root.value.children[1]?.children[0];
  assert.equal(notify?.name, 'Notify', text);
  const messages = notify.children;
  const list = messages.flatMap((message) => {
    const content = message.children.find(({ name }) => name === 'Message');
    return content?.children[0]?.children[0]?.children ?? [];
  });
  return {
    topic: messages[0]?.children.find(({ name }) => name === 'Topic')?.text ?? '',
    kinds: list.map(({ name }) => name),
    ids: list.map(({ attributes }) => attributes.get('id') ?? ''),
  };
}
