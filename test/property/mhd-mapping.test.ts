/** Documents of the affinity domain to FHIR and back: nothing that both sides can say is lost, nothing is thrown at. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { DocumentReference, List } from 'fhir/r4.js';
import type { DocumentCode, DocumentEntry, EntryId, Folder, SubmissionSet } from '../../hub/core/document.ts';
import type { FhirBody } from '../../hub/core/fhir.ts';
import type { Oid } from '../../hub/core/identifier.ts';
import { resolver } from '../../mappings/fhir/mhd-bundle.ts';
import { documentEntryOf, documentReferenceOf } from '../../mappings/fhir/mhd-document.ts';
import { folderList, folderOf, submissionSetList, submissionSetOf } from '../../mappings/fhir/mhd-list.ts';
import { fromXml } from '../../mappings/fhir/from-xml.ts';
import { structureFaults } from '../../mappings/fhir/structure.ts';
import { toXml } from '../../mappings/fhir/xml.ts';
import { parseXml } from '../../mappings/xds/xml.ts';
import { anyObject, cx } from '../support/documents.ts';
import { faultsOf } from '../support/fhir-validation.ts';
import { noGuides, useGuides } from '../support/ihe-guides.ts';

const AROUND = { subject: { reference: 'Patient/p1' }, url: 'http://hub.example/fhir/Binary/b1', relations: [] };
const SUBJECT = { subject: { reference: 'Patient/p1' }, items: [] };
const patientId = cx('p1');
const resolveIn = (body: object) => resolver(body as FhirBody, null, () => undefined);

useGuides();
fc.configureGlobal({ includeErrorInReport: true });
/** fast-check's records have no prototype, which strict equality sees. */
const plain = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

