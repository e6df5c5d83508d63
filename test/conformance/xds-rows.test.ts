/**
 * Every row of the wire contract §1-6 and §10 by number, with the test that proves it over its real protocol. A row without a
 * test, a test that is gone or renamed, and a hole in the numbers fail here: the contract is covered or this is red.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

/** File of test/, without `.test.ts`, and a part of the title. */
type Proof = readonly [file: string, title: string];

const C = 'conformance/';
const actions = (title: string): Proof => [`${C}xds-actions`, title];
const metadata = (title: string): Proof => [`${C}xds-registry-metadata`, title];
const register = (title: string): Proof => [`${C}xds-registry-register`, title];
const update = (title: string): Proof => [`${C}xds-registry-update`, title];
const feed = (title: string): Proof => [`${C}xds-registry-feed`, title];
const provide = (title: string): Proof => [`${C}xds-repository`, title];
const retrieve = (title: string): Proof => [`${C}xds-repository-retrieve`, title];
const find = (title: string): Proof => [`${C}xds-query-find`, title];
const get = (title: string): Proof => [`${C}xds-query-get`, title];
const soap = (title: string): Proof => ['wire/xds-soap', title];
const mtom = (title: string): Proof => ['wire/xds-mtom', title];
const images = (title: string): Proof => ['wire/xds-rad-69', title];
const asked = (title: string): Proof => ['wire/xds-gateway-query', title];
const fetched = (title: string): Proof => ['wire/xds-gateway-retrieve', title];
const term = (title: string): Proof => [`${C}xua-terms`, title];
const door = (title: string): Proof => [`${C}xua-door`, title];
const wrapped = (title: string): Proof => [`${C}xua-wrapping`, title];
const each = 'is answered under its response action';

