/**
 * A hospital that runs its own XDS domain: the hub asks its registry about a patient who was registered, takes its manifest
 * into the index through the journal, and gives the images by every face, fetched by RAD-69 when somebody asks.
 */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { after, before, describe, test } from 'node:test';
import type { Oid, Uid } from '../../hub/core/identifier.ts';
import { writeManifest } from '../../mappings/dicom/kos.ts';
import { writePart10 } from '../../mappings/dicom/write.ts';
import { writeRetrieveAnswer } from '../../mappings/xds/cross-retrieve.ts';
import { writeQueryResponse } from '../../mappings/xds/stored-query-response.ts';
import { code, cx, documentEntry } from '../support/documents.ts';
import { dataFolder, startHub } from '../support/hub.ts';
import type { HubProcess } from '../support/hub.ts';
import { listen, scripted, soap } from '../support/xds-community.ts';
import type { Listening, PeerRequest } from '../support/xds-community.ts';
import { serve } from '../support/xds-peer.ts';
import type { StoredImage } from '../support/xds-peer.ts';
import { invalid, noSchemas } from '../support/xsd.ts';

const TOKEN = 'a-token-of-the-test-0123456789abcdef';
const REPOSITORY = '2.999.156.9.3';
const SOURCE = '2.999.156.3';
const AUTHORITY = '2.999.156.1.3';
const headers = { Authorization: `Bearer ${TOKEN}` };

const imageOf = (study: string, patient: string, number: number): StoredImage => ({
  study,
  series: `${study}.1`,
  sop: `${study}.1.${String(number)}`,
  bytes: writePart10({
    SOPClassUID: '1.2.840.10008.5.1.4.1.1.4',
    SOPInstanceUID: `${study}.1.${String(number)}`,
    StudyInstanceUID: study,
    SeriesInstanceUID: `${study}.1`,
    PatientID: patient,
    Modality: 'MR',
    InstanceNumber: number,
    PixelData: { vr: 'OW', value: randomBytes(90_000) },
  }),
});

interface Kept {
  readonly study: string;
  /** Whom the registry, and whom the manifest names. */
  readonly patient: string;
  readonly named?: string;
  readonly images: readonly StoredImage[];
  /** Another hash than the bytes have. */
  readonly lies?: boolean;
}

const kosOf = ({ study, patient, named, images }: Kept): Buffer =>
  writeManifest({
    sopUid: `${study}.9` as Uid,
    seriesUid: `${study}.8` as Uid,
    createdAt: '2026-03-03T02:00:00.000Z',
    timeZoneOffset: '+0800',
    manufacturer: 'Test',
    retrieveAe: 'H3PACS',
    repositoryUniqueId: SOURCE,
    patient: { id: named ?? patient, names: [], sex: null, birthDate: null },
    study: {
      uid: study as Uid,
      accession: `A${study.slice(-4)}`,
      description: 'Knee',
      startedAt: '2026-03-03T01:00:00.000Z',
      series: [
        {
          uid: `${study}.1` as Uid,
          instances: images.map(({ sop }) => ({ sopUid: sop as Uid, sopClass: '1.2.840.10008.5.1.4.1.1.4' as Uid })),
        },
      ],
    },
  });

/** A registry with its repository, over what a test put into `kept`. */
function hospital(kept: readonly Kept[], seen: PeerRequest[]): Promise<Listening> {
  return scripted((request, response) => {
    seen.push(request);
    if (request.action.endsWith('RegistryStoredQuery')) {
      const patient = /'([^'^]*)\^\^\^/.exec(request.envelope.toString())?.[1];
      const objects = kept
        .filter((one) => one.patient === patient)
        .map((one) => {
          const bytes = kosOf(one);
          const name = `urn:uuid:00000000-0000-4000-8000-${one.study.slice(-4).padStart(12, '0')}`;
          return documentEntry(name, cx(one.patient, AUTHORITY), `${one.study}.9`, {
            mimeType: 'application/dicom',
            formatCode: code('1.2.840.10008.5.1.4.1.1.88.59', '1.2.840.10008.2.6.1'),
            repositoryUniqueId: REPOSITORY as Oid,
            hash: one.lies === true ? '0'.repeat(40) : createHash('sha1').update(bytes).digest('hex'),
            size: bytes.length,
          });
        });
      const body = writeQueryResponse({ objects, associations: [], problems: [] }, { returnType: 'LeafClass' });
      response.setHeader('Content-Type', 'application/soap+xml').end(soap(request, body));
      return;
    }
    const uid = /DocumentUniqueId>([^<]*)</.exec(request.envelope.toString())?.[1];
    const one = kept.find(({ study }) => `${study}.9` === uid);
    assert.ok(one);
    const given = {
      homeCommunityId: null,
      repositoryUniqueId: REPOSITORY,
      documentUniqueId: uid ?? '',
      mimeType: 'application/dicom',
    };
    const envelope = soap(request, writeRetrieveAnswer('success', [], [{ given, contentId: 'k@h' }]));
    response
      .setHeader('Content-Type', 'multipart/related; type="application/xop+xml"; start="<r>"; boundary=b')
      .end(
        Buffer.concat([
          Buffer.from(`--b\r\nContent-ID: <r>\r\n\r\n${envelope}\r\n--b\r\nContent-ID: <k@h>\r\n\r\n`),
          kosOf(one),
          Buffer.from('\r\n--b--\r\n'),
        ]),
      );
  });
}

