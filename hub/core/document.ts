/**
 * The documents of the affinity domain: entries, submission sets, folders and their associations (IHE ITI TF-3 §4.2), as
 * every face sees them, whether XDS, XCA or MHD. Times are DTM in UTC as the sender gave them, patient ids are CX
 * (`id^^^&oid&ISO`) without blanks, object ids are `urn:uuid:` in lower case.
 */
import type { Oid } from './identifier.ts';

declare const brand: unique symbol;
/** `urn:uuid:` and 36 lower-case characters. */
export type EntryId = string & { readonly [brand]: 'EntryId' };
/** CX of an affinity-domain patient: `id^^^&oid&ISO`. */
export type PatientCx = string & { readonly [brand]: 'PatientCx' };

/** ebRIM InternationalString: the first is the one that counts where only one can be shown. */
export type LocalizedText = readonly { readonly language?: string; readonly text: string }[];

/** ITI TF-3 §4.2.3.1.2: code, coding scheme, display name. */
export interface DocumentCode {
  readonly code: string;
  readonly scheme: string;
  readonly display: LocalizedText;
}

/** ITI TF-3 §4.2.3.1.4; XCN, XON and XTN as they came. */
export interface DocumentAuthor {
  readonly person?: string;
  readonly institutions: readonly string[];
  readonly roles: readonly string[];
  readonly specialties: readonly string[];
  readonly telecoms: readonly string[];
}

/** A slot that the profile does not know: kept and returned (ITI TF-3 §4.2.3.1.6, names begin with `urn:`). */
export interface ExtraSlot {
  readonly name: string;
  readonly values: readonly string[];
}

export type ApprovalStatus = 'approved' | 'deprecated';

interface RegistryObjectBase {
  readonly id: EntryId;
  /** Logical id: that of the first version. */
  readonly lid: EntryId;
  readonly version: number;
  readonly status: ApprovalStatus;
  readonly patientId: PatientCx;
  readonly uniqueId: string;
  readonly title: LocalizedText;
  readonly comments: LocalizedText;
  readonly extra: readonly ExtraSlot[];
  /** XDR-style limited metadata (WIRE §2): accepted, marked. */
  readonly limited: boolean;
}

export interface DocumentEntry extends RegistryObjectBase {
  readonly kind: 'document';
  readonly entryType: 'stable' | 'on-demand';
  readonly mimeType: string;
  readonly authors: readonly DocumentAuthor[];
  readonly classCode?: DocumentCode;
  readonly typeCode?: DocumentCode;
  readonly formatCode?: DocumentCode;
  readonly facilityType?: DocumentCode;
  readonly practiceSetting?: DocumentCode;
  readonly confidentiality: readonly DocumentCode[];
  readonly eventCodes: readonly DocumentCode[];
  readonly creationTime?: string;
  readonly serviceStartTime?: string;
  readonly serviceStopTime?: string;
  readonly languageCode?: string;
  readonly legalAuthenticator?: string;
  readonly sourcePatientId?: string;
  readonly sourcePatientInfo: readonly string[];
  /** CXi (ITI TF-3 §4.2.3.2.28). */
  readonly referenceIds: readonly string[];
  readonly repositoryUniqueId?: Oid;
  /** SHA-1 of the bytes, 40 hex digits in lower case; bytes. Absent for on-demand entries. */
  readonly hash?: string;
  readonly size?: number;
  readonly uri?: string;
  readonly availability: 'online' | 'offline';
}

export interface SubmissionSet extends RegistryObjectBase {
  readonly kind: 'submission-set';
  readonly authors: readonly DocumentAuthor[];
  readonly contentType?: DocumentCode;
  readonly sourceId: string;
  readonly submissionTime: string;
  readonly intendedRecipients: readonly string[];
}

export interface Folder extends RegistryObjectBase {
  readonly kind: 'folder';
  readonly codes: readonly DocumentCode[];
  /** 14 digits, set by the registry. */
  readonly lastUpdateTime: string;
}

export type RegistryObject = DocumentEntry | SubmissionSet | Folder;

