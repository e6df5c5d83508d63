/** ITI-57 and ITI-62 by WIRE §3, over HTTP: new versions, changes of status, new associations, and removal. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { DocumentEntry, PatientCx, RegistryObject } from '../../hub/core/document.ts';
import { STATUSES } from '../../mappings/xds/ebrim-names.ts';
import { association, code, documentEntry, folder, id, submissionSet } from '../support/documents.ts';
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

const slot = (name: string, ...values: string[]) => ({ name, values });

/** A new version of an object in a submission set. */
const update = (
  made: RegistryObject,
  previous: string,
  more: { readonly patient?: PatientCx; readonly propagate?: string } = {},
): Any[] => [
  submissionSet('s', more.patient ?? patient, oid()),
  { ...made, id: id('new') },
  association('a', 'HasMember', 's', 'new', {
    submissionSetStatus: 'Original',
    extra: [
      slot('PreviousVersion', previous),
      ...(more.propagate === undefined ? [] : [slot('AssociationPropagation', more.propagate)]),
    ],
  }),
];

const changeStatus = (target: string, from: string, to: string): Any[] => [
  submissionSet('s', patient, oid()),
  association('a', 'UpdateAvailabilityStatus', 's', target, {
    extra: [slot('OriginalStatus', from), slot('NewStatus', to)],
  }),
];

const inFolder = async (): Promise<{ entry: DocumentEntry; folderId: string }> => {
  const uid = oid();
  const entry = await accepted(
    oneDocument({}, [
      folder('f', patient, uid),
      association('a2', 'HasMember', 'SubmissionSet01', 'f'),
      association('a3', 'HasMember', 'f', 'Document01'),
      association('a4', 'HasMember', 'SubmissionSet01', 'a3'),
    ]),
  );
  const [stored] = await hub.byUniqueId(uid);
  assert.ok(stored);
  return { entry, folderId: stored.id };
};

test('ITI-57: a new version stands, the old is deprecated; both share the logical id', async () => {
  const first = await accepted(oneDocument());
  const second = await accepted(update({ ...first, title: [{ text: 'better' }] }, '1'), 'ITI-57');
  assert.deepEqual([second.lid, second.version, second.status], [first.lid, 2, 'approved']);
  assert.notEqual(second.id, first.id);
  assert.deepEqual(
    (await hub.objects([first.id])).map(({ status }) => status),
    ['deprecated'],
  );
  const member = (await hub.associations(second.id)).find(({ type }) => type === 'HasMember');
  assert.deepEqual(member?.extra, [], 'the slots of the operation are not kept');
});

test('ITI-57: versions, logical ids and what cannot be changed', async () => {
  const first = await accepted(oneDocument());
  const nothing = id('urn:uuid:00000000-0000-4000-8000-00000000dead');
  await refused(update(first, '2'), 'XDSMetadataVersionError', 'ITI-57');
  await refused(update({ ...first, lid: nothing }, '1'), 'XDSMetadataIdentifierError', 'ITI-57');
  await refused(update({ ...first, lid: id('new') }, '1'), 'XDSMetadataIdentifierError', 'ITI-57');
  for (const more of [{ uniqueId: oid() }, { hash: 'c'.repeat(40) }, { size: 99 }])
    await refused(update({ ...first, ...more }, '1'), 'UnmodifiableMetadataError', 'ITI-57');
  const other = await newPatient(hub);
  await refused(update({ ...first, patientId: other }, '1', { patient: other }), 'UnmodifiableMetadataError', 'ITI-57');
  await refused(update(first, '1', { patient: other }), 'XDSPatientIDReconciliationError', 'ITI-57');
  const { hash, size, ...rest } = first;
  assert.ok(hash !== undefined && size !== undefined);
  await refused(update({ ...rest, entryType: 'on-demand' }, '1'), 'XDSObjectTypeError', 'ITI-57');
  await refused([submissionSet('s', patient, oid())], 'XDSMetadataUpdateError', 'ITI-57');
  await refused(oneDocument(), ['XDSMetadataIdentifierError'], 'ITI-57');
});

test('ITI-57: one update of a version wins over others at the same time', async () => {
  const first = await accepted(oneDocument());
  const answers = await Promise.all([1, 2, 3].map(() => hub.submit(update(first, '1'), 'ITI-57')));
  assert.equal(answers.filter(({ status }) => status === 'success').length, 1);
  for (const one of answers.filter(({ status }) => status !== 'success'))
    assert.deepEqual(one.codes, ['XDSMetadataVersionError']);
});

test('ITI-57: associations are carried to the new version, unless AssociationPropagation is no', async () => {
  const { entry, folderId } = await inFolder();
  const second = await accepted(update(entry, '1'), 'ITI-57');
  assert.ok((await hub.associations(second.id)).some(({ source }) => source === folderId));
  const third = await accepted(update(second, '2', { propagate: 'no' }), 'ITI-57');
  assert.ok(!(await hub.associations(third.id)).some(({ source }) => source === folderId));
});

