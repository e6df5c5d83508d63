/** The Document Repository, every row of the wire contract §4 by number, over HTTP and PostgreSQL; answers against the XSDs. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import type { DocumentEntry } from '../../hub/core/document.ts';
import { ITI41_REQUEST, ITI43_REQUEST, ITI86_REQUEST, writeRetrieveRequest } from '../../mappings/xds/document-set.ts';
import { writeSubmission } from '../../mappings/xds/ebrim-write.ts';
import { association, cx, submissionSet } from '../support/documents.ts';
import {
  codesOf,
  PATIENT,
  plainType,
  remove,
  REPOSITORY,
  retrieve,
  said,
  send,
  soap,
  startRepositoryHub,
} from '../support/repository-hub.ts';
import type { Answer, RepositoryHub } from '../support/repository-hub.ts';
import { entryOf, objectsOf, packed, provided, sent, sha1, uid } from '../support/submission.ts';
import type { SentDocument } from '../support/submission.ts';
import { invalid, noSchemas } from '../support/xsd.ts';

let hub: RepositoryHub;
before(async () => {
  hub = await startRepositoryHub();
});
after(() => hub.close());

const answers: Answer[] = [];
afterEach((context) => {
  if (noSchemas !== false) return;
  for (const answer of answers.splice(0)) assert.equal(invalid(answer.envelope), '', `${context.name}: invalid answer`);
});
const kept = <T extends Answer>(answer: T): T => {
  answers.push(answer);
  return answer;
};

async function provide(
  documents: readonly SentDocument[],
  change: Parameters<typeof provided>[1] = {},
  to = hub,
): Promise<Answer> {
  const { type, bytes, envelope } = provided(documents, change);
  if (noSchemas === false) assert.equal(invalid(envelope), '', 'the request itself');
  return kept(await send(to.url, type, bytes));
}

async function fetched(...wanted: Parameters<typeof retrieve>[1]) {
  const got = await retrieve(hub, wanted);
  kept(got.answer);
  return got;
}

/** Nothing that failed can be retrieved, and nothing of it stays on the disk. */
async function failed(documents: readonly SentDocument[], answer: Answer, ...codes: string[]): Promise<void> {
  const response = said(answer);
  assert.equal(response.status, 'failure');
  assert.deepEqual(
    response.problems.map(({ code }) => code),
    codes,
  );
  const got = await fetched(...documents.map(({ uniqueId }) => uniqueId));
  assert.equal(got.status, 'failure');
  assert.deepEqual(got.documents, []);
}

async function leavesNothing(work: () => Promise<void>): Promise<void> {
  const files = (await hub.files()).length;
  await work();
  assert.equal((await hub.files()).length, files);
}

async function registered(uniqueId: string): Promise<Partial<DocumentEntry> & { status: string }> {
  const { rows } = await hub.database.pool.query<{ status: string; body: DocumentEntry }>(
    'select status, body from registry_object where unique_id = $1',
    [uniqueId],
  );
  assert.equal(rows.length, 1);
  return { ...rows[0]?.body, status: rows[0]?.status ?? '' };
}

