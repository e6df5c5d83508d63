/** ITI-42 and ITI-61 by the rows of WIRE §2 and §3, over HTTP: what is accepted and how it stands afterwards. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { DocumentAssociation, DocumentEntry, PatientCx, RegistryObject } from '../../hub/core/document.ts';
import { association, code, cx, documentEntry, folder, submissionSet } from '../support/documents.ts';
import { newPatient, oid, openRegistry } from '../support/registry-hub.ts';
import type { RegistryHub } from '../support/registry-hub.ts';

let hub: RegistryHub;
let patient: PatientCx;
before(async () => {
  hub = await openRegistry();
  patient = await newPatient(hub);
});

type Any = RegistryObject | DocumentAssociation;

/** One document in one submission set, and what else comes with it. */
function oneDocument(more: Partial<DocumentEntry> = {}, others: readonly Any[] = [], uniqueId = oid()): Any[] {
  return [
    documentEntry('Document01', more.patientId ?? patient, uniqueId, more),
    submissionSet('SubmissionSet01', patient, oid()),
    association('as01', 'HasMember', 'SubmissionSet01', 'Document01', { submissionSetStatus: 'Original' }),
    ...others,
  ];
}

async function accepted(all: readonly Any[], transaction: 'ITI-42' | 'ITI-61' = 'ITI-42'): Promise<DocumentEntry> {
  const answer = await hub.submit(all, transaction);
  assert.equal(answer.http, 200);
  assert.deepEqual([answer.status, answer.codes], ['success', []], answer.text);
  const first = all.find((one) => 'kind' in one && one.kind === 'document');
  assert.ok(first && 'kind' in first);
  const stored = (await hub.byUniqueId(first.uniqueId)).filter((one) => one.kind === 'document');
  const last = stored.at(-1);
  assert.ok(last);
  return last;
}

async function refused(all: readonly Any[], code: string | readonly string[], transaction?: 'ITI-61'): Promise<void> {
  const before = await hub.rows();
  const answer = await hub.submit(all, transaction);
  assert.equal(answer.http, 200);
  assert.equal(answer.status, 'failure', answer.text);
  const codes = typeof code === 'string' ? [code] : code;
  assert.ok(answer.codes.length > 0 && answer.codes.every((one) => codes.includes(one)), answer.text);
  assert.equal(await hub.rows(), before, 'nothing is stored of what is refused');
}

test('§2: symbolic ids become urn:uuid, lower case, and everything that names them follows', async () => {
  const entry = await accepted(oneDocument());
  assert.match(entry.id, /^urn:uuid:[0-9a-f-]{36}$/);
  assert.deepEqual([entry.lid, entry.version, entry.status], [entry.id, 1, 'approved']);
  const [member] = await hub.associations(entry.id);
  assert.ok(member);
  assert.deepEqual([member.type, member.target, member.submissionSetStatus], ['HasMember', entry.id, 'Original']);
  const [set] = await hub.objects([member.source]);
  assert.equal(set?.kind, 'submission-set');
});

test('§2: a pre-assigned id in capitals is kept in lower case; the same id again is refused', async () => {
  const uuid = 'urn:uuid:0A0B0C0D-0000-4000-8000-0000000000AA';
  const named = (): Any[] => [
    documentEntry(uuid, patient, oid()),
    submissionSet('s', patient, oid()),
    association('a', 'HasMember', 's', uuid, { submissionSetStatus: 'Original' }),
  ];
  const entry = await accepted(named());
  assert.equal(entry.id, uuid.toLowerCase());
  await refused(named(), 'XDSRegistryMetadataError');
});

test('§2.1: every attribute is kept', async () => {
  const entry = await accepted(
    oneDocument({
      eventCodes: [code('CT', '1.2.840.10008.2.6.1'), code('X')],
      serviceStartTime: '20260101',
      serviceStopTime: '202601010900',
      legalAuthenticator: '^Li^Na',
      sourcePatientInfo: ['PID-3|P1^^^&2.999.156.1.1&ISO', 'PID-5|王^芳'],
      referenceIds: [
        '1.2.3^^^^urn:ihe:iti:xds:2016:studyInstanceUID',
        'A1^^^&2.999.8&ISO^urn:ihe:iti:xds:2013:accession',
      ],
      uri: 'http://example.org/a',
      availability: 'offline',
      extra: [{ name: 'urn:example:kept', values: ['1', '2'] }],
      comments: [{ language: 'zh-CN', text: '备注' }],
    }),
  );
  assert.deepEqual(
    entry.eventCodes.map((one) => one.code),
    ['CT', 'X'],
  );
  assert.deepEqual(entry.extra, [{ name: 'urn:example:kept', values: ['1', '2'] }]);
  assert.deepEqual([entry.availability, entry.uri], ['offline', 'http://example.org/a']);
  assert.equal(entry.referenceIds.length, 2);
  assert.deepEqual(entry.comments, [{ language: 'zh-CN', text: '备注' }]);
});

