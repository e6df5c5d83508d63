/** What faces and use cases ask of the document registry; hub/store implements it. */
import type { Calling } from './audit.ts';
import type {
  DocumentAssociation,
  DocumentCode,
  DocumentEntry,
  EntryId,
  PatientCx,
  RegistryObject,
  RegistryProblem,
  Registered,
  Submission,
} from './document.ts';
import type { Result } from './problem.ts';

/** Values of one parameter: any of a group, all of the groups (ITI TF-2 §3.18.4.1.2.3.5). */
export type AndOr<T> = readonly (readonly T[])[];

/** A code asked for: `code^^scheme`. */
export type CodeToken = Pick<DocumentCode, 'code' | 'scheme'>;

/** From inclusive, To exclusive; DTM of any precision (ITI TF-2 §3.18.4.1.2.3.2). */
export interface DtmRange {
  readonly from?: string;
  readonly to?: string;
}

/** Criteria of FindDocuments, FindDocumentsByReferenceId, the multi-patient queries, and MHD searches. */
export interface DocumentCriteria {
  /** Empty only for the multi-patient query, where another criterion narrows it. */
  readonly patientIds: readonly PatientCx[];
  readonly status: readonly ('approved' | 'deprecated')[];
  readonly entryTypes: readonly ('stable' | 'on-demand')[];
  readonly classCode?: readonly CodeToken[];
  readonly typeCode?: readonly CodeToken[];
  readonly formatCode?: readonly CodeToken[];
  readonly facilityType?: readonly CodeToken[];
  readonly practiceSetting?: readonly CodeToken[];
  readonly confidentiality?: AndOr<CodeToken>;
  readonly eventCodes?: AndOr<CodeToken>;
  readonly referenceIds?: AndOr<string>;
  /** SQL LIKE patterns. */
  readonly authorPerson?: readonly string[];
  readonly creationTime?: DtmRange;
  readonly serviceStartTime?: DtmRange;
  readonly serviceStopTime?: DtmRange;
}

export interface SubmissionSetCriteria {
  readonly patientIds: readonly PatientCx[];
  readonly status: readonly ('approved' | 'deprecated')[];
  readonly sourceIds?: readonly string[];
  readonly submissionTime?: DtmRange;
  readonly authorPerson?: string;
  readonly contentTypes?: readonly CodeToken[];
}

export interface FolderCriteria {
  readonly patientIds: readonly PatientCx[];
  readonly status: readonly ('approved' | 'deprecated')[];
  readonly lastUpdateTime?: DtmRange;
  readonly codes?: AndOr<CodeToken>;
}

/** Reads of the registry. Every list is bounded by `limit`; one more row than the limit tells that there are more. */
export interface DocumentReader {
  findDocuments(criteria: DocumentCriteria, limit: number): Promise<readonly DocumentEntry[]>;
  findSubmissionSets(criteria: SubmissionSetCriteria, limit: number): Promise<readonly RegistryObject[]>;
  findFolders(criteria: FolderCriteria, limit: number): Promise<readonly RegistryObject[]>;
  byId(ids: readonly EntryId[]): Promise<readonly RegistryObject[]>;
  /** All versions of the objects with these logical ids. */
  byLogicalId(ids: readonly EntryId[]): Promise<readonly RegistryObject[]>;
  byUniqueId(kind: RegistryObject['kind'], uniqueIds: readonly string[]): Promise<readonly RegistryObject[]>;
  /**
   * Under which one id each of these is shown where ids of one person come together: that which the hub issued to the
   * person (decision 0017). An id that stands for no person, or is no longer one, is left out.
   */
  sharedIds(ids: readonly PatientCx[]): Promise<ReadonlyMap<PatientCx, PatientCx>>;
  /** Associations with these ids, or with one of these as source or target. Without a limit: 100,000. */
  associations(
    of: {
      readonly ids?: readonly EntryId[];
      readonly sources?: readonly EntryId[];
      readonly targets?: readonly EntryId[];
    },
    limit?: number,
  ): Promise<readonly DocumentAssociation[]>;
}

