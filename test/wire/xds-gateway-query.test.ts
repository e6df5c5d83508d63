/** The gateways' queries over real HTTP: every community is asked at once, and peers that are slow, dead or lying harm nobody. */
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { after, before, describe, test } from 'node:test';
import type { CommunityConfig } from '../../adapters/xds/index.ts';
import { readQueryAnswer } from '../../mappings/xds/cross-query.ts';
import {
  ask,
  codes,
  community,
  gateways,
  ITI18,
  ITI38,
  listen,
  OTHER,
  OWN,
  RAD69,
  RAD75,
  retrieved,
  scripted,
  soap,
  THIRD,
  want,
} from '../support/xds-community.ts';
import type { Answered, GatewayUnderTest, Listening, PeerRequest } from '../support/xds-community.ts';
import { EXPLICIT, image, requestBody } from '../support/xds-peer.ts';
import { invalid, noSchemas } from '../support/xsd.ts';

const far = ['1', '2', '3'].map((n) => image('1.2.8', '1.2.8.1', `1.2.8.1.${n}`, 90_001));

const findDocuments = (more = '', home = ''): string =>
  '<query:AdhocQueryRequest xmlns:query="urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0" xmlns:rim="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0">' +
  `<query:ResponseOption returnComposedObjects="true" returnType="LeafClass"/><rim:AdhocQuery id="urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d"${home}>${more}</rim:AdhocQuery></query:AdhocQueryRequest>`;
const patient = (cx = 'P1^^^&amp;2.999.156.1&amp;ISO'): string =>
  `<rim:Slot name="$XDSDocumentEntryPatientId"><rim:ValueList><rim:Value>'${cx}'</rim:Value></rim:ValueList></rim:Slot>`;
const queryResponse = (objects: string, status = 'Success'): string =>
  `<q:AdhocQueryResponse xmlns:q="urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0" xmlns:r="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0" status="urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:${status}"><r:RegistryObjectList>${objects}</r:RegistryObjectList></q:AdhocQueryResponse>`;

const plain = (body: (request: PeerRequest) => string): Promise<Listening> =>
  scripted((request, response) => {
    response.setHeader('Content-Type', 'application/soap+xml; charset=UTF-8').end(soap(request, body(request)));
  });

function found(answered: Answered) {
  assert.ok(answered.body, answered.envelope.toString());
  const answer = readQueryAnswer(answered.body);
  assert.ok(answer.ok);
  return answer.value;
}

