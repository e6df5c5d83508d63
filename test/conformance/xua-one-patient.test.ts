/**
 * A user whose assertion was issued for one patient sees no other, at whichever door: by the patient's name, by the ids of
 * objects, by documents, and through the gateways. Nothing has been sent, stored or asked of others by the time of the no.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  ITI41_REQUEST,
  ITI43_REQUEST,
  ITI86_REQUEST,
  writeRemoveRequest,
  writeRetrieveRequest,
} from '../../mappings/xds/document-set.ts';
import { writeSubmission } from '../../mappings/xds/ebrim-write.ts';
import { freshDatabase } from '../support/database.ts';
import { association, cx, documentEntry, folder, submissionSet } from '../support/documents.ts';
import { ACTIONS, removal } from '../support/registry-hub.ts';
import { file, adhocQuery, envelope, serveRegistry, readAnswer } from '../support/registry-peer.ts';
import type { AskedSlot, RegistryPeer } from '../support/registry-peer.ts';
import { codesOf, PATIENT, plainType, REPOSITORY, soap, startRepositoryHub } from '../support/repository-hub.ts';
import type { RepositoryHub } from '../support/repository-hub.ts';
import { leavesNothing, objectsOf, provide, provided, sent } from '../support/submission.ts';
import {
  ask,
  community,
  gateways,
  ITI18,
  ITI43,
  OTHER,
  OWN,
  scripted,
  soap as reply,
} from '../support/xds-community.ts';
import type { GatewayUnderTest, Listening } from '../support/xds-community.ts';

const P1 = cx('P1');
const P2 = cx('P2');
const FIND = '14d4debf-8f97-4251-9a74-a90016b0af0d';
const GET = '5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4';
const u = (n: number): string => `urn:uuid:00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const find = (patient: string): readonly AskedSlot[] => [
  ['$XDSDocumentEntryPatientId', `'${patient}'`],
  ['$XDSDocumentEntryStatus', "('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')"],
];

describe('ITI-18', () => {
  let fresh: Awaited<ReturnType<typeof freshDatabase>>;
  let peer: RegistryPeer;
  before(async () => {
    fresh = await freshDatabase();
    await file(fresh.database, [documentEntry(u(1), P1, '1.2.3.1'), documentEntry(u(2), P2, '1.2.3.2')]);
    peer = await serveRegistry(fresh.database);
  });
  after(async () => {
    await peer.close();
    await fresh.drop();
  });
  const query = (uuid: string, slots: readonly AskedSlot[], patient: string) =>
    peer.post(envelope(ITI18, adhocQuery(uuid, slots)), ITI18, 'query-platform', patient);

  test('the patient of the assertion is answered for, by patient and by document', async () => {
    for (const [uuid, slots] of [
      [FIND, find(P1)],
      [GET, [['$XDSDocumentEntryEntryUUID', `('${u(1)}')`]]],
    ] as const) {
      const { status, text } = await query(uuid, slots, P1);
      assert.equal(status, 200, text);
      assert.deepEqual(readAnswer(text).ids, [u(1)]);
    }
  });

  test('another patient is not, nor told of; the audit knows', async () => {
    for (const [uuid, slots] of [
      [FIND, find(P2)],
      [FIND, find(cx('nobody'))],
      [GET, [['$XDSDocumentEntryEntryUUID', `('${u(2)}')`]]],
      [GET, [['$XDSDocumentEntryUniqueId', "('1.2.3.2')"]]],
    ] as const) {
      const at = peer.audits.length;
      const { status, text } = await query(uuid, slots, P1);
      assert.equal(status, 403, text);
      assert.match(text, /FailedAuthentication/);
      assert.doesNotMatch(text, /ExtrinsicObject|P2/);
      assert.deepEqual(
        peer.audits.slice(at).map(({ operation, outcome }) => [operation, outcome]),
        [['ITI-18', 'refused']],
      );
    }
  });
});

describe('associations, which have no patient of their own', () => {
  const APPROVED = 'urn:oasis:names:tc:ebxml-regrep:StatusType:Approved';
  const [set, theirs, member] = [u(11), u(12), u(13)];
  let fresh: Awaited<ReturnType<typeof freshDatabase>>;
  let peer: RegistryPeer;
  before(async () => {
    fresh = await freshDatabase();
    await file(
      fresh.database,
      [folder(set, P2, '1.2.3.11'), documentEntry(theirs, P2, '1.2.3.12'), documentEntry(u(14), P1, '1.2.3.14')],
      [association(member, 'HasMember', set, theirs)],
    );
    await fresh.database.pool.query('insert into affinity_patient (patient_id) values ($1), ($2)', [P1, P2]);
    peer = await serveRegistry(fresh.database);
  });
  after(async () => {
    await peer.close();
    await fresh.drop();
  });
  const kept = async () =>
    (await fresh.database.pool.query<{ status: string }>('select status from document_association')).rows;

  test('ITI-57 and ITI-62: those of another patient are neither changed nor removed', async () => {
    const slots = [
      { name: 'OriginalStatus', values: [APPROVED] },
      { name: 'NewStatus', values: [APPROVED.replace('Approved', 'Deprecated')] },
    ];
    const deprecate = writeSubmission([
      submissionSet('s', P1, '1.2.3.15'),
      association('a', 'UpdateAvailabilityStatus', 's', member, { extra: slots }),
    ]);
    for (const [action, body] of [
      [ACTIONS['ITI-57'], deprecate],
      [ACTIONS['ITI-62'], removal([member])],
    ] as const) {
      const { status, text } = await peer.post(envelope(action, body), action, 'administrator', P1);
      assert.equal(status, 403, text);
      assert.deepEqual(await kept(), [{ status: 'approved' }]);
    }
  });

  test('ITI-18 GetAssociations: those of another patient are not told of; the audit names whose they are', async () => {
    const body = envelope(ITI18, adhocQuery('a7ae438b-4bc2-4642-93e9-be891f7bb155', [['$uuid', `('${theirs}')`]]));
    const { status, text } = await peer.post(body, ITI18, 'query-platform', P1);
    assert.equal(status, 403, text);
    assert.doesNotMatch(text, new RegExp(member));
    const at = peer.audits.length;
    assert.deepEqual(readAnswer((await peer.post(body, ITI18, 'query-platform', P2)).text).ids, [member]);
    assert.deepEqual(peer.audits[at]?.persons, ['person of P2']);
  });
});

describe('the repository', () => {
  let hub: RepositoryHub;
  const one = sent('for one patient only');
  before(async () => {
    hub = await startRepositoryHub();
    await provide(hub, [one]);
  });
  after(() => hub.close());
  const post = async (type: string, body: string | Buffer, role: string, patient: string) => {
    const headers = { 'Content-Type': type, 'x-role': role, 'x-patient': patient };
    const response = await fetch(hub.url, { method: 'POST', headers, body });
    return { status: response.status, text: await response.text() };
  };
  const retrieve = (patient: string) => {
    const wanted = { homeCommunityId: null, repositoryUniqueId: REPOSITORY, documentUniqueId: one.uniqueId };
    const body = soap(ITI43_REQUEST, writeRetrieveRequest([wanted]));
    return post(plainType(ITI43_REQUEST), body, 'query-platform', patient);
  };

  test('ITI-43: the document of the patient is given, another user gets no byte of it', async () => {
    assert.match((await retrieve(PATIENT)).text, /for one patient only/);
    const at = hub.audits.length;
    const { status, text } = await retrieve(P2);
    assert.equal(status, 403);
    assert.doesNotMatch(text, /for one patient only|DocumentResponse/);
    assert.deepEqual(
      hub.audits.slice(at).map(({ operation, outcome }) => [operation, outcome]),
      [['ITI-43', 'refused']],
    );
  });

  test('ITI-43: a document that two patients have is given to the user of either, and recorded as theirs', async () => {
    const other = cx('REPO2');
    await hub.database.pool.query('insert into affinity_patient (patient_id) values ($1)', [other]);
    const same = { ...sent('for one patient only', { patientId: other }), uniqueId: one.uniqueId };
    const metadata = writeSubmission(
      objectsOf([same]).map((object) => ('patientId' in object ? { ...object, patientId: other } : object)),
    );
    assert.deepEqual(codesOf(await provide(hub, [same], { metadata })), []);
    for (const patient of [PATIENT, other]) assert.match((await retrieve(patient)).text, /for one patient only/);
    const { status, text } = await retrieve(P2);
    assert.equal(status, 403);
    assert.doesNotMatch(text, /for one patient only|DocumentResponse/);
  });

  test('ITI-86: what another patient has as well is not removed', async () => {
    const wanted = { homeCommunityId: null, repositoryUniqueId: REPOSITORY, documentUniqueId: one.uniqueId };
    const body = soap(ITI86_REQUEST, writeRemoveRequest([wanted]));
    for (const patient of [P2, PATIENT])
      assert.equal((await post(plainType(ITI86_REQUEST), body, 'administrator', patient)).status, 403);
    assert.match((await retrieve(PATIENT)).text, /for one patient only/);
  });

  test('ITI-41: a submission of another patient stores nothing', async () => {
    const { type, bytes } = provided([sent('not of this patient')]);
    await leavesNothing(hub, async () => {
      const { status, text } = await post(type, bytes, 'hospital-feed', P2);
      assert.equal(status, 403, `${ITI41_REQUEST} ${text}`);
    });
  });
});

describe('the initiating gateway', () => {
  let asked = 0;
  let remote: Listening;
  let gateway: GatewayUnderTest;
  before(async () => {
    remote = await scripted((request, response) => {
      asked++;
      const entry =
        `<r:ExtrinsicObject xmlns:r="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0" id="${u(9)}" objectType="urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1">` +
        `<r:ExternalIdentifier id="e" registryObject="${u(9)}" identificationScheme="urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427" value="${P2.replace('&', '&amp;').replace('&ISO', '&amp;ISO')}"/></r:ExtrinsicObject>`;
      const body = `<q:AdhocQueryResponse xmlns:q="urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0" xmlns:r="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0" status="urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success"><r:RegistryObjectList>${entry}</r:RegistryObjectList></q:AdhocQueryResponse>`;
      response.setHeader('Content-Type', 'application/soap+xml; charset=UTF-8').end(reply(request, body));
    });
    gateway = await gateways({ home: OWN, communities: [community(OTHER, remote.url)] });
  });
  after(async () => {
    await gateway.close();
    await remote.close();
  });
  const as = (patient: string) => ({ 'x-role': 'query-platform', 'x-patient': patient });

  test('another patient is asked about nowhere, and another’s documents are asked for nowhere', async () => {
    const url = `${gateway.url}initiating`;
    assert.equal((await ask(url, ITI18, adhocQuery(FIND, find(P2)), as(P1))).status, 403);
    const wanted = { homeCommunityId: OTHER, repositoryUniqueId: '1.2', documentUniqueId: '1.2.3' };
    assert.equal((await ask(url, ITI43, writeRetrieveRequest([wanted]), as(P1))).status, 403);
    assert.equal(asked, 0);
  });

  test('what another community found of another patient is not passed on', async () => {
    const url = `${gateway.url}initiating`;
    const answered = await ask(url, ITI18, adhocQuery(FIND, find(P1)), as(P1));
    assert.deepEqual([answered.status, asked], [403, 1]);
    assert.doesNotMatch(answered.envelope.toString(), /ExtrinsicObject/);
    assert.equal((await ask(url, ITI18, adhocQuery(FIND, find(P2)), as(P2))).status, 200);
  });
});
