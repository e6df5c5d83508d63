/**
 * Answers a stored query from the registry's reader: what each query returns (ITI TF-2 §3.18.4.1.2.3.7, §3.51.4.1.2.3),
 * and the rules that hold for all of them: a single patient, a bounded answer, and what only metadata updates may show.
 */
import type { DocumentReader } from '../core/document-ports.ts';
import { SearchTimeout } from '../core/fhir.ts';
import type {
  DocumentAssociation,
  EntryId,
  RegistryErrorCode,
  RegistryObject,
  RegistryProblem,
} from '../core/document.ts';
import type { ObjectKey, StoredQuery, StoredQueryRequest, UpdateView } from '../../mappings/xds/stored-query.ts';
import { allOf, folderContents, Lookup, relatedDocuments, submissionSetContents } from './stored-query-contents.ts';
import type { Found } from './stored-query-contents.ts';

/** Objects and associations in one answer; more are an error, as IHE has no pages (XDSTooManyResults). */
export interface QueryLimits {
  readonly leafClass: number;
  readonly objectRef: number;
}

export const QUERY_LIMITS: QueryLimits = { leafClass: 2_000, objectRef: 10_000 };

export interface QueryAnswer extends Found {
  readonly problems: readonly RegistryProblem[];
}

export type RunStoredQuery = (request: Pick<StoredQueryRequest, 'query' | 'returnType'>) => Promise<QueryAnswer>;

export function createStoredQuery(deps: {
  readonly reader: DocumentReader;
  readonly limits: QueryLimits;
}): RunStoredQuery {
  return async ({ query, returnType }) => {
    const limit = returnType === 'LeafClass' ? deps.limits.leafClass : deps.limits.objectRef;
    const lookup = new Lookup(deps.reader, limit, query.view.associationStatus);
    const found = await find(lookup, query).catch(tooWide);
    if (found === null)
      return nothing('XDSTooManyResults', 'The search took longer than is allowed; narrow the query.');
    if (lookup.exceeded || found.objects.length + found.associations.length > limit)
      return nothing(
        'XDSTooManyResults',
        `More than ${String(limit)} objects match; narrow the query${returnType === 'LeafClass' ? ', or ask for ObjectRef and then by id' : ''}.`,
      );
    const shown = await visible(deps.reader, query.view, found);
    // References disclose no patient, and the multi-patient queries exist for this (ITI TF-2 §3.18.4.1.2.3.3, §3.51.1).
    if (returnType !== 'LeafClass' || query.name.endsWith('ForMultiplePatients')) return { ...shown, problems: [] };
    const single = await ofOnePatient(deps.reader, shown.objects);
    return single === null
      ? nothing('XDSResultNotSinglePatient', 'The objects belong to more than one patient.')
      : { ...shown, objects: single, problems: [] };
  };
}

/** Several ids of one person are one patient, and shown as one (decision 0017). null: they are more than one. */
async function ofOnePatient(
  reader: DocumentReader,
  found: readonly RegistryObject[],
): Promise<readonly RegistryObject[] | null> {
  const ids = [...new Set(found.map(({ patientId }) => patientId))];
  if (ids.length <= 1) return found;
  const known = await reader.sharedIds(ids);
  const [patientId, ...more] = new Set(ids.map((id) => known.get(id) ?? id));
  return patientId === undefined || more.length > 0 ? null : found.map((one) => ({ ...one, patientId }));
}

const nothing = (code: RegistryErrorCode, context: string): QueryAnswer => ({
  objects: [],
  associations: [],
  problems: [{ code, severity: 'error', context }],
});

function tooWide(error: unknown): null {
  if (error instanceof SearchTimeout) return null;
  throw error;
}

const objects = (found: readonly RegistryObject[]): Found => ({ objects: found, associations: [] });