test('ITI-57: a folder gets a new version with its members', async () => {
  const { entry, folderId } = await inFolder();
  const [stored] = await hub.objects([folderId]);
  assert.ok(stored?.kind === 'folder');
  const answer = await hub.submit(update({ ...stored, codes: [code('OTHER')] }, '1'), 'ITI-57');
  assert.equal(answer.status, 'success', answer.text);
  const versions = [...(await hub.byUniqueId(stored.uniqueId))].sort((a, b) => a.version - b.version);
  assert.deepEqual(
    versions.map(({ version, status }) => [version, status]),
    [
      [1, 'deprecated'],
      [2, 'approved'],
    ],
  );
  assert.ok((await hub.associations(entry.id)).some(({ source }) => source === versions[1]?.id));
});

test('ITI-57: UpdateAvailabilityStatus from what it is to what it shall be', async () => {
  const first = await accepted(oneDocument());
  const there = await hub.submit(changeStatus(first.id, STATUSES.approved, STATUSES.deprecated), 'ITI-57');
  assert.equal(there.status, 'success', there.text);
  assert.deepEqual(
    (await hub.objects([first.id])).map(({ status }) => status),
    ['deprecated'],
  );
  await refused(
    changeStatus(first.id, STATUSES.approved, STATUSES.deprecated),
    'XDSMetadataUpdateOperationError',
    'ITI-57',
  );
  await refused(changeStatus(first.id, STATUSES.deprecated, 'urn:x'), 'XDSMetadataUpdateOperationError', 'ITI-57');
  const back = await hub.submit(changeStatus(first.id, STATUSES.deprecated, STATUSES.approved), 'ITI-57');
  assert.equal(back.status, 'success');
  await refused(
    changeStatus('urn:uuid:00000000-0000-4000-8000-00000000dead', STATUSES.deprecated, STATUSES.approved),
    'UnresolvedReferenceException',
    'ITI-57',
  );
  const member = (await hub.associations(first.id))[0];
  assert.ok(member);
  const assoc = await hub.submit(changeStatus(member.id, STATUSES.approved, STATUSES.deprecated), 'ITI-57');
  assert.equal(assoc.status, 'success', assoc.text);
  assert.equal((await hub.associations(first.id)).find((one) => one.id === member.id)?.status, 'deprecated');
});

test('ITI-57: of one object one message asks one thing: no second version stands beside the new one', async () => {
  const first = await accepted(oneDocument());
  const status = (one: string): Any =>
    association(one, 'UpdateAvailabilityStatus', 's', first.id, {
      extra: [slot('OriginalStatus', STATUSES.approved), slot('NewStatus', STATUSES.approved)],
    });
  const all = update(first, '1');
  await refused([...all, status('b')], 'XDSMetadataUpdateOperationError', 'ITI-57');
  await refused([status('b'), ...all], 'XDSMetadataUpdateOperationError', 'ITI-57');
  const [set] = all;
  assert.ok(set);
  await refused([set, status('b'), status('c')], 'XDSMetadataUpdateOperationError', 'ITI-57');
  assert.deepEqual(
    (await hub.byUniqueId(first.uniqueId)).map(({ version, status: stands }) => [version, stands]),
    [[1, 'approved']],
  );
});

test("ITI-57: an association of another patient's documents keeps its status", async () => {
  const { entry } = await inFolder();
  const [member] = await hub.associations(entry.id);
  assert.ok(member);
  const [, ask] = changeStatus(member.id, STATUSES.approved, STATUSES.deprecated);
  assert.ok(ask);
  const other = await newPatient(hub);
  await refused([submissionSet('s', other, oid()), ask], 'XDSPatientIDReconciliationError', 'ITI-57');
});

test('ITI-57: SubmitAssociation puts a registered document into a registered folder', async () => {
  const { folderId } = await inFolder();
  const entry = await accepted(oneDocument());
  const ask = (target: string): Any[] => [
    submissionSet('s', patient, oid()),
    association('m', 'HasMember', folderId, target),
    association('a', 'SubmitAssociation', 's', 'm'),
  ];
  const answer = await hub.submit(ask(entry.id), 'ITI-57');
  assert.equal(answer.status, 'success', answer.text);
  assert.ok((await hub.associations(entry.id)).some(({ source }) => source === folderId));
  await refused(ask('urn:uuid:00000000-0000-4000-8000-00000000dead'), 'UnresolvedReferenceException', 'ITI-57');
});

test('ITI-62: what is unknown, what is spoken of, what would be orphaned, and what goes', async () => {
  const entry = await accepted(oneDocument());
  const [member] = await hub.associations(entry.id);
  assert.ok(member);
  const nothing = await hub.remove(['urn:uuid:00000000-0000-4000-8000-00000000dead']);
  assert.deepEqual([nothing.status, nothing.codes], ['failure', ['UnresolvedReferenceException']]);
  assert.deepEqual((await hub.remove([entry.id])).codes, ['ReferencesExistException']);
  assert.deepEqual((await hub.remove([member.source])).codes, ['ReferencesExistException']);
  assert.deepEqual((await hub.remove([member.id])).codes, ['XDSUnreferencedObjectException']);
  assert.deepEqual((await hub.remove([])).codes, ['XDSRegistryError']);
  const rows = await hub.rows();
  const gone = await hub.remove([entry.id, member.id, member.source]);
  assert.deepEqual([gone.status, gone.codes], ['success', []], gone.text);
  assert.equal(await hub.rows(), rows - 3);
});

