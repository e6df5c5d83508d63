/** MHD's bad input: each rule broken on purpose is refused by its name at its element, and nothing of it is stored. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import type { Binary, Bundle, DocumentReference, List, OperationOutcome } from 'fhir/r4.js';
import { MHD_EXTENSIONS } from '../../mappings/fhir/mhd-terms.ts';
import { toXml } from '../../mappings/fhir/xml.ts';
import { refused } from '../support/fhir-client.ts';
import { faultsOf } from '../support/fhir-validation.ts';
import { OBJECTS, READER, type Served } from '../support/fhir.ts';
import { FEED, openMhd, other, person, subject, uid, type MhdHub } from '../support/mhd-hub.ts';
import { provideBundle } from '../support/mhd.ts';

let hub: MhdHub;
let served: Served;
before(async () => {
  hub = await openMhd();
  served = hub.served;
});
after(() => hub.close());
beforeEach(() => {
  served.caller = READER;
  served.audited.length = 0;
});

async function fault(response: Response, status: number): Promise<readonly [code: string, element: string]> {
  const body = (await response.json()) as OperationOutcome;
  assert.equal(response.status, status, JSON.stringify(body));
  assert.deepEqual(faultsOf(body), []);
  const [issue] = body.issue;
  return [issue?.details?.text ?? issue?.code ?? '', issue?.expression?.[0] ?? ''];
}

const COUNT = 'select count(*) from registry_object union all select count(*) from repository_document';
const rows = async (): Promise<unknown> => (await hub.fresh.database.pool.query(COUNT)).rows;

test('each rule broken is refused by its name at its element, and stores nothing', async () => {
  await hub.provided({ setId: '1.2.998.1', documents: [{ uid: uid(), words: 'before' }] });
  const stored = await rows();
  const kept = OBJECTS.size;
  const good = (): Bundle => provideBundle({ subject, setId: uid(), documents: [{ uid: uid(), words: 'x' }] });
  const with_ = (change: (bundle: Bundle, document: DocumentReference, set: List) => void): Bundle => {
    const made = good();
    change(made, made.entry?.[1]?.resource as DocumentReference, made.entry?.[0]?.resource as List);
    return made;
  };
  const at = 'Bundle.entry[1].resource';
  for (const [what, body, status, code, element] of [
    ['no profile', with_((b) => delete b.meta), 400, 'structure', 'Bundle.meta.profile'],
    ['a batch', with_((b) => (b.type = 'batch')), 400, 'structure', 'Bundle.type'],
    ['no set', with_((b) => b.entry?.shift()), 422, 'XDSRepositoryMetadataError', 'Bundle.entry'],
    [
      'two sets',
      with_((b) => b.entry?.push({ ...b.entry[0], fullUrl: 'urn:uuid:00000000-0000-4000-8000-0000000000aa' })),
      422,
      'XDSRepositoryMetadataError',
      'Bundle.entry',
    ],
    [
      'another type',
      with_((b) =>
        b.entry?.push({
          resource: { resourceType: 'Observation' } as never,
          request: { method: 'POST', url: 'Observation' },
        }),
      ),
      400,
      'structure',
      'Bundle.entry[3].resource',
    ],
    [
      'a delete',
      with_((b) => b.entry?.[1]?.request && (b.entry[1].request.method = 'DELETE')),
      400,
      'structure',
      'Bundle.entry[1]',
    ],
    [
      'no master identifier',
      with_((_b, d) => delete d.masterIdentifier),
      422,
      'XDSRepositoryMetadataError',
      `${at}.masterIdentifier`,
    ],
    [
      'no security label',
      with_((_b, d) => delete d.securityLabel),
      422,
      'XDSRepositoryMetadataError',
      `${at}.securityLabel`,
    ],
    ['docStatus', with_((_b, d) => (d.docStatus = 'final')), 422, 'XDSRepositoryMetadataError', `${at}.docStatus`],
    [
      'an author not contained',
      with_((_b, d) => (d.author = [{ reference: 'Practitioner/1' }])),
      422,
      'XDSRepositoryMetadataError',
      `${at}.author`,
    ],
    [
      'superseded at birth',
      with_((_b, d) => (d.status = 'superseded')),
      422,
      'XDSRepositoryMetadataError',
      `${at}.status`,
    ],
    [
      'a wrong hash',
      with_((_b, d) => d.content[0] && (d.content[0].attachment.hash = Buffer.alloc(20).toString('base64'))),
      422,
      'XDSNonIdenticalHash',
      `${at}.content[0].attachment.hash`,
    ],
    [
      'no hash at all',
      with_((_b, d) => d.content[0] && (d.content[0].attachment.hash = 'aGVsbG8=')),
      422,
      'XDSRepositoryMetadataError',
      `${at}.content[0].attachment.hash`,
    ],
    [
      'a wrong size',
      with_((_b, d) => d.content[0] && (d.content[0].attachment.size = 2)),
      422,
      'XDSNonIdenticalSize',
      `${at}.content[0].attachment.size`,
    ],
    [
      'another content type',
      with_((_b, d) => d.content[0] && (d.content[0].attachment.contentType = 'text/xml')),
      422,
      'XDSRepositoryMetadataError',
      `${at}.content[0].attachment.contentType`,
    ],
    [
      'no bytes in the bundle',
      with_((b) => b.entry?.pop()),
      422,
      'XDSMissingDocument',
      `${at}.content[0].attachment.url`,
    ],
    [
      'bytes elsewhere',
      with_((_b, d) => d.content[0] && (d.content[0].attachment.url = 'http://169.254.169.254/x')),
      422,
      'XDSMissingDocument',
      `${at}.content[0].attachment.url`,
    ],
    [
      'bytes that nobody describes',
      with_((b) =>
        b.entry?.push({
          fullUrl: 'urn:uuid:00000000-0000-4000-8000-0000000000bb',
          resource: { resourceType: 'Binary', contentType: 'text/plain' } as Binary,
          request: { method: 'POST', url: 'Binary' },
        }),
      ),
      422,
      'XDSMissingDocumentMetadata',
      'Bundle.entry[3].resource',
    ],
    ['a document outside the set', with_((_b, _d, s) => delete s.entry), 422, 'XDSRepositoryMetadataError', at],
    [
      'an unknown patient',
      with_((_b, d) => (d.subject = { reference: 'Patient/00000000-0000-4000-8000-000000000000' })),
      422,
      'XDSUnknownPatientId',
      `${at}.subject`,
    ],
    [
      'a patient elsewhere',
      with_((_b, d) => (d.subject = { reference: 'https://elsewhere.example/fhir/Patient/1' })),
      422,
      'XDSUnknownPatientId',
      `${at}.subject`,
    ],
    [
      'two patients',
      with_((_b, d) => (d.subject = { reference: `Patient/${other.personId}` })),
      422,
      'XDSPatientIdDoesNotMatch',
      'Bundle',
    ],
    [
      'a relation to nothing',
      with_((_b, d) => (d.relatesTo = [{ code: 'appends', target: { reference: 'DocumentReference/none' } }])),
      422,
      'UnresolvedReferenceException',
      `${at}.relatesTo[0].target`,
    ],
    [
      'a relation to nothing here',
      with_(
        (_b, d) =>
          (d.relatesTo = [
            { code: 'replaces', target: { reference: 'DocumentReference/00000000-0000-4000-8000-00000000dead' } },
          ]),
      ),
      422,
      'XDSRegistryMetadataError',
      'Bundle',
    ],
    [
      'a set id that is there',
      with_((_b, _d, s) => s.identifier?.[0] && (s.identifier[0].value = 'urn:oid:1.2.998.1')),
      409,
      'XDSDuplicateUniqueIdInRegistry',
      'Bundle.entry[0].resource',
    ],
    [
      'a source that is no OID',
      with_((_b, _d, s) => s.extension?.[1] && (s.extension[1].valueIdentifier = { value: 'me' })),
      422,
      'XDSRegistryMetadataError',
      `Bundle.entry[0].resource.extension('${MHD_EXTENSIONS.sourceId}')`,
    ],
    ['an unknown element', with_((b) => ((b as { secret?: string }).secret = 'x')), 400, 'structure', 'Bundle.secret'],
    ['a date that is none', with_((_b, d) => (d.date = '2024-13-01T00:00:00Z')), 400, 'structure', `${at}.date`],
  ] as const) {
    assert.deepEqual(await fault(await hub.post(body), status), [code, element], what);
    // An element that R4 does not know cannot be written as XML by us.
    if (what === 'an unknown element') continue;
    const xml = await hub.post(toXml(body), 'application/fhir+xml');
    assert.equal((await fault(xml, status))[0], code, `${what}, as XML`);
  }
  assert.deepEqual(await rows(), stored);
  assert.equal(OBJECTS.size, kept, 'no bytes are left behind');
});

test('what is no bundle at all is refused, and the face goes on', async () => {
  const deep = `{"resourceType":"Bundle","type":"transaction","extension":${'[{"url":"x","extension":'.repeat(5000)}[]${'}]'.repeat(5000)}}`;
  for (const [body, type, status] of [
    ['{', 'application/fhir+json', 400],
    ['null', 'application/fhir+json', 400],
    ['[1]', 'application/json', 400],
    ['"x"', 'application/fhir+json', 400],
    [deep, 'application/fhir+json', 400],
    ['{"resourceType":"Bundle","type":"transaction","__proto__":{"a":1}}', 'application/fhir+json', 400],
    ['{}', 'text/plain', 415],
    ['<Bundle xmlns="http://hl7.org/fhir">', 'application/fhir+xml', 400],
    [
      '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><Bundle xmlns="http://hl7.org/fhir"/>',
      'application/fhir+xml',
      400,
    ],
    ['<Bundle/>', 'application/fhir+xml', 400],
    [
      `<Bundle xmlns="http://hl7.org/fhir">${'<entry>'.repeat(80)}${'</entry>'.repeat(80)}</Bundle>`,
      'application/fhir+xml',
      400,
    ],
    [
      JSON.stringify({ resourceType: 'Bundle', type: 'transaction', id: 'x'.repeat(33 << 20) }),
      'application/fhir+json',
      413,
    ],
  ] as const) {
    const response = await hub.post(body, type);
    assert.equal(response.status, status, body.slice(0, 60));
    assert.equal(((await response.json()) as OperationOutcome).resourceType, 'OperationOutcome');
  }
  assert.equal((await served.get('/metadata')).status, 200);
});

test('who may not send is refused before the body is read; who sends may not read', async () => {
  const body = JSON.stringify(provideBundle({ subject, setId: uid(), documents: [{ uid: uid(), words: 'x' }] }));
  const send = (): Promise<Response> =>
    fetch(served.base, { method: 'POST', headers: { 'content-type': 'application/fhir+json' }, body });
  assert.equal(await refused(await send(), 403), 'forbidden');
  assert.deepEqual([served.audited.at(-1)?.action, served.audited.at(-1)?.outcome], ['refuse', 'refused']);
  served.caller = null;
  assert.equal(await refused(await send(), 401), 'login');
  served.caller = FEED;
  assert.equal(
    await refused(await served.get(`/DocumentReference?patient=${person.personId}&status=current`), 403),
    'forbidden',
  );
  served.caller = { ...READER, role: 'administrator' };
  assert.equal((await send()).status, 200);
});
