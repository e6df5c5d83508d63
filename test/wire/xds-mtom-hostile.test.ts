/**
 * ITI-41 as it should not be sent (wire contract §1 and §12), over real HTTP and PostgreSQL: each is answered, leaves
 * nothing behind, and does not disturb the next.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure, problem } from '../../hub/core/problem.ts';
import { scrub } from '../../hub/log.ts';
import {
  ITI41_REQUEST,
  ITI43_REQUEST,
  writeProvideRequest,
  writeRetrieveRequest,
} from '../../mappings/xds/document-set.ts';
import { writeSubmission } from '../../mappings/xds/ebrim-write.ts';
import {
  codesOf,
  plainType,
  REPOSITORY,
  retrieve,
  said,
  send,
  soap,
  startRepositoryHub,
} from '../support/repository-hub.ts';
import type { RepositoryHub } from '../support/repository-hub.ts';
import { BYTES, document, envelopeOf, include, latin1, packageOf, related, ROOT } from '../support/soap-package.ts';
import { leavesNothing, objectsOf, provided, valid } from '../support/submission.ts';
import type { SentDocument } from '../support/submission.ts';

let hub: RepositoryHub;
before(async () => {
  hub = await startRepositoryHub(() => ({
    limits: { requestBytes: 4_000_000, documentBytes: 2_000_000, documents: 20 },
  }));
});
after(() => hub.close());

/** Answered in SOAP, nothing left, and the next request is served. */
const refused =
  (status: number, pattern: RegExp, type: string, content: (one: SentDocument) => string | Buffer) => () =>
    leavesNothing(hub, async () => {
      const one = document();
      const answer = valid(await send(hub.url, type, content(one)));
      assert.equal(answer.status, status, answer.envelope.toString());
      assert.match(answer.envelope.toString(), pattern);
      const got = await retrieve(hub, [one.uniqueId]);
      assert.equal(got.status, 'failure');
    });

describe('packages that are broken', () => {
  const good = (one: SentDocument): Buffer =>
    packageOf(ROOT, envelopeOf(one, include('cid:a@x')), 'Content-ID: <a@x>\r\n', BYTES);
  const cut = (from: string, to: string) => (one: SentDocument) =>
    latin1(good(one).toString('latin1').replace(from, to));

  test('no closing boundary', refused(400, /env:Sender/, related('b'), cut('\r\n--b--\r\n', '')));
  test(
    'cut in a part',
    refused(400, /env:Sender/, related('b'), (one) => good(one).subarray(0, -100)),
  );
  test(
    'cut in the envelope',
    refused(400, /env:Sender/, related('b'), (one) => good(one).subarray(0, 2_000)),
  );
  test('cid without part', refused(400, /xop:Include/, related('b'), cut('<a@x>', '<b@x>')));
  test('part without Content-ID', refused(400, /xop:Include/, related('b'), cut('Content-ID: <a@x>\r\n', '')));
  test('href that is no cid', refused(400, /xop:Include/, related('b'), cut('cid:a@x', 'http://localhost/a')));
  test(
    'two parts with one Content-ID',
    refused(400, /Content-ID/, related('b'), cut('\r\n--b--', '\r\n--b\r\nContent-ID: <a@x>\r\n\r\nx\r\n--b--')),
  );
  test('the boundary of the header is not that of the body', refused(400, /boundary/, related('c'), good));
  test('start names nothing', refused(400, /start/, related('b', 'start="<nothing>"; '), good));
  test('root that is no XML', refused(415, /xop\+xml/, related('b'), cut('application/xop+xml;', 'application/pdf;')));
  test(
    'unknown transfer encoding',
    refused(
      415,
      /Transfer/,
      related('b'),
      cut('Content-ID: <a@x>', 'Content-Transfer-Encoding: x-uu\r\nContent-ID: <a@x>'),
    ),
  );
  test(
    'type that is no SOAP',
    refused(415, /env:Sender/, 'multipart/related; type="application/dicom"; boundary=b', good),
  );
  test('form data', refused(415, /env:Sender/, 'multipart/form-data; boundary=b', good));
  test('unclosed element', refused(400, /well-formed/, related('b'), cut('</s:Body>', '')));
  test(
    'DOCTYPE',
    refused(400, /DOCTYPE/, related('b'), cut('<s:Envelope', '<!DOCTYPE s [<!ENTITY a "b">]><s:Envelope')),
  );
  test(
    'SOAP 1.1',
    refused(
      500,
      /VersionMismatch/,
      related('b'),
      cut('http://www.w3.org/2003/05/soap-envelope', 'http://schemas.xmlsoap.org/soap/envelope/'),
    ),
  );
  test(
    'action of another transaction',
    refused(400, /ActionMismatch/, related('b', `action="${ITI43_REQUEST}"; `), good),
  );
  test(
    'header that must be understood',
    refused(
      500,
      /MustUnderstand/,
      related('b'),
      cut('</s:Header>', '<q:x xmlns:q="urn:q" s:mustUnderstand="1"/></s:Header>'),
    ),
  );
  test(
    'reply to another address',
    refused(400, /OnlyAnonymousAddressSupported/, related('b'), cut('addressing/anonymous', 'addressing/none')),
  );
  test(
    'a document too large',
    refused(413, /larger/, related('b'), (one) => {
      return packageOf(ROOT, envelopeOf(one, include('cid:a@x')), 'Content-ID: <a@x>\r\n', Buffer.alloc(2_100_000));
    }),
  );
  test(
    'a message too large',
    refused(413, /larger/, related('b'), (one) => {
      const parts = Array.from(
        { length: 5 },
        (_, at) => `\r\n--b\r\nContent-ID: <${String(at)}@y>\r\n\r\n${' '.repeat(1_000_000)}`,
      );
      return latin1(
        good(one)
          .toString('latin1')
          .replace('\r\n--b--', `${parts.join('')}\r\n--b--`),
      );
    }),
  );
  test(
    'too many parts',
    refused(400, /parts/, related('b'), (one) => {
      const parts = Array.from({ length: 1_001 }, (_, at) => `\r\n--b\r\nContent-ID: <${String(at)}@y>\r\n\r\n`);
      return latin1(
        good(one)
          .toString('latin1')
          .replace('\r\n--b--', `${parts.join('')}\r\n--b--`),
      );
    }),
  );
  test(
    'an envelope too large',
    refused(413, /larger/, related('b'), (one) => {
      return cut('<s:Body>', `<s:Body><!--${' '.repeat(3_900_000)}${' '.repeat(200_000)}-->`)(one);
    }),
  );
});

