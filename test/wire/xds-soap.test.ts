/** SOAP and MTOM as the field sends them, good and hostile: each is answered in SOAP, and none disturbs the next. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ACTION, EXPLICIT, image, post, requestBody, requestEnvelope, serve, SOAP_TYPE } from '../support/xds-peer.ts';
import type { Peer } from '../support/xds-peer.ts';

const one = image('1.2.3', '1.2.3.1', '1.2.3.1.1');
const body = requestBody([{ study: '1.2.3', series: '1.2.3.1', sop: '1.2.3.1.1' }], [EXPLICIT]);
const envelope = requestEnvelope(body);

let peer: Peer;
before(async () => {
  peer = await serve([one], { limits: { requestBytes: 200_000, documents: 50 } });
});
after(() => peer.close());

async function works(type: string, content: string | Buffer): Promise<void> {
  const answer = await post(peer.url, type, content);
  assert.equal(answer.status, 200, answer.bytes.toString());
  assert.ok(answer.bytes.includes(one.bytes));
}

async function faults(type: string, content: string | Buffer, status: number, pattern: RegExp): Promise<string> {
  const answer = await post(peer.url, type, content);
  const text = answer.bytes.toString();
  assert.equal(answer.status, status, text);
  assert.match(answer.type, /^application\/soap\+xml/);
  assert.match(text, pattern);
  await works(SOAP_TYPE, envelope);
  return text;
}

const refused = async (...given: Parameters<typeof faults>): Promise<void> => {
  await faults(...given);
};

const related = (boundary: string, more: string): string =>
  `multipart/related; type="application/xop+xml"; ${more}boundary="${boundary}"`;
const root = (id: string, more = ''): string =>
  `Content-Type: application/xop+xml; charset=UTF-8; type="application/soap+xml"\r\n${more}Content-ID: ${id}\r\n\r\n`;

describe('MTOM variants', () => {
  test('with start, start-info and action', () =>
    works(
      related('b', `start="<r@x>"; start-info="application/soap+xml"; action="${ACTION}"; `),
      `--b\r\n${root('<r@x>')}${envelope}\r\n--b--\r\n`,
    ));
  test('no start: the first part is the root', () =>
    works(related('b', ''), `--b\r\n${root('<r>')}${envelope}\r\n--b\r\nContent-ID: <z>\r\n\r\nx\r\n--b--`));
  test('start names a later part', () =>
    works(
      related('b', 'start="<r>"; '),
      `--b\r\nContent-Type: application/octet-stream\r\nContent-ID: <a>\r\n\r\n\0\x01\r\n--b\r\n${root('<r>')}${envelope}\r\n--b--\r\n`,
    ));
  test('as WCF sends it: URL as Content-ID, 8bit, signs in the boundary, a preamble', () =>
    works(
      related('uuid:9c0e+id=1', 'start="<http://tempuri.org/0>";start-info="application/soap+xml";'),
      `\r\n--uuid:9c0e+id=1\r\n${root('<http://tempuri.org/0>', 'Content-Transfer-Encoding: 8bit\r\n')}${envelope}\r\n--uuid:9c0e+id=1--\r\n`,
    ));
  test('unquoted boundary with signs, folded headers, an epilogue', () =>
    works(
      'multipart/related;type=application/xop+xml;boundary=uuid:a+b=c',
      `--uuid:a+b=c\r\nContent-Type: application/xop+xml;\r\n type="application/soap+xml"\r\n\r\n${envelope}\r\n--uuid:a+b=c--\r\nbye`,
    ));
  test('action inside start-info', () =>
    works(
      related('b', `start-info="application/soap+xml; action=\\"${ACTION}\\""; `),
      `--b\r\n${root('<r>')}${envelope}\r\n--b--\r\n`,
    ));
  test('line feeds only', () =>
    works(related('b', ''), `--b\n${root('<r>').replaceAll('\r', '')}${envelope}\n--b--\n`));
  test('base64 part', () =>
    works(
      related('b', ''),
      `--b\r\n${root('<r>', 'Content-Transfer-Encoding: base64\r\n')}${Buffer.from(envelope).toString('base64')}\r\n--b--\r\n`,
    ));
  test('plain SOAP without MTOM, and without an action parameter', () => works('application/soap+xml', envelope));
  test('UTF-16, and GB18030 as declared', async () => {
    const utf16 = Buffer.from(`\ufeff${envelope.replace('UTF-8', 'UTF-16')}`, 'utf16le');
    await works('application/soap+xml; charset=UTF-16', utf16);
    await works('application/soap+xml', envelope.replace('UTF-8', 'GB18030'));
  });
  test('DocumentRequest in the XDS-I namespace', () =>
    works(
      SOAP_TYPE,
      envelope
        .replaceAll('ihe:Doc', 'iherad:Doc')
        .replaceAll('ihe:Rep', 'iherad:Rep')
        .replaceAll('iheradrad', 'iherad'),
    ));
});

describe('multipart that is broken', () => {
  const type = related('b', '');
  for (const [what, content] of [
    ['no boundary in the body', envelope],
    ['cut inside the root', `--b\r\n${root('<r>')}${envelope}`],
    ['cut inside the headers', '--b\r\nContent-Type: app'],
    ['empty', ''],
    ['header without colon', `--b\r\nContent-Type\r\n\r\n${envelope}\r\n--b--`],
    ['a header twice', `--b\r\nContent-ID: <a>\r\nContent-ID: <b>\r\n\r\n${envelope}\r\n--b--`],
    ['something after the boundary', `--bx\r\n${root('<r>')}${envelope}\r\n--b--`],
    ['only the end', '--b--\r\n'],
    ['unknown transfer encoding', `--b\r\nContent-Transfer-Encoding: x-uuencode\r\n\r\n${envelope}\r\n--b--`],
    ['seventeen parts', `--b\r\n${root('<r>')}${envelope}${'\r\n--b\r\n\r\nx'.repeat(17)}\r\n--b--`],
  ] as const)
    test(what, async () => {
      const status = what === 'unknown transfer encoding' ? 415 : 400;
      await faults(type, content, status, /env:Sender/);
    });
  test('start that no part has', () =>
    refused(related('b', 'start="<q>"; '), `--b\r\n${root('<r>')}${envelope}\r\n--b--`, 400, /start/));
  test('a reference to a part that is not there', () =>
    refused(
      SOAP_TYPE,
      envelope.replace(
        '<iherad:TransferSyntaxUIDList>',
        '<x><xop:Include xmlns:xop="http://www.w3.org/2004/08/xop/include" href="cid:none"/></x>$&',
      ),
      400,
      /xop:Include/,
    ));
  test('types that are no SOAP', async () => {
    for (const other of [
      'application/json',
      'multipart/form-data; boundary=b',
      'multipart/related; type="application/dicom"; boundary=b',
      '',
    ])
      await faults(other === '' ? 'x' : other, envelope, 415, /env:Sender/);
  });
  test('SOAP 1.1 as its clients send it', async () => {
    await faults(
      'text/xml; charset=utf-8',
      envelope.replaceAll('http://www.w3.org/2003/05/soap-envelope', 'http://schemas.xmlsoap.org/soap/envelope/'),
      500,
      /VersionMismatch/,
    );
  });
  test('larger than the limit, whole or in a part', async () => {
    await faults(SOAP_TYPE, envelope + ' '.repeat(300_000), 413, /larger/);
    await faults(related('b', ''), `--b\r\n${root('<r>')}${envelope}${' '.repeat(300_000)}\r\n--b--`, 413, /larger/);
    await faults(related('b', ''), ' '.repeat(300_000), 400, /boundary/);
  });
});

describe('faults of SOAP and WS-Addressing', () => {
  const header = (from: string | RegExp, to: string): string => envelope.replace(from, to);
  test('SOAP 1.1: VersionMismatch with Upgrade', async () => {
    const text = await faults(
      SOAP_TYPE,
      header('http://www.w3.org/2003/05/soap-envelope', 'http://schemas.xmlsoap.org/soap/envelope/'),
      500,
      /env:VersionMismatch.*/s,
    );
    assert.match(text, /<env:Upgrade><env:SupportedEnvelope/);
  });
  test('no envelope at all', () => refused(SOAP_TYPE, '<hello/>', 400, /env:Sender/));
  test('an unknown header that must be understood, as 1 and as true', async () => {
    for (const flag of ['1', 'true']) {
      const text = await faults(
        SOAP_TYPE,
        requestEnvelope(body, `<q:Pay xmlns:q="urn:q" s:mustUnderstand="${flag}"/>`),
        500,
        /env:MustUnderstand/,
      );
      assert.match(text, /<env:NotUnderstood xmlns:ns1="urn:q" qname="ns1:Pay"\/>/);
    }
    await works(SOAP_TYPE, requestEnvelope(body, '<q:Pay xmlns:q="urn:q" s:mustUnderstand="0"/>'));
    await works(
      SOAP_TYPE,
      requestEnvelope(body, '<q:Pay xmlns:q="urn:q" s:mustUnderstand="1" s:role="urn:somebody-else"/>'),
    );
  });
  test('HTTP action and wsa:Action differ', () =>
    refused(
      'application/soap+xml; action="urn:ihe:iti:2007:RetrieveDocumentSet"',
      envelope,
      400,
      /wsa:ActionMismatch/,
    ));
  test('an action that is not served', () =>
    refused(
      'application/soap+xml',
      header(ACTION, 'urn:ihe:iti:2007:RegistryStoredQuery'),
      400,
      /wsa:ActionNotSupported.*<wsa:ProblemAction/s,
    ));
  test('no action', () =>
    refused(
      'application/soap+xml',
      header(/<a:Action.*?<\/a:Action>/, ''),
      400,
      /wsa:MessageAddressingHeaderRequired/,
    ));
  test('two message ids', () =>
    refused(SOAP_TYPE, requestEnvelope(body, '<a:MessageID>urn:x</a:MessageID>'), 400, /wsa:InvalidCardinality/));
  test('a reply elsewhere', async () => {
    const text = await faults(
      SOAP_TYPE,
      header('http://www.w3.org/2005/08/addressing/anonymous', 'http://198.51.100.1/steal'),
      400,
      /wsa:OnlyAnonymousAddressSupported/,
    );
    assert.match(text, /<env:Detail><wsa:ProblemHeaderQName[^>]*>wsa:ReplyTo</);
    assert.match(text, /addressing\/fault</);
    assert.match(text, /RelatesTo>urn:uuid:0fbfdced/);
    assert.doesNotMatch(text, /198\.51/);
  });
  test('no body, two bodies, another body', async () => {
    await faults(SOAP_TYPE, requestEnvelope(''), 400, /Body is empty/);
    await faults(SOAP_TYPE, envelope.replace('</s:Body>', '</s:Body><s:Body/>'), 400, /exactly one Body/);
    await faults(SOAP_TYPE, requestEnvelope('<q:Other xmlns:q="urn:q"/>'), 400, /RetrieveImagingDocumentSetRequest/);
    await faults(SOAP_TYPE, requestEnvelope(requestBody([], [EXPLICIT])), 400, /No document/);
  });
  test('more documents than the limit', () =>
    refused(
      SOAP_TYPE,
      requestEnvelope(
        requestBody(
          Array.from({ length: 51 }, () => ({ study: '1.2.3', series: '1', sop: '1' })),
          [EXPLICIT],
        ),
      ),
      400,
      /several requests/,
    ));
  test('other methods', async () => {
    const answer = await fetch(peer.url, { headers: { 'x-role': 'query-platform' } });
    assert.deepEqual([answer.status, answer.headers.get('allow')], [405, 'POST']);
  });
});

