/** The gateways' retrieves over real HTTP: documents of several communities in one answer, whatever one of them does. */
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, test } from 'node:test';
import type { CommunityConfig } from '../../adapters/xds/index.ts';
import { writeRetrieveAnswer } from '../../mappings/xds/cross-retrieve.ts';
import {
  ask,
  codes,
  community,
  gateways,
  ITI43,
  OTHER,
  OWN,
  RAD69,
  retrieved,
  scripted,
  soap,
  THIRD,
  want,
} from '../support/xds-community.ts';
import { EXPLICIT, image, REPOSITORY, requestBody } from '../support/xds-peer.ts';
import { invalid, noSchemas } from '../support/xsd.ts';

const near = ['1', '2'].map((n) => image('1.2.3', '1.2.3.1', `1.2.3.1.${n}`, 50_000));
const far = ['1', '2', '3'].map((n) => image('1.2.8', '1.2.8.1', `1.2.8.1.${n}`, 90_001));

describe('the initiating gateway fetches', () => {
  const fetches = async (
    peers: readonly CommunityConfig[],
    wanted: Parameters<typeof requestBody>[0],
    limits: NonNullable<Parameters<typeof gateways>[0]['limits']> = {},
  ) => {
    const gateway = await gateways({ images: near, communities: peers, limits });
    try {
      const answered = await ask(`${gateway.url}initiating`, RAD69, requestBody(wanted, [EXPLICIT]));
      return { answered, audits: gateway.audits, ...retrieved(answered) };
    } finally {
      await gateway.close();
    }
  };

  test('images of several communities in one answer, byte for byte', async () => {
    const second = await gateways({ home: OTHER, images: far });
    const third = await gateways({ home: THIRD, images: [image('1.2.9', '1.2.9.1', '1.2.9.1.1', 10)] });
    const answer = await fetches(
      [community(OTHER, `${second.url}responding`), community(THIRD, `${third.url}responding`)],
      [...near.map(({ sop }) => want(sop, OWN)), ...far.map(({ sop }) => want(sop, OTHER)), want('1.2.9.1.1', THIRD)],
    );
    assert.equal(answer.status, 'success');
    assert.match(answer.answered.type, /urn:ihe:iti:2007:RetrieveDocumentSetResponse/);
    assert.equal(answer.bytes.size, 6);
    for (const { sop, bytes } of [...near, ...far]) assert.ok(answer.bytes.get(sop)?.equals(bytes));
    assert.deepEqual(
      answer.documents.map(({ homeCommunityId }) => homeCommunityId),
      [OWN, OWN, OTHER, OTHER, OTHER, THIRD],
    );
    if (noSchemas === false) assert.equal(invalid(answer.answered.envelope), '');
    // The calls to the others, each before it was made, and then what was given to the caller.
    const recorded = answer.audits.map(({ operation, outcome, objects, detail }) => [
      detail?.initiated === true,
      operation,
      outcome,
      objects,
    ]);
    assert.deepEqual(
      recorded.sort(([a], [b]) => Number(b) - Number(a)),
      [
        [true, 'RAD-75', 'success', ['1.2.8']],
        [true, 'RAD-75', 'success', ['1.2.9']],
        [false, 'RAD-69', 'success', ['1.2.3', '1.2.8', '1.2.9']],
      ],
    );
    await Promise.all([second.close(), third.close()]);
  });

  test('and tells who is not known, not named or not there', async () => {
    const answer = await fetches(
      [community(OTHER, 'http://127.0.0.1:1/')],
      [want('1.2.3.1.1', OWN), want('1.2.8.1.1', OTHER), want('1.2.8.1.2', 'urn:oid:2.999.404'), want('1.2.8.1.3')],
    );
    assert.equal(answer.status, 'partial');
    assert.deepEqual(codes(answer.errors).sort(), [
      'XDSMissingHomeCommunityId',
      'XDSUnavailableCommunity',
      'XDSUnknownCommunity',
    ]);
    assert.equal(answer.bytes.size, 1);
  });

  test('nothing but what was asked', async () => {
    const given = (sop: string, home: string) => ({
      homeCommunityId: home,
      repositoryUniqueId: REPOSITORY,
      documentUniqueId: sop,
      mimeType: 'application/dicom\r\nX-Evil: 1',
    });
    const peer = await scripted((request, response) => {
      const listed = ['1.2.8.1.1', '1.2.8.1.1', '6.6.6'].map((sop, at) => ({
        given: given(sop, OWN),
        contentId: `${String(at)}@peer`,
      }));
      const body = soap(request, writeRetrieveAnswer('success', [], listed));
      response
        .setHeader('Content-Type', 'multipart/related; type="application/xop+xml"; start="<r>"; boundary=b')
        .end(
          `--b\r\nContent-Type: application/xop+xml\r\nContent-ID: <r>\r\n\r\n${body}\r\n` +
            listed
              .map(({ contentId }) => `--b\r\nContent-ID: <${contentId}>\r\n\r\nbytes of ${contentId}\r\n`)
              .join('') +
            '--b--\r\n',
        );
    });
    const answer = await fetches([community(OTHER, peer.url)], [want('1.2.8.1.1', OTHER), want('1.2.8.1.2', OTHER)]);
    assert.deepEqual(
      answer.documents.map(({ documentUniqueId, homeCommunityId }) => [documentUniqueId, homeCommunityId]),
      [['1.2.8.1.1', OTHER]],
    );
    assert.equal(answer.bytes.get('1.2.8.1.1')?.toString(), 'bytes of 0@peer');
    assert.deepEqual([answer.status, codes(answer.errors)], ['partial', ['XDSRepositoryError', 'XDSRepositoryError']]);
    assert.doesNotMatch(answer.answered.envelope.toString(), /X-Evil: 1\r\n/);
    await peer.close();
  });

  /** A good answer of two documents, cut or spoilt as told. */
  const spoilt = (spoil: (text: string) => string, pauseMs = 0) =>
    scripted(async (request, response) => {
      const listed = ['1.2.8.1.1', '1.2.8.1.2'].map((sop, at) => ({
        given: {
          homeCommunityId: OTHER,
          repositoryUniqueId: REPOSITORY,
          documentUniqueId: sop,
          mimeType: 'application/dicom',
        },
        contentId: `${String(at)}@peer`,
      }));
      const text =
        `--b\r\nContent-ID: <r>\r\nContent-Type: application/xop+xml\r\n\r\n${soap(request, writeRetrieveAnswer('success', [], listed))}\r\n` +
        listed.map(({ contentId }) => `--b\r\nContent-ID: <${contentId}>\r\n\r\n${'y'.repeat(1_000)}\r\n`).join('') +
        '--b--\r\n';
      response.setHeader('Content-Type', 'multipart/related; type="application/xop+xml"; boundary=b');
      const bytes = spoil(text);
      if (pauseMs === 0) response.end(bytes);
      else {
        response.write(bytes);
        await pause(pauseMs);
        response.end();
      }
    });

  const faults: readonly (readonly [string, (text: string) => string, number])[] = [
    ['breaks off in its last document', (text) => text.slice(0, -500), 1],
    ['ends without its last boundary', (text) => text.slice(0, -9), 1],
    ['lists a document that it never sends', (text) => text.replace('<1@peer>', '<9@peer>'), 1],
    [
      'encodes a part in an unknown way',
      (text) => text.replace('<1@peer>', '<1@peer>\r\nContent-Transfer-Encoding: uuencode'),
      1,
    ],
    ['sends a part head without end', (text) => text.replace('<1@peer>', `<1@peer>\r\nX: ${'z'.repeat(40_000)}`), 1],
  ];
  for (const [what, spoil, whole] of faults) {
    test(`beside others, a peer that ${what} costs only its own documents`, async () => {
      const peer = await spoilt(spoil);
      const answer = await fetches(
        [community(OTHER, peer.url)],
        [want('1.2.3.1.1', OWN), want('1.2.8.1.1', OTHER), want('1.2.8.1.2', OTHER)],
      );
      assert.equal(answer.status, 'partial');
      assert.equal(answer.bytes.size, 1 + whole);
      assert.ok(answer.errors.length > 0);
      assert.equal(answer.documents.length, answer.bytes.size);
      await peer.close();
    });
    test(`alone, a peer that ${what} never makes an answer that looks whole`, async () => {
      const peer = await spoilt(spoil);
      await assert.rejects(fetches([community(OTHER, peer.url)], [want('1.2.8.1.1', OTHER), want('1.2.8.1.2', OTHER)]));
      await peer.close();
    });
  }

  test('a peer that stops in the middle is given up after the idle time', async () => {
    const peer = await spoilt((text) => text.slice(0, -1_200), 10_000);
    const began = performance.now();
    const answer = await fetches(
      [community(OTHER, peer.url)],
      [want('1.2.3.1.1', OWN), want('1.2.8.1.1', OTHER), want('1.2.8.1.2', OTHER)],
      { idleMs: 200 },
    );
    assert.ok(performance.now() - began < 3_000);
    assert.equal(answer.status, 'partial');
    assert.ok(codes(answer.errors).includes('XDSUnavailableCommunity'));
    await peer.close();
  });

  test('a peer that sends more than may be is cut off', async () => {
    const peer = await spoilt((text) => text.replace('y'.repeat(1_000), 'y'.repeat(3_000_000)));
    const wanted = [want('1.2.3.1.1', OWN), want('1.2.8.1.1', OTHER), want('1.2.8.1.2', OTHER)];
    for (const limits of [{ answerBytes: 1_000_000 }, { spoolBytes: 1_000_000 }]) {
      const answer = await fetches([community(OTHER, peer.url)], wanted, limits);
      assert.deepEqual([answer.status, answer.bytes.size], ['partial', 1]);
    }
    await peer.close();
  });

  test('bytes inline in the envelope are taken as well, and a connection that was kept is used again', async () => {
    let connections = 0;
    const ports = new Set<string>();
    const peer = await scripted((request, response) => {
      ports.add(String(response.socket?.remotePort));
      connections++;
      const body = writeRetrieveAnswer(
        'success',
        [],
        [
          {
            given: {
              homeCommunityId: OTHER,
              repositoryUniqueId: REPOSITORY,
              documentUniqueId: '1.2.8.1.1',
              mimeType: 'application/dicom',
            },
            contentId: 'x',
          },
        ],
      ).replace(/<xop:Include[^>]*>/, Buffer.from('inline bytes').toString('base64'));
      response.setHeader('Content-Type', 'application/soap+xml').end(soap(request, body));
    });
    const gateway = await gateways({ communities: [community(OTHER, peer.url)] });
    for (let at = 0; at < 3; at++) {
      const body = requestBody([want('1.2.8.1.1', OTHER)], [EXPLICIT]);
      const answer = retrieved(await ask(`${gateway.url}initiating`, RAD69, body));
      assert.equal(answer.bytes.get('1.2.8.1.1')?.toString(), 'inline bytes');
    }
    assert.deepEqual([connections, ports.size], [3, 1]);
    await gateway.close();
    await peer.close();
  });

  test('a study of one gigabyte passes through little memory', async () => {
    const size = 1 << 30;
    const peer = await scripted(async (request, response) => {
      const given = {
        homeCommunityId: OTHER,
        repositoryUniqueId: REPOSITORY,
        documentUniqueId: '1.2.8.1.1',
        mimeType: 'application/dicom',
      };
      response.setHeader('Content-Type', 'multipart/related; type="application/xop+xml"; boundary=b');
      const body = soap(request, writeRetrieveAnswer('success', [], [{ given, contentId: '0@peer' }]));
      response.write(`--b\r\nContent-ID: <r>\r\n\r\n${body}\r\n--b\r\nContent-ID: <0@peer>\r\n\r\n`);
      const chunk = Buffer.alloc(1 << 18, 7);
      for (let left = size; left > 0; left -= chunk.length)
        if (!response.write(chunk)) await new Promise((resolve) => response.once('drain', resolve));
      response.end('\r\n--b--\r\n');
    });
    const gateway = await gateways({ communities: [community(OTHER, peer.url)] });
    const before = process.memoryUsage().rss;
    let [most, bytes] = [0, 0];
    const response = await fetch(`${gateway.url}initiating`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/soap+xml', 'x-role': 'query-platform' },
      body: `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://www.w3.org/2005/08/addressing"><s:Header><a:Action>${RAD69}</a:Action></s:Header><s:Body>${requestBody([want('1.2.8.1.1', OTHER)], [EXPLICIT])}</s:Body></s:Envelope>`,
    });
    for await (const part of response.body ?? []) {
      bytes += (part as Uint8Array).length;
      most = Math.max(most, process.memoryUsage().rss - before);
    }
    await gateway.close();
    await peer.close();
    assert.ok(bytes > size);
    assert.ok(most < 150e6, `${String(Math.round(most / 1e6))} MB more`);
  });

  test('documents by ITI-43 go the same way', async () => {
    const peer = await scripted((request, response) => {
      assert.equal(request.action, 'urn:ihe:iti:2007:CrossGatewayRetrieve');
      if (noSchemas === false) assert.equal(invalid(request.envelope), '');
      const given = {
        homeCommunityId: OTHER,
        repositoryUniqueId: '2.999.9',
        documentUniqueId: '2.999.9.1^x',
        mimeType: 'text/xml',
      };
      const body = soap(request, writeRetrieveAnswer('success', [], [{ given, contentId: '0@peer' }]));
      response
        .setHeader('Content-Type', 'multipart/related; type="application/xop+xml"; start="<r>"; boundary="b"')
        .end(
          `--b\r\nContent-ID: <0@peer>\r\nContent-Transfer-Encoding: base64\r\n\r\nPGE\r\nvPg==\r\n--b\r\nContent-ID: <r>\r\n\r\n${body}\r\n--b--`,
        );
    });
    const gateway = await gateways({ communities: [community(OTHER, peer.url)] });
    const body = `<ihe:RetrieveDocumentSetRequest xmlns:ihe="urn:ihe:iti:xds-b:2007"><ihe:DocumentRequest><ihe:HomeCommunityId>${OTHER}</ihe:HomeCommunityId><ihe:RepositoryUniqueId>2.999.9</ihe:RepositoryUniqueId><ihe:DocumentUniqueId>2.999.9.1^x</ihe:DocumentUniqueId></ihe:DocumentRequest></ihe:RetrieveDocumentSetRequest>`;
    const answer = retrieved(await ask(`${gateway.url}initiating`, ITI43, body));
    assert.deepEqual([answer.status, answer.bytes.get('2.999.9.1^x')?.toString()], ['success', '<a/>']);
    await gateway.close();
    await peer.close();
  });
});
