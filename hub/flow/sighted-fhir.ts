/**
 * The FHIR resources as one caller may see them: searches, pages, includes, histories and reads over the same port, with
 * what is hidden left out as if it did not exist; totals count what is seen.
 */
import type { DiagnosticReport, DocumentReference, List } from 'fhir/r4.js';
import type { Sight } from '../core/access-ports.ts';
import type { MatchProbe } from '../core/match/probe.ts';
import { SearchTimeout, type FhirQuery, type FhirStore, type HistoryCursor, type StoredVersion } from '../core/fhir.ts';

/** Matches looked through for one answer: a question wider than this must be narrowed. */
const MOST_LOOKED_AT = 40_000;
/** Versions looked at once, and how often, for one page of a history. */
const HISTORY_BATCH = 500;
const MOST_TURNS = 40;

export function sightedFhir(store: FhirStore, sight: Sight): FhirStore {
  if (sight.whole) return store;
  const seenOf = (type: string, ids: readonly string[]): Promise<ReadonlySet<string>> => seen(store, sight, type, ids);
  const one = async (found: StoredVersion | null): Promise<StoredVersion | null> =>
    found !== null && isTold(sight, found) && (await seenOf(found.type, [found.id])).has(found.id) ? found : null;
  const search = async (query: FhirQuery): Promise<readonly string[]> => {
    for (let limit = query.limit; limit <= MOST_LOOKED_AT; limit *= 2) {
      const found = await store.search({ ...query, limit });
      const visible = await seenOf(query.type, found);
      const ids = found.filter((id) => visible.has(id));
      if (found.length < limit || ids.length >= query.limit) return ids.slice(0, query.limit);
    }
    throw new SearchTimeout('too much is looked through for what may be seen of it');
  };
  return {
    read: async (type, id) => one(await store.read(type, id)),
    vread: async (type, id, version) => one(await store.vread(type, id, version)),
    async history(scope, page) {
      const versions: StoredVersion[] = [];
      let before: HistoryCursor | undefined = page.before;
      for (let turn = 0; turn < MOST_TURNS; turn++) {
        const asked = { ...page, limit: HISTORY_BATCH, ...(before === undefined ? {} : { before }) };
        const found = await store.history(scope, asked);
        versions.push(...(await visibleVersions(store, sight, found)));
        before = found.at(-1);
        if (versions.length >= page.limit || found.length < HISTORY_BATCH) return versions.slice(0, page.limit);
      }
      throw new SearchTimeout('too much is looked through for what may be seen of it');
    },
    countVersions: async (type, id, since) =>
      (await seenOf(type, [id])).has(id) ? store.countVersions(type, id, since) : 0,
    search,
    count: async (query) => (await search({ ...query, sort: [], limit: MOST_LOOKED_AT })).length,
    async fetch(type, ids) {
      const visible = await seenOf(type, ids);
      return store.fetch(
        type,
        ids.filter((id) => visible.has(id)),
      );
    },
    savePages: (pages) => store.savePages(pages),
    pages: (handle, callerId) => store.pages(handle, callerId),
    latestPages: (callerId) => store.latestPages(callerId),
    forgetPages: (callerId) => store.forgetPages(callerId),
  };
}

/** The matcher as one caller may ask it: who is hidden is neither answered nor counted among the certain ones. */
export const sightedProbe = (probe: MatchProbe, sight: Sight): MatchProbe =>
  sight.whole ? probe : { probe: (asked, limit) => probe.probe(asked, limit, (persons) => sight.persons(persons)) };

async function visibleVersions(
  store: FhirStore,
  sight: Sight,
  found: readonly StoredVersion[],
): Promise<readonly StoredVersion[]> {
  const visible = new Map<string, ReadonlySet<string>>();
  for (const type of new Set(found.map((version) => version.type))) {
    const ids = found.filter((version) => version.type === type).map(({ id }) => id);
    visible.set(type, await seen(store, sight, type, [...new Set(ids)]));
  }
  return found.filter((version) => visible.get(version.type)?.has(version.id) === true && isTold(sight, version));
}

/** Signed by now, yet this version was not: who sees signed reports alone is not told what they said before. */
function isTold({ signedOnly }: Sight, { body }: StoredVersion): boolean {
  if (!signedOnly || body === null) return true;
  if (body.resourceType === 'DiagnosticReport')
    return ['final', 'corrected'].includes((body as DiagnosticReport).status);
  return body.resourceType !== 'DocumentReference' || (body as DocumentReference).docStatus !== 'preliminary';
}

async function seen(
  store: FhirStore,
  sight: Sight,
  type: string,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set();
  if (type === 'Provenance') return seenProvenance(store, sight, ids);
  const visible = await sight.resources(type, ids);
  return type === 'List' && visible.size > 0 ? wholeLists(store, sight, [...visible]) : visible;
}

/** A Provenance is about a version of a resource, which its id names: `Type.id.version` (mappings/fhir/provenance.ts). */
async function seenProvenance(store: FhirStore, sight: Sight, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const targets = ids.map((id) => {
    const [type = '', target = ''] = id.split('.');
    return { id, type, target };
  });
  const shown = new Set<string>();
  for (const type of new Set(targets.map((one) => one.type))) {
    const about = targets.filter((one) => one.type === type);
    const visible = await seen(store, sight, type, [...new Set(about.map(({ target }) => target))]);
    for (const { id, target } of about) if (visible.has(target)) shown.add(id);
  }
  return shown;
}

/** A list names its documents: it is seen by who may see each of them. */
async function wholeLists(store: FhirStore, sight: Sight, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const lists = (await store.fetch('List', ids)).map(({ id, body }) => ({
    id,
    named: ((body as List | null)?.entry ?? []).flatMap(({ item }) => {
      const match = /^DocumentReference\/([A-Za-z0-9.-]{1,64})$/.exec(item.reference ?? '');
      return match?.[1] ?? [];
    }),
  }));
  const documents = await sight.resources('DocumentReference', [...new Set(lists.flatMap(({ named }) => named))]);
  return new Set(lists.filter(({ named }) => named.every((id) => documents.has(id))).map(({ id }) => id));
}