describe('hostile XML', () => {
  const bomb = `<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "${'x'.repeat(100)}">${Array.from({ length: 9 }, (_, at) => `<!ENTITY ${String.fromCharCode(98 + at)} "${`&${String.fromCharCode(97 + at)};`.repeat(10)}">`).join('')}]>`;
  const bare = envelope.replace(/^<\?xml.*?\?>/, '');
  for (const [what, content] of [
    ['entity bomb', bomb + bare.replace('1.2.3.1.1', '&j;')],
    ['external entity', `<!DOCTYPE s [<!ENTITY e SYSTEM "file:///etc/passwd">]>${bare.replace('1.2.3.1.1', '&e;')}`],
    ['external subset', `<!DOCTYPE s SYSTEM "http://127.0.0.1:1/x.dtd">${bare}`],
    ['DOCTYPE in UTF-16', Buffer.from(`\ufeff<!DOCTYPE s>${bare}`, 'utf16le')],
    ['unknown entity', bare.replace('1.2.3.1.1', '&nbsp;')],
    ['not closed', bare.slice(0, -20)],
    ['two roots', `${bare}<more/>`],
    ['depth of 2,000', requestEnvelope('<a>'.repeat(2000) + '</a>'.repeat(2000))],
    ['depth of 70', requestEnvelope('<a>'.repeat(70) + '</a>'.repeat(70))],
    [
      'bytes that are no UTF-8',
      Buffer.concat([Buffer.from(bare.slice(0, 300)), Buffer.from([0xff, 0xfe, 0x80]), Buffer.from(bare.slice(300))]),
    ],
    ['an unknown encoding', `<?xml version="1.0" encoding="x-none"?>${bare}`],
    ['zero bytes', Buffer.alloc(5000)],
    ['prefix without namespace', bare.replace('xmlns:s=', 'xmlns:t=')],
  ] as const)
    test(what, async () => {
      const text = await faults(SOAP_TYPE, content, 400, /env:Sender/);
      assert.doesNotMatch(text, /root:x:0/);
    });
});
