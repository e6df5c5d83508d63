/**
 * The actions of the wire contract §1 at the registry and the repository, over HTTP: each request is answered under the
 * action of its own response, whatever the outcome, with its message named and in the profile's package.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { writeRemoveRequest, writeRetrieveRequest } from '../../mappings/xds/document-set.ts';
import { writeSubmission } from '../../mappings/xds/ebrim-write.ts';
import { association, code, submissionSet } from '../support/documents.ts';
import { caseAt } from '../support/registry-case.ts';
import { envelope, newPatient, oid, openRegistry, removal } from '../support/registry-hub.ts';
import type { RegistryHub } from '../support/registry-hub.ts';
import { plainType, REPOSITORY, startRepositoryHub } from '../support/repository-hub.ts';
import type { RepositoryHub } from '../support/repository-hub.ts';
import { provided, sent } from '../support/submission.ts';

let registry: RegistryHub;
let repository: RepositoryHub;
let patient: Awaited<ReturnType<typeof newPatient>>;
const { oneDocument, accepted, refused } = caseAt(
  () => registry,
  () => patient,
);
before(async () => {
  registry = await openRegistry();
  patient = await newPatient(registry);
  repository = await startRepositoryHub();
});
after(() => repository.close());

const reference = { homeCommunityId: null, repositoryUniqueId: REPOSITORY, documentUniqueId: '1.2.3' };
const nothing = removal(['urn:uuid:00000000-0000-4000-8000-000000000000']);
const submitted = (): string => writeSubmission([submissionSet('s', patient, oid())]);
const unknownQuery =
  '<query:AdhocQueryRequest xmlns:query="urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0" xmlns:rim="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0">' +
  '<query:ResponseOption returnType="ObjectRef"/><rim:AdhocQuery id="urn:uuid:00000000-0000-4000-8000-000000000000"/></query:AdhocQueryRequest>';

interface Row {
  readonly transaction: string;
  readonly at: 'registry' | 'repository';
  readonly action: string;
  readonly answered?: string;
  readonly body: () => string;
}
// prettier-ignore
const ROWS: readonly Row[] = [
  { transaction: 'ITI-18', at: 'registry', action: 'urn:ihe:iti:2007:RegistryStoredQuery', body: () => unknownQuery },
  { transaction: 'ITI-42', at: 'registry', action: 'urn:ihe:iti:2007:RegisterDocumentSet-b', body: submitted },
  { transaction: 'ITI-51', at: 'registry', action: 'urn:ihe:iti:2009:MultiPatientStoredQuery', body: () => unknownQuery },
  { transaction: 'ITI-57', at: 'registry', action: 'urn:ihe:iti:2010:UpdateDocumentSet', body: submitted },
  { transaction: 'ITI-61', at: 'registry', action: 'urn:ihe:iti:2010:RegisterOnDemandDocumentEntry', body: submitted },
  { transaction: 'ITI-62', at: 'registry', action: 'urn:ihe:iti:2010:DeleteDocumentSet', body: () => nothing },
  { transaction: 'ITI-44', at: 'registry', action: 'urn:hl7-org:v3:PRPA_IN201301UV02', answered: 'urn:hl7-org:v3:MCCI_IN000002UV01',
    body: () => '<PRPA_IN201301UV02 xmlns="urn:hl7-org:v3" ITSVersion="XML_1.0"/>' },
  { transaction: 'ITI-41', at: 'repository', action: 'urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b', body: () => '' },
  { transaction: 'ITI-43', at: 'repository', action: 'urn:ihe:iti:2007:RetrieveDocumentSet', body: () => writeRetrieveRequest([reference]) },
  { transaction: 'ITI-86', at: 'repository', action: 'urn:ihe:iti:2017:RemoveDocuments', body: () => writeRemoveRequest([reference]) },
];

async function post(
  at: Row['at'],
  type: string,
  body: string | Buffer,
): Promise<{ http: number; type: string; text: string }> {
  const caller = { id: 'c1', name: 'test', role: 'administrator', peer: '127.0.0.1' };
  const headers = { 'Content-Type': type, 'x-caller': JSON.stringify(caller), 'x-role': 'administrator' };
  const response = await fetch((at === 'registry' ? registry : repository).url, { method: 'POST', headers, body });
  return { http: response.status, type: response.headers.get('content-type') ?? '', text: await response.text() };
}

for (const { transaction, at, action, answered = `${action}Response`, body } of ROWS)
  test(`WIRE 1: ${transaction} is answered under its response action, to its message`, async () => {
    // A document of ITI-41 comes as a part; the others are plain SOAP, which is taken of ITI-43 as well.
    const package41 = provided([sent('as the contract has it')]);
    const answer =
      transaction === 'ITI-41'
        ? await post(at, package41.type, package41.bytes)
        : await post(at, plainType(action), envelope(action, body()));
    assert.equal(answer.http, 200, answer.text);
    assert.match(answer.text, new RegExp(`:Action[^>]*>${answered}<`));
    assert.match(answer.text, /:RelatesTo>urn:uuid:0fbfdced-6c01-4d09-a110-2201afedaa02</);
    const isMtom = transaction === 'ITI-41' || transaction === 'ITI-43';
    assert.match(answer.type, isMtom ? /^multipart\/related; type="application\/xop\+xml"/ : /^application\/soap\+xml/);
    assert.ok(answer.type.includes(`action="${answered}"`), answer.type);
  });

test('WIRE 1: what is not served is a fault of WS-Addressing: ITI-92, and a transaction of another door', async () => {
  for (const [at, action] of [
    ['registry', 'urn:ihe:iti:2018:RestrictedUpdateDocumentSet'],
    ['registry', 'urn:ihe:iti:2007:RetrieveDocumentSet'],
    ['repository', 'urn:ihe:iti:2007:RegisterDocumentSet-b'],
  ] as const) {
    const answer = await post(at, plainType(action), envelope(action, submitted()));
    assert.equal(answer.http, 400);
    assert.match(answer.text, /ActionNotSupported/);
  }
});

test('WIRE 2.4: documentation is refused on HasMember, and kept on the others', async () => {
  const documentation = code('source', '1.2.840.10065.1.12');
  const [entry, set] = oneDocument();
  assert.ok(entry && set);
  const member = association('as01', 'HasMember', 'SubmissionSet01', 'Document01', {
    submissionSetStatus: 'Original',
    documentation,
  });
  await refused([entry, set, member], 'XDSRegistryMetadataError');
  const first = await accepted(oneDocument());
  const made = await accepted(oneDocument({}, [association('r', 'XFRM', 'Document01', first.id, { documentation })]));
  const kept = (await registry.associations(made.id)).find(({ type }) => type === 'XFRM');
  assert.deepEqual(kept?.documentation, documentation);
});

test('WIRE 3: XFRM_RPLC deprecates what it replaces, as RPLC does', async () => {
  const first = await accepted(oneDocument());
  await accepted(oneDocument({}, [association('r', 'XFRM_RPLC', 'Document01', first.id)]));
  assert.deepEqual(
    (await registry.objects([first.id])).map(({ status }) => status),
    ['deprecated'],
  );
});

test('WIRE 3: with a document fall its addenda and theirs, however long the chain', async () => {
  const first = await accepted(oneDocument());
  const chain = [first];
  for (let at = 0; at < 24; at++) {
    const end = chain.at(-1);
    assert.ok(end);
    chain.push(await accepted(oneDocument({}, [association('r', 'APND', 'Document01', end.id)])));
  }
  await accepted(oneDocument({}, [association('r', 'RPLC', 'Document01', first.id)]));
  const stand = (await registry.objects(chain.map(({ id }) => id))).filter(({ status }) => status === 'approved');
  assert.deepEqual(stand, []);
});
