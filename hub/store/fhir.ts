/**
 * The FHIR projection in PostgreSQL: saves what the mapping rendered in the transaction that changed the index, and reads
 * it for the face. One statement saves any number of resources, since it runs for every message applied.
 */
import { createHash } from 'node:crypto';
import type { FhirBody, FhirStore, HistoryScope, ProjectedResource, SavedPages, StoredVersion } from '../core/fhir.ts';
import type { Vault } from '../core/sealing.ts';
import { vaultOf, type Connection, type Database } from './database.ts';
import { forgetPages, latestPages, readPages, savePages } from './fhir-page.ts';
import { countProvenance, fetchProvenance, readProvenance, searchProvenance } from './fhir-provenance.ts';
import { countResources, searchResources } from './fhir-query.ts';
import { anyName, withSubjects } from './fhir-subject.ts';
import { bodyContext, openRow, toVersion, VERSION_COLUMNS, type VersionRow } from './fhir-version.ts';
import { sealText } from './sealed.ts';
import { sealCriteria, sealSearch } from './sealed-search.ts';

export interface SavedProvenance {
  readonly journalIds: readonly string[];
  readonly site: string;
  /** When what changed the resources was said or done. */
  readonly at: string;
}

export type OwnedResource = ProjectedResource & { readonly owner: string };

/**
 * `incoming` is upserted in key order, so that two transactions meet in the same order and neither waits for the other
 * in a circle. A row whose digest stands is untouched: no version, no history, no index work.
 */
const SAVE = `
with incoming as materialized (
  select * from json_to_recordset($1::json) as i (
    type text, id text, owner text, digest text, body text, tokens text[], present text[],
    d1l timestamptz, d1h timestamptz, d2l timestamptz, d2h timestamptz, sort_text text, texts json)
), owners as materialized (
  select owner, site, at, array(select json_array_elements_text(journal_ids)) as journal_ids
  from json_to_recordset($2::json) as o (owner text, site text, at timestamptz, journal_ids json)
), changed as (
  insert into fhir_resource as r (type, id, version, last_updated, owner, deleted, digest, tokens, present,
    date1_low, date1_high, date2_low, date2_high, sort_text)
  select type, id, 1, date_trunc('milliseconds', clock_timestamp()), owner, false, digest, tokens, present,
    d1l, d1h, d2l, d2h, sort_text
  from incoming order by type, id
  on conflict (type, id) do update set version = r.version + 1, last_updated = excluded.last_updated,
    owner = excluded.owner, deleted = false, digest = excluded.digest, tokens = excluded.tokens,
    present = excluded.present, date1_low = excluded.date1_low, date1_high = excluded.date1_high,
    date2_low = excluded.date2_low, date2_high = excluded.date2_high, sort_text = excluded.sort_text
  where r.digest <> excluded.digest or r.deleted
  returning type, id, version, last_updated
), gone as (
  update fhir_resource r set deleted = true, version = version + 1,
    last_updated = date_trunc('milliseconds', clock_timestamp())
  where r.owner in (select owner from owners) and not r.deleted
    and not exists (select from incoming i where i.type = r.type and i.id = r.id)
  returning type, id, version, last_updated, owner
), stale_text as (
  delete from fhir_text t using changed c where t.type = c.type and t.id = c.id
), new_text as (
  insert into fhir_text (type, id, version, param, norm, exact)
  select c.type, c.id, c.version, t.param, t.norm, t.exact
  from changed c join incoming i using (type, id),
    json_to_recordset(i.texts) as t (param text, norm text, exact text)
)
insert into fhir_version (type, id, version, at, body, site, occurred_at, journal_ids)
select c.type, c.id, c.version, c.last_updated, i.body, o.site, o.at, o.journal_ids
from changed c join incoming i using (type, id) join owners o using (owner)
union all
select g.type, g.id, g.version, g.last_updated, null, o.site, o.at, o.journal_ids from gone g join owners o using (owner)`;

/**
 * Saves in the caller's transaction: unchanged resources stay as they are, changed ones get the next version, and what
 * the owners had and no longer produce is removed (its history stays). A resource may move to another owner. `provenance`
 * is one for all, or told owner by owner.
 */
export async function saveResources(
  connection: Connection,
  owners: readonly string[],
  resources: readonly OwnedResource[],
  provenance: SavedProvenance | ((owner: string) => SavedProvenance),
): Promise<void> {
  if (owners.length === 0 && resources.length === 0) return;
  const vault = vaultOf(connection);
  const rows = new Map<string, object>();
  for (const resource of resources) rows.set(`${resource.type}/${resource.id}`, rowOf(resource, vault));
  const of = typeof provenance === 'function' ? provenance : (): SavedProvenance => provenance;
  const origins = [...new Set([...owners, ...resources.map((resource) => resource.owner)])].map((owner) => {
    const { site, at, journalIds } = of(owner);
    return { owner, site, at, journal_ids: journalIds };
  });
  await connection.query({
    name: 'fhir-save',
    text: SAVE,
    values: [JSON.stringify([...rows.values()]), JSON.stringify(origins)],
  });
}

function rowOf(resource: OwnedResource, vault: Vault): object {
  const body = JSON.stringify(resource.body);
  const { tokens, present, dates, strings, sortText } = sealSearch(vault, resource.type, resource.search);
  // The owner is part of the digest: a resource that moves to another owner is a change and is recorded as one.
  const digest = createHash('sha256').update(resource.owner).update('\n').update(body).digest('base64');
  return {
    type: resource.type,
    id: resource.id,
    owner: resource.owner,
    digest,
    body: sealText(vault.fields, body, bodyContext(resource.type, resource.id)),
    tokens,
    present,
    d1l: dates[0]?.low ?? null,
    d1h: dates[0]?.high ?? null,
    d2l: dates[1]?.low ?? null,
    d2h: dates[1]?.high ?? null,
    sort_text: sortText,
    texts: strings,
  };
}

