/** RAD-69 as a peer on the wire sees it: what is asked comes back exactly, what cannot come is told as the contract says. */
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { includedPart, readPackage, XOP } from '../../mappings/xds/mtom.ts';
import { readImagingResponse } from '../../mappings/xds/rad-69.ts';
import { childNamed, parseXml } from '../../mappings/xds/xml.ts';
import { SOAP } from '../../mappings/xds/soap.ts';
import { EXPLICIT, image, JPEG_LS, post, requestBody, requestEnvelope, serve, SOAP_TYPE } from '../support/xds-peer.ts';
import type { Peer, Wanted } from '../support/xds-peer.ts';

const images = ['1', '2', '3'].map((n) => image('1.2.3', '1.2.3.1', `1.2.3.1.${n}`, 70_001 + Number(n)));
const other = image('1.2.4', '1.2.4.1', '1.2.4.1.1');
const want = (sop: string, more: Partial<Wanted> = {}): Wanted => ({
  study: '1.2.3',
  series: '1.2.3.1',
  sop: `1.2.3.1.${sop}`,
  ...more,
});

let peer: Peer;
before(async () => {
  peer = await serve([...images, other]);
});
after(() => peer.close());

async function retrieve(wanted: readonly Wanted[], syntaxes: readonly string[] = [EXPLICIT], at = peer) {
  const answer = await post(at.url, SOAP_TYPE, requestEnvelope(requestBody(wanted, syntaxes)));
  assert.equal(answer.status, 200, answer.bytes.toString());
  return read(answer.type, answer.bytes);
}

async function read(type: string, bytes: Buffer) {
  const packed = await readPackage(type, Readable.from([bytes]), { bytes: 1 << 28, parts: 1000 });
  assert.ok(packed.ok);
  assert.equal(packed.value.action, 'urn:ihe:iti:2007:RetrieveDocumentSetResponse');
  const root = parseXml(packed.value.envelope);
  assert.ok(root.ok);
  const body = childNamed(root.value, SOAP, 'Body')?.children[0];
  assert.ok(body);
  const response = readImagingResponse(body);
  assert.ok(response.ok);
  const documents = response.value.documents.map(({ content, ...rest }) => {
    const include = childNamed(content, XOP, 'Include');
    assert.ok(include);
    return { ...rest, bytes: includedPart(include, packed.value.attachments) };
  });
  return {
    status: response.value.status,
    errors: response.value.errors,
    documents,
    header: packed.value.envelope.toString(),
  };
}

