/** ITI-10 and ITI-46: who subscribed hears of numbers that are one patient's, by real MLLP and HTTP, once, and only of its domains. */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { sitesOf } from '../../adapters/sites/load.ts';
import { siteId } from '../../hub/core/identifier.ts';
import type { Sites } from '../../hub/core/site.ts';
import { parseMessage } from '../../mappings/hl7v2/index.ts';
import { DOMAIN, feedHub, H1, H3, type FeedHub } from '../support/feed-hub.ts';
import { siteProfile } from '../support/site.ts';
import { startRig, type Rig } from '../wire/hl7v2-fixture.ts';

let hub: FeedHub;
let receiver: Rig;
let peer: Server;
const bodies: string[] = [];
/** What the HTTP peer acknowledges with. */
const acknowledge = { code: 'CA' };

/** The subscriber's own system, whose data name the hub as a sender. */
const subscriber = siteProfile('h9', {
  hl7v2: { ...siteProfile('h9').hl7v2, senders: [{ application: 'HUTONG', facility: 'HUB' }] },
});

before(async () => {
  receiver = await startRig({ sites: sitesOf([subscriber]) });
  peer = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      bodies.push(text);
      const messageId = /MessageID[^>]*>([^<]+)</.exec(text)?.[1] ?? '';
      response.setHeader('content-type', 'application/soap+xml; charset=UTF-8');
      response.end(
        `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://www.w3.org/2005/08/addressing"><s:Header><a:RelatesTo>${messageId}</a:RelatesTo></s:Header>` +
          `<s:Body><MCCI_IN000002UV01 xmlns="urn:hl7-org:v3"><acknowledgement><typeCode code="${acknowledge.code}"/></acknowledgement></MCCI_IN000002UV01></s:Body></s:Envelope>`,
      );
    });
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => peer.once('listening', resolve));
  hub = await feedHub(subscribed);
});
after(async () => {
  await hub.close();
  await receiver.channel.stop(0);
  peer.closeAllConnections();
  peer.close();
});

function subscribed(sites: Sites): Sites {
  const soap = { url: `http://127.0.0.1:${String((peer.address() as AddressInfo).port)}/pix-consumer` };
  const mllp = { host: '127.0.0.1', port: receiver.port };
  return sitesOf(
    sites.all.map((site) => {
      // The platform may ask about everybody, so it may be told of everybody; h1 only of its own numbers, whatever it asks for.
      if (site.id === siteId('region')) return { ...site, pixNotify: { domains: [H1, H3], mllp } };
      return site.id === siteId('h1') ? { ...site, pixNotify: { domains: [H1, H3, DOMAIN], soap } } : site;
    }),
  );
}

const pid = (value: string, name = ''): string => `PID|1||${value}^^^&${H1}&ISO^PI||${name}`;
const link = async (trigger: 'A24' | 'A37', one: string, other: string): Promise<void> => {
  const answer = await hub.hl7('RIS|H1', `ADT^${trigger}`, 'EVN||20260101', pid(one), pid(other));
  assert.equal(answer.first('MSA')?.text(1), 'AA');
};
async function register(value: string, name: string): Promise<void> {
  await hub.hl7('RIS|H1', 'ADT^A04^ADT_A01', 'EVN||20260101', pid(value, name));
}

