/**
 * The words of ebRIM 3.0 as IHE uses them (ITI TF-3 §4.2.5): namespaces, object types, and which UUID or slot holds
 * which attribute. One table each, read from both sides, so that reader and writer cannot disagree.
 */
import type { ApprovalStatus, AssociationType, RegistryObject } from '../../hub/core/document.ts';

export const RIM = 'urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0';
export const LCM = 'urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0';
export const QUERY = 'urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0';
export const XML_NAMESPACE = 'http://www.w3.org/XML/1998/namespace';

/** rim.xsd: LongName and FreeFormText, in characters. */
export const LONG_NAME = 256;
export const FREE_TEXT = 1024;

export const ENTRY_TYPES = {
  stable: 'urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1',
  'on-demand': 'urn:uuid:34268e47-fdf5-41a6-ba33-82133c465248',
} as const;

const OBJECT_TYPE = 'urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject:';
export const PACKAGE_TYPE = `${OBJECT_TYPE}RegistryPackage`;
export const ASSOCIATION_TYPE = `${OBJECT_TYPE}Association`;
export const CLASSIFICATION_TYPE = `${OBJECT_TYPE}Classification`;
export const EXTERNAL_IDENTIFIER_TYPE = `${OBJECT_TYPE}ExternalIdentifier`;

const STATUS = 'urn:oasis:names:tc:ebxml-regrep:StatusType:';
export const STATUSES: Readonly<Record<ApprovalStatus, string>> = {
  approved: `${STATUS}Approved`,
  deprecated: `${STATUS}Deprecated`,
};

export const ASSOCIATIONS: Readonly<Record<AssociationType, string>> = {
  HasMember: 'urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember',
  RPLC: 'urn:ihe:iti:2007:AssociationType:RPLC',
  APND: 'urn:ihe:iti:2007:AssociationType:APND',
  XFRM: 'urn:ihe:iti:2007:AssociationType:XFRM',
  XFRM_RPLC: 'urn:ihe:iti:2007:AssociationType:XFRM_RPLC',
  signs: 'urn:ihe:iti:2007:AssociationType:signs',
  IsSnapshotOf: 'urn:ihe:iti:2010:AssociationType:IsSnapshotOf',
  UpdateAvailabilityStatus: 'urn:ihe:iti:2010:AssociationType:UpdateAvailabilityStatus',
  SubmitAssociation: 'urn:ihe:iti:2010:AssociationType:SubmitAssociation',
};

/** Association documentation (ITI TF-3 §4.2.2.2.1). */
export const DOCUMENTATION_SCHEME = 'urn:uuid:abd807a3-4432-4053-87b4-fd82c643d1f3';

export const AVAILABILITY = {
  online: 'urn:ihe:iti:2010:DocumentAvailability:Online',
  offline: 'urn:ihe:iti:2010:DocumentAvailability:Offline',
} as const;

export const REFERENCE_IDS = 'urn:ihe:iti:xds:2013:referenceIdList';

/** Classifications with a code, in the order in which they are written; `many`: 0..* of them. */
export type CodeAttribute =
  | 'classCode'
  | 'confidentiality'
  | 'eventCodes'
  | 'formatCode'
  | 'facilityType'
  | 'practiceSetting'
  | 'typeCode'
  | 'contentType'
  | 'codes';

export interface ObjectNames {
  /** As in names of external identifiers and in locations of errors. */
  readonly word: 'XDSDocumentEntry' | 'XDSSubmissionSet' | 'XDSFolder';
  /** What makes a RegistryPackage a submission set or a folder. */
  readonly node: string | null;
  readonly limited: string;
  readonly author: string | null;
  readonly codes: readonly (readonly [scheme: string, attribute: CodeAttribute, many: boolean])[];
  readonly identifiers: readonly (readonly [scheme: string, attribute: 'patientId' | 'uniqueId' | 'sourceId'])[];
}

