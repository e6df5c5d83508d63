/**
 * Provide and Register (ITI TF-2 §3.41): documents and their metadata become one submission of the registry, checked here
 * before it is asked. What fails leaves nothing that can be retrieved.
 */
import type {
  DocumentEntry,
  PatientCx,
  RegistryErrorCode,
  RegistryProblem,
  Registered,
  Submission,
} from '../core/document.ts';
import type { ChangeOrigin, DocumentRegistry, RepositoryDocument } from '../core/document-ports.ts';
import type { Oid } from '../core/identifier.ts';
import type { Log } from '../core/ports.ts';
import type { DocumentIntake, KeptDocument } from './receive-documents.ts';

export interface ProvideDeps {
  readonly registry: Pick<DocumentRegistry, 'register' | 'documents'>;
  readonly repositoryOid: Oid;
  readonly log: Log;
  /** True of an error after which nobody knows how a transaction ended; after others it was rolled back. */
  readonly isAway: (error: unknown) => boolean;
}

/** Documents by the ids of their entries, in the order sent: a repeated id must be seen. */
export type Provided = readonly { readonly id: string; readonly kept: KeptDocument }[];

const error = (code: RegistryErrorCode, context: string, location: string): RegistryProblem => ({
  code,
  severity: 'error',
  context,
  location,
});

const entriesOf = (submission: Submission): readonly DocumentEntry[] =>
  submission.objects.filter((object) => object.kind === 'document');

/** What can be told before a document is read: that each entry has its document, and the other way round. */
export function checkPairs(submission: Submission, documentIds: readonly string[]): readonly RegistryProblem[] {
  const problems: RegistryProblem[] = [];
  const entries = entriesOf(submission);
  const entryIds = new Set<string>(entries.map(({ id }) => id));
  const sent = new Set<string>();
  for (const id of documentIds) {
    if (sent.has(id)) problems.push(error('XDSRepositoryMetadataError', 'Two documents have the same id.', id));
    else if (!entryIds.has(id))
      problems.push(error('XDSMissingDocumentMetadata', 'A document has no DocumentEntry with its id.', id));
    sent.add(id);
  }
  const uniqueIds = new Set<string>();
  for (const { id, entryType, uniqueId } of entries) {
    if (entryType === 'on-demand')
      problems.push(error('XDSRepositoryMetadataError', 'On-demand entries are registered by ITI-61.', id));
    else if (!sent.has(id))
      problems.push(error('XDSMissingDocument', 'A DocumentEntry has no document with its id.', id));
    if (uniqueIds.has(uniqueId))
      problems.push(
        error('XDSRepositoryDuplicateUniqueIdInMessage', 'Two documents of the message have this unique id.', uniqueId),
      );
    uniqueIds.add(uniqueId);
  }
  return problems;
}

/** A hash or a size that came with the metadata must be that of the bytes (ITI TF-2 §3.41.4.1.3). */
function checkBytes(entry: DocumentEntry, kept: KeptDocument): readonly RegistryProblem[] {
  const problems: RegistryProblem[] = [];
  if (entry.hash !== undefined && entry.hash.toLowerCase() !== kept.hash)
    problems.push(error('XDSRepositoryMetadataError', 'The hash is not that of the document.', entry.id));
  if (entry.size !== undefined && entry.size !== kept.size)
    problems.push(error('XDSRepositoryMetadataError', 'The size is not that of the document.', entry.id));
  return problems;
}

/** Patients and unique ids that a submission names, for the audit. */
export const subjectsOf = ({ objects }: Submission): { patients: PatientCx[]; sets: string[] } => ({
  patients: [...new Set(objects.map(({ patientId }) => patientId))],
  sets: objects.filter(({ kind }) => kind === 'submission-set').map(({ uniqueId }) => uniqueId),
});

export async function provideDocuments(
  deps: ProvideDeps,
  submission: Submission,
  provided: Provided,
  intake: DocumentIntake,
  origin: ChangeOrigin,
): Promise<Registered> {
  const keptById = new Map(provided.map(({ id, kept }) => [id, kept]));
  const problems: RegistryProblem[] = [];
  const documents: RepositoryDocument[] = [];
  const objects = submission.objects.map((object) => {
    const kept = object.kind === 'document' ? keptById.get(object.id) : undefined;
    if (object.kind !== 'document' || !kept) return object;
    problems.push(...checkBytes(object, kept));
    const { uniqueId, mimeType } = object;
    documents.push({ uniqueId, mimeType, ...kept });
    return { ...object, repositoryUniqueId: deps.repositoryOid, hash: kept.hash, size: kept.size };
  });
  if (problems.length > 0) return { ok: false, problems };
  const registered = await register(deps, { ...submission, objects }, documents, intake, origin);
  if (registered.ok && documents.length > 0) {
    // The same document may have been here before: then the registry kept the first bytes, and these are not needed.
    const filed = await deps.registry.documents(documents.map(({ uniqueId }) => uniqueId));
    const named = new Set(filed.map(({ object }) => object));
    intake.release(documents.map(({ object }) => object).filter((object) => !named.has(object)));
  }
  return registered;
}

async function register(
  deps: ProvideDeps,
  submission: Submission,
  documents: readonly RepositoryDocument[],
  intake: DocumentIntake,
  origin: ChangeOrigin,
): Promise<Registered> {
  const objects = documents.map(({ object }) => object);
  // Whoever does not hear the end of a transaction cannot know how it ended: then the bytes stay.
  intake.claim(objects);
  try {
    const registered = await deps.registry.register(submission, { ...origin, documents, trusted: false });
    if (!registered.ok) intake.release(objects);
    return registered;
  } catch (cause) {
    if (deps.isAway(cause))
      deps.log.error({ objects }, 'it is not known whether a submission was registered: its documents are kept');
    else intake.release(objects);
    throw cause;
  }
}
