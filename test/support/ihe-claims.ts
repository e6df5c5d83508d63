/** What the standard demands of each sample under $HUB_TEST_DATA/ihe, and the tests that see to it. A table. */

/**
 * accepted: a request that the hub carries out. refused: one that it must not, with the error or fault of its standard.
 * read: an answer, a record or a resource that the hub's own readers and rules take for what it claims to be.
 * no-input: nothing that anybody sends to the hub or that it fetches.
 */
export type Verdict = 'accepted' | 'refused' | 'read' | 'no-input';

export interface Claim {
  readonly files: RegExp;
  readonly verdict: Verdict;
  readonly why: string;
}

interface Owned {
  /** The tests that take the folder's files by `iheSamples`, under test/. */
  readonly tests: readonly string[];
  readonly claims: readonly Claim[];
}

const claim =
  (verdict: Verdict) =>
  (files: RegExp, why: string): Claim => ({ files, verdict, why });
const accepted = claim('accepted');
const refused = claim('refused');
const read = claim('read');
const noInput = claim('no-input');

/** ITI-93 and ITI-104: a site speaks of its own patient numbers only, and these examples have none of any site here. */
const feed = claim('refused');
const NO_FEED = 'the numbers are of domains that no site of the hub has';

const TEMPLATE = 'MSH-9 and MSH-12 are placeholders of a test: no version that anybody knows (v2.5 §2.15.9.12)';
const NUMBERED = 'printed with line numbers: no SOAP message';
const NO_NAMESPACES = 'its prefixes are bound to nothing: no SOAP message';
const ANSWER = 'an answer: no action of the face that it would be sent to';
const SOURCE = 'source text of a guide: what it compiles to is run as published';
const TARGET = 'a stand-in that references of other examples end at; valid R4';
const SUPPLIER = ['conformance/patient-identity.test.ts'];
const HL7 = ['conformance/hl7v2-ihe-samples.test.ts'];
const XCPD = ['conformance/xcpd-samples.test.ts'];
const GUIDES = ['conformance/ihe-guide-examples.test.ts'];