async function find(lookup: Lookup, query: StoredQuery): Promise<Found> {
  const { reader, limit } = lookup;
  switch (query.name) {
    case 'FindDocuments':
    case 'FindDocumentsByReferenceId':
    case 'FindDocumentsForMultiplePatients':
    case 'FindDocumentsByReferenceIdForMultiplePatients':
      return objects(await reader.findDocuments(query.criteria, limit));
    case 'FindSubmissionSets':
      return objects(await reader.findSubmissionSets(query.criteria, limit));
    case 'FindFolders':
    case 'FindFoldersForMultiplePatients':
      return objects(await reader.findFolders(query.criteria, limit));
    case 'GetAll':
      return allOf(lookup, query);
    case 'GetDocuments':
      return objects(await named(reader, 'document', query.key));
    case 'GetFolders':
      return objects(await named(reader, 'folder', query.key));
    case 'GetAssociations':
      return { objects: [], associations: await lookup.associations({ sources: query.ids, targets: query.ids }) };
    case 'GetDocumentsAndAssociations': {
      const documents = await named(reader, 'document', query.key);
      const ids = documents.map(({ id }) => id);
      return { objects: documents, associations: await lookup.associations({ sources: ids, targets: ids }) };
    }
    case 'GetSubmissionSets':
      return submissionSets(lookup, query.ids);
    case 'GetSubmissionSetAndContents':
      return submissionSetContents(lookup, await named(reader, 'submission-set', query.key), query.content);
    case 'GetFolderAndContents':
      return folderContents(lookup, await named(reader, 'folder', query.key), query.content);
    case 'GetFoldersForDocument':
      return foldersOf(lookup, await named(reader, 'document', query.key));
    case 'GetRelatedDocuments':
      return relatedDocuments(lookup, await named(reader, 'document', query.key), query);
  }
}

async function named(
  reader: DocumentReader,
  kind: RegistryObject['kind'],
  key: ObjectKey,
): Promise<readonly RegistryObject[]> {
  if (key.by === 'unique-id') return reader.byUniqueId(kind, key.uniqueIds);
  const found = await (key.by === 'id' ? reader.byId(key.ids) : reader.byLogicalId(key.ids));
  return found.filter((object) => object.kind === kind);
}

/** The submission sets of documents or folders, with the memberships that tell which of them. */
async function submissionSets(lookup: Lookup, ids: readonly EntryId[]): Promise<Found> {
  const members = await memberships(lookup, ids);
  const found = await lookup.byId([...new Set(members.map(({ source }) => source))]);
  const sets = found.filter(({ kind }) => kind === 'submission-set');
  const own = new Set<string>(sets.map(({ id }) => id));
  return { objects: sets, associations: members.filter(({ source }) => own.has(source)) };
}

async function foldersOf(lookup: Lookup, documents: readonly RegistryObject[]): Promise<Found> {
  const members = await memberships(
    lookup,
    documents.map(({ id }) => id),
  );
  const found = await lookup.byId([...new Set(members.map(({ source }) => source))]);
  return objects(found.filter(({ kind }) => kind === 'folder'));
}

const memberships = async (lookup: Lookup, targets: readonly EntryId[]): Promise<readonly DocumentAssociation[]> =>
  (await lookup.associations({ targets })).filter(({ type }) => type === 'HasMember');

/** XDS Metadata Update §3.18.4.1.2.3.5.1.1: level 1 shows what a consumer that knows no updates can understand. */
async function visible(reader: DocumentReader, view: UpdateView, found: Found): Promise<Found> {
  if (view.metadataLevel === 2) return found;
  const shown = found.objects.filter(
    (object) =>
      !(object.kind === 'document' && object.availability === 'offline') &&
      !(object.kind === 'folder' && object.status === 'deprecated'),
  );
  // An older version is always deprecated; so is a replaced document, which is the latest of its own and stays.
  const deprecated = shown.filter(({ kind, status }) => kind === 'document' && status === 'deprecated');
  const latest = new Map<string, number>();
  const lids = [...new Set(deprecated.map(({ lid }) => lid))];
  for (const { lid, version } of lids.length === 0 ? [] : await reader.byLogicalId(lids))
    latest.set(lid, Math.max(version, latest.get(lid) ?? 0));
  const current = shown.filter(({ lid, version }) => version >= (latest.get(lid) ?? 0));
  const hidden = new Set<string>(found.objects.map(({ id }) => id));
  for (const { id } of current) hidden.delete(id);
  return {
    objects: current,
    associations: found.associations.filter(
      ({ status, source, target }) => status === 'approved' && !hidden.has(source) && !hidden.has(target),
    ),
  };
}
