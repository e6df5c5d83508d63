/** What registration must know of the registry before it decides, read and locked in its own transaction. */
import type { Around } from '../core/document-register.ts';
import type { EntryId, PatientCx, RegistryObject } from '../core/document.ts';
import { vaultOf, type Connection } from './database.ts';
import { ASSOCIATION_SELECT, associationOf, OBJECT_SELECT, objectOf, uuidsOf } from './document-row.ts';
import type { AssociationRow, ObjectRow } from './document-row.ts';

/** Of advisory locks with two keys: nobody else's has this first one. */
const LOCKS = 17;
/**
 * A message may name very many, and all locks of the server share one table of some thousands, whose end would fail
 * everybody's transactions. Two names of one slot wait for each other without need, which is rare and short.
 */
const SLOTS = 1_024;

/**
 * Waits for whoever registers the same patient, unique id or object id now, in one order for all, so that none waits in
 * a circle. Two that replace one document meet here: the second sees what the first did.
 */
export async function lockNames(connection: Connection, names: readonly string[]): Promise<void> {
  await connection.query({
    name: 'document-lock',
    text: `select pg_advisory_xact_lock(${String(LOCKS)}, slot) from (
      select distinct (hashtextextended(n, 17) & ${String(SLOTS - 1)})::int as slot from unnest($1::text[]) n order by 1) ordered`,
    values: [names],
  });
}

export async function objectsBy(
  connection: Connection,
  by: { readonly ids?: readonly EntryId[]; readonly uniqueIds?: readonly string[]; readonly lids?: readonly EntryId[] },
): Promise<RegistryObject[]> {
  const { ids = [], uniqueIds = [], lids = [] } = by;
  const found = new Map<string, RegistryObject>();
  const ask = async (condition: string, values: readonly string[]): Promise<void> => {
    if (values.length === 0) return;
    const { rows } = await connection.query<ObjectRow>(`${OBJECT_SELECT} where ${condition}`, [values]);
    for (const row of rows) found.set(row.id, objectOf(vaultOf(connection).fields, row));
  };
  await ask('o.id = any ($1::uuid[])', uuidsOf(ids));
  await ask('o.unique_id = any ($1::text[])', uniqueIds);
  await ask('o.lid = any ($1::uuid[])', uuidsOf(lids));
  return [...found.values()];
}

/** Associations with one of `ends` at either end, or that are one of `ids`. */
export async function associationsBy(
  connection: Connection,
  by: { readonly ids?: readonly EntryId[]; readonly ends?: readonly EntryId[]; readonly targets?: readonly EntryId[] },
): Promise<ReturnType<typeof associationOf>[]> {
  const { ids = [], ends = [], targets = [] } = by;
  const found = new Map<string, ReturnType<typeof associationOf>>();
  const ask = async (condition: string, values: readonly string[]): Promise<void> => {
    if (values.length === 0) return;
    const { rows } = await connection.query<AssociationRow>(`${ASSOCIATION_SELECT} where ${condition}`, [values]);
    for (const row of rows) found.set(row.id, associationOf(row));
  };
  await ask('a.id = any ($1::uuid[])', uuidsOf(ids));
  await ask('a.source = any ($1::uuid[])', uuidsOf(ends));
  await ask('a.target = any ($1::uuid[])', uuidsOf([...ends, ...targets]));
  return [...found.values()];
}

/** Associations that lead to these documents, and to their addenda and transformations, and so on. */
async function associationsDown(connection: Connection, ids: readonly EntryId[]): Promise<AssociationRow[]> {
  if (ids.length === 0) return [];
  const { rows } = await connection.query<AssociationRow>({
    name: 'document-dependants',
    // Each id once, so that a circle ends too.
    text: `with recursive fallen as (
        select unnest($1::uuid[]) as id
        union
        select a.source from document_association a join fallen f on a.target = f.id where a.type in ('APND', 'XFRM'))
      ${ASSOCIATION_SELECT} where a.target = any ($1::uuid[])
        or (a.type in ('APND', 'XFRM') and a.target in (select id from fallen))`,
    values: [uuidsOf(ids)],
  });
  return rows;
}

export interface Wanted {
  readonly named: readonly EntryId[];
  readonly replaced: readonly EntryId[];
  readonly uniqueIds: readonly string[];
}

export async function loadAround(
  connection: Connection,
  wanted: Wanted,
  known: ReadonlySet<PatientCx>,
): Promise<Around> {
  const associations = new Map<EntryId, ReturnType<typeof associationOf>>();
  for (const row of await associationsDown(connection, wanted.replaced)) {
    const one = associationOf(row);
    associations.set(one.id, one);
  }
  // A folder that holds a replaced document is touched as well.
  const holders = [...associations.values()].filter((one) => one.type === 'HasMember').map(({ source }) => source);
  const objects = await objectsBy(connection, {
    ids: [...new Set([...wanted.named, ...holders])],
    uniqueIds: wanted.uniqueIds,
  });
  const named = await associationsBy(connection, { ids: wanted.named });
  for (const one of named) associations.set(one.id, one);
  const filed = await filedUnder(connection, wanted.uniqueIds);
  return { objects, associations: [...associations.values()], known, filed };
}

/** What the repository holds under these unique ids, whoever's it is and whether or not an entry still tells of it. */
async function filedUnder(connection: Connection, uniqueIds: readonly string[]): Promise<NonNullable<Around['filed']>> {
  const { rows } = await connection.query<{ unique_id: string; hash: string; size: string }>({
    name: 'document-filed',
    text: 'select unique_id, hash, size from repository_document where unique_id = any ($1::text[])',
    values: [uniqueIds],
  });
  return rows.map(({ unique_id: uniqueId, hash, size }) => ({ uniqueId, hash, size: Number(size) }));
}
