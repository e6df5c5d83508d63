/**
 * Every message of ITI-41 and ITI-43 that other implementers published, through the repository, with the outcome that the
 * standard demands. They are read from HUB_TEST_DATA and are no part of the project.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import type { PatientCx } from '../../hub/core/document.ts';
import type { Oid } from '../../hub/core/identifier.ts';
import { createAffinityPatients } from '../../hub/store/affinity-patients.ts';
import { ITI41_REQUEST, readRetrieveResponse } from '../../mappings/xds/document-set.ts';
import { readPackage } from '../../mappings/xds/mtom.ts';
import { readRegistryResponse } from '../../mappings/xds/registry-response.ts';
import { SOAP } from '../../mappings/xds/soap.ts';
import { childNamed, parseXml } from '../../mappings/xds/xml.ts';
import type { XmlElement } from '../../mappings/xds/xml.ts';
import type { Verdict } from '../support/ihe-claims.ts';
import { iheSamples } from '../support/ihe-samples.ts';
import { codesOf, said, send, startRepositoryHub } from '../support/repository-hub.ts';
import type { RepositoryHub } from '../support/repository-hub.ts';
import { provide, registered, sent, valid } from '../support/submission.ts';

const folder = join(process.env.HUB_TEST_DATA ?? '', 'ihe');
const skip =
  process.env.HUB_TEST_DATA !== undefined && existsSync(join(folder, 'ITI-41')) ? false : 'HUB_TEST_DATA is unset';
const sample = (name: string): string => readFileSync(join(folder, name), 'utf8');

const REPOSITORY = '1.3.6.1.4.1.21367.2017.2.3.54' as Oid;
const DOCUMENT = '1.3.6.1.4.1.21367.2017.2.1.75.20200922130227623';

let hub: RepositoryHub;
before(async () => {
  hub = await startRepositoryHub(() => ({ repositoryOid: REPOSITORY, form: () => 'lenient' }));
  const domain = { database: hub.database, affinityDomainOid: '2.999.156.1' };
  const patients = createAffinityPatients(domain);
  for (const id of ['CHPAM3946^^^&1.3.6.1.4.1.12559.11.20.1&ISO', '103^^^&2.3.4&ISO'])
    await patients.add(id as PatientCx);
});
after(() => hub.close());

const bodyOf = (envelope: Buffer): XmlElement => {
  const root = parseXml(envelope);
  assert.ok(root.ok);
  const body = childNamed(root.value, SOAP, 'Body')?.children[0];
  assert.ok(body);
  return body;
};

/** A capture of HTTP: what stands after the head, with the line ends that a wire has. */
function captured(name: string): { type: string; boundary: string; bytes: Buffer } {
  const text = sample(name).replace(/\r?\n/g, '\r\n');
  const at = text.indexOf('\r\n\r\n') + 4;
  const type = /^Content-Type: (.*)\r$/m.exec(text.slice(0, at))?.[1] ?? '';
  const bytes = text.slice(at).replace(/Target endpoint:.*$/s, '');
  return { type, boundary: /^--(\S+)\r$/m.exec(bytes)?.[1] ?? '', bytes: Buffer.from(bytes) };
}

const WSSE = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd';

function rebound(): { type: string; bytes: Buffer } {
  const { boundary, bytes } = captured('ITI-41/epr__ITI-41_request_raw.xml');
  const type = `multipart/related; type="application/xop+xml"; boundary="${boundary}"; action="${ITI41_REQUEST}"`;
  return { type, bytes };
}

/** What the test of each sample, as it stands, has seen. */
const seen = new Map<string, Verdict>();
const uses = (name: string, verdict: Verdict): string => {
  seen.set(name, verdict);
  return name;
};

