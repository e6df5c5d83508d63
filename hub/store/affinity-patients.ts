/**
 * The patients of the affinity domain. A person of the master index has the id `personId^^^&oid&ISO` without any row;
 * ids that an outside source announced have one; and so has every id that was merged away, which tells where to.
 */
import { isCx } from '../core/document-format.ts';
import type { AffinityPatients } from '../core/document-ports.ts';
import type { PatientCx } from '../core/document.ts';
import type { HubId } from '../core/identifier.ts';
import type { Connection, Database } from './database.ts';
import { lockNames } from './document-around.ts';

/** `oid` is that of the affinity domain, everywhere here. */
export const affinityId = (local: string, oid: string): PatientCx => `${local}^^^&${oid}&ISO` as PatientCx;

const PERSON = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The person whose hub-issued id this would be. */
function personIn(id: PatientCx, oid: string): string | null {
  const local = id.split('^')[0] ?? '';
  return PERSON.test(local) && id === affinityId(local, oid) ? local : null;
}

export function createAffinityPatients(deps: { database: Database; affinityDomainOid: string }): AffinityPatients {
  const { database, affinityDomainOid: oid } = deps;
  return {
    idsOf: (personIds) => Promise.resolve(new Map(personIds.map((person) => [person, affinityId(person, oid)]))),
    known: (ids) => knownPatients(database.pool, ids, oid),
    personsOf: (ids) => personsOf(database.pool, ids, oid),
    add: (id) =>
      database.transaction(async (connection) => {
        await lockNames(connection, [id]);
        await announce(connection, [id]);
      }),
    merge: (survivor, subsumed) =>
      database.transaction(async (connection) => {
        await lockNames(connection, [survivor, subsumed]);
        await mergePatients(connection, [[subsumed, survivor]]);
      }),
  };
}

export async function knownPatients(
  connection: Connection,
  ids: readonly PatientCx[],
  oid: string,
): Promise<Set<PatientCx>> {
  const persons = ids.map((id) => personIn(id, oid));
  const { rows } = await connection.query<{ id: PatientCx }>({
    name: 'affinity-known',
    text: `select i.id from unnest($1::text[], $2::uuid[]) as i(id, person)
      left join affinity_patient a on a.patient_id = i.id
      where a.survivor is null and (a.patient_id is not null
        or exists (select from person p where p.person_id = i.person and p.replaced_by is null))`,
    values: [ids, persons],
  });
  return new Set(rows.map(({ id }) => id));
}

async function personsOf(
  connection: Connection,
  ids: readonly PatientCx[],
  oid: string,
): Promise<ReadonlyMap<PatientCx, string>> {
  const { rows } = await connection.query<{ id: PatientCx; person_id: string }>({
    name: 'affinity-persons',
    text: `select i.id, coalesce(p.person_id, r.person_id) as person_id
      from unnest($1::text[], $2::uuid[]) as i(id, person)
      left join person p on p.person_id = i.person
      left join affinity_patient a on a.patient_id = i.id
      left join patient_record r on r.record_id = a.record_id
      where p.person_id is not null or r.person_id is not null`,
    values: [ids, ids.map((id) => personIn(id, oid))],
  });
  return new Map(rows.map((row) => [row.id, row.person_id]));
}

const announce = (connection: Connection, ids: readonly PatientCx[]): Promise<unknown> =>
  connection.query(
    'insert into affinity_patient (patient_id) select unnest($1::text[]) on conflict (patient_id) do nothing',
    [ids],
  );

/**
 * [subsumed, survivor] in pairs. The survivor may be new, or have been merged away itself: the latest word counts, so it
 * stands again.
 */
async function mergePatients(
  connection: Connection,
  pairs: readonly (readonly [PatientCx, PatientCx])[],
): Promise<void> {
  const survivors = pairs.map(([, survivor]) => survivor);
  await announce(connection, survivors);
  await connection.query('update affinity_patient set merged_into = null where patient_id = any ($1::text[])', [
    survivors,
  ]);
  await connection.query(
    `insert into affinity_patient (patient_id, merged_into) select * from unnest($1::text[], $2::text[])
     on conflict (patient_id) do update set merged_into = excluded.merged_into`,
    [pairs.map(([subsumed]) => subsumed), survivors],
  );
  await settleSurvivors(connection, pairs.flat());
}