describe('the responding gateway', () => {
  let peer: GatewayUnderTest;
  before(async () => {
    peer = await gateways({ home: OTHER, images: far });
  });
  after(() => peer.close());
  const images = (wanted: Parameters<typeof requestBody>[0]) =>
    ask(`${peer.url}responding`, RAD75, requestBody(wanted, [EXPLICIT]));

  test('gives images whole and names its community with each', async () => {
    const answered = await images(far.map(({ sop }) => want(sop, OTHER)));
    const answer = retrieved(answered);
    assert.equal(answer.status, 'success');
    assert.match(answered.type, /CrossGatewayRetrieveImagingDocumentSetResponse/);
    assert.deepEqual([...new Set(answer.documents.map(({ homeCommunityId }) => homeCommunityId))], [OTHER]);
    for (const { sop, bytes } of far) assert.ok(answer.bytes.get(sop)?.equals(bytes));
    if (noSchemas === false) assert.equal(invalid(answered.envelope), '');
  });

  test('a missing home community and another one are told apart, and the rest comes', async () => {
    const answer = retrieved(await images([want('1.2.8.1.1', OTHER), want('1.2.8.1.2'), want('1.2.8.1.3', THIRD)]));
    assert.equal(answer.status, 'partial');
    assert.deepEqual(codes(answer.errors), ['XDSMissingHomeCommunityId', 'XDSUnknownCommunity']);
    assert.equal(answer.bytes.size, 1);
  });

  test('a query by ids without home, and one for another community, fail', async () => {
    const none = found(await ask(`${peer.url}responding`, ITI38, findDocuments()));
    assert.deepEqual([none.status, codes(none.errors)], ['failure', ['XDSMissingHomeCommunityId']]);
    const other = found(await ask(`${peer.url}responding`, ITI38, findDocuments(patient(), ` home="${THIRD}"`)));
    assert.deepEqual([other.status, codes(other.errors)], ['failure', ['XDSUnknownCommunity']]);
  });

  test('refuses every transaction to who has not the right to read, with an audit record and no document', async () => {
    const retrieve =
      '<x:RetrieveDocumentSetRequest xmlns:x="urn:ihe:iti:xds-b:2007"><x:DocumentRequest>' +
      `<x:HomeCommunityId>${OTHER}</x:HomeCommunityId><x:RepositoryUniqueId>2.999.1</x:RepositoryUniqueId>` +
      '<x:DocumentUniqueId>1.2</x:DocumentUniqueId></x:DocumentRequest></x:RetrieveDocumentSetRequest>';
    const messages = [
      ['ITI-38', ITI38, findDocuments(patient())],
      ['ITI-39', 'urn:ihe:iti:2007:CrossGatewayRetrieve', retrieve],
      ['RAD-75', RAD75, requestBody([want('1.2.8.1.1', OTHER)], [EXPLICIT])],
    ] as const;
    for (const [, action, body] of messages)
      for (const [headers, status] of [
        [{}, 401],
        [{ 'x-role': 'hospital-feed' }, 403],
        [{ 'x-role': 'operator' }, 403],
      ] as const) {
        const before = peer.audits.length;
        const answered = await ask(`${peer.url}responding`, action, body, headers);
        assert.equal(answered.status, status, action);
        assert.match(answered.envelope.toString(), /Fault/);
        const told = peer.audits.slice(before);
        assert.deepEqual([told.length, told[0]?.action, told[0]?.outcome], [1, 'refuse', 'refused'], action);
      }
  });

  test("gives no image of another patient than the user's", async () => {
    const scope = {
      idsOf: (person: string) => Promise.resolve([`${person}^^^&2.999.156.1&ISO`]),
      personsOf: () => Promise.resolve(new Map<string, string>()),
      survivorsOf: () => Promise.resolve([]),
    };
    const gateway = await gateways({ home: OTHER, images: far, scope });
    const of = (patientId: string) =>
      ask(`${gateway.url}responding`, RAD75, requestBody([want('1.2.8.1.1', OTHER)], [EXPLICIT]), {
        'x-role': 'query-platform',
        'x-patient': `${patientId}^^^&2.999.156.1&ISO`,
      });
    const refused = await of('another');
    assert.equal(refused.status, 403);
    assert.match(refused.envelope.toString(), /issued for another patient/);
    assert.deepEqual([refused.attachments.size, gateway.audits.map(({ outcome }) => outcome)], [0, ['refused']]);
    assert.equal((await of('person-of-1.2.8')).attachments.size, 1);
    await gateway.close();
  });

  test('serves only cross-gateway actions, and only callers with the right', async () => {
    const wrong = await ask(`${peer.url}responding`, RAD69, requestBody([want('1.2.8.1.1', OTHER)], [EXPLICIT]));
    assert.match(wrong.envelope.toString(), /ActionNotSupported/);
    const nobody = await ask(`${peer.url}responding`, RAD75, requestBody([want('1.2.8.1.1', OTHER)], [EXPLICIT]), {});
    assert.equal(nobody.status, 401);
    const feed = await ask(`${peer.url}responding`, RAD75, requestBody([want('1.2.8.1.1', OTHER)], [EXPLICIT]), {
      'x-role': 'hospital-feed',
    });
    assert.equal(feed.status, 403);
  });
});