/** In the registry's words: HTTP 200 and Failure. */
const failure = (code: string, type: string, content: (one: SentDocument) => string | Buffer) => () =>
  leavesNothing(hub, async () => {
    const one = document();
    const answer = valid(await send(hub.url, type, content(one)));
    assert.equal(said(answer).status, 'failure');
    assert.ok(codesOf(answer).includes(code), codesOf(answer).join(' '));
    assert.equal((await retrieve(hub, [one.uniqueId])).status, 'failure');
  });

describe('documents that are broken', () => {
  const inline = (content: string) => (one: SentDocument) => envelopeOf(one, content);
  const plain = plainType(ITI41_REQUEST);
  test('short text that is no base64', failure('XDSRepositoryError', plain, inline('no base64!')));
  test('base64 that ends early', failure('XDSRepositoryError', plain, inline('QUJDR')));
  test('an element where base64 belongs', failure('XDSRepositoryError', plain, inline('<x>QUJD</x>Q')));
  test('long text that is no base64', refused(400, /base64/, plain, inline(`${'QUJD'.repeat(20_000)}!`)));
  test(
    'ebRIM in another order (strict)',
    failure('XDSRegistryMetadataError', plain, (one) =>
      envelopeOf(one, 'QUJD')
        .replace(/(<rim:Name>.*?<\/rim:Name>)/, '')
        .replace(/(<rim:ExtrinsicObject[^>]*>)/, '$1<rim:Name><rim:LocalizedString value="first"/></rim:Name>'),
    ),
  );
  test(
    'one part for two documents',
    failure('XDSRepositoryError', related('b'), (one) => {
      const two = document();
      const metadata = writeSubmission(objectsOf([one, two]));
      const list = writeProvideRequest(metadata, [
        { id: one.name, contentId: 'a@x' },
        { id: two.name, contentId: 'a@x' },
      ]);
      return packageOf(ROOT, soap(ITI41_REQUEST, list), 'Content-ID: <a@x>\r\n', BYTES);
    }),
  );
});