describe('ITI-41 (WIRE §4)', () => {
  test('4.1 documents come back as they were sent, each with its own type', async () => {
    const documents = [sent('one 张三'), sent('two', { mimeType: 'application/pdf' })];
    const answer = await provide(documents);
    assert.equal(said(answer).status, 'success');
    assert.match(answer.type, /^multipart\/related; type="application\/xop\+xml"/);
    assert.match(answer.type, /action="urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-bResponse"/);
    assert.match(answer.envelope.toString(), /RelatesTo>urn:uuid:0fbfdced-6c01-4d09-a110-2201afedaa02</);
    const got = await fetched(...documents.map(({ uniqueId }) => uniqueId));
    assert.equal(got.status, 'success');
    assert.deepEqual(
      got.documents.map(({ documentUniqueId, mimeType, bytes }) => [documentUniqueId, mimeType, bytes?.toString()]),
      [
        [documents[0]?.uniqueId, 'text/plain', 'one 张三'],
        [documents[1]?.uniqueId, 'application/pdf', 'two'],
      ],
    );
  });

  test('4.2 repositoryUniqueId, hash and size are the repository’s, whatever the source says of the first', async () => {
    const document = sent('as registered', {
      repositoryUniqueId: '1.2.3' as DocumentEntry['repositoryUniqueId'] & string,
    });
    assert.equal(said(await provide([document])).status, 'success');
    const entry = await registered(document.uniqueId);
    assert.deepEqual(
      [entry.repositoryUniqueId, entry.hash, entry.size, entry.status],
      [REPOSITORY, sha1(document.bytes), document.bytes.length, 'approved'],
    );
  });

  test('4.3 an entry without its document: XDSMissingDocument', () =>
    leavesNothing(async () => {
      const [one, two] = [sent('one'), sent('two')];
      const answer = await provide([one], { metadata: writeSubmission(objectsOf([one, two])) });
      await failed([one, two], answer, 'XDSMissingDocument');
      assert.equal(said(answer).problems[0]?.location, two.name);
    }));

  test('4.4 a document without its entry: XDSMissingDocumentMetadata (TK2 11983)', () =>
    leavesNothing(async () => {
      const [one, two] = [sent('one'), sent('two')];
      const answer = await provide([one, two], { metadata: writeSubmission(objectsOf([one])) });
      await failed([one, two], answer, 'XDSMissingDocumentMetadata');
    }));

  test('4.5 a wrong hash or size: XDSRepositoryMetadataError (TK2 11981, 12369)', () =>
    leavesNothing(async () => {
      for (const wrong of [{ hash: 'da39a3ee5e6b4b0d3255bfef95601890afd80709' }, { size: 7 }]) {
        const document = sent('nine char', wrong);
        await failed([document], await provide([document]), 'XDSRepositoryMetadataError');
      }
    }));

  test('4.6 a right hash in upper case, and a right size, succeed (TK2 11981)', async () => {
    const text = 'compared without case';
    const hash = sha1(Buffer.from(text)).toUpperCase();
    const document = sent(text, { hash, size: text.length });
    assert.equal(said(await provide([document])).status, 'success');
    assert.equal((await registered(document.uniqueId)).hash, hash.toLowerCase());
  });

  test('4.7 a mime type that nobody registered is stored and returned as it is (TK2 12360)', async () => {
    const document = sent('x', { mimeType: 'application/x-hutong.probe' });
    assert.equal(said(await provide([document])).status, 'success');
    assert.equal((await fetched(document.uniqueId)).documents[0]?.mimeType, 'application/x-hutong.probe');
  });

  test('4.8 the registry’s errors pass through with code and location (TK2 11986, 11996)', () =>
    leavesNothing(async () => {
      const other = sent('of somebody else', { patientId: cx('REPO2') });
      const mismatch = await provide([other]);
      await failed([other], mismatch, 'XDSPatientIdDoesNotMatch');
      assert.notEqual(said(mismatch).problems[0]?.location ?? '', '');
      const stranger = sent('of nobody', { patientId: cx('NOBODY') });
      const metadata = writeSubmission([
        entryOf(stranger),
        submissionSet('Set', cx('NOBODY'), uid()),
        association('m', 'HasMember', 'Set', stranger.name, { submissionSetStatus: 'Original' }),
      ]);
      await failed([stranger], await provide([stranger], { metadata }), 'XDSUnknownPatientId');
    }));

  test('4.9 a registry that is away: XDSRegistryNotAvailable', async () => {
    const away = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    const cut = await startRepositoryHub(({ registry }) => ({
      registry: { documents: registry.documents, register: () => Promise.reject(away) },
    }));
    try {
      const document = sent('later');
      const answer = await provide([document], {}, cut);
      assert.deepEqual(codesOf(answer), ['XDSRegistryNotAvailable']);
      assert.equal(
        cut.logged.some((line) => line.includes('REPO1')),
        false,
      );
    } finally {
      await cut.close();
    }
  });

  test('4.10 the same unique id twice in a message: XDSRepositoryDuplicateUniqueIdInMessage', () =>
    leavesNothing(async () => {
      const one = sent('one');
      const two = { ...sent('two'), uniqueId: one.uniqueId };
      await failed([one], await provide([one, two]), 'XDSRepositoryDuplicateUniqueIdInMessage');
    }));

  test('4.11 two documents with one id, or an on-demand entry: XDSRepositoryMetadataError', () =>
    leavesNothing(async () => {
      const [one, two] = [sent('one'), sent('two')];
      const metadata = writeSubmission(objectsOf([one]));
      const same = await provide([one, { ...two, name: one.name }], { metadata });
      await failed([one], same, 'XDSRepositoryMetadataError');
      const demand = sent('', { entryType: 'on-demand' });
      await failed([demand], await provide([demand]), 'XDSRepositoryMetadataError');
    }));

  test('4.12 the same document again is one more entry, and its bytes lie there once (TK2 12004)', async () => {
    const first = sent('the same');
    const again = { ...sent('the same'), uniqueId: first.uniqueId };
    assert.equal(said(await provide([first])).status, 'success');
    await leavesNothing(async () => assert.equal(said(await provide([again])).status, 'success'));
    assert.equal((await fetched(first.uniqueId)).documents[0]?.bytes?.toString(), 'the same');
  });

  test('4.13 the same unique id with other bytes: XDSNonIdenticalHash, and the first stays (TK2 12004)', async () => {
    const first = sent('first form');
    assert.equal(said(await provide([first])).status, 'success');
    await leavesNothing(async () => {
      const answer = await provide([{ ...sent('other form'), uniqueId: first.uniqueId }]);
      assert.equal(said(answer).status, 'failure');
      assert.ok(codesOf(answer).includes('XDSNonIdenticalHash'));
    });
    assert.equal((await fetched(first.uniqueId)).documents[0]?.bytes?.toString(), 'first form');
  });

  test('4.14 symbolic ids and urn:uuid: ids in any case pair document and entry', async () => {
    const name = 'urn:uuid:0a0b0c0d-1111-4222-8333-944444444401';
    const document = { ...sent('named by uuid'), name };
    assert.equal(
      said(await provide([document], { ids: [name.toUpperCase().replace('URN:UUID:', 'urn:uuid:')] })).status,
      'success',
    );
  });

  test('4.15 no document, no entry: a submission of metadata alone is one', async () => {
    const answer = await provide([], { metadata: writeSubmission([submissionSet('Set', PATIENT, uid())]) });
    assert.ok(['success', 'failure'].includes(said(answer).status));
  });

  test('4.16 an empty document, and one of several megabytes', async () => {
    const large = { ...sent(''), bytes: Buffer.alloc(5_000_000, 'large ') };
    const empty = sent('');
    assert.equal(said(await provide([empty, large])).status, 'success');
    const got = await fetched(empty.uniqueId, large.uniqueId);
    assert.deepEqual(
      got.documents.map(({ bytes }) => bytes?.length),
      [0, 5_000_000],
    );
    assert.ok(got.documents[1]?.bytes?.equals(large.bytes));
  });

  test('4.17 who submitted is kept, with the submission set and no name', async () => {
    const at = hub.audits.length;
    await provide([sent('kept')]);
    const bad = sent('not kept', { size: 1 });
    await provide([bad]);
    const [good, refused] = hub.audits.slice(at);
    assert.deepEqual([good?.action, good?.outcome, good?.operation], ['feed', 'success', 'ITI-41']);
    assert.match(good?.objects[0] ?? '', /^2\.999\./);
    assert.deepEqual([refused?.outcome, refused?.reason], ['failure', 'XDSRepositoryMetadataError']);
    assert.doesNotMatch(JSON.stringify([good, refused]), /REPO1|Wang/);
  });
});