/** By their short names; mappings/xds holds the URNs. */
export type AssociationType =
  | 'HasMember'
  | 'RPLC'
  | 'APND'
  | 'XFRM'
  | 'XFRM_RPLC'
  | 'signs'
  | 'IsSnapshotOf'
  | 'UpdateAvailabilityStatus'
  | 'SubmitAssociation';

export interface DocumentAssociation {
  readonly id: EntryId;
  readonly type: AssociationType;
  /** Ids of objects or, for `HasMember` of a submission set, of another association. */
  readonly source: EntryId;
  readonly target: EntryId;
  readonly status: ApprovalStatus;
  /** HasMember of a submission set to a document: whether the document came with it. */
  readonly submissionSetStatus?: 'Original' | 'Reference';
  /** Why, for RPLC, XFRM and the like (association documentation). */
  readonly documentation?: DocumentCode;
  readonly extra: readonly ExtraSlot[];
}

/** What one submission brings, ids still as the sender chose them (symbolic or `urn:uuid:`). */
export interface Submission {
  readonly objects: readonly RegistryObject[];
  readonly associations: readonly DocumentAssociation[];
}

/** ebRS error codes of ITI TF-3 §4.2.4.1 that the hub answers with. */
export const REGISTRY_ERRORS = [
  'XDSUnknownPatientId',
  'XDSPatientIdDoesNotMatch',
  'XDSRegistryDuplicateUniqueIdInMessage',
  'XDSRepositoryDuplicateUniqueIdInMessage',
  'XDSDuplicateUniqueIdInRegistry',
  'XDSNonIdenticalHash',
  'XDSNonIdenticalSize',
  'XDSRegistryDeprecatedDocumentError',
  'XDSRegistryMetadataError',
  'XDSRepositoryMetadataError',
  'XDSRegistryError',
  'XDSRepositoryError',
  'XDSRegistryBusy',
  'XDSRepositoryBusy',
  'XDSRegistryOutOfResources',
  'XDSRepositoryOutOfResources',
  'XDSRegistryNotAvailable',
  'XDSMissingDocument',
  'XDSMissingDocumentMetadata',
  'XDSDocumentUniqueIdError',
  'XDSUnknownRepositoryId',
  'XDSExtraMetadataNotSaved',
  'XDSStoredQueryMissingParam',
  'XDSStoredQueryParamNumber',
  'XDSUnknownStoredQuery',
  'XDSResultNotSinglePatient',
  'XDSTooManyResults',
  'XDSUnknownCommunity',
  'XDSUnavailableCommunity',
  'XDSMissingHomeCommunityId',
  'XDSMetadataUpdateError',
  'XDSMetadataUpdateOperationError',
  'XDSMetadataVersionError',
  'XDSMetadataIdentifierError',
  'XDSObjectTypeError',
  'XDSPatientIDReconciliationError',
  'UnmodifiableMetadataError',
  'UnresolvedReferenceException',
  'ReferencesExistException',
  'XDSUnreferencedObjectException',
  'XDSRemoveDocumentsError',
  'InvalidDocumentContent',
] as const;

export type RegistryErrorCode = (typeof REGISTRY_ERRORS)[number];

/** `context` is for a person and names no patient; `location` is the object or attribute in question. */
export interface RegistryProblem {
  readonly code: RegistryErrorCode;
  readonly severity: 'error' | 'warning';
  readonly context: string;
  readonly location?: string;
}

/** What became of a submission: stored whole, or not at all. Warnings may come with a success. */
export type Registered =
  | { readonly ok: true; readonly warnings: readonly RegistryProblem[]; readonly submission: Submission }
  | { readonly ok: false; readonly problems: readonly RegistryProblem[] };

/**
 * A DTM of any precision filled up to 14 digits with the earliest it can mean, so that times compare as text. What is
 * too long is cut, what has no sense as a date is filled up all the same: rules refuse it before.
 */
export const fullDtm = (dtm: string): string => dtm.slice(0, 14) + '00000101000000'.slice(Math.min(dtm.length, 14));
