/**
 * Documents that hospitals' own repositories keep (ITI-43), as a stream: the registry here tells of them, the bytes stay
 * there. What comes is passed on as it comes, so no document is held whole.
 */
import type { Calling } from '../../hub/core/audit.ts';
import type { RemoteDocument, RemoteRepositories } from '../../hub/core/document-ports.ts';
import { Failure, fail, ok, problem } from '../../hub/core/problem.ts';
import type { Result } from '../../hub/core/problem.ts';
import { ITI43_REQUEST, writeRetrieveRequest } from '../../mappings/xds/document-set.ts';
import type { Hospitals } from './hospital.ts';
import type { Retrieved, XdsPeer } from './peer.ts';

export const createRemoteRepositories = (hospitals: Pick<Hospitals, 'repository'>): RemoteRepositories => ({
  open(document, calling) {
    const peer = hospitals.repository(document.repositoryUniqueId);
    return peer === null ? null : opened(peer, document, calling);
  },
});

async function opened(
  peer: XdsPeer,
  { repositoryUniqueId, documentUniqueId }: RemoteDocument,
  calling: Calling,
): Promise<Result<AsyncGenerator<Uint8Array>>> {
  const wanted = { homeCommunityId: null, repositoryUniqueId, documentUniqueId };
  const answer = await peer.retrieve(ITI43_REQUEST, writeRetrieveRequest([wanted]), calling);
  if (!answer.ok) return answer;
  const { documents, answer: told } = answer.value;
  const listed = told.documents.some((given) => given.documentUniqueId === documentUniqueId && given.content !== null);
  if (listed) return ok(bytesOf(documents, documentUniqueId, answer.value));
  answer.value.close();
  const gone = told.errors.some(({ code }) => code === 'XDSDocumentUniqueIdError');
  return fail(problem(gone ? 'not-found' : 'unavailable', undefined, 'The repository did not give the document.'));
}

async function* bytesOf(
  documents: Retrieved['documents'],
  documentUniqueId: string,
  { close }: Pick<Retrieved, 'close'>,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const { given, body } of documents) {
      if (given.documentUniqueId !== documentUniqueId) continue;
      yield* body;
      return;
    }
    throw new Failure(problem('malformed', undefined, 'The repository listed the document and sent no bytes of it.'));
  } finally {
    close();
  }
}