/** Where the bytes of a registered document lie in the hub's own repository. */
export interface RepositoryDocument {
  readonly uniqueId: string;
  readonly mimeType: string;
  readonly object: string;
  readonly size: number;
  /** SHA-1, 40 hex digits. */
  readonly hash: string;
}

/** Who changes what is registered. */
export interface ChangeOrigin {
  /** The hospital, or who calls for none: what is registered remembers it. */
  readonly sender: string;
  /** false: only what the same sender submitted. */
  readonly anybodys: boolean;
}

/** What a submission comes with: who sends, and where the bytes of its documents were put. */
export interface SubmissionOrigin extends ChangeOrigin {
  /** Documents that came with it (ITI-41, the imaging source): filed in the same transaction as their entries. */
  readonly documents: readonly RepositoryDocument[];
  /** The hub's own submissions may speak of patients that no feed announced. */
  readonly trusted: boolean;
}

export interface DocumentRegistry extends DocumentReader {
  /** Register Document Set (ITI-42): all rules of ITI TF-3 §4.2.3.4 in one transaction, all or nothing. */
  register(submission: Submission, origin: SubmissionOrigin): Promise<Registered>;
  /** Update Document Set (ITI-57): new versions, changes of status, associations (hub/core/document-update.ts). */
  update(submission: Submission, origin: ChangeOrigin): Promise<Registered>;
  /** Documents of the hub's own repository by unique id, with the patient whose they are. */
  documents(uniqueIds: readonly string[]): Promise<readonly (RepositoryDocument & { readonly patientId: PatientCx })[]>;
  /** ITI-62 and the like; errors as in ITI TF-2 §3.62.4. */
  remove(ids: readonly EntryId[], origin?: ChangeOrigin): Promise<readonly RegistryProblem[]>;
}

/** The affinity domain's patients: those that the hub issued, and those that an outside source fed (ITI-8, ITI-44). */
export interface AffinityPatients {
  /** The affinity-domain ids of these persons of the master index; every person has one. */
  idsOf(personIds: readonly string[]): Promise<ReadonlyMap<string, PatientCx>>;
  /** Whether submissions may name it: known, and not merged away. */
  known(ids: readonly PatientCx[]): Promise<ReadonlySet<PatientCx>>;
  /** The person of the master index behind an id, where there is one: for the audit and the access decision. */
  personsOf(ids: readonly PatientCx[]): Promise<ReadonlyMap<PatientCx, string>>;
  /** Where the patients of ids that were merged away stand now; an id that stands itself is not among them. */
  survivorsOf(ids: readonly PatientCx[]): Promise<ReadonlyMap<PatientCx, PatientCx>>;
  /** ITI-8, ITI-44: announces an outside id. */
  add(id: PatientCx): Promise<void>;
  /** A40: the subsumed id takes no more submissions, its documents follow the survivor. */
  merge(survivor: PatientCx, subsumed: PatientCx): Promise<void>;
}

/** Takes documents out of the hub's own repository (ITI-86); their entries stay. */
export interface DocumentRemoval {
  /** Tells which were there, and the objects that held them. */
  withdraw(
    uniqueIds: readonly string[],
  ): Promise<{ readonly uniqueIds: ReadonlySet<string>; readonly objects: readonly string[] }>;
}

/** A document that the registry tells of and the hub's own repository does not have. */
export interface RemoteDocument {
  readonly repositoryUniqueId: string;
  readonly documentUniqueId: string;
}

/** Repositories of others, which the hub may ask for their documents (ITI-43). */
export interface RemoteRepositories {
  /**
   * The bytes as they come; rejects with a Failure where they break off. `calling` is told before anybody is asked. null:
   * whose repository it is is not known here.
   */
  open(document: RemoteDocument, calling: Calling): Promise<Result<AsyncIterable<Uint8Array>>> | null;
}

/** Which objects are documents. */
export interface DocumentObjects {
  /** Those of these that some document of the repository names. */
  named(objects: readonly string[]): Promise<ReadonlySet<string>>;
}