/** Works out anew where each chain of merges ends, for these ids and all that lead to them. */
async function settleSurvivors(connection: Connection, ids: readonly PatientCx[]): Promise<void> {
  await connection.query({
    name: 'affinity-settle',
    text: `with recursive below as (
        select patient_id from affinity_patient where patient_id = any ($1::text[])
        union select a.patient_id from affinity_patient a join below b on a.merged_into = b.patient_id),
      up as (
        select a.patient_id as start, a.merged_into as at, 1 as depth
        from affinity_patient a join below using (patient_id) where a.merged_into is not null
        union all
        select up.start, a.merged_into, up.depth + 1
        from up join affinity_patient a on a.patient_id = up.at where a.merged_into is not null and up.depth < 100),
      ends as (select distinct on (start) start, at from up order by start, depth desc)
      update affinity_patient t set survivor = e.at
      from below b left join ends e on e.start = b.patient_id
      where t.patient_id = b.patient_id and t.survivor is distinct from e.at`,
    values: [ids],
  });
}

/**
 * ITI-8: registrations whose authority is the affinity domain announce its ids, and merges among them merge these. Part
 * of the transaction that applies the message, so that an id is known exactly when its registration stands.
 */
export async function announceRecords(connection: Connection, recordIds: readonly HubId[], oid: string): Promise<void> {
  const found = await connection.query<{
    local_id: string;
    record_id: string;
    survivor: string | null;
    released: boolean;
  }>({
    name: 'affinity-announced',
    text: `select r.local_id, r.record_id, s.local_id as survivor,
        r.merged_into is null and r.facts ? 'merged' as released from patient_record r
      left join patient_record s on s.record_id = r.merged_into and s.authority = $2
      where r.record_id = any ($1::uuid[]) and r.authority = $2 order by r.local_id`,
    values: [recordIds, oid],
  });
  // A number that no CX can carry names nobody in the affinity domain.
  const rows = found.rows.filter((row) => isCx(affinityId(row.local_id, oid)));
  if (rows.length === 0) return;
  await connection.query(
    `insert into affinity_patient (patient_id, record_id) select * from unnest($1::text[], $2::uuid[])
     on conflict (patient_id) do update set record_id = excluded.record_id`,
    [rows.map((row) => affinityId(row.local_id, oid)), rows.map((row) => row.record_id)],
  );
  const merged = rows.flatMap(({ local_id: local, survivor }) =>
    survivor === null || !isCx(affinityId(survivor, oid))
      ? []
      : [[affinityId(local, oid), affinityId(survivor, oid)] as const],
  );
  if (merged.length > 0) await mergePatients(connection, merged);
  // Merged once and no more: the hospital took it back (ADT A37).
  const released = rows.filter((row) => row.released).map((row) => affinityId(row.local_id, oid));
  if (released.length === 0) return;
  await connection.query('update affinity_patient set merged_into = null where patient_id = any ($1::text[])', [
    released,
  ]);
  await settleSurvivors(connection, released);
}

/** Persons that lost their last registration to another are merged away, those that have some again stand. */
export async function followPersons(connection: Connection, personIds: readonly HubId[], oid: string): Promise<void> {
  if (personIds.length === 0) return;
  const { rows } = await connection.query<{ person_id: string; replaced_by: string | null }>({
    name: 'affinity-follow',
    text: `select p.person_id, p.replaced_by from person p
      left join affinity_patient a on a.patient_id = p.person_id || $2
      where p.person_id = any ($1::uuid[]) and (p.replaced_by is not null or a.merged_into is not null)
      order by p.person_id`,
    values: [personIds, `^^^&${oid}&ISO`],
  });
  if (rows.length === 0) return;
  const ids = rows.map((row) => affinityId(row.person_id, oid));
  await connection.query(
    `insert into affinity_patient (patient_id, merged_into) select * from unnest($1::text[], $2::text[])
     on conflict (patient_id) do update set merged_into = excluded.merged_into`,
    [ids, rows.map((row) => (row.replaced_by === null ? null : affinityId(row.replaced_by, oid)))],
  );
  await settleSurvivors(connection, ids);
}