describe('peers and disks that fail', () => {
  test('a connection that is cut while a document comes', () =>
    leavesNothing(hub, async () => {
      const { type, bytes } = provided([{ ...document(), bytes: Buffer.alloc(1_000_000, 7) }]);
      const asked = request(hub.url, {
        method: 'POST',
        headers: { 'content-type': type, 'content-length': bytes.length, 'x-role': 'hospital-feed' },
      });
      asked.on('error', () => undefined);
      asked.write(bytes.subarray(0, 700_000));
      await sleep(300);
      asked.destroy();
      await sleep(500);
      assert.equal((await retrieve(hub, ['1.2.3'])).status, 'failure');
    }));

  test('a hundred connections that are cut anywhere', () =>
    leavesNothing(hub, async () => {
      const { port, hostname } = new URL(hub.url);
      const { type, bytes } = provided([{ ...document(), bytes: Buffer.alloc(60_000, 7) }]);
      const head = `POST /xds/repository HTTP/1.1\r\nHost: x\r\nx-role: hospital-feed\r\nContent-Type: ${type}\r\nContent-Length: ${String(bytes.length)}\r\n\r\n`;
      await Promise.all(
        Array.from({ length: 100 }, async (_, at) => {
          const socket = connect(Number(port), hostname);
          socket.on('error', () => undefined);
          await once(socket, 'connect');
          socket.write(head);
          socket.write(bytes.subarray(0, Math.floor((bytes.length * at) / 100)));
          await sleep(50);
          socket.destroy();
        }),
      );
      await sleep(1_000);
    }));

  test('a store that is full: XDSRepositoryOutOfResources, and nothing stays', async () => {
    const full = await startRepositoryHub(({ objects }) => ({
      objects: new Proxy(objects, {
        get: (target, name) => {
          if (name !== 'write') {
            const value = Reflect.get(target, name) as unknown;
            return typeof value === 'function' ? (value.bind(target) as unknown) : value;
          }
          return async (key: string) => {
            const writer = await target.write(key);
            return {
              write: () => Promise.reject(new Failure(problem('unavailable', undefined, 'The disk is full.'))),
              commit: () => writer.commit(),
              abort: () => writer.abort(),
            };
          };
        },
      }),
    }));
    try {
      const { type, bytes } = provided([document()]);
      const answer = valid(await send(full.url, type, bytes));
      assert.deepEqual(codesOf(answer), ['XDSRepositoryOutOfResources']);
      assert.deepEqual(await full.files(), []);
    } finally {
      await full.close();
    }
  });

  test('a registry that breaks: XDSRegistryError, and nothing stays', async () => {
    const broken = await startRepositoryHub(({ registry }) => ({
      registry: {
        documents: registry.documents,
        register: () => Promise.reject(Object.assign(new Error('REPO1 in a message'), { code: '23505' })),
      },
    }));
    try {
      const { type, bytes } = provided([document()]);
      assert.deepEqual(codesOf(await send(broken.url, type, bytes)), ['XDSRegistryError']);
      assert.deepEqual(await broken.files(), []);
      assert.doesNotMatch(broken.logged.join('\n'), /REPO1/);
      // As the log writes it: a code is what the operator has to go by.
      const line = scrub(JSON.parse(broken.logged.at(-1) ?? '{}')) as { code?: string };
      assert.equal(line.code, '23505');
    } finally {
      await broken.close();
    }
  });

  test('a reader that leaves in the middle of a document disturbs nobody', async () => {
    const one = { ...document(), bytes: Buffer.alloc(1_900_000, 7) };
    const { type, bytes } = provided([one]);
    assert.equal(said(await send(hub.url, type, bytes)).status, 'success');
    const body = soap(
      ITI43_REQUEST,
      writeRetrieveRequest([{ homeCommunityId: null, repositoryUniqueId: REPOSITORY, documentUniqueId: one.uniqueId }]),
    );
    for (let at = 0; at < 10; at++) {
      const asked = request(hub.url, {
        method: 'POST',
        headers: { 'content-type': plainType(ITI43_REQUEST), 'x-role': 'query-platform' },
      });
      asked.on('error', () => undefined);
      asked.end(body);
      const [response] = (await once(asked, 'response')) as [NodeJS.ReadableStream & { destroy(): void }];
      await once(response, 'readable');
      response.destroy();
    }
    assert.ok((await retrieve(hub, [one.uniqueId])).documents[0]?.bytes?.equals(one.bytes));
  });
});
