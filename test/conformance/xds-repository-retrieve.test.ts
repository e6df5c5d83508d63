/** Retrieve and Remove Documents, and who may do what: the wire contract §4 by number, over HTTP and PostgreSQL. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { ITI41_REQUEST, ITI43_REQUEST, ITI86_REQUEST, writeRetrieveRequest } from '../../mappings/xds/document-set.ts';
import type { DocumentRegistry } from '../../hub/core/document-ports.ts';
import type { EntryId } from '../../hub/core/document.ts';
import { createDocumentWriter } from '../../hub/store/document-registry.ts';
import { association, documentEntry, submissionSet } from '../support/documents.ts';
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
import type { RepositoryHub } from '../support/repository-hub.ts';
import { valid, provide, leavesNothing, registered, packed, provided, sent, uid } from '../support/submission.ts';

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

describe('ITI-43 (WIRE §4)', () => {
  const one = sent('retrievable one');
  const two = sent('retrievable two');
  before(async () => {
    assert.equal(said(await provide(hub, [one, two])).status, 'success');
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
    assert.equal(said(await provide(hub, [old])).status, 'success');
    const { rows } = await hub.database.pool.query<{ id: string }>(
      'select id from registry_object where unique_id = $1',
      [old.uniqueId],
    );
    const fresh = sent('new form');
    const more = [association('rplc', 'RPLC', fresh.name, `urn:uuid:${rows[0]?.id ?? ''}`)];
    assert.equal(said(await provide(hub, [fresh], { more })).status, 'success');
    assert.equal((await registered(hub, old.uniqueId)).status, 'deprecated');
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
      const answer = valid(await send(hub.url, contentType, content, 'query-platform'));
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
    assert.equal(said(await provide(hub, [lost])).status, 'success');
    const { rows } = await hub.database.pool.query<{ object: string }>(
      'select object from repository_document where unique_id = $1',
      [lost.uniqueId],
    );
    await hub.objects.remove(rows[0]?.object ?? '');
    const got = await fetched(lost.uniqueId, one.uniqueId);
    assert.deepEqual([got.status, got.problems[0]?.code, got.documents.length], ['partial', 'XDSRepositoryError', 1]);
  });
});

/** The registry behind the same domain, as its own face (ITI-61, ITI-62) drives it. */
const registryOf = (): Pick<DocumentRegistry, 'register' | 'remove'> =>
  createDocumentWriter({ database: hub.database, clock: () => new Date(), affinityDomainOid: '2.999.156.1' });

test('4.29 an on-demand entry that names this repository: XDSDocumentUniqueIdError, alone and beside others', async () => {
  const [stable, uniqueId] = [sent('beside an on-demand one'), uid()];
  assert.equal(said(await provide(hub, [stable])).status, 'success');
  const { hash: _hash, size: _size, creationTime: _time, ...demand } = documentEntry('Demand', PATIENT, uniqueId);
  const submission = {
    objects: [submissionSet('Set', PATIENT, uid()), { ...demand, entryType: 'on-demand' as const }],
    associations: [association('Member', 'HasMember', 'Set', 'Demand', { submissionSetStatus: 'Original' })],
  };
  const registered = await registryOf().register(submission, {
    sender: 'outside',
    documents: [],
    trusted: false,
    anybodys: false,
  });
  assert.ok(registered.ok);
  const none = await fetched(uniqueId);
  assert.deepEqual([none.status, none.problems.map(({ code }) => code)], ['failure', ['XDSDocumentUniqueIdError']]);
  const some = await fetched(uniqueId, stable.uniqueId);
  assert.deepEqual([some.status, some.documents.length], ['partial', 1]);
  assert.deepEqual(codesOf(valid(await remove(hub, [uniqueId]))), ['XDSDocumentUniqueIdError']);
});