describe('ITI-41', { skip }, () => {
  test('the captured request, as it is: its boundary is not that of its own head, so it is refused', async () => {
    const { type, bytes } = captured(uses('ITI-41/epr__ITI-41_request_raw.xml', 'refused'));
    const answer = valid(await send(hub.url, type, bytes));
    assert.deepEqual([answer.status, answer.envelope.toString().includes('boundary')], [400, true]);
  });

  test('under its own boundary: refused, since its prefix wsse is bound to nothing', async () => {
    const { type, bytes } = rebound();
    const answer = valid(await send(hub.url, type, bytes));
    assert.deepEqual([answer.status, answer.envelope.toString().includes('well-formed')], [400, true]);
  });

  test('with that prefix bound: stored byte for byte, its extra slot kept', async () => {
    const { type, bytes } = rebound();
    const bound = bytes.toString().replace('<wsse:Security>', `<wsse:Security xmlns:wsse="${WSSE}">`);
    const answer = valid(await send(hub.url, type, bound));
    assert.equal(said(answer).status, 'success', answer.envelope.toString());
    const entry = await registered(hub, '2.25.267241352778226683619515102048382761723');
    assert.deepEqual([entry.mimeType, entry.repositoryUniqueId], ['application/fhir+json', REPOSITORY]);
    assert.equal(entry.extra?.[0]?.name, 'urn:e-health-suisse:2020:originalProviderRole');
    const { rows } = await hub.database.pool.query<{ object: string }>('select object from repository_document');
    const stored = await hub.objects.readAll(rows[0]?.object ?? '');
    assert.equal((JSON.parse(stored.toString()) as { id: string }).id, 'Bundle-0001');
    assert.equal(entry.size, stored.length);
  });

  test('the request for readers, with line numbers: no SOAP message', async () => {
    const text = sample(uses('ITI-41/epr__ITI-41_request.xml', 'refused'));
    const answer = valid(await send(hub.url, 'application/soap+xml', text));
    assert.deepEqual([answer.status, answer.envelope.toString().includes('env:Sender')], [400, true]);
  });

  test('metadata with a hash: refused with other bytes, without hash and size registered', async () => {
    const metadata = sample(uses('ITI-41/ipf__submission-set.xml', 'refused'));
    const document = { ...sent('four'), name: 'Document01' };
    const wrong = await provide(hub, [document], { metadata });
    assert.deepEqual(codesOf(wrong), ['XDSRepositoryMetadataError']);
    const bare = metadata.replace(/<rim:Slot name="(hash|size)">.*?<\/rim:Slot>/gs, '');
    const right = await provide(hub, [document], { metadata: bare });
    assert.equal(said(right).status, 'success', right.envelope.toString());
  });

  test('responses are read as a document source reads them', async () => {
    const plain = bodyOf(Buffer.from(sample(uses('ITI-41/epr__ITI-41_response.xml', 'read'))));
    const { type, bytes } = captured(uses('ITI-41/epr__ITI-41_response_raw.xml', 'read'));
    const packed = await readPackage(type, Readable.from([bytes]), { bytes: 1 << 20, parts: 9 });
    assert.ok(packed.ok);
    for (const body of [plain, bodyOf(packed.value.envelope)]) {
      const read = readRegistryResponse(body);
      assert.deepEqual(read.ok && read.value, { status: 'success', problems: [] });
    }
  });
});

describe('ITI-43', { skip }, () => {
  test('the captured request: Failure while there is no such document, then the document', async () => {
    const text = sample(uses('ITI-43/epr__ITI-43_request_raw.xml', 'accepted'));
    const none = valid(await send(hub.url, 'application/soap+xml', text, 'query-platform'));
    assert.deepEqual([said(none).status, codesOf(none)], ['failure', ['XDSDocumentUniqueIdError']]);
    const document = { ...sent('a report'), uniqueId: DOCUMENT };
    assert.equal(said(await provide(hub, [document])).status, 'success');
    const found = valid(await send(hub.url, 'application/soap+xml', text, 'query-platform'));
    assert.equal(said(found).status, 'success');
    const response = readRetrieveResponse(found.body);
    assert.ok(response.ok);
    assert.deepEqual(
      response.value.documents.map(({ homeCommunityId, documentUniqueId }) => [homeCommunityId, documentUniqueId]),
      [['urn:oid:1.3.6.1.4.1.21367.2017.2.6.19', DOCUMENT]],
    );
  });

  test('request and response for readers have no namespaces: no SOAP messages', async () => {
    for (const name of ['ITI-43/epr__ITI-43_request.xml', 'ITI-43/epr__ITI-43_response.xml']) {
      const answer = valid(
        await send(hub.url, 'application/soap+xml', sample(uses(name, 'refused')), 'query-platform'),
      );
      assert.equal(answer.status, 400, name);
    }
  });

  test('the captured response is read as a document consumer reads it', () => {
    const response = readRetrieveResponse(
      bodyOf(Buffer.from(sample(uses('ITI-43/epr__ITI-43_response_raw.xml', 'read')))),
    );
    assert.ok(response.ok);
    assert.deepEqual(
      response.value.documents.map(({ documentUniqueId, mimeType }) => [documentUniqueId, mimeType]),
      [[DOCUMENT, 'application/pdf']],
    );
  });
});

test('no sample is left out', { skip }, () => {
  const all = ['ITI-41', 'ITI-43'].flatMap((kind) =>
    iheSamples(kind).map((one) => ({ ...one, name: `${kind}/${one.name}` })),
  );
  assert.deepEqual([...seen.keys()].sort(), all.map(({ name }) => name).sort());
  for (const { name, verdict } of all) assert.equal(seen.get(name), verdict, name);
});
