/** ITI-42 by the rows of WIRE §3, over HTTP: what is accepted of a submission that meets the registry. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { PatientCx } from '../../hub/core/document.ts';
import { association, code, cx, documentEntry, folder, submissionSet } from '../support/documents.ts';
import { caseAt } from '../support/registry-case.ts';
import type { Any } from '../support/registry-case.ts';
import { newPatient, oid, openRegistry } from '../support/registry-hub.ts';
import type { RegistryHub } from '../support/registry-hub.ts';

let hub: RegistryHub;
let patient: PatientCx;
const { oneDocument, accepted, refused } = caseAt(
  () => hub,
  () => patient,
);
before(async () => {
  hub = await openRegistry();
  patient = await newPatient(hub);
});

test('§3: a patient that no feed announced (11996)', async () => {
  const stranger = cx('nobody');
  const all = [
    documentEntry('d', stranger, oid()),
    submissionSet('s', stranger, oid()),
    association('a', 'HasMember', 's', 'd', { submissionSetStatus: 'Original' }),
  ];
  await refused(all, 'XDSUnknownPatientId');
});

test("§3: a document or folder of another patient than the submission set's (11997)", async () => {
  const other = await newPatient(hub);
  await refused(oneDocument({ patientId: other }), 'XDSPatientIdDoesNotMatch');
  await refused(
    oneDocument({}, [folder('f', other, oid()), association('a2', 'HasMember', 'SubmissionSet01', 'f')]),
    'XDSPatientIdDoesNotMatch',
  );
});

test('§3: across patients only a Reference is allowed (11998, 12002)', async () => {
  const other = await newPatient(hub);
  const mine = await accepted(oneDocument());
  const theirs = (more: readonly Any[]): Any[] => [
    documentEntry('d', other, oid()),
    submissionSet('s', other, oid()),
    association('a', 'HasMember', 's', 'd', { submissionSetStatus: 'Original' }),
    ...more,
  ];
  await refused(theirs([association('r', 'RPLC', 'd', mine.id)]), 'XDSPatientIdDoesNotMatch');
  await refused(
    theirs([
      folder('f', other, oid()),
      association('a2', 'HasMember', 's', 'f'),
      association('a3', 'HasMember', 'f', mine.id),
      association('a4', 'HasMember', 's', 'a3'),
    ]),
    'XDSPatientIdDoesNotMatch',
  );
  await accepted(theirs([association('r', 'HasMember', 's', mine.id, { submissionSetStatus: 'Reference' })]));
});

test('§3: a uniqueId twice in the message', async () => {
  const uid = oid();
  await refused(
    oneDocument(
      {},
      [
        documentEntry('Document02', patient, uid),
        association('a2', 'HasMember', 'SubmissionSet01', 'Document02', { submissionSetStatus: 'Original' }),
      ],
      uid,
    ),
    'XDSRegistryDuplicateUniqueIdInMessage',
  );
});

test('§3: uniqueId of a submission set or folder that is registered already', async () => {
  const uid = oid();
  const set = (): Any[] => [
    documentEntry('d', patient, oid()),
    submissionSet('s', patient, uid),
    association('a', 'HasMember', 's', 'd', { submissionSetStatus: 'Original' }),
  ];
  await accepted(set());
  await refused(set(), 'XDSDuplicateUniqueIdInRegistry');
  const folderUid = oid();
  const filed = (): Any[] =>
    oneDocument({}, [folder('f', patient, folderUid), association('a2', 'HasMember', 'SubmissionSet01', 'f')]);
  await accepted(filed());
  await refused(filed(), 'XDSDuplicateUniqueIdInRegistry');
});

test('§3: a document again, the same to the byte, is one more entry; another hash or size is not (12004)', async () => {
  const uid = oid();
  const first = await accepted(oneDocument({}, [], uid));
  const second = await accepted(oneDocument({}, [], uid));
  assert.equal((await hub.byUniqueId(uid)).length, 2);
  assert.equal(first.hash, second.hash);
  await refused(oneDocument({ hash: 'b'.repeat(40) }, [], uid), 'XDSNonIdenticalHash');
  await refused(oneDocument({ size: 17 }, [], uid), 'XDSNonIdenticalSize');
});

test('§3: RPLC deprecates, with addenda and transformations and theirs; APND and XFRM do not', async () => {
  const first = await accepted(oneDocument());
  const addendum = await accepted(oneDocument({}, [association('r', 'APND', 'Document01', first.id)]));
  const deeper = await accepted(oneDocument({}, [association('r', 'XFRM', 'Document01', addendum.id)]));
  assert.deepEqual(
    (await hub.objects([first.id])).map(({ status }) => status),
    ['approved'],
  );
  const made = await accepted(oneDocument({}, [association('r', 'RPLC', 'Document01', first.id)]));
  const states = new Map(
    (await hub.objects([first.id, addendum.id, deeper.id, made.id])).map((one) => [one.id, one.status]),
  );
  assert.deepEqual(
    [first, addendum, deeper, made].map((one) => states.get(one.id)),
    ['deprecated', 'deprecated', 'deprecated', 'approved'],
  );
  for (const type of ['RPLC', 'APND', 'XFRM', 'XFRM_RPLC'] as const)
    await refused(
      oneDocument({}, [association('r', type, 'Document01', first.id)]),
      'XDSRegistryDeprecatedDocumentError',
    );
});

test('§3: the replacement enters every folder of what it replaces, whose lastUpdateTime moves (12327)', async () => {
  const folderUid = oid();
  const first = await accepted(
    oneDocument({}, [
      folder('f', patient, folderUid),
      association('a2', 'HasMember', 'SubmissionSet01', 'f'),
      association('a3', 'HasMember', 'f', 'Document01'),
      association('a4', 'HasMember', 'SubmissionSet01', 'a3'),
    ]),
  );
  await hub.database.pool.query(`update registry_object set main_time = '20200101000000' where unique_id = $1`, [
    folderUid,
  ]);
  const made = await accepted(oneDocument({}, [association('r', 'XFRM_RPLC', 'Document01', first.id)]));
  const [stored] = await hub.byUniqueId(folderUid);
  assert.ok(stored?.kind === 'folder');
  assert.ok(stored.lastUpdateTime > '20200101000000');
  const entry = (await hub.associations(made.id)).find((one) => one.source === stored.id);
  assert.ok(entry, 'the folder has it as a member');
  const holders = await hub.associations(entry.id);
  const [set] = await hub.objects(holders.map(({ source }) => source));
  assert.equal(set?.kind, 'submission-set', 'and the submission set has that membership');
});

test('§3: a document enters a folder that is registered', async () => {
  const folderUid = oid();
  await accepted(
    oneDocument({}, [folder('f', patient, folderUid), association('a2', 'HasMember', 'SubmissionSet01', 'f')]),
  );
  const [stored] = await hub.byUniqueId(folderUid);
  assert.ok(stored);
  const entry = await accepted(
    oneDocument({}, [
      association('a3', 'HasMember', stored.id, 'Document01'),
      association('a4', 'HasMember', 'SubmissionSet01', 'a3'),
    ]),
  );
  assert.ok((await hub.associations(entry.id)).some((one) => one.source === stored.id));
});

test('§3: associations to nothing, from nothing, to oneself, of the wrong kinds', async () => {
  const nothing = 'urn:uuid:00000000-0000-4000-8000-000000000000';
  const first = await accepted(oneDocument());
  for (const one of [
    association('r', 'RPLC', 'Document01', nothing),
    association('r', 'RPLC', nothing, first.id),
    association('r', 'RPLC', first.id, first.id),
    association('r', 'RPLC', 'Document01', 'Document01'),
    association('r', 'RPLC', 'SubmissionSet01', first.id),
    association('r', 'HasMember', 'Document01', first.id),
    association('r', 'UpdateAvailabilityStatus', 'SubmissionSet01', first.id),
    association('r', 'HasMember', 'SubmissionSet01', first.id, { submissionSetStatus: 'Original' }),
    association('r', 'IsSnapshotOf', 'Document01', first.id),
  ])
    await refused(oneDocument({}, [one]), [
      'XDSRegistryMetadataError',
      'XDSRegistryError',
      'UnresolvedReferenceException',
    ]);
});

test('§3: a signature signs documents of the message and of the registry, deprecated or not', async () => {
  const first = await accepted(oneDocument());
  await accepted(
    oneDocument({}, [
      documentEntry('sig', patient, oid()),
      association('a2', 'HasMember', 'SubmissionSet01', 'sig', { submissionSetStatus: 'Original' }),
      association('a3', 'signs', 'sig', 'Document01', { documentation: code('source', '1.2.840.10065.1.12') }),
      association('a4', 'signs', 'sig', first.id),
    ]),
  );
});

test('§3: all or nothing: one wrong document of two (12084)', async () => {
  await refused(
    oneDocument({}, [
      documentEntry('Document02', patient, oid(), { hash: 'x' }),
      association('a2', 'HasMember', 'SubmissionSet01', 'Document02', { submissionSetStatus: 'Original' }),
    ]),
    'XDSRegistryMetadataError',
  );
});

test('two that replace one document at once: one is registered, the other told that it is deprecated', async () => {
  for (let round = 0; round < 5; round++) {
    const first = await accepted(oneDocument());
    const both = await Promise.all(
      [1, 2, 3, 4].map(() => hub.submit(oneDocument({}, [association('r', 'RPLC', 'Document01', first.id)]))),
    );
    assert.equal(both.filter(({ status }) => status === 'success').length, 1);
    for (const one of both.filter(({ status }) => status !== 'success'))
      assert.deepEqual(one.codes, ['XDSRegistryDeprecatedDocumentError']);
  }
});

test('two different documents under one new uniqueId at once: one is registered', async () => {
  const uid = oid();
  const both = await Promise.all(
    ['a', 'b', 'c'].map((digit) => hub.submit(oneDocument({ hash: digit.repeat(40) }, [], uid))),
  );
  assert.deepEqual(both.map(({ status }) => status).sort(), ['failure', 'failure', 'success']);
});

test('the audit names each act; roles without the right are refused', async () => {
  hub.audits.length = 0;
  await accepted(oneDocument());
  const event = hub.audits.at(-1);
  assert.deepEqual([event?.operation, event?.action, event?.outcome], ['ITI-42', 'feed', 'success']);
  const answer = await hub.submit(oneDocument(), 'ITI-42', { role: 'query-platform' });
  assert.equal(answer.http, 403);
  assert.equal(hub.audits.at(-1)?.action, 'refuse');
});
