/** The stored queries of ITI-18 (ITI TF-2 §3.18.4.1.2.3.7) and ITI-51 (§3.51.4.1.2.3) as one typed union. */
import type { DocumentCriteria, FolderCriteria, SubmissionSetCriteria } from '../../hub/core/document-ports.ts';
import type { ApprovalStatus, AssociationType, DocumentEntry, EntryId, PatientCx } from '../../hub/core/document.ts';

/** How objects are named: exactly one of these stands in a query. */
export type ObjectKey =
  | { readonly by: 'id' | 'logical-id'; readonly ids: readonly EntryId[] }
  | { readonly by: 'unique-id'; readonly uniqueIds: readonly string[] };

/** What is left out of the contents of a submission set or folder, and of GetAll. */
export type ContentFilter = Pick<DocumentCriteria, 'entryTypes' | 'formatCode' | 'confidentiality'>;

/** XDS Metadata Update §3.18.4.1.2.3.5.1: what came of updates is shown at level 2 only. */
export interface UpdateView {
  readonly metadataLevel: 1 | 2;
  readonly associationStatus: readonly ApprovalStatus[];
}

type Query<Name extends string, Parts> = { readonly name: Name; readonly view: UpdateView } & Readonly<Parts>;

export type StoredQuery =
  | Query<'FindDocuments' | 'FindDocumentsByReferenceId', { criteria: DocumentCriteria }>
  | Query<
      'FindDocumentsForMultiplePatients' | 'FindDocumentsByReferenceIdForMultiplePatients',
      { criteria: DocumentCriteria }
    >
  | Query<'FindSubmissionSets', { criteria: SubmissionSetCriteria }>
  | Query<'FindFolders' | 'FindFoldersForMultiplePatients', { criteria: FolderCriteria }>
  | Query<
      'GetAll',
      {
        patientId: PatientCx;
        documentStatus: readonly ApprovalStatus[];
        submissionSetStatus: readonly ApprovalStatus[];
        folderStatus: readonly ApprovalStatus[];
        content: ContentFilter;
      }
    >
  | Query<'GetDocuments' | 'GetFolders' | 'GetDocumentsAndAssociations', { key: ObjectKey }>
  | Query<'GetAssociations' | 'GetSubmissionSets', { ids: readonly EntryId[] }>
  | Query<'GetSubmissionSetAndContents' | 'GetFolderAndContents', { key: ObjectKey; content: ContentFilter }>
  | Query<'GetFoldersForDocument', { key: ObjectKey }>
  | Query<
      'GetRelatedDocuments',
      {
        key: ObjectKey;
        associationTypes: readonly AssociationType[];
        entryTypes: readonly DocumentEntry['entryType'][];
      }
    >;

export type StoredQueryName = StoredQuery['name'];

export interface StoredQueryRequest {
  readonly query: StoredQuery;
  readonly returnType: 'LeafClass' | 'ObjectRef';
  /** Home community asked for, `urn:oid:…`. */
  readonly home: string | null;
}

/** Which transaction asks: each has its own queries. ITI-38 carries those of ITI-18. */
export type QueryDoor = 'stored-query' | 'multi-patient';
