/** ITI-44 for hospitals' own numbers at the PIX Manager: PRPA_IN201301/302/304UV02 over SOAP, to the records of every feed. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { HL7V3 } from '../../mappings/xds/hl7v3.ts';
import { feedHub, H1, H3, type FeedHub } from '../support/feed-hub.ts';
import { envelope } from '../support/registry-hub.ts';
import type { HubId } from '../../hub/core/identifier.ts';
import { registered } from '../support/stored.ts';

const data = process.env.HUB_TEST_DATA ?? '';
let hub: FeedHub;
before(async () => {
  hub = await feedHub();
});
after(() => hub.close());

type Name = 'PRPA_IN201301UV02' | 'PRPA_IN201302UV02' | 'PRPA_IN201304UV02';
const RESIDENT = '2.16.156.10011.1.3';
const PERSON =
  '<name><family>诸葛</family><given>明</given></name><telecom value="tel:13700000009"/><administrativeGenderCode code="M"/><birthTime value="19600102"/><addr><state>某省</state><city>某市</city><streetAddressLine>甲路 1 号</streetAddressLine></addr>';

let count = 0;
interface More {
  readonly prior?: string;
  readonly person?: string;
  readonly id?: string;
}
const feed = (
  name: Name,
  ids: string,
  { prior = '', person = PERSON, id = `e${String(++count)}` }: More = {},
): string =>
  `<${name} xmlns="${HL7V3}" ITSVersion="XML_1.0"><id root="2.999.77" extension="${id}"/><creationTime value="${new Date(Date.now() - 60_000 + count * 1000).toISOString().replace(/\D/g, '').slice(0, 14)}+0000"/>` +
  `<interactionId root="2.16.840.1.113883.1.6" extension="${name}"/><processingCode code="P"/><processingModeCode code="T"/><acceptAckCode code="AL"/>` +
  '<receiver typeCode="RCV"><device classCode="DEV" determinerCode="INSTANCE"><id root="2.999.2"/></device></receiver>' +
  '<sender typeCode="SND"><device classCode="DEV" determinerCode="INSTANCE"><id root="2.999.3"/></device></sender>' +
  `<controlActProcess classCode="CACT" moodCode="EVN"><subject typeCode="SUBJ"><registrationEvent classCode="REG" moodCode="EVN"><statusCode code="active"/>` +
  `<subject1 typeCode="SBJ"><patient classCode="PAT">${ids}<statusCode code="active"/><patientPerson classCode="PSN" determinerCode="INSTANCE">${person}</patientPerson></patient></subject1>` +
  (prior === ''
    ? ''
    : `<replacementOf typeCode="RPLC"><priorRegistration classCode="REG" moodCode="EVN"><statusCode code="obsolete"/><subject1 typeCode="SBJ"><priorRegisteredRole classCode="PAT">${prior}</priorRegisteredRole></subject1></priorRegistration></replacementOf>`) +
  `</registrationEvent></subject></controlActProcess></${name}>`;
const id = (value: string, root = H1): string => `<id root="${root}" extension="${value}"/>`;

async function send(
  name: Name,
  body: string,
  as = 'h1',
  role: 'hospital-feed' | 'query-platform' = 'hospital-feed',
): Promise<{ http: number; code: string; text: string }> {
  const action = `${HL7V3}:${name}`;
  const response = await hub.fetch('/xds/pix-manager', {
    ...{
      method: 'POST',
      as,
      role,
      headers: { 'content-type': `application/soap+xml; charset=UTF-8; action="${action}"` },
    },
    body: envelope(action, body),
  });
  const text = await response.text();
  return { http: response.status, code: /typeCode code="(\w+)"/.exec(text)?.[1] ?? '', text };
}

test('a registration, its revision and a merge land on the registrations of the site', async () => {
  const added = await send(
    'PRPA_IN201301UV02',
    feed('PRPA_IN201301UV02', id('V1') + id('110101196001020018', RESIDENT)),
  );
  assert.deepEqual([added.http, added.code], [200, 'CA'], added.text);
  assert.notEqual(await hub.pix('V1', H1), null);
  assert.equal((await send('PRPA_IN201301UV02', feed('PRPA_IN201301UV02', id('V2')))).code, 'CA');
  const revised = feed('PRPA_IN201302UV02', id('V1'), { person: PERSON.replace('13700000009', '13711112222') });
  assert.equal((await send('PRPA_IN201302UV02', revised)).code, 'CA');
  await hub.pix('V1', H1);
  const { rows } = await hub.database.pool.query<{ record_id: HubId }>(
    `select record_id from patient_record where site = 'h1' and local_id = 'V1'`,
  );
  assert.equal(rows.length, 1);
  const kept = await registered(hub.database.pool, rows[0]?.record_id ?? ('' as HubId));
  assert.deepEqual(
    [kept?.phone, kept?.names[0]?.text, kept?.birthDate, kept?.address?.text],
    ['13711112222', '诸葛明', '1960-01-02', '某省某市甲路 1 号'],
  );
  assert.equal((await send('PRPA_IN201304UV02', feed('PRPA_IN201304UV02', id('V1'), { prior: id('V2') }))).code, 'CA');
  assert.equal(await hub.pix('V2', H1), null);
  assert.deepEqual(await hub.reviews(), []);
  assert.deepEqual(
    [hub.audits.at(0)?.action, hub.audits.at(0)?.operation, hub.audits.at(0)?.outcome],
    ['feed', 'ITI-44', 'success'],
  );
});

test('the same message again is accepted and applied once', async () => {
  const body = feed('PRPA_IN201301UV02', id('V9'), { id: 'twice' });
  assert.equal((await send('PRPA_IN201301UV02', body)).code, 'CA');
  assert.equal((await send('PRPA_IN201301UV02', body)).code, 'CA');
  const { rows } = await hub.database.pool.query(`select from journal where control_id = '2.999.77^twice'`);
  assert.equal(rows.length, 1);
  assert.equal((await send('PRPA_IN201301UV02', feed('PRPA_IN201301UV02', id('V10'), { id: 'twice' }))).code, 'CE');
});

test('numbers of others, no number, no right: CE or a fault, and nothing is registered', async () => {
  assert.equal((await send('PRPA_IN201301UV02', feed('PRPA_IN201301UV02', id('X1', H3)))).code, 'CE');
  assert.equal((await send('PRPA_IN201301UV02', feed('PRPA_IN201301UV02', id('X1', '9.9.9')))).code, 'CE');
  assert.equal((await send('PRPA_IN201301UV02', feed('PRPA_IN201301UV02', id('X1')), 'region')).code, 'CE');
  assert.equal((await send('PRPA_IN201304UV02', feed('PRPA_IN201304UV02', id('X1')))).code, 'CE');
  assert.equal((await send('PRPA_IN201304UV02', feed('PRPA_IN201304UV02', id('X1'), { prior: id('X1') }))).code, 'CE');
  assert.equal(
    (await send('PRPA_IN201304UV02', feed('PRPA_IN201304UV02', id('X1'), { prior: id('X2', H3) }))).code,
    'CE',
  );
  const wrongRole = await send('PRPA_IN201301UV02', feed('PRPA_IN201301UV02', id('X1')), 'h1', 'query-platform');
  assert.match(wrongRole.text, /Fault/);
  assert.equal(await hub.pix('X1', H1), null);
  assert.equal(await hub.pix('X1', H3), null);
});

test(
  'feeds of other implementers name nobody of ours: each is answered CE, none falls over',
  { skip: data === '' && 'HUB_TEST_DATA is not set' },
  async () => {
    const folder = join(data, 'ihe/ITI-44');
    const requests = readdirSync(folder).filter((name) => name.endsWith('_Request.xml'));
    assert.ok(requests.length > 2);
    for (const name of requests) {
      const body = readFileSync(join(folder, name), 'utf8').replace(/<\?xml[^>]*\?>/, '');
      const kind = /PRPA_IN20130[124]UV02/.exec(body)?.[0] as Name | undefined;
      if (kind === undefined) continue;
      const foreign = await send(kind, body);
      assert.deepEqual([name, foreign.http, foreign.code], [name, 200, 'CE']);
      // The same with numbers of h1 are registrations.
      const own = body.replace(
        /root="1\.2\.3\.4(\.5\.1000|\.666)?"|root="1\.2\.840\.114350\.1\.13\.99998\.8734"(?= *\/?>\s*<statusCode)/g,
        `root="${H1}"`,
      );
      if (own === body) continue;
      assert.equal(
        (
          await send(
            kind,
            own.replace(/<((?:\w+:)?id) root="([^"]+)" extension="123"/, '<$1 root="$2" extension="own-$2"'),
          )
        ).http,
        200,
        name,
      );
    }
  },
);