export const NAMES: Readonly<Record<RegistryObject['kind'], ObjectNames>> = {
  document: {
    word: 'XDSDocumentEntry',
    node: null,
    limited: 'urn:uuid:ab9b591b-83ab-4d03-8f5d-f93b1fb92e85',
    author: 'urn:uuid:93606bcf-9494-43ec-9b4e-a7748d1a838d',
    codes: [
      ['urn:uuid:41a5887f-8865-4c09-adf7-e362475b143a', 'classCode', false],
      ['urn:uuid:f4f85eac-e6cb-4883-b524-f2705394840f', 'confidentiality', true],
      ['urn:uuid:2c6b8cb7-8b2a-4051-b291-b1ae6a575ef4', 'eventCodes', true],
      ['urn:uuid:a09d5840-386c-46f2-b5ad-9c3699a4309d', 'formatCode', false],
      ['urn:uuid:f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1', 'facilityType', false],
      ['urn:uuid:cccf5598-8b07-4b77-a05e-ae952c785ead', 'practiceSetting', false],
      ['urn:uuid:f0306f51-975f-434e-a61c-c59651d33983', 'typeCode', false],
    ],
    identifiers: [
      ['urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427', 'patientId'],
      ['urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab', 'uniqueId'],
    ],
  },
  'submission-set': {
    word: 'XDSSubmissionSet',
    node: 'urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd',
    limited: 'urn:uuid:5003a9db-8d8d-49e6-bf0c-990e34ac7707',
    author: 'urn:uuid:a7058bb9-b4e4-4307-ba5b-e3f0ab85e12d',
    codes: [['urn:uuid:aa543740-bdda-424e-8c96-df4873be8500', 'contentType', false]],
    identifiers: [
      ['urn:uuid:6b5aea1a-874d-4603-a4bc-96a0a7b38446', 'patientId'],
      ['urn:uuid:96fdda7c-d067-4183-912e-bf5ee74998a8', 'uniqueId'],
      ['urn:uuid:554ac39e-e3fe-47fe-b233-965d2a147832', 'sourceId'],
    ],
  },
  folder: {
    word: 'XDSFolder',
    node: 'urn:uuid:d9d542f3-6cc4-48b6-8870-ea235fbc94c2',
    limited: 'urn:uuid:2c144a76-29a9-4b7c-af54-b25409fe7d03',
    author: null,
    codes: [['urn:uuid:1ba97051-7806-41a8-a48b-8fce7af683c5', 'codes', true]],
    identifiers: [
      ['urn:uuid:f64ffdf0-4b97-4e06-b79f-a52b38ec2f8a', 'patientId'],
      ['urn:uuid:75df8f67-9973-4fbe-a900-df66cefecc5a', 'uniqueId'],
    ],
  },
};

/** Slots that the profile knows, by object; `many`: several values. Others are kept where they begin with `urn:`. */
export const SLOTS: Readonly<Record<RegistryObject['kind'], Readonly<Record<string, 'one' | 'many'>>>> = {
  document: {
    creationTime: 'one',
    hash: 'one',
    languageCode: 'one',
    legalAuthenticator: 'one',
    repositoryUniqueId: 'one',
    serviceStartTime: 'one',
    serviceStopTime: 'one',
    size: 'one',
    sourcePatientId: 'one',
    sourcePatientInfo: 'many',
    URI: 'many',
    documentAvailability: 'one',
    [REFERENCE_IDS]: 'many',
  },
  'submission-set': { submissionTime: 'one', intendedRecipient: 'many' },
  folder: { lastUpdateTime: 'one' },
};

/** Slots of associations that the profile knows: kept among the extra ones, but for the first. */
export const ASSOCIATION_SLOTS: ReadonlySet<string> = new Set([
  'SubmissionSetStatus',
  'PreviousVersion',
  'OriginalStatus',
  'NewStatus',
  'AssociationPropagation',
]);