// prettier-ignore
const ROWS: Readonly<Record<string, readonly [rule: string, ...proofs: readonly Proof[]]>> = {
  '1.1': ['SOAP 1.2; SOAP 1.1 is a VersionMismatch', soap('SOAP 1.1: VersionMismatch'), soap('SOAP 1.1 as its clients send it')],
  '1.2': ['WS-Addressing headers of request and response', actions(each), soap('two message ids'), soap('no action')],
  '1.3': ['HTTP action and wsa:Action agree', soap('HTTP action and wsa:Action differ')],
  '1.4': ['mustUnderstand 1 and true; unknown: MustUnderstand', soap('must be understood, as 1 and as true')],
  '1.5': ['simple SOAP', soap('plain SOAP without MTOM'), actions(each)],
  '1.6': ['MTOM/XOP package', soap('with start, start-info and action'), actions(each)],
  '1.7': ['retrieve requests as MTOM and as plain SOAP', retrieve('4.25 asked for by MTOM'), soap('plain SOAP without MTOM')],
  '1.8': ['XOP Include: cid percent-encoded in the href', mtom('12.2 cid percent-encoded')],
  '1.9': ['documents optimised and inline', mtom('12.4 inline base64'), provide('4.1 documents come back')],
  '1.10': ['no answer to another address', soap('a reply elsewhere')],
  '1.11': ['errors of the application are HTTP 200 and Failure', feed('a database that fails is a Failure'), register('a patient that no feed announced')],
  '1.12': ['actions of ITI-18', actions(each)],
  '1.13': ['actions of ITI-38', asked('a query by ids without home')],
  '1.14': ['actions of ITI-39', fetched('documents by ITI-43 go the same way')],
  '1.15': ['actions of ITI-41, RAD-68', actions(each)],
  '1.16': ['actions of ITI-42', actions(each)],
  '1.17': ['actions of ITI-43', actions(each)],
  '1.18': ['actions of ITI-51', actions(each)],
  '1.19': ['actions of ITI-57', actions(each)],
  '1.20': ['actions of ITI-61', actions(each)],
  '1.21': ['actions of ITI-62', actions(each)],
  '1.22': ['actions of ITI-86', actions(each)],
  '1.23': ['ITI-92 is not served', actions('what is not served is a fault')],
  '1.24': ['actions of RAD-69', images('gives every instance byte for byte')],
  '1.25': ['actions of RAD-75', asked('gives images whole')],
  '1.26': ['actions of ITI-44', actions(each), feed('add and revise announce an id')],
  '2.1': ['order of elements: strict or lenient by site', feed('an order that rim.xsd forbids')],
  '2.2': ['symbolic ids become urn:uuid in lower case', metadata('symbolic ids become urn:uuid')],
  '2.3': ['a pre-assigned id that is registered is refused', metadata('a pre-assigned id in capitals')],
  '2.4': ['lid, version and home', update('both share the logical id'), find('LeafClass is the whole object')],
  '2.5': ['document entry: every attribute', metadata('every attribute is kept')],
  '2.6': ['document entry: cardinalities and formats', metadata('each required attribute that is missing or malformed')],
  '2.7': ['document entry: stable and on-demand', metadata('ITI-61 takes on-demand entries')],
  '2.8': ['limited metadata', metadata('limited metadata is taken')],
  '2.9': ['submission set: exactly one', metadata('no submission set, and two')],
  '2.10': ['folder: lastUpdateTime, name and codes', metadata("lastUpdateTime is the registry's")],
  '2.11': ['HasMember with SubmissionSetStatus', metadata('memberships that lack SubmissionSetStatus')],
  '2.12': ['association documentation, not on HasMember', actions('documentation is refused on HasMember')],
  '2.13': ['a document in a folder: both memberships', metadata('memberships that lack'), register('a document enters a folder')],
  '2.14': ['associations of metadata update', update('SubmitAssociation puts'), update('UpdateAvailabilityStatus from')],
  '3.1': ['all or nothing', register('all or nothing')],
  '3.2': ['XDSUnknownPatientId', register('a patient that no feed announced')],
  '3.3': ['XDSPatientIdDoesNotMatch in the submission', register('of another patient than the submission set')],
  '3.4': ['XDSPatientIdDoesNotMatch of associations, but for Reference', register('across patients only a Reference')],
  '3.5': ['uniqueId twice in the message', register('a uniqueId twice in the message'), provide('4.10 the same unique id twice')],
  '3.6': ['XDSDuplicateUniqueIdInRegistry', register('uniqueId of a submission set or folder')],
  '3.7': ['the same document again', register('a document again, the same to the byte'), provide('4.12 the same document again')],
  '3.8': ['XDSNonIdenticalHash, XDSNonIdenticalSize', register('another hash or size is not'), provide('4.18 bytes outlive their entry')],
  '3.9': ['XDSRegistryDeprecatedDocumentError', register('RPLC deprecates')],
  '3.10': ['associations to what is unknown', register('associations to nothing')],
  '3.11': ['malformed metadata', metadata('each required attribute')],
  '3.12': ['extra metadata, and unknown slots', feed('unknown slots, schemes, nodes')],
  '3.13': ['storage and overload', ['wire/xds-mtom-hostile', 'a store that is full'], feed('a database that fails')],
  '3.14': ['replacement, and what hangs on it', register('RPLC deprecates'), actions('XFRM_RPLC deprecates')],
  '3.15': ['replacement in folders', register('the replacement enters every folder')],
  '3.16': ['IsSnapshotOf', metadata('ITI-61 takes on-demand entries')],
  '3.17': ['ITI-8 announces and merges', ['store/affinity-patients', 'ITI-8: A01, A04, A05 and A08']],
  '3.18': ['ITI-44 announces and merges', feed('add and revise announce an id')],
  '3.19': ['ITI-57: versions, ids, what cannot be changed', update('versions, logical ids and what cannot')],
  '3.20': ['ITI-57: status', update('UpdateAvailabilityStatus from')],
  '3.21': ['ITI-62: its three refusals', update('what is unknown, what is spoken of')],
  '3.22': ['ITI-86', retrieve('4.30 what is removed is gone'), retrieve('4.31 unknown documents and repositories')],
  '4.1': ['XDSMissingDocument', provide('4.3 an entry without its document')],
  '4.2': ['XDSMissingDocumentMetadata', provide('4.4 a document without its entry')],
  '4.3': ['XDSRepositoryMetadataError: hash or size', provide('4.5 a wrong hash or size')],
  '4.4': ['hash in upper case', provide('4.6 a right hash in upper case')],
  '4.5': ['mime types as they are', provide('4.7 a mime type that nobody registered')],
  '4.6': ['repositoryUniqueId, hash and size are set', provide('4.2 repositoryUniqueId, hash and size')],
  '4.7': ["the registry's errors pass through", provide('errors pass through with code and location')],
  '4.8': ['XDSRegistryNotAvailable', provide('4.9 a registry that is away')],
  '4.9': ['nothing retrievable after a Failure', provide('4.13 the same unique id with other bytes')],
  '4.10': ['Success, PartialSuccess, Failure', retrieve('4.20 some found')],
  '4.11': ['XDSDocumentUniqueIdError, XDSUnknownRepositoryId', retrieve('4.21 another repository')],
  '4.12': ['the home community is echoed', retrieve('4.22 the home community is echoed')],
  '4.13': ['deprecated documents', retrieve('4.24 a deprecated document stays')],
  '4.14': ['a pair twice', retrieve('4.23 a pair asked for twice')],
  '4.15': ['only warnings: Success', feed('extra metadata that is not kept is told')],
  '5.1': ['FindDocuments', find('WIRE 5.1 FindDocuments')],
  '5.2': ['FindSubmissionSets', find('WIRE 5.2 FindSubmissionSets')],
  '5.3': ['FindFolders', find('WIRE 5.3 FindFolders')],
  '5.4': ['GetAll', get("row: 4, query: 'GetAll'")],
  '5.5': ['GetDocuments', get("row: 5, query: 'GetDocuments'")],
  '5.6': ['GetFolders', get("row: 6, query: 'GetFolders'")],
  '5.7': ['GetAssociations', get("row: 7, query: 'GetAssociations'")],
  '5.8': ['GetDocumentsAndAssociations', get("row: 8, query: 'GetDocumentsAndAssociations'")],
  '5.9': ['GetSubmissionSets', get("row: 9, query: 'GetSubmissionSets'")],
  '5.10': ['GetSubmissionSetAndContents', get("row: 10, query: 'GetSubmissionSetAndContents'")],
  '5.11': ['GetFolderAndContents', get("row: 11, query: 'GetFolderAndContents'")],
  '5.12': ['GetFoldersForDocument', get("row: 12, query: 'GetFoldersForDocument'")],
  '5.13': ['GetRelatedDocuments', get("row: 13, query: 'GetRelatedDocuments'")],
  '5.14': ['FindDocumentsByReferenceId', find('WIRE 5.14 FindDocumentsByReferenceId')],
  '5.15': ['FindDocumentsForMultiplePatients', find('WIRE 5.15 FindDocumentsForMultiplePatients')],
  '5.16': ['FindFoldersForMultiplePatients', find('WIRE 5.16 FindFoldersForMultiplePatients')],
  '5.17': ['FindDocumentsByReferenceIdForMultiplePatients', find('WIRE 5.17 FindDocumentsByReferenceIdForMultiplePatients')],
  '5.18': ['no pages: XDSTooManyResults, then references', find('the references of many documents'), find('more results than an answer may have')],
  '5.19': ['strings, lists, codes, numbers', find('an author with a quote'), find('an unclosed list')],
  '5.20': ['several values OR, repeated Slots AND', find('event codes of two Slots: both'), find('a repeated Slot where AND is not defined')],
  '5.21': ['a list over several Values', find('event codes of one Slot in several Values')],
  '5.22': ['LIKE', find('an author by LIKE with a single character'), [`${C}xds-query-samples`, 'what looks like SQL is a value']],
  '5.23': ['From inclusive, To exclusive', find('created on the left edge'), find('created on the right edge')],
  '5.24': ['stable entries only, where no type is asked', find('where nothing else is asked'), find('both types')],
  '5.25': ['an unknown parameter is ignored', find('a parameter that the query does not know')],
  '5.26': ['XDSStoredQueryMissingParam', find('every missing parameter is told'), get('parameters lacks one')],
  '5.27': ['XDSStoredQueryParamNumber', find('two patients in two Slots'), get('has too many values')],
  '5.28': ['XDSUnknownStoredQuery', find('an unknown query')],
  '5.29': ['XDSResultNotSinglePatient, never of references', get('over two patients gives references')],
  '5.30': ['an unknown patient has nothing', find('an unknown patient has none')],
  '5.31': ['LeafClass is whole; the list stands even empty', find('LeafClass is the whole object')],
  '6.1': ['manifest: what a KOS must hold', [`${C}dicom-codec-kos`, 'a manifest names every instance']],
  '6.2': ['entry of the manifest', ['unit/imaging-documents', 'the manifest has the metadata'], ['journey/publication', 'from ordinary messages to documents']],
  '6.3': ['an update replaces, never changes', ['journey/publication', 'their correction and their withdrawal']],
  '6.4': ['RAD-69: request and response', images('gives every instance byte for byte'), soap('DocumentRequest in the XDS-I namespace')],
  '6.5': ['RAD-69: transfer syntaxes', images('stored transfer syntax if listed')],
  '6.6': ['RAD-69: errors and status', images('some found is PartialSuccess'), images('empty study UID')],
  '6.7': ['RAD-75 and the initiating gateway', asked('gives images whole'), fetched('images of several communities')],
  '6.8': ['missing, unknown and unavailable communities', asked('a missing home community and another one'), asked('which did not answer, in time'), fetched('tells who is not known')],
  '6.9': ['ITI-38: home on every object', asked('marks every object with its home')],
  '6.10': ['RAD-55 and RAD-107: what does not belong together is not found', ['wire/dicomweb-hostile', 'answers 404 for what is not there']],
  '10.1': ['a signed SAML 2.0 assertion', term('user, organization, role, purpose'), term("test('unsigned'"), term('tampered: the user')],
  '10.2': ['Issuer', term('unknown issuer'), term('signed by somebody else')],
  '10.3': ['Subject and confirmation', term('no confirmation'), term('NameID empty')],
  '10.4': ['times and audience', term("row('expired'"), term('not yet valid'), term('for another audience')],
  '10.5': ['AuthnStatement', term('no AuthnStatement'), term('session over')],
  '10.6': ['attributes, several roles and purposes', term('two roles and two purposes'), term('consent and policy attributes')],
  '10.7': ['resource-id: one patient', door('the patient of the assertion is the one'), [`${C}xua-one-patient`, 'those of another patient are neither changed nor removed']],
  '10.8': ['Timestamp', term("row('missing', { timestamp"), term('made long ago for long')],
  '10.9': ['holder of key: both signatures', term('nobody signed the Timestamp'), term('no SecurityTokenReference')],
  '10.10': ['signature wrapping', wrapped('XSW1'), wrapped('XSW2'), wrapped('whatever is changed in a signed assertion')],
  '10.11': ['algorithms', wrapped('rsa-sha1'), wrapped('SHA-1 digest'), term('sha-1 in the proof')],
  '10.12': ['faults by code over HTTP', door('each fault by its code'), door('nobody: 401 as a fault')],
  '10.13': ['replay', term('OneTimeUse serves once'), door('of twenty that come at once')],
  '10.14': ['clock skew', term('within 60 seconds either way'), term('as configured')],
  '10.15': ['an ID that is no NCName', term('an ID that begins with a digit')],
};

const SECTIONS = { 1: 26, 2: 14, 3: 22, 4: 15, 5: 31, 6: 10, 10: 15 };

test('every row of every section is here', () => {
  const wanted = Object.entries(SECTIONS).flatMap(([section, rows]) =>
    Array.from({ length: rows }, (_, at) => `${section}.${String(at + 1)}`),
  );
  assert.deepEqual(Object.keys(ROWS).sort(), wanted.sort());
});

test('every row is proved by a test that is there', () => {
  const sources = new Map<string, string>();
  const sourceOf = (file: string): string => {
    const source = sources.get(file) ?? readFileSync(new URL(`../${file}.test.ts`, import.meta.url), 'utf8');
    sources.set(file, source);
    return source;
  };
  const unproved = Object.entries(ROWS).flatMap(([row, [rule, ...proofs]]) =>
    proofs.length === 0
      ? [`${row} ${rule}: no test`]
      : proofs
          .filter(([file, title]) => !sourceOf(file).includes(title))
          .map(([file, title]) => `${row} ${rule}: ${file} has no ${title}`),
  );
  assert.deepEqual(unproved, []);
});
