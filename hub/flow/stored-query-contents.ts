/**
 * Stored queries that follow associations: what a submission set or folder holds, what is related to a document, and
 * everything of a patient (ITI TF-2 §3.18.4.1.2.3.7.4, .11, .12 and .14).
 */
import type { CodeToken, DocumentReader } from '../core/document-ports.ts';
import type { ApprovalStatus, DocumentAssociation, DocumentEntry, EntryId, RegistryObject } from '../core/document.ts';
import type { ContentFilter, StoredQuery } from '../../mappings/xds/stored-query.ts';

export interface Found {
  readonly objects: readonly RegistryObject[];
  readonly associations: readonly DocumentAssociation[];
}

/** The reader as one query sees it: bounded, and with associations of the wanted status only. */
export class Lookup {
  readonly reader: DocumentReader;
  readonly limit: number;
  readonly #status: readonly ApprovalStatus[];
  #exceeded = false;

  constructor(reader: DocumentReader, limit: number, status: readonly ApprovalStatus[]) {
    this.reader = reader;
    this.limit = limit;
    this.#status = status;
  }

  /** Whether associations were left out: what was made of them is not the whole answer. */
  get exceeded(): boolean {
    return this.#exceeded;
  }

  async associations(of: Parameters<DocumentReader['associations']>[0]): Promise<readonly DocumentAssociation[]> {
    if (Object.values(of).every((ids) => ids.length === 0)) return [];
    const found = await this.reader.associations(of, this.limit);
    if (found.length > this.limit) this.#exceeded = true;
    return found.filter(({ status }) => this.#status.includes(status));
  }

  async byId(ids: readonly EntryId[]): Promise<readonly RegistryObject[]> {
    return ids.length === 0 ? [] : this.reader.byId(ids);
  }
}

const idsOf = (objects: readonly { readonly id: EntryId }[]): EntryId[] => objects.map(({ id }) => id);

const members = async (lookup: Lookup, sources: readonly EntryId[]): Promise<readonly DocumentAssociation[]> =>
  (await lookup.associations({ sources })).filter(({ type }) => type === 'HasMember');

const targetsOf = (associations: readonly DocumentAssociation[]): EntryId[] => [
  ...new Set(associations.map(({ target }) => target)),
];

const among = (code: CodeToken | undefined, tokens: readonly CodeToken[]): boolean =>
  tokens.some(({ code: wanted, scheme }) => wanted === code?.code && scheme === code.scheme);

const passes = (object: RegistryObject, filter: ContentFilter): boolean =>
  object.kind !== 'document' ||
  (filter.entryTypes.includes(object.entryType) &&
    (filter.formatCode === undefined || among(object.formatCode, filter.formatCode)) &&
    (filter.confidentiality ?? []).every((group) => object.confidentiality.some((code) => among(code, group))));

/**
 * The set, its documents and folders, its memberships, and those between folder and document that it brought. A
 * document that the filter leaves out takes its memberships with it.
 */
export async function submissionSetContents(
  lookup: Lookup,
  sets: readonly RegistryObject[],
  filter: ContentFilter,
): Promise<Found> {
  const held = await members(lookup, idsOf(sets));
  const targets = targetsOf(held);
  const [objects, associations] = await Promise.all([lookup.byId(targets), lookup.associations({ ids: targets })]);
  const out = new Set<string>(idsOf(objects.filter((object) => !passes(object, filter))));
  const brought = associations.filter(({ source, target }) => !out.has(source) && !out.has(target));
  const inside = new Set<string>([...idsOf(objects), ...idsOf(brought)]);
  return {
    objects: [...sets, ...objects.filter(({ id }) => !out.has(id))],
    associations: [...held.filter(({ target }) => inside.has(target) && !out.has(target)), ...brought],
  };
}

export async function folderContents(
  lookup: Lookup,
  folders: readonly RegistryObject[],
  filter: ContentFilter,
): Promise<Found> {
  const held = await members(lookup, idsOf(folders));
  const objects = await lookup.byId(targetsOf(held));
  const documents = objects.filter((object) => object.kind === 'document' && passes(object, filter));
  const inside = new Set<string>(idsOf(documents));
  return {
    objects: [...folders, ...documents],
    associations: held.filter(({ target }) => inside.has(target)),
  };
}

/** Relations between documents, never memberships; where there are some, the document asked about comes with them. */
export async function relatedDocuments(
  lookup: Lookup,
  documents: readonly RegistryObject[],
  query: Extract<StoredQuery, { name: 'GetRelatedDocuments' }>,
): Promise<Found> {
  const own = idsOf(documents);
  const known = new Set<string>(own);
  const touching = (await lookup.associations({ sources: own, targets: own })).filter(
    ({ type }) => type !== 'HasMember' && query.associationTypes.includes(type),
  );
  const ends = [...new Set(touching.flatMap(({ source, target }) => [source, target]))].filter((id) => !known.has(id));
  const others = (await lookup.byId(ends)).filter(
    (object): object is DocumentEntry => object.kind === 'document' && query.entryTypes.includes(object.entryType),
  );
  const inside = new Set<string>([...own, ...idsOf(others)]);
  const associations = touching.filter(({ source, target }) => inside.has(source) && inside.has(target));
  const linked = new Set<string>(associations.flatMap(({ source, target }) => [source, target]));
  return { objects: [...documents, ...others].filter(({ id }) => linked.has(id)), associations };
}

/** Objects of the wanted status, and the associations among them: both ends are in the answer. */
export async function allOf(lookup: Lookup, query: Extract<StoredQuery, { name: 'GetAll' }>): Promise<Found> {
  const { reader, limit } = lookup;
  const patientIds = [query.patientId];
  const found = await Promise.all([
    reader.findSubmissionSets({ patientIds, status: query.submissionSetStatus }, limit),
    reader.findDocuments({ patientIds, status: query.documentStatus, ...query.content }, limit),
    reader.findFolders({ patientIds, status: query.folderStatus }, limit),
  ]);
  const objects = found.flat();
  // Too many already: the associations would only add to them.
  if (objects.length > limit) return { objects, associations: [] };
  const outgoing = await lookup.associations({ sources: idsOf(objects) });
  const inside = new Set<string>(idsOf(objects));
  const between = outgoing.filter(({ target }) => inside.has(target));
  for (const { id } of between) inside.add(id);
  return { objects, associations: outgoing.filter(({ target }) => inside.has(target)) };
}
