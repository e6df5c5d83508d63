/**
 * Applies the linking decision to the rows: who is whose person, which persons were joined or parted, which doubts are
 * open. The decision is a function of what is tied together, so it may be made again at any time (decisions/0018).
 */
import { tiesOf } from '../core/fold-identity.ts';
import type { Derivation, HubId } from '../core/identifier.ts';
import type { Matcher } from '../core/match/matcher.ts';
import type { Pair } from '../core/match/comparison.ts';
import type { PatientState } from '../core/patient.ts';
import {
  conflictsWithin,
  doubtsOf,
  overruling,
  ownPerson,
  pairKey,
  partCrowds,
  personIdOf,
  rulingsOver,
  type Conflict,
  type Member,
} from '../core/person.ts';
import { COMPONENT_LIMIT, loadTies, lockComponent, type Component, type Ties } from './component.ts';
import type { Connection } from './database.ts';
import { comparable, lockMatching, matchRecords, rulesInForce, type MatchContext } from './match.ts';
import { settleDoubts } from './doubt.ts';

export interface Linked {
  /** Persons whose view changed, old and new. */
  readonly persons: readonly HubId[];
  /** Registrations whose person changed. */
  readonly relinked: readonly HubId[];
  /** Registrations whose candidates were cut off: told with the message that brought them. */
  readonly cut: readonly HubId[];
}

export interface LinkContext extends MatchContext {
  readonly derive: Derivation;
}

/** What was found and locked before rows of registrations are written; `linkPersons` decides about it afterwards. */
export interface Matched {
  readonly matcher: Matcher;
  readonly component: Component;
  /** Registrations that were compared with fewer than share a key with them. */
  readonly cut: readonly HubId[];
}

/**
 * Compares the changed registrations and locks everything that the decision about them may touch. null: nothing that is
 * compared or tied has changed, or it is like nobody. `before` are the registrations as they stood (absent: new).
 */
export async function matchPersons(
  connection: Connection,
  changed: readonly PatientState[],
  before: ReadonlyMap<HubId, PatientState>,
  context: LinkContext,
): Promise<Matched | null> {
  const differing = comparable(changed, before, context.matching);
  const tied = changed.flatMap((state) => tiesChanged(state, before.get(state.recordId)));
  if (differing.now.length === 0 && tied.length === 0) return null;
  await lockMatching(connection, differing);
  const matchers = await rulesInForce(connection, context.matching);
  const found = await matchRecords(connection, differing, matchers, context);
  // New, and like nobody: a person of its own, as it is written.
  if (found.pairs + found.cut.length === 0 && tied.length === 0 && differing.was.length === 0) return null;
  const seeds = new Set<HubId>([...differing.now.map((one) => one.recordId as HubId), ...tied, ...found.former]);
  const fresh = new Set(changed.map((state) => state.recordId).filter((id) => !before.has(id)));
  const component = await lockComponent(connection, [...seeds], matchers[0].version, fresh);
  return { matcher: matchers[0], component, cut: found.cut };
}

/** The two ends of every merge or tie that came or went. */
function tiesChanged(state: PatientState, old: PatientState | undefined): HubId[] {
  const words = (one: PatientState | undefined): Map<HubId, string> =>
    new Map([
      ...(one === undefined ? [] : tiesOf(one.facts).map((tie) => [tie.other, tie.said] as const)),
      ...(one === undefined || one.mergedInto === null ? [] : ([[one.mergedInto, 'merged']] as const)),
    ]);
  const [now, was] = [words(state), words(old)];
  const ends = [...now.keys(), ...was.keys()].filter((id) => now.get(id) !== was.get(id));
  return ends.length === 0 ? [] : [state.recordId, ...ends];
}