/** Numbers of each notice by MLLP, and by SOAP, since the last look. */
const seen = { mllp: 0, soap: 0 };
function news(): { mllp: string[]; soap: string[] } {
  const mllp = receiver.intake.accepted.slice(seen.mllp).map(({ bytes }) => {
    const parsed = parseMessage(Buffer.from(bytes).toString(), 'UTF-8');
    assert.ok(parsed.ok);
    const segment = parsed.value.first('PID');
    assert.deepEqual(
      parsed.value.segments.map(({ name }) => name),
      ['MSH', 'EVN', 'PID', 'PV1'],
    );
    assert.deepEqual(
      [segment?.rawField(5), segment?.rawField(7), segment?.rawField(8)],
      ['~^^^^^^S', '', ''],
      'PID only',
    );
    return (segment?.repetitions(3) ?? []).map(({ field }) => `${field.text(1)} ${field.text(4, 2)}`).join(' + ');
  });
  const soap = bodies.slice(seen.soap).map((text) => {
    assert.match(text, /PRPA_IN201302UV02/);
    assert.doesNotMatch(text, /一|二/, 'no name');
    const patient = /<patient .*<\/patient>/s.exec(text)?.[0] ?? '';
    return [...patient.matchAll(/<id root="([^"]+)" extension="([^"]+)"/g)]
      .map(([, root, id]) => `${id ?? ''} ${root ?? ''}`)
      .join(' + ');
  });
  Object.assign(seen, { mllp: receiver.intake.accepted.length, soap: bodies.length });
  return { mllp: mllp.sort(), soap: soap.sort() };
}

test('a link is told once to each subscriber, an unlink for both that were parted; a new patient is nobody’s news', async () => {
  await register('N1', '甲一');
  await register('N2', '乙二');
  await hub.tell();
  assert.deepEqual(news().mllp, []);
  await link('A24', 'N1', 'N2');
  await hub.tell();
  const linked = news();
  assert.deepEqual(linked.mllp, [`N1 ${H1} + N2 ${H1}`]);
  assert.equal(linked.soap.length, 1);
  assert.match(linked.soap[0] ?? '', new RegExp(`N1 ${H1} \\+ N2 ${H1}$`));
  await hub.tell();
  await register('N1', '甲一');
  await hub.tell();
  assert.deepEqual(news(), { mllp: [], soap: [] }, 'nothing changed');
  await link('A37', 'N1', 'N2');
  await hub.tell();
  assert.deepEqual(news().mllp, [`N1 ${H1}`, `N2 ${H1}`]);
});

test('only numbers of domains that the subscriber asked for and has a right to', async () => {
  await hub.fetch(`/fhir/Patient?identifier=urn:oid:${H3}%7CN3`, {
    ...{ method: 'PUT', as: 'h3', headers: { 'content-type': 'application/fhir+json' } },
    body: JSON.stringify({
      resourceType: 'Patient',
      identifier: [{ system: `urn:oid:${H3}`, value: 'N3' }],
      name: [{ text: '丙三' }],
    }),
  });
  const three = `PID|1||N3^^^&${H3}&ISO^PI`;
  await hub.hl7('PLATFORM|REGION', 'ADT^A24', 'EVN||20260101', pid('N1'), three);
  await hub.tell();
  const told = news();
  assert.deepEqual(told.mllp, [`N1 ${H1} + N3 ${H3}`]);
  assert.ok(
    told.soap.every((one) => !one.includes(H3) && !one.includes(`${DOMAIN} `) && !one.endsWith(DOMAIN)),
    told.soap.join(),
  );
});

test('a subscriber that is away is told later, of what is so then; each attempt is in the audit', async () => {
  await register('K1', '丁一');
  await register('K2', '戊二');
  receiver.intake.failing = true;
  acknowledge.code = 'CE';
  await link('A24', 'K1', 'K2');
  await hub.tell();
  assert.deepEqual(news().mllp, []);
  const failed = hub.audits.filter(({ outcome, action }) => action === 'export' && outcome === 'failure');
  assert.deepEqual(failed.map(({ operation }) => operation).sort(), ['ITI-10', 'ITI-46']);
  assert.ok(failed.every(({ persons }) => persons.length === 1));
  receiver.intake.failing = false;
  acknowledge.code = 'CA';
  await hub.tell(120_000);
  assert.deepEqual(news().mllp, [`K1 ${H1} + K2 ${H1}`]);
  const done = hub.audits.filter(
    ({ outcome, action, operation }) => action === 'export' && outcome === 'success' && operation === 'ITI-10',
  );
  assert.equal(done.at(-1)?.detail?.initiated, true);
  assert.deepEqual(done.at(-1)?.persons, failed[0]?.persons);
  await hub.tell(240_000);
  assert.deepEqual(news().mllp, []);
});
