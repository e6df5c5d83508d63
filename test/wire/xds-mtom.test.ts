/**
 * ITI-41 as the field sends it (wire contract §1 and §12), over real HTTP and PostgreSQL: however a document is packed, it
 * is stored byte for byte.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ITI41_REQUEST } from '../../mappings/xds/document-set.ts';
import { plainType, retrieve, said, send, startRepositoryHub } from '../support/repository-hub.ts';
import type { Answer, RepositoryHub } from '../support/repository-hub.ts';
import { BYTES, document, envelopeOf, include, latin1, packageOf, related, ROOT } from '../support/soap-package.ts';
import { provided, valid } from '../support/submission.ts';
import type { SentDocument } from '../support/submission.ts';

let hub: RepositoryHub;
before(async () => {
  hub = await startRepositoryHub(() => ({
    limits: { requestBytes: 4_000_000, documentBytes: 2_000_000, documents: 20 },
  }));
});
after(() => hub.close());

/** Stored as sent, and given back so. */
async function works(one: SentDocument, type: string, content: string | Buffer): Promise<Answer> {
  const answer = valid(await send(hub.url, type, content));
  assert.equal(said(answer).status, 'success', answer.envelope.toString());
  const got = await retrieve(hub, [one.uniqueId]);
  assert.ok(got.documents[0]?.bytes?.equals(one.bytes));
  return answer;
}