/** What FHIR can say: words without carets, systems with a name, times of a precision that R4 knows. */
const word = fc.stringMatching(/^[A-Za-z\u4e00-\u4eff]{1,6}( [A-Za-z0-9\u4e00-\u4eff]{1,6})?$/);
const oid = fc.stringMatching(/^[12]\.[1-9]\d{0,5}(\.[1-9]\d{0,5}){1,5}$/);
const text = fc.option(word, { nil: undefined }).map((one) => (one === undefined ? [] : [{ text: one }]));
const code: fc.Arbitrary<DocumentCode> = fc.record({ code: word, scheme: oid, display: text });
const uuid = fc.uuid().map((one) => `urn:uuid:${one}` as EntryId);
const dtm = fc
  .date({ min: new Date('1900-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })
  .chain((date) =>
    fc.constantFrom(4, 6, 8, 14).map((length) => date.toISOString().replace(/\D/g, '').slice(0, length)),
  );
const person = fc
  .tuple(word, word, word, oid)
  .map(([id, family, given, authority]) => `${id}^${family}^${given}^^^^^^&${authority}&ISO`);
const institution = fc.oneof(
  word,
  fc.tuple(word, oid).map(([name, id]) => `${name}^^^^^^^^^${id}`),
);
const telecom = fc.oneof(
  word.map((one) => `^^Internet^${one}@x.cn`),
  word.map((one) => `^^PH^^^^^^^^^${one}`),
);
const author = fc.oneof(
  person.map((one) => ({ person: one, institutions: [], roles: [], specialties: [], telecoms: [] })),
  fc.record({
    person,
    institutions: fc.array(institution, { minLength: 1, maxLength: 2 }),
    roles: fc.array(word, { maxLength: 2 }),
    specialties: fc.array(
      fc.tuple(word, oid).map(([one, scheme]) => `${one}^^^&${scheme}&ISO`),
      { maxLength: 2 },
    ),
    telecoms: fc.array(telecom, { maxLength: 2 }),
  }),
);
const head = {
  status: fc.constant('approved' as const),
  patientId: fc.constant(patientId),
  title: text,
  comments: text,
  extra: fc.constant([]),
  version: fc.constant(1),
  limited: fc.boolean(),
};
const ids = uuid.map((id) => ({ id, lid: id }));
const entries: fc.Arbitrary<DocumentEntry> = fc
  .record(
    {
      ...head,
      kind: fc.constant('document' as const),
      entryType: fc.constant('stable' as const),
      uniqueId: fc.oneof(
        oid,
        fc.tuple(oid, word).map((parts) => parts.join('^')),
        uuid,
      ),
      mimeType: fc.constantFrom('text/xml', 'application/pdf', 'application/dicom'),
      authors: fc.array(author, { maxLength: 2 }),
      classCode: code,
      typeCode: code,
      formatCode: code,
      facilityType: code,
      practiceSetting: code,
      confidentiality: fc.array(code, { maxLength: 2 }),
      eventCodes: fc.array(code, { maxLength: 2 }),
      creationTime: dtm,
      serviceStartTime: dtm,
      serviceStopTime: dtm,
      languageCode: fc.constantFrom('zh-CN', 'en'),
      legalAuthenticator: person,
      sourcePatientId: fc.tuple(word, oid).map(([id, authority]) => `${id}^^^&${authority}&ISO`),
      sourcePatientInfo: fc.constantFrom(
        [],
        ['PID-5|Li^Lei', 'PID-7|19800102', 'PID-8|F', 'PID-11|1 Road^^Fuzhou^FJ^350001^CN'],
      ),
      referenceIds: fc.array(
        fc.oneof(
          fc.tuple(word, oid).map(([id, authority]) => `${id}^^^&${authority}&ISO^urn:ihe:iti:xds:2013:accession`),
          oid.map((one) => `${one}^^^^urn:ihe:iti:xds:2016:studyInstanceUID`),
          oid.map((one) => `${one}^^^^urn:ihe:iti:xds:2013:uniqueId`),
        ),
        { maxLength: 3 },
      ),
      repositoryUniqueId: fc.constant('2.999.156.3' as Oid),
      hash: fc.stringMatching(/^[0-9a-f]{40}$/),
      size: fc.nat(),
      availability: fc.constant('online' as const),
    },
    {
      requiredKeys: [
        'status',
        'patientId',
        'title',
        'comments',
        'extra',
        'version',
        'limited',
        'kind',
        'entryType',
        'uniqueId',
        'mimeType',
        'authors',
        'confidentiality',
        'eventCodes',
        'sourcePatientInfo',
        'referenceIds',
        'repositoryUniqueId',
        'hash',
        'size',
        'availability',
      ],
    },
  )
  .chain((entry) => ids.map((both) => ({ ...both, ...entry })));

const again = (
  body: DocumentReference,
  entry: Pick<DocumentEntry, 'id' | 'hash' | 'size' | 'limited'>,
): DocumentEntry =>
  documentEntryOf(body, {
    id: entry.id,
    patientId,
    repositoryUniqueId: '2.999.156.3' as Oid,
    hash: entry.hash ?? '',
    size: entry.size ?? 0,
    limited: entry.limited,
    resolve: resolveIn(body),
  });

test('a document entry comes back from FHIR as it went, and its form is valid', () => {
  fc.assert(
    fc.property(entries, (entry) => {
      const body = documentReferenceOf(entry, AROUND);
      assert.deepEqual(
        structureFaults(body, 'DocumentReference', () => false),
        [],
      );
      assert.deepEqual(again(body, entry), plain(entry));
    }),
    { numRuns: 300 },
  );
});

test('submission sets and folders come back from FHIR as they went', () => {
  const submissionSets = fc
    .record({
      ...head,
      kind: fc.constant('submission-set' as const),
      uniqueId: oid,
      authors: fc.array(author, { maxLength: 1 }),
      contentType: code,
      sourceId: oid,
      submissionTime: dtm,
      intendedRecipients: fc.array(
        fc.oneof(
          institution,
          person.map((one) => `|${one}`),
          fc.tuple(institution, telecom).map(([xon, xtn]) => `${xon}||${xtn}`),
        ),
        { maxLength: 2 },
      ),
    })
    .chain((set) => ids.map((both): SubmissionSet => ({ ...both, ...set })));
  const folders = fc
    .record({
      ...head,
      kind: fc.constant('folder' as const),
      uniqueId: oid,
      codes: fc.array(code, { maxLength: 2 }),
      lastUpdateTime: dtm,
    })
    .chain((folder) => ids.map((both): Folder => ({ ...both, ...folder })));
  const target = (body: List, id: EntryId, limited: boolean) => ({
    id,
    patientId,
    limited,
    resolve: resolveIn(body),
    uniqueId: '',
  });
  fc.assert(
    fc.property(submissionSets, (set) => {
      const body = submissionSetList(set, SUBJECT);
      assert.deepEqual(
        structureFaults(body, 'List', () => false),
        [],
      );
      assert.deepEqual(submissionSetOf(body, target(body, set.id, set.limited)), plain(set));
    }),
  );
  fc.assert(
    fc.property(folders, (folder) => {
      const body = folderList(folder, SUBJECT);
      assert.deepEqual(
        structureFaults(body, 'List', () => false),
        [],
      );
      assert.deepEqual(folderOf(body, target(body, folder.id, folder.limited)), plain(folder));
    }),
  );
});

test('whatever the registry holds becomes valid R4, the same in JSON and XML, and stands still the second time', () => {
  fc.assert(
    fc.property(anyObject, (object) => {
      const body =
        object.kind === 'document'
          ? documentReferenceOf(object, AROUND)
          : object.kind === 'folder'
            ? folderList(object, SUBJECT)
            : submissionSetList(object, SUBJECT);
      assert.deepEqual(
        structureFaults(body, body.resourceType, () => false),
        [],
      );
      const root = parseXml(Buffer.from(toXml(body)));
      assert.ok(root.ok);
      assert.deepEqual(fromXml(root.value), JSON.parse(JSON.stringify(body)));
      const { meta, ...unclaimed } = body;
      assert.ok(meta);
      if (noGuides === false) assert.deepEqual(faultsOf(unclaimed as FhirBody), []);
      if (body.resourceType !== 'DocumentReference' || object.kind !== 'document') return;
      const once = again(body, object);
      assert.deepEqual(again(documentReferenceOf(once, AROUND), once), once);
    }),
    { numRuns: 300 },
  );
});
