/** Applies the linking decision to the rows: who is whose person, which persons were joined, which doubts are open. */
import type { Derivation, HubId } from '../core/identifier.ts';
import { linkGroup, type Doubt } from '../core/link.ts';
import { residentIdOf, type PatientState } from '../core/patient.ts';
import { problem } from '../core/problem.ts';
import type { Connection } from './database.ts';
import { loadGroup } from './slice.ts';

export interface Linked {
  /** Persons whose view changed, old and new. */
  readonly persons: readonly HubId[];
  /** Registrations whose person changed: their exams name another subject now. */
  readonly relinked: readonly HubId[];
}

/**
 * `before` are the changed registrations as they stood (absent: new). Their rows are written already. Locks the resident
 * IDs first, in order, so that two hospitals registering one person at once see each other.
 */
export async function linkPersons(
  connection: Connection,
  changed: readonly PatientState[],
  before: ReadonlyMap<HubId, PatientState>,
  context: { derive: Derivation; now: Date },
): Promise<Linked> {
  const recordIds = changed.map((state) => state.recordId);
  const residents = [...new Set([...changed, ...before.values()].map((state) => residentIdOf(state.facts)))]
    .filter((id) => id !== null)
    .sort();
  const merging = changed.some((state) => state.mergedInto !== null);
  if (residents.length === 0 && !merging) {
    const fresh = changed.filter((state) => !before.has(state.recordId));
    await makePersons(
      connection,
      fresh.map((state) => context.derive.id('person', state.recordId)),
      context.now,
    );
    return { persons: await personsOf(connection, recordIds), relinked: [] };
  }
  await connection.query({
    name: 'link-lock',
    text: 'select pg_advisory_xact_lock(k) from (select hashtextextended(id, 11) as k from unnest($1::text[]) id order by 1) ordered',
    values: [residents],
  });
  const group = await loadGroup(connection, recordIds, residents);
  const { links, doubts } = linkGroup(group, context.derive);
  const was = new Map(group.map((state) => [state.recordId, state.personId]));
  const moved = links.filter((link) => was.get(link.recordId) !== link.personId);
  await makePersons(connection, [...new Set(links.map((link) => link.personId))], context.now);
  if (moved.length > 0) await moveRecords(connection, moved, was, context.now);
  await openDoubts(
    connection,
    doubts,
    group.map((state) => state.recordId),
    context,
  );
  const persons = new Set([...(await personsOf(connection, recordIds)), ...moved.map((link) => link.personId)]);
  for (const link of moved) {
    const old = was.get(link.recordId);
    if (old !== undefined) persons.add(old);
  }
  return { persons: [...persons], relinked: moved.map((link) => link.recordId) };
}

async function personsOf(connection: Connection, recordIds: readonly HubId[]): Promise<HubId[]> {
  const result = await connection.query<{ person_id: HubId }>({
    name: 'link-persons-of',
    text: 'select distinct person_id from patient_record where record_id = any ($1::uuid[])',
    values: [recordIds],
  });
  return result.rows.map((row) => row.person_id);
}

async function makePersons(connection: Connection, personIds: readonly HubId[], now: Date): Promise<void> {
  if (personIds.length === 0) return;
  await connection.query({
    name: 'link-make-persons',
    text: `insert into person (person_id, created_at, updated_at) select unnest($1::uuid[]), $2, $2 on conflict do nothing`,
    values: [personIds, now],
  });
}

/** A person that lost its last registration is replaced by where that one went; one that gained some stands again. */
async function moveRecords(
  connection: Connection,
  moved: readonly { recordId: HubId; personId: HubId }[],
  was: ReadonlyMap<HubId, HubId>,
  now: Date,
): Promise<void> {
  await connection.query(
    `update patient_record p set person_id = m.person_id, updated_at = $3
     from unnest($1::uuid[], $2::uuid[]) as m(record_id, person_id) where p.record_id = m.record_id`,
    [moved.map((link) => link.recordId), moved.map((link) => link.personId), now],
  );
  await connection.query(
    `update person o set updated_at = $3, replaced_by = case
       when exists (select from patient_record p where p.person_id = o.person_id) then null else m.person_id end
     from (select distinct on (old) old, person_id from unnest($1::uuid[], $2::uuid[]) as u(old, person_id) order by old) m
     where o.person_id = m.old`,
    [moved.map((link) => was.get(link.recordId) ?? null), moved.map((link) => link.personId), now],
  );
  await connection.query(
    'update person set replaced_by = null where person_id = any ($1::uuid[]) and replaced_by is not null',
    [moved.map((link) => link.personId)],
  );
}

/** One open review a doubt; a doubt about these registrations that no longer holds is closed by the hub. */
async function openDoubts(
  connection: Connection,
  doubts: readonly Doubt[],
  recordIds: readonly HubId[],
  context: { derive: Derivation; now: Date },
): Promise<void> {
  const ids = doubts.map((doubt) => context.derive.id('doubt', doubt.reason, ...[...doubt.recordIds].sort()));
  for (const [at, doubt] of doubts.entries()) {
    const text = `Registrations share one resident ID but differ in ${doubt.reason}; they stay apart until a person decides.`;
    await connection.query(
      `insert into review (id, kind, site, problem, record_ids, opened_at)
       select $1, 'identity', (select site from patient_record where record_id = $3), $2, $4::uuid[], $5
       on conflict (id) do update set state = 'open', closed_at = null, closed_by = null where review.state = 'resolved'`,
      [
        ids[at],
        JSON.stringify(problem('identity-doubt', doubt.reason, text)),
        doubt.recordIds.at(-1),
        doubt.recordIds,
        context.now,
      ],
    );
  }
  await connection.query(
    `update review set state = 'resolved', closed_at = $3, closed_by = 'hub', reason = 'the registrations agree now'
     where kind = 'identity' and state = 'open' and record_ids && $1::uuid[] and not (id = any ($2::uuid[]))`,
    [recordIds, ids, context.now],
  );
}
