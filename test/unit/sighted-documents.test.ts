/** The bounds of a stored query where documents are hidden: what is seen is counted, all of it, and nothing else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Sight } from '../../hub/core/access-ports.ts';
import type { DocumentAssociation, DocumentEntry, EntryId } from '../../hub/core/document.ts';
import { SearchTimeout } from '../../hub/core/fhir.ts';
import { WHOLE } from '../../hub/flow/access-desk.ts';
import { sightedDocuments, type ReadableRegistry } from '../../hub/flow/sighted-documents.ts';

const idOf = (n: number): EntryId => `urn:uuid:${String(n)}` as EntryId;
/** Documents 1 to `count`, each tied to the next; as the store answers: one more than the limit, in the order of the table. */
function registry(count: number): ReadableRegistry {
  const entries = Array.from({ length: count }, (_, n) => ({ kind: 'document', id: idOf(n + 1) }) as DocumentEntry);
  const ties = entries.map(({ id }, n) => ({ id: idOf(-n), source: id, target: idOf(n + 2) }) as DocumentAssociation);
  const none = (): Promise<never[]> => Promise.resolve([]);
  return {
    findDocuments: (_criteria, limit) => Promise.resolve(entries.slice(0, limit + 1)),
    associations: (_of, limit = 100_000) => Promise.resolve(ties.slice(0, limit + 1)),
    byId: (ids) => Promise.resolve(entries.filter(({ id }) => ids.includes(id))),
    ...{ findSubmissionSets: none, findFolders: none, byLogicalId: none, byUniqueId: none, documents: none },
    sharedIds: () => Promise.resolve(new Map()),
  };
}
const seeing = (isSeen: (n: number) => boolean): Sight => ({
  ...WHOLE,
  whole: false,
  resources: (_type, ids) => Promise.resolve(new Set(ids.filter((id) => isSeen(Number(id))))),
});
const ANYBODY = {} as Parameters<ReadableRegistry['findDocuments']>[0];

test('hidden documents use up no limit, and one more than the limit that may be seen is told', async () => {
  const later = sightedDocuments(
    registry(40),
    seeing((n) => n > 30),
  );
  assert.equal((await later.findDocuments(ANYBODY, 10)).length, 10, 'all, and no more');
  assert.equal((await later.findDocuments(ANYBODY, 9)).length, 10, 'more than the limit');
  assert.equal((await later.findDocuments(ANYBODY, 100)).length, 10);
});

test('associations are bounded by those that may be seen', async () => {
  const later = sightedDocuments(
    registry(40),
    seeing((n) => n > 30),
  );
  // The last one's other end is no object of this registry.
  assert.equal((await later.associations({ sources: [idOf(1)] }, 10)).length, 10);
  assert.equal((await later.associations({ sources: [idOf(1)] }, 5)).length, 6);
  assert.equal((await later.associations({ sources: [idOf(1)] })).length, 10);
});

test('what was not looked through is not said to be nothing', async () => {
  const wide = sightedDocuments(
    registry(50_002),
    seeing(() => false),
  );
  await assert.rejects(wide.findDocuments(ANYBODY, 10), SearchTimeout);
});
