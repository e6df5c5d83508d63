/** The registry of documents as one caller may see it: what is hidden, and what leads to it, is left out. */
import type { Sight } from '../core/access-ports.ts';
import type { DocumentReader, DocumentRegistry } from '../core/document-ports.ts';
import { SearchTimeout } from '../core/fhir.ts';
import type { DocumentAssociation, EntryId, RegistryObject } from '../core/document.ts';

/** What faces read of the registry. */
export type ReadableRegistry = DocumentReader & Pick<DocumentRegistry, 'documents'>;

const uuidOf = (id: EntryId): string => id.replace(/^urn:uuid:/, '');

export function sightedDocuments(registry: ReadableRegistry, sight: Sight): ReadableRegistry {
  if (sight.whole) return registry;
  const resources = async (type: string, ids: readonly EntryId[]): Promise<ReadonlySet<EntryId>> => {
    const visible = ids.length === 0 ? new Set() : await sight.resources(type, ids.map(uuidOf));
    return new Set(ids.filter((id) => visible.has(uuidOf(id))));
  };
  /** Submission sets and folders name their documents: they are seen by who may see each of them. */
  const wholeSets = async (ids: readonly EntryId[]): Promise<readonly EntryId[]> => {
    if (ids.length === 0) return [];
    const members = (await registry.associations({ sources: ids })).filter(({ type }) => type === 'HasMember');
    const documents = (await registry.byId([...new Set(members.map(({ target }) => target))])).filter(isDocument);
    const named = documents.map(({ id }) => id);
    const visible = await resources('DocumentReference', named);
    const hidden = new Set(named.filter((id) => !visible.has(id)));
    const part = new Set(members.filter(({ target }) => hidden.has(target)).map(({ source }) => source));
    return ids.filter((id) => !part.has(id));
  };
  const objects = async <O extends RegistryObject>(found: readonly O[]): Promise<readonly O[]> => {
    const idsOf = (documents: boolean): readonly EntryId[] =>
      found.filter((one) => isDocument(one) === documents).map(({ id }) => id);
    const sets = await wholeSets([...(await resources('List', idsOf(false)))]);
    const visible = new Set([...(await resources('DocumentReference', idsOf(true))), ...sets]);
    return found.filter(({ id }) => visible.has(id));
  };
  /** An association is seen where both its ends are; ends that are no objects of this registry hide nothing. */
  const associations = async (found: readonly DocumentAssociation[]): Promise<readonly DocumentAssociation[]> => {
    const ends = [...new Set(found.flatMap(({ source, target }) => [source, target]))];
    const known = await registry.byId(ends);
    const visible = new Set((await objects(known)).map(({ id }) => id));
    const hidden = new Set(known.map(({ id }) => id).filter((id) => !visible.has(id)));
    return found.filter(({ source, target }) => !hidden.has(source) && !hidden.has(target));
  };
  // What is hidden must not use the limit up: one more than the limit still tells that there is more to see.
  return {
    findDocuments: async (criteria, limit) =>
      cut(await objects(all(await registry.findDocuments(criteria, MOST))), limit),
    findSubmissionSets: async (criteria, limit) =>
      cut(await objects(all(await registry.findSubmissionSets(criteria, MOST))), limit),
    findFolders: async (criteria, limit) => cut(await objects(all(await registry.findFolders(criteria, MOST))), limit),
    byId: async (ids) => objects(await registry.byId(ids)),
    byLogicalId: async (ids) => objects(await registry.byLogicalId(ids)),
    byUniqueId: async (kind, uniqueIds) => objects(await registry.byUniqueId(kind, uniqueIds)),
    sharedIds: (ids) => registry.sharedIds(ids),
    async associations(of, limit) {
      if (limit === undefined) return associations(await registry.associations(of));
      return cut(await associations(all(await registry.associations(of, MOST))), limit);
    },
    async documents(uniqueIds) {
      const visible = await sight.documents(uniqueIds);
      return registry.documents(uniqueIds.filter((id) => visible.has(id)));
    },
  };
}

/** Most objects of one question that are looked through. */
const MOST = 50_000;
const cut = <T>(seen: readonly T[], limit: number): readonly T[] => seen.slice(0, limit + 1);

/** What was not looked through is not said to be nothing. */
function all<T>(found: readonly T[]): readonly T[] {
  if (found.length > MOST) throw new SearchTimeout('too much is looked through for what may be seen of it');
  return found;
}

const isDocument = ({ kind }: RegistryObject): boolean => kind === 'document';