/** Decides about what was found; the rows of the registrations are written. */
export async function linkPersons(
  connection: Connection,
  changed: readonly PatientState[],
  before: ReadonlyMap<HubId, PatientState>,
  matched: Matched | null,
  context: LinkContext,
): Promise<Linked> {
  const recordIds = changed.map((state) => state.recordId);
  const fresh = recordIds.filter((id) => !before.has(id));
  await makePersons(connection, fresh, context);
  const linked = matched === null ? NOTHING : await decideComponent(connection, matched, context);
  // A registration that is linked as it comes was never a person that anybody saw.
  const born = new Set(fresh.map((id) => ownPerson(id, context.derive)));
  const standing = await personsOf(connection, recordIds);
  const seen = linked.persons.filter((id) => !born.has(id));
  // And has no exam yet that anybody knows under another person.
  const relinked = linked.relinked.filter((id) => !fresh.includes(id));
  return { persons: [...new Set([...standing, ...seen])], relinked, cut: matched?.cut ?? [] };
}

const NOTHING: Linked = { persons: [], relinked: [], cut: [] };

/** Judges everything in the component anew and writes what differs. */
export async function decideComponent(
  connection: Connection,
  { matcher, component }: Omit<Matched, 'cut'>,
  context: LinkContext,
): Promise<Linked> {
  const ties = await loadTies(connection, component.records, matcher.version);
  const judged = judge(ties, matcher, context.derive);
  const moved = ties.members.filter((member) => judged.personOf.get(member.recordId) !== member.personId);
  const moves = moved.map(({ recordId, personId }) => ({
    recordId,
    was: personId,
    personId: judged.personOf.get(recordId) ?? personId,
  }));
  if (moves.length > 0) await moveRecords(connection, moves, context);
  const beyond = [...component.beyond, ...judged.beyond];
  await settleDoubts(
    connection,
    { records: component.records, doubts: judged.doubts, conflicts: judged.conflicts, beyond, crowds: judged.crowds },
    context,
  );
  return {
    persons: [...new Set(moves.flatMap((move) => [move.was, move.personId]))],
    relinked: moves.map((move) => move.recordId),
    cut: [],
  };
}

export interface Judged {
  readonly personOf: ReadonlyMap<HubId, HubId>;
  readonly doubts: readonly Pair[];
  /** Inside persons, since somebody ruled. */
  readonly conflicts: readonly Conflict[];
  /** The smallest of each set that is too large to decide about. */
  readonly beyond: readonly HubId[];
  /** The smallest of each crowd that one of these resembles. */
  readonly crowds: readonly HubId[];
}

/** Which person each registration is, by everything that is tied to it. Pure. */
export function judge(ties: Ties, matcher: Matcher, derive: Derivation): Judged {
  const rulings = rulingsOver(ties.rulings, ties.said);
  const numberOf = (id: string): string | null => ties.features.get(id)?.residentId ?? null;
  const { overruled, confirmed } = overruling(ties.pairs, rulings, numberOf);
  const standing = ties.pairs.filter((pair) => pair.comparison.veto === null || !overruled(pair.a, pair.b));
  const ruled = new Set(rulings.filter((one) => one.decision === 'same').map((one) => pairKey(one.a, one.b)));
  const personOf = new Map<HubId, HubId>();
  const beyond: HubId[] = [];
  const conflicts: Conflict[] = [];
  const undecided = new Set<string>();
  for (const members of connected(ties, rulings)) {
    if (members.length > COMPONENT_LIMIT) {
      for (const { recordId, personId } of members) {
        personOf.set(recordId, personId);
        undecided.add(recordId);
      }
      beyond.push(
        ...members
          .map((member) => member.recordId)
          .sort()
          .slice(0, 1),
      );
      continue;
    }
    const byId = new Map<string, Member>(members.map((member) => [member.recordId, member]));
    const inside = <T extends { readonly a: string; readonly b: string }>(all: readonly T[]): T[] =>
      all.filter(({ a, b }) => byId.has(a) && byId.has(b));
    const against = (a: string, b: string): boolean => {
      const [x, y] = [ties.features.get(a), ties.features.get(b)];
      if (x === undefined || y === undefined || ruled.has(pairKey(a, b)) || overruled(a, b)) return false;
      return matcher.compare(x, y).veto !== null;
    };
    const { groups } = matcher.cluster([...byId.keys()], inside(standing), inside(rulings), against);
    for (const group of groups) {
      const own = group.flatMap((id) => byId.get(id) ?? []);
      const personId = personIdOf(own, derive);
      for (const { recordId } of own) personOf.set(recordId, personId);
      conflicts.push(...conflictsWithin(own, numberOf, confirmed));
    }
  }
  const of = (recordId: string): HubId | null => personOf.get(recordId as HubId) ?? ties.others.get(recordId) ?? null;
  // They are one question, not one for each two of hundreds.
  const open = ties.pairs.filter(({ a, b }) => !undecided.has(a) && !undecided.has(b));
  const parted = partCrowds(doubtsOf(open, rulings, of), of, new Set(personOf.values()));
  return { personOf, doubts: parted.doubts, conflicts, crowds: parted.crowds as HubId[], beyond };
}

