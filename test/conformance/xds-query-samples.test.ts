/**
 * Messages of ITI-18 and ITI-51 that other implementers published, each with the outcome that the standard demands, and
 * requests that are broken on purpose: a clean fault or Failure, and a registry that answers the next one.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { DocumentEntry, PatientCx } from '../../hub/core/document.ts';
import { readSubmission } from '../../mappings/xds/ebrim-read.ts';
import { readRegistryResponse } from '../../mappings/xds/registry-response.ts';
import { parseXml } from '../../mappings/xds/xml.ts';
import type { XmlElement } from '../../mappings/xds/xml.ts';
import { freshDatabase } from '../support/database.ts';
import { cx, documentEntry } from '../support/documents.ts';
import { iheSamples } from '../support/ihe-samples.ts';
import { adhocQuery, envelope, file, readAnswer, serveRegistry } from '../support/registry-peer.ts';
import type { RegistryPeer } from '../support/registry-peer.ts';
import { invalid, noSchemas } from '../support/xsd.ts';

const ITI18 = 'urn:ihe:iti:2007:RegistryStoredQuery';
const ITI51 = 'urn:ihe:iti:2009:MultiPatientStoredQuery';
const FIND = '14d4debf-8f97-4251-9a74-a90016b0af0d';
const folder = join(process.env.HUB_TEST_DATA ?? '', 'ihe');
const unset = process.env.HUB_TEST_DATA === undefined ? 'HUB_TEST_DATA is unset' : false;
const sample = (name: string): string => readFileSync(join(folder, name), 'utf8');

const u = (n: number): string => `urn:uuid:00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const EPR = '7e1c6e78-58f1-4a43-ae88-0d5a5c4ab43e^^^&1.3.6.1.4.1.21367.2017.2.5.45&ISO' as PatientCx;

let fresh: Awaited<ReturnType<typeof freshDatabase>>;
let peer: RegistryPeer;
before(async () => {
  fresh = await freshDatabase();
  await file(fresh.database, [
    documentEntry(u(1), EPR, '1.2.1'),
    documentEntry(u(2), EPR, '1.2.2', { status: 'deprecated' }),
    documentEntry(u(3), cx('1', '1.2.3.4'), '1.2.3'),
    documentEntry(u(4), cx('2', '1.2.3.4'), '1.2.4'),
    documentEntry(u(5), cx('593603', '2.16.756.5.33.2.5.1.5.1'), '1.2.5', { creationTime: '20221015151515' }),
  ]);
  peer = await serveRegistry(fresh.database);
});
after(() => peer.close());

test('every sample of ITI-18 and ITI-51 is among those below', { skip: unset }, () => {
  const there = ['ITI-18', 'ITI-51'].flatMap((tx) =>
    iheSamples(tx).map(({ name, verdict }) => `${tx}/${name} ${verdict}`),
  );
  assert.deepEqual(there, [
    'ITI-18/epr__ITI-18_request.xml refused',
    'ITI-18/epr__ITI-18_request_raw.xml accepted',
    'ITI-18/epr__ITI-18_response.xml read',
    'ITI-18/epr__ITI-18_response_raw.xml read',
    'ITI-18/ipf__iti18request.xml refused',
    'ITI-51/ipf__iti51request.xml accepted',
  ]);
});

test(
  'epr ITI-18_request: its prefixes are bound to nothing, so it is no SOAP and gets a fault',
  { skip: unset },
  async () => {
    const { status, text } = await peer.post(sample('ITI-18/epr__ITI-18_request.xml'), ITI18);
    assert.equal(status, 400);
    assert.match(text, /<env:Fault>/);
  },
);

test(
  'epr ITI-18_request_raw: FindDocuments gives the references of the approved documents',
  { skip: unset },
  async () => {
    const { status, text } = await peer.post(sample('ITI-18/epr__ITI-18_request_raw.xml'), ITI18);
    assert.equal(status, 200);
    const answer = readAnswer(text);
    assert.deepEqual([answer.status, answer.ids, answer.objects[0]?.name], ['Success', [u(1)], 'ObjectRef']);
  },
);

test(
  'ipf iti18request: a patient id whose quote is never closed is refused, and asks nothing of SQL',
  { skip: unset },
  async () => {
    const { status, text } = await peer.post(envelope(ITI18, sample('ITI-18/ipf__iti18request.xml')), ITI18);
    assert.equal(status, 200);
    const answer = readAnswer(text);
    assert.deepEqual([answer.status, answer.errors, answer.ids], ['Failure', ['XDSRegistryError'], []]);
    const closed = sample('ITI-18/ipf__iti18request.xml').replace("''%20and%20611%3d611--%20", "'");
    const found = readAnswer((await peer.post(envelope(ITI18, closed), ITI18)).text);
    assert.deepEqual([found.status, found.ids], ['Success', [u(5)]]);
  },
);

test('ipf iti51request: blanks inside quotes and a list over lines name two patients', { skip: unset }, async () => {
  const { status, text } = await peer.post(envelope(ITI51, sample('ITI-51/ipf__iti51request.xml')), ITI51);
  assert.equal(status, 200);
  const answer = readAnswer(text);
  assert.deepEqual([answer.status, [...answer.ids].sort()], ['Success', [u(3), u(4)]]);
});

const bodyOf = (text: string): XmlElement => {
  const root = parseXml(Buffer.from(text));
  assert.ok(root.ok);
  const body = root.value.children.find(({ name }) => name === 'Body')?.children[0];
  assert.ok(body);
  return body;
};

for (const name of ['epr__ITI-18_response.xml', 'epr__ITI-18_response_raw.xml'])
  test(`${name}: its documents, filed here, are given back the same`, { skip: unset }, async () => {
    // Published as a browser shows it: numbered lines.
    const text = sample(`ITI-18/${name}`).replace(/^ *\d+ (?=\s*<|\s*xmlns)/gm, '');
    const body = bodyOf(text);
    const response = readRegistryResponse(body);
    assert.ok(response.ok && response.value.status === 'success');
    const { submission } = readSubmission(body, { form: 'lenient' });
    assert.ok(submission.objects.length > 0);
    const documents = submission.objects.filter((object): object is DocumentEntry => object.kind === 'document');
    await fresh.database.pool.query('delete from registry_object where id = any ($1)', [
      documents.map(({ id }) => id.slice(9)),
    ]);
    await file(fresh.database, documents);
    const ids = documents.map(({ id }) => `'${id}'`).join(',');
    const asked = await peer.ask('5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4', [['$XDSDocumentEntryEntryUUID', `(${ids})`]]);
    assert.equal(asked.status, 'Success');
    const again = readSubmission(bodyOf(asked.text), { form: 'strict' });
    assert.deepEqual(again.problems, []);
    assert.deepEqual(new Set(again.submission.objects), new Set(documents));
  });

const slots = [
  ['$XDSDocumentEntryPatientId', `'${EPR}'`],
  ['$XDSDocumentEntryStatus', "('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')"],
] as const;
const good = envelope(ITI18, adhocQuery(FIND, slots));

// prettier-ignore
const FAULTS: readonly (readonly [what: string, message: string, status: number])[] = [
  ['a DOCTYPE', good.replace('?>', '?><!DOCTYPE a [<!ENTITY b "c">]>'), 400],
  ['an envelope that ends early', good.slice(0, -40), 400],
  ['a body of another transaction', good.replaceAll('AdhocQueryRequest', 'SomethingElse'), 400],
  ['a body of another namespace', good.replaceAll('xsd:query:3.0', 'xsd:query:2.1'), 400],
  ['SOAP 1.1', good.replace('http://www.w3.org/2003/05/soap-envelope', 'http://schemas.xmlsoap.org/soap/envelope/'), 500],
  ['elements nested without end', good.replace('<rim:Slot', `${'<a>'.repeat(500)}${'</a>'.repeat(500)}<rim:Slot`), 400],
];
for (const [what, message, expected] of FAULTS)
  test(`${what} is a fault, and the next query is answered`, async () => {
    const { status, text } = await peer.post(message, ITI18);
    assert.equal(status, expected, text);
    assert.match(text, /<env:Fault>/);
    if (noSchemas === false) assert.equal(invalid(text), '');
    assert.deepEqual(readAnswer((await peer.post(good, ITI18)).text).ids, [u(1)]);
  });

const code = (text: string): (readonly [string, string])[] => [...slots, ['$XDSDocumentEntryClassCode', text]] as never;
// prettier-ignore
const FAILURES: readonly (readonly [what: string, body: string])[] = [
  ['a list of a hundred thousand codes', adhocQuery(FIND, code(`(${"'a^^b',".repeat(99_999)}'a^^b')`))],
  ['ten thousand Values', adhocQuery(FIND, [...slots, ['$XDSDocumentEntryClassCode', ...Array.from({ length: 10_000 }, () => "('a^^b')")]])],
  ['ten thousand Slots', adhocQuery(FIND, [...slots, ...Array.from({ length: 10_000 }, () => ['$XDSDocumentEntryEventCodeList', "('a^^b')"] as const)])],
  ['a quote that is never closed', adhocQuery(FIND, code(`'${'a'.repeat(60_000)}`))],
  ['an AdhocQuery without an id', adhocQuery(FIND, slots).replace(`id="urn:uuid:${FIND}"`, '')],
  ['no AdhocQuery', adhocQuery(FIND, slots).replace(/<rim:AdhocQuery.*<\/rim:AdhocQuery>/, '')],
  ['no ResponseOption', adhocQuery(FIND, slots).replace(/<query:ResponseOption[^>]*>/, '')],
];
for (const [what, body] of FAILURES)
  test(`${what} is a Failure, quickly, and the next query is answered`, async () => {
    const began = performance.now();
    const { status, text } = await peer.post(envelope(ITI18, body), ITI18);
    assert.equal(status, 200, text);
    const answer = readAnswer(text);
    assert.deepEqual([answer.status, answer.ids], ['Failure', []]);
    assert.ok(answer.errors.length >= 1 && answer.errors.length <= 100);
    if (noSchemas === false) assert.equal(invalid(text), '');
    assert.ok(performance.now() - began < 5_000);
    assert.deepEqual(readAnswer((await peer.post(good, ITI18)).text).ids, [u(1)]);
  });

test('what looks like SQL is a value', async () => {
  for (const text of ["' or 1=1 --", "'); drop table registry_object; --", '$1', '%', '\\'])
    for (const name of ['$XDSDocumentEntryClassCode', '$XDSDocumentEntryAuthorPerson']) {
      const value = `('${text.replaceAll("'", "''")}^^x')`;
      const answer = await peer.ask(FIND, [...slots, [name, value]]);
      assert.deepEqual([answer.status, answer.ids], ['Success', []]);
    }
  assert.deepEqual(readAnswer((await peer.post(good, ITI18)).text).ids, [u(1)]);
});

for (const [role, expected] of [
  [null, 401],
  ['hospital-feed', 403],
  ['operator', 403],
  ['administrator', 200],
] as const)
  test(`a query by ${role ?? 'nobody'} is answered ${String(expected)}`, async () => {
    assert.equal((await peer.post(good, ITI18, role)).status, expected);
  });
