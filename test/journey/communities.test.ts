/**
 * Two hubs on one machine, each a community of its own: a study that hospital h1 stored at the far hub is found by ITI-18
 * at the near hub's initiating gateway, and fetched there by ITI-43 and RAD-69, though the two know the patient by
 * different ids.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { after, before, describe, test } from 'node:test';
import { readManifest } from '../../mappings/dicom/kos-read.ts';
import { writePart10 } from '../../mappings/dicom/write.ts';
import { homeOf, readQueryAnswer } from '../../mappings/xds/cross-query.ts';
import { writeRetrieveRequest } from '../../mappings/xds/document-set.ts';
import { readSubmission } from '../../mappings/xds/ebrim-read.ts';
import { RIM } from '../../mappings/xds/ebrim-names.ts';
import { dataFolder, startHub } from '../support/hub.ts';
import type { HubProcess } from '../support/hub.ts';
import { ask, ITI18, ITI43, OTHER, RAD69, retrieved } from '../support/xds-community.ts';
import { EXPLICIT, requestBody } from '../support/xds-peer.ts';
import { invalid, noSchemas } from '../support/xsd.ts';

const TOKEN = 'a-token-of-the-test-0123456789abcdef';
const STUDY = '2.25.7001';
const FAR_REPOSITORY = '2.999.156.33';
/** The far hub's affinity domain is the authority of the near hub's site `region`; the near one has another. */
const FAR_DOMAIN = '2.999.156.1';
const NEAR_DOMAIN = '2.999.157.1';
const PERSON = {
  name: '诸葛静',
  sex: '女',
  birthDate: '1980-01-02',
  idNumber: '110101198001020024',
  eventTime: '2026-03-03 08:00:00',
};

const image = (number: number): Buffer =>
  writePart10({
    SOPClassUID: '1.2.840.10008.5.1.4.1.1.2',
    SOPInstanceUID: `${STUDY}.1.${String(number)}`,
    StudyInstanceUID: STUDY,
    SeriesInstanceUID: `${STUDY}.1`,
    PatientID: 'P7',
    AccessionNumber: 'A7001',
    StudyDate: '20260303',
    StudyTime: '090000',
    Modality: 'CT',
    InstanceNumber: number,
    PixelData: { vr: 'OW', value: randomBytes(100_000) },
  });

const headers = { Authorization: `Bearer ${TOKEN}` };

async function until<T>(what: string, look: () => Promise<T | null>): Promise<T> {
  for (let tries = 0; tries < 300; tries++) {
    const seen = await look();
    if (seen !== null) return seen;
    await pause(100);
  }
  throw new Error(`not seen in 30 seconds: ${what}`);
}