test('ITI-62: a folder that goes while a document in it is replaced leaves no association to nothing', async () => {
  for (let round = 0; round < 12; round++) {
    const { entry, folderId } = await inFolder();
    const around = await hub.associations(folderId);
    const inside = around.find(({ source }) => source === folderId);
    assert.ok(inside);
    const held = await hub.associations(inside.id);
    const ids = new Set([folderId, ...[...around, ...held].map((one) => one.id)]);
    const [, replaced] = await Promise.all([
      hub.remove([...ids]),
      hub.submit(oneDocument({}, [association('r', 'RPLC', 'Document01', entry.id)])),
    ]);
    assert.equal(replaced.status, 'success', replaced.text);
    const { rows } = await hub.database.pool.query(
      `select a.id from document_association a where exists (select from unnest(array[a.source, a.target]) as e(id)
         where not exists (select from registry_object o where o.id = e.id)
           and not exists (select from document_association other where other.id = e.id))`,
    );
    assert.deepEqual(rows, [], `round ${String(round)}`);
  }
});

test('ITI-62: a membership in a folder goes only together with that of its submission set', async () => {
  const { entry, folderId } = await inFolder();
  const member = (await hub.associations(entry.id)).find(({ source }) => source === folderId);
  assert.ok(member);
  const holders = (await hub.associations(member.id)).map((one) => one.id);
  assert.deepEqual((await hub.remove([member.id])).codes, ['ReferencesExistException']);
  assert.equal((await hub.remove([member.id, ...holders])).status, 'success');
});

test('a hospital changes and removes what it submitted, and nothing of others', async () => {
  const mine = { role: 'hospital-feed', site: 'h1' } as const;
  const other = { role: 'hospital-feed', site: 'h2' } as const;
  const all = [
    documentEntry('d', patient, oid()),
    submissionSet('s', patient, oid()),
    association('a', 'HasMember', 's', 'd', { submissionSetStatus: 'Original' }),
  ];
  assert.equal((await hub.submit(all, 'ITI-42', mine)).status, 'success');
  const first = (await hub.byUniqueId(all[0] && 'uniqueId' in all[0] ? all[0].uniqueId : ''))[0];
  assert.ok(first);
  const [member] = await hub.associations(first.id);
  assert.ok(member);
  const ids = [first.id, member.id, member.source];
  assert.deepEqual((await hub.submit(update(first, '1'), 'ITI-57', other)).codes, ['XDSRegistryError']);
  assert.deepEqual([...new Set((await hub.remove(ids, other)).codes)], ['XDSRegistryError']);
  assert.deepEqual([...new Set((await hub.remove([member.id], other)).codes)].length, 1);
  assert.equal((await hub.objects([first.id]))[0]?.status, 'approved');
  assert.equal((await hub.remove(ids, mine)).status, 'success');
});

test('ITI-42: a hospital replaces what it registered; what hangs on the document of another deprecates nothing', async () => {
  const [mine, other] = [
    { role: 'hospital-feed', site: 'h1' },
    { role: 'hospital-feed', site: 'h2' },
  ] as const;
  const uniqueId = oid();
  assert.equal((await hub.submit(oneDocument({}, [], uniqueId), 'ITI-42', mine)).status, 'success');
  const [first] = await hub.byUniqueId(uniqueId);
  assert.ok(first);
  const by = (type: 'RPLC' | 'XFRM_RPLC' | 'APND' | 'XFRM'): Any[] =>
    oneDocument({}, [association('r', type, 'Document01', first.id)]);
  const status = async () => (await hub.objects([first.id]))[0]?.status;
  for (const type of ['RPLC', 'XFRM_RPLC'] as const) {
    const before = await hub.rows();
    const answer = await hub.submit(by(type), 'ITI-42', other);
    assert.deepEqual(
      answer.errors,
      [{ code: 'XDSRegistryError', severity: 'error', location: first.id }],
      'the entry is named',
    );
    assert.deepEqual([await status(), await hub.rows()], ['approved', before]);
  }
  for (const type of ['APND', 'XFRM'] as const)
    assert.equal((await hub.submit(by(type), 'ITI-42', other)).status, 'success');
  assert.equal(await status(), 'approved');
  const replacement = by('RPLC');
  assert.equal((await hub.submit(replacement, 'ITI-42', mine)).status, 'success');
  assert.equal(await status(), 'deprecated');
  const second = (await hub.associations(first.id)).find(({ type }) => type === 'RPLC')?.source;
  assert.ok(second !== undefined);
  const administrator = oneDocument({}, [association('r', 'RPLC', 'Document01', second)]);
  assert.equal((await hub.submit(administrator)).status, 'success');
});