describe('the initiating gateway asks', () => {
  const object = (id: string, home = ''): string => `<r:ObjectRef id="urn:uuid:${id}"${home}/>`;
  const answers = async (
    peers: readonly CommunityConfig[],
    query: string,
    more: Parameters<typeof gateways>[0] = {},
  ) => {
    const gateway = await gateways({ communities: peers, ...more });
    const answered = await ask(`${gateway.url}initiating`, ITI18, query);
    await gateway.close();
    return { answered, ...found(answered), audits: gateway.audits };
  };

  const entry = (cx: string | null): string =>
    '<r:ExtrinsicObject id="urn:uuid:e" objectType="urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1">' +
    (cx === null
      ? ''
      : `<r:ExternalIdentifier id="x" registryObject="urn:uuid:e" identificationScheme="urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427" value="${cx}"/>`) +
    '</r:ExtrinsicObject>';

  test('and shows nothing of an answer for another patient, or for nobody', async () => {
    const own = 'P1^^^&amp;2.999.156.1&amp;ISO';
    const other = 'P2^^^&amp;2.999.156.1&amp;ISO';
    const cases = [
      [entry(own), 1],
      [entry('P1^^^X&amp;2.999.156.1&amp;ISO') + object('1'), 2],
      [entry(own) + entry(other), 0],
      [entry('P1^^^&amp;2.999.156.9&amp;ISO'), 0],
      [entry(null), 0],
    ] as const;
    for (const [objects, count] of cases) {
      const peer = await plain(() => queryResponse(objects));
      const answer = await answers([community(OTHER, peer.url)], findDocuments(patient()));
      await peer.close();
      assert.equal(answer.objects.length, count, objects);
      assert.deepEqual(codes(answer.errors), count > 0 ? [] : ['XDSRegistryError']);
      assert.ok(!answer.answered.envelope.toString().includes('P2^^^'));
    }
    // Asked by id, the patient is not known; two of them are still one too many.
    const peer = await plain(() => queryResponse(entry(own) + entry(other)));
    const mixed = await answers([community(OTHER, peer.url)], findDocuments('', ` home="${OTHER}"`));
    await peer.close();
    assert.deepEqual([mixed.objects.length, codes(mixed.errors)], [0, ['XDSRegistryError']]);
  });

  test('all communities at once, with its token, and marks every object with its home', async () => {
    const seen: PeerRequest[] = [];
    const peers = await Promise.all(
      [1, 2, 3].map((n) =>
        scripted(async (request, response) => {
          seen.push(request);
          await pause(300);
          response
            .setHeader('Content-Type', 'application/soap+xml')
            .end(soap(request, queryResponse(object(`00000000-0000-4000-8000-00000000000${String(n)}`))));
        }),
      ),
    );
    const began = performance.now();
    const { objects, status, answered } = await answers(
      peers.map(({ url }, at) => community(`urn:oid:2.999.77.${String(at)}`, url)),
      findDocuments(patient()),
    );
    assert.ok(performance.now() - began < 800);
    assert.equal(status, 'success');
    assert.deepEqual(
      objects.map((one) => one.attributes.get('home')),
      ['urn:oid:2.999.77.0', 'urn:oid:2.999.77.1', 'urn:oid:2.999.77.2'],
    );
    assert.ok(
      seen.every(({ headers, action }) => headers.authorization === 'Bearer a-token-of-ours' && action === ITI38),
    );
    if (noSchemas === false) {
      assert.equal(invalid(answered.envelope), '');
      for (const { envelope } of seen) assert.equal(invalid(envelope), '');
    }
    await Promise.all(peers.map((peer) => peer.close()));
  });

  test('and says which did not answer, in time, while the others did', async () => {
    const good = await plain(() => queryResponse(object('00000000-0000-4000-8000-000000000001')));
    const silent = await listen(() => undefined);
    const gone = await listen(() => undefined);
    await gone.close();
    const began = performance.now();
    const { status, errors, objects, answered } = await answers(
      [community(OTHER, good.url), community(THIRD, silent.url, {}, 300), community('urn:oid:2.999.5', gone.url)],
      findDocuments(patient()),
    );
    assert.ok(performance.now() - began < 1_500);
    assert.deepEqual([status, objects.length], ['partial', 1]);
    assert.deepEqual(codes(errors), ['XDSUnavailableCommunity', 'XDSUnavailableCommunity']);
    assert.deepEqual(
      errors.map(({ location }) => location),
      [THIRD, 'urn:oid:2.999.5'],
    );
    if (noSchemas === false) assert.equal(invalid(answered.envelope), '');
    await Promise.all([good.close(), silent.close()]);
  });

  test('only the community that the query names; an unknown one and a missing one are errors', async () => {
    let asked = 0;
    const peer = await plain(() => {
      asked++;
      return queryResponse('');
    });
    const peers = [community(OTHER, peer.url), community(THIRD, 'http://127.0.0.1:1/')];
    const named = await answers(peers, findDocuments('', ` home="${OTHER}"`));
    assert.deepEqual([named.status, asked], ['success', 1]);
    const own = await answers(peers, findDocuments(patient(), ` home="${OWN}"`));
    assert.deepEqual([own.status, asked], ['success', 1]);
    const unknown = await answers(peers, findDocuments(patient(), ' home="urn:oid:2.999.404"'));
    assert.deepEqual([unknown.status, codes(unknown.errors)], ['failure', ['XDSUnknownCommunity']]);
    const missing = await answers(peers, findDocuments());
    assert.deepEqual([missing.status, codes(missing.errors)], ['failure', ['XDSMissingHomeCommunityId']]);
    await peer.close();
  });

  test('in the patient id of the other community, and not at all where none is known', async () => {
    const bodies: string[] = [];
    const peer = await scripted((request, response) => {
      bodies.push(request.envelope.toString());
      response.setHeader('Content-Type', 'application/soap+xml').end(soap(request, queryResponse('')));
    });
    const peers = [community(OTHER, peer.url, { patientIdAuthority: '2.999.88' })];
    const patientIn = (id: string, authority: string): Promise<string | null> =>
      Promise.resolve(id.startsWith('P1^') ? `O'9^^^&${authority}&ISO` : null);
    const known = await answers(peers, findDocuments(patient()), { patientIn });
    const unknown = await answers(peers, findDocuments(patient('P2^^^&amp;2.999.156.1&amp;ISO')), { patientIn });
    assert.deepEqual([known.status, unknown.status, bodies.length], ['success', 'success', 1]);
    assert.match(bodies[0] ?? '', /<rim:Value>'O''9\^\^\^&amp;2\.999\.88&amp;ISO'<\/rim:Value>/);
    await peer.close();
  });

  const lies: readonly (readonly [
    string,
    (request: PeerRequest) => { type?: string; status?: number; body: string },
  ])[] = [
    ['HTML', () => ({ type: 'text/html', body: '<html/>' })],
    ['status 500 without SOAP', () => ({ status: 500, type: 'text/plain', body: 'oops 张三' })],
    ['status 401', () => ({ status: 401, body: '' })],
    [
      'a fault',
      (r) => ({
        status: 500,
        body: soap(
          r,
          '<e:Fault xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Code><e:Value>e:Receiver</e:Value></e:Code><e:Reason><e:Text xml:lang="en">张三</e:Text></e:Reason></e:Fault>',
        ),
      }),
    ],
    [
      'the answer of another request',
      (r) => ({ body: soap({ ...r, messageId: 'urn:uuid:other' }, queryResponse('')) }),
    ],
    ['another body', (r) => ({ body: soap(r, '<a xmlns="urn:a"/>') })],
    ['an empty body', (r) => ({ body: soap(r, '') })],
    ['XML that breaks off', (r) => ({ body: soap(r, queryResponse('')).slice(0, -30) })],
    ['a DOCTYPE', (r) => ({ body: soap(r, queryResponse('')).replace('?>', '?><!DOCTYPE a [<!ENTITY b "c">]>') })],
    ['an endless envelope', (r) => ({ body: soap(r, queryResponse('x'.repeat(3_000_000))) })],
    [
      'a package without a part',
      () => ({ type: 'multipart/related; boundary=b; type="application/xop+xml"', body: '--b--\r\n' }),
    ],
    ['a package without its boundary', () => ({ type: 'multipart/related; boundary=b', body: 'nothing' })],
  ];
  for (const [what, lie] of lies)
    test(`and takes ${what} for no answer`, async () => {
      const peer = await scripted((request, response) => {
        const { type = 'application/soap+xml', status = 200, body } = lie(request);
        response.writeHead(status, { 'Content-Type': type }).end(body);
      });
      const { status, errors, answered } = await answers([community(OTHER, peer.url)], findDocuments(patient()), {
        limits: { envelopeBytes: 1_000_000 },
      });
      assert.equal(status, 'partial');
      assert.deepEqual(codes(errors), ['XDSUnavailableCommunity']);
      assert.doesNotMatch(answered.envelope.toString(), /张三/);
      await peer.close();
    });

  test('and leaves out objects in the name of another community', async () => {
    const peer = await plain(() =>
      queryResponse(
        object('00000000-0000-4000-8000-000000000001', ` home="${OWN}"`) +
          object('00000000-0000-4000-8000-000000000002', ` home="${OTHER}"`),
      ),
    );
    const { status, objects, errors } = await answers([community(OTHER, peer.url)], findDocuments(patient()));
    assert.deepEqual([status, objects.length, codes(errors)], ['partial', 1, ['XDSRegistryError']]);
    await peer.close();
  });
});
