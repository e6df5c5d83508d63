/** The Document Repository, every row of the wire contract §4 by number, over HTTP and PostgreSQL; answers against the XSDs. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { DocumentEntry } from '../../hub/core/document.ts';
import { writeSubmission } from '../../mappings/xds/ebrim-write.ts';
import { association, cx, submissionSet } from '../support/documents.ts';
import { codesOf, PATIENT, REPOSITORY, retrieve, said, startRepositoryHub } from '../support/repository-hub.ts';
import type { Answer, RepositoryHub } from '../support/repository-hub.ts';
import {
  valid,
  provide,
  leavesNothing,
  registered,
  entryOf,
  objectsOf,
  sent,
  sha1,
  uid,
} from '../support/submission.ts';
import type { SentDocument } from '../support/submission.ts';

let hub: RepositoryHub;
before(async () => {
  hub = await startRepositoryHub();
});
after(() => hub.close());

async function fetched(...wanted: Parameters<typeof retrieve>[1]) {
  const got = await retrieve(hub, wanted);
  valid(got.answer);
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

describe('ITI-41 (WIRE §4)', () => {
  test('4.1 documents come back as they were sent, each with its own type', async () => {
    const documents = [sent('one 张三'), sent('two', { mimeType: 'application/pdf' })];
    const answer = await provide(hub, documents);
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
    assert.equal(said(await provide(hub, [document])).status, 'success');
    const entry = await registered(hub, document.uniqueId);
    assert.deepEqual(
      [entry.repositoryUniqueId, entry.hash, entry.size, entry.status],
      [REPOSITORY, sha1(document.bytes), document.bytes.length, 'approved'],
    );
  });

  test('4.3 an entry without its document: XDSMissingDocument', () =>
    leavesNothing(hub, async () => {
      const [one, two] = [sent('one'), sent('two')];
      const answer = await provide(hub, [one], { metadata: writeSubmission(objectsOf([one, two])) });
      await failed([one, two], answer, 'XDSMissingDocument');
      assert.equal(said(answer).problems[0]?.location, two.name);
    }));

  test('4.4 a document without its entry: XDSMissingDocumentMetadata (TK2 11983)', () =>
    leavesNothing(hub, async () => {
      const [one, two] = [sent('one'), sent('two')];
      const answer = await provide(hub, [one, two], { metadata: writeSubmission(objectsOf([one])) });
      await failed([one, two], answer, 'XDSMissingDocumentMetadata');
    }));

  test('4.5 a wrong hash or size: XDSRepositoryMetadataError (TK2 11981, 12369)', () =>
    leavesNothing(hub, async () => {
      for (const wrong of [{ hash: 'da39a3ee5e6b4b0d3255bfef95601890afd80709' }, { size: 7 }]) {
        const document = sent('nine char', wrong);
        await failed([document], await provide(hub, [document]), 'XDSRepositoryMetadataError');
      }
    }));

  test('4.6 a right hash in upper case, and a right size, succeed (TK2 11981)', async () => {
    const text = 'compared without case';
    const hash = sha1(Buffer.from(text)).toUpperCase();
    const document = sent(text, { hash, size: text.length });
    assert.equal(said(await provide(hub, [document])).status, 'success');
    assert.equal((await registered(hub, document.uniqueId)).hash, hash.toLowerCase());
  });

  test('4.7 a mime type that nobody registered is stored and returned as it is (TK2 12360)', async () => {
    const document = sent('x', { mimeType: 'application/x-hutong.probe' });
    assert.equal(said(await provide(hub, [document])).status, 'success');
    assert.equal((await fetched(document.uniqueId)).documents[0]?.mimeType, 'application/x-hutong.probe');
  });

  test('4.8 the registry’s errors pass through with code and location (TK2 11986, 11996)', () =>
    leavesNothing(hub, async () => {
      const other = sent('of somebody else', { patientId: cx('REPO2') });
      const mismatch = await provide(hub, [other]);
      await failed([other], mismatch, 'XDSPatientIdDoesNotMatch');
      assert.notEqual(said(mismatch).problems[0]?.location ?? '', '');
      const stranger = sent('of nobody', { patientId: cx('NOBODY') });
      const metadata = writeSubmission([
        entryOf(stranger),
        submissionSet('Set', cx('NOBODY'), uid()),
        association('m', 'HasMember', 'Set', stranger.name, { submissionSetStatus: 'Original' }),
      ]);
      await failed([stranger], await provide(hub, [stranger], { metadata }), 'XDSUnknownPatientId');
    }));

  test('4.9 a registry that is away: XDSRegistryNotAvailable', async () => {
    const away = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    const cut = await startRepositoryHub(({ registry }) => ({
      registry: { documents: registry.documents, register: () => Promise.reject(away) },
    }));
    try {
      const document = sent('later');
      const answer = await provide(cut, [document]);
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
    leavesNothing(hub, async () => {
      const one = sent('one');
      const two = { ...sent('two'), uniqueId: one.uniqueId };
      await failed([one], await provide(hub, [one, two]), 'XDSRepositoryDuplicateUniqueIdInMessage');
    }));

  test('4.11 two documents with one id, or an on-demand entry: XDSRepositoryMetadataError', () =>
    leavesNothing(hub, async () => {
      const [one, two] = [sent('one'), sent('two')];
      const metadata = writeSubmission(objectsOf([one]));
      const same = await provide(hub, [one, { ...two, name: one.name }], { metadata });
      await failed([one], same, 'XDSRepositoryMetadataError');
      const demand = sent('', { entryType: 'on-demand' });
      await failed([demand], await provide(hub, [demand]), 'XDSRepositoryMetadataError');
    }));

  test('4.12 the same document again is one more entry, and its bytes lie there once (TK2 12004)', async () => {
    const first = sent('the same');
    const again = { ...sent('the same'), uniqueId: first.uniqueId };
    assert.equal(said(await provide(hub, [first])).status, 'success');
    await leavesNothing(hub, async () => assert.equal(said(await provide(hub, [again])).status, 'success'));
    assert.equal((await fetched(first.uniqueId)).documents[0]?.bytes?.toString(), 'the same');
  });

  test('4.13 the same unique id with other bytes: XDSNonIdenticalHash, and the first stays (TK2 12004)', async () => {
    const first = sent('first form');
    assert.equal(said(await provide(hub, [first])).status, 'success');
    await leavesNothing(hub, async () => {
      const answer = await provide(hub, [{ ...sent('other form'), uniqueId: first.uniqueId }]);
      assert.equal(said(answer).status, 'failure');
      assert.ok(codesOf(answer).includes('XDSNonIdenticalHash'));
    });
    assert.equal((await fetched(first.uniqueId)).documents[0]?.bytes?.toString(), 'first form');
  });

  test('4.14 symbolic ids and urn:uuid: ids in any case pair document and entry', async () => {
    const name = 'urn:uuid:0a0b0c0d-1111-4222-8333-944444444401';
    const document = { ...sent('named by uuid'), name };
    assert.equal(
      said(await provide(hub, [document], { ids: [name.toUpperCase().replace('URN:UUID:', 'urn:uuid:')] })).status,
      'success',
    );
  });

  test('4.15 no document, no entry: a submission of metadata alone is one', async () => {
    const answer = await provide(hub, [], { metadata: writeSubmission([submissionSet('Set', PATIENT, uid())]) });
    assert.deepEqual([said(answer).status, codesOf(answer)], ['success', []]);
  });

  test('4.16 an empty document, and one of several megabytes', async () => {
    const large = { ...sent(''), bytes: Buffer.alloc(5_000_000, 'large ') };
    const empty = sent('');
    assert.equal(said(await provide(hub, [empty, large])).status, 'success');
    const got = await fetched(empty.uniqueId, large.uniqueId);
    assert.deepEqual(
      got.documents.map(({ bytes }) => bytes?.length),
      [0, 5_000_000],
    );
    assert.ok(got.documents[1]?.bytes?.equals(large.bytes));
  });

  test('4.17 who submitted is kept, with the submission set and no name', async () => {
    const at = hub.audits.length;
    await provide(hub, [sent('kept')]);
    const bad = sent('not kept', { size: 1 });
    await provide(hub, [bad]);
    const [good, refused] = hub.audits.slice(at);
    assert.deepEqual([good?.action, good?.outcome, good?.operation], ['feed', 'success', 'ITI-41']);
    assert.match(good?.objects[0] ?? '', /^2\.999\./);
    assert.deepEqual([refused?.outcome, refused?.reason], ['failure', 'XDSRepositoryMetadataError']);
    // The patient's id stands where the audit message takes it from (ITI TF-2 §3.41.5.1.2), and nowhere else.
    assert.deepEqual(good?.detail?.patientIds, ['REPO1^^^&2.999.156.1&ISO']);
    const elsewhere = [good, refused].map((event) => ({ ...event, detail: { ...event?.detail, patientIds: [] } }));
    assert.doesNotMatch(JSON.stringify(elsewhere), /REPO1|Wang/);
  });

  test('4.18 bytes outlive their entry (ITI-62): its unique id takes no others, of whichever patient', async () => {
    const { pool } = hub.database;
    const first = sent('what was acknowledged');
    assert.equal(said(await provide(hub, [first])).status, 'success');
    await pool.query('delete from registry_object where unique_id = $1', [first.uniqueId]);
    for (const patientId of [PATIENT, cx('REPO2')]) {
      await pool.query('insert into affinity_patient (patient_id) values ($1) on conflict do nothing', [patientId]);
      const other = { ...sent('other bytes', { patientId }), uniqueId: first.uniqueId };
      const metadata = writeSubmission(
        objectsOf([other]).map((one) => ('patientId' in one ? { ...one, patientId } : one)),
      );
      await leavesNothing(hub, async () =>
        assert.deepEqual(codesOf(await provide(hub, [other], { metadata })), ['XDSNonIdenticalHash']),
      );
    }
    assert.equal((await fetched(first.uniqueId)).documents[0]?.bytes?.toString(), 'what was acknowledged');
    const again = { ...sent('what was acknowledged'), uniqueId: first.uniqueId };
    assert.equal(said(await provide(hub, [again])).status, 'success');
  });

  test('a hospital replaces no document of another, and nothing of the attempt stays', async () => {
    const { pool } = hub.database;
    const first = sent('of another hospital');
    assert.equal(said(await provide(hub, [first])).status, 'success');
    const { rows } = await pool.query<{ id: string }>(
      "update registry_object set sender = 'h2' where unique_id = $1 returning id",
      [first.uniqueId],
    );
    const target = `urn:uuid:${rows[0]?.id ?? ''}`;
    const next = sent('in its place');
    const as = (type: 'RPLC' | 'APND') => ({ more: [association('r', type, next.name, target)] });
    await leavesNothing(hub, async () => {
      const { problems } = said(await provide(hub, [next], as('RPLC')));
      assert.deepEqual(
        problems.map(({ code, location }) => [code, location]),
        [['XDSRegistryError', target]],
      );
    });
    assert.equal((await registered(hub, first.uniqueId)).status, 'approved');
    assert.equal(said(await provide(hub, [next], as('APND'))).status, 'success');
  });
});
