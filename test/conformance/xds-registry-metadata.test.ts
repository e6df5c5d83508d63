/** ITI-42 and ITI-61 by the rows of WIRE §2, over HTTP: what the metadata must be, and how it stands afterwards. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { before, test } from 'node:test';
import type { DocumentEntry, PatientCx } from '../../hub/core/document.ts';
import { association, code, documentEntry, folder, submissionSet } from '../support/documents.ts';
import { caseAt, without } from '../support/registry-case.ts';
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
    await refused(without(oneDocument(), name), 'XDSRegistryMetadataError');
  }
  await refused(oneDocument({}, [], 'not an oid'), 'XDSRegistryMetadataError');
  await refused(oneDocument({}, [], `2.999.${'1'.repeat(130)}`), 'XDSRegistryMetadataError');
  // In capitals it would be the same name and another document.
  const urn = `urn:uuid:${randomUUID()}`;
  await refused(oneDocument({}, [], urn.toUpperCase().replace('URN:UUID', 'urn:uuid')), 'XDSRegistryMetadataError');
  await refused(oneDocument({}, [], urn.toUpperCase()), 'XDSRegistryMetadataError');
  await accepted(oneDocument({}, [], urn));
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

test('§2.1: ITI-61 takes on-demand entries, of which a snapshot may come; ITI-42 does not', async () => {
  const demand = (): Any[] => without(oneDocument({ entryType: 'on-demand' }), 'hash', 'size', 'creationTime');
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