describe('ITI-43 (WIRE §4)', () => {
  const one = sent('retrievable one');
  const two = sent('retrievable two');
  before(async () => {
    assert.equal(said(await provide([one, two])).status, 'success');
  });
  const reference = (change: object) => ({
    homeCommunityId: null,
    repositoryUniqueId: REPOSITORY,
    documentUniqueId: one.uniqueId,
    ...change,
  });

  test('4.20 some found: PartialSuccess; none: Failure (TK2 15816)', async () => {
    const some = await fetched(one.uniqueId, '1.2.3.4');
    assert.equal(some.status, 'partial');
    assert.match(some.answer.envelope.toString(), /status="urn:ihe:iti:2007:ResponseStatusType:PartialSuccess"/);
    assert.deepEqual([some.documents.length, some.problems.map(({ code }) => code)], [1, ['XDSDocumentUniqueIdError']]);
    const none = await fetched('1.2.3.4', '1.2.3.5');
    assert.deepEqual([none.status, none.documents.length, none.problems.length], ['failure', 0, 2]);
  });

  test('4.21 another repository: XDSUnknownRepositoryId', async () => {
    const got = await fetched(reference({ repositoryUniqueId: '1.2.3' }));
    assert.deepEqual([got.status, got.problems[0]?.code], ['failure', 'XDSUnknownRepositoryId']);
  });

  test('4.22 the home community is echoed, where there is one', async () => {
    const got = await fetched(
      reference({ homeCommunityId: 'urn:oid:1.3.6.1.4.1.21367' }),
      reference({ documentUniqueId: two.uniqueId }),
    );
    assert.deepEqual(
      got.documents.map(({ homeCommunityId }) => homeCommunityId),
      ['urn:oid:1.3.6.1.4.1.21367', null],
    );
  });

  test('4.23 a pair asked for twice never fails', async () => {
    const got = await fetched(one.uniqueId, one.uniqueId, two.uniqueId);
    assert.equal(got.status, 'success');
    assert.deepEqual(
      got.documents.map(({ documentUniqueId }) => documentUniqueId),
      [one.uniqueId, two.uniqueId],
    );
  });

  test('4.24 a deprecated document stays retrievable', async () => {
    const old = sent('old form');
    assert.equal(said(await provide([old])).status, 'success');
    const { rows } = await hub.database.pool.query<{ id: string }>(
      'select id from registry_object where unique_id = $1',
      [old.uniqueId],
    );
    const fresh = sent('new form');
    const more = [association('rplc', 'RPLC', fresh.name, `urn:uuid:${rows[0]?.id ?? ''}`)];
    assert.equal(said(await provide([fresh], { more })).status, 'success');
    assert.equal((await registered(old.uniqueId)).status, 'deprecated');
    const got = await fetched(old.uniqueId, fresh.uniqueId);
    assert.deepEqual(
      got.documents.map(({ bytes }) => bytes?.toString()),
      ['old form', 'new form'],
    );
  });

  test('4.25 asked for by MTOM, as the standard has it, or by plain SOAP: answered by MTOM', async () => {
    const body = writeRetrieveRequest([reference({})]);
    const { type, bytes } = packed(soap(ITI43_REQUEST, body), [], ITI43_REQUEST);
    for (const [contentType, content] of [
      [type, bytes],
      [plainType(ITI43_REQUEST), soap(ITI43_REQUEST, body)],
      ['application/soap+xml', soap(ITI43_REQUEST, body)],
    ] as const) {
      const answer = kept(await send(hub.url, contentType, content, 'query-platform'));
      assert.equal(said(answer).status, 'success');
      assert.match(answer.type, /^multipart\/related; .*action="urn:ihe:iti:2007:RetrieveDocumentSetResponse"/);
      assert.equal([...answer.attachments.values()][0]?.toString(), 'retrievable one');
    }
  });

  test('4.26 foreign text does not come back, and is not kept', async () => {
    const at = hub.audits.length;
    const got = await fetched(reference({ documentUniqueId: '张三<script>' }));
    assert.deepEqual([got.status, got.problems[0]?.code], ['failure', 'XDSDocumentUniqueIdError']);
    assert.doesNotMatch(got.answer.envelope.toString(), /张三|script/);
    assert.doesNotMatch(JSON.stringify(hub.audits.slice(at)), /张三|script/);
  });

  test('4.27 who read what is kept before the bytes leave; without that there are none', async () => {
    const at = hub.audits.length;
    await fetched(one.uniqueId, '1.2.3.4');
    const [given, missed] = hub.audits.slice(at);
    assert.deepEqual([given?.action, given?.outcome, given?.objects], ['read', 'success', [one.uniqueId]]);
    assert.deepEqual([missed?.outcome, missed?.reason], ['failure', 'XDSDocumentUniqueIdError']);
    const blind = await startRepositoryHub(() => ({
      audit: { record: () => Promise.reject(new Error('disk full')) },
    }));
    try {
      const answer = await send(
        blind.url,
        plainType(ITI43_REQUEST),
        soap(ITI43_REQUEST, writeRetrieveRequest([reference({})])),
        'query-platform',
      );
      assert.equal(answer.status, 500);
      assert.match(answer.envelope.toString(), /env:Receiver/);
    } finally {
      await blind.close();
    }
  });

  test('4.28 bytes that the disk lost: XDSRepositoryError for that one, never a short document', async () => {
    const lost = sent('will be lost');
    assert.equal(said(await provide([lost])).status, 'success');
    const { rows } = await hub.database.pool.query<{ object: string }>(
      'select object from repository_document where unique_id = $1',
      [lost.uniqueId],
    );
    await hub.objects.remove(rows[0]?.object ?? '');
    const got = await fetched(lost.uniqueId, one.uniqueId);
    assert.deepEqual([got.status, got.problems[0]?.code, got.documents.length], ['partial', 'XDSRepositoryError', 1]);
  });
});