export interface FhirStoreOptions {
  /** Provenance is not stored: it is rendered from a version's row (mappings/fhir renders it). */
  readonly renderProvenance: (version: StoredVersion) => FhirBody;
  /** Longest a search may run. */
  readonly searchTimeoutMs: number;
  /** How long the pages of a result can be asked for. */
  readonly pageLifetimeMs: number;
}

export function openFhirStore(database: Database, options: FhirStoreOptions): FhirStore {
  const vault = vaultOf(database.pool);
  const query = <Row extends object>(text: string, values: readonly unknown[]): Promise<Row[]> =>
    database.pool.query<Row>(text, [...values]).then((result) => result.rows);
  /** As it is read: with whose it is today. */
  const versions = async (rows: readonly VersionRow[]): Promise<StoredVersion[]> =>
    (
      await withSubjects(
        query,
        rows.map((row) => openRow(vault.fields, row)),
      )
    ).map(toVersion);
  const asProvenance = (version: StoredVersion): StoredVersion => {
    const body = options.renderProvenance(version);
    return { ...version, type: 'Provenance', id: body.id ?? '', version: 1, body };
  };
  return {
    async read(type, id) {
      if (type === 'Provenance')
        return readProvenance(query, vault.fields, id).then((found) => found && asProvenance(found));
      const [row] = await query<VersionRow>(
        `select ${VERSION_COLUMNS} from fhir_version v where v.type = $1 and v.id = $2 order by v.version desc limit 1`,
        [type, id],
      );
      return row ? ((await versions([row]))[0] ?? null) : null;
    },
    async vread(type, id, version) {
      if (type === 'Provenance') return version === 1 ? this.read(type, id) : null;
      const [row] = await query<VersionRow>(
        `select ${VERSION_COLUMNS} from fhir_version v where v.type = $1 and v.id = $2 and v.version = $3`,
        [type, id, version],
      );
      return row ? ((await versions([row]))[0] ?? null) : null;
    },
    async history(scope, page) {
      const { text, values } = historySql(scope, page);
      return versions(await query<VersionRow>(text, values));
    },
    async countVersions(type, id, since) {
      const [row] = await query<{ count: number }>(
        'select count(*)::int as count from fhir_version where type = $1 and id = $2 and at >= $3',
        [type, id, since ?? '-infinity'],
      );
      return row?.count ?? 0;
    },
    async search(asked) {
      if (asked.type === 'Provenance') return searchProvenance(database, asked, options.searchTimeoutMs);
      const criteria = sealCriteria(vault, asked.type, await anyName(query, asked.criteria));
      return searchResources(database, { ...asked, criteria }, options.searchTimeoutMs);
    },
    async count(asked) {
      if (asked.type === 'Provenance') return countProvenance(database, asked, options.searchTimeoutMs);
      const criteria = sealCriteria(vault, asked.type, await anyName(query, asked.criteria));
      return countResources(database, { ...asked, criteria }, options.searchTimeoutMs);
    },
    async fetch(type, ids) {
      if (ids.length === 0) return [];
      if (type === 'Provenance') return (await fetchProvenance(query, vault.fields, ids)).map(asProvenance);
      const rows = await query<VersionRow>(
        `select ${VERSION_COLUMNS} from fhir_resource r join fhir_version v using (type, id, version)
         where r.type = $1 and r.id = any($2) and not r.deleted`,
        [type, ids],
      );
      const byId = new Map(rows.map((row) => [row.id, row]));
      return versions(ids.flatMap((id) => byId.get(id) ?? []));
    },
    savePages: (pages: SavedPages) => savePages(query, vault.fields, pages, options.pageLifetimeMs),
    pages: (handle, callerId) => readPages(query, vault.fields, handle, callerId),
    latestPages: (callerId) => latestPages(query, vault.fields, callerId),
    forgetPages: (callerId) => forgetPages(query, callerId),
  };
}

/** Binary holds addresses of bytes, not a resource of its own history: it is left out of type and system history. */
function historySql(
  scope: HistoryScope,
  page: Parameters<FhirStore['history']>[1],
): { readonly text: string; readonly values: readonly unknown[] } {
  const values: unknown[] = [];
  const bind = (value: unknown): string => `$${String(values.push(value))}`;
  const where = [scope.type === undefined ? `v.type <> 'Binary'` : `v.type = ${bind(scope.type)}`];
  if (scope.id !== undefined) where.push(`v.id = ${bind(scope.id)}`);
  if (page.since !== undefined) where.push(`v.at >= ${bind(page.since)}`);
  if (page.before) {
    const { at, type, id, version } = page.before;
    // The plain bound on `at` is implied, and is what the index can use on every partition.
    where.push(`v.at <= ${bind(at)}`);
    where.push(`(v.at, v.type, v.id, v.version) < (${bind(at)}, ${bind(type)}, ${bind(id)}, ${bind(version)})`);
  }
  const order = scope.id === undefined ? 'v.at desc, v.type desc, v.id desc, v.version desc' : 'v.version desc';
  const text = `select ${VERSION_COLUMNS} from fhir_version v where ${where.join(' and ')}
    order by ${order} limit ${bind(page.limit)}`;
  return { text, values };
}