describe('RAD-69', () => {
  test('gives every instance byte for byte, in the order asked', async () => {
    const answer = await retrieve([
      want('2'),
      want('1'),
      want('3'),
      { study: '1.2.4', series: '1.2.4.1', sop: '1.2.4.1.1' },
    ]);
    assert.equal(answer.status, 'success');
    assert.deepEqual(answer.errors, []);
    assert.deepEqual(
      answer.documents.map((one) => one.sopUid),
      ['1.2.3.1.2', '1.2.3.1.1', '1.2.3.1.3', '1.2.4.1.1'],
    );
    for (const document of answer.documents)
      assert.ok(
        [...images, other].find((one) => one.sop === document.sopUid)?.bytes.equals(document.bytes ?? Buffer.alloc(0)),
      );
    assert.match(answer.header, /RelatesTo>urn:uuid:0fbfdced-6c01-4d09-a110-2201afedaa02</);
  });

  test('writes who saw what before the bytes leave', async () => {
    const at = peer.audits.length;
    await retrieve([want('1'), want('9')]);
    const [given, missed] = peer.audits.slice(at);
    assert.deepEqual(
      [given?.action, given?.outcome, given?.persons, given?.objects],
      ['read', 'success', ['person-of-1.2.3'], ['1.2.3']],
    );
    assert.deepEqual([missed?.outcome, missed?.reason], ['failure', 'XDSDocumentUniqueIdError']);
  });

  test('a failing audit gives no image', async () => {
    const failing = await serve(images, { audit: { record: () => Promise.reject(new Error('disk full')) } });
    const answer = await post(failing.url, SOAP_TYPE, requestEnvelope(requestBody([want('1')], [EXPLICIT])));
    await failing.close();
    assert.equal(answer.status, 500);
    assert.match(answer.bytes.toString(), /env:Receiver/);
    assert.equal(answer.bytes.includes('DICM'), false);
  });

  test('some found is PartialSuccess, none is Failure, with an error for each', async () => {
    const partial = await retrieve([want('1'), want('9'), want('1', { study: '1.2.4', series: '1.2.4.1' })]);
    assert.equal(partial.status, 'partial');
    assert.deepEqual(
      partial.errors.map((error) => error.code),
      ['XDSDocumentUniqueIdError', 'XDSDocumentUniqueIdError'],
    );
    assert.equal(partial.documents.length, 1);
    const none = await retrieve([want('1', { repository: '1.2.3.4' })]);
    assert.equal(none.status, 'failure');
    assert.deepEqual(
      none.errors.map((error) => error.code),
      ['XDSUnknownRepositoryId'],
    );
    assert.equal(none.documents.length, 0);
  });

  for (const [what, wanted] of [
    ['instance of another series', want('1', { series: '1.2.4.1' })],
    ['instance of another study', want('1', { study: '1.2.4' })],
    ['empty study UID', want('1', { study: '' })],
    ['empty series UID', want('1', { series: '' })],
    ['path instead of a UID', want('1', { study: '../../etc/passwd' })],
    ['markup instead of a UID', { study: '1.2.3', series: '1.2.3.1', sop: '&lt;b&gt;张三' }],
  ] as const)
    test(`${what}: XDSDocumentUniqueIdError`, async () => {
      const answer = await retrieve([wanted]);
      assert.equal(answer.status, 'failure');
      assert.equal(answer.errors[0]?.code, 'XDSDocumentUniqueIdError');
      assert.doesNotMatch(answer.header, /张三|passwd/);
    });

  test('a pair asked twice is answered once, without error', async () => {
    const answer = await retrieve([want('1'), want('1')]);
    assert.equal(answer.status, 'success');
    assert.equal(answer.documents.length, 1);
  });

  test('echoes the home community only where it was asked with one', async () => {
    const answer = await retrieve([want('1', { home: 'urn:oid:2.999.156.2' }), want('2')]);
    assert.deepEqual(
      answer.documents.map((one) => one.homeCommunityId),
      ['urn:oid:2.999.156.2', null],
    );
  });

  test('stored transfer syntax if listed, else one it can make, else an error', async () => {
    const stored = await retrieve([want('1')], ['1.2.840.10008.1.2', EXPLICIT, JPEG_LS]);
    assert.ok(stored.documents[0]?.bytes?.equals(images[0]?.bytes ?? Buffer.alloc(0)));
    const made = await retrieve([want('1')], ['1.2.840.10008.1.2.4.50', JPEG_LS]);
    assert.match(made.documents[0]?.bytes?.toString('latin1') ?? '', /^DICM-transcoded:/);
    for (const none of [['1.2.840.10008.1.2.4.50'], []]) {
      const refused = await retrieve([want('1')], none);
      assert.deepEqual([refused.status, refused.errors[0]?.code], ['failure', 'XDSRepositoryError']);
    }
  });

  test('a file that is gone, cut or no DICOM is an error in the envelope, and the rest comes', async () => {
    const cut = { ...image('1.2.3', '1.2.3.1', '1.2.3.1.7'), size: 99_999 };
    const wrong = { study: '1.2.3', series: '1.2.3.1', sop: '1.2.3.1.8', bytes: Buffer.alloc(500) };
    const broken = await serve([...images, cut, wrong]);
    const answer = await retrieve([want('7'), want('1'), want('8')], [EXPLICIT], broken);
    await broken.close();
    assert.equal(answer.status, 'partial');
    assert.deepEqual(
      answer.errors.map((error) => error.code),
      ['XDSRepositoryError', 'XDSRepositoryError'],
    );
    assert.deepEqual(
      answer.documents.map((one) => one.sopUid),
      ['1.2.3.1.1'],
    );
  });

  test('an answer that breaks off never looks whole', async () => {
    const opened: number[] = [];
    const failing = await serve(images, {
      images: {
        open: (_located, range) => {
          const bytes = images[0]?.bytes ?? Buffer.alloc(0);
          if (range?.start === 0 && range.end === 132) return Promise.resolve(Readable.from([bytes.subarray(0, 132)]));
          if ((range?.end ?? 0) - (range?.start ?? 0) === 1) return Promise.resolve(Readable.from([Buffer.alloc(1)]));
          opened.push(1);
          return Promise.resolve(Readable.from([bytes.subarray(0, 1000)]));
        },
      },
    });
    await assert.rejects(post(failing.url, SOAP_TYPE, requestEnvelope(requestBody([want('1')], [EXPLICIT]))));
    await failing.close();
    assert.equal(opened.length, 1);
  });

  test('closed to nobody and to roles without the right, and both are kept', async () => {
    const at = peer.audits.length;
    const envelope = requestEnvelope(requestBody([want('1')], [EXPLICIT]));
    const nobody = await post(peer.url, SOAP_TYPE, envelope, null);
    const feed = await post(peer.url, SOAP_TYPE, envelope, 'hospital-feed');
    assert.deepEqual([nobody.status, feed.status], [401, 403]);
    assert.match(feed.bytes.toString(), /env:Sender/);
    assert.deepEqual(
      peer.audits.slice(at).map((event) => [event.action, event.outcome]),
      [
        ['refuse', 'refused'],
        ['refuse', 'refused'],
      ],
    );
  });

  test('one gigabyte passes through little memory', async () => {
    const size = 1 << 30;
    const head = Buffer.concat([Buffer.alloc(128), Buffer.from('DICM')]);
    const chunk = Buffer.alloc(1 << 18, 7);
    const large = { ...image('1.2.3', '1.2.3.1', '1.2.3.1.1'), size };
    const giant = await serve([large], {
      images: {
        open: (_located, range) => {
          const length = Math.min(size, range?.end ?? size) - (range?.start ?? 0);
          if (range?.end === 132) return Promise.resolve(Readable.from([head]));
          return Promise.resolve(Readable.from(chunks(length, chunk)));
        },
      },
    });
    const before = process.memoryUsage().rss;
    let most = 0;
    let bytes = 0;
    const response = await fetch(giant.url, {
      method: 'POST',
      headers: { 'Content-Type': SOAP_TYPE, 'x-role': 'query-platform' },
      body: requestEnvelope(requestBody([want('1')], [EXPLICIT])),
    });
    for await (const part of response.body ?? []) {
      bytes += (part as Uint8Array).length;
      most = Math.max(most, process.memoryUsage().rss - before);
    }
    await giant.close();
    assert.equal(bytes, Number(response.headers.get('content-length')));
    assert.ok(bytes > size);
    assert.ok(most < 150e6, `${String(Math.round(most / 1e6))} MB more`);
  });
});

function* chunks(length: number, chunk: Buffer): Generator<Buffer> {
  for (let left = length; left > 0; left -= chunk.length) yield left >= chunk.length ? chunk : chunk.subarray(0, left);
}