describe('ITI-86 (WIRE §3)', () => {
  test('4.30 what is removed is gone, bytes and all; its entry stays', async () => {
    const files = (await hub.files()).length;
    const document = sent('to be removed');
    assert.equal(said(await provide(hub, [document])).status, 'success');
    const answer = valid(await remove(hub, [document.uniqueId]));
    assert.equal(said(answer).status, 'success');
    assert.match(answer.type, /^application\/soap\+xml.*action="urn:ihe:iti:2017:RemoveDocumentsResponse"/);
    assert.equal((await hub.files()).length, files);
    assert.equal((await fetched(document.uniqueId)).status, 'failure');
    assert.equal((await registered(hub, document.uniqueId)).status, 'approved');
  });

  test('4.30b the administrator removes the entry by ITI-62, before or after the document', async () => {
    const entryOf = async (uniqueId: string): Promise<{ id: EntryId; member: EntryId; set: EntryId }> => {
      const { rows } = await hub.database.pool.query<{ id: EntryId; member: EntryId; set: EntryId }>(
        `select 'urn:uuid:' || o.id as id, 'urn:uuid:' || a.id as member, 'urn:uuid:' || a.source as set from registry_object o
         join document_association a on a.target = o.id and a.type = 'HasMember' where o.unique_id = $1`,
        [uniqueId],
      );
      assert.ok(rows[0]);
      return rows[0];
    };
    for (const isDocumentFirst of [true, false]) {
      const document = sent('to be removed with its entry');
      assert.equal(said(await provide(hub, [document])).status, 'success');
      const { id, member, set } = await entryOf(document.uniqueId);
      if (isDocumentFirst) assert.equal(said(await remove(hub, [document.uniqueId])).status, 'success');
      assert.deepEqual(await registryOf().remove([id, member, set]), []);
      const left = await hub.database.pool.query('select from registry_object where unique_id = $1', [
        document.uniqueId,
      ]);
      assert.equal(left.rowCount, 0);
      // The registry forgets the entry, the repository its document: neither does the other's part.
      const got = await fetched(document.uniqueId);
      assert.equal(got.status, isDocumentFirst ? 'failure' : 'success');
      if (!isDocumentFirst) assert.equal(said(await remove(hub, [document.uniqueId])).status, 'success');
      assert.equal((await fetched(document.uniqueId)).status, 'failure');
    }
  });

  test('4.31 unknown documents and repositories are told, the others removed', async () => {
    const document = sent('removed beside others');
    assert.equal(said(await provide(hub, [document])).status, 'success');
    const other = { homeCommunityId: null, repositoryUniqueId: '1.2.3', documentUniqueId: document.uniqueId };
    const answer = valid(await remove(hub, [document.uniqueId, '1.2.3.4', other]));
    assert.equal(said(answer).status, 'partial');
    assert.deepEqual(codesOf(answer), ['XDSDocumentUniqueIdError', 'XDSUnknownRepositoryId']);
    const none = valid(await remove(hub, [document.uniqueId]));
    assert.equal(said(none).status, 'failure');
  });
});

describe('who may', () => {
  test('nobody: 401; a role without the right: 403; both are kept, and nothing of theirs is stored', () =>
    leavesNothing(hub, async () => {
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
    const answer = valid(
      await send(hub.url, 'application/soap+xml', soap('urn:ihe:iti:2007:RegisterDocumentSet-b', '<x/>')),
    );
    assert.equal(answer.status, 400);
    assert.match(answer.envelope.toString(), /ActionNotSupported/);
    for (const action of [ITI41_REQUEST, ITI43_REQUEST, ITI86_REQUEST]) {
      const wrong = valid(
        await send(hub.url, 'application/soap+xml', soap(action, '<x xmlns="urn:x"/>'), 'administrator'),
      );
      assert.equal(wrong.status, 400);
      assert.match(wrong.envelope.toString(), /env:Sender/);
    }
  });
});

test('what follows the last part of a package does not hold up the next request of the connection', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const post = async (tail: string): Promise<[number | undefined, boolean]> => {
    const { type, bytes } = provided([sent('with an epilogue')]);
    const headers = { 'Content-Type': type, 'x-role': 'hospital-feed' };
    const sending = request(hub.url, { agent, method: 'POST', headers, timeout: 20_000 });
    sending.on('timeout', () => sending.destroy(new Error('no answer')));
    sending.end(Buffer.concat([bytes, Buffer.from(tail)]));
    const [response] = (await once(sending, 'response')) as [IncomingMessage];
    response.resume();
    await once(response, 'end');
    return [response.statusCode, sending.reusedSocket];
  };
  assert.deepEqual(await post('x'.repeat(1_000_000)), [200, false]);
  assert.deepEqual(await post(''), [200, true]);
  agent.destroy();
});