test('§2.1: each required attribute that is missing or malformed is refused', async () => {
  const wrong: readonly Partial<DocumentEntry>[] = [
    { mimeType: '' },
    { hash: 'abc' },
    { size: -1 },
    { creationTime: '20261301' },
    { creationTime: '200' },
    { serviceStartTime: '20260102', serviceStopTime: '20260101' },
    { languageCode: 'no such language' },
    { sourcePatientId: 'P1^^^H1&2.999.156.1.1&ISO' },
    { sourcePatientInfo: ['PID-19|123'] },
    { referenceIds: ['A1^^^&2.999.8&ISO'] },
    { confidentiality: [] },
    { authors: [{ institutions: [], roles: ['x'], specialties: [], telecoms: [] }] },
  ];
  for (const more of wrong) await refused(oneDocument(more), 'XDSRegistryMetadataError');
  for (const name of [
    'classCode',
    'typeCode',
    'formatCode',
    'facilityType',
    'practiceSetting',
    'creationTime',
    'languageCode',
    'sourcePatientId',
    'repositoryUniqueId',
    'hash',
    'size',
  ] as const) {
    const all = oneDocument().map((one) => {
      if (!('kind' in one) || one.kind !== 'document') return one;
      return Object.fromEntries(Object.entries(one).filter(([key]) => key !== name)) as unknown as Any;
    });
    await refused(all, 'XDSRegistryMetadataError');
  }
  await refused(oneDocument({}, [], 'not an oid'), 'XDSRegistryMetadataError');
  await refused(oneDocument({}, [], `2.999.${'1'.repeat(130)}`), 'XDSRegistryMetadataError');
});

test('§2.1: limited metadata is taken without what it leaves out', async () => {
  const {
    id: name,
    lid,
    version,
    status,
    title,
    comments,
    extra,
    authors,
    sourcePatientInfo,
    referenceIds,
    ...rest
  } = documentEntry('Document01', patient, oid());
  const base = { id: name, lid, version, status, title, comments, extra, authors, sourcePatientInfo, referenceIds };
  const { kind, entryType, mimeType, patientId, uniqueId, repositoryUniqueId, hash, size, availability } = rest;
  assert.ok(repositoryUniqueId !== undefined && hash !== undefined && size !== undefined);
  const entry: DocumentEntry = {
    ...base,
    kind,
    entryType,
    mimeType,
    patientId,
    uniqueId,
    repositoryUniqueId,
    hash,
    size,
    availability,
    confidentiality: [],
    eventCodes: [],
    limited: true,
  };
  const [, ...others] = oneDocument();
  const stored = await accepted([entry, ...others]);
  assert.equal(stored.limited, true);
});

test('§2.2: no submission set, and two, are refused', async () => {
  await refused([documentEntry('d', patient, oid())], 'XDSRegistryMetadataError');
  await refused([...oneDocument(), submissionSet('other', patient, oid())], 'XDSRegistryMetadataError');
});

test("§2.3: lastUpdateTime is the registry's, whatever came (12323)", async () => {
  const all = oneDocument({}, [
    folder('f', patient, oid(), { lastUpdateTime: '19990101000000' }),
    association('a2', 'HasMember', 'SubmissionSet01', 'f'),
    association('a3', 'HasMember', 'f', 'Document01'),
    association('a4', 'HasMember', 'SubmissionSet01', 'a3'),
  ]);
  const entry = await accepted(all);
  const memberships = (await hub.associations(entry.id)).filter((one) => one.target === entry.id);
  const owners = await hub.objects(memberships.map(({ source }) => source));
  const stored = owners.find((one) => one.kind === 'folder');
  assert.match(stored?.lastUpdateTime ?? '', /^20[2-9]\d{11}$/);
  await refused(
    oneDocument({}, [
      folder('f', patient, oid(), { title: [] }),
      association('a2', 'HasMember', 'SubmissionSet01', 'f'),
    ]),
    'XDSRegistryMetadataError',
  );
  await refused(
    oneDocument({}, [
      folder('f', patient, oid(), { codes: [] }),
      association('a2', 'HasMember', 'SubmissionSet01', 'f'),
    ]),
    'XDSRegistryMetadataError',
  );
});

test('§2.4: memberships that lack SubmissionSetStatus, or hang on nothing, are refused', async () => {
  const [document, set] = oneDocument();
  assert.ok(document && set);
  await refused([document, set], 'XDSRegistryMetadataError');
  await refused(
    [document, set, association('a', 'HasMember', 'SubmissionSet01', 'Document01')],
    'XDSRegistryMetadataError',
  );
  await refused(
    [
      document,
      set,
      association('a', 'HasMember', 'SubmissionSet01', 'Document01', { submissionSetStatus: 'Reference' }),
    ],
    'XDSRegistryMetadataError',
  );
  // Into a folder without the submission set's own membership of that association.
  await refused(
    oneDocument({}, [
      folder('f', patient, oid()),
      association('a2', 'HasMember', 'SubmissionSet01', 'f'),
      association('a3', 'HasMember', 'f', 'Document01'),
    ]),
    'XDSRegistryMetadataError',
  );
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
  await hub.database.pool.query(
    `update registry_object set main_time = '20200101000000', body = jsonb_set(body, '{lastUpdateTime}', '"20200101000000"') where unique_id = $1`,
    [folderUid],
  );
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

test('§2.1: ITI-61 takes on-demand entries, of which a snapshot may come; ITI-42 does not', async () => {
  const demand = (): Any[] =>
    oneDocument().map((one) => {
      if (!('kind' in one) || one.kind !== 'document') return one;
      const kept = Object.entries(one).filter(([key]) => !['hash', 'size', 'creationTime'].includes(key));
      return { ...Object.fromEntries(kept), entryType: 'on-demand' } as unknown as Any;
    });
  await refused(demand(), 'XDSRegistryMetadataError');
  await refused(oneDocument(), 'XDSRegistryMetadataError', 'ITI-61');
  const entry = await accepted(demand(), 'ITI-61');
  assert.equal(entry.entryType, 'on-demand');
  await accepted(oneDocument({}, [association('r', 'IsSnapshotOf', 'Document01', entry.id)]));
  assert.deepEqual(
    (await hub.objects([entry.id])).map(({ status }) => status),
    ['approved'],
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