/** Sets that nothing ties to each other: each is a decision of its own. */
function connected(ties: Ties, rulings: Ties['rulings']): Member[][] {
  const setOf = new Map<string, Member[]>(ties.members.map((member) => [member.recordId, [member]]));
  const links = ties.pairs.filter((pair) => pair.comparison.outcome === 'link');
  for (const { a, b } of [...links, ...rulings.filter((one) => one.decision === 'same')]) {
    const [x, y] = [setOf.get(a), setOf.get(b)];
    if (x === undefined || y === undefined || x === y) continue;
    const [large, small] = x.length < y.length ? [y, x] : [x, y];
    large.push(...small);
    for (const member of small) setOf.set(member.recordId, large);
  }
  return [...new Set(setOf.values())];
}

async function personsOf(connection: Connection, recordIds: readonly HubId[]): Promise<HubId[]> {
  const result = await connection.query<{ person_id: HubId }>({
    name: 'link-persons-of',
    text: 'select distinct person_id from patient_record where record_id = any ($1::uuid[])',
    values: [recordIds],
  });
  return result.rows.map((row) => row.person_id);
}

/** Every registration has a person of its own, which stands while it is alone or the oldest of its person. */
async function makePersons(connection: Connection, fresh: readonly HubId[], context: LinkContext): Promise<void> {
  if (fresh.length === 0) return;
  await connection.query({
    name: 'link-make-persons',
    text: 'insert into person (person_id, created_at, updated_at) select unnest($1::uuid[]), $2, $2 on conflict do nothing',
    values: [fresh.map((id) => ownPerson(id, context.derive)), context.now],
  });
}

/** A registration's own person follows it: it stands where it names the person, and is replaced by that one elsewhere. */
async function moveRecords(
  connection: Connection,
  moves: readonly { readonly recordId: HubId; readonly was: HubId; readonly personId: HubId }[],
  context: LinkContext,
): Promise<void> {
  await connection.query({
    name: 'link-move-records',
    text: `update patient_record p set person_id = m.person_id, updated_at = $3
     from unnest($1::uuid[], $2::uuid[]) as m(record_id, person_id) where p.record_id = m.record_id`,
    values: [moves.map((move) => move.recordId), moves.map((move) => move.personId), context.now],
  });
  const own = moves.map((move) => ownPerson(move.recordId, context.derive));
  await connection.query({
    name: 'link-move-persons',
    text: `insert into person as o (person_id, replaced_by, created_at, updated_at)
     select own, nullif(person_id, own), $3, $3 from unnest($1::uuid[], $2::uuid[]) as m(own, person_id) order by own
     on conflict (person_id) do update set replaced_by = excluded.replaced_by, updated_at = excluded.updated_at`,
    values: [own, moves.map((move) => move.personId), context.now],
  });
  // Persons of releases that called them after a resident ID: nobody's own, they end when their last registration leaves.
  const known = new Set(own);
  const others = moves.filter((move) => !known.has(move.was));
  if (others.length > 0)
    await connection.query({
      name: 'link-end-persons',
      text: `update person o set replaced_by = m.person_id, updated_at = $3
       from (select distinct on (was) was, person_id from unnest($1::uuid[], $2::uuid[]) as u(was, person_id) order by was, person_id) m
       where o.person_id = m.was and not exists (select from patient_record p where p.person_id = o.person_id)`,
      values: [others.map((move) => move.was), others.map((move) => move.personId), context.now],
    });
}