describe('ITI-86 (WIRE §3)', () => {
  test('4.30 what is removed is gone, bytes and all; its entry stays', async () => {
    const files = (await hub.files()).length;
    const document = sent('to be removed');
    assert.equal(said(await provide([document])).status, 'success');
    const answer = kept(await remove(hub, [document.uniqueId]));
    assert.equal(said(answer).status, 'success');
    assert.match(answer.type, /^application\/soap\+xml.*action="urn:ihe:iti:2017:RemoveDocumentsResponse"/);
    assert.equal((await hub.files()).length, files);
    assert.equal((await fetched(document.uniqueId)).status, 'failure');
    assert.equal((await registered(document.uniqueId)).status, 'approved');
  });

  test('4.31 unknown documents and repositories are told, the others removed', async () => {
    const document = sent('removed beside others');
    assert.equal(said(await provide([document])).status, 'success');
    const other = { homeCommunityId: null, repositoryUniqueId: '1.2.3', documentUniqueId: document.uniqueId };
    const answer = kept(await remove(hub, [document.uniqueId, '1.2.3.4', other]));
    assert.equal(said(answer).status, 'partial');
    assert.deepEqual(codesOf(answer), ['XDSDocumentUniqueIdError', 'XDSUnknownRepositoryId']);
    const none = kept(await remove(hub, [document.uniqueId]));
    assert.equal(said(none).status, 'failure');
  });
});