// prettier-ignore
export const CLAIMS: Readonly<Record<string, Owned>> = {
  'ATNA-BALP': { tests: GUIDES, claims: [noInput(/\.fsh$/, SOURCE)] },
  'ATNA-audit': { tests: ['conformance/atna-schema.test.ts'], claims: [
    read(/^(epr__iti-4[457]-log|ipf__atna-record-2|ipf__audit-message-iti55)\.xml$/, 'valid by dicom2017c.xsd'),
    refused(/^(?!epr__iti-4[457]-log|ipf__atna-record-2\.|ipf__audit-message-iti55)/, 'of the older form of RFC 3881, or without what the schema requires'),
  ] },
  'FHIR-IG-examples': {
    tests: [...GUIDES, 'conformance/mhd-examples.test.ts', 'conformance/fhir-optional-examples.test.ts', 'wire/fhir-match.test.ts'],
    claims: [
      read(/\/AuditEvent-/, 'an audit record that is valid by the profile it names'),
      accepted(/\/Bundle-ex-(ProvideDocumentBundle-addToFolder|comprehensiveProvideDocumentBundle(Complete|Document|Simple)|unContained.*)\.json$/, 'ITI-65 as its profile says'),
      refused(/\/Bundle-ex-comprehensiveProvideDocumentBundleMultiple/, 'two documents with one uniqueId (ITI TF-2 §3.41.4.1.3)'),
      refused(/\/Bundle-ex-minimalProvide/, 'no patient by an identifier of the affinity domain: XDSUnknownPatientId'),
      refused(/\/Bundle-ex-dummyBundleDocAndBinary/, 'names no ProvideBundle profile'),
      read(/\/Bundle-(FindDocumentReferences|ex-find|ex-match-output|ex-response|ex-QueryPatient|ex-fhir-document)/, 'an answer or a document: R4 by its structure'),
      accepted(/\/Parameters-ex-match-input/, 'ITI-119'),
      accepted(/\/Parameters-pixm-request/, 'ITI-83'),
      read(/\/(Parameters-pixm-response|OperationOutcome-)/, 'the answer that the hub gives as well, in its form'),
      refused(/\/Parameters-ex-input/, 'ITI-106 is an option that the hub does not offer: not-supported'),
      refused(/\/Parameters-ex-patchParameters/, 'metadata change by ITI-57, not by PATCH: not-supported'),
      feed(/pixm.*\/Patient-/, NO_FEED),
      read(/(balp|mhd|pdqm).*\/Patient-/, 'a Patient of R4'),
      read(/\/(DocumentReference|List)-/, 'document metadata of R4, and of the profile that it names'),
      noInput(/\/(Binary|Consent|Device|Encounter|MeasureReport|Organization|Practitioner)-/, TARGET),
    ],
  },
  'HL7v2-other': { tests: HL7, claims: [
    accepted(/TestDispatch_002_ADT_A01/, 'a registration, which its sender (MSH-15 ER) wants no answer for'),
    accepted(/TestDispatch_003_QBP_Q23/, 'a PIX query for a patient who is known'),
    accepted(/TestDispatch_004_RSP_1P8/, 'ADT^A43: a number moves to another patient (v2.5 §3.3.43)'),
    refused(/AbstractMllpTest_0(17|22)_unk/, 'MSH ends before its control id: 101 at MSH-10'),
    refused(/TestCancelMessages_002/, 'no version: 101 at MSH-12'),
    refused(/TestFragmentationUtils_002/, 'asks by a check digit (PID.3.2.1), which nobody is searched by: 103 at QPD-3[2].1'),
    refused(/TestFragmentationUtils_003/, 'MSH itself is cut by ADD, which no receiver can join (v2.5 §2.10.2 cuts after MSH): 101 at MSH-10'),
  ] },
  'ITI-10': { tests: HL7, claims: [accepted(/\.hl7$/, 'ADT^A31 of a cross-reference: a registration without a name (ITI TF-2 §3.10.4.1.2.2)')] },
  'ITI-104': { tests: ['conformance/fhir-optional-examples.test.ts'], claims: [feed(/\.json$/, NO_FEED)] },
  'ITI-18': { tests: ['conformance/xds-query-samples.test.ts'], claims: [
    accepted(/request_raw\.xml$/, 'FindDocuments'),
    refused(/ITI-18_request\.xml$/, NO_NAMESPACES),
    refused(/ipf__iti18request\.xml$/, 'an attempt at SQL: a quote that is never closed'),
    read(/response/, 'documents, which filed here are given back the same'),
  ] },
  'ITI-21': { tests: HL7, claims: [
    accepted(/PDQ_Maximal_Query\.hl7$/, 'asks by name, birth, sex and address in a domain that is known'),
    accepted(/QCN_J01/, 'ends a continuation (§3.21.4.3)'),
    refused(/PDQ_ID_Query/, 'asks for two numbers at once, and by an account number: 102 at QPD-3[5].1'),
    refused(/Continuations_003_QBP_Q22/, 'asks by a check digit (PID.3.2.1): 103 at QPD-3[2].1'),
    refused(/_unk\.hl7$/, TEMPLATE),
    read(/(Response|RSP_K22)\.hl7$/, 'an answer (RSP^K22): what a consumer needs is in it; sent to the hub it is no message for it: 200'),
  ] },
  'ITI-22': { tests: HL7, claims: [refused(/\.hl7$/, `${TEMPLATE}; and there is no QPD to answer`)] },
  'ITI-41': { tests: ['conformance/xds-repository-samples.test.ts'], claims: [
    refused(/request_raw/, 'its boundary is not that of its own head'),
    refused(/ITI-41_request\.xml$/, NUMBERED),
    refused(/submission-set/, 'metadata with the hash of other bytes: XDSRepositoryMetadataError'),
    read(/response/, 'Success, as a document source reads it'),
  ] },
  'ITI-42': { tests: ['conformance/xds-registry-samples.test.ts'], claims: [
    accepted(/^xr2f__iti-42/, 'taken where the site may be lenient; strict: classifications without id are not valid by rim.xsd'),
    refused(/ebrs30(_2)?\.xml$|extra_metadata/, 'a scheme UUID with a blank in it, an unknown slot: XDSRegistryMetadataError'),
    refused(/_update/, 'what it updates is not registered, or its association is of one country: the errors of ITI-57'),
    refused(/minimal-doc/, 'no ebRIM at all: a fault'),
  ] },
  'ITI-43': { tests: ['conformance/xds-repository-samples.test.ts'], claims: [
    accepted(/request_raw/, 'the document, where there is one'),
    refused(/(request|response)\.xml$/, NO_NAMESPACES),
    read(/response_raw/, 'the document, as a consumer reads it'),
  ] },
  'ITI-44': { tests: ['conformance/xds-registry-samples.test.ts'], claims: [
    accepted(/request|A\d\d_(with_BR_)?Response|RE[GV]_Maximal/, 'a patient of the affinity domain is announced, revised or merged: CA'),
    refused(/MERGE_Maximal/, 'names no patient of an affinity domain: CE'),
    noInput(/epr__ITI-44_response|Ack/, 'an acknowledgement, which no registry is sent'),
  ] },
  'ITI-45': { tests: SUPPLIER, claims: [
    accepted(/request_raw|Nist/, 'answered, where nobody is known with the error of §3.45.4.2.3'),
    refused(/_request\.xml$/, NUMBERED),
    refused(/[Rr]esponse/, ANSWER),
  ] },
  'ITI-47': { tests: SUPPLIER, claims: [
    accepted(/request_raw|PDQQuery1\.xml|PDQ(_ID_Query|_Maximal_Query|_connect\w+issue|_unused\w+issue|_with_PID4)?\.xml/, 'answered, without anybody or with an error of §3.47.4.2.3'),
    refused(/_request\.xml$/, NUMBERED),
    refused(/[Rr]esponse/, ANSWER),
  ] },
  'ITI-51': { tests: ['conformance/xds-query-samples.test.ts'], claims: [accepted(/request/, 'a query about two patients')] },
  'ITI-55': { tests: XCPD, claims: [refused(/./, 'patients are not sought across communities (XCPD is not offered): the action is not supported')] },
  'ITI-56': { tests: XCPD, claims: [refused(/./, 'patients are not located across communities (XCPD is not offered): the action is not supported')] },
  'ITI-64': { tests: HL7, claims: [refused(/./, TEMPLATE)] },
  'ITI-8': { tests: ['store/affinity-patients.test.ts'], claims: [
    accepted(/A0\d(_with_BR)?\.hl7|A40|RE[GV]_Maximal|hl7v2message/, 'a patient of the affinity domain is announced, revised or merged'),
    refused(/A10/, 'patient arriving is none of the events of ITI-8: 201'),
    refused(/MERGE_Maximal/, 'MRG-1 is of another issuer than PID-3'),
    refused(/incomplete/, 'there is no PID'),
    accepted(/xr2f/, 'a template of another domain: taken, and no patient of the affinity domain (§3.8.4.1.3)'),
  ] },
  'ITI-9': { tests: HL7, claims: [refused(/\.hl7$/, TEMPLATE)] },
  MADO: { tests: ['unit/imaging-documents.test.ts'], claims: [
    read(/(bundle|composition|imagingstudy|wado-endpoint|device-creator|patient)-example\.fsh$/, "every element of it is in the hub's own manifest"),
    noInput(/documentreference/, 'metadata of a manifest in FHIR: the hub gives those of XDS, and of MHD from them'),
    noInput(/wado-endpoint-example_2|nourl|provenance|rulesets/, 'another form of an Endpoint, a Provenance that is commented out, defaults'),
  ] },
  MHD: { tests: ['conformance/mhd-examples.test.ts'], claims: [
    accepted(/^ipf__mhd_test\.json$/, 'ITI-65'),
    refused(/^mag__(ch-mhd-bundle-sample|mhdch)\.json$/, 'for patients of other servers: XDSUnknownPatientId; for one of this hub they are taken'),
    refused(/^mag__update|^xr2f/, 'no transaction Bundle, or a template with placeholders: 400'),
    read(/\.xml$/, 'an answer of another server: read as R4, or its fault named'),
    noInput(/\.fsh$/, SOURCE),
  ] },
  PDQm: { tests: GUIDES, claims: [noInput(/\.fsh$/, SOURCE)] },
  PIXm: { tests: [...GUIDES, 'conformance/fhir-optional-examples.test.ts'], claims: [
    feed(/Patient-.*\.json$/, NO_FEED),
    accepted(/request.*\.xml$/, 'ITI-83: the XML of the request that is run as JSON'),
    read(/response.*\.xml$/, 'the XML of the answer that the hub gives as well'),
    noInput(/\.fsh$/, SOURCE),
  ] },
  PMIR: { tests: ['conformance/pmir-samples.test.ts'], claims: [
    feed(/ex-bundle/, NO_FEED),
    refused(/ex-subscription/, 'ITI-94 is not offered, and there is no Subscription here: not-found'),
    read(/ex-audit/, 'audit records of R4'),
  ] },
  'XUA-SAML': { tests: ['conformance/xua-samples.test.ts'], claims: [
    noInput(/Authn_?Re(quest|direct)|redirect|Artifact(Resolve)|Logout|Renew_response|complete_saml\.out/, 'no assertion in it: a request for one, an answer about sessions, a text, an empty file'),
    refused(/^(?!.*(AuthnRequest|redirect|ArtifactResolve|Logout|Renew_response|complete_saml\.out))/, 'edited after it was signed, unsigned or of an issuer nobody trusts; signed anew by a trusted one the test says what is left to refuse'),
  ] },
};