describe('a hospital with its own registry', () => {
  const good: Kept = { study: '2.25.8001', patient: 'K1', images: [1, 2].map((n) => imageOf('2.25.8001', 'K1', n)) };
  const foreign: Kept = { study: '2.25.8002', patient: 'K2', named: 'K9', images: [imageOf('2.25.8002', 'K9', 1)] };
  const lying: Kept = { study: '2.25.8003', patient: 'K3', images: [imageOf('2.25.8003', 'K3', 1)], lies: true };
  /** Its manifest names an image that the imaging source does not have. */
  const lacking: Kept = { study: '2.25.8004', patient: 'K4', images: [1, 2].map((n) => imageOf('2.25.8004', 'K4', n)) };
  /** The imaging source has another person's images under it. */
  const mixed: Kept = { study: '2.25.8005', patient: 'K5', images: [imageOf('2.25.8005', 'K8', 1)] };
  const kept = [good, foreign, lying, lacking, mixed];
  /** Comes to the hospital after its patient was asked about; the hub hears of the exam by REST first. */
  const late: Kept = { study: '2.25.8006', patient: 'K1', images: [imageOf('2.25.8006', 'K1', 1)] };
  const seen: PeerRequest[] = [];
  let folder: Awaited<ReturnType<typeof dataFolder>>;
  let domain: Listening;
  let source: Awaited<ReturnType<typeof serve>>;
  let door: Listening;
  let hub: HubProcess;

  before(async () => {
    folder = await dataFolder();
    domain = await hospital(kept, seen);
    source = await serve(
      [...kept, late].flatMap(({ images, study }) => (study === lacking.study ? images.slice(0, 1) : images)),
    );
    // The imaging source of the test knows its callers by another header than a token.
    door = await listen((request, response) => {
      void (async () => {
        const chunks: Buffer[] = [];
        for await (const chunk of request) chunks.push(chunk as Buffer);
        const answer = await fetch(source.url, {
          method: 'POST',
          headers: { 'Content-Type': request.headers['content-type'] ?? '', 'x-role': 'query-platform' },
          body: Buffer.concat(chunks),
        });
        assert.equal(request.headers.authorization, 'Bearer the-hospital-gave-it');
        response.setHeader('Content-Type', answer.headers.get('content-type') ?? '');
        response.end(Buffer.from(await answer.arrayBuffer()));
      })();
    });
    const sites = join(folder.dir, 'sites');
    await cp('adapters/sites', sites, { recursive: true });
    const profile = join(sites, 'h3', 'site.yaml');
    const text = (await readFile(profile, 'utf8')).replace(/\n {2}imageSource: .*/, '');
    await writeFile(
      profile,
      `${text}\nxds:\n  registry: ${domain.url}\n  repository: { url: '${domain.url}', oid: ${REPOSITORY} }\n  imagingSource: { url: '${door.url}', oid: ${SOURCE} }\n  token: the-hospital-gave-it\n  poll: { perMinute: 1200, everyMinutes: 60 }\n`,
    );
    hub = startHub(join(folder.dir, 'hub'), [], { HUB_ADMIN_TOKEN: TOKEN, HUB_SITES_DIR: sites });
    await hub.up();
    for (const { patient } of kept) {
      const body = JSON.stringify({ patientId: patient, name: '测试', sex: '男', eventTime: '2026-03-03 08:00:00' });
      const answer = await fetch(`${hub.address()}/api/v1/sites/h3/registrations`, {
        method: 'POST',
        headers: { ...headers, 'Content-Type': 'application/json' },
        body,
      });
      assert.equal(answer.status, 202, await answer.text());
    }
  });
  after(async () => {
    hub.signal('SIGTERM');
    assert.equal(await hub.ended(), 0);
    await Promise.all([domain.close(), source.close(), door.close()]);
    await folder.remove();
  });

  const get = (path: string, accept: string): Promise<Response> =>
    fetch(`${hub.address()}${path}`, { headers: { ...headers, Accept: accept } });
  const rows = async (study: string): Promise<Record<string, { Value?: unknown[] }>[]> => {
    const answer = await get(`/dicomweb/studies?StudyInstanceUID=${study}`, 'application/dicom+json');
    return answer.status === 204 ? [] : ((await answer.json()) as Record<string, { Value?: unknown[] }>[]);
  };
  const isThere = async (study: string): Promise<Record<string, { Value?: unknown[] }>> => {
    for (let tries = 0; tries < 300; tries++) {
      const [row] = await rows(study);
      if (row) return row;
      await pause(100);
    }
    throw new Error(`study ${study} is not in the index after 30 seconds`);
  };

  test('its study is in the index, its images at the hospital', async () => {
    const row = await isThere(good.study);
    assert.deepEqual(row['00080056']?.Value, ['NEARLINE']);
    assert.deepEqual(row['00080050']?.Value, ['A8001']);
    assert.deepEqual(row['00080061']?.Value, ['MR']);
    for (const { headers: sent } of seen) assert.equal(sent.authorization, 'Bearer the-hospital-gave-it');
    if (noSchemas === false) for (const { envelope } of seen) assert.equal(invalid(envelope), '');
  });

  test('the images come by WADO-RS, byte for byte, fetched by RAD-69', async () => {
    await isThere(good.study);
    const answer = await get(
      `/dicomweb/studies/${good.study}`,
      'multipart/related; type="application/dicom"; transfer-syntax=*',
    );
    assert.equal(answer.status, 200);
    const body = Buffer.from(await answer.arrayBuffer());
    for (const { bytes } of good.images) assert.ok(body.includes(bytes));
    assert.deepEqual([...new Set(source.audits.map(({ operation }) => operation))], ['RAD-69']);
  });

  test('a manifest of another patient is refused and kept, its study not shown', async () => {
    for (let tries = 0; tries < 300 && !hub.said().includes('names another patient'); tries++) await pause(100);
    assert.match(hub.said(), /The manifest names another patient than its registry/);
    const answer = await get('/api/v1/journal?site=h3&state=refused', 'application/json');
    const text = await answer.text();
    assert.match(text, /2\.25\.8002\.9/);
    assert.match(text, /patient-mismatch/);
    assert.deepEqual(await rows(foreign.study), []);
  });

  test('bytes that are not those of the registry are not taken', async () => {
    for (let tries = 0; tries < 300 && !hub.said().includes('other bytes than'); tries++) await pause(100);
    assert.match(hub.said(), /The repository gave other bytes than the registry tells of/);
    assert.deepEqual(await rows(lying.study), []);
  });

  test('a study that comes in part, or with images of another person, is not shown as if it were whole', async () => {
    await isThere(lacking.study);
    const part = await get(`/dicomweb/studies/${lacking.study}/metadata`, 'application/dicom+json');
    assert.equal(part.status, 503, await part.text());
    await isThere(mixed.study);
    const other = await get(`/dicomweb/studies/${mixed.study}/metadata`, 'application/dicom+json');
    assert.equal(other.status, 409, await other.text());
    assert.doesNotMatch(hub.said(), /K8|K9|测试/);
  });

  test('each patient is asked about once in the time that the site sets, and manifests are fetched once', async () => {
    await pause(1_000);
    const asked = seen.filter(({ action }) => action.endsWith('RegistryStoredQuery')).length;
    assert.equal(asked, kept.length);
    const fetched = seen.filter(({ action }) => action.endsWith('RetrieveDocumentSet')).length;
    assert.equal(fetched, kept.length);
  });

  test('who asks for images whose manifest is not known yet makes the hub ask for it at once', async () => {
    kept.push(late);
    const body = JSON.stringify({
      patientId: 'K1',
      accessionNumber: 'A8006',
      studyInstanceUid: late.study,
      modality: 'MR',
      eventTime: '2026-03-04 08:00:00',
    });
    const told = await fetch(`${hub.address()}/api/v1/sites/h3/exams`, {
      method: 'POST',
      headers: { ...headers, 'Content-Type': 'application/json' },
      body,
    });
    assert.equal(told.status, 202, await told.text());
    await isThere(late.study);
    const answer = await get(
      `/dicomweb/studies/${late.study}`,
      'multipart/related; type="application/dicom"; transfer-syntax=*',
    );
    assert.equal(answer.status, 200);
    const whole = Buffer.from(await answer.arrayBuffer());
    assert.ok(late.images.every(({ bytes }) => whole.includes(bytes)));
  });
});