describe('variants that are accepted', () => {
  test('12.1 no start parameter: the first part is the root', async () => {
    const one = document();
    const envelope = envelopeOf(one, include('cid:a@x'));
    await works(one, related('b'), packageOf(ROOT, envelope, 'Content-ID: <a@x>\r\n', BYTES));
  });

  test('12.2 cid percent-encoded in the href, not in the Content-ID', async () => {
    const one = document();
    const envelope = envelopeOf(one, include('cid:8ba22b9e-1@urn%3Aihe%3Aiti%3Axds-b%3A2007'));
    await works(
      one,
      related('b'),
      packageOf(ROOT, envelope, 'Content-ID: <8ba22b9e-1@urn:ihe:iti:xds-b:2007>\r\n', BYTES),
    );
  });

  test('12.2b cid that looks percent-encoded on both sides', async () => {
    const one = document();
    const envelope = envelopeOf(one, include('cid:1%3A2@x'));
    await works(one, related('b'), packageOf(ROOT, envelope, 'Content-ID: <1%3A2@x>\r\n', BYTES));
  });

  test('12.3 WCF: a URL as Content-ID, 8bit, signs in the boundary, a blank line before it', async () => {
    const one = document();
    const boundary = 'uuid:6f0e1d7c-2b2e+id=42';
    const root = `Content-ID: <http://tempuri.org/0>\r\nContent-Transfer-Encoding: 8bit\r\n${ROOT}`;
    const part =
      'Content-ID: <http://tempuri.org/1/639>\r\nContent-Transfer-Encoding: binary\r\nContent-Type: application/octet-stream\r\n';
    const body = packageOf(
      root,
      envelopeOf(one, include('cid:http%3A%2F%2Ftempuri.org%2F1%2F639')),
      part,
      BYTES,
      boundary,
    );
    const more = 'start="<http://tempuri.org/0>"; start-info="application/soap+xml"; ';
    await works(one, related(boundary, more), Buffer.concat([latin1('\r\n'), body]));
  });

  test('12.4 inline base64 in MTOM, and in plain SOAP: small, long, and with line breaks', async () => {
    for (const size of [0, 10, 40_000, 1_500_000]) {
      const bytes = Buffer.alloc(size, BYTES);
      for (const text of [bytes.toString('base64'), bytes.toString('base64').replace(/.{76}/g, '$&&#13;\n')]) {
        const one = { ...document(), bytes };
        const envelope = envelopeOf(one, text);
        await works(one, related('b'), Buffer.from(`--b\r\n${ROOT}\r\n${envelope}\r\n--b--`));
        const other = { ...document(), bytes };
        const answer = await works(other, plainType(ITI41_REQUEST), envelopeOf(other, text));
        assert.match(answer.type, /^application\/soap\+xml/);
      }
    }
  });

  test('12.5 the documents before the envelope, and start naming it', async () => {
    const one = document();
    const body = Buffer.concat([
      latin1('--b\r\nContent-ID: <a@x>\r\n\r\n'),
      BYTES,
      Buffer.from(`\r\n--b\r\nContent-ID: <root@x>\r\n${ROOT}\r\n${envelopeOf(one, include('cid:a@x'))}\r\n--b--\r\n`),
    ]);
    await works(one, related('b', 'start="<root@x>"; '), body);
  });

  test('12.6 a part in base64, folded headers, line feeds only', async () => {
    const one = document();
    const part = 'Content-ID: <a@x>\r\nContent-Transfer-Encoding: base64\r\nContent-Type: a/b;\r\n x="y"\r\n';
    const text = latin1(BYTES.toString('base64').replace(/.{76}/g, '$&\r\n'));
    await works(one, related('b'), packageOf(ROOT, envelopeOf(one, include('cid:a@x')), part, text));
    const two = document();
    const body = packageOf(ROOT, envelopeOf(two, include('cid:a@x')), part, text);
    await works(two, related('b'), latin1(body.toString('latin1').replaceAll('\r\n', '\n')));
  });

  test('12.7 parts that nobody names, with and without Content-ID: passed by, and not kept', async () => {
    const one = document();
    const files = (await hub.files()).length;
    const written = hub.written();
    const body = packageOf(ROOT, envelopeOf(one, include('cid:a@x')), 'Content-ID: <a@x>\r\n', BYTES)
      .toString('latin1')
      .replace('--b--', '--b\r\n\r\nno id\r\n--b\r\nContent-ID: <other@x>\r\n\r\nnot named\r\n--b--');
    await works(one, related('b'), latin1(body));
    assert.equal((await hub.files()).length, files + 1);
    assert.equal(hub.written(), written + 1, 'no other was written even for a moment');
  });

  test('12.8 trailing blanks in CX values, and a stray ObjectRef', async () => {
    const one = document();
    const envelope = envelopeOf(one, include('cid:a@x'))
      .replace(/&amp;ISO</g, '&amp;ISO <')
      .replace('<rim:ExtrinsicObject', '<rim:ObjectRef id="urn:uuid:0a0b0c0d-1111-4222-8333-944444444499"/>$&');
    await works(one, related('b'), packageOf(ROOT, envelope, 'Content-ID: <a@x>\r\n', BYTES));
  });

  test('12.9 action on the package, on the root, in start-info, or nowhere', async () => {
    for (const [more, root] of [
      [`action="${ITI41_REQUEST}"; `, ROOT],
      ['', ROOT.replace('type=', `action="${ITI41_REQUEST}"; type=`)],
      [`start-info="application/soap+xml; action=\\"${ITI41_REQUEST}\\""; `, ROOT],
      ['', ROOT],
    ] as const) {
      const one = document();
      await works(
        one,
        related('b', more),
        packageOf(root, envelopeOf(one, include('cid:a@x')), 'Content-ID: <a@x>\r\n', BYTES),
      );
    }
  });

  test('12.10 chunked, in pieces of a few bytes', async () => {
    const one = document();
    const { type, bytes } = provided([one]);
    async function* crumbs(): AsyncGenerator<Buffer> {
      for (let at = 0; at < bytes.length; at += 7) yield bytes.subarray(at, at + 7);
      await Promise.resolve();
    }
    const answer = await send(hub.url, type, crumbs());
    assert.equal(said(answer).status, 'success');
    assert.ok((await retrieve(hub, [one.uniqueId])).documents[0]?.bytes?.equals(BYTES));
  });
});