async function post(hub: HubProcess, path: string, body: object): Promise<void> {
  const answer = await fetch(`${hub.address()}${path}`, {
    method: 'POST',
    headers: { ...headers, 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  assert.equal(answer.status, 202, await answer.text());
}

/** The id of the person at a hub, once it stands. */
const personAt = (hub: HubProcess, authority: string, value: string): Promise<string> =>
  until('the person', async () => {
    const answer = await fetch(`${hub.address()}/fhir/Patient/_search`, {
      method: 'POST',
      headers: { ...headers, 'Content-Type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ identifier: `urn:oid:${authority}|${value}` }),
    });
    const bundle = (await answer.json()) as { entry?: { resource: { id: string } }[] };
    return bundle.entry?.[0]?.resource.id ?? null;
  });

const findDocuments = (patient: string): string =>
  `<query:AdhocQueryRequest xmlns:query="urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0" xmlns:rim="${RIM}"><query:ResponseOption returnComposedObjects="true" returnType="LeafClass"/>` +
  `<rim:AdhocQuery id="urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d"><rim:Slot name="$XDSDocumentEntryPatientId"><rim:ValueList><rim:Value>'${patient}'</rim:Value></rim:ValueList></rim:Slot>` +
  `<rim:Slot name="$XDSDocumentEntryStatus"><rim:ValueList><rim:Value>('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')</rim:Value></rim:ValueList></rim:Slot></rim:AdhocQuery></query:AdhocQueryRequest>`;

describe('two communities', () => {
  let folder: Awaited<ReturnType<typeof dataFolder>>;
  let farFolder: Awaited<ReturnType<typeof dataFolder>>;
  let near: HubProcess;
  let far: HubProcess;
  let patient = '';
  const images = [image(1), image(2), image(3)];

  before(async () => {
    [folder, farFolder] = [await dataFolder(), await dataFolder()];
    far = startHub(farFolder.dir, [], {
      HUB_ADMIN_TOKEN: TOKEN,
      HUB_HOME_COMMUNITY_OID: OTHER.slice('urn:oid:'.length),
      HUB_REPOSITORY_OID: FAR_REPOSITORY,
      HUB_AFFINITY_DOMAIN_OID: FAR_DOMAIN,
      HUB_STUDY_SETTLE_SECONDS: '1',
    });
    await far.up();
    const gateway = `${far.address()}/xds/responding-gateway`;
    const communities = join(folder.dir, 'communities.yaml');
    await writeFile(
      communities,
      `- home: ${OTHER}\n  name: 邻省\n  query: ${gateway}\n  retrieve: ${gateway}\n  images: ${gateway}\n  token: ${TOKEN}\n  patientIdAuthority: ${FAR_DOMAIN}\n` +
        `- home: urn:oid:2.999.156.44\n  name: 断网省\n  query: http://127.0.0.1:1/\n  images: http://127.0.0.1:1/\n  timeoutMs: 1000\n`,
    );
    near = startHub(folder.dir, [], {
      HUB_ADMIN_TOKEN: TOKEN,
      HUB_AFFINITY_DOMAIN_OID: NEAR_DOMAIN,
      HUB_COMMUNITIES: communities,
    });
    await near.up();
    await post(far, '/api/v1/sites/h1/registrations', { ...PERSON, patientId: 'P7' });
    const farPerson = await personAt(far, '2.999.156.1.1', 'P7');
    const boundary = 'b7001';
    const parts = images.map((file) =>
      Buffer.concat([
        Buffer.from(`--${boundary}\r\nContent-Type: application/dicom\r\n\r\n`),
        file,
        Buffer.from('\r\n'),
      ]),
    );
    const { token } = (await (
      await fetch(`${far.address()}/api/v1/clients`, {
        method: 'POST',
        headers: { ...headers, 'Content-Type': 'application/json' },
        body: JSON.stringify({ name: 'feed', role: 'hospital-feed', site: 'h1' }),
      })
    ).json()) as { token: string };
    const stored = await fetch(`${far.address()}/dicomweb/studies`, {
      method: 'POST',
      headers: {
        Authorization: `Bearer ${token}`,
        'Content-Type': `multipart/related; type="application/dicom"; boundary=${boundary}`,
      },
      body: Buffer.concat([...parts, Buffer.from(`--${boundary}--\r\n`)]),
    });
    assert.equal(stored.status, 200, await stored.text());
    // The near hub knows the same woman by a registration of h2, and by the far hub's id that the region's platform feeds.
    await post(near, '/api/v1/sites/h2/registrations', { ...PERSON, patientId: 'N7' });
    await post(near, '/api/v1/sites/region/registrations', { ...PERSON, patientId: farPerson });
    const linked = await until('the link', async () => {
      const both = [await personAt(near, '2.999.156.1.2', 'N7'), await personAt(near, FAR_DOMAIN, farPerson)];
      return both[0] === both[1] ? both : null;
    });
    patient = `${String(linked[0])}^^^&amp;${NEAR_DOMAIN}&amp;ISO`;
  });
  after(async () => {
    for (const hub of [near, far]) {
      hub.signal('SIGTERM');
      await hub.ended();
    }
    await folder.remove();
    await farFolder.remove();
  });

  const manifest = () =>
    until('the manifest', async () => {
      const answered = await ask(`${near.address()}/xds/initiating-gateway`, ITI18, findDocuments(patient), headers);
      assert.ok(answered.body, answered.envelope.toString());
      const answer = readQueryAnswer(answered.body);
      assert.ok(answer.ok);
      const list = {
        namespace: RIM,
        name: 'RegistryObjectList',
        attributes: new Map(),
        children: answer.value.objects,
        text: '',
      };
      const { objects } = readSubmission(list, { form: 'strict' }).submission;
      const kos = objects.find((one) => one.kind === 'document' && one.mimeType === 'application/dicom');
      return kos?.kind === 'document' ? { answered, answer: answer.value, kos } : null;
    });

  test('ITI-18 finds the far study, says whose it is and who did not answer', async () => {
    const { answered, answer, kos } = await manifest();
    assert.equal(answer.status, 'partial');
    assert.deepEqual(
      answer.errors.map(({ code, location }) => [code, location]),
      [['XDSUnavailableCommunity', 'urn:oid:2.999.156.44']],
    );
    assert.ok(answer.objects.every((object) => homeOf(object) === OTHER));
    assert.equal(kos.repositoryUniqueId, FAR_REPOSITORY);
    if (noSchemas === false) assert.equal(invalid(answered.envelope), '');
  });

  test('ITI-43 gives its manifest and RAD-69 every image in it, byte for byte', async () => {
    const { kos } = await manifest();
    const gateway = `${near.address()}/xds/initiating-gateway`;
    const wanted = { homeCommunityId: OTHER, repositoryUniqueId: FAR_REPOSITORY, documentUniqueId: kos.uniqueId };
    const document = retrieved(await ask(gateway, ITI43, writeRetrieveRequest([wanted]), headers));
    assert.equal(document.status, 'success', JSON.stringify(document.errors));
    const read = readManifest(document.bytes.get(kos.uniqueId) ?? Buffer.alloc(0));
    assert.ok(read.ok);
    const [study] = read.value.studies;
    const asked = (study?.series ?? []).flatMap(({ seriesUid, repositoryUid, instances }) =>
      instances.map(({ sopUid }) => ({
        study: STUDY,
        series: seriesUid,
        sop: sopUid,
        repository: repositoryUid,
        home: OTHER,
      })),
    );
    assert.equal(asked.length, 3);
    const answered = await ask(gateway, RAD69, requestBody(asked, [EXPLICIT]), headers);
    const answer = retrieved(answered);
    assert.equal(answer.status, 'success', JSON.stringify(answer.errors));
    images.forEach((file, at) => {
      assert.ok(answer.bytes.get(`${STUDY}.1.${String(at + 1)}`)?.equals(file));
    });
    if (noSchemas === false) assert.equal(invalid(answered.envelope), '');
  });

  test('a community that is away costs its own images only', async () => {
    const away = {
      study: STUDY,
      series: `${STUDY}.1`,
      sop: `${STUDY}.1.1`,
      repository: '2.999.9',
      home: 'urn:oid:2.999.156.44',
    };
    const there = { ...away, repository: FAR_REPOSITORY, home: OTHER };
    const body = requestBody([away, there], [EXPLICIT]);
    const answer = retrieved(await ask(`${near.address()}/xds/initiating-gateway`, RAD69, body, headers));
    assert.equal(answer.status, 'partial');
    assert.deepEqual(
      answer.errors.map(({ code }) => code),
      ['XDSUnavailableCommunity'],
    );
    assert.equal(answer.bytes.size, 1);
  });

  test('neither hub says who the patient is in its log', () => {
    for (const hub of [near, far]) assert.doesNotMatch(hub.said(), /诸葛|110101198001020024|P7\b/);
  });
});
