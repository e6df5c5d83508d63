/** Requests and responses of RAD-69 against the published schemas, by xmllint: ours, and the samples that others wrote. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import { readPackage } from '../../mappings/xds/mtom.ts';
import { readImagingRequest } from '../../mappings/xds/rad-69.ts';
import { readEnvelope } from '../../mappings/xds/soap.ts';
import { parseXml } from '../../mappings/xds/xml.ts';
import { EXPLICIT, image, post, requestBody, requestEnvelope, serve, SOAP_TYPE } from '../support/xds-peer.ts';
import type { Peer } from '../support/xds-peer.ts';

const data = process.env.HUB_TEST_DATA ?? '';
const schemas = process.env.HUB_TEST_SCHEMA ?? (data === '' ? '' : join(data, '../schema'));
const driver = join(schemas, 'soap-xds-all.xsd');
const missing =
  schemas === '' || !existsSync(driver)
    ? 'HUB_TEST_SCHEMA is unset and no schema folder stands beside HUB_TEST_DATA'
    : spawnSync('xmllint', ['--version']).error
      ? 'xmllint is not installed'
      : false;

/** An xop:Include is no base64Binary: it is blanked, as the XOP infoset has the bytes there. */
function validate(envelope: Buffer): string {
  const infoset = envelope.toString().replace(/<xop:Include\b[^>]*\/>/g, '');
  const run = spawnSync('xmllint', ['--nonet', '--noout', '--schema', driver, '-'], {
    input: infoset,
    encoding: 'utf8',
  });
  return run.status === 0 ? '' : run.stderr;
}

let peer: Peer;
before(async () => {
  peer = await serve([image('1.2.3', '1.2.3.1', '1.2.3.1.1'), image('1.2.3', '1.2.3.1', '1.2.3.1.2')]);
});
after(() => peer.close());

const wanted = (sop: string, home?: string) => ({
  study: '1.2.3',
  series: '1.2.3.1',
  sop,
  ...(home === undefined ? {} : { home }),
});

for (const [what, documents] of [
  ['success', [wanted('1.2.3.1.1'), wanted('1.2.3.1.2', 'urn:oid:2.999.156.2')]],
  ['partial success', [wanted('1.2.3.1.1'), wanted('1.2.3.1.9')]],
  ['failure', [wanted('1.2.3.1.9'), { ...wanted('1.2.3.1.1'), repository: '1.2.3.4' }]],
] as const)
  test(`the response of a ${what} is valid`, { skip: missing }, async () => {
    const request = requestEnvelope(requestBody(documents, [EXPLICIT]));
    assert.equal(validate(Buffer.from(request)), '');
    const answer = await post(peer.url, SOAP_TYPE, request);
    assert.equal(answer.status, 200);
    const packed = await readPackage(answer.type, Readable.from([answer.bytes]), { bytes: 1 << 24, parts: 100 });
    assert.ok(packed.ok);
    assert.equal(validate(packed.value.envelope), '');
  });

test('every fault is a valid envelope', { skip: missing }, async () => {
  const good = requestEnvelope(requestBody([wanted('1.2.3.1.1')], [EXPLICIT]));
  const bad = [
    good.replace('http://www.w3.org/2003/05/soap-envelope', 'http://schemas.xmlsoap.org/soap/envelope/'),
    good.replace('</s:Header>', '<q:x xmlns:q="urn:q" s:mustUnderstand="1"/></s:Header>'),
    good.replace('RetrieveImagingDocumentSet<', 'Other<'),
    good.replace('addressing/anonymous', 'addressing/none'),
    '<a/>',
  ];
  for (const request of bad) {
    const answer = await post(peer.url, 'application/soap+xml', request);
    assert.ok(answer.status >= 400);
    assert.equal(validate(answer.bytes), '', answer.bytes.toString());
  }
});

const folder = join(data, 'ihe');
const samples =
  data === ''
    ? []
    : readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
        (name) =>
          /\.(xml|txt|http|mime)$/.test(name) &&
          readFileSync(join(folder, name)).includes('RetrieveImagingDocumentSet'),
      );

test(
  'samples of RAD-69 requests that others wrote are read',
  { skip: samples.length === 0 ? 'no RAD-69 sample under HUB_TEST_DATA/ihe' : false },
  () => {
    for (const name of samples) {
      const text = readFileSync(join(folder, name), 'utf8');
      const root = parseXml(Buffer.from(text.slice(Math.max(0, text.indexOf('<')))));
      assert.ok(root.ok, name);
      const envelope = readEnvelope(root.value, null, [
        'urn:ihe:rad:2009:RetrieveImagingDocumentSet',
        'urn:ihe:rad:2011:CrossGatewayRetrieveImagingDocumentSet',
      ]);
      assert.ok(envelope.ok, name);
      assert.ok(readImagingRequest(envelope.message.body, { documents: 10_000 }).ok, name);
    }
  },
);