describe('who may', () => {
  test('nobody: 401; a role without the right: 403; both are kept, and nothing of theirs is stored', () =>
    leavesNothing(async () => {
      const at = hub.audits.length;
      const { type, bytes } = provided([sent('no right')]);
      const answers = [
        await send(hub.url, type, bytes, 'nobody'),
        await send(hub.url, type, bytes, 'query-platform'),
        await send(hub.url, type, bytes, 'operator'),
        await send(
          hub.url,
          plainType(ITI43_REQUEST),
          soap(
            ITI43_REQUEST,
            writeRetrieveRequest([{ homeCommunityId: null, repositoryUniqueId: REPOSITORY, documentUniqueId: '1.2' }]),
          ),
        ),
        await remove(hub, ['1.2'], 'hospital-feed'),
      ];
      assert.deepEqual(
        answers.map(({ status }) => status),
        [401, 403, 403, 403, 403],
      );
      assert.ok(hub.audits.slice(at).every(({ action, outcome }) => action === 'refuse' && outcome === 'refused'));
      assert.deepEqual(
        hub.audits.slice(at).map(({ operation }) => operation),
        ['document repository', 'ITI-41', 'document repository', 'ITI-43', 'ITI-86'],
      );
    }));

  test('the administrator may do all', async () => {
    const { type, bytes } = provided([sent('by the administrator')]);
    assert.equal(said(await send(hub.url, type, bytes, 'administrator')).status, 'success');
  });

  test('only POST, and only the three actions', async () => {
    assert.equal((await fetch(hub.url, { headers: { 'x-role': 'administrator' } })).status, 405);
    const answer = kept(
      await send(hub.url, 'application/soap+xml', soap('urn:ihe:iti:2007:RegisterDocumentSet-b', '<x/>')),
    );
    assert.equal(answer.status, 400);
    assert.match(answer.envelope.toString(), /ActionNotSupported/);
    for (const action of [ITI41_REQUEST, ITI43_REQUEST, ITI86_REQUEST]) {
      const wrong = kept(
        await send(hub.url, 'application/soap+xml', soap(action, '<x xmlns="urn:x"/>'), 'administrator'),
      );
      assert.equal(wrong.status, 400);
      assert.match(wrong.envelope.toString(), /env:Sender/);
    }
  });
});
